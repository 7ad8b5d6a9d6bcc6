"""Lay out what the figures rest on: the plan judged, assumptions, sites left out, every fault with file, row, reason and cure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from careshed.maps.facts import scope_of
from careshed.maps.notes import assumptions
from careshed.report.committee.page import PALE_GAP, Page
from careshed.report.scorecard import scorecard_sheets
from careshed.report.sites import excluded_sheet
from careshed.report.tables import faults_sheet, headed, made_up_line
from careshed.report.workbook import Column, Sheet, Value
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.run import RunResult


def scorecard_pages(result: RunResult, lang: Lang) -> Iterator[Page]:
    """Give the scorecard of the plan judged: targets, units that wait, years, sources, notes; nothing where none is judged."""
    if result.card is None:
        return
    told = (
        ("规划评分", "Scorecard", "各项指标：现值、目标、差距", "every target: value, target, gap"),
        ("未达标单元", "Units that wait", "各指标未达标的单元和人数", "units short of each target, with people"),
        ("评分·分年度", "Scorecard by year", "分年度目标", "targets of each year"),
        ("评分·出处", "Scorecard sources", "条款与原文、假设", "clauses and quotes, assumptions"),
        ("评分·说明", "Scorecard notes", "评分的说明", "notes on the scorecard"),
    )
    for sheet, (zh, en, holds_zh, holds_en) in zip(scorecard_sheets(result.card, lang), told, strict=True):
        if sheet.rows:
            bars = (("people", PALE_GAP),) if any(column.key == "people" for column in sheet.columns) else ()
            yield Page(replace(sheet, name=pick(lang, zh, en)), pick(lang, holds_zh, holds_en), bars=bars)


def assumption_page(result: RunResult, lang: Lang) -> Page:
    """List what the figures of every service and plan rest on."""
    study = result.study
    columns = (
        Column("about", "适用于", "About", "text", 34),
        Column("label", "项目", "What", "text", 20),
        Column("text", "依据与假设", "What the figures rest on", "text", 92),
    )
    rows: list[tuple[Value, ...]] = []
    for one in result.services:
        scope = scope_of(study, service=one.service.id, group=None, lang=lang, times=one.times, covered=one.covered)
        scope = replace(scope, demand_rate=one.places.demand_rate) if one.places is not None else scope
        rows += [(one.service.name(lang), label, text) for label, text in assumptions(study, scope, one.times)]
    for solved in result.plans:
        what = pick(lang, "方案", "Plan")
        rows += [(solved.section.name(lang), what, pick(lang, zh, en)) for zh, en in solved.problem.assumptions]
    card = result.card
    rows += (
        [(card.name(lang), pick(lang, "评分", "Scorecard"), pick(lang, *note)) for note in card.notes] if card is not None else []
    )
    name = pick(lang, "依据与假设", "Assumptions")
    sheet = Sheet(name, headed(study.name, name), (), columns, tuple(rows), lang, made_up_line(study.made_up, lang))
    return Page(sheet, pick(lang, "速度、时限、需求率等依据", "speeds, limits, rates and their sources"))


def left_out_page(result: RunResult, lang: Lang) -> Iterator[Page]:
    """List candidate sites that the study's filters leave out; nothing where there are none."""
    left_out = [fault for fault in result.study.faults if fault.code == "candidate_excluded"]
    if left_out:
        holds = pick(lang, "研究文件过滤掉的候选点及原因", "candidates that the study filters out, and why")
        yield Page(excluded_sheet(left_out, lang, result.study.made_up), holds)


def fault_page(result: RunResult, lang: Lang) -> Page:
    """List every fault and finding: file, row, reason, cure."""
    sheet = faults_sheet(result.faults, lang, made_up_line(result.study.made_up, lang))
    sheet = replace(sheet, title=headed(result.study.name, sheet.title))
    holds = pick(lang, f"{len(sheet.rows)} 条：文件、行、原因、处理建议", f"{len(sheet.rows)} rows: file, row, reason, cure")
    return Page(sheet, holds, bars=(("people", PALE_GAP),))
