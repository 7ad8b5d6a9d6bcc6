"""Candidate sites of a study file, end to end: every origin, every filter, places and cost, and what is told of each."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from pyproj import Transformer
from shapely.geometry import LineString, box
from test_study import LEFT, LOW, SITES, UTM, errors, made_study

from careshed.check import check_study
from careshed.run import run_study
from careshed.run.manifest import input_files
from careshed.schema import Checked, Fault, InputError
from careshed.study import Study, open_study
from careshed.study.collecting import in_area

LISTED = '[[candidates]]\nfile = "sites.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"\n'
"""The section of the small study that is replaced."""

DEGREES = Transformer.from_crs(UTM, "EPSG:4326", always_xy=True)


def lonlat(x: float, y: float) -> tuple[float, float]:
    """Degrees of a point given in metres from the town's lower left corner."""
    lon, lat = DEGREES.transform(LEFT + x, LOW + y)
    return round(lon, 9), round(lat, 9)


def street_file(folder: Path, *features: str) -> None:
    """One street from west to east at y = 450, from x = 20 with a junction every 100 m, and any features."""
    nodes, ways = [], []
    for at in range(11):
        lon, lat = lonlat(100.0 * at + 20.0, 450.0)
        nodes.append(f'<node id="{at + 1}" lat="{lat}" lon="{lon}"/>')
        if at:
            ways.append(f'<way id="{at}"><nd ref="{at}"/><nd ref="{at + 1}"/><tag k="highway" v="residential"/></way>')
    text = "".join([*nodes, *(one for one in features if one.startswith("<node")), *ways])
    (folder / "streets.osm").write_text(f'<osm version="0.6">{text}</osm>', encoding="utf-8")


def node(number: int, x: float, y: float, **tags: str) -> str:
    lon, lat = lonlat(x, y)
    inner = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
    return f'<node id="{number}" lat="{lat}" lon="{lon}">{inner}</node>'


def town(folder: Path, candidates: str, *changes: tuple[str, str], features: tuple[str, ...] = ()) -> Path:
    """The small study with its own street and other [[candidates]]."""
    path = made_study(folder, (LISTED, candidates), *changes)
    street_file(folder, *features)
    return path


def opened(folder: Path, candidates: str, *changes: tuple[str, str], features: tuple[str, ...] = ()) -> Study:
    return open_study(town(folder, candidates, *changes, features=features))


def metres(study: Study) -> list[tuple[float, float]]:
    """Where the sites lie, metres from the town's lower left corner."""
    return [(round(point.x - LEFT, 1), round(point.y - LOW, 1)) for point in study.candidate_table.geometry]


def told(study: Study, code: str) -> list[str]:
    return [fault.text() for fault in study.faults if fault.code == code]


def layer(folder: Path, name: str, *shapes: object, **columns: list[str]) -> None:
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=UTM, index=range(len(shapes))).to_file(folder / name)


def square(x: float, y: float, side: float) -> object:
    return box(LEFT + x, LOW + y, LEFT + x + side, LOW + y + side)


def sized_list(folder: Path, *rows: tuple[str, float, float, str]) -> None:
    """A list of sites: name, metres from the corner, floor area."""
    lines = [f"S{at},{name},{','.join(map(str, lonlat(x, y)))},{area}" for at, (name, x, y, area) in enumerate(rows, start=1)]
    (folder / "sized.csv").write_text("\n".join(["编号,名称,经度,纬度,建筑面积", *lines]), encoding="utf-8")


SIZED = '[[candidates]]\nfile = "sized.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"\n'


# --- where sites come from --------------------------------------------------------------------------------------------------


