"""Tell a frontier in words: every point in a line, and where the curve bends in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from careshed.siting.planning.kinds import MaxServed
from careshed.siting.planning.wording import yuan_text
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from careshed.siting.reasons.bend import Bend
    from careshed.siting.reasons.curve import Frontier, Point
    from careshed.siting.reasons.tracing import By


def effort_text(limit: int, by: By, lang: Lang) -> str:
    """Write sites or money.

    >>> effort_text(1, "sites", "en"), effort_text(3, "sites", "zh"), effort_text(500_000, "money", "zh")
    ('1 site', '3 处', '50 万元')
    """
    if by == "money":
        return pick(lang, *yuan_text(limit))
    return pick(lang, f"{limit} 处", "1 site" if limit == 1 else f"{limit} sites")


def point_text(curve: Frontier, point: Point, lang: Lang) -> str:
    """Tell one point: effort, people, share, how sure."""
    share = f"{point.value / curve.total:.1%}" if curve.total else "–"
    effort = effort_text(point.limit, curve.by, lang)
    if curve.by == "money":
        effort += pick(lang, f"（{len(point.sites)} 处）", f" ({effort_text(len(point.sites), 'sites', 'en')})")
    missing = point.bound - point.value
    sure = pick(lang, "已证最优", "proven best")
    if point.status != "optimal":
        sure = pick(lang, f"最多还可多 {missing:,.0f} 人", f"at most {missing:,.0f} more are possible")
    people = pick(lang, f"{point.value:,.0f} 人", f"{point.value:,.0f} people")
    return pick(lang, f"{effort}：{people}（{share}），{sure}。", f"{effort}: {people} ({share}), {sure}.")


def bend_text(curve: Frontier, lang: Lang) -> str:
    """Say where more effort stops paying."""
    chord, half = curve.bends
    first, last = curve.points[0], curve.points[-1]
    if last.value <= first.value:
        said = pick(lang, f"增加投入不再增加{_who(curve, 'zh')}", f"more effort adds no {_who(curve, 'en')}")
    elif chord.at is None:
        said = pick(lang, "曲线没有转弯，每增加一步大致同样有效", "the curve does not bend: every step adds about as much")
    else:
        said = _chord_text(curve, chord.at, lang)
    parts = [said, *([_half_text(curve, half.at, lang)] if half.at is not None else []), _sure_text(curve, lang)]
    told = pick(lang, "；", "; ").join(part for part in parts if part)
    return pick(lang, f"{told}。", f"{told[0].upper()}{told[1:]}.")


def _who(curve: Frontier, lang: Lang) -> str:
    """Whom the curve counts."""
    groups = list(dict.fromkeys(demand.group for demand in curve.objective.demands))
    names = pick(lang, "、", " and ").join(
        pick(lang, "居民", "residents") if group == "total" else group_name(group, lang) for group in groups
    )
    served = isinstance(curve.objective, MaxServed)
    state = pick(lang, "有位可入的" if served else "所覆盖的", " with a place" if served else " reached")
    return pick(lang, f"{state}{names}", f"{names}{state}")


def _chord_text(curve: Frontier, at: int, lang: Lang) -> str:
    """How much the steps up to the bend bring, and how little those beyond it."""
    first, last = curve.points[0], curve.points[-1]
    here = next(point for point in curve.points if point.limit == at)
    share = (here.value - first.value) / (last.value - first.value)
    unit = 1 if curve.by == "sites" else 10_000
    each = (last.value - here.value) / (last.limit - at) * unit
    effort, whole = effort_text(at, curve.by, lang), effort_text(last.limit, curve.by, lang)
    step = pick(
        lang, "每多 1 处" if curve.by == "sites" else "每多 1 万元", "further site" if unit == 1 else "further 10,000 yuan"
    )
    if lang == "zh":
        return (
            f"曲线在 {effort}处转弯：到此{_who(curve, 'zh')}由 {first.value:,.0f} 人增至 {here.value:,.0f} 人，"
            f"占 {whole}所增的 {share:.0%}，其后{step}平均只增 {_few(each)} 人"
        ).replace("处处", "处")
    return (
        f"the curve bends at {effort}: up to there {_who(curve, 'en')} rise from {first.value:,.0f} to {here.value:,.0f}, "
        f"which is {share:.0%} of what {whole} add; beyond it each {step} adds {_few(each)} on average"
    )


def _few(people: float) -> str:
    """Write an average of people, with a decimal where there are few."""
    return f"{people:,.0f}" if people >= 10 or people == round(people) else f"{people:,.1f}"


def _half_text(curve: Frontier, at: int, lang: Lang) -> str:
    """From where on a step adds less than half of what the first does."""
    later = next(point.limit for point in curve.points if point.limit > at)
    if curve.by == "sites":
        zh, en = (
            f"从第 {later} 处起，每处所增不到首处的一半",
            f"from site {later} on each adds less than half of what the first does",
        )
        return pick(lang, zh, en)
    effort = effort_text(at, "money", lang)
    zh, en = (
        f"超过 {effort}后，每万元所增不到最初的一半",
        f"beyond {effort}, 10,000 yuan add less than half of what they do at first",
    )
    return pick(lang, zh, en)


def _sure_text(curve: Frontier, lang: Lang) -> str:
    """Whether better proofs could move the bend, and to where."""
    if all(point.status == "optimal" for point in curve.points):
        return pick(lang, "各点均已证最优", "every point is proven best")
    if curve.certain:
        return pick(lang, "未证最优的差额不改变这一判断", "what is not proven cannot move this")
    doubtful = [_span(bend, curve, lang) for bend in curve.bends if not bend.certain]
    told = pick(lang, "、", ", ").join(dict.fromkeys(doubtful))
    return pick(lang, f"因部分点未证最优，转弯可能在 {told}", f"some points are not proven best, so the bend may lie at {told}")


def _span(bend: Bend, curve: Frontier, lang: Lang) -> str:
    """Where a bend could lie."""
    low, high = (effort_text(limit, curve.by, lang) for limit in (min(bend.possible), max(bend.possible)))
    return low if low == high else pick(lang, f"{low}至 {high}之间", f"{low} to {high}")
