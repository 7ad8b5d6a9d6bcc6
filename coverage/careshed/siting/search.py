"""Choose sites by greedy adding, swapping and kicking, never leaving the most units that n sites can serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from careshed.siting.problem import Flags, Ints, Problem

NO_GAIN = -1
"""Mark of a candidate that may not be taken now; every true gain is ≥ 0."""

FREE = 1e-3
"""A site that costs nothing counts as costing this much where people are weighed against money."""

SHAKE = 0.02
"""Largest favour given to a candidate that the relaxation does not choose at all."""


@dataclass(frozen=True)
class Search:
    """A choice of sites under change; the arrays are updated in place, the gains always exact."""

    problem: Problem
    chosen: Flags
    """Shape (candidates,)."""
    hits: Ints
    """Chosen sites that reach each cell group, shape (cell groups,)."""
    gain: Ints
    """Millionths of a person that each candidate would reach anew, shape (candidates,)."""
    held: Ints
    """Chosen sites in each needed unit, shape (units,)."""

    def sites(self) -> tuple[int, ...]:
        """Chosen candidates, ascending."""
        return tuple(int(i) for i in np.flatnonzero(self.chosen))

    def value(self) -> int:
        """Millionths of a person that the chosen sites reach."""
        return int(self.problem.weights[self.hits > 0].sum())

    def new_units(self) -> Ints:
        """Units still without a facility that each candidate would serve, shape (candidates,)."""
        serves = self.problem.serves
        rows = np.repeat(np.arange(len(serves)), np.diff(serves.start))
        return np.bincount(rows[self.held[serves.items] == 0], minlength=len(serves))

    def allowed(self) -> Flags:
        """Candidates that may come now: within number and budget, and with enough of both left for the units still without.

        Where not every unit can be served, the units are left to the caller.
        """
        problem = self.problem
        free: Flags = ~self.chosen
        if problem.budget is None:
            return free
        money = problem.budget - int(problem.costs[self.chosen].sum())
        if not problem.serves_all:
            return np.asarray(free & (problem.costs <= money))
        bare = problem.leaves & (self.held == 0)
        spared = np.zeros(len(problem.ids), dtype=np.int64)
        helps = (problem.home >= 0) & np.append(bare, False)[problem.home]
        spared[helps] = problem.cheapest[problem.home[helps]]
        places = problem.n - int(self.chosen.sum()) - 1 - (int(bare.sum()) - helps)
        return np.asarray(free & (problem.costs + int(problem.cheapest[bare].sum()) - spared <= money) & (places >= 0))

    def units_held(self) -> int:
        """Needed units that have a chosen site."""
        return int((self.held > 0).sum())


def start(problem: Problem, sites: Sequence[int] | Ints = ()) -> Search:
    """Begin with these sites chosen."""
    count = len(problem.ids)
    reached, sizes = problem.reach.items, np.diff(problem.reach.start)
    gain = np.zeros(count, dtype=np.int64)
    np.add.at(gain, np.repeat(np.arange(count), sizes), problem.weights[reached])
    hits, held = np.zeros(len(problem.weights), dtype=np.int64), np.zeros(len(problem.units), dtype=np.int64)
    search = Search(problem, np.zeros(count, dtype=np.bool_), hits, gain, held)
    for site in sites:
        add(search, int(site))
    return search


def add(search: Search, site: int) -> None:
    """Choose a site."""
    _move(search, site, +1)


def remove(search: Search, site: int) -> None:
    """Give a site up."""
    _move(search, site, -1)


def _move(search: Search, site: int, step: int) -> None:
    cells = search.problem.reach.of(site)
    search.chosen[site] = step > 0
    changed = cells[search.hits[cells] == (0 if step > 0 else 1)]
    search.hits[cells] += step
    search.held[search.problem.serves.of(site)] += step
    others, sizes = search.problem.seen.gather(changed)
    np.subtract.at(search.gain, others, step * np.repeat(search.problem.weights[changed], sizes))


def greedy(search: Search, *, barred: int = -1, favour: NDArray[np.float64] | None = None) -> None:
    """Add sites up to n, each the one with the largest gain (ties by id), as many units served as n sites can.

    While more sites are left than units need, any candidate may come; after that only those that serve the most units anew. For
    units that nest (a community in a street) this reaches the largest possible number: choosing leaves of a tree one by one,
    each with the longest new path, is exact (Steel, 2005, *Systematic Biology* 54). Under a budget people are weighed against
    cost.

    Parameters
    ----------
    barred
        A candidate that may not come first, so that a search does not fall back to where it was.
    favour
        Factor > 0 on each candidate's gain, shape (candidates,).
    """
    for left in range(search.problem.n - int(search.chosen.sum()), 0, -1):
        best = _next(search, left, barred, favour)
        if best < 0:
            return
        add(search, best)
        barred = -1


def _next(search: Search, left: int, barred: int, favour: NDArray[np.float64] | None) -> int:
    """The candidate to take now, −1 if none reaches anybody or serves a unit."""
    gain = np.where(search.allowed(), search.gain, NO_GAIN)
    if barred >= 0:
        gain[barred] = NO_GAIN
    if gain.max(initial=NO_GAIN) <= 0 or left <= int((search.problem.leaves & (search.held == 0)).sum()):
        new = np.where(gain > NO_GAIN, search.new_units(), 0)
        gain[new < new.max(initial=0)] = NO_GAIN
        if new.max(initial=0) == 0:
            gain[gain == 0] = NO_GAIN
    score = gain if favour is None else np.where(gain > 0, gain * favour, gain)
    if search.problem.budget is not None:
        score = np.where(gain > 0, score / np.maximum(search.problem.costs, FREE), score)
    best = int(np.argmax(score)) if len(gain) else -1
    return best if best >= 0 and gain[best] > NO_GAIN else -1


def improve(search: Search) -> None:
    """Exchange single sites while that reaches more people and serves no fewer units."""
    better = True
    while better:
        better = False
        for site in search.sites():
            held = search.units_held()
            remove(search, site)
            best = _replacement(search, site, held - search.units_held())
            add(search, best)
            better |= best != site
        if search.problem.budget is not None:
            before = int(search.chosen.sum())
            greedy(search)
            better |= int(search.chosen.sum()) > before


def _replacement(search: Search, site: int, units: int) -> int:
    """The candidate that should take the place of a site just removed: itself unless another reaches more."""
    may = search.allowed()
    may[site] = True
    gain = np.where(may, search.gain, NO_GAIN)
    if units:
        gain[search.new_units() < units] = NO_GAIN
    best = int(np.argmax(gain))
    return best if gain[best] > gain[site] else site


def guided(search: Search, fractions: NDArray[np.float64], rounds: int, seed: int) -> None:
    """Try greedy choices led by the relaxation's fractional one, shaken a little each round, and keep the best if it is better.

    Parameters
    ----------
    fractions
        How far the relaxation chooses each candidate, 0 to 1, shape (candidates,).
    """
    rng = np.random.default_rng(seed)
    best, value = search.sites(), search.value()
    for _ in range(rounds):
        trial = start(search.problem)
        greedy(trial, favour=np.minimum(1.0, fractions + SHAKE * (1.0 - rng.random(len(fractions)))))
        improve(trial)
        if trial.value() > value and trial.units_held() >= search.units_held():
            best, value = trial.sites(), trial.value()
    _reset(search, best)


def kick(search: Search, rounds: int, seed: int) -> None:
    """Give up a few neighbouring sites, refill, and keep what is no worse: iterated local search (Lourenço et al., 2003)."""
    rng = np.random.default_rng(seed)
    best, value, held = search.sites(), search.value(), search.units_held()
    for _ in range(rounds if best else 0):
        first, *others = _neighbours(search, int(rng.choice(best)), rng)
        for site in (first, *others):
            remove(search, site)
        greedy(search, barred=first)
        found = search.value()
        if found < value or search.units_held() < held:
            _reset(search, best)
        else:
            best, value = search.sites(), found
    improve(search)


def _neighbours(search: Search, site: int, rng: np.random.Generator) -> list[int]:
    """A chosen site and up to three chosen sites whose reach touches its own, over one candidate between."""
    near, _ = search.problem.seen.gather(search.problem.reach.of(site))
    around, _ = search.problem.seen.gather(search.problem.reach.of(int(rng.choice(near)) if len(near) else site))
    close = np.unique(np.concatenate([near, around]))
    close = close[search.chosen[close] & (close != site)]
    size = min(len(close), int(rng.integers(1, 4)))
    return [site, *(int(other) for other in rng.choice(close, size=size, replace=False))]


def _reset(search: Search, sites: Sequence[int]) -> None:
    wanted = set(sites)
    for site in set(search.sites()) - wanted:
        remove(search, site)
    for site in wanted - set(search.sites()):
        add(search, site)
