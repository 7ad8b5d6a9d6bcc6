"""Travel costs: by hand, against NetworkX on a split graph, and at the limit itself."""

import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import travel_costs
from shapely import MultiPoint
from towns import CRS, EAST, NORTH, points, streets

from careshed.intake.streets import read_streets
from careshed.modes import WALK_ADULT, WALK_OLDER, Mode
from careshed.network import attach, build_network
from careshed.reach import TravelTimes, cost_limit, travel_times

METRE_A_SECOND = Mode(name="test", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="1 m/s, so that metres are seconds")

DATA = Path(os.environ.get("CARESHED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def dense(times: TravelTimes) -> np.ndarray:
    """The sparse matrix as an array, −1 where nothing is stored."""
    full = np.full((len(times.facilities), len(times.cell_ids)), -1, dtype=np.int64)
    full[np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr)), times.indices] = times.cost
    return full


def cross() -> object:
    """A cross of two streets of 400 m, crossing at the origin."""
    nodes = {"w": (-200.0, 0.0), "o": (0.0, 0.0), "e": (200.0, 0.0), "s": (0.0, -200.0), "n": (0.0, 200.0)}
    return streets(nodes, ["woe", "son"])


def test_a_journey_is_leg_plus_street_plus_leg():
    network = build_network(cross(), mode=METRE_A_SECOND, crs=CRS)
    # 30 m off the western arm at x = -100; 20 m off the northern arm at y = 50: 30 + 100 + 50 + 20 = 200 m.
    times = travel_times(network, points([(-100, 30)]), points([(20, 50)]), limit_m=1000)
    assert dense(times).tolist() == [[200_000]]


def test_time_counts_milliseconds_at_the_modes_speed():
    network = build_network(cross(), mode=WALK_ADULT, crs=CRS)
    times = travel_times(network, points([(-200, 0)]), points([(200, 0)]), limit_min=15)
    # 400 m at 4.8 km/h are 300 s.
    assert dense(times).tolist() == [[300_000]]


def test_two_places_on_one_edge_travel_along_it():
    network = build_network(cross(), mode=METRE_A_SECOND, crs=CRS)
    times = travel_times(network, points([(-150, 0)]), points([(-120, 0)]), limit_m=1000)
    assert dense(times).tolist() == [[30_000]]


def test_a_cell_at_exactly_the_limit_counts_and_a_millimetre_beyond_does_not():
    network = build_network(cross(), mode=METRE_A_SECOND, crs=CRS)
    cells = points([(200, 0), (100, 0)])
    assert dense(travel_times(network, points([(-200, 0)]), cells, limit_m=400)).tolist() == [[400_000, 300_000]]
    assert dense(travel_times(network, points([(-200, 0)]), cells, limit_m=399.999)).tolist() == [[-1, 300_000]]


def test_one_way_streets_count_on_the_way_to_the_facility():
    # A one-way loop a -> b -> c -> a of 100 m a side; the facility stands at a, the cell at b.
    town = streets({"a": (0, 0), "b": (100, 0), "c": (100, 100), "d": (0, 100)}, ["ab", "bc", "cd", "da"], oneway=[0, 1, 2, 3])
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS)
    facility, cell = points([(0, 0)]), points([(100, 0)])
    assert dense(travel_times(network, facility, cell, limit_m=1000)).tolist() == [[300_000]]
    assert dense(travel_times(network, facility, cell, limit_m=1000, direction="from_facility")).tolist() == [[100_000]]


def test_a_place_with_two_entrances_uses_the_better_one():
    network = build_network(cross(), mode=METRE_A_SECOND, crs=CRS)
    facility = points([(0, 0)])
    facility.geometry = [MultiPoint([(EAST - 200, NORTH), (EAST, NORTH + 150)])]
    times = travel_times(network, facility, points([(0, 200), (-180, 0)]), limit_m=1000)
    assert dense(times).tolist() == [[50_000, 20_000]]


def test_steps_are_closed_to_a_mode_that_uses_none_and_slow_for_older_people():
    town = streets({"a": (0, 0), "b": (100, 0), "c": (100, 100), "d": (0, 100)}, ["ab", "bcda"], steps=[0])
    facility, cell = points([(0, 0)]), points([(100, 0)])
    toddler = Mode(name="t", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="", uses_steps=False)
    assert dense(travel_times(build_network(town, mode=toddler, crs=CRS), facility, cell, limit_min=15)).tolist() == [[300_000]]
    # 100 m of steps at half of 1 m/s.
    assert dense(travel_times(build_network(town, mode=WALK_OLDER, crs=CRS), facility, cell, limit_min=15)).tolist() == [
        [200_000]
    ]


def test_a_cell_far_from_every_street_is_unattached_with_its_reason():
    network = build_network(cross(), mode=METRE_A_SECOND, crs=CRS, snap_m=50)
    times = travel_times(network, points([(0, 0)]), points([(100, 50), (100, 50.01)]), limit_m=1000)
    assert times.cell_fault.tolist() == ["", "far"]
    assert times.nearest_cost.tolist() == [150_000, -1]


