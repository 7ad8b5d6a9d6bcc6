"""Read workbooks, text tables and layers of any usual format as raw values under our column names."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.intake.columns import NAMES, SECTIONS, Kind, Match, match, nearest
from careshed.schema import Fault, InputError, Severity, file_label

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

WORKBOOKS: Final = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
TEXTS: Final = (".csv", ".tsv", ".txt")
LAYERS: Final = (".gpkg", ".geojson", ".json", ".shp", ".parquet", ".geoparquet")

_HEADER_ROWS: Final = 20
"""Rows searched for the header; titles and notes above it are seldom more than five."""

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


def read_table(
    path: str | Path,
    *,
    kind: Kind = "facilities",
    sheet: str | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> SourceTable:
    """Read any table a planner may hold, with the row numbers that the planner sees.

    XLSX, XLS and ODS, CSV and TSV (UTF-8 with or without BOM, UTF-16, GB18030), GeoPackage, GeoJSON, Shapefile, GeoParquet.
    Title rows above the header are skipped; blank rows are left out.

    Parameters
    ----------
    kind
        Which table it is; decides which headers are known (`careshed.intake.columns.NAMES`).
    columns
        Our name -> header in the file, where the usual names are not used.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, or lacks a mapped header.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "registers.csv"
    >>> _ = file.write_text("名称,经度,纬度\\n青松日间照料中心,113.1,39.3\\n", encoding="utf-8")
    >>> read_table(file).headers
    {'name': '名称', 'lon': '经度', 'lat': '纬度'}
    """
    file = Path(path)
    must_exist(file)
    _names_known(file, kind, columns)
    suffix = file.suffix.lower()
    if suffix in WORKBOOKS:
        return _from_workbook(file, kind, sheet, columns)
    if suffix in TEXTS:
        return _from_text(file, kind, columns)
    if suffix in LAYERS:
        from careshed.intake.layers import from_layer

        return from_layer(file, kind, layer, columns)
    known = ", ".join((*WORKBOOKS, *TEXTS, *LAYERS))
    told = (f"不支持此文件格式“{suffix}”", f"files of type {suffix!r} are not read")
    raise stop(file, "unknown_format", told, (f"请另存为以下格式之一：{known}。", f"Save it as one of: {known}."))


def stop(file: str | Path, code: str, told: Words, cure: Words, *, sheet: str = "", found: str = "") -> InputError:
    """Build the error for a file that cannot be used at all."""
    fault = Fault(code, file_label(file), told[0], told[1], cure[0], cure[1], sheet=sheet, found=found)
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


def decoded(raw: bytes) -> tuple[str, str]:
    """Decode a text file and say in which encoding it was.

    Raises
    ------
    UnicodeDecodeError
        If it is none of UTF-8, UTF-16 (with a mark) and GB18030.

    >>> decoded("床位数".encode("gbk"))
    ('床位数', 'GB18030')
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16"), "UTF-16"
    try:
        return raw.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        return raw.decode("gb18030"), "GB18030"


def encoding_noted(file: Path, encoding: str) -> tuple[Fault, ...]:
    """Note an encoding that was recognised and not stated."""
    if encoding == "UTF-8":
        return ()
    zh, en = f"按 {encoding} 编码读取", f"read as {encoding}"
    return (
        Fault(
            "encoding",
            file_label(file),
            zh,
            en,
            "如有乱码，请另存为 UTF-8。",
            "If names look wrong, save it as UTF-8.",
            severity="noted",
        ),
    )


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


def _names_known(file: Path, kind: Kind, columns: Mapping[str, str] | None) -> None:
    """Refuse a mapping of a column that this table does not have; a population table may have any group."""
    faults = []
    for name in columns or {}:
        if kind != "population" and name not in NAMES[kind]:
            near, known = nearest(name, list(NAMES[kind])), ", ".join(NAMES[kind])
            hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
            zh, en = f"[{SECTIONS[kind]}] 中的 {name} 不是已知列", f"{name} in [{SECTIONS[kind]}] is not a column of this table"
            faults.append(
                Fault("unknown_column_name", file_label(file), zh, en, f"{hint[0]}可用：{known}。", f"{hint[1]}Known: {known}.")
            )
    if faults:
        raise InputError(faults)


