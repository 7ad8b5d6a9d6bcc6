"""Draw who can be reached: the travel-cost function as polygons, street lines and a surface, each with its certificate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.network import HALF_MM, Costs, Network, attach, nearest_pieces
from careshed.reach import Direction, Metric, Seeds, Workspace, cost_limit, nearest_labels, seeds_of

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame
    from shapely import MultiPolygon

TILE: Final = 256
"""Lattice points along a side of a tile."""

CACHE_BYTES: Final = 256 * 2**20
"""Lattice tiles kept at a time, bytes; the least recently used are dropped and made again when needed."""

POINT_BYTES: Final = 12
"""Memory of a lattice point: piece (int32), share along it and leg (float32)."""

FINEST_STEP_M: Final = 5.0
STEPS_TO_LIMIT: Final = 400
"""The lattice grows coarser with the limit, so that a facility's window stays near this many points a side."""

CERTIFICATE_M: Final = 15.0
"""Distance between the street points at which a polygon is checked, metres."""

Float32 = NDArray[np.float32]
Float = NDArray[np.float64]


class Tile(NamedTuple):
    """Lattice points of one square: nearest street piece (−1 beyond the snap limit), share along it, straight leg in metres."""

    piece: NDArray[np.int32]
    share: Float32
    leg: Float32


class Lattice:
    """A square lattice over a network: where each of its points joins the streets, in tiles made when first needed.

    The lattice holds positions, not times, so one lattice serves every facility and every limit. Points lie at the centres of squares of
    side `step`, rows run south from ``y1``, columns east from ``x0``.
    """

    def __init__(self, network: Network, step_m: float) -> None:
        snap = network.snap_m
        self.network, self.step = network, step_m
        self.x0 = np.floor((network.vertex_x.min() - snap) / step_m) * step_m
        self.y1 = np.ceil((network.vertex_y.max() + snap) / step_m) * step_m
        self.columns = int((network.vertex_x.max() + snap - self.x0) / step_m) + 1
        self.rows = int((self.y1 - network.vertex_y.min() + snap) / step_m) + 1
        self._tiles: dict[tuple[int, int], Tile | None] = {}

    def tile(self, row: int, column: int) -> Tile | None:
        """Give a tile, None where no street is near; rows and columns count tiles."""
        key = (row, column)
        if key in self._tiles:
            self._tiles[key] = self._tiles.pop(key)
        else:
            self._tiles[key] = self._make(row, column)
            self._forget()
        return self._tiles[key]

    @property
    def bytes(self) -> int:
        """Memory of the tiles kept, bytes."""
        return sum(TILE * TILE * POINT_BYTES for tile in self._tiles.values() if tile is not None)

    def _forget(self) -> None:
        while self.bytes > CACHE_BYTES:
            del self._tiles[next(key for key, tile in self._tiles.items() if tile is not None)]

    def _make(self, row: int, column: int) -> Tile | None:
        from careshed import _kernels

        network, side = self.network, TILE * self.step
        x0, y1 = self.x0 + column * side, self.y1 - row * side
        start, _ = network.pieces
        tile = Tile(
            np.full((TILE, TILE), -1, np.int32), np.zeros((TILE, TILE), np.float32), np.full((TILE, TILE), np.inf, np.float32)
        )
        proper, slips = network.bins
        snap = network.snap_m + HALF_MM
        window = (x0 - snap, y1 - side - snap, x0 + side + snap, y1 + snap)
        x, y = network.vertex_x, network.vertex_y
        _kernels.fill_tile(x, y, start, near_pieces(proper, window), x0, y1, self.step, *tile, snap)
        last = near_pieces(slips, window)
        if len(last):
            alone = Tile(tile.piece.copy(), tile.share.copy(), np.full((TILE, TILE), np.inf, np.float32))
            _kernels.fill_tile(x, y, start, last, x0, y1, self.step, *alone, snap)
            free = (tile.piece < 0) & (alone.piece >= 0)
            for kept, fallback in zip(tile, alone, strict=True):
                kept[free] = fallback[free]
        return tile if (tile.piece >= 0).any() else None


