"""Draw what a study found onto a map, one layer a function, and give each layer's part of the legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.figures.furniture import Entry
from careshed.figures.ground import View, areas, label, located
from careshed.figures.page import GAP, GAP_EDGE, INK, MM_PER_POINT, PAPER, SITE, SOFT
from careshed.maps.facts import Reached, effect_parts, gap_parts
from careshed.maps.layers import BLUES, SLATES, band_colours, fifth
from careshed.maps.panel import FIFTHS
from careshed.maps.plan_layers import GAINED, HAD, LEFT, UNJUDGED, phase_colours
from careshed.maps.population import population_breaks
from careshed.maps.text import count, counted, minutes_text
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    import pandas as pd

    from careshed.run import ServiceResult
    from careshed.siting.studying import StudyPlan

NO_PEOPLE: Final = "#ffffff"

PAINT: Final = 1.15
"""Order of painted cells: over the land, under streets and water's edge."""

DOT_SHARE: Final = 0.42
"""Radius of a dot that stands for a point of people, as a share of their spacing."""


DOT_MM: Final = 4.0
"""Largest dot for a point of people, millimetres across."""


def draw_bands(view: View, isochrones: GeoDataFrame, lang: Lang) -> list[Entry]:
    """Draw the merged isochrones, the largest first, each smaller one over its part."""
    limits = sorted({float(minutes) for minutes in isochrones["minutes"]})
    colours = dict(zip(limits, band_colours(len(limits)), strict=True))
    for minutes in reversed(limits):
        shapes = isochrones.geometry.array[(isochrones["minutes"] == minutes).to_numpy()]
        areas(view, shapes, zorder=1.2, facecolor=colours[minutes], edgecolor="none", alpha=0.92)
    text = ("{} 分钟内", "within {} min")
    return [Entry("fill", pick(lang, *text).format(minutes_text(one)), colours[one]) for one in limits]


def unit_shares(covered: pd.DataFrame, group: str, minutes: float) -> pd.DataFrame:
    """Pick the rows of a coverage table that speak of a group and a limit, by unit."""
    return covered[(covered["group"] == group) & (covered["minutes"] == minutes)]


def draw_shares(view: View, units: GeoDataFrame, shares: Mapping[str, float], lang: Lang) -> list[Entry]:
    """Fill units by the share of their people who are in reach, in fifths; units without people stay white."""
    shown = located(units[units.index.isin(list(shares))])
    values = np.array([shares[str(unit)] for unit in shown.index], dtype=float)
    classes = np.array([fifth(value, 1.0) if np.isfinite(value) else -1 for value in values], dtype=int)
    shapes = np.asarray(shown.geometry.array, dtype=object)
    for step in range(-1, len(BLUES)):
        colour = BLUES[step] if step >= 0 else NO_PEOPLE
        areas(view, shapes[classes == step], zorder=1.1, facecolor=colour, edgecolor="white", linewidth=0.6)
    entries = [Entry("fill", text, colour) for colour, text in zip(BLUES, FIFTHS, strict=True)]
    empty = [Entry("fill", pick(lang, "无人口", "no people"), NO_PEOPLE, "#aeb6bc")] if (classes < 0).any() else []
    return entries + empty


def draw_gaps(view: View, gaps: GeoDataFrame, lang: Lang, *, numbered: int = 0, reached: Reached | None = None) -> list[Entry]:
    """Draw the gaps, the first `numbered` of them with their number."""
    areas(view, gaps.geometry.array, zorder=1.7, facecolor=GAP, edgecolor=GAP_EDGE, linewidth=0.5, alpha=0.85)
    for place, shape in enumerate(gaps.geometry.iloc[:numbered], start=1):
        spot = heart(shape)
        label(view, spot, str(place), 0.95, colour="#8a2c05", bold=True)
    return [Entry("fill", gaps_text(gaps, lang, reached), GAP, GAP_EDGE)]


def gaps_text(gaps: GeoDataFrame, lang: Lang, reached: Reached | None = None) -> str:
    """Say how many gaps there are with how many people, and how many of these cannot be judged."""
    people, unjudged = gap_parts(gaps, reached)
    told = pick(lang, f"缺口 {len(gaps)} 处，{count(people)} 人", f"{counted(len(gaps), 'gap')}, {count(people)} people")
    if not unjudged:
        return told
    return told + pick(lang, f"（其中 {count(unjudged)} 人无法判断）", f" ({count(unjudged)} cannot be judged)")


