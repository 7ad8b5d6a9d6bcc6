"""Read longitudes and latitudes written in degrees, minutes and seconds."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_HEMISPHERES: Final = {"东经": 1.0, "西经": -1.0, "北纬": 1.0, "南纬": -1.0, "e": 1.0, "w": -1.0, "n": 1.0, "s": -1.0}
_WORDS: Final = "|".join(_HEMISPHERES)
_DECIMAL: Final = r"\d+(?:\.\d+)?"
_DEGREE, _MINUTE, _SECOND = "[°º˚度]", "[′'’‘´`分]", "(?:[″\"”“秒]|''|′′|’’)"
_MARKED: Final = re.compile(
    rf"^({_DECIMAL}){_DEGREE}(?:({_DECIMAL}){_MINUTE}?)?(?:({_DECIMAL}){_SECOND}?)?$",
)
_SPACED: Final = re.compile(r"^(\d{1,3})[\s:]+(\d{1,2})[\s:]+(\d{1,2}(?:\.\d+)?)$")
_DOTTED: Final = re.compile(r"^(\d{1,3})\.(\d{1,2})\.(\d{1,2}(?:\.\d+)?)$")
_PLAIN: Final = re.compile(rf"^{_DECIMAL}$")


def degrees_of(text: str) -> float | None:
    """Read one longitude or latitude as degrees, None where the text is none.

    Degrees, minutes and seconds by their signs (121°28′30″, 121度28分30秒), by dots or colons (121.28.30, 121:28:30), with
    东经, 北纬, E or N before or after; 西经, 南纬, W and S are negative. Minutes and seconds of 60 or more are no angle.
    A plain number is taken only together with such a word: without one it is no text in degrees but a number.

    >>> degrees_of("东经121°28′30″"), degrees_of("31.12.36"), degrees_of("121度28分"), degrees_of("121°75′")
    (121.475, 31.21, 121.46666666666667, None)
    """
    bare = unicodedata.normalize("NFKC", text).strip().casefold()
    sign, bare = _hemisphere(bare)
    spaced = _SPACED.match(bare)
    bare = re.sub(r"\s+", "", bare) if spaced is None else bare
    found = spaced or _DOTTED.match(bare) or _MARKED.match(bare)
    if found is None:
        return sign * float(bare) if sign is not None and _PLAIN.match(bare) else None
    degrees, minutes, seconds = (float(part) if part else 0.0 for part in found.groups())
    if minutes >= 60.0 or seconds >= 60.0 or degrees > 180.0:
        return None
    return (1.0 if sign is None else sign) * (degrees + (minutes * 60.0 + seconds) / 3600.0)


def _hemisphere(text: str) -> tuple[float | None, str]:
    """Take the word for the hemisphere off a text: its sign, None where there is no such word."""
    before = re.match(rf"^({_WORDS})[\s:]*(.*)$", text)
    after = re.match(rf"^(.*\d\D*?)\s*({_WORDS})$", text) if before is None else None
    if before is not None:
        return _HEMISPHERES[before.group(1)], before.group(2)
    if after is not None:
        return _HEMISPHERES[after.group(2)], after.group(1)
    return None, text
