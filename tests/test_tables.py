"""Raw tables: formats, encodings, headers, row numbers, and values as planners write them."""

import datetime
import os
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from shapely.geometry import Point

from careshed.intake.columns import match, nearest
from careshed.intake.encodings import decode
from careshed.intake.numerals import figure_of, year_of
from careshed.intake.osm import read_osm_features
from careshed.intake.personal import is_citizen_number
from careshed.intake.tables import SourceTable, as_text, read_table
from careshed.intake.values import codes, ids, names, numbers, texts, years
from careshed.schema import Fault, InputError

DATA = Path(os.environ.get("CARESHED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def csv_of(folder: Path, text: str, *, name: str = "t.csv", encoding: str = "utf-8") -> Path:
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


def xlsx_of(folder: Path, rows: list[list[object]], *, name: str = "t.xlsx", sheet: str = "登记表", more: str = "") -> Path:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    if more:
        book.create_sheet(more).append(["说明"])
    book.save(folder / name)
    return folder / name


def noted(table: SourceTable) -> list[Fault]:
    """What was said while reading, but for the list of columns, which every register has."""
    return [fault for fault in table.faults if fault.code != "columns_matched"]


def the_error(path: Path, **how: object) -> Fault:
    with pytest.raises(InputError) as caught:
        read_table(path, **how)
    assert len(caught.value.faults) == 1
    return caught.value.faults[0]


def test_chinese_headers_are_known_with_units_spaces_and_full_width() -> None:
    found = match(["编号", " 经 度", "纬度", "床位数（张）", "ＡＲＥＡ_m2"], "facilities")
    assert found.position == {"id": 0, "lon": 1, "lat": 2, "places": 3, "area_m2": 4}


def test_the_study_mapping_beats_the_usual_names() -> None:
    found = match(["床位数", "核定床位"], "facilities", {"places": "核定床位"})
    assert found.position == {"places": 1}


def test_a_mapped_header_is_not_taken_for_another_column() -> None:
    # "类型" would be the type; the study says it is the operator
    assert match(["类型"], "facilities", {"operator": "类型"}).position == {"operator": 0}


def test_the_same_header_means_different_things_in_different_tables() -> None:
    assert match(["类型"], "units").position == {"level": 0}
    assert match(["类型"], "candidates").position == {"kind": 0}


def test_rows_are_numbered_as_the_spreadsheet_shows_them(tmp_path: Path) -> None:
    # title in row 1, blank row 2, header in row 3, blank row 5
    rows = [["青湾市登记表"], [], ["名称", "经度", "纬度"], ["甲", 121.5, 31.2], [], ["乙", 121.6, 31.3]]
    table = read_table(xlsx_of(tmp_path, rows))
    assert table.rows.tolist() == [4, 6]
    assert table.headers == {"name": "名称", "lon": "经度", "lat": "纬度"}
    assert (table.file, table.sheet) == ("t.xlsx", "登记表")


def test_columns_that_are_not_ours_keep_their_headers(tmp_path: Path) -> None:
    table = read_table(csv_of(tmp_path, "名称,经度,备注,备注,\n甲,1,x,y,z\n"))
    assert table.frame.columns.tolist() == ["name", "lon", "备注", "备注#4", "#5"]


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8", ""), ("utf-8-sig", ""), ("gb18030", "read as GB18030"), ("utf-16", "read as UTF-16")]
)
def test_text_tables_are_read_in_any_usual_encoding(tmp_path: Path, encoding: str, said: str) -> None:
    table = read_table(csv_of(tmp_path, "名称,床位数\n青松站,30\n", encoding=encoding))
    assert table.frame["name"].tolist() == ["青松站"]
    assert [fault.en for fault in noted(table)] == ([said] if said else [])
    assert all(fault.severity == "noted" for fault in table.faults)


def test_tabs_and_semicolons_separate_too(tmp_path: Path) -> None:
    assert read_table(csv_of(tmp_path, "名称\t床位数\n甲\t3\n", name="a.tsv")).frame["places"].tolist() == ["3"]
    assert read_table(csv_of(tmp_path, "名称;床位数\n甲;3\n", name="b.csv")).frame["places"].tolist() == ["3"]


def test_short_rows_are_filled_and_quoted_line_breaks_are_one_row(tmp_path: Path) -> None:
    table = read_table(csv_of(tmp_path, '名称,床位数,状态\n"甲\n站",3\n乙,4,运营\n'))
    assert table.rows.tolist() == [2, 3]
    assert table.frame["status"].tolist() == [None, "运营"]


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".shp", ".parquet"])
def test_layers_give_geometry_crs_and_feature_numbers(tmp_path: Path, suffix: str) -> None:
    frame = gpd.GeoDataFrame({"name": ["甲", "乙"]}, geometry=[Point(121.5, 31.2), Point(121.6, 31.3)], crs="EPSG:4326")
    file = tmp_path / f"t{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(file)
    else:
        frame.to_file(file, encoding="UTF-8") if suffix == ".shp" else frame.to_file(file)
    table = read_table(file)
    assert table.frame["name"].tolist() == ["甲", "乙"]
    assert table.rows.tolist() == [1, 2]
    assert table.geometry is not None
    assert table.geometry[1].x == pytest.approx(121.6)
    assert "WGS 84" in table.crs


