"""Registers of facilities and lists of candidate sites."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
from shapely.geometry import LineString, MultiPoint, Point, box

from careshed.datum import bd09_from_gcj02, gcj02_from_wgs84
from careshed.intake import read_candidates, read_facilities
from careshed.intake.facilities import status_keys
from careshed.schema import Checked, Fault, InputError

UTM = "EPSG:32651"
HEADER = "编号,名称,类型,经度,纬度,床位数,状态,投用年份,建筑面积,运营性质,所属街道代码"
AREA = (121.4, 31.1, 121.6, 31.3)


def written(folder: Path, *rows: str, header: str = HEADER, name: str = "elders.csv") -> Path:
    file = folder / name
    file.write_text("\n".join([header, *rows]), encoding="utf-8")
    return file


def read(path: Path, **how: object) -> Checked[gpd.GeoDataFrame]:
    return read_facilities(path, **{"crs_out": UTM, "crs": "EPSG:4326", "datum": "WGS-84", "area": AREA, **how})


def told(checked: Checked[gpd.GeoDataFrame]) -> list[Fault]:
    """What was said while reading, but for the list of columns, which every register has."""
    return [fault for fault in checked.faults if fault.code != "columns_matched"]


def errors(path: Path, **how: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(path, **how)
    return [fault.text() for fault in caught.value.faults if fault.severity == "error"]


def test_a_register_becomes_the_facilities_table(tmp_path: Path) -> None:
    file = written(tmp_path, "A1,青松站,养老服务站,121.5,31.2,３０,运营,2019年,800,公办,310101001")
    facilities = read(file).table
    row = facilities.loc["A1"]
    assert facilities.index.name == "facility_id"
    assert row[["closed", "nursing_places", "land_m2"]].isna().all()
    assert row.drop(["geometry", "closed", "nursing_places", "land_m2"]).to_dict() == {
        "name": "青松站",
        "type": "养老服务站",
        "status": "operating",
        "operator": "公办",
        "places": 30.0,
        "area_m2": 800.0,
        "opened": 2019.0,
        "functions": "",
        "unit": "310101001",
        "file": "elders.csv",
        "row": "2",
    }
    # the projection itself is the oracle
    east, north = pyproj.Transformer.from_crs("EPSG:4326", UTM, always_xy=True).transform(121.5, 31.2)
    assert (row.geometry.x, row.geometry.y) == pytest.approx((east, north), abs=1e-6)
    assert str(facilities.crs) == UTM


@pytest.mark.parametrize("datum", ["GCJ-02", "BD-09"])
def test_shifted_coordinates_come_back_to_where_the_facility_is(tmp_path: Path, datum: str) -> None:
    lon, lat = gcj02_from_wgs84(121.5, 31.2)
    if datum == "BD-09":
        lon, lat = bd09_from_gcj02(lon, lat)
    file = written(tmp_path, f"A1,甲,站,{float(lon):.12f},{float(lat):.12f},,,,,,")
    truth = read(written(tmp_path, "A1,甲,站,121.5,31.2,,,,,,", name="b.csv")).table.geometry["A1"]
    assert read(file, datum=datum).table.geometry["A1"].distance(truth) < 0.002


def test_projected_coordinates_in_a_shifted_datum_are_unshifted_in_degrees(tmp_path: Path) -> None:
    lon, lat = gcj02_from_wgs84(121.5, 31.2)
    x, y = pyproj.Transformer.from_crs("EPSG:4326", UTM, always_xy=True).transform(float(lon), float(lat))
    file = written(tmp_path, f"甲,站,{x},{y}", header="名称,类型,x,y")
    truth = pyproj.Transformer.from_crs("EPSG:4326", UTM, always_xy=True).transform(121.5, 31.2)
    point = read(file, crs=UTM, datum="GCJ-02").table.geometry.iloc[0]
    assert (point.x, point.y) == pytest.approx(truth, abs=0.002)


def test_blank_status_counts_as_operating_and_is_noted(tmp_path: Path) -> None:
    checked = read(written(tmp_path, "A1,甲,站,121.5,31.2,,,,,,", "A2,乙,站,121.5,31.2,,在建,,,,"))
    assert checked.table["status"].tolist() == ["operating", "building"]
    assert [fault.en for fault in told(checked)] == ["1 facilities have no status and count as operating"]


def test_a_closed_facility_is_left_out_and_told(tmp_path: Path) -> None:
    checked = read(written(tmp_path, "A1,甲,站,121.5,31.2,,运营,,,,", "A2,乙,站,121.5,31.2,,停业,,,,"))
    assert checked.table.index.tolist() == ["A1"]
    assert [(fault.severity, fault.row, fault.found) for fault in told(checked)] == [("dropped", "3", "停业")]


EXTENT = "编号,名称,类型,经度,纬度,状态,停业年份,服务功能,护理型床位,用地面积（亩）"


def test_functions_nursing_beds_land_and_closing_years_are_read(tmp_path: Path) -> None:
    file = written(tmp_path, "A1,甲,站,121.5,31.2,运营,,日托、助餐 / 上门服务,12,1.5", header=EXTENT)
    row = read(file).table.loc["A1"]
    # one mu is 2000 / 3 m2
    assert row[["functions", "nursing_places", "land_m2"]].tolist() == ["日托;助餐;上门服务", 12.0, 1000.0]
    assert np.isnan(row["closed"])


def test_a_closed_facility_is_kept_where_its_closing_year_is_known(tmp_path: Path) -> None:
    file = written(tmp_path, "A1,甲,站,121.5,31.2,停业,2022年6月,,,", "A2,乙,站,121.5,31.2,停业,,,,", header=EXTENT)
    checked = read(file)
    assert checked.table[["status", "closed"]].to_numpy().tolist() == [["closed", 2022.0]]
    assert [(fault.severity, fault.row) for fault in checked.faults if fault.code == "closed"] == [("dropped", "3")]


def test_wild_closing_years_and_negative_land_are_refused(tmp_path: Path) -> None:
    told = errors(written(tmp_path, "A1,甲,站,121.5,31.2,运营,1022,,-3,-1", header=EXTENT))
    assert sorted(text.split("：")[0].split(": ")[1].split(" (")[0] for text in told) == [
        "must be a year from 1900 to 2100", "must not be negative", "must not be negative",
    ]  # fmt: skip


def test_the_stated_type_fills_a_register_without_types(tmp_path: Path) -> None:
    file = written(tmp_path, "甲,121.5,31.2", header="名称,经度,纬度")
    assert read(file, type="托育机构").table["type"].tolist() == ["托育机构"]
    assert errors(file)[0].startswith("column 'type' is missing. Accepted headers: 类型, 设施类型")


def test_a_blank_type_is_an_error(tmp_path: Path) -> None:
    assert errors(written(tmp_path, "A1,甲,,121.5,31.2,,,,,,")) == [
        "row 2, column '类型': the type is blank. Fill it in, or state type in the study."
    ]


def test_an_unknown_status_lists_the_accepted(tmp_path: Path) -> None:
    text = errors(written(tmp_path, "A1,甲,站,121.5,31.2,,营运,,,,"))[0]
    assert text.startswith("row 2, column '状态': is not a known word (found '营运').")
    assert "Accepted: 运营, 运营中, operating, 开工, 在建, building, 储备, 规划, reserve" in text


def test_negative_places_and_wild_years_are_told_together(tmp_path: Path) -> None:
    told = errors(written(tmp_path, "A1,甲,站,121.5,31.2,-3,,1019,-8,,"))
    assert sorted(text.split(" (found")[0] for text in told) == [
        "row 2, column '床位数': must not be negative",
        "row 2, column '建筑面积': must not be negative",
        "row 2, column '投用年份': must be a year from 1900 to 2100",
    ]


def test_a_layer_keeps_entrances_and_takes_the_middle_of_areas(tmp_path: Path) -> None:
    # the centroid of an L-shaped building (0.68 from its corner, each way) lies in the notch: another point stands for it
    notch = box(800, 800, 802, 802).difference(box(800.5, 800.5, 802, 802))
    places = [Point(500, 500), MultiPoint([(700, 700), (710, 710)]), box(800, 800, 802, 802), notch]
    frame = gpd.GeoDataFrame({"name": list("甲乙丙丁"), "type": "站"}, geometry=places, crs=UTM)
    frame.to_file(tmp_path / "t.gpkg")
    checked = read(tmp_path / "t.gpkg", crs=None, area=None, datum=None)
    got = checked.table.geometry
    assert got.iloc[0].equals(Point(500, 500))
    assert got.iloc[1].equals(MultiPoint([(700, 700), (710, 710)]))
    assert got.iloc[2].equals(Point(801, 801))
    assert notch.covers(got.iloc[3])
    assert "2 area(s) stand for themselves by their centre" in [fault.en for fault in told(checked)]


def test_a_line_is_no_facility_and_a_feature_without_geometry_is_told(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"name": ["甲", "乙", "丙"], "type": "站"},
        geometry=[LineString([(500, 500), (600, 600)]), None, Point(500, 500)],
        crs=UTM,
    )
    frame.to_file(tmp_path / "t.gpkg")
    assert errors(tmp_path / "t.gpkg", crs=None, area=None, datum=None) == [
        "row 2: has no coordinates. Fill in the coordinates, or delete the row.",
        "row 1: the geometry must be a point or an area (found 'LineString'). Use a layer of points.",
    ]


def test_a_layer_whose_crs_differs_from_the_study_is_refused(tmp_path: Path) -> None:
    gpd.GeoDataFrame({"name": ["甲"], "type": "站"}, geometry=[Point(121.5, 31.2)], crs="EPSG:4326").to_file(tmp_path / "t.gpkg")
    assert errors(tmp_path / "t.gpkg", crs="EPSG:4490") == [
        "the file states WGS 84, but the study says China Geodetic Coordinate System 2000. "
        "Take crs out of the study, or correct the file."
    ]


def test_a_stated_datum_or_crs_that_is_not_known_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "A1,甲,站,121.5,31.2,,,,,,")
    assert errors(file, datum="Xian80") == ["unknown datum 'Xian80'. Accepted: WGS-84, CGCS2000, GCJ-02, BD-09."]
    assert errors(file, crs="EPSG:999999") == [
        "the coordinate system 'EPSG:999999' is not understood. Write, for example, crs = \"EPSG:4326\"."
    ]


def test_an_unstated_datum_in_china_is_noted_and_elsewhere_is_not(tmp_path: Path) -> None:
    here = read(written(tmp_path, "A1,甲,站,121.5,31.2,,运营,,,,"), datum=None)
    assert [fault.en for fault in told(here)] == ["the datum is not stated; taken as WGS 84"]
    there = read(written(tmp_path, "A1,甲,站,2.35,48.86,,运营,,,,"), datum=None, area=None, crs_out="EPSG:32631")
    assert told(there) == []


def test_a_place_just_inside_the_margin_is_kept(tmp_path: Path) -> None:
    # 0.089 degrees of latitude are 9.9 km, 0.091 are 10.1 km; the margin is 10 km
    assert len(read(written(tmp_path, "A1,甲,站,121.5,31.389,,,,,,")).table) == 1
    assert "more than 10 km outside the study area" in errors(written(tmp_path, "A1,甲,站,121.5,31.391,,,,,,"))[0]


def test_candidates_keep_services_cost_and_declared_unit(tmp_path: Path) -> None:
    header = "编号,名称,类型,可设服务,经度,纬度,建筑面积,容量,费用（万元）,所属单位代码"
    file = written(tmp_path, "C1,旧小学,闲置校舍,childcare；day_care,121.5,31.2,900,60,80,310101001", header=header)
    checked = read_candidates(file, crs_out=UTM, crs="EPSG:4326", datum="WGS-84", area=AREA)
    row = checked.table.loc["C1"]
    assert (row["kind"], row["services"], row["cost_yuan"], row["unit"]) == (
        "闲置校舍",
        "childcare;day_care",
        800_000.0,
        "310101001",
    )
    assert [fault.code for fault in told(checked)] == ["unit_converted"]


def test_row_order_does_not_matter(tmp_path: Path) -> None:
    rows = ["A1,甲,站,121.5,31.2,3,,,,,", "A2,乙,站,121.51,31.21,4,,,,,"]
    one = read(written(tmp_path, *rows)).table.drop(columns="row")
    other = read(written(tmp_path, *reversed(rows), name="elders.csv")).table.drop(columns="row")
    assert one.sort_index().equals(other.sort_index())


def test_statuses_are_understood_in_both_languages() -> None:
    assert status_keys(("在建", "operating")) == ("building", "operating")
    assert status_keys(("运营", "nonsense")) is None
