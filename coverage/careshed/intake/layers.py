"""Read layers with geometry: GeoPackage, GeoJSON, Shapefile, GeoParquet."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from careshed.intake.columns import Kind, nearest
from careshed.intake.encodings import decode, text_faults
from careshed.intake.naming import named
from careshed.intake.shapefiles import parts_fit, read_shapefile
from careshed.intake.sources import SourceTable, damaged, stop
from careshed.schema import Fault, file_label

_PARQUET: Final = (".parquet", ".geoparquet")
_JSON: Final = (".geojson", ".json")


def from_layer(file: Path, kind: Kind, layer: str | None, columns: Mapping[str, str] | None) -> SourceTable:
    """Read one layer of a file with its geometry and coordinate system, raw values under our names.

    Raises
    ------
    careshed.schema.InputError
        If the file is damaged, has no such layer, or has several and none is stated.
    """
    import pyarrow
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, GeometryError

    faults: tuple[Fault, ...] = ()
    if file.suffix.lower() == ".shp":
        parts_fit(file)
    try:
        if file.suffix.lower() in _PARQUET:
            frame = _parquet(file)
        else:
            frame, faults = _vector(file, _layer_of(file, layer))
    except (DataLayerError, DataSourceError, FeatureError, GeometryError, UnicodeDecodeError, pyarrow.ArrowException) as error:
        raise damaged(file, error) from error
    if not len(frame):
        cure = ("请补充数据，或在研究文件中删去该文件。", "Add data, or take the file out of the study.")
        raise stop(file, "empty_table", ("图层中没有要素", "the layer has no features"), cure, sheet=layer or "")
    return _table(file, kind, frame, columns, layer or "", faults)


def _table(
    file: Path, kind: Kind, frame: pd.DataFrame, columns: Mapping[str, str] | None, layer: str, faults: tuple[Fault, ...]
) -> SourceTable:
    geometry, crs = None, ""
    if isinstance(frame, gpd.GeoDataFrame):
        geometry = np.asarray(frame.geometry.array, dtype=object)
        crs = frame.crs.to_wkt() if frame.crs is not None else ""
        frame = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    values = frame.astype(object).to_numpy().tolist()
    numbers = np.arange(1, len(frame) + 1, dtype=np.int64)
    headers = [str(header) for header in frame.columns]
    return named(file, kind, values, headers, numbers, columns, sheet=layer, faults=faults, geometry=geometry, crs=crs)


def _parquet(file: Path) -> pd.DataFrame:
    import pyarrow.parquet

    metadata = pyarrow.parquet.read_schema(file).metadata or {}
    return gpd.read_parquet(file) if b"geo" in metadata else pd.read_parquet(file)


def _layer_of(file: Path, layer: str | None) -> str | None:
    """Decide which layer to read: the one stated, or the only one."""
    import pyogrio

    names = [str(name) for name in pyogrio.list_layers(file)[:, 0]]
    listed = ", ".join(names)
    if layer is not None and layer not in names:
        near = nearest(layer, names)
        hint = (f"是否应为“{near}”？", f"Did you mean {near!r}? ") if near else ("", "")
        told = (f"没有图层“{layer}”", f"there is no layer {layer!r}")
        raise stop(file, "no_such_layer", told, (f"{hint[0]}现有图层：{listed}。", f"{hint[1]}The file has: {listed}."))
    if layer is None and len(names) > 1:
        told = (f"有 {len(names)} 个图层，未指定读取哪一个", f"there are {len(names)} layers and none is stated")
        raise stop(file, "several_layers", told, (f"请写 layer = 其中之一：{listed}。", f"State layer = one of: {listed}."))
    return layer


def _vector(file: Path, layer: str | None) -> tuple[pd.DataFrame, tuple[Fault, ...]]:
    """Read with GDAL, and keep what GDAL remarks on the way as notes."""
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always", RuntimeWarning)
        frame, faults = _read(file, layer)
    told = dict.fromkeys(str(remark.message) for remark in remarks)
    noted = [Fault("gdal_remark", file_label(file), f"GDAL：{text}", f"GDAL: {text}", severity="noted") for text in told]
    return frame, (*faults, *noted)


def _read(file: Path, layer: str | None) -> tuple[pd.DataFrame, tuple[Fault, ...]]:
    suffix = file.suffix.lower()
    if suffix == ".shp":
        return read_shapefile(file)
    if suffix not in _JSON:
        return gpd.read_file(file, layer=layer), ()
    found = decode(file.read_bytes())
    if found.encoding == "UTF-8" and not found.broken:
        return gpd.read_file(file, layer=layer), ()
    return gpd.read_file(io.BytesIO(found.text.encode("utf-8")), layer=layer), text_faults(file, found)
