"""Reasons and frontier by brute force: every site dropped, every exchange, every subset for every limit of small random towns."""

from __future__ import annotations

import os
import random
from unittest import mock

import numpy as np
import planning_oracle as oracle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careshed.schema import InputError
from careshed.siting import rank_sites
from careshed.siting.planning import (
    Budget,
    Closable,
    Demand,
    InclusiveShare,
    MaxCover,
    MaxServed,
    PerUnit,
    SetCover,
    Sites,
    plan_sites,
)
from careshed.siting.reasons import curve, explain_sites, frontier
from careshed.siting.reasons.ground import read_ground
from careshed.siting.reasons.weighing import building_order, loss, swaps

MORE = int(os.environ.get("CARESHED_BRUTE", "1"))
"""Times as many towns as usual, for a longer look."""

few = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))

PERSON = 1_000_000
NEAR = 1e-3
"""Flows of people end on millionths, a few of which the plan may round away."""


def tables(town: oracle.Town):
    return town.times(town.new), town.times(town.old), town.cells(), town.unit_table()


def choice_of(plan) -> oracle.Choice:
    hosts = {(str(name), service) for name, told in plan.sites["services"].items() for service in told.split(";")}
    return oracle.Choice(frozenset(hosts), frozenset(plan.upgrades))


def less(choice: oracle.Choice, name: str) -> oracle.Choice:
    hosts = frozenset(host for host in choice.hosts if host[0] != name)
    return oracle.Choice(hosts, frozenset(rule for rule in choice.upgrades if rule.id != name))


def plus(choice: oracle.Choice, name: str, services) -> oracle.Choice:
    return oracle.Choice(choice.hosts | {(name, service) for service in services}, choice.upgrades)


def worse(asked, before, after) -> list:
    return [ask for ask in asked if ask.missed(after) > ask.missed(before)]


def counted(town: oracle.Town, objective, choice, rules) -> float:
    """What the reasons count: the objective, or people reached for the least sites or money."""
    if isinstance(objective, SetCover):
        return people(town, objective, choice, rules)
    return oracle.score(town, objective, choice, rules)[0]


def people(town: oracle.Town, objective, choice, rules) -> float:
    """People reached or placed, each counting 1."""
    if isinstance(objective, MaxServed):
        plain = MaxServed(tuple(Demand(d.group, minutes=d.minutes, service=d.service) for d in objective.demands))
        return oracle.score(town, plain, choice, rules)[0]
    return sum(sum(np.array(town.people[d.group])[oracle.reached(town, d, choice.hosts)]) for d in objective.demands)


def checked(seed: int, kinds: tuple[str, ...], services: tuple[str, ...]) -> None:
    rng = random.Random(seed)
    town = oracle.random_town(rng, services=services)
    new, old, cells, units = tables(town)
    objective = oracle.random_objective(rng, rng.choice(kinds), services=services)
    rules = tuple(oracle.random_rules(rng, town, services=services))
    plan = plan_sites(new, cells, objective=objective, existing=old, rules=rules, units=units)
    if not plan.new:
        assert explain_sites(plan, new, cells, existing=old, units=units).text("en") == "The plan builds nothing new."
        return
    ground = read_ground(plan, new, cells, old, units)
    full = choice_of(plan)
    # A plan that gives way on a share of inclusive places is off by an amount, of which the oracle only says whether.
    asked = oracle.asks(town, objective, rules)
    asked = [ask for ask in asked if plan.relaxation is None or not isinstance(ask.rule, InclusiveShare)]
    order_is_greedy(town, objective, rules, ground, full)
    for place in ground.new:
        site_is_weighed(town, objective, rules, ground, full, asked, place)


def order_is_greedy(town, objective, rules, ground, full) -> None:
    """Each step adds what the oracle counts, and no site still to come would add more."""
    now = full
    for place in ground.new:
        now = less(now, ground.case.places[place].id)
    left = {ground.case.places[place].id for place in ground.new}
    for step in building_order(ground):
        name = ground.case.places[step.place].id

        def with_site(one, now=now):
            mine = frozenset(host for host in full.hosts if host[0] == one)
            grown = frozenset(rule for rule in full.upgrades if rule.id == one)
            return oracle.Choice(now.hosts | mine, now.upgrades | grown)

        adds = {one: counted(town, objective, with_site(one), rules) - counted(town, objective, now, rules) for one in left}
        assert step.value / PERSON == pytest.approx(adds[name], abs=NEAR)
        assert adds[name] == pytest.approx(max(adds.values()), abs=NEAR)
        more = people(town, objective, with_site(name), rules) - people(town, objective, now, rules)
        assert step.people / PERSON == pytest.approx(more, abs=NEAR)
        now = with_site(name)
        left.remove(name)


