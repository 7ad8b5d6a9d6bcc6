"""Take travel times that another program computed: a long table of origin, destination and time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from careshed.intake.sources import Words, as_text
from careshed.modes import WALK_ADULT, Mode
from careshed.reach.longtable import TOLD, LongTable, parted_header, read_long_table, row_fault
from careshed.reach.times import Direction, Metric, TravelTimes
from careshed.schema import Checked, Fault, InputError, Severity

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

ForeignUnit = Literal["minutes", "seconds", "metres"]
"""What a number of the table counts."""

PER: Final[dict[ForeignUnit, float]] = {"minutes": 60_000.0, "seconds": 1000.0, "metres": 1000.0}
"""Unit -> milliseconds or millimetres."""

UNITS_ZH: Final[dict[ForeignUnit, str]] = {"minutes": "分钟", "seconds": "秒", "metres": "米"}
"""Unit -> Chinese."""

TELLING: Final[tuple[tuple[str, frozenset[ForeignUnit]], ...]] = (
    ("millisecond 毫秒", frozenset()),
    ("second secs 秒", frozenset({"seconds"})),
    ("minute mins 分钟", frozenset({"minutes"})),
    ("hour 小时 kilomet 公里 千米", frozenset()),
    ("metre meter distance 米 距离", frozenset({"metres"})),
    ("time duration 时", frozenset({"minutes", "seconds"})),
)
"""Words in the header of a cost, the plainest first -> units that it may be in; none for units that are not read."""

SHORT: Final[dict[str, frozenset[ForeignUnit]]] = {
    **dict.fromkeys(("s", "sec", "secs"), frozenset({"seconds"})),
    **dict.fromkeys(("min", "mins", "分"), frozenset({"minutes"})),
    "m": frozenset({"metres"}),
    **dict.fromkeys(("h", "hr", "hrs", "时", "ms", "km"), frozenset()),
}
"""Units in the brackets or at the end of a header -> the same."""

MOSTLY_SECONDS: Final = 180.0
"""Minutes: where half of all times are longer and nothing names their unit, they are probably seconds."""

NO_WAY: Final = frozenset({"", "nan", "na", "null", "none", "inf"})
"""What other programs write for a pair without a way."""

ABSENT: Final = "table"
"""Why a cell cannot be judged (`TravelTimes.cell_fault`): the table has no row with it."""


def import_travel_times(
    path: str | Path,
    facilities: GeoDataFrame,
    cells: GeoDataFrame,
    *,
    columns: Mapping[str, str] | None = None,
    unit: ForeignUnit | None = None,
    limit: float | None = None,
    direction: Direction = "to_facility",
    mode: Mode = WALK_ADULT,
    sheet: str | None = None,
) -> Checked[TravelTimes]:
    """Take travel times from another program (r5, Valhalla, AMap, Baidu …) and use them like our own.

    The table has one row a pair: an origin, a destination and the cost of the journey. Which side the facilities are is seen
    from the ids; if the file says the other than `direction`, that is refused. A blank cost is a pair without a way.

    Parameters
    ----------
    path
        CSV, TSV, XLSX or Parquet.
    facilities, cells
        The places that the ids of the table belong to, by their index.
    columns
        ``origin``, ``destination``, ``cost`` -> header in the file, where the usual names are not used.
    unit
        What a cost counts: minutes or seconds of travel, metres of street. If None, the time that the header names (用时（秒）),
        minutes where it names none.
    limit
        Limit up to which the other program searched, in minutes (metres for ``unit="metres"``); costs beyond it are left out
        and told. The largest cost in the table if None.
    direction
        Whether people travel to the facility (cells are origins) or from it.
    mode
        How people travel, for what outputs say about it; the costs are taken as they are.

    Returns
    -------
    Checked[TravelTimes]
        A cell that is in no row cannot be judged (`ABSENT`); nobody reaches a facility that is in none. Pairs that are missing
        are beyond the limit. Of pairs given twice with one cost the second is dropped.

    Raises
    ------
    careshed.schema.InputError
        With every fault at once: ids that are none of ours, pairs with two costs, costs that are negative or no number, a header
        that names another unit than `unit`.

    Notes
    -----
    The nearest facility of a cell is the nearest in the table, beyond `limit` too: what the other program did not search, no one
    knows.

    >>> import tempfile, geopandas as gpd
    >>> homes = gpd.GeoDataFrame(index=["h1"], geometry=gpd.points_from_xy([0], [0]))
    >>> people = gpd.GeoDataFrame({"p60": [3.0, 4.0]}, index=[7, 8], geometry=gpd.points_from_xy([0, 1], [0, 1]))
    >>> file = Path(tempfile.mkdtemp()) / "times.csv"
    >>> _ = file.write_text("origin,destination,minutes\\n7,h1,12.5\\n8,h1,31\\n", encoding="utf-8")
    >>> import_travel_times(file, homes, people, limit=30).table.reached(minutes=15).tolist()
    [True, False]
    """
    table = read_long_table(Path(path), columns, sheet)
    stated = unit is not None
    unit, faults = _unit(table, unit)
    what = ("距离", "distance") if unit == "metres" else ("用时", "cost")
    cost = _costs(table, PER[unit], what, faults)
    swapped = _sides(table, facilities.index, cells.index, direction, faults)
    sides = ("origin", "destination") if swapped else ("destination", "origin")
    row = _places(table, sides[0], facilities.index, ("设施", "facilities"), faults)
    column = _places(table, sides[1], cells.index, ("人口格网", "cells"), faults)
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    listed = np.bincount(row, minlength=len(facilities)) > 0, np.bincount(column, minlength=len(cells)) > 0
    pairs = _unique(table, row, column, cost, what, faults)
    faults += _maybe_seconds(table, unit, pairs.cost, stated)
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    most = _limit(limit, unit, pairs.cost)
    faults += _beyond(table, int((pairs.cost > most).sum()), limit, unit)
    metric: Metric = "length" if unit == "metres" else "time"
    times = _matrix(facilities, cells, pairs, listed[1], most, metric, direction, mode)
    return Checked(times, (*faults, *_uncovered(table, times, listed)))


class _Pairs(NamedTuple):
    """Pairs with a way, sorted by facility and cell."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    cost: NDArray[np.int64]
    """Milliseconds or millimetres."""


