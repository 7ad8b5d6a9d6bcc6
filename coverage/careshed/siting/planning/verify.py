"""Re-check a plan from the raw travel costs: all rules hold, all counts add up. Shares no code with what found it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from careshed.siting.planning.kinds import Attendance, MaxCover, MaxServed, PCentre, PMedian, ServedMedian, SetCover, WorstUnit
from careshed.siting.planning.rules import Budget, Closable, Hosting, Upgradable
from careshed.siting.planning.verify_rules import broken_rules

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes
    from careshed.siting.planning.case import Matrices
    from careshed.siting.planning.kinds import Demand
    from careshed.siting.planning.plan import Plan

PER = {"time": 60_000, "length": 1_000}


@dataclass(frozen=True)
class Raw:
    """A plan beside the tables it was made from."""

    plan: Plan
    rows: Mapping[tuple[str, str], tuple[TravelTimes, int]]
    """(site, service) -> where its travel costs are; for all that stand or could."""
    standing: frozenset[str]
    cells: GeoDataFrame
    units: GeoDataFrame | None

    @property
    def hosts(self) -> list[tuple[str, str]]:
        """Sites of the plan with each service they host."""
        return [(str(name), service) for name, told in self.plan.sites["services"].items() for service in str(told).split(";")]

    def field(self, site: str, column: str, missing: Any = float("nan")) -> Any:
        """A column of a site's own row."""
        times, row = next(where for (name, _), where in self.rows.items() if name == site)
        table = times.facilities
        return table[column].iloc[row] if column in table.columns else missing

    def chain(self, code: str) -> list[str]:
        """A unit and all above it."""
        found: list[str] = []
        while self.units is not None and code in self.units.index and code not in found:
            found.append(code)
            code = str(self.units.loc[code, "parent"])
        return found

    def setting(self, code: str) -> str:
        """Whether a unit is urban or rural, "" where that is not said."""
        return "" if self.units is None or "setting" not in self.units.columns else str(self.units.loc[code, "setting"])

    def costs(self, demand: Demand, sites: list[tuple[str, str]]) -> dict[int, list[int]]:
        """Cell position -> travel costs to those sites that serve a demand within its limit, ascending."""
        found: dict[int, list[int]] = {}
        for site, service in sites:
            if service == demand.service and (site, service) in self.rows:
                times, row = self.rows[site, service]
                limit = self.limit(demand, times)
                for pair in range(times.indptr[row], times.indptr[row + 1]):
                    if times.cost[pair] <= limit:
                        found.setdefault(int(times.indices[pair]), []).append(int(times.cost[pair]))
        return {cell: sorted(costs) for cell, costs in found.items()}

    def limit(self, demand: Demand, times: TravelTimes) -> int:
        """A demand's limit in whole costs."""
        asked = demand.minutes if demand.metres is None else demand.metres
        return times.limit if asked is None else round(asked * PER[times.metric])

    def people(self, demand: Demand) -> list[float]:
        """People who look for the service, cell by cell."""
        return [float(count) * demand.rate for count in self.cells[demand.group]]

    def own_places(self, name: str, service: str) -> float:
        """Places of one service at a site before any upgrade; NaN where they are not known."""
        told = [rule.places for rule in self.plan.rules if isinstance(rule, Hosting) and rule.service == service]
        if told and told[0] is not None and name not in self.standing:
            return told[0]
        times, row = self.rows[name, service]
        return float(times.facilities["places"].iloc[row]) if "places" in times.facilities.columns else float("nan")

    def grown(self, name: str) -> list[Upgradable]:
        """Upgrades made at a site."""
        wanted = [rule for rule in self.plan.rules if isinstance(rule, Upgradable) and rule.id == name]
        return [rule for rule in wanted if rule in self.plan.upgrades]

    def places_of(self, name: str) -> float:
        """Places of a site of the plan, upgrades included; unknown ones count nothing."""
        known = [self.own_places(name, service) for site, service in self.hosts if site == name]
        return sum(places for places in known if places == places) + sum(rule.places for rule in self.grown(name))


