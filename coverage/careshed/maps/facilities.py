"""Draw facilities by size and load, and the lines to the people they take."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.maps.encode import points_block, varints
from careshed.maps.facts import Scope, first, number
from careshed.maps.layers import Layer, degrees, located, rows
from careshed.maps.text import count, say, share
from careshed.maps.wording import PLACES, told
from careshed.words import pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes

LOAD_COLOURS: Final = ("#ffffff", "#f1f2fa", "#b3b9dc", "#646ead", "#232c63", "#232c63")
"""Places unknown; under half taken, under four fifths, nearly full, full, over-full (which has a ring as well)."""

LOAD_BREAKS: Final = (0.5, 0.8, 0.9995, 1.0005)
"""Lower ends of the classes of load from the second on; full is full to half a thousandth, as people need not be whole."""

LARGEST_PX: Final = 15.0
"""Radius of the largest circle, pixels."""

MANY: Final = 150
"""With more facilities than this, circles are smaller."""

SMALLEST_PX: Final = 3.0

LINES_AT_ONCE: Final = 5000
"""More links than this are shown facility by facility only."""

LISTED: Final = 40
"""Facilities listed at the top of the list, where there are many."""

LISTED_END: Final = 15
"""Facilities listed at its end, those with the most room."""


def load_class(load: float) -> int:
    """Give the class of a load: 0 unknown, 1 to 3 with room, 4 full, 5 over-full.

    >>> [load_class(load) for load in (float("nan"), 0.0, 0.5, 0.9, 1.0, 1.2)]
    [0, 1, 2, 3, 4, 5]
    """
    return 0 if math.isnan(load) else 1 + int(np.searchsorted(LOAD_BREAKS, load, side="right"))


def load_table(times: TravelTimes, assigned: pd.DataFrame, cells: pd.DataFrame, limit: int) -> GeoDataFrame:
    """Join what facilities are with what the assignment makes of them, in the order of the travel times.

    Returns
    -------
    GeoDataFrame
        The facilities of the travel times with ``places``, ``served``, ``spare``, ``load`` (served of places, NaN unknown),
        ``in_reach`` (people within the limit) and ``waiting`` (those of them who find no place anywhere).
    """
    columns = ["places", "served", "spare", "load"]
    table = times.facilities.drop(columns=columns, errors="ignore").join(assigned[columns])
    row = np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr))
    near = times.cost <= limit
    for name, people in (("in_reach", cells["people"]), ("waiting", cells["no_place"])):
        weights = people.to_numpy(dtype=float)[times.indices[near]]
        table[name] = np.bincount(row[near], weights=weights, minlength=len(table))
    return table


def scale_px(places: NDArray[np.float64]) -> float:
    """Pixels of radius for the square root of one place: area stands for places."""
    largest = float(np.nanmax(places, initial=0.0))
    top = LARGEST_PX if len(places) <= MANY else LARGEST_PX * 0.6
    return top / math.sqrt(largest) if largest > 0 else 0.0


def places_layer(table: GeoDataFrame, links: pd.DataFrame, cells: GeoDataFrame, scope: Scope) -> Layer:
    """Draw each facility as a circle, its area by places and its colour by load, with the links to the cells it takes from."""
    drawn = degrees(table)
    listed = rows(drawn)
    scale = scale_px(drawn["places"].to_numpy(dtype=float))
    radii = [max(scale * math.sqrt(max(_or_zero(number(row, "places")), 0.0)), SMALLEST_PX) for _, row in listed]
    return {
        "points": points_block(np.asarray(drawn.geometry.array, dtype=object)),
        "radii": [round(radius, 1) for radius in radii],
        "classes": [load_class(number(row, "load")) for _, row in listed],
        "colours": list(LOAD_COLOURS),
        "tips": [facility_tip(row, scope) for _, row in listed],
        "links": links_block(links, drawn.index, cells),
    }


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def facility_tip(row: Mapping[str, object], scope: Scope) -> list[str]:
    """Put places, load and those who wait into words."""
    lang, waiting, reach = scope.lang, number(row, "waiting"), count(number(row, "in_reach"))
    lines = [first(row, "name") or pick(lang, "（无名称）", "(no name)"), first(row, "type"), taken_text(row, scope)]
    lines.append(pick(lang, f"可达范围内 {reach} 人", f"{reach} people in reach"))
    if waiting >= 0.5:
        lines.append(pick(lang, f"其中 {count(waiting)} 人到处无空位", f"{count(waiting)} of them find no place anywhere"))
    return [line for line in lines if line]


def taken_text(row: Mapping[str, object], scope: Scope) -> str:
    """Say how many of a facility's places are taken."""
    places, served = number(row, "places"), number(row, "served")
    if math.isnan(places):
        return told(PLACES, scope.lang, "unknown_places")
    part, taken = share(served, places), count(_or_zero(served))
    return pick(scope.lang, f"{count(places)} 位，已用 {taken}（{part}）", f"{taken} of {count(places)} places taken ({part})")


