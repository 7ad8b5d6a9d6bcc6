"""Levels of facilities, their parents and orphans, and partners, on a street that can be added up by hand."""

from itertools import product

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from towns import CRS, EAST, points, streets

from careshed.modes import Mode
from careshed.network import build_network
from careshed.reach import travel_times
from careshed.supply.hierarchy import (
    REASONS,
    Pairs,
    adjacent_share,
    build_hierarchy,
    hierarchy_times,
    link_parents,
    match_pairs,
    match_partners,
    partner_pairs,
    split_levels,
    summary_line,
)

METRE_A_SECOND = Mode(name="test", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="")


@pytest.fixture
def network():
    """A street of 8 km from west to east, and a short one 2 km north of it that joins nothing."""
    nodes = {"a": (-2000, 0), "b": (6000, 0), "c": (0, 2000), "d": (100, 2000)}
    return build_network(streets(nodes, ["ab", "cd"]), mode=METRE_A_SECOND, crs=CRS, snap_m=100)


@pytest.fixture
def townships() -> gpd.GeoDataFrame:
    """Two township centres, 1,000 m apart."""
    return points([(0, 0), (1000, 0)], ids=["T0", "T1"], name=["东镇", "西镇"], capacity=[1.0, np.nan])


@pytest.fixture
def villages() -> gpd.GeoDataFrame:
    """Villages at 100, 600, 4000 m on the street, one 400 m off it and one on the islet; with a stated parent and places."""
    xy = [(100, 0), (600, 0), (4000, 0), (50, 400), (50, 2000)]
    stated = ["T1", "T9", "T1", "T0", None]
    return points(xy, ids=list("vwxyz"), name=["甲村", "乙村", "丙村", "丁村", "戊村"], parent=stated, places=[1.0, 2, 1, 1, 1])


@pytest.fixture
def times(network, townships, villages):
    return travel_times(network, townships, villages, limit_min=20)


def test_a_village_is_linked_to_the_nearest_township_and_at_the_limit_too(times, villages):
    # 100 m to T0; 600 m: 400 to T1; 4000 m: 3000 m = 50 min to T1.
    found = link_parents(times, villages, minutes=50)
    assert found.links["parent"].to_dict() == {"v": "T0", "w": "T1", "x": "T1", "y": "", "z": ""}
    assert found.links["minutes"].tolist()[:3] == pytest.approx([100 / 60, 400 / 60, 50.0])
    assert found.longest == pytest.approx(50.0)
    assert found.links.index.tolist() == list("vwxyz")


def test_orphans_say_why_in_both_languages_and_name_the_nearest(times, villages):
    found = link_parents(times, villages, minutes=49.9)
    assert found.orphans["reason"].to_dict() == {"x": "beyond", "y": "far", "z": "islet"}
    assert found.orphans.loc["x", ["nearest", "minutes_nearest"]].tolist() == ["T1", 50.0]
    assert found.orphans["reason_zh"].tolist() == [REASONS[reason][0] for reason in ("beyond", "far", "islet")]
    assert found.orphans["reason_en"].iloc[0] == "no parent within the limit"
    assert {fault.code: fault.found for fault in found.findings} == {"orphan_beyond": "x", "orphan_far": "y", "orphan_islet": "z"}


def test_each_parent_is_told_its_children_load_and_farthest(times, villages):
    table = link_parents(times, villages, capacity="capacity", size="places").parents
    assert table["children"].to_dict() == {"T0": 1, "T1": 2}
    assert table["load"].tolist() == [1.0, 3.0]  # w has 2 places, x one
    assert table["spare"].tolist()[0] == 0.0
    assert np.isnan(table["spare"].iloc[1])
    assert table["farthest"].tolist() == ["v", "x"]
    # (400 s + 3000 s) / 2 = 28 min 20 s
    assert table.loc["T1", ["minutes_mean", "minutes_longest"]].tolist() == pytest.approx([3400 / 120, 50.0])


def test_a_parent_without_children_has_no_longest_link(times, villages):
    table = link_parents(times, villages, minutes=2).parents
    assert table.loc["T1", "children"] == 0
    assert np.isnan(table.loc["T1", "minutes_longest"])
    assert table.loc["T1", "farthest"] == ""


