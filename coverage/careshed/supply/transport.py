"""Solve the transport problem: as many people as possible get a place within the limit, then with the least travel in all.

The answer is exact in whole numbers and proved by prices: a place costs what it would cost to do without it, everybody goes
where travel and price together are least, and only full facilities have a price. Then no other assignment serves more people,
or as many with less travel (complementary slackness; Hitchcock 1941; in Ahuja, Magnanti and Orlin 1993, section 9.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from careshed.supply._flow import Graph

Ints = NDArray[np.int64]

COARSER: Final = 4
"""Prices are first found as if the people of four neighbouring cells lived in one of them, before that of sixteen, and so on."""

FEWEST: Final = 200
"""With fewer cells than this, or than an eighth of the facilities, no coarser problem is solved first."""

MANY: Final = 64
"""With at least so many cells a facility, pairs that the prices make unlikely are left out until the prices ask for them."""

WIDTH: Final = 12
"""Pairs a cell that are not left out, on average."""


@dataclass(frozen=True)
class Pairs:
    """Cells and the facilities within their reach; an explicit pair of cost 0 is a pair like any other."""

    ptr: Ints
    """First pair of each cell; every cell's last is "no place", numbered as one facility more, at cost 0; shape (cells + 1,)."""
    facility: NDArray[np.int32]
    """Facility of each pair, ascending within a cell, shape (pairs,)."""
    cost: Ints
    """Cost ≥ 0 of each pair, shape (pairs,)."""
    cell: NDArray[np.int32]
    """Cell of each pair, shape (pairs,)."""

    def coarser(self, every: int) -> Pairs:
        """Keep the middle one of every so many cells in a row."""
        from careshed.supply._pairs import sample

        return Pairs(*sample(self.ptr, self.facility, self.cost, every))


@dataclass(frozen=True)
class Transport:
    """An assignment of least travel, and the prices that prove it."""

    cell: NDArray[np.int32]
    """Cell of each link, ascending, shape (links,)."""
    facility: NDArray[np.int32]
    """Facility of each link, shape (links,)."""
    people: Ints
    """Parts of people on each link, > 0, shape (links,)."""
    cost: Ints
    """Travel cost of each link, shape (links,)."""
    unplaced: Ints
    """Parts of people of each cell who find no place, shape (cells,)."""
    price: Ints
    """Price of a place at each facility, in travel cost, ≥ 0, shape (facilities,)."""
    unserved: int
    """Cost of finding no place: more than any chain of moves can save, so that serving comes before saving travel."""
    objective: int
    """People times travel cost, with `unserved` for those who find no place."""
    bound: int
    """What no assignment can be below: the value of the prices."""
    searches: int
    """Shortest-path searches it took, in all."""

    @property
    def proven(self) -> bool:
        """Whether the objective equals the bound."""
        return self.objective == self.bound


def pairs_by_cell(
    indptr: Ints, indices: NDArray[np.int32], cost: NDArray[np.uint32], *, kept: NDArray[np.bool_], rows: Ints, columns: Ints
) -> Pairs:
    """Turn travel costs of facility × cell into pairs by cell.

    Parameters
    ----------
    kept
        Which pairs count, shape (pairs,).
    rows
        Rows of the facilities that count, in the order in which they are to be numbered.
    columns
        Columns of the cells that count, in the order in which they are to be numbered.
    """
    from careshed.supply._pairs import by_cell

    number = np.full(max(int(indices.max(initial=-1)), int(columns.max(initial=-1))) + 1, -1, dtype=np.int64)
    number[columns] = np.arange(len(columns))
    return Pairs(*by_cell(indptr.astype(np.int64), indices, cost, rows, kept, number, len(columns)))


