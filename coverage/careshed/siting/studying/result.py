"""Solve the plans of a study, and keep with each what its readers need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from careshed.schema import InputError
from careshed.siting.phasing import PhasedPlan
from careshed.siting.planning import Plan, plan_sites, verify_plan
from careshed.siting.studying.checks import check_plans, named
from careshed.siting.studying.counting import hosting, unit_table
from careshed.siting.studying.extras import Extras, extras_of, last_year, phased_of
from careshed.siting.studying.matrices import Networks, matrix
from careshed.siting.studying.problem import PlanProblem, plan_problem

if TYPE_CHECKING:
    import pandas as pd

    from careshed.reach import TravelTimes
    from careshed.schema import Fault
    from careshed.settings.siting import PlanSection
    from careshed.study import Study


class UnknownPlan(KeyError):
    """A plan id that the study does not have."""

    def __init__(self, plan_id: str, known: Sequence[str]) -> None:
        super().__init__(plan_id)
        has = f"; it has: {', '.join(known)}" if known else "; it has no [[plan]]"
        self.text = f"研究文件中没有方案“{plan_id}”。there is no plan {plan_id!r} in the study{has}"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class StudyPlan:
    """A plan of a study as solved: what was asked, what is best, and who gains where."""

    problem: PlanProblem
    plan: Plan
    by_unit: pd.DataFrame
    """Who is reached before and after, unit by unit: `careshed.siting.studying.counting.unit_table`."""
    after: Mapping[str, TravelTimes]
    """Service -> travel times of the sites that stand when the plan is carried out."""
    phased: PhasedPlan | None
    """What opens in which year, where the study asks for years; `plan` is then how it stands after the last."""
    extras: Extras

    def _repr_html_(self) -> str:
        from careshed.siting.studying.showing import plan_card

        return plan_card(self)

    @property
    def findings(self) -> tuple[Fault, ...]:
        """Everything that a reader of the plan should know besides."""
        phased = self.phased.findings if self.phased is not None else ()
        return tuple(dict.fromkeys((*self.plan.findings, *phased, *self.extras.findings)))

    @property
    def section(self) -> PlanSection:
        """What the study file asks."""
        return self.problem.section


def asked_plans(study: Study, plan_id: str | None = None) -> tuple[PlanSection, ...]:
    """List the plans of a study, or the one asked for.

    Raises
    ------
    UnknownPlan
        If the study has no such plan, or none at all.
    """
    sections = study.config.plan
    found = tuple(one for one in sections if plan_id in (None, one.id))
    if not found:
        raise UnknownPlan(plan_id or "", [one.id for one in sections])
    return found


def plan_study(study: Study, plan_id: str | None = None, *, networks: Networks | None = None) -> tuple[StudyPlan, ...]:
    """Carry out the plans of a study file: where to build next, by its rules, with the proof.

    Parameters
    ----------
    plan_id
        Only this plan; all if left out.

    Raises
    ------
    careshed.schema.InputError
        With every fault of every plan's section, or of what the planning itself finds.
    UnknownPlan
        If the study has no such plan.
    """
    sections = asked_plans(study, plan_id)
    check_plans(study, sections)
    networks = networks or Networks(study)
    return tuple(solve_problem(plan_problem(study, one, networks), networks) for one in sections)


def solve_problem(problem: PlanProblem, networks: Networks | None = None) -> StudyPlan:
    """Solve one plan and re-check it from the raw travel times."""
    study, one = problem.study, problem.section
    networks = networks or Networks(study)
    try:
        phased = phased_of(problem) if one.phase else None
        plan = _solved(problem) if phased is None else last_year(problem, phased)
    except InputError as error:
        raise named(error, study.path, one) from error
    verify_plan(plan, problem.options, study.cells, existing=problem.existing, units=study.units)
    after = _after(problem, plan, networks)
    return StudyPlan(problem, plan, unit_table(problem, plan), after, phased, extras_of(problem, plan, networks))


def _solved(problem: PlanProblem) -> Plan:
    one, study = problem.section, problem.study
    return plan_sites(
        problem.options,
        study.cells,
        objective=problem.objective,
        existing=problem.existing,
        rules=problem.rules,
        units=study.units,
        seed=one.seed,
        work_limit=one.work_limit,
    )


def _after(problem: PlanProblem, plan: Plan, networks: Networks) -> dict[str, TravelTimes]:
    """Compute the travel times of all sites that stand when the plan is carried out, service by service."""
    import geopandas as gpd
    import pandas as pd

    study, one, found = problem.study, problem.section, {}
    hosts = hosting(plan)
    for service in one.service_ids:
        sites = list(hosts.get(service, ()))
        parts = [times[service].facilities for times in (problem.existing, problem.options)]
        kept = [part.loc[part.index.isin(sites), ["name", "unit", "geometry"]] for part in parts]
        stand = gpd.GeoDataFrame(pd.concat([part for part in kept if len(part)] or kept[:1]), crs=study.crs)
        found[service] = matrix(networks, one, study.service(service), stand)
    return found
