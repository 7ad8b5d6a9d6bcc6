"""Name the tables that pass between the steps, their columns and units, and the faults found in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Generic, Literal, TypeVar

import pandas as pd
from geopandas import GeoDataFrame

from careshed.words import Lang, pick

T = TypeVar("T")

Severity = Literal["error", "dropped", "repaired", "noted"]
"""What became of a fault: it stops the run, the row is left out, the value was changed, or it is only said."""

SEVERITIES: Final[dict[Severity, tuple[str, str]]] = {
    "error": ("错误", "error"),
    "dropped": ("未采用", "left out"),
    "repaired": ("已修正", "repaired"),
    "noted": ("提示", "noted"),
}

TIERS: Final[dict[str, int]] = {
    "county": 1,
    "street": 2,
    "township": 2,
    "community": 3,
    "village": 3,
    "compound": 4,
}
"""Unit level -> tier, 1 the largest. Level is a field of the unit, never read off its name."""

SETTINGS: Final = ("urban", "rural")

STATUSES: Final[dict[str, tuple[str, str]]] = {
    "operating": ("运营", "operating"),
    "building": ("开工", "under construction"),
    "reserve": ("储备", "in reserve"),
}
"""Status of a facility -> (Chinese as in the registers, English)."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the input, told once and found again in the run's fault table."""

    code: str
    """Stable name of the kind of fault, such as ``duplicate_id``."""
    file: str
    """File it was found in, as the study names it."""
    zh: str
    """What is wrong, in Chinese, without the file and row."""
    en: str
    """What is wrong, in English, without the file and row."""
    cure_zh: str = ""
    cure_en: str = ""
    row: str = ""
    """Row as the planner's program numbers it (a spreadsheet's header is row 1), or empty for the whole file."""
    sheet: str = ""
    column: str = ""
    """Column as the file spells it."""
    found: str = ""
    """The value found, as text."""
    severity: Severity = "error"
    people: float = 0.0
    """People affected, where that can be counted; 0 where it cannot."""

    def text(self, lang: Lang = "en") -> str:
        """Tell the fault in one line, without the file."""
        where = self._where(lang)
        cure = pick(lang, self.cure_zh, self.cure_en)
        found = pick(lang, f"（现为“{self.found}”）", f" (found {self.found!r})") if self.found else ""
        end = f"{pick(lang, '。', '. ')}{cure}" if cure else ""
        return f"{where}{pick(lang, self.zh, self.en)}{found}{end}"

    def _where(self, lang: Lang) -> str:
        parts = [self.sheet and pick(lang, f"工作表“{self.sheet}”", f"sheet {self.sheet!r}")]
        parts.append(self.row and pick(lang, f"第 {self.row} 行", f"row {self.row}"))
        parts.append(self.column and pick(lang, f"“{self.column}”列", f"column {self.column!r}"))
        told = pick(lang, "，", ", ").join(part for part in parts if part)
        return f"{told}{pick(lang, '：', ': ')}" if told else ""


class InputError(ValueError):
    """Input that cannot be used, with every fault found in it and its cure.

    Parameters
    ----------
    faults
        At least one fault of severity ``"error"``; others are kept but not printed.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__(self.text("en"))

    def text(self, lang: Lang = "en") -> str:
        """Tell all faults, file by file, rows with the same fault together."""
        errors = merge_rows(fault for fault in self.faults if fault.severity == "error")
        count = len(errors)
        lines = [pick(lang, f"输入有 {count} 处错误，未写出任何文件：", f"{count} fault(s) in the input; nothing was written:")]
        for file in dict.fromkeys(fault.file for fault in errors):
            lines.append(f"  {file}")
            lines.extend(f"    - {fault.text(lang)}" for fault in errors if fault.file == file)
        return "\n".join(lines)


@dataclass(frozen=True)
class Checked(Generic[T]):
    """A table that passed its checks, with everything dropped, repaired or noted on the way."""

    table: T
    faults: tuple[Fault, ...] = field(default=())


def merge_rows(faults: Iterable[Fault], *, most: int = 12) -> list[Fault]:
    """Put faults that differ only in row and value into one, its rows listed.

    Parameters
    ----------
    most
        Rows and values listed by number before "and N more".
    """
    groups: dict[tuple[str, ...], list[Fault]] = {}
    for fault in faults:
        groups.setdefault((fault.code, fault.file, fault.sheet, fault.column, fault.en, fault.severity), []).append(fault)
    return [_merged(group, most) for group in groups.values()]


def _merged(group: Sequence[Fault], most: int) -> Fault:
    if len(group) == 1:
        return group[0]
    rows = _shortened([fault.row for fault in group if fault.row], most)
    found = _shortened(list(dict.fromkeys(fault.found for fault in group if fault.found)), 3)
    return replace(group[0], row=rows, found=found, people=sum(fault.people for fault in group))


def _shortened(items: Sequence[str], most: int) -> str:
    told = ", ".join(items[:most])
    return told if len(items) <= most else f"{told} … (+{len(items) - most})"


@dataclass(frozen=True)
class Grid:
    """The raster that cells were read from, so that they can be painted back onto it."""

    crs: str
    """Coordinate system of the raster, as WKT or authority code."""
    transform: tuple[float, float, float, float, float, float]
    """Affine transform a, b, c, d, e, f: x = a·col + b·row + c, y = d·col + e·row + f at pixel corners."""
    shape: tuple[int, int]
    """Rows, columns."""


@dataclass(frozen=True)
class Population:
    """People by age group on cells, and the grid they came from."""

    cells: GeoDataFrame
    """Index ``cell_id``; a float column a group; Point geometry at the cell's centre; ``row`` and ``col`` for rasters."""
    grid: Grid | None
    """The raster, or None for points and polygons."""


FAULT_COLUMNS: Final = ("severity", "file", "sheet", "row", "column", "found", "problem", "cure", "people", "code")


def fault_table(faults: Iterable[Fault], *, lang: Lang = "en") -> pd.DataFrame:
    """Lay the faults out as the run's fault table, one row a fault, in the order found.

    Returns
    -------
    pandas.DataFrame
        Columns `FAULT_COLUMNS`; ``people`` counts people affected, 0 where unknown.
    """
    rows = [
        (
            pick(lang, *SEVERITIES[fault.severity]),
            fault.file,
            fault.sheet,
            fault.row,
            fault.column,
            fault.found,
            pick(lang, fault.zh, fault.en),
            pick(lang, fault.cure_zh, fault.cure_en),
            fault.people,
            fault.code,
        )
        for fault in faults
    ]
    return pd.DataFrame(rows, columns=list(FAULT_COLUMNS))


def file_label(path: str | Path) -> str:
    """Name a file in messages: short, and the same on every machine.

    >>> file_label("/home/li/study/registers/elders.xlsx")
    'elders.xlsx'
    """
    return Path(path).name
