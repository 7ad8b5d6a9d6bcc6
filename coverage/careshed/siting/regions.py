"""Sharpen the bound of a large problem: cut the town into regions and solve each exactly, people on the borders at their price.

A cell group that only the candidates of one region reach counts there with all its people. One that several regions reach pays
its price to each of them and keeps the rest, as in `bound.lagrangian_bound`; every site pays a toll. What the best choice of each
region is worth, what groups keep and the tolls of all sites together bound every choice (Lagrangian decomposition; Guignard and
Kim, 1987): below the Lagrangian bound at the same prices by what the linear relaxation leaves open within a region.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from careshed.siting.bound import linear_model
from careshed.siting.problem import PARTS_PER_PERSON, Flags, Ints, Problem, Sparse, restricted
from careshed.siting.search import start

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]

REGION_SITES: Final = 14.0
"""Sites of the relaxation in a region, at most: larger regions give a sharper bound for more work."""

REGION_NODES: Final = 20
"""Branch-and-bound nodes of a region; nearly all are solved at the root."""

REGION_PAIRS: Final = 16_000
"""Candidate–cell pairs open in a region above which it is not solved, but bounded by its prices: its root alone takes minutes."""

OPEN_PAIRS: Final = 200_000
"""Candidate–cell pairs open in all regions together above which none is solved: it would take longer than the search itself."""

REGION_GAP: Final = 1e-4
"""Share of a region's worth that its search may leave open."""

REGION_SECONDS: Final = 300.0
"""Safety stop of one region; the bound is then marked as not reproducible."""


@dataclass(frozen=True)
class Terms:
    """What regions are charged and paid, in whole millionths of a person."""

    prices: Ints
    """Shape (cell groups,)."""
    toll: int
    """What every site pays, for the number of sites is limited."""

    def worth(self, problem: Problem) -> Ints:
        """Prices of all that each candidate reaches, less the toll."""
        rows = np.repeat(np.arange(len(problem.ids)), np.diff(problem.reach.start))
        paid = np.zeros(len(problem.ids), dtype=np.int64)
        np.add.at(paid, rows, self.prices[problem.reach.items])
        return paid - self.toll


@dataclass(frozen=True)
class Region:
    """A part of the town as a problem of its own: what it pays for each cell group is in the weights."""

    problem: Problem
    """With the candidates that a better choice may have."""
    toll: int
    known: int
    """Worth of the sites known less their tolls, or 0 for none."""
    sites: Ints
    """Those sites among the candidates."""
    most: int
    """What the prices alone allow."""


def regional_bound(
    problem: Problem, prices: Floats, leaning: Floats, sites: Sequence[int], *, seed: int, threads: int = 2
) -> tuple[int, bool]:
    """Bound the people that any choice reaches, millionths; also whether work alone ended every search.

    Units that need a site and budgets are left out, which only raises the bound. It rests on HiGHS within each region (floating
    point, widened by 1e-9 of what the region weighs).

    Parameters
    ----------
    prices
        People that each cell group pays, such as the relaxation's; any prices give a valid bound.
    leaning
        How far the relaxation chooses each candidate; regions hold `REGION_SITES` of it.
    sites
        The best choice known: what cannot be better than it within a region is left out.
    threads
        Regions solved at the same time; the bound does not depend on it.
    """
    terms = terms_of(problem, prices)
    parts = parted(problem, leaning)
    border = _border(problem, parts)
    kept = int((problem.weights - terms.prices)[border].sum())
    regions = [_region(problem, terms, part, border, sites) for part in parts]
    if sum(len(region.problem.reach.items) for region in regions) > OPEN_PAIRS:
        found = [(region.most, True) for region in regions]
    else:
        with ThreadPoolExecutor(max(threads, 1)) as pool:
            found = list(pool.map(lambda region: _solved(region, seed), regions))
    people = kept + terms.toll * problem.n + sum(most for most, _ in found)
    return min(people, int(problem.weights.sum())), all(whole for _, whole in found)


