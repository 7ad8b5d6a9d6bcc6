"""Check that an elevation raster has heights where the people of a study live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from careshed.schema import Fault, file_label

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.intake.elevation import Elevation
    from careshed.intake.places import Bounds


def heights_elsewhere(elevation: Elevation | None, area: Bounds) -> list[Fault]:
    """Refuse an elevation raster that does not touch the study area at all.

    Parameters
    ----------
    area
        West, south, east, north of the study, degrees.
    """
    if elevation is None:
        return []
    west, south, east, north = elevation.bounds_lonlat()
    if west <= area[2] and east >= area[0] and south <= area[3] and north >= area[1]:
        return []
    there, wanted = (" ".join(f"{value:.3f}" for value in box) for box in ((west, south, east, north), area))
    zh = f"高程（{there}）与研究范围（{wanted}）不相交"
    en = f"the heights ({there}) do not touch the study area ({wanted})"
    return [Fault("heights_elsewhere", file_label(elevation.path), zh, en, *_CURE)]


def people_without_heights(elevation: Elevation | None, cells: GeoDataFrame) -> list[Fault]:
    """Tell how many people live where the elevation raster has no heights; refuse one that has none for anybody."""
    if elevation is None or cells.empty:
        return []
    heights = elevation.at(cells.geometry.x.to_numpy(), cells.geometry.y.to_numpy(), str(cells.crs))
    lacking = ~np.isfinite(heights)
    if not lacking.any():
        return []
    file = file_label(elevation.path)
    if lacking.all():
        told = ("高程栅格在所有人口格网处都没有高程", "the elevation raster has no height at any population cell")
        return [Fault("heights_elsewhere", file, *told, *_CURE)]
    some = int(lacking.sum())
    zh = f"{some} 个人口格网处没有高程，附近道路按平路计"
    en = f"{some} population cells have no height; streets without heights count as level"
    people = float(cells.loc[lacking, "total"].sum()) if "total" in cells.columns else 0.0
    cure = ("请换用覆盖整个研究范围的高程数据。", "Use an elevation model that covers the whole area.")
    return [Fault("people_no_heights", file, zh, en, *cure, severity="noted", people=people)]


_CURE = (
    "请换用覆盖研究范围的高程数据，或核对 [elevation] 的 crs；不计坡度时删去 [elevation]。",
    "Use an elevation model of the study area, or check crs in [elevation]; leave [elevation] out if slopes shall not count.",
)
