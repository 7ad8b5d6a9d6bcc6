"""Check that an elevation raster has heights where the people of a study live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from careshed.schema import Fault, file_label

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.intake.elevation import Elevation
    from careshed.intake.places import Bounds

ZERO_SHARE: Final = 0.01
"""Share of cells at exactly 0 m from which zeros are told."""

ABOVE_SEA_M: Final = 5.0
"""Where heights are farther from 0 than this elsewhere, metres, the place is not all at sea level."""


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
    file = file_label(elevation.path)
    if lacking.all():
        told = ("高程栅格在所有人口格网处都没有高程", "the elevation raster has no height at any population cell")
        return [Fault("heights_elsewhere", file, *told, *_CURE)]
    people = cells["total"].to_numpy(dtype=float) if "total" in cells.columns else np.zeros(len(cells))
    return [*_lacking(file, lacking, people), *_range_told(file, heights[~lacking], people[~lacking])]


def _lacking(file: str, lacking: NDArray[np.bool_], people: NDArray[np.float64]) -> list[Fault]:
    some = int(lacking.sum())
    if not some:
        return []
    zh = f"{some} 个人口格网处没有高程，附近道路按平路计"
    en = f"{some} population cells have no height; streets without heights count as level"
    cure = ("请换用覆盖整个研究范围的高程数据。", "Use an elevation model that covers the whole area.")
    return [Fault("people_no_heights", file, zh, en, *cure, severity="noted", people=float(people[lacking].sum()))]


def _range_told(file: str, heights: NDArray[np.float64], people: NDArray[np.float64]) -> list[Fault]:
    """Say how high people live, so that another unit or a hole filled with zeros is seen."""
    told = (
        f"人口格网处高程 {heights.min():,.0f}–{heights.max():,.0f} 米",
        f"population cells lie {heights.min():,.0f} to {heights.max():,.0f} m high",
    )
    cure = (
        '单位不对时，请在 [elevation] 中写 unit，如 "ft"、"dm"。',
        'State unit in [elevation] if that is not so, such as "ft" or "dm".',
    )
    found = [Fault("heights_range", file, *told, *cure, severity="noted")]
    zero = heights == 0
    if zero.sum() < ZERO_SHARE * len(heights) or not (np.abs(heights[~zero]) > ABOVE_SEA_M).any():
        return found
    zh = f"{int(zero.sum())} 个人口格网处高程恰为 0，而其他处不是，可能是缺失值"
    en = f"{int(zero.sum())} population cells have a height of exactly 0 and others have not: 0 may stand for no data"
    cure = ("确为缺失时，请把栅格的无效值（nodata）设为 0。", "If it does, set the raster's nodata value to 0.")
    return [*found, Fault("heights_zero", file, zh, en, *cure, severity="noted", people=float(people[zero].sum()))]


_CURE = (
    "请换用覆盖研究范围的高程数据，或核对 [elevation] 的 crs；不计坡度时删去 [elevation]。",
    "Use an elevation model of the study area, or check crs in [elevation]; leave [elevation] out if slopes shall not count.",
)
