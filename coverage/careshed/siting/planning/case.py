"""Lay out sites, services, money and who reaches what in whole numbers, in the order of ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from careshed.reach.times import TravelTimes
from careshed.siting.planning.kinds import Demand, Objective
from careshed.siting.planning.rules import Budget, Closable, Hosting, Rule, Subsidy, Upgradable
from careshed.siting.problem import PARTS_PER_PERSON, Flags, Ints, cost_limit, people_parts
from careshed.siting.rules import climb

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Matrices: TypeAlias = TravelTimes | Mapping[str, TravelTimes]
"""Travel costs, or service id -> travel costs where services differ in mode or facilities."""

PER_METRE2: Final = 1000
"""Floor area is counted in thousandths of a square metre."""

UNKNOWN: Final = -1
"""Stands for unknown places or floor area; no rule takes it for a number."""

PER: Final = {"time": 60_000, "length": 1_000}
"""Whole costs in a minute or metre."""


TEXTS: Final = ("name", "unit", "services", "build")

NUMBERS: Final = ("cost_yuan", "places", "area_m2")


@dataclass(frozen=True)
class UnitTable:
    """Administrative units as look-ups; empty where a plan has none."""

    names: Mapping[str, str]
    levels: Mapping[str, str]
    parents: Mapping[str, str]
    settings: Mapping[str, str]

    def of_level(self, level: str) -> tuple[str, ...]:
        """Codes of a level, sorted; the study as a whole for ""."""
        return tuple(sorted(code for code, own in self.levels.items() if own == level)) if level else ("",)

    def name(self, code: str) -> str:
        """Name of a unit for the reader, its code where it has none."""
        return self.names.get(code, "") or code


@dataclass(frozen=True)
class Place:
    """A roof: a candidate or a site that stands."""

    id: str
    name: str
    standing: bool
    closable: bool
    chain: tuple[str, ...]
    """Units it lies in, the finest first."""
    cost: int
    """Yuan to build the roof; 0 where it stands."""
    closing: int
    """Yuan to close it."""
    area: int
    """Thousandths of a square metre, `UNKNOWN` if not known."""
    inclusive: bool
    build: str
    setting: str
    xy: tuple[float, float]


@dataclass(frozen=True)
class Post:
    """One service under one roof: what people reach."""

    place: int
    service: str
    places: int
    """Millionths of a place, `UNKNOWN` if not known."""
    cost: int
    """Yuan for the service, above the roof."""
    subsidy: int
    """Yuan paid for its places; never more than roof and service cost together."""
    area: int
    """Floor it takes where several share a roof, thousandths of a square metre."""


@dataclass(frozen=True)
class Extension:
    """An upgrade that a site may get."""

    place: int
    post: int
    places: int
    """Millionths of a place added."""
    cost: int
    subsidy: int
    rule: int


@dataclass(frozen=True)
class Reach:
    """People of one demand and the posts each cell reaches, nearest first."""

    demand: Demand
    parts: Ints
    """Millionths of a person who look for the service, shape (cells,)."""
    start: Ints
    """First pair of each cell, shape (cells + 1,)."""
    post: Ints
    cost: Ints
    """Ascending within a cell, ties by post."""
    limit: int
    per: int
    """Whole costs in a minute or metre."""

    def of(self, cell: int) -> tuple[Ints, Ints]:
        """Posts and costs of one cell."""
        part = slice(self.start[cell], self.start[cell + 1])
        return self.post[part], self.cost[part]


@dataclass(frozen=True)
class Case:
    """Everything a plan decides on, checked and in whole numbers."""

    places: tuple[Place, ...]
    posts: tuple[Post, ...]
    extensions: tuple[Extension, ...]
    reaches: tuple[Reach, ...]
    """Those of the objective's demands."""
    services: tuple[str, ...]
    units: UnitTable
    cell_chains: tuple[tuple[str, ...], ...]
    """Units each cell lies in, the finest first; () where no rule asks."""
    objective: Objective
    rules: tuple[Rule, ...]
    matrices: tuple[Mapping[str, TravelTimes], Mapping[str, TravelTimes]]
    """Candidates' and existing facilities' travel costs by service."""
    cells: GeoDataFrame

    @property
    def shared(self) -> bool:
        """Whether a roof may hold several services, so that hosting is a decision of its own."""
        return len(self.services) > 1


