"""Draw streets that share nodes exactly where people can turn, and write them as OpenStreetMap data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, hypot
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point, Polygon, STRtree
from shapely.geometry.base import BaseGeometry

TOUCH_M: Final = 0.10
"""Vertices closer than this are one node: ten times the rounding of the drawing, a tenth of the narrowest lane."""

BEND_M: Final = 70.0
"""Longest straight piece before the plan is bent, so that a street and the wall beside it bend alike (to half a metre)."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Way:
    """One line of the drawing in plan metres, with its OpenStreetMap tags."""

    line: LineString
    tags: Mapping[str, str]
    joins: bool = True
    """Whether it shares a node with every way it meets; bridges, underpasses, walls, rails and water do not."""
    ends: bool = True
    """Whether its two ends, at least, are joined to what they touch."""


@dataclass
class Drawing:
    """What has been drawn so far: ways, and the points that carry tags of their own."""

    ways: list[Way] = field(default_factory=list)
    points: list[tuple[Point, Mapping[str, str]]] = field(default_factory=list)
    """Gates, level crossings: any way with a vertex there shares the node."""

    def add(
        self,
        geometry: BaseGeometry,
        tags: Mapping[str, str] = MappingProxyType({}),
        *,
        joins: bool = True,
        ends: bool = True,
        **more: str,
    ) -> None:
        """Draw every line of `geometry` with the same tags, given as a table, by name, or both."""
        self.ways.extend(Way(line, {**tags, **more}, joins, ends) for line in lines_of(geometry) if line.length > 1.0)


@dataclass(frozen=True)
class Streets:
    """Nodes and ways, ready to write."""

    xy: Floats
    """Node positions in plan metres, shape (nodes, 2)."""
    node_tags: Mapping[int, Mapping[str, str]]
    refs: tuple[tuple[int, ...], ...]
    """Nodes of each way."""
    tags: tuple[Mapping[str, str], ...]
    """Tags of each way."""


def lines_of(geometry: BaseGeometry) -> list[LineString]:
    """Take a geometry apart into its lines; points and empty parts are left out.

    >>> [line.length for line in lines_of(shapely.from_wkt("MULTILINESTRING ((0 0, 3 4), (0 0, 1 0))"))]
    [5.0, 1.0]
    """
    if isinstance(geometry, Polygon):
        return [LineString(ring.coords) for ring in (geometry.exterior, *geometry.interiors)]
    if isinstance(geometry, LineString):
        return [] if geometry.is_empty else [LineString(geometry.coords)]
    return [line for part in getattr(geometry, "geoms", ()) for line in lines_of(part)]


def polygons_of(geometry: BaseGeometry) -> list[Polygon]:
    """Take a geometry apart into its polygons.

    >>> [part.area for part in polygons_of(shapely.union(shapely.box(0, 0, 1, 1), shapely.box(2, 0, 4, 1)))]
    [1.0, 2.0]
    """
    if isinstance(geometry, Polygon):
        return [] if geometry.is_empty else [geometry]
    return [part for piece in getattr(geometry, "geoms", ()) for part in polygons_of(piece)]


def with_vertices(line: LineString, points: Iterable[Point]) -> LineString:
    """Give `line` a vertex at each point that lies on it.

    >>> with_vertices(LineString([(0, 0), (10, 0)]), [Point(4, 0)]).wkt
    'LINESTRING (0 0, 4 0, 10 0)'
    """
    added = list(points)
    if not added:
        return line
    old = shapely.get_coordinates(line)
    run = np.r_[0.0, np.cumsum(np.hypot(*np.diff(old, axis=0).T))]
    new = shapely.get_coordinates(added)
    at = np.r_[run, shapely.line_locate_point(line, added)]
    order = np.argsort(at, kind="stable")
    return LineString(np.vstack([old, new])[order])


def thinned(lines: Iterable[LineString], block: Polygon, keep: float, rng: np.random.Generator) -> list[LineString]:
    """Leave out some pieces of a mesh of lanes so that it stays joined to the streets around the block.

    Parameters
    ----------
    keep
        Share kept of the pieces that are not needed to stay joined, 0 to 1.
    """
    pieces = lines_of(shapely.line_merge(shapely.union_all(list(lines))))
    edge = shapely.distance(shapely.points([p for line in pieces for p in (line.coords[0], line.coords[-1])]), block.exterior)
    names = [
        ("edge", 0.0) if far < TOUCH_M else (round(x, 2), round(y, 2))
        for far, (x, y) in zip(edge, (p for line in pieces for p in (line.coords[0], line.coords[-1])), strict=True)
    ]
    root: dict[object, object] = {}
    kept = []
    for i in rng.permutation(len(pieces)):
        a, b = _root(root, names[2 * i]), _root(root, names[2 * i + 1])
        if a != b:
            root[a] = b
        elif rng.random() > keep:
            continue
        kept.append(pieces[i])
    return kept


