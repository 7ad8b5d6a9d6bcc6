"""Registers and units of a study file, end to end: several files of units, repair on request, OSM features, swapped, zones."""

from __future__ import annotations

import os
import re
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from pyproj import Transformer
from shapely.geometry import box
from test_study import ELDERS, LEFT, LOW, UTM, errors, made_study

from careshed.check import check_study
from careshed.report.check_fix import fix_study
from careshed.run.manifest import input_files
from careshed.schema import TIERS
from careshed.settings import load_config
from careshed.study import Study, init_study, open_study

SHARED = Path(os.environ.get("CARESHED_DATA", Path(__file__).parents[2] / "shared" / "data"))

UNITS = '[units]\nfile = "units.gpkg"\n'


def told(study: Study, code: str) -> list[str]:
    return [f"{fault.file}: {fault.text()}" for fault in study.faults if fault.code == code]


def block(west: float, east: float, north: float = 1000.0) -> object:
    return box(LEFT + west, LOW, LEFT + east, LOW + north)


def outlines(folder: Path, shapes: dict[str, object], **columns: list[str]) -> None:
    """A layer of units that states codes, and whatever columns are given."""
    frame = gpd.GeoDataFrame({"code": list(shapes), **columns}, geometry=list(shapes.values()), crs=UTM)
    frame.to_file(folder / "units.gpkg", layer="units")


# --- units ------------------------------------------------------------------------------------------------------------------


def test_outlines_and_a_list_of_codes_hold_the_units_together(tmp_path: Path) -> None:
    path = made_study(tmp_path, (UNITS, '[units]\nfile = ["units.gpkg", "codes.csv"]\n'))
    # the layer draws the county and two streets and names nothing; the list knows names and two communities more
    outlines(tmp_path, {"130981": block(0, 1000), "130981001": block(0, 500), "130981002": block(500, 1000)})
    rows = ["代码,名称", "130981,泊头市", "130981001,解放街道", "130981002,河东街道", "130981001001,甲社区", "130981002201,乙村"]
    (tmp_path / "codes.csv").write_text("\n".join(rows), encoding="utf-8")
    study = open_study(path)
    units = study.units
    assert units["name"].tolist() == ["泊头市", "解放街道", "河东街道", "甲社区", "乙村"]
    assert units["level"].tolist() == ["county", "street", "street", "community", "village"]
    assert units["parent"].tolist() == ["", "130981", "130981", "130981001", "130981002"]
    assert units.geometry.isna().tolist() == [False, False, False, True, True]
    assert study.cells["unit"].value_counts().to_dict() == {"130981001": 50, "130981002": 50}
    # rows in = rows out + rows reported: 3 + 5 rows, 5 units, 3 rows told
    again = told(study, "listed_again")
    assert len(again) == 3
    assert again[0] == (
        "codes.csv: row 2, column '代码': is listed in units.gpkg already and counts once; taken from here: name (found '130981')"
    )
    assert {"units.gpkg", "codes.csv"} <= input_files(study)


def test_a_list_first_takes_its_outlines_from_the_layer_after_it(tmp_path: Path) -> None:
    path = made_study(tmp_path, (UNITS, '[units]\nfile = ["codes.csv", "units.gpkg"]\n'))
    outlines(tmp_path, {"130981000000": block(0, 1000), "130981001": block(0, 500)})  # padded: the same county
    (tmp_path / "codes.csv").write_text("代码,名称\n130981,泊头市\n130981001,解放街道\n", encoding="utf-8")
    study = open_study(path)
    assert study.units.index.tolist() == ["130981", "130981001"]
    assert study.units.area.tolist() == pytest.approx([1e6, 5e5])
    assert told(study, "listed_again")[1].endswith("taken from here: outline (found '130981001')")


