"""Walk through Porto Alegre and Heidelberg with careshed and with Valhalla, and name the rule behind every pair that differs.

``python benchmarks/valhalla.py [--places N] [--examples N]`` chooses places on street nodes, so no time is lost or won on the way
to the street, and compares the lengths of the shortest walks, which at one speed are the times. Valhalla's own times, printed
beside, also wait up to 15 s at every crossing of a road and travel at the ferry's speed; neither can be switched off.

A pair that differs is explained by rules, each of which can be switched on its own. Rules of tags are Valhalla's reading of a way
or a barrier where it is not ours: with one on, our network is built again with those ways closed or opened as Valhalla has them.
Rules of search are Valhalla's own: with one on, Valhalla is asked again without its ferries, its charge for steps, or the early
end of its search. A pair is explained by a rule, or by the fewest rules together, with which both sides agree.

The table can be wrong in three ways, and each is looked for: Valhalla is asked for ways of every rule whether it walks them; with
all rules on, pairs that agreed before must still agree; and closing other ways of the same classes must not explain as much.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from valhalla_peer import MOST_APART, SEARCHING, SPEED_KMH, Peer, Rules, lonlat
from valhalla_tags import told_shut, told_walkable
from verdicts import Verdicts, data_folder, skip

if TYPE_CHECKING:
    from careshed.intake.streets import Streets
    from careshed.network import Network

TOWNS: Final = {"Porto Alegre": ("porto_alegre", "poa_osm.pbf"), "Heidelberg": ("heidelberg", "heidelberg.osm.pbf")}
PLACES: Final = 60
SEED: Final = 5
MOST_MEDIAN: Final = 0.01
"""Limit of the issue for the median difference; `MOST_APART` is that from which a pair must be explained."""

MOST_BY_CHANCE: Final = 0.25
"""Share of the pairs explained by tags that closing other ways may explain as well, on average of so many draws."""

DRAWS: Final = 8

LEAST_CONFIRMED: Final = 0.98
"""Share of the ways asked for that Valhalla must walk as the rules say; one lying on another may answer for it."""

ASKED: Final = 40
"""Ways of each rule that Valhalla is asked for."""

WHOLE_M: Final = 2.0
"""Valhalla tells whole metres and joins a place within one: differences up to this are none."""

MOST_MIN: Final = 1200.0
Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

WALLS: Final = "wall or fence across a street"
"""careshed cuts a street where a wall is drawn across it and no gate is near; Valhalla knows of no walls."""


class Differing(NamedTuple):
    """What Valhalla reads differently, by rule."""

    way_rule: NDArray[np.object_]
    """Rule of each way, "" where both read it alike, shape (ways,)."""
    forward: Bool
    """Whether Valhalla walks each way with its drawing direction, and against it."""
    backward: Bool
    node_rule: dict[int, str]
    """Nodes that stop Valhalla's walkers and not ours, by id."""


def differing(pbf: Path, streets: Streets, peer: Peer) -> Differing:
    """Read the tags afresh, as Valhalla does, and compare with what careshed made of them."""
    import osmium

    tags = {item.id: dict(item.tags) for item in osmium.FileProcessor(pbf, osmium.osm.WAY) if "highway" in item.tags}
    keys = osmium.filter.KeyFilter("barrier", "access", "foot")
    nodes = {item.id: told_shut(dict(item.tags)) for item in osmium.FileProcessor(pbf, osmium.osm.NODE).with_filter(keys)}
    told = [told_walkable(tags[way]) for way in streets.ways.index.tolist()]
    forward, backward = (np.array([one[which] for one in told]) for which in (0, 1))
    alike = (forward == streets.ways["walk_forward"].to_numpy()) & (backward == streets.ways["walk_backward"].to_numpy())
    rule = np.where(alike, "", np.array([one[2] for one in told], dtype=object))
    return Differing(rule, forward, backward, shut_nodes(streets, rule == "", nodes, peer))