def test_homes_of_the_register_can_be_upgraded(tmp_path: Path) -> None:
    section = '[[candidates]]\nfrom = "facilities"\ntypes = ["敬老院", "养老院"]\nservices = ["day_care"]\nkind = "敬老院升级"\n'
    study = opened(tmp_path, section)
    # of the register's four facilities one is a 敬老院; it declares a unit that does not exist and lies in the eastern street
    own = study.candidate_table.loc["UP-A4"]
    assert len(study.candidate_table) == 1
    names = ("name", "kind", "services", "unit", "file", "row", "facility")
    assert [own[name] for name in names] == ["丁", "敬老院升级", "day_care", "s2", "elders.csv", "5", "A4"]
    assert study.candidates("meals").empty
    assert told(study, "sites_offered") == ["[[candidates]] 1: 1 site(s) from facilities"]
    assert told(study, "type_nowhere")[:1] == [
        "[[candidates]] 1: no register has this type (found '养老院'). The registers have: 敬老院, 日间照料中心."
    ]


def test_only_facilities_of_the_statuses_asked_for_are_upgraded(tmp_path: Path) -> None:
    section = '[[candidates]]\nfrom = "facilities"\ntypes = ["日间照料中心"]\nstatuses = ["开工", "储备"]\n'
    study = opened(tmp_path, section)
    # A1 operates; A2 is being built, A3 in reserve
    assert study.candidate_table.index.tolist() == ["UP-A2", "UP-A3"]
    assert study.candidate_table["kind"].unique().tolist() == ["日间照料中心"]


FEATURES = (
    node(21, 200, 300, amenity="kindergarten", name="东幼儿园"),
    node(22, 700, 300, amenity="school"),
    node(23, 700, 13_000, amenity="school", name="邻县小学"),
    node(24, 800, 800, shop="supermarket"),
    node(25, 1500, 300, amenity="clinic", name="邻县诊所"),
)


def test_osm_features_of_the_street_file_are_sites(tmp_path: Path) -> None:
    study = opened(tmp_path, '[[candidates]]\nfrom = "osm"\nservices = ["day_care"]\n', features=FEATURES)
    assert study.candidate_table.index.tolist() == ["node/21", "node/22"]
    assert metres(study) == [(200.0, 300.0), (700.0, 300.0)]
    assert study.candidate_table["kind"].tolist() == ["幼儿园", "学校"]
    assert study.candidate_table["unit"].tolist() == ["s1", "s2"]
    # one lies 12 km north of the town's upper edge, one 500 m east of it: rows in = rows out + rows reported
    assert told(study, "outside_area") == [
        "row node/23: lies more than 10 km outside the study area and is left out (found '邻县小学')"
    ]
    assert told(study, "sites_offered") == ["[[candidates]] 1: 2 site(s) from osm"]
    assert told(study, "outside_units") == ["row node/25: lies in no unit of the study and is left out (found '邻县诊所')"]


def test_tags_and_a_file_of_features_can_be_stated_and_asked_for_twice(tmp_path: Path) -> None:
    section = (
        '[[candidates]]\nfrom = "osm"\nfile = "more.osm"\ntags = {shop = "supermarket", amenity = ["school"]}\n'
        '[[candidates]]\nfrom = "osm"\nfile = "more.osm"\ntags = {amenity = "*"}\nkind = "公房"\nservices = ["meals"]\n'
    )
    path = town(tmp_path, section)
    (tmp_path / "more.osm").write_text(f'<osm version="0.6">{"".join(FEATURES)}</osm>', encoding="utf-8")
    study = open_study(path)
    assert study.candidate_table.index.tolist() == ["node/22", "node/24", "node/21#2", "node/22#2"]
    assert study.candidate_table["kind"].tolist() == ["学校", "supermarket", "公房", "公房"]
    assert study.candidates("day_care").index.tolist() == ["node/22", "node/24"]
    assert "more.osm" in input_files(study)


def test_a_junction_in_each_square_is_a_site(tmp_path: Path) -> None:
    study = opened(tmp_path, '[[candidates]]\nfrom = "streets"\nspacing_m = 500\nservices = ["day_care"]\n')
    # squares of 500 m from the corner: of 20…420 the nearest to the middle, 250, is 220; of 520…920 it is 720; 1,020 lies
    # outside the town
    assert metres(study) == [(220.0, 450.0), (720.0, 450.0)]
    assert study.candidate_table["kind"].unique().tolist() == ["路口"]
    assert told(study, "sites_offered") == ["[[candidates]] 1: 2 site(s) from streets"]


