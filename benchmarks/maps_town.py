"""Make a large made-up study on a real street base: what the map page has to carry at most."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree, Voronoi

CRS: Final = "EPSG:32629"
WALK_M_S: Final = 1.0
DETOUR: Final = 1.3
"""Street distance over the straight line."""

LIMITS: Final = (5.0, 10.0, 15.0)
GROUPS: Final = ("p60", "p80", "total")


def large_study(
    streets: Any, *, cells: int, facilities: int, units: int, seed: int = 8
) -> tuple[SimpleNamespace, dict[str, Any]]:
    """Make a study over the extent of the streets, and what `careshed.write_map` draws of it.

    Parameters
    ----------
    streets
        `careshed.intake.streets.Streets` of a real place; None for a made-up lattice of streets.
    """
    from careshed.access import coverage_table, find_gaps
    from careshed.settings.sections import MapSection, Service

    random = np.random.default_rng(seed)
    lines = streets.lines(CRS) if streets is not None else lattice_streets(random)
    west, south, east, north = lines.total_bounds
    grid, table = people_cells((west, south, east, north), cells, random)
    areas = voronoi_units((west, south, east, north), units, random)
    table["unit"] = finest_unit(table, areas)
    places = facility_table(table, facilities, random)
    times = straight_times(table, places)
    service = Service(
        id="care", name_zh="社区养老服务", name_en="Day care", types=("站",), group="p60", groups_shown=GROUPS, mode="older"
    )
    study = SimpleNamespace(
        name="大城（虚构）", lang="zh", made_up=True, data_date="2026-01-01", crs=CRS, snap_m=150.0, cells=table, units=areas,
        population=SimpleNamespace(grid=grid, cells=table), streets=SimpleNamespace(lines=lambda _: lines), faults=(),
        services=(service,), service=lambda _: service, facilities=lambda _: places, config=SimpleNamespace(map=MapSection()),
    )  # fmt: skip
    drawn = {
        "times": times,
        "gaps": find_gaps(times, table, minutes=15, group="p60", units=areas),
        "covered": coverage_table(times, table, areas, minutes=LIMITS, groups=GROUPS),
        "isochrones": ragged_bands(places, random),
    }
    return study, drawn


def lattice_streets(random: np.random.Generator, side: int = 260) -> gpd.GeoDataFrame:
    """Draw a bent lattice of streets, every tenth a wide one."""
    at = np.arange(side) * 100.0
    bend = np.cumsum(random.normal(0, 8, (2, side, side)), axis=2)
    along = [np.column_stack([at, at[k] + bend[0, k]]) for k in range(side)] + [
        np.column_stack([at[k] + bend[1, k], at]) for k in range(side)
    ]
    corner = np.array([520_000.0, 4_550_000.0])
    shapes = shapely.linestrings(np.vstack(along) + corner, indices=np.repeat(np.arange(2 * side), side))
    rank = np.where(np.arange(2 * side) % 40 == 0, 0, np.where(np.arange(2 * side) % 10 == 0, 1, 3))
    return gpd.GeoDataFrame({"rank": rank}, geometry=shapes, crs=CRS)


def people_cells(
    bounds: tuple[float, float, float, float], wanted: int, random: np.random.Generator
) -> tuple[Any, gpd.GeoDataFrame]:
    """Fill a grid with people, thinning outwards from a few centres; every cell has somebody."""
    from careshed.schema import Grid

    west, south, east, north = bounds
    size = float(np.sqrt((east - west) * (north - south) / wanted))
    cols, rows = int((east - west) / size), int(np.ceil(wanted / int((east - west) / size)))
    flat = np.arange(wanted)
    row, col = flat // cols, flat % cols
    x, y = west + (col + 0.5) * size, north - (row + 0.5) * size
    centres = random.uniform((west, south), (east, north), (12, 2))
    far = np.min(np.hypot(x[:, None] - centres[:, 0], y[:, None] - centres[:, 1]), axis=1)
    people = np.round(random.gamma(2.0, 25.0, wanted) * np.exp(-far / (0.12 * (east - west))) + 0.3, 2)
    columns = {"total": people, "p60": people * 0.21, "p80": people * 0.031, "row": row, "col": col, "unit": ""}
    index = pd.RangeIndex(wanted, name="cell_id")
    table = gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(x, y, crs=CRS), index=index)
    return Grid(CRS, (size, 0, west, 0, -size, north), (rows, cols)), table


def voronoi_units(bounds: tuple[float, float, float, float], wanted: int, random: np.random.Generator) -> gpd.GeoDataFrame:
    """Part the land into units with ragged borders: a county, a tenth streets, the others communities."""
    west, south, east, north = bounds
    whole = shapely.box(*bounds)
    streets = max(wanted // 10, 2)
    cities = [("1", "大区", "county", "", whole)]
    for level, many in (("street", streets), ("community", wanted - streets - 1)):
        seeds = random.uniform((west, south), (east, north), (many, 2))
        mirrored = np.vstack([seeds, *(seeds * flip + shift for flip, shift in _mirrors(bounds))])
        shape = Voronoi(mirrored)
        polygons = [shapely.Polygon(shape.vertices[shape.regions[shape.point_region[k]]]) for k in range(many)]
        ragged = shapely.segmentize(polygons, (east - west) / 400)
        shaken = shapely.intersection(shapely.make_valid(shapely.transform(ragged, _shaken)), whole)
        cities += [(f"{level[0]}{k}", f"{level}-{k}", level, "1", one) for k, one in enumerate(shaken)]
    table = pd.DataFrame(cities, columns=["unit_id", "name", "level", "parent", "geometry"]).set_index("unit_id")
    return gpd.GeoDataFrame(table.assign(setting="urban"), geometry="geometry", crs=CRS)


def _mirrors(bounds: tuple[float, float, float, float]) -> list[tuple[tuple[int, int], tuple[float, float]]]:
    west, south, east, north = bounds
    return [((-1, 1), (2 * west, 0)), ((-1, 1), (2 * east, 0)), ((1, -1), (0, 2 * south)), ((1, -1), (0, 2 * north))]


def _shaken(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points + 40 * np.column_stack([np.sin(points[:, 1] / 137) + np.sin(points[:, 0] / 91), np.cos(points[:, 0] / 143)])


def finest_unit(cells: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Give each cell the community that holds it, "" for none."""
    finest = units[units["level"] == "community"]
    tree = shapely.STRtree(finest.geometry.array)
    cell, unit = tree.query(cells.geometry.array, predicate="within")
    found = np.full(len(cells), "", dtype=object)
    found[cell] = np.asarray(finest.index)[unit]
    return found


