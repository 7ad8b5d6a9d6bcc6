"""Streets fetched by place name or outline, against a stand-in for Overpass and Nominatim; GraphML out and in again."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx
import pytest
import shapely

from careshed.intake.streets import read_streets
from careshed.intake.streets.online import WAY_TAGS, chains, fetch_streets
from careshed.intake.streets.saving import save_graphml
from careshed.modes import CAR, CYCLE, WALK_ADULT, WHEELCHAIR
from careshed.network import build_network
from careshed.schema import InputError

CRS = "EPSG:32650"
BOX = shapely.box(115.999, 38.999, 116.01, 39.01)

# Nodes 1 to 5 lie 0.001° of longitude apart on 39° north; 6 lies north of 3, 7 north of 6. Node 4 is a locked gate.
#   1 --- 2 --- 3 --- 4 --- 5     way 10, residential, one-way from 5 to 1 for cars (drawn 1 to 5, oneway=-1)
#               |
#               6                 way 11, footway; 7 hangs on it by steps (way 12); way 13 is a ring 2-6-7-2; way 14 a railway
NODES = {1: (116.0, 39.0), 2: (116.001, 39.0), 3: (116.002, 39.0), 4: (116.003, 39.0), 5: (116.004, 39.0),
         6: (116.002, 39.001), 7: (116.002, 39.002)}  # fmt: skip
NODE_TAGS = {4: {"barrier": "gate", "locked": "yes"}, 2: {"highway": "traffic_signals"}}
WAYS = {
    10: ([1, 2, 3, 4, 5], {"highway": "residential", "name": "人民路", "oneway": "-1", "maxspeed": "30"}),
    11: ([3, 6], {"highway": "footway", "footway": "crossing", "crossing": "traffic_signals"}),
    12: ([6, 7], {"highway": "steps"}),
    13: ([2, 6, 7, 2], {"highway": "service", "access": "private"}),
    14: ([1, 7], {"railway": "rail"}),
}


def overpass_answer() -> dict[str, object]:
    nodes = [{"type": "node", "id": n, "lon": x, "lat": y, "tags": NODE_TAGS.get(n, {})} for n, (x, y) in NODES.items()]
    ways = [{"type": "way", "id": w, "nodes": refs, "tags": tags} for w, (refs, tags) in WAYS.items()]
    return {"elements": [*nodes, *ways]}


def nominatim_answer(shape: shapely.Geometry) -> list[dict[str, object]]:
    west, south, east, north = shape.bounds
    place = {"display_name": "Town", "boundingbox": [south, north, west, east], "geojson": shapely.geometry.mapping(shape)}
    return [place | {"lat": "39.0", "lon": "116.0", "importance": 1, "place_id": 1}]


class StandIn:
    """What the servers shall answer, and what they were asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.overpass: tuple[int, object] = (200, overpass_answer())
        self.nominatim: tuple[int, object] = (200, nominatim_answer(BOX))


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Overpass and Nominatim on this machine's loopback, and OSMnx told so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(stand.nominatim, parse_qs(urlsplit(self.path).query))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer(stand.overpass, parse_qs(body))

        def answer(self, reply: tuple[int, object], asked: dict[str, list[str]]) -> None:
            stand.asked.append((urlsplit(self.path).path, asked))
            body = (reply[1] if isinstance(reply[1], str) else json.dumps(reply[1])).encode()
            self.send_response(reply[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand = StandIn(f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(osmnx.settings, "overpass_url", f"{stand.url}/api")
    monkeypatch.setattr(osmnx.settings, "nominatim_url", f"{stand.url}/")
    monkeypatch.setattr("osmnx._nominatim.time.sleep", lambda _: None)  # a pause for the public server's sake
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield stand
    server.shutdown()
    thread.join()
    server.server_close()


def as_file(tmp_path: Path) -> Path:
    """The same town as an OSM file."""
    from test_streets import osm

    nodes = {n: {"lon": f"{x}", "lat": f"{y}"} | NODE_TAGS.get(n, {}) for n, (x, y) in NODES.items()}
    path = tmp_path / "town.osm"
    path.write_text(osm(nodes, WAYS), encoding="utf-8")
    return path


def distances(streets, mode=WALK_ADULT) -> dict[tuple[int, int], int]:
    """Milliseconds between all nodes of known id, by NetworkX."""
    network = build_network(streets, mode=mode, crs=CRS)
    graph = nx.relabel_nodes(network.to_networkx(), dict(enumerate(network.node_id.tolist())))
    found = dict(nx.all_pairs_dijkstra_path_length(graph, weight="time_ms"))
    return {(a, b): ms for a, row in found.items() for b, ms in row.items() if a > 0 and b > 0}


@pytest.mark.usefixtures("servers")
def test_a_place_gives_the_same_streets_as_the_file_of_its_extract(tmp_path):
    fetched, filed = fetch_streets("Town", cache=tmp_path / "cache").table, read_streets(as_file(tmp_path)).table
    assert fetched.ways.reset_index().equals(filed.ways.reset_index())
    assert distances(fetched) == distances(filed)
    assert distances(fetched, CAR) == distances(filed, CAR)  # the one-way street runs against its drawing direction
    assert fetched.barriers.count() == filed.barriers.count() == {"water": 0, "railway": 1, "motorway": 0, "wall": 0}


@pytest.mark.usefixtures("servers")
def test_times_on_fetched_streets_are_metres_over_speed(tmp_path):
    times = distances(fetch_streets(BOX, cache=tmp_path).table)
    # Along the parallel of 39° north 0.001° is 86.5 m, here in UTM zone 50 at scale 0.9997: 1 to 3 is 173 m at 4.8 km/h, 129.8 s.
    assert times[1, 3] == pytest.approx(2 * 86.5 / 4.8 * 3600, rel=2e-3)
    assert (1, 5) not in times  # the gate at 4 is locked


def test_a_second_call_asks_nobody(servers, tmp_path):
    first = fetch_streets("Town", cache=tmp_path)
    asked = len(servers.asked)
    assert [path for path, _ in servers.asked] == ["/search", *["/api/interpreter"] * 5]  # streets, rails, walls, waters
    again = fetch_streets("Town", cache=tmp_path)
    assert len(servers.asked) == asked
    assert again.faults == first.faults
    assert again.table.ways.equals(first.table.ways)
    assert np.array_equal(again.table.node_id, first.table.node_id)


def test_streets_and_barriers_are_asked_for_and_a_filter_of_osmnx_where_named(servers, tmp_path):
    fetch_streets(BOX, cache=tmp_path)
    query = " ".join(asked["data"][0] for _, asked in servers.asked)
    assert "residential" in query
    assert '"railway"~"^(light_rail|monorail|narrow_gauge|rail|subway)$"' in query
    fetch_streets(BOX, network_type="walk", cache=tmp_path)
    assert '["foot"!~"no"]' in servers.asked[-1][1]["data"][0]
    with pytest.raises(ValueError, match=r"network_type must be one of all, walk.*not 'fly'"):
        fetch_streets(BOX, network_type="fly", cache=tmp_path)


def test_settings_of_osmnx_are_as_before_also_after_an_error(servers, tmp_path):
    def state() -> dict[str, object]:
        return {name: getattr(osmnx.settings, name) for name in dir(osmnx.settings) if name.islower() and name[0] != "_"}

    before, resolve = state(), socket.getaddrinfo
    fetch_streets(BOX, cache=tmp_path)
    servers.overpass = (500, "broken")
    with pytest.raises(InputError):
        fetch_streets(BOX.buffer(0.001), cache=tmp_path)
    assert state() == before
    assert socket.getaddrinfo is resolve
    assert "oneway:foot" in WAY_TAGS
    assert "oneway:foot" not in osmnx.settings.useful_tags_way


@pytest.mark.usefixtures("servers")
def test_a_table_of_outlines_in_any_crs_is_a_place(tmp_path):
    outlines = gpd.GeoDataFrame(geometry=[BOX], crs="EPSG:4326").to_crs(CRS)
    assert len(fetch_streets(outlines, cache=tmp_path).table.ways) == 5  # 4 streets, of which the gate parts one


@pytest.mark.usefixtures("servers")
def test_where_the_streets_come_from_is_told(tmp_path):
    told = {fault.code: fault for fault in fetch_streets("Town", cache=tmp_path / "kept").faults}
    assert told["fetched"].text("en") == (
        f"streets fetched from OpenStreetMap (Town), kept in {tmp_path / 'kept'}. © OpenStreetMap contributors, ODbL."
    )
    assert told["fetched"].text("zh").startswith("街道取自 OpenStreetMap（Town）")


def fails(place, cache: Path, **options) -> tuple[str, str, str]:
    with pytest.raises(InputError) as caught:
        fetch_streets(place, cache=cache, **options)
    (fault,) = caught.value.faults
    return fault.code, fault.text("en"), fault.text("zh")


@pytest.mark.usefixtures("servers")
def test_offline_is_told_with_what_to_do(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(osmnx.settings, "overpass_url", f"http://127.0.0.1:{port}/api")
    code, en, zh = fails(BOX, tmp_path)
    assert code == "offline"
    assert en.startswith("the servers of OpenStreetMap cannot be reached")
    assert "download an .osm.pbf file and name it as `file` under [streets]" in en
    assert "无法连接 OpenStreetMap 服务器" in zh
    monkeypatch.setattr(osmnx.settings, "nominatim_url", f"http://127.0.0.1:{port}/")
    assert fails("Town", tmp_path)[0] == "offline"


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ((429, "slow down"), "HTTP 429 Too Many Requests"),
        ((504, "busy"), "HTTP 504 Gateway Timeout"),
        ((500, "broken"), "HTTP 500 Internal Server Error"),
        ((200, "<html>log in to the wifi</html>"), "no JSON: <html>log in to the wifi</html>"),
        ((200, overpass_answer() | {"remark": "runtime error: Query timed out"}), "runtime error: Query timed out"),
    ],
)
def test_a_server_that_refuses_or_gives_up_half_way_is_told_at_once(servers, tmp_path, reply, found):
    servers.overpass = reply
    code, en, zh = fails(BOX, tmp_path)
    assert code == "server_error"
    assert en == (f"the server gave no answer (found {found!r}). try later, ask for less, or set a mirror in osmnx.settings")
    assert zh.startswith("服务器没有给出结果")
    assert len(servers.asked) == 1
    servers.overpass = (200, overpass_answer())
    assert len(fetch_streets(BOX, cache=tmp_path).table.ways) == 5  # nothing of the failure was kept


def test_a_place_that_is_not_known_or_has_no_outline_is_told(servers, tmp_path):
    servers.nominatim = (200, [])
    code, en, zh = fails("Nowhere", tmp_path)
    assert (code, en.startswith("no such place is known"), "找不到该地名" in zh) == ("place_not_found", True, True)
    servers.nominatim = (200, nominatim_answer(shapely.Point(116, 39)))
    code, en, zh = fails("Point", tmp_path)
    assert code == "place_without_outline"
    assert en.endswith("name a district, or give an outline")
    assert "该地名没有范围" in zh


def test_an_outline_without_streets_is_told(servers, tmp_path):
    servers.overpass = (200, {"elements": []})
    code, en, zh = fails(BOX, tmp_path)
    assert (code, en.startswith("there is no street in the outline"), "该范围内没有任何街道" in zh) == ("empty", True, True)


@pytest.mark.usefixtures("servers")
def test_a_damaged_cache_says_what_to_delete(tmp_path):
    fetch_streets(BOX, cache=tmp_path)
    for kept in tmp_path.glob("*.json"):
        kept.write_text(kept.read_text()[:-20])
    code, en, zh = fails(BOX, tmp_path)
    assert code == "cache_damaged"
    assert f"delete the folder {tmp_path} and try again" in en
    assert f"请删除文件夹 {tmp_path}" in zh


@pytest.mark.parametrize(
    ("outline", "code"),
    [
        (shapely.box(500_000, 4_300_000, 501_000, 4_301_000), "bad_outline"),
        (shapely.Point(116, 39), "bad_outline"),
        (shapely.Polygon(), "bad_outline"),
        (shapely.Polygon([(116, 39), (117, 40), (117, 39), (116, 40)]), "bad_outline"),
        (gpd.GeoSeries([BOX]), "unknown_crs"),
    ],
)
def test_an_outline_that_is_none_is_refused_before_anybody_is_asked(servers, tmp_path, outline, code):
    if isinstance(outline, shapely.Point):
        outline = gpd.GeoSeries([outline], crs="EPSG:4326")
    assert fails(outline, tmp_path)[0] == code
    assert servers.asked == []


def test_pieces_of_ways_become_ways_again():
    assert chains([(1, 2), (2, 3), (3, 4)]) == [[1, 2, 3, 4]]
    assert chains([(3, 1), (1, 2), (2, 3)]) == [[3, 1, 2, 3]]  # a ring
    assert chains([(1, 2), (2, 3), (3, 4), (4, 2)]) == [[1, 2, 3, 4, 2]]  # a lollipop
    assert chains([(1, 2), (5, 6)]) == [[1, 2], [5, 6]]  # the middle lies outside
    eight = [(2, 3), (3, 1), (1, 2), (1, 4), (4, 5), (5, 1)]
    found = [step for run in chains(eight) for step in zip(run, run[1:], strict=False)]
    assert sorted(found) == sorted(eight)


@pytest.mark.parametrize("mode", [WALK_ADULT, WHEELCHAIR, CYCLE, CAR], ids=lambda mode: mode.name)
def test_streets_saved_as_graphml_are_travelled_as_before(tmp_path, mode):
    streets = read_streets(as_file(tmp_path)).table
    again = read_streets(save_graphml(streets, tmp_path / "town.graphml")).table
    before, after = distances(streets, mode), distances(again, mode)
    assert {pair for pair in before if set(pair) <= {1, 2, 3, 5, 6, 7}} <= set(after)
    assert {pair: ms for pair, ms in after.items() if pair in before} == pytest.approx(before, abs=2)  # rounded once an edge


def test_every_direction_limit_and_kerb_survives_graphml(tmp_path):
    from test_streets import osm

    kinds = [
        {"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"},
        {"highway": "residential", "oneway": "-1", "incline": "8%"},
        {"highway": "footway", "foot": "no", "bicycle": "yes"},
        {"highway": "steps", "conveying": "backward"},
        {"highway": "motorway"},
        {"highway": "footway", "wheelchair": "no"},
        {"highway": "primary", "maxspeed": "30 mph", "bridge": "yes"},
    ]
    ways = {10 + at: ([at, at + 1], tags) for at, tags in enumerate(kinds, 1)}
    (tmp_path / "town.osm").write_text(osm({n: {} for n in range(1, 10)}, ways), encoding="utf-8")
    streets = read_streets(tmp_path / "town.osm").table
    again = read_streets(save_graphml(streets, tmp_path / "town.graphml")).table
    for mode in (WALK_ADULT, WHEELCHAIR, CYCLE, CAR):
        assert distances(again, mode) == pytest.approx(distances(streets, mode), abs=2)
    assert sorted(again.ways["highway"]) == sorted(streets.ways["highway"])
    assert again.ways["bridge"].sum() == 1


def test_a_network_saved_as_graphml_has_the_same_shortest_paths_in_networkx(tmp_path):
    network = build_network(read_streets(as_file(tmp_path)).table, mode=WALK_ADULT, crs=CRS)
    graph = osmnx.load_graphml(save_graphml(network, tmp_path / "network.graphml"), edge_dtypes={"time_ms": int})
    want = dict(nx.all_pairs_dijkstra_path_length(network.to_networkx(), weight="time_ms"))
    assert dict(nx.all_pairs_dijkstra_path_length(graph, weight="time_ms")) == want
    assert str(graph.graph["crs"]) == CRS
