"""Barriers and doors: legs that go round water, rails, motorways and walls, and compounds that people leave by their gates."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely import LineString, MultiPoint, Point, Polygon
from test_streets import osm
from towns import CRS, EAST, NORTH, points, streets

from careshed.access import unattached_people
from careshed.datum.shifts import bd09_from_gcj02, gcj02_from_wgs84
from careshed.intake.streets import Streets, read_streets
from careshed.intake.streets.barrier_layers import add_barriers, add_gates
from careshed.intake.streets.barriers import (
    KINDS,
    Barriers,
    barrier_kind,
    bars_legs,
    no_barriers,
    without_osm,
)
from careshed.isochrones import draw_isochrones, surface
from careshed.modes import WALK_ADULT, Mode
from careshed.network import Network, attach, build_network, leg_faults
from careshed.reach import travel_times
from careshed.schema import Checked, InputError
from careshed.settings.sections import BarrierLayerSection, BarrierSection, GateLayerSection
from careshed.study.barriers import with_barriers

DATA = Path(os.environ.get("CARESHED_DATA", Path(__file__).parents[2] / "shared" / "data"))
METRE_A_SECOND = Mode(name="test", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="1 m/s, so that metres are seconds")
ORIGIN = np.array([EAST, NORTH])
TURN = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def degrees(xy) -> tuple[np.ndarray, np.ndarray]:
    array = np.asarray(xy, dtype=float).reshape(-1, 2)
    lon, lat = TURN.transform(array[:, 0] + EAST, array[:, 1] + NORTH)
    return np.asarray(lon), np.asarray(lat)


def barriers(*lines, gates=(), gate_m=2.0, own=False, **how) -> Barriers:
    """Barriers from pairs of kind and corners in the town's metres."""
    lon, lat = degrees([corner for _, corners in lines for corner in corners])
    gate_lon, gate_lat = degrees(gates)
    return Barriers(
        lon, lat, np.concatenate([[0], np.cumsum([len(corners) for _, corners in lines])]).astype(np.int64),
        np.array([KINDS.index(kind) for kind, _ in lines], np.uint8), gate_lon, gate_lat, np.full(len(gates), gate_m),
        np.full(len(gates), own), **how,
    )  # fmt: skip


def network_of(town: Streets, known: Barriers | None = None, *, mode=METRE_A_SECOND, **how) -> Network:
    return build_network(replace(town, barriers=known), mode=mode, crs=CRS, **how)


def seconds(network: Network, facilities, cells, **how) -> list[float]:
    """Seconds from each cell to the nearest facility, −1 for none."""
    cost = travel_times(network, facilities, cells, limit_min=60, **how).nearest_cost
    return [round(float(one) / 1000, 1) if one >= 0 else -1.0 for one in cost]


def ring(west, south, east, north):
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


# --- a compound, a river, a railway: by hand, and what joining the nearest edge would answer ---------------------------

COMPOUND = ("wall", ring(0, 0, 100, 100))
INNER = {"i": (90, 50), "j": (50, 50), "g": (50, 0), "o": (50, -20), "w": (-300, -20), "e": (120, -20), "n": (120, 150)}
COMPOUND_TOWN = streets(INNER, ["ijgo", "woe", "en"])
"""A street from (90, 50) inside by the gate (50, 0) to the road at y = −20, which turns north at x = 120."""


def test_people_of_a_compound_leave_by_its_one_gate():
    # Cell (97, 74): the road outside is 23 m away through the wall, the end of the inner street (7, 24) → 25 m.
    # By the gate: leg 25, to (50, 50) 40, to the road 70, east to x = 120 70, north to y = 74 94: 299 s. Through the wall: 23 s.
    cell, care = points([(97, 74)]), points([(120, 74)])
    assert seconds(network_of(COMPOUND_TOWN), care, cell) == [23.0]
    assert seconds(network_of(COMPOUND_TOWN, barriers(COMPOUND, gates=[(50, 0)])), care, cell) == [299.0]


def test_a_river_is_crossed_by_its_bridge_and_not_by_a_leg():
    # The cell at (0, 10) lies north of the river y = 0; the street south of it is 30 m away, its own is 50 m away.
    # Round by the bridge at x = 300: 50 + 300 + 80 + 300 = 730 s. The nearest edge would say 30 s.
    town = streets({"a": (0, -20), "b": (300, -20), "c": (300, 60), "d": (0, 60)}, ["ab", "bc", "cd"])
    cell, care = points([(0, 10)]), points([(0, -20)])
    assert seconds(network_of(town), care, cell) == [30.0]
    assert seconds(network_of(town, barriers(("water", [(-500, 0), (500, 0)]))), care, cell) == [730.0]


def test_a_railway_is_crossed_by_its_underpass_and_not_by_a_leg():
    # Cell (4, 0) east of the tracks x = 0: the street west is 34 m away, the one east 36 m.
    # By the underpass at y = −200: 36 + 200 + 70 + 200 = 506 s. The nearest edge would say 34 s.
    town = streets({"a": (-30, 0), "b": (-30, -200), "c": (40, -200), "d": (40, 0)}, ["ab", "bc", "cd"])
    town.ways["tunnel"] = [False, True, False]
    cell, care = points([(4, 0)]), points([(-30, 0)])
    assert seconds(network_of(town), care, cell) == [34.0]
    assert seconds(network_of(town, barriers(("railway", [(0, -500), (0, 500)]))), care, cell) == [506.0]


