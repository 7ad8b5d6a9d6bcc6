"""Hold a table as the file has it, and say what is wrong with a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.intake.columns import NAMES, SECTIONS, Kind, Match, nearest
from careshed.schema import Fault, InputError, Severity, file_label

Words = tuple[str, str]
"""The same in Chinese and in English."""


@dataclass(frozen=True)
class SourceTable:
    """A table as the file has it: raw values, and where each came from."""

    frame: pd.DataFrame
    """Raw values, index 0, 1, …; the columns found under our names, the others under the file's headers."""
    rows: NDArray[np.int64]
    """Row of each record as the planner's program numbers it: spreadsheet rows from 1, features of a layer from 1."""
    file: str
    sheet: str
    kind: Kind
    headers: dict[str, str]
    """Our column name -> header in the file."""
    faults: tuple[Fault, ...]
    """What was noted while reading."""
    geometry: NDArray[np.object_] | None = None
    """Shapely geometries of a layer, None for a plain table."""
    crs: str = ""
    """Coordinate system that the file states (WKT), "" where it states none."""

    def fault(
        self,
        code: str,
        told: Words,
        cure: Words = ("", ""),
        *,
        at: int | None = None,
        column: str = "",
        found: object = "",
        severity: Severity = "error",
    ) -> Fault:
        """Build a fault that names this file, the row of record `at` and the header of our `column`."""
        return Fault(
            code=code,
            file=self.file,
            sheet=self.sheet,
            row="" if at is None else str(self.rows[at]),
            column=self.headers.get(column, column),
            found=as_text(found),
            zh=told[0],
            en=told[1],
            cure_zh=cure[0],
            cure_en=cure[1],
            severity=severity,
        )

    def column(self, name: str) -> list[object]:
        """Give the raw values of our column `name`, all None where the table has no such column."""
        return self.frame[name].tolist() if name in self.headers else [None] * len(self.rows)

    def missing_column(self, name: str) -> Fault:
        """Say that a needed column is missing, which headers would do and how to map another."""
        words = ", ".join(NAMES[self.kind].get(name, (name,))[:10])
        section = SECTIONS[self.kind]
        return self.fault(
            "missing_column",
            (f"缺少“{name}”列", f"column {name!r} is missing"),
            (
                f'可用的列名：{words}；或在 [{section}] 下写 {name} = "文件中的列名"。',
                f'Accepted headers: {words}; or map your own with {name} = "your header" in [{section}].',
            ),
        )


def stop(
    file: str | Path, code: str, told: Words, cure: Words, *, sheet: str = "", column: str = "", found: str = ""
) -> InputError:
    """Build the error for a file that cannot be used at all."""
    fault = Fault(code, file_label(file), told[0], told[1], cure[0], cure[1], sheet=sheet, column=column, found=found)
    return InputError([fault])


def must_exist(file: Path) -> None:
    """Refuse a file that is missing or empty, and say which one may have been meant."""
    if not file.is_file():
        near = nearest(file.name, [other.name for other in sorted(file.parent.iterdir())]) if file.parent.is_dir() else ""
        hint = (f"是否应为“{near}”？", f"Did you mean {near!r}? ") if near else ("", "")
        cure = (f"{hint[0]}请检查路径：{file.as_posix()}", f"{hint[1]}Check the path: {file.as_posix()}")
        raise stop(file, "no_such_file", ("找不到该文件", "the file does not exist"), cure)
    if file.stat().st_size == 0:
        cure = ("请重新导出或下载该文件。", "Export or download it again.")
        raise stop(file, "empty_file", ("文件为空（0 字节）", "the file is empty (0 bytes)"), cure)


def damaged(file: Path, error: BaseException) -> InputError:
    """Say that a file is truncated or damaged, with the first line of what its reader complained about."""
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    told = (f"无法读取，文件可能不完整或已损坏（{reason}）", f"cannot be read; it is probably truncated or damaged ({reason})")
    cure = ("请重新导出、复制或下载该文件后再试。", "Export, copy or download it again.")
    return stop(file, "damaged_file", told, cure)


def as_text(value: object) -> str:
    """Write a raw value as a planner would see it.

    >>> as_text(12.0), as_text(None), as_text(" 运营 ")
    ('12', '', '运营')
    """
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def header_faults(table: SourceTable, found: Match, headers: Sequence[str]) -> list[Fault]:
    """Tell mapped headers that the file does not have (errors), and columns that could have been meant too (noted)."""
    faults = []
    for name, header in found.absent.items():
        near = nearest(header, headers)
        hint = (f"是否应为“{near}”？", f"Did you mean {near!r}? ") if near else ("", "")
        listed = ", ".join(header for header in headers if header)
        told = (
            f"没有“{header}”列（研究文件将其对应到 {name}）",
            f"there is no column {header!r}, to which the study maps {name!r}",
        )
        faults.append(
            table.fault("mapped_column_absent", told, (f"{hint[0]}文件中的列：{listed}。", f"{hint[1]}The file has: {listed}."))
        )
    for name, places in found.ignored.items():
        others = ", ".join(headers[place] for place in places)
        told = (f"“{name}”取自该列，未用：{others}", f"{name!r} is taken from this column; not used: {others}")
        cure = (
            f"如应取其他列，请在 [{SECTIONS[table.kind]}] 中指定。",
            f"Map another one in [{SECTIONS[table.kind]}] if it is meant.",
        )
        faults.append(table.fault("several_columns", told, cure, column=name, severity="noted"))
    return faults
