"""Networks: junctions, parts, costs, and where places join them, by hand and against shapely and NetworkX."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPoint, Point
from towns import CRS, EAST, NORTH, points, streets

from careshed.modes import WALK_ADULT, Mode
from careshed.network import DEFAULT_SNAP_M, Network, attach, attachment_table, build_network, morton, nearest_pieces, utm_zone
from careshed.network.model import FRAGMENT_M, MAIN_SHARE
from careshed.reach import travel_times
from careshed.schema import InputError

ORIGIN = np.array([EAST, NORTH])
METRE_A_SECOND = Mode(name="test", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="1 m/s, so that metres are seconds")


def network_of(nodes, ways, *, mode=METRE_A_SECOND, snap_m=DEFAULT_SNAP_M, **kinds) -> Network:
    return build_network(streets(nodes, ways, **kinds), mode=mode, crs=CRS, snap_m=snap_m)


def ends_of(network: Network) -> list[tuple[tuple[float, float], tuple[float, float], float]]:
    """Edges by their ends in the town's metres and their length, sorted."""
    at = [(round(float(x - EAST), 3) + 0.0, round(float(y - NORTH), 3) + 0.0) for x, y in zip(network.x, network.y, strict=True)]
    pairs = zip(network.edge_u, network.edge_v, network.edge_m, strict=True)
    return sorted((*sorted((at[u], at[v])), float(m)) for u, v, m in pairs)


# --- from ways to edges ------------------------------------------------------------------------------------------------


def test_ways_are_split_where_they_meet_and_nowhere_else():
    # a—b—c—d along x, e hangs off c; b is only a bend of the first way.
    nodes = {"a": (0, 0), "b": (100, 0), "c": (200, 0), "d": (300, 0), "e": (200, 50)}
    network = network_of(nodes, ["abcd", "ce"])
    assert ends_of(network) == [((0, 0), (200, 0), 200), ((200, 0), (200, 50), 50), ((200, 0), (300, 0), 100)]
    assert sorted(network.node_id.tolist()) == [1, 3, 4, 5]


def test_a_way_that_crosses_itself_is_split_at_the_crossing():
    nodes = {"a": (0, 0), "x": (100, 0), "b": (200, 0), "c": (200, 100), "d": (100, 100), "e": (100, -50)}
    network = network_of(nodes, ["axbcdxe"])
    assert ends_of(network) == [((0, 0), (100, 0), 100), ((100, -50), (100, 0), 50), ((100, 0), (100, 0), 400)]
    (loop,) = np.flatnonzero(network.edge_u == network.edge_v)
    assert network.edge_m[loop] == 400


def test_a_closed_way_by_itself_is_one_loop():
    network = network_of({"a": (0, 0), "b": (100, 0), "c": (100, 100)}, ["abca"])
    assert len(network.x) == 1
    assert network.edge_m.tolist() == [pytest.approx(200 + 141.421, abs=0.001)]


def test_parallel_streets_stay_apart():
    network = network_of({"a": (0, 0), "b": (100, 0), "z": (50, 50)}, ["ab", "ab", "azb"])
    assert [edge[2] for edge in ends_of(network)] == [100, 100, pytest.approx(141.421, abs=0.001)]
    assert sorted(network.edge_way.tolist()) == [0, 1, 2]


def test_ways_that_may_not_be_walked_split_nothing():
    town = streets({"a": (0, 0), "b": (100, 0), "c": (200, 0), "d": (100, 100)}, ["abc", "bd"])
    town.ways.loc[1, ["walk_forward", "walk_backward"]] = False
    assert ends_of(build_network(town, mode=METRE_A_SECOND, crs=CRS)) == [((0, 0), (200, 0), 200)]


def test_a_way_that_names_a_node_twice_running_gets_an_edge_of_no_length():
    network = network_of({"a": (0, 0), "b": (100, 0), "c": (200, 0)}, ["abbc"])
    assert ends_of(network) == [((0, 0), (100, 0), 100), ((100, 0), (100, 0), 0), ((100, 0), (200, 0), 100)]
    times = travel_times(network, points([(0, 0)]), points([(200, 0), (100, 0)]), limit_m=500)
    assert times.nearest_cost.tolist() == [200_000, 100_000]


