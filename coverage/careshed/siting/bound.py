"""Prove how many people any choice of sites could reach at most, in whole numbers and without trusting a solver."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from careshed.siting.problem import PARTS_PER_PERSON, Flags, Ints, Problem

if TYPE_CHECKING:
    import highspy

Floats = NDArray[np.float64]

IPM_STEPS: Final = 100
"""Interior-point steps for the prices; 20 to 40 are usual. Any prices give a valid bound: stopping early only blunts it."""

IPM_PAIRS: Final = 100_000
"""Candidate–cell pairs above which `stepped_relaxation` proposes the prices; factorising would take too long."""

STEP_ROUNDS: Final = 3_000
"""Primal–dual steps at most; a city needs 1,000 to 3,000 until the bound is within 0.01 % of the relaxation's."""

STEP_WORK: Final = 4_000_000_000
"""Steps times candidate–cell pairs at most: half a minute of one core."""

TRIALS: Final = 2_000
"""Candidates above which `settled` is not tried under unit rules, each trial being a choice of its own."""

ROOM: Final = 1 << 58
"""Sums of worths stay below this, so that 64-bit integers hold them."""

FORCED: Final = 1 << 60
"""Added to a candidate's worth to force it into the best choice."""

EXACT: Final = 1e-9
"""How far HiGHS may leave a row or a whole number in an exact search: a yuan of a large budget is less than its usual 1e-6."""


@dataclass(frozen=True)
class Bound:
    """A Lagrangian bound: the people that no choice can exceed, and the prices that prove it."""

    people: int
    """Millionths of a person, rounded down to the problem's grain."""
    exact: int
    """The same before rounding, in units of 1 / `scale` millionths."""
    worth: Ints
    """Price of all cell groups that each candidate reaches less the toll on its cost, units of 1 / `scale` millionths, shape
    (candidates,)."""
    scale: int


@dataclass(frozen=True)
class Relaxation:
    """What the linear relaxation proposes; nothing proven rests on it."""

    prices: Floats
    """People that each cell group pays for being reached, shape (cell groups,)."""
    leaning: Floats
    """How far each candidate is chosen, 0 to 1, shape (candidates,)."""