def units_named(header: str) -> frozenset[ForeignUnit] | None:
    """Read from a header which units its numbers may be in: None where it says nothing, none of ours where it names another.

    >>> units_named("用时（秒）"), units_named("duration_min"), units_named("时长(h)"), units_named("cost")
    (frozenset({'seconds'}), frozenset({'minutes'}), frozenset(), None)
    """
    short = SHORT.get(parted_header(header)[1])
    if short is not None:
        return short
    return next((units for words, units in TELLING if any(word in header.lower() for word in words.split())), None)


def _unit(table: LongTable, stated: ForeignUnit | None) -> tuple[ForeignUnit, list[Fault]]:
    """Decide what a cost counts: what is stated, else the time that the header names, else minutes."""
    header = table.headers["cost"]
    may = units_named(header)
    if stated is None and may == frozenset({"seconds"}):
        told = (f"列名“{header}”表示秒，按秒读取", f"the header {header!r} says seconds, and the times are read as such")
        return "seconds", [Fault("unit_from_header", table.file, *told, column=header, severity="noted")]
    unit = stated or "minutes"
    return unit, _other_unit(table, unit, may)


def _other_unit(table: LongTable, unit: ForeignUnit, may: frozenset[ForeignUnit] | None) -> list[Fault]:
    """Refuse a cost whose header names another unit than is stated: seconds taken for minutes are sixty times too long."""
    header = table.headers["cost"]
    if may is None or unit in may:
        return []
    if not may:
        told = (f"列名“{header}”的单位不能读取", f"the header {header!r} names a unit that is not read")
        cure = ("请换算为分钟，并改列名。", "Convert the column to minutes, and rename it.")
        return [Fault("other_unit", table.file, *told, *cure, column=header)]
    named = " / ".join(sorted(may))
    zh = "、".join(UNITS_ZH[one] for one in sorted(may))
    told = (f"列名“{header}”表示{zh}，而按{UNITS_ZH[unit]}读取", f"the header {header!r} says {named}, and unit is {unit!r}")
    if may == frozenset({"metres"}):
        cure = (
            "距离不是用时：研究文件中的表须为分钟或秒；列中确为用时时请改列名。",
            "Distance is no time: the tables of a study hold minutes or seconds; rename the column if it does hold these.",
        )
        return [Fault("other_unit", table.file, *told, *cure, column=header)]
    cure = (
        f'请写 unit = "{sorted(may)[0]}"；单位确为{UNITS_ZH[unit]}时请改列名。',
        f'Write unit = "{sorted(may)[0]}", or rename the column if it does hold {unit}.',
    )
    return [Fault("other_unit", table.file, *told, *cure, column=header)]


