"""Write what the check of streets found, as a page to read, a workbook, or a list of repairs to choose from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.report.streets_page import ROLES, Heading, hero, streets_page
from careshed.report.workbook import Column, Kind, Sheet, Value, write_workbook
from careshed.streetcheck import STREET_COLUMNS
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.streetcheck import StreetReport

_WIDTHS: Final = {
    "rank": 7, "people": 11, "counted": 26, "minutes_saved": 13, "kind": 24, "found": 52, "proposal": 44, "lon": 13, "lat": 12,
    "gap_m": 10,
}  # fmt: skip

_KINDS: Final[dict[str, Kind]] = {
    "rank": "count", "people": "people", "minutes_saved": "people", "lon": "degrees", "lat": "degrees", "gap_m": "measure",
}  # fmt: skip


def write_streets(
    path: str | Path,
    report: StreetReport,
    *,
    study_name: str = "",
    lang: Lang = "zh",
    made_up: bool = False,
    data_date: str = "",
) -> Path:
    """Write the findings as ``.html`` (a page with a map) or ``.xlsx`` (findings, parts and classes, a sheet each).

    Returns
    -------
    pathlib.Path
        The file written; the same findings give the same bytes.

    Raises
    ------
    ValueError
        If the suffix is neither.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in (".html", ".xlsx"):
        raise ValueError(f"the check of streets is written as .html or .xlsx, not {suffix or 'a file without suffix'!r}")
    target.parent.mkdir(parents=True, exist_ok=True)
    if suffix == ".xlsx":
        return write_workbook(target, street_sheets(report, study_name, lang, made_up))
    page = streets_page(report, Heading(study_name, made_up, data_date), lang)
    target.write_text(page, encoding="utf-8", newline="")
    return target


def street_sheets(report: StreetReport, study_name: str, lang: Lang, made_up: bool) -> list[Sheet]:
    """Lay findings, parts of the network and lengths by class out as workbook pages."""
    warning = pick(lang, "虚构数据，不描述任何真实地点", "Made-up data: no real place is described") if made_up else ""
    name = pick(lang, "道路检查", "Street check")
    title = f"{name} · {study_name}" if study_name else name
    columns = tuple(Column(key, *heads, _KINDS.get(key, "text"), _WIDTHS[key]) for key, heads in STREET_COLUMNS.items())
    rows = tuple(tuple(_cell(value) for value in row) for row in report.table(lang).itertuples(index=False, name=None))
    return [
        Sheet(name, title, (hero(report, lang),), columns, rows, lang, warning),
        _parts_sheet(report, lang, warning),
        _class_sheet(report, lang, warning),
    ]


def _cell(value: object) -> Value:
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return value if isinstance(value, int) else str(value)


def _parts_sheet(report: StreetReport, lang: Lang, warning: str) -> Sheet:
    columns = (
        Column("part", "部分", "Part", "count", 8),
        Column("role", "类别", "Kind", "text", 16),
        Column("km", "公里", "km", "measure", 12),
        Column("people", "居民", "People", "people", 12),
    )
    parts = report.parts
    rows = tuple(
        (part + 1, pick(lang, *ROLES[role]), float(km), float(people))
        for part, role, km, people in zip(parts.index.tolist(), parts["role"], parts["km"], parts["people"], strict=True)
    )
    title = pick(lang, "互不相接的路网", "Parts that do not hang together")
    return Sheet(title, title, (), columns, rows, lang, warning)


def _class_sheet(report: StreetReport, lang: Lang, warning: str) -> Sheet:
    columns = (
        Column("highway", "道路等级", "Class", "text", 20),
        Column("ways", "条数", "Ways", "count", 10),
        Column("km", "公里", "km", "measure", 12),
        Column("km_used", "可通行公里", "km used", "measure", 12),
    )
    rows = tuple((str(kind), int(ways), float(km), float(used)) for kind, ways, km, used in report.classes.itertuples(name=None))
    title = pick(lang, "按等级的道路长度", "Length by class")
    return Sheet(title, title, (), columns, rows, lang, warning)
