"""Answer one-to-many searches with careshed or with one of its peers, each in a process of its own.

``python contenders.py NAME NETWORK.npz LIMIT_M`` reads one JSON request a line and answers with one JSON line:
``{"do": "run", "sources": n, "most": m}`` searches from n sources (a contender too slow for n searches from m of them) and
tells CPU seconds, pairs and peak memory; ``{"do": "check", "sources": n}`` tells the pairs of every source.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from verdicts import MB, forget_peak, peak_bytes, resident_bytes

C_SOURCE: Final = "prototypes/limit.c"
C_BUCKET_M: Final = 16.384
"""Bucket width given to the C loop: the best of 8, 16, 32 and 64 m on both networks, or within noise of it."""

PART_NODES: Final = 40_000
"""NetworkX and pandana hold no more of the network than its first nodes (in Morton order: one compact part), and search from
nodes in it. A million nodes take NetworkX gigabytes, and pandana's preparation (contraction hierarchies) many minutes."""

SEED: Final = 20_000

ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
"""Environment of every contender, so that ratios are fair."""


class Input(NamedTuple):
    """The network and the limit, as every contender gets them."""

    ptr: NDArray[np.uint32]
    arc: NDArray[np.uint64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    limit_mm: int

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.ptr) - 1

    @property
    def target(self) -> NDArray[np.int32]:
        """Node that each arc leads to."""
        return (self.arc & np.uint64(2**32 - 1)).astype(np.int32)

    @property
    def cost_mm(self) -> NDArray[np.int64]:
        """Length of each arc, millimetres."""
        return (self.arc >> np.uint64(32)).astype(np.int64)


class Found(NamedTuple):
    """What a contender found."""

    per_source: NDArray[np.int64]
    """Nodes found from each source."""
    total_mm: float | None = None
    """All costs added up, where the contender tells them in the network's own millimetres."""


class Contender(NamedTuple):
    """One way of searching."""

    run: Callable[[NDArray[np.int64]], Any]
    """Searches from the sources given; this is timed."""
    tell: Callable[[Any], Found]
    """Tells what a run found; this is not timed."""


def shared_file(name: str) -> Path | None:
    """Find a file beside the real data, None where it is absent."""
    home = os.environ.get("CARESHED_DATA")
    path = (Path(home).parent if home else Path(__file__).resolve().parents[2] / "shared") / name
    return path if path.is_file() else None


