"""Walk through Porto Alegre and Heidelberg with careshed and with Valhalla, and name the rule behind every pair that differs.

``python benchmarks/valhalla.py [--places N] [--examples N]`` chooses places on shared street nodes, so no time is lost or won
on the way to the street, and compares the lengths of the shortest walks, which at one speed are the times. Valhalla's own times,
printed beside, also wait up to 15 s at every crossing of a road and travel at the ferry's speed; neither can be switched off.

A pair that differs is explained when the pieces of our walk that Valhalla cannot walk are found, one by one, by asking Valhalla
for each of them; when each has a tag that names the rule; and when our own walk without them agrees. The rest is printed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from verdicts import Verdicts, data_folder, skip

if TYPE_CHECKING:
    from careshed.intake.streets import Streets
    from careshed.network import Network

TOWNS: Final = {"Porto Alegre": ("porto_alegre", "poa_osm.pbf"), "Heidelberg": ("heidelberg", "heidelberg.osm.pbf")}
PLACES: Final = 24
SEED: Final = 5
SPEED_KMH: Final = 4.8
MOST_MEDIAN, MOST_APART = 0.01, 0.05
"""Limits of the issue: median difference, and the difference from which a pair must be explained."""

PIECE_M: Final = 3.0
"""A piece of street that Valhalla walks with so much of a detour, metres, is closed to it; less is rounding and snapping."""

ON_FOOT: Final = frozenset({"footway", "path", "pedestrian", "steps", "cycleway", "track", "bridleway"})
"""Classes on which Valhalla takes ``oneway`` to bind walkers; careshed does not, as OSM's wiki has it."""

MOST_MIN: Final = 600.0
Float = NDArray[np.float64]
Tags = dict[str, str]


class Pieces(NamedTuple):
    """Our network as arcs, for walks to be traced and pieces to be closed."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    edge: NDArray[np.int64]
    metres: Float


@dataclass
class Peer:
    """Valhalla on one town."""

    actor: Any
    asked: dict[tuple[int, int], float] = field(default_factory=dict)

    def matrix(self, places: list[dict[str, float]], to: list[dict[str, float]] | None = None) -> tuple[Float, Float]:
        """Metres and seconds between all places; NaN where there is no way."""
        # shortest: the cost is the length; without it Valhalla prefers footpaths and avoids steps to taste
        costing = {"pedestrian": {"walking_speed": SPEED_KMH, "shortest": True}}
        request = {
            "sources": places,
            "targets": to or places,
            "costing": "pedestrian",
            "costing_options": costing,
            "verbose": False,
        }
        told = self.actor.matrix(request)["sources_to_targets"]
        metres, seconds = (np.array(told[name], dtype=np.float64) for name in ("distances", "durations"))
        return metres * 1000.0, seconds


def peer(pbf: Path, folder: Path) -> Peer:
    """Build Valhalla's tiles of an extract and open them."""
    import valhalla

    (folder / "tiles").mkdir(parents=True)
    (folder / "none.tar").touch()
    config = valhalla.get_config(tile_extract=folder / "none.tar", tile_dir=folder / "tiles")
    config["mjolnir"] |= {"tile_extract": "", "admin": "", "timezone": "", "concurrency": 1}
    config["service_limits"]["pedestrian"] |= {
        "max_matrix_location_pairs": 10**6, "max_locations": 2000, "max_matrix_distance": 1e6, "max_distance": 1e6,
    }  # fmt: skip
    config["loki"]["service_defaults"]["minimum_reachability"] = 0  # careshed joins a place to whatever street is there
    for part in ("mjolnir", "loki", "thor", "odin", "meili"):
        config[part].setdefault("logging", {})["type"] = ""
    file = folder / "valhalla.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    program = Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
    subprocess.run([program, "-c", file, pbf], check=True, capture_output=True)
    return Peer(valhalla.Actor(config))


def lonlat(network: Network) -> list[dict[str, float]]:
    """Every node as a place for Valhalla."""
    from pyproj import Transformer

    lon, lat = Transformer.from_crs(network.crs, "EPSG:4326", always_xy=True).transform(network.x, network.y)
    pairs = zip(np.round(lon, 7).tolist(), np.round(lat, 7).tolist(), strict=True)
    return [{"lat": y, "lon": x, "radius": 0} for x, y in pairs]


