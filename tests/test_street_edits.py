"""What if this bridge opens: planned streets added, closed ones taken away."""

import dataclasses

import geopandas as gpd
import numpy as np
import pytest
import shapely
from towns import CRS, EAST, NORTH, points, streets

from careshed.intake.streets.lines import edit_streets
from careshed.modes import WALK_OLDER
from careshed.network import build_network
from careshed.reach import travel_times
from careshed.schema import InputError

BANKS = streets(
    {"a": (0, 0), "b": (500, 0), "c": (1000, 0), "d": (0, 200), "e": (500, 200), "f": (1000, 200)}, ["abc", "def", "ad"]
)
"""Two streets along a river, 200 m apart, joined by one bridge in the west."""


def layer(tmp_path, shapes, **columns):
    moved = [shapely.transform(shape, lambda xy: xy + np.array([EAST, NORTH])) for shape in shapes]
    file = tmp_path / "edits.gpkg"
    gpd.GeoDataFrame(columns, geometry=moved, crs=CRS).to_file(file)
    return file


def seconds(made, start, end):
    network = build_network(made, mode=WALK_OLDER, crs=CRS, snap_m=20)
    cost = int(travel_times(network, points([end]), points([start]), limit_min=120).nearest_cost[0])
    return cost / 1000 if cost >= 0 else cost


def test_a_new_bridge_between_two_junctions_shortens_the_way(tmp_path):
    assert seconds(BANKS, (1000, 0), (1000, 200)) == 2200  # west to the only bridge, across, and back east
    opened = edit_streets(BANKS, layer(tmp_path, [shapely.LineString([(500, 0), (500, 200)])], 等级=["支路"]))
    assert seconds(opened.table, (1000, 0), (1000, 200)) == pytest.approx(1200, abs=0.01)
    assert seconds(BANKS, (1000, 0), (1000, 200)) == 2200
    assert opened.table.ways.index.tolist() == [0, 1, 2, -1]
    assert told(opened, "zh") == [("planned_joins", "第 1 行：新增道路起点接道路 0，终点接道路 1")]


def told(made, lang="en"):
    """Codes and texts of what an edit reports."""
    return [(fault.code, fault.text(lang)) for fault in made.faults]


def test_ends_that_join_nothing_and_nodes_on_the_way_are_told(tmp_path):
    # From 50 m south of the first street over it, at its vertex, to the vertex of the second.
    made = edit_streets(BANKS, layer(tmp_path, [shapely.LineString([(500, -50), (500, 0), (500, 200)])], 等级=["支路"]))
    assert told(made) == [
        ("planned_joins", "row 1: planned street: its end joins way 1, between them it joins way 0"),
        (
            "end_joins_nothing",
            "row 1: its start joins no street. Leave it if the street is to end there; else check where it ends, "
            "or raise tolerance_m.",
        ),
    ]
    assert told(made, "zh") == [
        ("planned_joins", "第 1 行：新增道路终点接道路 1，途中接道路 0"),
        ("end_joins_nothing", "第 1 行：起点未接任何道路。尽端路可不理会；否则请核对端点位置，或调大 tolerance_m。"),
    ]


def test_a_street_is_called_by_its_name_and_many_are_counted(tmp_path):
    # At (500, 0) five streets meet: three are named, two with one name.
    star = streets({"m": (500, 0), **{f"{n}": (500 + 100 * n, 300) for n in range(5)}}, [f"m{n}" for n in range(5)])
    named = dataclasses.replace(star, ways=star.ways.assign(name=["南街", "北街", "", "南街", "东街"]))
    made = edit_streets(named, layer(tmp_path, [shapely.LineString([(500, 0), (500, -90)])], 等级=["支路"]))
    assert told(made)[0][1] == "row 1: planned street: its start joins “南街”, “北街”, way 2 and 1 more"
    assert told(made, "zh")[0][1] == "第 1 行：新增道路起点接“南街”、“北街”、道路 2 等 4 条"
    assert made.faults[1].code == "end_joins_nothing"


def test_a_ring_has_no_end_that_joins_nothing(tmp_path):
    ring = shapely.LineString([(500, 0), (550, -50), (450, -50), (500, 0)])
    made = edit_streets(BANKS, layer(tmp_path, [ring], 等级=["支路"]))
    assert told(made) == [("planned_joins", "row 1: planned street: its start joins way 0, its end joins way 0")]


