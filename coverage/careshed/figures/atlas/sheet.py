"""Frame one sheet of the atlas: A3, title, title block, legend, scale; true to scale on paper."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from careshed.figures.furniture import Entry, chip, legend, legend_height, north_arrow, round_length, scale_bar
from careshed.figures.ground import Bounds, Box, Ground, View, scaled_view
from careshed.figures.page import INK, LINE, SOFT, TEAL, Page, look, new_page
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.study import Study

A3_MM: Final = (420.0, 297.0)
"""A3, lying."""

LETTERS: Final = 10.0
"""Ordinary letters, points."""

FRAME: Final[Box] = (20.0, 10.0, 410.0, 287.0)
"""The frame: 20 mm at the left to bind, 10 mm elsewhere."""

HEAD_MM: Final = 17.0
COLUMN_MM: Final = 84.0
"""Width of the column with legend, figures and title block."""

PAD: Final = 4.0
ROW_MM: Final = 6.9
"""Height of a row of the title block."""

ROUND: Final = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5, 8, 10)
"""First digits of the scales that are used."""

ROOM: Final = 0.975
"""Share of the map that the area may fill."""

MARKS_MM: Final = 60.0
"""Coordinate marks stand at most this far apart."""

MAP_BOX: Final[Box] = (FRAME[0] + PAD, FRAME[1] + PAD, FRAME[2] - COLUMN_MM, FRAME[3] - HEAD_MM)


@dataclass(frozen=True)
class Atlas:
    """What all sheets of one atlas share."""

    study: Study
    ground: Ground
    lang: Lang
    families: tuple[str, ...]
    approval_no: str = ""
    """审图号, "" if the map has none."""
    coordinates: str = ""
    """Name of the coordinate system."""
    sheets: int = 0
    services: tuple[str, ...] = ()
    """Names of the services drawn, all of the study if empty."""


@dataclass(frozen=True)
class Title:
    """What one sheet is called."""

    name: str
    number: str
    """Sheet number, as in the list of sheets."""
    place: int
    """Its page."""
    note: str = ""
    """How to read it, and what it rests on."""


@dataclass
class Column:
    """What stands in the column beside a map, filled while the map is drawn."""

    figures: list[tuple[str, str]] = field(default_factory=list)
    """Numbers that matter: what, and how much."""
    entries: list[Entry] = field(default_factory=list)
    table: list[list[str]] = field(default_factory=list)
    """A small table, its head first."""
    table_head: str = ""
    lines: list[str] = field(default_factory=list)
    """Further lines, under the table."""
    lines_head: str = ""


def round_scale(least: float) -> int:
    """Give the next round scale that shows at least as much as 1:`least`.

    >>> round_scale(48_510), round_scale(7_600), round_scale(50_000)
    (50000, 8000, 50000)
    """
    power = 10.0 ** math.floor(math.log10(max(least, 1.0)))
    return round(next(one * power for one in ROUND if one * power >= least * (1 - 1e-9)))


def fitting_scale(bounds: Bounds, box: Box) -> int:
    """Give the largest round scale at which an area fits into a box of the page with some room around it."""
    west, south, east, north = bounds
    wide, high = (box[2] - box[0]) * ROOM / 1000, (box[3] - box[1]) * ROOM / 1000
    return round_scale(max((east - west) / wide, (north - south) / high, 1.0))


@contextmanager
def blank_sheet(atlas: Atlas, title: Title) -> Iterator[Page]:
    """Open a framed sheet with its title."""
    with look(atlas.families):
        page = new_page(A3_MM, atlas.lang, atlas.families, base=LETTERS)
        left, low, right, top = FRAME
        page.box(left, low, right - left, top - low, facecolor="none", edgecolor=INK, linewidth=1.2, zorder=9)
        page.rule((left, right), (top - HEAD_MM + PAD, top - HEAD_MM + PAD), colour=INK, width=0.5, zorder=9)
        middle = top - (HEAD_MM - PAD) / 2
        study = atlas.study
        edge = right - PAD
        page.write(edge, middle, title.number, 1.25, colour=TEAL, bold=True, align="right", at="center_baseline")
        edge -= page.width_of(title.number, 1.25, bold=True) + 5
        if study.made_up:
            edge = chip(page, edge, middle + page.line(1.1) * 0.6, pick(atlas.lang, "虚构数据，仅供演示", "made-up data")) - 5
        name = page.clipped(study.name, 120, 1.1)
        page.write(edge, middle, name, 1.1, colour=SOFT, align="right", at="center_baseline")
        edge -= page.width_of(name, 1.1) + 6
        size = next((one for one in (2.1, 1.8, 1.5, 1.25) if page.width_of(title.name, one, bold=True) <= edge - left - PAD), 1.1)
        page.write(left + PAD, middle, page.clipped(title.name, edge - left - PAD, size, bold=True), size, bold=True,
                   at="center_baseline")  # fmt: skip
        yield page


@contextmanager
def map_sheet(atlas: Atlas, title: Title, bounds: Bounds) -> Iterator[tuple[View, Column]]:
    """Open a sheet with a map at a round scale; when the map is drawn, the column beside it is laid out."""
    with blank_sheet(atlas, title) as page:
        middle = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
        view = scaled_view(page, MAP_BOX, atlas.ground, middle, fitting_scale(bounds, MAP_BOX))
        column = Column()
        yield view, column
        _grid_marks(view)
        _lay_out(atlas, title, view, column)


def _grid_marks(view: View) -> None:
    """Mark round coordinates at the map's edge, so that a place can be read off in metres."""
    page, step = view.page, round_length(MARKS_MM * view.metres_a_mm)
    west, south, east, north = view.bounds
    for x in _multiples(west, east, step):
        at, _ = view.on_paper(x, south)
        for edge, way in ((view.y, 1), (view.y + view.height, -1)):
            page.rule((at, at), (edge, edge + way * 1.8), width=0.5, zorder=8)
    for y in _multiples(south, north, step):
        _, at = view.on_paper(west, y)
        for edge, way in ((view.x, 1), (view.x + view.width, -1)):
            page.rule((edge, edge + way * 1.8), (at, at), width=0.5, zorder=8)


