"""Refuse scenarios and questions that make no sense, all faults at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from careshed.schema import Fault, InputError
from careshed.siting.scenarios.inputs import Scenario


def wrong(code: str, zh: str, en: str, cure_zh: str = "", cure_en: str = "", *, found: str = "") -> Fault:
    """Make a fault that stops the run."""
    return Fault(code=code, file="", zh=zh, en=en, cure_zh=cure_zh, cure_en=cure_en, found=found)


def refuse(faults: Iterable[Fault]) -> None:
    """Raise one error with all faults, if there are any.

    Raises
    ------
    careshed.schema.InputError
        With every fault.
    """
    told = list(dict.fromkeys(faults))
    if told:
        raise InputError(told)


def scenario_faults(scenarios: Sequence[Scenario]) -> Iterator[Fault]:
    """Find everything wrong with a set of scenarios by itself."""
    if not scenarios:
        yield wrong(
            "no_scenarios",
            "没有给出情景",
            "there are no scenarios",
            "可用 scenario_set() 生成。",
            "Make some with scenario_set().",
        )
    ids = [scenario.id for scenario in scenarios]
    for twice in sorted({one for one in ids if ids.count(one) > 1}):
        yield wrong(
            "scenario_twice", "情景编号重复", "a scenario id repeats", "请各用一个编号。", "Give each its own.", found=twice
        )
    for scenario in scenarios:
        for zh, en in _amiss(scenario):
            yield wrong("scenario", f"情景 {scenario.id}：{zh}", f"scenario {scenario.id}: {en}")


def _amiss(scenario: Scenario) -> Iterator[tuple[str, str]]:
    speed, limit, error, paths = scenario.speed, scenario.limit, scenario.population, scenario.paths
    factors = [speed.factor, speed.leg_factor, speed.steps_factor, limit.factor, limit.minutes, limit.metres, error.block_m]
    if any(one is not None and not (np.isfinite(one) and one > 0) for one in factors):
        yield "速度、时限和街区边长须大于 0", "speeds, limits and block sizes must be above 0"
    if limit.minutes is not None and limit.metres is not None:
        yield "时限与距离只能给一个", "give a limit in minutes or in metres, not both"
    if not (np.isfinite(error.relative_se) and error.relative_se >= 0):
        yield "人口相对误差不得为负", "the relative error of the population must not be below 0"
    if not 0 <= error.shared <= 1 or not 0 <= paths.missing_share <= 1:
        yield "比例须在 0 与 1 之间", "shares must lie between 0 and 1"
    if any(not (np.isfinite(factor) and factor >= 0) for _, factor in (*error.group_factors, *error.unit_factors)):
        yield "人口系数不得为负", "factors on people must not be below 0"
    if paths.missing_share and not paths.classes:
        yield "未说明哪几类道路缺失", "it does not say which classes of ways are missing"
