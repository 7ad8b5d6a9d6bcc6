"""Streets saved as lines or as GraphML are the same network again: nodes, gates, barriers and water."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from test_barriers import COMPOUND_TOWN, DATA, METRE_A_SECOND, compound_file, degrees, seconds
from test_street_relations import LAKE, SHORE, shapes, write
from towns import CRS, points, streets

from careshed.intake.streets import Streets, read_streets
from careshed.intake.streets.graphs import from_graph
from careshed.intake.streets.lines import read_street_lines
from careshed.intake.streets.saving import save_graphml, save_lines, streets_graph
from careshed.modes import CAR, CYCLE, WALK_OLDER, WHEELCHAIR
from careshed.network import build_network
from careshed.reach import travel_times
from careshed.schema import InputError

CARE, CELL = points([(120, 74)]), points([(97, 74)])
"""Places on both sides of the compound's wall: 299 s by way of its gate, which stands in the south."""


def lines_of(town: Streets, path: Path) -> Streets:
    return read_street_lines(save_lines(town, path), layer="streets").table


def graph_of(town: Streets, path: Path) -> Streets:
    return read_streets(save_graphml(town, path.with_suffix(".graphml"))).table


def build(town: Streets):
    return build_network(town, mode=METRE_A_SECOND, crs=CRS)


@pytest.mark.parametrize("again", [lines_of, graph_of])
@pytest.mark.parametrize(("gate", "expected"), [({"barrier": "gate"}, 299.0), ({"barrier": "gate", "locked": "yes"}, -1.0)])
def test_a_compound_is_left_by_its_gate_again_and_not_where_that_is_locked(tmp_path, again, gate, expected):
    town = read_streets(compound_file(tmp_path, gate)).table
    saved = again(town, tmp_path / "town.gpkg")
    assert seconds(build(saved), CARE, CELL) == [pytest.approx(expected, abs=0.2)]
    assert seconds(build(replace(saved, barriers=None)), CARE, CELL) != [pytest.approx(expected, abs=0.2)]
    assert saved.barriers.count() == town.barriers.count()
    for name in ("lon", "lat", "kind", "gate_lon", "gate_m", "gate_own"):
        assert np.array_equal(getattr(saved.barriers, name), getattr(town.barriers, name)), name


@pytest.mark.parametrize("again", [lines_of, graph_of])
def test_a_lake_keeps_its_island(tmp_path, again):
    town = read_streets(write(tmp_path / "lake.osm", (SHORE, LAKE))).table
    saved = again(town, tmp_path / "lake.gpkg")
    assert [one.equals(other) for one, other in zip(shapes(saved), shapes(town), strict=True)] == [True]
    assert len(saved.islands) == 1
    assert saved.barriers.count()["water"] == 2


@pytest.mark.parametrize("again", [lines_of, graph_of])
def test_streets_without_barriers_have_none_again(tmp_path, again):
    saved = again(COMPOUND_TOWN, tmp_path / "town.gpkg")
    assert saved.barriers is None
    assert saved.water == ()


def test_what_a_study_says_of_barriers_is_kept_in_graphml(tmp_path):
    town = read_streets(compound_file(tmp_path, {"barrier": "gate"})).table
    asked = replace(town, barriers=replace(town.barriers, cut_streets=False, behind="nearest"))
    saved = from_graph(streets_graph(asked), "graph").table
    assert (saved.barriers.cut_streets, saved.barriers.behind) == (False, "nearest")


@pytest.mark.parametrize("text", ["{", "{}", '{"water": [], "islands": [], "barriers": {"kinds": ["moat"]}}', '{"water": 3}'])
def test_barriers_that_cannot_be_read_are_refused_with_a_cure(text):
    graph = streets_graph(COMPOUND_TOWN)
    graph.graph["careshed_ground"] = text
    with pytest.raises(InputError, match=r"its barriers and water cannot be read .*delete the attribute") as caught:
        from_graph(graph, "graph")
    assert "屏障与水面无法读取" in caught.value.text("zh")


def test_lines_and_corners_that_do_not_fit_are_refused(tmp_path):
    town = read_streets(compound_file(tmp_path, {})).table
    graph = streets_graph(town)
    graph.graph["careshed_ground"] = graph.graph["careshed_ground"].replace('"ptr":[0,6]', '"ptr":[0,4]')
    with pytest.raises(InputError, match="lines and corners do not fit"):
        from_graph(graph, "graph")


def test_two_streets_at_one_spot_that_do_not_meet_stay_apart(tmp_path):
    # A crossing of two ways with a node each at (0, 0), as OSM has them at a locked gate or by mistake.
    town = streets({"a": (-50, 0), "b": (0, 0), "c": (50, 0), "d": (0, -50), "e": (0, 0), "f": (0, 50)}, ["abc", "def"])
    saved = lines_of(town, tmp_path / "town.gpkg")
    for made in (town, saved):
        network = build_network(made, mode=METRE_A_SECOND, crs=CRS, snap_m=20)
        assert seconds(network, points([(-50, 0)]), points([(0, 50)])) == [-1.0]
        assert len(network.component_m) == 2
    assert sorted(saved.node_id.tolist()) == sorted(town.node_id.tolist())