def test_two_nodes_at_one_spot_are_joined_by_an_edge_of_no_cost():
    network = network_of({"a": (0, 0), "b": (100, 0), "c": (100, 0), "d": (200, 0)}, ["ab", "bc", "cd"])
    times = travel_times(network, points([(0, 0)]), points([(200, 0)]), limit_m=500)
    assert times.nearest_cost.tolist() == [200_000]


def test_a_network_without_any_length_still_answers():
    network = network_of({"a": (0, 0), "b": (0, 0)}, ["ab"])
    times = travel_times(network, points([(0, 10)]), points([(5, 0)]), limit_m=100)
    assert times.cost.tolist() == [15_000]


def test_one_way_and_steps_are_kept_edge_by_edge():
    mode = Mode(name="s", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="", steps_factor=2.5)
    network = network_of({"a": (0, 0), "b": (100, 0), "c": (300, 0)}, ["ab", "cb"], oneway=[1], steps=[1], mode=mode)
    table = {int(way): k for k, way in enumerate(network.edge_way)}
    assert network.forward.tolist() == [True, True]
    assert network.backward[[table[0], table[1]]].tolist() == [True, False]
    # 100 m at 1 m/s, 200 m of steps at 2.5 times that; lengths know no steps.
    assert network.time.edge_f[[table[0], table[1]]].tolist() == [100_000, 500_000]
    assert network.length.edge_f[[table[0], table[1]]].tolist() == [100_000, 200_000]
    # Edges keep the direction in which they were drawn: from c at x = 300 to b.
    assert network.x[network.edge_u[table[1]]] - EAST == pytest.approx(300)


def test_a_mode_without_steps_leaves_them_out():
    mode = Mode(name="s", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="", uses_steps=False)
    assert ends_of(network_of({"a": (0, 0), "b": (9, 0), "c": (20, 0)}, ["ab", "bc"], steps=[0], mode=mode)) == [
        ((9, 0), (20, 0), 11)
    ]


def test_a_town_that_cannot_be_walked_at_all_is_refused():
    mode = Mode(name="pram", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="", uses_steps=False)
    with pytest.raises(InputError, match=r"no way may be travelled by mode 'pram'. check the street file and the mode") as caught:
        network_of({"a": (0, 0), "b": (9, 0)}, ["ab"], steps=[0], mode=mode)
    assert "没有可供该出行方式通行的道路" in caught.value.text("zh")


def test_costs_are_whole_numbers_that_add_up_along_each_edge():
    nodes = {"a": (0, 0), "b": (10.0004, 0), "c": (20.0008, 0), "d": (30.0012, 0)}
    network = network_of(nodes, ["abcd"])
    # Offsets are rounded from the start of the edge, not piece by piece: 10.0004 -> 10,000 mm but 30.0012 -> 30,001 mm.
    assert network.length.vertex_f.tolist() == [0, 10_000, 20_001, 30_001]
    assert network.length.vertex_b.tolist() == [0, 10_000, 20_001, 30_001]
    assert network.length.edge_f.tolist() == [30_001]
    assert network.length.vertex_f.dtype == np.uint32
    assert (network.length.per_metre, network.time.per_metre) == (1000.0, 1000.0)


def test_legs_have_a_speed_of_their_own():
    mode = Mode(name="m", speed_kmh=3.6, leg_speed_kmh=1.8, zh="", en="", source="")
    network = network_of({"a": (0, 0), "b": (100, 0)}, ["ab"], mode=mode)
    assert network.costs("time").per_metre == 2000.0
    assert network.costs("length").per_metre == 1000.0
    times = travel_times(network, points([(0, 10)]), points([(50, 20)]), limit_min=10)
    assert times.cost.tolist() == [20_000 + 50_000 + 40_000]


