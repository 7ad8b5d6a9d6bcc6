"""Check what adds up: sums, products, schedules with their totals, quantities stated twice, parts of a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import prod

from careshed.policy.audit.figures import Code, Columns, Each, Part, Product, Relation, Row, Sum, YearTable
from careshed.policy.audit.plausible import PLAUSIBLE, Bounds
from careshed.policy.audit.results import Check, Figure, Figures, Outcome, Reading
from careshed.policy.audit.spans import Span, exact, number
from careshed.policy.audit.verdict import bracketed, check, compare, difference, joined, sum_text


def check_sum(relation: Sum, figures: Figures) -> Check:
    """Do the parts add up to the total?"""
    parts, stated = figures.of(relation.parts), figures[relation.total]
    computed = figures.total(relation.parts)
    outcome, sign = compare(computed, stated.span)
    readings = [difference(computed.value, stated.span.value)] if outcome == "open" else []
    arithmetic = sum_text(parts, computed.value, sign, stated)
    numbers = [("computed", computed.value), ("stated", stated.span.value)]
    return check(relation, "sum", outcome, stated, arithmetic, (*parts, stated), readings, numbers)


def check_product(relation: Product, figures: Figures) -> Check:
    """Do the factors multiply to the result?"""
    factors, stated = figures.of(relation.factors), figures[relation.result]
    computed = prod((factor.span for factor in factors), start=exact(1))
    outcome, sign = compare(computed, stated.span)
    readings = [difference(computed.value, stated.span.value)] if outcome == "open" else []
    arithmetic = f"{joined('×', factors)} = {number(computed.value)}{'' if sign == '=' else f' {sign} {stated.text()}'}"
    numbers = [("computed", computed.value), ("stated", stated.span.value)]
    return check(relation, "product", outcome, stated, arithmetic, (*factors, stated), readings, numbers)


def recomputed_cells(table: YearTable, figures: dict[str, Figure]) -> dict[str, Span]:
    """Totals and targets of the rows that do not add up, as their years make them."""
    put_right: dict[str, Span] = {}
    for row in table.row:
        name = f"{table.id}.{row.id}"
        years = exact(sum((figures[f"{name}.{year}"].span.value for year in table.years), Fraction(0)))
        if years.value != figures[f"{name}.new"].span.value:
            put_right |= {f"{name}.new": years, f"{name}.target": figures[f"{name}.base"].span + years}
    return put_right


def check_table(table: YearTable, figures: Figures) -> Iterator[Check]:
    """Do rows, columns and targets of a schedule add up?"""
    for row in table.row:
        yield _row_check(table, row, figures)
        name = f"{table.id}.{row.id}"
        cells = figures.of((f"{name}.base", f"{name}.new"))
        yield _cell_check(
            f"{name}.target", "table_target", "现有 + 新增 = 目标", "stock + added = target", cells, figures[f"{name}.target"]
        )
    parents = dict.fromkeys(row.of for row in table.row if row.of)
    for parent in parents:
        names = [row.id for row in table.row if row.of == parent]
        for column in (*map(str, table.years), "new", "base", "target"):
            parts = figures.of(f"{table.id}.{name}.{column}" for name in names)
            whole = figures[f"{table.id}.{parent}.{column}"]
            yield _cell_check(f"{whole.id}.column", "table_column", "分项之和", "sum of its parts", parts, whole)


def _cell_check(name: str, kind: str, zh: str, en: str, parts: tuple[Figure, ...], whole: Figure) -> Check:
    relation = Relation(id=name, title_zh=f"{whole.title_zh}（{zh}）", title_en=f"{whole.title_en} ({en})")
    computed = sum((part.span.value for part in parts), Fraction(0))
    outcome, sign = compare(exact(computed), whole.span)
    readings = [difference(computed, whole.span.value)] if outcome == "open" else []
    arithmetic = sum_text(parts, computed, sign, whole)
    numbers = [("computed", computed), ("stated", whole.span.value)]
    return check(relation, kind, outcome, whole, arithmetic, (*parts, whole), readings, numbers)


def _row_check(table: YearTable, row: Row, figures: Figures) -> Check:
    name = f"{table.id}.{row.id}"
    made = _cell_check(
        f"{name}.row", "table_row", "各年之和", "sum of its years",
        figures.of(f"{name}.{year}" for year in table.years), figures[f"{name}.new"],
    )  # fmt: skip
    moved = _moved(table, row, figures)
    if made.outcome != "open" or not moved:
        return made
    return replace(made, readings=(*made.readings, moved))


def _moved(table: YearTable, row: Row, figures: Figures) -> Reading | None:
    """Say that rows of one parent are off by amounts that cancel, where they do."""
    beside = [other for other in table.row if other.of == row.of and row.of]
    off = {other.id: _off(table, other, figures) for other in beside}
    if sum(off.values()) or not off.get(row.id):
        return None
    by = number(sum(amount for amount in off.values() if amount > 0))
    names_zh = "、".join(other.title_zh for other in beside if off[other.id])
    names_en = ", ".join(other.title_en for other in beside if off[other.id])
    return (
        f"{names_zh}的差额相互抵消：{by} 只在合计栏中从一行移到了另一行",
        f"the differences of {names_en} cancel: {by} were moved from one row to the other, in the total column only",
    )


def _off(table: YearTable, row: Row, figures: Figures) -> Fraction:
    name = f"{table.id}.{row.id}"
    years = sum((figures[f"{name}.{year}"].span.value for year in table.years), Fraction(0))
    return figures[f"{name}.new"].span.value - years


def check_stated_twice(figures: Figures) -> Iterator[Check]:
    """Does the plan give one quantity one value?"""
    for group in figures.stated_twice():
        first = group[0]
        apart = [figure for figure in group[1:] if not figure.span.meets(first.span)]
        outcome: Outcome = "open" if apart else "closes"
        sign = "≠" if apart else "=" if all(figure.span.value == first.span.value for figure in group) else "≈"
        relation = Relation(id=f"twice.{first.id}")
        readings = [_two_values(first, other) for other in apart]
        numbers = [(figure.id, figure.span.value) for figure in group]
        yield check(relation, "twice", outcome, first, _told(group, sign), group, readings, numbers)


def _told(group: tuple[Figure, ...], sign: str) -> Reading:
    return f" {sign} ".join(figure.told() for figure in group), f" {sign} ".join(figure.told("en") for figure in group)


def _two_values(first: Figure, other: Figure) -> Reading:
    return (
        f"同一事项（{first.year}年）有 {first.told()} 和 {other.told()} 两个数，评估须各算一遍",
        f"one quantity ({first.year}) has two values, {first.told('en')} and {other.told('en')}; it has to be judged by both",
    )


def check_part(relation: Part, figures: Figures) -> Check:
    """Is a part no larger than the whole it belongs to?"""
    part, whole = figures[relation.part], figures[relation.whole]
    fits = part.span.low <= whole.span.high
    more = number(part.span.value - whole.span.value)
    arithmetic = f"{part.text()} {'≤' if fits else '>'} {whole.text()}"
    readings = [] if fits else [
        (f"“{part.title_zh}”是“{whole.title_zh}”的一部分，却比全部还多 {more}",
         f"“{part.title_en}” are some of “{whole.title_en}”, yet {more} more than all of them"),
    ]  # fmt: skip
    numbers = [("part", part.span.value), ("whole", whole.span.value)]
    return check(relation, "part", "closes" if fits else "open", part, arithmetic, (part, whole), readings, numbers)


def check_each(relation: Each, figures: Figures) -> Check:
    """Is an amount per unit one that can be believed?"""
    amounts, units = figures.of(relation.amount), figures.of(relation.units)
    each = figures.total(relation.amount) / prod((unit.span for unit in units), start=exact(1))
    bounds = PLAUSIBLE.get(relation.bounds)
    below = f"({joined('×', units)})" if len(units) > 1 else units[0].text()
    arithmetic = f"{bracketed(amounts)} ÷ {below} = {number(each.value)}"
    outcome, readings = bounds_outcome(each, bounds)
    shown = (f"{arithmetic} {bounds.unit_zh}", f"{arithmetic} {bounds.unit_en}") if bounds else arithmetic
    return check(relation, "each", outcome, units[0], shown, (*amounts, *units), readings, [("each", each.value)])


def bounds_outcome(each: Span, bounds: Bounds | None) -> tuple[Outcome, list[Reading]]:
    """Doubt a quotient outside its bounds, with the reason for them."""
    if bounds is None or (each.high >= bounds.low and each.low <= bounds.high):
        return "closes", []
    zh, en = f"{number(bounds.low)}–{number(bounds.high)}", f"{number(bounds.low)} to {number(bounds.high)}"
    return "doubtful", [
        (f"合理范围 {zh} {bounds.unit_zh}：{bounds.reason_zh}", f"plausible {en} {bounds.unit_en}: {bounds.reason_en}")
    ]


def check_columns(relation: Columns, figures: Figures) -> Check:
    """Are a place's own values more than a copy of a larger area's?"""
    left, right = figures.of(relation.left), figures.of(relation.right)
    same = [i for i, (own, other) in enumerate(zip(left, right, strict=True), 1) if own.span.value == other.span.value]
    copied = len(left) >= 5 and 2 * len(same) > len(left)
    rows = "、".join(map(str, same))
    readings = [] if not copied else [
        (f"第 {rows} 行两列相同；独立统计的两地很少有半数以上指标一致，本地基期数可能照抄",
         f"rows {rows.replace('、', ', ')} are the same; two places counted on their own seldom agree in most rows, so the local"
         " baseline may be copied"),
    ]  # fmt: skip
    arithmetic = (f"{len(left)} 行中 {len(same)} 行相同", f"{len(same)} of {len(left)} rows are the same")
    numbers = [("same", Fraction(len(same))), ("rows", Fraction(len(left))), *((f"row_{i}", Fraction(i)) for i in same)]
    outcome: Outcome = "doubtful" if copied else "closes"
    return check(relation, "columns", outcome, left[0], arithmetic, (*left, *right), readings, numbers)


def check_code(relation: Code, figures: Figures) -> Check:
    """Do the leading digits of a programme's numbers spell its name?"""
    name, parts = figures[relation.name], figures.of(relation.parts)
    spelt = "".join(part.printed[0] for part in parts)
    fits = spelt == name.printed
    arithmetic = f"{', '.join(part.text() for part in parts)} → {spelt} {'=' if fits else '≠'} {name.printed}"
    readings = [] if fits else [("各项首位数字与名称不符", "the leading digits do not spell the name")]
    return check(relation, "code", "closes" if fits else "open", name, arithmetic, (name, *parts), readings)
