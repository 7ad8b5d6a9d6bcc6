"""Run the compiled loops of the transport problem: many cells, few facilities, exact in whole numbers.

The facilities and one node for "no place" are the nodes of a small graph; moving somebody of a cell from facility j to facility k
is an arc of it, of the cost difference of that cell, and only the cheapest cell matters. People beyond a facility's places are
sent along shortest paths of this graph to where there is room (successive shortest paths with potentials: Ahuja, Magnanti and
Orlin 1993, sections 9.7 and 12.4), so that a search looks at hundreds of nodes, never at the cells. Prices given at the start
make most of the searches unnecessary, and any prices ≥ 0 lead to an optimum.

`Graph`, `State` and `Search` say what the arrays are; the loops take them one by one, which compiles and runs several times
faster than tuples of arrays do.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

NEVER = np.int64(2**61)
"""Cost of a move that nobody can make."""

FAR = np.int64(2**60)
"""Above the cost of any path, and below `NEVER` whatever is added to that."""


class Graph(NamedTuple):
    """Cells and facilities in reach; facility number `facilities` is "no place", the last of every cell's, at cost 0."""

    ptr: NDArray[np.int64]
    """First pair of each cell, shape (cells + 1,)."""
    facility: NDArray[np.int32]
    """Facility of each pair, ascending within a cell, shape (pairs,)."""
    cost: NDArray[np.int64]
    """Cost of each pair, shape (pairs,)."""
    cell: NDArray[np.int32]
    """Cell of each pair, shape (pairs,)."""
    room: NDArray[np.int64]
    """Places of each facility, in parts of people, shape (facilities,)."""
    near_ptr: NDArray[np.int64]
    near: NDArray[np.int32]
    """Facilities that share a cell with each facility, "no place" among them, as rows."""
    reach_ptr: NDArray[np.int64]
    reach: NDArray[np.int32]
    """Pairs of each facility, the cheapest first, as rows."""
    place: NDArray[np.int32]
    """Where in `reach` each pair is, shape (pairs,)."""


class State(NamedTuple):
    """A flow on its way to the optimum. Nodes: facilities, "no place", and the sink that all people end in."""

    flow: NDArray[np.int64]
    """Parts of people on each pair, shape (pairs,)."""
    after: NDArray[np.int32]
    before: NDArray[np.int32]
    first: NDArray[np.int32]
    """The pairs with people of each facility as doubly linked lists; −1 ends them."""
    step: NDArray[np.int64]
    leave: NDArray[np.int32]
    enter: NDArray[np.int32]
    """Cheapest move to each facility of `near`: its cost, the pair that people leave and the pair that they enter."""
    stale: NDArray[np.bool_]
    """Facilities whose cheapest moves must be found anew."""
    seen: NDArray[np.int64]
    """No pair of `reach` before this one has people without a place, shape (facilities,)."""
    used: NDArray[np.int64]
    """People that each node sends to the sink, shape (facilities + 1,)."""
    excess: NDArray[np.int64]
    """People too many (or, below zero, missing) at each node, shape (facilities + 2,)."""
    price: NDArray[np.int64]
    """Cost from each node to the sink, shape (facilities + 2,)."""


class Search(NamedTuple):
    """What a shortest-path search knows, shape (facilities + 2,) each."""

    dist: NDArray[np.int64]
    parent: NDArray[np.int32]
    out: NDArray[np.int32]
    into: NDArray[np.int32]
    """The pairs that people leave and enter on the arc from the parent, −1 to and from the sink."""
    heap: NDArray[np.int32]
    spot: NDArray[np.int32]
    """Where in the heap a node is; −1 if it was never there, −2 if it has left it."""
    tree: NDArray[np.int32]
    """Nodes in the order in which they were reached."""
    slot: NDArray[np.int64]
    """Scratch: where in `near` a facility is."""


