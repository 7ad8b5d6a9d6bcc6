"""Join what several files say of one unit: every field is the first that any of them states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from careshed.intake.units.codes import significant
from careshed.intake.units.listing import Listing
from careshed.schema import Fault

_FIELDS: Final = ("name", "level", "parent", "setting")

_TOLD: Final = {
    "name": ("名称", "name"),
    "level": ("级别", "level"),
    "parent": ("上级", "parent"),
    "setting": ("城乡", "setting"),
    "outline": ("边界", "outline"),
}
"""Field -> (Chinese, English), as faults name it."""


def listed_once(units: Listing, drawn: Sequence[NDArray[np.object_]], faults: list[Fault]) -> Listing:
    """Keep a unit's first row of several files, filled up from later ones; another name for the same code is an error.

    Parameters
    ----------
    drawn
        Outlines of each file's records, None where it draws none.
    """
    first: dict[str, int] = {}
    keep = []
    joint = replace(units, name=[*units.name], level=[*units.level], parent=[*units.parent], setting=[*units.setting])
    outline = list(units.outline)
    for unit, code in enumerate(units.code):
        other = first.setdefault(significant(code), unit)
        if not code or other == unit or units.at[other][0] == units.at[unit][0]:
            keep.append(unit)
        elif not _same_name(joint, other, unit):
            faults.append(_other_name(joint, other, unit))
        else:
            taken = [field for field in _FIELDS if _taken(getattr(joint, field), other, unit, joint.code)]
            if shapely.is_missing(_shape(drawn, outline[other])) and not shapely.is_missing(_shape(drawn, units.at[unit])):
                outline[other] = units.at[unit]
                taken.append("outline")
            faults.append(_listed_again(joint, other, unit, taken))
    return replace(joint, outline=tuple(outline)).kept(keep)


def _shape(drawn: Sequence[NDArray[np.object_]], at: tuple[int, int]) -> object:
    return drawn[at[0]][at[1]]


def _same_name(units: Listing, other: int, unit: int) -> bool:
    """Tell whether two rows name one unit; a row without a name, whose code stands in, agrees with any."""
    names = {units.name[row] for row in (other, unit) if units.name[row] != units.code[row]}
    return len(names) < 2


def _taken(column: list[str], other: int, unit: int, code: Sequence[str]) -> bool:
    """Fill a blank of the first row from the later one, a code being no name; says whether there was anything to take."""
    if column[other] not in ("", code[other]) or column[unit] in ("", code[unit]):
        return False
    column[other] = column[unit]
    return True


def _other_name(units: Listing, other: int, unit: int) -> Fault:
    source, found = units.tables[units.at[other][0]].file, f"{units.code[unit]} {units.name[unit]}"
    told = (f"该代码在 {source} 中属于“{units.name[other]}”", f"the code belongs to {units.name[other]!r} in {source}")
    return units.fault(unit, "duplicate_id", told, ("请改正其中一处。", "Correct one of the two."), column="id", found=found)


def _listed_again(units: Listing, other: int, unit: int, taken: Sequence[str]) -> Fault:
    """Say that a row is one more of a unit known already, and what of it is used."""
    source = units.tables[units.at[other][0]].file
    zh, en = f"已列于 {source}，只计一次", f"is listed in {source} already and counts once"
    if not taken:
        return units.fault(unit, "listed_again", (zh, en), column="id", found=units.code[unit], severity="dropped")
    zh += f"；由此取用{'、'.join(_TOLD[field][0] for field in taken)}"
    en += f"; taken from here: {', '.join(_TOLD[field][1] for field in taken)}"
    return units.fault(unit, "listed_again", (zh, en), column="id", found=units.code[unit], severity="noted")
