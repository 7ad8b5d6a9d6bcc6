"""Say in one sentence why a site is in the plan, what depends on it and what could stand in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from careshed.siting.planning.model import Claim
from careshed.siting.planning.rules import PerUnit
from careshed.siting.planning.wording import yuan_text
from careshed.siting.problem import PARTS_PER_PERSON
from careshed.siting.reasons.ground import Ground
from careshed.siting.reasons.weighing import Loss, Step, Swap
from careshed.words import Lang, group_name, pick

MOST_UNITS = 3
"""Units named in a sentence; the table of units has them all."""

MOST_RULES = 3
"""Broken rules told in a sentence; the table has them all."""


@dataclass(frozen=True)
class Told:
    """What the sentence of one site says."""

    step: Step
    order: int
    units: tuple[tuple[str, float], ...]
    """Units that gain most and their people, the most first."""
    lost: Loss
    swap: Swap | None
    near_tie: bool
    near_m: float
    facility: tuple[str, str]


def reason(ground: Ground, told: Told, lang: Lang) -> str:
    """Put one site's reason into a sentence."""
    place = ground.case.places[told.step.place]
    name = place.name or place.id
    parts = [_gain(ground, told, lang), _loss(ground, told, lang), _swap(ground, told, lang)]
    head = pick(lang, f"第 {told.order} 处“{name}”", f"Site {told.order}, {name}")
    return pick(lang, f"{head}：{'；'.join(parts)}。", f"{head}: {'; '.join(parts)}.")


def people_text(parts: int, lang: Lang) -> str:
    """Write people as whole persons, fewer than one as such.

    >>> people_text(12_400_000, "en"), people_text(300_000, "en"), people_text(1_000_000, "zh")
    ('12 people', 'less than one person', '1 人')
    """
    count = round(parts / PARTS_PER_PERSON)
    if 0 < parts < PARTS_PER_PERSON:
        return pick(lang, "不足 1 人", "less than one person")
    return pick(lang, f"{count:,} 人", "1 person" if count == 1 else f"{count:,} people")


def who(ground: Ground, lang: Lang) -> str:
    """Name the groups that a plan is for."""
    names = {"total": pick(lang, "居民", "residents")}
    groups = dict.fromkeys(layer.reach.demand.group for layer in ground.layers)
    return pick(lang, "、", " and ").join(names.get(group, group_name(group, lang)) for group in groups)


def rule_text(ground: Ground, claim: Claim, facility: tuple[str, str], lang: Lang) -> str:
    """Say what breaks, in the words of the rule.

    The first facility of a unit is told as what it is: without the site the unit would have none.
    """
    rule = ground.case.rules[claim.rule] if claim.rule >= 0 else None
    if isinstance(rule, PerUnit) and claim.lines[0].least is not None:
        name = ground.case.units.name(claim.unit)
        if rule.at_least == 1:
            return pick(lang, f"{name}将没有{facility[0]}", f"{name} would have no {facility[1]}")
        return pick(lang, f"{name}的{facility[0]}将不足 {rule.at_least} 处", f"{name} would have fewer than {rule.at_least}")
    return pick(lang, f"不再满足“{claim.zh}”", f'the rule "{claim.en}" would not hold')


def rules_text(ground: Ground, claims: Sequence[Claim], facility: tuple[str, str], lang: Lang, most: int | None = None) -> str:
    """Say all that breaks."""
    said = [rule_text(ground, claim, facility, lang) for claim in claims]
    few = said if most is None else said[:most]
    if len(few) < len(said):
        few = [
            *few,
            pick(lang, f"另有 {len(said) - len(few)} 项要求不再满足", f"{len(said) - len(few)} more rule(s) would break"),
        ]
    return pick(lang, "，", " and ").join(few)


def _gain(ground: Ground, told: Told, lang: Lang) -> str:
    count = told.step.people
    if count <= 0:
        return pick(lang, "不新增覆盖人数", "reaches nobody new")
    people, served = people_text(count, "zh").replace(" 人", " 名"), ground.crowd is not None
    number = people_text(count, "en").removesuffix(" people")
    if number.endswith(" person"):
        number = number.removesuffix(" person") + " of the"
    people = f" {people}" if people[0].isdigit() else people
    verb = ("使{}{}有位可入", "gives a place to {} {}") if served else ("新增覆盖{}{}", "newly reaches {} {}")
    said = pick(lang, verb[0].format(people, who(ground, "zh")), verb[1].format(number, who(ground, "en")))
    return said + _where(ground, told, lang)


