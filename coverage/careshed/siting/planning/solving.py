"""Solve a model with HiGHS to a gap of 0, and put its answer into whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careshed.siting.planning.model import Aim, Draft, Line
from careshed.siting.problem import PARTS_PER_PERSON, Ints
from careshed.siting.stopping import run_stoppable

if TYPE_CHECKING:
    import highspy

Floats = NDArray[np.float64]

Refine: TypeAlias = Callable[[Floats], Floats]
"""An answer -> the same decisions with people on flows at a corner."""

NODES: Final = 20_000
"""Branch-and-bound nodes that one search may spend."""

SAFETY_SECONDS: Final = 300.0
"""A search is cut off here; the answer stands with its bound, but is marked as not reproducible."""

TOLERANCE: Final = 1e-9
"""How far HiGHS may leave a row or a whole number; bounds are widened by as much of everything that is weighed."""


class OutOfWork(ValueError):
    """No plan was found within the work allowed."""


@dataclass(frozen=True)
class Found:
    """What one search found."""

    possible: bool
    """False: proven that no answer exists."""
    amount: Ints
    """Millionths by column; empty where there is no answer."""
    value: int
    """Whole value of the aim; 0 without one."""
    bound: int
    """What no answer can be better than, whole."""
    whole: bool
    """Whether work alone ended the search."""

    @property
    def gap(self) -> int:
        """Whole units between bound and value."""
        return abs(self.bound - self.value)


NONE: Final = Found(False, np.zeros(0, dtype=np.int64), 0, 0, True)


def search(draft: Draft, lines: Sequence[Line], aim: Aim | None, *, nodes: int, seed: int) -> Found:
    """Find the best answer that keeps all lines.

    Raises
    ------
    OutOfWork
        If nodes or time end before any answer is found and none is proven impossible.
    """
    highs = solver(draft, lines, aim, nodes=nodes, seed=seed)
    possible, ended = ran(highs)
    if not possible:
        return Found(False, NONE.amount, 0, 0, ended)
    raw = np.asarray(highs.getSolution().col_value, dtype=np.float64)
    amount = whole_amount(draft, raw, lambda answer: _flows_with(draft, lines, aim, answer, seed))
    if aim is None:
        return Found(True, amount, 0, 0, ended)
    value = aim.value(amount)
    return Found(True, amount, value, _bound(aim, highs.getInfo().mip_dual_bound, value), ended)


def ran(highs: highspy.Highs) -> tuple[bool, bool]:
    """Run a search: whether there is an answer, and whether work alone ended it; Ctrl-C ends it with the best answer so far."""
    import highspy

    stopped = run_stoppable(highs)
    status = highs.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return False, True
    ended = status not in (highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kInterrupt)
    if status != highspy.HighsModelStatus.kOptimal and highs.getInfo().primal_solution_status != 2:
        if stopped:
            raise KeyboardInterrupt
        raise OutOfWork("the search found no plan within its work; raise work_limit or loosen the rules")
    return True, ended


def _bound(aim: Aim, dual: float, value: int) -> int:
    """Round a bound outward by the solver's tolerance, then to what can occur; never inside the answer."""
    weighed = sum(abs(factor) for factor in aim.factors) / aim.per
    if not np.isfinite(dual):
        dual = aim.sense * weighed
    loose = dual + aim.sense * (TOLERANCE * weighed + 1e-6)
    grain = grain_of(aim)
    steps = int(np.floor(aim.sense * loose * aim.per / grain))
    return max(aim.constant + steps * grain, value) if aim.sense > 0 else min(aim.constant - steps * grain, value)


def grain_of(aim: Aim) -> int:
    """Step between two possible values: the greatest common divisor of what columns count; 1 where people flow in parts."""
    return max(gcd(*aim.factors), 1) if aim.factors and not aim.flows else 1


def solver(draft: Draft, lines: Sequence[Line], aim: Aim | None, *, nodes: int, seed: int) -> highspy.Highs:
    """Write the model for HiGHS; rows of the draft first, then the lines."""
    import highspy

    highs: highspy.Highs = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, bool | int | float | str] = {
        "output_flag": False,
        "threads": 1,
        "parallel": "off",
        "random_seed": seed % (1 << 31),
        "mip_rel_gap": 0.0,
        "mip_abs_gap": _least_gap(aim),
        "mip_max_nodes": nodes,
        "mip_feasibility_tolerance": TOLERANCE,
        "primal_feasibility_tolerance": TOLERANCE,
        "time_limit": SAFETY_SECONDS,
    }
    for option, setting in options.items():
        highs.setOptionValue(option, setting)
    highs.passModel(_model(draft, [*draft.lines, *lines], aim))
    return highs


def _least_gap(aim: Aim | None) -> float:
    return 1e-6 if aim is None else max(grain_of(aim) / aim.per / 2, 1e-6)