def our_matrix(network: Network, nodes: NDArray[np.int64]) -> tuple[Float, float]:
    """Metres between nodes at the speed of the mode, as the product computes them, and seconds it took with one thread."""
    import geopandas as gpd

    from careshed.reach import travel_times

    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(network.x[nodes], network.y[nodes]), crs=network.crs)
    start = time.perf_counter()
    times = travel_times(network, points, points, limit_min=MOST_MIN, direction="from_facility", threads=1)
    took = time.perf_counter() - start
    found = np.full((len(nodes), len(nodes)), np.nan)
    found[np.repeat(np.arange(len(nodes)), np.diff(times.indptr)), times.indices] = times.cost / 1000.0 * (SPEED_KMH / 3.6)
    return found, took


def pieces_of(network: Network) -> Pieces:
    """List the arcs, of several between two nodes the shortest only."""
    f, b, u, v = network.forward, network.backward, network.edge_u, network.edge_v
    start, end = np.concatenate([u[f], v[b]]), np.concatenate([v[f], u[b]])
    edge = np.concatenate([np.flatnonzero(f), np.flatnonzero(b)])
    metres = np.maximum(np.concatenate([network.length.edge_f[f], network.length.edge_b[b]]) / 1000.0, 0.001)
    order = np.lexsort((edge, metres, end, start))
    start, end, edge, metres = (values[order] for values in (start, end, edge, metres))
    first = np.concatenate([[True], (np.diff(start) != 0) | (np.diff(end) != 0)])
    return Pieces(start[first].astype(np.int64), end[first].astype(np.int64), edge[first], metres[first])


class Walker:
    """Our walks, with pieces closed one after the other."""

    def __init__(self, network: Network) -> None:
        self.network, self.pieces = network, pieces_of(network)
        self.open = np.ones(len(self.pieces.edge), dtype=bool)
        arcs = zip(self.pieces.start.tolist(), self.pieces.end.tolist(), strict=True)
        self.arc = {pair: at for at, pair in enumerate(arcs)}

    def walks(self, origin: int) -> tuple[Float, NDArray[np.int32]]:
        """Metres to every node from one, and the node before each."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import dijkstra

        p, size = self.pieces, len(self.network.x)
        graph = coo_array((p.metres[self.open], (p.start[self.open], p.end[self.open])), shape=(size, size)).tocsr()
        return dijkstra(graph, indices=origin, return_predecessors=True)  # type: ignore[no-any-return]

    def path(self, before: NDArray[np.int32], origin: int, target: int) -> list[int]:
        """Nodes along a walk."""
        found = [target]
        while found[-1] != origin:
            found.append(int(before[found[-1]]))
        return found[::-1]

    def close(self, arcs: list[int]) -> None:
        """Close pieces, each in its direction."""
        self.open[arcs] = False


@dataclass
class Map:
    """The tags of ways and of the nodes that do something, as mapped."""

    ways: dict[int, Tags]
    nodes: dict[int, Tags]
    streets: Streets

    def along(self, network: Network, edge: int) -> tuple[int, Tags, list[Tags]]:
        """Way, its tags, and the tags of barriers on an edge, its ends included."""
        row = int(network.edge_way[edge])
        way = int(self.streets.ways.index[row])
        on = self.streets.way_node[self.streets.way_ptr[row] : self.streets.way_ptr[row + 1]]
        found = [self.nodes[node] for node in self.streets.node_id[on].tolist() if node in self.nodes]
        return way, self.ways[way], found


def mapped(pbf: Path, streets: Streets) -> Map:
    """Read the tags afresh, without careshed's rules."""
    import osmium

    ways = {item.id: dict(item.tags) for item in osmium.FileProcessor(pbf, osmium.osm.WAY) if "highway" in item.tags}
    nodes = {item.id: dict(item.tags) for item in osmium.FileProcessor(pbf, osmium.osm.NODE) if "barrier" in item.tags}
    return Map(ways, nodes, streets)


def rule_of(tags: Tags, barriers: list[Tags]) -> str:
    """Name the rule that closes a way to Valhalla and leaves it open to careshed, "" where no tag says."""
    if tags.get("indoor", "no") != "no":
        return f"indoor={tags['indoor']}"
    for key in ("foot", "access", "motorroad", "sac_scale", "mtb:scale", "conveying", "area"):
        if tags.get(key) not in (None, "yes", "permissive", "designated", "destination", "public"):
            return f"{key}={tags[key]}"
    if tags.get("oneway") in ("yes", "1", "-1") and tags["highway"] in ON_FOOT:
        return f"oneway={tags['oneway']} on paths"
    if tags["highway"] in ("steps", "trunk", "trunk_link", "bridleway", "corridor", "elevator", "platform", "construction"):
        return f"highway={tags['highway']}"
    if tags.get("sidewalk") in ("no", "none", "separate", "use_sidepath"):
        return f"sidewalk={tags['sidewalk']}"
    for barrier in barriers:
        if (
            barrier.get("access") in ("no", "private")
            or barrier.get("foot") == "no"
            or barrier["barrier"] in ("gate", "lift_gate")
        ):
            told = ", ".join(f"{key}={barrier[key]}" for key in ("access", "foot") if key in barrier)
            return f"barrier={barrier['barrier']}" + (f" ({told})" if told else "")
    return ""