TWO_STREETS = streets({"a": (0, -20), "b": (300, -20), "c": (300, 60), "d": (0, 60)}, ["ab", "bc", "cd"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_barrier_turns_legs_away_and_only_walls_part_streets(kind):
    # The street b–c crosses y = 0 at x = 300: a wall parts it, so that the south cannot be reached from the north.
    network = network_of(TWO_STREETS, barriers((kind, [(-500, 0), (500, 0)])))
    assert seconds(network, points([(0, -20)]), points([(0, 10)])) == ([-1.0] if kind == "wall" else [730.0])


def test_without_barriers_nothing_changes():
    empty = replace(
        no_barriers(), gate_lon=np.array([123.0]), gate_lat=np.array([35.2]), gate_m=np.array([2.0]), gate_own=np.zeros(1, bool)
    )
    plain_, same = network_of(TWO_STREETS), network_of(TWO_STREETS, empty)
    assert plain_.barriers is None
    assert same.barriers is None
    assert same.faults == plain_.faults
    places = points(np.random.default_rng(0).uniform(-150, 450, (200, 2)))
    one, two = attach(plain_, places), attach(same, places)
    assert np.array_equal(one.leg_m, two.leg_m)
    assert not one.moved.any()
    assert not one.shut.any()


def test_a_leg_that_touches_a_barrier_does_not_cross_it():
    # The street itself runs along the bank (y = −20), and the place stands on the wall of y = 10.
    known = barriers(("water", [(-500, -20), (500, -20)]), ("wall", [(-500, 10), (250, 10)]))
    attached = attach(network_of(TWO_STREETS, known), points([(0, 10)]))
    assert attached.leg_m.tolist() == [pytest.approx(30)]
    assert not attached.moved.any()


# --- shut in, islands, gates without streets ---------------------------------------------------------------------------


def test_people_on_an_island_without_streets_join_none_and_are_counted():
    network = network_of(TWO_STREETS, barriers(("water", ring(80, 0, 120, 40))))
    cells = points([(100, 20), (10, 20), (100, 900)], p60=[30.0, 5.0, 1.0])
    attached = attach(network, cells)
    assert attached.fault.tolist() == ["barrier", "", "far"]
    assert attached.shut.tolist() == [True, False, False]
    times = travel_times(network, points([(0, -20)]), cells, limit_min=60)
    assert times.cell_fault.tolist() == ["barrier", "", "far"]
    assert times.nearest_cost.tolist()[0] == -1
    assert leg_faults(network, cells, "p60") == []
    told = {fault.code: fault for fault in unattached_people(times, cells, "p60")}["cell_barrier"]
    assert (told.people, told.found) == (30.0, "p60")
    assert told.text("en").startswith(
        "1 population cells are shut in by water, a railway, a motorway or walls and join no street"
    )
    assert told.text("zh").startswith("1 个人口格网四周被水面、铁路、高速公路或围墙阻隔，未接入任何街道")


def test_the_study_may_have_them_join_the_nearest_street_regardless():
    # (100, 20) is 40 m from either street; of equally near ones the first counts, so ask at (100, 15): 35 m to the south.
    known = barriers(("water", ring(80, 0, 120, 40)), behind="nearest")
    network = network_of(TWO_STREETS, known)
    cells = points([(100, 15)], p60=[30.0])
    attached = attach(network, cells)
    assert attached.fault.tolist() == [""]
    assert attached.leg_m.tolist() == [pytest.approx(35)]
    assert attached.shut.tolist() == [True]
    assert [(one.code, one.people) for one in leg_faults(network, cells, "p60")] == [("leg_regardless", 30.0)]


def test_people_who_join_another_street_are_counted():
    network = network_of(TWO_STREETS, barriers(("water", [(-500, 0), (500, 0)])))
    cells = points([(0, 10), (0, 50), (0, 11)], p60=[30.0, 5.0, 0.0])
    (told,) = leg_faults(network, cells, "p60")
    assert (told.code, told.people) == ("leg_moved", 30.0)
    assert "1 population cells have water, a railway, a motorway or a wall before the nearest street" in told.text("en")
    assert "1 个人口格网最近的街道隔着水面" in told.text("zh")
    assert leg_faults(network_of(TWO_STREETS), cells, "p60") == []


def test_a_compound_without_mapped_streets_is_left_straight_to_the_gate_and_on():
    # Wall (0..100, 0..80), gate (100, 40), road at x = 110 from y = −100 to 200, the cell at (60, 10).
    # To the gate: (40, 30) → 50 m, from the gate to the road 10 m: leg 60 s; the care stands at (110, 100): 60 more.
    town = streets({"s": (110, -100), "n": (110, 200)}, ["sn"])
    cell, care = points([(60, 10)]), points([(110, 100)])
    wall = ("wall", ring(0, 0, 100, 80))
    network = network_of(town, barriers(wall, gates=[(100, 40)]))
    attached = attach(network, cell)
    assert attached.leg_m.tolist() == [pytest.approx(60)]
    assert attached.moved.tolist() == [True]
    assert seconds(network, care, cell) == [120.0]
    # The nearest edge would say 50 m straight through the wall and 90 m along the road.
    assert seconds(network_of(town), care, cell) == [140.0]


def test_of_two_gates_the_one_that_makes_the_leg_shorter_is_taken_and_none_beyond_the_snap_limit():
    town = streets({"s": (110, -100), "n": (110, 200)}, ["sn"])
    known = barriers(("wall", ring(0, 0, 100, 80)), gates=[(100, 40), (100, 10)])
    assert attach(network_of(town, known), points([(60, 10)])).leg_m.tolist() == [pytest.approx(50)]  # 40 + 10
    assert attach(network_of(town, known, snap_m=50.0), points([(60, 10)])).leg_m.tolist() == [pytest.approx(50)]
    near = attach(network_of(town, known, snap_m=49.9), points([(60, 10)]))
    assert near.fault.tolist() == ["far"]  # the road itself is 50 m away


def test_a_gate_behind_a_second_wall_is_no_way_out():
    town = streets({"s": (110, -100), "n": (110, 200)}, ["sn"])
    inner = ("wall", ring(50, 0.5, 70, 20))
    network = network_of(town, barriers(("wall", ring(0, 0, 100, 80)), inner, gates=[(100, 40)]))
    assert attach(network, points([(60, 10)])).fault.tolist() == ["barrier"]


# --- walls and streets -------------------------------------------------------------------------------------------------


def parts(network: Network) -> int:
    return len(network.component_m)


CROSSED = streets({"a": (0, 0), "b": (100, 0), "c": (200, 0)}, ["abc"])


def test_a_street_through_a_wall_without_a_gate_is_parted_and_told():
    network = network_of(CROSSED, barriers(("wall", [(150, -50), (150, 50)])))
    assert parts(network) == 2
    # The cut ends lie 0.2 m from the wall on either side: 149.8 m and 49.8 m of street are left.
    assert network.component_m.tolist() == [pytest.approx(149.8, abs=0.01), pytest.approx(49.8, abs=0.01)]
    told = {fault.code: fault for fault in network.faults}["streets_cut"]
    assert told.severity == "noted"
    assert told.found == "0"
    assert told.text("en").startswith("streets cross a wall without a gate in 1 places and are parted there (1 ways)")
    assert told.text("zh").startswith("1 处道路穿过围墙而无门，已在墙处断开（涉及 1 条道路）")
    assert "cut_streets = false" in told.text("en")
    assert "cut_streets = false" in told.text("zh")


def test_places_on_either_side_join_their_own_side_of_the_cut():
    network = network_of(CROSSED, barriers(("wall", [(150, -50), (150, 50)])))
    attached = attach(network, points([(149, 10), (151, 10), (150.0, 60.0)]))
    sides = network.component[network.edge_u[attached.edge]].tolist()
    assert sides[:2] == [0, 1]


def test_edges_still_name_their_way_as_mapped():
    town = streets({"a": (0, 0), "b": (300, 0), "c": (300, 80), "d": (0, 80)}, ["ab", "bc", "cd"])
    network = network_of(town, barriers(("wall", [(150, -50), (150, 100)])))
    assert sorted(network.edge_way.tolist()) == [0, 0, 1, 2, 2]


def test_cut_streets_false_leaves_streets_whole_and_still_turns_legs_away():
    network = network_of(CROSSED, barriers(("wall", [(150, -50), (150, 50)]), cut_streets=False))
    assert parts(network) == 1
    assert not network.faults


@pytest.mark.parametrize("kind", ["bridge", "tunnel", "steps"])
def test_bridges_tunnels_and_steps_pass_walls(kind):
    town = streets({"a": (0, 0), "b": (100, 0)}, ["ab"])
    town.ways[kind] = True
    assert parts(network_of(town, barriers(("wall", [(50, -50), (50, 50)])))) == 1
    at_node = streets({"a": (0, 0), "m": (50, 0), "b": (100, 0)}, ["am", "mb"])
    at_node.ways[kind] = [True, False]
    assert parts(network_of(at_node, barriers(("wall", [(50, -50), (50, 50)])))) == 1


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ([(150, -50), (150, 0)], 1),  # the wall ends at the street
        ([(150, -50), (150, -0.5)], 1),  # and a little before it
        ([(100, -50), (100, 50)], 2),  # through a node of the way
        ([(100, -50), (100, 0), (120, 50)], 2),  # through a node of both
        ([(100, -50), (100, 0), (50, -50)], 1),  # touches the node from the south
        ([(150, -50), (150, 0), (120, -50)], 1),  # touches the street between its nodes
        ([(0, 0), (200, 0)], 1),  # drawn along the street
        ([(100, 0), (200, 0)], 1),
        ([(50, -50), (50, 50), (150, 50), (150, -50)], 3),  # twice through one way
        ([(100, -50), (100, 50), (150, 50), (150, -50)], 3),
    ],
)
def test_only_a_wall_that_runs_through_parts_a_street(line, count):
    assert parts(network_of(CROSSED, barriers(("wall", line)))) == count


