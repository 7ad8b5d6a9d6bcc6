"""Turn every rule into claims: rows of the model with the unit, site or pair they speak of, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np

from careshed.siting.planning.case import PER_METRE2, UNKNOWN, Case, Place, Reach, reachable, read_reach
from careshed.siting.planning.kinds import Of
from careshed.siting.planning.model import ALWAYS, Claim, Draft, Kind, Line, Steps, plain_steps
from careshed.siting.planning.rules import (
    Amount,
    Budget,
    EachSite,
    Forbidden,
    ForcedIn,
    InclusiveShare,
    Measure,
    PerUnit,
    ReachInUnits,
    Sites,
    Spacing,
    Which,
)
from careshed.siting.problem import PARTS_PER_PERSON, Flags
from careshed.words import group_name

FINE: Final = 1_000_000
"""Shares are read to a millionth, so that 0.8 means 4/5."""

Counted = list[tuple[int, int]]
"""Columns and factors of a row."""

SCALES: Final[dict[Measure, int]] = {"sites": 1, "places": PARTS_PER_PERSON, "area_m2": PER_METRE2}


def rule_claims(draft: Draft) -> list[Claim]:
    """Write the claims of all rules, in their order; steps that rules count by are added to the draft."""
    return [claim for at, rule in enumerate(draft.case.rules) for claim in WRITERS.get(type(rule), _none)(draft, at, rule)]


def _none(draft: Draft, at: int, rule: object) -> Iterator[Claim]:  # noqa: ARG001
    """Rules that shape the case itself (Closable, Upgradable, Hosting) claim nothing."""
    return iter(())


def line(counted: Counted, least: int | None, most: int | None, scale: int = 1) -> Line:
    """Write a row, factors of the same column added up."""
    together: dict[int, int] = {}
    for column, factor in counted:
        together[column] = together.get(column, 0) + factor
    columns = sorted(column for column, factor in together.items() if factor)
    factors = [together[column] for column in columns]
    return Line(np.array(columns, dtype=np.int64), np.array(factors, dtype=np.int64), least, most, scale)


def share_of(share: float) -> Fraction:
    """Read a share to a millionth.

    >>> share_of(0.8)
    Fraction(4, 5)
    """
    return Fraction(round(share * FINE), FINE)


def needed_parts(share: float, total: int) -> int:
    """Least whole parts that make a share of a total.

    >>> needed_parts(0.8, 11)
    9
    """
    return -(-share_of(share) * total // 1)


def counted_sites(draft: Draft, which: Which, service: str, unit: str = "") -> Counted:
    """Columns of the sites that a rule counts: roofs, or the posts of one service."""
    case = draft.case

    def counts(place: Place) -> bool:
        return (which == "all" or not place.standing) and (not unit or unit in place.chain)

    if service and case.shared:
        return [
            (draft.post_column(i), 1)
            for i, post in enumerate(case.posts)
            if post.service == service and counts(case.places[post.place])
        ]
    return [(i, 1) for i, place in enumerate(case.places) if counts(place)]


def counted_amount(draft: Draft, measure: Measure, which: Which, unit: str = "") -> Counted:
    """Columns with the places or floor area that each stands for; what is unknown counts nothing."""
    case = draft.case
    if measure == "sites":
        return counted_sites(draft, which, "", unit)
    roofs = {column for column, _ in counted_sites(draft, which, "", unit)}
    if measure == "area_m2":
        return [(column, max(case.places[column].area, 0)) for column in sorted(roofs)]
    found = [(draft.post_column(i), max(post.places, 0)) for i, post in enumerate(case.posts) if post.place in roofs]
    grown = [
        (draft.extension_column(i), one.places)
        for i, one in enumerate(case.extensions)
        if unit == "" or unit in case.places[one.place].chain
    ]
    return found + grown


def money(draft: Draft) -> tuple[Counted, int]:
    """Net yuan of roofs, services, upgrades and closures: columns with factors, and a constant."""
    case = draft.case
    found: Counted = []
    constant = 0
    for i, place in enumerate(case.places):
        if place.standing and place.closable:
            found.append((i, -place.closing))
            constant += place.closing
        found.append((i, place.cost))
    found += [(draft.post_column(i), post.cost - post.subsidy) for i, post in enumerate(case.posts)]
    found += [(draft.extension_column(i), one.cost - one.subsidy) for i, one in enumerate(case.extensions)]
    return found, constant


def _sites(draft: Draft, at: int, rule: Sites) -> Iterator[Claim]:
    counted = counted_sites(draft, rule.which, rule.service)
    new_zh, new_en = ("新增", "new ") if rule.which == "new" else ("", "")
    if rule.at_least:
        zh, en = f"{new_zh}设施至少 {rule.at_least} 处", f"at least {rule.at_least} {new_en}site(s)"
        yield Claim(at, "sites", "", zh, en, (line(counted, rule.at_least, None),))
    if rule.at_most is not None:
        zh, en = f"{new_zh}设施至多 {rule.at_most} 处", f"at most {rule.at_most} {new_en}site(s)"
        yield Claim(at, "sites", "", zh, en, (line(counted, None, rule.at_most),))


def _per_unit(draft: Draft, at: int, rule: PerUnit) -> Iterator[Claim]:
    case = draft.case
    for code in rule.units or case.units.of_level(rule.level):
        counted, name = counted_sites(draft, rule.which, rule.service, code), case.units.name(code)
        if rule.at_least:
            zh, en = f"{name}至少 {rule.at_least} 处", f"{name}: at least {rule.at_least} site(s)"
            yield Claim(at, "unit", code, zh, en, (line(counted, rule.at_least, None),))
        if rule.at_most is not None:
            zh, en = f"{name}至多 {rule.at_most} 处", f"{name}: at most {rule.at_most} site(s)"
            yield Claim(at, "unit", code, zh, en, (line(counted, None, rule.at_most),))


MEASURES: Final[dict[Measure, tuple[str, str]]] = {
    "sites": ("处设施", "site(s)"),
    "places": ("个托位（床位）", "place(s)"),
    "area_m2": (" m² 建筑面积", "m² of floor"),
}


def _amount(draft: Draft, at: int, rule: Amount) -> Iterator[Claim]:
    scale, (unit_zh, unit_en) = SCALES[rule.measure], MEASURES[rule.measure]
    kind: Kind = "unit" if rule.level else "other"
    for code in draft.case.units.of_level(rule.level):
        counted = counted_amount(draft, rule.measure, rule.which, code)
        name = draft.case.units.name(code)
        where_zh, where_en = (name, f"{name}: ") if code else ("全市", "in all ")
        if rule.at_least:
            zh, en = f"{where_zh}至少 {rule.at_least:,g} {unit_zh}", f"{where_en}at least {rule.at_least:,g} {unit_en}"
            yield Claim(at, kind, code, zh, en, (line(counted, round(rule.at_least * scale), None, scale),))
        if rule.at_most is not None:
            zh, en = f"{where_zh}至多 {rule.at_most:,g} {unit_zh}", f"{where_en}at most {rule.at_most:,g} {unit_en}"
            yield Claim(at, kind, code, zh, en, (line(counted, None, round(rule.at_most * scale), scale),))


def _each_site(draft: Draft, at: int, rule: EachSite) -> Iterator[Claim]:
    case = draft.case
    for i, place in enumerate(case.places):
        if place.standing:
            continue
        wrong = [i] if not _within(place.area, rule.area_m2_at_least, None, PER_METRE2) else []
        posts = [(p, post) for p, post in enumerate(case.posts) if post.place == i]
        wrong += [
            draft.post_column(p)
            for p, post in posts
            if not _within(post.places, rule.places_at_least, rule.places_at_most, PARTS_PER_PERSON)
        ]
        if wrong:
            zh, en = f"候选点 {place.id} 不符合面积或规模要求", f"{place.id} does not keep the limits of area or places"
            yield Claim(at, "other", "", zh, en, tuple(line([(column, 1)], None, 0) for column in dict.fromkeys(wrong)))


def _within(value: int, least: float | None, most: float | None, scale: int) -> bool:
    if least is None and most is None:
        return True
    low = least is None or value >= round(least * scale)
    return value != UNKNOWN and low and (most is None or value <= round(most * scale))


def _forced(draft: Draft, at: int, rule: ForcedIn) -> Iterator[Claim]:
    for i in _positions(draft.case, rule.ids):
        name = draft.case.places[i].id
        yield Claim(at, "other", "", f"候选点 {name} 必须入选", f"{name} must be built", (line([(i, 1)], 1, None),))


def _forbidden(draft: Draft, at: int, rule: Forbidden) -> Iterator[Claim]:
    for i in _positions(draft.case, rule.ids):
        name = draft.case.places[i].id
        yield Claim(at, "other", "", f"候选点 {name} 不得入选", f"{name} must not be built", (line([(i, 1)], None, 0),))


def _positions(case: Case, ids: Sequence[str]) -> list[int]:
    at = {place.id: i for i, place in enumerate(case.places)}
    return [at[name] for name in sorted(set(ids)) if name in at]


def _budget(draft: Draft, at: int, rule: Budget) -> Iterator[Claim]:
    counted, constant = money(draft)
    zh, en = f"预算 {rule.yuan:,.0f} 元", f"the budget of {rule.yuan:,.0f} yuan"
    yield Claim(at, "money", "", zh, en, (line(counted, None, round(rule.yuan) - constant, 1),))


def _spacing(draft: Draft, at: int, rule: Spacing) -> Iterator[Claim]:
    places = draft.case.places
    for i, j, metres in sorted(_near_pairs(places, rule)):
        if places[i].standing and (places[j].standing or not rule.with_existing):
            continue
        if places[j].standing and not rule.with_existing:
            continue
        a, b = places[i].id, places[j].id
        zh = f"{a} 与 {b} 相距 {metres:,.0f} m，小于间距 {rule.metres:,.0f} m"
        en = f"{a} and {b} are {metres:,.0f} m apart, less than the spacing of {rule.metres:,.0f} m"
        yield Claim(at, "other", "", zh, en, (line([(i, 1), (j, 1)], None, 1),))


def _near_pairs(places: Sequence[Place], rule: Spacing) -> Iterator[tuple[int, int, float]]:
    """Pairs nearer than the spacing; what is exactly that far is far enough."""
    if rule.streets is None:
        from scipy.spatial import cKDTree

        xy = np.array([place.xy for place in places])
        for i, j in cKDTree(xy).query_pairs(rule.metres):
            metres = float(np.hypot(*(xy[i] - xy[j])))
            if metres < rule.metres:
                yield i, j, metres
        return
    at = {place.id: i for i, place in enumerate(places)}
    nearest: dict[tuple[int, int], float] = {}
    for a, b, metres in zip(rule.streets["a"].map(str), rule.streets["b"].map(str), rule.streets["metres"], strict=True):
        if a in at and b in at and a != b and metres < rule.metres:
            pair = (min(at[a], at[b]), max(at[a], at[b]))
            nearest[pair] = min(nearest.get(pair, np.inf), float(metres))
    yield from ((i, j, metres) for (i, j), metres in nearest.items())


def _inclusive(draft: Draft, at: int, rule: InclusiveShare) -> Iterator[Claim]:
    share = share_of(rule.at_least)
    place_of = dict(enumerate(range(len(draft.case.places))))
    place_of |= {draft.post_column(i): post.place for i, post in enumerate(draft.case.posts)}
    place_of |= {draft.extension_column(i): one.place for i, one in enumerate(draft.case.extensions)}
    counted = [
        (column, amount * (share.denominator * draft.case.places[place_of[column]].inclusive - share.numerator))
        for column, amount in counted_amount(draft, rule.measure, rule.which)
    ]
    zh, en = f"普惠占比至少 {rule.at_least:.0%}", f"at least {rule.at_least:.0%} inclusive"
    yield Claim(at, "other", "", zh, en, (line(counted, 0, None, SCALES[rule.measure] * share.denominator),))


def _reach_in_units(draft: Draft, at: int, rule: ReachInUnits) -> Iterator[Claim]:
    case = draft.case
    reach = reach_of(case, rule.demand)
    steps = plain_steps(draft, reach)
    who_zh, who_en = (group_name(rule.demand.group, "zh"), group_name(rule.demand.group, "en"))
    for code in rule.units or case.units.of_level(rule.level):
        name = case.units.name(code) if code else ""
        zh = f"{name or '全市'}至少 {rule.share:.0%} 的{who_zh}在范围内"
        en = f"{name or 'in all'}: at least {rule.share:.0%} of the {who_en} reached"
        kind: Kind = "unit" if code else "other"
        yield Claim(at, kind, code, zh, en, (reach_line(draft, reach, steps, code, rule.share, rule.of),))


def reach_of(case: Case, demand: Any) -> Reach:
    """Lay out a demand that a rule counts; the objective's own are there already."""
    known = next((reach for reach in case.reaches if reach.demand == demand), None)
    if known is not None:
        return known
    found = []
    for post in case.posts:
        times = case.matrices[case.places[post.place].standing][post.service]
        found.append((times.facilities.index.map(str).get_loc(case.places[post.place].id), times))
    return read_reach(demand, case.cells, case.posts, found)


