"""Write repaired copies of registers beside the originals, and a log of every cell that differs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.check.case import Source, sources_of
from careshed.intake.encodings import decode
from careshed.intake.numerals import year_of
from careshed.intake.sources import as_text
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from careshed.check import CheckReport, Fix
    from careshed.study import Study

_DONE: Final = ("已修正", "repaired")
_WHY: Final[dict[str, tuple[str, str]]] = {
    "format": ("未修正：只能修正 CSV 和 XLSX", "not repaired: only CSV and XLSX files can be"),
    "header": ("未修正：表头不在一行内", "not repaired: the header is not in one row"),
    "changed": ("未修正：文件中的值与检查时不同", "not repaired: the file no longer holds the value that was checked"),
    "merged": ("未修正：该处或其下有合并单元格", "not repaired: cells there or below are merged"),
}

LOG_HEADS: Final = (
    ("文件", "File"), ("副本", "Copy"), ("工作表", "Sheet"), ("行", "Row"), ("列", "Column"), ("原值", "Before"),
    ("新值", "After"), ("结果", "Outcome"),
)  # fmt: skip

_ROW_GONE: Final = ("（删去该行）", "(row deleted)")


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
    for file in (label for label in sources if any(fix.file == label for fix in fixes)):
        own = [fix for fix in fixes if fix.file == file]
        content, outcome = _repaired(sources[file], own)
        copy = None
        if content is not None:
            copy = _free(
                Path(folder) if folder else sources[file].path.parent, sources[file].path.stem, sources[file].path.suffix
            )
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
            copies.append(copy)
        for fix, why in zip(own, outcome, strict=True):
            lines += _logged(fix, copy.name if copy and not why else "", pick(lang, *(_WHY[why] if why else _DONE)), lang)
    if not lines:
        return FixResult((), None, 0)
    log = _free(Path(folder) if folder else study.folder, "fixes", ".csv", middle="")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(_csv_text([tuple(pick(lang, *head) for head in LOG_HEADS), *lines]), encoding="utf-8-sig", newline="")
    return FixResult(tuple(copies), log, sum(line[-1] == pick(lang, *_DONE) for line in lines if line[-1]))


def _free(folder: Path, stem: str, suffix: str, *, middle: str = ".fixed") -> Path:
    """Find a name that no file has yet."""
    names = (f"{stem}{middle}{f'-{number}' if number > 1 else ''}{suffix}" for number in range(1, 10_000))
    return next(path for path in (folder / name for name in names) if not path.exists())


def _logged(fix: Fix, copy: str, outcome: str, lang: Lang) -> list[tuple[str, ...]]:
    """Write a repair as lines of the log, one a cell."""
    gone = pick(lang, *_ROW_GONE)
    after = [gone] if fix.action == "delete_row" else list(fix.after)
    return [
        (fix.file, copy, fix.sheet, fix.row, column, before, new, outcome)
        for column, before, new in zip(fix.columns, fix.before, after, strict=True)
    ]


def _csv_text(rows: Sequence[Sequence[str]], delimiter: str = ",", ends: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=ends).writerows(rows)
    return text.getvalue()


def _repaired(source: Source, fixes: Sequence[Fix]) -> tuple[bytes | None, list[str]]:
    """Give the repaired content, None where nothing could be repaired, and for each repair why not, "" where it was made."""
    suffix = source.path.suffix.lower()
    if suffix in (".csv", ".tsv", ".txt"):
        return _in_text(source, fixes)
    if suffix in (".xlsx", ".xlsm"):
        return _in_workbook(source, fixes)
    return None, ["format"] * len(fixes)


def _in_text(source: Source, fixes: Sequence[Fix]) -> tuple[bytes | None, list[str]]:
    """Repair a text table; it is written as UTF-8 with a byte-order mark, whatever it was in."""
    text = decode(source.path.read_bytes()).text
    lines = text.split("\n", 1)[0]
    delimiter = "\t" if source.path.suffix.lower() == ".tsv" else max(",\t;|，", key=lines.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    outcome = [_apply(fix, rows) for fix in fixes]
    gone = {int(fix.row) - 1 for fix, why in zip(fixes, outcome, strict=True) if fix.action == "delete_row" and not why}
    if all(outcome):
        return None, outcome
    ends = "\r\n" if "\r\n" in text else "\n"
    kept = [row for at, row in enumerate(rows) if at not in gone]
    return _csv_text(kept, delimiter, ends).encode("utf-8-sig"), outcome


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
    """Find the header row above the repair and where the repair's columns are in it."""
    for row in rows[: int(fix.row) - 1]:
        names = [as_text(value) for value in row]
        if all(column in names for column in fix.columns):
            return [names.index(column) for column in fix.columns]
    return None


def _in_workbook(source: Source, fixes: Sequence[Fix]) -> tuple[bytes | None, list[str]]:
    """Repair a workbook; other sheets, widths and formats stay as they are."""
    from openpyxl import load_workbook

    from careshed.report.stable import write_xlsx

    book = load_workbook(source.path, keep_vba=source.path.suffix.lower() == ".xlsm")
    page = book[source.sheet]
    outcome = ["merged" if _is_merged(fix, page) else _apply_to_sheet(fix, page) for fix in fixes]
    if all(outcome):
        return None, outcome
    gone = {int(fix.row) for fix, why in zip(fixes, outcome, strict=True) if fix.action == "delete_row" and not why}
    for row in sorted(gone, reverse=True):
        page.delete_rows(row)
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as aside:
        return write_xlsx(book, Path(aside) / "copy.xlsx").read_bytes(), outcome


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
