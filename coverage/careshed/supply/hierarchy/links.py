"""Link every lower-level facility to its parent: the nearest, the stated, or the best that has room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from careshed.reach import UNITS, TravelTimes, cost_limit
from careshed.schema import Fault
from careshed.supply.hierarchy.matching import HAIR, Pairs, match_pairs

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

Rule = Literal["nearest", "stated", "optimal"]
"""How a parent is found: the nearest whatever its room, the one the register states, or the best choice that keeps the room."""

Capacity = float | str | Mapping[str, float]
"""Room of the parents: one number for all, the name of their column, or parent id -> number."""

REASONS: Final[dict[str, tuple[str, str]]] = {
    "far": ("附近没有可通行的街道，未接入路网", "it joins no street"),
    "barrier": ("四周被水面、铁路、高速公路或围墙阻隔，未接入路网", "water, a railway, a motorway or walls shut it in"),
    "islet": ("位于孤立路网上", "its streets join neither the main network nor a parent"),
    "no_parents": ("上一级没有设施", "the level above has no facility"),
    "unreachable": ("沿路网到不了任何上级设施", "no parent can be reached along the streets"),
    "beyond": ("限值内没有上级设施", "no parent within the limit"),
    "full": ("限值内的上级设施名额已满", "the parents within the limit are full"),
    "none_stated": ("未填写上级设施", "no parent is stated"),
    "unknown_parent": ("所填上级设施不在上一级名单中", "the stated parent is not in the level above"),
    "stated_beyond": ("所填上级设施超出限值或无法到达", "the stated parent is beyond the limit or cannot be reached"),
}
"""Why a facility has no parent -> (Chinese, English)."""


@dataclass(frozen=True)
class Links:
    """Who depends on whom between one level and the next, and who depends on nobody."""

    links: pd.DataFrame
    """Index the child's id; ``name``, ``parent`` (id, "" for an orphan), ``parent_name``, ``minutes`` or ``metres`` (NaN
    unknown), ``nearest`` (id of the nearest parent, linked or not, "" if none can be reached), ``minutes_nearest`` or
    ``metres_nearest``, ``reason`` (key of `REASONS`, "" if linked), ``reason_zh``, ``reason_en``."""
    parents: pd.DataFrame
    """Index the parent's id; ``name``, ``children`` (number), ``load`` (sum of their sizes), ``capacity`` (NaN no limit),
    ``spare`` (capacity − load, NaN no limit), ``over`` (load above capacity), ``minutes_mean`` and ``minutes_longest`` (or
    metres) over children whose travel is known, ``farthest`` (that child's id)."""
    lines: GeoDataFrame
    """One straight line a link, in the direction of travel: ``child``, ``child_name``, ``parent``, ``parent_name``,
    ``minutes`` or ``metres``, geometry."""
    rule: Rule
    limit_minutes: float | None
    limit_metres: float | None
    findings: tuple[Fault, ...] = ()

    @property
    def orphans(self) -> pd.DataFrame:
        """The children without a parent, each with its reason."""
        return self.links[self.links["parent"] == ""]

    @property
    def longest(self) -> float:
        """The longest link, minutes or metres; NaN where there is none."""
        measure = "minutes" if "minutes" in self.links else "metres"
        return float(self.links[measure].max())


def link_parents(
    times: TravelTimes,
    children: GeoDataFrame,
    *,
    minutes: float | None = None,
    metres: float | None = None,
    rule: Rule = "nearest",
    capacity: Capacity | None = None,
    size: str | None = None,
) -> Links:
    """Link every facility of a level to its parent in the level above, and say which have none and why.

    Travel costs are those of parents as facilities and children as cells; their direction is that of the travel costs
    (``"from_facility"`` for rescue and home visits). Children at exactly the limit are linked (≤).

    Parameters
    ----------
    times
        ``travel_times(network, parents, children, …)``.
    children
        The lower level, in the order of the travel costs; the column ``parent`` (ids) is used by ``rule="stated"``.
    minutes, metres
        Farthest a parent may be; without it any distance will do (``"optimal"``: as far as travel was searched).
    rule
        ``"nearest"`` and ``"stated"`` turn nobody away: a parent with too many children is reported. ``"optimal"`` keeps every
        capacity: the most children linked first, then the least total travel (exact; ties by id).
    capacity
        Children (or `size`) that a parent can take; a parent whose capacity is unknown (NaN) has no limit, and a finding says so.
    size
        Column of the children that says how much of the capacity each takes, such as ``"places"``; 1 each if None.

    Raises
    ------
    ValueError
        If the children are not those of the travel times, a column is missing, or the limit is not usable.

    Examples
    --------
    >>> import geopandas as gpd, numpy as np, pandas as pd
    >>> from careshed.modes import WALK_OLDER
    >>> centre = gpd.GeoDataFrame({"name": ["镇中心"]}, index=["T"], geometry=gpd.points_from_xy([0], [0]), crs="EPSG:32651")
    >>> points = gpd.GeoDataFrame({"name": ["东村", "西村"]}, index=["E", "W"], geometry=gpd.points_from_xy([300, -1200], [0, 0]),
    ...                           crs="EPSG:32651")
    >>> times = TravelTimes(centre, points.index, np.array([0, 2]), np.array([0, 1], np.int32),
    ...                     np.array([300_000, 1_200_000], np.uint32), np.array([300_000, 1_200_000]), np.zeros(2, np.int32),
    ...                     np.array(["", ""]), np.array([""]), "time", 1_800_000, "to_facility", WALK_OLDER, 150.0)
    >>> link_parents(times, points, minutes=15).links[["parent", "minutes", "reason_en"]]
      parent  minutes                   reason_en
    E      T      5.0
    W             NaN  no parent within the limit
    """
    _check(times, children, rule, size)
    limit = None
    if minutes is not None or metres is not None:
        limit = cost_limit(minutes=minutes, metres=metres, metric=times.metric)
        if rule != "nearest" and limit > times.limit:
            raise ValueError(f"asked for {limit} but travel was searched only to {times.limit} {UNITS[times.metric]}")
    room, unknown = _room(times.facilities, capacity)
    sizes = np.ones(len(children)) if size is None else children[size].to_numpy(dtype=float)
    if rule == "nearest":
        found = _nearest(times, limit)
    elif rule == "stated":
        found = _stated(times, children, limit)
    else:
        found = _optimal(times, limit, room, sizes)
    links = _link_table(times, children, found)
    parents = _parent_table(times, links, found, room, sizes)
    return Links(
        links=links,
        parents=parents,
        lines=_lines(times, children, links),
        rule=rule,
        limit_minutes=minutes,
        limit_metres=metres,
        findings=tuple(_findings(links, parents, unknown)),
    )


class _Found:
    """Parent, cost and reason of every child; −1 where there is none or it is not known."""

    def __init__(self, times: TravelTimes) -> None:
        count = len(times.cell_ids)
        self.parent = np.full(count, -1, dtype=np.int64)
        self.cost = np.full(count, -1, dtype=np.int64)
        self.reason = times.cell_fault.astype(object)
        self.reason[(self.reason == "") & (times.nearest_cost < 0)] = "unreachable"
        if len(times.facilities) == 0:
            self.reason[:] = "no_parents"

    def drop(self, at: NDArray[np.bool_], reason: str) -> None:
        """Make orphans of these children."""
        self.parent[at], self.cost[at] = -1, -1
        self.reason[at] = reason


def _nearest(times: TravelTimes, limit: int | None) -> _Found:
    found = _Found(times)
    able = found.reason == ""
    found.parent[able], found.cost[able] = times.nearest_facility[able], times.nearest_cost[able]
    if limit is not None:
        found.drop(able & (found.cost > limit), "beyond")
    return found


def _stated(times: TravelTimes, children: GeoDataFrame, limit: int | None) -> _Found:
    """The stated parent, its travel cost where it is known; without a limit a link needs no street."""
    stated = children["parent"].fillna("").astype(str).str.strip().to_numpy()
    row = times.facilities.index.astype(str).get_indexer(stated)
    found = _Found(times)
    faulted = found.reason != ""
    if limit is None:
        found.reason[:] = ""
    found.parent[:] = row
    for child in np.flatnonzero(row >= 0):
        found.cost[child] = _pair_cost(times, int(row[child]), int(child))
    if limit is not None:
        unfit = ~faulted & (row >= 0) & ((found.cost < 0) | (found.cost > limit))
        found.drop(unfit, "stated_beyond")
        found.drop(faulted & (found.reason == "unreachable"), "stated_beyond")
        found.parent[faulted] = -1
    found.drop(row < 0, "unknown_parent")
    found.drop(stated == "", "none_stated")
    return found


def _pair_cost(times: TravelTimes, row: int, column: int) -> int:
    """Cost of one pair, −1 where it is beyond what was searched."""
    if times.nearest_facility[column] == row:
        return int(times.nearest_cost[column])
    first, last = int(times.indptr[row]), int(times.indptr[row + 1])
    at = first + int(np.searchsorted(times.indices[first:last], column))
    return int(times.cost[at]) if at < last and times.indices[at] == column else -1


def _optimal(times: TravelTimes, limit: int | None, room: NDArray[np.float64], sizes: NDArray[np.float64]) -> _Found:
    found = _Found(times)
    rows = np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr))
    near = times.cost <= (times.limit if limit is None else limit)
    child, parent, cost = times.indices[near].astype(np.int64), rows[near], times.cost[near].astype(np.int64)
    child_order, parent_order = _by_id(times.cell_ids), _by_id(times.facilities.index)
    # Solved in the order of the ids, so that ties do not hang on the order of the rows.
    sorted_pairs = Pairs(_rank(child_order)[child], _rank(parent_order)[parent], cost)
    order = np.lexsort((sorted_pairs.parent, sorted_pairs.child))
    sorted_pairs = Pairs(*(part[order] for part in sorted_pairs))
    matched = np.full(len(sizes), -1, dtype=np.int64)
    if len(cost):
        matched = match_pairs(sorted_pairs, room[parent_order], sizes[child_order])
    linked = matched >= 0
    found.parent[child_order[linked]] = parent_order[matched[linked]]
    for at in np.flatnonzero(found.parent >= 0):
        found.cost[at] = _pair_cost(times, int(found.parent[at]), int(at))
    in_reach = np.isin(np.arange(len(sizes)), child)
    left = (found.parent < 0) & (found.reason == "")
    found.drop(left & in_reach, "full")
    found.drop(left & ~in_reach, "beyond")
    return found


