"""Fill the panel beside the map: bar, table, switches that are the legend, lists of sites and gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from careshed.maps.facts import Reached, Scope, first, gap_parts, number
from careshed.maps.layers import BLUES, Layer, located, nearest_line, rows, site_means, site_reason
from careshed.maps.text import count, levels_text, minutes_text, say, share
from careshed.schema import TIERS
from careshed.words import Lang, group_name, spanned

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.siting import SitePlan

OFF_AT_FIRST = frozenset({"population", "tiles", "spider"})
"""Layers that wait to be asked for, so that the first view shows who can reach the service and who cannot."""


@dataclass(frozen=True)
class Switch:
    """One layer in the list of switches, which is the legend too."""

    key: str
    label: str
    detail: str
    swatch: str
    """Shape of its sign: a class of the page's style sheet."""
    steps: tuple[tuple[str, str], ...] = ()
    """Colours and labels of a graded layer."""
    unit: str = ""
    """What the labels of the steps count."""
    sizes: tuple[tuple[float, float, str], ...] = ()
    """Radius, pixels, width in the legend, pixels, and label of circles whose area means something."""
    size_unit: str = ""
    note: str = ""

    @property
    def on(self) -> bool:
        """Whether the layer is shown when the page opens."""
        return self.key not in OFF_AT_FIRST and not self.key.startswith("other")


FIFTHS = ("0–20%", "20–40%", "40–60%", "60–80%", "80–100%")
"""Labels of the classes that `careshed.maps.layers.fifth` gives."""


@dataclass(frozen=True)
class Legend:
    """What the colours of the chosen fill mean."""

    values: str
    """Choices that the legend belongs to, joined by spaces."""
    label: str
    steps: tuple[tuple[str, str], ...]
    """Colours and their labels."""
    unit: str = ""
    """What the labels count."""
    note: str = ""
    shown: bool = False
    """Whether the label stands above the colours, where a choice has several legends."""


def split_bar(one: Reached, lang: Lang) -> dict[str, object]:
    """Split all people into those who reach the service, those who do not, those who cannot be judged."""
    parts = zip(("reached", "not_reached", "unjudged"), one.whole, strict=True)
    return bar_of([(kind, say(lang, kind), float(people)) for kind, people in parts], one.people) | {
        "share": share(one.covered, one.people)
    }


def bar_of(parts: Sequence[tuple[str, str, float]], whole: float) -> dict[str, object]:
    """Stack people by kind on one bar, the first kind as the large figure; kinds without anybody are left out.

    Parameters
    ----------
    parts
        Kind (a class of the page's style sheet), label and people.
    """
    return {
        "share": share(parts[0][2], whole),
        "parts": [
            {"kind": kind, "label": label, "people": count(people), "width": f"{100 * people / whole:.2f}"}
            for kind, label, people in parts
            if whole > 0 and people >= 0.5
        ],
    }


def reached_table(counts: Sequence[Reached], scope: Scope) -> dict[str, object]:
    """Lay out the people reached: a row a group, a column a limit."""
    limits = sorted({one.minutes for one in counts})
    found = {(one.group, one.minutes): one for one in counts}
    return {
        "limits": [say(scope.lang, "within_col", minutes_text(minutes)) for minutes in limits],
        "rows": [
            {
                "group": group_name(group, scope.lang),
                "people": count(next(one.people for one in counts if one.group == group)),
                "cells": [_reached_cell(found.get((group, minutes)), minutes == scope.minutes) for minutes in limits],
            }
            for group in dict.fromkeys(one.group for one in counts)
        ],
    }


def _reached_cell(one: Reached | None, judged: bool) -> dict[str, object]:
    if one is None:
        return {"share": "–", "covered": "", "judged": judged}
    return {"share": share(one.covered, one.people), "covered": count(one.whole[0]), "judged": judged}


def switches(
    layers: dict[str, Layer], scope: Scope, gaps: GeoDataFrame | None, one: Reached | None = None
) -> list[tuple[str, list[Switch]]]:
    """List the layers that can be switched, results first, with counts and signs."""
    lang = scope.lang
    results = [
        _bands_switch(layers["bands"], lang) if "bands" in layers else None,
        Switch("gaps", say(lang, "gaps"), _gaps_detail(gaps, one, lang), "gap")
        if gaps is not None and "gaps" in layers
        else None,
        Switch("sites", say(lang, "sites"), _many(layers["sites"], "ranks", lang), "pin") if "sites" in layers else None,
        Switch("facilities", scope.service or say(lang, "facilities"), _facilities_detail(layers["facilities"], lang), "dot")
        if "facilities" in layers
        else None,
    ]
    base = [
        _population_switch(layers["population"], scope) if "population" in layers else None,
        *ground_switches(layers, lang),
    ]
    lists = ((say(lang, "on_map"), results), (say(lang, "base"), base))
    return [(name, [item for item in items if item is not None]) for name, items in lists if any(items)]


