"""Say and paint who gains and who loses between two runs: in all, by cell and by unit; and what opened or closed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from careshed.access import ALL
from careshed.maps.encode import points_block
from careshed.maps.facts import Scope, first, number
from careshed.maps.layers import NO_CLASS, Layer, Shade, degrees, located, rows
from careshed.maps.panel import Legend, bar_of
from careshed.maps.population import painted_cells
from careshed.maps.text import count, in_sentence, say, share
from careshed.maps.units import listed_tier, units_of_tier
from careshed.maps.wording import CHANGES, limit_text, signed, signed_points, told
from careshed.words import group_name, level_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.schema import Grid
    from careshed.supply.compare import Comparison

GAIN: Final = ("#a9c9e8", "#5b94cd", "#1f5490")
LOSE: Final = ("#f3c3a6", "#e08450", "#b0420f")
SAME: Final = ("#c9d3d0", "#e4e0d9", "#9aa1a8")
"""In reach before and after; out of reach before and after; cannot be judged."""

SAVED_COLOURS: Final = (*reversed(LOSE), "#e4e0d9", *GAIN)
"""Change of walking time, from much longer over unchanged to much shorter."""

SAVED_BREAKS: Final[dict[str, tuple[float, ...]]] = {
    "minutes": (-10.0, -5.0, -1.0, 1.0, 5.0, 10.0),
    "metres": (-800.0, -400.0, -50.0, 50.0, 400.0, 800.0),
}
"""Saved minutes or metres at which the classes part; a minute either way is no change that anybody notices."""

POINT_BREAKS: Final = (-20.0, -5.0, -0.5, 0.5, 5.0, 20.0)
"""Percentage points at which the classes of units part."""


def people_breaks(change: Comparison) -> list[float]:
    """Split the people of cells that gain or lose into three classes of about as many cells each, at whole people.

    >>> from types import SimpleNamespace
    >>> cells = pd.DataFrame({"state": ["gain"] * 9 + ["both"], "people": [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 1000]})
    >>> people_breaks(SimpleNamespace(cells=cells))
    [4.0, 6.0]
    """
    here = change.cells["state"].isin(["gain", "lose"]) & (change.cells["people"] > 0)
    if not here.any():
        return []
    thirds = np.quantile(change.cells.loc[here, "people"], [1 / 3, 2 / 3])
    return sorted({float(max(round(float(value)), 1)) for value in thirds})


def change_layer(cells: GeoDataFrame, change: Comparison, grid: Grid | None) -> Layer:
    """Paint the cells that gain blue and those that lose orange, darker where more people live."""
    state = change.cells["state"].to_numpy()
    people = change.cells["people"].to_numpy(dtype=float)
    step = np.searchsorted(people_breaks(change), people, side="right")
    base = {"gain": 1, "lose": 4, "both": 7, "neither": 8, "unjudged": 9}
    first_class = np.array([base[str(one)] for one in state], dtype=np.int64)
    moved = (state == "gain") | (state == "lose")
    classes = np.where(people > 0, first_class + np.where(moved, step, 0), 0).astype(np.uint8)
    return painted_cells(cells, classes, (*GAIN, *LOSE, *SAME), grid)


def change_legends(change: Comparison, scope: Scope) -> list[Legend]:
    """Explain the colours of gain and loss, and of cells without change."""
    lang, breaks = scope.lang, [f"{value:g}" for value in people_breaks(change)]
    labels = [f"<{breaks[0]}", *(f"≥{value}" for value in breaks)] if breaks else [""]
    unit = told(CHANGES, lang, "people_cell")
    found = []
    for state, colours in (("gain", GAIN), ("lose", LOSE)):
        if (change.cells["state"] == state).any():
            steps = tuple(zip(colours, labels, strict=False))
            found.append(Legend("change", told(CHANGES, lang, f"{state}_steps"), steps, unit, shown=True))
    same = (told(CHANGES, lang, "both"), told(CHANGES, lang, "neither"), say(lang, "unjudged"))
    return [*found, Legend("change", told(CHANGES, lang, "both_steps"), tuple(zip(SAME, same, strict=True)))]


def measure_of(change: Comparison) -> str:
    """Name what the runs measure: ``minutes`` or ``metres``."""
    return "minutes" if change.limit_minutes is not None else "metres"


def saved_layer(cells: GeoDataFrame, change: Comparison, grid: Grid | None) -> Layer | None:
    """Paint how much shorter or longer the walk to the nearest facility is; unknown and uninhabited cells stay clear."""
    measure = measure_of(change)
    saved = change.cells[f"{measure}_saved"].to_numpy(dtype=float)
    shown = (change.cells["people"].to_numpy(dtype=float) > 0) & ~np.isnan(saved)
    if not shown.any():
        return None
    classes = np.where(shown, 1 + np.searchsorted(SAVED_BREAKS[measure], saved, side="right"), 0).astype(np.uint8)
    return painted_cells(cells, classes, SAVED_COLOURS, grid)


def saved_legend(change: Comparison, scope: Scope) -> Legend:
    """Explain the colours of time saved; a minus is a shorter walk."""
    measure = measure_of(change)
    few, some, much = (f"{value:g}" for value in SAVED_BREAKS[measure][3:])
    labels = (f"+{much}", f"+{some}", f"+{few}", f"±{few}", f"−{few}", f"−{some}", f"−{much}")
    title = told(CHANGES, scope.lang, "saved" if measure == "minutes" else "saved_m")
    unit = pick(scope.lang, "分钟", "minutes") if measure == "minutes" else pick(scope.lang, "米", "m")
    return Legend("saved", title, tuple(zip(SAVED_COLOURS, labels, strict=True)), unit)


def unit_rows(change: Comparison) -> dict[str, Mapping[str, object]]:
    """Read the comparison's table by unit."""
    return {str(key): row for key, row in rows(change.units)}