def _costs(table: LongTable, per: float, what: Words, faults: list[Fault]) -> NDArray[np.float64]:
    """Read costs as milliseconds or millimetres, NaN where a pair has no way; what is negative or no number is told."""
    number = pd.to_numeric(table.cost, errors="coerce").to_numpy(dtype=np.float64)
    unread = np.flatnonzero(~np.isfinite(number))
    texts = [as_text(value).lower() for value in table.cost.iloc[unread].tolist()]
    odd = [at for at, text in zip(unread.tolist(), texts, strict=True) if text not in NO_WAY]
    odd += np.flatnonzero(np.isfinite(number) & (number * per >= 2**32 - 1)).tolist()
    negative = np.flatnonzero(number < 0).tolist()
    cost = np.rint(np.where(np.isfinite(number), number, np.nan) * per)
    cures = (
        ("请只写数字；没有通路的一对留空。", "Write plain numbers; leave a pair without a way blank."),
        ("没有通路的一对请留空，不写负数。", "Leave a pair without a way blank instead of a negative number."),
    )
    told = ((f"{what[0]}不是可用的数字", f"the {what[1]} is no usable number"), (f"{what[0]}为负", f"the {what[1]} is negative"))
    for code, at_rows, words, cure in zip(("bad_cost", "negative_cost"), (odd, negative), told, cures, strict=True):
        if at_rows:
            faults.append(row_fault(table, code, words, cure, at_rows, "cost", table.cost.iloc[at_rows].tolist()))
    return cost


def _sides(table: LongTable, facilities: pd.Index[str], cells: pd.Index[int], direction: Direction, faults: list[Fault]) -> bool:
    """See from the ids on which side the facilities are, and refuse a table that says the other than the direction.

    Returns
    -------
    bool
        Whether facilities are origins.
    """
    known = [set(map(str, index)) for index in (facilities, cells)]
    counts = {
        (side, kind): sum(as_text(value) in known[kind] for value in pd.unique(values).tolist())
        for side, values in (("origin", table.origin), ("destination", table.destination))
        for kind in (0, 1)
    }
    as_origins = counts["origin", 0] + counts["destination", 1]
    as_destinations = counts["destination", 0] + counts["origin", 1]
    wanted = direction == "from_facility"
    if as_origins == as_destinations:
        return wanted
    found = as_origins > as_destinations
    if found != wanted:
        told = (
            f"表中设施在{'起点' if found else '终点'}一列，与 direction 不符",
            f"the facilities are the {'origins' if found else 'destinations'} of the table, other than direction says",
        )
        other = "from_facility" if found else "to_facility"
        cure = (
            f'往返用时不同，请确认后写 direction = "{other}"，或对调两列。',
            f"Costs may differ by direction: state direction={other!r} if that is meant, or exchange the two columns.",
        )
        faults.append(Fault("other_direction", table.file, *told, *cure, found=direction))
    return found


