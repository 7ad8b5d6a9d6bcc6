"""Bring coordinates and geometry to the study's metres, and tell every row that does not lie where it should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from careshed.datum import DATUMS, SHIFTED, Datum, in_china_box, to_wgs84
from careshed.intake.columns import section_of
from careshed.intake.coordinates import (
    exchanged,
    exchanged_by_range,
    from_columns,
    hint_datum,
    in_zone,
    likely_systems,
    no_coordinates,
    warn_old_frame,
)
from careshed.intake.sources import SourceTable, Words
from careshed.schema import Fault

__all__ = ["OUTSIDE_M", "Bounds", "Reference", "bounds_lonlat", "joined", "locate", "no_coordinates", "parse_crs", "to_metres"]

Bounds = tuple[float, float, float, float]
"""West, south, east, north, degrees WGS-84."""

OUTSIDE_M: Final = 10_000.0
"""A place farther than this beyond the study area cannot be reached on foot in two hours: its coordinates are wrong."""

_METRES_PER_DEGREE: Final = 111_320.0
_LONLAT: Final = "EPSG:4326"


@dataclass(frozen=True)
class Reference:
    """What coordinates mean: their system and datum, where they must lie, and the system wanted."""

    crs_out: str
    """The study's projected CRS, metres."""
    crs: str | None = None
    """CRS the study states for the file; None for a layer that states its own."""
    datum: Datum | None = None
    """Datum the study states; None for the one the CRS implies."""
    area: Bounds | None = None
    """The study area; None where it is not known, so that nothing can lie outside."""
    swapped: bool = False
    """Whether the study asks for the two coordinates to be exchanged."""


def parse_crs(text: str | None) -> pyproj.CRS | None:
    """Read a coordinate system, None where it is not stated or not understood."""
    try:
        return pyproj.CRS.from_user_input(text) if text else None
    except pyproj.exceptions.CRSError:
        return None


def locate(table: SourceTable, reference: Reference, faults: list[Fault]) -> NDArray[np.object_]:
    """Give every record of a table its geometry in the study's CRS; faults name the rows that cannot have one.

    Geometry of a layer is used as it is, else points are made from the ``lon`` and ``lat`` columns (x and y where the CRS is
    projected). Records with a fault, or none, have None.
    """
    hint_datum(table, reference.datum, faults)
    geometry = _layer_geometry(table, faults) if table.geometry is not None else from_columns(table, reference.crs, faults)
    if reference.swapped:
        geometry = exchanged(table, geometry, faults)
    crs = _crs_of(table, reference, geometry, faults)
    if crs is not None and _numbers_fit(table, geometry, crs, faults):
        geometry = in_zone(table, geometry, crs, faults)
        warn_old_frame(table, crs, faults)
        return to_metres(_rows_checked(table, geometry, crs, reference, faults), crs, reference)
    return np.full(len(table.rows), None, dtype=object)


def to_metres(geometry: NDArray[np.object_], crs: pyproj.CRS, reference: Reference) -> NDArray[np.object_]:
    """Project geometry into the study's CRS, its datum shifted to WGS-84 first where it is GCJ-02 or BD-09."""
    if reference.datum not in SHIFTED:
        return _transformed(geometry, crs, reference.crs_out)
    return _transformed(_lonlat(geometry, crs, reference.datum), pyproj.CRS(_LONLAT), reference.crs_out)


def bounds_lonlat(geometry: NDArray[np.object_], crs: str) -> Bounds | None:
    """Give the bounds of geometry in degrees WGS-84, None where there is none."""
    present = geometry[~shapely.is_missing(geometry)]
    if not len(present):
        return None
    west, south, east, north = shapely.total_bounds(_transformed(present, pyproj.CRS(crs), _LONLAT)).tolist()
    return west, south, east, north


def joined(*bounds: Bounds | None) -> Bounds | None:
    """Give the bounds that hold all those known.

    >>> joined((0, 0, 2, 1), None, (1, 0, 3, 4))
    (0, 0, 3, 4)
    """
    known = [each for each in bounds if each is not None]
    if not known:
        return None
    west, south, east, north = zip(*known, strict=True)
    return min(west), min(south), max(east), max(north)


