"""The layers of a run for QGIS and ArcGIS: the run's own figures, valid shapes, styles that fit each row, names that all take."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely
from towns import points

from careshed.cli import app
from careshed.report.layers import making, styles, write_layers
from careshed.report.layers.fields import LONGEST, catalogue, group_field, plain_name
from careshed.report.layers.metadata import _texts
from careshed.report.layers.model import Layer
from careshed.report.layers.placing import _promoted, named_crs, placed_table, plain_table, target_crs
from careshed.report.layers.qml import qml
from careshed.report.layers.sld import sld
from careshed.report.layers.styles import SWITCH

if TYPE_CHECKING:
    from careshed.run import RunResult

SERVICE = "childcare"
RESERVED = {"order", "group", "level", "row", "column", "select", "table", "index", "user", "date", "number", "mode", "size"}
"""Words that databases behind ArcGIS and 一张图 platforms keep for themselves, among those a field might be called."""


@pytest.fixture(scope="module")
def english(demo: RunResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (path,) = write_layers(tmp_path_factory.mktemp("layers") / "en.gpkg", demo, "en")
    return path


@pytest.fixture(scope="module")
def chinese(demo: RunResult) -> Path:
    """As the run itself wrote it."""
    return next(path for path in demo.files if path.name == "layers.gpkg")


@pytest.fixture
def base(english: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(english)) as opened:
        yield opened


def layer(path: Path, name: str) -> gpd.GeoDataFrame:
    return gpd.read_file(path, layer=name)


def one(demo: RunResult):
    return next(found for found in demo.services if found.service.id == SERVICE)


def test_coverage_is_the_runs_own_unit_by_unit(demo: RunResult, english: Path):
    table, own = layer(english, "coverage_childcare").set_index("unit_code"), one(demo)
    covered = own.covered
    judged = covered[(covered["minutes"] == 15) & (covered["group"] == "p0_3")].loc[table.index]
    for ours, theirs in (
        ("people", "people"),
        ("covered", "covered"),
        ("covered_share", "share"),
        ("could_change", "could_change"),
    ):
        np.testing.assert_array_equal(table[ours].to_numpy(), judged[theirs].to_numpy(), ours)
    assert set(table.index) == set(demo.study.units.index)
    counts = table.loc[own.has_one.index, "facilities"]
    assert (counts.to_numpy() == own.has_one["facilities"].to_numpy()).all()
    assert set(table["limit_min"]) == {15.0}


def test_the_table_of_coverage_has_every_group_and_limit_and_the_whole(demo: RunResult, english: Path):
    table = layer(english, "coverage_table")
    assert len(table) == sum(len(found.covered) for found in demo.services)
    whole = table[(table["unit_code"] == "ALL") & (table["service"] == one(demo).service.name("en"))]
    assert whole["covered"].tolist() == one(demo).covered.loc["ALL", "covered"].tolist()
    assert set(whole["name"]) == {"all"}


def test_cells_hold_people_and_minutes_to_the_nearest(demo: RunResult, english: Path):
    table, own = layer(english, "cells_childcare"), one(demo)
    cells, times = demo.study.cells, own.times
    assert table["cell_id"].tolist() == cells.index.tolist()
    np.testing.assert_array_equal(table["people"], cells["p0_3"])
    np.testing.assert_array_equal(table["people_p60"], cells["p60"])
    minutes = np.where(times.nearest_cost >= 0, times.nearest_cost / 60_000, np.nan)
    np.testing.assert_array_equal(table["nearest_min"], minutes)
    # the people on cells marked as reached are the covered of the whole study
    covered = own.covered[(own.covered["minutes"] == 15) & (own.covered["group"] == "p0_3")].loc["ALL", "covered"]
    assert table.loc[table["reached"] == 1, "people"].sum() == pytest.approx(covered)
    near = table["nearest_id"] != ""
    assert (table.loc[near, "nearest_id"] == times.facilities.index[times.nearest_facility[near]]).all()


def test_gaps_sites_facilities_and_candidates_are_the_runs_own(demo: RunResult, english: Path):
    own, study = one(demo), demo.study
    gaps = layer(english, "gaps_childcare")
    assert gaps["uncovered"].tolist() == own.gaps["people"].tolist()
    sites = layer(english, "sites_childcare")
    assert sites["candidate_id"].tolist() == own.plan.sites.index.tolist()
    assert sites["newly_covered"].tolist() == own.plan.sites["people_new"].tolist()
    assert sites["reason"].tolist() == own.plan.sites["reason_en"].tolist()
    facilities = layer(english, "facilities").set_index("facility_id")
    assert facilities["name"].tolist() == study.facility_table["name"].tolist()
    counting = facilities["counts_for"].str.contains(own.service.name("en"), regex=False)
    assert set(facilities.index[counting]) == set(study.facilities(SERVICE).index)
    assert "closed" in set(facilities["status"])
    candidates = layer(english, "candidates")
    np.testing.assert_array_equal(candidates["cost_yuan"], study.candidate_table["cost_yuan"])


def test_isochrones_and_streets_come_largest_first_and_keep_their_areas(demo: RunResult, english: Path):
    bands = layer(english, "isochrones_childcare")
    assert bands["limit_min"].tolist() == [15.0, 10.0, 5.0]
    own = one(demo).isochrones.set_index("minutes").loc[[15.0, 10.0, 5.0]]
    assert bands["area_m2"].tolist() == own.geometry.area.tolist()
    np.testing.assert_allclose(bands.to_crs(demo.study.crs).area, own.geometry.area, rtol=1e-9)
    streets = layer(english, "streets_childcare")
    assert streets["length_m"].tolist() == one(demo).streets.set_index("minutes").loc[[15.0, 10.0, 5.0], "length_m"].tolist()


def test_the_scorecard_the_faults_and_the_people_by_unit_are_there(demo: RunResult, english: Path):
    assert demo.card is not None
    card = layer(english, "scorecard")
    assert card["rule_id"].tolist() == [result.id for result in demo.card.results]
    values = [np.nan if result.value is None else result.value for result in demo.card.results]
    np.testing.assert_array_equal(card["value_now"].astype(float), values)
    assert layer(english, "faults")["fault_code"].tolist() == [fault.code for fault in demo.faults]
    units = layer(english, "units")
    # counties hold everyone who lives in some unit
    counties, everyone = units[units["tier"] == 1], demo.study.cells
    assert counties["people_total"].sum() == pytest.approx(everyone.loc[everyone["unit"] != "", "total"].sum())


def test_degrees_of_cgcs2000_are_stored_as_longitude_then_latitude(demo: RunResult, english: Path, base: sqlite3.Connection):
    assert layer(english, "facilities").crs == pyproj.CRS("EPSG:4490")
    ((blob,),) = base.execute("SELECT geom FROM facilities LIMIT 1")
    envelope = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}[(blob[3] >> 1) & 7]
    x, y = np.frombuffer(blob[8 + envelope + 5 :], dtype="<f8")[:2]
    # The demo lies at about 123° E, 35.5° N: were the axes exchanged, x would be the 35.
    degrees = demo.study.facility_table.geometry.iloc[[0]].to_crs(4326).iloc[0]
    # Between WGS-84 and CGCS2000 nothing is shifted: 1e-9 degrees are a tenth of a millimetre.
    assert (x, y) == pytest.approx((degrees.x, degrees.y), abs=1e-9)
    assert x > 100 > y


def test_shapes_are_valid_of_one_kind_and_have_a_spatial_index(english: Path, base: sqlite3.Connection):
    kinds = dict(base.execute("SELECT table_name, geometry_type_name FROM gpkg_geometry_columns"))
    assert kinds["units"] == kinds["gaps_childcare"] == kinds["isochrones_childcare"] == "MULTIPOLYGON"
    assert kinds["streets_childcare"] == "MULTILINESTRING"
    assert kinds["cells_childcare"] == kinds["facilities"] == "POINT"
    for name, kind in kinds.items():
        table = layer(english, name)
        assert {found.upper() for found in table.geom_type} == {kind}, name
        assert table.is_valid.all(), name
        (count,) = base.execute(f'SELECT count(*) FROM "rtree_{name}_geom"').fetchone()
        assert count == len(table)


def test_names_are_such_as_every_program_takes(english: Path, chinese: Path):
    for path in (english, chinese):
        for name in pyogrio.list_layers(path)[:, 0]:
            fields = list(pyogrio.read_info(path, layer=name)["fields"])
            for text in (name, *fields) if name != "layer_styles" else ():
                assert re.fullmatch(rf"[^\W\d_]\w{{0,{LONGEST - 1}}}", text), text
                assert text.lower() not in RESERVED, text
            assert len({text.lower() for text in fields}) == len(fields)
    assert all(re.fullmatch("[a-z][a-z0-9_]*", field.en) for field in catalogue().values())


def test_a_chinese_file_has_chinese_names_throughout(chinese: Path):
    table = layer(chinese, "覆盖_托育服务")
    assert {"单元代码", "名称", "级别", "人数", "覆盖人数", "覆盖率", "时限_分钟"} <= set(table.columns)
    assert set(table["级别"]) == {"县区", "街道", "乡镇", "社区", "村"}
    told = dict(layer(chinese, "元数据")[["项目", "内容"]].itertuples(index=False, name=None))
    assert told["虚构数据"] == "是"
    assert "EPSG:4490" in told["坐标系"]
    assert "未作平移" in told["坐标换算"]


def test_the_dictionary_explains_every_field_of_every_layer(english: Path, base: sqlite3.Connection):
    explained = layer(english, "data_dictionary")
    there = {
        (name, field)
        for name in pyogrio.list_layers(english)[:, 0]
        if name != "layer_styles"
        for field in pyogrio.read_info(english, layer=name)["fields"]
    }
    assert set(zip(explained["layer_name"], explained["field_name"], strict=True)) == there
    assert (explained["meaning"] != "").all()
    assert (explained.loc[explained["field_type"] != "text", "field_unit"] != "").mean() > 0.8
    columns = set(base.execute("SELECT table_name, column_name FROM gpkg_data_columns"))
    assert columns == there


def test_the_metadata_name_every_input_by_hash_and_say_that_data_are_made_up(demo: RunResult, base: sqlite3.Connection):
    from careshed.run import input_files

    (xml,) = base.execute("SELECT metadata FROM gpkg_metadata JOIN gpkg_metadata_reference ON md_file_id = id").fetchone()
    root = ElementTree.fromstring(xml)
    space = {"gmd": "http://www.isotc211.org/2005/gmd", "gco": "http://www.isotc211.org/2005/gco"}
    statement = root.find(".//gmd:lineage//gmd:statement/gco:CharacterString", space)
    assert statement is not None
    assert statement.text is not None
    for name in input_files(demo.study):
        assert f"{name} (SHA-256 " in statement.text
    assert root.findtext(".//gmd:useLimitation/gco:CharacterString", namespaces=space) == "Made-up data, for demonstration only"
    assert root.findtext(".//gmd:CI_Date/gmd:date/gco:Date", namespaces=space) == demo.study.data_date
    west, east = (float(root.findtext(f".//gmd:{side}BoundLongitude/gco:Decimal", "", space)) for side in ("west", "east"))
    centre = demo.study.cells.to_crs(4326).geometry.x.mean()
    assert west < centre < east < west + 1


def rules_of(base: sqlite3.Connection, name: str) -> list[ElementTree.Element]:
    (text,) = base.execute("SELECT styleQML FROM layer_styles WHERE f_table_name = ?", (name,)).fetchone()
    return list(ElementTree.fromstring(text).iter("rule"))


def drawn_at(rules: list[ElementTree.Element], scale: float) -> list[ElementTree.Element]:
    """Rules that QGIS uses at a scale of one to so many."""
    low, high = "scalemindenom", "scalemaxdenom"
    return [one for one in rules if float(one.get(low, "0")) <= scale < float(one.get(high, "1e12"))]


def test_every_layer_has_a_default_style_that_is_well_formed(base: sqlite3.Connection):
    rows = base.execute("SELECT f_table_name, styleQML, styleSLD, useAsDefault, description FROM layer_styles").fetchall()
    spatial = {name for (name,) in base.execute("SELECT table_name FROM gpkg_geometry_columns")}
    assert {row[0] for row in rows} == spatial
    for name, drawn, standard, default, description in rows:
        assert default == 1
        assert description
        rules = list(ElementTree.fromstring(drawn).iter("rule"))
        symbols = {one.get("name") for one in ElementTree.fromstring(drawn).iter("symbol")}
        assert {one.get("symbol") for one in rules} == symbols, name
        sld_rules = list(ElementTree.fromstring(standard).iter("{http://www.opengis.net/se}Rule"))
        assert len(sld_rules) >= len(rules), name


@pytest.mark.parametrize("name", ["cells_childcare", "isochrones_childcare", "streets_childcare", "facilities", "gaps_childcare"])
def test_each_row_is_drawn_by_one_rule_and_no_more(base: sqlite3.Connection, name: str):
    # the filters are plain SQL too, so SQLite says which rows each takes
    rules = rules_of(base, name)
    counts = [base.execute(f'SELECT count(*) FROM "{name}" WHERE {one.get("filter", "1")}').fetchone()[0] for one in rules]
    (total,) = base.execute(f'SELECT count(*) FROM "{name}"').fetchone()
    assert sum(counts) == total
    both = [
        base.execute(f'SELECT count(*) FROM "{name}" WHERE ({one.get("filter")}) AND ({two.get("filter")})').fetchone()[0]
        for at, one in enumerate(rules)
        for two in rules[:at]
    ]
    assert not any(both)


@pytest.mark.parametrize(("scale", "tier"), [(SWITCH * 2, 2), (SWITCH / 2, 3)])
def test_streets_are_filled_from_far_and_communities_from_near(base: sqlite3.Connection, scale: float, tier: int):
    fills = [
        one for one in drawn_at(rules_of(base, "coverage_childcare"), scale) if one.get("label", "").endswith(("%", "group"))
    ]
    (units,) = base.execute("SELECT count(*) FROM coverage_childcare WHERE tier = ?", (tier,)).fetchone()
    counts = [base.execute(f"SELECT count(*) FROM coverage_childcare WHERE {one.get('filter')}").fetchone()[0] for one in fills]
    tiers = {row for one in fills for row in base.execute(f"SELECT tier FROM coverage_childcare WHERE {one.get('filter')}")}
    assert sum(counts) == units
    assert tiers == {(tier,)}


def small(demo: RunResult) -> RunResult:
    """The demo with one service, for formats of many files."""
    return replace(demo, services=(one(demo),), plans=())


def test_geojson_is_of_rfc_7946(demo: RunResult, tmp_path: Path):
    files = write_layers(tmp_path / "gj", small(demo), "en", format="geojson")
    assert {path.suffix for path in files} == {".geojson", ".csv"}
    told = json.loads((tmp_path / "gj" / "gaps_childcare.geojson").read_text(encoding="utf-8"))
    assert "crs" not in told  # the standard knows WGS-84 only
    assert told["made_up"] is True
    people = [one["properties"]["uncovered"] for one in told["features"]]
    assert people == pytest.approx(one(demo).gaps["people"].tolist(), abs=1e-6)
    shapes = [shapely.geometry.shape(one["geometry"]) for one in told["features"]]
    assert all(shape.is_valid for shape in shapes)
    assert all(shapely.is_ccw(part.exterior) for shape in shapes for part in shape.geoms)
    assert not any(shapely.is_ccw(hole) for shape in shapes for part in shape.geoms for hole in part.interiors)
    own = one(demo).gaps.to_crs(4326).geometry.iloc[0].centroid
    assert shapes[0].centroid.coords[0] == pytest.approx((own.x, own.y), abs=1e-6)


def test_geoparquet_keeps_values_and_system(demo: RunResult, tmp_path: Path):
    files = write_layers(tmp_path / "gp", small(demo), "en", "study", format="parquet")
    assert (tmp_path / "gp" / "metadata.xml") in files
    cells = gpd.read_parquet(tmp_path / "gp" / "cells_childcare.parquet")
    assert cells.crs == pyproj.CRS(demo.study.crs)
    assert (cells.geometry.to_numpy() == demo.study.cells.geometry.to_numpy()).all()
    np.testing.assert_array_equal(cells["people"], demo.study.cells["p0_3"])
    faults = pd.read_parquet(tmp_path / "gp" / "faults.parquet")
    assert len(faults) == len(demo.faults)
    assert not [path for path in (tmp_path / "gp").iterdir() if path.name.startswith(".")]


def test_the_system_can_be_the_studys_or_any_of_cgcs2000(demo: RunResult):
    assert target_crs(demo.study, "study") == pyproj.CRS(demo.study.crs)
    assert target_crs(demo.study, "").to_epsg() == 4490
    assert target_crs(demo.study, "EPSG:4549").to_epsg() == 4549
    abroad = SimpleNamespace(cells=points([(0, 0)]).to_crs(4326).translate(-125).to_frame("geometry"))
    assert target_crs(abroad, "").to_epsg() == 4326  # type: ignore[arg-type]


def test_systems_that_cannot_be_had_are_refused_before_anything_is_computed(demo: RunResult, tmp_path: Path):
    with pytest.raises(ValueError, match="rests on Xian 1980; no open source knows its shift") as caught:
        named_crs("EPSG:2384")
    assert "请输出 EPSG:4490 后在测绘部门转换" in str(caught.value)
    with pytest.raises(ValueError, match="no coordinate system 'EPSG:99999999'"):
        named_crs("EPSG:99999999")
    with pytest.raises(ValueError, match=r"GeoJSON \(RFC 7946\) is in WGS-84 only, not EPSG:4490"):
        write_layers(tmp_path / "x", demo, format="geojson", crs="EPSG:4490")


def test_the_command_refuses_a_wrong_suffix_and_system_at_once(tmp_path: Path):
    from typer.testing import CliRunner

    told = CliRunner().invoke(app, ["gis-layers", str(tmp_path / "none.toml"), "-o", "x.shp"])
    assert "this command writes .gpkg" in str(told.exception)
    told = CliRunner().invoke(app, ["gis-layers", str(tmp_path / "none.toml"), "-o", "x.gpkg", "--crs", "EPSG:2384"])
    assert "Xian 1980" in str(told.exception)


def test_the_command_writes_the_same_bytes_as_the_run(demo: RunResult, chinese: Path, tmp_path: Path, monkeypatch):
    from typer.testing import CliRunner

    monkeypatch.setattr("careshed.run.analyse_study", lambda *_, **__: demo)
    told = CliRunner().invoke(app, ["gis-layers", str(demo.study.path), "-o", str(tmp_path / "x.gpkg")])
    assert told.exit_code == 0, told.output
    assert (tmp_path / "x.gpkg").read_bytes() == chinese.read_bytes()
    # SQLite's count of changes depends on the clock; it is set to 1
    assert chinese.read_bytes()[24:28] == chinese.read_bytes()[92:96] == bytes([0, 0, 0, 1])
    assert [path.name for path in tmp_path.iterdir()] == ["x.gpkg"]
    assert pyogrio.get_gdal_config_option("OGR_SQLITE_SYNCHRONOUS") is None


def test_a_file_that_is_open_elsewhere_is_left_and_named(demo: RunResult, tmp_path: Path, monkeypatch):
    def held(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("careshed.report.layers.geopackage.os.replace", held)
    with pytest.raises(PermissionError, match=r"x\.gpkg is open in another program"):
        write_layers(tmp_path / "x.gpkg", small(demo), "en")
    assert list(tmp_path.iterdir()) == []


def test_a_plan_lists_its_sites_with_the_year_in_which_each_opens(demo: RunResult):
    sites = demo.study.candidate_table.iloc[:2].assign(status=["new", "kept"], subsidy_yuan=[5.0, 0.0], net_yuan=[1.0, 0.0])
    years = pd.DataFrame({"year": [2027, 0]}, index=sites.index)
    section = SimpleNamespace(id="p", name=lambda lang: "三年" if lang == "zh" else "years")
    solved = SimpleNamespace(plan=SimpleNamespace(sites=sites), section=section, phased=SimpleNamespace(sites=years))
    made = making.plan_layer(demo.study, solved, "zh")  # type: ignore[arg-type]
    assert (made.name, made.geometry) == ("方案_三年", "Point")
    assert made.table["plan_status"].tolist() == ["新建", "保留"]
    assert made.table["year"].tolist()[0] == 2027.0
    assert np.isnan(made.table["year"].tolist()[1])
    once = SimpleNamespace(plan=solved.plan, section=section, phased=None)
    assert making.plan_layer(demo.study, once, "en").table["year"].isna().all()  # type: ignore[arg-type]


def test_services_and_groups_of_one_name_get_tables_and_fields_of_their_own():
    table = pd.DataFrame({"x": [1.0]})
    twice = [Layer("覆盖", "a", (), table), Layer("覆盖", "b", (), table)]
    assert [found.name for found in making._named_apart(twice)] == ["覆盖", "覆盖_2"]
    fields = making._apart((group_field("a b"), group_field("a-b")), "en")
    assert [field.en for field in fields] == ["people_a_b", "people_a_b_2"]
    assert plain_name("1=2") == "x1_2"
    assert len(plain_name("很" * 80, ["很" * LONGEST])) == LONGEST


def test_a_facility_with_several_entrances_makes_the_layer_one_of_many_points():
    table = points([(0, 0), (1, 1)])
    assert styles.point_kind(table) == "Point"
    table.loc[0, "geometry"] = shapely.MultiPoint([(0, 0), (5, 5)])
    assert styles.point_kind(table) == "MultiPoint"
    assert _promoted(shapely.Point(1, 1), "MultiPoint") == shapely.MultiPoint([(1, 1)])


def test_parts_of_other_dimensions_that_mending_leaves_go():
    # a bow tie mended is two triangles; with a line beside them only the triangles are area
    mixed = shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (5, 5)])])
    assert _promoted(mixed, "MultiPolygon") == shapely.MultiPolygon([shapely.box(0, 0, 1, 1)])
    assert _promoted(None, "MultiPolygon") is None
    assert _promoted(shapely.Polygon(), "MultiPolygon") is None


def test_shapes_that_cross_themselves_are_mended():
    # corners (0,0) (2,2) (2,0) (0,2): two triangles that meet at (1,1), of 1 m² each
    bow = points([(0, 0)]).set_geometry([shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])])
    placed = placed_table(Layer("t", "t", (), bow, "MultiPolygon"), pyproj.CRS(bow.crs), "zh")
    assert placed.is_valid.all()
    assert placed.area.tolist() == [2.0]
    assert placed.geom_type.tolist() == ["MultiPolygon"]


def test_numbers_beyond_32_bits_stay_whole():
    field = catalogue()["cell_id"]
    kept = [plain_table(Layer("t", "t", (field,), pd.DataFrame({"cell_id": [ids]})), "en") for ids in (7, 2**31)]
    assert [str(table["cell_id"].dtype) for table in kept] == ["int32", "int64"]


def test_units_of_one_tier_alone_are_filled_at_every_scale():
    style = styles.coverage("t", (3,), "zh")
    assert {(rule.above, rule.below) for rule in style.rules} == {(0.0, 0.0)}
    assert style.label is not None
    assert "@map_scale" not in style.label.expression
    both = styles.outlines("t", (1, 2, 3, 4), "en")
    assert [rule.label for rule in both.rules] == ["counties", "streets and townships", "communities and villages", "compounds"]


def test_a_table_has_no_style():
    plain = Layer("t", "t", (), pd.DataFrame())
    for write in (qml, sld):
        with pytest.raises(ValueError, match="t has no style"):
            write(plain, "zh")


def test_texts_too_long_for_a_path_are_not_taken_for_files():
    assert _texts({"file": "a.csv", "deep": [{"b": ("c.tif", 3)}], "long": "很" * 100, "": ""}) == ["a.csv", "c.tif"]


def test_services_of_one_name_have_layers_and_titles_of_their_own(demo):
    # A GeoPackage takes no title twice: two services of one name, such as on foot and by car, stopped the whole run.
    made = making.service_layers(demo.study, demo.services[0], "zh")
    apart = making._named_apart([*made, *made, *made])
    for names in ([layer.name for layer in apart], [layer.title for layer in apart]):
        assert len(set(names)) == 3 * len(made)
    assert apart[len(made)].title == f"{made[0].title} (2)"
    assert apart[2 * len(made)].title == f"{made[0].title} (3)"
