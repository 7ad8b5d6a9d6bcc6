"""Read people by age group, from rasters on one grid or from tables of points or areas."""

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

from careshed.datum import Datum
from careshed.intake.facilities import point_geometry
from careshed.intake.finish import check_columns, hand_over
from careshed.intake.places import Bounds, Reference
from careshed.intake.tables import SourceTable, damaged, must_exist, read_table, stop
from careshed.intake.values import ids, numbers
from careshed.schema import Checked, Fault, Grid, InputError, Population, file_label

if TYPE_CHECKING:
    from rasterio.io import DatasetReader
    from rasterio.windows import Window

_WINDOW_PIXELS: Final = 1_000_000
"""Pixels of one group read at a time, 8 MB as float64: small beside any computer's memory, large enough to be quick."""

_CACHE_MB: Final = 64
"""Blocks GDAL keeps, MB. Every block is read once, so its own default, 5 % of the computer's memory, would be wasted."""

_SAME_GRID_PIXELS: Final = 0.01
"""Two rasters are on one grid if no corner differs by more than this part of a pixel."""

_PLACE: Final = ("id", "lon", "lat")


@dataclass(frozen=True)
class _People:
    """The cells with people of one window, and the people in it."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float64]
    """People, shape (groups, cells)."""
    read: NDArray[np.float64]
    """All people of the window, shape (groups,)."""
    negative: list[tuple[int, int, int, float]]
    """Group, row, column and value of the first negative cell of each group."""
    negatives: NDArray[np.int64]
    """Negative cells, shape (groups,)."""


def read_population_rasters(paths: Mapping[str, str | Path], *, crs_out: str) -> Checked[Population]:
    """Read a raster a group of people into cells; only cells with people are kept, and nobody is lost.

    Read window by window, so that a raster larger than memory works. All rasters must lie on one grid; nodata counts as
    nobody. Values are people per cell.

    Parameters
    ----------
    paths
        Group (``total``, ``p60``, …) -> GeoTIFF, in any coordinate system that the file states.

    Raises
    ------
    careshed.schema.InputError
        If a file is damaged, states no CRS, lies on another grid, or holds negative numbers.
    """
    import rasterio

    files = {group: Path(path) for group, path in paths.items()}
    faults: list[Fault] = []
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=_CACHE_MB))
        opened = {group: stack.enter_context(data) for group, data in _opened(files, faults).items()}
        _one_grid(opened, files, faults)
        if faults:
            raise InputError(faults)
        first = next(iter(opened.values()))
        parts = [_window_people(list(opened.values()), window) for window in windows(first)]
        grid = Grid(_crs_text(first), tuple(first.transform)[:6], (first.height, first.width))
    faults.extend(_negative(parts, files))
    faults.extend(_totals(parts, files))
    return hand_over(Population(_cells(parts, list(files), grid, crs_out), grid), faults)


def read_population_table(
    path: str | Path,
    *,
    crs_out: str,
    sheet: str | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    area: Bounds | None = None,
) -> Checked[Population]:
    """Read a table of people at points or in areas; an area's people count at its centre.

    Count columns are those the study maps to a group (any name) and those under usual names. ``cell_id`` is the record's
    position in the file, from 0; records without people are left out and counted.

    Raises
    ------
    careshed.schema.InputError
        With every fault of the file.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "people.csv"
    >>> _ = file.write_text("经度,纬度,总人口,60岁及以上\\n121.5,31.2,300,60\\n121.6,31.2,0,0\\n", encoding="utf-8")
    >>> people = read_population_table(file, crs_out="EPSG:32651", crs="EPSG:4326", datum="WGS-84").table
    >>> people.cells[["total", "p60"]].to_dict("index")
    {0: {'total': 300.0, 'p60': 60.0}}
    """
    table = read_table(path, kind="population", sheet=sheet, layer=layer, columns=columns)
    faults = list(table.faults)
    groups = [name for name in table.headers if name not in _PLACE]
    if not groups:
        faults.append(table.missing_column("total"))
    if "id" in table.headers:
        ids(table, faults)
    geometry = point_geometry(table, Reference(crs_out, crs, datum, area), faults)
    people = pd.DataFrame({name: _counts(table, name, faults) for name in groups}, index=_positions(np.arange(len(table.rows))))
    faults.extend(check_columns(people, table, counts=tuple(groups)))
    cells = GeoDataFrame(people, geometry=geometry, crs=crs_out)
    kept = cells[(people > 0).any(axis=1)]
    if not any(fault.severity == "error" for fault in faults):
        faults.extend(_table_totals(table, people, len(kept)))
    return hand_over(Population(kept, None), faults)


def _counts(table: SourceTable, name: str, faults: list[Fault]) -> NDArray[np.float64]:
    """Read a column of people; blank is an error, since nobody knows whether it means nobody or unknown."""
    spoilt: list[Fault] = []
    read = numbers(table, name, spoilt, quantity="people")
    faults.extend(spoilt)
    told = {fault.row for fault in spoilt if fault.severity == "error"}
    for at in np.flatnonzero(np.isnan(read)):
        if str(table.rows[at]) not in told:
            cure = ("无人居住请填 0。", "Write 0 where nobody lives.")
            faults.append(
                table.fault("blank_count", ("人口数为空", "the number of people is blank"), cure, at=int(at), column=name)
            )
    return read


def _table_totals(table: SourceTable, people: pd.DataFrame, kept: int) -> list[Fault]:
    if not kept:
        cure = ("请检查人口列。", "Check the columns of people.")
        return [table.fault("nobody", ("没有任何人口", "there are no people in it"), cure)]
    empty = len(people) - kept
    noted = [_total_noted(table.file, group, float(people[group].sum()), kept) for group in people.columns]
    if empty:
        told = (f"{empty} 个无人口的单元格未采用", f"{empty} record(s) without people are left out")
        noted.append(table.fault("empty_cells", told, severity="noted"))
    return noted


def _total_noted(file: str, group: str, people: float, cells: int) -> Fault:
    zh = f"{group}：读入 {people:,.1f} 人，全部保留在 {cells:,} 个单元格中"
    en = f"{group}: {people:,.1f} people read, all kept in {cells:,} cells"
    return Fault("people_total", file, zh, en, severity="noted")


def windows(raster: DatasetReader) -> Iterator[Window]:
    """Cut a raster into windows that follow its blocks and hold at most about `_WINDOW_PIXELS` pixels."""
    from rasterio.windows import Window

    high, wide = raster.block_shapes[0]
    height = max(high, _WINDOW_PIXELS // raster.width // high * high)
    width = raster.width if height * raster.width <= _WINDOW_PIXELS else max(wide, _WINDOW_PIXELS // height // wide * wide)
    for top in range(0, raster.height, height):
        for left in range(0, raster.width, width):
            yield Window(left, top, min(width, raster.width - left), min(height, raster.height - top))


def _opened(files: Mapping[str, Path], faults: list[Fault]) -> dict[str, DatasetReader]:
    """Open every raster that can be; the others are faults."""
    import warnings

    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

    opened = {}
    for group, file in files.items():
        try:
            must_exist(file)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                opened[group] = rasterio.open(file)
        except InputError as error:
            faults.extend(error.faults)
        except RasterioIOError as error:
            faults.extend(damaged(file, error).faults)
    return opened


def _one_grid(opened: Mapping[str, DatasetReader], files: Mapping[str, Path], faults: list[Fault]) -> None:
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
    likes = {group: sum(_same_grid(raster, other) for other in stated.values()) for group, raster in stated.items()}
    if not likes:
        return
    model = max(likes, key=lambda group: likes[group])
    for group, raster in stated.items():
        if not _same_grid(raster, stated[model]):
            told = (
                f"与 {file_label(files[model])} 不在同一格网上（{_grid_text(stated[model])}）",
                f"is not on the grid of {file_label(files[model])} ({_grid_text(stated[model])})",
            )
            cure = ("请重采样到同一格网并保持总数不变。", "Resample it to that grid, keeping its total.")
            faults.extend(stop(files[group], "other_grid", told, cure, found=_grid_text(raster)).faults)


def _same_grid(one: DatasetReader, other: DatasetReader) -> bool:
    if one.shape != other.shape or one.crs != other.crs:
        return False
    apart = np.abs(_corners(one) - _corners(other))
    return bool((apart <= _SAME_GRID_PIXELS * np.abs([one.transform.a, one.transform.e])).all())


def _corners(raster: DatasetReader) -> NDArray[np.float64]:
    """First and last corner of a raster in its own coordinates."""
    a, b, c, d, e, f = raster.transform[:6]
    wide, high = raster.width, raster.height
    return np.array([[c, f], [a * wide + b * high + c, d * wide + e * high + f]])


def _grid_text(raster: DatasetReader) -> str:
    a, c, f = raster.transform.a, raster.transform.c, raster.transform.f
    return f"{raster.width} × {raster.height}, {a:.6g}, {c:.8g} {f:.8g}, {_crs_text(raster)[:40]}"


def _crs_text(raster: DatasetReader) -> str:
    code = raster.crs.to_epsg()
    return f"EPSG:{code}" if code else str(raster.crs.to_wkt())


def _window_people(rasters: Sequence[DatasetReader], window: Window) -> _People:
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
    return _People(
        rows + int(window.row_off),
        columns + int(window.col_off),
        people[:, rows, columns],
        people.sum(axis=(1, 2)),
        negative,
        below.sum(axis=(1, 2)),
    )


def _layer(raster: DatasetReader, window: Window) -> NDArray[np.float64]:
    """Read one window of one raster; what holds no data holds nobody."""
    from rasterio.errors import RasterioError, RasterioIOError

    try:
        people = raster.read(1, window=window, masked=True).astype(np.float64).filled(0.0)
    except (RasterioError, RasterioIOError) as error:
        raise damaged(Path(raster.name), error) from error
    return np.asarray(np.where(np.isnan(people), 0.0, people), dtype=np.float64)


def _negative(parts: Sequence[_People], files: Mapping[str, Path]) -> list[Fault]:
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


def _totals(parts: Sequence[_People], files: Mapping[str, Path]) -> list[Fault]:
    """Note the people read and kept of each group, and refuse rasters without anybody."""
    read = np.sum([part.read for part in parts], axis=0)
    cells = sum(len(part.rows) for part in parts)
    if not cells:
        cure = ("请检查栅格内容和 nodata。", "Check the rasters and their nodata value.")
        return list(stop(next(iter(files.values())), "nobody", ("没有任何人口", "there are no people in it"), cure).faults)
    return [_total_noted(file_label(file), group, float(read[place]), cells) for place, (group, file) in enumerate(files.items())]


def _cells(parts: Sequence[_People], groups: Sequence[str], grid: Grid, crs_out: str) -> GeoDataFrame:
    """Make the cells table in raster order; ``cell_id`` is the pixel's number counted row by row."""
    rows, columns = np.concatenate([part.rows for part in parts]), np.concatenate([part.columns for part in parts])
    order = np.argsort(rows * grid.shape[1] + columns, kind="stable")
    rows, columns = rows[order], columns[order]
    people = {group: np.concatenate([part.values[place] for part in parts])[order] for place, group in enumerate(groups)}
    a, b, c, d, e, f = grid.transform
    x, y = a * (columns + 0.5) + b * (rows + 0.5) + c, d * (columns + 0.5) + e * (rows + 0.5) + f
    east, north = pyproj.Transformer.from_crs(grid.crs, crs_out, always_xy=True).transform(x, y)
    frame = pd.DataFrame({**people, "row": rows, "col": columns}, index=_positions(rows * grid.shape[1] + columns))
    return GeoDataFrame(frame, geometry=shapely.points(east, north), crs=crs_out)


def _positions(number: NDArray[np.int64]) -> pd.Index[int]:
    return pd.Index(number, name="cell_id", dtype="int64")
