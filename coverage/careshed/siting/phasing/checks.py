"""Refuse phases, rules and objectives that make no sense together, all faults at once, each with its cure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from careshed.schema import Fault
from careshed.siting.phasing.phase import Phase
from careshed.siting.planning.case import services_of
from careshed.siting.planning.kinds import OBJECTIVES, MaxCover, Objective, SetCover
from careshed.siting.planning.rule_checks import bad
from careshed.siting.planning.rules import Budget, Closable, Hosting, Rule, Subsidy, Upgradable

UNSUPPORTED = {
    Closable: ("关停现有设施（Closable）", "closing existing sites (Closable)"),
    Upgradable: ("扩建（Upgradable）", "upgrades (Upgradable)"),
    Hosting: ("一址多用（Hosting）", "several services under a roof (Hosting)"),
}
"""Rule that a plan over years does not take -> (Chinese, English)."""

MOST_WEIGHT = 1e4
"""Years that a phase may count at most."""


def phase_faults(
    phases: Sequence[Phase],
    objective: Objective,
    rules: Sequence[Rule],
    subsidies: Sequence[Subsidy],
    unused: str,
    horizon: int | None,
    gap: float,
) -> Iterator[Fault]:
    """Name what a plan over years cannot use."""
    yield from _supported(objective, rules)
    yield from _years(phases, horizon)
    for phase in phases:
        yield from _one(phase)
    if phases and all(phase.weight == 0 for phase in phases):
        yield bad("no_weight", "各期权重均为 0", "every phase weighs 0", "请至少给一期权重。", "Give one of them a weight.")
    if unused not in ("carried_over", "lapses"):
        cure = ("应为 carried_over 或 lapses。", "Use 'carried_over' or 'lapses'.")
        yield bad("bad_unused", "结余的处理方式未知", "unknown way to treat unused means", *cure, found=str(unused))
    if subsidies and any(isinstance(rule, Budget) and rule.subsidies for rule in rules):
        cure = ("请只保留一处。", "Keep one of the two.")
        yield bad("two_subsidies", "补贴在 Budget 与 subsidies 中重复给出", "subsidies given both in Budget and apart", *cure)
    if not 0 <= gap < 1:
        yield bad("bad_gap", "gap 应在 0 与 1 之间", "gap must be at least 0 and below 1", found=str(gap))


def _supported(objective: Objective, rules: Sequence[Rule]) -> Iterator[Fault]:
    if not isinstance(objective, MaxCover | SetCover):
        zh, en = OBJECTIVES[type(objective)]
        cure = ("可用：MaxCover、SetCover。", "Use MaxCover or SetCover.")
        name = type(objective).__name__
        yield bad("objective_without_phases", f"分期方案不支持目标“{zh}”", f"no plan over years for {en!r}", *cure, found=name)
    elif len(services_of(objective)) > 1:
        named = ", ".join(services_of(objective))
        cure = ("请逐项服务分期。", "Plan each service by itself.")
        yield bad("services_without_phases", "分期方案只支持一项服务", "a plan over years sites one service", *cure, found=named)
    for kind in dict.fromkeys(type(rule) for rule in rules if type(rule) in UNSUPPORTED):
        zh, en = UNSUPPORTED[kind]
        cure = ("请去掉该规则，或用 plan_sites。", "Leave the rule out, or use plan_sites.")
        yield bad(
            "rule_without_phases", f"分期方案不支持{zh}", f"a plan over years does not take {en}", *cure, found=kind.__name__
        )


def _years(phases: Sequence[Phase], horizon: int | None) -> Iterator[Fault]:
    if not phases:
        yield bad("no_phases", "没有分期", "there are no phases", "请至少给出一期。", "Give at least one.")
        return
    years = [phase.year for phase in phases]
    if any(later <= earlier for earlier, later in zip(years, years[1:], strict=False)):
        cure = ("请按年份先后排列，每年一期。", "Put them in the order of years, one a year.")
        yield bad(
            "years_out_of_order", "各期年份未递增", "the years of the phases do not rise", *cure, found=", ".join(map(str, years))
        )
    if horizon is not None and horizon < years[-1]:
        cure = ("请改为不早于最后一期的年份。", "Give the last phase's year or a later one.")
        yield bad("bad_horizon", "期末年份早于最后一期", "the horizon lies before the last phase", *cure, found=str(horizon))


def _one(phase: Phase) -> Iterator[Fault]:
    year_zh, year_en = phase.label("zh"), phase.label("en")
    least = (phase.at_least_sites, phase.at_least_places)
    if (phase.sites is not None and phase.sites < 0) or not all(0 <= one < np.inf for one in least):
        yield bad("bound_below_zero", f"{year_zh}：数量为负或不是有限的数", f"{year_en}: a number is below zero or not finite")
    elif phase.sites is not None and phase.at_least_sites > phase.sites:
        zh = f"{year_zh}：上下限矛盾（至少 {phase.at_least_sites}，至多 {phase.sites}）"
        en = f"{year_en}: at least {phase.at_least_sites} but at most {phase.sites}"
        yield bad("contradictory_bounds", zh, en, "请改正其中之一。", "Correct one of them.")
    if phase.yuan is not None and not 0 <= phase.yuan < np.inf:
        cure = ("请填写不小于 0 的金额。", "Give an amount of 0 or more.")
        yield bad(
            "bad_budget", f"{year_zh}：资金为负或不是有限的数", f"{year_en}: money below zero or not finite", *cure,
            found=str(phase.yuan),
        )  # fmt: skip
    if phase.weight is not None and not 0 <= phase.weight <= MOST_WEIGHT:
        zh, en = (
            f"{year_zh}：权重应在 0 与 {MOST_WEIGHT:,.0f} 之间",
            f"{year_en}: a weight must lie between 0 and {MOST_WEIGHT:,.0f}",
        )
        yield bad("bad_weight", zh, en, found=str(phase.weight))
