"""Fill the town's blocks: lanes, gated superblocks, open blocks, parks, works, and the homes in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely
from shapely import LineString, MultiLineString, MultiPoint, Point, Polygon, affinity

from careshed.demo.form import CORE, Form
from careshed.demo.streets import Skeleton
from careshed.demo.ways import Drawing, Floats, lines_of, polygons_of, thinned, with_vertices

WALL_IN_M: Final = 11.0
"""Distance from the street's middle line to a compound's wall."""

COMPOUND_NAMES: Final = (
    "青湾", "滨江", "锦绣", "阳光", "翠竹", "金桂", "银杏", "望湾", "听潮", "丽景", "书香", "康乐", "和谐", "东方",
    "梧桐", "紫荆",
)  # fmt: skip
COMPOUND_ENDS: Final = ("花园", "家园", "苑", "里", "府", "小区", "名城", "雅居")


@dataclass
class Homes:
    """Where people live, point by point, in plan metres."""

    xy: list[Floats] = field(default_factory=list)
    weight: list[Floats] = field(default_factory=list)
    """Relative number of residents; scaled to the town's total later."""
    age: list[Floats] = field(default_factory=list)
    """0 where young families moved in lately, 1 where the old have stayed."""
    rural: list[Floats] = field(default_factory=list)

    def add(self, xy: Floats, people: float, age: float, rng: np.random.Generator, *, rural: bool = False) -> None:
        """Settle `people` on the points, unevenly."""
        if len(xy) == 0:
            return
        share = rng.uniform(0.5, 1.5, len(xy))
        self.xy.append(xy)
        self.weight.append(people * share / share.sum())
        self.age.append(np.clip(age + rng.normal(0, 0.06) + rng.normal(0, 0.03, len(xy)), 0, 1))
        self.rural.append(np.full(len(xy), float(rural)))


@dataclass(frozen=True)
class Compound:
    """One gated compound, as the housing office registers it."""

    name: str
    wall: Polygon
    built: int
    gates: tuple[Point, ...]
    households: int


@dataclass(frozen=True)
class Block:
    """A block and what became of it."""

    shape: Polygon
    use: str


Filler = Callable[[Polygon, "_Site"], None]


@dataclass
class _Site:
    """What the fillers draw on."""

    drawing: Drawing
    homes: Homes
    rng: np.random.Generator
    compounds: list[Compound]
    distance_m: float = 0.0
    """From the old core's centre."""
    east: bool = False
    """Beyond the expressway, where the town built last."""


def fill_blocks(form: Form, skeleton: Skeleton, drawing: Drawing, homes: Homes, seed: int) -> tuple[list[Block], list[Compound]]:
    """Give every block a use by its size and distance from the core, and build it."""
    beyond = _beyond_expressway(form)
    compounds: list[Compound] = []
    blocks = []
    for n, shape in enumerate(skeleton.blocks):
        middle = shape.representative_point()
        far = float(np.hypot(middle.x - CORE[0], middle.y - CORE[1]))
        site = _Site(drawing, homes, np.random.default_rng([seed, 3, n]), compounds, far, beyond.contains(middle))
        use = "old" if form.core.contains(middle) else _use(shape, site)
        FILLERS[use](shape, site)
        blocks.append(Block(shape, use))
    return blocks, compounds


def _beyond_expressway(form: Form) -> Polygon:
    line = form.barriers[2].line
    return Polygon([*line.coords, (9000, -9000), (9000, 9000)])


def _use(shape: Polygon, site: _Site) -> str:
    """Draw the use of a block from what is usual at its distance from the core."""
    if site.east:
        shares = {"works": 0.42, "compound": 0.34, "vacant": 0.12, "open": 0.12}
    elif site.distance_m < 1350:
        shares = {"open": 0.55, "compound": 0.22, "offices": 0.15, "park": 0.08}
    elif site.distance_m < 2350:
        shares = {"compound": 0.60, "open": 0.20, "offices": 0.06, "campus": 0.05, "park": 0.05, "urban_village": 0.04}
    else:
        shares = {"compound": 0.46, "vacant": 0.20, "open": 0.10, "works": 0.10, "urban_village": 0.10, "park": 0.04}
    use = str(site.rng.choice(list(shares), p=list(shares.values())))
    narrow = shape.buffer(-55).area < 8_000
    return "open" if narrow and use in ("compound", "park", "campus", "works", "urban_village") else use


def _rows(shape: Polygon, angle: float, gap: float, rng: np.random.Generator) -> list[LineString]:
    """Rule `shape` with parallel lines, unevenly spaced about `gap` metres."""
    turned = affinity.rotate(shape, -angle, origin=(0, 0))
    west, south, east, north = turned.bounds
    count = max(int((north - south) / gap), 1)
    at = south + (np.arange(count) + 0.5 + rng.uniform(-0.14, 0.14, count)) * (north - south) / count
    lines = MultiLineString([[(west - 5, y), (east + 5, y)] for y in at])
    return lines_of(affinity.rotate(lines, angle, origin=(0, 0)).intersection(shape))


