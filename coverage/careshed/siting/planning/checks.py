"""Refuse input that makes no sense, all faults at once, each with its cure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from careshed.reach.times import TravelTimes
from careshed.schema import Fault, InputError
from careshed.siting.planning.case import Case, Matrices, Reach, by_service, limit_of, read_units, services_of
from careshed.siting.planning.kinds import (
    Attendance,
    Demand,
    MaxServed,
    Objective,
    PCentre,
    PMedian,
    ServedMedian,
    SetCover,
    WorstUnit,
)
from careshed.siting.planning.rule_checks import CHECKS, Facts, bad, level_faults
from careshed.siting.planning.rules import Budget, Forbidden, ForcedIn, ReachInUnits, Rule
from careshed.siting.problem import check_match, people_parts

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def check_input(
    options: Matrices,
    existing: Matrices | None,
    cells: GeoDataFrame,
    units: GeoDataFrame | None,
    objective: Objective,
    rules: Sequence[Rule],
) -> None:
    """Check tables, objective and rules before anything is built.

    Raises
    ------
    careshed.schema.InputError
        With every fault.
    """
    services = services_of(objective)
    new, old = by_service(options, services), by_service(existing, services)
    facts = _facts(new, old, units, objective)
    faults = [*_matrix_faults(new, old, cells, services), *_objective_faults(objective, cells, {**old, **new}, units)]
    for rule in rules:
        faults += CHECKS[type(rule)](facts, rule)
        if isinstance(rule, ReachInUnits):
            faults += _demand_faults(rule.demand, cells, {**old, **new})
    faults += _across(rules)
    if faults:
        raise InputError(dict.fromkeys(faults))


def _facts(
    new: Mapping[str, TravelTimes], old: Mapping[str, TravelTimes], units: GeoDataFrame | None, objective: Objective
) -> Facts:
    usable = {
        str(name)
        for times in new.values()
        for name, fault in zip(times.facilities.index, times.facility_fault, strict=True)
        if not fault
    }
    return Facts(
        candidates=frozenset(str(name) for times in new.values() for name in times.facilities.index),
        usable=frozenset(usable),
        standing=frozenset(str(name) for times in old.values() for name in times.facilities.index),
        services=services_of(objective),
        units=None if units is None else read_units(units),
        new=tuple(new.values()),
        old=tuple(old.values()),
    )


def _matrix_faults(
    new: Mapping[str, TravelTimes], old: Mapping[str, TravelTimes], cells: GeoDataFrame, services: Sequence[str]
) -> Iterator[Fault]:
    for service in services:
        times = new.get(service)
        if times is None or not (times.facility_fault == "").any():
            of_zh, of_en = (f"“{service}”", f" for {service!r}") if service else ("", "")
            zh, en = f"没有可用的{of_zh}候选点", f"there are no candidates{of_en} that can be used"
            yield bad("no_candidates", zh, en, "请补充候选点，或核对其坐标。", "Add candidates or check their coordinates.")
            continue
        try:
            check_match(times, old.get(service), cells)
        except ValueError as error:
            yield bad("matrices_differ", f"出行时间与数据不一致：{error}", str(error))
    for table in {id(times): times for times in [*new.values(), *old.values()]}.values():
        yield from _negative(table)
    both = sorted({str(name) for one in new.values() for name in one.facilities.index} & _ids(old))
    if both:
        zh, en = (
            f"候选点与现有设施编号相同：{', '.join(both[:5])}",
            f"candidates and existing sites share ids: {', '.join(both[:5])}",
        )
        yield bad("duplicate_id", zh, en, "请为每处使用不同的编号。", "Give each site an id of its own.")


def _ids(matrices: Mapping[str, TravelTimes]) -> set[str]:
    return {str(name) for times in matrices.values() for name in times.facilities.index}


def _negative(times: TravelTimes) -> Iterator[Fault]:
    """Name sites with figures below zero."""
    for column, zh, en in (
        ("places", "托位（床位）数", "places"),
        ("cost_yuan", "造价", "cost"),
        ("area_m2", "面积", "floor area"),
    ):
        if column not in times.facilities.columns:
            continue
        values = times.facilities[column].astype(float).to_numpy()
        wrong = [str(name) for name in times.facilities.index[(values < 0) | np.isinf(values)]]
        if wrong:
            named = ", ".join(wrong[:5])
            cure = ("请改正，未知则留空。", "Correct it; leave it empty where it is not known.")
            yield bad(f"bad_{column}", f"{zh}为负或不是有限的数：{named}", f"{en} below zero or not finite: {named}", *cure)


def _objective_faults(
    objective: Objective, cells: GeoDataFrame, matrices: Mapping[str, TravelTimes], units: GeoDataFrame | None
) -> Iterator[Fault]:
    if not objective.demands:
        yield bad("no_demand", "目标没有需求人群", "the objective has no demand", "请给出 demands。", "Give its demands.")
    for demand in objective.demands:
        yield from _demand_faults(demand, cells, matrices)
    if isinstance(objective, SetCover) and not 0 < objective.share <= 1:
        yield bad(
            "bad_share",
            "覆盖比例应大于 0、至多为 1",
            "the share to cover must be above 0 and at most 1",
            found=str(objective.share),
        )
    if isinstance(objective, PMedian | PCentre | ServedMedian):
        yield from _beyond_faults(objective.beyond, objective.demands, matrices)
    if isinstance(objective, Attendance):
        yield from _attendance_faults(objective)
    if isinstance(objective, WorstUnit):
        yield from level_faults(objective.level, None if units is None else read_units(units))
    if isinstance(objective, MaxServed | ServedMedian):
        yield from _places_faults(matrices)
        if any(demand.decay is not None or demand.sites_needed != 1 for demand in objective.demands):
            zh, en = "按床位分配的目标不支持距离衰减或多处可达", "objectives that give places take no decay and one site a person"
            yield bad("not_with_places", zh, en, "请去掉 decay 与 sites_needed。", "Leave out decay and sites_needed.")


def _attendance_faults(objective: Attendance) -> Iterator[Fault]:
    if objective.most is not None and not 0 < objective.most < np.inf:
        cure = ("请填写大于 0 的数，或留空（None）以不设上限。", "Give a number above 0, or None for no cap.")
        zh, en = "每人至多计入的到访应大于 0", "the most that one person counts must be above 0"
        yield bad("bad_most", zh, en, *cure, found=str(objective.most))
    if any(demand.sites_needed != 1 for demand in objective.demands):
        zh, en = "预期到访按各设施相加，不支持多处可达", "attendance adds sites up and takes one site a person"
        yield bad("not_with_attendance", zh, en, "请去掉 sites_needed。", "Leave out sites_needed.")


def _demand_faults(demand: Demand, cells: GeoDataFrame, matrices: Mapping[str, TravelTimes]) -> Iterator[Fault]:
    for name, value, least, most in (("rate", demand.rate, 0.0, 1.0), ("weight", demand.weight, 0.0, 1e6)):
        if not least < value <= most:
            zh, en = f"{name} 应大于 {least:g}、至多为 {most:g}", f"{name} must be above {least:g} and at most {most:g}"
            yield bad("bad_demand", zh, en, found=str(value))
    if demand.sites_needed < 1:
        yield bad("bad_demand", "sites_needed 至少为 1", "sites_needed must be at least 1", found=str(demand.sites_needed))
    try:
        people = people_parts(cells, demand.group)
        if not people.sum():
            cure = ("请核对人口数据与人群。", "Check the population and the group.")
            yield bad(
                "no_demand", "研究范围内没有这类人口", "no people of this group live on the cells", *cure, found=demand.group
            )
    except ValueError as error:
        yield bad("bad_people", f"人口数据不可用：{error}", str(error))
    times = matrices.get(demand.service)
    if times is None:
        yield bad("unknown_service", "没有这项服务的出行时间", "there are no travel costs for this service", found=demand.service)
        return
    try:
        limit_of(demand, times)
    except ValueError as error:
        yield bad("bad_limit", f"范围不可用：{error}", str(error))


def _beyond_faults(beyond: object, demands: Sequence[Demand], matrices: Mapping[str, TravelTimes]) -> Iterator[Fault]:
    if isinstance(beyond, str):
        if beyond not in ("forbid", "leave_out"):
            zh, en = "beyond 应为数字、forbid 或 leave_out", "beyond must be a number, 'forbid' or 'leave_out'"
            yield bad("bad_beyond", zh, en, found=beyond)
        return
    for demand in demands:
        times = matrices.get(demand.service)
        if times is None or not isinstance(beyond, int | float):
            continue
        per = 60_000 if times.metric == "time" else 1_000
        if not times.limit <= beyond * per < 2**33:
            zh = f"搜索范围以外的人应至少计为搜索上限 {times.limit / per:g}"
            en = f"people beyond the limit searched must count at least as that limit, {times.limit / per:g}"
            yield bad(
                "bad_beyond", zh, en, "请增大 beyond，或填 leave_out。", "Raise beyond, or use 'leave_out'.", found=str(beyond)
            )


def _places_faults(matrices: Mapping[str, TravelTimes]) -> Iterator[Fault]:
    for times in matrices.values():
        if "places" not in times.facilities.columns:
            yield bad("no_places", "没有“places”列，无法按床位分配", "there is no column 'places' to give people places from")


def _across(rules: Sequence[Rule]) -> Iterator[Fault]:
    """What can only be seen in several rules together."""
    if sum(isinstance(rule, Budget) for rule in rules) > 1:
        yield bad("two_budgets", "只能有一个预算", "there can be only one budget", "请合并预算。", "Put them together.")
    forced = {name for rule in rules if isinstance(rule, ForcedIn) for name in rule.ids}
    barred = {name for rule in rules if isinstance(rule, Forbidden) for name in rule.ids}
    for name in sorted(forced & barred):
        zh, en = "候选点既必须入选又不得入选", "candidate both forced in and forbidden"
        yield bad("forced_and_forbidden", zh, en, "请删去其中一条。", "Drop one of the two.", found=name)


def check_case(case: Case) -> None:
    """Check what only the case shows: places of every site that gives places, decay that does not grow, sums that fit.

    Raises
    ------
    careshed.schema.InputError
        With every fault.
    """
    faults = [*_unknown_places(case), *(fault for reach in case.reaches for fault in _reach_faults(reach, case.objective))]
    if faults:
        raise InputError(faults)


def _unknown_places(case: Case) -> Iterator[Fault]:
    if isinstance(case.objective, MaxServed | ServedMedian):
        lost = sorted({case.places[post.place].id for post in case.posts if post.places < 0})
        if lost:
            named = ", ".join(lost[:8])
            cure = ("请补充托位（床位）数；确无则填 0。", "Fill in the places; 0 where there are none.")
            yield bad("places_unknown", f"托位（床位）数未知：{named}", f"places are not known: {named}", *cure)


def _reach_faults(reach: Reach, objective: Objective) -> Iterator[Fault]:
    demand = reach.demand
    if demand.decay is not None:
        cost = np.unique(reach.cost)
        weights = demand.decay.weights(cost.astype(np.uint32), per=float(reach.per), limit=reach.limit)
        if (np.diff(weights) > 0).any() or (weights < 0).any():
            zh, en = "距离越远权重不得越大", "weights must not grow with travel"
            yield bad("bad_decay", zh, en, "请更换衰减函数。", "Use another decay.", found=type(demand.decay).__name__)
    beyond = getattr(objective, "beyond", 0.0)
    most = max(reach.limit, 0 if isinstance(beyond, str) else int(beyond * reach.per))
    if isinstance(objective, PMedian | ServedMedian) and float(reach.parts.max(initial=0)) * demand.weight * most > 2.0**62:
        zh, en = "单个格网人口过多，超出整数范围", "a cell holds too many people for whole numbers"
        yield bad("too_many_people", zh, en, "请细分格网。", "Split the cells.")