def facility_table(cells: gpd.GeoDataFrame, many: int, random: np.random.Generator) -> gpd.GeoDataFrame:
    """Put facilities where people live."""
    at = random.choice(len(cells), many, replace=False, p=cells["total"] / cells["total"].sum())
    columns = {
        "name": [f"第{k}社区养老服务站" for k in range(many)],
        "type": "社区养老服务站",
        "status": random.choice(["operating", "operating", "building"], many),
        "operator": "公办",
        "places": random.integers(5, 60, many).astype(float),
        "unit": cells["unit"].to_numpy()[at],
    }
    return gpd.GeoDataFrame(columns, geometry=cells.geometry.array[at], crs=CRS, index=[f"f{k}" for k in range(many)])


def straight_times(cells: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame) -> Any:
    """Stand in for travel times: straight lines with a detour, to the nearest facility only."""
    from careshed.modes import WALK_OLDER
    from careshed.reach import TravelTimes

    places = np.column_stack([facilities.geometry.x, facilities.geometry.y])
    far, nearest = KDTree(places).query(np.column_stack([cells.geometry.x, cells.geometry.y]))
    cost = np.asarray(far * DETOUR / WALK_M_S * 1000, dtype=np.int64)
    fault = np.where(np.arange(len(cells)) % 997 == 0, "far", "")
    no, nearest = np.array([], dtype=np.int32), nearest.astype(np.int32)
    return TravelTimes(
        facilities, cells.index, np.zeros(len(facilities) + 1, np.int64), no, no.astype(np.uint32), cost, nearest,
        fault, np.full(len(facilities), ""), "time", 1_800_000, "to_facility", WALK_OLDER, 150.0,
    )  # fmt: skip


def ragged_bands(facilities: gpd.GeoDataFrame, random: np.random.Generator, corners: int = 90) -> gpd.GeoDataFrame:
    """Stand in for isochrones: stars about as ragged as real ones, merged."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    shapes = []
    for minutes in LIMITS:
        reach = minutes * 60 * WALK_M_S / DETOUR * random.uniform(0.6, 1.0, (len(facilities), corners))
        stars = np.stack([np.cos(angle) * reach, np.sin(angle) * reach], axis=2)
        stars += np.column_stack([facilities.geometry.x, facilities.geometry.y])[:, None]
        shapes.append(shapely.union_all(shapely.make_valid(shapely.polygons(stars))))
    return gpd.GeoDataFrame({"minutes": list(LIMITS)}, geometry=shapes, crs=CRS)
