"""Find where people live beside a road that is closed to them, far from any street they may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import shapely

from careshed.network import nearest_pieces
from careshed.network.model import Float, Network
from careshed.streetcheck.parts import way_lines

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.intake.streets import Streets

FAR_M: Final = 100.0
"""People farther than this from any street they may use are far from one."""

NEAR_M: Final = 60.0
"""A road within this of their home is the one they live on: half a cell, or a deep plot."""

NO_FOOTWAY: Final = frozenset({"motorway", "motorway_link"})
"""Roads along which nobody expects a footway."""


class Footway(NamedTuple):
    """A road closed to a mode, with the people who live on it and far from any other street."""

    way: int
    """Row of the way in ``streets.ways``."""
    people: float
    cells: int
    x: float
    """Spot on the road nearest to most people, metres."""
    y: float


def missing_footways(
    streets: Streets, network: Network, cells: GeoDataFrame, people: Float, *, far_m: float = FAR_M, near_m: float = NEAR_M
) -> list[Footway]:
    """Find roads closed to the mode beside which people live, with no street that they may use nearby.

    Parameters
    ----------
    far_m
        Metres from the nearest street of the network beyond which (>) a cell is far from it.
    near_m
        Metres (≤) within which the closed road lies.
    """
    closed = np.ones(len(streets.ways), dtype=bool)
    closed[network.edge_way] = False
    closed &= ~streets.ways["highway"].isin(NO_FOOTWAY).to_numpy()
    roads = np.flatnonzero(closed)
    home = np.flatnonzero(people > 0)
    if not len(roads) or not len(home):
        return []
    xy = shapely.get_coordinates(shapely.centroid(cells.geometry.to_numpy()[home]))
    piece, _, metres = nearest_pieces(network, xy, 1)
    away = np.where(piece[:, 0] < 0, np.inf, metres[:, 0])
    lonely = away > far_m
    lines = way_lines(streets, network.crs)[roads]
    points = shapely.points(xy[lonely])
    at, road = shapely.STRtree(lines).query_nearest(points, max_distance=near_m, all_matches=False)
    return _by_road(roads[road], lines[road], points[at], people[home[lonely][at]])


def _by_road(way: Float, lines: Float, points: Float, people: Float) -> list[Footway]:
    """Add people up road by road, the most first."""
    found = []
    for own in np.unique(way).tolist():
        mine = np.flatnonzero(way == own)
        most = mine[np.argmax(people[mine])]
        spot = shapely.get_coordinates(shapely.shortest_line(lines[most], points[most]))[0]
        found.append(Footway(int(own), float(people[mine].sum()), len(mine), float(spot[0]), float(spot[1])))
    return sorted(found, key=lambda one: (-one.people, one.way))