@pytest.mark.parametrize(("north", "told"), [(12.0, True), (40.0, False), (0.0, False)])
def test_a_gate_drawn_beside_the_street_that_the_wall_cuts_is_told(north, told):
    # The street crosses the wall at (150, 0); a gate 12 m along the wall opens it by 2 m and leaves the street cut.
    made = barriers(("wall", [(150, -50), (150, 50)]), gates=[(150, north)], own=True)
    found = [fault for fault in network_of(CROSSED, made).faults if fault.code == "gate_beside_street"]
    assert bool(found) == told
    for fault in found:
        assert "within 30 m of 1 open gates a wall cuts a street" in fault.text("en")
        assert "调大 within_m" in fault.text("zh")


def test_streets_that_meet_on_a_wall_keep_together_side_by_side():
    # Five streets meet at (0, 0) on the wall y = 0: two to the north, three to the south.
    nodes = {"m": (0, 0), "p": (-50, 50), "q": (50, 50), "r": (-50, -50), "s": (50, -50), "t": (0, -50)}
    network = network_of(streets(nodes, ["pmq", "rms", "mt"]), barriers(("wall", [(-100, 0), (100, 0)])))
    assert parts(network) == 2
    assert network_of(streets(nodes, ["pms", "qm", "mr", "mt"]), barriers(("wall", [(-100, 0), (100, 0)]))).component.max() == 1
    # No way is cut where each keeps to its own side, but they no longer meet.
    assert [fault.code for fault in network.faults if fault.code == "streets_cut"] == ["streets_cut"]


