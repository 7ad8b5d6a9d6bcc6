"""Dress a table for the committee's workbook: bars and colours in cells, charts, links, footers."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from careshed.report.workbook import INK, Sheet, face, fill_page
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

TEAL, SITE, GAP, GREY = "0A6168", "7C1F56", "D4541A", "9AA3AB"
"""Reached, proposed site, gap and what is only for comparison: the colours of the maps."""

PALE_TEAL, PALE_SITE, PALE_GAP, PALE_GREY = "8CC6C3", "D6A8C4", "F3C3A6", "CDD3D8"
"""The same, light enough for numbers to stand on."""

SHARE_SCALE: Final = ("F6D9C8", "FFFFFF", "C3E3DF")
"""Share of people reached, from none over half to all."""

A3, A4 = 8, 9
"""Paper sizes as workbooks number them."""

WIDE: Final = 165.0
"""Width in characters beyond which letters on A4 become too small to read: such a page is printed on A3."""

LONG: Final = 30
"""Rows beyond which a page without a chart is printed on A3 upright, which is as wide as A4 lying and holds twice as much."""

UPRIGHT: Final = 200.0
"""Width in characters that A3 upright holds in letters of 7 points."""

ON_ONE: Final = 45
"""Rows that fit on one page together with the chart of them."""

LEAST_SCALE: Final = 0.6
"""Scale down to which a page is pressed onto one sheet: its 10.5 point letters are then 6.3 points high in print."""

PAPERS: Final = {A3: (770.0, 1090.0), A4: (523.0, 750.0)}
"""Points across and along an upright paper that hold a table, less margins and footer."""

ROW_POINTS: Final = 15.0
CHARACTER_POINTS: Final = 5.6
"""Height of a row and width of a character where nothing else is set, points."""

CM_PER_CHARACTER: Final = 0.196
ROW_CM: Final = 0.62
FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f']")
"""Signs that the name of a page must not hold."""


@dataclass(frozen=True)
class Chart:
    """A native chart of a page, drawn from the page's own cells."""

    kind: Literal["columns", "bars", "reach"]
    """``columns`` stand, ``bars`` lie; ``reach`` are columns with the last series as a line above them, such as a bound."""
    title: str
    names: str
    """Key of the column that names the categories."""
    series: tuple[str, ...]
    """Keys of the columns drawn."""
    colours: tuple[str, ...]
    axis: str
    """What the numbers are, with their unit."""
    first: int = 0
    """First row drawn, from 0."""
    rows: int | None = None
    """Number of rows drawn; all if None."""
    share: bool = False


@dataclass(frozen=True)
class Page:
    """One page of the workbook."""

    sheet: Sheet
    holds: str
    """What the list of contents says of it."""
    bars: tuple[tuple[str, str], ...] = ()
    """Columns with a bar in each cell, with its colour."""
    scales: tuple[str, ...] = ()
    """Columns coloured by share, 0 to 100 %."""
    charts: tuple[Chart, ...] = field(default=())
    totals: int = 0
    """Rows at the end that sum up those above: neither filtered nor drawn."""
    printed: int | None = None
    """Rows that are printed, from the top; all if None."""


def page_name(told: str, taken: Collection[str]) -> str:
    """Make a name that a page may have and no other page has.

    >>> page_name("托育/养老: [1]", ())
    '托育 养老  1'
    >>> page_name("a" * 40, ("a" * 31,)) == "a" * 27 + " (2)"
    True
    """
    name = FORBIDDEN.sub(" ", told).strip()[:31].strip() or "-"
    used = {one.casefold() for one in taken}
    number = 2
    found = name
    while found.casefold() in used:
        end = f" ({number})"
        found, number = name[: 31 - len(end)] + end, number + 1
    return found


def put_page(book: Workbook, page: Page, *, study: str, contents: str) -> Worksheet:
    """Add a page to the workbook; `contents` is the name of the page that lists all pages."""
    sheet = page.sheet
    back = pick(sheet.lang, "← 返回目录", "← Contents")
    ws, head = fill_page(book, replace(sheet, notes=(*sheet.notes, back)))
    _link_back(ws, head - 2, contents, sheet.lang)
    last, below = head + len(sheet.rows) - page.totals, head + len(sheet.rows) + 2
    keys = [column.key for column in sheet.columns]
    if sheet.rows:
        _put_bars(ws, page, keys, head, last)
        for chart in page.charts:
            below = _put_chart(ws, sheet, chart, keys, head, below)
    print_page(ws, study=study, width=sum(column.width for column in sheet.columns[: sheet.printed]), lang=sheet.lang)
    _limit(ws, page, head, last, below)
    printed = sum(column.width for column in sheet.columns[: sheet.printed])
    if not page.charts and printed <= UPRIGHT and (page.printed or len(sheet.rows)) > LONG:
        ws.page_setup.orientation, ws.page_setup.paperSize = "portrait", A3
    if page.charts and len(sheet.rows) <= ON_ONE:
        if any(chart.kind == "bars" for chart in page.charts):
            ws.page_setup.orientation, ws.page_setup.paperSize = "portrait", A4
        scale, table, along = _pressed(ws, sheet, head)
        whole = table + ROW_POINTS * (below - head - len(sheet.rows))
        fits = along / whole >= min(scale, LEAST_SCALE)
        ws.page_setup.fitToHeight = int(fits)
        if not fits and table * scale <= along:
            _break_before(ws, head + len(sheet.rows) + 1)
    return ws


