"""Administrative units: codes, levels, parents, polygons, and which unit a place lies in."""

import os
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, Polygon, box

from careshed.intake.units import UnitFile, level_by_code, outline_faults, read_units, repair_units
from careshed.intake.units.placing import above, candidate_units, facility_units, finest_unit
from careshed.schema import TIERS, Checked, InputError

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
        listed(
            tmp_path, "130981,泊头市,县级市,1309,", "130981001,解放街道,街道,130981,城镇", "130981001201,齐桥村,村,130981,乡村"
        ),
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
    assert told[1].startswith(
        "row 3, column '级别': its level is not stated, nor told by a code of 6, 9 or 12 digits (found '2'). State the level or "
    )


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
        ("5", "unknown_unit", "noted"),
        ("4", "unit_differs", "noted"),
    ]
    assert faults[1].text() == "row 4: lies in unit c, not in its declared unit, which is kept (found 'b')"


def test_a_declared_unit_finer_than_the_polygons_is_no_contradiction(town: gpd.GeoDataFrame) -> None:
    coarse = town.set_geometry(town.geometry.where(town.index != "c", None))
    sites = gpd.GeoDataFrame({"unit": ["c"], "file": "c.csv", "row": ["2"]}, geometry=[Point(1008, 8)], crs=UTM)
    assert candidate_units(sites, coarse) == (["c"], [])


def registered(town: gpd.GeoDataFrame, declared: list[str]) -> Checked[gpd.GeoDataFrame]:
    rows = [str(row) for row in range(2, 2 + len(declared))]
    places = [Point(1003, 3), Point(1015, 5), Point(1030, 5), *[Point(1003, 3)] * 9][: len(declared)]
    return facility_units(gpd.GeoDataFrame({"unit": declared, "file": "f.csv", "row": rows}, geometry=places, crs=UTM), town)


def test_a_facility_without_a_unit_has_the_finest_it_lies_in_and_its_file_says_so_once(town: gpd.GeoDataFrame) -> None:
    # (1003, 3) lies in the compound c, (1015, 5) in the community b, (1030, 5) in nothing; the fourth declares b and keeps it
    placed = registered(town, ["", "", "", "b"])
    assert placed.table["unit"].tolist() == ["c", "b", "", "b"]
    assert placed.table["unit_told"].tolist() == ["", "", "", "b"]
    assert [(fault.code, fault.severity, fault.file, fault.text()) for fault in placed.faults] == [
        (
            "unit_nowhere", "noted", "f.csv",
            "1 facilities declare no unit and lie in none: they count in no unit. Check the coordinates, or fill in the unit.",
        ),
        ("unit_by_place", "noted", "f.csv", "the unit of 2 facilities that declare none is the finest they lie in"),
    ]  # fmt: skip
    assert "2 个设施未写所属单元，按位置确定" in placed.faults[1].text("zh")


def test_a_unit_may_be_declared_by_a_name_that_it_alone_bears(town: gpd.GeoDataFrame) -> None:
    own = town.assign(name=["县城", "东街 街道", "西街街道", "东街街道小区"])
    placed = registered(own, ["东街街道", "西街街道", "a"])
    assert placed.table["unit"].tolist() == ["b", "a", "a"]
    assert placed.table["unit_told"].tolist() == ["东街街道", "西街街道", "a"]
    assert [(fault.severity, fault.text()) for fault in placed.faults] == [
        ("repaired", "2 row(s) name their unit; the name is taken for its code")
    ]


def test_a_name_that_several_units_bear_is_told_with_their_codes(town: gpd.GeoDataFrame) -> None:
    placed = registered(town.assign(name=["县城", "新村", "新村", "院"]), ["新村"])
    assert placed.table["unit"].tolist() == ["新村"]
    assert [fault.text() for fault in placed.faults] == [
        "row 2: 2 units bear this name: which is meant is not known (found '新村'). Write the code: b, a."
    ]


def test_a_code_padded_with_zeros_is_that_of_the_same_unit(town: gpd.GeoDataFrame) -> None:
    own = town.rename(index={"a": "990101001"})
    placed = registered(own, ["990101001000"])
    assert placed.table["unit"].tolist() == ["990101001"]
    assert placed.faults == ()


