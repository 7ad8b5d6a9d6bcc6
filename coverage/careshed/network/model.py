"""Hold streets as arrays in Morton order: junctions, edges, the vertices that shape them, what they cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.display import card, display_language
from careshed.schema import Fault
from careshed.words import pick

if TYPE_CHECKING:
    import networkx as nx
    from geopandas import GeoSeries

    from careshed.modes import Mode
    from careshed.network.barriers import BarrierLines

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

    A position on an edge has a forward offset (cost from the edge's start on to it) and a backward offset (cost from it back
    to the start); both are integers, so the cost between two positions is a plain difference.
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
    top_speed_kmh: float = 0.0
    """The fastest travel on any street, downhill included, km/h."""
    faults: tuple[Fault, ...] = ()
    barriers: BarrierLines | None = None
    """What the legs between places and streets do not cross, None where nothing stands in the way."""
    _made: dict[str, object] = field(default_factory=dict, repr=False, compare=False)
    """Graphs, bins and lattice tiles, made when first needed."""

    def _repr_html_(self) -> str:
        lang = display_language()
        islets = int(np.count_nonzero(~self.main))
        away = float(self.component_m[~self.main].sum()) / 1000.0
        facts = (
            (pick(lang, "方式", "mode"), pick(lang, self.mode.zh, self.mode.en)),
            (pick(lang, "路口", "junctions"), f"{len(self.node_id):,}"),
            (pick(lang, "路段", "edges"), f"{len(self.edge_u):,}"),
            (pick(lang, "总长", "length"), f"{float(self.edge_m.sum()) / 1000.0:,.1f} km"),
            (
                pick(lang, "与主网不连通", "apart from the main network"),
                pick(lang, f"{islets} 片，共 {away:,.1f} km", f"{islets} parts, {away:,.1f} km"),
            ),
            (pick(lang, "接路上限", "snap limit"), f"{self.snap_m:g} m"),
            (pick(lang, "坐标系", "coordinates"), self.crs),
        )
        return card(
            pick(lang, "路网", "Network"), facts, note=pick(lang, self.mode.source_zh or self.mode.source, self.mode.source)
        )

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
        main: Bool = (self.component_m >= MAIN_SHARE * self.component_m.sum()) | (np.arange(len(self.component_m)) == 0)
        return main

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
        graph.add_nodes_from(
            (n, {"x": float(self.x[n]), "y": float(self.y[n]), "osmid": int(self.node_id[n])}) for n in range(len(self.x))
        )
        for edge in range(len(self.edge_u)):
            u, v = int(self.edge_u[edge]), int(self.edge_v[edge])
            ways = (
                (u, v, self.forward, self.time.edge_f, self.length.edge_f),
                (v, u, self.backward, self.time.edge_b, self.length.edge_b),
            )
            for start, end, open_, ms, mm in ways:
                if open_[edge]:
                    graph.add_edge(
                        start, end, edge=edge, time_ms=int(ms[edge]), length_mm=int(mm[edge]), length=float(mm[edge]) / 1000
                    )
        return graph


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