def test_where_nobody_is_linked_there_is_no_line_and_no_longest(times, villages):
    found = link_parents(times, villages, minutes=1)
    assert len(found.lines) == 0
    assert np.isnan(found.longest)
    assert found.parents["farthest"].tolist() == ["", ""]


def test_lines_run_from_child_to_parent(times, villages):
    lines = link_parents(times, villages, minutes=5).lines
    assert lines[["child", "child_name", "parent", "parent_name"]].to_numpy().tolist() == [["v", "甲村", "T0", "东镇"]]
    assert [point[0] - EAST for point in lines.geometry.iloc[0].coords] == [100.0, 0.0]
    assert lines.crs == CRS


def test_a_rescue_centre_goes_out_and_one_way_streets_count_on_the_way_there():
    # From b to a 1,000 m along the one-way street; from a to b round by c: 1,000 + 1,414 m.
    town = streets({"a": (0, 0), "b": (1000, 0), "c": (1000, 1000)}, ["ba", "ac", "cb"], oneway=[0])
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS, snap_m=100)
    centre, place = points([(900, 0)], ids=["R"]), points([(100, 0)], ids=["p"])
    out = link_parents(travel_times(network, centre, place, limit_min=60, direction="from_facility"), place)
    back = link_parents(travel_times(network, centre, place, limit_min=60), place)
    assert out.longest == pytest.approx(800 / 60)
    assert back.longest > 40
    assert [point[0] - EAST for point in out.lines.geometry.iloc[0].coords] == [900.0, 100.0]
    assert [point[0] - EAST for point in back.lines.geometry.iloc[0].coords] == [100.0, 900.0]
    assert out.links["name"].tolist() == ["p"]


def test_stated_parents_are_kept_whatever_is_nearer(times, villages):
    found = link_parents(times, villages, rule="stated")
    assert found.links["parent"].to_dict() == {"v": "T1", "w": "", "x": "T1", "y": "T0", "z": ""}
    # v to T1: 900 s, in the matrix; x to T1 is its nearest, known though beyond 20 min; y joins no street.
    assert found.links["minutes"].tolist() == pytest.approx([15.0, np.nan, 50.0, np.nan, np.nan], nan_ok=True)
    assert found.orphans["reason"].to_dict() == {"w": "unknown_parent", "z": "none_stated"}


def test_a_stated_parent_beyond_the_limit_is_none(times, villages):
    found = link_parents(times, villages, rule="stated", minutes=14.9)
    assert found.links["parent"].tolist() == [""] * 5
    assert found.links["reason"].tolist() == ["stated_beyond", "unknown_parent", "stated_beyond", "far", "none_stated"]
    assert link_parents(times, villages, rule="stated", minutes=15).links["parent"].tolist()[0] == "T1"


def test_a_stated_parent_beyond_what_was_searched_has_no_known_time(network, villages, townships):
    near = travel_times(network, townships, villages, limit_min=10)
    assert np.isnan(link_parents(near, villages, rule="stated").links.loc["v", "minutes"])


def test_capacity_is_kept_with_the_most_children_and_then_the_least_travel(network):
    # Both are nearest to T0, which takes one. v stays: 100 + 800 = 900; w stays: 200 + 900 = 1100.
    parents = points([(0, 0), (1000, 0)], ids=["T0", "T1"])
    children = points([(100, 0), (200, 0), (300, 0), (5000, 0)], ids=list("vwxf"))
    times = travel_times(network, parents, children, limit_min=20)
    found = link_parents(times, children, rule="optimal", capacity=1)
    # x and one other would be 300 + 800 or 100 + 700: the latter, 800, is the least of all pairs.
    assert found.links["parent"].to_dict() == {"v": "T0", "w": "", "x": "T1", "f": ""}
    assert found.links["minutes"].sum() == pytest.approx(800 / 60)
    assert found.orphans["reason"].to_dict() == {"w": "full", "f": "beyond"}
    assert found.parents["spare"].tolist() == [0.0, 0.0]
    assert "parent_over_capacity" not in {fault.code for fault in found.findings}


def test_too_many_children_and_unknown_capacities_are_findings(times, villages):
    found = link_parents(times, villages.assign(parent="T0"), rule="stated", capacity="capacity")
    codes = {fault.code: fault.found for fault in found.findings}
    assert codes == {"parent_over_capacity": "T0", "capacity_unknown": "T1"}
    assert found.parents.loc["T0", ["children", "capacity", "over"]].tolist() == [5, 1.0, True]
    assert link_parents(times, villages, capacity={"T0": 9}).parents["capacity"].tolist()[0] == 9.0


