"""Know the Gauss-Krueger zones of China's three frames, with and without the zone before the easting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import pyproj

Frame = Literal["CGCS2000", "Xian 1980", "Beijing 1954"]

FRAMES: Final[dict[Frame, tuple[str, str]]] = {
    "CGCS2000": ("2000 国家大地坐标系", "CGCS2000"),
    "Xian 1980": ("西安 80", "Xi'an 80"),
    "Beijing 1954": ("北京 54", "Beijing 54"),
}
"""Frame -> its name in Chinese and English."""

_FIRST_CODE: Final[dict[tuple[Frame, int, bool], int]] = {
    ("CGCS2000", 6, True): 4491,
    ("CGCS2000", 6, False): 4502,
    ("CGCS2000", 3, True): 4513,
    ("CGCS2000", 3, False): 4534,
    ("Xian 1980", 6, True): 2327,
    ("Xian 1980", 6, False): 2338,
    ("Xian 1980", 3, True): 2349,
    ("Xian 1980", 3, False): 2370,
    ("Beijing 1954", 6, True): 21413,
    ("Beijing 1954", 6, False): 21453,
    ("Beijing 1954", 3, True): 2401,
    ("Beijing 1954", 3, False): 2422,
}
"""Frame, width of the zone in degrees, zone before the easting -> EPSG code of its first zone."""

_ZONES: Final = {6: range(13, 24), 3: range(25, 46)}
"""Zones that cover China; those of 6 and of 3 degrees share no number, so that a number says its width."""

_METHOD: Final = "Transverse Mercator"
_MILLION: Final = 1e6


@dataclass(frozen=True)
class Zone:
    """One Gauss-Krueger zone, as an easting's first two digits or a projection state it."""

    width: int
    """Width in degrees, 3 or 6."""
    number: int
    """Zone number; 13 to 23 are of 6 degrees, 25 to 45 of 3."""

    @property
    def meridian(self) -> float:
        """Longitude of the central meridian, degrees: 6 n - 3 or 3 n."""
        return self.number * 6.0 - 3.0 if self.width == 6 else self.number * 3.0


def gauss_kruger(zone: int, *, frame: Frame = "CGCS2000", prefixed: bool = True) -> str:
    """Name the EPSG code of a Gauss-Krueger zone, for the study file.

    Parameters
    ----------
    zone
        13 to 23 for the zones of 6 degrees, 25 to 45 for those of 3.
    prefixed
        Whether eastings carry the zone before them (40 512 345 rather than 512 345).

    Raises
    ------
    ValueError
        If no such zone lies in China.

    >>> gauss_kruger(40), gauss_kruger(40, prefixed=False), gauss_kruger(20, frame="Beijing 1954")
    ('EPSG:4528', 'EPSG:4549', 'EPSG:21420')
    """
    found = _zone(zone)
    if found is None:
        raise ValueError(f"zone {zone} does not lie in China; zones of 6 degrees are 13 to 23, of 3 degrees 25 to 45")
    return f"EPSG:{_FIRST_CODE[frame, found.width, prefixed] + zone - _ZONES[found.width][0]}"


def prefix_of(easting: float) -> Zone | None:
    """Read the zone before an easting of eight digits, None where there is none.

    >>> prefix_of(40512345.0), prefix_of(512345.0)
    (Zone(width=3, number=40), None)
    """
    return _zone(int(easting // _MILLION)) if easting >= 13 * _MILLION else None


def zone_of(crs: pyproj.CRS) -> tuple[float, float] | None:
    """Give central meridian and false easting of a transverse Mercator projection, None for any other system.

    >>> zone_of(pyproj.CRS("EPSG:4528")), zone_of(pyproj.CRS("EPSG:3857"))
    ((120.0, 40500000.0), None)
    """
    operation = crs.coordinate_operation
    if not crs.is_projected or operation is None or operation.method_name != _METHOD:
        return None
    values = {parameter.name: parameter.value for parameter in operation.params}
    return float(values["Longitude of natural origin"]), float(values["False easting"])


def old_frame(crs: pyproj.CRS) -> Frame | None:
    """Tell whether a system rests on Xi'an 80 or Beijing 54, whose shift to WGS-84 is unknown to tens of metres.

    >>> old_frame(pyproj.CRS("EPSG:2384")), old_frame(pyproj.CRS("EPSG:4490"))
    ('Xian 1980', None)
    """
    name = crs.geodetic_crs.name if crs.geodetic_crs is not None else ""
    found: Frame | None = "Xian 1980" if "Xian 1980" in name else "Beijing 1954" if "Beijing 1954" in name else None
    return found


def zones_with_prefix(easting: float) -> tuple[str, ...]:
    """List the codes of the three frames that an easting of eight digits can belong to, the likeliest first.

    >>> zones_with_prefix(40512345.0)
    ('EPSG:4528', 'EPSG:2364', 'EPSG:2416')
    """
    zone = prefix_of(easting)
    return () if zone is None else tuple(gauss_kruger(zone.number, frame=frame) for frame in FRAMES)


def _zone(number: int) -> Zone | None:
    return next((Zone(width, number) for width, numbers in _ZONES.items() if number in numbers), None)
