"""Shift longitudes and latitudes between WGS-84 and the datums of the map services, to a millimetre."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Datum = Literal["WGS-84", "CGCS2000", "GCJ-02", "BD-09"]
"""What a longitude and latitude refer to. GCJ-02 is what AMap and Tencent give, BD-09 what Baidu gives."""

DATUMS: Final[tuple[Datum, ...]] = get_args(Datum)

SHIFTED: Final = ("GCJ-02", "BD-09")
"""Datums that no coordinate system states and that lie 100 to 1,200 m off."""

CHINA_BOX: Final = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north in degrees: outside it the map services shift nothing."""

Degrees = NDArray[np.float64]
Pair = tuple[Degrees, Degrees]

_SEMI_MAJOR_M: Final = 6378245.0
"""Semi-major axis of the Krassovsky 1940 ellipsoid, which the GCJ-02 formula uses."""
_ECCENTRICITY_2: Final = 0.00669342162296594323
"""Squared first eccentricity of the same ellipsoid."""
_BD_TURN: Final = np.pi * 3000.0 / 180.0
_BD_OFFSET_LON: Final = 0.0065
_BD_OFFSET_LAT: Final = 0.006
_TOLERANCE_DEG: Final = 1e-10
"""About 0.01 mm: the inverse stops when the forward formula agrees this well."""
_MOST_STEPS: Final = 30
"""Each step gains about two digits, so that ten are enough; thirty only guard against an endless loop."""
_BOX_MARGIN_DEG: Final = 0.1
"""The shift never exceeds 0.02 degrees, so that a point farther outside the box came from no point inside."""


def to_wgs84(lon: ArrayLike, lat: ArrayLike, datum: Datum) -> Pair:
    """Bring coordinates of any of the four datums to WGS-84, so that they lie where the street map has them.

    CGCS2000 is returned as it is: its ellipsoid differs from that of WGS-84 by less than a millimetre and its frame by
    centimetres; the drift of the continent since the year 2000 (some decimetres) is below what registers resolve.
    GCJ-02 and BD-09 are inverted to less than 1 mm of their forward formulas, and are identical to WGS-84 outside `CHINA_BOX`.

    Parameters
    ----------
    lon, lat
        Degrees, any shape; NaN stays NaN.

    Raises
    ------
    ValueError
        If `datum` is none of `DATUMS`.

    >>> lon, lat = to_wgs84([116.404], [39.915], "BD-09")
    >>> lon.round(4).tolist(), lat.round(4).tolist()
    ([116.3914], [39.9073])
    """
    east, north = _as_degrees(lon, lat)
    if datum not in DATUMS:
        raise ValueError(f"unknown datum {datum!r}; accepted: {', '.join(DATUMS)}")
    if datum == "BD-09":
        east, north = gcj02_from_bd09(east, north)
    if datum in SHIFTED:
        east, north = wgs84_from_gcj02(east, north)
    return east, north


