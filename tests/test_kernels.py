"""The compiled loops, on small cases and against scipy; the suite runs this file twice, compiled and line by line."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import travel_costs
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from shapely import MultiPoint, Point
from ties import between_streets
from towns import CRS, EAST, NORTH, points, streets

from careshed import _kernels
from careshed.isochrones import draw_isochrones, lattice_of
from careshed.isochrones.field import Field
from careshed.modes import Mode
from careshed.network import attach, build_network, pack_arcs
from careshed.network.model import Arcs
from careshed.reach import Seeds, Workspace, bucket_shift, nearest_labels, search, travel_times

pytestmark = pytest.mark.interpreted

METRE_A_SECOND = Mode(name="test", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="1 m/s, so that metres are seconds")
NONE = np.uint64(2**64 - 1)


def arcs_of(nodes: int, *arcs: tuple[int, int, int]) -> Arcs:
    """Arcs (from, to, cost), packed."""
    at, to, cost = (np.array(column) for column in zip(*arcs, strict=True)) if arcs else (np.empty(0, int),) * 3
    return pack_arcs(nodes, at, to.astype(np.int32), cost.astype(np.uint32))


def seeds(*sources: list[tuple[int, int]]) -> Seeds:
    """Seeds (node, cost) source by source."""
    flat = [(node, cost, owner) for owner, source in enumerate(sources) for node, cost in source]
    node, cost, owner = (np.array(column, np.uint32) for column in (zip(*flat, strict=True) if flat else ((), (), ())))
    return Seeds(np.cumsum([0, *map(len, sources)]).astype(np.int64), node, cost, owner)


def rows(found: tuple) -> list[dict[int, int]]:
    """What `reach_nodes` found: node -> cost, source by source, each node once."""
    ptr, node, cost = found
    made = [
        dict(zip(node[a:b].tolist(), cost[a:b].tolist(), strict=True)) for a, b in zip(ptr[:-1], ptr[1:], strict=True)
    ]  # fmt: skip
    assert sum(map(len, made)) == len(node) == len(cost) == ptr[-1]
    return made


def reach(arcs: Arcs, starts: Seeds, limit: int) -> list[dict[int, int]]:
    work = Workspace(arcs, 0, limit)
    found = rows(work.nodes(arcs, starts, 0, len(starts.ptr) - 1))
    assert not work.head.any()
    return found


def labels(arcs: Arcs, starts: Seeds) -> list[tuple[int, int] | None]:
    """What `nearest_nodes` found: (cost, owner) of every node."""
    return [
        None if label == NONE else (int(label >> np.uint64(32)), int(label) & 0xFFFFFFFF)
        for label in nearest_labels(arcs, starts)
    ]


# --- bounded search ----------------------------------------------------------------------------------------------------

CHAIN = arcs_of(4, (0, 1, 10), (1, 2, 10), (2, 3, 10))


def test_a_search_follows_arcs_one_way_only():
    assert reach(CHAIN, seeds([(0, 0)], [(2, 0)], [(3, 0)]), 100) == [{0: 0, 1: 10, 2: 20, 3: 30}, {2: 0, 3: 10}, {3: 0}]


def test_the_limit_itself_is_in_and_one_more_is_out():
    assert reach(CHAIN, seeds([(0, 0)]), 20) == [{0: 0, 1: 10, 2: 20}]
    assert reach(CHAIN, seeds([(0, 0)]), 19) == [{0: 0, 1: 10}]
    assert reach(CHAIN, seeds([(0, 1)]), 20) == [{0: 1, 1: 11}]


def test_seeds_beyond_the_limit_start_nothing():
    assert reach(CHAIN, seeds([(0, 21)], [(0, 20)], [(0, 21), (2, 5)]), 20) == [{}, {0: 20}, {2: 5, 3: 15}]


def test_of_seeds_at_one_node_the_cheapest_counts_in_any_order():
    for costs in ([7, 3, 5], [3, 5, 7], [7, 5, 3], [3, 3, 3]):
        assert reach(CHAIN, seeds([(1, cost) for cost in costs]), 100) == [{1: 3, 2: 13, 3: 23}]


def test_a_source_without_seeds_reaches_nothing():
    assert reach(CHAIN, seeds([], [(3, 1)], []), 100) == [{}, {3: 1}, {}]
    assert reach(CHAIN, seeds(), 100) == []


def test_a_seed_may_undercut_the_way_from_another_seed():
    assert reach(CHAIN, seeds([(0, 0), (2, 5)]), 100) == [{0: 0, 1: 10, 2: 5, 3: 15}]


def test_arcs_of_no_cost_are_walked_and_end():
    ring = arcs_of(3, (0, 1, 0), (1, 2, 0), (2, 0, 0), (0, 0, 0))
    assert reach(ring, seeds([(1, 4)]), 4) == [{0: 4, 1: 4, 2: 4}]
    assert labels(ring, seeds([(1, 4)])) == [(4, 0)] * 3


def test_a_later_cheaper_way_corrects_an_earlier_dearer_one_within_a_bucket():
    # Wide buckets (mean arc about 25,000) put all of 1…7 into one: node 2 is first found at 7, then at 2.
    arcs = arcs_of(5, (0, 2, 7), (0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 4, 100_000))
    assert int(bucket_shift(arcs)) >= 12
    assert reach(arcs, seeds([(0, 0)]), 200_000) == [{0: 0, 1: 1, 2: 2, 3: 3, 4: 100_003}]


def test_parallel_arcs_and_loops_change_nothing_but_the_cheapest():
    arcs = arcs_of(2, (0, 1, 9), (0, 1, 4), (0, 0, 1), (1, 1, 1), (0, 1, 6))
    assert reach(arcs, seeds([(0, 0)]), 100) == [{0: 0, 1: 4}]


def test_costs_near_the_largest_limit_do_not_wrap():
    most = 2**32 - 2
    arcs = arcs_of(4, (0, 1, most), (1, 2, 1), (1, 3, most))
    assert reach(arcs, seeds([(0, 0)], [(0, 1)]), most) == [{0: 0, 1: most}, {0: 1}]


def test_thousands_of_searches_share_one_workspace_without_traces():
    work = Workspace(CHAIN, 0, 15)
    starts = seeds(*[[(k % 4, k % 16)] for k in range(700)])
    for first in (0, 350):
        found = rows(work.nodes(CHAIN, starts, first, first + 350))
        for source, row in enumerate(found, first):
            start, cost = source % 4, source % 16
            assert row == {node: cost + 10 * (node - start) for node in range(start, 4) if cost + 10 * (node - start) <= 15}
    assert work.stamp == 700


def random_graph(rng: np.random.Generator, nodes: int, arcs: int, most: int) -> tuple[Arcs, np.ndarray]:
    """Random arcs, and the cheapest cost between every two nodes by scipy (infinite where there is no way)."""
    at, to, cost = rng.integers(0, nodes, arcs), rng.integers(0, nodes, arcs), rng.integers(1, most, arcs)
    full = np.full((nodes, nodes), np.inf)
    np.minimum.at(full, (at, to), cost)
    row, column = np.nonzero(np.isfinite(full))
    graph = coo_array((full[row, column], (row, column)), shape=(nodes, nodes)).tocsr()
    return pack_arcs(nodes, at, to.astype(np.int32), cost.astype(np.uint32)), dijkstra(graph)


@pytest.mark.parametrize(("seed", "most"), [(1, 3), (2, 50), (3, 5000), (4, 10**6)])
def test_random_directed_graphs_equal_scipy(seed, most):
    rng = np.random.default_rng(seed)
    arcs, cost = random_graph(rng, 60, 150, most)
    limit = int(np.median(cost[np.isfinite(cost)]))
    starts = [
        [(int(n), int(c)) for n, c in zip(rng.integers(0, 60, 3), rng.integers(0, most, 3), strict=True)] for _ in range(30)
    ]
    expected = [np.min([cost[node] + spent for node, spent in source], axis=0) for source in starts]
    for found, row in zip(reach(arcs, seeds(*starts), limit), expected, strict=True):
        assert found == {node: int(row[node]) for node in np.flatnonzero(row <= limit)}
    all_of = np.array(expected)
    near = [None if np.isinf(c).all() else (int(c.min()), int(c.argmin())) for c in all_of.T]
    assert labels(arcs, seeds(*starts)) == near


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 6)), max_size=25),
    st.lists(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), max_size=3), min_size=1, max_size=5),
    st.integers(1, 25),
)
def test_any_small_graph_with_arcs_of_no_cost_equals_networkx(arcs, sources, limit):
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(8))
    graph.add_weighted_edges_from(arcs)
    for k, source in enumerate(sources):
        graph.add_weighted_edges_from((("source", k), node, cost) for node, cost in source)
    ways = [nx.single_source_dijkstra_path_length(graph, ("source", k)) if s else {} for k, s in enumerate(sources)]
    packed = arcs_of(8, *arcs)
    expected = [{n: c for n, c in way.items() if n != ("source", k) and c <= limit} for k, way in enumerate(ways)]
    assert reach(packed, seeds(*sources), limit) == expected
    offers = [[(way[n], k) for k, way in enumerate(ways) if n in way] for n in range(8)]
    assert labels(packed, seeds(*sources)) == [min(offer, default=None) for offer in offers]


# --- the pool and the arrays that grow ---------------------------------------------------------------------------------


def star(leaves: int) -> Arcs:
    """A hub with that many leaves, each at a cost of its own: all of them wait in the queue at once."""
    return arcs_of(leaves + 1, *((0, k, 100 + k) for k in range(1, leaves + 1)))


def search_once(work: Workspace, arcs: Arcs, starts: Seeds) -> tuple:
    return _kernels.reach_nodes(
        *arcs, starts.ptr, starts.node, starts.cost, work.limit, work.known, work.stamp, work.shift, work.head, work.entry,
        work.link, work.found, work.row_place, work.row_cost,
    )  # fmt: skip


@pytest.mark.parametrize("room", [2, 3, 10, 41])
def test_a_full_pool_is_told_and_its_queue_left_clean(room):
    # 40 leaves and slot 0, which stands for the end of a list; the hub's own slot is free again by then.
    arcs, work = star(40), Workspace(star(40), 0, 1000)
    work._pool(room)
    ptr, node, cost = search_once(work, arcs, seeds([(0, 0)]))
    assert (int(ptr[0]), len(node), len(cost)) == ((-1, 0, 0) if room < 41 else (0, 41, 41))
    assert not work.head.any()


def test_a_pool_without_room_for_the_seeds_is_told_too():
    arcs, work = star(5), Workspace(star(5), 0, 1000)
    work._pool(3)
    ptr, node, _ = search_once(work, arcs, seeds([(1, 5), (2, 400), (3, 900)]))
    assert (int(ptr[0]), len(node)) == (-1, 0)
    assert not work.head.any()


def test_a_workspace_doubles_its_pool_until_the_block_fits():
    arcs, work = star(40), Workspace(star(40), 0, 1000)
    work._pool(2)
    starts = seeds([(0, 0)], [(3, 7)], [(0, 5), (2, 1)], [])
    expected = [
        {0: 0, **{k: 100 + k for k in range(1, 41)}},
        {3: 7},
        {0: 5, **{k: 105 + k for k in range(1, 41)}, 2: 1},
        {},
    ]  # fmt: skip
    assert rows(work.nodes(arcs, starts, 0, 4)) == expected
    assert len(work.entry) == len(work.link) == 64
    # Each of the six runs (2, 4, … 64) took four stamps; the next block meets no traces of the runs given up.
    assert work.stamp == 24
    assert rows(work.nodes(arcs, starts, 0, 4)) == expected
    assert (len(work.entry), work.stamp) == (64, 28)
    assert not work.head.any()


def test_rows_that_do_not_fit_are_told_and_the_queue_left_clean():
    arcs, work = star(40), Workspace(star(40), 0, 1000)
    work._rows(41)
    assert rows(search_once(work, arcs, seeds([(0, 0)])))[0][40] == 140
    work.stamp += 1
    ptr, node, cost = search_once(work, arcs, seeds([(0, 0)], [(0, 0)]))
    assert (int(ptr[0]), len(node), len(cost)) == (-2, 0, 0)
    assert not work.head.any()


def test_a_workspace_doubles_its_rows_until_the_block_fits():
    arcs, work = star(2999), Workspace(star(2999), 0, 10**6)
    work._rows(16)
    found = rows(work.nodes(arcs, seeds([(0, 0)], [(7, 1)], [(0, 2)]), 0, 3))
    assert [len(row) for row in found] == [3000, 1, 3000]
    assert found[2] == {0: 2, **{k: 102 + k for k in range(1, 3000)}}
    # 6,001 pairs need 16 × 2⁹ places.
    assert len(work.row_place) == len(work.row_cost) == 8192


def test_what_one_block_found_outlives_the_next():
    work = Workspace(CHAIN, 0, 100)
    starts = seeds([(0, 0)], [(2, 7)])
    first = work.nodes(CHAIN, starts, 0, 1)
    work.nodes(CHAIN, starts, 1, 2)
    assert rows(first) == [{0: 0, 1: 10, 2: 20, 3: 30}]


def test_sources_everywhere_on_a_complete_graph_equal_scipy():
    count = 30
    arcs = [(a, b, 1000 - 10 * a + abs(a - b)) for a in range(count) for b in range(count) if a != b]
    graph = np.array([[0 if a == b else 1000 - 10 * a + abs(a - b) for b in range(count)] for a in range(count)])
    spent = np.array([k * k for k in range(count)])
    whole = dijkstra(graph) + spent[:, None]
    found = labels(arcs_of(count, *arcs), seeds(*[[(k, k * k)] for k in range(count)]))
    assert found == [(int(c.min()), int(c.argmin())) for c in whole.T]


def test_the_nearest_search_grows_its_pool_beyond_its_first_room():
    # A chain of 70 nodes, each with cheaper and cheaper arcs to the same 69 others, fills the queue with 70 × 69 / 2 entries
    # where 4,096 were laid out: node k, reached at cost k, offers node j the cost k + 1,000,000 − 1,000 k.
    count = 95
    arcs = [(k, k + 1, 1) for k in range(count - 1)]
    arcs += [(k, j, 10**6 - 1000 * k) for k in range(count) for j in range(count, 2 * count)]
    found = labels(arcs_of(2 * count, *arcs), seeds([(0, 0)]))
    assert found[:count] == [(k, 0) for k in range(count)]
    last = count - 1
    assert found[count:] == [(last + 10**6 - 1000 * last, 0)] * count


# --- nearest source ----------------------------------------------------------------------------------------------------


def test_of_equally_near_sources_the_lowest_wins_also_over_arcs_of_no_cost():
    # 0 —5— 1 —0— 2 —0— 3 —5— 4, both ways: nodes 1 to 3 are 5 from either end.
    both = [(0, 1, 5), (1, 2, 0), (2, 3, 0), (3, 4, 5)]
    arcs = arcs_of(5, *both, *((b, a, c) for a, b, c in both))
    assert labels(arcs, seeds([(4, 0)], [(0, 0)])) == [(0, 1), (5, 0), (5, 0), (5, 0), (0, 0)]
    assert labels(arcs, seeds([(0, 0)], [(4, 0)])) == [(0, 0), (5, 0), (5, 0), (5, 0), (0, 1)]


def test_sources_at_one_node_at_one_cost_go_to_the_lowest():
    assert labels(CHAIN, seeds([(1, 3)], [(1, 3)], [(1, 2)])) == [None, (2, 2), (12, 2), (22, 2)]
    assert labels(CHAIN, seeds([(1, 3)], [(1, 3)])) == [None, (3, 0), (13, 0), (23, 0)]


def test_a_seed_dearer_than_every_arc_fits_the_ring_of_buckets():
    assert labels(CHAIN, seeds([(0, 5000)], [(3, 0)])) == [(5000, 0), (5010, 0), (5020, 0), (0, 1)]


def test_without_sources_or_arcs_nothing_is_near():
    assert labels(CHAIN, seeds()) == [None] * 4
    assert labels(arcs_of(2), seeds([(1, 7)])) == [None, (7, 0)]


# --- places on edges ---------------------------------------------------------------------------------------------------


def crossing(**kinds) -> object:
    """A crossing of two streets, one bent, with a second drawing of one arm and a loop; in metres."""
    nodes = {"w": (-90, 0), "o": (0, 0), "e": (110, 0), "s": (0, -70), "n": (20, 80), "b": (0, 40), "l": (60, 60), "m": (75, 30)}
    return streets(nodes, ["woe", "sobn", "wo", "olmo", "nle"], **kinds)


def dense(times) -> list[list[int]]:
    full = np.full((len(times.facilities), len(times.cell_ids)), -1, dtype=np.int64)
    full[np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr)), times.indices] = times.cost
    return full.tolist()


@pytest.mark.parametrize("oneway", [(), (0, 1), (0, 2, 3, 4)], ids=str)
@pytest.mark.parametrize("direction", ["to_facility", "from_facility"])
@pytest.mark.parametrize("options", [1, 3])
def test_costs_between_places_equal_networkx_on_the_split_graph(oneway, direction, options):
    network = build_network(crossing(oneway=oneway), mode=METRE_A_SECOND, crs=CRS, snap_m=60)
    rng = np.random.default_rng(5)
    facilities, cells = points(rng.uniform(-90, 110, (6, 2))), points(rng.uniform(-110, 130, (25, 2)))
    facilities.geometry = [
        MultiPoint([point, Point(EAST + 90, NORTH + 5 * k)]) if k % 2 else point for k, point in enumerate(facilities.geometry)
    ]
    times = travel_times(network, facilities, cells, limit_m=150, direction=direction, options=options)
    ends = attach(network, facilities, options=options), attach(network, cells, options=options)
    cost = travel_costs(network, *ends, metric="length", towards=direction == "to_facility")
    assert dense(times) == np.where(cost <= 150_000, cost, -1).tolist()
    whole = np.where(cost < 0, np.iinfo(np.int64).max, cost)
    reached = (cost >= 0).any(axis=0)
    assert times.nearest_cost.tolist() == np.where(reached, whole.min(axis=0), -1).tolist()
    assert times.nearest_facility.tolist() == np.where(reached, whole.argmin(axis=0), -1).tolist()
    assert 0 < times.pairs < cost.size


def test_a_full_pool_changes_no_costs_between_places(monkeypatch):
    network = build_network(crossing(), mode=METRE_A_SECOND, crs=CRS, snap_m=60)
    facilities, cells = points([(0, 0), (-80, 5), (60, 55)]), points([(100, 0), (-85, 0), (10, 60)])
    expected = dense(travel_times(network, facilities, cells, limit_m=500))
    pools = []
    pool = Workspace._pool
    monkeypatch.setattr(
        Workspace, "_pool", lambda self, room: (pools.append(room), pool(self, 2 if len(pools) == 1 else room))[1]
    )
    assert dense(travel_times(network, facilities, cells, limit_m=500, threads=1)) == expected
    assert len(pools) > 1


@pytest.mark.parametrize("block", [1, 2, 3, 256])
def test_small_blocks_with_little_room_change_no_costs_between_places(monkeypatch, block):
    network = build_network(streets({"a": (0, 0), "b": (300, 0)}, ["ab"]), mode=METRE_A_SECOND, crs=CRS)
    spots = [(300, 5), (0, 0), (0, 900), (150, 0), (299, 0), (20, 1)]
    cells, facilities = points([(x, 0) for x in range(0, 300, 2)]), points(spots)
    monkeypatch.setattr(search, "BLOCK", block)
    monkeypatch.setattr(search, "ROW_ROOM", 4)
    times = travel_times(network, facilities, cells, limit_m=100)
    # Legs of 5 and 1 m count; the third joins no street.
    cost = np.array([[(abs(x - at) + leg) * 1000 for x in range(0, 300, 2)] for at, leg in spots])
    expected = np.where(cost <= 100_000, cost, -1).tolist()
    assert dense(times) == expected
    assert (times.indices.dtype, times.cost.dtype, times.indptr.dtype) == (np.int32, np.uint32, np.int64)


@pytest.mark.parametrize(
    ("towards", "forward", "backward", "cost"),
    [
        # The facility's offset is 30, the cell's 50: to the facility one walks back, from it on.
        (True, True, True, 20),
        (True, True, False, None),
        (True, False, True, 20),
        (False, True, False, 20),
        (False, False, True, None),
        (True, False, False, None),
    ],
)
def test_along_an_edge_direction_counts(towards, forward, backward, cost):
    found = _kernels.along_edge(towards, forward, backward, *map(np.uint32, (30, 30, 50, 50)))
    assert int(found) == (2**32 - 1 if cost is None else cost)


def test_along_an_edge_each_direction_has_its_own_cost_and_the_cheaper_counts():
    # Forward offsets 30 -> 50, backward 100 -> 100: back costs nothing.
    assert int(_kernels.along_edge(False, True, True, *map(np.uint32, (30, 100, 50, 100)))) == 0
    assert int(_kernels.along_edge(False, True, False, *map(np.uint32, (30, 100, 50, 100)))) == 20


# --- nearest pieces and the lattice ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spot", "share", "square"),
    [((3, 4), 0.3, 16), ((-3, 4), 0, 25), ((13, -4), 1, 25), ((0, 0), 0, 0), ((10, 0), 1, 0), ((5, 0), 0.5, 0)],
)
def test_the_foot_point_lies_on_the_piece(spot, share, square):
    assert _kernels.foot_point(*map(float, spot), 0.0, 0.0, 10.0, 0.0) == pytest.approx((share, square))


def test_a_piece_of_no_length_is_its_own_foot_point():
    assert _kernels.foot_point(3.0, 4.0, 0.0, 0.0, 0.0, 0.0) == (0.0, 25.0)


def test_pieces_are_binned_by_the_box_around_them():
    # Piece 0 from (1, 1) to (25, 12) touches columns 0…2 and rows 0…1 of bins of 10; piece 1 lies in one bin; 2 is left out.
    x, y = np.array([1.0, 25, 5, 7, 0, 29]), np.array([1.0, 12, 15, 18, 0, 19])
    which, start = np.array([0, 1], np.int32), np.array([0, 2, 4], np.int32)
    ptr, piece = _kernels.bin_pieces(which, x, y, start, 0.0, 0.0, 10.0, 3, 2)
    assert [piece[a:b].tolist() for a, b in zip(ptr[:-1], ptr[1:], strict=True)] == [[0], [0], [0], [0, 1], [0], [0]]


@pytest.mark.parametrize("wanted", [1, 2, 3])
def test_joining_equals_going_through_all_pieces(wanted):
    town = streets(
        {"a": (0, 0), "b": (450, 20), "c": (460, 300), "d": (30, 310), "e": (200, 900), "f": (210, 905)},
        ["abcda", "ac", "bd", "ef"],
    )
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS, snap_m=130)
    places = points(np.random.default_rng(2).uniform(-150, 950, (120, 2)))
    joined = attach(network, places, options=wanted)
    lines = network.edge_lines()
    proper = ~network.fragment[network.component[network.edge_u]]
    for row, place in enumerate(places.geometry):
        far = lines.distance(place).to_numpy()
        far = np.where(far <= 130, far, np.inf)
        near = far[proper] if np.isfinite(far[proper]).any() else far
        expected = np.sort(near[np.isfinite(near)])[:wanted]
        assert joined.leg_m[joined.place == row] == pytest.approx(expected, abs=1e-6)


def test_a_nearer_piece_of_an_edge_already_held_replaces_it():
    # Edge 0 has a far and a near piece; wanted 2, so that edge 0 moves up past edge 1 when its near piece comes.
    x, y = np.array([0.0, 100, 100, 0, 0, 100]), np.array([50.0, 50, 5, 5, 20, 20])
    start, edge = np.array([0, 1, 2, 4], np.int32), np.array([0, 0, 0, 1], np.int32)
    bins = _kernels.bin_pieces(np.array([0, 3, 2, 1], np.int32), x, y, start, 0.0, 0.0, 1000.0, 1, 1)
    piece, share, metres = _kernels.nearest_pieces(
        np.array([30.0]), np.array([0.0]), 200.0, 2, x, y, start, edge, *bins, 0.0, 0.0, 1000.0, 1, 1
    )
    assert piece.tolist() == [[2, 3]]
    assert share.tolist() == [[0.7, 0.3]]
    assert metres.tolist() == [[5.0, 20.0]]


@pytest.mark.parametrize("odd", [(np.nan, 0.0), (0.0, np.nan), (np.inf, 0.0), (0.0, -np.inf), (1e300, 1e300)])
def test_what_is_no_place_joins_no_piece(odd):
    network = build_network(crossing(), mode=METRE_A_SECOND, crs=CRS, snap_m=60)
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*np.transpose([odd, (EAST, NORTH)])), crs=CRS)
    assert attach(network, places).fault.tolist() == ["far", ""]


@pytest.mark.parametrize(("seed", "snap"), [(1, 9.0), (2, 60.0), (3, 400.0), (4, 25.0)])
def test_a_tile_sought_block_by_block_is_the_same_tile(seed, snap):
    # 44 × 52 points are blocks of 32 and 8, whole and cut; pieces of whole metres, some of them twice, so that there are ties.
    rng = np.random.default_rng(seed)
    ends = rng.integers(-40, 300, (24, 4)).astype(float)
    ends[20:] = ends[:4][:, [2, 3, 0, 1]]
    ends[19, 2:] = ends[19, :2]
    x, y = ends[:, [0, 2]].ravel(), ends[:, [1, 3]].ravel()
    start, near = np.arange(0, 48, 2, dtype=np.int32), np.delete(np.arange(24, dtype=np.int32), 7)
    tiles = []
    for fill in (_kernels.fill_tile, _kernels.fill_blocks):
        tile = np.full((44, 52), -1, np.int32), np.zeros((44, 52), np.float32), np.full((44, 52), np.inf, np.float32)
        fill(x, y, start, near, 0.0, 220.0, 5.0, *tile, snap)
        tiles.append(tile)
    for one, two in zip(*tiles, strict=True):
        np.testing.assert_array_equal(one, two)
    piece, _, leg = tiles[0]
    assert 7 not in piece
    # By hand at the first and the last point and one between: the nearest of all pieces.
    for r, c in ((0, 0), (43, 51), (20, 33)):
        spot = (5.0 * c + 2.5, 217.5 - 5.0 * r)
        far = min(_kernels.foot_point(*spot, *ends[k])[1] for k in near) ** 0.5
        assert leg[r, c] == (pytest.approx(far, rel=1e-6) if far <= snap else np.inf)


@pytest.mark.parametrize("oneway", [(), (0, 1, 2, 3, 4)], ids=["both ways", "one way"])
@pytest.mark.parametrize("direction", ["to_facility", "from_facility"])
def test_the_painted_cost_is_that_of_cells_at_the_lattice_points(oneway, direction):
    network = build_network(crossing(oneway=oneway), mode=METRE_A_SECOND, crs=CRS, snap_m=30)
    facility = points([(40, 5)])
    field = Field(network, facility, "length", direction, 1)
    ((_, reach_),) = field.alone(150_000)
    surface = field.paint(lattice_of(network, 8.0), reach_)
    row, column = np.divmod(np.arange(surface.cost.size), surface.cost.shape[1])
    x, y = surface.x0 + (column + 0.5) * 8, surface.y1 - (row + 0.5) * 8
    cells = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=CRS)
    cost = np.array(dense(travel_times(network, facility, cells, limit_m=150, direction=direction))[0])
    painted = surface.cost.ravel()
    inside = cost >= 0
    # Whole numbers and 32-bit shares on either side: within 30 mm; beyond the limit the surface may be dearer or unreached.
    clear = ~between_streets(network, cells)
    assert (inside & clear).sum() > 50
    assert np.abs(painted[inside & clear] - cost[inside & clear]).max() < 30
    assert (painted[~inside & clear] > 150_000 - 30).all()


def test_an_isochrone_of_one_street_has_the_size_it_should():
    network = build_network(streets({"a": (-90, 0), "b": (90, 0)}, ["ab"]), mode=METRE_A_SECOND, crs=CRS, snap_m=20)
    (shape,) = draw_isochrones(network, points([(0, 0)]), metres=[60]).geometry
    # |x| + |y| ≤ 60 cut at |y| = 20: 2 × (2 × 60 × 20 − 20²) = 4,000 m².
    assert shape.area == pytest.approx(4000, rel=0.03)
