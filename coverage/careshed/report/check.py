"""Write what the audit of a study found, as a page to read or a table to work through."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.check import CHECK_COLUMNS
from careshed.report.check_page import check_page
from careshed.report.workbook import Column, Kind, Sheet, write_workbook
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.check import CheckReport

_WIDTHS: Final = {
    "people": 11, "basis": 24, "weight": 8, "kind": 22, "file": 22, "sheet": 10, "row": 8, "column": 14, "value": 24,
    "found": 48, "proposal": 44, "fixed": 10,
}  # fmt: skip


def write_check(path: str | Path, report: CheckReport, lang: Lang = "zh") -> Path:
    """Write the findings as ``.html`` (a page to read and print), ``.xlsx`` or ``.csv`` (one row a finding, ranked).

    Returns
    -------
    pathlib.Path
        The file written; the same findings give the same bytes.

    Raises
    ------
    ValueError
        If the suffix is none of the three.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in (".html", ".xlsx", ".csv"):
        raise ValueError(f"the audit is written as .html, .xlsx or .csv, not {suffix or 'a file without suffix'!r}")
    target.parent.mkdir(parents=True, exist_ok=True)
    if suffix == ".xlsx":
        return write_workbook(target, [check_sheet(report, lang)])
    text = check_page(report, lang) if suffix == ".html" else _csv(report, lang)
    target.write_text(text, encoding="utf-8" if suffix == ".html" else "utf-8-sig", newline="")
    return target


def check_sheet(report: CheckReport, lang: Lang) -> Sheet:
    """Lay the findings out as a workbook page."""
    kinds: dict[str, Kind] = {"people": "people"}
    columns = tuple(Column(key, *heads, kinds.get(key, "text"), _WIDTHS[key]) for key, heads in CHECK_COLUMNS.items())
    table = report.table(lang)
    rows = tuple(
        tuple(float(value) if isinstance(value, float) else str(value) for value in row) for row in table.to_numpy(dtype=object)
    )
    counts = report.counts()
    zh = f"错误 {counts['error']} 处、存疑 {counts['doubt']} 处、提示 {counts['note']} 处；按涉及人数排序。行号与原表一致。"
    en = (
        f"{counts['error']} errors, {counts['doubt']} doubtful, {counts['note']} noted; the most people first. "
        "Rows are numbered as in the files."
    )
    made_up = pick(lang, "虚构数据，不描述任何真实地点", "Made-up data: no real place is described")
    name = pick(lang, "数据检查", "Data check")
    return Sheet(name, f"{name} · {report.study}", (pick(lang, zh, en),), columns, rows, lang, made_up if report.made_up else "")


def _csv(report: CheckReport, lang: Lang) -> str:
    """Write the table as CSV that Excel reads and takes no cell of for a formula."""
    from careshed.report.workbook import DANGEROUS

    table = report.table(lang).rename(columns={key: pick(lang, *heads) for key, heads in CHECK_COLUMNS.items()})
    people = pick(lang, *CHECK_COLUMNS["people"])
    table[people] = table[people].round().astype(int)
    for name in table.columns.drop(people):
        table[name] = [f"'{text}" if text.startswith(DANGEROUS) else text for text in table[name].astype(str)]
    return table.to_csv(index=False, lineterminator="\r\n")