def near_pieces(bins: object, window: tuple[float, float, float, float]) -> NDArray[np.int32]:
    """List the street pieces binned inside a window (west, south, east, north), ascending."""
    ptr, piece, x0, y0, size, columns, rows = bins  # type: ignore[misc]
    c0, c1 = max(0, int((window[0] - x0) / size)), min(columns - 1, int((window[2] - x0) / size))
    r0, r1 = max(0, int((window[1] - y0) / size)), min(rows - 1, int((window[3] - y0) / size))
    if window[2] < x0 or window[3] < y0 or c0 > c1 or r0 > r1:
        return np.empty(0, np.int32)
    parts = [piece[ptr[r * columns + c0] : ptr[r * columns + c1 + 1]] for r in range(r0, r1 + 1)]
    return np.unique(np.concatenate(parts))


def lattice_of(network: Network, step_m: float) -> Lattice:
    """Give the network's lattice of a step, kept with the network once made."""
    key = f"lattice {step_m}"
    if key not in network._made:
        network._made[key] = Lattice(network, step_m)
    return network._made[key]  # type: ignore[return-value]


def step_for(limit_m: float) -> float:
    """Choose the lattice step for a limit, metres: 5 m up to 1 km of reach, coarser beyond.

    >>> step_for(900.0), step_for(2400.0)
    (5.0, 12.0)
    """
    return float(max(FINEST_STEP_M, np.ceil(2 * limit_m / STEPS_TO_LIMIT)))


@dataclass(frozen=True)
class Surface:
    """Travel cost on lattice points of a window: the one function that cells and polygons share."""

    x0: float
    """West edge of the window, metres."""
    y1: float
    """North edge of the window, metres."""
    step_m: float
    cost: Float32
    """Cost at the centre of each square, milliseconds or millimetres, infinite where not reached; rows run south."""
    per_metre: float
    """Cost of a metre of straight leg."""


class _Reach(NamedTuple):
    """Street pieces in reach of some facilities, with what their ends cost; see `_kernels.paint_tile`."""

    piece: NDArray[np.int64]
    near_a: Float
    near_b: Float
    cost_f: Float
    cost_b: Float
    own_ptr: NDArray[np.int64]
    own_share: Float
    own_leg: Float


