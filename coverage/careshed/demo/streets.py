"""Cut the town's mesh of streets at its barriers, and build the few places where they may be crossed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from careshed.demo.form import Barrier, Form, GridLine
from careshed.demo.ways import Drawing, lines_of, polygons_of, with_vertices

LEAST_PART_M2: Final = 60_000.0
"""A piece of town cut off by barriers and smaller than this stays unbuilt."""

CLASSES: Final = ("primary", "tertiary", "residential")
NS_NAMES: Final = ("解放路", "人民路", "文昌路", "建设路", "朝阳路", "育才路", "团结路", "振兴路", "青松路", "海棠路", "望湾路")
EW_NAMES: Final = ("中山街", "和平街", "胜利街", "学府街", "光明街", "新华街", "迎宾街", "永安街", "兴业街", "春晖街", "长宁街")

SHOPPING: Final = ("ew", 1)
"""Axis and number of the street that is for pedestrians only where it passes through the old core."""

BRIDGE: Final[dict[str, str]] = {"bridge": "yes", "layer": "1"}
UNDERPASS: Final[dict[str, str]] = {"tunnel": "yes", "layer": "-1"}
OVER: Final[dict[str, Mapping[str, str]]] = {"river": BRIDGE, "rail": UNDERPASS, "expressway": UNDERPASS}


@dataclass(frozen=True)
class Crossing:
    """A place where a street could cross a barrier."""

    barrier: Barrier
    line: LineString
    """From edge to edge of the barrier's corridor."""
    rank: int
    at_m: float
    """Where along the barrier."""
    tags: Mapping[str, str]

    @property
    def ends(self) -> tuple[Point, Point]:
        """Both ends, each on an edge of the corridor."""
        return Point(self.line.coords[0]), Point(self.line.coords[-1])


@dataclass(frozen=True)
class Skeleton:
    """The town's streets between blocks."""

    parts: tuple[Polygon, ...]
    """The built town less the corridors of its barriers."""
    blocks: tuple[Polygon, ...]
    """Ground enclosed by streets."""
    main: tuple[LineString, ...]
    """Main roads, where shops and offices stand."""
    stubs: tuple[Point, ...]
    """Where main roads leave the town."""


def draw_skeleton(form: Form, drawing: Drawing) -> Skeleton:
    """Draw the town's streets, the streets along its barriers, bridges and underpasses."""
    corridors = form.corridors
    parts = tuple(part for part in polygons_of(form.urban.difference(corridors)) if part.area > LEAST_PART_M2)
    town = shapely.union_all([part.buffer(0.5) for part in parts])
    start = len(drawing.ways)
    for grid in form.mesh:
        ground, tags = grid.line.difference(corridors).intersection(town), _street_tags(grid, form)
        if (grid.axis, grid.number) == SHOPPING:
            drawing.add(ground.intersection(form.core), highway="pedestrian", name="鼓楼步行街")
            ground = ground.difference(form.core)
        drawing.add(ground, tags)
    for barrier in form.barriers:
        edge = shapely.union_all([part.exterior for part in parts]).intersection(barrier.corridor.exterior.buffer(0.2))
        drawing.add(shapely.line_merge(edge), _edge_tags(barrier.kind))
    blocks = _blocks([way.line for way in drawing.ways[start:]], parts)
    for crossing in chosen_crossings(_possible(form, town), parts):
        draw_crossing(crossing, drawing)
    main = tuple(way.line for way in drawing.ways[start:] if way.tags["highway"] in ("primary", "secondary"))
    return Skeleton(parts, blocks, main, _stubs(main, form.urban))


def _street_tags(grid: GridLine, form: Form) -> dict[str, str]:
    tags = {"highway": CLASSES[grid.rank]}
    if grid.axis == "split":
        return tags if grid.number % 5 else tags | {"oneway": "yes"}
    names = NS_NAMES if grid.axis == "ns" else EW_NAMES
    tags["name"] = names[grid.number] if grid.number >= 0 else f"{'西' if grid.axis == 'ns' else '南'}{names[-grid.number]}"
    if grid.rank == 0 and abs(grid.number) > 3:
        tags["highway"] = "secondary"
    if grid.rank == 0:
        tags["sidewalk"] = "both"
    elif form.core.contains(grid.line.interpolate(0.5, normalized=True)):
        tags["oneway"] = "yes"
    elif grid.number % 2:
        tags["sidewalk"] = "right"
    return tags


