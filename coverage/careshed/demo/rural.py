"""String villages along rural roads, and join them over the few bridges and underpasses there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from shapely import LineString, MultiPoint, Point, affinity
from shapely.geometry.base import BaseGeometry

from careshed.demo.blocks import Homes
from careshed.demo.form import Barrier, Form
from careshed.demo.streets import Crossing, Skeleton, draw_crossing
from careshed.demo.ways import Drawing, Floats, lines_of, polygons_of, thinned

SEATS: Final[dict[str, tuple[float, float]]] = {
    "北岭镇": (-1400, 4400),
    "柳泉镇": (1900, 4600),
    "东滩镇": (5300, 400),
    "西堰乡": (-5200, 500),
    "石桥镇": (-3300, -3900),
    "南圃乡": (1100, -4300),
}
"""Townships and where their seats lie, plan metres; the first three north of the river."""

CROSSINGS: Final[tuple[tuple[int, float], ...]] = (
    (0, 0.19), (0, 0.86), (1, 0.13), (1, 0.27), (1, 0.90), (2, 0.10), (2, 0.24), (2, 0.74), (2, 0.88),
)  # fmt: skip
"""Rural crossings: number of the barrier, share of its length."""

HAMLETS: Final = (
    "李家庄", "王家坞", "陈家埭", "柳树屯", "后河沿", "前岗", "上窑", "下洼", "石门", "双井", "三里铺", "十里堡",
    "大槐树", "小杨庄", "北坡", "南沟", "东泉", "西岭", "枣林", "菜园", "桥头", "渡口", "磨坊", "新庄", "老营",
    "张家湾", "赵家桥", "沙岗", "梨园", "竹沟",
)  # fmt: skip


@dataclass(frozen=True)
class Hamlet:
    """One settlement in the country."""

    at: Point
    township: str
    people: float
    """Relative size."""
    seat: bool


@dataclass(frozen=True)
class _Knot:
    """A point that rural roads run between."""

    at: Point
    group: int
    """Knots of one group are joined already; −1 for none."""


def place_hamlets(form: Form, seed: int) -> list[Hamlet]:
    """Place the township seats, then villages at least 900 m apart."""
    rng = np.random.default_rng([seed, 4])
    free = form.bounds.buffer(-350).difference(form.urban.buffer(380)).difference(form.corridors.buffer(170))
    north = north_of_river(form)
    hamlets = [Hamlet(_nearest_free(Point(at), free.buffer(-330)), name, 3000, True) for name, at in SEATS.items()]
    seats = [(hamlet.at, north.contains(hamlet.at)) for hamlet in hamlets]
    for x, y in lattice_order(free, rng):
        at = Point(x, y)
        if min(at.distance(other.at) - (330 if other.seat else 0) for other in hamlets) < 900:
            continue
        side = north.contains(at)
        far = [at.distance(seat) + (1e6 if seat_side != side else 0) for seat, seat_side in seats]
        size = float(np.clip(rng.lognormal(6.3, 0.45), 220, 1500))
        hamlets.append(Hamlet(at, list(SEATS)[int(np.argmin(far))], size, False))
    return hamlets


def lattice_order(free: BaseGeometry, rng: np.random.Generator) -> Floats:
    """Give random points on free ground, in random order."""
    west, south, east, north = free.bounds
    xy = rng.uniform((west, south), (east, north), (2600, 2))
    return np.asarray(xy[shapely.contains_xy(free, xy)])


def _nearest_free(at: Point, free: BaseGeometry) -> Point:
    return Point(shapely.shortest_line(free, at).coords[0])


def north_of_river(form: Form) -> BaseGeometry:
    """Give the ground on the core's side of the river."""
    line = form.barriers[0].line
    return shapely.Polygon([*line.coords, (9000, -6000), (9000, 9000), (-7400, 9000)])


