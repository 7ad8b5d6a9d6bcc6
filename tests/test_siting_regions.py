"""Bounds by regions: they hold for every choice, are sharper than the relaxation's, and the same however they are worked out."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from test_siting_rules import ONE, Case, every_choice, random_case, town

from careshed.siting import _kernels, _steps, regions
from careshed.siting.bound import lagrangian_bound, relax, stepped_relaxation
from careshed.siting.regions import parted, regional_bound
from careshed.siting.relinking import Effort, search_widely
from careshed.siting.search import greedy, improve, start
from careshed.siting.solve import solve
from careshed.siting.warming import warm_siting


def test_no_choice_reaches_more_than_the_regions_allow(monkeypatch: pytest.MonkeyPatch):
    # Random questions and random prices; regions of one or two sites; the sites known are any choice at all.
    monkeypatch.setattr(regions, "REGION_SITES", 1.2)
    rng, cut, said = np.random.default_rng(11), 0, 0
    for _ in range(150):
        problem = random_case(rng, units=bool(rng.integers(2))).built()
        if not len(problem.weights) or not problem.n:
            continue
        prices = rng.uniform(-1, 8, len(problem.weights)) if rng.random() < 0.5 else relax(problem, 0).prices
        choices = every_choice(problem)
        known = list(choices)[int(rng.integers(len(choices)))]
        leaning = rng.random(len(problem.ids))
        most, whole = regional_bound(problem, prices, leaning, known, seed=0, threads=1)
        assert most >= max(reached for _, reached in choices.values())
        assert whole
        cut += len(parted(problem, leaning)) > 1
        said += most < problem.weights.sum()
    assert cut > 50
    assert said > 5


def test_a_region_that_is_the_whole_town_leaves_nothing_open():
    # Three candidates of 6 people, each two of them share 3, one site: the relaxation opens each by a third and reaches 9.
    case = Case([3, 3, 3], [[0, 1], [1, 2], [0, 2]], [()] * 3, [0] * 3, None, 1)
    problem = case.built()
    relaxation = relax(problem, 0)
    assert regional_bound(problem, relaxation.prices, relaxation.leaning, (0,), seed=0)[0] == pytest.approx(6 * ONE, abs=10)


@functools.cache
def known_town():
    """A town of 200 candidates, what the relaxation proposes, and a good choice."""
    problem = town(200, 3_000, ruled=False, n=20, seed=1)
    search = start(problem)
    greedy(search)
    improve(search)
    return problem, stepped_relaxation(problem, search.value()), search


def test_regions_sharpen_the_bound_and_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(regions, "REGION_SITES", 8.0)
    problem, relaxation, search = known_town()
    found = [
        regional_bound(problem, relaxation.prices, relaxation.leaning, search.sites(), seed=0, threads=count) for count in (1, 2)
    ]
    assert found[0] == found[1]
    plain = lagrangian_bound(problem, relaxation.prices).people
    assert search.value() <= found[0][0] < plain
    assert found[0][0] - search.value() < 0.95 * (plain - search.value())
    monkeypatch.setattr(regions, "OPEN_PAIRS", 10)
    unsolved, _ = regional_bound(problem, relaxation.prices, relaxation.leaning, search.sites(), seed=0)
    assert unsolved == pytest.approx(plain, abs=ONE)  # said in whole people


def test_every_candidate_lies_in_one_region_and_regions_are_no_larger_than_asked():
    problem, relaxation, _ = known_town()
    parts = parted(problem, relaxation.leaning)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(problem.ids)))
    assert len(parts) >= 20 / regions.REGION_SITES
    assert all(relaxation.leaning[part].sum() <= regions.REGION_SITES for part in parts)


def test_a_large_problem_without_rules_is_bounded_by_regions(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(regions, "REGION_SITES", 8.0)
    monkeypatch.setattr("careshed.siting.solve.LARGE_PAIRS", 1_000)
    monkeypatch.setattr("careshed.siting.solve.LARGE_EXACT_PAIRS", 0)
    problem = town(200, 3_000, ruled=False, n=20, seed=1)
    effort = Effort(islands=1, families=3, proposals=300, stale=1)
    solution = solve(problem, seed=1, effort=effort)
    relaxation = stepped_relaxation(problem, solution.value)
    assert (solution.bound_by, solution.reproducible, solution.status) == ("highs", True, "feasible")
    assert solution.value <= solution.bound < lagrangian_bound(problem, relaxation.prices).people
    monkeypatch.setattr(regions, "REGION_SECONDS", 0.0)
    assert not solve(problem, seed=1, effort=effort).reproducible


def test_warming_compiles_every_loop_that_a_large_town_runs():
    warm_siting()
    loops = [_kernels.dominated, _kernels.insert, _kernels.nearest_alike, _kernels.anneal, _steps.primal_dual]
    before = [len(loop.signatures) for loop in loops]
    assert all(before)
    problem, _, search = known_town()
    search_widely(problem, search.sites(), seed=0, effort=Effort(islands=1, families=2, proposals=10, stale=1), threads=1)
    ruled = town(200, 2_000, ruled=True)
    stepped_relaxation(ruled, 0, rounds=1)
    assert [len(loop.signatures) for loop in loops] == before
