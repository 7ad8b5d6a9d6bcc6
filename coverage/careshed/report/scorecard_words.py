"""Word what a scorecard says of a rule: value, target, gap, and both senses of covered."""

from __future__ import annotations

from functools import cache
from typing import Final

from careshed.access import ALL
from careshed.policy.audit.loading import audited_profiles, figures_path, read_book
from careshed.policy.audit.spans import read_printed
from careshed.policy.judging import RuleResult, Scorecard, Target
from careshed.policy.judging.card import STATES, State
from careshed.policy.judging.values import place_words
from careshed.policy.model import Rule, Setting
from careshed.policy.types import catalogue
from careshed.schema import STATUSES
from careshed.words import LEVELS, PLURALS, Lang, group_name, led_parts, pick

SIGNS: Final = {">=": "≥", "<=": "≤", "=": "=", ">": ">", "<": "<"}


_SINGULAR: Final = {
    "facilities": "facility",
    "units": "unit",
    "beds": "bed",
    "places": "place",
    "compounds": "compound",
    "people": "person",
    "points": "point",
}
"""Words for several things -> for one."""


def number(value: float) -> str:
    """Write a number as precisely as planners need it.

    >>> number(12345.6), number(3.1654), number(66.43), number(0.0667), number(4.0)
    ('12,346', '3.17', '66.4', '0.067', '4')
    """
    if abs(value - round(value)) < 1e-9 or abs(value) >= 1000:
        return f"{round(value):,}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    told = f"{value:.{digits}f}"
    return told.rstrip("0").rstrip(".") if "." in told else told


def amount(value: float, unit: str) -> str:
    """Write a number with its unit, no space before a Chinese unit.

    >>> amount(66.43, "%"), amount(3.1654, "个/千人"), amount(6, "facilities"), amount(1, "facilities"), amount(96, "")
    ('66.4%', '3.17 个/千人', '6 facilities', '1 facility', '96')
    """
    named = _SINGULAR.get(unit, unit) if value == 1 else unit
    return f"{number(value)}%" if unit == "%" else f"{number(value)} {named}".rstrip()


def state_text(state: State, lang: Lang) -> str:
    """Name a state for the reader."""
    return pick(lang, *STATES[state])


def unit_of(rule: Rule, lang: Lang) -> str:
    """Name the unit of a rule's value, beds and places told apart."""
    if rule.measure in ("places_per_1000", "places", "places_added", "floor_m2_per_place"):
        zh, en = place_words(rule)
        short = zh.removeprefix("张").removeprefix("个"), en
        return {
            "places_per_1000": pick(lang, f"{short[0]}/千人", f"{short[1]} per 1,000"),
            "floor_m2_per_place": pick(lang, f"m²/{short[0]}", f"m² per {short[1].removesuffix('s')}"),
        }.get(rule.measure, pick(lang, *short))
    return rule.unit(lang)


def value_text(result: RuleResult, lang: Lang) -> str:
    """Tell the value now, with its numerator and denominator."""
    if result.value is None:
        return "—"
    unit = unit_of(result.rule, lang)
    of_what = pick(lang, *result.of_what)
    if result.counted is not None and result.of is not None and _each(result):
        lowest = pick(lang, "最低", "lowest") if result.rule.op not in ("<=", "<") else pick(lang, "最高", "highest")
        many = f"{number(result.counted)} / {number(result.of)} {of_what}"
        stop = "" if set(result.levels) <= set(LEVELS) and result.rule.measure == "facilities_per_unit" else lowest
        return f"{many}{pick(lang, '，', ', ')}{stop} {amount(result.value, unit)}" if stop else many
    told = amount(result.value, unit)
    if result.counted is None or result.of is None:
        return told
    whole = f"{number(round(result.counted))} / {number(round(result.of))} {of_what}"
    return f"{told}{pick(lang, f'（{whole}）', f' ({whole})')}"


def _each(result: RuleResult) -> bool:
    """Whether every unit was held against the target by itself."""
    rule = result.rule
    if rule.measure in ("facilities_per_unit", "floor_m2_each"):
        return True
    if rule.measure == "floor_m2_per_place":
        return "facility" in rule.levels
    ratio = rule.measure in ("places_per_1000", "floor_m2_per_100_households", "land_m2_per_person")
    return ratio and (bool(rule.compounds) or not ("city" in rule.levels or not set(rule.levels) & set(LEVELS)))


