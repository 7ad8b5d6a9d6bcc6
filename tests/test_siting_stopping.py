"""Ctrl-C ends a long search: the best answer so far stays, with its bound, and is marked as not reproducible."""

from __future__ import annotations

import os
import signal
import threading

import highspy
import numpy as np
import pytest
from test_siting import cells_of, times_of
from test_siting_rules import town

from careshed.siting import solve as solving
from careshed.siting.planning import Demand, MaxCover, Sites, plan_sites
from careshed.siting.planning import solving as planning
from careshed.siting.search import greedy, improve, start
from careshed.siting.solve import solve
from careshed.siting.stopping import run_stoppable


@pytest.fixture(autouse=True)
def listening():
    """Listen for Ctrl-C as a terminal does; what runs in the background of a shell is told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def hard() -> highspy.Highs:
    """Eight knapsacks of 60 things: minutes of branch and bound."""
    rng = np.random.default_rng(1)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    things = [highs.addBinary(obj=-float(worth)) for worth in rng.integers(100, 200, 60)]
    for _ in range(8):
        highs.addConstr(
            highs.qsum(one * float(weight) for one, weight in zip(things, rng.integers(50, 150, 60), strict=True)) <= 3000
        )
    return highs


def press_at_first_answer(highs: highspy.Highs, times: int = 1) -> None:
    """Press Ctrl-C as soon as the search has any answer."""
    left = [times]

    def press(_: object) -> None:
        while left[0]:
            left[0] -= 1
            os.kill(os.getpid(), signal.SIGINT)

    highs.cbMipImprovingSolution += press


def test_ctrl_c_ends_a_search_with_what_it_has_found():
    highs = hard()
    press_at_first_answer(highs)
    assert run_stoppable(highs)
    assert highs.getModelStatus() == highspy.HighsModelStatus.kInterrupt
    assert highs.getInfo().primal_solution_status == 2
    assert highs.getInfo().mip_dual_bound < highs.getInfo().objective_function_value
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_gives_the_answer_up():
    highs = hard()
    press_at_first_answer(highs, times=2)
    with pytest.raises(KeyboardInterrupt):
        run_stoppable(highs)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_search_beside_the_main_thread_is_left_alone():
    highs, said = hard(), []
    highs.setOptionValue("mip_max_nodes", 1)
    other = threading.Thread(target=lambda: said.append(run_stoppable(highs)))
    other.start()
    other.join()
    assert said == [False]
    assert highs.getModelStatus() == highspy.HighsModelStatus.kSolutionLimit


def stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("at", ["relax", "guided", "_searched"])
def test_ranking_stopped_at_any_stage_gives_the_best_choice_so_far_with_its_bound(monkeypatch: pytest.MonkeyPatch, at: str):
    problem = town(200, 3_000, ruled=False, n=20, seed=1)
    known = start(problem)
    greedy(known)
    improve(known)
    monkeypatch.setattr(solving, at, stopped)
    solution = solve(problem, seed=0)
    assert solution.value == start(problem, solution.sites).value() >= known.value()
    assert (solution.reproducible, solution.status) == (False, "feasible")
    assert solution.value < solution.bound <= problem.weights.sum()


def test_ranking_stopped_before_any_choice_gives_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(solving, "greedy", stopped)
    with pytest.raises(KeyboardInterrupt):
        solve(town(20, 100, ruled=False, n=2, seed=1), seed=0)


def random_question():
    """Forty candidates, a hundred and twenty cells that each reach about five of them; eight may be built."""
    rng = np.random.default_rng(3)
    cells = cells_of([float(people) for people in rng.integers(1, 50, 120)])
    reach = {f"c{i:02}": dict.fromkeys(map(int, np.sort(rng.choice(120, 15, replace=False))), 60_000) for i in range(40)}
    return times_of(reach, cells), cells


def test_planning_stopped_gives_the_best_plan_so_far(monkeypatch: pytest.MonkeyPatch):
    options, cells = random_question()
    ask = {"objective": MaxCover((Demand("p0_3", minutes=15),)), "rules": [Sites(at_most=8)]}

    def pressed(highs: highspy.Highs) -> bool:
        press_at_first_answer(highs)
        return run_stoppable(highs)

    best = plan_sites(options, cells, **ask)
    monkeypatch.setattr(planning, "run_stoppable", pressed)
    plan = plan_sites(options, cells, **ask)
    assert (plan.reproducible, plan.status) == (False, "feasible")
    assert len(plan.new) <= 8
    assert plan.value <= best.value <= plan.bound
    assert plan.value < plan.bound


def test_planning_stopped_before_any_plan_gives_none(monkeypatch: pytest.MonkeyPatch):
    options, cells = random_question()
    monkeypatch.setattr(planning, "run_stoppable", lambda highs: highs.setOptionValue("mip_max_nodes", 1) is not None)
    with pytest.raises(KeyboardInterrupt):
        plan_sites(options, cells, objective=MaxCover((Demand("p0_3", minutes=15),)))