def test_a_dead_end_at_a_wall_is_not_joined_from_the_other_side():
    # The path ends on the wall x = 100; a place at (110, 0) has the road at (140, y) 30 m away, the path's end 10 m away.
    town = streets({"a": (-1500, 0), "b": (100, 0), "c": (140, -900), "d": (140, 900)}, ["ab", "cd"])
    network = network_of(town, barriers(("wall", [(100, -50), (100, 50)])))
    assert attach(network, points([(110, 0)])).leg_m.tolist() == [pytest.approx(30)]
    assert attach(network_of(town), points([(110, 0)])).leg_m.tolist() == [pytest.approx(10)]


def test_walls_part_streets_that_are_not_for_this_mode_without_telling():
    town = streets({"a": (0, 0), "b": (100, 0), "c": (0, 80), "d": (100, 80)}, ["ab", "cd"])
    town.ways.loc[0, ["walk_forward", "walk_backward"]] = False
    assert [fault.code for fault in network_of(town, barriers(("wall", [(50, -50), (50, 50)]))).faults] == []


# --- against brute force -----------------------------------------------------------------------------------------------

COORDINATE = st.integers(-100, 100).map(float)
SEGMENT = st.tuples(st.tuples(COORDINATE, COORDINATE), st.tuples(COORDINATE, COORDINATE)).filter(lambda ends: ends[0] != ends[1])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(SEGMENT, min_size=1, max_size=6),
    st.lists(SEGMENT, min_size=1, max_size=6),
    st.lists(st.tuples(st.floats(-130, 130), st.floats(-130, 130)), min_size=1, max_size=12),
    st.integers(1, 3),
)
def test_places_join_the_nearest_streets_without_a_barrier_between(lines, waters, spots, options):
    nodes, ways = {}, []
    for at, (a, b) in enumerate(lines):
        nodes |= {f"a{at}": a, f"b{at}": b}
        ways.append([f"a{at}", f"b{at}"])
    network = network_of(streets(nodes, ways), barriers(*(("water", line) for line in waters)), snap_m=80.0)
    places = points(spots)
    attached = attach(network, places, options=options)
    walls = [LineString(np.array(line) + ORIGIN) for line in waters]
    slips = network.fragment[network.component[network.edge_u]]
    for place, spot in enumerate(places.geometry):
        clear, near = {True: [], False: []}, False
        for edge, line in enumerate(network.edge_lines()):
            foot = line.interpolate(line.project(spot))
            leg, metres = LineString([spot, foot]), spot.distance(foot)
            ends = shapely.union_all([spot.buffer(0.001), foot.buffer(0.001)])
            hits = [shapely.difference(leg.intersection(wall), ends) for wall in walls]
            near |= metres <= 80.0
            if metres <= 80.0 and all(hit.is_empty or hit.length > 0.1 for hit in hits):
                clear[bool(slips[edge])].append(metres)
        expected = sorted(clear[False] or clear[True])[:options]
        got = sorted(attached.leg_m[attached.place == place].tolist())
        assert got == pytest.approx(expected, abs=0.01)
        assert attached.fault[place] == ("" if expected else "barrier" if near else "far")


@settings(max_examples=60, deadline=None)
@given(st.lists(SEGMENT, min_size=1, max_size=5), st.integers(0, 2**31))
def test_walls_part_a_grid_of_streets_as_taking_out_the_crossed_pieces_does(walls, seed):
    # A grid off the walls' whole coordinates; the oracle joins two junctions where no wall crosses the straight piece between.
    rng = np.random.default_rng(seed)
    side = 5
    place = {
        (r, c): (c * 40 - 80 + rng.uniform(0.2, 0.4), r * 40 - 80 + rng.uniform(0.2, 0.4))
        for r in range(side)
        for c in range(side)
    }
    ways = [[(r, c) for c in range(side)] for r in range(side)] + [[(r, c) for r in range(side)] for c in range(side)]
    network = network_of(streets(place, ways), barriers(*(("wall", line) for line in walls)))
    solid = shapely.union_all([LineString(line) for line in walls])
    assume(shapely.distance(shapely.points(list(place.values())), solid).min() > 0.05)  # a wall on a node has a test of its own
    graph = nx.Graph()
    graph.add_nodes_from(range(side * side))
    names = list(place)
    for way in ways:
        for a, b in zip(way[:-1], way[1:], strict=True):
            if not LineString([place[a], place[b]]).intersects(solid):
                graph.add_edge(names.index(a), names.index(b))
    told = {int(node) - 1: int(part) for node, part in zip(network.node_id, network.component, strict=True) if node > 0}
    for one in range(side * side):
        for other in range(one):
            if graph.degree(one) and graph.degree(other):
                assert (told[one] == told[other]) == nx.has_path(graph, one, other)


def test_isochrones_and_cells_obey_the_same_rule():
    # Every lattice point asked as a cell: the same cost to the rounding of a leg (float32), and unreached where cells are.
    # Streets lie off the lattice's diagonals, where a point would be equally near to two of them.
    nodes = {name: (x + 0.31 * at, y + 0.17 * at * at) for at, (name, (x, y)) in enumerate(INNER.items())}
    town = streets(nodes, ["ijgo", "woe", "en"])
    network = network_of(town, barriers(COMPOUND, ("water", [(60, -80), (60, -25)]), gates=[(50, 0)]))
    care = points([(120, 74)])
    found = surface(network, care, minutes=30)
    rows, columns = found.cost.shape
    x = found.x0 + (np.arange(columns) + 0.5) * found.step_m - EAST
    y = found.y1 - (np.arange(rows) + 0.5) * found.step_m - NORTH
    xy = np.array([(a, b) for b in y for a in x])
    times = travel_times(network, care, points(xy), limit_min=30)
    cost = found.cost.reshape(-1)
    assert np.array_equal(np.isfinite(cost), times.nearest_cost >= 0)
    reached = np.isfinite(cost)
    assert np.abs(cost[reached] - times.nearest_cost[reached]).max() <= 3
    plain_ = travel_times(network_of(town), care, points(xy), limit_min=30)
    assert (np.abs(plain_.nearest_cost - times.nearest_cost) > 1000).sum() > 100


