"""Bring people on cells to what a census says of every unit and age, keeping the pattern of the cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.demand.ages import People
from careshed.demand.fitting import AGREE, Fit, fit_margins, margin_table
from careshed.demand.ledger import Ledger, nested_noted, sums_by, unit_rows
from careshed.demand.matching import unit_labels
from careshed.demand.spans import Bands, banded, bands_of
from careshed.schema import Fault
from careshed.settings.demand import Differ

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Calibrated(People):
    """People brought to a census, and the proof of the fit."""

    fit: Fit | None = None


def fit_ages(
    cells: GeoDataFrame,
    margins: pd.DataFrame,
    *,
    units: GeoDataFrame | None = None,
    differ: Differ = "error",
    file: str = "",
) -> Calibrated:
    """Give every cell its age groups so that each unit has the people that the census states of each group.

    What the cells know already is the pattern: their ``total``, and any of the groups they hold. A group they do not hold follows
    the unit's own share. Cells' totals are kept (or scaled once by unit, see `differ`).

    Parameters
    ----------
    cells
        With ``total`` and ``unit``.
    margins
        People by unit (index: code) and group (columns: ``total``, ``p0_3``, ``p60``, …). Without ``total`` the cells' own holds.
    units
        The units with their ``parent``, where `margins` are of larger units than those the cells name.
    differ
        What holds where the total of a unit and that of its cells differ; either way it is said.

    Returns
    -------
    Calibrated
        Cells with the groups of `margins`. Cells in no unit of `margins` keep the ages they know, else get the shares of the
        whole table; that is said too.

    Raises
    ------
    careshed.schema.InputError
        If totals differ and `differ` is ``"error"`` (both are told), groups contradict each other, or nobody lives where people
        are stated.

    >>> import geopandas as gpd
    >>> people = {"total": [30.0, 10.0], "unit": ["a", "a"]}
    >>> cells = gpd.GeoDataFrame(people, geometry=gpd.points_from_xy([0, 1], [0, 0]), crs="EPSG:32651")
    >>> fit_ages(cells, pd.DataFrame({"p60": [8.0]}, index=["a"])).cells["p60"].tolist()
    [6.0, 2.0]
    """
    groups = ["total", *(str(group) for group in margins.columns if group != "total")]
    bands = bands_of(groups)
    rows = unit_rows(cells, [str(code) for code in margins.index], units)
    total = cells["total"].to_numpy(dtype=np.float64)
    by_cells = sums_by(rows, total[:, None], len(margins))[:, 0]
    stated = margin_table(margins)
    whole = stated[:, list(margins.columns).index("total")] if "total" in margins.columns else by_cells
    table = pd.DataFrame(stated, index=margins.index, columns=margins.columns).assign(total=whole)[groups]
    labels = unit_labels(table.index, units)
    wanted = banded(table.set_axis(labels, axis=0), bands, file=file)
    noted, total, wanted = _settled(labels, whole, by_cells, rows, total, wanted, differ, file)
    inside = rows >= 0
    seed = _seed(cells, bands, groups, total, wanted, rows)
    fit = fit_margins(
        seed[inside],
        rows[inside],
        wanted,
        total[inside],
        names=(labels, list(bands.ages)),
        file=file,
    )
    people = np.where(inside[:, None], 0.0, seed)
    people[inside] = fit.people
    made = bands.join(people)
    result = cells.assign(**{group: made[:, at] for at, group in enumerate(groups)})
    noted += _near(fit, file)
    noted += nested_noted([str(code) for code in margins.index], units, file)
    noted += _outside(total[~inside], file, own=any(group in cells for group in groups[1:]))
    words = ("按单元和年龄配平", "fitted to unit and age")
    kept = [] if differ == "margins" else ["total"]
    return Calibrated(result, Ledger().add(words, cells, result, keeps=kept), tuple(noted), fit)


def _settled(
    codes: list[str], whole: Float, by_cells: Float, rows: Int, total: Float, wanted: Float, differ: Differ, file: str
) -> tuple[list[Fault], Float, Float]:
    """Scale cells or margins where their totals differ and the study says which holds; say by how much."""
    apart = np.abs(whole - by_cells) > AGREE * np.maximum(1.0, whole)
    if differ == "error" or not apart.any():
        return [], total, wanted
    faults = []
    for at in np.flatnonzero(apart).tolist():
        zh = f"单元 {codes[at]}：年龄表合计 {whole[at]:,.1f} 人，单元格合计 {by_cells[at]:,.1f} 人，以{_HOLDS[differ][0]}为准"
        en = f"unit {codes[at]}: {whole[at]:,.1f} people by age, {by_cells[at]:,.1f} by cells; {_HOLDS[differ][1]} hold"
        people = abs(float(whole[at] - by_cells[at]))
        faults.append(Fault("margins_differ", file, zh, en, severity="repaired", people=people))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(by_cells > 0, whole / by_cells, 1.0)
        shrink = np.where(whole > 0, by_cells / whole, 0.0)
    if differ == "margins":
        return faults, np.where(rows >= 0, total * factor[rows], total), wanted
    return faults, total, wanted * shrink[:, None]


_HOLDS = {"margins": ("年龄表", "the ages"), "cells": ("单元格", "the cells")}


def _seed(cells: GeoDataFrame, bands: Bands, groups: list[str], total: Float, wanted: Float, rows: Int) -> Float:
    """Take the cells' own ages as the pattern where they hold them, else the shares of their unit, else those of all."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.nan_to_num(wanted / wanted.sum(axis=1, keepdims=True))
        overall = np.nan_to_num(wanted.sum(axis=0) / wanted.sum())
    by_share: Float = total[:, None] * np.where((rows >= 0)[:, None], shares[rows], overall)
    known = [group for group in groups if group in cells.columns]
    if len(known) < 2:
        return by_share
    own = bands_of(known)
    table = pd.DataFrame(cells[known]).set_axis(cells.index, axis=0)
    coarse = banded(table, own, what=("单元格", "cell"))
    inner = _held_by(bands, own, groups, known)
    finer = np.zeros_like(by_share)
    for at in range(coarse.shape[1]):
        mine = inner == at
        sums = by_share[:, mine].sum(axis=1, keepdims=True)
        even = np.full_like(by_share[:, mine], 1.0 / max(1, int(mine.sum())))
        parts = np.divide(by_share[:, mine], sums, out=even, where=sums > 0)
        finer[:, mine] = coarse[:, [at]] * parts
    return finer


