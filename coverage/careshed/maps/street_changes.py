"""Draw the streets that only one of two networks has: what opens and what closes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from careshed.maps.encode import lines_block
from careshed.maps.facts import Scope, first, number
from careshed.maps.layers import Layer, degrees, rows
from careshed.maps.panel import Switch
from careshed.maps.text import count
from careshed.maps.wording import CHANGES, told
from careshed.words import pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.intake.streets import Streets

SAME_M: Final = 1.0
"""Streets of two networks that run within so many metres of each other are one street, drawn or cut otherwise."""

LEAST_M: Final = 3.0
"""Shorter remains of a street are no change: they are what joining it elsewhere moved."""

LISTED: Final = 20
"""Streets listed beside the map, the longest first; the map shows all."""

KINDS: Final = ("opened", "shut")
"""Layers of the page: streets that only the network after has, and those that only the network before has."""

_Lines = NDArray[np.object_]


def changed_streets(before: Streets, after: Streets, crs: str) -> GeoDataFrame:
    """List the streets that open and those that close between two networks, by where they run and not by their numbers.

    Returns
    -------
    geopandas.GeoDataFrame
        ``kind`` (``opened``, ``shut``), ``name``, ``length_m`` and the lines in `crs`; pieces of one name are one street. What
        opens comes first, then the longest.
    """
    import geopandas as gpd
    import pandas as pd

    if before is after:
        return gpd.GeoDataFrame({"kind": [], "name": [], "length_m": []}, geometry=[], crs=crs)
    old, new = before.lines(crs), after.lines(crs)
    old, new = _unlike(old, new), _unlike(new, old)
    parts = [("opened", _only(new, old)), ("shut", _only(old, new))]
    table = pd.concat([part.assign(kind=kind) for kind, part in parts])
    table["length_m"] = shapely.length(np.asarray(table.geometry.array, dtype=object))
    return table.sort_values(["kind", "length_m"], ascending=[True, False], kind="stable").reset_index(drop=True)


def _unlike(lines: GeoDataFrame, others: GeoDataFrame) -> GeoDataFrame:
    """Ways whose line no way of the other network has exactly."""
    known = set(shapely.to_wkb(np.asarray(others.geometry.array, dtype=object)).tolist())
    mine = shapely.to_wkb(np.asarray(lines.geometry.array, dtype=object)).tolist()
    return lines[np.array([one not in known for one in mine], dtype=bool)]


def _only(lines: GeoDataFrame, others: GeoDataFrame) -> GeoDataFrame:
    """What runs along none of the others, by name; ways without one stand for themselves."""
    import geopandas as gpd

    shapes: _Lines = np.asarray(lines.geometry.array, dtype=object)
    left = _without(shapes, np.asarray(others.geometry.array, dtype=object))
    kept = shapely.length(left) >= LEAST_M
    names = [str(name) for name in lines["name"][kept]]
    by_name: dict[str, list[shapely.Geometry]] = {}
    for at, (name, line) in enumerate(zip(names, left[kept], strict=True)):
        by_name.setdefault(name or f"\0{at}", []).extend(shapely.get_parts(line))
    merged = [shapely.line_merge(shapely.MultiLineString(parts)) for parts in by_name.values()]
    told_names = ["" if name.startswith("\0") else name for name in by_name]
    return gpd.GeoDataFrame({"name": told_names}, geometry=merged, crs=lines.crs)


def _without(lines: _Lines, others: _Lines) -> _Lines:
    """Take from each line what runs along another; a line of which next to nothing is taken stays whole."""
    wide = shapely.buffer(others, SAME_M, quad_segs=2, cap_style="flat")
    mine, theirs = shapely.STRtree(wide).query(lines, predicate="intersects")
    left = lines.copy()
    for at in np.unique(mine).tolist():
        left[at] = shapely.difference(lines[at], shapely.union_all(wide[theirs[mine == at]]))
    ends = 4 * SAME_M
    whole = shapely.length(left) >= shapely.length(lines) - ends
    return np.where(whole & (shapely.length(lines) > ends), lines, left)


def street_change_layers(changed: GeoDataFrame, scope: Scope) -> dict[str, Layer]:
    """Draw what opens and what closes, each with its name and length on hover."""
    drawn = degrees(changed)
    found: dict[str, Layer] = {}
    for kind in KINDS:
        part = drawn[drawn["kind"] == kind]
        lines = np.asarray(part.geometry.array, dtype=object)
        if len(lines):
            tips = [street_tip(row, scope) for row in (row for _, row in rows(part))]
            found[kind] = {"lines": lines_block(lines), "parts": shapely.get_num_geometries(lines).tolist(), "tips": tips}
    return found


def street_tip(row: Mapping[str, object], scope: Scope) -> list[str]:
    """Word a street that opens or closes: its name, what becomes of it, its length."""
    what = told(CHANGES, scope.lang, first(row, "kind"))
    return [first(row, "name") or pick(scope.lang, "（无名道路）", "(street without a name)"), what, metres_text(row, scope)]


def metres_text(row: Mapping[str, object], scope: Scope) -> str:
    """Word the length of a street."""
    return pick(scope.lang, f"{count(number(row, 'length_m'))} 米", f"{count(number(row, 'length_m'))} m")


def street_switches(changed: GeoDataFrame, scope: Scope) -> list[Switch]:
    """Explain the lines of streets that open and close."""
    found = []
    for kind in KINDS:
        lengths = changed.loc[changed["kind"] == kind, "length_m"]
        if len(lengths):
            detail = told(CHANGES, scope.lang, "streets_count", len(lengths), count(float(lengths.sum())))
            found.append(Switch(kind, told(CHANGES, scope.lang, kind), detail, kind))
    return found


def street_rows(changed: GeoDataFrame, scope: Scope) -> dict[str, object] | None:
    """List the streets that open and close, the longest of each; None where no street changes."""
    if not len(changed):
        return None
    place = changed.groupby("kind").cumcount().tolist()
    listed = [
        {
            "kind": first(row, "kind"),
            "place": at,
            "name": street_tip(row, scope)[0],
            "where": metres_text(row, scope),
            "state": told(CHANGES, scope.lang, first(row, "kind")),
        }
        for at, (_, row) in zip(place, rows(changed), strict=True)
        if at < LISTED
    ]
    more = len(changed) - len(listed)
    return {"rows": listed, "more": told(CHANGES, scope.lang, "streets_more", more) if more else ""}
