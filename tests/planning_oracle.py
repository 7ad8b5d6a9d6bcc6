"""Plan by brute force: every choice of sites, services and upgrades, every rule read once more in the plainest way."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, product

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd

from careshed.modes import WALK_OLDER
from careshed.reach import TravelTimes
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
    PCentre,
    PerUnit,
    PMedian,
    ReachInUnits,
    ServedMedian,
    SetCover,
    Sites,
    Spacing,
    Subsidy,
    Upgradable,
    WorstUnit,
)
from careshed.supply.decay import Exponential, Linear, Step

CRS = "EPSG:32651"
MINUTE = 60_000
LIMIT = 30
"""Minutes searched in every town here."""


@dataclass
class Spot:
    """A site of a town."""

    unit: str = ""
    cost: float = 1.0
    places: float = 5.0
    area: float = 100.0
    build: str = "new"
    inclusive: bool = True
    x: float = 0.0
    services: str = ""
    near: dict[int, float] = field(default_factory=dict)
    """Cell -> minutes."""


@dataclass
class Town:
    """Sites, people and units, written out."""

    new: dict[str, Spot]
    old: dict[str, Spot]
    people: dict[str, list[float]]
    cell_unit: list[str]
    units: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    """Code -> name, level, parent, setting."""

    @property
    def spots(self) -> dict[str, Spot]:
        return self.new | self.old

    def cells(self) -> gpd.GeoDataFrame:
        count = len(self.cell_unit)
        points = gpd.points_from_xy(500_000 + 100.0 * np.arange(count), np.full(count, 4e6))
        return gpd.GeoDataFrame({**self.people, "unit": self.cell_unit}, geometry=points, crs=CRS)

    def unit_table(self) -> gpd.GeoDataFrame:
        table = pd.DataFrame.from_dict(self.units, orient="index", columns=["name", "level", "parent", "setting"])
        return gpd.GeoDataFrame(table, geometry=[None] * len(table), crs=CRS)

    def times(self, spots: dict[str, Spot]) -> TravelTimes | None:
        if not spots:
            return None
        rows = [sorted(spot.near.items()) for spot in spots.values()]
        table = pd.DataFrame(
            {
                "name": [f"点{name}" for name in spots],
                "unit": [spot.unit for spot in spots.values()],
                "cost_yuan": [spot.cost for spot in spots.values()],
                "places": [spot.places for spot in spots.values()],
                "area_m2": [spot.area for spot in spots.values()],
                "build": [spot.build for spot in spots.values()],
                "inclusive": [spot.inclusive for spot in spots.values()],
                "services": [spot.services for spot in spots.values()],
            },
            index=pd.Index(list(spots), dtype=object),
        )
        points = gpd.points_from_xy([spot.x for spot in spots.values()], [0.0] * len(spots))
        count = len(self.cell_unit)
        return TravelTimes(
            facilities=gpd.GeoDataFrame(table, geometry=points, crs=CRS),
            cell_ids=pd.RangeIndex(count),
            indptr=np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64),
            indices=np.array([cell for row in rows for cell, _ in row], dtype=np.int32),
            cost=np.array([round(minutes * MINUTE) for row in rows for _, minutes in row], dtype=np.uint32),
            nearest_cost=np.full(count, -1, dtype=np.int64),
            nearest_facility=np.full(count, -1, dtype=np.int32),
            cell_fault=np.full(count, "", dtype=np.str_),
            facility_fault=np.full(len(spots), "", dtype=np.str_),
            metric="time",
            limit=LIMIT * MINUTE,
            direction="to_facility",
            mode=WALK_OLDER,
            snap_m=150.0,
        )

    def chain(self, code: str) -> list[str]:
        found = []
        while code in self.units:
            found.append(code)
            code = self.units[code][2]
        return found

    def of_level(self, level: str) -> list[str]:
        return sorted(code for code, row in self.units.items() if row[1] == level)


@dataclass(frozen=True)
class Choice:
    """What stands, which services it hosts, what is extended."""

    hosts: frozenset[tuple[str, str]]
    upgrades: frozenset[Upgradable]

    @property
    def open(self) -> set[str]:
        return {name for name, _ in self.hosts}


def choices(town: Town, objective, rules) -> Iterator[Choice]:
    """Every choice that is physically possible."""
    services = sorted({demand.service for demand in objective.demands})
    closable = {name for rule in rules if isinstance(rule, Closable) for name in rule.ids}
    floors = {rule.service: rule.area_m2 for rule in rules if isinstance(rule, Hosting)}
    per_site = []
    for name, spot in town.spots.items():
        can = [s for s in services if not s or not spot.services or s in spot.services.split(";")]
        if name in town.old:
            options = [tuple(can)] + ([()] if name in closable else [])
        else:
            options = [some for count in range(len(can) + 1) for some in combinations(can, count)]
            if len(services) > 1:
                options = [some for some in options if sum(floors.get(s, 0) for s in some) <= spot.area]
        per_site.append([frozenset((name, service) for service in some) for some in options])
    growing = [rule for rule in rules if isinstance(rule, Upgradable)]
    for parts in product(*per_site):
        hosts = frozenset().union(*parts)
        opened = {name for name, _ in hosts}
        usable = [rule for rule in growing if (rule.id, rule.service) in hosts or (not rule.service and rule.id in opened)]
        for count in range(len(usable) + 1):
            for made in combinations(usable, count):
                yield Choice(hosts, frozenset(made))


def setting(town: Town, spot: Spot) -> str:
    return next((town.units[code][3] for code in town.chain(spot.unit) if town.units[code][3]), "")


def net(town: Town, choice: Choice, rules) -> float:
    """Yuan, net of subsidies."""
    rates = [rate for rule in rules if isinstance(rule, Budget) for rate in rule.subsidies]
    hosting = {rule.service: rule for rule in rules if isinstance(rule, Hosting)}

    def rate(spot: Spot, build: str, service: str) -> float:
        fits = [
            r.yuan for r in rates if r.build == build and r.setting in ("all", setting(town, spot)) and r.service in ("", service)
        ]
        return max(fits, default=0.0)

    total = 0.0
    for name, spot in town.new.items():
        mine = [service for site, service in choice.hosts if site == name]
        total += spot.cost if mine else 0.0
        for service in mine:
            extra = hosting[service].cost_yuan if service in hosting else 0.0
            places = hosting[service].places if service in hosting and hosting[service].places is not None else spot.places
            total += extra - min(rate(spot, spot.build, service) * places, spot.cost + extra)
    for rule in choice.upgrades:
        service = rule.service or min(service for site, service in choice.hosts if site == rule.id)
        total += rule.cost_yuan - min(rate(town.spots[rule.id], rule.build, service) * rule.places, rule.cost_yuan)
    shut = set(town.old) - choice.open
    return total + sum(min(r.cost_yuan for r in rules if isinstance(r, Closable) and name in r.ids) for name in shut)


def costs(town: Town, demand, hosts) -> list[list[float]]:
    """For every cell, minutes to the sites among `hosts` that serve the demand within its limit, ascending."""
    limit = LIMIT if demand.minutes is None else demand.minutes
    found = [[] for _ in town.cell_unit]
    for name, service in hosts:
        if service == demand.service:
            for cell, minutes in town.spots[name].near.items():
                if minutes <= limit:
                    found[cell].append(minutes)
    return [sorted(one) for one in found]


def every_host(town: Town, demand) -> list[tuple[str, str]]:
    return [
        (name, demand.service)
        for name, spot in town.spots.items()
        if not spot.services or not demand.service or demand.service in spot.services.split(";")
    ]


def reached(town: Town, demand, hosts) -> list[bool]:
    return [len(one) >= demand.sites_needed for one in costs(town, demand, hosts)]


@dataclass(frozen=True)
class Ask:
    """One claim: what it is, and by how much a choice misses it (0 holds)."""

    rule: object
    unit: str
    kind: str
    subject: str
    missed: object


def asks(town: Town, objective, rules) -> list[Ask]:
    """All claims of all rules and of the objective."""
    return [ask for rule in rules for ask in _asks(town, rule, rules)] + list(_objective_asks(town, objective, rules))


def _span(least, most):
    return lambda count: max((least or 0) - count, 0) + (0 if most is None else max(count - most, 0))


def _counted(town, rule, choice, unit=""):
    names = [name for name in choice.open if rule.which == "all" or name in town.new]
    names = [name for name in names if not unit or unit in town.chain(town.spots[name].unit)]
    service = getattr(rule, "service", "")
    return [name for name in names if not service or (name, service) in choice.hosts]


def _amount(town, measure, which, choice, rules, unit=""):
    rule = PerUnit("street", which=which)
    names = _counted(town, rule, choice, unit)
    if measure == "sites":
        return dict.fromkeys(names, 1.0)
    if measure == "area_m2":
        return {name: town.spots[name].area for name in names}
    hosting = {one.service: one for one in rules if isinstance(one, Hosting)}

    def places(name, service):
        given = hosting[service].places if service in hosting and name in town.new else None
        return town.spots[name].places if given is None else given

    found = {name: sum(places(site, service) for site, service in choice.hosts if site == name) for name in names}
    for grown in choice.upgrades:
        if not unit or unit in town.chain(town.spots[grown.id].unit):
            found[grown.id] = found.get(grown.id, 0) + grown.places
    return found


def _asks(town, rule, rules) -> Iterator[Ask]:
    if isinstance(rule, Sites):
        yield Ask(rule, "", "sites", "", lambda c: _span(rule.at_least, rule.at_most)(len(_counted(town, rule, c))))
    elif isinstance(rule, PerUnit):
        for code in rule.units or town.of_level(rule.level):
            yield Ask(
                rule, code, "unit", "", lambda c, u=code: _span(rule.at_least, rule.at_most)(len(_counted(town, rule, c, u)))
            )
    elif isinstance(rule, Amount):
        for code in town.of_level(rule.level) if rule.level else [""]:
            kind = "unit" if code else "other"

            def amount(choice, code=code):
                return sum(_amount(town, rule.measure, rule.which, choice, rules, code).values())

            yield Ask(rule, code, kind, "", lambda c, a=amount: _span(rule.at_least, rule.at_most)(a(c)))
    elif isinstance(rule, ForcedIn):
        for name in sorted(set(rule.ids)):
            yield Ask(rule, "", "other", name, lambda c, n=name: n not in c.open)
    elif isinstance(rule, Forbidden):
        for name in sorted(set(rule.ids)):
            yield Ask(rule, "", "other", name, lambda c, n=name: n in c.open)
    elif isinstance(rule, Budget):
        yield Ask(rule, "", "money", "", lambda c: max(net(town, c, rules) - rule.yuan, 0))
    elif isinstance(rule, EachSite):
        for name, spot in town.new.items():
            low = (rule.area_m2_at_least or 0) > spot.area or (rule.places_at_least or 0) > spot.places
            if low or (rule.places_at_most is not None and spot.places > rule.places_at_most):
                yield Ask(rule, "", "other", name, lambda c, n=name: n in c.open)
    elif isinstance(rule, Spacing):
        for a, b in combinations(town.spots, 2):
            stand = (a in town.old) + (b in town.old)
            near = abs(town.spots[a].x - town.spots[b].x) < rule.metres
            if near and (stand == 0 or (stand == 1 and rule.with_existing)):
                yield Ask(rule, "", "other", f"{a} {b}", lambda c, p={a, b}: p <= c.open)
    elif isinstance(rule, InclusiveShare):
        yield Ask(rule, "", "other", "", lambda c: _exclusive(town, rule, c, rules))
    elif isinstance(rule, ReachInUnits):
        yield from (Ask(rule, code, "unit" if code else "other", "", _missing(town, rule.demand, code, rule.share, rule.of))
                    for code in (rule.units or (town.of_level(rule.level) if rule.level else [""])))  # fmt: skip


def _exclusive(town, rule, choice, rules):
    amounts = _amount(town, rule.measure, rule.which, choice, rules)
    inclusive = sum(amount for name, amount in amounts.items() if town.spots[name].inclusive)
    return inclusive < Fraction(str(rule.at_least)) * Fraction(sum(amounts.values()))


def _missing(town, demand, code, share, of):
    ever = reached(town, demand, every_host(town, demand))
    mine = [at for at, unit in enumerate(town.cell_unit) if not code or code in town.chain(unit)]
    people = town.people[demand.group]
    need = Fraction(str(share)) * sum(Fraction(people[at]) for at in mine if of == "all" or ever[at])

    def missed(choice):
        near = reached(town, demand, choice.hosts)
        return max(need - sum(Fraction(people[at]) for at in mine if near[at]), 0)

    return missed


def _objective_asks(town, objective, rules) -> Iterator[Ask]:
    for demand in objective.demands:
        if isinstance(objective, SetCover):
            yield Ask(None, "", "other", "", _missing(town, demand, "", objective.share, objective.of))
        beyond = getattr(objective, "beyond", 0.0)
        if beyond in ("forbid", "leave_out"):
            ever = reached(town, demand, every_host(town, demand))
            some = [count > 0 for count in town.people[demand.group]]
            if beyond == "forbid" and any(has and not can for has, can in zip(some, ever, strict=True)):
                yield Ask(None, "", "other", "lost", lambda _: 1)
            if isinstance(objective, ServedMedian):
                need = sum(count for count, can in zip(town.people[demand.group], ever, strict=True) if can)
                yield Ask(None, "", "other", "", lambda c, n=need: max(n - flow(town, objective, c, rules)[0], 0))
            else:
                yield Ask(None, "", "other", "", _anyone_left(town, demand, ever, some))


def _anyone_left(town, demand, ever, some):
    def left(choice):
        near = reached(town, demand, choice.hosts)
        return any(has and can and not is_ for has, can, is_ in zip(some, ever, near, strict=True))

    return left


def _from_cells(sent):
    return [(node, ways) for node, ways in sent.items() if isinstance(node, tuple) and isinstance(node[0], int)]


def flow(town: Town, objective, choice: Choice, rules) -> tuple[float, float]:
    """People served (weighed) at most, and least travel (with `beyond` for those unserved) over all demands."""
    graph = nx.DiGraph()
    beyond = getattr(objective, "beyond", 0.0)
    beyond = LIMIT if isinstance(beyond, str) else beyond
    asked, base = 0, 0.0
    for at, demand in enumerate(objective.demands):
        limit = LIMIT if demand.minutes is None else demand.minutes
        ever = reached(town, demand, every_host(town, demand))
        for cell, count in enumerate(town.people[demand.group]):
            if not count:
                continue
            asked += count
            if getattr(objective, "beyond", 0.0) == "leave_out" and not ever[cell]:
                continue
            base += count * beyond * demand.weight
            graph.add_edge("from", (at, cell), capacity=int(count), weight=0)
            for name, service in choice.hosts:
                minutes = town.spots[name].near.get(cell, math.inf)
                if service == demand.service and minutes <= limit:
                    # Where everybody must be served, serving one more comes before any saving of travel.
                    apart = 10_000 if isinstance(getattr(objective, "beyond", 0.0), str) else beyond
                    worth = -demand.weight if isinstance(objective, MaxServed) else (minutes - apart) * demand.weight
                    graph.add_edge((at, cell), (name, service), capacity=int(count), weight=round(worth * 1000))
    hosting = {rule.service: rule.places for rule in rules if isinstance(rule, Hosting) and rule.places is not None}
    for name, service in choice.hosts:
        more = sum(rule.places for rule in choice.upgrades if rule.id == name and rule.service in ("", service))
        own = hosting.get(service, town.spots[name].places) if name in town.new else town.spots[name].places
        graph.add_edge((name, service), "to", capacity=int(own + more), weight=0)
    graph.add_edge("from", "to", capacity=10**6, weight=0)
    graph.add_node("from", demand=-int(asked))
    graph.add_node("to", demand=int(asked))
    sent = nx.min_cost_flow(graph)
    going = [(at, cell, name, count) for (at, cell), ways in _from_cells(sent) for (name, _), count in ways.items()]
    weights = [demand.weight for demand in objective.demands]
    if isinstance(objective, MaxServed):
        return sum(count * weights[at] for at, _, _, count in going), 0.0
    saved = sum(count * (town.spots[name].near[cell] - beyond) * weights[at] for at, cell, name, count in going)
    served = sum(count for node, ways in sent.items() if node not in ("from", "to") for to, count in ways.items() if to == "to")
    return served, base + saved


def score(town: Town, objective, choice: Choice, rules) -> tuple[float, ...]:
    """Value of a choice, larger is better."""
    if isinstance(objective, SetCover):
        return (-net(town, choice, rules),) if objective.least == "money" else (-len(choice.open & set(town.new)),)
    if isinstance(objective, MaxServed):
        return (flow(town, objective, choice, rules)[0],)
    if isinstance(objective, ServedMedian):
        return (-flow(town, objective, choice, rules)[1],)
    if isinstance(objective, WorstUnit):
        shares = [share for demand in objective.demands for share in _shares(town, demand, objective, choice)]
        people = sum(sum(np.array(town.people[d.group])[reached(town, d, choice.hosts)]) for d in objective.demands)
        return (min(shares, default=Fraction(1)), people)
    if isinstance(objective, Attendance):
        return (sum(_attendance(town, demand, choice.hosts, objective.most) for demand in objective.demands),)
    total, farthest = 0.0, 0.0
    for demand in objective.demands:
        near, ever = costs(town, demand, choice.hosts), reached(town, demand, every_host(town, demand))
        for cell, count in enumerate(town.people[demand.group]):
            known = len(near[cell]) >= demand.sites_needed
            way = near[cell][demand.sites_needed - 1] if known else math.inf
            if isinstance(objective, MaxCover):
                total += count * demand.rate * demand.weight * _share(demand, way)
            elif count and (objective.beyond != "leave_out" or ever[cell]):
                way = way if known else LIMIT if isinstance(objective.beyond, str) else objective.beyond
                total, farthest = total - count * demand.rate * demand.weight * way, max(farthest, way)
    return (-farthest,) if isinstance(objective, PCentre) else (total,)


def _attendance(town: Town, demand, hosts, most: float | None) -> float:
    """Everybody's shares over the open sites, added up and cut."""
    total = 0.0
    for count, ways in zip(town.people[demand.group], costs(town, demand, hosts), strict=True):
        visits = sum(_share(demand, way) for way in ways)
        total += count * demand.rate * demand.weight * (visits if most is None else min(visits, most))
    return total