def _share_of(row: Mapping[str, object], covered: str, people: str) -> float:
    whole = number(row, people)
    return number(row, covered) / whole if whole > 0 else math.nan


def _shares(row: Mapping[str, object]) -> tuple[float, float]:
    return _share_of(row, "covered_before", "people_before"), _share_of(row, "covered_after", "people")


def point_shade(by_unit: Mapping[str, Mapping[str, object]], scope: Scope) -> Shade:
    """Colour a unit by the change of its share in percentage points, and put gains and losses into words."""

    def shade(unit: str, row: Mapping[str, object]) -> tuple[int, list[str]]:
        heading = f"{first(row, 'name')} · {level_name(first(row, 'level'), scope.lang)}"
        values = by_unit.get(unit)
        before, after = _shares(values) if values is not None else (math.nan, math.nan)
        if values is None or math.isnan(after - before):
            return NO_CLASS, [heading, say(scope.lang, "no_people")]
        kind = int(np.searchsorted(POINT_BREAKS, round(100 * (after - before), 6), side="right"))
        was = f"{before:.1%} → {after:.1%}"
        moved = [f"{told(CHANGES, scope.lang, name)} {count(number(values, name))}" for name in ("gain", "lose")]
        return kind, [heading, was, pick(scope.lang, "，", ", ").join(moved)]

    return shade


def point_legend(tiers: list[str], scope: Scope) -> Legend:
    """Explain the colours of units."""
    few, some, much = (f"{value:g}" for value in POINT_BREAKS[3:])
    labels = (f"−{much}", f"−{some}", f"−{few}", f"±{few}", f"+{few}", f"+{some}", f"+{much}")
    title = told(CHANGES, scope.lang, "points")
    return Legend(" ".join(tiers), title, tuple(zip(SAVED_COLOURS, labels, strict=True)), title)


def change_sentence(change: Comparison, scope: Scope) -> str:
    """Say in one sentence how many are in reach before and after, who gains and who loses."""
    row = unit_rows(change)[ALL]
    lang = scope.lang
    before, after = _shares(row)
    figures = {name: count(number(row, name)) for name in ("people", "people_before", "gain", "lose")}
    sentence = told(
        CHANGES,
        lang,
        "key",
        place=scope.place,
        who=group_name(scope.group, lang),
        limit=limit_text(lang, change.limit_minutes, change.limit_metres),
        target=in_sentence(scope.service),
        after=count(number(row, "covered_after")),
        before=count(number(row, "covered_before")),
        after_part="–" if math.isnan(after) else f"{after:.1%}",
        before_part="–" if math.isnan(before) else f"{before:.1%}",
        **figures,
    )
    unjudged = number(row, "unjudged")
    return sentence + (say(lang, "key_unjudged", count(unjudged)) if unjudged >= 0.5 else say(lang, "key_end"))