def verify_plan(
    plan: Plan,
    options: Matrices,
    cells: GeoDataFrame,
    *,
    existing: Matrices | None = None,
    units: GeoDataFrame | None = None,
) -> None:
    """Count a plan again from its sites, its rules and the raw travel costs.

    What gave way under `Plan.relaxation` is not held against it.

    Raises
    ------
    ValueError
        Naming every rule that does not hold and every figure that does not add up.
    """
    services = sorted({demand.service for demand in plan.objective.demands})
    rows: dict[tuple[str, str], tuple[TravelTimes, int]] = {}
    standing: set[str] = set()
    for matrices, stands in ((options, False), (existing, True)):
        for service in services:
            times = matrices.get(service) if isinstance(matrices, Mapping) else matrices
            for row, name in enumerate([] if times is None else map(str, times.facilities.index)):
                if times is not None and (stands or times.facility_fault[row] == "") and _may_host(times, row, service):
                    rows[name, service] = (times, row)
                    standing |= {name} if stands else set()
    raw = Raw(plan, rows, frozenset(standing), cells, units)
    wrong = [*_wrong_sites(raw)]
    if not wrong:
        wrong = [*_wrong_money(raw), *_wrong_counts(raw), *_wrong_assignments(raw), *_wrong_value(raw), *broken_rules(raw)]
    if wrong:
        raise ValueError("; ".join(wrong))


def _may_host(times: TravelTimes, row: int, service: str) -> bool:
    told = str(times.facilities["services"].iloc[row]) if "services" in times.facilities.columns else ""
    return not service or not told or service in [part.strip() for part in told.split(";")]


def _wrong_sites(raw: Raw) -> Iterator[str]:
    plan, closable = raw.plan, {name for rule in raw.plan.rules if isinstance(rule, Closable) for name in rule.ids}
    extendable = {rule.id for rule in plan.rules if isinstance(rule, Upgradable)}
    stand = set(map(str, plan.sites.index))
    for name, service in raw.hosts:
        if (name, service) not in raw.rows:
            yield f"{name} cannot host {service!r}"
        elif (plan.sites.loc[name, "status"] == "new") == (name in raw.standing):
            yield f"{name} is called {plan.sites.loc[name, 'status']}"
    yield from (
        f"{name} is extended without a rule"
        for name, row in plan.sites.iterrows()
        if row["status"] == "extended" and name not in extendable
    )
    yield from (f"{name} is closed without a rule" for name in plan.closed if name not in closable)
    yield from (f"{name} stands but is neither kept nor closed" for name in sorted(raw.standing - stand - set(plan.closed)))


def _near(said: float, counted: float, what: str, slack: float) -> Iterator[str]:
    if not abs(said - counted) <= slack:
        yield f"{what} is {said:.6f}, counted {counted:.6f}"


def _wrong_money(raw: Raw) -> Iterator[str]:
    plan = raw.plan
    costs, paid = 0.0, 0.0
    for name, row in plan.sites.iterrows():
        cost, subsidy = site_money(raw, str(name))
        yield from _near(row["cost_yuan"], cost, f"cost of {name}", 2.0)
        yield from _near(row["subsidy_yuan"], subsidy, f"subsidy of {name}", 2.0)
        yield from _near(row["net_yuan"], row["cost_yuan"] - row["subsidy_yuan"], f"net cost of {name}", 1e-6)
        costs, paid = costs + row["cost_yuan"], paid + row["subsidy_yuan"]
    closing = sum(min(r.cost_yuan for r in plan.rules if isinstance(r, Closable) and name in r.ids) for name in plan.closed)
    yield from _near(plan.cost_yuan, costs, "cost_yuan", 1e-6)
    yield from _near(plan.subsidy_yuan, paid, "subsidy_yuan", 1e-6)
    yield from _near(plan.closing_yuan, closing, "closing_yuan", float(len(plan.closed)))
    yield from _near(plan.net_yuan, plan.cost_yuan - plan.subsidy_yuan + plan.closing_yuan, "net_yuan", 1e-6)


def site_money(raw: Raw, name: str) -> tuple[float, float]:
    """Cost and subsidy of a site of the plan, from the candidates' own figures."""
    rates = [rate for rule in raw.plan.rules if isinstance(rule, Budget) for rate in rule.subsidies]
    setting = next(filter(None, map(raw.setting, raw.chain(str(raw.field(name, "unit", ""))))), "")

    def rate_of(build: str, service: str) -> float:
        fitting = [r.yuan for r in rates if r.build == build and r.setting in ("all", setting) and r.service in ("", service)]
        return max(fitting, default=0.0)

    cost = subsidy = 0.0
    mine = [service for site, service in raw.hosts if site == name]
    if name not in raw.standing:
        roof = raw.field(name, "cost_yuan")
        roof = 0.0 if roof != roof else float(roof)
        cost += roof
        for service in mine:
            fitting = sum(rule.cost_yuan for rule in raw.plan.rules if isinstance(rule, Hosting) and rule.service == service)
            cost += fitting
            places = raw.own_places(name, service)
            subsidy += (
                0.0
                if places != places
                else min(rate_of(str(raw.field(name, "build", "") or "new"), service) * places, roof + fitting)
            )
    if raw.plan.sites.loc[name, "status"] == "extended" or name not in raw.standing:
        for rule in raw.grown(name):
            cost += rule.cost_yuan
            subsidy += min(rate_of(rule.build, rule.service or mine[0]) * rule.places, rule.cost_yuan)
    return cost, subsidy


