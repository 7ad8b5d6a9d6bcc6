"""People and places: who is served, who finds no place, who is out of reach; by hand, at random, and on real towns."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from catchment_towns import NONE, random_town, reached
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPoint, Point, box
from test_transport import programme

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))  # last: benchmarks/access.py is not PySAL's access

from berlin_places import berlin

from careshed.access import ALL, OUTSIDE
from careshed.modes import MODES, WALK_OLDER
from careshed.network import build_network
from careshed.reach import TravelTimes, travel_times
from careshed.study import open_study
from careshed.supply.assignment import STATES, Assignment, assign_places, by_unit, links_lines

DATA = Path(os.environ.get("CARESHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
RULES = ("nearest", "nearest_with_overflow", "least_time")


def street(**changes: object) -> tuple[TravelTimes, gpd.GeoDataFrame]:
    """Two stations, five cells: minutes to f0 and f1.

    f0 has 5 places, f1 4. Cell 100 (4 people) is 1 and 9 minutes away, 101 (3) 2 and 6, 102 (2) 20 and 3; 103 (6) is a
    millisecond beyond 15 minutes, 104 (7) joins no street.
    """
    beyond = 15 + 1 / 60_000
    table = [[1, 2, 20, beyond, NONE], [9, 6, 3, NONE, NONE]]
    given = {"places": [5.0, 4.0], "people": [4.0, 3.0, 2.0, 6.0, 7.0], "faults": {4: "far"}} | changes
    return reached(table, **given)  # type: ignore[arg-type]


def assigned(rule: str = "least_time", **changes: object) -> Assignment:
    times, cells = street(**changes)
    return assign_places(times, cells, group="p60", minutes=15, rule=rule)  # type: ignore[arg-type]


def links(found: Assignment) -> list[tuple[int, str, float]]:
    return list(found.links[["cell_id", "facility_id", "people"]].itertuples(index=False, name=None))


def check(found: Assignment, cells: pd.DataFrame) -> None:
    """Every person is in one state, links and tables tell the same, and no facility is overfull."""
    table, facilities = found.cells, found.facilities
    np.testing.assert_allclose(table[list(STATES)].sum(axis=1), table["people"], atol=1e-9)
    np.testing.assert_allclose(table["people"], cells[found.group], atol=5.0001e-7)
    assert (table.to_numpy() >= 0).all()
    assert (found.links["people"] > 0).all()
    assert (found.links["cost"] <= found.limit).all()
    assert not found.links.duplicated(["cell_id", "facility_id"]).any()
    by_cell = found.links.groupby("cell_id")["people"].sum().reindex(table.index, fill_value=0.0)
    np.testing.assert_allclose(by_cell, table["served"], atol=1e-9)
    by_facility = found.links.groupby("facility_id")["people"].sum().reindex(facilities.index, fill_value=0.0)
    np.testing.assert_allclose(by_facility, facilities["served"], atol=1e-6)
    known = facilities["places"].notna()
    assert (facilities["served"] <= facilities["places"])[known].all()


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_nearest_turns_people_away_from_a_full_facility_though_another_has_room():
    found = assigned("nearest")
    # f0 is nearest to 4 + 3 people and has 5 places: the 4 at 1 minute come first, one of the 3 at 2 minutes follows.
    assert links(found) == [(100, "f0", 4.0), (101, "f0", 1.0), (102, "f1", 2.0)]
    assert found.cells["no_place"].tolist() == [0.0, 2.0, 0.0, 0.0, 0.0]
    assert found.objective == 4 * 1 + 1 * 2 + 2 * 3


def test_with_overflow_who_is_turned_away_goes_to_the_next_nearest_with_room():
    found = assigned("nearest_with_overflow")
    assert links(found) == [(100, "f0", 4.0), (101, "f0", 1.0), (101, "f1", 2.0), (102, "f1", 2.0)]
    assert found.cells["no_place"].sum() == 0


def test_with_overflow_the_shorter_way_wins_the_place():
    # f0 is full with 100; 101 goes on to f1 at 6 minutes and takes it before 102, whose nearest it is, at 7 minutes.
    times, cells = reached([[1, 2, NONE], [9, 6, 7]], places=[4.0, 3.0], people=[4.0, 3.0, 2.0])
    found = assign_places(times, cells, group="p60", minutes=15, rule="nearest_with_overflow")
    assert links(found) == [(100, "f0", 4.0), (101, "f1", 3.0)]


def test_least_time_serves_whom_the_nearest_rules_leave_out():
    # One place each; 100 reaches both (1 and 5 minutes), 101 only f0 (2 minutes): 100 must make room.
    times, cells = reached([[1, 2], [5, NONE]], places=[1.0, 1.0], people=[1.0, 1.0])
    greedy, best = (assign_places(times, cells, group="p60", minutes=15, rule=rule) for rule in RULES[1:])
    assert greedy.cells["no_place"].tolist() == [0.0, 1.0]
    assert links(best) == [(100, "f1", 1.0), (101, "f0", 1.0)]
    assert (best.objective, best.bound, best.proven) == (7.0, 7.0, True)


def test_least_time_takes_the_least_travel_among_those_who_can_be_served():
    # All 9 can be served. Two must leave f0 for f1: 100 would pay 8 minutes more each, 101 4 minutes.
    found = assigned("least_time")
    assert links(found) == [(100, "f0", 4.0), (101, "f0", 1.0), (101, "f1", 2.0), (102, "f1", 2.0)]
    assert found.objective == 4 * 1 + 1 * 2 + 2 * 6 + 2 * 3


@pytest.mark.parametrize("rule", RULES)
def test_everyone_is_in_one_state_whatever_the_rule(rule):
    found = assigned(rule)
    check(found, street()[1])
    assert found.cells["out_of_reach"].tolist() == [0.0, 0.0, 0.0, 6.0, 0.0]
    assert found.cells["unjudged"].tolist() == [0.0, 0.0, 0.0, 0.0, 7.0]


def test_the_limit_itself_is_in_reach():
    times, cells = street()
    at = assign_places(times, cells, group="p60", minutes=15 + 1 / 60_000)
    assert at.cells["out_of_reach"].sum() == 0
    # 9 places for 4 + 3 + 2 + 6 people in reach.
    assert (at.cells["served"].sum(), at.cells["no_place"].sum()) == (9.0, 6.0)


def test_a_facility_at_the_door_costs_nothing_and_is_in_reach():
    times, cells = reached([[0]], places=[1.0], people=[2.0])
    found = assign_places(times, cells, group="p60", minutes=1)
    assert found.cells.iloc[0].tolist() == [2.0, 1.0, 1.0, 0.0, 0.0]
    assert found.links["cost"].tolist() == [0]


def test_a_facility_without_places_leaves_people_in_reach_without_a_place():
    times, cells = reached([[5]], places=[0.0], people=[2.0])
    for rule in RULES:
        found = assign_places(times, cells, group="p60", minutes=15, rule=rule)
        assert found.cells[["no_place", "out_of_reach"]].to_numpy().tolist() == [[2.0, 0.0]]
        assert found.links.empty
        assert np.isnan(found.facilities.loc["f0", "load"])


def test_facilities_tell_load_spare_places_and_how_far_people_come():
    table = assigned("nearest").facilities
    assert table.columns.tolist() == ["name", "places", "served", "spare", "load", "minutes_mean", "minutes_longest"]
    # f0: 4 people at 1 minute, one at 2; f1: 2 of 4 places taken, at 3 minutes.
    assert table.loc["f0"].tolist() == ["站0", 5.0, 5.0, 0.0, 1.0, 1.2, 2.0]
    assert table.loc["f1"].tolist() == ["站1", 4.0, 2.0, 2.0, 0.5, 3.0, 3.0]


def test_a_facility_that_takes_nobody_has_no_mean_way():
    times, cells = reached([[5], [6]], places=[2.0, 3.0], people=[2.0])
    last = assign_places(times, cells, group="p60", minutes=15).facilities.loc["f1"]
    assert last[["served", "spare", "load"]].tolist() == [0.0, 3.0, 0.0]
    assert last[["minutes_mean", "minutes_longest"]].isna().all()


def test_metres_are_counted_in_metres():
    times, cells = reached([[100, 300], [250, 50]], places=[1.0, 1.0], people=[1.0, 1.0], limit=300, metric="length")
    found = assign_places(times, cells, group="p60", metres=300)
    assert found.links["metres"].tolist() == [100.0, 50.0]
    assert found.objective == 150.0
    assert found.facilities["metres_longest"].tolist() == [100.0, 50.0]


def test_ties_go_to_the_first_cell_and_the_first_facility_id():
    times, cells = reached([[5, 5], [5, 5]], places=[1.0, 1.0], people=[1.0, 1.0])
    overflow = assign_places(times, cells, group="p60", minutes=15, rule="nearest_with_overflow")
    assert links(overflow) == [(100, "f0", 1.0), (101, "f1", 1.0)]
    nearest = assign_places(times, cells, group="p60", minutes=15, rule="nearest")
    assert links(nearest) == [(100, "f0", 1.0)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_changes_nothing(rule, seed):
    times, cells = random_town(seed)
    places = times.facilities["places"]
    table = np.full((len(places), len(cells)), NONE)
    table[np.repeat(np.arange(len(places)), np.diff(times.indptr)), times.indices] = times.cost / 60_000
    turned, shuffled = reached(table[::-1, ::-1], places=places[::-1], people=cells["p60"][::-1])
    turned = TravelTimes(
        **{**vars(turned), "facilities": times.facilities[::-1], "cell_ids": times.cell_ids[::-1]}  # type: ignore[arg-type]
    )
    one = assign_places(times, cells, group="p60", minutes=20, rule=rule)
    two = assign_places(turned, shuffled.set_index(times.cell_ids[::-1]), group="p60", minutes=20, rule=rule)
    pd.testing.assert_frame_equal(one.links, two.links)
    pd.testing.assert_frame_equal(one.cells, two.cells[::-1])
    assert two.facilities.index.tolist() == times.facilities.index[::-1].tolist()


def test_inputs_are_left_alone():
    times, cells = street()
    before = cells.copy(), times.facilities.copy(), times.cost.copy()
    for rule in RULES:
        assign_places(times, cells, group="p60", minutes=15, rule=rule)
    pd.testing.assert_frame_equal(cells, before[0])
    pd.testing.assert_frame_equal(times.facilities, before[1])
    assert (times.cost == before[2]).all()


def test_nobody_and_no_facility_at_all_are_assigned_without_complaint():
    times, cells = reached(np.zeros((0, 2)), places=[], people=[3.0, 0.0])
    for rule in RULES:
        found = assign_places(times, cells, group="p60", minutes=15, rule=rule)
        assert found.cells["out_of_reach"].tolist() == [3.0, 0.0]
        assert found.facilities.empty
    times, cells = reached(np.zeros((1, 0)), places=[3.0], people=[])
    assert assign_places(times, cells, group="p60", minutes=15).facilities["spare"].tolist() == [3.0]


# --- unknown places, whole people, wrong input ------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_a_facility_of_unknown_places_is_named_and_offers_none(rule):
    found = assigned(rule, places=[np.nan, 4.0])
    assert [fault.code for fault in found.findings] == ["places_unknown"]
    assert found.findings[0].text("zh") == "“站0”的床位或托位数未知，按没有空位计。请在登记表中补充"
    assert (
        found.findings[0].text("en")
        == "the places of '站0' are unknown; it is counted as offering none. add them to the register"
    )
    assert found.facilities.loc["f0", "served"] == 0
    assert found.facilities.loc["f0", ["places", "spare", "load"]].isna().all()


def test_a_facility_of_unknown_places_may_have_room_for_all():
    times, cells = street(places=[np.nan, 4.0])
    found = assign_places(times, cells, group="p60", minutes=15, unknown="unlimited")
    assert found.facilities["served"].tolist() == [7.0, 2.0]
    assert found.facilities.loc["f0", ["places", "spare", "load"]].isna().all()
    assert "按不限名额计" in found.findings[0].text("zh")
    assert "counted as having room for all" in found.findings[0].text("en")


def test_places_may_be_given_by_facility_id():
    times, cells = street()
    found = assign_places(times, cells, group="p60", minutes=15, places=pd.Series({"f1": 9.0}))
    assert found.facilities["served"].tolist() == [0.0, 9.0]
    assert len(found.findings) == 1


def test_fractions_of_people_are_counted_to_the_millionth():
    times, cells = reached([[5, 6]], places=[1.0], people=[2 / 3, 2 / 3])
    found = assign_places(times, cells, group="p60", minutes=15)
    assert found.cells["served"].tolist() == [0.666667, 0.333333]
    assert found.cells["no_place"].tolist() == [0.0, 0.333334]
    assert found.facilities.loc["f0", "served"] == 1.0


def test_places_are_rounded_down_so_that_nobody_is_served_too_many():
    times, cells = reached([[5]], places=[0.9999999], people=[2.0])
    found = assign_places(times, cells, group="p60", minutes=15)
    assert found.facilities.loc["f0", "served"] == 0.999999


def test_more_places_than_there_are_numbers_do_no_harm():
    times, cells = street(places=[1e15, 4.0])
    assert assign_places(times, cells, group="p60", minutes=15).facilities["served"].tolist() == [7.0, 2.0]


@pytest.mark.parametrize("seed", range(8))
def test_whole_people_equal_an_integer_programme(seed):
    times, cells = random_town(seed, facilities=4, cells=8, most_people=9)
    found = assign_places(times, cells, group="p60", minutes=20, whole=True)
    table = np.full((4, 8), -1)
    near = times.cost <= 20 * 60_000
    table[np.repeat(np.arange(4), np.diff(times.indptr))[near], times.indices[near]] = times.cost[near] // 1000
    people, places = cells["p60"].to_numpy(dtype=int), times.facilities["places"].to_numpy(dtype=int)
    served, seconds = programme(table, people, places, whole=True)
    assert (found.links["people"] % 1 == 0).all()
    assert found.cells["served"].sum() == round(served)
    assert found.objective == pytest.approx(seconds / 60, abs=1e-9)
    assert found.proven


def test_whole_refuses_people_and_places_that_are_not():
    times, cells = street(people=[4.5, 3.0, 2.0, 6.0, 7.0])
    with pytest.raises(ValueError, match=r"needs whole people of group 'p60'; not so in 1 \(such as 100\); round them first"):
        assign_places(times, cells, group="p60", minutes=15, whole=True)
    times, cells = street(places=[5.0, 4.25])
    with pytest.raises(ValueError, match=r"needs whole places; not so in 1 \(such as f1\)"):
        assign_places(times, cells, group="p60", minutes=15, whole=True)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"rule": "fairest"}, "no rule 'fairest'; there are: nearest, nearest_with_overflow, least_time, catchment"),
        ({"rule": "catchment"}, "rule='catchment' needs catchment=, and no other rule takes it"),
        ({"catchment": pd.Series({100: "f0"})}, "rule='catchment' needs catchment=, and no other rule takes it"),
        ({"unknown": "many"}, "unknown='many' is neither of none, unlimited"),
        ({"minutes": None}, "exactly one limit"),
        ({"minutes": 31}, "searched only to"),
        ({"group": "p0_3"}, "no people of group 'p0_3'"),
        ({"places": "beds"}, "no column 'beds'"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, text):
    times, cells = street()
    with pytest.raises(ValueError, match=text):
        assign_places(times, cells, **({"group": "p60", "minutes": 15} | arguments))


def test_more_people_than_there_are_is_refused():
    times, cells = street(people=[4e9, 3.0, 2.0, 6.0, 7.0])
    with pytest.raises(ValueError, match=r"there are 4e\+09 people, more than 4e\+09; are the units right"):
        assign_places(times, cells, group="p60", minutes=15)


def test_the_rule_is_said_in_both_languages():
    assert assigned("nearest").method() == "每人只去最近的设施，近者先得，满员即止"
    assert "transport problem, optimal" in assigned("least_time").method("en")


# --- catchments -------------------------------------------------------------------------------------------------------


def zoned(catchment: pd.Series, **arguments: object) -> Assignment:
    times, cells = street()
    cells["unit"] = ["w", "w", "e", "e", ""]
    return assign_places(times, cells, group="p60", minutes=15, rule="catchment", catchment=catchment, **arguments)  # type: ignore[arg-type]


def units() -> gpd.GeoDataFrame:
    table = {"name": ["区", "西", "东"], "level": ["county", "street", "street"], "parent": ["", "d", "d"]}
    shapes = [box(0, 0, 2, 1), box(0, 0, 1, 1), box(1, 0, 2, 1)]
    return gpd.GeoDataFrame(table, index=pd.Index(["d", "w", "e"], name="unit_id"), geometry=shapes, crs="EPSG:32651")


def test_a_cells_people_go_to_the_facility_of_their_catchment_only():
    # 100 and 101 belong to f1, 6 and 9 minutes away, which has 4 places: the 3 at 6 minutes first.
    found = zoned(pd.Series({100: "f1", 101: "f1", 102: "f0"}))
    assert links(found) == [(100, "f1", 1.0), (101, "f1", 3.0)]
    # 102 reaches f1 but not its own f0, 20 minutes away: in reach of a facility, no place.
    assert found.cells["no_place"].tolist() == [3.0, 0.0, 2.0, 0.0, 0.0]
    assert not found.proven
    assert np.isnan(found.bound)


def test_people_without_a_catchment_or_too_far_from_its_facility_are_counted():
    found = zoned(pd.Series({100: "f1", 102: "f0", 101: ""}))
    told = {fault.code: fault for fault in found.findings}
    # 101 (3 people) and 103 (6) have no catchment; 102 (2) does not reach f0. 104 cannot be judged and is not counted here.
    assert {code: fault.people for code, fault in told.items()} == {"catchment_none": 9.0, "catchment_far": 2.0}
    assert told["catchment_none"].text("zh") == "2 个人口格网不属于任何片区，其居民没有位子可去（现为“p60”）"
    assert "1 population cells do not reach the facility of their catchment" in told["catchment_far"].text("en")


def test_a_unit_may_be_the_catchment():
    found = zoned(pd.Series({"w": "f0", "e": "f1"}))
    assert links(found) == [(100, "f0", 4.0), (101, "f0", 1.0), (102, "f1", 2.0)]


def test_a_unit_may_share_several_facilities():
    found = zoned(pd.Series(["f0", "f1", "f1"], index=["w", "w", "e"]))
    assert links(found) == [(100, "f0", 4.0), (101, "f0", 1.0), (101, "f1", 2.0), (102, "f1", 2.0)]


def test_a_larger_units_catchment_holds_where_the_smaller_has_none():
    found = zoned(pd.Series({"d": "f1", "w": "f0"}), units=units())
    assert links(found) == [(100, "f0", 4.0), (101, "f0", 1.0), (102, "f1", 2.0)]


@pytest.mark.parametrize(
    ("catchment", "text"),
    [
        ({100: "f9"}, "the catchments name facilities that the travel times lack: f9"),
        ({100: "f0", 7: "f1"}, "the catchments name cells that are not there: 7"),
        ({"d": "f0"}, "the catchments name units that are not there: d; larger units than the cells' own need units="),
        ({f"u{n}": "f0" for n in range(7)}, "units that are not there: u0, u1, u2, u3, u4 and 2 more"),
    ],
)
def test_catchments_of_what_is_not_there_are_refused(catchment, text):
    with pytest.raises(ValueError, match=text):
        zoned(pd.Series(catchment))


# --- by unit, and as lines --------------------------------------------------------------------------------------------


def test_the_split_is_counted_by_unit_and_in_all():
    times, cells = street()
    cells["unit"] = ["w", "w", "e", "e", ""]
    table = by_unit(assign_places(times, cells, group="p60", minutes=15, rule="nearest"), cells, units())
    assert table.index.tolist() == [ALL, "d", "w", "e", OUTSIDE]
    assert table.loc[ALL, ["people", *STATES]].tolist() == [22.0, 7.0, 2.0, 6.0, 7.0]
    assert table.loc["w", ["people", *STATES]].tolist() == [7.0, 5.0, 2.0, 0.0, 0.0]
    assert table.loc["e", ["people", *STATES]].tolist() == [8.0, 2.0, 0.0, 6.0, 0.0]
    assert table.loc["e", "share_out_of_reach"] == 0.75
    assert (table["minutes"] == 15.0).all()
    assert (table["name"].tolist(), set(table["group"])) == (["", "区", "西", "东", ""], {"p60"})


def test_shares_of_a_unit_where_nobody_lives_are_unknown():
    times, cells = street(people=[4.0, 3.0, 0.0, 0.0, 7.0])
    cells["unit"] = ["w", "w", "e", "e", "w"]
    table = by_unit(assign_places(times, cells, group="p60", minutes=15), cells, units())
    assert table.loc["e", [f"share_{state}" for state in STATES]].isna().all()


def test_links_are_drawn_from_cell_to_facility():
    times, cells = street()
    cells = cells.set_geometry([Point(n, 0) for n in range(5)], crs="EPSG:32651")
    entrances = MultiPoint([(9, 9), (11, 9)])
    stations = gpd.GeoDataFrame(times.facilities, geometry=[Point(0, 5), entrances], crs="EPSG:32651")
    found = assign_places(times, cells, group="p60", minutes=15)
    lines = links_lines(found, cells, stations)
    assert [list(line.coords) for line in lines.geometry] == [
        [(0.0, 0.0), (0.0, 5.0)],
        [(1.0, 0.0), (0.0, 5.0)],
        [(1.0, 0.0), (10.0, 9.0)],
        [(2.0, 0.0), (10.0, 9.0)],
    ]
    pd.testing.assert_frame_equal(pd.DataFrame(lines.drop(columns="geometry")), found.links)
    assert lines.crs == cells.crs


def test_lines_and_units_refuse_other_tables():
    times, cells = street()
    cells = cells.set_geometry([Point(n, 0) for n in range(5)], crs="EPSG:32651")
    stations = gpd.GeoDataFrame(times.facilities, geometry=[Point(0, 5), Point(9, 5)], crs="EPSG:32651")
    found = assign_places(times, cells, group="p60", minutes=15)
    for use in (lambda: by_unit(found, cells[1:], units()), lambda: links_lines(found, cells[1:], stations)):
        with pytest.raises(ValueError, match="5 other cells were assigned than the 4 given; use one cell table"):
            use()
    with pytest.raises(ValueError, match="different coordinate systems; convert one of them with to_crs"):
        links_lines(found, cells, stations.set_crs("EPSG:32652", allow_override=True))
    with pytest.raises(ValueError, match="there is no facility 'f1' among those given"):
        links_lines(found, cells, stations[:1])


# --- at random --------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1.0, 1 / 3, 1e-5]), st.integers(1, 25))
def test_random_towns_lose_nobody_and_least_time_serves_most(seed, people, minutes):
    times, cells = random_town(seed)
    cells["p60"] *= people
    found = {rule: assign_places(times, cells, group="p60", minutes=minutes, rule=rule) for rule in RULES}
    for one in found.values():
        check(one, cells)
    best = found["least_time"]
    assert best.proven
    assert best.bound == best.objective
    for other in found.values():
        served = other.cells["served"].sum()
        assert served <= best.cells["served"].sum() + 1e-6
        assert served < best.cells["served"].sum() - 1e-6 or other.objective >= best.objective - 1e-6
        pd.testing.assert_series_equal(other.cells["out_of_reach"], best.cells["out_of_reach"])


# --- real towns -------------------------------------------------------------------------------------------------------


def test_nobody_of_the_demo_town_is_lost(made_demo):
    study = open_study(made_demo)
    cells, units = study.cells, study.units
    networks = {mode: build_network(study.streets, mode=MODES[mode], crs=study.crs) for mode in {s.mode for s in study.services}}
    for service in study.services:
        limit = service.within_minutes
        times = travel_times(networks[service.mode], study.facilities(service.id), cells, limit_min=limit)
        reach = times.reached(minutes=limit) & (times.cell_fault == "")
        for rule in RULES:
            found = assign_places(times, cells, group=service.group, minutes=limit, rule=rule)
            check(found, cells)
            in_reach = found.cells[["served", "no_place"]].sum(axis=1)
            np.testing.assert_allclose(in_reach, np.where(reach, found.cells["people"], 0.0), atol=1e-9)
            assert by_unit(found, cells, units).loc[ALL, "people"] == pytest.approx(cells[found.group].sum(), abs=0.01)
            assert found.proven == (rule == "least_time")
        assert links_lines(found, cells, times.facilities).geometry.length.max() <= limit * 60 * 1.4


def needs(folder: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not (DATA / folder).is_dir(), reason=f"real data are not here: {DATA / folder}")


@needs("porto_alegre")
def test_nobody_of_porto_alegre_is_lost():
    from careshed.intake.streets import read_streets

    folder = DATA / "porto_alegre"
    network = build_network(read_streets(folder / "poa_osm.pbf").table, mode=WALK_OLDER, snap_m=300)
    table = pd.read_csv(folder / "poa_hexgrid.csv", index_col="id").rename(columns={"population": "total"})
    cells = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table.lon, table.lat), crs=4326).to_crs(network.crs)
    # The posts have no counts of places: 5,000 people each, made up for this test.
    posts = cells[cells["healthcare"] > 0].assign(places=lambda at: at["healthcare"] * 5000.0, name="")
    times = travel_times(network, posts, cells, limit_min=20)
    for rule in RULES:
        found = assign_places(times, cells, group="total", minutes=20, rule=rule)
        check(found, cells)
        assert found.cells["people"].sum() == 812_935.0
        assert found.cells["unjudged"].sum() == cells["total"][times.cell_fault != ""].sum() > 0
        assert found.proven == (rule == "least_time")


@needs("berlin_childcare")
def test_berlins_places_go_to_synthetic_children_and_nobody_is_lost():
    # The centres are real, the children SYNTHETIC, ways straight lines.
    times, cells, _ = berlin(DATA / "berlin_childcare", 400.0)
    assert (len(times.facilities), times.facilities["places"].sum()) == (2334, 201_261.0)
    served = {}
    for rule in RULES:
        found = assign_places(times, cells, group="p0_6", minutes=15, rule=rule)
        check(found, cells)
        served[rule] = found.cells["served"].sum()
    assert found.proven
    assert served["nearest"] < served["nearest_with_overflow"] <= served["least_time"] < 201_261
    # Whoever stays without a place reaches no centre with a place left: else one more could be served.
    left = found.facilities["spare"].to_numpy() > 0.5
    reach = np.zeros(len(cells), dtype=bool)
    reach[times.indices[np.repeat(left, np.diff(times.indptr))]] = True
    assert not (reach & (found.cells["no_place"] > 0)).any()
