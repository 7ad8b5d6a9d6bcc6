"""Find where streets end just short of another street that is far to walk to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from careshed.intake.streets.repairing import Repair
from careshed.network.model import Bool, Float, Int32, Int64, Network
from careshed.reach import Seeds, Workspace

if TYPE_CHECKING:
    from geopandas import GeoSeries
    from pyproj import Transformer

    from careshed.intake.streets import Streets

GAP_M: Final = 10.0
"""Ends nearer to a street than this (≤) are suspicious: a road's own width and a slip of the hand."""

DETOUR_M: Final = 100.0
"""A street that is no farther than this along the streets needs no link."""

NODE_M: Final = 0.5
"""A link that meets a street so near to one of its nodes meets the node."""

SAME_M: Final = 0.001


@dataclass(frozen=True)
class Spot:
    """A place on the network, as an edge and the cost-free share of it."""

    edge: int
    vertex: int
    """First vertex of the straight piece."""
    share: float
    """Share of the piece, 0 to 1."""
    x: float
    y: float


@dataclass(frozen=True)
class Gap:
    """Two spots that a short link would join."""

    start: Spot
    """Where a street ends."""
    end: Spot
    gap_m: float
    detour_m: float
    """Metres along the streets (>) from one to the other, as far as they were searched."""
    joins: tuple[int, int]
    """Parts of the network (`Network.component`) that it joins, the same one twice where it shortens a way round."""
    repair: Repair


class Found(NamedTuple):
    """Gaps, and how many were left out because the link would cross water or a barrier."""

    gaps: tuple[Gap, ...]
    crossing: int


class _Offers(NamedTuple):
    """Pairs of a spot that may be joined and a piece near it."""

    vertex: Int64
    """Vertex to be joined."""
    edge: Int32
    """Its edge."""
    node: Int64
    """Its node, −1 for the inner vertices of a cut-off part."""
    piece: Int64
    metres: Float
    """Length of the link."""
    along: Float
    """Metres from the start of the piece to where the link would meet it."""

    def at(self, kept: Bool | slice) -> _Offers:
        """Keep some of the pairs."""
        return _Offers(self.vertex[kept], self.edge[kept], self.node[kept], self.piece[kept], self.metres[kept], self.along[kept])


def find_street_gaps(
    streets: Streets,
    network: Network,
    *,
    within_m: float = GAP_M,
    detour_m: float = DETOUR_M,
    barriers: GeoSeries | None = None,
) -> Found:
    """Find ends of streets that do not touch the street beside them, though it is far to walk to.

    An end is looked at where it lies within `within_m` (≤) of a street of its level (ground, bridge, tunnel) that is farther
    than `detour_m` along the streets, or cannot be reached; of a part that is cut off from the rest, every vertex. Where a
    shut gate or wall parts a street nothing is missing, nor anywhere in a part that such a gate closes off. A link that would
    cross another street, water or a barrier is left out.

    Parameters
    ----------
    network
        Built from `streets`; what its mode may not use is no street.
    barriers
        Lines or areas that no link may cross, besides water and the barriers of the network.

    Raises
    ------
    ValueError
        If the network was not built from these streets.
    """
    if not np.isin(network.node_id, streets.node_id).any():
        raise ValueError("the network was not built from these streets; build it again  路网与道路数据不一致，请重新构建")
    start = network.pieces[0]
    xy = np.column_stack([network.vertex_x, network.vertex_y])
    pieces = shapely.linestrings(np.stack([xy[start], xy[start + 1]], axis=1))
    tree = shapely.STRtree(pieces)
    level = _levels(streets, network)
    offers = _offers(streets, network, tree, level, within_m)
    detour = _detours(network, offers, detour_m)
    far = ~(detour <= detour_m)
    chosen = _nearest(network, offers.at(far))
    walls = _walls(streets, network, barriers)
    gaps, crossing, seen = [], 0, set()
    for offer in chosen:
        gap = _gap(streets, network, offer, detour_m)
        if gap is None:
            continue
        key = tuple(sorted([(gap.start.x, gap.start.y), (gap.end.x, gap.end.y)]))
        if key in seen or _crosses_street(network, gap, tree, pieces, level):
            continue
        seen.add(key)
        if _crosses_wall(network, gap, walls):
            crossing += 1
            continue
        gaps.append(gap)
    return Found(tuple(gaps), crossing)


