"""Search the network from facilities: to every cell within a limit, and for every cell's nearest facility."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.network import Arcs, Attached, Costs, Network, UInt32, UInt64, attach, pack_arcs
from careshed.reach.times import Direction, Metric, TravelTimes, cost_limit

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

BLOCK: Final = 256
"""Sources a thread searches at a time; the answer does not depend on it."""

QUEUE_ROOM: Final = 2**15
"""Entries that a search's queue has room for at first; it doubles where a search needs more."""

ROW_ROOM: Final = 2**18
"""Pairs that the rows of a block have room for at first. One buffer serves block after block: memory fresh from the system
costs a search a tenth of its time and more."""

ROWS_FULL: Final = -2
"""First row start by which a kernel says that the rows did not fit."""

SHIFT_SAMPLE: Final = 10_000
"""Arcs that tell the bucket width; the mean of some millions would take as long as 150 searches."""


def travel_times(
    network: Network,
    facilities: GeoDataFrame,
    cells: GeoDataFrame,
    *,
    limit_min: float | None = None,
    limit_m: float | None = None,
    direction: Direction = "to_facility",
    options: int = 1,
    threads: int | None = None,
) -> TravelTimes:
    """Find the travel cost between every facility and every cell within a limit, and every cell's nearest facility.

    A journey is the straight leg between the place and its street, the cheapest way along the streets, and the leg at the
    other end. Two places on one edge may travel along it directly. Cells at exactly the limit count (≤).

    Parameters
    ----------
    facilities
        Existing facilities or candidate sites, one row of the result each; Points, or MultiPoints with several entrances.
    cells
        Population cells, one column each.
    limit_min, limit_m
        The limit, in minutes of travel or metres of street; exactly one is given, and it decides what the costs measure.
    direction
        Whether people travel to the facility (the default) or someone from the facility to them.
    options
        How many of its nearest edges a place may join.
    threads
        Threads to use, all cores if None; the answer is the same with any number.

    Raises
    ------
    ValueError
        If not exactly one limit is given, or tables are in another CRS than the network.

    Notes
    -----
    Bounded Dijkstra searches from each facility over the reversed graph, with integer costs in buckets (Dial 1969). The
    nearest facility comes from one search from all facilities at once, without a limit; among equally near ones the first row
    counts.
    """
    metric: Metric = "time" if limit_m is None else "length"
    limit = cost_limit(minutes=limit_min, metres=limit_m)
    towards = direction == "to_facility"
    sources, targets = attach(network, facilities, options=options), attach(network, cells, options=options)
    ends = _Ends(network, metric, towards, sources, targets)
    indptr, indices, cost = _search_places(ends, limit, threads)
    nearest_cost, nearest_facility = _nearest(ends)
    return TravelTimes(
        facilities=facilities,
        cell_ids=cells.index,
        indptr=indptr,
        indices=indices,
        cost=cost,
        nearest_cost=nearest_cost,
        nearest_facility=nearest_facility,
        cell_fault=_with_islets(network, targets, sources),
        facility_fault=sources.fault,
        metric=metric,
        limit=limit,
        direction=direction,
        mode=network.mode,
        snap_m=network.snap_m,
    )


class Seeds(NamedTuple):
    """Nodes a search starts from, source by source, with the cost already spent there."""

    ptr: NDArray[np.int64]
    node: UInt32
    cost: UInt32
    owner: UInt32


class _On(NamedTuple):
    """Options sorted by the edge they join: CSR of edge × option."""

    ptr: NDArray[np.int64]
    option: NDArray[np.int32]


class _Ends:
    """Both ends of the journeys as the compiled loops want them; built once for one metric and direction."""

    def __init__(self, network: Network, metric: Metric, towards: bool, sources: Attached, targets: Attached) -> None:
        self.network, self.towards = network, towards
        self.sources, self.targets = sources, targets
        self.costs = network.costs(metric)
        self.arcs = network.arcs(metric, towards=towards)
        self.source_cost = sources.offsets(network, metric)
        self.target_cost = targets.offsets(network, metric)
        self.option_ptr = np.searchsorted(sources.place, np.arange(sources.places + 1)).astype(np.int64)
        self.seeds = seeds_of(network, metric, sources, towards=towards)
        self.on = self._on_edges()

    def _on_edges(self) -> _On:
        order = np.argsort(self.targets.edge, kind="stable").astype(np.int32)
        counts = np.bincount(self.targets.edge, minlength=len(self.network.edge_u))
        return _On(np.concatenate([[0], np.cumsum(counts)]), order)

    def place_arcs(self) -> Arcs:
        """Arcs from nodes to the cells on their edges, the cell's leg included."""
        network, edge = self.network, self.targets.edge
        by_u, by_v, open_u, open_v = by_ends(network, self.costs, edge, *self.target_cost, towards=not self.towards)
        at = np.concatenate([network.edge_u[edge][open_u], network.edge_v[edge][open_v]])
        to = np.concatenate([self.targets.place[open_u], self.targets.place[open_v]])
        return pack_arcs(len(network.x), at, to, np.concatenate([by_u[open_u], by_v[open_v]]))


