"""Find the best plan over years with its bound: branch and bound where the model is small, search and prices first where not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from careshed.siting.phasing.improving import KICKS, Crew, crew_of, improve, without_idle
from careshed.siting.phasing.prices import Prices, priced, settled
from careshed.siting.phasing.stack import Stack, value_of, weighed
from careshed.siting.planning.model import Aim, Draft, Line
from careshed.siting.planning.optimum import _same
from careshed.siting.planning.solving import OutOfWork, _bound, grain_of, holds, ran, solver
from careshed.siting.problem import Ints

if TYPE_CHECKING:
    import highspy

SMALL: Final = 40_000
"""Pairs of step and site, all phases together, up to which branch and bound is tried at once."""

OPEN: Final = 250_000
"""The same for what prices leave open; above it their bound stands."""

ITERATIONS_A_NODE: Final = 10
"""Simplex iterations that one search may spend for each node of its work limit; one where prices have gone before."""

BoundBy = Literal["highs", "prices", "counting"]


@dataclass(frozen=True)
class Effort:
    """How much one search may spend, its seed, and the gap that is good enough."""

    nodes: int
    seed: int
    gap: float = 0.0


@dataclass(frozen=True)
class Solved:
    """The best plan found for one aim."""

    possible: bool
    """False: proven that no plan exists."""
    built: Ints
    """Phase in which each place is built; the number of phases for never."""
    value: int
    bound: int
    bound_by: BoundBy
    whole: bool
    """Whether work alone ended every search."""
    searched: bool = False
    """Whether search and prices came before branch and bound."""

    def proven(self, aim: Aim) -> bool:
        """Whether no other plan is better by what counts."""
        return abs(self.bound - self.value) < _same(aim)


NONE: Final = Solved(False, np.zeros(0, dtype=np.int64), 0, 0, "highs", True)


def least(stack: Stack, lines: Sequence[Line], aim: Aim, effort: Effort) -> Solved:
    """Find the plan that needs least, of sites or money; small enough for branch and bound as it is."""
    return _branched(stack, _slim(stack, lines), lines, aim, effort, None)


def most_reached(
    stack: Stack, lines: Sequence[Line], aim: Aim, weights: Sequence[int], per: int, effort: Effort, start: Ints | None = None
) -> Solved:
    """Find the plan that reaches the most people over the years.

    Parameters
    ----------
    aim
        People reached in one year, of the one-year model.
    weights, per
        Weight of each phase as whole numbers over a denominator.
    start
        A plan that keeps all lines, where one is known.
    """
    goal = weighed(stack, aim, weights, per)
    crew = crew_of(stack, lines, aim, weights)
    large = sum(len(row.columns) for row in stack.draft.lines) > SMALL
    found = (
        _searched(stack, lines, goal, crew, effort, start) if large else _branched(stack, stack.draft, lines, goal, effort, start)
    )
    if not found.possible:
        return found
    built = without_idle(crew, found.built)
    value = value_of(goal, stack.amount(built))
    by: BoundBy = found.bound_by if len(_undecided(stack)) else "counting"
    return replace(found, built=built, value=value, bound=max(found.bound, value), bound_by=by, searched=large)


def _undecided(stack: Stack) -> Ints:
    lower, upper = np.array(stack.draft.lower), np.array(stack.draft.upper)
    return np.flatnonzero(lower < upper)


def _searched(stack: Stack, lines: Sequence[Line], goal: Aim, crew: Crew, effort: Effort, start: Ints | None) -> Solved:
    """Search, prove by prices, leave out what the prices settle, and branch over the rest where it is small enough."""
    first = _lean(stack, lines, _alone(crew, stack), effort) if start is None else Solved(True, start, 0, 0, "highs", True)
    if not first.possible:
        return first
    best = improve(crew, first.built)
    value = value_of(goal, stack.amount(best))
    prices = priced(stack.draft, lines, goal, seed=effort.seed)
    other = _lean(stack, lines, prices.leaning, effort)
    better = improve(crew, other.built) if other.possible else best
    if value_of(goal, stack.amount(better)) > value:
        best, value = better, value_of(goal, stack.amount(better))
    if prices.bound - value > max(effort.gap * value, grain_of(goal)):
        best = improve(crew, best, seed=effort.seed, kicks=min(KICKS, effort.nodes))
        value = value_of(goal, stack.amount(best))
    found = Solved(True, best, value, max(prices.bound, value), "prices", first.whole and other.whole and prices.whole)
    if found.bound - value < grain_of(goal) or found.bound - value <= effort.gap * value:
        return found
    return _finished(stack, lines, goal, effort, found, prices)


def _finished(stack: Stack, lines: Sequence[Line], goal: Aim, effort: Effort, found: Solved, prices: Prices) -> Solved:
    """Branch over what the prices leave open; what they settle cannot beat the plan at hand."""
    never, always = settled(stack.draft, prices, goal, found.value)
    rest = replace(stack.draft, lower=list(stack.draft.lower), upper=list(stack.draft.upper))
    for column in np.flatnonzero(never).tolist():
        rest.upper[column] = 0.0
    for column in np.flatnonzero(always).tolist():
        rest.lower[column] = 1.0
    fixed = np.array(rest.lower) == np.array(rest.upper)
    pairs = sum(int((~fixed[row.columns]).sum()) for row in rest.lines)
    if pairs > OPEN:
        return found
    try:
        last = _branched(stack, rest, lines, goal, effort, found.built, 1)
    except OutOfWork:
        return found
    if not last.possible or last.value <= found.value:
        bound = max(last.bound, found.value) if last.possible else found.value
        return replace(found, bound=min(found.bound, bound), bound_by="highs", whole=found.whole and last.whole)
    return replace(last, bound=min(max(last.bound, last.value), found.bound), whole=found.whole and last.whole)


def _alone(crew: Crew, stack: Stack) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What each site would reach alone from each phase on, as worth of its columns."""
    leaning = np.zeros(len(stack.draft.lower))
    own = np.asarray(crew.opens @ (crew.worth * (crew.needed == 1))).astype(np.float64)
    for at, weight in zip(stack.at, crew.weights.tolist(), strict=True):
        leaning[at[: len(own)]] = own * weight
    return leaning / max(float(leaning.max()), 1.0)