def test_facilities_of_unknown_units_are_noted(town: gpd.GeoDataFrame) -> None:
    placed = registered(town, ["a", "b", "zz"])
    assert placed.table["unit"].tolist() == ["a", "b", "zz"]
    assert [fault.text() for fault in placed.faults] == [
        "row 4: its declared unit is not among the units (found 'zz'). Write a code or name of the list of units; left blank, "
        "the unit is the one it lies in."
    ]


def test_no_facilities_have_no_units(town: gpd.GeoDataFrame) -> None:
    assert registered(town, []).faults == ()


def test_a_circle_of_parents_ends() -> None:
    assert above("a", {"a": "b", "b": "a"}) == ["b", "a"]


# --- what codes say -------------------------------------------------------------------------------------------------------


def read(path: Path | list[Path], **options: object) -> Checked[gpd.GeoDataFrame]:
    return read_units(path, crs_out=UTM, **options)  # type: ignore[arg-type]


def codes(found: Checked[gpd.GeoDataFrame]) -> list[str]:
    return [fault.code for fault in found.faults]


@pytest.mark.parametrize(
    ("code", "level"),
    [
        ("140602", "county"),
        ("140602001", "street"),
        ("140602099", "street"),
        ("140602100", "township"),
        ("140602199", "township"),
        ("140602200", "township"),
        ("140602399", "township"),
        ("140602400", "township"),  # a special unit
        ("140602001001", "community"),
        ("140602001199", "community"),
        ("140602001200", "village"),
        ("140602001399", "village"),
        ("140602001400", "community"),
        ("140602001500", "village"),
        ("140602001600", ""),
        ("140602000000", "county"),  # padded
        ("140602100000", "township"),
        ("14060200", ""),
        ("一四零六零二", ""),
    ],
)
def test_a_code_tells_its_level_by_length_and_range(code: str, level: str) -> None:
    assert level_by_code(code, "任何名称") == level


def test_level_parent_and_proxy_are_derived_from_codes_and_said(tmp_path: Path) -> None:
    found = read(
        listed(tmp_path, "140681,怀仁市", "140681100,云中镇", "140681100200,某村", "140681001,甲街道", header="代码,名称")
    )
    assert found.table["level"].tolist() == ["county", "township", "village", "street"]
    assert found.table["parent"].tolist() == ["", "140681", "140681100", "140681"]
    assert found.table["setting"].tolist() == ["", "rural", "rural", "urban"]
    assert found.table["setting_from"].tolist() == ["", "proxy", "proxy", "proxy"]
    assert codes(found) == ["level_from_code", "parent_from_code", "setting_by_proxy"]
    assert found.faults[0].en.startswith(
        "4 unit(s) have no stated level; it is derived from length and range of the code (digits 7–9"
    )
    assert "（代用指标，非城乡分类）" in found.faults[2].zh


def test_a_level_is_a_field_and_never_the_end_of_a_name(tmp_path: Path) -> None:
    rows = ["130981,泊头市,县级市", "130981400,泊头开发区,乡镇", "130981401,四营村,街道", "150421200,阿日昆都楞苏木,苏木"]
    found = read(listed(tmp_path, *rows, "150421200201,某嘎查,嘎查", "150421,阿鲁科尔沁旗,旗", header="代码,名称,级别"))
    assert found.table["level"].tolist() == ["county", "township", "street", "township", "village", "county"]


def test_special_units_are_named_and_those_called_streets_count_as_such(tmp_path: Path) -> None:
    rows = ["150404,松山区", "150404400,松城街道筹备处", "150404401,安庆工业园区", "150404401400,园区社区"]
    found = read(listed(tmp_path, *rows, header="代码,名称"))
    assert found.table["level"].tolist() == ["county", "street", "township", "community"]
    # a park is neither town nor country by its code: nothing is said of it and of what lies in it
    assert found.table["setting"].tolist() == ["", "urban", "", ""]
    special = [fault for fault in found.faults if fault.code == "special_unit"]
    assert [(fault.row, fault.found) for fault in special] == [("3", "松城街道筹备处"), ("4", "安庆工业园区")]
    assert "counts as a township" in special[1].en