def by_service(matrices: Matrices | None, services: Sequence[str]) -> dict[str, TravelTimes]:
    """Give every service its travel costs; one matrix serves them all."""
    if matrices is None:
        return {}
    if isinstance(matrices, TravelTimes):
        return dict.fromkeys(services, matrices)
    return {service: matrices[service] for service in services if service in matrices}


def services_of(objective: Objective) -> tuple[str, ...]:
    """Name the services that a plan sites, sorted."""
    return tuple(sorted({demand.service for demand in objective.demands}))


def read_units(units: GeoDataFrame | None) -> UnitTable:
    """Read the unit table into look-ups."""
    if units is None:
        return UnitTable({}, {}, {}, {})
    codes = [str(code) for code in units.index]
    found = [
        dict(zip(codes, map(str, units[column]), strict=True)) if column in units.columns else {}
        for column in ("name", "level", "parent", "setting")
    ]
    return UnitTable(*found)


def build_case(
    options: Matrices,
    existing: Matrices | None,
    cells: GeoDataFrame,
    units: GeoDataFrame | None,
    objective: Objective,
    rules: tuple[Rule, ...],
) -> Case:
    """Put checked input into whole numbers; candidates by id, then existing sites by id."""
    services = services_of(objective)
    new, old, table = by_service(options, services), by_service(existing, services), read_units(units)
    places, hosted = _places(new, old, table, rules)
    posts = tuple(_post(places, one, rules) for one in hosted)
    found = [(row, times) for _, _, row, times, _ in hosted]
    reaches = tuple(read_reach(demand, cells, posts, found) for demand in objective.demands)
    unit = cells["unit"] if "unit" in cells.columns else []
    chains = tuple(climb(str(code), table.parents) for code in unit)
    extensions = tuple(
        _extension(at, rule, places, posts, rules) for at, rule in enumerate(rules) if isinstance(rule, Upgradable)
    )
    return Case(places, posts, extensions, reaches, services, table, chains, objective, rules, (new, old), cells)


@dataclass(frozen=True)
class Register:
    """Columns of a facility table as lists; "" and NaN where a column or a value is missing."""

    ids: list[str]
    texts: Mapping[str, list[str]]
    numbers: Mapping[str, list[float]]
    inclusive: list[bool]
    xy: list[tuple[float, float]]


Hosted: TypeAlias = tuple[int, str, int, TravelTimes, Register]
"""Place, service, row in the travel costs, travel costs, and their facilities."""


def read_register(times: TravelTimes) -> Register:
    """Read the columns that a plan needs."""
    table = times.facilities
    count, centres = len(table), table.geometry.centroid
    texts = {name: list(map(str, table[name])) if name in table.columns else [""] * count for name in TEXTS}
    numbers = {name: list(map(float, table[name])) if name in table.columns else [np.nan] * count for name in NUMBERS}
    inclusive = list(map(bool, table["inclusive"])) if "inclusive" in table.columns else [False] * count
    xy = list(zip(map(float, centres.x), map(float, centres.y), strict=True))
    return Register(list(map(str, table.index)), texts, numbers, inclusive, xy)


def _places(
    new: Mapping[str, TravelTimes], old: Mapping[str, TravelTimes], table: UnitTable, rules: Sequence[Rule]
) -> tuple[tuple[Place, ...], list[Hosted]]:
    """List roofs, candidates first, and which service each may host."""
    places: list[Place] = []
    hosted: list[Hosted] = []
    read: dict[int, Register] = {}
    for matrices, standing in ((new, False), (old, True)):
        found: dict[str, list[tuple[str, int, TravelTimes, Register]]] = {}
        for service, times in matrices.items():
            register = read.setdefault(id(times), read_register(times))
            for row, name in enumerate(register.ids):
                if (standing or times.facility_fault[row] == "") and _hosts(register, row, service):
                    found.setdefault(name, []).append((service, row, times, register))
        for name in sorted(found):
            hosted.extend((len(places), *one) for one in found[name])
            places.append(_place(found[name][0][3], found[name][0][1], standing, table, rules))
    return tuple(places), hosted


def _hosts(register: Register, row: int, service: str) -> bool:
    """Tell whether a site may host a service; "" in its column ``services`` stands for any."""
    told = register.texts["services"][row]
    return not service or not told or service in [one.strip() for one in told.split(";")]


