"""Lay out pairs of cells and facilities for the compiled loops: by cell, by facility, by cost; fill places in a given order."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def by_cell(indptr, indices, cost, order, kept, column, cells):
    """Turn facility × cell into cell × facility, facilities in `order` and "no place" last; `column` numbers the cells."""
    ptr = np.zeros(cells + 1, np.int64)
    for row in order:
        for pair in range(indptr[row], indptr[row + 1]):
            at = column[indices[pair]]
            if at >= 0 and kept[pair]:
                ptr[at + 1] += 1
    for at in range(cells):
        ptr[at + 1] += ptr[at] + 1
    free = ptr[:-1].copy()
    facility = np.empty(ptr[cells], np.int32)
    paid = np.empty(ptr[cells], np.int64)
    owner = np.empty(ptr[cells], np.int32)
    number = 0
    for row in order:
        for pair in range(indptr[row], indptr[row + 1]):
            at = column[indices[pair]]
            if at >= 0 and kept[pair]:
                facility[free[at]] = number
                paid[free[at]] = cost[pair]
                owner[free[at]] = at
                free[at] += 1
        number += 1
    for at in range(cells):
        facility[free[at]] = number
        paid[free[at]] = 0
        owner[free[at]] = at
    return ptr, facility, paid, owner


@njit(cache=True, nogil=True)
def nearest_two(ptr, facility, cost):
    """Tell of each cell its nearest facility, the next nearest ("no place" where there is none), and the cost of the nearest."""
    cells = len(ptr) - 1
    first = np.empty(cells, np.int32)
    second = np.empty(cells, np.int32)
    paid = np.zeros(cells, np.int64)
    for at in range(cells):
        last = ptr[at + 1] - 1
        best, next_best = last, last
        for pair in range(ptr[at], last):
            if best == last or cost[pair] < cost[best]:
                best, next_best = pair, best
            elif next_best == last or cost[pair] < cost[next_best]:
                next_best = pair
        first[at], second[at], paid[at] = facility[best], facility[next_best], cost[best]
    return first, second, paid


@njit(cache=True, nogil=True)
def in_turn(ptr, facility, cost, order):
    """Put the cells in another order; tell also where each pair was."""
    rows = np.zeros(len(ptr), np.int64)
    was = np.empty(len(facility), np.int32)
    owner = np.empty(len(facility), np.int32)
    for at in range(len(order)):
        start = ptr[order[at]]
        rows[at + 1] = rows[at] + ptr[order[at] + 1] - start
        for pair in range(rows[at], rows[at + 1]):
            was[pair] = start + pair - rows[at]
            owner[pair] = at
    return rows, facility[was], cost[was], owner, was


@njit(cache=True, nogil=True)
def sample(ptr, facility, cost, every):
    """Keep the middle one of every so many cells in a row."""
    last = len(ptr) - 2
    cells = last // every + 1
    rows = np.zeros(cells + 1, np.int64)
    for at in range(cells):
        middle = min(at * every + every // 2, last)
        rows[at + 1] = rows[at] + ptr[middle + 1] - ptr[middle]
    items = np.empty(rows[cells], np.int32)
    paid = np.empty(rows[cells], np.int64)
    owner = np.empty(rows[cells], np.int32)
    for at in range(cells):
        middle = min(at * every + every // 2, last)
        items[rows[at] : rows[at + 1]] = facility[ptr[middle] : ptr[middle + 1]]
        paid[rows[at] : rows[at + 1]] = cost[ptr[middle] : ptr[middle + 1]]
        owner[rows[at] : rows[at + 1]] = at
    return rows, items, paid, owner


@njit(cache=True, nogil=True)
def tighten(ptr, facility, cost, price, width, kept):
    """Mark the pairs whose cost and price are at most `width` above the cell's least, and "no place"; others stay as they are.

    Tells whether a pair not marked before is cheaper than all of its cell's that were.
    """
    cheaper = False
    for at in range(len(ptr) - 1):
        least, marked = np.int64(2**62), np.int64(2**62)
        for pair in range(ptr[at], ptr[at + 1]):
            full = cost[pair] + price[facility[pair]]
            least = min(least, full)
            if kept[pair]:
                marked = min(marked, full)
        if least < marked:
            cheaper = True
        for pair in range(ptr[at], ptr[at + 1] - 1):
            if cost[pair] + price[facility[pair]] - least <= width:
                kept[pair] = True
        kept[ptr[at + 1] - 1] = True
    return cheaper


@njit(cache=True, nogil=True)
def narrow(ptr, facility, cost, cell, kept):
    """Leave out the pairs not marked; tell also where the others were."""
    rows = np.zeros(len(ptr), np.int64)
    for at in range(len(ptr) - 1):
        rows[at + 1] = rows[at]
        for pair in range(ptr[at], ptr[at + 1]):
            rows[at + 1] += kept[pair]
    was = np.empty(rows[-1], np.int32)
    top = 0
    for pair in range(len(kept)):
        if kept[pair]:
            was[top] = pair
            top += 1
    return rows, facility[was], cost[was], cell[was], was


@njit(cache=True, nogil=True)
def cheapest_first(facility, cost, facilities):
    """List the pairs of each facility, the cheapest first ("no place" left out), and where each pair stands."""
    ptr = np.zeros(facilities + 1, np.int64)
    for at in facility:
        if at < facilities:
            ptr[at + 1] += 1
    for at in range(facilities):
        ptr[at + 1] += ptr[at]
    free = ptr[:-1].copy()
    pairs = np.empty(ptr[facilities], np.int32)
    place = np.full(len(facility), -1, np.int32)
    for pair in range(len(facility)):
        at = facility[pair]
        if at < facilities:
            pairs[free[at]] = pair
            free[at] += 1
    for at in range(facilities):
        mine = pairs[ptr[at] : ptr[at + 1]].copy()
        ranked = mine[np.argsort(cost[mine], kind="mergesort")]
        for i in range(len(ranked)):
            pairs[ptr[at] + i] = ranked[i]
            place[ranked[i]] = ptr[at] + i
    return ptr, pairs, place


@njit(cache=True, nogil=True)
def neighbours(ptr, facility, cell, reach_ptr, reach, facilities):
    """List the facilities that share a cell with each facility, "no place" last of them; for "no place" all facilities."""
    rows = np.zeros(facilities + 2, np.int64)
    items = np.empty(64 * facilities + 64, np.int32)
    mark = np.full(facilities + 1, -1, np.int32)
    top = 0
    for at in range(facilities):
        if top + facilities + 1 > len(items):
            grown = np.empty(2 * len(items) + facilities + 1, np.int32)
            grown[:top] = items[:top]
            items = grown
        start = top
        mark[at] = at
        for i in range(reach_ptr[at], reach_ptr[at + 1]):
            home = cell[reach[i]]
            for pair in range(ptr[home], ptr[home + 1]):
                other = facility[pair]
                if mark[other] != at:
                    mark[other] = at
                    items[top] = other
                    top += 1
        items[start:top] = np.sort(items[start:top])
        rows[at + 1] = top
    rows[facilities + 1] = top + facilities
    return rows, np.concatenate((items[:top], np.arange(facilities).astype(np.int32)))


@njit(cache=True, nogil=True)
def fill(cell, facility, supply, room):
    """Go through pairs in the order given: whoever still needs a place takes one where there still is room."""
    taken = np.zeros(len(cell), np.int64)
    for pair in range(len(cell)):
        people = min(supply[cell[pair]], room[facility[pair]])
        taken[pair] = people
        supply[cell[pair]] -= people
        room[facility[pair]] -= people
    return taken