@njit(cache=True, nogil=True)
def settle(ptr, facility, cost, supply, room, price, flow, after, before, first, used, excess):
    """Send everybody where cost and price are least (of equals where there is most room), and count who is too many."""
    none = len(room)
    for cell in range(len(supply)):
        best, least, free = ptr[cell], FAR, np.int64(-1)
        for pair in range(ptr[cell], ptr[cell + 1]):
            node = facility[pair]
            full = cost[pair] + price[node]
            if full > least:
                continue
            left = np.int64(0) if node == none else room[node] - used[node]
            if full < least or left > free:
                best, least, free = pair, full, left
        node = facility[best]
        flow[best] = supply[cell]
        used[node] += supply[cell]
        if node < none and supply[cell] > 0:
            _link(node, best, after, before, first)
    for node in range(none):
        load = used[node]
        if price[node] > 0 or load > room[node]:
            used[node] = room[node]
        excess[node] = load - used[node]
        excess[none + 1] -= excess[node]


@njit(cache=True, nogil=True)
def _link(node, pair, after, before, first):
    """Note that a pair of a facility has people from now on."""
    old = first[node]
    after[pair] = old
    before[pair] = -1
    if old >= 0:
        before[old] = pair
    first[node] = pair


@njit(cache=True, nogil=True)
def _unlink(node, pair, after, before, first):
    """Note that a pair of a facility has people no more."""
    left, right = before[pair], after[pair]
    if left >= 0:
        after[left] = right
    else:
        first[node] = right
    if right >= 0:
        before[right] = left


@njit(cache=True, nogil=True)
def _refresh(node, ptr, facility, cost, cell, near_ptr, near, after, first, step, leave, enter, slot_of):
    """Find the cheapest move from a facility to each of its neighbours."""
    slot_of[node] = -1
    for slot in range(near_ptr[node], near_ptr[node + 1]):
        slot_of[near[slot]] = slot
        step[slot] = NEVER
    out = first[node]
    while out >= 0:
        home = cell[out]
        here = cost[out]
        for into in range(ptr[home], ptr[home + 1]):
            slot = slot_of[facility[into]]
            if slot >= 0 and cost[into] - here < step[slot]:
                step[slot] = cost[into] - here
                leave[slot] = out
                enter[slot] = into
        out = after[out]


@njit(cache=True, nogil=True)
def _rise(heap, spot, dist, i):
    """Move an entry of the heap up to its place."""
    node = heap[i]
    while i > 0:
        up = (i - 1) >> 1
        if dist[heap[up]] <= dist[node]:
            break
        heap[i] = heap[up]
        spot[heap[i]] = i
        i = up
    heap[i] = node
    spot[node] = i


@njit(cache=True, nogil=True)
def _pop(heap, spot, dist, size):
    """Take the nearest node off a heap of `size` others."""
    top = heap[0]
    spot[top] = -2
    if size > 0:
        node = heap[size]
        i = 0
        while 2 * i + 1 < size:
            down = 2 * i + 1
            if down + 1 < size and dist[heap[down + 1]] < dist[heap[down]]:
                down += 1
            if dist[heap[down]] >= dist[node]:
                break
            heap[i] = heap[down]
            spot[heap[i]] = i
            i = down
        heap[i] = node
        spot[node] = i
    return top


@njit(cache=True, nogil=True)
def _offer(node, further, back, pair, other, size, dist, parent, out, into, heap, spot):
    """Note a shorter path to a node; tell how many nodes the heap holds."""
    if spot[other] == -1:
        spot[other] = size
        heap[size] = other
        size += 1
    dist[other] = further
    parent[other] = node
    out[other] = back
    into[other] = pair
    _rise(heap, spot, dist, spot[other])
    return size