def test_sites_are_offered_only_in_units_that_lack_the_service(tmp_path: Path) -> None:
    section = '[[candidates]]\nfrom = "streets"\nspacing_m = 500\nlevels = ["street"]\nlacking = "day_care"\n'
    # A1 and A2 count for day care and declare the western street: the eastern one, from 500 to 1,000, lacks it
    assert metres(opened(tmp_path, section)) == [(720.0, 450.0)]


def test_a_facility_without_a_declared_unit_counts_where_it_lies(tmp_path: Path) -> None:
    path = town(tmp_path, '[[candidates]]\nfrom = "lattice"\nspacing_m = 500\nlevels = ["street"]\nlacking = "day_care"\n')
    assert metres(open_study(path)) == [(750.0, 250.0), (750.0, 750.0)]
    lon, lat = lonlat(600, 200)
    rows = f"编号,名称,类型,状态,经度,纬度,所属街道代码\nB1,甲,日间照料中心,运营,{lon},{lat},\n"
    (tmp_path / "elders.csv").write_text(rows, encoding="utf-8")
    # now the eastern street has the only one and the western lacks it
    assert metres(open_study(path)) == [(250.0, 250.0), (250.0, 750.0)]


def test_a_lattice_keeps_away_from_what_gives_the_service(tmp_path: Path) -> None:
    section = '[[candidates]]\nfrom = "lattice"\nspacing_m = 500\nservices = ["day_care"]\naway_m = 300\n'
    lon, lat = lonlat(250, 450)
    study_path = town(tmp_path, section)
    header = "编号,名称,类型,状态,经度,纬度,所属街道代码"
    (tmp_path / "elders.csv").write_text(f"{header}\nB1,甲,日间照料中心,运营,{lon},{lat},\n", encoding="utf-8")
    # of the four points of the kilometre (250, 250) is 200 m and (250, 750) 300 m away: at the limit itself none is offered
    assert metres(open_study(study_path)) == [(750.0, 250.0), (750.0, 750.0)]


def test_away_from_any_service_where_none_is_named(tmp_path: Path) -> None:
    section = '[[candidates]]\nfrom = "lattice"\nspacing_m = 500\naway_m = 2000\n'
    study = opened(tmp_path, section)
    assert study.candidate_table.empty
    assert told(study, "sites_offered") == ["[[candidates]] 1: 0 site(s) from lattice"]


def test_where_no_unit_lacks_the_service_no_site_is_offered(tmp_path: Path) -> None:
    section = '[[candidates]]\nfrom = "streets"\nlevels = ["county"]\nlacking = "day_care"\n'
    study = opened(tmp_path, section)
    assert study.candidate_table.empty
    assert study.candidate_table.columns.tolist()[:3] == ["name", "kind", "services"]
    assert told(study, "no_unit_asked") == ["[[candidates]] 1: no unit is asked for and lacks it: no site is offered"]


def test_units_without_outlines_offer_streets_anywhere_but_no_lattice(tmp_path: Path) -> None:
    section = '[[candidates]]\nfrom = "streets"\nspacing_m = 500\n'
    path = town(tmp_path, section, ('"units.gpkg"', '"units.csv"'))
    (tmp_path / "units.csv").write_text("代码,名称,级别,上级\nc,县,县,\ns1,西街,街道,c\n", encoding="utf-8")
    assert len(open_study(path).candidate_table) == 3
    asked = path.read_text(encoding="utf-8").replace("spacing_m = 500", 'levels = ["street"]')
    path.write_text(asked, encoding="utf-8")
    assert told(open_study(path), "no_unit_asked") == [
        "[[candidates]] 1: the units asked for have no outlines: no site is offered"
    ]
    path.write_text(asked.replace('"streets"\nlevels', '"lattice"\nlevels'), encoding="utf-8")
    assert errors(path) == [
        "study.toml: [[candidates]] 1: a lattice needs units with outlines, and no unit has one. "
        'Give a layer of units, or take from = "streets".'
    ]


