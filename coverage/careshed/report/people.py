"""Write people by cell or by unit, as they enter the analysis, for other programs to open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from careshed.access import ALL, OUTSIDE, unit_sums
from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.study import Study

GEODETIC: Final = "EPSG:4490"
"""Longitude and latitude of China's geodetic system 2000 (CGCS2000)."""

_EMPTY: Final = -1.0
"""What a raster holds where there is no cell."""

_HEADERS: Final = {
    "cell_id": ("单元格编号", "cell_id"),
    "unit": ("单元代码", "unit"),
    "name": ("单元名称", "unit_name"),
    "level": ("级别", "level"),
    "lon": ("经度", "lon"),
    "lat": ("纬度", "lat"),
    "x": ("X坐标", "x"),
    "y": ("Y坐标", "y"),
    "total": ("总人口", "total"),
}
"""Our column -> header in Chinese and English."""


def people_by_cell(study: Study, *, lang: Lang = "zh") -> GeoDataFrame:
    """List every cell with its unit, its people of all groups and where it lies.

    Returns
    -------
    geopandas.GeoDataFrame
        A row a cell, in the order of the analysis: id, unit and its name, longitude and latitude (`GEODETIC`), x and y (metres,
        the study's CRS), a column a group; points in the study's CRS.
    """
    cells, names = study.cells, study.units["name"].astype(str)
    degrees = cells.geometry.to_crs(GEODETIC)
    listed = {
        "cell_id": cells.index.to_numpy(),
        "unit": cells["unit"].astype(str).to_numpy(),
        "name": cells["unit"].astype(str).map(names).fillna("").to_numpy(),
        "lon": degrees.x.round(7).to_numpy(),
        "lat": degrees.y.round(7).to_numpy(),
        "x": cells.geometry.x.round(2).to_numpy(),
        "y": cells.geometry.y.round(2).to_numpy(),
        **{group: cells[group].to_numpy(dtype=float) for group in study.groups},
    }
    return cells[["geometry"]].reset_index(drop=True).assign(**{_header(name, lang): column for name, column in listed.items()})


def people_by_unit(study: Study, *, lang: Lang = "zh") -> GeoDataFrame:
    """Add up the people of all groups by unit: first in all, then every unit, last those who live in none.

    Returns
    -------
    geopandas.GeoDataFrame
        Code, name and level of the unit, a column a group; the outlines of the units where they have any.
    """
    cells, units = study.cells, study.units
    groups = list(study.groups)
    rows, counted = unit_sums(cells[groups].to_numpy(dtype=float), cells["unit"].to_numpy(), units)
    labels = pd.DataFrame(units[["name", "level"]]).reindex(rows).fillna("")
    labels["level"] = [level_name(str(level), lang) if level else "" for level in labels["level"]]
    labels.loc[ALL, "name"] = pick(lang, "全部", "all")
    if OUTSIDE in rows:
        labels.loc[OUTSIDE, "name"] = pick(lang, "不在任何单元内", "in no unit")
    table = pd.DataFrame(counted, columns=groups)
    listed = {"unit": rows, "name": labels["name"].to_numpy(), "level": labels["level"].to_numpy(), **table}
    outlines = units[["geometry"]].reindex(rows).reset_index(drop=True).set_crs(units.crs)
    return outlines.assign(**{_header(name, lang): column for name, column in listed.items()})


def _header(name: str, lang: Lang) -> str:
    return pick(lang, *_HEADERS[name]) if name in _HEADERS else pick(lang, group_name(name, "zh"), name)


def write_people_table(path: Path, table: GeoDataFrame) -> Path:
    """Write a table of people as CSV (UTF-8, as spreadsheets open it) without its geometry."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(table.drop(columns="geometry")).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
    return path


def write_people_raster(path: Path, study: Study) -> Path:
    """Write people as a GeoTIFF on the grid they were read from, a band a group, −1 where there is no cell.

    Raises
    ------
    ValueError
        If people lie on no grid: they come from points or areas, or were refined to streets or homes.
    """
    import rasterio
    from rasterio.transform import Affine

    grid = study.population.grid
    if grid is None:
        zh = "人口不在格网上（来自点、面，或已细分到街道、住宅），不能写成栅格，请写 .csv 或 .gpkg"
        en = "people lie on no grid (they come from points or areas, or were refined), so there is no raster: write .csv or .gpkg"
        raise ValueError(f"{en}  {zh}")
    cells, groups = study.cells, list(study.groups)
    bands = np.full((len(groups), *grid.shape), _EMPTY)
    bands[:, cells["row"].to_numpy(dtype=int), cells["col"].to_numpy(dtype=int)] = cells[groups].to_numpy(dtype=float).T
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = {"count": len(groups), "height": grid.shape[0], "width": grid.shape[1]}
    profile = {"driver": "GTiff", "dtype": "float64", "nodata": _EMPTY, "compress": "deflate", **shape}
    with rasterio.open(path, "w", **profile, crs=grid.crs, transform=Affine(*grid.transform)) as file:
        file.write(bands)
        for band, group in enumerate(groups, start=1):
            file.set_band_description(band, group)
    return path
