"""Hold a plan as data: who issued it, and every rule with its target, its unit, its year and its source."""

from __future__ import annotations

import datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from careshed.words import Lang, pick

Kind = Literal[
    "proximity",
    "presence",
    "unit_share",
    "capacity_ratio",
    "area_ratio",
    "share",
    "count",
    "schedule",
    "staffing",
    "entered",
    "procedure",
]
Measure = Literal[
    "facilities_per_unit",
    "units_percent",
    "people_percent",
    "places_per_1000",
    "floor_m2_per_100_households",
    "land_m2_per_person",
    "floor_m2_each",
    "floor_m2_per_place",
    "places_percent",
    "nursing_percent",
    "facilities_percent",
    "facilities",
    "places",
    "places_added",
    "compounds_percent",
    "near_percent",
    "entered_percent",
    "entered_number",
    "none",
]
OperatorClass = Literal["public", "public_private", "private", "inclusive", "market"]
Level = Literal["city", "county", "street", "township", "community", "village", "compound", "facility"]
Group = Literal["", "total", "p0_3", "p3_6", "p60", "p65", "p80", "households"]
Operator = Literal[">=", "<=", "=", ">", "<"]
Status = Literal["binding", "hard", "soft", "conditional", "parameter", "reference", "system"]
Setting = Literal["all", "urban", "rural"]

KINDS: Final[dict[Kind, tuple[str, str]]] = {
    "proximity": ("时距可达", "reach"),
    "presence": ("逐单元配置", "one per unit"),
    "unit_share": ("单元覆盖比例", "share of units"),
    "capacity_ratio": ("千人指标", "places per 1,000"),
    "area_ratio": ("面积指标", "floor or land area"),
    "share": ("结构比例", "share"),
    "count": ("数量", "count"),
    "schedule": ("分年度目标", "schedule by year"),
    "staffing": ("人员配备", "staff"),
    "entered": ("填报指标", "figure entered"),
    "procedure": ("程序要求", "procedure"),
}
"""Kind of rule -> (Chinese, English)."""

STATUSES: Final[dict[Status, tuple[str, str]]] = {
    "binding": ("约束性", "binding"),
    "hard": ("刚性", "firm"),
    "soft": ("倡导性", "encouraged"),
    "conditional": ("有条件", "conditional"),
    "parameter": ("参数", "parameter"),
    "reference": ("参考", "for reference"),
    "system": ("制度要求", "system"),
}
"""How far a rule binds -> (Chinese, English)."""

UNITS: Final[dict[Measure, tuple[str, str]]] = {
    "facilities_per_unit": ("处", "facilities"),
    "units_percent": ("%", "%"),
    "people_percent": ("%", "%"),
    "places_per_1000": ("个/千人", "per 1,000"),
    "floor_m2_per_100_households": ("m²/百户", "m² per 100 households"),
    "land_m2_per_person": ("m²/人", "m² per person"),
    "floor_m2_each": ("m²/处", "m² each"),
    "floor_m2_per_place": ("m²/个", "m² per place"),
    "places_percent": ("%", "%"),
    "nursing_percent": ("%", "%"),
    "facilities_percent": ("%", "%"),
    "facilities": ("处", "facilities"),
    "places": ("个", "places"),
    "places_added": ("个", "places"),
    "compounds_percent": ("%", "%"),
    "near_percent": ("%", "%"),
    "entered_percent": ("%", "%"),
    "entered_number": ("", ""),
    "none": ("", ""),
}
"""Unit that each measure is told in -> (Chinese, English)."""


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _years(value: object) -> object:
    """Read the years that TOML can only hold as text."""
    if not isinstance(value, dict):
        return value
    return {int(key) if isinstance(key, str) and key.isdigit() else key: one for key, one in value.items()}


def _date(value: object) -> object:
    return value.isoformat()[:10] if isinstance(value, datetime.date) else value


