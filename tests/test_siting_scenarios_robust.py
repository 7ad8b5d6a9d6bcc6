"""Robust plans and regrets against brute force over every set of sites."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from planning_oracle import Spot, Town

from careshed.schema import InputError
from careshed.siting.planning import Budget, Demand, ForcedIn, MaxCover, PerUnit, PMedian, ReachInUnits, Sites, Spacing
from careshed.siting.scenarios import (
    Limit,
    PopulationError,
    Ranking,
    Ruled,
    Scenario,
    Speed,
    erring_cells,
    robust_plan,
    stress_plan,
    try_scenarios,
)

MINUTE = 60_000
UNITS = {"s1": ("东街", "street", "", "urban"), "s2": ("西街", "street", "", "urban")}


def random_town(seed: int, spots: int = 7, cells: int = 9) -> Town:
    rng = random.Random(seed)
    new = {
        f"c{i}": Spot(rng.choice(["s1", "s2"]), cost=rng.randint(1, 4), x=100.0 * i, near=_near(rng, cells)) for i in range(spots)
    }
    old = {"x": Spot("s1", near=_near(rng, cells, 2))} if rng.random() < 0.5 else {}
    people = {"p60": [float(rng.randint(0, 20)) for _ in range(cells)]}
    return Town(new, old, people, [rng.choice(["s1", "s2"]) for _ in range(cells)], UNITS)


def _near(rng: random.Random, cells: int, most: int = 5) -> dict[int, float]:
    return {cell: rng.choice([4, 6, 8, 9, 10, 11, 12, 14]) for cell in sorted(rng.sample(range(cells), rng.randint(1, most)))}


def some_scenarios(seed: int) -> list[Scenario]:
    return [
        Scenario("slow", speed=Speed(0.75)),
        Scenario("long", limit=Limit(factor=1.3)),
        Scenario("few", population=PopulationError(0.8, "block", 300.0, seed=seed)),
        Scenario("other", population=PopulationError(0.8, "cell", seed=seed + 1), speed=Speed(0.9), limit=Limit(minutes=12)),
    ]


def cut(scenario: Scenario, minutes: float = 10) -> float:
    """Minutes at the nominal speed that the scenario's limit comes to."""
    limit = scenario.limit.minutes or minutes * scenario.limit.factor
    return limit * scenario.speed.factor


def value(town: Town, sites, scenario: Scenario, group: str = "p60") -> float:
    """People reached, read off the town in the plainest way."""
    people = people_in(town, scenario, group)
    spots = [*town.old.values(), *(town.new[site] for site in sites)]
    reached = {cell for spot in spots for cell, minutes in spot.near.items() if minutes <= cut(scenario) + 1e-9}
    return sum(people[cell] for cell in reached)


def people_in(town: Town, scenario: Scenario, group: str) -> list[float]:
    found = DRAWN.get((scenario.id, scenario.population.seed, tuple(town.people[group])))
    if found is None:
        found = erring_cells(town.cells(), scenario.population, [group])[group].tolist()
        DRAWN[scenario.id, scenario.population.seed, tuple(town.people[group])] = found
    return found


DRAWN: dict[tuple, list[float]] = {}


def tried_of(town: Town, ask, scenarios, **more):
    new, old = town.times(town.new), town.times(town.old)
    return try_scenarios(ask, new, town.cells(), scenarios=scenarios, existing=old, units=town.unit_table(), **more)


def subsets(town: Town, n: int):
    for size in range(n + 1):
        yield from combinations(sorted(town.new), size)


NOMINAL = Scenario("nominal")


@pytest.mark.parametrize("criterion", ["value", "regret"])
@pytest.mark.parametrize("seed", range(6))
def test_the_robust_plan_is_the_best_of_all_plans_in_the_worst_case_and_then_in_the_nominal_one(seed, criterion):
    town, scenarios = random_town(seed), some_scenarios(seed)
    plan = robust_plan(tried_of(town, Ranking("p60", 3, minutes=10), scenarios), criterion=criterion)
    best = {one.id: max(value(town, sites, one) for sites in subsets(town, 3)) for one in scenarios}

    def worst(sites) -> float:
        if criterion == "value":
            return min(value(town, sites, one) for one in scenarios)
        return -max(best[one.id] - value(town, sites, one) for one in scenarios)

    most = max(worst(sites) for sites in subsets(town, 3))
    sign = 1 if criterion == "value" else -1
    assert sign * plan.worst == pytest.approx(most, abs=1e-4)
    assert worst(plan.sites) == pytest.approx(most, abs=1e-4)
    assert sign * plan.bound >= most - 1e-4
    assert (plan.proven, plan.method) == (True, "branch and bound")
    ties = [value(town, sites, NOMINAL) for sites in subsets(town, 3) if worst(sites) >= most - 1e-5]
    assert plan.value == pytest.approx(max(ties), abs=1e-4)


