"""Check shares of units: enough facilities for the units covered, and whole numbers of units behind the percentages."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from careshed.policy.audit.figures import Common, Cover, Possible
from careshed.policy.audit.results import Check, Figures, Outcome, Reading
from careshed.policy.audit.spans import Span, number
from careshed.policy.audit.verdict import check, factor

MOST_UNITS = 5000
"""Units that a common number is looked for up to."""
COMMON_FACTOR = 5
"""A smallest common number is doubted where it is this many times what the percentages need one by one."""


def check_cover(relation: Cover, figures: Figures) -> Check:
    """Are there as many facilities as units said to have one?"""
    share, units, facilities = figures[relation.share], figures[relation.units], figures[relation.facilities]
    covered = factor(share) * units.span
    fits = covered.low <= facilities.span.high
    said, need, have = share.text(), number(covered.value), facilities.text()
    arithmetic = f"{said} × {units.text()} = {need} {'≤' if fits else '>'} {have}"
    zh = f"{said} 的覆盖率要有 {need} 个单元各有设施，设施只有 {have} 个：除非一处服务多个单元"
    told = [] if fits else [(zh, f"{said} means {need} units with a facility, but there are {have}: unless one serves several")]
    outcome: Outcome = "closes" if fits else "doubtful"
    return check(relation, "cover", outcome, share, arithmetic, (share, units, facilities), told, [("covered", covered.value)])


def check_possible(relation: Possible, figures: Figures) -> Check:
    """Is there a whole number of units that makes the percentage?"""
    share, units = figures[relation.share], figures[relation.units]
    n = int(units.span.value)
    percents = {k: Fraction(100 * k, n) for k in range(n + 1)}
    fitting = [k for k, percent in percents.items() if share.span.holds(percent)]
    nearest = min(fitting or percents, key=lambda k: abs(percents[k] - share.span.value))
    arithmetic = f"{nearest}/{n} = {number(percents[nearest])}% {'≈' if fitting else '≠'} {share.text()}"
    outcome: Outcome = "closes" if fitting else "doubtful" if units.outside_zh else "open"
    told = [] if fitting else [_only(share.span, share.text(), n)]
    numbers = [("units", Fraction(n)), ("nearest", Fraction(nearest)), ("nearest_percent", percents[nearest])]
    return check(relation, "possible", outcome, share, arithmetic, (share, units), told, numbers)


def _only(span: Span, said: str, n: int) -> Reading:
    around = sorted({floor(span.value * n / 100), ceil(span.value * n / 100)})
    near = [f"{k}/{n} = {number(Fraction(100 * k, n))}%" for k in around]
    smallest, k = _smallest(span)
    return (
        f"{n} 个单元只可能是 {'、'.join(near)} 等；{said} 至少要有 {smallest} 个单元（{k}/{smallest}）",
        f"{n} units can only make {', '.join(near)} and the like; {said} takes at least {smallest} units ({k}/{smallest})",
    )


def _fits(span: Span, n: int) -> bool:
    return ceil(span.low * n / 100) <= span.high * n / 100


def _smallest(*spans: Span) -> tuple[int, int]:
    """Fewest units that make all the percentages, and how many of them make the first; 0, 0 where none up to `MOST_UNITS` do."""
    n = next((n for n in range(1, MOST_UNITS + 1) if all(_fits(span, n) for span in spans)), 0)
    return n, ceil(spans[0].low * n / 100)


def check_common(relation: Common, figures: Figures) -> Check:
    """Is there one number of units that makes all the percentages?"""
    shares = figures.of(relation.shares)
    alone = [_smallest(share.span) for share in shares]
    common, _ = _smallest(*(share.span for share in shares))
    fits = 0 < common <= COMMON_FACTOR * max(n for n, _ in alone)
    arithmetic = "; ".join(f"{share.text()} = {k}/{n}" for share, (n, k) in zip(shares, alone, strict=True))
    told = [] if fits else [_no_common(common)]
    numbers = [("common", Fraction(common))]
    numbers += [(f"alone_{share.id}", Fraction(n)) for share, (n, _) in zip(shares, alone, strict=True)]
    return check(relation, "common", "closes" if fits else "doubtful", shares[0], arithmetic, shares, told, numbers)


def _no_common(common: int) -> Reading:
    if not common:
        return f"{MOST_UNITS} 以内没有一个总数能同时得出这几个比例", f"no number of units up to {MOST_UNITS} gives them all"
    return (
        f"能同时得出这几个比例的单位总数至少为 {number(common)}：分母可能不同而未说明",
        f"one number of units that gives them all is {number(common)} at least: the denominators may differ, unsaid",
    )
