"""Turn tables into the map's layers: packed geometry, classes and the words shown on hover."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from geopandas import GeoDataFrame

from careshed.maps.encode import Block, areas_block, block_bytes, lines_block, points_block
from careshed.maps.facts import Scope, first, number
from careshed.maps.text import count, minutes_text, say, share
from careshed.schema import STATUSES, TIERS
from careshed.words import group_name, level_name, pick, spanned

if TYPE_CHECKING:
    import pandas as pd

    from careshed.siting import SitePlan

Layer = dict[str, object]
"""One layer as the page's script reads it."""

SIMPLIFY_M: Final = 1.5
"""Lines and band edges may be drawn this far from where they are, metres; about what rounding of coordinates costs anyway."""

COARSER_M: Final = (SIMPLIFY_M, 3.0, 6.0, 12.0)
"""How far lines may be off, metres, the first that keeps a layer within its bytes; the page says which."""

STREET_BYTES: Final = 1_200_000
"""Most that the streets under the map may take of the page; beyond it they are drawn coarser, then without the least ones."""

BAND_BYTES: Final = 800_000
"""Most that the bands of travel time may take; beyond it they are drawn coarser, then cell by cell."""

TEALS: Final = ("#0a6168", "#3f9a9b", "#8cc6c3", "#c3e3df", "#dff0ed")
"""Walking time, near to far; steps of lightness that every colour vision tells apart."""

BLUES: Final = ("#e9eef7", "#bccfe6", "#86aad1", "#4a7fb5", "#1f5490")
"""Share of people reached, fifths from 0 to 100 %."""

SLATES: Final = ("#dcdfe6", "#b4bac8", "#8a93a8", "#616b85", "#394260")
"""People per cell, few to many."""

NO_CLASS: Final = -1


def located(table: GeoDataFrame) -> GeoDataFrame:
    """Keep the rows that lie somewhere: those with a geometry that is not empty."""
    shapes = np.asarray(table.geometry.array, dtype=object)
    return table[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]


def degrees(table: GeoDataFrame) -> GeoDataFrame:
    """Give the rows that lie somewhere in longitude and latitude, WGS-84."""
    return located(table).to_crs("EPSG:4326")


def _geometry(table: GeoDataFrame) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.asarray(degrees(table).geometry.array, dtype=object)


def _simple(table: GeoDataFrame, tolerance_m: float = SIMPLIFY_M) -> GeoDataFrame:
    here = located(table)
    return here.set_geometry(shapely.simplify(np.asarray(here.geometry.array), tolerance_m), crs=table.crs)


def rows(table: GeoDataFrame | pd.DataFrame) -> list[tuple[Hashable, Mapping[str, object]]]:
    """List the rows as (id, values by column), without geometry."""
    plain = table.drop(columns="geometry", errors="ignore")
    names = [str(name) for name in plain.columns]
    return [(key, dict(zip(names, values, strict=True))) for key, *values in plain.itertuples(name=None)]


def streets_layer(streets: GeoDataFrame, most: int = STREET_BYTES) -> Layer:
    """Draw the study's own streets, the widest last so that they lie on top.

    Parameters
    ----------
    most
        Characters that the layer may take in the page. Where the streets need more they are drawn coarser, up to the last step
        of `COARSER_M`, and then without their lowest ranks; ``off_m`` and ``left_out`` of the layer say so. Travel is
        computed on all streets, whatever is drawn.
    """
    here = located(streets)
    ranks = sorted({int(rank) for rank in here["rank"]})
    shown: dict[int, Block] = {}
    for tolerance in COARSER_M:
        drawn = _simple(here, tolerance)
        shown = {rank: lines_block(_geometry(drawn[drawn["rank"] == rank])) for rank in ranks}
        if sum(map(block_bytes, shown.values())) <= most:
            break
    while len(shown) > 1 and sum(map(block_bytes, shown.values())) > most:
        del shown[max(shown)]
    left_out = int((~here["rank"].isin(list(shown))).sum())
    parts = [{"rank": rank, "lines": shown[rank]} for rank in sorted(shown, reverse=True)]
    return {"ranks": parts, "off_m": tolerance, "left_out": left_out, "all": len(here)}


