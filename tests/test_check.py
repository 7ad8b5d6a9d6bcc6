"""The audit: planted defects are found, each where it is, and the clean demo has no errors."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Point

from careshed.check import CheckReport, Finding, check_faults, check_study
from careshed.check.case import Case, case_of, unit_people
from careshed.check.datums import datums
from careshed.check.duplicates import alike
from careshed.check.figures import robust_z
from careshed.check.ground import lost_people, off_street, outlines, shut_in
from careshed.check.model import ranked
from careshed.datum import gcj02_from_wgs84
from careshed.network import build_network
from careshed.report.check_fix import FixResult, fix_study
from careshed.schema import Fault, InputError
from careshed.study import Study, open_study

if TYPE_CHECKING:
    from careshed.run import RunResult

Rows = list[list[str]]


def edit_csv(path: Path, change: Callable[[Rows], None]) -> None:
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    change(rows)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")


def plant_childcare(rows: Rows) -> None:
    # columns: 编号,名称,类型,经度,纬度,托位数,建筑面积,运营性质,状态,开办年份,所属单位代码,备注
    rows[2][10] = ""  # row 3: unit blank, 13 m from the border of two
    rows[9][10] = ""  # row 10: unit blank, 390 m inside
    rows[3][5], rows[3][6] = "900", "600"  # row 4: 600 / 900 = 0.67 m² a place
    rows[4][10] = "990109999999"  # row 5: no such unit
    rows[5][2] = "托儿小站屋"  # row 6: a type of nobody's
    rows.append(["TY999", *rows[1][1:]])  # the last row agrees with row 2 in all but its id


def plant_kindergartens(rows: Rows) -> None:
    rows[1][10] = "990101102203" if rows[1][10] != "990101102203" else "990101101201"  # row 2: a village kilometres off
    rows[2][3], rows[2][4], rows[2][10] = "123.079000", "35.444000", ""  # row 3: into the corner, far from any street
    rows.append(["YE998", "朝霞双语幼儿园", *rows[4][2:]])  # the very spot of row 5 under another name


def plant_elders(path: Path) -> None:
    from openpyxl import load_workbook

    book = load_workbook(path)
    page = book["登记表"]
    at = {cell.value: cell.column for cell in page[1]}
    page.cell(10, at["床位数"]).value = None  # row 10: beds missing
    page.cell(4, at["护理型床位"]).value = 99  # row 4: more nursing beds than beds
    page.cell(5, at["床位数"]).value, page.cell(5, at["建筑面积"]).value = 900, 36000  # row 5: 900 beds, 40 m² each
    page.cell(6, at["建筑面积"]).value = 36000  # row 6: thousands of m² for a few beds
    page.cell(47, at["开办年份"]).value, page.cell(47, at["停业年份"]).value = 2022, 2012  # row 47: closed before it opened
    page.cell(8, at["状态"]).value, page.cell(8, at["开办年份"]).value = "运营", 2031  # row 8: opens in 2031
    page.cell(9, at["状态"]).value, page.cell(9, at["停业年份"]).value = "运营", 2020  # row 9: closed in 2020, still operating
    book.save(path)


def plant_sites(rows: Rows, spot: list[str]) -> None:
    # columns: 编号,名称,类型,可设服务,经度,纬度,…,所属单位代码,备注
    rows[18][3], rows[18][4], rows[18][5], rows[18][9] = "day_care", *spot  # row 19: on the first elder-care station


@pytest.fixture(scope="module")
def folder(demo: RunResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo's files with one defect of each kind planted."""
    home = tmp_path_factory.mktemp("planted") / "town"
    shutil.copytree(demo.study.folder, home)
    first = demo.study.facility_table.loc["YL001"]
    place = gpd.GeoSeries([first.geometry], crs=demo.study.crs).to_crs("EPSG:4326").iloc[0]
    edit_csv(home / "childcare.csv", plant_childcare)
    edit_csv(home / "kindergartens.csv", plant_kindergartens)
    spot = [f"{place.x:.6f}", f"{place.y:.6f}", str(first["unit"])]
    edit_csv(home / "candidates.csv", lambda rows: plant_sites(rows, spot))
    plant_elders(home / "elder_care.xlsx")
    return home