def test_each_file_of_units_may_have_columns_and_a_level_of_its_own(tmp_path: Path) -> None:
    section = UNITS + (
        '[[units.also]]\nfile = "villages.csv"\nlevel = "village"\n'
        '[units.also.columns]\nid = "村码"\nname = "村名"\nparent = "所在街道"\n'
        '[[units.also]]\nfile = "yards.csv"\nlevel = "compound"\n'
    )
    path = made_study(tmp_path, (UNITS, section))
    (tmp_path / "villages.csv").write_text("村码,村名,所在街道\nv1,某村,s1\n", encoding="utf-8")
    (tmp_path / "yards.csv").write_text("代码,名称,级别,上级\nx1,一小区,,v1\nx2,二社区,社区,s2\n", encoding="utf-8")
    units = open_study(path).units
    # the level stated for a file holds where a row is silent, and gives way where it is not
    assert units["level"].to_dict() == {
        "c": "county", "s1": "street", "s2": "street", "v1": "village", "x1": "compound", "x2": "community",
    }  # fmt: skip
    assert units.loc["v1", ["name", "parent"]].tolist() == ["某村", "s1"]


def test_a_list_of_codes_alone_still_works(tmp_path: Path) -> None:
    path = made_study(tmp_path, (UNITS, '[units]\nfile = "codes.csv"\nlevel = "street"\n'))
    (tmp_path / "codes.csv").write_text("代码,名称\ns1,西街\ns2,东街\n", encoding="utf-8")
    study = open_study(path)
    assert study.units["level"].tolist() == ["street", "street"]
    assert set(study.cells["unit"]) == {""}
    assert not told(study, "cells_without_unit")


def test_faults_of_all_files_of_units_are_told_at_once(tmp_path: Path) -> None:
    section = '[units]\nfile = ["none.gpkg", "units.gpkg"]\n[[units.also]]\nfile = "absent.csv"\n'
    found = errors(made_study(tmp_path, (UNITS, section)))
    assert [text.split(". ")[0] for text in found] == [
        "none.gpkg: the file does not exist",
        "absent.csv: the file does not exist",
    ]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ('[units]\nlayer = "units"\n', "[units] file: is missing. Add it; careshed init writes a template with comments."),
        ("[units]\nfile = []\n", "[units] file: needs at least 1 entry (found '[]'). Correct the value."),
        (
            UNITS + 'level = "town"\n',
            "[units] level: must be one of 'county', 'street', 'township', 'community', 'village' or 'compound' (found 'town'). "
            "Correct the value.",
        ),
        (
            UNITS + '[[units.also]]\nfile = "a.csv"\nrepair = true\n',
            "[units.also] repair: unknown key. Known here: file, sheet, layer, crs, datum, columns, swapped, level.",
        ),
    ],
)
def test_what_is_wrong_in_units_is_told_with_its_cure(tmp_path: Path, section: str, expected: str) -> None:
    assert errors(made_study(tmp_path, (UNITS, section))) == [f"study.toml: {expected}"]


TORN = {
    "c": ("县", "县", "", block(0, 1000)),
    "s1": ("西街", "街道", "c", block(0, 510)),
    "s2": ("东街", "街道", "c", block(500, 990)),
}
"""Two streets that overlap by 10 m × 1 km, and leave as much to nobody in the east of their county."""


def torn(folder: Path, section: str) -> Path:
    path = made_study(folder, (UNITS, section))
    name, level, parent, shapes = zip(*TORN.values(), strict=True)
    outlines(folder, dict(zip(TORN, shapes, strict=True)), name=list(name), level=list(level), parent=list(parent))
    return path


def test_outlines_are_mended_on_request_and_every_piece_of_land_is_told(tmp_path: Path) -> None:
    study = open_study(torn(tmp_path, UNITS + "repair = true\n"))
    # the western street has the lower code and keeps the strip; the eastern one gains the other strip: no land is lost
    assert study.units.area.round(3).to_dict() == {"c": 1e6, "s1": 510_000.0, "s2": 490_000.0}
    assert told(study, "outline_mended") == [
        "units.gpkg: keeps 10,000.0 m² that s2 claimed too (repair = true) (found 's1')",
        "units.gpkg: is given 10,000.0 m² that belonged to no unit (repair = true) (found 's2')",
    ]
    assert {fault.severity for fault in study.faults if fault.code == "outline_mended"} == {"repaired"}
    assert [one for one in check_study(study).findings if one.kind == "outline"] == []


