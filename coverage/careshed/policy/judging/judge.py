"""Judge every rule of a plan on a study's data: value, verdict, and both senses of covered side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.access import ALL
from careshed.intake.columns import nearest
from careshed.policy.checks import PERCENTS
from careshed.policy.judging.card import Both, Place, Presence, Reach, RuleResult, Scorecard, State, Target, UnitValue, YearValue
from careshed.policy.judging.ground import Ground, chosen, strangers
from careshed.policy.judging.measured import NONE, Measured, Unjudgeable, gap, meets, missing
from careshed.policy.judging.values import NEIGHBOURHOOD, added_measured, each_year, measured
from careshed.policy.loading import load_profile
from careshed.policy.model import Measure, Profile, Rule
from careshed.policy.types import catalogue, functions
from careshed.schema import Fault, InputError, file_label
from careshed.settings.sections import EnteredSection, PolicySection
from careshed.words import LEVELS

if TYPE_CHECKING:
    from careshed.modes import Mode
    from careshed.network import Network
    from careshed.study import Study

_BOTH_SENSES: Final[tuple[Measure, ...]] = ("facilities_per_unit", "units_percent", "people_percent", "places_per_1000")
_ENTERED: Final[tuple[Measure, ...]] = ("entered_percent", "entered_number")


def judge_plan(
    study: Study,
    profile: Profile | None = None,
    *,
    policy: PolicySection | None = None,
    year: int | None = None,
    networks: Mapping[Mode, Network] | None = None,
) -> Scorecard:
    """Judge a plan on a study's data: what is met, what is short and by how much, what the data cannot tell.

    Parameters
    ----------
    profile
        The plan; left out, the one that the study's ``[policy]`` names.
    policy
        Targets set, figures entered and further settings; left out, the study's ``[policy]``, without what it sets and enters
        where that is for another plan.
    year
        Year that the values stand for; left out, the year of the study's data. Facilities that opened later, or closed by its
        end, do not count.

    networks
        Networks of the study that are built already, by mode; those of other modes are built when a rule needs them.

    Raises
    ------
    careshed.schema.InputError
        If the study names no plan and none is given, or its ``[policy]`` sets or enters rules that the plan does not have.
    """
    profile = profile if profile is not None else study_profile(study)
    policy = policy if policy is not None else _own_policy(study, profile)
    _check_policy(study, policy, profile)
    now = year if year is not None else int(study.data_date[:4]) if study.data_date else None
    ground = Ground(study, policy, now, _networks=dict(networks or {}))
    brief = replace(ground, detail=False)
    results = tuple(_judged(ground, brief, profile, rule) for rule in profile.rule)
    head = profile.profile
    return Scorecard(
        profile.id, head.name_zh, head.name_en, head.check_zh, head.check_en, head.doc_no, head.plan_end,
        study.name, study.data_date, study.made_up, now, results, tuple(strangers(study, policy.types)),
        tuple(_card_notes(ground)), _places(ground), ground.population(),
    )  # fmt: skip


def study_profile(study: Study) -> Profile:
    """Load the plan that a study's ``[policy]`` names.

    Raises
    ------
    careshed.schema.InputError
        If it names none, or the profile has faults.
    """
    if study.policy is None:
        told = ("[policy]：研究文件未写所用规划", "[policy]: the study names no plan")
        cure = ('请加入 [policy] 与 profile = "shuozhou-2023"。', 'Add [policy] with profile = "shuozhou-2023".')
        raise InputError([Fault("no_plan", file_label(study.path), *told, *cure)])
    name = study.policy.profile
    return load_profile(study.folder / name if name.endswith(".toml") else name)


def _own_policy(study: Study, profile: Profile) -> PolicySection:
    """Give the study's settings, without targets and figures that are for another plan."""
    if study.policy is None:
        return PolicySection(profile=profile.id)
    named = study.policy.profile
    if named == profile.id or (named.endswith(".toml") and study_profile(study).id == profile.id):
        return study.policy
    return study.policy.model_copy(update={"profile": profile.id, "set": {}, "entered": ()})


