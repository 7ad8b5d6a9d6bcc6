"""Bring rasters of people on different grids to one of them, pixel by pixel by the exact share of ground, and lose nobody."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyproj
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.intake.finish import hand_over
from careshed.intake.places import Bounds
from careshed.intake.population.grids import Per, opened_rasters, same_grid
from careshed.intake.population.rasters import read_population_rasters
from careshed.intake.tables import stop
from careshed.schema import Checked, Fault, Grid, InputError, Population, file_label

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

Float = NDArray[np.float64]
Int = NDArray[np.int64]

MOST_PIECES: Final = 20_000_000
"""Pieces that pixels may be cut into: about 100 bytes each, so that all stay under 2 GB."""

_STRAIGHT: Final = 1e-6
"""Pixels whose sides lean by less than this part of a pixel of the other grid are cut as rectangles."""

_AT_ONCE: Final = 200_000
"""Pieces of leaning pixels cut at one time."""


def read_rasters_on_grid_of(
    paths: Mapping[str, str | Path],
    model: str,
    *,
    crs_out: str,
    per: Per = "cell",
    merge: int = 1,
    area: Bounds | None = None,
) -> Checked[Population]:
    """Read a raster a group of people, and bring those on other grids to the grid of one; every total is kept.

    People of a pixel are taken as even over it: each cell gets the share of the pixel that lies in it. Cells that reach beyond
    the model's raster are added, so that nobody is lost.

    Parameters
    ----------
    paths
        Group -> GeoTIFF.
    model
        Group whose grid holds.
    per, merge, area
        As `careshed.intake.population.read_population_rasters`; `merge` puts pixels of the model's grid together.

    Raises
    ------
    careshed.schema.InputError
        With every fault of every raster; or if a raster's pixels would be cut into more than `MOST_PIECES` pieces.
    KeyError
        If no raster is of the group `model`.
    """
    files = {group: Path(path) for group, path in paths.items()}
    alike, others = _parted(files, model)
    faults: list[Fault] = []
    base = _tried(faults, {group: files[group] for group in alike}, crs_out, per, merge, area)
    read = {group: _tried(faults, {group: files[group]}, crs_out, per, 1, area) for group in others}
    if base is None or base.grid is None or any(people is None for people in read.values()):
        raise InputError(faults)
    pieces = [_long(base.cells, list(alike))]
    for group, people in read.items():
        if people is not None and people.grid is not None:
            pieces.append(_moved(people, group, base.grid, files[group]))
            faults.append(_told(files[group], files[model], group, float(people.cells[group].sum())))
    table, grid = _joined(pieces, list(files), base.grid)
    return hand_over(Population(_points(table, grid, crs_out), grid), [*faults, *_contradicting(table, files)])


def _parted(files: Mapping[str, Path], model: str) -> tuple[list[str], list[str]]:
    """Tell the groups on the grid of the model's raster from the others."""
    faults: list[Fault] = []
    with ExitStack() as stack:
        opened: dict[str, DatasetReader] = opened_rasters(files, stack.enter_context, faults)
        if faults:
            raise InputError(faults)
        alike = [group for group, raster in opened.items() if same_grid(raster, opened[model])]
    return alike, [group for group in files if group not in alike]


def _tried(
    faults: list[Fault], files: Mapping[str, Path], crs_out: str, per: Per, merge: int, area: Bounds | None
) -> Population | None:
    try:
        read = read_population_rasters(files, crs_out=crs_out, per=per, merge=merge, area=area)
    except InputError as error:
        faults.extend(error.faults)
        return None
    faults.extend(read.faults)
    return read.table


def _long(cells: GeoDataFrame, groups: list[str]) -> pd.DataFrame:
    return pd.DataFrame(cells[["row", "col", *groups]]).reset_index(drop=True)


def _moved(people: Population, group: str, onto: Grid, file: Path) -> pd.DataFrame:
    """Cut the pixels of one raster by the cells of another grid, and share their people out by area."""
    column, row = _corners(people, onto)
    left, right = np.floor(column.min(axis=1)), np.ceil(column.max(axis=1))
    top, bottom = np.floor(row.min(axis=1)), np.ceil(row.max(axis=1))
    wide, high = np.maximum(1, right - left).astype(np.int64), np.maximum(1, bottom - top).astype(np.int64)
    count = wide * high
    if count.sum() > MOST_PIECES:
        told = (f"像元将被切成 {count.sum():,} 份，内存放不下", f"its pixels would be cut into {count.sum():,} pieces")
        cure = ("请写 clip = true，或用 merge 放大单元格。", "State clip = true, or larger cells with merge.")
        raise stop(file, "too_many_cells", told, cure)
    source = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
    at_row = top.astype(np.int64)[source] + place // wide[source]
    at_col = left.astype(np.int64)[source] + place % wide[source]
    share = _shares(column, row, source, at_row, at_col)
    share /= np.bincount(source, weights=share, minlength=len(count))[source]
    some = share > 0
    values = people.cells[group].to_numpy(dtype=np.float64)[source[some]] * share[some]
    return pd.DataFrame({"row": at_row[some], "col": at_col[some], group: values})


