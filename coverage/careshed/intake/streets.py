"""Read streets: OSM files, OSMnx GraphML and graphs in memory -> ways with the right to walk on them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import dist
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from careshed.schema import Checked, Fault, InputError, file_label

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    from geopandas import GeoDataFrame, GeoSeries

OSM_SUFFIXES: Final = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
GRAPH_SUFFIXES: Final = (".graphml",)

RANK: Final[dict[str, int]] = {
    "motorway": 0,
    "motorway_link": 0,
    "trunk": 0,
    "trunk_link": 0,
    "primary": 0,
    "primary_link": 0,
    "secondary": 1,
    "secondary_link": 1,
    "tertiary": 1,
    "tertiary_link": 1,
    "unclassified": 2,
    "residential": 2,
    "living_street": 2,
    "road": 2,
    "pedestrian": 2,
    "service": 3,
    "track": 3,
    "footway": 3,
    "path": 3,
    "steps": 3,
    "bridleway": 3,
    "corridor": 3,
    "elevator": 3,
    "platform": 3,
    "cycleway": 3,
}
"""Class of way -> how prominent it is drawn, 0 major road to 3 footpath. Other classes are no streets (``construction``)."""

CLOSED_TO_WALKERS: Final = frozenset({"motorway", "motorway_link", "cycleway"})
"""Classes nobody walks on unless ``foot`` says so."""

FOOT_YES: Final = frozenset({"yes", "designated", "permissive", "destination", "official", "customers"})
FOOT_NO: Final = frozenset({"no", "private", "use_sidepath", "use_sidewalk"})
ACCESS_NO: Final = frozenset({"no", "agricultural", "forestry", "military"})

SOLID: Final = frozenset({"wall", "fence", "retaining_wall", "hedge", "debris"})
"""Barriers that stop everybody where they cross a way."""

TAGS: Final = ("highway", "name", "foot", "access", "motorroad", "oneway:foot", "foot:forward", "foot:backward", "conveying")
"""Tags read off a way, besides ``bridge`` and ``tunnel``."""


@dataclass(frozen=True)
class Streets:
    """Ways as they were mapped, before any mode of travel is chosen; coordinates in degrees, WGS-84."""

    node_id: NDArray[np.int64]
    """Node ids, as the source numbers them; negative where they were made here, shape (nodes,)."""
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    ways: pd.DataFrame
    """Index ``way_id``; columns ``highway``, ``name``, ``walk_forward``, ``walk_backward``, ``steps``, ``bridge``, ``tunnel``,
    ``rank``."""
    way_ptr: NDArray[np.int64]
    """Where the nodes of each way start in `way_node`, shape (ways + 1,)."""
    way_node: NDArray[np.int32]
    """Positions of nodes along the ways."""
    source: str
    """File or graph they came from."""
    water: tuple[tuple[tuple[float, float], ...], ...] = ()
    """Outlines of lakes and rivers, degrees, for maps to draw; nothing is computed from them."""

    def bounds_lonlat(self) -> tuple[float, float, float, float]:
        """Give west, south, east, north in degrees."""
        return float(self.lon.min()), float(self.lat.min()), float(self.lon.max()), float(self.lat.max())

    def lines(self, crs: str) -> GeoDataFrame:
        """Draw the ways as lines: index ``way_id``, columns of `ways`, geometry in `crs`."""
        import geopandas as gpd
        import shapely

        node = self.way_node
        which = np.repeat(np.arange(len(self.ways)), np.diff(self.way_ptr))
        lines = shapely.linestrings(np.column_stack([self.lon[node], self.lat[node]]), indices=which)
        return gpd.GeoDataFrame(self.ways, geometry=lines, crs="EPSG:4326").to_crs(crs)

    def water_areas(self, crs: str) -> GeoSeries:
        """Draw lakes and rivers as polygons in `crs`, empty where the source has none."""
        import geopandas as gpd
        import shapely

        areas = shapely.make_valid([shapely.Polygon(outline) for outline in self.water])
        return gpd.GeoSeries(areas, crs="EPSG:4326").to_crs(crs)


def walkable(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Decide whether a way may be walked, with its drawing direction and against it.

    The rule: a class of street that people walk on (`RANK` less `CLOSED_TO_WALKERS`), unless ``foot`` forbids it
    (``no``, ``private``, ``use_sidepath``), or ``access`` does and ``foot`` does not allow it, or it is a motorroad.
    ``access=private`` stays open: the roads inside a gated compound are private, and people live on them; what closes a
    compound is its gates. A way whose pavement is mapped apart (``sidewalk=separate``) stays open too, since the
    pavements are seldom mapped whole. One-way rules for cars do not bind walkers; ``oneway:foot``, ``foot:forward``,
    ``foot:backward`` and the direction of escalators do. Ferries are no streets: their waiting time is unknown.

    >>> walkable({"highway": "residential", "oneway": "yes"})
    (True, True)
    >>> walkable({"highway": "motorway"}), walkable({"highway": "cycleway", "foot": "designated"})
    ((False, False), (True, True))
    >>> walkable({"highway": "steps", "conveying": "forward"})
    (True, False)
    """
    highway, foot = tags.get("highway", ""), tags.get("foot", "")
    if highway not in RANK or foot in FOOT_NO:
        return False, False
    allowed = foot in FOOT_YES
    shut = highway in CLOSED_TO_WALKERS or tags.get("access") in ACCESS_NO or tags.get("motorroad") == "yes"
    if shut and not allowed:
        return False, False
    oneway = tags.get("oneway:foot", "")
    conveying = tags.get("conveying", "")
    forward = tags.get("foot:forward") not in FOOT_NO and oneway != "-1" and conveying != "backward"
    backward = tags.get("foot:backward") not in FOOT_NO and oneway not in ("yes", "1") and conveying != "forward"
    return forward, backward