def by_ends(
    network: Network, costs: Costs, edge: NDArray[np.int32], f: UInt32, b: UInt32, leg: UInt32, *, towards: bool
) -> tuple[UInt32, UInt32, NDArray[np.bool_], NDArray[np.bool_]]:
    """Cost between positions on edges and the two ends of their edge, leg included, and whether each end is open.

    `towards`: from the end to the position; else from the position to the end. A position at an end is that junction: the end
    is open to it whichever way the edge runs.
    """
    whole_f, whole_b = costs.edge_f[edge], costs.edge_b[edge]
    forward, backward = network.forward[edge], network.backward[edge]
    if towards:
        return f + leg, whole_b - b + leg, forward | (f == 0), backward | (b == whole_b)
    return b + leg, whole_f - f + leg, backward | (b == 0), forward | (f == whole_f)


def seeds_of(network: Network, metric: Metric, attached: Attached, *, towards: bool) -> Seeds:
    """Turn attached places into starts of a search: both ends of each edge joined, where travel may pass."""
    f, b, leg = attached.offsets(network, metric)
    edge = attached.edge
    by_u, by_v, open_u, open_v = by_ends(network, network.costs(metric), edge, f, b, leg, towards=towards)
    node = np.concatenate([network.edge_u[edge][open_u], network.edge_v[edge][open_v]]).astype(np.uint32)
    cost = np.concatenate([by_u[open_u], by_v[open_v]]).astype(np.uint32)
    owner = np.concatenate([attached.place[open_u], attached.place[open_v]])
    order = np.argsort(owner, kind="stable")
    ptr = np.searchsorted(owner[order], np.arange(attached.places + 1)).astype(np.int64)
    return Seeds(ptr, node[order], cost[order], owner[order].astype(np.uint32))


