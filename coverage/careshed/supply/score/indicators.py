"""Gather the usual indicators of service capacity for streets and townships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.access import coverage, presence
from careshed.supply.equity import nearest_minutes, units_at, worst_decile
from careshed.supply.score.making import Indicator

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes

SERVICE_INDICATORS: Final = (
    Indicator("share", "覆盖率", "people in reach", nought=0.0, target=1.0),
    Indicator("places_per_1000", "每千名服务对象的位数", "places per 1,000 of the group"),
    Indicator("has_one", "设施有无", "has a facility of its own", nought=0.0, target=1.0),
    Indicator(
        "minutes_mean", "人均最近步行时间", "mean walk to the nearest", higher_is_better=False, unit_zh="分钟", unit_en="minutes"
    ),
    Indicator(
        "minutes_worst",
        "最不利10%人群步行时间",
        "walk of the worst-off tenth",
        higher_is_better=False,
        unit_zh="分钟",
        unit_en="minutes",
    ),
)
"""What `service_indicators` gives, with equal weights: coverage and presence against full marks for all, the rest min–max."""


def service_indicators(
    times: TravelTimes,
    cells: GeoDataFrame,
    units: GeoDataFrame,
    *,
    minutes: float,
    group: str,
    levels: Sequence[str] = ("street", "township"),
) -> pd.DataFrame:
    """Gather the usual indicators of service capacity for every street and township, ready for `service_score`.

    Returns
    -------
    pandas.DataFrame
        Index ``unit_id``, the units of `levels`; ``name``, ``level``, ``people`` (of the group), ``share`` (of them within the
        limit), ``places_per_1000`` (of the facilities inside; NaN if a facility's places are unknown or nobody lives there),
        ``has_one`` (1 or 0), ``minutes_mean`` and ``minutes_worst`` (to the nearest facility, however far, over people whose
        travel is known; NaN if none).

    Raises
    ------
    ValueError
        If the cells are not those of the travel times, or these measure length.
    """
    import pandas as pd

    if times.metric != "time":
        raise ValueError("these indicators are in minutes; compute travel times with limit_min")
    covered = coverage(times, cells, units, minutes=minutes, group=group)
    own = presence(times.facilities, units, levels=levels)
    unit, travel = units_at(cells, units, levels=levels).to_numpy(), nearest_minutes(times)
    people = cells[group].to_numpy(dtype=float)
    known = np.isfinite(travel) & (people > 0)
    rows = []
    for code in own.index:
        at = known & (unit == code)
        mean = float(np.average(travel[at], weights=people[at])) if at.any() else np.nan
        rows.append((mean, worst_decile(travel[at], people[at])))
    far = pd.DataFrame(rows, index=own.index, columns=["minutes_mean", "minutes_worst"])
    number = covered["people"].reindex(own.index)
    places = _places_in(times.facilities, units, levels).reindex(own.index)
    return pd.DataFrame(
        {
            "name": own["name"],
            "level": own["level"],
            "people": number,
            "share": covered["share"].reindex(own.index),
            "places_per_1000": 1000 * places / number.where(number > 0),
            "has_one": own["has_one"].astype(float),
            **far,
        }
    )


def _places_in(facilities: GeoDataFrame, units: GeoDataFrame, levels: Sequence[str]) -> pd.Series:
    """Places of the facilities inside each unit; not known where those of one facility are not."""
    import pandas as pd

    told = facilities["places"].astype(float) if "places" in facilities else pd.Series(np.nan, index=facilities.index)
    unit = units_at(facilities, units, levels=levels).to_numpy()
    total = told.groupby(unit).sum()
    return total.mask(told.isna().groupby(unit).any()).reindex(units.index, fill_value=0.0)
