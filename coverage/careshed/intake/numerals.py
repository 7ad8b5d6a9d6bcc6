"""Read figures and years as they are written in Chinese registers: 约30张, 30-40, 三十五, 2021年3月, 二〇二一年."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

How = Literal["exact", "unit", "approximate", "range", "words", "date", "unknown", "none"]
"""How a figure was read: as written; a unit beside it; 约30; 30-40; 三十; a date serial; a mark for unknown; not at all."""

UNKNOWN: Final = frozenset(
    {
        "-", "--", "---", "—", "——", "–", "/", "\\", "?", "？", "无", "不详", "未知", "暂无", "待定", "待核实", "空", "不清楚",
        "未统计", "未填", "n/a", "na", "nan", "null", "none", "#n/a", "#div/0!", "#ref!", "#value!", "#name?",
    }
)  # fmt: skip
"""Marks that stand for "not known"."""

_DIGITS: Final = {
    "〇": 0,
    "零": 0,
    "○": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_TENS: Final = {"十": 10, "百": 100, "千": 1000}
_CHINESE: Final = "".join([*_DIGITS, *_TENS, "万"])

_PLAIN: Final = r"\d+(?:\.\d+)?|\.\d+"
_THOUSANDS: Final = re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+)(?![\d,])")
_BEFORE: Final = r"(?:约|大约|近|共|计|不少于|不低于|至少|超过|超|>=|>|≥|~|approx\.?|ca\.?|about)"
_BEHIND: Final = r"(?:余|多|左右|以上|许|\+|上下)"
_ABOUT: Final = re.compile(rf"^({_BEFORE})?\s*({_PLAIN})\s*({_BEHIND})?\s*([^\d\s]*?)\s*({_BEHIND})?$")
_RANGE: Final = re.compile(rf"^{_BEFORE}?\s*({_PLAIN})\s*([^\d\s.\-]*?)\s*(?:-|~|—|–|至|到)\s*({_PLAIN})\s*([^\d\s]*)$")
_SQUARE_METRES: Final = re.compile(r"(?<=[\d\s万])[mM]2$")
_SIGNED: Final = re.compile(rf"^[+-](?:{_PLAIN})$")

_YEAR: Final = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d|2100)(?!\d)")
_SHORT_YEAR: Final = re.compile(r"^(\d{2})年")
_STARTS_WITH_YEAR: Final = re.compile(r"^(\d{4})(?:\D.*)?$", re.DOTALL)
_COMPACT: Final = re.compile(r"^(\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])?$")
_CLOCK: Final = r"(?:[T\s]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_NO_DOUBT: Final = re.compile(rf"^\d{{4}}(?:年度?|[-./年]\d{{1,2}}(?:[-./月]\d{{1,2}}日?|月)?{_CLOCK})?[底末初]?$")
_CHINESE_YEAR: Final = re.compile(r"^([一二][〇零○一二三四五六七八九]{3})(?=年|$)")
_FIRST_DAY: Final = datetime.date(1899, 12, 30)
"""Day 0 of a spreadsheet's dates."""
_SERIALS: Final = (10_000.0, 73_415.0)
"""Serial days of 1927-05-18 and 2100-12-31: numbers between them cannot be years."""


@dataclass(frozen=True)
class Figure:
    """A figure read from text."""

    value: float
    """The value, NaN where there is none."""
    how: How
    unit: str = ""
    """Unit that stands beside the figure in the cell, "" for none."""
    scaled: bool = field(default=False, repr=False)
    """Whether the cell itself says 万, so that 万 in the header says the same and must not multiply again."""


_NOTHING: Final = Figure(float("nan"), "none")


def figure_of(text: str, units: Mapping[str, float] | None = None) -> Figure:
    """Read a figure from text; of a range the lower end, of 约30 the 30, so that nothing is counted that may not exist.

    Parameters
    ----------
    units
        Units that may stand behind the figure; None where only a plain number will do. 万 multiplies by 10,000.

    >>> figure_of("30-40", {"张": 1.0}), figure_of("约３０张", {"张": 1.0}).value, figure_of("三十五", {}).value
    (Figure(value=30.0, how='range', unit=''), 30.0, 35.0)
    """
    bare = _THOUSANDS.sub(lambda found: found.group(1).replace(",", ""), unicodedata.normalize("NFKC", text).strip())
    bare = _SQUARE_METRES.sub("㎡", bare)
    if bare.casefold() in UNKNOWN:
        return Figure(float("nan"), "unknown")
    if _SIGNED.match(bare) or re.fullmatch(_PLAIN, bare) or re.fullmatch(r"[+-]?\d+(\.\d+)?[eE][+-]?\d{1,2}", bare):
        return Figure(float(bare), "exact")
    return _NOTHING if units is None else _worded(bare, units)


