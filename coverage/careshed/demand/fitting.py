"""Fit cells × ages to margins by unit and age, by iterative proportional fitting, with its proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.schema import Fault, InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Float = NDArray[np.float64]
Int = NDArray[np.int64]

TOLERANCE: Final = 1e-10
"""Margins are met once no cell's total is off by more than this share of itself (or of one person)."""

AGREE: Final = 1e-9
"""Margins of a unit agree if they differ by at most this share."""

_CHECKED_EVERY: Final = 500
"""Rounds after which a unit that has not settled is tested for whether it can be fitted at all."""


@dataclass(frozen=True)
class Fit:
    """A table fitted to its margins, and why it is the right one.

    The fitted table is the seed times a factor a cell and a factor a unit and age. A table of this form that meets the margins
    is the only one nearest to the seed in relative entropy (Csiszár, 1975; Ireland and Kullback, 1968), so `error`
    and `gap` near zero prove the answer.
    """

    people: Float
    """People, shape (cells, ages)."""
    cell_factor: Float
    """Factor of every cell, shape (cells,)."""
    margin_factor: Float
    """Factor of every unit and age, shape (units, ages)."""
    history: tuple[float, ...]
    """Sum of what cells' totals are off after each round, people; never rises."""
    error: float
    """Most that any margin is off at the end, people."""
    gap: float
    """Relative entropy of the table less its proven lower bound (the dual value), people."""

    @property
    def rounds(self) -> int:
        """Rounds taken."""
        return len(self.history)


def fit_margins(
    seed: Float,
    unit: Int,
    margins: Float,
    cells: Float | None = None,
    *,
    names: tuple[list[str], list[str]] | None = None,
    file: str = "",
    tolerance: float = TOLERANCE,
    most_rounds: int = 20_000,
) -> Fit:
    """Scale a table of cells × ages so that every unit has its people of every age and every cell its people.

    Iterative proportional fitting (Deming and Stephan, 1940): cells' factors and margins' factors in turn. A zero in the seed
    stays zero.

    Parameters
    ----------
    seed
        What is known of the pattern, ≥ 0, shape (cells, ages).
    unit
        Row of `margins` that each cell belongs to, shape (cells,).
    margins
        People by unit and age, shape (units, ages).
    cells
        People of every cell, shape (cells,); left out, only the margins are met, in one step.
    names
        Names of units and ages for messages.

    Raises
    ------
    InputError
        If the margins of a unit disagree (both totals are told), a margin has people where the seed has none, or the zeros of the
        seed leave no table that meets all margins.

    >>> fit = fit_margins(np.ones((2, 2)), np.zeros(2, dtype=int), np.array([[6.0, 4.0]]), np.array([5.0, 5.0]))
    >>> fit.people.tolist()
    [[3.0, 2.0], [3.0, 2.0]]
    """
    labels = names or ([str(at) for at in range(len(margins))], [str(at) for at in range(margins.shape[1])])
    adder = _adder(unit, len(margins))
    faults = _contradictions(seed, margins, cells, adder, labels, file)
    if faults:
        raise InputError(faults)
    row, column = np.ones(len(seed)), _ratio(margins, adder @ seed)
    history: list[float] = []
    while cells is not None:
        row = _ratio(cells, (seed * column[unit]).sum(axis=1))
        column = _ratio(margins, adder @ (seed * row[:, None]))
        off = np.abs((seed * column[unit]).sum(axis=1) * row - cells)
        history.append(float(off.sum()))
        if (off <= tolerance * np.maximum(1.0, cells)).all():
            break
        if len(history) % _CHECKED_EVERY == 0 or len(history) >= most_rounds:
            _refuse_impossible(seed, unit, margins, cells, off, labels, file, last=len(history) >= most_rounds)
    people = seed * row[:, None] * column[unit]
    return Fit(people, row, column, tuple(history), *_proof(people, row, column, adder, margins, cells))


