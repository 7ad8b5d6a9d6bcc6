"""Add planned streets to a network and take closed ones away: what if this bridge opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from careshed.intake.columns import plain
from careshed.intake.sources import SourceTable, as_text
from careshed.intake.streets.lines.joins import join_faults, planned_words, street_words
from careshed.intake.streets.lines.noding import Lines, Noded, node_lines
from careshed.intake.streets.lines.reading import (
    TOLERANCE_M,
    Back,
    joint_faults,
    levels_of,
    line_table,
    located_lines,
    tags_of,
)
from careshed.intake.streets.model import Streets
from careshed.intake.streets.tagging import way_table
from careshed.schema import Checked, Fault

if TYPE_CHECKING:
    from careshed.datum import Datum

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

REACH_M: Final = 5.0
"""A street is closed where it runs within so many metres of a closing line: two drawings of one road differ by as much."""

ACTIONS: Final[dict[str, str]] = {
    plain(word): action
    for action, words in (
        ("add", "新增 新建 增加 规划 拟建 开通 add new build open planned"),
        ("remove", "删除 拆除 关闭 封闭 减少 中断 remove delete close closed"),
    )
    for word in words.split()
}
"""Words of the action column -> what happens."""


@dataclass(frozen=True)
class Edits:
    """Lines that change a network, in degrees."""

    table: SourceTable
    added: NDArray[np.object_]
    tags: list[dict[str, str]]
    level: Ints
    row: Ints
    """Row of the file of each line added."""
    removed: NDArray[np.object_]
    removed_row: Ints


def edit_streets(
    streets: Streets,
    path: str | Path,
    *,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    tolerance_m: float = TOLERANCE_M,
    crossings: bool = True,
) -> Checked[Streets]:
    """Change streets by a layer of planned and closed ones; the streets given stay as they are.

    The layer is read as `read_street_lines` reads one. Its column ``action`` (变更: 新增, 删除) says whether a line is added, as
    all are where there is no such column, or closes the streets along it. Added lines join what they meet: ends within the
    tolerance of a street, and, unless they are bridges or tunnels, the streets they cross. Streets along a closing line (both
    ends and the middle of a straight piece within 5 m of it) are taken out; what crosses it stays.

    Returns
    -------
    Checked[Streets]
        Added ways are numbered −1, −2, … below all others. What each added line joins is told, with every end that joins
        nothing, and so is every closure.

    Raises
    ------
    careshed.schema.InputError
        If the layer cannot be read, or an action is not known.
    """
    faults: list[Fault] = []
    edits = _read(path, layer, columns, crs, datum, faults)
    lowest = min(0, int(streets.ways.index.min()))
    if len(edits.removed):
        streets = _without(streets, edits, faults)
    if len(edits.added):
        streets = _with(streets, edits, lowest, tolerance_m, crossings, faults)
    return Checked(streets, tuple(faults))


def _read(
    path: str | Path,
    layer: str | None,
    columns: Mapping[str, str] | None,
    crs: str | None,
    datum: Datum | None,
    faults: list[Fault],
) -> Edits:
    table, noted = line_table(path, layer, columns)
    faults += noted
    actions = _actions(table, faults)
    shapes, row = located_lines(table, crs, datum, faults)
    adds = actions[row] == "add"
    told: list[Fault] = []
    tags = tags_of(table, told)
    levels = levels_of(table, tags, told)
    faults += told if adds.any() else []  # a line that only closes needs no class
    kept = row[adds]
    return Edits(
        table, shapes[adds], [tags[at] for at in kept.tolist()], levels[kept], table.rows[kept],
        shapes[~adds], table.rows[row[~adds]],
    )  # fmt: skip


def _actions(table: SourceTable, faults: list[Fault]) -> NDArray[np.str_]:
    """Read what each row does; a blank one adds."""
    found = []
    for at, value in enumerate(table.column("action")):
        text = as_text(value)
        action = ACTIONS.get(plain(text)) if text else "add"
        if action is None:
            told = ("变更类型不认识", "is no known action")
            cure = ("可用：新增、删除。", "Accepted: add, remove.")
            faults.append(table.fault("unknown_action", told, cure, at=at, column="action", found=text))
        found.append(action or "add")
    return np.array(found, dtype="<U6")


def _without(streets: Streets, edits: Edits, faults: list[Fault]) -> Streets:
    """Take out the straight pieces that run along a closing line; what is left of a way goes on as ways of its own."""
    back = Back(float(np.median(streets.lon)), float(np.median(streets.lat)))
    x, y = back.forth(streets.lon, streets.lat)
    ends = np.ones(len(streets.way_node), dtype=bool)
    ends[streets.way_ptr[1:] - 1] = False
    start = np.flatnonzero(ends)
    a, b = streets.way_node[start], streets.way_node[start + 1]
    closed = np.zeros(len(start), dtype=bool)
    way = np.searchsorted(streets.way_ptr, start, side="right") - 1
    for line, row in zip(edits.removed, edits.removed_row.tolist(), strict=True):
        moved = shapely.transform(line, lambda xy: np.column_stack(back.forth(xy[:, 0], xy[:, 1])))
        area = shapely.buffer(moved, REACH_M)
        shapely.prepare(area)
        inside = shapely.contains_xy(area, x, y)
        mine = inside[a] & inside[b] & shapely.contains_xy(area, (x[a] + x[b]) / 2, (y[a] + y[b]) / 2)
        at = np.flatnonzero(mine)
        mine[at] = _runs_along(moved, np.column_stack([x[a[at]], y[a[at]]]), np.column_stack([x[b[at]], y[b[at]]]))
        faults.append(_closure(edits, row, np.hypot(x[a] - x[b], y[a] - y[b])[mine].sum(), len(np.unique(way[mine]))))
        closed |= mine
    return _cut(streets, start[closed])


def _runs_along(line: shapely.LineString, first: Floats, last: Floats) -> Bools:
    """Tell which straight pieces run along a line rather than across it: they get on by at least half their length."""
    start, stop = (shapely.line_locate_point(line, shapely.points(ends)) for ends in (first, last))
    along: Bools = np.abs(stop - start) >= 0.5 * np.hypot(*(last - first).T)
    return along


def _closure(edits: Edits, row: int, metres: float, ways: int) -> Fault:
    if not ways:
        told = (
            "没有关闭任何道路：5 米内没有整段与之并行的道路（一段自一个折点至下一个折点，请画过折点）",
            "closes no street: no whole piece of one, from vertex to vertex, lies within 5 m of it",
        )
        return replace(edits.table.fault("closes_nothing", told, severity="noted"), row=str(row))
    told = (f"关闭 {metres:,.0f} 米道路，涉及 {ways} 条", f"closes {metres:,.0f} m of {ways} streets")
    return replace(edits.table.fault("closed", told, severity="noted"), row=str(row))


def _cut(streets: Streets, gone: NDArray[np.intp]) -> Streets:
    """Take out the pieces that start at some positions of ``way_node``; runs of one node vanish."""
    last = np.zeros(len(streets.way_node), dtype=bool)
    last[streets.way_ptr[1:] - 1] = True
    last[gone] = True
    stops = np.flatnonzero(last) + 1
    starts = np.concatenate([[0], stops[:-1]])
    kept = stops - starts > 1
    starts, stops = starts[kept], stops[kept]
    owner = np.searchsorted(streets.way_ptr, starts, side="right") - 1
    node = np.concatenate([np.zeros(0, np.int32), *(streets.way_node[i:j] for i, j in zip(starts, stops, strict=True))])
    return replace(
        streets,
        ways=streets.ways.iloc[owner],
        way_ptr=np.concatenate([[0], np.cumsum(stops - starts)]).astype(np.int64),
        way_node=node.astype(np.int32),
    )


def _with(streets: Streets, edits: Edits, lowest: int, tolerance_m: float, crossings: bool, faults: list[Fault]) -> Streets:
    """Add lines, joined with the streets around them."""
    near = _near(streets, edits)
    lines, back, ways = _lines(streets, edits, near)
    noded = node_lines(lines, tolerance_m=tolerance_m, crossings=crossings)
    labels = np.concatenate([streets.ways.index.to_numpy()[ways], edits.row])
    faults += [fault for fault in joint_faults(noded, labels, edits.table) if fault.code != "end_at_vertex"]
    loose = _loose(noded, len(ways), len(edits.added))
    if loose:
        rows = ", ".join(str(edits.row[at]) for at in loose)
        told = (f"第 {rows} 行新增道路没有接上任何现有道路", f"planned streets in rows {rows} join no street")
        cure = ("请核对端点位置，或调大 tolerance_m。", "Check where they end, or raise tolerance_m.")
        faults.append(edits.table.fault("joins_nothing", told, cure, severity="noted"))
    names = streets.ways["name"].iloc[ways]
    called = [street_words(str(name), int(way)) for way, name in names.items()]  # type: ignore[call-overload]
    called += [planned_words(row) for row in edits.row.tolist()]
    faults += join_faults(noded, called, edits.row, edits.table, loose=loose)
    return _merged(streets, edits, noded, back, ways, lowest)


def _near(streets: Streets, edits: Edits) -> Ints:
    """Ways whose bounds come within about a hundred metres of a line added."""
    west, south, east, north = shapely.total_bounds(edits.added) + np.array([-0.001, -0.001, 0.001, 0.001])
    lon, lat = streets.lon[streets.way_node], streets.lat[streets.way_node]
    first = streets.way_ptr[:-1]
    low_x, high_x = np.minimum.reduceat(lon, first), np.maximum.reduceat(lon, first)
    low_y, high_y = np.minimum.reduceat(lat, first), np.maximum.reduceat(lat, first)
    return np.flatnonzero((high_x >= west) & (low_x <= east) & (high_y >= south) & (low_y <= north)).astype(np.int64)


def _lines(streets: Streets, edits: Edits, near: Ints) -> tuple[Lines, Back, Ints]:
    """Lay the ways near and the lines added out as arrays in metres."""
    counts = np.diff(streets.way_ptr)[near]
    at = np.repeat(streets.way_ptr[near] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    node = streets.way_node[at].astype(np.int64)
    xy, line = shapely.get_coordinates(edits.added, return_index=True)
    back = Back(float(np.median(xy[:, 0])), float(np.median(xy[:, 1])))
    x, y = back.forth(np.concatenate([streets.lon[node], xy[:, 0]]), np.concatenate([streets.lat[node], xy[:, 1]]))
    ptr = np.concatenate([[0], np.cumsum(np.concatenate([counts, np.bincount(line, minlength=len(edits.added))]))])
    ways = streets.ways.iloc[near]
    own = np.where(ways["bridge"], 1, np.where(ways["tunnel"], -1, 0)).astype(np.int64)
    fresh = np.arange(len(ptr) - 1) >= len(near)
    known = np.concatenate([node, np.full(len(xy), -1, dtype=np.int64)])
    return Lines(x, y, ptr.astype(np.int64), np.concatenate([own, edits.level]), fresh, known), back, near


def _loose(noded: Noded, old: int, new: int) -> list[int]:
    """Lines added that share no node with a street, directly or through other lines added."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    line = np.repeat(np.arange(old + new), np.diff(noded.ptr))
    count = old + new
    graph = coo_array((np.ones(len(line), np.int8), (line, count + noded.node)), shape=(count + len(noded.x),) * 2)
    label = connected_components(graph.tocsr(), directed=False)[1]
    met = np.isin(label[old:count], label[:old])
    return np.flatnonzero(~met).tolist()


