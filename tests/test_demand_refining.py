"""Spreading and refining people against brute force, and what refinement does to coverage."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiLineString, Point, Polygon, box
from towns import CRS, points, streets

from careshed.demand import (
    cell_areas,
    refine_to_buildings,
    refine_to_streets,
    refinement_effect,
    spread_areas,
    spread_to_grid,
    square_grid,
    tell_effect,
)
from careshed.intake.population import read_population_rasters
from careshed.modes import WALK_OLDER
from careshed.network import build_network
from careshed.reach import travel_times
from careshed.schema import Grid


def frame(shapes: list, **columns: object) -> gpd.GeoDataFrame:
    index = pd.RangeIndex(len(shapes), name="cell_id")
    return gpd.GeoDataFrame(pd.DataFrame(columns, index=index), geometry=shapes, crs=CRS)


polygons = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=5
).map(lambda boxes: [box(x, y, x + w, y + h) for x, y, w, h in boxes])


@settings(max_examples=20, deadline=None)
@given(polygons, st.integers(1, 5), st.data())
def test_spreading_agrees_with_counting_unit_squares(areas: list, width: int, data: st.DataObject) -> None:
    people = data.draw(st.lists(st.integers(0, 99), min_size=len(areas), max_size=len(areas)))
    targets = [box(0, 0, width, 5), box(width, 0, 9, 7)]
    spread = spread_areas(frame(areas, total=[float(each) for each in people]), frame(targets, name=["a", "b"]))
    # brute force: every area is whole unit squares; each square belongs to the target that holds its middle
    landed, left = [0.0, 0.0], [0.0] * len(areas)
    for at, (area, count) in enumerate(zip(areas, people, strict=True)):
        x0, y0, x1, y1 = map(int, area.bounds)
        for x in range(x0, x1):
            for y in range(y0, y1):
                held = [target.contains(Point(x + 0.5, y + 0.5)) for target in targets]
                share = count / ((x1 - x0) * (y1 - y0))
                if any(held):
                    landed[held.index(True)] += share
                else:
                    left[at] += share
    assert spread.table["total"].tolist() == pytest.approx(landed, abs=1e-9)
    assert spread.rest["total"].tolist() == pytest.approx(left, abs=1e-9)
    assert spread.table["name"].tolist() == ["a", "b"]


def test_people_in_no_target_are_told_and_targets_that_overlap_are_refused() -> None:
    areas = frame([box(0, 0, 4, 1)], total=[100.0])
    told = spread_areas(areas, frame([box(0, 0, 1, 1)])).faults
    assert [fault.text() for fault in told] == ["total: 75.0 people (75.00%, of 1 area(s)) lie in no target and are listed apart"]
    with pytest.raises(ValueError, match=r"targets overlap: they hold 1\.2500 times the ground of area\(s\) 0"):
        spread_areas(areas, frame([box(0, 0, 3, 1), box(2, 0, 4, 1)]))
    with pytest.raises(ValueError, match="convert them with to_crs first"):
        spread_areas(areas, frame([box(0, 0, 1, 1)]).to_crs("EPSG:4326"))
    with pytest.raises(ValueError, match=r"1 area\(s\) have no ground"):
        spread_areas(frame([Point(0, 0)], total=[1.0]), areas)


def test_a_grid_over_areas_lies_on_whole_multiples_and_paints_back() -> None:
    areas = frame([Polygon([(30, 30), (330, 30), (30, 330)])], total=[90.0], p60=[9.0])
    squares, grid = square_grid(areas, 100.0)
    assert (grid.shape, grid.transform) == ((4, 4), (100.0, 0.0, 0.0, 0.0, -100.0, 400.0))
    # row 0 is y 300 to 400: the triangle's tip lies in its first square only
    assert squares[squares["row"] == 0]["col"].tolist() == [0]
    population, spread = spread_to_grid(areas, 100.0)
    assert population.grid == grid
    assert population.cells["total"].sum() == pytest.approx(90.0, rel=1e-12)
    first = population.cells.loc[12]
    # row 3, column 0 holds 70 m × 70 m of a triangle of 300 m × 300 m / 2
    assert (first["row"], first["col"], first.geometry.x, first.geometry.y) == (3, 0, 50.0, 50.0)
    assert first["p60"] == pytest.approx(9 * 4900 / 45000)
    assert "(kept)" in spread.ledger.text("en")


def test_cells_know_their_ground_from_the_grid_or_their_size() -> None:
    cells = points([(50, 50)], ids=[0], total=[1.0])
    assert cell_areas(cells, size_m=100).iloc[0].bounds == (500_000.0, 3_900_000.0, 500_100.0, 3_900_100.0)
    grid = Grid(CRS, (100.0, 0.0, 500_000.0, 0.0, -100.0, 3_900_200.0), (2, 3))
    pixel = cell_areas(cells.assign(row=1, col=2), grid=grid).iloc[0]
    assert pixel.bounds == (500_200.0, 3_900_000.0, 500_300.0, 3_900_100.0)
    with pytest.raises(ValueError, match="give exactly one"):
        cell_areas(cells)


GRID = [box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000), box(0, 1000, 1000, 2000), box(1000, 1000, 2000, 2000)]


def lines_of(*coordinates: list[tuple[float, float]], kinds: list[str] | None = None) -> gpd.GeoDataFrame:
    shapes = [LineString(each) for each in coordinates]
    return gpd.GeoDataFrame({"highway": kinds or ["residential"] * len(shapes)}, geometry=shapes, crs=CRS)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 39), st.integers(0, 39), st.integers(1, 39), st.booleans(), st.sampled_from([1.0, 0.5, 0.0])),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.integers(0, 500), min_size=4, max_size=4),
)
def test_refinement_to_streets_agrees_with_walking_every_metre(streets_drawn: list, people: list[int]) -> None:
    weights = {"1.0": 1.0, "0.5": 0.5}
    coordinates, kinds = [], []
    for x, y, long, east, weight in streets_drawn:
        # streets on odd tens of metres, so that none lies on a border
        start = (x * 50 + 5, y * 50 + 5)
        coordinates.append([start, (start[0] + long * 50 if east else start[0], start[1] if east else start[1] + long * 50)])
        kinds.append(str(weight))
    cells = frame(GRID, total=[float(each) for each in people])
    fine = refine_to_streets(cells, lines_of(*coordinates, kinds=kinds), cells.geometry, weights=weights, step_m=50)
    # brute force: every 5 m of street draws people by its weight
    drawn = [dict[tuple[float, float], float]() for _ in GRID]
    for line, kind in zip(coordinates, kinds, strict=True):
        whole = LineString(line)
        for metre in range(0, int(whole.length), 5):
            spot = whole.interpolate(metre + 2.5)
            for at, cell in enumerate(GRID):
                if cell.contains(spot):
                    drawn[at][spot.x, spot.y] = drawn[at].get((spot.x, spot.y), 0.0) + weights.get(kind, 0.0)
    for at, spots in enumerate(drawn):
        mine = fine.cells[(fine.source == at).to_numpy()]
        assert mine["total"].sum() == pytest.approx(people[at], rel=1e-9, abs=1e-12)
        whole_weight = sum(spots.values())
        assert ((fine.at_centre == at).any()) == (whole_weight == 0 and people[at] > 0)
        if whole_weight and people[at]:
            assert GRID[at].buffer(1e-6).covers(gpd.GeoSeries(mine.geometry).union_all())
            for axis in range(2):
                middle = sum(spot[axis] * weight for spot, weight in spots.items()) / whole_weight
                xy = mine.geometry.x if axis == 0 else mine.geometry.y
                assert float((xy * mine["total"]).sum() / mine["total"].sum()) == pytest.approx(middle, abs=1e-6)


def test_points_stand_in_the_middle_of_their_length_of_street() -> None:
    cells = frame([GRID[0]], total=[130.0])
    fine = refine_to_streets(cells, lines_of([(0, 10), (130, 10)]), cells.geometry, step_m=50).cells
    # 130 m are three lengths of 43.3 m
    assert fine.geometry.x.tolist() == pytest.approx([130 / 6, 65.0, 130 * 5 / 6])
    assert fine["total"].tolist() == pytest.approx([130 / 3] * 3)
    whole = refine_to_streets(cells, lines_of([(0, 10), (100, 10)]), cells.geometry, step_m=50).cells
    assert len(whole) == 2


def test_cells_without_streets_stay_at_their_centre_and_are_told() -> None:
    cells = frame(GRID[:3], total=[10.0, 20.0, 0.0], unit=["a", "b", "c"])
    fine = refine_to_streets(
        cells, lines_of([(5, 5), (45, 5)], [(1005, 5), (1045, 5)], kinds=["residential", "footway"]), cells.geometry
    )
    assert fine.at_centre.tolist() == [1]
    assert fine.cells[["total", "unit"]].to_dict("list") == {"total": [10.0, 20.0, 0.0], "unit": ["a", "b", "c"]}
    assert fine.source.tolist() == [0, 1, 2]
    # point_on_surface of a square is its middle
    assert (fine.cells.geometry[1].x, fine.cells.geometry[1].y) == (1500.0, 500.0)
    assert [fault.text() for fault in fine.faults][1] == (
        "1 cell(s) hold no residential streets; their 20.0 people (total) stay at the centre"
    )
    assert fine.faults[0].text().startswith("assumption: people a metre of street weigh residential 1, living_street 1")
    assert "1 个单元格内没有居住街道，其 20.0 人（total）仍计在中心点" in fine.faults[1].text("zh")


def test_nobody_lives_in_a_tunnel_and_parts_of_a_line_count_apart() -> None:
    cells = frame([GRID[0]], total=[6.0])
    shapes = [MultiLineString([[(0, 10), (20, 10)], [(500, 10), (540, 10)]]), LineString([(0, 900), (900, 900)])]
    ways = gpd.GeoDataFrame({"highway": ["residential"] * 2, "bridge": False, "tunnel": [False, True]}, geometry=shapes, crs=CRS)
    fine = refine_to_streets(cells, ways, cells.geometry).cells
    assert fine.geometry.x.tolist() == [10.0, 520.0]
    assert fine["total"].tolist() == [2.0, 4.0]


def test_what_does_not_fit_together_is_refused() -> None:
    cells = frame([GRID[0]], total=[6.0])
    with pytest.raises(ValueError, match="step_m must be above 0 metres, not 0"):
        refine_to_streets(cells, lines_of([(0, 0), (9, 9)]), cells.geometry, step_m=0)
    with pytest.raises(ValueError, match="convert them with to_crs first"):
        refine_to_streets(cells, lines_of([(0, 0), (9, 9)]).to_crs("EPSG:4326"), cells.geometry)
    with pytest.raises(ValueError, match="areas must be those of the cells"):
        refine_to_streets(cells, lines_of([(0, 0), (9, 9)]), frame(GRID).geometry)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 38), st.integers(0, 38), st.integers(1, 9)),
        min_size=1,
        max_size=6,
        unique_by=lambda each: each[:2],
    ),
    st.lists(st.integers(0, 500), min_size=4, max_size=4),
)
def test_refinement_to_buildings_agrees_with_counting_squares_of_floor(homes: list, people: list[int]) -> None:
    shapes = [box(x * 50, y * 50, x * 50 + 40, y * 50 + 30) for x, y, _ in homes]
    storeys = np.array([float(each) for *_, each in homes])
    buildings = frame(shapes, floor_m2=[40 * 30 * each for each in storeys], home=True)
    cells = frame(GRID, total=[float(each) for each in people])
    fine = refine_to_buildings(cells, buildings, cells.geometry)
    for at, cell in enumerate(GRID):
        mine = fine.cells[(fine.source == at).to_numpy()]
        assert mine["total"].sum() == pytest.approx(people[at], rel=1e-9, abs=1e-12)
        floor = {i: cell.intersection(shape).area * storeys[i] for i, shape in enumerate(shapes)}
        whole = sum(floor.values())
        if whole and people[at]:
            expected = sorted(people[at] * each / whole for each in floor.values() if each > 0)
            assert sorted(mine["total"]) == pytest.approx(expected)
        elif people[at]:
            assert at in fine.at_centre


def test_only_homes_draw_people_and_a_building_on_a_border_counts_in_both_cells() -> None:
    buildings = frame([box(990, 0, 1010, 10), box(100, 0, 120, 10)], floor_m2=[400.0, 999.0], home=[True, False])
    cells = frame(GRID[:2], total=[30.0, 50.0])
    fine = refine_to_buildings(cells, buildings, cells.geometry)
    assert fine.cells["total"].tolist() == [30.0, 50.0]
    assert fine.cells.geometry.x.tolist() == [995.0, 1005.0]


TOWN = {"a": (0.0, 0.0), "b": (1000.0, 0.0), "c": (1000.0, 800.0)}


def test_the_effect_of_refinement_on_coverage_is_what_a_hand_count_gives() -> None:
    network = build_network(streets(TOWN, ["ab", "bc"]), mode=WALK_OLDER, crs=CRS)
    care = points([(0, 0)], ids=["f"], name=["f"], unit=[""], file=[""], row=[""])
    # one cell of 1 km whose centre lies 500 m along the street: beyond 300 m, so that nobody counts as covered
    cells = points([(500, 0)], ids=[7], total=[100.0], unit=[""])
    square = cell_areas(cells, size_m=1000)
    fine = refine_to_streets(cells, network, square, step_m=100)
    assert len(fine.cells) == 15
    before = travel_times(network, care, cells, limit_m=2000)
    after = travel_times(network, care, fine.cells, limit_m=2000)
    effect = refinement_effect(cells, fine, before, after, metres=300)
    # 1,000 m of street a–b and 500 m of b–c lie in the square (its north edge is 500 m up): 15 points of 100 m,
    # those at 50, 150 and 250 m are within 300 m
    row = effect.loc["total"]
    assert row["covered_before"] == 0
    assert row["covered_after"] == pytest.approx(100 * 3 / 15)
    assert (row["newly_covered"], row["no_longer"]) == (pytest.approx(20.0), 0.0)
    assert tell_effect(effect, limit="300 m", lang="en") == (
        "all residents, within 300 m: 0.0 % of 100 before refinement, 20.0 % after; 20 people newly covered, 0 no longer"
    )
    assert tell_effect(effect, limit="300 米") == (
        "全部人口，300 米 以内：共 100 人，细分前覆盖 0.0 %，细分后 20.0 %；20 人由未覆盖变为覆盖，0 人由覆盖变为未覆盖"
    )
    wide = refinement_effect(cells, fine, before, after, metres=600, groups=["total"]).loc["total"]
    # at 600 m the centre is covered; points at 650 m and beyond are not: 9 of 15
    assert (wide["covered_before"], wide["no_longer"]) == (100.0, pytest.approx(60.0))
    with pytest.raises(ValueError, match="must be those of the coarse cells"):
        refinement_effect(cells, fine, after, before, metres=300)


def test_a_network_knows_its_classes_from_the_ways() -> None:
    town = streets(TOWN, ["ab", "bc"])
    town.ways["highway"] = ["residential", "footway"]
    network = build_network(town, mode=WALK_OLDER, crs=CRS)
    cells = points([(500, 400)], ids=[0], total=[100.0])
    fine = refine_to_streets(cells, network, cell_areas(cells, size_m=2000), ways=town.ways, step_m=500)
    assert (fine.cells.geometry.y.round() == 3_900_000).all()
    assert fine.cells["total"].tolist() == pytest.approx([50.0, 50.0])
    plain = refine_to_streets(cells, network, cell_areas(cells, size_m=2000), step_m=500)
    assert len(plain.cells) == 4
    assert plain.faults[0].text() == "all streets weigh the same; a point stands for at most 500 m"


def test_rasters_refine_through_their_own_grid(tmp_path: Path) -> None:
    import rasterio
    from rasterio.transform import Affine

    profile = {"driver": "GTiff", "height": 2, "width": 2, "count": 1, "dtype": "float32", "crs": CRS}
    with rasterio.open(tmp_path / "t.tif", "w", **profile, transform=Affine(1000, 0, 5e5, 0, -1000, 3_902_000)) as file:
        file.write(np.array([[1, 2], [3, 4]], dtype=np.float32), 1)
    people = read_population_rasters({"total": tmp_path / "t.tif"}, crs_out=CRS).table
    line = gpd.GeoDataFrame(geometry=[LineString([(500_000, 3_900_010), (502_000, 3_900_010)])], crs=CRS)
    fine = refine_to_streets(people.cells, line, cell_areas(people.cells, grid=people.grid), step_m=1000)
    assert fine.cells["total"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert fine.at_centre.tolist() == [0, 1]
    assert "row" not in fine.cells
    assert fine.cells.geometry.y.tolist() == [3_901_500.0, 3_901_500.0, 3_900_010.0, 3_900_010.0]


def test_targets_that_overlap_are_refused_where_no_area_is_filled_by_them() -> None:
    area = gpd.GeoDataFrame({"total": [100.0]}, geometry=[box(0, 0, 10, 10)], crs=CRS)
    # each target holds 40 % of the ground, and it is the same 40 %: 80 people would land on it, of the 40 who live there
    same = gpd.GeoDataFrame(geometry=[box(0, 0, 4, 10), box(0, 0, 4, 10)], index=["甲", "乙"], crs=CRS)
    with pytest.raises(ValueError, match="targets overlap, so that people would count twice: 甲 and 乙"):
        spread_areas(area, same)
    beside = gpd.GeoDataFrame(geometry=[box(0, 0, 4, 10), box(4, 0, 8, 10)], crs=CRS)
    assert spread_areas(area, beside).table["total"].tolist() == pytest.approx([40.0, 40.0])
