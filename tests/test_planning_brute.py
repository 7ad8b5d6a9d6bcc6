"""Planning by brute force: thousands of tiny towns with random rules, every objective, every conflict."""

from __future__ import annotations

import os
import random
from unittest import mock

import planning_oracle as oracle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careshed.siting.planning import Amount, Budget, PerUnit, ReachInUnits, Sites, plan_sites, verify_plan
from careshed.siting.planning import case as case_module
from careshed.siting.planning.case import build_case
from careshed.siting.planning.checks import check_case
from careshed.siting.planning.planning import solve_case
from careshed.siting.planning.wording import Work

WORK = Work(10_000, 0)

MORE = int(os.environ.get("CARESHED_BRUTE", "1"))
"""Times as many towns as usual, for a longer look; the usual make some 900 instances, `benchmarks/exactness.py` thousands."""

RULE_SETS = 16
"""Objectives with rules tried in each town."""

SINGLE = {"served median": "served", "backup": "cover"}
"""Objectives drawn for one service, and what is drawn instead where there are two."""

few = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def same_as_brute_force(town: oracle.Town, objective, rules, answer) -> None:
    """The value is the best of all choices; where there is none, what gives way is the least of all choices."""
    best, least = oracle.brute(town, objective, rules)
    if best is not None:
        assert answer.relaxation is None
        sign = -1 if oracle.least_is_best(objective) else 1
        for stage, value in zip(answer.optimum.stages, best, strict=True):
            assert sign * stage.value == pytest.approx(float(value), abs=2e-4)
            assert stage.proven
        return
    told = answer.relaxation
    assert told is not None
    assert (told.rules_broken, len(told.units_without), told.extra_yuan, told.extra_sites) == tuple(map(float, least))
    assert answer.conflicts
    for conflict in answer.conflicts:
        core = [oracle.named(town, objective, rules, one) for one in conflict.claims]
        if None not in core:
            assert not oracle.possible(town, objective, rules, core)
            for at in range(len(core)):
                assert oracle.possible(town, objective, rules, core[:at] + core[at + 1 :])


def tried(seed: int, services: tuple[str, ...], kinds: tuple[str, ...], sets: int) -> None:
    rng = random.Random(seed)
    town = oracle.random_town(rng, services=services)
    new, old, cells, units = town.times(town.new), town.times(town.old), town.cells(), town.unit_table()
    # The tables of a town are the same for all its rules: read them once.
    registers = {id(times): case_module.read_register(times) for times in (new, old) if times is not None}
    table = case_module.read_units(units)
    with (
        mock.patch.object(case_module, "read_register", lambda times: registers[id(times)]),
        mock.patch.object(case_module, "read_units", return_value=table),
    ):
        for _ in range(sets):
            objective = oracle.random_objective(rng, rng.choice(kinds), services=services)
            rules = tuple(oracle.random_rules(rng, town, services=services))
            case = build_case(new, old, cells, units, objective, rules)
            check_case(case)
            same_as_brute_force(town, objective, rules, solve_case(case, WORK))


@given(st.integers(0, 2**32))
@settings(few, max_examples=24 * MORE)
def test_every_objective_under_random_rules_is_as_good_as_the_best_of_all_choices(seed: int):
    tried(seed, ("",), oracle.OBJECTIVES[:9], RULE_SETS)


@given(st.integers(0, 2**32))
@settings(few, max_examples=8 * MORE)
def test_places_are_given_as_the_best_of_all_choices_gives_them(seed: int):
    tried(seed, ("",), oracle.OBJECTIVES[9:], RULE_SETS)


@given(st.integers(0, 2**32))
@settings(few, max_examples=8 * MORE)
def test_services_under_one_roof_are_sited_as_the_best_of_all_choices_does(seed: int):
    tried(seed, ("a", "b"), ("cover", "set", "median", "worst", "attendance", "served"), RULE_SETS)


@given(st.integers(0, 2**32), st.sampled_from(oracle.OBJECTIVES), st.sampled_from([("",), ("a", "b")]))
@settings(few, max_examples=20 * MORE)
def test_a_plan_from_raw_tables_holds_when_it_is_checked_again(seed: int, kind: str, services: tuple[str, ...]):
    rng = random.Random(seed)
    town = oracle.random_town(rng, services=services)
    kind = SINGLE.get(kind, kind) if len(services) > 1 else kind
    objective, rules = oracle.random_objective(rng, kind, services=services), oracle.random_rules(rng, town, services=services)
    new, old, cells, units = town.times(town.new), town.times(town.old), town.cells(), town.unit_table()
    plan = plan_sites(new, cells, objective=objective, existing=old, rules=rules, units=units)
    verify_plan(plan, new, cells, existing=old, units=units)
    assert plan.status == "optimal"
    assert plan.reproducible


