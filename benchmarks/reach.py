"""Measure the searches against C, scipy, NetworkX and pandana, and the isochrones against brute force.

``python benchmarks/reach.py`` prints tables and one PASS or FAIL line a limit; it exits with 1 if any limit is not kept.
``--quick`` does the same on less. Real data are found at ``../shared/data`` or ``$CARESHED_DATA``; what needs them is skipped
where they are absent. Times are CPU time of all threads, medians over interleaved rounds, everything compiled beforehand.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import contenders
import isochrone_limits
import numpy as np
from numpy.typing import NDArray
from synthetic import Graph, road_like
from verdicts import MB, Verdicts, data_folder, skip

LIMIT_M: Final = 1200.0
"""Limit of the searches, metres of street: 15 minutes of an adult's walk."""

MOST_OF_C, GOAL_OF_C, LEAST_OF_SCIPY = 1.3, 1.1, 5.0
"""CPU time as a multiple of the C loop's; scipy's as a multiple of careshed's."""

FLOAT_SLACK_MM: Final = 10
"""The C loop adds up float32 metres, whose sums over a way of 1,200 m are off by millimetres at most."""

DENSE_MB: Final = 160.0
"""Dense rows that scipy may hold at a time; its sources are as many as fit, and scaled."""

PEER_SOURCES: Final = {"NetworkX": 20, "pandana": 200}
"""Sources of the slow peers, whose time is told by source; on a large network they lie in its first part."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    nodes: int
    sources: tuple[int, ...]
    rounds: int
    peers: tuple[str, ...]


FULL = Plan(1_000_000, (1_000, 20_000), 7, ("C", "C, memory reused", "careshed", "scipy", "scipy, rows", "NetworkX", "pandana"))
QUICK = Plan(40_000, (1_000, 4_000), 5, ("C", "C, memory reused", "careshed", "scipy", "scipy, rows", "NetworkX"))


class Worker:
    """A contender in a process of its own, answering requests one at a time."""

    def __init__(self, name: str, network: Path) -> None:
        script = Path(contenders.__file__)
        command = [sys.executable, str(script), name, str(network), str(LIMIT_M)]
        self.name = name
        pipe, environment = subprocess.PIPE, {**os.environ, **contenders.ONE_THREAD}
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment)
        self.told: dict[str, Any] = {}

    def ready(self) -> bool:
        """Wait until the contender holds the network; False where it is not installed."""
        self.told = self.reply()
        return "ready" in self.told

    def reply(self) -> dict[str, Any]:
        """Read one answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            _, said = self.process.communicate()
            raise RuntimeError(f"{self.name} stopped: {said[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, **request: object) -> dict[str, Any]:
        """Send a request and wait for the answer."""
        assert self.process.stdin is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self.reply()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@dataclass
class Tally:
    """What the rounds of one contender and case told."""

    micros: list[float] = field(default_factory=list)
    """CPU time a source, microseconds, round by round."""
    peak_mb: float = 0.0
    sources: int = 0
    pairs: int = 0

    def add(self, told: dict[str, Any]) -> None:
        """Take in one round."""
        self.micros.append(told["cpu"] / told["sources"] * 1e6)
        self.peak_mb = max(self.peak_mb, told["peak_mb"])
        self.sources, self.pairs = told["sources"], told["pairs"]

    @property
    def median(self) -> float:
        """CPU time a source, microseconds, median over the rounds."""
        return statistics.median(self.micros)


def most_sources(name: str, sources: int, nodes: int) -> int:
    """Tell from how many of the sources a contender searches in a round."""
    if name.startswith("scipy"):
        return max(2, min(sources, 1000, int(DENSE_MB * MB / 8 / nodes)))
    return min(sources, PEER_SOURCES.get(name, sources))


def network_of(folder: Path) -> Graph:
    """Read Porto Alegre's walking network, an edge a street between junctions."""
    import careshed
    from careshed.intake.streets import read_streets

    network = careshed.build_network(read_streets(folder / "poa_osm.pbf").table, mode=careshed.WALK_ADULT)
    return Graph(network.arcs("length", towards=True), network.x, network.y)


def compare(title: str, graph: Graph, plan: Plan, verdicts: Verdicts) -> None:
    """Let all contenders search one network in turn, round after round; print the table and the verdicts."""
    nodes, arcs = len(graph.x), len(graph.arcs.arc)
    mean = float((graph.arcs.arc >> np.uint64(32)).mean()) / 1000.0
    print(f"\n{title}: {nodes:,} nodes in Morton order, {arcs:,} arcs of {mean:.0f} m; nodes within {LIMIT_M:,.0f} m of street")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder) / "network.npz"
        np.savez(file, ptr=graph.arcs.ptr, arc=graph.arcs.arc, x=graph.x, y=graph.y)
        workers = [stack.enter_context(Worker(name, file)) for name in plan.peers]
        present = [worker for worker in workers if worker.ready()]
        for worker in workers:
            if worker not in present:
                skip(worker.name, f"not installed ({worker.told['absent']})")
        _warm_up(present, plan, nodes)
        tallies = {count: _rounds(present, count, plan.rounds, nodes) for count in plan.sources}
        for count, tally in tallies.items():
            _print_table(count, tally, {worker.name: worker.told["cpu"] for worker in present})
        for count, tally in tallies.items():
            _judge(f"{title}, {count:,} sources", tally, nodes, arcs, verdicts)
        _agree(title, graph, present, plan.sources[-1], verdicts)


