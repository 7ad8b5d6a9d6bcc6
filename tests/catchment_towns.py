"""Make travel times between facilities and cells from a plain table of minutes, for measures that look at nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from careshed.modes import WALK_ADULT
from careshed.reach import Metric, TravelTimes

NONE = np.nan
"""No travel between the two within the limit searched."""


def reached(
    table: Sequence[Sequence[float]] | np.ndarray,
    *,
    places: Sequence[float],
    people: Sequence[float],
    limit: float = 30.0,
    metric: Metric = "time",
    faults: dict[int, str] | None = None,
    facility_faults: dict[int, str] | None = None,
) -> tuple[TravelTimes, gpd.GeoDataFrame]:
    """Make travel times and cells; `table` has a row a facility, a column a cell, minutes or metres, `NONE` out of reach."""
    figures = np.asarray(table, dtype=float).reshape(len(places), len(people))
    per = 60_000 if metric == "time" else 1000
    row, column = np.nonzero(figures <= limit)
    cells = gpd.GeoDataFrame(
        {"p60": np.asarray(people, dtype=float)}, index=pd.RangeIndex(100, 100 + len(people), name="cell_id")
    )
    ids = pd.Index([f"f{number}" for number in range(len(places))], name="facility_id", dtype=object)
    facilities = gpd.GeoDataFrame({"name": [f"站{number}" for number in range(len(places))], "places": places}, index=ids)
    far = np.where(np.isnan(figures), np.inf, figures)
    best = far.min(axis=0, initial=np.inf)
    cell_fault, facility_fault = np.full(len(people), "", dtype="<U5"), np.full(len(places), "", dtype="<U5")
    for at, fault in (faults or {}).items():
        cell_fault[at] = fault
    for at, fault in (facility_faults or {}).items():
        facility_fault[at] = fault
    nearest = far.argmin(axis=0) if len(places) else np.zeros(len(people), dtype=int)
    times = TravelTimes(
        facilities=facilities,
        cell_ids=cells.index,
        indptr=np.searchsorted(row, np.arange(len(places) + 1)).astype(np.int64),
        indices=column.astype(np.int32),
        cost=np.round(figures[row, column] * per).astype(np.uint32),
        nearest_cost=np.where(np.isfinite(best), np.round(np.where(np.isfinite(best), best, 0) * per), -1).astype(np.int64),
        nearest_facility=np.where(np.isfinite(best), nearest, -1).astype(np.int32),
        cell_fault=cell_fault,
        facility_fault=facility_fault,
        metric=metric,
        limit=round(limit * per),
        direction="to_facility",
        mode=WALK_ADULT,
        snap_m=150.0,
    )
    return times, cells


def random_town(
    seed: int, *, facilities: int = 6, cells: int = 20, most_people: int = 40
) -> tuple[TravelTimes, gpd.GeoDataFrame]:
    """Make a town at random: whole seconds from 0 to 40 minutes, of which 30 are searched; every cell reaches something."""
    random = np.random.default_rng(seed)
    table = random.integers(0, 2401, (facilities, cells)) / 60.0
    table[random.integers(facilities, size=cells), np.arange(cells)] = random.integers(0, 901, cells) / 60.0
    places, people = random.integers(1, 60, facilities), random.integers(1, most_people + 1, cells)
    return reached(table, places=places.astype(float), people=people.astype(float))


def minutes_of(times: TravelTimes) -> np.ndarray:
    """Lay the pairs out as a full table of minutes, `NONE` out of reach, for loops that check sparse sums."""
    table = np.full((len(times.facilities), len(times.cell_ids)), NONE)
    table[np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr)), times.indices] = times.cost / 60_000
    return table
