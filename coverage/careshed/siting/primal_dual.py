"""Approach the linear relaxation of a large covering problem by primal–dual steps, for prices and for what it leans to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from careshed.siting.problem import PARTS_PER_PERSON, Problem

if TYPE_CHECKING:
    from careshed.siting._kernels import Net

Floats = NDArray[np.float64]

GAP: Final = 1e-4
"""Steps stop when bound and relaxation differ by less than this share: the bound is then as good as it gets."""


def net_of(problem: Problem) -> Net:
    """Lay a problem out as the plain arrays of the compiled loops; a problem without a budget gets unit costs."""
    from careshed.siting._kernels import Net

    leaves = np.flatnonzero(problem.leaves)
    number = np.full(len(problem.units) + 1, -1, dtype=np.int64)
    number[leaves] = np.arange(len(leaves))
    limited = problem.budget is not None
    return Net(
        problem.reach.start,
        problem.reach.items.astype(np.int32),
        problem.seen.start,
        problem.seen.items.astype(np.int32),
        problem.weights,
        problem.costs if limited else np.ones(len(problem.ids), dtype=np.int64),
        number[problem.home],
        len(leaves),
        problem.n,
        problem.budget if problem.budget is not None else problem.n,
    )


def solve_relaxation(problem: Problem, value: int, rounds: int) -> tuple[Floats, Floats]:
    """Find prices of the cell groups (people) and how far each candidate is chosen, 0 to 1.

    Reflected Halpern steps of the primal–dual hybrid gradient with restarts (Chambolle and Pock, 2011; Lu and Yang, 2024).
    Nothing proven rests on them: `lagrangian_bound` evaluates the prices in whole numbers.

    Parameters
    ----------
    value
        People reached by the best choice known, millionths: steps stop where the bound shows that it is the best.
    rounds
        Steps at most.
    """
    from careshed.siting._steps import primal_dual

    net = net_of(problem)
    weights = problem.weights / PARTS_PER_PERSON
    cost = net.cost / max(float(net.cost.max(initial=1)), 1.0)
    budget = net.budget / max(float(net.cost.max(initial=1)), 1.0)
    served = net.units if problem.serves_all else 0
    counted = float(problem.n) if problem.budget is not None and problem.n < len(problem.ids) else -1.0
    stop = value / PARTS_PER_PERSON
    prices, leaning = primal_dual(net, weights, cost, budget, served, counted, stop, rounds, GAP)
    return prices, leaning
