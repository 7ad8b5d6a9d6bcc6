"""Write everything a run found as layers for QGIS, ArcGIS and the 一张图: one GeoPackage with styles, GeoJSON or GeoParquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from careshed.report.layers.making import layers_of
from careshed.report.layers.metadata import dictionary_table, iso_xml, metadata_table, title_of
from careshed.report.layers.model import Field, Layer
from careshed.report.layers.placing import CGCS2000, named_crs, target_crs
from careshed.words import Lang

if TYPE_CHECKING:
    from careshed.report.workbook import Value
    from careshed.run.results import RunResult

__all__ = ["CGCS2000", "FORMATS", "Field", "Format", "Layer", "check_target", "layers_of", "write_layers"]

Format = Literal["gpkg", "geojson", "parquet"]
"""One GeoPackage, or a folder of GeoJSON or GeoParquet files."""

FORMATS: Final[tuple[Format, ...]] = get_args(Format)


def write_layers(
    path: str | Path, result: RunResult, lang: Lang | None = None, crs: str = "", *, format: Format = "gpkg"
) -> tuple[Path, ...]:
    """Write all layers of a run: units, coverage, cells, isochrones, streets, gaps, sites, facilities, candidates, tables.

    Every figure is the run's own, unrounded (six decimals in GeoJSON and CSV). Field names are fixed, in Chinese or English; a
    table explains each, another holds assumptions and the hash of every input. The same run gives the same bytes.

    Parameters
    ----------
    path
        The GeoPackage; for GeoJSON and GeoParquet the folder, which is made.
    lang
        Language of names and texts; the study's if None.
    crs
        ``"study"`` for the study's projected system, or a code such as ``"EPSG:4490"``; if left out CGCS2000 (`CGCS2000`) for
        studies in China, else WGS-84. Degrees are stored as longitude, latitude.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    ValueError
        If the coordinate system is unknown, cannot be had from CGCS2000, or is another than WGS-84 for GeoJSON.
    PermissionError
        Where another program holds the file open.
    """
    from careshed.report.layers.flat import write_geojson_folder, write_parquet_folder
    from careshed.report.layers.geopackage import write_geopackage

    study, lang = result.study, lang or result.study.lang
    check_target(crs, format)
    target = target_crs(study, "EPSG:4326" if format == "geojson" else crs)
    layers = layers_of(result, lang)
    layers.append(metadata_table(result, target, lang))
    layers.append(dictionary_table(layers, lang))
    told = iso_xml(result, target, _bounds(layers, study.crs), lang)
    to = Path(path)
    (to.parent if format == "gpkg" else to).mkdir(parents=True, exist_ok=True)
    if format == "gpkg":
        return (write_geopackage(to, layers, target, told, lang),)
    if format == "parquet":
        return tuple(write_parquet_folder(to, layers, target, told, lang))
    about: dict[str, Value | bool] = {"study": title_of(study, lang), "made_up": study.made_up, "data_date": study.data_date}
    return tuple(write_geojson_folder(to, layers, about, lang))


def check_target(crs: str, format: Format) -> None:
    """Refuse a coordinate system that the layers cannot have, before anything is computed.

    >>> check_target("EPSG:4490", "gpkg")

    Raises
    ------
    ValueError
        As `write_layers`.
    """
    if format == "geojson" and crs not in ("", "EPSG:4326"):
        zh = f"GeoJSON（RFC 7946）只能用 WGS-84 经纬度，不能写 {crs}；需要 {crs} 请用 --format gpkg 或 parquet"
        en = f"GeoJSON (RFC 7946) is in WGS-84 only, not {crs}; for {crs} choose --format gpkg or parquet"
        raise ValueError(f"{en}  {zh}")
    if crs not in ("", "study"):
        named_crs(crs)


def _bounds(layers: list[Layer], crs: str) -> tuple[float, float, float, float]:
    """Give west, south, east and north of everything, degrees."""
    import numpy as np
    import pyproj

    boxes = np.array([layer.table.geometry.total_bounds for layer in layers if layer.geometry is not None and len(layer.table)])
    low, high = np.nanmin(boxes[:, :2], axis=0), np.nanmax(boxes[:, 2:], axis=0)
    found = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform_bounds(*low, *high)
    west, south, east, north = (float(side) for side in found)
    return west, south, east, north
