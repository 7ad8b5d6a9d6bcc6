"""The transport solver against linear and integer programmes, by hand, and its proof."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

import careshed.supply.transport as transport
from careshed.supply._pairs import nearest_two
from careshed.supply.transport import Pairs, Transport, pairs_by_cell, product, solve_transport, told

pytestmark = pytest.mark.interpreted

NONE = -1
"""No travel between the two."""


def pairs_of(table: list[list[int]] | np.ndarray) -> Pairs:
    """Lay out a table of costs, a row a facility, `NONE` out of reach."""
    costs = np.asarray(table, dtype=np.int64)
    row, column = np.nonzero(costs >= 0)
    indptr = np.searchsorted(row, np.arange(len(costs) + 1))
    kept = np.ones(len(row), dtype=bool)
    return pairs_by_cell(
        indptr, column.astype(np.int32), costs[row, column].astype(np.uint32),
        kept=kept, rows=np.arange(len(costs)), columns=np.arange(costs.shape[1]),
    )  # fmt: skip


def solved(table: list[list[int]] | np.ndarray, supply: list[int], room: list[int]) -> Transport:
    return solve_transport(pairs_of(table), np.array(supply, dtype=np.int64), np.array(room, dtype=np.int64))


def links(found: Transport) -> list[tuple[int, int, int]]:
    """Cell, facility, people."""
    return list(zip(found.cell.tolist(), found.facility.tolist(), found.people.tolist(), strict=True))


def travel(found: Transport) -> int:
    """People times travel cost of all who are served."""
    return product(found.people, found.cost)


def programme(table: np.ndarray, supply: np.ndarray, room: np.ndarray, *, whole: bool = False) -> tuple[float, float]:
    """Most people served, and least travel with which they can be, as HiGHS finds them in two programmes."""
    facility, cell = np.nonzero(table >= 0)
    if not len(cell):
        return 0.0, 0.0
    number, ones = np.arange(len(cell)), np.ones(len(cell))
    limits = csr_array(
        (np.tile(ones, 2), (np.concatenate([cell, table.shape[1] + facility]), np.tile(number, 2))),
        shape=(sum(table.shape), len(cell)),
    )
    most = np.concatenate([supply, room]).astype(float)
    cost = table[facility, cell].astype(float)
    if whole:
        free = {"integrality": ones, "bounds": Bounds(0, np.inf)}
        served = -milp(-ones, constraints=LinearConstraint(limits, ub=most), **free).fun
        both = [LinearConstraint(limits, ub=most), LinearConstraint(ones[None, :], served, served)]
        return served, milp(cost, constraints=both, **free).fun
    served = -linprog(-ones, A_ub=limits, b_ub=most).fun
    return served, linprog(cost, A_ub=limits, b_ub=most, A_eq=ones[None, :], b_eq=[served]).fun


@st.composite
def problems(draw: st.DrawFn, most: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Up to six facilities and ten cells; few different costs, so that ties abound; no people and no places included."""
    facilities, cells = draw(st.integers(0, 6)), draw(st.integers(0, 10))
    cost = st.integers(NONE, draw(st.sampled_from([0, 2, 9, 900])))
    table = [[draw(cost) for _ in range(cells)] for _ in range(facilities)]
    supply = [draw(st.integers(0, most)) for _ in range(cells)]
    room = [draw(st.integers(0, 2 * most)) for _ in range(facilities)]
    return np.array(table, dtype=np.int64).reshape(facilities, cells), np.array(supply, np.int64), np.array(room, np.int64)


QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(problems())
def test_random_problems_equal_a_linear_programme_and_are_proved(problem):
    table, supply, room = problem
    found = solve_transport(pairs_of(table), supply, room)
    served, cost = programme(table, supply, room)
    assert int(found.people.sum()) == round(served)
    assert travel(found) == round(cost)
    assert found.proven


