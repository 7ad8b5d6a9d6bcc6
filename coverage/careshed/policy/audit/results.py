"""Hold what an audit finds: figures, checks, and the audit of one plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Final, Literal

from careshed.policy.audit.spans import Role, Span, comparison, exact, plain, printed_en, total
from careshed.words import Lang, pick

Outcome = Literal["closes", "rounding", "doubtful", "unreachable", "open"]
"""How a check ends."""

OUTCOMES: Final[dict[Outcome, tuple[str, str]]] = {
    "open": ("不能闭合", "does not close"),
    "unreachable": ("无法达到", "cannot be reached"),
    "doubtful": ("存疑", "doubtful"),
    "rounding": ("取整差异", "rounding"),
    "closes": ("闭合", "closes"),
}
"""Outcome -> (Chinese, English), the gravest first."""

MEANINGS: Final[dict[Outcome, tuple[str, str]]] = {
    "open": (
        "方案自身的数字互相矛盾，取整也解释不了",
        "the plan's own figures contradict each other, beyond what rounding explains",
    ),
    "unreachable": (
        "按方案自己的安排，目标达不到",
        "by the plan's own schedule the target is missed",
    ),
    "doubtful": (
        "只有在方案未写明的条件下才成立，或数值不合常理",
        "holds only under a condition the plan does not state, or a value that is hard to believe",
    ),
    "rounding": ("差异在取整范围内，但按字面达不到", "within rounding, yet short when read to the letter"),
    "closes": ("复算一致", "recomputed and agrees"),
}

Reading = tuple[str, str]
"""A sentence, in Chinese and English."""


@dataclass(frozen=True)
class Figure:
    """A number of the plan with the range its precision leaves open."""

    id: str
    title_zh: str
    title_en: str
    printed: str
    """As the plan prints it."""
    unit: str
    year: int
    role: Role
    span: Span
    quote: str
    source: tuple[str, ...] = ()
    what: str = ""
    kind: str = ""
    where: str = ""
    outside_zh: str = ""
    outside_en: str = ""
    shown: str = ""
    """How arithmetic shows it, where that is not the number in full."""

    @property
    def at_least(self) -> bool:
        """Whether the plan states it as a minimum."""
        return comparison(self.printed) in (">=", ">")

    def title(self, lang: Lang) -> str:
        """Name the figure for the reader."""
        return pick(lang, self.title_zh, self.title_en)

    def text(self) -> str:
        """Show the number in arithmetic, a percentage with its sign."""
        return (self.shown or plain(self.span.value)) + ("%" if self.unit == "%" else "")

    def told(self, lang: Lang = "zh") -> str:
        """Show the number as printed, with its unit; in English, what is printed."""
        if lang == "en":
            return printed_en(self.printed, self.unit)
        bare = self.printed.removesuffix("左右")
        return f"{bare}{self.unit}{self.printed.removeprefix(bare)}"


@dataclass(frozen=True)
class Check:
    """One recomputation: what was compared, how it came out, and what each reading implies."""

    id: str
    kind: str
    outcome: Outcome
    title_zh: str
    title_en: str
    arithmetic_zh: str
    arithmetic_en: str
    figures: tuple[Figure, ...]
    readings: tuple[Reading, ...] = ()
    numbers: tuple[tuple[str, float], ...] = ()
    """What was computed, by name."""

    def title(self, lang: Lang) -> str:
        """Name the check for the reader."""
        return pick(lang, self.title_zh, self.title_en)

    def arithmetic(self, lang: Lang) -> str:
        """Show the sum."""
        return pick(lang, self.arithmetic_zh, self.arithmetic_en)

    def number(self, name: str) -> float:
        """Give a computed number by its name."""
        return dict(self.numbers)[name]


@dataclass(frozen=True)
class Audit:
    """A plan's own arithmetic, recomputed."""

    plan: str
    name_zh: str
    name_en: str
    issued: str
    checks: tuple[Check, ...]
    """Every check, the gravest outcome first."""
    figures: int
    """Figures of the plan that were read."""

    @property
    def findings(self) -> tuple[Check, ...]:
        """The checks that do not close."""
        return tuple(check for check in self.checks if check.outcome != "closes")

    @property
    def closed(self) -> tuple[Check, ...]:
        """The checks that close."""
        return tuple(check for check in self.checks if check.outcome == "closes")

    def check(self, name: str) -> Check:
        """Give one check by its id."""
        return {check.id: check for check in self.checks}[name]

    def name(self, lang: Lang) -> str:
        """Name the plan for the reader."""
        return pick(lang, self.name_zh, self.name_en)


@dataclass(frozen=True)
class Figures:
    """All figures of a plan by id, and how they stand to each other."""

    by_id: Mapping[str, Figure]
    recomputed: Mapping[str, Span]
    """Cells of tables whose row does not add up -> what the row adds up to."""

    def __getitem__(self, name: str) -> Figure:
        return self.by_id[name]

    def of(self, names: Iterable[str]) -> tuple[Figure, ...]:
        """The figures of these ids."""
        return tuple(self.by_id[name] for name in names)

    def total(self, names: Iterable[str]) -> Span:
        """Their sum."""
        return total(self.by_id[name].span for name in names)

    def total_recomputed(self, names: Iterable[str]) -> Span:
        """Their sum with the table cells that do not add up put right."""
        return total(self.recomputed.get(name, self.by_id[name].span) for name in names)

    @cached_property
    def _same(self) -> dict[tuple[str, str, str, str, int], list[Figure]]:
        groups: dict[tuple[str, str, str, str, int], list[Figure]] = {}
        for figure in self.by_id.values():
            if figure.what:
                key = (figure.what, figure.kind, figure.where, figure.unit, figure.year)
                groups.setdefault(key, []).append(figure)
        return groups

    def stated_twice(self) -> list[tuple[Figure, ...]]:
        """Groups of figures that state one quantity, two or more each."""
        return [tuple(group) for group in self._same.values() if len(group) > 1]

    def rivals(self, figure: Figure) -> tuple[Figure, ...]:
        """Other figures for the same quantity that say something else."""
        key = (figure.what, figure.kind, figure.where, figure.unit, figure.year)
        return tuple(other for other in self._same.get(key, ()) if other.span.value != figure.span.value)

    def equal_to(self, value: Fraction, unit: str, but: Iterable[Figure]) -> tuple[Figure, ...]:
        """Figures of this unit that state the value, to half a percent where they are rounded."""
        left_out = {(figure.what, figure.id) for figure in but}
        near = [
            figure
            for figure in self.by_id.values()
            if figure.unit == unit and (figure.what, figure.id) not in left_out and _states(figure, value)
        ]
        return tuple(near[:2])


def _states(figure: Figure, value: Fraction) -> bool:
    if figure.span == exact(figure.span.value):
        return figure.span.value == value
    return figure.span.holds(value) and abs(figure.span.value - value) * 200 <= abs(value)