def hosts(spot: oracle.Spot, service: str) -> bool:
    return not service or not spot.services or service in spot.services.split(";")


def site_is_weighed(town, objective, rules, ground, full, asked, place) -> None:
    name = ground.case.places[place].id
    without, value = less(full, name), counted(town, objective, full, rules)
    lost = loss(ground, place)
    assert lost.value / PERSON == pytest.approx(value - counted(town, objective, without, rules), abs=NEAR)
    assert lost.people / PERSON == pytest.approx(
        people(town, objective, full, rules) - people(town, objective, without, rules), abs=NEAR
    )
    broken = worse(asked, full, without)
    if len(asked) == len(oracle.asks(town, objective, rules)):
        named = {(ground.case.rules[claim.rule] if claim.rule >= 0 else None, claim.unit) for claim in lost.breaks}
        assert named == {(ask.rule, ask.unit) for ask in broken}
    services = {service for site, service in full.hosts if site == name}
    near, best = swaps(ground, place, lost, 1e9)
    told = {ground.case.places[swap.place].id: swap for swap in near}
    able = {one for one in set(town.new) - full.open if all(hosts(town.spots[one], service) for service in services)}
    assert set(told) == able
    floors = {rule.service: rule.area_m2 for rule in rules if isinstance(rule, oracle.Hosting)}
    good = []
    for one, swap in told.items():
        now = plus(without, one, services)
        change = counted(town, objective, now, rules) - value
        assert swap.value / PERSON == pytest.approx(change, abs=NEAR)
        assert swap.people / PERSON == pytest.approx(
            people(town, objective, now, rules) - people(town, objective, full, rules), abs=NEAR
        )
        assert swap.yuan == pytest.approx(oracle.net(town, now, rules) - oracle.net(town, full, rules))
        assert swap.metres == pytest.approx(abs(town.spots[one].x - town.spots[name].x))
        if len(asked) == len(oracle.asks(town, objective, rules)):
            fits = sum(floors.get(s, 0) for s in services) <= town.spots[one].area
            keeps = not worse(asked, full, now) and (fits or len({d.service for d in objective.demands}) < 2)
            assert swap.keeps == keeps
            good += [change] if keeps else []
    if len(asked) == len(oracle.asks(town, objective, rules)):
        assert (best is None) == (not good)
        assert best is None or best.value / PERSON == pytest.approx(max(good), abs=NEAR)
        far = swaps(ground, place, lost, 0.0)[1]
        assert (far is None) == (not good)
        assert far is None or far.value / PERSON == pytest.approx(max(good), abs=NEAR)


@given(st.integers(0, 2**32))
@settings(few, max_examples=25 * MORE)
def test_orders_losses_and_exchanges_are_what_a_recount_of_every_choice_says(seed: int):
    checked(seed, ("cover", "backup", "bands", "decay", "set"), ("",))


@given(st.integers(0, 2**32))
@settings(few, max_examples=12 * MORE)
def test_places_lost_and_exchanged_are_what_a_flow_of_people_says(seed: int):
    checked(seed, ("served",), ("",))


@given(st.integers(0, 2**32))
@settings(few, max_examples=12 * MORE)
def test_services_under_one_roof_are_dropped_and_exchanged_together(seed: int):
    checked(seed, ("cover", "served", "set"), ("a", "b"))


