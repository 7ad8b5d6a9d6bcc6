"""Weigh every site of a plan: its place in the building order, what is lost without it, what could stand in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from careshed.siting.plan import SitePlan
from careshed.siting.planning.model import Claim
from careshed.siting.problem import Flags, Ints
from careshed.siting.reasons.ground import Ground, Site
from careshed.siting.reasons.guard import broken, keeps, missed
from careshed.siting.reasons.worth import progress, reached


@dataclass(frozen=True)
class Step:
    """One site in building order."""

    place: int
    value: int
    """What it adds to the objective when built after those before it, millionths."""
    people: int
    """People whom it newly reaches, or gives a place, then."""
    fresh: tuple[Flags, ...]
    """Cells newly reached, one array a demand."""


@dataclass(frozen=True)
class Loss:
    """What the complete plan loses without a site."""

    value: int
    people: int
    breaks: tuple[Claim, ...]


@dataclass(frozen=True)
class Swap:
    """A candidate in the place of a site of the complete plan."""

    place: int
    metres: float
    """Straight line between the two."""
    value: int
    """What the plan gains by the exchange, millionths; below zero where it loses."""
    people: int
    yuan: float
    """How much more it costs, net of subsidies; NaN where a cost is not known."""
    breaks: tuple[Claim, ...]
    """Rules that the exchange would break."""
    keeps: bool


def building_order(ground: Ground) -> list[Step]:
    """Order the sites by what each adds; a ranked plan keeps its own order, which is made the same way.

    Greedy: the site that adds most to the objective comes next. Of equals first the one with which the most rules come to hold,
    then the one that brings people nearer to the second site that they need, then the smaller id.
    """
    left, steps = list(ground.new), []
    chosen = ground.chosen.copy()
    for place in left:
        chosen = ground.cleared(chosen, place)
    while left:
        sites = [ground.own_site(chosen, place) for place in (left[:1] if isinstance(ground.plan, SitePlan) else left)]
        adds = ground.adding(chosen, sites)
        at = _next(ground, sites, [value for value, _ in adds])
        steps.append(Step(left.pop(at), *adds[at], _fresh(ground, chosen, sites[at].after)))
        chosen = sites[at].after
    return steps


def _next(ground: Ground, sites: Sequence[Site], values: Sequence[int]) -> int:
    best = max(values)
    tied = [at for at, value in enumerate(values) if value == best]
    if len(tied) == 1:
        return tied[0]

    def key(at: int) -> tuple[int, int, str]:
        site = sites[at]
        open_rules = int((missed(ground.guard, site.after) > ground.guard.allowed).sum())
        return open_rules, -progress(ground.layers, ground.opened(site.after)), ground.case.places[site.place].id

    return min(tied, key=key)


def _fresh(ground: Ground, before: Ints, after: Ints) -> tuple[Flags, ...]:
    was, now = ground.opened(before), ground.opened(after)
    return tuple(reached(layer, now) & ~reached(layer, was) for layer in ground.layers)


def loss(ground: Ground, place: int) -> Loss:
    """Take a site out of the complete plan."""
    less = ground.cleared(ground.chosen, place)
    (value, people), (value_left, people_left) = ground.counted(ground.chosen), ground.counted(less)
    return Loss(value - value_left, people - people_left, broken(ground.guard, less))


def swaps(ground: Ground, place: int, lost: Loss, metres: float) -> tuple[list[Swap], Swap | None]:
    """Try every candidate within some metres in the place of a site; where none of them keeps the rules, all others.

    Returns
    -------
    list of Swap, Swap or None
        Those nearby, the best first, and the next best of all that keep the rules.
    """
    less, apart = ground.cleared(ground.chosen, place), _apart(ground, place)
    able = _able(ground, place, less)
    near = _tried(ground, place, lost, less, [site for site in able if apart[site.place] <= metres], apart)
    good = next((one for one in near if one.keeps), None)
    if good is None:
        good = _elsewhere(ground, place, lost, less, [site for site in able if apart[site.place] > metres], apart)
    return near, good


def _apart(ground: Ground, place: int) -> list[float]:
    xy = np.array([one.xy for one in ground.case.places])
    return [float(metres) for metres in np.hypot(*(xy - xy[place]).T)]


def _able(ground: Ground, place: int, less: Ints) -> list[Site]:
    """Candidates that are not in the plan and can host what the site hosts."""
    services = [ground.case.posts[post].service for post in ground.posts_of(place)]
    free = [at for at, one in enumerate(ground.case.places) if not one.standing and not ground.chosen[at]]
    found = [ground.other_site(less, at, services) for at in free]
    return [site for site in found if site is not None]


def _tried(ground: Ground, place: int, lost: Loss, less: Ints, sites: Sequence[Site], apart: Sequence[float]) -> list[Swap]:
    """Weigh some candidates in the place of a site, the best first."""
    found = []
    for site, (value, people) in zip(sites, ground.adding(less, sites), strict=True):
        ok = keeps(ground.guard, site.after)
        breaks = () if ok else broken(ground.guard, site.after)
        yuan = ground.yuan(site.place, site.posts) - ground.yuan(place, ground.posts_of(place))
        found.append(Swap(site.place, apart[site.place], value - lost.value, people - lost.people, yuan, breaks, ok))
    return sorted(found, key=lambda swap: _rank(ground, swap))


def _rank(ground: Ground, swap: Swap) -> tuple[bool, int, float, float, str]:
    """Those that keep the rules first; then the most gained, the cheapest, the nearest."""
    return not swap.keeps, -swap.value, 0.0 if np.isnan(swap.yuan) else swap.yuan, swap.metres, ground.case.places[swap.place].id


def _elsewhere(ground: Ground, place: int, lost: Loss, less: Ints, sites: Sequence[Site], apart: Sequence[float]) -> Swap | None:
    """Find the best candidate farther off: rules are tried from the best down, as long as the next could still be equal."""
    adds = [value for value, _ in ground.adding(less, sites)]
    best: list[Swap] = []
    for at in sorted(range(len(sites)), key=lambda at: -adds[at]):
        if best and adds[at] - lost.value < best[0].value:
            break
        if keeps(ground.guard, sites[at].after):
            best += _tried(ground, place, lost, less, [sites[at]], apart)
    return min(best, key=lambda swap: _rank(ground, swap), default=None)