def _merged(streets: Streets, edits: Edits, noded: Noded, back: Back, near: Ints, lowest: int) -> Streets:
    """Put ways with their new nodes back in place, and the lines added behind them."""
    lon, lat = back(noded.x, noded.y)
    new = np.flatnonzero(noded.known < 0)
    place = noded.known.copy()
    place[new] = len(streets.node_id) + np.arange(len(new))
    runs = [streets.way_node[a:b] for a, b in zip(streets.way_ptr[:-1], streets.way_ptr[1:], strict=True)]
    chains = [place[noded.node[a:b]].astype(np.int32) for a, b in zip(noded.ptr[:-1], noded.ptr[1:], strict=True)]
    for way, chain in zip(near.tolist(), chains, strict=False):
        runs[way] = chain
    runs += chains[len(near) :]
    table, _ = way_table((lowest - 1 - np.arange(len(edits.added))).tolist(), edits.tags)
    bits = streets.node_bits
    return replace(
        streets,
        node_id=np.concatenate([streets.node_id, min(0, int(streets.node_id.min())) - 1 - np.arange(len(new))]),
        lon=np.concatenate([streets.lon, lon[new]]),
        lat=np.concatenate([streets.lat, lat[new]]),
        ways=pd.concat([streets.ways, table[[name for name in table.columns if name in streets.ways.columns]]]),
        way_ptr=np.concatenate([[0], np.cumsum([len(run) for run in runs])]).astype(np.int64),
        way_node=np.concatenate(runs).astype(np.int32),
        node_bits=None if bits is None else np.concatenate([bits, np.zeros(len(new), dtype=np.uint8)]),
    )