def _warm_up(workers: Sequence[Worker], plan: Plan, nodes: int) -> None:
    for worker in workers:
        for count in plan.sources:
            worker.ask(do="run", sources=count, most=most_sources(worker.name, count, nodes))


def _rounds(workers: Sequence[Worker], count: int, rounds: int, nodes: int) -> dict[str, Tally]:
    """Let each contender search once a round, A B C A B C …"""
    tally = {worker.name: Tally() for worker in workers}
    for _ in range(rounds):
        for worker in workers:
            tally[worker.name].add(worker.ask(do="run", sources=count, most=most_sources(worker.name, count, nodes)))
    return tally


def _print_table(count: int, tally: dict[str, Tally], ready: dict[str, float]) -> None:
    first = tally["C"].median if "C" in tally else float("nan")
    print(
        f"\n  {count:>6,} sources    µs a source    lowest–highest    × C   nodes a source   peak MB   of sources   s to set up"
    )
    for name, one in tally.items():
        print(
            f"  {name:<18}{one.median:>10,.1f}{min(one.micros):>11,.1f}–{max(one.micros):<9,.1f}{one.median / first:>7,.2f}"
            f"{one.pairs / one.sources:>15,.1f}{one.peak_mb:>11,.1f}{one.sources:>13,}{ready[name]:>12.1f}"
        )


def most_memory_mb(pairs: int, nodes: int, arcs: int) -> float:
    """Memory that a search may hold beyond the network: none of it grows with sources × nodes.

    An answer is 8 bytes a pair; while its blocks are joined it is there twice, and blocks grow by doubling: 32 bytes a pair. A
    workspace has 12 bytes a node and 12 an arc; twice that is allowed, and 32 MB for the allocator.
    """
    return (32 * pairs + 24 * (nodes + arcs)) / MB + 32.0


def _judge(case: str, tally: dict[str, Tally], nodes: int, arcs: int, verdicts: Verdicts) -> None:
    own = tally["careshed"]
    if "C" in tally:
        ratio = own.median / tally["C"].median
        reused = own.median / tally["C, memory reused"].median
        goal = f"(goal {GOAL_OF_C}: {'met' if ratio <= GOAL_OF_C else 'not met'}; to C that writes into used memory {reused:.2f})"
        verdicts.at_most(f"{case}: CPU to C", ratio, MOST_OF_C, goal)
    if "scipy" in tally:
        rows = tally["scipy, rows"].median / own.median
        told = f"(without picking the pairs out of its dense rows {rows:.1f})"
        verdicts.at_least(f"{case}: scipy's CPU to careshed's", tally["scipy"].median / own.median, LEAST_OF_SCIPY, told)
    most, dense = most_memory_mb(own.pairs, nodes, arcs), own.sources * nodes * 4 / MB
    verdicts.at_most(f"{case}: peak beyond the network", own.peak_mb, most, f"MB (dense rows would be {dense:,.0f} MB)")


