"""Turn raw values into numbers, codes and words, and tell every one that cannot be."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.datum import degrees_of
from careshed.intake.columns import FACTORS, NAMES, nearest, plain, unit_of
from careshed.intake.numerals import UNKNOWN, Figure, How, figure_of, year_of
from careshed.intake.sources import SourceTable, Words, as_text
from careshed.schema import Fault

__all__ = ["UNKNOWN", "codes", "degrees", "ids", "names", "numbers", "texts", "words", "years"]

_SCIENTIFIC: Final = re.compile(r"^\d(\.\d+)?[eE]\+\d+$")
_TRAILING_ZERO: Final = re.compile(r"^\d+\.0+$")
_SAFE_INTEGER: Final = 1e15
"""Spreadsheets keep 15 digits of a number; a longer code has lost its end."""

_TEXT_CURE: Final = (
    "请在 Excel 中先把该列设为“文本”格式，再从原始来源重新粘贴编码。",
    "Set the column's format to Text in Excel first, then paste the codes again from their source.",
)


def numbers(table: SourceTable, name: str, faults: list[Fault], *, quantity: str = "") -> NDArray[np.float64]:
    """Read a column as numbers, NaN where blank; full-width digits and thousands separators are understood.

    Parameters
    ----------
    quantity
        Key of `FACTORS`: a unit in the header's brackets, such as （万元）, is then applied and noted; and a cell may hold a
        unit (30张), a rough figure (约30, 30余), a range (30-40: the lower end counts) or Chinese numerals, each one told.
    """
    if name not in table.headers:
        return np.full(len(table.rows), np.nan)
    raw = table.frame[name]
    values = _plain_numbers(raw)
    factor = _factor(table, name, quantity, faults)
    scale = np.full(len(values), factor)
    for at in np.flatnonzero(~np.isfinite(values)):
        read = _number(table, name, int(at), raw.iloc[at], quantity, faults)
        values[at] = read.value
        if read.unit:
            scale[at] = FACTORS[quantity][read.unit]
        elif read.scaled and unit_of(table.headers[name])[:1] in ("千", "万", "亿"):
            scale[at] = 1.0
    return np.asarray(values * scale, dtype=np.float64)


def _plain_numbers(raw: pd.Series) -> NDArray[np.float64]:
    """Give the numbers of a column, NaN for what needs a closer look; dates and true or false are no numbers."""
    held = [value if isinstance(value, int | float | str | np.number) and not isinstance(value, bool) else None for value in raw]
    read = pd.to_numeric(pd.Series(held, dtype=object), errors="coerce")
    return np.array(read, dtype=np.float64)


_TOLD: Final[dict[How, tuple[str, Words]]] = {
    "unit": ("number_with_unit", ("数字后带单位", "has its unit beside the number")),
    "approximate": ("rough_number", ("是约数", "is a rough figure")),
    "range": ("range_as_low", ("是区间，取下限", "is a range; its lower end counts")),
    "words": ("number_in_words", ("是中文数字", "is a number in Chinese characters")),
}
"""How a figure was read -> fault code and what is said of the cell, before the value it is taken as."""


def _number(table: SourceTable, name: str, at: int, value: object, quantity: str, faults: list[Fault]) -> Figure:
    text = as_text(value)
    if not text or not text.strip("\u3000\u200b\ufeff "):
        return Figure(float("nan"), "exact")
    read = figure_of(text, FACTORS[quantity] if quantity else None)
    if read.how == "unknown":
        told = ("视为未知", "taken as unknown")
        faults.append(table.fault("unknown_value", told, at=at, column=name, found=value, severity="noted"))
    elif read.how == "none" or not np.isfinite(read.value):
        cure = ("请改为单纯的数字；未知则留空。", "Write a plain number; leave the cell blank where it is unknown.")
        faults.append(table.fault("not_a_number", ("不是数字", "is not a number"), cure, at=at, column=name, found=value))
    elif read.how in _TOLD:
        code, (zh, en) = _TOLD[read.how]
        amount = f"{read.value:g} {read.unit}".strip()
        told = (f"{zh}，按 {amount} 计", f"{en}: taken as {amount}")
        faults.append(table.fault(code, told, at=at, column=name, found=value, severity="repaired"))
    return read


def _factor(table: SourceTable, name: str, quantity: str, faults: list[Fault]) -> float:
    unit = unit_of(table.headers[name])
    if not unit or not quantity or unit in _words_for(table, name):
        return 1.0
    factor = FACTORS[quantity].get(unit)
    if factor is None:
        known = ", ".join(FACTORS[quantity])
        told = (
            f"列名中的单位“{unit}”未能识别，数值按原样采用",
            f"the unit {unit!r} in the header is not known; the numbers are taken as they are",
        )
        faults.append(
            table.fault("unknown_measure", told, (f"可识别：{known}。", f"Known: {known}."), column=name, severity="noted")
        )
        return 1.0
    if factor != 1.0:
        told = (f"按列名中的单位“{unit}”换算（×{factor:g}）", f"converted from the unit {unit!r} in the header (× {factor:g})")
        faults.append(table.fault("unit_converted", told, column=name, severity="repaired"))
    return factor


def _words_for(table: SourceTable, name: str) -> set[str]:
    """List the words by which the column is known: 床位（托位）数 names two of them, and 托位 is no unit."""
    return {plain(word) for word in NAMES[table.kind].get(name, ()) + NAMES[table.kind].get("places", ())}


def texts(table: SourceTable, name: str) -> list[str]:
    """Read a column as text, "" where blank or absent."""
    return [as_text(value) for value in table.column(name)]


def codes(table: SourceTable, name: str, faults: list[Fault]) -> list[str]:
    """Read a column of ids or codes as text, and refuse what a spreadsheet has spoilt.

    A code stored as the number 140602001001.0 is written out again and noted; text such as 1.40602E+11 and numbers of more
    than 15 digits have lost digits and are errors.
    """
    raw = table.column(name)
    values = [_bare_code(value) for value in raw]
    cleaned = sum(isinstance(own, str) and bare != own.strip() for own, bare in zip(raw, values, strict=True))
    if cleaned:
        told = (
            f"{cleaned} 个编码中的空格或撇号已去掉",
            f"spaces or apostrophes are taken out of {cleaned} code(s)",
        )
        faults.append(table.fault("code_cleaned", told, column=name, severity="repaired"))
    repaired = 0
    read = []
    for at, value in enumerate(values):
        text, changed = _code(table, name, at, value, faults)
        repaired += changed
        read.append(text)
    if repaired:
        told = (
            f"{repaired} 个编码存为数字，已还原为文本",
            f"{repaired} code(s) were stored as numbers and are written out as text again",
        )
        faults.append(table.fault("code_as_number", told, column=name, severity="repaired"))
    return read


_APOSTROPHES: Final = "'’‘`′＇"


def _bare_code(value: object) -> object:
    """Take what spreadsheets put before a code, and spaces between its digits, out of it; other ids stay as they are.

    >>> _bare_code("'990101001"), _bare_code("990101 001 002"), _bare_code("A 1")
    ('990101001', '990101001002', 'A 1')
    """
    if not isinstance(value, str):
        return value
    bare = re.sub(r"\s+", "", value).strip(_APOSTROPHES)
    return bare if bare.isdigit() else value.strip().lstrip(_APOSTROPHES)


def _code(table: SourceTable, name: str, at: int, value: object, faults: list[Fault]) -> tuple[str, bool]:
    if isinstance(value, float | int | np.number) and not isinstance(value, bool):
        number = float(value)
        if abs(number) >= _SAFE_INTEGER:
            told = (
                "编码超过 15 位且存为数字，末尾数字已丢失",
                "is a code of more than 15 digits stored as a number: its last digits are lost",
            )
            faults.append(table.fault("code_lost_digits", told, _TEXT_CURE, at=at, column=name, found=f"{number:.0f}"))
        return as_text(value), isinstance(value, float) and number.is_integer()
    text = unicodedata.normalize("NFKC", as_text(value))
    if _SCIENTIFIC.match(text):
        told = ("编码被 Excel 变成了科学计数，数字已丢失", "is a code that Excel turned into a number: its digits are lost")
        faults.append(table.fault("code_scientific", told, _TEXT_CURE, at=at, column=name, found=text))
        return text, False
    return (text.split(".")[0], True) if _TRAILING_ZERO.match(text) else (text, False)


def ids(table: SourceTable, faults: list[Fault], *, stem: str = "") -> list[str]:
    """Read the ids of a table: given, unique and filled, or made of `stem` and row where there is no id column."""
    if "id" not in table.headers:
        made = [f"{stem or table.file.rsplit('.', 1)[0]}-{row}" for row in table.rows]
        told = ("没有编号列，以文件名和行号为编号", "there is no id column; file name and row serve as id")
        faults.append(table.fault("ids_made", told, severity="noted"))
        return made
    read = codes(table, "id", faults)
    counts = Counter(read)
    for at, code in enumerate(read):
        if not code:
            cure = ("请填写编号，或删去该行。", "Fill it in, or delete the row.")
            faults.append(table.fault("blank_id", ("编号为空", "the id is blank"), cure, at=at, column="id"))
        elif counts[code] > 1:
            told = (f"编号“{code}”出现 {counts[code]} 次", f"id {code!r} occurs {counts[code]} times")
            cure = ("请为每行使用不同的编号，或删去重复的行。", "Give every row an id of its own, or delete the repeated rows.")
            faults.append(table.fault("duplicate_id", told, cure, at=at, column="id"))
    return read


def names(table: SourceTable, fallback: Sequence[str], faults: list[Fault]) -> list[str]:
    """Read the names, the id where there is none."""
    if "name" not in table.headers:
        told = ("没有名称列，以编号代替", "there is no name column; the id serves as name")
        faults.append(table.fault("names_made", told, severity="noted"))
    return [name or code for name, code in zip(texts(table, "name"), fallback, strict=True)]


def words(
    table: SourceTable, name: str, accepted: Mapping[str, Sequence[str]], faults: list[Fault], *, blank: str | None = None
) -> list[str]:
    """Read a column of set words (status, level, setting) as our keys; an unknown word is an error that lists the known.

    Parameters
    ----------
    accepted
        Our key -> words that mean it.
    blank
        What a blank cell means; None where the cell must be filled.
    """
    keys = {plain(word): key for key, known in accepted.items() for word in (key, *known)}
    read = []
    for at, value in enumerate(table.column(name)):
        text = as_text(value)
        key = keys.get(plain(text)) if text else blank
        if key is None:
            faults.append(_unknown_word(table, name, at, text, accepted))
        read.append(key or "")
    return read


def _unknown_word(table: SourceTable, name: str, at: int, text: str, accepted: Mapping[str, Sequence[str]]) -> Fault:
    listed = ", ".join(word for key, known in accepted.items() for word in dict.fromkeys([*known[:2], key]))
    known_words = [word for key, known in accepted.items() for word in (key, *known)]
    # two characters in the wrong order, 营运 for 运营, are a slip that a measure of likeness takes for half wrong
    turned = next((word for word in known_words if text and sorted(word) == sorted(text)), "")
    near = turned or (nearest(text, known_words) if text else "")
    hint = (f"是否应为“{near}”？", f"Did you mean {near!r}? ") if near else ("", "")
    told = ("词语不在可用范围内", "is not a known word") if text else ("单元格为空", "the cell is blank")
    return table.fault(
        "unknown_word", told, (f"{hint[0]}可用：{listed}。", f"{hint[1]}Accepted: {listed}."), at=at, column=name, found=text
    )


def years(table: SourceTable, name: str, faults: list[Fault]) -> NDArray[np.float64]:
    """Read a column of years or dates as years, NaN where blank; dates in any of the Chinese forms."""
    read = np.full(len(table.rows), np.nan)
    serials = 0
    for at, value in enumerate(table.column(name)):
        text = as_text(value)
        found = year_of(value, text)
        read[at] = found.value
        serials += found.how == "date"
        if found.how == "none":
            cure = ("请写四位年份，如 2021。", "Write a year of four digits, such as 2021.")
            faults.append(table.fault("not_a_year", ("不是年份", "is not a year"), cure, at=at, column=name, found=text))
        elif found.how in ("approximate", "words"):
            told = (f"按 {found.value:.0f} 年计", f"taken as the year {found.value:.0f}")
            faults.append(table.fault("rough_year", told, at=at, column=name, found=text, severity="repaired"))
        elif found.how == "unknown":
            told = ("视为未知", "taken as unknown")
            faults.append(table.fault("unknown_value", told, at=at, column=name, found=text, severity="noted"))
    if serials:
        told = (
            f"{serials} 个日期存为序列数（如 44256），已还原",
            f"{serials} date(s) were stored as serial numbers (such as 44256) and are read as dates",
        )
        faults.append(table.fault("date_as_number", told, column=name, severity="repaired"))
    return read


def degrees(table: SourceTable, name: str, faults: list[Fault]) -> NDArray[np.float64]:
    """Read a column of longitudes or latitudes, decimal or in degrees, minutes and seconds, as degrees; NaN where blank."""
    if name not in table.headers:
        return np.full(len(table.rows), np.nan)
    raw = table.frame[name]
    values = _plain_numbers(raw)
    sexagesimal = 0
    for at in np.flatnonzero(~np.isfinite(values)):
        angle = degrees_of(as_text(raw.iloc[at]))
        sexagesimal += angle is not None
        values[at] = angle if angle is not None else _number(table, name, int(at), raw.iloc[at], "", faults).value
    if sexagesimal:
        told = (
            f"{sexagesimal} 个度分秒坐标已换算为度",
            f"{sexagesimal} value(s) in degrees, minutes and seconds are read as degrees",
        )
        faults.append(table.fault("sexagesimal", told, column=name, severity="repaired"))
    return values
