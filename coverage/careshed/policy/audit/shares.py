"""Check shares: against their parts, against the schedule, against gaps and against what is added."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from careshed.policy.audit.figures import Gap, Rise, Share
from careshed.policy.audit.results import Check, Figure, Figures, Outcome, Reading
from careshed.policy.audit.spans import Span, exact, number
from careshed.policy.audit.verdict import bracketed, check, compare, equal_elsewhere, factor, joined

POINTS_OVER = 5
"""Percentage points above a plain target from which the schedule is asked about."""

Numbers = list[tuple[str, Fraction]]


def check_share(relation: Share, figures: Figures) -> Check:
    """Is the percentage that of its parts, or do the parts at least reach it?"""
    if not relation.denominator:
        return _implied_denominator(relation, figures)
    if figures[relation.share].role == "target":
        return _target_share(relation, figures)
    return _measured_share(relation, figures)


def _used(relation: Share, figures: Figures) -> tuple[Figure, ...]:
    return figures.of((relation.share, *relation.numerator, *relation.denominator, *relation.base, *relation.new))


def _share_text(relation: Share, figures: Figures, computed: Fraction, sign: str) -> str:
    share = figures[relation.share]
    above, below = figures.of(relation.numerator), figures.of(relation.denominator)
    decimals = max(1, len(share.printed.partition(".")[2]))
    return f"{bracketed(above)} ÷ {bracketed(below)} = {number(computed, decimals)}% {sign} {share.text()}"


def _measured_share(relation: Share, figures: Figures) -> Check:
    share, above, below = figures[relation.share], figures.total(relation.numerator), figures.total(relation.denominator)
    computed = above / below * exact(100)
    outcome, sign = compare(computed, share.span)
    implied = above.value / factor(share).value
    told: list[Reading] = []
    if outcome != "closes":
        said, need, have, other = share.text(), number(implied), number(below.value), number(factor(share).value * below.value)
        zh = f"要使 {said} 成立，分母应为 {need}（现为 {have}），或分子应为 {other}"
        told.append((zh, f"for {said} the denominator would be {need} (it is {have}), or the numerator {other}"))
        unit = figures[relation.denominator[0]].unit
        told += equal_elsewhere(figures, implied, unit, figures.of((*relation.numerator, *relation.denominator)))
    numbers = [("computed", computed.value), ("stated", share.span.value), ("implied_denominator", implied)]
    arithmetic = _share_text(relation, figures, computed.value, sign)
    return check(relation, "share", outcome, share, arithmetic, _used(relation, figures), told, numbers)


def _target_share(relation: Share, figures: Figures) -> Check:
    share, below = figures[relation.share], figures.total(relation.denominator)
    above = figures.total(relation.numerator)
    reached = above / below * exact(100)
    wanted = factor(share).value * below.value
    numbers: Numbers = [
        ("computed", reached.value),
        ("stated", share.span.value),
        ("wanted", wanted),
        ("short", wanted - above.value),
    ]
    told: list[Reading] = []
    outcome: Outcome = "closes"
    if reached.high < share.span.low:
        outcome = "unreachable"
        told.append(_short(share, wanted, above.value))
        told += _best_case(relation, figures, numbers) + _put_right(relation, figures, numbers)
    elif not share.at_least and reached.low > share.span.high + POINTS_OVER:
        outcome = "doubtful"
        told.append(_over(share, reached.value))
    sign = {"unreachable": "<", "doubtful": ">"}.get(outcome, "≥" if reached.value >= share.span.value else "≈")
    arithmetic = _share_text(relation, figures, reached.value, sign)
    return check(relation, "share", outcome, share, arithmetic, _used(relation, figures), told, numbers)


def _short(share: Figure, wanted: Fraction, planned: Fraction) -> Reading:
    said, need, have, short = share.text(), number(wanted), number(planned), number(wanted - planned)
    return (
        f"达到 {said} 需要 {need}，方案安排 {have}，差 {short}",
        f"{said} would be {need}; the plan schedules {have}, {short} short",
    )


def _over(share: Figure, reached: Fraction) -> Reading:
    return (
        f"方案的数已达 {number(reached)}%，目标却只有 {share.text()}：两者所指或有不同",
        f"the plan's numbers come to {number(reached)}% beside a target of {share.text()}: the two may not mean the same",
    )


def _best_case(relation: Share, figures: Figures, numbers: Numbers) -> list[Reading]:
    """Say what is reached if everything new counts."""
    if not relation.new:
        return []
    share, below = figures[relation.share], figures.total(relation.denominator).value
    most = figures.total(relation.base).value + figures.total(relation.new).value
    best = most / below * 100
    numbers.append(("best", best))
    new, said, sum_ = joined("+", figures.of(relation.new)), share.text(), f"{number(most)} ÷ {number(below)} = {number(best)}%"
    if best < share.span.value:
        return [
            (f"即使新增 {new} 全部计入，{sum_}，仍低于 {said}", f"even if all {new} new ones counted, {sum_}, still below {said}")
        ]
    zh = f"新增 {new} 全部计入时最多为 {sum_}：须改变新增的构成"
    return [(zh, f"if all {new} new ones counted, {sum_}: the mix of what is added has to change")]


def _put_right(relation: Share, figures: Figures, numbers: Numbers) -> list[Reading]:
    """Say what the share is with the cells of the schedule that do not add up put right."""
    if not set(relation.numerator) & set(figures.recomputed):
        return []
    above = figures.total_recomputed(relation.numerator).value
    share = above / figures.total(relation.denominator).value * 100
    numbers.append(("computed_by_years", share))
    told = number(above), number(share)
    return [(f"若按各年数相加（{told[0]}），为 {told[1]}%", f"with the sum of the years ({told[0]}) it is {told[1]}%")]


def _implied_denominator(relation: Share, figures: Figures) -> Check:
    """Is there a whole number of units that gives the percentage?"""
    share, above = figures[relation.share], figures.total(relation.numerator)
    span = above / factor(share)
    low, high = ceil(span.low), floor(span.high)
    fits = low <= high
    arithmetic = f"{bracketed(figures.of(relation.numerator))} ÷ {share.text()} = {number(span.value)}"
    arithmetic += f" ({number(low)}–{number(high)})" if fits else ""
    told = [] if fits else [("没有整数的总数能得出这一比例", "no whole number of units gives this percentage")]
    numbers = [("implied_denominator", span.value), ("low", span.low), ("high", span.high)]
    return check(relation, "share", "closes" if fits else "open", share, arithmetic, _used(relation, figures), told, numbers)


def check_gap(relation: Gap, figures: Figures) -> Check:
    """Is share × stock − what there is the gap the plan states?"""
    share, have, gap = figures[relation.share], figures[relation.have], figures[relation.gap]
    stock = figures.total(relation.stock)
    wanted = factor(share) * stock
    computed = wanted - have.span
    outcome, sign = compare(computed, gap.span)
    implied = (have.span.value + gap.span.value) / factor(share).value
    numbers: Numbers = [("wanted", wanted.value), ("computed", computed.value), ("stated", gap.span.value)]
    numbers += [("implied_stock", implied), ("have_percent", have.span.value / stock.value * 100)]
    told: list[Reading] = []
    if outcome != "closes":
        sum_ = f"({have.text()} + {gap.text()}) ÷ {share.text()} = {number(implied)}"
        zh = f"所列缺口意味着总数 {sum_}，而不是 {number(stock.value)}"
        told.append((zh, f"the stated gap implies a stock of {sum_}, not {number(stock.value)}"))
        told += equal_elsewhere(figures, implied, figures[relation.stock[0]].unit, figures.of(relation.stock))
    told += _other_gaps(have, gap, figures, numbers) + _later(relation, figures, numbers)
    need = f"{share.text()} × {bracketed(figures.of(relation.stock))} − {have.text()}"
    arithmetic = f"{need} = {number(wanted.value)} − {have.text()} = {number(computed.value)} {sign} {gap.text()}"
    used = figures.of((relation.share, *relation.stock, relation.have, relation.gap, *relation.new))
    return check(relation, "gap", outcome, gap, arithmetic, (*used, *figures.rivals(have)), told, numbers)


def _other_gaps(have: Figure, gap: Figure, figures: Figures, numbers: Numbers) -> list[Reading]:
    """Say what the gap is with the other values that the plan gives for what there is."""
    told = []
    for rival in figures.rivals(have):
        other = have.span.value + gap.span.value - rival.span.value
        numbers.append((f"gap_{rival.id}", other))
        zh = f"若现有数取 {rival.text()}，在同一总数下缺口为 {number(other)}"
        told.append((zh, f"with {rival.text()} as what there is, the gap of the same stock is {number(other)}"))
    return told


def _later(relation: Gap, figures: Figures, numbers: Numbers) -> list[Reading]:
    """Say what the share takes once the stock has grown."""
    if not relation.new:
        return []
    share = figures[relation.share]
    stock = figures.total((*relation.stock, *relation.new)).value
    later = factor(share).value * stock
    numbers.append(("wanted_later", later))
    sum_ = f"{share.text()} × {number(stock)} = {number(later)}"
    return [(f"目标须在新增之后的总数上成立：{sum_}", f"the target has to hold on the stock after the additions: {sum_}")]


def check_rise(relation: Rise, figures: Figures) -> Check:
    """Do what there is and what is added reach a share of the future stock?"""
    share, added = figures[relation.share], figures[relation.added]
    wanted, comes = factor(share) * figures.total(relation.stock), added.span * exact(relation.times)
    start = f"{share.text()} × {bracketed(figures.of(relation.stock))} = {number(wanted.value)}"
    adds = f"{added.text()} × {relation.times}" if relation.times > 1 else added.text()
    names = (relation.share, *relation.stock, relation.existing, relation.added, relation.have_share)
    used = figures.of(name for name in names if name)
    numbers: Numbers = [("wanted", wanted.value), ("added", comes.value)]
    existing = figures[relation.existing]
    if relation.have_share:
        now = factor(figures[relation.have_share]) * existing.span
        outcome, told = _conversion(wanted - comes - now, numbers)
        numbers += [("now", now.value), ("more", wanted.value - now.value)]
        sign = "≤" if wanted.value - now.value <= comes.value else ">"
        held = f"{figures[relation.have_share].text()} × {existing.text()} = {number(now.value)}"
        arithmetic = f"{start}; {held}; +{number(wanted.value - now.value)} {sign} {adds}"
    else:
        outcome, told = _unknown_start(wanted - comes, existing, share, numbers)
        left = number(wanted.value - comes.value)
        arithmetic = f"{start}; {adds} = {number(comes.value)}; {number(wanted.value)} − {number(comes.value)} = {left}"
    return check(relation, "rise", outcome, share, arithmetic, used, told, numbers)


def _conversion(left: Span, numbers: Numbers) -> tuple[Outcome, list[Reading]]:
    """Doubt a share that what is there and what is added fall short of."""
    numbers.append(("convert", left.value))
    if left.low <= 0:
        return "closes", []
    zh = f"即使新增的全部计入，也至少要改造现有的 {number(left.value)}"
    return "doubtful", [
        (zh, f"even if all that is added counts, at least {number(left.value)} existing ones have to be converted")
    ]


def _unknown_start(left: Span, existing: Figure, share: Figure, numbers: Numbers) -> tuple[Outcome, list[Reading]]:
    """Doubt a share that asks for more of the existing stock than of the future one."""
    percent = left.value / existing.span.value * 100
    numbers += [("from_existing", left.value), ("existing_percent", percent)]
    stock, need, rate, said = existing.text(), number(left.value), number(percent), share.text()
    if left.low > existing.span.high:
        return "unreachable", [(f"即使现有 {stock} 全部计入也不够", f"not even all {stock} existing ones would do")]
    if percent <= share.span.value:
        return "closes", []
    zh = f"现有 {stock} 中须已有 {need}（{rate}%）计入，比目标 {said} 还高；方案未给出基期数"
    en = f"{need} of the {stock} existing ones ({rate}%) have to count already, above the target of {said}; no baseline is given"
    return "doubtful", [(zh, en)]
