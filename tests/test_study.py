"""A study of five small files, opened, asked and checked."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import Affine
from shapely.geometry import box

from careshed.cli.shared import plan_of, times_of
from careshed.modes import WALK_ADULT, WALK_OLDER
from careshed.schema import InputError
from careshed.study import Study, UnknownService, init_study, open_study
from careshed.study.rules import _TAKEN, _file_name_faults

# One square kilometre near 121.5 E, 31.2 N: UTM 51N, lower left corner 357,000 E 3,452,000 N, ten by ten cells of 100 m.
UTM = "EPSG:32651"
LEFT, LOW = 357_000.0, 3_452_000.0

STUDY = """
[study]
name = "小镇"
lang = "en"
made_up = true
data_date = 2025-06-30
crs = "EPSG:32651"

[streets]
file = "streets.osm"

[population.rasters]
total = "total.tif"
p60 = "p60.tif"

[units]
file = "units.gpkg"

[[facilities]]
file = "elders.csv"
crs = "EPSG:4326"
datum = "WGS-84"

[[candidates]]
file = "sites.csv"
crs = "EPSG:4326"
datum = "WGS-84"

[compounds]
file = "compounds.csv"

[[service]]
id = "day_care"
name_zh = "日间照料"
types = ["日间照料中心"]
statuses = ["运营", "开工"]
group = "p60"
mode = "older"
minutes = [5, 10, 15]
within_minutes = 15
n_sites = 2
at_least_one_per = ["street"]

[[service]]
id = "meals"
name_en = "Meals"
types = ["助餐点"]
group = "total"
groups_shown = ["total", "p60"]
mode = "adult"
"""

STREETS = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
 <node id="1" lat="31.195" lon="121.5001"/><node id="2" lat="31.195" lon="121.509"/><node id="3" lat="31.2" lon="121.509"/>
 <way id="9"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/></way>
</osm>
"""

ELDERS = """编号,名称,类型,状态,经度,纬度,所属街道代码
A1,甲,日间照料中心,运营,121.502,31.196,s1
A2,乙,日间照料中心,开工,121.506,31.198,s1
A3,丙,日间照料中心,储备,121.506,31.197,s2
A4,丁,敬老院,运营,121.507,31.197,zz
"""

SITES = """编号,名称,类型,可设服务,经度,纬度
C1,旧小学,闲置校舍,day_care,121.503,31.196
C2,社区用房,社区用房,,121.507,31.198
C3,食堂,餐饮,meals;fish,121.504,31.197
"""


def raster(path: Path, values: object) -> None:
    array = np.array(values, dtype=np.float32)
    profile = {"driver": "GTiff", "height": array.shape[0], "width": array.shape[1], "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", **profile, crs=UTM, transform=Affine(100, 0, LEFT, 0, -100, LOW + 1000), nodata=-1.0) as file:
        file.write(array, 1)


