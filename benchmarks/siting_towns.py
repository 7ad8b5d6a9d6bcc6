"""Make the siting problems that are measured: real cities with best known answers, and made-up towns of four sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from synthetic import SPACING_M, road_like

from careshed.modes import WALK_ADULT
from careshed.network import Arcs
from careshed.reach import Seeds, TravelTimes, Workspace
from careshed.siting.problem import Problem, build_problem

EARTH_M: Final = 6_378_100.0
"""Radius with which the city instances measure distance."""

REACH_M: Final = 1200.0
CELL_M: Final = 100.0
WHOLE: Final = 1_000_000
"""Millionths of a person."""


class Known(NamedTuple):
    """A city instance and the best value known."""

    name: str
    radius_m: float
    sites: int
    covered: int


class Size(NamedTuple):
    """Candidates and cells of a made-up town, and how many sites are asked."""

    candidates: int
    cells: int
    sites: int
    """Sites asked; under rules, the average sites that the budget pays for."""
    across: int
    """Units along a side of the town."""


SIZES: Final = (
    Size(500, 20_000, 25, 3), Size(2_000, 100_000, 100, 7), Size(5_000, 250_000, 250, 10), Size(20_000, 500_000, 500, 10),
)  # fmt: skip


def known_cities(folder: Path) -> list[Known]:
    """Read the best known values."""
    table = pd.read_csv(folder / "best_known.csv")
    return [Known(str(row.instance), float(row.radius_m), int(row.p), int(row.covered)) for row in table.itertuples()]


def read_city(folder: Path, name: str, radius_m: float) -> tuple[TravelTimes, NDArray[np.int64]]:
    """Read street corners, which are demand and candidates alike; also the people on each, in millionths."""
    lines = (folder / f"{name}.txt").read_text().splitlines()
    first, last = lines.index("NODE_COORD_SECTION") + 1, lines.index("DEMAND_SECTION")
    count = last - first
    lat, lon = np.radians(np.array([line.split() for line in lines[first:last]], dtype=float)).T
    people = np.array([line.split()[-1] for line in lines[last + 1 : last + 1 + count]], dtype=np.int64)
    near = []
    for at in range(count):
        turned = np.sin(lat[at]) * np.sin(lat) + np.cos(lat[at]) * np.cos(lat) * np.cos(lon[at] - lon)
        near.append(np.flatnonzero(EARTH_M * np.arccos(np.clip(turned, -1, 1)) <= radius_m))
    start = np.cumsum([0, *map(len, near)])
    return _times(start, np.concatenate(near), count, count), people * WHOLE


def city_problem(times: TravelTimes, demand: NDArray[np.int64], sites: int) -> Problem:
    """Presolve an instance."""
    return build_problem(times, demand, times.limit, chains={}, units=(), n=sites)


class Town(NamedTuple):
    """A made-up town: travel costs, millionths of a person a cell, the unit and the cost of every candidate."""

    times: TravelTimes
    demand: NDArray[np.int64]
    unit: NDArray[np.int64]
    yuan: NDArray[np.int64]


def make_town(size: Size, *, seed: int = 3) -> Town:
    """Lay cells of 100 m over a road-like network, people around centres, candidates at junctions where people live.

    A candidate reaches the cells whose nearest junction is at most 1,200 m of street away.
    """
    random = np.random.default_rng(seed)
    across = round(np.sqrt(size.cells))
    rows = -(-size.cells // across)
    at = np.arange(size.cells)
    homes = (np.column_stack([at % across, at // across]) + 0.5) * CELL_M
    graph = road_like(int((max(across, rows) * CELL_M / SPACING_M + 2) ** 2), seed=seed)
    _, junction = cKDTree(np.column_stack([graph.x, graph.y])).query(homes)
    centres = random.uniform(0, across * CELL_M, (max(4, size.cells // 8_000), 2))
    away, _ = cKDTree(centres).query(homes)
    people = np.round((0.1 + np.exp(-away / 1_500.0)) * random.gamma(1.0, 40.0, size.cells), 2)
    spots = np.unique(random.choice(junction, 2 * size.candidates, p=people / people.sum()))
    spots = np.sort(random.choice(spots, size.candidates, replace=False))
    start, cells = _reached(graph.arcs, spots, junction)
    side = across * CELL_M / size.across
    column, row = (np.clip(axis[spots] // side, 0, size.across - 1).astype(np.int64) for axis in (graph.x, graph.y))
    yuan = np.round(random.gamma(4.0, 250_000.0, size.candidates) + 200_000, -3).astype(np.int64)
    return Town(_times(start, cells, size.candidates, size.cells), np.rint(people * WHOLE).astype(np.int64),
                row * size.across + column, yuan)  # fmt: skip


def town_problem(town: Town, size: Size, *, ruled: bool) -> Problem:
    """Presolve a town: so many sites, or at least one a unit within a budget that pays for as many average sites."""
    if not ruled:
        return build_problem(town.times, town.demand, town.times.limit, chains={}, units=(), n=size.sites)
    units = [f"u{unit:02d}" for unit in np.unique(town.unit)]
    chains = {str(name): (f"u{unit:02d}",) for name, unit in zip(town.times.facilities.index, town.unit, strict=True)}
    budget = size.sites * int(town.yuan.mean())
    return build_problem(
        town.times, town.demand, town.times.limit, chains=chains, units=units, n=None, costs=town.yuan, budget=budget
    )


def _reached(arcs: Arcs, spots: NDArray[np.int64], junction: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cells within reach of every candidate, as starts and positions."""
    order = np.argsort(junction, kind="stable")
    first = np.searchsorted(junction[order], np.arange(len(arcs.ptr)))
    number = np.arange(len(spots), dtype=np.uint32)
    seeds = Seeds(np.arange(len(spots) + 1), spots.astype(np.uint32), np.zeros(len(spots), np.uint32), number)
    ptr, node, _ = Workspace(arcs, 0, int(REACH_M * 1000)).nodes(arcs, seeds, 0, len(spots))
    many = first[node + 1] - first[node]
    source = np.repeat(np.repeat(np.arange(len(spots)), np.diff(ptr)), many)
    inside = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    found = order[np.repeat(first[node], many) + inside]
    rank = np.lexsort((found, source))
    return np.searchsorted(source[rank], np.arange(len(spots) + 1)), found[rank]


def _times(start: NDArray[np.integer], cells: NDArray[np.integer], candidates: int, count: int) -> TravelTimes:
    """Travel costs of one millimetre wherever a cell is within reach."""
    index = pd.Index([f"c{number:05d}" for number in range(candidates)], name="candidate_id")
    return TravelTimes(
        facilities=gpd.GeoDataFrame(index=index),
        cell_ids=pd.RangeIndex(count, name="cell_id"),
        indptr=np.asarray(start, np.int64),
        indices=np.asarray(cells, np.int32),
        cost=np.ones(len(cells), np.uint32),
        nearest_cost=np.full(count, -1, np.int64),
        nearest_facility=np.full(count, -1, np.int32),
        cell_fault=np.full(count, ""),
        facility_fault=np.full(candidates, ""),
        metric="length",
        limit=1_000,
        direction="to_facility",
        mode=WALK_ADULT,
        snap_m=150.0,
    )
