"""Read people from rasters on one grid, window by window, and lose nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyproj
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.intake.finish import hand_over
from careshed.intake.places import Bounds
from careshed.intake.population.grids import (
    SQUARE_METRES,
    Per,
    PixelAreas,
    crs_text,
    density_hints,
    one_grid,
    opened_rasters,
    pixel_areas,
)
from careshed.intake.population.tables import positions, total_noted
from careshed.intake.tables import damaged, stop
from careshed.schema import Checked, Fault, Grid, InputError, Population, file_label

if TYPE_CHECKING:
    from rasterio.io import DatasetReader
    from rasterio.windows import Window

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_WINDOW_PIXELS: Final = 1_000_000
"""Pixels of one group read at a time, 8 MB as float64: small beside any computer's memory, large enough to be quick."""

_CACHE_MB: Final = 64
"""Blocks GDAL keeps, MB. Every block is read once, so its own default, 5 % of the computer's memory, would be wasted."""

MOST_CELLS: Final = 4_000_000
"""Cells of one group that one study may hold: each takes about 300 bytes while it is read, so that all stay under 1.5 GB."""


MOST_PEOPLE: Final = 1.5e9
"""People that one pixel may hold, more than any country has: beyond it a mark for no data was not declared as one."""


@dataclass(frozen=True)
class _Part:
    """The cells with people of one window, and the people in it."""

    number: Int
    """Number of each cell, counted row by row over the cells handed out, ascending."""
    values: Float
    """People, shape (groups, cells)."""
    read: Float
    """All people of the window, shape (groups,)."""
    outside: Float
    """Those of them who live beyond the study area, shape (groups,)."""
    negative: list[tuple[int, int, int, float]]
    """Group, row, column and value of the first negative cell of each group."""
    negatives: Int
    """Negative cells, shape (groups,)."""
    huge: Int
    """Cells of more than `MOST_PEOPLE`, infinite ones too, shape (groups,)."""


@dataclass(frozen=True)
class _How:
    """How pixels become cells."""

    grid: Grid
    """The grid of the cells handed out, `merge` pixels a side."""
    pixels: Grid
    """The grid of the rasters."""
    merge: int
    areas: PixelAreas | None
    """Ground of each pixel, where values are densities."""
    per_m2: float
    area: Bounds | None


def read_population_rasters(
    paths: Mapping[str, str | Path],
    *,
    crs_out: str,
    per: Per = "cell",
    merge: int = 1,
    area: Bounds | None = None,
    most_cells: int | None = None,
) -> Checked[Population]:
    """Read a raster a group of people into cells; only cells with people are kept, and nobody is lost.

    Read window by window, so that a raster larger than memory works (WorldPop, GHSL, LandScan and their like). All rasters
    must lie on one grid; nodata counts as nobody; a scale that the file states is applied.

    Parameters
    ----------
    paths
        Group (``total``, ``p60``, …) -> GeoTIFF, in any coordinate system that the file states.
    per
        What values count: people in the pixel, or people per square kilometre or hectare of ground, whatever the projection.
    merge
        Pixels a side put into one cell, their people added up: 10 makes cells of 1 km of a raster of 100 m.
    area
        Only cells whose centre lies in these bounds are kept (west, south, east, north, degrees); the people beyond are noted.
    most_cells
        A study of more cells is refused before memory runs out; left out, `MOST_CELLS`, fewer the more groups there are.

    Raises
    ------
    careshed.schema.InputError
        If a file is damaged, states no CRS, lies on another grid, holds negative numbers, or gives too many cells.
    ValueError
        If `merge` is below 1.
    """
    import rasterio

    if merge < 1:
        raise ValueError(f"merge must be at least 1 pixel, not {merge}")
    files = {group: Path(path) for group, path in paths.items()}
    faults: list[Fault] = []
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=_CACHE_MB))
        opened = opened_rasters(files, stack.enter_context, faults)
        one_grid(opened, files, faults)
        if faults:
            raise InputError(faults)
        faults.extend([*density_hints(opened, files, per), *_other_bands(opened, files)])
        how = _how(next(iter(opened.values())), per, merge, area)
        most = most_cells if most_cells is not None else MOST_CELLS * 11 // (10 + len(files))
        parts = _parts(list(opened.values()), how, next(iter(files.values())), most)
    faults.extend([*_negative(parts, files), *_impossible(parts, files)])
    number, values = _joined(parts)
    faults.extend(_totals(parts, files, len(number), how, per))
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    del parts
    return hand_over(Population(_cells(number, values, list(files), how.grid, crs_out), how.grid), faults)


