"""The check of streets: gaps and whom joining them helps, cut-off parts, closed roads, and the list of repairs."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer
from towns import CRS, EAST, NORTH, points, streets

from careshed.intake.streets.lines.noding import Joint
from careshed.intake.streets.parting import part_at
from careshed.intake.streets.repairing import Repair, apply_repairs, read_repairs, write_repairs
from careshed.modes import CAR, WALK_ADULT
from careshed.network import attach, build_network
from careshed.reach import travel_times
from careshed.schema import Fault, InputError
from careshed.streetcheck import JOINTS, check_streets, find_street_gaps, joints_table, repair_streets, repairs_of
from careshed.streetcheck.footways import missing_footways
from careshed.streetcheck.gains import Case, weigh_gaps
from careshed.streetcheck.parts import class_lengths, street_parts

T_TOWN = {"a": (0, 0), "b": (1000, 0), "c": (500, 5), "d": (500, 405)}
"""A street along the x axis, and a side street whose end lies 5 m short of its middle."""


def net(town, mode=WALK_ADULT):
    return build_network(town, mode=mode, crs=CRS)


def t_town():
    return streets(T_TOWN, ["ab", "cd"])


def gaps_of(town, **options):
    return find_street_gaps(town, net(town), **options).gaps


def degrees(*xy):
    turn = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    return tuple(tuple(map(float, turn.transform(x + EAST, y + NORTH))) for x, y in xy)


def test_an_end_short_of_a_street_is_a_gap_between_two_of_its_nodes():
    (gap,) = gaps_of(t_town())
    # c (node 3) lies 5 m above the street a–b (nodes 1, 2), half-way along it; the side street is the shorter part, number 1.
    assert gap.gap_m == pytest.approx(5, abs=1e-6)
    assert (gap.repair.from_node, gap.repair.to_node, gap.repair.to_next) == (3, 1, 2)
    assert (gap.end.x - EAST, gap.end.y - NORTH) == pytest.approx((500, 0), abs=1e-3)
    assert gap.joins == (0, 1)
    assert not gap.repair.use


def test_the_limit_itself_counts():
    assert len(gaps_of(t_town(), within_m=5.0)) == 1
    assert gaps_of(t_town(), within_m=4.99) == ()


def test_two_ends_that_miss_each_other_are_one_gap_between_two_nodes():
    town = streets({"a": (0, 0), "b": (500, 0), "c": (503, 0), "d": (1000, 0)}, ["ab", "cd"])
    (gap,) = gaps_of(town)
    assert {gap.repair.from_node, gap.repair.to_node} == {2, 3}
    assert gap.repair.to_next is None
    assert gap.gap_m == pytest.approx(3, abs=1e-6)


@pytest.mark.parametrize(("detour", "found"), [(79.0, 1), (81.0, 0)])
def test_an_end_from_which_the_street_is_a_short_walk_needs_no_link(detour, found):
    # From the end d back to c 5 m, to b 32.5 m, to a 10 m, and 32.5 m on to the spot of a–e just below d: 80 m.
    town = streets({"e": (500, 0), "a": (0, 0), "b": (0, 10), "c": (32.5, 10), "d": (32.5, 5)}, ["eabcd"])
    assert len(gaps_of(town, detour_m=detour)) == found


def test_a_bridge_over_a_street_is_no_gap():
    town = t_town()
    bridge = replace(town, ways=town.ways.assign(bridge=[False, True]))
    assert gaps_of(bridge) == ()


def test_a_shut_gate_is_no_gap():
    whole = streets({"a": (0, 0), "b": (500, 0), "c": (1000, 0)}, ["abc"])
    cut = part_at(whole, np.array([False, True, False])).streets
    network = net(cut)
    assert len(network.component_m) == 2
    assert find_street_gaps(cut, network).gaps == ()


def test_streets_behind_a_shut_gate_have_no_gaps_to_the_street_outside():
    # The lane x–h–i is shut off at x; its end i lies 5 m from the street a–b all the same.
    whole = streets(
        {"a": (0, 0), "b": (2000, 0), "x": (1000, 0), "h": (1000, 25), "i": (1020, 5)}, [["a", "x", "b"], ["x", "h", "i"]]
    )
    shut = part_at(whole, np.array([False, False, True, False, False])).streets
    # the gate parts the street too: join its two halves again, so that only the lane is shut off
    mended = replace(shut, way_node=np.where(shut.way_node == shut.way_node[2], shut.way_node[1], shut.way_node).astype(np.int32))
    assert gaps_of(mended) == ()


def test_a_link_across_water_or_a_barrier_is_left_out_and_counted():
    town = t_town()
    ditch = replace(town, water=(degrees((400, 2), (600, 2), (600, 3), (400, 3), (400, 2)),))
    found = find_street_gaps(ditch, net(ditch))
    assert (found.gaps, found.crossing) == ((), 1)
    wall = points([(0, 0)]).geometry.iloc[:0]
    fence = type(wall)([shapely.LineString([(EAST + 400, NORTH + 2), (EAST + 600, NORTH + 2)])], crs=CRS)
    assert find_street_gaps(town, net(town), barriers=fence).crossing == 1


def test_a_link_does_not_pass_through_another_street():
    # c lies 6 m above a–b, but the street e–f runs between them at 3 m and is joined to c's street by a short way round.
    town = streets(
        {"a": (0, 0), "b": (1000, 0), "c": (500, 6), "d": (500, 20), "e": (450, 3), "f": (550, 3), "g": (450, 20)},
        ["ab", "cdgef"],
    )
    ends = {(gap.repair.from_node, gap.repair.to_node) for gap in gaps_of(town, detour_m=150)}
    assert all(start != 3 for start, _ in ends)  # the end f may join a–b; c may not


def test_a_cut_off_ring_without_ends_joins_where_it_comes_nearest():
    ring = {"p": (100, 4), "q": (130, 4.5), "r": (130, 30), "s": (100, 30)}
    town = streets({"a": (0, 0), "b": (2000, 0), **ring}, ["ab", "pqrsp"])
    (gap,) = gaps_of(town)
    assert gap.repair.from_node == 3
    assert gap.gap_m == pytest.approx(4, abs=1e-6)


def test_a_network_of_other_streets_is_refused():
    town = t_town()
    with pytest.raises(ValueError, match="not built from these streets"):
        find_street_gaps(replace(town, node_id=town.node_id + 100), net(town))


def t_case(limit_min=15.0, **more):
    town = t_town()
    facilities, cells = points([(0, 0)], ids=["f"]), points([(500, 405), (900, 0)], p60=[10.0, 3.0])
    return Case(town, net(town), facilities, cells, cells["p60"].to_numpy(), "time", round(limit_min * 60_000), **more)


@pytest.mark.parametrize(("limit_min", "gained"), [(11.4, 10.0), (11.2, 0.0)])
def test_joining_a_gap_brings_people_within_the_limit(limit_min, gained):
    # The ten at the far end of the side street walk 400 m, the link of 5 m and 500 m: 905 m at 80 m a minute are 11.3125 minutes.
    case = t_case(limit_min)
    found = find_street_gaps(case.streets, case.network)
    (told,) = weigh_gaps(case, found.gaps, exact=5)
    assert (told.people, told.exact) == (gained, True)
    (bound,) = weigh_gaps(case, found.gaps, exact=0)
    assert (bound.people, bound.exact) == (10.0, False)  # they live on the streets that the link joins: never ruled out


def test_joining_a_gap_in_metres_counts_metres_of_street():
    case = t_case()._replace(metric="length", limit=905_100)
    found = find_street_gaps(case.streets, case.network)
    assert weigh_gaps(case, found.gaps, exact=1)[0].people == 10.0
    assert weigh_gaps(case._replace(limit=904_000), found.gaps, exact=1)[0].people == 0.0


def test_a_shortcut_saves_time_for_those_who_arrive_anyway():
    # A street goes round a block of 1000 by 400 m and ends at e, 5 m short of its start a, where the facility is. From e it is
    # 395 + 1000 + 400 + 1000 = 2795 m today and 5 m by the link: 2790 m at 80 m a minute are 34.875 minutes, times four people.
    town = streets({"a": (0, 0), "b": (1000, 0), "c": (1000, 400), "d": (0, 400), "e": (0, 5)}, ["abcde"])
    cells = points([(0, 5)], p60=[4.0])
    case = Case(town, net(town), points([(0, 0)], ids=["f"]), cells, cells["p60"].to_numpy(), "time", 60 * 60_000)
    (told,) = weigh_gaps(case, find_street_gaps(town, case.network).gaps, exact=1)
    assert told.people == 0
    assert told.person_minutes == pytest.approx(4 * 34.875, abs=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_is_never_below_what_joining_brings(seed):
    rng = np.random.default_rng(seed)
    town = broken_grid(rng)
    network = net(town)
    cells = points(rng.uniform(-50, 1050, (80, 2)), p60=rng.integers(1, 9, 80).astype(float))
    facilities = points(rng.uniform(0, 1000, (2, 2)), ids=["f", "g"])
    case = Case(town, network, facilities, cells, cells["p60"].to_numpy(), "time", int(rng.integers(4, 10)) * 60_000)
    gaps = find_street_gaps(town, network, within_m=12).gaps
    assert len(gaps) > 3
    bounds, exact = weigh_gaps(case, gaps, exact=0), weigh_gaps(case, gaps, exact=len(gaps))
    assert any(one.people > 0 for one in exact)
    for bound, one in zip(bounds, exact, strict=True):
        assert bound.people >= one.people - 1e-9


def broken_grid(rng):
    """A grid of streets 200 m apart in which a third of the blocks' sides end 3 to 10 m short of the junction."""
    nodes, ways = {}, []
    for i in range(6):
        for j in range(6):
            nodes[f"{i},{j}"] = (200.0 * i, 200.0 * j)
    for i in range(6):
        for j in range(6):
            for di, dj in ((1, 0), (0, 1)):
                if i + di > 5 or j + dj > 5 or rng.random() < 0.15:
                    continue
                start, end = f"{i},{j}", f"{i + di},{j + dj}"
                if rng.random() < 0.35:
                    short = float(rng.uniform(3, 10))
                    x, y = nodes[end]
                    end = f"end {start} {end}"
                    nodes[end] = (x - short * di, y - short * dj)
                ways.append([start, end])
    return streets(nodes, ways)


