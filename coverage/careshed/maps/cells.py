"""Pack cells for painting and hover: where each lies, how many people live there, how far the nearest facility is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.maps.encode import packed, points_block
from careshed.maps.facts import MS_PER_MINUTE
from careshed.maps.layers import SLATES, Layer, degrees
from careshed.maps.population import dot_radius, population_breaks
from careshed.words import Lang, group_name

if TYPE_CHECKING:
    from careshed.reach import TravelTimes
    from careshed.schema import Grid

STEPS_PER_MINUTE: Final = 2
"""Minutes are kept in halves, rounded up: a cell at exactly a limit stays within it, one beyond it never slips in."""

PARTS_OF_PERSON: Final = 10
"""People of a cell are kept to a tenth."""

FIT_CELLS: Final = 0.02
"""Cells painted by the page lie within this share of a cell of where they are."""

HIGHEST_POWER: Final = 7

NONE_REACHED: Final = 0
"""Code of a cell from which no facility can be reached; whole halves of a minute follow from 1."""

UNJUDGED: Final = -1
"""Code of a cell that cannot be judged."""


def cells_layer(
    cells: GeoDataFrame, groups: Sequence[str], grid: Grid | None, times: TravelTimes | None = None, *, lang: Lang = "zh"
) -> Layer | None:
    """Pack the cells with people: the page paints them for any group and says on hover who lives there and how far care is.

    Parameters
    ----------
    groups
        Groups that the page can show, the leading one first; those without a column are left out.
    times
        Travel times of the service; their minutes to the nearest facility are packed too.

    Returns
    -------
    dict or None
        None where nobody of the groups lives anywhere.
    """
    here = [group for group in groups if group in cells.columns]
    people = {group: np.asarray(cells[group], dtype=float) for group in here}
    lived_in = np.zeros(len(cells), dtype=bool)
    for numbers in people.values():
        lived_in |= numbers > 0
    if not lived_in.any():
        return None
    place, order = _places(cells, np.flatnonzero(lived_in), grid)
    people = {group: numbers[order] for group, numbers in people.items()}
    breaks = {group: population_breaks(numbers) for group, numbers in people.items()}
    layer: Layer = {
        "groups": here,
        "names": {group: group_name(group, lang) for group in here},
        "people": {group: packed(np.rint(numbers * PARTS_OF_PERSON).astype(np.int64)) for group, numbers in people.items()},
        "breaks": breaks,
        "colours": list(SLATES),
        "n": len(order),
    }
    codes = minute_codes(cells.index, times)
    return layer | place | ({"minutes": packed(codes[order])} if codes is not None else {})


def _places(cells: GeoDataFrame, lived_in: NDArray[np.intp], grid: Grid | None) -> tuple[Layer, NDArray[np.intp]]:
    """Say where cells lie, and in which order: row by row on a grid, as they come without one."""
    if grid is None or not {"row", "col"} <= set(cells.columns):
        here = cells.iloc[lived_in]
        points = np.asarray(degrees(here).geometry.array, dtype=object)
        return {"points": points_block(points), "radius_m": dot_radius(here)}, lived_in
    row, col = (np.asarray(cells[name], dtype=np.int64)[lived_in] for name in ("row", "col"))
    top, left, width = int(row.min()), int(col.min()), int(np.ptp(col)) + 1
    flat = (row - top) * width + col - left
    order = np.argsort(flat, kind="stable")
    steps = np.diff(flat[order], prepend=0)
    shape = (int(np.ptp(row)) + 1, width)
    return {"at": packed(steps), "shape": list(shape)} | grid_fit(grid, top, left, shape), lived_in[order]


def minute_codes(cell_ids: pd.Index[int], times: TravelTimes | None) -> NDArray[np.int64] | None:
    """Code the time to the nearest facility of each cell, None where travel is not measured in time.

    >>> from types import SimpleNamespace
    >>> times = SimpleNamespace(metric="time", cell_ids=pd.RangeIndex(4), cell_fault=np.array(["", "", "", "far"]),
    ...                         nearest_cost=np.array([900_000, 900_001, -1, 5]))
    >>> minute_codes(pd.RangeIndex(4), times).tolist()  # 15 min; a millisecond more; none; cannot be judged
    [31, 32, 0, -1]
    """
    if times is None or times.metric != "time":
        return None
    cost = np.asarray(times.nearest_cost, dtype=np.int64)
    steps = -(-cost * STEPS_PER_MINUTE // MS_PER_MINUTE) + 1
    codes = np.where(cost < 0, NONE_REACHED, steps)
    codes[np.asarray(times.cell_fault) != ""] = UNJUDGED
    at = times.cell_ids.get_indexer(cell_ids)
    return np.where(at < 0, UNJUDGED, codes[at])


def grid_fit(grid: Grid, top: int, left: int, shape: tuple[int, int]) -> Layer:
    """Fit row and column of the grid as polynomials of the place on a web map, good to `FIT_CELLS` of a cell.

    Returns
    -------
    dict
        ``box``: west, south, east, north in Web-Mercator metres; ``col`` and ``row``: coefficients ``[i][j]`` of
        ``u**i * v**j``, u from 0 in the west to 1 in the east, v from 0 in the north to 1 in the south.
    """
    from pyproj import Transformer

    a, b, c, d, e, f = grid.transform
    rows, cols = (axis.ravel() for axis in np.mgrid[0 : shape[0] : 33j, 0 : shape[1] : 33j])
    to_web = Transformer.from_crs(grid.crs, "EPSG:3857", always_xy=True)
    x, y = to_web.transform(a * (cols + left) + b * (rows + top) + c, d * (cols + left) + e * (rows + top) + f)
    west, south, east, north = float(np.min(x)), float(np.min(y)), float(np.max(x)), float(np.max(y))
    u, v = (np.asarray(x) - west) / (east - west), (north - np.asarray(y)) / (north - south)
    for power in range(1, HIGHEST_POWER + 1):
        terms = np.stack([u**i * v**j for i in range(power + 1) for j in range(power + 1)], axis=1)
        col, row = (np.linalg.lstsq(terms, target, rcond=None)[0] for target in (cols, rows))
        if max(np.max(np.abs(terms @ col - cols)), np.max(np.abs(terms @ row - rows))) <= FIT_CELLS:
            break
    shaped = {name: np.round(found, 9).reshape(power + 1, power + 1).tolist() for name, found in (("col", col), ("row", row))}
    return {"box": [round(west, 2), round(south, 2), round(east, 2), round(north, 2)]} | shaped
