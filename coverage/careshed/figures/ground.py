"""Draw the ground under every map: land, water, streets by rank, units with quiet names; true to scale on paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from geopandas import GeoDataFrame

from careshed.figures.page import GROUND, MM_PER_POINT, PAPER, SOFT, Page, axes_at
from careshed.schema import TIERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path
    from matplotlib.patheffects import AbstractPathEffect

    from careshed.schema import Grid
    from careshed.study import Study

WATER: Final = "#d3e3ec"
STREETS: Final = (("#b5a994", 1.6), ("#c0b6a4", 1.1), ("#ccc4b5", 0.6), ("#d8d2c6", 0.4))
"""Colour and width, points, of streets of rank 0 (trunk) to 3 (paths)."""

DETAIL_MM: Final = 0.08
"""Lines may be drawn this far from where they are, millimetres on paper: less than the thinnest line is wide."""

MOST_POINTS: Final = 150_000
"""Points of streets on one sheet beyond which they are drawn as a picture, so that the file stays small."""

POINTS_A_PATH: Final = 4000
"""Points that are drawn as one path, about."""

PICTURE_DPI: Final = 300

MARGIN: Final = 0.03
"""Room left around the area, as a share of it."""

Shapes = np.ndarray[tuple[int], np.dtype[np.object_]]

Bounds = tuple[float, float, float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top, millimetres on the page."""


@dataclass(frozen=True)
class Ground:
    """What lies under every map of a study, worked out once for all of them."""

    study: Study

    @cached_property
    def streets(self) -> tuple[Shapes, ...]:
        """Lines of the streets by rank, 0 to 3."""
        drawn = self.study.streets.lines(self.study.crs)
        ranks = np.clip(drawn["rank"].to_numpy(), 0, len(STREETS) - 1)
        shapes = np.asarray(drawn.geometry.array, dtype=object)
        return tuple(shapes[ranks == rank] for rank in range(len(STREETS)))

    @cached_property
    def water(self) -> Shapes:
        """Areas of water."""
        return np.asarray(self.study.water.geometry.array, dtype=object)

    @cached_property
    def squares(self) -> Shapes | None:
        """Cells of the population's raster in the study's metres, None where people stand at points."""
        cells, grid = self.study.cells, self.study.population.grid
        if grid is None or not {"row", "col"} <= set(cells.columns):
            return None
        return _squares(cells, grid, self.study.crs)

    def bounds(self) -> Bounds:
        """What a map of the whole study shows: all units that have an outline, else all cells."""
        outlines = located(self.study.units)
        west, south, east, north = (float(edge) for edge in (outlines if len(outlines) else self.study.cells).total_bounds)
        return west, south, east, north


def _squares(cells: GeoDataFrame, grid: Grid, crs: str) -> Shapes:
    """Draw the raster's cells in the study's coordinates; cells that share a corner share it exactly."""
    from pyproj import Transformer

    row, col = (cells[name].to_numpy(dtype=float) for name in ("row", "col"))
    a, b, c, d, e, f = grid.transform
    down, right = np.array([0, 0, 1, 1, 0]), np.array([0, 1, 1, 0, 0])
    rows, cols = row[:, None] + down, col[:, None] + right
    turn = Transformer.from_crs(grid.crs, crs, always_xy=True)
    x, y = turn.transform((a * cols + b * rows + c).ravel(), (d * cols + e * rows + f).ravel())
    corners = np.round(np.column_stack([x, y]), 2).reshape(len(cells), 5, 2)
    return np.asarray(shapely.polygons(corners), dtype=object)