def _crs_of(table: SourceTable, reference: Reference, geometry: NDArray[np.object_], faults: list[Fault]) -> pyproj.CRS | None:
    """Decide the file's coordinate system from what it and the study state; no guess where neither does."""
    stated, own = parse_crs(reference.crs), parse_crs(table.crs)
    if reference.datum is not None and reference.datum not in DATUMS:
        told = (f"未知的基准“{reference.datum}”", f"unknown datum {reference.datum!r}")
        faults.append(table.fault("bad_datum", told, (f"可用：{', '.join(DATUMS)}。", f"Accepted: {', '.join(DATUMS)}.")))
        return None
    if reference.crs and stated is None:
        told = (f"无法识别坐标系“{reference.crs}”", f"the coordinate system {reference.crs!r} is not understood")
        faults.append(table.fault("bad_crs", told, ('例如写 crs = "EPSG:4326"。', 'Write, for example, crs = "EPSG:4326".')))
        return None
    if stated is None and own is None:
        told = ("未说明坐标系", "the coordinate system is not stated")
        section = section_of(table.kind)
        cure = (
            f'请在研究文件的 {section} 中写 crs，例如经纬度为 crs = "EPSG:4326"，并写 datum。',
            f'State crs in {section} of the study, for example crs = "EPSG:4326" for longitude and latitude, and datum.',
        )
        likely_zh, likely_en = likely_systems(geometry)
        faults.append(table.fault("missing_crs", told, (cure[0] + likely_zh, cure[1] + likely_en)))
        return None
    if stated is not None and own is not None and not stated.equals(own, ignore_axis_order=True):
        told = (
            f"文件自带坐标系 {own.name}，与研究文件所写 {stated.name} 不符",
            f"the file states {own.name}, but the study says {stated.name}",
        )
        faults.append(
            table.fault(
                "crs_mismatch", told, ("请删去研究文件中的 crs，或改正文件。", "Take crs out of the study, or correct the file.")
            )
        )
        return None
    return stated if stated is not None else own


def _layer_geometry(table: SourceTable, faults: list[Fault]) -> NDArray[np.object_]:
    """Take the shapes of a layer flat; one with a corner that is no number has no place, and is told."""
    flat = np.array(shapely.force_2d(table.geometry), dtype=object)
    flat[shapely.is_empty(flat)] = None
    xy, owner = shapely.get_coordinates(flat, return_index=True)
    for at in np.unique(owner[~np.isfinite(xy).all(axis=1)]).tolist():
        told = (
            "坐标中有非数字（NaN 或无穷大），该行的图形不采用",
            "has corners that are no numbers (NaN, infinite): its shape is not used",
        )
        cure = ("请在 GIS 中修正或删去该图形。", "Correct the shape in a GIS, or delete it.")
        faults.append(table.fault("corner_no_number", told, cure, at=at, severity="dropped"))
        flat[at] = None
    return flat


def _numbers_fit(table: SourceTable, geometry: NDArray[np.object_], crs: pyproj.CRS, faults: list[Fault]) -> bool:
    """Refuse degrees in a system of metres, and metres in a system of degrees."""
    present = geometry[~shapely.is_missing(geometry)]
    if not len(present):
        return True
    largest = np.abs(shapely.bounds(present)).max(axis=1)
    if crs.is_projected and np.median(largest) <= 180.0:
        told = (
            f"坐标看起来是度，而坐标系 {crs.name} 的单位是米",
            f"the coordinates look like degrees, but {crs.name} is in metres",
        )
        cure = ('经纬度请写 crs = "EPSG:4326"（或 4490）。', 'State crs = "EPSG:4326" (or 4490) for longitude and latitude.')
        faults.append(table.fault("degrees_as_metres", told, cure, found=_first_point(present)))
        return False
    if crs.is_geographic and np.median(largest) > 1000.0:
        told = (
            f"坐标看起来是米，而坐标系 {crs.name} 的单位是度",
            f"the coordinates look like metres, but {crs.name} is in degrees",
        )
        cure = ("请写明这些坐标的投影坐标系。", "State the projected coordinate system these metres belong to.")
        faults.append(table.fault("metres_as_degrees", told, cure, found=_first_point(present)))
        return False
    return True


def _first_point(geometry: NDArray[np.object_]) -> str:
    x, y = shapely.get_coordinates(geometry[:1])[0]
    return f"({x:.10g}, {y:.10g})"


def _rows_checked(
    table: SourceTable, geometry: NDArray[np.object_], crs: pyproj.CRS, reference: Reference, faults: list[Fault]
) -> NDArray[np.object_]:
    """Blank the records at (0, 0), out of range or outside the study area, with a fault each."""
    checked = geometry.copy()
    present = np.flatnonzero(~shapely.is_missing(geometry))
    centre = shapely.centroid(geometry[present])
    x, y = shapely.get_x(centre), shapely.get_y(centre)
    zero = (x == 0) & (y == 0)
    wild = (np.abs(x) > 180) | (np.abs(y) > 90) if crs.is_geographic else ~np.isfinite(x)
    sound = ~zero & ~wild
    outside, swapped = np.zeros_like(zero), exchanged_by_range(x, y, crs)
    wild |= swapped
    sound &= ~swapped
    if reference.area is not None and sound.any():
        outside[sound] = ~_within(x[sound], y[sound], crs, reference)
    if reference.area is not None and outside.any():
        swapped[outside] |= _within(y[outside], x[outside], crs, reference)
    for place, at in enumerate(present):
        if zero[place] or wild[place] or outside[place]:
            kind = "zero" if zero[place] else "swapped" if swapped[place] else "wild" if wild[place] else "outside"
            faults.append(_misplaced(table, int(at), kind, f"({x[place]:.10g}, {y[place]:.10g})"))
            checked[at] = None
    _datum_noted(table, x[sound], y[sound], crs, reference, faults)
    return checked


