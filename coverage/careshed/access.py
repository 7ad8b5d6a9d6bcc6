"""Count who is covered, unit by unit, and find the gaps: people without a facility in reach, gathered where they live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from careshed.schema import TIERS, Fault

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

    from careshed.reach import TravelTimes

ALL: Final = "ALL"
"""Row of a coverage table that holds the whole study area."""

OUTSIDE: Final = "OUTSIDE"
"""Row of a coverage table that holds people in no unit."""

NEIGHBOURS: Final = 1.5
"""Cells are neighbours within this many cell spacings: the eight around a cell, and no farther."""

GROUND_M: Final = 100.0
"""Side of the square of ground, metres, that a point without a grid has at least: a street block's half, so that the two sides
of a block, and points along one street, make one gap and not hundreds."""

_EVEN: Final = 0.75
"""Cells stand on a grid if this share of them have their next cell at the same distance, to a hundredth."""


def coverage(
    times: TravelTimes,
    cells: GeoDataFrame,
    units: GeoDataFrame,
    *,
    minutes: float | None = None,
    metres: float | None = None,
    group: str = "total",
) -> pd.DataFrame:
    """Count the people of a group who reach any facility within a limit, for every unit and in all.

    Cells at exactly the limit count (≤). Cells that join no street cannot be judged: they stay in every denominator and have
    a column of their own, so that the true share lies between `share_low` and `share_high`.

    Returns
    -------
    pandas.DataFrame
        Index ``unit_id``, first ``ALL``, then every unit in the order given, last ``OUTSIDE`` if people live in no unit.
        Columns ``name``, ``level``, ``minutes`` or ``metres``, ``group``, ``people``, ``covered``, ``unjudged`` (people),
        ``share`` (covered of people), ``share_low`` (= `share`), ``share_high`` (covered and unjudged of people); shares are NaN
        where nobody lives.

    Raises
    ------
    ValueError
        If the cells are not those of the travel times, or have no column `group`.
    """
    import pandas as pd

    check_cells(times, cells, group)
    people = cells[group].to_numpy(dtype=float)
    reached = times.reached(minutes=minutes, metres=metres)
    counted = {"people": people, "covered": people * reached, "unjudged": people * (times.cell_fault != "")}
    rows, sums = unit_sums(np.column_stack(list(counted.values())), cells["unit"].to_numpy(), units)
    table = pd.DataFrame(sums, index=pd.Index(rows, name="unit_id"), columns=list(counted))
    labels = units[["name", "level"]].reindex(table.index).fillna("")
    limit = {"minutes": float(minutes)} if minutes is not None else {"metres": float(metres or 0)}
    with np.errstate(invalid="ignore", divide="ignore"):
        share = table["covered"] / table["people"]
        high = (table["covered"] + table["unjudged"]) / table["people"]
    return pd.DataFrame(labels).assign(**limit, group=group, **table, share=share, share_low=share, share_high=high)


def unit_sums(
    counted: NDArray[np.float64], unit: NDArray[np.object_], units: GeoDataFrame
) -> tuple[list[str], NDArray[np.float64]]:
    """Add up per-cell counts: in all, for every unit (a unit counts for its parents too), and for cells in no unit."""
    finest, inverse = np.unique(unit.astype(str), return_inverse=True)
    parts = np.zeros((len(finest), counted.shape[1]))
    np.add.at(parts, inverse, counted)
    position = {code: row for row, code in enumerate(units.index)}
    sums = np.zeros((len(units), counted.shape[1]))
    outside = np.zeros(counted.shape[1])
    for code, part in zip(finest, parts, strict=True):
        ancestors = lineage(str(code), units)
        outside += part if not ancestors else 0.0
        for ancestor in ancestors:
            sums[position[ancestor]] += part
    rows, blocks = [ALL, *units.index], [counted.sum(axis=0, keepdims=True), sums]
    if outside.any() or (finest == "").any():
        rows, blocks = [*rows, OUTSIDE], [*blocks, outside[None, :]]
    return rows, np.vstack(blocks)


def lineage(unit: str, units: GeoDataFrame) -> list[str]:
    """List a unit and its ancestors, the finest first; empty for a code that is no unit."""
    found: list[str] = []
    parent = units["parent"]
    while unit in parent.index and unit not in found:
        found.append(unit)
        unit = str(parent.at[unit])
    return found


def coverage_table(
    times: TravelTimes, cells: GeoDataFrame, units: GeoDataFrame, *, minutes: Sequence[float], groups: Sequence[str]
) -> pd.DataFrame:
    """Stack the coverage of several groups and limits, one block after the other."""
    import pandas as pd

    blocks = [coverage(times, cells, units, minutes=limit, group=group) for group in groups for limit in minutes]
    return pd.concat(blocks)


def presence(facilities: GeoDataFrame, units: GeoDataFrame, *, levels: Sequence[str] = ("street", "township")) -> pd.DataFrame:
    """Tell which units have a facility of their own: the other meaning of "covered" in the plans.

    Returns
    -------
    pandas.DataFrame
        Index ``unit_id``, the units of `levels` in order; columns ``name``, ``level``, ``facilities`` (number inside),
        ``has_one``.
    """
    import pandas as pd

    asked = units[units["level"].isin(levels)]
    counts = pd.Series(0, index=units.index)
    for unit in facilities["unit"]:
        for ancestor in lineage(str(unit), units):
            counts[ancestor] += 1
    number = counts.reindex(asked.index)
    return pd.DataFrame({"name": asked["name"], "level": asked["level"], "facilities": number, "has_one": number > 0})


def find_gaps(
    times: TravelTimes,
    cells: GeoDataFrame,
    *,
    minutes: float | None = None,
    metres: float | None = None,
    group: str = "total",
    units: GeoDataFrame | None = None,
) -> GeoDataFrame:
    """Find where people live without a facility in reach: contiguous clusters of cells, the one with most people first.

    A cell is unserved if its nearest facility is beyond the limit, cannot be reached, or the cell joins no street. Cells of a
    grid are neighbours if their centres lie within one and a half cell spacings. Points without a grid (people refined to
    streets or homes) each have a square of ground, `GROUND_M` wide or one and a half times the usual distance to the next point
    if that is more; points whose squares meet belong to one gap, so that gaps are areas and not single house numbers.

    Returns
    -------
    GeoDataFrame
        Index ``gap_id`` from 1; columns ``people`` (of the group), ``cells``, ``unit`` and ``unit_name`` (where most of the
        people live), ``units_count`` (finest units with people in it), ``units_levels`` (their levels, with blanks between),
        ``minutes_nearest`` or ``metres_nearest`` (mean over the people who can reach any, NaN if none can),
        ``nearest_facility`` (id, of most of the people), ``nearest_name``, ``unjudged`` (people who join no street); geometry
        the union of the cells' squares.

    Raises
    ------
    ValueError
        If the cells are not those of the travel times, or have no column `group`.
    """
    check_cells(times, cells, group)
    people = cells[group].to_numpy(dtype=float)
    centres = np.column_stack([cells.geometry.x, cells.geometry.y])
    unserved = np.flatnonzero(~times.reached(minutes=minutes, metres=metres) & (people > 0))
    spacing, gridded = cell_spacing(cells), _on_grid(cells)
    side = spacing if gridded else max(GROUND_M, spacing * NEIGHBOURS)
    label = _clusters(centres[unserved], spacing * NEIGHBOURS if gridded else side, squares=not gridded)
    name = "minutes_nearest" if times.metric == "time" else "metres_nearest"
    per = 60_000.0 if times.metric == "time" else 1000.0
    rows = [
        _gap(times, cells, unserved[label == cluster], group, units, name, per)
        | {"geometry": _squares(centres[unserved[label == cluster]], side / 2)}
        for cluster in range(int(label.max(initial=-1)) + 1)
    ]
    return _ranked(rows, name, cells)


def _ranked(rows: list[dict[str, object]], name: str, cells: GeoDataFrame) -> GeoDataFrame:
    import geopandas as gpd
    import pandas as pd

    columns = [
        "people",
        "cells",
        "unit",
        "unit_name",
        "units_count",
        "units_levels",
        name,
        "nearest_facility",
        "nearest_name",
        "unjudged",
        "first_cell",
        "geometry",
    ]
    table = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=cells.crs)
    table = table.sort_values(["people", "first_cell"], ascending=[False, True], kind="stable").drop(columns="first_cell")
    table.index = pd.RangeIndex(1, len(table) + 1, name="gap_id")
    return table


def _gap(
    times: TravelTimes,
    cells: GeoDataFrame,
    at: NDArray[np.int64],
    group: str,
    units: GeoDataFrame | None,
    name: str,
    per: float,
) -> dict[str, object]:
    people = cells[group].to_numpy(dtype=float)[at]
    cost, facility = times.nearest_cost[at], times.nearest_facility[at]
    known = cost >= 0
    lived = cells["unit"].to_numpy()[at]
    unit, spanned = _most(lived, people), {str(code) for code in lived} - {""}
    levels = {str(units.at[code, "level"]) for code in spanned if code in units.index} if units is not None else set()
    nearest = int(_most(facility[known], people[known])) if known.any() else -1
    names = times.facilities["name"] if "name" in times.facilities else times.facilities.index.to_series()
    return {
        "people": float(people.sum()),
        "cells": len(at),
        "unit": unit,
        "unit_name": str(units.at[unit, "name"]) if units is not None and unit in units.index else "",
        "units_count": len(spanned),
        "units_levels": " ".join(level for level in TIERS if level in levels),
        name: float(np.average(cost[known] / per, weights=people[known])) if known.any() else np.nan,
        "nearest_facility": str(times.facilities.index[nearest]) if nearest >= 0 else "",
        "nearest_name": str(names.iloc[nearest]) if nearest >= 0 else "",
        "unjudged": float(people[times.cell_fault[at] != ""].sum()),
        "first_cell": int(at.min()),
    }


def _squares(xy: NDArray[np.float64], half: float) -> BaseGeometry:
    """Unite the squares around cell centres, corners rounded to the centimetre so that neighbours share them.

    Points along streets stand on no lattice: their squares overlap, which the quick union of a coverage refuses.
    """
    import shapely

    squares = shapely.box(*np.round(np.hstack([xy - half, xy + half]), 2).T)
    try:
        united = shapely.coverage_union_all(squares)
    except shapely.GEOSException:
        return shapely.union_all(squares)
    return united if united.is_valid else shapely.union_all(squares)


def _most(values: NDArray[np.generic], people: NDArray[np.float64]) -> str:
    """The value that stands for most people; of equals the smallest."""
    kinds, inverse = np.unique(values, return_inverse=True)
    return str(kinds[np.argmax(np.bincount(inverse, weights=people))])


def cell_spacing(cells: GeoDataFrame) -> float:
    """Distance between neighbouring cells, metres: the median distance to the next cell; 100 m for a single cell."""
    return 100.0 if len(cells) < 2 else float(np.median(_to_next(cells)))


def _to_next(cells: GeoDataFrame) -> NDArray[np.float64]:
    """Measure how far the next cell is from each."""
    from scipy.spatial import cKDTree

    xy = np.column_stack([cells.geometry.x, cells.geometry.y])
    return np.asarray(cKDTree(xy).query(xy, k=2)[0])[:, 1]


def _on_grid(cells: GeoDataFrame) -> bool:
    """Say whether cells are those of a grid: they name their row and column, or lie evenly."""
    if {"row", "col"} <= set(cells.columns) or len(cells) < 2:
        return True
    apart = _to_next(cells)
    return bool(np.mean(np.abs(apart - np.median(apart)) <= 0.01 * np.median(apart)) >= _EVEN)


def _clusters(xy: NDArray[np.float64], within: float, *, squares: bool = False) -> NDArray[np.int32]:
    """Number the connected clusters of points that lie within a distance of one another.

    Parameters
    ----------
    squares
        Whether `within` is the side of a square around each point, and points belong together whose squares meet.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    if not len(xy):
        return np.empty(0, dtype=np.int32)
    pairs = cKDTree(xy).query_pairs(within, p=np.inf if squares else 2.0, output_type="ndarray")
    joined = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(len(xy), len(xy)))
    return np.asarray(connected_components(joined.tocsr(), directed=False)[1], dtype=np.int32)


