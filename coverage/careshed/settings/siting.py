"""Say what a study file may ask of a siting plan: objective, rules, money, years."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from careshed.settings.sections import Minutes, Section, Texts, listed
from careshed.words import Lang, pick

Aim = Literal["max_cover", "set_cover", "p_median", "p_centre", "max_served", "served_median", "worst_unit"]
"""What a plan is good for, see `careshed.siting.planning.kinds`."""

Setting = Literal["all", "urban", "rural"]
Which = Literal["all", "new"]
Measure = Literal["sites", "places", "area_m2"]
Build = Literal["new", "extension", "purchased", "rented"]
Of = Literal["all", "reachable"]

Amount = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Metres = Annotated[float, Field(gt=0)]

WORK: Final = 20_000
"""Branch-and-bound nodes of each search where a plan states no other number; no clock decides."""


class DemandOfPlan(Section):
    """[[plan.demand]]: people whom the plan serves, where the service's own group alone is not meant."""

    group: str
    service: str = ""
    """Service of a plan with several; the plan's only one if left out."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    minutes: Minutes | None = None
    metres: Metres | None = None
    rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the group that looks for the service."""


class PerUnitSection(Section):
    """[[plan.per_unit]]: at least and at most so many in every unit of a level."""

    level: str
    at_least: Annotated[int, Field(ge=0)] = 0
    at_most: Annotated[int, Field(ge=0)] | None = None
    which: Which = "all"
    setting: Setting = "all"
    """Only units that are urban or rural."""
    units: Texts = ()
    """Codes of the only units meant."""
    service: str = ""
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of the units that must have one; new sites then go to units that have none, one each."""


class AmountSection(Section):
    """[[plan.amount]]: places or floor area in all, or in every unit of a level."""

    measure: Literal["places", "area_m2"]
    at_least: Amount = 0.0
    at_most: Amount | None = None
    level: str = ""
    which: Which = "all"


class ReachSection(Section):
    """[[plan.reach]]: at least a share of a group reached in every unit of a level."""

    share: Share
    level: str = ""
    """Level of the units, "" for the study as a whole."""
    setting: Setting = "all"
    units: Texts = ()
    group: str = ""
    """The service's group if left out."""
    service: str = ""
    minutes: Minutes | None = None
    metres: Metres | None = None
    of: Of = "all"


class SubsidySection(Section):
    """[[plan.subsidy]]: what is paid for a place or bed, once."""

    yuan: Amount
    build: Build = "new"
    setting: Setting = "all"
    service: str = ""


class ClosableSection(Section):
    """[[plan.closable]]: existing facilities that the plan may close."""

    ids: Texts
    cost_yuan: Amount = 0.0


class UpgradableSection(Section):
    """[[plan.upgradable]]: a facility that may be extended."""

    id: str
    places: float
    cost_yuan: Amount
    build: Build = "extension"
    service: str = ""


class HostingSection(Section):
    """[[plan.hosting]]: what a service costs and takes under a roof that may hold several."""

    service: str
    cost_yuan: Amount = 0.0
    area_m2: Amount = 0.0
    places: Amount | None = None


class PhaseSection(Section):
    """[[plan.phase]]: what may be built by the end of a year."""

    year: Annotated[int, Field(ge=1900, le=2200)]
    sites: Annotated[int, Field(ge=0)] | None = None
    """Most sites built in this phase; None for no limit of its own."""
    yuan: Amount | None = None
    """Most money spent in this phase, net of subsidies."""
    at_least_sites: Annotated[int, Field(ge=0)] = 0
    at_least_places: Amount = 0.0
    name: str = ""
    weight: Annotated[float, Field(gt=0)] | None = None
    """Worth of a person reached from this phase on until the next; the years until then where left out."""


class ScenarioOfPlan(Section):
    """[plan.scenarios]: how sure each site is, under speeds, limits, people and paths drawn by a seed."""

    speed: Annotated[tuple[float, float], BeforeValidator(listed)] = (0.8, 1.2)
    """Lowest and highest factor of the speed; equal ends leave it out."""
    limit: Annotated[tuple[float, float], BeforeValidator(listed)] = (0.8, 1.2)
    relative_se: Amount = 0.2
    """Relative standard error of the people in every block of 1 km."""
    missing_share: Share = 0.0
    """Largest share of paths that may be missing; travel times are then searched again."""
    draws: Annotated[int, Field(ge=0)] = 10
    """Combined scenarios, a multiple of 5."""
    robust: Literal["none", "regret", "value"] = "regret"
    """What a robust plan beside the nominal one is for: the least loss against the best plan of each scenario, or the most
    people in the worst scenario."""
    seed: Annotated[int, Field(ge=0)] = 0