_MISPLACED: Final[dict[str, tuple[str, Words, Words]]] = {
    "zero": (
        "zero_coordinates",
        ("坐标为 (0, 0)", "lies at (0, 0)"),
        ("请填写真实坐标，或删去该行。", "Fill in the true coordinates, or delete the row."),
    ),
    "swapped": (
        "swapped_coordinates",
        ("经纬度（或东、北坐标）看起来对调了", "longitude and latitude (or east and north) look swapped"),
        (
            "请对调这些行的两个坐标；若全表如此，可在研究文件中写 swapped = true。",
            "Exchange the two coordinates of these rows; where all rows are so, write swapped = true in the study.",
        ),
    ),
    "wild": (
        "out_of_range",
        ("经度应在 ±180、纬度应在 ±90 之内", "longitude must lie within ±180 and latitude within ±90"),
        ("请改正坐标，或写明正确的坐标系。", "Correct the coordinates, or state the right coordinate system."),
    ),
    "outside": (
        "outside_area",
        ("位于研究范围 10 公里以外", "lies more than 10 km outside the study area"),
        (
            "请检查坐标、坐标系（crs）和基准（datum）；确在外地的请删去该行。",
            "Check the coordinates, crs and datum; delete the row if it truly lies elsewhere.",
        ),
    ),
}


def _misplaced(table: SourceTable, at: int, kind: str, found: str) -> Fault:
    code, told, cure = _MISPLACED[kind]
    return table.fault(code, told, cure, at=at, found=found)


def _within(x: NDArray[np.float64], y: NDArray[np.float64], crs: pyproj.CRS, reference: Reference) -> NDArray[np.bool_]:
    """Say which points lie in the study area or at most `OUTSIDE_M` beyond its bounds."""
    lonlat = shapely.get_coordinates(_lonlat(np.asarray(shapely.points(x, y), dtype=object), crs, reference.datum))
    west, south, east, north = reference.area or (-180.0, -90.0, 180.0, 90.0)
    up = OUTSIDE_M / _METRES_PER_DEGREE
    aside = up / max(0.01, np.cos(np.radians((south + north) / 2)))
    inside = (lonlat[:, 0] >= west - aside) & (lonlat[:, 0] <= east + aside)
    return np.asarray(inside & (lonlat[:, 1] >= south - up) & (lonlat[:, 1] <= north + up), dtype=np.bool_)


def _datum_noted(
    table: SourceTable, x: NDArray[np.float64], y: NDArray[np.float64], crs: pyproj.CRS, reference: Reference, faults: list[Fault]
) -> None:
    """Note a table of longitudes in China whose datum nobody states: map services shift theirs by hundreds of metres."""
    if reference.datum is None and table.geometry is None and crs.is_geographic and len(x) and in_china_box(x, y).mean() > 0.5:
        told = (f"未说明基准，按 {crs.name} 采用", f"the datum is not stated; taken as {crs.name}")
        cure = (
            '若坐标取自高德、腾讯或百度地图，请写 datum = "GCJ-02" 或 "BD-09"（否则偏移 100–1200 米）。',
            'If the coordinates come from AMap, Tencent or Baidu, write datum = "GCJ-02" or "BD-09" (they lie 100–1,200 m off).',
        )
        faults.append(table.fault("datum_not_stated", told, cure, severity="noted"))


def _lonlat(geometry: NDArray[np.object_], crs: pyproj.CRS, datum: Datum | None) -> NDArray[np.object_]:
    """Bring geometry to degrees WGS-84; shifted datums keep their own degrees until they are unshifted."""
    if datum not in SHIFTED:
        return _transformed(geometry, crs, _LONLAT)
    degrees = geometry if crs.is_geographic else _transformed(geometry, crs, (crs.geodetic_crs or pyproj.CRS(_LONLAT)).to_wkt())

    def unshifted(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum))

    return np.asarray(shapely.transform(degrees, unshifted), dtype=object)


def _transformed(geometry: NDArray[np.object_], crs: pyproj.CRS, crs_out: str) -> NDArray[np.object_]:
    """Project geometry; a point that the projection cannot hold becomes infinite."""
    convert = pyproj.Transformer.from_crs(crs, crs_out, always_xy=True)

    def projected(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(convert.transform(xy[:, 0], xy[:, 1]))

    return np.asarray(shapely.transform(geometry, projected), dtype=object)
