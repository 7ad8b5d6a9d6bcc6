"""Offer the steps about plans, one command each; decide nothing here."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from careshed.cli.shared import Language, Out, StudyFile, app, only, opened_study
from careshed.words import pick

if TYPE_CHECKING:
    import pandas as pd

    from careshed.policy import Profile, Rule
    from careshed.study import Study

ProfileName = Annotated[
    str | None, typer.Option("--profile", "-p", help="plan: a shipped id or a TOML file; the study's if left out  规划")
]


@app.command()
def profiles(
    profile: Annotated[str | None, typer.Argument(help="id or TOML file of a plan to explain  要说明的规划")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="table of its rules, CSV  规则表")] = None,
    template: Annotated[Path | None, typer.Option("--template", help="write a commented profile to fill in  写出模板")] = None,
    lang: Language = None,
) -> None:
    """List the plans that are shipped, explain one, or write a template for your own.  列出、说明或新建规划。"""
    from careshed.policy import explain, init_profile, load_profile
    from careshed.policy import profiles as shipped

    lang = lang or "zh"
    if template is not None:
        typer.echo(f"→ {init_profile(template)}")
    elif profile is None:
        for name, row in shipped(lang).iterrows():
            rules = pick(lang, f"{row['rules']} 条规则", f"{row['rules']} rules")
            typer.echo(f"{name}  {row['name']}  {row['doc_no']}  {rules}")
    else:
        table = explain(load_profile(profile), lang)
        _table(table, out)


@app.command()
def audit(
    profile: Annotated[str, typer.Argument(help="id of a plan, or a TOML file of its figures  规划")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="report to write, HTML or CSV  输出文件")] = None,
    lang: Language = None,
) -> None:
    """Audit a plan's own figures: sums, ratios, shares and dates that do not close, with the arithmetic.  审核规划自身的数字。"""
    from careshed.policy.audit import audit_profile, audit_table, audit_text, write_audit

    if out is not None:
        only(out, ".html", ".csv")
    found = audit_profile(profile)
    lang = lang or "zh"
    if out is None:
        typer.echo(audit_text(found, lang))
    elif out.suffix.lower() == ".csv":
        _table(audit_table(found, lang), out)
    else:
        typer.echo(f"{found.name(lang)}: {len(found.findings)} → {write_audit(out, found, lang)}")


@app.command()
def score(study: StudyFile, out: Out, profile: ProfileName = None, lang: Language = None) -> None:
    """Judge every target of a plan on the city's data; write HTML, XLSX or JSON.  按规划逐项评分。"""
    from careshed.policy.judging import judge_plan, save_scorecard
    from careshed.report.scorecard import write_scorecard
    from careshed.report.scorecard_words import headline

    only(out, ".html", ".xlsx", ".json")
    opened = opened_study(study)
    card = judge_plan(opened, _profile(opened, profile))
    lang = lang or opened.lang
    if out.suffix.lower() == ".json":
        save_scorecard(card, out)
    else:
        write_scorecard(out, card, lang=lang)
    typer.echo(f"{headline(card, lang)} → {out}")


@app.command("compound-gaps")
def compound_gaps(study: StudyFile, out: Out, profile: ProfileName = None, lang: Language = None) -> None:
    """List what residential compounds lack and which street or township answers for it; write XLSX or CSV.  居住区补短板清单。"""
    from careshed.policy.judging import compound_shortfalls, judge_plan
    from careshed.report.compounds import write_shortfalls

    only(out, ".xlsx", ".csv")
    opened = opened_study(study)
    found = compound_shortfalls(opened, judge_plan(opened, _profile(opened, profile)))
    write_shortfalls(
        out, found, study_name=opened.name, lang=lang or opened.lang, made_up=opened.made_up, data_date=opened.data_date
    )
    typer.echo(f"{len(found)} → {out}")