def water_layer(water: GeoDataFrame) -> Layer:
    """Draw water areas; lines of water are left to the streets' quiet background."""
    areas = _simple(water[water.geometry.geom_type.isin(["Polygon", "MultiPolygon"])])
    return {"areas": areas_block(_geometry(areas))}


def ramp(colours: Sequence[str], n: int) -> list[str]:
    """Pick n colours spread over a ramp, both ends kept.

    >>> ramp(("#000000", "#555555", "#aaaaaa"), 2)
    ['#000000', '#aaaaaa']
    """
    places = np.rint(np.linspace(0, len(colours) - 1, n)).astype(int) if n > 1 else np.zeros(n, dtype=int)
    return [colours[place] for place in places]


def band_colours(n: int) -> list[str]:
    """Colour n travel-time bands; up to four keep clear of the palest steps."""
    return list(TEALS[:n]) if n <= 4 else ramp(TEALS, n)


def bands_layer(isochrones: GeoDataFrame, most: int = BAND_BYTES) -> Layer | None:
    """Draw the merged isochrones, the largest first: each smaller one covers its part of it.

    Parameters
    ----------
    most
        Characters that the bands may take in the page; where they need more they are drawn coarser, which ``off_m`` tells, and
        ``whole`` is False where even the coarsest outlines need more.
    """
    here = located(isochrones)
    limits = sorted({float(minutes) for minutes in here["minutes"]})
    if not limits:
        return None
    blocks: dict[float, Block] = {}
    for tolerance in COARSER_M:
        coarse = shapely.simplify(np.asarray(here.geometry.array), tolerance, preserve_topology=False)
        drawn = here.set_geometry(coarse, crs=here.crs)
        blocks = {minutes: areas_block(_geometry(drawn[drawn["minutes"] == minutes])) for minutes in limits}
        whole = sum(map(block_bytes, blocks.values())) <= most
        if whole:
            break
    colours = dict(zip(limits, band_colours(len(limits)), strict=True))
    bands = [{"minutes": minutes, "colour": colours[minutes], "areas": blocks[minutes]} for minutes in reversed(limits)]
    return {"bands": bands, "off_m": tolerance, "whole": whole}


def cell_bands(limits: Sequence[float]) -> Layer | None:
    """Draw the bands of travel time cell by cell from what the cells hold: for areas whose outlines would fill the page."""
    kept = sorted(limits)
    colours = band_colours(len(kept))
    bands = [{"minutes": minutes, "colour": colour} for minutes, colour in zip(kept, colours, strict=True)]
    return {"bands": bands[::-1], "by_cell": True} if bands else None


def gaps_layer(gaps: GeoDataFrame, scope: Scope) -> Layer:
    """Draw the gaps with people, unit and the way to the nearest facility."""
    drawn = degrees(gaps)
    tips = [gap_tip(place, row, scope) for place, (_, row) in enumerate(rows(drawn), start=1)]
    return {"areas": areas_block(np.asarray(drawn.geometry.array, dtype=object)), "tips": tips}


def gap_tip(place: int, row: Mapping[str, object], scope: Scope) -> list[str]:
    """Word what is known of one gap, heading first."""
    lang, who = scope.lang, group_name(scope.group, scope.lang)
    where = spanned(row, lang)
    heading = pick(lang, f"缺口 {place}", f"Gap {place}") + (f" · {where}" if where else "")
    cells, people = count(number(row, "cells")), count(number(row, "people"))
    told = pick(lang, f"{people} 名{who}（{cells} 格）", f"{people} {who} in {cells} cell(s)")
    lines = [heading, told, nearest_line(row, scope)]
    unjudged = number(row, "unjudged")
    if unjudged >= 0.5:
        lines.append(pick(lang, f"其中 {count(unjudged)} 人无法判断", f"{count(unjudged)} of them cannot be judged"))
    return lines


