"""Write a plan over years as one sparse model: a copy of the one-year model for each phase, tied so that what is built stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from careshed.siting.planning.claims import Counted, line
from careshed.siting.planning.model import Aim, Claim, Draft, Line
from careshed.siting.planning.solving import StepTable, settle, step_table
from careshed.siting.problem import PARTS_PER_PERSON, Ints

LEFT_OUT = -1
"""Stands for a column that a phase does without, because nothing counts it in that year."""


@dataclass(frozen=True)
class Stack:
    """The model of all phases and where each keeps the columns of the one-year model."""

    base: Draft
    """The model of one year."""
    at: tuple[Ints, ...]
    """Phase -> column of the one-year model -> column here, or `LEFT_OUT`."""
    draft: Draft
    """All phases; steps and what opens them are rows like any other."""
    table: StepTable
    """Steps of the one-year model."""

    @property
    def last(self) -> int:
        """The last phase."""
        return len(self.at) - 1

    def new(self) -> Ints:
        """Places that may be built, as columns of the one-year model."""
        return np.array([i for i, place in enumerate(self.base.case.places) if not place.standing], dtype=np.int64)

    def amount(self, built: Ints) -> Ints:
        """Work out all columns, in millionths, from the phase in which each place is built (or stands: 0; never: phases)."""
        amount = np.zeros(len(self.draft.lower), dtype=np.int64)
        for phase, at in enumerate(self.at):
            own = settle(self.base, (built <= phase).astype(np.int64), self.table)
            kept = at >= 0
            amount[at[kept]] = own[kept]
        return amount

    def built(self, chosen: Ints) -> Ints:
        """Read the phase in which each place is built from 0 and 1 by column; never is the number of phases."""
        places = len(self.base.case.places)
        built: Ints = np.sum([1 - chosen[at[:places]] for at in self.at], axis=0, dtype=np.int64)
        return built

    def moved(self, row: Line, phase: int) -> Line:
        """The same row of the one-year model in a phase."""
        return replace(row, columns=self.at[phase][row.columns])

    def claimed(self, claim: Claim, phase: int) -> Claim:
        """The same claim in a phase."""
        return replace(claim, lines=tuple(self.moved(row, phase) for row in claim.lines))

    def added(self, counted: Counted, phases: Sequence[int]) -> Counted:
        """What some phases add of something that sites count for: columns and factors."""
        found: Counted = []
        for phase in phases:
            found += [(int(self.at[phase][column]), factor) for column, factor in counted]
            if phase:
                found += [(int(self.at[phase - 1][column]), -factor) for column, factor in counted]
        return found


def stacked(base: Draft, counting: Sequence[bool]) -> Stack:
    """Lay the one-year model out once a phase.

    Parameters
    ----------
    base
        With every step that rules and objective count by.
    counting
        Phase -> whether people are counted in it; where not, the phase needs no steps.
    """
    columns, decided = len(base.lower), base.decided
    at: list[Ints] = []
    start = 0
    for counts in counting:
        size = columns if counts else decided
        at.append(np.concatenate([np.arange(start, start + size), np.full(columns - size, LEFT_OUT)]).astype(np.int64))
        start += size
    kept = [np.arange(columns if counts else decided) for counts in counting]
    lower, upper = np.array(base.lower), np.array(base.upper)
    draft = Draft(
        base.case,
        [float(one) for part in kept for one in lower[part]],
        [float(one) for part in kept for one in upper[part]],
        [base.whole[one] for part in kept for one in part.tolist()],
        [],
        {},
        {},
        [],
        [],
    )
    stack = Stack(base, tuple(at), draft, step_table(base))
    for phase in range(len(at)):
        draft.lines.extend(stack.moved(row, phase) for row in base.lines if (at[phase][row.columns] >= 0).all())
        if phase:
            draft.lines.extend(line([(int(at[phase - 1][i]), 1), (int(at[phase][i]), -1)], None, 0) for i in stack.new())
    return stack


def weighed(stack: Stack, aim: Aim, weights: Sequence[int], per: int) -> Aim:
    """Weigh the people of every phase: the aim of one year, so many times in each."""
    columns, factors = [], list[int]()
    for at, weight in zip(stack.at, weights, strict=True):
        if weight:
            columns.append(at[aim.columns])
            factors += [weight * factor for factor in aim.factors]
    together = np.concatenate([np.zeros(0, np.int64), *columns]).astype(np.int64)
    return Aim(1, together, tuple(factors), sum(weights) * aim.constant, aim.per * per)


def value_of(aim: Aim, amount: Ints) -> int:
    """Value of an answer whose columns are all decisions or steps, each 0 or 1."""
    on = amount[aim.columns] >= PARTS_PER_PERSON
    return aim.constant + sum(factor for factor, counts in zip(aim.factors, on.tolist(), strict=True) if counts)
