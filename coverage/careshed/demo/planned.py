"""Plan a bridge for the made-up town where the way round is longest; the streets change only when somebody asks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from careshed.demo.form import CRS
from careshed.demo.ways import BEND_M, Floats

if TYPE_CHECKING:
    from careshed.demo.town import Town
    from careshed.network import Network

EVERY_M: Final = 50.0
"""Spots are tried every so many metres along the river."""

LONGEST_M: Final = 260.0
"""Longest bridge that the town would build."""


def planned_bridge(town: Town, network: Network) -> shapely.LineString:
    """Choose, among junctions that face each other over the river, the two with the longest way round, metres in `CRS`."""
    import geopandas as gpd

    from careshed.reach import travel_times

    river = town.warp.shape(shapely.segmentize(town.form.barriers[0].line, BEND_M))
    spots = shapely.line_interpolate_point(river, np.arange(0, river.length, EVERY_M))
    x, y = network.x[network.component[:] == 0], network.y[network.component[:] == 0]
    side = _side(river, x, y)
    banks = [_nearest(np.column_stack([x, y])[side == bank], spots) for bank in (False, True)]
    length = np.hypot(*(banks[0] - banks[1]).T)
    near = np.flatnonzero(length <= LONGEST_M)
    ends = [gpd.GeoDataFrame(geometry=gpd.points_from_xy(*bank[near].T), crs=network.crs) for bank in banks]
    times = travel_times(network, *ends, limit_m=30_000)
    row = np.repeat(np.arange(len(near)), np.diff(times.indptr))
    facing = row == times.indices
    round_ = np.zeros(len(near))
    round_[row[facing]] = times.cost[facing] / 1000 - length[near][row[facing]]
    best = near[int(np.argmax(round_))]
    return shapely.LineString([banks[0][best], banks[1][best]])


def _side(river: shapely.Geometry, x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Tell on which bank points lie: left of the river's course or not."""
    course = shapely.get_coordinates(river)
    steps = np.hypot(*np.diff(course, axis=0).T)
    along = shapely.line_locate_point(river, shapely.points(x, y))
    piece = np.clip(np.searchsorted(np.cumsum(steps), along), 0, len(steps) - 1)
    (ax, ay), (bx, by) = course[piece].T, course[piece + 1].T
    left: NDArray[np.bool_] = (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0
    return left


def _nearest(nodes: Floats, spots: NDArray[np.object_]) -> Floats:
    """The node nearest each spot, shape (spots, 2)."""
    from scipy.spatial import cKDTree

    found: Floats = nodes[cKDTree(nodes).query(shapely.get_coordinates(spots))[1]]
    return found


def write_planned(path: Path, town: Town, streets: Path) -> Path:
    """Write the planned bridge as a layer of changes to the streets that were written before."""
    import geopandas as gpd

    from careshed.intake.streets import read_streets
    from careshed.modes import WALK_ADULT
    from careshed.network import build_network

    network = build_network(read_streets(streets).table, mode=WALK_ADULT, crs=CRS)
    columns = {"名称": ["规划桥（虚构）"], "变更": ["新增"], "道路等级": ["支路"], "桥": ["是"]}
    table = gpd.GeoDataFrame(columns, geometry=[planned_bridge(town, network)], crs=CRS)
    path.unlink(missing_ok=True)
    table.to_crs("EPSG:4326").to_file(path, driver="GeoJSON", COORDINATE_PRECISION=8, engine="pyogrio")
    return path
