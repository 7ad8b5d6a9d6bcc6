"""Evaluate the travel cost point by point, slowly and by other means than careshed's lattice, to compare isochrones with.

What is shared with careshed is the data (edges, their vertices, which way they may be walked) and the definition: a location
joins the nearest street within the snap limit, fragments of street only where there is no other; its cost is its own leg, the
cheapest way along the streets and the facility's leg, or the way along the one edge that both join.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    from careshed.network import Network

FRAGMENT_M = 1000.0
"""Streets that join no others and measure less in all are joined last."""

Float = NDArray[np.float64]
Int = NDArray[np.int64]


class Joined(NamedTuple):
    """Where points join the streets."""

    piece: Int
    """Straight piece of street, −1 where none is within the snap limit."""
    share: Float
    """Share of the piece at which the foot point lies."""
    leg: Float
    """Distance to it, metres, infinite where there is none."""


class BruteForce:
    """The streets of a network as segments and a NetworkX graph in metres."""

    def __init__(self, network: Network) -> None:
        self.snap = network.snap_m
        edge = np.repeat(np.arange(len(network.edge_u)), np.diff(network.vertex_ptr))
        first = np.flatnonzero(edge[:-1] == edge[1:])
        xy = np.column_stack([network.vertex_x, network.vertex_y])
        self.a, self.b, self.edge = xy[first], xy[first + 1], edge[first]
        length = np.hypot(*(self.b - self.a).T)
        before = np.concatenate([[0.0], np.cumsum(length)])
        start = np.searchsorted(self.edge, np.arange(len(network.edge_u) + 1))
        self.length, self.offset = length, before[:-1] - before[start[self.edge]]
        self.edge_m = before[start[1:]] - before[start[:-1]]
        self.u, self.v = network.edge_u, network.edge_v
        self.forward, self.backward = network.forward, network.backward
        self.graph = self._reversed_graph()
        self.slip = self._fragments()
        segments = shapely.linestrings(np.stack([self.a, self.b], axis=1))
        self.trees = [(np.flatnonzero(kind), shapely.STRtree(segments[kind])) for kind in (~self.slip, self.slip)]

    def _reversed_graph(self) -> nx.MultiDiGraph:
        """Streets against the direction of travel, since people walk to the facility and the search starts there."""
        graph = nx.MultiDiGraph()
        for u, v, metres, f, b in zip(
            self.u.tolist(), self.v.tolist(), self.edge_m.tolist(), self.forward.tolist(), self.backward.tolist(), strict=True
        ):
            if f:
                graph.add_edge(v, u, metres=metres)
            if b:
                graph.add_edge(u, v, metres=metres)
        return graph

    def _fragments(self) -> NDArray[np.bool_]:
        """Tell which pieces belong to fragments."""
        parts = list(nx.weakly_connected_components(self.graph))
        part_of = {node: number for number, part in enumerate(parts) for node in part}
        of_edge = np.array([part_of[u] for u in self.u.tolist()])
        metres = np.bincount(of_edge, weights=self.edge_m, minlength=len(parts))
        short = (metres < FRAGMENT_M) & (metres < metres.max())
        return np.asarray(short[of_edge[self.edge]])

    def join(self, x: Float, y: Float) -> Joined:
        """Join the points of a regular grid, its columns at `x` and its rows at `y`: every piece against every point near it."""
        proper, slips = (self._join(np.flatnonzero(self.slip == slip), x, y) for slip in (False, True))
        alone = proper.piece < 0
        return Joined(*(np.where(alone, last, first) for first, last in zip(proper, slips, strict=True)))

    def _join(self, pieces: Int, x: Float, y: Float) -> Joined:
        shape = (len(y), len(x))
        found = Joined(np.full(shape, -1), np.zeros(shape), np.full(shape, np.inf))
        low, high = np.minimum(self.a, self.b) - self.snap, np.maximum(self.a, self.b) + self.snap
        near = (high[pieces] >= [x[0], y[0]]).all(axis=1) & (low[pieces] <= [x[-1], y[-1]]).all(axis=1)
        for piece in pieces[near]:
            c0, c1 = np.searchsorted(x, [low[piece, 0], high[piece, 0]])
            r0, r1 = np.searchsorted(y, [low[piece, 1], high[piece, 1]])
            window = np.s_[r0:r1, c0:c1]
            share, leg = self._foot(piece, x[None, c0:c1], y[r0:r1, None])
            better = (leg <= self.snap) & (leg < found.leg[window])
            for array, value in zip(found, (piece, share, leg), strict=True):
                array[window] = np.where(better, value, array[window])
        return found

    def _foot(self, piece: int, x: Float, y: Float) -> tuple[Float, Float]:
        (ax, ay), (dx, dy) = self.a[piece], self.b[piece] - self.a[piece]
        share = np.clip(((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-12), 0.0, 1.0)
        return share, np.hypot(x - ax - share * dx, y - ay - share * dy)

    def nearest(self, x: float, y: float) -> tuple[int, float, float]:
        """Join one point by shapely's search tree: the piece, the share along it, the leg; piece −1 where there is none."""
        for pieces, tree in self.trees:
            near = tree.query_nearest(shapely.Point(x, y), max_distance=self.snap)
            if len(near):
                piece = int(pieces[near.min()])
                share, leg = self._foot(piece, np.array(x), np.array(y))
                return piece, float(share), float(leg)
        return -1, 0.0, np.inf

    def costs(self, facility: tuple[float, float], joined: Joined, limit: float) -> Float:
        """Travel cost in metres from points to a facility, infinite beyond the limit."""
        piece, share, leg = self.nearest(*facility)
        if piece < 0:
            return np.full(joined.leg.shape, np.inf)
        edge, at = int(self.edge[piece]), self.offset[piece] + share * self.length[piece]
        reached = self._nodes(edge, at, leg, limit)
        here = np.maximum(joined.piece, 0)
        on, spot = self.edge[here], self.offset[here] + joined.share * self.length[here]
        by_u = np.where(self.backward[on], reached[self.u[on]] + spot, np.inf)
        by_v = np.where(self.forward[on], reached[self.v[on]] + self.edge_m[on] - spot, np.inf)
        ahead = np.where((on == edge) & self.forward[edge] & (at >= spot), at - spot + leg, np.inf)
        back = np.where((on == edge) & self.backward[edge] & (at <= spot), spot - at + leg, np.inf)
        cost = np.minimum.reduce([by_u, by_v, ahead, back]) + joined.leg
        return np.where((joined.piece >= 0) & (cost <= limit), cost, np.inf)

    def _nodes(self, edge: int, at: float, leg: float, limit: float) -> Float:
        """Cost from every junction to a facility at a position on an edge."""
        reached = np.full(int(max(self.u.max(), self.v.max())) + 1, np.inf)
        starts = []
        if self.forward[edge]:
            starts.append((int(self.u[edge]), at + leg))
        if self.backward[edge]:
            starts.append((int(self.v[edge]), self.edge_m[edge] - at + leg))
        for node, spent in starts:
            if spent <= limit:
                found = nx.single_source_dijkstra_path_length(self.graph, node, cutoff=limit - spent, weight="metres")
                for other, metres in found.items():
                    reached[other] = min(reached[other], metres + spent)
        return reached

    def street_points(self, centre: tuple[float, float], radius: float, every: float) -> tuple[Joined, Float]:
        """Points along the streets around a place, joined where they lie, and where they lie, shape (points, 2).

        Points on fragments join the next other street, if there is one: they are locations like any other.
        """
        middle = (self.a + self.b) / 2
        near = np.flatnonzero(np.hypot(*(middle - centre).T) <= radius + self.length)
        count = np.maximum(1, np.ceil(self.length[near] / every)).astype(int)
        piece = np.repeat(near, count)
        share = np.concatenate([(np.arange(n) + 0.5) / n for n in count])
        xy = self.a[piece] + share[:, None] * (self.b - self.a)[piece]
        leg = np.zeros(len(piece))
        for point in np.flatnonzero(self.slip[piece]):
            piece[point], share[point], leg[point] = self.nearest(*xy[point])
        return Joined(piece, share, leg), xy