def test_a_new_street_joins_the_middle_of_one_within_the_tolerance(tmp_path):
    made = edit_streets(BANKS, layer(tmp_path, [shapely.LineString([(750, 0.6), (750, 199.4)])], 等级=["支路"]))
    assert seconds(made.table, (1000, 0), (1000, 200)) == pytest.approx(250 + 200 + 250, abs=1.5)
    assert [fault.code for fault in made.faults] == ["end_joined_to_line", "planned_joins"]
    assert made.faults[0].en == "2 loose ends are joined to a road up to 0.60 m away"


def test_a_new_street_crosses_what_is_there_and_a_bridge_does_not(tmp_path):
    over = [shapely.LineString([(750, -50), (750, 250)])]
    street = edit_streets(BANKS, layer(tmp_path, over, 等级=["支路"])).table
    bridge = edit_streets(BANKS, layer(tmp_path, over, 等级=["支路"], 桥=["是"]))
    assert seconds(street, (1000, 0), (1000, 200)) == pytest.approx(700, abs=0.01)
    assert seconds(bridge.table, (1000, 0), (1000, 200)) == 2200
    assert bridge.faults[-1].en == "planned streets in rows 1 join no street"


def test_a_street_that_joins_another_new_one_is_joined(tmp_path):
    half = [shapely.LineString([(500, 0), (500, 100)]), shapely.LineString([(500, 100), (500, 200)])]
    made = edit_streets(BANKS, layer(tmp_path, half, 等级=["支路"] * 2))
    assert seconds(made.table, (1000, 0), (1000, 200)) == pytest.approx(1200, abs=0.01)
    assert told(made) == [
        ("planned_joins", "row 1: planned street: its start joins way 0, its end joins the planned street in row 2"),
        ("planned_joins", "row 2: planned street: its start joins the planned street in row 1, its end joins way 1"),
    ]


def test_a_closed_bridge_parts_the_banks(tmp_path):
    closed = edit_streets(BANKS, layer(tmp_path, [shapely.LineString([(0, 1), (0, 199)])], 变更=["关闭"]))
    assert seconds(closed.table, (1000, 0), (1000, 200)) == -1
    assert closed.table.ways.index.tolist() == [0, 1]
    assert [(fault.en, fault.row) for fault in closed.faults if fault.code == "closed"] == [("closes 200 m of 1 streets", "1")]


def test_closing_half_a_street_leaves_the_other_half(tmp_path):
    closed = edit_streets(BANKS, layer(tmp_path, [shapely.LineString([(0, 2), (500, 2)])], 变更=["删除"]))
    assert seconds(closed.table, (500, 0), (1000, 0)) == 500
    assert seconds(closed.table, (0, 0), (1000, 0)) == -1


def test_a_street_that_crosses_a_closed_one_stays_open(tmp_path):
    # Its corners 4 m on either side lie within 5 m of the closing line, but it does not run along it.
    nodes = {"w": (0, 0), "o": (500, 0), "e": (1000, 0), "n": (500, 300), "a": (500, 4), "b": (500, -4), "s": (500, -300)}
    town = streets(nodes, ["woe", "naobs"])
    closed = edit_streets(town, layer(tmp_path, [shapely.LineString([(0, 0), (1000, 0)])], 变更=["关闭"]))
    assert seconds(closed.table, (500, 300), (500, -300)) == 600
    assert closed.table.ways.index.tolist() == [1]


def test_a_line_that_closes_nothing_says_so(tmp_path):
    made = edit_streets(BANKS, layer(tmp_path, [shapely.LineString([(0, 50), (500, 50)])], 变更=["关闭"]))
    assert [fault.code for fault in made.faults if fault.code != "no_road_class"] == ["closes_nothing"]
    assert len(made.table.ways) == 3


def test_a_crossing_line_closes_nothing_either(tmp_path):
    # A line across a street runs along it nowhere, though it comes near.
    made = edit_streets(BANKS, layer(tmp_path, [shapely.LineString([(250, -50), (250, 50)])], 变更=["关闭"]))
    assert len(made.table.ways) == 3


def test_an_unknown_action_is_refused_with_its_row(tmp_path):
    with pytest.raises(InputError, match=r"row 1.*is no known action") as caught:
        edit_streets(BANKS, layer(tmp_path, [shapely.LineString([(0, 0), (9, 9)])], 变更=["也许"]))
    assert "可用：新增、删除" in caught.value.text("zh")


def test_what_nodes_do_to_traffic_is_kept(tmp_path):
    bits = np.array([1, 0, 0, 0, 0, 0], dtype=np.uint8)
    made = edit_streets(
        dataclasses.replace(BANKS, node_bits=bits), layer(tmp_path, [shapely.LineString([(750, 0), (750, 200)])], 等级=["支路"])
    ).table
    assert made.node_bits.tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert len(made.node_id) == len(set(made.node_id.tolist())) == 8
