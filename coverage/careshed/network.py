"""Turn streets into arrays that can be searched, and join places to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.schema import Fault, InputError

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    from geopandas import GeoDataFrame, GeoSeries

    from careshed.intake.streets import Streets
    from careshed.modes import Mode

DEFAULT_SNAP_M: Final = 150.0
"""Metres within which a place joins a street: one and a half cells of 100 m."""

FRAGMENT_M: Final = 1000.0
"""Streets cut off from all others and shorter than this in total are mostly slips of the map, such as the paths of a park drawn a
metre short of the street: a place joins them only where no other street is within the snap limit."""

HALF_MM: Final = 0.0005
"""Added to the snap limit, so that legs are compared as whole millimetres and the limit itself counts."""

MAIN_SHARE: Final = 0.05
"""A piece of the network with at least this share of all street length is part of the main network, not an islet."""

BIN_M: Final = 100.0
MOST_BINS: Final = 4_000_000

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
UInt32 = NDArray[np.uint32]
UInt64 = NDArray[np.uint64]
Float = NDArray[np.float64]
Bool = NDArray[np.bool_]


class Arcs(NamedTuple):
    """A searchable graph: CSR of node × arc, each arc ``cost << 32 | node``."""

    ptr: UInt32
    arc: UInt64


class Bins(NamedTuple):
    """Street pieces sorted into square bins, for nearest-street look-ups."""

    ptr: Int64
    piece: Int32
    x0: float
    y0: float
    size: float
    columns: int
    rows: int


@dataclass(frozen=True)
class Costs:
    """What it costs to travel the edges under one metric, milliseconds or millimetres.

    A position on an edge has a forward offset (cost from the edge's start on to it) and a backward offset (cost from it back to the
    start); both are integers, so the cost between two positions is a plain difference.
    """

    vertex_f: UInt32
    """Forward offset of every vertex, shape (vertices,)."""
    vertex_b: UInt32
    """Backward offset of every vertex, shape (vertices,)."""
    edge_f: UInt32
    """Cost of the whole edge from start to end, shape (edges,)."""
    edge_b: UInt32
    """Cost of the whole edge from end to start, shape (edges,)."""
    per_metre: float
    """Cost of a metre of leg between a place and its street."""


@dataclass(frozen=True)
class Network:
    """Streets for one mode of travel: junctions in Morton order, edges between them, the vertices that shape the edges."""

    mode: Mode
    crs: str
    """Projected coordinate system, metres."""
    snap_m: float
    """A place farther than this from every street joins none, metres."""
    node_id: Int64
    """Ids of the junctions in the source, shape (nodes,)."""
    x: Float
    y: Float
    edge_u: Int32
    """Start of each edge, position among the nodes, shape (edges,)."""
    edge_v: Int32
    edge_way: Int32
    """Row of the way in ``streets.ways`` that each edge is part of."""
    forward: Bool
    """Whether the edge may be travelled from start to end."""
    backward: Bool
    vertex_ptr: Int64
    """Where the vertices of each edge start, shape (edges + 1,)."""
    vertex_x: Float
    vertex_y: Float
    time: Costs
    """Milliseconds of travel."""
    length: Costs
    """Millimetres of street."""
    component: Int32
    """Which connected part of the network each node belongs to, the longest first, shape (nodes,)."""
    component_m: Float
    """Street length of each part, metres."""
    faults: tuple[Fault, ...] = ()
    _made: dict[str, object] = field(default_factory=dict, repr=False, compare=False)
    """Graphs, bins and lattice tiles, made when first needed."""

    @property
    def edge_m(self) -> Float:
        """Length of each edge, metres."""
        return self.length.edge_f / 1000.0

    @property
    def fragment(self) -> Bool:
        """Parts of the network so short that a place joins them last, shape (components,)."""
        return (self.component_m < FRAGMENT_M) & (np.arange(len(self.component_m)) > 0)

    @property
    def main(self) -> Bool:
        """Parts of the network that are no islets, shape (components,)."""
        return (self.component_m >= MAIN_SHARE * self.component_m.sum()) | (np.arange(len(self.component_m)) == 0)

    @property
    def pieces(self) -> tuple[Int32, Int32]:
        """Straight pieces of all edges: the first vertex of each and its edge, both ascending."""
        if "pieces" not in self._made:
            self._made["pieces"] = _pieces(self)
        return self._made["pieces"]  # type: ignore[return-value]

    @property
    def bins(self) -> tuple[Bins, Bins]:
        """The pieces sorted into bins: those of the network proper, and those of fragments."""
        if "bins" not in self._made:
            slip = self.fragment[self.component[self.edge_u]][self.pieces[1]]
            self._made["bins"] = (_bins(self, ~slip), _bins(self, slip))
        return self._made["bins"]  # type: ignore[return-value]

    def costs(self, metric: str) -> Costs:
        """Give the costs under a metric, ``"time"`` or ``"length"``."""
        return self.time if metric == "time" else self.length

    def arcs(self, metric: str, *, towards: bool) -> Arcs:
        """Give the graph to search from facilities: reversed if people travel towards them."""
        key = f"arcs {metric} {towards}"
        if key not in self._made:
            self._made[key] = _arcs(self, self.costs(metric), towards)
        return self._made[key]  # type: ignore[return-value]

    def edge_lines(self) -> GeoSeries:
        """Draw the edges as lines, in order, in the network's CRS."""
        import geopandas as gpd
        import shapely

        which = np.repeat(np.arange(len(self.edge_u)), np.diff(self.vertex_ptr))
        lines = shapely.linestrings(np.column_stack([self.vertex_x, self.vertex_y]), indices=which)
        return gpd.GeoSeries(lines, crs=self.crs)

    def to_networkx(self) -> nx.MultiDiGraph:
        """Hand the network to NetworkX or OSMnx: nodes with ``x``, ``y``; edges with ``time_ms``, ``length_mm``, ``length``."""
        import networkx as nx

        graph = nx.MultiDiGraph(crs=self.crs, mode=self.mode.name)
        graph.add_nodes_from((n, {"x": float(self.x[n]), "y": float(self.y[n]), "osmid": int(self.node_id[n])}) for n in range(len(self.x)))
        for edge in range(len(self.edge_u)):
            u, v = int(self.edge_u[edge]), int(self.edge_v[edge])
            ways = ((u, v, self.forward, self.time.edge_f, self.length.edge_f), (v, u, self.backward, self.time.edge_b, self.length.edge_b))
            for start, end, open_, ms, mm in ways:
                if open_[edge]:
                    graph.add_edge(start, end, edge=edge, time_ms=int(ms[edge]), length_mm=int(mm[edge]), length=float(mm[edge]) / 1000)
        return graph


