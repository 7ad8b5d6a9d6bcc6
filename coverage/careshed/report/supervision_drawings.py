"""Draw what changed as small SVG pictures: a map of units, places over time, a value against its target."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from careshed.policy.changes.cards import figure
from careshed.policy.types import catalogue
from careshed.report.supervision_style import GAIN, INK, LINE, LOSS, SOFT
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

SCHOOLS = "幼儿园"
"""Its places are school places for children of three to six, no childcare places."""

_WIDTH = 520.0
_BLANK = "#f3f2ee"
_SHADES = {1: ("#cfe1f0", "#7fb2d8", GAIN), -1: ("#f6dcc6", "#e3a468", LOSS)}
"""Three steps of gain and of loss, by thirds of the largest change."""


def units_map(units: GeoDataFrame, table: pd.DataFrame, lang: Lang) -> str:
    """Draw the units with their change in places; a heavy outline where a rule's verdict turned. "" where no unit has a shape.

    Parameters
    ----------
    units
        Units of one tier, in a projected CRS.
    table
        `careshed.policy.changes.CardChanges.unit_table` of that tier.
    """
    shown = units[~units.geometry.isna()]
    if shown.empty:
        return ""
    west, south, east, north = (float(side) for side in shown.total_bounds)
    scale = _WIDTH / max(east - west, 1.0)
    height = (north - south) * scale
    shapes = shown.geometry.simplify(1.0 / scale)
    most = float(table["places"].abs().max()) if len(table) else 0.0
    changes = {str(code): float(value) for code, value in zip(table.index, table["places"].to_numpy(dtype=float), strict=True)}
    drawn, labels = [], []
    # Outlined units are drawn last, so that neighbours do not cover their outlines.
    for at in sorted(range(len(shown)), key=lambda at: _turned(table, str(shown.index[at]))):
        code, name = str(shown.index[at]), str(shown["name"].iloc[at])
        change, turned = changes.get(code, 0.0), _turned(table, code)
        told = f"{name}{pick(lang, '：', ': ')}{_signed(change)}"
        edge = f'stroke="{INK}" stroke-width="2"' if turned else 'stroke="#fff" stroke-width="1.2"'
        path = _path(shapes.iloc[at], west, north, scale)
        drawn.append(
            f'<path d="{path}" fill="{_shade(change, most)}" {edge} stroke-linejoin="round"><title>{escape(told)}</title></path>'
        )
        spot = shown.geometry.iloc[at].representative_point()
        labels.append(_label((spot.x - west) * scale, (north - spot.y) * scale, name, change, _active(table, code)))
    what = pick(lang, "各单元床位（托位）变化图", "Change in places by unit")
    box = f"-4 -4 {_WIDTH + 8:.0f} {height + 8:.0f}"
    return f'<svg viewBox="{box}" role="img" aria-label="{what}">{"".join(drawn)}{"".join(labels)}</svg>'


def _signed(value: float) -> str:
    return f"{value:+g}".replace("-", "−")


def _active(table: pd.DataFrame, code: str) -> bool:
    if code not in table.index:
        return False
    row = table.loc[code]
    return bool(row["opened"] or row["closed"] or row["places"] or row["gained"] or row["lost"])


def _turned(table: pd.DataFrame, code: str) -> bool:
    return code in table.index and bool(table.at[code, "gained"] or table.at[code, "lost"])


def _shade(change: float, most: float) -> str:
    if not change:
        return _BLANK
    return _SHADES[1 if change > 0 else -1][min(2, int(3 * abs(change) / most))]


def _label(x: float, y: float, name: str, change: float, active: bool) -> str:
    """Name a unit; what changed there stands in the same ink on a white halo, so that it reads on every shade."""
    halo = 'stroke="#fff" stroke-width="3" paint-order="stroke"'
    where = f'x="{x:.1f}" text-anchor="middle" {halo}'
    small = f'<text {where} y="{y:.1f}" font-size="11" style="fill:{INK if active else SOFT}">{escape(name)}</text>'
    if not change:
        return small
    style = f'font-size="14" font-weight="700" style="fill:{GAIN if change > 0 else LOSS}"'
    return f'{small}<text {where} y="{y + 15:.1f}" {style}>{_signed(change)}</text>'


def _path(shape: object, west: float, north: float, scale: float) -> str:
    """Write the rings of a polygon as an SVG path, to a tenth of a pixel."""
    parts = []
    for polygon in getattr(shape, "geoms", [shape]):
        for ring in (polygon.exterior, *polygon.interiors):
            xy = np.asarray(ring.coords)[:, :2]
            points = np.round(np.column_stack([(xy[:, 0] - west) * scale, (north - xy[:, 1]) * scale]), 1)
            parts.append("M" + "L".join(f"{x:g} {y:g}" for x, y in points.tolist()) + "Z")
    return "".join(parts)


def dumbbell(before: float | None, after: float | None, targets: Sequence[float], *, upper: bool) -> str:
    """Draw a value before (ring) and after (dot) against its targets (bars); "" where nothing can be drawn."""
    known = [one for one in (before, after, *targets) if one is not None]
    top = max(known, default=0.0)
    if before is None or after is None or top <= 0:
        return ""
    x0, x1 = (6 + 120 * one / top for one in (before, after))
    better = (after > before) != upper
    ink = SOFT if before == after else GAIN if better else LOSS
    marks = "".join(f'<path d="M{6 + 120 * one / top:.1f} 2v14" stroke="{INK}" stroke-width="1.5"/>' for one in targets)
    return (
        f'<svg class="dumb" viewBox="0 0 132 18" aria-hidden="true">'
        f'<path d="M6 9h120" stroke="{LINE}" stroke-width="1.5"/>{marks}'
        f'<path d="M{x0:.1f} 9H{x1:.1f}" stroke="{ink}" stroke-width="3"/>'
        f'<circle cx="{x0:.1f}" cy="9" r="3.6" fill="#fff" stroke="{ink}" stroke-width="1.6"/>'
        f'<circle cx="{x1:.1f}" cy="9" r="4.2" fill="{ink}"/></svg>'
    )


def places_chart(series: pd.DataFrame, counts: str, lang: Lang) -> str:
    """Draw the places (or beds) of all types of a kind year by year as labelled bars; "" where there are none."""
    kinds = [name for name, kind in catalogue().items() if kind.counts == counts and name != SCHOOLS]
    sums = series[series["type"].isin(kinds)].groupby("period")["places"].sum()
    periods = sorted(set(series["period"]))
    values = [float(sums.get(period, 0.0)) for period in periods]
    if not values or not max(values):
        return ""
    top, step = max(values), 440 / len(values)
    bars = []
    for at, (period, value) in enumerate(zip(periods, values, strict=True)):
        x, tall = 20 + at * step, 110 * value / top
        middle = x + step * 0.36
        bars.append(
            f'<rect x="{x:.1f}" y="{140 - tall:.1f}" width="{step * 0.72:.1f}" height="{tall:.1f}" fill="{GAIN}" '
            f'fill-opacity="{1 if at == len(values) - 1 else 0.55}"/>'
            f'<text x="{middle:.1f}" y="{134 - tall:.1f}" font-size="12" text-anchor="middle">{figure(value)}</text>'
            f'<text x="{middle:.1f}" y="157" font-size="11.5" text-anchor="middle" style="fill:{SOFT}">{escape(period)}</text>'
        )
    title = {"beds": ("养老床位（张）", "Beds"), "places": ("托位（个）", "Childcare places")}[counts]
    name = pick(lang, *title)
    return (
        f'<figure style="margin:0"><h3>{name}</h3><svg viewBox="0 0 480 164" role="img" aria-label="{name}">'
        f'<path d="M16 140.5H470" stroke="{SOFT}"/>{"".join(bars)}</svg></figure>'
    )
