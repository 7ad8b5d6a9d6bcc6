"""Work out what goes with a plan: its years, reasons for each site, how sure each is, where building more stops paying."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from careshed.schema import Fault, InputError
from careshed.siting.phasing import Phase, PhasedPlan, plan_phases
from careshed.siting.planning import (
    Budget,
    Forbidden,
    ForcedIn,
    Hosting,
    MaxCover,
    MaxServed,
    Plan,
    Rule,
    SetCover,
    Stage,
    plan_sites,
)
from careshed.siting.reasons import SiteReasons, explain_sites
from careshed.siting.studying.matrices import Networks, mode_of
from careshed.siting.studying.rules import NO_LIMIT

if TYPE_CHECKING:
    from careshed.siting.reasons.curve import Frontier
    from careshed.siting.scenarios import Robustness, RobustPlan
    from careshed.siting.studying.problem import PlanProblem

CERTAIN = 0.01
"""People by which value and bound may differ and still count as proven, as in the phases themselves."""


@dataclass(frozen=True)
class Extras:
    """What goes with a plan, where it was asked for and can be told."""

    reasons: SiteReasons | None = None
    curve: Frontier | None = None
    stressed: Robustness | None = None
    robust: RobustPlan | None = None
    findings: tuple[Fault, ...] = ()
    """What was asked for and could not be told, and why."""


def phased_of(problem: PlanProblem) -> PhasedPlan:
    """Plan the years that a study asks for."""
    one = problem.section
    phases = [
        Phase(own.year, own.name, own.sites, own.yuan, own.at_least_sites, own.weight, own.at_least_places) for own in one.phase
    ]
    return plan_phases(
        problem.options,
        problem.study.cells,
        phases=phases,
        objective=problem.objective,
        existing=problem.existing,
        rules=problem.rules,
        units=problem.study.units,
        unused=one.unused,
        horizon=one.horizon,
        seed=one.seed,
        work_limit=one.work_limit,
    )


def last_year(problem: PlanProblem, phased: PhasedPlan) -> Plan:
    """Give the plan as it stands when the last phase is built, with the bound of that year planned alone."""
    new = tuple(sorted(name for names in phased.opened.values() for name in names))
    others = sorted({str(name) for times in problem.options.values() for name in times.facilities.index} - set(new))
    shape: list[Rule] = [rule for rule in problem.rules if isinstance(rule, Hosting)]
    shape += [Budget(NO_LIMIT, rule.subsidies) for rule in problem.rules if isinstance(rule, Budget)]
    shape += [ForcedIn(new)] if new else []
    shape += [Forbidden(tuple(others))] if others else []
    end = plan_sites(
        problem.options,
        problem.study.cells,
        objective=_counted(problem),
        existing=problem.existing,
        rules=shape,
        units=problem.study.units,
    )
    own = replace(end, rules=phased.rules, conflicts=phased.conflicts, relaxation=phased.relaxation, dominated=())
    return replace(own, objective=problem.objective, stages=_stages(phased, end), method=phased.method)


def _counted(problem: PlanProblem) -> MaxCover:
    return MaxCover(problem.objective.demands)


def _stages(phased: PhasedPlan, end: Plan) -> tuple[Stage, ...]:
    """What the last year is worth against the best that year alone could be."""
    if isinstance(phased.objective, SetCover):
        first = phased.stages[0]
        unit = "sites" if first.unit == "sites" else "yuan"
        return (Stage(first.name, first.value, first.bound, "sites" if unit == "sites" else "yuan", first.proven),)
    bound = max(float(phased.table["bound"].iloc[-1]), end.value)
    return (replace(end.stages[0], bound=bound, proven=bound - end.value < CERTAIN),)


def extras_of(problem: PlanProblem, plan: Plan, networks: Networks) -> Extras:
    """Work out the reasons, the frontier and the scenarios; what cannot be told is a finding."""
    found: list[Fault] = []
    reasons = _reasons(problem, plan, found)
    curve = None if problem.section.frontier == "none" else _curve(problem, found)
    stressed, robust = (None, None) if problem.section.scenarios is None else _stress(problem, plan, networks, found)
    return Extras(reasons, curve, stressed, robust, tuple(found))


def _reasons(problem: PlanProblem, plan: Plan, found: list[Fault]) -> SiteReasons | None:
    if not isinstance(problem.objective, MaxCover | MaxServed | SetCover):
        return None
    study, names = problem.study, problem.section.service_ids
    service = study.service(names[0])
    facility = (service.name("zh"), within_sentence(service.name("en"))) if len(names) == 1 else ("此类设施", "such facility")
    try:
        return explain_sites(
            plan,
            problem.options,
            study.cells,
            existing=problem.existing,
            units=study.units,
            near_m=problem.section.near_m,
            facility=facility,
        )
    except InputError as error:
        found += _untold("reasons", "各处理由", "the reasons of each site", error)
        return None


def within_sentence(name: str) -> str:
    """Write an English name as it stands within a sentence; an abbreviation keeps its capitals.

    >>> within_sentence("Day care for the old"), within_sentence("TCM clinic")
    ('day care for the old', 'TCM clinic')
    """
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def _curve(problem: PlanProblem, found: list[Fault]) -> Frontier | None:
    from careshed.siting.reasons.curve import frontier

    one, study = problem.section, problem.study
    if one.frontier == "none":
        return None
    rules = [rule for rule in problem.rules if one.frontier != "sites" or not isinstance(rule, Budget) or rule.yuan < NO_LIMIT]
    try:
        return frontier(
            problem.options,
            study.cells,
            existing=problem.existing,
            objective=problem.objective,
            rules=rules,
            units=study.units,
            by=one.frontier,
            steps=one.frontier_steps,
            seed=one.seed,
            work_limit=one.work_limit,
        )
    except InputError as error:
        found += _untold("frontier", "投入与覆盖曲线", "the curve of people against effort", error)
        return None


def _stress(
    problem: PlanProblem, plan: Plan, networks: Networks, found: list[Fault]
) -> tuple[Robustness | None, RobustPlan | None]:
    from careshed.siting.scenarios import Routing, Ruled, robust_plan, scenario_set, stress_plan, try_scenarios

    one, study, asked = problem.section, problem.study, problem.section.scenarios
    if asked is None:
        return None, None
    if plan.relaxation is not None:
        found.append(
            _noted("no_scenarios", "规则不能全部满足，故不做情景检验", "the rules cannot all be met, so no scenarios are tried")
        )
        return None, None
    network = networks.of(mode_of(study, one, study.service(one.service_ids[0])))
    try:
        scenarios = scenario_set(
            speed=asked.speed,
            limit=asked.limit,
            relative_se=asked.relative_se,
            missing_share=asked.missing_share,
            draws=asked.draws,
            seed=asked.seed,
        )
        tried = try_scenarios(
            Ruled(problem.objective, problem.rules),
            problem.options,
            study.cells,
            scenarios=scenarios,
            existing=problem.existing,
            units=study.units,
            routing=Routing(network, study.streets),
            seed=one.seed,
            work_limit=one.work_limit,
        )
    except InputError as error:
        found += _untold("scenarios", "情景检验", "the scenarios", error)
        return None, None
    robust = None
    if asked.robust != "none":
        try:
            robust = robust_plan(tried, criterion=asked.robust)
        except InputError as error:
            found += _untold("robust", "稳健方案", "the robust plan", error)
    return stress_plan(tried), robust


def _untold(code: str, zh: str, en: str, error: InputError) -> Sequence[Fault]:
    why = [(fault.zh, fault.en) for fault in error.faults]
    told_zh, told_en = "；".join(one for one, _ in why), "; ".join(one for _, one in why)
    return [_noted(f"no_{code}", f"未能给出{zh}：{told_zh}", f"{en} cannot be told: {told_en}")]


def _noted(code: str, zh: str, en: str) -> Fault:
    return Fault(code=code, file="", zh=zh, en=en, severity="noted")
