"""Count the made-up residents by age on a 100 m grid, so that the town's shares come out as stated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from careshed.demo.form import CRS
from careshed.demo.town import Town
from careshed.demo.ways import Floats

CELL_M: Final = 100
NODATA: Final = -9999.0
PEOPLE_URBAN: Final = 194_200.0
PEOPLE_RURAL: Final = 56_000.0
SHARES: Final[dict[str, float]] = {"p60": 0.182, "p65": 0.125, "p80": 0.025, "p0_3": 0.038, "p3_6": 0.034}
"""Share of all residents; 60+, 65+, 80+ and 0–3 as the Shuozhou elder-care and childcare plan states them, 3–6 assumed."""


@dataclass(frozen=True)
class Raster:
    """People by group on a grid, north up."""

    west: float
    north: float
    inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    """Cells whose centre lies within the county."""
    groups: dict[str, Floats]
    """Group -> people, shape (rows, columns)."""
    scale: tuple[float, float]
    """People for each unit of weight of the homes, urban and rural."""


def count_people(town: Town) -> Raster:
    """Put every home's people on the grid, older where the homes are older, and meet the town's shares."""
    import shapely

    homes = town.homes
    xy, weight = town.warp(np.vstack(homes.xy)), np.concatenate(homes.weight)
    age, rural = np.concatenate(homes.age), np.concatenate(homes.rural)
    scale = (PEOPLE_URBAN / weight[rural == 0].sum(), PEOPLE_RURAL / weight[rural == 1].sum())
    people = weight * np.where(rural == 1, scale[1], scale[0])
    bounds = town.warp.shape(shapely.segmentize(town.form.bounds, 100))
    west, south = (float(np.floor(edge / CELL_M) * CELL_M) for edge in bounds.bounds[:2])
    east, north = (float(np.ceil(edge / CELL_M) * CELL_M) for edge in bounds.bounds[2:])
    shape = round((north - south) / CELL_M), round((east - west) / CELL_M)
    col, row = np.floor((xy[:, 0] - west) / CELL_M).astype(int), np.floor((north - xy[:, 1]) / CELL_M).astype(int)
    cell = row * shape[1] + col

    def on_grid(values: Floats) -> Floats:
        return np.asarray(np.bincount(cell, weights=values, minlength=shape[0] * shape[1]), dtype=np.float64).reshape(shape)

    groups = _groups(on_grid(people), {name: on_grid(people * share) for name, share in _home_shares(age, rural).items()})
    x, y = np.meshgrid(west + CELL_M * (np.arange(shape[1]) + 0.5), north - CELL_M * (np.arange(shape[0]) + 0.5))
    inside = shapely.contains_xy(bounds, x, y) | (groups["total"] > 0)
    return Raster(west, north, inside, groups, scale)


def _home_shares(age: Floats, rural: Floats) -> dict[str, Floats]:
    """Give the age profile of a home's people: young families in new homes, the old in old ones."""
    p60 = 0.065 + 0.225 * age + 0.03 * rural
    p65 = p60 * (0.60 + 0.13 * age)
    return {
        "p60": p60,
        "p65": p65,
        "p80": p65 * (0.13 + 0.11 * age),
        "p0_3": 0.060 - 0.040 * age + 0.004 * rural,
        "p3_6": 0.052 - 0.033 * age + 0.004 * rural,
    }


def _groups(total: Floats, raw: dict[str, Floats]) -> dict[str, Floats]:
    """Round to tenths of a person so that each group keeps its share of the whole town."""
    total = np.round(total, 1)
    groups = {"total": total}
    for name, share in SHARES.items():
        most = groups[{"p65": "p60", "p80": "p65"}.get(name, "total")]
        groups[name] = _scaled(np.where(total > 0, raw[name], 0.0), most, share * total.sum())
    return groups


def _scaled(raw: Floats, most: Floats, target: float) -> Floats:
    """Scale `raw` so that its rounded sum is `target`, nowhere above `most`.

    >>> _scaled(np.array([1.0, 3.0]), np.array([9.0, 9.0]), 8.0).tolist()
    [2.0, 6.0]
    """
    factor = target / raw.sum()
    counts: Floats = np.minimum(np.round(raw * factor, 1), most)
    for _ in range(40):
        if abs(counts.sum() - target) < 1:
            break
        factor *= target / counts.sum()
        counts = np.minimum(np.round(raw * factor, 1), most)
    return counts


def write_rasters(folder: Path, raster: Raster) -> None:
    """Write one GeoTIFF a group: float32, deflate, uninhabited ground 0, beyond the county nodata."""
    import rasterio

    folder.mkdir(parents=True, exist_ok=True)
    transform = rasterio.Affine(CELL_M, 0.0, raster.west, 0.0, -CELL_M, raster.north)
    height, width = raster.inside.shape
    for name, counts in raster.groups.items():
        band = np.where(raster.inside, counts, NODATA).astype(np.float32)
        with rasterio.open(
            folder / f"{name}.tif", "w", driver="GTiff", height=height, width=width, count=1, dtype="float32",
            crs=CRS, transform=transform, nodata=NODATA, compress="deflate",
        ) as file:  # fmt: skip
            file.write(band, 1)
            file.update_tags(TIFFTAG_IMAGEDESCRIPTION=f"careshed demo, a made-up town: {name}, people per cell")
