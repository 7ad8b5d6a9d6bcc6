"""Say what a plan rests on: who counts, how people travel, what is paid, what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from careshed.policy.types import operator_kinds
from careshed.schema import STATUSES
from careshed.siting.planning import Demand, Objective, Rule, SetCover, Spacing
from careshed.siting.planning.kinds import OBJECTIVES
from careshed.siting.studying.matrices import limits_of, mode_of
from careshed.siting.studying.rules import subsidies_asked, subsidy_profile
from careshed.words import group_name, level_name

if TYPE_CHECKING:
    from careshed.settings.siting import PlanSection
    from careshed.study import Study

Said = tuple[str, str]

BUILDS: Final[dict[str, Said]] = {
    "new": ("新建", "new building"),
    "extension": ("改扩建", "extension or conversion"),
    "purchased": ("购置", "bought"),
    "rented": ("租赁", "rented"),
}
SETTINGS: Final[dict[str, Said]] = {"all": ("城乡", "town and country"), "urban": ("城市", "urban"), "rural": ("农村", "rural")}


def assumed(study: Study, one: PlanSection, objective: Objective, rules: Sequence[Rule]) -> tuple[Said, ...]:
    """List what a plan rests on, Chinese and English."""
    told = [*_aim(objective), *_travel(study, one), *_standing(study, one), *_new(one), *_paid(study, one), *_rules(one, rules)]
    if study.data_date:
        told.append((f"数据截至 {study.data_date}", f"data as of {study.data_date}"))
    return tuple(told)


def _aim(objective: Objective) -> Iterator[Said]:
    zh, en = OBJECTIVES[type(objective)]
    share = f"{objective.share:.0%}" if isinstance(objective, SetCover) else ""
    yield f"目标：{zh}{share and f'（{share}）'}", f"objective: {en}{share and f' ({share})'}"
    for demand in objective.demands:
        yield _demand(demand)
    if getattr(objective, "beyond", None) is not None:
        beyond = getattr(objective, "beyond", "")
        zh, en = f"超出范围的人按 {beyond} 计", f"people beyond the limit count as {beyond}"
        yield (zh, en) if not isinstance(beyond, str) else (f"超出范围的人：{beyond}", f"people beyond the limit: {beyond}")


def _demand(demand: Demand) -> Said:
    limit_zh = f"{demand.minutes:g} 分钟" if demand.minutes is not None else f"{demand.metres:g} 米"
    limit_en = f"{demand.minutes:g} minutes" if demand.minutes is not None else f"{demand.metres:g} m"
    zh, en = f"{group_name(demand.group, 'zh')}，{limit_zh}内（含）", f"{group_name(demand.group, 'en')} within {limit_en} (≤)"
    if demand.rate < 1:
        zh, en = f"{zh}，其中 {demand.rate:.1%} 需要（假设）", f"{en}, of whom {demand.rate:.1%} look for it (assumed)"
    if demand.weight != 1:
        zh, en = f"{zh}，权重 {demand.weight:g}", f"{en}, weight {demand.weight:g}"
    if demand.sites_needed > 1:
        zh, en = f"{zh}，须有 {demand.sites_needed} 处可达", f"{en}, {demand.sites_needed} sites needed"
    return zh, en


def _travel(study: Study, one: PlanSection) -> Iterator[Said]:
    modes = dict.fromkeys(mode_of(study, one, study.service(name)) for name in one.service_ids)
    for mode in modes:
        yield (
            f"出行：{mode.zh}，{mode.speed_kmh:g} 千米/时（{mode.source_zh or mode.source}）",
            f"travel: {mode.en}, {mode.speed_kmh:g} km/h ({mode.source})",
        )
    searched = max(limits_of(one, study.service(name)).searched for name in one.service_ids)
    unit_zh, unit_en = ("米", "m") if one.metres is not None else ("分钟", "minutes")
    yield f"搜索至 {searched:g} {unit_zh}", f"searched up to {searched:g} {unit_en}"
    zh = f"离道路直线 {study.snap_m:g} 米以外的点位不接入路网；住在那里的人仍计入分母"
    en = f"places more than {study.snap_m:g} m from any street are not attached; people who live there stay in every denominator"
    yield zh, en


def _standing(study: Study, one: PlanSection) -> Iterator[Said]:
    for name in one.service_ids:
        service = study.service(name)
        states_zh = "、".join(STATUSES[status][0] for status in service.statuses)
        states_en = ", ".join(STATUSES[status][1] for status in service.statuses)
        types = "、".join(service.types)
        zh = f"现有{service.name('zh')}：{types}（{states_zh}）"
        en = f"existing {service.name('en')}: {', '.join(service.types)} ({states_en})"
        if one.classes:
            kinds = [operator_kinds()[word] for word in one.classes]
            zh += f"，仅{'、'.join(kind.name_zh for kind in kinds)}"
            en += f", only {', '.join(kind.name_en for kind in kinds)}"
        if one.functions:
            zh += f"，须有{'、'.join(one.functions)}"
            en += f", offering {', '.join(one.functions)}"
        yield zh, en


def _new(one: PlanSection) -> Iterator[Said]:
    for kind, build in sorted(one.build.items()):
        yield f"补贴类别：{kind}按{BUILDS[build][0]}计", f"for subsidies, {kind} counts as {BUILDS[build][1]}"
    if one.inclusive_share is not None:
        yes = one.new_inclusive
        yield f"新增点位{'按' if yes else '不按'}普惠性计", f"new sites {'count' if yes else 'do not count'} as inclusive"


def _paid(study: Study, one: PlanSection) -> Iterator[Said]:
    if one.subsidies == "profile":
        profile, rates = subsidy_profile(study, one), subsidies_asked(study, one)
        name_zh, name_en = profile.profile.name_zh, profile.profile.name_en
        if not rates:
            yield f"{name_zh}：未规定建设补贴", f"{name_en}: no building subsidy is stated"
            return
        yield f"补贴标准取自{name_zh}，一次性", f"subsidies as in {name_en}, paid once"
    for rate in subsidies_asked(study, one):
        where_zh, where_en = SETTINGS[rate.setting]
        what_zh, what_en = BUILDS[rate.build]
        yield (
            f"{where_zh}{what_zh}：每个托位（床位）{rate.yuan:,.0f} 元",
            f"{where_en}, {what_en}: {rate.yuan:,.0f} yuan a place or bed",
        )


def _rules(one: PlanSection, rules: Sequence[Rule]) -> Iterator[Said]:
    for rule in one.per_unit:
        if rule.share is not None:
            zh = f"{rule.share:.0%} 的{level_name(rule.level, 'zh')}须有一处：新增只设在没有的单元，每单元一处"
            en = f"{rule.share:.0%} of the units ({level_name(rule.level, 'en')}) must have one: "
            yield zh, en + "new sites go to units that have none, one each"
    if any(isinstance(rule, Spacing) for rule in rules):
        yield "间距按直线距离", "spacing is measured as the crow flies"