def shut_nodes(streets: Streets, alike: Bool, why: dict[int, str], peer: Peer) -> dict[int, str]:
    """Keep the nodes whose tags say that they stop Valhalla, and past which it finds no straight way when asked.

    Its tiles hold only the nodes at which ways meet: a gate in the middle of a way may stop nobody. Nodes past which nobody could
    go, such as the end of a way, are left out.
    """
    place = {node: at for at, node in enumerate(streets.node_id.tolist()) if why.get(node)}
    found = {}
    for node, at in place.items():
        near = [_halfway(streets, at, other) for other in _beside(streets, at, alike)]
        pairs = [(near[0], other) for other in near[1:]]
        if pairs and all(peer.detour(start[0], end[0], start[1] + end[1]) for start, end in pairs):
            found[node] = why[node]
    return found


def _beside(streets: Streets, node: int, alike: Bool) -> list[int]:
    """The nodes next to one along ways that both sides read alike."""
    found: list[int] = []
    for at in np.flatnonzero(streets.way_node == node).tolist():
        way = int(np.searchsorted(streets.way_ptr, at, side="right")) - 1
        if alike[way]:
            steps = (step for step in (at - 1, at + 1) if streets.way_ptr[way] <= step < streets.way_ptr[way + 1])
            found += [int(streets.way_node[step]) for step in steps]
    return list(dict.fromkeys(found))


def _halfway(streets: Streets, node: int, other: int) -> tuple[dict[str, float], float]:
    """The place halfway between two nodes, and how far it is from either, metres."""
    from pyproj import Geod

    lon, lat = streets.lon[[node, other]], streets.lat[[node, other]]
    place = {"lat": float(lat.mean()), "lon": float(lon.mean()), "radius": 0}
    return place, Geod(ellps="WGS84").line_length(lon, lat) / 2


@dataclass
class Town:
    """One town on both sides, with rules to be switched on."""

    streets: Streets
    told: Differing
    peer: Peer
    plain: Network
    nodes: NDArray[np.int64]

    def __post_init__(self) -> None:
        self.places = lonlat(self.plain.crs, self.plain.x[self.nodes], self.plain.y[self.nodes])
        self._ours: dict[Rules, Float] = {}
        self._theirs: dict[Rules, tuple[Float, Float]] = {}
        self.took: dict[Rules, float] = {}
        """Seconds that each of Valhalla's matrices took."""

    @cached_property
    def rules(self) -> Rules:
        """All rules that there are."""
        walls = {WALLS} if self.streets.barriers is not None and self.streets.barriers.count()["wall"] else set()
        return SEARCHING | (set(self.told.way_rule.tolist()) - {""}) | set(self.told.node_rule.values()) | walls

    def network(self, rules: Rules, ways: Bool | None = None) -> Network:
        """Build our network with the ways of some rules, or those given, as Valhalla has them."""
        from careshed.intake.streets.barriers import without_osm
        from careshed.intake.streets.parting import part_at

        told, table = self.told, self.streets.ways
        which = np.isin(told.way_rule.astype(str), list(rules)) if ways is None else ways
        forward, backward = (told.forward, told.backward) if ways is None else (np.zeros(len(which), bool),) * 2
        streets = replace(
            self.streets,
            ways=table.assign(
                walk_forward=np.where(which, forward, table["walk_forward"]),
                walk_backward=np.where(which, backward, table["walk_backward"]),
            ),
        )
        streets = without_osm(streets) if WALLS in rules else streets
        shut = [node for node, rule in told.node_rule.items() if rule in rules]
        network = build(part_at(streets, np.isin(streets.node_id, shut)).streets)
        # Valhalla joins a place to the nearest street even where that leads nowhere, careshed then to the next one
        return replace(network, component_m=np.full(len(network.component_m), np.inf))

    def ours(self, rules: Rules) -> Float:
        """Our metres with rules on."""
        rules = rules - SEARCHING
        if rules not in self._ours:
            self._ours[rules] = self.walked(self.network(rules))
        return self._ours[rules]

    def theirs(self, rules: Rules) -> Float:
        """Valhalla's metres without the rules of its search that are on."""
        return self._asked(rules & SEARCHING)[0]

    def their_seconds(self) -> Float:
        """Valhalla's own times, as it comes."""
        return self._asked(frozenset())[1]

    def _asked(self, rules: Rules) -> tuple[Float, Float]:
        if rules not in self._theirs:
            self.peer.matrix(self.places[:2], rules)
            start = time.perf_counter()
            self._theirs[rules] = self.peer.matrix(self.places, rules)
            self.took[rules] = time.perf_counter() - start
        return self._theirs[rules]

    def walked(self, network: Network) -> Float:
        """Metres between the places on a network, as the product computes them."""
        return our_matrix(network, self.plain.x[self.nodes], self.plain.y[self.nodes])

    def apart(self, rules: Rules) -> Bool:
        """Tell which pairs differ by more than the limit with rules on; no way at all is as long as can be."""
        return apart(self.ours(rules), self.theirs(rules))