def _places(
    table: LongTable, side: str, index: pd.Index[str] | pd.Index[int], kind: Words, faults: list[Fault]
) -> NDArray[np.int64]:
    """Find the position of every id; those that are none of ours are listed."""
    code, unique = pd.factorize(table.origin if side == "origin" else table.destination, use_na_sentinel=False)
    texts = [as_text(value) for value in unique.tolist()]
    ours = {str(one): at for at, one in enumerate(index)}
    place = np.array([ours.get(text, -1) for text in texts], dtype=np.int64)
    at: NDArray[np.int64] = place[code]
    odd = np.flatnonzero(at < 0)
    if len(odd):
        count = int((place < 0).sum())
        told = (f"{count} 个编号不是本项目的{kind[0]}", f"{count} ids are none of the study's {kind[1]}")
        example = ", ".join(list(ours)[:3])
        cure = (f"请核对编号，本项目的编号如：{example}。", f"Check the ids; the study's are such as: {example}.")
        faults.append(row_fault(table, "unknown_id", told, cure, odd.tolist(), side, [texts[one] for one in code[odd].tolist()]))
    return at


def _maybe_seconds(table: LongTable, unit: ForeignUnit, cost: NDArray[np.int64], stated: bool) -> list[Fault]:
    """Refuse times that are mostly of many hours, where nothing says that they are minutes; note them where the study does."""
    if unit != "minutes" or not len(cost) or units_named(table.headers["cost"]) == frozenset({"minutes"}):
        return []
    middle = float(np.median(cost)) / PER["minutes"]
    if middle <= MOSTLY_SECONDS:
        return []
    told = (
        f"用时按分钟读取，中位数为 {middle:,.0f} 分钟，而列名未写单位，可能是秒",
        f"the times are read as minutes, their median is {middle:,.0f} and the header names no unit: they may be seconds",
    )
    cure = (
        '请写明单位：unit = "seconds"（秒）或 unit = "minutes"（分钟）。',
        'State which: unit = "seconds" or unit = "minutes".',
    )
    severity: Severity = "noted" if stated else "error"
    return [Fault("maybe_seconds", table.file, *told, *cure, column=table.headers["cost"], severity=severity)]


def _unique(
    table: LongTable,
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    cost: NDArray[np.float64],
    what: Words,
    faults: list[Fault],
) -> _Pairs:
    """Sort the pairs that have a way; of a pair told twice with one cost keep the first.

    Raises
    ------
    InputError
        If a pair has two costs.
    """
    line = np.arange(len(row))
    whole = np.where(np.isnan(cost), -1, cost).astype(np.int64)
    order = np.lexsort((line, column, row))
    row, column, whole, line = (values[order] for values in (row, column, whole, line))
    again = np.zeros(len(row), dtype=bool)
    again[1:] = (np.diff(row) == 0) & (np.diff(column) == 0)
    other = np.flatnonzero(again & (np.diff(whole, prepend=whole[:1]) != 0))
    if len(other):
        told = (f"{len(other)} 对重复且{what[0]}不同", f"{len(other)} pairs stand twice with different {what[1]}s")
        cure = ("每对只保留一行。", "Keep one row a pair.")
        pairs = [f"{as_text(table.origin.iloc[at])} → {as_text(table.destination.iloc[at])}" for at in line[other].tolist()]
        raise InputError([*faults, row_fault(table, "two_costs", told, cure, line[other].tolist(), "cost", pairs)])
    if again.any():
        count = int(again.sum())
        told = (f"{count} 对重复，只用一次", f"{count} pairs stand twice and are used once")
        faults.append(Fault("duplicate_pair", table.file, *told, severity="dropped"))
    blank = ~again & (whole < 0)
    if blank.any():
        count = int(blank.sum())
        told = (f"{count} 对没有{what[0]}，按不可达处理", f"{count} pairs have no {what[1]} and count as out of reach")
        faults.append(Fault("no_way", table.file, *told, severity="noted"))
    kept = ~again & (whole >= 0)
    return _Pairs(row[kept], column[kept], whole[kept])


