"""Keep the account of people: how many of each group before and after every step, so that nobody is lost on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.intake.units.placing import above
from careshed.schema import Fault
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

KEPT: Final = 1e-9
"""A total is kept if it differs by at most this share of itself: rounding of sums, less than a person in a billion."""

NO_GROUP: Final = ("geometry", "unit", "row", "col", "code", "name")
"""Columns of tables of people that count nobody."""


@dataclass(frozen=True)
class Step:
    """One step that people went through, with their number before and after it."""

    zh: str
    en: str
    before: Mapping[str, float]
    """People by group."""
    after: Mapping[str, float]


@dataclass(frozen=True)
class Ledger:
    """The steps so far, in order."""

    steps: tuple[Step, ...] = ()

    def add(self, words: tuple[str, str], before: pd.DataFrame, after: pd.DataFrame, *, keeps: Sequence[str] = ()) -> Ledger:
        """Enter a step from the tables before and after it.

        Parameters
        ----------
        words
            What the step does, in Chinese and in English.
        keeps
            Groups whose total the step must keep (`KEPT`).

        Raises
        ------
        ArithmeticError
            If a total that must be kept is not; that is a fault of the program, not of the input.
        """
        step = Step(*words, people_of(before), people_of(after))
        for group in keeps:
            if not kept(step.before[group], step.after[group]):
                raise ArithmeticError(f"{words[1]}: {group} went from {step.before[group]!r} to {step.after[group]!r}")
        return Ledger((*self.steps, step))

    def __add__(self, other: Ledger) -> Ledger:
        return Ledger((*self.steps, *other.steps))

    def table(self, lang: Lang = "zh") -> pd.DataFrame:
        """Lay the account out: one row a step and group, with people before, after and the change."""
        rows = [
            (pick(lang, step.zh, step.en), group, step.before.get(group, 0.0), people, people - step.before.get(group, 0.0))
            for step in self.steps
            for group, people in step.after.items()
        ]
        return pd.DataFrame(rows, columns=["step", "group", "before", "after", "change"])

    def text(self, lang: Lang = "zh") -> str:
        """Tell the account, one line a step and group.

        >>> one, two = pd.DataFrame({"p60": [3.0]}), pd.DataFrame({"p60": [1.0, 2.0]})
        >>> print(Ledger().add(("细分", "refined"), one, two, keeps=["p60"]).text("en"))
        refined: people aged 60+ 3.0 -> 3.0 (kept)
        """
        lines = []
        for step in self.steps:
            name = pick(lang, f"{step.zh}：", f"{step.en}: ")
            for group, people in step.after.items():
                lines.append(f"{name}{group_name(group, lang)} {_change(step.before.get(group), people, lang)}")
        return "\n".join(lines)


def _change(before: float | None, after: float, lang: Lang) -> str:
    arrow = pick(lang, "→", "->")
    if before is None:
        return f"{arrow} {after:,.1f}{pick(lang, '（新增）', ' (new)')}"
    same = kept(before, after)
    told = pick(lang, "（不变）", " (kept)") if same else pick(lang, f"（{after - before:+,.1f}）", f" ({after - before:+,.1f})")
    return f"{before:,.1f} {arrow} {after:,.1f}{told}"


def kept(before: float, after: float) -> bool:
    """Tell whether a total is the same but for rounding.

    >>> kept(1e6, 1e6 + 1e-4), kept(1e6, 1e6 + 1)
    (True, False)
    """
    return abs(after - before) <= KEPT * max(1.0, abs(before))


def groups_in(people: pd.DataFrame) -> list[str]:
    """List the columns that count people."""
    numeric = people.columns[[pd.api.types.is_numeric_dtype(kind) for kind in people.dtypes]]
    return [str(name) for name in numeric if name not in NO_GROUP]


def people_of(people: pd.DataFrame) -> dict[str, float]:
    """Add up every group exactly."""
    return {group: math.fsum(people[group].to_numpy(dtype=float)) for group in groups_in(people)}


def unit_rows(cells: pd.DataFrame, codes: Sequence[str], units: GeoDataFrame | None = None) -> NDArray[np.int64]:
    """Find for every cell which of the units `codes` it counts in, −1 for none.

    Parameters
    ----------
    units
        The units with their ``parent``, so that figures of a township reach the cells of its villages.
    """
    position = {str(code): at for at, code in enumerate(codes)}
    parents = {} if units is None else dict(zip(units.index.astype(str), units["parent"].astype(str), strict=True))
    finest, which = np.unique(cells["unit"].astype(str).to_numpy(dtype=str), return_inverse=True)
    found = [next((position[each] for each in (str(c), *above(str(c), parents)) if each in position), -1) for c in finest]
    return np.array(found, dtype=np.int64)[which]


def nested_noted(codes: Sequence[str], units: GeoDataFrame | None, file: str = "") -> list[Fault]:
    """Say which units of a table stand beside units in them: such a row counts for the rest of its unit, not for all of it.

    A table that lists a township and its villages would count the villages twice where the township's row is their sum.
    """
    if units is None:
        return []
    parents = dict(zip(units.index.astype(str), units["parent"].astype(str), strict=True))
    listed = {str(code) for code in codes}
    within = {code: [one for one in above(code, parents) if one in listed] for code in sorted(listed)}
    faults = []
    for upper in dict.fromkeys(one for found in within.values() for one in found):
        held = [code for code, found in within.items() if upper in found]
        zh = f"单元 {upper} 与其所含的 {len(held)} 个单元（如 {held[0]}）同列：该行只作为其余部分的人数"
        en = f"unit {upper} stands beside {len(held)} unit(s) in it (such as {held[0]}): its row counts for the rest of it"
        cure = ("若该行是合计，请删去。", "Delete the row if it is a sum.")
        faults.append(Fault("nested_units", file, zh, en, *cure, severity="noted"))
    return faults


def sums_by(rows: NDArray[np.int64], values: NDArray[np.float64], units: int) -> NDArray[np.float64]:
    """Add up the rows of a table by unit, shape (units, columns); rows of −1 count nowhere."""
    inside = rows >= 0
    columns = [np.bincount(rows[inside], weights=column[inside], minlength=units) for column in values.T]
    return np.stack(columns, axis=1) if columns else np.zeros((units, 0))
