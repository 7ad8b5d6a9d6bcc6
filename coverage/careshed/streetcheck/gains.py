"""Count how many people a link between two streets would bring within reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import shapely

from careshed.intake.streets.repairing import apply_repairs
from careshed.network import Arcs, Attached, Network, attach, build_network, pack_arcs
from careshed.network.model import Bool, Float, Int64
from careshed.reach import Metric, Seeds, Workspace, nearest_labels, seeds_of, travel_times
from careshed.reach.search import by_ends

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.intake.elevation import Elevation
    from careshed.intake.streets import Streets
    from careshed.streetcheck.gaps import Gap, Spot

SLACK: Final = 100
"""Milliseconds or millimetres by which rounding may differ once a street is parted."""

FAR: Final = 2**32 - 1


@dataclass(frozen=True)
class Weighed:
    """What one link would do."""

    people: float
    """People of the group who come within the limit, less those who leave it; at most so many where not `exact`."""
    person_minutes: float
    """Travel to the nearest facility that all people save together, one way, minutes; 0 where not `exact`, or in metres."""
    exact: bool
    """Whether the network was built anew with the link and searched; else `people` is a bound from above."""


class Case(NamedTuple):
    """Whom the links are weighed for."""

    streets: Streets
    network: Network
    facilities: GeoDataFrame
    cells: GeoDataFrame
    people: Float
    metric: Metric
    limit: int
    """Milliseconds or millimetres (≤)."""
    elevation: Elevation | None = None
    """Heights that `network` was built with."""


def nearest_costs(case: Case, network: Network) -> Int64:
    """Cost of every cell to its nearest facility, however far, −1 where there is none."""
    tiny = {"limit_min": 1 / 60_000} if case.metric == "time" else {"limit_m": 0.001}
    return travel_times(network, case.facilities, case.cells, **tiny).nearest_cost  # type: ignore[arg-type]


def weigh_gaps(case: Case, gaps: Sequence[Gap], *, exact: int) -> list[Weighed]:
    """Count for each gap how many people its link brings within the limit.

    First every gap gets a bound, with facilities where they join the streets now: nobody gains who could not reach one end of
    the link and go on from the other within the limit, and who lives too far from the link and from short cut-off streets to
    join them instead. Then, the largest bounds
    first and after them the largest saving between the two ends, the link is made, the network built anew and the nearest
    facility of every cell searched, for `exact` gaps at most.

    Returns
    -------
    list of Weighed
        In the order of `gaps`.
    """
    before = nearest_costs(case, case.network)
    bounds, savings = _bounds(case, gaps, before)
    order = sorted(range(len(gaps)), key=lambda at: (-bounds[at], -savings[at], at))
    told = [Weighed(bound, 0.0, False) for bound in bounds]
    for at in order[:exact]:
        if bounds[at] > 0 or savings[at] > 0:
            told[at] = _tried(case, gaps[at], before)
    return told


def _tried(case: Case, gap: Gap, before: Int64) -> Weighed:
    """Make the link, build the network and search again."""
    joined = apply_repairs(case.streets, [replace(gap.repair, use=True)]).table
    old = case.network
    network = build_network(joined, mode=old.mode, crs=old.crs, snap_m=old.snap_m, elevation=case.elevation)
    after = nearest_costs(case, network)
    within = [(cost >= 0) & (cost <= case.limit) for cost in (before, after)]
    gained = float(case.people[within[1] & ~within[0]].sum() - case.people[within[0] & ~within[1]].sum())
    known = (before >= 0) & (after >= 0)
    saved = float((case.people[known] * (before - after)[known]).sum()) / 60_000 if case.metric == "time" else 0.0
    return Weighed(gained, saved, True)


def _bounds(case: Case, gaps: Sequence[Gap], before: Int64) -> tuple[list[float], list[int]]:
    """Count whom each link could help at most, and what it saves who stands at its worse end."""
    network, limit = case.network, case.limit
    if not gaps:
        return [], []
    cells = attach(network, case.cells)
    facilities = attach(network, case.facilities)
    waiting = ((before < 0) | (before > limit)) & (case.people > 0)
    arcs = network.arcs(case.metric, towards=True)
    label = nearest_labels(arcs, seeds_of(network, case.metric, facilities, towards=True))
    onward = np.where(label == np.uint64(2**64 - 1), np.uint64(FAR), label >> np.uint64(32)).astype(np.int64)
    seeds, reach = _seeds(case, gaps, onward, _OnEdge(network, case.metric, facilities))
    work = Workspace(arcs, 0, limit + SLACK)
    ptr, node, cost = work.nodes(arcs, seeds, 0, 2 * len(gaps))
    at_nodes, on_edges = _cell_arcs(case, cells), _on_edges(cells)
    near = _Near(case, waiting, facilities)
    people = []
    for at, gap in enumerate(gaps):
        sides = ((2 * at, gap.start), (2 * at + 1, gap.end))
        runs = [(slice(int(ptr[side]), int(ptr[side + 1])), spot, reach[side]) for side, spot in sides]
        found = [_cells_of(at_nodes, on_edges, node[run], cost[run], limit, spot, spent) for run, spot, spent in runs]
        people.append(near.people(gap, (reach[2 * at], reach[2 * at + 1]), found))
    return people, [abs(reach[2 * at] - reach[2 * at + 1]) for at in range(len(gaps))]


class _OnEdge:
    """Facilities on their edges, for what it costs at least to get to one along its own edge."""

    def __init__(self, network: Network, metric: str, facilities: Attached) -> None:
        order = np.argsort(facilities.edge, kind="stable")
        self.edge = facilities.edge[order]
        self.f, self.b, self.leg = (values[order].astype(np.float64) for values in facilities.offsets(network, metric))

    def cost(self, edge: int, f: float, b: float) -> int:
        """Cost from a spot at two offsets to the nearest facility on the edge, `FAR` where there is none."""
        first, last = np.searchsorted(self.edge, [edge, edge + 1])
        own = slice(int(first), int(last))
        along = np.minimum(np.abs(self.f[own] - f), np.abs(self.b[own] - b)) + self.leg[own]
        return int(along.min(initial=FAR))


def _offsets(network: Network, metric: str, spot: Spot) -> tuple[float, float]:
    """Forward and backward offset of a spot on its edge."""
    costs, a, share = network.costs(metric), spot.vertex, spot.share
    f, b = (float(offset[a]) + share * (float(offset[a + 1]) - float(offset[a])) for offset in (costs.vertex_f, costs.vertex_b))
    return f, b


def _to_ends(network: Network, metric: str, spot: Spot) -> tuple[int, int]:
    """Cost between a spot and the two ends of its edge, whichever way is cheaper."""
    costs, edge = network.costs(metric), spot.edge
    forward, backward = _offsets(network, metric, spot)
    rest = min(float(costs.edge_f[edge]) - forward, float(costs.edge_b[edge]) - backward)
    return int(min(forward, backward)), int(max(rest, 0.0))


def _seeds(case: Case, gaps: Sequence[Gap], onward: Int64, own: _OnEdge) -> tuple[Seeds, list[int]]:
    """Start searches at both ends of every link, with what is left to go from the other end already spent."""
    network = case.network
    node, cost, reach = [], [], []
    per_metre = _per_metre(case)
    for gap in gaps:
        spots = (gap.start, gap.end)
        offsets = [_to_ends(network, case.metric, spot) for spot in spots]
        ends = [(int(network.edge_u[spot.edge]), int(network.edge_v[spot.edge])) for spot in spots]
        left = [
            min(
                int(onward[u]) + by_u,
                int(onward[v]) + by_v,
                own.cost(spot.edge, *_offsets(network, case.metric, spot)),
            )
            for spot, (u, v), (by_u, by_v) in zip(spots, ends, offsets, strict=True)
        ]
        link = int(gap.gap_m * per_metre)
        for side in (0, 1):
            spent = min(left[1 - side] + link, FAR - 1)
            reach.append(spent)
            for end in (0, 1):
                node.append(ends[side][end])
                cost.append(min(spent + offsets[side][end], FAR - 1))
    count = 2 * len(gaps)
    ptr = 2 * np.arange(count + 1, dtype=np.int64)
    owner = np.repeat(np.arange(count, dtype=np.uint32), 2)
    return Seeds(ptr, np.array(node, np.uint32), np.array(cost, np.uint32), owner), reach


def _cell_arcs(case: Case, cells: Attached) -> Arcs:
    """Arcs from nodes to the cells on their edges, the leg included."""
    network = case.network
    f, b, leg = cells.offsets(network, case.metric)
    by_u, by_v, open_u, open_v = by_ends(network, network.costs(case.metric), cells.edge, f, b, leg, towards=False)
    at = np.concatenate([network.edge_u[cells.edge][open_u], network.edge_v[cells.edge][open_v]])
    to = np.concatenate([cells.place[open_u], cells.place[open_v]])
    return pack_arcs(len(network.x), at, to, np.concatenate([by_u[open_u], by_v[open_v]]))


def _on_edges(cells: Attached) -> tuple[Int64, Int64]:
    """Edges that cells join and the cells, sorted by edge."""
    order = np.argsort(cells.edge, kind="stable")
    return cells.edge[order].astype(np.int64), cells.place[order].astype(np.int64)


def _cells_of(arcs: Arcs, on: tuple[Int64, Int64], node: Int64, cost: Int64, limit: int, spot: Spot, spent: int) -> Int64:
    """Cells from which one end of a link is reached in time to go on from the other."""
    start, stop = arcs.ptr[node].astype(np.int64), arcs.ptr[node + 1].astype(np.int64)
    counts = stop - start
    at = np.repeat(start - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    total = np.repeat(cost.astype(np.int64), counts) + (arcs.arc[at] >> np.uint64(32)).astype(np.int64)
    found: Int64 = (arcs.arc[at] & np.uint64(FAR)).astype(np.int64)[total <= limit + SLACK]
    if spent > limit + SLACK:
        return found
    first, last = np.searchsorted(on[0], [spot.edge, spot.edge + 1])
    return np.concatenate([found, on[1][first:last]])


class _Near:
    """People who might join a link, or the streets that it joins, instead of what they join now."""

    def __init__(self, case: Case, waiting: Bool, facilities: Attached) -> None:
        self.case, self.waiting = case, waiting
        self.cells = np.flatnonzero(waiting)
        self.points = case.cells.geometry.to_numpy()[self.cells]
        self.tree = shapely.STRtree(self.points)
        network = case.network
        part = np.repeat(network.component[network.edge_u], np.diff(network.vertex_ptr))
        self.low, self.high = np.full((2, len(network.component_m)), np.inf), np.full((2, len(network.component_m)), -np.inf)
        for axis, values in enumerate((network.vertex_x, network.vertex_y)):
            np.minimum.at(self.low[axis], part, values)
            np.maximum.at(self.high[axis], part, values)
        self.own = np.zeros(len(network.component_m), dtype=bool)
        self.own[network.component[network.edge_u[facilities.edge]]] = True
        self.per_metre = min(_per_metre(case), network.costs(case.metric).per_metre)

    def people(self, gap: Gap, spent: Sequence[int], found: Sequence[Int64]) -> float:
        """People whom one link could help at most: nobody goes to the link faster than straight."""
        mask = np.zeros(len(self.waiting), dtype=bool)
        for cells in found:
            mask[cells] = True
        network, snap = self.case.network, self.case.network.snap_m + 1.0
        link = shapely.LineString([(gap.start.x, gap.start.y), (gap.end.x, gap.end.y)])
        left = self.case.limit + SLACK - min(spent) + gap.gap_m * _per_metre(self.case)
        fragments = [part for part in sorted(set(gap.joins)) if network.fragment[part]]
        boxes = [shapely.box(*self.low[:, part], *self.high[:, part]) for part in fragments]
        near = self.tree.query(shapely.union_all([shapely.buffer(area, snap) for area in (link, *boxes)]), predicate="intersects")
        if not any(self.own[part] for part in fragments):  # else people may join a facility's own fragment without the link
            near = near[shapely.distance(self.points[near], link) * self.per_metre <= left]
        mask[self.cells[near]] = True
        return float(self.case.people[mask & self.waiting].sum())


def _per_metre(case: Case) -> float:
    """Cost of a metre of street at least."""
    return 3600.0 / (case.network.top_speed_kmh or case.network.mode.top_speed_kmh) if case.metric == "time" else 1000.0
