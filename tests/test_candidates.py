"""Candidate sites: from facilities, OSM, streets or a lattice; chosen, excluded with a reason, sized and priced."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString, Polygon, box
from towns import CRS, EAST, NORTH, points, streets

from careshed.intake.candidates import (
    candidates_from_facilities,
    candidates_from_osm,
    candidates_on_lattice,
    candidates_on_streets,
    choose_candidates,
    read_candidates,
    read_land,
    read_prices,
    size_candidates,
)
from careshed.modes import WALK_ADULT
from careshed.network import Network, build_network
from careshed.policy import Cost, load_profile
from careshed.schema import InputError

COLUMNS = ["name", "kind", "services", "places", "area_m2", "cost_yuan", "unit", "file", "row"]


def sites(**columns: object) -> gpd.GeoDataFrame:
    """Three sites 100 m apart: 80 m², 300 m² and of unknown area."""
    table = points([(0, 0), (100, 0), (200, 0)], ids=["a", "b", "c"], name=["甲", "乙", "丙"], file="c.csv", row=["2", "3", "4"])
    own = {"area_m2": [80.0, 300.0, np.nan], "places": [np.nan, 12.0, np.nan], "cost_yuan": [np.nan, 5e5, np.nan]}
    return table.assign(**own, **columns)


def square(west: float, south: float, side: float) -> object:
    return box(EAST + west, NORTH + south, EAST + west + side, NORTH + south + side)


def layer(*shapes: object, **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS, index=range(len(shapes)))


def reasons(chosen: object) -> list[tuple[str, str, str]]:
    table: pd.DataFrame = chosen.excluded  # type: ignore[attr-defined]
    return list(table[["candidate_id", "rule", "value"]].itertuples(index=False, name=None))


def facilities() -> gpd.GeoDataFrame:
    return points(
        [(0, 0), (50, 0), (90, 0)], ids=["F1", "F2", "F3"], name=["甲敬老院", "乙敬老院", "丙幼儿园"],
        type=["敬老院", "敬老院", "幼儿园"], status=["operating", "building", "operating"], places=[40.0, 50.0, 200.0],
        area_m2=[900.0, np.nan, 2000.0], unit=["1", "", "2"], file="f.xlsx", row=["2", "3", "4"],
    )  # fmt: skip


def test_existing_homes_can_be_upgraded() -> None:
    found = candidates_from_facilities(facilities(), types=["敬老院"], services=["centre", "day_care"])
    assert found.index.tolist() == ["UP-F1"]
    assert found.index.name == "candidate_id"
    own = found.iloc[0]
    assert [own[name] for name in ("name", "kind", "services", "places", "area_m2", "unit", "row", "facility")] == [
        "甲敬老院", "敬老院", "centre;day_care", 40.0, 900.0, "1", "2", "F1",
    ]  # fmt: skip
    assert np.isnan(own["cost_yuan"])
    more = candidates_from_facilities(facilities(), types=["敬老院"], statuses=["operating", "building"])
    assert (len(more), more["services"].tolist()) == (2, ["", ""])


def test_osm_features_become_sites_and_a_yard_is_no_floor_area(tmp_path: Path) -> None:
    corners = [(120.99, 35.20), (121.0, 35.20), (121.0, 35.21), (120.99, 35.21)]
    nodes = "".join(f'<node id="{n}" lon="{lon}" lat="{lat}"/>' for n, (lon, lat) in enumerate(corners, start=1))
    refs = "".join(f'<nd ref="{n}"/>' for n in (1, 2, 3, 4, 1))
    school = f'<way id="9">{refs}<tag k="amenity" v="school"/></way>'
    room = '<node id="7" lon="121.0" lat="35.2"><tag k="amenity" v="community_centre"/><tag k="name" v="邻里中心"/></node>'
    (tmp_path / "t.osm").write_text(f'<osm version="0.6">{nodes}{room}{school}</osm>', encoding="utf-8")
    found = candidates_from_osm(tmp_path / "t.osm", crs_out=CRS, services=["day_care"]).table
    assert found["kind"].tolist() == ["社区用房", "学校"]
    assert found["name"].tolist() == ["邻里中心", "学校 way/9"]
    assert found["row"].tolist() == ["node/7", "way/9"]
    assert (found.geometry.geom_type == "Point").all()
    assert found["area_m2"].isna().all()
    # 0.01° of latitude is 1,109.6 m, 0.01° of longitude 911.1 m at 35.2° N: 1.011 km²
    assert found["footprint_m2"].iloc[1] == pytest.approx(1.011e6, rel=2e-3)
    assert np.isnan(found["footprint_m2"].iloc[0])


@pytest.fixture
def network() -> Network:
    # a street of 3 km with junctions every 100 m, and a stub of 50 m that joins nothing
    nodes = {f"n{at}": (100.0 * at, 0.0) for at in range(31)} | {"p": (400.0, 900.0), "q": (450.0, 900.0)}
    town = streets(nodes, [[f"n{at}", f"n{at + 1}"] for at in range(30)] + [["p", "q"]])
    return build_network(town, mode=WALK_ADULT, crs=CRS)


def metres(found: gpd.GeoDataFrame) -> list[tuple[float, float]]:
    return [(round(point.x - EAST, 3), round(point.y - NORTH, 3)) for point in found.geometry]


def test_a_junction_a_square_is_offered_within_the_units(network: Network) -> None:
    unit = layer(square(150, -500, 1000), level=["street"])
    found = candidates_on_streets(network, unit, every_m=500, services=["day_care"])
    # squares of 500 m: of 200…400 the nearest to 250 is 200 (tie with 300: west first), then 700; of 1,000 and 1,100 the latter
    assert metres(found) == [(200.0, 0.0), (700.0, 0.0), (1100.0, 0.0)]
    assert list(found.columns) == [*COLUMNS, "geometry"]
    assert found["kind"].unique().tolist() == ["路口"]
    assert found["services"].unique().tolist() == ["day_care"]
    assert found.index.is_unique


def test_junctions_near_what_exists_and_on_fragments_are_not_offered(network: Network) -> None:
    bare = layer(None, level=["street"])
    everywhere = candidates_on_streets(network, bare, every_m=500)
    assert all(y == 0 for _, y in metres(everywhere))  # the stub at y = 900 joins nothing
    near = points([(1000, 0)])
    found = candidates_on_streets(network, bare, every_m=500, existing=near, away_m=800)
    # more than 800 m from 1,000: 0 and 100, and from 1,900 on; 200 itself is at 800 m and not offered
    assert min(abs(x - 1000) for x, _ in metres(found)) > 800
    assert metres(found)[0] == (100.0, 0.0)


def test_a_lattice_needs_units_with_outlines_and_a_positive_step(network: Network) -> None:
    found = candidates_on_lattice(layer(square(0, 0, 1000), level=["village"]), every_m=500)
    assert metres(found) == [(250.0, 250.0), (250.0, 750.0), (750.0, 250.0), (750.0, 750.0)]
    with pytest.raises(ValueError, match="a lattice needs units with polygons"):
        candidates_on_lattice(layer(None, level=["village"]))
    with pytest.raises(ValueError, match="every_m must be a positive number of metres, not 0"):
        candidates_on_streets(network, layer(None), every_m=0)


def test_each_exclusion_has_its_reason_and_its_row() -> None:
    flood = layer(square(150, -50, 100))
    chosen = choose_candidates(sites(), least_area_m2=100, exclude={"洪水淹没区": flood})
    assert chosen.table.index.tolist() == ["b"]
    assert reasons(chosen) == [("a", "area", "80"), ("c", "exclude", "洪水淹没区")]
    assert chosen.excluded["reason_zh"].tolist() == ["建筑面积 80 平方米，小于 100 平方米", "位于排除范围：洪水淹没区"]
    assert chosen.excluded["reason_en"].tolist()[1] == "lies in an area that rules it out: 洪水淹没区"
    assert chosen.excluded[["file", "row"]].to_numpy().tolist() == [["c.csv", "2"], ["c.csv", "4"]]


def test_the_least_area_itself_is_enough_and_unknown_area_is_kept_unless_asked() -> None:
    assert choose_candidates(sites(), least_area_m2=80).table.index.tolist() == ["a", "b", "c"]
    strict = choose_candidates(sites(), least_area_m2=80, keep_unknown=False)
    assert reasons(strict) == [("c", "area", "")]
    assert strict.excluded["reason_en"].tolist() == ["floor area is unknown"]


def test_land_use_codes_hold_for_the_codes_that_begin_with_them() -> None:
    uses = layer(square(-10, -10, 50), square(90, -10, 50), square(190, -10, 50), 用地代码=["080302", "070102", "1001"])
    chosen = choose_candidates(sites(), land_use=uses, land_use_codes=["0803", "0701"])
    assert chosen.table["land_use"].tolist() == ["080302", "070102"]
    assert reasons(chosen) == [("c", "land_use", "1001")]
    assert chosen.excluded["reason_zh"].tolist() == ["用地分类 1001 不在可用范围（0803, 0701）"]


def test_land_use_in_another_crs_with_gaps_is_understood() -> None:
    uses = layer(square(-10, -10, 50), code=["0803"]).to_crs("EPSG:4326")
    assert choose_candidates(sites(), land_use=uses, land_use_codes=["0803"]).table.index.tolist() == ["a", "b", "c"]
    strict = choose_candidates(sites(), land_use=uses, land_use_codes=["0803"], keep_unknown=False)
    assert reasons(strict) == [("b", "land_use", ""), ("c", "land_use", "")]
    # where two land uses meet, the lowest code counts
    two = layer(square(-10, -10, 50), square(-10, -10, 20), DLBM=["1001", "0803"])
    assert choose_candidates(sites(), land_use=two, land_use_column="DLBM").table["land_use"].tolist() == ["0803", "", ""]


def test_a_layer_without_codes_or_codes_without_a_layer_are_refused() -> None:
    with pytest.raises(ValueError, match="the land-use layer has no column 'of codes'; it has: geometry"):
        choose_candidates(sites(), land_use=layer(square(0, 0, 1)), land_use_codes=["08"])
    with pytest.raises(ValueError, match="no column 'DLBM'; it has: code, geometry"):
        choose_candidates(sites(), land_use=layer(square(0, 0, 1), code=["1"]), land_use_column="DLBM")
    with pytest.raises(ValueError, match="land_use_codes need a layer"):
        choose_candidates(sites(), land_use_codes=["08"])


def test_what_is_given_is_left_alone() -> None:
    given = sites()
    choose_candidates(given, least_area_m2=100, exclude={"x": layer(square(0, 0, 1))})
    size_candidates(given, m2_per_place=20)
    pd.testing.assert_frame_equal(pd.DataFrame(given), pd.DataFrame(sites()))


def test_places_come_from_floor_area_and_say_so() -> None:
    found = size_candidates(sites(), m2_per_place=30)
    # 80 / 30 = 2.7 -> 2; the list's 12 stays although 300 / 30 = 10; nothing for an unknown area
    assert found["places"].tolist()[:2] == [2.0, 12.0]
    assert np.isnan(found["places"].iloc[2])
    assert found["places_from"].tolist() == ["建筑面积按每位 30 平方米（假设）", "清单", "未知"]
    with pytest.raises(ValueError, match="m2_per_place must be positive, not 0"):
        size_candidates(sites(), m2_per_place=0)


def test_cost_comes_from_the_profiles_model_and_is_labelled_as_derived() -> None:
    costs = load_profile("chifeng-2022").cost
    found = size_candidates(sites(), costs=costs, type="敬老院", lang="en")
    # 80 m² at 3,500 yuan (the first cost for 敬老院); the list's 500,000 stays; no area, no cost
    assert found["cost_yuan"].tolist()[:2] == [280_000.0, 500_000.0]
    assert found["cost_from"].tolist() == [
        "Public homes, per m² of floor: 3500 yuan/m²; A median derived from the project list, not a standard of the plan.",
        "the list",
        "unknown",
    ]
    assert np.isnan(size_candidates(sites(), costs=costs, type="助餐点")["cost_yuan"].iloc[0])


def test_cost_by_place_needs_places() -> None:
    price = Cost(id="p", title_zh="每床", title_en="Per bed", per="bed", yuan=10_000, types=("敬老院",), basis="b")
    found = size_candidates(sites(), m2_per_place=40, costs=[price], type="敬老院")
    assert found["cost_yuan"].iloc[0] == 20_000.0  # 80 / 40 = 2 beds
    assert found["cost_from"].tolist() == ["每床：10000 元/床", "清单", "未知"]


def test_a_list_of_sites_is_read_as_before(tmp_path: Path) -> None:
    file = tmp_path / "sites.csv"
    file.write_text("编号,类型,可设服务,经度,纬度\nC1,闲置学校,childcare、day_care,121.5,31.2\n", encoding="utf-8")
    found = read_candidates(file, crs_out="EPSG:32651", crs="EPSG:4326", datum="WGS-84").table
    assert found["services"].tolist() == ["childcare;day_care"]
    assert found["kind"].tolist() == ["闲置学校"]


def test_the_limits_of_distances_count() -> None:
    street = layer(LineString([(EAST, NORTH + 40), (EAST + 150, NORTH + 40)])).geometry
    # a and b lie 40 m south of the street; c is 50 m beyond its end: √(50² + 40²) = 64.03 m
    assert choose_candidates(sites(), streets=street, street_within_m=40).table.index.tolist() == ["a", "b"]
    chosen = choose_candidates(sites(), streets=street, street_within_m=39.9)
    assert reasons(chosen) == [("a", "street", "40"), ("b", "street", "40"), ("c", "street", "64")]
    assert chosen.excluded["reason_zh"].tolist()[2] == "距最近街道 64 米，超过 39.9 米"
    pipe = layer(LineString([(EAST, NORTH - 30), (EAST + 50, NORTH - 30)]))
    near = {"exclude": {"管线": pipe}}
    assert reasons(choose_candidates(sites(), **near, exclude_within_m={"管线": 30.0})) == [("a", "exclude", "管线")]
    assert choose_candidates(sites(), **near, exclude_within_m={"管线": 29.9}).excluded.empty
    with pytest.raises(ValueError, match="street_within_m needs lines to measure to: give streets"):
        choose_candidates(sites(), street_within_m=40)


def test_no_sites_and_no_streets_are_understood() -> None:
    street = layer(LineString([(EAST, NORTH), (EAST + 1, NORTH)])).geometry
    none = sites().iloc[:0]
    chosen = choose_candidates(none, least_area_m2=1, exclude={"甲": layer(square(0, 0, 1))}, streets=street, street_within_m=1)
    assert chosen.table.empty
    assert chosen.faults() == []
    assert len(choose_candidates(sites(), streets=street.iloc[:0], street_within_m=1).excluded) == 3


def test_exclusions_are_told_as_sites_left_out() -> None:
    (fault,) = choose_candidates(sites(), least_area_m2=100).faults()
    assert (fault.severity, fault.code, fault.file, fault.row, fault.found) == (
        "dropped",
        "candidate_excluded",
        "c.csv",
        "2",
        "甲",
    )
    assert fault.text("zh") == "第 2 行：建筑面积 80 平方米，小于 100 平方米（现为“甲”）"


def test_land_is_read_with_codes_of_usual_headers_and_what_has_no_shape_is_passed_over(tmp_path: Path) -> None:
    bow = Polygon([(EAST, NORTH), (EAST + 2, NORTH + 2), (EAST + 2, NORTH), (EAST, NORTH + 2)])
    land = layer(bow, square(5, 5, 1), None, 用地代码=["0702", "08", "09"], 名称=["甲", "乙", "丙"])
    land.to_file(tmp_path / "land.gpkg")
    read = read_land(tmp_path / "land.gpkg", crs_out=CRS, codes=True)
    assert read.table["code"].tolist() == ["0702", "08"]
    assert read.table.geometry.is_valid.all()
    assert read.table.area.tolist() == pytest.approx([2.0, 1.0])  # two triangles of 1 m² each
    assert read_land(tmp_path / "land.gpkg", crs_out=CRS).table.columns.tolist() == ["geometry"]


def test_the_cost_model_is_that_of_the_profile() -> None:
    prices, whole = read_prices("chifeng-2022"), load_profile("chifeng-2022").cost
    assert [(one.title_zh, one.per, one.yuan, one.types, one.classes, one.note_en) for one in prices] == [
        (one.title_zh, one.per, one.yuan, one.types, one.classes, one.note_en) for one in whole
    ]
    assert read_prices("shuozhou-2023") == ()


def test_a_plan_that_does_not_exist_or_costs_that_are_no_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"own\.toml\n    - the file does not exist"):
        read_prices("own.toml", tmp_path)
    (tmp_path / "own.toml").write_text("cost = 3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"\[\[cost\]\] 1:  is wrong"):
        read_prices("own.toml", tmp_path)