def _worded(bare: str, units: Mapping[str, float]) -> Figure:
    """Read a figure with words about it."""
    ranged = _RANGE.match(bare)
    if ranged:
        low, first, high, last = ranged.groups()
        unit = _unit(last or first, units)
        return _NOTHING if unit is None or float(high) < float(low) else _scaled(float(low), "range", unit)
    about = _ABOUT.match(bare)
    if about is None:
        return _chinese(bare, units)
    before, value, behind, word, after = about.groups()
    unit = _unit(word, units)
    if unit is None:
        return _NOTHING
    return _scaled(float(value), "approximate" if before or behind or after else "unit", unit)


def _unit(word: str, units: Mapping[str, float]) -> tuple[str, float] | None:
    """Take 万 off a unit: the unit and the factor of 万, None where the word is no unit."""
    bare = word.casefold()
    if not bare or bare in units:
        return bare, 1.0
    if bare.startswith("万") and (bare == "万" or bare[1:] in units):
        return bare[1:], 1e4
    return None


def _scaled(value: float, how: How, unit: tuple[str, float]) -> Figure:
    return Figure(value * unit[1], how, unit[0], unit[1] != 1.0)


def _chinese(bare: str, units: Mapping[str, float]) -> Figure:
    """Read a number in Chinese characters, such as 三十五张."""
    found = re.fullmatch(rf"([{_CHINESE}]+)(\D*)", bare)
    unit = _unit(found.group(2), units) if found else None
    value = chinese_number(found.group(1)) if found else None
    return _NOTHING if value is None or unit is None else _scaled(value, "words", unit)


def chinese_number(text: str) -> float | None:
    """Read a whole number in Chinese characters below ten thousand, None where it is none or could be two.

    一百五 is said of 150 and would be read as 105 (一百零五): nobody can tell.

    >>> chinese_number("一百二十"), chinese_number("十五"), chinese_number("二〇二一"), chinese_number("十十")
    (120.0, 15.0, 2021.0, None)
    >>> chinese_number("一百零五"), chinese_number("一百五")
    (105.0, None)
    """
    if text and all(character in _DIGITS for character in text):
        return float("".join(str(_DIGITS[character]) for character in text))
    total, digit, last = 0, None, 10_000
    for character in text:
        if character in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[character]
        else:
            unit = _TENS.get(character, last)
            if unit >= last:
                return None
            total, digit, last = total + (1 if digit is None else digit) * unit, None, unit
    short = bool(digit) and last in (100, 1000) and text[-2] in _TENS
    return float(total + (digit or 0)) if text and not short else None


def year_of(value: object, text: str) -> Figure:
    """Read the year of a date in any form met: a date, 2021, 2021年3月, 2021.3, 20210301, 44256, 二〇二一年, 21年.

    ``how`` is "exact" where there is no doubt, "date" for a spreadsheet's serial day, "words" for Chinese characters and
    "approximate" where words stand about the year or the century was left out (00–30 is 20xx); of several years the first.

    >>> year_of(44256.0, "44256"), year_of(None, "二〇二一年"), year_of(None, "预计2025年底").how
    (Figure(value=2021.0, how='date', unit=''), Figure(value=2021.0, how='words', unit=''), 'approximate')
    """
    if isinstance(value, datetime.date):
        return Figure(float(value.year), "exact")
    bare = unicodedata.normalize("NFKC", text).strip()
    if not bare:
        return Figure(float("nan"), "exact")
    if bare.casefold() in UNKNOWN:
        return Figure(float("nan"), "unknown")
    compact = _COMPACT.match(bare)
    if compact and 1900 <= int(compact.group(1)) <= 2100:
        return Figure(float(compact.group(1)), "exact")
    serial = _serial(bare)
    return serial if serial is not None else _year_in(bare)


def _serial(bare: str) -> Figure | None:
    try:
        number = float(bare)
    except ValueError:
        return None
    if not _SERIALS[0] <= number <= _SERIALS[1]:
        return None
    return Figure(float((_FIRST_DAY + datetime.timedelta(days=int(number))).year), "date")


def _year_in(bare: str) -> Figure:
    if _NO_DOUBT.match(bare):
        return Figure(float(bare[:4]), "exact")
    chinese = _CHINESE_YEAR.match(bare)
    if chinese:
        return Figure(chinese_number(chinese.group(1)) or float("nan"), "words")
    found = _YEAR.search(bare) or _STARTS_WITH_YEAR.match(bare)
    if found:
        return Figure(float(found.group(1)), "approximate")
    short = _SHORT_YEAR.match(bare)
    if short:
        two = int(short.group(1))
        return Figure(float(two + (2000 if two <= 30 else 1900)), "approximate")
    return _NOTHING
