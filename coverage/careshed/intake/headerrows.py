"""Find the header of a sheet, in one row or several, and tell its records from titles, sums and notes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from careshed.intake.columns import FACTORS, Kind, match, plain, unit_of
from careshed.intake.sources import Words, as_text

Rows = Sequence[Sequence[object]]
Range = tuple[tuple[int, int], tuple[int, int]]
"""First and last cell of merged cells, each row and column from 0."""

_SEARCHED: Final = 20
"""Rows searched for the header; titles and notes above it are seldom more than five."""

_DEEPEST: Final = 3
"""Rows that a header may have."""

_FEWEST: Final = 2
"""A row with so many known headers is the header."""

_TOTALS: Final = frozenset({"合计", "总计", "小计", "共计", "总和", "累计", "total", "sum", "subtotal", "grandtotal"})
_WHOLE: Final = frozenset({"总数", "合计", "总计", "小计", "数量", "total"})
_NOTES: Final = re.compile(
    r"^(注|备注|说明|附注|数据来源|资料来源|填表|制表|审核|填报|单位负责人|统计时间|截至|截止|note|source)", re.IGNORECASE
)
_GROUPS: Final = re.compile(r"^[（(]?[一二三四五六七八九十]+[）)、.．]")
_UNITS: Final = frozenset({plain(word) for units in FACTORS.values() for word in units} | {"度", "°", "年", "米", "m"})

LEFT_OUT: Final[dict[str, Words]] = {
    "sum_row": ("合计行，不是记录", "is a row of sums, not a record"),
    "note_row": ("说明文字，不是记录", "is a note, not a record"),
    "group_row": ("分组标题，不是记录", "is a heading of a group, not a record"),
    "header_repeated": ("表头重复，不是记录", "repeats the header"),
}
"""Why a row below the header is no record."""


@dataclass(frozen=True)
class Header:
    """Where a table begins."""

    first: int
    """First row of the header, from 0; the number of rows where the sheet is empty."""
    last: int
    """Last row of the header."""
    names: tuple[str, ...]
    """What each column is called, the rows of the header joined."""
    known: int = 0
    """Headers that are known."""


@dataclass(frozen=True)
class Records:
    """The rows below the header."""

    kept: tuple[int, ...]
    """Rows that are records, from 0."""
    left_out: tuple[tuple[int, str], ...]
    """Rows that are none, and why (a key of `LEFT_OUT`)."""


def find_header(rows: Rows, kind: Kind, mapped: Mapping[str, str] | None, merged: Sequence[Range] = ()) -> Header:
    """Find the header: the first row, or group of up to three rows, in which at least two headers are known.

    Further rows belong to it where they make more headers known or hold only units. Where no row has two known headers, the
    first row that holds anything is taken.
    """
    searched = _spread(rows[: _SEARCHED + _DEEPEST], merged)
    for first in range(min(_SEARCHED, len(searched))):
        if sum(bool(cell) for cell in searched[first]) < _FEWEST or _is_note(searched[first]):
            continue
        best = _deepened(searched, first, kind, mapped)
        if best is not None:
            return best
    filled = next((place for place, row in enumerate(rows) if any(as_text(value) for value in row)), len(rows))
    names = tuple(as_text(value) for value in rows[filled]) if filled < len(rows) else ()
    return Header(filled, filled, names)


def records(rows: Rows, header: Header) -> Records:
    """Sort the rows below the header into records and what is none; rows without any value are neither."""
    known = {plain(name) for name in header.names if name}
    kept, left_out = [], []
    for place in range(header.last + 1, len(rows)):
        cells = [as_text(value) for value in rows[place]]
        if not any(cells):
            continue
        why = _why_no_record(cells, known, len(header.names))
        if why:
            left_out.append((place, why))
        else:
            kept.append(place)
    return Records(tuple(kept), tuple(left_out))


def merged_down(merged: Sequence[Range], header: Header) -> list[Range]:
    """List the merged cells below the header that reach over several rows."""
    return sorted(((r, c), (r1, c1)) for (r, c), (r1, c1) in merged if r > header.last and r1 > r)


def looks_like_data(header: Header) -> bool:
    """Tell whether a row taken for the header, in which hardly any is known, holds numbers: the table has no header at all.

    >>> looks_like_data(Header(0, 0, ("青松站", "121.5", "31.2"))), looks_like_data(Header(0, 0, ("名称", "经度")))
    (True, False)
    """
    return header.known < _FEWEST and any(_is_number(name) for name in header.names)


def _deepened(searched: list[list[str]], first: int, kind: Kind, mapped: Mapping[str, str] | None) -> Header | None:
    """Join as many further rows to a header as make more of it known; None where even so too little is."""
    best, most = None, _FEWEST - 1
    names = searched[first]
    for last in range(first, min(first + _DEEPEST, len(searched))):
        if last > first:
            if any(_is_number(cell) for cell in searched[last]) or not any(searched[last]):
                break
            names = [_joined(top, below, kind) for top, below in zip(names, searched[last], strict=True)]
        known = len(match(names, kind, mapped).position)
        only_units = last > first and all(_is_unit(cell) for cell in searched[last] if cell)
        if known > most or (best is not None and only_units and known == most):
            best, most = Header(first, last, tuple(names), known), known
    return best


def _joined(top: str, below: str, kind: Kind) -> str:
    """Join what stands in two rows of a header over one column."""
    if not below or plain(top) == plain(below):
        return top
    if not top or (plain(below) not in _WHOLE and match([below], kind).position):
        return below if unit_of(below) or not unit_of(top) else f"{below}（{unit_of(top)}）"
    if _is_unit(below):
        return f"{top}（{below.strip('()（）')}）"
    return top if plain(below) in _WHOLE else f"{top} {below}"


def _spread(rows: Rows, merged: Sequence[Range]) -> list[list[str]]:
    """Give the texts of the topmost rows, merged cells filled; without knowledge of them, blanks over a filled cell are."""
    width = max((len(row) for row in rows), default=0)
    cells = [[as_text(value) for value in row] + [""] * (width - len(row)) for row in rows]
    for (top, left), (bottom, right) in merged:
        for row in range(top, min(bottom + 1, len(cells))):
            # a title over the whole sheet is no header of its columns
            if right - left + 1 < width:
                cells[row][left : right + 1] = [cells[top][left]] * (right - left + 1)
    if not merged:
        for above, below in zip(cells, cells[1:], strict=False):
            _fill_right(above, below)
    return cells


def _fill_right(above: list[str], below: Sequence[str]) -> None:
    """Spread a header over the blanks to its right that have something below, as a merged cell leaves them in a text file."""
    if sum(bool(cell) for cell in above) < _FEWEST or any(_is_number(cell) for cell in below):
        return
    for place in range(1, len(above)):
        if not above[place] and below[place] and below[place - 1]:
            above[place] = above[place - 1]


def _why_no_record(cells: Sequence[str], known: set[str], width: int) -> str:
    filled = [cell for cell in cells if cell]
    if any(plain(cell) in _TOTALS for cell in cells[:3]):
        return "sum_row"
    if len(filled) >= _FEWEST and all(plain(cell) in known for cell in filled):
        return "header_repeated"
    if len(filled) == 1 and width > _FEWEST:
        return "note_row" if _NOTES.match(filled[0]) else "group_row" if _GROUPS.match(filled[0]) else ""
    return "note_row" if width > _FEWEST and _NOTES.match(filled[0]) and _is_note(filled) else ""


def _is_note(cells: Sequence[str]) -> bool:
    """Tell whether all that a row holds are remarks, such as who filled the sheet in and when; no header looks like that."""
    return all(_NOTES.match(cell) is not None or "：" in cell for cell in cells if cell)


def _is_unit(cell: str) -> bool:
    return plain(cell.strip("()（）[]【】")) in _UNITS


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