@given(st.integers(0, 2**32))
@settings(few, max_examples=12 * MORE)
def test_a_ranked_plan_keeps_its_order_and_its_gains(seed: int):
    rng = random.Random(seed)
    town = oracle.random_town(rng)
    new, old, cells, units = tables(town)
    levels = rng.choice([(), ("street",), ("county", "street")])
    plan = rank_sites(
        new, cells, existing=old, minutes=rng.choice([5, 10, 20]), group="p60", n=rng.randint(0, 4), units=units,
        at_least_one_per=levels,
    )  # fmt: skip
    told = explain_sites(plan, new, cells, existing=old, units=units, near_m=300).table
    assert list(told.index) == list(plan.sites.index)
    assert list(told["people_new"]) == pytest.approx(list(plan.sites["people_new"]))
    if not len(plan.sites):
        return
    ground = read_ground(plan, new, cells, old, units)
    hosts = frozenset((name, "") for name in [*town.old, *plan.sites.index])
    full, goal = oracle.Choice(hosts, frozenset()), ground.case.objective
    won = set(plan.units_without_before) - set(plan.units_without_after)
    for place in ground.new:
        site = ground.case.places[place].id
        lost, gone = loss(ground, place), less(full, site)
        assert lost.value / PERSON == pytest.approx(oracle.score(town, goal, full, ())[0] - oracle.score(town, goal, gone, ())[0])
        chains = [set(town.chain(town.spots[one].unit)) for one, _ in gone.hosts]
        assert {claim.unit for claim in lost.breaks} == won - set().union(*chains)


def limited_best(town: oracle.Town, objective, rules, axis):
    best, _ = oracle.brute(town, objective, [*rules, axis])
    return None if best is None else float(best[0])


def curve_is_best(town: oracle.Town, objective, rules, by: str, limits: list[int], **more) -> None:
    """Every point is the best of all choices within its limit, and only where there is none, none is given."""
    new, old, cells, units = tables(town)
    subsidies = next((rule.subsidies for rule in rules if isinstance(rule, Budget)), ())
    rest = [rule for rule in rules if by == "sites" or not isinstance(rule, Budget)]
    axis = [Sites(at_most=one) if by == "sites" else Budget(one, subsidies) for one in [0, *limits]]
    best = dict(zip([0, *limits], (limited_best(town, objective, rest, one) for one in axis), strict=True))
    if set(best.values()) == {None}:
        with pytest.raises(InputError, match="the rules cannot be met"):
            frontier(new, cells, existing=old, objective=objective, rules=rules, units=units, by=by, steps=limits, **more)
        return
    drawn = frontier(new, cells, existing=old, objective=objective, rules=rules, units=units, by=by, steps=limits, **more)
    found = {point.limit: point for point in drawn.points}
    assert set(found) == {limit for limit, value in best.items() if value is not None}
    values = [point.value for point in drawn.points]
    assert values == sorted(values)
    for limit, point in found.items():
        assert point.bound >= best[limit] - NEAR
        assert point.value <= best[limit] + NEAR
        if more.get("work_limit", 1):
            assert point.value == pytest.approx(best[limit], abs=NEAR)
            assert point.status == "optimal"
        assert by == "money" or len(point.sites) <= limit
        assert by == "sites" or point.net_yuan <= limit


@given(st.integers(0, 2**32))
@settings(few, max_examples=20 * MORE)
def test_every_point_of_the_quick_frontier_is_the_best_of_all_subsets(seed: int):
    rng = random.Random(seed)
    town = oracle.random_town(rng)
    objective = MaxCover((Demand("p60", minutes=rng.choice([10, 20]), weight=rng.choice([1, 2, 0.5])),))
    rules = rng.choice([(), (), (PerUnit("street", at_least=1),), (PerUnit("street", at_least=1, units=("s1",)), Budget(9))])
    by = rng.choice(["sites", "money"])
    limits = [1, 2, 3] if by == "sites" else [1, 3, 4, 8]
    with mock.patch.object(curve, "SMALL_PAIRS", 0):
        curve_is_best(town, objective, rules, by, limits, work_limit=rng.choice([0, 5000]))


@given(st.integers(0, 2**32))
@settings(few, max_examples=12 * MORE)
def test_every_point_of_the_frontier_under_any_rules_is_the_best_of_all_choices(seed: int):
    rng = random.Random(seed)
    town = oracle.random_town(rng)
    objective = oracle.random_objective(rng, rng.choice(["cover", "backup", "bands", "served"]))
    # What already costs money or sites elsewhere is counted against the axis as well: closures by their cost.
    rules = [rule for rule in oracle.random_rules(rng, town) if not isinstance(rule, Closable)]
    by = rng.choice(["sites", "money"])
    curve_is_best(town, objective, tuple(rules), by, [1, 2, 3] if by == "sites" else [1, 3, 8])