def _angle(shape: Polygon) -> float:
    """Give the direction of a block's longer side, degrees from east."""
    corner = shapely.get_coordinates(shapely.oriented_envelope(shape))
    sides = np.diff(corner[:3], axis=0)
    longer = sides[np.argmax(np.hypot(*sides.T))]
    return float(np.degrees(np.arctan2(longer[1], longer[0])))


def lattice(shape: Polygon, gap: float, rng: np.random.Generator) -> Floats:
    """Scatter points over `shape`, about one every `gap` metres."""
    if shape.is_empty:
        return np.empty((0, 2))
    west, south, east, north = shape.bounds
    x, y = np.meshgrid(np.arange(west, east, gap), np.arange(south, north, gap))
    xy = np.column_stack([x.ravel(), y.ravel()]) + rng.uniform(-0.4, 0.4, (x.size, 2)) * gap
    return np.asarray(xy[shapely.contains_xy(shape, xy)])


def _old(shape: Polygon, site: _Site) -> None:
    """Fill with a fine mesh of crooked lanes, some of them dead ends."""
    seeds = lattice(shape.buffer(30), 62, site.rng)
    mesh = shapely.voronoi_polygons(MultiPoint(seeds), only_edges=True).intersection(shape)
    for n, lane in enumerate(thinned(lines_of(mesh), shape, 0.8, site.rng)):
        tags = {"highway": ("living_street", "residential", "footway", "footway")[n % 4]}
        if n % 17 == 0:
            tags["name"] = f"{COMPOUND_NAMES[(n // 17) % len(COMPOUND_NAMES)]}巷"
        if n % 4 == 1 and n % 3 == 0:
            tags["oneway"] = "yes"
        if n % 83 == 2:
            tags = {"highway": "steps"}
        site.drawing.add(lane, tags)
    points = lattice(shape.buffer(-6), 24, site.rng)
    site.homes.add(points, shape.area / 1e4 * 330, 0.86, site.rng)


def _open(shape: Polygon, site: _Site) -> None:
    """Fill with through streets, as blocks of work-unit housing from before walls came back."""
    angle = _angle(shape)
    mesh = _rows(shape, angle, 105, site.rng) + _rows(shape, angle + 90 + site.rng.uniform(-6, 6), 125, site.rng)
    for n, lane in enumerate(thinned(mesh, shape, 0.7, site.rng)):
        site.drawing.add(lane, highway="residential" if n % 3 else "service")
    points = lattice(shape.buffer(-10), 28, site.rng)
    age = np.interp(site.distance_m, [0, 1500, 3000], [0.72, 0.62, 0.45])
    site.homes.add(points, shape.area / 1e4 * float(np.interp(site.distance_m, [800, 2800], [300, 150])), float(age), site.rng)


def _compound(shape: Polygon, site: _Site) -> None:
    """Wall the block, leave one to three gates, and lead every inner path to them."""
    rng = site.rng
    wall = polygons_of(shape.buffer(-WALL_IN_M, join_style="mitre"))[0].simplify(2)
    ring = max(polygons_of(wall.buffer(-22, join_style="mitre")), key=lambda part: float(part.area)).simplify(2)
    latest = np.interp(site.distance_m, [600, 1300, 2300, 3200], [1996, 2004, 2014, 2023]) + (4 if site.east else 0)
    built = int(min(latest + rng.integers(-5, 3), 2024))
    gates = _gates(wall, rng)
    for n, gate in enumerate(gates):
        inner = shapely.shortest_line(ring.exterior, gate)
        outer = shapely.shortest_line(gate, shape.exterior)
        line = LineString([*inner.coords[:-1], *outer.coords])
        site.drawing.add(line, highway="service" if n == 0 else "footway", access="private", foot="permissive")
        site.drawing.points.append((gate, {"barrier": "gate", "foot": "permissive"}))
    site.drawing.add(with_vertices(LineString(wall.exterior.coords), gates), joins=False, ends=False, barrier="wall")
    site.drawing.add(ring, highway="service", access="private", foot="permissive")
    angle = _angle(ring)
    rows = _rows(ring, angle, rng.uniform(70, 95), rng) + _rows(ring, angle + 90, rng.uniform(150, 220), rng)
    for row in rows:
        site.drawing.add(row, highway="footway")
    people = wall.area / 1e4 * rng.uniform(170, 320) * np.interp(site.distance_m, [1000, 3300], [1.1, 0.65])
    site.homes.add(lattice(wall.buffer(-14), 34, rng), people, float(np.clip((2026 - built) / 46, 0.03, 0.7)), rng)
    site.compounds.append(Compound(_compound_name(len(site.compounds)), wall, built, gates, round(people / 2.7)))