def _by_id(ids: pd.Index) -> NDArray[np.int64]:
    return np.argsort(ids.astype(str).to_numpy().astype(str), kind="stable")


def _rank(order: NDArray[np.int64]) -> NDArray[np.int64]:
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _room(parents: GeoDataFrame, capacity: Capacity | None) -> tuple[NDArray[np.float64], list[str]]:
    """Room of every parent, infinite for no limit, and the parents whose capacity is not known."""
    if capacity is None:
        return np.full(len(parents), np.inf), []
    if isinstance(capacity, str):
        told = parents[capacity].to_numpy(dtype=float)
    elif isinstance(capacity, (int, float)):
        told = np.full(len(parents), float(capacity))
    else:
        told = np.array([float(capacity.get(str(key), np.nan)) for key in parents.index], dtype=float)
    if (told < 0).any():
        raise ValueError(f"a capacity must be 0 or more, not {told.min():g}")
    unknown = parents.index[np.isnan(told)].astype(str).tolist()
    return np.where(np.isnan(told), np.inf, told), unknown


def _check(times: TravelTimes, children: GeoDataFrame, rule: Rule, size: str | None) -> None:
    if not times.cell_ids.equals(children.index):
        raise ValueError(
            f"the travel times are for {len(times.cell_ids)} other children than the {len(children)} given; compute them with "
            "the parents as facilities and these children as cells"
        )
    if rule not in ("nearest", "stated", "optimal"):
        raise ValueError(f"no rule {rule!r}; there are: nearest, stated, optimal")
    if rule == "stated" and "parent" not in children:
        raise ValueError("rule='stated' needs a column 'parent' with the ids of the level above; add it or use rule='nearest'")
    if size is not None and (size not in children or not (children[size] > 0).all()):
        raise ValueError(f"the children need a column {size!r} of numbers above 0; complete it or leave size out")


