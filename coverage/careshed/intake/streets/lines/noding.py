"""Join lines into a network: where ends meet, where an end meets a line, and where lines of one level cross."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

SAME_M: Final = 0.001
"""Spots closer than this are one spot: coordinates are written to the millimetre at best."""

Joint = Literal["ends_joined", "end_joined_to_line", "end_at_vertex", "crossing"]


class Lines(NamedTuple):
    """Lines as arrays, metres."""

    x: Float
    y: Float
    ptr: Int
    """Where the vertices of each line start, shape (lines + 1,)."""
    level: Int
    """0 on the ground, above for bridges, below for tunnels; lines of unlike levels cross without meeting, shape (lines,)."""
    fresh: Bool
    """Lines to be joined with all others; lines that are not fresh keep what they are joined with, shape (lines,)."""
    known: Int
    """Node of each vertex in the source, −1 where the source knows none: vertices of one node are joined, shape (vertices,)."""


@dataclass(frozen=True)
class Noded:
    """Lines with a vertex wherever they meet, and which vertices are one node."""

    x: Float
    """Of nodes, metres, shape (nodes,)."""
    y: Float
    known: Int
    """Node in the source, −1 for new ones, shape (nodes,)."""
    ptr: Int
    """Where the nodes of each line start, shape (lines + 1,)."""
    node: Int
    """Nodes along the lines."""
    repairs: pd.DataFrame
    """Every joint that the source does not have: ``kind`` (`Joint`), ``line``, ``other``, ``x``, ``y``, ``gap_m``."""


def node_lines(lines: Lines, *, tolerance_m: float, crossings: bool) -> Noded:
    """Join lines where they meet.

    Vertices at one spot are one node where they belong to one level, where both are ends (a bridge starts on the ground), or
    where one is an end that meets nothing else (a stair that ends on a bridge). Ends within the tolerance of each other are
    joined, then ends that are still loose with the nearest line of their level within it (T-junctions); ends that meet only each
    other are loose too, such as those of two side streets on both sides of a road that is drawn through. Lines of one level
    that cross are joined at the crossing if asked; lines that cross themselves likewise.

    Parameters
    ----------
    tolerance_m
        Metres (≤); 0 joins only what meets to the millimetre.
    crossings
        Whether lines of one level that cross without a common vertex meet there. If not, the layer is taken for noded: every
        vertex that two lines share joins them, whatever their levels.
    """
    spots = _Spots(lines)
    spots.same_spots(by_level=crossings)
    spots.near_ends(tolerance_m)
    shapes = np.asarray(shapely.linestrings(np.column_stack([lines.x, lines.y]), indices=spots.line_of_vertex), dtype=object)
    tree = shapely.STRtree(shapes)
    if crossings:
        spots.crossings(shapes, tree)
    spots.ends_on_lines(shapes, tree, tolerance_m)
    if crossings:
        spots.pairs_on_lines(shapes, tree, tolerance_m)
    return spots.noded()


class _Spots:
    """Spots along lines, own vertices first, then those inserted; and which spots are one."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        counts = np.diff(lines.ptr)
        self.line_of_vertex: Int = np.repeat(np.arange(len(counts)), counts)
        step = np.hypot(np.diff(lines.x, prepend=lines.x[:1]), np.diff(lines.y, prepend=lines.y[:1]))
        step[lines.ptr[:-1]] = 0.0
        total = np.cumsum(step)
        self.along: Float = total - np.repeat(total[lines.ptr[:-1]], counts)
        self.first, self.last = lines.ptr[:-1], lines.ptr[1:] - 1
        self.length: Float = self.along[self.last]
        self.new_line: list[int] = []
        self.new_along: list[float] = []
        self.new_xy: list[tuple[float, float]] = []
        self.there: dict[tuple[int, int], int] = {}
        """(line, millimetres along) -> spot inserted there."""
        self.one: list[tuple[int, int]] = []
        self.repairs: list[tuple[Joint, int, int, float, float, float]] = []

    def same_spots(self, *, by_level: bool) -> None:
        """Join vertices at one spot (of one level), and ends at one spot; lines that are not fresh only as the source does."""
        lines = self.lines
        fresh = lines.fresh[self.line_of_vertex]
        known = np.flatnonzero(lines.known >= 0)
        order = known[np.argsort(lines.known[known], kind="stable")]
        same = lines.known[order[1:]] == lines.known[order[:-1]]
        self.one += list(zip(order[:-1][same].tolist(), order[1:][same].tolist(), strict=True))
        level = lines.level[self.line_of_vertex] * by_level
        end = np.zeros(len(lines.x), dtype=bool)
        end[self.first] = end[self.last] = True
        ground, everywhere = np.zeros_like(level), np.arange(len(end))
        count = self._join_equal(everywhere, level, fresh)
        if by_level:
            self._tell_tees(end, level, fresh)
        self._join_equal(np.flatnonzero(end), ground, fresh)
        self._join_equal(everywhere, ground, fresh & end & (count == 1))

    def _join_equal(self, vertices: Int, level: Int, leads: Bool) -> Int:
        """Join vertices at one spot and level wherever one of them leads; give how many there are at the spot of each."""
        x, y = (np.rint(values[vertices] / SAME_M).astype(np.int64) for values in (self.lines.x, self.lines.y))
        order = np.lexsort((~leads[vertices], level[vertices], y, x))
        at = vertices[order]
        same = (np.diff(x[order]) == 0) & (np.diff(y[order]) == 0) & (np.diff(level[at]) == 0)
        group = np.cumsum(np.concatenate([[True], ~same])) - 1
        leader = at[np.flatnonzero(np.concatenate([[True], ~same]))][group]
        wanted = leads[leader] & (at != leader)
        self.one += list(zip(leader[wanted].tolist(), at[wanted].tolist(), strict=True))
        count = np.empty(len(at), dtype=np.int64)
        count[order] = np.bincount(group)[group]
        return count

    def _tell_tees(self, end: Bool, level: Int, fresh: Bool) -> None:
        """List the ends that lie on a vertex within another line: joints of a layer that does not say it is noded."""
        lines = self.lines
        x, y = (np.rint(values / SAME_M).astype(np.int64) for values in (lines.x, lines.y))
        order = np.lexsort((end, level, y, x))
        group = np.cumsum(
            np.concatenate([[True], (np.diff(x[order]) != 0) | (np.diff(y[order]) != 0) | (np.diff(level[order]) != 0)])
        )
        first = order[np.unique(group, return_index=True)[1]][group - 1]
        tee = end[order] & ~end[first] & (self.line_of_vertex[order] != self.line_of_vertex[first])
        tee &= fresh[order] | fresh[first]
        for here, there in sorted(zip(order[tee].tolist(), first[tee].tolist(), strict=True)):
            spot = float(lines.x[here]), float(lines.y[here])
            self._told("end_at_vertex", int(self.line_of_vertex[here]), int(self.line_of_vertex[there]), spot, 0.0)

    def near_ends(self, tolerance_m: float) -> None:
        """Join ends within the tolerance of each other; lines shorter than it keep their two ends apart."""
        from scipy.spatial import cKDTree

        if tolerance_m <= SAME_M or not len(self.first):
            return
        lines = self.lines
        long = np.flatnonzero(self.length > tolerance_m)
        ends = np.concatenate([self.first[long], self.last[long]])
        xy = np.column_stack([lines.x[ends], lines.y[ends]])
        pairs = cKDTree(xy).query_pairs(tolerance_m, output_type="ndarray")
        gaps = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
        for (a, b), gap in sorted(zip(map(tuple, ends[pairs].tolist()), gaps.tolist(), strict=True)):
            a, b = sorted((a, b), key=lambda end: int(self.line_of_vertex[end]))
            here, there = int(self.line_of_vertex[a]), int(self.line_of_vertex[b])
            if lines.fresh[here] or lines.fresh[there]:
                self.one.append((a, b))
                if gap > 2 * SAME_M:
                    self._told("ends_joined", here, there, (float(lines.x[a]), float(lines.y[a])), gap)

    def crossings(self, shapes: NDArray[np.object_], tree: shapely.STRtree) -> None:
        """Give lines of one level a common vertex where they cross, and lines that cross themselves one of their own."""
        lines = self.lines
        asking = np.flatnonzero(lines.fresh)
        found, other = tree.query(shapes[asking], predicate="intersects")
        a, b = asking[found], other
        wanted = (a != b) & (lines.level[a] == lines.level[b]) & ((a < b) | ~lines.fresh[b])
        a, b = a[wanted], b[wanted]
        for here, there, shape in zip(a.tolist(), b.tolist(), shapely.intersection(shapes[a], shapes[b]), strict=True):
            for x, y in _points_of(shape):
                spots = self._spot(here, x, y), self._spot(there, x, y)
                self._tell_met(here, there, spots, (x, y))
                self.one.append(spots)
        for here in asking[~shapely.is_simple(shapes[asking])].tolist():
            for x, y, passes in _own_crossings(shapes[here]):
                spots_here = [self._inserted(here, along, x, y) for along in passes]
                self.one += list(zip(spots_here[:-1], spots_here[1:], strict=True))
                self._told("crossing", here, here, (x, y), 0.0)

    def _tell_met(self, here: int, there: int, spots: tuple[int, int], xy: tuple[float, float]) -> None:
        """List a spot at which lines meet and one of them has no vertex: a crossing, or an end on a line."""
        count = len(self.lines.x)
        own = [(spot, line, other) for spot, line, other in zip(spots, (here, there), (there, here), strict=True) if spot < count]
        if len(own) == 2:
            return
        if own and own[0][0] in (self.first[own[0][1]], self.last[own[0][1]]):
            self._told("end_joined_to_line", own[0][1], own[0][2], xy, 0.0)
        else:
            self._told("crossing", here, there, xy, 0.0)

    def ends_on_lines(self, shapes: NDArray[np.object_], tree: shapely.STRtree, tolerance_m: float) -> None:
        """Join every end that nothing else is joined with to the nearest line of its level within the tolerance."""
        lines = self.lines
        label = self._labels()
        used = np.bincount(label[: len(lines.x)])
        for vertex in np.unique(np.concatenate([self.first, self.last])).tolist():
            here = int(self.line_of_vertex[vertex])
            if not lines.fresh[here] or used[label[vertex]] > 1:
                continue
            spot, room = shapely.Point(lines.x[vertex], lines.y[vertex]), max(tolerance_m, SAME_M)
            room = room if self.length[here] > tolerance_m else SAME_M
            near = [int(line) for line in tree.query(spot, predicate="dwithin", distance=room)]
            near = [line for line in near if line != here and lines.level[line] == lines.level[here]]
            if not near:
                continue
            gap, there = min((float(shapely.distance(spot, shapes[line])), line) for line in near)
            self._join_end(vertex, there, shapes, gap)

    def _join_end(self, vertex: int, there: int, shapes: NDArray[np.object_], gap: float) -> None:
        """Join an end with the nearest spot of a line."""
        lines, here = self.lines, int(self.line_of_vertex[vertex])
        spot = shapely.Point(lines.x[vertex], lines.y[vertex])
        foot = shapely.get_coordinates(
            shapely.line_interpolate_point(shapes[there], shapely.line_locate_point(shapes[there], spot))
        )
        unused = len(lines.x) + len(self.new_line)
        found = self._spot(there, float(foot[0, 0]), float(foot[0, 1]))
        self.one.append((vertex, found))
        if gap > SAME_M or found == unused:
            self._told("end_joined_to_line", here, there, (float(lines.x[vertex]), float(lines.y[vertex])), gap)

    def pairs_on_lines(self, shapes: NDArray[np.object_], tree: shapely.STRtree, tolerance_m: float) -> None:
        """Join ends that meet nothing but each other with the nearest line of their level within the tolerance."""
        lines, label = self.lines, self._labels()
        count, room = np.bincount(label), max(tolerance_m, SAME_M)
        ends = np.unique(np.concatenate([self.first, self.last]))
        line = self.line_of_vertex[ends]
        fresh = np.bincount(label[ends], weights=lines.fresh[line], minlength=len(count))
        alone = (count[label[ends]] > 1) & (fresh[label[ends]] == count[label[ends]]) & (self.length[line] > tolerance_m)
        ends = ends[alone]
        asked, near = tree.query(shapely.points(lines.x[ends], lines.y[ends]), predicate="dwithin", distance=room)
        vertex = ends[asked]
        asked = np.flatnonzero(lines.level[near] == lines.level[self.line_of_vertex[vertex]])
        linked, best = _Linked(self, label), dict[int, tuple[float, int, int]]()
        for at, there in zip(vertex[asked].tolist(), near[asked].tolist(), strict=True):
            if not linked(at, there, 2 * room):
                gap = float(shapely.distance(shapely.Point(lines.x[at], lines.y[at]), shapes[there]))
                best[int(label[at])] = min(best.get(int(label[at]), (np.inf, 0, 0)), (gap, there, at))
        for gap, there, at in sorted(best.values(), key=lambda one: one[2]):
            self._join_end(at, there, shapes, gap)

    def _told(self, kind: Joint, here: int, there: int, xy: tuple[float, float], gap: float) -> None:
        self.repairs.append((kind, here, there, *xy, gap))

    def _spot(self, line: int, x: float, y: float) -> int:
        """Find the vertex of a line at a spot, or insert one."""
        own = slice(int(self.first[line]), int(self.last[line]) + 1)
        gaps = np.hypot(self.lines.x[own] - x, self.lines.y[own] - y)
        nearest = int(np.argmin(gaps))
        if gaps[nearest] <= SAME_M:
            return own.start + nearest
        points = np.column_stack([self.lines.x[own], self.lines.y[own]])
        along = float(shapely.line_locate_point(shapely.LineString(points), shapely.Point(x, y)))
        return self._inserted(line, along, x, y)

    def _inserted(self, line: int, along: float, x: float, y: float) -> int:
        count = len(self.lines.x) + len(self.new_line)
        at = self.there.setdefault((line, round(along / SAME_M)), count)
        if at < count:
            return at
        self.new_line.append(line)
        self.new_along.append(along)
        self.new_xy.append((x, y))
        return count

    def _labels(self) -> Int:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        count = len(self.lines.x) + len(self.new_line)
        pairs = np.array(self.one, dtype=np.int64).reshape(-1, 2)
        graph = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
        return np.asarray(connected_components(graph.tocsr(), directed=False)[1], dtype=np.int64)

    def noded(self) -> Noded:
        """Number the nodes in the order of first use, and lay them out along the lines."""
        import pandas as pd

        lines, label = self.lines, self._labels()
        new_xy = np.array(self.new_xy, dtype=np.float64).reshape(-1, 2)
        line = np.concatenate([self.line_of_vertex, np.array(self.new_line, dtype=np.int64)])
        along = np.concatenate([self.along, np.array(self.new_along, dtype=np.float64)])
        order = np.lexsort((np.arange(len(line)), along, line))
        chain = label[order]
        kept = np.concatenate([[True], (np.diff(chain) != 0) | (np.diff(line[order]) != 0)])
        chain, owner = chain[kept], line[order][kept]
        x, y = np.concatenate([lines.x, new_xy[:, 0]]), np.concatenate([lines.y, new_xy[:, 1]])
        known = np.concatenate([lines.known, np.full(len(self.new_line), -1, dtype=np.int64)])
        lead = _leaders(label, known)
        used, number = np.unique(chain, return_inverse=True)
        at = lead[used]
        columns = ["kind", "line", "other", "x", "y", "gap_m"]
        told = pd.DataFrame(sorted(self.repairs), columns=columns)
        ptr = np.searchsorted(owner, np.arange(len(lines.ptr))).astype(np.int64)
        return Noded(x[at], y[at], known[at], ptr, number.astype(np.int64), told)