def _levels(streets: Streets, network: Network) -> Int64:
    """Level of each edge: 1 on a bridge, −1 in a tunnel."""
    ways = streets.ways
    level = np.where(ways["bridge"], 1, np.where(ways["tunnel"], -1, 0)).astype(np.int64)
    return level[network.edge_way]


def _offers(streets: Streets, network: Network, tree: shapely.STRtree, level: Int64, within_m: float) -> _Offers:
    """List every spot that may be joined with every piece near it, of its level and not its own."""
    vertex, node = _ends(streets, network)
    slips = _cut_off(streets, network)
    vertex, node = np.concatenate([vertex, slips]), np.concatenate([node, np.full(len(slips), -1)])
    start, edge = network.pieces
    edge_of_vertex = np.repeat(np.arange(len(network.edge_u)), np.diff(network.vertex_ptr))
    spots = shapely.points(network.vertex_x[vertex], network.vertex_y[vertex])
    at, piece = tree.query(spots, predicate="dwithin", distance=within_m + SAME_M / 2)
    own = edge_of_vertex[vertex[at]]
    part = network.component[network.edge_u]
    shut = gated_parts(streets, network)
    apart = ((node[at] >= 0) | (part[own] != part[edge[piece]])) & ~shut[part[own]] & ~shut[part[edge[piece]]]
    touches = (start[piece] == vertex[at]) | (start[piece] + 1 == vertex[at])
    kept = (level[own] == level[edge[piece]]) & apart & ~touches
    at, piece, own = at[kept], piece[kept], own[kept]
    line = tree.geometries[piece]
    metres = np.asarray(shapely.distance(spots[at], line), dtype=np.float64)
    along = np.asarray(shapely.line_locate_point(line, spots[at]), dtype=np.float64)
    return _Offers(vertex[at], own.astype(np.int32), node[at], piece.astype(np.int64), metres, along)


def _ends(streets: Streets, network: Network) -> tuple[Int64, Int64]:
    """Vertices and nodes at which streets end, but for shut gates and what stops only this mode."""
    degree = np.bincount(np.concatenate([network.edge_u, network.edge_v]), minlength=len(network.x))
    loose = (degree == 1) & ~_stops(streets, network)
    by_u, by_v = np.flatnonzero(loose[network.edge_u]), np.flatnonzero(loose[network.edge_v])
    vertex = np.concatenate([network.vertex_ptr[by_u], network.vertex_ptr[by_v + 1] - 1])
    return vertex, np.concatenate([network.edge_u[by_u], network.edge_v[by_v]]).astype(np.int64)


def _gates(streets: Streets) -> Int64:
    """Nodes made where a gate or wall parts a street: they lie at the very spot of another such node."""
    made = np.flatnonzero(streets.node_id < 0)
    order = made[np.lexsort((streets.lat[made], streets.lon[made]))]
    same = (np.diff(streets.lon[order]) == 0) & (np.diff(streets.lat[order]) == 0)
    twin = np.zeros(len(order), dtype=bool)
    twin[1:] |= same
    twin[:-1] |= same
    return streets.node_id[order[twin]]


def gated_parts(streets: Streets, network: Network) -> Bool:
    """Tell which parts of the network, the main ones aside, have a shut gate or wall at an end, shape (components,)."""
    shut = np.zeros(len(network.component_m), dtype=bool)
    shut[network.component[_stops(streets, network)]] = True
    return shut & ~network.main


def _stops(streets: Streets, network: Network) -> Bool:
    """Nodes at which a gate, a wall or what stops only this mode parts a street."""
    stops: Bool = np.isin(network.node_id, _gates(streets)) | ~np.isin(network.node_id, streets.node_id)
    return stops


def _cut_off(streets: Streets, network: Network) -> Int64:
    """Vertices of all parts but the longest, those aside at which a street is parted."""
    cut = np.repeat(network.component[network.edge_u] > 0, np.diff(network.vertex_ptr))
    stops = _stops(streets, network)
    cut[network.vertex_ptr[:-1]] &= ~stops[network.edge_u]
    cut[network.vertex_ptr[1:] - 1] &= ~stops[network.edge_v]
    return np.flatnonzero(cut)


