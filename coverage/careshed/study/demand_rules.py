"""Check what [demand] asks for: its steps fit each other, and every group it names is there when it is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from careshed.demand import DemandInputs
from careshed.demand.ages import is_age_class
from careshed.schema import Fault
from careshed.settings.config import Config, study_fault
from careshed.settings.demand import AgesSection, DemandSection, RefineSection, ScenarioSection
from careshed.settings.sections import Service
from careshed.study.rules import group_faults, unknown_name


def demand_faults(path: Path, config: Config) -> list[Fault]:
    """Check everything in [demand] that needs no file."""
    section = config.demand
    if section is None:
        return []
    faults = [*_ages_faults(path, section.ages), *_refine_faults(path, section.refine, config)]
    names = Counter(name for scenario in section.scenario for name in {scenario.name_zh, scenario.name_en} - {""})
    for number, scenario in enumerate(section.scenario, start=1):
        faults += _scenario_faults(path, f"[[demand.scenario]] {number}", scenario)
        if max(names[name] for name in (scenario.name_zh, scenario.name_en or scenario.name_zh)) > 1:
            told = (f"名称“{scenario.name_zh}”用了不止一次", f"the name {scenario.name_zh!r} is used more than once")
            cure = ("请给每个情景各自的名称。", "Give every scenario a name of its own.")
            faults.append(study_fault(path, "scenario_twice", f"[[demand.scenario]] {number}: name_zh", told, cure))
    if section.housing is not None and not section.scenario:
        told = ("新增住宅只计入情景年份，而没有情景", "housing counts in the years of scenarios only, and there is none")
        cure = ("请写 [[demand.scenario]]，或删去该节。", "Add a [[demand.scenario]], or leave the section out.")
        faults.append(study_fault(path, "housing_without_year", "[demand.housing]", told, cure))
    return faults


def _ages_faults(path: Path, ages: AgesSection | None) -> list[Fault]:
    if ages is None:
        return []
    if not (ages.classes or ages.table or ages.shares):
        told = ("没有写明年龄从何而来", "does not say where ages come from")
        cure = ("请写 classes、table 或 shares。", "State classes, table or shares.")
        return [study_fault(path, "nothing_stated", "[demand.ages]", told, cure)]
    if ages.classes and not ages.groups:
        cure = ('如 groups = ["total", "p60"]。', 'Such as groups = ["total", "p60"].')
        return [study_fault(path, "missing_key", "[demand.ages] groups", ("缺少", "is missing"), cure)]
    return []


def _refine_faults(path: Path, refine: RefineSection | None, config: Config) -> list[Fault]:
    if refine is None:
        return []
    key, faults = "[demand.refine]", []
    if refine.onto == "buildings" and refine.buildings is None:
        cure = ("请写 [demand.refine.buildings] 的 file。", "State file in [demand.refine.buildings].")
        told = ("细分到建筑需要建筑数据", "refinement to buildings needs the buildings")
        faults.append(study_fault(path, "no_buildings_stated", key, told, cure))
    if refine.onto == "streets" and refine.buildings is not None:
        cure = ('请写 onto = "buildings"，或删去 buildings。', 'State onto = "buildings", or leave buildings out.')
        told = ("写了建筑而要求细分到街道", "names buildings although people are refined to streets")
        faults.append(study_fault(path, "key_unused", f"{key} buildings", told, cure))
    if refine.size_m is None and config.population.table is not None:
        told = ("点表人口没有格网，无法知道单元格的大小", "people come from a table of points, whose cells have no known size")
        cure = ("请写 size_m（米），如 250。", "State size_m in metres, such as 250.")
        faults.append(study_fault(path, "no_cell_size", f"{key} size_m", told, cure))
    if refine.size_m is not None and config.population.table is None:
        told = ("单元格的大小已由人口数据给出", "the population states the size of its cells itself")
        faults.append(study_fault(path, "key_unused", f"{key} size_m", told, ("请删去该键。", "Leave it out.")))
    return faults


def _scenario_faults(path: Path, key: str, scenario: ScenarioSection) -> list[Fault]:
    faults = []
    if bool(scenario.rate) == bool(scenario.totals):
        told = ("应在 rate 与 totals 中写且只写一个", "needs either rate or totals, and not both")
        cure = ("如 rate = { total = 0.01 }。", "Such as rate = { total = 0.01 }.")
        faults.append(study_fault(path, "nothing_stated", key, told, cure))
    early = [str(year) for year in scenario.years if year < scenario.base_year]
    if early:
        told = (f"早于基年 {scenario.base_year}", f"lies before the base year {scenario.base_year}")
        faults.append(study_fault(path, "year_too_early", f"{key}: years", told, ("请改正。", "Correct it."), ", ".join(early)))
    missing = [str(year) for year in scenario.years if scenario.totals and year not in scenario.totals]
    if missing:
        told = ("没有该年的人口总数", "no totals are stated for the year")
        cure = ("请在 totals 中补充，或从 years 中删去。", "State them in totals, or take the year out of years.")
        faults.append(study_fault(path, "no_totals", f"{key}: years", told, cure, ", ".join(missing)))
    faults += [
        study_fault(path, "bad_rate", f"{key}: rate.{group}", ("须大于 −1（−100 %）", "must be above −1 (−100 %) a year"),
                    ("2 % 请写 0.02。", "Write 0.02 for 2 %."), f"{rate:g}")
        for group, rate in scenario.rate.items() if rate <= -1
    ]  # fmt: skip
    return faults


def demand_group_faults(
    path: Path, config: Config, services: Sequence[Service], held: Sequence[str], inputs: DemandInputs
) -> list[Fault]:
    """Check that every group that a service or a step of [demand] names is there by then.

    Parameters
    ----------
    held
        Groups of the population as read.
    inputs
        The files of [demand], which hold groups too.
    """
    section = config.demand or DemandSection()
    faults: list[Fault] = []
    groups = _aged(path, section.ages, list(held), inputs, faults)
    priority, housing = section.priority, section.housing
    if priority is not None:
        faults += _absent(path, "[demand.priority.by]", priority.by.values(), groups)
        groups += [name for name in priority.by if name not in groups]
        faults += _absent(path, "[demand.priority.weights]", priority.weights, groups)
    for number, (scenario, totals) in enumerate(zip(section.scenario, inputs.totals, strict=True), start=1):
        key = f"[[demand.scenario]] {number}"
        faults += _absent(path, f"{key}: rate", scenario.rate, groups)
        for year, table in totals.items():
            faults += _absent(path, f"{key}: totals.{year}", map(str, table.columns), groups)
    if housing is not None:
        faults += _absent(path, "[demand.housing.shares]", housing.shares, groups)
    weighed = ["demand"] if priority is not None and priority.weights else []
    return [*faults, *group_faults(path, services, [*groups, *weighed])]


def _aged(path: Path, ages: AgesSection | None, groups: list[str], inputs: DemandInputs, faults: list[Fault]) -> list[str]:
    """List the groups that people have once their ages are known."""
    if ages is None:
        return groups
    if ages.classes:
        groups = [*(name for name in groups if not is_age_class(name) and name not in ages.groups), *ages.groups]
    made = [*ages.shares, *(map(str, inputs.ages.columns) if inputs.ages is not None else ())]
    if made and "total" not in groups:
        told = ("没有全部人口 total，无法推算年龄组", "needs all residents (total), of which groups are a part")
        cure = ("请在 [population] 中提供 total。", "Give total in [population].")
        faults.append(study_fault(path, "no_total", "[demand.ages]", told, cure))
    return [*groups, *(name for name in dict.fromkeys(made) if name not in groups)]


def _absent(path: Path, key: str, names: Iterable[str], groups: Sequence[str]) -> list[Fault]:
    told = ("人口数据中没有该年龄组", "the population has no such group")
    return [unknown_name(path, key, name, told, groups) for name in dict.fromkeys(names) if name not in groups]