def test_repaired_streets_are_searched_as_if_they_had_been_drawn_so():
    town = t_town()
    gaps = gaps_of(town)
    joined = apply_repairs(town, [replace(gaps[0].repair, use=True)]).table
    drawn = streets({**T_TOWN, "m": (500, 0)}, ["amb", "cd", "cm"])
    cells, facilities = points([(500, 405), (900, 0), (500, 2)]), points([(0, 0), (1000, 3)], ids=["f", "g"])
    ours, theirs = (travel_times(net(one), facilities, cells, limit_min=30) for one in (joined, drawn))
    assert np.abs(ours.nearest_cost - theirs.nearest_cost).max() <= 1  # degrees are rounded to a tenth of a millimetre
    assert ours.pairs == theirs.pairs == 6


def test_repairs_are_opt_in_and_leave_the_streets_given_alone():
    town = t_town()
    (gap,) = gaps_of(town)
    before = town.way_node.copy()
    assert apply_repairs(town, [gap.repair]).table is town
    done = apply_repairs(town, [replace(gap.repair, use=True)])
    assert len(done.table.ways) == 3
    assert done.table.ways.index[-1] == -1
    assert list(done.table.way_node) == [0, 4, 1, 2, 3, 2, 4]
    assert [fault.code for fault in done.faults] == ["gaps_joined"]
    assert done.faults[0].en == "1 gaps joined by the list of repairs, 5 m"
    assert (town.way_node == before).all()
    assert len(net(done.table).component_m) == 1


