"""Read workbooks, text tables and layers of any usual format as raw values under our column names."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from careshed.intake.columns import NAMES, Kind, match
from careshed.intake.encodings import decode, decoded, encoding_noted, text_faults
from careshed.intake.headerrows import LEFT_OUT, Header, Range, Rows, find_header, looks_like_data, merged_down, records
from careshed.intake.naming import named, names_known
from careshed.intake.personal import subject_of, without_numbers
from careshed.intake.sources import SourceTable, Words, as_text, damaged, header_faults, must_exist, stop
from careshed.schema import Fault, InputError, file_label

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

__all__ = [
    "LAYERS",
    "TEXTS",
    "WORKBOOKS",
    "SourceTable",
    "Words",
    "as_text",
    "damaged",
    "decoded",
    "encoding_noted",
    "header_faults",
    "must_exist",
    "named",
    "read_table",
    "stop",
]

WORKBOOKS: Final = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
TEXTS: Final = (".csv", ".tsv", ".txt")
LAYERS: Final = (".gpkg", ".geojson", ".json", ".shp", ".parquet", ".geoparquet")

_DELIMITERS: Final = ",\t;|，"
_NOT_SHARED: Final = frozenset(
    {"id", "name", "lon", "lat", "lonlat", "places", "nursing_places", "area_m2", "land_m2", "cost_yuan", "functions"}
)
"""Columns of which a merged cell belongs to its first row alone: filled down, beds would be counted twice."""


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
    names_known(file, kind, columns)
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


def _from_workbook(file: Path, kind: Kind, sheet: str | None, columns: Mapping[str, str] | None) -> SourceTable:
    import python_calamine as calamine

    _refuse_text(file)
    try:
        book = calamine.CalamineWorkbook.from_path(file)
        name, faults = _sheet_of(file, book, sheet)
        found = book.get_sheet_by_name(name)
        rows = found.to_python(skip_empty_area=False)
        merged = [((top, left), (bottom, right)) for (top, left), (bottom, right) in found.merged_cell_ranges or ()]
    except calamine.PasswordError as error:
        cure = ("请取消密码后另存。", "Save it without a password.")
        raise stop(file, "password", ("工作簿有密码保护", "the workbook is protected by a password"), cure) from error
    except (calamine.CalamineError, OSError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise damaged(file, error) from error
    return _from_rows(file, kind, rows, name, columns, (*faults, *_uncalculated(file, name)), merged)


_FORMULA: Final = re.compile(
    rb'<c\b[^>]*?\br="([A-Z]+[0-9]+)"[^>]*>\s*<f\b(?:[^>]*/>|.*?</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>', re.DOTALL
)
"""A cell of a worksheet's XML that holds a formula and no value."""


def _uncalculated(file: Path, sheet: str) -> list[Fault]:
    """Say which cells hold formulas without a stored value, as some programs write them; they read as blank."""
    if file.suffix.lower() not in (".xlsx", ".xlsm"):
        return []
    with zipfile.ZipFile(file) as parts:
        held = _sheet_part(parts, sheet)
        found = [at.decode() for at in _FORMULA.findall(parts.read(held))] if held in parts.namelist() else []
    if not found:
        return []
    told = (
        f"{len(found)} 个单元格的公式没有存值（第一个 {found[0]}），按空白读取",
        f"{len(found)} cell(s) hold formulas without a stored value (the first is {found[0]}) and read as blank",
    )
    cure = ("请用 Excel 打开并保存一次。", "Open it in Excel and save it once.")
    return [Fault("formula_without_value", file_label(file), *told, *cure, sheet=sheet, severity="noted")]