def test_offsets_restart_on_every_edge_however_many_lie_before_it():
    nodes = {f"{k}": (k * 100.0, 0.0) for k in range(10)}
    network = network_of(nodes, [f"{k}{k + 1}" for k in range(9)])
    assert network.length.edge_f.tolist() == [100_000] * 9
    assert network.length.vertex_f[network.vertex_ptr[:-1]].tolist() == [0] * 9


# --- coordinate systems ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [(112.43, 39.33, "EPSG:32649"), (121.47, 31.23, "EPSG:32651"), (-51.2, -30.0, "EPSG:32722"), (119.99, 42.3, "EPSG:32650")],
)
def test_the_utm_zone_follows_the_middle_of_the_streets(lon, lat, code):
    town = streets({"a": (0, 0), "b": (100, 0)}, ["ab"])
    town.lon[:], town.lat[:] = [lon - 0.005, lon + 0.005], [lat, lat]
    assert utm_zone(town) == code
    assert build_network(town, mode=WALK_ADULT).crs == code


def test_a_working_crs_in_degrees_is_refused():
    with pytest.raises(InputError, match=r"must be projected, in metres .found 'EPSG:4490'.. give one such as EPSG:32650"):
        build_network(streets({"a": (0, 0), "b": (9, 0)}, ["ab"]), mode=WALK_ADULT, crs="EPSG:4490")


def test_streets_beyond_the_reach_of_the_crs_are_refused():
    town = streets({"a": (0, 0), "b": (9, 0), "c": (20, 0)}, ["abc"])
    town.lon[2], town.lat[2] = town.lon[0] - 90.0, 0.0
    with pytest.raises(InputError, match=r"1 nodes of ways lie beyond the reach of the working CRS .* clip the street file"):
        build_network(town, mode=WALK_ADULT, crs=CRS)


# --- order and parts ---------------------------------------------------------------------------------------------------


@pytest.mark.interpreted
def test_lengths_and_times_add_up_as_numpy_adds_them():
    from careshed.network import _timing

    rng = np.random.default_rng(8)
    ptr = np.concatenate([[0], np.cumsum(rng.integers(2, 6, 30))])
    x, y = rng.uniform(0, 900, ptr[-1]), rng.uniform(0, 900, ptr[-1])
    metres = np.hypot(np.diff(x, prepend=0.0), np.diff(y, prepend=0.0))
    metres[ptr[:-1]] = 0.0
    assert np.array_equal(_timing.lengths(x, y, ptr), metres)
    speed, factor = rng.uniform(0.5, 2.0, 30), rng.uniform(1.0, 3.0, 30)
    counts = np.diff(ptr)
    seconds = metres / np.repeat(speed, counts) * np.repeat(factor, counts)
    assert np.array_equal(_timing.durations(metres, ptr, speed, factor), seconds)
    # what is added up before an edge is taken off again, also where its first step is not nought
    steps = seconds * 1000.0 + 3.0
    total = np.cumsum(steps)
    found, whole = _timing.offsets(steps, ptr)
    assert np.array_equal(found, np.rint(total - np.repeat(total[ptr[:-1]], counts)).astype(np.uint32))
    assert np.array_equal(whole, found[ptr[1:] - 1])


def test_the_morton_code_interleaves_the_bits_of_both_axes():
    # On a 4 × 4 square the curve visits quadrant by quadrant: south-west, south-east, north-west, north-east.
    x, y = np.array([0.0, 3, 0, 3, 1, 2, 1, 2]), np.array([0.0, 0, 3, 3, 1, 1, 2, 2])
    order = morton(x, y).argsort()
    assert [(int(x[k]), int(y[k])) for k in order] == [(0, 0), (1, 1), (3, 0), (2, 1), (1, 2), (0, 3), (2, 2), (3, 3)]


def test_one_spot_has_one_morton_code():
    assert morton(np.array([5.0, 5.0]), np.array([7.0, 7.0])).tolist() == [0, 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 31), st.integers(0, 31)), min_size=2, max_size=40, unique=True))
