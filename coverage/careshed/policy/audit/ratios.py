"""Check ratios of a population: the need they make, the standards for its parts, and how they rise year by year."""

from __future__ import annotations

import datetime
from fractions import Fraction

from careshed.policy.audit.figures import Derived, Ratio, Series, Standards
from careshed.policy.audit.results import Check, Figure, Figures, Outcome, Reading
from careshed.policy.audit.spans import Span, exact, number
from careshed.policy.audit.verdict import bracketed, check, compare, difference, equal_elsewhere, joined

PACE_FACTOR = 2
"""A first step is doubted where it asks for more than this many times the pace of the fastest later year."""

Numbers = list[tuple[str, Fraction]]


def per_unit(population: Figure, per: int) -> str:
    """A population counted in units of the ratio, as arithmetic shows it."""
    return number(population.span.value / per)


def derive(entry: Derived, figures: dict[str, Figure]) -> Figure:
    """Work out a figure that the plan implies, with the precision of what it follows from."""
    if entry.numerator:
        parts = (figures[entry.numerator], figures[entry.share])
        span = parts[0].span / (parts[1].span / exact(100))
    else:
        parts = (figures[entry.ratio], figures[entry.population])
        span = parts[0].span * parts[1].span / exact(entry.per)
    for name in entry.less:
        span = span - figures[name].span
    quotes = dict.fromkeys(part.quote for part in (*parts, *(figures[name] for name in entry.less)))
    shown = number(span.value)
    return Figure(
        entry.id, entry.title_zh, entry.title_en, shown, entry.unit, entry.year, "measure", span, " … ".join(quotes), shown=shown
    )  # fmt: skip


def check_ratio(relation: Ratio, figures: Figures) -> Check:
    """Is ratio × population what the plan counts?"""
    ratio, population = figures[relation.ratio], figures[relation.population]
    counted, have = figures.total(relation.counted), figures.total(relation.have)
    need = ratio.span * population.span / exact(relation.per) - have
    each = (counted + have) / population.span * exact(relation.per)
    main = figures[relation.counted[0]]
    if ratio.role == "measure":
        outcome, sign = compare(each, ratio.span)
        told_counted = bracketed(figures.of((*relation.counted, *relation.have)))
        arithmetic = f"{told_counted} ÷ {per_unit(population, relation.per)} = {number(each.value)} {sign} {ratio.text()}"
    else:
        outcome, sign = compare(need, counted, target=main.role == "target")
        arithmetic = _need_text(relation, figures, need, sign, counted)
    people = (counted.value + have.value) / ratio.span.value * relation.per
    numbers: Numbers = [("computed", need.value), ("stated", counted.value), ("implied_ratio", each.value)]
    numbers += [
        ("implied_population", people),
        ("factor", each.value / ratio.span.value),
        ("difference", counted.value - need.value),
    ]
    told = [] if outcome == "closes" else _ratio_readings(relation, figures, need, numbers)
    used = figures.of((relation.ratio, relation.population, *relation.counted, *relation.have, *relation.other_populations))
    return check(relation, "ratio", outcome, main, arithmetic, used, told, numbers)


def _need_text(relation: Ratio, figures: Figures, need: Span, sign: str, counted: Span) -> str:
    ratio, population, told = figures[relation.ratio], figures[relation.population], figures.of(relation.counted)
    less = "".join(f" − {figure.text()}" for figure in figures.of(relation.have))
    start = f"{ratio.text()} × {per_unit(population, relation.per)}{less} = {number(need.value)}"
    if len(told) > 1:
        return f"{start} {sign} {number(counted.value)} = {joined('+', told)}"
    return start if sign == "=" else f"{start} {sign} {told[0].text()}"


def _ratio_readings(relation: Ratio, figures: Figures, need: Span, numbers: Numbers) -> list[Reading]:
    """What the stated number implies, what it would be otherwise, and where else the computed one stands."""
    ratio, population, counted = figures[relation.ratio], figures[relation.population], figures.of(relation.counted)
    worked = dict(numbers)
    per, said, people = number(relation.per), ratio.text(), number(population.span.value)
    each, needed = number(worked["implied_ratio"]), number(worked["implied_population"])
    told = [
        difference(need.value, worked["stated"]),
        (f"按所列数反推，每{_per_zh(relation.per)}为 {each}（方案为 {said}）",
         f"the stated number is {each} per {per} (the plan says {said})"),
        (f"要使所列数成立，人口应为 {needed} 人（方案为 {people}）",
         f"for it to hold, the population would be {needed} (the plan has {people})"),
    ]  # fmt: skip
    told += _other_populations(relation, figures, numbers)
    if relation.new:
        new = figures.total(relation.new).value
        still = need.value - (worked["stated"] - new)
        numbers.append(("still_needed", still))
        zh = f"达到该标准只需再增 {number(still)}，方案新增 {number(new)}"
        told.append((zh, f"the ratio needs {number(still)} more; the plan adds {number(new)}"))
    return told + (equal_elsewhere(figures, need.value, counted[0].unit, counted) if len(counted) == 1 else [])