def _held_by(bands: Bands, own: Bands, groups: list[str], known: list[str]) -> Int:
    """Find which of the coarser bands holds each band."""
    signs = bands.holds[[groups.index(group) for group in known]]
    return np.array([int(np.flatnonzero((own.holds == sign[:, None]).all(axis=0))[0]) for sign in signs.T], dtype=np.int64)


def _near(fit: Fit, file: str) -> list[Fault]:
    """Say where fitting stopped near the totals."""
    if fit.error <= _ROUNDING:
        return []
    zh = f"年龄配平使部分单元格的某一年龄趋于 0，已在单元格人数最多相差 {fit.error:.2g} 人处停止；单元的人数不变"
    en = f"ages of some cells tend to 0: fitting stopped with cells off by at most {fit.error:.2g} people; units are met"
    return [Fault("fit_near", file, zh, en, severity="noted", people=fit.error)]


_ROUNDING: Final = 1e-5
"""People: more than sums of floats of a province round off."""

_OWN_AGES: Final = ("保持自身年龄构成", "they keep their own ages")
_AGES_OF_ALL: Final = ("按全表平均年龄构成计", "they get the shares of all units")


def _outside(total: Float, file: str, *, own: bool) -> list[Fault]:
    people = float(total.sum())
    if not people:
        return []
    then = _OWN_AGES if own else _AGES_OF_ALL
    zh = f"{int((total > 0).sum())} 个单元格（{people:,.1f} 人）不在年龄表的任何单元内，{then[0]}"
    en = f"{int((total > 0).sum())} cell(s) ({people:,.1f} people) lie in no unit of the table; {then[1]}"
    return [Fault("cells_without_margin", file, zh, en, severity="noted", people=people)]
