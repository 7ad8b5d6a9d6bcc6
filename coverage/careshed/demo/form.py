"""Lay out the made-up town: its bounds, river, railway and expressway, its blocks, and where each may be crossed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from careshed.demo.ways import Floats, lines_of, polygons_of

CRS: Final = "EPSG:32651"
CENTRE_M: Final = (500_000.0, 3_928_600.0)
"""The town's centre in `CRS`: 123.0° E, 35.5° N, open water in the Yellow Sea, so that nobody takes it for a real place."""

CORE: Final = (150.0, 150.0)
"""Centre of the old town in plan metres."""

RIVER_M: Final = (
    (-7400, 7400), (-5600, 6000), (-4700, 4300), (-3300, 3500), (-2700, 1900), (-1300, 900), (-1100, -600),
    (100, -1200), (1500, -900), (2600, -2300), (4300, -2500), (5000, -3900), (7600, -4800),
)  # fmt: skip
RAIL_M: Final = (
    (-8000, 2500), (-5200, 2900), (-2600, 2250), (200, 1900), (2800, 2050), (5200, 2900), (8000, 3000),
)  # fmt: skip
EXPRESSWAY_M: Final = (
    (4300, 7400), (3900, 5000), (3000, 3200), (2650, 900), (2750, -1200), (3600, -3200), (4100, -5000), (4000, -7400),
)  # fmt: skip

ISLAND_AT: Final = (0.535, 150.0)
"""Where the island lies: share of the river's length, and metres to the side of its thalweg."""


@dataclass(frozen=True)
class Barrier:
    """A line that cuts the town in two and may be crossed only here and there."""

    kind: str
    """``river``, ``rail`` or ``expressway``."""
    line: LineString
    corridor: Polygon
    """Ground kept free of blocks; within the town a street runs along its edge."""
    gap_m: float
    """Least distance between two crossings in the town."""


@dataclass(frozen=True)
class GridLine:
    """A street of the town's mesh before barriers cut it."""

    line: LineString
    rank: int
    """0 for main roads, 1 for collectors, 2 for streets that split a block."""
    axis: str
    """``ns``, ``ew`` or ``split``."""
    number: int


@dataclass(frozen=True)
class Form:
    """The town's form in plan metres, the core near the origin; `Warp` bends it into its final shape."""

    bounds: Polygon
    urban: Polygon
    core: Polygon
    water: Polygon
    island: Polygon
    barriers: tuple[Barrier, ...]
    mesh: tuple[GridLine, ...]

    @property
    def corridors(self) -> BaseGeometry:
        """All ground kept free along barriers."""
        return shapely.union_all([barrier.corridor for barrier in self.barriers])


@dataclass(frozen=True)
class Warp:
    """Bends straight plans into grown ones: a smooth shift that folds nothing, the same for everything on the ground."""

    waves: Floats
    """Rows of amplitude x, amplitude y, wave number x, wave number y, phase."""

    def __call__(self, xy: Floats) -> Floats:
        """Move plan metres to metres in `CRS`, rounded to the millimetre."""
        ax, ay, kx, ky, phase = self.waves.T
        swing = np.sin(xy[:, :1] * kx + xy[:, 1:] * ky + phase)
        shift = np.column_stack([swing @ ax, swing @ ay])
        return np.asarray(np.round(xy + shift + np.array(CENTRE_M), 3))

    def shape(self, geometry: BaseGeometry) -> BaseGeometry:
        """Bend a geometry; long straight pieces want vertices first (`shapely.segmentize`)."""
        return shapely.transform(geometry, self)


def make_warp(seed: int) -> Warp:
    """Draw the waves that bend the town: long ones for its lie, short ones for its lanes."""
    rng = np.random.default_rng([seed, 1])
    rows = []
    for amplitude, length in ((280, 8200), (150, 4300), (46, 2200), (13, 900)):
        for along in (0, 1):
            angle = rng.uniform(-0.5, 0.5) + (0 if along else np.pi / 2)
            k = 2 * np.pi / (length * rng.uniform(0.9, 1.1))
            share = (amplitude, 0.0) if along else (0.0, amplitude)
            rows.append([*share, k * np.sin(angle), k * np.cos(angle), rng.uniform(0, 2 * np.pi)])
    return Warp(np.array(rows))


def make_form(seed: int) -> Form:
    """Lay out the town's bounds, barriers and mesh of streets."""
    rng = np.random.default_rng([seed, 2])
    river, rail, expressway = (smooth(points) for points in (RIVER_M, RAIL_M, EXPRESSWAY_M))
    water, island = _river_bed(river)
    barriers = (
        Barrier("river", river, polygons_of(water.buffer(38).simplify(3))[0], 1150),
        Barrier("rail", rail, rail.buffer(24, cap_style="flat").simplify(1), 1000),
        Barrier("expressway", expressway, expressway.buffer(34, cap_style="flat").simplify(1), 1500),
    )
    bounds = _blob((100, 0), (7000, 5900), rng, 0.05)
    urban, core, mesh = _mesh(_blob((250, 100), (3300, 3000), rng, 0.10), rng)
    return Form(bounds, urban, core, water, island, barriers, tuple(mesh))


def smooth(points: Sequence[tuple[float, float]], rounds: int = 4) -> LineString:
    """Round the corners of a line off (Chaikin, 1974), ends kept.

    >>> smooth([(0, 0), (8, 0), (8, 8)], rounds=1).wkt
    'LINESTRING (0 0, 2 0, 6 0, 8 2, 8 6, 8 8)'
    """
    xy = np.array(points, dtype=float)
    for _ in range(rounds):
        a, b = xy[:-1], xy[1:]
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
        xy = np.vstack([xy[:1], cut, xy[-1:]])
    return LineString(xy)


