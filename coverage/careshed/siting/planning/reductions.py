"""Leave out candidates that another one dominates, where the rules allow it (docs/siting_reductions.md)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from careshed.siting.planning.case import Case
from careshed.siting.planning.claims import reach_of
from careshed.siting.planning.kinds import MaxCover, SetCover, WorstUnit
from careshed.siting.planning.rules import Budget, PerUnit, ReachInUnits, Sites

Cells = frozenset[tuple[int, int]]
"""Demand and cell."""


def dominated(case: Case) -> dict[int, int]:
    """Find candidates for which another one does at least as well: candidate -> the one that stays.

    One stays for another if it reaches all that the other reaches under every demand, costs no more net of subsidy and lies
    in the same units. Putting it in the other's place then breaks no rule and loses nobody; where both are chosen, the other
    one can be dropped, unless a rule asks for two or more sites. Of equals the smaller id stays.
    """
    if not _valid(case):
        return {}
    reached = _reached(case)
    new = [place for place, one in enumerate(case.places) if not one.standing]
    by_cell: dict[tuple[int, int], list[int]] = {}
    for place in new:
        for cell in reached[place]:
            by_cell.setdefault(cell, []).append(place)
    found: dict[int, int] = {}
    for place in new:
        rarest = min((by_cell[cell] for cell in reached[place]), key=len, default=new)
        better = [other for other in rarest if other not in found and _dominates(case, reached, other, place)]
        if better:
            found[place] = better[0]
    return {place: _last(found, by) for place, by in found.items()}


def _last(found: dict[int, int], place: int) -> int:
    """Follow to the candidate that stays: what dominates may be dominated later."""
    while place in found:
        place = found[place]
    return place


def _valid(case: Case) -> bool:
    """Only where every rule sees no more in a site than its units, its cost and whom it reaches, and asks for one at most."""
    plain = all(isinstance(rule, Sites | PerUnit | Budget | ReachInUnits) for rule in case.rules)
    single = all(rule.at_least <= 1 and not rule.service for rule in case.rules if isinstance(rule, Sites | PerUnit))
    demands = [*case.objective.demands, *(rule.demand for rule in case.rules if isinstance(rule, ReachInUnits))]
    nearness = all(demand.sites_needed == 1 and demand.decay is None for demand in demands)
    fits = isinstance(case.objective, MaxCover | SetCover | WorstUnit)
    return fits and plain and single and nearness and not case.shared


def _reached(case: Case) -> list[Cells]:
    """Whom each site reaches: of the objective, within its limit; of rules, told apart by all that was searched."""
    demands = [rule.demand for rule in case.rules if isinstance(rule, ReachInUnits)]
    reaches = [*case.reaches, *(reach_of(case, demand) for demand in demands)]
    found: list[set[tuple[int, int]]] = [set() for _ in case.places]
    for at, reach in enumerate(reaches):
        cell = np.repeat(np.arange(len(reach.parts)), np.diff(reach.start))
        some = reach.parts[cell] > 0
        for one, post in zip(cell[some].tolist(), reach.post[some].tolist(), strict=True):
            found[case.posts[post].place].add((at, one))
    return [frozenset(one) for one in found]


def _dominates(case: Case, reached: Sequence[Cells], better: int, place: int) -> bool:
    if better == place or case.places[better].chain != case.places[place].chain or not reached[place] <= reached[better]:
        return False
    cost, other = _net(case, better), _net(case, place)
    same = reached[place] == reached[better] and cost == other
    return better < place if same else cost <= other


def _net(case: Case, place: int) -> int:
    return case.places[place].cost + sum(post.cost - post.subsidy for post in case.posts if post.place == place)
