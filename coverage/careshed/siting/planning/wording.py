"""Tell conflicts and relaxations in the planner's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from careshed.siting.planning.conflict import Relaxed, irreducible, least_needed
from careshed.siting.planning.model import Claim, Draft
from careshed.siting.planning.plan import Conflict, Relaxation, Told
from careshed.siting.planning.rules import Amount, Budget, PerUnit, ReachInUnits, Sites
from careshed.words import level_name

MOST_NAMES: Final = 12
"""Units named in one line; `Conflict.claims` has them all."""

PLURALS: Final = {
    "county": "counties",
    "street": "streets",
    "township": "townships",
    "community": "communities",
    "village": "villages",
    "compound": "compounds",
}


@dataclass(frozen=True)
class Work:
    """How much a search may spend, and its seed."""

    nodes: int
    seed: int


def told(draft: Draft, claim: Claim) -> Told:
    """Name a claim."""
    rule = draft.case.rules[claim.rule] if claim.rule >= 0 else None
    return Told(rule, claim.unit, claim.zh, claim.en)


def explain(draft: Draft, claims: Sequence[Claim], relaxed: Relaxed, work: Work) -> tuple[Conflict, ...]:
    """Say for everything that gave way with which other claims it conflicts."""
    found: dict[tuple[int, ...], Conflict] = {}
    for one in relaxed.broken:
        core = irreducible(draft, claims, relaxed.broken, one, nodes=work.nodes, seed=work.seed)
        found.setdefault(core, _conflict(draft, [claims[at] for at in core], work))
    return tuple(found.values())


def _conflict(draft: Draft, core: Sequence[Claim], work: Work) -> Conflict:
    zh, en = _alone(draft, core[0]) if len(core) == 1 else _together(draft, core, work)
    return Conflict(tuple(told(draft, claim) for claim in core), zh, en)


def _alone(draft: Draft, claim: Claim) -> tuple[str, str]:
    """A claim that cannot hold whatever else is given up."""
    rule, name = told(draft, claim).rule, draft.case.units.name(claim.unit)
    if isinstance(rule, PerUnit) and claim.lines[0].least is not None:
        count = len(claim.lines[0].columns)
        if count == 0:
            return f"{name}：没有候选点", f"{name}: no candidate"
        return (
            f"{name}：仅 {count} 处可选，要求至少 {rule.at_least} 处",
            f"{name}: {count} to choose from, at least {rule.at_least} asked",
        )
    if isinstance(rule, ReachInUnits) and not claim.lines[0].columns.size:
        return f"{claim.zh}：没有候选点可达", f"{claim.en}: no candidate reaches them"
    return f"{claim.zh}：无论如何选址都达不到", f"{claim.en}: cannot be met by any choice of sites"


def _together(draft: Draft, core: Sequence[Claim], work: Work) -> tuple[str, str]:
    for kind, kind_of_rule in (("money", Budget), ("sites", Sites)):
        limit = next((claim for claim in core if claim.kind == kind and claim.lines[0].most is not None), None)
        rest = [claim for claim in core if claim is not limit]
        rule = None if limit is None else told(draft, limit).rule
        if limit is None or not isinstance(rule, kind_of_rule):
            continue
        least = least_needed(draft, rest, "money" if kind == "money" else "sites", nodes=work.nodes, seed=work.seed)
        who_zh, who_en = _who(draft, rest)
        if isinstance(rule, Budget) and least is not None:
            return (
                f"{who_zh}至少需要 {yuan_text(least)[0]}，{_allowed(rule)[0]}",
                f"{who_en} {_need(rest)} at least {yuan_text(least)[1]}, {_allowed(rule)[1]}",
            )
        if isinstance(rule, Sites) and rule.which == "new" and not rule.service and least is not None:
            return (
                f"{who_zh}至少需要新增 {least} 处，{limit.zh}",
                f"{who_en} {_need(rest)} at least {least} new site(s); {limit.en}",
            )
    joined_zh, joined_en = "；".join(claim.zh for claim in core), "; ".join(claim.en for claim in core)
    return f"以下要求不能同时满足：{joined_zh}", f"these cannot all hold: {joined_en}"


def _allowed(rule: Budget) -> tuple[str, str]:
    zh, en = yuan_text(rule.yuan)
    return f"预算为 {zh}", f"the budget is {en}"


def _who(draft: Draft, rest: Sequence[Claim]) -> tuple[str, str]:
    """Sum up claims: units of one level as a number with their names, all else one by one."""
    units = draft.case.units
    codes = sorted({claim.unit for claim in rest if claim.unit})
    levels = sorted({units.levels.get(code, "") for code in codes})
    if len(levels) == 1 and all(_one_unit_rule(draft, claim) for claim in rest):
        more = len(codes) > MOST_NAMES
        names_zh = "、".join(map(units.name, codes[:MOST_NAMES])) + ("……" if more else "")
        names_en = ", ".join(map(units.name, codes[:MOST_NAMES])) + (" …" if more else "")
        en = PLURALS.get(levels[0], levels[0]) if len(codes) > 1 else levels[0]
        return f"{len(codes)} 个{level_name(levels[0], 'zh')}（{names_zh}）", f"{len(codes)} {en} ({names_en})"
    return "；".join(claim.zh for claim in rest), "; ".join(claim.en for claim in rest)


def _need(rest: Sequence[Claim]) -> str:
    return "needs" if len({claim.unit for claim in rest}) == 1 else "need"


def _one_unit_rule(draft: Draft, claim: Claim) -> bool:
    return bool(claim.unit) and isinstance(told(draft, claim).rule, PerUnit | Amount | ReachInUnits)


def yuan_text(yuan: float) -> tuple[str, str]:
    """Write an amount of money as committees do, without hiding a yuan.

    >>> yuan_text(4_200_000)
    ('420 万元', '4.2 million yuan')
    >>> yuan_text(3000)
    ('3,000 元', '3,000 yuan')
    """
    zh = f"{yuan / 1e4:,.10g} 万元" if abs(yuan) >= 1e4 else f"{yuan:,.0f} 元"
    return zh, f"{yuan / 1e6:,.10g} million yuan" if abs(yuan) >= 1e6 else f"{yuan:,.0f} yuan"


def relaxation(draft: Draft, claims: Sequence[Claim], relaxed: Relaxed) -> Relaxation:
    """Say what the least relaxation is."""
    gave = tuple(told(draft, claims[at]) for at in relaxed.broken)
    names = [draft.case.units.name(code) for code in relaxed.units]
    others = [one for one, at in zip(gave, relaxed.broken, strict=True) if claims[at].kind == "other"]
    zh, en = [], []
    if others:
        zh.append("放弃：" + "；".join(one.zh for one in others))
        en.append("give up: " + "; ".join(one.en for one in others))
    if names:
        zh.append(f"{len(names)} 个单元不满足要求（{'、'.join(names)}）")
        en.append(f"{len(names)} unit(s) go without ({', '.join(names)})")
    if relaxed.yuan:
        more_zh, more_en = yuan_text(relaxed.yuan)
        zh.append(f"预算增加 {more_zh}")
        en.append(f"{more_en} more")
    if relaxed.sites:
        zh.append(f"设施数放宽 {relaxed.sites} 处")
        en.append(f"{relaxed.sites} site(s) beyond the number asked")
    told_zh, told_en = "；".join(zh), "; ".join(en)
    return Relaxation(gave, relaxed.units, float(relaxed.yuan), relaxed.sites, len(others), told_zh, told_en)