@njit(cache=True, nogil=True)
def _next_unplaced(node, ptr, cost, cell, room, near_ptr, reach_ptr, reach, flow, step, leave, enter, seen):
    """Find who without a place could take one at a facility at least cost."""
    slot = near_ptr[len(room)] + node
    at, last = seen[node], reach_ptr[node + 1]
    while at < last and flow[ptr[cell[reach[at]] + 1] - 1] == 0:
        at += 1
    seen[node] = at
    if at == last:
        step[slot], leave[slot] = NEVER, -1
    else:
        enter[slot] = reach[at]
        leave[slot] = ptr[cell[reach[at]] + 1] - 1
        step[slot] = cost[reach[at]]


@njit(cache=True, nogil=True)
def _shortest(
    kept, unserved,
    ptr, facility, cost, cell, room, near_ptr, near,
    after, first, step, leave, enter, stale, used, excess, price,
    dist, parent, out, into, heap, spot, tree, slot_of,
):  # fmt: skip
    """Grow a tree of free moves until it reaches a node where people are missing; raise its prices as that takes.

    Tells that node, and how many nodes the tree has without it.
    """
    none = len(room)
    sink = none + 1
    goal, size, at = FAR, 0, 0
    while True:
        if at == kept:
            size -= 1
            node = _pop(heap, spot, dist, size)
            if excess[node] < 0:
                break
            tree[kept] = node
            kept += 1
        node = tree[at]
        at += 1
        base = dist[node] - price[node]
        if node == sink:
            for other in range(none + 1):
                further = base + price[other] - (unserved if other == none else 0)
                if used[other] > 0 and further < goal and further < dist[other]:
                    size = _offer(node, further, -1, -1, other, size, dist, parent, out, into, heap, spot)
                    goal = further if excess[other] < 0 else goal
            continue
        further = base + price[sink] + (unserved if node == none else 0)
        if (node == none or used[node] < room[node]) and further < goal and further < dist[sink]:
            size = _offer(node, further, -1, -1, sink, size, dist, parent, out, into, heap, spot)
            goal = further if excess[sink] < 0 else goal
        if node != none and stale[node]:
            _refresh(node, ptr, facility, cost, cell, near_ptr, near, after, first, step, leave, enter, slot_of)
            stale[node] = False
        for slot in range(near_ptr[node], near_ptr[node + 1]):
            other = near[slot]
            further = base + step[slot] + price[other]
            if further < goal and further < dist[other]:
                size = _offer(node, further, leave[slot], enter[slot], other, size, dist, parent, out, into, heap, spot)
                goal = further if excess[other] < 0 else goal
    for i in range(kept):
        price[tree[i]] += dist[node] - dist[tree[i]]
        dist[tree[i]] = 0
    dist[node] = FAR
    spot[node] = -1
    for i in range(size):
        dist[heap[i]] = FAR
        spot[heap[i]] = -1
    return node, kept


@njit(cache=True, nogil=True)
def _pruned(kept, room, flow, used, excess, dist, parent, out, spot, tree):
    """Drop the branches of a tree that can be used no more, all of it where its root has nobody left to send; tell its size."""
    none = len(room)
    root, stays = tree[0], 0
    for i in range(kept):
        node = tree[i]
        back = parent[node]
        if node == root:
            alive = excess[root] > 0
        elif dist[back] > 0:
            alive = False
        elif back == none + 1:
            alive = used[node] > 0
        elif node != none + 1:
            alive = flow[out[node]] > 0
        else:
            alive = back == none or used[back] < room[back]
        if alive:
            tree[stays] = node
            stays += 1
        else:
            dist[node] = FAR
            spot[node] = -1
    return stays


@njit(cache=True, nogil=True)
def _bottleneck(source, target, room, flow, used, excess, parent, out):
    """Count the people who can be sent along the path found."""
    none = len(room)
    people = min(excess[source], -excess[target])
    node = target
    while node != source:
        back = parent[node]
        if back == none + 1:
            people = min(people, used[node])
        elif node != none + 1:
            people = min(people, flow[out[node]])
        elif back != none:
            people = min(people, room[back] - used[back])
        node = back
    return people


