"""Weigh demand by who needs care most, from counts by unit; never from lists of persons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.demand.ages import People
from careshed.demand.fitting import margin_table
from careshed.demand.ledger import Ledger, groups_in, nested_noted, sums_by, unit_rows
from careshed.demand.refusing import refuse
from careshed.schema import Fault, InputError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def add_priority_groups(
    cells: GeoDataFrame,
    counts: pd.DataFrame,
    *,
    by: Mapping[str, str],
    units: GeoDataFrame | None = None,
    file: str = "",
) -> People:
    """Bring counts of priority groups by unit (disabled, living alone, of low income) to the cells, like a group they belong to.

    Parameters
    ----------
    counts
        People by unit (index: code) and priority group (columns).
    by
        Priority group -> group of the cells whose pattern it follows, such as ``disabled`` -> ``p60``.
    units
        The units with their ``parent``, where counts are of larger units than those the cells name.

    Raises
    ------
    careshed.schema.InputError
        If a group is not there, or a unit has more people of a priority group than of the group they belong to (both numbers are
        told), or a priority group has the name of a group that is there.
    """
    _must_hold(cells, by.values())
    taken = [name for name in by if name in cells.columns]
    if taken:
        listed = ", ".join(taken)
        told = (f"人口数据中已有 {listed}", f"the cells hold {listed} already")
        raise refuse("group_taken", told, ("请为优先人群另取名称。", "Give the priority group another name."))
    codes = [str(code) for code in counts.index]
    rows = unit_rows(cells, codes, units)
    stated = margin_table(counts[list(by)])
    base = cells[list(by.values())].to_numpy(dtype=np.float64)
    there = sums_by(rows, base, len(codes))
    faults = []
    for at, column in np.argwhere(stated > there * (1 + 1e-9)).tolist():
        name, group = list(by.items())[column]
        both = f"{stated[at, column]:,.0f}", f"{there[at, column]:,.0f}"
        zh = f"单元 {codes[at]}：{name} {both[0]} 人，多于其所属 {group} 的 {both[1]} 人"
        en = f"unit {codes[at]}: {both[0]} people of {name}, more than the {both[1]} of {group} they belong to"
        cure = ("请核对单元代码和人数。", "Check the unit's code and the counts.")
        faults.append(Fault("priority_exceeds", file, zh, en, *cure, people=float(stated[at, column])))
    if faults:
        raise InputError(faults)
    share = np.divide(stated, there, out=np.zeros_like(stated), where=there > 0)
    made = np.where((rows >= 0)[:, None], base * share[rows], 0.0)
    result = cells.assign(**{name: made[:, at] for at, name in enumerate(by)})
    words = ("按所属人群分布优先人群", "priority groups spread like the group they belong to")
    told_too = nested_noted(codes, units, file) + _uncounted(base[rows < 0], list(by), list(by.values()), file)
    return People(result, Ledger().add(words, cells, result, keeps=groups_in(cells)), tuple(told_too))


def _uncounted(base: NDArray[np.float64], names: list[str], groups: list[str], file: str) -> list[Fault]:
    """Say where nothing is stated of a priority group, so that nobody of it is taken to live there."""
    faults = []
    for at, (name, group) in enumerate(zip(names, groups, strict=True)):
        people, cells = float(base[:, at].sum()), int((base[:, at] > 0).sum())
        if cells:
            zh = f"{cells} 个单元格（{group} {people:,.1f} 人）不在 {name} 表的任何单元内，其 {name} 按 0 计"
            en = f"{cells} cell(s) ({people:,.1f} people of {group}) lie in no unit of the table of {name}: taken as 0 there"
            faults.append(Fault("cells_without_count", file, zh, en, severity="noted", people=people))
    return faults


def _must_hold(cells: GeoDataFrame, groups: Iterable[str]) -> None:
    missing = [group for group in groups if group not in cells.columns]
    if missing:
        absent, held = ", ".join(missing), ", ".join(groups_in(cells))
        told = (f"人口数据中没有 {absent}；现有 {held}", f"the cells hold no {absent}; they hold {held}")
        raise refuse("unknown_group", told, ("请改用现有的人群，或补充数据。", "Use one of those, or add the data."))


def weigh_demand(cells: GeoDataFrame, weights: Mapping[str, float], *, name: str = "demand") -> GeoDataFrame:
    """Make one column of demand: people by group times weight; ``{"p60": 1, "disabled": 2}`` counts a disabled elder thrice.

    Demand at work is a second layer: see `careshed.supply.compare.combine_demand`.

    Raises
    ------
    careshed.schema.InputError
        If a group is not there.
    ValueError
        If a weight is negative, or `name` is a group of its own.

    >>> import geopandas as gpd
    >>> cells = gpd.GeoDataFrame({"p60": [10.0], "p80": [2.0]}, geometry=gpd.points_from_xy([0], [0]))
    >>> weigh_demand(cells, {"p60": 1, "p80": 0.5})["demand"].tolist()
    [11.0]
    """
    _must_hold(cells, weights)
    if not all(weight >= 0 for weight in weights.values()):
        raise ValueError("weights of groups must be 0 or more")
    if name in cells.columns:
        raise ValueError(f"the cells hold {name!r} already; choose another name")
    demand = sum((cells[group] * weight for group, weight in weights.items()), start=pd.Series(0.0, index=cells.index))
    return cells.assign(**{name: demand})