def lagrangian_bound(problem: Problem, prices: Floats) -> Bound:
    """Bound the people reached by pricing each cell group between nothing and all its people.

    A group pays its price to the sites that reach it and keeps the rest: Σ(people − price) + the largest worth of an allowed
    choice. A budget is priced too: every site pays a toll on its cost, and the toll on the whole budget is added. Whatever the
    prices, no choice reaches more (Lagrangian relaxation; Galvão and ReVelle, 1996). Prices are rounded to integers first and
    everything after is integer arithmetic, so the bound is exact for the rounded prices.

    Parameters
    ----------
    prices
        People a cell group, shape (cell groups,); clipped to the group's people.
    """
    total = int(problem.weights.sum())
    scale = 1 << max((ROOM // max(total, 1)).bit_length() - 1, 0)
    most = problem.weights * scale
    whole = np.minimum(np.clip(np.rint(prices * float(PARTS_PER_PERSON * scale)), 0, float(ROOM)).astype(np.int64), most)
    worth = np.zeros(len(problem.ids), dtype=np.int64)
    np.add.at(worth, _rows(problem), whole[problem.reach.items])
    kept = total * scale - int(whole.sum())
    toll = _best_toll(problem, worth)
    worth = worth - toll * problem.costs
    exact = kept + toll * (problem.budget or 0) + best_choice(problem, worth)[1]
    return Bound(min(_floored(exact // scale, problem), total), exact, worth, scale)


def _best_toll(problem: Problem, worth: Ints) -> int:
    """The toll a unit of cost, in whole units of worth, under which the bound is lowest; found by halving a slope."""
    if problem.budget is None or not problem.costs.any():
        return 0
    charged = problem.costs > 0
    low, high = 0, min(int((worth[charged] // problem.costs[charged]).max()) + 1, ROOM // int(problem.costs.max()))
    while high - low > 1:
        middle = (low + high) // 2
        below, above = (
            toll * problem.budget + best_choice(problem, worth - toll * problem.costs)[1] for toll in (middle - 1, middle)
        )
        low, high = (middle, high) if above < below else (low, middle)
    return low


def best_choice(problem: Problem, worth: Ints) -> tuple[int, int]:
    """Choose at most n candidates that serve the most units, and among those choices the largest worth; exact.

    A budget is left out: its toll is in the worths. Where number or budget do not suffice for all units and there is a budget,
    the units are left out too, which only raises the worth.

    Returns
    -------
    units, worth
        Where every unit can be served, the best of each leaf and then the best of the rest: leaves share no candidate. Else units
        nest, so taking the candidate with the most new units, then the largest worth, one by one is exact (Steel, 2005).
    """
    if not problem.units or (problem.budget is not None and not problem.serves_all):
        top = -np.partition(-worth, problem.n - 1)[: problem.n] if 0 < problem.n < len(worth) else worth[: problem.n]
        return 0, int(np.maximum(top, 0).sum())
    if problem.serves_all:
        must, rest = _best_of_leaves(problem, worth)
        free = problem.n - len(must)
        top = -np.partition(-rest, free - 1)[:free] if 0 < free < len(rest) else rest[:free]
        return len(problem.units), int(worth[must].sum()) + int(np.maximum(top, 0).sum())
    served = [tuple(int(unit) for unit in problem.serves.of(site)) for site in range(len(worth))]
    heap = [(-len(units), -int(value), site) for site, (units, value) in enumerate(zip(served, worth, strict=True)) if value >= 0]
    heapq.heapify(heap)
    held: set[int] = set()
    left, total = problem.n, 0
    while heap and left:
        units, value, site = heapq.heappop(heap)
        new = sum(unit not in held for unit in served[site])
        if new < -units:
            heapq.heappush(heap, (-new, value, site))
            continue
        held.update(served[site])
        left, total = left - 1, total - value
    return len(held), total


def _best_of_leaves(problem: Problem, worth: Ints) -> tuple[Ints, Ints]:
    """The worthiest candidate of every leaf, and the worths of all other candidates."""
    home = problem.home
    lies = np.flatnonzero(home >= 0)
    order = lies[np.lexsort((lies, -worth[lies], home[lies]))]
    must = order[np.flatnonzero(np.diff(home[order], prepend=-1))]
    return must, np.delete(worth, must)


def most_units(problem: Problem) -> int:
    """Largest number of needed units that n sites within the budget can serve."""
    if problem.serves_all:
        return len(problem.units)
    if problem.budget is None:
        return best_choice(problem, np.zeros(len(problem.ids), dtype=np.int64))[0]
    return len({int(unit) for site in serving_sites(problem) for unit in problem.serves.of(site)})


def serving_sites(problem: Problem) -> tuple[int, ...]:
    """Find sites that serve the most units where the budget does not suffice for all; the search is HiGHS's, without a gap.

    Sites that pass the budget by less than the solver sees are barred together, and the search goes on. Of candidates that serve
    the same units only the cheapest is looked at.
    """
    import highspy

    chains: dict[tuple[int, ...], int] = {}
    for site in np.lexsort((np.arange(len(problem.ids)), problem.costs)):
        chains.setdefault(tuple(int(unit) for unit in problem.serves.of(int(site))), int(site))
    chains.pop((), None)
    sites, units = list(chains.values()), len(problem.units)
    highs: highspy.Highs = highspy.Highs()  # type: ignore[no-untyped-call]
    options = (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.5))
    for option, setting in (*options, ("mip_feasibility_tolerance", EXACT), ("primal_feasibility_tolerance", EXACT)):
        highs.setOptionValue(option, setting)
    columns = [highs.addBinary() for _ in sites]
    helped = [highs.addBinary(obj=-1.0) for _ in range(units)]
    for unit in range(units):
        near = [column for column, chain in zip(columns, chains, strict=True) if unit in chain]
        highs.addConstr(highs.qsum(near) - helped[unit] >= 0)
    highs.addConstr(highs.qsum(columns) <= problem.n)
    bill = highs.qsum(
        column * (int(problem.costs[site]) / (problem.budget or 1)) for column, site in zip(columns, sites, strict=True)
    )
    highs.addConstr(bill <= 1.0)
    while True:
        highs.run()
        found = np.asarray(highs.getSolution().col_value)[: len(sites)] > 0.5
        chosen = [site for site, taken in zip(sites, found, strict=True) if taken]
        if int(problem.costs[chosen].sum()) <= (problem.budget or 0):
            return tuple(sorted(chosen))
        highs.addConstr(highs.qsum(column for column, taken in zip(columns, found, strict=True) if taken) <= len(chosen) - 1)


def settled(problem: Problem, bound: Bound, value: int) -> tuple[Flags, Flags]:
    """Find the candidates that every better choice has, and those that none has.

    A candidate is out where the bound with it forced in shows nothing better than `value`, and in where the bound without it
    shows the same.
    """
    goal = (value + problem.grain) * bound.scale
    count = len(problem.ids)
    if problem.units and problem.serves_all:
        return _settled_leaves(problem, bound, goal)
    if problem.units and problem.budget is None:
        return _settled_by_trials(problem, bound, goal)
    order = np.argsort(-bound.worth, kind="stable")
    ranked = np.maximum(np.concatenate([bound.worth[order], np.zeros(problem.n + 1, dtype=np.int64)]), 0)
    last, following = int(ranked[problem.n - 1]), int(ranked[problem.n])
    top = np.zeros(count, dtype=np.bool_)
    top[order[: problem.n]] = True
    top &= bound.worth > 0
    return top & (bound.exact - bound.worth + following < goal), ~top & (bound.exact + bound.worth - last < goal)


def _settled_leaves(problem: Problem, bound: Bound, goal: int) -> tuple[Flags, Flags]:
    """Settle where every unit is served: what leaves or enters the best choice changes it by at least so much.

    A leaf's best that goes is followed by the second of the leaf or by the first outside the choice; a candidate that comes
    takes the last free place or that of its leaf's best.
    """
    worth, home, count = bound.worth, problem.home, len(problem.ids)
    must, _ = _best_of_leaves(problem, worth)
    forced = np.zeros(count, dtype=np.bool_)
    forced[must] = True
    free = problem.n - len(must)
    order = np.flatnonzero(~forced)[np.argsort(-worth[~forced], kind="stable")]
    ranked = np.maximum(np.concatenate([worth[order], np.zeros(free + 1, dtype=np.int64)]), 0)
    last, following = int(ranked[free - 1]) if free else 0, int(ranked[free])
    top = np.zeros(count, dtype=np.bool_)
    top[order[:free]] = True
    top &= worth > 0
    second = np.full(len(problem.units), -FORCED, dtype=np.int64)
    np.maximum.at(second, home[~forced & (home >= 0)], worth[~forced & (home >= 0)])
    heir = np.where(forced, np.maximum(second[home], following), following)
    best = np.zeros(len(problem.units), dtype=np.int64)
    best[home[must]] = worth[must]
    spared = np.full(count, last if free else FORCED, dtype=np.int64)
    spared[home >= 0] = np.minimum(spared[home >= 0], best[home[home >= 0]])
    inside = forced | top
    return inside & (bound.exact - worth + heir < goal), ~inside & (bound.exact + worth - spared < goal)


def _settled_by_trials(problem: Problem, bound: Bound, goal: int) -> tuple[Flags, Flags]:
    """Settle each candidate by a choice of its own, where not every unit can be served."""
    count, fixed = len(problem.ids), bound.exact - best_choice(problem, bound.worth)[1]
    if count > TRIALS:
        return np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    wanted = most_units(problem)
    always = [_without(problem, bound.worth, site, wanted) for site in range(count)]
    never = [_with(problem, bound.worth, site) for site in range(count)]
    return np.array([fixed + most < goal for most in always]), np.array([fixed + most < goal for most in never])


def _without(problem: Problem, worth: Ints, site: int, wanted: int) -> int:
    barred = worth.copy()
    barred[site] = -1
    units, most = best_choice(problem, barred)
    return most if units == wanted else -FORCED


def _with(problem: Problem, worth: Ints, site: int) -> int:
    forced = worth.copy()
    forced[site] += FORCED
    return best_choice(problem, forced)[1] - FORCED


def relax(problem: Problem, value: int) -> Relaxation:
    """Solve the linear relaxation for prices and leanings; by first-order steps where it is too large to factorise."""
    if len(problem.reach.items) > IPM_PAIRS:
        return stepped_relaxation(problem, value)
    highs = linear_model(problem)
    for option, setting in (("solver", "ipm"), ("run_crossover", "off"), ("ipm_iteration_limit", IPM_STEPS)):
        highs.setOptionValue(option, setting)
    highs.run()
    solution = highs.getSolution()
    prices = np.abs(np.nan_to_num(np.asarray(solution.row_dual, dtype=np.float64)))[: len(problem.weights)]
    leaning = np.clip(np.nan_to_num(np.asarray(solution.col_value, dtype=np.float64)), 0, 1)[: len(problem.ids)]
    if not len(prices) or not len(leaning):
        return stepped_relaxation(problem, value)
    return Relaxation(prices, leaning)


def stepped_relaxation(problem: Problem, value: int, rounds: int = STEP_ROUNDS) -> Relaxation:
    """Approach the relaxation by primal–dual steps (see `primal_dual`), until its bound meets `value` or settles."""
    from careshed.siting.primal_dual import solve_relaxation

    rounds = min(rounds, max(STEP_WORK // max(len(problem.reach.items), 1), 1))
    prices, leaning = solve_relaxation(problem, value, rounds)
    return Relaxation(prices, leaning)


def linear_model(problem: Problem) -> highspy.Highs:
    """Write the relaxation for HiGHS: a cell group counts only where a chosen candidate reaches it.

    Columns are candidates, cell groups and needed units; rows say for each group and unit that a site must be there, then that
    sites are at most n, that units served are as many as can be, and that the costs keep within the budget (as shares of it).
    """
    import highspy
    from scipy import sparse

    sites, groups, units = len(problem.ids), len(problem.weights), len(problem.units)
    group_rows, unit_columns = np.arange(groups), np.arange(units)
    seen_by = np.repeat(group_rows, np.diff(problem.seen.start))
    served_by = np.repeat(np.arange(sites), np.diff(problem.serves.start))
    count_row, units_row = groups + units, groups + units + 1
    entries = (
        (seen_by, problem.seen.items, -1),
        (group_rows, sites + group_rows, 1),
        (groups + problem.serves.items, served_by, -1),
        (groups + unit_columns, sites + groups + unit_columns, 1),
        (np.full(sites, count_row), np.arange(sites), 1),
        (np.full(units, units_row), sites + groups + unit_columns, -1),
        (np.full(sites, units_row + 1), np.arange(sites), problem.costs / max(problem.budget or 1, 1)),
    )
    at: tuple[Ints, Ints] = (np.concatenate([row for row, _, _ in entries]), np.concatenate([column for _, column, _ in entries]))
    values: Floats = np.concatenate([np.broadcast_to(np.asarray(value, dtype=np.float64), len(row)) for row, _, value in entries])
    shape = (groups + units + 3, sites + groups + units)
    rows: sparse.csr_matrix[np.float64] = sparse.csr_matrix((values, at), shape=shape)
    limit = highspy.kHighsInf if problem.budget is None else 1.0 if problem.budget else 0.0
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = rows.shape
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.concatenate([np.zeros(sites), problem.weights / PARTS_PER_PERSON, np.zeros(units)])
    model.col_lower_, model.col_upper_ = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    model.row_lower_ = np.full(rows.shape[0], -highspy.kHighsInf)
    model.row_upper_ = np.array([0.0] * (groups + units) + [float(problem.n), -float(most_units(problem)), limit])
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = rows.indptr, rows.indices, rows.data
    highs: highspy.Highs = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, setting in (("output_flag", False), ("threads", 1), ("parallel", "off")):
        highs.setOptionValue(option, setting)
    highs.passModel(model)
    return highs


def _rows(problem: Problem) -> Ints:
    return np.repeat(np.arange(len(problem.ids)), np.diff(problem.reach.start))


def _floored(people: int, problem: Problem) -> int:
    """Round down to an answer that can occur: every answer is a multiple of the grain."""
    return people // problem.grain * problem.grain