def _share(demand, way: float) -> float:
    if way == math.inf:
        return 0.0
    if demand.decay is None:
        return 1.0
    limit = LIMIT if demand.minutes is None else demand.minutes
    return float(
        demand.decay.weights(np.array([round(way * MINUTE)], dtype=np.uint32), per=float(MINUTE), limit=round(limit * MINUTE))[0]
    )


def _shares(town, demand, objective, choice):
    near, ever = reached(town, demand, choice.hosts), reached(town, demand, every_host(town, demand))
    people = town.people[demand.group]
    for code in town.of_level(objective.level):
        mine = [at for at, unit in enumerate(town.cell_unit) if code in town.chain(unit)]
        total = sum(people[at] for at in mine if objective.of == "all" or ever[at])
        if total:
            yield Fraction(sum(people[at] for at in mine if near[at])) / Fraction(total)


def brute(town: Town, objective, rules):
    """The best score, or None; and the least relaxation (rules, units, yuan, sites) over all choices."""
    asked = asks(town, objective, rules)
    best, least = None, None
    for choice in choices(town, objective, rules):
        missed = [ask.missed(choice) for ask in asked]
        if not any(missed):
            value = score(town, objective, choice, rules)
            best = value if best is None or value > best else best
        elif best is None:
            price = (
                sum(bool(by) for ask, by in zip(asked, missed, strict=True) if ask.kind == "other"),
                len({ask.unit for ask, by in zip(asked, missed, strict=True) if ask.kind == "unit" and by}),
                sum(by for ask, by in zip(asked, missed, strict=True) if ask.kind == "money"),
                sum(by for ask, by in zip(asked, missed, strict=True) if ask.kind == "sites"),
            )
            least = price if least is None or price < least else least
    return best, least


