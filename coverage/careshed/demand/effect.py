"""Tell what refinement does to coverage: who counts as covered before and after, and how many change sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from careshed.demand.ledger import groups_in
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.demand.chain import Demand
    from careshed.demand.refining import Refined
    from careshed.network import Network
    from careshed.reach import TravelTimes


def refinement_effect(
    cells: GeoDataFrame,
    refined: Refined,
    before: TravelTimes,
    after: TravelTimes,
    *,
    minutes: float | None = None,
    metres: float | None = None,
    groups: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Compare coverage of the coarse cells with that of the same people refined.

    Returns
    -------
    pandas.DataFrame
        Index group; ``people``, ``covered_before``, ``covered_after``, ``share_before``, ``share_after`` (of people),
        ``unjudged_before``, ``unjudged_after`` (on no street), ``newly_covered`` and ``no_longer`` (people whose answer changes).

    Raises
    ------
    ValueError
        If the travel times are not those of the cells.
    """
    if not before.cell_ids.equals(cells.index) or not after.cell_ids.equals(refined.cells.index):
        raise ValueError("travel times must be those of the coarse cells and of the refined cells")
    was, now = before.reached(minutes=minutes, metres=metres), after.reached(minutes=minutes, metres=metres)
    came = was[cells.index.get_indexer(pd.Index(refined.source))]
    rows = {}
    for group in groups or groups_in(cells):
        coarse, fine = cells[group].to_numpy(dtype=float), refined.cells[group].to_numpy(dtype=float)
        rows[group] = {
            "people": float(coarse.sum()),
            "covered_before": float(coarse[was].sum()),
            "covered_after": float(fine[now].sum()),
            "unjudged_before": float(coarse[before.cell_fault != ""].sum()),
            "unjudged_after": float(fine[after.cell_fault != ""].sum()),
            "newly_covered": float(fine[now & ~came].sum()),
            "no_longer": float(fine[came & ~now].sum()),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("group")
    with np.errstate(divide="ignore", invalid="ignore"):
        table.insert(3, "share_before", table["covered_before"] / table["people"])
        table.insert(4, "share_after", table["covered_after"] / table["people"])
    return table


def effect_of_refinement(
    demand: Demand,
    network: Network,
    facilities: GeoDataFrame,
    after: TravelTimes,
    *,
    minutes: float,
    groups: Sequence[str] | None = None,
) -> pd.DataFrame | None:
    """Say what refining a study's people does to the coverage of one service, None where they are not refined.

    Parameters
    ----------
    network
        Of the service's mode.
    after
        Travel times of the service to the refined cells.

    Returns
    -------
    pandas.DataFrame or None
        As `refinement_effect`; also None where `after` is of other cells, such as those of a later year.
    """
    from careshed.reach import travel_times

    if demand.refined is None or not after.cell_ids.equals(demand.cells.index):
        return None
    before = travel_times(network, facilities, demand.coarse, limit_min=minutes)
    fine = replace(demand.refined, cells=demand.cells)
    return refinement_effect(demand.coarse, fine, before, after, minutes=minutes, groups=groups)


def tell_effect(effect: pd.DataFrame, *, limit: str, lang: Lang = "zh") -> str:
    """Tell the effect of refinement, one line a group.

    >>> row = {"people": 200.0, "covered_before": 100.0, "covered_after": 60.0, "share_before": 0.5, "share_after": 0.3,
    ...        "unjudged_before": 0.0, "unjudged_after": 0.0, "newly_covered": 10.0, "no_longer": 50.0}
    >>> print(tell_effect(pd.DataFrame([row], index=["p60"]), limit="300 m", lang="en"))
    people aged 60+, within 300 m: 50.0 % of 200 before refinement, 30.0 % after; 10 people newly covered, 50 no longer
    """
    lines = []
    for group, row in effect.iterrows():
        name = group_name(str(group), lang)
        before, after = f"{row['share_before']:.1%}".replace("%", " %"), f"{row['share_after']:.1%}".replace("%", " %")
        lines.append(
            pick(
                lang,
                f"{name}，{limit} 以内：共 {row['people']:,.0f} 人，细分前覆盖 {before}，细分后 {after}；"
                f"{row['newly_covered']:,.0f} 人由未覆盖变为覆盖，{row['no_longer']:,.0f} 人由覆盖变为未覆盖",
                f"{name}, within {limit}: {before} of {row['people']:,.0f} before refinement, {after} after; "
                f"{row['newly_covered']:,.0f} people newly covered, {row['no_longer']:,.0f} no longer",
            )
        )
    return "\n".join(lines)