@app.command("break-down")
def break_down(
    study: StudyFile,
    out: Out,
    rule: Annotated[str, typer.Option("--rule", help="id of the plan's rule  指标编号")],
    level: Annotated[
        list[str] | None, typer.Option("--level", help="units to break down to; repeat for finer  分解到的级别")
    ] = None,
    key: Annotated[
        Literal["group", "uncovered"], typer.Option("--key", help="share by people, or by people who reach none  分解依据")
    ] = "group",
    what: Annotated[
        Literal["target", "missing"], typer.Option("--what", help="the whole target, or what is missing to it  目标或缺口")
    ] = "target",
    total: Annotated[float | None, typer.Option("--total", help="what to share out, where the plan does not say  总量")] = None,
    profile: ProfileName = None,
    lang: Language = None,
) -> None:
    """Break a city's target down to units and years so that every sum closes; write XLSX or CSV.  目标分解。"""
    from careshed.policy.breakdown import break_down_rule
    from careshed.policy.judging import judge_plan
    from careshed.report.breakdown import write_breakdown
    from careshed.report.tables import made_up_line

    only(out, ".xlsx", ".csv")
    opened = opened_study(study)
    plan = _profile(opened, profile)
    target = _rule(plan, rule)
    card = judge_plan(opened, plan) if what == "missing" else None
    found = break_down_rule(target, opened, level=level or ["county"], key=key, card=card, what=what, total=total)
    lang = lang or opened.lang
    typer.echo(f"→ {write_breakdown(out, found, lang, warning=made_up_line(opened.made_up, lang))}")


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="earlier run: scorecard, folder, date, or study.toml  前一次")],
    after: Annotated[str, typer.Argument(help="later run, likewise  后一次")],
    out: Annotated[Path, typer.Option("--out", "-o", help="page to write, HTML  输出文件")],
    cards: Annotated[
        Path | None, typer.Option("--cards", help="folder of saved scorecards, where dates are given  计分卡文件夹")
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", "-p", help="plan, where cards of several lie together  规划")
    ] = None,
    lang: Language = None,
) -> None:
    """Say what changed between two runs and why: facilities, rules, units, people; write HTML.  两次评分对比。"""
    from careshed.policy.changes import compare_cards, explain_changes, headline, open_card
    from careshed.policy.judging import judge_plan
    from careshed.report.supervision import write_changes

    only(out, ".html")
    lang = lang or "zh"
    if before.endswith(".toml") and after.endswith(".toml"):
        first, later = opened_study(Path(before)), opened_study(Path(after))
        told = (judge_plan(first, _profile(first, profile)), judge_plan(later, _profile(later, profile)))
        reasons = explain_changes(first, later, _profile(first, profile), profile_after=_profile(later, profile), cards=told)
        changes, units = compare_cards(*told, explained=reasons), later.units
    else:
        both = [open_card(one, folder=cards, profile=profile) for one in (before, after)]
        if both[0].profile != both[1].profile:
            named = f"{both[0].profile} / {both[1].profile}"
            raise ValueError(f"the two cards judge by different plans: {named}  两份计分卡依据的规划不同，请比较同一规划的两份")
        changes, units = compare_cards(both[0], both[1]), None
    write_changes(out, changes, lang, units=units)
    typer.echo(f"{headline(changes, lang)} → {out}")


@app.command()
def pipeline(
    study: StudyFile,
    out: Out,
    service: Annotated[list[str] | None, typer.Option("--service", "-s", help="service; all if left out  服务代号")] = None,
    profile: ProfileName = None,
    lang: Language = None,
) -> None:
    """Say what projects under way and in reserve would bring, cost and earn in subsidies; write XLSX.  项目库测算。"""
    from careshed.policy.pipeline import pipeline
    from careshed.report.pipeline import write_pipeline

    only(out, ".xlsx")
    opened = opened_study(study)
    plan = _profile(opened, profile) if profile is not None or opened.policy is not None else None
    found = pipeline(opened, service or None, profile=plan)
    typer.echo(f"→ {write_pipeline(out, found, opened, lang or opened.lang)}")


def _profile(study: Study, name: str | None) -> Profile:
    from careshed.policy import load_profile
    from careshed.policy.judging import study_profile

    return study_profile(study) if name is None else load_profile(name)


def _rule(plan: Profile, rule_id: str) -> Rule:
    """Find a rule of a plan, or say which ids come nearest."""
    ids = [rule.id for rule in plan.rule]
    if rule_id in ids:
        return plan.find(rule_id)
    near = get_close_matches(rule_id, ids, n=3, cutoff=0.3)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    raise ValueError(
        f"the plan {plan.id} has no rule {rule_id!r}{hint}; careshed profiles {plan.id} lists them  规划中没有该指标"
    )


def _table(table: pd.DataFrame, out: Path | None) -> None:
    """Print a table, or write it as CSV that Excel reads."""
    if out is None:
        typer.echo(table.to_string())
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(out, encoding="utf-8-sig")
    typer.echo(f"{len(table)} → {out}")
