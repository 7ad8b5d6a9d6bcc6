"""Prove how good any plan over years can be: prices of all rows from the linear relaxation, added up in whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careshed.siting.planning.model import Aim, Draft, Line
from careshed.siting.planning.solving import grain_of, solver
from careshed.siting.problem import Flags, Ints

Floats = NDArray[np.float64]

ROUNDS: Final = 20_000
"""Steps of the first-order method at most; any prices give a valid bound, stopping early only blunts it."""

PRECISION: Final = 1e-4
"""Relative precision that the first-order method is asked for."""

ROOM: Final = 2.0**61
"""Sums of prices stay below this, so that 64-bit integers hold them."""


@dataclass(frozen=True)
class Prices:
    """A bound that rests on linear duality alone (the safe bound of Neumaier and Shcherbina, 2004)."""

    bound: int
    """What no answer exceeds, whole units of the aim."""
    exact: int
    """The same in units of 1 / `scale`, before rounding down to what can occur."""
    worth: Ints
    """What one unit of each column is worth after paying all rows, units of 1 / `scale`, shape (columns,)."""
    scale: int
    leaning: Floats
    """How far the relaxation sets each column, 0 to 1; nothing proven rests on it."""
    whole: bool = True
    """Whether work alone ended the relaxation."""


def priced(draft: Draft, lines: Sequence[Line], aim: Aim, *, seed: int, rounds: int = ROUNDS) -> Prices:
    """Solve the linear relaxation roughly and turn its duals into a proof.

    For prices p of the rows (p ≥ 0 where a row has only an upper limit, p ≤ 0 where only a lower one), no answer is worth more
    than Σ p · limit + Σ over columns of the larger of (worth − Σ p · factor) · lower and · upper.
    """
    import highspy

    highs = solver(draft, lines, aim, nodes=0, seed=seed)
    options: dict[str, bool | int | float | str] = {
        "solve_relaxation": True,
        "solver": "pdlp",
        "pdlp_iteration_limit": rounds,
        "kkt_tolerance": PRECISION,
    }
    for option, setting in options.items():
        highs.setOptionValue(option, setting)
    highs.run()
    solution = highs.getSolution()
    rows = [*draft.lines, *lines]
    raw = np.zeros(len(rows)) if len(solution.row_dual) != len(rows) else np.asarray(solution.row_dual, dtype=np.float64)
    leaning = np.asarray(solution.col_value, dtype=np.float64) if len(solution.col_value) else np.zeros(len(draft.lower))
    own = np.nan_to_num(raw) * aim.per / np.array([row.scale for row in rows])
    ended = highs.getModelStatus() != highspy.HighsModelStatus.kTimeLimit
    found = min((proof(draft, rows, aim, sign * own, leaning) for sign in (1.0, -1.0)), key=lambda one: one.bound)
    return replace(found, whole=ended)


def proof(draft: Draft, rows: Sequence[Line], aim: Aim, prices: Floats, leaning: Floats) -> Prices:
    """Add up the bound that some prices prove, in whole numbers; the aim is to be made as large as possible."""
    most = np.array([np.inf if row.most is None else float(row.most) for row in rows])
    least = np.array([-np.inf if row.least is None else float(row.least) for row in rows])
    fair = np.where((prices > 0) & np.isinf(most) | (prices < 0) & np.isinf(least), 0.0, prices)
    row_of = np.repeat(np.arange(len(rows)), [len(row.columns) for row in rows])
    column = np.concatenate([np.zeros(0, np.int64), *(row.columns for row in rows)]).astype(np.int64)
    factor = np.concatenate([np.zeros(0, np.int64), *(row.factors for row in rows)]).astype(np.int64)
    weighed = np.bincount(aim.columns, weights=[abs(float(one)) for one in aim.factors], minlength=len(draft.lower))
    load = weighed + np.bincount(column, weights=np.abs(fair[row_of] * factor), minlength=len(draft.lower))
    scale = 1 << max(int(np.floor(np.log2(ROOM / max(float(load.sum()), 1.0)))), 0)
    whole = np.rint(fair * scale).astype(np.int64)
    worth = np.zeros(len(draft.lower), dtype=np.int64)
    np.add.at(worth, aim.columns, np.array(aim.factors, dtype=np.int64) * scale)
    np.add.at(worth, column, -whole[row_of] * factor)
    lower, upper = np.array(draft.lower).astype(np.int64), np.array(draft.upper).astype(np.int64)
    paid = sum(
        int(price) * (row.most or 0 if price > 0 else row.least or 0) for price, row in zip(whole, rows, strict=True) if price
    )
    exact = paid + sum(np.maximum(worth * lower, worth * upper).tolist())
    grain = grain_of(aim)
    return Prices(aim.constant + exact // scale // grain * grain, exact, worth, scale, leaning)


def settled(draft: Draft, prices: Prices, aim: Aim, value: int) -> tuple[Flags, Flags]:
    """Mark columns that every answer better than `value` leaves at 0, and those that it sets to 1 (reduced-cost fixing)."""
    need = (value - aim.constant + grain_of(aim)) * prices.scale
    free = (np.array(draft.lower) == 0) & (np.array(draft.upper) == 1) & np.array(draft.whole)
    spare = prices.exact - need
    never: Flags = free & (prices.worth < 0) & (-prices.worth > spare)
    always: Flags = free & (prices.worth > 0) & (prices.worth > spare)
    return never, always