def _multiples(low: float, high: float, step: float) -> list[float]:
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _lay_out(atlas: Atlas, title: Title, view: View, column: Column) -> None:
    """Stack the column: figures and legend from the top, scale and title block at the bottom."""
    page = view.page
    x, wide = FRAME[2] - COLUMN_MM + PAD, COLUMN_MM - 2 * PAD
    floor = _title_block(atlas, title, page, view)
    floor = _scale_and_north(page, view, x, floor)
    y = FRAME[3] - HEAD_MM - 0.5
    for what, much in column.figures:
        y = page.write_lines(x, y, [much], 1.9, colour=TEAL, bold=True)
        y = page.write_lines(x, y + 0.6, page.wrapped(what, wide, 0.9), 0.9, colour=SOFT) - 1.6
    if column.table:
        y = small_table(page, x, y - 1, wide, column.table, column.table_head) - 2.5
    high = legend_height(page, column.entries, wide, times=0.95)
    legend_top = max(y - 1, floor + 2 + high) if y - 1 - high < floor else y - 1
    times = next(
        (one for one in (0.95, 0.85, 0.75, 0.65) if legend_height(page, column.entries, wide, times=one) <= y - floor), 0.6
    )
    y = legend(page, x, min(legend_top, y - 1), column.entries, wide, times=times)
    _further_lines(page, x, y - 1.5, wide, floor, column)


def _further_lines(page: Page, x: float, y: float, wide: float, floor: float, column: Column) -> None:
    """List what there is room for, and say how much is left out."""
    if not column.lines:
        return
    room = int((y - floor - page.line(0.9)) / page.line(0.82))
    if room < 2:
        return
    y = page.write_lines(x, y, [column.lines_head], 0.9, bold=True)
    shown = column.lines if len(column.lines) <= room else column.lines[: room - 1]
    more = len(column.lines) - len(shown)
    lines = [page.clipped(text, wide, 0.82) for text in shown]
    lines += [pick(page.lang, f"……其余 {more} 条见附表", f"… {more} more in the annex")] if more else []
    page.write_lines(x, y, lines, 0.82)


