"""Offer the planning of sites: carry out the plans of a study, and check a plan file; decide nothing here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from careshed.cli.shared import Language, StudyFile, app, opened_study
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.siting.studying import StudyPlan

PlanId = Annotated[str | None, typer.Option("--plan", "-p", help="id of one plan; all of them if left out  方案代号")]
Folder = Annotated[Path | None, typer.Option("--out", "-o", help="folder to write to; the study's own if left out  输出文件夹")]

GAVE_WAY = 2
"""Exit code of ``--strict`` where a plan's rules could not all be met."""


@app.command("plan-sites")
def plan_sites_(
    study: StudyFile,
    plan: PlanId = None,
    out: Folder = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="exit code 2 where rules had to give way  规则让步时以 2 退出")
    ] = False,
    lang: Language = None,
) -> None:
    """Carry out the plans of a study by their rules: plan file, workbook and map of each.  按规则选址并写出方案。"""
    from careshed.run.plans import plan_folder, write_plan
    from careshed.siting.studying import Networks, asked_plans, check_plans, plan_study

    opened = opened_study(study)
    lang = lang or opened.lang
    networks, folder, relaxed = Networks(opened), out or plan_folder(opened), False
    asked = asked_plans(opened, plan)
    check_plans(opened, asked)
    for one in asked:
        (solved,) = plan_study(opened, one.id, networks=networks)
        files = write_plan(folder, solved, lang)
        relaxed = relaxed or solved.plan.relaxation is not None
        _tell(solved, files, lang)
    if relaxed and strict:
        raise typer.Exit(GAVE_WAY)


def _tell(solved: StudyPlan, files: tuple[Path, ...], lang: Lang) -> None:
    from careshed.siting.studying import plan_sentences

    typer.echo(f"{solved.section.name(lang)}  [{solved.section.id}]")
    for line in plan_sentences(solved, lang):
        typer.echo(f"  {line}")
    for file in files:
        typer.echo(f"  → {file}")


@app.command("verify-plan")
def verify_plan_(
    study: StudyFile,
    plan: Annotated[Path, typer.Argument(help="plan file, ID_plan.json  方案文件", metavar="PLAN")],
    again: Annotated[bool, typer.Option("--again", help="solve once more and compare everything  重新求解并全部比对")] = False,
    lang: Language = None,
) -> None:
    """Check a plan file from the raw travel times: rules, counts, money; exit code 1 if anything differs.  复核方案文件。"""
    from careshed.siting.plan_check import verify_plan_file

    opened = opened_study(study)
    lang = lang or opened.lang
    found = verify_plan_file(opened, plan, again=again)
    for fault in found:
        typer.echo(f"  {fault.text(lang)}")
    if found:
        zh, en = f"{plan.name}：{len(found)} 处不符", f"{plan.name}: {len(found)} thing(s) do not add up"
        typer.echo(pick(lang, zh, en))
        raise typer.Exit(1)
    zh = f"{plan.name}：全部核对无误（点位、资金、人数、规则、输入文件）"
    typer.echo(pick(lang, zh, f"{plan.name}: everything adds up (sites, money, people, rules, input files)"))