def test_a_shapefile_without_cpg_in_gbk_is_read_and_noted(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"name": ["青松"]}, geometry=[Point(121.5, 31.2)], crs="EPSG:4326")
    frame.to_file(tmp_path / "t.shp", encoding="GB18030")
    (tmp_path / "t.cpg").unlink()
    table = read_table(tmp_path / "t.shp")
    assert table.frame["name"].tolist() == ["青松"]
    assert [fault.en for fault in noted(table)] == ["read as GB18030"]


def test_plain_parquet_and_a_layer_without_geometry_are_tables(tmp_path: Path) -> None:
    pd.DataFrame({"name": ["甲"], "beds": [3.0]}).to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert (table.geometry, table.frame["places"].tolist()) == (None, [3.0])


def test_several_sheets_without_a_stated_one_read_the_first_and_note_it(tmp_path: Path) -> None:
    file = xlsx_of(tmp_path, [["名称", "经度"], ["甲", 1]], more="说明")
    assert [fault.code for fault in noted(read_table(file))] == ["first_sheet"]
    assert noted(read_table(file, sheet="登记表")) == []


def test_a_missing_sheet_lists_those_there_are(tmp_path: Path) -> None:
    fault = the_error(xlsx_of(tmp_path, [["名称", "经度"], ["甲", 1]]), sheet="sheet1")
    assert fault.text() == "there is no sheet 'sheet1'. The workbook has: 登记表."


def test_a_missing_layer_and_several_layers_list_those_there_are(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"name": ["甲"]}, geometry=[Point(0, 1)], crs="EPSG:4326")
    frame.to_file(tmp_path / "t.gpkg", layer="units")
    frame.to_file(tmp_path / "t.gpkg", layer="roads")
    assert the_error(tmp_path / "t.gpkg", layer="unit").text() == (
        "there is no layer 'unit'. Did you mean 'units'? The file has: units, roads."
    )
    assert the_error(tmp_path / "t.gpkg").text() == "there are 2 layers and none is stated. State layer = one of: units, roads."


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    csv_of(tmp_path, "名称\n甲\n", name="elders.csv")
    text = the_error(tmp_path / "elder.csv").text()
    assert text.startswith("the file does not exist. Did you mean 'elders.csv'? Check the path:")
    assert "Did you mean" not in the_error(tmp_path / "nowhere" / "elder.csv").text()


def test_an_unknown_format_lists_the_known(tmp_path: Path) -> None:
    assert (
        the_error(csv_of(tmp_path, "x", name="t.pdf"))
        .text()
        .startswith("files of type '.pdf' are not read. Save it as one of: .xlsx")
    )


def test_text_in_no_known_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"\xff\xff\x80\n\x81")
    assert the_error(tmp_path / "t.csv").text() == "the text encoding is not recognised. Save it as CSV in UTF-8."