def rules_kept(town: Town, sites) -> bool:
    """Every street has a site, the money suffices, and c1 is built."""
    has = {spot.unit for spot in town.old.values()} | {town.new[site].unit for site in sites}
    return has == set(UNITS) and sum(town.new[site].cost for site in sites) <= 8 and "c1" in sites


@pytest.mark.parametrize("criterion", ["value", "regret"])
@pytest.mark.parametrize("seed", range(20, 25))
def test_the_robust_plan_keeps_the_rules(seed, criterion):
    town, scenarios = random_town(seed), some_scenarios(seed)
    old = Demand("p60", minutes=10)
    rules = (PerUnit("street", at_least=1), Budget(8), ForcedIn(("c1",)))
    tried = tried_of(town, Ruled(MaxCover((old,)), (*rules, Sites(at_most=4))), scenarios)
    plan = robust_plan(tried, criterion=criterion)
    allowed = [sites for sites in subsets(town, 4) if rules_kept(town, sites)]
    best = {one.id: max(value(town, sites, one) for sites in allowed) for one in scenarios}
    shift = {one.id: best[one.id] if criterion == "regret" else 0.0 for one in scenarios}

    def worst(sites) -> float:
        return min(value(town, sites, one) - shift[one.id] for one in scenarios)

    assert rules_kept(town, plan.sites)
    most = max(map(worst, allowed))
    assert worst(plan.sites) == pytest.approx(most, abs=1e-4)
    assert (plan.worst if criterion == "value" else -plan.worst) == pytest.approx(most, abs=1e-4)


@pytest.mark.parametrize("seed", range(40, 45))
def test_regret_shares_and_gains_are_those_of_all_plans_tried(seed):
    town, scenarios = random_town(seed), some_scenarios(seed)
    tried = tried_of(town, Ranking("p60", 2, minutes=10), scenarios)
    told = stress_plan(tried)
    for one, trial in zip(scenarios, tried.trials, strict=True):
        every = {sites: value(town, sites, one) for sites in subsets(town, 2)}
        row, best = told.scenarios.loc[one.id], max(every.values())
        assert row["best_value"] == pytest.approx(best, abs=1e-5)
        assert row["plan_value"] == pytest.approx(value(town, told.plan, one), abs=1e-5)
        assert row["regret"] == pytest.approx(best - value(town, told.plan, one), abs=1e-5)
        assert every[tuple(sorted(trial.answer.choice.sites))] == pytest.approx(best, abs=1e-5)
    for site, row in told.sites.iterrows():
        chosen = [trial for trial in tried.trials if site in trial.answer.choice.sites]
        assert (row["chosen"], row["share"], row["scenarios"]) == (len(chosen), len(chosen) / 4, 4)
        losses = [
            max(value(town, sites, one) for sites in subsets(town, 2))
            - max(value(town, sites, one) for sites in subsets(town, 2) if site in sites)
            for one in scenarios
        ]
        assert row["regret_max"] == pytest.approx(max(losses), abs=1e-5)
        assert row["regret_mean"] == pytest.approx(np.mean(losses), abs=1e-5)
        assert row["regret_proven"]
        if row["in_plan"]:
            rest = [one for one in told.plan if one != site]
            gains = [value(town, told.plan, one) - value(town, rest, one) for one in scenarios]
            assert (row["gain_min"], row["gain_median"], row["gain_max"]) == pytest.approx(
                (min(gains), np.median(gains), max(gains)), abs=1e-5
            )
        else:
            gains = []
            for trial in chosen:
                rest = [one for one in trial.answer.choice.sites if one != site]
                gains.append(value(town, trial.answer.choice.sites, trial.scenario) - value(town, rest, trial.scenario))
            assert (row["gain_min"], row["gain_max"], row["gain_scenarios"]) == pytest.approx(
                (min(gains), max(gains), len(gains)), abs=1e-5
            )


@pytest.mark.parametrize("seed", range(60, 63))
def test_ranking_and_rules_tell_the_same_of_the_same_question(seed):
    town, scenarios = random_town(seed), some_scenarios(seed)
    ranked = stress_plan(tried_of(town, Ranking("p60", 3, minutes=10), scenarios))
    ruled = stress_plan(tried_of(town, Ruled(MaxCover((Demand("p60", minutes=10),)), (Sites(at_most=3),)), scenarios))
    assert ranked.value == pytest.approx(ruled.value)
    assert ranked.scenarios["best_value"].tolist() == pytest.approx(ruled.scenarios["best_value"].tolist(), abs=1e-5)
    same = ranked.plan == ruled.plan
    if same:
        shared = ranked.sites.index[ranked.sites["in_plan"]]
        for column in ("gain_min", "gain_max", "regret_max"):
            assert ranked.sites.loc[shared, column].tolist() == pytest.approx(ruled.sites.loc[shared, column].tolist(), abs=1e-5)


