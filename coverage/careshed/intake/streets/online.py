"""Fetch streets from OpenStreetMap by place name or outline, through OSMnx, and keep the answers on disk."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, get_args

from careshed.intake.streets.barriers import RAILS, WALLS
from careshed.intake.streets.model import Streets
from careshed.intake.streets.pbf import KEYS
from careshed.intake.streets.reading import Gathered
from careshed.intake.streets.walking import RANK, TAGS
from careshed.intake.streets.ways import finish
from careshed.schema import Checked, Fault, InputError

if TYPE_CHECKING:
    import networkx as nx
    import requests
    from geopandas import GeoDataFrame, GeoSeries
    from shapely import MultiPolygon, Polygon

NetworkType = Literal["all", "walk", "bike", "drive", "drive_service", "all_public"]
"""Which ways to ask for: ``all`` is what an extract holds, barriers included; the others are OSMnx's own filters."""

NODE_TAGS: Final = (
    "highway", "barrier", "foot", "locked", "motorcar", "motor_vehicle", "vehicle", "bicycle", "wheelchair", "kerb", "crossing",
)  # fmt: skip
"""Tags of nodes that say what stops travel."""

WAY_TAGS: Final = tuple(sorted(TAGS | {*KEYS, "width", "covered", "location"}))
"""Tags of ways that are asked for."""

_ALL: Final = tuple(
    f'["{key}"~"^({"|".join(sorted(values))})$"]'
    for key, values in (
        ("highway", RANK),
        ("railway", RAILS),
        ("barrier", WALLS),
        ("waterway", ("river", "canal", "dock", "riverbank", "stream", "ditch", "drain")),
        ("natural", ("water", "coastline")),
    )
)
"""What ``all`` asks the server for."""


def fetch_streets(
    place: str | Polygon | MultiPolygon | GeoDataFrame | GeoSeries,
    *,
    network_type: NetworkType = "all",
    cache: str | Path = "street-cache",
) -> Checked[Streets]:
    """Fetch the streets of a place from OpenStreetMap, when online; asked again, it answers from disk.

    The servers are those of ``osmnx.settings`` (``overpass_url``, ``nominatim_url``), so a mirror can be set there; OSMnx's other
    settings are put back afterwards. Keep the answer with `careshed.intake.streets.saving.save_graphml`, and name that file in
    the study, so that the study can be repeated without the network.

    Parameters
    ----------
    place
        Name that Nominatim knows the outline of (``"洪山区"``), an outline in degrees (WGS-84), or a table of them (any CRS).
    network_type
        ``all`` for every street and barrier that an extract holds, or one of OSMnx's filters.
    cache
        Folder of the answers; delete it to ask afresh.

    Raises
    ------
    InputError
        If the network cannot be reached, the place is not found or has no outline, the server refuses or gives up, or there is
        no street in the outline.
    ValueError
        If `network_type` is not known.
    """
    label = place if isinstance(place, str) else "outline"
    found = _streets(fetch_graph(place, network_type=network_type, cache=Path(cache)), label)
    zh, en = (
        f"街道取自 OpenStreetMap（{label}），缓存于 {cache}",
        f"streets fetched from OpenStreetMap ({label}), kept in {cache}",
    )
    cure = ("© OpenStreetMap 贡献者，ODbL。", "© OpenStreetMap contributors, ODbL.")
    return Checked(found.table, (*found.faults, Fault("fetched", label, zh, en, *cure, severity="noted")))


def fetch_graph(
    place: str | Polygon | MultiPolygon | GeoDataFrame | GeoSeries, *, network_type: NetworkType = "all", cache: Path
) -> nx.MultiDiGraph:
    """Ask the servers for the ways of a place, as OSMnx draws them; `fetch_streets` says what can go wrong."""
    if network_type not in get_args(NetworkType):
        raise ValueError(f"network_type must be one of {', '.join(get_args(NetworkType))}, not {network_type!r}")
    with _settings(cache), _told_plainly(place if isinstance(place, str) else "outline", cache):
        return _graph(place, network_type)