def test_two_links_on_one_piece_join_it_in_the_order_in_which_they_come():
    town = streets(
        {"a": (0, 0), "b": (1000, 0), "c": (700, 5), "d": (700, 400), "e": (300, 5), "f": (300, 400)}, ["ba", "cd", "ef"]
    )
    done = apply_repairs(town, [replace(gap.repair, use=True) for gap in gaps_of(town)]).table
    first = done.way_node[: done.way_ptr[1]]
    x = Transformer.from_crs("EPSG:4326", CRS, always_xy=True).transform(done.lon[first], done.lat[first])[0] - EAST
    assert x == pytest.approx([1000, 700, 300, 0], abs=0.01)


def test_a_link_takes_the_class_of_the_street_that_ends_but_neither_its_steps_nor_its_one_way_rule():
    town = streets(T_TOWN, ["ab", "cd"], steps=[1], oneway=[1])
    town = replace(town, ways=town.ways.assign(incline=[0.0, 0.1], crossing=["", "open"]))
    (gap,) = gaps_of(town)
    way = apply_repairs(town, [replace(gap.repair, use=True)]).table.ways.iloc[-1]
    assert way[["highway", "steps", "walk_forward", "walk_backward", "crossing"]].tolist() == ["footway", False, True, True, ""]
    assert np.isnan(way["incline"])