def heart(shape: object) -> tuple[float, float]:
    """Give a point well inside a shape: of its largest part."""
    parts = shapely.get_parts(shape)
    largest = parts[int(np.argmax(shapely.area(parts)))]
    point = shapely.point_on_surface(largest)
    return float(shapely.get_x(point)), float(shapely.get_y(point))


def paint_cells(view: View, classes: NDArray[np.int_], colours: Sequence[str], *, alpha: float = 1.0) -> None:
    """Paint each cell in the colour of its class; class 0 stays clear. Cells of one class run together into areas."""
    squares = view.ground.squares
    if squares is None:
        _dots(view, view.ground.study.cells, classes, colours, alpha)
        return
    west, south, east, north = view.bounds
    seen = shapely.intersects(squares, shapely.box(west, south, east, north))
    for step, colour in enumerate(colours, start=1):
        mine = squares[seen & (classes == step)]
        if len(mine):
            whole = [shapely.coverage_union_all(mine)]
            areas(view, whole, zorder=PAINT, detail=False, facecolor=colour, edgecolor=colour, linewidth=0.15, alpha=alpha)


def _dots(view: View, cells: GeoDataFrame, classes: NDArray[np.int_], colours: Sequence[str], alpha: float) -> None:
    from scipy.spatial import KDTree

    spots = np.column_stack([cells.geometry.x, cells.geometry.y])
    apart = float(np.median(KDTree(spots).query(spots, k=[2])[0])) if len(spots) > 1 else 100.0
    across = min(2 * DOT_SHARE * apart / view.metres_a_mm, DOT_MM)
    size = max((across / MM_PER_POINT) ** 2, 0.6)
    for step, colour in enumerate(colours, start=1):
        mine = spots[classes == step]
        view.axes.scatter(mine[:, 0], mine[:, 1], s=size, c=colour, linewidths=0, zorder=PAINT, alpha=alpha)


def draw_population(view: View, group: str, lang: Lang) -> list[Entry]:
    """Paint the people of a group; cells without people stay clear."""
    people = view.ground.study.cells[group].to_numpy(dtype=float)
    breaks = population_breaks(people)
    classes = np.where(people > 0, np.searchsorted(breaks, people, side="right") + 1, 0)
    colours = SLATES[: len(breaks) + 1]
    paint_cells(view, classes, colours)
    edges = [f"{one:g}" for one in breaks]
    texts = [f"< {edges[0]}", *(f"{low}–{high}" for low, high in pairwise(edges)), f"≥ {edges[-1]}"] if edges else []
    head = pick(lang, f"每格{group_name(group, lang)}", f"{group_name(group, lang)} per cell")
    return [Entry("head", head), *(Entry("fill", text, colour) for text, colour in zip(texts, colours, strict=False))]


def draw_effect(view: View, group: str, today: NDArray[np.bool_], then: NDArray[np.bool_],
                unjudged: NDArray[np.bool_], lang: Lang) -> list[Entry]:  # fmt: skip
    """Paint who is in reach already, who comes into reach, who stays out; each with its people in the legend."""
    people = view.ground.study.cells[group].to_numpy(dtype=float)
    parts = (
        (today & then, HAD, ("现已可达", "in reach today")),
        (then & ~today, GAINED, ("方案新增可达", "newly in reach")),
        (~then & ~unjudged, LEFT, ("仍不可达", "still out of reach")),
        (~then & unjudged, UNJUDGED, ("无法判断", "cannot be judged")),
    )
    classes = np.zeros(len(people), dtype=int)
    for step, (mine, _, _) in enumerate(parts, start=1):
        classes[mine & (people > 0)] = step
    paint_cells(view, classes, [colour for _, colour, _ in parts])
    had, gained, left, unknown = (float(people[mine].sum()) for mine, _, _ in parts)
    before, new, _, out, unsaid = effect_parts(had, gained, 0.0, left, unknown)
    return [
        Entry("fill", pick(lang, *text), colour, detail=pick(lang, f"{count(n)} 人", f"{count(n)} people"))
        for (_, colour, text), n in zip(parts, (before, new, out, unsaid), strict=True)
        if n
    ]