def _other_populations(relation: Ratio, figures: Figures, numbers: Numbers) -> list[Reading]:
    told = []
    have = figures.total(relation.have).value
    for other in figures.of(relation.other_populations):
        need = figures[relation.ratio].span.value * other.span.value / relation.per - have
        numbers.append((f"computed_{other.id}", need))
        zh = f"按“{other.title_zh}”（{other.told()}）计为 {number(need)}"
        told.append((zh, f"with “{other.title_en}” ({other.told('en')}) it is {number(need)}"))
    return told


def _per_zh(per: int) -> str:
    return {100: "百人", 1000: "千人", 10_000: "万人"}.get(per, f"{per}人")


def check_standards(relation: Standards, figures: Figures) -> Check:
    """Can the standards for parts of the city hold beside the ratio for all of it?"""
    whole, counted, population = figures[relation.whole], figures[relation.counted], figures[relation.population]
    parts = figures.of(relation.parts)
    least = min(parts, key=lambda part: part.span.value)
    need = least.span * population.span / exact(relation.per)
    share = whole.span.value / least.span.value * 100
    fits = need.low <= counted.span.high
    sign = "≤" if fits else ">"
    arithmetic = f"{least.text()} × {per_unit(population, relation.per)} = {number(need.value)} {sign} {counted.text()}"
    told = [] if fits else [_most(whole.text(), least.text(), number(share))]
    numbers = [("computed", need.value), ("stated", counted.span.value), ("most_percent", share)]
    used = (whole, *parts, population, counted)
    return check(relation, "standards", "closes" if fits else "doubtful", least, arithmetic, used, told, numbers)


def _most(whole: str, least: str, share: str) -> Reading:
    sum_ = f"{whole} ÷ {least} = {share}%"
    return (
        f"各类小区的标准都不低于 {least}，全市为 {whole}：标准至多用于 {share}% 的人口时两者才相容（{sum_}）",
        f"each standard is {least} or more, the whole has {whole}: both hold for at most {share}% of people ({sum_})",
    )


def check_series(relation: Series, figures: Figures, issued: datetime.date) -> Check:
    """Can the first step of a rising ratio be taken in the time left when the plan was issued?"""
    ratios, population, have = figures.of(relation.ratios), figures[relation.population], figures[relation.have]
    needs = [ratio.span.value * population.span.value / relation.per for ratio in ratios]
    steps = [need - before for need, before in zip(needs, [have.span.value, *needs], strict=False)]
    days = (datetime.date(ratios[0].year, 12, 31) - issued).days
    numbers: Numbers = [("days", Fraction(days))]
    lines = []
    for ratio, need, step in zip(ratios, needs, steps, strict=True):
        numbers += [(f"need_{ratio.year}", need), (f"add_{ratio.year}", step)]
        lines.append(f"{ratio.year}: {ratio.text()} × {per_unit(population, relation.per)} = {number(need)} (+{number(step)})")
    later = [step / (after.year - before.year) for before, after, step in zip(ratios, ratios[1:], steps[1:], strict=False)]
    outcome, told = _pace(steps[0], days, max(later, default=steps[0]), ratios[0].year, issued)
    return check(relation, "series", outcome, ratios[0], "; ".join(lines), (*ratios, population, have), told, numbers)


def _pace(step: Fraction, days: int, fastest: Fraction, year: int, issued: datetime.date) -> tuple[Outcome, list[Reading]]:
    if days <= 0:
        return "unreachable", [
            (f"{year}年底在印发日（{issued}）之前", f"the end of {year} lies before the date of issue ({issued})")
        ]
    pace = step / days * 365
    if pace <= PACE_FACTOR * fastest:
        return "closes", []
    need, yearly, later = number(step), number(pace), number(fastest)
    zh = f"{issued} 印发，到 {year} 年底只有 {days} 天，须增 {need}，折合每年 {yearly}；此后最快的一年为 {later}"
    en = f"issued on {issued}: {days} days to the end of {year} for {need} more, {yearly} a year; later {later} a year at most"
    return "doubtful", [(zh, en)]
