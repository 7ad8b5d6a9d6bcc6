"""Check what a profile's rules mean: names that exist, operators that can hold, targets that fit their measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from careshed.intake.columns import nearest
from careshed.modes import MODES
from careshed.policy.model import Cost, Kind, Measure, Profile, Rule, Subsidy
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
YEARS: Final = (2000, 2100)


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
    for key, years in (("by_year", list(rule.by_year)), ("year", [rule.year] if rule.year is not None else [])):
        for year in years:
            if not YEARS[0] <= year <= YEARS[1]:
                cure = ("请写四位年份，如 2025。", "Write a year of four digits, such as 2025.")
                yield _found("bad_year", key, ("不是年份", "is not a year"), cure, year)


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
)
"""Keys a check rests on, and the check."""


def type_findings(profile: Profile) -> Iterator[tuple[tuple[str, int], Finding]]:
    """Find unknown facility types among subsidies and costs."""
    known = sorted(catalogue())
    told = ("设施类型目录中没有该类型", "the catalogue has no such facility type")
    sections: tuple[tuple[str, Sequence[Subsidy | Cost]], ...] = (("subsidy", profile.subsidy), ("cost", profile.cost))
    for section, entries in sections:
        for at, entry in enumerate(entries):
            for name in entry.types:
                if name not in known:
                    yield (section, at), unknown("unknown_type", "types", told, name, known)
