"""Read a long table of another program: origins, destinations and costs, as they stand."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from careshed.intake.columns import plain
from careshed.intake.encodings import decode
from careshed.intake.sources import Words, as_text, damaged, must_exist, stop
from careshed.schema import Fault, InputError, file_label

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "origin": ("origin", "from", "from_id", "fromid", "origin_id", "o", "source", "source_id", "起点", "起点编号", "出发地"),
    "destination": (
        "destination", "to", "to_id", "toid", "destination_id", "d", "target", "target_id", "终点", "终点编号", "目的地",
    ),
    "cost": (
        "minutes", "travel_time", "travel_time_p50", "duration", "seconds", "time", "metres", "distance", "分钟", "时间", "用时",
        "秒", "时长", "耗时", "出行时间", "行程时间", "通行时间", "步行时间", "出行时长", "出行用时", "出行耗时", "步行时长",
        "步行用时", "行车时间", "驾车时间", "所需时间", "min", "sec", "cost", "距离", "米",
    ),
}  # fmt: skip
"""Our column -> headers of the usual programs: r5, Valhalla, OSRM, AMap and Baidu."""

_CALLED: Final = {"origin": "起点", "destination": "终点", "cost": "用时"}

TOLD: Final = 8
"""Ids that a fault names before it counts the rest."""

SUFFIXES: Final = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")

_BRACKETS: Final = re.compile(r"[(\[【〔]([^)\]】〕]*)[)\]】〕]")
_END: Final = re.compile(
    r"(?:[\s_/:,-]+(s|m|h|hr|hrs|ms|km)|[\s_/:,-]*(毫秒|秒钟|秒|分钟|分|小时|seconds?|secs?|minutes?|mins?|hours?))$"
)
"""A unit at the end of a header; one of few letters only after a stroke."""


@dataclass(frozen=True)
class LongTable:
    """The table as read: ids and costs as text or numbers, row by row, and where the first row stands."""

    file: str
    origin: pd.Series[Any]
    destination: pd.Series[Any]
    cost: pd.Series[Any]
    headers: dict[str, str]
    first_row: int
    """Row of the first record as the planner's program numbers it."""


def read_long_table(path: Path, columns: Mapping[str, str] | None, sheet: str | None) -> LongTable:
    """Read the three columns of the table, ids as text."""
    must_exist(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        told = (f"不支持此文件格式“{suffix}”", f"files of type {suffix!r} are not read")
        raise stop(path, "unknown_format", told, (f"请另存为以下格式之一：{known}。", f"Save it as one of: {known}."))
    frame = _frame(path, suffix, sheet)
    headers = _headers(path, [str(name) for name in frame.columns], columns)
    named = {name: frame[header].reset_index(drop=True) for name, header in headers.items()}
    return LongTable(
        file_label(path), named["origin"], named["destination"], named["cost"], headers, 1 if suffix == ".parquet" else 2
    )


def _frame(path: Path, suffix: str, sheet: str | None) -> pd.DataFrame:
    """Read the file as it stands; no number is turned into another."""
    import pyarrow as pa
    from python_calamine import CalamineError

    try:
        if suffix == ".parquet":
            return pd.read_parquet(path)
        if suffix == ".xlsx":
            return pd.read_excel(path, sheet_name=sheet or 0, dtype=object, engine="calamine")
        text = decode(path.read_bytes()).text
    except UnicodeDecodeError as error:
        told = ("文件编码无法识别", "the text encoding is not recognised")
        raise stop(path, "bad_encoding", told, ("请另存为 UTF-8 编码的 CSV。", "Save it as CSV in UTF-8.")) from error
    except (OSError, ValueError, CalamineError, pa.ArrowException) as error:
        raise damaged(path, error) from error
    return _text_frame(path, text)


def _text_frame(path: Path, text: str) -> pd.DataFrame:
    first = text.split("\n", 1)[0]
    mark = max(",\t;|", key=first.count)
    try:
        return pd.read_csv(io.StringIO(text), sep=mark, dtype=str, keep_default_na=False, skip_blank_lines=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise damaged(path, error) from error


def parted_header(header: str) -> tuple[str, str]:
    """Part a header into what it names and the unit in its brackets or at its end, "" where it has none.

    >>> parted_header("用时（分钟）"), parted_header("duration_s"), parted_header("Travel time"), parted_header("耗时秒")
    (('用时', '分钟'), ('duration', 's'), ('traveltime', ''), ('耗时', '秒'))
    """
    text = unicodedata.normalize("NFKC", header).casefold().strip()
    inside = _BRACKETS.search(text)
    text = _BRACKETS.sub("", text).strip()
    end = _END.search(text)
    name = plain(text[: end.start()] if end else text)
    unit = inside[1] if inside else (end[1] or end[2]) if end else ""
    return name or plain(text), plain(unit)


def _known(words: Sequence[str], have: Sequence[str]) -> str | None:
    """Find the header that is one of some words: written so, else apart from width, case and unit."""
    exact = {name.strip().lower(): name for name in have}
    bare = {parted_header(name)[0]: name for name in reversed(have)}
    written = next((exact[word] for word in words if word in exact), None)
    return written or next((bare[plain(word)] for word in words if plain(word) in bare), None)


def _headers(path: Path, have: Sequence[str], columns: Mapping[str, str] | None) -> dict[str, str]:
    """Find the header of each of our columns."""
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for name in columns or {}:
        if name not in NAMES:
            known = ", ".join(NAMES)
            cure = (f"可用：{known}。", f"Known: {known}.")
            faults.append(Fault("unknown_name", file_label(path), "未知的列名", "no such column", *cure, column=name))
    for name, words in NAMES.items():
        stated = (columns or {}).get(name)
        header = stated if stated in have else None if stated else _known(words, have)
        if header is None:
            listed = ", ".join(have)[:120]
            wanted = stated or name
            called = f"{_CALLED[name]}（{wanted}）" if wanted == name else wanted
            told = (f"缺少“{called}”列", f"column {wanted!r} is missing")
            usual = [word for word in words if not word.isascii()]
            cure = (
                f'文件中的列：{listed}；可用的列名：{"、".join(usual)}；或用 columns 指明，如 columns = {{ {name} = "列名" }}。',
                f"The file has: {listed}; name yours with columns={{{name!r}: 'your header'}}.",
            )
            faults.append(Fault("missing_column", file_label(path), *told, *cure, column=wanted))
        else:
            found[name] = header
    if faults:
        raise InputError(faults)
    return found


def row_fault(
    table: LongTable, code: str, told: Words, cure: Words, at: Sequence[int], column: str, found: Sequence[object]
) -> Fault:
    """Build one fault for all rows of a kind."""
    rows = ", ".join(str(place + table.first_row) for place in list(at)[:TOLD]) + (" …" if len(at) > TOLD else "")
    texts = list(dict.fromkeys(as_text(value) for value in found))
    named = ", ".join(texts[:TOLD]) + (" …" if len(texts) > TOLD else "")
    return Fault(code, table.file, *told, *cure, row=rows, column=table.headers.get(column, column), found=named)