def test_an_isochrone_stops_at_the_wall():
    # 60 s around (120, 74): the compound's east side is 20 m from the road, and takes minutes by the gate.
    care = points([(120, 74)])
    (plain_,) = draw_isochrones(network_of(COMPOUND_TOWN), care, minutes=[1]).geometry
    (walled,) = draw_isochrones(network_of(COMPOUND_TOWN, barriers(COMPOUND, gates=[(50, 0)])), care, minutes=[1]).geometry
    inside = shapely.box(EAST + 5, NORTH + 5, EAST + 94, NORTH + 94)
    assert plain_.intersection(inside).area > 100
    assert walled.intersection(inside).area == 0


# --- entrances and the leg's own speed ---------------------------------------------------------------------------------


def test_cells_and_facilities_may_have_several_entrances():
    # A compound cell with entrances north (10 m from the street y = 60) and south (5 m from y = −20), care at (0, −20) and a
    # second entrance of it at (290, 60): north to north 10 + 190 = 200 s, south to south 5 + 100 = 105 s.
    town = streets({"a": (0, -20), "b": (300, -20), "c": (300, 60), "d": (0, 60)}, ["ab", "bc", "cd"])
    cell = gpd.GeoDataFrame(geometry=[MultiPoint([(EAST + 100, NORTH + 50), (EAST + 100, NORTH - 15)])], crs=CRS)
    care = gpd.GeoDataFrame(geometry=[MultiPoint([(EAST, NORTH - 20), (EAST + 290, NORTH + 60)])], crs=CRS)
    assert seconds(network_of(town), care, cell) == [105.0]
    # A river between the southern entrance and its street sends that entrance north as well: 75 + 190.
    shut = network_of(town, barriers(("water", [(-50, -17), (250, -17)])))
    attached = attach(shut, cell)
    assert attached.fault.tolist() == [""]
    assert attached.moved.tolist() == [True]
    assert seconds(shut, care, cell) == [200.0]


def test_an_entrance_that_is_shut_in_leaves_the_place_its_others():
    cell = gpd.GeoDataFrame(geometry=[MultiPoint([(EAST + 100, NORTH + 20), (EAST + 10, NORTH - 10)])], crs=CRS)
    attached = attach(network_of(TWO_STREETS, barriers(("water", ring(80, 0, 120, 40)))), cell)
    assert (attached.fault.tolist(), attached.shut.tolist(), attached.leg_m.tolist()) == ([""], [True], [pytest.approx(10)])


def test_the_leg_has_a_speed_of_its_own_by_way_of_a_gate_too():
    # 60 m of leg at 0.5 m/s, 60 m of street at 1 m/s.
    town = streets({"s": (110, -100), "n": (110, 200)}, ["sn"])
    slow = replace(METRE_A_SECOND, leg_speed_kmh=1.8)
    network = network_of(town, barriers(("wall", ring(0, 0, 100, 80)), gates=[(100, 40)]), mode=slow)
    assert seconds(network, points([(110, 100)]), points([(60, 10)])) == [180.0]


# --- OSM tags ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"waterway": "river"}, "water"),
        ({"waterway": "canal"}, "water"),
        ({"waterway": "river", "tunnel": "culvert"}, None),
        ({"waterway": "stream"}, None),
        ({"waterway": "stream", "width": "2"}, None),
        ({"waterway": "drain", "width": "3 m"}, "water"),
        ({"waterway": "stream", "width": "wide"}, None),
        ({"natural": "water"}, "water"),
        ({"natural": "coastline"}, "water"),
        ({"waterway": "riverbank"}, "water"),
        ({"natural": "wood"}, None),
        ({"railway": "rail"}, "railway"),
        ({"railway": "rail", "bridge": "viaduct"}, None),
        ({"railway": "rail", "bridge": "no"}, "railway"),
        ({"railway": "subway", "tunnel": "yes"}, None),
        ({"railway": "subway", "location": "underground"}, None),
        ({"railway": "tram"}, None),
        ({"railway": "abandoned"}, None),
        ({"barrier": "wall"}, "wall"),
        ({"barrier": "fence", "landuse": "residential"}, "wall"),
        ({"barrier": "hedge"}, "wall"),
        ({"barrier": "city_wall"}, "wall"),
        ({"barrier": "retaining_wall"}, "wall"),
        ({"barrier": "guard_rail"}, None),
        ({"barrier": "wall", "covered": "yes"}, None),
        ({"landuse": "residential"}, None),
    ],
    ids=str,
)
def test_tags_tell_what_people_do_not_walk_across(tags, kind):
    assert barrier_kind(tags) == kind


@pytest.mark.parametrize(
    ("tags", "bars"),
    [
        ({"highway": "motorway"}, True),
        ({"highway": "motorway_link"}, True),
        ({"highway": "trunk", "motorroad": "yes"}, True),
        ({"highway": "trunk"}, False),
        ({"highway": "motorway", "tunnel": "yes"}, False),
    ],
    ids=str,
)
def test_motorways_on_the_ground_bar_legs(tags, bars):
    assert bars_legs(tags) == bars