def test_without_the_request_outlines_stay_and_the_audit_tells_them(tmp_path: Path) -> None:
    study = open_study(torn(tmp_path, UNITS))
    assert study.units.area.round(3).to_dict() == {"c": 1e6, "s1": 510_000.0, "s2": 490_000.0}
    assert not told(study, "outline_mended")
    assert shapely.intersection(study.units.geometry["s1"], study.units.geometry["s2"]).area == pytest.approx(10_000)
    found = [one for one in check_study(study).findings if one.kind == "outline"]
    assert [(one.file, one.row, one.value) for one in found] == [("units.gpkg", "2", "西街 s1"), ("units.gpkg", "3", "东街 s2")]
    assert [one.en for one in found] == [
        "overlaps s2 by 10,000 m² (a sliver)",
        "has 10,000 m² that belong to no unit inside it (a sliver)",
    ]


def test_a_unit_that_would_be_left_without_land_stops_the_study(tmp_path: Path) -> None:
    path = made_study(tmp_path, (UNITS, UNITS + "repair = true\n"))
    outlines(tmp_path, {"s1": block(0, 1000), "s2": block(100, 200)}, level=["街道", "街道"])
    assert errors(path) == [
        "units.gpkg: all land of unit s2 belongs to s1 (found 's2'). Delete one of the two, or correct the outline."
    ]


def test_units_with_northing_first_are_exchanged_on_request(tmp_path: Path) -> None:
    path = made_study(tmp_path, (UNITS, UNITS + "swapped = true\n"))
    turned = shapely.transform(block(0, 1000), lambda xy: xy[:, ::-1])
    outlines(tmp_path, {"s1": turned}, level=["街道"])
    study = open_study(path)
    assert study.units.total_bounds.tolist() == pytest.approx([LEFT, LOW, LEFT + 1000, LOW + 1000])
    assert told(study, "coordinates_exchanged") == ["units.gpkg: the two coordinates are exchanged, as the study asks for"]


CITIES = {"shuozhou": "1406", "chifeng": "1504", "wuzhong": "6403", "botou": "130981"}

COUNTED = {"shuozhou": (7, 72, 1277), "chifeng": (12, 197, 2457), "wuzhong": (5, 50, 600), "botou": (1, 16, 692)}
"""Counties, streets and townships, committees, as the data's README counts them."""


@pytest.mark.parametrize("city", CITIES)
def test_a_study_of_a_real_city_opens_on_its_code_lists_alone(tmp_path: Path, city: str) -> None:
    files = [SHARED / f"{city}_admin" / f"{name}_{CITIES[city]}.csv" for name in ("areas", "streets", "villages")]
    if not files[0].exists():
        pytest.skip(f"real code lists are not here: {files[0].parent}")
    listed = ", ".join(f'"{file.as_posix()}"' for file in files)
    units = open_study(made_study(tmp_path, (UNITS, f"[units]\nfile = [{listed}]\n"))).units
    tier = units["level"].map(TIERS)
    assert tuple(int((tier == step).sum()) for step in (1, 2, 3)) == COUNTED[city]
    # against pandas alone: every row of the three lists, with the parent that the list's own column says
    frames = [pd.read_csv(file, dtype=str) for file in files]
    above = pd.concat([frames[0].assign(above=""), frames[1].rename(columns={"areaCode": "above"}),
                       frames[2].rename(columns={"streetCode": "above"})]).set_index("code")["above"]  # fmt: skip
    assert units["parent"].to_dict() == above.to_dict()
    assert units.geometry.isna().all()


# --- registers --------------------------------------------------------------------------------------------------------------

REGISTER = '[[facilities]]\nfile = "elders.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"\n'


def test_a_register_with_latitude_first_is_exchanged_on_request_only(tmp_path: Path) -> None:
    plain = open_study(made_study(tmp_path)).facility_table
    path = made_study(tmp_path, (REGISTER, REGISTER + "swapped = true\n"))
    rows = [line.split(",") for line in ELDERS.splitlines()]
    turned = "\n".join([ELDERS.splitlines()[0], *(",".join([*row[:4], row[5], row[4], *row[6:]]) for row in rows[1:])])
    (tmp_path / "elders.csv").write_text(turned, encoding="utf-8")
    study = open_study(path)
    assert study.facility_table.geometry.distance(plain.geometry).max() == 0
    assert told(study, "coordinates_exchanged") == ["elders.csv: the two coordinates are exchanged, as the study asks for"]
    path.write_text(path.read_text(encoding="utf-8").replace("swapped = true\n", ""), encoding="utf-8")
    assert all("look swapped" in text for text in errors(path))