@pytest.fixture(scope="module")
def clean(demo: RunResult) -> CheckReport:
    return check_study(demo.study)


@pytest.fixture(scope="module")
def study(folder: Path) -> Study:
    return open_study(folder)


@pytest.fixture(scope="module")
def report(study: Study) -> CheckReport:
    network = build_network(study.streets, mode=study.mode("day_care"), crs=study.crs, snap_m=study.snap_m)
    return check_study(study, network)


@pytest.fixture(scope="module")
def case(demo: RunResult) -> Case:
    return case_of(demo.study)


def key(one: Finding) -> tuple[str, str, str]:
    return one.kind, one.file, one.row


def of_kind(report: CheckReport, kind: str) -> Finding:
    """The finding of a kind that is in a planted file."""
    found = [one for one in report.findings if one.kind == kind and (kind, one.file, one.row) in PLANTED]
    assert len(found) == 1
    return found[0]


CHILD, SCHOOL, ELDER = "childcare.csv", "kindergartens.csv", "elder_care.xlsx"

PLANTED = {
    ("unit_blank", CHILD, "3"), ("unit_blank", CHILD, "10"),
    ("crowded", CHILD, "4"), ("unknown_unit", CHILD, "5"), ("unknown_type", CHILD, "6"),
    ("duplicate", CHILD, "22"), ("outside_unit", SCHOOL, "2"), ("off_street", SCHOOL, "3"), ("same_place", SCHOOL, "37"),
    ("no_places", ELDER, "10"), ("nursing", ELDER, "4"), ("capacity", ELDER, "5"), ("floor_area", ELDER, "6"),
    ("years", ELDER, "47"), ("future", ELDER, "8"), ("shut", ELDER, "9"), ("on_existing", "candidates.csv", "19"),
}  # fmt: skip


def test_the_clean_demo_has_no_errors_and_only_true_doubts(clean: CheckReport) -> None:
    # the demo has one name twice (two villages' kindergartens) and lists spare rooms of kindergartens that hold toddlers already
    assert clean.counts()["error"] == 0
    assert {one.kind for one in clean.findings if one.weight == "doubt"} == {"same_name", "on_existing"}


def test_every_planted_defect_is_found_and_nothing_else(clean: CheckReport, report: CheckReport) -> None:
    before = {key(one) for one in clean.findings}
    assert {key(one) for one in report.findings if one.kind != "reading"} - before == PLANTED


def test_each_finding_says_where_what_and_what_to_do(report: CheckReport) -> None:
    one = of_kind(report, "crowded")
    # 600 m² for 900 places: 0.67 m² each
    assert (one.weight, one.column, one.value, one.text("en")) == ("error", "托位数", "900", "leaves 0.7 m² to each place")
    assert one.text("zh") == "每床（位）只有 0.7 平方米"
    assert "register's keeper" in one.proposal("en")
    elders = of_kind(report, "no_places")
    assert (elders.sheet, elders.column, elders.value) == ("登记表", "床位数", "")


def test_a_blank_unit_on_a_border_is_left_to_a_person(report: CheckReport) -> None:
    blank = [one for one in report.findings if one.kind == "unit_blank"]
    border, inside = sorted(blank, key=lambda one: int(one.row))
    assert border.fix is None
    assert "It lies 13 m from the border of" in border.proposal("en")
    assert inside.fix is not None
    assert inside.fix.after == ("990102001005",)


def test_the_unit_proposed_is_the_one_the_place_lies_in(report: CheckReport) -> None:
    one = of_kind(report, "outside_unit")
    assert one.weight == "error"
    assert "990101002004" in one.proposal("en")  # where the register had it before
    assert "outside its declared unit" in one.text("en")


def test_an_unknown_type_is_told_with_the_nearest_known(report: CheckReport) -> None:
    one = of_kind(report, "unknown_type")
    assert (one.weight, one.column, one.value) == ("doubt", "类型", "托儿小站屋")
    assert "托" in one.proposal("zh")


