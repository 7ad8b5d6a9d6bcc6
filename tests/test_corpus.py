"""At least sixty bad or odd files, each with its defined outcome: read right with a note, or one error with its cure."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from corpus import CASES, UTM, Case

from careshed.intake import read_facilities
from careshed.schema import Checked, InputError

AREA = (121.4, 31.1, 121.6, 31.3)
LAYERS = (".gpkg", ".shp", ".geojson", ".parquet", ".osm")


def read(case: Case, folder: Path) -> Checked[gpd.GeoDataFrame]:
    file = case.make(folder)
    own: dict[str, object] = {"crs_out": UTM, "area": AREA}
    if file.suffix not in LAYERS:
        own |= {"crs": "EPSG:4326", "datum": "WGS-84"}
    if "crs" in case.how:
        own["datum"] = None
    return read_facilities(file, **{**own, **case.how})


def column(table: gpd.GeoDataFrame, name: str) -> list[object]:
    """Give a column, or the longitude or latitude of the points (areas by their centre)."""
    if name in ("lon", "lat"):
        points = table.geometry.to_crs("EPSG:4326")
        return (points.x if name == "lon" else points.y).tolist()
    return table[name].tolist()


def test_the_corpus_has_at_least_sixty_files_named_for_their_defects() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", [case for case in CASES if not case.error], ids=lambda case: case.name)
def test_a_file_that_can_be_read_loses_no_row_in_silence(case: Case, tmp_path: Path) -> None:
    checked = read(case, tmp_path)
    codes = [fault.code for fault in checked.faults]
    assert set(case.says) <= set(codes), codes
    assert codes.count("columns_matched") == 1
    # rows in = rows out + rows reported as left out, and no row is both
    left_out = {fault.row for fault in checked.faults if fault.severity == "dropped" and fault.row}
    assert case.rows == len(checked.table) + len(left_out)
    assert not left_out & set(checked.table["row"])
    assert not checked.table.geometry.isna().any()
    for name, wanted in case.values.items():
        found = column(checked.table, name)
        if isinstance(wanted[0], str):
            assert found == wanted
        else:
            np.testing.assert_allclose(np.array(found, dtype=float), np.array(wanted, dtype=float), rtol=0, atol=2e-6)


@pytest.mark.parametrize("case", [case for case in CASES if case.error], ids=lambda case: case.name)
def test_a_file_that_cannot_be_used_says_where_what_and_how_to_cure_it(case: Case, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(case, tmp_path)
    errors = [fault for fault in caught.value.faults if fault.severity == "error"]
    assert case.error in [fault.code for fault in errors], caught.value
    assert all(fault.file and fault.zh and fault.en and fault.cure_zh and fault.cure_en for fault in errors)
    told = caught.value.text("zh")
    assert all(fault.cure_zh in told for fault in errors)


@pytest.mark.parametrize("case", [case for case in CASES if "contact_column" in case.says], ids=lambda case: case.name)
def test_no_personal_value_leaves_the_reader(case: Case, tmp_path: Path) -> None:
    checked = read(case, tmp_path)
    said = " ".join(fault.text() + fault.text("zh") for fault in checked.faults)
    written = said + checked.table.drop(columns="geometry").to_csv()
    assert not any(secret in written for secret in ("张三", "2022333", "13800138", "11010519491231002X"))


TOLD = {
    "easting_of_another_zone": (
        "the eastings begin with 39, the zone of meridian 117°, but CGCS2000 / 3-degree Gauss-Kruger zone 40 has 120° "
        "(found '39930030'). State crs as one of EPSG:4527 / EPSG:2363 / EPSG:2415 (CGCS2000 / Xi'an 80 / Beijing 54)."
    ),
    "metres_without_a_system": (
        'the coordinate system is not stated. State crs in [[facilities]] of the study, for example crs = "EPSG:4326" for '
        "longitude and latitude, and datum. The eastings begin with 40: EPSG:4528 (CGCS2000), EPSG:2364 (Xi'an 80) or EPSG:2416 "
        "(Beijing 54)."
    ),
    "id_numbers": (
        "column '联系电话': 3 cell(s) hold citizens' ID numbers. "
        "Lists of persons are not read: delete the ID numbers and try again."
    ),
    "a_contact_column_mapped": (
        "column '联系人': the study maps 'operator' to a column that concerns persons; it is not read. "
        "Map another column in [facilities.columns]."
    ),
    "rows_without_header": (
        "no header row is found (found 'A1, 青松站, 养老服务站, 121.5, 31.2, 30'). Put a row of column names above the data, "
        "such as: 编号, 名称, 经度, 纬度,"
    ),
    "web_page_called_a_workbook": (
        "is a web page saved under this name, not a workbook. Open it in Excel and save it as .xlsx (rename text to .csv)."
    ),
    "text_called_a_workbook": "is a text file, not a workbook.",
    "shapefile_without_dbf": "its part dengji.dbf is missing. Copy .shp, .shx, .dbf and .prj together.",
    "shapefile_with_fewer_attributes": ("cannot be read; it is probably truncated or damaged (3 shapes, 2 rows of attributes)."),
    "osm_without_the_tag": "nothing in the file has the tags amenity=school. Check the tags, or take another extract.",
    "tags_asked_of_a_csv": "is not an OSM file. Use one of .osm.pbf, .pbf, .osm, .osm.gz, .osm.bz2.",
    "status_misspelt": "row 2, column '状态': is not a known word (found '营运'). Did you mean '运营'? Accepted: 运营, 运营中,",
    "survey_axes_x_north": (
        "row 2: longitude and latitude (or east and north) look swapped (found '(3452300, 40512345)'). "
        "Exchange the two coordinates of these rows; where all rows are so, write swapped = true in the study."
    ),
    "row_of_sums": "row 5: is a row of sums, not a record (found '合计')",
    "headings_of_groups": "row 2: is a heading of a group, not a record (found '一、朔城区')",
    "note_below_the_table": "row 5: is a note, not a record (found '注：数据截至2023年底')",
    "header_repeated_on_every_page": "row 5: repeats the header (found '编号')",
    "merged_header_in_two_rows": "sheet 'Sheet': the header is in rows 2–3; what stands above it is a title",
    "two_row_header_in_a_csv": "the header takes rows 1–2",
    "merged_cells_down_the_rows": (
        "sheet 'Sheet', row 2–3, column '状态': merged cells: the value holds for each of their rows (found '在建')"
    ),
    "merged_beds_count_once": (
        "sheet 'Sheet', row 2–3, column '床位数': merged cells: the value counts for the first row only (found '30')"
    ),
    "zone_before_the_easting": "the zone before the eastings is taken off (found '40643917')",
    "zone_missing_before_the_easting": "the zone is put before the eastings (found '643917')",
    "swapped_and_exchanged_on_request": "the two coordinates are exchanged, as the study asks for",
    "xian_80": (
        "the shift from Xi'an 80 to WGS-84 is known here only to tens of metres. "
        "Ask the natural resources bureau for local parameters, or for the data in CGCS2000."
    ),
    "beijing_54": "the shift from Beijing 54 to WGS-84 is known here only to tens of metres.",
    "header_says_baidu": (
        "column '百度经度': the header speaks of BD-09, which the study does not state. If so, write datum = \"BD-09\"."
    ),
    "degrees_minutes_seconds": "column '经度': 2 value(s) in degrees, minutes and seconds are read as degrees",
    "date_serials": "column '投用时间': 3 date(s) were stored as serial numbers (such as 44256) and are read as dates",
    "years_in_chinese": "row 2, column '投用时间': taken as the year 2021 (found '二〇二一年')",
    "utf8_with_a_broken_character": "row 4: characters are broken and stand as �. Export it again from its source as UTF-8.",
    "shapefile_name_cut_in_a_character": "row 3: characters are broken and stand as �. Export it again from its source.",
    "text_saved_in_a_wrong_encoding": "row 4: the text is garbled (it was saved once in a wrong encoding).",
    "shapefile_with_a_wrong_cpg": "the .cpg states utf-8, which does not fit",
    "osm_with_an_open_way": "row way/9: forms no closed area and is left out",
    "contact_columns": "column '联系电话': concerns persons; it is dropped and never written out",
}
"""File -> how one of its faults begins."""


@pytest.mark.parametrize("name", TOLD)
def test_what_is_said_of_a_file_is_said_in_plain_words(name: str, tmp_path: Path) -> None:
    (case,) = [case for case in CASES if case.name == name]
    try:
        faults = read(case, tmp_path).faults
    except InputError as stopped:
        faults = stopped.faults
    assert any(fault.text("en").startswith(TOLD[name]) for fault in faults), [fault.text("en") for fault in faults]