@pytest.mark.parametrize("criterion", ["value", "regret"])
@pytest.mark.parametrize("seed", range(70, 73))
def test_the_search_for_large_questions_stays_between_the_nominal_plan_and_its_bound(seed, criterion):
    town, scenarios = random_town(seed, spots=10, cells=16), some_scenarios(seed)
    tried = tried_of(town, Ranking("p60", 3, minutes=10, at_least_one_per=("street",)), scenarios)
    exact, found = robust_plan(tried, criterion=criterion, exact=True), robust_plan(tried, criterion=criterion, exact=False)
    sign = 1 if criterion == "value" else -1
    assert found.method == "local search"
    assert sign * found.worst <= sign * exact.worst + 1e-5
    assert sign * found.worst >= sign * found.nominal_worst - 1e-5
    assert sign * found.bound >= sign * exact.worst - 1e-5
    assert len(found.sites) <= 3
    needed = set(UNITS) - {spot.unit for spot in town.old.values()}
    assert needed <= {town.new[site].unit for site in found.sites}


@pytest.mark.parametrize("seed", range(80, 83))
def test_a_single_exchange_tells_at_most_so_much_regret(seed):
    town, scenarios = random_town(seed), some_scenarios(seed)
    ask = Ranking("p60", 3, minutes=10, at_least_one_per=("street",))
    exact, quick = (stress_plan(tried_of(town, ask, scenarios, exact_regret=how)) for how in (True, False))
    assert exact.plan == quick.plan
    for site in exact.sites.index:
        assert quick.sites.loc[site, "regret_max"] >= exact.sites.loc[site, "regret_max"] - 1e-6
    assert exact.sites["regret_proven"].all()


# ---------------------------------------------------------------- by hand

# A reaches 30 people 9 min off, B 25 people 5 min off, C 20 people 7 min off.
SPOTS = {"A": Spot("s1", x=0, near={0: 9}), "B": Spot("s1", x=300, near={1: 5}), "C": Spot("s2", x=600, near={2: 7})}
SLOW, SLOWER = Scenario("slow", speed=Speed(0.75)), Scenario("slower", speed=Speed(0.6))


def row_of_three() -> Town:
    return Town(SPOTS, {}, {"p60": [30.0, 25.0, 20.0]}, ["s1", "s1", "s2"], UNITS)


def test_the_robust_plan_by_hand():
    # One site, 10 min. At 0.75 all that is beyond 7.5 min is lost: A 0, B 25, C 20. At 0.6 (6 min): B 25 only.
    # Nominal: A 30; worst 0. Robust: B, 25 in the worst case, and 5 fewer if nothing changes.
    tried = tried_of(row_of_three(), Ranking("p60", 1, minutes=10), [SLOW, SLOWER])
    plan = robust_plan(tried, criterion="value")
    assert (plan.sites, plan.worst, plan.nominal_worst, plan.cost, plan.gain) == (("B",), 25.0, 0.0, 5.0, 25.0)
    assert plan.text("en") == "The robust plan reaches 25 more people in the worst scenario, and 5 fewer if nothing changes"
    assert plan.text() == "稳健方案：最不利情景下多覆盖 25 人，情况不变时少覆盖 5 人"
    regret = robust_plan(tried)
    assert (regret.sites, regret.worst, regret.nominal_worst, regret.bound) == (("B",), 0.0, 25.0, 0.0)
    assert regret.text("zh") == "稳健方案：与各情景最优方案相比最多少覆盖 0 人（规划方案为 25 人），情况不变时少覆盖 5 人"
    assert "falls at most 0 people short of the best plan of any scenario (the nominal plan 25)" in regret.text("en")
    assert list(regret.scenarios["nominal_regret"]) == [25.0, 25.0]
    assert list(regret.scenarios["robust_regret"]) == [0.0, 0.0]


def test_the_same_question_gives_the_same_answer_to_the_byte():
    town, scenarios = random_town(5), some_scenarios(5)
    first, second = (stress_plan(tried_of(town, Ranking("p60", 3, minutes=10), scenarios, seed=4)) for _ in range(2))
    for name in ("sites", "scenarios", "influence"):
        assert getattr(first, name).to_csv() == getattr(second, name).to_csv()
    tried = tried_of(town, Ranking("p60", 3, minutes=10), scenarios)
    assert robust_plan(tried).scenarios.to_csv() == robust_plan(tried).scenarios.to_csv()
    assert robust_plan(tried, exact=False).sites == robust_plan(tried, exact=False).sites


