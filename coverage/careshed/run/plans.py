"""Carry out the plans of a study in a run, and write what each found: plan file, workbook, map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from careshed.run.results import Folders
from careshed.siting.plan_file import write_plan_file
from careshed.siting.studying import Networks, StudyPlan, plan_study
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.modes import Mode
    from careshed.network import Network
    from careshed.run.progress import Bar
    from careshed.study import Study


def planned(study: Study, networks: Mapping[Mode, Network], bar: Bar, lang: Lang) -> tuple[StudyPlan, ...]:
    """Carry out the plans that a study asks for, on the networks that are built already."""
    if not study.config.plan:
        return ()
    bar.say(pick(lang, "制定选址方案", "planning sites"))
    return plan_study(study, networks=Networks(study, dict(networks)))


def plan_folder(study: Study) -> Path:
    """Choose where a study's plans go: beside its maps."""
    return Folders.of(study.path).maps


def write_plan(folder: Path, solved: StudyPlan, lang: Lang) -> tuple[Path, ...]:
    """Write a plan's map, workbook and plan file; each appears whole or not at all."""
    from careshed.maps.plan import write_plan_map
    from careshed.report.plan import write_plan_workbook

    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{solved.section.id}_plan"
    return (
        write_plan_map(folder / f"{stem}.html", solved, lang=lang),
        write_plan_workbook(folder / f"{stem}.xlsx", solved, lang=lang),
        write_plan_file(folder / f"{stem}.json", solved),
    )


def plan_summary(solved: StudyPlan) -> dict[str, Any]:
    """Give the main figures of a plan for the manifest."""
    plan = solved.plan
    return {
        "parameters": solved.section.model_dump(exclude_defaults=True),
        "sites": list(plan.new),
        "value": round(plan.value, 3),
        "bound": round(plan.bound, 3),
        "unit": plan.unit,
        "status": plan.status,
        "reproducible": plan.reproducible,
        "net_yuan": plan.net_yuan,
        "gave_way": None if plan.relaxation is None else plan.relaxation.en,
    }
