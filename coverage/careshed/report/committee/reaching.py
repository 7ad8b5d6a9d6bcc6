"""Count whom the sites of a plan newly reach, group by group, and who is covered in each unit once they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from careshed.access import unit_sums
from careshed.siting.problem import cells_reached, cost_limit, pairs_within

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from careshed.reach import TravelTimes

MS_PER_MINUTE = 60_000
"""Costs are milliseconds of travel."""


def gains_by_group(
    sites: Sequence[str],
    options: TravelTimes,
    existing: TravelTimes | None,
    cells: GeoDataFrame,
    *,
    groups: Sequence[str],
    minutes: float | None = None,
    metres: float | None = None,
) -> pd.DataFrame:
    """Count for every site the people whom neither an existing facility nor a site before it reaches, group by group.

    Parameters
    ----------
    sites
        Ids of candidates in building order.
    options, existing
        Travel times of candidates and of the facilities that stand.
    groups
        Population groups to count, columns of `cells`.

    Returns
    -------
    pandas.DataFrame
        Index ``candidate_id`` in the order given, one column a group, people.
    """
    import pandas as pd

    limit = cost_limit(options, minutes, metres)
    reached = cells_reached(existing, limit, len(cells))
    near = pairs_within(options, limit)
    people = cells[list(groups)].to_numpy(dtype=np.float64)
    rows = []
    for row in options.facilities.index.get_indexer(list(sites)):
        new = near.of(int(row)) if row >= 0 else np.zeros(0, dtype=np.int64)
        new = new[~reached[new]]
        rows.append(people[new].sum(axis=0))
        reached[new] = True
    table = np.array(rows, dtype=np.float64).reshape(len(sites), len(groups))
    return pd.DataFrame(table, index=list(sites), columns=list(groups))


def with_sites(
    covered: pd.DataFrame,
    sites: Sequence[str],
    options: TravelTimes,
    existing: TravelTimes,
    cells: GeoDataFrame,
    units: GeoDataFrame,
) -> pd.DataFrame:
    """Add to a coverage table who is covered once the sites stand, in every unit, for every group and limit of the table.

    Parameters
    ----------
    covered
        From `careshed.access.coverage_table`: index unit code, with ``minutes`` and ``group``.

    Returns
    -------
    pandas.DataFrame
        The table with ``covered_after`` and ``share_after``; NaN for limits farther than the travel of the sites was searched.
    """
    after, codes_of = np.full(len(covered), np.nan), [str(code) for code in covered.index]
    minutes, group = covered["minutes"].to_numpy(dtype=float), covered["group"].to_numpy(dtype=object)
    for limit in dict.fromkeys(minutes.tolist()):
        if round(limit * MS_PER_MINUTE) > options.limit:
            continue
        reached = _reached_with(sites, options, existing, len(cells), limit)
        groups = list(dict.fromkeys(group[minutes == limit].tolist()))
        counts = cells[groups].to_numpy(dtype=np.float64) * reached[:, None]
        codes, sums = unit_sums(counts, cells["unit"].to_numpy(dtype=object), units)
        place = {(code, name): sums[row, at] for row, code in enumerate(codes) for at, name in enumerate(groups)}
        here = np.flatnonzero(minutes == limit).tolist()
        after[here] = [place.get((codes_of[row], str(group[row])), np.nan) for row in here]
    people = covered["people"].to_numpy(dtype=float)
    share = np.divide(after, people, out=np.full(len(after), np.nan), where=people > 0)
    return covered.assign(covered_after=after, share_after=share)


def _reached_with(
    sites: Sequence[str], options: TravelTimes, existing: TravelTimes, count: int, minutes: float
) -> NDArray[np.bool_]:
    """Mark the cells that an existing facility or one of the sites reaches."""
    limit = round(minutes * MS_PER_MINUTE)
    reached = cells_reached(existing, limit, count)
    near = pairs_within(options, limit)
    for row in options.facilities.index.get_indexer(list(sites)):
        if row >= 0:
            reached[near.of(int(row))] = True
    return reached