def site_effect(one: ServiceResult) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell for every cell whether it is in reach today, with the ranked sites, and whether that can be judged."""
    limit = {"minutes": one.service.within_minutes}
    today = one.times.reached(**limit)
    then, pairs = today.copy(), one.options.within(**limit)
    for row in one.options.facilities.index.get_indexer(one.plan.sites.index):
        part = slice(int(one.options.indptr[row]), int(one.options.indptr[row + 1]))
        then[one.options.indices[part][pairs[part]]] = True
    return today, then, (np.asarray(one.times.cell_fault) != "") & ~then


def draw_facilities(
    view: View,
    facilities: GeoDataFrame,
    text: str,
    *,
    size: float = 0.5,
    quiet: bool = False,
    colour: str = "",
    marker: str = "o",
) -> list[Entry]:
    """Draw facilities as dots; those not operating yet as rings."""
    shown = located(facilities)
    spots = shapely.get_coordinates(shapely.point_on_surface(np.asarray(shown.geometry.array, dtype=object)))
    hollow = np.array(
        [str(one) in ("building", "reserve") for one in shown.get("status", ["operating"] * len(shown))], dtype=bool
    )
    wide, colour = view.page.pt(size), colour or (SOFT if quiet else INK)
    entries = []
    for mine, face, rim, sign, more in (
        (~hollow, colour, PAPER, "dot", ("", "")),
        (hollow, PAPER, colour, "ring", ("（未运营）", " (not yet operating)")),
    ):
        if mine.any():
            view.axes.plot(
                spots[mine, 0], spots[mine, 1], marker, markersize=wide, markerfacecolor=face, markeredgecolor=rim,
                markeredgewidth=wide * 0.14, linestyle="none", zorder=4,
            )  # fmt: skip
            told = f"{text}{pick(view.page.lang, *more)}"
            number = int(mine.sum())
            entries.append(
                Entry("dot" if sign == "dot" else "ring", told, colour, detail=_places(number, view.page.lang), marker=marker)
            )
    for x, y in spots:
        px, py = view.on_paper(float(x), float(y))
        half = wide * MM_PER_POINT / 2
        view.taken.append((px - half, py - half, px + half, py + half))
    return entries


def _places(number: int, lang: Lang) -> str:
    return pick(lang, f"{number} 处", f"{number}")


def draw_sites(
    view: View,
    sites: GeoDataFrame,
    numbers: Sequence[object],
    text: str,
    *,
    colours: Sequence[str] = (),
    size: float = 1.25,
) -> list[Entry]:
    """Draw proposed sites as numbered pins."""
    page, wide = view.page, view.page.pt(size)
    spots = shapely.get_coordinates(shapely.point_on_surface(np.asarray(sites.geometry.array, dtype=object)))
    for place, (spot, number) in enumerate(zip(spots, numbers, strict=True)):
        x, y = view.on_paper(float(spot[0]), float(spot[1]))
        if not (view.x <= x <= view.x + view.width and view.y <= y <= view.y + view.height):
            continue
        colour = colours[place] if colours else SITE
        page.paper.plot([x], [y], "o", markersize=wide, markerfacecolor=colour, markeredgecolor="white",
                        markeredgewidth=wide * 0.09, zorder=7 + 0.01 * (len(numbers) - place))  # fmt: skip
        small = 0.62 if len(str(number)) < 3 else 0.46
        page.write(x, y, str(number), size * small, colour="white", bold=True, align="center", at="center_baseline",
                   zorder=7.005 + 0.01 * (len(numbers) - place))  # fmt: skip
        half = wide * MM_PER_POINT / 2
        view.taken.append((x - half, y - half, x + half, y + half))
    return [Entry("pin", text, SITE, detail=_places(len(sites), page.lang))] if len(sites) and not colours else []


def year_entries(solved: StudyPlan, lang: Lang) -> list[Entry]:
    """Legend of new sites by the year they open in."""
    return [Entry("pin", pick(lang, f"{year} 年建成", f"opens {year}"), colour) for year, colour in phase_colours(solved).items()]