def _corners(people: Population, onto: Grid) -> tuple[Float, Float]:
    """Give the corners of every cell in columns and rows of another grid, shape (cells, 4)."""
    own = people.grid
    assert own is not None
    a, b, c, d, e, f = own.transform
    column = people.cells["col"].to_numpy(dtype=float)[:, None] + np.array([0.0, 1.0, 1.0, 0.0])
    row = people.cells["row"].to_numpy(dtype=float)[:, None] + np.array([0.0, 0.0, 1.0, 1.0])
    convert = pyproj.Transformer.from_crs(own.crs, onto.crs, always_xy=True)
    x, y = convert.transform(a * column + b * row + c, d * column + e * row + f)
    a, b, c, d, e, f = onto.transform
    whole = a * e - b * d
    return _near_whole((e * (x - c) - b * (y - f)) / whole), _near_whole((a * (y - f) - d * (x - c)) / whole)


def _near_whole(values: Float) -> Float:
    """Take what lies a hair beside the edge of a cell for the edge."""
    nearest = np.rint(values)
    return np.where(np.abs(values - nearest) < _STRAIGHT, nearest, values)


def _shares(column: Float, row: Float, source: Int, at_row: Int, at_col: Int) -> Float:
    """Measure how much of each pixel lies in each cell it meets, in cells."""
    lean = (
        np.abs(column[:, [0, 1]] - column[:, [3, 2]]).max(initial=0.0),
        np.abs(row[:, [0, 3]] - row[:, [1, 2]]).max(initial=0.0),
    )
    if max(lean) < _STRAIGHT:
        across = np.minimum(column.max(axis=1)[source], at_col + 1) - np.maximum(column.min(axis=1)[source], at_col)
        down = np.minimum(row.max(axis=1)[source], at_row + 1) - np.maximum(row.min(axis=1)[source], at_row)
        return np.asarray(np.clip(across, 0, None) * np.clip(down, 0, None))
    quads = shapely.polygons(np.stack([column, row], axis=-1))
    share = np.empty(len(source))
    for begin in range(0, len(source), _AT_ONCE):
        now = slice(begin, begin + _AT_ONCE)
        boxes = shapely.box(at_col[now], at_row[now], at_col[now] + 1, at_row[now] + 1)
        share[now] = shapely.area(shapely.intersection(quads[source[now]], boxes))
    return share


def _joined(pieces: list[pd.DataFrame], groups: list[str], grid: Grid) -> tuple[pd.DataFrame, Grid]:
    """Add up the people of every cell; the grid is widened by whole cells where people lie beyond it."""
    table = pd.concat(pieces, ignore_index=True).fillna(0.0).groupby(["row", "col"], sort=True)[groups].sum().reset_index()
    top, left = min(0, int(table["row"].min())), min(0, int(table["col"].min()))
    high, wide = max(grid.shape[0], int(table["row"].max()) + 1) - top, max(grid.shape[1], int(table["col"].max()) + 1) - left
    a, b, c, d, e, f = grid.transform
    moved = (a, b, a * left + b * top + c, d, e, d * left + e * top + f)
    return table.assign(row=table["row"] - top, col=table["col"] - left), Grid(grid.crs, moved, (high, wide))


def _points(table: pd.DataFrame, grid: Grid, crs_out: str) -> GeoDataFrame:
    """Make the cells table; ``cell_id`` is the cell's number counted row by row over the widened grid."""
    a, b, c, d, e, f = grid.transform
    column, row = table["col"].to_numpy() + 0.5, table["row"].to_numpy() + 0.5
    convert = pyproj.Transformer.from_crs(grid.crs, crs_out, always_xy=True)
    points = shapely.points(*convert.transform(a * column + b * row + c, d * column + e * row + f))
    groups = [name for name in table.columns if name not in ("row", "col")]
    number = pd.Index(table["row"] * grid.shape[1] + table["col"], name="cell_id", dtype="int64")
    return GeoDataFrame(table[[*groups, "row", "col"]].set_axis(number, axis=0), geometry=points, crs=crs_out)


def _told(file: Path, model: Path, group: str, people: float) -> Fault:
    zh = f"{group}：已按面积分摊到 {file_label(model)} 的格网，{people:,.1f} 人总数不变"
    en = f"{group}: brought to the grid of {file_label(model)} by the share of ground, {people:,.1f} people kept"
    return Fault("resampled", file_label(file), zh, en, severity="repaired", people=people)


def _contradicting(table: pd.DataFrame, files: Mapping[str, Path]) -> list[Fault]:
    """Say where a group now holds more people than all residents, since the grids said different things."""
    if "total" not in files:
        return []
    noted = []
    for group in (name for name in files if name != "total"):
        over = (table[group] - table["total"]).clip(lower=0.0)
        cells, people = int((over > 1e-6 * table["total"].clip(lower=1.0)).sum()), float(over.sum())
        if cells:
            zh = f"{cells} 个单元格的 {group} 多于 total（共多 {people:,.1f} 人）：两套格网不一致"
            en = f"{cells} cell(s) hold more of {group} than of total ({people:,.1f} people more): the two grids disagree"
            noted.append(Fault("group_exceeds_total", file_label(files[group]), zh, en, severity="noted", people=people))
    return noted