def _per(times: TravelTimes) -> tuple[str, float]:
    return ("minutes", 60_000.0) if times.metric == "time" else ("metres", 1000.0)


def _names(table: GeoDataFrame) -> NDArray[np.object_]:
    named = table["name"] if "name" in table else table.index.to_series()
    return np.asarray(named.astype(str), dtype=object)


def _named(values: NDArray[np.object_], at: NDArray[np.int64]) -> NDArray[np.object_]:
    """Pick by position, "" for −1."""
    return np.append(values, "")[at]


def _link_table(times: TravelTimes, children: GeoDataFrame, found: _Found) -> pd.DataFrame:
    import pandas as pd

    measure, per = _per(times)
    ids, names = times.facilities.index.astype(str).to_numpy(dtype=object), _names(times.facilities)
    told = [REASONS.get(reason, ("", "")) for reason in found.reason]
    columns = {
        "name": _names(children),
        "parent": _named(ids, found.parent),
        "parent_name": _named(names, found.parent),
        measure: np.where(found.cost < 0, np.nan, found.cost / per),
        "nearest": _named(ids, times.nearest_facility.astype(np.int64)),
        f"{measure}_nearest": np.where(times.nearest_cost < 0, np.nan, times.nearest_cost / per),
        "reason": found.reason,
        "reason_zh": [zh for zh, _ in told],
        "reason_en": [en for _, en in told],
    }
    return pd.DataFrame(columns, index=children.index)


