"""Ways of travelling: where cars, cycles and wheelchairs may go, how fast, and where every figure comes from."""

import dataclasses

import numpy as np
import pytest
from towns import CRS, points, streets

from careshed.intake.streets.driving import (
    SIGNALS,
    STOPS_CARS,
    STOPS_CYCLES,
    STOPS_WHEELS,
    cyclable,
    drivable,
    maxspeed_kmh,
    node_bits,
)
from careshed.intake.streets.tagging import way_table
from careshed.modes import CAR, CYCLE, MODES, WALK_OLDER, WHEELCHAIR, Mode
from careshed.network import build_network
from careshed.reach import travel_times

PLAIN = {field.name: field.default for field in dataclasses.fields(Mode)}
NO_FIGURE = {"name", "kind", "zh", "en", "source", "source_zh", "figures", "parts"}


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_every_figure_that_a_mode_states_names_its_source(mode):
    stated = {name for name, default in PLAIN.items() if name not in NO_FIGURE and getattr(mode, name) != default}
    assert {figure.name for figure in mode.figures} == stated
    assert all(figure.en and figure.zh for figure in mode.figures)


@pytest.mark.parametrize(
    ("tags", "car", "cycle"),
    [
        ({"highway": "residential"}, (True, True), (True, True)),
        ({"highway": "residential", "oneway": "yes"}, (True, False), (True, False)),
        ({"highway": "residential", "oneway": "-1"}, (False, True), (False, True)),
        ({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}, (True, False), (True, True)),
        ({"highway": "residential", "oneway": "yes", "cycleway": "opposite_lane"}, (True, False), (True, True)),
        ({"highway": "motorway"}, (True, False), (False, False)),
        ({"highway": "motorway", "oneway": "no"}, (True, True), (False, False)),
        ({"highway": "tertiary", "junction": "roundabout"}, (True, False), (True, False)),
        ({"highway": "trunk", "motorroad": "yes"}, (True, True), (False, False)),
        ({"highway": "footway"}, (False, False), (False, False)),
        ({"highway": "footway", "bicycle": "yes"}, (False, False), (True, True)),
        ({"highway": "cycleway"}, (False, False), (True, True)),
        ({"highway": "cycleway", "motor_vehicle": "destination"}, (True, True), (True, True)),
        ({"highway": "path"}, (False, False), (True, True)),
        ({"highway": "path", "bicycle": "dismount"}, (False, False), (False, False)),
        ({"highway": "steps"}, (False, False), (False, False)),
        ({"highway": "service", "access": "private"}, (True, True), (True, True)),
        ({"highway": "service", "access": "no"}, (False, False), (False, False)),
        ({"highway": "service", "access": "no", "motorcar": "yes", "bicycle": "yes"}, (True, True), (True, True)),
        ({"highway": "track", "motor_vehicle": "agricultural"}, (False, False), (True, True)),
        ({"highway": "construction"}, (False, False), (False, False)),
    ],
)
def test_who_may_use_a_way_follows_its_tags(tags, car, cycle):
    assert (drivable(tags), cyclable(tags)) == (car, cycle)


@pytest.mark.parametrize(
    ("text", "kmh", "readable"),
    [
        ("50", 50, True),
        ("50 km/h", 50, True),
        ("50 mph", 80.4672, True),
        ("10 knots", 18.52, True),
        ("walk", 5, True),
        ("RU:urban", 60, True),
        ("CN:urban", 50, True),
        ("DE:zone:30", 30, True),
        ("60;80", 60, True),
        ("60|none", 60, True),
        ("none", None, True),
        ("signals", None, True),
        ("", None, True),
        ("0", None, False),
        ("fast", None, False),
        ("50 furlongs", None, False),
        ("-30", None, False),
    ],
)
def test_speed_limits_are_read_with_their_units(text, kmh, readable):
    speed, could = maxspeed_kmh(text)
    assert (speed if speed is None else pytest.approx(speed), could) == (kmh, readable)


def test_texts_that_cannot_be_read_are_counted_and_leave_the_figure_unknown():
    tags = [{"highway": "residential", "maxspeed": text} for text in ("fast", "fast", "30")]
    table, unread = way_table([1, 2, 3], [*tags[:2], tags[2] | {"incline": "steepish"}])
    assert unread == {("maxspeed", "fast"): 2, ("incline", "steepish"): 1}
    assert table["maxspeed_kmh"].fillna(-1).tolist() == [-1, -1, 30]
    assert table["incline"].isna().all()


@pytest.mark.parametrize(("text", "slope"), [("8%", 0.08), ("+8 %", 0.08), ("-10%", -0.10), ("45°", 1.0), ("0", 0.0)])
def test_inclines_are_read_as_rise_over_run(text, slope):
    table, unread = way_table([1], [{"highway": "footway", "incline": text}])
    assert table["incline"].tolist() == [pytest.approx(slope)]
    assert not unread


