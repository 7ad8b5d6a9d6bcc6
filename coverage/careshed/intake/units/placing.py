"""Say in which unit each place lies, and compare it with the unit that a list declares."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.schema import TIERS, Fault


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


def candidate_units(candidates: GeoDataFrame, units: GeoDataFrame) -> tuple[list[str], list[Fault]]:
    """Decide the unit of each candidate: the declared one where it is valid, else the one it lies in.

    A declared unit that holds the finer one the site lies in gives way to the finer one; a declared unit elsewhere is kept
    and noted.
    """
    parents = dict(zip(units.index.astype(str), units["parent"].astype(str), strict=True))
    inside = finest_unit(candidates, units)
    chosen, faults = [], []
    for at, (declared, lies_in) in enumerate(zip(candidates["unit"].astype(str), inside, strict=True)):
        if declared and declared not in parents:
            faults.append(
                _noted(
                    candidates, at, "unknown_unit", "声明的单元不在单元表中", "its declared unit is not among the units", declared
                )
            )
        elif (
            declared
            and lies_in
            and declared not in (lies_in, *above(lies_in, parents))
            and lies_in not in above(declared, parents)
        ):
            told = (
                f"声明的单元与所在单元（{lies_in}）不同，按声明计",
                f"lies in unit {lies_in}, not in its declared unit, which is kept",
            )
            faults.append(_noted(candidates, at, "unit_differs", *told, declared))
        finer = lies_in and declared in above(lies_in, parents)
        chosen.append(lies_in if finer or declared not in parents else declared)
    return chosen, faults


def declared_unknown(facilities: GeoDataFrame, units: GeoDataFrame) -> list[Fault]:
    """Note facilities whose declared unit is not among the units."""
    known = set(units.index.astype(str))
    return [
        _noted(facilities, at, "unknown_unit", "声明的单元不在单元表中", "its declared unit is not among the units", code)
        for at, code in enumerate(facilities["unit"].astype(str))
        if code and code not in known
    ]


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


def _noted(table: GeoDataFrame, at: int, code: str, zh: str, en: str, found: str) -> Fault:
    row = table.iloc[at]
    return Fault(code, str(row["file"]), zh, en, row=str(row["row"]), found=found, severity="noted")
