"""Time and memory from an OSM extract to a network, beside a bare pass of pyosmium, OSMnx and pyrosm, each in its own process.

``python benchmarks/streets.py [--rounds N] [--no-peers]`` reads Porto (348,000 nodes). careshed and the bare pass read it once
unmeasured, so that imports and compiled loops are loaded, and take turns. Every round gives a ratio of their CPU times (of all
threads), taken one right after the other; the median of the ratios counts, so that what else the machine does decides little.
OSMnx and pyrosm, which take a minute, are imported and measured once, on the same extract: OSMnx on its nodes and ways of streets
as XML, which it alone reads. pyrosm may live in another environment: ``--pyrosm-python /path/to/python``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from verdicts import MB, Verdicts, data_folder, forget_peak, peak_bytes, resident_bytes, skip

MOST_RATIO: Final = 1.5
"""CPU time of PBF to `Network`, as a multiple of the bare pass."""

ROUNDS: Final = 11
PEERS: Final = ("osmnx", "pyrosm")
UNITS: Final = {"bare pyosmium": "nodes along ways", "careshed": "junctions", "osmnx": "junctions", "pyrosm": "nodes"}
"""Contenders that are measured once, after their import only."""


def bare(pbf: str) -> Any:
    """Pass over the file with pyosmium: a handler with locations whose way callback only counts nodes."""
    import osmium

    class Counter(osmium.SimpleHandler):
        nodes = 0

        def way(self, way: Any) -> None:
            self.nodes += len(way.nodes)

    counter = Counter()
    counter.apply_file(pbf, locations=True)
    return counter.nodes


def careshed(pbf: str) -> Any:
    """Read the streets and build the network of adults on foot."""
    from careshed.intake.streets import read_streets
    from careshed.modes import WALK_ADULT
    from careshed.network import build_network

    return len(build_network(read_streets(pbf).table, mode=WALK_ADULT).x)


def osmnx(pbf: str) -> Any:
    """Read a graph with OSMnx, which reads OSM's XML only: the file is turned into XML before, unmeasured."""
    import osmnx as peer

    return len(peer.graph_from_xml(_as_xml(pbf), simplify=True, retain_all=True))


def pyrosm(pbf: str) -> Any:
    """Read the walking network with pyrosm: nodes and edges."""
    from pyrosm import OSM

    nodes, _ = OSM(pbf).get_network(network_type="walking", nodes=True)
    return len(nodes)


CONTENDERS: Final[dict[str, Callable[[str], Any]]] = {
    "bare pyosmium": bare,
    "careshed": careshed,
    "osmnx": osmnx,
    "pyrosm": pyrosm,
}


def _as_xml(pbf: str) -> str:
    """Write the nodes and ways of streets as XML beside the process's other temporary files, once."""
    import osmium

    path = Path(tempfile.gettempdir()) / f"careshed-bench-{os.getpid()}.osm"
    if not path.exists():
        with osmium.BackReferenceWriter(str(path), pbf, overwrite=True) as writer:
            for way in osmium.FileProcessor(pbf, osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway")):
                writer.add(way)
    return str(path)


class Measured(NamedTuple):
    """What one contender took."""

    cpu: float
    """CPU seconds."""
    peak_mb: float
    """Most memory held during a round beyond what was held before it."""
    told: int


def serve(name: str, pbf: str) -> None:
    """Answer each line with one measured round, until the lines end."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    run = CONTENDERS[name]
    try:
        if name in PEERS:
            importlib.import_module(name)
            if name == "osmnx":
                _as_xml(pbf)
        else:
            run(pbf)
    except ImportError as error:
        print(json.dumps({"absent": str(error)}), file=replies, flush=True)
        return
    print(json.dumps({"ready": name}), file=replies, flush=True)
    for _ in sys.stdin:
        before = resident_bytes()
        forget_peak()
        start = time.process_time()
        told = run(pbf)
        cpu = time.process_time() - start
        reply = {"cpu": cpu, "peak_mb": max(0, peak_bytes() - before) / MB, "told": told}
        print(json.dumps(reply), file=replies, flush=True)
    (Path(tempfile.gettempdir()) / f"careshed-bench-{os.getpid()}.osm").unlink(missing_ok=True)


class Process:
    """A contender in a process of its own; `python` may be another environment's, where the contender is installed there."""

    def __init__(self, name: str, pbf: str, python: str) -> None:
        command = [python, str(Path(__file__)), "--serve", name, pbf]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        self.absent = self._line().get("absent")

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"absent": "its process ended"}  # type: ignore[no-any-return]

    def once(self) -> Measured:
        """Measure one round."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        reply = self._line()
        return Measured(reply["cpu"], reply["peak_mb"], reply["told"])

    def end(self) -> None:
        """Let it end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def typical(found: list[Measured]) -> Measured:
    """Median CPU time of the rounds, with the most memory of any."""
    return Measured(median(one.cpu for one in found), max(one.peak_mb for one in found), found[0].told)


def measure(pbf: str, names: tuple[str, ...], rounds: int, pythons: dict[str, str]) -> dict[str, list[Measured]]:
    """Measure contenders in turns, those that are here: one figure for every round."""
    running = {name: Process(name, pbf, pythons.get(name, sys.executable)) for name in names}
    for name, process in list(running.items()):
        if process.absent:
            skip(name, process.absent)
            running.pop(name).end()
    found: dict[str, list[Measured]] = {name: [] for name in running}
    for _ in range(rounds):
        for name, process in running.items():
            found[name].append(process.once())
    for process in running.values():
        process.end()
    return found


def main() -> int:
    """Measure and print the verdict."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--pyrosm-python", default=sys.executable, help="Python of the environment that has pyrosm")
    parser.add_argument("--no-peers", action="store_true", help="leave out OSMnx and pyrosm")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(*chosen.serve)
        return 0
    folder = data_folder("porto_pt")
    if folder is None:
        skip("streets", "no folder porto_pt in ../shared/data")
        return 0
    pbf = str(folder / "porto_portugal.osm.pbf")
    found = measure(pbf, ("bare pyosmium", "careshed"), chosen.rounds, {})
    rounds = list(zip(found["careshed"], found["bare pyosmium"], strict=True))
    ratios = sorted(ours.cpu / bare_pass.cpu for ours, bare_pass in rounds)
    print(f"Porto: {rounds[0][1].told} nodes along ways, {len(rounds)} rounds")
    for name in () if chosen.no_peers else PEERS:
        found |= measure(pbf, (name,), 1, {"pyrosm": chosen.pyrosm_python})
    ours = typical(found["careshed"])
    for name, one in ((name, typical(each)) for name, each in found.items()):
        ratio = f"{one.cpu / ours.cpu:7.1f} times careshed"
        print(f"  {name:<14} {one.cpu:7.2f} s CPU  {ratio}  peak +{one.peak_mb:.0f} MB  {one.told} {UNITS[name]}")
    print(f"  careshed over the bare pass, round by round: {ratios[0]:.2f} to {ratios[-1]:.2f} times")
    verdicts = Verdicts()
    verdicts.at_most("PBF to network, CPU time over a bare pyosmium pass, median", median(ratios), MOST_RATIO, "times")
    return verdicts.exit_code()


if __name__ == "__main__":
    sys.exit(main())
