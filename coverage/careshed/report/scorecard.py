"""Write a plan's scorecard: as a table, a workbook and a page that a committee reads in a minute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.policy.judging import RuleResult, Scorecard
from careshed.policy.judging.card import THEMES
from careshed.policy.model import STATUSES
from careshed.report.scorecard_words import (
    base_text,
    due_text,
    gap_text,
    headline,
    presence_text,
    reach_text,
    state_text,
    target_words,
    types_text,
    unit_of,
    value_text,
)
from careshed.report.tables import choose_format, made_up_line
from careshed.report.workbook import Column, Sheet, Value, write_workbook
from careshed.schema import fault_table
from careshed.words import Lang, level_name, pick

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = (
    Column("id", "编号", "Id", "text", 20),
    Column("theme", "主题", "Theme", "text", 11),
    Column("title", "指标", "Target", "text", 30),
    Column("status", "约束", "Status", "text", 9),
    Column("state", "判断", "Verdict", "text", 12),
    Column("value_text", "现值", "Value now", "text", 26),
    Column("target_text", "目标", "Target value", "text", 24),
    Column("due", "期限", "Due", "text", 9),
    Column("gap_text", "差距", "Gap", "text", 34),
    Column("presence", "有没有（单元）", "Has one (units)", "text", 20),
    Column("reach", "够得着（人口）", "Reaches one (people)", "text", 26),
    Column("types", "设施类型", "Facility types", "text", 24),
    Column("why", "无法判断的原因", "Why it cannot be judged", "text", 32),
    Column("notes", "假设与说明", "Assumptions and notes", "text", 38),
    Column("clause", "条款", "Clause", "text", 26),
    Column("quote", "原文", "Quote", "text", 40),
)
ON_FIRST_SHEET: Final = 12
"""Columns of the first sheet, so that it prints legibly on a page; source and notes have a sheet of their own."""

NUMBERS: Final = ("value", "target", "gap", "missing", "counted", "of", "units_short", "people_short", "unit")
"""Further columns of `scorecard_table`: the bare numbers behind the texts."""


def scorecard_table(card: Scorecard, lang: Lang = "zh") -> pd.DataFrame:
    """Lay out a scorecard as a table, one row a rule, in the order of the plan.

    Returns
    -------
    pandas.DataFrame
        Index ``id``; texts for reading (``theme``, ``title``, ``state``, ``value_text``, ``target_text``, ``gap_text``,
        ``presence``, ``reach``, ``types``, ``why``, ``notes``, ``clause``, ``quote`` …), then bare numbers: ``value``,
        ``target``, ``gap`` and ``missing`` (NaN where not judged), ``counted``, ``of``, ``units_short``, ``people_short``,
        ``unit``.
    """
    import pandas as pd

    texts = [column.key for column in COLUMNS]
    rows = [(*_row(card, result, lang), *_numbers(result, lang)) for result in card.results]
    return pd.DataFrame(rows, columns=[*texts, *NUMBERS]).set_index("id")


def _row(card: Scorecard, result: RuleResult, lang: Lang) -> tuple[str, ...]:
    rule = result.rule
    return (
        rule.id,
        pick(lang, *THEMES[result.theme]),
        rule.title(lang),
        pick(lang, *STATUSES[rule.status]),
        state_text(result.state, lang),
        value_text(result, lang),
        target_words(result, lang),
        due_text(result, lang),
        gap_text(result, lang),
        presence_text(result, lang),
        reach_text(result, lang),
        types_text(card, result, lang),
        pick(lang, *result.why),
        pick(lang, "；", "; ").join(notes_of(result, lang)),
        rule.clause,
        rule.quote,
    )


def notes_of(result: RuleResult, lang: Lang) -> list[str]:
    """List what was assumed for a rule, what its profile remarks, and who entered a figure."""
    notes = [pick(lang, *note) for note in result.notes]
    if result.entered is not None:
        value, source, date = result.entered
        notes.append(pick(lang, f"填报 {value:g}（{source}，{date}）", f"entered: {value:g} ({source}, {date})"))
    return [*notes, result.rule.note(lang)] if result.rule.note(lang) else notes


def _numbers(result: RuleResult, lang: Lang) -> tuple[float | str | None, ...]:
    first = result.targets[0] if result.targets else None
    gap, missing = (None, None) if first is None else (first.gap, first.missing)
    numbers = (result.value, result.target, gap, missing, result.counted, result.of)
    return (*numbers, result.units_short, result.people_short, unit_of(result.rule, lang))


def write_scorecard(path: str | Path, card: Scorecard, *, lang: Lang = "zh") -> Path:
    """Write a scorecard for a committee: ``.html`` is one page without internet, ``.xlsx`` a workbook.

    The workbook has a sheet of all rules, of the units that wait for a facility, of values by year, of sources, and of notes.

    Raises
    ------
    ValueError
        If the suffix is neither.
    """
    return choose_format(
        path,
        {
            ".html": lambda to: _write_page(to, card, lang),
            ".xlsx": lambda to: write_workbook(to, scorecard_sheets(card, lang)),
        },
    )


def _write_page(path: Path, card: Scorecard, lang: Lang) -> Path:
    from careshed.report.scorecard_page import scorecard_page

    path.write_text(scorecard_page(card, lang), encoding="utf-8", newline="\n")
    return path


def scorecard_sheets(card: Scorecard, lang: Lang) -> list[Sheet]:
    """Make the sheets of the workbook."""
    return [
        _rules_sheet(card, lang),
        _waiting_sheet(card, lang),
        _years_sheet(card, lang),
        _sources_sheet(card, lang),
        _notes_sheet(card, lang),
    ]


def _title(card: Scorecard, lang: Lang, what: str) -> str:
    return f"{card.study} · {card.name(lang)} · {what}"


def _rules_sheet(card: Scorecard, lang: Lang) -> Sheet:
    rows: tuple[tuple[Value, ...], ...] = tuple(_row(card, result, lang)[:ON_FIRST_SHEET] for result in card.results)
    notes = tuple(
        line for line in (headline(card, lang), base_text(card, lang), dated_line(card, lang), card.check(lang)) if line
    )
    what = pick(lang, "评分卡", "scorecard")
    columns = COLUMNS[:ON_FIRST_SHEET]
    return Sheet(what, _title(card, lang, what), notes, columns, rows, lang, made_up_line(card.made_up, lang))


def _sources_sheet(card: Scorecard, lang: Lang) -> Sheet:
    """Why a rule cannot be judged, what was assumed, and where and in which words the plan says it."""
    kept = [0, 2, *range(ON_FIRST_SHEET, len(COLUMNS))]
    rows: tuple[tuple[Value, ...], ...] = tuple(tuple(_row(card, result, lang)[at] for at in kept) for result in card.results)
    what = pick(lang, "出处", "sources")
    columns = tuple(COLUMNS[at] for at in kept)
    return Sheet(what, _title(card, lang, what), (), columns, rows, lang, made_up_line(card.made_up, lang))


def dated_line(card: Scorecard, lang: Lang) -> str:
    """Say of when the data are, "" where the study does not."""
    return pick(lang, f"数据日期：{card.data_date}", f"Data of {card.data_date}") if card.data_date else ""


def _waiting_sheet(card: Scorecard, lang: Lang) -> Sheet:
    columns = (
        Column("rule", "指标编号", "Rule", "text", 22),
        Column("title", "指标", "Target", "text", 34),
        Column("unit_id", "代码", "Code", "text", 16),
        Column("name", "名称", "Name", "text", 22),
        Column("level", "级别", "Level", "text", 16),
        Column("people", "人数", "People", "people", 12),
        Column("unreached", "其中够不着者", "Of them beyond reach", "people", 14),
    )
    rows: list[tuple[Value, ...]] = []
    for result in card.results:
        for code, row in card.waiting(result.id).iterrows():
            level = row_level(str(row["level"]), lang)
            people = [None if value is None or value != value else float(value) for value in (row["people"], row["unreached"])]
            rows.append((result.id, result.rule.title(lang), str(code), str(row["name"]), level, *people))
    what = pick(lang, "未达标单元", "units that wait")
    note = pick(
        lang,
        "各指标下尚未达标的单元、小区或设施，人数多者在前。",
        "Units, compounds or facilities short of each target, most people first.",
    )
    return Sheet(what, _title(card, lang, what), (note,), columns, tuple(rows), lang, made_up_line(card.made_up, lang))


def row_level(level: str, lang: Lang) -> str:
    """Name the level of a unit, or say that it is a facility."""
    return pick(lang, "设施", "facility") if level == "facility" else level_name(level, lang)


def _years_sheet(card: Scorecard, lang: Lang) -> Sheet:
    columns = (
        Column("rule", "指标编号", "Rule", "text", 22),
        Column("title", "指标", "Target", "text", 36),
        Column("year", "年份", "Year", "text", 8),
        Column("value", "现值", "Value", "text", 14),
        Column("target", "目标", "Target", "text", 14),
        Column("unit", "单位", "Unit", "text", 20),
        Column("met", "判断", "Verdict", "text", 12),
    )
    rows = tuple(
        (
            result.id, result.rule.title(lang), str(year.year), _rounded(year.value), _rounded(year.target),
            unit_of(result.rule, lang), met_text(year.met, lang),
        )
        for result in card.results
        for year in result.years
    )  # fmt: skip
    what = pick(lang, "分年度", "by year")
    notes = tuple(pick(lang, *note) for note in card.notes)
    return Sheet(what, _title(card, lang, what), notes, columns, rows, lang, made_up_line(card.made_up, lang))


def met_text(met: bool | None, lang: Lang) -> str:
    """Word the verdict of a year, "" where there is none."""
    return "" if met is None else state_text("met" if met else "short", lang)


def _rounded(value: float | None) -> Value:
    return None if value is None else round(value, 3)


def _notes_sheet(card: Scorecard, lang: Lang) -> Sheet:
    columns = (Column("file", "文件", "File", "text", 26), Column("told", "说明", "Note", "text", 90))
    rows: list[tuple[Value, ...]] = [("", pick(lang, *note)) for note in card.notes]
    table = fault_table(card.faults, lang=lang)
    rows += [(row["file"], f"{row['found']}: {row['problem']} {row['cure']}") for _, row in table.iterrows()]
    what = pick(lang, "说明", "notes")
    return Sheet(what, _title(card, lang, what), (), columns, tuple(rows), lang, made_up_line(card.made_up, lang))
