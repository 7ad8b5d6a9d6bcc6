"""Show beside a service's coverage whom data from beyond the edge could cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from careshed.access import unit_sums
from careshed.network import Network
from careshed.reach import TravelTimes
from careshed.schema import Fault
from careshed.streetcheck.margin import HARD_M, SLIT_M, Exits, MarginReport, margin_report

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries


def mixed_margin_report(
    networks: Sequence[Network],
    times: TravelTimes,
    cells: GeoDataFrame,
    which: NDArray[np.int64],
    *,
    group: str,
    minutes: float,
    known: shapely.Geometry | None = None,
    known_m: float = 0.0,
    hard: GeoSeries | None = None,
    hard_m: float = HARD_M,
) -> MarginReport:
    """Tell whose answer could change with data from beyond the edge where people travel by several modes.

    Each cell is judged by the streets and speeds of its own people, as `margin_report` judges it; an exit that several modes
    share is one exit.

    Parameters
    ----------
    networks
        The streets of each mode.
    times
        Travel times in which each cell goes by the mode of its people (`careshed.reach.mixing.mix_times`).
    which
        Network that each cell goes by, shape (cells,).
    known, known_m, hard, hard_m
        As for `margin_report`.

    Raises
    ------
    ValueError
        As `margin_report` does, or if a network is not of the modes of the travel times.
    """
    parts = times.mode.parts or (times.mode,)
    if [network.mode for network in networks] != list(parts):
        names = ", ".join(mode.name for mode in parts)
        raise ValueError(f"one network each is needed of the modes of the travel times: {names}")
    reports = [
        margin_report(
            network, replace(times, mode=network.mode), cells, group=group, minutes=minutes, known=known, known_m=known_m,
            hard=hard, hard_m=hard_m,
        )
        for network in networks
    ]  # fmt: skip
    return _joined(reports, cells[group].to_numpy(dtype=float), which)


def _joined(reports: Sequence[MarginReport], people: NDArray[np.float64], which: NDArray[np.int64]) -> MarginReport:
    """Take every cell's answer from the report of its mode."""
    at = np.arange(len(which))
    exits, place = _one_each([report.exits for report in reports])
    first = np.cumsum([0, *(len(report.exits) for report in reports)])
    own = np.stack([report.nearest_exit for report in reports])[which, at]
    changed, gained = (np.stack([getattr(one, name) for one in reports])[which, at] for name in ("could_change", "could_gain"))
    return replace(
        reports[0],
        exits=exits,
        cost_to_exit=np.stack([report.cost_to_exit for report in reports])[which, at],
        nearest_exit=np.append(place, -1)[np.where(own < 0, -1, first[which] + own)].astype(np.int32),
        could_change=changed,
        could_gain=gained,
        people_changed=float(people[changed].sum()),
        people_gained=float(people[gained].sum()),
        needed_m=max(report.needed_m for report in reports),
        cut=_one_each([report.cut for report in reports])[0],
    )


def _one_each(several: Sequence[Exits]) -> tuple[Exits, NDArray[np.int64]]:
    """Put exits of several networks together, one a place; pieces are those of the first network that has the exit.

    Returns
    -------
    tuple
        The exits, and for each exit given, one list after the other, its place among them.
    """
    every = Exits(*(np.concatenate([getattr(one, name) for one in several]) for name in ("piece", "share", "x", "y")))
    spots = np.round(np.column_stack([every.x, every.y]), 3)
    _, kept, place = np.unique(spots, axis=0, return_index=True, return_inverse=True)
    chosen = np.zeros(len(every), dtype=bool)
    chosen[kept] = True
    rank = np.cumsum(chosen) - 1
    return every[chosen], rank[kept[place.reshape(-1)]].astype(np.int64)


