"""Make points of the coordinate columns, however they are written, and put eastings into their zone."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from careshed.datum import FRAMES, Datum, gauss_kruger, in_china_box, old_frame, prefix_of, zone_of, zones_with_prefix
from careshed.intake.sources import SourceTable, Words, as_text
from careshed.intake.values import degrees, numbers
from careshed.schema import Fault

_MILLION: Final = 1e6
_EIGHT_DIGITS: Final = 1e7
_NORTHINGS: Final = (1.8e6, 6.1e6)
"""Northings of China, metres from the equator: 18 to 54 degrees north."""

_SAME_MERIDIAN_DEG: Final = 0.01

_BETWEEN: Final = re.compile(r"[\s,，;；、|/]+")

_DATUM_WORDS: Final[tuple[tuple[re.Pattern[str], Datum], ...]] = (
    (re.compile(r"百度|baidu|bd-?_?09|^bd_", re.IGNORECASE), "BD-09"),
    (re.compile(r"高德|腾讯|火星|amap|gcj", re.IGNORECASE), "GCJ-02"),
    (re.compile(r"wgs|gps", re.IGNORECASE), "WGS-84"),
    (re.compile(r"cgcs|国家2000|2000坐标", re.IGNORECASE), "CGCS2000"),
)
"""Words in the header of a coordinate -> datum that they speak of."""


def from_columns(table: SourceTable, crs: str | None, faults: list[Fault]) -> NDArray[np.object_]:
    """Make points of the coordinate columns; None for rows without both numbers.

    Longitude and latitude may stand in one column (经纬度: "121.5,31.2") and in degrees, minutes and seconds.
    """
    if "lonlat" in table.headers and not {"lon", "lat"} <= set(table.headers):
        table = _split(table)
    absent = [name for name in ("lon", "lat") if name not in table.headers]
    faults.extend(table.missing_column(name) for name in absent)
    if absent:
        return np.full(len(table.rows), None, dtype=object)
    spoilt: list[Fault] = []
    projected = _is_projected(crs)
    read = numbers if projected else degrees
    x, y = read(table, "lon", spoilt), read(table, "lat", spoilt)
    told = {fault.row for fault in spoilt if fault.severity == "error"}
    faults.extend(spoilt)
    points = np.asarray(shapely.points(x, y), dtype=object)
    points[np.isnan(x) | np.isnan(y)] = None
    missing = np.flatnonzero(shapely.is_missing(points)).tolist()
    faults.extend(no_coordinates(table, at) for at in missing if str(table.rows[at]) not in told)
    return points


def no_coordinates(table: SourceTable, at: int) -> Fault:
    """Say that a record lies nowhere."""
    cure = ("请补充坐标，或删去该行。", "Fill in the coordinates, or delete the row.")
    return table.fault("missing_coordinates", ("没有坐标", "has no coordinates"), cure, at=at)


def exchanged(table: SourceTable, geometry: NDArray[np.object_], faults: list[Fault]) -> NDArray[np.object_]:
    """Exchange the two coordinates of every record, as the study asks for."""
    told = ("已按研究文件的要求对调两个坐标", "the two coordinates are exchanged, as the study asks for")
    faults.append(table.fault("coordinates_exchanged", told, severity="repaired"))
    return np.asarray(shapely.transform(geometry, lambda xy: xy[:, ::-1]), dtype=object)


def exchanged_by_range(x: NDArray[np.float64], y: NDArray[np.float64], crs: pyproj.CRS) -> NDArray[np.bool_]:
    """Say which points must have their coordinates exchanged, by the ranges of the two alone.

    Degrees: a latitude beyond 90, or a point of the far north that would lie in China the other way round. Metres of a
    Gauss-Krueger zone: a northing of China where the easting should stand, and an easting where the northing should.
    """
    if crs.is_geographic:
        beyond = (np.abs(y) > 90.0) & (np.abs(x) <= 90.0) & (np.abs(y) <= 180.0)
        return np.asarray(beyond | (in_china_box(y, x) & ~in_china_box(x, y) & (y > 72.0)), dtype=np.bool_)
    if zone_of(crs) is None:
        return np.zeros(len(x), dtype=np.bool_)
    northing = (x >= _NORTHINGS[0]) & (x <= _NORTHINGS[1])
    return np.asarray(northing & (((y > 1e5) & (y < 9e5)) | (y > _EIGHT_DIGITS)), dtype=np.bool_)


def in_zone(table: SourceTable, geometry: NDArray[np.object_], crs: pyproj.CRS, faults: list[Fault]) -> NDArray[np.object_]:
    """Give eastings the zone that their system has before them, or take it off; an easting of another zone is an error."""
    stated = zone_of(crs)
    present = geometry[~shapely.is_missing(geometry)]
    if stated is None or not len(present):
        return geometry
    meridian, false_easting = stated
    east = float(np.median(shapely.get_x(shapely.centroid(present))))
    found, prefix = prefix_of(east), false_easting // _MILLION
    if (found is None and not (prefix and 0 < east < _MILLION)) or (found is not None and found.number == prefix):
        return geometry
    if found is not None and abs(found.meridian - meridian) > _SAME_MERIDIAN_DEG:
        likely = " / ".join(zones_with_prefix(east))
        told = (
            f"东坐标前两位 {found.number} 表示中央经线 {found.meridian:g}° 的带，而坐标系 {crs.name} 的中央经线为 {meridian:g}°",
            f"the eastings begin with {found.number}, the zone of meridian {found.meridian:g}°, but {crs.name} has {meridian:g}°",
        )
        cure = (
            f"请改写 crs，例如 {likely}（2000 / 西安 80 / 北京 54）。",
            f"State crs as one of {likely} (CGCS2000 / Xi'an 80 / Beijing 54).",
        )
        faults.append(table.fault("zone_mismatch", told, cure, found=f"{east:.0f}"))
        return np.full(len(geometry), None, dtype=object)
    shift = (prefix - (found.number if found is not None else 0)) * _MILLION
    told = (
        ("东坐标前的带号已去掉", "the zone before the eastings is taken off")
        if shift < 0
        else ("东坐标缺带号，已补上", "the zone is put before the eastings")
    )
    faults.append(table.fault("zone_prefix", told, found=f"{east:.0f}", severity="repaired"))
    return np.asarray(shapely.transform(geometry, lambda xy: xy + np.array([shift, 0.0])), dtype=object)


def warn_old_frame(table: SourceTable, crs: pyproj.CRS, faults: list[Fault]) -> None:
    """Warn of Xi'an 80 and Beijing 54: their parameters differ from place to place and are not public."""
    frame = old_frame(crs)
    if frame is None:
        return
    zh, en = FRAMES[frame]
    told = (f"{zh} 到 WGS-84 的转换在本地只知道到几十米", f"the shift from {en} to WGS-84 is known here only to tens of metres")
    cure = (
        "请向自然资源部门索取转换参数，或请其转为 2000 国家大地坐标系。",
        "Ask the natural resources bureau for local parameters, or for the data in CGCS2000.",
    )
    faults.append(table.fault("old_frame", told, cure, severity="noted"))