def test_origins_stand_beside_each_other(tmp_path: Path) -> None:
    section = LISTED + '[[candidates]]\nfrom = "lattice"\nspacing_m = 1000\n[[candidates]]\nfrom = "lattice"\nspacing_m = 1000\n'
    study = opened(tmp_path, section)
    assert study.candidate_table.index.tolist() == ["C1", "C2", "C3", "LA-357500-3452500", "LA-357500-3452500#2"]


def test_an_id_of_a_list_that_a_made_site_has_too_is_refused(tmp_path: Path) -> None:
    path = town(tmp_path, LISTED + '[[candidates]]\nfrom = "lattice"\nspacing_m = 1000\n')
    (tmp_path / "sites.csv").write_text(SITES.replace("C1,", "LA-357500-3452500,"), encoding="utf-8")
    found = errors(path)
    assert found == [
        "lattice: row 1: id 'LA-357500-3452500' is used already in sites.csv, row 2. "
        "Give every facility or site an id of its own across the files."
    ]


def test_a_list_may_have_its_coordinates_exchanged_on_request(tmp_path: Path) -> None:
    path = made_study(tmp_path, (LISTED, LISTED + "swapped = true\n"))
    rows = [line.split(",") for line in SITES.splitlines()[1:]]
    swapped = "\n".join(["编号,名称,类型,可设服务,经度,纬度", *(",".join([*row[:4], row[5], row[4]]) for row in rows)])
    (tmp_path / "sites.csv").write_text(swapped, encoding="utf-8")
    study = open_study(path)
    plain = open_study(made_study(tmp_path))
    assert study.candidate_table.geometry.distance(plain.candidate_table.geometry).max() == 0
    assert told(study, "coordinates_exchanged") == ["the two coordinates are exchanged, as the study asks for"]


# --- what rules sites out ---------------------------------------------------------------------------------------------------


def test_each_exclusion_is_told_with_its_own_reason_and_no_row_is_lost(tmp_path: Path) -> None:
    section = SIZED + (
        "[candidates.filter]\nleast_area_m2 = 200\nstreet_within_m = 150\n"
        '[candidates.filter.land_use]\nfile = "land.gpkg"\ncolumn = "YDDM"\ncodes = ["08", "0702"]\n'
        '[[candidates.filter.exclude]]\nfile = "flood.gpkg"\nreason = "洪水淹没区"\n'
        '[[candidates.filter.exclude]]\nfile = "gas.gpkg"\nreason = "燃气管线"\nwithin_m = 50\n'
    )
    path = town(tmp_path, section)
    sized_list(
        tmp_path,
        ("小", 200, 500, "199"),
        ("够", 300, 500, "200"),
        ("淹", 400, 500, "300"),
        ("耕", 600, 500, "300"),
        ("管", 700, 500, "300"),
        ("远", 300, 601, "300"),
        ("缘", 300, 301, "300"),
        ("双", 410, 500, "10"),
    )
    layer(tmp_path, "land.gpkg", square(0, 0, 550), square(550, 0, 100), square(550, 100, 450), square(0, 600, 100),
          YDDM=["080403", "0101", "0702", "0303"])  # fmt: skip
    layer(tmp_path, "flood.gpkg", square(390, 490, 50), square(590, 490, 0.001))
    pipe = LineString([(LEFT + 700, LOW), (LEFT + 700, LOW + 460)])
    layer(tmp_path, "gas.gpkg", pipe)
    study = open_study(path)
    # 耕 lies at x = 600, y = 500: the square 550–1,000 × 100–550 is 0702; it is not ruled out
    assert study.candidate_table["name"].tolist() == ["够", "耕", "缘"]
    assert study.candidate_table["land_use"].tolist() == ["080403", "0702", "080403"]
    assert sorted(told(study, "candidate_excluded")) == [
        "row 2: floor area 199 m² is below 200 m² (found '小')",
        "row 4: lies in an area that rules it out: 洪水淹没区 (found '淹')",
        "row 6: lies within 50 m of what rules it out: 燃气管线 (found '管')",
        "row 7: the nearest street is 151 m away, beyond 150 m (found '远')",
        "row 9: floor area 10 m² is below 200 m² (found '双')",
        "row 9: lies in an area that rules it out: 洪水淹没区 (found '双')",
    ]
    dropped = {fault.row for fault in study.faults if fault.code == "candidate_excluded"}
    assert len(study.candidate_table) + len(dropped) == 8
    assert {"land.gpkg", "flood.gpkg", "gas.gpkg", "sized.csv"} <= input_files(study)