def two_islets() -> object:
    """A main street of 30 km, and two islets of 1.2 km each, 1 km north and 2 km north of it."""
    nodes = {
        "a": (0.0, 0.0),
        "b": (30_000.0, 0.0),
        "c": (0.0, 1000.0),
        "d": (1200.0, 1000.0),
        "e": (0.0, 2000.0),
        "f": (1200.0, 2000.0),
    }
    return streets(nodes, ["ab", "cd", "ef"])


def test_a_cell_on_an_islet_is_unattached_unless_the_islet_has_a_facility():
    network = build_network(two_islets(), mode=METRE_A_SECOND, crs=CRS)
    facilities, cells = points([(10, 0), (0, 1000)]), points([(20_000, 0), (100, 1000), (100, 2000)])
    times = travel_times(network, facilities, cells, limit_m=500)
    assert times.cell_fault.tolist() == ["", "", "islet"]
    assert times.nearest_cost.tolist() == [19_990_000, 100_000, -1]
    assert times.nearest_facility.tolist() == [0, 1, -1]


def test_a_place_joins_a_fragment_only_where_no_other_street_is_near():
    # A fragment of 100 m lies 40 m north of the main street; the cell is 10 m from the fragment, 50 m from the street.
    town = streets({"a": (0, 0), "b": (2000, 0), "c": (0, 40), "d": (100, 40)}, ["ab", "cd"])
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS, snap_m=100)
    times = travel_times(network, points([(0, 0)]), points([(50, 50), (50, 120)]), limit_m=500)
    assert times.nearest_cost.tolist() == [100_000, -1]
    assert times.cell_fault.tolist() == ["", "islet"]


def test_of_equally_near_facilities_the_first_row_is_nearest():
    network = build_network(cross(), mode=METRE_A_SECOND, crs=CRS)
    times = travel_times(network, points([(200, 0), (-200, 0)]), points([(0, 0), (-1, 0)]), limit_m=500)
    assert times.nearest_facility.tolist() == [0, 1]


def test_no_facilities_reach_nobody():
    network = build_network(cross(), mode=METRE_A_SECOND, crs=CRS)
    times = travel_times(network, points([]), points([(0, 0)]), limit_m=500)
    assert times.pairs == 0
    assert times.nearest_cost.tolist() == [-1]
    assert not times.reached(metres=500).any()


