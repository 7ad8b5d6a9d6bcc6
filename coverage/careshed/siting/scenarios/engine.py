"""Answer a question in one scenario: its best plan, what a given plan is worth, what a site adds, what forcing one costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from careshed.siting.scenarios.asks import Ranking, World


@dataclass(frozen=True)
class Choice:
    """A plan: the sites that it builds, and everything that it decides."""

    sites: tuple[str, ...]
    """Ids of the sites built, sorted."""
    decided: tuple[int, ...] = ()
    """Every decision (sites, services, upgrades), where a plan decides more than its sites."""


@dataclass(frozen=True)
class Answer:
    """The best plan found in a scenario."""

    choice: Choice
    value: float
    bound: float
    """What no plan can be better than."""
    proven: bool
    unit: str = "people"
    """What values count."""


class Engine(Protocol):
    """One question in one scenario."""

    @property
    def sense(self) -> int:
        """1 where more is better, −1 where less is."""

    def best(self) -> Answer | None:
        """The best plan; None where no plan keeps the rules."""

    def value(self, choice: Choice) -> float | None:
        """What a plan is worth here; None where it breaks a rule."""

    def parts(self, choice: Choice) -> int:
        """Whole worth of a plan (millionths of a person), whether or not it keeps the rules here."""

    def gains(self, choice: Choice) -> dict[str, float | None]:
        """What is lost if a site is taken out of a plan and nothing takes its place; None where a rule breaks."""

    def forced(self, answer: Answer, sites: Sequence[str]) -> dict[str, tuple[float | None, bool]]:
        """Value of the best plan with a site forced into it, and whether that is proven; None where no plan has it."""


def engine_of(world: World, *, seed: int, work_limit: int | None, exact_regret: bool) -> Engine:
    """Make the engine for a question: ranking at any size, or rules by one model."""
    from careshed.siting.scenarios.ranking import RankingEngine
    from careshed.siting.scenarios.ruled import RuledEngine

    if isinstance(world.ask, Ranking):
        return RankingEngine(world.ask, world.tables, seed, work_limit, exact_regret)
    return RuledEngine(world.ask, world.tables, seed, work_limit)
