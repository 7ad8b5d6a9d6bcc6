"""Match the units of a table of people to the units of the study: codes padded with zeros, and names that one unit bears."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import takewhile
from typing import TYPE_CHECKING, Final

import pandas as pd

from careshed.demand.ledger import people_of
from careshed.intake.columns import nearest, plain
from careshed.intake.units.codes import LENGTHS, is_code, significant
from careshed.schema import Checked, Fault, InputError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

ALL: Final = "ALL"
"""Row of a table that holds for the whole area."""

_MOST: Final = 12
"""Units listed in one message."""

_MARKS: Final = re.compile(r"[\s'’‘`]")
"""What spreadsheets put into codes so that they stay text."""

_CURE: Final = (
    "请写单元表中的代码（6、9 或 12 位，末尾补的 000 可有可无）或只有一个单元使用的名称；研究范围以外的行请删去。",
    "Write codes of the list of units (6, 9 or 12 digits, with or without the 000 that pad them) or names that one unit alone "
    "bears; delete rows beyond the study area.",
)


def match_units(table: pd.DataFrame, units: GeoDataFrame, *, file: str = "") -> Checked[pd.DataFrame]:
    """Give each row of a table by unit the code that the study's list of units has for it.

    Parameters
    ----------
    table
        Index: code or name of a unit; `ALL` stands for the whole area.
    units
        The study's units with their ``parent``, and ``name`` where rows may be named.

    Raises
    ------
    careshed.schema.InputError
        Once with all rows whose unit is not known, each with the nearest that is; and if two rows are of the same unit.

    >>> import geopandas as gpd
    >>> units = gpd.GeoDataFrame({"name": ["鼓楼街道"], "parent": [""]}, index=["990101001"], geometry=[None])
    >>> match_units(pd.DataFrame({"p60": [5.0]}, index=["990101001000"]), units).table.index.tolist()
    ['990101001']
    """
    known = _known(units)
    by_code = {significant(code): code for code in reversed(known)} | {code: code for code in known}
    named: defaultdict[str, list[str]] = defaultdict(list)
    for code, name in known.items():
        named[plain(name)].append(code)
    stated = [str(value) for value in table.index]
    bare = [_MARKS.sub("", value) for value in stated]
    codes = [by_code.get(value) or by_code.get(significant(value)) or _only(named[plain(value)]) for value in bare]
    faults = _unknown(table, stated, codes, known, named, file)
    faults += _twice(stated, codes, known, file) if not faults else []
    if faults:
        raise InputError(faults)
    by_name = sum(value not in by_code and significant(value) not in by_code for value in bare)
    if by_name:
        zh, en = f"{by_name} 行写的是单元名称，已对应到代码", f"{by_name} row(s) name their unit; the name is taken for its code"
        faults = [Fault("unit_by_name", file, zh, en, severity="repaired")]
    return Checked(table.set_axis(pd.Index(codes, name=table.index.name, dtype="str"), axis=0), tuple(faults))


def unit_labels(codes: pd.Index[str], units: GeoDataFrame | None) -> list[str]:
    """Write codes with the names of their units, for messages.

    >>> unit_labels(pd.Index(["990101001"]), None)
    ['990101001']
    """
    names = {} if units is None else _known(units)
    return [f"{code} {names.get(str(code), '')}".strip() for code in codes]


def _known(units: GeoDataFrame) -> dict[str, str]:
    """List the codes of all units and of those above them, with their names ("" where the list has none)."""
    names = units["name"].astype(str) if "name" in units else [""] * len(units)
    own = dict(zip(units.index.astype(str), names, strict=True))
    return own | {parent: "" for parent in units["parent"].astype(str) if parent and parent not in own} | {ALL: ""}


def _only(same: list[str]) -> str:
    return same[0] if len(same) == 1 else ""


def _unknown(
    table: pd.DataFrame,
    stated: list[str],
    codes: list[str],
    known: dict[str, str],
    named: dict[str, list[str]],
    file: str,
) -> list[Fault]:
    """Tell all rows whose unit is not known in one fault, with the nearest unit of each."""
    odd = [at for at, code in enumerate(codes) if not code]
    if not odd:
        return []
    zh, en = zip(*(_guess(stated[at], known, named) for at in odd[:_MOST]), strict=True)
    more = ("", "") if len(odd) <= _MOST else (f"……（另有 {len(odd) - _MOST} 行）", f" … (+{len(odd) - _MOST})")
    told_zh = f"{len(odd)} 行的代码或名称不在单元表中：{'、'.join(zh)}{more[0]}"
    told_en = f"{len(odd)} row(s) are of units that are not in the list of units: {', '.join(en)}{more[1]}"
    counted = people_of(table.iloc[odd])
    return [Fault("unknown_unit", file, told_zh, told_en, *_CURE, people=max(counted.values(), default=0.0))]


def _guess(value: str, known: dict[str, str], named: dict[str, list[str]]) -> tuple[str, str]:
    """Name the unit that is most likely meant."""
    same = named.get(plain(value), [])
    if len(same) > 1:
        return f"{value}（有 {len(same)} 个单元叫此名）", f"{value} ({len(same)} units bear this name)"
    code = _nearest(significant(_MARKS.sub("", value)), {code: name for code, name in known.items() if code != ALL})
    if not code:
        return value, value
    label = f"{code} {known[code]}".strip()
    return f"{value}（最接近 {label}）", f"{value} (nearest: {label})"


def _nearest(value: str, known: dict[str, str]) -> str:
    """Find the code of the unit most likely meant: of codes the one that begins alike, else by letters; "" if none is near."""
    if is_code(value):
        alike = {code: _begins_alike(code, value) for code in known}
        code = max(sorted(known), key=lambda one: (alike[one], len(one) == len(value)), default="")
        return code if code and alike[code] >= LENGTHS[0] else ""
    words = {word: code for code, name in known.items() for word in (code, name) if word}
    return words.get(nearest(value, list(words)), "")


def _begins_alike(one: str, other: str) -> int:
    """Number of characters that two texts have in common from their start."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _twice(stated: list[str], codes: list[str], known: dict[str, str], file: str) -> list[Fault]:
    faults = []
    for code, count in Counter(codes).items():
        if count > 1:
            rows = [value for value, own in zip(stated, codes, strict=True) if own == code]
            label = f"{code} {known[code]}".strip()
            zh = f"{count} 行是同一单元 {label}：{'、'.join(rows)}"
            en = f"{count} rows are of the same unit {label}: {', '.join(rows)}"
            faults.append(Fault("unit_twice", file, zh, en, "请每个单元只留一行。", "Keep one row a unit."))
    return faults
