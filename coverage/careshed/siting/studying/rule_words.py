"""Say every rule of a plan in one line, and whether it is met."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from careshed.siting.planning import (
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
    Rule,
    Sites,
    Spacing,
    Upgradable,
)
from careshed.siting.planning.wording import yuan_text
from careshed.siting.studying.rules import NO_LIMIT
from careshed.siting.studying.words import limit_of_demand
from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    from careshed.siting.studying.result import StudyPlan

MOST: Final = 8
"""Ids or units named in one line."""

Names = Mapping[str, str]

MEASURES: Final = {"sites": ("处", "sites"), "places": ("个托位（床位）", "places"), "area_m2": ("平方米", "m²")}


def rule_lines(solved: StudyPlan, lang: Lang) -> list[tuple[str, str, bool]]:
    """List the rules of a plan: what each asks, what came of it, and whether it is met."""
    plan = solved.plan
    gave = plan.relaxation.gave_way if plan.relaxation is not None else ()
    names = {str(code): str(name) for code, name in solved.problem.study.units["name"].items()}
    met = pick(lang, "已满足", "met")
    rows = []
    for rule in plan.rules:
        mine = [told for told in gave if told.rule is rule]
        said = pick(lang, "；", "; ").join(pick(lang, f"让步：{one.zh}", f"gave way: {one.en}") for one in mine)
        text = rule_text(rule, lang, names)
        rows += [(text, said or met, not mine)] if text else []
    own = [told for told in gave if told.rule is None]
    rows += [(pick(lang, one.zh, one.en), pick(lang, "让步", "gave way"), False) for one in own]
    return rows


def rule_text(rule: Rule, lang: Lang, names: Names) -> str:
    """Say what a rule asks, in one line.

    >>> rule_text(PerUnit("street", at_least=1), "en", {}), rule_text(Sites(at_most=8), "zh", {})
    ('every street (jiedao) has at least 1 site', '新增设施至多 8 处')
    """
    return WRITERS[type(rule)](rule, lang, names)


def _between(at_least: float, at_most: float | None, unit: tuple[str, str], lang: Lang) -> str:
    zh = [f"至少 {at_least:g}" if at_least else "", f"至多 {at_most:g}" if at_most is not None else ""]
    en = [f"at least {at_least:g}" if at_least else "", f"at most {at_most:g}" if at_most is not None else ""]
    told_en = " and ".join(filter(None, en)) or "any number of"
    one = unit[1][:-1] if (at_most or at_least) == 1 and unit[1] == "sites" else unit[1]
    return pick(lang, f"{'、'.join(filter(None, zh)) or '不限'} {unit[0]}", f"{told_en} {one}")


def _sites(rule: Sites, lang: Lang, names: Names) -> str:  # noqa: ARG001
    what = pick(lang, "新增设施" if rule.which == "new" else "全部设施", "new sites" if rule.which == "new" else "sites in all")
    told = _between(rule.at_least, rule.at_most, ("处", ""), lang).strip()
    return pick(lang, f"{what}{told}", f"{what}: {told}")


def _per_unit(rule: PerUnit, lang: Lang, names: Names) -> str:
    level, few = level_name(rule.level, lang), _some([names.get(code, code) for code in rule.units], lang)
    told = _between(rule.at_least, rule.at_most, ("处", "sites"), lang)
    new_zh, new_en = ("新增", " (new ones)") if rule.which == "new" else ("", "")
    zh = f"每个{level}{new_zh}{told}" + (f"（只限 {len(rule.units)} 个：{few}）" if rule.units else "")
    return pick(lang, zh, f"every {level} has {told}{new_en}" + (f" (only these {len(rule.units)}: {few})" if rule.units else ""))


def _amount(rule: Amount, lang: Lang, names: Names) -> str:  # noqa: ARG001
    told = _between(rule.at_least, rule.at_most, MEASURES[rule.measure], lang)
    where = pick(lang, f"每个{level_name(rule.level, 'zh')}", f"every {level_name(rule.level, 'en')}") if rule.level else ""
    new = pick(lang, "新增", "new: ") if rule.which == "new" else ""
    return pick(lang, f"{where or '合计'}{new}{told}", f"{where or 'in all'}: {new}{told}")


def _each(rule: EachSite, lang: Lang, names: Names) -> str:  # noqa: ARG001
    parts = []
    if rule.area_m2_at_least is not None:
        parts.append(pick(lang, f"面积至少 {rule.area_m2_at_least:g} 平方米", f"at least {rule.area_m2_at_least:g} m²"))
    if rule.places_at_least is not None:
        parts.append(pick(lang, f"至少 {rule.places_at_least:g} 个位子", f"at least {rule.places_at_least:g} places"))
    if rule.places_at_most is not None:
        parts.append(pick(lang, f"至多 {rule.places_at_most:g} 个位子", f"at most {rule.places_at_most:g} places"))
    return pick(lang, f"每处新增：{'，'.join(parts)}", f"every new site: {', '.join(parts)}")


def _forced(rule: ForcedIn, lang: Lang, names: Names) -> str:  # noqa: ARG001
    return pick(lang, f"必选：{_some(rule.ids, lang)}", f"must be built: {_some(rule.ids, lang)}")


def _forbidden(rule: Forbidden, lang: Lang, names: Names) -> str:  # noqa: ARG001
    n, few = len(rule.ids), _some(rule.ids, lang)
    return pick(lang, f"不得选用 {n} 处：{few}", f"must not be built ({n}): {few}")


def _closable(rule: Closable, lang: Lang, names: Names) -> str:  # noqa: ARG001
    few, each = _some(rule.ids, lang), pick(lang, *yuan_text(rule.cost_yuan))
    return pick(lang, f"可关闭：{few}（每处 {each}）", f"may be closed: {few} ({each} each)")


def _upgradable(rule: Upgradable, lang: Lang, names: Names) -> str:  # noqa: ARG001
    cost = pick(lang, *yuan_text(rule.cost_yuan))
    return pick(
        lang,
        f"可扩建：{rule.id}，增 {rule.places:g} 个位子，{cost}",
        f"may be extended: {rule.id}, {rule.places:g} places, {cost}",
    )


def _budget(rule: Budget, lang: Lang, names: Names) -> str:  # noqa: ARG001
    if rule.yuan >= NO_LIMIT:
        return ""
    net = pick(lang, "（扣除补贴后）", " net of subsidies") if rule.subsidies else ""
    return pick(lang, f"预算 {yuan_text(rule.yuan)[0]}{net}", f"budget {yuan_text(rule.yuan)[1]}{net}")


def _spacing(rule: Spacing, lang: Lang, names: Names) -> str:  # noqa: ARG001
    zh = f"新增点位之间{'以及与现有设施' if rule.with_existing else ''}至少相距 {rule.metres:g} 米"
    return pick(lang, zh, f"new sites at least {rule.metres:g} m apart{' and from existing ones' if rule.with_existing else ''}")


def _inclusive(rule: InclusiveShare, lang: Lang, names: Names) -> str:  # noqa: ARG001
    zh = {"sites": "设施", "places": "托位（床位）", "area_m2": "面积"}[rule.measure]
    en = {"sites": "sites", "places": "places", "area_m2": "floor area"}[rule.measure]
    return pick(lang, f"普惠性{zh}至少占 {rule.at_least:.0%}", f"at least {rule.at_least:.0%} of the {en} inclusive")


def _reach(rule: ReachInUnits, lang: Lang, names: Names) -> str:
    who, limit = group_name(rule.demand.group, lang), limit_of_demand(rule.demand, lang)
    few = _some([names.get(code, code) for code in rule.units], lang)
    where_zh = f"每个{level_name(rule.level, 'zh')}" if rule.level else "全域"
    where_en = f"in every {level_name(rule.level, 'en')}" if rule.level else "in all"
    zh = f"{where_zh}至少 {rule.share:.0%} 的{who}在 {limit}内可达" + (f"（只限：{few}）" if rule.units else "")
    return pick(
        lang, zh, f"{where_en} at least {rule.share:.0%} of the {who} within {limit}" + (f" (only: {few})" if rule.units else "")
    )


def _hosting(rule: Hosting, lang: Lang, names: Names) -> str:  # noqa: ARG001
    cost = pick(lang, *yuan_text(rule.cost_yuan))
    zh = f"同址设置 {rule.service}：{cost}，需 {rule.area_m2:g} 平方米"
    return pick(lang, zh, f"{rule.service} under a shared roof: {cost}, {rule.area_m2:g} m²")


def _some(items: Sequence[str], lang: Lang) -> str:
    told = pick(lang, "、", ", ").join(items[:MOST])
    return told if len(items) <= MOST else f"{told} …"


WRITERS: Final[dict[type, Callable[[Any, Lang, Names], str]]] = {
    Sites: _sites,
    PerUnit: _per_unit,
    Amount: _amount,
    EachSite: _each,
    ForcedIn: _forced,
    Forbidden: _forbidden,
    Closable: _closable,
    Upgradable: _upgradable,
    Budget: _budget,
    Spacing: _spacing,
    InclusiveShare: _inclusive,
    ReachInUnits: _reach,
    Hosting: _hosting,
}
"""Rule -> what says it."""
