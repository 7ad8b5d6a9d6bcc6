"""Hold a plan over years with its proof: what opens when, the means of each year, whom it reaches, and what nesting costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from careshed.siting.phasing.phase import Phase, Unused
from careshed.siting.planning.kinds import Objective
from careshed.siting.planning.plan import Conflict, Relaxation, Status
from careshed.siting.planning.rules import Rule, Subsidy
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.schema import Fault

PhaseUnit = Literal["person_years", "sites", "yuan"]


@dataclass(frozen=True)
class PhaseStage:
    """One thing weighed over all phases, the most important first."""

    name: Literal["fewest_sites", "least_money", "early_access"]
    value: float
    bound: float
    """What no plan under the same rules and means can be better than."""
    unit: PhaseUnit
    proven: bool
    """Whether bound and value differ by less than any other answer would, or than a hundredth of a person-year; where the
    solver's rounding (1e-9 of all that is weighed) is coarser, than that, but always by less than one person-year."""
    bound_by: Literal["highs", "prices", "counting"]
    """What the bound rests on: branch and bound of HiGHS, whole-number prices (linear duality, checked by plain addition), or
    mere counting where nothing was left to decide."""


@dataclass(frozen=True)
class NestingCost:
    """What one year loses because it must be a step of one plan and not a choice of its own."""

    year: int
    nested: float
    """People reached in that year by the plan, weighed as the objective weighs them."""
    free: float
    """People whom the best choice found for that year alone reaches with the same means up to then."""
    bound: float
    """What no choice for that year alone can exceed."""
    proven: bool
    sites: tuple[str, ...]
    """New sites of that choice."""

    @property
    def people(self) -> float:
        """People lost in that year; never below zero."""
        return self.free - self.nested

    def text(self, lang: Lang = "zh") -> str:
        """Tell the cost in one line.

        >>> NestingCost(2026, 55.0, 60.0, 60.0, True, ("B",)).text("en")
        '2026: 55 people reached; 60 if that year were planned alone with the same means: nesting costs 5 (8.3 %)'
        >>> NestingCost(2026, 55.0, 55.0, 57.5, False, ("B",)).text("zh")
        '2026 年：覆盖 55 人；若只为该年单独选址，资金和数量相同，已找到 55 人（上限 57.5）：分期衔接少覆盖 0（0.0 %）'
        """
        share = self.people / self.free if self.free else 0.0
        found_zh, found_en = ("可达", "") if self.proven else ("已找到", "at least ")
        most_zh, most_en = ("", "") if self.proven else (f"（上限 {self.bound:,.8g}）", f" (at most {self.bound:,.8g})")
        return pick(
            lang,
            f"{self.year} 年：覆盖 {self.nested:,.8g} 人；若只为该年单独选址，资金和数量相同，{found_zh} {self.free:,.8g} 人"
            f"{most_zh}：分期衔接少覆盖 {self.people:,.8g}（{share:.1%}）".replace("%", " %"),
            f"{self.year}: {self.nested:,.8g} people reached; {found_en}{self.free:,.8g}{most_en} if that year were planned "
            f"alone with the same means: nesting costs {self.people:,.8g} ({share:.1%})".replace("%", " %"),
        )


@dataclass(frozen=True)
class PhasedPlan:
    """Which sites open in which year; how good that is over the years, what proves it, and what each year costs and reaches."""

    sites: GeoDataFrame
    """Index ``site_id``: new sites by year and id, then those that stand; columns ``name``, ``status`` (``new``, ``kept``),
    ``year`` (0 for those that stand), ``unit``, ``places``, ``cost_yuan``, ``subsidy_yuan``, ``net_yuan``, ``geometry``."""
    phases: tuple[Phase, ...]
    table: pd.DataFrame
    """Index ``year``; columns ``name``, ``weight``, ``new_sites``, ``cost_yuan``, ``subsidy_yuan``, ``net_yuan``,
    ``money_left`` (after the phase, with what was carried to it; NaN where the phase has no limit), ``sites_left``, ``before``
    and ``after`` (people reached, weighed as the objective weighs them, before and after the phase opens), ``bound`` (most that
    any choice for this year alone could reach)."""
    reached: pd.DataFrame
    """Index ``year`` and ``demand`` (position); columns ``group``, ``service``, ``total``, ``before``, ``after``: people,
    unweighted."""
    stages: tuple[PhaseStage, ...]
    nesting_cost: tuple[NestingCost, ...]
    """One a year; () where it was not asked for."""
    method: Literal["branch and bound", "search and prices"]
    reproducible: bool
    """False only where the safety time stop ended a search."""
    conflicts: tuple[Conflict, ...]
    """Why the rules cannot all be met with the means of each year; empty where they are."""
    relaxation: Relaxation | None
    """What gave way; None where everything asked is met."""
    findings: tuple[Fault, ...]
    objective: Objective
    rules: tuple[Rule, ...]
    """As used: a `Budget` has the subsidies that were given apart."""
    subsidies: tuple[Subsidy, ...]
    unused: Unused
    weights: tuple[float, ...]
    """Worth of a person reached in each phase."""

    @property
    def value(self) -> float:
        """What comes first: person-years over all phases, or the fewest sites or least money that cover in the end."""
        return self.stages[0].value

    @property
    def bound(self) -> float:
        """What no plan under the same (or relaxed) rules and means can be better than."""
        return self.stages[0].bound

    @property
    def unit(self) -> PhaseUnit:
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
    def opened(self) -> dict[int, tuple[str, ...]]:
        """Year -> ids of the sites that open in it, sorted."""
        new = self.sites[self.sites["status"] == "new"]
        return {phase.year: tuple(sorted(map(str, new.index[new["year"] == phase.year]))) for phase in self.phases}

    def text(self, lang: Lang = "zh") -> str:
        """Tell the plan in lines: what opens when, what each year reaches, what nesting costs, what stands in the way."""
        lines = [self._year(phase, lang) for phase in self.phases]
        lines += [one.text(lang) for one in self.nesting_cost] + [one.text(lang) for one in self.conflicts]
        return "\n".join(lines if self.relaxation is None else [*lines, self.relaxation.text(lang)])

    def _year(self, phase: Phase, lang: Lang) -> str:
        row = self.table.loc[phase.year]
        opened = self.opened[phase.year]
        named = pick(lang, "、", ", ").join(opened)
        zh = f"{phase.label('zh')}：新增 {len(opened)} 处{f'（{named}）' if opened else ''}，净投入 {row['net_yuan']:,.0f} 元，"
        en = f"{phase.label('en')}: {len(opened)} new site(s){f' ({named})' if opened else ''}, {row['net_yuan']:,.0f} yuan net, "
        before, after = row["before"], row["after"]
        return pick(lang, f"{zh}覆盖 {before:,.8g} → {after:,.8g} 人", f"{en}people reached {before:,.8g} → {after:,.8g}")
