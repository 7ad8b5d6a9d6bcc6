"""The frontier: its points, its bounds, where it bends, and what it says, on curves that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from planning_oracle import Spot, Town

from careshed.schema import InputError
from careshed.siting.planning import (
    Budget,
    Closable,
    Demand,
    Forbidden,
    ForcedIn,
    MaxCover,
    MaxServed,
    OutOfWork,
    PerUnit,
    PMedian,
    Sites,
    Subsidy,
)
from careshed.siting.reasons import curve as curves
from careshed.siting.reasons import frontier, tracing
from careshed.siting.reasons.bend import Bend, Curve, chord_bend, half_bend
from careshed.siting.reasons.tracing import Barred, Traced, trace
from careshed.siting.solve import solve

OLD = Demand("p60", minutes=10)
GOAL = MaxCover((OLD,))
STREETS = {"s1": ("东街", "street", "", "urban"), "s2": ("西街", "street", "", "urban")}
PEOPLE = [100.0, 60.0, 30.0, 10.0]


def row(people=PEOPLE, *, costs=(10_000, 40_000, 20_000, 30_000), unit=("s1", "s1", "s2", "s2"), old=None, places=500) -> Town:
    """One candidate a cell: what each adds is the people of its cell."""
    new = {name: Spot(unit[at], costs[at], places, near={at: 5}, x=2000.0 * at) for at, name in enumerate("ABCD"[: len(people)])}
    return Town(new, old or {}, {"p60": list(people)}, ["s1"] * len(people), STREETS)


def drawn(place: Town, *, options=None, **more):
    given = {} if "objective" in more or "group" in more else {"objective": GOAL}
    return frontier(
        options or place.times(place.new), place.cells(), existing=place.times(place.old), units=place.unit_table(),
        **given, **more,
    )  # fmt: skip


# ---------------------------------------------------------------- points


def test_each_further_site_is_drawn_until_everyone_who_can_be_reached_is():
    place = row()
    curve = drawn(place, group="p60", minutes=10)
    assert [(point.limit, point.value, point.bound) for point in curve.points] == [
        (0, 0.0, 0.0), (1, 100.0, 100.0), (2, 160.0, 160.0), (3, 190.0, 190.0), (4, 200.0, 200.0),
    ]  # fmt: skip
    assert [point.sites for point in curve.points[1:3]] == [("A",), ("A", "B")]
    assert {point.status for point in curve.points} == {"optimal"}
    assert curve.table["added"].tolist()[1:] == [100.0, 60.0, 30.0, 10.0]
    assert curve.table["share"].tolist() == [0.0, 0.5, 0.8, 0.95, 1.0]
    assert curve.table["site_ids"].tolist()[2] == "A;B"
    assert curve.table["net_yuan"].tolist() == [0.0, 10_000.0, 50_000.0, 70_000.0, 100_000.0]


def test_people_reached_today_are_where_the_curve_begins():
    curve = drawn(row(old={"X": Spot("s1", near={0: 5})}))
    assert [point.value for point in curve.points] == [100.0, 160.0, 190.0, 200.0]


@pytest.mark.parametrize("small", [0, 100_000])
def test_every_sum_of_money_buys_the_most_people_it_can(small):
    # 10,000: A 100. 30,000: A and C 130. 50,000: A and B 160. 60,000: no pair or triple beats A, B: 160. 70,000: A, B, C 190.
    with mock.patch.object(curves, "SMALL_PAIRS", small):
        curve = drawn(row(), by="money", steps=[70_000, 10_000, 50_000, 60_000, 30_000, 5_000])
    assert [(point.limit, point.value) for point in curve.points] == [
        (0, 0.0), (5_000, 0.0), (10_000, 100.0), (30_000, 130.0), (50_000, 160.0), (60_000, 160.0), (70_000, 190.0),
    ]  # fmt: skip
    assert curve.table["added_each"].tolist()[2:4] == [200.0, 15.0]
    assert curve.points[5].net_yuan == 50_000.0


@pytest.mark.parametrize("small", [0, 100_000])
def test_equal_steps_of_money_go_up_to_what_reaches_everyone_in_whole_ten_thousands(small):
    with mock.patch.object(curves, "SMALL_PAIRS", small):
        # Everyone takes 100,000: in three steps 40,000 (3.33 rounded up), 70,000 and 100,000.
        assert [point.limit for point in drawn(row(), by="money", steps=3).points] == [0, 40_000, 70_000, 100_000]
        assert len(drawn(row(), by="money").points) == 11


def test_a_number_of_steps_and_the_steps_themselves_draw_the_same():
    assert drawn(row(), steps=3) == drawn(row(), steps=[3, 1, 2, 2])


def test_the_same_input_gives_the_same_curve_whichever_the_order_of_rows():
    place = row()
    turned = Town(dict(reversed(place.new.items())), {}, place.people, place.cell_unit, STREETS)
    assert drawn(place) == drawn(turned)


def test_points_without_enough_sites_for_every_street_are_left_out_and_the_reason_told():
    for rules in [(PerUnit("street", at_least=1),), (PerUnit("street", at_least=1), Forbidden(("D",)))]:
        curve = drawn(row(), rules=rules, steps=3)
        # One a street: A and C (130), then A, B and C (190).
        assert [(point.limit, point.value) for point in curve.points] == [(2, 130.0), (3, 190.0)]
        assert [limit for limit, _, _ in curve.skipped] == [1]
        assert curve.text("en").startswith("With 1 site the rules cannot be met: ")
        assert curve.text("zh").startswith("至多1 处时无法满足要求：")


def test_too_little_money_for_every_street_is_told():
    with mock.patch.object(curves, "SMALL_PAIRS", 0):
        curve = drawn(row(), rules=(PerUnit("street", at_least=1),), by="money", steps=[20_000, 30_000])
    assert curve.skipped == ((20_000, "至少需要 30,000 元", "at least 30,000 yuan are needed"),)
    assert [(point.limit, point.sites) for point in curve.points] == [(30_000, ("A", "C"))]


def test_a_fixed_budget_stays_in_force_while_sites_are_counted():
    curve = drawn(row(), rules=(Budget(50_000),), steps=3)
    # Two sites: A and B cost 50,000. Three would cost 60,000 at least (A, C, D).
    assert [(point.value, len(point.sites)) for point in curve.points] == [(0.0, 0), (100.0, 1), (160.0, 2), (160.0, 2)]


def test_subsidies_of_a_budget_stay_while_its_sum_gives_way():
    # 500 places at 20 yuan pay A's 10,000 in full and half of C's 20,000.
    rules = (Budget(1.0, (Subsidy(20.0),)),)
    curve = drawn(row(), rules=rules, by="money", steps=[10_000])
    assert [(point.limit, point.sites, point.net_yuan) for point in curve.points] == [
        (0, ("A",), 0.0),
        (10_000, ("A", "C"), 10_000),
    ]


def test_places_are_counted_where_they_are_limited():
    curve = drawn(row(places=45), objective=MaxServed((OLD,)))
    assert [point.value for point in curve.points] == [0.0, 45.0, 90.0, 120.0, 130.0]
    assert curve.bend_text("en").startswith(
        "The curve bends at 2 sites: up to there people aged 60+ with a place rise from 0 to 90"
    )
    assert "到此有位可入的60岁及以上老人由 0 人增至 90 人" in curve.bend_text("zh")


def test_sites_that_may_close_are_counted_with_what_their_closing_costs():
    place = row(old={"X": Spot("s1", near={0: 5})})
    curve = drawn(place, rules=(Closable(("X",), 7.0),), steps=1)
    assert [(point.value, point.net_yuan) for point in curve.points] == [(100.0, 0.0), (160.0, 40_000.0)]


def test_unknown_costs_are_not_taken_for_nothing():
    place = row()
    options = place.times(place.new)
    bare = replace(options, facilities=options.facilities.drop(columns="cost_yuan"))
    assert np.isnan(drawn(place, options=bare, steps=1).points[1].net_yuan)
    assert np.isnan(drawn(place, options=bare, rules=(ForcedIn(("B",)),), steps=1).points[0].net_yuan)
    assert drawn(place, options=bare, rules=(Forbidden(("B",)),)).points[0].net_yuan == 0.0


# ---------------------------------------------------------------- monotone, bounds carried


def traced(limit: int, value: int, bound: int, **more) -> Traced:
    return Traced(limit, (f"S{value}",), 0.0, value, bound, bound == value, **more)


def test_a_worse_answer_gives_way_to_the_one_before_and_bounds_come_back_from_later_ones():
    people = 1_000_000
    given = {1: traced(1, 5 * people, 9 * people), 2: traced(2, 4 * people, 8 * people), 3: traced(3, 7 * people, 7 * people)}
    found = trace(lambda limit, _: given[limit], [1, 2, 3])
    assert [(step.limit, step.value // people, step.bound // people, step.sites) for step in found] == [
        (1, 5, 7, ("S5000000",)), (2, 5, 7, ("S5000000",)), (3, 7, 7, ("S7000000",)),
    ]  # fmt: skip
    assert [step.proven for step in found] == [False, False, True]


def test_a_point_is_proven_where_a_later_bound_meets_it():
    given = {1: traced(1, 7_000_000, 9_000_000), 2: traced(2, 7_000_000, 7_000_000)}
    assert [step.proven for step in trace(lambda limit, _: given[limit], [1, 2])] == [True, True]


def test_nothing_more_is_tried_once_no_limit_helps():
    found = trace(lambda limit, _: Barred(limit, True, "", ""), [1, 2, 3])
    assert [step.limit for step in found] == [1]


def test_where_work_runs_out_the_plan_before_is_carried_with_the_bound_of_all():
    place, real, calls = row(), tracing.solve_case, []

    def tired(case, work):
        calls.append(case.rules)
        if len(calls) > 3:  # without a limit, nothing, one site; no more
            raise OutOfWork("no plan")
        return real(case, work)

    rules = (Forbidden(("D",)),)
    with mock.patch.object(tracing, "solve_case", tired):
        curve = drawn(place, rules=rules, steps=2)
    # Without D at most 190 can be reached; the second point keeps A's 100.
    assert [(point.value, point.bound, point.status) for point in curve.points] == [
        (0.0, 0.0, "optimal"), (100.0, 100.0, "optimal"), (100.0, 190.0, "feasible"),
    ]  # fmt: skip
    assert "2 sites: 100 people (50.0%), at most 90 more are possible." in curve.text("en")
    assert "2 处：100 人（50.0%），最多还可多 90 人。" in curve.text("zh")
    with mock.patch.object(tracing, "solve_case", side_effect=OutOfWork("no plan")), pytest.raises(OutOfWork):
        drawn(place, rules=rules)


def test_where_the_engine_finds_less_the_plan_before_is_filled_up_instead():
    def poor(problem, **_):
        good = solve(problem, seed=0, work_limit=0)
        return good if problem.n < 2 else replace(good, sites=(), value=0, status="feasible")

    with mock.patch.object(tracing, "solve", poor):
        curve = drawn(row(), steps=3)
    # A's 100, then with B 160, then with C 190.
    assert [point.value for point in curve.points] == [0.0, 100.0, 160.0, 190.0]


def test_a_short_search_is_never_worse_than_the_plan_before_it_and_its_bounds_hold():
    rng = np.random.default_rng(5)
    near = {f"S{at:02}": {int(cell): 5.0 for cell in rng.choice(40, 6, replace=False)} for at in range(14)}
    new = {name: Spot(near=cells) for name, cells in near.items()}
    place = Town(new, {}, {"p60": [float(count) for count in rng.integers(1, 50, 40)]}, [""] * 40, STREETS)
    short, full = drawn(place, steps=6, work_limit=0), drawn(place, steps=6)
    values = [point.value for point in short.points]
    assert values == sorted(values)
    for one, best in zip(short.points, full.points, strict=True):
        assert one.value <= best.value <= one.bound
        assert best.status == "optimal"


# ---------------------------------------------------------------- where it bends


def exact(*values: int, x=None) -> Curve:
    return Curve(tuple(x or range(len(values))), values, values)


def test_the_knee_of_a_known_curve_is_where_its_slope_is_that_of_the_chord():
    # y = 10·√x on 0 … 100: the slope 5 / √x equals that of the chord, 1, at x = 25.
    curve = exact(*(round(10_000_000 * x**0.5) for x in range(101)))
    assert chord_bend(curve) == Bend("chord", 25, (25,), True)
    # Gains 10, then 4.1, under half of the first.
    assert half_bend(curve).at == 1


def test_the_knee_of_two_straight_lines_is_where_they_meet():
    assert chord_bend(exact(0, 10, 20, 30, 32, 34, 36)) == Bend("chord", 3, (3,), True)
    assert half_bend(exact(0, 10, 20, 30, 32, 34, 36)) == Bend("half", 3, (3,), True)


def test_steps_of_unlike_width_count_by_what_a_unit_of_effort_adds():
    # 20 for 10, 40 for 20: the same; then 20 for 30.
    assert half_bend(exact(0, 20, 60, 80, x=(0, 10, 30, 60))) == Bend("half", 30, (30,), True)


@pytest.mark.parametrize("values", [(0, 10, 20, 30), (0, 1, 4, 9), (5, 5, 5), (7, 9), (3,), ()])
def test_straight_and_hollow_curves_and_those_of_two_points_have_no_knee(values):
    assert chord_bend(exact(*values)).at is None
    assert chord_bend(exact(*values)).certain


def test_steps_that_add_nothing_at_first_are_not_the_measure():
    assert half_bend(exact(0, 0, 10, 6 + 10, 17)) == Bend("half", 3, (3,), True)
    assert half_bend(exact(4, 4, 4)) == Bend("half", None, (), True)
    assert half_bend(exact()) == Bend("half", None, (), True)


def test_of_points_equally_far_above_the_chord_the_first_is_the_knee():
    # Above the chord from (0, 0) to (4, 8): 2, 2, 1.
    assert chord_bend(exact(0, 4, 6, 7, 8)) == Bend("chord", 1, (1,), True)


def test_bounds_that_cannot_move_the_knee_leave_it_certain():
    # The knee at 1 lies 35 of 100 above the chord; one more at 2 or 3 makes 31 or 16 at most.
    curve = Curve((0, 1, 2, 3, 4), (0, 60, 80, 90, 100), (0, 60, 81, 91, 100))
    assert chord_bend(curve) == Bend("chord", 1, (1,), True)
    # First gain 60, second at most 21, less than 30 in any case.
    assert half_bend(curve) == Bend("half", 1, (1,), True)


def test_bounds_that_could_move_the_knee_name_where_to():
    # With 100 at 2 instead of 80, that is 50 above the chord, more than the 35 at 1; 3 cannot exceed 25.
    curve = Curve((0, 1, 2, 3, 4), (0, 60, 80, 90, 100), (0, 60, 100, 100, 100))
    assert chord_bend(curve) == Bend("chord", 1, (1, 2), False)
    # The second gain lies between 20 and 40: it may or may not be under 30; the third is 0 to 20 and under it in any case.
    assert half_bend(curve) == Bend("half", 1, (1, 2), False)


def test_where_nothing_is_proven_to_rise_the_knee_is_open():
    curve = Curve((0, 1, 2), (5, 5, 5), (5, 9, 9))
    assert chord_bend(curve) == Bend("chord", None, (1,), False)
    assert half_bend(curve) == Bend("half", None, (1,), False)
    wide = Curve((0, 1, 2, 3), (0, 6, 8, 9), (9, 9, 9, 9))
    assert chord_bend(wide) == Bend("chord", 1, (1, 2), False)


def test_no_value_within_the_bounds_bends_elsewhere_than_where_it_is_said_to_be_possible():
    rng = np.random.default_rng(11)
    for _ in range(80):
        low = np.cumsum(rng.integers(0, 12, 6))
        high = np.maximum.accumulate(low + rng.integers(0, 4, 6) * (rng.random(6) < 0.5))
        high[0] = low[0]
        curve = Curve(tuple(range(6)), tuple(map(int, low)), tuple(map(int, high)))
        for _ in range(10):
            values = tuple(int(rng.integers(a, b + 1)) for a, b in zip(curve.low, curve.high, strict=True))
            if list(values) != sorted(values):
                continue
            for bend in (chord_bend, half_bend):
                told, true = bend(curve), bend(exact(*values)).at
                assert true in told.possible or (true is None and not told.certain) or (true is None and told.at is None)
                assert not told.certain or true == told.at


# ---------------------------------------------------------------- words


def test_the_bend_is_told_in_one_sentence():
    curve = drawn(row())
    # Above the chord of 200 over 4: 50, 60, 40 of 200: 2 sites. Gains 100, 60, 30: from the third under half.
    assert curve.bend_text("zh") == (
        "曲线在 2 处转弯：到此所覆盖的60岁及以上老人由 0 人增至 160 人，占 4 处所增的 80%，其后每多 1 处平均只增 20 人；"
        "从第 3 处起，每处所增不到首处的一半；各点均已证最优。"
    )
    assert curve.certain
    assert curve.text("zh").splitlines()[:2] == ["0 处：0 人（0.0%），已证最优。", "1 处：100 人（50.0%），已证最优。"]


def test_the_bend_in_money_is_told_by_ten_thousand_yuan():
    curve = drawn(row(), by="money", steps=[10_000, 30_000, 50_000, 100_000])
    # 100 people for the first 10,000, then 15 each: from 10,000 on, the 90,000 beyond add 100.
    assert curve.bend_text("en") == (
        "The curve bends at 10,000 yuan: up to there people aged 60+ reached rise from 0 to 100, which is 50% of what "
        "100,000 yuan add; beyond it each further 10,000 yuan adds 11 on average; beyond 10,000 yuan, 10,000 yuan add less than "
        "half of what they do at first; every point is proven best."
    )
    assert "超过 1 万元后，每万元所增不到最初的一半" in curve.bend_text("zh")
    assert "5 万元（2 处）：160 人（80.0%），已证最优。" in curve.text("zh")


def test_a_straight_and_a_flat_curve_are_told_as_such():
    assert drawn(row([50.0, 50.0, 50.0])).bend_text("en") == (
        "The curve does not bend: every step adds about as much; every point is proven best."
    )
    flat = drawn(row(old={"X": Spot(near=dict.fromkeys(range(4), 5))}), steps=2)
    assert flat.bend_text("zh") == "增加投入不再增加所覆盖的60岁及以上老人；各点均已证最优。"


@pytest.mark.parametrize(
    ("bounds", "zh", "en"),
    [
        ((0, 60, 81, 91, 100), "未证最优的差额不改变这一判断", "what is not proven cannot move this"),
        ((0, 60, 100, 100, 100), "转弯可能在 1 处至 2 处之间", "the bend may lie at 1 site to 2 sites"),
    ],
)
def test_what_the_bounds_leave_open_is_told(bounds, zh, en):
    million = 1_000_000
    values = (0, 60, 80, 90, 100)
    steps = [traced(at, values[at] * million, bounds[at] * million) for at in range(5)]
    curve = curves._frontier(steps, "sites", 100 * million, GOAL, ())
    assert zh in curve.bend_text("zh")
    assert en in curve.bend_text("en")


def test_where_nothing_is_proven_to_rise_the_bend_that_may_be_is_told():
    million = 1_000_000
    steps = [traced(0, 5 * million, 5 * million), traced(1, 5 * million, 9 * million), traced(2, 5 * million, 9 * million)]
    curve = curves._frontier(steps, "sites", 0, GOAL, ())
    assert "so the bend may lie at 1 site." in curve.bend_text("en")
    assert "（–）" in curve.text("zh")
    assert np.isnan(curve.table["share"]).all()


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"objective": None}, "give group with minutes (or metres), or give objective. Give the one or the other."),
        ({"objective": GOAL, "group": "p60"}, "give group with minutes (or metres), or give objective"),
        ({"objective": GOAL, "minutes": 5}, "give group with minutes (or metres), or give objective"),
        ({"objective": PMedian((OLD,), 30.0)}, "so it has no such curve (found 'PMedian'). Use MaxCover or MaxServed."),
        ({"by": "people"}, "by must be 'sites' or 'money' (found 'people')"),
        ({"steps": 0}, "these steps cannot be used (found '0'). Give whole numbers above 0."),
        ({"steps": []}, "these steps cannot be used (found '[]')"),
        ({"steps": [1, 2.5]}, "these steps cannot be used (found '[1, 2.5]')"),
        ({"rules": (ForcedIn(("Z",)),)}, "there is no such candidate (found 'Z'). Check the id."),
        ({"group": "p99", "minutes": 10}, "the cells have no column 'p99'"),
    ],
)
def test_each_fault_is_told_with_its_cure(more, said):
    with pytest.raises(InputError) as caught:
        drawn(row(), **more)
    assert said in str(caught.value)


def test_money_without_costs_is_refused():
    place = row(costs=(1, 1, float("nan"), 1))
    with pytest.raises(InputError, match=r"1 candidate\(s\) of unknown cost: C\. Fill in the cost"):
        drawn(place, by="money")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ((PerUnit("street", at_least=1, units=("s2",)),), "the rules cannot be met: 西街: no candidate. Loosen the rules."),
        ((PerUnit("street", at_least=1), Forbidden(("A",))), "the rules cannot be met: 西街: no candidate. Loosen the rules."),
        ((PerUnit("street", at_least=1, units=("s1",)), Budget(5.0)), "the budget is too small for a site in every unit"),
        ((Sites(at_least=4),), "the rules cannot be met: at least 4 new site(s)"),
    ],
)
def test_rules_that_no_number_of_sites_can_meet_are_refused_with_the_reason(rules, said):
    with pytest.raises(InputError) as caught:
        drawn(row(unit=("s1",) * 4, people=[100.0, 60.0, 30.0]), rules=rules)
    assert said in str(caught.value)
