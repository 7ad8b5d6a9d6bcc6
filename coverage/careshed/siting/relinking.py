"""Search large problems: anneal many choices, then put the best together from several at a time by small exact problems."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.siting.bound import linear_model
from careshed.siting.primal_dual import net_of
from careshed.siting.problem import Ints, Problem, restricted
from careshed.siting.search import start

if TYPE_CHECKING:
    from careshed.siting._kernels import Net, State

Seeds = tuple[int, ...]


@dataclass(frozen=True)
class Effort:
    """How much work a search spends; none of it is measured in time, so that the answer is the same on every machine."""

    islands: int = 3
    """Populations that grow apart before their best meet."""
    families: int = 14
    """Annealed choices an island starts from, at most; fewer where there are many sites."""
    proposals: int = 8_000
    """Proposals of one annealing for each site."""
    stale: int = 16
    """Children in a row that bring nothing better, after which a population stops."""
    parents: int = 3
    """Choices that are put together at a time."""


QUICK: Final = Effort(islands=1, families=8, proposals=3_000, stale=8)
"""For a first look: seconds instead of a minute."""

ALIKE: Final = 16
"""Candidates most alike that a site may move to in one short step."""

HOT: Final = 0.03
COLD: Final = 0.002
"""Heat at the start and the end of annealing, as a share of what a site reaches on average."""

WARM: Final = 0.004
COOL: Final = 0.001
"""The same when a child is smoothed."""

SHORT_STEPS: Final = 0.5
"""Share of proposals that move a site to a candidate alike."""

ROUNDS: Final = 60
"""Steps of cooling."""

MOST_PROPOSALS: Final = 1_500_000
"""Proposals of one annealing at most: in large towns putting choices together gains more than longer cooling."""

SMOOTHING: Final = 100_000
"""Proposals that smooth a child."""

MANY_SITES: Final = 1_000
"""Annealed sites an island starts from in all, about: many small choices or few large ones."""

UNION_PAIRS: Final = 400_000
"""Candidate–cell pairs above which parents are not put together."""

UNION_NODES: Final = 50
"""Branch-and-bound nodes of one union; nearly all are solved at the root."""

UNION_SECONDS: Final = 60.0
"""Safety stop of one union; the answer is then marked as not reproducible."""


@dataclass(frozen=True)
class Found:
    """A choice of sites."""

    value: int
    """People reached, millionths."""
    sites: Ints
    whole: bool = True
    """False where a safety time stop had a part in it."""


@dataclass(frozen=True)
class Ground:
    """What all searches of one problem share."""

    problem: Problem
    net: Net
    alike: Ints
    first: Ints
    """Sites of the first answer, which keeps all rules."""
    price: float
    """Millionths of a person that a unit of cost is worth."""
    mean: float
    """Millionths of a person that a site reaches on average."""


def search_widely(problem: Problem, first: Sequence[int], *, seed: int, effort: Effort, threads: int = 2) -> Found:
    """Find a very good choice from a first one that keeps the rules and serves every needed unit.

    Several populations of annealed choices grow apart. In each, three choices are put together: the best choice among all their
    sites is found by HiGHS on the cells told apart by those sites alone, which is a small problem (a MIP neighbourhood, or path
    relinking taken to its end), and smoothed by a short annealing. Last, the best of all populations meet in one.

    Parameters
    ----------
    threads
        Populations that grow at the same time; the answer does not depend on it.
    """
    ground = prepare(problem, first)
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        grown = list(pool.map(lambda island: grow(ground, (seed, island), effort), range(effort.islands)))
    if len(grown) == 1:
        return replace(grown[0][0], whole=all(found.whole for found in grown[0]))
    best = max(4, effort.families // effort.islands + 1)
    meeting = [found for island in grown for found in island[:best]]
    last = breed(ground, _ranked(meeting), (seed, effort.islands), effort)
    return replace(last[0], whole=all(found.whole for island in (*grown, last) for found in island))


def prepare(problem: Problem, first: Sequence[int]) -> Ground:
    """Lay out what the searches share."""
    from careshed.siting._kernels import nearest_alike

    net = net_of(problem)
    state = _state(net, first)
    sites = np.array(sorted(first), dtype=np.int64)
    worth = [state.gain[site] / net.cost[site] for site in sites if net.cost[site] > 0]
    mean = float(state.sums[0]) / max(len(sites), 1)
    return Ground(problem, net, nearest_alike(net, ALIKE), sites, float(min(worth)) if worth else 0.0, mean)


def grow(ground: Ground, seeds: Seeds, effort: Effort) -> list[Found]:
    """Anneal a population and breed it."""
    many = int(np.clip(MANY_SITES // max(len(ground.first), 1), 3, effort.families))
    proposals = max(min(effort.proposals * len(ground.first), MOST_PROPOSALS) // ROUNDS, 1)
    random = np.random.default_rng(seeds)
    annealed = [
        _annealed(ground, ground.first, (HOT, COLD), ROUNDS, proposals, int(random.integers(1 << 31))) for _ in range(many)
    ]
    return breed(ground, _ranked(annealed), (*seeds, 1), effort)


def breed(ground: Ground, family: list[Found], seeds: Seeds, effort: Effort) -> list[Found]:
    """Put choices together until children bring nothing better, the best first; as many choices stay as there were."""
    random = np.random.default_rng(seeds)
    room, idle = len(family), 0
    while idle < effort.stale and len(family) > 1:
        picked = random.choice(len(family), min(effort.parents, len(family)), replace=False)
        child = united(ground, [family[i] for i in sorted(picked)], int(random.integers(1 << 31)))
        idle = idle + 1 if child.value <= family[0].value else 0
        family = _ranked([*family, child])[:room]
    return family


def united(ground: Ground, parents: Sequence[Found], seed: int) -> Found:
    """The best choice among the sites of all parents, smoothed."""
    union = np.unique(np.concatenate([parent.sites for parent in parents]))
    best = max(parents, key=lambda parent: parent.value)
    if len(ground.problem.reach.gather(union)[0]) > UNION_PAIRS:
        sites, whole = best.sites, True
    else:
        sites, whole = best_among(ground.problem, union, best.sites, seed)
    found = _annealed(ground, sites, (WARM, COOL), 10, SMOOTHING // 10, seed)
    return replace(found, whole=whole and all(parent.whole for parent in parents))


def best_among(problem: Problem, union: Ints, known: Ints, seed: int) -> tuple[Ints, bool]:
    """Solve the problem on some candidates only, from a choice known; also whether work alone ended the search."""
    import highspy

    small = restricted(problem, union)
    highs = linear_model(small)
    for site in range(len(union)):
        highs.changeColIntegrality(site, highspy.HighsVarType.kInteger)
    options = {"mip_rel_gap": 1e-6, "mip_max_nodes": UNION_NODES, "mip_heuristic_effort": 0.05, "random_seed": seed}
    for option, value in {**options, "time_limit": UNION_SECONDS}.items():
        highs.setOptionValue(option, value)
    had = start(small, np.flatnonzero(np.isin(union, known)))
    columns = highspy.HighsSolution()
    columns.col_value = np.concatenate([had.chosen, had.hits > 0, had.held > 0]).astype(np.float64).tolist()
    highs.setSolution(columns)
    highs.run()
    taken = np.asarray(highs.getSolution().col_value, dtype=np.float64)[: len(union)] > 0.5
    whole = highs.getModelStatus() != highspy.HighsModelStatus.kTimeLimit
    chosen = np.flatnonzero(taken)
    better = keeps_rules(small, chosen) and start(small, chosen).value() > had.value()
    return (union[chosen] if better else known), whole


def keeps_rules(problem: Problem, sites: Ints) -> bool:
    """Whether number, budget and units are as they must be: counted in whole numbers, whatever a solver says."""
    bill = int(problem.costs[sites].sum())
    served = np.unique(problem.serves.gather(sites)[0])
    return len(sites) <= problem.n and (problem.budget is None or bill <= problem.budget) and len(served) == len(problem.units)


def _annealed(ground: Ground, sites: Ints, heat: tuple[float, float], rounds: int, proposals: int, seed: int) -> Found:
    from careshed.siting._kernels import anneal

    state = _state(ground.net, sites)
    hot, cold = (share * ground.mean for share in heat)
    chosen, value = anneal(
        ground.net, state, ground.alike, ground.price, hot, cold, rounds, proposals, SHORT_STEPS, seed % (1 << 31)
    )
    return Found(int(value), np.flatnonzero(chosen))


def _state(net: Net, sites: Sequence[int] | Ints) -> State:
    from careshed.siting._kernels import empty_state, insert

    state = empty_state(net)
    for site in sites:
        insert(net, state, int(site))
    return state


def _ranked(family: Sequence[Found]) -> list[Found]:
    """The best first; of equal values one stays, since equal values are nearly always equal sites."""
    distinct: dict[int, Found] = {}
    for found in family:
        distinct.setdefault(found.value, found)
    return sorted(distinct.values(), key=lambda found: -found.value)