def _edge_tags(kind: str) -> dict[str, str]:
    if kind == "river":
        return {"highway": "tertiary", "name": "滨河路", "sidewalk": "left"}
    return {"highway": "residential", "name": "铁道街"} if kind == "rail" else {"highway": "unclassified", "name": "高速辅路"}


def _blocks(lines: Sequence[LineString], parts: Sequence[Polygon]) -> tuple[Polygon, ...]:
    faces = polygons_of(shapely.polygonize([shapely.union_all(list(lines), grid_size=0.01)]))
    inside = shapely.union_all(list(parts)).buffer(1)
    faces = [face for face in faces if face.area > 2_500 and inside.contains(face.representative_point())]
    return tuple(sorted(faces, key=lambda face: (round(face.centroid.x), round(face.centroid.y))))


def _stubs(main: Sequence[LineString], urban: Polygon) -> tuple[Point, ...]:
    ends = [Point(p) for line in main for p in (line.coords[0], line.coords[-1])]
    ends = [end for end in ends if urban.exterior.distance(end) < 1]
    return tuple(end for n, end in enumerate(ends) if all(end.distance(other) > 5 for other in ends[:n]))


def _possible(form: Form, town: BaseGeometry) -> list[Crossing]:
    """List every spot where a street of the mesh meets a barrier squarely enough to cross it."""
    found = []
    for barrier in form.barriers:
        others = shapely.union_all([other.corridor for other in form.barriers if other is not barrier])
        for grid in form.mesh:
            for piece in lines_of(grid.line.intersection(barrier.corridor)):
                heads = [Point(piece.coords[0]), Point(piece.coords[-1])]
                wide = barrier.corridor.area / barrier.line.length
                whole = all(town.distance(head) < 1 for head in heads) and piece.crosses(barrier.line)
                if whole and not piece.intersects(others) and piece.length < 2.6 * wide and not piece.intersects(form.island):
                    meet = piece.intersection(barrier.line)
                    at = barrier.line.project(meet.centroid)
                    found.append(Crossing(barrier, piece, grid.rank, at, _street_tags(grid, form)))
    return found


def chosen_crossings(possible: Sequence[Crossing], parts: Sequence[Polygon]) -> list[Crossing]:
    """Choose crossings as a town builds them: first one that joins each part, then on main roads, spaced apart."""
    order = sorted(possible, key=lambda c: (c.rank, c.barrier.kind, c.at_m))
    home = {id(c): [int(np.argmin(shapely.distance(list(parts), end))) for end in c.ends] for c in order}
    root = list(range(len(parts)))
    chosen: list[Crossing] = []
    for crossing in order:
        a, b = (_find(root, part) for part in home[id(crossing)])
        if a != b:
            root[a] = b
            chosen.append(crossing)
    for crossing in order:
        near = [c for c in chosen if c.barrier is crossing.barrier and abs(c.at_m - crossing.at_m) < crossing.barrier.gap_m]
        if not near and crossing.rank < 2:
            chosen.append(crossing)
    return chosen + _footbridges(order, chosen)


def _find(root: list[int], part: int) -> int:
    while root[part] != part:
        part = root[part]
    return part


def _footbridges(order: Sequence[Crossing], chosen: Sequence[Crossing]) -> list[Crossing]:
    """Add two footbridges over the river, midway between bridges."""
    spans = [c for c in chosen if c.barrier.kind == "river"]
    added: list[Crossing] = []
    for crossing in order:
        if crossing.barrier.kind != "river" or len(added) == 2:
            continue
        if min(abs(c.at_m - crossing.at_m) for c in [*spans, *added]) > 600:
            tags = {"highway": "footway", "name": "步行桥"}
            added.append(Crossing(crossing.barrier, crossing.line, crossing.rank, crossing.at_m, tags))
    return added