def check_cells(times: TravelTimes, cells: GeoDataFrame, group: str) -> None:
    """Refuse cells that are not those the travel times were computed for, or lack the group."""
    if not times.cell_ids.equals(cells.index):
        raise ValueError(
            f"the travel times are for {len(times.cell_ids)} other cells than the {len(cells)} given; compute them again"
        )
    if group not in cells:
        known = ", ".join(column for column in cells.columns if column not in ("geometry", "unit", "row", "col"))
        raise ValueError(f"no people of group {group!r} in the cells; there are: {known}")


def tier_units(units: GeoDataFrame, tier: int) -> GeoDataFrame:
    """Pick the units of a tier, such as 2 for streets and townships."""
    return units[units["level"].map(TIERS) == tier]


def unattached_facilities(times: TravelTimes) -> list[Fault]:
    """Tell which facilities or candidates join no street, so that nobody reaches them."""
    found = []
    named = "name" in times.facilities
    for row in np.flatnonzero(times.facility_fault != ""):
        facility = times.facilities.iloc[row]
        name = str(facility["name"]) if named else str(times.facilities.index[row])
        zh = f"“{name}”{times.snap_m:.0f} 米内没有可通行的街道，视为无人可达"
        en = f"{name!r} has no street that may be used within {times.snap_m:.0f} m, so nobody reaches it"
        if times.facility_fault[row] == "barrier":
            zh = f"“{name}”四周被水面、铁路、高速公路或围墙阻隔，视为无人可达"
            en = f"{name!r} is shut in by water, a railway, a motorway or walls, so nobody reaches it"
        cure = ("请核对坐标和坐标系（WGS-84、GCJ-02）", "check its coordinates and datum (WGS-84, GCJ-02)")
        file, line = str(facility.get("file", "")), str(facility.get("row", ""))
        found.append(Fault("facility_far", file, zh, en, *cure, row=line, severity="noted"))
    return found


