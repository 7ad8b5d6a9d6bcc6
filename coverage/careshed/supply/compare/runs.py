"""Compare two runs: who gains and who loses reach, and how much time is saved, by unit and by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from careshed.access import ALL, OUTSIDE, check_cells, unit_sums
from careshed.reach import TravelTimes
from careshed.schema import Fault
from careshed.supply.compare.revised import RevisedTimes, check_pair
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

State = Literal["gain", "lose", "both", "neither", "unjudged"]

STATES: Final[dict[State, tuple[str, str]]] = {
    "gain": ("新增可达", "newly in reach"),
    "lose": ("不再可达", "no longer in reach"),
    "both": ("前后均可达", "in reach before and after"),
    "neither": ("前后均不可达", "out of reach before and after"),
    "unjudged": ("无法判断", "cannot be judged"),
}
"""What becomes of a cell -> (Chinese, English). Every cell is in exactly one state."""


@dataclass(frozen=True)
class Comparison:
    """Who gains and who loses between two runs, in all, by unit and by cell."""

    units: pd.DataFrame
    """Index ``unit_id``: ``ALL``, the units in the order given, ``OUTSIDE`` if people live in no unit. ``name``, ``level``,
    ``minutes`` or ``metres``, ``group``; people after: ``people``, ``gain``, ``lose``, ``both``, ``neither``, ``unjudged`` (the
    five add up to `people`); ``people_before``, ``covered_before``, ``covered_after`` (each with its own people), ``change``
    (= after − before), ``by_access`` (gain − lose) and ``by_people`` (the rest: people who came or went, and cells that could be
    judged only once); ``people_known`` (nearest known in both runs), ``people_unknown``, ``minutes_saved`` (mean over
    `people_known`, below 0 for time lost; NaN if none) and ``person_minutes_saved``; or metres."""
    cells: GeoDataFrame
    """The difference map, index ``cell_id``: ``unit``, ``people_before``, ``people``, ``state`` (key of `STATES`),
    ``minutes_before``, ``minutes_after``, ``minutes_saved`` (NaN unknown), or metres; geometry."""
    group: str
    limit_minutes: float | None
    limit_metres: float | None
    findings: tuple[Fault, ...] = ()

    def summary(self, lang: Lang) -> str:
        """Say in one line who gains and who loses."""
        total = self.units.loc[ALL]
        who = group_name(self.group, lang)
        reach = self.limit_minutes if self.limit_minutes is not None else self.limit_metres
        unit = pick(lang, "分钟", " minutes") if self.limit_minutes is not None else pick(lang, "米", " metres")
        people, gain, lose, rest = (f"{total[column]:,.0f}" for column in ("people", "gain", "lose", "unjudged"))
        return pick(
            lang,
            f"{people} 名{who}中，{gain} 人新增 {reach:g} {unit}内可达，{lose} 人不再可达，{rest} 人无法判断",
            f"Of {people} {who}, {gain} come within {reach:g}{unit}, {lose} no longer are, {rest} cannot be judged",
        )


def compare_runs(
    before: TravelTimes,
    after: TravelTimes,
    cells: GeoDataFrame,
    units: GeoDataFrame,
    *,
    minutes: float | None = None,
    metres: float | None = None,
    group: str = "total",
    cells_after: GeoDataFrame | None = None,
) -> Comparison:
    """Tell who gains and who loses reach between two runs, and how much time is saved.

    Cells at exactly the limit are in reach (≤). A cell that cannot be judged in either run counts as unjudged. Time saved is
    averaged only over people whose nearest facility is known in both runs; the others are counted apart.

    Parameters
    ----------
    before, after
        Travel times on the same cells, of the same metric: existing and planned (`plan_times`), with and without a facility
        (`close_facilities`), on two networks, of two years.
    cells
        People before, and after too unless `cells_after` is given.
    units
        Units to add up by; a unit counts for its parents too.
    cells_after
        The same cells with other people, such as a projection. States are then weighted by people after.

    Raises
    ------
    ValueError
        If cells, metric or limit do not fit.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from careshed.modes import WALK_OLDER
    >>> line = gpd.points_from_xy([0, 500], [0, 0])
    >>> cells = gpd.GeoDataFrame({"p60": [30.0, 20.0], "unit": ["", ""]}, geometry=line, crs="EPSG:32651")
    >>> units = gpd.GeoDataFrame({"name": ["甲街道"], "level": ["street"], "parent": [""]}, index=["s"], geometry=[None])
    >>> def run(*nearest):
    ...     return TravelTimes(cells.iloc[:1], cells.index, np.array([0, 0]), np.array([], np.int32), np.array([], np.uint32),
    ...                        np.array(nearest), np.zeros(2, np.int32), np.array(["", ""]), np.array([""]), "time", 900_000,
    ...                        "to_facility", WALK_OLDER, 150.0)
    >>> found = compare_runs(run(60_000, 1_200_000), run(60_000, 600_000), cells, units, minutes=15, group="p60")
    >>> found.units.loc["ALL", ["gain", "lose", "both", "person_minutes_saved"]].tolist()
    [20.0, 0.0, 30.0, 200.0]
    >>> found.summary("en")
    'Of 50 people aged 60+, 20 come within 15 minutes, 0 no longer are, 0 cannot be judged'
    """
    later = cells if cells_after is None else cells_after
    check_cells(before, cells, group)
    check_cells(after, later, group)
    check_pair(before, after)
    measure = "minutes" if before.metric == "time" else "metres"
    table = _cell_table(before, after, cells, later, group, measure, {"minutes": minutes, "metres": metres})
    limit = {measure: float(minutes if minutes is not None else metres or 0.0)}
    return Comparison(
        units=_unit_table(table, units, measure, limit, group),
        cells=table.drop(columns=["covered_before", "covered_after"]),
        group=group,
        limit_minutes=minutes,
        limit_metres=metres,
        findings=(*getattr(before, "findings", ()), *getattr(after, "findings", ())),
    )


def _cell_table(
    before: TravelTimes,
    after: TravelTimes,
    cells: GeoDataFrame,
    later: GeoDataFrame,
    group: str,
    measure: str,
    limit: dict[str, float | None],
) -> GeoDataFrame:
    """What becomes of every cell."""
    import geopandas as gpd

    was = before.reached(minutes=limit["minutes"], metres=limit["metres"])
    now = after.reached(minutes=limit["minutes"], metres=limit["metres"])
    faulted = (before.cell_fault != "") | (after.cell_fault != "")
    kinds: list[State] = ["unjudged", "both", "gain", "lose"]
    state = np.select([faulted, was & now, now, was], kinds, default="neither")
    first, second = _known(before), _known(after)
    per = 60_000.0 if measure == "minutes" else 1000.0
    return gpd.GeoDataFrame(
        {
            "unit": later["unit"],
            "people_before": cells[group].astype(float),
            "people": later[group].astype(float),
            "state": state.astype(object),
            f"{measure}_before": first / per,
            f"{measure}_after": second / per,
            f"{measure}_saved": (first - second) / per,
            "covered_before": was,
            "covered_after": now,
        },
        geometry=cells.geometry,
        crs=cells.crs,
    ).rename_axis("cell_id")


def _known(times: TravelTimes) -> NDArray[np.float64]:
    """Cost to the nearest facility, NaN where it is not known."""
    unsure = times.unsure if isinstance(times, RevisedTimes) else np.zeros(len(times.cell_ids), dtype=bool)
    return np.where((times.nearest_cost < 0) | unsure, np.nan, times.nearest_cost)


def _unit_table(table: GeoDataFrame, units: GeoDataFrame, measure: str, limit: dict[str, float], group: str) -> pd.DataFrame:
    import pandas as pd

    people, saved = table["people"], table[f"{measure}_saved"]
    columns = {"people": people} | {state: people * (table["state"] == state) for state in STATES}
    columns |= {
        "people_before": table["people_before"],
        "covered_before": table["people_before"] * table["covered_before"],
        "covered_after": people * table["covered_after"],
        "people_known": people * saved.notna(),
        f"person_{measure}_saved": people * saved.fillna(0.0),
    }
    sums = _by_unit(pd.DataFrame(columns), table["unit"].astype(str), units)
    sums["change"] = sums["covered_after"] - sums["covered_before"]
    sums["by_access"] = sums["gain"] - sums["lose"]
    sums["by_people"] = sums["change"] - sums["by_access"]
    sums["people_unknown"] = sums["people"] - sums["people_known"]
    known = sums["people_known"].where(sums["people_known"] > 0)
    sums[f"{measure}_saved"] = sums[f"person_{measure}_saved"] / known
    labels = units[["name", "level"]].astype(object).reindex(sums.index).fillna("")
    return pd.DataFrame(labels).assign(**limit, group=group, **{str(name): sums[name] for name in sums})


def _by_unit(counted: pd.DataFrame, unit: pd.Series, units: GeoDataFrame) -> pd.DataFrame:
    """Add up cells: in all, for every unit and its parents, and for cells in no unit if anybody lives there."""
    import pandas as pd

    codes, sums = unit_sums(counted.to_numpy(dtype=float), unit.to_numpy(dtype=object), units)
    table = pd.DataFrame(sums, index=pd.Index(codes, name="unit_id"), columns=counted.columns)
    empty = OUTSIDE in table.index and not table.loc[OUTSIDE, ["people", "people_before"]].any()
    return table.drop(index=OUTSIDE) if empty else table