def _parent_table(
    times: TravelTimes, links: pd.DataFrame, found: _Found, room: NDArray[np.float64], sizes: NDArray[np.float64]
) -> pd.DataFrame:
    import pandas as pd

    measure, _ = _per(times)
    count = len(times.facilities)
    linked = found.parent >= 0
    load = np.bincount(found.parent[linked], weights=sizes[linked], minlength=count)
    by_parent = links[linked & links[measure].notna().to_numpy()].groupby("parent")[measure]
    ids = times.facilities.index.astype(str)
    farthest = by_parent.idxmax().astype(str) if len(by_parent) else pd.Series(dtype=object)
    table = pd.DataFrame(
        {
            "name": _names(times.facilities),
            "children": np.bincount(found.parent[linked], minlength=count),
            "load": load,
            "capacity": np.where(np.isfinite(room), room, np.nan),
            "spare": np.where(np.isfinite(room), room - load, np.nan),
            "over": load > room + HAIR * np.maximum(np.abs(room), 1.0),
            f"{measure}_mean": by_parent.mean().reindex(ids).to_numpy(dtype=float),
            f"{measure}_longest": by_parent.max().reindex(ids).to_numpy(dtype=float),
            "farthest": farthest.reindex(ids).fillna("").to_numpy(),
        },
        index=times.facilities.index,
    )
    return table


def _lines(times: TravelTimes, children: GeoDataFrame, links: pd.DataFrame) -> GeoDataFrame:
    """Straight lines from the child to the parent, or the other way round where the travel goes that way."""
    import geopandas as gpd
    import shapely

    measure, _ = _per(times)
    linked = links[links["parent"] != ""]
    row = times.facilities.index.astype(str).get_indexer(linked["parent"])
    child = shapely.get_coordinates(children.geometry.centroid.loc[linked.index].to_numpy()).reshape(-1, 2)
    parent = shapely.get_coordinates(times.facilities.geometry.centroid.to_numpy()[row]).reshape(-1, 2)
    ends = np.stack([child, parent] if times.direction == "to_facility" else [parent, child], axis=1)
    table = linked.rename_axis("child").reset_index()[["child", "name", "parent", "parent_name", measure]]
    return gpd.GeoDataFrame(table.rename(columns={"name": "child_name"}), geometry=shapely.linestrings(ends), crs=children.crs)


def _findings(links: pd.DataFrame, parents: pd.DataFrame, unknown: list[str]) -> list[Fault]:
    """Say what a planner must know: orphans by reason, parents with too many children, capacities not known."""
    found = []
    for reason, (zh, en) in REASONS.items():
        at = links[links["reason"] == reason]
        if len(at):
            said = (f"{len(at)} 个设施没有上级：{zh}", f"{len(at)} facilities have no parent: {en}")
            found.append(Fault(f"orphan_{reason}", "", *said, severity="noted", found=_some(at.index.astype(str).tolist())))
    over = parents[parents["over"]].index.astype(str).tolist()
    if over:
        said = (f"{len(over)} 个上级设施超出容量", f"{len(over)} parents have more children than they can take")
        found.append(Fault("parent_over_capacity", "", *said, severity="noted", found=_some(over)))
    if unknown:
        zh, en = (
            f"{len(unknown)} 个上级设施容量不明，按不限处理",
            f"{len(unknown)} parents of unknown capacity are taken as unlimited",
        )
        found.append(Fault("capacity_unknown", "", zh, en, severity="noted", found=_some(unknown)))
    return found


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:8]) + (f" … (+{len(ids) - 8})" if len(ids) > 8 else "")
