"""What writing notebook 02 brought to light: each slip of the readers, the audit and the repairs, held down by a small case."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from openpyxl import Workbook, load_workbook
from shapely.geometry import Point
from test_check_fix import GONE, SWAP, book_source, text_source

from careshed.access import _squares
from careshed.check import Fix
from careshed.demand import read_margins
from careshed.intake.facilities import read_facilities
from careshed.intake.tables import read_table
from careshed.intake.units import read_units
from careshed.report.check_fix import _repaired


def test_a_line_that_says_who_filled_the_sheet_in_is_no_header(tmp_path: Path) -> None:
    book = Workbook()
    page = book.worksheets[0]
    for row in (
        ["设施汇总表（虚构）"],
        ["填报单位：虚构", "", "", "截至2025年6月"],
        ["序号", "名称", "坐标", ""],
        ["", "", "经度", "纬度"],
        [1, "青松站", 121.5, 31.2],
    ):
        page.append(row)
    for area in ("A1:D1", "C3:D3", "A3:A4", "B3:B4"):
        page.merge_cells(area)
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx")
    assert table.headers == {"name": "名称", "lon": "经度", "lat": "纬度"}
    assert [fault.zh for fault in table.faults if fault.code == "header_found"] == ["表头在第 3–4 行，其上为标题"]
    assert "未用的列：序号" in next(fault.zh for fault in table.faults if fault.code == "columns_matched")


def test_a_second_name_in_the_brackets_of_a_header_is_no_unit(tmp_path: Path) -> None:
    rows = "编号,名称,类型,经度,纬度,{},状态\nA1,甲,养老服务站,121.5,31.2,30,运营\n"
    told = {}
    for header in ("床位（托位）数", "床位数（间）"):
        (tmp_path / "a.csv").write_text(rows.format(header), encoding="utf-8")
        read = read_facilities(tmp_path / "a.csv", crs_out="EPSG:32651", crs="EPSG:4326", datum="WGS-84")
        assert read.table["places"].tolist() == [30.0]
        told[header] = [fault.zh for fault in read.faults if fault.code == "unknown_measure"]
    assert told == {"床位（托位）数": [], "床位数（间）": ["列名中的单位“间”未能识别，数值按原样采用"]}


def test_the_fields_of_survey_outlines_and_of_a_census_are_known(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"XZQDM": ["990101"], "XZQMC": ["虚构区"]}, geometry=[shapely.box(5e5, 39e5, 501e3, 3901e3)], crs="EPSG:32651"
    )
    frame.to_file(tmp_path / "a.gpkg")
    assert read_units(tmp_path / "a.gpkg", crs_out="EPSG:32651").table["name"].to_dict() == {"990101": "虚构区"}
    (tmp_path / "b.csv").write_text("区划代码,60岁及以上\n990101001,12\n", encoding="utf-8")
    assert read_margins(tmp_path / "b.csv").table["p60"].to_dict() == {"990101001": 12.0}


def test_merged_cells_above_a_row_do_not_keep_it_from_being_repaired(tmp_path: Path) -> None:
    rows: list[list[object]] = [["登记表", "", ""], ["编号", "开业", "停业"], ["A1", 2022, 2012], ["A1-2", 2022, 2012]]
    source = book_source(tmp_path / "a.xlsx", rows, merge="A1:C1")
    gone = Fix("delete_row", "a", "S", "4", ("编号",), ("A1-2",), ("",))
    content, why = _repaired(source, [SWAP, gone])
    assert why == ["", ""]
    assert content is not None
    (tmp_path / "b.xlsx").write_bytes(content)
    page = load_workbook(tmp_path / "b.xlsx")["S"]
    assert list(page.iter_rows(values_only=True))[1:] == [("编号", "开业", "停业"), ("A1", 2012, 2022)]
    assert [str(area) for area in page.merged_cells.ranges] == ["A1:C1"]


@pytest.mark.parametrize(("merge", "why"), [("A3:A4", "merged"), ("A4:B4", "merged"), ("A1:C1", "")])
def test_a_row_above_merged_cells_is_not_deleted(tmp_path: Path, merge: str, why: str) -> None:
    # deleting row 2 would leave the merged cells of rows 3 and 4 one row too low
    rows: list[list[object]] = [["编号", "", ""], ["A1", 1, 2], ["A2", 3, 4], ["A3", 5, 6]]
    assert _repaired(book_source(tmp_path / "a.xlsx", rows, merge=merge), [GONE])[1] == [why]


def test_years_in_words_are_exchanged_as_they_stand(tmp_path: Path) -> None:
    source = text_source(tmp_path / "a.csv", "编号,开业,停业\n,,\nA1,二〇二二年,2012年3月\n".encode())
    content, why = _repaired(source, [SWAP])
    assert why == [""]
    assert content is not None
    assert content.decode("utf-8-sig").splitlines()[2] == "A1,2012年3月,二〇二二年"


def test_squares_round_points_off_a_lattice_are_united_with_all_their_ground() -> None:
    # three squares of 40 m, 15 m apart along a slanting street, overlap and cross each other's sides
    x, y = np.array([0.0, 15.0, 30.0]), np.array([0.0, 7.0, 3.0])
    united = _squares(np.column_stack([x, y]), 20.0)
    expected = shapely.union_all([Point(a, b).buffer(20, cap_style="square") for a, b in zip(x, y, strict=True)])
    assert united.is_valid
    assert united.area == pytest.approx(expected.area)
    assert united.symmetric_difference(expected).area == pytest.approx(0.0, abs=1e-6)