def _graph(place: str | Polygon | MultiPolygon | GeoDataFrame | GeoSeries, network_type: NetworkType) -> nx.MultiDiGraph:
    import osmnx

    area = osmnx.geocode_to_gdf(place).geometry.iloc[0] if isinstance(place, str) else _outline(place)
    wanted: dict[str, Any] = {"custom_filter": list(_ALL)} if network_type == "all" else {"network_type": network_type}
    return osmnx.graph_from_polygon(area, simplify=False, retain_all=True, truncate_by_edge=True, **wanted)


def _outline(place: Polygon | MultiPolygon | GeoDataFrame | GeoSeries) -> Polygon | MultiPolygon:
    """Bring outlines to one shape in degrees."""
    import shapely

    if not isinstance(place, shapely.Polygon | shapely.MultiPolygon):
        if place.crs is None:
            zh, en = "范围没有坐标系", "the outline has no coordinate system"
            raise InputError([Fault("unknown_crs", "outline", zh, en, "请用 set_crs 指定", "set it with set_crs")])
        place = place.to_crs("EPSG:4326").geometry.union_all()
    west, south, east, north = place.bounds if not place.is_empty else (999.0,) * 4
    areal = isinstance(place, shapely.Polygon | shapely.MultiPolygon)
    if not (areal and place.is_valid and -180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        zh, en = "范围不是有效的经纬度面", "the outline is no valid area in degrees"
        cure = ("请提供 WGS-84 经纬度的面", "give an area in degrees, WGS-84, or a GeoDataFrame with its CRS")
        raise InputError([Fault("bad_outline", "outline", zh, en, *cure)])
    return place


class _Refused(Exception):
    """The server answered with an error; OSMnx would wait and ask again for as long as it does."""


def _refuse(response: requests.Response, *_: object, **__: object) -> None:
    """Stop at the first answer that is an error, or that the server gave up on half-way."""
    if not response.ok:
        response.close()
        raise _Refused(f"HTTP {response.status_code} {response.reason}")
    try:
        answer = response.json()
    except ValueError as error:
        raise _Refused(f"no JSON: {response.text[:80]}") from error
    if isinstance(answer, dict) and answer.get("remark"):
        raise _Refused(str(answer["remark"])[:120])


@contextmanager
def _settings(cache: Path) -> Iterator[None]:
    """Ask OSMnx for the tags that are needed, one answer without waiting in line, and put its settings back."""
    from osmnx import settings

    ours: Mapping[str, Any] = {
        "useful_tags_way": list(WAY_TAGS), "useful_tags_node": list(NODE_TAGS), "all_oneway": True,
        "use_cache": True, "cache_folder": cache, "cache_only_mode": False,
        "overpass_rate_limit": False, "doh_url_template": None,
        "requests_kwargs": settings.requests_kwargs | {"hooks": {"response": _refuse}},
    }  # fmt: skip
    before = {name: getattr(settings, name) for name in ours}
    resolve = socket.getaddrinfo  # OSMnx pins the server's address in it
    try:
        for name, value in ours.items():
            setattr(settings, name, value)
        yield
    finally:
        socket.getaddrinfo = resolve
        for name, value in before.items():
            setattr(settings, name, value)


@contextmanager
def _told_plainly(label: str, cache: Path) -> Iterator[None]:
    """Turn what OSMnx and the network raise into one fault with its cure."""
    import requests

    try:
        yield
    except InputError:
        raise
    except _Refused as error:
        told = ("server_error", "服务器没有给出结果", "the server gave no answer")
        cure = (
            "请稍后再试，或缩小范围，或在 osmnx.settings 中换用镜像",
            "try later, ask for less, or set a mirror in osmnx.settings",
        )
        _raise(label, told, cure, error)
    except requests.exceptions.RequestException as error:
        told = ("offline", "无法连接 OpenStreetMap 服务器", "the servers of OpenStreetMap cannot be reached")
        cure = (
            "请检查网络；离线时请下载 .osm.pbf 文件并写入 [streets] 的 file",
            "check the network; offline, download an .osm.pbf file and name it as `file` under [streets]",
        )
        _raise(label, told, cure, error)
    except json.JSONDecodeError as error:
        told = ("cache_damaged", "缓存的结果已损坏", "an answer kept on disk is damaged")
        _raise(label, told, (f"请删除文件夹 {cache} 后重试", f"delete the folder {cache} and try again"), error)
    except TypeError as error:
        told = ("place_without_outline", "该地名没有范围（面）", "the place has no outline, only a point or a line")
        _raise(label, told, ("请换用行政区名，或提供面", "name a district, or give an outline"), error)
    except ValueError as error:  # OSMnx: nothing found, by Nominatim or within the outline
        if "Nominatim" in str(error):
            told = ("place_not_found", "找不到该地名", "no such place is known")
            cure = (
                "请写全称，如“洪山区, 武汉, 中国”，或提供面",
                "write it in full, such as 'Hongshan, Wuhan, China', or give an outline",
            )
        else:
            told = ("empty", "该范围内没有任何街道", "there is no street in the outline")
            cure = ("请核对范围", "check the outline")
        _raise(label, told, cure, error)


def _raise(label: str, told: tuple[str, str, str], cure: tuple[str, str], error: Exception) -> NoReturn:
    fault = Fault(told[0], label, told[1], told[2], *cure, found=str(error)[:120])
    raise InputError([fault]) from error


def _streets(graph: nx.MultiDiGraph, label: str) -> Checked[Streets]:
    """Put the pieces of OSMnx's graph together to ways again and keep them as from a file."""
    gathered = Gathered()
    for node, lonlat, tags in nodes_of(graph):
        if tags:
            gathered.add_node(node, lonlat, tags)
    place = {node: lonlat for node, lonlat, _ in nodes_of(graph)}
    for way, chain, tags in ways_of(graph):
        if tags.get("highway") in RANK:
            kept = {key: value for key, value in tags.items() if key in TAGS}
            gathered.add_street(way, [(node, *place[node]) for node in chain], len(chain), kept)
        else:
            gathered.add_other(tags, [place[node] for node in chain])
    return finish(gathered.ways, gathered.barriers, gathered.skipped, label)


def nodes_of(graph: nx.MultiDiGraph) -> Iterator[tuple[int, tuple[float, float], dict[str, str]]]:
    """List the nodes of OSMnx's graph by number: place in degrees, and the tags that say what stops travel."""
    for node, data in sorted(graph.nodes(data=True)):
        yield node, (float(data["x"]), float(data["y"])), {key: str(data[key]) for key in NODE_TAGS if key in data}


def ways_of(graph: nx.MultiDiGraph) -> Iterator[tuple[int, list[int], dict[str, str]]]:
    """List the ways of OSMnx's graph by number, each as it was drawn: its nodes and tags; a way cut in two comes twice."""
    pieces: dict[int, list[tuple[int, int]]] = {}
    tags_of: dict[int, dict[str, str]] = {}
    for start, end, data in graph.edges(data=True):
        pieces.setdefault(data["osmid"], []).append((start, end))
        tags_of[data["osmid"]] = {key: str(data[key]) for key in WAY_TAGS if data.get(key)}
    for way in sorted(pieces):
        tags = tags_of[way]
        for chain in chains(pieces[way]):
            if tags.get("oneway") in ("-1", "reverse"):  # OSMnx has turned the way round and left its tags as they were
                chain.reverse()
            yield way, chain, tags


def chains(pieces: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Put pieces of one way, each from one node to the next, together to as long runs of nodes as they make.

    >>> chains([(2, 3), (1, 2), (7, 8)])
    [[1, 2, 3], [7, 8]]
    """
    onward: dict[int, list[int]] = {}
    balance: dict[int, int] = {}
    for start, end in pieces:
        onward.setdefault(start, []).append(end)
        balance[start] = balance.get(start, 0) + 1
        balance[end] = balance.get(end, 0) - 1
    heads = [node for node in balance for _ in range(balance[node])]
    rings = (node for node, ends in onward.items() for _ in range(len(ends)))  # what no head leads to
    found = []
    for head in (*heads, *rings):
        run = [head]
        while onward.get(run[-1]):
            run.append(onward[run[-1]].pop(0))
        if len(run) > 1:
            found.append(run)
    return found
