"""Planning refuses senseless input, all faults at once, in both languages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planning_oracle import Spot, Town

from careshed.schema import InputError
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
    PerUnit,
    PMedian,
    ReachInUnits,
    SetCover,
    Sites,
    Spacing,
    Subsidy,
    Upgradable,
    WorstUnit,
    plan_sites,
)
from careshed.supply.decay import Step

OLD = Demand("p60", minutes=10)
UNITS = {"s1": ("鼓楼街道", "street", "", ""), "v1": ("东村", "village", "", "")}


def town(**spots: Spot) -> Town:
    found = spots or {"A": Spot("s1", near={0: 5}), "B": Spot("s1", near={1: 5})}
    return Town(found, {"X": Spot("s1")}, {"p60": [10.0, 20.0], "none": [0.0, 0.0], "bad": [1.0, -1.0]}, ["s1", ""], UNITS)


def faults(objective=None, rules=(), *, place: Town | None = None, units: bool = True, **more) -> InputError:
    """Faults of a plan that must be refused."""
    place = place or town()
    given = {"existing": place.times(place.old), "units": place.unit_table() if units else None} | more
    with pytest.raises(InputError) as told:
        plan_sites(place.times(place.new), place.cells(), objective=objective or MaxCover((OLD,)), rules=rules, **given)
    for fault in told.value.faults:
        assert fault.zh
        assert fault.en
        assert fault.zh != fault.en
    return told.value


RULES = {
    "unknown unit": (PerUnit("street", at_least=1, units=("s9",)), "a rule speaks of a unit that does not exist (found 's9')"),
    "unit of another level": (ReachInUnits(OLD, "street", 0.5, units=("v1",)), "a unit that does not exist (found 'v1')"),
    "unknown level": (PerUnit("ward", at_least=1), "unknown level of unit (found 'ward'). Known: county, street"),
    "level without units": (Amount("places", 1, level="county"), "there are no units of this level (found 'county')"),
    "contradictory bounds": (PerUnit("street", at_least=2, at_most=1), "PerUnit: at least 2 but at most 1"),
    "contradictory numbers": (Sites(at_least=3, at_most=2), "Sites: at least 3 but at most 2"),
    "bound below zero": (Sites(at_least=-1), "Sites: a bound is below zero"),
    "budget below zero": (Budget(-5), "the budget is below zero or not finite (found '-5')"),
    "subsidy below zero": (Budget(5, (Subsidy(-1),)), "a subsidy is below zero"),
    "subsidy by setting": (
        Budget(5, (Subsidy(1, setting="urban"),)),
        "a subsidy goes by urban and rural, which the units do not say",
    ),
    "unknown candidate": (ForcedIn(("Q",)), "there is no such candidate (found 'Q')"),
    "existing site forbidden": (Forbidden(("X",)), "there is no such candidate (found 'X')"),
    "candidate closed": (Closable(("A",)), "there is no such existing site (found 'A')"),
    "upgrade of nothing": (Upgradable("Q", 1, 1), "there is no such site (found 'Q')"),
    "capacity below zero": (Upgradable("X", -4, 1), "an upgrade must add places (found '-4')"),
    "spacing of nothing": (Spacing(0), "the spacing must be above 0 m"),
    "spacing without columns": (Spacing(9, streets=pd.DataFrame({"a": ["A"]})), "lacks columns (found 'b, metres')"),
    "share above one": (InclusiveShare(1.5), "InclusiveShare: a share must lie between 0 and 1 (found '1.5')"),
    "share below zero": (ReachInUnits(OLD, "", -0.1), "ReachInUnits: a share must lie between 0 and 1"),
    "demand of a rule": (ReachInUnits(Demand("p99"), "", 0.1), "the cells have no column 'p99'"),
    "unknown service": (Sites(at_most=1, service="clinic"), "a rule speaks of a service that no demand has (found 'clinic')"),
    "hosting without service": (Hosting("clinic"), "a rule speaks of a service that no demand has (found 'clinic')"),
    "each site": (EachSite(places_at_least=5, places_at_most=4), "EachSite: at least 5 but at most 4"),
}


@pytest.mark.parametrize("name", RULES)
def test_a_senseless_rule_is_refused_with_what_is_wrong(name: str):
    rule, told = RULES[name]
    assert told in faults(rules=[rule]).text("en")


OBJECTIVES = {
    "no demand": (MaxCover(()), "the objective has no demand"),
    "nobody": (MaxCover((Demand("none", minutes=10),)), "no people of this group live on the cells (found 'none')"),
    "negative people": (MaxCover((Demand("bad", minutes=10),)), "is missing or negative in 1 cells"),
    "limit beyond the search": (MaxCover((Demand("p60", minutes=99),)), "99 minutes is beyond the 30 minutes searched"),
    "limit of another metric": (MaxCover((Demand("p60", metres=99),)), "metres= needs travel costs of metric 'length'"),
    "rate": (MaxCover((Demand("p60", minutes=10, rate=0),)), "rate must be above 0 and at most 1 (found '0')"),
    "weight": (MaxCover((Demand("p60", minutes=10, weight=-1),)), "weight must be above 0"),
    "sites needed": (MaxCover((Demand("p60", minutes=10, sites_needed=0),)), "sites_needed must be at least 1"),
    "share": (SetCover((OLD,), share=0), "the share to cover must be above 0 and at most 1"),
    "beyond too near": (PMedian((OLD,), beyond=29), "people beyond the limit searched must count at least as that limit, 30"),
    "beyond unknown": (PMedian((OLD,), beyond="far"), "beyond must be a number, 'forbid' or 'leave_out' (found 'far')"),
    "level": (WorstUnit((OLD,), "ward"), "unknown level of unit (found 'ward')"),
    "attendance without any": (Attendance((OLD,), 0), "the most that one person counts must be above 0 (found '0')"),
    "attendance at two": (Attendance((Demand("p60", minutes=10, sites_needed=2),)), "adds sites up and takes one site a person"),
    "decay with places": (MaxServed((Demand("p60", minutes=10, sites_needed=2),)), "take no decay and one site a person"),
    "decay that grows": (
        MaxCover((Demand("p60", minutes=20, decay=Step((6, 20), (0.5, 1))),)),
        "weights must not grow with travel",
    ),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_senseless_objective_is_refused_with_what_is_wrong(name: str):
    objective, told = OBJECTIVES[name]
    # B lies farther, so that a decay that grows is seen.
    place = town(A=Spot("s1", near={0: 5}), B=Spot("s1", near={1: 9}))
    assert told in faults(objective, place=place).text("en")


def test_all_faults_are_told_at_once_in_both_languages():
    error = faults(
        MaxCover((Demand("none", minutes=10),)), [Budget(-1), Sites(at_least=2, at_most=1), ForcedIn(("A",)), Forbidden(("A",))]
    )
    assert [fault.code for fault in error.faults] == ["no_demand", "bad_budget", "contradictory_bounds", "forced_and_forbidden"]
    assert "候选点既必须入选又不得入选（现为“A”）。请删去其中一条。" in error.text("zh")
    assert "上下限矛盾（至少 2，至多 1）" in error.text("zh")


def test_two_budgets_are_refused():
    assert "there can be only one budget. Put them together." in faults(rules=[Budget(1), Budget(2)]).text("en")


def test_capacity_cost_and_area_below_zero_are_named_by_site():
    place = town(A=Spot("s1", cost=-1, places=-2, area=-3, near={0: 5}))
    told = faults(place=place).text("en")
    for what in (
        "places below zero or not finite: A",
        "cost below zero or not finite: A",
        "floor area below zero or not finite: A",
    ):
        assert what in told


def test_no_candidates_are_told_and_so_are_those_that_no_street_leads_to():
    place = town()
    options = place.times(place.new)
    options.facility_fault[:] = "far"
    with pytest.raises(InputError, match="there are no candidates that can be used") as told:
        plan_sites(options, place.cells(), objective=MaxCover((OLD,)), rules=[ForcedIn(("A",))], units=place.unit_table())
    assert "a candidate forced in joins no street" in told.value.text("en")


def test_a_service_without_travel_costs_is_told():
    place = town()
    objective = MaxCover((Demand("p60", minutes=10, service="a"), Demand("p60", minutes=10, service="b")))
    with pytest.raises(InputError, match="there are no travel costs for this service"):
        plan_sites({"a": place.times(place.new)}, place.cells(), objective=objective)


def test_an_upgrade_must_name_its_service_where_there_are_several():
    objective = MaxCover((Demand("p60", minutes=10, service="a"), Demand("p60", minutes=10, service="b")))
    assert "an upgrade must name its service" in faults(objective, [Upgradable("X", 1, 1)]).text("en")


def test_cells_of_another_table_and_ids_used_twice_are_told():
    place = town(X=Spot("s1", near={0: 5}))
    assert "candidates and existing sites share ids: X" in faults(place=place).text("en")
    other = Town(place.new, {"Y": Spot("s1")}, {"p60": [1.0]}, [""], UNITS)
    assert "travel costs are for other cells" in faults(existing=other.times(other.old)).text("en")


def test_a_budget_needs_the_cost_of_every_candidate():
    place = town(A=Spot("s1", cost=np.nan, near={0: 5}))
    assert "1 candidate(s) of unknown cost: A" in faults(rules=[Budget(5)], place=place).text("en")


def test_columns_that_rules_need_must_be_there():
    place = town()
    options = place.times(place.new)
    options = replace(options, facilities=options.facilities.drop(columns=["area_m2", "inclusive", "places", "cost_yuan"]))
    rules = [EachSite(area_m2_at_least=1, places_at_least=1), InclusiveShare(0.5), Budget(1)]
    with pytest.raises(InputError) as told:
        plan_sites(options, place.cells(), objective=MaxServed((OLD,)), rules=rules, units=place.unit_table())
    assert {fault.code for fault in told.value.faults} == {"missing_column", "cost_unknown", "no_places"}
    assert {fault.found for fault in told.value.faults} == {"area_m2", "places", "inclusive", ""}


def test_unknown_places_are_refused_where_places_are_given_out():
    place = town(A=Spot("s1", places=np.nan, near={0: 5}))
    assert "places are not known: A" in faults(MaxServed((OLD,)), place=place).text("en")


def test_sums_that_leave_whole_numbers_are_refused():
    place = town()
    place.people["p60"] = [3e9, 1.0]
    assert "a cell holds too many people for whole numbers" in faults(PMedian((OLD,), beyond=1e5), place=place).text("en")


@pytest.mark.parametrize("rule", [Sites(at_most=10**20), Amount("places", at_least=float("inf")), Budget(1e300)])
def test_figures_beyond_whole_numbers_are_refused(rule):
    place = town(A=Spot("s1", near={0: 5}))
    (fault,) = faults(rules=[rule], place=place).faults
    assert fault.code == "bound_too_large"
    assert "above 1,000,000,000,000" in fault.en
    assert "不得超过 1,000,000,000,000" in fault.zh
