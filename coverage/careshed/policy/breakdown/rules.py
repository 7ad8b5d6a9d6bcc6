"""Break a rule of a plan down to the units of a study, by people, by uncovered people or by the planner's own key."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd

from careshed.access import lineage
from careshed.policy.breakdown.sharing import GIVEN, Breakdown, break_down, break_down_further
from careshed.policy.judging.card import Both, RuleResult, Scorecard
from careshed.policy.judging.ground import Ground, chosen
from careshed.policy.judging.measured import NONE
from careshed.policy.model import Rule
from careshed.schema import TIERS, Fault, InputError
from careshed.settings.sections import PolicySection
from careshed.words import LEVELS, group_name

if TYPE_CHECKING:
    from careshed.study import Study

Key = Literal["group", "uncovered"]
"""By people of the rule's group, or by those of them who reach no facility within the limit."""

COUNTED: Final = ("facilities", "places", "places_added")
"""Measures whose target is itself a count that can be shared out."""

RATIOS: Final[Mapping[str, float]] = {"places_per_1000": 1000.0}
"""Measures whose target becomes a count of places once people are known -> people per unit of the target."""


def break_down_rule(
    rule: Rule,
    study: Study,
    *,
    level: str | Sequence[str] = "county",
    key: Key | pd.Series[float] = "group",
    key_from: Both | None = None,
    card: Scorecard | None = None,
    what: Literal["target", "missing"] = "target",
    total: float | None = None,
    by_year: bool = True,
    fixed: Mapping[str, float] | None = None,
    decimals: int = 0,
) -> Breakdown:
    """Break a rule's target down to a study's units, so that each of them knows its part of the city's promise.

    Parameters
    ----------
    level
        Level to break down to; several, the highest first, share each unit's part out further (county, then street). A level
        stands for its tier: ``street`` is streets and townships, unless the rule is of town or country only.
    key
        ``group`` (people of the rule's group), ``uncovered`` (those of them who reach no such facility within the rule's
        limit), or the planner's own weights, index unit code.
    key_from
        Where the planner's own weights come from, Chinese and English.
    card
        Judged plan; needed for ``what="missing"``.
    what
        The whole target, or what is still missing to it.
    total
        What to share out, where the rule does not say it or says it twice.
    by_year
        Whether a schedule of the rule decides the years.
    fixed
        Unit of the first level -> target set by hand.

    Raises
    ------
    careshed.schema.InputError
        If the rule is no count and none can be told, the plan contradicts itself, the study lacks the units or the people, or the
        key has faults.
    """
    ground = Ground(study, study.policy or PolicySection(profile=""), int(study.data_date[:4]) if study.data_date else None)
    amount, years, of_what, notes = _amount(rule, ground, card, what, total, by_year, decimals)
    levels = [level] if isinstance(level, str) else list(level)
    weights, told = _key(rule, ground, levels, key, key_from or GIVEN)
    names = study.units["name"].astype(str).to_dict()
    found = break_down(
        amount, weights[0], years=None if years is None else years[0], cumulative=years is not None and years[1], fixed=fixed,
        decimals=decimals, key_from=told, names=names,
    )  # fmt: skip
    for finer in weights[1:]:
        parent = pd.Series({str(code): _above(str(code), found.key.index, study) for code in finer.index}, dtype=object)
        found = break_down_further(found, finer, parent, key_from=told, names=names)
    return replace(found, of_what=of_what, notes=(*notes, *found.notes))


def _stop(rule: Rule, code: str, told: Both, cure: Both) -> InputError:
    return InputError([Fault(code, rule.id, f"{rule.title_zh}：{told[0]}", f"{rule.title_en}: {told[1]}", *cure)])


def _amount(
    rule: Rule, ground: Ground, card: Scorecard | None, what: str, total: float | None, by_year: bool, decimals: int
) -> tuple[float, tuple[dict[int, float], bool] | None, Both, tuple[Both, ...]]:
    """Say how much is shared out, in which years (and whether these are cumulative), of what, and what to note."""
    titles: Both = (rule.title_zh, rule.title_en)
    if what == "missing":
        result = _judged(rule, card)
        missing = result.targets[0].missing if total is None else total
        words: Both = (f"{titles[0]}尚缺（{result.missing_of[0]}）", f"missing: {titles[1]} ({result.missing_of[1]})")
        return _up(missing, decimals), None, words, ()
    about = rule.compounds or "compound" in rule.levels
    if about and (total is None or (by_year and rule.by_year)):
        told = ("以小区为对象，城市人口不是其总量的依据", "it is about compounds, of which the city's population is no measure")
        cure = (
            "请用 what=missing 分解各小区的缺口（先评分并传入 card）。",
            "Share out what the compounds still lack (what=missing, with the judged card).",
        )
        raise _stop(rule, "about_compounds", told, cure)
    per = _per_target(rule, ground)
    target = total if total is not None else None if per is None else _target(rule, ground, per, decimals)
    if target is None:
        told = ("目标不是可分解的数量", "its target is no count that could be shared out")
        cure = ("请给出 total，或用 what=missing 分解缺口。", "Give total, or share out what is missing (what=missing).")
        raise _stop(rule, "not_a_count", told, cure)
    notes: tuple[Both, ...] = ()
    if rule.measure in RATIOS and total is None:
        per_zh = f"总量 = 目标值 × 人口 ÷ {RATIOS[rule.measure]:g}，向上取整"
        notes = ((per_zh, f"total = target × people / {RATIOS[rule.measure]:g}, rounded up"),)
    if not (by_year and rule.by_year):
        return target, None, titles, notes
    cumulative = rule.measure != "places_added"
    planned = {year: _up(value * (per or 1.0), decimals) for year, value in sorted(rule.by_year.items())}
    reached = planned[max(planned)] if cumulative else math.fsum(planned.values())
    if abs(reached - target) > 1e-9 * max(1.0, target):
        told = (f"分年度合计 {reached:g} 与目标 {target:g} 不符", f"the years make {reached:g}, the target is {target:g}")
        cure = (
            f"请择一：total={reached:g} 按年分解，或 by_year=False 只分解总量。",
            f"Choose: total={reached:g} with the years, or by_year=False for the total alone.",
        )
        raise _stop(rule, "years_differ", told, cure)
    return target, (planned, cumulative), titles, notes


