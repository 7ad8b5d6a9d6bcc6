"""Keep persons out of registers: drop contact columns, refuse lists with ID numbers."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from careshed.intake.columns import CONTACT_HEADERS, plain, without_unit
from careshed.intake.sources import Words, as_text, stop
from careshed.schema import Fault

_ID: Final = re.compile(r"(?<!\d)(\d{6})(\d{8})(\d{3})([\dXx])(?![\dXx])")
_MOBILE: Final = re.compile(r"^(?:\+?86)?1[3-9]\d{9}$")
_LANDLINE: Final = re.compile(r"^(?:\+?86)?0\d{2,3}-?[2-9]\d{6,7}$")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK: Final = "10X98765432"
"""Check characters of a citizen's number by the weighted sum modulo 11 (GB 11643-1999, ISO 7064 MOD 11-2)."""

_SHORTEST_ID, _SHORTEST_PHONE = 18, 10
"""Characters that such a number has at least."""

_MANY: Final = 0.2
"""A column with ID numbers in at least this share of its filled cells lists persons; fewer are slips in a column of remarks."""

_MOSTLY: Final = 0.5
"""A column of which at least this share of the filled cells are telephone numbers is one of telephone numbers."""

_REFUSED_CURE: Final[Words] = (
    "本工具不读取个人名单：请删去身份证号等列后再试。",
    "Lists of persons are not read: delete the ID numbers and try again.",
)


@dataclass(frozen=True)
class Screened:
    """Which columns of a register concern persons."""

    dropped: tuple[int, ...]
    """Positions of the columns to drop."""
    faults: tuple[Fault, ...]
    """One for each of them; no personal value is repeated."""


def is_citizen_number(text: str) -> bool:
    """Tell whether a text holds a Chinese citizen's number: birthday and check character must both fit.

    >>> is_citizen_number("11010519491231002X"), is_citizen_number("110105194912310021"), is_citizen_number("140602001001")
    (True, False, False)
    """
    if len(text) < _SHORTEST_ID:
        return False
    for found in _ID.finditer(unicodedata.normalize("NFKC", text)):
        region, birthday, order, check = found.groups()
        weighted = sum(int(digit) * weight for digit, weight in zip(region + birthday + order, _WEIGHTS, strict=True))
        if _is_day(birthday) and _CHECK[weighted % 11] == check.upper():
            return True
    return False


def is_mobile(text: str) -> bool:
    """Tell whether a text is a Chinese mobile telephone number.

    >>> is_mobile("+86 138-0013-8000"), is_mobile("0349-2022333")
    (True, False)
    """
    return bool(_MOBILE.match(re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", text))))


def is_telephone(text: str) -> bool:
    """Tell whether a text is a Chinese telephone number, mobile or with its area code.

    >>> is_telephone("138 0013 8000"), is_telephone("0349-2022333"), is_telephone("140602001001")
    (True, True, False)
    """
    if len(text) < _SHORTEST_PHONE:
        return False
    bare = re.sub(r"[\s()]", "", unicodedata.normalize("NFKC", text))
    return is_mobile(text) or bool(_LANDLINE.match(bare))


def is_contact(header: str) -> bool:
    """Tell whether a header names a column of persons or of how to reach them.

    >>> is_contact("联系电话（必填）"), is_contact("床位数")
    (True, False)
    """
    return plain(header) in _CONTACTS or without_unit(header) in _CONTACTS


_CONTACTS: Final = frozenset(plain(word) for word in CONTACT_HEADERS)


def screen(
    file: str, sheet: str, headers: Sequence[str], values: Sequence[Sequence[object]], *, known: Collection[int] = ()
) -> Screened:
    """Find the columns that concern persons, by their header and by what is in them.

    Parameters
    ----------
    known
        Positions of columns that were recognised, such as codes: eleven digits in them are no telephone number.

    Raises
    ------
    careshed.schema.InputError
        If a column holds citizens' numbers: such a table lists persons.
    """
    dropped, faults = [], []
    for place, header in enumerate(headers):
        filled = [text for row in values if (text := as_text(row[place]))]
        phones = 0 if place in known else sum(map(is_telephone, filled))
        held = sum(map(is_citizen_number, filled))
        if held and held >= _MANY * len(filled):
            told = (f"{held} 个单元格含居民身份证号", f"{held} cell(s) hold citizens' ID numbers")
            raise stop(file, "table_of_persons", told, _REFUSED_CURE, sheet=sheet, column=header)
        if held or is_contact(header) or (phones and phones >= _MOSTLY * len(filled)):
            dropped.append(place)
            faults.append(_dropped(file, sheet, header))
    return Screened(tuple(dropped), tuple(faults))


_IN_TEXT: Final = re.compile(r"(?<![\d.])(?:(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}|0\d{2,3}-[2-9]\d{6,7})(?!\d)")
"""A telephone number within a text: 王主任13800138000, 热线0349-2022333."""


def without_numbers(text: str) -> str:
    """Take telephone numbers out of a text, so that a name or a remark carries none into an output.

    >>> without_numbers("王主任 13800138000"), without_numbers("幸福里12号院")
    ('王主任', '幸福里12号院')
    """
    if not any(character.isdigit() for character in text):
        return text
    found = unicodedata.normalize("NFKC", text)
    bare = _IN_TEXT.sub("", found)
    return text if bare == found else re.sub(r"[（(\[]\s*[)）\]]", "", bare).strip(" ,，;；:：/、")


_WHO: Final = re.compile(r"(?:填表|制表|审核|填报|经办|单位负责|负责|联系)(?:人|单位|电话)?")


def subject_of(text: str) -> str:
    """Say what a remark below a table is about, and leave out whom it names.

    >>> subject_of("填表人：王某某 联系电话：0000-0000000"), subject_of("数据来源：民政局 联系人王某"), subject_of("注：含在建")
    ('填表人…', '数据来源：民政局 联系人…', '注：含在建')
    """
    found = _WHO.search(text)
    return without_numbers(text) if found is None or found.end() == len(text) else f"{text[: found.end()]}…"


def _is_day(text: str) -> bool:
    try:
        day = datetime.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return 1900 <= day.year <= 2100


def _dropped(file: str, sheet: str, header: str) -> Fault:
    told = ("涉及个人的列，已删除，不会写入任何输出", "concerns persons; it is dropped and never written out")
    return Fault("contact_column", file, *told, sheet=sheet, column=header, severity="dropped")
