"""Streets from layers of lines: joined where they meet, classes read, every repair told."""

import dataclasses
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from towns import CRS, EAST, NORTH, points

from careshed.intake.streets import read_streets, reading
from careshed.intake.streets.barriers import without_osm
from careshed.intake.streets.lines import Lines, node_lines, read_street_lines
from careshed.modes import CAR, WALK_OLDER
from careshed.network import build_network
from careshed.reach import travel_times
from careshed.schema import InputError

HEIDELBERG = Path(__file__).parents[2] / "shared" / "data" / "heidelberg" / "heidelberg.osm.pbf"


def lines(*shapes, level=None):
    """Lines given as lists of (x, y), on the ground unless told."""
    xy = np.array([spot for shape in shapes for spot in shape], dtype=float)
    ptr = np.concatenate([[0], np.cumsum([len(shape) for shape in shapes])])
    levels = np.zeros(len(shapes), np.int64) if level is None else np.array(level)
    return Lines(xy[:, 0], xy[:, 1], ptr, levels, np.ones(len(shapes), bool), np.full(len(xy), -1))


def joined(*shapes, level=None, tolerance_m=0.0, crossings=True):
    """Nodes along each line, as spots, and the repairs as (kind, line, other, gap)."""
    noded = node_lines(lines(*shapes, level=level), tolerance_m=tolerance_m, crossings=crossings)
    nodes = [noded.node[a:b].tolist() for a, b in zip(noded.ptr[:-1], noded.ptr[1:], strict=True)]
    told = [(one.kind, one.line, one.other, round(one.gap_m, 3)) for one in noded.repairs.itertuples()]
    return nodes, told, [(round(x, 3), round(y, 3)) for x, y in zip(noded.x, noded.y, strict=True)]


def shared(nodes, a=0, b=1):
    return set(nodes[a]) & set(nodes[b])


def test_two_lines_that_cross_meet_at_the_crossing():
    nodes, told, spots = joined([(0, 0), (10, 0)], [(4, -5), (4, 5)])
    (node,) = shared(nodes)
    assert (spots[node], told) == ((4, 0), [("crossing", 0, 1, 0)])
    assert [len(line) for line in nodes] == [3, 3]


def test_a_bridge_crosses_without_meeting():
    nodes, told, _ = joined([(0, 0), (10, 0)], [(4, -5), (4, 5)], level=[0, 1])
    assert (shared(nodes), told) == (set(), [])


def test_a_bridge_starts_where_the_road_before_it_ends():
    nodes, _, _ = joined([(0, 0), (10, 0)], [(10, 0), (20, 0)], level=[0, 1])
    assert shared(nodes) == {nodes[0][-1]} == {nodes[1][0]}


def test_a_bridge_cut_in_two_above_a_bend_of_the_road_below_does_not_meet_it():
    nodes, _, _ = joined([(0, 0), (5, 0)], [(5, 0), (10, 0)], [(5, -9), (5, 0), (6, 9)], level=[1, 1, 0])
    assert shared(nodes, 0, 1)
    assert shared(nodes, 0, 2) == shared(nodes, 1, 2) == set()


def test_a_stair_that_ends_on_a_bridge_meets_it():
    nodes, _, _ = joined([(0, 0), (5, 0), (10, 0)], [(5, 0), (5, 9)], level=[1, 0])
    assert shared(nodes)


def test_a_crossing_at_a_vertex_that_both_have_is_no_repair():
    nodes, told, _ = joined([(0, 0), (4, 0), (10, 0)], [(4, -5), (4, 0), (4, 5)])
    assert (len(shared(nodes)), told) == (1, [])


def test_three_lines_through_one_spot_share_one_node():
    nodes, _, spots = joined([(0, 0), (10, 0)], [(5, -5), (5, 5)], [(0, -5), (10, 5)])
    assert shared(nodes) == shared(nodes, 1, 2) == shared(nodes, 0, 2)
    assert Counter(spots)[(5, 0)] == 1


@pytest.mark.parametrize(("tolerance", "meets"), [(0.49, False), (0.5, True)])
def test_ends_meet_within_the_tolerance_itself_included(tolerance, meets):
    nodes, told, _ = joined([(0, 0), (10, 0)], [(10.5, 0), (20, 0)], tolerance_m=tolerance)
    assert bool(shared(nodes)) == meets
    assert told == ([("ends_joined", 0, 1, 0.5)] if meets else [])