class _Linked:
    """Tell which lines meet near an end already, at the end itself or by a short piece between."""

    def __init__(self, spots: _Spots, label: Int) -> None:
        new_xy = np.array(spots.new_xy, dtype=np.float64).reshape(-1, 2)
        self.x, self.y = np.concatenate([spots.lines.x, new_xy[:, 0]]), np.concatenate([spots.lines.y, new_xy[:, 1]])
        self.line = np.concatenate([spots.line_of_vertex, np.array(spots.new_line, dtype=np.int64)])
        self.label = label
        self.by_line, self.by_label = np.argsort(self.line, kind="stable"), np.argsort(label, kind="stable")
        self.lines, self.labels = self.line[self.by_line], label[self.by_label]

    def __call__(self, vertex: int, there: int, within: float) -> bool:
        """Tell whether a line meets one of those that end at a vertex, no farther from it than `within`."""
        first, last = np.searchsorted(self.labels, [self.label[vertex], self.label[vertex] + 1])
        met = self._near(there, vertex, within)
        return any(met & self._near(int(line), vertex, within) for line in self.line[self.by_label[first:last]])

    def _near(self, line: int, vertex: int, within: float) -> set[int]:
        """Spots of a line near a vertex."""
        first, last = np.searchsorted(self.lines, [line, line + 1])
        at = self.by_line[first:last]
        close = np.hypot(self.x[at] - self.x[vertex], self.y[at] - self.y[vertex]) <= within
        return set(self.label[at[close]].tolist())