def ground_switches(layers: dict[str, Layer], lang: Lang) -> list[Switch]:
    """List what lies under every map and can be switched off."""
    found = [
        Switch("units", say(lang, "units"), "", "outline") if any(key.startswith("units") for key in layers) else None,
        Switch("streets", say(lang, "streets"), "", "street") if "streets" in layers else None,
        Switch("water", say(lang, "water"), "", "water") if "water" in layers else None,
    ]
    return [switch for switch in found if switch is not None]


def _many(layer: Layer, key: str, lang: Lang) -> str:
    return say(lang, "places_count", count(len(cast(list[object], layer[key]))))


def _bands_switch(layer: Layer, lang: Lang) -> Switch:
    bands = cast(list[dict[str, object]], layer["bands"])
    steps = tuple(
        (str(band["colour"]), say(lang, "band", minutes_text(cast(float, band["minutes"])))) for band in reversed(bands)
    )
    note = say(lang, "bands_by_cell") if layer.get("by_cell") else str(layer.get("note", ""))
    return Switch("bands", say(lang, "bands"), "", "", steps, say(lang, "minutes"), note=note)


def _gaps_detail(gaps: GeoDataFrame, one: Reached | None, lang: Lang) -> str:
    return say(lang, "gaps_count", count(len(gaps)), count(gap_parts(gaps, one)[0]))


def _facilities_detail(layer: Layer, lang: Lang) -> str:
    hollow = cast(list[int], layer["hollow"])
    if any(hollow):
        return say(lang, "facilities_mixed", count(len(hollow)), sum(hollow))
    return say(lang, "places_count", count(len(hollow)))


def population_legend(layer: Layer, scope: Scope) -> Legend:
    """Explain the colours of people per cell."""
    told = layer["breaks"]
    numbers = cast(dict[str, list[float]], told).get(scope.group, []) if isinstance(told, dict) else cast(list[float], told)
    breaks = [f"{value:,g}" for value in numbers]
    labels = [f"<{breaks[0]}", *(f"≥{low}" for low in breaks)] if breaks else []
    steps = tuple(zip(cast(list[str], layer["colours"]), labels, strict=False))
    label = f"{say(scope.lang, 'population')} · {group_name(scope.group, scope.lang)}"
    return Legend("population", label, steps, say(scope.lang, "population_unit"))


def chooser(layers: Mapping[str, Layer], scope: Scope) -> dict[str, object] | None:
    """Offer the groups and limits that units, population and the line of figures can be shown for."""
    shares = layers.get("shares")
    if shares is None:
        return None
    limit = minutes_text(scope.minutes or 0)
    return {
        "groups": [name for _, name in cast(list[list[str]], shares["groups"])],
        "limits": [say(scope.lang, "within_col", text) for text in cast(list[str], shares["limits"])],
        "first": shares["first"],
        "note": say(scope.lang, "chosen_note", group_name(scope.group, scope.lang), limit),
    }


def _population_switch(layer: Layer, scope: Scope) -> Switch:
    legend = population_legend(layer, scope)
    return Switch("population", legend.label, "", "", legend.steps, legend.unit)


def radios(layers: dict[str, Layer], units: GeoDataFrame | None, scope: Scope) -> dict[str, object] | None:
    """Offer the share reached by unit, one tier at a time."""
    choices = tier_choices(layers, units, scope.lang)
    if not choices:
        return None
    steps = tuple(zip(BLUES, FIFTHS, strict=True))
    legend = Legend(" ".join(value for value, _ in choices), say(scope.lang, "choropleth"), steps)
    return {"title": say(scope.lang, "choropleth"), "choices": [("", say(scope.lang, "off")), *choices], "legends": [legend]}


def tier_choices(layers: dict[str, Layer], units: GeoDataFrame | None, lang: Lang) -> list[tuple[str, str]]:
    """List the tiers of units that have colours, each with the names of its levels."""
    tiers = [tier for tier in (1, 2, 3) if layers.get(f"units{tier}", {}).get("classes")]
    here = list(dict.fromkeys(units["level"])) if units is not None else []
    return [(str(tier), levels_text([level for level in here if TIERS.get(level) == tier], lang)) for tier in tiers]


def site_rows(plan: SitePlan, scope: Scope) -> list[dict[str, object]]:
    """List the proposed sites in rank order, each with its gain and reason."""
    drawn = located(plan.sites)
    return [
        {
            "rank": f"{number(row, 'rank'):.0f}",
            "name": first(row, "name"),
            "where": " · ".join(text for text in (first(row, "unit_name"), first(row, "kind")) if text),
            "gain": say(scope.lang, "new_people", count(number(row, "people_new"))),
            "cumulative": say(scope.lang, "cumulative", share(number(row, "people_cumulative"), plan.people_total)),
            "reason": site_reason(row, scope),
            "means": site_means(row, scope),
        }
        for _, row in rows(drawn)
    ]


def gap_rows(gaps: GeoDataFrame, scope: Scope, most: int) -> list[dict[str, str]]:
    """List the largest gaps in rank order."""
    drawn = located(gaps).head(most)
    return [
        {
            "name": spanned(row, scope.lang) or "–",
            "people": say(scope.lang, "people_n", count(number(row, "people"))),
            "nearest": nearest_line(row, scope),
        }
        for _, row in rows(drawn)
    ]
