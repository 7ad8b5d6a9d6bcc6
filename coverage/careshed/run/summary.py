"""Say in a few lines what a run found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from careshed.demand import tell_effect
from careshed.display import Markup, Table, bar, card, text
from careshed.maps.facts import gap_parts, reached_of
from careshed.maps.split import whole_split
from careshed.maps.text import counted
from careshed.report.scorecard_words import headline
from careshed.run.unjudged import unjudged_text
from careshed.supply.hierarchy import summary_line
from careshed.words import Lang, group_name, pick

OTHERS: Final = ("_places.xlsx", "_plan.xlsx", "hierarchy.xlsx", "scorecard.xlsx")
"""Ends of the names of workbooks that are no site lists but worth naming."""

FIRST: Final = ("index.html", "committee.xlsx", "layers.gpkg")
"""Names of the files of a whole run that are named before all others."""

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from careshed.reach import TravelTimes
    from careshed.run.results import RunResult, ServiceResult
    from careshed.supply.service import PlacesFound


def summary_lines(result: RunResult, lang: Lang) -> Iterator[str]:
    """Say in a few lines what a run found and where its maps and lists are."""
    study = result.study
    yield f"{study.name}{pick(lang, '（虚构数据）', ' (made-up data)') if study.made_up and '虚构' not in study.name else ''}"
    if study.config.demand is not None and study.ledger is not None:
        yield from (f"  {line}" for line in study.ledger.text(lang).splitlines())
    for one in result.services:
        service, plan = one.service, one.plan
        share, after = (_share(people, plan.people_total) for people in (plan.people_covered_before, plan.people_covered_after))
        group = group_name(service.group, lang)
        name, total, limit, new = service.name(lang), f"{plan.people_total:,.0f}", f"{service.within_minutes:g}", len(plan.sites)
        yield pick(
            lang,
            f"  {name}：{total} 名{group}中 {share} 在 {limit} 分钟内可达；新增 {new} 处后 {after}",
            f"  {name}: {share} of {total} {group} are within {limit} minutes; {after} with {counted(new, 'new site')}",
        )
        yield f"    {_gaps_line(one, study.cells[service.group], lang)}"
        if one.effect is not None:
            limit = pick(lang, f"{service.within_minutes:g} 分钟", f"{service.within_minutes:g} minutes")
            yield from (f"    {line}" for line in tell_effect(one.effect, limit=limit, lang=lang).splitlines())
        if one.places is not None:
            yield f"    {_places_line(one.places, one.times, lang)}"
    if result.hierarchy is not None:
        section = study.config.hierarchy
        names = section.names(lang) if section is not None else {}
        yield f"  {summary_line(result.hierarchy, lang, names)}"
    if result.card is not None:
        yield f"  {result.card.name(lang)}{pick(lang, '：', ': ')}{headline(result.card, lang)}"
    groups = (
        (pick(lang, "先看这几个文件", "look at these first"), _first_files(result)),
        (pick(lang, "地图", "maps"), [file for file in result.files if file.suffix == ".html" and file.name not in FIRST]),
        (pick(lang, "选址清单", "site lists"), [file for file in result.files if file.name.endswith("_sites.xlsx")]),
        (
            pick(lang, "床位托位、分级网络与评分表", "places, network of facilities, scorecard"),
            [file for file in result.files if file.suffix == ".xlsx" and file.name.endswith(OTHERS)],
        ),
        (pick(lang, "数据表与清单文件", "tables and manifest"), [file for file in result.files if file.name == "run.json"]),
    )
    for title, files in groups:
        if not files:
            continue
        yield f"{title}:"
        yield from (f"  {file}" for file in files)


def _share(people: float, of: float) -> str:
    return f"{people / of:.1%}" if of > 0 else "—"


def _first_files(result: RunResult) -> list[Path]:
    """Give the files that hold the run as a whole, in the order in which they are named."""
    return [file for name in FIRST for file in result.files if file.name == name]


def _gaps_line(one: ServiceResult, living: pd.Series, lang: Lang) -> str:
    """Say how many people the gaps hold, and that those who cannot be judged are among them."""
    people, unjudged = gap_parts(one.gaps, reached_of(one))
    out, count = people - unjudged, len(one.gaps)
    why = unjudged_text(one.times, living, unjudged, lang)
    return pick(
        lang,
        f"缺口 {count} 处，{people:,} 人：{out:,} 人到不了，{why}",
        f"{counted(count, 'gap')} of {counted(people, 'person', 'people')}: {out:,} out of reach, {why}",
    )


def _places_line(found: PlacesFound, times: TravelTimes, lang: Lang) -> str:
    """Say who finds a place."""
    total = whole_split(found.assignment.cells)
    *judged, unjudged = total.rounded.values()
    served, none, out = (f"{people:,}" for people in judged)
    people = f"{total.people:,.0f}"
    who = pick(lang, "其中", "of them, ") if found.demand_rate < 1 else ""
    rate = pick(lang, f"{found.demand_rate:.1%} 需要位子（假设）：", f"{found.demand_rate:.1%} look for a place (assumed): ")
    head = f"{who}{rate}" if who else ""
    why = unjudged_text(times, found.assignment.cells["unjudged"], unjudged, lang)
    return pick(
        lang,
        f"{head}{people} 人中 {served} 人有位，{none} 人可达而无空位，{out} 人不可达",
        f"{head}of {people}, {served} have a place, {none} are in reach but find none free, {out} are out of reach",
    ) + (pick(lang, f"，{why}", f", {why}") if unjudged else "")


def run_card(result: RunResult) -> str:
    """Lay out the card of a run for a notebook: what it found, and where its files are."""
    lang = result.study.lang
    found = [
        (one.service.name(lang), f"{reached_of(one).whole[0]:,} / {one.plan.people_total:,.0f}", *_shares(one))
        for one in result.services
    ]
    heads = (("服务", "service"), ("时限内可达 / 总数", "reached / all"), ("现状", "now"), ("新增点位后", "with the sites"))
    table = Table(tuple(pick(lang, *both) for both in heads), found, frozenset({1}))
    files = "".join(
        f"<div>{text(file.as_posix())}</div>" for file in result.files if file.suffix in (".html", ".xlsx", ".docx", ".gpkg")
    )
    facts = [(pick(lang, "文件", "files"), Markup(files))] if files else []
    return card(result.study.name, facts, table=table, made_up=result.study.made_up, lang=lang)


def _shares(one: ServiceResult) -> tuple[str, str]:
    total = one.plan.people_total
    parts = (one.plan.people_covered_before, one.plan.people_covered_after)
    before, after = (part / total if total else float("nan") for part in parts)
    return bar(before), bar(after)
