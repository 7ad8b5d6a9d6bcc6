"""Write layers as a folder of GeoJSON or GeoParquet files, their tables as CSV."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from careshed.report.layers.model import Layer
from careshed.report.layers.placing import placed_table, plain_table
from careshed.report.tables import write_csv, write_geojson, write_whole
from careshed.report.workbook import Column, Sheet, Value
from careshed.words import Lang

if TYPE_CHECKING:
    import pandas as pd
    import pyproj

GRID_DEGREES = 1e-6
"""Coordinates in GeoJSON have six decimals, about a tenth of a metre."""


def write_geojson_folder(folder: Path, layers: Sequence[Layer], about: dict[str, Value | bool], lang: Lang) -> list[Path]:
    """Write each layer as GeoJSON by RFC 7946 (WGS-84, outer rings counter-clockwise), each table as CSV.

    The standard allows no other coordinate system: a CGCS2000 file with a ``crs`` member would be GeoJSON of 2008, which some
    programs read as WGS-84 and others refuse; GeoPackage and GeoParquet carry CGCS2000.
    """
    import pyproj
    import shapely

    written, wgs84 = [], pyproj.CRS("EPSG:4326")
    for layer in layers:
        if layer.geometry is None:
            written.append(_table(folder, layer, lang))
            continue
        table = placed_table(layer, wgs84, lang)
        shapes = table.geometry.to_numpy()
        if layer.geometry == "MultiPolygon":
            shapes = shapely.orient_polygons(shapely.set_precision(shapes, GRID_DEGREES), exterior_cw=False)
        table = table.set_geometry(np.array(shapes, dtype=object), crs=wgs84)
        names = [field.name(lang) for field in layer.fields]
        described: dict[str, Value | bool] = {"name": layer.name, "title": layer.title, **about}
        written.append(write_geojson(folder / f"{layer.name}.geojson", table, names, described))
    return written


def write_parquet_folder(folder: Path, layers: Sequence[Layer], crs: pyproj.CRS, metadata: str, lang: Lang) -> list[Path]:
    """Write each layer as GeoParquet 1.1 and each table as Parquet; the metadata lie beside them as XML."""
    written = []
    for layer in layers:
        path, aside = folder / f"{layer.name}.parquet", folder / f".{layer.name}.part"
        if layer.geometry is None:
            plain_table(layer, lang).to_parquet(aside, index=False, compression="zstd")
        else:
            table = placed_table(layer, crs, lang)
            table.to_parquet(aside, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=True)
        os.replace(aside, path)
        written.append(path)
    return [*written, write_whole(folder / "metadata.xml", metadata.encode())]


def _table(folder: Path, layer: Layer, lang: Lang) -> Path:
    """Write a table as CSV that spreadsheets open without running anything in it."""
    table: pd.DataFrame = plain_table(layer, lang)
    kinds = {"text": "text", "whole": "count", "number": "measure"}
    columns = tuple(Column(field.key, field.zh, field.en, kinds[field.kind], 12) for field in layer.fields)  # type: ignore[arg-type]
    rows = tuple(tuple(None if value != value else value for value in row) for row in table.itertuples(index=False, name=None))
    return write_csv(folder / f"{layer.name}.csv", Sheet(layer.name, layer.title, (), columns, rows, lang))