def test_what_is_unknown_is_kept_unless_the_study_says_otherwise(tmp_path: Path) -> None:
    section = SIZED + "[candidates.filter]\nleast_area_m2 = 200\n"
    path = town(tmp_path, section)
    sized_list(tmp_path, ("无", 300, 500, ""), ("有", 400, 500, "300"))
    assert open_study(path).candidate_table["name"].tolist() == ["无", "有"]
    path.write_text(path.read_text(encoding="utf-8").replace("= 200\n", "= 200\nkeep_unknown = false\n"), encoding="utf-8")
    study = open_study(path)
    assert study.candidate_table["name"].tolist() == ["有"]
    assert told(study, "candidate_excluded") == ["row 2: floor area is unknown (found '无')"]


def test_made_sites_are_filtered_too(tmp_path: Path) -> None:
    section = (
        '[[candidates]]\nfrom = "lattice"\nspacing_m = 500\n[[candidates.filter.exclude]]\nfile = "flood.gpkg"\nreason = "洪水"\n'
    )
    path = town(tmp_path, section)
    layer(tmp_path, "flood.gpkg", square(200, 200, 100))
    study = open_study(path)
    assert metres(study) == [(250.0, 750.0), (750.0, 250.0), (750.0, 750.0)]
    assert told(study, "candidate_excluded") == ["row 1: lies in an area that rules it out: 洪水 (found 'LA-357250-3452250')"]


def test_a_layer_elsewhere_is_noted_since_it_rules_nothing_out(tmp_path: Path) -> None:
    section = SIZED + '[[candidates.filter.exclude]]\nfile = "flood.gpkg"\nreason = "洪水"\n'
    path = town(tmp_path, section)
    sized_list(tmp_path, ("甲", 300, 500, "300"))
    layer(tmp_path, "flood.gpkg", square(90_000, 0, 100))
    study = open_study(path)
    assert len(study.candidate_table) == 1
    assert told(study, "layer_elsewhere") == ["the layer does not touch the study area and has no effect. Check crs and datum."]


def test_layers_that_cannot_serve_are_told_all_at_once(tmp_path: Path) -> None:
    section = SIZED + (
        '[candidates.filter.land_use]\nfile = "land.gpkg"\ncolumn = "用地"\ncodes = ["08"]\n'
        '[[candidates.filter.exclude]]\nfile = "none.gpkg"\nreason = "甲"\n'
        '[[candidates.filter.exclude]]\nfile = "table.csv"\nreason = "乙"\n'
        '[candidates.size]\ntype = "敬老院"\nprofile = "chifeng-2020"\n'
    )
    path = town(tmp_path, section)
    layer(tmp_path, "land.gpkg", square(0, 0, 100), 用地类=["08"])
    (tmp_path / "table.csv").write_text("代码,名称\n1,甲\n", encoding="utf-8")
    found = errors(path)
    assert [text.split(". ")[0] for text in found] == [
        "sized.csv: the file does not exist",
        "land.gpkg: there is no column of land-use codes, '用地'",
        "none.gpkg: the file does not exist",
        "table.csv: has no shapes: it is a table, not a layer",
        "chifeng-2020: there is no such profile",
    ]
    assert "Did you mean '用地类'? State column = one of: 用地类." in found[1]
    assert "Did you mean chifeng-2022? Shipped: " in found[4]


# --- size and cost ----------------------------------------------------------------------------------------------------------