def test_a_mapping_of_an_unknown_column_suggests_the_right_one(tmp_path: Path) -> None:
    fault = the_error(csv_of(tmp_path, "名称\n甲\n"), columns={"place": "名称"})
    assert fault.text().startswith("place in [facilities.columns] is not a column of this table. Did you mean places? Known: id,")


def test_a_mapped_header_that_is_absent_lists_the_files_headers(tmp_path: Path) -> None:
    fault = the_error(csv_of(tmp_path, "名称,核定床位数\n甲,3\n"), columns={"places": "核定床位"})
    assert fault.text() == (
        "there is no column '核定床位', to which the study maps 'places'. Did you mean '核定床位数'? "
        "The file has: 名称, 核定床位数."
    )


def test_a_second_column_of_the_same_meaning_is_noted(tmp_path: Path) -> None:
    table = read_table(csv_of(tmp_path, "名称,床位数,托位数\n甲,3,4\n"))
    assert table.frame["places"].tolist() == ["3"]
    assert [fault.text() for fault in noted(table)] == [
        "column '床位数': 'places' is taken from this column; not used: 托位数. "
        "Map another one in [facilities.columns] if it is meant."
    ]


def table_of(folder: Path, header: str, *values: str) -> SourceTable:
    return read_table(csv_of(folder, "\n".join([f"名称,{header}", *(f'甲,"{value}"' for value in values)])))


def test_numbers_are_read_in_full_width_and_with_thousands_separators(tmp_path: Path) -> None:
    faults: list[Fault] = []
    read = numbers(table_of(tmp_path, "床位数", "３０", "1,200", " 4.5 ", ""), "places", faults)
    np.testing.assert_array_equal(read, [30.0, 1200.0, 4.5, np.nan])
    assert faults == []


def test_marks_for_unknown_are_noted_and_words_are_errors(tmp_path: Path) -> None:
    faults: list[Fault] = []
    # without a quantity, as for coordinates, nothing but a plain number will do
    read = numbers(table_of(tmp_path, "床位数", "—", "约30张", "inf"), "places", faults)
    assert np.isnan(read).all()
    assert [(fault.row, fault.severity, fault.found) for fault in faults] == [
        ("2", "noted", "—"),
        ("3", "error", "约30张"),
        ("4", "error", "inf"),
    ]
    assert faults[1].text() == (
        "row 3, column '床位数': is not a number (found '约30张'). "
        "Write a plain number; leave the cell blank where it is unknown."
    )


def test_a_unit_in_the_header_is_converted_and_told(tmp_path: Path) -> None:
    faults: list[Fault] = []
    table = read_table(csv_of(tmp_path, "名称,投资（万元）,建筑面积（坪）\n甲,80,10\n"), kind="candidates")
    assert numbers(table, "cost_yuan", faults, quantity="cost_yuan").tolist() == [800_000.0]
    assert numbers(table, "area_m2", faults, quantity="area_m2").tolist() == [10.0]
    assert [(fault.code, fault.severity) for fault in faults] == [("unit_converted", "repaired"), ("unknown_measure", "noted")]


def test_codes_stored_as_numbers_are_written_out_and_noted(tmp_path: Path) -> None:
    faults: list[Fault] = []
    file = xlsx_of(
        tmp_path, [["编号", "名称"], [140602001001.0, "甲"], ["140602001002.0", "乙"], ["140602001003", "丙"], [None, "丁"]]
    )
    assert codes(read_table(file), "id", faults) == ["140602001001", "140602001002", "140602001003", ""]
    assert [fault.text() for fault in faults] == [
        "sheet '登记表', column '编号': 2 code(s) were stored as numbers and are written out as text again"
    ]
    assert faults[0].severity == "repaired"


