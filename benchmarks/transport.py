"""Measure the transport problem of a large city, and check it against HiGHS where HiGHS is quick enough.

``python benchmarks/transport.py`` prints one PASS or FAIL line a limit and exits with 1 if any is not kept; ``--quick`` does
the same on a twentieth of the cells. Nothing is read: the towns are made up. Times are of the whole of `assign_places`, tables
included, everything compiled beforehand; the solver runs in one thread.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array
from scipy.spatial import cKDTree
from verdicts import MB, Verdicts, forget_peak, peak_bytes, resident_bytes

from careshed.modes import WALK_ADULT
from careshed.reach import TravelTimes
from careshed.supply.assignment import Assignment, assign_places
from careshed.supply.transport import product

LIMIT_S: Final = 20.0
"""Most seconds for 500 facilities and 200,000 cells, on the clock and of processor time."""

MINUTES: Final = 15.0
REACH_M: Final = 1200.0
"""What an adult walks in 15 minutes, in a straight line: the made-up city has no streets."""


class City(NamedTuple):
    """A made-up city."""

    name: str
    facilities: int
    cells: int
    places: float
    """Places for each person, on average."""
    gathered: bool
    """Whether facilities gather where people do, or lie anywhere."""
    whole: bool = False
    """Whether people are whole: then many cells are alike."""
    mixed: bool = False
    """Whether cells come in no order, instead of row by row."""


CITIES: Final = (
    City("facilities anywhere, places for 95 %", 500, 200_000, 0.95, False),
    City("facilities near people, places for 100 %", 500, 200_000, 1.0, True),
    City("facilities near people, places for 120 %", 500, 200_000, 1.2, True),
    City("facilities anywhere, places for 50 %", 500, 200_000, 0.5, False),
    City("whole people on a lattice, places for 95 %", 500, 200_000, 0.95, False, True),
    City("cells in no order, places for 100 %", 500, 200_000, 1.0, True, False, True),
)

SMALL: Final = City("facilities near people, places for 100 %", 60, 3_000, 1.0, True)
"""The city that HiGHS solves too."""


def make_city(city: City, *, seed: int = 5) -> tuple[TravelTimes, gpd.GeoDataFrame]:
    """Make a square city, so large that a cell reaches some 30 facilities, with a dozen centres."""
    random = np.random.default_rng(seed)
    across = int(np.ceil(np.sqrt(city.cells)))
    side = REACH_M * np.sqrt(np.pi * city.facilities / 30.0)
    at = (np.arange(across) + 0.5) * side / across
    x, y = (axis.ravel() for axis in np.meshgrid(at, at))
    centres = random.uniform(0, side, (12, 2))
    dense = 0.2 + sum(np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (side / 8) ** 2)) for cx, cy in centres)
    people = np.ceil(dense * random.gamma(2, 1, len(x))) if city.whole else np.round(dense * random.gamma(2, 5, len(x)), 6)
    spots = random.uniform(0, side, (city.facilities, 2))
    if city.gathered:
        spots = np.clip(centres[random.integers(0, 12, city.facilities)] + random.normal(0, side / 13, spots.shape), 0, side)
    if city.whole:
        spots = np.column_stack([x, y])[random.choice(len(x), city.facilities, replace=False)]
    size = random.gamma(2, 1, city.facilities)
    places = np.round(size / size.sum() * people.sum() * city.places)
    order = random.permutation(len(x)) if city.mixed else np.arange(len(x))
    cells = gpd.GeoDataFrame({"people": people[order]}, index=pd.RangeIndex(len(x), name="cell_id"))
    return times_of(spots, places, x[order], y[order]), cells


def times_of(
    spots: NDArray[np.float64], places: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> TravelTimes:
    """Measure straight ways of up to 15 minutes."""
    homes = np.column_stack([x, y])
    near = cKDTree(homes).query_ball_point(spots, REACH_M, return_sorted=True)
    row, column = np.repeat(np.arange(len(spots)), [len(one) for one in near]), np.concatenate(near).astype(np.int32)
    metres = np.hypot(*(spots[row] - homes[column]).T)
    first, nearest = cKDTree(spots).query(homes)
    index = pd.Index([f"f{number:04}" for number in range(len(spots))], name="facility_id")
    return TravelTimes(
        facilities=gpd.GeoDataFrame({"places": places}, index=index),
        cell_ids=pd.RangeIndex(len(x), name="cell_id"),
        indptr=np.searchsorted(row, np.arange(len(spots) + 1)),
        indices=column,
        cost=np.minimum(np.rint(metres * 750), 900_000).astype(np.uint32),
        nearest_cost=np.rint(first * 750).astype(np.int64),
        nearest_facility=nearest.astype(np.int32),
        cell_fault=np.full(len(x), ""),
        facility_fault=np.full(len(spots), ""),
        metric="time",
        limit=900_000,
        direction="to_facility",
        mode=WALK_ADULT,
        snap_m=150.0,
    )


def measured(times: TravelTimes, cells: gpd.GeoDataFrame) -> tuple[Assignment, float, float, float]:
    """Assign once; tell the seconds on the clock and of the processor, and the megabytes held beyond what was held before."""
    before = resident_bytes()
    forget_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    found = assign_places(times, cells, group="people", minutes=MINUTES)
    return found, time.perf_counter() - wall, time.process_time() - cpu, (peak_bytes() - before) / MB


def try_city(city: City, verdicts: Verdicts) -> None:
    """Assign the people of a city and check time and proof."""
    times, cells = make_city(city)
    found, wall, cpu, megabytes = measured(times, cells)
    served, people = found.cells["served"].sum(), found.cells["people"].sum()
    print(
        f"{city.name}: {len(times.facilities)} facilities, {len(cells):,} cells, {times.pairs:,} pairs "
        f"({times.pairs / len(cells):.0f} a cell); {served / people:.1%} of {people:,.0f} people served; "
        f"{wall:.1f} s on the clock, {cpu:.1f} s of processor time, {megabytes:,.0f} MB"
    )
    verdicts.at_most(f"{city.name}, on the clock", wall, LIMIT_S, "s")
    verdicts.at_most(f"{city.name}, processor time", cpu, LIMIT_S, "s")
    verdicts.equal(f"{city.name}, proved optimal", found.proven, True)
    overfull = int((found.facilities["served"] > found.facilities["places"]).sum())
    verdicts.equal(f"{city.name}, facilities overfull", overfull, 0)


def compare_highs(city: City, verdicts: Verdicts) -> None:
    """Solve a small city with HiGHS as a linear programme too: who is not served costs more than any chain of moves."""
    times, cells = make_city(city)
    found, wall, cpu, _ = measured(times, cells)
    facility = np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr))
    number = np.arange(times.pairs)
    supply, room = cells["people"].to_numpy(), times.facilities["places"].to_numpy()
    penalty = 900.0 * (len(room) + 1)
    limits = coo_array(
        (np.ones(2 * times.pairs), (np.concatenate([times.indices, len(supply) + facility]), np.tile(number, 2))),
        shape=(len(supply) + len(room), times.pairs),
    ).tocsr()
    start = time.perf_counter()
    answer = linprog(times.cost / 1000 - penalty, A_ub=limits, b_ub=np.concatenate([supply, room]), method="highs")
    seconds = time.perf_counter() - start
    travel = float(times.cost / 1000 @ answer.x) / 60
    print(f"{city.name}: {len(room)} facilities, {len(supply):,} cells, {times.pairs:,} pairs: "
          f"{wall:.2f} s (processor {cpu:.2f} s), HiGHS {seconds:.1f} s, {seconds / wall:,.0f} times as long")  # fmt: skip
    served = found.cells["served"].sum()
    verdicts.at_most("people served differ from HiGHS by", abs(served - answer.x.sum()), 1e-5, "people")
    verdicts.at_most("travel differs from HiGHS by", abs(found.objective - travel) / travel, 1e-9, "of it")
    exact = product(np.rint(found.links["people"] * 1e6).astype(np.int64), found.links["cost"].to_numpy())
    verdicts.equal("person-milliseconds added up again from the links", exact / 1e6 / 60_000, found.objective)


def measure(verdicts: Verdicts, *, quick: bool) -> None:
    """Compile, compare a small city with HiGHS, then measure the large ones; one line a limit."""
    start = time.process_time()
    measured(*make_city(City("compiling", 20, 500, 0.9, True)))
    measured(*make_city(City("compiling", 5, 500, 0.9, True)))
    print(f"\nTransport problem: compiled or loaded in {time.process_time() - start:.1f} s")
    compare_highs(SMALL._replace(cells=600) if quick else SMALL, verdicts)
    for city in CITIES:
        try_city(city._replace(cells=city.cells // 20) if quick else city, verdicts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything; 0 if every limit was kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the cells")
    verdicts = Verdicts()
    measure(verdicts, quick=parser.parse_args(arguments).quick)
    return verdicts.exit_code()


if __name__ == "__main__":
    sys.exit(main())
