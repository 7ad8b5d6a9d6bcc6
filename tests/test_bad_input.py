"""Bad input ends in one error that names file, row and cure; each kind of the issue's list has its test."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import osmium
import pytest
import python_calamine
from test_study import ELDERS, STREETS, made_study, raster
from test_study import errors as all_errors

from careshed.schema import InputError
from careshed.study import open_study


def elders(folder: Path, text: str) -> None:
    (folder / "elders.csv").write_text(text, encoding="utf-8")


OPTION = ' To leave out the rows in error instead, write bad_rows = "leave_out" in the section of this file.'
"""Ends the cure of the first row in error of a register or list; tested in test_bad_rows.py."""


def errors(path: Path, lang: str = "en") -> list[str]:
    return [text.replace(OPTION, "") for text in all_errors(path, lang)]


def test_missing_columns_say_which_names_would_do(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    elders(tmp_path, "编号,名称,类型,所在经度,所在纬度\nA1,甲,日间照料中心,121.502,31.196\n")
    assert errors(path) == [
        "elders.csv: column 'lon' is missing. Accepted headers: 经度, lon, lng, long, "
        "longitude, x, x坐标, 东坐标, easting, point_x; "
        'or map your own with lon = "your header" in [facilities.columns].',
        "elders.csv: column 'lat' is missing. Accepted headers: 纬度, lat, "
        "latitude, y, y坐标, 北坐标, northing, point_y, 纬度坐标; "
        'or map your own with lat = "your header" in [facilities.columns].',
    ]
    mapped = '[[facilities]]\nfile = "elders.csv"\ncolumns = {lon = "所在经度", lat = "所在纬度"}'
    assert len(open_study(made_again(tmp_path, ('[[facilities]]\nfile = "elders.csv"', mapped))).facility_table) == 1


def made_again(folder: Path, *changes: tuple[str, str]) -> Path:
    """Change the study file, keeping the other files as they are."""
    kept = (folder / "elders.csv").read_bytes()
    path = made_study(folder, *changes)
    (folder / "elders.csv").write_bytes(kept)
    return path


def test_a_table_without_a_crs_is_refused(tmp_path: Path) -> None:
    path = made_study(tmp_path, ('file = "elders.csv"\ncrs = "EPSG:4326"', 'file = "elders.csv"'))
    assert errors(path) == [
        "elders.csv: the coordinate system is not stated. State crs in [[facilities]] of the study, "
        'for example crs = "EPSG:4326" for longitude and '
        "latitude, and datum."
    ]


def test_a_study_crs_in_degrees_is_refused(tmp_path: Path) -> None:
    assert errors(made_study(tmp_path, ('crs = "EPSG:32651"', 'crs = "EPSG:4490"'))) == [
        "study.toml: [study] crs: this is a CRS in degrees, in which distances cannot be measured (found 'EPSG:4490'). "
        "State a projected system in metres, or leave the key out for the UTM zone."
    ]


def test_degrees_in_a_projected_crs_are_recognised(tmp_path: Path) -> None:
    path = made_study(tmp_path, ('file = "elders.csv"\ncrs = "EPSG:4326"', 'file = "elders.csv"\ncrs = "EPSG:32651"'))
    assert errors(path) == [
        "elders.csv: the coordinates look like degrees, but WGS 84 / UTM zone 51N is in metres (found '(121.502, 31.196)'). "
        'State crs = "EPSG:4326" (or 4490) for longitude and latitude.'
    ]


def test_metres_in_a_geographic_crs_are_recognised(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    elders(tmp_path, "编号,名称,类型,x,y\nA1,甲,站,357200,3452300\n")
    assert errors(path) == [
        "elders.csv: the coordinates look like metres, but WGS 84 is in degrees (found '(357200, 3452300)'). "
        "State the projected coordinate system these metres belong to."
    ]


def test_swapped_coordinates_are_named_with_their_rows(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    elders(tmp_path, ELDERS.replace("121.502,31.196", "31.196,121.502").replace("121.507,31.197", "31.197,121.507"))
    with pytest.raises(InputError) as caught:
        open_study(path)
    assert caught.value.text("en").replace(OPTION, "").splitlines()[1:] == [
        "  elders.csv",
        "    - row 2, 5: longitude and latitude (or east and north) look swapped (found '(31.196, 121.502), (31.197, 121.507)'). "
        "Exchange the two coordinates of these rows; where all rows are so, write swapped = true in the study.",
    ]
    assert "第 2, 5 行：经纬度（或东、北坐标）看起来对调了" in caught.value.text("zh")


def test_swapped_metres_are_recognised_by_the_study_area(tmp_path: Path) -> None:
    # Chinese survey tables call the northing X and the easting Y
    path = made_study(tmp_path, ('file = "elders.csv"\ncrs = "EPSG:4326"', 'file = "elders.csv"\ncrs = "EPSG:32651"'))
    elders(tmp_path, "编号,名称,类型,x,y\nA1,甲,站,3452300,357200\n")
    told = errors(path)
    assert len(told) == 1
    assert told[0].startswith(
        "elders.csv: row 2: longitude and latitude (or east and north) look swapped (found '(3452300, 357200)')."
    )


def test_places_outside_the_study_area_are_named(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    elders(tmp_path, ELDERS.replace("121.506,31.197", "121.506,31.397").replace("121.507,31.197", "0,0"))
    assert errors(path) == [
        "elders.csv: row 4: lies more than 10 km outside the study area (found '(121.506, 31.397)'). "
        "Check the coordinates, crs and datum; delete the row if it truly lies elsewhere.",
        "elders.csv: row 5: lies at (0, 0) (found '(0, 0)'). Fill in the true coordinates, or delete the row.",
    ]


def test_degrees_out_of_range_and_blank_coordinates_are_named(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    elders(tmp_path, ELDERS.replace("121.502,31.196", "321.502,31.196").replace("121.506,31.198", "121.506,"))
    assert errors(path) == [
        "elders.csv: row 3: has no coordinates. Fill in the coordinates, or delete the row.",
        "elders.csv: row 2: longitude must lie within ±180 and latitude within ±90 (found '(321.502, 31.196)'). "
        "Correct the coordinates, or state the right coordinate system.",
    ]


def test_words_in_a_coordinate_are_told_once(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    elders(tmp_path, ELDERS.replace("121.502,31.196", "甲121.502,31.196"))
    assert errors(path) == [
        "elders.csv: row 2, column '经度': is not a number (found '甲121.502'). "
        "Write a plain number; leave the cell blank where it is unknown."
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "the file is empty (0 bytes). Export or download it again."),
        ("\n\n", "the table is empty. Add data, or take the file out of the study."),
        ("编号,名称,经度,纬度\n", "there is a header but no data. Add data, or take the file out of the study."),
    ],
)
def test_empty_tables_are_refused(tmp_path: Path, content: str, told: str) -> None:
    path = made_study(tmp_path)
    elders(tmp_path, content)
    assert errors(path) == [f"elders.csv: {told}"]


def test_an_empty_layer_is_refused(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    gpd.read_file(tmp_path / "units.gpkg").iloc[:0].to_file(tmp_path / "units.gpkg", layer="units")
    assert errors(path)[0] == "units.gpkg: the layer has no features. Add data, or take the file out of the study."


def test_a_truncated_pbf_is_refused(tmp_path: Path) -> None:
    path = made_study(tmp_path, ('"streets.osm"', '"streets.osm.pbf"'))
    whole = tmp_path / "whole.osm.pbf"
    with osmium.SimpleWriter(str(whole)) as writer:
        for item in osmium.FileProcessor(str(tmp_path / "streets.osm")):
            writer.add(item)
    (tmp_path / "streets.osm.pbf").write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(InputError) as caught:
        open_study(path)
    (fault,) = [fault for fault in caught.value.faults if fault.severity == "error"]
    assert fault.file == "streets.osm.pbf"
    assert fault.cure_en
    assert fault.cure_zh


@pytest.mark.parametrize(
    ("name", "keep"), [("units.gpkg", 3000), ("units.gpkg", 60_000), ("sites.xlsx", 900), ("total.tif", -100)]
)
def test_truncated_files_are_refused(tmp_path: Path, name: str, keep: int) -> None:
    path = made_study(tmp_path, ('"sites.csv"', '"sites.xlsx"')) if name == "sites.xlsx" else made_study(tmp_path)
    book = openpyxl.Workbook()
    for row in (["编号", "经度", "纬度"], ["C1", 121.503, 31.196]):
        book.active.append(row)
    book.save(tmp_path / "sites.xlsx")
    whole = (tmp_path / name).read_bytes()
    assert len(whole) > abs(keep)
    (tmp_path / name).write_bytes(whole[:keep])
    told = errors(path)
    assert len(told) == 1
    assert told[0].startswith(f"{name}: cannot be read; it is probably truncated or damaged (")
    assert told[0].endswith("Export, copy or download it again.")


def test_a_truncated_shapefile_loses_no_unit_in_silence(tmp_path: Path) -> None:
    # GDAL reads the features that are cut off as features without geometry and says nothing
    path = made_study(tmp_path, ('"units.gpkg"', '"units.shp"'))
    gpd.read_file(tmp_path / "units.gpkg").to_file(tmp_path / "units.shp", encoding="UTF-8")
    assert len(open_study(path).units) == 3
    whole = (tmp_path / "units.shp").read_bytes()
    (tmp_path / "units.shp").write_bytes(whole[:-50])
    size = len(whole)
    assert errors(path) == [
        f"units.shp: cannot be read; it is probably truncated or damaged ({size - 50} of {size} bytes). "
        "Export, copy or download it again."
    ]


def test_a_csv_with_an_unclosed_quote_is_refused(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    elders(tmp_path, ELDERS.replace("A1,甲", 'A1,"甲') + "x" * 200_000)
    assert errors(path) == [
        "elders.csv: cannot be read; it is probably truncated or damaged (field larger than field limit (131072)). "
        "Export, copy or download it again."
    ]


def test_a_workbook_with_a_password_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Locked:
        @staticmethod
        def from_path(path: Path) -> None:
            raise python_calamine.PasswordError(str(path))

    path = made_study(tmp_path, ('"sites.csv"', '"sites.xlsx"'))
    (tmp_path / "sites.xlsx").write_bytes(b"encrypted")
    monkeypatch.setattr(python_calamine, "CalamineWorkbook", Locked)
    assert errors(path) == ["sites.xlsx: the workbook is protected by a password. Save it without a password."]


def test_negative_population_is_refused(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    values = np.full((10, 10), 4.0)
    values[3, 6] = -7.0
    raster(tmp_path / "p60.tif", values)
    assert errors(path) == [
        "p60.tif: 1 cell(s) have negative population, the first in row 4, column 7 (found '-7'). "
        "If the value stands for no data, declare it (gdal_edit -a_nodata VALUE); else correct it."
    ]


def test_duplicate_ids_name_all_their_rows(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    elders(tmp_path, ELDERS.replace("A4,", "A1,").replace("A3,", "A1,"))
    with pytest.raises(InputError) as caught:
        open_study(path)
    assert caught.value.text("en").replace(OPTION, "").splitlines()[1:] == [
        "  elders.csv",
        "    - row 2, 4, 5, column '编号': id 'A1' occurs 3 times. Give every row an id of its own, or delete the repeated rows.",
    ]


def test_an_id_used_in_two_files_names_the_other(tmp_path: Path) -> None:
    second = '[[facilities]]\nfile = "more.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"\n\n[[candidates]]'
    path = made_study(tmp_path, ("[[candidates]]", second))
    (tmp_path / "more.csv").write_text("编号,类型,经度,纬度\nA2,助餐点,121.503,31.196\n", encoding="utf-8")
    assert errors(path) == [
        "more.csv: row 2: id 'A2' is used already in elders.csv, row 3. "
        "Give every facility or site an id of its own across the files."
    ]


def test_unknown_keys_in_the_study_file_come_with_suggestions(tmp_path: Path) -> None:
    path = made_study(tmp_path, ("within_minutes", "within_minuts"), ("made_up", "madeup"))
    assert errors(path) == [
        "study.toml: [study] madeup: unknown key. Did you mean made_up? Known here: name, lang, made_up, data_date, crs, snap_m.",
        "study.toml: [[service]] 1: within_minuts: unknown key. Did you mean within_minutes? "
        "Known here: id, name_zh, name_en, types, "
        "statuses, group, groups_shown, mode, mode_by, minutes, within_minutes, n_sites, at_least_one_per, "
        "budget_yuan, demand_rate, places_rule, travel_times, candidate_travel_times.",
    ]
    assert (
        errors(path, "zh")[0]
        == "study.toml: [study] madeup：未知的键。是否应为 made_up？可用：name, lang, made_up, data_date, crs, snap_m。"
    )


def test_missing_and_wrong_values_in_the_study_file_are_told_at_once(tmp_path: Path) -> None:
    path = made_study(
        tmp_path,
        ('name = "小镇"\n', ""),
        ('lang = "en"', 'lang = "fr"'),
        ("made_up = true", 'made_up = "yes"'),
        ("data_date = 2025-06-30", 'data_date = "June"'),
        ("minutes = [5, 10, 15]", "minutes = [5, 0, 15]"),
        ("n_sites = 2", "n_sites = -1"),
        ('types = ["助餐点"]', 'types = "助餐点"'),
        ('datum = "WGS-84"\n\n[compounds]', 'datum = "Mars"\n\n[compounds]'),
    )
    cure = "Correct the value."
    assert errors(path) == [
        "study.toml: [study] name: is missing. Add it; careshed init writes a template with comments.",
        f"study.toml: [study] lang: must be one of 'zh' or 'en' (found 'fr'). {cure}",
        f"study.toml: [study] made_up: must be true or false (found 'yes'). {cure}",
        f"study.toml: [study] data_date: must be a date, such as \"2025-06-30\" (found 'June'). {cure}",
        f"study.toml: [[candidates]] 1: datum: must be one of 'WGS-84', 'CGCS2000', 'GCJ-02' or 'BD-09' (found 'Mars'). {cure}",
        f"study.toml: [[service]] 1: minutes.1: must be greater than 0 (found '0'). {cure}",
        f"study.toml: [[service]] 1: n_sites: must be at least 0 (found '-1'). {cure}",
        f"study.toml: [[service]] 2: types: must be a list, such as [\"…\"] (found '助餐点'). {cure}",
    ]


def test_names_that_the_study_does_not_know_are_told_at_once(tmp_path: Path) -> None:
    path = made_study(
        tmp_path,
        ('mode = "adult"', 'mode = "adlut"'),
        ('"开工"', '"营运"'),
        ('["street"]', '["streets"]'),
        ("within_minutes = 15", "within_minutes = 20"),
        ('group = "p60"', 'group = "p65"'),
        ('id = "meals"', 'id = "day_care"'),
        ("[streets]", "[modes.oldr]\nspeed_kmh = 3\n\n[streets]"),
    )
    assert [text.removeprefix("study.toml: ") for text in errors(path)] == [
        "[[service]] id: 'day_care' occurs 2 times. Give each service an id of its own.",
        "[modes.oldr]: unknown mode (found 'oldr'). Did you mean older? "
        "Known: adult, car, cycle, e_bike, older, toddler, wheelchair.",
        "[[service]] 1: statuses: unknown status (found '营运'). Known: operating, building, reserve, 运营, 开工, 储备.",
        "[[service]] 1: at_least_one_per: unknown level of unit (found 'streets'). Did you mean street? "
        "Known: county, street, township, community, village, compound.",
        "[[service]] 1: within_minutes: must be at most the largest of minutes, 15 (found '20'). "
        "Add it to minutes, or make it smaller.",
        "[[service]] 2: mode: unknown mode (found 'adlut'). Did you mean adult? "
        "Known: adult, car, cycle, e_bike, older, toddler, wheelchair.",
        "[[service]] 1: group: the population has no such group (found 'p65'). Did you mean p60? Known: total, p60.",
        "[[service]] 1: groups_shown: the population has no such group (found 'p65'). Did you mean p60? Known: total, p60.",
    ]


def test_a_study_needs_rasters_or_a_table_of_people(tmp_path: Path) -> None:
    path = made_study(tmp_path, ('total = "total.tif"\np60 = "p60.tif"', ""))
    assert errors(path) == [
        "study.toml: [population]: needs exactly one of rasters, table, polygons, h3, buildings. "
        "See the template that careshed init writes."
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[study\n",
            "is not valid TOML (Expected ']' at the end of a table declaration (at line 1, column 7)). Put text in quotes",
        ),
        ('streets = "a.osm"\n', "[streets]: must be a section (table) (found 'a.osm'). Correct the value."),
        ("[map]\nzoom = 1\n", "[map] zoom: unknown key. Known here: tiles, attribution, tiles_key, approval_no."),
        ("[[facilities]]\nfile = 3\n", "[[facilities]] 1: file: must be text in quotes (found '3'). Correct the value."),
        (
            "[modes.older]\nsteps_factor = 0.5\n",
            "[modes.older] steps_factor: must be at least 1 (found '0.5'). Correct the value.",
        ),
    ],
)
def test_a_study_file_of_the_wrong_form_says_where(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    assert any(found.startswith(f"study.toml: {told}") for found in errors(tmp_path / "study.toml"))


def test_a_study_file_in_no_known_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_bytes(b"[study]\nname = '\xff\xff\x80'\n")
    assert errors(tmp_path / "study.toml")[0].startswith("study.toml: cannot be read; it is probably truncated or damaged")


def test_codes_that_excel_turned_into_numbers_are_refused(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    elders(tmp_path, ELDERS.replace("A1,", "1.40602E+11,").replace("zz", "1.40602E+11"))
    cure = "Set the column's format to Text in Excel first, then paste the codes again from their source."
    assert errors(path) == [
        f"elders.csv: "
        f"row 2, column '编号': is a code that Excel turned into a number: its digits are lost (found '1.40602E+11'). {cure}",
        f"elders.csv: "
        f"row 5, column '所属街道代码': is a code that Excel turned into a number: its digits are lost (found '1.40602E+11'). "
        f"{cure}",
    ]


def test_codes_of_more_than_fifteen_digits_stored_as_numbers_are_refused(tmp_path: Path) -> None:
    path = made_study(tmp_path, ('"sites.csv"', '"sites.xlsx"'))
    book = openpyxl.Workbook()
    for row in (["编号", "经度", "纬度"], [140602001001000123, 121.503, 31.196], [140602001001.0, 121.504, 31.196]):
        book.active.append(row)
    book.save(tmp_path / "sites.xlsx")
    told = errors(path)
    assert len(told) == 1
    assert told[0].startswith(
        "sites.xlsx: sheet 'Sheet', row 2, column '编号': is a code of more than 15 digits stored as a number"
    )


def test_faults_of_several_files_come_in_one_error(tmp_path: Path) -> None:
    path = made_study(tmp_path, ('mode = "adult"', 'mode = "bus"'))
    elders(tmp_path, ELDERS.replace("121.502,31.196", "0,0").replace("储备", "保密"))
    (tmp_path / "sites.csv").write_text("", encoding="utf-8")
    (tmp_path / "streets.osm").write_text(STREETS[:200], encoding="utf-8")
    raster(tmp_path / "p60.tif", np.full((10, 10), -4.0))
    (tmp_path / "units.gpkg").unlink()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError) as caught:
        open_study(path)
    files = [line.strip() for line in caught.value.text("en").splitlines() if line.startswith("  ") and line[2] != " "]
    assert files == ["study.toml", "streets.osm", "units.gpkg", "p60.tif", "elders.csv", "sites.csv"]
    assert caught.value.text("en").startswith("7 fault(s) in the input; nothing was written:")
    assert caught.value.text("zh").startswith("输入有 7 处错误，未写出任何文件：")
    assert sorted(tmp_path.iterdir()) == before
