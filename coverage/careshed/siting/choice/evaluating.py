"""Count what a choice of sites brings, from travel times computed for these very sites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from careshed.access import coverage, find_gaps, presence
from careshed.siting.choice.lists import SiteList, check_sites
from careshed.siting.choice.money import Money, money_of, site_money

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.modes import Mode
    from careshed.network import Network
    from careshed.study import Study


@dataclass(frozen=True)
class Evaluation:
    """What a choice of sites brings, and what it costs."""

    chosen: SiteList
    service: str
    group: str
    minutes: float
    today: pd.DataFrame
    """Coverage by unit as things stand, all facilities open (`careshed.access.coverage`)."""
    covered: pd.DataFrame
    """Coverage by unit with the choice."""
    has_one: pd.DataFrame
    """Which streets and townships have a facility of their own then (`careshed.access.presence`)."""
    gaps: GeoDataFrame
    """Where people still live out of reach (`careshed.access.find_gaps`)."""
    money: Money


def evaluate_choice(
    study: Study,
    service_id: str,
    chosen: SiteList,
    *,
    minutes: float | None = None,
    group: str | None = None,
    networks: Mapping[Mode, Network] | None = None,
) -> Evaluation:
    """Count whom a service reaches when the chosen sites are built and those switched off are closed.

    Nothing of an earlier answer is used: travel times are searched from the facilities that stand then.

    Parameters
    ----------
    minutes, group
        Limit (≤) and people; those of the list where left out, then those of the service.
    networks
        Networks that are built already, by mode.

    Raises
    ------
    InputError
        If the list names sites that the study does not have, or is for another service.
    ValueError
        If the cells have no such group, or the limit is not usable.
    """
    check_sites(study, service_id, chosen)
    service = study.service(service_id)
    limit = minutes or chosen.minutes or service.within_minutes
    who = group or chosen.group or service.group
    built = dict(networks or {mode: study.network(mode) for mode in study.modes(service_id)})
    standing = study.facilities(service_id)
    then = standing_then(study, service_id, chosen)
    before, after = (study.times(service_id, places, limit_min=limit, networks=built) for places in (standing, then))
    return Evaluation(
        chosen,
        service_id,
        who,
        limit,
        coverage(before, study.cells, study.units, minutes=limit, group=who),
        coverage(after, study.cells, study.units, minutes=limit, group=who),
        presence(then, study.units),
        find_gaps(after, study.cells, minutes=limit, group=who, units=study.units),
        money_of(site_money(study, service_id), chosen.sites),
    )


def standing_then(study: Study, service_id: str, chosen: SiteList) -> GeoDataFrame:
    """Put together what stands when a choice is carried out: facilities that stay open, and the chosen candidates."""
    import geopandas as gpd
    import pandas as pd

    kept = study.facilities(service_id)
    kept = kept.loc[[str(name) not in set(chosen.closed) for name in kept.index], ["name", "unit", "geometry"]]
    new = study.candidates(service_id).loc[list(chosen.sites), ["name", "unit", "geometry"]]
    parts = [part for part in (kept, new) if len(part)] or [kept]
    return gpd.GeoDataFrame(pd.concat(parts), geometry="geometry", crs=study.crs)
