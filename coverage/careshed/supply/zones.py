"""Read catchments that the user gives (划片): which cells, or which units, belong to which facilities."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from careshed.access import lineage

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes

MOST_NAMED = 5
"""Ids named in a message."""


@dataclass(frozen=True)
class Zones:
    """Which catchment every cell lies in, and whose catchments they are."""

    of_cell: NDArray[np.int64]
    """Number of each cell's catchment, −1 for none, shape (cells,)."""
    pairs: NDArray[np.int64]
    """Catchment and facility row of every membership, as ``catchment * facilities + row``, ascending."""
    facilities: int

    def allow(self, cell: NDArray[np.integer], facility: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Tell of pairs of cell and facility row whether the cell lies in the facility's catchment."""
        zone = self.of_cell[cell]
        allowed: NDArray[np.bool_] = (zone >= 0) & np.isin(zone * self.facilities + facility, self.pairs)
        return allowed


def zones_of(times: TravelTimes, cells: GeoDataFrame, catchment: pd.Series[str], units: GeoDataFrame | None) -> Zones:
    """Match catchments by cell or by unit with cells and facilities.

    A cell or unit may be listed several times: its people may go to any of the facilities (多校划片). A unit's catchment holds
    for the units within it that have none of their own; that needs `units`.

    Raises
    ------
    ValueError
        Naming cells, units or facilities that are not there.
    """
    listed = catchment[catchment.notna() & (catchment != "")]
    row = times.facilities.index.get_indexer(listed.to_numpy())
    _refuse("facilities that the travel times lack", listed[row < 0].tolist(), "")
    by_cell = listed.index.dtype.kind in "iu" and cells.index.dtype.kind in "iu"
    key = _cell_keys(listed, cells) if by_cell else _unit_keys(listed, cells, units)
    number = {name: at for at, name in enumerate(dict.fromkeys(listed.index))}
    of_cell = np.array([number.get(name, -1) for name in key], dtype=np.int64)
    zone = np.array([number[name] for name in listed.index], dtype=np.int64)
    return Zones(of_cell, np.unique(zone * len(times.facilities) + row), len(times.facilities))


def _cell_keys(listed: pd.Series[str], cells: GeoDataFrame) -> list[Hashable]:
    _refuse("cells that are not there", listed.index.difference(cells.index).tolist(), "")
    return list(cells.index)


def _unit_keys(listed: pd.Series[str], cells: GeoDataFrame, units: GeoDataFrame | None) -> list[Hashable]:
    """Find for every cell the finest of its units that has a catchment, else its own unit."""
    known = set(cells["unit"]) | (set(units.index) if units is not None else set())
    cure = "" if units is not None else "; larger units than the cells' own need units="
    _refuse("units that are not there", [name for name in dict.fromkeys(listed.index) if name not in known], cure)
    have = set(listed.index)
    finest: dict[str, Hashable] = {}
    for unit in dict.fromkeys(cells["unit"]):
        chain = lineage(str(unit), units) if units is not None else [str(unit)]
        finest[unit] = next((code for code in chain if code in have), unit)
    return [finest[unit] for unit in cells["unit"]]


def _refuse(what: str, ids: list[object], cure: str) -> None:
    if ids:
        named = ", ".join(map(str, ids[:MOST_NAMED]))
        more = f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
        raise ValueError(f"the catchments name {what}: {named}{more}{cure}")
