"""Take from travel costs what the measures of supply need: pairs within a limit, people, and places that may be unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from careshed.access import check_cells
from careshed.reach.times import TravelTimes, cost_limit

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame
    from scipy.sparse import csr_array

    from careshed.supply.decay import Decay

Floats = NDArray[np.float64]

PER: Final = {"time": 60_000.0, "length": 1000.0}
"""Costs in a minute, and in a metre."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of facility and cell within a limit, rows of unknown places emptied, as the parts of a CSR matrix."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    cost: NDArray[np.uint32]
    cells: int
    limit: int
    """Largest cost that counts (≤), milliseconds or millimetres."""
    per: float
    """Costs in a minute or metre."""

    def weights(self, decay: Decay) -> Floats:
        """Weigh every pair, shape (pairs,)."""
        return decay.weights(self.cost, per=self.per, limit=self.limit)

    def matrix(self, data: Floats) -> csr_array[np.float64]:
        """Put a value a pair into a sparse matrix, facility × cell."""
        from scipy.sparse import csr_array

        return csr_array((data, self.indices, self.indptr), shape=(len(self.indptr) - 1, self.cells))

    def to_facilities(self, data: Floats, by_cell: Floats) -> Floats:
        """Add up over a facility's cells: Σᵢ data[j, i] · by_cell[i]."""
        return np.asarray(self.matrix(data) @ by_cell)

    def to_cells(self, data: Floats, by_facility: Floats) -> Floats:
        """Add up over a cell's facilities: Σⱼ data[j, i] · by_facility[j]."""
        return np.asarray(self.matrix(data).T @ by_facility)

    def spread(self, by_facility: Floats) -> Floats:
        """Give every pair its facility's value."""
        return np.repeat(by_facility, np.diff(self.indptr))


def pairs_within(
    times: TravelTimes, *, minutes: float | None, metres: float | None, rows: NDArray[np.bool_] | None = None
) -> Pairs:
    """Take the pairs within a limit (≤); of `rows` that are False none.

    Raises
    ------
    ValueError
        If the limit is of the other metric, or beyond the limit searched.
    """
    within = times.within(minutes=minutes, metres=metres)
    limit = cost_limit(minutes=minutes, metres=metres, metric=times.metric)
    if rows is not None and not rows.all():
        within = within & np.repeat(rows, np.diff(times.indptr))
    per = PER[times.metric]
    if within.all():
        return Pairs(times.indptr, times.indices, times.cost, len(times.cell_ids), limit, per)
    ptr = np.concatenate([[0], np.cumsum(within)])[times.indptr]
    return Pairs(ptr, times.indices[within], times.cost[within], len(times.cell_ids), limit, per)


def people_of(times: TravelTimes, cells: GeoDataFrame, group: str) -> Floats:
    """Read the people of a group cell by cell.

    Raises
    ------
    ValueError
        If the cells are not those of the travel times, lack the group, or hold a number that is no number of people.
    """
    check_cells(times, cells, group)
    people: Floats = cells[group].to_numpy(dtype=float)
    wrong = ~(np.isfinite(people) & (people >= 0))
    if wrong.any():
        named = ", ".join(map(str, cells.index[wrong][:5]))
        raise ValueError(f"people of group {group!r} must be numbers from 0 in every cell; not so in {wrong.sum()}: {named}")
    return people


def places_of(times: TravelTimes, supply: str | pd.Series[float]) -> Floats:
    """Read the places of every facility, NaN where unknown.

    Parameters
    ----------
    supply
        Name of a column of the facilities, or places by facility id; a facility that the series lacks is unknown.

    Raises
    ------
    ValueError
        If there is no such column, the series names other facilities, or places are below 0 or infinite.
    """
    table = times.facilities
    if isinstance(supply, str):
        if supply not in table:
            raise ValueError(f"the facilities have no column {supply!r}; name a column of places, or give places by facility id")
        places = np.asarray(table[supply], dtype=np.float64)
    else:
        strangers = supply.index.difference(table.index)
        if len(strangers) or not supply.index.is_unique:
            told = ", ".join(map(str, strangers[:5])) or "an id twice"
            raise ValueError(f"places are given for other facilities than those of the travel times: {told}")
        places = np.asarray(supply.reindex(table.index), dtype=np.float64)
    wrong = (places < 0) | np.isinf(places)
    if wrong.any():
        named = ", ".join(map(str, table.index[wrong][:5]))
        raise ValueError(f"places must be numbers from 0, or empty where unknown; not so for {wrong.sum()}: {named}")
    return places


def hidden_cells(times: TravelTimes, within: Pairs, known: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Count the facilities of unknown places in each cell's reach, and tell which cells reach no other.

    `within` holds the pairs of known facilities.
    """
    unknown = np.zeros(within.cells, dtype=np.int64)
    if known.all():
        return unknown, np.zeros(within.cells, dtype=np.bool_)
    row = np.repeat(~known, np.diff(times.indptr)) & (times.cost <= within.limit)
    unknown += np.bincount(times.indices[row], minlength=within.cells)
    return unknown, (unknown > 0) & (np.bincount(within.indices, minlength=within.cells) == 0)
