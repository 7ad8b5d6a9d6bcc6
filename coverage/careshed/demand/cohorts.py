"""Follow every unit's people through the years: they grow a year older, some die, children are born, people move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.demand.spans import OPEN, AgeSpan, bands_of, check_classes, span_of

Float = NDArray[np.float64]


@dataclass(frozen=True)
class CohortModel:
    """A cohort-component model by single years of age, both sexes together.

    Each year, in this order: those alive grow a year older and survive by age; of the year's births, `newborn_survival` are
    alive at its end; then people move in or out. Nobody is lost: end = start + births − deaths + moves.
    """

    people: pd.DataFrame
    """People at the base year, index unit codes, columns ages 0, 1, … A; the last is A and over."""
    survival: Float
    """Chance of living another year by completed age, shape (ages,)."""
    births_per_person: Float
    """Births a year per person of each age (both sexes counted), shape (ages,)."""
    newborn_survival: float = 1.0
    """Share of the year's births alive at its end."""
    moves: pd.DataFrame | None = None
    """People who move in (or out, negative) a year by unit and age, as `people`; None for none."""

    @property
    def codes(self) -> Sequence[str]:
        return [str(code) for code in self.people.index]

    def targets(self, now: pd.DataFrame, base_year: int, year: int) -> pd.DataFrame:
        """Grow the bands of the cells' groups like the model's: the cells' own numbers stay the base."""
        names = [str(group) for group in now.columns]
        bands = bands_of(names)
        people = follow(self, year - base_year).people
        own, start, end = (
            bands.split(table.to_numpy()) for table in (now, self.groups(self.people, names), self.groups(people, names))
        )
        known = start.sum(axis=1, keepdims=True)
        scale = np.divide(own.sum(axis=1, keepdims=True), known, out=np.ones_like(known), where=known > 0)
        factor = np.divide(end, start, out=np.zeros_like(end), where=start > 0)
        grown = np.where(start > 0, own * factor, end * scale)
        return pd.DataFrame(bands.join(grown), index=now.index, columns=now.columns)

    def groups(self, people: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
        """Add up single years of age to groups of the study.

        Raises
        ------
        ValueError
            If a group begins above the open age, so that nobody knows its people.
        """
        last = people.shape[1] - 1
        spans = [AgeSpan(float(age), float(age + 1) if age < last else OPEN) for age in range(last + 1)]
        shares = np.array([[span.share_in(span_of(group)) for group in groups] for span in spans])
        return pd.DataFrame(people.to_numpy(dtype=float) @ shares, index=people.index, columns=list(groups))


@dataclass(frozen=True)
class Followed:
    """People of every unit after some years, and what happened in between."""

    people: pd.DataFrame
    """As `CohortModel.people`."""
    account: pd.DataFrame
    """Index unit codes; ``start``, ``births``, ``deaths``, ``moves``, ``end``: people, end = start + births − deaths + moves."""


def follow(model: CohortModel, years: int) -> Followed:
    """Follow the people of every unit through a number of years.

    Raises
    ------
    ValueError
        If a rate is out of range, shapes differ, or more people move out of an age than live there.

    >>> model = CohortModel(pd.DataFrame([[0.0, 0.0, 100.0]], index=["a"]), np.array([1.0, 1.0, 0.9]), np.array([0.0, 0.0, 0.02]))
    >>> follow(model, 1).people.to_numpy().round(6).tolist(), follow(model, 1).account.loc["a", "deaths"].round(6)
    ([[2.0, 0.0, 90.0]], np.float64(10.0))
    """
    _check(model, years)
    people = model.people.to_numpy(dtype=np.float64)
    moves = np.zeros_like(people) if model.moves is None else model.moves.reindex(model.people.index).to_numpy(dtype=np.float64)
    start, born, died, moved = (people.sum(axis=1), *(np.zeros(len(people)) for _ in range(3)))
    for year in range(years):
        births = people @ model.births_per_person
        alive = people * model.survival
        older = np.zeros_like(people)
        older[:, 1:] = alive[:, :-1]
        older[:, -1] += alive[:, -1]
        older[:, 0] = births * model.newborn_survival
        died += (people - alive).sum(axis=1) + births * (1.0 - model.newborn_survival)
        born, moved, people = born + births, moved + moves.sum(axis=1), older + moves
        short = np.argwhere(people < 0)
        if len(short):
            unit, age = model.people.index[int(short[0][0])], int(short[0][1])
            raise ValueError(f"year {year + 1}, unit {unit}: more people of age {age} move out than live there")
    columns = {"start": start, "births": born, "deaths": died, "moves": moved, "end": people.sum(axis=1)}
    index = model.people.index
    return Followed(pd.DataFrame(people, index=index, columns=model.people.columns), pd.DataFrame(columns, index=index))


def _check(model: CohortModel, years: int) -> None:
    ages = model.people.shape[1]
    wrong = []
    if years < 0:
        wrong.append(f"the year lies {-years} year(s) before the base year")
    for name, rate in (("survival", model.survival), ("births_per_person", model.births_per_person)):
        if rate.shape != (ages,):
            wrong.append(f"{name} has {rate.size} ages, the people {ages}")
        elif not ((rate >= 0) & (rate <= 1)).all():
            wrong.append(f"{name} must be between 0 and 1")
    if not 0 <= model.newborn_survival <= 1:
        wrong.append("newborn_survival must be between 0 and 1")
    if not (model.people.to_numpy(dtype=float) >= 0).all():
        wrong.append("people must be 0 or more, with none missing")
    if model.moves is not None and not (
        model.moves.shape == model.people.shape and set(model.moves.index) == set(model.people.index)
    ):
        wrong.append("moves must have the units and ages of the people")
    if wrong:
        raise ValueError("the cohort model cannot run: " + "; ".join(wrong))


def single_years(table: pd.DataFrame, classes: Mapping[str, AgeSpan]) -> pd.DataFrame:
    """Split people by age class evenly into single years of age; the open class stays the last column.

    >>> single_years(pd.DataFrame({"0-1": [4.0], "2+": [9.0]}), {"0-1": AgeSpan(0, 2), "2+": AgeSpan(2, OPEN)}).loc[0].tolist()
    [2.0, 2.0, 9.0]

    Raises
    ------
    ValueError
        If classes overlap or leave ages out, or none is open.
    """
    check_classes(classes.values(), ["total"])
    last = int(max(span.low for span in classes.values()))
    years = {
        age: table[name] / (1.0 if span.high == OPEN else span.high - span.low)
        for name, span in classes.items()
        for age in range(int(span.low), last + 1 if span.high == OPEN else int(span.high))
    }
    return pd.DataFrame({age: years[age] for age in range(last + 1)}, index=table.index)


def children_from_births(births: pd.DataFrame, *, year: int, under: int = 3, survival: Sequence[float] = ()) -> pd.Series[float]:
    """Count the children under an age at the end of a year from the births of the years before.

    Parameters
    ----------
    births
        Births by unit (index) and year (columns).
    under
        Age not yet reached: 3 for ``p0_3``.
    survival
        Share of the births of this year, of last year, … who are alive at the end of `year`; left out, all are.

    Raises
    ------
    ValueError
        If births of a year are missing or negative.

    >>> children_from_births(pd.DataFrame({2023: [10], 2024: [9], 2025: [8]}, index=["a"]), year=2025).tolist()
    [27.0]
    """
    needed = [year - back for back in range(under)]
    missing = [each for each in needed if each not in births.columns]
    if missing:
        raise ValueError(f"births of {', '.join(map(str, missing))} are not stated; {needed[-1]} to {year} are needed")
    alive = np.array([*survival, *[1.0] * under][:under])
    values = births[needed].to_numpy(dtype=np.float64)
    if not (values >= 0).all():
        raise ValueError("births must be 0 or more, with none missing")
    return pd.Series(values @ alive, index=births.index, name=f"p0_{under}")