def test_a_list_of_repairs_is_written_read_and_undone(tmp_path):
    town = t_town()
    (gap,) = gaps_of(town)
    made = replace(gap.repair, use=True, people=12.5, counted="gain", street="=路")
    file = write_repairs(tmp_path / "out" / "repairs.csv", [made])
    assert "'=路" in file.read_text(encoding="utf-8-sig")  # a spreadsheet takes no cell of it for a formula
    (back,) = read_repairs(file)
    assert back == made
    again = apply_repairs(town, [back]).table
    assert (again.way_node == apply_repairs(town, [made]).table.way_node).all()
    file.write_text(file.read_text(encoding="utf-8-sig").replace("yes", "no"), encoding="utf-8")
    assert apply_repairs(town, read_repairs(file)).table is town


def test_a_repair_that_no_longer_fits_is_not_made_and_told():
    town = t_town()
    (gap,) = gaps_of(town)
    made = replace(gap.repair, use=True, people=7.0)
    for odd in (
        replace(made, from_node=99),
        replace(made, from_lat=made.from_lat + 0.001),
        replace(made, to_next=4),
        replace(made, to_lat=made.to_lat + 0.001),
        replace(made, to_next=None),
    ):
        done = apply_repairs(town, [odd], file="list.csv")
        assert done.table is town
        (fault,) = done.faults
        assert (fault.code, fault.severity, fault.people, fault.file) == ("repair_stale", "dropped", 7.0, "list.csv")
        assert "not as the list of repairs says" in fault.text("en")
        assert "重新检查" in fault.text("zh")


def test_every_fault_of_a_list_of_repairs_is_told(tmp_path):
    file = write_repairs(tmp_path / "repairs.csv", [Repair(True, 1, 2, None, 0.0, 0.0, 0.0, 0.0, 1.0)])
    text = file.read_text(encoding="utf-8-sig").replace("yes,1,2", "maybe,1,two")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_repairs(file)
    assert [(fault.row, fault.column, fault.found) for fault in error.value.faults] == [
        ("2", "use", "maybe"),
        ("2", "to_node", "two"),
    ]
    assert "Write yes or no in the column use" in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"use,from_node\r\nyes,1\r\n", "columns are missing: to_node, to_next"), (b"\xff\xfe\x00\xd8\x00", "encoding")],
)
def test_a_list_of_repairs_of_another_form_is_refused(tmp_path, content, message):
    file = tmp_path / "repairs.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_repairs(file)


