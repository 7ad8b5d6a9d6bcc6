"""Write what each phase may spend and must bring as claims, one a phase and kind of means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from careshed.siting.phasing.phase import Phase, Unused
from careshed.siting.phasing.stack import Stack
from careshed.siting.planning.aims import new_sites
from careshed.siting.planning.claims import Counted, counted_amount, line, money
from careshed.siting.planning.model import Claim
from careshed.siting.planning.wording import yuan_text
from careshed.siting.problem import PARTS_PER_PERSON

MeansKind = Literal["money", "sites", "at_least_sites", "at_least_places"]


@dataclass(frozen=True)
class Means:
    """One limit of one phase."""

    kind: MeansKind
    phase: int
    phases: tuple[int, ...]
    """Phases that the limit counts together."""
    limit: float
    """Yuan, sites or places of those phases together."""
    claim: Claim


def means_of(stack: Stack, phases: Sequence[Phase], unused: Unused) -> list[Means]:
    """Write the limits of every phase, in the order of years.

    Where means are carried over, a phase's limit speaks of all that was spent and given so far; phases without a limit spend
    money of their own and give nothing on. Where they lapse, every phase stands for itself.
    """
    return [one for phase in range(len(phases)) for one in _of_phase(stack, phases, phase, unused)]


def _of_phase(stack: Stack, phases: Sequence[Phase], at: int, unused: Unused) -> Iterator[Means]:
    before = range(at + 1) if unused == "carried_over" else range(at, at + 1)
    phase = phases[at]
    if phase.yuan is not None:
        mine = tuple(one for one in before if phases[one].yuan is not None)
        yield _money(stack, phases, at, mine, money(stack.base)[0])
    if phase.sites is not None:
        mine = tuple(one for one in before if phases[one].sites is not None)
        most = sum(phases[one].sites or 0 for one in mine)
        zh, en = _told(phases, at, mine, f"新增至多 {most} 处", f"at most {most} new site(s)")
        rows = (line(stack.added(new_sites(stack.base.case), mine), None, most),)
        yield Means("sites", at, mine, most, Claim(-1, "sites", "", zh, en, rows))
    if phase.at_least_sites:
        mine = tuple(before)
        least = sum(phases[one].at_least_sites for one in mine)
        zh, en = _told(phases, at, mine, f"新增至少 {least} 处", f"at least {least} new site(s)")
        rows = (line(stack.added(new_sites(stack.base.case), mine), least, None),)
        yield Means("at_least_sites", at, mine, least, Claim(-1, "other", "", zh, en, rows))
    if phase.at_least_places:
        mine = tuple(before)
        places = sum(phases[one].at_least_places for one in mine)
        zh, en = _told(phases, at, mine, f"新增至少 {places:,g} 个托位（床位）", f"at least {places:,g} new place(s)")
        counted: Counted = counted_amount(stack.base, "places", "new")
        rows = (line(stack.added(counted, mine), round(places * PARTS_PER_PERSON), None, PARTS_PER_PERSON),)
        yield Means("at_least_places", at, mine, places, Claim(-1, "other", "", zh, en, rows))


def _money(stack: Stack, phases: Sequence[Phase], at: int, mine: tuple[int, ...], counted: Counted) -> Means:
    yuan = sum(round(phases[one].yuan or 0.0) for one in mine)
    said_zh, said_en = yuan_text(yuan)
    zh, en = _told(phases, at, mine, f"资金至多 {said_zh}", f"at most {said_en}")
    rows = (line(stack.added(counted, mine), None, yuan),)
    return Means("money", at, mine, yuan, Claim(-1, "money", "", zh, en, rows))


def _told(phases: Sequence[Phase], at: int, mine: Sequence[int], zh: str, en: str) -> tuple[str, str]:
    year = phases[at].year
    if len(mine) > 1:
        return f"到 {year} 年累计{zh}", f"by {year}, {en} in all"
    return f"{year} 年{zh}", f"in {year}, {en}"
