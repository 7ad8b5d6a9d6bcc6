"""Say in which unit each place lies, and compare it with the unit that a list declares."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.intake.columns import plain
from careshed.intake.units.codes import significant
from careshed.schema import TIERS, Checked, Fault


def finest_unit(places: GeoDataFrame, units: GeoDataFrame) -> list[str]:
    """Give the code of the finest unit that holds each place, "" where none does.

    The finest is the highest tier of `careshed.schema.TIERS`; of several such units (a place on a common border) it is the
    lowest code. A place with several entrances counts by its first.
    """
    points = shapely.get_geometry(np.asarray(places.geometry.array, dtype=object), 0)
    areas = np.asarray(units.geometry.array, dtype=object)
    codes = units.index.to_numpy(dtype=object)
    order = sorted(range(len(units)), key=lambda at: (-TIERS[str(units["level"].iloc[at])], str(codes[at])))
    rank = np.empty(len(units), dtype=np.int64)
    rank[order] = np.arange(len(units))
    best = np.full(len(points), len(units), dtype=np.int64)
    unit, place = shapely.STRtree(points).query(areas, predicate="intersects")
    np.minimum.at(best, place, rank[unit])
    ranked: list[str] = [*(str(codes[at]) for at in order), ""]
    return [ranked[at] for at in best]


def above(code: str, parents: Mapping[str, str]) -> list[str]:
    """List the units above a unit, the nearest first.

    >>> above("b", {"b": "a", "a": ""})
    ['a']
    """
    chain: list[str] = []
    while parents.get(code) and parents[code] not in chain:
        code = parents[code]
        chain.append(code)
    return chain


def named_units(places: GeoDataFrame, units: GeoDataFrame) -> tuple[list[str], list[Fault]]:
    """Give the code of the unit that each place declares: by code, or by a name that one unit of the study alone bears.

    Codes padded with zeros are those of the same unit without. What no unit answers to comes back as it was declared, and is
    told, as is how many units are taken by name, file by file.

    Returns
    -------
    tuple
        The declared unit of each place ("" where it declares none), and what is told.
    """
    codes = [str(code) for code in units.index]
    by_code = {**{significant(code): code for code in reversed(codes)}, **{code: code for code in codes}}
    named: defaultdict[str, list[str]] = defaultdict(list)
    for code, name in zip(codes, units["name"].astype(str), strict=True):
        named[plain(name)].append(code)
    found, faults, taken = [], list[Fault](), Counter[str]()
    for at, declared in enumerate(places["unit"].astype(str)):
        same = named.get(plain(declared), [])
        code = by_code.get(declared) or by_code.get(significant(declared)) or (same[0] if len(same) == 1 else "")
        if declared and not code:
            faults.append(_unknown(places, at, declared, same))
        taken[str(places["file"].iloc[at])] += bool(code and code in same and plain(declared) != plain(code))
        found.append(code or declared)
    for file, count in sorted(taken.items()):
        zh, en = (
            f"{count} 行的所属单元写的是名称，已按名称对应到代码",
            f"{count} row(s) name their unit; the name is taken for its code",
        )
        faults += [Fault("unit_by_name", file, zh, en, severity="repaired")] if count else []
    return found, faults


def _unknown(places: GeoDataFrame, at: int, declared: str, same: Sequence[str]) -> Fault:
    """Say that no unit answers to what a place declares, or that several do."""
    if same:
        listed = ", ".join(same[:5])
        told = (
            f"有 {len(same)} 个单元叫此名，无法判断是哪一个",
            f"{len(same)} units bear this name: which is meant is not known",
        )
        return _noted(places, at, "unknown_unit", *told, declared, (f"请写代码：{listed}。", f"Write the code: {listed}."))
    cure = (
        "请写单元表中的代码或名称；留空则按位置确定。",
        "Write a code or name of the list of units; left blank, the unit is the one it lies in.",
    )
    return _noted(
        places, at, "unknown_unit", "声明的单元不在单元表中", "its declared unit is not among the units", declared, cure
    )


def candidate_units(candidates: GeoDataFrame, units: GeoDataFrame) -> tuple[list[str], list[Fault]]:
    """Decide the unit of each candidate: the declared one where it is valid, else the one it lies in.

    A declared unit that holds the finer one the site lies in gives way to the finer one; a declared unit elsewhere is kept
    and noted. Units are declared by code or name, see `named_units`.
    """
    parents = dict(zip(units.index.astype(str), units["parent"].astype(str), strict=True))
    inside = finest_unit(candidates, units)
    told_units, faults = named_units(candidates, units)
    chosen = []
    for at, (declared, lies_in) in enumerate(zip(told_units, inside, strict=True)):
        elsewhere = declared not in (lies_in, *above(lies_in, parents)) and lies_in not in above(declared, parents)
        if declared in parents and lies_in and elsewhere:
            told = (
                f"声明的单元与所在单元（{lies_in}）不同，按声明计",
                f"lies in unit {lies_in}, not in its declared unit, which is kept",
            )
            faults.append(_noted(candidates, at, "unit_differs", *told, declared))
        finer = lies_in and declared in above(lies_in, parents)
        chosen.append(lies_in if finer or declared not in parents else declared)
    return chosen, faults


def facility_units(facilities: GeoDataFrame, units: GeoDataFrame) -> Checked[GeoDataFrame]:
    """Give each facility its unit: the one its register declares, else the finest it lies in, told once a file.

    Returns
    -------
    Checked[GeoDataFrame]
        The facilities with ``unit`` filled, and ``unit_told``: what the register says, "" where it says nothing. A unit that is
        declared and not among the units stays as it is, and is told.
    """
    declared, faults = named_units(facilities, units)
    lies_in = finest_unit(facilities, units)
    given = Counter[tuple[str, bool]]()
    for file, own, there in zip(facilities["file"].astype(str), declared, lies_in, strict=True):
        given[file, bool(there)] += not own
    for (file, found), count in sorted(given.items()):
        if count:
            faults.append(_by_place(file, count) if found else _in_none(file, count))
    unit = [own or there for own, there in zip(declared, lies_in, strict=True)]
    told = facilities["unit"].astype("str")
    table = facilities.assign(unit=np.array(unit, dtype=object), unit_told=told).astype({"unit": "str"})
    return Checked(table, tuple(faults))


def _by_place(file: str, count: int) -> Fault:
    told = (
        f"{count} 个设施未写所属单元，按位置确定（所在的最小单元）",
        f"the unit of {count} facilities that declare none is the finest they lie in",
    )
    return Fault("unit_by_place", file, *told, severity="noted")


def _in_none(file: str, count: int) -> Fault:
    told = (
        f"{count} 个设施未写所属单元，也不在任何单元内，不计入任何单元",
        f"{count} facilities declare no unit and lie in none: they count in no unit",
    )
    cure = ("请核对坐标，或填写所属单元。", "Check the coordinates, or fill in the unit.")
    return Fault("unit_nowhere", file, *told, *cure, severity="noted")


def outside_units(cells: GeoDataFrame, unit: NDArray[np.object_], group: str, file: str) -> list[Fault]:
    """Note the people who live in no unit, so that no unit's figures hold them."""
    outside = unit == ""
    if not outside.any():
        return []
    people = float(cells.loc[outside, group].sum())
    share = people / float(cells[group].sum() or 1.0)
    zh = f"{int(outside.sum())} 个单元格不在任何单元内，共 {people:,.0f} 人（{group}，占 {share:.1%}），计入总数而不计入任何单元"
    counted = f"{people:,.0f} people ({group}, {share:.1%})"
    en = f"{int(outside.sum())} cells lie in no unit: {counted}; they count in the total and in no unit"
    return [Fault("cells_without_unit", file, zh, en, severity="noted", people=people)]


def _noted(table: GeoDataFrame, at: int, code: str, zh: str, en: str, found: str, cure: tuple[str, str] = ("", "")) -> Fault:
    row = table.iloc[at]
    return Fault(code, str(row["file"]), zh, en, *cure, row=str(row["row"]), found=found, severity="noted")