@settings(max_examples=40, deadline=None)
@given(problems(most=4))
def test_whole_people_equal_an_integer_programme(problem):
    table, supply, room = problem
    found = solve_transport(pairs_of(table), supply, room)
    assert (int(found.people.sum()), travel(found)) == tuple(round(value) for value in programme(table, supply, room, whole=True))


@QUICK
@given(problems(), st.integers(2, 10**12))
def test_multiples_stay_multiples_and_large_numbers_exact(problem, times):
    table, supply, room = problem
    one = solve_transport(pairs_of(table), supply, room)
    many = solve_transport(pairs_of(table), supply * times, room * times)
    assert links(many) == [(cell, facility, people * times) for cell, facility, people in links(one)]
    assert many.objective == one.objective * times


@QUICK
@given(problems())
def test_coarser_problems_and_likely_pairs_change_no_answer(problem):
    # Levels down to single cells, and pairs left out at every level however few the cells.
    table, supply, room = problem
    plain = solve_transport(pairs_of(table), supply, room)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "FEWEST", 1)
        patch.setattr(transport, "COARSER", 2)
        patch.setattr(transport, "MANY", 0)
        patch.setattr(transport, "WIDTH", 1)
        staged = solve_transport(pairs_of(table), supply, room)
    assert staged.proven
    assert staged.objective == plain.objective
    assert staged.unplaced.sum() == plain.unplaced.sum()


