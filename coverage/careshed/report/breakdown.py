"""Write a target broken down to units and years as a workbook that states its key and closes."""

from __future__ import annotations

import csv
from pathlib import Path

from careshed.policy.breakdown import Breakdown
from careshed.report.workbook import DANGEROUS, Column, Kind, Sheet, Value, write_workbook
from careshed.words import Lang, pick

_TARGET = "target"


def write_breakdown(path: str | Path, found: Breakdown, lang: Lang = "zh", *, warning: str = "") -> Path:
    """Write a breakdown as a workbook: what each unit gets and, with years, what each year adds and must reach.

    A path that ends in ``.csv`` gets the first of these tables alone, its key and rounding in the last column.

    Parameters
    ----------
    warning
        A line that must be seen, such as that the data are made up.

    Returns
    -------
    pathlib.Path
        The file written; the same breakdown gives the same bytes.
    """
    if Path(path).suffix.lower() == ".csv":
        return _write_csv(Path(path), found, lang, warning)
    sheets = [_sheet(found, lang, warning, cumulative=False)]
    if list(found.added.columns) != [_TARGET]:
        sheets.append(_sheet(found, lang, warning, cumulative=True))
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    return write_workbook(target, sheets)


def _write_csv(path: Path, found: Breakdown, lang: Lang, warning: str) -> Path:
    """Write the targets as CSV that Excel reads: one header, notes in the last column, one a row."""
    sheet = _sheet(found, lang, warning, cumulative=False)
    digits = {column.key: _digits(column, found) for column in sheet.columns}
    heads = [pick(lang, column.zh, column.en) for column in sheet.columns]
    notes = [line for line in (warning, *found.told(lang)) if line]
    lines = []
    for at in range(max(len(sheet.rows), len(notes))):
        values = sheet.rows[at] if at < len(sheet.rows) else ("",) * len(heads)
        cells = [_plain(value, digits[column.key]) for value, column in zip(values, sheet.columns, strict=True)]
        lines.append([*cells, notes[at] if at < len(notes) else ""])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([[*heads, pick(lang, "说明", "Notes")], *lines])
    return path


def _digits(column: Column, found: Breakdown) -> int:
    """Say to how many digits a column is written: the key to whole people, shares to a hundredth of a per cent."""
    if column.key == "key":
        return 0 if column.kind == "people" else 2
    return 4 if column.key == "key_share" else max(found.decimals, 0)


def _plain(value: Value, digits: int) -> str:
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    text = str(value)
    return f"'{text}" if text.startswith(DANGEROUS) else text


def _sheet(found: Breakdown, lang: Lang, warning: str, *, cumulative: bool) -> Sheet:
    years = [str(column) for column in found.added.columns if column != _TARGET]
    name = pick(lang, "各年累计" if cumulative else "任务分解", "Reached by year" if cumulative else "Targets")
    title = pick(lang, f"{found.of_what[0] or '任务'}：{name}", f"{found.of_what[1] or 'Target'}: {name.lower()}")
    whole: Kind = "count" if found.decimals <= 0 else "minutes"
    key_kind: Kind = "people" if float(found.key.max()) >= 100 else "minutes"
    columns = [
        Column("unit_id", "代码", "Code", "text", 14),
        Column("name", "单元", "Unit", "text", 20),
        Column("key", "分配依据", "Key", key_kind, 13),
        Column("key_share", "占比", "Share", "share", 9),
    ]
    end = ("底", "End of ") if cumulative else ("", "")
    columns += [Column(year, f"{year}年{end[0]}", f"{end[1]}{year}", whole, 12) for year in years]
    if not cumulative:
        columns.append(Column("total", "合计", "Total", whole, 12))
    rows = _rows(found, lang, years, cumulative)
    strong = frozenset(at for at, row in enumerate(rows) if row[0] in ("", *found.subtotals))
    return Sheet(name, title, found.told(lang), tuple(columns), rows, lang, warning, strong)


def _rows(found: Breakdown, lang: Lang, years: list[str], cumulative: bool) -> tuple[tuple[Value, ...], ...]:
    """Lay out the units and, last, the sum."""
    table = found.table(lang)
    if cumulative:
        table[years] = table[years].cumsum(axis=1).round(max(found.decimals, 0))
    shown = ["name", "key", "key_share", *years, *([] if cumulative else ["total"])]
    rows = []
    for code, values in zip(table.index.astype(str), table[shown].to_numpy(dtype=object), strict=True):
        mark = pick(lang, "（指定）", " (fixed)") if code in found.fixed else ""
        first = "" if code == "ALL" else code
        rows.append((first, f"{values[0]}{mark}", *(float(one) for one in values[1:])))
    return tuple(rows)