def _from_workbook(file: Path, kind: Kind, sheet: str | None, columns: Mapping[str, str] | None) -> SourceTable:
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_path(file)
        name, faults = _sheet_of(file, book, sheet)
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except calamine.PasswordError as error:
        cure = ("请取消密码后另存。", "Save it without a password.")
        raise stop(file, "password", ("工作簿有密码保护", "the workbook is protected by a password"), cure) from error
    except (calamine.CalamineError, OSError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise damaged(file, error) from error
    return _from_rows(file, kind, rows, name, columns, faults)


def _sheet_of(file: Path, book: CalamineWorkbook, sheet: str | None) -> tuple[str, tuple[Fault, ...]]:
    names = book.sheet_names
    listed = ", ".join(names)
    if sheet is None:
        zh, en = (
            f"未指定工作表，读取第一个“{names[0]}”；共有：{listed}",
            f"no sheet stated, the first, {names[0]!r}, is read; there are: {listed}",
        )
        noted = Fault("first_sheet", file_label(file), zh, en, "", "", sheet=names[0], severity="noted")
        return names[0], (noted,) if len(names) > 1 else ()
    if sheet not in names:
        told = (f"没有工作表“{sheet}”", f"there is no sheet {sheet!r}")
        raise stop(file, "no_such_sheet", told, (f"现有工作表：{listed}。", f"The workbook has: {listed}."))
    return sheet, ()


def _from_text(file: Path, kind: Kind, columns: Mapping[str, str] | None) -> SourceTable:
    try:
        text, encoding = decoded(file.read_bytes())
    except UnicodeDecodeError as error:
        told = ("文件编码无法识别", "the text encoding is not recognised")
        raise stop(file, "bad_encoding", told, ("请另存为 UTF-8 编码的 CSV。", "Save it as CSV in UTF-8.")) from error
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count) if file.suffix.lower() != ".tsv" else "\t"
    try:
        rows: list[list[object]] = [list(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    except csv.Error as error:
        raise damaged(file, error) from error
    return _from_rows(file, kind, rows, "", columns, encoding_noted(file, encoding))


def _from_rows(
    file: Path,
    kind: Kind,
    rows: Sequence[Sequence[object]],
    sheet: str,
    columns: Mapping[str, str] | None,
    faults: tuple[Fault, ...],
) -> SourceTable:
    """Find the header, keep the records below it that hold anything, and name their columns."""
    top = _header_row(rows, kind, columns)
    filled = [place for place in range(top + 1, len(rows)) if any(as_text(value) for value in rows[place])]
    if not filled:
        told = (
            ("表中只有表头，没有数据", "there is a header but no data") if top < len(rows) else ("表是空的", "the table is empty")
        )
        raise stop(
            file,
            "empty_table",
            told,
            ("请补充数据，或在研究文件中删去该文件。", "Add data, or take the file out of the study."),
            sheet=sheet,
        )
    headers = [as_text(header) for header in rows[top]]
    width = len(headers)
    values = [[*rows[place][:width], *[None] * (width - len(rows[place]))] for place in filled]
    numbers = np.array(filled, dtype=np.int64) + 1
    return named(file, kind, values, headers, numbers, columns, sheet=sheet, faults=faults)


def named(
    file: Path,
    kind: Kind,
    values: Sequence[Sequence[object]],
    headers: Sequence[str],
    numbers: NDArray[np.int64],
    columns: Mapping[str, str] | None,
    *,
    sheet: str = "",
    faults: tuple[Fault, ...] = (),
    geometry: NDArray[np.object_] | None = None,
    crs: str = "",
) -> SourceTable:
    """Put raw values under our column names; refuse the table where the study maps a header that is not there."""
    found = match(headers, kind, columns)
    ours = {place: name for name, place in reversed(found.position.items())}
    labels = [ours.get(place, header or f"#{place + 1}") for place, header in enumerate(headers)]
    labels = [label if label not in labels[:place] else f"{label}#{place + 1}" for place, label in enumerate(labels)]
    frame = pd.DataFrame(list(values), columns=pd.Index(labels, dtype=object), dtype=object)
    own = {name: headers[place] for name, place in found.position.items() if labels[place] == name}
    table = SourceTable(frame, numbers, file_label(file), sheet, kind, own, faults, geometry, crs)
    told = header_faults(table, found, headers)
    if found.absent:
        raise InputError([*faults, *told])
    return SourceTable(frame, numbers, file_label(file), sheet, kind, own, (*faults, *told), geometry, crs)


def _header_row(rows: Sequence[Sequence[object]], kind: Kind, columns: Mapping[str, str] | None) -> int:
    """Find the first row with at least two known headers; else the first row that holds anything."""
    for place, row in enumerate(rows[:_HEADER_ROWS]):
        if len(match([as_text(value) for value in row], kind, columns).position) >= 2:
            return place
    filled = (place for place, row in enumerate(rows) if any(as_text(value) for value in row))
    return next(filled, len(rows))
