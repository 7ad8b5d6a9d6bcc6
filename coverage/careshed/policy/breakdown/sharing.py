"""Share a target out among units and years by a key, rounded so that every sum closes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.access import ALL
from careshed.intake.columns import nearest
from careshed.policy.judging.card import Both
from careshed.schema import Fault, InputError
from careshed.words import Lang, pick

_MOST: Final = 12
"""Units listed where one is not known."""

GIVEN: Final[Both] = ("使用者给出的分配依据", "key given by the user")


@dataclass(frozen=True)
class Breakdown:
    """A target shared out among units and years; every row, column and total closes exactly."""

    total: float
    decimals: int
    """Digits after the point that shares are rounded to."""
    key: pd.Series[float]
    """What the target was shared out by, index unit code."""
    key_from: Both
    """Where the key comes from; printed with every table."""
    added: pd.DataFrame
    """Index ``unit_id``, one column a year (or ``target`` where there are no years): what each year adds."""
    fixed: tuple[str, ...] = ()
    """Units whose target was set by hand."""
    names: Mapping[str, str] | None = None
    parent: pd.Series[str] | None = None
    """Unit above each, where a target already broken down was shared out further."""
    of_what: Both = ("", "")
    """What is shared out."""
    notes: tuple[Both, ...] = ()
    above: Breakdown | None = None
    """What was shared out further; its units stand as subtotals above theirs."""

    @property
    def subtotals(self) -> tuple[str, ...]:
        """List the units of the levels above, whose targets were shared out further."""
        return () if self.above is None else (*self.above.subtotals, *self.above.key.index.astype(str))

    @property
    def targets(self) -> pd.Series[float]:
        """Give the target of every unit over all years; they add up to `total`."""
        return self._rounded(self.added.sum(axis=1))

    @property
    def cumulative(self) -> pd.DataFrame:
        """Give what every unit must have reached by the end of each year; it never falls."""
        return self.added.cumsum(axis=1).round(self.decimals)

    def _rounded(self, values: pd.Series[float]) -> pd.Series[float]:
        return values.round(self.decimals)

    def table(self, lang: Lang = "zh") -> pd.DataFrame:
        """Lay the targets out for planners: name, key, share of the key, each year, total.

        Every unit of a level above stands before its own units, as their subtotal; the last row is the sum.
        """
        table, last = self._laid_out(lang), self._lines().sum().round(max(self.decimals, 6))
        table.loc[ALL] = {"name": pick(lang, "合计", "Total"), **last}
        return table

    def _lines(self) -> pd.DataFrame:
        """Give the figures of the finest units."""
        table = pd.DataFrame({"key": self.key.to_numpy()}, self.key.index)
        table["key_share"] = table["key"] / (float(self.key.sum()) or 1.0)
        for column in self.added:
            table[str(column)] = self.added[column]
        table["total"] = self.targets
        return table

    def _laid_out(self, lang: Lang) -> pd.DataFrame:
        """Lay out the units, each level above as subtotals."""
        known, table = self.names or {}, self._lines()
        table.insert(0, "name", [known.get(str(code), str(code)) for code in table.index])
        if self.above is None or self.parent is None:
            return table
        upper, parts = self.above._laid_out(lang), []
        for code in upper.index:
            row = upper.loc[[code]]
            if code in self.above.key.index:
                row = row.assign(name=row["name"] + pick(lang, "小计", " (subtotal)"))
            parts += [row, table[(self.parent == code).to_numpy()]]
        laid_out: pd.DataFrame = pd.concat([part for part in parts if len(part)]).rename_axis(table.index.name)
        return laid_out

    def told(self, lang: Lang = "zh") -> tuple[str, ...]:
        """Say what was shared out, by what key, and how it was rounded."""
        what, total = pick(lang, *self.of_what), f"{self.total:,.{self.decimals}f}"
        head = pick(lang, f"分解总量：{what} {total}".replace("： ", "："), f"Shared out: {total} {what}".rstrip())
        key = pick(lang, f"分配依据：{self.key_from[0]}", f"Key: {self.key_from[1]}")
        how = pick(lang, "取整：最大余数法，各行、各列与合计均闭合", "Rounding: largest remainder; rows, columns and total close")
        return (head, key, how, *(pick(lang, *note) for note in self.notes))


def break_down(
    total: float,
    key: pd.Series[float],
    *,
    years: Mapping[int, float] | None = None,
    cumulative: bool = False,
    fixed: Mapping[str, float] | None = None,
    decimals: int = 0,
    key_from: Both = GIVEN,
    names: Mapping[str, str] | None = None,
) -> Breakdown:
    """Share a target out among units, and among the years of the plan, so that all sums close.

    Units get the target in proportion to the key, rounded by largest remainders (Hamilton 1792; of equal remainders the earlier
    unit). With years, every cell lies as near its exact share as closing rows and columns allow (least squares over whole
    steps), so that cumulative targets never fall.

    Parameters
    ----------
    total
        The target, at least 0.
    key
        Index unit code: people of a group, people not covered, or the planner's own weights; at least 0.
    years
        Year -> what that year adds; the years add up to `total`.
    cumulative
        Whether `years` holds what must be reached by each year instead; the last is `total`.
    fixed
        Unit -> target set by hand; the rest is shared out among the others.
    decimals
        Digits after the point to round to; negative for tens, hundreds.
    key_from
        Where the key comes from, Chinese and English; printed.

    Raises
    ------
    careshed.schema.InputError
        With every fault of total, key, years and fixed targets.

    Examples
    --------
    >>> key = pd.Series({"a": 500.0, "b": 300.0, "c": 200.0})
    >>> break_down(7, key).targets.tolist()
    [4.0, 2.0, 1.0]
    >>> break_down(7, key, years={2024: 3, 2025: 4}).added.to_numpy().tolist()
    [[2.0, 2.0], [1.0, 1.0], [0.0, 1.0]]
    """
    fixed = dict(fixed or {})
    faults = _faults(total, key, years, cumulative, fixed, decimals, key_from)
    if faults:
        raise InputError(faults)
    steps = _steps(total, decimals)
    by_year = _added_by_year(years, cumulative, decimals) or {"target": steps}
    exact = _shares(steps, key, {unit: _steps(value, decimals) for unit, value in fixed.items()})
    cells = _closed(exact, hamilton(exact), list(by_year.values()), steps)
    added = _frame(cells, key.index, list(by_year), decimals)
    zero = [str(code) for code, weight in key.items() if weight == 0 and code not in fixed]
    notes: tuple[Both, ...] = ()
    if zero:
        notes = ((f"依据为 0，不分配：{'、'.join(zero)}", f"key 0, nothing shared out to: {', '.join(zero)}"),)
    return Breakdown(float(total), decimals, key.astype(float), key_from, added, tuple(fixed), names, notes=notes)


def break_down_further(
    above: Breakdown,
    key: pd.Series[float],
    parent: pd.Series[str],
    *,
    key_from: Both = GIVEN,
    names: Mapping[str, str] | None = None,
) -> Breakdown:
    """Share every unit's target out among the units below it: what counties got to their streets, year by year.

    Parameters
    ----------
    key
        Index code of the finer unit.
    parent
        Finer unit -> unit of `above`.

    Raises
    ------
    careshed.schema.InputError
        If a unit with a target has nobody below it to give it to, or the key has faults.

    Examples
    --------
    >>> city = break_down(5, pd.Series({"A": 3.0, "B": 2.0}))
    >>> below = pd.Series({"a1": "A", "a2": "A", "b1": "B"})
    >>> parts = break_down_further(city, pd.Series({"a1": 1.0, "a2": 2.0, "b1": 9.0}), below)
    >>> parts.targets.to_dict()
    {'a1': 1.0, 'a2': 2.0, 'b1': 2.0}
    """
    home = parent.reindex(key.index)
    orphans = [str(code) for code in key.index[~home.isin(above.key.index)]]
    strange = ("所属上级不在上一级分解中", "the unit above is not among those broken down")
    faults = [_fault(key_from, "no_parent", strange, found=code) for code in orphans]
    targets = above.targets
    empty = [str(code) for code in above.key.index if targets[code] > 0 and not key[home == code].sum() > 0]
    told = ("有任务但下级依据为零或缺失，无法分解", "has a target but no unit below it with a key")
    cure = ("请补充下级单元的依据，或在 fixed 中指定。", "Add the key of the units below it.")
    faults += [_fault(key_from, "nobody_below", told, cure, code) for code in empty]
    faults += _key_faults(key, key_from)
    if faults:
        raise InputError(faults)
    parts = []
    for code in above.key.index[targets > 0]:
        own = (
            {int(year): float(value) for year, value in above.added.loc[code].items()}
            if above.added.columns[0] != "target"
            else None
        )
        parts.append(break_down(float(targets[code]), key[home == code], years=own, decimals=above.decimals).added)
    added = pd.concat(parts) if parts else pd.DataFrame(columns=above.added.columns, dtype=float)
    added = added.reindex(key.index).fillna(0.0).rename_axis("unit_id")
    said, weights = (above.of_what, above.notes, above), key.astype(float)
    return Breakdown(above.total, above.decimals, weights, key_from, added, above.fixed, names, home, *said)


def hamilton(exact: Sequence[Fraction]) -> list[int]:
    """Round shares to whole numbers with the same sum: down, then one more to the largest remainders, the earlier first.

    >>> hamilton([Fraction(5, 2), Fraction(5, 2), Fraction(1)])
    [3, 2, 1]
    """
    down = [math.floor(one) for one in exact]
    order = sorted(range(len(exact)), key=lambda at: (down[at] - exact[at], at))
    for at in order[: round(sum(exact)) - sum(down)]:
        down[at] += 1
    return down


def _steps(value: float, decimals: int) -> int:
    return round(Fraction(str(value)) * Fraction(10) ** decimals)


def _whole(value: float, decimals: int) -> bool:
    return math.isfinite(value) and (Fraction(str(value)) * Fraction(10) ** decimals).denominator == 1


def _shares(steps: int, key: pd.Series[float], fixed: Mapping[str, int]) -> list[Fraction]:
    """Give the exact share of every unit."""
    weights = {str(code): Fraction(float(weight)) for code, weight in key.items()}
    rest = steps - sum(fixed.values())
    whole = sum(weight for code, weight in weights.items() if code not in fixed) or Fraction(1)
    return [Fraction(fixed[code]) if code in fixed else rest * weight / whole for code, weight in weights.items()]


def _added_by_year(years: Mapping[int, float] | None, cumulative: bool, decimals: int) -> dict[int | str, int]:
    """Give what each year adds, in whole steps."""
    if years is None:
        return {}
    order = sorted(years)
    reached = [_steps(years[year], decimals) for year in order]
    before = [0, *reached[:-1]] if cumulative else [0] * len(reached)
    return {year: now - was for year, now, was in zip(order, reached, before, strict=True)}


def _frame(cells: NDArray[np.int64], index: pd.Index[str], columns: list[int | str], decimals: int) -> pd.DataFrame:
    values = cells / 10**decimals if decimals >= 0 else cells * 10.0**-decimals
    return pd.DataFrame(values, index=pd.Index(index, name="unit_id"), columns=columns, dtype=float)


def _closed(exact: Sequence[Fraction], rows: Sequence[int], columns: Sequence[int], steps: int) -> NDArray[np.int64]:
    """Fill a table of whole numbers with given row and column sums as near its exact shares as can be.

    Every cell starts rounded down; what is missing is added one by one along the cheapest path (row to column to row …), which
    keeps the sum of squared deviations least (successive shortest paths for convex costs; Ahuja, Magnanti, Orlin 1993, 14.5).
    """
    share = [Fraction(one, steps) if steps else Fraction(0) for one in columns]
    down = np.array([[math.floor(row * part) for part in share] for row in exact], dtype=np.int64)
    above = np.array(
        [
            [float(row * part - floor) for part, floor in zip(share, own, strict=True)]
            for row, own in zip(exact, down, strict=True)
        ]
    )
    cells = down.copy()
    rows_left = np.array(rows, dtype=np.int64) - down.sum(axis=1)
    columns_left = np.array(columns, dtype=np.int64) - down.sum(axis=0)
    while rows_left.any():
        off = (cells - down) - above
        _push(cells, rows_left, columns_left, 2 * off + 1, 1 - 2 * off)
    return cells


def _push(
    cells: NDArray[np.int64],
    rows_left: NDArray[np.int64],
    columns_left: NDArray[np.int64],
    more: NDArray[np.float64],
    less: NDArray[np.float64],
) -> None:
    """Add one along the cheapest path from a row that lacks to a column that lacks; `more`, `less`: cost of a step."""
    count = cells.shape[1]
    start = np.where((rows_left > 0)[:, None], more, np.inf)
    cost, first = start.min(axis=0), start.argmin(axis=0)
    over = np.where((cells > 0)[:, :, None], less[:, :, None] + more[:, None, :], np.inf)
    hop, via = over.min(axis=0), over.argmin(axis=0)
    came = np.full(count, -1)
    for _ in range(count - 1):
        through = cost[:, None] + hop
        best, who = through.min(axis=0), through.argmin(axis=0)
        better = best < cost - 1e-12
        if not better.any():
            break
        cost, came = np.where(better, best, cost), np.where(better, who, came)
    at = int(np.where(columns_left > 0, cost, np.inf).argmin())
    columns_left[at] -= 1
    while came[at] >= 0:
        back = int(came[at])
        cells[via[back, at], at] += 1
        cells[via[back, at], back] -= 1
        at = back
    cells[first[at], at] += 1
    rows_left[first[at]] -= 1


def _fault(key_from: Both, code: str, told: Both, cure: Both = ("", ""), found: str = "") -> Fault:
    return Fault(code, f"{key_from[0]} / {key_from[1]}", *told, *cure, found=found)


def _key_faults(key: pd.Series[float], key_from: Both) -> list[Fault]:
    faults = []
    fill = ("请补全；确为零则填 0。", "Fill it in; write 0 where it is zero.")
    for code, weight in key.items():
        if not math.isfinite(weight):
            faults.append(_fault(key_from, "key_missing", ("该单元缺少依据", "this unit has no key"), fill, str(code)))
        elif weight < 0:
            told = (f"依据为负数（{weight:g}）", f"its key is negative ({weight:g})")
            faults.append(_fault(key_from, "key_negative", told, ("请改为 0 或正数。", "Write 0 or more."), str(code)))
    twice = [str(code) for code in key.index[key.index.duplicated()]]
    faults += [_fault(key_from, "unit_twice", ("单元重复", "the unit occurs twice"), found=code) for code in twice]
    return faults


def _faults(
    total: float, key: pd.Series[float], years: Mapping[int, float] | None, cumulative: bool, fixed: Mapping[str, float],
    decimals: int, key_from: Both,
) -> list[Fault]:  # fmt: skip
    faults = _key_faults(key, key_from)
    step = f"{10.0**-decimals:g}"
    numbers = {"total": total} | {f"years {year}": value for year, value in (years or {}).items()}
    for where, value in (numbers | {f"fixed {unit}": value for unit, value in fixed.items()}).items():
        if not value >= 0 or not _whole(value, decimals):
            told = (f"{where} 应为不小于 0 的 {step} 的整数倍", f"{where} must be at least 0 and a multiple of {step}")
            cure = ("请改正，或调整小数位数 decimals。", "Correct it, or change decimals.")
            faults.append(_fault(key_from, "not_a_target", told, cure, f"{value:g}"))
    known = [str(code) for code in key.index]
    for unit in fixed:
        if unit not in known:
            near, some = nearest(unit, known), known[:_MOST]
            hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
            cure = (f"{hint[0]}可用：{'、'.join(some)}", f"{hint[1]}Known: {', '.join(some)}")
            faults.append(
                _fault(key_from, "unknown_unit", ("指定的单元不在依据中", "a fixed unit is not in the key"), cure, unit)
            )
    if faults:
        return faults
    return _sum_faults(total, key, years, cumulative, fixed, key_from)


def _sum_faults(
    total: float,
    key: pd.Series[float],
    years: Mapping[int, float] | None,
    cumulative: bool,
    fixed: Mapping[str, float],
    key_from: Both,
) -> list[Fault]:
    faults, given = [], math.fsum(fixed.values())
    free = key[[str(code) not in fixed for code in key.index]]
    if given > total:
        told = (f"指定值合计 {given:g} 超过总量 {total:g}", f"the fixed targets add up to {given:g}, more than {total:g}")
        faults.append(_fault(key_from, "fixed_over", told, ("请调低指定值。", "Lower them.")))
    elif total > given and not free.sum() > 0:
        told = ("依据合计为零，无法分配", "the key adds up to 0, so nothing can be shared out")
        faults.append(_fault(key_from, "key_zero", told, ("请换用其他依据。", "Use another key.")))
    if years is None:
        return faults
    order = sorted(years)
    if cumulative and any(years[later] < years[now] for now, later in zip(order, order[1:], strict=False)):
        told = ("分年度累计目标下降", "the cumulative targets fall from one year to the next")
        faults.append(_fault(key_from, "years_fall", told, ("请核对各年数值。", "Check the years.")))
    reached = years[order[-1]] if cumulative and order else math.fsum(years.values())
    if abs(reached - total) > 1e-9 * max(1.0, abs(total)):
        told = (f"各年合计 {reached:g}，与总量 {total:g} 不符", f"the years make {reached:g}, not the total {total:g}")
        cure = ("请以其中之一为准：改总量或改各年。", "Choose one of them: change the total or the years.")
        faults.append(_fault(key_from, "years_differ", told, cure))
    return faults