def _blob(centre: tuple[float, float], radii: tuple[float, float], rng: np.random.Generator, rough: float) -> Polygon:
    """Draw a round shape with a few lobes."""
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    lobes = sum(rng.uniform(0.4, 1.0) * np.cos(n * angle + rng.uniform(0, 2 * np.pi)) / (n - 1) for n in (2, 3, 4, 5))
    # a superellipse: fuller than an ellipse, as counties are
    full = (np.abs(np.cos(angle)) ** 2.6 + np.abs(np.sin(angle)) ** 2.6) ** (-1 / 2.6)
    radius = full * (1 + rough * np.asarray(lobes))
    round_ = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
    return Polygon(np.array(centre) + np.array(radii) * round_)


def _river_bed(river: LineString) -> tuple[Polygon, Polygon]:
    """Widen the river downstream, and around its island."""
    along = np.linspace(0, river.length, 160)
    xy = shapely.get_coordinates(river.interpolate(along))
    half = (34 + 34 * along / river.length)[:, None]
    slope = np.gradient(xy, axis=0)
    normal = np.column_stack([-slope[:, 1], slope[:, 0]]) / np.hypot(*slope.T)[:, None]
    bed = Polygon(np.vstack([xy + normal * half, (xy - normal * half)[::-1]])).buffer(0)
    at, aside = ISLAND_AT
    i = round(at * (len(xy) - 1))
    turn = np.degrees(np.arctan2(slope[i, 1], slope[i, 0]))
    middle = xy[i] + normal[i] * aside
    island = _ellipse(middle, 250, 62, turn)
    pool = _ellipse(xy[i] + normal[i] * (aside - 25), 480, 175, turn)
    return polygons_of(bed.union(pool).buffer(60).buffer(-60))[0], island


def _ellipse(centre: Floats, long_m: float, short_m: float, turn_deg: float) -> Polygon:
    from shapely import affinity

    return affinity.translate(affinity.rotate(affinity.scale(Point(0, 0).buffer(1, 12), long_m, short_m), turn_deg), *centre)


def _mesh(extent: Polygon, rng: np.random.Generator) -> tuple[Polygon, Polygon, list[GridLine]]:
    """Draw a mesh of streets over `extent`: uneven blocks, some merged, some split."""
    x, y = (_stops(rng, at) for at in CORE)
    knots = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1) + rng.uniform(-30, 30, (len(x), len(y), 2))
    blocks = {
        (i, j): Polygon([knots[i, j], knots[i + 1, j], knots[i + 1, j + 1], knots[i, j + 1]])
        for i in range(len(x) - 1)
        for j in range(len(y) - 1)
    }
    blocks = {at: block for at, block in blocks.items() if extent.contains(block.centroid)}
    core = {at for at, block in blocks.items() if np.hypot(block.centroid.x - CORE[0], (block.centroid.y - CORE[1]) * 1.1) < 720}
    urban = polygons_of(shapely.union_all(list(blocks.values())))[0]
    lines = _grid_lines(knots, blocks, core, rng) + _splits(blocks, core, rng)
    return Polygon(urban.exterior), MultiPolygon([blocks[at] for at in sorted(core)]).buffer(1), lines


def _stops(rng: np.random.Generator, through: float) -> Floats:
    """Place the lines of one direction: one through the core, uneven distances, closer in the middle."""
    side = [np.cumsum(rng.uniform(350, 470, 10) * np.linspace(0.92, 1.25, 10)) for _ in (0, 1)]
    return np.concatenate([through - side[0][::-1], [through], through + side[1]]).astype(np.float64)


def _rank(number: int) -> int:
    return 0 if (number - 10) % 3 == 0 else 1


def _grid_lines(
    knots: Floats, blocks: dict[tuple[int, int], Polygon], core: set[tuple[int, int]], rng: np.random.Generator
) -> list[GridLine]:
    merged: set[tuple[int, int]] = set()
    lines = []
    for axis in ("ns", "ew"):
        for a in range(knots.shape[0 if axis == "ns" else 1]):
            kept: list[LineString] = []
            for b in range(knots.shape[1 if axis == "ns" else 0] - 1):
                sides = [(a - 1, b), (a, b)] if axis == "ns" else [(b, a - 1), (b, a)]
                ends = (knots[a, b], knots[a, b + 1]) if axis == "ns" else (knots[b, a], knots[b + 1, a])
                inside = [side for side in sides if side in blocks]
                small = sum(blocks[side].area for side in inside) < 260_000
                may_merge = len(inside) == 2 and _rank(a) and small and not merged & set(inside) and not core & set(inside)
                if may_merge and rng.random() < 0.16:
                    merged |= set(inside)
                elif inside:
                    kept.append(LineString(ends))
            lines += [GridLine(line, _rank(a), axis, a - 10) for line in lines_of(shapely.line_merge(shapely.union_all(kept)))]
    return lines


def _splits(blocks: dict[tuple[int, int], Polygon], core: set[tuple[int, int]], rng: np.random.Generator) -> list[GridLine]:
    """Split some blocks in two."""
    lines = []
    for n, at in enumerate(sorted(blocks)):
        if at in core or rng.random() > 0.16:
            continue
        first = int(rng.integers(2))
        a, b, c, d = np.roll(shapely.get_coordinates(blocks[at])[:4], -first, axis=0)
        share = rng.uniform(0.4, 0.6)
        ends = [a * share + b * (1 - share), d * share + c * (1 - share)]
        lines.append(GridLine(LineString(ends), 2, "split", n))
    return lines