def test_a_word_that_leaves_the_level_open_is_settled_by_the_code(tmp_path: Path) -> None:
    found = read(listed(tmp_path, "140671,甲开发区,开发区", "140671400,乙农场,农场", header="代码,名称,级别"))
    assert found.table["level"].tolist() == ["county", "township"]
    told = errors(listed(tmp_path, "K1,丙园区,园区", header="代码,名称,级别"))
    assert told[0].startswith(
        "row 2, column '级别': its level is not stated, nor told by a code of 6, 9 or 12 digits (found 'K1')"
    )


def test_prefectures_are_left_out_and_one_that_holds_townships_is_a_county(tmp_path: Path) -> None:
    found = read(listed(tmp_path, "140600,朔州市", "140602,朔城区", "441900,东莞市", "441900003,东城街道", header="代码,名称"))
    assert found.table.index.tolist() == ["140602", "441900", "441900003"]
    assert found.table["parent"].tolist() == ["", "", "441900"]
    dropped = [fault for fault in found.faults if fault.severity == "dropped"]
    assert [(fault.row, fault.code, fault.found) for fault in dropped] == [("2", "above_county", "朔州市")]


def test_padded_and_plain_codes_of_parents_are_the_same(tmp_path: Path) -> None:
    rows = ["140602000000,朔城区,", "140602001000,北城街道,140602", "140602001001,马邑路社区,"]
    found = read(listed(tmp_path, *rows, header="代码,名称,上级"))
    assert found.table["parent"].tolist() == ["", "140602000000", "140602001000"]


def test_a_code_of_wrong_length_or_another_tier_is_noted(tmp_path: Path) -> None:
    rows = [
        "140602,朔城区,县,",
        "140602001,北城街道,街道,140602",
        "14060200101,马邑路社区,社区,140602001",
        "140602002,甲社区,社区,140602",
    ]
    found = read(listed(tmp_path, *rows, header="代码,名称,级别,上级"))
    told = [(fault.row, fault.en) for fault in found.faults if fault.code == "code_differs"]
    assert told == [
        ("4", "its code is not of 6, 9 or 12 digits"),
        ("5", "the length of its code says another level; the stated one counts"),
    ]
    assert found.table["level"].tolist() == ["county", "street", "community", "community"]


def test_a_stated_parent_that_the_code_contradicts_counts_and_is_noted(tmp_path: Path) -> None:
    rows = ["140602,朔城区,", "140603,平鲁区,", "140602001,北城街道,140603"]
    found = read(listed(tmp_path, *rows, header="代码,名称,上级"))
    assert found.table["parent"].tolist() == ["", "", "140603"]
    assert [fault.row for fault in found.faults if fault.code == "code_outside_parent"] == ["4"]


@pytest.mark.parametrize("header", ["城乡分类代码", "城乡分类"])
def test_classes_tell_urban_from_rural(tmp_path: Path, header: str) -> None:
    rows = ["140602001,甲街道,", "140602001001,甲社区,111", "140602001201,乙村,220", "140602001202,丙村,122"]
    found = read(listed(tmp_path, *rows, header=f"代码,名称,{header}"))
    assert found.table["setting"].tolist() == ["urban", "urban", "rural", "urban"]
    assert found.table["setting_from"].tolist() == ["proxy", "given", "given", "given"]


def test_a_class_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    told = errors(listed(tmp_path, "140602001001,甲社区,333", header="代码,名称,城乡分类代码"))
    assert told == [
        "row 2, column '城乡分类代码': is no urban–rural class (found '333'). Accepted: 111, 112, 121, 122, 123, 210, 220."
    ]


def test_a_stated_setting_holds_for_the_units_below(tmp_path: Path) -> None:
    found = read(listed(tmp_path, "140602100,甲镇,城镇", "140602100001,乙社区,", header="代码,名称,城乡"))
    assert found.table["setting"].tolist() == ["urban", "urban"]
    assert found.table["setting_from"].tolist() == ["given", "above"]