def test_places_come_from_floor_area_and_cost_from_the_plan(tmp_path: Path) -> None:
    size = '[candidates.size]\nm2_per_place = 30\ntype = "敬老院"\noperator = "inclusive"\nprofile = "chifeng-2022"\n'
    path = town(tmp_path, SIZED + size + LISTED)
    sized_list(tmp_path, ("甲", 300, 500, "1000"), ("乙", 400, 500, ""))
    study = open_study(path)
    table = study.candidate_table
    # 1,000 m² at 30 m² a place: 33 whole places; at 3,985.8 yuan a square metre: 3,985,800 yuan
    assert table.loc["S1", ["places", "cost_yuan"]].tolist() == [33.0, 3_985_800.0]
    assert table.loc["S1", "places_from"] == "floor area at 30 m² a place (assumed)"
    assert table.loc["S1", "cost_from"].startswith("Inclusive homes, per m² of floor: 3985.8 yuan/m²; A median derived")
    assert np.isnan(table.loc["S2", "places"])
    assert table.loc["S2", ["places_from", "cost_from"]].tolist() == ["unknown", "unknown"]
    # another operator, other costs: 3,500 yuan a square metre for public homes, which come first
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('operator = "inclusive"\n', ""), encoding="utf-8")
    assert open_study(path).candidate_table.loc["S1", "cost_yuan"] == 3_500_000.0


def test_the_plan_of_the_study_gives_the_costs_where_no_other_is_named(tmp_path: Path) -> None:
    size = '[candidates.size]\ntype = "敬老院"\n'
    path = town(
        tmp_path,
        SIZED + size,
        ('[[service]]\nid = "day_care"', '[policy]\nprofile = "chifeng-2022"\n\n[[service]]\nid = "day_care"'),
    )
    sized_list(tmp_path, ("甲", 300, 500, "10"))
    assert open_study(path).candidate_table["cost_yuan"].tolist() == [35_000.0]


def test_a_type_without_a_cost_is_noted(tmp_path: Path) -> None:
    path = town(tmp_path, SIZED + '[candidates.size]\ntype = "老年学堂"\nprofile = "chifeng-2022"\n')
    sized_list(tmp_path, ("甲", 300, 500, "10"))
    found = told(open_study(path), "no_price")
    assert found[0].startswith("[[candidates]] 1: the plan has no cost for '老年学堂'. It has costs for: 养老机构, 敬老院,")


def test_a_plan_of_ones_own_is_read_and_listed_among_the_inputs(tmp_path: Path) -> None:
    path = town(tmp_path, SIZED + '[candidates.size]\nm2_per_place = 10\ntype = "驿站"\nprofile = "own.toml"\n')
    sized_list(tmp_path, ("甲", 300, 500, "100"))
    cost = '[[cost]]\nid = "a"\ntitle_zh = "每床"\ntitle_en = "A bed"\nper = "bed"\nyuan = 500\ntypes = ["驿站"]\nbasis = "x"\n'
    (tmp_path / "own.toml").write_text(cost, encoding="utf-8")
    study = open_study(path)
    assert study.candidate_table["cost_yuan"].tolist() == [5000.0]  # 100 m² are ten places at 500 yuan
    assert "own.toml" in input_files(study)
    (tmp_path / "own.toml").write_text(cost.replace('"bed"', '"metre"'), encoding="utf-8")
    found = errors(path)
    assert len(found) == 1
    assert found[0].startswith("own.toml: [[cost]] 1: per is wrong (Input should be 'm2', 'place' or 'bed')")
    (tmp_path / "own.toml").write_text("[[cost", encoding="utf-8")
    assert errors(path)[0].startswith("own.toml: cannot be read; it is probably truncated or damaged")


