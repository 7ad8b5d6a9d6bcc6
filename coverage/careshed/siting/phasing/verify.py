"""Re-check a plan over years from raw travel costs: rules, money and counts of every year, apart from what found it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from careshed.reach.times import TravelTimes
from careshed.siting.planning.kinds import MaxCover, SetCover
from careshed.siting.planning.plan import Plan
from careshed.siting.planning.rules import Budget
from careshed.siting.planning.verify import Raw, site_money
from careshed.siting.planning.verify_rules import broken_rules

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.siting.phasing.plan import PhasedPlan
    from careshed.siting.planning.case import Matrices
    from careshed.siting.planning.kinds import Demand

PER = {"time": 60_000, "length": 1_000}


def verify_phases(
    plan: PhasedPlan,
    options: Matrices,
    cells: GeoDataFrame,
    *,
    existing: Matrices | None = None,
    units: GeoDataFrame | None = None,
) -> None:
    """Count a plan over years again: every year's means, every rule, everybody reached.

    What gave way under `PhasedPlan.relaxation` is not held against it.

    Raises
    ------
    ValueError
        Naming everything that does not hold or add up.
    """
    service = plan.objective.demands[0].service
    new, old = (one if one is None or isinstance(one, TravelTimes) else one.get(service) for one in (options, existing))
    rows: dict[tuple[str, str], tuple[TravelTimes, int]] = {}
    for times, stands in ((new, False), (old, True)):
        for row, name in enumerate([] if times is None else map(str, times.facilities.index)):
            if times is not None and (stands or times.facility_fault[row] == ""):
                rows[name, service] = (times, row)
    standing = frozenset(name for (name, _), (times, _) in rows.items() if times is old)
    raw = Raw(_as_plan(plan, service), rows, standing, cells, units)
    wrong = [*_wrong_sites(plan, raw)]
    if not wrong:
        wrong = [
            *_wrong_money(plan, raw),
            *_wrong_means(plan, raw),
            *_wrong_counts(plan, raw),
            *_wrong_value(plan),
            *broken_rules(raw),
        ]
    if wrong:
        raise ValueError("; ".join(wrong))


def _as_plan(plan: PhasedPlan, service: str) -> Plan:
    """The end of the plan as a plan of one year, which the rules' checks read."""
    net = float(plan.sites["net_yuan"].sum())
    rules = plan.rules
    if plan.subsidies and not any(isinstance(rule, Budget) for rule in rules):
        rules = (*rules, Budget(1e18, plan.subsidies))
    return Plan(
        sites=plan.sites.assign(services=service), closed=(), upgrades=(), stages=(), bound_by="highs", method="",
        reproducible=True, reached=(), assignments=pd.DataFrame(), cost_yuan=0.0, subsidy_yuan=0.0, net_yuan=net,
        closing_yuan=0.0, conflicts=plan.conflicts, relaxation=plan.relaxation, dominated=(), findings=(),
        objective=plan.objective, rules=rules,
    )  # fmt: skip


def _near(said: float, counted: float, what: str, slack: float) -> Iterator[str]:
    if not abs(said - counted) <= slack:
        yield f"{what} is {said:.6f}, counted {counted:.6f}"


def _wrong_sites(plan: PhasedPlan, raw: Raw) -> Iterator[str]:
    years = {phase.year for phase in plan.phases}
    names = set(map(str, plan.sites.index))
    for name, row in plan.sites.iterrows():
        if (str(name), plan.objective.demands[0].service) not in raw.rows:
            yield f"{name} is no site that could be used"
        elif (row["status"] == "new") == (str(name) in raw.standing):
            yield f"{name} is called {row['status']}"
        elif row["status"] == "new" and row["year"] not in years:
            yield f"{name} opens in {row['year']}, which is no phase"
    yield from (f"{name} stands but is not kept" for name in sorted(raw.standing - names))


def _wrong_money(plan: PhasedPlan, raw: Raw) -> Iterator[str]:
    for name, row in plan.sites.iterrows():
        cost, paid = site_money(raw, str(name))
        yield from _near(row["cost_yuan"], cost, f"cost of {name}", 1.0)
        yield from _near(row["subsidy_yuan"], paid, f"subsidy of {name}", 1.0)
        yield from _near(row["net_yuan"], row["cost_yuan"] - row["subsidy_yuan"], f"net cost of {name}", 1e-6)
    new = plan.sites[plan.sites["status"] == "new"]
    for year, row in plan.table.iterrows():
        mine = new[new["year"] == year]
        yield from _near(row["new_sites"], len(mine), f"new sites of {year}", 0.0)
        for column in ("cost_yuan", "subsidy_yuan", "net_yuan"):
            yield from _near(row[column], float(mine[column].sum()), f"{column} of {year}", 1e-6)


