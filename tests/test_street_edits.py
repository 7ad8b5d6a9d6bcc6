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
    assert not opened.faults


def test_a_new_street_joins_the_middle_of_one_within_the_tolerance(tmp_path):
    made = edit_streets(BANKS, layer(tmp_path, [shapely.LineString([(750, 0.6), (750, 199.4)])], 等级=["支路"]))
    assert seconds(made.table, (1000, 0), (1000, 200)) == pytest.approx(250 + 200 + 250, abs=1.5)
    assert [fault.code for fault in made.faults] == ["end_joined_to_line"]
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
    assert not made.faults


def test_a_closed_bridge_parts_the_banks(tmp_path):
    closed = edit_streets(BANKS, layer(tmp_path, [shapely.LineString([(0, 1), (0, 199)])], 变更=["关闭"]))
    assert seconds(closed.table, (1000, 0), (1000, 200)) == -1
    assert closed.table.ways.index.tolist() == [0, 1]
    assert [(fault.en, fault.row) for fault in closed.faults if fault.code == "closed"] == [("closes 200 m of 1 streets", "1")]


def test_closing_half_a_street_leaves_the_other_half(tmp_path):
    closed = edit_streets(BANKS, layer(tmp_path, [shapely.LineString([(0, 2), (500, 2)])], 变更=["删除"]))
    assert seconds(closed.table, (500, 0), (1000, 0)) == 500
    assert seconds(closed.table, (0, 0), (1000, 0)) == -1


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