# --- the form of the section ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (
            '[[candidates]]\nfrom = "street"\n',
            "[[candidates]] 1: from: must be one of 'file', 'facilities', 'osm', 'streets' or 'lattice' (found 'street'). "
            "Correct the value.",
        ),
        (
            '[[candidates]]\nkind = "x"\nspacing = 3\n',
            "[[candidates]] 1: spacing: unknown key. Did you mean spacing_m? Known here: file, sheet, layer, crs, datum, "
            "columns, swapped, from, bad_rows, services, kind, types, statuses, tags, spacing_m, levels, lacking, "
            "away_m, filter, size.",
        ),
        (
            '[[candidates]]\ncrs = "EPSG:4326"\n',
            '[[candidates]] 1: file: is missing. State file, or from = "facilities", "osm", "streets" or "lattice".',
        ),
        (
            '[[candidates]]\nfrom = "facilities"\n',
            '[[candidates]] 1: types: is missing. State the types that may be upgraded, such as types = ["敬老院"].',
        ),
        (
            '[[candidates]]\nfrom = "streets"\nfile = "a.csv"\n',
            "[[candidates]] 1: file: means nothing with from = 'streets'. Take it out, or change from. Known here: from, "
            "services, filter, size, spacing_m, levels, lacking, away_m.",
        ),
        (
            '[[candidates]]\nfrom = "streets"\nlacking = "daycare"\n',
            "[[candidates]] 1: lacking: the study has no such service (found 'daycare'). Did you mean day_care? "
            "Known: day_care, meals.",
        ),
        (
            '[[candidates]]\nfrom = "lattice"\nservices = ["fish"]\n',
            "[[candidates]] 1: services: the study has no such service (found 'fish'). Known: day_care, meals.",
        ),
        (
            '[[candidates]]\nfrom = "facilities"\ntypes = ["敬老院"]\nstatuses = ["openn"]\n',
            "[[candidates]] 1: statuses: unknown status (found 'openn'). Known: operating, building, reserve, 运营, 开工, 储备.",
        ),
        (
            '[[candidates]]\nfrom = "lattice"\nspacing_m = 0\n',
            "[[candidates]] 1: spacing_m: must be greater than 0 (found '0'). Correct the value.",
        ),
        (
            '[[candidates]]\nfrom = "lattice"\n[candidates.size]\noperator = "public"\n',
            '[[candidates]] 1: size.type: is missing. State the facility type to be set up, such as type = "敬老院".',
        ),
        (
            '[[candidates]]\nfrom = "lattice"\n[candidates.size]\ntype = "敬老院"\n',
            "[[candidates]] 1: size.profile: is missing. State profile here, or the plan in [policy].",
        ),
        (
            '[[candidates]]\nfrom = "lattice"\n[[candidates.filter.exclude]]\nfile = "flood.gpkg"\nreason = "甲"\n'
            '[[candidates.filter.exclude]]\nfile = "flood.gpkg"\nreason = "甲"\n',
            "[[candidates]] 1: filter.exclude.reason: stands more than once (found '甲'). Give each layer a reason of its own.",
        ),
    ],
)
def test_what_is_wrong_in_a_section_is_told_with_its_cure(tmp_path: Path, section: str, expected: str) -> None:
    path = town(tmp_path, section)
    layer(tmp_path, "flood.gpkg", square(0, 0, 1))
    assert errors(path) == [f"study.toml: {expected}"]


def test_keys_of_another_origin_are_told_in_chinese_too(tmp_path: Path) -> None:
    path = town(tmp_path, '[[candidates]]\nfrom = "osm"\nspacing_m = 3.0\n', features=FEATURES)
    assert errors(path, "zh")[0].startswith("study.toml: [[candidates]] 1: spacing_m：对 from = “osm” 没有意义。请删去")


# --- the audit, and the same twice ------------------------------------------------------------------------------------------


def test_the_audit_understands_every_origin(tmp_path: Path) -> None:
    section = LISTED + (
        '[[candidates]]\nfrom = "facilities"\ntypes = ["日间照料中心"]\nservices = ["day_care"]\n'
        '[[candidates]]\nfrom = "osm"\n[candidates.filter]\nkeep_unknown = false\nleast_area_m2 = 5\n'
        '[[candidates]]\nfrom = "streets"\n'
    )
    study = opened(tmp_path, section, features=FEATURES)
    report = check_study(study)
    assert {"streets.osm", "sites.csv", "elders.csv", "units.gpkg"} <= set(report.files)
    assert len(report.files) == len(set(report.files))
    # an upgrade stands on the facility that it upgrades: nothing to doubt
    assert not [one for one in report.findings if one.kind == "on_existing" and one.file == "elders.csv"]
    left_out = [one for one in report.findings if one.en.startswith("floor area is unknown")]
    assert [(one.weight, one.file, one.row) for one in left_out] == [("note", "streets.osm", "node/21, node/22")]


