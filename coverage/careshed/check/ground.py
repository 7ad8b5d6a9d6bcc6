"""Find places that do not lie where they say, units without people, people without units, and outlines that do not fit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Final

import numpy as np
import shapely

from careshed.check.case import Case, Words
from careshed.check.model import Finding, Fix, Weight
from careshed.intake.columns import nearest
from careshed.intake.units import outline_faults
from careshed.intake.units.placing import above, finest_unit
from careshed.policy.types import canonical_type, nearest_types
from careshed.schema import file_label

BORDER_M: Final = 30.0
"""A facility so near to its unit lies on the border street, which belongs to both sides."""

ELSEWHERE_M: Final = 1000.0
"""Farther off than this, unit or coordinates are plainly wrong."""

ON_IT_M: Final = 30.0
"""A candidate so near to a facility is in the same building."""


def declared_units(case: Case) -> list[Finding]:
    """Compare the unit that each facility declares with where it lies."""
    parents = parents_of(case)
    table = case.facilities[["file", "unit", "unit_told"]].astype(str)
    filled = {file for file, told in zip(table["file"], table["unit_told"], strict=True) if told}
    found: list[Finding] = []
    for at, (file, code, told) in enumerate(table.itertuples(index=False)):
        if not told:
            found += _blank(case, at) if file in filled and case.lies_in[at] else []
        elif code not in parents:
            found.append(_unknown(case, at, code))
        else:
            metres = _metres_outside(case, case.facilities.geometry.iloc[at], code, parents)
            found += [_outside(case, at, code, metres)] if metres > BORDER_M else []
    return found


def parents_of(case: Case) -> dict[str, str]:
    """Give the parent of each unit."""
    units = case.study.units
    return dict(zip(units.index.astype(str), units["parent"].astype(str), strict=True))


def _metres_outside(case: Case, place: shapely.Geometry, code: str, parents: dict[str, str]) -> float:
    """Measure how far a place lies from its unit, or the nearest unit above it that has an outline; 0 inside or unknown."""
    units = case.study.units
    shapes = (units.geometry.loc[own] for own in (code, *above(code, parents)))
    drawn = next((shape for shape in shapes if shape is not None), None)
    return 0.0 if drawn is None else float(shapely.distance(place, drawn))


def candidate_units(case: Case) -> list[Finding]:
    """Compare the unit that each candidate site declares with where it lies."""
    sites, parents = case.study.candidate_table, parents_of(case)
    found = []
    for at, code in enumerate(sites["unit"].astype(str)):
        metres = _metres_outside(case, sites.geometry.iloc[at], code, parents) if code in parents else 0.0
        if metres > BORDER_M:
            row, file = sites.iloc[at], str(sites["file"].iloc[at])
            source = case.sources.get(file)
            there = finest_unit(sites.iloc[[at]], case.study.units)[0]
            place = (file, source.sheet if source else "", str(row["row"]), case.header(file, "unit"), case.unit_name(code))
            weight: Weight = "error" if metres > ELSEWHERE_M else "doubt"
            told = (*_told_outside(metres), *_where_it_lies(case, there))
            found.append(Finding("outside_unit", weight, *place, *told, case.unit_people.get(code, 0.0), "unit"))
    return found


def _blank(case: Case, at: int) -> list[Finding]:
    """Propose the unit a facility lies in; on a border street, which belongs to both sides, a person must choose."""
    row, code = case.facilities.iloc[at], case.lies_in[at]
    file = str(row["file"])
    header = case.header(file, "unit")
    inside = float(shapely.distance(shapely.boundary(case.study.units.geometry[code]), row.geometry))
    fix = None
    if header and inside > BORDER_M:
        fix = Fix("set", file, case.sources[file].sheet, str(row["row"]), (header,), ("",), (code,))
    told = ("未写所属单元", "its unit is left blank")
    name = case.unit_name(code)
    proposal = (f"按位置填写 {name}", f"Fill in {name}, where it lies")
    if inside <= BORDER_M:
        proposal = (
            f"位于 {name} 边界（{inside:.0f} 米），请核定",
            f"It lies {inside:.0f} m from the border of {name}: decide which side",
        )
    return [case.facility(at, "unit_blank", "note", told, proposal, column="unit", fix=fix)]


def _unknown(case: Case, at: int, code: str) -> Finding:
    near = case.lies_in[at] or nearest(code, [str(own) for own in case.study.units.index])
    told = ("所写单元不在单元表中", "its declared unit is not among the units")
    hint = (
        (f"是否应为 {case.unit_name(near)}？", f"Did you mean {case.unit_name(near)}?")
        if near
        else ("改正代码", "Correct the code")
    )
    return case.facility(at, "unknown_unit", "doubt", told, hint, column="unit", value=code)


def _outside(case: Case, at: int, code: str, metres: float) -> Finding:
    there = case.lies_in[at]
    told, proposal = _told_outside(metres), _where_it_lies(case, there)
    weight: Weight = "error" if metres > ELSEWHERE_M else "doubt"
    return case.facility(at, "outside_unit", weight, told, proposal, column="unit", value=case.unit_name(code))


def _told_outside(metres: float) -> Words:
    return f"在所写单元之外 {metres:,.0f} 米", f"lies {metres:,.0f} m outside its declared unit"


def _where_it_lies(case: Case, there: str) -> Words:
    name = case.unit_name(there)
    where = (f"实际位于 {name}；", f"It lies in {name}; ") if there else ("不在任何单元内；", "It lies in no unit; ")
    return f"{where[0]}改正单元代码或坐标", f"{where[1]}correct the unit's code or the coordinates"


def off_street(case: Case) -> list[Finding]:
    """Name facilities that no street comes near, with the distance of the nearest."""
    limit = f"{case.study.snap_m:.0f}"
    told = (
        f"{limit} 米内没有可通行的街道，视为无人可达",
        f"has no street that may be used within {limit} m: nobody reaches it",
    )
    proposal = ("核对坐标和基准（datum），或补画道路", "Check coordinates and datum, or draw the missing street")
    return [_unjoined(case, int(at), "off_street", told, proposal) for at in np.flatnonzero(case.off_street)]


def shut_in(case: Case) -> list[Finding]:
    """Name facilities, and count people by unit, that every way to a street leads across water, rails, motorways or walls."""
    limit = f"{case.study.snap_m:.0f}"
    told = (
        f"{limit} 米内的街道都隔着{_BARRIERS[0]}，视为无人可达",
        f"has {_BARRIERS[1]} before every street within {limit} m: nobody reaches it",
    )
    proposal = (f"核对坐标；{_OPEN_IT[0]}", f"Check the coordinates; {_OPEN_IT[1]}")
    found = [_unjoined(case, int(at), "shut_in", told, proposal) for at in np.flatnonzero(case.shut_in)]
    return found + _people_shut_in(case)


_BARRIERS: Final[Words] = ("水面、铁路、高速公路或围墙", "water, a railway, a motorway or walls")
_OPEN_IT: Final[Words] = (
    "补画大门（[[barriers.gates]]）或通到此处的道路",
    "draw the gate ([[barriers.gates]]) or the street that leads there",
)


def _unjoined(case: Case, at: int, kind: str, told: Words, proposal: Words) -> Finding:
    """Tell of a facility that joins no street; it concerns the residents of its unit."""
    unit = case.facilities["unit"].astype(str).iloc[at] or case.lies_in[at]
    people = case.unit_people.get(unit, 0.0)
    one = case.facility(at, kind, "error", told, proposal, column="lon", value=_lonlat(case, at), people=people)
    return replace(one, basis="unit")


def _people_shut_in(case: Case) -> list[Finding]:
    """Count the people who are shut in, a finding a unit, so that the most come first."""
    cells = case.study.cells
    people = cells[case.group].to_numpy(dtype=float)
    units = cells["unit"].astype(str).to_numpy()
    file = file_label(case.study.config.streets.file)
    regardless = case.study.config.barriers.behind == "nearest"
    then = (
        ("按研究文件仍接入最近的街道", "they join the nearest street regardless, as the study says")
        if regardless
        else ("无法判断是否可达", "whether they reach anything cannot be judged")
    )
    here = case.shut_cells & (people > 0)
    found = []
    for unit in np.unique(units[here]).tolist():
        mine = here & (units == unit)
        told = (
            f"{int(mine.sum())} 个格网到每条街道都隔着{_BARRIERS[0]}，{then[0]}",
            f"{int(mine.sum())} cell(s) have {_BARRIERS[1]} before every street: {then[1]}",
        )
        proposal = (_OPEN_IT[0], _OPEN_IT[1].capitalize())
        name = case.unit_name(unit) if unit else ""
        found.append(
            Finding("people_shut_in", "note", file, "", "", "", name, *told, *proposal, float(people[mine].sum()), "place")
        )
    return found


def _lonlat(case: Case, at: int) -> str:
    point = case.facilities.geometry.iloc[[at]].to_crs("EPSG:4326").representative_point().iloc[0]
    return f"{point.x:.6f}, {point.y:.6f}"


def unknown_types(case: Case) -> list[Finding]:
    """Name the words for types that no rule knows, with the nearest known; one finding a word and file."""
    study = case.study
    extra = study.policy.types if study.policy is not None else {}
    used = {kind for service in study.services for kind in service.types}
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for at, (word, file) in enumerate(zip(case.facilities["type"].astype(str), case.facilities["file"].astype(str), strict=True)):
        if canonical_type(word, extra) is None:
            groups[(file, word)].append(at)
    found = []
    for (_, word), members in groups.items():
        near = "、".join(nearest_types(word))
        told = (f"规划目录中没有该类型（{len(members)} 处）", f"is a type that no plan knows ({len(members)} facilities)")
        proposal = (
            f"在 [policy.types] 中对应到已知类型{'，如 ' + near if near else ''}",
            f"Map it to a known type in [policy.types]{', such as ' + near if near else ''}",
        )
        people = float(sum(case.people[at] for at in members))
        weight: Weight = "note" if word in used else "doubt"
        rows = ", ".join(str(case.facilities["row"].iloc[at]) for at in members[:12]) + (" …" if len(members) > 12 else "")
        one = case.facility(members[0], "unknown_type", weight, told, proposal, column="type", value=word, people=people)
        found.append(replace(one, row=rows))
    return found


def candidates_on_existing(case: Case) -> list[Finding]:
    """Name candidate sites where a facility of a service they are meant for operates already."""
    study, sites = case.study, case.study.candidate_table
    found: dict[str, Finding] = {}
    for service in study.services:
        own, wanted = study.facilities(service.id), study.candidates(service.id)
        if own.empty or wanted.empty:
            continue
        site, facility = shapely.STRtree(np.asarray(own.geometry.array, dtype=object)).query(
            np.asarray(wanted.geometry.array, dtype=object), predicate="dwithin", distance=ON_IT_M
        )
        for a, b in zip(site.tolist(), facility.tolist(), strict=True):
            row, code = sites.loc[wanted.index[a]], str(own.index[b])
            if row.get("facility") == code:
                continue  # an upgrade of the facility itself
            at = case.facilities.index.get_loc(code)
            told = (
                f"与已有设施“{own['name'].iloc[b]}”（{service.name('zh')}）相距不足 {ON_IT_M:.0f} 米",
                f"is within {ON_IT_M:.0f} m of {own['name'].iloc[b]!r}, which gives {service.name('en')} already",
            )
            proposal = ("如为扩建请说明，否则删去该候选", "Say so if it is an extension, else take the site out")
            source = case.sources.get(str(row["file"]))
            sheet, header = (source.sheet, source.headers.get("name", "")) if source else ("", "")
            place = (str(row["file"]), sheet, str(row["row"]), header, str(row["name"]))
            found.setdefault(
                str(wanted.index[a]),
                Finding("on_existing", "doubt", *place, *told, *proposal, float(case.people[at]), case.basis[at]),
            )
    return list(found.values())


def empty_units(case: Case) -> list[Finding]:
    """Name units with an outline in which nobody lives."""
    units = case.study.units
    told = ("单元内没有人口", "nobody lives in it")
    proposal = ("核对边界与人口数据是否覆盖该单元", "Check whether outline and population data cover it")
    return [
        Finding(
            "empty_unit", "doubt", *case.unit_place(code), case.unit_name(code), *told, *proposal,
        )
        for code, shape in zip(units.index.astype(str), units.geometry.array, strict=True)
        if shape is not None and case.unit_people[code] <= 0
    ]  # fmt: skip


def lost_people(case: Case) -> list[Finding]:
    """Count the people who live in no unit, and those near no street."""
    cells, units = case.study.cells, case.study.units
    people = cells[case.group].to_numpy(dtype=float)
    all_people = float(people.sum()) or 1.0
    found = []
    outside = (cells["unit"].astype(str) == "").to_numpy()
    if not units.geometry.isna().all() and people[outside].sum() > 0:
        count = float(people[outside].sum())
        share = f"{count / all_people:.1%}"
        told = (
            f"{int(outside.sum())} 个格网不在任何单元内（占 {share}）",
            f"{int(outside.sum())} cells lie in no unit ({share} of all people)",
        )
        proposal = ("核对单元边界是否覆盖全部居民", "Check whether the units cover everybody")
        file = file_label(case.study.config.units.files[0].file)
        found.append(Finding("people_outside", "doubt", file, "", "", "", f"{count:,.0f}", *told, *proposal, count, "place"))
    far = case.lost_cells == "far"
    if people[far].sum() > 0:
        count = float(people[far].sum())
        share, limit = f"{count / all_people:.1%}", f"{case.study.snap_m:.0f}"
        told = (
            f"{int(far.sum())} 个格网 {limit} 米内没有街道（占 {share}）",
            f"{int(far.sum())} cells have no street within {limit} m ({share} of all people)",
        )
        proposal = ("核对道路是否完整", "Check whether streets are missing")
        file = file_label(case.study.config.streets.file)
        found.append(Finding("people_off_street", "note", file, "", "", "", f"{count:,.0f}", *told, *proposal, count, "place"))
    return found


def outlines(case: Case) -> list[Finding]:
    """Tell where the outlines of units overlap, leave gaps or reach beyond their parent."""
    found = []
    for one in outline_faults(case.study.units, case.study.cells, group=case.group):
        fault = one.fault(case.unit_place(one.units[0] if one.units else "")[0])
        weight: Weight = "doubt" if one.people > 0 else "note"
        place = (*case.unit_place(fault.found), case.unit_name(fault.found))
        told = (fault.zh, fault.en, fault.cure_zh, fault.cure_en)
        found.append(Finding("outline", weight, *place, *told, one.people, "place" if one.people else ""))
    return found