@njit(cache=True, nogil=True)
def _arrive(
    pair, people,
    ptr, facility, cost, cell, room, near_ptr, near, place,
    flow, after, before, first, step, leave, enter, stale, seen,
):  # fmt: skip
    """Add people to a pair and let the cheapest moves from its facility know."""
    node = facility[pair]
    new = flow[pair] == 0
    flow[pair] += people
    if not new:
        return
    begin, end = ptr[cell[pair]], ptr[cell[pair] + 1]
    if node == len(room):
        for other in range(begin, end - 1):
            slot = near_ptr[node] + facility[other]
            if place[other] < seen[facility[other]]:
                seen[facility[other]] = place[other]
                step[slot], leave[slot], enter[slot] = cost[other], pair, other
        return
    _link(node, pair, after, before, first)
    if stale[node]:
        return
    slot = near_ptr[node]
    for other in range(begin, end):
        if other == pair:
            continue
        while near[slot] != facility[other]:
            slot += 1
        if cost[other] - cost[pair] < step[slot]:
            step[slot] = cost[other] - cost[pair]
            leave[slot] = pair
            enter[slot] = other


@njit(cache=True, nogil=True)
def _depart(
    pair, people,
    ptr, facility, cost, cell, room, near_ptr, reach_ptr, reach,
    flow, after, before, first, step, leave, enter, stale, seen,
):  # fmt: skip
    """Take people off a pair; if nobody is left, cheapest moves that began there must be found anew."""
    node = facility[pair]
    flow[pair] -= people
    if flow[pair] > 0:
        return
    if node == len(room):
        for other in range(ptr[cell[pair]], pair):
            if leave[near_ptr[node] + facility[other]] == pair:
                _next_unplaced(
                    facility[other], ptr, cost, cell, room, near_ptr, reach_ptr, reach, flow, step, leave, enter, seen
                )  # fmt: skip
        return
    _unlink(node, pair, after, before, first)
    for slot in range(near_ptr[node], near_ptr[node + 1]):
        if leave[slot] == pair:
            stale[node] = True


@njit(cache=True, nogil=True)
def improve(
    unserved,
    ptr, facility, cost, cell, room, near_ptr, near, reach_ptr, reach, place,
    flow, after, before, first, step, leave, enter, stale, seen, used, excess, price,
    dist, parent, out, into, heap, spot, tree, slot_of,
):  # fmt: skip
    """Send everybody who is too many somewhere else, each at the least cost; tell how many searches that took."""
    sink = len(room) + 1
    searches = 0
    for node in range(len(room)):
        _next_unplaced(node, ptr, cost, cell, room, near_ptr, reach_ptr, reach, flow, step, leave, enter, seen)
    for source in range(sink + 1):
        tree[0] = source
        kept = 0
        while excess[source] > 0:
            if kept == 0:
                dist[source] = 0
                spot[source] = -2
                kept = 1
            searches += 1
            target, kept = _shortest(
                kept, unserved,
                ptr, facility, cost, cell, room, near_ptr, near,
                after, first, step, leave, enter, stale, used, excess, price,
                dist, parent, out, into, heap, spot, tree, slot_of,
            )  # fmt: skip
            people = _bottleneck(source, target, room, flow, used, excess, parent, out)
            excess[source] -= people
            excess[target] += people
            node = target
            while node != source:
                back = parent[node]
                if back == sink:
                    used[node] -= people
                elif node == sink:
                    used[back] += people
                else:
                    _depart(
                        out[node], people,
                        ptr, facility, cost, cell, room, near_ptr, reach_ptr, reach,
                        flow, after, before, first, step, leave, enter, stale, seen,
                    )  # fmt: skip
                    _arrive(
                        into[node], people,
                        ptr, facility, cost, cell, room, near_ptr, near, place,
                        flow, after, before, first, step, leave, enter, stale, seen,
                    )  # fmt: skip
                node = back
            kept = _pruned(kept, room, flow, used, excess, dist, parent, out, spot, tree)
    return searches