def test_people_of_a_facility_are_those_whose_nearest_of_its_service_it_is(demo: RunResult, case: Case) -> None:
    # an independent count: for each child its nearest operating childcare, summed with pandas
    result = next(one for one in demo.services if one.service.id == "childcare")
    nearest = result.times.nearest_facility
    weight = demo.study.cells["p0_3"].to_numpy()
    at = int(np.flatnonzero(nearest >= 0)[0])
    row = int(nearest[at])
    expected = sum(weight[cell] for cell in range(len(weight)) if nearest[cell] == row)
    place = demo.study.facility_table.index.get_loc(result.times.facilities.index[row])
    assert case.people[place] == pytest.approx(expected)
    assert case.basis[place] == "nearest"


def test_people_of_a_facility_without_a_service_are_those_of_its_unit(demo: RunResult, case: Case) -> None:
    place = demo.study.facility_table.index.get_loc("WS001")
    unit = demo.study.facility_table.loc["WS001", "unit"]
    cells = demo.study.cells
    assert case.basis[place] == "unit"
    assert case.people[place] == pytest.approx(cells.loc[cells["unit"] == unit, "total"].sum())


def test_residents_of_a_unit_hold_those_of_the_units_below() -> None:
    units = gpd.GeoDataFrame({"parent": ["", "a", "b"]}, index=["a", "b", "c"], geometry=[None] * 3)
    cells = gpd.GeoDataFrame({"total": [1.0, 2.0, 4.0, 8.0], "unit": ["a", "b", "c", ""]}, geometry=[Point(0, 0)] * 4)
    # c: 4; b: 2 + 4; a: 1 + 6; the 8 in no unit count nowhere
    assert unit_people(cells, units, "total") == {"a": 7.0, "b": 6.0, "c": 4.0}


def test_findings_are_ranked_by_the_people_they_concern(report: CheckReport) -> None:
    people = [round(one.people) for one in report.findings]
    assert people == sorted(people, reverse=True)
    assert people[0] > 0


def test_where_nobody_is_counted_the_gravest_come_first() -> None:
    blank = ("f", "", "2", "", "", "", "", "", "")
    found = ranked([Finding("reading", "note", *blank), Finding("years", "error", *blank), Finding("capacity", "doubt", *blank)])
    assert [one.weight for one in found] == ["error", "doubt", "note"]


def test_people_in_no_unit_and_near_no_street_are_counted(case: Case) -> None:
    cells = case.study.cells
    unit = cells["unit"].astype(str).to_numpy(dtype=object).copy()
    peopled = np.flatnonzero(cells["total"].to_numpy() > 0)[:2]
    unit[peopled[0]] = ""
    lost = np.full(len(cells), "", dtype="<U5")
    lost[peopled[1]] = "far"
    people = replace(case.study.population, cells=cells.assign(unit=unit))
    found = lost_people(replace(case, study=replace(case.study, population=people), lost_cells=lost))
    assert [(one.kind, one.people, one.basis) for one in found] == [
        ("people_outside", cells["total"].iloc[peopled[0]], "place"),
        ("people_off_street", cells["total"].iloc[peopled[1]], "place"),
    ]
    assert found[0].file == "units.gpkg"


def test_people_shut_in_by_barriers_are_told_by_unit_and_ranked_with_the_rest(case: Case, clean: CheckReport) -> None:
    # The same people by another road: what the travel times call "barrier", summed by pandas.
    cells = case.study.cells
    lost = cells[(case.lost_cells == "barrier") & (cells["total"] > 0)]
    expected = lost.groupby(lost["unit"].astype(str))["total"].agg(["sum", "count"]).sort_values("sum", ascending=False)
    told = [one for one in clean.findings if one.kind == "people_shut_in"]
    assert len(told) > 1
    assert [one.value.split()[-1] for one in told] == expected.index.tolist()
    assert [one.people for one in told] == pytest.approx(expected["sum"].tolist())
    assert [one.text("en").split()[0] for one in told] == [str(n) for n in expected["count"]]
    assert {(one.weight, one.basis, one.file) for one in told} == {("note", "place", "streets.osm.pbf")}
    assert told[0].proposal("en") == "Draw the gate ([[barriers.gates]]) or the street that leads there"
    assert "个格网到每条街道都隔着水面、铁路、高速公路或围墙，无法判断是否可达" in told[0].text("zh")
    assert told[0].heading("zh") == "人口四周被阻隔"


