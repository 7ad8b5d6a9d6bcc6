"""Check what a plan in a study file refers to, every fault with its cure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final

from careshed.intake.columns import nearest
from careshed.modes import MODES
from careshed.policy.types import canonical_function, functions, operator_kinds
from careshed.schema import TIERS, Fault, InputError, file_label
from careshed.settings.config import study_fault

if TYPE_CHECKING:
    from pathlib import Path

    from careshed.settings.siting import PlanSection
    from careshed.study import Study

Told = tuple[str, str, tuple[str, str], tuple[str, str], str]
"""Code, key, what is wrong, cure, value found."""

TRAVELS: Final = ("p_median", "p_centre", "served_median")
"""Objectives that weigh travel and so need to know what people beyond the limit count."""

LONGEST_MINUTES: Final = 1_440
"""A day."""

LONGEST_METRES: Final = 1_000_000
"""A thousand kilometres."""

GIVES_PLACES: Final = ("max_served", "served_median")
"""Objectives that give people places."""


def check_plans(study: Study, sections: Sequence[PlanSection]) -> None:
    """Check every plan of a study before anything is computed.

    Raises
    ------
    careshed.schema.InputError
        With every fault of every plan.
    """
    faults = [
        fault for number, one in enumerate(study.config.plan, 1) if one in sections for fault in _faults(study, number, one)
    ]
    counts = Counter(one.id for one in study.config.plan)
    cure = ("请使用不同的 id。", "Give each plan an id of its own.")
    faults += [
        study_fault(
            study.path, "duplicate_plan", "[[plan]] id", (f"“{name}”出现 {n} 次", f"{name!r} occurs {n} times"), cure, name
        )
        for name, n in counts.items()
        if n > 1
    ]
    if faults:
        raise InputError(faults)


def _faults(study: Study, number: int, one: PlanSection) -> Iterator[Fault]:
    for code, key, told, cure, found in (
        *_names(study, one),
        *_units(study, one),
        *_limits(one),
        *_contradictions(one),
        *_phases(one),
    ):
        yield study_fault(study.path, code, f"[[plan]] {number}: {key}", told, cure, found)


def _names(study: Study, one: PlanSection) -> Iterator[Told]:
    known = [service.id for service in study.services]
    if bool(one.service) == bool(one.services):
        told = ("service 与 services 应写且只写一个", "needs either service or services, and not both")
        yield "plan_service", "service", told, (f"可用：{', '.join(known)}。", f"Known: {', '.join(known)}."), ""
    for key, names in (
        ("service", one.service_ids),
        ("demand", [demand.service for demand in one.demand]),
        ("per_unit", [rule.service for rule in one.per_unit]),
        ("reach", [rule.service for rule in one.reach]),
        ("hosting", [rule.service for rule in one.hosting]),
        ("upgradable", [rule.service for rule in one.upgradable]),
        ("subsidy", [rule.service for rule in one.subsidy]),
    ):
        allowed = known if key == "service" else list(one.service_ids)
        yield from (
            _unknown(key, name, ("未知的服务", "unknown service"), allowed) for name in names if name not in ("", *allowed)
        )
    if one.mode and one.mode not in MODES:
        yield _unknown("mode", one.mode, ("未知的出行方式", "unknown mode"), sorted(MODES))
    groups = [*one.weights, *(demand.group for demand in one.demand), *(rule.group for rule in one.reach if rule.group)]
    no_group = ("人口数据中没有该年龄组", "the population has no such group")
    yield from (_unknown("weights", name, no_group, list(study.groups)) for name in groups if name not in study.groups)
    classes = list(operator_kinds())
    no_class = ("未知的运营性质类别", "unknown class of operator")
    yield from (_unknown("classes", name, no_class, classes) for name in one.classes if name not in classes)
    no_function = ("未知的功能", "unknown function")
    yield from (
        _unknown("functions", name, no_function, list(functions())) for name in one.functions if not canonical_function(name)
    )


def _units(study: Study, one: PlanSection) -> Iterator[Told]:
    levels = [("per_unit", rule.level) for rule in one.per_unit] + [("reach", rule.level) for rule in one.reach if rule.level]
    levels += [("amount", rule.level) for rule in one.amount if rule.level] + [("level", one.level) for _ in (1,) if one.level]
    for key, level in levels:
        if level not in TIERS:
            yield _unknown(key, level, ("未知的单元级别", "unknown level of unit"), list(TIERS))
    for key, rule in [("per_unit", rule) for rule in one.per_unit] + [("reach", rule) for rule in one.reach]:
        if rule.setting != "all" and not study.units.get("setting", "").isin([rule.setting]).any():
            told = (f"没有 setting 为 {rule.setting} 的单元", f"no unit has the setting {rule.setting}")
            yield (
                "no_setting",
                f"{key}: setting",
                told,
                ("请补充单元表的 setting 列。", "Add the column 'setting' to the units."),
                "",
            )
        for code in rule.units:
            if code not in study.units.index:
                yield _unknown(
                    f"{key}: units", code, ("没有这一单元", "there is no such unit"), list(map(str, study.units.index))
                )


def _limits(one: PlanSection) -> Iterator[Told]:
    cure = ("请核对数值。", "Correct the value.")
    stated = [("minutes", one.minutes), ("metres", one.metres)]
    stated += [(f"demand: {key}", getattr(part, key)) for part in one.demand for key in ("minutes", "metres")]
    stated += [(f"reach: {key}", getattr(part, key)) for part in one.reach for key in ("minutes", "metres")]
    for key, value in stated:
        most = LONGEST_MINUTES if key.endswith("minutes") else LONGEST_METRES
        if value is not None and value > most:
            yield "bad_limit", key, (f"不得超过 {most:,}", f"must be at most {most:,}"), cure, str(value)
    for far, worth in one.bands:
        if not (0 < far <= LONGEST_METRES and 0 <= worth < inf):
            told = (
                "每档应为大于 0 的距离与不小于 0 的权重",
                "a band is a limit above 0 and what a person within it counts, 0 or more",
            )
            yield "bad_bands", "bands", told, cure, f"{far}, {worth}"


def _contradictions(one: PlanSection) -> Iterator[Told]:
    either = ("请只保留其中之一。", "Keep one of the two.")
    if one.minutes is not None and one.metres is not None:
        yield "two_limits", "minutes", ("minutes 与 metres 不能同时写", "minutes and metres exclude each other"), either, ""
    if one.weights and one.demand:
        yield "two_demands", "weights", ("weights 与 demand 不能同时写", "weights and demand exclude each other"), either, ""
    if one.weights and len(one.service_ids) > 1:
        cure = ("请用 [[plan.demand]] 逐项写明。", "List them as [[plan.demand]].")
        yield "which_service", "weights", ("多项服务时须写明属于哪项", "must name the service where there are several"), cure, ""
    if one.at_most is not None and one.at_least > one.at_most:
        told = (f"至少 {one.at_least}，至多 {one.at_most}", f"at least {one.at_least}, but at most {one.at_most}")
        yield "contradictory_bounds", "at_least", told, ("请改正其中之一。", "Correct one of them."), ""
    if one.objective == "worst_unit" and not one.level:
        cure = ('请填写 level，如 "street"。', 'Give level, such as "street".')
        yield "no_level", "level", ("worst_unit 需要单元级别", "worst_unit needs a level of unit"), cure, ""
    if one.subsidy and one.subsidies == "profile":
        told = ('subsidy 与 subsidies = "profile" 不能同时写', 'subsidy and subsidies = "profile" exclude each other')
        yield "two_subsidies", "subsidies", told, either, ""
    if sum(rule.share is not None for rule in one.per_unit) > 1:
        told = ("只能有一条 per_unit 写 share", "only one per_unit may have a share")
        yield "two_shares", "per_unit: share", told, either, ""
    if one.phase and one.budget_yuan is not None and any(phase.yuan is not None for phase in one.phase):
        told = ("分期已写 yuan，budget_yuan 须去掉", "the phases state yuan, so budget_yuan must go")
        yield "two_budgets", "budget_yuan", told, either, ""


def _phases(one: PlanSection) -> Iterator[Told]:
    years = [phase.year for phase in one.phase]
    if years != sorted(set(years)):
        told = ("年份应由早到晚且不重复", "years must go up and none stand twice")
        yield "phase_order", "phase: year", told, ("请按年份排列。", "Put them in order."), ", ".join(map(str, years))


def _unknown(key: str, word: str, told: tuple[str, str], known: Sequence[str]) -> Told:
    near = nearest(word, known)
    hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
    some = ", ".join(known[:12]) + (" …" if len(known) > 12 else "")
    return "unknown_name", key, told, (f"{hint[0]}可用：{some}。", f"{hint[1]}Known: {some}."), word


def named(error: InputError, path: Path, one: PlanSection) -> InputError:
    """Say of faults that the planning found which plan of which file they belong to."""
    at = f"[[plan]] {one.id}"
    return InputError(
        replace(fault, file=fault.file or file_label(path), zh=f"{at}：{fault.zh}", en=f"{at}: {fault.en}")
        for fault in error.faults
    )
