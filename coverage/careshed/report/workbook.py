"""Lay a table out as a workbook page that a committee can read and print."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from careshed.report.stable import write_xlsx
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

Kind = Literal["text", "count", "people", "share", "minutes", "measure", "degrees"]
"""What a column holds, which decides how a number is shown: whole, whole people, percent, minutes, three decimals, degrees."""

Value = str | float | int | None

Looks = dict[tuple[Kind, bool, bool, bool], object]
"""Kind of column, whether it is narrow, whether the cell holds text, whether the row is strong -> how the cell looks."""

FORMATS: Final[dict[Kind, str]] = {
    "text": "@",
    "count": "#,##0",
    "people": "#,##0",
    "share": "0.0%",
    "minutes": "0.0",
    "measure": "#,##0.###",
    "degrees": "0.000000",
}

DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes text that starts so for a formula."""

INK, PALE, RULE, WARNING = "1F4E5F", "E8F1F2", "BFCFD3", "B42318"
LINE_HEIGHT: Final = 16.5
"""Points a line of text, for the 10.5 point letters of the body."""


@dataclass(frozen=True)
class Column:
    """One column of a table for planners."""

    key: str
    """Stable name, as GeoJSON carries it."""
    zh: str
    en: str
    kind: Kind
    width: float
    """Width in characters; a Chinese character takes two."""


@dataclass(frozen=True)
class Sheet:
    """A table with its title and the lines that explain it."""

    name: str
    title: str
    notes: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    lang: Lang
    warning: str = ""
    """A line that must be seen, such as that the data are made up."""
    strong: frozenset[int] = frozenset()
    """Rows to set in bold, such as totals."""
    printed: int | None = None
    """Columns that are printed, from the left, which title and notes span; all if None."""


def write_workbook(path: Path, sheets: Sequence[Sheet]) -> Path:
    """Write tables as a workbook for a committee: titled, frozen header, filters, ready to print on landscape A4."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for sheet in sheets:
        fill_page(book, sheet)
    return write_xlsx(book, path)


def fill_page(book: Workbook, sheet: Sheet) -> tuple[Worksheet, int]:
    """Add a table to a workbook as a page of its own; gives the page and the row of its header."""
    page = book.create_sheet(sheet.name[:31])
    head = _put_title(page, sheet) + 1
    _put_header(page, sheet, head)
    looks: Looks = {}
    for at, row in enumerate(sheet.rows):
        _put_row(page, sheet, head + 1 + at, row, at in sheet.strong, looks)
    last = page.cell(head + max(len(sheet.rows), 1), len(sheet.columns)).coordinate
    page.auto_filter.ref = f"A{head}:{last}"
    page.freeze_panes = page.cell(head + 1, 1)
    page.sheet_view.showGridLines = False
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = f"{head}:{head}"
    page.oddFooter.center.text = "&P / &N"
    return page, head


def _put_title(page: Worksheet, sheet: Sheet) -> int:
    """Write title, warning and notes across the table; returns the last row used."""
    from openpyxl.styles import Alignment, Font

    lines = [(sheet.title, 15.0, True, INK)]
    lines += [(sheet.warning, 11.0, True, WARNING)] if sheet.warning else []
    lines += [(note, 10.0, False, "404040") for note in sheet.notes]
    shown = sheet.columns[: sheet.printed]
    across = sum(column.width for column in shown)
    for row, (text, size, bold, ink) in enumerate(lines, start=1):
        cell = page.cell(row, 1)
        set_text(cell, text)
        cell.font = Font(name=face(sheet.lang), size=size, bold=bold, color=ink)
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        page.merge_cells(start_row=row, start_column=1, end_row=row, end_column=len(shown))
        page.row_dimensions[row].height = (size + 7) * lines_at(text, across * 10 / size)
    page.row_dimensions[len(lines) + 1].height = 6
    return len(lines) + 1


def _put_header(page: Worksheet, sheet: Sheet, row: int) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    tallest = 1
    for at, column in enumerate(sheet.columns, start=1):
        text, cell = pick(sheet.lang, column.zh, column.en), page.cell(row, at)
        set_text(cell, text)
        cell.font = Font(name=face(sheet.lang), size=10.5, bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor=INK)
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        page.column_dimensions[get_column_letter(at)].width = column.width
        tallest = max(tallest, lines_at(text, column.width - 3))
    page.row_dimensions[row].height = LINE_HEIGHT * tallest + 4


def _put_row(page: Worksheet, sheet: Sheet, row: int, values: Sequence[Value], strong: bool, looks: Looks) -> None:
    tallest = 1
    for at, (value, column) in enumerate(zip(values, sheet.columns, strict=True), start=1):
        cell: Any = page.cell(row, at)  # its style as a whole has no type
        text = isinstance(value, str)
        look = (column.kind, column.width < 8, text, strong)
        if look not in looks:
            _dress(cell, sheet.lang, column, text=text, strong=strong)
            looks[look] = cell._style
        cell._style = copy(looks[look])  # styles set one by one take ten times as long
        if isinstance(value, str):
            set_text(cell, value)
            tallest = max(tallest, lines_at(value, column.width - 3))
        else:
            cell.value = value
            cell.number_format = FORMATS[column.kind]
    page.row_dimensions[row].height = LINE_HEIGHT * tallest + 3


def _dress(cell: Cell | MergedCell, lang: Lang, column: Column, *, text: bool, strong: bool) -> None:
    """Give a cell of the table its letters, its side and its rule."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    side = "left" if column.kind == "text" else "right"
    tight = column.width < 8
    cell.alignment = Alignment(
        wrap_text=text, vertical="center", horizontal="center" if tight else side, indent=0 if tight else 1
    )
    cell.font = Font(name=face(lang), size=10.5, bold=strong)
    cell.border = Border(bottom=Side(style="thin", color=RULE))
    if strong:
        cell.fill = PatternFill("solid", fgColor=PALE)


def set_text(cell: Cell | MergedCell, text: str) -> None:
    """Write text that stays text whatever it begins with; control characters, which no workbook can hold, become spaces."""
    cell.value = "".join(sign if sign in "\n\t" or unicodedata.category(sign) != "Cc" else " " for sign in text)
    cell.data_type = "s"
    cell.number_format = FORMATS["text"]
    if text.startswith(DANGEROUS):
        cell.quotePrefix = True


def face(lang: Lang) -> str:
    """Name the typeface of a language, one that every office has."""
    return pick(lang, "Microsoft YaHei", "Calibri")


def lines_at(text: str, width: float) -> int:
    """Lines that a text takes at a width in characters."""
    return sum(max(1, math.ceil(_breadth(part) / max(width, 1))) for part in text.split("\n"))


def _breadth(text: str) -> int:
    """Breadth of a text in Latin characters; Chinese ones and full-width signs take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
