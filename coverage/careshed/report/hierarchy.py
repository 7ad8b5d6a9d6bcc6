"""Write who depends on whom among facilities: levels in sum, every link, every parent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.report.tables import choose_format, dated, headed, limit_words, made_up_line, number, write_csv
from careshed.report.workbook import Column, Sheet, write_workbook
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.supply.hierarchy import Hierarchy


def write_hierarchy(
    path: str | Path,
    hierarchy: Hierarchy,
    *,
    names: Mapping[str, str] | None = None,
    study_name: str = "",
    lang: Lang = "zh",
    made_up: bool = False,
    data_date: str = "",
    mode: str = "",
) -> Path:
    """Write who depends on whom among facilities: levels in sum, and every facility with its parent or the reason it has none.

    Parameters
    ----------
    names
        Level -> its name for the reader.
    mode
        How people travel between facilities, in words, for the note.

    Raises
    ------
    ValueError
        If the suffix is neither ``.xlsx`` nor ``.csv``.
    """
    told = {level: (names or {}).get(level, level) for level in hierarchy.levels}
    notes = (*_how(hierarchy, mode, lang), *dated(data_date, lang))
    about = (told, study_name, lang, made_up_line(made_up, lang), notes)
    links = _links_sheet(hierarchy, *about)
    sheets = [_levels_sheet(hierarchy, *about), links, _parents_sheet(hierarchy, *about)]
    return choose_format(path, {".xlsx": lambda to: write_workbook(to, sheets), ".csv": lambda to: write_csv(to, links)})


def _levels_sheet(
    hierarchy: Hierarchy, told: Mapping[str, str], study_name: str, lang: Lang, warning: str, notes: tuple[str, ...]
) -> Sheet:
    unit, measure = _measure(hierarchy, lang)
    columns = (
        Column("level", "层级", "Level", "text", 22),
        Column("facilities", "设施数", "Facilities", "count", 10),
        *(
            [Column("expected", "规划应有", "Stated in the plan", "count", 11)]
            if hierarchy.summary["expected"].notna().any()
            else []
        ),
        Column("linked", "有上级", "Linked upwards", "count", 10),
        Column("orphans", "无上级", "Without a parent", "count", 10),
        Column("reach_top", "可逐级通达顶层", "Chain reaches the top", "count", 13),
        Column(f"{unit}_mean", f"平均联系（{measure}）", f"Mean link ({measure})", "minutes", 13),
        Column(f"{unit}_longest", f"最长联系（{measure}）", f"Longest link ({measure})", "minutes", 13),
    )
    rows = tuple(
        (told[str(level)], *(number(row[column.key]) for column in columns[1:])) for level, row in hierarchy.summary.iterrows()
    )
    title = headed(study_name, pick(lang, "分级服务网络", "The network of facilities, level by level"))
    return Sheet(pick(lang, "层级", "Levels"), title, notes, columns, rows, lang, warning)


def _links_sheet(
    hierarchy: Hierarchy, told: Mapping[str, str], study_name: str, lang: Lang, warning: str, notes: tuple[str, ...]
) -> Sheet:
    """Every facility below the top with its parent, or why it has none."""
    unit, measure = _measure(hierarchy, lang)
    columns = (
        Column("facility_id", "编号", "Id", "text", 12),
        Column("name", "名称", "Name", "text", 30),
        Column("level", "层级", "Level", "text", 22),
        Column("parent", "上级编号", "Parent's id", "text", 12),
        Column("parent_name", "上级名称", "Parent", "text", 30),
        Column(unit, f"联系（{measure}）", f"Link ({measure})", "minutes", 11),
        Column("nearest", "最近的上级", "Nearest of the level above", "text", 26),
        Column(f"{unit}_nearest", f"到最近上级（{measure}）", f"To the nearest ({measure})", "minutes", 12),
        Column("reason", "无上级的原因", "Why it has no parent", "text", 30),
    )
    names = hierarchy.facilities["name"].astype(str).to_dict()
    rows = tuple(
        (
            str(code),
            str(row["name"]),
            told[level],
            str(row["parent"]),
            str(row["parent_name"]),
            number(row[unit]),
            names.get(str(row["nearest"]), ""),
            number(row[f"{unit}_nearest"]),
            str(row[f"reason_{lang}"]),
        )
        for level, links in hierarchy.links.items()
        for code, row in links.links.iterrows()
    )
    title = headed(study_name, pick(lang, "上下级联系", "Who depends on whom"))
    return Sheet(pick(lang, "联系", "Links"), title, notes, columns, rows, lang, warning)


def _parents_sheet(
    hierarchy: Hierarchy, told: Mapping[str, str], study_name: str, lang: Lang, warning: str, notes: tuple[str, ...]
) -> Sheet:
    """Every facility that others depend on: how many, how much room is left, how far the farthest is."""
    unit, measure = _measure(hierarchy, lang)
    columns = (
        Column("facility_id", "编号", "Id", "text", 12),
        Column("name", "名称", "Name", "text", 30),
        Column("below", "所辖层级", "Level that depends on it", "text", 22),
        Column("children", "所辖设施数", "Facilities that depend on it", "count", 12),
        Column("capacity", "最多可辖", "Can take", "count", 10),
        Column("spare", "余量", "Room left", "count", 9),
        Column(f"{unit}_mean", f"平均联系（{measure}）", f"Mean link ({measure})", "minutes", 13),
        Column(f"{unit}_longest", f"最长联系（{measure}）", f"Longest link ({measure})", "minutes", 13),
    )
    keys = [column.key for column in columns[3:]]
    rows = tuple(
        (str(code), str(row["name"]), told[level], *(number(row[key]) for key in keys))
        for level, links in hierarchy.links.items()
        for code, row in links.parents.iterrows()
    )
    title = headed(study_name, pick(lang, "上级设施", "Facilities that others depend on"))
    return Sheet(pick(lang, "上级设施", "Parents"), title, notes, columns, rows, lang, warning)


def _measure(hierarchy: Hierarchy, lang: Lang) -> tuple[str, str]:
    """Say what links are measured in: the columns' word, and the reader's."""
    unit = "minutes" if "minutes_mean" in hierarchy.summary else "metres"
    return unit, pick(lang, {"minutes": "分钟", "metres": "米"}[unit], unit)


RULES: Final = {
    "nearest": ("每处归最近的上级", "each depends on the nearest of the level above"),
    "stated": ("按登记的上级", "each depends on the parent that its register states"),
    "optimal": (
        "不超过上级容量，先使有上级者最多，再使总出行最少（最优）",
        "within what parents can take: most linked, then least travel (optimal)",
    ),
}
"""Rule of the links -> (Chinese, English)."""


def _how(hierarchy: Hierarchy, mode: str, lang: Lang) -> tuple[str, ...]:
    """Say how facilities were linked."""
    links = next(iter(hierarchy.links.values()))
    rule = pick(lang, *RULES[links.rule])
    limit = limit_words(links.limit_minutes, links.limit_metres, lang) if links.limit_minutes or links.limit_metres else ""
    within = pick(lang, f"，{limit}以内", f", within {limit}") if limit else ""
    moved = pick(lang, f"出行方式：{mode}。", f"Travel: {mode}.") if mode else ""
    return (f"{rule}{within}{pick(lang, '。', '. ')}{moved}",)
