"""Hold what a city's data say of every target of a plan: values, verdicts, and who still waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from careshed.policy.model import Rule
from careshed.policy.types import catalogue
from careshed.schema import Fault
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd

State = Literal["met", "short", "unjudged", "contradicted", "procedure"]

STATES: Final[dict[State, tuple[str, str]]] = {
    "met": ("达标", "met"),
    "short": ("未达标", "short"),
    "contradicted": ("规划矛盾", "contradicted"),
    "unjudged": ("无法判断", "cannot be judged"),
    "procedure": ("不评分", "not scored"),
}
"""State of a rule -> (Chinese, English)."""

Theme = Literal["childcare", "elder", "compounds", "general"]

THEMES: Final[dict[Theme, tuple[str, str]]] = {
    "childcare": ("托育", "Childcare"),
    "elder": ("养老", "Elder care"),
    "compounds": ("居住区配套", "Residential compounds"),
    "general": ("综合与填报", "General, and figures entered"),
}
"""Theme -> (Chinese, English), in the order in which they are read."""

Both = tuple[str, str]
"""The same in Chinese and in English."""


@dataclass(frozen=True)
class UnitValue:
    """What one unit, compound or facility has, against its target."""

    unit: str
    name: str
    level: str
    value: float | None
    """In the rule's unit; None where it cannot be told."""
    met: bool | None
    people: float | None
    """People of the rule's group who live there, None where they are not counted."""
    reached: float | None = None
    """Those of them who reach a facility within the limit, wherever it stands."""


@dataclass(frozen=True)
class YearValue:
    """Value and target of one year of the plan."""

    year: int
    value: float | None
    """None for years to come."""
    target: float | None
    met: bool | None


@dataclass(frozen=True)
class Target:
    """One stated target and the verdict by it."""

    target: float
    met: bool
    gap: float
    """What is missing, in the rule's unit; 0 where met."""
    missing: float
    """The same as a count of `RuleResult.missing_of`; 0 where met."""
    code: str = ""
    """Number of the contradiction in the audit."""
    quote: str = ""


@dataclass(frozen=True)
class Presence:
    """The first sense of covered: units that have one."""

    having: int
    units: int
    levels: tuple[str, ...]

    @property
    def share(self) -> float:
        """Units that have one, of all, 0 to 1."""
        return self.having / self.units


@dataclass(frozen=True)
class Reach:
    """The second sense of covered: people who reach one."""

    reached: float
    people: float
    unjudged: float
    """People of whom travel cannot tell, counted as not reached."""
    group: str
    minutes: float | None
    metres: float | None
    mode: str
    limit_from: Literal["rule", "service", "assumed"]

    @property
    def share(self) -> float:
        """People who reach one, of all, 0 to 1."""
        return self.reached / self.people