class PlanSection(Section):
    """[[plan]]: where to build next, by which rules."""

    id: str
    name_zh: str = ""
    name_en: str = ""
    service: str = ""
    """Service to be sited."""
    services: Texts = ()
    """Services of one plan whose sites may share a roof; in place of `service`."""
    mode: str = ""
    """Travel mode, where it is not that of the service."""
    objective: Aim = "max_cover"
    minutes: Minutes | None = None
    metres: Metres | None = None
    """Limit (≤); that of the service where both are left out."""
    weights: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """Group -> worth of one of its people; the service's group alone where left out."""
    demand: Annotated[tuple[DemandOfPlan, ...], BeforeValidator(listed)] = ()
    """Demands one by one, in place of `weights`."""
    bands: Annotated[tuple[tuple[float, float], ...], BeforeValidator(lambda value: _pairs(value))] = ()
    """Minutes (or metres) and what a person within them counts, nearest first."""
    sites_needed: Annotated[int, Field(ge=1)] = 1
    """Sites that a person must reach to count; 2 asks for a backup."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """``set_cover``: least share of the people reached."""
    of: Of = "all"
    """``set_cover``, ``worst_unit``: of all people, or of those whom some site could reach."""
    least: Literal["sites", "money"] = "sites"
    """``set_cover``: what is spared."""
    beyond: float | str | None = None
    """``p_median``, ``p_centre``, ``served_median``: what a person beyond the limit counts, minutes or metres, or ``"forbid"`` or
    ``"leave_out"``; twice the limit where left out."""
    level: str = ""
    """``worst_unit``: level of the units compared."""
    at_least: Annotated[int, Field(ge=0)] = 0
    at_most: Annotated[int, Field(ge=0)] | None = None
    """Number of new sites."""
    per_unit: Annotated[tuple[PerUnitSection, ...], BeforeValidator(listed)] = ()
    amount: Annotated[tuple[AmountSection, ...], BeforeValidator(listed)] = ()
    reach: Annotated[tuple[ReachSection, ...], BeforeValidator(listed)] = ()
    budget_yuan: Amount | None = None
    """Most money, net of subsidies; no limit where left out."""
    subsidies: Literal["none", "profile"] = "none"
    """``"profile"``: those of a plan of the city are paid, see `profile`."""
    subsidy: Annotated[tuple[SubsidySection, ...], BeforeValidator(listed)] = ()
    """Subsidies of the study's own."""
    profile: str = ""
    """Plan whose subsidies are paid; that of [policy] where left out."""
    build: dict[str, Build] = Field(default_factory=dict)
    """Kind of candidate -> kind of building that subsidies go by; ``new`` where not named."""
    classes: Texts = ()
    """Classes of operator that count among existing facilities, such as ``public`` or ``inclusive``; all if empty."""
    functions: Texts = ()
    """Functions that an existing facility must offer to count, such as ``全托``; any if empty."""
    new_inclusive: bool = True
    """Whether new sites offer inclusive places."""
    forced: Texts = ()
    forbidden: Texts = ()
    closable: Annotated[tuple[ClosableSection, ...], BeforeValidator(listed)] = ()
    upgradable: Annotated[tuple[UpgradableSection, ...], BeforeValidator(listed)] = ()
    spacing_m: Metres | None = None
    """Least distance from a new site to any other, as the crow flies."""
    spacing_existing: bool = True
    """Whether existing sites keep new ones away too."""
    min_area_m2: Amount | None = None
    min_places: Amount | None = None
    max_places: Amount | None = None
    inclusive_share: Share | None = None
    inclusive_measure: Measure = "places"
    hosting: Annotated[tuple[HostingSection, ...], BeforeValidator(listed)] = ()
    phase: Annotated[tuple[PhaseSection, ...], BeforeValidator(listed)] = ()
    unused: Literal["carried_over", "lapses"] = "carried_over"
    """What becomes of money and sites that a phase leaves over."""
    horizon: int | None = None
    """Last year that counts for the phases; the last phase's own where left out."""
    scenarios: ScenarioOfPlan | None = None
    frontier: Literal["none", "sites", "money"] = "none"
    """Whether to draw people reached against the number of sites or against money."""
    frontier_steps: Annotated[int, Field(ge=1, le=100)] | None = None
    near_m: Annotated[float, Field(ge=0)] = 1000.0
    """How far a candidate may lie from a site to be told as its alternative, metres."""
    seed: Annotated[int, Field(ge=0)] = 0
    work_limit: Annotated[int, Field(ge=0)] = WORK
    """Branch-and-bound nodes of each search."""

    def name(self, lang: Lang) -> str:
        """Name the plan for the reader; its id where the study gives no name.

        >>> PlanSection(id="a", name_zh="每街道一处", service="childcare").name("en")
        '每街道一处'
        """
        return pick(lang, self.name_zh or self.name_en, self.name_en or self.name_zh) or self.id

    @property
    def service_ids(self) -> tuple[str, ...]:
        """Services that the plan sites, in the order of the file."""
        return self.services or ((self.service,) if self.service else ())


def _pairs(value: object) -> object:
    """Take lists of two numbers for pairs."""
    if not isinstance(value, list):
        return value
    return tuple(
        tuple(float(one) if isinstance(one, int) else one for one in pair) if isinstance(pair, list) else pair for pair in value
    )