def test_a_loose_end_joins_the_road_beside_it():
    nodes, told, spots = joined([(0, 0), (10, 0)], [(4, 0.8), (4, 5)], tolerance_m=1)
    (node,) = shared(nodes)
    assert told == [("end_joined_to_line", 1, 0, 0.8)]
    assert (spots[node], len(nodes[0])) == ((4, 0.8), 3)


@pytest.mark.parametrize(
    "sides",
    [
        [[(4, 0.3), (4, 5)], [(4, -0.3), (4, -5)]],  # one from each side, 0.6 m apart: within the tolerance of each other
        [[(4, 0.3), (2, 5)], [(4, 0.3), (6, 5)]],  # both from one side, their ends at one spot
    ],
)
def test_ends_that_meet_only_each_other_join_the_road_they_fall_short_of(sides):
    nodes, told, _ = joined([(0, 0), (10, 0)], *sides, tolerance_m=1)
    assert len(shared(nodes)) == len(shared(nodes, 0, 2)) == 1
    assert [one for one in told if one[0] == "end_joined_to_line"] == [("end_joined_to_line", 1, 0, 0.3)]


def test_two_side_streets_that_end_on_a_slanting_road_meet_it_though_the_spot_is_rounded():
    # (5, 1.667) is a third of a millimetre off the road, and the two streets come from one side: no line crosses another.
    nodes, _, _ = joined([(0, 0), (10, 3.3333)], [(5, 1.667), (4, 9)], [(5, 1.667), (6, 9)], tolerance_m=0)
    assert len(shared(nodes)) == len(shared(nodes, 0, 2)) == 1


def test_a_junction_whose_short_piece_leads_to_the_road_is_left_as_it_is():
    # The two streets meet 0.5 m from the road and a piece of 0.5 m joins them with it: nothing is missing.
    road, piece = [(0, 0), (4, 0), (10, 0)], [(4, 0), (4, 0.5)]
    nodes, told, _ = joined(road, piece, [(4, 0.5), (2, 5)], [(4, 0.5), (6, 5)], tolerance_m=1)
    assert [kind for kind, *_ in told] == ["end_at_vertex"]
    assert (len(nodes[1]), shared(nodes, 0, 2)) == (2, set())


def test_ends_that_meet_under_a_bridge_do_not_join_it():
    nodes, told, _ = joined([(0, 0), (10, 0)], [(4, 0.3), (4, 5)], [(4, -0.3), (4, -5)], level=[1, 0, 0], tolerance_m=1)
    assert (shared(nodes), [one[0] for one in told]) == (set(), ["ends_joined"])


def test_a_loose_end_does_not_join_a_bridge_overhead():
    nodes, told, _ = joined([(0, 0), (10, 0)], [(4, 0.8), (4, 5)], level=[1, 0], tolerance_m=1)
    assert (shared(nodes), told) == (set(), [])


def test_an_end_that_touches_a_road_meets_it_without_a_tolerance():
    nodes, told, _ = joined([(0, 0), (10, 0)], [(4, 0), (4, 5)])
    assert len(shared(nodes)) == 1
    assert told == [("end_joined_to_line", 1, 0, 0.0)]
    nodes, told, _ = joined([(0, 0), (10, 0)], [(4, 0), (4, 5)], crossings=False)
    assert len(shared(nodes)) == 1
    assert told == [("end_joined_to_line", 1, 0, 0.0)]


def test_an_end_on_a_vertex_of_a_road_is_listed_unless_the_layer_is_noded():
    lines = [(0, 0), (4, 0), (10, 0)], [(4, 0), (4, 5)]
    nodes, told, _ = joined(*lines)
    assert len(shared(nodes)) == 1
    assert told == [("end_at_vertex", 1, 0, 0.0)]
    nodes, told, _ = joined(*lines, crossings=False)
    assert len(shared(nodes)) == 1
    assert told == []


def test_a_road_with_a_vertex_on_another_without_one_is_a_crossing():
    nodes, told, _ = joined([(0, 0), (10, 0)], [(4, -5), (4, 0), (4, 5)])
    assert len(shared(nodes)) == 1
    assert told == [("crossing", 0, 1, 0.0)]


def test_ends_that_meet_and_vertices_that_meet_are_no_joint_to_tell():
    assert joined([(0, 0), (4, 0)], [(4, 0), (4, 5)])[1] == []
    assert joined([(0, 0), (4, 0), (8, 0)], [(4, -5), (4, 0), (4, 5)])[1] == []


def test_the_two_ends_of_a_short_line_stay_apart():
    nodes, _, _ = joined([(0, 0), (0.4, 0)], [(0.4, 0), (9, 0)], tolerance_m=1)
    assert nodes[0][0] != nodes[0][-1]
    assert shared(nodes) == {nodes[0][-1]}