def more_sentences(change: Comparison, scope: Scope) -> list[str]:
    """Say what the key sentence leaves out: people who came or went, time saved."""
    row, measure, lang = unit_rows(change)[ALL], measure_of(change), scope.lang
    moved, saved = number(row, "by_people"), number(row, f"{measure}_saved")
    lines = [told(CHANGES, lang, "by_people", signed(moved))] if abs(moved) >= 0.5 else []
    digits = 1 if measure == "minutes" else 0
    if not math.isnan(saved) and round(abs(saved), digits):
        key = f"{'time' if measure == 'minutes' else 'length'}_{'saved' if saved > 0 else 'lost'}"
        lines.append(told(CHANGES, lang, key, count(number(row, "people_known")), f"{abs(saved):.{digits}f}"))
    return lines


def change_bar(change: Comparison, scope: Scope) -> dict[str, object]:
    """Stack everyone by what becomes of them; the figure is the change of people in reach."""
    row = unit_rows(change)[ALL]
    names = ("gain", "lose", "both", "neither")
    parts = [(name, told(CHANGES, scope.lang, name), number(row, name)) for name in names]
    parts.append(("unjudged", say(scope.lang, "unjudged"), number(row, "unjudged")))
    change_of_people = number(row, "change")
    tone = "worse" if round(change_of_people) < 0 else "better"
    return bar_of(parts, number(row, "people")) | {"share": signed(change_of_people), "tone": tone}


def change_table(
    change: Comparison, layers: dict[str, Layer], units: GeoDataFrame | None, scope: Scope
) -> dict[str, object] | None:
    """Lay out the change by unit, the largest first; people in no unit last."""
    chosen = listed_tier(layers, units, scope)
    if units is None or chosen is None:
        return None
    tier, levels = chosen
    by_unit = unit_rows(change)
    here = [(place, name, by_unit[key]) for place, key, name in units_of_tier(units, tier) if key in by_unit]
    here.sort(key=lambda one: -(number(one[2], "gain") + number(one[2], "lose")))
    return {
        "title": told(CHANGES, scope.lang, "change_table", levels),
        "tier": tier,
        "rows": [_change_row(place, name, row) for place, name, row in here],
    }


def _change_row(place: int, name: str, row: Mapping[str, object]) -> dict[str, object]:
    before, after = _shares(row)
    gain, lose = round(number(row, "gain")), round(number(row, "lose"))
    return {
        "place": place,
        "name": name,
        "before": share(number(row, "covered_before"), number(row, "people_before")),
        "after": share(number(row, "covered_after"), number(row, "people")),
        "points": signed_points(before, after),
        "gain": signed(gain) if gain else "–",
        "lose": signed(-lose) if lose else "–",
    }


def moved_facilities(before: GeoDataFrame, after: GeoDataFrame) -> tuple[GeoDataFrame, GeoDataFrame]:
    """Tell what opened or closed, with a column ``kind`` (``new`` or ``closed``), from what stays."""
    new, closed = after[~after.index.isin(before.index)], before[~before.index.isin(after.index)]
    kept = after[after.index.isin(before.index)]
    parts = [part.assign(kind=kind) for kind, part in (("new", new), ("closed", closed)) if len(part)]
    return (pd.concat([part.to_crs(after.crs) for part in parts]) if parts else after.iloc[:0].assign(kind="")), kept


def moved_layer(moved: GeoDataFrame, scope: Scope) -> Layer:
    """Mark new facilities with a plus and closed ones with a cross."""
    drawn = degrees(moved)
    listed = [row for _, row in rows(drawn)]
    kinds = [told(CHANGES, scope.lang, first(row, "kind")) for row in listed]
    return {
        "points": points_block(np.asarray(drawn.geometry.array, dtype=object)),
        "kinds": [first(row, "kind") for row in listed],
        "names": [f"{kind}: {first(row, 'name')}" for kind, row in zip(kinds, listed, strict=True)],
        "tips": [[first(row, "name") or "–", kind] for kind, row in zip(kinds, listed, strict=True)],
    }


def moved_rows(moved: GeoDataFrame, units: GeoDataFrame | None, scope: Scope) -> list[dict[str, object]]:
    """List what opened and closed."""
    names = units["name"] if units is not None else pd.Series(dtype=object)
    return [
        {
            "place": place,
            "kind": first(row, "kind"),
            "name": first(row, "name") or "–",
            "where": str(names.get(first(row, "unit"), "")),
            "state": told(CHANGES, scope.lang, first(row, "kind")),
        }
        for place, (_, row) in enumerate(rows(located(moved)))
    ]