def _judged(rule: Rule, card: Scorecard | None) -> RuleResult:
    """Find a rule's result with what is missing."""
    held = {} if card is None else {result.id: result for result in card.results}
    if rule.id not in held or not held[rule.id].targets:
        told = ("尚未评分，缺口未知", "it has not been judged, so what is missing is not known")
        cure = ("请先评分并传入 card，或给出 total。", "Judge the plan first and give the card, or give total.")
        raise _stop(rule, "not_judged", told, cure)
    return held[rule.id]


def _per_target(rule: Rule, ground: Ground) -> float | None:
    """Give how many pieces one unit of the target stands for; None where the target is no count."""
    if rule.measure in COUNTED:
        return 1.0
    if rule.measure not in RATIOS:
        return None
    return float(ground.people(_group(rule, ground), rule.setting).iloc[0]) / RATIOS[rule.measure]


def _target(rule: Rule, ground: Ground, per: float, decimals: int) -> float | None:
    value = ground.policy.set.get(rule.id) if rule.value == "unset" else rule.value
    if value is None and rule.by_year:
        years = rule.by_year
        value = math.fsum(years.values()) if rule.measure == "places_added" else years[max(years)]
    return None if value is None else _up(value * per, decimals)


def _up(value: float, decimals: int) -> float:
    """Round up to whole steps; a hair above one, as sums of floats leave it, does not count."""
    steps = math.ceil(round(value * 10**decimals, 6))
    return float(round(steps / 10**decimals, max(decimals, 0)))


def _group(rule: Rule, ground: Ground) -> str:
    group = ground.group(rule)
    if group is None:
        told = ("研究数据中没有该人群", "the study does not count the people it is about")
        raise _stop(rule, "no_group", told, ("请补充人口数据，或自带依据 key。", "Add the people, or give a key of your own."))
    return group


def _key(
    rule: Rule, ground: Ground, levels: list[str], key: Key | pd.Series[float], key_from: Both
) -> tuple[list[pd.Series[float]], Both]:
    """Give the key of the units of every level, and where it comes from."""
    units = [_units_at(rule, ground, level) for level in levels]
    if not isinstance(key, str):
        strange = [str(code) for code in key.index if not any(code in own for own in units)]
        if strange:
            told = (
                f"依据中有不在该级单元内的代码：{'、'.join(strange)}",
                f"the key names units of other levels: {', '.join(strange)}",
            )
            raise _stop(rule, "unknown_unit", told, ("请核对单元代码和级别。", "Check codes and level."))
        return [key.reindex(own).astype(float) for own in units], key_from
    group = _group(rule, ground)
    date = ground.study.data_date
    dated = f"，{date}" if date else "", f", {date}" if date else ""
    place = {"urban": ("城镇", " in town"), "rural": ("农村", " in the country")}.get(rule.setting, NONE)
    if key == "group":
        people = ground.people(group, rule.setting)
        told = (
            f"{place[0]}{group_name(group, 'zh')}（研究人口数据{dated[0]}）",
            f"{group_name(group, 'en')}{place[1]} (the study's population{dated[1]})",
        )
        return [people.reindex(own) for own in units], told
    limit = ground.limit(rule)
    covered = ground.covered(chosen(ground.open_in(ground.year), rule), limit, group, rule.setting)
    far = f"{limit.minutes:g} 分钟" if limit.minutes is not None else f"{limit.metres:g} 米"
    away = f"{limit.minutes:g} minutes" if limit.minutes is not None else f"{limit.metres:g} m"
    told = (
        f"{place[0]}{far}内无此类设施可达的{group_name(group, 'zh')}（不通路网者计入{dated[0]}）",
        f"{group_name(group, 'en')}{place[1]} without such a facility within {away} (those off the streets included{dated[1]})",
    )
    left = (covered["people"] - covered["covered"]).clip(lower=0.0)
    return [left.reindex(own) for own in units], told


def _units_at(rule: Rule, ground: Ground, level: str) -> list[str]:
    if level not in LEVELS:
        told = (f"没有“{level}”这一级", f"there is no level {level!r}")
        raise _stop(rule, "unknown_level", told, (f"可用：{'、'.join(LEVELS)}。", f"Known: {', '.join(LEVELS)}."))
    alike = [one for one, tier in TIERS.items() if tier == TIERS[level]]
    found = ground.units(alike, rule.setting)
    if found.empty:
        told = (f"研究数据中没有“{LEVELS[level][0]}”一级的单元", f"the study has no units of the level {LEVELS[level][1]}")
        raise _stop(rule, "no_units", told, ("请补充单元表，或换一级。", "Add them to the units, or choose another level."))
    return [str(code) for code in found.index]


def _above(code: str, known: pd.Index[str], study: Study) -> str:
    """Find the unit above among those already broken down, "" where there is none."""
    return next((one for one in lineage(code, study.units) if one in known), "")