def links_block(links: pd.DataFrame, facilities: pd.Index[str], cells: GeoDataFrame) -> dict[str, object]:
    """Pack the links facility by facility: cells as steps from one to the next, people in whole numbers, at least 1."""
    at = facilities.get_indexer(pd.Index(links["facility_id"]))
    column = cells.index.get_indexer(pd.Index(links["cell_id"]))
    people = np.maximum(np.rint(links["people"].to_numpy(dtype=float)), 1).astype(np.int64)
    order = np.lexsort((column, at))
    order = order[(at[order] >= 0) & (column[order] >= 0)]
    at, people = at[order], people[order]
    cell, column = np.unique(column[order], return_inverse=True)
    first_of = np.flatnonzero(np.diff(at, prepend=-1))
    steps = np.diff(column, prepend=0)
    steps[first_of] = column[first_of]
    points = np.asarray(degrees(cells.iloc[cell]).geometry.array, dtype=object)
    counts = np.bincount(at, minlength=len(facilities))
    packed = {"n": counts, "cell": steps, "people": people}
    block: dict[str, object] = {"cells": points_block(points)}
    return block | {name: base64.b64encode(varints(values.astype(np.int64))).decode("ascii") for name, values in packed.items()}


def facility_rows(table: GeoDataFrame, units: GeoDataFrame | None, scope: Scope) -> list[dict[str, object]]:
    """List the facilities by load, the fullest first; of equally full ones that where most people wait."""
    drawn = located(table).reset_index(drop=True)
    order = drawn.assign(load=drawn["load"].fillna(-1.0)).sort_values(
        ["load", "waiting", "places"], ascending=[False, False, False], kind="stable"
    )
    names = units["name"] if units is not None else pd.Series(dtype=object)
    listed = dict(rows(drawn))
    return [_facility_row(int(str(place)), listed[place], names, scope) for place in order.index]


def _facility_row(place: int, row: Mapping[str, object], names: pd.Series, scope: Scope) -> dict[str, object]:
    load, waiting = number(row, "load"), number(row, "waiting")
    kind = load_class(load)
    state = {0: "unknown_places", 4: "full", 5: "over"}.get(kind, "")
    unit = first(row, "unit")
    waits = pick(scope.lang, f"可达范围内还有 {count(waiting)} 人无位", f"{count(waiting)} in reach without a place")
    return {
        "place": place,
        "name": first(row, "name") or pick(scope.lang, "（无名称）", "(no name)"),
        "where": str(names.get(unit, "")) if unit else "",
        "waits": waits if waiting >= 0.5 else "",
        "figures": "–" if kind == 0 else f"{count(_or_zero(number(row, 'served')))} / {count(number(row, 'places'))}",
        "state": told(PLACES, scope.lang, state) if state else f"{load:.0%}",
        "kind": kind,
        "width": f"{100 * min(load, 1.0):.0f}" if kind else "0",
    }


def facility_lists(listed: list[dict[str, object]], scope: Scope) -> list[tuple[str, list[dict[str, object]]]]:
    """Cut a long list to its two ends, each with a heading that says so."""
    if len(listed) <= LISTED + LISTED_END:
        return [("", listed)]
    return [
        (told(PLACES, scope.lang, "load_start", LISTED, count(len(listed))), listed[:LISTED]),
        (told(PLACES, scope.lang, "load_end", LISTED_END), listed[-LISTED_END:]),
    ]


def supply_lines(table: GeoDataFrame, in_reach: float, scope: Scope) -> list[str]:
    """Say how many places there are, how many are taken, and how far they go."""
    known = table[table["places"].notna()]
    places, served = (float(known[name].sum()) for name in ("places", "served"))
    free, over = (float(part.clip(lower=0).sum()) for part in (known["spare"], -known["spare"]))
    lines = [told(PLACES, scope.lang, "supply", count(len(known)), count(places), count(served), count(free))]
    if over >= 0.5:
        lines.append(told(PLACES, scope.lang, "supply_over", count(over)))
    if len(known) < len(table):
        lines.append(told(PLACES, scope.lang, "supply_unknown", count(len(table) - len(known))))
    if in_reach > 0:
        lines.append(told(PLACES, scope.lang, "demand_gap", 100 * places / in_reach))
    return lines


def size_legend(table: GeoDataFrame) -> list[tuple[float, float, str]]:
    """Give three circles with their radius in pixels, their width in the legend and the places they stand for."""
    places = table["places"].to_numpy(dtype=float)
    scale, largest = scale_px(places), float(np.nanmax(places, initial=0.0))
    if not largest > 0:
        return []
    step = 10.0 ** math.floor(math.log10(largest))
    top = math.floor(largest / step) * step
    shown = [value for value in dict.fromkeys((round(top / 10), round(top / 3), round(top))) if value >= 1]
    radii = [max(scale * math.sqrt(value), SMALLEST_PX) for value in shown]
    return [(round(radius, 1), round(2 * radius + 3, 1), count(value)) for radius, value in zip(radii, shown, strict=True)]


def load_steps(scope: Scope) -> tuple[tuple[str, str], ...]:
    """Explain the colours of load."""
    labels = ("<50%", "≥50%", "≥80%", told(PLACES, scope.lang, "full"))
    return tuple(zip(LOAD_COLOURS[1:5], labels, strict=True))


def label_all(table: GeoDataFrame, scope: Scope) -> str:
    """Count the facilities, over-full ones named apart."""
    over = int(sum(load_class(float(load)) == 5 for load in table["load"]))
    many = say(scope.lang, "places_count", count(len(table)))
    more = pick(scope.lang, f"，超员 {count(over)} 处", f", {count(over)} over-full")
    return many + (more if over else "")