def shuts(tags: Mapping[str, str]) -> bool:
    """Decide whether a barrier on a way, such as a gate, stops people on foot.

    Gates let people through unless they are locked or ``foot`` forbids it; ``access=no`` at a gate keeps out cars and
    strangers, while residents pass. Walls and fences drawn across a way stop everybody.

    >>> shuts({"barrier": "gate"}), shuts({"barrier": "gate", "locked": "yes"}), shuts({"barrier": "wall"})
    (False, True, True)
    """
    foot = tags.get("foot", "")
    if foot in FOOT_YES:
        return False
    return foot in FOOT_NO or tags.get("locked") == "yes" or tags["barrier"] in SOLID


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
        return _from_graph(source, "graph")
    path = Path(source)
    if not path.is_file():
        raise _bad(
            path, "missing", "找不到该文件", "there is no such file", "请核对 [streets] 的 file", "check `file` under [streets]"
        )
    if path.name.lower().endswith(GRAPH_SUFFIXES):
        return _from_graph(_load_graphml(path), file_label(path))
    if path.name.lower().endswith(OSM_SUFFIXES):
        return _from_osm(path)
    kinds = "、".join((*OSM_SUFFIXES, *GRAPH_SUFFIXES))
    raise _bad(
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

    builder = _WayList()
    skipped: Counter[str] = Counter()
    barriers: set[int] = set()
    try:
        for item in _osm_items(path):
            if item.is_node():
                if "barrier" in item.tags and shuts(dict(item.tags)):
                    barriers.add(item.id)
                continue
            highway = item.tags.get("highway")
            if item.tags.get("natural") == "water" or item.tags.get("waterway") == "riverbank":
                builder.add_water([(node.lon, node.lat) for node in item.nodes if node.location.valid()])
            elif highway in RANK:
                nodes = [(node.ref, node.lon, node.lat) for node in item.nodes if node.location.valid()]
                builder.add(item.id, nodes, {tag: value for tag in TAGS if (value := item.tags.get(tag))}, _structure(item.tags))
                builder.short += len(item.nodes) - len(nodes)
            elif highway or item.tags.get("route") == "ferry":
                skipped[highway or "ferry"] += 1
    except (RuntimeError, osmium.InvalidLocationError) as error:
        raise _bad(
            path,
            "unreadable",
            "文件无法读取，可能下载不完整或已损坏",
            "the file cannot be read; it is cut short or damaged",
            "请重新下载或重新导出该文件",
            "download or export it again",
            found=str(error)[:120],
        ) from error
    return _finish(builder, barriers, skipped, file_label(path))


def _osm_items(path: Path) -> Iterator[Any]:
    import osmium

    kinds = osmium.osm.NODE | osmium.osm.WAY
    keys = osmium.filter.KeyFilter("highway", "barrier", "route", "natural", "waterway")
    kind = next(suffix for suffix in OSM_SUFFIXES if path.name.lower().endswith(suffix))
    file = osmium.io.File(str(path), kind.removeprefix("."))
    yield from osmium.FileProcessor(file, kinds).with_locations().with_filter(keys)


def _structure(tags: Any) -> tuple[bool, bool]:
    return tags.get("bridge", "no") != "no", tags.get("tunnel", "no") != "no"


class _WayList:
    """Ways gathered one by one, before they become arrays."""

    def __init__(self) -> None:
        self.position: dict[int, int] = {}
        self.lon: list[float] = []
        self.lat: list[float] = []
        self.way_id: list[int] = []
        self.way_ptr: list[int] = [0]
        self.way_node: list[int] = []
        self.tags: list[dict[str, str]] = []
        self.structure: list[tuple[bool, bool]] = []
        self.water: list[tuple[tuple[float, float], ...]] = []
        self.short = 0
        self.single = 0

    def add_water(self, outline: list[tuple[float, float]]) -> None:
        """Keep an area of water; lines and outlines of fewer than three corners are none."""
        if len(outline) > 3 and outline[0] == outline[-1]:
            self.water.append(tuple(outline))

    def add(
        self,
        way_id: int,
        nodes: Sequence[tuple[int, float, float]],
        tags: dict[str, str],
        structure: tuple[bool, bool] = (False, False),
    ) -> None:
        if len(nodes) < 2:
            self.single += 1
            return
        position, lon, lat, way_node = self.position, self.lon, self.lat, self.way_node
        for ref, x, y in nodes:
            at = position.get(ref)
            if at is None:
                at = position[ref] = len(lon)
                lon.append(x)
                lat.append(y)
            way_node.append(at)
        self.way_id.append(way_id)
        self.way_ptr.append(len(way_node))
        self.tags.append(tags)
        self.structure.append(structure)


def _finish(ways: _WayList, barriers: set[int], skipped: Counter[str], label: str) -> Checked[Streets]:
    """Turn gathered ways into arrays, with what was left out told."""
    import pandas as pd

    if not ways.way_id and ways.short:
        raise _bad(
            Path(label),
            "no_coordinates",
            "道路的点在文件中都没有坐标",
            "no node of the streets has coordinates in the file",
            "点须排在道路之前，且编号为正；可用 osmium sort 或 osmium renumber 处理",
            "nodes must come before ways and have positive ids; osmium sort and osmium renumber do this",
        )
    if not ways.way_id:
        raise _bad(
            Path(label),
            "empty",
            "文件中没有任何街道",
            "the file holds no street",
            "请核对是否选错文件",
            "check that it is the right file",
        )
    walks = np.array([walkable(tags) for tags in ways.tags], dtype=bool).reshape(-1, 2)
    table = pd.DataFrame(
        {
            "highway": [tags["highway"] for tags in ways.tags],
            "name": [tags.get("name", "") for tags in ways.tags],
            "walk_forward": walks[:, 0],
            "walk_backward": walks[:, 1],
            "steps": [tags["highway"] == "steps" for tags in ways.tags],
            "bridge": [bridge for bridge, _ in ways.structure],
            "tunnel": [tunnel for _, tunnel in ways.structure],
            "rank": [RANK[tags["highway"]] for tags in ways.tags],
        },
        index=pd.Index(ways.way_id, name="way_id"),
    )
    node_id = np.fromiter(ways.position, dtype=np.int64, count=len(ways.position))
    streets = Streets(
        node_id=node_id,
        lon=np.array(ways.lon),
        lat=np.array(ways.lat),
        ways=table,
        way_ptr=np.array(ways.way_ptr, dtype=np.int64),
        way_node=np.array(ways.way_node, dtype=np.int32),
        source=label,
        water=tuple(ways.water),
    )
    cut, gates = _cut_at(streets, barriers)
    return Checked(cut, tuple(_told(cut, ways, skipped, gates, label)))


def _cut_at(streets: Streets, barriers: set[int]) -> tuple[Streets, int]:
    """Part the ways at nodes that stop people: each way gets an end of its own there."""
    from dataclasses import replace

    shut = np.isin(streets.node_id, np.fromiter(barriers, dtype=np.int64, count=len(barriers)))
    at = np.flatnonzero(shut[streets.way_node])
    if not len(at):
        return streets, 0
    starts, ends = streets.way_ptr[:-1], streets.way_ptr[1:] - 1
    inner = at[~np.isin(at, np.concatenate([starts, ends]))]
    copied = np.insert(streets.way_node, inner, streets.way_node[inner])
    shift = np.searchsorted(inner, np.arange(len(streets.way_node)), side="left")
    first = np.concatenate([starts + shift[starts], inner + np.arange(len(inner)) + 1])
    order = np.argsort(first, kind="stable")
    owner = np.concatenate([np.arange(len(starts)), np.searchsorted(streets.way_ptr, inner, side="right") - 1])[order]
    ptr = np.append(first[order], len(copied))
    loose = np.flatnonzero(shut[copied])
    fresh = len(streets.node_id) + np.arange(len(loose))
    original = copied[loose]
    copied = copied.copy()
    copied[loose] = fresh
    lowest = min(0, int(streets.node_id.min()))
    return (
        replace(
            streets,
            node_id=np.concatenate([streets.node_id, lowest - 1 - np.arange(len(loose))]),
            lon=np.concatenate([streets.lon, streets.lon[original]]),
            lat=np.concatenate([streets.lat, streets.lat[original]]),
            ways=streets.ways.iloc[owner],
            way_ptr=ptr.astype(np.int64),
            way_node=copied.astype(np.int32),
        ),
        len(np.unique(original)),
    )


def _told(streets: Streets, ways: _WayList, skipped: Counter[str], gates: int, label: str) -> Iterator[Fault]:
    """Say what was left out on the way in."""
    shut = int((~(streets.ways["walk_forward"] | streets.ways["walk_backward"])).sum())
    told = [
        (
            gates,
            "gates_shut",
            "noted",
            f"{gates} 处门或墙阻断步行，道路在此断开",
            f"{gates} gates or walls stop walkers; streets are cut there",
        ),
        (
            shut,
            "not_walkable",
            "noted",
            f"{shut} 条道路不允许步行，未用于步行",
            f"{shut} ways may not be walked and are not used on foot",
        ),
        (
            ways.single,
            "single_node",
            "dropped",
            f"{ways.single} 条道路不足两个点",
            f"{ways.single} ways with fewer than two nodes",
        ),
        (
            ways.short,
            "node_missing",
            "dropped",
            f"{ways.short} 个道路点在文件中没有坐标",
            f"{ways.short} nodes of ways have no coordinates in the file",
        ),
    ]
    for count, code, severity, zh, en in told:
        if count:
            yield Fault(code, label, zh, en, severity=severity)  # type: ignore[arg-type]
    if skipped:
        classes = ", ".join(f"{name} {count}" for name, count in sorted(skipped.items()))
        yield Fault(
            "not_a_street",
            label,
            f"{sum(skipped.values())} 条路线不是街道，未采用",
            f"{sum(skipped.values())} ways are no streets and are left out",
            found=classes,
            severity="dropped",
        )


def _load_graphml(path: Path) -> nx.MultiDiGraph:
    import osmnx

    try:
        return osmnx.load_graphml(path)
    except Exception as error:  # osmnx lets ParseError, KeyError and ValueError of several libraries through
        raise _bad(
            path,
            "unreadable",
            "GraphML 文件无法读取",
            "the GraphML file cannot be read",
            "请用 OSMnx 的 save_graphml 重新保存",
            "save it again with OSMnx's save_graphml",
            found=str(error)[:120],
        ) from error


def _from_graph(graph: nx.MultiDiGraph, label: str) -> Checked[Streets]:
    """Take an OSMnx graph: a pair of opposite edges with one shape is one way, walked both ways."""
    _check_graph(graph, label)
    builder = _WayList()
    seen: set[tuple[Any, ...]] = set()
    ids = _node_ids(graph)
    fresh = itertools.count(min([0, *ids.values()]) - 1, -1)
    for number, (u, v, data) in enumerate(graph.edges(data=True)):
        coords = _edge_coords(graph, u, v, data)
        key = (min(ids[u], ids[v]), max(ids[u], ids[v]), min(tuple(coords), tuple(reversed(coords))))
        if key in seen:
            continue
        seen.add(key)
        nodes = [(ids[u], *coords[0]), *((next(fresh), x, y) for x, y in coords[1:-1]), (ids[v], *coords[-1])]
        tags = {tag: _one(data[tag]) for tag in TAGS if data.get(tag) is not None}
        tags.setdefault("highway", "road")
        if tags["highway"] not in RANK:
            tags["highway"] = "road"
        builder.add(number, nodes, tags, (_one(data.get("bridge", "no")) != "no", _one(data.get("tunnel", "no")) != "no"))
    return _finish(builder, set(), Counter(), label)


def _check_graph(graph: nx.MultiDiGraph, label: str) -> None:
    crs = str(graph.graph.get("crs", "epsg:4326")).lower()
    if "4326" not in crs:
        raise _bad(
            Path(label),
            "projected_graph",
            "路网坐标不是经纬度",
            "the graph's coordinates are not longitude and latitude",
            "请在投影之前保存或传入路网",
            "pass the graph before it is projected (EPSG:4326)",
            found=crs,
        )
    bad = [node for node, data in graph.nodes(data=True) if "x" not in data or "y" not in data]
    if bad:
        raise _bad(Path(label), "node_missing", "有节点缺少 x、y", "nodes lack x and y", found=", ".join(map(str, bad[:5])))


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
    """Take the first of several values that OSMnx merged into a list."""
    return str(value[0]) if isinstance(value, list) else str(value)


def _bad(path: Path, code: str, zh: str, en: str, cure_zh: str = "", cure_en: str = "", found: str = "") -> InputError:
    return InputError([Fault(code, file_label(path), zh, en, cure_zh, cure_en, found=found)])