def test_morton_order_is_that_of_interleaved_bits(spots):
    corners = [(0, 0), (31, 31)]  # pin the square, so that steps are whole
    x, y = (np.array(axis, dtype=float) for axis in zip(*spots, *corners, strict=True))

    def interleaved(a: int, b: int) -> int:
        return sum(((a >> k & 1) << 2 * k) | ((b >> k & 1) << 2 * k + 1) for k in range(31))

    scale = (2**31 - 1) / 31
    expected = [interleaved(int(a * scale), int(b * scale)) for a, b in zip(x, y, strict=True)]
    assert morton(x, y).argsort(kind="stable").tolist() == np.argsort(expected, kind="stable").tolist()


def grid(side: int) -> Network:
    nodes = {f"{r},{c}": (c * 50.0, r * 50.0) for r in range(side) for c in range(side)}
    rows = [[f"{r},{c}" for c in range(side)] for r in range(side)]
    return network_of(nodes, [*rows, *(list(column) for column in zip(*rows, strict=True))])


def test_junctions_lie_in_morton_order_and_are_only_permuted():
    network = grid(8)
    assert sorted(network.node_id.tolist()) == list(range(1, 65))
    code = morton(network.x, network.y)
    assert (np.diff(code.astype(object)) > 0).all()
    # A junction keeps its own place: node 1 + 8 r + c lies at (50 c, 50 r).
    row, column = np.divmod(network.node_id - 1, 8)
    np.testing.assert_allclose(network.x - EAST, column * 50, atol=1e-6)
    np.testing.assert_allclose(network.y - NORTH, row * 50, atol=1e-6)


def test_neighbours_on_the_ground_are_near_in_memory():
    network = grid(16)
    apart = np.abs(network.edge_u - network.edge_v)
    # In row-major order half of all edges would span 16 places; along the curve the median spans a few.
    assert np.median(apart) <= 3


def line(name: str, y: float, metres: float) -> dict[str, tuple[float, float]]:
    return {f"{name}0": (0.0, y), f"{name}1": (metres, y)}


def parts(*metres: float) -> Network:
    """Streets of some lengths, 500 m apart, joined to nothing."""
    nodes = {name: xy for k, length in enumerate(metres) for name, xy in line(str(k), 500.0 * k, length).items()}
    return network_of(nodes, [[f"{k}0", f"{k}1"] for k in range(len(metres))])


def test_parts_are_numbered_from_the_longest():
    network = parts(200, 3000, 1500)
    assert network.component_m.tolist() == pytest.approx([3000, 1500, 200])
    by_id = dict(zip(network.node_id.tolist(), network.component.tolist(), strict=True))
    assert by_id == {1: 2, 2: 2, 3: 0, 4: 0, 5: 1, 6: 1}


def test_a_part_shorter_than_a_kilometre_is_a_fragment_and_one_of_a_kilometre_is_not():
    assert FRAGMENT_M == 1000.0
    network = parts(40_000, 1000.001, 999.9)
    assert network.fragment.tolist() == [False, False, True]


def test_the_longest_part_is_no_fragment_however_short():
    network = parts(300, 200)
    assert network.fragment.tolist() == [False, True]
    assert network.main.tolist() == [True, True]


def test_a_part_with_a_twentieth_of_all_streets_is_main_and_a_lesser_one_an_islet():
    assert MAIN_SHARE == 0.05
    # 5.1 % and 4.9 % of 100 km.
    network = parts(90_000, 5_100, 4_900)
    assert network.main.tolist() == [True, True, False]
    assert network.fragment.tolist() == [False, False, False]


def test_fragments_and_islets_are_told_with_their_lengths():
    network = parts(90_000, 2_000, 1_500, 400, 100)
    assert [(fault.code, fault.severity) for fault in network.faults] == [("fragment", "noted"), ("islet", "noted")]
    fragment, islet = (fault.text() for fault in network.faults)
    assert fragment.startswith("2 fragments of street (each under 1000 m, 500 m in all)")
    assert islet.startswith("2 islets of streets (3.5 km in all)")
    assert "2 片孤立路网（共 3.5 公里）" in network.faults[1].text("zh")
    assert parts(500).faults == ()


def test_a_street_joined_by_one_way_only_belongs_to_the_part():
    network = network_of({"a": (0, 0), "b": (2000, 0), "c": (4000, 0)}, ["ab", "bc"], oneway=[1])
    assert network.component.tolist() == [0, 0, 0]


