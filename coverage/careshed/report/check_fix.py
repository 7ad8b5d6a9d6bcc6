"""Write repaired copies of registers beside the originals, and a log of every cell that differs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.check.case import Source, fixable, sources_of
from careshed.intake.encodings import decode
from careshed.intake.numerals import year_of
from careshed.intake.personal import without_numbers
from careshed.intake.sources import as_text
from careshed.intake.tables import TEXTS
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from careshed.check import CheckReport, Fix
    from careshed.intake.encodings import Decoded
    from careshed.study import Study

_DONE: Final = ("已修正", "repaired")
_WHY: Final[dict[str, tuple[str, str]]] = {
    "format": ("未修正：只能修正 CSV 和 XLSX", "not repaired: only CSV and XLSX files can be"),
    "header": ("未修正：表头不在一行内", "not repaired: the header is not in one row"),
    "changed": ("未修正：文件中的值与检查时不同", "not repaired: the file no longer holds the value that was checked"),
    "private": (
        "未修正：涉及个人的列不在一行表头内，无法从副本中清空",
        "not repaired: a column of persons is not under a header of one row and cannot be emptied in the copy",
    ),
    "merged": ("未修正：该处或其下有合并单元格", "not repaired: cells there or below are merged"),
}

LOG_HEADS: Final = (
    ("文件", "File"), ("副本", "Copy"), ("工作表", "Sheet"), ("行", "Row"), ("列", "Column"), ("原值", "Before"),
    ("新值", "After"), ("结果", "Outcome"),
)  # fmt: skip

_ROW_GONE: Final = ("（删去该行）", "(row deleted)")
_EMPTIED: Final = ("涉及个人的列，副本中已清空", "concerns persons: emptied in the copy")
_BLANK: Final = ("（清空）", "(emptied)")

_LEFT_OUT: Final = frozenset({"number_removed", "sum_row", "note_row", "group_row"})
"""Rows of which a telephone number in the text must not be copied either."""


@dataclass(frozen=True)
class Private:
    """What of a file concerns persons, so that no copy may hold it."""

    columns: tuple[str, ...] = ()
    """Headers of the columns that are emptied."""
    rows: frozenset[int] = frozenset()
    """Rows (from 1) whose texts lose their telephone numbers."""


@dataclass(frozen=True)
class FixResult:
    """What was repaired and where."""

    copies: tuple[Path, ...]
    """Repaired copies, in the order of the study's files."""
    log: Path | None
    """The log of changes, None where there was nothing to repair."""
    done: int
    """Repairs made; a repair that could not be made is in the log with the reason."""


def fix_study(study: Study, report: CheckReport, folder: str | Path | None = None, *, lang: Lang = "zh") -> FixResult:
    """Write copies of the registers in which what is safe to repair is repaired; the originals are never touched.

    Only what needs no judgement: a row that agrees with another in everything but its id is deleted, a blank unit is filled in
    where the place tells it, years of opening and closing the wrong way round are exchanged. Nothing that exists is overwritten:
    a second run writes ``register.fixed-2.csv`` beside ``register.fixed.csv``.

    Parameters
    ----------
    folder
        Where copies and log go; beside each original, and the log beside the study file, if None.
    """
    sources = sources_of(study)
    fixes = [one.fix for one in report.findings if one.fix is not None and one.fix.file in sources]
    copies: list[Path] = []
    lines: list[tuple[str, ...]] = []
    done = 0
    for file in (label for label in sources if any(fix.file == label for fix in fixes)):
        own, source = [fix for fix in fixes if fix.file == file], sources[file]
        private = _private(study, file)
        content, outcome = _repaired(source, own, private)
        copy = None
        if content is not None:
            copy = _free(Path(folder) if folder else source.path.parent, source.path.stem, source.path.suffix)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
            copies.append(copy)
        rows = _rows(source)
        gone = {fix.row for fix, why in zip(own, outcome, strict=True) if fix.action == "delete_row" and not why}
        told = [(fix, why) for fix, why in zip(own, outcome, strict=True) if fix.action == "delete_row" or fix.row not in gone]
        done += sum(not why for _, why in told)
        for fix, why in told:
            named = copy.name if copy and not why else ""
            lines += _logged(_as_held(fix, rows, private), named, pick(lang, *(_WHY[why] if why else _DONE)), lang)
        if copy is not None:
            blank, why_blank = pick(lang, *_BLANK), pick(lang, *_EMPTIED)
            lines += [(file, copy.name, source.sheet, "", column, "", blank, why_blank) for column in private.columns]
    if not lines:
        return FixResult((), None, 0)
    log = _free(Path(folder) if folder else study.folder, "fixes", ".csv", middle="")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(_csv_text([tuple(pick(lang, *head) for head in LOG_HEADS), *lines]), encoding="utf-8-sig", newline="")
    return FixResult(tuple(copies), log, done)


