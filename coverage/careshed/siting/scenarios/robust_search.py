"""Search the worst case of large rankings by exchanging sites, and bound it by a few scenarios together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.reach import TravelTimes
from careshed.siting.problem import Flags, Ints, build_problem
from careshed.siting.scenarios.engine import Choice
from careshed.siting.scenarios.ranking import RankingEngine
from careshed.siting.solve import solve

STARTS: Final = 3
"""Plans known from which the exchange starts, the best first."""

MIXED: Final = 3
"""Scenarios, the worst of the plan found, that are bounded together."""

Floats = NDArray[np.float64]
Rank = tuple[int, int]
"""Worst score and sum of scores, millionths: what an exchange must lift."""


@dataclass(frozen=True)
class _Scene:
    """One scenario as the exchange sees it."""

    engine: RankingEngine
    owner: Ints
    """Candidate of each pair, shape (pairs,)."""
    offset: int
    """People reached today less the base, millionths."""

    def gains(self, hits: Ints) -> Ints:
        """People that each candidate would reach anew, millionths; sums stay whole in double precision."""
        fresh = np.where(hits == 0, self.engine.demand, 0).astype(np.float64)
        pairs = self.engine.pairs
        counted = np.bincount(self.owner, weights=fresh[pairs.items], minlength=len(pairs))
        return np.asarray(counted.astype(np.int64))


@dataclass
class _State:
    """A plan under change; `hits` counts its sites on every cell, scenario by scenario."""

    scenes: Sequence[_Scene]
    plan: list[int]
    """Rows of the candidates."""
    hits: list[Ints]

    def scores(self) -> Ints:
        """People less the base in every scenario, millionths."""
        each = [int(scene.engine.demand[hit > 0].sum()) + scene.offset for scene, hit in zip(self.scenes, self.hits, strict=True)]
        return np.array(each, dtype=np.int64)

    def move(self, row: int, step: int) -> None:
        """Build a site or give it up."""
        for scene, hit in zip(self.scenes, self.hits, strict=True):
            hit[scene.engine.pairs.of(row)] += step
        if step > 0:
            self.plan.append(row)
        else:
            self.plan.remove(row)

    def rank(self) -> Rank:
        """How good the plan is."""
        return _rank(self.scores())


def _rank(scores: Ints) -> Rank:
    return int(scores.min()), int(scores.sum())


def search_widely(engines: Sequence[RankingEngine], bases: Sequence[int], starts: Sequence[Choice], n: int) -> Choice:
    """Exchange single sites of the best plans known while the worst score rises, or the sum where it stays.

    Units that a plan serves stay served. The search ends where no single exchange helps, so it is the same on every machine.
    """
    scenes = [_scene(engine, base) for engine, base in zip(engines, bases, strict=True)]
    states = sorted((_state(scenes, choice) for choice in starts), key=_State.rank, reverse=True)
    for state in states[:STARTS]:
        while _pass(state, n):
            pass
    best = max(states[:STARTS], key=_State.rank)
    names = engines[0].options.facilities.index
    return Choice(tuple(sorted(str(names[row]) for row in best.plan)))


def _scene(engine: RankingEngine, base: int) -> _Scene:
    pairs = engine.pairs
    return _Scene(engine, np.repeat(np.arange(len(pairs)), np.diff(pairs.start)), engine.covered - base)


def _state(scenes: Sequence[_Scene], choice: Choice) -> _State:
    state = _State(scenes, [], [np.zeros(len(scene.engine.demand), dtype=np.int64) for scene in scenes])
    for row in scenes[0].engine.rows(choice.sites).tolist():
        state.move(row, +1)
    return state


def _pass(state: _State, n: int) -> bool:
    """Try to exchange every site once, and to add where there are fewer than n; whether anything got better."""
    better = False
    engine, names = state.scenes[0].engine, state.scenes[0].engine.options.facilities.index
    usable = engine.options.facility_fault == ""
    if len(state.plan) < n:
        better = _enter(state, usable, state.rank())
    for row in sorted(state.plan):
        before = state.rank()
        state.move(row, -1)
        others = {unit for one in state.plan for unit in engine.rules.chains.get(str(names[one]), ())}
        bare = set(engine.rules.chains.get(str(names[row]), ())) - others
        may = usable & _serving(engine, bare) if bare else usable
        if _enter(state, may, before):
            better = True
        else:
            state.move(row, +1)
    return better


def _serving(engine: RankingEngine, units: set[str]) -> Flags:
    names = engine.options.facilities.index
    return np.array([units <= set(engine.rules.chains.get(str(name), ())) for name in names], dtype=np.bool_)


def _enter(state: _State, may: Flags, before: Rank) -> bool:
    """Build the candidate that makes the plan best, if that is better than it was."""
    scores = state.scores()
    after = np.stack([scene.gains(hit) for scene, hit in zip(state.scenes, state.hits, strict=True)]) + scores[:, None]
    worst, total = after.min(axis=0), after.sum(axis=0)
    open_rows = np.flatnonzero(may & ~np.isin(np.arange(len(may)), state.plan))
    if not len(open_rows):
        return False
    best = max(open_rows.tolist(), key=lambda row: (int(worst[row]), int(total[row]), -row))
    if (int(worst[best]), int(total[best])) <= before:
        return False
    state.move(best, +1)
    return True


def mixed_bound(engines: Sequence[RankingEngine], bases: Sequence[int], choice: Choice, n: int, seed: int) -> int:
    """Bound the worst score by the mean of the scenarios that are worst for a plan: no minimum exceeds a mean.

    Their people are put side by side into one covering problem, whose Lagrangian bound holds for every plan.
    """
    scores = [engine.parts(choice) - base for engine, base in zip(engines, bases, strict=True)]
    worst = sorted(range(len(scores)), key=lambda at: (scores[at], at))[:MIXED]
    some = [engines[at] for at in worst]
    rules = some[0].rules
    options = _side_by_side(some)
    demand = np.concatenate([engine.demand for engine in some])
    problem = build_problem(options, demand, 1, chains=rules.chains, units=rules.needed, n=n)
    solution = solve(problem, seed=seed, work_limit=0)
    total = solution.bound + sum(engines[at].covered - bases[at] for at in worst)
    return total // len(worst)


def _side_by_side(engines: Sequence[RankingEngine]) -> TravelTimes:
    """The cells of several scenarios as cells of one matrix, all pairs within the limit at no cost."""
    cells, first = len(engines[0].demand), engines[0].options
    rows = np.concatenate([np.repeat(np.arange(len(one.pairs)), np.diff(one.pairs.start)) for one in engines])
    items = np.concatenate([one.pairs.items + at * cells for at, one in enumerate(engines)])
    order = np.lexsort((items, rows))
    return replace(
        first,
        cell_ids=pd.RangeIndex(cells * len(engines)),
        indptr=np.searchsorted(rows[order], np.arange(len(first.facilities) + 1)).astype(np.int64),
        indices=items[order].astype(np.int32),
        cost=np.zeros(len(items), dtype=np.uint32),
    )
