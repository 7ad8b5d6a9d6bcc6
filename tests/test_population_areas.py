"""Areas, H3 cells and buildings with people."""

import builtins
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from careshed.intake.population import read_buildings, read_h3_table, read_population_areas
from careshed.intake.population.areas import ground_m2
from careshed.intake.population.buildings import floor_areas
from careshed.schema import InputError

UTM = "EPSG:32651"
E, N = 500_000.0, 3_900_000.0


def layer(folder: Path, geometry: list, **columns: object) -> Path:
    gpd.GeoDataFrame(columns, geometry=geometry, crs=UTM).to_file(folder / "t.gpkg")
    return folder / "t.gpkg"


def square(x: float, y: float, size: float) -> Polygon:
    return box(E + x, N + y, E + x + size, N + y + size)


def test_areas_keep_their_polygons_codes_and_empty_ones(tmp_path: Path) -> None:
    file = layer(tmp_path, [square(0, 0, 100), square(100, 0, 100)], 代码=["a1", "a2"], 总人口=[10, 0])
    checked = read_population_areas(file, crs_out=UTM)
    assert checked.table[["code", "total"]].to_dict("list") == {"code": ["a1", "a2"], "total": [10.0, 0.0]}
    assert checked.table.geometry.area.tolist() == [10_000.0, 10_000.0]
    assert [fault.text() for fault in checked.faults if fault.code == "people_total"] == [
        "total: 10.0 people read, all kept in 1 cells"
    ]


def test_densities_of_areas_become_people_by_ground(tmp_path: Path) -> None:
    file = layer(tmp_path, [square(0, 0, 1000)], population=[200.0])
    checked = read_population_areas(file, crs_out=UTM, per="km2")
    # on the central meridian UTM shrinks lengths by 0.9996: 1 km² of it covers 1 / 0.9996² km² of ground
    assert checked.table["total"].tolist() == pytest.approx([200 / 0.9996**2], rel=1e-5)
    assert ground_m2(checked.table.geometry.to_numpy(), UTM).tolist() == pytest.approx([1e6 / 0.9996**2], rel=1e-5)


def test_points_lines_and_crossed_areas_are_told_together(tmp_path: Path) -> None:
    bow = Polygon([(E, N), (E + 10, N + 10), (E + 10, N), (E, N + 10)])
    line = LineString([(E, N), (E + 5, N)])
    file = layer(tmp_path, [Point(E, N), line, bow], population=[1, 2, 3])
    with pytest.raises(InputError) as caught:
        read_population_areas(file, crs_out=UTM)
    assert [fault.text().split(" (found")[0] for fault in caught.value.faults if fault.severity == "error"] == [
        "row 1: the geometry must be an area",
        "row 2: the geometry must be an area",
        "row 3: the area crosses itself",
    ]


def h3_csv(folder: Path, text: str) -> Path:
    (folder / "h.csv").write_text(text, encoding="utf-8")
    return folder / "h.csv"


def test_h3_cells_are_drawn_from_their_index(tmp_path: Path) -> None:
    h3 = pytest.importorskip("h3")
    code = h3.latlng_to_cell(39.3, 112.4, 9)
    read = read_h3_table(h3_csv(tmp_path, f"h3_index,人口\n{code.upper()},7\n"), crs_out="EPSG:32649").table
    assert read[["code", "total"]].to_dict("list") == {"code": [code], "total": [7.0]}
    lat, lon = h3.cell_to_latlng(code)
    centre = read.to_crs("EPSG:4326").geometry.iloc[0].centroid
    assert (centre.x, centre.y) == (pytest.approx(lon, abs=1e-5), pytest.approx(lat, abs=1e-5))
    # areas by h3 are on the sphere, ours on the ellipsoid: 0.4 % at most
    assert ground_m2(read.geometry.to_numpy(), "EPSG:32649")[0] == pytest.approx(h3.cell_area(code, "m^2"), rel=4e-3)


def test_h3_cells_that_are_none_or_count_people_twice_are_told(tmp_path: Path) -> None:
    h3 = pytest.importorskip("h3")
    code = h3.latlng_to_cell(39.3, 112.4, 9)
    rows = "".join(f"{each},1\n" for each in (code, code, "8928308280fffzz", h3.cell_to_parent(code, 8)))
    with pytest.raises(InputError) as caught:
        read_h3_table(h3_csv(tmp_path, f"id,total\n{rows}"), crs_out="EPSG:32649")
    told = [fault.text().split(" (found")[0] for fault in caught.value.faults]
    assert told == [
        "row 2, column 'id': lies in another cell of the table: its people count twice",
        "row 3, column 'id': this H3 cell stands more than once",
        "row 4, column 'id': is no H3 index",
    ]
    with pytest.raises(InputError, match=r'there is no column of H3 indexes\. Map it with h3 = "your header"'):
        read_h3_table(h3_csv(tmp_path, "place,total\nx,1\n"), crs_out="EPSG:32649")


def test_without_the_package_h3_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without_h3(name: str, *rest: object, **more: object) -> object:
        if name == "h3":
            raise ImportError(name)
        return whole(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_h3)
    with pytest.raises(InputError, match=r"H3 cells need the package h3. Install it \(pip install h3"):
        read_h3_table(h3_csv(tmp_path, "h3,total\nx,1\n"), crs_out="EPSG:32649")


