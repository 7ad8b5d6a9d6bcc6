"""Reasons for a plan: order, losses, exchanges and sentences on towns that can be checked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planning_oracle import Spot, Town

from careshed.schema import InputError
from careshed.siting import rank_sites
from careshed.siting.planning import (
    Budget,
    Demand,
    ForcedIn,
    MaxCover,
    MaxServed,
    PerUnit,
    PMedian,
    SetCover,
    Sites,
    Spacing,
    Upgradable,
    plan_sites,
)
from careshed.siting.reasons import explain_sites

OLD = Demand("p60", minutes=10)
STREETS = {
    "c": ("青湾区", "county", "", ""),
    "s1": ("东街", "street", "c", "urban"),
    "s2": ("西街", "street", "c", "urban"),
    "v": ("老村", "village", "s2", "rural"),
}
POINT = ("托育点", "childcare point")


def near(*cells: int, minutes: float = 5) -> dict[int, float]:
    return dict.fromkeys(cells, minutes)


# A reaches cells 0 and 1 (30 + 20), B 1 and 2 (20 + 15), C 2 and 3 (15 + 40), D only 0 (30).
SPOTS = {
    "A": Spot("s1", 10, 25, near=near(0, 1), x=0),
    "B": Spot("s2", 1, 25, near=near(1, 2), x=300),
    "C": Spot("s2", 12, 25, near=near(2, 3), x=700),
    "D": Spot("s1", 4, 25, near=near(0), x=250),
}
PEOPLE = [30.0, 20.0, 15.0, 40.0]
CELL_UNITS = ["s1", "s1", "v", "s2"]


def town(new=None, people=None, old=None, units=None) -> Town:
    counts = {"p60": people or PEOPLE, "p0_3": [1.0] * len(people or PEOPLE)}
    return Town(new or SPOTS, old or {}, counts, units or CELL_UNITS, STREETS)


def planned(place: Town, objective, rules=()):
    return plan_sites(
        place.times(place.new), place.cells(), objective=objective, existing=place.times(place.old), rules=rules,
        units=place.unit_table(),
    )  # fmt: skip


def explained(place: Town, plan, **more):
    return explain_sites(
        plan, place.times(place.new), place.cells(), existing=place.times(place.old), units=place.unit_table(), **more
    )


# ---------------------------------------------------------------- order, gains, losses


def test_the_site_that_adds_most_comes_first_and_each_tells_what_it_adds_then():
    place = town()
    told = explained(place, planned(place, MaxCover((OLD,)), [Sites(at_most=3)]))
    # C brings 55, then A 50; a third site would add nobody and is left out.
    assert list(told.table.index) == ["C", "A"]
    assert list(told.table["order"]) == [1, 2]
    assert list(told.table["people_new"]) == [55.0, 50.0]
    assert list(told.table["value_new"]) == [55.0, 50.0]
    assert list(told.table["people_lost"]) == [55.0, 50.0]


def test_what_is_lost_without_a_site_is_only_whom_no_other_site_of_the_plan_reaches():
    place = town()
    plan = planned(place, MaxCover((OLD,)), [ForcedIn(("A", "B", "C"))])
    told = explained(place, plan).table
    # In order C 55, A 50, B 0. A and C reach B's cells 1 and 2 too: without B nobody goes without; without C only cell 3.
    assert list(told.index) == ["C", "A", "B"]
    assert list(told["people_new"]) == [55.0, 50.0, 0.0]
    assert list(told["people_lost"]) == [40.0, 30.0, 0.0]
    assert told.loc["B", "breaks_en"] == 'the rule "B must be built" would not hold'
    assert told.loc["B", "breaks_zh"] == "不再满足“候选点 B 必须入选”"
    assert told.loc["B", "reason_en"] == (
        'Site 3, 点B: reaches nobody new; without it the rule "B must be built" would not hold; '
        "no other candidate could take its place under the rules."
    )


def test_a_street_that_would_have_none_is_named_with_what_it_would_lack():
    place = town()
    plan = planned(place, MaxCover((OLD,)), [PerUnit("street", at_least=1), Sites(at_most=2)])
    told = explained(place, plan, facility=POINT).table
    assert list(told["breaks_zh"]) == ["西街将没有托育点", "东街将没有托育点"]
    assert list(told["breaks_en"]) == ["西街 would have no childcare point", "东街 would have no childcare point"]
    # In the place of C (s2) only B keeps the rule: cells 0–2 make 65 of 105, 40 fewer, 11 yuan cheaper, 400 m off.
    assert told.loc["C", ["alternative", "people_change", "yuan_change", "alternative_m"]].tolist() == ["B", -40.0, -11.0, 400.0]
    assert told.loc["C", "reason_zh"] == (
        "第 1 处“点C”：新增覆盖 55 名60岁及以上老人（均在西街）；若不建，这些人都到不了任何托育点，西街将没有托育点；"
        "附近次优的是 400 米外的“点B”（少覆盖 40 人，省 11 元）。"
    )


def test_a_street_that_needs_two_would_have_fewer():
    place = town()
    plan = planned(place, MaxCover((OLD,)), [PerUnit("street", at_least=2, units=("s2",))])
    told = explained(place, plan, facility=POINT).table
    assert told.loc["B", "breaks_en"] == "西街 would have fewer than 2"
    assert told.loc["B", "breaks_zh"] == "西街的托育点将不足 2 处"


def test_more_broken_rules_than_a_sentence_holds_are_counted():
    units = STREETS | {f"u{i}": (f"里弄{i}", "community", f"u{i + 1}" if i < 4 else "s1", "") for i in range(5)}
    place = Town({"A": Spot("u0", near=near(0))}, {}, {"p60": [5.0], "p0_3": [1.0]}, ["u0"], units)
    plan = rank_sites(
        place.times(place.new), place.cells(), minutes=10, group="p60", n=1, units=place.unit_table(),
        at_least_one_per=("community",),
    )  # fmt: skip
    told = explained(place, plan).table
    assert told.loc["A", "breaks_en"].count("would have no such facility") == 5
    assert "里弄0 would have no such facility and 里弄1 would have no such facility and" in told.loc["A", "reason_en"]
    assert "and 2 more rule(s) would break" in told.loc["A", "reason_en"]
    assert "，另有 2 项要求不再满足" in told.loc["A", "reason_zh"]


def test_of_sites_that_add_alike_the_one_that_meets_a_rule_comes_first_then_the_smaller_id():
    # A, B and C reach 10 people each; only C lies in the street that must have one.
    spots = {name: Spot(unit, near=near(at)) for at, (name, unit) in enumerate([("A", "s1"), ("B", "s1"), ("C", "s2")])}
    place = town(spots, [10.0, 10.0, 10.0], units=["s1"] * 3)
    plan = planned(place, MaxCover((OLD,)), [PerUnit("street", at_least=1, units=("s2",))])
    assert list(explained(place, plan).table.index) == ["C", "A", "B"]


def test_with_a_backup_asked_for_the_first_site_is_the_one_that_brings_more_people_half_way():
    # A person counts with two sites. Neither brings anyone alone: B reaches 35 people once, A 20; then A completes 20.
    spots = {"A": Spot(near=near(1)), "B": Spot(near=near(1, 2))}
    place = town(spots)
    plan = planned(place, MaxCover((replace(OLD, sites_needed=2),)))
    told = explained(place, plan).table
    assert list(told.index) == ["B", "A"]
    assert list(told["people_new"]) == [0.0, 20.0]
    assert list(told["people_lost"]) == [20.0, 20.0]


def test_the_least_sites_are_ordered_by_people_reached():
    place = town()
    plan = planned(place, SetCover((replace(OLD, weight=3.0),), 1.0))
    told = explained(place, plan).table
    assert list(told["value_new"]) == [55.0, 50.0]
    assert list(told["breaks_en"]) == ['the rule "at least 100% of the people aged 60+ reached" would not hold'] * 2
    assert set(told["alternative"]) == {""}
    assert np.isnan(told["alternative_m"]).all()


# ---------------------------------------------------------------- groups and units


def test_people_newly_reached_are_told_by_group_and_by_unit_at_every_level():
    place = town()
    told = explained(place, planned(place, MaxCover((OLD,)), [Sites(at_most=1)]), groups=("p0_3",))
    # C reaches cell 2 (15, in the village of 西街) and cell 3 (40, in 西街): 2 young children.
    assert told.by_group.to_numpy().tolist() == [["C", 0, "", "p60", 55.0], ["C", 0, "", "p0_3", 2.0]]
    rows = told.by_unit[told.by_unit["group"] == "p60"]
    assert rows[["unit", "unit_name", "level", "people"]].to_numpy().tolist() == [
        ["c", "青湾区", "county", 55.0],
        ["s2", "西街", "street", 55.0],
        ["v", "老村", "village", 15.0],
    ]


def test_units_that_share_the_gain_are_named_the_largest_first():
    place = town({"A": Spot("s1", near=near(0, 1, 2, 3))})
    plan = planned(place, MaxCover((OLD,)))
    told = explained(place, plan).table.loc["A"]
    # s1 has 30 + 20, s2 with its village 15 + 40.
    assert "newly reaches 105 people aged 60+ (西街 55, 东街 50)" in told["reason_en"]
    assert "新增覆盖 105 名60岁及以上老人（西街 55 人、东街 50 人）" in told["reason_zh"]


def test_without_streets_the_finest_units_are_named_and_the_rest_counted():
    units = {f"g{i}": (f"{i}网格", "community", "", "") for i in range(5)}
    place = Town({"A": Spot(near=near(0, 1, 2, 3, 4))}, {}, {"p60": [5.0, 4.0, 3.0, 2.0, 0.5]}, list(units), units)
    told = explained(place, planned(place, MaxCover((OLD,)))).table.loc["A"]
    assert "(0网格 5, 1网格 4, 2网格 3 and 1 more unit(s))" in told["reason_en"]
    assert "（0网格 5 人、1网格 4 人、2网格 3 人，另有 1 个单元）" in told["reason_zh"]


def test_cells_without_a_unit_column_count_under_no_unit():
    place = town()
    cells = place.cells().drop(columns="unit")
    plan = rank_sites(place.times(place.new), cells, minutes=10, group="p60", n=1)
    told = explain_sites(plan, place.times(place.new), cells)
    assert told.by_unit[["unit", "unit_name", "level", "people"]].to_numpy().tolist() == [["", "", "", 55.0]]
    assert told.table.loc["C", "reason_en"].startswith("Site 1, 点C: newly reaches 55 people aged 60+; without it")


def test_two_groups_are_counted_apart_and_named_together():
    place = town()
    plan = planned(place, MaxCover((OLD, Demand("p0_3", minutes=10, weight=10.0))), [Sites(at_most=1)])
    told = explained(place, plan)
    # C: 55 + 2 × 10 = 75 in the objective, 57 people.
    assert told.table.loc["C", ["value_new", "people_new"]].tolist() == [75.0, 57.0]
    assert told.by_group[["demand", "group", "people"]].to_numpy().tolist() == [[0, "p60", 55.0], [1, "p0_3", 2.0]]
    assert "newly reaches 57 people aged 60+ and children under 3 (all in 西街)" in told.table.loc["C", "reason_en"]


# ---------------------------------------------------------------- exchanges


def test_the_next_best_nearby_is_counted_anew_on_the_complete_plan():
    place = town()
    plan = planned(place, MaxCover((OLD,)), [Sites(at_most=2)])
    told = explained(place, plan, near_m=400)
    # A and C reach all 105. B for A: cells 1–3 make 75, −30. D for A: 0, 2, 3 make 85, −20, 6 yuan cheaper.
    rows = told.alternatives[told.alternatives["site_id"] == "A"]
    assert rows[["candidate_id", "metres", "people_change", "yuan_change"]].to_numpy().tolist() == [
        ["D", 250.0, -20.0, -6.0],
        ["B", 300.0, -30.0, -9.0],
    ]
    assert told.table.loc["A", ["alternative", "alternative_near", "near_tie"]].tolist() == ["D", True, False]


def test_where_nothing_is_near_the_best_elsewhere_is_told_with_its_distance():
    place = town()
    told = explained(place, planned(place, MaxCover((OLD,)), [Sites(at_most=2)]), near_m=100)
    assert len(told.alternatives) == 0
    # For C: B leaves 30 + 20 + 15 = 65 (−40), D only A's 50 (−55).
    assert told.table.loc["C", ["alternative", "people_change", "alternative_near"]].tolist() == ["B", -40.0, False]
    assert "nothing within 100 m could take its place, the next best elsewhere is 点B, 400 m away" in told.text("en")
    assert "100 米内没有可替代的候选点，别处次优的是 400 米外的“点B”" in told.text()


def test_of_exchanges_alike_elsewhere_the_cheaper_one_is_told():
    spots = {"A": Spot(near=near(0)), "B": Spot(cost=5, near=near(1), x=500), "C": Spot(cost=2, near=near(1), x=900)}
    place = town(spots, [30.0, 10.0], units=["s1"] * 2)
    told = explained(place, planned(place, MaxCover((OLD,)), [Sites(at_most=1)]), near_m=10).table
    assert told.loc["A", ["alternative", "people_change"]].tolist() == ["C", -20.0]


def test_a_dominated_candidate_is_still_offered_with_the_one_that_stays():
    place = town()
    plan = planned(place, MaxCover((OLD,)), [PerUnit("street", at_least=1), Sites(at_most=2)])
    cheap = SPOTS | {"A": Spot("s1", 3, 25, near=near(0, 1), x=0)}
    place = town(cheap)
    plan = planned(place, MaxCover((OLD,)), [Sites(at_most=2)])
    # A reaches more than D for less money in the same street, so D is left out of the search, not of the answer.
    assert plan.dominated == (("D", "A"),)
    told = explained(place, plan)
    rows = told.alternatives[told.alternatives["site_id"] == "A"]
    assert rows.loc[rows["candidate_id"] == "D", "dominated_by"].tolist() == ["A"]
    assert told.table.loc["A", "alternative"] == "D"


def test_candidates_that_would_break_a_rule_are_listed_with_the_rule_but_not_chosen():
    place = town()
    plan = planned(place, MaxCover((OLD,)), [Spacing(420), Sites(at_most=2)])
    assert plan.new == ("A", "C")
    told = explained(place, plan)
    rows = told.alternatives[told.alternatives["site_id"] == "A"].set_index("candidate_id")
    # For A: D lies 450 m from C and may stand; B lies 400 m from C and may not.
    assert rows["keeps_rules"].to_dict() == {"D": True, "B": False}
    assert rows.loc["B", "breaks_en"] == 'the rule "B and C are 400 m apart, less than the spacing of 420 m" would not hold'


@pytest.mark.parametrize(
    ("people", "share", "tie"),
    # The exchange loses 100 of A's 20,000: half a per cent. With a share of 0 only less than one person counts.
    [([19_900.0, 100.0], 0.01, True), ([19_900.0, 100.0], 0.001, False), ([30.0, 0.9], 0.0, True), ([30.0, 1.0], 0.0, False)],
)
def test_sites_are_near_ties_where_an_exchange_changes_next_to_nothing(people, share, tie):
    spots = {"A": Spot(near=near(0, 1), cost=5), "B": Spot(near=near(0), cost=5, x=50)}
    place = town(spots, people, units=["s1", "s1"])
    told = explained(place, planned(place, MaxCover((OLD,)), [Sites(at_most=1)]), tie_share=share).table
    assert told.loc["A", ["alternative", "near_tie"]].tolist() == ["B", tie]
    assert ("practically a tie" in told.loc["A", "reason_en"]) == tie
    assert ("两处几乎相当" in told.loc["A", "reason_zh"]) == tie


def test_equal_people_and_equal_cost_are_said_so():
    place = town({"A": Spot(near=near(0)), "B": Spot(near=near(0), x=1500)})
    told = explained(place, planned(place, MaxCover((OLD,)), [Sites(at_most=1)]), near_m=2000).table
    assert (
        "the next best nearby is 点B, 1.5 km away (as many people, at the same cost, practically a tie)"
        in told.loc["A", "reason_en"]
    )
    assert "附近次优的是 1.5 公里外的“点B”（人数相同，造价相同，两处几乎相当）" in told.loc["A", "reason_zh"]


def test_an_exchange_that_would_do_better_is_told_as_more():
    # Forced A reaches 30; B would reach 40 for 1,000 yuan more, but the rule holds for A.
    place = town({"A": Spot(near=near(0), cost=0), "B": Spot(near=near(3), cost=1000, x=10)})
    plan = planned(place, MaxCover((OLD,)), [Sites(at_most=1)])
    worse = replace(plan, sites=plan.sites.rename(index={"B": "A"}), stages=(replace(plan.stages[0], value=30.0),))
    told = explained(place, worse).table
    assert told.loc["A", ["people_change", "yuan_change"]].tolist() == [10.0, 1000.0]
    assert "10 people more, 1,000 yuan dearer" in told.loc["A", "reason_en"]
    assert "多覆盖 10 人，多花 1,000 元" in told.loc["A", "reason_zh"]


def test_where_costs_are_not_known_no_money_is_told():
    place = town()
    options = place.times(place.new)
    bare = replace(options, facilities=options.facilities.drop(columns="cost_yuan"))
    plan = rank_sites(bare, place.cells(), minutes=10, group="p60", n=1)
    told = explain_sites(plan, bare, place.cells()).table
    assert np.isnan(told["yuan_change"]).all()
    assert "yuan" not in told.loc["C", "reason_en"]


# ---------------------------------------------------------------- places


def test_where_places_are_limited_a_site_is_told_by_those_it_gives_a_place():
    # X stands with 10 places for the 30 + 20 people of cells 0 and 1. A adds 25 places for them, B 12 for the 20: people already
    # reached. A first (+25), then B (+12): 47 of 50 have a place.
    new = {"A": Spot("s1", 4, 25, near=near(0, 1)), "B": Spot("s2", 2, 12, near=near(1), x=300)}
    place = town(new, [30.0, 20.0], {"X": Spot("s1", places=10, near=near(0, 1))}, ["s1", "s2"])
    plan = planned(place, MaxServed((OLD,)))
    told = explained(place, plan)
    assert plan.value == 47.0
    assert told.table[["people_new", "people_lost"]].to_numpy().tolist() == [[25.0, 25.0], [12.0, 12.0]]
    assert told.by_unit.empty
    assert told.placed.groupby("site_id")["people"].sum().to_dict() == {"A": 25.0, "B": 12.0}
    assert told.table.loc["A", "reason_en"] == (
        "Site 1, 点A: gives a place to 25 people aged 60+; without it 25 people would have no place; "
        "no other candidate could take its place under the rules."
    )
    assert told.table.loc["A", "reason_zh"] == (
        "第 1 处“点A”：使 25 名60岁及以上老人有位可入；若不建，25 人无位可入；没有别的候选点可以替代而不违反要求。"
    )


def test_without_a_site_whose_people_find_a_place_elsewhere_nobody_loses_one():
    new = {"A": Spot(places=50, near=near(0)), "B": Spot(places=50, near=near(0), x=10)}
    place = town(new, [30.0], units=["s1"])
    # Both were forced in; once that rule is dropped, each could go.
    plan = replace(planned(place, MaxServed((OLD,)), [ForcedIn(("A", "B"))]), rules=())
    told = explained(place, plan)
    assert told.table["people_lost"].tolist() == [0.0, 0.0]
    assert "without it nobody would lose a place" in told.text("en")
    assert "若不建，没有人因此无位可入" in told.text("zh")


def test_a_first_site_that_later_ones_make_needless_is_told_as_such():
    # A reaches cells 0 and 1 (20 people) and comes first; B (0, 2) and C (1, 3)
    # add 5 each and together reach all of A's people too.
    place = town({"A": Spot(near=near(0, 1)), "B": Spot(near=near(0, 2)), "C": Spot(near=near(1, 3))}, [10.0, 10.0, 5.0, 5.0])
    plan = rank_sites(place.times(place.new), place.cells(), minutes=10, group="p60", n=3)
    told = explained(place, plan)
    assert told.table[["people_new", "people_lost"]].to_numpy().tolist() == [[20.0, 0.0], [5.0, 5.0], [5.0, 5.0]]
    assert "without it nobody would lose access" in told.table.loc["A", "reason_en"]
    assert "若不建，没有人因此失去设施" in told.table.loc["A", "reason_zh"]


def test_upgrades_of_a_new_site_go_with_it():
    # A has 5 places and is extended by 10 for 3 yuan: without it, 15 people lose a place. B offers 8 and no extension.
    new = {"A": Spot(cost=2, places=5, near=near(0)), "B": Spot(cost=6, places=8, near=near(0), x=50)}
    place = town(new, [40.0], units=["s1"])
    plan = planned(place, MaxServed((OLD,)), [Sites(at_most=1), Upgradable("A", 10, 3)])
    told = explained(place, plan).table
    assert told.loc["A", ["people_new", "people_lost"]].tolist() == [15.0, 15.0]
    # B costs 6, A with its extension 5.
    assert told.loc["A", ["people_change", "yuan_change"]].tolist() == [-7.0, 1.0]
    assert "少安置 7 人，多花 1 元" in told.loc["A", "reason_zh"]


# ---------------------------------------------------------------- what holds always


def test_input_is_left_alone_and_the_order_of_rows_changes_nothing():
    place, turned = town(), town(dict(reversed(SPOTS.items())))
    cells, options = place.cells(), place.times(place.new)
    kept = cells.copy(), options.facilities.copy()
    plan = planned(place, MaxCover((OLD,)), [Sites(at_most=2)])
    first = explain_sites(plan, options, cells, units=place.unit_table())
    second = explain_sites(plan, turned.times(turned.new), turned.cells(), units=turned.unit_table())
    assert first.table.equals(second.table)
    assert first.alternatives.equals(second.alternatives)
    assert cells.equals(kept[0])
    assert options.facilities.equals(kept[1])


def test_a_plan_that_builds_nothing_has_nothing_to_explain():
    place = town(old={"X": Spot("s1", near=near(0, 1, 2, 3))})
    told = explained(place, planned(place, MaxCover((OLD,))))
    assert len(told.table) == len(told.alternatives) == 0
    assert told.text() == "方案不新增设施。"
    assert "reason_zh" in told.table.columns


def test_less_than_a_person_and_all_residents_are_told_in_words():
    place = Town({"A": Spot(near=near(0))}, {}, {"total": [0.4]}, [""], STREETS)
    plan = planned(place, MaxCover((Demand("total", minutes=10),)))
    assert "newly reaches less than one of the residents; without it none of them" in explained(place, plan).text("en")
    assert "新增覆盖不足 1 名居民" in explained(place, plan).text("zh")
    place = Town({"A": Spot(near=near(0))}, {}, {"total": [1.0]}, [""], STREETS)
    plan = planned(place, MaxCover((Demand("total", minutes=10),)), [Sites(at_most=1)])
    assert "newly reaches 1 of the residents" in explained(place, plan).text("en")


# ---------------------------------------------------------------- faults


def fault_of(place: Town, plan, **more) -> str:
    with pytest.raises(InputError) as caught:
        explained(place, plan, **more)
    return str(caught.value)


def test_tables_of_another_town_are_refused():
    place = town()
    plan = planned(place, MaxCover((OLD,)), [Sites(at_most=2)])
    other = town(people=[31.0, *PEOPLE[1:]])
    assert "the plan is not of these tables: the plan says 105.000, they make 106.000. Give the tables" in fault_of(other, plan)
    fewer = town({name: spot for name, spot in SPOTS.items() if name != "A"})
    assert "the plan is not of these tables: A of the plan are not in them" in fault_of(fewer, plan)
    ranked = rank_sites(place.times(place.new), place.cells(), minutes=10, group="p60", n=1)
    with pytest.raises(InputError, match="the plan is not of these tables: the candidates' travel costs are for other cells"):
        explain_sites(ranked, place.times(place.new), place.cells().iloc[:2])
    with pytest.raises(InputError, match="a plan of rank_sites has one matrix of travel costs"):
        explain_sites(ranked, {"": place.times(place.new)}, place.cells())


def test_a_plan_by_streets_needs_the_streets():
    place = town()
    plan = rank_sites(
        place.times(place.new),
        place.cells(),
        minutes=10,
        group="p60",
        n=2,
        units=place.unit_table(),
        at_least_one_per=("street",),
    )
    with pytest.raises(InputError, match=r"the plan serves units that are not given: s1, s2\. Give units="):
        explain_sites(plan, place.times(place.new), place.cells())


def test_an_objective_that_counts_travel_is_refused_by_name():
    place = town()
    plan = planned(place, PMedian((OLD,), 30.0), [Sites(at_most=1), Budget(50)])
    said = fault_of(place, plan)
    assert "the objective 'least travel in all' is not counted in people reached" in said
    assert "MaxCover, MaxServed and SetCover can be explained." in said


def test_all_faults_of_the_parameters_are_told_at_once():
    place = town()
    plan = planned(place, MaxCover((OLD,)), [Sites(at_most=1)])
    said = fault_of(place, plan, near_m=-1, tie_share=2, groups=("p99",))
    assert "3 fault(s)" in said
    assert "near_m is no distance (found '-1'). Give metres of 0 or more." in said
    assert "tie_share is no share (found '2'). Give 0 to 1." in said
    assert "the cells have no column 'p99'" in said