class _Field:
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
        self.node_cost = np.full(len(network.x), np.inf)
        self._edges_at: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    def edges_at(self, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
        """List the edges that touch any of the nodes, ascending."""
        if self._edges_at is None:
            ends = np.concatenate([self.network.edge_u, self.network.edge_v])
            order = np.argsort(ends, kind="stable")
            ptr = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=len(self.network.x)))])
            self._edges_at = ptr, order % len(self.network.edge_u)
        ptr, edges = self._edges_at
        return np.unique(edges[_ranges(ptr[nodes], ptr[nodes + 1])])

    def reach(self, nodes: NDArray[np.int64], cost: Float, options: NDArray[np.int64], limit: float) -> _Reach:
        """Cost at the ends of every piece within `limit`, from the node costs and the facilities' own `options`."""
        network, attached = self.network, self.attached
        start, edge_of = network.pieces
        edges = np.union1d(self.edges_at(nodes), attached.edge[options])
        piece = _ranges(self.first_piece[edges], self.first_piece[edges + 1])
        self.node_cost[nodes] = cost
        a, edge = start[piece], edge_of[piece]
        near_a, near_b = self._at_vertex(a, edge), self._at_vertex(a + 1, edge)
        self.node_cost[nodes] = np.inf
        self._along_own_edge(piece, near_a, near_b, options)
        kept = np.minimum(near_a, near_b) <= limit
        kept |= np.isin(piece, attached.piece[options])
        piece, a, near_a, near_b = piece[kept], a[kept], near_a[kept], near_b[kept]
        edge = edge_of[piece]
        f, b = self.costs.vertex_f, self.costs.vertex_b
        ahead = np.where(network.forward[edge], (f[a + 1] - f[a]).astype(np.float64), np.inf)
        back = np.where(network.backward[edge], (b[a + 1] - b[a]).astype(np.float64), np.inf)
        cost_f, cost_b = (ahead, back) if self.towards else (back, ahead)
        return _Reach(piece, near_a, near_b, cost_f, cost_b, *self._own(piece, options))

    def _at_vertex(self, vertex: NDArray[np.int64], edge: NDArray[np.int32]) -> Float:
        """Cost at vertices by way of the two ends of their edge."""
        network, costs = self.network, self.costs
        f, b = costs.vertex_f[vertex].astype(np.float64), costs.vertex_b[vertex].astype(np.float64)
        to_u, to_v = b, costs.edge_f[edge] - f
        open_u, open_v = network.backward[edge], network.forward[edge]
        if not self.towards:
            to_u, to_v = f, costs.edge_b[edge] - b
            open_u, open_v = network.forward[edge], network.backward[edge]
        by_u = np.where(open_u, self.node_cost[network.edge_u[edge]] + to_u, np.inf)
        by_v = np.where(open_v, self.node_cost[network.edge_v[edge]] + to_v, np.inf)
        return np.minimum(by_u, by_v)

    def _along_own_edge(self, piece: NDArray[np.int64], near_a: Float, near_b: Float, options: NDArray[np.int64]) -> None:
        """Lower the cost at vertices of the facilities' own edges by the way along the edge."""
        network, attached = self.network, self.attached
        edge = attached.edge[options]
        first, last = np.searchsorted(piece, self.first_piece[edge]), np.searchsorted(piece, self.first_piece[edge + 1])
        at, own = _ranges(first, last), options[np.repeat(np.arange(len(options)), last - first)]
        start = network.pieces[0][piece[at]]
        np.minimum.at(near_a, at, self._along(own, start))
        np.minimum.at(near_b, at, self._along(own, start + 1))

    def _along(self, option: NDArray[np.int64], vertex: NDArray[np.int64]) -> Float:
        """Cost between facility options and vertices of the same edge, along it; infinite where closed."""
        network, edge = self.network, self.attached.edge[option]
        f = self.costs.vertex_f[vertex].astype(np.float64) - self.offset_f[option]
        b = self.costs.vertex_b[vertex].astype(np.float64) - self.offset_b[option]
        if self.towards:
            f, b = -f, -b
        ahead = np.where(network.forward[edge] & (f >= 0), f, np.inf)
        back = np.where(network.backward[edge] & (b <= 0), -b, np.inf)
        return np.minimum(ahead, back) + self.leg[option]

    def _own(self, piece: NDArray[np.int64], options: NDArray[np.int64]) -> tuple[NDArray[np.int64], Float, Float]:
        """Facilities on each piece: CSR of piece × option, their share along the piece and their leg."""
        attached = self.attached
        slot = np.searchsorted(piece, attached.piece[options])
        order = np.argsort(slot, kind="stable")
        ptr = np.concatenate([[0], np.cumsum(np.bincount(slot, minlength=len(piece)))]).astype(np.int64)
        mine = options[order]
        return ptr, attached.share[mine], self.leg[mine]

    def paint(self, lattice: Lattice, reach: _Reach) -> Surface:
        """Evaluate the travel cost on the lattice around the pieces in reach, with a rim of one point that nothing reaches."""
        from careshed import _kernels

        network, step = self.network, lattice.step
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
        return Surface(
            lattice.x0 + first_column * step, lattice.y1 - first_row * step, step, out, self.costs.per_metre
        )

    def _window(self, lattice: Lattice, reach: _Reach) -> tuple[int, int, int, int]:
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

    def alone(self, limit: int) -> Iterator[tuple[int, _Reach]]:
        """Search from each facility by itself; facilities that join no street are passed over."""
        from careshed import _kernels

        work = Workspace(self.arcs, 0, limit)
        for row in range(self.attached.places):
            options = np.arange(self.option_ptr[row], self.option_ptr[row + 1])
            if not len(options):
                continue
            ptr = self.seeds.ptr[row : row + 2]
            _, nodes, cost = work.run(
                lambda ptr=ptr: _kernels.reach_nodes(
                    *self.arcs, ptr, self.seeds.node, self.seeds.cost, work.limit, work.known, work.stamp, work.shift,
                    work.head, work.entry, work.link, work.found,
                ),
                1,
            )  # fmt: skip
            yield row, self.reach(nodes.astype(np.int64), cost.astype(np.float64), options, float(limit))

    def together(self, limit: int) -> _Reach | None:
        """Search from all facilities at once; None where none of them joins a street."""
        if not len(self.seeds.node):
            return None
        label = nearest_labels(self.arcs, self.seeds)
        cost = (label >> np.uint64(32)).astype(np.float64)
        nodes = np.flatnonzero(cost <= limit)
        return self.reach(nodes, cost[nodes], np.arange(len(self.attached.place)), float(limit))