def test_a_line_drawn_in_a_gis_joins_and_one_bent_there_is_told(tmp_path):
    town = streets({"a": (0, 0), "b": (100, 0), "c": (0, 80), "d": (100, 80)}, ["ab", "cd"])
    path = save_lines(town, tmp_path / "town.gpkg")
    table = gpd.read_file(path, layer="streets")
    lon, lat = degrees([(50, 0), (50, 80), (0, 0), (50, -5), (100, 0)])
    fresh = shapely.LineString(np.column_stack([lon, lat])[:2])
    table.loc[0, "geometry"] = shapely.LineString(np.column_stack([lon, lat])[2:])  # a vertex more than ids
    new = gpd.GeoDataFrame({"highway": ["residential"]}, geometry=[fresh], crs=table.crs)
    pd.concat([table, new]).to_file(path, layer="streets", index=False)
    read = read_street_lines(path, layer="streets")
    (told,) = [fault for fault in read.faults if fault.code == "lines_redrawn"]
    assert told.found == "1, 3"
    assert "node_ids of 2 lines is missing or does not fit their vertices" in told.text("en")
    assert "按新画的线连接" in told.text("zh")
    # 50 along the north, 80 down the new street, then it ends 5 m from the bent street: (50, 0) is 5 m off (50, −5).
    assert seconds(build(read.table), points([(100, 80)]), points([(50, 1)]))[0] == pytest.approx(129 + 1, abs=1.1)
    assert min(read.table.node_id) < 0


def test_ids_that_are_no_numbers_are_a_line_drawn_anew(tmp_path):
    path = save_lines(COMPOUND_TOWN, tmp_path / "town.gpkg")
    table = gpd.read_file(path, layer="streets").assign(node_ids="x y").drop(columns="node_bits")
    table.to_file(path, layer="streets", index=False)
    told = [fault.found for fault in read_street_lines(path, layer="streets").faults if fault.code == "lines_redrawn"]
    assert told == [", ".join(str(n + 1) for n in range(len(table)))]


def test_a_layer_saved_otherwise_has_lines_only(tmp_path):
    town = read_streets(compound_file(tmp_path, {"barrier": "gate"})).table
    gpd.read_file(save_lines(town, tmp_path / "town.gpkg"), layer="streets").to_file(tmp_path / "town.geojson")
    assert read_street_lines(tmp_path / "town.geojson").table.barriers is None


def test_streets_are_saved_as_geopackage_only_and_whole(tmp_path):
    with pytest.raises(ValueError, match=r"saved as GeoPackage \(.gpkg\), not '.shp'"):
        save_lines(COMPOUND_TOWN, tmp_path / "town.shp")
    path = save_lines(COMPOUND_TOWN, tmp_path / "new" / "town.gpkg")
    save_lines(COMPOUND_TOWN, path)  # again, over itself
    assert [one.name for one in path.parent.iterdir()] == ["town.gpkg"]


def test_tags_of_a_layer_exported_from_osm_are_read(tmp_path):
    lon, lat = degrees([(0, 0), (100, 0)])
    line = shapely.LineString(np.column_stack([lon, lat]))
    table = {"highway": ["footway"] * 2, "incline": ["8%", ""], "wheelchair": ["no", ""], "bicycle": ["yes", "no"]}
    gpd.GeoDataFrame(table, geometry=[line, line], crs="EPSG:4326").to_file(tmp_path / "osm.geojson")
    ways = read_street_lines(tmp_path / "osm.geojson").table.ways
    assert ways["incline"].fillna(0).tolist() == [0.08, 0]
    assert ways["wheels"].tolist() == [False, True]
    assert ways["cycle_forward"].tolist() == [True, False]


@pytest.mark.parametrize("mode", [WALK_OLDER, WHEELCHAIR, CYCLE, CAR], ids=lambda mode: mode.name)
def test_monaco_saved_as_lines_has_the_same_travel_times(monaco, mode):
    before, after = (build_network(town, mode=mode, crs="EPSG:32632") for town in monaco)
    rng = np.random.default_rng(1)
    at = rng.choice(len(before.x), 200)
    spots = gpd.points_from_xy(before.x[at] + rng.normal(0, 30, 200), before.y[at] + rng.normal(0, 30, 200))
    places = gpd.GeoDataFrame(geometry=spots, crs=before.crs)
    ends = places.iloc[:40], places.iloc[40:].reset_index(drop=True)
    was, now = (travel_times(network, *ends, limit_min=60) for network in (before, after))
    assert np.array_equal(was.indptr, now.indptr)
    order = [np.lexsort((one.indices, np.repeat(np.arange(len(one.indptr) - 1), np.diff(one.indptr)))) for one in (was, now)]
    assert np.array_equal(was.indices[order[0]], now.indices[order[1]])
    apart = was.cost[order[0]].astype(np.int64) - now.cost[order[1]].astype(np.int64)
    assert len(apart) > 500
    assert np.abs(apart).max() <= 2  # milliseconds


@pytest.fixture(scope="module")
def monaco(tmp_path_factory) -> tuple[Streets, Streets]:
    path = DATA / "monaco" / "monaco.osm.pbf"
    if not path.is_file():
        pytest.skip(f"{path} is not here; see /work/shared/data/README.md")
    town = read_streets(path).table
    return town, lines_of(town, tmp_path_factory.mktemp("saved") / "monaco.gpkg")