def _where(ground: Ground, told: Told, lang: Lang) -> str:
    """Name the units that gain most."""
    big = [(code, people) for code, people in told.units if people >= 1]
    if not big or ground.crowd is not None:
        return ""
    first = ground.case.units.name(big[0][0])
    if round(big[0][1] * PARTS_PER_PERSON) >= told.step.people - PARTS_PER_PERSON // 2:
        return pick(lang, f"（均在{first}）", f" (all in {first})")
    names = [f"{ground.case.units.name(code)} {people:,.0f}" for code, people in big[:MOST_UNITS]]
    rest = len(big) - len(names)
    zh = "、".join(f"{name} 人" for name in names) + (f"，另有 {rest} 个单元" if rest else "")
    en = ", ".join(names) + (f" and {rest} more unit(s)" if rest else "")
    return pick(lang, f"（{zh}）", f" ({en})")


def _loss(ground: Ground, told: Told, lang: Lang) -> str:
    """Say who would go without, and which rules would break."""
    lost, place, said = told.lost, ground.crowd is not None, []
    none_zh, none_en = (
        ("无位可入", "would have no place") if place else (f"到不了任何{told.facility[0]}", f"would reach no {told.facility[1]}")
    )
    if lost.people > 0 and lost.people == told.step.people and not place:
        said.append(pick(lang, f"这些人都{none_zh}", f"none of them would reach any {told.facility[1]}"))
    elif lost.people > 0:
        said.append(pick(lang, f"{people_text(lost.people, 'zh')}{none_zh}", f"{people_text(lost.people, 'en')} {none_en}"))
    if lost.breaks:
        said.append(rules_text(ground, lost.breaks, told.facility, lang, MOST_RULES))
    if not said:
        zh, en = (
            ("没有人因此无位可入", "nobody would lose a place") if place else ("没有人因此失去设施", "nobody would lose access")
        )
        said.append(pick(lang, zh, en))
    return pick(lang, "若不建，", "without it ") + pick(lang, "，", " and ").join(said)


def metres_text(metres: float, lang: Lang) -> str:
    """Write a straight distance.

    >>> metres_text(565.1, "zh"), metres_text(5337, "en")
    ('565 米', '5.3 km')
    """
    if metres < 1000:
        return pick(lang, f"{metres:,.0f} 米", f"{metres:,.0f} m")
    return pick(lang, f"{metres / 1000:,.1f} 公里", f"{metres / 1000:,.1f} km")


def _swap(ground: Ground, told: Told, lang: Lang) -> str:
    swap = told.swap
    if swap is None:
        return pick(lang, "没有别的候选点可以替代而不违反要求", "no other candidate could take its place under the rules")
    place = ground.case.places[swap.place]
    name, far = place.name or place.id, metres_text(swap.metres, lang)
    near = metres_text(told.near_m, lang)
    if swap.metres > told.near_m:
        zh = f"{near}内没有可替代的候选点，别处次优的是 {far}外的“{name}”"
        en = f"nothing within {near} could take its place, the next best elsewhere is {name}, {far} away"
    else:
        zh, en = f"附近次优的是 {far}外的“{name}”", f"the next best nearby is {name}, {far} away"
    differences = pick(lang, "，", ", ").join(_differences(ground, swap, lang))
    tie = pick(lang, "，两处几乎相当", ", practically a tie") if told.near_tie else ""
    return pick(lang, f"{zh}（{differences}{tie}）", f"{en} ({differences}{tie})")


def _differences(ground: Ground, swap: Swap, lang: Lang) -> list[str]:
    """Say how many people and how much money more or less."""
    zh, en = people_text(abs(swap.people), "zh"), people_text(abs(swap.people), "en")
    more = ("多", "more") if swap.people > 0 else ("少", "fewer")
    verb = "安置" if ground.crowd is not None else "覆盖"
    said = [pick(lang, f"{more[0]}{verb} {zh}", f"{en} {more[1]}") if swap.people else pick(lang, "人数相同", "as many people")]
    if swap.yuan == swap.yuan:
        yuan = yuan_text(abs(swap.yuan))
        dearer = ("多花", "dearer") if swap.yuan > 0 else ("省", "cheaper")
        cost = pick(lang, f"{dearer[0]} {yuan[0]}", f"{yuan[1]} {dearer[1]}")
        said.append(cost if swap.yuan else pick(lang, "造价相同", "at the same cost"))
    return said