def made_study(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write the small study, its TOML changed in the places given, and return the path of the study file."""
    text = STUDY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    (folder / "streets.osm").write_text(STREETS, encoding="utf-8")
    (folder / "elders.csv").write_text(ELDERS, encoding="utf-8")
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "compounds.csv").write_text("小区编号,小区名称,户数\nX1,一小区,300\n", encoding="utf-8")
    raster(folder / "total.tif", np.full((10, 10), 20.0))
    raster(folder / "p60.tif", np.full((10, 10), 4.0))
    # two streets side by side, each 500 m wide; the eastern one leaves the topmost row of cells to nobody
    shapes = [
        box(LEFT, LOW, LEFT + 1000, LOW + 1000),
        box(LEFT, LOW, LEFT + 500, LOW + 1000),
        box(LEFT + 500, LOW, LEFT + 1000, LOW + 900),
    ]
    units = {"code": ["c", "s1", "s2"], "name": ["县", "西街", "东街"], "level": ["县", "街道", "街道"], "parent": ["", "c", "c"]}
    gpd.GeoDataFrame(units, geometry=shapes, crs=UTM).to_file(folder / "units.gpkg", layer="units")
    return folder / "study.toml"


def errors(path: Path, lang: str = "en") -> list[str]:
    with pytest.raises(InputError) as caught:
        open_study(path)
    return [f"{fault.file}: {fault.text(lang)}" for fault in caught.value.faults if fault.severity == "error"]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return open_study(made_study(tmp_path))


def test_a_study_holds_what_its_file_says(study: Study, tmp_path: Path) -> None:
    assert (study.name, study.lang, study.made_up, study.data_date, study.snap_m) == ("小镇", "en", True, "2025-06-30", 150.0)
    assert (study.crs, study.folder, study.path) == (UTM, tmp_path, tmp_path / "study.toml")
    assert study.groups == ("total", "p60")
    assert study.config.map.tiles == ""
    assert dataclasses.is_dataclass(study)


def test_a_folder_with_a_study_file_opens_too(tmp_path: Path) -> None:
    made_study(tmp_path)
    assert open_study(tmp_path).name == "小镇"


def test_every_cell_has_the_finest_unit_that_holds_its_centre(study: Study) -> None:
    # 5 columns × 10 rows in the west; 5 × 9 in the east; the 5 topmost eastern cells lie in the county only
    assert study.cells["unit"].value_counts().to_dict() == {"s1": 50, "s2": 45, "c": 5}
    assert study.cells["total"].sum() == 2000.0


def test_facilities_of_a_service_have_its_types_and_statuses(study: Study) -> None:
    assert study.facilities("day_care").index.tolist() == ["A1", "A2"]
    assert study.facilities("meals").empty
    assert study.facility_table.index.tolist() == ["A1", "A2", "A3", "A4"]


def test_candidates_of_a_service_name_it_or_none(study: Study) -> None:
    assert study.candidates("day_care").index.tolist() == ["C1", "C2"]
    assert study.candidates("meals").index.tolist() == ["C2", "C3"]
    assert set(study.candidate_table["unit"]) <= {"s1", "s2"}


def test_an_unknown_service_lists_the_known(study: Study) -> None:
    with pytest.raises(UnknownService) as caught:
        study.facilities("daycare")
    en = "there is no service 'daycare' in the study; did you mean 'day_care'? it has: day_care, meals"
    assert str(caught.value) == f"{en}  研究中没有服务“daycare”，是否应为“day_care”？现有：day_care, meals"
    assert isinstance(caught.value, KeyError)


def test_services_come_with_their_gaps_filled(study: Study) -> None:
    first, second = study.services
    assert first.statuses == ("operating", "building")
    assert (first.groups_shown, second.groups_shown) == (("p60",), ("total", "p60"))
    assert (first.minutes, first.within_minutes, first.at_least_one_per) == ((5.0, 10.0, 15.0), 15.0, ("street",))
    assert (first.name("zh"), first.name("en"), second.name("zh")) == ("日间照料", "日间照料", "Meals")


def test_findings_do_not_stop_the_study(study: Study) -> None:
    told = {(fault.file, fault.code): fault.text() for fault in study.faults}
    assert told["elders.csv", "unknown_unit"] == (
        "row 5: its declared unit is not among the units (found 'zz'). Write a code or name of the list "
        "of units; left blank, the unit is the one it lies in."
    )
    assert told["sites.csv", "unknown_service"] == (
        "row 4: names a service that the study does not have (found 'fish'). Known: day_care, meals."
    )
    assert told["study.toml", "type_nowhere"] == (
        "[[service]] 2: types: no register has the type '助餐点' (found '助餐点'). The registers have: 敬老院, 日间照料中心."
    )
    assert told["p60.tif", "people_total"] == "p60: 400.0 people read, all kept in 100 cells"
    assert all(fault.severity != "error" for fault in study.faults)


def test_a_register_without_a_unit_column_gives_every_unit_its_facilities(tmp_path: Path) -> None:
    # A1 lies 140 m east of the western edge, in s1; A2 and A3 some 520 m, in s2; the rule asks for one in each street
    path = made_study(tmp_path)
    bare = "\n".join(line.rsplit(",", 1)[0] for line in ELDERS.splitlines())
    (tmp_path / "elders.csv").write_text(bare, encoding="utf-8")
    study = open_study(path)
    assert study.facilities("day_care")["unit"].tolist() == ["s1", "s2"]
    service = study.service("day_care")
    assert plan_of(study, service, times_of(study, service, None, None), 1).units_without_before == ()


def test_a_register_whose_facilities_lie_in_one_unit_leaves_the_other_to_the_rule(tmp_path: Path) -> None:
    # only A1 is left: s1 has one, s2 none; neither site there comes within reach
    path = made_study(tmp_path)
    (tmp_path / "elders.csv").write_text("\n".join(ELDERS.splitlines()[:2]).replace(",s1", ",").replace(",所属街道代码", ","))
    study = open_study(path)
    service = study.service("day_care")
    plan = plan_of(study, service, times_of(study, service, None, None), 1)
    assert (plan.units_without_before, plan.units_without_after) == (("s2",), ("s2",))


def test_people_in_no_unit_are_counted(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    units = gpd.read_file(tmp_path / "units.gpkg")
    units[units["code"] != "c"].assign(parent="").to_file(tmp_path / "units.gpkg", layer="units")
    noted = [fault for fault in open_study(path).faults if fault.code == "cells_without_unit"]
    # the five topmost eastern cells hold 5 · 20 of 2,000 people
    assert [fault.en for fault in noted] == [
        "5 cells lie in no unit: 100 people (total, 5.0%); they count in the total and in no unit"
    ]
    assert noted[0].people == 100.0


def test_modes_are_the_shipped_ones_unless_the_study_sets_figures(tmp_path: Path) -> None:
    plain = open_study(made_study(tmp_path))
    assert (plain.mode("day_care"), plain.mode("meals")) == (WALK_OLDER, WALK_ADULT)
    own = open_study(made_study(tmp_path, ("[streets]", "[modes.older]\nspeed_kmh = 3.2\n\n[streets]"))).mode("day_care")
    assert (own.speed_kmh, own.leg_speed_kmh, own.steps_factor, own.name) == (3.2, 3.2, 2.0, "older")
    assert own.source.startswith("set in the study (leg_speed_kmh, speed_kmh); otherwise 1.0 m/s")


def test_the_compound_register_comes_as_text(study: Study) -> None:
    assert study.compounds is not None
    assert study.compounds.loc["X1"].to_dict() == {"name": "一小区", "户数": "300", "file": "compounds.csv", "row": "2"}


def test_without_a_crs_the_utm_zone_of_the_units_is_used(tmp_path: Path) -> None:
    stated, derived = open_study(made_study(tmp_path)), open_study(made_study(tmp_path, ('crs = "EPSG:32651"\n', "")))
    assert derived.crs == UTM
    for one, other in ((stated.cells, derived.cells), (stated.facility_table, derived.facility_table)):
        assert one.geometry.distance(other.geometry).max() < 1e-6
    assert derived.units.crs == derived.cells.crs == UTM


def test_units_without_polygons_leave_cells_without_a_unit(tmp_path: Path) -> None:
    path = made_study(tmp_path, ('"units.gpkg"', '"units.csv"'), ('crs = "EPSG:32651"\n', ""))
    (tmp_path / "units.csv").write_text("代码,名称,级别,上级\nc,县,县,\ns1,西街,街道,c\n", encoding="utf-8")
    opened = open_study(path)
    assert opened.crs == UTM
    assert set(opened.cells["unit"]) == {""}
    assert "cells_without_unit" not in {fault.code for fault in opened.faults}


def test_a_population_table_serves_as_well_as_rasters(tmp_path: Path) -> None:
    old = '[population.rasters]\ntotal = "total.tif"\np60 = "p60.tif"'
    new = '[population.table]\nfile = "people.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"\n[population.table.columns]\np60 = "老人"'
    path = made_study(tmp_path, (old, new))
    (tmp_path / "people.csv").write_text("经度,纬度,人口,老人\n121.503,31.196,100,20\n", encoding="utf-8")
    opened = open_study(path)
    assert opened.cells[["total", "p60"]].to_dict("records") == [{"total": 100.0, "p60": 20.0}]
    assert opened.population.grid is None


def test_a_study_without_registers_opens_with_empty_tables(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    text = path.read_text(encoding="utf-8")
    start, end = text.index("[[facilities]]"), text.index("[[service]]")
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    opened = open_study(path)
    assert opened.facilities("day_care").empty
    assert opened.candidates("day_care").empty
    assert opened.compounds is None
    assert opened.facility_table.index.name == "facility_id"


def test_the_study_file_may_be_gbk_with_a_bom_or_not(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    for encoding in ("gb18030", "utf-8-sig"):
        path.write_text(STUDY, encoding=encoding)
        assert open_study(path).name == "小镇"


def test_opening_twice_gives_the_same(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    one, other = open_study(path), open_study(path)
    pd.testing.assert_frame_equal(one.cells, other.cells)
    assert one.faults == other.faults


def test_a_projection_that_stretches_distances_is_refused(tmp_path: Path) -> None:
    # Web Mercator stretches by 1 / cos 31.2° = 1.17 in both directions
    assert errors(made_study(tmp_path, ('"EPSG:32651"', '"EPSG:3857"'))) == [
        "study.toml: [study] crs: this projection stretches distances by 17% in the study area (found 'EPSG:3857'). "
        "Leave crs out (then EPSG:32651 is used), or state a local projected system."
    ]


@pytest.mark.parametrize(
    ("crs", "told"),
    [
        ("EPSG:4326", "[study] crs: this is a CRS in degrees, in which distances cannot be measured (found 'EPSG:4326'). State"),
        ("EPSG:2263", "[study] crs: this CRS is not in metres (found 'EPSG:2263'). State a projected system in metres"),
        ("UTM-51", "[study] crs: this coordinate system is not understood (found 'UTM-51'). State a projected system"),
    ],
)
def test_a_study_crs_must_be_projected_in_metres(tmp_path: Path, crs: str, told: str) -> None:
    found = errors(made_study(tmp_path, ('"EPSG:32651"', f'"{crs}"')))
    assert len(found) == 1
    assert found[0].startswith(f"study.toml: {told}")


def test_streets_of_another_town_are_refused(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    (tmp_path / "streets.osm").write_text(STREETS.replace("121.5", "113.5"), encoding="utf-8")
    told = errors(path)
    assert len(told) == 1
    assert told[0].startswith("streets.osm: the streets (113.500 31.195 113.509 31.200) do not touch the study area (121.")


def test_a_template_is_written_once_and_is_a_valid_form(tmp_path: Path) -> None:
    path = init_study(tmp_path / "new", lang="en")
    text = path.read_text(encoding="utf-8")
    assert 'name = "My study"' in text
    assert 'lang = "en"' in text
    # its form is valid: what it lacks is only the files it names
    told = {text.split(": ")[1].split(".")[0] for text in errors(path)}
    assert told == {"the file does not exist", "there is no such file"}
    with pytest.raises(InputError, match=r"the study file exists already and is not overwritten. Choose another folder, or move"):
        init_study(tmp_path / "new")
    assert path.read_text(encoding="utf-8") == text


def test_the_template_is_chinese_by_default(tmp_path: Path) -> None:
    assert 'name = "我的研究"' in init_study(tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a/b", "'a/b' cannot be the name of a file"),
        ("../../up", "cannot be the name of a file"),
        ("day.care", "cannot be the name of a file"),  # its lists would be called day.xlsx
        ("what?", "cannot be the name of a file"),
        ("", "cannot be the name of a file"),
        ("Index", "is the name of another output or of a device of Windows"),  # its map would be the start page
        ("con", "is the name of another output or of a device of Windows"),
    ],
)
def test_an_id_that_cannot_name_a_file_is_refused(name: str, told: str) -> None:
    (fault,) = _file_name_faults(Path("study.toml"), "[[service]] id", [name, "托育-1_a"], _TAKEN)
    assert (fault.code, fault.found) == ("bad_id", name)
    assert told in fault.text("en")
    assert "文件" in fault.text("zh")


def test_ids_that_differ_in_case_alone_would_overwrite_each_other_on_windows() -> None:
    faults = _file_name_faults(Path("study.toml"), "[[plan]] id", ["a", "A", "b"], frozenset())
    assert [fault.found for fault in faults] == ["a", "A"]
    assert "differs from another id in upper and lower case only" in faults[0].text("en")


def test_a_study_with_such_an_id_does_not_open(tmp_path: Path) -> None:
    path = made_study(tmp_path, ('id = "meals"', 'id = "../meals"'))
    assert any("'../meals' cannot be the name of a file" in text for text in errors(path))