def target_words(result: RuleResult, lang: Lang) -> str:
    """Tell the target in force and every other value that the plan states."""
    if result.target is None:
        return pick(lang, "待设定", "to be set") if result.rule.value == "unset" else "—"
    sign, unit = SIGNS[result.rule.op], unit_of(result.rule, lang)
    if result.rule.measure == "none":
        return "—"
    told = f"{sign} {amount(result.target, unit)}"
    if result.rule.measure == "facilities_per_unit":
        told = pick(lang, f"每个单元 {told}", f"{sign} {number(result.target)} in each")
    if result.rule.value == "unset":
        told += pick(lang, "（用户设定）", " (set by the user)")
    for other in result.rule.also:
        code = f" {other.code}" if other.code else ""
        told += pick(
            lang, f"；另作 {sign} {amount(other.value, unit)}{code}", f"; elsewhere {sign} {amount(other.value, unit)}{code}"
        )
    return told


def due_text(result: RuleResult, lang: Lang) -> str:
    """Say by when the target falls due, "" where the plan does not."""
    year = result.rule.year or (max(result.rule.by_year) if result.rule.by_year else None)
    return "" if year is None else pick(lang, f"{year} 年", f"by {year}")


def gap_text(result: RuleResult, lang: Lang) -> str:
    """Tell what is missing: in the rule's unit, in places, facilities or units, and in people."""
    if not result.targets:
        return "—"
    told = [one_gap(result, target, lang) for target in result.targets]
    if len(set(told)) == 1:
        return told[0] + _people_text(result, lang)
    unit = unit_of(result.rule, lang)
    return pick(lang, "；", "; ").join(
        pick(lang, f"按 {amount(target.target, unit)}：{text}", f"by {amount(target.target, unit)}: {text}")
        for target, text in zip(result.targets, told, strict=True)
    ) + _people_text(result, lang)


def one_gap(result: RuleResult, target: Target, lang: Lang) -> str:
    """Tell what is missing to one target."""
    if target.met:
        return pick(lang, "无", "none")
    missing_of = pick(lang, *result.missing_of)
    missing = amount(target.missing, missing_of) if missing_of and target.missing else ""
    over = result.rule.op in ("<=", "<")
    if _each(result):
        short = pick(
            lang, f"{result.units_short} 个未达标", f"{result.units_short} {'falls' if result.units_short == 1 else 'fall'} short"
        )
        return f"{short}{pick(lang, f'，合缺 {missing}', f', {missing} missing')}" if missing else short
    gap = amount(target.gap, pick(lang, "个百分点", "points") if result.rule.unit("en") == "%" else unit_of(result.rule, lang))
    word = pick(lang, "超 ", "over by ") if over else pick(lang, "差 ", "short by ")
    same = result.rule.measure in ("facilities", "places", "places_added")
    tail = pick(lang, f"，合 {missing}", f", or {missing}") if missing and not same else ""
    return f"{word}{gap}{tail}"


def _people_text(result: RuleResult, lang: Lang) -> str:
    if not result.people_short or all(target.met for target in result.targets):
        return ""
    who = group_name(result.reach.group, lang) if result.reach is not None else pick(lang, "居民", "residents")
    count = number(round(result.people_short))
    if result.rule.measure == "people_percent":
        return pick(lang, f"；{count} 人够不着", f"; {count} beyond reach")
    return pick(lang, f"；涉及{who} {count} 人", f"; {count} {who} live there")


def presence_text(result: RuleResult, lang: Lang) -> str:
    """Tell the first sense of covered: units that have one."""
    if result.presence is None:
        return "—"
    levels = result.presence.levels
    named = pick(lang, "、".join(LEVELS[level][0] for level in levels), " and ".join(PLURALS[level] for level in levels))
    having, units = result.presence.having, result.presence.units
    return pick(lang, f"{having} / {units} 个{named}", f"{having} of {units} {named}")