def apart(ours: Float, theirs: Float) -> Bool:
    """Tell which pairs differ by more than the limit."""
    both = np.isfinite(ours) & np.isfinite(theirs)
    far = np.abs(np.where(both, theirs - ours, 0.0)) > np.maximum(MOST_APART * np.where(both, ours, 1.0), WHOLE_M)
    found: Bool = (far | (np.isfinite(ours) != np.isfinite(theirs))) & ~np.eye(len(ours), dtype=bool)
    return found


def build(streets: Streets) -> Network:
    """Build the network of walkers at the speed compared."""
    from careshed.modes import WALK_ADULT
    from careshed.network import build_network

    return build_network(streets, mode=replace(WALK_ADULT, speed_kmh=SPEED_KMH, leg_speed_kmh=SPEED_KMH))


def our_matrix(network: Network, x: Float, y: Float) -> Float:
    """Metres between places at the speed of the mode, as the product computes them with one thread; NaN where there is no way."""
    import geopandas as gpd

    from careshed.reach import travel_times

    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=network.crs)
    times = travel_times(network, points, points, limit_min=MOST_MIN, direction="from_facility", threads=1)
    found = np.full((len(x), len(x)), np.nan)
    found[np.repeat(np.arange(len(x)), np.diff(times.indptr)), times.indices] = times.cost / 1000.0 * (SPEED_KMH / 3.6)
    return found


def explain(town: Town) -> tuple[dict[tuple[int, int], Rules], list[tuple[int, int]]]:
    """Find the rules that explain every pair that differs: one alone, else the fewest found; and the pairs left over."""
    everything = town.rules
    waiting = town.apart(frozenset())
    why: dict[tuple[int, int], Rules] = {}
    for rule in sorted(everything):
        for i, j in np.argwhere(waiting & ~town.apart(frozenset({rule}))).tolist():
            why[i, j] = frozenset({rule})
            waiting[i, j] = False
    left = [(i, j) for i, j in np.argwhere(waiting & town.apart(everything)).tolist()]
    waiting &= ~town.apart(everything)
    needed = {rule: town.apart(everything - {rule}) for rule in sorted(everything) if waiting.any()}
    for i, j in np.argwhere(waiting).tolist():
        found = frozenset(rule for rule in needed if needed[rule][i, j])
        why[i, j] = found if not town.apart(found)[i, j] else _fewest(town, everything, i, j)
    return why, left


def _fewest(town: Town, rules: Rules, i: int, j: int) -> Rules:
    """Switch rules off one after the other while the pair still agrees."""
    for rule in sorted(rules):
        if not town.apart(rules - {rule})[i, j]:
            rules = rules - {rule}
    return rules