def _model(draft: Draft, lines: Sequence[Line], aim: Aim | None) -> highspy.HighsLp:
    import highspy

    model = highspy.HighsLp()
    columns = len(draft.lower)
    model.num_row_, model.num_col_ = len(lines), columns
    cost = np.zeros(columns)
    if aim is not None:
        cost[aim.columns] = [factor / aim.per for factor in aim.factors]
        model.sense_ = highspy.ObjSense.kMaximize if aim.sense > 0 else highspy.ObjSense.kMinimize
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, np.array(draft.lower), np.array(draft.upper)
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[whole] for whole in draft.whole]
    spans = [limits(line) for line in lines]
    model.row_lower_, model.row_upper_ = np.array([low for low, _ in spans]), np.array([high for _, high in spans])
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum([len(line.columns) for line in lines], dtype=np.int64)]).astype(
        np.int32
    )
    model.a_matrix_.index_ = np.concatenate([np.zeros(0, np.int64), *(line.columns for line in lines)]).astype(np.int32)
    model.a_matrix_.value_ = np.concatenate([np.zeros(0), *(line.factors / line.scale for line in lines)])
    return model


def limits(line: Line) -> tuple[float, float]:
    """Limits of a row for the solver; half a whole unit wider where a row counts in fine units, which changes no whole answer."""
    half = 0.5 if line.scale > 1 else 0.0
    low = -np.inf if line.least is None else (line.least - half) / line.scale
    high = np.inf if line.most is None else (line.most + half) / line.scale
    return float(low), float(high)


def whole_amount(draft: Draft, raw: Floats, flows: Refine) -> Ints:
    """Put an answer into whole numbers: decisions rounded, steps worked out from them, people in whole parts."""
    chosen = raw[: draft.decided] > 0.5
    amount = settle(draft, chosen.astype(np.int64), step_table(draft))
    for column in range(draft.decided, len(raw)):
        if column not in draft.of_step and column not in draft.sums:
            amount[column] = (
                np.rint(raw[column]) * PARTS_PER_PERSON if draft.whole[column] else np.ceil(raw[column] * PARTS_PER_PERSON)
            )
    if draft.flows:
        _fill(draft, amount, flows(raw))
    return amount


@dataclass(frozen=True)
class StepTable:
    """Steps of a model as arrays, so that all are worked out at once."""

    columns: Ints
    """Column of each step, shape (steps,)."""
    needed: Ints
    """Posts that must be open, shape (steps,)."""
    step: Ints
    """Step of each pair, shape (pairs,)."""
    post: Ints
    """Post of each pair."""

    def open_posts(self, opened: Ints) -> Ints:
        """How many posts of each step are open."""
        return np.bincount(self.step, weights=opened[self.post], minlength=len(self.columns)).astype(np.int64)


def step_table(draft: Draft) -> StepTable:
    """Lay the steps of a model out as arrays."""
    posts = [posts for posts, _ in draft.of_step.values()]
    sizes = np.array([len(one) for one in posts], dtype=np.int64)
    return StepTable(
        np.array(list(draft.of_step), dtype=np.int64),
        np.array([needed for _, needed in draft.of_step.values()], dtype=np.int64),
        np.repeat(np.arange(len(posts)), sizes),
        np.concatenate([np.zeros(0, dtype=np.int64), *posts]),
    )


def opened_by(draft: Draft, chosen: Ints) -> Ints:
    """Posts that some decisions open, 0 or 1 each."""
    columns = np.array([draft.post_column(post) for post in range(len(draft.case.posts))], dtype=np.int64)
    return chosen[columns]


def settle(draft: Draft, chosen: Ints, table: StepTable) -> Ints:
    """Work out every step and sum from the decisions alone: amounts in millionths, flows still empty."""
    amount = np.zeros(len(draft.lower), dtype=np.int64)
    amount[: draft.decided] = chosen * PARTS_PER_PERSON
    opened = opened_by(draft, chosen)
    amount[table.columns] = PARTS_PER_PERSON * (table.open_posts(opened) >= table.needed)
    for column, one in draft.sums.items():
        amount[column] = one.parts(opened)
    return amount


def _flows_with(draft: Draft, lines: Sequence[Line], aim: Aim | None, raw: Floats, seed: int) -> Floats:
    """People on every flow once all decisions are fixed: a corner of the linear problem, which lies on whole parts."""
    import highspy

    highs = solver(draft, lines, aim, nodes=0, seed=seed)
    for column, whole in enumerate(draft.whole):
        if whole:
            highs.changeColBounds(column, *[float(np.rint(raw[column]))] * 2)
            highs.changeColIntegrality(column, highspy.HighsVarType.kContinuous)
    highs.setOptionValue("solver", "simplex")
    highs.run()
    return np.asarray(highs.getSolution().col_value, dtype=np.float64)


def _fill(draft: Draft, amount: Ints, raw: Floats) -> None:
    """Round people down to parts that no cell and no place exceeds."""
    left = [people for _, _, people in draft.groups]
    room: dict[int, int] = {}
    for at, post in enumerate(draft.case.posts):
        more = sum(
            one.places for i, one in enumerate(draft.case.extensions) if one.post == at and amount[draft.extension_column(i)]
        )
        room[at] = (post.places + more) * int(amount[draft.post_column(at)] > 0)
    for flow in draft.flows:
        parts = max(min(round(raw[flow.column] * PARTS_PER_PERSON), left[flow.group], room[flow.post]), 0)
        amount[flow.column] = parts
        left[flow.group] -= parts
        room[flow.post] -= parts


def holds(line: Line, amount: Ints) -> bool:
    """Check a row in whole numbers; a row in fine units may miss by the rounding of flows, one part each."""
    total = sum(int(factor) * int(amount[column]) for column, factor in zip(line.columns, line.factors, strict=True))
    low = line.least is None or total >= line.least * PARTS_PER_PERSON
    return low and (line.most is None or total <= line.most * PARTS_PER_PERSON)
