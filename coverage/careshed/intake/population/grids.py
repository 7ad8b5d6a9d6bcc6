"""Open population rasters, check that they lie on one grid, and measure the ground that a pixel covers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pyproj
from numpy.typing import NDArray

from careshed.intake.tables import damaged, must_exist, stop
from careshed.schema import Fault, Grid, InputError, file_label

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

Float = NDArray[np.float64]
Int = NDArray[np.int64]

Per = Literal["cell", "km2", "ha"]
"""What a pixel's value counts: people in the pixel, per square kilometre, or per hectare."""

SQUARE_METRES: Final[dict[Per, float]] = {"km2": 1e6, "ha": 1e4}
"""Unit of a density -> square metres of it."""

_SAME_GRID_PIXELS: Final = 0.01
"""Two rasters are on one grid if no corner differs by more than this part of a pixel."""

_LATTICE: Final = 65
"""Points a side at which the ground under a pixel of a projected raster is measured; between them it is interpolated. It changes
smoothly: over ten degrees of Web Mercator this is within 3e-5 of itself."""

_NEAR: Final = 0.05
"""Pixels on either side of a point between which the ground is measured."""

_DENSITY_WORDS: Final = re.compile(r"densit|(?:^|_)pd(?:_|$)|(?:/|per)\s*(?:sq|km|hect|ha\b)|密度", re.IGNORECASE)


def opened_rasters(
    files: Mapping[str, Path], opener: Callable[[DatasetReader], DatasetReader], faults: list[Fault]
) -> dict[str, DatasetReader]:
    """Open every raster that can be; the others are faults.

    Parameters
    ----------
    opener
        What enters each raster, such as the ``enter_context`` of an `contextlib.ExitStack`.
    """
    import warnings

    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

    opened = {}
    for group, file in files.items():
        try:
            must_exist(file)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                opened[group] = opener(rasterio.open(file))
        except InputError as error:
            faults.extend(error.faults)
        except RasterioIOError as error:
            faults.extend(damaged(file, error).faults)
    return opened


def one_grid(opened: Mapping[str, DatasetReader], files: Mapping[str, Path], faults: list[Fault]) -> None:
    """Check that every raster states a CRS and lies on the grid that most of them share."""
    for group, raster in opened.items():
        if raster.crs is None:
            told = ("未说明坐标系", "the coordinate system is not stated")
            cure = (
                "请用 GIS 软件为栅格指定坐标系（如 gdal_edit -a_srs）。",
                "Assign one in a GIS (for example gdal_edit -a_srs EPSG:…).",
            )
            faults.extend(stop(files[group], "missing_crs", told, cure).faults)
    stated = {group: raster for group, raster in opened.items() if raster.crs is not None}
    likes = {group: sum(same_grid(raster, other) for other in stated.values()) for group, raster in stated.items()}
    if not likes:
        return
    model = max(likes, key=lambda group: likes[group])
    for group, raster in stated.items():
        if not same_grid(raster, stated[model]):
            told = (
                f"与 {file_label(files[model])} 不在同一格网上（{_grid_text(stated[model])}）",
                f"is not on the grid of {file_label(files[model])} ({_grid_text(stated[model])})",
            )
            cure = (
                '请在 [population] 中写 grid_of（如 "total"），由本工具分摊到该格网；或自行重采样并保持总数不变。',
                'State grid_of in [population] (such as "total") to have it brought there, or resample it, keeping its total.',
            )
            faults.extend(stop(files[group], "other_grid", told, cure, found=_grid_text(raster)).faults)


def same_grid(one: DatasetReader, other: DatasetReader) -> bool:
    """Tell whether two rasters have the same CRS, shape and corners."""
    if one.shape != other.shape or one.crs != other.crs:
        return False
    apart = np.abs(_corners(one) - _corners(other))
    return bool((apart <= _SAME_GRID_PIXELS * np.abs([one.transform.a, one.transform.e])).all())


def _corners(raster: DatasetReader) -> Float:
    """First and last corner of a raster in its own coordinates."""
    a, b, c, d, e, f = raster.transform[:6]
    wide, high = raster.width, raster.height
    return np.array([[c, f], [a * wide + b * high + c, d * wide + e * high + f]])


def _grid_text(raster: DatasetReader) -> str:
    a, c, f = raster.transform.a, raster.transform.c, raster.transform.f
    return f"{raster.width} × {raster.height}, {a:.6g}, {c:.8g} {f:.8g}, {crs_text(raster)[:40]}"


def crs_text(raster: DatasetReader) -> str:
    """Name a raster's coordinate system: its code where it has one, else WKT."""
    code = raster.crs.to_epsg()
    return f"EPSG:{code}" if code else str(raster.crs.to_wkt())


