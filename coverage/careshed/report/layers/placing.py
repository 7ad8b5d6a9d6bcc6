"""Bring a layer into the file's coordinate system: valid shapes of one kind, fixed field names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from careshed.datum.zones import old_frame
from careshed.report.layers.model import Geometry, Kind, Layer
from careshed.words import Lang

if TYPE_CHECKING:
    import pyproj
    from geopandas import GeoDataFrame

    from careshed.study import Study

CGCS2000: Final = "EPSG:4490"
"""Longitude and latitude of China's geodetic system 2000, in which land-use planning keeps its 一张图."""

_DIMENSION: Final[dict[Geometry, int]] = {"Point": 0, "MultiPoint": 0, "MultiLineString": 1, "MultiPolygon": 2}


def target_crs(study: Study, crs: str) -> pyproj.CRS:
    """Choose the coordinate system of the layers.

    Parameters
    ----------
    crs
        ``"study"`` for the study's projected system; a code such as ``"EPSG:4490"``; ``""`` for CGCS2000 where the study lies in
        China, else WGS-84.

    Raises
    ------
    ValueError
        As `named_crs`.
    """
    import pyproj

    if crs == "study":
        return pyproj.CRS(study.crs)
    if not crs:
        return pyproj.CRS(CGCS2000) if _in_china(study) else pyproj.CRS("EPSG:4326")
    return named_crs(crs)


def named_crs(crs: str) -> pyproj.CRS:
    """Look a coordinate system up.

    >>> named_crs("EPSG:4490").name
    'China Geodetic Coordinate System 2000'

    Raises
    ------
    ValueError
        If it is unknown, or rests on Beijing 54 or Xi'an 80, whose shift from CGCS2000 no open source knows.
    """
    import pyproj

    try:
        found = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        zh = f"不认识坐标系“{crs}”，请写 study 或代码，如 EPSG:4490、EPSG:4549"
        en = f"there is no coordinate system {crs!r}: give 'study' or a code such as EPSG:4490 or EPSG:4549"
        raise ValueError(f"{en}  {zh}") from error
    frame = old_frame(found)
    if frame is not None:
        zh = "与 CGCS2000 之间的转换参数不公开，请输出 EPSG:4490 后在测绘部门转换"
        en = "no open source knows its shift from CGCS2000: write EPSG:4490 and have the survey office convert it"
        raise ValueError(f"{crs} rests on {frame}; {en}  {crs}：{zh}")
    return found


def _in_china(study: Study) -> bool:
    import pyproj

    area = pyproj.CRS(CGCS2000).area_of_use
    centre = study.cells.geometry.iloc[[0]].to_crs(4326).iloc[0]
    return area is not None and area.west <= centre.x <= area.east and area.south <= centre.y <= area.north


def plain_table(layer: Layer, lang: Lang) -> pd.DataFrame:
    """Give the rows of a layer without geometry, columns by their fixed names and of their types."""
    columns = {field.name(lang): _typed(layer.table[field.key], field.kind) for field in layer.fields}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(layer.table)))


def _typed(values: pd.Series, kind: Kind) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    if kind == "text":
        return values.fillna("").astype(str).to_numpy(dtype=object)
    if kind == "number":
        return values.to_numpy(dtype=np.float64)
    whole = values.to_numpy(dtype=np.int64)
    # programs that know no integers of 64 bits would read them as decimals
    return whole.astype(np.int32) if not len(whole) or np.abs(whole).max() < 2**31 else whole


def placed_table(layer: Layer, crs: pyproj.CRS, lang: Lang) -> GeoDataFrame:
    """Give the rows of a layer with geometry in a coordinate system, x east (longitude) and y north (latitude).

    Shapes that a change of system made invalid are mended; every row has the one kind of geometry that the layer states.
    """
    import geopandas as gpd
    import shapely

    assert layer.geometry is not None
    shapes = gpd.GeoSeries(layer.table.geometry.array, crs=layer.table.crs).to_crs(crs).to_numpy()
    broken = ~(shapely.is_missing(shapes) | shapely.is_valid(shapes))
    if broken.any():
        shapes = shapes.copy()
        shapes[broken] = shapely.make_valid(shapes[broken], method="structure")
    one_kind = np.array([_promoted(shape, layer.geometry) for shape in shapes], dtype=object)
    return gpd.GeoDataFrame(plain_table(layer, lang), geometry=gpd.GeoSeries(one_kind, crs=crs))


def _promoted(shape: object, kind: Geometry) -> object:
    """Make a shape of the layer's kind: parts of other dimensions, slivers that mending left, go."""
    import shapely

    if not isinstance(shape, shapely.Geometry) or shape.is_empty or shape.geom_type == kind:
        return shape if isinstance(shape, shapely.Geometry) and not shape.is_empty else None
    parts = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) == _DIMENSION[kind]]
    many = {"MultiPoint": shapely.MultiPoint, "MultiLineString": shapely.MultiLineString, "MultiPolygon": shapely.MultiPolygon}
    return many[kind](parts)
