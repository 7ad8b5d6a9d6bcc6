"""Find facilities that are listed twice: same name and place, same place under two names, same name at two places."""

from __future__ import annotations

from collections import defaultdict
from difflib import SequenceMatcher
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from careshed.check.case import Case
from careshed.check.model import Finding, Fix
from careshed.intake.columns import plain

Rows = NDArray[np.int64]

SAME_PLACE_M: Final = 50.0
"""Two entries of one facility lie within so many metres: a map's pin is put at the gate or in the middle of the yard."""

SAME_SPOT_M: Final = 5.0
"""Within so many metres two facilities of one type share the very spot, whatever they are called."""

ALIKE: Final = 0.8
"""Share of common characters from which two names are taken for spellings of one (difflib's ratio)."""

_COUNTING: Final = frozenset("0123456789一二三四五六七八九十东西南北前后中上下新老旧")
"""Characters that tell sister facilities apart: 第一幼儿园 is not 第二幼儿园, 城东站 not 城西站."""

_AGREE: Final = ("name", "type", "status", "operator", "places", "area_m2", "opened", "closed", "functions", "unit")


def alike(first: str, second: str) -> bool:
    """Tell whether two names are likely spellings of one.

    >>> alike("青松社区养老服务站", "青松养老服务站"), alike("城东幼儿园", "城西幼儿园"), alike("青松站", "白杨站")
    (True, False, False)
    """
    match = SequenceMatcher(None, first, second, autojunk=False)
    changed = [first[a:b] + second[c:d] for how, a, b, c, d in match.get_opcodes() if how != "equal"]
    if changed and set("".join(changed)) <= _COUNTING:
        return False
    return match.ratio() >= ALIKE


def duplicates(case: Case) -> list[Finding]:
    """Compare facilities of one type with each other; what has closed is passed over."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for at, (kind, status) in enumerate(zip(case.types, case.facilities["status"].astype(str), strict=True)):
        if status != "closed":
            groups[kind].append(at)
    return [found for members in groups.values() for found in _within(case, np.array(members))]


def _within(case: Case, members: Rows) -> list[Finding]:
    table = case.facilities
    points = shapely.get_geometry(np.asarray(table.geometry.array, dtype=object)[members], 0)
    names = [plain(name) for name in table["name"].iloc[members]]
    one, two = shapely.STRtree(points).query(points, predicate="dwithin", distance=SAME_PLACE_M)
    found = []
    for a, b in sorted(zip(one.tolist(), two.tolist(), strict=True)):
        if a < b:
            metres = float(shapely.distance(points[a], points[b]))
            found += _pair(case, int(members[a]), int(members[b]), names[a], names[b], metres)
    return found + _far_namesakes(case, members, points, names)


def _pair(case: Case, first: int, second: int, own: str, other: str, metres: float) -> list[Finding]:
    """Judge two facilities of one type that lie close together; the later row is the one told."""
    name, there = str(case.facilities["name"].iloc[second]), _where(case, first)
    both = _both(case, first, second)
    if own == other:
        fix = _deletion(case, first, second)
        told = (f"与{there[0]}同名、同类型、相距 {metres:.0f} 米", f"has name and type of {there[1]}, {metres:.0f} m away")
        proposal = ("删去其中一行", "Delete one of the two rows")
        return [case.facility(second, "duplicate", "error", told, proposal, column="name", value=name, people=both, fix=fix)]
    if metres > SAME_SPOT_M and not alike(own, other):
        return []
    label = str(case.facilities["name"].iloc[first])
    told = (f"与{there[0]}“{label}”同类型、相距 {metres:.0f} 米", f"is of the type of {there[1]}, {label!r}, {metres:.0f} m away")
    proposal = ("核对是否同一机构；是则合并，否则改正坐标", "Check whether they are one; merge them, or correct the coordinates")
    return [case.facility(second, "same_place", "doubt", told, proposal, column="name", value=name, people=both)]


def _far_namesakes(case: Case, members: Rows, points: NDArray[np.object_], names: list[str]) -> list[Finding]:
    first: dict[str, int] = {}
    found = []
    for at, name in enumerate(names):
        other = first.setdefault(name, at)
        metres = float(shapely.distance(points[at], points[other]))
        if metres <= SAME_PLACE_M:
            continue
        here, there = int(members[at]), _where(case, int(members[other]))
        told = (f"与{there[0]}同名、同类型，相距 {metres:,.0f} 米", f"has name and type of {there[1]}, {metres:,.0f} m away")
        proposal = ("核对名称和坐标，或加以区分", "Check name and coordinates, or tell the two apart by name")
        both = _both(case, here, int(members[other]))
        value = str(case.facilities["name"].iloc[here])
        found.append(case.facility(here, "same_name", "doubt", told, proposal, column="name", value=value, people=both))
    return found


def _both(case: Case, first: int, second: int) -> float:
    """Count the people of two facilities: added up where each has its own, the larger where they may be the same people."""
    own, other = float(case.people[first]), float(case.people[second])
    return own + other if case.basis[first] == case.basis[second] == "nearest" else max(own, other)


def _where(case: Case, at: int) -> tuple[str, str]:
    row = case.facilities.iloc[at]
    return f" {row['file']} 第 {row['row']} 行", f"{row['file']}, row {row['row']}"


def _deletion(case: Case, first: int, second: int) -> Fix | None:
    """Offer to delete the later row where nothing but the id differs."""
    one, two = case.facilities.iloc[first], case.facilities.iloc[second]
    same = all(one[name] == two[name] or (one[name] != one[name] and two[name] != two[name]) for name in _AGREE)
    file = str(two["file"])
    if not same or not one.geometry.equals(two.geometry) or file not in case.sources:
        return None
    header = case.header(file, "id") or case.header(file, "name")
    value = str(case.facilities.index[second]) if case.header(file, "id") else str(two["name"])
    return Fix("delete_row", file, case.sources[file].sheet, str(two["row"]), (header,), (value,), ("",))
