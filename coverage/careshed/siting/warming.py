"""Compile the loops of siting ahead of time, on a town of a few sites."""

from __future__ import annotations

import numpy as np

from careshed.siting.problem import Ints, Problem, Sparse
from careshed.siting.relinking import Effort, search_widely

TINY = Effort(islands=1, families=2, proposals=1, stale=1)
"""Just enough to run every loop once."""


def warm_siting() -> None:
    """Compile every loop that choosing sites runs, so that a first plan of a large city starts at once; kept on disk.

    >>> warm_siting()
    """
    from careshed.siting._kernels import dominated
    from careshed.siting.primal_dual import solve_relaxation

    reach = Sparse(np.arange(0, 9, 2), np.array([0, 1, 1, 2, 2, 3, 0, 3]))
    serves = Sparse(np.zeros(5, dtype=np.int64), np.zeros(0, dtype=np.int64))
    costs: Ints = np.ones(4, dtype=np.int64)
    seen = reach.transposed(4)
    dominated(reach.start, reach.items, seen.start, seen.items, serves.start, serves.items, costs)
    problem = Problem(
        ids=tuple("ABCD"),
        rows=np.arange(4),
        weights=np.array([4, 3, 2, 1], dtype=np.int64) * 1_000_000,
        reach=reach,
        seen=seen,
        units=(),
        serves=serves,
        leaves=np.zeros(0, dtype=np.bool_),
        n=2,
        costs=costs,
    )
    solve_relaxation(problem, 0, 1)
    search_widely(problem, (0, 1), seed=0, effort=TINY, threads=1)