def _ranges(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """String together ``arange(first, last)`` of every pair."""
    count = last - first
    return np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())


def level_set(surface: Surface, limit: int) -> MultiPolygon:
    """Outline where the travel cost is within `limit` (≤), holes included.

    Between lattice points the outline runs where the cost, interpolated, meets the limit. Where the cost jumps (the next point belongs to
    another street or to none) it runs half-way: differences beyond one step's leg are cut off before interpolating.
    """
    import contourpy
    import shapely

    most = surface.step_m * surface.per_metre * np.sqrt(2.0)
    rows, columns = _cropped(surface.cost <= limit)
    level = np.clip(surface.cost[rows, columns].astype(np.float64) - limit, -most, most)
    x = surface.x0 + (np.arange(columns.start, columns.stop) + 0.5) * surface.step_m
    y = surface.y1 - (np.arange(rows.start, rows.stop) + 0.5) * surface.step_m
    outlines, offsets = contourpy.contour_generator(x, y, level, fill_type="OuterOffset").filled(-2 * most, 0.0)
    polygons = [
        shapely.Polygon(points[cuts[0] : cuts[1]], [points[a:b] for a, b in zip(cuts[1:-1], cuts[2:], strict=True)])
        for points, cuts in zip(outlines, offsets, strict=True)
    ]
    shape = shapely.multipolygons(polygons)
    return shape if shape.is_valid else shapely.multipolygons(shapely.get_parts(shapely.make_valid(shape)))