@pytest.mark.parametrize(("stated", "zone"), [("EPSG:4549", 0), ("EPSG:4528", 40), ("EPSG:4528", 0)])
def test_a_register_in_a_gauss_krueger_zone_lands_where_it_should(tmp_path: Path, stated: str, zone: int) -> None:
    path = made_study(tmp_path, (REGISTER, f'[[facilities]]\nfile = "elders.csv"\ncrs = "{stated}"\n'))
    # meridian 120° E: EPSG:4549 has no zone before the eastings, EPSG:4528 has 40; a file that lacks it is repaired
    convert = Transformer.from_crs("EPSG:4326", "EPSG:4549", always_xy=True)
    lines = [ELDERS.splitlines()[0]]
    for line in ELDERS.splitlines()[1:]:
        row = line.split(",")
        x, y = convert.transform(float(row[4]), float(row[5]))
        lines.append(",".join([*row[:4], f"{zone * 1e6 + x:.3f}", f"{y:.3f}", *row[6:]]))
    (tmp_path / "elders.csv").write_text("\n".join(lines), encoding="utf-8")
    study = open_study(path)
    degrees = [tuple(map(float, line.split(",")[4:6])) for line in ELDERS.splitlines()[1:]]
    where = gpd.GeoSeries.from_xy(*zip(*degrees, strict=True), crs="EPSG:4326").to_crs(UTM)
    assert shapely.distance(study.facility_table.geometry.array, where.array).max() < 0.002  # eastings to the millimetre
    repaired = ["elders.csv: the zone is put before the eastings"] if stated == "EPSG:4528" and not zone else []
    assert [text.split(" (found")[0] for text in told(study, "zone_prefix")] == repaired


def features(folder: Path) -> None:
    """Add a kindergarten, a nursery and one far off to the small study's streets."""
    tags = {61: ("kindergarten", 121.503, 31.196), 62: ("childcare", 121.506, 31.198), 63: ("kindergarten", 122.5, 31.2)}
    nodes = "".join(
        f'<node id="{own}" lat="{lat}" lon="{lon}"><tag k="amenity" v="{kind}"/><tag k="name" v="园{own}"/>'
        f'<tag k="capacity" v="90"/></node>'
        for own, (kind, lon, lat) in tags.items()
    )
    text = (folder / "streets.osm").read_text(encoding="utf-8")
    (folder / "streets.osm").write_text(text.replace(' <way id="9">', f'{nodes} <way id="9">'), encoding="utf-8")


def test_features_of_the_street_file_are_a_register(tmp_path: Path) -> None:
    section = REGISTER + '[[facilities]]\ntags = {amenity = ["kindergarten", "childcare"]}\n'
    path = made_study(tmp_path, (REGISTER, section), ('types = ["助餐点"]', 'types = ["kindergarten"]'))
    features(tmp_path)
    study = open_study(path)
    own = study.facility_table.loc[["node/61", "node/62"]]
    assert own["type"].tolist() == ["kindergarten", "childcare"]
    assert own["places"].tolist() == [90.0, 90.0]
    assert own["file"].unique().tolist() == ["streets.osm"]
    # OSM declares no units; by place both lie in one, so that the units' own facilities hold them
    assert own["unit"].tolist() == ["s1", "s2"]
    assert told(study, "unit_by_place") == ["streets.osm: the unit of 2 facilities that declare none is the finest they lie in"]
    assert study.facility_table.loc[["A1", "A4"], "unit"].tolist() == ["s1", "zz"]
    assert study.facilities("meals").index.tolist() == ["node/61"]
    assert told(study, "outside_area") == [
        "streets.osm: row node/63: lies more than 10 km outside the study area and is left out (found '园63')"
    ]
    assert "streets.osm" in check_study(study).files


def test_features_take_the_type_that_the_section_states(tmp_path: Path) -> None:
    section = '[[facilities]]\nfile = "streets.osm"\ntype = "幼儿园托班"\ntags = {amenity = "kindergarten"}\n'
    path = made_study(tmp_path, (REGISTER, section))
    features(tmp_path)
    assert open_study(path).facility_table["type"].to_dict() == {"node/61": "幼儿园托班"}