def _agree(title: str, graph: Graph, workers: Sequence[Worker], count: int, verdicts: Verdicts) -> None:
    """Check that the contenders found the same: exactly where costs are integers, up to the limit's slack where floats."""
    nodes = len(graph.x)
    given = contenders.Input(graph.arcs.ptr, graph.arcs.arc, graph.x, graph.y, round(LIMIT_M * 1000))
    whole = nodes <= contenders.PART_NODES
    for worker in workers:
        sources = contenders.sources_of(nodes, count)[: most_sources(worker.name, count, nodes)]
        if worker.name == "scipy" or (worker.name == "NetworkX" and whole):
            told = worker.ask(do="check", sources=count, most=len(sources))
            own = _found(given, sources)
            same = told["per_source"] == own.per_source.tolist() and told["total_mm"] == own.total_mm
            verdicts.equal(f"{title}: nodes of {len(sources):,} sources and the sum of costs as {worker.name}'s", same, True)
        elif worker.name == "C" or (worker.name == "pandana" and whole):
            found = np.array(worker.ask(do="check", sources=count, most=len(sources))["per_source"])
            low, high = (
                _found(given._replace(limit_mm=given.limit_mm + by), sources) for by in (-FLOAT_SLACK_MM, FLOAT_SLACK_MM)
            )
            other = int(((found < low.per_source) | (found > high.per_source)).sum())
            pairs = f"{found.sum():,} pairs, careshed {_found(given, sources).per_source.sum():,}; floats, ± {FLOAT_SLACK_MM} mm"
            verdicts.equal(f"{title}: sources with other nodes than {worker.name}'s ({pairs})", other, 0)


def _found(given: contenders.Input, sources: NDArray[np.int64]) -> contenders.Found:
    own = contenders.careshed(given)
    return own.tell(own.run(sources))


def to_cells(rounds: int) -> None:
    """Print what whole travel times to cells cost: attachment, cells of every facility, nearest facility of every cell."""
    import careshed

    folder = data_folder("porto_alegre")
    if folder is None:
        return
    town = isochrone_limits.porto_alegre(folder, 300.0)
    random = np.random.default_rng(5)
    sites = town.cells.iloc[random.integers(0, len(town.cells), 1000)].reset_index(drop=True)
    spent = []
    for _ in range(rounds + 1):
        start = time.process_time()
        times = careshed.travel_times(town.network, sites, town.cells, limit_m=LIMIT_M, threads=1)
        spent.append((time.process_time() - start) / len(sites) * 1e6)
    print(
        f"\nPorto Alegre, travel times of 1,000 sites to {len(town.cells):,} cells within {LIMIT_M:,.0f} m, nearest site of each "
        f"cell included: {statistics.median(spent[1:]):.1f} µs of CPU a site, {times.pairs:,} pairs"
    )


def networks(plan: Plan) -> Iterator[tuple[str, Graph]]:
    """Give the networks to search."""
    folder = data_folder("porto_alegre")
    if folder is None:
        skip("Porto Alegre", "the folder porto_alegre is neither under ../shared/data nor under $CARESHED_DATA")
    else:
        yield "Porto Alegre", network_of(folder)
    yield "Synthetic town", road_like(plan.nodes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="smaller networks, fewer rounds")
    parser.add_argument("--only", choices=("searches", "isochrones"), help="one part only")
    chosen = parser.parse_args(arguments)
    plan, verdicts = QUICK if chosen.quick else FULL, Verdicts()
    if chosen.only != "isochrones":
        for title, graph in networks(plan):
            compare(title, graph, plan, verdicts)
        to_cells(plan.rounds)
    if chosen.only != "searches":
        isochrone_limits.measure(verdicts, quick=chosen.quick)
    return verdicts.exit_code()


if __name__ == "__main__":
    sys.exit(main())