def gcj02_from_wgs84(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift WGS-84 to GCJ-02, the datum of AMap and Tencent maps (forward formula).

    >>> lon, lat = gcj02_from_wgs84(116.3912, 39.9073)
    >>> round(float(lon), 4), round(float(lat), 4)
    (116.3974, 39.9087)
    """
    return _only_in_china(_shift_gcj02, *_as_degrees(lon, lat))


def wgs84_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Bring GCJ-02 back to WGS-84, to less than 1 mm of the forward formula."""
    return _inverted(_shift_gcj02, *_as_degrees(lon, lat))


def bd09_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift GCJ-02 to BD-09, the datum of Baidu maps (forward formula).

    >>> lon, lat = bd09_from_gcj02(116.3974, 39.9087)
    >>> round(float(lon), 4), round(float(lat), 4)
    (116.4038, 39.915)
    """
    return _only_in_china(_shift_bd09, *_as_degrees(lon, lat))


def gcj02_from_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Bring BD-09 back to GCJ-02, to less than 1 mm of the forward formula."""
    return _inverted(_shift_bd09, *_as_degrees(lon, lat))


def in_china_box(lon: ArrayLike, lat: ArrayLike, *, margin: float = 0.0) -> NDArray[np.bool_]:
    """Say which points lie in the box where the map services shift coordinates; `margin` in degrees widens it.

    >>> in_china_box([113.0, 2.35], [39.0, 48.86]).tolist()
    [True, False]
    """
    east, north = _as_degrees(lon, lat)
    west, south, right, top = CHINA_BOX
    inside = (east >= west - margin) & (east <= right + margin) & (north >= south - margin) & (north <= top + margin)
    return np.asarray(inside, dtype=np.bool_)


def _as_degrees(lon: ArrayLike, lat: ArrayLike) -> Pair:
    return np.array(lon, dtype=np.float64), np.array(lat, dtype=np.float64)


def _only_in_china(shift: Callable[[Degrees, Degrees], Pair], lon: Degrees, lat: Degrees) -> Pair:
    inside = in_china_box(lon, lat)
    east, north = shift(np.where(inside, lon, 105.0), np.where(inside, lat, 35.0))
    return np.where(inside, east, lon), np.where(inside, north, lat)


def _inverted(shift: Callable[[Degrees, Degrees], Pair], lon: Degrees, lat: Degrees) -> Pair:
    """Find the point that the shift moves onto (lon, lat); where none lies in China's box, the point itself."""
    near = in_china_box(lon, lat, margin=_BOX_MARGIN_DEG)
    goal_east, goal_north = np.where(near, lon, 105.0), np.where(near, lat, 35.0)
    east, north = goal_east, goal_north
    for _ in range(_MOST_STEPS):
        there_east, there_north = shift(east, north)
        off_east, off_north = there_east - goal_east, there_north - goal_north
        east, north = east - off_east, north - off_north
        if max(np.abs(off_east).max(initial=0.0), np.abs(off_north).max(initial=0.0)) < _TOLERANCE_DEG:
            break
    from_china = near & in_china_box(east, north)
    return np.where(from_china, east, lon), np.where(from_china, north, lat)


def _shift_gcj02(lon: Degrees, lat: Degrees) -> Pair:
    """Apply the published approximation of the GCJ-02 shift, as all map libraries do (Krassovsky ellipsoid)."""
    east_m, north_m = _gcj02_offsets(lon - 105.0, lat - 35.0)
    phi = np.radians(lat)
    flat = 1.0 - _ECCENTRICITY_2 * np.sin(phi) ** 2
    north = north_m * 180.0 / (_SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_2) / (flat * np.sqrt(flat)) * np.pi)
    east = east_m * 180.0 / (_SEMI_MAJOR_M / np.sqrt(flat) * np.cos(phi) * np.pi)
    return lon + east, lat + north


def _gcj02_offsets(x: Degrees, y: Degrees) -> Pair:
    """Offsets in metres; x and y are degrees from 105 E, 35 N."""
    root = np.sqrt(np.abs(x))
    common = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common + _waves(x, 150.0, 300.0)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common + _waves(y, 160.0, 320.0)
    return east, north


def _waves(z: Degrees, long: float, longest: float) -> Degrees:
    """Sum the four sine terms of one axis, metres; the amplitudes of the last two differ between the axes."""
    short = 20.0 * np.sin(z * np.pi) + 40.0 * np.sin(z / 3.0 * np.pi)
    wide = long * np.sin(z / 12.0 * np.pi) + longest * np.sin(z / 30.0 * np.pi)
    return np.asarray((short + wide) * 2.0 / 3.0, dtype=np.float64)


def _shift_bd09(lon: Degrees, lat: Degrees) -> Pair:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_TURN)
    return radius * np.cos(angle) + _BD_OFFSET_LON, radius * np.sin(angle) + _BD_OFFSET_LAT