def test_units_of_one_parent_that_share_a_name_are_noted(tmp_path: Path) -> None:
    rows = ["140602001,甲街道", "140602001001,新华社区", "140602001002,新华社区", "140602002,乙街道", "140602002001,新华社区"]
    found = read(listed(tmp_path, *rows, header="代码,名称"))
    told = [(fault.row, fault.found) for fault in found.faults if fault.code == "same_name"]
    assert told == [("4", "新华社区 = 140602001001")]  # the 新华社区 of another street is another one


def test_lists_of_counties_streets_and_committees_go_together(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    first = listed(tmp_path / "a", "140602,朔城区", "140603,平鲁区", header="代码,名称")
    second = listed(tmp_path, "140602001,北城街道", "140602,朔城区", header="代码,名称")
    found = read([first, second])
    assert found.table.index.tolist() == ["140602", "140603", "140602001"]
    assert [(fault.row, fault.severity) for fault in found.faults if fault.code == "listed_again"] == [("3", "dropped")]
    other = listed(tmp_path, "140602,另一区", header="代码,名称")
    with pytest.raises(InputError, match="row 2, column '代码': the code belongs to '朔城区' in units"):
        read([first, other])


def test_of_a_unit_in_several_files_each_field_is_the_first_that_is_stated(tmp_path: Path) -> None:
    drawn = layer(tmp_path, [("a", "", "", box(1000, 0, 1001, 1)), ("b", "street", "", box(1001, 0, 1002, 1))])
    named = listed(tmp_path, "b,乙街道,乡镇,c,乡村", "a,甲街道,街道,c,城镇", "c,丙县,县,,")
    found = read([drawn, named])
    assert found.table.index.tolist() == ["a", "b", "c"]
    # the layer's name of a unit is its code, which is none; its level of b is stated and stays
    assert found.table["name"].tolist() == ["甲街道", "乙街道", "丙县"]
    assert found.table["level"].tolist() == ["street", "street", "county"]
    assert found.table["parent"].tolist() == ["c", "c", ""]
    assert found.table["setting"].tolist() == ["urban", "rural", ""]
    told = [(fault.row, fault.severity, fault.en) for fault in found.faults if fault.code == "listed_again"]
    again = "is listed in units.gpkg already and counts once; taken from here:"
    assert told == [
        ("2", "noted", f"{again} name, parent, setting"),
        ("3", "noted", f"{again} name, level, parent, setting"),
    ]
    # the other way round, the outlines come from the layer and nothing else does
    turned = read([named, drawn])
    assert turned.table.area.dropna().round(9).to_dict() == {"b": 1.0, "a": 1.0}
    assert turned.table["level"].tolist() == ["township", "street", "county"]
    assert {fault.en.split(": ")[1] for fault in turned.faults if fault.code == "listed_again"} == {"outline"}


def test_an_outline_that_two_files_draw_is_that_of_the_first(tmp_path: Path) -> None:
    for name, east in (("one", 5), ("two", 7)):
        (tmp_path / name).mkdir()
        layer(tmp_path / name, [("a", "street", "", box(1000, 0, 1000 + east, 1))])
    found = read([tmp_path / "one" / "units.gpkg", tmp_path / "two" / "units.gpkg"])
    assert found.table.area.tolist() == [5.0]
    assert [(fault.code, fault.severity) for fault in found.faults] == [
        ("listed_again", "dropped"),
        ("setting_by_proxy", "noted"),
    ]


def test_each_file_may_be_read_its_own_way(tmp_path: Path) -> None:
    first = listed(tmp_path, "c,丙县,县,,")
    (tmp_path / "v.csv").write_text("村码,村名,归属\nv,某村,c\n", encoding="utf-8")
    own = UnitFile(tmp_path / "v.csv", columns={"id": "村码", "name": "村名", "parent": "归属"}, level="village")
    assert read([first, own]).table["level"].tolist() == ["county", "village"]
    assert read(UnitFile(first)).table["level"].tolist() == ["county"]
    bare = tmp_path / "bare.csv"
    bare.write_text("代码,名称\nx,一街\n", encoding="utf-8")
    assert read(bare, level="street").table["level"].tolist() == ["street"]


SHARED = Path(os.environ.get("CARESHED_DATA", Path(__file__).parents[2] / "shared" / "data"))

CITIES = {
    # counted in the data's README: counties, streets and townships, committees
    "shuozhou": ("1406", 7, 72, 1277),
    "chifeng": ("1504", 12, 197, 2457),
    "wuzhong": ("6403", 5, 50, 600),
    "botou": ("130981", 1, 16, 692),
}


@pytest.mark.parametrize("city", CITIES)
def test_real_code_lists_load_whole_with_level_and_parent(city: str) -> None:
    code, counties, seconds, committees = CITIES[city]
    folder = SHARED / f"{city}_admin"
    if not folder.exists():
        pytest.skip(f"real code lists are not here: {folder}")
    files = [folder / f"{name}_{code}.csv" for name in ("areas", "streets", "villages")]
    found = read(files)
    units = found.table
    tier = units["level"].map(TIERS)
    assert [int((tier == step).sum()) for step in (1, 2, 3)] == [counties, seconds, committees]
    # against pandas alone: no row is lost, and every parent is what the list's own column says
    listed_units = pd.concat(
        [
            pd.read_csv(files[0], dtype=str).assign(above=""),
            pd.read_csv(files[1], dtype=str).rename(columns={"areaCode": "above"}),
            pd.read_csv(files[2], dtype=str).rename(columns={"streetCode": "above"}),
        ]
    ).set_index("code")
    assert units["parent"].to_dict() == listed_units["above"].to_dict()
    assert units["name"].to_dict() == listed_units["name"].to_dict()
    # names that say what a committee is agree with the level derived from the code, but for the villages that became communities
    said = (
        units["name"]
        .str.extract("(居委会|居民委员会|村委会|村民委员会|嘎查)$")[0]
        .map({"居委会": "community", "居民委员会": "community", "村委会": "village", "村民委员会": "village", "嘎查": "village"})
    )
    assert (said.isna() | (said == units["level"])).all()
    assert not [fault for fault in found.faults if fault.severity != "noted"]


def test_a_column_of_parents_gives_the_same_as_the_codes(tmp_path: Path) -> None:
    folder = SHARED / "wuzhong_admin"
    if not folder.exists():
        pytest.skip(f"real code lists are not here: {folder}")
    files = [folder / f"{name}_6403.csv" for name in ("areas", "streets")]
    streets = pd.read_csv(files[1], dtype=str)
    streets.rename(columns={"areaCode": "上级代码"}).to_excel(tmp_path / "streets.xlsx", index=False)
    assert read([files[0], tmp_path / "streets.xlsx"]).table["parent"].tolist() == read(files).table["parent"].tolist()


# --- outlines -------------------------------------------------------------------------------------------------------------


def town_of(shapes: dict[str, tuple[str, str, object]]) -> gpd.GeoDataFrame:
    """Units from code -> level, parent, outline."""
    rows = {code: (level, parent) for code, (level, parent, _) in shapes.items()}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["level", "parent"])
    return gpd.GeoDataFrame(frame, geometry=[shape for _, _, shape in shapes.values()], crs=UTM)