def unattached_people(times: TravelTimes, cells: GeoDataFrame, group: str) -> list[Fault]:
    """Tell how many people cannot be judged, and why."""
    found = []
    people = cells[group].to_numpy(dtype=float)
    for fault, (zh, en) in CELL_FAULTS.items():
        at = (times.cell_fault == fault) & (people > 0)
        if at.any():
            where = {"snap": f"{times.snap_m:.0f}", "cells": int(at.sum())}
            count = float(people[at].sum())
            found.append(
                Fault(f"cell_{fault}", "", zh.format(**where), en.format(**where), severity="noted", people=count, found=group)
            )
    return found


CELL_FAULTS: Final[dict[str, tuple[str, str]]] = {
    "far": (
        "{cells} 个人口格网 {snap} 米内没有可通行的街道，无法判断是否可达",
        "{cells} population cells have no street that may be used within {snap} m; whether they reach anything cannot be judged",
    ),
    "barrier": (
        "{cells} 个人口格网四周被水面、铁路、高速公路或围墙阻隔，未接入任何街道，无法判断",
        "{cells} population cells are shut in by water, a railway, a motorway or walls and join no street; they cannot be judged",
    ),
    "islet": (
        "{cells} 个人口格网位于孤立路网上，该路网既不通主路网也没有本类设施，无法判断",
        "{cells} population cells are on islets of streets that join neither the main network nor a facility of this service; "
        "they cannot be judged",
    ),
}
"""Why cells cannot be judged -> (Chinese, English)."""
