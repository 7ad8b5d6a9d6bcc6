"""Make large road-like networks in seconds: a town of a million junctions, and a rural prefecture of 10,000 km²."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.network import Arcs, build_network, morton, pack_arcs

if TYPE_CHECKING:
    from careshed.network import Network

SPACING_M = 61.2
"""Mean distance of neighbouring junctions before they are shifted: arcs then measure 67 m on average."""

KEPT = 0.7
"""Share of the lattice's streets that are built: 2.8 arcs a junction, as in town street networks."""

SHIFT = 0.35
"""Junctions are shifted by up to this part of the spacing."""

BENDS = 0.1
"""A street is up to this part longer than the straight line."""


class Graph(NamedTuple):
    """A network reduced to what a search needs, and where its nodes lie."""

    arcs: Arcs
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def road_like(nodes: int, *, seed: int = 7) -> Graph:
    """Make a network of about `nodes` junctions (the square number below it) in Morton order, costs in millimetres.

    A lattice of junctions, each shifted at random, of whose streets 70 % are built: dead ends, T-junctions, crossings and
    blocks of many shapes, all streets open both ways.
    """
    random = np.random.default_rng(seed)
    side = int(np.sqrt(nodes))
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    x, y = ((at.ravel() + random.uniform(-SHIFT, SHIFT, side * side)) * SPACING_M for at in (column, row))
    number = np.arange(side * side).reshape(side, side)
    u = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    v = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    built = random.random(len(u)) < KEPT
    u, v = u[built], v[built]
    longer = random.uniform(1.0, 1.0 + BENDS, len(u))
    cost = np.rint(np.hypot(x[u] - x[v], y[u] - y[v]) * longer * 1000.0).astype(np.uint32)
    order = np.argsort(morton(x, y), kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    u, v = place[u], place[v]
    arcs = pack_arcs(len(x), np.concatenate([u, v]), np.concatenate([v, u]), np.concatenate([cost, cost]))
    return Graph(arcs, x[order], y[order])


EAST_M, NORTH_M, ZONE = 400_000.0, 4_300_000.0, "EPSG:32650"
VILLAGES_M = 1_560.0
"""Villages lie about this far apart: with their own streets, 20,000 km of street in 10,000 km²."""

BEND_M = 90.0
"""Roads between villages have a bend about every this many metres."""


def rural_prefecture(*, side_km: float = 100.0, snap_m: float = 150.0, seed: int = 11) -> tuple[Network, NDArray[np.float64]]:
    """Make a rural prefecture: a village every mile or so, roads between neighbours, a few streets in each.

    Returns
    -------
    tuple
        The network, some 2 km of street a square kilometre, and the villages' centres, metres.
    """
    random = np.random.default_rng(seed)
    side = int(side_km * 1000.0 / VILLAGES_M)
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    x, y = ((at.ravel() + random.uniform(0.1, 0.9, side * side)) * VILLAGES_M for at in (column, row))
    centre = np.column_stack([x, y])
    number = np.arange(side * side).reshape(side, side)
    ends = np.concatenate(
        [
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
        ]
    )
    ends = ends[random.random(len(ends)) < 0.85]
    ways = [_winding(centre[a], centre[b], a, b, random) for a, b in ends]
    for village in range(len(centre)):
        ways += _village(centre[village], village, random)
    return _built(ways, snap_m), centre + np.array([EAST_M, NORTH_M])


Way = tuple[NDArray[np.float64], list[object]]
"""Points of a way, metres, and a key for each: equal keys are one junction."""


def _winding(start: NDArray[np.float64], end: NDArray[np.float64], a: int, b: int, random: np.random.Generator) -> Way:
    count = max(2, int(np.hypot(*(end - start)) / BEND_M))
    share = np.linspace(0.0, 1.0, count + 1)[:, None]
    points = start + share * (end - start)
    points[1:-1] += random.uniform(-12.0, 12.0, (count - 1, 2))
    return points, [("village", int(a)), *((("bend", int(a), int(b), k)) for k in range(1, count)), ("village", int(b))]


def _village(centre: NDArray[np.float64], village: int, random: np.random.Generator) -> list[Way]:
    """Three streets by three, of 70 to 110 m a block, askew; the middle crossing is the village's centre."""
    block, turn = random.uniform(70.0, 110.0), random.uniform(0.0, np.pi)
    along = np.array([np.cos(turn), np.sin(turn)]) * block
    across = np.array([-along[1], along[0]])
    ways: list[Way] = []
    for fixed in (-1, 0, 1):
        for swap in (False, True):
            spots = [(k, fixed) if swap else (fixed, k) for k in (-2, -1, 0, 1, 2)]
            points = np.array([centre + i * along + j * across for i, j in spots])
            ways.append((points, [("village", village) if spot == (0, 0) else ("corner", village, *spot) for spot in spots]))
    return ways


def _built(ways: list[Way], snap_m: float) -> Network:
    import pandas as pd
    from pyproj import Transformer

    from careshed.intake.streets import Streets
    from careshed.modes import WALK_OLDER

    keys = [key for _, names in ways for key in names]
    place: dict[object, int] = {}
    way_node = np.array([place.setdefault(key, len(place)) for key in keys], dtype=np.int32)
    xy = np.empty((len(place), 2))
    xy[way_node] = np.concatenate([points for points, _ in ways])
    lon, lat = Transformer.from_crs(ZONE, "EPSG:4326", always_xy=True).transform(xy[:, 0] + EAST_M, xy[:, 1] + NORTH_M)
    table = pd.DataFrame(
        {
            "highway": "residential", "name": "", "walk_forward": True, "walk_backward": True, "steps": False,
            "bridge": False, "tunnel": False, "rank": 2,
        },
        index=pd.RangeIndex(len(ways), name="way_id"),
    )  # fmt: skip
    streets = Streets(
        node_id=np.arange(1, len(place) + 1, dtype=np.int64),
        lon=np.asarray(lon),
        lat=np.asarray(lat),
        ways=table,
        way_ptr=np.concatenate([[0], np.cumsum([len(names) for _, names in ways])]).astype(np.int64),
        way_node=way_node,
        source="rural prefecture (made up)",
    )
    return build_network(streets, mode=WALK_OLDER, crs=ZONE, snap_m=snap_m)