def test_floor_area_is_footprint_times_storeys_and_assumptions_are_told(tmp_path: Path) -> None:
    shapes = [square(0, 0, 10), square(20, 0, 10), square(40, 0, 10), square(60, 0, 10), Point(E, N)]
    file = layer(
        tmp_path,
        shapes,
        层数=["6", "", None, "2", "1"],
        高度=[None, 9.2, None, None, None],
        用途=["住宅", "住宅", "", "工厂", "住宅"],
    )
    checked = read_buildings(file, crs_out=UTM)
    # 9.2 m / 3 m = 3 storeys; unknown: the median of 6, 3 and 2 is 3; a point is no building
    assert checked.table["storeys"].tolist() == [6.0, 3.0, 3.0, 2.0]
    assert checked.table["floor_m2"].tolist() == [600.0, 300.0, 300.0, 200.0]
    assert checked.table["home"].tolist() == [True, True, True, False]
    assert floor_areas(checked.table).tolist() == [600.0, 300.0, 300.0, 0.0]
    assert [fault.text() for fault in checked.faults] == [
        "1 building(s) are no sound area: left out",
        "1 building(s): storeys are height over 3 m",
        "1 building(s): storeys are not known and taken as 3",
        "1 building(s): the use is not stated; taken as homes",
    ]
    strict = read_buildings(file, crs_out=UTM, storeys_unknown=1, unknown_uses=False).table
    assert (strict["storeys"].tolist(), strict["home"].tolist()) == ([6.0, 3.0, 1.0, 2.0], [True, True, False, False])


def test_contact_columns_of_a_survey_of_buildings_are_dropped_and_told(tmp_path: Path) -> None:
    file = layer(tmp_path, [square(0, 0, 10)], 层数=[2], 户主电话=["13800138000"])
    checked = read_buildings(file, crs_out=UTM)
    assert checked.table["floor_m2"].tolist() == [200.0]
    assert [fault.column for fault in checked.faults if fault.code == "contact_column"] == ["户主电话"]


def test_a_layer_without_buildings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there are no buildings in it\. Check the layer or the extract"):
        read_buildings(layer(tmp_path, [Point(E, N)], use=["house"]), crs_out=UTM)


OSM = """<?xml version='1.0'?><osm version="0.6">
<node id="1" lat="39.0" lon="112.0"/><node id="2" lat="39.0" lon="112.001"/><node id="3" lat="39.001" lon="112.001"/>
<node id="4" lat="39.001" lon="112.0"/>
<way id="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/><tag k="building" v="apartments"/>
<tag k="building:levels" v="6;7"/></way>
<way id="2"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="building" v="garage"/><tag k="height" v="2.5 m"/></way>
<way id="3"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="building" v="no"/></way>
</osm>"""


def test_buildings_of_an_osm_extract_have_storeys_and_use(tmp_path: Path) -> None:
    (tmp_path / "b.osm").write_text(OSM, encoding="utf-8")
    read = read_buildings(tmp_path / "b.osm", crs_out="EPSG:32649").table
    assert read[["storeys", "home"]].to_dict("list") == {"storeys": [6.0, 1.0], "home": [True, False]}
    # 0.001° of latitude is about 111 m, of longitude at 39° about 86.6 m
    assert read.geometry.area.tolist() == pytest.approx([111 * 86.6, 111 * 86.6 / 2], rel=2e-3)
    (tmp_path / "bad.osm").write_text(OSM[:200], encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read; it is probably truncated or damaged"):
        read_buildings(tmp_path / "bad.osm", crs_out="EPSG:32649")


def test_reading_leaves_no_rounding_in_totals(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    people = rng.random(50) * 1000
    file = layer(tmp_path, [square(20 * at, 0, 10) for at in range(50)], total=people)
    assert read_population_areas(file, crs_out=UTM).table["total"].tolist() == people.tolist()


def test_a_hole_is_taken_off_and_parts_add_up_whichever_way_their_rings_run() -> None:
    outer, inner = box(500_000, 3_400_000, 501_000, 3_401_000), box(500_200, 3_400_200, 500_700, 3_400_700)
    east = box(502_000, 3_400_000, 503_000, 3_401_000)
    holes = [Polygon(outer.exterior.coords, [ring]) for ring in (inner.exterior.coords, list(inner.exterior.coords)[::-1])]
    parts = MultiPolygon([outer, Polygon(list(east.exterior.coords)[::-1])])
    # on the grid 1,000² − 500² = 750,000 and 2 · 1,000²; near the central meridian the ground is 1/0.9996² = 1.0008 times that
    ground = ground_m2(np.array([*holes, parts], dtype=object), "EPSG:32651")
    assert ground[0] == pytest.approx(ground[1], rel=1e-12)
    assert ground / 1.0008 == pytest.approx([750_000, 750_000, 2_000_000], rel=1e-4)


def test_an_h3_index_in_decimal_is_told_and_one_with_a_prefix_is_read(tmp_path: Path) -> None:
    h3 = pytest.importorskip("h3")
    code = h3.latlng_to_cell(39.3, 112.4, 9)
    with pytest.raises(InputError, match="is no H3 index"):
        read_h3_table(h3_csv(tmp_path, f"h3,total\n{int(code, 16)},1\n"), crs_out="EPSG:32649")
    read = read_h3_table(h3_csv(tmp_path, f"h3,total\n0x{code},1\n"), crs_out="EPSG:32649").table
    assert read["code"].tolist() == [code]