@dataclass(frozen=True)
class Attached:
    """Where places join the network: one or more options each, ordered by place."""

    places: int
    """Number of places."""
    place: Int32
    """Position of the place that each option belongs to, ascending, shape (options,)."""
    edge: Int32
    """Edge joined, shape (options,)."""
    x: Float
    """Foot point on the street, metres."""
    y: Float
    piece: Int32
    """Straight piece joined, position among ``network.pieces``."""
    share: Float
    """Share of the piece at which the foot point lies, 0 to 1."""
    leg_m: Float
    """Straight leg between place and street, metres."""
    fault: NDArray[np.str_]
    """``"far"`` where a place joins no street, else ``""``, shape (places,)."""

    def offsets(self, network: Network, metric: str) -> tuple[UInt32, UInt32, UInt32]:
        """Give forward offset, backward offset and leg of every option as integer costs."""
        costs = network.costs(metric)
        start = network.pieces[0][self.piece]
        return (
            _between(costs.vertex_f, start, self.share),
            _between(costs.vertex_b, start, self.share),
            np.rint(self.leg_m * costs.per_metre).astype(np.uint32),
        )


def _between(vertex: UInt32, start: Int32, share: Float) -> UInt32:
    """Round the offset of a point on a piece to an integer between those of its ends."""
    first = vertex[start].astype(np.float64)
    return np.rint(first + share * (vertex[start + 1] - first)).astype(np.uint32)


def build_network(streets: Streets, *, mode: Mode, crs: str | None = None, snap_m: float = DEFAULT_SNAP_M) -> Network:
    """Build the network that people of one mode travel.

    Parameters
    ----------
    streets
        Ways as mapped, degrees.
    mode
        Speeds and permitted ways.
    crs
        Projected coordinate system in metres; the UTM zone of the streets if None.
    snap_m
        Metres within which a place joins a street; a larger distance leaves it unattached.

    Returns
    -------
    Network
        Junctions are the ends of ways and nodes shared by several; every edge is part of one way. Lengths are planar in `crs`.

    Raises
    ------
    InputError
        If no way may be travelled in this mode, or `crs` is in degrees.
    """
    crs = utm_zone(streets) if crs is None else crs
    usable = (streets.ways["walk_forward"] | streets.ways["walk_backward"]).to_numpy()
    if not mode.uses_steps:
        usable = usable & ~streets.ways["steps"].to_numpy()
    if not usable.any():
        zh, en = "没有可供该出行方式通行的道路", f"no way may be travelled by mode {mode.name!r}"
        raise InputError([Fault("no_walkable_street", streets.source, zh, en, "请核对街道文件和出行方式", "check the street file and the mode")])
    x, y = _project(streets, crs)
    edges = _split_ways(streets, usable)
    return _assemble(streets, mode, crs, snap_m, x, y, edges)


