"""Turn travel costs, people and rules into a maximal-covering problem in whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes

PARTS_PER_PERSON: Final = 1_000_000
"""People are counted in millionths, as integers, so that sums depend on no order; a cell is off by at most half a millionth."""

MOST_PEOPLE: Final = 4e9
"""Above this many people the whole-number sums would leave the exact range of double precision (2**53 millionths)."""

NO_COST: Final = 1 << 50
"""More than any cost."""

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Sparse:
    """Rows of ascending positions, as two arrays; a pair is there or it is not, so a cost of zero cannot be lost."""

    start: Ints
    """Row starts, shape (rows + 1,)."""
    items: Ints
    """Positions, row after row, shape (pairs,)."""

    def of(self, row: int) -> Ints:
        """Positions of one row."""
        return self.items[self.start[row] : self.start[row + 1]]

    def gather(self, rows: Ints) -> tuple[Ints, Ints]:
        """Positions of several rows, one after the other, and how many each row has."""
        sizes = self.start[rows + 1] - self.start[rows]
        ends = np.cumsum(sizes)
        shift = np.repeat(self.start[rows] - (ends - sizes), sizes)
        return self.items[np.arange(ends[-1] if len(ends) else 0) + shift], sizes

    def transposed(self, columns: int) -> Sparse:
        """Swap rows and columns; positions stay ascending."""
        rows = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        order = np.argsort(self.items, kind="stable")
        return Sparse(_starts(np.bincount(self.items, minlength=columns)), rows[order])

    def picked(self, rows: Ints) -> Sparse:
        """Keep these rows, in this order."""
        items, sizes = self.gather(rows)
        return Sparse(_starts(sizes), items)

    def kept(self, pairs: Flags) -> Sparse:
        """Leave out single pairs."""
        counted = np.concatenate([[0], np.cumsum(pairs)])
        return Sparse(counted[self.start], self.items[pairs])

    def __len__(self) -> int:
        return len(self.start) - 1


@dataclass(frozen=True)
class Problem:
    """Maximal covering (Church and ReVelle, 1974) after presolve: first the most units served, then the most people reached."""

    ids: tuple[str, ...]
    """Candidates that can matter, sorted by id, so that the order of the input rows changes nothing."""
    rows: Ints
    """Their rows in the travel costs, shape (candidates,)."""
    weights: Ints
    """Millionths of a person in each group of cells that the same candidates reach, all > 0, shape (cell groups,)."""
    reach: Sparse
    """Candidate -> cell groups within the limit."""
    seen: Sparse
    """Cell group -> candidates within the limit."""
    units: tuple[str, ...]
    """Units that still need a facility and have a candidate."""
    serves: Sparse
    """Candidate -> positions in `units` of the units it would serve."""
    leaves: Flags
    """Units with no smaller unit of `units` within them: as many sites serve all units, shape (units,)."""
    n: int
    """Most sites that may be chosen."""
    costs: Ints
    """Cost of each candidate in whole units of money, ≥ 0, shape (candidates,); zeros where none was given."""
    budget: int | None = None
    """Largest sum of costs, None for no limit."""

    @cached_property
    def home(self) -> Ints:
        """The leaf of `units` that each candidate serves, -1 for none, shape (candidates,); leaves share no candidate."""
        home = np.full(len(self.ids), -1, dtype=np.int64)
        rows = np.repeat(np.arange(len(self.ids)), np.diff(self.serves.start))
        leaf = self.leaves[self.serves.items]
        home[rows[leaf]] = self.serves.items[leaf]
        return home

    @cached_property
    def cheapest(self) -> Ints:
        """Least cost of a site in each unit, shape (units,)."""
        rows = np.repeat(np.arange(len(self.ids)), np.diff(self.serves.start))
        least = np.full(len(self.units), NO_COST, dtype=np.int64)
        np.minimum.at(least, self.serves.items, self.costs[rows])
        return least

    @cached_property
    def serves_all(self) -> bool:
        """Whether number and budget suffice for a site in every needed unit; leaves share no candidate, so the sum is exact."""
        leaves = int(self.leaves.sum())
        return leaves <= self.n and (self.budget is None or int(self.cheapest[self.leaves].sum()) <= self.budget)

    @property
    def grain(self) -> int:
        """Step between two possible answers: the greatest common divisor of the weights, millionths of a person."""
        return max(int(np.gcd.reduce(self.weights)), 1) if len(self.weights) else 1


def cost_limit(times: TravelTimes, minutes: float | None, metres: float | None) -> int:
    """Say a planner's limit as a cost of this matrix: milliseconds or millimetres, what equals it included.

    Raises
    ------
    ValueError
        If not exactly one limit is given, if it is of the other kind, not above zero, or beyond what was searched.
    """
    if (minutes is None) == (metres is None):
        raise ValueError("give either minutes= or metres=, and only one of them")
    asked = "time" if metres is None else "length"
    if asked != times.metric:
        word = "minutes" if asked == "time" else "metres"
        raise ValueError(f"{word}= needs travel costs of metric {asked!r}; these are of metric {times.metric!r}")
    given, unit, word = (minutes, 60_000, "minutes") if minutes is not None else (metres, 1_000, "metres")
    if given is None or not given > 0:
        raise ValueError(f"{word}={given} is no limit; give a number above zero")
    limit = round(given * unit)
    if limit > times.limit:
        searched = f"{times.limit / unit:g} {word}"
        raise ValueError(f"{given:g} {word} is beyond the {searched} searched; compute the travel costs further")
    return limit


def people_parts(cells: GeoDataFrame, group: str) -> Ints:
    """Count the people of a group on every cell in whole millionths.

    Raises
    ------
    ValueError
        If the group has no column, or a count is missing, negative or too large.
    """
    if group not in cells.columns:
        raise ValueError(f"the cells have no column {group!r}; they have {', '.join(map(str, cells.columns))}")
    people: NDArray[np.float64] = cells[group].to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~(np.isfinite(people) & (people >= 0)))
    if len(wrong):
        told = ", ".join(str(cells.index[i]) for i in wrong[:5])
        raise ValueError(f"column {group!r} is missing or negative in {len(wrong)} cells (such as {told}); repair the population")
    if people.sum() > MOST_PEOPLE:
        raise ValueError(f"column {group!r} holds {people.sum():.3g} people, more than {MOST_PEOPLE:.0g}; are the units right?")
    parts: Ints = np.rint(people * PARTS_PER_PERSON).astype(np.int64)
    return parts


def pairs_within(times: TravelTimes, limit: int) -> Sparse:
    """Keep the pairs at or below the limit; a cost of zero is a pair like any other."""
    return Sparse(times.indptr.astype(np.int64), times.indices.astype(np.int64)).kept(times.cost <= limit)


def cells_reached(times: TravelTimes | None, limit: int, count: int) -> Flags:
    """Mark the cells that some facility reaches within the limit."""
    reached = np.zeros(count, dtype=np.bool_)
    if times is not None:
        reached[pairs_within(times, limit).items] = True
    return reached


def build_problem(
    options: TravelTimes,
    demand: Ints,
    limit: int,
    *,
    chains: Mapping[str, Sequence[str]],
    units: Sequence[str],
    n: int | None,
    costs: Ints | None = None,
    budget: int | None = None,
) -> Problem:
    """Presolve: drop the candidates that no best choice needs, merge the cells that the same candidates reach.

    Out go candidates that no street reaches, that add nobody and serve no unit, that alone cost more than the budget, and those
    that another one makes needless (see `undominated`). All of it is valid for at most n sites, a budget and at least one site
    a unit, and for nothing else: spacing, capacities, backup or forced sites need the candidates that are dropped here.

    Parameters
    ----------
    demand
        Millionths of a person still to be reached on each cell; 0 where a facility already reaches them.
    chains
        Candidate -> units of `units` that it would serve, the finest first.
    n
        Most sites; None for as many as the budget allows.
    costs
        Whole units of money, one for each row of `options`; None for none.
    budget
        Largest sum of costs; None for no limit.
    """
    price = np.zeros(len(options.facilities), dtype=np.int64) if costs is None else costs
    able = np.flatnonzero((options.facility_fault == "") & (price <= (NO_COST if budget is None else budget)))
    names = [str(options.facilities.index[i]) for i in able]
    order = np.array(sorted(range(len(able)), key=names.__getitem__), dtype=np.int64)
    every = pairs_within(options, limit)
    items, sizes = every.gather(able[order].astype(np.int64))
    by_candidate = Sparse(_starts(sizes), items).kept(demand[items] > 0)
    serving = np.array([bool(chains.get(names[i])) for i in order], dtype=np.bool_)
    useful = np.flatnonzero((np.diff(by_candidate.start) > 0) | serving)
    by_candidate, order = by_candidate.picked(useful), order[useful]
    serves, leaves = _unit_rows([chains.get(names[i], ()) for i in order], units)
    held = np.flatnonzero(undominated(by_candidate, len(demand), serves, price[able[order]]))
    by_candidate, order, serves = by_candidate.picked(held), order[held], serves.picked(held)
    weights, seen = _merged_cells(by_candidate.transposed(len(demand)), demand)
    return Problem(
        ids=tuple(names[i] for i in order),
        rows=able[order].astype(np.int64),
        weights=weights,
        reach=seen.transposed(len(order)),
        seen=seen,
        units=tuple(units),
        serves=serves,
        leaves=leaves,
        n=len(order) if n is None else n,
        costs=price[able[order]],
        budget=budget,
    )


def restricted(problem: Problem, sites: Ints) -> Problem:
    """Leave only some candidates, ascending; cells that these alone do not tell apart are merged."""
    reach = problem.reach.picked(sites)
    weights, seen = _merged_cells(reach.transposed(len(problem.weights)), problem.weights)
    return replace(
        problem,
        ids=tuple(problem.ids[site] for site in sites),
        rows=problem.rows[sites],
        weights=weights,
        reach=seen.transposed(len(sites)),
        seen=seen,
        serves=problem.serves.picked(sites),
        costs=problem.costs[sites],
    )


def undominated(reach: Sparse, cells: int, serves: Sparse, costs: Ints) -> Flags:
    """Mark the candidates that no other one makes needless.

    A candidate is needless where another reaches all the cells that it reaches, serves all the units that it serves and costs no
    more; of two that are alike in everything the first stays.
    """
    from careshed.siting._kernels import dominated

    wide = reach.transposed(cells)
    needless: Flags = dominated(reach.start, reach.items, wide.start, wide.items, serves.start, serves.items, costs)
    return ~needless


def _merged_cells(by_cell: Sparse, demand: Ints) -> tuple[Ints, Sparse]:
    """Put cells with the same candidates together, in an order that depends on the candidates alone.

    Rows are told apart by two sums of random keys, and each is compared with the first of its group before it is merged.
    """
    rows = np.flatnonzero(np.diff(by_cell.start))
    filled = by_cell.picked(rows)
    keys = np.random.default_rng(9).integers(1, 1 << 62, (2, int(by_cell.items.max(initial=0)) + 1), dtype=np.uint64)
    sums = [np.add.reduceat(key[filled.items], filled.start[:-1]) if len(rows) else key[:0] for key in keys]
    order = np.lexsort((*sums, filled.items[filled.start[:-1]]))
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = np.logical_or.reduce([np.diff(part[order]) != 0 for part in sums])
    group = np.cumsum(fresh) - 1
    first = order[fresh]
    alike, sizes = filled.gather(first[group])
    mine, own = filled.gather(order)
    if not (np.array_equal(sizes, own) and np.array_equal(alike, mine)):
        raise ArithmeticError("two different sets of candidates share both sums of keys")
    weights = np.zeros(len(first), dtype=np.int64)
    np.add.at(weights, group, demand[rows[order]])
    return weights, filled.picked(first)


def _unit_rows(chains: Sequence[Sequence[str]], units: Sequence[str]) -> tuple[Sparse, Flags]:
    """Lay out which candidate serves which units, and which units hold no other."""
    place = {unit: i for i, unit in enumerate(units)}
    items = [place[unit] for chain in chains for unit in sorted(chain, key=place.__getitem__)]
    starts = _starts(np.array([len(chain) for chain in chains], dtype=np.int64))
    holding = {place[unit] for chain in chains for unit in chain[1:]}
    leaves = np.array([i not in holding for i in range(len(units))], dtype=np.bool_)
    return Sparse(starts, np.array(items, dtype=np.int64)), leaves


def _starts(sizes: NDArray[np.integer]) -> Ints:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def check_match(options: TravelTimes, existing: TravelTimes | None, cells: GeoDataFrame) -> None:
    """Make sure that both matrices speak of the same cells in the same way.

    Raises
    ------
    ValueError
        Naming everything that differs, and the cure.
    """
    wrong = [_other_cells("the candidates'", options.cell_ids, cells)]
    if options.facilities.index.has_duplicates:
        wrong.append("candidate ids repeat; give every candidate its own id")
    if existing is not None:
        wrong.append(_other_cells("the existing facilities'", existing.cell_ids, cells))
        for what, mine, theirs in (
            ("metric", options.metric, existing.metric),
            ("direction", options.direction, existing.direction),
            ("mode", options.mode, existing.mode),
        ):
            if mine != theirs:
                both = f"the candidates' {what} is {_said(mine)}, the existing facilities' is {_said(theirs)}"
                wrong.append(f"{both}; compute both alike")
    told = [fault for fault in wrong if fault]
    if told:
        raise ValueError("; ".join(told))


def _said(value: object) -> str:
    return repr(getattr(value, "name", value))


def _other_cells(whose: str, ids: pd.Index[int], cells: GeoDataFrame) -> str:
    if ids.equals(cells.index):
        return ""
    differ = f"{whose} travel costs are for other cells ({len(ids)}) than these ({len(cells)}), or for another order"
    return f"{differ}; use one cell table"