def nearest_line(row: Mapping[str, object], scope: Scope) -> str:
    """Say how far the nearest facility of a gap is."""
    by_time, name = "minutes_nearest" in row, first(row, "nearest_name")
    far = number(row, "minutes_nearest" if by_time else "metres_nearest")
    if not math.isfinite(far) or far < 0:
        return pick(scope.lang, "沿道路到不了任何设施", "No facility can be reached along the streets")
    walk = pick(scope.lang, f"步行 {far:.0f} 分钟", f"{far:.0f} min on foot")
    if not by_time:
        walk = pick(scope.lang, f"步行 {count(far)} 米", f"{count(far)} m on foot")
    called = pick(scope.lang, f"：{name}", f": {name}") if name else ""
    return pick(scope.lang, f"到最近设施平均{walk}{called}", f"{walk} on average to the nearest facility{called}")


def facilities_layer(facilities: GeoDataFrame, scope: Scope) -> Layer:
    """Draw the facilities of the service; those not yet operating are hollow."""
    drawn = degrees(facilities)
    listed = [row for _, row in rows(drawn)]
    return {
        "points": points_block(np.asarray(drawn.geometry.array, dtype=object)),
        "hollow": [int(first(row, "status") in ("building", "reserve")) for row in listed],
        "tips": [_facility_tip(row, scope) for row in listed],
    }


def _facility_tip(row: Mapping[str, object], scope: Scope) -> list[str]:
    lang, status, places = scope.lang, first(row, "status"), number(row, "places")
    state = pick(lang, *STATUSES[status]) if status in STATUSES else status
    kind = pick(lang, "，", ", ").join(text for text in (first(row, "type"), state, first(row, "operator")) if text)
    lines = [first(row, "name") or pick(lang, "（无名称）", "(no name)"), kind]
    lines.append(pick(lang, f"{count(places)} 个床位或托位", f"{count(places)} beds or places") if math.isfinite(places) else "")
    return [line for line in lines if line]


def sites_layer(plan: SitePlan, scope: Scope) -> Layer:
    """Draw the proposed sites as numbered pins."""
    drawn = degrees(plan.sites)
    listed = [row for _, row in rows(drawn)]
    return {
        "points": points_block(np.asarray(drawn.geometry.array, dtype=object)),
        "ranks": [int(number(row, "rank")) for row in listed],
        "names": [f"{say(scope.lang, 'site')} {int(number(row, 'rank'))}: {first(row, 'name')}" for row in listed],
        "tips": [_site_tip(row, plan, scope) for row in listed],
    }


def _site_tip(row: Mapping[str, object], plan: SitePlan, scope: Scope) -> list[str]:
    lang, who = scope.lang, group_name(plan.group, scope.lang)
    heading = f"{int(number(row, 'rank'))} · {first(row, 'name')}"
    where = " · ".join(text for text in (first(row, "unit_name"), first(row, "kind")) if text)
    new, cumulative = count(number(row, "people_new")), number(row, "people_cumulative")
    of, part = f"{count(cumulative)} / {count(plan.people_total)}", share(cumulative, plan.people_total)
    gain = pick(lang, f"新增 {new} 名{who}", f"{new} {who} newly reached")
    together = pick(lang, f"累计 {of}（{part}）", f"{of} in all ({part})")
    return [line for line in (heading, where, gain, together, site_reason(row, scope), site_means(row, scope)) if line]


def site_reason(row: Mapping[str, object], scope: Scope) -> str:
    """Say why a site was chosen."""
    return first(row, pick(scope.lang, "reason_zh", "reason_en"))