def utm_zone(streets: Streets) -> str:
    """Name the UTM zone in which the streets lie, as an authority code."""
    from pyproj.aoi import AreaOfInterest
    from pyproj.database import query_utm_crs_info

    west, south, east, north = streets.bounds_lonlat()
    lon, lat = (west + east) / 2, (south + north) / 2
    found = query_utm_crs_info(datum_name="WGS 84", area_of_interest=AreaOfInterest(lon, lat, lon, lat))
    return f"EPSG:{found[0].code}"


def _project(streets: Streets, crs: str) -> tuple[Float, Float]:
    from pyproj import CRS, Transformer

    if not CRS.from_user_input(crs).is_projected:
        zh, en = "计算坐标系必须是以米为单位的投影坐标系", "the working CRS must be projected, in metres"
        cure = ("请填写如 EPSG:32650，或删去该行以自动选择", "give one such as EPSG:32650, or leave it out to have it chosen")
        raise InputError([Fault("crs_in_degrees", "study.toml", zh, en, *cure, column="study.crs", found=crs)])
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(streets.lon, streets.lat)
    return np.asarray(x), np.asarray(y)


class _Edges(NamedTuple):
    """Runs of way nodes between junctions: first and last position in ``way_node`` (inclusive), and the way."""

    first: Int64
    last: Int64
    way: Int64


def _split_ways(streets: Streets, usable: Bool) -> _Edges:
    """Cut the usable ways at their ends and wherever another way, or the same one again, passes through the node."""
    way_of = np.repeat(np.arange(len(usable)), np.diff(streets.way_ptr))
    kept = usable[way_of]
    uses = np.bincount(streets.way_node[kept], minlength=len(streets.node_id))
    key = uses[streets.way_node] > 1
    key[streets.way_ptr[:-1]] = True
    key[streets.way_ptr[1:] - 1] = True
    at = np.flatnonzero(key & kept)
    same = way_of[at[:-1]] == way_of[at[1:]]
    return _Edges(at[:-1][same], at[1:][same], way_of[at[:-1][same]])


def _assemble(streets: Streets, mode: Mode, crs: str, snap_m: float, x: Float, y: Float, edges: _Edges) -> Network:
    """Lay nodes out in Morton order, edges along them, vertices along the edges, with costs and connected parts."""
    ends = np.column_stack([streets.way_node[edges.first], streets.way_node[edges.last]])
    used = np.unique(ends)
    used = used[np.argsort(morton(x[used], y[used]), kind="stable")]
    place = np.full(len(x), -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    u, v = place[ends[:, 0]], place[ends[:, 1]]
    order = np.lexsort((edges.first, np.maximum(u, v), np.minimum(u, v)))
    first, last, way = edges.first[order], edges.last[order], edges.way[order]
    u, v = u[order].astype(np.int32), v[order].astype(np.int32)
    ptr = np.concatenate([[0], np.cumsum(last - first + 1)])
    vertex = streets.way_node[np.repeat(first - ptr[:-1], np.diff(ptr)) + np.arange(ptr[-1])]
    vx, vy = x[vertex], y[vertex]
    steps = streets.ways["steps"].to_numpy()[way]
    time, length = _edge_costs(vx, vy, ptr, steps, mode)
    component, component_m = _components(len(used), u, v, length)
    network = Network(
        mode=mode,
        crs=crs,
        snap_m=snap_m,
        node_id=streets.node_id[used],
        x=x[used],
        y=y[used],
        edge_u=u,
        edge_v=v,
        edge_way=way.astype(np.int32),
        forward=streets.ways["walk_forward"].to_numpy()[way],
        backward=streets.ways["walk_backward"].to_numpy()[way],
        vertex_ptr=ptr,
        vertex_x=vx,
        vertex_y=vy,
        time=time,
        length=length,
        component=component,
        component_m=component_m,
    )
    return replace(network, faults=tuple(_told(network, streets.source)))


def morton(x: Float, y: Float) -> UInt64:
    """Number points along a Morton (Z-order) curve, so that neighbours on the ground are neighbours in memory.

    >>> morton(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])).argsort().tolist()
    [0, 1, 2, 3]
    """
    code = np.zeros(len(x), dtype=np.uint64)
    for shift, values in ((0, x), (1, y)):
        span = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
        part = ((values - values.min()) / span * (2**31 - 1)).astype(np.uint64)
        for width, mask in _SPREAD:
            part = (part | (part << np.uint64(width))) & np.uint64(mask)
        code |= part << np.uint64(shift)
    return code


_SPREAD: Final = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)
"""Steps that spread 32 bits over the even bits of 64."""


