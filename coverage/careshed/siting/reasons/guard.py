"""Tell which rules of a plan break, or break worse, when its sites change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from careshed.siting.planning.model import Claim, Draft
from careshed.siting.planning.solving import StepTable, settle, step_table
from careshed.siting.problem import PARTS_PER_PERSON, Ints

if TYPE_CHECKING:
    from scipy.sparse import csr_array

UNBOUND = 1 << 62
"""No limit: more than any row can hold."""


@dataclass(frozen=True)
class Guard:
    """All rows of a plan's rules as one matrix, and by how much the plan itself misses each."""

    draft: Draft
    claims: tuple[Claim, ...]
    table: StepTable
    matrix: csr_array
    least: Ints
    most: Ints
    owner: Ints
    """Claim of each row; −1 where the row is how sites are built (services under a roof), not a rule."""
    allowed: Ints
    """By how much the plan misses each row: above 0 only where a rule gave way."""


def guard_of(draft: Draft, claims: Sequence[Claim], chosen: Ints) -> Guard:
    """Take down the rules of a plan whose decisions (0 or 1 each) are `chosen`."""
    from scipy.sparse import csr_array

    rows = [(-1, line) for line in draft.lines if (line.columns < draft.decided).all()]
    rows += [(at, line) for at, claim in enumerate(claims) for line in claim.lines]
    lines = [line for _, line in rows]
    ends = np.cumsum([0, *(len(line.columns) for line in lines)])
    columns = np.concatenate([np.zeros(0, dtype=np.int64), *(line.columns for line in lines)])
    factors = np.concatenate([np.zeros(0, dtype=np.int64), *(line.factors for line in lines)])
    guard = Guard(
        draft=draft,
        claims=tuple(claims),
        table=step_table(draft),
        matrix=csr_array((factors, columns, ends), shape=(len(lines), len(draft.lower))),
        least=np.array([-UNBOUND if line.least is None else line.least for line in lines], dtype=np.int64),
        most=np.array([UNBOUND if line.most is None else line.most for line in lines], dtype=np.int64),
        owner=np.array([at for at, _ in rows], dtype=np.int64),
        allowed=np.zeros(len(lines), dtype=np.int64),
    )
    guard.allowed[:] = missed(guard, chosen)
    return guard


def missed(guard: Guard, chosen: Ints) -> Ints:
    """By how much a choice misses every row, whole units; 0 where it holds."""
    amount = settle(guard.draft, chosen, guard.table) // PARTS_PER_PERSON
    total: Ints = guard.matrix @ amount
    short: Ints = np.maximum(np.maximum(guard.least - total, total - guard.most), 0)
    return short


def keeps(guard: Guard, chosen: Ints) -> bool:
    """Whether a choice breaks nothing that the plan keeps, and nothing worse than the plan does."""
    return bool((missed(guard, chosen) <= guard.allowed).all())


def broken(guard: Guard, chosen: Ints) -> tuple[Claim, ...]:
    """Claims that break, or break worse than in the plan, in the order of the rules."""
    worse = guard.owner[missed(guard, chosen) > guard.allowed]
    return tuple(guard.claims[at] for at in np.unique(worse[worse >= 0]).tolist())