def town(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """20 facilities, 400 cells on a square of 4 km, reach 1.5 km; places for 70 to 130 % of the people."""
    random = np.random.default_rng(seed)
    spots, homes = random.uniform(0, 4000, (20, 2)), random.uniform(0, 4000, (400, 2))
    metres = np.hypot(*(spots[:, None, :] - homes[None, :, :]).transpose(2, 0, 1))
    table = np.where(metres <= 1500, np.rint(metres * 600).astype(np.int64), NONE)
    supply = random.integers(0, 30, 400)
    room = (random.dirichlet(np.ones(20)) * supply.sum() * (0.7 + 0.2 * seed)).astype(np.int64)
    return table, supply, room


@pytest.mark.parametrize("fewest", [5, 1000], ids=["seven levels", "one level"])
@pytest.mark.parametrize("seed", range(4))
def test_a_town_of_thousands_of_pairs_equals_a_linear_programme(seed, fewest, monkeypatch):
    monkeypatch.setattr(transport, "FEWEST", fewest)
    monkeypatch.setattr(transport, "COARSER", 2)
    monkeypatch.setattr(transport, "MANY", 10)
    table, supply, room = town(seed)
    found = solve_transport(pairs_of(table), supply, room)
    served, cost = programme(table, supply, room)
    assert found.proven
    assert (int(found.people.sum()), travel(found)) == (round(served), round(cost))


def test_a_hundred_facilities_may_all_be_within_reach_of_one_another():
    # Each of 130 facilities has one place and reaches all three cells, number j at j: the cheapest 3 + 3 + 3 serve them for
    # 0 + 1 + ... + 8 = 36, whoever goes where.
    found = solved(np.tile(np.arange(130)[:, None], (1, 3)), [3, 3, 3], [1] * 130)
    assert travel(found) == 36
    assert found.proven


def test_serving_comes_before_saving_travel_however_long_the_chain():
    # Cell i reaches facility i for nothing and facility i + 1 for 1000; cell 0 has one person too many for facility 0, and only
    # the last facility has a place over: all nine cells must send one person on, for 9000.
    table = [[0 if j == i else 1000 if j == i + 1 else NONE for i in range(9)] for j in range(10)]
    found = solved(table, [2] + [1] * 8, [1] * 10)
    assert found.unplaced.sum() == 0
    assert travel(found) == 9000
    assert found.proven


def test_a_pair_of_cost_zero_is_a_pair():
    assert links(solved([[0]], [3], [2])) == [(0, 0, 2)]


def test_who_is_unserved_is_who_would_travel_farthest():
    # 4 places for 3 people at 10 and 3 at 20: two of the farther three stay out.
    found = solved([[10, 20]], [3, 3], [4])
    assert links(found) == [(0, 0, 3), (1, 0, 1)]
    assert found.unplaced.tolist() == [0, 2]


def test_a_full_facility_has_a_price_and_one_with_room_has_none():
    # Both cells prefer facility 0, which holds one of them: its place saves 30 − 10 = 20 to the cell that gains less from it.
    found = solved([[10, 10], [50, 30]], [1, 1], [1, 9])
    assert links(found) == [(0, 0, 1), (1, 1, 1)]
    assert found.price[1] == 0
    assert 20 <= found.price[0] <= 40


@pytest.mark.parametrize(
    ("table", "supply", "room"),
    [([[NONE, NONE]], [1, 2], [5]), ([[1, 2]], [0, 0], [5]), ([[1, 2]], [1, 2], [0])],
    ids=["nobody in reach", "nobody at all", "no places"],
)
def test_nothing_to_assign_gives_no_links(table, supply, room):
    found = solved(table, supply, room)
    assert links(found) == []
    assert found.unplaced.tolist() == supply
    assert found.proven


@pytest.mark.parametrize(("facilities", "cells", "left"), [(0, 0, 0), (2, 0, 0), (0, 2, 2)])
def test_no_cells_and_no_facilities_are_a_problem_like_any_other(facilities, cells, left):
    found = solve_transport(pairs_of(np.zeros((facilities, cells))), np.ones(cells, np.int64), np.ones(facilities, np.int64))
    assert found.proven
    assert found.unplaced.sum() == left


def test_wrong_prices_prove_nothing():
    pairs, supply, room = pairs_of([[10, 10], [50, 30]]), np.array([1, 1]), np.array([1, 9])
    best = solve_transport(pairs, supply, room)
    flow = np.zeros(len(pairs.cost), dtype=np.int64)
    flow[[0, 4]] = 1  # the pairs are (0, 0), (0, 1), (0, none), (1, 0), (1, 1), (1, none)
    dear, cheap = best.price + np.array([100, 0]), best.price * 0
    for prices in (dear, cheap):
        assert not told(pairs, supply, room, flow, prices, best.unserved, 0).proven
    assert told(pairs, supply, room, flow, best.price, best.unserved, 0).proven


def test_a_worse_assignment_is_not_proved_by_the_best_prices():
    pairs, supply, room = pairs_of([[10, 10], [50, 30]]), np.array([1, 1]), np.array([1, 9])
    best = solve_transport(pairs, supply, room)
    flow = np.zeros(len(pairs.cost), dtype=np.int64)
    flow[[1, 3]] = 1
    worse = told(pairs, supply, room, flow, best.price, best.unserved, 0)
    # 50 + 10 instead of 10 + 30.
    assert (worse.objective, best.objective, worse.proven) == (60, 40, False)


def test_an_overfull_facility_or_a_lost_person_is_no_assignment():
    pairs, supply, room = pairs_of([[10, 10]]), np.array([1, 1]), np.array([1])
    for flow in ([1, 0, 1, 0], [1, 0, 0, 0]):
        with pytest.raises(AssertionError):
            told(pairs, supply, room, np.array(flow), np.array([0]), 11, 0)


def test_the_order_of_facilities_and_cells_is_the_callers():
    # Rows 1, 0 of the costs become facilities 0, 1; columns 2, 0 become cells 0, 1; column 1 is left out.
    indices, cost = np.array([0, 1, 2, 1, 2], np.int32), np.array([5, 6, 7, 8, 9], np.uint32)
    kept = np.array([True, True, False, True, True])
    laid = pairs_by_cell(np.array([0, 3, 5]), indices, cost, kept=kept, rows=np.array([1, 0]), columns=np.array([2, 0]))
    assert laid.ptr.tolist() == [0, 2, 4]
    assert laid.facility.tolist() == [0, 2, 1, 2]
    assert laid.cost.tolist() == [9, 0, 5, 0]
    assert laid.cell.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("supply", "room", "cost", "text"),
    [
        ([-1], [1], 3, "a number of people of -1 is below zero"),
        ([1], [-2], 3, "a number of places of -2 is below zero"),
        ([1], [1], -3, "a travel cost of -3 is below zero"),
    ],
)
def test_numbers_below_zero_are_refused(supply, room, cost, text):
    pairs = pairs_of([[3]])
    wrong = Pairs(pairs.ptr, pairs.facility, np.where(pairs.cost == 3, cost, 0), pairs.cell)
    with pytest.raises(ValueError, match=text):
        solve_transport(wrong, np.array(supply), np.array(room))


