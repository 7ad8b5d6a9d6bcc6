"""Give the travel costs of a scenario: scaled where every part of a way scales alike, found anew where not."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import ceil, floor
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.reach import TravelTimes, travel_times
from careshed.schema import Fault, InputError
from careshed.siting.scenarios.faults import refuse, wrong
from careshed.siting.scenarios.inputs import Scenario, exact
from careshed.siting.scenarios.streets import Routing, changed_network, mode_at

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.modes import Mode

SCALING_FIELDS: Final = frozenset(
    {"name", "speed_kmh", "leg_speed_kmh", "zh", "en", "source", "source_zh", "uses_steps", "steps_factor", "kind", "speeds_kmh",
     "maxspeed_share", "max_slope", "needs_low_kerbs", "hills", "figures"}
)  # fmt: skip
"""Fields of a mode under which all time is length over speed."""

NOTHING: Final = (0, None, False, "", "none", ())
"""Values of any other field by which it adds no time: seconds at crossings and signals, and whatever else a mode may know."""

ROUNDING_MS: Final = 500
"""Routing rounds every edge to a millisecond, so that a way of up to a thousand edges is off by half a second: a pair as near to
the limit as this may fall on the other side when it is routed again at another speed."""


@dataclass(frozen=True)
class ScenarioTimes:
    """Travel costs of a scenario, and how they were come by."""

    times: TravelTimes
    routed: bool
    """Whether they were found anew."""
    scaled: bool
    """Whether they are the costs known, divided by the speed factor: exact but for the rounding of whole milliseconds."""

    def close(self, limit: int) -> int:
        """Count the pairs so near to the limit that rounding alone could turn them; 0 where costs are exact."""
        if not self.scaled:
            return 0
        return int((np.abs(self.times.cost.astype(np.int64) - limit) <= ROUNDING_MS).sum())


def scales(mode: Mode) -> bool:
    """Tell whether all time of a mode is length over speed; a field that is not known here must say nothing."""
    return all(getattr(mode, one.name) in NOTHING for one in fields(mode) if one.name not in SCALING_FIELDS)


def scenario_times(
    times: TravelTimes, cells: GeoDataFrame, scenario: Scenario, *, needed: int, routing: Routing | None = None
) -> ScenarioTimes:
    """Give the travel costs that a scenario has, up to the limit needed.

    Where street, legs and steps all scale by one factor f, a cost c becomes ⌈c / f⌉, so that "within the limit" is c ≤ limit · f
    without routing again. That holds only where the mode has no fixed seconds and travel was searched to limit · f. In every
    other case the network of the scenario is searched anew. Candidates that missing paths cut off stay, and reach nobody.

    Parameters
    ----------
    needed
        Largest limit that the scenario is asked for, milliseconds or millimetres.
    routing
        Network and streets; only needed where costs must be found anew.

    Raises
    ------
    careshed.schema.InputError
        If costs must be found anew and `routing` is missing or is another mode's, or speed changes a matrix of lengths.
    """
    factor = exact(scenario.speed.factor)
    if times.metric == "length" and scenario.speed.changes:
        zh, en = (
            f"情景 {scenario.id}：街道长度与步行速度无关",
            f"scenario {scenario.id}: metres of street do not depend on walking speed",
        )
        refuse([wrong("speed_of_length", zh, en, "请改用时间，或去掉速度。", "Use travel times, or leave the speed out.")])
    far_enough = needed * factor <= times.limit
    if not scenario.reroutes and far_enough and (factor == 1 or scales(times.mode)):
        return ScenarioTimes(_scaled(times, scenario), False, factor != 1)
    if routing is None:
        raise InputError([_why(times, scenario, needed)])
    return ScenarioTimes(_routed(times, cells, scenario, needed, routing), True, False)


def _scaled(times: TravelTimes, scenario: Scenario) -> TravelTimes:
    factor = exact(scenario.speed.factor)
    if factor == 1:
        return times
    top, under = factor.denominator, factor.numerator
    cost = -(-times.cost.astype(np.int64) * top // under)
    nearest = np.where(times.nearest_cost >= 0, -(-times.nearest_cost * top // under), times.nearest_cost)
    limit = min(floor(times.limit / factor), 2**32 - 2)
    kept = cost <= limit
    if kept.all():
        mode = mode_at(times.mode, scenario.speed)
        return replace(times, cost=cost.astype(np.uint32), nearest_cost=nearest, limit=limit, mode=mode)
    counted = np.concatenate([[0], np.cumsum(kept)])
    return replace(
        times,
        indptr=counted[times.indptr].astype(np.int64),
        indices=times.indices[kept],
        cost=cost[kept].astype(np.uint32),
        nearest_cost=nearest,
        limit=limit,
        mode=mode_at(times.mode, scenario.speed),
    )


def _routed(times: TravelTimes, cells: GeoDataFrame, scenario: Scenario, needed: int, routing: Routing) -> TravelTimes:
    if routing.network.mode != times.mode or routing.network.snap_m != times.snap_m:
        zh, en = (
            "给出的路网与出行成本的出行方式不一致",
            "the network given is not the one the travel costs came from (mode or snap limit)",
        )
        refuse([wrong("other_network", zh, en, "请给出同一路网。", "Give that network.", found=routing.network.mode.name)])
    network = changed_network(routing, scenario.speed, scenario.paths)
    limit = max(times.limit, needed)
    by_time = times.metric == "time"
    found = travel_times(
        network,
        times.facilities,
        cells,
        limit_min=limit / 60_000 if by_time else None,
        limit_m=None if by_time else limit / 1000,
        direction=times.direction,
        threads=routing.threads,
    )
    return replace(found, facility_fault=times.facility_fault)


def _why(times: TravelTimes, scenario: Scenario, needed: int) -> Fault:
    """Say why costs cannot be scaled, and what to give."""
    name = scenario.id
    zh, en = f"情景 {name}：道路有变", f"scenario {name}: paths differ"
    if not scenario.speed.uniform:
        zh, en = f"情景 {name}：各段速度变化不一", f"scenario {name}: not every part of a way scales alike"
    elif not scenario.paths.changes and not scales(times.mode) and scenario.speed.changes:
        zh, en = (
            f"情景 {name}：该出行方式含固定用时，不随速度变化",
            f"scenario {name}: the mode has fixed times that do not scale with speed",
        )
    elif not scenario.paths.changes:
        far, had = ceil(needed * exact(scenario.speed.factor)), times.limit
        per, zh_unit, en_unit = (60_000, "分钟", "minutes") if times.metric == "time" else (1000, "米", "metres")
        zh = f"情景 {name}：需要搜索到 {far / per:g} {zh_unit}，现仅到 {had / per:g} {zh_unit}"
        en = f"scenario {name}: travel must be searched to {far / per:g} {en_unit}, it was only to {had / per:g}"
    cure = (
        "请给出 routing=Routing(network, streets)，或加大搜索范围。",
        "Give routing=Routing(network, streets), or search further.",
    )
    return wrong("route_again", zh, en, *cure)