SETTING_WORDS: Final[dict[Setting, tuple[str, str]]] = {"all": ("", ""), "urban": ("城镇", "urban "), "rural": ("农村", "rural ")}
"""Setting of a rule -> what it puts before the people it is about (Chinese, English)."""


def reach_text(result: RuleResult, lang: Lang) -> str:
    """Tell the second sense of covered: people who reach one, and within what."""
    reach = result.reach
    if reach is None:
        return "—"
    limit = pick(lang, f"{reach.minutes:g} 分钟", f"{reach.minutes:g} min") if reach.minutes else f"{reach.metres:g} m"
    assumed = pick(lang, "，时限为假设", ", limit assumed") if reach.limit_from == "assumed" else ""
    where = pick(lang, *SETTING_WORDS[result.rule.setting])
    who, share = f"{where}{group_name(reach.group, lang)}", f"{100 * reach.share:.1f}%"
    beyond = reach.people - reach.reached - reach.unjudged
    counted, people = number(led_parts(reach.people, (reach.reached, beyond, reach.unjudged))[0]), number(round(reach.people))
    return pick(
        lang,
        f"{share}（{counted} / {people} 名{who}，{limit}{assumed}）",
        f"{share} of {who} ({counted} of {people}, {limit}{assumed})",
    )


def types_text(card: Scorecard, result: RuleResult, lang: Lang) -> str:
    """Tell which facility types a rule counts, and which of the same care stand in the registers and do not count.

    "" where the rule names no types.
    """
    known, kinds = catalogue(), result.rule.types
    if not kinds:
        return ""
    same = {(known[name].area, known[name].counts) for name in kinds if known[name].area != "other"}
    standing = {place.type for place in card.places if place.status in STATUSES} - set(kinds)
    others = [name for name, kind in known.items() if name in standing and (kind.area, kind.counts) in same]
    counted, left = (
        pick(lang, "、", ", ").join(pick(lang, name, known[name].name_en) for name in names) for names in (kinds, others)
    )
    told = pick(lang, f"计入：{counted}", f"Counts: {counted}")
    return told + pick(lang, f"；不含：{left}", f"; not: {left}") if left else told


MANY_TIMES: Final = 1.5
"""From this ratio of the plan's people to the study's on, targets in absolute numbers do not compare."""


def base_text(card: Scorecard, lang: Lang) -> str:
    """Say that a plan was made for another number of people than the study's, "" where it was not or does not state it."""
    base, people = _planned_for(card.profile), card.people.get(ALL, {}).get("total", 0.0)
    if base is None or not people > 0 or max(base / people, people / base) <= MANY_TIMES:
        return ""
    here = f"{people / 10_000:.1f} 万" if people >= 10_000 else f"{people:,.0f} "
    zh = f"规划按 {number(base / 10_000)} 万人编制，本研究 {here}人：绝对数指标不宜直接比较。"
    en = f"The plan was made for {base:,.0f} people, this study has {people:,.0f}: absolute numbers do not compare directly."
    return pick(lang, zh, en)


@cache
def _planned_for(profile: str) -> float | None:
    """Read the people that a shipped plan states it was made for, None where its figures hold no such number."""
    if profile not in audited_profiles():
        return None
    stated = [
        one for one in read_book(figures_path(profile)).figure if (one.what, one.kind, one.where) == ("population", "", "city")
    ]
    return float(read_printed(stated[0].value, stated[0].role).value) if stated else None


def headline(card: Scorecard, lang: Lang) -> str:
    """Say in one sentence how far the plan is met."""
    counts = card.counts()
    scored = sum(counts.values()) - counts["procedure"]
    judged = scored - counts["unjudged"]
    return pick(
        lang,
        f"{scored} 项可度量指标中，{judged} 项可以判断：{counts['met']} 项达标，{counts['short']} 项未达标，"
        f"{counts['contradicted']} 项规划自身有两个数；{counts['unjudged']} 项现有数据无法判断。"
        f"另有 {counts['procedure']} 项程序要求与参数不评分。",
        f"Of {scored} measurable targets {judged} can be judged: {counts['met']} met, {counts['short']} short, "
        f"{counts['contradicted']} stated with two values; {counts['unjudged']} cannot be judged from the data. "
        f"{counts['procedure']} procedures and parameters are not scored.",
    )