def found_in(units: gpd.GeoDataFrame, **options: object) -> set[tuple[str, tuple[str, ...], float]]:
    return {(one.kind, one.units, round(one.area_m2, 3)) for one in outline_faults(units, **options)}  # type: ignore[arg-type]


def test_overlaps_gaps_holes_and_land_outside_the_parent_are_found_with_their_areas() -> None:
    units = town_of(
        {
            "9": ("county", "", box(0, 0, 300, 100)),
            "a": ("street", "9", box(0, 0, 100, 100)),
            # overlaps a by 10 × 100 = 1,000 m²; beyond the county by 10 × 110 = 1,100 m²; a lake of 20 × 20 = 400 m² inside
            "b": ("street", "9", box(90, -10, 200, 100).difference(box(150, 40, 170, 60))),
            # 205 – 200 = 5 m short of b: a gap of 500 m²
            "c": ("street", "9", box(205, 0, 300, 100)),
            "x": ("compound", "c", box(210, 10, 220, 20)),
            "none": ("street", "9", None),
        }
    )
    assert found_in(units) == {
        ("overlap", ("a", "b"), 1000.0),
        ("outside_parent", ("b", "9"), 1100.0),
        ("gap", ("b", "c"), 500.0),
        ("hole", ("b",), 400.0),
    }
    # mean widths: 2 · 1,000 / 220 = 9.1 m, 2 · 1,100 / 240 = 9.2 m, 2 · 500 / 210 = 4.8 m; of the lake 2 · 400 / 80 = 10 m
    assert {one.kind for one in outline_faults(units) if not one.sliver} == {"hole"}