def careshed(given: Input) -> Contender:
    """Search with the product's own code: a workspace a thread, block by block, rows joined, as `travel_times` does it.

    The loop is the one under isochrones; it starts at the node itself, as the peers do.
    """
    from careshed.network import Arcs
    from careshed.reach import Seeds, Workspace
    from careshed.reach.search import _in_threads

    arcs = Arcs(given.ptr, given.arc)

    def run(sources: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        count = len(sources)
        number = np.arange(count + 1)
        seeds = Seeds(number, sources.astype(np.uint32), np.zeros(count, np.uint32), number[:-1].astype(np.uint32))

        def search(work: Workspace, block: slice) -> tuple[NDArray[np.int64], ...]:
            return work.nodes(arcs, seeds, block.start, block.stop)

        return _in_threads(search, partial(Workspace, arcs, 0, given.limit_mm), count, threads=1)

    return Contender(run, lambda found: Found(np.diff(found[0]), float(found[2].sum(dtype=np.int64))))


def c_loop(given: Input) -> Contender:
    """Search with the C loop, every answer in memory of its own, as everybody else's is."""
    return _c_contender(given, reuse=False)


def c_reused(given: Input) -> Contender:
    """Search with the C loop into memory that earlier answers have used, which nobody can do who keeps them."""
    return _c_contender(given, reuse=True)


def _c_contender(given: Input, *, reuse: bool) -> Contender:
    many = _compiled()
    arcs = np.empty(len(given.arc), np.dtype([("target", "i4"), ("metres", "f4")]))
    arcs["target"], arcs["metres"] = given.target, given.cost_mm / 1000.0
    ptr = given.ptr.astype(np.int32)
    room = [np.zeros(1, np.int32), np.zeros(1, np.float32)]

    def pointer(array: NDArray[Any]) -> ctypes.c_void_p:
        return array.ctypes.data_as(ctypes.c_void_p)

    def run(sources: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        start, rows = sources.astype(np.int32), np.empty(len(sources) + 1, np.int64)
        while True:
            nodes, metres = room if reuse else map(np.empty_like, room)
            found = many(
                ctypes.c_int32(given.nodes), pointer(ptr), pointer(arcs), pointer(start), len(start),
                ctypes.c_float(given.limit_mm / 1000.0), ctypes.c_float(C_BUCKET_M), pointer(rows), pointer(nodes),
                pointer(metres), ctypes.c_int64(len(nodes)),
            )  # fmt: skip
            if found >= 0:
                return rows, nodes, metres
            larger = 2 * len(nodes) + 1_000_000  # in the warm-up only
            room[:] = np.zeros(larger, np.int32), np.zeros(larger, np.float32)

    return Contender(run, lambda found: Found(np.diff(found[0])))


def _compiled() -> Callable[..., int]:
    """Compile the C loop as its authors did."""
    source = shared_file(C_SOURCE)
    if source is None:
        raise FileNotFoundError(f"../shared/{C_SOURCE} is absent")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "limit.so"
        subprocess.run(["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", library, source], check=True)
        many = ctypes.CDLL(str(library)).many
    many.restype = ctypes.c_int64
    return many  # type: ignore[no-any-return]


def scipy_rows(given: Input) -> Contender:
    """Search with ``scipy.sparse.csgraph.dijkstra(limit=)``, whose answer is dense rows of source × node."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    graph = csr_array((given.cost_mm.astype(np.float64), given.target, given.ptr.astype(np.int32)), shape=(given.nodes,) * 2)

    def run(sources: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(dijkstra(graph, indices=sources, limit=float(given.limit_mm)))

    def tell(cost: NDArray[np.float64]) -> Found:
        within = np.isfinite(cost)
        return Found(within.sum(axis=1), float(cost[within].sum()))

    return Contender(run, tell)


def scipy(given: Input) -> Contender:
    """Search with scipy and hand over what the others do: the pairs within the limit, picked out of the dense rows."""
    rows = scipy_rows(given)

    def run(sources: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        cost = rows.run(sources)
        source, node = np.nonzero(np.isfinite(cost))
        return np.bincount(source, minlength=len(sources)), node, cost[source, node]

    return Contender(run, lambda found: Found(found[0], float(found[2].sum())))


def first_part(given: Input) -> tuple[int, NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Give the number of nodes in the first part of the network, and start, target and millimetres of the arcs within it."""
    kept = min(given.nodes, PART_NODES)
    last = int(given.ptr[kept])
    start = np.repeat(np.arange(kept), np.diff(given.ptr[: kept + 1].astype(np.int64)))
    target, cost = given.target[:last], given.cost_mm[:last]
    inside = target < kept
    return kept, start[inside], target[inside], cost[inside]


def networkx(given: Input) -> Contender:
    """Search with NetworkX on the first part of the network."""
    import networkx as nx

    kept, start, target, cost = first_part(given)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(kept))
    for u, v, mm in zip(start.tolist(), target.tolist(), cost.tolist(), strict=True):
        if mm < graph.get_edge_data(u, v, {"mm": mm + 1})["mm"]:
            graph.add_edge(u, v, mm=mm)

    def run(sources: NDArray[np.int64]) -> list[dict[int, int]]:
        inside = (sources % kept).tolist()
        return [nx.single_source_dijkstra_path_length(graph, node, cutoff=given.limit_mm, weight="mm") for node in inside]

    def tell(found: list[dict[int, int]]) -> Found:
        return Found(np.array([len(row) for row in found]), float(sum(sum(row.values()) for row in found)))

    return Contender(run, tell)


def pandana(given: Input) -> Contender:
    """Search with pandana's ``nodes_in_range`` on the first part of the network; its preparation is told as set-up."""
    import pandana as peer
    import pandas as pd

    kept, start, target, cost = first_part(given)
    x, y, from_, to = map(pd.Series, (given.x[:kept], given.y[:kept], start, target))
    network = peer.Network(x, y, from_, to, pd.DataFrame({"metres": cost / 1000.0}), twoway=False)

    def run(sources: NDArray[np.int64]) -> tuple[list[int], Any]:
        inside = (sources % kept).tolist()
        return inside, network.nodes_in_range(inside, given.limit_mm / 1000.0)

    def tell(found: tuple[list[int], Any]) -> Found:
        counts = found[1].groupby("source").size()
        return Found(counts.reindex(found[0]).to_numpy())

    return Contender(run, tell)


CONTENDERS: Final[dict[str, Callable[[Input], Contender]]] = {
    "C": c_loop,
    "C, memory reused": c_reused,
    "careshed": careshed,
    "scipy": scipy,
    "scipy, rows": scipy_rows,
    "NetworkX": networkx,
    "pandana": pandana,
}


def sources_of(nodes: int, count: int) -> NDArray[np.int64]:
    """Choose the sources: nodes at random, the same for every contender, fewer being the first of more."""
    return np.random.default_rng(SEED).integers(0, nodes, count)


def timed(search: Contender, sources: NDArray[np.int64]) -> dict[str, Any]:
    """Search once and tell CPU seconds (of all threads), pairs, and the most memory held beyond what was held before."""
    before = resident_bytes()
    forget_peak()
    start = time.process_time()
    found = search.run(sources)
    cpu = time.process_time() - start
    peak = max(0, peak_bytes() - before)
    return {"cpu": cpu, "sources": len(sources), "pairs": int(search.tell(found).per_source.sum()), "peak_mb": peak / MB}


def answer(search: Contender, request: dict[str, Any], nodes: int) -> dict[str, Any]:
    """Do what one request asks."""
    sources = sources_of(nodes, request["sources"])[: request.get("most")]
    if request["do"] == "run":
        return timed(search, sources)
    found = search.tell(search.run(sources))
    return {"per_source": found.per_source.tolist(), "total_mm": found.total_mm}


def main(name: str, network: str, limit_m: str) -> None:
    """Serve requests until the line ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # pandana reports its progress on the standard output
    with np.load(network) as arrays:
        given = Input(arrays["ptr"], arrays["arc"], arrays["x"], arrays["y"], round(float(limit_m) * 1000))
    start = time.process_time()
    try:
        search = CONTENDERS[name](given)
        search.run(sources_of(given.nodes, 2))
    except (ImportError, OSError, subprocess.CalledProcessError) as error:
        print(json.dumps({"absent": f"{type(error).__name__}: {error}"}), file=replies, flush=True)
        return
    print(json.dumps({"ready": name, "cpu": time.process_time() - start}), file=replies, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(search, json.loads(line), given.nodes)), file=replies, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