def _sheet_part(parts: zipfile.ZipFile, sheet: str) -> str:
    """Find the part of a workbook that holds a sheet, "" where it cannot be told."""
    from xml.etree import ElementTree

    names = parts.namelist()
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= set(names):
        return ""
    book, links = (ElementTree.fromstring(parts.read(name)) for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"))
    targets = {one.get("Id"): one.get("Target", "").lstrip("/") for one in links}
    for one in book.iter():
        if one.tag.endswith("}sheet") and one.get("name") == sheet:
            target = next((targets.get(value, "") for key, value in one.attrib.items() if key.endswith("}id")), "")
            return target if target in names else f"xl/{target}"
    return ""


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


def _refuse_text(file: Path) -> None:
    """Refuse a web page or text that is only called a workbook, as many systems export it."""
    with file.open("rb") as opened:
        start = opened.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head")):
        told = ("是另存为此扩展名的网页，不是工作簿", "is a web page saved under this name, not a workbook")
    elif b"," in start and b"\0" not in start and not start.startswith(b"pk"):
        told = ("是文本文件，不是工作簿", "is a text file, not a workbook")
    else:
        return
    cure = (
        "请在 Excel 中打开后另存为 .xlsx（文本可改名为 .csv）。",
        "Open it in Excel and save it as .xlsx (rename text to .csv).",
    )
    raise stop(file, "not_a_workbook", told, cure)


def _from_text(file: Path, kind: Kind, columns: Mapping[str, str] | None) -> SourceTable:
    try:
        found = decode(file.read_bytes())
    except UnicodeDecodeError as error:
        told = ("文件编码无法识别", "the text encoding is not recognised")
        raise stop(file, "bad_encoding", told, ("请另存为 UTF-8 编码的 CSV。", "Save it as CSV in UTF-8.")) from error
    delimiter = "\t" if file.suffix.lower() == ".tsv" else _delimiter(found.text)
    try:
        reader = csv.reader(io.StringIO(found.text.replace("\0", ""), newline=""), delimiter=delimiter)
        rows: list[list[object]] = [list(row) for row in reader]
    except csv.Error as error:
        raise damaged(file, error) from error
    return _from_rows(file, kind, rows, "", columns, text_faults(file, found))


def _delimiter(text: str) -> str:
    """Find what separates the cells: the mark that stands in the most of the first lines, of those the most frequent one."""
    lines = [line for line in text.split("\n", 30)[:30] if line.strip()]
    return max(_DELIMITERS, key=lambda mark: (sum(mark in line for line in lines), sum(line.count(mark) for line in lines)))


def _from_rows(
    file: Path,
    kind: Kind,
    rows: Rows,
    sheet: str,
    columns: Mapping[str, str] | None,
    faults: tuple[Fault, ...],
    merged: Sequence[Range] = (),
) -> SourceTable:
    """Find the header, keep the records below it, say what is left out, and name the columns."""
    header = find_header(rows, kind, columns, merged)
    below = records(rows, header)
    if not below.kept:
        raise _empty(file, sheet, header.first < len(rows))
    if looks_like_data(header):
        raise _headless(file, kind, sheet, header)
    cells = [list(row) for row in rows]
    filled = _fill_down(file, kind, sheet, cells, header, columns, merged)
    width = max(len(header.names), *(_width(cells[place]) for place in below.kept))
    names = [*header.names, *[""] * (width - len(header.names))]
    values = [[*cells[place][:width], *[None] * (width - len(cells[place]))] for place in below.kept]
    label = file_label(file)
    left_out = [
        Fault(
            why,
            label,
            *LEFT_OUT[why],
            sheet=sheet,
            row=str(place + 1),
            found=subject_of(_first_text(rows[place])),
            severity="dropped",
        )
        for place, why in below.left_out
    ]
    told = (*faults, *_titles_noted(label, sheet, header, rows), *left_out, *filled)
    numbers = np.array(below.kept, dtype=np.int64) + 1
    return named(file, kind, values, names, numbers, columns, sheet=sheet, faults=told)


def _empty(file: Path, sheet: str, any_header: bool) -> InputError:
    told = ("表中只有表头，没有数据", "there is a header but no data") if any_header else ("表是空的", "the table is empty")
    cure = ("请补充数据，或在研究文件中删去该文件。", "Add data, or take the file out of the study.")
    return stop(file, "empty_table", told, cure, sheet=sheet)


def _headless(file: Path, kind: Kind, sheet: str, header: Header) -> InputError:
    known = ", ".join(next(iter(words)) for words in NAMES[kind].values())
    told = ("没有找到表头", "no header row is found")
    cure = (f"请在数据上方加一行列名，例如：{known}。", f"Put a row of column names above the data, such as: {known}.")
    return stop(file, "no_header", told, cure, sheet=sheet, found=without_numbers(", ".join(header.names))[:60])


def _titles_noted(file: str, sheet: str, header: Header, rows: Rows) -> list[Fault]:
    """Say where the header was found, where anything stands above it or where it has several rows."""
    above = any(as_text(value) for row in rows[: header.first] for value in row)
    if not above and header.first == header.last:
        return []
    where = f"{header.first + 1}" if header.first == header.last else f"{header.first + 1}–{header.last + 1}"
    rows_en = f"row {where}" if header.first == header.last else f"rows {where}"
    told = (f"表头在第 {where} 行，其上为标题", f"the header is in {rows_en}; what stands above it is a title")
    if not above:
        told = (f"表头占第 {where} 行", f"the header takes {rows_en}")
    return [Fault("header_found", file, *told, sheet=sheet, severity="noted")]


def _fill_down(
    file: Path,
    kind: Kind,
    sheet: str,
    cells: list[list[object]],
    header: Header,
    columns: Mapping[str, str] | None,
    merged: Sequence[Range],
) -> list[Fault]:
    """Write the value of merged cells into each of their rows, but where it would be counted twice; say so."""
    ours = {place: name for name, place in match(header.names, kind, columns).position.items()}
    faults = []
    for (top, left), (bottom, _) in merged_down(merged, header):
        shared = ours.get(left, "") not in _NOT_SHARED
        for row in range(top + 1, bottom + 1) if shared else ():
            cells[row][left] = cells[top][left]
        name = header.names[left] if left < len(header.names) else ""
        told = (
            ("合并单元格，其值用于各行", "merged cells: the value holds for each of their rows")
            if shared
            else ("合并单元格，其值只算在首行", "merged cells: the value counts for the first row only")
        )
        severity: Literal["repaired", "noted"] = "repaired" if shared else "noted"
        where = f"{top + 1}–{bottom + 1}"
        found = without_numbers(as_text(cells[top][left]))
        faults.append(
            Fault("merged_cells", file_label(file), *told, sheet=sheet, column=name, row=where, found=found, severity=severity)
        )
    return faults


def _width(row: Sequence[object]) -> int:
    """Count the cells of a row up to the last that holds anything."""
    return max((place + 1 for place, value in enumerate(row) if as_text(value)), default=0)


def _first_text(row: Sequence[object]) -> str:
    return next(text for value in row if (text := as_text(value)))