def fix_words(result: FixResult, study_file: str, lang: Lang) -> tuple[str, ...]:
    """Say what was written and what to do with it, one sentence a line."""
    if result.log is None:
        return (pick(lang, "没有可自动修正之处", "nothing that can be mended safely"),)
    copies = [f"→ {path}" for path in result.copies]
    use = pick(
        lang,
        f"共修正 {result.done} 处；原文件未改动。核对后请把 {study_file} 中相应的 file = 改为副本的文件名，再运行 check。",
        f"{result.done} repaired; the originals are untouched. Look the copies over, point file = in {study_file} at them, "
        "and run check again.",
    )
    return (*copies, f"→ {result.log}", *((use,) if copies else ()))


def _private(study: Study, file: str) -> Private:
    """List what the readers dropped of a file because it concerns persons."""
    own = [fault for fault in study.faults if fault.file == file]
    columns = dict.fromkeys(fault.column for fault in own if fault.code == "contact_column")
    rows = frozenset(int(fault.row) for fault in own if fault.code in _LEFT_OUT and fault.row.isdigit())
    return Private(tuple(columns), rows)


def _rows(source: Source) -> list[list[object]]:
    """Read the cells of a file that can be repaired as they stand, [] of any other."""
    if not fixable(source.path.name):
        return []
    if source.path.suffix.lower() in TEXTS:
        return [list(row) for row in _text_rows(source)[0]]
    from openpyxl import load_workbook

    return [list(row) for row in load_workbook(source.path)[source.sheet].iter_rows(values_only=True)]


def _as_held(fix: Fix, rows: list[list[object]], private: Private) -> Fix:
    """Write a repair with the cells as the file holds them; of a row that is deleted, every cell but those of persons."""
    header = _header(rows, fix.columns)
    if header is None or len(rows) < int(fix.row):
        return fix
    names, row = [as_text(value) for value in rows[header]], [as_text(value) for value in rows[int(fix.row) - 1]]
    held = {name: value for name, value in zip(names, row, strict=False) if name and name not in private.columns}
    if fix.action == "delete_row":
        filled = {name: without_numbers(value) for name, value in held.items() if value}
        return replace(fix, columns=tuple(filled), before=tuple(filled.values()), after=("",) * len(filled))
    before = tuple(held.get(column, old) for column, old in zip(fix.columns, fix.before, strict=True))
    return replace(fix, before=before, after=before[::-1] if fix.action == "swap" else fix.after)


def _free(folder: Path, stem: str, suffix: str, *, middle: str = ".fixed") -> Path:
    """Find a name that no file has yet."""
    names = (f"{stem}{middle}{f'-{number}' if number > 1 else ''}{suffix}" for number in range(1, 10_000))
    return next(path for path in (folder / name for name in names) if not path.exists())


def _logged(fix: Fix, copy: str, outcome: str, lang: Lang) -> list[tuple[str, ...]]:
    """Write a repair as lines of the log, one a cell."""
    gone = pick(lang, *_ROW_GONE)
    after = [gone] * len(fix.columns) if fix.action == "delete_row" else list(fix.after)
    return [
        (fix.file, copy, fix.sheet, fix.row, column, before, new, outcome)
        for column, before, new in zip(fix.columns, fix.before, after, strict=True)
    ]


def _csv_text(rows: Sequence[Sequence[str]], delimiter: str = ",", ends: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=ends).writerows(rows)
    return text.getvalue()


def _repaired(source: Source, fixes: Sequence[Fix], private: Private = Private()) -> tuple[bytes | None, list[str]]:
    """Give the repaired content, None where nothing could be repaired, and for each repair why not, "" where it was made."""
    if not fixable(source.path.name):
        return None, ["format"] * len(fixes)
    return (_in_text if source.path.suffix.lower() in TEXTS else _in_workbook)(source, fixes, private)


def _text_rows(source: Source) -> tuple[list[list[str]], str, Decoded]:
    """Read a text table: its rows, its delimiter and how it was encoded."""
    found = decode(source.path.read_bytes())
    first = found.text.split("\n", 1)[0]
    delimiter = "\t" if source.path.suffix.lower() == ".tsv" else max(",\t;|，", key=first.count)
    return list(csv.reader(io.StringIO(found.text, newline=""), delimiter=delimiter)), delimiter, found


def _in_text(source: Source, fixes: Sequence[Fix], private: Private) -> tuple[bytes | None, list[str]]:
    """Repair a text table; it stays in its encoding, UTF-8 with a byte-order mark so that Excel knows it."""
    rows, delimiter, found = _text_rows(source)
    if not _emptied(rows, private):
        return None, ["private"] * len(fixes)
    outcome = [_apply(fix, rows) for fix in fixes]
    gone = {int(fix.row) - 1 for fix, why in zip(fixes, outcome, strict=True) if fix.action == "delete_row" and not why}
    if all(outcome):
        return None, outcome
    ends = "\r\n" if "\r\n" in found.text else "\n"
    kept = [row for at, row in enumerate(rows) if at not in gone]
    encoding = "utf-8-sig" if found.encoding == "UTF-8" else found.encoding
    return _csv_text(kept, delimiter, ends).encode(encoding), outcome