def _check_policy(study: Study, policy: PolicySection, profile: Profile) -> None:
    """Refuse settings for rules that the plan does not have, types that do not exist, and targets set over stated ones."""
    ids, faults, file = [rule.id for rule in profile.rule], [], file_label(study.path)
    asked = [("[policy.set]", name) for name in policy.set] + [("[[policy.entered]] rule", one.rule) for one in policy.entered]
    for key, name in asked:
        if name not in ids:
            faults.append(_unknown(file, "unknown_rule", key, ("规划中没有该指标", "the plan has no such rule"), name, ids))
        elif key == "[policy.set]" and profile.find(name).value != "unset":
            told = ("规划已写明目标值，不可另设", "the plan states this target itself; it cannot be set")
            cure = ("请删去该项。", "Leave it out.")
            faults.append(Fault("set_over_plan", file, f"{key} {name}：{told[0]}", f"{key} {name}: {told[1]}", *cure))
        elif key == "[policy.set]" and profile.find(name).measure in PERCENTS and not 1 < policy.set[name] <= 100:
            told = ("应为百分数（1 至 100）", "must be a percentage (1 to 100)")
            cure = ("请写 90 而非 0.9。", "Write 90, not 0.9.")
            found = f"{policy.set[name]:g}"
            faults.append(
                Fault("share_not_percent", file, f"{key} {name}：{told[0]}", f"{key} {name}: {told[1]}", *cure, found=found)
            )
    kinds = [("[policy.types]", name) for name in policy.types.values()] + [
        ("[policy] complete", name) for name in policy.complete
    ]
    for key, name in kinds:
        if name not in catalogue() and not (key == "[policy] complete" and name in functions()):
            told = ("设施类型目录中没有该类型", "the catalogue has no such facility type")
            faults.append(_unknown(file, "unknown_type", key, told, name, sorted(catalogue())))
    if faults:
        raise InputError(faults)


def _unknown(file: str, code: str, key: str, told: Both, word: str, known: Sequence[str]) -> Fault:
    near = nearest(word, known)
    hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
    cure = (f"{hint[0]}可用：{'、'.join(known)}。", f"{hint[1]}Known: {', '.join(known)}.")
    return Fault(code, file, f"{key}：{told[0]}", f"{key}: {told[1]}", *cure, found=word)


def _judged(ground: Ground, brief: Ground, profile: Profile, rule: Rule) -> RuleResult:
    entered = next((one for one in ground.policy.entered if one.rule == rule.id), None)
    target = _target(ground.policy, rule, ground.year)
    if rule.measure == "none" or rule.status == "parameter":
        return _blank(rule, "procedure", NONE, target, entered)
    try:
        found, notes = _found(ground, profile, rule, entered)
    except Unjudgeable as reason:
        return _blank(rule, "unjudged", reason.why, target, entered)
    targets = () if target is None else _targets(rule, found, target)
    units = _with_verdicts(rule, found, target)
    notes = [*notes, *_not_due(rule, ground.year)]
    why = NONE if target is not None else (rule.asks_zh or "请设定目标值", rule.asks_en or "set the target")
    presence, reach = _senses(ground, rule)
    short = [unit for unit in units if unit.met is False]
    counted = float(sum(unit.met is True for unit in units)) if found.each else found.counted
    return RuleResult(
        rule, _state(rule, targets), found.value, target, targets, None if found.each and target is None else counted, found.of,
        found.of_what, found.missing_of, len(short), _people_short(found, short), presence, reach, units,
        _years(brief, profile, rule, found, target), why, tuple(notes), _entered(entered),
    )  # fmt: skip


def _not_due(rule: Rule, now: int | None) -> list[Both]:
    """Say that a target lies in years to come."""
    due = rule.year if not rule.by_year else _due(rule, now)
    if now is None or due is None or due <= now:
        return []
    return [(f"目标年份 {due} 年，尚未到期", f"due in {due}, which is to come")]


def _blank(rule: Rule, state: State, why: Both, target: float | None, entered: EnteredSection | None) -> RuleResult:
    return RuleResult(
        rule, state, None, target, (), None, None, NONE, NONE, 0, None, None, None, (), (), why, (), _entered(entered)
    )  # fmt: skip


def _entered(entered: EnteredSection | None) -> tuple[float, str, str] | None:
    return None if entered is None else (entered.value, entered.source, entered.date)


def _target(policy: PolicySection, rule: Rule, now: int | None) -> float | None:
    """Give the target in force: stated, set by the user, or a year's own; None where the user must set it."""
    if rule.value == "unset":
        return policy.set.get(rule.id)
    if each_year(rule):
        return rule.by_year.get(now or max(rule.by_year), rule.by_year[max(rule.by_year)])
    if rule.value is None:
        return rule.by_year[_due(rule, now)] if rule.by_year else None
    return rule.value


def _due(rule: Rule, now: int | None) -> int:
    """Choose the year of a schedule whose target is in force: the latest that has come, else the first to come."""
    come = [year for year in rule.by_year if now is None or year <= now]
    return max(come) if come else min(rule.by_year)


