"""Set demand at work beside demand at home: some families look for childcare near the parents' workplace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

SAME_PLACE_M: Final = 1.0
"""Cells of one id may lie this far apart, metres: rounding of coordinates, not another grid."""


def combine_demand(
    home_cells: GeoDataFrame,
    work_cells: GeoDataFrame,
    share_at_work: float | pd.Series,
    *,
    group: str = "p0_3",
    workers: str = "workers",
) -> GeoDataFrame:
    """Split demand into a layer at home and a layer at work; their sum is the demand given, to the last person.

    Of the people of every home cell, `share_at_work` look for care near a workplace. Where the parents of one cell work is not
    known: all demand at work is spread in proportion to the workers of each work cell, whatever the distance from home.

    Parameters
    ----------
    home_cells
        Demand where it lives, column `group`.
    work_cells
        Workers where they work, column `workers`; cells of the same grid (ids), of which some may hold no residents.
    share_at_work
        Between 0 and 1: one number, or a Series by home cell.
    group
        The population group that is demand; the result holds the sum of both layers under this name.

    Returns
    -------
    GeoDataFrame
        The home cells in their order, then work cells that are no home cells; columns of the home cells, with `group` replaced
        by home and work demand together, and ``{group}_home`` and ``{group}_work``. On work cells that are no home cells other
        numbers are 0 and texts empty; their ``unit``, ``row`` and ``col`` are kept.

    Raises
    ------
    ValueError
        If columns are missing, a share is not between 0 and 1, nobody works although some demand is at work, or cells of one id
        lie at different places.

    Examples
    --------
    Ten children, three in ten cared for near work; of four workers three are in cell 1.

    >>> import geopandas as gpd
    >>> line = gpd.points_from_xy([0, 100], [0, 0])
    >>> home = gpd.GeoDataFrame({"p0_3": [10.0, 0.0]}, geometry=line, crs="EPSG:32651")
    >>> work = gpd.GeoDataFrame({"workers": [1.0, 3.0]}, geometry=line, crs="EPSG:32651")
    >>> combine_demand(home, work, 0.3)[["p0_3_home", "p0_3_work", "p0_3"]].round(2)
       p0_3_home  p0_3_work  p0_3
    0        7.0       0.75  7.75
    1        0.0       2.25  2.25
    """
    share = _shares(home_cells, share_at_work)
    _check(home_cells, work_cells, group, workers)
    people = home_cells[group].to_numpy(dtype=float)
    jobs = work_cells[workers].to_numpy(dtype=float)
    leaving = people * share
    total = float(leaving.sum())
    if total > 0 and not jobs.sum() > 0:
        raise ValueError(f"{total:,.0f} people look for care at work but no cell has workers; give workers or share_at_work=0")
    cells = _both(home_cells, work_cells)
    at_home, at_work = np.zeros(len(cells)), np.zeros(len(cells))
    at_home[: len(home_cells)] = people - leaving
    if total > 0:
        np.add.at(at_work, cells.index.get_indexer(work_cells.index), total * (jobs / jobs.sum()))
    return cells.assign(**{group: at_home + at_work, f"{group}_home": at_home, f"{group}_work": at_work})


def _shares(cells: GeoDataFrame, share: float | pd.Series) -> NDArray[np.float64]:
    told = (
        np.full(len(cells), share, dtype=float) if isinstance(share, (int, float)) else share.reindex(cells.index).to_numpy(float)
    )
    if not ((told >= 0) & (told <= 1)).all():
        raise ValueError("share_at_work must be between 0 and 1 in every home cell")
    return told


def _check(home: GeoDataFrame, work: GeoDataFrame, group: str, workers: str) -> None:
    wrong = [f"the home cells lack {group!r}"] if group not in home else []
    wrong += [f"the work cells lack {workers!r}"] if workers not in work else []
    if not home.index.is_unique or not work.index.is_unique:
        wrong.append("cell ids stand more than once")
    if not wrong:
        wrong += [
            f"{column!r} has missing or negative numbers"
            for table, column in ((home, group), (work, workers))
            if not (table[column] >= 0).all()
        ]
        shared = work.index.intersection(home.index)
        apart = home.geometry.loc[shared].distance(work.geometry.loc[shared].to_crs(home.crs)) if len(shared) else np.zeros(0)
        if (np.asarray(apart) > SAME_PLACE_M).any():
            wrong.append("cells of one id lie at different places; use one grid for homes and work")
    if wrong:
        raise ValueError("demand cannot be combined: " + "; ".join(wrong))


def _both(home: GeoDataFrame, work: GeoDataFrame) -> GeoDataFrame:
    """Home cells, and below them the work cells that are none of them."""
    import geopandas as gpd
    import pandas as pd

    more = work.loc[~work.index.isin(home.index)].to_crs(home.crs)
    if more.empty:
        return home.copy()
    kept = [column for column in ("unit", "row", "col") if column in home and column in more]
    columns = {
        column: more[column] if column in kept else 0.0 if pd.api.types.is_numeric_dtype(home[column]) else ""
        for column in home.columns
        if column != home.geometry.name
    }
    added = pd.DataFrame(columns, index=more.index).assign(**{home.geometry.name: more.geometry})
    joined = pd.concat([home, added[list(home.columns)]])
    return gpd.GeoDataFrame(joined, geometry=home.geometry.name, crs=home.crs).rename_axis(home.index.name)
