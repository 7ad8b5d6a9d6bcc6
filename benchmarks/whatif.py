"""Measure how soon the what-if page recounts, and check its numbers against Python's.

``python benchmarks/whatif.py`` prints one PASS or FAIL line a limit and exits with 1 if any is not kept. The town is made up: 500
candidates, 200 facilities and 20,000 cells on a grid, people anywhere. The page runs in headless Chromium; a recount is all that
one tick sets off: counts, units, gaps, gains of every candidate, lists, the map's cells, and the layout the browser makes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from playwright.sync_api import Page, sync_playwright
from scipy.spatial import cKDTree
from shapely import box
from verdicts import Verdicts

from careshed.access import coverage
from careshed.maps.whatif import write_whatif
from careshed.modes import WALK_OLDER
from careshed.reach import TravelTimes
from careshed.schema import Grid
from careshed.settings.sections import MapSection, Service
from careshed.siting import rank_sites

LIMIT_MS: Final = 100.0
"""Most that a recount may take, milliseconds on the clock."""

LIMIT_BYTES: Final = 20e6
CHROMIUM: Final = "/usr/bin/chromium"
CRS: Final = "EPSG:32651"
SIDE_M: Final = 100.0
SPEED_M_MIN: Final = 60.0
DETOUR: Final = 1.3
"""Streets are so much longer than the straight line."""

TICKS: Final = 200


class Town(NamedTuple):
    """A made-up town with everything the page is made of."""

    study: SimpleNamespace
    times: TravelTimes
    options: TravelTimes


def made_town(candidates: int, cells: int, facilities: int, minutes: float, seed: int = 3) -> Town:
    """Make a town on a lattice: units are squares of it, journeys are straight lines made longer."""
    random = np.random.default_rng(seed)
    wide = int(np.sqrt(cells))
    col, row = (at.ravel()[:cells] for at in np.meshgrid(np.arange(wide), np.arange(-(-cells // wide))))
    x, y = 500_000 + (col + 0.5) * SIDE_M, 3_900_000 - (row + 0.5) * SIDE_M
    block = max(wide // 6, 1)
    unit = np.array([f"S{a // block:02d}{b // block:02d}" for a, b in zip(row, col, strict=True)])
    total = np.where(random.random(cells) < 0.8, random.gamma(1.2, 40.0, cells), 0.0)
    people = {"p60": total * random.uniform(0.1, 0.3, cells), "total": total}
    table = gpd.GeoDataFrame({**people, "unit": unit, "row": row, "col": col}, geometry=gpd.points_from_xy(x, y), crs=CRS)
    table.index.name = "cell_id"
    codes = sorted(set(unit))
    shapes = [box(*table.loc[unit == code].total_bounds).buffer(SIDE_M / 2, join_style="mitre") for code in codes]
    units = gpd.GeoDataFrame(
        {"name": [f"街道 {code}" for code in codes], "level": "street", "parent": "", "setting": "urban"},
        index=pd.Index(codes, name="unit_id"),
        geometry=shapes,
        crs=CRS,
    )
    spots = [_spots(table, number, prefix, random) for number, prefix in ((facilities, "F"), (candidates, "C"))]
    service = Service(
        id="day_care",
        name_zh="日间照料",
        name_en="Day care",
        types=("x",),
        group="p60",
        groups_shown=("p60", "total"),
        mode="older",
        minutes=(5, 10, 15),
        within_minutes=15,
        n_sites=12,
    )
    grid = Grid(CRS, (SIDE_M, 0, 500_000, 0, -SIDE_M, 3_900_000), (int(row.max()) + 1, wide))
    given = {"name": "虚构市", "lang": "zh", "made_up": True, "data_date": "2025-06-30", "crs": CRS, "snap_m": 150.0}
    study = SimpleNamespace(
        **given,
        cells=table,
        units=units,
        streets=None,
        water=None,
        population=SimpleNamespace(grid=grid, cells=table),
        faults=(),
        services=(service,),
        service=lambda _: service,
        path=Path("study.toml"),
        config=SimpleNamespace(map=MapSection(), plan=()),
        candidates=lambda _: spots[1],
        facilities=lambda _: spots[0],
    )
    return Town(study, *(_times(places, table, minutes) for places in spots))


def _spots(cells: gpd.GeoDataFrame, number: int, prefix: str, random: np.random.Generator) -> gpd.GeoDataFrame:
    at = random.choice(len(cells), number, replace=False)
    table = {"name": [f"{prefix}{i} 站" for i in range(number)], "kind": "社区用房", "type": "社区养老服务站", "places": 20.0}
    table |= {"unit": cells["unit"].to_numpy()[at], "cost_yuan": np.round(random.uniform(1e5, 9e5, number)), "area_m2": 200.0}
    ids = pd.Index([f"{prefix}{i:04d}" for i in range(number)])
    return gpd.GeoDataFrame(table, index=ids, geometry=cells.geometry.to_numpy()[at], crs=CRS)


def _times(places: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, minutes: float) -> TravelTimes:
    tree = cKDTree(np.column_stack([cells.geometry.x, cells.geometry.y]))
    spots = np.column_stack([places.geometry.x, places.geometry.y])
    near = [np.sort(np.array(found, dtype=np.int32)) for found in tree.query_ball_point(spots, minutes * SPEED_M_MIN / DETOUR)]
    sizes = np.array([len(found) for found in near])
    indices = np.concatenate(near)
    apart = np.hypot(*(tree.data[indices] - np.repeat(spots, sizes, axis=0)).T)
    cost = np.minimum(np.rint(apart * DETOUR / SPEED_M_MIN * 60_000), round(minutes * 60_000)).astype(np.uint32)
    far, which = cKDTree(spots).query(tree.data)
    whole = np.rint(far * DETOUR / SPEED_M_MIN * 60_000).astype(np.int64)
    return TravelTimes(
        facilities=places,
        cell_ids=cells.index,
        indptr=np.concatenate([[0], np.cumsum(sizes)]),
        indices=indices,
        cost=cost,
        nearest_cost=whole,
        nearest_facility=which.astype(np.int32),
        cell_fault=np.full(len(cells), ""),
        facility_fault=np.full(len(places), ""),
        metric="time",
        limit=round(minutes * 60_000),
        direction="to_facility",
        mode=WALK_OLDER,
        snap_m=150.0,
    )


def joined(town: Town, facilities: list[int], candidates: list[int]) -> TravelTimes:
    """Travel times of some facilities and candidates together, made afresh from where they are."""
    parts = [town.times.facilities.iloc[facilities], town.options.facilities.iloc[candidates]]
    together = gpd.GeoDataFrame(pd.concat(parts), geometry="geometry", crs=CRS)
    return _times(together, town.study.cells, town.options.limit / 60_000)


TICK = """site => {
  const began = performance.now();
  careshed.whatif.toggle(site);
  document.body.offsetHeight; // the layout the browser owes
  return performance.now() - began;
}"""

LIMIT = """limit => { const began = performance.now(); careshed.whatif.set({limit}); document.body.offsetHeight;
  return performance.now() - began; }"""

COUNT = """([sites, off, limit, group]) => {
  const w = careshed.whatif;
  w.set({sites: sites.map(i => i + w.deck.standing), off, limit, group});
  return [w.shown.yours.people, w.shown.yours.covered, ...w.shown.yours.units.covered];
}"""


def main() -> int:
    """Make the town, write the page, tick in it, and tell."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--quick", action="store_true", help="50 candidates, 2,000 cells")
    quick = told.parse_args().quick
    verdicts = Verdicts()
    town = made_town(50, 2_000, 20, 15) if quick else made_town(500, 20_000, 200, 30)
    plan = rank_sites(town.options, town.study.cells, existing=town.times, minutes=15, group="p60", n=12, work_limit=200)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        file = write_whatif(
            Path(folder) / "whatif.html", town.study, service="day_care", times=town.times, options=town.options, plan=plan
        )
        pairs = town.times.pairs + town.options.pairs
        candidates, cells, units = (len(table) for table in (town.options.facilities, town.study.cells, town.study.units))
        print(f"{candidates} candidates, {cells} cells, {pairs} pairs, {units} units")
        verdicts.at_most("size of the page", file.stat().st_size / 1e6, LIMIT_BYTES / 1e6, "MB")
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--headless=new", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(file.as_uri())
        page.wait_for_function("careshed.whatif.shown.took > 0")
        _times_of(page, town, verdicts)
        _numbers(page, town, verdicts)
        browser.close()
    return verdicts.exit_code()