def _leaders(label: Int, known: Int) -> Int:
    """The spot that gives each node its place: one that the source knows, else the first."""
    order = np.lexsort((np.arange(len(label)), known < 0, label))
    return order[np.unique(label[order], return_index=True)[1]]


def _points_of(shape: shapely.Geometry) -> Iterator[tuple[float, float]]:
    """Give the points at which two lines meet; of a common stretch, its two ends."""
    for part in shapely.get_parts(shape):
        coordinates: Sequence[tuple[float, float]] = shapely.get_coordinates(part).tolist()
        if coordinates:
            yield tuple(coordinates[0])  # type: ignore[misc]
        if len(coordinates) > 1:
            yield tuple(coordinates[-1])  # type: ignore[misc]


def _own_crossings(shape: shapely.LineString) -> Iterator[tuple[float, float, list[float]]]:
    """Give the points at which a line crosses itself, and how far along it passes each."""
    xy = shapely.get_coordinates(shape)
    step = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    pieces = shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1))
    a, b = shapely.STRtree(pieces).query(pieces, predicate="intersects")
    apart = b - a > 1
    for here, there in zip(a[apart].tolist(), b[apart].tolist(), strict=True):
        if here == 0 and there == len(pieces) - 1 and shapely.is_closed(shape):
            continue
        for x, y in _points_of(shapely.intersection(pieces[here], pieces[there])):
            yield x, y, [float(step[at] + np.hypot(x - xy[at, 0], y - xy[at, 1])) for at in (here, there)]
