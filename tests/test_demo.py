"""The made-up town: its people, its units, its registers, and that its walls, river and gates do what they should."""

from __future__ import annotations

import os
import tomllib
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import openpyxl
import osmium
import pandas as pd
import pytest
import rasterio
import rasterio.features
import shapely
from shapely import LineString, Point, Polygon

from careshed.demo import build_town, make_demo
from careshed.demo.blocks import lattice
from careshed.demo.people import _scaled
from careshed.demo.ways import Drawing, joined, thinned, with_vertices
from careshed.report.stable import stabilise_gpkg, write_xlsx

GROUPS = ("total", "p0_3", "p3_6", "p60", "p65", "p80")


class Osm:
    """What the PBF holds, read without careshed's own reader."""

    def __init__(self, path: Path) -> None:
        self.at: dict[int, tuple[float, float]] = {}
        self.nodes: dict[int, dict[str, str]] = {}
        self.ways: list[tuple[list[int], dict[str, str]]] = []
        for item in osmium.FileProcessor(str(path)):
            tags = {tag.k: tag.v for tag in item.tags}
            if item.is_node():
                self.at[item.id] = (item.location.lon, item.location.lat)
                if tags:
                    self.nodes[item.id] = tags
            elif item.is_way():
                self.ways.append(([node.ref for node in item.nodes], tags))
        ids = list(self.at)
        points = gpd.GeoSeries(gpd.points_from_xy(*np.array([self.at[i] for i in ids]).T), crs="EPSG:4326").to_crs("EPSG:32651")
        self.xy = dict(zip(ids, shapely.get_coordinates(points.array).tolist(), strict=True))

    def line(self, refs: list[int]) -> LineString:
        return LineString([self.xy[ref] for ref in refs])

    def walkable(self) -> list[tuple[list[int], dict[str, str]]]:
        return [(r, t) for r, t in self.ways if "highway" in t and t["highway"] != "motorway" and t.get("foot") != "no"]

    def graph(self, *, without: str = "") -> nx.Graph:
        graph = nx.Graph()
        for refs, tags in self.walkable():
            if without and without in tags:
                continue
            for a, b in pairwise(refs):
                graph.add_edge(a, b, length=float(np.hypot(*np.subtract(self.xy[a], self.xy[b]))))
        return graph


@pytest.fixture(scope="module")
def folder(made_demo: Path) -> Path:
    return made_demo.parent


@pytest.fixture(scope="module")
def osm(folder: Path) -> Osm:
    return Osm(folder / "streets.osm.pbf")


@pytest.fixture(scope="module")
def main(osm: Osm) -> nx.Graph:
    graph = osm.graph()
    return graph.subgraph(max(nx.connected_components(graph), key=len))