def test_parts_of_the_network_come_with_the_people_who_join_them():
    town = streets({"a": (0, 0), "b": (9000, 0), "c": (500, 300), "d": (500, 700)}, ["ab", "cd"])
    network = net(town)
    cells = points([(500, 650), (100, 0), (100, 5000)], p60=[10.0, 3.0, 7.0])
    parts = street_parts(town, network, attach(network, cells), cells["p60"].to_numpy())
    # 400 of 9400 m is 4.3 %, below 5 %: no part of the main network, and under 1 km a fragment. The seven join no street.
    assert parts["role"].tolist() == ["main", "fragment"]
    assert parts["people"].tolist() == [3.0, 10.0]
    assert parts["km"].tolist() == pytest.approx([9.0, 0.4], abs=1e-3)
    assert not parts["gated"].any()


def test_length_is_added_up_by_class_and_by_whether_the_mode_may_use_it():
    town = t_town()
    town = replace(town, ways=town.ways.assign(highway=["primary", "footway"], rank=[0, 3], walk_forward=[False, True]))
    town = replace(town, ways=town.ways.assign(walk_backward=[False, True]))
    table = class_lengths(town, net(town))
    assert table.index.tolist() == ["primary", "footway"]
    assert table["ways"].tolist() == [1, 1]
    assert table["km"].tolist() == pytest.approx([1.0, 0.4], abs=1e-4)
    assert table["km_used"].tolist() == pytest.approx([0.0, 0.4], abs=1e-4)


def trunk_town(highway="trunk"):
    """A street a–b, and a road closed to walkers 300 m north of it."""
    town = streets({"a": (0, 0), "b": (1000, 0), "c": (0, 300), "d": (1000, 300)}, ["ab", "cd"])
    shut = [True, False]
    return replace(town, ways=town.ways.assign(highway=["residential", highway], walk_forward=shut, walk_backward=shut))


def test_people_on_a_closed_road_and_far_from_any_other_lack_a_footway():
    town = trunk_town()
    # 30 m from the closed road and 330 m from the street: far. 90 m from the street: near. 100 m from the road: not beside it.
    cells = points([(500, 330), (520, 340), (500, 90), (500, 400)], p60=[10.0, 5.0, 3.0, 2.0])
    (found,) = missing_footways(town, net(town), cells, cells["p60"].to_numpy())
    assert (found.way, found.people, found.cells) == (1, 15.0, 2)
    assert (found.x - EAST, found.y - NORTH) == pytest.approx((500, 300), abs=0.01)


def test_nobody_misses_a_footway_along_a_motorway_or_where_nobody_lives():
    cells = points([(500, 330)], p60=[10.0])
    town = trunk_town("motorway")
    assert missing_footways(town, net(town), cells, cells["p60"].to_numpy()) == []
    assert missing_footways(trunk_town(), net(trunk_town()), cells, np.zeros(1)) == []


def whole_check(**more):
    town = t_town()
    cells = points([(500, 405), (900, 0)], p60=[10.0, 3.0], unit=["", ""])
    options = {"facilities": points([(0, 0)], ids=["f"]), "minutes": 15.0} | more
    return check_streets(town, net(town), cells, "p60", **options), town