def test_a_site_that_no_plan_needs_is_left_out_of_the_robust_plan():
    # Three sites allowed, C's people live on no cell of the group: only A and B are built.
    town = replace(row_of_three(), people={"p60": [30.0, 25.0, 0.0]})
    assert robust_plan(tried_of(town, Ranking("p60", 3, minutes=10), [Scenario("same")])).sites == ("A", "B")


def test_the_search_adds_sites_where_the_plans_known_have_fewer_than_allowed():
    # Within 6 min only B reaches anybody. At 10 min, without the people of s1 C is best, without those of s2 A and B; all three
    # reach 20 in the worst case.
    wide = Limit(minutes=10)
    apart = [Scenario(code, limit=wide, population=PopulationError(unit_factors=((code, 0.0),))) for code in ("s1", "s2")]
    tried = tried_of(row_of_three(), Ranking("p60", 4, minutes=6), apart)
    assert tried.nominal.choice.sites == ("B",)
    assert [trial.answer.choice.sites for trial in tried.trials] == [("C",), ("A", "B")]
    plan = robust_plan(tried, criterion="value", exact=False)
    assert (plan.sites, plan.worst, plan.nominal_worst, plan.proven) == (("A", "B", "C"), 20.0, 0.0, True)


def test_spacing_holds_in_the_robust_plan_and_a_large_one_with_rules_takes_the_best_known():
    # B lies 300 m from both A and C: with 500 m between sites, two sites can only be A and C.
    ask = Ruled(MaxCover((Demand("p60", minutes=10),)), (Sites(at_most=2), Spacing(500)))
    tried = tried_of(row_of_three(), ask, [SLOW, SLOWER])
    assert tried.nominal.choice.sites == ("A", "C")
    exact, known = robust_plan(tried, criterion="value"), robust_plan(tried, criterion="value", exact=False)
    # In the worst case (6 min) only B reaches anybody.
    assert (exact.sites, exact.worst) == (("B",), 25.0)
    assert (known.sites, known.worst, known.bound, known.method) == (("B",), 25.0, 25.0, "best of the plans known")


def test_rules_that_count_people_are_kept_in_the_nominal_case_only():
    # All must be reached in the nominal case: all three sites. At 0.75 nobody can reach all, so there is no plan there.
    demand = Demand("p60", minutes=10)
    ask = Ruled(MaxCover((demand,)), (ReachInUnits(demand, "", 1.0),))
    tried = tried_of(row_of_three(), ask, [SLOW])
    assert tried.trials[0].answer is None
    assert tried.trials[0].nominal is None
    told = stress_plan(tried)
    assert told.summary("en").endswith("No scenario has a best plan to compare with.")
    assert np.isnan(told.scenarios.loc["slow", "best_value"])
    assert np.isnan(told.scenarios.loc["slow", "plan_value"])
    assert list(told.sites["scenarios"]) == [0, 0, 0]
    plan = robust_plan(tried, criterion="value")
    assert (plan.sites, plan.worst) == (("A", "B", "C"), 45.0)
    assert robust_plan(tried, criterion="value", exact=False).bound == 45.0
    with pytest.raises(InputError, match=r"no plan keeps the rules in scenario slow, .* Use criterion='value'"):
        robust_plan(tried)


def test_only_people_reached_can_be_made_robust():
    ask = Ruled(PMedian((Demand("p60"),), beyond=30.0), (Sites(at_most=1),))
    tried = tried_of(row_of_three(), ask, [SLOW])
    with pytest.raises(InputError, match=r"a robust plan needs the objective MaxCover .* .found 'PMedian'."):
        robust_plan(tried)


def test_a_ranking_with_fewer_sites_than_units_is_not_solved_exactly():
    tried = tried_of(row_of_three(), Ranking("p60", 1, minutes=10, at_least_one_per=("street",)), [SLOW])
    with pytest.raises(InputError, match="fewer sites than units need: the robust plan cannot be solved exactly"):
        robust_plan(tried, exact=True)
    assert robust_plan(tried, criterion="value").method == "local search"


def test_where_the_work_ends_before_a_plan_is_found_the_best_known_stands_with_its_bound():
    town, scenarios = random_town(3, spots=14, cells=30), some_scenarios(3)
    tried = tried_of(town, Ranking("p60", 5, minutes=10), scenarios)
    plan = robust_plan(replace(tried, engine=replace(tried.engine, work_limit=0)))
    assert plan.bound <= plan.worst <= plan.nominal_worst