def test_tags_that_nothing_has_and_a_file_that_is_no_osm_are_refused(tmp_path: Path) -> None:
    section = '[[facilities]]\ntags = {amenity = "clinic"}\n[[facilities]]\nfile = "elders.csv"\ntags = {amenity = "clinic"}\n'
    assert errors(made_study(tmp_path, (REGISTER, section))) == [
        "streets.osm: nothing in the file has the tags amenity=clinic. Check the tags, or take another extract.",
        "elders.csv: is not an OSM file. Use one of .osm.pbf, .pbf, .osm, .osm.gz, .osm.bz2.",
    ]
    found = errors(made_study(tmp_path, (REGISTER, '[[facilities]]\ncrs = "EPSG:4326"\n')))
    assert found == ["study.toml: [[facilities]] 1: file: is missing. Add it; careshed init writes a template with comments."]


# --- the audit's repairs, the template, the documents -----------------------------------------------------------------------


def test_repairs_reach_the_register_beside_features_and_several_files_of_units(tmp_path: Path) -> None:
    section = UNITS + '[[units.also]]\nfile = "yards.csv"\nlevel = "compound"\n'
    path = made_study(tmp_path, (UNITS, section), (REGISTER, REGISTER + '[[facilities]]\ntags = {amenity = "kindergarten"}\n'))
    features(tmp_path)
    (tmp_path / "yards.csv").write_text("代码,名称,上级\nx1,一小区,s1\n", encoding="utf-8")
    (tmp_path / "elders.csv").write_text(ELDERS.replace("121.502,31.196,s1", "121.502,31.196,"), encoding="utf-8")
    study = open_study(path)
    report = check_study(study)
    assert {"units.gpkg", "yards.csv", "elders.csv", "streets.osm"} <= set(report.files)
    done = fix_study(study, report, lang="en")
    # A1 lies 400 m inside the western street: its blank unit is filled in, in a copy
    assert [copy.name for copy in done.copies] == ["elders.fixed.csv"]
    assert "A1,甲,日间照料中心,运营,121.502,31.196,s1" in done.copies[0].read_text(encoding="utf-8-sig")


def uncommented(text: str) -> str:
    """Take the comment marks off lines that are keys or tables."""
    return "\n".join(re.sub(r"^# (?=\[|[a-z0-9_]+ = )", "", line) for line in text.splitlines())


def test_every_key_that_the_template_shows_is_one_that_the_study_file_may_have(tmp_path: Path) -> None:
    text = init_study(tmp_path).read_text(encoding="utf-8")
    start, end = text.index("# 行政单元"), text.index("# 小区登记")
    (tmp_path / "study.toml").write_text(text[:start] + uncommented(text[start:end]) + text[end:], encoding="utf-8")
    config = load_config(tmp_path / "study.toml")
    assert config.units.repair
    assert [one.file for one in config.units.files] == ["units.gpkg", "villages.xlsx"]
    assert [section.origin for section in config.candidates] == ["file", "facilities", "osm", "streets"]
    assert config.candidates[0].files == ("candidates.xlsx", "land_use.gpkg", "flood.gpkg")
    assert config.facilities[1].tags == {"amenity": ("kindergarten", "childcare")}


def test_the_ways_of_travel_that_the_template_shows_may_be_written_so(tmp_path: Path) -> None:
    text = init_study(tmp_path).read_text(encoding="utf-8")
    marks = (('# crs = "EPSG:4490"', "# 界外数据"), ("# [modes.older]", "# 在线底图"))
    for first, last in marks:
        start, end = text.index(first), text.index(last)
        text = text[:start] + uncommented(text[start:end]) + text[end:]
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    config = load_config(tmp_path / "study.toml")
    assert (config.streets.repairs, config.streets.edits[0].name, config.streets.columns) == (
        "repairs.csv",
        "bridge",
        {"class": "DLDJ"},
    )
    assert config.elevation is not None
    assert (config.barriers.layers[0].kind, config.barriers.gates[0].datum) == ("wall", "GCJ-02")
    assert config.modes["car"].speeds_kmh == {"primary": 40, "tertiary": 20}


def test_the_study_file_of_the_documents_may_be_written_so(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    shown = text[text.index("```toml\n") + 8 :]
    (tmp_path / "study.toml").write_text(shown[: shown.index("```")], encoding="utf-8")
    config = load_config(tmp_path / "study.toml")
    assert [section.origin for section in config.candidates] == ["file", "facilities", "osm", "streets"]