def site_means(row: Mapping[str, object], scope: Scope) -> str:
    """Say what a site costs and holds, where that is known."""
    cost, places = number(row, "cost_yuan"), number(row, "places")
    parts = []
    if math.isfinite(places):
        parts.append(pick(scope.lang, f"{count(places)} 个床位或托位", f"{count(places)} beds or places"))
    if math.isfinite(cost):
        parts.append(pick(scope.lang, f"约 {cost / 1e4:,.0f} 万元", f"about {count(cost)} yuan"))
    return pick(scope.lang, "，", ", ").join(parts)


Shade = Callable[[str, Mapping[str, object]], tuple[int, list[str]]]
"""Gives the class of a unit (`NO_CLASS` for none) and the words shown on hover, from its id and its row."""


def shaded_units(units: GeoDataFrame, tier: int, shade: Shade | None, colours: Sequence[str]) -> Layer | None:
    """Draw the units of one tier: outline, name and, where there is a shade, a colour each."""
    drawn = degrees(_simple(units[units["level"].map(TIERS) == tier]))
    if drawn.empty:
        return None
    listed = rows(drawn)
    shaded = [shade(str(key), row) for key, row in listed] if shade is not None else []
    return {
        "tier": tier,
        "areas": areas_block(np.asarray(drawn.geometry.array, dtype=object)),
        "names": [first(row, "name") for _, row in listed],
        "labels": points_block(shapely.point_on_surface(np.asarray(drawn.geometry.array))),
        "classes": [kind for kind, _ in shaded],
        "colours": list(colours),
        "tips": [texts for _, texts in shaded],
    }


def units_layer(units: GeoDataFrame, tier: int, covered: pd.DataFrame | None, scope: Scope) -> Layer | None:
    """Draw the units of one tier; where coverage is given, with the share reached in fifths."""
    by_unit = _rows_by_unit(covered, scope)

    def shade(unit: str, row: Mapping[str, object]) -> tuple[int, list[str]]:
        values = by_unit.get(unit)
        return share_class(values), _unit_tip(row, values, scope)

    return shaded_units(units, tier, shade if by_unit else None, BLUES)


def _rows_by_unit(covered: pd.DataFrame | None, scope: Scope) -> dict[str, Mapping[str, object]]:
    if covered is None:
        return {}
    shown = covered[(covered["group"] == scope.group) & (covered["minutes"] == scope.minutes) & (covered.index != "ALL")]
    return {str(key): row for key, row in rows(shown)}


def share_class(values: Mapping[str, object] | None) -> int:
    """Put the share reached of a unit into fifths; `NO_CLASS` where nobody lives."""
    if values is None or not number(values, "people") > 0:
        return NO_CLASS
    return fifth(number(values, "covered"), number(values, "people"))


def fifth(part: float, whole: float) -> int:
    """Put a share into fifths, 0 to 4.

    >>> fifth(0, 10), fifth(2, 10), fifth(10, 10)
    (0, 1, 4)
    """
    return min(int(part / whole * len(BLUES)), len(BLUES) - 1)


def _unit_tip(row: Mapping[str, object], values: Mapping[str, object] | None, scope: Scope) -> list[str]:
    lang, level = scope.lang, level_name(first(row, "level"), scope.lang)
    heading = f"{first(row, 'name')} · {level}"
    if values is None or not number(values, "people") > 0:
        return [heading, say(lang, "no_people")]
    people, reached, unjudged = (number(values, name) for name in ("people", "covered", "unjudged"))
    who, limit = group_name(scope.group, lang), minutes_text(scope.minutes or 0)
    part = share(reached, people)
    lines = [
        heading,
        say(lang, "unit_reached", limit=limit, covered=count(reached), people=count(people), who=who, part=part),
    ]
    if unjudged >= 0.5:
        low, high = (f"{number(values, name):.1%}" for name in ("share_low", "share_high"))
        lines.append(say(lang, "unit_unjudged", unjudged=count(unjudged), low=low, high=high))
    return lines
