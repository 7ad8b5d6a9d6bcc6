"""Check what a profile's rules mean: names that exist, operators that can hold, targets that fit their measure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from careshed.intake.columns import nearest
from careshed.modes import MODES
from careshed.policy.model import Kind, Measure, Rule
from careshed.policy.types import catalogue, functions

Words = tuple[str, str]
Finding = tuple[str, str, Words, Words, str]
"""Code, key, what is wrong, its cure (both Chinese and English), and the value found."""

PERCENTS: Final[tuple[Measure, ...]] = (
    "units_percent",
    "people_percent",
    "places_percent",
    "nursing_percent",
    "facilities_percent",
    "compounds_percent",
    "near_percent",
    "entered_percent",
)
_RATIOS: Final[tuple[Measure, ...]] = ("floor_m2_per_100_households", "land_m2_per_person")
_AREAS: Final[tuple[Measure, ...]] = (*_RATIOS, "floor_m2_each", "floor_m2_per_place")
_COUNTS: Final[tuple[Measure, ...]] = ("facilities", "places", "places_added")
_ENTERED: Final[tuple[Measure, ...]] = ("entered_percent", "entered_number")

MEASURES_OF: Final[dict[Kind, tuple[Measure, ...]]] = {
    "proximity": ("people_percent", "near_percent", *_ENTERED),
    "presence": ("facilities_per_unit", "units_percent"),
    "unit_share": ("units_percent",),
    "capacity_ratio": ("places_per_1000",),
    "area_ratio": _AREAS,
    "share": PERCENTS,
    "count": (*_COUNTS, "entered_number"),
    "schedule": (*_COUNTS, "places_per_1000", "facilities_per_unit", *PERCENTS, "entered_number"),
    "staffing": _ENTERED,
    "entered": _ENTERED,
    "procedure": ("none", *_ENTERED),
}
"""Kind of rule -> the measures it may have."""

_NO_TYPES: Final[tuple[Measure, ...]] = (*_ENTERED, "none")
_PER_UNIT: Final[tuple[Measure, ...]] = ("facilities_per_unit", "units_percent")
_GROUPED: Final[tuple[Measure, ...]] = ("people_percent", "places_per_1000")
_MORE_IS_BETTER: Final[tuple[Measure, ...]] = ("units_percent", *_GROUPED)
_ABOUT_COMPOUNDS: Final[tuple[Measure, ...]] = ("compounds_percent", "places_per_1000", *_RATIOS, *_NO_TYPES)
_LISTS: Final = ("types", "of_types", "near", "functions", "classes", "levels", "source")
YEARS: Final = (2000, 2100)
_ID: Final = re.compile(r"\w[\w.\-]*")


def rule_findings(rule: Rule, bad: frozenset[str], text: str) -> Iterator[Finding]:
    """Find what is wrong with one rule whose keys are of the right form, apart from the keys in `bad`.

    Parameters
    ----------
    text
        Stem of the plan's source text, "" where the rules come from no text in hand.
    """
    for needs, check in _CHECKS:
        if not bad & set(needs):
            yield from check(rule)
    if text and "source" not in bad:
        yield from _sources(rule)
    if not bad & {"value", "also"}:
        yield from _also(rule, text)
    if not text and not bad & {"source", "clause"} and not rule.source and not rule.clause:
        yield _found("no_source", "clause", ("缺少出处", "has no source"), ("请填写条款号。", "Name the clause it comes from."))


def duplicates(names: Sequence[str]) -> list[int]:
    """Give the positions of names that stand earlier in the list already.

    >>> duplicates(["a", "b", "a"])
    [2]
    """
    return [at for at, name in enumerate(names) if name in names[:at]]


def unknown(code: str, key: str, told: Words, word: str, known: Sequence[str], *, most: int = 40) -> Finding:
    """Say that a word is not among the known ones, and which it most likely means."""
    near = nearest(word, known)
    hint = (f"是否应为“{near}”？", f"Did you mean {near!r}? ") if near else ("", "")
    listed = "、".join(known[:most]) + ("……" if len(known) > most else "")
    listed_en = ", ".join(known[:most]) + (" …" if len(known) > most else "")
    return _found(code, key, told, (f"{hint[0]}可用：{listed}。", f"{hint[1]}Known: {listed_en}."), word)


def _found(code: str, key: str, told: Words, cure: Words, found: object = "") -> Finding:
    return code, key, told, cure, str(found)


def _types(rule: Rule) -> Iterator[Finding]:
    known = sorted(catalogue())
    told = ("设施类型目录中没有该类型", "the catalogue has no such facility type")
    for key, names in (("types", rule.types), ("of_types", rule.of_types), ("near", rule.near)):
        for name in names:
            if name not in known:
                yield unknown("unknown_type", key, told, name, known)
    if not rule.types and rule.measure not in _NO_TYPES:
        cure = ("请填写设施类型。", "List the facility types that count.")
        yield _found("no_types", "types", ("未写设施类型", "names no facility types"), cure)

    if rule.of_types and (left := [name for name in rule.types if name not in rule.of_types]):
        told = ("分母 of_types 未包含 types 的全部类型", "the denominator of_types does not hold all of types")
        cure = (f"请在 of_types 中加入：{'、'.join(left)}。", f"Add to of_types: {', '.join(left)}.")
        yield _found("types_not_in_of_types", "of_types", told, cure)


def _named(rule: Rule) -> Iterator[Finding]:
    yield from name_findings(rule.id, {"title_zh": rule.title_zh, "title_en": rule.title_en})


def name_findings(code: object, titles: Mapping[str, object]) -> Iterator[Finding]:
    """Find an id with spaces or odd signs, and empty titles."""
    if isinstance(code, str) and not _ID.fullmatch(code):
        told = ("编号含空格或其他符号，或为空", "the id has spaces or odd signs, or is empty")
        cure = ("只用字母、数字、下划线、连字符和点。", "Use letters, digits, underscores, hyphens and dots only.")
        yield _found("bad_id", "id", told, cure, code)
    for key, title in titles.items():
        if isinstance(title, str) and not title.strip():
            yield _found("no_title", key, ("名称为空", "is empty"), ("请填写名称。", "Write a name."))


def _twice(rule: Rule) -> Iterator[Finding]:
    for key in _LISTS:
        names = getattr(rule, key)
        yield from (_repeated(key, names[at]) for at in duplicates(names))


def _repeated(key: str, name: str) -> Finding:
    return _found("twice", key, ("重复列出", "is listed twice"), ("请只写一次。", "Write it once."), name)


def _functions(rule: Rule) -> Iterator[Finding]:
    told = ("没有该功能", "there is no such function")
    for name in rule.functions:
        if name not in functions():
            yield unknown("unknown_function", "functions", told, name, list(functions()))


def _near(rule: Rule) -> Iterator[Finding]:
    if rule.measure == "near_percent" and not rule.near:
        cure = ("请在 near 中写相邻的设施类型。", "List the types to be near to in near.")
        yield _found("no_near", "near", ("未写邻近哪类设施", "does not say near to what"), cure)
    if rule.near and rule.measure != "near_percent":
        cure = ('请删去 near，或改用 measure = "near_percent"。', 'Leave near out, or use measure = "near_percent".')
        yield _found("near_unused", "near", ("该测度不用 near", "the measure does not use near"), cure)


def _kind_fits(rule: Rule) -> Iterator[Finding]:
    allowed = MEASURES_OF[rule.kind]
    if rule.measure not in allowed:
        told = (f"kind = {rule.kind} 不能用该测度", f"does not go with kind = {rule.kind}")
        listed = ", ".join(allowed)
        yield _found("measure_misfit", "measure", told, (f"可用：{listed}。", f"It may be: {listed}."), rule.measure)


def _operator(rule: Rule) -> Iterator[Finding]:
    if rule.op in ("<=", "<") and rule.measure in _MORE_IS_BETTER:
        told = ("该测度越大越好，“不超过”不成立", "cannot be an upper limit: of this measure more is better")
        cure = (
            '请写 op = ">="；时限写在 minutes 或 metres 中。',
            'Write op = ">="; a limit of time or distance goes into minutes or metres.',
        )
        yield _found("impossible_operator", "op", told, cure, rule.op)
    for value in _targets(rule):
        above = rule.op == ">" and value >= 100 and rule.measure in PERCENTS and rule.measure != "entered_percent"
        if above or (rule.op == "<" and value == 0):
            cure = ("请改用 >= 或 <=。", "Use >= or <=.")
            told = (f"“{rule.op} {value:g}”无法达到", f"{rule.op} {value:g} can never hold")
            yield _found("impossible_operator", "op", told, cure, rule.op)


def _targets(rule: Rule) -> list[float]:
    stated = [rule.value] if isinstance(rule.value, float) else []
    return [*stated, *rule.by_year.values(), *(other.value for other in rule.also)]


def _values(rule: Rule) -> Iterator[Finding]:
    if rule.value is None and not rule.by_year and rule.measure != "none":
        cure = ('请填写目标值；规划未写明时写 value = "unset"。', 'Write the target; value = "unset" where the plan names none.')
        yield _found("no_value", "value", ("缺少目标值", "the target is missing"), cure)
    if rule.value == "unset" and not (rule.asks_zh and rule.asks_en):
        cure = ("请在 asks_zh、asks_en 中写明需用户设定什么。", "Say in asks_zh and asks_en what the user must set.")
        yield _found("no_asks", "value", ("“unset”未说明需设定什么", '"unset" without saying what to set'), cure)


def _percents(rule: Rule) -> Iterator[Finding]:
    for value in _targets(rule) if rule.measure in PERCENTS else ():
        if 0 < value <= 1:
            told = ("测度以百分数计，该值像是比例", "the measure is a percentage, and this looks like a share")
            cure = (f"请写 {value * 100:g}（%）。", f"Write {value * 100:g} (per cent).")
            yield _found("share_not_percent", "value", told, cure, f"{value:g}")
        elif value > 100 and rule.measure != "entered_percent":
            cure = ("请写 0 至 100 之间的数。", "Write a number from 0 to 100.")
            yield _found("percent_above_100", "value", ("比例超过 100%", "is more than 100 per cent"), cure, f"{value:g}")


def _unused(rule: Rule) -> Iterator[Finding]:
    if rule.measure == "none" and rule.value is not None and not rule.quote:
        told = ('measure = "none" 不评分，目标值不会被使用', 'measure = "none" is not scored, so the value would never be used')
        cure = (
            "请删去 value，或改用可评分的 measure；仅存档的请抄录原文 quote。",
            "Leave value out, or use a measure that is scored; if it is only kept on record, add the quote that states it.",
        )
        yield _found("value_unused", "value", told, cure, rule.value)
    if rule.compounds and rule.measure not in _ABOUT_COMPOUNDS:
        listed = ", ".join(_ABOUT_COMPOUNDS)
        told = (f"测度 {rule.measure} 不针对小区", f"the measure {rule.measure} is not about compounds")
        cure = (f"请删去 compounds，或改用：{listed}。", f"Leave compounds out, or use one of: {listed}.")
        yield _found("compounds_unused", "compounds", told, cure, rule.compounds)


def _also(rule: Rule, text: str) -> Iterator[Finding]:
    for at, other in enumerate(rule.also):
        if other.value == rule.value:
            told = ("另一数值与 value 相同，并不矛盾", "the other value equals value, so nothing is contradicted")
            cure = ("请删去这一节，或改正其中一个数值。", "Leave this section out, or correct one of the values.")
            yield _found("also_equal", f"also.{at}.value", told, cure, f"{other.value:g}")
        if not other.source and (text or not other.clause):
            cure = ("请填写 source 或条款号 clause。", "Name its source or clause.")
            if text:
                cure = ("请写 indicators.csv 的编号。", "Give the ids of indicators.csv.")
            yield _found("no_source", f"also.{at}.source", ("缺少出处", "has no source"), cure)


def _limits(rule: Rule) -> Iterator[Finding]:
    given = [name for name, limit in (("minutes", rule.minutes), ("metres", rule.metres)) if limit is not None]
    if rule.measure == "people_percent" and len(given) != 1:
        told = ("应写 minutes 或 metres 之一", "needs either minutes or metres")
        cure = ("例如 minutes = 15 或 metres = 500。", "For example minutes = 15, or metres = 500.")
        yield _found("no_limit", "minutes", told, cure, ", ".join(given))
    if rule.measure == "near_percent" and given != ["metres"]:
        cure = ("请写 metres，例如 metres = 100。", "Write metres, for example metres = 100.")
        yield _found("no_limit", "metres", ("邻近应以米计", "nearness needs metres"), cure, ", ".join(given))
    if given and rule.measure not in ("people_percent", "near_percent", "compounds_percent", *_RATIOS, "none", *_ENTERED):
        told = ("该测度不用时距", "the measure uses no limit of time or distance")
        cure = ("请删去该键。", "Leave the key out.")
        yield _found("limit_unused", given[0], told, cure)
    if rule.mode and rule.mode not in MODES:
        yield unknown("unknown_mode", "mode", ("未知的出行方式", "unknown travel mode"), rule.mode, sorted(MODES))


def _denominators(rule: Rule) -> Iterator[Finding]:
    if rule.measure in _PER_UNIT and not set(rule.levels) - {"city", "facility"}:
        told = ("未写按哪级单元判断", "does not say which units")
        cure = ('例如 levels = ["street", "township"]。', 'For example levels = ["street", "township"].')
        yield _found("no_levels", "levels", told, cure)
    if rule.measure in _GROUPED and rule.group in ("", "households"):
        cure = ('例如 group = "p60"。', 'For example group = "p60".')
        yield _found("no_group", "group", ("未写人群", "names no population group"), cure, rule.group)


def _schedule(rule: Rule) -> Iterator[Finding]:
    if rule.kind == "schedule" and not rule.by_year:
        told = ("分年度目标缺少 by_year", "a schedule without by_year")
        cure = ("例如 by_year = {2023 = 80, 2025 = 100}。", "For example by_year = {2023 = 80, 2025 = 100}.")
        yield _found("no_by_year", "by_year", told, cure)
    if rule.kind != "schedule" and rule.by_year:
        told = (f"kind = {rule.kind} 不用 by_year", f"kind = {rule.kind} does not use by_year")
        cure = ('请改写 kind = "schedule"，或删去 by_year。', 'Write kind = "schedule", or leave by_year out.')
        yield _found("by_year_unused", "by_year", told, cure)
    for key, years in (("by_year", list(rule.by_year)), ("year", [rule.year] if rule.year is not None else [])):
        for year in years:
            if not YEARS[0] <= year <= YEARS[1]:
                cure = ("请写四位年份，如 2025。", "Write a year of four digits, such as 2025.")
                yield _found("bad_year", key, ("不是年份", "is not a year"), cure, year)


def _series(rule: Rule) -> Iterator[Finding]:
    """Find years that fall though they add up, and years that make another total than the value says."""
    if not rule.by_year:
        return
    reached = [rule.by_year[year] for year in sorted(rule.by_year)]
    each = rule.measure == "places_added"
    if not each and rule.op in (">=", ">") and any(after < before for before, after in zip(reached, reached[1:], strict=False)):
        told = ("累计目标逐年下降", "the cumulative targets fall from one year to the next")
        cure = (
            '请核对各年数值；逐年新增数请用 measure = "places_added"。',
            'Check the years; what each year adds is "places_added".',
        )
        yield _found("by_year_falls", "by_year", told, cure)
    made = sum(reached) if each else reached[-1]
    stated = [*([rule.value] if isinstance(rule.value, float) else []), *(other.value for other in rule.also)]
    if stated and made not in stated:
        told = (f"各年得 {made:g}，与 value 不符", f"the years make {made:g}, which is not value")
        cure = (
            f"请改正其一；规划自相矛盾的，另写 [[rule.also]] value = {made:g}。",
            f"Correct one of them; if the plan contradicts itself, add [[rule.also]] with value = {made:g}.",
        )
        yield _found("by_year_differs", "by_year", told, cure, f"{stated[0]:g}")


def _sources(rule: Rule) -> Iterator[Finding]:
    if not rule.source:
        cure = ('请写 indicators.csv 的编号，如 source = ["shuozhou-057"]。', 'Give ids, such as source = ["shuozhou-057"].')
        yield _found("no_source", "source", ("缺少出处", "has no source"), cure)
    if not rule.quote:
        cure = ("请逐字抄录规划原文。", "Copy the plan's words to the letter.")
        yield _found("no_quote", "quote", ("缺少原文", "has no quote"), cure)


_CHECKS: Final[tuple[tuple[tuple[str, ...], Callable[[Rule], Iterator[Finding]]], ...]] = (
    (("types", "of_types", "near", "measure"), _types),
    (("functions",), _functions),
    (("near", "measure"), _near),
    (("kind", "measure"), _kind_fits),
    (("op", "measure"), _operator),
    (("measure", "value", "by_year"), _values),
    (("measure",), _percents),
    (("measure", "minutes", "metres", "mode"), _limits),
    (("measure", "levels", "group"), _denominators),
    (("kind", "by_year", "year"), _schedule),
    (("by_year", "measure", "op", "value", "also"), _series),
    (("id", "title_zh", "title_en"), _named),
    (_LISTS, _twice),
    (("measure", "value", "compounds", "quote"), _unused),
)
"""Keys a check rests on, and the check."""


def head_findings(head: Mapping[str, object]) -> Iterator[Finding]:
    """Find what is wrong with [profile] as far as its keys can be read: id, names, date of issue and last year."""
    yield from name_findings(head.get("id"), {key: head.get(key) for key in ("name_zh", "name_en")})
    issued, end = head.get("issued"), head.get("plan_end")
    day = issued if isinstance(issued, datetime.date) else _day(issued)
    if day is None and isinstance(issued, str) and issued:
        cure = ('请写成 "2025-01-31"；不知道则留空。', 'Write "2025-01-31", or "" if it is not known.')
        yield _found("bad_date", "issued", ("不是日期", "is not a date"), cure, issued)
    if not isinstance(end, int) or isinstance(end, bool):
        return
    if not YEARS[0] <= end <= YEARS[1]:
        cure = ("请写四位年份，如 2025。", "Write a year of four digits, such as 2025.")
        yield _found("bad_year", "plan_end", ("不是年份", "is not a year"), cure, end)
    elif day is not None and end < day.year:
        told = (f"规划末年早于印发年份（{day.year}）", f"the plan ends before it was issued ({day.year})")
        yield _found("ends_before_issue", "plan_end", told, ("请核对 issued 与 plan_end。", "Check issued and plan_end."), end)


def _day(text: object) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def entry_findings(raw: Mapping[str, object]) -> Iterator[tuple[tuple[str, int], Finding]]:
    """Find what is wrong with subsidies and costs as far as they can be read: ids, titles, unknown facility types."""
    for section in ("subsidy", "cost"):
        entries = raw.get(section)
        for at, entry in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(entry, dict):
                yield from (((section, at), finding) for finding in _entry(entry))


def _entry(entry: Mapping[str, object]) -> Iterator[Finding]:
    yield from name_findings(entry.get("id"), {key: entry.get(key) for key in ("title_zh", "title_en")})
    known = sorted(catalogue())
    told = ("设施类型目录中没有该类型", "the catalogue has no such facility type")
    for key in ("types", "classes"):
        listed = entry.get(key)
        names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
        if key == "types":
            yield from (unknown("unknown_type", key, told, name, known) for name in names if name not in known)
        yield from (_repeated(key, names[at]) for at in duplicates(names))