@pytest.mark.parametrize(
    ("tags", "bits"),
    [
        ({"barrier": "bollard"}, STOPS_CARS),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, 0),
        ({"barrier": "gate"}, 0),
        ({"barrier": "gate", "access": "private"}, 0),
        ({"barrier": "gate", "access": "no"}, STOPS_CARS),
        ({"barrier": "gate", "access": "no", "motor_vehicle": "yes"}, 0),
        ({"barrier": "gate", "locked": "yes", "foot": "yes"}, STOPS_CARS),
        ({"barrier": "fence", "foot": "designated"}, STOPS_CARS),
        ({"barrier": "gate", "motor_vehicle": "no", "bicycle": "no"}, STOPS_CARS + STOPS_CYCLES),
        ({"barrier": "stile"}, STOPS_CARS + STOPS_CYCLES + STOPS_WHEELS),
        ({"barrier": "kissing_gate", "wheelchair": "yes"}, STOPS_CARS + STOPS_CYCLES),
        ({"kerb": "raised"}, STOPS_WHEELS),
        ({"kerb": "lowered", "highway": "crossing"}, 0),
        ({"highway": "crossing", "crossing": "traffic_signals"}, SIGNALS),
    ],
)
def test_what_a_node_does_to_traffic_follows_its_tags(tags, bits):
    assert node_bits(tags) == bits


def town(ways, *, bits=None, **columns):
    """A straight street of 300 m, a to d, in as many ways as named."""
    made = streets({"a": (0, 0), "b": (100, 0), "c": (200, 0), "d": (300, 0)}, ways)
    for name, values in columns.items():
        made.ways[name] = values
    told = None if bits is None else np.array([bits.get(name, 0) for name in "abcd"], dtype=np.uint8)
    return dataclasses.replace(made, node_bits=told)


def seconds(made, mode, start, end):
    """Seconds from one spot to another, −1 where there is no way."""
    times = travel_times(build_network(made, mode=mode, crs=CRS, snap_m=20), points([end]), points([start]), limit_min=60)
    cost = int(times.nearest_cost[0])
    return cost if cost < 0 else cost / 1000


def test_a_car_goes_by_class_and_by_a_share_of_a_mapped_limit():
    # 100 m of primary road at 65 km/h; 200 m limited to 45 km/h at 80 % of that, 36 km/h = 10 m/s.
    made = town(["ab", "bcd"], highway=["primary", "residential"], maxspeed_kmh=[np.nan, 45.0])
    assert seconds(made, CAR, (0, 0), (300, 0)) == pytest.approx(100 / (65 / 3.6) + 20, abs=0.002)


def test_a_one_way_street_counts_for_cars_and_not_for_walkers():
    made = town(["abcd"], car_forward=[True], car_backward=[False])
    assert seconds(made, CAR, (300, 0), (0, 0)) == -1
    assert seconds(made, CAR, (0, 0), (300, 0)) == pytest.approx(300 / (25 / 3.6), abs=0.002)
    assert seconds(made, WALK_OLDER, (300, 0), (0, 0)) == 300


def test_a_bollard_stops_cars_and_lets_walkers_and_cycles_through():
    made = town(["abcd"], bits={"b": STOPS_CARS})
    assert seconds(made, CAR, (0, 0), (300, 0)) == -1
    assert seconds(made, CYCLE, (0, 0), (300, 0)) == 90  # 12 km/h
    assert seconds(made, WALK_OLDER, (0, 0), (300, 0)) == 300


def test_edges_of_a_parted_way_still_name_the_way_as_mapped():
    network = build_network(town(["ab", "bcd"], bits={"c": STOPS_CARS}), mode=CAR, crs=CRS)
    assert sorted(network.edge_way.tolist()) == [0, 1, 1]


def test_a_raised_kerb_and_a_steep_way_stop_a_wheelchair_alone():
    kerb = town(["abcd"], bits={"c": STOPS_WHEELS})
    assert seconds(kerb, WHEELCHAIR, (0, 0), (300, 0)) == -1
    assert seconds(kerb, WALK_OLDER, (0, 0), (300, 0)) == 300
    # 1:12 is allowed, just over is not.
    level = town(["ab", "bcd"], incline=[np.nan, 1 / 12], wheels=True)
    steep = town(["ab", "bcd"], incline=[np.nan, -0.084], wheels=True)
    assert seconds(level, WHEELCHAIR, (0, 0), (300, 0)) == pytest.approx(300 / (2.5 / 3.6), abs=0.002)
    assert seconds(steep, WHEELCHAIR, (0, 0), (300, 0)) == -1
    assert seconds(town(["ab", "bcd"], wheels=[True, False]), WHEELCHAIR, (0, 0), (300, 0)) == -1


def test_traffic_waits_once_at_each_signal_it_passes():
    # Signals at b inside the way and at c where two ways meet; 300 m at 25 km/h = 43.2 s, and two waits of 2 s.
    made = town(["abc", "cd"], bits={"b": SIGNALS, "c": SIGNALS})
    assert seconds(made, CAR, (0, 0), (300, 0)) == pytest.approx(47.2, abs=0.002)


def test_walkers_wait_at_mapped_crossings_by_their_kind():
    mode = dataclasses.replace(WALK_OLDER, crossing_s=5.0, signal_s=30.0)
    made = town(["ab", "bc", "cd"], crossing=["", "signals", "open"])
    assert seconds(made, mode, (0, 0), (300, 0)) == 300 + 30 + 5
    # Half the signalled crossing is walked: half its wait.
    assert seconds(made, mode, (0, 0), (150, 0)) == 150 + 15
    assert seconds(made, WALK_OLDER, (0, 0), (300, 0)) == 300


def test_streets_that_say_nothing_about_cars_are_open_to_them():
    assert seconds(town(["abcd"]), CAR, (300, 0), (0, 0)) == pytest.approx(43.2, abs=0.002)


def test_a_mode_knows_its_top_speed():
    assert (CAR.top_speed_kmh, WALK_OLDER.top_speed_kmh) == (90.0, 3.6)