def _detours(network: Network, offers: _Offers, detour_m: float) -> Float:
    """Metres along the streets from each end to the piece near it, infinite beyond `detour_m` and between parts."""
    start, edge = network.pieces
    length = network.length
    detour = np.full(len(offers.piece), np.inf)
    if not len(detour):
        return detour
    target = edge[offers.piece]
    along = length.vertex_f[start[offers.piece]] + offers.along * 1000.0
    beyond = length.edge_f[target] - along
    ends = np.unique(offers.node[offers.node >= 0])
    reached = _around(network, ends, detour_m)
    keys = offers.node.astype(np.int64) * len(network.x)
    for node, rest in ((network.edge_u[target], along), (network.edge_v[target], beyond)):
        detour = np.minimum(detour, reached.get(keys + node, offers.node >= 0) + rest)
    own = (target == offers.edge) & (offers.node >= 0)
    here = length.vertex_f[offers.vertex].astype(np.float64)
    detour[own] = np.minimum(detour, np.abs(along - here))[own]
    return detour / 1000.0


class _Reached(NamedTuple):
    """Costs between pairs of nodes, sorted by ``source × nodes + target``."""

    key: Int64
    cost: Float

    def get(self, key: Int64, asked: Bool) -> Float:
        """Look costs up, infinite where there is none or nothing is asked."""
        at = np.minimum(np.searchsorted(self.key, key), max(len(self.key) - 1, 0))
        known = asked & (self.key[at] == key) if len(self.key) else np.zeros(len(key), dtype=bool)
        return np.where(known, self.cost[at] if len(self.cost) else 0.0, np.inf)


def _around(network: Network, nodes: Int64, limit_m: float) -> _Reached:
    """Search from nodes along the streets to all nodes within some metres."""
    arcs = network.arcs("length", towards=False)
    count = len(nodes)
    seeds = Seeds(np.arange(count + 1), nodes.astype(np.uint32), np.zeros(count, np.uint32), np.arange(count, dtype=np.uint32))
    work = Workspace(arcs, 0, max(1, round(limit_m * 1000)))
    ptr, place, cost = work.nodes(arcs, seeds, 0, count)
    key = np.repeat(nodes, np.diff(ptr)) * len(network.x) + place.astype(np.int64)
    order = np.argsort(key, kind="stable")
    return _Reached(key[order], cost[order].astype(np.float64))


def _nearest(network: Network, offers: _Offers) -> list[_Offers]:
    """Keep the nearest offer of every end, and of every part that is cut off the nearest of all its vertices."""
    part = network.component[network.edge_u[offers.edge]]
    group = np.where(offers.node >= 0, offers.node, len(network.x) + part.astype(np.int64))
    order = np.lexsort((offers.piece, offers.vertex, np.round(offers.metres, 4), group))
    first = order[np.unique(group[order], return_index=True)[1]]
    return [offers.at(slice(at, at + 1)) for at in first.tolist()]


def _gap(streets: Streets, network: Network, offer: _Offers, detour_m: float) -> Gap | None:
    """Work out where the link would run, and write it as a repair; None where a wall has parted the street just there."""
    start, edge = network.pieces
    vertex, piece = int(offer.vertex[0]), int(offer.piece[0])
    first = int(network.vertex_ptr[offer.edge[0]])
    begin = Spot(int(offer.edge[0]), vertex - (vertex > first), float(vertex > first), *_xy(network, vertex))
    a = int(start[piece])
    (ax, ay), (bx, by) = _xy(network, a), _xy(network, a + 1)
    run = max(float(np.hypot(bx - ax, by - ay)), 1e-9)
    share = min(1.0, max(0.0, ((begin.x - ax) * (bx - ax) + (begin.y - ay) * (by - ay)) / run**2))
    share = 0.0 if share * run <= NODE_M else 1.0 if (1 - share) * run <= NODE_M else share
    end = Spot(int(edge[piece]), a, share, ax + share * (bx - ax), ay + share * (by - ay))
    metres = float(np.hypot(end.x - begin.x, end.y - begin.y))
    parts = sorted(int(network.component[network.edge_u[spot.edge]]) for spot in (begin, end))
    repair = _repair(streets, network, vertex, begin, end, metres)
    return None if repair is None else Gap(begin, end, metres, detour_m, (parts[0], parts[1]), repair)