def draw_crossing(crossing: Crossing, drawing: Drawing) -> None:
    """Draw a bridge, an underpass, or (small streets over the railway) a level crossing."""
    if crossing.barrier.kind == "rail" and crossing.rank > 0:
        meet = crossing.line.intersection(crossing.barrier.line).centroid
        drawing.points.append((meet, {"railway": "level_crossing", "crossing": "uncontrolled"}))
        line, over = with_vertices(crossing.line, [meet]), dict[str, str]()
    else:
        line, over = crossing.line, dict(OVER[crossing.barrier.kind])
    tags = {key: value for key, value in crossing.tags.items() if key != "oneway"}
    drawing.add(line, tags | over, joins=False)


def draw_barriers(form: Form, drawing: Drawing) -> None:
    """Draw the water, the railway and the expressway, on bridges where they cross each other."""
    _draw_water(form, drawing)
    crossings = [point for point, tags in drawing.points if tags.get("railway") == "level_crossing"]
    deck = {"rail": form.water.buffer(15), "expressway": shapely.union_all([form.water.buffer(15), form.barriers[1].corridor])}
    tags = {"rail": {"railway": "rail", "name": "青湾铁路"}, "expressway": {"highway": "motorway", "name": "环湾高速"}}
    for barrier in form.barriers[1:]:
        line = barrier.line.intersection(form.bounds)
        for ground in lines_of(line.difference(deck[barrier.kind])):
            own = [point for point in crossings if barrier.kind == "rail" and ground.distance(point) < 0.1]
            drawing.add(with_vertices(ground, own), tags[barrier.kind], joins=False)
        drawing.add(line.intersection(deck[barrier.kind]), tags[barrier.kind] | BRIDGE, joins=False)


def _draw_water(form: Form, drawing: Drawing) -> None:
    """Draw the river's course and its bed; the bed in pieces, cut through the island, so that no piece has a hole."""
    drawing.add(form.barriers[0].line.intersection(form.bounds), joins=False, ends=False, waterway="river", name="青湾河")
    bed = form.water.intersection(form.bounds).difference(form.island)
    cut = form.island.centroid.x
    west, south, east, north = bed.bounds
    for half in (shapely.box(west, south, cut, north), shapely.box(cut, south, east, north)):
        for piece in polygons_of(bed.intersection(half)):
            drawing.add(piece, joins=False, ends=False, natural="water", water="river", name="青湾河")
    drawing.add(form.island, joins=False, ends=False, place="islet", name="芦花洲")


def draw_riverside(form: Form, skeleton: Skeleton, drawing: Drawing) -> None:
    """Draw the promenade below the riverside street, and the steps and ramps down to it."""
    rng = np.random.default_rng([len(skeleton.blocks), 7])
    dry = shapely.union_all([barrier.corridor.buffer(6) for barrier in form.barriers[1:]])
    near = MultiPolygon(skeleton.parts).buffer(34).difference(dry)
    street = form.barriers[0].corridor.exterior.intersection(MultiPolygon(skeleton.parts).buffer(1))
    for bank in lines_of(shapely.line_merge(form.water.buffer(12).exterior.intersection(near))):
        if bank.length < 500:
            continue
        drawing.add(bank.simplify(0.5), highway="footway", name="滨河步道")
        for n, at in enumerate(np.arange(40, bank.length - 40, 300) + rng.uniform(-30, 30)):
            way_down = shapely.shortest_line(bank.simplify(0.5).interpolate(at), street)
            if way_down.length < 60:
                drawing.add(way_down, highway="footway" if n % 3 == 0 else "steps", surface="paving_stones")
    _draw_islet(form, street, drawing)


def _draw_islet(form: Form, street: BaseGeometry, drawing: Drawing) -> None:
    """Draw the lanes of the island in the river, and the ferry that alone goes there."""
    ring = form.island.buffer(-18).simplify(1)
    axis = shapely.oriented_envelope(ring).exterior
    middle = [axis.interpolate(share, normalized=True) for share in (0.0, 0.25, 0.5, 0.75)]
    drawing.add(ring, highway="footway", name="芦花洲环路")
    across = LineString([ring.centroid, middle[0]]).union(LineString([ring.centroid, middle[2]])).intersection(ring)
    drawing.add(across, highway="path")
    ferry = shapely.shortest_line(ring.exterior, street)
    drawing.add(ferry, route="ferry", name="芦花洲渡口", foot="yes", duration="00:08")