def possible(town: Town, objective, rules, some: list[Ask]) -> bool:
    """Whether some claims can hold together."""
    return any(not any(ask.missed(choice) for ask in some) for choice in choices(town, objective, rules))


def random_town(rng: random.Random, *, services: tuple[str, ...] = ("",), most: int = 0) -> Town:
    """A town of up to `most` candidates (a few for 0), two sites that stand, six cells and three streets in two counties."""
    units = {
        "c1": ("东县", "county", "", ""),
        "c2": ("西县", "county", "", ""),
        "s1": ("一街", "street", "c1", "urban"),
        "s2": ("二街", "street", "c1", "rural"),
        "s3": ("三镇", "street", "c2", "rural"),
    }
    cells = rng.randint(2, 6)

    def spot() -> Spot:
        near = {cell: rng.choice([0, 5, 10, 15, 20, 30]) for cell in range(cells) if rng.random() < 0.5}
        return Spot(
            unit=rng.choice(["s1", "s2", "s3", "s3", ""]),
            cost=rng.choice([0, 1, 2, 3, 5]),
            places=rng.choice([0, 1, 2, 4]),
            area=rng.choice([50, 100, 150]),
            build=rng.choice(["new", "extension"]),
            inclusive=rng.random() < 0.5,
            x=rng.choice([0, 100, 250, 400, 600]) + rng.random(),
            services=rng.choice(["", *services, ";".join(services)]),
            near=near,
        )

    people = {group: [rng.choice([0, 1, 2, 3, 7]) for _ in range(cells)] for group in ("p0_3", "p60")}
    for counts in people.values():
        counts[0] += not sum(counts)
    new = {name: spot() for name in "ABCDEFGHIJ"[: rng.randint(1, most or (4 if len(services) == 1 else 3))]}
    new["A"].services = ""
    old = {name: spot() for name in "XY"[: rng.randint(0, 2)]}
    return Town(new, old, people, [rng.choice(["s1", "s2", "s3", ""]) for _ in range(cells)], units)


