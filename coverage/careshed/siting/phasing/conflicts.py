"""Say in the planner's words which year's means cannot meet a rule, and find the least that must give way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from careshed.siting.phasing.engine import Effort
from careshed.siting.phasing.means import Means
from careshed.siting.phasing.phase import Phase, Unused
from careshed.siting.phasing.stack import Stack
from careshed.siting.planning.conflict import Switches, _shrink, irreducible, relax
from careshed.siting.planning.model import Aim, Claim, Draft
from careshed.siting.planning.plan import Conflict, Relaxation
from careshed.siting.planning.solving import limits, search, solver
from careshed.siting.planning.wording import _alone, _need, _one_unit_rule, _who, relaxation, told, yuan_text


@dataclass(frozen=True)
class Relaxing:
    """Why not everything can be met, what gives way, and how the claims read then."""

    conflicts: tuple[Conflict, ...]
    relaxation: Relaxation
    claims: tuple[Claim, ...]


def relaxed_plan(
    stack: Stack, means: Sequence[Means], claims: Sequence[Claim], phases: Sequence[Phase], unused: Unused, effort: Effort
) -> Relaxing:
    """Find the least that gives way, in the order of `careshed.siting.planning`, and the reasons.

    Where means are carried over, money and sites that are missing are counted once, as needed from the first year on; where they
    lapse, year by year.
    """
    draft = _whole(stack)
    together = _together(means, claims, unused)
    found = relax(draft, [_joined(claims, group) for group in together], nodes=effort.nodes, seed=effort.seed)
    loose = list(claims)
    for group, now in zip(together, found.claims, strict=True):
        for at, row in zip(group, now.lines, strict=True) if len(group) > 1 else [(group[0], None)]:
            loose[at] = now if row is None else replace(claims[at], lines=(row,))
    loose = _same_for_all_years(loose, means, unused)
    broken = tuple(at for at, (old, new) in enumerate(zip(claims, loose, strict=True)) if _moved(old, new))
    asked = Asked(stack, draft, tuple(means), tuple(claims), tuple(phases), unused, effort)
    cores = dict.fromkeys(core for group in together for core in _cores(asked, group, broken))
    conflicts = tuple(_conflict(asked, core) for core in cores)
    least = replace(found, claims=tuple(loose), broken=broken)
    return Relaxing(conflicts, relaxation(draft, claims, least), tuple(loose))


def _whole(stack: Stack) -> Draft:
    """The model with steps as whole numbers, so that answers of the explanation are exact."""
    return replace(stack.draft, whole=[True] * len(stack.draft.whole))


def _together(means: Sequence[Means], claims: Sequence[Claim], unused: Unused) -> list[tuple[int, ...]]:
    """Positions of claims that give way by one amount: money, and numbers of sites, where they are carried over."""
    groups: list[tuple[int, ...]] = []
    joint = ("money", "sites") if unused == "carried_over" else ()
    for kind in joint:
        mine = tuple(at for at, one in enumerate(means) if one.kind == kind)
        groups += [mine] if mine else []
    taken = {at for group in groups for at in group}
    return [*groups, *((at,) for at in range(len(claims)) if at not in taken)]


def _joined(claims: Sequence[Claim], group: tuple[int, ...]) -> Claim:
    return replace(claims[group[0]], lines=tuple(row for at in group for row in claims[at].lines))


def _same_for_all_years(loose: list[Claim], means: Sequence[Means], unused: Unused) -> list[Claim]:
    """Give what is missing to all years alike where it is carried over, so that the plan may use it when it is best."""
    for kind in ("money", "sites") if unused == "carried_over" else ():
        mine = [(at, one.claim.lines[0]) for at, one in enumerate(means) if one.kind == kind]
        more = max(((loose[at].lines[0].most or 0) - (row.most or 0) for at, row in mine), default=0)
        for at, row in mine if more else ():
            loose[at] = replace(loose[at], lines=(replace(row, most=(row.most or 0) + more),))
    return loose


def _moved(old: Claim, new: Claim) -> bool:
    return any(abs((a.least or 0) - (b.least or 0)) + abs((a.most or 0) - (b.most or 0)) > 0
               for a, b in zip(old.lines, new.lines, strict=True))  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What a conflict is told from."""

    stack: Stack
    draft: Draft
    means: tuple[Means, ...]
    claims: tuple[Claim, ...]
    phases: tuple[Phase, ...]
    unused: Unused
    effort: Effort