def _cropped(inside: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns that hold all points inside, with a rim of one point."""
    spans = []
    for axis in (1, 0):
        at = np.flatnonzero(inside.any(axis=axis))
        spans.append(slice(max(0, int(at[0]) - 1), int(at[-1]) + 2) if len(at) else slice(0, 2))
    return spans[0], spans[1]


def _limits(
    minutes: Sequence[float] | None, metres: Sequence[float] | None
) -> tuple[Metric, str, list[float], list[int]]:
    """Give the metric, the name and values of the limits ascending, and as integer costs."""
    if (minutes is None) == (metres is None):
        raise ValueError("give the limits either as minutes or as metres")
    if minutes is not None:
        values = sorted(set(map(float, minutes)))
        return "time", "minutes", values, [cost_limit(minutes=value) for value in values]
    values = sorted(set(map(float, metres or ())))
    return "length", "metres", values, [cost_limit(metres=value) for value in values]


def isochrones(
    network: Network,
    facilities: GeoDataFrame,
    *,
    minutes: Sequence[float] | None = None,
    metres: Sequence[float] | None = None,
    direction: Direction = "to_facility",
    options: int = 1,
    step_m: float | None = None,
) -> GeoDataFrame:
    """Draw the area from which each facility is reached within each limit, facility by facility.

    The polygons are level sets of the travel-cost function by which cells are judged: leg to the nearest street plus the cheapest way along
    the streets, parts of edges included, holes kept. They differ from it by at most a lattice step; `certify` measures by how much.

    Parameters
    ----------
    minutes, metres
        Limits (≤), of travel or of street; one of the two.
    step_m
        Lattice step in metres; 5 m up to 1 km of reach and coarser beyond if None.

    Returns
    -------
    GeoDataFrame
        One row a facility and limit, the limits cumulative (15 minutes contain 10); columns ``facility_id``, ``minutes`` or ``metres``,
        ``area_m2``, geometry MultiPolygon. A facility that joins no street has empty polygons.
    """
    metric, name, values, limits = _limits(minutes, metres)
    field = _Field(network, facilities, metric, direction, options)
    lattice = lattice_of(network, step_m or step_for(_metres(network, metric, limits[-1])))
    shapes: dict[int, list[MultiPolygon]] = {}
    for row, reach in field.alone(limits[-1]):
        surface = field.paint(lattice, reach)
        shapes[row] = [level_set(surface, limit) for limit in limits]
    return _as_table(facilities.index, range(len(facilities)), shapes, name, values, network.crs)


def merged_isochrones(
    network: Network,
    facilities: GeoDataFrame,
    *,
    minutes: Sequence[float] | None = None,
    metres: Sequence[float] | None = None,
    direction: Direction = "to_facility",
    options: int = 1,
    step_m: float | None = None,
) -> GeoDataFrame:
    """Draw the area from which any facility is reached within each limit: one row a limit; see `isochrones`."""
    import geopandas as gpd
    import shapely

    metric, name, values, limits = _limits(minutes, metres)
    found = surface(
        network, facilities, minutes=values[-1] if metric == "time" else None, metres=values[-1] if metric == "length" else None,
        direction=direction, options=options, step_m=step_m,
    )  # fmt: skip
    shapes = [shapely.MultiPolygon() if found is None else level_set(found, limit) for limit in limits]
    return gpd.GeoDataFrame({name: values, "area_m2": shapely.area(shapes)}, geometry=shapes, crs=network.crs)


def _as_table(
    index: pd.Index[str], rows: range, shapes: dict[int, list[MultiPolygon]], name: str, values: list[float], crs: str
) -> GeoDataFrame:
    import geopandas as gpd
    import shapely

    empty = [shapely.MultiPolygon()] * len(values)
    flat = [shape for row in rows for shape in shapes.get(row, empty)]
    columns = {"facility_id": np.repeat(index.to_numpy(), len(values)), name: values * len(rows), "area_m2": shapely.area(flat)}
    return gpd.GeoDataFrame(columns, geometry=flat, crs=crs)


def _metres(network: Network, metric: Metric, limit: int) -> float:
    """How far a limit reaches along the streets, metres."""
    return limit / 1000.0 if metric == "length" else limit / 3600.0 * network.mode.speed_kmh


MOST_POINTS: Final = 16_000_000
"""Lattice points of a surface over the whole network; its step grows to keep within them."""


def surface(
    network: Network,
    facilities: GeoDataFrame,
    *,
    minutes: float | None = None,
    metres: float | None = None,
    direction: Direction = "to_facility",
    options: int = 1,
    step_m: float | None = None,
) -> Surface | None:
    """Give the travel cost to the nearest facility on a lattice, up to a limit; None where no facility joins a street."""
    metric: Metric = "time" if metres is None else "length"
    limit = cost_limit(minutes=minutes, metres=metres)
    field = _Field(network, facilities, metric, direction, options)
    reach = field.together(limit)
    if reach is None:
        return None
    area = float(np.ptp(network.vertex_x) + 2 * network.snap_m) * float(np.ptp(network.vertex_y) + 2 * network.snap_m)
    step = max(step_for(_metres(network, metric, limit)), float(np.ceil(np.sqrt(area / MOST_POINTS))))
    return field.paint(lattice_of(network, step_m or step), reach)


def reached_streets(
    network: Network,
    facilities: GeoDataFrame,
    *,
    minutes: Sequence[float] | None = None,
    metres: Sequence[float] | None = None,
    direction: Direction = "to_facility",
    options: int = 1,
) -> GeoDataFrame:
    """Draw the streets from which any facility is reached within each limit, to the metre along each edge.

    Returns
    -------
    GeoDataFrame
        One row a limit, cumulative; columns ``minutes`` or ``metres``, ``length_m``; geometry MultiLineString.
    """
    import geopandas as gpd
    import shapely

    metric, name, values, limits = _limits(minutes, metres)
    field = _Field(network, facilities, metric, direction, options)
    reach = field.together(limits[-1])
    lines = [shapely.MultiLineString() if reach is None else _reached_part(network, reach, limit) for limit in limits]
    return gpd.GeoDataFrame({name: values, "length_m": shapely.length(lines)}, geometry=lines, crs=network.crs)


def _reached_part(network: Network, reach: _Reach, limit: int) -> object:
    """Join the stretches of all pieces that are within `limit`: from either end, and around facilities on the piece."""
    import shapely

    count = len(reach.piece)
    own = np.repeat(np.arange(count), np.diff(reach.own_ptr))
    with np.errstate(invalid="ignore", divide="ignore"):
        from_a = np.clip(_stretch(limit - reach.near_a, reach.cost_b), 0.0, 1.0)
        from_b = 1.0 - np.clip(_stretch(limit - reach.near_b, reach.cost_f), 0.0, 1.0)
        spare = limit - reach.own_leg
        low = np.clip(reach.own_share - _stretch(spare, reach.cost_f[own]), 0.0, 1.0)
        high = np.clip(reach.own_share + _stretch(spare, reach.cost_b[own]), 0.0, 1.0)
    piece = np.concatenate([np.arange(count), np.arange(count), own])
    start, end = np.concatenate([np.zeros(count), from_b, low]), np.concatenate([from_a, np.ones(count), high])
    piece, start, end = _joined(piece[end > start], start[end > start], end[end > start])
    a = network.pieces[0][reach.piece[piece]]
    x, y = network.vertex_x, network.vertex_y
    ends = [np.column_stack([x[a] + share * (x[a + 1] - x[a]), y[a] + share * (y[a + 1] - y[a])]) for share in (start, end)]
    return shapely.line_merge(shapely.multilinestrings(shapely.linestrings(np.stack(ends, axis=1))))


def _joined(piece: NDArray[np.int64], start: Float, end: Float) -> tuple[NDArray[np.int64], Float, Float]:
    """Join overlapping stretches of the same piece.

    >>> [part.tolist() for part in _joined(np.array([0, 0, 1]), np.array([0.5, 0.0, 0.0]), np.array([1.0, 0.6, 0.2]))]
    [[0, 1], [0.0, 0.0], [1.0, 0.2]]
    """
    order = np.lexsort((start, piece))
    piece, start, end = piece[order], start[order], end[order]
    furthest = np.maximum.accumulate(end + 2.0 * piece)
    fresh = np.concatenate([[True], start[1:] + 2.0 * piece[1:] > furthest[:-1]])[: len(piece)]
    last = np.append(np.flatnonzero(fresh)[1:], len(piece)) - 1
    return piece[fresh], start[fresh], furthest[last] - 2.0 * piece[last]


def _stretch(spare: Float, cost: Float) -> Float:
    """Share of a piece that a spare cost pays for: all of it where it costs nothing, none where nothing is spare."""
    share = np.where(cost > 0, spare / cost, 1.0)
    return np.where(spare < 0, 0.0, np.nan_to_num(share, nan=0.0, posinf=1.0))


@dataclass(frozen=True)
class Certificate:
    """How far a polygon and the travel costs it stands for disagree, measured along the streets."""

    limit: float
    """Minutes or metres, as the polygon's."""
    inside_m: float
    """Street inside the polygon, metres."""
    inside_beyond_m: float
    """Street inside the polygon that lies beyond the limit, metres."""
    reachable_m: float
    """Street within the limit, metres."""
    outside_reachable_m: float
    """Street within the limit that the polygon leaves out, metres."""

    @property
    def inside_beyond(self) -> float:
        """Share of the street inside that is beyond the limit, 0 where nothing is inside."""
        return self.inside_beyond_m / self.inside_m if self.inside_m else 0.0

    @property
    def outside_reachable(self) -> float:
        """Share of the reachable street that is left out, 0 where nothing is reachable."""
        return self.outside_reachable_m / self.reachable_m if self.reachable_m else 0.0


def certify(
    network: Network,
    facilities: GeoDataFrame,
    polygons: GeoDataFrame,
    *,
    direction: Direction = "to_facility",
    options: int = 1,
    every_m: float = CERTIFICATE_M,
) -> list[Certificate]:
    """Measure how true isochrone polygons are, on street points every 15 m: one certificate a polygon, in order.

    Parameters
    ----------
    polygons
        What `isochrones` or `merged_isochrones` gave for the same facilities; any other polygons with ``minutes`` or ``metres`` may be
        measured too.
    """
    name = "minutes" if "minutes" in polygons else "metres"
    metric: Metric = "time" if name == "minutes" else "length"
    field = _Field(network, facilities, metric, direction, options)
    limits = [cost_limit(**{name: float(value)}) for value in polygons[name]]
    most = max(limits, default=1)
    points = _StreetPoints(network, every_m)
    if "facility_id" in polygons:
        costs = {row: reach for row, reach in field.alone(most)}
        rows = facilities.index.get_indexer(polygons["facility_id"])
        reaches = [costs.get(int(row)) for row in rows]
    else:
        reaches = [field.together(most)] * len(limits)
    return [
        points.certificate(value, limit, shape, reach, field.costs.per_metre)
        for value, limit, shape, reach in zip(polygons[name], limits, polygons.geometry, reaches, strict=True)
    ]


class _StreetPoints:
    """Points along all streets, each standing for an equal stretch, and where each joins the network.

    A point joins the piece it lies on, without a leg. A point on a fragment is a location like any other: it joins the next street of the
    network proper if one is within the snap limit.
    """

    def __init__(self, network: Network, every_m: float) -> None:
        start, edge = network.pieces
        x, y = network.vertex_x, network.vertex_y
        length = np.hypot(x[start + 1] - x[start], y[start + 1] - y[start])
        count = np.maximum(1, np.ceil(length / every_m).astype(np.int64))
        piece = np.repeat(np.arange(len(start)), count)
        at = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        share = (at + 0.5) / count[piece]
        a = start[piece]
        px, py = x[a] + share * (x[a + 1] - x[a]), y[a] + share * (y[a + 1] - y[a])
        leg_m = np.zeros(len(piece))
        slip = np.flatnonzero(network.fragment[network.component[network.edge_u]][edge[piece]])
        metres = (length / count)[piece]
        if len(slip):
            found, where, far = nearest_pieces(network, np.column_stack([px[slip], py[slip]]), 1)
            piece[slip], share[slip], leg_m[slip] = found[:, 0], where[:, 0], far[:, 0]
        order = np.argsort(piece, kind="stable")
        self.share, self.leg_m, self.metres = share[order], leg_m[order], metres[order]
        self.x, self.y = px[order], py[order]
        self.ptr = np.searchsorted(piece[order], np.arange(len(start) + 1))

    def cost(self, reach: _Reach | None, per_metre: float) -> Float:
        """Travel cost at every point, infinite out of reach; `per_metre` is the cost of a metre of leg."""
        cost = np.full(len(self.x), np.inf)
        if reach is None:
            return cost
        at = _ranges(self.ptr[reach.piece], self.ptr[reach.piece + 1])
        k = np.repeat(np.arange(len(reach.piece)), np.diff(self.ptr)[reach.piece])
        share = self.share[at]
        cost[at] = np.minimum(reach.near_a[k] + share * reach.cost_b[k], reach.near_b[k] + (1 - share) * reach.cost_f[k])
        own = np.repeat(np.arange(len(reach.piece)), np.diff(reach.own_ptr))
        for option, k0 in enumerate(own):
            mine = slice(self.ptr[reach.piece[k0]], self.ptr[reach.piece[k0] + 1])
            ahead = reach.own_share[option] - self.share[mine]
            with np.errstate(invalid="ignore"):
                along = np.where(ahead > 0, ahead * reach.cost_f[k0], -ahead * reach.cost_b[k0])
            cost[mine] = np.fmin(cost[mine], along + reach.own_leg[option])
        return cost + self.leg_m * per_metre

    def certificate(self, value: float, limit: int, shape: MultiPolygon, reach: _Reach | None, per_metre: float) -> Certificate:
        """Compare one polygon with the costs."""
        import shapely

        shapely.prepare(shape)
        west, south, east, north = shape.bounds if not shape.is_empty else (0.0, 0.0, -1.0, -1.0)
        inside = (self.x >= west) & (self.x <= east) & (self.y >= south) & (self.y <= north)
        inside[inside] = shapely.contains_xy(shape, self.x[inside], self.y[inside])
        reachable = self.cost(reach, per_metre) <= limit
        metres = self.metres
        return Certificate(
            limit=float(value),
            inside_m=float(metres[inside].sum()),
            inside_beyond_m=float(metres[inside & ~reachable].sum()),
            reachable_m=float(metres[reachable].sum()),
            outside_reachable_m=float(metres[reachable & ~inside].sum()),
        )