def _root(root: dict[object, object], name: object) -> object:
    while name in root:
        name = root[name]
    return name


def joined(drawing: Drawing) -> Streets:
    """Turn a drawing into nodes and ways: a shared node wherever two ways meet at grade, and nowhere else."""
    lines = _crossed(drawing.ways)
    book = _NodeBook()
    tagged = {book.ground(x, y): tags for point, tags in drawing.points for x, y in point.coords}
    marked = STRtree([point for point, _ in drawing.points] or [Point(9e9, 9e9)])
    refs, tags = [], []
    for way, line in zip(drawing.ways, lines, strict=True):
        nodes = _nodes_of(way, line, book, marked)
        nodes = [node for i, node in enumerate(nodes) if i == 0 or node != nodes[i - 1]]
        if len(nodes) > 1:
            refs.append(tuple(nodes))
            tags.append(way.tags)
    return Streets(np.array(book.xy), tagged, tuple(refs), tuple(tags))


def _crossed(ways: Sequence[Way]) -> list[LineString]:
    """Insert into every way that joins others the points where it meets them."""
    lines = shapely.segmentize([way.line for way in ways], BEND_M)
    ground = np.flatnonzero([way.joins for way in ways])
    tree = STRtree(lines[ground])
    first, second = tree.query(lines[ground], predicate="intersects")
    once = first < second
    first, second = ground[first[once]], ground[second[once]]
    meets = shapely.intersection(lines[first], lines[second])
    added: list[list[Point]] = [[] for _ in ways]
    for i, j, meet in zip(first, second, meets, strict=True):
        for x, y in shapely.get_coordinates(meet):
            added[i].append(Point(x, y))
            added[j].append(Point(x, y))
    loose = [i for i, way in enumerate(ways) if way.ends]
    ends = shapely.points([p for i in loose for p in (ways[i].line.coords[0], ways[i].line.coords[-1])])
    end, touched = tree.query(ends, predicate="dwithin", distance=TOUCH_M)
    for e, t in zip(end, ground[touched], strict=True):
        if loose[e // 2] != t:
            added[t].append(ends[e])
    return [with_vertices(line, points) for line, points in zip(lines, added, strict=True)]


class _NodeBook:
    """Gives one number to all vertices within `TOUCH_M` of each other."""

    def __init__(self) -> None:
        self.xy: list[tuple[float, float]] = []
        self._near: dict[tuple[int, int], list[int]] = {}

    def ground(self, x: float, y: float) -> int:
        east, north = range(floor(x - TOUCH_M), floor(x + TOUCH_M) + 1), range(floor(y - TOUCH_M), floor(y + TOUCH_M) + 1)
        for cell in ((i, j) for i in east for j in north):
            for node in self._near.get(cell, ()):
                if hypot(self.xy[node][0] - x, self.xy[node][1] - y) <= TOUCH_M:
                    return node
        self._near.setdefault((floor(x), floor(y)), []).append(len(self.xy))
        return self.apart(x, y)

    def apart(self, x: float, y: float) -> int:
        self.xy.append((float(x), float(y)))
        return len(self.xy) - 1


def _nodes_of(way: Way, line: LineString, book: _NodeBook, marked: STRtree) -> list[int]:
    xy = shapely.get_coordinates(line)
    if way.joins:
        return [book.ground(x, y) for x, y in xy]
    shared = np.zeros(len(xy), dtype=bool)
    shared[marked.query(shapely.points(xy), predicate="dwithin", distance=TOUCH_M)[0]] = True
    shared[[0, -1]] |= way.ends
    nodes = [book.ground(x, y) if own else book.apart(x, y) for own, (x, y) in zip(shared, xy, strict=True)]
    return [*nodes[:-1], nodes[0]] if line.is_closed else nodes


def write_pbf(path: Path, streets: Streets, to_lonlat: Callable[[Floats], Floats]) -> None:
    """Write the streets as ``.osm.pbf``: numbers from 1, version 1, no clock.

    Parameters
    ----------
    to_lonlat
        Turns plan metres, shape (n, 2), into longitude and latitude.
    """
    import osmium
    from osmium.osm import mutable

    path.unlink(missing_ok=True)
    header = osmium.io.Header()
    header.set("generator", "careshed demo: a made-up town")
    lonlat = np.round(to_lonlat(streets.xy), 7)
    with osmium.SimpleWriter(str(path), header=header) as writer:
        for i, (lon, lat) in enumerate(lonlat.tolist()):
            tags = dict(streets.node_tags.get(i, {}))
            writer.add_node(mutable.Node(id=i + 1, version=1, location=(lon, lat), tags=tags))
        for i, (refs, way_tags) in enumerate(zip(streets.refs, streets.tags, strict=True)):
            writer.add_way(mutable.Way(id=i + 1, version=1, nodes=[ref + 1 for ref in refs], tags=dict(way_tags)))