def test_a_hexadecimal_id_is_not_taken_for_a_spoilt_number(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert codes(table_of(tmp_path, "编号", "8e12", "12E5"), "id", faults) == ["8e12", "12E5"]
    assert faults == []


def test_ids_are_made_of_file_and_row_where_there_are_none(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert ids(read_table(csv_of(tmp_path, "名称,床位数\n甲,3\n乙,4\n", name="elders.csv")), faults) == ["elders-2", "elders-3"]
    assert [fault.code for fault in faults] == ["ids_made"]


def test_a_blank_id_is_an_error(tmp_path: Path) -> None:
    faults: list[Fault] = []
    ids(read_table(csv_of(tmp_path, "编号,名称\n,甲\n")), faults)
    assert faults[0].text() == "row 2, column '编号': the id is blank. Fill it in, or delete the row."


def test_names_fall_back_to_the_id(tmp_path: Path) -> None:
    faults: list[Fault] = []
    table = read_table(csv_of(tmp_path, "编号,床位数\nA1,3\n"))
    assert names(table, ["A1"], faults) == ["A1"]
    assert faults[0].en == "there is no name column; the id serves as name"


def test_years_come_from_years_dates_and_text(tmp_path: Path) -> None:
    faults: list[Fault] = []
    dates = [2019, datetime.date(2020, 5, 3), "2021年5月", "2022-01-02", "—", None, "去年"]
    table = read_table(xlsx_of(tmp_path, [["名称", "投用年份"], *(["甲", value] for value in dates)]))
    np.testing.assert_array_equal(years(table, "opened", faults), [2019, 2020, 2021, 2022, np.nan, np.nan, np.nan])
    assert [fault.text() for fault in faults] == [
        "sheet '登记表', row 6, column '投用年份': taken as unknown (found '—')",
        "sheet '登记表', row 8, column '投用年份': is not a year (found '去年'). Write a year of four digits, such as 2021.",
    ]


def test_values_are_told_as_a_planner_sees_them() -> None:
    assert [as_text(value) for value in (3.0, 3.5, None, float("nan"), pd.NaT, pd.NA, " a ")] == ["3", "3.5", "", "", "", "", "a"]


def test_nearest_gives_nothing_for_a_strange_word() -> None:
    assert nearest("完全不同", ["运营", "开工"]) == ""


@pytest.mark.parametrize(
    ("written", "value", "how"),
    [
        ("约30张", 30.0, "approximate"),
        ("30余张", 30.0, "approximate"),
        ("≥30", 30.0, "approximate"),
        ("30张左右", 30.0, "approximate"),
        ("30-40", 30.0, "range"),
        ("30张~40张", 30.0, "range"),
        ("30张", 30.0, "unit"),
        ("1.2万", 12_000.0, "unit"),
        ("1,200", 1200.0, "exact"),
        ("-5", -5.0, "exact"),
        ("1e3", 1000.0, "exact"),
        ("三十五张", 35.0, "words"),
        ("一千二百", 1200.0, "words"),
        ("十", 10.0, "words"),
        ("二〇", 20.0, "words"),
        ("暂无", np.nan, "unknown"),
        ("#N/A", np.nan, "unknown"),
        ("40-30", np.nan, "none"),
        ("30/40", np.nan, "none"),
        ("30亩", np.nan, "none"),
        ("30-40亩", np.nan, "none"),
        ("十十", np.nan, "none"),
        ("一二十", 12.0, "none"),
        ("三百亩", np.nan, "none"),
        ("很多", np.nan, "none"),
    ],
)
def test_figures_are_read_as_registers_write_them(written: str, value: float, how: str) -> None:
    found = figure_of(written, {"张": 1.0, "人": 1.0})
    assert found.how == how
    if how != "none":
        np.testing.assert_equal(found.value, value)


def test_of_a_range_the_lower_end_counts_and_every_one_is_told(tmp_path: Path) -> None:
    faults: list[Fault] = []
    table = table_of(tmp_path, "床位数（张）", "30-40", "约50", "60张", "七十", "80")
    assert numbers(table, "places", faults, quantity="places").tolist() == [30.0, 50.0, 60.0, 70.0, 80.0]
    assert [fault.text() for fault in faults] == [
        "row 2, column '床位数（张）': is a range; its lower end counts: taken as 30 (found '30-40')",
        "row 3, column '床位数（张）': is a rough figure: taken as 50 (found '约50')",
        "row 4, column '床位数（张）': has its unit beside the number: taken as 60 张 (found '60张')",
        "row 5, column '床位数（张）': is a number in Chinese characters: taken as 70 (found '七十')",
    ]
    assert {fault.severity for fault in faults} == {"repaired"}
    assert faults[0].text("zh") == "第 2 行，“床位数（张）”列：是区间，取下限，按 30 计（现为“30-40”）"


@pytest.mark.parametrize(
    ("written", "year", "how"),
    [
        ("2021年3月1日", 2021.0, "exact"),
        ("2021.10", 2021.0, "exact"),
        ("2021-03-01 00:00:00", 2021.0, "exact"),
        ("202103", 2021.0, "exact"),
        ("20210301", 2021.0, "exact"),
        ("2021年底", 2021.0, "exact"),
        ("建于2015", 2015.0, "approximate"),
        ("44256", 2021.0, "date"),
        ("二〇二一年三月", 2021.0, "words"),
        ("2019-2021", 2019.0, "approximate"),
        ("98年", 1998.0, "approximate"),
        ("30年", 2030.0, "approximate"),
        ("100", np.nan, "none"),
        ("九八年", np.nan, "none"),
        ("待定", np.nan, "unknown"),
    ],
)
def test_years_are_read_in_every_form(written: str, year: float, how: str) -> None:
    found = year_of(None, written)
    assert found.how == how
    np.testing.assert_equal(found.value, year)


def test_the_columns_taken_are_listed_once_a_file(tmp_path: Path) -> None:
    table = read_table(csv_of(tmp_path, "机构名称,经度,纬度,核定床位,联系电话,备注\n甲,1,2,3,,x\n"))
    (fault,) = [fault for fault in table.faults if fault.code == "columns_matched"]
    assert fault.text() == (
        "columns: name = 机构名称, lon = 经度, lat = 纬度, places = 核定床位; not used: 备注. "
        "Map them in [facilities.columns] where this is wrong."
    )
    assert fault.text("zh") == (
        "列的对应：name = 机构名称, lon = 经度, lat = 纬度, places = 核定床位；未用的列：备注。"
        "如有误，请在 [facilities.columns] 中指定。"
    )


def test_a_code_of_eleven_digits_is_no_telephone(tmp_path: Path) -> None:
    # 130981 is Botou; with five digits more it looks like a mobile number
    table = read_table(csv_of(tmp_path, "编号,名称\n13098100101,甲\n13098100102,乙\n"))
    assert table.frame["id"].tolist() == ["13098100101", "13098100102"]


def test_a_birthday_that_never_was_makes_no_citizens_number() -> None:
    # the check character fits, the thirtieth of February does not: 0230 in place of 1231
    digits = "11010519490230002"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11]
    assert not is_citizen_number(digits + check)
    assert is_citizen_number("11010519491231002X")


def test_text_in_another_encoding_than_supposed_is_doubted() -> None:
    # Big5 bytes are valid GB18030, but hardly any of the characters they give is in common use
    found = decode("護理養樂機構總數臺灣廳縣".encode("big5"))
    assert (found.encoding, found.doubtful) == ("GB18030", True)
    assert not decode("护理机构总数".encode("gbk")).doubtful


def test_bytes_with_zeros_that_are_no_utf16_are_not_taken_for_it() -> None:
    assert decode(b"a,\x00b\n").encoding == "UTF-8"
    # as UTF-16 the third and fourth byte would be half a character; as UTF-8 they are one
    assert decode(b"\x00,\xd8\x80a\n").encoding == "UTF-8"


def test_osm_features_are_those_that_the_xml_holds() -> None:
    file = DATA / "shenzhen_nanshan" / "nanshan.osm"
    if not file.is_file():
        pytest.skip(f"{file} is not here")
    wanted = {"school", "kindergarten"}
    tagged = [
        f"{item.tag}/{item.get('id')}"
        for item in ElementTree.parse(file).getroot()
        if any(tag.get("k") == "amenity" and tag.get("v") in wanted for tag in item.iter("tag"))
    ]
    checked = read_osm_features(file, {"amenity": ["school", "kindergarten"]})
    told = [fault.row for fault in checked.faults]
    assert sorted([*checked.table.index, *told]) == sorted(tagged)
    assert set(checked.table["type"]) <= wanted
    assert checked.table.geometry.is_valid.all()


def test_osm_features_can_be_any_of_a_key(tmp_path: Path) -> None:
    osm = '<osm version="0.6"><node id="7" lat="31.2" lon="121.5"><tag k="social_facility" v="nursing_home"/></node></osm>'
    file = csv_of(tmp_path, osm, name="t.osm")
    assert read_osm_features(file, {"social_facility": "*"}).table["type"].tolist() == ["nursing_home"]


def test_wan_in_the_cell_and_in_the_header_multiply_once(tmp_path: Path) -> None:
    faults: list[Fault] = []
    table = table_of(tmp_path, "建筑面积（万平方米）", "1.2万", "1.2")
    assert numbers(table, "area_m2", faults, quantity="area_m2").tolist() == [12_000.0, 12_000.0]
    # a header's 亩 is not what the cell's 万 says: 1.2万亩 is 12,000 · 2,000 / 3 m²
    table = table_of(tmp_path, "建筑面积（亩）", "1.2万")
    assert numbers(table, "area_m2", faults, quantity="area_m2").tolist() == pytest.approx([8_000_000.0])


def test_a_number_in_words_that_could_be_two_is_not_read(tmp_path: Path) -> None:
    faults: list[Fault] = []
    # 一百五 is said of 150; 一百零五 is 105
    values = numbers(table_of(tmp_path, "床位数", "一百五", "一千二", "一百零五"), "places", faults, quantity="places")
    np.testing.assert_array_equal(values, [np.nan, np.nan, 105.0])
    assert [fault.code for fault in faults] == ["not_a_number", "not_a_number", "number_in_words"]


def test_telephone_numbers_within_words_are_taken_out_and_each_cell_is_told(tmp_path: Path) -> None:
    text = "编号,机构名称,运营方,床位数\n"
    text += "13800138000,幸福里12号院（138-0013-8000）,王主任13900139000,30\nB,乙,热线0349-2022333,40\n"
    table = read_table(csv_of(tmp_path, text))
    assert texts(table, "name") == ["幸福里12号院", "乙"]
    assert texts(table, "operator") == ["王主任", "热线"]
    assert texts(table, "id") == ["13800138000", "B"]
    assert [(fault.row, fault.column, fault.found) for fault in table.faults if fault.code == "number_removed"] == [
        ("2", "机构名称", ""),
        ("2", "运营方", ""),
        ("3", "运营方", ""),
    ]


def test_formulas_without_a_stored_value_are_told(tmp_path: Path) -> None:
    # openpyxl writes formulas and no values, as Excel never does
    file = xlsx_of(tmp_path, [["名称", "床位数"], ["甲", "=10+20"], ["乙", 40]])
    said = [fault.text() for fault in read_table(file).faults if fault.code == "formula_without_value"]
    assert said == [
        "sheet '登记表': 1 cell(s) hold formulas without a stored value (the first is B2) and read as blank. "
        "Open it in Excel and save it once."
    ]
    plain = xlsx_of(tmp_path, [["名称", "床位数"], ["甲", 30]], name="u.xlsx")
    assert not [fault for fault in read_table(plain).faults if fault.code == "formula_without_value"]


@pytest.mark.parametrize(
    ("footer", "shown"),
    [
        ("填表人：王某某 联系电话：0000-0000000,,", "填表人…"),
        ("填表人：王某某,联系电话：0349-2022333,", "填表人…"),
        ("合计,,12", "合计"),
    ],
)
def test_a_footer_is_named_without_those_it_names(tmp_path: Path, footer: str, shown: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"编号,名称,床位数\nA1,甲,12\n{footer}\n", encoding="utf-8")
    table = read_table(file)
    assert len(table.rows) == 1
    assert [fault.found for fault in table.faults if fault.row == "3"] == [shown]
    assert "王某某" not in str(table.faults)
    assert "0000" not in str(table.faults)
