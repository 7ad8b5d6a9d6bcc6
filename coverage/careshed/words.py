"""Say things in Chinese or English: the words that more than one step prints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, Literal

Lang = Literal["zh", "en"]
"""Language of everything a reader sees; code and logs of developers stay English."""

GROUPS: Final[dict[str, tuple[str, str]]] = {
    "total": ("全部人口", "all residents"),
    "p0_3": ("3岁以下婴幼儿", "children under 3"),
    "p3_6": ("3–6岁儿童", "children aged 3–6"),
    "p60": ("60岁及以上老人", "people aged 60+"),
    "p65": ("65岁及以上老人", "people aged 65+"),
    "p80": ("80岁及以上老人", "people aged 80+"),
}
"""Population group -> (Chinese, English). A study may use further group names; they print as they are."""

LEVELS: Final[dict[str, tuple[str, str]]] = {
    "county": ("县区", "county or district"),
    "street": ("街道", "street (jiedao)"),
    "township": ("乡镇", "township"),
    "community": ("社区", "community"),
    "village": ("村", "village"),
    "compound": ("小区", "compound"),
}
"""Unit level -> (Chinese, English). Streets and townships share a tier, communities and villages too."""


PLURALS: Final[dict[str, str]] = {
    "county": "counties or districts",
    "street": "streets (jiedao)",
    "township": "townships",
    "community": "communities",
    "village": "villages",
    "compound": "compounds",
}
"""Unit level -> English plural."""


def pick(lang: Lang, zh: str, en: str) -> str:
    """Choose the wording for the reader.

    >>> pick("en", "缺口", "gap")
    'gap'
    """
    return zh if lang == "zh" else en


def group_name(group: str, lang: Lang) -> str:
    """Name a population group for the reader.

    >>> group_name("p60", "zh"), group_name("disabled", "en")
    ('60岁及以上老人', 'disabled')
    """
    return pick(lang, *GROUPS[group]) if group in GROUPS else group


def level_name(level: str, lang: Lang) -> str:
    """Name a level of administrative unit for the reader.

    >>> level_name("street", "zh")
    '街道'
    """
    return pick(lang, *LEVELS[level]) if level in LEVELS else level


def whole_parts(whole: float, parts: Sequence[float]) -> tuple[int, ...]:
    """Show the parts of a whole as whole people that add up to the whole as shown: the largest remainders are rounded up.

    Of remainders equal to a thousandth the part named first is rounded up. The parts make up the whole.

    >>> whole_parts(10.0, (3.4, 3.4, 3.2)), whole_parts(2.0, (0.5, 1.5))
    ((4, 3, 3), (1, 1))
    """
    floors = [math.floor(max(part, 0.0)) for part in parts]
    up = sorted(range(len(parts)), key=lambda at: (round(floors[at] - parts[at], 3), at))[: round(whole) - sum(floors)]
    return tuple(floor + (at in up) for at, floor in enumerate(floors))


def led_parts(whole: float, parts: Sequence[float]) -> tuple[int, ...]:
    """Show the parts of a whole as whole people: the first as it is shown alone, the others adding up to what is left.

    Tables and sentences that show the first part by itself, such as the people reached, then show the same number.

    >>> led_parts(459.3, (57.49, 367.41, 34.4)), whole_parts(459.3, (57.49, 367.41, 34.4))
    ((57, 368, 34), (58, 367, 34))
    """
    left = sum(math.floor(max(part, 0.0)) for part in parts[1:])
    first = min(round(max(parts[0], 0.0)), round(whole) - left)
    return (first, *whole_parts(round(whole) - first, parts[1:]))


def spanned(row: Mapping[str, object], lang: Lang) -> str:
    """Name where a gap lies: the unit with most of its people, and how many units it spans; "" where no unit is known.

    Parameters
    ----------
    row
        A row of ``find_gaps``: ``unit_name``, ``unit``, ``units_count``, ``units_levels``.

    Examples
    --------
    >>> gap = {"unit_name": "窑厂社区", "units_count": 3, "units_levels": "community"}
    >>> spanned(gap, "zh"), spanned(gap, "en")
    ('窑厂社区等 3 个社区', '窑厂社区 and 2 more communities')
    """
    named = (row.get(key) for key in ("unit_name", "unit"))
    name = next((str(text) for text in named if text is not None and str(text) not in ("", "nan", "None")), "")
    count, levels = float(str(row.get("units_count", 0))), str(row.get("units_levels", "")).split()
    if not name or not count > 1:
        return name
    zh = "和".join(LEVELS[level][0] for level in levels) or "单元"
    many = " and ".join(PLURALS[level] for level in levels) or "units"
    one = " or ".join(LEVELS[level][1] for level in levels) or "unit"
    return pick(lang, f"{name}等 {count:.0f} 个{zh}", f"{name} and {count - 1:.0f} more {many if count > 2 else one}")
