"""Write fairness, scores and comparisons as tables that a committee reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.report.tables import choose_format, dated, headed, limit_words, made_up_line, number, write_csv
from careshed.report.workbook import Column, Sheet, Value, write_workbook
from careshed.supply.equity import MEASURES
from careshed.words import GROUPS, Lang, group_name, level_name, pick

if TYPE_CHECKING:
    import pandas as pd

    from careshed.supply.compare import Comparison

SETTINGS: Final = {"urban": ("城镇", "urban"), "rural": ("农村", "rural")}
"""Setting of units -> (Chinese, English)."""


def write_fairness(
    path: str | Path,
    table: pd.DataFrame,
    *,
    names: dict[str, str] | None = None,
    study_name: str = "",
    lang: Lang = "zh",
    made_up: bool = False,
    data_date: str = "",
) -> Path:
    """Write measures of fairness, or classes of places or groups set against each other, as XLSX or CSV.

    Parameters
    ----------
    table
        From `careshed.supply.equity.equity_report`, `compare_classes` or `compare_groups`.
    names
        Unit code -> name, for classes that are units.

    Raises
    ------
    ValueError
        If the suffix is neither ``.xlsx`` nor ``.csv``.
    """
    sheet = _measures(table, lang) if "definition_zh" in table else _classes(table, names or {}, lang)
    title = headed(study_name, pick(lang, "公平性", "Fairness"))
    return _write(path, sheet, title, dated(data_date, lang), made_up_line(made_up, lang), lang)


def write_comparison(
    path: str | Path, change: Comparison, *, study_name: str = "", lang: Lang = "zh", made_up: bool = False, data_date: str = ""
) -> Path:
    """Write who gains and who loses by unit, as XLSX or CSV.

    Raises
    ------
    ValueError
        If the suffix is neither ``.xlsx`` nor ``.csv``.
    """
    unit = "minutes" if "minutes_saved" in change.units else "metres"
    measure = pick(lang, {"minutes": "分钟", "metres": "米"}[unit], unit)
    columns = (
        Column("unit_id", "代码", "Code", "text", 15),
        Column("name", "名称", "Name", "text", 22),
        Column("level", "级别", "Level", "text", 12),
        Column("people", "人数", "People", "people", 12),
        Column("covered_before", "变化前可达", "In reach before", "people", 12),
        Column("covered_after", "变化后可达", "In reach after", "people", 12),
        Column("gain", "新增可达", "Newly in reach", "people", 11),
        Column("lose", "不再可达", "No longer in reach", "people", 11),
        Column("unjudged", "无法判断", "Cannot be judged", "people", 11),
        Column(f"{unit}_saved", f"人均节省（{measure}）", f"Saved on average ({measure})", "minutes", 13),
        Column(f"person_{unit}_saved", f"合计节省（人·{measure}）", f"Saved in all (person-{measure})", "people", 14),
        Column("people_unknown", "变化前或后时长不明者", "People whose travel is not known in both", "people", 16),
    )
    keys = [column.key for column in columns[3:]]
    rows = tuple(
        (*_unit(str(code), str(row["name"]), str(row["level"]), lang), *(number(row[key]) for key in keys))
        for code, row in change.units.iterrows()
    )
    limit = limit_words(change.limit_minutes, change.limit_metres, lang)
    title = headed(
        study_name,
        pick(
            lang,
            f"前后对比：{group_name(change.group, lang)}，{limit}内",
            f"Before and after: {group_name(change.group, lang)} within {limit}",
        ),
    )
    notes = (change.summary(lang), *(fault.text(lang) for fault in change.findings), *dated(data_date, lang))
    return _write(path, (pick(lang, "前后对比", "Change"), columns, rows), title, notes, made_up_line(made_up, lang), lang)


def write_score(
    path: str | Path,
    table: pd.DataFrame,
    method: str,
    parts: pd.DataFrame,
    *,
    study_name: str = "",
    lang: Lang = "zh",
    made_up: bool = False,
    data_date: str = "",
) -> Path:
    """Write the scores of units with every part beside them, as XLSX or CSV.

    Parameters
    ----------
    table
        Index the unit; ``name``, ``level``, ``people``, ``score``, ``rank``, the ranges of `rank_ranges` and every indicator.
    method
        How the score is made, in words.
    parts
        `careshed.supply.score.Score.parts`, for the names of the indicators.

    Raises
    ------
    ValueError
        If the suffix is neither ``.xlsx`` nor ``.csv``.
    """
    columns = (
        Column("unit_id", "代码", "Code", "text", 13),
        Column("name", "名称", "Name", "text", 18),
        Column("level", "级别", "Level", "text", 10),
        Column("people", "人数", "People", "people", 11),
        Column("score", "得分", "Score", "minutes", 9),
        Column("rank", "名次", "Rank", "count", 8),
        Column("draw_low", "名次低限（随机权重 5%）", "Rank, 5 % of random weights", "count", 12),
        Column("draw_high", "名次高限（随机权重 95%）", "Rank, 95 % of random weights", "count", 12),
        Column("rank_best", "任意权重下最好名次", "Best rank under any weights", "count", 12),
        Column("rank_worst", "任意权重下最差名次", "Worst rank under any weights", "count", 12),
        *(Column(str(key), str(row["name_zh"]), str(row["name_en"]), "measure", 14) for key, row in parts.iterrows()),
    )
    keys = [column.key for column in columns[3:]]
    rows = tuple(
        (str(code), str(row["name"]), level_name(str(row["level"]), lang), *(number(row[key]) for key in keys))
        for code, row in table.iterrows()
    )
    title = headed(study_name, pick(lang, "服务能力评价", "Service-capacity score"))
    sheet = (pick(lang, "服务能力评价", "Score"), columns, rows)
    return _write(path, sheet, title, (method, *dated(data_date, lang)), made_up_line(made_up, lang), lang)


_Laid = tuple[str, tuple[Column, ...], tuple[tuple[Value, ...], ...]]


def _write(path: str | Path, laid: _Laid, title: str, notes: tuple[str, ...], warning: str, lang: Lang) -> Path:
    name, columns, rows = laid
    sheet = Sheet(name, title, notes, columns, rows, lang, warning)
    return choose_format(path, {".xlsx": lambda to: write_workbook(to, [sheet]), ".csv": lambda to: write_csv(to, sheet)})


def _measures(table: pd.DataFrame, lang: Lang) -> _Laid:
    columns = (
        Column("measure", "指标", "Measure", "text", 28),
        Column("value", "数值", "Value", "measure", 14),
        Column("definition", "含义", "What it means", "text", 80),
    )
    rows = tuple((str(row[f"name_{lang}"]), number(row["value"]), str(row[f"definition_{lang}"])) for _, row in table.iterrows())
    return pick(lang, "公平性", "Fairness"), columns, rows


def _classes(table: pd.DataFrame, names: dict[str, str], lang: Lang) -> _Laid:
    """Classes of places or groups of people, a measure a column."""
    ratio = Column("mean_ratio", "平均值之比", "Ratio of means", "measure", 11)
    measured = [Column(str(key), *_titles(str(key)), "measure", 13) for key in table.columns if key != "mean_ratio"]
    columns = (Column("class", "类别", "Class", "text", 16), Column("name", "名称", "Name", "text", 22), *measured, ratio)
    keys = [column.key for column in columns[2:]]
    rows = tuple(
        (str(code), _class_name(str(code), names, lang), *(number(row[key]) for key in keys)) for code, row in table.iterrows()
    )
    return pick(lang, "对比", "Compared"), columns, rows


def _titles(key: str) -> tuple[str, str]:
    return (MEASURES[key][0], MEASURES[key][1]) if key in MEASURES else (key, key)


def _class_name(code: str, names: dict[str, str], lang: Lang) -> str:
    if code == "ALL":
        return pick(lang, "全部", "All")
    if code in SETTINGS:
        return pick(lang, *SETTINGS[code])
    if code in GROUPS:
        return group_name(code, lang)
    return names.get(code, "") or pick(lang, "未注明", "not stated")


def _unit(code: str, name: str, level: str, lang: Lang) -> tuple[str, str, str]:
    if code == "ALL":
        return "", pick(lang, "全部", "All"), ""
    if code == "OUTSIDE":
        return "", pick(lang, "不在任何单元内", "In no unit"), ""
    return code, name, level_name(level, lang)
