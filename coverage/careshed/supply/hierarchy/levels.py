"""Build the whole hierarchy, level by level, such as city, county, township, village; and pair facilities with clinics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from careshed.reach import Direction, TravelTimes, cost_limit, travel_times
from careshed.schema import Fault
from careshed.supply.hierarchy.links import Capacity, Links, Rule, link_parents
from careshed.words import Lang, level_name, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.network import Network


@dataclass(frozen=True)
class Hierarchy:
    """The levels of a network of facilities, who depends on whom, and whether the chain reaches the top."""

    levels: tuple[str, ...]
    """Names of the levels, the highest first."""
    links: Mapping[str, Links]
    """Name of the lower level -> its links to the level above."""
    facilities: pd.DataFrame
    """Index the facility's id, level by level from the top; ``level``, ``name``, ``parent`` ("" for the top and for orphans),
    ``top`` (id of the top-level facility its chain ends at, "" where the chain is broken), ``descendants`` (number below it)."""
    summary: pd.DataFrame
    """Index the level; ``facilities``, ``expected`` (NaN not stated), ``linked``, ``orphans``, ``reach_top`` (chain unbroken),
    ``minutes_mean`` and ``minutes_longest`` (or metres) of its links upwards."""
    lines: GeoDataFrame
    """All links for the map: as `Links.lines` with the column ``level`` of the child."""
    findings: tuple[Fault, ...]


def split_levels(facilities: GeoDataFrame, levels: Mapping[str, Sequence[str]] | pd.Series) -> dict[str, GeoDataFrame]:
    """Sort facilities into levels, the highest first; facilities of no level are left out.

    Parameters
    ----------
    levels
        Level -> facility types, in order from the top; or a Series facility id -> level, ordered if it is categorical, else by
        first appearance.

    Raises
    ------
    ValueError
        If a facility type stands at two levels.

    Examples
    --------
    >>> import geopandas as gpd
    >>> table = gpd.GeoDataFrame({"type": ["服务站", "中心"]}, index=["a", "b"], geometry=gpd.points_from_xy([0, 1], [0, 0]))
    >>> {level: list(part.index) for level, part in split_levels(table, {"centre": ["中心"], "station": ["服务站"]}).items()}
    {'centre': ['b'], 'station': ['a']}
    """
    import pandas as pd

    if isinstance(levels, pd.Series):
        names = list(levels.cat.categories) if isinstance(levels.dtype, pd.CategoricalDtype) else list(levels.dropna().unique())
        level_of = levels.reindex(facilities.index).astype(object)
    else:
        names = list(levels)
        pairs = [(kind, name) for name, kinds in levels.items() for kind in kinds]
        kinds_of = dict(pairs)
        twice = sorted({kind for kind, _ in pairs if sum(kind == other for other, _ in pairs) > 1})
        if twice:
            raise ValueError(f"facility types at more than one level: {', '.join(twice)}; name each type once")
        level_of = facilities["type"].map(kinds_of)
    return {str(name): facilities[(level_of == name).to_numpy(dtype=bool)] for name in names}


def hierarchy_times(
    network: Network,
    by_level: Mapping[str, GeoDataFrame],
    *,
    limit_min: float | None = None,
    limit_m: float | None = None,
    direction: Direction = "to_facility",
) -> dict[str, TravelTimes]:
    """Find the travel costs between every level and the one above it, along the streets.

    Returns
    -------
    dict
        Name of the lower level -> travel costs, its parents as facilities and itself as cells.
    """
    names = list(by_level)
    return {
        lower: travel_times(
            network, by_level[upper], by_level[lower], limit_min=limit_min, limit_m=limit_m, direction=direction, threads=1
        )
        for upper, lower in zip(names[:-1], names[1:], strict=True)
    }


def build_hierarchy(
    by_level: Mapping[str, GeoDataFrame],
    times: Mapping[str, TravelTimes],
    *,
    minutes: float | None = None,
    metres: float | None = None,
    rule: Rule = "nearest",
    capacity: Mapping[str, Capacity] | None = None,
    expected: Mapping[str, int] | None = None,
) -> Hierarchy:
    """Link all levels, each to the one above, and follow every chain to the top.

    Parameters
    ----------
    by_level
        Level -> facilities, the highest first (`split_levels`).
    times
        Lower level -> travel costs to the level above (`hierarchy_times`).
    minutes, metres, rule
        As in `link_parents`, the same for all levels; link levels one by one where they differ.
    capacity
        Level of the parents -> what each can take, in children; a level left out has no limit.
    expected
        Level -> number of facilities that the plan states, such as ``{"city": 1, "county": 12}`` for 1+12+N; a finding says where
        the number differs.

    Raises
    ------
    ValueError
        If there are fewer than two levels or travel costs are missing.
    """
    names = tuple(by_level)
    missing = [name for name in names[1:] if name not in times]
    if len(names) < 2 or missing:
        said = f"travel times are missing for: {', '.join(missing)}" if missing else f"there is only {len(names)} level"
        raise ValueError(f"a hierarchy needs at least two levels and travel times for all but the highest; {said}")
    room = capacity or {}
    links = {
        lower: link_parents(times[lower], by_level[lower], minutes=minutes, metres=metres, rule=rule, capacity=room.get(upper))
        for upper, lower in zip(names[:-1], names[1:], strict=True)
    }
    facilities = _chains(by_level, links)
    findings = [fault for name in names[1:] for fault in links[name].findings]
    return Hierarchy(
        levels=names,
        links=links,
        facilities=facilities,
        summary=_summary(facilities, links, names, expected or {}),
        lines=_all_lines(links),
        findings=(*findings, *_miscounted(by_level, expected or {})),
    )


def _chains(by_level: Mapping[str, GeoDataFrame], links: Mapping[str, Links]) -> pd.DataFrame:
    """Follow every facility upwards; ids must differ between levels."""
    import pandas as pd

    top: dict[str, str] = {}
    blocks = []
    for number, (level, table) in enumerate(by_level.items()):
        ids = table.index.astype(str)
        parent = [""] * len(ids) if number == 0 else links[level].links["parent"].tolist()
        found = list(ids) if number == 0 else [top.get(key, "") for key in parent]
        clash = sorted(set(ids) & set(top))
        if clash:
            raise ValueError(f"ids at more than one level: {', '.join(clash)}; every facility needs its own id")
        top |= dict(zip(ids, found, strict=True))
        name = table["name"].astype(str).to_numpy() if "name" in table else ids
        blocks.append(pd.DataFrame({"level": level, "name": name, "parent": parent, "top": found}, index=ids))
    chains = pd.concat(blocks).rename_axis("facility_id")
    below = pd.Series(0, index=chains.index)
    for key, parent in reversed(list(chains["parent"].items())):
        if parent:
            below[parent] += 1 + below[key]
    return chains.assign(descendants=below)


def _summary(
    facilities: pd.DataFrame, links: Mapping[str, Links], names: Sequence[str], expected: Mapping[str, int]
) -> pd.DataFrame:
    import pandas as pd

    measure = "minutes" if "minutes" in next(iter(links.values())).links else "metres"
    rows = []
    for name in names:
        own = facilities[facilities["level"] == name]
        travel = links[name].links[measure] if name in links else pd.Series(dtype=float)
        linked = int((own["parent"] != "").sum())
        rows.append(
            {
                "facilities": len(own),
                "expected": float(expected.get(name, np.nan)),
                "linked": linked,
                "orphans": len(own) - linked if name in links else 0,
                "reach_top": int((own["top"] != "").sum()),
                f"{measure}_mean": float(travel.mean()),
                f"{measure}_longest": float(travel.max()),
            }
        )
    return pd.DataFrame(rows, index=pd.Index(names, name="level"))


def _all_lines(links: Mapping[str, Links]) -> GeoDataFrame:
    import geopandas as gpd
    import pandas as pd

    parts = [one.lines.assign(level=level) for level, one in links.items()]
    crs = parts[0].crs
    filled = [part for part in parts if len(part)] or parts[:1]
    return gpd.GeoDataFrame(pd.concat(filled, ignore_index=True), geometry="geometry", crs=crs)


def _miscounted(by_level: Mapping[str, GeoDataFrame], expected: Mapping[str, int]) -> list[Fault]:
    found = []
    for level, number in expected.items():
        have = len(by_level.get(level, ()))
        if have != number:
            zh = f"{level_name(level, 'zh')}级应有 {number} 个设施，现有 {have} 个"
            en = f"{number} facilities are expected at level {level_name(level, 'en')}, there are {have}"
            found.append(Fault("level_count", "", zh, en, severity="noted", found=str(have)))
    return found


def partner_pairs(
    times: TravelTimes, places: GeoDataFrame, *, minutes: float | None = None, metres: float | None = None
) -> pd.DataFrame:
    """List which facilities have which clinics (or other partners) within a limit, and how far: 医养结合 at a glance.

    Partners are the facilities of the travel costs, the places are their cells. Pairs at exactly the limit count (≤).

    Returns
    -------
    pandas.DataFrame
        One row a pair, by place and then from near to far: ``place``, ``place_name``, ``partner``, ``partner_name``,
        ``minutes`` or ``metres``, ``nearest`` (whether it is the place's nearest partner).

    Raises
    ------
    ValueError
        If the limit is beyond what was searched or of the other metric, or the places are others.
    """
    import pandas as pd

    _same_places(times, places)
    near = times.within(minutes=minutes, metres=metres)
    row = np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr))[near]
    column, cost = times.indices[near], times.cost[near]
    order = np.lexsort((row, cost, column))
    row, column, cost = row[order], column[order], cost[order]
    partners = times.facilities
    names = partners["name"] if "name" in partners else partners.index.to_series()
    own = places["name"] if "name" in places else places.index.to_series()
    measure, per = ("minutes", 60_000.0) if times.metric == "time" else ("metres", 1000.0)
    return pd.DataFrame(
        {
            "place": places.index[column],
            "place_name": own.astype(str).to_numpy()[column],
            "partner": partners.index[row],
            "partner_name": names.astype(str).to_numpy()[row],
            measure: cost / per,
            "nearest": times.nearest_facility[column] == row,
        }
    )


def adjacent_share(
    times: TravelTimes, places: GeoDataFrame, *, minutes: Sequence[float] = (), metres: Sequence[float] = ()
) -> pd.DataFrame:
    """Tell what share of the facilities has a clinic (or other partner) next to it, for each threshold asked.

    Returns
    -------
    pandas.DataFrame
        Index ``minutes`` or ``metres`` (≤); ``places`` (number), ``with_partner``, ``unjudged`` (join no street), ``share``,
        ``share_high`` (if all unjudged had one); shares are NaN where there is no place.

    Raises
    ------
    ValueError
        Unless thresholds of exactly one kind, that of the travel costs, are given.
    """
    import pandas as pd

    _same_places(times, places)
    if bool(len(minutes)) == bool(len(metres)):
        raise ValueError("give thresholds in minutes or in metres")
    limits = [cost_limit(minutes=one, metric=times.metric) for one in minutes]
    limits += [cost_limit(metres=one, metric=times.metric) for one in metres]
    unjudged = int((times.cell_fault != "").sum())
    number = len(places)
    have = [int(((times.nearest_cost >= 0) & (times.nearest_cost <= limit)).sum()) for limit in limits]
    index = pd.Index([float(one) for one in (minutes or metres)], name="minutes" if len(minutes) else "metres")
    table = pd.DataFrame({"places": number, "with_partner": have, "unjudged": unjudged}, index=index)
    base = float(number) if number else np.nan
    return table.assign(share=table["with_partner"] / base, share_high=(table["with_partner"] + unjudged) / base)


def match_partners(
    times: TravelTimes,
    places: GeoDataFrame,
    *,
    minutes: float | None = None,
    metres: float | None = None,
    per_partner: Capacity = 1,
) -> Links:
    """Agree one clinic (or other partner) for every facility, with a limit on how many facilities a clinic takes.

    The most facilities get a partner first; of all such matchings the one with the least total travel (exact, ties by id).

    Parameters
    ----------
    per_partner
        Facilities a partner can look after: one number, a column of the partners, or partner id -> number.
    """
    return link_parents(times, places, minutes=minutes, metres=metres, rule="optimal", capacity=per_partner)


def summary_line(hierarchy: Hierarchy, lang: Lang, names: Mapping[str, str] | None = None) -> str:
    """Say in one line how the levels hang together.

    For example: ``1 county, 3 township; 1 of 4 links missing; longest link 42 minutes``.
    """
    table, told = hierarchy.summary, names or {}
    measure = "minutes" if "minutes_longest" in table else "metres"
    unit = {"minutes": pick(lang, "分钟", "minutes"), "metres": pick(lang, "米", "metres")}[measure]
    counts = pick(lang, "、", ", ").join(
        pick(
            lang,
            f"{told.get(str(level)) or level_name(str(level), 'zh') + '级'} {number} 个",
            f"{number} {_named(str(level), told)}",
        )
        for level, number in table["facilities"].items()
    )
    lower = table.iloc[1:]
    orphans, total = int(lower["orphans"].sum()), int(lower["facilities"].sum())
    longest = lower[f"{measure}_longest"].max()
    far = "" if np.isnan(longest) else pick(lang, f"；最长联系 {longest:.0f} {unit}", f"; longest link {longest:.0f} {unit}")
    return pick(
        lang,
        f"{counts}；下级设施 {total} 个中 {orphans} 个没有上级{far}",
        f"{counts}; {orphans} of {total} lower facilities have no parent{far}",
    )


def _named(level: str, told: Mapping[str, str]) -> str:
    return told[level].lower() if told.get(level) else level_name(level, "en")


def _same_places(times: TravelTimes, places: GeoDataFrame) -> None:
    if not times.cell_ids.equals(places.index):
        raise ValueError(
            f"the travel times are for {len(times.cell_ids)} other places than the {len(places)} given; compute them with the "
            "partners as facilities and these places as cells"
        )
