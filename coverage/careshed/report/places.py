"""Write who finds a place, how full facilities are and how fair it is, as workbooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from careshed.report.tables import choose_format, dated, headed, limit_words, made_up_line, number, write_csv
from careshed.report.workbook import Column, Sheet, Value, write_workbook
from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.supply.service import PlacesFound


def write_places(
    path: str | Path,
    found: PlacesFound,
    *,
    units: GeoDataFrame | None = None,
    study_name: str = "",
    lang: Lang = "zh",
    made_up: bool = False,
    data_date: str = "",
) -> Path:
    """Write who is served, who finds no place and who is out of reach, with the load of every facility, fairness and scores.

    A workbook has a sheet each; CSV holds the first, people by unit.

    Parameters
    ----------
    units
        Units, for the names of those that are scored.

    Raises
    ------
    ValueError
        If the suffix is neither ``.xlsx`` nor ``.csv``.
    """
    about = (study_name, lang, made_up_line(made_up, lang), data_date)
    split = _split_sheet(found, units, *about)
    sheets = [split, _load_sheet(found, *about), _fairness_sheet(found, *about)]
    if found.score is not None and units is not None:
        sheets.append(_score_sheet(found, units, *about))
    return choose_format(
        path, {".xlsx": lambda to: write_workbook(to, sheets), ".csv": lambda to: write_csv(to, _with_rule(split, found, lang))}
    )


def _with_rule(split: Sheet, found: PlacesFound, lang: Lang) -> Sheet:
    """Add to every row what the figures rest on, for a file that has no room for notes."""
    columns = (
        Column("minutes", "时限（分钟）", "Limit (min)", "minutes", 8),
        Column("demand_rate", "需求率（假设）", "Share that looks for a place (assumed)", "share", 12),
        Column("rule", "入位规则", "Rule", "text", 40),
    )
    told = (found.assignment.limit / 60_000, found.demand_rate, found.assignment.method(lang))
    return replace(split, columns=(*split.columns, *columns), rows=tuple((*row, *told) for row in split.rows))


def _notes(found: PlacesFound, lang: Lang, data_date: str) -> tuple[str, ...]:
    who, rate = group_name(found.assignment.group, lang), f"{found.demand_rate:.1%}"
    limit = limit_words(found.assignment.limit / 60_000, None, lang)
    assumed = pick(lang, f"假设：{rate} 的{who}需要位子。", f"Assumed: {rate} of {who} look for a place.")
    method = pick(
        lang, f"入位规则：{found.assignment.method(lang)}。时限 {limit}。", f"Rule: {found.assignment.method(lang)}; {limit}."
    )
    return (
        assumed if found.demand_rate < 1 else pick(lang, f"对象：{who}。", f"People: {who}."),
        method,
        *dated(data_date, lang),
    )


def _split_sheet(
    found: PlacesFound, units: GeoDataFrame | None, study_name: str, lang: Lang, warning: str, data_date: str
) -> Sheet:
    """People by unit in the three answers."""
    columns = (
        Column("unit_id", "代码", "Code", "text", 15),
        Column("name", "名称", "Name", "text", 22),
        Column("level", "级别", "Level", "text", 12),
        Column("parent", "上级代码", "Parent", "text", 14),
        Column("people", "需要位子的人数", "People who look for a place", "people", 13),
        Column("served", "有位", "Have a place", "people", 11),
        Column("no_place", "可达而无空位", "In reach, none free", "people", 12),
        Column("out_of_reach", "不可达", "Out of reach", "people", 11),
        Column("unjudged", "无法判断", "Cannot be judged", "people", 11),
        Column("share_served", "有位占比", "Share with a place", "share", 11),
        Column("share_no_place", "无空位占比", "Share finding none free", "share", 12),
        Column("share_out_of_reach", "不可达占比", "Share out of reach", "share", 12),
        Column("share_unjudged", "无法判断占比", "Share that cannot be judged", "share", 12),
    )
    keys = [column.key for column in columns[4:]]
    above = units["parent"].astype(str).to_dict() if units is not None else {}
    rows = tuple(
        (*_unit_cells(str(code), row, lang), above.get(str(code), ""), *(number(row[key]) for key in keys))
        for code, row in zip(found.split.index, found.split.to_dict("records"), strict=True)
    )
    title = headed(study_name, pick(lang, "谁有位，谁没有", "Who has a place, who has none"))
    strong = frozenset(at for at, code in enumerate(found.split.index) if code == "ALL")
    name = pick(lang, "按单元", "By unit")
    return Sheet(name, title, _notes(found, lang, data_date), columns, rows, lang, warning, strong)


def _unit_cells(code: str, row: Mapping[object, object], lang: Lang) -> tuple[Value, Value, Value]:
    if code == "ALL":
        return "", pick(lang, "全部", "All"), ""
    if code == "OUTSIDE":
        return "", pick(lang, "不在任何单元内", "In no unit"), ""
    return code, str(row["name"]), level_name(str(row["level"]), lang)


def _load_sheet(found: PlacesFound, study_name: str, lang: Lang, warning: str, data_date: str) -> Sheet:
    """Facilities, the fullest first."""
    columns = (
        Column("facility_id", "编号", "Id", "text", 12),
        Column("name", "名称", "Name", "text", 30),
        Column("places", "床位或托位", "Places", "count", 10),
        Column("served", "入位人数", "People served", "people", 10),
        Column("spare", "空余", "Free", "people", 9),
        Column("load", "使用率", "Load", "share", 10),
        Column("ratio", "服务范围内每千名需求者的位数", "Places per 1,000 in its catchment", "minutes", 18),
        Column("minutes_mean", "平均步行（分钟）", "Mean walk (min)", "minutes", 12),
        Column("minutes_longest", "最远步行（分钟）", "Longest walk (min)", "minutes", 12),
    )
    table = found.assignment.facilities.assign(ratio=found.access.ratio)
    table = table.sort_values("load", ascending=False, kind="stable", na_position="last")
    names = table.get("name", table.index.to_series())
    keys = [column.key for column in columns[2:]]
    rows = tuple(
        (str(code), str(name), *(number(row[key]) for key in keys))
        for code, name, row in zip(table.index, names, table.to_dict("records"), strict=True)
    )
    title = headed(study_name, pick(lang, "各设施使用情况", "How full facilities are"))
    return Sheet(pick(lang, "按设施", "By facility"), title, _notes(found, lang, data_date), columns, rows, lang, warning)


def _fairness_sheet(found: PlacesFound, study_name: str, lang: Lang, warning: str, data_date: str) -> Sheet:
    """Measures of fairness of the walk and of places."""
    columns = (
        Column("measure", "指标", "Measure", "text", 26),
        Column("walk", "到最近设施的分钟数", "Minutes to the nearest", "measure", 16),
        Column("access", "每千名需求者可得位数", "Places found per 1,000", "measure", 16),
        Column("definition", "含义", "What it means", "text", 70),
    )
    walk, access = found.fairness, found.access_fairness
    rows = tuple(
        (
            str(row[f"name_{lang}"]),
            number(row["value"]),
            number(access["value"].get(measure)),
            str(row[f"definition_{lang}"]),
        )
        for measure, row in walk.iterrows()
    )
    title = headed(study_name, pick(lang, "公平性", "Fairness"))
    access_note = pick(
        lang,
        "可得位数按两步移动搜索法（E2SFCA，高斯衰减至时限处为零）计算。",
        "Places found: enhanced two-step floating catchments (E2SFCA), Gaussian decay to nothing at the limit.",
    )
    blank = pick(
        lang,
        "空白：该指标无定义（如境况最差的四成人一无所得时的帕尔马比值），或未设标准线。",
        "Blank: the measure is not defined (as the Palma ratio where two fifths have nothing), or no line is set.",
    )
    who, rate = group_name(found.assignment.group, lang), f"{found.demand_rate:.1%}"
    seekers = pick(lang, f"需求者：{who}的 {rate}（假设）。", f"Those who look for a place: {rate} of {who} (assumed).")
    notes = (seekers, access_note, blank, *dated(data_date, lang))
    return Sheet(pick(lang, "公平性", "Fairness"), title, notes, columns, rows, lang, warning)


def _score_sheet(found: PlacesFound, units: GeoDataFrame, study_name: str, lang: Lang, warning: str, data_date: str) -> Sheet:
    """Scores of streets and townships, every part beside them, and how far ranks hang on the weights."""
    score, ranks = found.score, found.ranks
    assert score is not None
    assert ranks is not None
    parts = [
        Column(str(key), f"{row['name_zh']}", f"{row['name_en']}", "share" if key == "share" else "minutes", 14)
        for key, row in score.parts.iterrows()
    ]
    columns = (
        Column("unit_id", "代码", "Code", "text", 13),
        Column("name", "名称", "Name", "text", 18),
        Column("score", "得分", "Score", "minutes", 9),
        Column("rank", "名次", "Rank", "count", 8),
        Column("drawn", "权重随机变动时的名次（5–95%）", "Rank under random weights (5–95 %)", "text", 15),
        Column("range", "换任意权重的名次", "Rank under any weights", "text", 13),
        *parts,
        Column("reason", "未计分的原因", "Why no score", "text", 24),
    )
    table = score.table.sort_values(["score"], ascending=False, kind="stable", na_position="last")
    rows = tuple(_score_row(str(code), row, ranks, units, [c.key for c in parts], lang) for code, row in table.iterrows())
    title = headed(study_name, pick(lang, "服务能力评价", "Service-capacity score"))
    notes = (score.method(lang), *dated(data_date, lang))
    return Sheet(pick(lang, "服务能力评价", "Score"), title, notes, columns, rows, lang, warning)


def _score_row(
    code: str, row: pd.Series, ranks: pd.DataFrame, units: GeoDataFrame, parts: list[str], lang: Lang
) -> tuple[Value, ...]:
    exact, drawn = (_span(ranks, code, *keys) for keys in (("rank_best", "rank_worst"), ("draw_low", "draw_high")))
    scored = number(row["score"]) is not None
    exact = exact or (pick(lang, "单元过多，未计算", "too many units to tell") if scored else "")
    values = (number(row[key]) for key in parts)
    return (
        code,
        str(units["name"].get(code, "")),
        number(row["score"]),
        number(row["rank"]),
        drawn,
        exact,
        *values,
        str(row[f"reason_{lang}"]),
    )


def _span(ranks: pd.DataFrame, code: str, first: str, last: str) -> str:
    low, high = (number(ranks[key].get(code)) for key in (first, last))
    return "" if low is None or high is None else f"{low:.0f}–{high:.0f}"