@dataclass(frozen=True)
class RuleResult:
    """One rule and what the data say of it."""

    rule: Rule
    state: State
    value: float | None
    """Value now, in the rule's unit."""
    target: float | None
    """The target in force: the rule's, or the one that the user set."""
    targets: tuple[Target, ...]
    """Verdict by the rule's target, then by each other value that the plan states."""
    counted: float | None
    """Numerator of the value."""
    of: float | None
    """Denominator of the value."""
    of_what: Both
    """What the denominator counts."""
    missing_of: Both
    """What `Target.missing` counts."""
    units_short: int
    people_short: float | None
    """People of the group who live in units that fall short, or beyond reach where the rule is about reach."""
    presence: Presence | None
    reach: Reach | None
    units: tuple[UnitValue, ...]
    years: tuple[YearValue, ...]
    why: Both
    """Why the rule cannot be judged, empty where it can."""
    notes: tuple[Both, ...]
    """What was assumed, and what the figures leave out."""
    entered: tuple[float, str, str] | None = None
    """Figure that the user entered, its source and date."""

    @property
    def id(self) -> str:
        """Id of the rule."""
        return self.rule.id

    @property
    def gap(self) -> float | None:
        """What is missing to the target in force, in the rule's unit; None where it cannot be judged."""
        return self.targets[0].gap if self.targets else None

    @property
    def theme(self) -> Theme:
        """What the rule is about."""
        return theme_of(self.rule)

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels of the units that were judged."""
        return tuple(dict.fromkeys(unit.level for unit in self.units))


def theme_of(rule: Rule) -> Theme:
    """Say what a rule is about, by its facility types, else by the people it names."""
    if rule.compounds or "compound" in rule.levels:
        return "compounds"
    areas = {catalogue()[name].area for name in rule.types} - {"other"}
    if len(areas) == 1:
        return "childcare" if "childcare" in areas else "elder"
    if rule.group in ("p0_3", "p60", "p65", "p80"):
        return "childcare" if rule.group == "p0_3" else "elder"
    return "general"


@dataclass(frozen=True)
class Place:
    """A facility as it stood when the card was made, so that a later card can say what changed."""

    id: str
    name: str
    type: str
    """Canonical type, or the register's word where the catalogue does not know it."""
    status: str
    unit: str
    places: float | None
    opened: float | None
    closed: float | None


@dataclass(frozen=True)
class Scorecard:
    """A plan judged on a city's data."""

    profile: str
    name_zh: str
    name_en: str
    check_zh: str
    check_en: str
    doc_no: str
    plan_end: int | None
    study: str
    data_date: str
    made_up: bool
    year: int | None
    """Year that the values stand for; None where the study states no date."""
    results: tuple[RuleResult, ...]
    faults: tuple[Fault, ...]
    """Facility types and functions of the registers that the catalogue does not know."""
    notes: tuple[Both, ...]
    """What holds for the whole card."""
    places: tuple[Place, ...]
    people: dict[str, dict[str, float]]
    """Unit code ("ALL" for the study) -> group -> people."""

    def _repr_html_(self) -> str:
        from careshed.policy.judging.showing import scorecard_card

        return scorecard_card(self)

    def name(self, lang: Lang) -> str:
        """Name the plan for the reader."""
        return pick(lang, self.name_zh, self.name_en)

    def check(self, lang: Lang) -> str:
        """Say what the reader must check against the published text."""
        return pick(lang, self.check_zh, self.check_en)

    def result(self, rule_id: str) -> RuleResult:
        """Find the result of a rule.

        Raises
        ------
        KeyError
            If the plan has no such rule.
        """
        for result in self.results:
            if result.id == rule_id:
                return result
        raise KeyError(rule_id)

    def counts(self) -> dict[State, int]:
        """Count the rules by state."""
        return {state: sum(result.state == state for result in self.results) for state in STATES}

    def waiting(self, rule_id: str) -> pd.DataFrame:
        """List the units that lack what a rule promises them, most people first: what siting must close.

        The levels of the units are what ``at_least_one_per`` of a service takes.

        Returns
        -------
        pandas.DataFrame
            Index ``unit_id``; columns ``name``, ``level``, ``value``, ``people`` (of the group), ``unreached`` (those of them who
            reach none within the limit, wherever it stands; NaN where reach was not measured).

        Raises
        ------
        KeyError
            If the plan has no such rule.
        """
        import pandas as pd

        short = [unit for unit in self.result(rule_id).units if unit.met is False]
        short.sort(key=lambda unit: (-(unit.people or 0.0), unit.unit))
        rows = [(one.name, one.level, one.value, one.people, _unreached(one)) for one in short]
        index = pd.Index([unit.unit for unit in short], name="unit_id", dtype="str")
        return pd.DataFrame(rows, columns=["name", "level", "value", "people", "unreached"], index=index)


def _unreached(unit: UnitValue) -> float:
    if unit.people is None or unit.reached is None:
        return float("nan")
    return unit.people - unit.reached