def test_the_order_of_the_rows_changes_nothing(network):
    # Four villages 500 m from both centres: every choice costs the same, so that only ids can decide.
    parents = points([(0, 0), (1000, 0)], ids=["A", "B"])
    children = points([(500, 0)] * 4, ids=list("wxyz"))
    told = []
    for rows, columns in (([0, 1], [0, 1, 2, 3]), ([1, 0], [2, 0, 3, 1])):
        p, c = parents.iloc[rows], children.iloc[columns]
        found = link_parents(travel_times(network, p, c, limit_min=20), c, rule="optimal", capacity=2)
        told.append(found.links["parent"].sort_index().to_dict())
    assert told[0] == told[1]
    assert sorted(told[0].values()) == ["A", "A", "B", "B"]


def test_with_no_facility_above_everyone_is_an_orphan(network, townships, villages):
    none = travel_times(network, townships.iloc[:0], villages, limit_min=20)
    for rule in ("nearest", "optimal"):
        assert set(link_parents(none, villages, rule=rule).links["reason"]) == {"no_parents"}


def test_inputs_are_left_alone(times, villages):
    before = villages.copy()
    link_parents(times, villages, rule="optimal", capacity="capacity")
    pd.testing.assert_frame_equal(villages, before)


def test_what_cannot_be_linked_is_refused_with_the_cure(times, villages):
    with pytest.raises(ValueError, match="for 5 other children than the 4 given; compute them with the parents as facilities"):
        link_parents(times, villages.iloc[1:])
    with pytest.raises(ValueError, match="no rule 'best'; there are: nearest, stated, optimal"):
        link_parents(times, villages, rule="best")
    with pytest.raises(ValueError, match="needs a column 'parent' with the ids of the level above"):
        link_parents(times, villages.drop(columns="parent"), rule="stated")
    with pytest.raises(ValueError, match="need a column 'beds' of numbers above 0"):
        link_parents(times, villages, size="beds")
    with pytest.raises(ValueError, match="asked for 1500000 but travel was searched only to 1200000 milliseconds"):
        link_parents(times, villages, rule="optimal", minutes=25)
    with pytest.raises(ValueError, match="a capacity must be 0 or more, not -1"):
        link_parents(times, villages, capacity=-1)


def best_by_trying(pairs: Pairs, room: list[float], size: list[float]) -> tuple[int, int]:
    """Most children and least cost of all assignments, by trying each."""
    cost = {(int(c), int(p)): int(v) for c, p, v in zip(*pairs, strict=True)}
    best = (0, 0)
    for choice in product(range(-1, len(room)), repeat=len(size)):
        used = [(c, p) for c, p in enumerate(choice) if p >= 0]
        load = [sum(size[c] for c, p in used if p == parent) for parent in range(len(room))]
        if all(one in cost for one in used) and all(a <= b for a, b in zip(load, room, strict=True)):
            best = min(best, (-len(used), sum(cost[one] for one in used)))
    return -best[0], best[1]


@pytest.mark.parametrize("sizes", [(1,), (2,), (1, 2, 3)])
def test_matching_equals_trying_all_assignments(sizes):
    random = np.random.default_rng(len(sizes))
    for _ in range(40):
        children, parents = int(random.integers(1, 6)), int(random.integers(1, 4))
        linked = np.argwhere(random.random((children, parents)) < 0.7)
        pairs = Pairs(linked[:, 0], linked[:, 1], random.integers(0, 50, len(linked)))
        size = random.choice(sizes, children).astype(float)
        room = random.integers(0, 5, parents).astype(float)
        room[random.random(parents) < 0.2] = np.inf
        found = match_pairs(pairs, room, size)
        cost = {(c, p): v for c, p, v in zip(*pairs, strict=True)}
        used = [(c, p) for c, p in enumerate(found) if p >= 0]
        load = np.bincount(found[found >= 0], weights=size[found >= 0], minlength=parents)
        assert (load <= room).all()
        assert (len(used), sum(cost[one] for one in used)) == best_by_trying(pairs, list(room), list(size))


