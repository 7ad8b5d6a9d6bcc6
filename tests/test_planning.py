"""Planning by rules: each objective, each rule and each conflict on towns that can be checked by hand."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from planning_oracle import CRS, Spot, Town

from careshed.modes import WALK_OLDER
from careshed.reach import TravelTimes
from careshed.siting.planning import (
    Amount,
    Attendance,
    Budget,
    Closable,
    Demand,
    EachSite,
    Forbidden,
    ForcedIn,
    Hosting,
    InclusiveShare,
    MaxCover,
    MaxServed,
    OutOfWork,
    PCentre,
    PerUnit,
    PMedian,
    ReachInUnits,
    ServedMedian,
    SetCover,
    Sites,
    Spacing,
    Subsidy,
    Upgradable,
    WorstUnit,
    plan_sites,
    subsidies_of,
    verify_plan,
)
from careshed.supply.decay import Step

PMED = Path(os.environ.get("CARESHED_DATA", "/work/shared/data")) / "pmed"

OLD = Demand("p60", minutes=10)
STREETS = {
    "s1": ("鼓楼街道", "street", "", "urban"),
    "s2": ("城南街道", "street", "", "urban"),
    "s3": ("河西乡", "street", "", "rural"),
}


def town(
    new: dict[str, Spot], people: list[float], *, old: dict[str, Spot] | None = None, units: list[str] | None = None
) -> Town:
    counts = {"p60": people, "p0_3": [1.0] * len(people)}
    return Town(new, old or {}, counts, units or [""] * len(people), STREETS)


def planned(place: Town, objective, rules=(), **more):
    """Plan a town and check the plan again from its raw tables."""
    new, old = place.times(place.new), place.times(place.old)
    plan = plan_sites(new, place.cells(), objective=objective, existing=old, rules=rules, units=place.unit_table(), **more)
    verify_plan(plan, new, place.cells(), existing=old, units=place.unit_table())
    return plan


def near(*cells: int, minutes: float = 5) -> dict[int, float]:
    return dict.fromkeys(cells, minutes)


# Three candidates in a row; A reaches 30 + 20, B 20 + 15, C 15 + 40.
ROW = {
    "A": Spot("s1", 10, 25, near=near(0, 1), x=0),
    "B": Spot("s2", 1, 25, near=near(1, 2), x=300),
    "C": Spot("s3", 10, 25, near=near(2, 3), x=700),
}
PEOPLE = [30, 20, 15, 40]


# ---------------------------------------------------------------- objectives


def test_most_people_are_reached_with_the_sites_allowed():
    plan = planned(town(ROW, PEOPLE), MaxCover((OLD,)), [Sites(at_most=1)])
    # C reaches 15 + 40 = 55 of 105, A 50, B 35.
    assert (plan.new, plan.value, plan.bound, plan.gap, plan.status, plan.unit) == (("C",), 55.0, 55.0, 0.0, "optimal", "people")
    assert [(one.total, one.before, one.after, one.served) for one in plan.reached] == [(105.0, 0.0, 55.0, None)]
    assert plan.bound_by == "highs"
    assert plan.reproducible


def test_two_groups_are_weighed_against_each_other():
    # One child a cell: with a child worth 100, A and C reach 2 each, tied at 200; C's 55 older people decide.
    plan = planned(town(ROW, PEOPLE), MaxCover((OLD, Demand("p0_3", minutes=10, weight=100))), [Sites(at_most=1)])
    assert (plan.new, plan.value) == (("C",), 255.0)


def test_people_with_a_backup_count_once_two_sites_reach_them():
    # Two sites reach cell 1 (A, B) or cell 2 (B, C): 20 people beat 15.
    plan = planned(town(ROW, PEOPLE), MaxCover((Demand("p60", minutes=10, sites_needed=2),)), [Sites(at_most=2)])
    assert (plan.new, plan.value) == (("A", "B"), 20.0)


def test_time_bands_count_people_partly():
    # Within 5 minutes all count, up to 15 half: A 10 × 1 = 10, B 30 × 0.5 = 15.
    spots = {"A": Spot(near={0: 5}), "B": Spot(near={1: 15})}
    demand = Demand("p60", minutes=20, decay=Step((5, 15, 20), (1, 0.5, 0)))
    plan = planned(town(spots, [10, 30]), MaxCover((demand,)), [Sites(at_most=1)])
    assert (plan.new, plan.value) == (("B",), 15.0)


def test_the_fewest_sites_that_reach_all_are_found():
    plan = planned(town(ROW, PEOPLE), SetCover((OLD,)))
    assert (plan.new, plan.value, plan.unit) == (("A", "C"), 2.0, "sites")


def test_the_least_money_reaches_a_share():
    # Half of 105 is 52.5. C (10 yuan) reaches 55; B alone (1 yuan) 35; A alone 50.
    plan = planned(town(ROW, PEOPLE), SetCover((OLD,), share=0.5, least="money"), [Budget(100)])
    assert (plan.new, plan.value, plan.unit, plan.net_yuan) == (("C",), 10.0, "yuan", 10.0)


def test_the_median_counts_people_beyond_the_limit_as_asked():
    # One site: A serves 50 people at 5 min, 55 are beyond and count 40 each: 250 + 2200 = 2450. C: 275 + 50 × 40 = 2275.
    plan = planned(town(ROW, PEOPLE), PMedian((OLD,), beyond=40), [Sites(at_most=1)])
    assert (plan.new, plan.value, plan.unit) == (("C",), 2275.0, "person_minutes")
    assert [(row.cell_id, row.site_id, row.people, row.cost) for row in plan.assignments.itertuples()] == [
        (2, "C", 15.0, 300_000),
        (3, "C", 40.0, 300_000),
    ]
    assert "50 people beyond the limit searched count as 40 each" in [fault.en for fault in plan.findings]


def test_people_whom_no_candidate_reaches_can_be_left_out_and_are_counted():
    plan = planned(town(ROW, [*PEOPLE, 7]), PMedian((OLD,), beyond="leave_out"))
    assert plan.value == 105 * 5
    assert [(fault.en, fault.people) for fault in plan.findings if fault.code == "beyond_left_out"] == [
        ("7 people beyond every candidate are left out", 7.0)
    ]


def test_the_centre_makes_the_longest_way_short():
    # A: 20 and 4 min; B: 12 and 12. With one site B's longest way is the shorter.
    spots = {"A": Spot(near={0: 20, 1: 4}), "B": Spot(near={0: 12, 1: 12})}
    plan = planned(town(spots, [1, 99]), PCentre((Demand("p60"),), beyond="forbid"), [Sites(at_most=1)])
    assert (plan.new, plan.value, plan.bound, plan.unit) == (("B",), 12.0, 12.0, "minutes")


def test_people_are_served_only_where_there_are_places():
    # A has 25 places for 50 people, C 25 for 55: with both, 50 people have a place; the rest reach one without.
    plan = planned(town(ROW, PEOPLE), MaxServed((OLD,)), [Sites(at_most=2)])
    assert plan.value == 50.0
    assert (plan.reached[0].served, plan.assignments["people"].sum()) == (50.0, 50.0)


def test_an_upgrade_gives_more_people_a_place_within_the_budget():
    # X has 1 place. Extending it by 9 costs 4; a new site A of 5 places costs 5. The budget of 5 pays one of them.
    place = town({"A": Spot(cost=5, places=5, near=near(0))}, [20], old={"X": Spot(places=1, near=near(0))})
    plan = planned(place, MaxServed((OLD,)), [Budget(5), Upgradable("X", places=9, cost_yuan=4)])
    assert (plan.value, plan.new, plan.net_yuan) == (10.0, (), 4.0)
    assert plan.sites.loc["X", ["status", "places"]].tolist() == ["extended", 10.0]


def test_the_capacitated_median_sends_people_where_there_is_room():
    # A (3 places) is 5 min from all 4 people, B (9 places) 8 min: 3 × 5 + 1 × 8 = 23.
    spots = {"A": Spot(places=3, near={0: 5}), "B": Spot(places=9, near={0: 8})}
    plan = planned(town(spots, [4]), ServedMedian((OLD,), beyond="forbid"))
    assert plan.value == 23.0
    assert dict(zip(plan.assignments["site_id"], plan.assignments["people"], strict=True)) == {"A": 3.0, "B": 1.0}


# Cell 0 (10 people) is 10 minutes from A and B, which half of them come to; cell 1 (4 people) 5 minutes from C: all come.
HALVES = {"A": Spot(near={0: 10}), "B": Spot(near={0: 10}), "C": Spot(near={1: 5})}
HALF = Demand("p60", minutes=20, decay=Step((5, 10, 20), (1, 0.5, 0)))


@pytest.mark.parametrize(
    ("most", "new", "value", "unit"),
    [
        (1.0, ("A", "B"), 10.0, "people"),  # 10 x min(0.5 + 0.5, 1) = 10; with C in place of B 5 + 4 = 9.
        (0.6, ("A", "C"), 7.4, "people"),  # 10 x 0.5 + 4 x 0.6 = 7.4; A and B 10 x 0.6 = 6.
        (None, ("A", "B"), 10.0, "visits"),
    ],
)
def test_attendance_adds_up_over_the_open_sites_to_the_most_that_a_person_counts(most, new, value, unit):
    plan = planned(town(HALVES, [10, 4]), Attendance((HALF,), most), [Sites(at_most=2)])
    assert set(new) <= {*plan.new, "A"}  # A and B are alike
    assert (plan.value, plan.status, plan.unit) == (value, "optimal", unit)
    assert value <= plan.bound <= value + 2e-6  # people in parts leave the solver's rounding


def test_attendance_without_a_cap_counts_a_person_at_every_site():
    # All come to A and B alike: 2 x 10 visits of 10 people; capped at one, B is idle and left out.
    spots = {"A": Spot(near={0: 5}), "B": Spot(near={0: 5})}
    plans = [planned(town(spots, [10]), Attendance((HALF,), most)) for most in (None, 1.0)]
    assert [(len(plan.new), plan.value) for plan in plans] == [(2, 20.0), (1, 10.0)]


def test_a_changed_attendance_does_not_pass_the_check():
    place = town(HALVES, [10, 4])
    options, cells = place.times(place.new), place.cells()
    plan = plan_sites(options, cells, objective=Attendance((HALF,)), rules=[Sites(at_most=2)])
    with pytest.raises(ValueError, match=r"value is 10\.500000, counted 10\.000000"):
        verify_plan(replace(plan, stages=(replace(plan.stages[0], value=10.5, bound=10.5),)), options, cells)


def test_the_worst_off_unit_comes_first():
    # s1: 90 people, s2: 10. One site: A reaches 60 of s1 and none of s2; B 30 of s1 and 3 of s2: worst 0.3 against 0.
    spots = {"A": Spot(near=near(0)), "B": Spot(near=near(1, 2))}
    place = town(spots, [60, 30, 3, 7], units=["s1", "s1", "s2", "s2"])
    plan = planned(place, WorstUnit((OLD,), "street"), [Sites(at_most=1)])
    assert plan.new == ("B",)
    assert [(stage.name, stage.unit) for stage in plan.stages] == [("WorstUnit", "share"), ("MaxCover", "people")]
    assert [stage.value for stage in plan.stages] == pytest.approx([0.3, 33.0])
    assert plan.status == "optimal"


# ---------------------------------------------------------------- rules


def test_every_street_gets_its_site_even_where_others_would_reach_more():
    plan = planned(town(ROW, PEOPLE), MaxCover((OLD,)), [Sites(at_most=2), PerUnit("street", at_least=1, units=("s2",))])
    # B is due; with it C adds 40, A 30.
    assert plan.new == ("B", "C")


def test_a_site_that_stands_counts_for_its_unit_and_its_people_are_not_counted_as_new():
    place = town(ROW, PEOPLE, old={"X": Spot("s1", near=near(0))})
    plan = planned(place, MaxCover((OLD,)), [Sites(at_most=1), PerUnit("street", at_most=1)])
    assert (plan.new, plan.value) == (("C",), 85.0)
    assert plan.sites["status"].to_dict() == {"C": "new", "X": "kept"}


def test_an_existing_site_is_closed_only_where_a_rule_allows_it():
    # Two sites in all: X (30 people) may close for 1 yuan; A and C then reach all 105.
    place = town(ROW, PEOPLE, old={"X": Spot("s1", near=near(0))})
    rules = [Sites(at_most=2, which="all"), Budget(30)]
    assert planned(place, MaxCover((OLD,)), rules).value == 85.0
    plan = planned(place, MaxCover((OLD,)), [*rules, Closable(("X",), 1)])
    assert (plan.value, plan.closed, plan.new, plan.net_yuan, plan.closing_yuan) == (105.0, ("X",), ("A", "C"), 21.0, 1.0)


def test_forced_and_forbidden_candidates_are_obeyed():
    plan = planned(town(ROW, PEOPLE), MaxCover((OLD,)), [Sites(at_most=2), ForcedIn(("B",)), Forbidden(("C",))])
    assert plan.new == ("A", "B")


def test_chifengs_subsidies_lower_the_net_cost_by_setting_and_kind_of_building():
    from careshed.policy.loading import load_profile

    rates = subsidies_of(load_profile("chifeng-2022"), types=["托育机构"])
    spots = {
        "A": Spot("s1", 200_000, 20, near=near(0)),
        "B": Spot("s3", 200_000, 20, build="extension", near=near(1)),
        "C": Spot("s3", 1_000, 20, near=near(2)),
    }
    plan = planned(town(spots, [1, 1, 1]), MaxCover((OLD,)), [Budget(340_000, rates)])
    # A: new in town, 20 × 2,500 = 50,000. B: extension in the country, 20 × 500 = 10,000. C: 30,000, cut to its cost of 1,000.
    assert plan.sites["subsidy_yuan"].to_dict() == {"A": 50_000.0, "B": 10_000.0, "C": 1_000.0}
    assert (plan.cost_yuan, plan.subsidy_yuan, plan.net_yuan) == (401_000.0, 61_000.0, 340_000.0)
    assert [fault.en for fault in plan.findings if fault.code == "subsidy_capped"] == ["subsidy cut to the cost: C"]


def test_a_candidate_of_unknown_places_gets_no_subsidy_and_is_named():
    spots = {"A": Spot("s1", 10, float("nan"), near=near(0))}
    plan = planned(town(spots, [1]), MaxCover((OLD,)), [Budget(10, (Subsidy(1),))])
    assert plan.sites["subsidy_yuan"].tolist() == [0.0]
    assert "places unknown, so no subsidy is counted: A" in [fault.en for fault in plan.findings]


def test_sites_keep_their_distance_and_exactly_the_distance_is_enough():
    # A–B 300 m, B–C 400 m, A–C 700 m.
    assert planned(town(ROW, PEOPLE), MaxCover((OLD,)), [Spacing(300), PerUnit("street", at_least=1)]).new == ("A", "B", "C")
    assert planned(town(ROW, PEOPLE), MaxCover((OLD,)), [Spacing(301), ForcedIn(("A",))]).new == ("A", "C")


def test_spacing_goes_by_street_where_a_matrix_is_given():
    streets = pd.DataFrame({"a": ["A", "A"], "b": ["C", "B"], "metres": [200.0, 900.0]})
    plan = planned(town(ROW, PEOPLE), MaxCover((OLD,)), [Spacing(500, streets=streets), Sites(at_most=2), ForcedIn(("A",))])
    # A and C are 200 m apart by street; A and B 900 m; B and C are not in the matrix, so farther.
    assert plan.new == ("A", "B")


def test_new_sites_keep_away_from_those_that_stand_unless_told_otherwise():
    place = town({"A": Spot(near=near(0), x=0)}, [5], old={"X": Spot(near={}, x=100)})
    assert planned(place, MaxCover((OLD,)), [Spacing(200)]).new == ()
    assert planned(place, MaxCover((OLD,)), [Spacing(200, with_existing=False)]).new == ("A",)


def test_sites_that_are_too_small_or_of_unknown_area_are_left_out():
    spots = {"A": Spot(area=350, near=near(0)), "B": Spot(area=349.9, near=near(1)), "C": Spot(area=float("nan"), near=near(2))}
    assert planned(town(spots, [1, 1, 1]), MaxCover((OLD,)), [EachSite(area_m2_at_least=350)]).new == ("A",)


def test_a_share_of_inclusive_places_is_kept():
    # A (60 places, not inclusive) needs at least 90 inclusive ones beside it for 60 %: C has 90.
    spots = {
        "A": Spot(places=60, inclusive=False, near=near(0)),
        "B": Spot(places=80, near=near(1)),
        "C": Spot(places=90, near=near(2)),
    }
    rules = [Sites(at_most=2), ForcedIn(("A",)), InclusiveShare(0.6)]
    assert planned(town(spots, [50, 9, 1]), MaxCover((OLD,)), rules).new == ("A", "C")


def test_places_in_a_unit_are_bounded_and_an_upgrade_counts():
    place = town({"A": Spot("s1", places=4, near=near(0))}, [9], old={"X": Spot("s1", places=3)})
    rules = [Amount("places", at_least=10, level="street"), Upgradable("X", 3, 1)]
    # 3 + 4 + 3 = 10 in s1; s2 and s3 have nobody to offer any.
    plan = planned(place, MaxCover((OLD,)), [replace(rules[0], level=""), rules[1]])
    assert (plan.new, plan.sites.loc["X", "status"], plan.relaxation) == (("A",), "extended", None)


def test_a_share_of_people_is_reached_in_every_unit():
    # Alone, C reaches the most; but of s1 (30 + 20) at least 60 % = 30 must be reached: A does, B (20) does not.
    place = town(ROW, PEOPLE, units=["s1", "s1", "s2", "s2"])
    plan = planned(place, MaxCover((OLD,)), [Sites(at_most=1), ReachInUnits(OLD, "street", 0.6, units=("s1",))])
    assert plan.new == ("A",)


def test_two_services_share_a_roof_and_its_cost():
    # A roof costs 10, each service 3. Apart: 2 roofs = 26; under one roof 16.
    a, b = Demand("p60", minutes=10, service="day_care"), Demand("p0_3", minutes=10, service="childcare")
    spots = {"A": Spot("s1", 10, area=200, near=near(0)), "B": Spot("s1", 10, area=100, services="childcare", near=near(0))}
    hosting = [Hosting("day_care", 3, area_m2=100), Hosting("childcare", 3, area_m2=100)]
    plan = planned(town(spots, [5]), SetCover((a, b), least="money"), hosting)
    assert (plan.new, plan.value, plan.sites.loc["A", "services"]) == (("A",), 16.0, "childcare;day_care")
    # With 199 m² both do not fit, so the second service needs the second roof.
    narrow = town({**spots, "A": replace(spots["A"], area=199)}, [5])
    plan = planned(narrow, SetCover((a, b), least="money"), hosting)
    assert (plan.new, plan.value) == (("A", "B"), 26.0)


def test_services_may_have_travel_costs_of_their_own():
    a, b = Demand("p60", minutes=10, service="day_care"), Demand("p0_3", minutes=10, service="childcare")
    by_foot, by_car = (town({"A": Spot(near=one)}, [5, 5]).times({"A": Spot(near=one)}) for one in (near(0), near(0, 1)))
    cells = town({"A": Spot()}, [5, 5]).cells()
    plan = plan_sites({"day_care": by_car, "childcare": by_foot}, cells, objective=MaxCover((a, b)))
    # By car both cells (10 older people), on foot one child.
    assert (plan.value, [one.after for one in plan.reached]) == (11.0, [10.0, 1.0])
    verify_plan(plan, {"day_care": by_car, "childcare": by_foot}, cells)


def test_idle_sites_are_left_out_of_the_plan():
    spots = {"A": Spot(near=near(0)), "B": Spot(near={}), "C": Spot(near=near(0, minutes=9))}
    plan = planned(town(spots, [5]), MaxCover((Demand("p60", minutes=10, decay=Step((10,), (1,))),)), [Sites(at_most=3)])
    assert len(plan.new) == 1


# ---------------------------------------------------------------- nothing to do, and what cannot be done


def test_zero_sites_needed_is_an_answer():
    place = town({"A": Spot(near=near(0))}, [5], old={"X": Spot(near=near(0))})
    for objective in (SetCover((OLD,)), MaxCover((OLD,)), PCentre((OLD,), beyond="forbid")):
        plan = planned(place, objective)
        assert plan.new == ()
        assert {"all_covered", "no_sites_needed"} <= {fault.code for fault in plan.findings}
        assert plan.status == "optimal"
    assert planned(place, SetCover((OLD,))).value == 0.0


def test_where_nothing_is_left_to_decide_the_bound_is_mere_counting():
    place = town({"A": Spot(near={})}, [5], old={"X": Spot(near=near(0))})
    assert planned(place, MaxCover((OLD,))).bound_by == "highs"
    dominated = town({"A": Spot(near={}), "B": Spot(near={})}, [5])
    assert planned(dominated, MaxCover((OLD,)), [Sites(at_most=0)]).value == 0.0


def conflict_town() -> Town:
    """鼓楼街道 has no candidate; 城南街道 and 河西乡 have one each, of 1.5 and 2.7 million yuan."""
    spots = {"B": Spot("s2", 1_500_000, near=near(0)), "C": Spot("s3", 2_700_000, near=near(1))}
    return town(spots, [10, 20])


def test_a_street_without_a_candidate_is_named_and_nothing_else():
    plan = planned(conflict_town(), MaxCover((OLD,)), [PerUnit("street", at_least=1)])
    assert [(one.zh, one.en) for one in plan.conflicts] == [("鼓楼街道：没有候选点", "鼓楼街道: no candidate")]
    assert [told.unit for told in plan.conflicts[0].claims] == ["s1"]
    told = plan.relaxation
    assert (told.units_without, told.extra_yuan, told.extra_sites, told.rules_broken) == (("s1",), 0.0, 0, 0)
    assert (told.zh, told.en) == ("1 个单元不满足要求（鼓楼街道）", "1 unit(s) go without (鼓楼街道)")
    assert (plan.new, plan.value, plan.status) == (("B", "C"), 30.0, "optimal")


def test_a_budget_that_is_too_small_is_named_with_the_streets_and_the_money_they_need():
    plan = planned(conflict_town(), MaxCover((OLD,)), [PerUnit("street", at_least=1, units=("s2", "s3")), Budget(3_000_000)])
    assert [one.zh for one in plan.conflicts] == ["2 个街道（城南街道、河西乡）至少需要 420 万元，预算为 300 万元"]
    assert (
        plan.conflicts[0].text("en")
        == "2 streets (城南街道, 河西乡) need at least 4.2 million yuan, the budget is 3 million yuan"
    )
    assert (plan.relaxation.extra_yuan, plan.relaxation.text("zh")) == (1_200_000.0, "预算增加 120 万元")
    assert plan.relaxation.text("en") == "1.2 million yuan more"
    assert (plan.new, plan.net_yuan) == (("B", "C"), 4_200_000.0)


def test_two_conflicts_at_once_are_told_apart():
    plan = planned(conflict_town(), MaxCover((OLD,)), [PerUnit("street", at_least=1), Budget(3_000_000)])
    assert [{(type(told.rule).__name__, told.unit) for told in one.claims} for one in plan.conflicts] == [
        {("PerUnit", "s1")},
        {("PerUnit", "s2"), ("PerUnit", "s3"), ("Budget", "")},
    ]
    assert (plan.relaxation.units_without, plan.relaxation.extra_yuan) == (("s1",), 1_200_000.0)


def test_too_few_sites_allowed_are_told_with_the_number_needed():
    plan = planned(conflict_town(), MaxCover((OLD,)), [PerUnit("street", at_least=1, units=("s2", "s3")), Sites(at_most=1)])
    assert plan.conflicts[0].en == "2 streets (城南街道, 河西乡) need at least 2 new site(s); at most 1 new site(s)"
    assert plan.conflicts[0].zh == "2 个街道（城南街道、河西乡）至少需要新增 2 处，新增设施至多 1 处"
    assert (plan.relaxation.extra_sites, plan.relaxation.en) == (1, "1 site(s) beyond the number asked")


def test_numbers_that_contradict_each_other_are_named_together():
    plan = planned(conflict_town(), MaxCover((OLD,)), [Sites(at_least=2), Sites(at_most=0)])
    assert {told.en for one in plan.conflicts for told in one.claims} == {"at least 2 new site(s)", "at most 0 new site(s)"}
    assert plan.relaxation.extra_sites == 2


def test_one_street_that_asks_for_more_than_the_money_is_told_in_the_singular():
    plan = planned(conflict_town(), MaxCover((OLD,)), [PerUnit("street", at_least=1, units=("s3",)), Budget(9_000)])
    assert plan.conflicts[0].en == "1 street (河西乡) needs at least 2.7 million yuan, the budget is 9,000 yuan"


def test_a_street_with_too_few_candidates_keeps_those_it_has():
    plan = planned(conflict_town(), MaxCover((OLD,)), [PerUnit("street", at_least=2, units=("s2",))])
    assert plan.conflicts[0].en == "城南街道: 1 to choose from, at least 2 asked"
    assert "B" in plan.new


def test_people_whom_nobody_can_reach_are_told_by_unit():
    place = town({"A": Spot("s1", near=near(0))}, [10, 30], units=["s1", "s2"])
    plan = planned(place, MaxCover((OLD,)), [ReachInUnits(OLD, "street", 0.5, units=("s1", "s2"))])
    assert [one.en for one in plan.conflicts] == [
        "城南街道: at least 50% of the people aged 60+ reached: no candidate reaches them"
    ]
    partly = town({"A": Spot("s1", near=near(0))}, [10, 30], units=["s1", "s1"])
    plan = planned(partly, MaxCover((OLD,)), [ReachInUnits(OLD, "street", 0.5, units=("s1",))])
    assert plan.conflicts[0].en == "鼓楼街道: at least 50% of the people aged 60+ reached: cannot be met by any choice of sites"
    assert plan.value == 10.0


def test_other_rules_give_way_only_where_nothing_else_helps():
    # A and B are both due and 300 m apart; 301 m are asked. One of three claims must go.
    plan = planned(town(ROW, PEOPLE), MaxCover((OLD,)), [ForcedIn(("A", "B")), Spacing(301)])
    assert plan.relaxation.rules_broken == 1
    assert len(plan.conflicts) == 1
    assert {type(told.rule).__name__ for told in plan.conflicts[0].claims} == {"ForcedIn", "Spacing"}
    assert plan.conflicts[0].en.startswith("these cannot all hold: A must be built; B must be built; A and B are 300 m apart")
    assert plan.relaxation.en.startswith("give up: ")


def test_full_coverage_of_people_out_of_reach_gives_way_to_the_most_that_can_be_reached():
    plan = planned(town(ROW, [*PEOPLE, 7]), SetCover((OLD,)))
    assert plan.conflicts[0].en == "at least 100% of the people aged 60+ reached: cannot be met by any choice of sites"
    assert (plan.new, plan.value, plan.reached[0].after) == (("A", "C"), 2.0, 105.0)


def test_people_without_any_candidate_are_named_where_nobody_may_be_left():
    plan = planned(town(ROW, [*PEOPLE, 7]), PMedian((OLD,), beyond="forbid"))
    assert [one.claims[0].en for one in plan.conflicts] == ["7 people aged 60+ whom no candidate reaches"]
    # 105 people at 5 minutes; the 7 count at the limit of 10.
    assert plan.value == 105 * 5 + 7 * 10


# ---------------------------------------------------------------- proof, repeatability, checking again


def test_the_order_of_candidates_and_the_tables_given_change_nothing():
    place = town(ROW, PEOPLE, old={"X": Spot("s1", near=near(0))})
    turned = Town(dict(reversed(place.new.items())), place.old, place.people, place.cell_unit, place.units)
    options, cells = place.times(place.new), place.cells()
    before = options.facilities.copy()
    rules = [Sites(at_most=2), PerUnit("street", at_least=1, units=("s2",)), Budget(30)]
    plans = [planned(one, MaxCover((OLD,)), rules) for one in (place, turned)]
    pd.testing.assert_frame_equal(pd.DataFrame(plans[0].sites), pd.DataFrame(plans[1].sites))
    plan_sites(options, cells, objective=MaxCover((OLD,)), rules=rules, units=place.unit_table())
    pd.testing.assert_frame_equal(pd.DataFrame(before), pd.DataFrame(options.facilities))


def test_a_changed_plan_does_not_pass_the_check():
    place = town(ROW, PEOPLE, old={"X": Spot("s1", near=near(0))})
    options, existing, cells, units = place.times(place.new), place.times(place.old), place.cells(), place.unit_table()
    rules = (Sites(at_most=1), Budget(20))
    plan = plan_sites(options, cells, objective=MaxCover((OLD,)), existing=existing, rules=rules, units=units)
    stage = plan.stages[0]
    moved = plan.sites.rename(index={"C": "A"})
    for changed, told in (
        (replace(plan, net_yuan=0.0), "net_yuan is 0"),
        (replace(plan, stages=(replace(stage, value=80.0),)), "value is 80.000000, counted 85.000000"),
        (replace(plan, stages=(replace(stage, bound=80.0),)), "bound 80.0 is worse than the value 85.0"),
        (replace(plan, reached=(replace(plan.reached[0], before=1.0),)), "before of p60 is 1.000000, counted 30.000000"),
        (replace(plan, reached=(replace(plan.reached[0], total=1.0),)), "total of p60"),
        (replace(plan, sites=moved), "after of p60 is 85.000000, counted 50.000000"),
        (replace(plan, sites=plan.sites.rename(index={"C": "Q"})), "Q cannot host ''"),
        (replace(plan, sites=plan.sites.drop("X")), "X stands but is neither kept nor closed"),
        (replace(plan, sites=plan.sites.drop("X"), closed=("X",)), "X is closed without a rule"),
        (replace(plan, sites=plan.sites.assign(status="new")), "X is called new"),
        (replace(plan, sites=plan.sites.assign(status=["new", "extended"])), "X is extended without a rule"),
        (replace(plan, rules=(Sites(at_most=0),)), "Sites : 1 is not between 0 and 0"),
        (replace(plan, rules=(Budget(9),)), "10 yuan is above the budget of 9"),
        (replace(plan, rules=(ForcedIn(("A",)), Forbidden(("C",)))), "A is not built; C is built"),
        (replace(plan, rules=(EachSite(area_m2_at_least=101, places_at_most=24),)), "C has 100 m2; C has 25 places"),
        (replace(plan, rules=(Spacing(701),)), "C and X are 700 m apart"),
        (replace(plan, rules=(ReachInUnits(OLD, "", 0.9),)), "in all 85 of 105 are reached, 90% asked"),
        (replace(plan, rules=(PerUnit("street", at_least=1),)), "PerUnit s2: 0 is not between 1 and inf"),
        (replace(plan, rules=(Amount("area_m2", at_least=300),)), "Amount : 200 is not between 300 and inf"),
    ):
        with pytest.raises(ValueError, match=told.replace("(", r"\(")):
            verify_plan(changed, options, cells, existing=existing, units=units)


def test_assignments_that_do_not_add_up_do_not_pass_the_check():
    place = town({"A": Spot(places=3, near={0: 5}), "B": Spot(places=9, near={0: 8})}, [4])
    options, cells = place.times(place.new), place.cells()
    plan = plan_sites(options, cells, objective=ServedMedian((OLD,), beyond="forbid"))
    table = plan.assignments
    for changed, told in (
        (table.assign(people=4.0), "A has 3 places for 4.000000 people"),
        (table.assign(people=4.0), "cell 0 sends more people than live there"),
        (table.assign(cost=1), "cell 0 does not reach A at cost 1"),
    ):
        with pytest.raises(ValueError, match=told):
            verify_plan(replace(plan, assignments=changed), options, cells)


def test_services_that_do_not_fit_their_floor_or_share_do_not_pass_the_check():
    a, b = Demand("p60", minutes=10, service="a"), Demand("p0_3", minutes=10, service="b")
    place = town({"A": Spot(area=100, inclusive=False, near=near(0))}, [5])
    options, cells = place.times(place.new), place.cells()
    plan = plan_sites(options, cells, objective=MaxCover((a, b)), rules=[Hosting("a", area_m2=50), Hosting("b", area_m2=50)])
    assert plan.sites.loc["A", "services"] == "a;b"
    wider = replace(plan, rules=(Hosting("a", area_m2=50), Hosting("b", area_m2=60)))
    with pytest.raises(ValueError, match="A hosts services of 110 m2 on 100 m2"):
        verify_plan(wider, options, cells)
    with pytest.raises(ValueError, match=r"0 of 1 inclusive is less than 0\.5"):
        verify_plan(replace(plan, rules=(InclusiveShare(0.5, "sites"),)), options, cells)


def hard_town() -> Town:
    """Thirty candidates, sixty cells, at random: more than one node of branch and bound."""
    rng = np.random.default_rng(4)
    spots = {
        f"{i:02d}": Spot("s1", int(rng.integers(1, 9)), near=near(*map(int, rng.choice(60, 6, replace=False)))) for i in range(30)
    }
    return town(spots, rng.integers(1, 50, 60).tolist())


def test_work_that_ends_too_early_leaves_a_plan_with_an_honest_bound():
    plan = planned(hard_town(), MaxCover((Demand("p60", minutes=10, sites_needed=2),)), [Budget(25)], work_limit=1)
    full = planned(hard_town(), MaxCover((Demand("p60", minutes=10, sites_needed=2),)), [Budget(25)])
    assert full.status == "optimal"
    assert plan.value <= full.value <= plan.bound
    assert (plan.status == "optimal") == (plan.bound - plan.value < 0.01)
    assert plan.reproducible


def test_the_safety_stop_marks_a_plan_as_not_reproducible(monkeypatch: pytest.MonkeyPatch):
    from careshed.siting.planning import solving

    monkeypatch.setattr(solving, "SAFETY_SECONDS", 0.0)
    with pytest.raises(OutOfWork, match="found no plan within its work; raise work_limit or loosen the rules"):
        planned(hard_town(), MaxCover((Demand("p60", minutes=10, sites_needed=2),)), [Budget(25), Sites(at_least=3)])


def pmed(path: Path) -> tuple[TravelTimes, gpd.GeoDataFrame, int]:
    """OR-Library graph -> shortest paths between all nodes, in millimetres; where an edge repeats, the last one counts."""
    rows = [list(map(int, line.split())) for line in path.read_text().splitlines() if line.strip()]
    count, _, sites = rows[0]
    graph = nx.Graph()
    for a, b, metres in rows[1:]:
        graph.add_edge(a - 1, b - 1, weight=metres)
    metres = np.array(
        [[ways[to] for to in range(count)] for ways in (nx.single_source_dijkstra_path_length(graph, n) for n in range(count))]
    )
    points = gpd.points_from_xy(np.arange(count) * 10.0, np.zeros(count))
    cells = gpd.GeoDataFrame({"total": np.ones(count)}, geometry=points, crs=CRS)
    spots = gpd.GeoDataFrame({"name": "", "unit": ""}, index=[f"{i:03d}" for i in range(count)], geometry=points, crs=CRS)
    none = np.full(count, "", dtype=np.str_)
    times = TravelTimes(
        spots, cells.index, np.arange(0, count * count + 1, count), np.tile(np.arange(count, dtype=np.int32), count),
        (metres * 1000).astype(np.uint32).ravel(), np.zeros(count, np.int64), np.zeros(count, np.int32), none, none, "length",
        int(metres.max()) * 1000, "to_facility", WALK_OLDER, 150.0,
    )  # fmt: skip
    return times, cells, sites


@pytest.mark.skipif(not PMED.exists(), reason="the OR-Library instances are not here")
@pytest.mark.parametrize(("instance", "optimum"), [(1, 5819), (2, 4093), (3, 4250), (4, 3034), (5, 1355)])
def test_the_optima_of_the_or_library_are_proved(instance: int, optimum: int):
    times, cells, sites = pmed(PMED / f"pmed{instance}.txt")
    plan = plan_sites(times, cells, objective=PMedian((Demand("total"),), beyond="forbid"), rules=[Sites(at_most=sites)])
    assert (plan.value, plan.bound, plan.status, plan.unit) == (optimum, optimum, "optimal", "person_metres")


@pytest.mark.skipif(not PMED.exists(), reason="the OR-Library instances are not here")
def test_the_centre_is_as_short_as_a_search_over_all_radii_proves():
    times, cells, sites = pmed(PMED / "pmed5.txt")
    plan = plan_sites(times, cells, objective=PCentre((Demand("total"),), beyond="forbid"), rules=[Sites(at_most=sites)])
    # The known optimum of pmed5 as a p-centre problem is 48 (Daskin; Ilhan and Pinar).
    assert (plan.value, plan.status, plan.unit) == (48.0, "optimal", "metres")