# --- joining -----------------------------------------------------------------------------------------------------------


def wild_town(seed: int, snap_m: float = 120.0) -> Network:
    """A connected town of 80 bent ways between 40 junctions, a kilometre across."""
    rng = np.random.default_rng(seed)
    nodes = {f"n{k}": tuple(rng.uniform(0, 1000, 2)) for k in range(40)}
    ways = []
    for k in range(80):
        start, end = (k % 39, k % 39 + 1) if k < 39 else rng.choice(40, 2, replace=False)
        bends = []
        for b in range(rng.integers(0, 4)):
            nodes[f"w{k}.{b}"] = tuple(rng.uniform(0, 1000, 2))
            bends.append(f"w{k}.{b}")
        ways.append([f"n{start}", *bends, f"n{end}"])
    return network_of(nodes, ways, snap_m=snap_m)


def piece_lines(network: Network) -> np.ndarray:
    start, _ = network.pieces
    xy = np.column_stack([network.vertex_x, network.vertex_y])
    return shapely.linestrings(np.stack([xy[start], xy[start + 1]], axis=1))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_places_join_the_piece_that_shapely_finds_nearest(seed):
    network = wild_town(seed)
    lines = piece_lines(network)
    xy = np.random.default_rng(seed).uniform(-200, 1200, (800, 2)) + ORIGIN
    piece, share, metres = nearest_pieces(network, xy, 1)
    spots = shapely.points(xy)
    _, expected = shapely.STRtree(lines).query_nearest(spots, return_distance=True, all_matches=False)
    inside = expected <= network.snap_m
    assert 100 < (~inside).sum() < 700
    assert (piece[:, 0] >= 0).tolist() == inside.tolist()
    np.testing.assert_allclose(metres[inside, 0], expected[inside], atol=1e-6)
    # The piece and the share are where that distance is measured.
    joined = lines[piece[inside, 0]]
    np.testing.assert_allclose(shapely.distance(joined, spots[inside]), expected[inside], atol=1e-6)
    feet = shapely.line_interpolate_point(joined, share[inside, 0], normalized=True)
    np.testing.assert_allclose(shapely.distance(feet, spots[inside]), expected[inside], atol=1e-6)


@pytest.mark.parametrize("wanted", [2, 3, 7])
def test_options_are_the_nearest_distinct_edges(wanted):
    network = wild_town(5)
    lines, (_, edge) = piece_lines(network), network.pieces
    xy = np.random.default_rng(5).uniform(-50, 1050, (150, 2)) + ORIGIN
    piece, _, metres = nearest_pieces(network, xy, wanted)
    for k, spot in enumerate(shapely.points(xy)):
        far = np.full(len(network.edge_u), np.inf)
        np.minimum.at(far, edge, shapely.distance(lines, spot))
        nearest = np.sort(far[far <= network.snap_m])[:wanted]
        found = piece[k][piece[k] >= 0]
        np.testing.assert_allclose(metres[k, : len(found)], nearest, atol=1e-6)
        assert len(set(edge[found].tolist())) == len(found)
        np.testing.assert_allclose(np.sort(far[edge[found]]), nearest, atol=1e-6)
        assert np.isinf(metres[k, len(found) :]).all()


def test_of_equally_near_pieces_the_lowest_counts():
    # Parallel streets 40 m apart, drawn north first, and places half-way between. Whole metres, so that the tie is exact.
    drawn = network_of({"c": (0, 40), "d": (1000, 40), "a": (0, 0), "b": (1000, 0)}, ["cd", "ab"])
    network = replace(drawn, vertex_x=np.rint(drawn.vertex_x), vertex_y=np.rint(drawn.vertex_y), _made={})
    spots = np.array([[EAST + x, NORTH + 20] for x in (0, 100, 500, 950)])
    piece, _, metres = nearest_pieces(network, spots, 2)
    assert piece.tolist() == [[0, 1]] * 4
    assert metres.tolist() == [[20.0, 20.0]] * 4


