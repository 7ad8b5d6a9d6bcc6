"""Read streets from OSM files, and choose the reader for any other source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from careshed.intake.streets.driving import node_bits
from careshed.intake.streets.graphs import from_graph, load_graphml
from careshed.intake.streets.model import Streets
from careshed.intake.streets.walking import RANK, TAGS, shuts
from careshed.intake.streets.ways import WayList, bad, finish
from careshed.schema import Checked, file_label

if TYPE_CHECKING:
    import networkx as nx

OSM_SUFFIXES: Final = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
GRAPH_SUFFIXES: Final = (".graphml",)


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
    raise bad(
        path,
        "unknown_kind",
        "无法识别的街道文件类型",
        "this kind of street file is not known",
        f"请使用 {kinds}",
        f"use one of {kinds}",
    )


def _from_osm(path: Path) -> Checked[Streets]:
    """Keep every way that is a street; cut ways where a barrier stops people."""
    import osmium

    builder = WayList()
    skipped: Counter[str] = Counter()
    barriers: set[int] = set()
    try:
        for item in _osm_items(path):
            if item.is_node():
                tags = dict(item.tags)
                if "barrier" in tags and shuts(tags):
                    barriers.add(item.id)
                elif bits := node_bits(tags):
                    builder.bits[item.id] = bits
                continue
            highway = item.tags.get("highway")
            if item.tags.get("natural") == "water" or item.tags.get("waterway") == "riverbank":
                builder.add_water([(node.lon, node.lat) for node in item.nodes if node.location.valid()])
            elif highway in RANK:
                nodes = [(node.ref, node.lon, node.lat) for node in item.nodes if node.location.valid()]
                builder.add(item.id, nodes, {tag.k: tag.v for tag in item.tags if tag.k in TAGS and tag.v})
                builder.short += len(item.nodes) - len(nodes)
            elif highway or item.tags.get("route") == "ferry":
                skipped[highway or "ferry"] += 1
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
    return finish(builder, barriers, skipped, file_label(path))


def _osm_items(path: Path) -> Iterator[Any]:
    import osmium

    kinds = osmium.osm.NODE | osmium.osm.WAY
    keys = osmium.filter.KeyFilter("highway", "barrier", "route", "natural", "waterway", "kerb", "crossing")
    kind = next(suffix for suffix in OSM_SUFFIXES if path.name.lower().endswith(suffix))
    file = osmium.io.File(str(path), kind.removeprefix("."))
    yield from osmium.FileProcessor(file, kinds).with_locations().with_filter(keys)