def _found(ground: Ground, profile: Profile, rule: Rule, entered: EnteredSection | None) -> tuple[Measured, list[Both]]:
    """Measure a rule on the map; where that cannot be, take the figure that the user entered."""
    if rule.measure in _ENTERED:
        if entered is None:
            raise Unjudgeable(
                "地图数据无法得知；请在研究文件 [[policy.entered]] 中填报数值、来源和日期",
                "no map can know this; enter value, source and date in the study's [[policy.entered]]",
            )
        return _as_entered(entered), []
    try:
        notes = _registers_tell(ground, rule)
        found = _measured_now(ground, profile, rule)
    except Unjudgeable as reason:
        if entered is None:
            raise
        told = (
            f"地图数据无法判断（{reason.why[0]}），采用填报值",
            f"the map cannot tell ({reason.why[1]}); the figure entered is used",
        )
        return _as_entered(entered), [told]
    return found, [*notes, *found.notes]


def _as_entered(entered: EnteredSection) -> Measured:
    return Measured(entered.value, None, None, NONE, (), NONE)


def _measured_now(ground: Ground, profile: Profile, rule: Rule) -> Measured:
    if rule.measure == "places_added":
        return added_measured(ground, rule, ground.year, only=each_year(rule))
    return measured(ground, profile, rule, ground.open_in(ground.year))


def _registers_tell(ground: Ground, rule: Rule) -> list[Both]:
    """Refuse a rule on facilities that no register holds, or on functions and operators that none states."""
    present = set(ground.facilities["kind"]) | set(ground.policy.complete)
    absent = [name for name in rule.types if name not in present]
    if len(absent) == len(rule.types):
        zh = f"登记表中没有{'、'.join(absent)}；请补充登记表，确无此类设施则写入 [policy] complete"
        en = f"the registers hold no {', '.join(absent)}; add their register, or list them in [policy] complete if there are none"
        raise Unjudgeable(zh, en)
    own = ground.facilities[ground.facilities["kind"].isin(rule.types)]
    implied = {name for kind in rule.types for name in catalogue()[kind].functions}
    stated = {name for offers in own["offers"] for name in offers} | implied | set(ground.policy.complete)
    if untold := [name for name in rule.functions if name not in stated]:
        zh = f"登记表中没有一处此类设施填有“{'、'.join(untold)}”；请补充服务功能列，确无则写入 [policy] complete"
        words = ", ".join(untold)
        en = f"no facility of these types states {words}; fill in functions, or list it in [policy] complete if none has it"
        raise Unjudgeable(zh, en)
    if rule.classes and len(own) and not own["classes"].map(len).any():
        raise Unjudgeable("登记表未填运营性质", "the registers state no operators")
    notes: list[Both] = []
    if absent:
        notes.append((f"登记表中没有：{'、'.join(absent)}", f"the registers hold no {', '.join(absent)}"))
    if rule.functions and (blank := int((own["offers"].map(len) == 0).sum())):
        notes.append((f"{blank} 处设施未填服务功能，视为不具备", f"{blank} facilities state no functions and count as without"))
    return notes


def _targets(rule: Rule, found: Measured, target: float) -> tuple[Target, ...]:
    stated = [(target, "", rule.quote), *((other.value, other.code, other.quote) for other in rule.also)]
    return tuple(
        Target(one, meets(rule.op, found.value, one), gap(rule.op, found.value, one), missing(found, rule.op, one), code, quote)
        for one, code, quote in stated
    )


def _state(rule: Rule, targets: tuple[Target, ...]) -> State:
    if not targets:
        return "unjudged"
    if any(other.value != targets[0].target for other in rule.also):
        return "contradicted"
    return "met" if targets[0].met else "short"


def _with_verdicts(rule: Rule, found: Measured, target: float | None) -> tuple[UnitValue, ...]:
    """Say of each unit whether it meets the target, where units are held against one."""
    held = found.unit_target if found.unit_target is not None else target
    by_itself = found.each or found.unit_target is not None or rule.measure == "people_percent"
    if held is None or not by_itself:
        return found.units
    op = rule.op if found.unit_target is None else ">="
    return tuple(unit if unit.value is None else replace(unit, met=meets(op, unit.value, held)) for unit in found.units)


def _people_short(found: Measured, short: list[UnitValue]) -> float | None:
    if found.people_short is not None:
        return found.people_short
    counted = [unit.people for unit in short if unit.people is not None]
    return float(sum(counted)) if counted else None