def test_people_on_contested_land_are_counted_and_come_first() -> None:
    units = town_of({"a": ("street", "", box(0, 0, 60, 100)), "b": ("street", "", box(50, 0, 110, 100)),
                     "c": ("street", "", box(95, 0, 200, 100))})  # fmt: skip
    cells = gpd.GeoDataFrame({"total": [7.0, 50.0]}, geometry=[Point(55, 50), Point(20, 50)], crs=UTM)
    first, second = outline_faults(units, cells)
    # a and b share 1,000 m² and 7 people; b and c 1,500 m² and nobody
    assert [(one.units, one.area_m2, one.people) for one in (first, second)] == [(("a", "b"), 1000, 7), (("b", "c"), 1500, 0)]
    fault = first.fault("units.gpkg")
    assert (fault.severity, fault.people, fault.found) == ("noted", 7.0, "a")
    cure = "Correct the outline in a GIS; repair = true in [units] mends slivers."
    assert fault.text() == f"overlaps b by 1,000 m² (a sliver) (found 'a'). {cure}"


def test_sound_outlines_have_no_faults_and_none_at_all_neither() -> None:
    sound = town_of(
        {"9": ("county", "", box(0, 0, 2, 1)), "a": ("street", "9", box(0, 0, 1, 1)), "b": ("street", "9", box(1, 0, 2, 1))}
    )
    assert outline_faults(sound) == []
    assert outline_faults(town_of({"a": ("street", "", None)})) == []


def test_repair_gives_overlaps_by_order_and_gaps_to_the_longest_border() -> None:
    units = town_of(
        {
            "a": ("street", "", box(0, 0, 60, 100)),
            "b": ("street", "", box(50, 0, 100, 100)),
            # a gap of 10 × 100 m between b and c; it shares 100 m with either: the lower code has it
            "c": ("street", "", box(110, 0, 200, 100)),
            "d": ("street", "", box(0, 100, 200, 110)),
            "e": ("street", "", box(0, -10, 200, 0)),
        }
    )
    mended = repair_units(units)
    # a keeps its 6,000; b: 5,000 − 1,000 + 1,000 of the gap
    assert mended.units.area.to_dict() == {"a": 6000.0, "b": 5000.0, "c": 9000.0, "d": 2000.0, "e": 2000.0}
    assert [(one.kind, one.to, one.from_, one.area_m2) for one in mended.changes] == [
        ("overlap", "a", "b", 1000.0),
        ("gap", "b", "", 1000.0),
    ]
    assert outline_faults(mended.units) == []
    assert repair_units(units, order=["b"]).units.area["a"] == 5000.0
    assert units.area["b"] == 5000.0  # what was given is left alone


def test_a_large_gap_is_left_open_and_one_within_the_county_goes_to_its_neighbour() -> None:
    units = town_of({"9": ("county", "", box(0, 0, 300, 100)), "a": ("street", "9", box(0, 0, 100, 100)),
                     "b": ("street", "9", box(100, 0, 299, 100))})  # fmt: skip
    assert repair_units(units).units.area["b"] == 20000.0  # 19,900 and the 100 m² along the county's border
    assert repair_units(units, largest_gap_m2=99).units.area["b"] == 19900.0


