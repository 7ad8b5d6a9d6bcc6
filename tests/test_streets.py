"""Streets from files and graphs: which ways are walked, where gates cut them, what is told."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import networkx as nx
import numpy as np
import osmium
import osmnx
import pytest
from shapely import LineString

from careshed.intake.streets import CLOSED_TO_WALKERS, FOOT_NO, FOOT_YES, RANK, SOLID, Streets, read_streets, shuts, walkable
from careshed.schema import Fault, InputError

DATA = Path(os.environ.get("CARESHED_DATA", Path(__file__).parents[2] / "shared" / "data"))

BOTH, FORWARD, BACKWARD, CLOSED = (True, True), (True, False), (False, True), (False, False)

Ways = dict[int, tuple[list[int], dict[str, str]]]
Nodes = dict[int, dict[str, str]]

LINE = {1: {}, 2: {}, 3: {}, 4: {}}
"""Four nodes without tags; `osm` strings nodes eastwards, 0.001° apart."""


def osm(nodes: Nodes, ways: Ways) -> str:
    """An OSM file; node n lies at 116 + n / 1000 degrees east, 39 degrees north, unless it has ``lon`` and ``lat`` itself."""

    def tags(of: dict[str, str]) -> str:
        return "".join(f'<tag k="{k}" v="{v}"/>' for k, v in of.items() if k not in ("lon", "lat"))

    def point(n: int, of: dict[str, str]) -> str:
        lon, lat = of.get("lon", f"{116 + n / 1000}"), of.get("lat", "39")
        return f'<node id="{n}" version="1" lon="{lon}" lat="{lat}">{tags(of)}</node>'

    points = "".join(point(n, of) for n, of in nodes.items())
    lines = "".join(
        f'<way id="{w}" version="1">{"".join(f"<nd ref={chr(34)}{n}{chr(34)}/>" for n in refs)}{tags(of)}</way>'
        for w, (refs, of) in ways.items()
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><osm version="0.6" generator="test">{points}{lines}</osm>'


@pytest.fixture
def read(tmp_path):
    """Write an OSM file and read it."""

    def made(nodes: Nodes, ways: Ways):
        path = tmp_path / "town.osm"
        path.write_text(osm(nodes, ways), encoding="utf-8")
        return read_streets(path)

    return made


def told(faults: tuple[Fault, ...]) -> dict[str, str]:
    """Faults by code, each once."""
    assert len({fault.code for fault in faults}) == len(faults)
    return {fault.code: fault.text() for fault in faults}


def paths(streets: Streets) -> list[list[int]]:
    """Ways as lists of node ids."""
    ptr = streets.way_ptr
    return [streets.node_id[streets.way_node[a:b]].tolist() for a, b in zip(ptr[:-1], ptr[1:], strict=True)]


STREET = {"highway": "residential"}


# --- which ways are walked ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "rights"),
    [
        ({"highway": "residential"}, BOTH),
        ({"highway": "residential", "oneway": "yes"}, BOTH),
        ({"highway": "residential", "sidewalk": "separate"}, BOTH),
        ({"highway": "service", "access": "private"}, BOTH),
        ({"highway": "footway", "access": "customers"}, BOTH),
        ({"highway": "trunk"}, BOTH),
        ({"highway": "trunk", "motorroad": "yes"}, CLOSED),
        ({"highway": "trunk", "motorroad": "yes", "foot": "yes"}, BOTH),
        ({"highway": "motorway"}, CLOSED),
        ({"highway": "motorway_link"}, CLOSED),
        ({"highway": "motorway", "foot": "designated"}, BOTH),
        ({"highway": "cycleway"}, CLOSED),
        ({"highway": "cycleway", "foot": "yes"}, BOTH),
        ({"highway": "residential", "foot": "no"}, CLOSED),
        ({"highway": "residential", "foot": "private"}, CLOSED),
        ({"highway": "primary", "foot": "use_sidepath"}, CLOSED),
        ({"highway": "track", "access": "no"}, CLOSED),
        ({"highway": "track", "access": "no", "foot": "permissive"}, BOTH),
        ({"highway": "track", "access": "agricultural"}, CLOSED),
        ({"highway": "track", "access": "military", "foot": "no"}, CLOSED),
        ({"highway": "footway", "oneway:foot": "yes"}, FORWARD),
        ({"highway": "footway", "oneway:foot": "1"}, FORWARD),
        ({"highway": "footway", "oneway:foot": "-1"}, BACKWARD),
        ({"highway": "footway", "oneway:foot": "no"}, BOTH),
        ({"highway": "path", "foot:backward": "no"}, FORWARD),
        ({"highway": "path", "foot:forward": "no"}, BACKWARD),
        ({"highway": "path", "foot:forward": "no", "foot:backward": "no"}, CLOSED),
        ({"highway": "steps", "conveying": "forward"}, FORWARD),
        ({"highway": "steps", "conveying": "backward"}, BACKWARD),
        ({"highway": "steps", "conveying": "reversible"}, BOTH),
        ({"highway": "construction"}, CLOSED),
        ({"highway": "proposed", "foot": "yes"}, CLOSED),
        ({"route": "ferry", "foot": "yes"}, CLOSED),
        ({}, CLOSED),
    ],
    ids=lambda value: ",".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else str(value),
)
def test_the_walking_filter_reads_each_tag(tags, rights):
    assert walkable(tags) == rights


@pytest.mark.parametrize("highway", sorted(RANK))
def test_every_class_of_street_is_open_unless_closed_to_walkers_and_foot_decides_in_both(highway):
    assert walkable({"highway": highway}) == (CLOSED if highway in CLOSED_TO_WALKERS else BOTH)
    assert {walkable({"highway": highway, "foot": foot}) for foot in FOOT_YES} == {BOTH}
    assert {walkable({"highway": highway, "foot": foot}) for foot in FOOT_NO} == {CLOSED}


@pytest.mark.parametrize(
    ("tags", "shut"),
    [
        ({"barrier": "gate"}, False),
        ({"barrier": "bollard"}, False),
        ({"barrier": "gate", "access": "no"}, False),
        ({"barrier": "gate", "access": "private"}, False),
        ({"barrier": "gate", "locked": "yes"}, True),
        ({"barrier": "gate", "locked": "no"}, False),
        ({"barrier": "gate", "locked": "yes", "foot": "yes"}, False),
        ({"barrier": "lift_gate", "foot": "no"}, True),
        ({"barrier": "toll_booth", "foot": "no"}, False),
        ({"barrier": "gate", "foot": "private"}, True),
        ({"barrier": "entrance"}, False),
        *(({"barrier": kind}, True) for kind in sorted(SOLID)),
        ({"barrier": "fence", "foot": "designated"}, False),
    ],
    ids=str,
)
def test_a_barrier_stops_walkers_only_where_locked_forbidden_or_solid(tags, shut):
    assert shuts(tags) is shut


# --- OSM files ---------------------------------------------------------------------------------------------------------


def test_a_street_is_read_with_its_nodes_names_rank_and_structure(read):
    ways = {
        7: ([1, 2], {"highway": "primary", "name": "解放路", "bridge": "yes"}),
        8: ([2, 3, 4], {"highway": "steps", "tunnel": "culvert", "conveying": "forward"}),
        9: ([4, 1], {"highway": "footway", "bridge": "no", "tunnel": "no"}),
    }
    found = read(LINE, ways)
    streets = found.table
    assert found.faults == ()
    assert streets.source == "town.osm"
    assert streets.ways.index.tolist() == [7, 8, 9]
    assert streets.ways.index.name == "way_id"
    assert paths(streets) == [[1, 2], [2, 3, 4], [4, 1]]
    assert streets.lon == pytest.approx([116.001, 116.002, 116.003, 116.004])
    assert streets.lat.tolist() == [39.0] * 4
    assert streets.bounds_lonlat() == pytest.approx((116.001, 39.0, 116.004, 39.0))
    table = streets.ways.iloc[:, :8].to_dict("list")
    assert table == {
        "highway": ["primary", "steps", "footway"],
        "name": ["解放路", "", ""],
        "walk_forward": [True, True, True],
        "walk_backward": [True, False, True],
        "steps": [False, True, False],
        "bridge": [True, False, False],
        "tunnel": [False, True, False],
        "rank": [0, 3, 3],
    }


def test_streets_are_drawn_as_lines_in_the_crs_asked_for(read):
    lines = read(LINE, {7: ([1, 2, 4], STREET)}).table.lines("EPSG:32650")
    assert lines.crs == "EPSG:32650"
    assert lines.index.tolist() == [7]
    # 0.003° of longitude at 39° N: 0.003 × 111,320 m × cos 39° ≈ 259.5 m; UTM shrinks by 0.9996.
    assert lines.length.iloc[0] == pytest.approx(259.6, abs=0.5)


def test_ferries_and_works_are_left_out_and_motorways_noted_with_counts(read):
    ways = {
        1: ([1, 2], STREET),
        2: ([2, 3], {"route": "ferry"}),
        3: ([2, 3], {"route": "ferry", "foot": "yes"}),
        4: ([3, 4], {"highway": "construction"}),
        5: ([3, 4], {"highway": "motorway"}),
        6: ([3, 4], {"highway": "motorway_link"}),
        7: ([3, 4], {"route": "bus"}),
    }
    found = read(LINE, ways)
    assert found.table.ways.index.tolist() == [1, 5, 6]
    assert found.table.ways["walk_forward"].tolist() == [True, False, False]
    assert told(found.faults) == {
        "not_walkable": "2 ways may not be walked and are not used on foot",
        "not_a_street": "3 ways are no streets and are left out (found 'construction 1, ferry 2')",
    }
    assert [fault.severity for fault in found.faults] == ["noted", "dropped"]


def test_a_way_of_one_node_is_dropped_and_told(read):
    found = read(LINE, {1: ([1, 2], STREET), 2: ([3], STREET)})
    assert paths(found.table) == [[1, 2]]
    assert told(found.faults) == {"single_node": "1 ways with fewer than two nodes"}


def test_nodes_without_coordinates_are_passed_over_and_counted(read):
    # Way 1 loses nodes 8 and 9 and joins 1 to 2; way 2 keeps only one node and is dropped.
    found = read({1: {}, 2: {}, 3: {}}, {1: ([1, 8, 9, 2], STREET), 2: ([3, 9], STREET)})
    assert paths(found.table) == [[1, 2]]
    assert told(found.faults) == {
        "single_node": "1 ways with fewer than two nodes",
        "node_missing": "3 nodes of ways have no coordinates in the file",
    }


LOCKED = {"barrier": "gate", "locked": "yes"}


def test_an_open_gate_leaves_the_way_whole(read):
    found = read({**LINE, 2: {"barrier": "gate"}}, {1: ([1, 2, 3], STREET)})
    assert paths(found.table) == [[1, 2, 3]]
    assert found.faults == ()


def test_a_shut_gate_parts_the_way_into_two_ends_at_one_spot(read):
    found = read({**LINE, 2: LOCKED}, {5: ([1, 2, 3, 4], {**STREET, "name": "巷"})})
    first, second = paths(found.table)
    assert (first[0], second[1:]) == (1, [3, 4])
    assert len({first[1], second[0]}) == 2
    assert max(first[1], second[0]) < 0
    assert found.table.ways.index.tolist() == [5, 5]
    assert found.table.ways["name"].tolist() == ["巷", "巷"]
    at = [found.table.node_id.tolist().index(n) for n in (first[1], second[0])]
    assert found.table.lon[at] == pytest.approx([116.002, 116.002])
    assert told(found.faults) == {"gates_shut": "1 gates or walls stop walkers; streets are cut there"}


def test_several_shut_gates_part_one_way_into_as_many_and_one(read):
    nodes = {**{n: {} for n in range(1, 8)}, 2: LOCKED, 4: {"barrier": "wall"}, 5: LOCKED}
    found = read(nodes, {5: ([1, 2, 3, 4, 5, 6, 7], STREET), 6: ([7, 1], STREET)})
    made = paths(found.table)
    # Between gates 4 and 5 lies a way of two fresh ends.
    assert [[n for n in way if n > 0] for way in made] == [[1], [3], [], [6, 7], [7, 1]]
    assert [len(way) for way in made] == [2, 3, 2, 3, 2]
    fresh = [n for way in made for n in way if n < 0]
    assert len(fresh) == len(set(fresh)) == 6
    assert found.table.ways.index.tolist() == [5, 5, 5, 5, 6]
    assert told(found.faults) == {"gates_shut": "3 gates or walls stop walkers; streets are cut there"}


def test_a_shut_gate_at_a_ways_end_takes_the_end_off_the_junction(read):
    found = read({**LINE, 2: LOCKED}, {1: ([1, 2], STREET), 2: ([2, 3], STREET), 3: ([4, 2], STREET)})
    one, two, three = paths(found.table)
    assert (one[0], two[1], three[0]) == (1, 3, 4)
    assert len({one[1], two[0], three[1]}) == 3


def test_a_shut_gate_where_two_ways_cross_parts_both(read):
    nodes = {**{n: {} for n in range(1, 6)}, 3: LOCKED}
    made = paths(read(nodes, {1: ([1, 3, 2], STREET), 2: ([4, 3, 5], STREET)}).table)
    assert [[n for n in way if n > 0] for way in made] == [[1], [2], [4], [5]]
    assert len({n for way in made for n in way if n < 0}) == 4


def test_a_shut_gate_at_the_joint_of_a_loop_opens_it(read):
    (way,) = paths(read({**LINE, 1: LOCKED}, {1: ([1, 2, 3, 1], STREET)}).table)
    assert way[1:3] == [2, 3]
    assert len({way[0], way[3]}) == 2


def test_a_shut_gate_on_no_street_is_not_told(read):
    assert read({**LINE, 4: LOCKED}, {1: ([1, 2], STREET)}).faults == ()


def test_nodes_made_at_gates_take_ids_no_other_node_has(read):
    found = read({**LINE, 2: LOCKED, 3: LOCKED}, {1: ([1, 2, 3], STREET), 2: ([3, 2, 4], STREET)})
    used = found.table.node_id[found.table.way_node].tolist()
    # Both nodes are met by two ways: way 1 ends twice at 2 and once at 3, way 2 once at 3 and twice at 2.
    assert sorted(n for n in used if n < 0) == [-6, -5, -4, -3, -2, -1]
    assert len(set(found.table.node_id.tolist())) == len(found.table.node_id)


def test_lakes_and_river_banks_are_kept_as_areas_and_open_outlines_are_not(read):
    nodes = {
        **LINE,
        11: {"lon": "116.0", "lat": "39.0"},
        12: {"lon": "116.01", "lat": "39.0"},
        13: {"lon": "116.01", "lat": "39.01"},
    }
    ways = {
        1: ([1, 2], STREET),
        2: ([11, 12, 13, 11], {"natural": "water"}),
        3: ([11, 12, 13, 11], {"waterway": "riverbank"}),
        4: ([11, 12, 13], {"natural": "water"}),
        5: ([11, 12, 11], {"natural": "water"}),
        6: ([11, 12, 13, 11], {"natural": "wood"}),
    }
    streets = read(nodes, ways).table
    assert len(streets.water) == 2
    areas = streets.water_areas("EPSG:32650")
    # Half of 0.01° × 0.01°: 864 m × 1,110 m / 2.
    assert areas.area.tolist() == pytest.approx([480_000] * 2, rel=0.01)
    assert paths(streets) == [[1, 2]]


def test_a_town_without_water_has_no_areas(read):
    assert len(read(LINE, {1: ([1, 2], STREET)}).table.water_areas("EPSG:32650")) == 0


def test_a_packed_osm_file_reads_like_the_plain_one(tmp_path):
    text = osm({**LINE, 2: LOCKED}, {1: ([1, 2, 3], STREET), 2: ([3, 4], STREET)})
    (tmp_path / "a.osm").write_text(text, encoding="utf-8")
    (tmp_path / "a.osm.gz").write_bytes(gzip.compress(text.encode()))
    plain, packed = (read_streets(str(tmp_path / name)) for name in ("a.osm", "a.osm.gz"))
    assert paths(plain.table) == paths(packed.table)
    assert plain.table.ways.equals(packed.table.ways)
    assert [fault.code for fault in packed.faults] == ["gates_shut"]


# --- files that cannot be read -----------------------------------------------------------------------------------------


def write_pbf(path: Path, count: int = 20_000) -> None:
    """A long street as PBF, of several blocks."""
    writer = osmium.SimpleWriter(str(path))
    for n in range(1, count + 1):
        writer.add_node(osmium.osm.mutable.Node(id=n, version=1, location=(116 + n / 100_000, 39 + n % 7 / 1000)))
    for w in range(1, count // 1000):
        writer.add_way(osmium.osm.mutable.Way(id=w, version=1, nodes=range(w * 1000, w * 1000 + 1001), tags=STREET))
    writer.close()


def test_a_pbf_reads_and_cut_short_it_is_refused_with_a_cure(tmp_path):
    whole, cut = tmp_path / "town.osm.pbf", tmp_path / "cut.osm.pbf"
    write_pbf(whole)
    streets = read_streets(whole).table
    assert len(streets.ways) == 19
    assert len(streets.node_id) == 19_001
    data = whole.read_bytes()
    for keep in (len(data) // 4, len(data) // 2, len(data) - 10):
        cut.write_bytes(data[:keep])
        with pytest.raises(InputError) as caught:
            read_streets(cut)
        (fault,) = caught.value.faults
        assert (fault.code, fault.file) == ("unreadable", "cut.osm.pbf")
        assert "the file cannot be read; it is cut short or damaged" in str(caught.value)
        assert "download or export it again" in str(caught.value)
        assert "请重新下载或重新导出该文件" in caught.value.text("zh")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.osm", b""),
        ("text.osm", b"hello"),
        ("cut.osm", b'<osm version="0.6"><node id="1" lat="1" lon="1">'),
        ("words.osm", b'<osm version="0.6"><node id="1" lat="abc" lon="1"/></osm>'),
        ("empty.osm.gz", b""),
        ("damaged.osm.gz", b"\x1f\x8b\x08rubbish"),
        ("empty.osm.pbf", b""),
        ("damaged.pbf", b"rubbish" * 100),
    ],
)
def test_a_damaged_osm_file_is_refused_with_a_cure(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=r"cut short or damaged .*download or export it again") as caught:
        read_streets(tmp_path / name)
    assert [(fault.code, fault.file) for fault in caught.value.faults] == [("unreadable", name)]


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"there is no such file. check `file` under \[streets\]") as caught:
        read_streets(tmp_path / "no.osm.pbf")
    assert caught.value.faults[0].code == "missing"
    with pytest.raises(InputError, match="no such file"):
        read_streets(tmp_path)


def test_an_unknown_kind_of_file_is_refused_with_the_kinds_known(tmp_path):
    (tmp_path / "streets.shp").write_bytes(b"x")
    with pytest.raises(
        InputError, match=r"this kind of street file is not known. use one of .osm.pbf, .*.graphml; layers of road lines.*.shp"
    ) as caught:
        read_streets(tmp_path / "streets.shp")
    assert caught.value.faults[0].code == "unknown_kind"


@pytest.mark.parametrize("ways", [{}, {1: ([1, 2], {"building": "yes"})}, {1: ([1, 2], {"route": "ferry"})}, {1: ([1], STREET)}])
def test_a_file_without_any_street_is_refused(read, ways):
    with pytest.raises(InputError, match=r"the file holds no street. check that it is the right file"):
        read(LINE, ways)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_file_whose_nodes_come_last_or_have_ids_below_zero_is_refused_with_its_cure(tmp_path, sign):
    # osmium keeps no places of such nodes; a drawing saved by JOSM before upload looks like this.
    head, points, lines = osm({sign: {"lon": "116"}, 2 * sign: {"lon": "117"}}, {1: ([sign, 2 * sign], STREET)}).partition("<way")
    nodes = head[head.index("<node") :]
    parts = [head.replace(nodes, ""), nodes, points + lines.removesuffix("</osm>"), "</osm>"]
    order = (0, 1, 2, 3) if sign < 0 else (0, 2, 1, 3)
    (tmp_path / "drawn.osm").write_text("".join(parts[k] for k in order), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"no node of the streets has coordinates .* nodes must come before ways and have positive"
    ):
        read_streets(tmp_path / "drawn.osm")


def test_a_suffix_in_capitals_is_known(tmp_path):
    (tmp_path / "TOWN.OSM").write_text(osm(LINE, {1: ([1, 2], STREET)}), encoding="utf-8")
    assert len(read_streets(tmp_path / "TOWN.OSM").table.ways) == 1


# --- graphs ------------------------------------------------------------------------------------------------------------

BEND = [(116.0, 39.0), (116.002, 39.003), (116.01, 39.0)]


def graph() -> nx.MultiDiGraph:
    """Two streets between nodes 20 and 10, one bent and one straight, each both ways; a one-way street on; a loop."""
    made = nx.MultiDiGraph(crs="epsg:4326")
    for node, (x, y) in {20: (116.0, 39.0), 10: (116.01, 39.0), 30: (116.02, 39.01)}.items():
        made.add_node(node, x=x, y=y, street_count=2)

    def add(u, v, osmid, shape=None, **tags):
        extra = {} if shape is None else {"geometry": LineString(shape)}
        made.add_edge(u, v, osmid=osmid, length=1.0, oneway=False, **extra, **tags)

    add(20, 10, 1, BEND, highway="residential", name="弯街")
    add(10, 20, 1, BEND[::-1], highway="residential", name="弯街")
    add(20, 10, 2, highway="footway")
    add(10, 20, 2, highway="footway")
    add(10, 30, [3, 4], highway=["primary", "secondary"], name=["一街", "二街"], bridge="yes")
    ring = [(116.02, 39.01), (116.03, 39.01), (116.03, 39.02), (116.02, 39.01)]
    add(30, 30, 5, ring, highway="service", tunnel="building_passage")
    add(30, 30, 5, ring[::-1], highway="service", tunnel="building_passage")
    return made


def assert_each_street_once(streets: Streets) -> None:
    assert streets.ways["highway"].tolist() == ["residential", "footway", "primary", "service"]
    assert streets.ways["name"].tolist() == ["弯街", "", "一街", ""]
    assert streets.ways["bridge"].tolist() == [False, False, True, False]
    assert streets.ways["tunnel"].tolist() == [False, False, False, True]
    assert np.diff(streets.way_ptr).tolist() == [3, 2, 2, 4]
    ends = [(way[0], way[-1]) for way in paths(streets)]
    assert [tuple(sorted(pair)) for pair in ends] == [(10, 20), (10, 20), (10, 30), (30, 30)]
    place = {int(n): (x, y) for n, x, y in zip(streets.node_id, streets.lon, streets.lat, strict=True)}
    assert {n: place[n] for n in (20, 10, 30)} == {20: (116.0, 39.0), 10: (116.01, 39.0), 30: (116.02, 39.01)}
    bend = paths(streets)[0]
    assert place[bend[1]] == (116.002, 39.003)


def test_a_graph_in_memory_gives_each_street_once():
    given = graph()
    before = given.copy()
    found = read_streets(given)
    assert_each_street_once(found.table)
    assert found.faults == ()
    assert found.table.source == "graph"
    assert nx.utils.graphs_equal(given, before)


def test_edges_of_one_shape_that_differ_in_tags_or_run_against_each_other_are_all_kept():
    graph = nx.MultiDiGraph(crs="epsg:4326")
    graph.add_nodes_from([(1, {"x": 116.0, "y": 40.0}), (2, {"x": 116.001, "y": 40.0})])
    graph.add_edges_from([(1, 2, {"highway": "steps"}), (1, 2, {"highway": "footway"}), (2, 1, {"highway": "footway"})])
    graph.add_edges_from([(u, v, {"highway": "primary", "oneway": True}) for u, v in ((1, 2), (2, 1))])
    ways = read_streets(graph).table.ways
    assert ways["highway"].tolist() == ["steps", "footway", "primary", "primary"]
    assert ways[["car_forward", "car_backward"]].to_numpy().tolist()[2:] == [[True, False], [True, False]]


def test_graphml_saved_by_osmnx_reads_like_the_graph(tmp_path):
    osmnx.save_graphml(graph(), tmp_path / "town.graphml")
    found = read_streets(tmp_path / "town.graphml")
    assert_each_street_once(found.table)
    assert found.table.source == "town.graphml"


def test_an_undirected_graph_may_draw_an_edge_from_its_far_end():
    # NetworkX turns edges of undirected graphs round as it lists them; their shape stays as it was drawn.
    made = nx.MultiGraph(crs="epsg:4326")
    made.add_node(20, x=116.0, y=39.0)
    made.add_node(10, x=116.01, y=39.0)
    made.add_edge(20, 10, highway="residential", geometry=LineString([*BEND[:2], (116.005, 39.004), BEND[2]][::-1]))
    streets = read_streets(made).table
    assert streets.lon.tolist() == [116.0, 116.002, 116.005, 116.01]
    assert streets.node_id[[0, 3]].tolist() == [20, 10]


def test_graph_nodes_may_have_any_ids_and_shape_points_never_take_one_of_them():
    def bent(u, v):
        made = nx.MultiDiGraph(crs="epsg:4326")
        made.add_node(u, x=116.0, y=39.0)
        made.add_node(v, x=116.01, y=39.0)
        made.add_edge(u, v, highway="residential", geometry=LineString(BEND))
        return read_streets(made).table

    assert bent(-1, -2).node_id.tolist() == [-1, -3, -2]
    assert bent("a", "b").node_id.tolist() == [1, -1, 2]
    assert bent("a", "b").lon.tolist() == [116.0, 116.002, 116.01]


def test_an_edge_of_unknown_class_counts_as_a_road():
    made = nx.MultiDiGraph(crs="epsg:4326")
    for node in (1, 2, 3):
        made.add_node(node, x=116 + node / 100, y=39.0)
    made.add_edge(1, 2, highway="busway")
    made.add_edge(2, 3)
    assert read_streets(made).table.ways["highway"].tolist() == ["road", "road"]


def test_a_projected_graph_is_refused():
    made = graph()
    made.graph["crs"] = "EPSG:32650"
    with pytest.raises(
        InputError, match=r"not longitude and latitude .found 'epsg:32650'.. pass the graph before it is projected"
    ):
        read_streets(made)


def test_a_graph_whose_nodes_lack_coordinates_is_refused():
    made = graph()
    del made.nodes[10]["x"]
    with pytest.raises(InputError, match=r"nodes lack x and y .found '10'"):
        read_streets(made)


def test_an_empty_graph_and_a_damaged_graphml_are_refused(tmp_path):
    with pytest.raises(InputError, match="holds no street"):
        read_streets(nx.MultiDiGraph())
    (tmp_path / "bad.graphml").write_text("<graphml", encoding="utf-8")
    with pytest.raises(InputError, match=r"the GraphML file cannot be read .*save it again with OSMnx's save_graphml"):
        read_streets(tmp_path / "bad.graphml")


# --- real files --------------------------------------------------------------------------------------------------------


def real(*parts: str) -> Path:
    path = DATA.joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"real data are not here: {path}")
    return path


def test_futian_graphml_gives_each_street_once_with_chinese_names():
    path = real("shenzhen_futian", "futian_osmnx.graphml")
    streets = read_streets(path).table
    given = osmnx.load_graphml(path)
    # Independent: undirected edges, distinct by their ends and the set of points that shape them.
    shapes = {
        (frozenset((u, v)), frozenset(data["geometry"].coords) if "geometry" in data else None)
        for u, v, data in given.edges(data=True)
    }
    assert len(streets.ways) == pytest.approx(len(shapes), abs=3)
    assert len(given) == 1751
    assert set(given) <= set(streets.node_id.tolist())
    assert streets.ways["name"].str.contains("路").sum() > 300


def test_nanshan_osm_gives_all_its_ways_and_a_gate():
    found = read_streets(real("shenzhen_nanshan", "nanshan.osm"))
    assert len(found.table.ways) > 1200
    length_km = found.table.lines("EPSG:32650").length.sum() / 1000
    assert length_km == pytest.approx(317, rel=0.05)
    assert (found.table.ways["highway"] == "footway").sum() == pytest.approx(365, abs=5)
    assert told(found.faults)["gates_shut"].startswith("1 gates")