def test_one_street_drawn_twice_is_joined_at_its_first_drawing():
    network = network_of({"a": (0, 0), "b": (100, 0)}, ["ab", "ab", "ba"])
    piece, _, _ = nearest_pieces(network, np.array([[EAST + 30, NORTH + 5]]), 3)
    assert piece.tolist() == [[0, 1, 2]]


def test_a_long_piece_that_spans_many_bins_is_found_all_along():
    # 30 km slantwise through some 600 bins of 100 m, and a short street that makes the box of bins larger.
    network = network_of({"a": (0, 0), "b": (24_000, 18_000), "c": (-5000, 20_000), "d": (-5000, 23_000)}, ["ab", "cd"])
    along = np.linspace(0.001, 0.999, 997)
    xy = np.column_stack([24_000 * along - 0.6 * 50, 18_000 * along + 0.8 * 50]) + ORIGIN
    _, share, metres = nearest_pieces(network, xy, 1)
    np.testing.assert_allclose(metres[:, 0], 50.0, atol=1e-3)
    np.testing.assert_allclose(share[:, 0], along, atol=1e-6)


def test_the_snap_limit_counts_to_the_millimetre():
    network = network_of({"a": (0, 0), "b": (2000, 0)}, ["ab"], snap_m=50)
    places = points([(1000, 50), (1000, -50), (1000, 50.0004), (1000, 50.0006), (1000, 50.001), (-30, 40), (-30, 40.001)])
    joined = attach(network, places)
    # 50.0004 m is 50,000 mm, 50.0006 m is 50,001 mm. Beyond the end: 30² + 40² = 50².
    assert joined.fault.tolist() == ["", "", "", "far", "far", "", "far"]
    assert joined.places == 7
    assert joined.place.tolist() == [0, 1, 2, 5]
    assert joined.offsets(network, "length")[2].tolist() == [50_000] * 4


@pytest.mark.parametrize("snap_m", [99.0, 100.0, 101.0, 350.0])
def test_points_outside_the_networks_box_join_within_the_limit(snap_m):
    network = network_of({"a": (0, 0), "b": (250, 0), "c": (250, 130)}, ["abc"], snap_m=snap_m)
    line_ = shapely.LineString([(0, 0), (250, 0), (250, 130)])
    spots = [(x, y) for x in range(-400, 701, 50) for y in range(-400, 601, 50)]
    piece, _, metres = nearest_pieces(network, np.array(spots, dtype=float) + ORIGIN, 1)
    far = np.array([line_.distance(Point(spot)) for spot in spots])
    assert (piece[:, 0] >= 0).tolist() == (far <= snap_m + 0.0001).tolist()
    np.testing.assert_allclose(metres[piece[:, 0] >= 0, 0], far[far <= snap_m + 0.0001], atol=1e-4)


def put(*geometries: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries(list(geometries), crs=CRS))


@pytest.mark.parametrize("options", [1, 2])
@pytest.mark.parametrize(
    "nowhere",
    [
        None, Point(), MultiPoint(), Point(np.nan, np.nan), Point(EAST, np.nan), Point(np.nan, NORTH), Point(np.inf, NORTH),
        Point(EAST, -np.inf), Point(1e300, -1e300),
    ],
    ids=str,
)  # fmt: skip
def test_a_place_that_lies_nowhere_joins_nothing(nowhere, options):
    network = network_of({"a": (0, 0), "b": (2000, 0)}, ["ab"])
    places = put(Point(EAST + 10, NORTH), nowhere, Point(EAST + 30, NORTH))
    assert attach(network, places, options=options).fault.tolist() == ["", "far", ""]
    times = travel_times(network, places, places, limit_m=100, options=options)
    assert times.nearest_cost.tolist() == [0, -1, 0]
    assert times.indptr.tolist() == [0, 2, 2, 4]