def random_rules(rng: random.Random, town: Town, *, services: tuple[str, ...] = ("",)) -> list:
    """Up to four rules, each with one bound, so that a claim is named by its rule and unit."""
    several = len(services) > 1
    names, sites = list(town.new), list(town.spots)
    level = rng.choice(["street", "street", "county"])
    which = rng.choice(["all", "new"])
    side = rng.random() < 0.6
    bound = {"at_least": rng.choice([1, 1, 2])} if side else {"at_most": rng.choice([0, 1, 1, 2])}
    service = rng.choice(["", *services])
    group = rng.choice(["p0_3", "p60"])
    subsidies = tuple(
        Subsidy(
            rng.choice([1, 2, 3]),
            rng.choice(["new", "extension"]),
            rng.choice(["all", "urban", "rural"]),
            rng.choice(["", *services]),
        )
        for _ in range(rng.randint(0, 2))
    )
    makers = [
        lambda: Sites(**bound, which=which, service=service),
        lambda: Sites(at_most=rng.randint(0, 3)),
        lambda: PerUnit(level, **bound, which=which, service=service),
        lambda: PerUnit("street", at_least=1),
        lambda: PerUnit("street", at_least=1, units=("s1",)),
        lambda: Amount(
            rng.choice(["places", "area_m2", "sites"]), rng.choice([0, 1, 100]), None, rng.choice(["", "street", "county"]), which
        ),
        lambda: Amount(rng.choice(["places", "sites"]), 0, rng.choice([1, 3, 6]), rng.choice(["", "county"]), which),
        lambda: ForcedIn((rng.choice(names),)),
        lambda: Forbidden((rng.choice(names),)),
        lambda: Budget(rng.randint(0, 8), subsidies),
        lambda: Budget(rng.randint(0, 8)),
        lambda: EachSite(area_m2_at_least=100) if several else EachSite(places_at_least=1, places_at_most=rng.choice([None, 3])),
        lambda: Spacing(rng.choice([120, 260]), rng.random() < 0.5),
        lambda: InclusiveShare(rng.choice([0.5, 0.6, 0.8]), rng.choice(["places", "sites", "area_m2"]), which),
        lambda: ReachInUnits(
            Demand(group, minutes=rng.choice([10, 20]), service=rng.choice(services), sites_needed=rng.choice([1, 1, 2])),
            rng.choice(["", "street", "county"]),
            rng.choice([0.3, 0.5, 0.8, 1.0]),
            rng.choice(["all", "reachable"]),
        ),
    ]
    shaping = [
        lambda: Closable(tuple(town.old), rng.choice([0, 1])),
        lambda: Upgradable(
            rng.choice(sites), rng.choice([1, 3]), rng.choice([0, 1, 2]), service=rng.choice(services) if several else ""
        ),
    ]
    found = [rng.choice(makers)() for _ in range(rng.choice([0, 1, 2, 2, 3, 4]))]
    budgets = [rule for rule in found if isinstance(rule, Budget)]
    found = [rule for rule in found if rule not in budgets[1:]]
    forced = {rule.ids for rule in found if isinstance(rule, ForcedIn)}
    found = [rule for rule in found if not (isinstance(rule, Forbidden) and rule.ids in forced)]
    found += [make() for make in shaping if rng.random() < 0.3]
    if several:
        found = [rule for rule in found if not isinstance(rule, Upgradable) or _may_host(town, rule)]
        found += [
            Hosting(one, rng.choice([0, 1]), rng.choice([0, 60, 100]), rng.choice([None, 2]))
            for one in services
            if rng.random() < 0.7
        ]
    return list(dict.fromkeys(found))


