"""Administrative units: codes, levels, parents, polygons, and which unit a place lies in."""

from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point, Polygon, box

from careshed.intake import read_units
from careshed.schema import InputError
from careshed.study.assign import above, candidate_units, declared_unknown, finest_unit

UTM = "EPSG:32650"


def listed(folder: Path, *rows: str, header: str = "代码,名称,级别,上级,城乡") -> Path:
    file = folder / "units.csv"
    file.write_text("\n".join([header, *rows]), encoding="utf-8")
    return file


def errors(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_units(path, crs_out=UTM)
    return [fault.text() for fault in caught.value.faults if fault.severity == "error"]


def layer(folder: Path, rows: list[tuple[str, str, str, object]], crs: str = UTM) -> Path:
    code, level, parent, geometry = zip(*rows, strict=True)
    frame = gpd.GeoDataFrame({"code": code, "name": code, "level": level, "parent": parent}, geometry=list(geometry), crs=crs)
    frame.to_file(folder / "units.gpkg")
    return folder / "units.gpkg"


def test_a_plain_list_of_codes_works_without_polygons(tmp_path: Path) -> None:
    units = read_units(
        listed(tmp_path, "130981,泊头市,县级市,1309,", "130981001,解放街道,街道,130981,城镇", "130981201,齐桥村,村,130981,乡村"),
        crs_out=UTM,
    )
    assert units.table["level"].tolist() == ["county", "street", "village"]
    assert units.table["setting"].tolist() == ["", "urban", "rural"]
    assert units.table["parent"].tolist() == ["", "130981", "130981"]
    assert units.table.geometry.isna().all()
    assert units.table.index.name == "unit_id"
    # the city above the county is not in the list: noted, not refused
    assert [fault.code for fault in units.faults] == ["parent_outside"]


def test_an_unknown_level_and_a_blank_one_list_the_accepted(tmp_path: Path) -> None:
    told = errors(listed(tmp_path, "1,甲,街道办公室,,", "2,乙,,,"))
    assert told[0].startswith(
        "row 2, column '级别': is not a known word (found '街道办公室'). Did you mean '街道办'? Accepted: 县区, 县, county"
    )
    assert told[1].startswith("row 3, column '级别': the cell is blank. Accepted:")


def test_a_parent_that_is_missing_or_not_higher_is_refused(tmp_path: Path) -> None:
    told = errors(listed(tmp_path, "1,甲,县,,", "11,乙,街道,1,", "12,丙,镇,11,", "13,丁,街道,2,"))
    assert told == [
        "row 4, column '上级': its parent is not of a higher level (found '11'). Correct the level or the parent.",
        "row 5, column '上级': its parent is not in the table (found '2'). Add the parent to the table, or correct the code.",
    ]


def test_missing_code_and_level_columns_are_told_together(tmp_path: Path) -> None:
    told = errors(listed(tmp_path, "甲,城镇", header="名称,城乡"))
    assert [text.split(".")[0] for text in told] == ["column 'id' is missing", "column 'level' is missing"]


def test_polygons_are_projected_and_kept(tmp_path: Path) -> None:
    units = read_units(layer(tmp_path, [("1", "county", "", box(117, 39, 117.1, 39.1))], crs="EPSG:4326"), crs_out=UTM).table
    # 0.1 degree of latitude is 11.1 km; 0.1 degree of longitude at 39 N is 11.13 · cos 39.05° = 8.65 km: about 96 km²
    assert units.area.iloc[0] == pytest.approx(96e6, rel=0.01)


def test_a_crossing_outline_is_repaired_without_losing_land(tmp_path: Path) -> None:
    # a bow tie of two triangles, each 2 wide and 1 high: 1 + 1 = 2 square metres
    bow = Polygon([(1000, 0), (1002, 2), (1002, 0), (1000, 2)])
    checked = read_units(layer(tmp_path, [("1", "county", "", bow)]), crs_out=UTM)
    assert checked.table.area.iloc[0] == pytest.approx(2.0)
    assert [(fault.severity, fault.row, fault.en) for fault in checked.faults] == [
        ("repaired", "1", "the outline crosses itself and was repaired")
    ]


def test_a_line_is_no_unit(tmp_path: Path) -> None:
    told = errors(layer(tmp_path, [("1", "county", "", LineString([(500, 0), (501, 1)]))]))
    assert told == ["row 1: the geometry of a unit must be a polygon (found 'LineString'). Use a layer of polygons."]


@pytest.fixture
def town(tmp_path: Path) -> gpd.GeoDataFrame:
    # a county 20 × 10 m with two communities side by side, and a compound inside the first
    rows = [
        ("9", "county", "", box(1000, 0, 1020, 10)),
        ("b", "community", "9", box(1010, 0, 1020, 10)),
        ("a", "community", "9", box(1000, 0, 1010, 10)),
        ("c", "compound", "a", box(1002, 2, 1004, 4)),
    ]
    return read_units(layer(tmp_path, rows), crs_out=UTM).table


def test_a_place_lies_in_the_finest_unit_and_a_border_goes_to_the_lowest_code(town: gpd.GeoDataFrame) -> None:
    places = gpd.GeoDataFrame(geometry=[Point(1003, 3), Point(1015, 5), Point(1010, 5), Point(1002, 3), Point(1030, 5)], crs=UTM)
    assert finest_unit(places, town) == ["c", "b", "a", "c", ""]


def test_without_polygons_no_place_lies_anywhere(town: gpd.GeoDataFrame) -> None:
    bare = town.set_geometry(gpd.GeoSeries([None] * 4, index=town.index, crs=UTM))
    assert finest_unit(gpd.GeoDataFrame(geometry=[Point(1003, 3)], crs=UTM), bare) == [""]


def test_a_candidate_keeps_its_declared_unit_unless_it_is_unknown_or_coarser(town: gpd.GeoDataFrame) -> None:
    declared = ["", "a", "b", "nowhere", "c", "9"]
    sites = gpd.GeoDataFrame({"unit": declared, "file": "c.csv", "row": list("234567")}, geometry=[Point(1003, 3)] * 6, crs=UTM)
    chosen, faults = candidate_units(sites, town)
    # undeclared -> c; its community a and county 9 hold the finer c; b lies elsewhere and is kept; unknown -> c
    assert chosen == ["c", "c", "b", "c", "c", "c"]
    assert [(fault.row, fault.code, fault.severity) for fault in faults] == [
        ("4", "unit_differs", "noted"),
        ("5", "unknown_unit", "noted"),
    ]
    assert faults[0].text() == "row 4: lies in unit c, not in its declared unit, which is kept (found 'b')"


def test_a_declared_unit_finer_than_the_polygons_is_no_contradiction(town: gpd.GeoDataFrame) -> None:
    coarse = town.set_geometry(town.geometry.where(town.index != "c", None))
    sites = gpd.GeoDataFrame({"unit": ["c"], "file": "c.csv", "row": ["2"]}, geometry=[Point(1008, 8)], crs=UTM)
    assert candidate_units(sites, coarse) == (["c"], [])


def test_facilities_of_unknown_units_are_noted(town: gpd.GeoDataFrame) -> None:
    table = gpd.GeoDataFrame(
        {"unit": ["a", "", "zz"], "file": "f.csv", "row": ["2", "3", "4"]}, geometry=[Point(1003, 3)] * 3, crs=UTM
    )
    assert [fault.text() for fault in declared_unknown(table, town)] == [
        "row 4: its declared unit is not among the units (found 'zz')"
    ]


def test_a_circle_of_parents_ends() -> None:
    assert above("a", {"a": "b", "b": "a"}) == ["b", "a"]