def test_a_line_that_crosses_itself_gets_a_node_there():
    # An eight: up to (10, 10), across to (10, 0), and back over the first stretch at (5, 5).
    nodes, told, spots = joined([(0, 0), (10, 10), (10, 0), (0, 10)])
    twice = [node for node, times in Counter(nodes[0]).items() if times == 2]
    assert [spots[node] for node in twice] == [(5, 5)]
    assert told == [("crossing", 0, 0, 0)]


def test_a_ring_is_no_crossing_of_itself():
    nodes, told, _ = joined([(0, 0), (10, 0), (10, 10), (0, 0)])
    assert (nodes[0][0], told) == (nodes[0][-1], [])


def test_a_layer_that_is_noded_joins_shared_vertices_and_nothing_else():
    nodes, told, _ = joined([(0, 0), (10, 0)], [(4, -5), (4, 5)], [(10, 0), (4, 5)], crossings=False)
    assert (shared(nodes), told) == (set(), [])
    assert len(shared(nodes, 0, 2)) == len(shared(nodes, 1, 2)) == 1


def test_nodes_match_a_slow_union_of_random_lines():
    # Independent: shapely's own noding of the same lines, junctions being the spots where three or more pieces end.
    rng = np.random.default_rng(5)
    shapes = [[tuple(spot) for spot in rng.uniform(0, 100, (2, 2))] for _ in range(40)]
    _, told, spots = joined(*shapes)
    pieces = shapely.get_parts(shapely.node(shapely.multilinestrings([shapely.LineString(shape) for shape in shapes])))
    ends = Counter((round(x, 3), round(y, 3)) for piece in pieces for x, y in (piece.coords[0], piece.coords[-1]))
    wanted = sorted(spot for spot, count in ends.items() if count > 2)
    assert len(told) == len(wanted) > 50
    found = sorted(spot for spot in spots if spot not in {(round(x, 3), round(y, 3)) for shape in shapes for x, y in shape})
    assert np.allclose(found, wanted, atol=0.002)


def layer(tmp_path, shapes, name="roads.gpkg", crs=CRS, **columns):
    """Write lines in metres of the towns as a layer."""
    moved = [shape and shapely.transform(shape, lambda xy: xy + np.array([EAST, NORTH])) for shape in shapes]
    file = tmp_path / name
    gpd.GeoDataFrame(columns, geometry=moved, crs=CRS).to_crs(crs).to_file(file)
    return file


STREET = shapely.LineString([(0, 0), (300, 0)])


def test_a_layer_becomes_streets_with_classes_directions_and_limits(tmp_path):
    file = layer(
        tmp_path, [STREET, shapely.LineString([(300, 0), (300, 90)])], 道路等级=["主干路", "人行道"], 路名=["解放路", ""],
        单向=["是", "双向"], 限速=["50", ""],
    )  # fmt: skip
    read = read_street_lines(file)
    ways = read.table.ways
    assert ways["highway"].tolist() == ["primary", "footway"]
    assert ways["name"].tolist() == ["解放路", ""]
    assert ways[["car_forward", "car_backward"]].to_numpy().tolist() == [[True, False], [False, False]]
    assert ways["maxspeed_kmh"].fillna(0).tolist() == [50, 0]
    assert not [fault for fault in read.faults if fault.severity != "noted"]


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4527", "EPSG:4326"])
def test_a_layer_keeps_its_lengths_from_any_system(tmp_path, crs):
    # EPSG:4527 is CGCS2000 in the 3° zone 39 with prefix; the towns lie at 123° E, so zone 41 (4529) holds them.
    crs = {"EPSG:4527": "EPSG:4529"}.get(crs, crs)
    network = build_network(read_street_lines(layer(tmp_path, [STREET], crs=crs)).table, mode=WALK_OLDER, crs=CRS)
    assert network.component_m.tolist() == [pytest.approx(300, abs=0.002)]


def test_every_row_that_is_no_street_is_named(tmp_path):
    shapes = [
        STREET,
        None,
        shapely.Point(1, 1),
        shapely.LineString([(5, 5), (5, 5)]),
        shapely.MultiLineString([[(0, 9), (9, 9)], [(0, 8), (9, 8)]]),
    ]
    read = read_street_lines(layer(tmp_path, shapes), tolerance_m=0)
    told = {fault.code: fault.en for fault in read.faults if fault.severity == "dropped"}
    assert told == {
        "no_geometry": "1 rows have no geometry, left out: 2",
        "not_a_line": "1 rows are no lines, left out: 3",
        "zero_length": "1 rows have no length, left out: 4",
    }
    assert read.table.ways.index.tolist() == [1, 5, -1]


