"""Check every rule by itself: bounds that agree, units and ids that exist, columns that it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from careshed.reach.times import TravelTimes
from careshed.schema import TIERS, Fault
from careshed.siting.planning.case import UnitTable
from careshed.siting.planning.rules import (
    Amount,
    Budget,
    Closable,
    EachSite,
    Forbidden,
    ForcedIn,
    Hosting,
    InclusiveShare,
    PerUnit,
    ReachInUnits,
    Sites,
    Spacing,
    Upgradable,
)

MOST: Final = 1e12
"""No number of sites, places, square metres or yuan is larger; in millionths it still fits a 64-bit integer."""


@dataclass(frozen=True)
class Facts:
    """What the input has, to check rules against."""

    candidates: frozenset[str]
    usable: frozenset[str]
    """Candidates that can be attached."""
    standing: frozenset[str]
    services: tuple[str, ...]
    units: UnitTable | None
    new: tuple[TravelTimes, ...]
    old: tuple[TravelTimes, ...]


def bad(code: str, zh: str, en: str, cure_zh: str = "", cure_en: str = "", *, found: str = "") -> Fault:
    """Make a fault that stops the plan."""
    return Fault(code=code, file="", zh=zh, en=en, cure_zh=cure_zh, cure_en=cure_en, found=found)


def level_faults(level: str, units: UnitTable | None) -> Iterator[Fault]:
    """A level must be known and have units."""
    if level not in TIERS:
        known = ", ".join(TIERS)
        yield bad("unknown_level", "未知的单元级别", "unknown level of unit", f"可用：{known}。", f"Known: {known}.", found=level)
    elif units is None or not units.of_level(level):
        cure = ("请给出单元表并核对级别。", "Give the table of units and check its levels.")
        yield bad("level_without_units", "没有这一级的单元", "there are no units of this level", *cure, found=level)


def _unit_faults(facts: Facts, level: str, codes: Sequence[str]) -> Iterator[Fault]:
    yield from level_faults(level, facts.units)
    known = set() if facts.units is None else set(facts.units.of_level(level))
    for code in codes:
        if code not in known:
            cure = ("请核对单元编码与级别。", "Check the unit's code and level.")
            yield bad("unknown_unit", "规则所指的单元不存在", "a rule speaks of a unit that does not exist", *cure, found=code)


def _bounds(at_least: float, at_most: float | None, name: str) -> Iterator[Fault]:
    if not at_least >= 0 or (at_most is not None and not at_most >= 0):
        zh, en = f"{name}：数量不得为负", f"{name}: a bound is below zero"
        yield bad("bound_below_zero", zh, en, found=f"{at_least}, {at_most}")
    elif max(at_least, at_most or 0) > MOST:
        zh, en = f"{name}：数量不得超过 {MOST:,.0f}", f"{name}: a bound is above {MOST:,.0f}"
        cure = ("不设限时请留空。", "Leave it out where there is no limit.")
        yield bad("bound_too_large", zh, en, *cure, found=f"{at_least}, {at_most}")
    elif at_most is not None and at_least > at_most:
        zh, en = (
            f"{name}：上下限矛盾（至少 {at_least:g}，至多 {at_most:g}）",
            f"{name}: at least {at_least:g} but at most {at_most:g}",
        )
        yield bad("contradictory_bounds", zh, en, "请改正其中之一。", "Correct one of them.")


def _ids(names: Sequence[str], known: frozenset[str], zh: str, en: str) -> Iterator[Fault]:
    for name in names:
        if name not in known:
            yield bad("unknown_site", f"没有这一{zh}", f"there is no such {en}", "请核对编号。", "Check the id.", found=name)


def _share(share: float, name: str) -> Iterator[Fault]:
    if not 0 <= share <= 1:
        yield bad("bad_share", f"{name}：比例应在 0 与 1 之间", f"{name}: a share must lie between 0 and 1", found=str(share))


def _service(facts: Facts, service: str) -> Iterator[Fault]:
    if service and service not in facts.services:
        known = ", ".join(facts.services)
        cure = (f"可用：{known}。", f"Known: {known}.")
        yield bad(
            "unknown_service", "规则所指的服务不在目标中", "a rule speaks of a service that no demand has", *cure, found=service
        )


def _sites(facts: Facts, rule: Sites) -> Iterator[Fault]:
    yield from _bounds(rule.at_least, rule.at_most, "Sites")
    yield from _service(facts, rule.service)


def _per_unit(facts: Facts, rule: PerUnit) -> Iterator[Fault]:
    yield from _bounds(rule.at_least, rule.at_most, "PerUnit")
    yield from _unit_faults(facts, rule.level, rule.units)
    yield from _service(facts, rule.service)


def _amount(facts: Facts, rule: Amount) -> Iterator[Fault]:
    yield from _bounds(rule.at_least, rule.at_most, "Amount")
    if rule.level:
        yield from level_faults(rule.level, facts.units)
    yield from _column(facts.new, rule.measure) if rule.measure != "sites" else ()


def _column(tables: Sequence[TravelTimes], column: str) -> Iterator[Fault]:
    if any(column not in times.facilities.columns for times in tables):
        zh, en = f"没有“{column}”列，规则无从判断", f"a rule needs the column {column!r}, which is missing"
        yield bad("missing_column", zh, en, "请补充该列。", "Add the column.", found=column)


def _each_site(facts: Facts, rule: EachSite) -> Iterator[Fault]:
    yield from _bounds(rule.area_m2_at_least or 0.0, None, "EachSite")
    yield from _bounds(rule.places_at_least or 0.0, rule.places_at_most, "EachSite")
    if rule.area_m2_at_least is not None:
        yield from _column(facts.new, "area_m2")
    if rule.places_at_least is not None or rule.places_at_most is not None:
        yield from _column(facts.new, "places")


def _forced(facts: Facts, rule: ForcedIn) -> Iterator[Fault]:
    yield from _ids(rule.ids, facts.candidates, "候选点", "candidate")
    for name in rule.ids:
        if name in facts.candidates - facts.usable:
            cure = ("请核对其坐标。", "Check its coordinates.")
            yield bad("forced_unattached", "必选的候选点未能接入道路", "a candidate forced in joins no street", *cure, found=name)


def _forbidden(facts: Facts, rule: Forbidden) -> Iterator[Fault]:
    yield from _ids(rule.ids, facts.candidates, "候选点", "candidate")


def _closable(facts: Facts, rule: Closable) -> Iterator[Fault]:
    yield from _ids(rule.ids, facts.standing, "现有设施", "existing site")
    yield from _bounds(rule.cost_yuan, None, "Closable")


def _upgradable(facts: Facts, rule: Upgradable) -> Iterator[Fault]:
    yield from _ids([rule.id], facts.standing | facts.usable, "设施", "site")
    yield from _bounds(rule.cost_yuan, None, "Upgradable")
    yield from _service(facts, rule.service)
    if not rule.service and len(facts.services) > 1:
        zh, en = "多项服务时，扩建须注明 service", "an upgrade must name its service where a plan sites several"
        yield bad("no_service", zh, en, "请填写 service。", "Give service.", found=rule.id)
    if not rule.places > 0:
        yield bad("capacity_below_zero", "扩建增加的托位（床位）数应大于 0", "an upgrade must add places", found=str(rule.places))


def _budget(facts: Facts, rule: Budget) -> Iterator[Fault]:
    if not 0 <= rule.yuan < np.inf:
        cure = ("请填写不小于 0 的金额。", "Give an amount of 0 or more.")
        yield bad("bad_budget", "预算为负或不是有限的数", "the budget is below zero or not finite", *cure, found=str(rule.yuan))
    else:
        yield from _bounds(rule.yuan, None, "Budget")
    for rate in rule.subsidies:
        if not 0 <= rate.yuan < np.inf:
            yield bad("bad_subsidy", "补贴标准不得为负", "a subsidy is below zero", found=str(rate.yuan))
        yield from _service(facts, rate.service)
        if rate.setting != "all" and (facts.units is None or not any(facts.units.settings.values())):
            cure = ("请补充单元表的 setting 列。", "Add the column 'setting' to the units.")
            yield bad(
                "no_setting", "补贴分城乡，但单元未注明", "a subsidy goes by urban and rural, which the units do not say", *cure
            )
    for times in facts.new:
        yield from _cost_faults(times)


def _cost_faults(times: TravelTimes) -> Iterator[Fault]:
    table = times.facilities
    known = table["cost_yuan"].notna().to_numpy() if "cost_yuan" in table.columns else np.zeros(len(table), dtype=np.bool_)
    lost = sorted(str(name) for name in table.index[~known & (times.facility_fault == "")])
    if lost:
        named = ", ".join(lost[:5])
        cure = ("请补充造价，或去掉预算。", "Fill in the cost, or drop the budget.")
        yield bad(
            "cost_unknown",
            f"有预算，但 {len(lost)} 个候选点造价未知：{named}",
            f"{len(lost)} candidate(s) of unknown cost: {named}",
            *cure,
        )


def _spacing(facts: Facts, rule: Spacing) -> Iterator[Fault]:  # noqa: ARG001
    if not 0 < rule.metres < np.inf:
        yield bad("bad_spacing", "间距应大于 0", "the spacing must be above 0 m", found=str(rule.metres))
    lost = [] if rule.streets is None else [name for name in ("a", "b", "metres") if name not in rule.streets.columns]
    if lost:
        zh, en = "间距矩阵缺少列", "the matrix of distances lacks columns"
        yield bad("missing_column", zh, en, "需要 a、b、metres。", "It needs a, b and metres.", found=", ".join(lost))


def _inclusive(facts: Facts, rule: InclusiveShare) -> Iterator[Fault]:
    yield from _share(rule.at_least, "InclusiveShare")
    tables = [*facts.new, *(facts.old if rule.which == "all" else ())]
    yield from _column(tables, "inclusive")
    yield from _column(tables, rule.measure) if rule.measure != "sites" else ()


def _reach_in_units(facts: Facts, rule: ReachInUnits) -> Iterator[Fault]:
    yield from _share(rule.share, "ReachInUnits")
    if rule.level:
        yield from _unit_faults(facts, rule.level, rule.units)


def _hosting(facts: Facts, rule: Hosting) -> Iterator[Fault]:
    if not rule.service or rule.service not in facts.services:
        yield from _service(facts, rule.service or "?")
    for value in (rule.cost_yuan, rule.area_m2, rule.places or 0.0):
        yield from _bounds(value, None, "Hosting")


CHECKS: Final[dict[type, Callable[[Facts, Any], Iterator[Fault]]]] = {
    Sites: _sites,
    PerUnit: _per_unit,
    Amount: _amount,
    EachSite: _each_site,
    ForcedIn: _forced,
    Forbidden: _forbidden,
    Closable: _closable,
    Upgradable: _upgradable,
    Budget: _budget,
    Spacing: _spacing,
    InclusiveShare: _inclusive,
    ReachInUnits: _reach_in_units,
    Hosting: _hosting,
}
"""Rule -> what checks it."""