def solve_transport(pairs: Pairs, supply: Ints, room: Ints) -> Transport:
    """Give as many people as possible a place, then with the least travel in all; exact in whole numbers.

    People are in whole parts (persons, or millionths of a person); where all of `supply` and `room` are multiples of a number, so
    are all links.

    Examples
    --------
    Two cells of 3 people each, a facility of 4 places 1 and 2 away from them, one of 2 places 5 away from the first cell only.
    Two of the first cell must make room for two of the second:

    >>> import numpy as np
    >>> pairs = pairs_by_cell(
    ...     np.array([0, 2, 3]), np.array([0, 1, 0], np.int32), np.array([1, 2, 5], np.uint32),
    ...     kept=np.ones(3, bool), rows=np.arange(2), columns=np.arange(2),
    ... )
    >>> found = solve_transport(pairs, np.array([3, 3]), np.array([4, 2]))
    >>> list(zip(found.cell.tolist(), found.facility.tolist(), found.people.tolist()))
    [(0, 0, 1), (0, 1, 2), (1, 0, 3)]
    >>> found.unplaced.tolist(), found.proven
    ([0, 0], True)

    Raises
    ------
    ValueError
        If a cost, a supply or a room is below zero, or there are too many pairs for 32-bit numbers.
    """
    check(pairs, supply, room)
    unserved = int(pairs.cost.max(initial=0)) * len(room) + 1
    order = _neighbours_together(pairs)
    flow, price, searches = _in_stages(*_in_turn(pairs, order), supply[order], room, unserved)
    return told(pairs, supply, room, flow, price, unserved, searches)


def _neighbours_together(pairs: Pairs) -> Ints:
    """Put cells that have the same two facilities nearest next to one another, as they come in any order."""
    from careshed.supply._pairs import nearest_two

    first, second, cost = nearest_two(pairs.ptr, pairs.facility, pairs.cost)
    return np.lexsort((cost, second, first))


def _in_turn(pairs: Pairs, order: Ints) -> tuple[Pairs, NDArray[np.int32]]:
    """Put the cells in another order; tell also where each pair was."""
    from careshed.supply._pairs import in_turn

    *laid, was = in_turn(pairs.ptr, pairs.facility, pairs.cost, order)
    return Pairs(*laid), was


