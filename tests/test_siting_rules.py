"""Number, budget and units together: presolve, bound, search and answer against every choice tried."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_siting import cells_of, times_of

from careshed.reach import TravelTimes
from careshed.siting import bound as bounds
from careshed.siting import relinking
from careshed.siting.bound import best_choice, lagrangian_bound, most_units, serving_sites, settled, stepped_relaxation
from careshed.siting.problem import Problem, build_problem, restricted
from careshed.siting.relinking import Effort, Found, keeps_rules, search_widely
from careshed.siting.search import greedy, improve, kick, start
from careshed.siting.solve import solve

ONE = 1_000_000
CHAINS = [(), ("S1",), ("S2",), ("S3",), ("V1", "S1"), ("V2", "S1"), ("V3", "S2")]


@cache
def bare_times(candidates: int, cells: int) -> TravelTimes:
    """Candidates that reach no cell yet; kept, since tables take longer to make than small questions to answer."""
    return times_of({f"c{i}": {} for i in range(candidates)}, cells_of([0.0] * cells))


class Case(NamedTuple):
    """A tiny siting question in plain Python."""

    people: list[int]
    reach: list[list[int]]
    chains: list[tuple[str, ...]]
    costs: list[int]
    budget: int | None
    n: int | None

    def built(self) -> Problem:
        names = [f"c{i}" for i in range(len(self.reach))]
        options = replace(
            bare_times(len(self.reach), len(self.people)),
            indptr=np.cumsum([0, *map(len, self.reach)]).astype(np.int64),
            indices=np.array([cell for row in self.reach for cell in row], dtype=np.int32),
            cost=np.full(sum(map(len, self.reach)), 60_000, dtype=np.uint32),
        )
        return build_problem(
            options,
            np.array(self.people, dtype=np.int64) * ONE,
            900_000,
            chains=dict(zip(names, self.chains, strict=True)),
            units=sorted({unit for chain in self.chains for unit in chain}),
            n=self.n,
            costs=np.array(self.costs, dtype=np.int64),
            budget=self.budget,
        )

    def answers(self) -> dict[tuple[int, ...], tuple[int, int]]:
        """Every choice within number and budget: units served and people reached."""
        most = len(self.reach) if self.n is None else self.n
        names = sorted({unit for chain in self.chains for unit in chain})
        units = [[names.index(unit) for unit in chain] for chain in self.chains]
        return counted(self.reach, self.people, units, self.costs, most, self.budget)


def counted(reach, weights, units, costs, most: int, budget: int | None) -> dict[tuple[int, ...], tuple[int, int]]:
    """All choices of at most so many candidates within a budget at once: a table of ones and noughts, counted by products."""
    count = len(reach)
    table = np.arange(1 << count)[:, None] >> np.arange(count) & 1
    table = table[(table.sum(axis=1) <= most) & (budget is None or table @ np.array(costs, np.int64) <= budget)]
    reached = (table @ ones(reach, len(weights)) > 0) @ np.array(weights, np.int64)
    served = (table @ ones(units, 1 + max((unit for row in units for unit in row), default=0)) > 0).sum(axis=1)
    named = [tuple(np.flatnonzero(row).tolist()) for row in table]
    return dict(zip(named, zip(served.tolist(), reached.tolist(), strict=True), strict=True))


def ones(rows, width: int) -> np.ndarray:
    """Rows of positions as a table of ones and noughts."""
    table = np.zeros((len(rows), width), np.int64)
    for at, row in enumerate(rows):
        table[at, list(row)] = 1
    return table


def random_case(rng: np.random.Generator, *, units: bool = True) -> Case:
    candidates, cells = int(rng.integers(1, 8)), int(rng.integers(1, 11))
    reach = [
        sorted(map(int, rng.choice(cells, int(rng.integers(0, min(cells, 5) + 1)), replace=False))) for _ in range(candidates)
    ]
    chains = [CHAINS[int(rng.integers(len(CHAINS)))] if units else () for _ in range(candidates)]
    costs = [int(cost) for cost in rng.choice([0, 1, 2, 3, 5, 8], candidates)]
    budget = None if rng.random() < 0.25 else int(rng.integers(0, 16))
    n = None if budget is not None and rng.random() < 0.5 else int(rng.integers(0, 6))
    return Case([int(count) for count in rng.choice([0, 1, 2, 3, 7, 20], cells)], reach, chains, costs, budget, n)


@st.composite
def cases(draw):
    return random_case(np.random.default_rng(draw(st.integers(0, 2**32))), units=draw(st.booleans()))


def every_choice(problem: Problem) -> dict[tuple[int, ...], tuple[int, int]]:
    """Every choice of the presolved problem within number and budget: units served and millionths of a person reached."""
    sites = range(len(problem.ids))
    rows = ([problem.reach.of(j) for j in sites], problem.weights, [problem.serves.of(j) for j in sites])
    return counted(*rows, problem.costs, problem.n, problem.budget)


def affordable(problem: Problem, sites) -> bool:
    return len(sites) <= problem.n and (problem.budget is None or int(problem.costs[list(sites)].sum()) <= problem.budget)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_no_choice_within_number_and_budget_is_better(case):
    problem = case.built()
    solution = solve(problem, seed=0)
    units, people = max(case.answers().values())
    assert affordable(problem, solution.sites)
    assert start(problem, solution.sites).units_held() == units == most_units(problem)
    assert (solution.value, solution.status, solution.reproducible) == (people * ONE, "optimal", True)
    assert solution.bound >= solution.value == start(problem, solution.sites).value()


def test_where_every_candidate_is_settled_the_one_choice_left_is_weighed():
    # Found by hypothesis: the search stops at 45 people, and all that can be better is candidates 0 and 6, with 42 + 4 = 46.
    reach = [[0, 5, 6], [0, 3, 5, 8], [0, 9], [0, 3, 4, 6], [3, 5], [1, 2], [2, 3, 7, 8, 9]]
    case = Case([20, 3, 0, 1, 2, 20, 2, 2, 0, 1], reach, [()] * 7, [3, 0, 2, 0, 2, 5, 3], budget=7, n=2)
    solution = solve(case.built(), seed=0)
    assert (solution.value, solution.bound, solution.status) == (46 * ONE, 46 * ONE, "optimal")


@pytest.mark.parametrize("units", [False, True])
def test_presolve_and_bound_lose_no_better_choice(units):
    # Five hundred random questions each: the best of the presolved problem is that of the question, and the bound is above it.
    rng, smaller, sharp = np.random.default_rng(5), 0, 0
    for _ in range(500):
        case = random_case(rng, units=units)
        problem = case.built()
        best = max(case.answers().values())
        assert max(every_choice(problem).values()) == (best[0], best[1] * ONE)
        prices = rng.uniform(-1, 8, len(problem.weights))
        bound = lagrangian_bound(problem, prices)
        assert bound.people >= best[1] * ONE
        smaller += len(problem.ids) < len(case.reach)
        sharp += bound.people < problem.weights.sum()
    assert smaller > 100
    assert sharp > 35


def test_with_a_budget_the_bound_settles_only_what_no_better_choice_could_change():
    rng, said = np.random.default_rng(2), 0
    for _ in range(300):
        problem = random_case(rng, units=bool(rng.integers(2))).built()
        if not len(problem.weights) or not problem.n or (problem.budget is None and not problem.serves_all):
            continue
        wanted = most_units(problem)
        choices = {sites: reached for sites, (held, reached) in every_choice(problem).items() if held == wanted}
        prices = bounds.relax(problem, 0).prices * rng.uniform(0.8, 1.2, len(problem.weights))
        value = int(rng.choice(sorted(set(choices.values()))[-3:]))
        always, never = settled(problem, lagrangian_bound(problem, prices), value)
        better = [set(sites) for sites, reached in choices.items() if reached > value]
        assert all(site in sites for sites in better for site in np.flatnonzero(always))
        assert all(site not in sites for sites in better for site in np.flatnonzero(never))
        said += int(never.sum() + always.sum()) if better else 0
    assert said > 10


def test_most_units_within_a_budget_are_found_where_not_all_can_be_served():
    # Budget 5: S1 costs 4 or 6, S2 costs 3, S3 costs 2. All three cost 9; S2 and S3 together 5.
    case = Case([9, 1, 1, 50], [[0], [1], [2], [3]], [("S1",), ("S2",), ("S3",), ("S1",)], [4, 3, 2, 6], 5, None)
    problem = case.built()
    assert problem.ids == ("c0", "c1", "c2")  # c3 alone is beyond the budget
    assert serving_sites(problem) == (1, 2)
    assert (most_units(problem), problem.serves_all) == (2, False)
    assert solve(problem, seed=0).sites == (1, 2)


@pytest.mark.parametrize("exact", [bounds.EXACT, 1e-6])
def test_a_sum_that_passes_the_budget_by_a_solvers_tolerance_is_not_taken_for_one_within_it(monkeypatch, exact: float):
    # c0, c1 and c2 cost 40,000,001, one yuan too much; with c3 in place of c2 it is 40,000,000.
    monkeypatch.setattr(bounds, "EXACT", exact)
    costs = [9_999_999, 10_000_001, 20_000_001, 20_000_000]
    case = Case([9, 1, 1, 1], [[0], [1], [2], [3]], [("S1",), ("S2",), ("S3",), ("S4",)], costs, 40_000_000, None)
    solution = solve(case.built(), seed=0)
    assert serving_sites(case.built()) == (0, 1, 3)
    assert (solution.sites, solution.value, solution.status) == ((0, 1, 3), 11 * ONE, "optimal")


def test_a_needless_candidate_goes_and_of_equals_the_first_stays():
    # c1 reaches part of what c0 does and costs as much: gone. c2 is cheaper: stays. c3 serves a unit: stays. c4 equals c0: gone.
    case = Case([5, 6, 7], [[0, 1], [0], [0], [0], [0, 1]], [(), (), (), ("S1",), ()], [4, 4, 3, 4, 4], 9, None)
    assert case.built().ids == ("c0", "c2", "c3")


def test_a_dear_site_that_reaches_most_gives_way_to_two_cheap_ones():
    # Budget 4: c0 costs 4 and reaches 10; c1 and c2 cost 2 and reach 6 each: 12.
    problem = Case([4, 6, 6], [[0, 1], [1], [2]], [(), (), ()], [4, 2, 2], 4, None).built()
    solution = solve(problem, seed=0)
    assert (solution.sites, solution.value, solution.bound) == ((1, 2), 12 * ONE, 12 * ONE)


def test_number_and_budget_hold_together():
    # Budget 6 and two sites: without the number c1, c2, c3 (18 people, cost 6), with it c0 and c1 (10 + 6, cost 6).
    case = Case([10, 6, 6, 6], [[0], [1], [2], [3]], [()] * 4, [4, 2, 2, 2], 6, 2)
    assert solve(case.built(), seed=0).value == 16 * ONE
    assert solve(case._replace(n=None).built(), seed=0).value == 18 * ONE


def test_no_money_is_an_answer():
    solution = solve(Case([10], [[0]], [()], [4], 0, None).built(), seed=0)
    assert (solution.sites, solution.value, solution.status) == ((), 0, "optimal")


def test_the_bound_never_passes_all_people():
    # Prices are clipped to the people, 5, 1 and 1: the candidates are worth 6 each, 12 in all, but only 7 people live there.
    problem = Case([5, 1, 1], [[0, 1], [0, 2]], [(), ()], [0, 0], None, 2).built()
    assert lagrangian_bound(problem, np.full(3, 5.0)).people == 7 * ONE


# ---------------------------------------------------------------- larger towns


@cache
def town(candidates: int, cells: int, *, ruled: bool, n: int | None = None, seed: int = 0) -> Problem:
    """Random candidates and cells in a square; nine units in rows and columns, unlike costs, a budget for a tenth of them."""
    rng = np.random.default_rng(seed)
    side = 100 * np.sqrt(cells)
    homes, spots = rng.uniform(0, side, (cells, 2)), rng.uniform(0, side, (candidates, 2))
    away = np.hypot(*(spots[:, None, :] - homes[None, :, :]).transpose(2, 0, 1))
    block = (spots // (side / 3)).astype(int)
    case = Case(
        [int(count) for count in rng.gamma(0.7, 60, cells)],
        [list(map(int, np.flatnonzero(row <= 700))) for row in away],
        [(f"u{a}{b}",) if ruled else () for a, b in block],
        [int(cost) for cost in rng.integers(20, 60, candidates)] if ruled else [0] * candidates,
        4 * candidates if ruled else None,
        n,
    )
    return case.built()


@pytest.mark.parametrize(("ruled", "n"), [(False, 25), (True, None), (True, 18)])
def test_the_wide_search_keeps_the_rules_is_good_and_does_not_depend_on_threads(ruled, n):
    problem = town(200, 2_000, ruled=ruled, n=n)
    search = start(problem)
    greedy(search)
    first = search.value()
    effort = Effort(islands=2, families=3, proposals=300, stale=1)
    found = search_widely(problem, search.sites(), seed=3, effort=effort, threads=2)
    assert keeps_rules(problem, found.sites)
    assert found.value == start(problem, found.sites).value() > first
    bound = lagrangian_bound(problem, stepped_relaxation(problem, found.value).prices)
    assert found.value <= bound.people < 1.02 * found.value
    again = search_widely(problem, search.sites(), seed=3, effort=effort, threads=1)
    assert (again.value, list(again.sites), again.whole) == (found.value, list(found.sites), True)


def test_a_large_problem_goes_the_wide_way_and_the_bound_is_our_own(monkeypatch):
    monkeypatch.setattr("careshed.siting.solve.LARGE_PAIRS", 1_000)
    monkeypatch.setattr("careshed.siting.solve.LARGE_EXACT_PAIRS", 10)
    monkeypatch.setattr(bounds, "IPM_PAIRS", 1_000)
    problem = town(200, 2_000, ruled=True)
    solution = solve(problem, seed=1, effort=Effort(islands=1, families=3, proposals=500, stale=2))
    assert keeps_rules(problem, np.array(solution.sites))
    assert (solution.bound_by, solution.reproducible) == ("lagrangian", True)
    assert solution.value <= solution.bound < 1.02 * solution.value


def test_the_best_among_some_candidates_is_the_best_choice_of_the_restricted_problem():
    rng = np.random.default_rng(4)
    for _ in range(60):
        problem = random_case(rng).built()
        union = np.flatnonzero(rng.random(len(problem.ids)) < 0.8)
        small = restricted(problem, union)
        every = [(reached, sites) for sites, (held, reached) in every_choice(small).items() if held == len(small.units)]
        if not every or not problem.serves_all or not small.serves_all or not len(small.weights):
            continue
        known = union[list(min(every)[1])]
        sites, whole = relinking.best_among(problem, union, known, 0)
        assert start(problem, sites).value() == max(every)[0]
        assert whole


def test_parents_too_large_to_put_together_are_only_smoothed(monkeypatch):
    monkeypatch.setattr(relinking, "UNION_PAIRS", 1)
    problem = town(60, 800, ruled=False, n=6)
    ground = relinking.prepare(problem, range(6))
    parents = [Found(start(problem, sites).value(), np.array(sites)) for sites in (range(6), range(6, 12))]
    child = relinking.united(ground, parents, 1)
    assert child.value >= max(parent.value for parent in parents)
    assert child.whole


def test_local_search_under_a_budget_never_breaks_it_nor_a_unit():
    problem = town(120, 1_500, ruled=True)
    search = start(problem)
    greedy(search)
    values = [search.value()]
    for step in (improve, lambda s: kick(s, 40, 1)):
        step(search)
        values.append(search.value())
        assert keeps_rules(problem, np.flatnonzero(search.chosen))
    assert values == sorted(values)


def test_the_best_choice_of_worths_is_exact_under_units():
    rng = np.random.default_rng(8)
    for _ in range(150):
        problem = random_case(rng)._replace(budget=None, n=int(rng.integers(0, 6))).built()
        worth = rng.integers(0, 50, len(problem.ids))
        every = [
            (start(problem, sites).units_held(), int(worth[list(sites)].sum()))
            for size in range(problem.n + 1)
            for sites in combinations(range(len(problem.ids)), size)
        ]
        assert best_choice(problem, worth) == max(every)