def node(x, y, **tags):
    (lon,), (lat,) = degrees([(x, y)])
    return {"lon": f"{lon:.9f}", "lat": f"{lat:.9f}", **tags}


STREET = {"highway": "residential"}


def compound_file(tmp_path, gate, *, more_nodes=None, more_ways=None) -> Path:
    """The compound of `COMPOUND_TOWN` as OSM has it, with the tags of its gate's node, which wall and street share."""
    corners = {1: node(0, 0), 2: node(50, 0, **gate), 3: node(100, 0), 4: node(100, 100), 5: node(0, 100)}
    nodes = corners | {
        10: node(90, 50),
        11: node(50, 50),
        12: node(50, -20),
        13: node(-300, -20),
        14: node(120, -20),
        15: node(120, 150),
    }
    ways = {
        1: ([1, 2, 3, 4, 5, 1], {"barrier": "wall", "landuse": "residential"}),
        2: ([10, 11, 2, 12], STREET),
        3: ([13, 12, 14], STREET),
        4: ([14, 15], STREET),
    }
    path = tmp_path / "compound.osm"
    path.write_text(osm(nodes | (more_nodes or {}), ways | (more_ways or {})), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ({"barrier": "gate"}, 299.0),
        ({"barrier": "lift_gate"}, 299.0),
        ({"barrier": "entrance"}, 299.0),
        ({"barrier": "gate", "locked": "yes"}, -1.0),
        ({}, -1.0),
    ],
    ids=str,
)
def test_an_osm_compound_is_left_by_its_gate_where_that_is_open(tmp_path, gate, expected):
    read = read_streets(compound_file(tmp_path, gate))
    network = build_network(read.table, mode=METRE_A_SECOND, crs=CRS)
    assert seconds(network, points([(120, 74)]), points([(97, 74)])) == [pytest.approx(expected, abs=0.2)]
    assert ("streets_cut" in {fault.code for fault in network.faults}) == (gate == {})


def test_an_osm_file_gives_its_barriers_by_kind(tmp_path):
    more = {
        20: node(-400, -50),
        21: node(400, -50),
        22: node(-400, -60),
        23: node(400, -60),
        24: node(-400, -70),
        25: node(400, -70),
    }
    ways = {20: ([20, 21], {"waterway": "river"}), 21: ([22, 23], {"railway": "rail"}), 22: ([24, 25], {"highway": "motorway"})}
    read = read_streets(compound_file(tmp_path, {"barrier": "gate"}, more_nodes=more, more_ways=ways)).table
    assert read.barriers.count() == {"water": 1, "railway": 1, "motorway": 1, "wall": 1}
    assert len(read.barriers.gate_lon) == 1
    assert without_osm(read).barriers.count() == {"water": 0, "railway": 0, "motorway": 0, "wall": 0}
    assert len(without_osm(read).barriers.gate_lon) == 1
    assert without_osm(replace(read, barriers=None)).barriers is None


# --- the planner's own layers ------------------------------------------------------------------------------------------


def layer(tmp_path, name, shapes, crs=CRS, **columns) -> Path:
    moved = [shapely.transform(shape, lambda xy: xy + ORIGIN) if shape is not None else None for shape in shapes]
    path = tmp_path / f"{name}.gpkg"
    gpd.GeoDataFrame(pd.DataFrame(columns, index=range(len(shapes))), geometry=moved, crs=crs).to_file(path)
    return path


def test_a_compound_polygon_and_a_gate_layer_work_as_a_mapped_wall_does(tmp_path):
    compounds = layer(tmp_path, "compounds", [Polygon(ring(0, 0, 100, 100))], 类型=["小区"])
    gates = layer(tmp_path, "gates", [Point(52, -1)])
    walled = add_barriers(COMPOUND_TOWN, compounds)
    assert [(fault.code, fault.found) for fault in walled.faults if fault.code == "barriers_added"] == [
        ("barriers_added", "wall 1")
    ]
    opened = add_gates(walled.table, gates)
    build = partial(build_network, mode=METRE_A_SECOND, crs=CRS)
    care, cell = points([(120, 74)]), points([(97, 74)])
    assert seconds(build(walled.table), care, cell) == [-1.0]
    assert seconds(build(opened.table), care, cell) == [299.0]
    assert COMPOUND_TOWN.barriers is None


def test_a_gate_that_the_planner_shuts_is_shut_and_one_that_she_opens_is_open(tmp_path):
    care, cell = points([(120, 74)]), points([(97, 74)])
    build = partial(build_network, mode=METRE_A_SECOND, crs=CRS)
    shut = layer(tmp_path, "shut", [Point(51, 0)], 开放=["否"])
    done = add_gates(read_streets(compound_file(tmp_path, {"barrier": "gate"})).table, shut)
    assert seconds(build(done.table), care, cell) == [-1.0]
    assert "of the street file's, 0 locked ones are opened and 1 open ones shut" in done.faults[-1].text("en")
    assert "原上锁的 0 处改为开放，原开放的 1 处改为关闭" in done.faults[-1].text("zh")
    open_ = layer(tmp_path, "open", [Point(51, 0)], 开放=["是"])
    done = add_gates(read_streets(compound_file(tmp_path, {"barrier": "gate", "locked": "yes"})).table, open_)
    assert seconds(build(done.table), care, cell) == [pytest.approx(299, abs=0.2)]
    assert "1 locked ones are opened and 0 open ones shut" in done.faults[-1].text("en")