def draw_country(form: Form, skeleton: Skeleton, hamlets: Sequence[Hamlet], drawing: Drawing, homes: Homes, seed: int) -> None:
    """Draw rural roads, crossings, township seats and village lanes."""
    rng = np.random.default_rng([seed, 5])
    crossings = [_rural_crossing(form.barriers[b], share) for b, share in CROSSINGS]
    crossings = [c for c in crossings if form.bounds.contains(c.line) and not c.line.intersects(form.urban.buffer(100))]
    for crossing in crossings:
        draw_crossing(crossing, drawing)
    knots = [_Knot(hamlet.at, -1) for hamlet in hamlets]
    knots += [_Knot(stub, 0) for stub in skeleton.stubs]
    knots += [_Knot(end, 1 + n) for n, crossing in enumerate(crossings) for end in crossing.ends]
    knots += [_Knot(exit_, -1) for exit_ in _exits(form)]
    roads = _roads(knots, form, rng)
    ranks = [hamlet.seat for hamlet in hamlets] + [True] * (len(knots) - len(hamlets))
    for n, (i, j) in enumerate(roads):
        line = LineString([knots[i].at, knots[j].at])
        county = ranks[i] and ranks[j]
        tags = {"highway": "tertiary" if county else ("unclassified" if line.length > 500 or n % 3 else "residential")}
        if county:
            tags["name"] = f"{hamlets[min(i, j)].township[:2] if min(i, j) < len(hamlets) else '环湾'}公路"
        drawing.add(shapely.segmentize(line, 60), tags)
    for n, hamlet in enumerate(hamlets):
        own = [knots[j if i == n else i].at for i, j in roads if n in (i, j)]
        (_draw_seat if hamlet.seat else _draw_hamlet)(hamlet, own, form, drawing, homes, rng)


def _rural_crossing(barrier: Barrier, share: float) -> Crossing:
    at = barrier.line.length * share
    here, ahead = (shapely.get_coordinates(barrier.line.interpolate(at + step))[0] for step in (0, 5))
    normal = np.array([-(ahead - here)[1], (ahead - here)[0]]) / np.hypot(*(ahead - here))
    long = LineString([here - normal * 250, here + normal * 250]).intersection(barrier.corridor)
    line = max(lines_of(long), key=lambda piece: float(piece.length))
    rank = 1 if barrier.kind == "rail" and share < 0.5 else 0
    return Crossing(barrier, line, rank, at, {"highway": "tertiary"})


def _exits(form: Form) -> list[Point]:
    """Give the points where roads leave the county."""
    edge = form.bounds.buffer(-15).exterior
    return [edge.interpolate(share, normalized=True) for share in (0.03, 0.16, 0.31, 0.47, 0.60, 0.74, 0.9)]