def test_each_entrance_joins_on_its_own():
    network = network_of({"a": (0, 0), "b": (2000, 0), "c": (0, 300), "d": (2000, 300)}, ["ab", "cd", "ac"])
    first = MultiPoint([(EAST + 100, NORTH + 5), (EAST + 900, NORTH + 290), (EAST + 900, NORTH + 5000)])
    joined = attach(network, put(first, MultiPoint([(EAST, NORTH - 9000), (EAST, NORTH + 9000)]), Point(EAST + 7, NORTH)))
    assert joined.place.tolist() == [0, 0, 2]
    assert joined.leg_m == pytest.approx([5, 10, 0], abs=1e-4)
    assert joined.x - EAST == pytest.approx([100, 900, 7], abs=1e-4)
    assert joined.y - NORTH == pytest.approx([0, 300, 0], abs=1e-4)
    assert joined.fault.tolist() == ["", "far", ""]
    f, b, leg = joined.offsets(network, "length")
    assert f.tolist() == b.tolist()
    assert leg.tolist() == [5000, 10_000, 0]


def test_offsets_lie_between_those_of_the_pieces_ends():
    network = wild_town(9)
    spots = np.random.default_rng(9).uniform(0, 1000, (300, 2))
    joined = attach(network, points(spots), options=2)
    start = network.pieces[0][joined.piece]
    for metric in ("time", "length"):
        f, b, _ = joined.offsets(network, metric)
        vertex = network.costs(metric).vertex_f
        assert (vertex[start] <= f).all()
        assert (f <= vertex[start + 1]).all()
        assert (f == b).all()
        assert f.dtype == b.dtype == np.uint32
    to_foot = np.column_stack([joined.x, joined.y]) - ORIGIN - spots[joined.place]
    np.testing.assert_allclose(np.hypot(*to_foot.T), joined.leg_m, atol=1e-6)


def test_a_place_prefers_a_street_of_the_network_to_a_fragment_however_near():
    # A fragment of 999 m at y = 40 and an islet of 1,001 m at y = -60; the main street at y = 0.
    nodes = {"a": (0, 0), "b": (20_000, 0), "c": (0, 40), "d": (999, 40), "e": (0, -60), "f": (1001, -60)}
    network = network_of(nodes, ["ab", "cd", "ef"], snap_m=50)
    joined = attach(network, points([(500, 39), (500, 51), (500, -45), (500, 91)]))
    assert joined.leg_m == pytest.approx([39, 11, 15], abs=1e-3)
    assert joined.y - NORTH == pytest.approx([0, 40, -60], abs=1e-3)
    assert joined.fault.tolist() == ["", "", "", "far"]


def test_with_options_a_fragment_is_joined_only_where_it_is_all_there_is():
    network = network_of({"a": (0, 0), "b": (20_000, 0), "c": (0, 40), "d": (900, 40)}, ["ab", "cd"], snap_m=50)
    joined = attach(network, points([(500, 20), (500, 60)]), options=2)
    assert joined.place.tolist() == [0, 1]
    assert joined.y - NORTH == pytest.approx([0, 40], abs=1e-3)


def test_the_attachment_table_tells_each_places_nearest_option():
    # The islet is 12 m from the first entrance, the main street 2 m from the second: the place is on the main street.
    network = network_of({"a": (0, 0), "b": (90_000, 0), "c": (0, 200), "d": (1100, 200)}, ["ab", "cd"], snap_m=50)
    two = MultiPoint([(EAST + 100, NORTH + 188), (EAST + 100, NORTH + 2)])
    places = put(two, Point(EAST + 100, NORTH + 201), Point(EAST, NORTH + 900))
    places.index = ["x", "y", "z"]
    table = attachment_table(network, places, attach(network, places))
    assert table.index.tolist() == ["x", "y", "z"]
    assert table["leg_m"].tolist() == pytest.approx([2, 1, np.nan], abs=1e-3, nan_ok=True)
    assert table["component"].tolist() == [0, 1, -1]
    assert table["fault"].tolist() == ["", "", "far"]


def test_the_attachment_table_of_no_places_is_empty():
    network = network_of({"a": (0, 0), "b": (100, 0)}, ["ab"])
    nobody = points([])
    assert len(attachment_table(network, nobody, attach(network, nobody))) == 0
    far = points([(0, 9000)])
    assert attachment_table(network, far, attach(network, far))["fault"].tolist() == ["far"]


