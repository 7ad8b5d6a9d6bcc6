"""Draw what the population might be instead: errors that neighbours share, and stated factors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from careshed.siting.scenarios.faults import refuse, wrong
from careshed.siting.scenarios.inputs import PopulationError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Floats = NDArray[np.float64]


def erring_cells(cells: GeoDataFrame, error: PopulationError, groups: Iterable[str]) -> GeoDataFrame:
    """Give the cells the people they might hold if the population is wrong in this way.

    All groups of a cell err by the same factor, which is log-normal with mean 1 and the relative standard error asked for. The
    draw of a cell depends on the seed and on the ids (of cells, or of blocks and units), not on the order of the rows.

    Raises
    ------
    careshed.schema.InputError
        If cells are to err by unit and have no column ``unit``, or a group or unit named is not there.

    Examples
    --------
    >>> import geopandas as gpd
    >>> cells = gpd.GeoDataFrame({"p60": [10.0, 20.0], "unit": ["a", "b"]}, geometry=gpd.points_from_xy([0, 1], [0, 0]))
    >>> erring_cells(cells, PopulationError(unit_factors=(("b", 1.5),)), ["p60"])["p60"].tolist()
    [10.0, 30.0]
    """
    names = list(dict.fromkeys(groups))
    _check(cells, error)
    factor = _drawn(cells, error)
    for code, times in error.unit_factors:
        factor = np.where(cells["unit"].astype(str) == code, factor * times, factor)
    own = dict(error.group_factors)
    return cells.assign(**{name: cells[name].to_numpy(dtype=np.float64) * factor * own.get(name, 1.0) for name in names})


def _check(cells: GeoDataFrame, error: PopulationError) -> None:
    by_unit = (error.relative_se and error.together == "unit") or error.unit_factors
    faults = []
    if by_unit and "unit" not in cells.columns:
        zh, en = "人口格网没有 unit 列，无法按单元设误差", "the cells have no column 'unit', so they cannot err by unit"
        faults.append(wrong("no_unit", zh, en, "请补充该列，或按街区设误差。", "Add it, or let blocks err together."))
    elif by_unit:
        known = set(cells["unit"].astype(str))
        for code, _ in error.unit_factors:
            if code not in known:
                faults.append(
                    wrong("unknown_unit", "人口系数所指单元没有格网", "a factor is for a unit with no cells", found=code)
                )
    for group, _ in error.group_factors:
        if group not in cells.columns:
            faults.append(
                wrong("unknown_group", "人口系数所指人群没有数据", "a factor is for a group with no column", found=group)
            )
    refuse(faults)


def _drawn(cells: GeoDataFrame, error: PopulationError) -> Floats:
    """Factor on each cell's people, mean 1, shape (cells,)."""
    if not error.relative_se:
        return np.ones(len(cells))
    rng = np.random.default_rng(error.seed)
    common = _normals(_blocks(cells, error), rng)
    single = _normals(np.argsort(np.argsort(cells.index.to_numpy(), kind="stable"), kind="stable"), rng)
    shared = 0.0 if error.together == "cell" else error.shared
    normal = np.sqrt(shared) * common + np.sqrt(1.0 - shared) * single
    sigma = np.sqrt(np.log1p(error.relative_se**2))
    return np.asarray(np.exp(sigma * normal - sigma**2 / 2))


def _normals(part: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    return rng.standard_normal(int(part.max(initial=-1)) + 1)[part]


def _blocks(cells: GeoDataFrame, error: PopulationError) -> NDArray[np.int64]:
    """Number of the block or unit of each cell, in the order of place or code."""
    if error.together == "unit":
        return np.unique(cells["unit"].astype(str).to_numpy(), return_inverse=True)[1].astype(np.int64)
    if error.together == "block":
        centres = cells.geometry
        corner = np.floor(np.column_stack([centres.x, centres.y]) / error.block_m).astype(np.int64)
        return np.unique(corner, axis=0, return_inverse=True)[1].astype(np.int64).ravel()
    return np.zeros(len(cells), dtype=np.int64)