_BY_MERIDIAN: Final[Words] = (
    "坐标是米，像不带带号的高斯-克吕格坐标：请按中央经线写，2000 坐标系 3° 带为 EPSG:4534（75°）至 EPSG:4554（135°），"
    "如 111° 为 EPSG:4546、114° 为 EPSG:4547、117° 为 EPSG:4548、120° 为 EPSG:4549。",
    " The numbers are metres, as of Gauss-Krueger without its zone: state the central meridian; in CGCS2000, zones of 3°, "
    "EPSG:4534 (75°) to EPSG:4554 (135°), such as 111° EPSG:4546, 114° EPSG:4547, 117° EPSG:4548, 120° EPSG:4549.",
)


def likely_systems(geometry: NDArray[np.object_]) -> Words:
    """Name the systems that eastings of eight digits can belong to, where a file's system is not stated.

    >>> likely_systems(np.array([shapely.Point(40512345, 3452000)], dtype=object))[1]
    " The eastings begin with 40: EPSG:4528 (CGCS2000), EPSG:2364 (Xi'an 80) or EPSG:2416 (Beijing 54)."
    """
    present = geometry[~shapely.is_missing(geometry)]
    if not len(present):
        return "", ""
    middle = shapely.centroid(present)
    x, y = float(np.median(shapely.get_x(middle))), float(np.median(shapely.get_y(middle)))
    zone = prefix_of(x) or prefix_of(y)
    if zone is None and 1e5 < x < 9e5 and _NORTHINGS[0] <= y <= _NORTHINGS[1]:
        return _BY_MERIDIAN
    if zone is None:
        return "", ""
    codes = [gauss_kruger(zone.number, frame=frame) for frame in FRAMES]
    zh = "、".join(f"{code}（{name}）" for code, (name, _) in zip(codes, FRAMES.values(), strict=True))
    en = [f"{code} ({name})" for code, (_, name) in zip(codes, FRAMES.values(), strict=True)]
    return (
        f"东坐标以 {zone.number} 开头，可能是 {zh}。",
        f" The eastings begin with {zone.number}: {', '.join(en[:-1])} or {en[-1]}.",
    )


def hint_datum(table: SourceTable, datum: Datum | None, faults: list[Fault]) -> None:
    """Note a datum that the headers of the coordinates speak of and the study does not state."""
    headers = [table.headers[name] for name in ("lon", "lat", "lonlat") if name in table.headers]
    spoken = {named for header in headers for pattern, named in _DATUM_WORDS if pattern.search(header)}
    if len(spoken) != 1 or spoken == {datum}:
        return
    hinted = spoken.pop()
    cure = (f'如确实如此，请写 datum = "{hinted}"。', f'If so, write datum = "{hinted}".')
    told = (f"列名表明坐标为 {hinted}，而研究文件未这样写", f"the header speaks of {hinted}, which the study does not state")
    faults.append(table.fault("datum_in_header", told, cure, column=headers[0], severity="noted"))


def _split(table: SourceTable) -> SourceTable:
    """Split a column that holds both coordinates into two, keeping its header for messages."""
    parts = [_BETWEEN.split(as_text(value).strip("()（）[] "), maxsplit=1) for value in table.column("lonlat")]
    header = table.headers["lonlat"]
    east = [part[0] or None for part in parts]
    north = [part[1] if len(part) > 1 else None for part in parts]
    frame = pd.DataFrame(table.frame).assign(lon=pd.Series(east, dtype=object), lat=pd.Series(north, dtype=object))
    headers = {**table.headers, "lon": header, "lat": header}
    return SourceTable(frame, table.rows, table.file, table.sheet, table.kind, headers, table.faults, table.geometry, table.crs)


def _is_projected(crs: str | None) -> bool:
    """Tell whether the study states a system in metres; what it does not state or cannot be read may be degrees."""
    if not crs:
        return False
    try:
        return bool(pyproj.CRS.from_user_input(crs).is_projected)
    except pyproj.exceptions.CRSError:
        return False
