"""Hold travel costs as one sparse matrix of facility × cell, with the limits they are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from careshed.display import card, display_language
from careshed.words import pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.modes import Mode

Metric = Literal["time", "length"]
"""What a cost measures: milliseconds of travel, or millimetres of street."""

Direction = Literal["to_facility", "from_facility"]


@dataclass(frozen=True)
class TravelTimes:
    """Travel costs between facilities and cells within a limit, as one sparse matrix (CSR, facility × cell)."""

    facilities: GeoDataFrame
    """The facilities, candidates or other origins: one row of the matrix each."""
    cell_ids: pd.Index[int]
    """Cells, one column of the matrix each."""
    indptr: NDArray[np.int64]
    """Row starts, shape (facilities + 1,)."""
    indices: NDArray[np.int32]
    """Cell positions, ascending within a row, shape (pairs,)."""
    cost: NDArray[np.uint32]
    """Cost of each pair, milliseconds or millimetres, all ≤ `limit`, shape (pairs,)."""
    nearest_cost: NDArray[np.int64]
    """Cost to the nearest facility however far, −1 where no facility can be reached, shape (cells,)."""
    nearest_facility: NDArray[np.int32]
    """Row of the nearest facility (ties: the first row), −1 where none can be reached, shape (cells,)."""
    cell_fault: NDArray[np.str_]
    """Why a cell cannot be judged: ``"far"`` (beyond the snap limit), ``"barrier"`` (every leg to a street crosses water, a
    railway, a motorway or a wall), ``"table"`` (an imported table has no row with it), ``"islet"`` (its streets join neither the
    main network nor a facility), or ``""``; shape (cells,)."""
    facility_fault: NDArray[np.str_]
    """The same for facilities, shape (facilities,)."""
    metric: Metric
    limit: int
    """Largest cost searched, milliseconds or millimetres; beyond it a pair is unknown, not far."""
    direction: Direction
    mode: Mode
    snap_m: float

    def _repr_html_(self) -> str:
        lang = display_language()
        by_time = self.metric == "time"
        limit = f"{self.limit / 60_000:g} " + pick(lang, "分钟", "min") if by_time else f"{self.limit / 1000:g} m"
        toward = (
            pick(lang, "前往设施", "to the facility")
            if self.direction == "to_facility"
            else pick(lang, "自设施出发", "from the facility")
        )
        lost, apart = int(np.count_nonzero(self.cell_fault != "")), int(np.count_nonzero(self.facility_fault != ""))
        facts = (
            (pick(lang, "方式", "mode"), f"{pick(lang, self.mode.zh, self.mode.en)}, {toward}"),
            (pick(lang, "搜索到", "searched to"), f"≤ {limit}"),
            (pick(lang, "设施 × 单元格", "facilities × cells"), f"{len(self.facilities):,} × {len(self.cell_ids):,}"),
            (pick(lang, "时限内的点对", "pairs within the limit"), f"{self.pairs:,}"),
            (pick(lang, "无法判断的单元格", "cells that cannot be judged"), f"{lost:,}"),
            (pick(lang, "设施未接上道路", "facilities that join no street"), f"{apart:,}"),
        )
        return card(pick(lang, "出行时间", "Travel times") if by_time else pick(lang, "出行距离", "Travel distances"), facts)

    @property
    def imported(self) -> bool:
        """Whether another program computed them: then no place joined a street here."""
        return self.snap_m == 0.0

    @property
    def pairs(self) -> int:
        """Number of facility–cell pairs within the limit."""
        return len(self.cost)

    def within(self, *, minutes: float | None = None, metres: float | None = None) -> NDArray[np.bool_]:
        """Tell which pairs cost at most `minutes` of travel or `metres` of street, shape (pairs,).

        Raises
        ------
        ValueError
            If the limit is of the other metric, or beyond the limit searched.
        """
        limit = cost_limit(minutes=minutes, metres=metres, metric=self.metric)
        if limit > self.limit:
            raise ValueError(f"asked for {limit} but travel was searched only to {self.limit} {UNITS[self.metric]}")
        return self.cost <= limit

    def reached(self, *, minutes: float | None = None, metres: float | None = None) -> NDArray[np.bool_]:
        """Tell which cells reach any facility within the limit (≤), however far travel was searched, shape (cells,)."""
        limit = cost_limit(minutes=minutes, metres=metres, metric=self.metric)
        return (self.nearest_cost >= 0) & (self.nearest_cost <= limit)


UNITS: Final = {"time": "milliseconds", "length": "millimetres"}


def cost_limit(*, minutes: float | None = None, metres: float | None = None, metric: Metric | None = None) -> int:
    """Turn a limit in minutes or metres into the integer cost that "within" compares with.

    >>> cost_limit(minutes=15), cost_limit(metres=300)
    (900000, 300000)

    Raises
    ------
    ValueError
        Unless exactly one limit is given, positive, and of the metric `metric` if that is given.
    """
    if (minutes is None) == (metres is None):
        raise ValueError("give exactly one limit: minutes (of travel) or metres (of street)")
    if metric is not None and metric != ("time" if metres is None else "length"):
        raise ValueError(f"the travel costs measure {metric}; give the limit in {'minutes' if metric == 'time' else 'metres'}")
    cost = round(minutes * 60_000) if minutes is not None else round((metres or 0.0) * 1000)
    if not 0 < cost < 2**32 - 1:
        raise ValueError(f"a limit must be above 0 and below {2**32 - 1} {UNITS[metric or 'time']}, not {cost}")
    return cost
