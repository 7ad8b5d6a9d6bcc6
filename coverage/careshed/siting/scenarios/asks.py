"""Say what is asked of a plan, and what the same question is in a scenario: its people, its travel costs, its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from careshed.reach import TravelTimes
from careshed.siting.planning import Demand, Objective, ReachInUnits, Rule
from careshed.siting.planning.case import PER, Matrices, by_service
from careshed.siting.scenarios.costs import scenario_times
from careshed.siting.scenarios.faults import refuse, wrong
from careshed.siting.scenarios.inputs import Limit, Scenario, exact
from careshed.siting.scenarios.people import erring_cells

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.siting.scenarios.streets import Routing


@dataclass(frozen=True)
class Ranking:
    """What `rank_sites` is asked: at most `n` sites that reach the most people, units without a facility first."""

    group: str
    n: int
    minutes: float | None = None
    metres: float | None = None
    at_least_one_per: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ruled:
    """What `plan_sites` is asked: an objective under rules."""

    objective: Objective
    rules: tuple[Rule, ...] = ()


Ask: TypeAlias = Ranking | Ruled
"""A siting question."""


@dataclass(frozen=True)
class Tables:
    """What a question is asked of."""

    options: Matrices
    cells: GeoDataFrame
    existing: Matrices | None
    units: GeoDataFrame | None


@dataclass(frozen=True)
class World:
    """A question and its tables in one scenario."""

    ask: Ask
    tables: Tables
    routed: bool
    """Whether any travel costs were found anew."""
    close: int
    """Pairs so near to the limit that the rounding of scaled costs could turn them."""


def demands_of(ask: Ask) -> tuple[Demand, ...]:
    """List the people that a question counts, those of its rules included."""
    if isinstance(ask, Ranking):
        return (Demand(ask.group, ask.minutes, ask.metres),)
    return (*ask.objective.demands, *(rule.demand for rule in ask.rules if isinstance(rule, ReachInUnits)))


def in_scenario(ask: Ask, tables: Tables, scenario: Scenario, routing: Routing | None = None) -> World:
    """Put a question into a scenario; travel costs are found anew only where they cannot be scaled.

    Raises
    ------
    careshed.schema.InputError
        If the scenario cannot be had from these tables.
    """
    demands = demands_of(ask)
    services = sorted({demand.service for demand in demands})
    new, old = by_service(tables.options, services), by_service(tables.existing, services)
    told = {demand: _limited(demand, ({**old, **new})[demand.service], scenario) for demand in demands}
    needed = {service: max(_cost(told[one], old | new) for one in demands if one.service == service) for service in services}
    options, routed, close = _costs(tables.options, needed, tables.cells, scenario, routing)
    existing, again, near = (
        (None, False, 0) if tables.existing is None else _costs(tables.existing, needed, tables.cells, scenario, routing)
    )
    cells = tables.cells
    if scenario.population.changes:
        cells = erring_cells(cells, scenario.population, [demand.group for demand in demands])
    return World(_asked(ask, told), Tables(options, cells, existing, tables.units), routed or again, close + near)


def _limited(demand: Demand, times: TravelTimes, scenario: Scenario) -> Demand:
    """A demand with the limit that the scenario gives it; one without a limit keeps to what was searched."""
    limit, per = scenario.limit, PER[times.metric]
    stated = limit.minutes if times.metric == "time" else limit.metres
    other = limit.metres if times.metric == "time" else limit.minutes
    if other is not None:
        zh, en = (
            f"情景 {scenario.id}：限值的单位与出行成本不符",
            f"scenario {scenario.id}: the limit is not of the travel costs' metric",
        )
        refuse([wrong("other_metric", zh, en, "请改用另一单位。", "Give it in the other unit.", found=times.metric)])
    own = demand.minutes if times.metric == "time" else demand.metres
    if limit == Limit() and (own is not None or not scenario.speed.changes):
        return demand
    cost = round(exact((times.limit / per) if own is None else own) * exact(limit.factor) * per)
    value = cost / per if stated is None else stated
    return replace(demand, minutes=value, metres=None) if times.metric == "time" else replace(demand, minutes=None, metres=value)


def _cost(demand: Demand, times: Mapping[str, TravelTimes]) -> int:
    mine = times[demand.service]
    own = demand.minutes if mine.metric == "time" else demand.metres
    return mine.limit if own is None else round(own * PER[mine.metric])


def _costs(
    matrices: Matrices, needed: Mapping[str, int], cells: GeoDataFrame, scenario: Scenario, routing: Routing | None
) -> tuple[Matrices, bool, int]:
    """Travel costs of a scenario, whether any were found anew, and how many pairs are too close to call."""
    if isinstance(matrices, TravelTimes):
        most = max(needed.values())
        found = scenario_times(matrices, cells, scenario, needed=most, routing=routing)
        return found.times, found.routed, sum(found.close(limit) for limit in sorted(set(needed.values())))
    each = {
        service: scenario_times(times, cells, scenario, needed=needed[service], routing=routing)
        for service, times in matrices.items()
        if service in needed
    }
    close = sum(found.close(needed[service]) for service, found in each.items())
    return {service: found.times for service, found in each.items()}, any(found.routed for found in each.values()), close


def _asked(ask: Ask, told: Mapping[Demand, Demand]) -> Ask:
    if isinstance(ask, Ranking):
        mine = next(iter(told.values()))
        return replace(ask, minutes=mine.minutes, metres=mine.metres)
    rules = tuple(replace(rule, demand=told[rule.demand]) if isinstance(rule, ReachInUnits) else rule for rule in ask.rules)
    return Ruled(replace(ask.objective, demands=tuple(told[demand] for demand in ask.objective.demands)), rules)