def _adder(unit: Int, units: int) -> csr_array:
    """Matrix that adds cells up by unit, shape (units, cells)."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(unit)), (unit, np.arange(len(unit)))), shape=(units, len(unit)))


def _ratio(wanted: Float, there: Float) -> Float:
    """Divide; nothing wanted of nothing is nothing."""
    return np.divide(wanted, there, out=np.zeros_like(wanted, dtype=np.float64), where=there > 0)


def _contradictions(
    seed: Float,
    margins: Float,
    cells: Float | None,
    adder: csr_array,
    names: tuple[list[str], list[str]],
    file: str,
) -> list[Fault]:
    """Find margins that disagree, and people wanted where the seed has none."""
    faults = []
    there = adder @ seed
    for at, age in np.argwhere((margins > 0) & (there <= 0)).tolist():
        people = f"{margins[at, age]:,.1f}"
        zh = f"单元 {names[0][at]}：{names[1][age]} 应有 {people} 人，而其单元格中该组都为 0"
        en = f"unit {names[0][at]}: {people} people of {names[1][age]} are stated, but its cells hold none of that group"
        cure = ("请给出该单元有人的单元格，或核对单元代码。", "Give cells of that unit with people, or check the unit's code.")
        faults.append(Fault("no_pattern", file, zh, en, *cure, people=float(margins[at, age])))
    if cells is None:
        return faults
    by_cells, by_margins = adder @ cells, margins.sum(axis=1)
    for at in np.flatnonzero(np.abs(by_cells - by_margins) > AGREE * np.maximum(1.0, by_margins)).tolist():
        both = f"{by_margins[at]:,.1f}", f"{by_cells[at]:,.1f}"
        zh = f"单元 {names[0][at]}：各年龄合计 {both[0]} 人，单元格合计 {both[1]} 人，两者不符"
        en = f"unit {names[0][at]}: the ages add up to {both[0]} people, the cells to {both[1]}"
        cure = (
            '请说明以哪个为准（differ = "margins" 以单元年龄表为准，"cells" 以单元格总数为准）。',
            'Say which holds: differ = "margins" (the table by unit and age) or "cells" (the cells\' totals).',
        )
        faults.append(Fault("margins_differ", file, zh, en, *cure, people=abs(float(by_cells[at] - by_margins[at]))))
    for at in np.flatnonzero((cells > 0) & (seed.sum(axis=1) <= 0)).tolist():
        zh = f"第 {at + 1} 个单元格应有 {cells[at]:,.1f} 人，而其各年龄组都为 0"
        en = f"cell {at + 1}: {cells[at]:,.1f} people are stated, but all its groups are 0"
        faults.append(Fault("no_pattern", file, zh, en, people=float(cells[at])))
    return faults


_SLOW: Final = ("收敛过慢", "fitting is too slow")
_IMPOSSIBLE: Final = ("单元格中的 0 使各合计不能同时满足", "the zeros of its cells leave no way to meet all totals")


def _refuse_impossible(
    seed: Float,
    unit: Int,
    margins: Float,
    cells: Float,
    off: Float,
    names: tuple[list[str], list[str]],
    file: str,
    *,
    last: bool,
) -> None:
    """Stop where the zeros of the seed leave no table that meets the margins of a unit (a transport problem says so)."""
    faults = []
    for at in np.unique(unit[off > TOLERANCE * np.maximum(1.0, cells)]):
        mine = unit == at
        possible = _feasible(seed[mine] > 0, cells[mine], margins[at])
        if possible and not last:
            continue
        why = _SLOW if possible else _IMPOSSIBLE
        zh = f"单元 {names[0][at]}：{why[0]}（尚差 {off[mine].sum():,.3g} 人）"
        en = f"unit {names[0][at]}: {why[1]} ({off[mine].sum():,.3g} people are still off)"
        cure = ("请在为 0 的单元格中给出小的初值。", "Give the cells that are 0 a small starting value.")
        faults.append(Fault("cannot_fit", file, zh, en, *cure, people=float(off[mine].sum())))
    if faults:
        raise InputError(faults)


def _feasible(allowed: NDArray[np.bool_], cells: Float, ages: Float) -> bool:
    """Say whether any table ≥ 0 on the allowed entries has these sums of rows and columns."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, vstack

    row, column = np.nonzero(allowed)
    one, entry = np.ones(len(row)), np.arange(len(row))
    sums = vstack([
        coo_array((one, (row, entry)), shape=(len(cells), len(row))),
        coo_array((one, (column, entry)), shape=(len(ages), len(row))),
    ])  # fmt: skip
    wanted = np.concatenate([cells, ages]) / max(1.0, float(cells.sum()))
    matrix: Any = sums.tocsr()
    found = linprog(np.zeros(len(row)), A_eq=matrix, b_eq=wanted, method="highs")
    return bool(found.status == 0)


def _proof(
    people: Float, row: Float, column: Float, adder: csr_array, margins: Float, cells: Float | None
) -> tuple[float, float]:
    """Measure how far the margins are off, and how far the table can be from the nearest one to the seed."""
    by_margin = adder @ people - margins
    by_cell = people.sum(axis=1) - cells if cells is not None else np.zeros(len(people))
    error = max(float(np.abs(by_margin).max(initial=0.0)), float(np.abs(by_cell).max(initial=0.0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        weighted = [np.where(factor > 0, off * np.log(factor), 0.0) for factor, off in ((row, by_cell), (column, by_margin))]
    return error, float(sum(part.sum() for part in weighted))


def margin_table(table: pd.DataFrame) -> Float:
    """Give the numbers of a table of margins, refused where they are missing or negative.

    Raises
    ------
    ValueError
        If a number is missing or negative.
    """
    values = table.to_numpy(dtype=np.float64)
    if not (values >= 0).all():
        raise ValueError("margins must be numbers of people, 0 or more, with none missing")
    return values