def test_too_many_pairs_are_refused():
    class Endless(np.ndarray):
        def __len__(self) -> int:
            return 2**31

    pairs = pairs_of([[3]])
    endless = Pairs(pairs.ptr, pairs.facility.view(Endless), pairs.cost, pairs.cell)
    with pytest.raises(ValueError, match="2147483648 pairs of cell and facility are too many; choose a smaller limit"):
        solve_transport(endless, np.array([1]), np.array([1]))


def test_inputs_are_left_alone():
    pairs, supply, room = pairs_of([[1, 2], [2, 9]]), np.array([3, 3]), np.array([4, 1])
    before = [array.copy() for array in (pairs.ptr, pairs.facility, pairs.cost, pairs.cell, supply, room)]
    solve_transport(pairs, supply, room)
    for array, old in zip((pairs.ptr, pairs.facility, pairs.cost, pairs.cell, supply, room), before, strict=True):
        assert (array == old).all()


def test_cells_with_the_same_two_facilities_nearest_come_together():
    # Nearest and next nearest (2 is "no place"): cell 0 has 1, 0 at 5; cell 1 none; cell 2 has 0, 1 at 3; cell 3 has 1, 0 at 2;
    # cell 4 has 0 only; cell 5 ties, which goes to 0 first, at 3 as cell 2. So: 2 and 5, 4, then 3 and 0, last 1.
    pairs = pairs_of([[9, NONE, 3, 8, 1, 3], [5, NONE, 4, 2, NONE, 3]])
    first, second, cost = nearest_two(pairs.ptr, pairs.facility, pairs.cost)
    assert (first.tolist(), second.tolist()) == ([1, 2, 0, 1, 0, 0], [0, 2, 1, 0, 2, 1])
    assert cost.tolist() == [5, 0, 3, 2, 1, 3]
    order = transport._neighbours_together(pairs)
    assert order.tolist() == [2, 5, 4, 3, 0, 1]
    turned, was = transport._in_turn(pairs, order)
    assert turned.ptr.tolist() == [0, 3, 6, 8, 11, 14, 15]
    assert (turned.facility == pairs.facility[was]).all()
    assert (turned.cost == pairs.cost[was]).all()
    assert (order[turned.cell] == pairs.cell[was]).all()


def test_of_every_few_cells_in_a_row_the_middle_one_is_kept():
    # Cells 0 to 4 at 1 to 5 from the only facility, by twos: the second of 0 and 1, of 2 and 3, and the last, which is alone.
    few = pairs_of([[1, 2, 3, 4, 5]]).coarser(2)
    assert few.cost.tolist() == [2, 0, 4, 0, 5, 0]
    assert few.cell.tolist() == [0, 0, 1, 1, 2, 2]
    assert few.ptr.tolist() == [0, 2, 4, 6]


@pytest.mark.parametrize("seed", range(3))
def test_cells_may_come_in_any_order(seed, monkeypatch):
    monkeypatch.setattr(transport, "FEWEST", 20)
    monkeypatch.setattr(transport, "MANY", 10)
    table, supply, room = town(seed)
    order = np.random.default_rng(seed).permutation(len(supply))
    one, two = solve_transport(pairs_of(table), supply, room), solve_transport(pairs_of(table[:, order]), supply[order], room)
    assert two.proven
    assert (one.objective, int(one.people.sum())) == (two.objective, int(two.people.sum()))