def test_people_shut_in_whom_the_study_joins_regardless_are_told_so(case: Case) -> None:
    config = case.study.config
    barriers = config.barriers.model_copy(update={"behind": "nearest"})
    study = replace(case.study, config=config.model_copy(update={"barriers": barriers}))
    told = shut_in(replace(case, study=study))
    assert told[0].text("en").endswith("before every street: they join the nearest street regardless, as the study says")
    assert "按研究文件仍接入最近的街道" in told[0].text("zh")


def test_a_facility_shut_in_by_barriers_is_an_error_of_its_own(case: Case) -> None:
    mine = np.zeros(len(case.facilities), dtype=bool)
    mine[3] = True
    none = np.zeros(len(case.study.cells), dtype=bool)
    planted = replace(case, shut_in=mine, shut_cells=none)
    (told,) = shut_in(planted)
    row = case.facilities.iloc[3]
    assert (told.kind, told.weight, told.row, told.basis) == ("shut_in", "error", str(row["row"]), "unit")
    assert told.people == case.unit_people[row["unit"]]
    assert told.text("en") == "has water, a railway, a motorway or walls before every street within 150 m: nobody reaches it"
    assert told.text("zh") == "150 米内的街道都隔着水面、铁路、高速公路或围墙，视为无人可达"
    assert told.proposal("zh").startswith("核对坐标；补画大门")
    assert off_street(planted) == off_street(case)


def test_a_unit_in_the_sea_is_empty_and_an_overlap_is_told_with_its_people(case: Case) -> None:
    from careshed.check.ground import empty_units

    units = case.study.units.copy()
    first, second = units.index[units["level"] == "community"][:2]
    units.loc[first, "geometry"] = units.geometry[first].union(units.geometry[second])
    study = replace(case.study, units=units)
    found = outlines(replace(case, study=study))
    living = float(case.study.cells.loc[case.study.cells["unit"] == second, "total"].sum())
    overlap = [one for one in found if "overlaps" in one.en]
    assert [one.weight for one in overlap] == ["doubt"]
    assert overlap[0].people == pytest.approx(living, rel=0.02)  # cells on the border may count on either side
    empty = empty_units(replace(case, unit_people={**case.unit_people, first: 0.0}))
    assert [(one.kind, one.value.split()[-1]) for one in empty] == [("empty_unit", first)]
    assert empty[0].row  # the feature's number in the layer


def test_a_candidate_far_from_its_unit_is_told(case: Case) -> None:
    from careshed.check.ground import candidate_units

    sites = case.study.candidate_table.copy()
    wrong = case.study.units.index[case.study.units["level"] == "village"][0]
    sites.loc[sites.index[0], "unit"] = wrong
    found = candidate_units(replace(case, study=replace(case.study, candidate_table=sites)))
    assert wrong in found[0].value
    assert found[0].file == "candidates.csv"
    assert found[0].column == "所属单位代码"


def test_people_of_two_facilities_are_added_where_each_has_its_own(report: CheckReport, study: Study) -> None:
    # two childcare centres on one spot: ties go to the first, so that the second adds nothing; two kindergartens, which give no
    # service, share the residents of one unit: they count once
    kindergartens = of_kind(report, "same_place")
    assert kindergartens.basis == "unit"
    unit = study.facility_table.loc["YE998", "unit"]
    cells = study.cells
    assert kindergartens.people == pytest.approx(cells.loc[cells["unit"] == unit, "total"].sum())


def test_a_study_that_cannot_be_opened_gives_a_report_of_its_faults(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "town")
    edit_csv(tmp_path / "town" / CHILD, lambda rows: rows[1].__setitem__(3, "0"))
    with pytest.raises(InputError) as caught:
        open_study(tmp_path / "town")
    found = check_faults(tmp_path / "town" / "study.toml", caught.value.faults)
    first = found.findings[0]
    assert (found.study, first.weight, first.kind, first.file, first.row) == ("study.toml", "error", "reading", CHILD, "2")
    assert first.proposal("zh")


def test_a_study_without_facilities_and_sites_is_checked_too(study: Study) -> None:
    empty = replace(
        study, facility_table=study.facility_table.iloc[:0], candidate_table=study.candidate_table.iloc[:0], faults=()
    )
    assert {one.kind for one in check_study(empty).findings} == {"people_shut_in"}