def _place(register: Register, row: int, standing: bool, table: UnitTable, rules: Sequence[Rule]) -> Place:
    name, cost, area = register.ids[row], register.numbers["cost_yuan"][row], register.numbers["area_m2"][row]
    chain = climb(register.texts["unit"][row], table.parents)
    closing = [rule.cost_yuan for rule in rules if isinstance(rule, Closable) and name in rule.ids] if standing else []
    return Place(
        id=name,
        name=register.texts["name"][row],
        standing=standing,
        closable=bool(closing),
        chain=chain,
        cost=0 if standing or np.isnan(cost) else round(cost),
        closing=round(min(closing, default=0.0)),
        area=UNKNOWN if np.isnan(area) else round(area * PER_METRE2),
        inclusive=register.inclusive[row],
        build=register.texts["build"][row] or "new",
        setting=next((table.settings[code] for code in chain if table.settings.get(code)), ""),
        xy=register.xy[row],
    )


def _post(places: Sequence[Place], hosted: Hosted, rules: Sequence[Rule]) -> Post:
    at, service, row, _, register = hosted
    place, known = places[at], register.numbers["places"][row]
    hosting = next((rule for rule in rules if isinstance(rule, Hosting) and rule.service == service), Hosting(service))
    if hosting.places is not None and not place.standing:
        known = hosting.places
    offered = UNKNOWN if np.isnan(known) else round(known * PARTS_PER_PERSON)
    cost = 0 if place.standing else round(hosting.cost_yuan)
    paid = 0 if place.standing or offered == UNKNOWN else subsidy(rules, place, place.build, service, offered)
    return Post(at, service, offered, cost, min(paid, place.cost + cost), round(hosting.area_m2 * PER_METRE2))


def subsidy(rules: Sequence[Rule], place: Place, build: str, service: str, parts: int) -> int:
    """Work out what is paid for so many places, yuan; of several rates that fit, the highest."""
    rates = [
        rate.yuan for rule in rules if isinstance(rule, Budget) for rate in rule.subsidies if _fits(rate, place, build, service)
    ]
    return round(max(rates, default=0.0) * parts / PARTS_PER_PERSON)


def _fits(rate: Subsidy, place: Place, build: str, service: str) -> bool:
    return rate.build == build and rate.setting in ("all", place.setting) and rate.service in ("", service)


def _extension(at: int, rule: Upgradable, places: Sequence[Place], posts: Sequence[Post], rules: Sequence[Rule]) -> Extension:
    place = next(i for i, one in enumerate(places) if one.id == rule.id)
    post = next(i for i, one in enumerate(posts) if one.place == place and rule.service in ("", one.service))
    parts = round(rule.places * PARTS_PER_PERSON)
    paid = subsidy(rules, places[place], rule.build, posts[post].service, parts)
    return Extension(place, post, parts, round(rule.cost_yuan), min(paid, round(rule.cost_yuan)), at)


def read_reach(demand: Demand, cells: GeoDataFrame, posts: Sequence[Post], found: Sequence[tuple[int, TravelTimes]]) -> Reach:
    """Turn the matrices round: for every cell of a demand, the posts within its limit, nearest first."""
    mine = [(at, *found[at]) for at, post in enumerate(posts) if post.service == demand.service]
    times = mine[0][2]
    limit = limit_of(demand, times)
    cell, post, cost = (
        np.concatenate([np.zeros(0, np.int64), *part]) for part in zip(*(_row(*one) for one in mine), strict=True)
    )
    near = cost <= limit
    cell, post, cost = cell[near], post[near], cost[near]
    order = np.lexsort((post, cost, cell))
    start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=len(cells)))]).astype(np.int64)
    parts = np.rint(people_parts(cells, demand.group) * demand.rate).astype(np.int64)
    return Reach(demand, parts, start, post[order], cost[order], limit, PER[times.metric])


def _row(post: int, row: int, times: TravelTimes) -> tuple[Ints, Ints, Ints]:
    part = slice(times.indptr[row], times.indptr[row + 1])
    near = times.indices[part].astype(np.int64)
    return near, np.full(len(near), post, dtype=np.int64), times.cost[part].astype(np.int64)


def limit_of(demand: Demand, times: TravelTimes) -> int:
    """Say a demand's limit as a whole cost; all that was searched where it has none."""
    if demand.minutes is None and demand.metres is None:
        return int(times.limit)
    return cost_limit(times, demand.minutes, demand.metres)


def reachable(reach: Reach, open_posts: Flags) -> Flags:
    """Mark the cells that enough of some posts reach for the demand to count."""
    cell = np.repeat(np.arange(len(reach.parts)), np.diff(reach.start))
    hits = np.bincount(cell[open_posts[reach.post]], minlength=len(reach.parts))
    return hits >= reach.demand.sites_needed