class Found(NamedTuple):
    """Pieces that Valhalla does not walk."""

    rule: str
    way: int
    tags: Tags
    metres: float


def detour(walker: Walker, run: list[int], places: list[dict[str, float]], valhalla: Peer) -> bool:
    """Tell whether Valhalla cannot walk a run of nodes as we do, or only with a detour."""
    pair = run[0], run[-1]
    if pair not in valhalla.asked:
        try:
            valhalla.asked[pair] = float(valhalla.matrix([places[run[0]]], [places[run[-1]]])[0][0, 0])
        except RuntimeError:
            valhalla.asked[pair] = np.nan
    ours = sum(float(walker.pieces.metres[walker.arc[step]]) for step in zip(run, run[1:], strict=False))
    return not valhalla.asked[pair] <= ours * (1 + MOST_APART) + PIECE_M


def closed_pieces(walker: Walker, path: list[int], places: list[dict[str, float]], valhalla: Peer) -> list[int]:
    """Find the arcs of a walk that Valhalla does not walk; where it walks them all, those around nodes that it does not pass."""
    found = [walker.arc[step] for step in zip(path, path[1:], strict=False) if detour(walker, list(step), places, valhalla)]
    if found:
        return found
    runs = [list(run) for run in zip(path, path[1:], path[2:], strict=False) if run[0] != run[2]]
    return [walker.arc[run[1], run[2]] for run in runs if detour(walker, run, places, valhalla)]


def apart(ours: float, theirs: float) -> bool:
    """Tell whether two lengths differ by more than the limit; no way at all is as long as can be."""
    if np.isfinite(ours) != np.isfinite(theirs):
        return True
    return bool(np.isfinite(ours)) and abs(theirs - ours) > MOST_APART * ours


def explain(
    pairs: list[tuple[int, int]], nodes: NDArray[np.int64], theirs: Float, walker: Walker, told: Map,
    places: list[dict[str, float]], valhalla: Peer,
) -> tuple[dict[tuple[int, int], list[Found]], list[tuple[int, int]]]:  # fmt: skip
    """Close what Valhalla cannot walk until our walk agrees: what was closed for each pair, and the pairs left over."""
    why: dict[tuple[int, int], list[Found]] = defaultdict(list)
    left: list[tuple[int, int]] = []
    known: set[int] = set()
    waiting = defaultdict(list)
    for i, j in pairs:
        waiting[i].append(j)
    for i, targets in waiting.items():
        walker.open[:] = True
        while targets:
            metres, before = walker.walks(int(nodes[i]))
            targets = [j for j in targets if apart(float(metres[nodes[j]]), float(theirs[i, j]))]
            fresh: dict[int, list[int]] = {}
            for j in targets:
                if np.isfinite(metres[nodes[j]]):
                    fresh[j] = closed_pieces(walker, walker.path(before, int(nodes[i]), int(nodes[j])), places, valhalla)
            for j, arcs in fresh.items():
                # pieces beside a closed one may look closed too, where Valhalla starts on another street: named ones first
                fresh[j] = [at for at in arcs if rule_of(*told.along(walker.network, int(walker.pieces.edge[at]))[1:])] or arcs
                for at in fresh[j]:
                    way, tags, barriers = told.along(walker.network, int(walker.pieces.edge[at]))
                    why[i, j].append(Found(rule_of(tags, barriers), way, tags, float(walker.pieces.metres[at])))
            left += [(i, j) for j in targets if not fresh.get(j)]
            targets = [j for j in targets if fresh.get(j)]
            known |= {at for arcs in fresh.values() for at in arcs}
            walker.close(sorted(known))
    return why, left


