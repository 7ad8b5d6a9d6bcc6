"""Measure supply: floating catchments against PySAL access, then the transport problem where `transport.py` stands beside this.

``python benchmarks/access.py`` prints medians and one PASS or FAIL line a limit; it exits with 1 if any limit is not kept.
``--quick`` does the same on less. Times are CPU time of all threads, medians over interleaved rounds, in one run.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from verdicts import Verdicts, skip

from careshed.modes import WALK_OLDER
from careshed.reach import TravelTimes
from careshed.supply.catchments import floating_catchment
from careshed.supply.decay import Step

LEAST_OF_PYSAL: Final = 20.0
"""PySAL's time as a multiple of careshed's."""

TOLERANCE: Final = 1e-9
"""Largest relative difference between the two."""

LIMIT_MIN: Final = 15.0
BANDS: Final = Step((5.0, 10.0, 15.0), (1.0, 0.68, 0.22))
"""Bands of a quarter-hour's walk with the weights of Luo and Qi (2009)."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    facilities: int
    cells: int
    pairs: int
    rounds: int


FULL = Size(2_334, 100_000, 3_850_000, 5)
QUICK = Size(300, 10_000, 200_000, 3)


def town_of(size: Size) -> tuple[TravelTimes, gpd.GeoDataFrame]:
    """Make travel times: facilities and cells at random in a square, every pair within a circle, time by distance."""
    from scipy.spatial import cKDTree

    random = np.random.default_rng(7)
    at, home = random.random((size.facilities, 2)), random.random((size.cells, 2))
    near = cKDTree(home).query(at, k=round(1.3 * size.pairs / size.facilities))
    order = np.argsort(near[0], axis=None, kind="stable")[: size.pairs]
    row, distance = order // near[1].shape[1], near[0].ravel()[order]
    cost = np.round(distance / distance[-1] * LIMIT_MIN * 60_000).astype(np.uint32)
    column = near[1].ravel()[order]
    by_row = np.lexsort((column, row))
    cells = gpd.GeoDataFrame({"p60": random.integers(1, 200, size.cells).astype(float)})
    cells.index.name = "cell_id"
    facilities = gpd.GeoDataFrame({"places": random.integers(10, 90, size.facilities).astype(float)})
    times = TravelTimes(
        facilities=facilities,
        cell_ids=cells.index,
        indptr=np.searchsorted(row[by_row], np.arange(size.facilities + 1)).astype(np.int64),
        indices=column[by_row].astype(np.int32),
        cost=cost[by_row],
        nearest_cost=np.full(size.cells, -1, dtype=np.int64),
        nearest_facility=np.full(size.cells, -1, dtype=np.int32),
        cell_fault=np.full(size.cells, ""),
        facility_fault=np.full(size.facilities, ""),
        metric="time",
        limit=round(LIMIT_MIN * 60_000),
        direction="to_facility",
        mode=WALK_OLDER,
        snap_m=150.0,
    )
    return times, cells


@dataclass
class Contender:
    """One way of computing E2SFCA, its answer and its times."""

    name: str
    run: Callable[[], pd.Series]
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    answer: pd.Series | None = None

    def go(self) -> None:
        """Run once and note the time."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.answer = self.run()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)


def imported(name: str) -> ModuleType | None:
    """Import a module of PySAL's package `access`, whose name this file shares; None where it is not installed."""
    here, path = Path(__file__).resolve().parent, sys.path[:]
    sys.path[:] = [folder for folder in path if Path(folder or ".").resolve() != here]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None
    finally:
        sys.path[:] = path


def pysal(fca: ModuleType, step: Callable, times: TravelTimes, cells: gpd.GeoDataFrame) -> Callable[[], pd.Series]:
    """Lay the same input out as PySAL wants it, costs in minutes; laying out is not measured."""
    origin = times.cell_ids.to_numpy()[times.indices]
    destination = np.repeat(times.facilities.index.to_numpy(), np.diff(times.indptr))
    costs = pd.DataFrame({"origin": origin, "dest": destination, "cost": times.cost / 60_000})
    demand = pd.DataFrame({"demand": cells["p60"]}).rename_axis("geoid")
    supply = pd.DataFrame({"supply": times.facilities["places"]}).rename_axis("geoid")
    weight = step(dict(zip(BANDS.bounds, BANDS.values, strict=True)))

    def run() -> pd.Series:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return fca.two_stage_fca(demand, supply, costs, LIMIT_MIN, weight_fn=weight, demand_index=True, supply_index=True)

    return run


def measure(verdicts: Verdicts, *, quick: bool) -> None:
    """Let both compute E2SFCA in turn, round after round; print the medians and the verdicts."""
    fca, weights = imported("access.fca"), imported("access.weights")
    if fca is None or weights is None:
        skip("E2SFCA against PySAL access", "the package access is not installed")
        return
    size = QUICK if quick else FULL
    times, cells = town_of(size)
    amount = f"{size.facilities:,} facilities, {size.cells:,} cells, {times.pairs:,} pairs"
    print(f"\nE2SFCA: {amount} within {LIMIT_MIN:g} minutes, {len(BANDS.bounds)} bands")
    own = Contender(
        "careshed", lambda: floating_catchment(times, cells, group="p60", method="e2sfca", minutes=LIMIT_MIN, decay=BANDS).access
    )
    peer = Contender("PySAL access", pysal(fca, weights.step_fn, times, cells))
    own.run()
    for _ in range(size.rounds):
        own.go()
        peer.go()
    print(f"  {'':<14}{'CPU s, median':>14}{'lowest–highest':>20}{'wall s, median':>16}")
    for one in (own, peer):
        spread = f"{min(one.cpu):.3f}–{max(one.cpu):.3f}"
        print(f"  {one.name:<14}{statistics.median(one.cpu):>14.3f}{spread:>20}{statistics.median(one.wall):>16.3f}")
    _judge(own, peer, verdicts)


def _judge(own: Contender, peer: Contender, verdicts: Verdicts) -> None:
    faster = statistics.median(peer.cpu) / statistics.median(own.cpu)
    verdicts.at_least("E2SFCA: at least 20 × faster than PySAL access, CPU", faster, LEAST_OF_PYSAL, "×")
    wall = statistics.median(peer.wall) / statistics.median(own.wall)
    verdicts.at_least("E2SFCA: at least 20 × faster than PySAL access, wall", wall, LEAST_OF_PYSAL, "×")
    assert own.answer is not None
    assert peer.answer is not None
    theirs = peer.answer.reindex(own.answer.index).fillna(0.0)
    apart = float((np.abs(own.answer - theirs) / np.maximum(np.abs(theirs), 1e-300)).where(own.answer != theirs, 0.0).max())
    verdicts.at_most("E2SFCA: largest relative difference from PySAL access", apart, TOLERANCE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer pairs, fewer rounds")
    parser.add_argument("--only", choices=("catchments", "transport"), help="one part only")
    chosen = parser.parse_args(arguments)
    verdicts = Verdicts()
    if chosen.only != "transport":
        measure(verdicts, quick=chosen.quick)
    if chosen.only != "catchments":
        if importlib.util.find_spec("transport") is None:
            skip("transport problem", "benchmarks/transport.py is not there")
        else:
            importlib.import_module("transport").measure(verdicts, quick=chosen.quick)
    return verdicts.exit_code()


if __name__ == "__main__":
    sys.exit(main())