def density_hints(opened: Mapping[str, DatasetReader], files: Mapping[str, Path], per: Per) -> list[Fault]:
    """Note rasters whose name or description speaks of a density although they are read as people per pixel."""
    if per != "cell":
        return []
    found = []
    for group, raster in opened.items():
        said = " ".join([files[group].stem, *filter(None, raster.units), *filter(None, raster.descriptions)])
        if _DENSITY_WORDS.search(said):
            told = ("名称或说明像是人口密度，现按每像元人数读取", "looks like a density, and is read as people per pixel")
            cure = ('若为密度，请写 per = "km2" 或 "ha"。', 'If it is one, state per = "km2" or "ha".')
            zh_en = (*told, *cure)
            found.append(Fault("looks_like_density", file_label(files[group]), *zh_en, found=said[:80], severity="noted"))
    return found


@dataclass(frozen=True)
class PixelAreas:
    """The ground that each pixel covers, square metres on the ellipsoid whatever the projection."""

    of_row: Float | None
    """Area of a pixel of each row, for grids of degrees that point north; None for others."""
    at_lattice: Float
    """Area of a pixel at points spread evenly over the raster, shape (`_LATTICE`, `_LATTICE`); not used where rows are known."""
    shape: tuple[int, int]

    def of(self, rows: Int, columns: Int) -> Float:
        """Give the square metres that pixels cover."""
        if self.of_row is not None:
            return self.of_row[rows]
        y = (rows + 0.5) / self.shape[0] * (_LATTICE - 1)
        x = (columns + 0.5) / self.shape[1] * (_LATTICE - 1)
        top, left = np.minimum(y.astype(np.int64), _LATTICE - 2), np.minimum(x.astype(np.int64), _LATTICE - 2)
        down, right, known = y - top, x - left, self.at_lattice
        upper = known[top, left] * (1 - right) + known[top, left + 1] * right
        lower = known[top + 1, left] * (1 - right) + known[top + 1, left + 1] * right
        return np.asarray(upper * (1 - down) + lower * down)


def pixel_areas(grid: Grid) -> PixelAreas:
    """Measure the ground of the pixels of a grid: exactly along parallels for degrees, at a lattice of points else."""
    crs = pyproj.CRS(grid.crs)
    ellipsoid = crs.ellipsoid or pyproj.CRS("EPSG:4326").ellipsoid
    a, b, _, d, e, f = grid.transform
    if crs.is_geographic and not (b or d):
        edges = np.radians(f + e * np.arange(grid.shape[0] + 1))
        strip = np.abs(np.diff(_authalic(edges, ellipsoid))) * np.radians(abs(a))
        return PixelAreas(strip, np.zeros((0, 0)), grid.shape)
    return PixelAreas(None, _at_lattice(grid, crs, ellipsoid), grid.shape)


def _authalic(latitude: Float, ellipsoid: Any) -> Float:
    """Area between the equator and a latitude, square metres a radian of longitude (Snyder, 1987, eq. 3-12)."""
    major, minor = ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre
    e = float(np.sqrt(1 - (minor / major) ** 2))
    s = np.sin(latitude)
    if e == 0:
        return np.asarray(major**2 * s)
    q = (1 - e**2) * (s / (1 - (e * s) ** 2) - np.log((1 - e * s) / (1 + e * s)) / (2 * e))
    return np.asarray(major**2 / 2 * q)


def _at_lattice(grid: Grid, crs: pyproj.CRS, ellipsoid: Any) -> Float:
    """Measure a pixel about each point of the lattice from points beside it; points off the earth get the usual area."""
    high, wide = grid.shape
    a, b, c, d, e, f = grid.transform
    column, row = np.meshgrid(np.linspace(0, wide, _LATTICE), np.linspace(0, high, _LATTICE))
    convert = pyproj.Transformer.from_crs(crs, crs.geodetic_crs or crs, always_xy=True)

    def flat(right: float, down: float) -> tuple[Float, Float]:
        """Give longitude (radians) and the area south of it a radian of longitude, both of which areas are products of."""
        x, y = column + right, row + down
        lon, lat = convert.transform(a * x + b * y + c, d * x + e * y + f)
        on_earth = np.isfinite(lon) & np.isfinite(lat)
        longitude, latitude = (np.radians(np.where(on_earth, degrees, np.nan)) for degrees in (lon, lat))
        return longitude, _authalic(latitude, ellipsoid)

    (east, above_east), (west, above_west) = flat(_NEAR, 0.0), flat(-_NEAR, 0.0)
    (south, above_south), (north, above_north) = flat(0.0, _NEAR), flat(0.0, -_NEAR)
    area = np.abs((east - west) * (above_north - above_south) - (north - south) * (above_east - above_west))
    area /= (2 * _NEAR) ** 2
    sound = np.isfinite(area) & (np.abs(east - west) < np.pi)
    return np.where(sound, area, np.median(area[sound]) if sound.any() else 0.0)