def _wrong_counts(raw: Raw) -> Iterator[str]:
    today = [(name, service) for name, service in raw.rows if name in raw.standing]
    slack = (len(raw.cells) + 1) / 1e6
    for demand, told in zip(raw.plan.objective.demands, raw.plan.reached, strict=True):
        people = raw.people(demand)
        for what, said, sites in (("before", told.before, today), ("after", told.after, raw.hosts)):
            near = raw.costs(demand, sites)
            counted = sum(people[cell] for cell, costs in near.items() if len(costs) >= demand.sites_needed)
            yield from _near(said, counted, f"{what} of {demand.group}", slack + 1e-9 * counted)
        yield from _near(told.total, sum(people), f"total of {demand.group}", slack + 1e-9 * sum(people))


def _wrong_assignments(raw: Raw) -> Iterator[str]:
    """Everybody goes where they may, once; where places are limited, nobody without one."""
    plan = raw.plan
    by_cell: dict[tuple[int, int], float] = {}
    by_site: dict[tuple[str, str], float] = {}
    where = {cell: at for at, cell in enumerate(raw.cells.index)}
    for at, cell_id, site, people, said in links(plan):
        demand, cell = plan.objective.demands[at], where[cell_id]
        cost = raw.costs(demand, [host for host in raw.hosts if host[0] == site]).get(cell)
        if cost != [said]:
            yield f"cell {cell_id} does not reach {site} at cost {said}"
        by_cell[at, cell] = by_cell.get((at, cell), 0.0) + people
        by_site[site, demand.service] = by_site.get((site, demand.service), 0.0) + people
    for (at, cell), people in by_cell.items():
        if people > raw.people(plan.objective.demands[at])[cell] + 1e-6:
            yield f"cell {raw.cells.index[cell]} sends more people than live there"
    if isinstance(plan.objective, MaxServed | ServedMedian):
        for (site, service), people in by_site.items():
            room = raw.own_places(site, service)
            room += sum(rule.places for rule in raw.grown(site) if rule.service in ("", service))
            if people > room + 1e-6:
                yield f"{site} has {room:g} places for {people:.6f} people"


def _wrong_value(raw: Raw) -> Iterator[str]:
    plan = raw.plan
    counted, slack = _value(raw), (len(raw.cells) + len(plan.assignments) + 1) * 1e-6
    worth = max((demand.weight for demand in plan.objective.demands), default=1.0)
    farthest = 1.0
    if isinstance(plan.objective, PMedian | ServedMedian):
        per = {times.limit / PER[times.metric] for times, _ in raw.rows.values()}
        farthest = max(*per, plan.objective.beyond if not isinstance(plan.objective.beyond, str) else 0.0)
    if isinstance(plan.objective, Attendance):
        farthest = float(len(plan.sites) + 1)
    yield from _near(
        plan.value, counted, "value", slack * max(worth, 1.0) * farthest * len(plan.objective.demands) + 1e-9 * abs(counted)
    )
    sense = -1 if isinstance(plan.objective, SetCover | PMedian | PCentre | ServedMedian) else 1
    if sense * (plan.bound - plan.value) < -1e-9 * abs(plan.value):
        yield f"bound {plan.bound} is worse than the value {plan.value}"


def _value(raw: Raw) -> float:
    plan, objective = raw.plan, raw.plan.objective
    if isinstance(objective, SetCover):
        return plan.net_yuan if objective.least == "money" else float(sum(plan.sites["status"] == "new"))
    if isinstance(objective, MaxServed):
        return sum(people * objective.demands[at].weight for at, _, _, people, _ in links(plan))
    if isinstance(objective, WorstUnit):
        shares = [share for demand in objective.demands for share in _unit_shares(raw, demand, objective.level, objective.of)]
        return min(shares, default=1.0)
    if isinstance(objective, Attendance):
        return sum(_attendance(raw, demand, objective.most) for demand in objective.demands)
    if isinstance(objective, MaxCover):
        return sum(_worth(raw, demand) for demand in objective.demands)
    parts = [_travel(raw, at, demand, objective) for at, demand in enumerate(objective.demands)]
    return max(parts) if isinstance(objective, PCentre) else sum(parts)