def _xy(network: Network, vertex: int) -> tuple[float, float]:
    return float(network.vertex_x[vertex]), float(network.vertex_y[vertex])


def _repair(streets: Streets, network: Network, vertex: int, begin: Spot, end: Spot, metres: float) -> Repair | None:
    """Name the nodes of the source that the link joins; None where one of them is none of the source's."""
    node = _node_at(streets, network, begin.edge, vertex)
    nodes = [_node_at(streets, network, end.edge, at) for at in (end.vertex, end.vertex + 1)]
    if node < 0 or min(nodes) < 0:
        return None
    following = None if end.share in (0.0, 1.0) else int(streets.node_id[nodes[1]])
    to = nodes[1] if end.share == 1.0 else nodes[0]
    lon, lat = float(streets.lon[to]), float(streets.lat[to])
    if following is not None:
        lon, lat = to_degrees(network.crs, end.x, end.y)
    names = [str(streets.ways["name"].iloc[network.edge_way[spot.edge]]) for spot in (begin, end)]
    return Repair(
        False, int(streets.node_id[node]), int(streets.node_id[to]), following,
        round(float(streets.lon[node]), 9), round(float(streets.lat[node]), 9), round(lon, 9), round(lat, 9), round(metres, 2),
        street=" / ".join(dict.fromkeys(name for name in names if name)),
    )  # fmt: skip


def _node_at(streets: Streets, network: Network, edge: int, vertex: int) -> int:
    """Position in `streets` of the node that a vertex of an edge is, −1 where it is none of theirs."""
    first, last = int(network.vertex_ptr[edge]), int(network.vertex_ptr[edge + 1]) - 1
    wanted = network.node_id[network.edge_u[edge] if vertex == first else network.edge_v[edge]]
    if vertex in (first, last):
        at = np.flatnonzero(streets.node_id == wanted)
        if len(at):
            return int(at[0])
    way = int(network.edge_way[edge])
    if way < len(streets.ways):
        lon, lat = to_degrees(network.crs, *_xy(network, vertex))
        own = streets.way_node[streets.way_ptr[way] : streets.way_ptr[way + 1]]
        away = np.hypot((streets.lon[own] - lon) * np.cos(np.radians(lat)), streets.lat[own] - lat)
        nearest = int(np.argmin(away))
        if away[nearest] < 1e-7:  # about a centimetre
            return int(own[nearest])
    return -1


def to_degrees(crs: str, x: float, y: float) -> tuple[float, float]:
    """Turn a spot in metres into longitude and latitude."""
    lon, lat = _turn(crs).transform(x, y)
    return float(lon), float(lat)


@lru_cache(maxsize=4)
def _turn(crs: str) -> Transformer:
    from pyproj import Transformer

    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def _link(gap: Gap) -> shapely.LineString:
    return shapely.LineString([(gap.start.x, gap.start.y), (gap.end.x, gap.end.y)])


def _crosses_street(network: Network, gap: Gap, tree: shapely.STRtree, pieces: NDArray[np.object_], level: Int64) -> bool:
    """Tell whether another street of its level lies between the two ends of a link."""
    edge = network.pieces[1]
    link = _link(gap)
    ends = shapely.points([gap.start.x, gap.end.x], [gap.start.y, gap.end.y])
    for piece in tree.query(link, predicate="intersects").tolist():
        apart = shapely.distance(ends, pieces[piece]) > SAME_M
        if level[edge[piece]] == level[gap.start.edge] and apart.all():
            return True
    return False


def _crosses_wall(network: Network, gap: Gap, walls: shapely.STRtree | None) -> bool:
    """Tell whether water or a barrier lies between the two ends of a link."""
    if walls is not None and walls.query(_link(gap), predicate="intersects").size:
        return True
    a, b = gap.start, gap.end
    lines = network.barriers
    return lines is not None and bool(lines.cross(*(np.array([value]) for value in (a.x, a.y, b.x, b.y)))[0])


def _walls(streets: Streets, network: Network, barriers: GeoSeries | None) -> shapely.STRtree | None:
    """What no link may cross besides the barriers of the network: water, and the barriers given."""
    areas = [] if not streets.water else list(streets.water_areas(network.crs))
    shapes = [*areas, *([] if barriers is None else barriers.to_crs(network.crs))]
    return shapely.STRtree(shapes) if shapes else None