def test_findings_are_ranked_by_the_people_they_concern():
    unread = Fault("tag_unread", "streets.osm", "无法识别", "cannot be read", "改正", "Write a figure", found="walk ×3")
    report, _ = whole_check(faults=[unread, Fault("islet", "", "", "", severity="noted")])
    # The gap and the cut-off street concern the ten. The end b of the street, at the edge of the data, is 100 m (1.25 minutes)
    # from the three and their facility 900 m (11.25): a facility beyond could be nearer; d is where the ten live.
    assert [(one.kind, one.people, one.counted) for one in report.findings] == [
        ("gap", 10.0, "gain"),
        ("piece", 10.0, "living"),
        ("edge", 10.0, "could_change"),
        ("edge", 3.0, "could_change"),
        ("tag", 0.0, ""),
    ]
    assert report.counts() == {"gap": 1, "piece": 1, "footway": 0, "edge": 2, "tag": 1}
    assert (report.people, report.covered, report.tried) == (13.0, 3.0, 1)
    table = report.table("en")
    assert table["found"].iloc[0] == "two parts of the network end 5.0 m apart; 10 people live on the smaller one"
    assert table["found"].iloc[-1] == "cannot be read: walk ×3"
    assert report.table("zh")["kind"].iloc[0] == "疑似断头未接"


def test_without_facilities_gaps_are_ranked_by_who_lives_on_the_cut_off_side():
    report, _ = whole_check(facilities=None, minutes=None)
    assert [(one.kind, one.people, one.counted) for one in report.findings] == [
        ("gap", 10.0, "living"),
        ("piece", 10.0, "living"),
    ]
    assert np.isnan(report.covered)


def test_a_closed_road_with_people_on_it_is_a_finding():
    town = trunk_town()
    cells = points([(500, 330)], p60=[10.0])
    (found,) = check_streets(town, net(town), cells, "p60").findings
    assert (found.kind, found.people) == ("footway", 10.0)
    assert found.text("en") == "trunk (trunk) is closed to this mode; 1 cells of people beside it have no other street near"
    assert found.heading("zh") == "缺少步行道路"
    assert "access" in found.proposal("zh")


def test_choosing_a_finding_joins_its_gap_and_nothing_else():
    report, town = whole_check()
    joined = repair_streets(town, report.findings[:1])
    assert len(joined.table.ways) == 3
    assert repair_streets(town, report.findings[1:]).table is town
    (listed,) = repairs_of(report.findings)
    assert (listed.use, listed.people, listed.counted) == (False, 10.0, "gain")


def test_a_gated_part_says_that_its_gate_is_shut():
    whole = streets({"a": (0, 0), "b": (9000, 0), "g": (9020, 0), "d": (9400, 0)}, ["abgd"])
    cut = part_at(whole, np.array([False, False, True, False])).streets
    cells = points([(9350, 0)], p60=[6.0])
    (found,) = check_streets(cut, net(cut), cells, "p60").findings
    assert "closed off by a shut gate" in found.text("en")
    assert "foot=yes" in found.proposal("en")


def test_what_cannot_be_asked_is_refused():
    town = t_town()
    cells = points([(500, 405)], p60=[10.0])
    with pytest.raises(ValueError, match="no people of group 'p80'"):
        check_streets(town, net(town), cells, "p80")
    with pytest.raises(ValueError, match="exactly one limit"):
        check_streets(town, net(town), cells, "p60", facilities=cells)


def test_cars_are_checked_by_their_own_rules():
    # The side street is open to walkers only: for cars it is closed, so that no gap is left but a road without the mode.
    town = t_town()
    both = pd.Series([True, False], index=town.ways.index)
    town = replace(town, ways=town.ways.assign(car_forward=both, car_backward=both, maxspeed_kmh=np.nan))
    assert find_street_gaps(town, net(town, CAR)).gaps == ()


def test_joints_of_a_layer_are_listed_in_the_readers_words():
    town = streets({"a": (0, 0), "b": (100, 0)}, ["ab"])
    joints = pd.DataFrame([("ends_joined", 1, 2, 5.0, 6.0, 0.4)], columns=["kind", "line", "other", "x", "y", "gap_m"])
    assert joints_table(replace(town, repairs=joints), "en").to_dict("records") == [
        {"What was done": "two loose ends joined", "Row": 1, "Other row": 2, "X (m, UTM)": 5.0, "Y (m, UTM)": 6.0, "Gap (m)": 0.4}
    ]
    assert joints_table(town)["处理"].tolist() == []
    assert set(JOINTS) == set(get_args(Joint))
