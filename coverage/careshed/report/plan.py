"""Write a plan of sites as a workbook: sites with reasons, units, years, money, alternatives, how sure, rules, assumptions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.report.plan_sheets import (
    alternatives_sheet,
    assumptions_sheet,
    curve_sheet,
    money_sheet,
    rules_sheet,
    scenarios_sheet,
    sure_sheet,
    units_sheet,
    years_sheet,
)
from careshed.report.tables import choose_format, dated, faults_sheet, headed, made_up_line, number
from careshed.report.workbook import Column, Sheet, Value, write_workbook
from careshed.siting.studying import plan_sentences
from careshed.siting.studying.listing import Listed, listed, reason_text
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from careshed.siting.studying import StudyPlan

STATUS: Final = {
    "new": ("新增", "new"),
    "extended": ("扩建", "extended"),
    "closed": ("关闭", "closed"),
    "kept": ("保留", "kept"),
}
"""What becomes of a site, in the order of the list."""


def write_plan_workbook(path: str | Path, solved: StudyPlan, *, lang: Lang = "zh") -> Path:
    """Write a plan for the committee as ``.xlsx``: a sheet each for where and why, for whom, when, how much, how sure.

    Sheets that have nothing to tell are left out. The same plan gives the same bytes.

    Raises
    ------
    ValueError
        If the suffix is another.
    PermissionError
        If the file is open in another program.
    """
    warning = made_up_line(solved.problem.study.made_up, lang)
    sheets = [_site_sheet(solved, lang), units_sheet(solved, lang), *_further(solved, lang)]
    sheets += [rules_sheet(solved, lang), assumptions_sheet(solved, lang)]
    sheets += [faults_sheet(solved.findings, lang)] if solved.findings else []
    return choose_format(path, {".xlsx": lambda to: write_workbook(to, [replace(one, warning=warning) for one in sheets])})


def _further(solved: StudyPlan, lang: Lang) -> Iterator[Sheet]:
    """Sheets that only some plans have."""
    plan, extras = solved.plan, solved.extras
    if solved.phased is not None:
        yield years_sheet(solved.phased, lang)
    if plan.cost_yuan or plan.closing_yuan:
        yield money_sheet(solved, lang)
    if extras.reasons is not None and len(extras.reasons.alternatives):
        yield alternatives_sheet(solved, extras.reasons, lang)
    if extras.curve is not None:
        yield curve_sheet(extras.curve, lang)
    if extras.stressed is not None:
        yield sure_sheet(solved, extras.stressed, lang)
        yield scenarios_sheet(extras.stressed, lang)


def _site_sheet(solved: StudyPlan, lang: Lang) -> Sheet:
    phased = solved.phased is not None
    study = solved.problem.study
    columns = [
        Column("rank", "次序", "Rank", "count", 7),
        Column("id", "编号", "Id", "text", 11),
        Column("name", "名称", "Name", "text", 26),
        Column("status", "安排", "Status", "text", 9),
        *([Column("year", "年份", "Year", "text", 9)] if phased else []),
        Column("unit_name", "所在单元", "Unit", "text", 18),
        Column("people_new", "新增覆盖人数", "People newly reached", "people", 11),
        Column("people_lost", "若不建，失去可达的人数", "People lost without it", "people", 12),
        Column("places", "床位或托位", "Places", "count", 9),
        Column("net_yuan", "净投入（元）", "Net cost (yuan)", "count", 13),
        Column("reason", "理由", "Reason", "text", 60),
        Column("lon", "经度", "Longitude", "degrees", 12),
        Column("lat", "纬度", "Latitude", "degrees", 12),
    ]
    order = pick(
        lang,
        "新增点位按新增覆盖人数由多到少排序，其次为扩建、关闭和保留的设施。经纬度为 WGS-84。",
        "New sites by the people each adds, then sites extended, closed and kept. Longitude and latitude are WGS-84.",
    )
    title = headed(study.name, solved.section.name(lang))
    notes = (*plan_sentences(solved, lang), order, *dated(study.data_date, lang))
    rows = tuple(site_rows(solved, lang))
    return Sheet(pick(lang, "方案", "Plan"), title, notes, tuple(columns), rows, lang)


def site_rows(solved: StudyPlan, lang: Lang) -> list[tuple[Value, ...]]:
    """List every site: new ones in building order, then extended, closed and kept."""
    return [_site_row(solved, one, lang) for one in listed(solved)]


def _site_row(solved: StudyPlan, one: Listed, lang: Lang) -> tuple[Value, ...]:
    name = one.id
    facts, units = _facts(solved, name), solved.problem.study.units["name"]
    reasons = solved.extras.reasons
    told = reasons.table.loc[name] if reasons is not None and name in reasons.table.index else None
    year = () if solved.phased is None else (str(one.year or ""),)
    people = (None, None) if told is None else (number(told["people_new"]), number(told["people_lost"]))
    reason = reason_text(solved, name, lang)
    unit = str(facts["unit"])
    money = number(facts["net_yuan"]) if one.fate in ("new", "extended") else None
    return (
        one.rank,
        name,
        str(facts["name"]),
        pick(lang, *STATUS[one.fate]),
        *year,
        str(units.get(unit, unit)),
        *people,
        number(facts["places"]),
        money,
        reason,
        facts["lon"],
        facts["lat"],
    )


def _facts(solved: StudyPlan, name: str) -> Mapping[str, Value]:
    """What is known of a site, whether it stands in the end or is closed."""
    sites = solved.plan.sites
    if name in sites.index:
        row, point = sites.loc[name], sites.geometry.loc[[name]].to_crs(4326).iloc[0]
        facts = {key: row[key] for key in ("name", "unit", "places", "net_yuan")}
    else:
        table = next(times.facilities for times in solved.problem.existing.values() if name in times.facilities.index)
        row, point = table.loc[name], table.geometry.loc[[name]].to_crs(4326).iloc[0].centroid
        facts = {"name": row["name"], "unit": row["unit"], "places": row.get("places"), "net_yuan": 0.0}
    return {**facts, "lon": round(point.x, 6), "lat": round(point.y, 6)}
