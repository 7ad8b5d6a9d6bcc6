"""Put travel times together from those at hand: with the sites of a plan, or without facilities that close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.reach import TravelTimes, cost_limit
from careshed.schema import Fault

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.siting import SitePlan

NONE = np.iinfo(np.int64).max
"""Stands for "no facility" while costs are compared."""


@dataclass(frozen=True)
class RevisedTimes(TravelTimes):
    """Travel times put together from a matrix at hand instead of searched anew; like any others, but some cells are unsure."""

    unsure: NDArray[np.bool_]
    """Cells whose nearest facility now is not known, shape (cells,): `nearest_cost` is −1 where nothing is known but that it lies
    beyond `limit`, else an upper bound."""
    findings: tuple[Fault, ...] = ()

    def reached(self, *, minutes: float | None = None, metres: float | None = None) -> NDArray[np.bool_]:
        """Tell which cells reach any facility within the limit (≤), shape (cells,).

        Raises
        ------
        ValueError
            If the limit lies beyond what was searched and a cell's answer is not known there.
        """
        limit = cost_limit(minutes=minutes, metres=metres, metric=self.metric)
        found = super().reached(minutes=minutes, metres=metres)
        open_cells = int((self.unsure & ~found).sum())
        if limit > self.limit and open_cells:
            per, unit = (60_000, "minutes") if self.metric == "time" else (1000, "metres")
            raise ValueError(
                f"{open_cells} cells are not known beyond {self.limit / per:g} {unit}, since they come from a matrix "
                "searched no farther; ask for less, or compute them again with travel_times"
            )
        return found


def check_pair(before: TravelTimes, after: TravelTimes) -> None:
    """Refuse travel times of other cells, another metric or the other direction."""
    if not before.cell_ids.equals(after.cell_ids):
        raise ValueError("the two runs are on different cells; compute both on the same cells")
    if before.metric != after.metric or before.direction != after.direction:
        raise ValueError(
            f"the runs measure {before.metric} {before.direction} and {after.metric} {after.direction}; both must be alike"
        )


def plan_times(existing: TravelTimes, options: TravelTimes, plan: SitePlan | Sequence[str]) -> RevisedTimes:
    """Add the chosen sites to the existing facilities, as if the plan were built, without a new search.

    The matrix reaches as far as the shorter of both searches. Where the existing nearest facility is beyond the candidates'
    search and a chosen site might be nearer than it, the nearest is unsure: its cost stays as an upper bound, and a finding
    counts the cells.

    Parameters
    ----------
    plan
        A plan, or ids of candidates.

    Raises
    ------
    ValueError
        If a site is no candidate, its id is that of a facility, or the two travel times do not fit together.
    """
    check_pair(existing, options)
    if existing.mode != options.mode or existing.snap_m != options.snap_m:
        raise ValueError("existing facilities and candidates were searched with different modes or snap limits; use the same")
    ids = [str(site) for site in (plan if isinstance(plan, Sequence) else plan.sites.index)]
    rows = options.facilities.index.astype(str).get_indexer(ids)
    strange = [site for site, row in zip(ids, rows, strict=True) if row < 0]
    taken = sorted(set(ids) & set(existing.facilities.index.astype(str)))
    if strange or taken or len(set(ids)) < len(ids):
        told = f"no candidates: {', '.join(strange)}" if strange else f"ids used twice: {', '.join(taken or ids)}"
        raise ValueError(f"the plan does not fit the travel times; {told}")
    limit = min(existing.limit, options.limit)
    parts = [_rows(existing, np.arange(len(existing.facilities)), limit), _rows(options, rows, limit)]
    cost, facility, unsure = _nearest_with(existing, options, rows)
    return RevisedTimes(
        **{
            **_shared(existing),
            "facilities": _stacked(existing.facilities, options.facilities.iloc[rows]),
            **_joined(parts),
            "nearest_cost": cost,
            "nearest_facility": facility,
            # A chosen site may stand on what was an islet without a facility; the candidates' search knows.
            "cell_fault": np.where((existing.cell_fault == "islet") & (cost >= 0), "", existing.cell_fault),
            "facility_fault": np.concatenate([existing.facility_fault, options.facility_fault[rows]]),
            "limit": limit,
        },
        unsure=unsure,
        findings=_unsure_findings(unsure, existing, options.limit),
    )


def _nearest_with(
    existing: TravelTimes, options: TravelTimes, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.bool_]]:
    """The nearest of the existing facilities and the chosen sites, and where it is not sure."""
    best, which = existing.nearest_cost.copy(), existing.nearest_facility.copy()
    best[best < 0] = NONE
    chosen = np.full(len(options.facilities), -1, dtype=np.int64)
    chosen[rows] = np.arange(len(rows))
    nearest = options.nearest_facility
    sure = (nearest < 0) | (chosen[nearest] >= 0)
    count = len(existing.facilities)
    for place, row in enumerate(rows):
        span = slice(options.indptr[row], options.indptr[row + 1])
        _improve(best, which, options.indices[span], options.cost[span].astype(np.int64), count + place)
    own = np.flatnonzero((nearest >= 0) & sure)
    _improve(best, which, own, options.nearest_cost[own], (count + chosen[nearest[own]]).astype(np.int32))
    # A site not seen costs more than the search's limit, and no less than the nearest of all candidates.
    unsure = ~sure & (best > np.maximum(options.limit + 1, options.nearest_cost)) & bool(len(rows))
    unsure |= _unsure(existing) & (best > existing.limit)
    best[best == NONE] = -1
    return best, which, unsure & (existing.cell_fault == "")


def _unsure(times: TravelTimes) -> NDArray[np.bool_]:
    return times.unsure if isinstance(times, RevisedTimes) else np.zeros(len(times.cell_ids), dtype=bool)


def _improve(
    best: NDArray[np.int64],
    which: NDArray[np.int32],
    at: NDArray[np.integer],
    cost: NDArray[np.int64],
    row: int | NDArray[np.int32],
) -> None:
    better = cost < best[at]
    best[at[better]] = cost[better]
    which[at[better]] = row if isinstance(row, int) else row[better]


def close_facilities(times: TravelTimes, ids: Sequence[str]) -> RevisedTimes:
    """Take facilities away, as if they were closed, without a new search.

    The nearest facility that stays comes from the matrix. A cell whose nearest facility closes and that has no other within the
    limit searched is unsure: its nearest cost is −1, it is out of reach within that limit, and a finding counts such cells.
    Search farther, or compute the travel times again, where that matters.

    Raises
    ------
    ValueError
        If an id is no facility.
    """
    own = times.facilities.index.astype(str)
    strange = [str(one) for one in ids if str(one) not in own]
    if strange:
        raise ValueError(f"no such facilities: {', '.join(strange)}")
    stays = ~own.isin([str(one) for one in ids])
    rows = np.flatnonzero(stays)
    part = _rows(times, rows, times.limit)
    number = np.full(len(own) + 1, -1, dtype=np.int32)
    number[rows] = np.arange(len(rows), dtype=np.int32)
    kept = number[times.nearest_facility] >= 0
    cost = np.where(kept, times.nearest_cost, NONE)
    facility = number[times.nearest_facility]
    for row in range(len(rows)):
        span = slice(part.indptr[row], part.indptr[row + 1])
        at = part.indices[span]
        better = ~kept[at] & (part.cost[span] < cost[at])
        cost[at[better]], facility[at[better]] = part.cost[span][better], row
    lost = cost == NONE
    cost[lost] = -1
    unsure = ((lost & (times.nearest_facility >= 0)) | _unsure(times)) & bool(len(rows))
    return RevisedTimes(
        **{
            **_shared(times),
            "facilities": times.facilities[stays],
            **_joined([part]),
            "nearest_cost": cost,
            "nearest_facility": facility,
            "facility_fault": times.facility_fault[stays],
        },
        unsure=unsure,
        findings=_unsure_findings(unsure, times, times.limit),
    )


class _Rows(NamedTuple):
    """Some rows of a matrix."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    cost: NDArray[np.uint32]


