"""Lay out the first page of the committee's workbook: the sentences that matter, main figures, facts of the run, contents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from careshed.maps.facts import judged_count, key_sentence, plan_sentences, reached_counts, reached_of, scope_of
from careshed.report.committee.page import TEAL, Page, link_to, print_page
from careshed.report.premises import together_line
from careshed.report.scorecard_words import headline
from careshed.report.tables import dated, headed, limit_words, made_up_line
from careshed.report.workbook import INK, RULE, Column, Sheet, Value, face, fill_page, lines_at, set_text
from careshed.siting.studying import gave_way
from careshed.siting.studying import key_sentence as plan_sentence
from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from careshed.run import RunResult, ServiceResult


def summary_name(lang: Lang) -> str:
    """Name the first page."""
    return pick(lang, "摘要", "Summary")


def service_sentences(result: RunResult, one: ServiceResult, lang: Lang) -> tuple[str, ...]:
    """Say what a run found for a service, in the words of its map: who reaches it, and what the sites add, with the bound."""
    scope = scope_of(result.study, service=one.service.id, group=None, lang=lang, times=one.times, covered=one.covered)
    counts = reached_counts(scope, result.study.cells, one.times, one.covered)
    found, who = judged_count(scope, counts), group_name(one.service.group, lang)
    if found is not None and not found.people:
        return (
            pick(
                lang, f"数据中没有{who}，无从判断，也不选址。", f"The data hold no {who}: nobody to judge, no sites to propose."
            ),
        )
    key = key_sentence(scope, found)
    if not one.plan.n_asked:
        return (key,)
    if not len(one.options.facilities):
        return (key, pick(lang, "没有可用的候选点位，未作选址。", "There are no candidates to weigh, so no sites are proposed."))
    none = pick(
        lang,
        "按这些规则，没有候选点能增加可达的人，未提出新增点位。",
        "Under these rules no candidate adds anybody: none is proposed.",
    )
    return (key, *(plan_sentences(scope, one.plan) if len(one.plan.sites) else (none,)))


def put_summary(book: Workbook, result: RunResult, pages: Sequence[Page], lang: Lang) -> Worksheet:
    """Add the first page: sentences, the main figures of every service, facts of the run, and a linked list of all pages."""
    sheet = _figures(result, lang)
    ws, head = fill_page(book, sheet)
    ws.auto_filter.ref = None
    ws.freeze_panes = None
    row = _block(ws, head + len(sheet.rows) + 2, pick(lang, "运行信息", "This run"), _facts(result, lang), sheet, lang)
    contents = [(page.sheet.name, page.holds) for page in pages]
    start = _block(
        ws, row + 1, pick(lang, "目录（点击页名跳转）", "Contents (click a name to go there)"), contents, sheet, lang
    ) - len(pages)
    for at, page in enumerate(pages):
        _link(ws, start + at, page.sheet.name, lang)
    print_page(ws, study=result.study.name, width=sum(column.width for column in sheet.columns), lang=lang)
    ws.page_setup.orientation, ws.page_setup.fitToHeight = "portrait", 0  # as many pages as letters that can be read take
    return ws


def _figures(result: RunResult, lang: Lang) -> Sheet:
    columns = (
        Column("service", "服务", "Service", "text", 24 if lang == "zh" else 28),
        Column("who", "服务对象与时限", "For whom, within", "text", 20),
        Column("people", "人数", "People", "people", 8.5),
        Column("covered", "现状可达", "Reached today", "people", 9),
        Column("share", "现状可达率", "Share today", "share", 9),
        Column("missed", "不可达", "Not reached", "people", 9),
        Column("unjudged", "无法判断", "Cannot be judged", "people", 8.5),
        Column("gaps", "缺口（处）", "Gaps", "count", 8),
        Column("sites", "新增（处）", "Proposed sites", "count", 9.5),
        Column("after", "建成后可达率", "Share with the sites", "share", 9),
        Column("bound", "上限", "Bound", "share", 8),
    )
    study = result.study
    colon, gap = pick(lang, "：", ": "), pick(lang, "", " ")
    notes = [f"{one.service.name(lang)}{colon}{gap.join(service_sentences(result, one, lang))}" for one in result.services]
    if together := together_line(result.services, lang):
        notes.append(f"{pick(lang, '建议选址', 'Proposed sites')}{colon}{together}")
    notes += [
        f"{solved.section.name(lang)}{colon}{gap.join((plan_sentence(solved, lang), *gave_way(solved.plan, lang)))}"
        for solved in result.plans
    ]
    if result.card is not None:
        notes.append(f"{result.card.name(lang)}{pick(lang, '：', ': ')}{headline(result.card, lang)}")
    title = headed(study.name, pick(lang, "服务设施可达性与选址：成果表", "Access to care and proposed sites: tables"))
    rows = tuple(_figure_row(one, lang) for one in result.services)
    name = summary_name(lang)
    return Sheet(name, title, (*notes, *dated(study.data_date, lang)), columns, rows, lang, made_up_line(study.made_up, lang))


def _figure_row(one: ServiceResult, lang: Lang) -> tuple[Value, ...]:
    service, plan = one.service, one.plan
    reached = reached_of(one)
    people, share = reached.people, reached.covered / reached.people if reached.people else None
    covered, missed, unjudged = reached.whole  # as on the map, so that the counts add up
    who = pick(lang, "，", ", ").join((group_name(service.group, lang), limit_words(service.within_minutes, None, lang)))
    after, bound = (value / people if people else None for value in (plan.people_covered_after, plan.bound))
    return (
        service.name(lang), who, people, covered, share, missed,
        unjudged, len(one.gaps), len(plan.sites), after, bound,
    )  # fmt: skip


def _facts(result: RunResult, lang: Lang) -> list[tuple[str, str]]:
    """Say what the run was made from."""
    study = result.study
    levels = study.units["level"].value_counts(sort=False)
    units = pick(lang, "、", ", ").join(f"{level_name(str(level), lang)} {count}" for level, count in levels.items())
    people = float(study.cells["total"].sum()) if "total" in study.cells.columns else None
    counts = {
        severity: sum(fault.severity == severity for fault in result.faults) for severity in ("dropped", "repaired", "noted")
    }
    facts = [
        (pick(lang, "研究", "Study"), study.name),
        (pick(lang, "数据日期", "Data of"), study.data_date or pick(lang, "研究文件未注明", "not stated in the study file")),
        *([(pick(lang, "全部人口", "All residents"), f"{people:,.0f}")] if people is not None else []),
        (pick(lang, "人口格网", "Cells"), f"{len(study.cells):,}"),
        (pick(lang, "单元", "Units"), units),
        (pick(lang, "登记的设施", "Facilities registered"), f"{len(study.facility_table):,}"),
        (pick(lang, "候选点位", "Candidate sites"), f"{len(study.candidate_table):,}"),
        (pick(lang, "计算坐标系", "Computed in"), study.crs),
        (
            pick(lang, "数据问题", "Faults of data"),
            pick(
                lang,
                f"未采用 {counts['dropped']} 条，已修正 {counts['repaired']} 条，提示 {counts['noted']} 条",
                f"{counts['dropped']} left out, {counts['repaired']} repaired, {counts['noted']} noted",
            ),
        ),
    ]
    if result.card is not None:
        facts.insert(2, (pick(lang, "所评规划", "Plan judged"), result.card.name(lang)))
    return facts


def _block(ws: Worksheet, row: int, title: str, lines: Sequence[tuple[str, str]], sheet: Sheet, lang: Lang) -> int:
    """Write a titled block of labels and texts; gives the row after it."""
    from openpyxl.styles import Alignment, Border, Font, Side

    set_text(ws.cell(row, 1), title)
    ws.cell(row, 1).font = Font(name=face(lang), size=12, bold=True, color=INK)
    ws.row_dimensions[row].height = 22
    across = sum(column.width for column in sheet.columns[1:])
    for at, (label, text) in enumerate(lines, start=row + 1):
        for column, told, bold in ((1, label, True), (2, text, False)):
            cell = ws.cell(at, column)
            set_text(cell, told)
            cell.font = Font(name=face(lang), size=10.5, bold=bold)
            cell.alignment = Alignment(wrap_text=True, vertical="center", indent=1)
        ws.merge_cells(start_row=at, start_column=2, end_row=at, end_column=len(sheet.columns))
        for column in range(1, len(sheet.columns) + 1):
            ws.cell(at, column).border = Border(bottom=Side(style="thin", color=RULE))
        tallest = max(lines_at(label, sheet.columns[0].width - 3), lines_at(text, across - 3))
        ws.row_dimensions[at].height = 16.5 * tallest + 3
    return row + 1 + len(lines)


def _link(ws: Worksheet, row: int, name: str, lang: Lang) -> None:
    from openpyxl.styles import Font

    link_to(ws, row, 1, name)
    ws.cell(row, 1).font = Font(name=face(lang), size=10.5, bold=True, color=TEAL, underline="single")