def _edge_costs(vx: Float, vy: Float, ptr: Int64, steps: Bool, mode: Mode) -> tuple[Costs, Costs]:
    """Add up time and length along the vertices of every edge, as integers."""
    metres = np.hypot(np.diff(vx, prepend=vx[:1]), np.diff(vy, prepend=vy[:1]))
    metres[ptr[:-1]] = 0.0
    seconds = metres / (mode.speed_kmh / 3.6) * np.repeat(np.where(steps, mode.steps_factor, 1.0), np.diff(ptr))
    return (
        _symmetric(seconds * 1000.0, ptr, 3600.0 / mode.leg_speed_kmh),
        _symmetric(metres * 1000.0, ptr, 1000.0),
    )


def _symmetric(step: Float, ptr: Int64, per_metre: float) -> Costs:
    """Offsets of vertices from per-vertex steps that cost the same both ways."""
    total = np.cumsum(step)
    offset = np.rint(total - np.repeat(total[ptr[:-1]], np.diff(ptr))).astype(np.uint32)
    whole = offset[ptr[1:] - 1]
    return Costs(offset, offset, whole, whole, per_metre)


def _components(nodes: int, u: Int32, v: Int32, length: Costs) -> tuple[Int32, Float]:
    """Number the connected parts of the network, the longest first."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    joined = coo_array((np.ones(len(u), dtype=np.int8), (u, v)), shape=(nodes, nodes))
    count, label = connected_components(joined.tocsr(), directed=False)
    metres = np.bincount(label[u], weights=length.edge_f / 1000.0, minlength=count)
    order = np.argsort(-metres, kind="stable")
    rank = np.empty(count, dtype=np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    return rank[label], metres[order]


def _told(network: Network, source: str) -> list[Fault]:
    """Say which parts of the network are cut off."""
    told = []
    fragment = network.fragment
    islet = ~network.main & ~fragment
    if fragment.any():
        count, metres = int(fragment.sum()), float(network.component_m[fragment].sum())
        zh = f"{count} 段孤立短路（各不足 {FRAGMENT_M:.0f} 米，共 {metres:.0f} 米）不与路网相连；限距内另有街道时不接入这些短路"
        en = (
            f"{count} fragments of street (each under {FRAGMENT_M:.0f} m, {metres:.0f} m in all) join no other street; "
            "places join the next street if one is within the snap limit"
        )
        told.append(Fault("fragment", source, zh, en, severity="noted"))
    if islet.any():
        count, metres = int(islet.sum()), float(network.component_m[islet].sum())
        zh = f"{count} 片孤立路网（共 {metres / 1000:.1f} 公里）与主路网之间没有步行通道"
        en = f"{count} islets of streets ({metres / 1000:.1f} km in all) have no walkable way to the main network"
        told.append(Fault("islet", source, zh, en, severity="noted"))
    return told


def _pieces(network: Network) -> tuple[Int32, Int32]:
    """List the straight pieces of all edges."""
    edge = np.repeat(np.arange(len(network.edge_u), dtype=np.int32), np.diff(network.vertex_ptr))
    last = np.zeros(len(edge), dtype=bool)
    last[network.vertex_ptr[1:] - 1] = True
    return np.flatnonzero(~last).astype(np.int32), edge[~last]


def _bins(network: Network, kept: Bool) -> Bins:
    from careshed import _kernels

    x, y, (start, _) = network.vertex_x, network.vertex_y, network.pieces
    x0, y0 = float(x.min()), float(y.min())
    width, height = float(np.ptp(x)), float(np.ptp(y))
    size = max(BIN_M, float(np.sqrt(width * height / MOST_BINS)))
    columns, rows = int(width / size) + 1, int(height / size) + 1
    which = np.flatnonzero(kept).astype(np.int32)
    ptr, piece = _kernels.bin_pieces(which, x, y, start, x0, y0, size, columns, rows)
    return Bins(ptr, piece, x0, y0, size, columns, rows)


def _arcs(network: Network, costs: Costs, towards: bool) -> Arcs:
    """Pack arcs by the node a search stands on: the arc's far node and what the traveller pays for it."""
    f, b = network.forward, network.backward
    u, v = network.edge_u, network.edge_v
    at = np.concatenate([v[f], u[b]] if towards else [u[f], v[b]])
    to = np.concatenate([u[f], v[b]] if towards else [v[f], u[b]])
    return pack_arcs(len(network.x), at, to, np.concatenate([costs.edge_f[f], costs.edge_b[b]]))


