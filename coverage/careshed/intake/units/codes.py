"""Read what an administrative code says by its form: level, the code above it, and what does not fit."""

from __future__ import annotations

import re
from typing import Final

LENGTHS: Final = (6, 9, 12)
"""Digits of the code of a county, of a street or township, and of a community or village (GB/T 2260, GB/T 10114)."""

STREET_NAME: Final = re.compile(r"街道(?:办事处|办|筹备处)?$")
"""What the name of a street among the special codes (400 and above) ends with; nothing else is read off a name."""

RANGES: Final = (
    "第7–9位 001–099 街道、100–199 镇、200–399 乡（苏木）、400 以上特殊单位；"
    "第10–12位 001–199、400–499 社区，200–399、500–599 村",
    "digits 7–9: 001–099 streets, 100–199 towns, 200–399 townships, 400 and above special; "
    "digits 10–12: 001–199 and 400–499 communities, 200–399 and 500–599 villages",
)
"""The stated derivation, in Chinese and English."""


def is_code(code: str) -> bool:
    """Tell whether a code has the form of an administrative code: 6, 9 or 12 digits.

    >>> is_code("140602"), is_code("14060200100")
    (True, False)
    """
    return code.isascii() and code.isdigit() and len(code) in LENGTHS


def significant(code: str) -> str:
    """Drop the groups of three zeros that some lists pad codes of larger units with.

    >>> significant("140602000000"), significant("140602001000"), significant("140602001")
    ('140602', '140602001', '140602001')
    """
    while is_code(code) and len(code) > LENGTHS[0] and code.endswith("000"):
        code = code[:-3]
    return code


def codes_above(code: str) -> tuple[str, ...]:
    """List the codes of the units that hold a unit, the nearest first.

    >>> codes_above("140602001001")
    ('140602001', '140602')
    """
    own = significant(code)
    return tuple(own[:length] for length in (9, 6) if is_code(own) and len(own) > length)


def is_above_county(code: str) -> bool:
    """Tell whether a code is that of a prefecture or province: 6 digits that end in 00.

    >>> is_above_county("140600"), is_above_county("140602")
    (True, False)
    """
    own = significant(code)
    return is_code(own) and len(own) == LENGTHS[0] and own.endswith("00")


def is_special(code: str) -> bool:
    """Tell whether a code is one of a special unit of the second tier (development zone, farm), or lies in one.

    >>> is_special("130981400"), is_special("130981001")
    (True, False)
    """
    own = significant(code)
    return is_code(own) and len(own) > LENGTHS[0] and own[6] >= "4"


def level_by_code(code: str, name: str = "") -> str:
    """Derive a unit's level from the length and range of its code, "" where these do not tell.

    Parameters
    ----------
    name
        Used for special units alone: of those, what calls itself 街道 is a street, all others count as townships.

    >>> level_by_code("130981"), level_by_code("150421200"), level_by_code("150421200201")
    ('county', 'township', 'village')
    >>> level_by_code("150404400", "松城街道筹备处"), level_by_code("130981400", "泊头经济开发区")
    ('street', 'township')
    """
    own = significant(code)
    if not is_code(own):
        return ""
    if len(own) == LENGTHS[0]:
        return "county"
    if len(own) == LENGTHS[1]:
        return "street" if own[6] == "0" or (own[6] >= "4" and STREET_NAME.search(name)) else "township"
    return {"0": "community", "1": "community", "4": "community", "2": "village", "3": "village", "5": "village"}.get(own[9], "")
