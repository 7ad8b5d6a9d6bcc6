"""Evaluate the one travel-cost function near facilities: at street pieces, and on the lattice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.isochrones.lattice import TILE, Float, Lattice, Surface
from careshed.network import Costs, Network, attach
from careshed.reach import Direction, Metric, Seeds, Workspace, nearest_labels, seeds_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


Ints = NDArray[np.integer[Any]]


class PieceReach(NamedTuple):
    """Street pieces in reach of some facilities, with what their ends cost; see `_kernels.paint_tile`."""

    piece: Ints
    near_a: Float
    near_b: Float
    cost_f: Float
    cost_b: Float
    own_ptr: Ints
    own_share: Float
    own_leg: Float


class Field:
    """Everything needed to evaluate the travel-cost function near facilities, for one metric and direction."""

    def __init__(self, network: Network, facilities: GeoDataFrame, metric: Metric, direction: Direction, options: int) -> None:
        self.network, self.metric = network, metric
        self.towards = direction == "to_facility"
        self.costs: Costs = network.costs(metric)
        self.attached = attach(network, facilities, options=options)
        f, b, leg = self.attached.offsets(network, metric)
        self.offset_f, self.offset_b, self.leg = f.astype(np.float64), b.astype(np.float64), leg.astype(np.float64)
        self.option_ptr = np.searchsorted(self.attached.place, np.arange(len(facilities) + 1))
        self.seeds: Seeds = seeds_of(network, metric, self.attached, towards=self.towards)
        self.arcs = network.arcs(metric, towards=self.towards)
        start, edge = network.pieces
        self.first_piece = np.searchsorted(edge, np.arange(len(network.edge_u) + 1))
        self.slot = np.full(len(start), -1, np.int32)
        self.touched = np.zeros(len(network.edge_u), dtype=bool)
        self.node_cost = np.full(len(network.x), np.inf)
        self._edges_at: tuple[Ints, Ints] | None = None

    def edges_at(self, nodes: Ints, more: Ints) -> Ints:
        """List the edges that touch any of the nodes, and some `more`, ascending."""
        if self._edges_at is None:
            ends = np.concatenate([self.network.edge_u, self.network.edge_v])
            order = np.argsort(ends, kind="stable")
            ptr = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=len(self.network.x)))])
            self._edges_at = ptr, order % len(self.network.edge_u)
        ptr, edges = self._edges_at
        self.touched[edges[ranges(ptr[nodes], ptr[nodes + 1])]] = True
        self.touched[more] = True
        found = np.flatnonzero(self.touched)  # a fifth of the time of sorting them
        self.touched[found] = False
        return found

    def reach(self, nodes: Ints, cost: Float, options: Ints, limit: float) -> PieceReach:
        """Cost at the ends of every piece within `limit`, from the node costs and the facilities' own `options`."""
        network, attached = self.network, self.attached
        start, edge_of = network.pieces
        edges = self.edges_at(nodes, attached.edge[options])
        piece = ranges(self.first_piece[edges], self.first_piece[edges + 1])
        self.node_cost[nodes] = cost
        a, edge = start[piece], edge_of[piece]
        near_a, near_b = self._at_vertex(a, edge), self._at_vertex(a + 1, edge)
        self.node_cost[nodes] = np.inf
        self._along_own_edge(piece, near_a, near_b, options)
        kept = np.minimum(near_a, near_b) <= limit
        kept[np.searchsorted(piece, attached.piece[options])] = True
        piece, a, near_a, near_b = piece[kept], a[kept], near_a[kept], near_b[kept]
        edge = edge_of[piece]
        f, b = self.costs.vertex_f, self.costs.vertex_b
        ahead = np.where(network.forward[edge], (f[a + 1] - f[a]).astype(np.float64), np.inf)
        back = np.where(network.backward[edge], (b[a + 1] - b[a]).astype(np.float64), np.inf)
        cost_f, cost_b = (ahead, back) if self.towards else (back, ahead)
        return PieceReach(piece, near_a, near_b, cost_f, cost_b, *self._own(piece, options))

    def _at_vertex(self, vertex: Ints, edge: Ints) -> Float:
        """Cost at vertices by way of the two ends of their edge."""
        network, costs = self.network, self.costs
        f, b = costs.vertex_f[vertex].astype(np.float64), costs.vertex_b[vertex].astype(np.float64)
        to_u, to_v = b, costs.edge_f[edge] - f
        open_u, open_v = network.backward[edge], network.forward[edge]
        if not self.towards:
            to_u, to_v = f, costs.edge_b[edge] - b
            open_u, open_v = network.forward[edge], network.backward[edge]
        open_u, open_v = open_u | (to_u == 0), open_v | (to_v == 0)
        by_u = np.where(open_u, self.node_cost[network.edge_u[edge]] + to_u, np.inf)
        by_v = np.where(open_v, self.node_cost[network.edge_v[edge]] + to_v, np.inf)
        return np.minimum(by_u, by_v)

    def _along_own_edge(self, piece: Ints, near_a: Float, near_b: Float, options: Ints) -> None:
        """Lower the cost at vertices of the facilities' own edges by the way along the edge."""
        network, attached = self.network, self.attached
        edge = attached.edge[options]
        first, last = np.searchsorted(piece, self.first_piece[edge]), np.searchsorted(piece, self.first_piece[edge + 1])
        at, own = ranges(first, last), options[np.repeat(np.arange(len(options)), last - first)]
        start = network.pieces[0][piece[at]]
        np.minimum.at(near_a, at, self._along(own, start))
        np.minimum.at(near_b, at, self._along(own, start + 1))

    def _along(self, option: Ints, vertex: Ints) -> Float:
        """Cost between facility options and vertices of the same edge, along it; infinite where closed."""
        network, edge = self.network, self.attached.edge[option]
        f = self.costs.vertex_f[vertex].astype(np.float64) - self.offset_f[option]
        b = self.costs.vertex_b[vertex].astype(np.float64) - self.offset_b[option]
        if self.towards:
            f, b = -f, -b
        ahead = np.where(network.forward[edge] & (f >= 0), f, np.inf)
        back = np.where(network.backward[edge] & (b <= 0), -b, np.inf)
        return np.minimum(ahead, back) + self.leg[option]

    def _own(self, piece: Ints, options: Ints) -> tuple[Ints, Float, Float]:
        """Facilities on each piece: CSR of piece × option, their share along the piece and their leg."""
        attached = self.attached
        slot = np.searchsorted(piece, attached.piece[options])
        order = np.argsort(slot, kind="stable")
        ptr = np.concatenate([[0], np.cumsum(np.bincount(slot, minlength=len(piece)))]).astype(np.int64)
        mine = options[order]
        return ptr, attached.share[mine], self.leg[mine]

    def paint(self, lattice: Lattice, reach: PieceReach) -> Surface:
        """Evaluate the travel cost on the lattice around the pieces in reach, with a rim of one point that nothing reaches."""
        from careshed import _kernels

        step = lattice.step
        first_row, last_row, first_column, last_column = self._window(lattice, reach)
        shape = (last_row - first_row, last_column - first_column)
        out = np.full(shape, np.inf, np.float32)
        self.slot[reach.piece] = np.arange(len(reach.piece), dtype=np.int32)
        for tile_row in range(max(0, first_row // TILE), (last_row - 1) // TILE + 1):
            for tile_column in range(max(0, first_column // TILE), (last_column - 1) // TILE + 1):
                tile = lattice.tile(tile_row, tile_column)
                if tile is None:
                    continue
                r0, c0 = max(0, first_row - tile_row * TILE), max(0, first_column - tile_column * TILE)
                r1, c1 = min(TILE, last_row - tile_row * TILE), min(TILE, last_column - tile_column * TILE)
                top, left = tile_row * TILE + r0 - first_row, tile_column * TILE + c0 - first_column
                _kernels.paint_tile(
                    *tile, self.costs.per_metre, self.slot, reach.near_a, reach.near_b, reach.cost_f, reach.cost_b,
                    reach.own_ptr, reach.own_share, reach.own_leg, out, r0, r1, c0, c1, top, left,
                )  # fmt: skip
        self.slot[reach.piece] = -1
        return Surface(lattice.x0 + first_column * step, lattice.y1 - first_row * step, step, out, self.costs.per_metre)

    def _window(self, lattice: Lattice, reach: PieceReach) -> tuple[int, int, int, int]:
        """Rows and columns of the lattice that the pieces in reach may touch, first and one past the last, with a rim."""
        network, step, snap = self.network, lattice.step, self.network.snap_m
        a = network.pieces[0][reach.piece]
        x = np.concatenate([network.vertex_x[a], network.vertex_x[a + 1]])
        y = np.concatenate([network.vertex_y[a], network.vertex_y[a + 1]])
        return (
            int((lattice.y1 - y.max() - snap) / step) - 2,
            int((lattice.y1 - y.min() + snap) / step) + 3,
            int((x.min() - snap - lattice.x0) / step) - 2,
            int((x.max() + snap - lattice.x0) / step) + 3,
        )

    def alone(self, limit: int) -> Iterator[tuple[int, PieceReach]]:
        """Search from each facility by itself; facilities that join no street are passed over."""
        work = Workspace(self.arcs, 0, limit)
        for row in range(self.attached.places):
            options = np.arange(self.option_ptr[row], self.option_ptr[row + 1])
            if not len(options):
                continue
            _, nodes, cost = work.nodes(self.arcs, self.seeds, row, row + 1)
            yield row, self.reach(nodes.astype(np.int64), cost.astype(np.float64), options, float(limit))

    def together(self, limit: int) -> PieceReach | None:
        """Search from all facilities at once; None where none of them joins a street."""
        if not len(self.seeds.node):
            return None
        label = nearest_labels(self.arcs, self.seeds)
        cost = (label >> np.uint64(32)).astype(np.float64)
        nodes = np.flatnonzero(cost <= limit)
        return self.reach(nodes, cost[nodes], np.arange(len(self.attached.place)), float(limit))


def ranges(first: Ints, last: Ints) -> Ints:
    """String together ``arange(first, last)`` of every pair."""
    count = last - first
    return np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())