def _rows(times: TravelTimes, rows: NDArray[np.int64], limit: int) -> _Rows:
    """Pick rows of the matrix in the order given, pairs beyond the limit left out."""
    counts = np.diff(times.indptr)[rows]
    ends = np.cumsum(counts)
    at = np.arange(ends[-1] if len(ends) else 0) + np.repeat(times.indptr[rows] - (ends - counts), counts)
    near = times.cost[at] <= limit
    row = np.repeat(np.arange(len(rows)), counts)[near]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(rows)))]).astype(np.int64)
    return _Rows(indptr, times.indices[at][near], times.cost[at][near])


def _joined(parts: Sequence[_Rows]) -> dict[str, Any]:
    """Stack rows of several matrices."""
    offsets = np.cumsum([0, *(len(part.cost) for part in parts)])
    starts = [part.indptr[1:] + offset for part, offset in zip(parts, offsets[:-1], strict=True)]
    return {
        "indptr": np.concatenate([np.zeros(1, np.int64), *starts]).astype(np.int64),
        "indices": np.concatenate([part.indices for part in parts]),
        "cost": np.concatenate([part.cost for part in parts]),
    }


def _shared(times: TravelTimes) -> dict[str, Any]:
    return {one.name: getattr(times, one.name) for one in fields(TravelTimes)}


def _stacked(existing: GeoDataFrame, sites: GeoDataFrame) -> GeoDataFrame:
    """Existing facilities and sites in one table with the facilities' columns; what the sites do not have is empty."""
    import geopandas as gpd
    import pandas as pd

    missing = {
        column: np.nan if pd.api.types.is_numeric_dtype(existing[column]) else "" for column in existing if column not in sites
    }
    table = sites.assign(**missing)[list(existing.columns)].rename_axis(existing.index.name)
    joined = pd.concat([table.iloc[:0] if existing.empty else existing, table])
    return gpd.GeoDataFrame(joined, geometry=existing.geometry.name, crs=existing.crs)


def _unsure_findings(unsure: NDArray[np.bool_], times: TravelTimes, limit: int) -> tuple[Fault, ...]:
    count = int(unsure.sum())
    if not count:
        return ()
    per, zh_unit, en_unit = (60_000, "分钟", "minutes") if times.metric == "time" else (1000, "米", "metres")
    zh = f"{count} 个人口格网的最近设施在 {limit / per:g} {zh_unit}以外，由现有出行时间矩阵无法得知"
    en = f"the nearest facility of {count} cells lies beyond {limit / per:g} {en_unit}, where these travel times do not tell it"
    cure = ("如需其时间，请重新计算出行时间", "compute travel times again where it matters")
    return (Fault("nearest_unsure", "", zh, en, *cure, severity="noted", found=str(count)),)
