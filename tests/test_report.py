"""Reports: what a committee opens holds the figures, keeps text as text, and is the same bytes every time."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from shapely import Point, box

from careshed.report import plan_words, write_coverage, write_faults, write_gaps, write_layer, write_sites
from careshed.schema import Fault
from careshed.siting import SitePlan

CRS = "EPSG:32651"  # central meridian 123° E: x = 500,000 lies on it
EASTING, NORTHING = 500_000, 4_000_000
DEGREES = gpd.GeoSeries([Point(EASTING, NORTHING)], crs=CRS).to_crs(4326).iloc[0]


@pytest.fixture
def plan() -> SitePlan:
    sites = gpd.GeoDataFrame(
        {
            "rank": [1, 2],
            "name": ["旧小学", '=HYPERLINK("http://x")'],
            "kind": ["闲置学校", "诊所"],
            "unit": ["S1", "S2"],
            "unit_name": ["鼓楼街道", ""],
            "people_new": [1240.4, 60.0],
            "people_cumulative": [4240.4, 4300.4],
            "share_cumulative": [0.42404, 0.43004],
            "for_unit": ["S1", ""],
            "reason_zh": ["新增覆盖 1,240 名3岁以下婴幼儿；鼓楼街道此前没有此类设施", "新增覆盖 60 名3岁以下婴幼儿"],
            "reason_en": ["Newly reaches 1,240 children under 3", "Newly reaches 60 children under 3"],
            "cost_yuan": [1_200_000.0, np.nan],
            "places": [40.0, np.nan],
            "area_m2": [320.5, np.nan],
        },
        index=pd.Index(["K07", "-9"], name="candidate_id"),
        geometry=[Point(EASTING, NORTHING), Point(EASTING + 1000, NORTHING)],
        crs=CRS,
    )
    return SitePlan(
        sites=sites,
        people_total=10_000.0,
        people_covered_before=3_000.0,
        people_covered_after=4_300.4,
        bound=4_300.4,
        gap=0.0,
        status="optimal",
        bound_by="lagrangian",
        method="greedy",
        reproducible=True,
        group="p0_3",
        limit_minutes=15,
        limit_metres=None,
        n_asked=3,
        findings=(Fault("fewer_sites_suffice", "", "2 处即可", "2 sites suffice", severity="noted"),),
        units_without_before=("S1",),
        units_without_after=(),
    )


@pytest.fixture
def table() -> pd.DataFrame:
    # 200 of 1,000 people; 50 cannot be judged, so the share lies between 20 % and 25 %.
    return pd.DataFrame(
        {
            "name": ["", "鼓楼街道", "@河西"],
            "level": ["", "street", "street"],
            "minutes": 15,
            "group": "p60",
            "people": [1000.0, 600.0, 400.0],
            "covered": [200.0, 200.0, 0.0],
            "share": [0.2, 1 / 3, 0.0],
            "unjudged": [50.0, 0.0, 50.0],
            "share_low": [0.2, 1 / 3, 0.0],
            "share_high": [0.25, 1 / 3, 0.125],
        },
        index=pd.Index(["ALL", "140602001", "140602002"], name="unit_id"),
    )


@pytest.fixture
def gaps() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "people": [812.0, 30.0],
            "cells": [14, 1],
            "unit": ["S1", "S2"],
            "unit_name": ["鼓楼街道", "河西街道"],
            "minutes_nearest": [22.25, np.nan],
            "nearest_facility": ["F1", ""],
            "nearest_name": ["幸福站", ""],
            "unjudged": [0.0, 30.0],
        },
        index=pd.Index(["G1", "G2"], name="gap_id"),
        geometry=[box(EASTING - 100, NORTHING - 100, EASTING + 100, NORTHING + 100), Point(EASTING, NORTHING)],
        crs=CRS,
    )


def page(path: Path, at: int = 0):
    return openpyxl.load_workbook(path).worksheets[at]


def header_row(sheet) -> int:
    """The row above the frozen pane."""
    return int(sheet.freeze_panes.lstrip("A")) - 1


def columns(sheet) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[header_row(sheet)]}


def above(sheet) -> str:
    return "\n".join(str(sheet.cell(row, 1).value) for row in range(1, header_row(sheet)) if sheet.cell(row, 1).value)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


# ---------------------------------------------------------------- site list


def test_the_site_workbook_holds_the_figures_with_their_formats(plan, tmp_path):
    sheet = page(write_sites(tmp_path / "sites.xlsx", plan))
    at, first = columns(sheet), header_row(sheet) + 1
    people = sheet.cell(first, at["新增覆盖人数"])
    share = sheet.cell(first, at["累计覆盖率（占全部3岁以下婴幼儿 10,000 人）"])
    assert (people.value, people.number_format) == (1240.4, "#,##0")
    assert (share.value, share.number_format) == (0.42404, "0.0%")
    assert sheet.cell(first, at["编号"]).value == "K07"
    assert sheet.cell(first, at["所在单元"]).value == "鼓楼街道"
    assert sheet.cell(first + 1, at["所在单元"]).value == "S2"  # no name: the code
    assert sheet.cell(first, at["理由"]).value == "新增覆盖 1,240 名3岁以下婴幼儿；鼓楼街道此前没有此类设施"
    assert sheet.cell(first + 1, at["造价（元）"]).value is None  # unknown is empty, not 0
    assert sheet.cell(first, at["经度"]).value == pytest.approx(DEGREES.x, abs=1e-6) == pytest.approx(123.0, abs=1e-6)
    assert sheet.cell(first, at["纬度"]).value == pytest.approx(DEGREES.y, abs=1e-6)


def test_the_site_workbook_says_above_the_list_what_was_asked_and_how_good_it_is(plan, tmp_path):
    sheet = page(write_sites(tmp_path / "a.xlsx", plan, study_name="青湾市", made_up=True, data_date="2025-06-30"))
    assert above(sheet).splitlines() == [
        "青湾市 · 选址清单：3岁以下婴幼儿，15 分钟内",
        "虚构数据，仅供演示",
        "3岁以下婴幼儿共 10,000 人。现有设施 15 分钟内覆盖 3,000 人（30.0%）；2 处选址全部建成后覆盖 4,300 人（43.0%）。",
        "已证明最优：在同样的候选点、选址数和规则下，没有别的选法能覆盖更多人（依据：本软件以整数运算复核的拉格朗日上限）。",
        "“每单元至少一处”：原有 1 个单元没有设施，建成后剩 0 个。",
        "要求至多 3 处，选出 2 处；按新增覆盖人数由多到少排序。经纬度为 WGS-84。",
        "数据日期：2025-06-30",
    ]


def test_the_site_workbook_speaks_english(plan, tmp_path):
    sheet = page(write_sites(tmp_path / "a.xlsx", plan, lang="en", made_up=True))
    told = above(sheet)
    assert "Ranked sites: children under 3 within 15 minutes" in told
    assert "Made-up data, for demonstration only" in told
    assert (
        "10,000 children under 3 in all. Within 15 minutes, existing facilities reach 3,000 (30.0%); with all 2 sites built"
        in told
    )
    assert "Proven optimal: with these candidates, this many sites and these rules, no choice reaches more" in told
    assert "Share so far of all 10,000 children under 3" in columns(sheet)
    assert sheet.cell(header_row(sheet) + 1, columns(sheet)["Reason"]).value == "Newly reaches 1,240 children under 3"


def test_a_gap_is_told_in_people_and_as_a_share(plan):
    # 26 more of 1,300.4 newly reached: 2.00 %.
    loose = replace(plan, bound=4_326.4, gap=26 / 1300.4, status="feasible", bound_by="highs", reproducible=False)
    assert plan_words(loose, "zh")[1] == (
        "上限 4,326 人：任何选法至多再多覆盖 26 人，即新增覆盖的 2.00%（依据：HiGHS 求解器的分支定界）。"
        "计算因安全时限中止，换一台机器可能得到更好的方案。"
    )
    assert plan_words(loose, "en")[1] == (
        "No choice can reach more than 4,326: at most 26 more people, 2.00% of those newly reached "
        "(by the branch and bound of the HiGHS solver). Stopped by the safety time limit; another machine may find a better plan."
    )


def test_metres_and_nobody_at_all_are_told_plainly(plan):
    empty = replace(
        plan, people_total=0.0, people_covered_before=0.0, people_covered_after=0.0, limit_minutes=None, limit_metres=300
    )
    assert plan_words(replace(empty, units_without_before=()), "en") == (
        "0 children under 3 in all. Within 300 m, existing facilities reach 0; with all 2 sites built, 0.",
        "Proven optimal: with these candidates, this many sites and these rules, no choice reaches more "
        "(by our own Lagrangian bound in whole numbers).",
    )


def test_text_that_looks_like_a_formula_stays_text_in_the_workbook(plan, tmp_path):
    sheet = page(write_sites(tmp_path / "a.xlsx", plan))
    cell = sheet.cell(header_row(sheet) + 2, columns(sheet)["名称"])
    assert (cell.value, cell.data_type, cell.quotePrefix) == ('=HYPERLINK("http://x")', "s", True)
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_control_characters_do_not_break_the_workbook(plan, tmp_path):
    sites = plan.sites.assign(name=["旧\x07小学", "b"])
    sheet = page(write_sites(tmp_path / "a.xlsx", replace(plan, sites=sites)))
    assert sheet.cell(header_row(sheet) + 1, columns(sheet)["名称"]).value == "旧 小学"


def test_the_page_is_ready_to_read_and_print(plan, tmp_path):
    sheet = page(write_sites(tmp_path / "a.xlsx", plan))
    head = header_row(sheet)
    assert sheet.auto_filter.ref == f"A{head}:N{head + 2}"
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToWidth, sheet.print_title_rows) == (
        "landscape",
        1,
        f"${head}:${head}",
    )
    for cell in sheet[head]:  # a header wraps into at most four lines of its column
        width = sheet.column_dimensions[cell.column_letter].width
        assert sum(2 if ord(sign) > 0x2E80 else 1 for sign in cell.value) <= 4 * (width - 3)


def test_findings_stand_on_the_second_sheet(plan, tmp_path):
    path = write_sites(tmp_path / "a.xlsx", plan, made_up=True)
    sheet = page(path, 1)
    assert sheet.title == "问题与提示"
    assert "虚构数据，仅供演示" in above(sheet)
    assert sheet.cell(header_row(sheet) + 1, columns(sheet)["问题"]).value == "2 处即可"
    assert len(openpyxl.load_workbook(write_sites(tmp_path / "b.xlsx", replace(plan, findings=()))).worksheets) == 1


def test_the_site_csv_opens_in_excel_and_disarms_formulas(plan, tmp_path):
    path = write_sites(tmp_path / "sites.csv", plan, made_up=True)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    first, second = rows_of(path)
    assert first["编号"] == "K07"
    assert first["新增覆盖人数"] == "1240.4"
    assert first["累计覆盖率（占全部3岁以下婴幼儿 10,000 人）"] == "42.4%"
    assert first["造价（元）"] == "1200000"
    assert first["经度"] == f"{DEGREES.x:.6f}".rstrip("0").rstrip(".")
    assert first["备注"] == "虚构数据，仅供演示"
    assert (second["名称"], second["编号"]) == ('\'=HYPERLINK("http://x")', "'-9")
    assert second["造价（元）"] == ""
    assert "备注" not in rows_of(write_sites(tmp_path / "b.csv", plan))[0]


def test_negative_and_round_numbers_are_no_formulas_in_csv(gaps, tmp_path):
    west = gaps.set_geometry([Point(400_000, -100_000), Point(EASTING, NORTHING)], crs="EPSG:32601")
    first, _ = rows_of(write_gaps(tmp_path / "g.csv", west, lang="en"))
    assert first["Longitude"].startswith("-17")  # a number, without apostrophe
    assert first["People not reached"] == "812"


def test_the_site_geojson_is_wgs84_with_six_decimals_and_says_what_it_is(plan, tmp_path):
    told = json.loads(write_sites(tmp_path / "s.geojson", plan, study_name="青湾市", made_up=True).read_text(encoding="utf-8"))
    assert (told["type"], told["made_up"], told["study"], told["bound"], told["status"]) == (
        "FeatureCollection",
        True,
        "青湾市",
        4300.4,
        "optimal",
    )
    first, second = told["features"]
    assert first["id"] == first["properties"]["id"] == "K07"
    assert first["geometry"] == {"type": "Point", "coordinates": [round(DEGREES.x, 6), round(DEGREES.y, 6)]}
    assert (first["properties"]["rank"], first["properties"]["share_cumulative"]) == (1, 0.42404)
    assert second["properties"]["cost_yuan"] is None


def test_a_plan_without_sites_is_written_too(plan, tmp_path):
    empty = replace(plan, sites=plan.sites.iloc[:0])
    sheet = page(write_sites(tmp_path / "a.xlsx", empty))
    assert sheet.max_row == header_row(sheet)
    assert rows_of(write_sites(tmp_path / "a.csv", empty)) == []
    assert json.loads(write_sites(tmp_path / "a.geojson", empty).read_text(encoding="utf-8"))["features"] == []


@pytest.mark.parametrize("suffix", [".xlsx", ".csv", ".geojson"])
def test_the_same_plan_gives_the_same_bytes(plan, tmp_path, suffix):
    first = write_sites(tmp_path / f"a{suffix}", plan).read_bytes()
    second = write_sites(tmp_path / "deeper" / f"b{suffix}", plan).read_bytes()
    assert first == second
    assert not list(tmp_path.glob(".*"))  # nothing left aside


def test_another_suffix_is_refused_with_the_choice(plan, tmp_path):
    with pytest.raises(ValueError, match=r"sites.pdf: cannot write '.pdf'; choose .xlsx or .csv or .geojson"):
        write_sites(tmp_path / "sites.pdf", plan)
    with pytest.raises(ValueError, match=r"sites: cannot write 'a file without suffix'"):
        write_sites(tmp_path / "sites", plan)


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_file_that_excel_holds_open_is_left_as_it_was(plan, tmp_path, suffix, monkeypatch):
    path = tmp_path / f"sites{suffix}"
    path.write_bytes(b"earlier")

    def held(*_):
        raise PermissionError("in use")

    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(PermissionError, match=rf"sites{suffix} is open in another program: close it, then run again"):
        write_sites(path, plan)
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------- coverage, gaps, faults


def test_the_coverage_workbook_begins_with_all_in_bold_and_gives_both_bounds(table, tmp_path):
    sheet = page(write_coverage(tmp_path / "c.xlsx", table, study_name="青湾市", made_up=True, data_date="2025"))
    at, first = columns(sheet), header_row(sheet) + 1
    assert above(sheet).startswith("青湾市 · 覆盖情况：60岁及以上老人，15 分钟内\n虚构数据，仅供演示\n")
    assert (sheet.cell(first, at["名称"]).value, sheet.cell(first, at["名称"]).font.bold) == ("全部", True)
    assert sheet.cell(first, at["覆盖率（占本单元人数）"]).value == 0.2
    assert sheet.cell(first, at["覆盖率上限（其均已覆盖）"]).value == 0.25
    assert sheet.cell(first, at["覆盖率上限（其均已覆盖）"]).number_format == "0.0%"
    assert sheet.cell(first + 1, at["代码"]).value == "140602001"  # text, so no 1.40602E+08
    assert (sheet.cell(first + 1, at["级别"]).value, sheet.cell(first + 1, at["名称"]).font.bold) == ("街道", False)
    assert sheet.cell(first + 2, at["15 分钟内可到达的人数"]).value == 0.0


def test_the_coverage_csv_speaks_english(table, tmp_path):
    everyone, _, west = rows_of(write_coverage(tmp_path / "c.csv", table, lang="en"))
    assert (everyone["Name"], everyone["Share of the unit's people"]) == ("All", "20.0%")
    assert (west["Name"], west["People within 15 minutes"], west["People who cannot be judged"]) == ("'@河西", "0", "50")
    assert west["Level"] == "street (jiedao)"


def test_coverage_by_metres_or_of_nothing_has_a_title_too(table, tmp_path):
    metres = table.drop(columns="minutes").assign(metres=500.0)
    assert above(page(write_coverage(tmp_path / "m.xlsx", metres))).startswith("覆盖情况：60岁及以上老人，500 米内")
    assert rows_of(write_coverage(tmp_path / "n.csv", table.iloc[:0])) == []


def test_gaps_say_how_far_the_nearest_is_or_that_there_is_none(gaps, tmp_path):
    sheet = page(write_gaps(tmp_path / "g.xlsx", gaps, group="p60"))
    at, first = columns(sheet), header_row(sheet) + 1
    assert above(sheet).startswith("服务缺口：60岁及以上老人\n2 处缺口，共 842 人在限值内到不了任何设施")
    minutes = sheet.cell(first, at["到最近设施（分钟）"])
    assert (minutes.value, minutes.number_format) == (22.25, "0.0")
    assert sheet.cell(first + 1, at["到最近设施（分钟）"]).value == "不可达"
    assert sheet.cell(first, at["经度"]).value == pytest.approx(DEGREES.x, abs=1e-5)


def test_gaps_as_geojson_keep_their_outline(gaps, tmp_path):
    told = json.loads(write_gaps(tmp_path / "g.geojson", gaps).read_text(encoding="utf-8"))
    first, second = told["features"]
    assert first["geometry"]["type"] == "Polygon"
    assert all(value == round(value, 6) for corner in first["geometry"]["coordinates"][0] for value in corner)
    assert (first["properties"]["minutes_nearest"], second["properties"]["minutes_nearest"]) == (22.25, None)


def test_a_place_without_geometry_has_no_coordinates(gaps, tmp_path):
    lost = gaps.set_geometry([None, Point(EASTING, NORTHING)], crs=CRS)
    first, _ = rows_of(write_gaps(tmp_path / "g.csv", lost))
    assert (first["经度"], first["纬度"]) == ("", "")
    assert json.loads(write_gaps(tmp_path / "g.geojson", lost).read_text(encoding="utf-8"))["features"][0]["geometry"] is None


def test_faults_are_listed_with_their_cure_and_the_people_affected(tmp_path):
    fault = Fault("far", "elders.xlsx", "离道路太远", "too far", cure_zh="核对坐标", row="12", severity="dropped", people=35)
    sheet = page(write_faults(tmp_path / "f.xlsx", [fault]))
    told = {name: sheet.cell(header_row(sheet) + 1, at).value for name, at in columns(sheet).items()}
    assert told["处理"] == "未采用"
    assert (told["文件"], told["行"], told["问题"], told["处理建议"], told["涉及人数"]) == (
        "elders.xlsx",
        "12",
        "离道路太远",
        "核对坐标",
        35,
    )
    (row,) = rows_of(write_faults(tmp_path / "f.csv", [replace(fault, people=0)], lang="en"))
    assert (row["Problem"], row["People affected"]) == ("too far", "")


@pytest.mark.parametrize("name", ["c.xlsx", "c.csv"])
def test_coverage_gaps_and_faults_are_the_same_bytes_every_time(table, gaps, tmp_path, name):
    for write in (lambda to: write_coverage(to, table), lambda to: write_gaps(to, gaps), lambda to: write_faults(to, [])):
        assert write(tmp_path / name).read_bytes() == write(tmp_path / f"again_{name}").read_bytes()


def test_any_layer_is_written_as_geojson_with_all_its_columns(tmp_path):
    bands = gpd.GeoDataFrame({"minutes": [5.0, 10.0]}, geometry=[box(500_000, 0, 500_100, 100)] * 2, crs="EPSG:32651")
    path = write_layer(tmp_path / "bands.geojson", bands, study_name="town", made_up=True)
    back = gpd.read_file(path)
    assert back["minutes"].tolist() == [5.0, 10.0]
    assert back.crs == "EPSG:4326"
    with pytest.raises(ValueError, match=r"cannot write '\.gpkg'"):
        write_layer(tmp_path / "bands.gpkg", bands)


def test_the_workbook_lists_the_sites_that_the_study_leaves_out(plan: SitePlan, tmp_path: Path) -> None:
    told = [
        Fault(
            "candidate_excluded",
            "闲置.csv",
            "建筑面积 80 平方米",
            "floor area 80 m²",
            row="7",
            found="旧仓库",
            severity="dropped",
        ),
        Fault(
            "candidate_excluded", "闲置.csv", "位于洪水区", "lies in a flood area", row="7", found="旧仓库", severity="dropped"
        ),
        Fault("contact_column", "闲置.csv", "已删除", "is dropped", severity="dropped"),
    ]
    book = openpyxl.load_workbook(write_sites(tmp_path / "a.xlsx", plan, excluded=told))
    cells = [[cell.value for cell in row] for row in book["未采用"].iter_rows()]
    assert ["闲置.csv", "7", "旧仓库", "建筑面积 80 平方米"] in [row[:4] for row in cells]
    assert ["闲置.csv", "7", "旧仓库", "位于洪水区"] in [row[:4] for row in cells]
    assert any("排除了 1 个候选点" in str(row[0]) for row in cells)
    assert "已删除" not in str(cells)
