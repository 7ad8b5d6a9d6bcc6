"""Paint the study's cells: a picture aligned with the web map, or dots where there is no raster."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.maps.encode import png_uri, points_block
from careshed.maps.layers import SLATES, Layer, degrees

if TYPE_CHECKING:
    from pyproj import Transformer

    from careshed.schema import Grid

PICTURE_PX: Final = 1400
"""Longer side of the population picture, pixels, at most; finer rasters are sampled."""

PIXELS_PER_CELL: Final = 8
"""Pixels along a cell's side, at most: enough that edges turned by the projection stay straight."""

LONE_CELL_M: Final = 100.0
"""Size of a dot where there is one cell and so no spacing to take it from, metres."""


def population_breaks(people: NDArray[np.float64]) -> list[float]:
    """Split people per cell, or another number above 0, into five classes of about as many cells each, at round numbers.

    >>> population_breaks(np.arange(1.0, 101.0))
    [20.0, 40.0, 60.0, 80.0]
    """
    lived_in = people[people > 0]
    if not len(lived_in):
        return []
    return sorted({_round_number(value) for value in np.quantile(lived_in, [0.2, 0.4, 0.6, 0.8])})


def _round_number(value: float) -> float:
    size = 10.0 ** np.floor(np.log10(value))
    step = size / 2 if value < 2 * size else size
    return float(f"{np.round(value / step) * step:.6g}")


def population_layer(cells: GeoDataFrame, group: str, grid: Grid | None) -> Layer | None:
    """Paint the people of one group; cells without people stay clear."""
    people = np.asarray(cells[group], dtype=float) if group in cells.columns else np.zeros(0)
    breaks = population_breaks(people)
    if not breaks:
        return None
    classes = np.where(people > 0, np.searchsorted(breaks, people, side="right") + 1, 0).astype(np.uint8)
    return {"breaks": breaks} | painted_cells(cells, classes, SLATES[: len(breaks) + 1], grid)


def painted_cells(cells: GeoDataFrame, classes: NDArray[np.uint8], colours: Sequence[str], grid: Grid | None) -> Layer:
    """Paint each cell in the colour of its class: a picture where cells come from a raster, dots where they do not.

    Parameters
    ----------
    classes
        Class of each cell, shape (cells,); class k takes ``colours[k - 1]``, cells of class 0 stay clear.
    """
    shown: Layer = {"colours": list(colours)}
    if grid is not None and {"row", "col"} <= set(cells.columns):
        row, col = (np.asarray(cells[name], dtype=int) for name in ("row", "col"))
        return shown | _picture(classes, row, col, grid, colours)
    return shown | _dots(cells[classes > 0], classes[classes > 0])


def _dots(cells: GeoDataFrame, classes: NDArray[np.uint8]) -> Layer:
    return {
        "points": points_block(np.asarray(degrees(cells).geometry.array, dtype=object)),
        "classes": [int(value) - 1 for value in classes],
        "radius_m": dot_radius(cells),
    }


def dot_radius(cells: GeoDataFrame) -> float:
    """Choose the radius of a dot, metres, so that neighbours do not quite touch."""
    from scipy.spatial import KDTree

    places = np.column_stack([cells.geometry.x, cells.geometry.y])
    apart = np.asarray(KDTree(places).query(places, k=[2])[0]) if len(places) > 1 else np.array([LONE_CELL_M])
    return round(float(np.median(apart)) * 0.42, 1)


def _picture(
    classes: NDArray[np.uint8], row: NDArray[np.int_], col: NDArray[np.int_], grid: Grid, colours: Sequence[str]
) -> Layer:
    """Sample the cells at every pixel of a picture that is straight in Web-Mercator, as Leaflet stretches it."""
    top, left = int(row.min()), int(col.min())
    window = np.zeros((int(row.max()) - top + 1, int(col.max()) - left + 1), dtype=np.uint8)
    window[row - top, col - left] = classes
    at, bounds = _pixels(window.shape, top, left, grid)
    picture = np.append(window.ravel(), np.uint8(0))[at]  # the last stands for pixels outside the window
    return {"png": png_uri(picture, colours), "bounds": [list(corner) for corner in bounds]}


@lru_cache(maxsize=2)
def _pixels(
    shape: tuple[int, int], top: int, left: int, grid: Grid
) -> tuple[NDArray[np.int32], tuple[tuple[float, float], tuple[float, float]]]:
    """Find the cell of a window under every pixel, -1 outside it, and the corners; the same for all maps of a study."""
    from pyproj import Transformer

    to_web = Transformer.from_crs(grid.crs, "EPSG:3857", always_xy=True)
    west, south, east, north = _bounds(shape, top, left, grid, to_web)
    per_cell = min(max(PICTURE_PX // max(shape), 1), PIXELS_PER_CELL)
    pixel = max((east - west) / shape[1] / per_cell, (east - west) / PICTURE_PX, (north - south) / PICTURE_PX)
    width, height = int(np.ceil((east - west) / pixel)), int(np.ceil((north - south) / pixel))
    x, y = np.meshgrid(west + (np.arange(width) + 0.5) * pixel, north - (np.arange(height) + 0.5) * pixel)
    at_row, at_col = _cell_at(*to_web.transform(x, y, direction="INVERSE"), grid)
    here_row, here_col = at_row - top, at_col - left
    inside = (here_row >= 0) & (here_row < shape[0]) & (here_col >= 0) & (here_col < shape[1])
    at = np.where(inside, here_row * shape[1] + here_col, -1).astype(np.int32)
    edges = Transformer.from_crs("EPSG:3857", "EPSG:4326", always_xy=True)
    lon, lat = edges.transform([west, west + width * pixel], [north - height * pixel, north])
    return at, ((round(lat[0], 7), round(lon[0], 7)), (round(lat[1], 7), round(lon[1], 7)))


def _bounds(shape: tuple[int, ...], top: int, left: int, grid: Grid, to_web: Transformer) -> tuple[float, float, float, float]:
    a, b, c, d, e, f = grid.transform
    rows, cols = np.arange(shape[0] + 1) + top, np.arange(shape[1] + 1) + left
    col = np.concatenate([cols, cols, np.full(len(rows), cols[0]), np.full(len(rows), cols[-1])])
    row = np.concatenate([np.full(len(cols), rows[0]), np.full(len(cols), rows[-1]), rows, rows])
    x, y = to_web.transform(a * col + b * row + c, d * col + e * row + f)
    return float(np.min(x)), float(np.min(y)), float(np.max(x)), float(np.max(y))


def _cell_at(x: NDArray[np.float64], y: NDArray[np.float64], grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    a, b, c, d, e, f = grid.transform
    determinant = a * e - b * d
    col = (e * (x - c) - b * (y - f)) / determinant
    row = (a * (y - f) - d * (x - c)) / determinant
    return np.floor(row).astype(np.int64), np.floor(col).astype(np.int64)