def test_inputs_are_left_alone():
    network = build_network(cross(), mode=METRE_A_SECOND, crs=CRS)
    facilities, cells = points([(-100, 30)], name="x"), points([(20, 50)])
    before = facilities.copy(), cells.copy()
    travel_times(network, facilities, cells, limit_m=1000)
    pd.testing.assert_frame_equal(facilities, before[0])
    pd.testing.assert_frame_equal(cells, before[1])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "exactly one limit"),
        ({"minutes": 1, "metres": 1}, "exactly one limit"),
        ({"minutes": 0}, "above 0"),
        ({"metres": 5e6}, "below 4294967295 milli"),
        ({"metres": 5, "metric": "time"}, "measure time; give the limit in minutes"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(arguments, text):
    with pytest.raises(ValueError, match=text):
        cost_limit(**arguments)


def test_asking_beyond_the_limit_searched_is_refused():
    network = build_network(cross(), mode=METRE_A_SECOND, crs=CRS)
    times = travel_times(network, points([(0, 0)]), points([(100, 0)]), limit_min=2)
    assert times.within(minutes=2).tolist() == [True]
    with pytest.raises(ValueError, match="searched only to 120000 milliseconds"):
        times.within(minutes=3)


def test_places_in_another_crs_are_refused():
    network = build_network(cross(), mode=METRE_A_SECOND, crs=CRS)
    with pytest.raises(ValueError, match="convert them with to_crs"):
        travel_times(network, points([(0, 0)]).to_crs(4326), points([(0, 0)]), limit_m=10)
    with pytest.raises(ValueError, match="at least 1"):
        attach(network, points([(0, 0)]), options=0)


def random_town(draw: st.DrawFn) -> tuple:
    """A town of a few junctions with loops, parallel edges and one-ways, and places around it."""
    count = draw(st.integers(2, 6))
    spot = st.tuples(st.integers(0, 6).map(lambda k: k * 50.0), st.integers(0, 6).map(lambda k: k * 50.0))
    corners = draw(st.lists(spot, min_size=count, max_size=count, unique=True))
    names = "abcdef"[:count]
    nodes = dict(zip(names, corners, strict=True))
    way = st.lists(st.sampled_from(names), min_size=2, max_size=4)
    ways = draw(st.lists(way, min_size=1, max_size=7))
    # A loop needs a point outside the line, a parallel edge comes by repetition.
    nodes["z"] = (draw(st.integers(0, 300)) + 0.5, draw(st.integers(0, 300)) + 0.25)
    if draw(st.booleans()):
        ways.append([names[0], "z", names[1], names[0]])
    ways = [w for w in ways if any(nodes[a] != nodes[b] for a, b in zip(w, w[1:], strict=False))] or [[names[0], names[1]]]
    oneway = draw(st.sets(st.integers(0, len(ways) - 1)))
    place = st.tuples(st.floats(-50, 350), st.floats(-50, 350))
    sources = draw(st.lists(place, min_size=1, max_size=4))
    targets = draw(st.lists(place, min_size=1, max_size=8))
    return streets(nodes, ways, oneway=sorted(oneway)), points(sources), points(targets)


towns = st.composite(random_town)()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(towns, st.sampled_from(["time", "length"]), st.booleans(), st.integers(1, 2), st.integers(1, 600))
def test_random_towns_equal_networkx_on_the_split_graph(town, metric, towards, options, limit):
    ways, sources, targets = town
    network = build_network(ways, mode=WALK_ADULT, crs=CRS, snap_m=80)
    limits = {"limit_m": float(limit)} if metric == "length" else {"limit_min": limit / 60}
    direction = "to_facility" if towards else "from_facility"
    times = travel_times(network, sources, targets, **limits, direction=direction, options=options)
    a, b = attach(network, sources, options=options), attach(network, targets, options=options)
    expected = travel_costs(network, a, b, metric=metric, towards=towards)
    inside = np.where((expected >= 0) & (expected <= times.limit), expected, -1)
    assert dense(times).tolist() == inside.tolist()
    far = np.where(expected < 0, np.iinfo(np.int64).max, expected)
    nearest = np.where((expected >= 0).any(axis=0), far.min(axis=0), -1)
    assert times.nearest_cost.tolist() == nearest.tolist()
    first = np.where((expected >= 0).any(axis=0), far.argmin(axis=0), -1)
    assert times.nearest_facility.tolist() == first.tolist()


@settings(max_examples=60, deadline=None)
@given(towns)
def test_a_place_exactly_at_the_limit_is_in_and_one_step_less_is_out(town):
    ways, sources, targets = town
    network = build_network(ways, mode=WALK_ADULT, crs=CRS, snap_m=80)
    whole = dense(travel_times(network, sources, targets, limit_m=5000))
    for cost in np.unique(whole[whole > 1]):
        at = dense(travel_times(network, sources, targets, limit_m=cost / 1000))
        below = dense(travel_times(network, sources, targets, limit_m=(cost - 1) / 1000))
        assert ((at >= 0) == ((whole >= 0) & (whole <= cost))).all()
        assert ((below >= 0) == ((whole >= 0) & (whole < cost))).all()


@pytest.fixture(scope="module")
def porto_alegre() -> tuple:
    folder = DATA / "porto_alegre"
    if not folder.is_dir():
        pytest.skip(f"real data are not here: {folder}")
    network = build_network(read_streets(folder / "poa_osm.pbf").table, mode=WALK_OLDER, snap_m=300)
    table = pd.read_csv(folder / "poa_hexgrid.csv", index_col="id")
    cells = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table.lon, table.lat), crs=4326).to_crs(network.crs)
    return network, cells


@pytest.mark.parametrize("metric", ["time", "length"])
def test_porto_alegre_equals_networkx_for_200_facilities(porto_alegre, metric):
    network, cells = porto_alegre
    facilities = cells.iloc[np.random.default_rng(7).choice(len(cells), 200, replace=False)]
    limits = {"limit_m": 1200.0} if metric == "length" else {"limit_min": 20.0}
    times = travel_times(network, facilities, cells, **limits)
    a, b = attach(network, facilities), attach(network, cells)
    expected = travel_costs(network, a, b, metric=metric, towards=True, limit=times.limit)
    assert (dense(times) == expected).all()
    assert times.pairs > 200


def test_threads_change_nothing(porto_alegre):
    network, cells = porto_alegre
    one, two = (travel_times(network, cells, cells, limit_m=800, threads=threads) for threads in (1, 2))
    assert (one.indptr == two.indptr).all()
    assert (one.indices == two.indices).all()
    assert (one.cost == two.cost).all()


@pytest.mark.parametrize("ways", [["uv", "uw"], ["uw", "uv"]])
def test_a_cell_at_a_junction_may_leave_by_any_of_its_streets(ways):
    # u—v runs away from u one way; u—w runs both ways and holds the facility. The cell stands on u itself, 400 m away.
    town = streets({"u": (0, 0), "v": (-1000, 0), "w": (500, 0)}, ways, oneway=[ways.index("uv")])
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS)
    assert travel_times(network, points([(400, 0)]), points([(0, 0)]), limit_m=2000).nearest_cost.tolist() == [400_000]
    back = travel_times(network, points([(0, 0)]), points([(400, 0)]), limit_m=2000, direction="from_facility")
    assert back.nearest_cost.tolist() == [400_000]
