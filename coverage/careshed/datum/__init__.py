"""Bring coordinates of the datums met in China to WGS-84, and read how they are written."""

from careshed.datum.degrees import degrees_of
from careshed.datum.shifts import (
    CHINA_BOX,
    DATUMS,
    SHIFTED,
    Datum,
    Degrees,
    Pair,
    bd09_from_gcj02,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    in_china_box,
    to_wgs84,
    wgs84_from_gcj02,
)
from careshed.datum.zones import FRAMES, Frame, Zone, gauss_kruger, old_frame, prefix_of, zone_of, zones_with_prefix

__all__ = [
    "CHINA_BOX",
    "DATUMS",
    "FRAMES",
    "SHIFTED",
    "Datum",
    "Degrees",
    "Frame",
    "Pair",
    "Zone",
    "bd09_from_gcj02",
    "degrees_of",
    "gauss_kruger",
    "gcj02_from_bd09",
    "gcj02_from_wgs84",
    "in_china_box",
    "old_frame",
    "prefix_of",
    "to_wgs84",
    "wgs84_from_gcj02",
    "zone_of",
    "zones_with_prefix",
]