def _in_stages(pairs: Pairs, was: NDArray[np.int32], supply: Ints, room: Ints, unserved: int) -> tuple[Ints, Ints, int]:
    """Find prices for ever smaller groups of neighbours, then the optimum, pairs as they were before; count the searches."""
    every = 1
    while len(supply) > max(FEWEST, len(room) // 8) * every * COARSER:
        every *= COARSER
    price, searches = np.zeros(len(room), dtype=np.int64), 0
    while every > 1:
        gathered = np.add.reduceat(supply, np.arange(0, len(supply), every))
        _, price, more = _solved(pairs.coarser(every), gathered, room, price, unserved)
        every, searches = every // COARSER, searches + more
    found, price, more = _solved(pairs, supply, room, price, unserved)
    flow = np.empty_like(found)
    flow[was] = found
    return flow, price, searches + more


def check(pairs: Pairs, supply: Ints, room: Ints) -> None:
    """Refuse what is no transport problem."""
    for name, values in (("travel cost", pairs.cost), ("number of people", supply), ("number of places", room)):
        if len(values) and values.min() < 0:
            raise ValueError(f"a {name} of {values.min()} is below zero")
    if len(pairs.facility) >= 2**31:
        raise ValueError(f"{len(pairs.facility)} pairs of cell and facility are too many; choose a smaller limit")


def _solved(pairs: Pairs, supply: Ints, room: Ints, price: Ints, unserved: int) -> tuple[Ints, Ints, int]:
    """Find the optimum; with many cells over the likely pairs only, until its prices ask for no other."""
    from careshed.supply._pairs import narrow, tighten

    if len(supply) < MANY * len(room):
        return _improved(pairs, supply, room, price, unserved)
    kept = np.zeros(len(pairs.cost), dtype=np.bool_)
    width, searches = _width(pairs, price, unserved), 0
    flow = np.zeros(len(pairs.cost), dtype=np.int64)
    while tighten(pairs.ptr, pairs.facility, pairs.cost, np.append(price, unserved), width, kept):
        *few, was = narrow(pairs.ptr, pairs.facility, pairs.cost, pairs.cell, kept)
        found, price, more = _improved(Pairs(*few), supply, room, price, unserved)
        flow[:] = 0
        flow[was] = found
        searches += more
    return flow, price, searches


def _width(pairs: Pairs, price: Ints, unserved: int) -> int:
    """Choose how far above a cell's least cost and price its pairs are looked at: so far that a few a cell are."""
    some = pairs.coarser(max(1, (len(pairs.ptr) - 1) // FEWEST)) if len(pairs.ptr) > 1 else pairs
    full = some.cost + np.append(price, unserved)[some.facility]
    least = np.minimum.reduceat(full, some.ptr[:-1]) if len(full) else full
    above = np.sort(full - least[some.cell])
    return int(above[min(len(above), WIDTH * len(least)) - 1]) if len(above) else 0


def _improved(pairs: Pairs, supply: Ints, room: Ints, price: Ints, unserved: int) -> tuple[Ints, Ints, int]:
    """Find the optimum from given prices: people on each pair, the prices that prove it, searches needed."""
    from careshed.supply._flow import FAR, NEVER, Search, State, improve, settle

    graph = _graph(pairs, room)
    count, near = len(room), len(graph.near)
    state = State(
        flow=np.zeros(len(pairs.cost), dtype=np.int64),
        after=np.full(len(pairs.cost), -1, dtype=np.int32),
        before=np.full(len(pairs.cost), -1, dtype=np.int32),
        first=np.full(count, -1, dtype=np.int32),
        step=np.full(near, NEVER, dtype=np.int64),
        leave=np.full(near, -1, dtype=np.int32),
        enter=np.full(near, -1, dtype=np.int32),
        stale=np.ones(count, dtype=np.bool_),
        seen=graph.reach_ptr[:-1].copy(),
        used=np.zeros(count + 1, dtype=np.int64),
        excess=np.zeros(count + 2, dtype=np.int64),
        price=np.concatenate([price, [unserved, 0]]).astype(np.int64),
    )
    blank = np.full(count + 2, -1, dtype=np.int32)
    search = Search(
        dist=np.full(count + 2, FAR, dtype=np.int64),
        parent=blank.copy(),
        out=blank.copy(),
        into=blank.copy(),
        heap=blank.copy(),
        spot=blank.copy(),
        tree=blank.copy(),
        slot=np.zeros(count + 2, dtype=np.int64),
    )
    settle(*graph[:3], supply, room, state.price, state.flow, state.after, state.before, state.first, state.used, state.excess)
    searches = improve(unserved, *graph, *state, *search)
    # A facility that nobody uses may end below the price of the sink; raising it to that changes nothing.
    return state.flow, np.maximum(state.price[:count] - state.price[-1], 0), int(searches)


def _graph(pairs: Pairs, room: Ints) -> Graph:
    from careshed.supply._flow import Graph
    from careshed.supply._pairs import cheapest_first, neighbours

    reach_ptr, reach, place = cheapest_first(pairs.facility, pairs.cost, len(room))
    near_ptr, near = neighbours(pairs.ptr, pairs.facility, pairs.cell, reach_ptr, reach, len(room))
    every = (pairs.ptr, pairs.facility, pairs.cost, pairs.cell)
    return Graph(*every, room, near_ptr, near, reach_ptr, reach, place)


def told(pairs: Pairs, supply: Ints, room: Ints, flow: Ints, price: Ints, unserved: int, searches: int) -> Transport:
    """List the links of a flow, and work out afresh what it costs and what the prices prove, over all pairs."""
    last = pairs.ptr[1:] - 1
    placed = flow > 0
    placed[last] = False
    at = np.flatnonzero(placed)
    cell, facility, people, cost = pairs.cell[at], pairs.facility[at], flow[at], pairs.cost[at]
    unplaced = flow[last]
    full = pairs.cost + np.append(price, unserved)[pairs.facility]
    least = np.minimum.reduceat(full, pairs.ptr[:-1]) if len(supply) else np.zeros(0, dtype=np.int64)
    assert flow.min(initial=0) >= 0 <= price.min(initial=0)
    assert np.all(sums(people, facility, len(room)) <= room)
    assert np.all(sums(people, cell, len(supply)) + unplaced == supply)
    return Transport(
        cell=cell,
        facility=facility,
        people=people,
        cost=cost,
        unplaced=unplaced,
        price=price,
        unserved=unserved,
        objective=product(people, cost) + int(unplaced.sum()) * unserved,
        bound=product(supply, least) - product(room, price),
        searches=searches,
    )


def sums(values: Ints, at: NDArray[np.integer], size: int) -> Ints:
    """Add up whole numbers by position."""
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, at, values)
    return total


def product(a: Ints, b: Ints) -> int:
    """Add up the products of two rows of whole numbers, exactly, however large.

    >>> product(np.array([2**62]), np.array([2**62])) == 2**124
    True
    """
    return int(np.dot(a.astype(object), b.astype(object))) if len(a) else 0
