"""Read streets from OSM files, and choose the reader for any other source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from careshed.intake.streets.barriers import BASINS, barrier_kind, bars_legs
from careshed.intake.streets.driving import node_bits
from careshed.intake.streets.graphs import from_graph, load_graphml
from careshed.intake.streets.model import Streets
from careshed.intake.streets.pbf import KEYS, Line, Town, read_town
from careshed.intake.streets.relations import Relation, barrier_relation, find_areas, relation_filter, relations_of
from careshed.intake.streets.tagging import way_table_of_sets
from careshed.intake.streets.walking import RANK, TAGS, shuts
from careshed.intake.streets.ways import Drawn, WayList, bad, finish
from careshed.schema import Checked, file_label

if TYPE_CHECKING:
    import networkx as nx
    import osmium

OSM_SUFFIXES: Final = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
GRAPH_SUFFIXES: Final = (".graphml",)

BULK_BYTES: Final = 500_000
"""PBF files of at least this size are read in bulk; osmium reads smaller ones before the compiled loops are loaded."""


def read_streets(source: str | Path | nx.MultiDiGraph) -> Checked[Streets]:
    """Read streets from an OSM extract, an OSMnx GraphML file or an OSMnx/NetworkX graph in memory.

    Parameters
    ----------
    source
        ``.osm.pbf``, ``.osm``, ``.osm.gz`` (read by osmium), ``.graphml`` (saved by OSMnx), or a graph whose nodes have
        ``x`` and ``y`` in degrees and whose edges have ``highway``.

    Raises
    ------
    InputError
        Where the file is missing, cut short, of an unknown kind, or holds no street.
    """
    if not isinstance(source, str | Path):
        return from_graph(source, "graph")
    path = Path(source)
    if not path.is_file():
        raise bad(
            path, "missing", "找不到该文件", "there is no such file", "请核对 [streets] 的 file", "check `file` under [streets]"
        )
    if path.name.lower().endswith(GRAPH_SUFFIXES):
        return from_graph(load_graphml(path), file_label(path))
    if path.name.lower().endswith(OSM_SUFFIXES):
        return _from_osm(path)
    kinds = "、".join((*OSM_SUFFIXES, *GRAPH_SUFFIXES))
    layers = (
        "；道路中心线图层可用 .shp、.gpkg、.geojson、.json、.parquet",
        "; layers of road lines (read_street_lines) are .shp, .gpkg, .geojson, .json or .parquet",
    )
    raise bad(
        path,
        "unknown_kind",
        "无法识别的街道文件类型",
        "this kind of street file is not known",
        f"请使用 {kinds}{layers[0]}",
        f"use one of {kinds.replace('、', ', ')}{layers[1]}",
    )


def _from_osm(path: Path) -> Checked[Streets]:
    """Keep every way that is a street; cut ways where a barrier stops people."""
    if path.name.lower().endswith(".pbf") and path.stat().st_size >= BULK_BYTES and (town := read_town(path)):
        return _from_bulk(town, path)
    return _one_by_one(path)


def _from_bulk(town: Town, path: Path) -> Checked[Streets]:
    """Do what `_one_by_one` does for a town that was read in bulk."""
    gathered, bulk = Gathered(), town.streets
    for node_id, lon, lat, on_earth, tags in town.nodes:
        gathered.add_node(node_id, (lon, lat) if on_earth else None, tags)
    fast = [RANK[tags["highway"]] == 0 and bars_legs(tags) for tags in bulk.tag_sets]
    motorways = np.flatnonzero(np.array(fast, dtype=bool)[bulk.tag_set])
    lines: list[tuple[int, Line, dict[str, str]]] = [(at, line, tags) for at, line, tags in town.others]
    for way in motorways.tolist():
        along = bulk.way_node[bulk.way_ptr[way] : bulk.way_ptr[way + 1]]
        line = list(zip(bulk.lon[along].tolist(), bulk.lat[along].tolist(), strict=True))
        lines.append((int(bulk.position[way]), line, {"highway": "motorway"}))
    for _, line, tags in sorted(lines, key=itemgetter(0)):
        if tags.get("highway") in RANK:
            gathered.ways.barriers.add("motorway", line)
        else:
            gathered.add_other(tags, line)
    if town.relations:
        gathered.add_relations(path, relations_of(path))
    gathered.ways.short, gathered.ways.single = bulk.short, bulk.single
    if len(bulk.way_id):
        table, unread = way_table_of_sets(bulk.way_id, bulk.names, bulk.tag_set, bulk.tag_sets)
        gathered.ways.bulk = Drawn(bulk.node_id, bulk.lon, bulk.lat, table, bulk.way_ptr, bulk.way_node, unread)
    return finish(gathered.ways, gathered.barriers, gathered.skipped, file_label(path))


def _one_by_one(path: Path) -> Checked[Streets]:
    """Read any OSM file with osmium."""
    import osmium

    gathered, relations = Gathered(), []
    try:
        for item in _osm_items(path):
            if item.is_relation():
                relations += [found] if (found := barrier_relation(item)) else []
                continue
            if item.is_node():
                place = (item.lon, item.lat) if item.location.valid() else None
                gathered.add_node(item.id, place, dict(item.tags))
                continue
            highway = item.tags.get("highway")
            nodes = [(node.ref, node.lon, node.lat) for node in item.nodes if node.location.valid()]
            if highway in RANK:
                tags = {tag.k: tag.v for tag in item.tags if tag.k in TAGS and tag.v}
                gathered.add_street(item.id, nodes, len(item.nodes), tags)
            else:
                gathered.add_other(dict(item.tags), [(lon, lat) for _, lon, lat in nodes])
        gathered.add_relations(_osm_file(path), relations)
    except (RuntimeError, osmium.InvalidLocationError) as error:
        raise bad(
            path,
            "unreadable",
            "文件无法读取，可能下载不完整或已损坏",
            "the file cannot be read; it is cut short or damaged",
            "请重新下载或重新导出该文件",
            "download or export it again",
            found=str(error)[:120],
        ) from error
    return finish(gathered.ways, gathered.barriers, gathered.skipped, file_label(path))


class Gathered:
    """What the nodes and ways of an OSM file have told so far."""

    def __init__(self) -> None:
        self.ways = WayList()
        self.skipped: Counter[str] = Counter()
        self.barriers: set[int] = set()

    def add_node(self, node_id: int, place: tuple[float, float] | None, tags: dict[str, str]) -> None:
        """Keep what a node does to travel; `place` is None where it has no coordinates."""
        if "barrier" in tags and shuts(tags):
            self.barriers.add(node_id)
            return
        if "barrier" in tags and place is not None:
            self.ways.barriers.gates.append(place)
        if bits := node_bits(tags):
            self.ways.bits[node_id] = bits

    def add_street(self, way_id: int, nodes: list[tuple[int, float, float]], count: int, tags: dict[str, str]) -> None:
        """Keep a street, `count` nodes of which those of known place are given."""
        self.ways.add(way_id, nodes, tags)
        self.ways.short += count - len(nodes)
        if RANK[tags["highway"]] == 0 and bars_legs(tags):
            self.ways.barriers.add("motorway", [(lon, lat) for _, lon, lat in nodes])

    def add_other(self, tags: dict[str, str], line: Line) -> None:
        """Keep a way that is no street where it is water or a barrier; count what might be taken for a street."""
        kind = barrier_kind(tags)
        natural = tags.get("natural") == "water" or tags.get("waterway") == "riverbank"
        outline = natural or (kind == "water" and tags.get("landuse") in BASINS)
        if outline:
            self.ways.add_water(line)
        if kind:
            self.ways.barriers.add(kind, line)
        if not kind and not outline and (tags.get("highway") or tags.get("route") == "ferry"):
            self.skipped[tags.get("highway") or "ferry"] += 1

    def add_relations(self, file: Path | osmium.io.File, relations: Sequence[Relation]) -> None:
        """Keep barriers mapped as relations; a way that is tagged as the outline of one is drawn with its islands only."""
        if not relations:
            return
        found = find_areas(file, relations)
        ways = self.ways
        drawn = {frozenset(area.outline) for _, area in found.areas}
        ways.water = [outline for outline in ways.water if frozenset(outline) not in drawn]
        for kind, area in found.areas:
            if kind == "water":
                ways.islands += [(len(ways.water), tuple(island)) for island in area.islands]
                ways.add_water(area.outline)
            for ring in (area.outline, *area.islands):
                ways.barriers.add(kind, ring)
        for kind, line in found.loose:
            ways.barriers.add(kind, line)
        ways.broken += found.broken


def _osm_items(path: Path) -> Iterator[Any]:
    """Give the nodes and ways that may matter, then the relations that may be barriers."""
    import osmium

    ground = osmium.osm.NODE | osmium.osm.WAY
    keys, areas = osmium.filter.KeyFilter(*KEYS, "landuse"), relation_filter()
    keys.enable_for(ground)
    areas.enable_for(osmium.osm.RELATION)
    items = osmium.FileProcessor(_osm_file(path), ground | osmium.osm.RELATION)
    yield from items.with_locations().with_filter(keys).with_filter(areas)


def _osm_file(path: Path) -> osmium.io.File:
    import osmium

    kind = next(suffix for suffix in OSM_SUFFIXES if path.name.lower().endswith(suffix))
    return osmium.io.File(str(path), kind.removeprefix("."))