def with_margin(covered: pd.DataFrame, margin: MarginReport, cells: GeoDataFrame, units: GeoDataFrame) -> pd.DataFrame:
    """Add to a coverage table how many people of each unit could be covered by what lies beyond the edge.

    Parameters
    ----------
    covered
        From `careshed.access.coverage`, of the group and limit of `margin`; kept as it is otherwise.

    Returns
    -------
    pandas.DataFrame
        The table with a column ``could_change``: people not covered today who could be; the others' coverage cannot change.
    """
    people = cells[margin.group].to_numpy(dtype=float)
    rows, sums = unit_sums((people * margin.could_gain)[:, None], cells["unit"].to_numpy(), units)
    return covered.assign(could_change=pd.Series(sums[:, 0], index=rows).reindex(covered.index).fillna(0.0))


def mark_margin(
    covered: pd.DataFrame,
    networks: Network | Sequence[Network],
    times: TravelTimes,
    cells: GeoDataFrame,
    units: GeoDataFrame,
    *,
    minutes: float,
    group: str,
    which: NDArray[np.int64] | None = None,
    known_m: float = 0.0,
    hard: GeoSeries | None = None,
    hard_m: float = HARD_M,
) -> tuple[pd.DataFrame, list[Fault]]:
    """Show in the coverage of a service how many people data from beyond the units could cover.

    Parameters
    ----------
    covered
        From `careshed.access.coverage_table`, of any groups and limits.
    networks
        The streets of the people's mode, or of each of their modes.
    which
        Network that each cell goes by, shape (cells,); None where there is one.
    known_m, hard, hard_m
        How far beyond the units the data reach, and where nobody crosses, as for `margin_report`.

    Returns
    -------
    tuple
        The table with a column ``could_change``, NaN in rows of other groups and limits, and what is to be told. Of travel times
        that are not of these networks, such as imported ones, this is not worked out, and said.
    """
    several = [networks] if isinstance(networks, Network) else list(networks)
    if [network.mode for network in several] != list(times.mode.parts or (times.mode,)):
        told = (
            "出行时间不出自这些道路，未判断界外数据的影响",
            "the travel times are not of these streets: the edge is not judged",
        )
        return covered, [Fault("edge_not_judged", "", *told, severity="noted")]
    report = mixed_margin_report(
        several, times, cells, np.zeros(len(cells), dtype=np.int64) if which is None else which, group=group, minutes=minutes,
        known=ground_of(units), known_m=known_m, hard=hard, hard_m=hard_m,
    )  # fmt: skip
    asked = ((covered["group"] == group) & (covered["minutes"] == minutes)).to_numpy()
    part = with_margin(covered[asked], report, cells, units)["could_change"].to_numpy()
    column = np.full(len(covered), np.nan)
    column[asked] = part
    table = covered.assign(could_change=column)
    idle = _idle_border(report, hard)
    if not (report.people_changed or report.cut_by_border):
        return table, idle
    zh, en, people = report.text("zh"), report.text("en"), report.people_changed
    return table, [Fault("edge_of_data", "", zh, en, severity="noted", people=people, found=group), *idle]


def _idle_border(report: MarginReport, hard: GeoSeries | None) -> list[Fault]:
    """Tell of hard borders that no street out of the data ends at."""
    if hard is None or report.cut_by_border:
        return []
    told = (
        "硬边界没有碰到任何通往数据以外的街道，不起作用",
        "the hard borders meet no street that leads out of the data: they change nothing",
    )
    cure = ("请核对 [boundary] hard 图层的位置和坐标系。", "Check where the layer of [boundary] hard lies, and its CRS.")
    return [Fault("border_idle", "", *told, *cure, severity="noted")]


def ground_of(units: GeoDataFrame) -> shapely.Geometry | None:
    """Ground that the units cover together, None where none has an outline; slits between outlines are no edge."""
    drawn = units.geometry[~(units.geometry.isna() | units.geometry.is_empty)]
    if drawn.empty:
        return None
    wide = shapely.buffer(shapely.union_all(drawn.to_numpy()), SLIT_M, join_style="mitre")
    return shapely.buffer(wide, -SLIT_M, join_style="mitre")