def _may_host(town: Town, rule: Upgradable) -> bool:
    told = town.spots[rule.id].services
    return not told or rule.service in told.split(";")


OBJECTIVES = ("cover", "backup", "bands", "decay", "set", "median", "centre", "worst", "attendance", "served", "served median")


def random_objective(rng: random.Random, kind: str, *, services: tuple[str, ...] = ("",)):
    """An objective of a kind with one or two demands; with several services, one demand each."""

    def demand(**more) -> Demand:
        minutes, weight = rng.choice([10, 15, 20]), rng.choice([1, 1, 2, 0.5])
        return Demand(rng.choice(["p0_3", "p60"]), minutes=minutes, weight=weight, service=rng.choice(services), **more)

    def demands(**more) -> tuple[Demand, ...]:
        if len(services) > 1:
            return tuple(
                Demand(rng.choice(["p0_3", "p60"]), minutes=rng.choice([10, 20]), service=one, **more) for one in services
            )
        return tuple(demand(**more) for _ in range(rng.choice([1, 1, 2])))

    beyond = rng.choice([LIMIT, 45, "forbid", "leave_out"])
    of = rng.choice(["all", "reachable"])
    makers = {
        "cover": lambda: MaxCover(demands()),
        "backup": lambda: MaxCover((demand(), demand(sites_needed=2))),
        "bands": lambda: MaxCover(demands(decay=Step((5, 10, 20), (1, 0.7, 0.25)))),
        "decay": lambda: MaxCover(demands(decay=rng.choice([Exponential(8.0), Linear()]))),
        "set": lambda: SetCover(demands(), rng.choice([0.5, 0.8, 1.0]), of, rng.choice(["sites", "money"])),
        "median": lambda: PMedian(demands(), beyond),
        "centre": lambda: PCentre(demands(), beyond),
        "worst": lambda: WorstUnit(demands(), rng.choice(["street", "county"]), of),
        "attendance": lambda: Attendance(
            demands(decay=rng.choice([Exponential(8.0), Linear(), Step((5, 10, 20), (1, 0.7, 0.25)), None])),
            rng.choice([1.0, 1.0, 0.6, 1.5, None]),
        ),
        "served": lambda: MaxServed(demands()),
        "served median": lambda: ServedMedian((demand(),) if isinstance(beyond, str) else (demand(), demand()), beyond),
    }
    return makers[kind]()


def least_is_best(objective) -> bool:
    """Whether a smaller value is better."""
    return isinstance(objective, SetCover | PMedian | PCentre | ServedMedian)


def named(town: Town, objective, rules, told) -> Ask | None:
    """The claim that a plan names; None where its words do not tell two claims apart."""
    return named_among(asks(town, objective, rules), told)


def named_among(asked: list[Ask], told) -> Ask | None:
    """The same, among claims written out before."""
    hits = [ask for ask in asked if ask.rule is told.rule and ask.unit == told.unit]
    if len(hits) > 1 and told.rule is None:
        hits = [ask for ask in hits if ask.subject == "lost"][:1] if "whom no" in told.en else []
    elif len(hits) > 1:
        word = told.en.split()
        subject = f"{word[0]} {word[2]}" if isinstance(told.rule, Spacing) else word[0]
        hits = [ask for ask in hits if ask.subject == subject]
    return hits[0] if hits else None
