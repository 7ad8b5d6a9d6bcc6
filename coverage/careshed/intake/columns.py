"""Know a column by the names that planners give it, in Chinese and English."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from careshed.intake.vocabulary import ALSO, CONTACT_HEADERS, FACTORS, NAMES, SECTIONS, Kind

__all__ = [
    "CONTACT_HEADERS",
    "FACTORS",
    "NAMES",
    "SECTIONS",
    "Kind",
    "Match",
    "match",
    "nearest",
    "plain",
    "section_of",
    "unit_of",
    "without_unit",
]

_LISTED: Final = frozenset({"facilities", "candidates", "barriers", "gates"})
"""Tables of which a study may have several, so that their sections stand in double brackets."""

_BRACKETS: Final = re.compile(r"[(\[【〔]([^)\]】〕]*)[)\]】〕]")
_UNITS: Final = "|".join(sorted({word for units in FACTORS.values() for word in units}, key=len, reverse=True))
_AFTER: Final = re.compile(rf"(?:\s*[/:,_\-—]\s*({_UNITS})|(m2|平方米|平米|万平方米|公顷|亩|万元|亿元))\s*$", re.IGNORECASE)
"""A unit at the end of a header: after a stroke or colon, or such that no word ends with it."""


@dataclass(frozen=True)
class Match:
    """Which column of a file is which of ours."""

    position: dict[str, int]
    """Our name -> position of the column in the file."""
    ignored: dict[str, list[int]]
    """Our name -> further columns that could have been it and are not used."""
    absent: dict[str, str]
    """Our name -> header that the study maps it to and the file does not have."""


def plain(text: object) -> str:
    """Reduce a header or word to what counts in comparing: no width, case, spaces or underscores.

    >>> plain("经 度 "), plain("Area_M²")
    ('经度', 'aream2')
    """
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFKC", str(text)).casefold())


def section_of(kind: Kind) -> str:
    """Write the section of the study file that names a table, as it stands there.

    >>> section_of("gates"), section_of("streets")
    ('[[barriers.gates]]', '[streets]')
    """
    name = SECTIONS[kind].removesuffix(".columns")
    return f"[[{name}]]" if kind in _LISTED else f"[{name}]"


def without_unit(header: str) -> str:
    """Reduce a header as `plain` does, and drop a unit in brackets or at its end.

    >>> without_unit("床位数（张）"), without_unit("建筑面积/㎡"), without_unit("投资万元")
    ('床位数', '建筑面积', '投资')
    """
    return plain(_AFTER.sub("", _BRACKETS.sub("", unicodedata.normalize("NFKC", header))))


def unit_of(header: str) -> str:
    """Read the unit in a header's brackets or at its end, "" where there is none.

    >>> unit_of("投资（万元）"), unit_of("占地面积 亩"), unit_of("床位数")
    ('万元', '亩', '')
    """
    text = unicodedata.normalize("NFKC", header)
    found = _BRACKETS.search(text)
    if found:
        return plain(found.group(1))
    after = _AFTER.search(text)
    return plain(after.group(1) or after.group(2)) if after else ""


def match(headers: Sequence[str], kind: Kind, mapped: Mapping[str, str] | None = None) -> Match:
    """Match a file's headers to our names: what the study maps first, then the names usually met.

    >>> match(["经度", "纬度", "床位数（张）"], "facilities").position
    {'lon': 0, 'lat': 1, 'places': 2}
    """
    mapped = mapped or {}
    whole, bare = [plain(header) for header in headers], [without_unit(header) for header in headers]
    position: dict[str, int] = {}
    ignored: dict[str, list[int]] = {}
    taken = {place for header in mapped.values() for place, own in enumerate(whole) if own == plain(header)}
    for name in dict.fromkeys([*NAMES[kind], *mapped]):
        usual = (*NAMES[kind].get(name, ()), *ALSO[kind].get(name, ()))
        accepted = [plain(mapped[name])] if name in mapped else [plain(word) for word in usual]
        places = [place for word in accepted for place in range(len(headers)) if word in (whole[place], bare[place])]
        free = [place for place in dict.fromkeys(places) if name in mapped or place not in taken]
        if free:
            position[name] = free[0]
            ignored[name] = free[1:]
    absent = {name: header for name, header in mapped.items() if name not in position}
    return Match(position, {name: rest for name, rest in ignored.items() if rest}, absent)


def nearest(word: str, known: Sequence[str]) -> str:
    """Find the known word that a misspelt one most likely means, "" where none is close.

    >>> nearest("minuts", ["minutes", "mode"])
    'minutes'
    """
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return close[0] if close else ""
