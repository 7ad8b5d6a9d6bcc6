"""Answer questions with rules in a scenario: one model by HiGHS for the best plan, whole-number recounts for given ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from careshed.siting.planning import MaxCover, PCentre, PMedian, ServedMedian, SetCover
from careshed.siting.planning.aims import aims_of, objective_claims
from careshed.siting.planning.case import Case, build_case
from careshed.siting.planning.claims import rule_claims
from careshed.siting.planning.model import Aim, Draft, Line, start_draft
from careshed.siting.planning.optimum import Optimum, best
from careshed.siting.planning.solving import NODES, StepTable, holds, settle, step_table
from careshed.siting.problem import Ints
from careshed.siting.scenarios.asks import Ruled, Tables
from careshed.siting.scenarios.engine import Answer, Choice

COUNTED = (MaxCover, SetCover, PMedian)
"""Objectives whose value follows from the decisions by counting alone."""


@dataclass(frozen=True)
class _Counter:
    """A model that is only counted with, never solved."""

    draft: Draft
    lines: tuple[Line, ...]
    aim: Aim
    table: StepTable


@dataclass(frozen=True)
class RuledEngine:
    """A question with rules in one scenario."""

    ask: Ruled
    tables: Tables
    seed: int
    work_limit: int | None

    @property
    def sense(self) -> int:
        """1 where more is better, −1 where less is."""
        return -1 if isinstance(self.ask.objective, SetCover | PMedian | ServedMedian | PCentre) else 1

    @cached_property
    def case(self) -> Case:
        """Everything decided on, in whole numbers."""
        tables, ask = self.tables, self.ask
        return build_case(tables.options, tables.existing, tables.cells, tables.units, ask.objective, ask.rules)

    def best(self) -> Answer | None:
        """The best plan that keeps the rules."""
        return self._told(self._solve({}))

    def value(self, choice: Choice) -> float | None:
        """What the plan is worth here, counted in whole numbers."""
        return self._worth(choice.decided)

    def gains(self, choice: Choice) -> dict[str, float | None]:
        """What is lost if a site and everything under its roof is taken out."""
        whole = self._worth(choice.decided)
        told: dict[str, float | None] = {}
        for site in choice.sites:
            rest = self._worth(self.less(choice.decided, site))
            told[site] = None if rest is None or whole is None else round(self.sense * (whole - rest), 6)
        return told

    def forced(self, answer: Answer, sites: Sequence[str]) -> dict[str, tuple[float | None, bool]]:  # noqa: ARG002
        """Value of the best plan with a site forced into it."""
        found = {site: self._told(self._solve({self._place[site]: 1})) for site in sites}
        return {site: (None, True) if one is None else (one.value, one.proven) for site, one in found.items()}

    @cached_property
    def _place(self) -> dict[str, int]:
        return {place.id: at for at, place in enumerate(self.case.places) if not place.standing}

    def _solve(self, fixed: dict[int, int]) -> Optimum:
        draft = start_draft(self.case)
        lines = [row for claim in (*rule_claims(draft), *objective_claims(draft)) for row in claim.lines]
        for column, value in fixed.items():
            draft.lower[column] = draft.upper[column] = float(value)
        return best(draft, lines, nodes=NODES if self.work_limit is None else self.work_limit, seed=self.seed)

    def _told(self, found: Optimum) -> Answer | None:
        if not found.possible:
            return None
        decided = tuple(int(amount > 0) for amount in found.amount[: start_draft(self.case).decided])
        stage = found.stages[0]
        return Answer(self.choice(decided), stage.value, stage.bound, stage.proven, stage.unit)

    def choice(self, decided: Sequence[int]) -> Choice:
        """Name the sites that some decisions build."""
        sites = [place.id for place, one in zip(self.case.places, decided, strict=False) if one and not place.standing]
        return Choice(tuple(sorted(sites)), tuple(decided))

    @cached_property
    def _counter(self) -> _Counter:
        draft = start_draft(self.case)
        basic = tuple(draft.lines)
        lines = tuple(row for claim in (*rule_claims(draft), *objective_claims(draft)) for row in claim.lines)
        aim = aims_of(draft)[0]
        return _Counter(draft, (*basic, *lines), aim, step_table(draft))

    def _worth(self, decided: Sequence[int]) -> float | None:
        """Value of some decisions, None where they break a rule."""
        if not isinstance(self.ask.objective, COUNTED):
            found = self._solve(dict(enumerate(decided)))
            return found.stages[0].value if found.possible else None
        counter, chosen = self._counter, np.array(decided, dtype=np.int64)
        amount: Ints = settle(counter.draft, chosen, counter.table)
        if not all(holds(row, amount) for row in counter.lines):
            return None
        return counter.aim.value(amount) / counter.aim.per

    def parts(self, choice: Choice) -> int:
        """Whole worth of a plan, whether or not it keeps the rules here."""
        counter = self._counter
        return counter.aim.value(settle(counter.draft, np.array(choice.decided, dtype=np.int64), counter.table))

    @property
    def everybody(self) -> int:
        """Whole worth if everybody counts in full."""
        aim = self._counter.aim
        return aim.constant + sum(aim.factors)

    def less(self, decided: Sequence[int], site: str) -> tuple[int, ...]:
        """The same decisions without a site and all that is under its roof."""
        case, place, left = self.case, self._place[site], list(decided)
        draft = self._counter.draft if isinstance(self.ask.objective, COUNTED) else start_draft(case)
        posts = [draft.post_column(post) for post, one in enumerate(case.posts) if one.place == place]
        upgrades = [draft.extension_column(at) for at, one in enumerate(case.extensions) if one.place == place]
        for column in (place, *posts, *upgrades):
            left[column] = 0
        return tuple(left)