def in_unit(case: Case, code: str) -> Flags:
    """Mark the cells of a unit; all for ""."""
    if not code:
        return np.ones(len(case.cells), dtype=np.bool_)
    return np.array([code in chain for chain in case.cell_chains], dtype=np.bool_)


def reach_line(draft: Draft, reach: Reach, steps: Steps, code: str, share: float, of: Of) -> Line:
    """At least a share of the people of a unit reached."""
    mine = in_unit(draft.case, code)
    total = total_parts(draft, reach, mine, of)
    counted, constant = unit_counts(steps, mine)
    return line(counted, needed_parts(share, total) - constant, None, PARTS_PER_PERSON)


def total_parts(draft: Draft, reach: Reach, mine: Flags, of: Of) -> int:
    """People of whom a share is taken, millionths."""
    every: Flags = np.ones(len(draft.case.posts), dtype=np.bool_)
    counts = mine & reachable(reach, every) if of == "reachable" else mine
    return int(reach.parts[counts].sum())


def unit_counts(steps: Steps, mine: Flags) -> tuple[Counted, int]:
    """People of some cells by step: columns with millionths, and those who are always reached."""
    found, constant = [], 0
    for cell, column, worth in zip(steps.cell.tolist(), steps.column.tolist(), steps.worth, strict=True):
        if mine[cell] and column == ALWAYS:
            constant += worth
        elif mine[cell]:
            found.append((column, worth))
    return found, constant


WRITERS: Final[dict[type, Callable[[Draft, int, Any], Iterator[Claim]]]] = {
    Sites: _sites,
    PerUnit: _per_unit,
    Amount: _amount,
    EachSite: _each_site,
    ForcedIn: _forced,
    Forbidden: _forbidden,
    Budget: _budget,
    Spacing: _spacing,
    InclusiveShare: _inclusive,
    ReachInUnits: _reach_in_units,
}
"""Rule -> what writes its claims."""
