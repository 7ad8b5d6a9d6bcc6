"""What a scorecard says of a town that can be worked out by hand: every measure, both senses, years, gaps and reasons."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from policy_town import elder, near, plan, rule, town, with_compounds

from careshed.policy import Rule
from careshed.policy.judging import RuleResult, judge_plan, load_scorecard, save_scorecard
from careshed.policy.judging.measured import NONE, Measured, Part, gap, meets, missing
from careshed.schema import InputError


def judged(one: Rule, **policy: object) -> RuleResult:
    return judge_plan(town(**policy), plan(one)).results[0]


def told(result: RuleResult) -> tuple[object, ...]:
    """Value, numerator, denominator, state, gap and what is missing."""
    first = result.targets[0] if result.targets else None
    return (result.value, result.counted, result.of, result.state, None if first is None else (first.gap, first.missing))


def test_units_are_counted_and_those_without_wait_with_their_people() -> None:
    # F1 in a1 (so in A), F2 in b1 by where it stands (so in B); F4 has closed. a2 has none.
    result = judged(elder(measure="facilities_per_unit", levels=["community", "village"], kind="presence"))
    assert told(result) == (0.0, 2.0, 3, "short", (1.0, 1.0))
    assert (result.units_short, result.people_short) == (1, 50.0)
    assert [(unit.unit, unit.value, unit.met, unit.people) for unit in result.units] == [
        ("a1", 1.0, True, 20.0), ("a2", 0.0, False, 50.0), ("b1", 1.0, True, 40.0),
    ]  # fmt: skip
    assert (result.presence.having, result.presence.units, result.presence.levels) == (2, 3, ("community", "village"))
    # older people walk 900 m in 15 minutes: 100 and 1000 reach F1 at 200; 2000 and 2900 reach F2 at 2100: all 110
    assert (result.reach.reached, result.reach.people, result.reach.minutes, result.reach.mode) == (110.0, 110.0, 15.0, "older")
    assert (result.reach.limit_from, result.reach.share, result.presence.share) == ("service", 1.0, near(2 / 3))


def test_waiting_lists_units_without_one_and_who_is_beyond_reach() -> None:
    # 托育机构 F3 at 900 in a2; toddlers' carers walk 600 m in 10 minutes: only 1000 is within; 100 is 800 m away
    one = rule(types=["托育机构"], measure="facilities_per_unit", levels=["community", "village"], kind="presence")
    card = judge_plan(town(), plan(one))
    table = card.waiting("r")
    assert table.index.tolist() == ["b1", "a1"]
    assert table["people"].tolist() == [8.0, 4.0]
    assert table["unreached"].tolist() == [8.0, 4.0]
    assert table["level"].tolist() == ["village", "community"]
    with pytest.raises(KeyError, match="other"):
        card.waiting("other")


def test_a_facility_counts_for_its_declared_unit_or_the_finer_one_it_stands_in() -> None:
    study = town()
    one = elder(measure="facilities_per_unit", levels=["community", "village"], kind="presence")
    # F1 stands in a1; declared in county C it still counts for a1; declared in a2 it counts there
    for declared, expected in (("C", [1.0, 0.0, 1.0]), ("a2", [0.0, 1.0, 1.0]), ("nowhere", [1.0, 0.0, 1.0])):
        table = study.facility_table.copy()
        table.loc["F1", "unit"] = declared
        result = judge_plan(replace(study, facility_table=table), plan(one)).results[0]
        assert [unit.value for unit in result.units] == expected


def test_a_study_without_facilities_is_judged_all_the_same() -> None:
    study = replace(town(), facility_table=town().facility_table.iloc[:0])
    reach = elder(id="reach", measure="people_percent", minutes=15.0, kind="proximity", value=80.0)
    result = judge_plan(study, plan(elder(), reach)).result("reach")
    assert result.why[1].startswith("the registers hold no 日间照料中心, 区域养老服务中心")
    complete = town(complete=["日间照料中心"])
    none = judge_plan(replace(complete, facility_table=study.facility_table), plan(elder(), reach))
    assert (none.result("r").value, none.result("reach").value) == (0.0, 0.0)


def test_a_share_of_units_says_how_many_more_it_takes() -> None:
    # 1 of 2 urban communities; 80 % of 2 is 1.6, so two are needed: one more
    result = judged(elder(measure="units_percent", levels=["community"], setting="urban", value=80.0))
    assert told(result) == (50.0, 1, 2, "short", (30.0, 1.0))
    assert result.of_what == ("个城镇社区", "urban communities")


def test_reach_counts_people_within_minutes_or_metres_of_street() -> None:
    # within 5 minutes = 300 m: cells 100 (F1) and 2000 (F2), 20 + 30 of 110
    result = judged(elder(measure="people_percent", minutes=5.0, kind="proximity", value=80.0))
    assert told(result) == (near(100 * 50 / 110), 50.0, 110.0, "short", (near(80 - 100 * 50 / 110), near(38.0)))
    assert result.people_short == 60.0
    assert [(unit.unit, unit.value) for unit in result.units] == [("A", near(100 * 20 / 70)), ("B", 75.0)]
    # within 800 m exactly: 1000 is 800 m from F1 and counts; 2900 is 800 m from F2
    by_metres = judged(elder(measure="people_percent", metres=800.0, kind="proximity", value=100.0))
    assert told(by_metres) == (100.0, 110.0, 110.0, "met", (0.0, 0.0))
    assert (by_metres.reach.metres, by_metres.reach.minutes, by_metres.reach.limit_from) == (800.0, None, "rule")
    rural = judged(elder(measure="people_percent", minutes=5.0, kind="proximity", value=80.0, setting="rural"))
    assert (rural.counted, rural.of) == (30.0, 40.0)
    adult = judged(elder(measure="people_percent", minutes=10.0, kind="proximity", value=80.0, mode="adult"))
    # 4.8 km/h: 800 m in 10 minutes
    assert (adult.counted, adult.reach.mode) == (110.0, "adult")


def test_places_per_thousand_in_all_and_by_county() -> None:
    # 20 + 30 beds for 110 people: 454.5 per 1,000; 500 would be 55 beds
    result = judged(elder(measure="places_per_1000", levels=["city"], value=500.0))
    assert told(result) == (near(50000 / 110), 50.0, 110.0, "short", (near(500 - 50000 / 110), 5.0))
    assert result.missing_of == ("张床位", "beds")
    # A: 20 beds for 70, B: 30 for 40; by street and township each must have 500: A lacks 15, B has 750
    each = judged(elder(measure="places_per_1000", levels=["street", "township"], value=500.0))
    assert told(each) == (near(20000 / 70), 1.0, 2, "short", (near(500 - 20000 / 70), 15.0))
    assert each.notes[-1] == ("全域合计 455", "455 in all")
    assert each.people_short == 70.0


def test_land_and_floor_are_held_against_people_and_households() -> None:
    # 200 + 600 m2 of land for 450 people
    land = judged(elder(measure="land_m2_per_person", levels=["city"], group="total", value=2.0, kind="area_ratio"))
    assert told(land) == (near(800 / 450), 800.0, 450.0, "short", (near(2 - 800 / 450), near(100.0)))
    # 1,300 m2 of floor for 450 / 3 = 150 households
    floor = judged(elder(measure="floor_m2_per_100_households", levels=["city"], value=20.0, kind="area_ratio"))
    assert told(floor) == (near(1300 / 1.5), 1300.0, 150.0, "met", (0.0, 0.0))
    assert floor.notes[-1] == ("每户按 3 人由人口折算户数（假设）", "households are people divided by 3 (assumed)")


def test_every_facility_has_its_own_floor_area() -> None:
    each = judged(elder(measure="floor_m2_each", levels=["facility"], value=500.0, kind="area_ratio"))
    assert told(each) == (400.0, 1.0, 2, "short", (100.0, 100.0))
    # 400 / 20 = 20 and 900 / 30 = 30 m2 a bed; in all 1300 / 50 = 26
    per_bed = elder(measure="floor_m2_per_place", kind="area_ratio", value=25.0)
    assert told(judged(per_bed)) == (26.0, 1300.0, 50.0, "met", (0.0, 0.0))
    by_each = per_bed.model_copy(update={"levels": ("facility",)})
    assert told(judged(by_each)) == (20.0, 1.0, 2, "short", (5.0, 100.0))


def test_shares_of_places_nursing_beds_and_facilities() -> None:
    inclusive = judged(elder(measure="places_percent", classes=["inclusive"], value=70.0))
    assert told(inclusive) == (60.0, 30.0, 50.0, "short", (10.0, near(5.0)))
    nursing = judged(elder(measure="nursing_percent", value=40.0))
    assert told(nursing) == (40.0, 20.0, 50.0, "met", (0.0, 0.0))
    full = judged(elder(measure="facilities_percent", functions=["全托"], value=100.0))
    assert told(full) == (50.0, 1.0, 2.0, "short", (50.0, 1.0))
    wider = judged(
        elder(measure="places_percent", types=["日间照料中心"], of_types=["日间照料中心", "区域养老服务中心"], value=30.0)
    )
    assert told(wider) == (40.0, 20.0, 50.0, "met", (0.0, 0.0))


def test_counts_and_upper_limits() -> None:
    assert told(judged(elder(measure="facilities", value=3.0))) == (2.0, 2.0, None, "short", (1.0, 1.0))
    assert told(judged(elder(measure="places", value=60.0))) == (50.0, 50.0, None, "short", (10.0, 10.0))
    at_most = judged(elder(measure="facilities", value=1.0, op="<="))
    assert told(at_most) == (2.0, 2.0, None, "short", (1.0, 1.0))
    # at most none in a unit: A and B have one each, both one too many
    per_unit = judged(elder(measure="facilities_per_unit", levels=["street", "township"], value=0.0, op="<="))
    assert told(per_unit) == (1.0, 0.0, 2, "short", (1.0, 2.0))


def test_functions_decide_and_a_type_implies_its_own_where_the_register_says_nothing() -> None:
    # F1 states 日托 and 助餐, F2 全托 and 日托
    assert judged(elder(functions=["日托"])).value == 2.0
    assert judged(elder(functions=["日托", "助餐"])).value == 1.0
    study = town()
    blank = study.facility_table.assign(functions="")
    # without a word in the register, only the name 日间照料中心 implies 日托
    result = judge_plan(replace(study, facility_table=blank), plan(elder(functions=["日托"]))).results[0]
    assert result.value == 1.0
    assert ("1 处设施未填服务功能，视为不具备", "1 facilities state no functions and count as without") in result.notes


def test_years_count_what_was_open_at_their_end() -> None:
    # 2022: F1 only (F4 closed that year); 2023 on: F1 and F2. 2021 is not among the plan's years.
    result = judged(elder(measure="facilities", value=3.0, year=2025))
    assert [(year.year, year.value, year.target, year.met) for year in result.years] == [
        (2022, 1.0, None, None), (2023, 2.0, None, None), (2024, 2.0, None, None), (2025, 2.0, 3.0, False),
    ]  # fmt: skip
    schedule = elder(measure="places", kind="schedule", value=None, by_year={"2021": 30.0, "2023": 50.0, "2026": 80.0})
    later = judged(schedule)
    # 2021: F1 20 + F4 10; 2023: F1 20 + F2 30; 2026 is to come
    assert [(year.year, year.value, year.target, year.met) for year in later.years] == [
        (2021, 30.0, 30.0, True), (2023, 50.0, 50.0, True), (2026, None, 80.0, None),
    ]  # fmt: skip
    # In 2025 the target of 2023 is in force; that of 2026 is to come.
    assert (later.target, later.state) == (50.0, "met")


def test_places_added_since_a_base_year_and_every_year() -> None:
    years = {"2022": 10.0, "2023": 20.0, "2025": 20.0}
    since = judged(elder(measure="places_added", kind="schedule", value=50.0, since=2021, by_year=years))
    # only F2 (30 beds, 2023) opened after 2021
    assert told(since) == (30.0, 30.0, None, "short", (20.0, 20.0))
    assert [(year.value, year.met) for year in since.years] == [(0.0, False), (30.0, True), (0.0, False)]
    every = judged(elder(measure="places_added", kind="schedule", value=50.0, by_year=years))
    # each year by itself: in 2025 none opened, 20 were due
    assert (every.value, every.target, every.state) == (0.0, 20.0, "short")


def test_near_counts_facilities_within_metres_of_street() -> None:
    # F2 at 2100 is 50 m from the clinic at 2150; F1 is far
    result = judged(elder(measure="near_percent", near=["村卫生室"], metres=50.0, value=50.0, kind="proximity"))
    assert told(result) == (50.0, 1.0, 2.0, "met", (0.0, 0.0))
    assert [(unit.unit, unit.met) for unit in result.units] == [("F1", False), ("F2", True)]
    assert judged(elder(measure="near_percent", near=["村卫生室"], metres=49.0, value=50.0, kind="proximity")).value == 0.0
    nowhere = judged(elder(measure="near_percent", near=["医院"], metres=50.0, value=50.0, kind="proximity"))
    assert nowhere.why == ("登记表中没有医院；请补充该类登记表", "the registers hold no 医院; add their register")


def test_a_second_value_is_judged_too() -> None:
    also = [{"value": 1.0, "source": ["x"], "code": "S5", "quote": "另一处"}]
    result = judged(elder(measure="facilities", value=3.0, also=also))
    assert result.state == "contradicted"
    assert [(one.target, one.met, one.gap, one.code) for one in result.targets] == [(3.0, False, 1.0, ""), (1.0, True, 0.0, "S5")]
    same = judged(elder(measure="facilities", value=3.0, also=[{"value": 3.0, "source": ["x"]}]))
    assert same.state == "short"


UNSET = {
    "measure": "people_percent",
    "minutes": 15.0,
    "kind": "proximity",
    "value": "unset",
    "asks_zh": "设",
    "asks_en": "set the share",
}


def test_an_unset_target_shows_its_value_and_what_to_set_and_is_judged_when_set() -> None:
    open_one = judged(elder(**UNSET))
    assert told(open_one) == (100.0, 110.0, 110.0, "unjudged", None)
    assert open_one.why == ("设", "set the share")
    closed = judged(elder(**UNSET), set={"r": 90.0})
    assert (closed.target, closed.state, closed.why) == (90.0, "met", ("", ""))
    # an unset standard for units leaves units without a verdict
    units = elder(measure="facilities_per_unit", levels=["street"], value="unset", asks_zh="设", asks_en="set it")
    assert [unit.met for unit in judged(units).units] == [None]


def test_a_figure_that_no_map_knows_is_entered_with_source_and_date() -> None:
    staff = rule(measure="entered_percent", kind="staffing", value=100.0)
    assert judged(staff).why[1].startswith("no map can know this; enter value, source and date")
    entered = [{"rule": "r", "value": 92.0, "source": "市局", "date": "2025-06-30"}]
    result = judged(staff, entered=entered)
    assert told(result) == (92.0, None, None, "short", (8.0, 0.0))
    assert result.entered == (92.0, "市局", "2025-06-30")
    # for a rule that the map should know but cannot, the figure stands in, and is said to
    absent = judged(rule(types=["老年大学"], value=1.0), entered=entered)
    assert (absent.value, absent.state) == (92.0, "met")
    assert "the figure entered is used" in absent.notes[0][1]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (rule(types=["老年大学"]), "the registers hold no 老年大学; add their register"),
        (elder(functions=["示范"]), "no facility of these types states 示范; fill in functions"),
        (rule(types=["村卫生室"], classes=["public"]), "the registers state no operators"),
        (rule(types=["村卫生室"], measure="places"), "the registers state no places for any of the 1 facilities"),
        (rule(types=["托育机构"], measure="floor_m2_each"), "the registers state no floor area"),
        (rule(types=["托育机构"], measure="nursing_percent"), "the registers state no nursing beds"),
        (elder(measure="people_percent", minutes=15.0, group="p80"), "the study does not count this group (people aged"),
        (elder(measure="places_per_1000", group="p80"), "the study does not count this group"),
        (elder(measure="units_percent", levels=["compound"], compounds="new"), "this measure cannot be judged by compound"),
        (elder(measure="units_percent", levels=["community"], setting="rural"), "the study has no such units (rural co"),
        (elder(measure="places_per_1000", levels=["community"], setting="rural"), "the study has no such units"),
        (elder(measure="facilities_percent", types=["日间照料中心"], setting="rural"), "no such facility or place"),
        (elder(measure="floor_m2_each", types=["日间照料中心"], setting="rural"), "no such facility is in operation"),
        (elder(measure="near_percent", types=["日间照料中心"], setting="rural", near=["村卫生室"], metres=9.0), "no such"),
        (elder(measure="compounds_percent", compounds="new"), "no standard to hold compounds against; the plan states no"),
        (elder(measure="floor_m2_per_100_households", compounds="new"), "the study has no register of compounds"),
    ],
)  # fmt: skip
def test_what_the_data_cannot_tell_is_not_guessed(one: Rule, why: str) -> None:
    result = judged(one)
    assert (result.state, result.value, result.targets) == ("unjudged", None, ())
    assert result.why[1].startswith(why)
    assert result.why[0]


def test_registers_declared_complete_mean_that_there_is_none() -> None:
    assert told(judged(rule(types=["老年大学"]), complete=["老年大学"])) == (0.0, 0.0, None, "short", (1.0, 1.0))
    assert judged(elder(functions=["示范"]), complete=["示范"]).value == 0.0


def test_procedures_and_parameters_are_not_scored() -> None:
    card = judge_plan(town(), plan(rule("a", measure="none", kind="procedure"), elder(id="b", status="parameter"), elder(id="c")))
    assert [result.state for result in card.results] == ["procedure", "procedure", "met"]
    assert card.counts() == {"met": 1, "short": 0, "contradicted": 0, "unjudged": 0, "procedure": 2}


def test_words_of_the_registers_that_no_rule_counts_are_told_with_their_rows() -> None:
    card = judge_plan(town(), plan(elder()))
    assert [(fault.code, fault.found, fault.row) for fault in card.faults] == [
        ("unknown_type", "老人之家", "7"), ("unknown_function", "唱歌", "7"),
    ]  # fmt: skip
    assert "[policy.types]" in card.faults[0].cure_en
    # the study's own word makes it count: F6 in b1
    mapped = judge_plan(town(types={"老人之家": "日间照料中心"}), plan(elder()))
    assert [fault.code for fault in mapped.faults] == ["unknown_function"]
    assert mapped.results[0].value == 3.0


BUILT = [("X1", 300.0, "100", "2010"), ("X2", 400.0, "300", "2023"), ("X3", 2800.0, "200", "2024-05"), ("X4", 350.0, "", "2024")]
FLOOR = {
    "measure": "floor_m2_per_100_households",
    "levels": ["compound"],
    "kind": "area_ratio",
    "value": 20.0,
    "group": "households",
}


def test_compounds_share_what_is_near_in_proportion_to_households() -> None:
    # F1 (400 m2, at 200) is within 300 m of X1 and X2, 400 households: 100 m2 per 100 each. F2 (at 2100) is 700 m from X3: 0.
    study = with_compounds(town(), BUILT)
    new = judge_plan(study, plan(elder(compounds="new", **FLOOR))).results[0]
    # new: built in or after 2022, the year of issue: X2 and X3; X4 states no households. X3 lacks 20 m2 x 2 = 40 m2
    assert told(new) == (0.0, 1.0, 2, "short", (20.0, near(40.0)))
    assert [(unit.unit, unit.value, unit.met) for unit in new.units] == [("X2", near(100.0), True), ("X3", 0.0, False)]
    assert new.people_short == 600.0
    assert [note[1] for note in new.notes] == [
        "1 compounds state no households and are left out",
        "new compounds: built in or after 2022",
        "compounds share facilities within 300 m of street in proportion to households (assumed)",
    ]
    old = judge_plan(study, plan(elder(compounds="old", **FLOOR))).results[0]
    assert told(old)[:4] == (near(100.0), 1.0, 1, "met")
    # 800 m of street would bring F2 (900 m2) to X3's 200 households
    wide = judge_plan(with_compounds(town(pooled_within_m=800.0), BUILT), plan(elder(compounds="new", **FLOOR))).results[0]
    assert [unit.value for unit in wide.units] == [near(100.0), near(450.0)]


def test_beds_in_compounds_are_for_people_and_the_share_takes_the_plans_own_standard() -> None:
    study = with_compounds(town(new_since=2023), BUILT)
    beds = elder(id="beds", measure="places_per_1000", levels=["compound"], compounds="new", value=10.0)
    share = elder(id="share", measure="compounds_percent", compounds="new", value=100.0)
    card = judge_plan(study, plan(beds, share))
    # 20 beds for 400 households of 3: 16.7 per 1,000
    assert [unit.value for unit in card.result("beds").units] == [near(20 / 1.2), 0.0]
    assert told(card.result("share")) == (50.0, 1.0, 2.0, "short", (50.0, 1.0))
    unset = beds.model_copy(update={"value": "unset", "asks_zh": "设", "asks_en": "set"})
    assert judge_plan(study, plan(unset, share)).result("share").why[1].endswith("set first: beds")


def test_compounds_that_cannot_be_judged_say_why() -> None:
    one = elder(compounds="new", **FLOOR)
    late = judge_plan(with_compounds(town(new_since=2030), BUILT), plan(one)).results[0]
    assert late.why[1].startswith("the register has no new compounds (1 compounds state no households")
    undated = judge_plan(with_compounds(town(), [("X1", 300.0, "10", ""), ("X2", 300.0, "10", "2024")]), plan(one)).results[0]
    assert "1 compounds state no year and are left out" in [note[1] for note in undated.notes]
    no_issue = judge_plan(with_compounds(town(), BUILT), plan(one, issued="")).results[0]
    assert no_issue.why == ("请在研究文件 [policy] 中设定 new_since", "set new_since in the study's [policy]")
    study = with_compounds(town(), BUILT)
    for column, why in (("lon", "has no coordinates"), ("户数", "has no column of households")):
        bare = replace(study, compounds=study.compounds.drop(columns=column))
        assert judge_plan(bare, plan(one)).results[0].why[1].startswith("the register of compounds " + why)
    childcare = rule(types=["托育机构"], compounds="new", **FLOOR)
    assert judge_plan(study, plan(childcare)).results[0].why[1].startswith("the registers state no area_m2")
    none_open = elder(types=["日间照料中心"], setting="rural", compounds="new", **FLOOR)
    assert judge_plan(study, plan(none_open)).results[0].value == 0.0
    off = with_compounds(town(), [("X1", 300.0, "10", "2024"), ("X2", 90000.0, "10", "2024")])
    assert "1 compounds off the streets or with unknown facilities" in [
        note[1] for note in judge_plan(off, plan(one)).results[0].notes
    ]
    away = judge_plan(with_compounds(town(), [("X2", 90000.0, "10", "2024")]), plan(one)).results[0]
    assert away.why[1].startswith("no compound can be judged")


def test_settings_for_rules_that_do_not_exist_are_refused_together() -> None:
    entered = [{"rule": "rr", "value": 1.0, "source": "a", "date": "2025"}]
    study = town(set={"q": 3.0, "r": 2.0, "u": 0.5}, entered=entered, types={"甲": "日间照料"}, complete=["老年大"])
    with pytest.raises(InputError) as error:
        judge_plan(study, plan(elder(), elder(id="u", **UNSET)))
    text = error.value.text("en")
    for part in (
        "[policy.set]: the plan has no such rule (found 'q'). Known: r, u.",
        "[[policy.entered]] rule: the plan has no such rule (found 'rr').",
        "[policy.set] r: the plan states this target itself; it cannot be set. Leave it out.",
        "[policy.set] u: must be a percentage (1 to 100) (found '0.5'). Write 90, not 0.9.",
        "[policy.types]: the catalogue has no such facility type (found '日间照料'). Did you mean 日间照料中心?",
        "[policy] complete: the catalogue has no such facility type (found '老年大').",
    ):
        assert part in text
    assert len(error.value.faults) == 6


def test_settings_for_another_plan_are_left_aside() -> None:
    study = town(profile="shuozhou-2023", set={"elder_15min": 80.0}, complete=["老年大学"])
    card = judge_plan(study, plan(rule(types=["老年大学"])))
    assert card.results[0].value == 0.0


def test_a_study_without_a_plan_says_so_and_one_with_a_plan_uses_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\[policy\]: the study names no plan"):
        judge_plan(town())
    assert judge_plan(town(profile="living-circle-2018")).profile == "living-circle-2018"
    from careshed.policy import init_profile

    init_profile(tmp_path / "mine.toml")
    study = replace(town(profile="mine.toml"), path=tmp_path / "study.toml")
    assert judge_plan(study).profile == "my-plan"


def test_a_study_without_a_date_is_judged_without_years() -> None:
    study = town()
    config = study.config.model_copy(update={"study": study.config.study.model_copy(update={"data_date": ""})})
    card = judge_plan(replace(study, config=config), plan(elder(measure="facilities", value=2.0)))
    assert (card.year, card.results[0].value, card.results[0].years) == (None, 2.0, ())
    # in 2022 F2 had not opened
    assert judge_plan(study, plan(elder()), year=2022).results[0].value == 1.0


def test_a_scorecard_comes_back_as_it_was_saved_with_the_same_bytes(tmp_path: Path) -> None:
    entered = [{"rule": "e", "value": 92.0, "source": "市局", "date": "2025-06-30"}]
    rules = (
        elder(measure="facilities_per_unit", levels=["community"], also=[{"value": 2.0, "source": ["x"]}]),
        rule("e", measure="entered_percent", kind="staffing", value=100.0),
        elder(id="s", measure="places", kind="schedule", value=None, by_year={"2021": 30.0}),
        rule("n", types=["老年大学"]),
    )
    study = town(entered=entered)
    card = judge_plan(study, plan(*rules))
    file = save_scorecard(card, tmp_path / "cards" / "a.json")
    assert load_scorecard(file) == card
    assert save_scorecard(judge_plan(town(entered=entered), plan(*rules)), tmp_path / "b.json").read_bytes() == file.read_bytes()
    assert [(place.id, place.type, place.status) for place in card.places][:2] == [
        ("F1", "日间照料中心", "operating"),
        ("F2", "区域养老服务中心", "operating"),
    ]
    assert card.people["A"] == {"total": 300.0, "p0_3": 14.0, "p60": 70.0}
    assert card.people["ALL"]["total"] == 450.0


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"format": "something"})])
def test_a_file_that_is_no_scorecard_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"is not a scorecard\. Make it again with careshed score\."):
        load_scorecard(tmp_path / "a.json")


def test_the_study_is_left_as_it_was_and_row_order_does_not_matter() -> None:
    study = town()
    before = study.facility_table.copy()
    rules = plan(
        elder(measure="facilities_per_unit", levels=["community"]),
        elder(id="q", measure="people_percent", minutes=5.0, value=80.0),
    )
    one = judge_plan(study, rules)
    assert study.facility_table.equals(before)
    turned = replace(study, facility_table=study.facility_table.iloc[::-1])
    assert judge_plan(turned, rules).results == one.results


def test_a_target_is_met_at_exactly_its_value_and_sums_of_floats_do_not_fail_it() -> None:
    assert meets(">=", 0.1 + 0.2, 0.3)
    assert meets("=", 120.0, 100.0)
    assert not meets(">", 50.0, 50.0)
    assert meets("<", 49.0, 50.0)
    assert not meets("<=", 2.0, 1.5)
    assert gap("<=", 2.0, 1.5) == 0.5
    parts = (Part(1.2, 1.0), Part(5.0, 1.0))
    found = Measured(1.2, None, None, NONE, parts, NONE, whole=True)
    # one part lacks 0.8, so one whole piece; the other has enough
    assert missing(found, ">=", 2.0) == 1.0
    assert missing(replace(found, whole=False), ">=", 2.0) == near(0.8)
    assert missing(found, "<=", 2.0) == 3.0


def test_people_off_the_streets_count_as_not_reached_and_are_told() -> None:
    study = town()
    cells = study.population.cells.copy()
    far = cells.geometry.translate(yoff=5000.0)
    cells = cells.set_geometry(np.where([False, False, False, True], far, cells.geometry), crs=cells.crs)
    moved = replace(study, population=replace(study.population, cells=cells))
    one = elder(measure="people_percent", minutes=15.0, kind="proximity", value=80.0)
    result = judge_plan(moved, plan(one)).results[0]
    assert (result.counted, result.reach.unjudged) == (100.0, 10.0)
    assert result.notes[-1][1] == "10 people live off the streets and count as not reached; with them it would be 100.0 %"


def test_the_card_says_what_holds_for_all_its_values() -> None:
    notes = [note[1] for note in judge_plan(town(), plan(elder())).notes]
    assert notes[0] == "all years use one population; facilities count by year of opening and closing"
    # F5 and F6 state no year
    assert notes[2] == "2 operating facilities state no opening year and count in all years"