def print_rules(why: dict[tuple[int, int], list[Found]], examples: int) -> None:
    """Print the table: each rule with its pairs, ways and the ways met most often."""
    pairs: Counter[str] = Counter()
    ways: dict[str, Counter[int]] = defaultdict(Counter)
    tags = {one.way: one.tags for found in why.values() for one in found}
    for found in why.values():
        pairs.update({one.rule for one in found})
        for rule, way in {(one.rule, one.way) for one in found}:
            ways[rule][way] += 1
    print(f"  {'rule (OSM tag)':<34} {'pairs':>6} {'ways':>5}  ways met most often")
    for rule, count in pairs.most_common():
        shown = ", ".join(f"{way} ({tags[way]['highway']})" for way, _ in ways[rule].most_common(examples))
        print(f"  {rule or 'no tag says':<34} {count:>6} {len(ways[rule]):>5}  {shown}")


def compare(town: str, pbf: Path, count: int, examples: int, verdicts: Verdicts) -> None:
    """Compare one town and print its verdicts."""
    from careshed.intake.streets import read_streets
    from careshed.modes import WALK_ADULT
    from careshed.network import build_network

    streets = read_streets(pbf).table
    network = build_network(streets, mode=replace(WALK_ADULT, speed_kmh=SPEED_KMH, leg_speed_kmh=SPEED_KMH))
    eligible = np.flatnonzero((network.component == 0) & (network.node_id > 0))
    nodes = np.sort(np.random.default_rng(SEED).choice(eligible, count, replace=False))
    places = lonlat(network)
    with tempfile.TemporaryDirectory() as folder:
        theirs_of = peer(pbf, Path(folder))
        chosen = [places[node] for node in nodes]
        theirs_of.matrix(chosen[:2])
        start = time.perf_counter()
        theirs, seconds = theirs_of.matrix(chosen)
        their_time = time.perf_counter() - start
        our_matrix(network, nodes[:2])
        ours, our_time = our_matrix(network, nodes)
        off = ~np.eye(count, dtype=bool)
        both = off & np.isfinite(ours) & np.isfinite(theirs) & (ours > 0)
        difference = np.abs(theirs - ours)[both] / ours[both]
        timed = np.abs(seconds * SPEED_KMH / 3.6 - ours)[both] / ours[both]
        pairs = [(int(i), int(j)) for i, j in np.argwhere(off) if apart(float(ours[i, j]), float(theirs[i, j]))]
        print(f"\n{town}: {count} places, {int(off.sum())} pairs, {len(pairs)} differ by more than {MOST_APART:.0%}")
        print(f"  one origin: careshed {our_time / count * 1000:.1f} ms, Valhalla {their_time / count * 1000:.1f} ms "
              f"({their_time / our_time:.1f} times), all destinations of the town's, one thread each")  # fmt: skip
        print(f"  Valhalla's own times (waits at crossings, ferries at their speed): median {np.median(timed):.2%} apart")
        why, left = explain(pairs, nodes, theirs, Walker(network), mapped(pbf, streets), places, theirs_of)
        print_rules(why, examples)
    nameless = {pair for pair, found in why.items() if not any(one.rule for one in found)} | set(left)
    for i, j in sorted(nameless)[:examples]:
        print(f"  unexplained: {network.node_id[nodes[i]]} to {network.node_id[nodes[j]]}: "
              f"{ours[i, j]:.0f} m and {theirs[i, j]:.0f} m; {[(one.way, one.tags) for one in why[i, j]][:2]}")  # fmt: skip
    verdicts.at_most(f"{town}: median difference of walks", float(np.median(difference)), MOST_MEDIAN)
    verdicts.at_most(f"{town}: pairs more than 5 % apart without a named rule", len(nameless), 0, "pairs")


def main() -> int:
    """Compare the towns that are here."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--places", type=int, default=PLACES)
    parser.add_argument("--examples", type=int, default=4)
    chosen = parser.parse_args()
    sys.path = [path for path in sys.path if Path(path or ".").resolve() != Path(__file__).parent]  # this file bears its name
    try:
        import valhalla
    except ImportError as error:
        skip("walks against Valhalla", f"{error}; pip install '.[benchmark]' brings pyvalhalla-weekly where it has a wheel")
        return 0
    print(f"Valhalla {valhalla.__version__}")
    verdicts = Verdicts()
    for town, (name, file) in TOWNS.items():
        folder = data_folder(name)
        if folder is None:
            skip(town, f"no folder {name} in ../shared/data")
            continue
        compare(town, folder / file, chosen.places, chosen.examples, verdicts)
    return verdicts.exit_code()


if __name__ == "__main__":
    sys.exit(main())