@pytest.fixture(scope="module")
def units(folder: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(folder / "units.gpkg", layer="units")


@pytest.fixture(scope="module")
def people(folder: Path) -> dict[str, np.ndarray]:
    bands = {}
    for group in GROUPS:
        with rasterio.open(folder / "population" / f"{group}.tif") as file:
            bands[group] = file.read(1, masked=True).astype(float)
    return bands


def registers(folder: Path) -> dict[str, pd.DataFrame]:
    text = {"所属单位代码": str, "编号": str}
    tables = {
        name: pd.read_csv(folder / f"{name}.csv", dtype=text)
        for name in ("childcare", "kindergartens", "candidates", "compounds")
    }
    tables["elder_care"] = pd.read_excel(folder / "elder_care.xlsx", sheet_name="登记表", dtype=text, engine="openpyxl")
    return tables


def test_the_town_has_a_quarter_of_a_million_people(people: dict[str, np.ndarray]) -> None:
    assert people["total"].sum() == pytest.approx(250_200, abs=100)


@pytest.mark.parametrize(("group", "percent"), [("p60", 18.2), ("p65", 12.5), ("p80", 2.5), ("p0_3", 3.8), ("p3_6", 3.4)])
def test_each_age_group_has_its_stated_share(people: dict[str, np.ndarray], group: str, percent: float) -> None:
    assert 100 * people[group].sum() / people["total"].sum() == pytest.approx(percent, abs=0.01)


def test_older_groups_are_parts_of_younger_ones_in_every_cell(people: dict[str, np.ndarray]) -> None:
    for part, whole in (("p80", "p65"), ("p65", "p60"), ("p60", "total"), ("p0_3", "total"), ("p3_6", "total")):
        assert (people[part] <= people[whole]).all(), part
    assert min(float(people[group].min()) for group in GROUPS) == 0.0


def test_people_live_only_where_there_are_homes(folder: Path) -> None:
    town = build_town()
    xy = town.warp(np.vstack(town.homes.xy))
    with rasterio.open(folder / "population/total.tif") as file:
        counts, transform = file.read(1), file.transform
        assert file.crs.to_epsg() == 32651
        assert (file.res, file.nodata, file.dtypes[0]) == ((100.0, 100.0), -9999.0, "float32")
    row, col = rasterio.transform.rowcol(transform, xy[:, 0], xy[:, 1])
    lived = np.zeros(counts.shape, dtype=bool)
    lived[np.array(row, dtype=int), np.array(col, dtype=int)] = True
    assert not (counts[~lived] > 0).any()
    assert (counts == -9999.0).any()


def test_the_old_core_is_older_than_the_new_blocks(folder: Path, people: dict[str, np.ndarray], units: gpd.GeoDataFrame) -> None:
    def share(name: str) -> float:
        shape = units.loc[units["name"] == name, "geometry"].iloc[0]
        with rasterio.open(folder / "population/total.tif") as file:
            inside = rasterio.features.geometry_mask([shape], people["total"].shape, file.transform, invert=True)
        return float(people["p60"][inside].sum() / people["total"][inside].sum())

    assert share("鼓楼街道") > share("经开街道") + 0.05


def test_units_come_in_the_stated_numbers(units: gpd.GeoDataFrame) -> None:
    # 8 streets with 40 communities; 6 townships, each with one community at its seat and 4 villages: 46 + 24 = 70
    assert Counter(units["level"]) == {"county": 2, "street": 8, "township": 6, "community": 46, "village": 24}
    assert set(units["kind"]) == {"区", "街道", "镇", "乡", "社区", "村"}
    assert set(units["setting"]) == {"", "urban", "rural"}


def test_codes_belong_to_no_real_place_and_name_their_parent(units: gpd.GeoDataFrame) -> None:
    assert units["code"].str.startswith("9901").all()
    assert units["code"].is_unique
    length = {"county": 6, "street": 9, "township": 9, "community": 12, "village": 12}
    assert (units["code"].str.len() == units["level"].map(length)).all()
    below = units[units["level"] != "county"]
    assert (below["parent"] == below["code"].str[:-3]).all()
    assert set(below["parent"]) <= set(units["code"])
    assert not units.loc[units["level"].isin(["community", "village"]), "name"].duplicated().any()


def test_children_tile_their_parent(units: gpd.GeoDataFrame) -> None:
    assert units.geometry.is_valid.all()
    for parent, children in units[units["parent"] != ""].groupby("parent"):
        whole = units.loc[units["code"] == parent, "geometry"].iloc[0]
        assert children.union_all().symmetric_difference(whole).area < 1.0
        assert children.area.sum() == pytest.approx(whole.area, abs=1.0)


@pytest.mark.parametrize("seed", [7])
def test_another_seed_gives_another_sound_town(seed: int, tmp_path: Path) -> None:
    folder = make_demo(tmp_path, seed=seed).parent
    osm = Osm(folder / "streets.osm.pbf")
    graph = osm.graph()
    parts = sorted((graph.subgraph(part).size("length") for part in nx.connected_components(graph)), reverse=True)
    assert parts[0] / sum(parts) > 0.97
    units = gpd.read_file(folder / "units.gpkg")
    assert Counter(units["level"])["street"] == 8
    assert units[units["level"] == "county"].area.sum() == pytest.approx(
        units[units["parent"].str.len() == 9].area.sum(), abs=1.0
    )


def test_the_same_seed_gives_the_same_bytes_over_an_earlier_town_too(folder: Path, tmp_path: Path) -> None:
    for name in ("units.gpkg", "streets.osm.pbf"):
        (tmp_path / name).write_bytes(b"an earlier town")
    again = make_demo(tmp_path).parent
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert len(files) == 18
    assert [str(name) for name in files if (folder / name).read_bytes() != (again / name).read_bytes()] == []


def test_all_files_together_stay_small(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 6_000_000


def test_every_file_says_that_the_town_is_made_up(folder: Path) -> None:
    assert "虚构" in (folder / "README.txt").read_text(encoding="utf-8")
    assert (folder / "study.toml").read_text(encoding="utf-8").startswith("# 青湾市（虚构）")
    assert "虚构" in openpyxl.load_workbook(folder / "elder_care.xlsx")["说明"]["A1"].value
    for table in registers(folder).values():
        assert (table["备注"] == "虚构数据").all()


def test_the_study_file_names_files_and_types_that_exist(folder: Path) -> None:
    study = tomllib.loads((folder / "study.toml").read_text(encoding="utf-8"))
    assert study["study"]["made_up"] is True
    named = [
        study["streets"]["file"],
        *study["population"]["rasters"].values(),
        study["units"]["file"],
        study["compounds"]["file"],
    ]
    named += [table["file"] for table in study["facilities"] + study["candidates"]]
    assert [name for name in named if not (folder / name).is_file()] == []
    tables = registers(folder)
    types = set(tables["elder_care"]["类型"]) | set(tables["childcare"]["类型"])
    services = {service["id"]: service for service in study["service"]}
    assert list(services) == ["childcare", "day_care", "township_centre"]
    for service in services.values():
        assert set(service["types"]) <= types
    offered = set(";".join(tables["candidates"]["可设服务"]).split(";"))
    assert offered == set(services)


def test_the_town_lies_at_sea(osm: Osm) -> None:
    lon, lat = np.array(list(osm.at.values())).T
    assert 122.85 < lon.min() < lon.max() < 123.15
    assert 35.40 < lat.min() < lat.max() < 35.60


def test_registers_have_about_the_stated_number_of_rows(folder: Path) -> None:
    # 19 stations + 8 day-care centres + 10 village homes + 3 old people's homes + 5 regional centres + 1 shut = 46; 12 + 8 = 20;
    # 24 + 6 + 5 = 35; 14 + 5 + 9 + 28 + 6 + 8 = 70
    tables = registers(folder)
    rows = {name: len(table) for name, table in tables.items() if name != "compounds"}
    assert rows == {"elder_care": 46, "childcare": 20, "kindergartens": 35, "candidates": 70}
    assert 60 <= len(tables["compounds"]) <= 140
    assert set(tables["elder_care"]["状态"]) == {"运营", "开工", "储备", "停业"}
    assert tables["elder_care"].columns[:6].tolist() == ["编号", "名称", "类型", "经度", "纬度", "床位数"]
    assert tables["elder_care"].columns[-5:].tolist() == ["服务功能", "护理型床位", "用地面积", "停业年份", "备注"]


def test_clinics_are_the_health_sites_of_the_list_of_candidates(folder: Path) -> None:
    # 6 health centres at township seats and 8 clinics in communities
    clinics = pd.read_csv(folder / "clinics.csv", dtype={"所属单位代码": str})
    assert clinics["类型"].value_counts().to_dict() == {"社区卫生服务机构": 8, "乡镇卫生院": 6}
    sites = registers(folder)["candidates"]
    sites = sites[sites["类型"] == "卫生服务站"]
    assert clinics[["名称", "经度", "纬度"]].to_numpy().tolist() == sites[["名称", "经度", "纬度"]].to_numpy().tolist()


def test_nursing_beds_are_some_of_the_beds_and_one_place_has_shut(folder: Path) -> None:
    elders = registers(folder)["elder_care"]
    assert (elders["护理型床位"] <= elders["床位数"]).all()
    shut = elders[elders["状态"] == "停业"]
    assert shut[["开办年份", "停业年份"]].to_numpy().tolist() == [[2012, 2022]]
    assert elders["停业年份"].notna().sum() == 1


def test_places_stand_in_the_unit_they_are_registered_in(folder: Path, units: gpd.GeoDataFrame) -> None:
    shape = units.set_index("code").geometry
    for name, table in registers(folder).items():
        points = gpd.GeoSeries(gpd.points_from_xy(table["经度"], table["纬度"]), crs="EPSG:4326").to_crs("EPSG:32651")
        # a place stands up to 13 m beside its street, and streets are where units end
        far = [float(point.distance(shape[code])) for point, code in zip(points, table["所属单位代码"], strict=True)]
        assert max(far) < 14, name
        assert table["编号"].is_unique


def test_nearly_all_streets_hang_together(osm: Osm, main: nx.Graph) -> None:
    assert main.size("length") / osm.graph().size("length") > 0.97


def test_the_drawing_has_the_forms_that_make_gaps(osm: Osm) -> None:
    kinds = Counter(tags.get("highway", "") for _, tags in osm.ways)
    assert min(kinds[k] for k in ("primary", "motorway", "steps", "footway", "residential", "track", "path")) > 0
    tags = [tags for _, tags in osm.ways]
    assert any(t.get("oneway") == "yes" for t in tags)
    assert any(t.get("foot") == "no" and t.get("access") == "private" for t in tags)
    assert any(t.get("sidewalk") == "both" for t in tags)
    assert [t["highway"] for t in tags if t.get("name") == "鼓楼步行街"] == ["pedestrian"]
    assert sum(t.get("bridge") == "yes" and "highway" in t and t["highway"] != "motorway" for t in tags) in range(5, 13)
    assert sum(t.get("tunnel") == "yes" for t in tags) in range(5, 18)
    assert sum(t.get("railway") == "level_crossing" for t in osm.nodes.values()) in range(1, 6)


def test_a_compound_with_one_gate_has_no_other_way_in(osm: Osm, main: nx.Graph) -> None:
    walls = [refs for refs, tags in osm.ways if tags.get("barrier") == "wall"]
    single = 0
    for wall in walls:
        gates = {ref for ref in wall if ref in osm.nodes}
        assert 1 <= len(gates) <= 3
        if len(gates) > 1:
            continue
        single += 1
        (gate,) = gates
        a, b = main.neighbors(gate)
        yard = Polygon(osm.line(wall))
        inner, outer = (a, b) if yard.contains(Point(osm.xy[a])) else (b, a)
        rest = nx.restricted_view(main, [gate], [])
        inside = nx.node_connected_component(rest, inner)
        assert outer not in inside
        assert len(inside) < 200
        assert all(yard.contains(Point(osm.xy[node])) for node in inside)
    assert single >= 10


def test_nobody_walks_through_a_wall(osm: Osm) -> None:
    walls = [(set(refs), osm.line(refs)) for refs, tags in osm.ways if tags.get("barrier") in ("wall", "fence")]
    ways = [(set(refs), osm.line(refs)) for refs, tags in osm.ways if "highway" in tags]
    tree = shapely.STRtree([line for _, line in ways])
    met = 0
    for nodes, wall in walls:
        for i in tree.query(wall, predicate="intersects"):
            shared = nodes & ways[i][0]
            meet = shapely.get_coordinates(wall.intersection(ways[i][1]))
            assert {n for n in shared if osm.nodes[n].get("barrier") == "gate"} == shared
            assert len(meet) == len(shared) == 1
            met += 1
    assert met >= len(walls)


@pytest.mark.parametrize("barrier", ["railway", "waterway", "motorway"])
def test_barriers_are_crossed_only_on_bridges_in_underpasses_and_at_crossings(osm: Osm, barrier: str) -> None:
    lines = [(set(r), osm.line(r)) for r, t in osm.ways if (barrier in t or t.get("highway") == barrier) and "bridge" not in t]
    tree = shapely.STRtree([line for _, line in lines])
    crossed = 0
    for refs, tags in osm.walkable():
        for i in tree.query(osm.line(refs), predicate="intersects"):
            shared = lines[i][0] & set(refs)
            level = any(osm.nodes.get(node, {}).get("railway") == "level_crossing" for node in shared)
            assert "bridge" in tags or "tunnel" in tags or level, tags
            assert level or not shared
            crossed += 1
    assert crossed >= 3


def test_without_its_bridges_the_town_falls_apart_at_the_river(osm: Osm, main: nx.Graph) -> None:
    parts = sorted((len(part) for part in nx.connected_components(osm.graph(without="bridge"))), reverse=True)
    assert parts[1] > 0.2 * len(main)


def test_a_few_dozen_people_live_on_an_island_that_only_a_ferry_serves(
    osm: Osm, main: nx.Graph, folder: Path, people: dict[str, np.ndarray]
) -> None:
    (shore,) = [refs for refs, tags in osm.ways if tags.get("place") == "islet"]
    island = Polygon(osm.line(shore))
    lanes = [refs for refs, _ in osm.walkable() if island.contains(osm.line(refs))]
    assert lanes
    assert not any(node in main for refs in lanes for node in refs)
    (ferry,) = [refs for refs, tags in osm.ways if tags.get("route") == "ferry"]
    assert (ferry[0] in {node for refs in lanes for node in refs}, ferry[-1] in main) == (True, True)
    with rasterio.open(folder / "population/total.tif") as file:
        # homes stand 22 m off the shore, so a cell of islanders can have its centre no farther than 100·√2 / 2 m − 22 m off it
        inside = rasterio.features.geometry_mask([island.buffer(49)], people["total"].shape, file.transform, invert=True)
    assert 20 < people["total"][inside].sum() < 100


def test_ways_share_a_node_where_they_meet_and_none_where_one_passes_over() -> None:
    drawing = Drawing()
    drawing.add(LineString([(0, 0), (10, 0)]), highway="residential")
    drawing.add(LineString([(5, -5), (5, 5)]), highway="residential")
    drawing.add(LineString([(8, -5), (8, 5)]), joins=False, highway="footway", bridge="yes")
    streets = joined(drawing)
    first, second, over = (set(refs) for refs in streets.refs)
    # the two streets cross at (5, 0); the bridge at x = 8 passes over the first
    assert [streets.xy[node].tolist() for node in first & second] == [[5.0, 0.0]]
    assert not over & (first | second)


def test_thinning_keeps_every_lane_joined_to_the_block() -> None:
    block = shapely.box(0, 0, 100, 100)
    lanes = [LineString([(x, 0), (x, 100)]) for x in (30, 60)] + [LineString([(0, y), (100, y)]) for y in (40, 70)]
    kept = thinned(lanes, block, 0.0, np.random.default_rng(1))
    # 4 inner crossings and the edge as one: 5 knots, so a tree of 4 pieces
    assert len(kept) == 4
    assert shapely.union_all([*kept, block.exterior]).geom_type == "MultiLineString"
    assert len(list(nx.connected_components(_touching([*kept, block.exterior])))) == 1


def _touching(lines: list[LineString]) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(len(lines)))
    graph.add_edges_from((i, j) for i in range(len(lines)) for j in range(i) if lines[i].intersects(lines[j]))
    return graph


def test_a_line_without_new_points_stays_as_it_is() -> None:
    line = LineString([(0, 0), (1, 0)])
    assert with_vertices(line, []) is line


def test_no_homes_fit_on_empty_ground() -> None:
    assert lattice(Polygon(), 20, np.random.default_rng(0)).shape == (0, 2)


def test_scaling_that_cannot_meet_its_target_stops_at_the_most_there_is() -> None:
    # both cells are full at 2 + 2 = 4 of the 8 asked for
    assert _scaled(np.array([1.0, 1.0]), np.array([2.0, 2.0]), 8.0).tolist() == [2.0, 2.0]


def test_a_workbook_written_twice_is_the_same_file(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        book = openpyxl.Workbook()
        book.worksheets[0]["A1"] = "编号"
        assert write_xlsx(book, tmp_path / name) == tmp_path / name
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert file.read("docProps/core.xml").count(b"2025-06-30T00:00:00Z") == 2
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]["A1"].value == "编号"


def test_a_workbook_open_elsewhere_is_named_and_left_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "list.xlsx"
    target.write_bytes(b"before")

    def held(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(PermissionError, match=r"list\.xlsx is open in another program: close it, then run again"):
        write_xlsx(openpyxl.Workbook(), target)
    assert [path.name for path in tmp_path.iterdir()] == ["list.xlsx"]
    assert target.read_bytes() == b"before"


def test_a_geopackage_written_twice_is_the_same_file(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"name": ["a"]}, geometry=[Point(1, 2)], crs="EPSG:32651")
    for name in ("a.gpkg", "b.gpkg"):
        frame.to_file(tmp_path / name, layer="units", driver="GPKG")
        stabilise_gpkg(tmp_path / name)
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
