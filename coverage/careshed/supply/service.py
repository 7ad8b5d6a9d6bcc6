"""Weigh one service as a whole: who finds a place, how full each facility is, how fair it is, how units score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.supply.assignment import Assignment, Rule, assign_places, by_unit
from careshed.supply.catchments import CatchmentResult, floating_catchment
from careshed.supply.decay import GaussianToZero
from careshed.supply.equity import equity_report, nearest_minutes, units_at
from careshed.supply.score import SERVICE_INDICATORS, rank_ranges, service_indicators, service_score

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes
    from careshed.schema import Fault
    from careshed.supply.score import Score

PER: Final = 1000.0
"""People that access is counted by."""

LEVELS: Final = ("street", "township")
"""Units that are set against each other."""


@dataclass(frozen=True)
class PlacesFound:
    """What a service's places amount to for the people of a group."""

    demand_rate: float
    """Share of the group that looks for a place."""
    assignment: Assignment
    """Who is served, who is in reach but finds no place, who is out of reach; how full each facility is."""
    split: pd.DataFrame
    """The same by unit: `careshed.supply.assignment.by_unit`."""
    access: CatchmentResult
    """Places per 1,000 people that each cell finds, by E2SFCA with a Gaussian that falls to nothing at the limit."""
    fairness: pd.DataFrame
    """`careshed.supply.equity.equity_report` of the minutes to the nearest facility, against the limit."""
    access_fairness: pd.DataFrame
    """The same of `access`, where little is bad."""
    score: Score | None
    """Service-capacity score of streets and townships that have people, None where there are none."""
    ranks: pd.DataFrame | None
    """How far each unit's rank moves when the weights do: `careshed.supply.score.rank_ranges`."""

    @property
    def findings(self) -> tuple[Fault, ...]:
        """What the numbers leave out, and why."""
        return (*self.assignment.findings, *(self.score.findings if self.score is not None else ()))


def find_places(
    times: TravelTimes,
    cells: GeoDataFrame,
    units: GeoDataFrame,
    *,
    group: str,
    minutes: float,
    demand_rate: float = 1.0,
    rule: Rule = "least_time",
    catchment: pd.Series[str] | None = None,
) -> PlacesFound | None:
    """Find out who gets a place within a limit, how full each facility is, how fairly places lie and how units score.

    Of everybody in the group, `demand_rate` look for a place, everywhere alike; only they are counted as served, without a place
    or out of reach, and only they compete in the catchments. Travel and the score are of the whole group.

    Parameters
    ----------
    times
        Existing facilities to cells, with ``places`` where they are known, searched at least as far as `minutes`.
    units
        Units to add up by.
    minutes
        The limit a resident is judged by (≤).
    demand_rate
        Share of the group that looks for a place, above 0 and up to 1: an assumption, to be printed with every figure.
    rule
        How people find places, see `careshed.supply.assignment.assign_places`.
    catchment
        Facility id by cell id or unit code (划片), for the rule ``"catchment"``.

    Returns
    -------
    PlacesFound or None
        None where no facility's places are known: then nothing can be said about who finds one.

    Raises
    ------
    ValueError
        As `assign_places`, and if the demand rate is not above 0 and up to 1.

    Examples
    --------
    Thirty children one minute from a nursery of four places; one in three looks for a place.

    >>> import geopandas as gpd, pandas as pd
    >>> from careshed.modes import WALK_ADULT
    >>> from careshed.reach import TravelTimes
    >>> at = gpd.points_from_xy([0.0], [0.0], crs="EPSG:32651")
    >>> cells = gpd.GeoDataFrame({"p0_3": [30.0], "unit": [""]}, index=pd.RangeIndex(1, name="cell_id"), geometry=at)
    >>> units = gpd.GeoDataFrame({"name": ["Qingwan"], "level": ["county"], "parent": [""]}, index=["9901"], geometry=[None])
    >>> nursery = gpd.GeoDataFrame({"places": [4.0], "unit": [""]}, index=pd.Index(["a"], name="facility_id"), geometry=at)
    >>> times = TravelTimes(nursery, cells.index, np.array([0, 1]), np.array([0], dtype=np.int32), np.array([60_000], np.uint32),
    ...     np.array([60_000]), np.array([0], dtype=np.int32), np.full(1, ""), np.array([""]), "time", 900_000, "to_facility",
    ...     WALK_ADULT, 150.0)
    >>> found = find_places(times, cells, units, group="p0_3", minutes=15, demand_rate=1 / 3)
    >>> found.split.loc["ALL", ["people", "served", "no_place"]].tolist(), found.access.access.tolist()
    ([10.0, 4.0, 6.0], [400.0])
    """
    if not 0 < demand_rate <= 1:
        raise ValueError(f"demand_rate={demand_rate}: the share of the group that looks for a place is above 0 and at most 1")
    if "places" not in times.facilities or not times.facilities["places"].notna().any():
        return None
    seeking = cells.assign(**{group: cells[group] * demand_rate})
    assignment = assign_places(times, seeking, group=group, minutes=minutes, rule=rule, catchment=catchment, units=units)
    access = floating_catchment(times, seeking, group=group, minutes=minutes, decay=GaussianToZero(), per=PER)
    people = cells[group].to_numpy(dtype=float)
    unit = units_at(cells, units, levels=LEVELS)
    score = _score(times, cells, units, group, minutes)
    return PlacesFound(
        demand_rate=demand_rate,
        assignment=assignment,
        split=by_unit(assignment, seeking, units),
        access=access,
        fairness=equity_report(nearest_minutes(times), people, units=unit, line=minutes),
        access_fairness=equity_report(access.access.to_numpy(), people, units=unit, worse="low"),
        score=score,
        ranks=None if score is None else rank_ranges(score, seed=0),
    )


def _score(times: TravelTimes, cells: GeoDataFrame, units: GeoDataFrame, group: str, minutes: float) -> Score | None:
    """Score streets and townships, where there are any with people."""
    if not units["level"].isin(LEVELS).any():
        return None
    table = service_indicators(times, cells, units, minutes=minutes, group=group, levels=LEVELS)
    return service_score(table[np.asarray(table["people"] > 0)], SERVICE_INDICATORS) if (table["people"] > 0).any() else None