def _cores(asked: Asked, group: tuple[int, ...], broken: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Irreducible sets of claims that cannot hold together, for what gave way of one kind.

    Where years share their means, all lack them once one does: the latest year that something hinges on is named, then, without
    it, whether an earlier one is too short by itself.
    """
    gave = [at for at in reversed(group) if at in broken]
    if len(group) == 1:
        yield from (
            irreducible(asked.draft, asked.claims, broken, at, nodes=asked.effort.nodes, seed=asked.effort.seed) for at in gave
        )
        return
    others = [at for at in range(len(asked.claims)) if at not in broken]
    test = _switches(asked)
    if gave and test.possible([*gave, *others]):
        others = [at for at in range(len(asked.claims)) if at not in gave]
    while gave and not test.possible([*gave, *others]):
        core = _shrink(test, [], [], [*gave, *others])
        yield tuple(sorted(core))
        gave = [at for at in gave if at not in core]


def _switches(asked: Asked) -> Switches:
    rows = [row for claim in asked.claims for row in claim.lines]
    ends = np.cumsum([0, *(len(claim.lines) for claim in asked.claims)])
    return Switches(
        solver(asked.draft, rows, None, nodes=asked.effort.nodes, seed=asked.effort.seed),
        len(asked.draft.lines),
        tuple(limits(row) for row in rows),
        tuple(range(int(start), int(end)) for start, end in zip(ends, ends[1:], strict=False)),
    )


def _conflict(asked: Asked, core: tuple[int, ...]) -> Conflict:
    claims = [asked.claims[at] for at in core]
    named = tuple(told(asked.draft, claim) for claim in claims)
    words = _alone(asked.draft, claims[0]) if len(core) == 1 else _by_year(asked, core)
    if words is None:
        joined_zh, joined_en = "；".join(one.zh for one in claims), "; ".join(one.en for one in claims)
        words = f"以下要求不能同时满足：{joined_zh}", f"these cannot all hold: {joined_en}"
    return Conflict(named, *words)


def _by_year(asked: Asked, core: tuple[int, ...]) -> tuple[str, str] | None:
    """Say what the means of one year lack for the other claims of a conflict."""
    limits = [at for at in core if at < len(asked.means) and asked.means[at].kind in ("money", "sites")]
    if not limits:
        return None
    limit = max(limits, key=lambda at: (asked.means[at].kind == "money", asked.means[at].phase))
    rest = [asked.claims[at] for at in core if at != limit]
    needed = _needed(asked, asked.means[limit], rest)
    if needed is None:
        return None
    means, year = asked.means[limit], asked.phases[asked.means[limit].phase].year
    who_zh, who_en = _asking(asked.draft, rest)
    several = len(means.phases) > 1
    when_zh, when_en = (f"到 {year} 年，", f"by {year} ") if several else (f"{year} 年，", f"in {year} ")
    if means.kind == "money":
        need_zh, need_en = yuan_text(needed)
        have_zh, have_en = yuan_text(means.limit)
        given_zh, given_en = (f"截至该期共有 {have_zh}", f"the phases up to then give {have_en}") if several else (
            f"该期资金为 {have_zh}", f"the phase gives {have_en}")  # fmt: skip
        return (
            f"{when_zh}{who_zh}至少需要 {need_zh}，{given_zh}",
            f"{when_en}{who_en} at least {need_en}, {given_en}",
        )
    given_zh, given_en = (f"截至该期至多 {means.limit:g} 处", f"the phases up to then allow {means.limit:g}") if several else (
        f"该期至多 {means.limit:g} 处", f"the phase allows {means.limit:g}")  # fmt: skip
    return (
        f"{when_zh}{who_zh}至少需要新增 {needed} 处，{given_zh}",
        f"{when_en}{who_en} at least {needed} new site(s), {given_en}",
    )


def _asking(draft: Draft, rest: Sequence[Claim]) -> tuple[str, str]:
    """Name the claims that need means: units of one level by number and name, all else in quotes."""
    levels = {draft.case.units.levels.get(claim.unit, "") for claim in rest}
    if rest and len(levels) == 1 and all(_one_unit_rule(draft, claim) for claim in rest):
        zh, en = _who(draft, rest)
        return zh, f"{en} {_need(rest)}"
    quoted_zh = "、".join(f"“{claim.zh}”" for claim in rest)
    quoted_en = " and ".join(f'"{claim.en}"' for claim in rest)
    return f"满足{quoted_zh}", f"meeting {quoted_en} takes"


def _needed(asked: Asked, means: Means, rest: Sequence[Claim]) -> int | None:
    """Least money, or fewest new sites, of a limit's phases with which the other claims hold; None where they cannot."""
    row = means.claim.lines[0]
    aim = Aim(-1, row.columns, tuple(row.factors.tolist()), 0, 1)
    rows = [one for claim in rest for one in claim.lines]
    found = search(asked.draft, rows, aim, nodes=asked.effort.nodes, seed=asked.effort.seed)
    return found.value if found.possible else None