def test_words_that_are_not_known_are_told_with_the_nearest(tmp_path):
    file = layer(tmp_path, [STREET] * 2, 道路等级=["主干路", "主干路面"], 单向=["", "大概"], layer=["0", "上"])
    told = {fault.code: fault for fault in read_street_lines(file).faults}
    assert "主干路" in told["unknown_class"].cure_zh
    assert told["unknown_class"].found == "主干路面"
    assert told["unknown_direction"].found == "大概"
    assert told["level_unread"].en == "level in rows 2 is no whole number: bridge and tunnel decide"


def test_a_layer_without_a_class_is_plain_roads_and_says_so(tmp_path):
    read = read_street_lines(layer(tmp_path, [STREET]))
    assert read.table.ways["highway"].tolist() == ["road"]
    assert [fault.code for fault in read.faults] == ["no_road_class"]


def test_repairs_name_the_rows_they_join(tmp_path):
    file = layer(tmp_path, [STREET, shapely.LineString([(100, -50), (100, 50)]), shapely.LineString([(300.4, 0), (400, 0)])])
    read = read_street_lines(file)
    told = {fault.code: (fault.en, fault.found) for fault in read.faults if fault.severity == "repaired"}
    assert told["crossing"] == ("1 crossings of roads of one level without a common vertex are joined", "1–2")
    assert not {"end_at_vertex", "end_joined_to_line"} & set(told)
    assert told["ends_joined"] == ("1 pairs of ends up to 0.40 m apart are joined", "1–3")
    assert read.table.repairs[["line", "other"]].to_numpy().tolist() == [[1, 2], [1, 3]]


def test_an_end_on_a_vertex_is_told_with_its_rows_and_is_no_repair(tmp_path):
    bent = shapely.LineString([(0, 0), (100, 0), (300, 0)])
    read = read_street_lines(layer(tmp_path, [bent, shapely.LineString([(100, 0), (100, 50)])]))
    (told,) = [fault for fault in read.faults if fault.code == "end_at_vertex"]
    assert (told.severity, told.found) == ("noted", "2–1")
    assert told.text("en").startswith("1 ends lie on a vertex within another road and are joined there")
    assert told.text("zh").startswith("1 处端点恰在另一道路的中间折点上，已相连")
    assert read.table.repairs[["kind", "line", "other", "gap_m"]].to_numpy().tolist() == [["end_at_vertex", 2, 1, 0.0]]


@pytest.mark.parametrize("shapes", [[shapely.Point(0, 0)], [shapely.LineString([(1, 1), (1, 1)])]])
def test_a_layer_without_any_line_is_refused(tmp_path, shapes):
    with pytest.raises(InputError, match="the layer holds no road line") as caught:
        read_street_lines(layer(tmp_path, shapes))
    assert "图层中没有任何道路线" in caught.value.text("zh")


def test_a_plain_table_is_refused(tmp_path):
    file = tmp_path / "roads.csv"
    file.write_text("道路等级,路名\n主干路,一\n", encoding="utf-8")
    with pytest.raises(InputError, match="is not a layer of lines"):
        read_street_lines(file)


def test_a_car_and_a_walker_travel_a_layer_of_lines(tmp_path):
    file = layer(tmp_path, [STREET, shapely.LineString([(300, 0), (300, 300)])], 等级=["支路", "人行道"])
    read = read_street_lines(file).table
    ends = points([(0, 0)]), points([(300, 300)])
    on_foot = travel_times(build_network(read, mode=WALK_OLDER, crs=CRS), *ends, limit_min=60)
    by_car = travel_times(build_network(read, mode=CAR, crs=CRS), *ends, limit_min=60)
    assert on_foot.nearest_cost.tolist() == [600_000]
    assert by_car.nearest_cost.tolist() == [-1]


