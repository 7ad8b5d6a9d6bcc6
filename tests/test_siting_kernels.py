"""The compiled loops of siting, on small cases and against slow independent ways; run compiled and line by line."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array

from careshed.siting import _kernels
from careshed.siting._steps import choice_value, primal_dual, project
from careshed.siting.problem import Sparse

pytestmark = pytest.mark.interpreted


def net_of(reach: list[list[int]], weights: list[int], *, most: int, cost=None, budget=None, home=None) -> _kernels.Net:
    start = np.cumsum([0, *map(len, reach)]).astype(np.int64)
    rows = Sparse(start, np.array([cell for row in reach for cell in row], dtype=np.int64))
    seen = rows.transposed(len(weights))
    costs = np.ones(len(reach), np.int64) if cost is None else np.array(cost, dtype=np.int64)
    homes = np.full(len(reach), -1) if home is None else np.array(home, dtype=np.int64)
    return _kernels.Net(
        rows.start, rows.items.astype(np.int32), seen.start, seen.items.astype(np.int32), np.array(weights, dtype=np.int64),
        costs, homes, int(homes.max() + 1), most, most if budget is None else budget,
    )  # fmt: skip


def random_net(rng: np.random.Generator, *, ruled: bool) -> _kernels.Net:
    reach = [sorted(map(int, rng.choice(30, int(rng.integers(1, 9)), replace=False))) for _ in range(20)]
    reach[0] = list(range(30))  # every cell is seen
    weights = list(map(int, rng.integers(1, 50, 30)))
    if not ruled:
        return net_of(reach, weights, most=4)
    home = [-1, *map(int, rng.integers(-1, 3, 16)), 0, 1, 2]
    return net_of(reach, weights, most=20, cost=list(map(int, rng.integers(1, 6, 20))), budget=22, home=home)


def fresh(net: _kernels.Net, sites) -> _kernels.State:
    """The state of a choice by its definition."""
    state = _kernels.empty_state(net)
    rows = [set(map(int, net.reach[a:b])) for a, b in zip(net.reach_start[:-1], net.reach_start[1:], strict=True)]
    by = [{j for j in sites if i in rows[j]} for i in range(len(net.weights))]
    state.chosen[list(sites)] = True
    state.hits[:] = [len(b) for b in by]
    state.owner[:] = [sum(b) for b in by]
    state.gain[:] = [
        sum(int(net.weights[i]) for i in row if by[i] == ({j} if j in sites else set())) for j, row in enumerate(rows)
    ]
    for j in sites:
        if net.home[j] >= 0:
            state.held[net.home[j]] += 1
    state.sums[:] = [sum(int(net.weights[i]) for i, b in enumerate(by) if b), sum(int(net.cost[j]) for j in sites), len(sites)]
    return state


def same(a: _kernels.State, b: _kernels.State) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_the_state_stays_exact_through_coming_going_and_exchanging():
    rng = np.random.default_rng(1)
    for _ in range(20):
        net = random_net(rng, ruled=True)
        state, sites = _kernels.empty_state(net), set()
        for _ in range(25):
            out = [j for j in range(20) if j not in sites]
            turn = int(rng.integers(3)) if sites and out else 0
            b = int(rng.choice(out))
            a = int(rng.choice(sorted(sites))) if sites else -1
            if turn == 0:
                _kernels.insert(net, state, b)
                sites.add(b)
            elif turn == 1:
                _kernels.remove(net, state, a)
                sites.remove(a)
            else:
                shared = _kernels.shared(net, state, a, b)
                before = int(state.sums[0]), int(state.gain[b]), int(state.gain[a])
                _kernels.exchange(net, state, a, b)
                assert state.sums[0] == before[0] + before[1] - before[2] + shared
                sites = sites - {a} | {b}
            assert same(state, fresh(net, sites))
            if len(sites) > 12:
                gone = sites.pop()
                _kernels.remove(net, state, gone)


def test_a_unit_is_not_left_empty_nor_the_budget_passed():
    # c0 and c1 in unit 0, c2 in none; costs 2, 3, 1; budget 2 and only c0 chosen.
    net = net_of([[0], [1], [2]], [1, 1, 1], most=3, cost=[2, 3, 1], budget=2, home=[0, 0, -1])
    state = fresh(net, {0})
    assert not _kernels.may_leave(net, state, 0, -1)
    assert not _kernels.may_leave(net, state, 0, 2)
    assert not _kernels.may_leave(net, state, 0, 1)  # same unit, but dearer than the budget
    assert _kernels.may_leave(net._replace(budget=3), state, 0, 1)


def test_needless_candidates_are_those_of_the_definition():
    rng, found = np.random.default_rng(3), 0
    for _ in range(150):
        rows = [frozenset(map(int, rng.choice(6, int(rng.integers(0, 5)), replace=False))) for _ in range(9)]
        units = [frozenset(map(int, rng.choice(3, int(rng.integers(0, 2)), replace=False))) for _ in range(9)]
        cost = rng.integers(1, 4, 9)

        def beats(b, a, rows=rows, units=units, cost=cost):
            part = rows[a] <= rows[b] and units[a] <= units[b] and cost[b] <= cost[a]
            alike = rows[a] == rows[b] and units[a] == units[b] and cost[b] == cost[a]
            return part and (not alike or b < a)

        wanted = [bool(rows[a]) and any(beats(b, a) for b in range(9) if b != a) for a in range(9)]
        start = np.cumsum([0, *map(len, rows)]).astype(np.int64)
        reach = Sparse(start, np.array([i for row in rows for i in sorted(row)], dtype=np.int64))
        serves = np.cumsum([0, *map(len, units)]).astype(np.int64), np.array([u for row in units for u in row], dtype=np.int64)
        seen = reach.transposed(6)
        got = _kernels.dominated(reach.start, reach.items, seen.start, seen.items, *serves, cost)
        assert list(got) == wanted
        found += sum(wanted)
    assert found > 100


def test_candidates_alike_share_the_most_people():
    # c0 {0,1,2}: with c1 {1,2} it shares 5 people, with c2 {0} 4, with c3 none.
    net = net_of([[0, 1, 2], [1, 2], [0], [3]], [4, 2, 3, 9], most=2)
    alike = _kernels.nearest_alike(net, 2)
    assert alike.tolist() == [[1, 2], [0, -1], [0, -1], [-1, -1]]


@pytest.mark.parametrize("ruled", [False, True])
def test_annealing_keeps_the_rules_and_tells_its_best(ruled):
    rng = np.random.default_rng(6)
    for seed in range(4):
        net = random_net(rng, ruled=ruled)
        first = {17, 18, 19} if ruled else {1, 2, 3, 4}
        state = fresh(net, first)
        before, alike = int(state.sums[0]), _kernels.nearest_alike(net, 4)
        best, value = _kernels.anneal(net, state, alike, 1.0, 20.0, 0.5, 10, 150, 0.5, seed)
        chosen = set(map(int, np.flatnonzero(best)))
        check = fresh(net, chosen)
        assert value == check.sums[0] > before
        assert check.sums[1] <= net.budget
        assert check.sums[2] <= net.most
        assert not ruled or check.held.min() >= 1
        assert same(state, fresh(net, set(map(int, np.flatnonzero(state.chosen)))))
        again = _kernels.anneal(net, fresh(net, first), alike, 1.0, 20.0, 0.5, 10, 150, 0.5, seed)
        assert (list(again[0]), again[1]) == (list(best), value)


def test_the_nearest_point_of_a_budget_is_found():
    # 0.9 + 0.8 + 0.1 = 1.8 of 1: the toll takes 0.35 off the first two, and the third is at nothing.
    out = np.empty(3)
    toll = project(np.array([0.9, 0.8, 0.1]), np.ones(3), np.ones(3), 1.0, 0.0, out)
    assert out == pytest.approx([0.55, 0.45, 0.0], abs=1e-8)
    assert toll == pytest.approx(0.35, abs=1e-8)
    assert project(np.array([0.5, 2.0, -1.0]), np.ones(3), np.ones(3), 5.0, 3.0, out) == 0.0
    assert out.tolist() == [0.5, 1.0, 0.0]


def test_the_toll_that_bounds_lowest_is_found():
    # Worths 9, 4, 1 at cost 1 each, budget 2: toll 1 to 4 gives 9 + 4. A unit that only the last serves costs its loss too.
    worth, cost = np.array([9.0, 4.0, 1.0]), np.ones(3)
    value, toll = choice_value(worth, cost, 2.0, np.full(3, -1), 0, 0.0)
    assert value == pytest.approx(13.0)
    assert 1.0 <= toll <= 4.0
    value, _ = choice_value(worth, cost, 2.0, np.array([-1, -1, 0]), 1, 2.0)
    assert value == pytest.approx(10.0)  # 9 and the 1 that must be


@pytest.mark.parametrize(("ruled", "counted"), [(False, -1.0), (True, -1.0), (True, 5.0)])
def test_the_steps_end_at_the_relaxation(ruled, counted):
    net = random_net(np.random.default_rng(12), ruled=ruled)
    cost, people = net.cost.astype(float), net.weights.astype(float)
    prices, leaning = primal_dual(net, people, cost, float(net.budget), net.units, counted, -1.0, 1_500, 1e-4)
    wanted = _relaxed(net, counted)
    reached = np.array([leaning[net.seen[a:b]].sum() for a, b in zip(net.seen_start[:-1], net.seen_start[1:], strict=True)])
    assert (people * np.minimum(reached, 1)).sum() == pytest.approx(wanted, rel=0.02)
    assert ((prices >= 0) & (prices <= people)).all()
    assert cost @ leaning <= net.budget * (1 + 1e-6)
    worth = np.array([prices[net.reach[a:b]].sum() for a, b in zip(net.reach_start[:-1], net.reach_start[1:], strict=True)])
    bound = people.sum() - prices.sum() + choice_value(worth, cost, float(net.budget), net.home, net.units, 0.0)[0]
    if counted < 0:  # the number has a toll of its own there
        assert wanted - 1e-6 <= bound <= wanted * 1.001


def _relaxed(net: _kernels.Net, counted: float) -> float:
    """The relaxation by scipy."""
    sites, cells = len(net.cost), len(net.weights)
    row = np.repeat(np.arange(cells), np.diff(net.seen_start))
    at = np.concatenate([row, np.arange(cells)]), np.concatenate([net.seen, sites + np.arange(cells)])
    cover = coo_array((np.concatenate([-np.ones(len(net.seen)), np.ones(cells)]), at), shape=(cells, sites + cells)).toarray()
    pad = np.zeros(cells)
    rows = [cover, np.concatenate([net.cost, pad])[None]]
    limits = [np.zeros(cells), [net.budget]]
    for unit in range(net.units):
        rows.append(np.concatenate([-(net.home == unit).astype(float), pad])[None])
        limits.append([-1])
    if counted > 0:
        rows.append(np.concatenate([np.ones(sites), pad])[None])
        limits.append([counted])
    answer = linprog(
        -np.concatenate([np.zeros(sites), net.weights]), A_ub=np.concatenate(rows), b_ub=np.concatenate(limits), bounds=(0, 1)
    )
    return -float(answer.fun)
