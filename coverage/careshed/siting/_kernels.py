# mypy: disallow_untyped_defs=False, disallow_untyped_calls=False, disallow_untyped_decorators=False
# ruff: noqa: NPY002 (numba seeds and draws by these names, a state of its own for each thread)
"""Run the compiled loops of siting: choosing, giving up and exchanging sites, annealing, what makes a candidate needless.

Every count of people is a whole number, so gains stay exact however often sites come and go; an exchange is judged from the
gain of the one, the loss of the other and what both share (the tables of fast interchange; Resende and Werneck, 2007), read off
the cells that one site alone reaches. Threads run these loops without the interpreter's lock; each draws its own random numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class Net(NamedTuple):
    """A covering problem as plain arrays."""

    reach_start: NDArray[np.int64]
    reach: NDArray[np.int32]
    """Candidate -> cell groups, as two arrays like `problem.Sparse`."""
    seen_start: NDArray[np.int64]
    seen: NDArray[np.int32]
    """Cell group -> candidates."""
    weights: NDArray[np.int64]
    """Millionths of a person, shape (cell groups,)."""
    cost: NDArray[np.int64]
    """Shape (candidates,)."""
    home: NDArray[np.int64]
    """The needed unit that each candidate serves, -1 for none, shape (candidates,)."""
    units: int
    most: int
    """Most sites."""
    budget: int
    """Largest sum of costs."""


class State(NamedTuple):
    """A choice of sites under change."""

    chosen: NDArray[np.bool_]
    hits: NDArray[np.int32]
    """Chosen sites that reach each cell group."""
    owner: NDArray[np.int64]
    """Sum of the numbers of those sites: the site itself where it is alone."""
    gain: NDArray[np.int64]
    """Millionths of a person that a candidate would add, or that a chosen site would take away."""
    held: NDArray[np.int64]
    """Chosen sites in each unit."""
    sums: NDArray[np.int64]
    """People reached (millionths), cost and number of the chosen sites, shape (3,)."""


SLACK = 0.02
"""Share of the budget that annealing leaves over at most for long."""


def empty_state(net: Net) -> State:
    """Begin with no site."""
    candidates, cells = len(net.cost), len(net.weights)
    sizes = np.diff(net.reach_start)
    gain = np.zeros(candidates, np.int64)
    np.add.at(gain, np.repeat(np.arange(candidates), sizes), net.weights[net.reach])
    return State(
        np.zeros(candidates, np.bool_),
        np.zeros(cells, np.int32),
        np.zeros(cells, np.int64),
        gain,
        np.zeros(max(net.units, 1), np.int64),
        np.zeros(3, np.int64),
    )


@njit(cache=True, nogil=True, inline="always")
def _enter(net, state, i, site):
    """A chosen site begins to reach cell group i."""
    n = state.hits[i]
    w = net.weights[i]
    if n == 0:
        for f in range(net.seen_start[i], net.seen_start[i + 1]):
            state.gain[net.seen[f]] -= w
        state.gain[site] += w
        state.sums[0] += w
    elif n == 1:
        state.gain[state.owner[i]] -= w
    state.hits[i] = n + 1
    state.owner[i] += site


@njit(cache=True, nogil=True, inline="always")
def _leave(net, state, i, site):
    """A chosen site no longer reaches cell group i."""
    n = state.hits[i] - 1
    w = net.weights[i]
    state.hits[i] = n
    state.owner[i] -= site
    if n == 0:
        for f in range(net.seen_start[i], net.seen_start[i + 1]):
            state.gain[net.seen[f]] += w
        state.gain[site] -= w
        state.sums[0] -= w
    elif n == 1:
        state.gain[state.owner[i]] += w


@njit(cache=True, nogil=True, inline="always")
def _book(net, state, site, step):
    """Count a site in or out."""
    state.chosen[site] = step > 0
    state.sums[1] += step * net.cost[site]
    state.sums[2] += step
    if net.home[site] >= 0:
        state.held[net.home[site]] += step


@njit(cache=True, nogil=True)
def insert(net, state, site):
    """Choose a site."""
    for e in range(net.reach_start[site], net.reach_start[site + 1]):
        _enter(net, state, net.reach[e], site)
    _book(net, state, site, +1)


@njit(cache=True, nogil=True)
def remove(net, state, site):
    """Give a site up."""
    for e in range(net.reach_start[site], net.reach_start[site + 1]):
        _leave(net, state, net.reach[e], site)
    _book(net, state, site, -1)


@njit(cache=True, nogil=True)
def shared(net, state, site, other):
    """People whom `site` alone reaches and `other` would reach too."""
    both = 0
    e, f = net.reach_start[site], net.reach_start[other]
    last_e, last_f = net.reach_start[site + 1], net.reach_start[other + 1]
    while e < last_e and f < last_f:
        i, j = net.reach[e], net.reach[f]
        if i == j:
            if state.hits[i] == 1:
                both += net.weights[i]
            e += 1
            f += 1
        elif i < j:
            e += 1
        else:
            f += 1
    return both


@njit(cache=True, nogil=True)
def exchange(net, state, a, b):
    """Choose `b` in place of `a`; only cells that one of them alone reaches change hands."""
    e, f = net.reach_start[a], net.reach_start[b]
    last_e, last_f = net.reach_start[a + 1], net.reach_start[b + 1]
    none = len(net.weights)
    while e < last_e or f < last_f:
        i = net.reach[e] if e < last_e else none
        j = net.reach[f] if f < last_f else none
        if i == j:
            if state.hits[i] == 1:
                state.gain[a] -= net.weights[i]
                state.gain[b] += net.weights[i]
            state.owner[i] += b - a
            e += 1
            f += 1
        elif i < j:
            _leave(net, state, i, a)
            e += 1
        else:
            _enter(net, state, j, b)
            f += 1
    _book(net, state, a, -1)
    _book(net, state, b, +1)


@njit(cache=True, nogil=True)
def may_leave(net, state, site, other):
    """Whether `site` may go and `other` come in its place (-1 for none) without leaving a unit empty or breaking a limit."""
    u = net.home[site]
    if u >= 0 and state.held[u] <= 1 and (other < 0 or net.home[other] != u):
        return False
    return other < 0 or state.sums[1] - net.cost[site] + net.cost[other] <= net.budget


@njit(cache=True, nogil=True)
def _within(start, items, a, b):
    """Whether row a is part of row b; rows ascend."""
    f = start[b]
    last = start[b + 1]
    for e in range(start[a], start[a + 1]):
        while f < last and items[f] < items[e]:
            f += 1
        if f == last or items[f] != items[e]:
            return False
    return True


@njit(cache=True, nogil=True)
def dominated(reach_start, reach, seen_start, seen, serves_start, serves, cost):
    """Mark the candidates whose cells and units another candidate has too, at no more cost; of equals the first is kept."""
    count = len(cost)
    out = np.zeros(count, np.bool_)
    for a in range(count):
        if reach_start[a] == reach_start[a + 1]:
            continue
        rare = reach[reach_start[a]]
        for e in range(reach_start[a], reach_start[a + 1]):
            i = reach[e]
            if seen_start[i + 1] - seen_start[i] < seen_start[rare + 1] - seen_start[rare]:
                rare = i
        size, units = reach_start[a + 1] - reach_start[a], serves_start[a + 1] - serves_start[a]
        for f in range(seen_start[rare], seen_start[rare + 1]):
            b = seen[f]
            larger, more = reach_start[b + 1] - reach_start[b], serves_start[b + 1] - serves_start[b]
            if b == a or larger < size or more < units or cost[b] > cost[a]:
                continue
            if larger == size and more == units and cost[b] == cost[a] and b > a:
                continue
            if _within(reach_start, reach, a, b) and _within(serves_start, serves, a, b):
                out[a] = True
                break
    return out


@njit(cache=True, nogil=True)
def nearest_alike(net, wanted):
    """Name for each candidate the `wanted` others that share most of its people, -1 where there are fewer."""
    count = len(net.cost)
    alike = np.full((count, wanted), -1, np.int32)
    both = np.zeros(count, np.int64)
    met = np.empty(count, np.int32)
    for a in range(count):
        many = 0
        for e in range(net.reach_start[a], net.reach_start[a + 1]):
            i = net.reach[e]
            for f in range(net.seen_start[i], net.seen_start[i + 1]):
                b = net.seen[f]
                if b != a:
                    if both[b] == 0:
                        met[many] = b
                        many += 1
                    both[b] += net.weights[i]
        for k in range(min(wanted, many)):
            best = k
            for q in range(k + 1, many):
                if both[met[q]] > both[met[best]] or (both[met[q]] == both[met[best]] and met[q] < met[best]):
                    best = q
            met[k], met[best] = met[best], met[k]
            alike[a, k] = met[k]
        for k in range(many):
            both[met[k]] = 0
    return alike


@njit(cache=True, nogil=True)
def anneal(net, state, alike, price, hot, cold, rounds, proposals, near, seed):
    """Anneal from a choice that keeps the rules; every step keeps them.

    A share `near` of the proposals moves a site to a candidate alike; the others add a candidate, drop a site, or move a site to
    a candidate that reaches a cell which the site alone reaches. A site's cost counts at `price` millionths a unit of cost, less
    where budget is left and nothing where `SLACK` of it is, so that it is spent in the end. Returns the best choice met and what
    it reaches.
    """
    slack = max(SLACK * net.budget, 4.0 * net.budget / max(state.sums[2], 1), 1.0)
    full = price
    np.random.seed(seed)
    count, wanted = alike.shape
    best = state.chosen.copy()
    best_value = state.sums[0]
    sites = np.flatnonzero(state.chosen)
    room = np.zeros(count, np.int64)
    place = np.zeros(count, np.int64)
    m = len(sites)
    room[:m] = sites
    place[sites] = np.arange(m)
    for k in range(rounds):
        heat = hot * (cold / hot) ** (k / max(rounds - 1, 1))
        for _ in range(proposals):
            bar = heat * np.log(1.0 - np.random.random())
            price = full * max(0.0, 1.0 - (net.budget - state.sums[1]) / slack)
            a = b = -1
            if m > 0 and np.random.random() < near:
                a = room[np.random.randint(m)]
                b = alike[a, np.random.randint(wanted)]
                if b < 0 or state.chosen[b]:
                    continue
            else:
                b = np.random.randint(count)
                first, last = net.reach_start[b], net.reach_start[b + 1]
                if first == last:
                    continue
                if state.chosen[b]:
                    if price * net.cost[b] - state.gain[b] >= bar and may_leave(net, state, b, -1):
                        remove(net, state, b)
                        m -= 1
                        room[place[b]] = room[m]
                        place[room[m]] = place[b]
                    continue
                fits = state.sums[2] < net.most and state.sums[1] + net.cost[b] <= net.budget
                if fits and state.gain[b] - price * net.cost[b] >= bar:
                    insert(net, state, b)
                    room[m] = b
                    place[b] = m
                    m += 1
                    if state.sums[0] > best_value:
                        best_value = state.sums[0]
                        best[:] = state.chosen
                    continue
                i = net.reach[first + np.random.randint(last - first)]
                if state.hits[i] != 1:
                    continue
                a = state.owner[i]
            if not may_leave(net, state, a, b):
                continue
            d = state.gain[b] - state.gain[a] + price * (net.cost[a] - net.cost[b])
            if d < bar and d + shared(net, state, a, b) < bar:
                continue
            exchange(net, state, a, b)
            room[place[a]] = b
            place[b] = place[a]
            if state.sums[0] > best_value:
                best_value = state.sums[0]
                best[:] = state.chosen
    return best, best_value