def _senses(ground: Ground, rule: Rule) -> tuple[Presence | None, Reach | None]:
    """Tell both senses of covered: units that have one, and people who reach one."""
    if rule.measure not in _BOTH_SENSES or rule.compounds or "compound" in rule.levels:
        return None, None
    facilities = chosen(ground.open_in(ground.year), rule)
    levels = [level for level in rule.levels if level in LEVELS] or list(NEIGHBOURHOOD)
    units = ground.units(levels, rule.setting)
    counts = ground.per_unit(facilities, np.ones(len(facilities)))
    having = int((counts.reindex(units.index) > 0).sum())
    presence = Presence(having, len(units), tuple(dict.fromkeys(units["level"].astype(str)))) if len(units) else None
    group = ground.group(rule)
    if group is None:
        return presence, None
    limit = ground.limit(rule)
    covered = ground.covered(facilities, limit, group, rule.setting)
    reached, people, unjudged = (float(covered[column][ALL]) for column in ("covered", "people", "unjudged"))
    if not people:
        return presence, None
    return presence, Reach(reached, people, unjudged, group, limit.minutes, limit.metres, limit.mode.name, limit.limit_from)


def _years(ground: Ground, profile: Profile, rule: Rule, now: Measured, target: float | None) -> tuple[YearValue, ...]:
    """Give value and target for each year of the plan; years to come have a target only."""
    if rule.measure in _ENTERED or ground.year is None or not now.parts:
        return ()
    return tuple(_year(ground, profile, rule, year, now, target) for year in plan_years(profile, rule))


def plan_years(profile: Profile, rule: Rule) -> list[int]:
    """List the years that a rule is followed through: those of its schedule, else those of the plan."""
    if rule.by_year:
        return sorted(rule.by_year)
    issued, end = profile.profile.issued[:4], profile.profile.plan_end
    return list(range(int(issued), end + 1)) if issued.isdigit() and end is not None else []


def _year(ground: Ground, profile: Profile, rule: Rule, year: int, now: Measured, target: float | None) -> YearValue:
    due = rule.by_year.get(year, target if rule.year is None or rule.year == year or year == profile.profile.plan_end else None)
    value = _value_in(ground, profile, rule, year, now)
    return YearValue(year, value, due, None if value is None or due is None else meets(rule.op, value, due))


def _value_in(ground: Ground, profile: Profile, rule: Rule, year: int, now: Measured) -> float | None:
    if ground.year is None or year > ground.year:
        return None
    if rule.measure == "places_added":
        return added_measured(ground, rule, year, only=bool(rule.by_year)).value
    if year == ground.year:
        return now.value
    try:
        return measured(ground, profile, rule, ground.open_in(year)).value
    except Unjudgeable:
        return None


def _card_notes(ground: Ground) -> list[Both]:
    """Say what holds for every value of the card."""
    notes: list[Both] = [
        (
            "各年数值均用同一期人口；设施按开办、停业年份逐年计入",
            "all years use one population; facilities count by year of opening and closing",
        ),
        ("“=”按“不低于”判断", 'a target stated with "=" is read as at least that much'),
    ]
    blank = [
        str(code) for code, setting in ground.settings.items() if not setting and ground.study.units.at[code, "level"] != "county"
    ]
    if blank:
        told = "、".join(blank[:6])
        notes.append(
            (
                f"{len(blank)} 个单元未注明城镇或农村（{told}），城镇、农村指标均计入",
                f"{len(blank)} units say neither urban nor rural ({told}) and count under rules of either",
            )
        )
    undated = int((ground.facilities["opened"].isna() & (ground.facilities["status"] == "operating")).sum())
    if undated:
        notes.append(
            (
                f"{undated} 处运营设施未填开办年份，各年均计入",
                f"{undated} operating facilities state no opening year and count in all years",
            )
        )
    homeless = int((ground.facilities["unit"] == "").sum())
    if homeless:
        notes.append((f"{homeless} 处设施不在任何单元内", f"{homeless} facilities lie in no unit"))
    return notes


def _places(ground: Ground) -> tuple[Place, ...]:
    table = ground.facilities
    columns = ["name", "kind", "type", "status", "unit", "places", "opened", "closed"]
    return tuple(
        Place(str(code), str(name), str(kind or word), str(status), str(unit), _number(places), _number(opened), _number(closed))
        for code, (name, kind, word, status, unit, places, opened, closed) in zip(
            table.index, table[columns].itertuples(index=False), strict=True
        )
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