@dataclass(frozen=True)
class View:
    """A map on a page: its axes in the study's metres, its place on the paper, its scale."""

    ground: Ground
    page: Page
    axes: Axes
    x: float
    y: float
    """Lower left corner on the page, millimetres."""
    width: float
    height: float
    bounds: Bounds
    """What the map shows, metres."""
    taken: list[Box] = field(default_factory=list)
    """Where words and signs stand already."""

    @property
    def metres_a_mm(self) -> float:
        """Metres of ground to a millimetre of paper."""
        return (self.bounds[2] - self.bounds[0]) / self.width

    @property
    def scale(self) -> float:
        """N of 1:N."""
        return self.metres_a_mm * 1000

    def on_paper(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the ground lies on the page, millimetres."""
        west, south, _, _ = self.bounds
        return self.x + (x - west) / self.metres_a_mm, self.y + (y - south) / self.metres_a_mm

    def free(self, box: Box, gap: float = 0.3) -> bool:
        """Tell whether nothing stands in a box yet and the box lies within the map."""
        left, low, right, top = box
        if left < self.x + 0.5 or right > self.x + self.width - 0.5 or low < self.y + 0.5 or top > self.y + self.height - 0.5:
            return False
        return not any(left < b[2] + gap and right > b[0] - gap and low < b[3] + gap and top > b[1] - gap for b in self.taken)


def fitted_view(page: Page, box: Box, ground: Ground, bounds: Bounds) -> View:
    """Open a map that fills a box of the page and shows at least `bounds`."""
    left, low, right, top = box
    width, height = right - left, top - low
    west, south, east, north = bounds
    a_mm = max((east - west) / width, (north - south) / height) * (1 + 2 * MARGIN) or 1.0
    return scaled_view(page, box, ground, ((west + east) / 2, (south + north) / 2), a_mm * 1000)


def scaled_view(page: Page, box: Box, ground: Ground, centre: tuple[float, float], scale: float) -> View:
    """Open a map that fills a box of the page at exactly 1:`scale`, with `centre` in its middle."""
    left, low, right, top = box
    width, height = right - left, top - low
    half_x, half_y = width * scale / 2000, height * scale / 2000
    bounds = (centre[0] - half_x, centre[1] - half_y, centre[0] + half_x, centre[1] + half_y)
    axes = axes_at(page, left, low, width, height, facecolor=GROUND, zorder=1)
    axes.set(xlim=(bounds[0], bounds[2]), ylim=(bounds[1], bounds[3]))
    axes.set_autoscale_on(False)
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set(color="#aeb6bc", linewidth=0.6)
    return View(ground, page, axes, left, low, width, height, bounds)


def located(table: GeoDataFrame) -> GeoDataFrame:
    """Keep the rows that lie somewhere."""
    shapes = np.asarray(table.geometry.array, dtype=object)
    return table[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]


def areas(view: View, shapes: Iterable[object], *, zorder: float, detail: bool = True, **look: Any) -> None:
    """Fill areas, holes left open, as one shape each."""
    from matplotlib.collections import PathCollection

    tolerance = DETAIL_MM * view.metres_a_mm
    kept = _seen(view, shapes)
    drawn = shapely.simplify(kept, tolerance) if detail and len(kept) else kept
    paths = [_outline(shape) for shape in drawn if not shape.is_empty]
    if paths:
        view.axes.add_collection(PathCollection(paths, zorder=zorder, **look), autolim=False)


def _seen(view: View, shapes: Iterable[object]) -> Shapes:
    """Keep what the map shows, cut a little beyond its edge so that no edge is drawn along it."""
    found = np.asarray(list(shapes), dtype=object)
    found = found[~(shapely.is_missing(found) | shapely.is_empty(found))]
    pad = 5 * view.metres_a_mm
    west, south, east, north = view.bounds
    frame = shapely.box(west - pad, south - pad, east + pad, north + pad)
    found = found[shapely.intersects(found, frame)]
    inside = shapely.covered_by(found, frame)
    cut = np.array([shape if whole else shapely.intersection(shape, frame) for shape, whole in zip(found, inside, strict=True)])
    return cut.astype(object)


def _outline(shape: object) -> Path:
    """Turn a polygon into a path whose holes run the other way round, so that they stay open."""
    from matplotlib.path import Path

    rings = []
    for part in shapely.get_parts(shape):
        if shapely.get_type_id(part) == 3:
            whole = shapely.normalize(part)
            rings += [shapely.get_coordinates(shapely.get_exterior_ring(whole))]
            rings += [shapely.get_coordinates(ring) for ring in shapely.get_rings(whole)[1:]]
    paths = [Path(ring, closed=True) for ring in rings if len(ring) > 3]
    return Path.make_compound_path(*paths) if paths else Path(np.zeros((0, 2)))


def lines(view: View, shapes: Iterable[object], *, zorder: float, **look: Any) -> int:
    """Draw lines, many of them as one path, and give the number of their points."""
    from matplotlib.collections import PathCollection

    drawn = shapely.simplify(_seen(view, shapes), DETAIL_MM * view.metres_a_mm)
    parts = shapely.get_parts(drawn)
    parts = parts[np.isin(shapely.get_type_id(parts), (1, 2))] if len(parts) else parts
    if not len(parts):
        return 0
    points, which = shapely.get_coordinates(parts, return_index=True)
    own: dict[str, Any] = {"capstyle": "round", "joinstyle": "round", "facecolors": "none", "zorder": zorder}
    view.axes.add_collection(PathCollection(_joined(points, which), **(own | look)), autolim=False)
    return len(points)


def _joined(
    points: np.ndarray[tuple[int, int], np.dtype[np.float64]], which: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> list[Path]:
    """Join lines into few paths that lift the pen between them: small files, and quick to draw."""
    from matplotlib.path import Path

    codes = np.where(np.diff(which, prepend=-1) != 0, Path.MOVETO, Path.LINETO).astype(Path.code_type)
    starts = np.flatnonzero(codes == Path.MOVETO)
    wanted = np.arange(0, len(points), POINTS_A_PATH)
    cuts = np.unique(starts[np.searchsorted(starts, wanted, side="right") - 1])
    return [Path(part, code) for part, code in zip(np.split(points, cuts[1:]), np.split(codes, cuts[1:]), strict=True)]


def draw_ground(view: View, *, streets: float = 1.0) -> None:
    """Draw land, water and the study's own streets, the widest on top; many streets as a picture within the drawing."""
    ground, units = view.ground, view.ground.study.units
    land = located(units[units["level"].map(TIERS) <= 2]).geometry.array
    areas(view, land, zorder=1.01, facecolor=PAPER, edgecolor="none")
    areas(view, ground.water, zorder=1.05, facecolor=WATER, edgecolor="none")
    finest = 1 if view.scale > 150_000 else 2 if view.scale > 90_000 else 3
    before, total = len(view.axes.collections), 0
    for rank in range(finest, -1, -1):
        colour, width = STREETS[rank]
        wide = view.page.stroke(width) * streets * min(max(45_000 / view.scale, 0.75), 2.0)
        total += lines(view, ground.streets[rank], zorder=1.8 + 0.1 * (3 - rank), edgecolors=colour, linewidths=wide)
    if total > MOST_POINTS:
        for layer in view.axes.collections[before:]:
            layer.set_rasterized(True)


def draw_units(view: View, units: GeoDataFrame, *, tiers: Sequence[int] = (1, 2), colour: str = "#7b868f") -> None:
    """Draw unit boundaries, the larger the unit the heavier."""
    looks = {1: (1.3, "solid"), 2: (0.8, (0, (4, 2))), 3: (0.45, (0, (2, 2))), 4: (0.3, (0, (1, 2)))}
    tier = units["level"].map(TIERS)
    for one in sorted(tiers, reverse=True):
        width, dash = looks[one]
        shapes = located(units[tier == one]).geometry.array
        edges = shapely.boundary(np.asarray(shapes, dtype=object))
        lines(view, edges, zorder=3.6 - 0.1 * one, edgecolors=colour, linewidths=view.page.stroke(width), linestyles=[dash])


def name_units(view: View, units: GeoDataFrame, tier: int = 2, *, times: float = 0.78, colour: str = SOFT) -> int:
    """Write the names of a tier's units where there is room, the largest first, and give how many found none."""
    shown = located(units[units["level"].map(TIERS) == tier])
    west, south, east, north = view.bounds
    inside = [shapely.clip_by_rect(shape, west, south, east, north) for shape in shown.geometry]
    named = sorted(zip(inside, shown["name"], strict=True), key=lambda one: (-one[0].area, str(one[1])))
    left_out = 0
    for shape, name in named:
        if shape.is_empty:
            continue
        spot = shapely.point_on_surface(shape) if not shape.contains(shape.centroid) else shape.centroid
        left_out += not label(view, (spot.x, spot.y), str(name), times, colour=colour, halo=True)
    return left_out


def label(
    view: View,
    spot: tuple[float, float],
    text: str,
    times: float = 0.8,
    *,
    colour: str = SOFT,
    halo: bool = True,
    bold: bool = False,
    beside: float = 0.0,
    around: int = 2,
    zorder: float = 6,
) -> bool:
    """Write a name at a place of the ground where nothing stands yet; False where no room is found.

    Parameters
    ----------
    beside
        How far from the place the name must stay, millimetres; 0 to write it over the place.
    around
        How many steps away from the place room is looked for.
    """
    page, (x, y) = view.page, view.on_paper(*spot)
    if not (view.x <= x <= view.x + view.width and view.y <= y <= view.y + view.height):
        return False
    wide, high = page.width_of(text, times, bold=bold), page.pt(times) * MM_PER_POINT * 1.1
    for dx, dy in _offsets(wide, high, beside, around):
        box = (x + dx - wide / 2, y + dy - high / 2, x + dx + wide / 2, y + dy + high / 2)
        if view.free(box):
            view.taken.append(box)
            how: dict[str, Any] = {"bold": bold, "align": "center", "at": "center_baseline"}
            if halo:  # apart from the letters, which stay text in a PDF
                edge = white_edge(page.pt(times) * 0.22)
                page.write(x + dx, y + dy, text, times, colour="white", zorder=zorder - 0.1, path_effects=edge, **how)
            page.write(x + dx, y + dy, text, times, colour=colour, zorder=zorder, **how)
            return True
    return False


def _offsets(wide: float, high: float, beside: float, around: int) -> list[tuple[float, float]]:
    if beside:
        far_x, far_y = beside + wide / 2, beside + high / 2
        spots = [(far_x, 0.0), (-far_x, 0.0), (0.0, far_y), (0.0, -far_y)]
        return spots + [(sx * far_x * 0.9, sy * far_y * 0.9) for sx in (1, -1) for sy in (1, -1)]
    steps = [0.0, *(sign * step * high * 1.1 for step in range(1, around + 1) for sign in (1, -1))]
    found = [(dx * 1.3, dy) for dy in steps for dx in steps]
    return sorted(found, key=lambda one: (math.hypot(*one), one[0], one[1]))


def white_edge(width: float) -> list[AbstractPathEffect]:
    """Draw letters as a white edge, so that those over it can be read on any ground."""
    from matplotlib.patheffects import Stroke

    return [Stroke(linewidth=width, foreground="white")]