def test_a_unit_whose_land_belongs_to_others_is_refused() -> None:
    units = town_of({"a": ("street", "", box(0, 0, 10, 10)), "b": ("street", "", box(2, 2, 8, 8))})
    with pytest.raises(InputError, match=r"all land of unit b belongs to a"):
        repair_units(units)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.integers(-3, 3), min_size=12, max_size=12),
    st.lists(st.integers(-3, 3), min_size=12, max_size=12),
)
def test_repair_conserves_all_land_of_a_grid_with_planted_overlaps_and_gaps(dx: list[int], dy: list[int]) -> None:
    # 12 rooms of 100 × 100 m in a county of 400 × 300 m, each wall moved by up to 3 m: overlaps and gaps of every kind
    rooms = {"9": ("county", "", box(0, 0, 400, 300))}
    for at in range(12):
        x, y = 100 * (at % 4), 100 * (at // 4)
        room = box(max(0, x + dx[at]), max(0, y + dy[at]), min(400, x + 100 + dy[at]), min(300, y + 100 + dx[at]))
        rooms[f"r{at:02d}"] = ("street", "9", room)
    mended = repair_units(town_of(rooms)).units
    streets = mended[mended["level"] == "street"]
    union = shapely.union_all(streets.geometry.array)
    # no land twice, none lost: the areas add up to the union, and the union is the county
    assert streets.area.sum() == pytest.approx(union.area, abs=1e-6)
    assert union.area == pytest.approx(400 * 300, abs=1e-6)
    assert outline_faults(mended, least_m2=1e-3) == []
    assert streets.geometry.is_valid.all()


def test_real_neighbourhoods_drawn_coarsely_are_mended_without_losing_land() -> None:
    file = SHARED / "madrid" / "madrid_nbhds.gpkg"
    if not file.exists():
        pytest.skip(f"Madrid's neighbourhoods are not here: {file}")
    real = gpd.read_file(file).to_crs("EPSG:25830")
    frame = pd.DataFrame({"level": "community", "parent": ""}, index=[f"n{at:03d}" for at in range(len(real))])
    units = gpd.GeoDataFrame(frame, geometry=real.geometry.array, crs=real.crs)
    assert len(units) == 131
    assert outline_faults(units) == []  # the city's own drawing fits
    # each outline simplified on its own, by up to 15 m: neighbours no longer share their borders
    coarse = units.set_geometry(units.geometry.simplify(15).make_valid())
    kinds = [one.kind for one in outline_faults(coarse)]
    assert min(kinds.count("gap"), kinds.count("overlap")) > 100
    mended = repair_units(coarse)
    filled = sum(one.area_m2 for one in mended.changes if one.kind == "gap")
    land = shapely.union_all(coarse.geometry.array).area + filled
    assert mended.units.area.sum() == pytest.approx(land, rel=1e-9)
    assert shapely.union_all(mended.units.geometry.array).area == pytest.approx(land, rel=1e-9)
    assert outline_faults(mended.units, least_m2=0.01) == []


def test_villages_whose_parents_are_not_listed_are_told(tmp_path: Path) -> None:
    # the street 990101001 is listed and 990101002 is not: one village has a parent, two have none
    listing = listed(
        tmp_path, "990101001,甲,街道,,", "990101001201,一,村,,", "990101002201,二,村,,", "990101002202,三,村,,"
    )  # fmt: skip
    checked = read(listing)
    assert checked.table["parent"].tolist() == ["", "990101001", "", ""]
    (told,) = [fault for fault in checked.faults if fault.code == "parent_unlisted"]
    assert told.severity == "noted"
    assert told.en == "2 unit(s) below the topmost have no parent (its code is not in the table): no larger unit counts them"
    assert told.cure_zh == "请补充上级单元（代码 990101002），或写“上级代码”列。"


def test_spaces_and_apostrophes_are_taken_out_of_codes(tmp_path: Path) -> None:
    checked = read(listed(tmp_path, "'990101,甲县,县,,", "990101 001,乙,街道,990101,"))
    assert checked.table.index.tolist() == ["990101", "990101001"]
    assert checked.table["parent"].tolist() == ["", "990101"]
    (told,) = [fault for fault in checked.faults if fault.code == "code_cleaned"]
    assert (told.severity, told.en) == ("repaired", "spaces or apostrophes are taken out of 2 code(s)")
