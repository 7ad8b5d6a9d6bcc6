"""Hold a plan with its proof: the sites, the money, who is reached, and what had to give way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from careshed.siting.planning.kinds import Objective
from careshed.siting.planning.rules import Rule, Upgradable
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.schema import Fault

Status = Literal["optimal", "feasible"]

ValueUnit = Literal["people", "person_minutes", "person_metres", "minutes", "metres", "sites", "yuan", "share", "visits"]


@dataclass(frozen=True)
class Told:
    """One thing that a rule asks, in the planner's words."""

    rule: Rule | None
    """The rule, None where the objective itself asks it."""
    unit: str
    """Code of the unit it speaks of, or ""."""
    zh: str
    en: str


@dataclass(frozen=True)
class Conflict:
    """Claims that cannot hold together, and of which none can be left out."""

    claims: tuple[Told, ...]
    zh: str
    en: str

    def text(self, lang: Lang = "zh") -> str:
        """Tell the conflict in one line."""
        return pick(lang, self.zh, self.en)


@dataclass(frozen=True)
class Relaxation:
    """The least that gives way so that a plan exists: rules, then units, then money, then sites."""

    gave_way: tuple[Told, ...]
    units_without: tuple[str, ...]
    """Codes of the units whose rule is not met."""
    extra_yuan: float
    extra_sites: int
    rules_broken: int
    """Rules other than those of units, money and number of sites; broken only where nothing else helps."""
    zh: str
    en: str

    def text(self, lang: Lang = "zh") -> str:
        """Tell the relaxation in one line."""
        return pick(lang, self.zh, self.en)


@dataclass(frozen=True)
class Stage:
    """One objective weighed, the most important first."""

    name: str
    value: float
    bound: float
    """What no plan under the same rules can be better than."""
    unit: ValueUnit
    proven: bool
    """Whether bound and value differ by less than any other answer would, or than a hundredth of a person; where the solver's
    rounding (1e-9 of all that is weighed) is coarser, than that, but always by less than one person."""


@dataclass(frozen=True)
class Reached:
    """People of one demand, unweighted."""

    group: str
    service: str
    total: float
    before: float
    """Reached by the sites that stand today."""
    after: float
    """Reached when the plan is carried out, within the limit by as many sites as the demand asks for."""
    served: float | None = None
    """With a place, where places are limited."""


@dataclass(frozen=True)
class Plan:
    """Which sites to build, keep, extend and close; how good that is, what proves it, and what it costs."""

    sites: GeoDataFrame
    """Index ``site_id``, new sites first, then those kept, each by id; columns ``name``, ``status`` (``new``, ``kept``,
    ``extended``), ``unit``, ``services`` (joined by ``;``), ``places``, ``cost_yuan``, ``subsidy_yuan``, ``net_yuan``,
    ``geometry``."""
    closed: tuple[str, ...]
    """Existing sites that the plan closes."""
    upgrades: tuple[Upgradable, ...]
    """Upgrades made."""
    stages: tuple[Stage, ...]
    bound_by: Literal["highs", "counting"]
    """What the bound rests on: branch and bound of HiGHS with gap 0, or mere counting where nothing was left to decide."""
    method: str
    reproducible: bool
    """False only where the safety time stop ended a search."""
    reached: tuple[Reached, ...]
    assignments: pd.DataFrame
    """Who goes where, for objectives that send people to sites: ``demand``, ``cell_id``, ``site_id``, ``people``, ``cost`` (whole
    milliseconds or millimetres). Empty for coverage, which any site within reach gives."""
    cost_yuan: float
    subsidy_yuan: float
    net_yuan: float
    closing_yuan: float
    """Cost of closures, part of `net_yuan`."""
    conflicts: tuple[Conflict, ...]
    """Why the rules cannot all be met; empty where they are."""
    relaxation: Relaxation | None
    """What gave way; None where every rule is met."""
    dominated: tuple[tuple[str, str], ...]
    """Candidates left out because another one is at least as good in every respect, with that other: they stay alternatives."""
    findings: tuple[Fault, ...]
    objective: Objective
    rules: tuple[Rule, ...]

    @property
    def value(self) -> float:
        """The objective, in `unit`."""
        return self.stages[0].value

    @property
    def bound(self) -> float:
        """What no plan under the same (or relaxed) rules can be better than."""
        return self.stages[0].bound

    @property
    def unit(self) -> ValueUnit:
        """What `value` counts."""
        return self.stages[0].unit

    @property
    def gap(self) -> float:
        """|bound − value| as a share of the value; 0 is proven."""
        missing = abs(self.bound - self.value)
        return missing / (abs(self.value) or missing) if missing else 0.0

    @property
    def status(self) -> Status:
        """``"optimal"`` only where every stage is proven."""
        return "optimal" if all(stage.proven for stage in self.stages) else "feasible"

    @property
    def new(self) -> tuple[str, ...]:
        """Ids of the sites to build, sorted."""
        return tuple(str(name) for name in self.sites.index[self.sites["status"] == "new"])