def moved_to_gcj02(table: gpd.GeoDataFrame, times: int) -> gpd.GeoDataFrame:
    """Move places as a map service does, once or twice, as if nobody had said so."""
    x, y = table.to_crs("EPSG:4326").geometry.x.to_numpy(), table.to_crs("EPSG:4326").geometry.y.to_numpy()
    for _ in range(times):
        x, y = gcj02_from_wgs84(x, y)
    return table.set_geometry(gpd.GeoSeries(gpd.points_from_xy(x, y), index=table.index, crs="EPSG:4326").to_crs(table.crs))


def test_a_list_in_another_datum_is_told_with_the_datum_to_write(case: Case) -> None:
    sites = case.study.candidate_table
    assert datums(case) == []
    (once,) = datums(replace(case, study=replace(case.study, candidate_table=moved_to_gcj02(sites, 1))))
    assert (once.kind, once.weight, once.file, once.column, once.value) == ("datum", "doubt", "candidates.csv", "经度", "WGS-84")
    assert once.proposal("en") == 'If that is right, write datum = "GCJ-02" in the study'
    (twice,) = datums(replace(case, study=replace(case.study, candidate_table=moved_to_gcj02(sites, 2))))
    assert twice.proposal("en") == "Go back to the file from before it was converted"


def test_a_namesake_far_off_is_only_doubtful(clean: CheckReport) -> None:
    one = next(one for one in clean.findings if one.kind == "same_name")
    assert one.weight == "doubt"
    assert "has name and type of kindergartens.csv, row" in one.en


def test_what_the_readers_told_is_in_the_report(demo: RunResult) -> None:
    fault = Fault("closed", "childcare.csv", "已停业", "is closed", row="9", severity="dropped", people=3.0)
    repeated = Fault("columns_matched", "childcare.csv", "列的对应", "columns", severity="noted")
    report = check_study(replace(demo.study, faults=(fault, repeated)))
    told = [one for one in report.findings if one.kind == "reading"]
    assert [(one.weight, one.en, one.row, one.people) for one in told] == [("doubt", "is closed", "9", 3.0)]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("青松社区养老服务站", "青松养老服务站", True),
        ("城东幼儿园", "城西幼儿园", False),  # sisters, told apart by a direction
        ("第一幼儿园", "第二幼儿园", False),
        ("甲站", "甲站", True),
        ("春晖托育中心", "银杏早教馆", False),
    ],
)
def test_spellings_of_one_name_are_told_from_sisters(first: str, second: str, same: bool) -> None:
    assert alike(first, second) is same


def test_robust_z_needs_a_spread() -> None:
    assert np.isnan(robust_z(np.array([5.0, 5.0, 5.0, 90.0]))).all()
    assert np.isnan(robust_z(np.array([np.nan, 0.0]))).all()


@pytest.fixture(scope="module")
def fixed(study: Study, report: CheckReport, tmp_path_factory: pytest.TempPathFactory) -> FixResult:
    return fix_study(study, report, tmp_path_factory.mktemp("fixed"))


def test_repaired_copies_hold_the_repairs_and_nothing_else(study: Study, fixed: FixResult) -> None:
    assert [path.name for path in fixed.copies] == ["elder_care.fixed.xlsx", "childcare.fixed.csv"]
    before = list(csv.reader((study.folder / CHILD).read_text(encoding="utf-8-sig").splitlines()))
    after = list(csv.reader(fixed.copies[1].read_text(encoding="utf-8-sig").splitlines()))
    expected = [row[:] for row in before[:-1]]  # the last row agreed with row 2 and is gone
    expected[9][10] = "990102001005"  # where the town's own register had it; row 3, on a border, stays blank
    assert after == expected


def test_years_are_exchanged_in_the_workbook(fixed: FixResult) -> None:
    from openpyxl import load_workbook

    book = load_workbook(fixed.copies[0])
    page = book["登记表"]
    at = {cell.value: cell.column for cell in page[1]}
    assert (page.cell(47, at["开办年份"]).value, page.cell(47, at["停业年份"]).value) == (2012, 2022)
    assert "说明" in book.sheetnames


