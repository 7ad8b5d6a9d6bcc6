"""Siting: the plan is the best there is, its bound holds, and what cannot be met is said."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careshed.modes import WALK_ADULT, WALK_OLDER
from careshed.reach import TravelTimes
from careshed.siting import SitePlan, check_plan, rank_sites, solve
from careshed.siting import bound as bounds
from careshed.siting.bound import Relaxation, best_choice, lagrangian_bound, settled, stepped_relaxation
from careshed.siting.problem import build_problem
from careshed.siting.relinking import Effort
from careshed.siting.rules import climb
from careshed.siting.search import greedy, guided, improve, kick, start
from careshed.siting.solve import Solution

CRS = "EPSG:32651"
MCLP = Path(os.environ.get("CARESHED_DATA", "/work/shared/data")) / "mclp_cities"


def cells_of(people: list[float], group: str = "p0_3") -> gpd.GeoDataFrame:
    points = gpd.points_from_xy(500_000 + 100 * np.arange(len(people)), np.full(len(people), 4e6))
    return gpd.GeoDataFrame({group: np.array(people, dtype=float)}, geometry=points, crs=CRS)


def times_of(
    reach: dict[str, dict[int, int]],
    cells: gpd.GeoDataFrame,
    *,
    unit: dict[str, str] | None = None,
    fault: dict[str, str] | None = None,
    metric: str = "time",
    limit: int = 1_800_000,
) -> TravelTimes:
    """Travel costs written out: facility -> cell -> cost."""
    ids = list(reach)
    rows = [sorted(reach[name].items()) for name in ids]
    facilities = gpd.GeoDataFrame(
        {"name": [f"点{name}" for name in ids], "unit": [(unit or {}).get(name, "") for name in ids], "file": "candidates.csv"},
        index=pd.Index(ids, dtype=object),
        geometry=gpd.points_from_xy(500_000 + 50.0 * np.arange(len(ids)), np.full(len(ids), 4e6)),
        crs=CRS,
    )
    return TravelTimes(
        facilities=facilities,
        cell_ids=cells.index,
        indptr=np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64),
        indices=np.array([cell for row in rows for cell, _ in row], dtype=np.int32),
        cost=np.array([cost for row in rows for _, cost in row], dtype=np.uint32),
        nearest_cost=np.full(len(cells), -1, dtype=np.int64),
        nearest_facility=np.full(len(cells), -1, dtype=np.int32),
        cell_fault=np.full(len(cells), "", dtype=np.str_),
        facility_fault=np.array([(fault or {}).get(name, "") for name in ids], dtype=np.str_),
        metric=metric,
        limit=limit,
        direction="to_facility",
        mode=WALK_OLDER,
        snap_m=150.0,
    )


def units_of(rows: dict[str, tuple[str, str, str]]) -> gpd.GeoDataFrame:
    """Code -> name, level, parent."""
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["name", "level", "parent"])
    return gpd.GeoDataFrame(table, geometry=[None] * len(rows), crs=CRS)


def near(*cells: int) -> dict[int, int]:
    return dict.fromkeys(cells, 60_000)


def codes(plan) -> list[str]:
    return [fault.code for fault in plan.findings]


# ---------------------------------------------------------------- what is chosen


def test_the_best_pair_is_chosen_where_taking_the_largest_first_fails():
    # M reaches 6 + 6 = 12, L 10 (6 + 4), R 10 (6 + 4). Largest first: M, then 4 more = 16. L and R together: 20.
    cells = cells_of([4, 6, 6, 4])
    options = times_of({"M": near(1, 2), "L": near(0, 1), "R": near(2, 3)}, cells)
    plan = rank_sites(options, cells, minutes=15, group="p0_3", n=2)
    assert sorted(plan.sites.index) == ["L", "R"]
    assert (plan.people_covered_after, plan.bound, plan.gap, plan.status) == (20.0, 20.0, 0.0, "optimal")
    check_plan(plan, options, None, cells)


def test_sites_are_ranked_by_what_each_adds_and_ties_go_to_the_smaller_id():
    # B and A both add 5, C adds 7 of its own: order C, A, B.
    cells = cells_of([5, 5, 7, 3])
    plan = rank_sites(times_of({"B": near(0), "A": near(1), "C": near(2)}, cells), cells, minutes=15, group="p0_3", n=3)
    assert list(plan.sites.index) == ["C", "A", "B"]
    assert list(plan.sites["rank"]) == [1, 2, 3]
    assert list(plan.sites["people_new"]) == [7.0, 5.0, 5.0]
    assert list(plan.sites["people_cumulative"]) == [7.0, 12.0, 17.0]
    assert list(plan.sites["share_cumulative"]) == [7 / 20, 12 / 20, 17 / 20]


def test_people_whom_existing_facilities_reach_are_not_counted_again():
    # X reaches cell 0 (50 people). A would reach cells 0 and 1, but adds only the 10 of cell 1; B adds 20.
    cells = cells_of([50, 10, 20])
    options = times_of({"A": near(0, 1), "B": near(2)}, cells)
    existing = times_of({"X": near(0)}, cells)
    plan = rank_sites(options, cells, existing=existing, minutes=15, group="p0_3", n=1)
    assert list(plan.sites.index) == ["B"]
    assert (plan.people_total, plan.people_covered_before, plan.people_covered_after) == (80.0, 50.0, 70.0)
    assert plan.sites.loc["B", "share_cumulative"] == 70 / 80
    check_plan(plan, options, existing, cells)


def test_a_cell_at_exactly_the_limit_counts_and_one_a_millisecond_beyond_does_not():
    cells = cells_of([10, 100])
    options = times_of({"A": {0: 900_000, 1: 900_001}}, cells)
    assert rank_sites(options, cells, minutes=15, group="p0_3", n=1).people_covered_after == 10.0


def test_a_cost_of_zero_is_a_pair_like_any_other():
    cells = cells_of([10, 3])
    plan = rank_sites(times_of({"A": {0: 0}, "B": near(1)}, cells), cells, minutes=15, group="p0_3", n=1)
    assert list(plan.sites.index) == ["A"]


def test_metres_use_a_matrix_of_lengths():
    cells = cells_of([10, 100])
    options = times_of({"A": {0: 300_000, 1: 300_001}}, cells, metric="length", limit=1_000_000)
    plan = rank_sites(options, cells, metres=300, group="p0_3", n=1)
    assert (plan.people_covered_after, plan.limit_metres, plan.limit_minutes) == (10.0, 300, None)
    check_plan(plan, options, None, cells)


def test_a_candidate_that_joins_no_street_is_never_chosen_and_is_named():
    cells = cells_of([10, 3])
    options = times_of({"A": {}, "B": near(1)}, cells, fault={"A": "far"})
    plan = rank_sites(options, cells, minutes=15, group="p0_3", n=2)
    assert list(plan.sites.index) == ["B"]
    told = next(fault for fault in plan.findings if fault.code == "candidate_unattached")
    assert told.en == "1 candidate(s) join no street and are not considered: A"
    assert told.file == "candidates.csv"


def test_the_order_of_the_input_rows_changes_nothing():
    rng = np.random.default_rng(3)
    cells = cells_of(list(rng.integers(0, 30, 40)))
    reach = {f"c{i:02d}": near(*map(int, rng.choice(40, 8, replace=False))) for i in range(15)}
    plan = rank_sites(times_of(reach, cells), cells, minutes=15, group="p0_3", n=4)
    turned = rank_sites(times_of(dict(reversed(reach.items())), cells), cells, minutes=15, group="p0_3", n=4)
    columns = ["rank", "name", "people_new", "people_cumulative", "reason_zh"]
    pd.testing.assert_frame_equal(pd.DataFrame(plan.sites[columns]), pd.DataFrame(turned.sites[columns]))


def test_inputs_are_left_as_they_were():
    cells = cells_of([10, 3])
    options = times_of({"A": near(0), "B": near(1)}, cells)
    people, spots = cells.copy(), options.facilities.copy()
    rank_sites(options, cells, minutes=15, group="p0_3", n=1)
    pd.testing.assert_frame_equal(pd.DataFrame(cells), pd.DataFrame(people))
    pd.testing.assert_frame_equal(pd.DataFrame(options.facilities), pd.DataFrame(spots))


# ---------------------------------------------------------------- unit rules

TWO_STREETS = {
    "S1": ("鼓楼街道", "street", "D"),
    "S2": ("河西街道", "street", "D"),
    "V1": ("鼓楼社区", "community", "S1"),
    "D": ("城区", "county", ""),
}


def test_a_street_without_a_facility_gets_one_though_more_people_live_elsewhere():
    # Without the rule: A (30) and B (20), both in S1. The rule puts C (1 person, S2) in place of B.
    cells = cells_of([30, 20, 1])
    options = times_of({"A": near(0), "B": near(1), "C": near(2)}, cells, unit={"A": "V1", "B": "S1", "C": "S2"})
    units = units_of(TWO_STREETS)
    plan = rank_sites(options, cells, minutes=15, group="p0_3", n=2, units=units, at_least_one_per=["street"])
    assert list(plan.sites.index) == ["A", "C"]
    assert list(plan.sites["for_unit"]) == ["S1", "S2"]  # A lies in V1, whose parent is S1
    assert plan.units_without_before == ("S1", "S2")
    assert plan.units_without_after == ()
    assert (plan.bound, plan.status) == (31.0, "optimal")
    assert plan.sites.loc["A", "reason_zh"] == "新增覆盖 30 名3岁以下婴幼儿；鼓楼街道此前没有此类设施"
    assert plan.sites.loc["A", "reason_en"] == "Newly reaches 30 children under 3; 鼓楼街道 had no such facility before"


def test_a_street_with_an_existing_facility_is_satisfied():
    cells = cells_of([30, 20, 1])
    options = times_of({"A": near(0), "B": near(1), "C": near(2)}, cells, unit={"A": "S1", "B": "S1", "C": "S2"})
    existing = times_of({"X": {}}, cells, unit={"X": "S2"}, fault={"X": "far"})  # it stands there, though no street leads to it
    units = units_of(TWO_STREETS)
    plan = rank_sites(options, cells, existing=existing, minutes=15, group="p0_3", n=2, units=units, at_least_one_per=["street"])
    assert list(plan.sites.index) == ["A", "B"]
    assert plan.units_without_before == ("S1",)
    assert list(plan.sites["for_unit"]) == ["S1", ""]


def test_a_site_that_reaches_nobody_new_is_kept_where_a_unit_needs_it():
    cells = cells_of([30, 20])
    options = times_of({"A": near(0, 1), "C": near(1)}, cells, unit={"A": "S1", "C": "S2"})
    units = units_of(TWO_STREETS)
    plan = rank_sites(options, cells, minutes=15, group="p0_3", n=2, units=units, at_least_one_per=["street"])
    assert list(plan.sites["people_new"]) == [50.0, 0.0]
    assert plan.sites.loc["C", "reason_zh"] == "不增加覆盖人数；河西街道此前没有此类设施"
    assert plan.sites.loc["C", "reason_en"] == "Reaches nobody new; 河西街道 had no such facility before"


def test_a_unit_without_any_candidate_is_a_finding_and_its_rule_is_dropped():
    cells = cells_of([30, 20])
    options = times_of({"A": near(0), "B": near(1), "C": {}}, cells, unit={"A": "S1", "B": "S1", "C": "S2"}, fault={"C": "islet"})
    units = units_of(TWO_STREETS)
    plan = rank_sites(options, cells, minutes=15, group="p0_3", n=2, units=units, at_least_one_per=["street"])
    told = next(fault for fault in plan.findings if fault.code == "unit_without_candidate")
    assert told.en == "河西街道 has no candidate that can be used, so its rule is dropped (C: no street leads there)"
    assert told.zh == "河西街道没有可用的候选点，“至少一处”的要求对其不适用（候选点 C 未能接入道路）"
    assert (told.severity, told.found) == ("noted", "S2")
    assert list(plan.sites.index) == ["A", "B"]
    assert plan.units_without_after == ("S2",)


def test_with_fewer_sites_than_units_most_units_come_first_then_most_people():
    # One site for two streets and a community: A serves V1 and S1 (2 units, 5 people), C serves S2 (1 unit, 100 people).
    cells = cells_of([5, 100])
    options = times_of({"A": near(0), "C": near(1)}, cells, unit={"A": "V1", "C": "S2"})
    units = units_of(TWO_STREETS)
    plan = rank_sites(options, cells, minutes=15, group="p0_3", n=1, units=units, at_least_one_per=["street", "community"])
    assert list(plan.sites.index) == ["A"]
    assert plan.sites.loc["A", "for_unit"] == "V1"
    assert plan.sites.loc["A", "reason_zh"].endswith("鼓楼社区、鼓楼街道此前没有此类设施")
    assert (plan.people_covered_after, plan.bound, plan.status) == (5.0, 5.0, "optimal")
    told = next(fault for fault in plan.findings if fault.code == "fewer_sites_than_units")
    assert told.en.startswith("3 unit(s) still need a facility, which takes at least 2 site(s); with 1,")
    assert told.cure_zh == "请将选址数增至 2。"
    assert plan.units_without_after == ("S2",)


def test_what_lies_in_no_known_unit_is_counted_and_said():
    cells = cells_of([5, 100])
    options = times_of({"A": near(0), "B": near(1)}, cells, unit={"A": "S1", "B": "elsewhere"})
    existing = times_of({"X": {}}, cells)
    plan = rank_sites(
        options, cells, existing=existing, minutes=15, group="p0_3", n=2, units=units_of(TWO_STREETS), at_least_one_per=["street"]
    )
    told = [fault.en for fault in plan.findings if fault.code == "outside_all_units"]
    assert told == [
        "1 candidate(s) in no known unit, which count for no unit's rule",
        "1 existing facilities in no known unit, which count for no unit's rule",
    ]


def test_a_level_that_no_unit_has_is_a_finding():
    cells = cells_of([5])
    plan = rank_sites(
        times_of({"A": near(0)}, cells, unit={"A": "S1"}),
        cells,
        minutes=15,
        group="p0_3",
        n=1,
        units=units_of(TWO_STREETS),
        at_least_one_per=["village"],
    )
    assert [fault.en for fault in plan.findings if fault.code == "level_without_units"] == [
        "the units hold none of level 'village', so its rule of at least one each asks for nothing"
    ]


def test_a_circle_of_parents_is_walked_once():
    assert climb("a", {"a": "b", "b": "a"}) == ("a", "b")


# ---------------------------------------------------------------- answers at the edge


def test_no_sites_asked_gives_an_empty_plan_with_what_stands():
    cells = cells_of([10, 5])
    existing = times_of({"X": near(1)}, cells)
    plan = rank_sites(times_of({"A": near(0)}, cells), cells, existing=existing, minutes=15, group="p0_3", n=0)
    assert len(plan.sites) == 0
    assert (plan.people_covered_after, plan.bound, plan.gap, plan.status) == (5.0, 5.0, 0.0, "optimal")
    assert plan.sites.crs == CRS
    check_plan(plan, times_of({"A": near(0)}, cells), existing, cells)


def test_no_candidates_is_a_finding():
    cells = cells_of([10])
    plan = rank_sites(times_of({}, cells), cells, minutes=15, group="p0_3", n=3)
    assert (len(plan.sites), plan.status, codes(plan)) == (0, "optimal", ["no_candidates"])


def test_everyone_covered_already_is_a_finding():
    cells = cells_of([10])
    plan = rank_sites(
        times_of({"A": near(0)}, cells), cells, existing=times_of({"X": near(0)}, cells), minutes=15, group="p0_3", n=3
    )
    assert (len(plan.sites), plan.people_covered_after, codes(plan)) == (0, 10.0, ["all_covered"])


def test_no_people_of_the_group_is_a_finding():
    cells = cells_of([0, 0])
    units = units_of(TWO_STREETS)
    plan = rank_sites(
        times_of({"A": near(0)}, cells, unit={"A": "S1"}),
        cells,
        minutes=15,
        group="p0_3",
        n=1,
        units=units,
        at_least_one_per=["community", "street"],
    )
    assert "no_people" in codes(plan)
    assert list(plan.sites.index) == ["A"]  # the rule still holds
    assert math.isnan(plan.sites.loc["A", "share_cumulative"])


def test_fewer_sites_come_back_where_they_suffice_and_people_beyond_all_are_counted():
    # A and B reach everybody that C reaches; 7 people on cell 2 are reached by none.
    cells = cells_of([10, 20, 7])
    plan = rank_sites(times_of({"A": near(0), "B": near(1), "C": near(0)}, cells), cells, minutes=15, group="p0_3", n=3)
    assert list(plan.sites.index) == ["B", "A"]
    assert codes(plan) == ["beyond_all_candidates", "fewer_sites_suffice"]
    assert plan.findings[0].en == "even with all 3 candidates built, 7 children under 3 stay beyond 15 minutes"
    assert plan.findings[0].people == 7.0
    assert plan.findings[1].zh == "2 处即可达到最大覆盖，其余 1 处不会再增加覆盖人数"


def test_less_than_one_person_is_not_printed_as_nobody():
    cells = cells_of([0.4], group="total")
    plan = rank_sites(times_of({"A": near(0)}, cells), cells, minutes=15, group="total", n=1)
    assert plan.sites.loc["A", "reason_zh"] == "新增覆盖不足 1 名居民"
    assert plan.sites.loc["A", "reason_en"] == "Newly reaches less than one of the residents"


def test_candidate_columns_are_kept_and_missing_ones_stay_unknown():
    cells = cells_of([10])
    options = times_of({"A": near(0)}, cells, unit={"A": "V1"})
    spots = options.facilities.assign(kind="闲置学校", cost_yuan=1_200_000)
    plan = rank_sites(replace(options, facilities=spots), cells, minutes=15, group="p0_3", n=1, units=units_of(TWO_STREETS))
    site = plan.sites.loc["A"]
    assert (site["kind"], site["cost_yuan"], site["unit"], site["unit_name"]) == ("闲置学校", 1_200_000.0, "V1", "鼓楼社区")
    assert math.isnan(site["places"])


# ---------------------------------------------------------------- errors


def _call(**changes):
    cells = cells_of([10, 5])
    asked = {"options": times_of({"A": near(0)}, cells), "cells": cells, "minutes": 15, "group": "p0_3", "n": 1, **changes}
    return rank_sites(asked.pop("options"), asked.pop("cells"), **asked)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"metres": 300}, "give either minutes= or metres=, and only one of them"),
        ({"minutes": None}, "give either minutes= or metres=, and only one of them"),
        ({"minutes": None, "metres": 300}, "metres= needs travel costs of metric 'length'; these are of metric 'time'"),
        ({"minutes": 31}, "31 minutes is beyond the 30 minutes searched; compute the travel costs further"),
        ({"minutes": 0}, "minutes=0 is no limit; give a number above zero"),
        ({"minutes": math.nan}, "minutes=nan is no limit"),
        ({"n": -1}, "n=-1 sites is less than none; give 0 or more"),
        ({"group": "p60"}, "the cells have no column 'p60'; they have p0_3, geometry"),
        ({"at_least_one_per": ["street"]}, "at_least_one_per= needs units="),
        (
            {"at_least_one_per": ["strete"], "units": units_of(TWO_STREETS)},
            "at_least_one_per: unknown level 'strete'; choose from county, street, township",
        ),
        ({"cells": cells_of([1, 2, 3])}, r"the candidates' travel costs are for other cells \(2\) than these \(3\)"),
        ({"cells": cells_of([10, -5])}, r"column 'p0_3' is missing or negative in 1 cells \(such as 1\); repair the population"),
        ({"cells": cells_of([10, 5e9])}, "column 'p0_3' holds 5e\\+09 people, more than 4e\\+09; are the units right?"),
    ],
)
def test_arguments_that_do_not_fit_are_told(changes, text):
    with pytest.raises(ValueError, match=text):
        _call(**changes)


def test_existing_facilities_computed_otherwise_are_all_told_at_once():
    cells = cells_of([10, 5])
    existing = replace(times_of({"X": near(0)}, cells, metric="length"), mode=WALK_ADULT, direction="from_facility")
    with pytest.raises(ValueError, match=r"metric is 'time', the existing facilities' is 'length'.*direction.*mode is 'older'"):
        rank_sites(times_of({"A": near(0)}, cells), cells, existing=existing, minutes=15, group="p0_3", n=1)


def test_existing_facilities_searched_less_far_than_the_limit_are_told():
    cells = cells_of([10, 5])
    existing = times_of({"X": near(0)}, cells, limit=600_000)
    with pytest.raises(ValueError, match="15 minutes is beyond the 10 minutes searched"):
        rank_sites(times_of({"A": near(0)}, cells), cells, existing=existing, minutes=15, group="p0_3", n=1)


def test_repeated_candidate_ids_are_told():
    cells = cells_of([10, 5])
    options = times_of({"A": near(0), "B": near(1)}, cells)
    twice = replace(options, facilities=options.facilities.set_axis(["A", "A"]))
    with pytest.raises(ValueError, match="candidate ids repeat; give every candidate its own id"):
        rank_sites(twice, cells, minutes=15, group="p0_3", n=1)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"people_covered_after": 99.0}, "people_covered_after is 99.000000, counted 10.000000"),
        ({"bound": 9.0}, "bound 9.000000 is below people_covered_after"),
        ({"n_asked": 0}, "1 sites where 0 were asked"),
    ],
)
def test_a_plan_that_does_not_add_up_is_caught(change, text):
    cells = cells_of([10, 5])
    options = times_of({"A": near(0)}, cells)
    plan = rank_sites(options, cells, minutes=15, group="p0_3", n=1)
    with pytest.raises(ValueError, match=f"the plan does not add up: .*{text}"):
        check_plan(replace(plan, **change), options, None, cells)


def test_a_plan_with_a_foreign_or_unattached_site_is_caught():
    cells = cells_of([10, 5])
    options = times_of({"A": near(0)}, cells)
    plan = rank_sites(options, cells, minutes=15, group="p0_3", n=1)
    with pytest.raises(ValueError, match="Z is no candidate that can be attached"):
        check_plan(replace(plan, sites=plan.sites.set_axis(["Z"])), options, None, cells)


# ---------------------------------------------------------------- against brute force


@st.composite
def instances(draw):
    candidates, cells = draw(st.integers(1, 9)), draw(st.integers(1, 10))
    people = draw(st.lists(st.sampled_from([0, 1, 2, 3, 7, 0.5, 0.37]), min_size=cells, max_size=cells))
    reach = {f"c{i}": near(*draw(st.lists(st.integers(0, cells - 1), max_size=5, unique=True))) for i in range(candidates)}
    homes = ["", "S1", "S2", "S3", "V1", "V2", "V3", "V4"]
    unit = {name: draw(st.sampled_from(homes)) for name in reach}
    levels = draw(st.sampled_from([[], ["street"], ["community"], ["street", "community"]]))
    standing = {"X": near(*draw(st.lists(st.integers(0, cells - 1), max_size=3, unique=True)))}
    return people, reach, unit, levels, standing, draw(st.sampled_from(homes)), draw(st.integers(0, 5))


NESTED = {
    "S1": ("一街", "street", ""),
    "S2": ("二街", "street", ""),
    "S3": ("三街", "street", ""),
    "V1": ("一社", "community", "S1"),
    "V2": ("二社", "community", "S1"),
    "V3": ("三社", "community", "S2"),
    "V4": ("四社", "community", "S3"),
}


def brute(people, reach, unit, levels, standing, home, n) -> tuple[int, float]:
    """Most units, then most people, by trying every choice: written apart from the code it checks."""
    parent = {code: row[2] for code, row in NESTED.items()}
    level = {code: row[1] for code, row in NESTED.items()}

    def above(code):
        return {code for code in (code, parent.get(code, "")) if level.get(code) in levels}

    before, have = set(standing["X"]), above(home)
    best = (-1, -1.0)
    for size in range(n + 1):
        for choice in combinations(reach, size):
            units = set().union(have, *(above(unit[name]) for name in choice))
            cells = set().union(before, *(reach[name] for name in choice))
            best = max(best, (len(units), round(sum(people[cell] for cell in cells), 6)))
    return best


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances())
def test_no_choice_is_better_than_the_plan(instance):
    people, reach, unit, levels, standing, home, n = instance
    cells = cells_of(people)
    options, existing = times_of(reach, cells, unit=unit), times_of(standing, cells, unit={"X": home})
    plan = rank_sites(
        options, cells, existing=existing, minutes=15, group="p0_3", n=n, units=units_of(NESTED), at_least_one_per=levels
    )
    units, most = brute(people, reach, unit, levels, standing, home, n)
    asked = sum(row[1] in levels for row in NESTED.values())
    assert asked - len(plan.units_without_after) == units
    assert plan.people_covered_after == pytest.approx(most, abs=1e-5)
    assert plan.bound >= plan.people_covered_after
    assert plan.status == "optimal"
    assert plan.reproducible
    check_plan(plan, options, existing, cells)


@settings(max_examples=80, deadline=None)
@given(instances(), st.integers(0, 2**20))
def test_the_lagrangian_bound_holds_for_any_prices(instance, seed):
    people, reach, unit, levels, standing, home, n = instance
    problem = _problem(people, reach, unit, levels, standing, home, max(n, 1))
    bound = lagrangian_bound(problem, np.random.default_rng(seed).uniform(-1, 8, len(problem.weights)))
    before = sum(people[cell] for cell in standing["X"])
    most = brute(people, reach, unit, levels, standing, home, max(n, 1))[1] - before
    assert bound.people >= round(most * 1e6) - 10


@pytest.mark.parametrize("levels", [[], ["street", "community"]])
def test_the_bound_settles_only_candidates_that_no_better_choice_could_change(levels):
    # Small random cases, every choice tried: a candidate said to be out is in no choice better than the value known, one said to
    # be in is in all of them. Prices are near the sharp ones, so that much is settled but not by equality alone.
    rng, said = np.random.default_rng(1), 0
    for _ in range(40):
        reach = {f"c{i}": near(*map(int, rng.choice(12, 4, replace=False))) for i in range(8)}
        unit = {name: str(rng.choice(["", *NESTED])) for name in reach}
        people = [float(count) for count in rng.integers(1, 30, 12)]
        problem = _problem(people, reach, unit, levels, {"X": {}}, "", int(rng.integers(1, 4)))
        prices = bounds.relax(problem, 0).prices * rng.uniform(0.8, 1.2, len(problem.weights))
        choices = _choices_with_most_units(problem)
        value = int(rng.choice(sorted(set(choices.values()))[-4:]))
        always, never = settled(problem, lagrangian_bound(problem, prices), value)
        better = [set(sites) for sites, reached in choices.items() if reached > value]
        assert all(site in sites for sites in better for site in np.flatnonzero(always))
        assert all(site not in sites for sites in better for site in np.flatnonzero(never))
        said += int(never.sum()) if better else 0
    assert said > 20


def test_a_sharp_bound_settles_what_cannot_matter():
    # A reaches 50 people, B 20, C 1, one site, nothing shared. At the best answer known (50) only A could be in a better choice
    # with 50 + something, which the bound of 50 excludes: all three are settled.
    cells = cells_of([50, 20, 1])
    options = times_of({"A": near(0), "B": near(1), "C": near(2)}, cells)
    people = np.array([50, 20, 1]) * 1_000_000
    problem = build_problem(options, people, 900_000, chains={}, units=(), n=1)
    bound = lagrangian_bound(problem, people / 1e6)
    always, never = settled(problem, bound, 30_000_000)
    assert (bound.people, list(always), list(never)) == (50_000_000, [True, False, False], [False, True, True])


@settings(max_examples=60, deadline=None)
@given(instances())
def test_the_exact_search_alone_keeps_the_unit_rules(instance):
    # From an empty answer, nothing settled beforehand: what HiGHS finds must be the best, so its rows say the rules rightly.
    people, reach, unit, levels, standing, home, n = instance
    problem = _problem(people, reach, unit, levels, standing, home, max(n, 1))
    nothing = np.zeros(len(problem.ids), dtype=np.bool_)
    empty = Solution((), 0, int(problem.weights.sum()), "feasible", "lagrangian", "greedy")
    if not len(problem.weights):
        return
    sites, most, whole = solve._branch_and_bound(problem, empty, nothing, nothing, 0, 100)
    found = start(problem, sites)
    before = sum(people[cell] for cell in standing["X"])
    wanted = round((brute(people, reach, unit, levels, standing, home, max(n, 1))[1] - before) * 1e6)
    assert found.units_held() == best_choice(problem, np.zeros(len(problem.ids), dtype=np.int64))[0]
    assert abs(found.value() - wanted) <= 10
    assert most >= found.value()
    assert whole


def _problem(people, reach, unit, levels, standing, home, n):
    from careshed.siting.rules import read_rules

    cells = cells_of(people)
    options, existing = times_of(reach, cells, unit=unit), times_of(standing, cells, unit={"X": home})
    rules = read_rules(options, existing, units_of(NESTED), levels, "")
    demand = np.rint(np.array(people) * 1e6).astype(np.int64)
    demand[list(standing["X"])] = 0
    return build_problem(options, demand, 900_000, chains=rules.chains, units=rules.needed, n=n)


def _choices_with_most_units(problem) -> dict[tuple[int, ...], int]:
    """Every choice that serves the most units, and the millionths of a person it reaches."""
    wanted = best_choice(problem, np.zeros(len(problem.ids), dtype=np.int64))[0]
    every = (sites for size in range(problem.n + 1) for sites in combinations(range(len(problem.ids)), size))
    searches = {sites: start(problem, sites) for sites in every}
    return {sites: search.value() for sites, search in searches.items() if search.units_held() == wanted}


# ---------------------------------------------------------------- larger instances and the parts of the solver


@cache
def town(candidates: int, cells: int, radius: float, seed: int) -> tuple[TravelTimes, gpd.GeoDataFrame]:
    """Random candidates and cells in a square, all within `radius` metres in reach; kept, since many tests ask for the same."""
    rng = np.random.default_rng(seed)
    side = 100 * math.sqrt(cells)
    homes, spots = rng.uniform(0, side, (cells, 2)), rng.uniform(0, side, (candidates, 2))
    table = cells_of(list(np.round(rng.gamma(0.7, 60, cells), 2)))
    away = np.hypot(*(spots[:, None, :] - homes[None, :, :]).transpose(2, 0, 1))
    reach = {f"c{i:04d}": near(*map(int, np.flatnonzero(row <= radius))) for i, row in enumerate(away)}
    return times_of(reach, table), table


def town_problem(candidates: int, cells: int, n: int, seed: int = 0):
    options, table = town(candidates, cells, 900, seed)
    people = np.rint(table["p0_3"].to_numpy() * 1e6).astype(np.int64)
    return build_problem(options, people, 900_000, chains={}, units=(), n=n)


@cache
def proven_plan() -> SitePlan:
    """The best fifteen of two hundred candidates for five thousand cells, searched once for all tests."""
    options, cells = town(200, 5_000, 900, 0)
    return rank_sites(options, cells, minutes=15, group="p0_3", n=15)


def test_two_hundred_candidates_and_five_thousand_cells_are_solved_to_the_proven_optimum():
    options, cells = town(200, 5_000, 900, 0)
    plan = proven_plan()
    assert (plan.status, plan.gap, plan.reproducible) == ("optimal", 0.0, True)
    assert plan.bound_by == "highs"  # the linear bound alone leaves a gap here
    check_plan(plan, options, None, cells)
    again = rank_sites(options, cells, minutes=15, group="p0_3", n=15)
    assert list(again.sites.index) == list(plan.sites.index)


def test_without_exact_search_the_bound_is_our_own_and_the_gap_is_told():
    options, cells = town(200, 5_000, 900, 0)
    exact = proven_plan()
    quick = rank_sites(options, cells, minutes=15, group="p0_3", n=15, work_limit=0)
    assert (quick.status, quick.bound_by) == ("feasible", "lagrangian")
    assert quick.people_covered_after <= exact.people_covered_after <= quick.bound
    assert 0 < quick.gap < 0.01
    assert quick.gap == pytest.approx((quick.bound - quick.people_covered_after) / quick.people_covered_after)


def test_where_too_much_stays_open_no_exact_search_is_tried(monkeypatch):
    monkeypatch.setattr(solve, "EXACT_PAIRS", 10)
    options, cells = town(200, 5_000, 900, 0)
    plan = rank_sites(options, cells, minutes=15, group="p0_3", n=15)
    assert (plan.status, plan.bound_by, plan.reproducible) == ("feasible", "lagrangian", True)
    assert plan.bound > plan.people_covered_after


def test_the_safety_stop_marks_the_plan_as_not_reproducible(monkeypatch):
    monkeypatch.setattr(solve, "SAFETY_SECONDS", 0.0)
    options, cells = town(200, 5_000, 900, 0)
    plan = rank_sites(options, cells, minutes=15, group="p0_3", n=15)
    assert (plan.reproducible, plan.status) == (False, "feasible")
    check_plan(plan, options, None, cells)


def test_branch_and_bound_finds_what_the_heuristics_missed():
    # From a poor start the exact search must climb to the same optimum as from a good one.
    problem = town_problem(60, 1_500, 8)
    best = solve.solve(problem, seed=0)
    poor = Solution((0,), start(problem, (0,)).value(), best.bound + 10**12, "feasible", "lagrangian", "greedy")
    prices = lagrangian_bound(problem, np.zeros(len(problem.weights)))
    found = solve._searched(problem, poor, prices, 0, 5_000)
    assert (found.value, found.bound, found.status, found.method) == (best.value, best.value, "optimal", "branch and bound")


def test_subgradient_prices_bound_too_where_the_relaxation_is_too_large_to_factorise(monkeypatch):
    problem = town_problem(60, 1_500, 8)
    best = solve.solve(problem, seed=0).value
    monkeypatch.setattr(bounds, "IPM_PAIRS", 0)
    proposed = bounds.relax(problem, best)
    assert proposed.prices == pytest.approx(stepped_relaxation(problem, best).prices)
    bound = lagrangian_bound(problem, proposed.prices).people
    assert best <= bound < 1.05 * best
    assert 0.5 < proposed.leaning.max() <= 1.0


def test_subgradient_search_stops_where_nothing_is_left_to_gain():
    # Two candidates, both may be built: the first bound is the value itself.
    cells = cells_of([3, 4])
    options = times_of({"A": near(0), "B": near(1)}, cells)
    problem = build_problem(options, np.array([3_000_000, 4_000_000]), 900_000, chains={}, units=(), n=2)
    relaxed = stepped_relaxation(problem, 7_000_000)
    assert isinstance(relaxed, Relaxation)
    assert lagrangian_bound(problem, relaxed.prices).people == 7_000_000


def test_local_search_never_makes_a_plan_worse():
    problem = town_problem(120, 3_000, 12, seed=4)
    search = start(problem)
    greedy(search)
    values = [search.value()]
    for step in (improve, lambda s: guided(s, np.full(len(problem.ids), 0.5), 3, 1), lambda s: kick(s, 60, 1)):
        step(search)
        values.append(search.value())
    assert values == sorted(values)
    assert values[-1] > values[0]
    assert int(search.chosen.sum()) == 12


def test_gains_stay_exact_through_adding_and_removing():
    problem = town_problem(40, 800, 6, seed=2)
    search = start(problem)
    greedy(search)
    improve(search)
    fresh = start(problem, search.sites())
    assert (search.gain == fresh.gain).all()
    assert (search.hits == fresh.hits).all()


@pytest.mark.skipif(not MCLP.is_dir(), reason="needs the found data set mclp_cities (set CARESHED_DATA)")
def test_a_real_city_comes_within_one_per_cent_of_the_best_known_and_the_bound_is_above_it(monkeypatch):
    monkeypatch.setattr(solve, "QUICK", Effort(islands=1, families=3, proposals=500, stale=2))
    # San Francisco, 5,137 street corners as demand and candidates, 600 m, 50 sites; best known 617,592.
    lines = (MCLP / "SanFrancisco.txt").read_text().splitlines()
    first = lines.index("NODE_COORD_SECTION") + 1
    count = lines.index("DEMAND_SECTION") - first
    lat, lon = np.radians(np.array([line.split() for line in lines[first : first + count]], dtype=float)).T
    people = np.array([line.split()[-1] for line in lines[first + count + 1 : first + 2 * count + 1]], dtype=float)
    turned = np.sin(lat)[:, None] * np.sin(lat) + np.cos(lat)[:, None] * np.cos(lat) * np.cos(lon[:, None] - lon)
    site, cell = np.nonzero(turned >= np.cos(600 / 6_378_100))
    cells = cells_of(list(people))
    options = replace(
        times_of({f"{i:04d}": {} for i in range(count)}, cells),
        indptr=np.searchsorted(site, np.arange(count + 1)),
        indices=cell.astype(np.int32),
        cost=np.full(len(cell), 60_000, dtype=np.uint32),
    )
    plan = rank_sites(options, cells, minutes=15, group="p0_3", n=50, work_limit=0)
    assert 0.99 * 617_592 < plan.people_covered_after <= 617_592 <= plan.bound
    assert plan.bound < 1.01 * 617_592
    assert (plan.status, plan.bound_by) == ("feasible", "lagrangian")
    check_plan(plan, options, None, cells)