def _break_before(ws: Worksheet, row: int) -> None:
    """Begin a new sheet of paper below a row, so that no chart is cut in two."""
    from openpyxl.worksheet.pagebreak import Break

    ws.row_breaks.append(Break(id=row))


def _pressed(ws: Worksheet, sheet: Sheet, head: int) -> tuple[float, float, float]:
    """Give the scale at which a table is as wide as its paper, its height unscaled, and that of the paper, points."""
    across, along = PAPERS[ws.page_setup.paperSize or A4]
    if ws.page_setup.orientation == "landscape":
        across, along = along, across
    high = sum(ws.row_dimensions[row].height or ROW_POINTS for row in range(1, head + len(sheet.rows) + 1))
    wide = sum(column.width for column in sheet.columns[: sheet.printed]) * CHARACTER_POINTS
    return min(across / wide, 1.0), high, along


def _limit(ws: Worksheet, page: Page, head: int, last: int, below: int) -> None:
    """Leave sums out of the filter, and print only the rows and columns that are meant for paper."""
    from openpyxl.utils import get_column_letter

    sheet = page.sheet
    if page.totals and last > head:
        ws.auto_filter.ref = f"A{head}:{get_column_letter(len(sheet.columns))}{last}"
    if sheet.printed is None and page.printed is None:
        return
    end = head + page.printed if page.printed is not None else below
    ws.print_area = f"A1:{get_column_letter(sheet.printed or len(sheet.columns))}{end}"


def _link_back(ws: Worksheet, row: int, contents: str, lang: Lang) -> None:
    from openpyxl.styles import Font

    cell = ws.cell(row, 1)
    link_to(ws, row, 1, contents)
    cell.font = Font(name=face(lang), size=10, color=TEAL, underline="single")


def link_to(ws: Worksheet, row: int, column: int, name: str) -> None:
    """Make a cell lead to another page of the workbook."""
    from openpyxl.worksheet.hyperlink import Hyperlink

    cell = ws.cell(row, column)
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{name}'!A1", display=str(cell.value))


def print_page(ws: Worksheet, *, study: str, width: float, lang: Lang) -> None:
    """Set a page for print: landscape, as wide as the paper, the study, the page's name and its number at the foot."""
    ws.page_setup.orientation = "landscape"
    ws.page_setup.paperSize = A3 if width > WIDE else A4
    ws.page_setup.fitToWidth, ws.page_setup.fitToHeight = 1, 0
    properties: Any = ws.sheet_properties  # its parts are always there, which its types do not know
    properties.pageSetUpPr.fitToPage = True
    ws.page_margins.left = ws.page_margins.right = 0.5
    ws.page_margins.top, ws.page_margins.bottom = 0.55, 0.65
    ws.print_options.horizontalCentered = True
    foot: Any = ws.oddFooter
    foot.left.text, foot.center.text = _footer(study), _footer(ws.title)
    foot.right.text = pick(lang, "第 &P 页 共 &N 页", "Page &P of &N")
    for part in (foot.left, foot.center, foot.right):
        part.size = 9


def _footer(text: str) -> str:
    """Write text as a footer takes it: & is a sign of its own there, and what follows a size must not begin with a digit."""
    told = text.replace("&", "&&")[:80]
    return f" {told}" if told[:1].isdigit() else told


def _put_bars(ws: Worksheet, page: Page, keys: Sequence[str], head: int, last: int) -> None:
    from openpyxl.formatting import rule as rules
    from openpyxl.utils import get_column_letter

    make: Any = rules  # without types
    for key, colour in page.bars:
        letter = get_column_letter(keys.index(key) + 1)
        bar = make.DataBarRule(start_type="num", start_value=0, end_type="max", color=f"FF{colour}", showValue=True)
        ws.conditional_formatting.add(f"{letter}{head + 1}:{letter}{last}", bar)
    for key in page.scales:
        letter = get_column_letter(keys.index(key) + 1)
        low, middle, high = SHARE_SCALE
        scale = make.ColorScaleRule(
            start_type="num", start_value=0, start_color=low, mid_type="num", mid_value=0.5, mid_color=middle,
            end_type="num", end_value=1, end_color=high,
        )  # fmt: skip
        ws.conditional_formatting.add(f"{letter}{head + 1}:{letter}{last}", scale)


