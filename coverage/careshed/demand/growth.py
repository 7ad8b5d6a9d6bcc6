"""Project people to a year: by a stated rate, stated totals or a cohort model, with the pattern of the cells kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.demand.ages import People
from careshed.demand.fitting import margin_table
from careshed.demand.ledger import Ledger, groups_in, nested_noted, sums_by, unit_rows
from careshed.demand.refusing import refuse
from careshed.demand.spans import aged, banded, bands_of
from careshed.schema import Fault, InputError
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Float = NDArray[np.float64]
Int = NDArray[np.int64]

ALL: Final = "ALL"
"""Row of a table of rates or totals that holds for every unit, or for the whole area."""


@dataclass(frozen=True)
class Scenario:
    """A future as somebody states it; every output that rests on it names it."""

    zh: str
    en: str
    source: str
    """Who states the figures: a plan, a census bureau, an assumption."""
    year: int
    """End of this year."""
    base_year: int

    def text(self, lang: Lang = "zh") -> str:
        """Name the scenario as outputs do.

        >>> Scenario("中方案", "medium", "市统计局", 2030, 2025).text("en")
        'scenario medium, 2030 (from 2025; source: 市统计局)'
        """
        return pick(
            lang,
            f"情景“{self.zh}”，{self.year} 年（基年 {self.base_year}；来源：{self.source}）",
            f"scenario {self.en}, {self.year} (from {self.base_year}; source: {self.source})",
        )


class Growth(Protocol):
    """Anything that says how many people of each group every unit will have."""

    @property
    def codes(self) -> Sequence[str]:
        """Codes of the units it speaks of; `ALL` alone for the whole area."""
        ...

    def targets(self, now: pd.DataFrame, base_year: int, year: int) -> pd.DataFrame:
        """Give people by unit and group at the end of `year` from those `now`, index and columns the same."""
        ...


@dataclass(frozen=True)
class GrowthRate:
    """Growth by a stated rate a year, by group and unit."""

    rates: pd.DataFrame
    """Rate a year (0.02 is 2 % more each year), index unit codes or `ALL`, columns groups; a group that is missing grows like
    ``total``."""

    @property
    def codes(self) -> Sequence[str]:
        return [str(code) for code in self.rates.index]

    def targets(self, now: pd.DataFrame, base_year: int, year: int) -> pd.DataFrame:
        rates = _filled(self.rates, now, ("年增长率", "rate"))
        if not (rates.to_numpy(dtype=float) > -1).all():
            told = ("年增长率须大于 −1（−100 %）", "a rate of growth must be above −1 (−100 %) a year")
            raise refuse("bad_rate", told, ("2 % 请写 0.02。", "Write 0.02 for 2 %."))
        return now * (1.0 + rates) ** (year - base_year)


@dataclass(frozen=True)
class StatedTotals:
    """People stated for a year by group and unit; a group that is missing keeps its share of ``total``."""

    totals: Mapping[int, pd.DataFrame]
    """Year -> people, index unit codes or `ALL`, columns groups."""

    @property
    def codes(self) -> Sequence[str]:
        return [str(code) for code in next(iter(self.totals.values())).index]

    def of(self, year: int) -> StatedTotals:
        """Keep the figures of one year alone: each year may state other units. All of them where that year is not stated."""
        return StatedTotals({year: self.totals[year]}) if year in self.totals else self

    def targets(self, now: pd.DataFrame, base_year: int, year: int) -> pd.DataFrame:
        del base_year
        if year not in self.totals:
            listed = ", ".join(map(str, sorted(self.totals)))
            told = (f"没有 {year} 年的人口总数，只有 {listed} 年的", f"no totals are stated for {year}, only for {listed}")
            raise refuse("no_totals", told, ("请补充该年，或从 years 中删去。", "State them, or take the year out of years."))
        stated = self.totals[year].reindex(now.index)
        margin_table(stated)
        with np.errstate(divide="ignore", invalid="ignore"):
            factors = _filled((stated / now[list(stated.columns)]).fillna(1.0), now, ("人口总数", "number"))
        grown = now * factors.where(now > 0, 0.0)
        return grown.assign(**{str(group): stated[group] for group in stated.columns})


def _filled(factors: pd.DataFrame, now: pd.DataFrame, what: tuple[str, str]) -> pd.DataFrame:
    """Give every group of `now` a factor, that of ``total`` where it has none of its own."""
    missing = [group for group in now.columns if group not in factors.columns]
    if missing and "total" not in factors.columns:
        listed = ", ".join(map(str, missing))
        told = (f"没有给出 {listed} 的{what[0]}", f"no {what[1]} is stated for {listed}")
        raise refuse("nothing_stated", told, ("请补充，或给出 total 的。", "State one, or one for total."))
    columns = {str(group): factors[group if group in factors.columns else "total"] for group in now.columns}
    return pd.DataFrame(columns, index=factors.index).reindex(now.index)


@dataclass(frozen=True)
class Projected(People):
    """People of a future year, labelled with the scenario."""

    scenario: Scenario = field(default_factory=lambda: Scenario("", "", "", 0, 0))


def project_people(
    cells: GeoDataFrame,
    by: Growth,
    scenario: Scenario,
    *,
    units: GeoDataFrame | None = None,
) -> Projected:
    """Bring people to a future year; within every unit and age band each cell keeps its share.

    Parameters
    ----------
    cells
        People by group (nested groups such as total, p60, p65), with ``unit``.
    by
        `GrowthRate`, `StatedTotals` or `careshed.demand.cohorts.CohortModel`.
    units
        The units with their ``parent``, where `by` speaks of larger units than those the cells name.

    Returns
    -------
    Projected
        The cells with projected groups; columns that name no ages keep their share of the cell's people. Cells in no unit that
        `by` speaks of stay as they are, and are told.

    Raises
    ------
    careshed.schema.InputError
        If people are projected where nobody lives now (announce housing there), the groups contradict each other, or a year, a
        rate or a group is not stated.

    >>> import geopandas as gpd
    >>> cells = gpd.GeoDataFrame({"total": [100.0], "unit": ["a"]}, geometry=gpd.points_from_xy([0], [0]), crs="EPSG:32651")
    >>> rate = GrowthRate(pd.DataFrame({"total": [0.1]}, index=["ALL"]))
    >>> project_people(cells, rate, Scenario("高", "high", "假设", 2027, 2025)).cells["total"].round(6).tolist()
    [121.0]
    """
    groups, others = aged(groups_in(cells))
    bands = bands_of(groups)
    by = by.of(scenario.year) if isinstance(by, StatedTotals) else by
    codes = list(by.codes)
    rows = np.zeros(len(cells), dtype=np.int64) if codes == [ALL] else unit_rows(cells, codes, units)
    pattern = banded(pd.DataFrame(cells[groups]), bands, what=("单元格", "cell"))
    people = cells[groups].to_numpy(dtype=np.float64)
    now = pd.DataFrame(sums_by(rows, people, len(codes)), index=codes, columns=groups)
    wanted = banded(by.targets(now, scenario.base_year, scenario.year)[groups], bands)
    made, faults = _scaled(pattern, rows, wanted, codes)
    joined = bands.join(made)
    result = cells.assign(
        **{group: joined[:, at] for at, group in enumerate(groups)}, **_follow_total(cells, others, joined, groups)
    )
    words = (scenario.text("zh"), scenario.text("en"))
    faults += [] if codes == [ALL] else nested_noted(codes, units)
    faults += _unprojected(people[rows < 0, groups.index("total") if "total" in groups else 0], scenario)
    return Projected(result, Ledger().add(words, cells, result), tuple(faults), scenario)


def _follow_total(cells: GeoDataFrame, others: list[str], joined: Float, groups: list[str]) -> dict[str, Float]:
    """Let columns that name no ages (workers, disabled) keep their share of the first age group of their cell."""
    was, now = cells[groups[0]].to_numpy(dtype=np.float64), joined[:, 0]
    factor = np.divide(now, was, out=np.ones_like(now), where=was > 0)
    return {name: cells[name].to_numpy(dtype=np.float64) * factor for name in others}


def _scaled(pattern: Float, rows: Int, wanted: Float, codes: list[str]) -> tuple[Float, list[Fault]]:
    """Scale every band of every unit; a band that nobody is in now follows all people of the unit."""
    there = sums_by(rows, pattern, len(codes))
    factor = np.divide(wanted, there, out=np.zeros_like(wanted), where=there > 0)
    inside = rows >= 0
    made = np.where(inside[:, None], pattern * factor[rows], pattern)
    fresh = (wanted > 0) & (there <= 0)
    errors, noted = [], []
    for at in np.flatnonzero(fresh.any(axis=1)).tolist():
        people = float(wanted[at][fresh[at]].sum())
        all_there = float(there[at].sum())
        if all_there > 0:
            mine = rows == at
            made[mine] += pattern[mine].sum(axis=1, keepdims=True) / all_there * np.where(fresh[at], wanted[at], 0.0)
            zh, en = "现无该年龄组，按全部人口分布", "nobody of that age lives there now; they follow all residents"
            noted.append(
                Fault("pattern_of_all", "", f"单元 {codes[at]}：{zh}", f"unit {codes[at]}: {en}", severity="noted", people=people)
            )
        else:
            zh, en = f"预测有 {people:,.1f} 人而现无人居住", f"{people:,.1f} people are projected where nobody lives now"
            cure = ("请以规划住宅点给出新增人口。", "Give them as announced housing.")
            errors.append(
                Fault("nobody_to_scale", "", f"单元 {codes[at]}：{zh}", f"unit {codes[at]}: {en}", *cure, people=people)
            )
    if errors:
        raise InputError(errors)
    return made, noted


def _unprojected(people: Float, scenario: Scenario) -> list[Fault]:
    whole = float(people.sum())
    if not whole:
        return []
    zh = f"{len(people)} 个单元格（{whole:,.1f} 人）不在情景所列单元内，保持 {scenario.base_year} 年人数"
    en = f"{len(people)} cell(s) ({whole:,.1f} people) lie in no unit of the scenario and stay as in {scenario.base_year}"
    return [Fault("not_projected", "", zh, en, severity="noted", people=whole)]
