"""Count what is within reach: places, facilities to choose from, the time to the k-th nearest, people per place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from careshed.reach.times import TravelTimes, cost_limit
from careshed.supply.decay import Decay, Flat
from careshed.supply.weighing import PER, Floats, hidden_cells, pairs_within, people_of, places_of

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame


def choice(times: TravelTimes, *, minutes: float | None = None, metres: float | None = None) -> pd.Series[float]:
    """Count how many facilities each cell's people can choose from within a limit (≤).

    Returns
    -------
    pandas.Series
        Index ``cell_id``; 0 where none is in reach, NaN where a cell cannot be judged.

    Raises
    ------
    ValueError
        If the limit is of the other metric, or beyond the limit searched.
    """
    pairs = pairs_within(times, minutes=minutes, metres=metres)
    return _of_cells(times, np.bincount(pairs.indices, minlength=pairs.cells).astype(float), "facilities")


def cumulative(
    times: TravelTimes,
    *,
    minutes: float | None = None,
    metres: float | None = None,
    supply: str | pd.Series[float] = "places",
) -> pd.Series[float]:
    """Add up the places within reach of each cell, whoever else comes for them (Wachs and Kumagai, 1973).

    Returns
    -------
    pandas.Series
        Index ``cell_id``; 0 where nothing is in reach; NaN where a cell cannot be judged or reaches only facilities whose places
        are unknown. Where it reaches some of both, the unknown ones are left out.

    Raises
    ------
    ValueError
        If the limit is of the other metric, or beyond the limit searched, or places are no counts.
    """
    return gravity(times, decay=Flat(), minutes=minutes, metres=metres, supply=supply)


def gravity(
    times: TravelTimes,
    *,
    decay: Decay,
    minutes: float | None = None,
    metres: float | None = None,
    supply: str | pd.Series[float] = "places",
) -> pd.Series[float]:
    """Add up the places within reach of each cell, farther ones counting less: Aᵢ = Σⱼ wᵢⱼ Sⱼ (Hansen, 1959).

    Returns
    -------
    pandas.Series
        As `cumulative`.

    Raises
    ------
    ValueError
        As `cumulative`.
    """
    places = places_of(times, supply)
    known = ~np.isnan(places)
    pairs = pairs_within(times, minutes=minutes, metres=metres, rows=known)
    found = pairs.to_cells(pairs.weights(decay), np.nan_to_num(places))
    found[hidden_cells(times, pairs, known)[1]] = np.nan
    return _of_cells(times, found, "places")


def kth_nearest(times: TravelTimes, *, k: int) -> pd.DataFrame:
    """Tell how far each cell's people travel to their k-th nearest facility: what is left if the k − 1 nearer ones are full.

    Returns
    -------
    pandas.DataFrame
        Index ``cell_id``; ``minutes`` or ``metres`` (NaN where unknown) and ``note``: empty, ``"beyond"`` (farther than travel
        was searched, or nowhere), ``"far"`` or ``"islet"`` (the cell cannot be judged). The nearest (k = 1) is known however far.

    Raises
    ------
    ValueError
        If k is below 1.
    """
    import pandas as pd

    if k < 1:
        raise ValueError(f"the first facility is the nearest; there is none numbered {k}")
    cost = times.nearest_cost.astype(float) if k == 1 else _kth_cost(times, k)
    known = (cost >= 0) & (times.cell_fault == "")
    note = np.where(times.cell_fault != "", times.cell_fault, np.where(known, "", "beyond"))
    column = "minutes" if times.metric == "time" else "metres"
    found = np.where(known, cost / PER[times.metric], np.nan)
    return pd.DataFrame({column: found, "note": note.astype(object)}, index=times.cell_ids)


def _kth_cost(times: TravelTimes, k: int) -> Floats:
    """Cost to the k-th nearest facility within the limit searched, −1 where there are fewer."""
    key = np.sort((times.indices.astype(np.uint64) << np.uint64(32)) | times.cost)
    count = np.bincount(times.indices, minlength=len(times.cell_ids))
    enough = count >= k
    at = (np.cumsum(count) - count)[enough] + (k - 1)
    cost = np.full(len(count), -1.0)
    cost[enough] = key[at] & np.uint64(0xFFFFFFFF)
    return cost


def crowding(
    times: TravelTimes,
    cells: GeoDataFrame,
    *,
    group: str = "total",
    minutes: float | None = None,
    metres: float | None = None,
    supply: str | pd.Series[float] = "places",
) -> pd.DataFrame:
    """Tell how many people have each facility as their nearest, and how many that is to a place.

    Parameters
    ----------
    minutes, metres
        Count only people within this limit (≤) of their nearest facility; however far it is if left out.

    Returns
    -------
    pandas.DataFrame
        Index ``facility_id``; ``people``, ``places`` (NaN unknown), ``people_per_place`` (NaN where places are unknown or 0) and
        ``note``: empty, ``"unknown"`` (places unknown), ``"none"`` (no places), ``"far"`` or ``"islet"`` (joins no street).

    Raises
    ------
    ValueError
        If the cells are not those of the travel times, the limit does not fit, or places or people are no counts.
    """
    import pandas as pd

    people, places = people_of(times, cells, group), places_of(times, supply)
    reached = times.nearest_facility >= 0
    if minutes is not None or metres is not None:
        reached &= times.nearest_cost <= cost_limit(minutes=minutes, metres=metres, metric=times.metric)
    count = np.bincount(times.nearest_facility[reached], weights=people[reached], minlength=len(places))
    each = np.divide(count, places, out=np.full(len(places), np.nan), where=places > 0)
    note = np.where(np.isnan(places), "unknown", np.where(places == 0, "none", ""))
    note = np.where(times.facility_fault != "", times.facility_fault, note).astype(object)
    columns = {"people": count, "places": places, "people_per_place": each, "note": note}
    return pd.DataFrame(columns, index=times.facilities.index)


def potential_crowding(
    times: TravelTimes,
    cells: GeoDataFrame,
    *,
    group: str = "total",
    decay: Decay | None = None,
    minutes: float | None = None,
    metres: float | None = None,
    supply: str | pd.Series[float] = "places",
) -> pd.Series[float]:
    """Tell how many people there are to each facility's place if everybody spreads over the places within reach.

    The inverted two-step catchments of Wang (2018, The Professional Geographer 70, 251–260): Cⱼ = Σᵢ wᵢⱼ Pᵢ / Σₖ wᵢₖ Sₖ.
    Σⱼ Sⱼ Cⱼ is the people who reach any place.

    Returns
    -------
    pandas.Series
        People per place, index ``facility_id``: NaN where places are unknown, 0 where nobody is in reach.

    Raises
    ------
    ValueError
        If the cells are not those of the travel times, the limit does not fit, or places or people are no counts.
    """
    import pandas as pd

    people, places = people_of(times, cells, group), places_of(times, supply)
    known = ~np.isnan(places)
    pairs = pairs_within(times, minutes=minutes, metres=metres, rows=known)
    weights = pairs.weights(decay if decay is not None else Flat())
    found = pairs.to_cells(weights, np.nan_to_num(places))
    each = np.divide(people, found, out=np.zeros(len(people)), where=found > 0)
    crowded = np.where(known, pairs.to_facilities(weights, each), np.nan)
    return pd.Series(crowded, index=times.facilities.index, name="people_per_place")


def _of_cells(times: TravelTimes, found: Floats, name: str) -> pd.Series[float]:
    import pandas as pd

    return pd.Series(np.where(times.cell_fault != "", np.nan, found), index=times.cell_ids, name=name)
