"""Fit cells × ages to margins by unit and age, by iterative proportional fitting, with its proof."""

from __future__ import annotations

from collections.abc import Callable
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

NEAR: Final = 1e-3
"""Where totals force an age down to 0 fitting never ends; it may stop with cells off by this share (of them, or one person)."""

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
        If the margins of units disagree (both totals are told), a margin has people where the seed has none, or the zeros of the
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
        if len(history) >= most_rounds:
            break
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
    """Find margins that disagree, and people wanted where the seed has none; each unit once, for what is first wrong with it."""
    there, by_margins = adder @ seed, margins.sum(axis=1)
    by_cells = by_margins if cells is None else adder @ cells
    nobody = (by_margins > 0) & ((by_cells <= 0) | (there.sum(axis=1) <= 0))
    no_ages = (by_margins <= 0) & (by_cells > 0)
    differ = (np.abs(by_cells - by_margins) > AGREE * np.maximum(1.0, by_margins)) & ~nobody & ~no_ages
    faults = [*_nobody(nobody, by_margins, names[0], file), *_no_ages(no_ages, by_cells, names[0], file)]
    faults += _differing(differ, by_margins, by_cells, names[0], file)
    for at, age in np.argwhere((margins > 0) & (there <= 0) & ~nobody[:, None]).tolist():
        people = f"{margins[at, age]:,.1f}"
        zh = f"单元 {names[0][at]}：{names[1][age]} 岁应有 {people} 人，而其单元格中该年龄都为 0"
        en = f"unit {names[0][at]}: {people} people of ages {names[1][age]} are stated, but its cells hold none of them"
        cure = (f"请核对年龄表中该单元的这一组；{_OWN[0]}", f"Check that figure of the table; {_OWN[1]}")
        faults.append(Fault("no_pattern", file, zh, en, *cure, people=float(margins[at, age])))
    if cells is None:
        return faults
    odd = adder.T @ (nobody | no_ages).astype(np.float64) > 0
    for at in np.flatnonzero((cells > 0) & (seed.sum(axis=1) <= 0) & ~odd).tolist():
        zh = f"第 {at + 1} 个单元格应有 {cells[at]:,.1f} 人，而其各年龄组都为 0"
        en = f"cell {at + 1}: {cells[at]:,.1f} people are stated, but all its groups are 0"
        faults.append(Fault("no_pattern", file, zh, en, people=float(cells[at])))
    return faults


_MOST: Final = 12
"""Units listed in one message."""

_OWN: Final = (
    "或不用单元格自带的年龄组：[population] 中只给 total，各单元格即按单元的年龄构成计。",
    "or leave out the ages that the cells hold: give only total in [population], and cells follow the ages of their unit.",
)
"""What else can be done where the cells' own ages stand in the way."""


def _listed(units: NDArray[np.bool_], tell: Callable[[int], str]) -> str:
    """List units for a message, the first of many."""
    at = np.flatnonzero(units).tolist()
    return "; ".join(tell(one) for one in at[:_MOST]) + (f" … (+{len(at) - _MOST})" if len(at) > _MOST else "")


def _nobody(units: NDArray[np.bool_], stated: Float, names: list[str], file: str) -> list[Fault]:
    """Tell the units that have people in the table and none on cells, all in one."""
    if not units.any():
        return []
    listed = _listed(units, lambda at: f"{names[at]} {stated[at]:,.1f}")
    zh = f"{int(units.sum())} 个单元在年龄表中有人，而人口数据在其范围内没有人：{listed}"
    en = f"{int(units.sum())} unit(s) have people in the table, but the population holds nobody in them: {listed}"
    cure = (
        "人口格网若比单元粗，请用 [demand.refine] 细分或改用更细的数据；否则请核对单元边界，或改列上一级单元的人数。",
        "Where the grid of people is coarser than the units, refine it ([demand.refine]) or take finer data; else check the "
        "outlines, or state people by the larger unit.",
    )
    return [Fault("no_pattern", file, zh, en, *cure, people=float(stated[units].sum()))]


def _no_ages(units: NDArray[np.bool_], people: Float, names: list[str], file: str) -> list[Fault]:
    """Tell the units that have people on cells and none in the table: no share of ages can be read off nobody."""
    if not units.any():
        return []
    listed = _listed(units, lambda at: f"{names[at]} {people[at]:,.1f}")
    zh = f"{int(units.sum())} 个单元在年龄表中为 0 人，而其单元格有人，无从得知年龄：{listed}"
    en = f"{int(units.sum())} unit(s) have 0 people in the table, but people on their cells, whose ages nobody knows: {listed}"
    cure = (
        '请填写其人数，或删去该行（按全表年龄构成计）；若确实无人，请在 [demand.ages] 写 differ = "margins"。',
        "State their people, or delete the row (they then get the ages of all units); if nobody lives there, write "
        'differ = "margins" in [demand.ages].',
    )
    return [Fault("no_ages_stated", file, zh, en, *cure, people=float(people[units].sum()))]


def _differing(units: NDArray[np.bool_], stated: Float, people: Float, names: list[str], file: str) -> list[Fault]:
    """Tell the units whose total by age is not that of their cells, all in one."""
    if not units.any():
        return []
    listed = _listed(units, lambda at: f"{names[at]} {stated[at]:,.1f} / {people[at]:,.1f}")
    zh = f"{int(units.sum())} 个单元的各年龄合计与单元格合计不符（年龄表 / 单元格，人）：{listed}"
    en = f"{int(units.sum())} unit(s) have other totals by age than by cells (table / cells, people): {listed}"
    cure = (
        '请在 [demand.ages] 写明以哪个为准：differ = "margins"（年龄表）或 differ = "cells"（单元格）。',
        'Say in [demand.ages] which holds: differ = "margins" (the table by unit and age) or "cells" (the cells\' totals).',
    )
    return [Fault("margins_differ", file, zh, en, *cure, people=float(np.abs(people - stated)[units].sum()))]


_SLOW: Final = (
    "年龄合计迫使部分单元格的某一年龄归零，配平无法到达",
    "its totals by age force an age of some cells down to 0, which fitting nears and never reaches",
)
_CURE_FORCED: Final = (
    f"请核对该单元的年龄表与单元格自带的年龄组；{_OWN[0]}",
    f"Check the ages of the unit against those that its cells hold; {_OWN[1]}",
)
_CURE_ZEROS: Final = (
    f"单元格自带的年龄组为 0 处无法放人：请核对；{_OWN[0]}",
    f"Nobody can be put where the cells' own ages are 0: check them; {_OWN[1]}",
)
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
        near = bool((off[mine] <= NEAR * np.maximum(1.0, cells[mine])).all())
        if possible and (near or not last):
            continue
        why = _SLOW if possible else _IMPOSSIBLE
        zh = f"单元 {names[0][at]}：{why[0]}（尚差 {off[mine].sum():,.3g} 人）"
        en = f"unit {names[0][at]}: {why[1]} ({off[mine].sum():,.3g} people are still off)"
        cure = _CURE_FORCED if possible else _CURE_ZEROS
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