def _limit(limit: float | None, unit: ForeignUnit, cost: NDArray[np.int64]) -> int:
    """Largest cost that the table is taken to hold, milliseconds or millimetres."""
    if limit is None:
        return max(1, int(cost.max(initial=1)))
    per = 1000.0 if unit == "metres" else 60_000.0
    if not 0 < limit * per < 2**32 - 1:
        raise ValueError(f"limit must be a positive number of {'metres' if unit == 'metres' else 'minutes'}, not {limit}")
    return round(limit * per)


def _beyond(table: LongTable, count: int, limit: float | None, unit: ForeignUnit) -> list[Fault]:
    if not count or limit is None:
        return []
    name = ("米", "metres") if unit == "metres" else ("分钟", "minutes")
    told = (f"{count} 对超过 {limit:g} {name[0]}，未采用", f"{count} pairs cost over {limit:g} {name[1]} and are left out")
    return [Fault("beyond_limit", table.file, *told, severity="dropped")]


def _matrix(
    facilities: GeoDataFrame,
    cells: GeoDataFrame,
    pairs: _Pairs,
    listed: NDArray[np.bool_],
    limit: int,
    metric: Metric,
    direction: Direction,
    mode: Mode,
) -> TravelTimes:
    """Lay the pairs out as travel times, with the nearest facility of every cell, beyond the limit too."""
    none = np.iinfo(np.int64).max
    nearest = np.full(len(cells), none)
    np.minimum.at(nearest, pairs.column, (pairs.cost << 31) | pairs.row)
    near = pairs.cost <= limit
    row = pairs.row[near]
    return TravelTimes(
        facilities=facilities,
        cell_ids=cells.index,
        indptr=np.searchsorted(row, np.arange(len(facilities) + 1)).astype(np.int64),
        indices=pairs.column[near].astype(np.int32),
        cost=pairs.cost[near].astype(np.uint32),
        nearest_cost=np.where(nearest == none, -1, nearest >> 31),
        nearest_facility=np.where(nearest == none, -1, nearest & (2**31 - 1)).astype(np.int32),
        cell_fault=np.where(listed, "", ABSENT),
        facility_fault=np.full(len(facilities), "", dtype=f"<U{len(ABSENT)}"),
        metric=metric,
        limit=limit,
        direction=direction,
        mode=mode,
        snap_m=0.0,
    )


def _uncovered(table: LongTable, times: TravelTimes, listed: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> list[Fault]:
    """Say which facilities and how many cells are in no row, and how many pairs the table does not hold."""
    faults = []
    names = (("设施", "facilities", times.facilities.index), ("人口格网", "cells", times.cell_ids))
    whys = (("视为无人可达", ", so nobody reaches them"), ("无法判断", " and cannot be judged"))
    for (zh, en, index), there, why in zip(names, listed, whys, strict=True):
        lacking = np.flatnonzero(~there)
        if len(lacking):
            told = (
                f"{len(lacking)} 个{zh}在表中没有任何一对，{why[0]}",
                f"{len(lacking)} {en} are in no pair of the table{why[1]}",
            )
            shown = ", ".join(str(index[at]) for at in lacking[:TOLD]) + (" …" if len(lacking) > TOLD else "")
            faults.append(Fault(f"{en}_not_in_table", table.file, *told, found=shown, severity="noted"))
    lacking_pairs = int(listed[0].sum()) * int(listed[1].sum()) - times.pairs
    if lacking_pairs > 0:
        told = (
            f"其余 {lacking_pairs} 对不在表中或超出限值，按限值以外处理",
            f"{lacking_pairs} further pairs are not in the table or beyond its limit and count as beyond it",
        )
        faults.append(Fault("pairs_missing", table.file, *told, severity="noted"))
    return faults