def terms_of(problem: Problem, prices: Floats) -> Terms:
    """Round prices to whole millionths, with the toll under which they bound best: between the last site's worth and the next."""
    whole = np.clip(np.rint(prices * PARTS_PER_PERSON), 0, problem.weights).astype(np.int64)
    ranked = -np.sort(-Terms(whole, 0).worth(problem))
    full = 0 < problem.n < len(ranked)
    return Terms(whole, int(ranked[problem.n - 1] + ranked[problem.n]) // 2 if full else 0)


def parted(problem: Problem, leaning: Floats) -> list[Ints]:
    """Cut the candidates into regions of as many of the relaxation's sites, along the longer way across each part.

    Candidates are neighbours where they reach a cell in common. A part is cut through the order in which a walk from one of its
    ends reaches its candidates, so that few cells lie on a border.
    """
    graph = _neighbours(problem)
    waiting, done = [np.arange(len(problem.ids))], list[Ints]()
    while waiting:
        part = waiting.pop()
        wanted = ceil(float(leaning[part].sum()) / REGION_SITES)
        if wanted <= 1:
            done.append(part)
            continue
        inside = graph[part][:, part]
        order = _walk(inside, 0)
        if len(order) < len(part):
            rest = np.setdiff1d(np.arange(len(part)), order)
            waiting += [part[rest], part[np.sort(order)]]
        else:
            order = _walk(inside, int(_walk(inside, int(order[-1]))[-1]))
            passed = np.cumsum(leaning[part[order]])
            cut = int(np.clip(np.searchsorted(passed, passed[-1] * (wanted // 2) / wanted) + 1, 1, len(part) - 1))
            waiting += [part[np.sort(order[cut:])], part[np.sort(order[:cut])]]
    return done


def _neighbours(problem: Problem) -> csr_array[np.float32]:
    from scipy import sparse

    shape = (len(problem.ids), len(problem.weights))
    ones = np.ones(len(problem.reach.items), dtype=np.float32)
    reach = sparse.csr_array((ones, problem.reach.items, problem.reach.start), shape=shape)
    near = (reach @ reach.T).tocsr()
    near.sort_indices()
    return near


def _walk(graph: csr_array[np.float32], start: int) -> Ints:
    from scipy.sparse.csgraph import breadth_first_order

    order: Ints = breadth_first_order(graph, start, directed=False, return_predecessors=False).astype(np.int64)
    return order


def _border(problem: Problem, parts: Sequence[Ints]) -> Flags:
    """Cell groups that more than one region reaches."""
    region = np.empty(len(problem.ids), dtype=np.int64)
    for number, part in enumerate(parts):
        region[part] = number
    rows = np.repeat(np.arange(len(problem.ids)), np.diff(problem.reach.start))
    first, last = np.full(len(problem.weights), len(parts)), np.full(len(problem.weights), -1)
    np.minimum.at(first, problem.reach.items, region[rows])
    np.maximum.at(last, problem.reach.items, region[rows])
    return first < last


def _region(problem: Problem, terms: Terms, part: Ints, border: Flags, sites: Sequence[int]) -> Region:
    """Lay a region out, and leave open what a choice better than that of the known sites may have.

    At the prices the region is worth at most what its groups keep and the worths above zero; a candidate that would lower this
    below what the known sites are worth is in no better choice.
    """
    paid = np.where(border, terms.prices, problem.weights)
    near = np.unique(problem.reach.gather(part)[0])
    worth = terms.worth(problem)[part]
    most = int((paid - terms.prices)[near].sum()) + int(np.maximum(worth, 0).sum())
    mine = part[np.isin(part, np.asarray(sites, dtype=np.int64))]
    known = max(int(paid[np.unique(problem.reach.gather(mine)[0])].sum()) - terms.toll * len(mine), 0)
    left = part[np.minimum(worth, 0) + most > known]
    bare = replace(problem, weights=paid, units=(), serves=_none(len(problem.ids)), leaves=np.zeros(0, dtype=np.bool_))
    at = np.flatnonzero(np.isin(left, mine))
    return Region(replace(restricted(bare, left), n=len(left), budget=None), terms.toll, known, at, most)


def _none(rows: int) -> Sparse:
    return Sparse(np.zeros(rows + 1, dtype=np.int64), np.zeros(0, dtype=np.int64))


def _solved(region: Region, seed: int) -> tuple[int, bool]:
    """What the best choice of a region is worth at most, millionths, and whether work alone ended the search."""
    import highspy

    problem = region.problem
    if not len(problem.ids):
        return region.known, True
    if len(problem.reach.items) > REGION_PAIRS:
        return region.most, True
    highs = linear_model(problem)
    for site in range(problem.n):
        highs.changeColIntegrality(site, highspy.HighsVarType.kInteger)
        highs.changeColCost(site, -region.toll / PARTS_PER_PERSON)
    options = {"mip_rel_gap": REGION_GAP, "mip_max_nodes": REGION_NODES, "mip_heuristic_effort": 0.0, "random_seed": seed}
    for option, value in {**options, "time_limit": REGION_SECONDS}.items():
        highs.setOptionValue(option, value)
    had, columns = start(problem, region.sites), highspy.HighsSolution()
    columns.col_value = np.concatenate([had.chosen, had.hits > 0]).astype(np.float64).tolist()
    highs.setSolution(columns)
    highs.run()
    weighed = (int(problem.weights.sum()) + region.toll * problem.n) / PARTS_PER_PERSON
    dual = min(highs.getInfo().mip_dual_bound, weighed) + 1e-9 * weighed + 1e-6
    whole = highs.getModelStatus() != highspy.HighsModelStatus.kTimeLimit
    return max(ceil(dual * PARTS_PER_PERSON), region.known), whole