def plain_rules(rng: random.Random) -> tuple:
    """Rules under which a candidate may be dominated."""
    makers = [
        lambda: Sites(at_most=rng.randint(1, 3)),
        lambda: PerUnit("street", at_least=1),
        lambda: PerUnit("county", at_most=rng.randint(1, 2)),
        lambda: Budget(rng.randint(1, 6)),
        lambda: ReachInUnits(oracle.Demand("p60", minutes=20), "county", 0.3),
    ]
    return tuple(make() for make in rng.sample(makers, rng.randint(0, 3)))


@given(st.integers(0, 2**32))
@settings(few, max_examples=20 * MORE)
def test_leaving_out_dominated_candidates_changes_no_value(seed: int):
    rng = random.Random(seed)
    town = oracle.random_town(rng)
    new, old, cells, units = town.times(town.new), town.times(town.old), town.cells(), town.unit_table()
    for _ in range(4):
        objective, rules = oracle.random_objective(rng, rng.choice(["cover", "set", "worst"])), plain_rules(rng)
        case = build_case(new, old, cells, units, objective, rules)
        answers = [solve_case(case, WORK, reduce=reduce) for reduce in (True, False)]
        same_as_brute_force(town, objective, rules, answers[0])
        assert [stage.value for stage in answers[0].optimum.stages] == [stage.value for stage in answers[1].optimum.stages]


# Under each of these, the dominated candidate B (A reaches more, costs no more, same street) is needed all the same.
NEEDED = {
    "two per unit": (PerUnit("street", at_least=2, units=("s1",)),),
    "forced in": (oracle.ForcedIn(("B",)),),
    "places": (Amount("places", at_least=6),),
    "floor": (oracle.EachSite(area_m2_at_least=100),),
    "spacing": (PerUnit("street", at_least=1, units=("s2",)), oracle.Spacing(120), PerUnit("street", at_least=1, units=("s1",))),
    "inclusive": (oracle.InclusiveShare(1.0, "sites", "new"), Sites(at_least=1)),
    "forbidden": (oracle.Forbidden(("A",)), Sites(at_least=1)),
}


@pytest.mark.parametrize("rule", NEEDED)
def test_no_candidate_is_left_out_under_rules_that_see_more_in_it(rule: str):
    # A (floor 50, x 0, not inclusive) reaches cells 0 and 1, B (floor 100, x 300) only cell 0; C in s2 lies 100 m from A.
    spots = {
        "A": oracle.Spot("s1", 1, 5, 50, inclusive=False, near={0: 5, 1: 5}),
        "B": oracle.Spot("s1", 1, 5, 100, x=300, near={0: 5}),
        "C": oracle.Spot("s2", 1, 0, 50, inclusive=False, x=100, near={}),
    }
    units = {"s1": ("一街", "street", "", ""), "s2": ("二街", "street", "", "")}
    town = oracle.Town(spots, {}, {"p60": [2, 3], "p0_3": [1, 1]}, ["s1", "s1"], units)
    case = build_case(
        town.times(spots),
        None,
        town.cells(),
        town.unit_table(),
        oracle.MaxCover((oracle.Demand("p60", minutes=10),)),
        NEEDED[rule],
    )
    answer = solve_case(case, WORK)
    assert answer.relaxation is None
    assert answer.dominated == ()
    assert answer.optimum.amount[1] > 0  # B is built.


def test_a_dominated_candidate_is_named_with_the_one_that_stays():
    spots = {
        "A": oracle.Spot("s1", 2, near={0: 5, 1: 5}),
        "B": oracle.Spot("s1", 1, near={0: 5, 1: 5}),
        "C": oracle.Spot("s2", 1, near={0: 5}),
    }
    units = {"s1": ("一街", "street", "", ""), "s2": ("二街", "street", "", "")}
    town = oracle.Town(spots, {}, {"p60": [2, 3], "p0_3": [1, 1]}, ["s1", "s1"], units)
    # A costs more than B and reaches no more; C lies in another street.
    plan = plan_sites(
        town.times(spots), town.cells(), objective=oracle.MaxCover((oracle.Demand("p60", minutes=10),)), units=town.unit_table()
    )
    assert plan.dominated == (("A", "B"),)
    assert plan.new == ("B",)
