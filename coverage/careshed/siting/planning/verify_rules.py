"""Re-check every rule of a plan from the raw tables, one plain function a rule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

from careshed.siting.planning import rules as r

if TYPE_CHECKING:
    from careshed.siting.planning.verify import Raw


def broken_rules(raw: Raw) -> Iterator[str]:
    """Name every rule that does not hold and did not give way."""
    gave = raw.plan.relaxation.gave_way if raw.plan.relaxation is not None else ()
    excused = {(id(told.rule), told.unit) for told in gave if told.rule is not None}
    for rule in raw.plan.rules:
        for unit, said in _broken(raw, rule):
            if (id(rule), unit) not in excused:
                yield said


def _broken(raw: Raw, rule: Any) -> Iterator[tuple[str, str]]:
    if isinstance(rule, r.Sites):
        yield from _between(rule, "", _count(raw, rule.which, rule.service, ""))
    elif isinstance(rule, r.PerUnit):
        for code in rule.units or _codes(raw, rule.level):
            yield from _between(rule, code, _count(raw, rule.which, rule.service, code))
    elif isinstance(rule, r.Amount):
        for code in _codes(raw, rule.level):
            yield from _between(rule, code, sum(_amounts(raw, rule.measure, rule.which, code).values()))
    elif isinstance(rule, r.ForcedIn):
        yield from (("", f"{name} is not built") for name in rule.ids if name not in raw.plan.new)
    elif isinstance(rule, r.Forbidden):
        yield from (("", f"{name} is built") for name in rule.ids if name in raw.plan.new)
    elif isinstance(rule, r.Budget) and raw.plan.net_yuan > rule.yuan + 0.5:
        yield "", f"{raw.plan.net_yuan:.0f} yuan is above the budget of {rule.yuan:.0f}"
    elif isinstance(rule, r.EachSite):
        yield from _each(raw, rule)
    elif isinstance(rule, r.Spacing):
        yield from _spacing(raw, rule)
    elif isinstance(rule, r.InclusiveShare):
        amounts = _amounts(raw, rule.measure, rule.which, "")
        inclusive = sum(amount for name, amount in amounts.items() if raw.field(name, "inclusive", False))
        if inclusive < rule.at_least * sum(amounts.values()) - 1e-6:
            yield "", f"{inclusive:g} of {sum(amounts.values()):g} inclusive is less than {rule.at_least:g}"
    elif isinstance(rule, r.ReachInUnits):
        yield from _reach(raw, rule)
    elif isinstance(rule, r.Hosting):
        yield from _floors(raw)


def _codes(raw: Raw, level: str) -> list[str]:
    return [""] if not level or raw.units is None else [str(code) for code in raw.units.index[raw.units["level"] == level]]


def _between(rule: r.Sites | r.PerUnit | r.Amount, unit: str, count: float) -> Iterator[tuple[str, str]]:
    most = float("inf") if rule.at_most is None else rule.at_most
    if not rule.at_least - 1e-3 <= count <= most + 1e-3:
        yield unit, f"{type(rule).__name__} {unit}: {count:g} is not between {rule.at_least:g} and {most:g}"


def _names(raw: Raw, which: str, unit: str) -> list[str]:
    names = [str(name) for name in raw.plan.sites.index if which == "all" or str(name) not in raw.standing]
    return [name for name in names if not unit or unit in raw.chain(str(raw.field(name, "unit", "")))]


def _count(raw: Raw, which: str, service: str, unit: str) -> int:
    names = _names(raw, which, unit)
    return sum(not service or (name, service) in raw.hosts for name in names)


def _amounts(raw: Raw, measure: str, which: str, unit: str) -> dict[str, float]:
    """What each site counts for; what is unknown counts nothing, upgrades count as new."""
    if measure == "sites":
        return dict.fromkeys(_names(raw, which, unit), 1.0)
    if measure == "area_m2":
        areas = {name: float(raw.field(name, "area_m2")) for name in _names(raw, which, unit)}
        return {name: area for name, area in areas.items() if area == area}
    found = {name: raw.places_of(name) for name in _names(raw, which, unit)}
    kept = [name for name in _names(raw, "all", unit) if name not in found]
    return found | {name: sum(rule.places for rule in raw.grown(name)) for name in kept}


def _each(raw: Raw, rule: r.EachSite) -> Iterator[tuple[str, str]]:
    for name in raw.plan.new:
        area = float(raw.field(name, "area_m2"))
        if rule.area_m2_at_least is not None and not area >= rule.area_m2_at_least - 1e-3:
            yield "", f"{name} has {area:g} m2"
        for places in [raw.own_places(site, service) for site, service in raw.hosts if site == name]:
            low = rule.places_at_least is not None and not places >= rule.places_at_least
            if low or (rule.places_at_most is not None and not places <= rule.places_at_most):
                yield "", f"{name} has {places:g} places"


def _spacing(raw: Raw, rule: r.Spacing) -> Iterator[tuple[str, str]]:
    points = raw.plan.sites.geometry
    for a, b in combinations(map(str, raw.plan.sites.index), 2):
        stand = (a in raw.standing) + (b in raw.standing)
        if stand == 2 or (stand == 1 and not rule.with_existing):
            continue
        if rule.streets is None:
            metres = float(points.loc[a].distance(points.loc[b]))
        else:
            ends = rule.streets[["a", "b"]].astype(str).agg(frozenset, axis=1)
            metres = float(rule.streets.loc[ends == {a, b}, "metres"].min())
        if metres < rule.metres:
            yield "", f"{a} and {b} are {metres:.0f} m apart"


def _reach(raw: Raw, rule: r.ReachInUnits) -> Iterator[tuple[str, str]]:
    demand, people = rule.demand, raw.people(rule.demand)
    near, ever = raw.costs(demand, raw.hosts), raw.costs(demand, list(raw.rows))
    for code in rule.units or _codes(raw, rule.level):
        mine = [at for at in range(len(people)) if not code or code in raw.chain(str(raw.cells["unit"].iloc[at]))]
        total = sum(people[at] for at in mine if rule.of == "all" or len(ever.get(at, ())) >= demand.sites_needed)
        reached = sum(people[at] for at in mine if len(near.get(at, ())) >= demand.sites_needed)
        if reached < rule.share * total - 1e-6 * (len(mine) + 1):
            yield code, f"in {code or 'all'} {reached:g} of {total:g} are reached, {rule.share:.0%} asked"


def _floors(raw: Raw) -> Iterator[tuple[str, str]]:
    """All services under one new roof must fit its floor."""
    need = {rule.service: rule.area_m2 for rule in raw.plan.rules if isinstance(rule, r.Hosting)}
    if len({demand.service for demand in raw.plan.objective.demands}) < 2:
        return
    for name in raw.plan.new:
        used = sum(need.get(service, 0.0) for site, service in raw.hosts if site == name)
        area = float(raw.field(name, "area_m2"))
        if used > (area if area == area else 0.0) + 1e-3:
            yield "", f"{name} hosts services of {used:g} m2 on {area:g} m2"
