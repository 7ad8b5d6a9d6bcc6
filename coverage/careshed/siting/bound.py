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

IPM_PAIRS: Final = 2_000_000
"""Candidate–cell pairs above which `tuned_relaxation` proposes the prices; factorising would take too long."""

TUNING_ROUNDS: Final = 300

TRIALS: Final = 2_000
"""Candidates above which `settled` is not tried under unit rules, each trial being a choice of its own."""

ROOM: Final = 1 << 58
"""Sums of worths stay below this, so that 64-bit integers hold them."""

FORCED: Final = 1 << 60
"""Added to a candidate's worth to force it into the best choice."""


@dataclass(frozen=True)
class Bound:
    """A Lagrangian bound: the people that no choice can exceed, and the prices that prove it."""

    people: int
    """Millionths of a person, rounded down to the problem's grain."""
    exact: int
    """The same before rounding, in units of 1 / `scale` millionths."""
    worth: Ints
    """Price of all cell groups that each candidate reaches, units of 1 / `scale` millionths, shape (candidates,)."""
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
    choice. Whatever the prices, no choice reaches more (Lagrangian relaxation; Galvão and ReVelle, 1996). Prices are rounded to
    integers first and everything after is integer arithmetic, so the bound is exact for the rounded prices.

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
    exact = total * scale - int(whole.sum()) + best_choice(problem, worth)[1]
    return Bound(_floored(exact // scale, problem), exact, worth, scale)


def best_choice(problem: Problem, worth: Ints) -> tuple[int, int]:
    """Choose at most n candidates that serve the most units, and among those choices the largest worth; exact.

    Returns
    -------
    units, worth
        Units nest, so taking the candidate with the most new units, then the largest worth, one by one is exact (Steel, 2005).
    """
    if not problem.units:
        top = np.sort(worth)[::-1][: problem.n]
        return 0, sum(int(value) for value in top if value > 0)
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


def most_units(problem: Problem) -> int:
    """Largest number of needed units that n sites can serve."""
    return best_choice(problem, np.zeros(len(problem.ids), dtype=np.int64))[0]


def settled(problem: Problem, bound: Bound, value: int) -> tuple[Flags, Flags]:
    """Find the candidates that every better choice has, and those that none has.

    A candidate is out where the bound with it forced in shows nothing better than `value`, and in where the bound without it
    shows the same.
    """
    goal = (value + problem.grain) * bound.scale
    fixed = bound.exact - best_choice(problem, bound.worth)[1]
    count = len(problem.ids)
    if problem.units and count > TRIALS:
        return np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    if problem.units:
        wanted = most_units(problem)
        always = [_without(problem, bound.worth, site, wanted) for site in range(count)]
        never = [_with(problem, bound.worth, site) for site in range(count)]
        return np.array([fixed + most < goal for most in always]), np.array([fixed + most < goal for most in never])
    order = np.argsort(-bound.worth, kind="stable")
    ranked = np.concatenate([bound.worth[order], np.zeros(problem.n + 1, dtype=np.int64)])
    last, following = int(ranked[problem.n - 1]), int(ranked[problem.n])
    top = np.zeros(count, dtype=np.bool_)
    top[order[: problem.n]] = True
    return top & (bound.exact - bound.worth + following < goal), ~top & (bound.exact + bound.worth - last < goal)


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
    """Solve the linear relaxation for prices and leanings; by subgradient steps where it is too large to factorise."""
    if len(problem.reach.items) > IPM_PAIRS:
        return tuned_relaxation(problem, value)
    highs = linear_model(problem)
    for option, setting in (("solver", "ipm"), ("run_crossover", "off"), ("ipm_iteration_limit", IPM_STEPS)):
        highs.setOptionValue(option, setting)
    highs.run()
    solution = highs.getSolution()
    prices = np.abs(np.nan_to_num(np.asarray(solution.row_dual, dtype=np.float64)))[: len(problem.weights)]
    leaning = np.clip(np.nan_to_num(np.asarray(solution.col_value, dtype=np.float64)), 0, 1)[: len(problem.ids)]
    if not len(prices) or not len(leaning):
        return tuned_relaxation(problem, value)
    return Relaxation(prices, leaning)


def tuned_relaxation(problem: Problem, value: int, rounds: int = TUNING_ROUNDS) -> Relaxation:
    """Search prices by subgradient steps (Held and Karp, 1971), unit rules left out."""
    sites = _rows(problem)
    people, goal = problem.weights / PARTS_PER_PERSON, value / PARTS_PER_PERSON
    prices = people / np.maximum(np.diff(problem.seen.start), 1)
    best, lowest, pace, stale, chosen = prices, np.inf, 1.0, 0, np.zeros(len(problem.ids))
    for done in range(rounds):
        worth = np.bincount(sites, weights=prices[problem.reach.items], minlength=len(problem.ids))
        top = np.argsort(-worth, kind="stable")[: problem.n]
        chosen[top] += done
        bound = float((people - prices).sum() + worth[top].sum())
        stale = 0 if bound < lowest else stale + 1
        if bound < lowest:
            best, lowest = prices, bound
        if stale == 15:
            prices, pace, stale = best, pace * 0.6, 0
            continue
        slope = np.bincount(problem.reach.gather(top)[0], minlength=len(people)) - (prices < people)
        steepness = float((slope * slope).sum())
        if steepness == 0 or bound <= goal:
            break
        prices = np.clip(prices - pace * (bound - goal) / steepness * slope, 0, people)
    return Relaxation(best, chosen / max(chosen.max(initial=0), 1))


def linear_model(problem: Problem) -> highspy.Highs:
    """Write the relaxation for HiGHS: a cell group counts only where a chosen candidate reaches it.

    Columns are candidates, cell groups and needed units; rows say for each group and unit that a site must be there, then that
    sites are at most n, then that units served are as many as n sites can serve.
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
    )
    at: tuple[Ints, Ints] = (np.concatenate([row for row, _, _ in entries]), np.concatenate([column for _, column, _ in entries]))
    values: Floats = np.concatenate([np.full(len(row), float(value)) for row, _, value in entries])
    shape = (groups + units + 2, sites + groups + units)
    rows: sparse.csr_matrix[np.float64] = sparse.csr_matrix((values, at), shape=shape)
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = rows.shape
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.concatenate([np.zeros(sites), problem.weights / PARTS_PER_PERSON, np.zeros(units)])
    model.col_lower_, model.col_upper_ = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    model.row_lower_ = np.full(rows.shape[0], -highspy.kHighsInf)
    model.row_upper_ = np.array([0.0] * (groups + units) + [float(problem.n), -float(most_units(problem))])
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
