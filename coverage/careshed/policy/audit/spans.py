"""Read numbers as a plan prints them, each with the precision it is printed with, and reckon with them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Final, Literal

Role = Literal["count", "measure", "target", "standard"]
"""What a figure is: counted things, a measured rate, a target, or a standard that holds to the letter."""

_SCALES: Final = {"": 1, "千": 1000, "万": 10_000, "亿": 100_000_000}
_WORDS: Final = {"一": "1", "两": "2", "十": "10", "百": "100", "千": "1000", "万": "10000"}
_PRINTED: Final = re.compile(r"^(约|近)?(≥|≤|>|<)?\s*(\d[\d,]*(?:\.\d+)?)\s*(万|亿|千)?\s*(亩)?\s*(余|多|左右)?$")
_M2_PER_MU: Final = Fraction(2000, 3)
"""Square metres of one mu (亩): 666.67."""


@dataclass(frozen=True)
class Span:
    """A number and the range that its printed precision leaves open, both ends included."""

    value: Fraction
    """The number as printed."""
    low: Fraction
    high: Fraction

    def __add__(self, other: Span) -> Span:
        return Span(self.value + other.value, self.low + other.low, self.high + other.high)

    def __sub__(self, other: Span) -> Span:
        return Span(self.value - other.value, self.low - other.high, self.high - other.low)

    def __mul__(self, other: Span) -> Span:
        return Span(self.value * other.value, self.low * other.low, self.high * other.high)

    def __truediv__(self, other: Span) -> Span:
        return Span(self.value / other.value, self.low / other.high, self.high / other.low)

    def meets(self, other: Span) -> bool:
        """Whether some number fits both."""
        return self.low <= other.high and other.low <= self.high

    def holds(self, number: Fraction) -> bool:
        """Whether the number lies in the range."""
        return self.low <= number <= self.high


def exact(number: Fraction | int) -> Span:
    """Take a number to the letter."""
    return Span(Fraction(number), Fraction(number), Fraction(number))


def total(spans: Iterable[Span]) -> Span:
    """Add up, precision and all."""
    result = exact(0)
    for span in spans:
        result = result + span
    return result


def read_printed(text: str, role: Role = "count") -> Span:
    """Read a number as the plan prints it, with the range its precision leaves open.

    The rules: a whole number that counts things, a target and a standard are exact; a measured rate is good to half of its
    last printed digit; so is every number in 千, 万 or 亿; 约, 近 and 左右 double that; 余 and 多 mean up to one more of
    the last printed digit.

    Raises
    ------
    ValueError
        The text is not one number.

    >>> span = read_printed("1.8万")
    >>> int(span.low), int(span.value), int(span.high)
    (17500, 18000, 18500)
    >>> float(read_printed("18.2", "measure").low), float(read_printed("4.5", "standard").low)
    (18.15, 4.5)
    """
    match = _PRINTED.match(_WORDS.get(text, text))
    if not match:
        raise ValueError(text)
    about, _, digits, scale, mu, tail = match.groups()
    decimals = len(digits.partition(".")[2])
    unit = _SCALES[scale or ""] * (_M2_PER_MU if mu else Fraction(1))
    value, step = Fraction(digits.replace(",", "")) * unit, Fraction(1, 10**decimals) * unit
    if tail in ("余", "多"):
        return Span(value, value, value + step)
    half = step / 2 if scale or role == "measure" else Fraction(0)
    if about or tail == "左右":
        half = step
    return Span(value, value - half, value + half)


def comparison(text: str) -> str:
    """Read the comparison printed before a number, ``"="`` where there is none.

    >>> comparison("≥55"), comparison("55")
    ('>=', '=')
    """
    signs = {"≥": ">=", "≤": "<=", ">": ">", "<": "<"}
    return next((sign for mark, sign in signs.items() if mark in text), "=")


def number(value: Fraction | float, decimals: int | None = None) -> str:
    """Print a number for a reader: thousands apart, halves rounded up, and no more decimals than say something.

    >>> number(Fraction(7155)), number(Fraction(7257, 1590)), number(Fraction(2000, 3)), number(Fraction(400, 5330))
    ('7,155', '4.56', '667', '0.075')
    """
    if decimals is None:
        size = abs(Fraction(value))
        decimals = 0 if size >= 300 else 1 if size >= 10 else 2 if size >= 0.1 else 3
    steps = 10**decimals
    rounded = Fraction(floor(abs(Fraction(value)) * steps + Fraction(1, 2)), steps)
    shown = f"{float(rounded):,.{decimals}f}"
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return f"-{shown}" if value < 0 and shown != "0" else shown


def plain(value: Fraction) -> str:
    """Print a stated number in full, without losing a decimal it was stated with.

    >>> plain(Fraction("81.71")), plain(Fraction(10146))
    ('81.71', '10,146')
    """
    return next((number(value, d) for d in range(5) if (value * 10**d).denominator == 1), number(value))


_UNITS_EN: Final[dict[str, str]] = {
    "人": "people", "张": "beds", "元": "yuan", "万元": "× 10,000 yuan", "平方米": "m²", "年底": "(year-end)", "对": "pairs",
    "个/千人口": "per 1,000 residents", "张/千名老年人": "per 1,000 aged 60+", "张/百名老年人": "per 100 aged 60+",
    "个托位": "places", "平方米用地": "m² of land", "%": "%", "平方米/床": "m² a bed", "元/张": "yuan a bed",
    "元/托位": "yuan a place", "元/人/月": "yuan a person a month", "元/年": "yuan a year", "人/床": "people a bed",
}  # fmt: skip
"""Unit -> English; units that only classify (个, 家, 所, 处, 项) have none."""


def printed_en(text: str, unit: str) -> str:
    """Say a printed number with its unit in English.

    >>> printed_en("约3.5万", "张"), printed_en("1.1万余", "张"), printed_en("≥55", "%")
    ('about 35,000 beds', 'over 11,000 beds', '≥55%')
    """
    head = "about " if "约" in text or "左右" in text else "over " if text[-1] in "余多" else ""
    sign = next((mark for mark in "≥≤><" if mark in text), "")
    bare = text.lstrip("约近≥≤>< ")
    value = read_printed(bare).value
    shown = bare if "." in bare and bare.replace(".", "").isdigit() else plain(value)
    name = _UNITS_EN.get(unit, "")
    return f"{head}{sign}{shown}{name if name == '%' else f' {name}' if name else ''}"