def _worth(raw: Raw, demand: Demand) -> float:
    import numpy as np

    people, total = raw.people(demand), 0.0
    times = next(where for (_, service), where in raw.rows.items() if service == demand.service)[0]
    for cell, costs in raw.costs(demand, raw.hosts).items():
        if len(costs) >= demand.sites_needed:
            far = np.array([costs[demand.sites_needed - 1]], dtype=np.uint32)
            limit = raw.limit(demand, times)
            share = (
                1.0 if demand.decay is None else float(demand.decay.weights(far, per=float(PER[times.metric]), limit=limit)[0])
            )
            total += people[cell] * demand.weight * share
    return total


def _attendance(raw: Raw, demand: Demand, most: float | None) -> float:
    """Shares of all sites within the limit added up for every person, to what a person may count."""
    import numpy as np

    people, total = raw.people(demand), 0.0
    times = next(where for (_, service), where in raw.rows.items() if service == demand.service)[0]
    per, limit = float(PER[times.metric]), raw.limit(demand, times)
    for cell, costs in raw.costs(demand, raw.hosts).items():
        far = np.array(costs, dtype=np.uint32)
        visits = float(len(far)) if demand.decay is None else float(demand.decay.weights(far, per=per, limit=limit).sum())
        total += people[cell] * demand.weight * (visits if most is None else min(visits, most))
    return total


def _unit_shares(raw: Raw, demand: Demand, level: str, of: str) -> Iterator[float]:
    near, people = raw.costs(demand, raw.hosts), raw.people(demand)
    ever = raw.costs(demand, list(raw.rows))
    if raw.units is None:
        return
    for code in raw.units.index[raw.units["level"] == level]:
        mine = [at for at, unit in enumerate(raw.cells["unit"]) if code in raw.chain(str(unit))]
        total = sum(people[at] for at in mine if of == "all" or len(ever.get(at, ())) >= demand.sites_needed)
        if total > 0:
            yield sum(people[at] for at in mine if len(near.get(at, ())) >= demand.sites_needed) / total


def _travel(raw: Raw, at: int, demand: Demand, objective: PMedian | PCentre | ServedMedian) -> float:
    """Travel of a demand's people in person-minutes (or metres), or the farthest of them for the p-centre."""
    times = next(where for (_, service), where in raw.rows.items() if service == demand.service)[0]
    per, ever, near = PER[times.metric], raw.costs(demand, list(raw.rows)), raw.costs(demand, raw.hosts)
    limit = raw.limit(demand, times) / per
    beyond = limit if isinstance(objective.beyond, str) else float(objective.beyond)
    total, farthest = 0.0, 0.0
    sent = _sent(raw.plan, at) if isinstance(objective, ServedMedian) else {}
    for cell, people in enumerate(raw.people(demand)):
        if people <= 0 or (objective.beyond == "leave_out" and len(ever.get(cell, ())) < demand.sites_needed):
            continue
        if isinstance(objective, ServedMedian):
            going = sent.get(raw.cells.index[cell], [])
            total += sum(count * cost / per for count, cost in going) + (people - sum(count for count, _ in going)) * beyond
            continue
        costs = near.get(cell, [])
        way = costs[demand.sites_needed - 1] / per if len(costs) >= demand.sites_needed else beyond
        total, farthest = total + people * way, max(farthest, way)
    return farthest if isinstance(objective, PCentre) else total * demand.weight


def links(plan: Plan) -> list[tuple[int, Any, str, float, int]]:
    """Rows of the assignments as plain values."""
    table = plan.assignments
    return list(zip(*(table[column].tolist() for column in ("demand", "cell_id", "site_id", "people", "cost")), strict=True))


def _sent(plan: Plan, at: int) -> dict[Any, list[tuple[float, int]]]:
    found: dict[Any, list[tuple[float, int]]] = {}
    for demand, cell_id, _, people, cost in links(plan):
        if demand == at:
            found.setdefault(cell_id, []).append((people, cost))
    return found