def confirmed(town: Town, rule: str) -> tuple[int, int]:
    """Ask Valhalla for some ways of a rule whether it walks them as the rule says: how many it does, and how many were asked."""
    rows = np.flatnonzero(town.told.way_rule == rule)
    if not len(rows):
        return 0, 0
    chosen = np.sort(np.random.default_rng(SEED).permutation(rows)[:ASKED])
    expected = town.told.forward[chosen].astype(int) + town.told.backward[chosen]
    return int((_walked_by_peer(town, chosen) == expected).sum()), len(chosen)


def _walked_by_peer(town: Town, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ask Valhalla in how many directions it walks some ways, in the middle of the longest piece of each."""
    streets, ways = town.streets, town.streets.ways.index.to_numpy()
    x, y = [], []
    for row in rows.tolist():
        at = streets.way_node[streets.way_ptr[row] : streets.way_ptr[row + 1]]
        piece = int(np.argmax(np.hypot(np.diff(streets.lon[at]), np.diff(streets.lat[at]))))
        x.append(float(streets.lon[at[piece : piece + 2]].mean()))
        y.append(float(streets.lat[at[piece : piece + 2]].mean()))
    places = [{"lat": lat, "lon": lon, "radius": 0} for lon, lat in zip(x, y, strict=True)]
    return np.array(town.peer.walks(places, ways[rows].tolist()))


def by_chance(town: Town) -> tuple[int, float]:
    """Close as many other ways of the same classes: how many pairs tags explain, and how many of them this does, on average."""
    before = town.apart(SEARCHING)
    by_tags = before & ~town.apart(town.rules)
    found = []
    for draw in range(DRAWS):
        network = town.network(frozenset(), _other_ways(town, draw))
        found.append(int((by_tags & ~apart(town.walked(network), town.theirs(SEARCHING))).sum()))
    return int(by_tags.sum()), float(np.mean(found))


def _other_ways(town: Town, seed: int) -> Bool:
    """Draw, for every way that a rule is about and we walk, another of its class that both read alike."""
    table, rule = town.streets.ways, town.told.way_rule
    kind, walked = table["highway"].to_numpy(dtype=object), (table["walk_forward"] | table["walk_backward"]).to_numpy()
    chosen, draw = np.zeros(len(kind), dtype=bool), np.random.default_rng(seed)
    for one, count in sorted(Counter(kind[(rule != "") & walked].tolist()).items()):
        chosen[draw.permutation(np.flatnonzero((kind == one) & (rule == "") & walked))[:count]] = True
    return chosen


def print_rules(town: Town, why: dict[tuple[int, int], Rules]) -> tuple[int, int]:
    """Print the table: each rule with the pairs that it explains alone and with others, its ways, and what Valhalla says of them.

    Gives the ways that Valhalla walks as the rules say, and those asked for.
    """
    alone, shared = Counter[str](), Counter[str]()
    for found in why.values():
        (alone if len(found) == 1 else shared).update(found)
    nodes, ways = Counter(town.told.node_rule.values()), Counter(town.told.way_rule.tolist())
    told = {rule: confirmed(town, rule) for rule in sorted(town.rules | {""})}
    print(f"  {'rule':<32} {'alone':>6} {'with others':>11} {'ways':>6} {'nodes':>6}  so says Valhalla of")
    used = sorted((rule for rule in town.rules if alone[rule] + shared[rule]), key=lambda one: (-alone[one] - shared[one], one))
    for rule in (*used, ""):
        asked = "{} of {} ways asked".format(*told[rule]) if told[rule][1] else "every node, asked"
        says = "every pair, asked again" if rule in SEARCHING else asked
        print(f"  {rule or '(ways read alike)':<32} {alone[rule]:>6} {shared[rule]:>11} {ways[rule]:>6} {nodes[rule]:>6}  {says}")
    unused = sorted(town.rules - set(used))
    print(f"  and {len(unused)} more explain no pair: {', '.join(unused)}")
    return sum(right for right, _ in told.values()), sum(asked for _, asked in told.values())


def print_left(town: Town, left: list[tuple[int, int]], examples: int) -> None:
    """Print pairs that no rule explains."""
    ours, theirs, with_rules = town.ours(frozenset()), town.theirs(frozenset()), town.ours(town.rules)
    for i, j in left[:examples]:
        start, end = town.plain.node_id[town.nodes[[i, j]]].tolist()
        print(f"  unexplained: node {start} to {end}: {ours[i, j]:.0f} m and {theirs[i, j]:.0f} m, with all rules "
              f"{with_rules[i, j]:.0f} m and {town.theirs(town.rules)[i, j]:.0f} m")  # fmt: skip


def print_speeds(town: Town) -> None:
    """Print what one origin costs on both sides, one thread each."""
    count = len(town.nodes)
    start = time.perf_counter()
    town.walked(town.plain)
    ours = (time.perf_counter() - start) / count * 1000
    fast, exact = (town.took[rules] / count * 1000 for rules in (frozenset(), SEARCHING))
    print(f"  one origin to {count}: careshed {ours:.1f} ms, Valhalla {fast:.1f} ms ({fast / ours:.0f} times) as it comes, "
          f"{exact:.1f} ms ({exact / ours:.0f} times) searching to the end; one thread each")  # fmt: skip


def compare(name: str, pbf: Path, count: int, examples: int, verdicts: Verdicts) -> None:
    """Compare one town and print its verdicts."""
    from careshed.intake.streets import read_streets

    streets = read_streets(pbf).table
    plain = build(streets)
    eligible = np.flatnonzero((plain.component == 0) & (plain.node_id > 0))
    nodes = np.sort(np.random.default_rng(SEED).choice(eligible, count, replace=False))
    with tempfile.TemporaryDirectory() as folder:
        peer = Peer(pbf, Path(folder))
        town = Town(streets, differing(pbf, streets, peer), peer, plain, nodes)
        differ = town.apart(frozenset())
        print(f"\n{name}: {count} places, {count * (count - 1)} pairs, {int(differ.sum())} differ by more than {MOST_APART:.0%}")
        why, left = explain(town)
        print_speeds(town)
        asked = print_rules(town, why)
        print_left(town, left, examples)
        by_tags, chance = by_chance(town)
    _judge(name, town, left, asked, verdicts)
    print(f"  {by_tags} pairs are explained by tags alone, {chance:.1f} of them by closing as many other ways "
          f"of the same classes (average of {DRAWS} draws)")  # fmt: skip
    verdicts.at_most(f"{name}: share of them explained by chance", chance / max(by_tags, 1), MOST_BY_CHANCE)


def _judge(name: str, town: Town, left: list[tuple[int, int]], asked: tuple[int, int], verdicts: Verdicts) -> None:
    """Print medians and verdicts."""
    none: Rules = frozenset()
    ours, theirs, seconds = town.ours(none), town.theirs(none), town.their_seconds()
    both = ~np.eye(len(ours), dtype=bool) & np.isfinite(ours) & np.isfinite(theirs) & (ours > 0)
    median, timed = (float(np.median(np.abs(one - ours)[both] / ours[both])) for one in (theirs, seconds * SPEED_KMH / 3.6))
    print(f"  Valhalla's own times (waits at crossings, ferries at their speed): median {timed:.2%} apart")
    verdicts.at_most(f"{name}: median difference of walks", median, MOST_MEDIAN)
    verdicts.at_most(f"{name}: pairs more than 5 % apart without a named rule", len(left), 0, "pairs")
    fresh = town.apart(town.rules) & ~town.apart(none)
    verdicts.at_most(f"{name}: pairs that agree but not with all rules on", int(fresh.sum()), 0, "pairs")
    verdicts.at_least(
        f"{name}: share of {asked[1]} ways that Valhalla walks as the rules say", asked[0] / asked[1], LEAST_CONFIRMED
    )


def main() -> int:
    """Compare the towns that are here."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--places", type=int, default=PLACES)
    parser.add_argument("--examples", type=int, default=4, help="pairs without a rule to print")
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