# --- handing over ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["time", "length"])
@pytest.mark.parametrize("towards", [True, False])
def test_networkx_agrees_on_costs_between_junctions(metric, towards):
    nodes = dict(zip("abcdef", [(0, 0), (130, 0), (260, 10), (0, 120), (140, 130), (250, 140)], strict=True))
    network = network_of(nodes, ["abc", "def", "adb", "be", "cf", "fb", "aea"], oneway=[3, 4, 5], steps=[1], snap_m=1)
    graph = network.to_networkx()
    assert graph.graph == {"crs": CRS, "mode": "test"}
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(network.x, network.y), crs=CRS)
    limit = {"limit_min": 60} if metric == "time" else {"limit_m": 3600}
    times = travel_times(network, places, places, **limit, options=9, direction="to_facility" if towards else "from_facility")
    weight = "time_ms" if metric == "time" else "length_mm"
    lengths = dict(nx.all_pairs_dijkstra_path_length(graph, weight=weight))
    for facility in range(len(places)):
        mine = slice(times.indptr[facility], times.indptr[facility + 1])
        for cell, cost in zip(times.indices[mine], times.cost[mine], strict=True):
            start, end = (cell, facility) if towards else (facility, cell)
            assert cost == lengths[start][end]
        assert times.indptr[facility + 1] - times.indptr[facility] == sum(
            (facility in lengths[n]) if towards else (n in lengths[facility]) for n in range(len(places))
        )


def test_networkx_gets_junctions_with_places_and_ids_and_edges_with_metres():
    network = network_of({"a": (0, 0), "b": (100, 0), "c": (100, 50)}, ["ab", "bc"], oneway=[1])
    graph = network.to_networkx()
    by_id = {data["osmid"]: node for node, data in graph.nodes(data=True)}
    assert sorted(by_id) == [1, 2, 3]
    assert graph.nodes[by_id[3]]["y"] - NORTH == pytest.approx(50)
    found = {(graph.nodes[u]["osmid"], graph.nodes[v]["osmid"]): data for u, v, data in graph.edges(data=True)}
    assert set(found) == {(1, 2), (2, 1), (2, 3)}
    assert {k: found[2, 3][k] for k in ("time_ms", "length_mm", "length")} == {
        "time_ms": 50_000, "length_mm": 50_000, "length": 50.0,
    }  # fmt: skip


def test_edges_are_drawn_in_order_with_their_bends():
    network = wild_town(4)
    lines = network.edge_lines()
    assert lines.crs == CRS
    np.testing.assert_allclose(lines.length, network.edge_m, atol=0.001)
    ends = np.array([line.coords[0] for line in lines]), np.array([line.coords[-1] for line in lines])
    np.testing.assert_array_equal(ends[0], np.column_stack([network.x[network.edge_u], network.y[network.edge_u]]))
    np.testing.assert_array_equal(ends[1], np.column_stack([network.x[network.edge_v], network.y[network.edge_v]]))
    assert shapely.get_num_coordinates(lines.to_numpy()).tolist() == np.diff(network.vertex_ptr).tolist()


def test_the_same_streets_give_the_same_arrays():
    one, two = wild_town(8), wild_town(8)
    for name in ("node_id", "edge_u", "edge_v", "edge_way", "vertex_ptr", "vertex_x", "component"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for towards in (True, False):
        a, b = (network.arcs("time", towards=towards) for network in (one, two))
        np.testing.assert_array_equal(a.arc, b.arc)
        assert one.arcs("time", towards=towards) is a


def test_areas_as_places_and_a_senseless_snap_limit_are_refused():
    town = streets({"a": (0, 0), "b": (1000, 0)}, ["ab"])
    network = build_network(town, mode=WALK_ADULT, crs=CRS)
    area = points([(0, 0)])
    area.geometry = area.buffer(10)
    with pytest.raises(ValueError, match="must be Points or MultiPoints"):
        attach(network, area)
    for snap in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="snap_m must be a positive number"):
            build_network(town, mode=WALK_ADULT, crs=CRS, snap_m=snap)