def test_lines_of_several_kinds_come_from_one_layer_and_a_kind_may_be_stated(tmp_path):
    lines = [LineString([(-500, 0), (500, 0)]), LineString([(0, 0), (0, 9)]), LineString([(0, 0), (0, 9)])]
    path = layer(tmp_path, "lines", lines, 类型=["河流", "铁路", "高速公路"])
    assert add_barriers(TWO_STREETS, path).table.barriers.count() == {"water": 1, "railway": 1, "motorway": 1, "wall": 0}
    assert add_barriers(TWO_STREETS, path, kind="wall").table.barriers.count()["wall"] == 3
    twice = add_barriers(add_barriers(TWO_STREETS, path).table, path).table
    assert twice.barriers.count() == {"water": 2, "railway": 2, "motorway": 2, "wall": 0}
    network = build_network(twice, mode=METRE_A_SECOND, crs=CRS)
    assert seconds(network, points([(0.5, -20)]), points([(10, 10)])) == [719.5]  # 50 + 290 + 80 + 299.5


def test_a_gate_away_from_every_wall_is_told(tmp_path):
    town = add_gates(
        replace(COMPOUND_TOWN, barriers=barriers(COMPOUND)), layer(tmp_path, "gates", [Point(50, -12), Point(0, 50)])
    ).table
    told = {fault.code: fault for fault in build_network(town, mode=METRE_A_SECOND, crs=CRS).faults}["gate_on_no_wall"]
    assert told.text("en").startswith(
        "1 gates stand on no wall and open nothing (found '500050 3899988'). Check where they stand"
    )
    assert told.text("zh").startswith("1 处出入口不在任何围墙上，未起作用")
    alone = add_gates(COMPOUND_TOWN, tmp_path / "gates.gpkg").table
    assert (
        "2 gates"
        in {fault.code: fault for fault in build_network(alone, mode=METRE_A_SECOND, crs=CRS).faults}["gate_on_no_wall"].en
    )
    wide = add_gates(replace(COMPOUND_TOWN, barriers=barriers(COMPOUND)), tmp_path / "gates.gpkg", within_m=12).table
    assert "gate_on_no_wall" not in {fault.code for fault in build_network(wide, mode=METRE_A_SECOND, crs=CRS).faults}


def refused(read, lang="en") -> str:
    with pytest.raises(InputError) as raised:
        read()
    return raised.value.text(lang)


def test_bad_barrier_layers_are_refused_with_a_cure(tmp_path):
    line = LineString([(0, 0), (9, 9)])
    odd = layer(tmp_path, "odd", [line, line], 类型=["围强", None])
    text = refused(lambda: add_barriers(TWO_STREETS, odd))
    assert "is no known kind of barrier" in text
    assert "does not say what kind of barrier it is" in text
    assert "state kind in [[barriers.layers]]" in text
    assert "屏障类型不认识" in refused(lambda: add_barriers(TWO_STREETS, odd), "zh")
    assert "未说明屏障类型" in refused(lambda: add_barriers(TWO_STREETS, odd), "zh")
    dots = layer(tmp_path, "dots", [line, Point(0, 0)], 类型=["围墙", "围墙"])
    assert "row 2: is no line or area, or has no length. Put gates in the layer of gates" in refused(
        lambda: add_barriers(TWO_STREETS, dots)
    )
    assert "不是线或面，或没有长度" in refused(lambda: add_barriers(TWO_STREETS, dots), "zh")
    nowhere = tmp_path / "nowhere.shp"
    layer(tmp_path, "nowhere", [line], 类型=["围墙"])
    gpd.read_file(tmp_path / "nowhere.gpkg").to_file(nowhere, encoding="utf-8")
    nowhere.with_suffix(".prj").unlink()
    assert "the coordinate system is not stated" in refused(lambda: add_barriers(TWO_STREETS, nowhere))
    table = tmp_path / "table.csv"
    table.write_text("类型,名称\n围墙,甲\n", encoding="utf-8")
    assert "is a table without shapes. Give a layer of lines or areas" in refused(lambda: add_barriers(TWO_STREETS, table))
    assert "没有几何图形" in refused(lambda: add_barriers(TWO_STREETS, table), "zh")
    assert "the file does not exist" in refused(lambda: add_barriers(TWO_STREETS, tmp_path / "none.gpkg"))


def test_bad_gate_layers_are_refused_with_a_cure(tmp_path):
    lines = layer(tmp_path, "lines", [LineString([(0, 0), (9, 9)])])
    assert "a gate must be a point. Make it a layer of points" in refused(lambda: add_gates(TWO_STREETS, lines))
    assert "出入口必须是点" in refused(lambda: add_gates(TWO_STREETS, lines), "zh")
    half = layer(tmp_path, "half", [Point(0, 0)], 开放=["半开"])
    assert "says neither open nor shut (found '半开'). Write yes or no" in refused(lambda: add_gates(TWO_STREETS, half))
    assert "无法判断是否开放" in refused(lambda: add_gates(TWO_STREETS, half), "zh")
    with pytest.raises(ValueError, match="within_m must be above 0"):
        add_gates(TWO_STREETS, layer(tmp_path, "gates", [Point(0, 0)]), within_m=0)


@pytest.mark.parametrize("datum", ["WGS-84", "GCJ-02", "BD-09"])
def test_gates_are_read_from_a_table_as_registers_are_and_their_datum_is_taken_off(tmp_path, datum):
    lon, lat = degrees([(52, -1)])
    if datum != "WGS-84":
        lon, lat = gcj02_from_wgs84(lon, lat)
    if datum == "BD-09":
        lon, lat = bd09_from_gcj02(lon, lat)
    table = tmp_path / "gates.csv"
    table.write_bytes(f"名称,经度,纬度,是否开放\n东门,{lon[0]:.7f},{lat[0]:.7f},是\n".encode("gbk"))
    made = add_gates(COMPOUND_TOWN, table, crs="EPSG:4326", datum=datum).table.barriers
    assert np.allclose([made.gate_lon, made.gate_lat], degrees([(52, -1)]), atol=2e-6, rtol=0)