@pytest.mark.skipif(not HEIDELBERG.is_file(), reason="needs ../shared")
def test_heidelberg_rebuilt_from_its_own_lines_has_the_same_travel_times(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "shuts", lambda _: False)  # a layer of lines knows no gates
    own = without_osm(read_streets(HEIDELBERG).table)  # nor walls
    walk = own.ways["walk_forward"] | own.ways["walk_backward"]
    own = _twins_merged(dataclasses.replace(own, ways=own.ways.assign(walk_forward=walk, walk_backward=walk)))
    drawn = own.lines("EPSG:4490")
    named = pd.DataFrame({"highway": drawn["highway"], "foot": np.where(walk, "yes", "no")})
    for name in ("bridge", "tunnel"):
        named[name] = np.where(drawn[name], "yes", "")
    gpd.GeoDataFrame(named, geometry=drawn.geometry, crs=drawn.crs).to_file(tmp_path / "roads.gpkg", index=False)
    rebuilt = read_street_lines(tmp_path / "roads.gpkg", crossings=False, tolerance_m=0.0).table

    before, after = (build_network(made, mode=WALK_OLDER, crs="EPSG:32632") for made in (own, rebuilt))
    rng = np.random.default_rng(1)
    at = rng.choice(len(before.x), 300)
    spots = gpd.points_from_xy(before.x[at] + rng.normal(0, 30, 300), before.y[at] + rng.normal(0, 30, 300))
    places = gpd.GeoDataFrame(geometry=spots, crs=before.crs)
    ends = places.iloc[:40], places.iloc[40:].reset_index(drop=True)
    was, now = (travel_times(network, *ends, limit_min=60) for network in (before, after))
    assert (before.edge_m > 0).sum() == (after.edge_m > 0).sum()
    assert len(before.component_m) == len(after.component_m)
    assert np.array_equal(was.indptr, now.indptr)
    order = [np.lexsort((one.indices, np.repeat(np.arange(40), np.diff(one.indptr)))) for one in (was, now)]
    assert np.array_equal(was.indices[order[0]], now.indices[order[1]])
    apart = was.cost[order[0]].astype(np.int64) - now.cost[order[1]].astype(np.int64)
    assert len(apart) > 1_000
    assert np.abs(apart).max() <= 2  # milliseconds: coordinates come back from the file to a thousandth of a millimetre


def _twins_merged(streets):
    """OSM has two nodes at one spot of Heidelberg, unjoined; a layer of lines cannot tell them apart."""
    spot = np.round(np.column_stack([streets.lon, streets.lat]), 9)
    _, first, which = np.unique(spot, axis=0, return_index=True, return_inverse=True)
    return dataclasses.replace(streets, way_node=first[which.reshape(-1)][streets.way_node].astype(np.int32))


def roads_of(tmp_path, shapes, **columns):
    return read_street_lines(layer(tmp_path, [shapely.LineString(shape) for shape in shapes], **columns))


CROSS = ([(0, 0), (100, 0)], [(50, -50), (50, 50)])


@pytest.mark.parametrize(("word", "crossings", "known"), [("跨河大桥", 0, True), ("否", 1, True), ("甲类", 1, False)])
def test_any_word_for_a_bridge_keeps_it_above_the_road_and_one_that_is_not_read_is_told(tmp_path, word, crossings, known):
    read = roads_of(tmp_path, CROSS, 桥梁=["否", word])
    assert int((read.table.repairs["kind"] == "crossing").sum()) == crossings
    told = [fault for fault in read.faults if fault.code == "unknown_span"]
    assert (told == []) == known
    if told:
        assert "they lie on the ground and join what they cross (found '甲类')" in told[0].text("en")


def test_directions_numbered_as_in_navigation_maps_have_1_for_both_ways(tmp_path):
    # 1 both ways, 2 as drawn, 3 against it; read as words, 1 would shut every ordinary street to one side.
    read = roads_of(tmp_path, [[(0, y), (100, y)] for y in (0, 20, 40)], 方向=["1", "2", "3"])
    ways = read.table.ways
    assert list(zip(ways["car_forward"], ways["car_backward"], strict=True)) == [(True, True), (True, False), (False, True)]
    assert "direction_coded" in {fault.code for fault in read.faults}
    plain = roads_of(tmp_path, [[(0, 0), (100, 0)], [(0, 20), (100, 20)]], 单向=["1", "0"]).table.ways
    assert plain["car_backward"].tolist() == [False, True]


@pytest.mark.parametrize("crs", [CRS, "EPSG:4528"])  # eastings with and without a zone, whose middle is asked for
def test_a_line_with_a_corner_that_is_no_number_is_left_out_and_told(tmp_path, crs):
    file = layer(tmp_path, [STREET, shapely.LineString([(0, 20), (100, 20)])], crs=crs)
    held = gpd.read_file(file)
    spoilt = shapely.get_coordinates(held.geometry[0])
    spoilt[1, 0] = np.nan
    with np.errstate(invalid="ignore"):
        held.loc[0, "geometry"] = shapely.linestrings(spoilt, handle_nan="allow")
    held.to_file(file)
    read = read_street_lines(file)
    assert read.table.ways.index.tolist() == [2]
    (told,) = (fault for fault in read.faults if fault.code == "corner_no_number")
    assert told.text("en").startswith("row 1: has corners that are no numbers")
