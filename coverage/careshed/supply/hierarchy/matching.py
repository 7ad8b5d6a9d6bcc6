"""Match children with parents that have limited room: as many as possible, and of these the least total travel."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Pairs(NamedTuple):
    """Children and parents that may be joined, one entry a pair."""

    child: NDArray[np.int64]
    """Position of the child, shape (pairs,)."""
    parent: NDArray[np.int64]
    """Position of the parent, shape (pairs,)."""
    cost: NDArray[np.int64]
    """Milliseconds or millimetres, shape (pairs,)."""


HAIR: Final = 1e-9
"""Room may be overdrawn by this share of it: three children of 0.1 fit into 0.3, whatever the rounding of their sum."""


def match_pairs(pairs: Pairs, room: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give every child at most one parent: the most children first, then the least total travel; both exact.

    Parameters
    ----------
    pairs
        Who may be joined with whom; at most one entry a pair.
    room
        What each parent can take, infinite for no limit, shape (parents,).
    size
        What each child takes of it, above 0, shape (children,).

    Returns
    -------
    numpy.ndarray
        Position of each child's parent, −1 for none, shape (children,).

    Notes
    -----
    Children of one size are an assignment problem (sparse Jonker–Volgenant; costs are whole numbers, so the optimum is exact).
    Children of several sizes are a generalised assignment problem, solved as a mixed-integer programme with no gap allowed; a
    hundred children take a moment, a thousand with little room may take minutes.

    Examples
    --------
    Both children are nearest to the first parent, which takes one; moving the second costs least.

    >>> pairs = Pairs(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([10, 50, 20, 30]))
    >>> match_pairs(pairs, np.array([1.0, 1.0]), np.ones(2))
    array([0, 1])
    """
    room = room + HAIR * np.maximum(np.abs(room), 1.0)
    fits = size[pairs.child] <= room[pairs.parent]
    usable = Pairs(pairs.child[fits], pairs.parent[fits], pairs.cost[fits])
    nearest = _each_nearest(usable, len(size))
    load = np.bincount(nearest[nearest >= 0], weights=size[nearest >= 0], minlength=len(room))
    if (load <= room).all():
        return nearest
    if (size == size[0]).all():
        return _match_equal(usable, np.floor(room / size[0]), len(size))
    return _match_sizes(usable, room, size)


def _each_nearest(pairs: Pairs, children: int) -> NDArray[np.int64]:
    """The cheapest parent of every child (ties: the first), −1 where it has none."""
    order = np.lexsort((pairs.parent, pairs.cost, pairs.child))
    child, first = np.unique(pairs.child[order], return_index=True)
    found = np.full(children, -1, dtype=np.int64)
    found[child] = pairs.parent[order][first]
    return found


def _match_equal(pairs: Pairs, slots: NDArray[np.float64], children: int) -> NDArray[np.int64]:
    """Match children of one size: each place of a parent is a column, and each child has a column of its own for "none"."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    in_reach = np.bincount(pairs.parent, minlength=len(slots))
    places = np.minimum(slots, in_reach).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(places)])
    copies = places[pairs.parent]
    child, parent, cost = (np.repeat(part, copies) for part in pairs)
    place = np.arange(len(child)) - np.repeat(np.cumsum(copies) - copies, copies)
    everyone = np.arange(children)
    # One more than any total: a child is left out only where no rearrangement of the others lets it in.
    none = float((children + 1) * (int(pairs.cost.max()) + 1))
    rows = np.concatenate([child, everyone])
    columns = np.concatenate([first[parent] + place, first[-1] + everyone])
    # The solver drops zeros, so that every cost is one higher; each child has exactly one column, so nothing changes.
    weights = np.concatenate([cost.astype(float), np.full(children, none)]) + 1.0
    graph = coo_array((weights, (rows, columns)), shape=(children, int(first[-1]) + children)).tocsr()
    chosen = np.asarray(min_weight_full_bipartite_matching(graph)[1], dtype=np.int64)
    owner = np.concatenate([np.repeat(np.arange(len(places)), places), np.full(children, -1)])
    return owner[chosen].astype(np.int64)


def _match_sizes(pairs: Pairs, room: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.int64]:
    """Match children of several sizes: first the largest number that fits, then the least travel for that number."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    count = len(pairs.child)
    each = np.arange(count)
    once = coo_array((np.ones(count), (pairs.child, each)), shape=(len(size), count)).tocsr()
    limited = np.flatnonzero(np.isfinite(room))
    load = coo_array((size[pairs.child], (pairs.parent, each)), shape=(len(room), count)).tocsr()[limited]
    rules = [LinearConstraint(once, -np.inf, 1.0), LinearConstraint(load, -np.inf, room[limited])]

    def solve(objective: NDArray[np.float64], more: list[LinearConstraint]) -> NDArray[np.bool_]:
        whole = np.ones(count, dtype=np.int64)
        found = milp(objective, integrality=whole, bounds=Bounds(0, 1), constraints=rules + more, options={"mip_rel_gap": 0.0})
        return np.asarray(found.x, dtype=float) > 0.5

    most = int(solve(-np.ones(count), []).sum())
    chosen = solve(pairs.cost.astype(float), [LinearConstraint(np.ones((1, count)), most, most)])
    matched = np.full(len(size), -1, dtype=np.int64)
    matched[pairs.child[chosen]] = pairs.parent[chosen]
    return matched