Texts: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Classes: TypeAlias = Annotated[tuple[OperatorClass, ...], BeforeValidator(_listed)]
Value: TypeAlias = Annotated[float, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Also(_Section):
    """[[rule.also]]: another value that the same plan states, so that the rule is judged by both."""

    value: Value
    source: Texts = ()
    """Ids of ``indicators.csv``."""
    quote: str = ""
    code: str = ""
    """Number of the contradiction in the audit, such as S5."""
    clause: str = ""
    note_zh: str = ""
    note_en: str = ""


class Rule(_Section):
    """[[rule]]: one target of the plan."""

    id: str
    title_zh: str
    title_en: str
    kind: Kind
    measure: Measure
    types: Texts = ()
    """Canonical facility types that count, any of them."""
    of_types: Texts = ()
    """Types in the denominator of a share, where these are more than `types`."""
    functions: Texts = ()
    """Functions that a facility must all have."""
    classes: Classes = ()
    """Classes of operator that count, any of them; all if empty."""
    near: Texts = ()
    """Canonical types that a facility should be near."""
    levels: Annotated[tuple[Level, ...], BeforeValidator(_listed)] = ()
    """Unit levels that the rule is judged by."""
    setting: Setting = "all"
    compounds: Literal["", "new", "old"] = ""
    group: Group = ""
    """Population group in the denominator."""
    op: Operator = ">="
    value: Value | Literal["unset"] | None = None
    """Target in the measure's unit; "unset" where the plan names none, None where `by_year` holds all or there is nothing to
    judge."""
    minutes: Annotated[float, Field(gt=0)] | None = None
    metres: Annotated[float, Field(gt=0)] | None = None
    mode: str = ""
    """Travel mode, where the plan names one."""
    year: int | None = None
    """Year in which the target falls due."""
    since: int | None = None
    """Base year of ``places_added``: what opened after it counts; None where each year counts for itself."""
    by_year: Annotated[dict[int, Value], BeforeValidator(_years)] = Field(default_factory=dict)
    """Year -> target of that year."""
    status: Status
    source: Texts = ()
    clause: str = ""
    quote: str = ""
    """Words of the plan, to the letter."""
    note_zh: str = ""
    note_en: str = ""
    asks_zh: str = ""
    asks_en: str = ""
    also: Annotated[tuple[Also, ...], BeforeValidator(_listed)] = ()

    def title(self, lang: Lang) -> str:
        """Name the rule for the reader."""
        return pick(lang, self.title_zh, self.title_en)

    def note(self, lang: Lang) -> str:
        """Tell what the profile remarks on the rule."""
        return pick(lang, self.note_zh, self.note_en)

    def asks(self, lang: Lang) -> str:
        """Say what the user must set before the rule can be judged."""
        return pick(lang, self.asks_zh, self.asks_en)

    def unit(self, lang: Lang) -> str:
        """Name the unit that value and target are told in.

        >>> Rule(id="a", title_zh="", title_en="", kind="count", measure="facilities", status="hard").unit("zh")
        '处'
        """
        return pick(lang, *UNITS[self.measure])

    @property
    def scored(self) -> bool:
        """Whether the rule has something that can be measured."""
        return self.measure != "none"


class Subsidy(_Section):
    """[[subsidy]]: what the plan pays for a place or bed."""

    id: str
    title_zh: str
    title_en: str
    per: Literal["place", "bed", "place_month", "bed_month"]
    yuan: Value
    setting: Setting = "all"
    build: Literal["new", "extension", "purchased", "rented", "operating"]
    types: Texts = ()
    classes: Classes = ()
    """Classes of operator that it is paid to, any of them; all if empty."""
    source: Texts = ()
    clause: str = ""
    quote: str = ""
    note_zh: str = ""
    note_en: str = ""

    def title(self, lang: Lang) -> str:
        """Name the subsidy for the reader."""
        return pick(lang, self.title_zh, self.title_en)


class Cost(_Section):
    """[[cost]]: what a square metre, a place or a bed costs, derived from the plan's projects and labelled as such."""

    id: str
    title_zh: str
    title_en: str
    per: Literal["m2", "place", "bed"]
    yuan: Value
    types: Texts = ()
    classes: Classes = ()
    """Classes of operator whose projects it was derived from, any of them; all if empty."""
    basis: str
    """What the figure was derived from."""
    source: Texts = ()
    note_zh: str = ""
    note_en: str = ""

    def title(self, lang: Lang) -> str:
        """Name the cost for the reader."""
        return pick(lang, self.title_zh, self.title_en)


class Head(_Section):
    """[profile]: which plan this is."""

    id: str
    name_zh: str
    name_en: str
    doc_no: str = ""
    issued: Annotated[str, BeforeValidator(_date)] = ""
    plan_end: int | None = None
    """Last year of the plan; None for a standard without one."""
    level: Literal["national", "province", "prefecture", "county"]
    parent: str = ""
    text: str = ""
    """Stem of the source text, "" where the rules come from no text in hand."""
    check_zh: str = ""
    check_en: str = ""


class PlanWords(_Section):
    """[words]: the plan's own words for levels of units."""

    county: Texts = ()
    street: Texts = ()
    town: Texts = ()
    community: Texts = ()
    village: Texts = ()
    compound: Texts = ()
    rural: Texts = ()


class Profile(_Section):
    """A plan as data: head, rules, subsidies and costs, as its TOML file has them."""

    profile: Head
    words: PlanWords = PlanWords()
    subsidy: Annotated[tuple[Subsidy, ...], BeforeValidator(_listed)] = ()
    cost: Annotated[tuple[Cost, ...], BeforeValidator(_listed)] = ()
    rule: Annotated[tuple[Rule, ...], BeforeValidator(_listed), Field(min_length=1)]

    @property
    def id(self) -> str:
        """Stable id, such as ``shuozhou-2023``."""
        return self.profile.id

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, in the order of the file."""
        return self.rule

    def name(self, lang: Lang) -> str:
        """Name the plan for the reader."""
        return pick(lang, self.profile.name_zh, self.profile.name_en)

    def check(self, lang: Lang) -> str:
        """Say what the reader must check against the published text, "" where nothing."""
        return pick(lang, self.profile.check_zh, self.profile.check_en)

    def find(self, rule_id: str) -> Rule:
        """Find a rule by its id.

        Raises
        ------
        KeyError
            If there is none.
        """
        for rule in self.rule:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)