def test_the_log_names_file_row_before_and_after(fixed: FixResult) -> None:
    assert fixed.log is not None
    lines = list(csv.reader(fixed.log.read_text(encoding="utf-8-sig").splitlines()))
    assert lines[0] == ["文件", "副本", "工作表", "行", "列", "原值", "新值", "结果"]
    assert ["childcare.csv", "childcare.fixed.csv", "", "10", "所属单位代码", "", "990102001005", "已修正"] in lines
    assert ["childcare.csv", "childcare.fixed.csv", "", "22", "编号", "TY999", "（删去该行）", "已修正"] in lines
    assert ["elder_care.xlsx", "elder_care.fixed.xlsx", "登记表", "47", "停业年份", "2012", "2022", "已修正"] in lines
    # the unit of row 10, row 22 of which every cell is logged, and the years of row 47
    assert fixed.done == 3
    deleted = [line[4] for line in lines if line[3] == "22"]
    assert deleted == [
        "编号",
        "名称",
        "类型",
        "经度",
        "纬度",
        "托位数",
        "建筑面积",
        "运营性质",
        "状态",
        "开办年份",
        "所属单位代码",
        "备注",
    ]


def test_nothing_is_ever_overwritten(study: Study, report: CheckReport, fixed: FixResult) -> None:
    held = {path: path.read_bytes() for path in fixed.copies}
    own = (study.folder / CHILD).read_bytes()
    again = fix_study(study, report, fixed.copies[0].parent)
    assert [path.name for path in again.copies] == ["elder_care.fixed-2.xlsx", "childcare.fixed-2.csv"]
    assert again.log is not None
    assert again.log.name == "fixes-2.csv"
    assert {path: path.read_bytes() for path in fixed.copies} == held
    assert (study.folder / CHILD).read_bytes() == own
    # the same repairs give the same bytes
    assert [path.read_bytes() for path in again.copies] == list(held.values())


def test_a_second_audit_of_the_copies_finds_no_more_of_what_was_repaired(folder: Path, fixed: FixResult, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "town")
    shutil.copy(fixed.copies[0], tmp_path / "town" / ELDER)
    shutil.copy(fixed.copies[1], tmp_path / "town" / CHILD)
    kinds = {one.kind for one in check_study(open_study(tmp_path / "town")).findings}
    assert not kinds & {"duplicate", "years"}
    assert {"crowded", "unit_blank"} <= kinds  # need a person's judgement


def repeated_and_blank(rows: Rows) -> None:
    rows.append(["TY999", *rows[1][1:]])
    rows[-1][10] = ""  # the copy of row 2 has no unit: where it lies says the same


def test_a_row_that_differs_in_id_and_a_blank_unit_alone_is_deleted_at_once(demo: RunResult, tmp_path: Path) -> None:
    shutil.copytree(demo.study.folder, tmp_path / "town")
    edit_csv(tmp_path / "town" / CHILD, repeated_and_blank)
    study = open_study(tmp_path / "town")
    done = fix_study(study, check_study(study))
    assert (done.done, len(done.copies)) == (1, 1)
    assert done.log is not None
    # the blank cell of the deleted row is not said to be filled in too
    after = [line[6] for line in csv.reader(done.log.read_text(encoding="utf-8-sig").splitlines())][1:]
    assert set(after) == {"（删去该行）"}
    shutil.copy(done.copies[0], tmp_path / "town" / CHILD)
    again = open_study(tmp_path / "town")
    assert fix_study(again, check_study(again)) == FixResult((), None, 0)


def test_a_file_that_changed_since_the_check_is_left_alone(folder: Path, report: CheckReport, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "town")
    edit_csv(tmp_path / "town" / CHILD, lambda rows: rows[9].__setitem__(10, "990101001001"))
    result = fix_study(open_study(tmp_path / "town"), report, lang="en")
    assert result.log is not None
    assert result.log.parent == tmp_path / "town"
    assert "not repaired: the file no longer holds the value that was checked" in result.log.read_text(encoding="utf-8-sig")


def test_where_nothing_is_to_repair_nothing_is_written(demo: RunResult, clean: CheckReport, tmp_path: Path) -> None:
    assert fix_study(demo.study, clean, tmp_path) == FixResult((), None, 0)
    assert list(tmp_path.iterdir()) == []