def _roads(knots: Sequence[_Knot], form: Form, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Join all knots with the shortest roads that cross no barrier, then add some that close loops."""
    points = [knot.at for knot in knots]
    closed = shapely.union_all([form.urban.buffer(-2), form.corridors.buffer(-2)])
    shapely.prepare(closed)
    pairs = _neighbours(points)
    lines = shapely.linestrings([[points[i].coords[0], points[j].coords[0]] for i, j in pairs])
    blocked = shapely.intersects(lines, closed)
    order = sorted((float(line.length), pair) for line, pair, shut in zip(lines, pairs, blocked, strict=True) if not shut)
    root = list(range(len(knots)))
    first: dict[int, int] = {}
    for n, knot in enumerate(knots):
        root[n] = first.setdefault(knot.group, n) if knot.group >= 0 else n
    tree = MultiPoint(points)
    roads = []
    for length, (i, j) in order:
        a, b = _find(root, i), _find(root, j)
        middle = LineString([points[i], points[j]]).interpolate(0.5, normalized=True)
        gabriel = length < 2600 and middle.distance(tree) > length / 2 - 1
        if a != b:
            root[a] = b
        elif not (gabriel and rng.random() < 0.45):
            continue
        roads.append((i, j))
    return roads


def _neighbours(points: Sequence[Point]) -> list[tuple[int, int]]:
    """List pairs that share a side of the Delaunay triangulation, and near pairs besides."""
    xy = np.array([point.coords[0] for point in points])
    number = {(round(x, 6), round(y, 6)): n for n, (x, y) in enumerate(xy.tolist())}
    sides = shapely.delaunay_triangles(MultiPoint(xy), only_edges=True)
    pairs = {tuple(sorted(number[round(x, 6), round(y, 6)] for x, y in side.coords)) for side in lines_of(sides)}
    near = np.hypot(*(xy[:, None] - xy[None]).T) < 700
    pairs |= {(int(i), int(j)) for i, j in np.argwhere(near) if i < j}
    return sorted((int(i), int(j)) for i, j in pairs)


def _find(root: list[int], n: int) -> int:
    while root[n] != n:
        n = root[n]
    return n


def _draw_hamlet(
    hamlet: Hamlet, towards: Sequence[Point], form: Form, drawing: Drawing, homes: Homes, rng: np.random.Generator
) -> None:
    """Draw lanes off the roads that meet here, homes along both."""
    street_m = 0.20 * hamlet.people + 130
    keep_off = form.corridors.buffer(20)
    lines = []
    for other in towards[:3]:
        road = LineString([hamlet.at, other])
        reach = min(street_m, 0.45 * road.length)
        lines.append(shapely.segmentize(LineString([hamlet.at, road.interpolate(reach)]), 20))
        lanes = [_side_lane(road, at, rng) for at in np.cumsum(rng.uniform(30, 62, 20)) if at < reach]
        lanes = [lane for lane in lanes if not lane.intersects(keep_off)]
        back = [LineString([a.coords[-1], b.coords[-1]]) for a, b in pairwise(lanes)]
        back = [line for line in back if not line.intersects(shapely.union(road, keep_off)) and line.length < 150]
        for line in lanes + back:
            drawing.add(line, highway="residential" if rng.random() < 0.4 else "path")
        lines += lanes + back
    _settle_along(lines, hamlet.people, 0.88, homes, rng)


def _side_lane(road: LineString, at: float, rng: np.random.Generator) -> LineString:
    """Draw a lane square to the road, to one side."""
    (x0, y0), (x1, y1) = road.interpolate(at).coords[0], road.interpolate(at + 1).coords[0]
    side, length = rng.choice([-1, 1]), rng.uniform(55, 170)
    lean = rng.uniform(-0.2, 0.2)
    dx, dy = (-(y1 - y0) * side + lean * (x1 - x0)), ((x1 - x0) * side + lean * (y1 - y0))
    return LineString([(x0, y0), (x0 + dx * length, y0 + dy * length)])


def _settle_along(lines: Sequence[LineString], people: float, age: float, homes: Homes, rng: np.random.Generator) -> None:
    """Put homes on both sides of lanes, one every 16 m."""
    spots = [line.interpolate(at) for line in lines for at in np.arange(8, line.length, 16)]
    if spots:
        xy = shapely.get_coordinates(spots)
        homes.add(xy + rng.uniform(-24, 24, xy.shape), people, age, rng, rural=True)


def _draw_seat(
    hamlet: Hamlet, towards: Sequence[Point], form: Form, drawing: Drawing, homes: Homes, rng: np.random.Generator
) -> None:
    """Draw a market town: a few streets square to the main road, a lane mesh between."""
    other = towards[0] if towards else Point(hamlet.at.x + 1, hamlet.at.y)
    turn = np.degrees(np.arctan2(other.y - hamlet.at.y, other.x - hamlet.at.x))
    x = np.r_[-330, np.array([-220, -105, 0, 120, 225]) + rng.uniform(-12, 12, 5) * [1, 1, 0, 1, 1], 340]
    y = np.array([-190, -95, 0, 100, 205])
    lines = [LineString([(a, y[0]), (a, y[-1])]) for a in x[1:-1]] + [LineString([(x[0], b), (x[-1], b)]) for b in y]
    town = shapely.box(x[0], y[0], x[-1], y[-1])
    kept = thinned(lines, town.buffer(50), 0.78, rng)
    placed = affinity.translate(affinity.rotate(shapely.MultiLineString(kept), turn, origin=(0, 0)), hamlet.at.x, hamlet.at.y)
    whole = lines_of(placed.difference(form.corridors.buffer(10)))
    for n, line in enumerate(whole):
        drawing.add(line, highway="residential" if n % 3 else "unclassified")
    _settle_along(whole, hamlet.people, 0.66, homes, rng)


def village_groups(hamlets: Sequence[Hamlet], township: str, count: int) -> list[list[int]]:
    """Group a township's hamlets into `count` administrative villages, near ones together."""
    own = [n for n, hamlet in enumerate(hamlets) if hamlet.township == township and not hamlet.seat]
    xy = np.array([hamlets[n].at.coords[0] for n in own])
    angle = np.arctan2(*(xy - np.array(SEATS[township])).T[::-1])
    order = np.argsort(angle, kind="stable")
    gaps = np.diff(np.r_[angle[order], angle[order[0]] + 2 * np.pi])
    order = np.roll(order, -(int(np.argmax(gaps)) + 1))
    return [[own[n] for n in part] for part in np.array_split(order, count) if len(part)]


def free_ground(form: Form) -> BaseGeometry:
    """Give the country: the bounds less the town."""
    return shapely.union_all(polygons_of(form.bounds.difference(form.urban)))