def _lean(stack: Stack, lines: Sequence[Line], leaning: np.ndarray[Any, np.dtype[np.float64]], effort: Effort) -> Solved:
    """Find the allowed plan that follows a leaning of sites and years best."""
    columns = np.concatenate([at[stack.new()] for at in stack.at])
    factors = tuple(round(float(one) * 1e6) + 1 for one in leaning[columns])
    return _branched(stack, _slim(stack, lines), lines, Aim(1, columns, factors, 0, 1_000_000), replace(effort, gap=0.01), None)


def _slim(stack: Stack, lines: Sequence[Line]) -> Draft:
    """The model without the steps that no rule counts."""
    decided = set(np.concatenate([at[: stack.base.decided] for at in stack.at]).tolist())
    wanted = {column for row in lines for column in row.columns.tolist()} - decided
    grown = True
    rows = [row for row in stack.draft.lines if not decided.issuperset(row.columns.tolist())]
    plain = [row for row in stack.draft.lines if decided.issuperset(row.columns.tolist())]
    kept: list[Line] = []
    while grown:
        mine = [row for row in rows if int(row.columns[0]) in wanted]
        more = {column for row in mine for column in row.columns.tolist()} - decided - wanted
        grown, wanted, kept = bool(more), wanted | more, mine
    return replace(stack.draft, lines=[*plain, *kept])


def _branched(
    stack: Stack,
    draft: Draft,
    lines: Sequence[Line],
    aim: Aim,
    effort: Effort,
    start: Ints | None,
    iterations: int = ITERATIONS_A_NODE,
) -> Solved:
    """Let HiGHS branch and bound, and count its answer again in whole numbers."""
    highs = solver(draft, lines, aim, nodes=effort.nodes, seed=effort.seed)
    highs.setOptionValue("mip_rel_gap", effort.gap)
    _limit_iterations(highs, effort.nodes * iterations)
    if start is not None:
        _begin_with(highs, stack, start)
    possible, ended = ran(highs)
    if not possible:
        return NONE
    built = stack.built((np.asarray(highs.getSolution().col_value, dtype=np.float64) > 0.5).astype(np.int64))
    amount = stack.amount(built)
    if not all(holds(row, amount) for row in [*lines]):
        raise ArithmeticError("the solver's answer breaks a rule in whole numbers; please report this with its input")
    value = value_of(aim, amount)
    return Solved(True, built, value, _bound(aim, highs.getInfo().mip_dual_bound, value), "highs", ended)


def _limit_iterations(highs: highspy.Highs, most: int) -> None:
    """Stop a search by the simplex iterations that it has made, which the clock does not sway."""

    def stop(event: Any) -> None:
        if event.data_out.simplex_iteration_count > most:
            event.data_in.user_interrupt = True

    highs.cbMipInterrupt.subscribe(stop)


def _begin_with(highs: highspy.Highs, stack: Stack, start: Ints) -> None:
    import highspy

    solution = highspy.HighsSolution()
    solution.col_value = (stack.amount(start) / 1e6).tolist()
    highs.setSolution(solution)