def test_opening_twice_gives_the_same_sites(tmp_path: Path) -> None:
    section = '[[candidates]]\nfrom = "streets"\n[[candidates]]\nfrom = "osm"\n[candidates.size]\nm2_per_place = 9\n'
    path = town(tmp_path, section, features=FEATURES)
    one, other = open_study(path), open_study(path)
    assert one.candidate_table.equals(other.candidate_table)
    assert one.faults == other.faults
    assert one.candidate_table["places_from"].tolist() == ["", "", "unknown", "unknown"]


def test_a_study_without_candidates_has_an_empty_table(tmp_path: Path) -> None:
    assert opened(tmp_path, "").candidate_table.empty


def test_errors_of_made_sites_come_with_what_was_told_before(tmp_path: Path) -> None:
    path = town(tmp_path, '[[candidates]]\nfrom = "lattice"\n', ('"units.gpkg"', '"units.csv"'))
    (tmp_path / "units.csv").write_text("代码,名称,级别,上级\nc,县,县,\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        open_study(path)
    faults: list[Fault] = list(caught.value.faults)
    assert [fault.code for fault in faults if fault.severity == "error"] == ["lattice_without_outlines"]
    assert "people_total" in {fault.code for fault in faults}


def test_a_run_ranks_sites_of_every_origin(tmp_path: Path) -> None:
    section = SIZED + (
        "[candidates.size]\nm2_per_place = 10\n"
        '[[candidates]]\nfrom = "facilities"\ntypes = ["敬老院"]\n[[candidates]]\nfrom = "osm"\n'
        '[[candidates]]\nfrom = "streets"\nspacing_m = 200\n'
    )
    path = town(tmp_path, section, features=FEATURES)
    sized_list(tmp_path, ("甲", 300, 500, "100"))
    result = run_study(path, progress=False, only=["day_care"])
    options = result.services[0].options.facilities
    kinds = {str(code)[:2] for code in options.index}
    assert kinds == {"S1", "UP", "no", "ST"}
    chosen = result.services[0].plan.sites.index
    assert len(chosen)
    assert set(chosen) <= set(options.index)
    assert {file.suffix for file in result.files} >= {".html", ".xlsx"}


def test_where_the_study_area_is_not_known_nothing_is_left_out() -> None:
    far = gpd.GeoDataFrame({"name": ["甲"], "file": "a.osm", "row": "node/1"}, geometry=[box(0, 0, 1, 1)], crs=UTM)
    assert in_area(Checked(far), None).table is far
    left = in_area(Checked(far), (121.5, 31.2, 121.6, 31.3))
    assert left.table.empty
    assert [fault.code for fault in left.faults] == ["outside_area"]


def test_sites_of_unknown_area_that_pass_are_counted_and_so_is_what_each_filter_leaves(tmp_path: Path) -> None:
    # 100 m² is too little, 300 enough, of the third nothing is known: it is kept, and that is said
    rows = (("小", 100, 100, "100"), ("大", 200, 100, "300"), ("无", 300, 100, ""))
    sized_list(tmp_path, *rows)
    study = opened(tmp_path, SIZED + "[candidates.filter]\nleast_area_m2 = 200\n")
    assert told(study, "unknown_kept") == [
        "[[candidates]] 1: 1 site(s) of unknown floor area are kept, unjudged by least_area_m2 = 200. Write keep_unknown = false "
        "in [candidates.filter] if they should not count."
    ]
    assert told(study, "candidates_counted") == [
        "[[candidates]] 1: of 3 site(s) 2 are kept and 1 left out (floor area 1). Filters hold for their own section; the list "
        "of sites names each."
    ]
    (counted,) = [fault.text("zh") for fault in study.faults if fault.code == "candidates_counted"]
    assert counted.startswith("[[candidates]] 1：共 3 个候选点，采用 2 个，排除 1 个（面积不足 1）")