def _emptied(rows: Sequence[list[str]], private: Private) -> bool:
    """Empty the columns of persons in place, and take telephone numbers out of texts; False where a column is not found."""
    header = _header(rows, private.columns) if private.columns else 0
    if header is None:
        return False
    places = [at for at, name in enumerate(rows[header]) if as_text(name) in private.columns] if private.columns else []
    for number, row in enumerate(rows, start=1):
        if number > header + 1:
            row[:] = ["" if at in places else value for at, value in enumerate(row)]
        if number in private.rows:
            row[:] = [without_numbers(value) for value in row]
    return True


def _apply(fix: Fix, rows: list[list[str]]) -> str:
    """Change the cells of one repair in place (rows stay, so that numbers keep their meaning); tells why not."""
    found = _columns([row[:] for row in rows], fix)
    if found is None:
        return "header"
    row = rows[int(fix.row) - 1]
    row.extend([""] * (max(found) + 1 - len(row)))
    if _differs(fix, [row[at] for at in found]):
        return "changed"
    if fix.action == "swap":
        row[found[0]], row[found[1]] = row[found[1]], row[found[0]]
    elif fix.action == "set":
        row[found[0]] = fix.after[0]
    return ""


def _differs(fix: Fix, cells: Sequence[object]) -> bool:
    """Tell whether cells hold something else than was checked: years in any form a date is written in, other cells as text."""
    texts = [as_text(value) for value in cells]
    if fix.action == "swap":
        texts = [f"{year_of(value, text).value:.0f}" for value, text in zip(cells, texts, strict=True)]
    return texts != [as_text(value) for value in fix.before]


def _columns(rows: Sequence[Sequence[object]], fix: Fix) -> list[int] | None:
    """Find where the repair's columns are in the header row above it."""
    header = _header(rows[: int(fix.row) - 1], fix.columns)
    if header is None:
        return None
    names = [as_text(value) for value in rows[header]]
    return [names.index(column) for column in fix.columns]


def _header(rows: Sequence[Sequence[object]], columns: Sequence[str]) -> int | None:
    """Find the first row that holds all the headers, None where they do not stand in one row."""
    texts = ({as_text(value) for value in row} for row in rows)
    return next((at for at, row in enumerate(texts) if set(columns) <= row), None)


def _in_workbook(source: Source, fixes: Sequence[Fix], private: Private) -> tuple[bytes | None, list[str]]:
    """Repair a workbook; other sheets, widths and formats stay as they are."""
    from openpyxl import load_workbook

    from careshed.report.stable import write_xlsx

    book = load_workbook(source.path, keep_vba=source.path.suffix.lower() == ".xlsm")
    page = book[source.sheet]
    if not _page_emptied(page, private):
        return None, ["private"] * len(fixes)
    outcome = ["merged" if _is_merged(fix, page) else _apply_to_sheet(fix, page) for fix in fixes]
    if all(outcome):
        return None, outcome
    gone = {int(fix.row) for fix, why in zip(fixes, outcome, strict=True) if fix.action == "delete_row" and not why}
    for row in sorted(gone, reverse=True):
        page.delete_rows(row)
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as aside:
        return write_xlsx(book, Path(aside) / "copy.xlsx").read_bytes(), outcome


def _page_emptied(page: Worksheet, private: Private) -> bool:
    """Empty the columns of persons of a sheet, and take telephone numbers out of texts; False where a column is not found."""
    held = [list(row) for row in page.iter_rows(values_only=True)]
    header = _header(held, private.columns) if private.columns else 0
    if header is None:
        return False
    places = [at for at, name in enumerate(held[header]) if as_text(name) in private.columns] if private.columns else []
    merged = {cell for area in page.merged_cells.ranges for cell in list(area.cells)[1:]}
    for number, row in enumerate(held, start=1):
        for at, value in enumerate(row):
            bare = None if at in places and number > header + 1 else value
            bare = without_numbers(bare) if number in private.rows and isinstance(bare, str) else bare
            if bare != value and (number, at + 1) not in merged:
                page.cell(number, at + 1).value = bare
    return True


def _is_merged(fix: Fix, page: Worksheet) -> bool:
    """Tell whether merged cells are in the way: those of the row, and below a row to delete, which would not move up with it."""
    row = int(fix.row)
    return any(area.max_row >= row and (fix.action == "delete_row" or area.min_row <= row) for area in page.merged_cells.ranges)


def _apply_to_sheet(fix: Fix, page: Worksheet) -> str:
    found = _columns([list(row) for row in page.iter_rows(values_only=True)], fix)
    if found is None:
        return "header"
    cells = [page.cell(int(fix.row), at + 1) for at in found]
    if _differs(fix, [cell.value for cell in cells]):
        return "changed"
    if fix.action == "swap":
        cells[0].value, cells[1].value = cells[1].value, cells[0].value
    elif fix.action == "set":
        cells[0].value = fix.after[0]
    return ""