def _wrong_means(plan: PhasedPlan, raw: Raw) -> Iterator[str]:
    """Walk through the years with what each leaves over."""
    carried = plan.unused == "carried_over"
    extra_yuan = plan.relaxation.extra_yuan if plan.relaxation is not None else 0.0
    extra_sites = plan.relaxation.extra_sites if plan.relaxation is not None else 0
    gave = [told.en for told in plan.relaxation.gave_way] if plan.relaxation is not None else []
    yuan, sites, ahead, places = extra_yuan, float(extra_sites), 0, 0.0
    rows = plan.table.to_dict("index")
    for phase in plan.phases:
        row = rows[phase.year]
        mine = plan.sites[(plan.sites["status"] == "new") & (plan.sites["year"] == phase.year)]
        if phase.yuan is not None:
            yuan = (yuan if carried else extra_yuan) + round(phase.yuan) - row["net_yuan"]
            yield from _near(row["money_left"], yuan - extra_yuan, f"money left of {phase.year}", 1e-6)
            if yuan < -0.5:
                yield f"{phase.year} overspends by {-yuan:.0f} yuan"
        if phase.sites is not None:
            sites = (sites if carried else extra_sites) + phase.sites - row["new_sites"]
            yield from _near(row["sites_left"], sites - extra_sites, f"sites left of {phase.year}", 0.0)
            if sites < 0:
                yield f"{phase.year} builds {-sites:.0f} site(s) too many"
        ahead = (ahead if carried else 0) + int(row["new_sites"]) - phase.at_least_sites
        known = sum(float(raw.field(str(name), "places")) for name in mine.index if raw.field(str(name), "places") >= 0)
        places = (places if carried else 0.0) + known - phase.at_least_places
        if phase.at_least_sites and ahead < 0 and not _gave(gave, phase.year, "new site"):
            yield f"{phase.year} is {-ahead} site(s) short"
        if phase.at_least_places and places < -1e-6 and not _gave(gave, phase.year, "new place"):
            yield f"{phase.year} is {-places:g} place(s) short"


def _gave(gave: list[str], year: int, what: str) -> bool:
    return any(str(year) in told and "at least" in told and what in told for told in gave)


def _wrong_counts(plan: PhasedPlan, raw: Raw) -> Iterator[str]:
    """Count everybody again, year by year: today's sites, then those of each phase."""
    service, slack = plan.objective.demands[0].service, (len(raw.cells) + 1) / 1e6
    now = [(name, service) for name in raw.standing]
    was = [_reached(raw, demand, now) for demand in plan.objective.demands]
    reached = plan.reached.to_dict("index")
    for year, row in plan.table.iterrows():
        mine = plan.sites[(plan.sites["status"] == "new") & (plan.sites["year"] == year)]
        now = [*now, *((str(name), service) for name in mine.index)]
        counted = [_reached(raw, demand, now) for demand in plan.objective.demands]
        for what, which in (("before", was), ("after", counted)):
            total = sum(worth for _, worth in which)
            worth = sum(demand.weight for demand in plan.objective.demands)
            yield from _near(row[what], total, f"{what} of {year}", slack * max(worth, 1.0) + 1e-9 * total)
            for at, (people, _) in enumerate(which):
                said = float(reached[year, at][what])
                yield from _near(said, people, f"{what} of demand {at} in {year}", slack + 1e-9 * people)
        was = counted


def _reached(raw: Raw, demand: Demand, sites: list[tuple[str, str]]) -> tuple[float, float]:
    """People reached by some sites, and their worth."""
    import numpy as np

    people, found = raw.people(demand), raw.costs(demand, sites)
    times = next(iter(raw.rows.values()))[0]
    count = worth = 0.0
    for cell, costs in found.items():
        if len(costs) >= demand.sites_needed:
            share = 1.0
            if demand.decay is not None:
                far = np.array([costs[demand.sites_needed - 1]], dtype=np.uint32)
                share = float(demand.decay.weights(far, per=float(PER[times.metric]), limit=raw.limit(demand, times))[0])
            count += people[cell]
            worth += people[cell] * demand.weight * share
    return count, worth


def _wrong_value(plan: PhasedPlan) -> Iterator[str]:
    new = plan.sites[plan.sites["status"] == "new"]
    last = plan.stages[-1]
    total = sum(weight * after for weight, after in zip(plan.weights, plan.table["after"], strict=True))
    yield from _near(last.value, total, "value", 1e-6 * (1 + sum(plan.weights)) + 1e-9 * abs(total))
    if isinstance(plan.objective, SetCover):
        counted = float(new["net_yuan"].sum()) if plan.objective.least == "money" else float(len(new))
        yield from _near(plan.value, counted, "value", 1e-6)
        if plan.bound > plan.value:
            yield f"bound {plan.bound} is worse than the value {plan.value}"
    elif not isinstance(plan.objective, MaxCover):
        yield f"{type(plan.objective).__name__} has no phases"
    if last.bound < last.value - 1e-9 * abs(last.value):
        yield f"bound {last.bound} is worse than the value {last.value}"
    for cost in plan.nesting_cost:
        yield from _near(cost.nested, float(plan.table["after"].loc[cost.year]), f"people reached in {cost.year}", 1e-6)
        if not cost.nested <= cost.free <= cost.bound:
            yield f"nesting in {cost.year}: {cost.nested} ≤ {cost.free} ≤ {cost.bound} does not hold"