def bucket_shift(arcs: Arcs) -> np.uint64:
    """Choose the bucket width, a power of two near a quarter of the mean arc."""
    some = arcs.arc[:: max(1, len(arcs.arc) // SHIFT_SAMPLE)]
    mean = float((some >> np.uint64(32)).mean()) if len(some) else 1.0
    return np.uint64(max(0, int(np.log2(max(mean, 1.0))) - 2))


class Workspace:
    """What one thread needs for searches, made once and used for many: nothing in it is cleared between sources."""

    def __init__(self, arcs: Arcs, places: int, limit: int) -> None:
        nodes = len(arcs.ptr) - 1
        self.shift = bucket_shift(arcs)
        self.limit = np.uint64(limit)
        self.known = np.full(nodes, 2**64 - 1, dtype=np.uint64)
        self.best = np.full(places, 2**64 - 1, dtype=np.uint64)
        self.head = np.zeros((limit >> int(self.shift)) + 2, dtype=np.uint32)
        self.found = np.empty(nodes, dtype=np.uint32)
        self.touched = np.empty(places, dtype=np.uint32)
        self.stamp = 0
        self._pool(QUEUE_ROOM)
        self._rows(ROW_ROOM)

    def _pool(self, room: int) -> None:
        self.entry = np.empty(room, dtype=np.uint64)
        self.link = np.empty(room, dtype=np.uint32)

    def _rows(self, room: int) -> None:
        self.row_place = np.empty(room, dtype=np.uint32)
        self.row_cost = np.empty(room, dtype=np.uint32)

    def run(self, search: Callable[[], tuple[NDArray[np.int64], ...]], sources: int) -> tuple[NDArray[np.int64], ...]:
        """Run a block of searches; where the queue's pool or the rows prove too small, double them and run it again."""
        while True:
            indptr, place, cost = search()
            self.stamp += sources
            if indptr[0] == 0:
                return indptr, place.copy(), cost.copy()
            if indptr[0] == ROWS_FULL:
                self._rows(2 * len(self.row_place))
            else:
                self._pool(2 * len(self.entry))

    def nodes(self, arcs: Arcs, seeds: Seeds, first: int, last: int) -> tuple[NDArray[np.int64], ...]:
        """Search from the sources ``first:last`` in turn: CSR of source × node within the limit, nodes unordered, and costs."""
        from careshed import _kernels

        def search() -> tuple[NDArray[np.int64], ...]:
            found = _kernels.reach_nodes(
                *arcs, seeds.ptr[first : last + 1], seeds.node, seeds.cost, self.limit, self.known, self.stamp, self.shift,
                self.head, self.entry, self.link, self.found, self.row_place, self.row_cost,
            )  # fmt: skip
            return found  # type: ignore[no-any-return]

        return self.run(search, last - first)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(first, min(first + BLOCK, count)) for first in range(0, count, BLOCK))


def _in_threads(
    search: Callable[[Workspace, slice], tuple[NDArray[np.int64], ...]],
    make: Callable[[], Workspace],
    count: int,
    threads: int | None,
) -> tuple[NDArray[np.int64], UInt32, UInt32]:
    """Search block by block on some threads, each with a workspace of its own, and join the rows in order."""
    workers = max(1, min(threads or os.cpu_count() or 1, -(-count // BLOCK)))
    spare = [make() for _ in range(workers)]

    def job(block: slice) -> tuple[NDArray[np.int64], ...]:
        workspace = spare.pop()
        try:
            return search(workspace, block)
        finally:
            spare.append(workspace)

    if workers == 1:  # a thread of its own would only hand blocks over, and run ahead of what joins them
        return _joined(map(job, _blocks(count)), count)
    with ThreadPoolExecutor(workers) as pool:
        return _joined(pool.map(job, _blocks(count)), count)


def _joined(blocks: Iterable[tuple[NDArray[np.int64], ...]], count: int) -> tuple[NDArray[np.int64], UInt32, UInt32]:
    """Join the rows of `count` sources block by block as they come, so that each block's memory serves the next."""
    indptr = np.zeros(count + 1, np.int64)
    places, costs = np.empty(0, np.uint32), np.empty(0, np.uint32)
    done = used = 0
    for starts, place, cost in blocks:
        first, done = done, done + len(starts) - 1
        indptr[first + 1 : done + 1] = starts[1:] + used
        if used + len(place) > len(places):
            room = (used + len(place)) * count // done * 5 // 4
            places, costs = _with_room(places, used, room), _with_room(costs, used, room)
        places[used : used + len(place)] = place
        costs[used : used + len(place)] = cost
        used += len(place)
    return indptr, places[:used], costs[:used]


def _with_room(array: UInt32, used: int, room: int) -> UInt32:
    larger = np.empty(room, array.dtype)
    larger[:used] = array[:used]
    return larger


def _search_places(ends: _Ends, limit: int, threads: int | None) -> tuple[NDArray[np.int64], NDArray[np.int32], UInt32]:
    """Search from every facility to the cells within the limit."""
    from careshed import _kernels

    network, sources, targets = ends.network, ends.sources, ends.targets
    arcs, place_arcs, seeds = ends.arcs, ends.place_arcs(), ends.seeds
    f, b, leg = ends.target_cost

    def search(work: Workspace, block: slice) -> tuple[NDArray[np.int64], ...]:
        return work.run(
            lambda: _kernels.reach_places(
                *arcs, seeds.ptr[block.start : block.stop + 1], seeds.node, seeds.cost, work.limit, work.known, work.stamp,
                work.shift, work.head, work.entry, work.link, work.found, work.row_place, work.row_cost, *place_arcs,
                work.best, work.touched,
                ends.option_ptr[block.start : block.stop + 1], sources.edge, *ends.source_cost, ends.towards, network.forward,
                network.backward, *ends.on, targets.place, f, b, leg,
            ),
            block.stop - block.start,
        )  # fmt: skip

    make = partial(Workspace, arcs, targets.places, limit)
    indptr, indices, cost = _in_threads(search, make, sources.places, threads)
    return indptr, indices.view(np.int32), cost


def _nearest(ends: _Ends) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Find the nearest facility of every cell, without a limit."""
    from careshed import _kernels

    network, sources, targets = ends.network, ends.sources, ends.targets
    label = nearest_labels(ends.arcs, ends.seeds)
    best = np.full(targets.places, 2**64 - 1, dtype=np.uint64)
    _kernels.nearest_places(
        label, sources.edge, *ends.source_cost, sources.place, ends.towards, network.forward, network.backward,
        network.edge_u, network.edge_v, ends.costs.edge_f, ends.costs.edge_b,
        *ends.on, targets.place, targets.edge, *ends.target_cost, best,
    )  # fmt: skip
    none = best == np.uint64(2**64 - 1)
    cost = (best >> np.uint64(32)).astype(np.int64)
    owner = (best & np.uint64(2**32 - 1)).astype(np.int64)
    cost[none], owner[none] = -1, -1
    return cost, owner.astype(np.int32)


def nearest_labels(arcs: Arcs, seeds: Seeds) -> UInt64:
    """Label every node with its nearest source, ``cost << 32 | source``; all ones where none is reachable."""
    from careshed import _kernels

    shift = bucket_shift(arcs)
    dearest = int(max((arcs.arc >> np.uint64(32)).max(initial=0), seeds.cost.max(initial=0)))
    buckets = 1 << int(np.ceil(np.log2((dearest >> int(shift)) + 3)))
    label = np.empty(len(arcs.ptr) - 1, dtype=np.uint64)
    _kernels.nearest_nodes(*arcs, seeds.node, seeds.cost, seeds.owner, shift, buckets - 1, label)
    return label


def _with_islets(network: Network, targets: Attached, sources: Attached) -> NDArray[np.str_]:
    """Name the cells whose streets join neither the main network nor a facility."""
    served = network.main.copy()
    served[network.component[network.edge_u[sources.edge]]] = True
    joined = np.zeros(targets.places, dtype=bool)
    joined[targets.place[served[network.component[network.edge_u[targets.edge]]]]] = True
    fault = targets.fault.copy()
    fault[(fault == "") & ~joined] = "islet"
    return fault