@pytest.fixture
def levels() -> dict[str, gpd.GeoDataFrame]:
    """One county, two townships, three villages; the last village and the second township are too far."""
    kinds = ["县中心", "镇中心", "镇中心", "村点", "村点", "村点"]
    xy = [(0, 0), (500, 0), (4000, 0), (700, 0), (900, 0), (4200, 0)]
    names = ["县", "近镇", "远镇", "一村", "二村", "三村"]
    table = points(xy, ids=["C", "T1", "T2", "v1", "v2", "v3"], name=names, type=kinds)
    return split_levels(table, {"county": ["县中心"], "township": ["镇中心"], "village": ["村点"]})


def test_chains_are_followed_to_the_top(network, levels):
    # T2 is 4,000 m = 66 min from C: an orphan at 30 min, and with it the chain of v3 is broken.
    found = build_hierarchy(levels, hierarchy_times(network, levels, limit_min=30), minutes=30)
    assert found.facilities["parent"].to_dict() == {"C": "", "T1": "C", "T2": "", "v1": "T1", "v2": "T1", "v3": "T2"}
    assert found.facilities["top"].to_dict() == {"C": "C", "T1": "C", "T2": "", "v1": "C", "v2": "C", "v3": ""}
    assert found.facilities["descendants"].to_dict() == {"C": 3, "T1": 2, "T2": 1, "v1": 0, "v2": 0, "v3": 0}
    assert found.summary["orphans"].to_dict() == {"county": 0, "township": 1, "village": 0}
    assert found.summary["reach_top"].tolist() == [1, 1, 2]
    assert found.summary.loc["village", "minutes_longest"] == pytest.approx(400 / 60)
    assert found.lines["level"].value_counts().to_dict() == {"village": 3, "township": 1}
    assert summary_line(found, "en") == (
        "1 county or district, 2 township, 3 village; 1 of 5 lower facilities have no parent; longest link 8 minutes"
    )
    assert summary_line(found, "zh") == ("县区级 1 个、乡镇级 2 个、村级 3 个；下级设施 5 个中 1 个没有上级；最长联系 8 分钟")


def test_a_plan_of_1_and_12_is_counted(network, levels):
    times = hierarchy_times(network, levels, limit_min=30)
    found = build_hierarchy(levels, times, expected={"county": 1, "township": 12}, capacity={"township": 1})
    told = [fault for fault in found.findings if fault.code == "level_count"]
    assert [fault.en for fault in told] == ["12 facilities are expected at level township, there are 2"]
    assert told[0].zh == "乡镇级应有 12 个设施，现有 2 个"
    assert found.summary["expected"].tolist()[:2] == [1.0, 12.0]
    assert found.links["village"].parents["over"].to_dict() == {"T1": True, "T2": False}


def test_a_level_without_facilities_breaks_the_chains_and_is_no_error(network, levels):
    gone = levels | {"township": levels["township"].iloc[:0]}
    found = build_hierarchy(gone, hierarchy_times(network, gone, limit_min=30))
    assert found.summary["reach_top"].tolist() == [1, 0, 0]
    assert len(found.lines) == 0
    assert summary_line(found, "en").endswith("3 of 3 lower facilities have no parent")


def test_links_can_be_judged_by_length(network, levels):
    found = build_hierarchy(levels, hierarchy_times(network, levels, limit_m=600), metres=500)
    assert found.facilities.loc["T1", "parent"] == "C"
    assert found.summary.loc["township", "metres_longest"] == 500.0
    assert "longest link 500 metres" in summary_line(found, "en")


def test_levels_may_be_told_facility_by_facility():
    table = points([(0, 0), (1, 0), (2, 0)], ids=list("abc"))
    order = pd.CategoricalDtype(["top", "base"], ordered=True)
    found = split_levels(table, pd.Series(["base", "top", None], index=list("abc")).astype(order))
    assert {level: part.index.tolist() for level, part in found.items()} == {"top": ["b"], "base": ["a"]}
    plain = split_levels(table, pd.Series({"c": "one", "a": "two"}))
    assert {level: part.index.tolist() for level, part in plain.items()} == {"one": ["c"], "two": ["a"]}