class _Timer:
    """Reads the clock and the processor time of the page's own thread."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session = page.context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def of(self, script: str, value: int) -> tuple[float, float]:
        """Milliseconds on the clock, and of processor time (the driver's own dealings with the page among them)."""
        before = self._spent()
        clock = float(self.page.evaluate(script, value))
        return clock, self._spent() - before

    def _spent(self) -> float:
        told = self.session.send("Performance.getMetrics")["metrics"]
        return 1000.0 * next(float(one["value"]) for one in told if one["name"] == "TaskDuration")


def _times_of(page: Page, town: Town, verdicts: Verdicts) -> None:
    random = np.random.default_rng(1)
    sites = random.integers(0, len(town.options.facilities) + len(town.times.facilities), TICKS).tolist()
    last = int(page.evaluate("careshed.whatif.deck.limits.length"))
    limits = random.integers(0, last, TICKS // 5).tolist()
    timer = _Timer(page)
    for what, script, values in (("a tick", TICK, sites), ("another limit", LIMIT, limits)):
        for value in values[:20]:
            page.evaluate(script, value)
        clock, processor = zip(*(timer.of(script, value) for value in values), strict=True)
        counting = float(page.evaluate("careshed.whatif.shown.counting"))
        print(f"after {what}: {len(values)} times at random, 20 before not counted; of it counting {counting:.1f} ms")
        verdicts.at_most(f"recount after {what}, on the clock, median", statistics.median(clock), LIMIT_MS, "ms")
        verdicts.at_most(f"recount after {what}, of processor time, median", statistics.median(processor), LIMIT_MS, "ms")
        verdicts.at_most(f"recount after {what}, of processor time, max", max(processor), LIMIT_MS, "ms")
        print(f"     on the clock, max: {max(clock):.1f} ms (the clock counts what other programs do meanwhile)")


def _numbers(page: Page, town: Town, verdicts: Verdicts) -> None:
    """Compare with coverage computed afresh for the union of facilities."""
    random, wrong = np.random.default_rng(2), 0
    limits, groups = page.evaluate("careshed.whatif.deck.limits"), ("p60", "total")
    standing, options = len(town.times.facilities), len(town.options.facilities)
    for _ in range(20):
        sites = sorted(random.choice(options, random.integers(0, options // 2), replace=False).tolist())
        off = sorted(random.choice(standing, random.integers(0, standing // 3), replace=False).tolist())
        times = joined(town, [row for row in range(standing) if row not in off], sites)
        limit, group = int(random.integers(0, len(limits))), int(random.integers(0, 2))
        table = coverage(times, town.study.cells, town.study.units, minutes=limits[limit], group=groups[group])
        expected = [round(table.loc["ALL", "people"]), *(round(value) for value in table["covered"])]
        wrong += [round(value) for value in page.evaluate(COUNT, [sites, off, limit, group])] != expected
    verdicts.equal("choices of 20 whose people differ from Python's, in all or in a unit", wrong, 0)


if __name__ == "__main__":
    sys.exit(main())
