"""Solve the covering problem: heuristic answer, proven bound, exact search where the two still differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from careshed.siting.bound import EXACT, Bound, Relaxation, lagrangian_bound, linear_model, relax, serving_sites, settled
from careshed.siting.problem import PARTS_PER_PERSON, Flags, Problem
from careshed.siting.regions import regional_bound
from careshed.siting.relinking import QUICK, Effort, search_widely
from careshed.siting.search import Search, greedy, guided, improve, kick, start
from careshed.siting.stopping import run_stoppable

if TYPE_CHECKING:
    import highspy

Status = Literal["optimal", "feasible"]
BoundBy = Literal["lagrangian", "highs"]

NODES: Final = 5_000
"""Branch-and-bound nodes the exact search may spend: minutes at the very most for what `EXACT_PAIRS` lets in."""

EXACT_PAIRS: Final = 150_000
"""Candidate–cell pairs still open above which no exact search is tried; it would end at the safety stop."""

LARGE_PAIRS: Final = 100_000
"""Candidate–cell pairs above which the compiled search takes the place of the plain one."""

LARGE_EXACT_PAIRS: Final = 25_000
"""The same as `EXACT_PAIRS` in a large problem, where all the work was spent on the search and a node costs seconds."""

GUIDED: Final = 20
"""Greedy choices led by the linear relaxation, before local search; milliseconds each, in a large city a tenth of a second."""

KICKS: Final = 400
"""Rounds of local search before the exact one; each is a few milliseconds."""

SAFETY_SECONDS: Final = 120.0
"""The exact search is cut off here; the answer stands with its bound, but is marked as not reproducible."""

SAME_PEOPLE: Final = PARTS_PER_PERSON // 100
"""A hundredth of a person: below it two answers are the same, where cells hold fractions of people."""


@dataclass(frozen=True)
class Solution:
    """A choice of candidates, what it reaches and what no choice can exceed."""

    sites: tuple[int, ...]
    """Positions in `Problem.ids`, ascending."""
    value: int
    """People reached, millionths."""
    bound: int
    """Upper bound on the people reached, millionths, ≥ `value`."""
    status: Status
    bound_by: BoundBy
    method: str
    """How the sites were found: ``"greedy"``, ``"local search"`` or ``"branch and bound"``."""
    reproducible: bool = True


def solve(problem: Problem, *, seed: int, work_limit: int = NODES, effort: Effort | None = None, threads: int = 2) -> Solution:
    """Find the sites that reach the most people, and prove how good they are.

    Greedy and swaps give an answer. Prices from the linear relaxation give a Lagrangian bound, which is evaluated in integers and
    holds whatever the solver did. Where the two meet, the answer is optimal by our own proof. Else local search tries to lift
    the answer. In large problems annealing and small exact problems do (see `relinking`), and where nothing but the number of
    sites is limited, the bound is sharpened by exact searches region by region (see `regions`). Then candidates that cannot
    matter are settled by the bound, and HiGHS searches the rest without a gap; what HiGHS proves rests on it (floating point,
    tolerance 1e-9 of the people). Ctrl-C ends the work with the best answer so far, marked as not reproducible.

    Parameters
    ----------
    work_limit
        Branch-and-bound nodes of the exact search; 0 leaves it out.
    effort
        Work of the search in large problems; None for the usual one, or a quick one where `work_limit` is 0.
    threads
        Searches at the same time; the answer does not depend on it.
    """
    found: list[Solution] = []
    try:
        found.extend(_answers(problem, seed, work_limit, effort, threads))  # what was given before Ctrl-C stays in the list
    except KeyboardInterrupt:
        if not found:
            raise
        found.append(replace(found[-1], reproducible=False))
    return found[-1]


def _answers(problem: Problem, seed: int, work_limit: int, effort: Effort | None, threads: int) -> Iterator[Solution]:
    """Give ever better answers, each with the bound known so far."""
    search = start(problem, () if problem.budget is None or problem.serves_all else serving_sites(problem))
    greedy(search)
    if problem.n == 0 or search.value() == int(problem.weights.sum()):
        yield _told(problem, search, Bound(search.value(), 0, search.gain, 1), "greedy")
        return
    improve(search)
    yield _told(problem, search, Bound(int(problem.weights.sum()), 0, search.gain, 1), "local search")
    relaxation = relax(problem, search.value())
    bound = lagrangian_bound(problem, relaxation.prices)
    yield _told(problem, search, bound, "local search")
    whole, large = True, len(problem.reach.items) > LARGE_PAIRS and problem.serves_all
    if large and not _meets(problem, search.value(), bound.people):
        spent = effort or (Effort() if work_limit > 0 else QUICK)
        found = search_widely(problem, search.sites(), seed=seed, effort=spent, threads=threads)
        search, whole = start(problem, found.sites), found.whole
        improve(search)
    if not large and not _meets(problem, search.value(), bound.people):
        guided(search, relaxation.leaning, GUIDED, seed)
    if not large and not _meets(problem, search.value(), bound.people):
        kick(search, KICKS, seed)
    solution = replace(_told(problem, search, bound, "local search"), reproducible=whole)
    yield solution
    if solution.status == "optimal" or work_limit <= 0:
        return
    if large and not problem.units and problem.budget is None:
        solution = _sharpened(problem, solution, relaxation, seed, threads)
        yield solution
    yield _searched(problem, solution, bound, seed, work_limit)


def _told(problem: Problem, search: Search, bound: Bound, method: str) -> Solution:
    value = search.value()
    status: Status = "optimal" if _meets(problem, value, bound.people) else "feasible"
    return Solution(search.sites(), value, max(bound.people, value), status, "lagrangian", method)


def _meets(problem: Problem, value: int, bound: int) -> bool:
    """Whether no better answer is left: the next possible one lies above the bound, or both are the same to a reader."""
    return bound - value < max(problem.grain, SAME_PEOPLE)


def _sharpened(problem: Problem, solution: Solution, relaxation: Relaxation, seed: int, threads: int) -> Solution:
    """Lower the bound by exact searches region by region; what they prove rests on HiGHS, as in `_searched`."""
    most, whole = regional_bound(
        problem, relaxation.prices, relaxation.leaning, solution.sites, seed=seed % (1 << 31), threads=threads
    )
    most = max(most // problem.grain * problem.grain, solution.value)
    if most >= solution.bound:
        return replace(solution, reproducible=whole and solution.reproducible)
    status: Status = "optimal" if _meets(problem, solution.value, most) else "feasible"
    return replace(solution, bound=most, bound_by="highs", status=status, reproducible=whole and solution.reproducible)


def _searched(problem: Problem, solution: Solution, bound: Bound, seed: int, nodes: int) -> Solution:
    """Search exactly among the candidates that the bound leaves open, from the answer known."""
    always, never = settled(problem, bound, solution.value)
    if not (~(always | never)).any():
        return _only_one_left(problem, solution, always & ~never)
    most_pairs = LARGE_EXACT_PAIRS if len(problem.reach.items) > LARGE_PAIRS else EXACT_PAIRS
    if len(problem.reach.gather(np.flatnonzero(~(always | never)))[0]) > most_pairs:
        return solution
    found, most, whole = _branch_and_bound(problem, solution, always, never, seed, nodes)
    search = start(problem, found if _affordable(problem, found) else solution.sites)
    improve(search)
    if search.value() > solution.value:
        solution = replace(solution, sites=search.sites(), value=search.value(), method="branch and bound")
    if max(most, solution.value) < solution.bound:
        solution = replace(solution, bound=max(most, solution.value), bound_by="highs", method="branch and bound")
    status: Status = "optimal" if _meets(problem, solution.value, solution.bound) else "feasible"
    return replace(solution, status=status, reproducible=whole and solution.reproducible)


def _only_one_left(problem: Problem, solution: Solution, always: Flags) -> Solution:
    """Where every candidate is settled, at most one choice is better: the candidates that every better one has. Weigh it."""
    left = tuple(int(site) for site in np.flatnonzero(always))
    if len(left) <= problem.n and _affordable(problem, left):
        search = start(problem, left)
        if search.units_held() >= start(problem, solution.sites).units_held() and search.value() > solution.value:
            solution = replace(solution, sites=search.sites(), value=search.value())
    return replace(solution, bound=solution.value, status="optimal")


def _affordable(problem: Problem, sites: tuple[int, ...]) -> bool:
    return problem.budget is None or int(problem.costs[list(sites)].sum()) <= problem.budget


def _branch_and_bound(
    problem: Problem, known: Solution, always: Flags, never: Flags, seed: int, nodes: int
) -> tuple[tuple[int, ...], int, bool]:
    """Let HiGHS search: the sites found, its bound in millionths (outward by its tolerance), whether work alone ended it."""
    import highspy

    highs, count = linear_model(problem), len(problem.ids)
    for site in range(count):
        highs.changeColIntegrality(site, highspy.HighsVarType.kInteger)
        highs.changeColBounds(site, float(always[site]), float(not never[site]))
    grain = problem.grain / PARTS_PER_PERSON
    options = {"mip_rel_gap": 0.0, "mip_abs_gap": max(grain / 2, 1e-6), "mip_max_nodes": nodes, "random_seed": seed % (1 << 31)}
    exact = {"mip_feasibility_tolerance": EXACT, "primal_feasibility_tolerance": EXACT, "time_limit": SAFETY_SECONDS}
    for option, value in {**options, **exact}.items():
        highs.setOptionValue(option, value)
    had = np.isin(np.arange(count), known.sites)
    if not ((always & ~had) | (never & had)).any():
        highs.setSolution(_as_columns(problem, known.sites))
    stopped = run_stoppable(highs)
    info, status = highs.getInfo(), highs.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return known.sites, known.value, True
    column = np.asarray(highs.getSolution().col_value, dtype=np.float64)[:count]
    found = tuple(int(site) for site in np.flatnonzero(column > 0.5)) if len(column) else known.sites
    slack = 1e-9 * float(problem.weights.sum()) / PARTS_PER_PERSON + 1e-6
    bound = info.mip_dual_bound + slack
    most = int(bound * PARTS_PER_PERSON) // problem.grain * problem.grain if np.isfinite(bound) else known.bound
    return found, most, status != highspy.HighsModelStatus.kTimeLimit and not stopped


def _as_columns(problem: Problem, sites: tuple[int, ...]) -> highspy.HighsSolution:
    """The answer known, as a start for HiGHS."""
    import highspy

    search = start(problem, sites)
    known = highspy.HighsSolution()
    columns = (search.chosen, search.hits > 0, search.held > 0)
    known.col_value = np.concatenate(columns).astype(np.float64).tolist()
    return known
