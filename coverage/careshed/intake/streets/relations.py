"""Read lakes, rivers and walled grounds that an OSM file maps as relations of several outlines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from careshed.intake.streets.barriers import RAILS, WALLS, BarrierKind, barrier_kind

if TYPE_CHECKING:
    import osmium

Corner = tuple[float, float]
Ring = list[Corner]

_VALUES: Final[tuple[tuple[str, str], ...]] = (
    ("natural", "water"),
    ("waterway", "riverbank"),
    ("landuse", "reservoir"),
    ("landuse", "basin"),
    *(("barrier", value) for value in sorted(WALLS)),
    *(("railway", value) for value in sorted(RAILS)),
)
"""Tags of which a relation must have one to be a barrier."""

_MARKS: Final = frozenset(value.encode() for _, value in _VALUES)


class Relation(NamedTuple):
    """A barrier mapped as a relation."""

    relation_id: int
    kind: BarrierKind
    outer: tuple[int, ...]
    """Ways of its outline; ways without a role are of it."""
    inner: tuple[int, ...]
    """Ways around what is not of it: islands."""


class Area(NamedTuple):
    """One outline closed, with the islands in it."""

    outline: Ring
    islands: list[Ring]


@dataclass
class Found:
    """What the relations of a file come to."""

    areas: list[tuple[BarrierKind, Area]] = field(default_factory=list)
    loose: list[tuple[BarrierKind, Ring]] = field(default_factory=list)
    """Lines that close to no outline, since the file does not hold all of it."""
    broken: list[int] = field(default_factory=list)
    """Relations of which the file does not hold all."""


def may_hold_barriers(texts: Collection[bytes]) -> bool:
    """Tell from the texts of a block of relations whether a look at them is worth it; most hold routes and turns.

    >>> may_hold_barriers([b"type", b"restriction", b"no_left_turn"]), may_hold_barriers([b"multipolygon", b"natural", b"water"])
    (False, True)
    """
    return b"multipolygon" in texts and not _MARKS.isdisjoint(texts)


def relation_filter() -> osmium.filter.TagFilter:
    """Let osmium pass over relations that are no barrier."""
    import osmium

    return osmium.filter.TagFilter(*_VALUES)


def barrier_relation(relation: osmium.osm.Relation | Any) -> Relation | None:
    """Take a relation as osmium gives it, None where it is no area or no barrier."""
    tags = dict(relation.tags)
    kind = barrier_kind(tags)
    if tags.get("type") != "multipolygon" or kind is None:
        return None
    ways = [(member.ref, member.role) for member in relation.members if member.type == "w"]
    return Relation(
        relation.id,
        kind,
        tuple(ref for ref, role in ways if role != "inner"),
        tuple(ref for ref, role in ways if role == "inner"),
    )


def relations_of(path: Path) -> list[Relation]:
    """Read the relations of a file that are barriers."""
    import osmium

    items: Iterator[Any] = iter(osmium.FileProcessor(str(path), osmium.osm.RELATION).with_filter(relation_filter()))
    return [found for item in items if (found := barrier_relation(item)) is not None]


def find_areas(file: str | Path | osmium.io.File, relations: Sequence[Relation]) -> Found:
    """Put the outlines of relations together from the ways that the file holds; what is missing is told, not guessed.

    An outline that does not close is kept as lines: they are barriers, but no area that a map could fill.
    """
    ways, places = _members(file, {way for one in relations for way in (*one.outer, *one.inner)})
    found = Found()
    for one in relations:
        outer, loose_outer, lost_outer = _rings(one.outer, ways, places)
        inner, loose_inner, lost_inner = _rings(one.inner, ways, places)
        loose = loose_outer + loose_inner
        if loose or lost_outer or lost_inner or not outer:
            found.broken.append(one.relation_id)
        areas, alone = _areas(outer, inner)
        found.areas += [(one.kind, area) for area in areas]
        found.loose += [(one.kind, line) for line in loose + alone]
    return found


def _members(file: Any, wanted: set[int]) -> tuple[dict[int, list[int]], dict[int, Corner]]:
    """Read the nodes of some ways, and where they lie."""
    import osmium

    def items(kind: osmium.osm.osm_entity_bits, ids: set[int]) -> Iterator[Any]:
        source = str(file) if isinstance(file, Path) else file
        yield from osmium.FileProcessor(source, kind).with_filter(osmium.filter.IdFilter(ids))

    ways = {way.id: [node.ref for node in way.nodes] for way in items(osmium.osm.WAY, wanted)}
    points = items(osmium.osm.NODE, {node for nodes in ways.values() for node in nodes})
    return ways, {node.id: (node.lon, node.lat) for node in points if node.location.valid()}


def _rings(
    wanted: Iterable[int], ways: Mapping[int, list[int]], places: Mapping[int, Corner]
) -> tuple[list[Ring], list[Ring], bool]:
    """Join ways end to end: the rings that close, the lines that do not, and whether ways or nodes are missing."""
    lines, lost = [], False
    for way in dict.fromkeys(wanted):
        nodes = [node for node in ways.get(way, ()) if node in places]
        lost = lost or len(nodes) < 2 or len(nodes) < len(ways[way])
        if len(nodes) > 1:
            lines.append(nodes)
    closed, loose = ([[places[node] for node in nodes] for nodes in part] for part in _joined(lines))
    return closed, loose, lost


def _joined(lines: Sequence[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    """Join chains of nodes that share an end, in the order given, until each is a ring or finds nothing more.

    >>> _joined([[1, 2, 3], [5, 1], [3, 4, 5], [8, 9]])
    ([[1, 2, 3, 4, 5, 1]], [[9, 8]])
    """
    at_end: defaultdict[int, list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        for end in {line[0], line[-1]}:
            at_end[end].append(number)
    used = [False] * len(lines)
    closed: list[list[int]] = []
    loose: list[list[int]] = []
    for first, line in enumerate(lines):
        if used[first]:
            continue
        used[first] = True
        chain = _grown(list(line), lines, at_end, used)
        if chain[0] != chain[-1]:
            chain = _grown(chain[::-1], lines, at_end, used)
        (closed if chain[0] == chain[-1] and len(chain) > 3 else loose).append(chain)
    return closed, loose


def _grown(chain: list[int], lines: Sequence[list[int]], at_end: Mapping[int, list[int]], used: list[bool]) -> list[int]:
    """Lengthen a chain at its last node while an unused line starts or ends there."""
    while chain[0] != chain[-1]:
        following = next((number for number in at_end[chain[-1]] if not used[number]), None)
        if following is None:
            break
        used[following] = True
        line = lines[following]
        chain += (line if line[0] == chain[-1] else line[::-1])[1:]
    return chain


def _areas(outer: Sequence[Ring], inner: Sequence[Ring]) -> tuple[list[Area], list[Ring]]:
    """Put each island into the smallest outline around it; islands in none stay lines."""
    import shapely

    shapes = [shapely.Polygon(ring) for ring in outer]
    areas = [Area(ring, []) for ring in outer]
    alone = []
    for ring in inner:
        spot = shapely.Point(ring[0])
        around = [(shape.area, at) for at, shape in enumerate(shapes) if shapely.intersects(shape, spot)]
        if around:
            areas[min(around)[1]].islands.append(ring)
        else:
            alone.append(ring)
    return areas, alone
