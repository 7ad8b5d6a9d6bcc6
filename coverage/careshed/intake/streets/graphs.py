"""Read streets from OSMnx graphs, saved or in memory."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from math import dist
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from careshed.intake.streets.driving import AGAINST, WITH
from careshed.intake.streets.ground import KEY, with_ground
from careshed.intake.streets.model import Streets
from careshed.intake.streets.walking import RANK, TAGS
from careshed.intake.streets.ways import WayList, bad, finish
from careshed.schema import Checked

if TYPE_CHECKING:
    import networkx as nx


def load_graphml(path: Path) -> nx.MultiDiGraph:
    import osmnx

    try:
        return osmnx.load_graphml(path)
    except Exception as error:  # osmnx lets ParseError, KeyError and ValueError of several libraries through
        raise bad(
            path,
            "unreadable",
            "GraphML 文件无法读取",
            "the GraphML file cannot be read",
            "请用 OSMnx 的 save_graphml 重新保存",
            "save it again with OSMnx's save_graphml",
            found=str(error)[:120],
        ) from error


def from_graph(graph: nx.MultiDiGraph, label: str) -> Checked[Streets]:
    """Take an OSMnx graph: a pair of opposite edges with one shape and the same tags is one way, walked both ways.

    Edges of one shape that differ in their tags, such as steps and a ramp drawn straight, are ways of their own, and so are
    two that are one-way in opposite directions.
    """
    _check_graph(graph, label)
    builder = WayList()
    seen: set[tuple[Any, ...]] = set()
    ids = _node_ids(graph)
    fresh = itertools.count(min([0, *ids.values()]) - 1, -1)
    for number, (u, v, data) in enumerate(graph.edges(data=True)):
        coords = _edge_coords(graph, u, v, data)
        tags = {tag: _one(data[tag]) for tag in sorted(TAGS) if data.get(tag) is not None}
        shape = tuple(coords)
        turned = shape if tags.get("oneway") in WITH | AGAINST else tuple(reversed(coords))
        key = (frozenset((ids[u], ids[v])), min(shape, turned), *tags.items())
        if key in seen:
            continue
        seen.add(key)
        nodes = [(ids[u], *coords[0]), *((next(fresh), x, y) for x, y in coords[1:-1]), (ids[v], *coords[-1])]
        tags.setdefault("highway", "road")
        if tags["highway"] not in RANK:
            tags["highway"] = "road"
        builder.add(number, nodes, tags)
    builder.bits = {ids[node]: int(data["node_bits"]) for node, data in graph.nodes(data=True) if "node_bits" in data}
    read = finish(builder, set(), Counter(), label)
    ground = graph.graph.get(KEY)
    return read if not ground else Checked(with_ground(read.table, str(ground), label), read.faults)


def _check_graph(graph: nx.MultiDiGraph, label: str) -> None:
    crs = str(graph.graph.get("crs", "epsg:4326")).lower()
    if "4326" not in crs:
        raise bad(
            Path(label),
            "projected_graph",
            "路网坐标不是经纬度",
            "the graph's coordinates are not longitude and latitude",
            "请在投影之前保存或传入路网",
            "pass the graph before it is projected (EPSG:4326)",
            found=crs,
        )
    lacking = [node for node, data in graph.nodes(data=True) if "x" not in data or "y" not in data]
    if lacking:
        raise bad(Path(label), "node_missing", "有节点缺少 x、y", "nodes lack x and y", found=", ".join(map(str, lacking[:5])))


def _node_ids(graph: nx.MultiDiGraph) -> dict[Any, int]:
    """Number the nodes: by their own ids where these are whole numbers, else from 1 on."""
    if all(isinstance(node, int | np.integer) for node in graph):
        return {node: int(node) for node in graph}
    return {node: number for number, node in enumerate(graph, 1)}


def _edge_coords(graph: nx.MultiDiGraph, u: Any, v: Any, data: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Coordinates from u to v; an undirected graph may draw the shape of an edge from v to u."""
    first, last = ((float(end["x"]), float(end["y"])) for end in (graph.nodes[u], graph.nodes[v]))
    geometry = data.get("geometry")
    if geometry is None:
        return [first, last]
    shape = [(float(point[0]), float(point[1])) for point in geometry.coords]
    as_drawn, turned = dist(shape[0], first) + dist(shape[-1], last), dist(shape[0], last) + dist(shape[-1], first)
    inner = shape[1:-1] if as_drawn <= turned else shape[-2:0:-1]
    return [first, *inner, last]


def _one(value: Any) -> str:
    """Take the first of several values that OSMnx merged into a list; its yes and no are tags again."""
    first = value[0] if isinstance(value, list) else value
    return ("yes" if first else "no") if isinstance(first, bool) else str(first)
