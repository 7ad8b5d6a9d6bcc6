"""Say how a cell is drawn: as a square of the grid, turned as the grid lies on the web map, or as a dot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from careshed.access import cell_spacing

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.schema import Grid


def cell_shape(cells: GeoDataFrame, grid: Grid | None) -> dict[str, object]:
    """Give the sides of a cell in metres of the web map (EPSG:3857) around the middle of the study: along a row, along a column.

    Cells of a grid are squares, others dots that leave a little ground between them. Where they stand is exact; the shape is that
    of the middle, which over a county differs by less than a hundredth.
    """
    from pyproj import Transformer

    west, south, east, north = cells.total_bounds
    x, y = (west + east) / 2, (south + north) / 2
    gridded = grid is not None and {"row", "col"} <= set(cells.columns)
    if grid is not None and gridded:
        to_web = Transformer.from_crs(cells.crs, grid.crs, always_xy=True)
        x, y = to_web.transform(x, y)
        a, b, _, d, e, _ = grid.transform
        steps, crs = ((a, d), (b, e)), grid.crs
    else:
        side = cell_spacing(cells)
        steps, crs = ((side, 0.0), (0.0, -side)), cells.crs
    web = Transformer.from_crs(crs, "EPSG:3857", always_xy=True)
    at = web.transform(x, y)
    (ax, ay), (bx, by) = (_step(web.transform(x + dx, y + dy), at) for dx, dy in steps)
    turn = math.atan2(ay, ax)
    return {
        "square": bool(gridded),
        "width": round(math.hypot(ax, ay), 3),
        "height": round(math.hypot(bx, by), 3),
        "turn": round(turn, 5),
    }


def _step(there: tuple[float, float], here: tuple[float, float]) -> tuple[float, float]:
    return there[0] - here[0], there[1] - here[1]