def _how(raster: DatasetReader, per: Per, merge: int, area: Bounds | None) -> _How:
    a, b, c, d, e, f = raster.transform[:6]
    pixels = Grid(crs_text(raster), (a, b, c, d, e, f), (raster.height, raster.width))
    shape = (-(-raster.height // merge), -(-raster.width // merge))
    grid = Grid(pixels.crs, (a * merge, b * merge, c, d * merge, e * merge, f), shape)
    areas = None if per == "cell" else pixel_areas(pixels)
    return _How(grid, pixels, merge, areas, 1.0 / SQUARE_METRES.get(per, 1.0), area)


def windows(raster: DatasetReader, layers: int = 1) -> Iterator[Window]:
    """Cut a raster into windows that follow its blocks and hold at most about `_WINDOW_PIXELS` pixels of all layers together."""
    pixels = max(1, _WINDOW_PIXELS // layers)
    from rasterio.windows import Window

    high, wide = raster.block_shapes[0]
    height = max(high, pixels // raster.width // high * high)
    width = raster.width if height * raster.width <= pixels else max(wide, pixels // height // wide * wide)
    for top in range(0, raster.height, height):
        for left in range(0, raster.width, width):
            yield Window(left, top, min(width, raster.width - left), min(height, raster.height - top))


def _parts(rasters: Sequence[DatasetReader], how: _How, file: Path, most: int) -> list[_Part]:
    """Read every window; stop where the cells would not fit."""
    parts, cells = [], 0
    for window in windows(rasters[0], len(rasters)):
        parts.append(_part(rasters, window, how))
        cells += len(parts[-1].number)
        if cells > most:
            told = (
                f"有人口的单元格超过 {most:,} 个，内存放不下",
                f"has more than {most:,} cells with people: they would not fit in memory",
            )
            cure = (
                "请在 [population] 中写 clip = true 只读单元范围，或写 merge（如 10）把像元合并；总人数不变。",
                "State clip = true in [population] to read only the units' part, or merge (such as 10); who is left out is told.",
            )
            raise stop(file, "too_many_cells", told, cure)
    return parts


def _part(rasters: Sequence[DatasetReader], window: Window, how: _How) -> _Part:
    """Read one window of all groups; nodata and NaN count as nobody."""
    people: Any = np.stack([_layer(raster, window) for raster in rasters])
    below = people < 0
    firsts = [np.argwhere(layer)[0] if layer.any() else None for layer in below]
    negative = [
        (group, int(at[0] + window.row_off), int(at[1] + window.col_off), float(people[group, at[0], at[1]]))
        for group, at in enumerate(firsts)
        if at is not None
    ]
    rows, columns = np.nonzero((people > 0).any(axis=0))
    values = people[:, rows, columns]
    rows, columns = rows + int(window.row_off), columns + int(window.col_off)
    if how.areas is not None:
        values = values * (how.areas.of(rows, columns) * how.per_m2)
    read = values.sum(axis=1)
    number, values = _merged(rows // how.merge * how.grid.shape[1] + columns // how.merge, values, how.merge)
    inside = _inside(number, how)
    outside, huge = values[:, ~inside].sum(axis=1), (people > MOST_PEOPLE).sum(axis=(1, 2))
    return _Part(number[inside], values[:, inside], read, outside, negative, below.sum(axis=(1, 2)), huge)


def _merged(number: Int, values: Float, merge: int) -> tuple[Int, Float]:
    """Add up the pixels of each cell; pixels that are cells of their own are left as they are."""
    if merge == 1:
        return number, values
    found, which = np.unique(number, return_inverse=True)
    return found, np.stack([np.bincount(which, weights=group, minlength=len(found)) for group in values])


def _inside(number: Int, how: _How) -> NDArray[np.bool_]:
    """Say which cells have their centre in the study area."""
    if how.area is None or not len(number):
        return np.ones(len(number), dtype=np.bool_)
    lon, lat = _centres(number, how.grid, "EPSG:4326")
    west, south, east, north = how.area
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north), dtype=np.bool_)


def _layer(raster: DatasetReader, window: Window) -> Float:
    """Read one window of one raster; what holds no data holds nobody."""
    from rasterio.errors import RasterioError, RasterioIOError

    try:
        people = raster.read(1, window=window, masked=True).astype(np.float64).filled(np.nan)
    except (RasterioError, RasterioIOError) as error:
        raise damaged(Path(raster.name), error) from error
    scaled = people * raster.scales[0] + raster.offsets[0]
    return np.asarray(np.where(np.isnan(scaled), 0.0, scaled), dtype=np.float64)


def _negative(parts: Sequence[_Part], files: Mapping[str, Path]) -> list[Fault]:
    faults: list[Fault] = []
    counts = np.sum([part.negatives for part in parts], axis=0)
    for group, file in enumerate(files.values()):
        if counts[group]:
            _, row, column, value = next(first for part in parts for first in part.negative if first[0] == group)
            told = (
                f"{counts[group]} 个像元的人口为负，第一个在第 {row + 1} 行第 {column + 1} 列",
                f"{counts[group]} cell(s) have negative population, the first in row {row + 1}, column {column + 1}",
            )
            cure = (
                "若该值表示无数据，请声明 nodata（如 gdal_edit -a_nodata）；否则请改正。",
                "If the value stands for no data, declare it (gdal_edit -a_nodata VALUE); else correct it.",
            )
            faults.extend(stop(file, "negative_population", told, cure, found=f"{value:g}").faults)
    return faults


def _impossible(parts: Sequence[_Part], files: Mapping[str, Path]) -> list[Fault]:
    """Refuse pixels with more people than a country: infinity, or a mark for no data that the file does not declare."""
    faults: list[Fault] = []
    for count, file in zip(np.sum([part.huge for part in parts], axis=0), files.values(), strict=True):
        if count:
            told = (f"{count} 个像元的人口超过 {MOST_PEOPLE:,.0f}", f"{count} cell(s) hold more than {MOST_PEOPLE:,.0f} people")
            cure = (
                "若该值表示无数据，请声明 nodata（如 gdal_edit -a_nodata）；否则请改正。",
                "If the value stands for no data, declare it (gdal_edit -a_nodata VALUE); else correct it.",
            )
            faults.extend(stop(file, "impossible_population", told, cure).faults)
    return faults


def _other_bands(opened: Mapping[str, DatasetReader], files: Mapping[str, Path]) -> list[Fault]:
    """Say which rasters hold more bands than the one that is read."""
    faults = []
    for group, raster in opened.items():
        if raster.count > 1:
            told = (f"有 {raster.count} 个波段，只读第 1 个", f"has {raster.count} bands; only the first is read")
            cure = ("其余波段请另存为单波段栅格。", "Save the others as rasters of their own where they count people too.")
            faults.append(Fault("other_bands", file_label(files[group]), *told, *cure, severity="noted"))
    return faults


def _totals(parts: Sequence[_Part], files: Mapping[str, Path], cells: int, how: _How, per: Per) -> list[Fault]:
    """Note the people read and kept of each group, and refuse rasters without anybody."""
    read = np.sum([part.read for part in parts], axis=0)
    outside = np.sum([part.outside for part in parts], axis=0)
    if not cells:
        cure = ("请检查栅格内容、nodata 和研究范围。", "Check the rasters, their nodata value and the study area.")
        if not read.any():
            cure = ("请检查栅格内容和 nodata。", "Check the rasters and their nodata value.")
        return list(stop(next(iter(files.values())), "nobody", ("没有任何人口", "there are no people in it"), cure).faults)
    noted: list[Fault] = []
    for place, (group, file) in enumerate(files.items()):
        label = file_label(file)
        if how.areas is not None:
            zh, en = f"{group}：由密度（每 {per}）乘以像元实地面积得人数", f"{group}: people are density (per {per}) times ground"
            noted.append(Fault("density_converted", label, zh, en, severity="repaired"))
        noted.append(total_noted(label, group, float(read[place] - outside[place]), cells))
        if outside[place]:
            zh = f"{group}：研究范围之外的 {outside[place]:,.1f} 人未读入（全栅格 {read[place]:,.1f} 人）"
            en = f"{group}: {outside[place]:,.1f} people beyond the study area are not read (of {read[place]:,.1f} in the raster)"
            noted.append(Fault("people_beyond_area", label, zh, en, severity="dropped", people=float(outside[place])))
    return noted


def _joined(parts: Sequence[_Part]) -> tuple[Int, Float]:
    """Put the windows together in raster order; a cell that several windows share is added up."""
    number = np.concatenate([part.number for part in parts])
    values = np.concatenate([part.values for part in parts], axis=1)
    if (np.diff(number) > 0).all():
        return number, values
    found, which = np.unique(number, return_inverse=True)
    return found, np.stack([np.bincount(which, weights=group, minlength=len(found)) for group in values])


def _centres(number: Int, grid: Grid, crs_out: str) -> tuple[Float, Float]:
    """Project the centres of cells."""
    rows, columns = number // grid.shape[1], number % grid.shape[1]
    a, b, c, d, e, f = grid.transform
    x, y = a * (columns + 0.5) + b * (rows + 0.5) + c, d * (columns + 0.5) + e * (rows + 0.5) + f
    east, north = pyproj.Transformer.from_crs(grid.crs, crs_out, always_xy=True).transform(x, y)
    return np.asarray(east), np.asarray(north)


def _cells(number: Int, values: Float, groups: Sequence[str], grid: Grid, crs_out: str) -> GeoDataFrame:
    """Make the cells table in raster order; ``cell_id`` is the cell's number counted row by row."""
    points = shapely.points(*_centres(number, grid, crs_out))
    people = {group: values[place] for place, group in enumerate(groups)}
    frame = pd.DataFrame({**people, "row": number // grid.shape[1], "col": number % grid.shape[1]}, index=positions(number))
    return GeoDataFrame(frame, geometry=points, crs=crs_out)