def test_levels_that_do_not_fit_are_refused(network, levels):
    with pytest.raises(ValueError, match="facility types at more than one level: 中心; name each type once"):
        split_levels(points([(0, 0)], type=["中心"]), {"a": ["中心"], "b": ["中心"]})
    with pytest.raises(ValueError, match="travel times are missing for: township, village"):
        build_hierarchy(levels, {})
    with pytest.raises(ValueError, match=r"needs at least two levels .* there is only 1 level"):
        build_hierarchy({"county": levels["county"]}, {})
    same = {"one": levels["county"], "two": levels["county"]}
    with pytest.raises(ValueError, match="ids at more than one level: C; every facility needs its own id"):
        build_hierarchy(same, hierarchy_times(network, same, limit_min=5))


@pytest.fixture
def homes() -> gpd.GeoDataFrame:
    """Three care homes at 100, 300 and 2000 m, and one off the street."""
    return points([(100, 0), (300, 0), (2000, 0), (0, 400)], ids=["h1", "h2", "h3", "h4"], name=["一院", "二院", "三院", "四院"])


def test_pairs_of_homes_and_clinics_run_from_near_to_far(network, townships, homes):
    times = travel_times(network, townships, homes, limit_min=20)
    pairs = partner_pairs(times, homes, minutes=15)
    # h1: T0 100 s, T1 900 s = 15 min; h2: T0 300 s, T1 700 s; h3: T1 1000 s is beyond.
    assert pairs[["place", "partner", "nearest"]].to_numpy().tolist() == [
        ["h1", "T0", True], ["h1", "T1", False], ["h2", "T0", True], ["h2", "T1", False]
    ]  # fmt: skip
    assert pairs["minutes"].tolist() == pytest.approx([100 / 60, 15.0, 5.0, 700 / 60])
    assert pairs["partner_name"].tolist()[0] == "东镇"


def test_share_with_a_clinic_next_door_counts_the_unjudged_apart(network, townships, homes):
    times = travel_times(network, townships, homes, limit_m=1000)
    table = adjacent_share(times, homes, metres=[100, 300, 999])
    assert table["with_partner"].tolist() == [1, 2, 2]
    assert table["share"].tolist() == [0.25, 0.5, 0.5]
    assert table["share_high"].tolist() == [0.5, 0.75, 0.75]
    assert table["unjudged"].tolist() == [1, 1, 1]
    assert table.index.tolist() == [100.0, 300.0, 999.0]
    nobody = travel_times(network, townships, homes.iloc[:0], limit_min=5)
    assert np.isnan(adjacent_share(nobody, homes.iloc[:0], minutes=[5]).loc[5.0, "share"])


def test_a_clinic_takes_no_more_homes_than_it_can(network, townships, homes):
    times = travel_times(network, townships, homes, limit_min=20)
    found = match_partners(times, homes, minutes=20, per_partner=1)
    # Two clinics, one each; least total: h1–T0 100 + h2–T1 700 = 800, against h2–T0 300 + h1–T1 900 and h1–T0 100 + h3–T1 1000.
    assert found.links["parent"].to_dict() == {"h1": "T0", "h2": "T1", "h3": "", "h4": ""}
    assert found.orphans["reason"].to_dict() == {"h3": "full", "h4": "far"}


def test_partners_that_do_not_fit_are_refused(network, townships, homes):
    times = travel_times(network, townships, homes, limit_min=20)
    with pytest.raises(ValueError, match="for 4 other places than the 1 given"):
        partner_pairs(times, homes.iloc[:1], minutes=5)
    with pytest.raises(ValueError, match="give thresholds in minutes or in metres"):
        adjacent_share(times, homes)
    with pytest.raises(ValueError, match="give the limit in minutes"):
        adjacent_share(times, homes, metres=[300])


def test_many_orphans_are_listed_with_a_count(network, townships):
    children = points([(5000 + i, 0) for i in range(10)], ids=[f"v{i}" for i in range(10)])
    found = link_parents(travel_times(network, townships, children, limit_min=5), children, minutes=5)
    assert found.findings[0].found == "v0, v1, v2, v3, v4, v5, v6, v7 … (+2)"
    assert shapely.get_num_coordinates(found.lines.geometry).sum() == 0


def test_on_the_demo_town_the_linked_are_the_covered(demo):
    for service in demo.services:
        minutes, group = service.service.within_minutes, service.service.group
        found = link_parents(service.times, demo.study.cells, minutes=minutes)
        linked = demo.study.cells.loc[found.links["parent"] != "", group].sum()
        assert linked == pytest.approx(service.plan.people_covered_before, rel=1e-9)
        assert found.parents["children"].sum() == len(found.lines) == (found.links["parent"] != "").sum()
