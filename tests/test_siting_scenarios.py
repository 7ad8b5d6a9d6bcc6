"""Scenarios: what may be wrong, drawn by seed; how sure each site is; which input matters most."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from planning_oracle import Spot, Town

from careshed.schema import InputError
from careshed.siting.planning import Budget, Demand, ForcedIn, MaxCover, MaxServed, PCentre, PMedian, SetCover, Sites
from careshed.siting.scenarios import (
    INPUTS,
    Limit,
    Paths,
    PopulationError,
    Ranking,
    Ruled,
    Scenario,
    Speed,
    erring_cells,
    influence_table,
    scenario_set,
    stress_plan,
    try_scenarios,
    variance_share,
)

UNITS = {"s1": ("东街", "street", "", "urban"), "s2": ("西街", "street", "", "urban")}


def blocks(side: int = 40) -> gpd.GeoDataFrame:
    """Cells 100 m apart, 100 people each; ten by ten of them make a block of 1 km."""
    x, y = (part.ravel() for part in np.meshgrid(100.0 * np.arange(side) + 50, 100.0 * np.arange(side) + 50))
    unit = np.where(x < 2000, "s1", "s2")
    return gpd.GeoDataFrame(
        {"p60": 100.0, "p0_3": 10.0, "unit": unit},
        geometry=gpd.points_from_xy(x, y),
        crs="EPSG:32651",
        index=np.arange(side**2) + 7,
    )


def tried_of(town: Town, ask, scenarios, **more):
    new, old = town.times(town.new), town.times(town.old)
    return try_scenarios(ask, new, town.cells(), scenarios=scenarios, existing=old, units=town.unit_table(), **more)


SPOTS = {
    "A": Spot("s1", x=0, cost=2, places=40, near={0: 9}),
    "B": Spot("s1", x=300, cost=1, places=10, near={1: 5}),
    "C": Spot("s2", x=600, cost=1, places=20, near={2: 7}),
}
ROW = Town(SPOTS, {}, {"p60": [30.0, 25.0, 20.0], "p0_3": [1.0, 2.0, 3.0]}, ["s1", "s1", "s2"], UNITS)
"""A reaches 30 people 9 min off, B 25 people 5 min off, C 20 people 7 min off."""

# ---------------------------------------------------------------- population


def test_errors_have_mean_one_and_the_relative_standard_error_asked_for():
    # 1,600 cells, each its own draw: the mean of the factors is within 4 · 0.3 / 40 = 0.03 of 1.
    drawn = erring_cells(blocks(), PopulationError(0.3, "cell", seed=1), ["p60"])["p60"] / 100
    assert drawn.mean() == pytest.approx(1, abs=0.03)
    assert drawn.std() == pytest.approx(0.3, abs=0.03)
    assert drawn.min() > 0


def test_cells_of_a_block_err_together_and_those_of_another_apart():
    drawn = erring_cells(blocks(), PopulationError(0.3, "block", 1000.0, seed=1), ["p60"])
    corner = (drawn.geometry.x // 1000).astype(int) * 10 + (drawn.geometry.y // 1000).astype(int)
    assert drawn.groupby(corner)["p60"].nunique().tolist() == [1] * 16
    assert drawn["p60"].nunique() == 16


@pytest.mark.parametrize(("together", "values"), [("unit", 2), ("all", 1), ("cell", 1600)])
def test_as_many_errors_are_drawn_as_there_are_units_or_cells(together, values):
    assert erring_cells(blocks(), PopulationError(0.3, together), ["p60"])["p60"].nunique() == values


def test_half_of_the_variance_may_be_shared():
    # Log factors of two cells of a block correlate by the shared half: the variance between block means is about half of all.
    drawn = np.log(erring_cells(blocks(), PopulationError(0.3, "block", 400.0, shared=0.5, seed=3), ["p60"])["p60"])
    corner = (blocks().geometry.x // 400).astype(int) * 100 + (blocks().geometry.y // 400).astype(int)
    assert drawn.groupby(corner).mean().var() / drawn.var() == pytest.approx(0.5, abs=0.15)


def test_a_draw_depends_on_the_seed_and_the_ids_but_not_on_the_order_of_rows():
    cells, error = blocks(), PopulationError(0.3, "block", shared=0.6, seed=5)
    turned = cells.sample(frac=1, random_state=1)
    first, second = erring_cells(cells, error, ["p60"])["p60"], erring_cells(turned, error, ["p60"])["p60"]
    assert first.sort_index().equals(second.sort_index())
    assert not first.equals(erring_cells(cells, replace(error, seed=6), ["p60"])["p60"])
    assert (cells["p60"] == 100).all()


def test_all_groups_of_a_cell_err_by_the_same_factor_and_stated_factors_come_on_top():
    error = PopulationError(0.3, seed=2, group_factors=(("p0_3", 2.0),), unit_factors=(("s2", 0.5),))
    drawn = erring_cells(blocks(), error, ["p60", "p0_3", "p60"])
    assert np.allclose(drawn["p0_3"] / 10, 2 * drawn["p60"] / 100)
    plain = erring_cells(blocks(), PopulationError(0.3, seed=2), ["p60"])["p60"]
    assert np.allclose(drawn["p60"] / plain, np.where(blocks()["unit"] == "s2", 0.5, 1.0))


def test_units_and_groups_that_are_not_there_are_named():
    with pytest.raises(InputError, match="cells have no column 'unit'"):
        erring_cells(blocks().drop(columns="unit"), PopulationError(0.2, "unit"), ["p60"])
    wrong = PopulationError(unit_factors=(("s9", 1.1),), group_factors=(("p80", 1.1),))
    with pytest.raises(InputError) as told:
        erring_cells(blocks(), wrong, ["p60"])
    assert "a factor is for a unit with no cells (found 's9')" in str(told.value)
    assert "a factor is for a group with no column (found 'p80')" in str(told.value)


# ---------------------------------------------------------------- sets of scenarios


def test_the_default_set_moves_each_input_alone_and_then_all_together():
    made = scenario_set(missing_share=0.1, seed=3)
    kinds = pd.Series([(one.kind, one.varied) for one in made]).value_counts().to_dict()
    assert kinds == {
        ("one", "speed"): 2,
        ("one", "limit"): 2,
        ("one", "population"): 5,
        ("one", "paths"): 5,
        ("combined", ""): 20,
    }
    assert len({one.id for one in made}) == len(made)
    assert made == scenario_set(missing_share=0.1, seed=3)
    assert made != scenario_set(missing_share=0.1, seed=4)


def test_every_stratum_of_every_input_is_drawn_equally_often_and_holds_its_value():
    made = [
        one for one in scenario_set(speed=(0.5, 1.5), limit=(1.0, 2.0), draws=25, missing_share=0.5) if one.kind == "combined"
    ]
    for name in INPUTS:
        assert np.bincount([dict(one.strata)[name] for one in made]).tolist() == [5] * 5
    for one in made:
        strata = dict(one.strata)
        assert strata["speed"] == min(int((one.speed.factor - 0.5) / 1.0 * 5 - 1e-9), 4)
        assert strata["limit"] == min(int((one.limit.factor - 1.0) * 5 - 1e-9), 4)
        assert strata["paths"] == min(int(one.paths.missing_share / 0.5 * 5 - 1e-9), 4)
    # A hypercube: each fifth of the range is cut once more, so that 25 draws lie in 25 equal parts.
    fine = sorted(int((one.speed.factor - 0.5) * 25 - 1e-9) for one in made)
    assert fine == list(range(25))


def test_inputs_that_do_not_move_are_left_out():
    made = scenario_set(speed=(1, 1), relative_se=0, draws=5)
    assert {one.varied for one in made} == {"limit", ""}
    assert all(dict(one.strata).keys() == {"limit"} for one in made if one.kind == "combined")
    assert all(not one.paths.changes and not one.population.changes and not one.speed.changes for one in made)
    assert scenario_set(speed=(1, 1), limit=(1, 1), relative_se=0) == ()


def test_ranges_that_make_no_sense_are_refused_all_at_once():
    with pytest.raises(InputError) as told:
        scenario_set(speed=(1.2, 0.8), limit=(0, 1), relative_se=2, missing_share=-0.1, draws=7)
    text = str(told.value)
    for part in (
        "the range of walking speed is not above 0, or the wrong way round (found '1.2, 0.8')",
        "the range of the limit is not above 0",
        "the missing share must lie between 0 and 1",
        "relative_se must lie between 0 and 1",
        "the number of draws must be 0 or a multiple of 5",
    ):
        assert part in text


def test_labels_say_everything_that_changes_in_both_languages():
    one = Scenario(
        "s",
        Speed(0.9, leg_factor=1.0, steps_factor=3.0),
        Limit(metres=300),
        PopulationError(0.1, seed=2, group_factors=(("p60", 1.2),), unit_factors=(("s1", 0.9),)),
        Paths(0.25, ("path", "steps"), 4, ((0.0, 0.0, 1.0, 1.0),)),
    )
    assert one.label("en") == (
        "walking speed ×0.9; speed to the street ×1; steps take 3 times as long; limit 300 metres; "
        "population error ±10% (draw 2); people aged 60+ ×1.2; people of unit s1 ×0.9; "
        "25% of path, steps missing (draw 4); 1 link(s) added"
    )
    assert one.label() == (
        "步行速度 ×0.9；接驳段速度 ×1；台阶用时为平路的 3 倍；距离 300 米；人口误差 ±10%（第 2 次抽样）；60岁及以上老人 ×1.2；"
        "单元 s1 人口 ×0.9；缺少 25% 的 path、steps（第 4 次抽样）；新增 1 条连接"
    )
    assert Scenario("s", limit=Limit(minutes=12)).label("en") == "limit 12 minutes"
    assert (Scenario("s").label(), Scenario("s").label("en")) == ("不变", "nothing changed")
    assert Scenario("s", zh="雨天", en="rain", speed=Speed(0.8)).label("zh") == "雨天"


# ---------------------------------------------------------------- how sure each site is


def test_what_is_said_of_each_site_by_hand():
    # Two sites, 10 min. Nominal: A, B (55). At 0.75 (7.5 min) A reaches nobody: B, C (45). At 0.95 nothing changes.
    # Twice as many people in s2: C has 40, so A and C (70) are best, the plan reaches 55.
    scenarios = [
        Scenario("slow", speed=Speed(0.75)),
        Scenario("bit", speed=Speed(0.95)),
        Scenario("more", population=PopulationError(unit_factors=(("s2", 2.0),))),
    ]
    told = stress_plan(tried_of(ROW, Ranking("p60", 2, minutes=10), scenarios))
    assert (told.plan, told.value, told.bound, told.unit) == (("A", "B"), 55.0, 55.0, "people")
    assert told.scenarios["plan_value"].tolist() == [25.0, 55.0, 55.0]
    assert told.scenarios["best_value"].tolist() == [45.0, 55.0, 70.0]
    assert told.scenarios["regret"].tolist() == told.scenarios["regret_at_most"].tolist() == [20.0, 0.0, 15.0]
    assert told.scenarios["best_sites"].tolist() == ["B;C", "A;B", "A;C"]
    assert told.scenarios["sites_kept"].tolist() == [1, 2, 1]
    sites = told.sites
    assert list(sites.index) == ["A", "B", "C"]
    assert sites["chosen"].tolist() == [2, 2, 2]
    assert sites["in_plan"].tolist() == [True, True, False]
    # A adds 0, 30 and 30 to the plan; B 25 each; C, where it is chosen, 20 and 40.
    assert sites[["gain_min", "gain_median", "gain_max"]].to_numpy().tolist() == [[0, 30, 30], [25, 25, 25], [20, 30, 40]]
    assert sites["gain"].tolist()[:2] == [30.0, 25.0]
    assert np.isnan(sites.loc["C", "gain"])
    # Forced in: A at 0.75 leaves B only, 25 of 45; B in the third leaves 25 + 40 of 70; C in the second 30 + 20 of 55.
    assert sites["regret_max"].tolist() == [20.0, 5.0, 5.0]
    assert sites["regret_scenario"].tolist() == ["slow", "more", "bit"]
    assert sites["regret_mean"].tolist() == pytest.approx([20 / 3, 5 / 3, 5 / 3])
    assert sites["verdict_en"].tolist() == ["in most scenarios", "in most scenarios", "alternative"]
    assert sites["verdict_zh"].tolist() == ["多数情景成立", "多数情景成立", "备选"]
    assert told.summary("en") == (
        "Of 3 scenarios the plan keeps all rules in 3; 0 of its 2 sites are chosen in at least 90% of them. "
        "Against the best plan of each scenario it loses at most 20 (people)."
    )
    assert told.summary().startswith("3 个情景中，规划方案在 3 个中仍满足全部规则；2 处选址中有 0 处在至少 90% 的情景中入选")


def test_a_site_chosen_always_is_sure_and_one_chosen_seldom_is_doubtful():
    # One site. Nominal A; at 0.75 and 0.7 B.
    slow = [Scenario(f"s{i}", speed=Speed(0.7 + i / 40)) for i in range(3)]
    doubtful = stress_plan(tried_of(ROW, Ranking("p60", 1, minutes=10), slow)).sites
    assert (doubtful.loc["A", "verdict_en"], doubtful.loc["A", "share"]) == ("doubtful", 0.0)
    sure = stress_plan(tried_of(ROW, Ranking("p60", 3, minutes=10), [Scenario("s", speed=Speed(0.95))])).sites
    assert sure["verdict_en"].tolist() == ["sure"] * 3


def test_of_two_plans_as_good_the_nominal_one_counts_as_chosen():
    # A and B both reach 30; A comes first by id. Halving both leaves them alike.
    town = replace(ROW, people={"p60": [30.0, 30.0, 1.0]})
    told = stress_plan(
        tried_of(town, Ranking("p60", 1, minutes=10), [Scenario("s", population=PopulationError(group_factors=(("p60", 0.5),)))])
    )
    assert (told.sites["share"].tolist(), told.scenarios["regret"].tolist()) == ([1.0], [0.0])


def test_existing_sites_scale_with_the_candidates():
    # X reaches cell 0 in 9 min, so A adds nobody and B is best: 30 + 25. At 0.75 X reaches nobody any more: 25 are left.
    town = replace(ROW, old={"X": Spot("s1", near={0: 9})})
    told = stress_plan(tried_of(town, Ranking("p60", 1, minutes=10), [Scenario("s", speed=Speed(0.75))]))
    assert (told.plan, told.value, told.scenarios["plan_value"].tolist()) == (("B",), 55.0, [25.0])


def test_no_sites_asked_for_is_an_answer():
    told = stress_plan(tried_of(ROW, Ranking("p60", 0, minutes=10), [Scenario("s", speed=Speed(0.75))]))
    assert (told.plan, len(told.sites), told.scenarios["regret"].tolist()) == ((), 0, [0.0])


def test_without_a_limit_everything_searched_counts_at_every_speed():
    # 30 min searched count as the limit: half as fast, 9 min are 18, still within.
    ask = Ruled(MaxCover((Demand("p60"),)), (Sites(at_most=1),))
    told = stress_plan(tried_of(ROW, ask, [Scenario("s", speed=Speed(0.5)), Scenario("t", speed=Speed(0.25))]))
    # At 0.25: 36, 20 and 28 min: A no longer.
    assert told.scenarios["best_value"].tolist() == [30.0, 25.0]


@pytest.mark.parametrize(
    ("objective", "rules", "value", "unit", "regret"),
    [
        # Longest way at 1: B 5, C 7, A 9; all sites needed so that each cell has one: 9 min, at half the speed 18.
        (PCentre((Demand("p60"),), beyond="forbid"), (), 9.0, "minutes", 0.0),
        # One site: A's 30 people save (30 − 9) · 30 = 630, B 25 · 25 = 625. Total 75 · 30 − 630 = 1620.
        # Half as fast A saves (30 − 18) · 30 = 360, B (30 − 10) · 25 = 500: regret 140.
        (PMedian((Demand("p60"),), beyond=30.0), (Sites(at_most=1),), 1620.0, "person_minutes", 140.0),
        # Places: A 40 for 30 people, C 20 for 20, B 10 for 25. One site: A 30. Within 10 min at half the speed only B is left.
        (MaxServed((Demand("p60", minutes=10),)), (Sites(at_most=1),), 30.0, "people", 10.0),
    ],
)
def test_other_objectives_are_tried_too(objective, rules, value, unit, regret):
    told = stress_plan(tried_of(ROW, Ruled(objective, rules), [Scenario("s", speed=Speed(0.5))]))
    assert (told.value, told.unit) == (value, unit)
    assert told.scenarios["regret"].tolist() == pytest.approx([regret])
    assert told.summary("en")


def test_a_plan_that_breaks_its_rules_in_a_scenario_is_told_apart():
    # 60 % of 75 people must be reached: A and B (55) or A and C (50). With C's people doubled (95, 57 needed), A and C reach 70.
    ask = Ruled(SetCover((Demand("p60", minutes=10),), share=0.6), (ForcedIn(("B",)),))
    double = Scenario("double", population=PopulationError(unit_factors=(("s2", 3.0),)))
    told = stress_plan(tried_of(ROW, ask, [double]))
    assert (told.plan, told.unit) == (("A", "B"), "sites")
    assert np.isnan(told.scenarios.loc["double", "plan_value"])
    assert np.isnan(told.scenarios.loc["double", "regret"])
    assert told.scenarios.loc["double", "best_value"] == 2.0
    # A can be had only as a third site.
    assert told.sites.loc["A", "regret_max"] == 1.0
    assert told.sites.loc["B", "gain_scenarios"] == 0


def test_a_site_that_no_plan_can_have_in_some_scenario_has_infinite_regret():
    # 40 % of 75 people for 2 yuan with the fewest sites: A (30). At 0.75 A reaches nobody and takes all the money; B and C do it.
    ask = Ruled(SetCover((Demand("p60", minutes=10),), share=0.4), (Budget(2),))
    told = stress_plan(tried_of(ROW, ask, [Scenario("slow", speed=Speed(0.75)), Scenario("same")]))
    assert told.plan == ("A",)
    assert told.scenarios["best_sites"].tolist() == ["B;C", "A"]
    assert told.sites.loc["A", ["regret_max", "regret_scenario", "regret_proven"]].tolist() == [np.inf, "slow", True]
    # B can be had in the nominal case with C only: two sites where one would do.
    assert told.sites.loc["B", "regret_max"] == 1.0


def test_where_no_single_exchange_serves_every_unit_regret_is_at_most_infinite():
    # Two sites for two streets without any; D lies in neither, so no street's site can make room for it.
    town = replace(ROW, new={**SPOTS, "D": Spot("", near={2: 3})})
    ask = Ranking("p60", 2, minutes=10, at_least_one_per=("street",))
    trial = tried_of(town, ask, [Scenario("same")], exact_regret=False).trials[0]
    assert trial.answer is not None
    assert trial.answer.choice.sites == ("A", "C")
    assert trial.engine.forced(trial.answer, ["D", "B"]) == {"D": (None, False), "B": (45.0, False)}


def test_limits_may_be_factors_or_stated_and_must_be_of_the_costs_metric():
    limits = [Scenario("f", limit=Limit(factor=0.6)), Scenario("m", limit=Limit(minutes=6))]
    told = stress_plan(tried_of(ROW, Ranking("p60", 3, minutes=10), limits))
    assert told.scenarios["best_value"].tolist() == [25.0, 25.0]
    with pytest.raises(InputError, match="scenario x: the limit is not of the travel costs' metric"):
        tried_of(ROW, Ranking("p60", 1, minutes=10), [Scenario("x", limit=Limit(metres=300))])


def test_services_keep_their_own_travel_costs():
    new = ROW.times(ROW.new)
    ask = Ruled(
        MaxCover((Demand("p60", minutes=10, service="day"), Demand("p0_3", minutes=10, service="child"))), (Sites(at_most=2),)
    )
    options = {"day": new, "child": new}
    tried = try_scenarios(ask, options, ROW.cells(), scenarios=[Scenario("s", speed=Speed(0.75))], units=ROW.unit_table())
    assert tried.nominal.value == 30 + 25 + 1 + 2
    # At 7.5 min B and C: 25 + 20 + 2 + 3; the plan A and B reaches 27.
    told = stress_plan(tried)
    assert (told.scenarios["best_value"].tolist(), told.scenarios["plan_value"].tolist()) == ([50.0], [27.0])


def test_scenarios_that_make_no_sense_are_refused_all_at_once():
    bad = [
        Scenario("a", speed=Speed(0.0)),
        Scenario("a", limit=Limit(minutes=10, metres=300)),
        Scenario("b", population=PopulationError(-0.1, shared=2, group_factors=(("p60", -1.0),))),
        Scenario("c", paths=Paths(0.5)),
    ]
    with pytest.raises(InputError) as told:
        tried_of(ROW, Ranking("p60", 1, minutes=10), bad)
    for part in (
        "a scenario id repeats (found 'a'). Give each its own.",
        "scenario a: speeds, limits and block sizes must be above 0",
        "scenario a: give a limit in minutes or in metres, not both",
        "scenario b: the relative error of the population must not be below 0",
        "scenario b: shares must lie between 0 and 1",
        "scenario b: factors on people must not be below 0",
        "scenario c: it does not say which classes of ways are missing",
    ):
        assert part in str(told.value)
    assert "情景 c：未说明哪几类道路缺失" in told.value.text("zh")
    with pytest.raises(InputError, match="there are no scenarios"):
        tried_of(ROW, Ranking("p60", 1, minutes=10), [])


def test_a_question_that_has_no_plan_even_in_the_nominal_case_is_refused():
    ask = Ruled(MaxCover((Demand("p60", minutes=10),)), (Budget(1), ForcedIn(("A",))))
    with pytest.raises(InputError, match="the rules cannot all be met even if nothing changes"):
        tried_of(ROW, ask, [Scenario("s")])
    with pytest.raises(InputError, match="nobody"):
        tried_of(ROW, Ruled(MaxCover((Demand("nobody", minutes=10),)), ()), [Scenario("s")])


# ---------------------------------------------------------------- what matters most


def test_variance_is_shared_out_by_hand():
    # Groups (1, 3) and (5, 7): mean 4, total 20, between 16, within mean square 4 / 2 = 2; (16 − 1 · 2) / 20 = 0.7.
    assert variance_share(np.array([1.0, 3, 5, 7]), np.array([0, 0, 1, 1])) == pytest.approx(0.7)
    # Where groups do not differ the correction would go below 0.
    assert variance_share(np.array([1.0, 3, 1, 3]), np.array([0, 0, 1, 1])) == 0.0
    assert np.isnan(variance_share(np.array([1.0, 2, 3]), np.array([0, 0, 1])))
    assert np.isnan(variance_share(np.array([2.0, 2, 2, 2]), np.array([0, 0, 1, 1])))
    assert np.isnan(variance_share(np.array([1.0, 2, np.nan, np.nan]), np.array([0, 0, 1, 1])))


def test_an_input_that_alone_decides_the_value_has_nearly_all_of_the_variance():
    # The value follows the stratum of speed; the limit has no effect.
    made = [one for one in scenario_set(relative_se=0, draws=100) if one.kind == "combined"]
    values = [1000.0 * dict(one.strata)["speed"] for one in made]
    outcomes = pd.DataFrame({"plan_value": values, "regret": 0.0}, index=[one.id for one in made])
    told = influence_table(made, outcomes, 2000.0)
    assert told.loc["speed", "variance_share"] == pytest.approx(1.0)
    assert told.loc["limit", "variance_share"] < 0.1
    assert np.isnan(told.loc["speed", "regret_variance_share"])
    assert told["draws"].tolist() == [100, 100]


def test_the_effect_of_each_input_alone_is_the_spread_it_makes():
    # 10 min, all three sites: at 0.6 of the speed only B (25), at 1.2 all (75); halving the people 37.5.
    alone = [
        Scenario("v1", speed=Speed(0.6), kind="one", varied="speed"),
        Scenario("v2", speed=Speed(1.2), kind="one", varied="speed"),
        Scenario("p1", population=PopulationError(group_factors=(("p60", 0.5),)), kind="one", varied="population"),
    ]
    told = stress_plan(tried_of(ROW, Ranking("p60", 3, minutes=10), alone)).influence
    assert list(told.index) == ["speed", "population"]
    assert told["effect"].tolist() == [50.0, 37.5]
    assert told[["value_low", "value_high"]].to_numpy().tolist() == [[25.0, 75.0], [37.5, 75.0]]
    assert told["scenarios_alone"].tolist() == [2, 1]
    assert told["name_zh"].tolist() == ["步行速度", "人口误差"]
    assert len(stress_plan(tried_of(ROW, Ranking("p60", 3, minutes=10), [Scenario("s")])).influence) == 0