def test_gates_whose_datum_is_not_stated_lie_off_their_walls_and_the_datum_that_fits_is_told(tmp_path):
    lon, lat = gcj02_from_wgs84(*degrees([(52, -1)]))
    (tmp_path / "gates.csv").write_text(f"lon,lat\n{lon[0]:.7f},{lat[0]:.7f}\n", encoding="utf-8")
    walled = replace(COMPOUND_TOWN, barriers=barriers(COMPOUND))

    def told(**how):
        faults = add_gates(walled, tmp_path / "gates.csv", crs="EPSG:4326", **how).faults
        return [fault.text("en") for fault in faults if fault.code == "gates_off_walls"]

    assert told(datum="GCJ-02") == []
    assert "1 of 1 open gates lie more than 5 m from any wall and open none" in told()[0]
    assert 'state datum = "GCJ-02" in [[barriers.gates]]' in told()[0]


def test_the_kind_of_a_layer_may_be_written_in_chinese():
    assert BarrierSection(layers=[{"file": "a.gpkg", "kind": "围墙"}]).layers[0].kind == "wall"


def test_a_table_of_gates_without_coordinates_or_system_says_what_to_write(tmp_path):
    table = tmp_path / "gates.csv"
    table.write_text("名称\n东门\n", encoding="utf-8")
    assert "[barriers.gates.columns]" in refused(lambda: add_gates(COMPOUND_TOWN, table, crs="EPSG:4326"))
    table.write_text("lon,lat\n123,35\n", encoding="utf-8")
    assert "State crs in [[barriers.gates]] of the study" in refused(lambda: add_gates(COMPOUND_TOWN, table))


# --- the study's section -----------------------------------------------------------------------------------------------


def test_a_study_brings_its_own_barriers_and_gates(tmp_path):
    layer(tmp_path, "compounds", [Polygon(ring(0, 0, 100, 100))])
    layer(tmp_path, "gates", [Point(50, 0)])
    section = BarrierSection(
        layers=[{"file": "compounds.gpkg", "kind": "wall"}], gates=[{"file": "gates.gpkg", "within_m": 3.0}], behind="nearest"
    )
    assert section.layers == (BarrierLayerSection(file="compounds.gpkg", kind="wall"),)
    assert section.gates == (GateLayerSection(file="gates.gpkg", within_m=3.0),)
    done = with_barriers(tmp_path, section, Checked(COMPOUND_TOWN))
    assert [fault.code for fault in done.faults if fault.code.endswith("_added")] == ["barriers_added", "gates_added"]
    assert (done.table.barriers.behind, done.table.barriers.cut_streets) == ("nearest", True)
    network = build_network(done.table, mode=METRE_A_SECOND, crs=CRS)
    assert seconds(network, points([(120, 74)]), points([(97, 74)])) == [299.0]


def test_a_study_may_forget_the_barriers_of_its_street_file(tmp_path):
    known = replace(COMPOUND_TOWN, barriers=barriers(COMPOUND, gates=[(50, 0)]))
    assert with_barriers(tmp_path, BarrierSection(osm=False), Checked(known)).table.barriers.count()["wall"] == 0
    assert with_barriers(tmp_path, BarrierSection(), Checked(known)).table.barriers.count()["wall"] == 1
    assert with_barriers(tmp_path, BarrierSection(), Checked(COMPOUND_TOWN)).table is COMPOUND_TOWN


def test_faults_of_all_layers_are_told_at_once(tmp_path):
    section = BarrierSection(layers=[{"file": "a.gpkg"}, {"file": "b.gpkg"}], gates=[{"file": "c.gpkg"}])
    text = refused(lambda: with_barriers(tmp_path, section, Checked(TWO_STREETS)))
    assert all(f"{name}.gpkg" in text for name in "abc")


# --- real streets ------------------------------------------------------------------------------------------------------


def test_no_leg_in_heidelberg_crosses_a_barrier():
    path = DATA / "heidelberg" / "heidelberg.osm.pbf"
    if not path.is_file():
        pytest.skip(f"{path} is not here; see /work/shared/data/README.md")
    network = build_network(read_streets(path).table, mode=WALK_ADULT)
    rng = np.random.default_rng(3)
    at = rng.integers(len(network.x), size=20_000)
    xy = np.column_stack([network.x[at], network.y[at]]) + rng.uniform(-80, 80, (20_000, 2))
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=network.crs)
    attached = attach(network, places)
    straight = np.hypot(xy[attached.place, 0] - attached.x, xy[attached.place, 1] - attached.y)
    direct = np.abs(straight - attached.leg_m) < 0.01
    lines = network.barriers
    ends = [np.column_stack([lines.x[lines.start + end], lines.y[lines.start + end]]) for end in (0, 1)]
    tree = shapely.STRtree(shapely.linestrings(np.stack(ends, axis=1)))
    a, b = xy[attached.place], np.column_stack([attached.x, attached.y])
    unit = (b - a) / np.maximum(straight, 1e-9)[:, None]
    legs = shapely.linestrings(np.stack([a + 0.002 * unit, b - 0.002 * unit], axis=1))[direct & (straight > 0.01)]
    assert len(tree.query(legs, predicate="crosses")[0]) == 0
    assert 100 < attached.moved.sum() < 1000
    assert (~direct).sum() < attached.moved.sum()
    assert attached.fault.tolist().count("barrier") > 0