def _gates(wall: Polygon, rng: np.random.Generator) -> tuple[Point, ...]:
    """Place gates: the main one in the middle of a long side, others apart from it."""
    count = int(rng.choice([1, 2, 3], p=[0.35, 0.42, 0.23]))
    corner = shapely.get_coordinates(wall.exterior)
    side = np.hypot(*np.diff(corner, axis=0).T)
    n = int(rng.choice(len(side), p=side**4 / (side**4).sum()))
    start = side[:n].sum() + side[n] / 2
    at = [start + wall.length * (k / count) + (rng.uniform(-0.06, 0.06) * wall.length if k else 0) for k in range(count)]
    return tuple(wall.exterior.interpolate(a % wall.length) for a in at)


def _compound_name(n: int) -> str:
    first, end = COMPOUND_NAMES[n % len(COMPOUND_NAMES)], COMPOUND_ENDS[(n * 3 + n // 16) % len(COMPOUND_ENDS)]
    return f"{first}{end}"


def _urban_village(shape: Polygon, site: _Site) -> None:
    """Leave the lanes of a village that the town grew around."""
    inner = max(polygons_of(shape.buffer(-45)), key=lambda part: float(part.area))
    mesh = shapely.voronoi_polygons(MultiPoint(lattice(inner.buffer(20), 55, site.rng)), only_edges=True).intersection(inner)
    lanes = [*lines_of(inner), *thinned(lines_of(mesh), inner, 0.6, site.rng)]
    for lane in lanes:
        site.drawing.add(lane, highway="living_street")
    for share in (0.1, 0.6):
        way_out = shapely.shortest_line(inner.exterior.interpolate(share, normalized=True), shape.exterior)
        site.drawing.add(way_out, highway="residential")
    site.homes.add(lattice(inner, 22, site.rng), inner.area / 1e4 * 260, 0.5, site.rng)


def _park(shape: Polygon, site: _Site) -> None:
    """Lay out a park: a loop, paths across, a pond, steps up to a pavilion."""
    loop = max(polygons_of(shape.buffer(-26)), key=lambda part: float(part.area)).buffer(-14).buffer(14).simplify(1)
    pond = affinity.scale(loop.buffer(-40), 0.45, 0.4)
    site.drawing.add(loop, highway="footway")
    for share in (0.05, 0.3, 0.55, 0.8):
        entrance = shapely.shortest_line(loop.exterior.interpolate(share, normalized=True), shape.exterior)
        site.drawing.add(entrance, highway="footway")
        across = LineString([entrance.coords[0], (loop.centroid.x, loop.centroid.y)])
        if share < 0.5:
            site.drawing.add(across, highway="footway")
        else:
            site.drawing.add(across, highway="steps", name="望湾亭台阶")
    for piece in polygons_of(affinity.translate(pond, 0.2 * np.sqrt(shape.area), 0)):
        if piece.area > 500:
            site.drawing.add(piece, joins=False, ends=False, natural="water", water="pond")
    site.drawing.add(shape.buffer(-8), joins=False, ends=False, leisure="park", name="公园")


def _works(shape: Polygon, site: _Site) -> None:
    """Build a works behind its fence: one private drive, a few people in dormitories."""
    fence = polygons_of(shape.buffer(-WALL_IN_M, join_style="mitre"))[0].simplify(2)
    gate = fence.exterior.interpolate(site.rng.uniform(0, 1), normalized=True)
    drive = LineString([*shapely.shortest_line(shape.exterior, gate).coords, (fence.centroid.x, fence.centroid.y)])
    site.drawing.add(with_vertices(LineString(fence.exterior.coords), [gate]), joins=False, ends=False, barrier="fence")
    site.drawing.points.append((gate, {"barrier": "gate", "access": "private"}))
    site.drawing.add(drive, highway="service", access="private", foot="no")


def _campus(shape: Polygon, site: _Site) -> None:
    """Build a college: open gates on two sides, paths inside, students."""
    angle = _angle(shape)
    for n, lane in enumerate(_rows(shape, angle, 160, site.rng) + _rows(shape, angle + 90, 170, site.rng)):
        site.drawing.add(lane, highway="service" if n % 2 else "pedestrian")
    site.homes.add(lattice(shape.buffer(-60), 60, site.rng), shape.area / 1e4 * 60, 0.10, site.rng)


def _offices(shape: Polygon, site: _Site) -> None:
    """Build offices and shops: passages through, a few flats above."""
    for lane in _rows(shape, _angle(shape) + 90, 140, site.rng):
        site.drawing.add(lane, highway="service")
    site.homes.add(lattice(shape.buffer(-25), 60, site.rng), shape.area / 1e4 * 45, 0.45, site.rng)


def _vacant(shape: Polygon, site: _Site) -> None:
    """Leave the ground unbuilt, with a track across."""
    for lane in _rows(shape, _angle(shape), 400, site.rng)[:1]:
        site.drawing.add(lane, highway="track")


FILLERS: Final[dict[str, Filler]] = {
    "old": _old,
    "open": _open,
    "compound": _compound,
    "urban_village": _urban_village,
    "park": _park,
    "works": _works,
    "campus": _campus,
    "offices": _offices,
    "vacant": _vacant,
}
