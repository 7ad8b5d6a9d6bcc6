"""Draw Berlin's 2,334 day-care centres with their real and modelled places, and children that are MADE UP, as a map of places.

``python benchmarks/berlin_places.py [--out FILE.html] [--lang zh|en]`` assigns the children to places with the least travel and
writes who has a place, who finds none and who is out of reach, and how full each centre is. The data stay where they are, at
``../shared/data`` or ``$CARESHED_DATA`` (MIT; OpenStreetMap contributors, ODbL); without them the script says so and ends.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from verdicts import Verdicts, data_folder, skip

from careshed.maps import write_places_map
from careshed.modes import WALK_TODDLER, Mode
from careshed.reach import TravelTimes
from careshed.schema import Fault, Grid, Population
from careshed.settings.sections import MapSection, Service
from careshed.supply.assignment import Assignment, assign_places
from careshed.supply.catchments import floating_catchment

if TYPE_CHECKING:
    from careshed.study import Study
    from careshed.words import Lang

CENTRES, PLACES = 2334, 201_261
"""Day-care centres and their places, as counted in the source; 225 observed, the rest modelled."""

CHILDREN: Final = 200_000.0
DETOUR: Final = 1.3
"""Way over straight line: no streets of Berlin are here."""

EDGE_M: Final = 1500.0
"""Nobody is made up farther than this from every centre."""

GROUP: Final = {"zh": "虚构儿童", "en": "made-up children"}
"""Name of the group, so that every sentence of the map says what it counts."""

MINUTES: Final = 15.0
STEP_M: Final = 250.0


def straight_times(
    facilities: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, *, mode: Mode, minutes: float, detour: float = DETOUR
) -> TravelTimes:
    """Measure straight ways with a detour, both tables in metres, in whole milliseconds."""
    spots, homes = (np.column_stack([table.geometry.x, table.geometry.y]) for table in (facilities, cells))
    per_metre = detour * 3600 / mode.speed_kmh
    limit = round(minutes * 60_000)
    near = cKDTree(homes).query_ball_point(spots, limit / per_metre, return_sorted=True)
    counts = np.array([len(one) for one in near], dtype=np.int64)
    row, column = np.repeat(np.arange(len(spots)), counts), np.array([at for one in near for at in one], dtype=np.int32)
    cost = np.rint(np.hypot(*(spots[row] - homes[column]).T) * per_metre)
    first, nearest = cKDTree(spots).query(homes)
    return TravelTimes(
        facilities=facilities,
        cell_ids=cells.index,
        indptr=np.concatenate([[0], np.cumsum(counts)]),
        indices=column,
        cost=np.minimum(cost, limit).astype(np.uint32),
        nearest_cost=np.rint(first * per_metre).astype(np.int64),
        nearest_facility=nearest.astype(np.int32),
        cell_fault=np.full(len(homes), ""),
        facility_fault=np.full(len(spots), ""),
        metric="time",
        limit=limit,
        direction="to_facility",
        mode=mode,
        snap_m=150.0,
    )


def read_centres(data: Path) -> gpd.GeoDataFrame:
    """Read the centres with their places."""
    table = gpd.read_file(data / "daycare_locations.geojson").set_index("id").rename_axis("facility_id")
    return table.rename(columns={"final_capacity": "places"}).assign(type="")[["name", "type", "places", "geometry"]]


def make_children(centres: gpd.GeoDataFrame, step_m: float = STEP_M) -> tuple[gpd.GeoDataFrame, Grid]:
    """Make 200,000 children up: a smooth function of the position on a lattice, many in the middle, in waves of a few km.

    Whole numbers of thousandths, so that they add up alike everywhere.
    """
    west, south, east, north = centres.total_bounds
    col, row = np.meshgrid(np.arange((east - west) // step_m + 1), np.arange((north - south) // step_m + 1))
    x, y = west + step_m * col.ravel(), north - step_m * row.ravel()
    near = cKDTree(np.column_stack([centres.geometry.x, centres.geometry.y])).query(np.column_stack([x, y]))[0] <= EDGE_M
    x, y = x[near], y[near]
    weight = _density(x - (west + east) / 2, y - (south + north) / 2)
    children = np.round(weight / weight.sum() * CHILDREN, 3)
    columns = {"p0_6": children, "row": row.ravel()[near].astype(int), "col": col.ravel()[near].astype(int), "unit": ""}
    index = pd.RangeIndex(len(x), name="cell_id")
    cells = gpd.GeoDataFrame(columns, index=index, geometry=gpd.points_from_xy(x, y), crs=centres.crs)
    corner = (step_m, 0.0, west - step_m / 2, 0.0, -step_m, north + step_m / 2)
    return cells, Grid(str(centres.crs), corner, col.shape)


def _density(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return (1.2 + np.cos(x / 2100) * np.cos(y / 1700)) * np.exp(-np.hypot(x, y) / 9000)


def berlin(data: Path, step_m: float = STEP_M) -> tuple[TravelTimes, gpd.GeoDataFrame, Grid]:
    """Give travel times of real centres to made-up children."""
    centres = read_centres(data)
    cells, grid = make_children(centres, step_m)
    return straight_times(centres, cells, mode=WALK_TODDLER, minutes=MINUTES), cells, grid


def study_of(times: TravelTimes, cells: gpd.GeoDataFrame, grid: Grid, lang: Lang) -> Study:
    """Wrap the tables in what a map asks of a study; its name, its ribbon and its notes say what is made up."""
    observed = "225 of 2,334 centres' places are observed, the others modelled by the source"
    faults = (
        _noted("children_made_up", "儿童人数为虚构：20万名儿童按位置函数平滑分布，不是柏林的真实人口",
               "the children are MADE UP: 200,000 of them by a smooth function of the position, not Berlin's people"),
        _noted("ways_straight", "没有柏林的道路数据：出行按直线距离的1.3倍计",
               "there are no streets of Berlin here: ways are straight lines times 1.3"),
        _noted("places_modelled", "2,334 处中 225 处的托位数为实测，其余为数据来源的模型估计", observed),
    )  # fmt: skip
    care = Service(id="daycare", name_zh="日托", name_en="Day care", types=("",), group=GROUP[lang], mode=WALK_TODDLER.name)
    study = SimpleNamespace(
        name={"zh": "柏林", "en": "Berlin"}[lang],
        lang=lang,
        made_up=True,
        data_date="",
        crs=str(cells.crs),
        snap_m=times.snap_m,
        cells=cells,
        units=None,
        streets=None,
        population=Population(cells, grid),
        facility_table=times.facilities,
        services=(care,),
        faults=faults,
        config=SimpleNamespace(map=MapSection(attribution="© OpenStreetMap contributors (ODbL)")),
        service=lambda _: care,
    )
    return cast("Study", study)


def _noted(code: str, zh: str, en: str) -> Fault:
    return Fault(code, "daycare_locations.geojson", zh, en, severity="noted")


def draw(out: Path, data: Path, lang: Lang) -> tuple[Assignment, gpd.GeoDataFrame]:
    """Assign with the least travel and write the map."""
    times, cells, grid = berlin(data)
    cells = cells.rename(columns={"p0_6": GROUP[lang]})
    found = assign_places(times, cells, group=GROUP[lang], minutes=MINUTES)
    access = floating_catchment(times, cells, group=GROUP[lang], method="2sfca", minutes=MINUTES)
    write_places_map(out, study_of(times, cells, grid, lang), service="daycare", times=times, assignment=found, access=access)
    return found, cells


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the map and check what it rests on; 0 if nothing is lost, or the data are not here."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("berlin_places.html"), help="page to write")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh")
    chosen = parser.parse_args(arguments)
    data = data_folder("berlin_childcare")
    if data is None:
        skip("map of Berlin's places", "berlin_childcare is neither under ../shared/data nor under $CARESHED_DATA")
        return 0
    start = time.perf_counter()
    found, cells = draw(chosen.out, data, chosen.lang)
    split = found.cells[["served", "no_place", "out_of_reach", "unjudged"]].sum()
    print(f"{chosen.out}: {chosen.out.stat().st_size / 1e6:.1f} MB, {time.perf_counter() - start:.1f} s; made-up children: "
          + ", ".join(f"{name} {people:,.0f}" for name, people in split.items()))  # fmt: skip
    verdicts = Verdicts()
    verdicts.equal("centres and places as counted", (len(found.facilities), found.facilities["places"].sum()), (CENTRES, PLACES))
    verdicts.at_most("people lost or doubled", abs(float(split.sum() - cells[found.group].sum())), 1e-3, "people")
    verdicts.equal("centres overfull", int((found.facilities["served"] > found.facilities["places"]).sum()), 0)
    verdicts.equal("proved optimal", found.proven, True)
    return verdicts.exit_code()


if __name__ == "__main__":
    sys.exit(main())