def pack_arcs(nodes: int, at: Int32, to: Int32, cost: UInt32) -> Arcs:
    """Pack arcs into CSR by the node they leave, ``cost << 32 | target``, targets ascending within a node."""
    order = np.lexsort((cost, to, at))
    ptr = np.zeros(nodes + 1, dtype=np.uint32)
    ptr[1:] = np.cumsum(np.bincount(at, minlength=nodes))
    return Arcs(ptr, (cost[order].astype(np.uint64) << np.uint64(32)) | to[order].astype(np.uint64))


def attach(network: Network, places: GeoDataFrame, *, options: int = 1) -> Attached:
    """Join places to the nearest streets, at the foot point on the edge and not at a junction.

    Parameters
    ----------
    places
        Points, or MultiPoints where a place has several entrances; each entrance joins on its own. In the network's CRS.
    options
        How many of the nearest edges each entrance may use.

    Returns
    -------
    Attached
        A place farther than ``network.snap_m`` from every street has no option and the fault ``"far"``.

    Raises
    ------
    ValueError
        If `places` is in another CRS or `options` is below 1.
    """
    import shapely

    if options < 1:
        raise ValueError(f"options must be at least 1, not {options}")
    if places.crs is None or places.crs != network.crs:
        raise ValueError(f"places are in {places.crs}, the network in {network.crs}; convert them with to_crs first")
    xy, place = shapely.get_coordinates(places.geometry.to_numpy(), return_index=True)
    piece, share, metres = nearest_pieces(network, xy, options)
    found = piece >= 0
    row = np.nonzero(found)[0]
    piece, share = piece[found], share[found]
    start, edge = network.pieces
    a = start[piece]
    fault = np.full(len(places), "far", dtype="<U5")
    fault[place[row]] = ""
    return Attached(
        places=len(places),
        place=place[row].astype(np.int32),
        edge=edge[piece],
        x=network.vertex_x[a] + share * (network.vertex_x[a + 1] - network.vertex_x[a]),
        y=network.vertex_y[a] + share * (network.vertex_y[a + 1] - network.vertex_y[a]),
        piece=piece,
        share=share,
        leg_m=metres[found],
        fault=fault,
    )


def nearest_pieces(network: Network, xy: Float, options: int) -> tuple[Int32, Float, Float]:
    """Find the nearest pieces of the network proper, and of fragments for points that have none of those in reach.

    Returns
    -------
    tuple
        Pieces of the `options` nearest edges, nearest first, −1 where there is none within the snap limit; the share along each; its distance in
        metres. All of shape (points, options).
    """
    from careshed import _kernels

    start, edge = network.pieces
    proper, slips = network.bins

    def look(points: Float, bins: Bins) -> tuple[Int32, Float, Float]:
        px, py = points[:, 0].copy(), points[:, 1].copy()
        found = _kernels.nearest_pieces(px, py, network.snap_m + HALF_MM, options, network.vertex_x, network.vertex_y, start, edge, *bins)
        return found  # type: ignore[no-any-return]

    piece, share, metres = look(xy, proper)
    alone = np.flatnonzero(piece[:, 0] < 0)
    if len(alone) and len(slips.piece):
        piece[alone], share[alone], metres[alone] = look(xy[alone], slips)
    return piece, share, metres


def attachment_table(network: Network, places: GeoDataFrame, attached: Attached) -> pd.DataFrame:
    """Tabulate where places join the streets: one row a place, its nearest option, ``leg_m`` NaN where it joins none."""
    import pandas as pd

    first = np.unique(attached.place, return_index=True)[1]
    rows = attached.place[first]
    leg = np.full(attached.places, np.nan)
    leg[rows] = np.minimum.reduceat(attached.leg_m, first) if len(first) else attached.leg_m
    part = np.full(attached.places, -1)
    part[rows] = network.component[network.edge_u[attached.edge[first]]]
    return pd.DataFrame({"leg_m": leg, "component": part, "fault": attached.fault}, index=places.index)