def _put_chart(ws: Worksheet, sheet: Sheet, chart: Chart, keys: Sequence[str], head: int, below: int) -> int:
    """Draw a chart under the table; gives the first row free below it."""
    count = chart.rows or len(sheet.rows)
    shown = sheet.columns[: sheet.printed]
    top = head + 1 + chart.first
    drawn = _columns(ws, chart, keys, head, top, count)
    across = sum(column.width for column in shown)
    drawn.width = max(14.0, min(30.0, across * CM_PER_CHARACTER))
    height = max(7.5, min(22.0, 2.6 + 0.62 * count)) if chart.kind == "bars" else 9.0
    drawn.height = height
    ws.add_chart(drawn, f"A{below}")
    return below + round(height / ROW_CM) + 2


def _columns(ws: Worksheet, chart: Chart, keys: Sequence[str], head: int, top: int, count: int) -> Any:
    from openpyxl.chart import BarChart, LineChart, Reference

    bars: Any = BarChart()
    bars.type = "bar" if chart.kind == "bars" else "col"
    bars.gapWidth, bars.overlap = (60, -5) if len(chart.series) > 1 and chart.kind != "reach" else (70, None)
    line: Any = LineChart() if chart.kind == "reach" else None
    for at, (key, colour) in enumerate(zip(chart.series, chart.colours, strict=True)):
        on_line = line is not None and at == len(chart.series) - 1
        _add_series(
            line if line is not None and on_line else bars, ws, keys.index(key) + 1, head, top, count, colour, dashed=on_line
        )
    names = Reference(ws, min_col=keys.index(chart.names) + 1, min_row=top, max_row=top + count - 1)
    bars.set_categories(names)
    _axes(bars, chart, sheet_face=str(ws.cell(head, 1).font.name))
    if line is not None:
        line.set_categories(names)
        bars += line
    return bars


def _add_series(chart: Any, ws: Worksheet, column: int, head: int, top: int, count: int, colour: str, *, dashed: bool) -> None:
    """Add one column of the page as a series, named by its header."""
    from openpyxl.chart import Reference, Series
    from openpyxl.chart.data_source import StrRef
    from openpyxl.chart.series import SeriesLabel
    from openpyxl.utils import get_column_letter, quote_sheetname

    series = Series(Reference(ws, min_col=column, min_row=top, max_row=top + count - 1))
    series.tx = SeriesLabel(strRef=StrRef(f"{quote_sheetname(ws.title)}!${get_column_letter(column)}${head}"))
    if dashed:
        series.graphicalProperties.line.solidFill, series.graphicalProperties.line.width = colour, 22_000
        series.graphicalProperties.line.dashStyle = "dash"
        series.marker.symbol, series.smooth = "none", False
    else:
        series.graphicalProperties.solidFill = colour
        series.graphicalProperties.line.solidFill = colour
        series.invertIfNegative = False
    chart.series.append(series)


def _axes(chart: Any, told: Chart, *, sheet_face: str) -> None:
    """Title and axes: numbers from 0, no crowding, the first category on top where bars lie."""
    from openpyxl.chart.shapes import GraphicalProperties

    chart.title, chart.legend.position = told.title, "b"
    chart.title.overlay = False
    _small(chart, sheet_face)
    chart.y_axis.title, chart.x_axis.title = told.axis, None
    chart.y_axis.scaling.min = 0
    if told.share:
        chart.y_axis.scaling.max = 1
        chart.y_axis.majorUnit = 0.2
    chart.y_axis.number_format = "0%" if told.share else "#,##0"
    chart.y_axis.delete = chart.x_axis.delete = False
    chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=_line("E3E6E8"))
    if told.kind == "bars":
        chart.x_axis.scaling.orientation = "maxMin"
        chart.y_axis.crosses = "max"


def _line(colour: str) -> object:
    from openpyxl.drawing.line import LineProperties

    return LineProperties(solidFill=colour, w=6_000)


def _small(chart: Any, typeface: str) -> None:
    """Set the title in the size and ink of the pages' own headings, not in the program's huge letters."""
    from openpyxl.chart.text import RichText
    from openpyxl.drawing.text import CharacterProperties, Font, Paragraph, ParagraphProperties

    font = Font(typeface=typeface)
    for run in chart.title.tx.rich.p:
        run.pPr = ParagraphProperties(defRPr=CharacterProperties(sz=1200, b=True, solidFill=INK, latin=font, ea=font))
        for part in run.r or ():
            part.rPr = CharacterProperties(sz=1200, b=True, solidFill=INK, latin=font, ea=font)
    small = CharacterProperties(sz=900, solidFill="404040", latin=font, ea=font)
    for axis in (chart.x_axis, chart.y_axis):
        axis.txPr = RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=small), endParaRPr=small)])
    chart.legend.txPr = RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=small), endParaRPr=small)])