def _scale_and_north(page: Page, view: View, x: float, floor: float) -> float:
    """Draw scale, scale bar and north arrow over the title block, and give their upper edge."""
    page.write(x, floor + 12.5, f"1:{view.scale:,.0f}", 1.35, bold=True)
    scale_bar(view, x + 1, floor + 7, at_most=50.0, times=0.85)
    north_arrow(page, FRAME[2] - PAD - 7, floor + 4.5, high=9.5)
    return floor + 20


def _title_block(atlas: Atlas, title: Title, page: Page, view: View | None) -> float:
    """Draw the title block (图签) in the lower right corner, and give its upper edge."""
    lang, study = atlas.lang, atlas.study
    none = pick(lang, "未设", "none given")
    rows = [
        (pick(lang, "项目名称", "project"), study.name),
        (pick(lang, "图名", "sheet"), title.name),
        (pick(lang, "比例", "scale"), f"1:{view.scale:,.0f} (A3)" if view is not None else "–"),
        (pick(lang, "坐标系", "coordinates"), atlas.coordinates),
        (pick(lang, "数据日期", "data as of"), study.data_date or none),
        (pick(lang, "审图号", "approval no."), atlas.approval_no or none),
        (pick(lang, "图号", "number"), pick(lang, f"{title.number}　第 {title.place} 页，共 {atlas.sheets} 页",
                                            f"{title.number}  ·  page {title.place} of {atlas.sheets}")),
    ]  # fmt: skip
    left, right, low = FRAME[2] - COLUMN_MM + PAD, FRAME[2], FRAME[1]
    label = max(page.width_of(name, 0.85) for name, _ in rows) + 3
    notes = page.wrapped(title.note, right - left - 4, 0.72) if title.note else []
    base = low + (len(notes) * page.line(0.72) + 2.4 if notes else 0)
    page.write_lines(left + 2, base - 1.0, notes, 0.72, colour=SOFT)
    y = base
    for name, value in reversed(rows):
        said = page.wrapped(value, right - left - label - 4, 0.85)[:2]
        high = ROW_MM if len(said) == 1 else ROW_MM * 1.6
        page.rule((left, right), (y, y), colour=INK if y == base else LINE, width=0.5)
        page.write(left + 2, y + high / 2, name, 0.85, colour=SOFT, at="center_baseline")
        step = page.line(0.85)
        for at, text in enumerate(said):
            page.write(left + label + 2, y + high / 2 + step * ((len(said) - 1) / 2 - at), text, 0.85, at="center_baseline",
                       bold=name == rows[1][0])  # fmt: skip
        y += high
    page.rule((left, right), (y, y), width=0.8)
    page.rule((left, left), (low, y), width=0.8)
    page.rule((left + label, left + label), (base, y), colour=LINE, width=0.5)
    return y


def _rights(page: Page, left: float, right: float, rows: Sequence[Sequence[str]], times: float) -> list[float]:
    """Give the right edges of the columns of numbers, each as wide as its widest text with the same room between them."""
    widths = [max(page.width_of(text, times) for text in column) for column in list(zip(*rows, strict=True))[1:]]
    gap = (right - left - sum(widths)) / len(widths)
    return [left + sum(widths[:at]) + gap * at for at in range(1, len(widths) + 1)]


def small_table(page: Page, x: float, top: float, wide: float, rows: Sequence[Sequence[str]], head: str = "") -> float:
    """Write a small table, words at the left and numbers at the right, and give the height at which it ends."""
    times, step = 0.82, page.line(0.82) * 1.18
    if head:
        top = page.write_lines(x, top, [head], 0.95, bold=True) - 0.8
    share = 0.4
    rights = _rights(page, x + wide * share, x + wide, rows, times)
    y = top
    for place, row in enumerate(rows):
        base = y - step * 0.72
        page.write(x, base, page.clipped(row[0], wide * share, times), times, colour=SOFT if not place else INK)
        for right, text in zip(rights, row[1:], strict=True):
            page.write(right, base, text, times, colour=SOFT if not place else INK, align="right")
        y -= step
        page.rule((x, x + wide), (y, y), colour=INK if not place else LINE, width=0.5)
    return y
