"""The map page at any size: what it may weigh, what it leaves out and says so, and that packed cells come back as they were."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer
from shapely import Point
from test_maps import CRS, EAST, NORTH, _ints, _read, everything, small_cells, small_study

from careshed.maps import write_map
from careshed.maps.cells import FIT_CELLS, cells_layer, grid_fit, minute_codes
from careshed.maps.encode import DEFLATED, block_bytes, packed
from careshed.maps.facts import Scope
from careshed.maps.layers import bands_layer, cell_bands, streets_layer
from careshed.maps.notes import drawing_notes
from careshed.schema import Grid

CELLS, SIDE = 200_000, 500
SCOPE = Scope("zh", "青湾", "托育服务", "p60", 15.0, ("p60",), (5.0, 15.0), None)


@pytest.fixture(scope="module")
def many() -> tuple[gpd.GeoDataFrame, Grid, SimpleNamespace]:
    """200,000 cells of 100 m, 500 a row, with people, and minutes that grow from the west."""
    random = np.random.default_rng(3)
    row, col = np.divmod(np.arange(CELLS), SIDE)
    people = np.round(random.gamma(2.0, 20.0, CELLS), 2) * (random.random(CELLS) > 0.1)
    points = shapely.points(EAST + 100 * col + 50, NORTH - 100 * row - 50)
    cells = gpd.GeoDataFrame({"p60": people * 0.2, "total": people, "row": row, "col": col}, geometry=points, crs=CRS)
    times = SimpleNamespace(
        metric="time",
        cell_ids=cells.index,
        cell_fault=np.where(np.arange(CELLS) % 1000 == 0, "far", ""),
        nearest_cost=np.where(col == SIDE - 1, -1, col * 7_301).astype(np.int64),
    )
    return cells, Grid(CRS, (100.0, 0.0, EAST, 0.0, -100.0, NORTH), (400, SIDE)), times


@pytest.fixture(scope="module")
def layer(many: tuple[gpd.GeoDataFrame, Grid, Any]) -> Any:
    cells, grid, times = many
    return cells_layer(cells, ("p60", "total"), grid, times)


def test_two_hundred_thousand_cells_of_two_groups_take_little_of_five_megabytes(layer: Any) -> None:
    size = block_bytes(layer) + block_bytes(layer["people"])

    assert layer["people"]["p60"].startswith(DEFLATED)
    assert size < 1_500_000


def test_every_cell_comes_back_with_its_people_and_minutes(many: tuple[gpd.GeoDataFrame, Grid, Any], layer: Any) -> None:
    cells, _, times = many
    lived_in = np.flatnonzero(cells["total"] > 0)
    at = np.cumsum(_ints(layer["at"]))

    assert layer["n"] == len(lived_in)
    assert np.array_equal(at, lived_in)  # the grid has no empty margin: flat place = cell
    assert np.array_equal(_ints(layer["people"]["total"]), np.rint(cells["total"].to_numpy()[lived_in] * 10))
    codes = np.array(_ints(layer["minutes"]))
    # halves of a minute, rounded up: column c costs 7.301 s x c
    column = lived_in % SIDE
    expected = np.where(column == SIDE - 1, 0, np.ceil(column * 7.301 / 30) + 1)
    assert np.array_equal(codes, np.where(lived_in % 1000 == 0, -1, expected))
    assert np.array_equal(codes, np.asarray(minute_codes(cells.index, times))[lived_in])


def test_cells_no_travel_time_knows_cannot_be_judged() -> None:
    times = SimpleNamespace(metric="time", cell_ids=pd.Index([1]), cell_fault=np.array([""]), nearest_cost=np.array([1]))

    assert np.asarray(minute_codes(pd.Index([0, 1]), times)).tolist() == [-1, 2]
    assert minute_codes(pd.Index([0]), SimpleNamespace(metric="length")) is None
    assert minute_codes(pd.Index([0]), None) is None


def test_nobody_anywhere_gives_no_layer() -> None:
    assert cells_layer(small_cells().assign(p0_3=0.0), ("p0_3", "p99"), None) is None


@pytest.mark.parametrize(
    ("crs", "transform", "shape"),
    [
        ("EPSG:32651", (100.0, 0.0, EAST, 0.0, -100.0, NORTH), (400, 500)),
        ("EPSG:4326", (1 / 1200, 0.0, 112.0, 0.0, -1 / 1200, 41.0), (1200, 1200)),  # a degree square of WorldPop
        ("EPSG:32651", (70.0, 70.0, EAST, 70.0, -70.0, NORTH), (300, 300)),  # a grid turned by 45 degrees
    ],
)
def test_the_page_finds_the_cell_under_a_point(crs: str, transform: tuple[float, ...], shape: tuple[int, int]) -> None:
    fit: Any = grid_fit(Grid(crs, transform, shape), 3, 5, shape)  # type: ignore[arg-type]
    random = np.random.default_rng(1)
    row, col = random.uniform(0, shape[0], 400), random.uniform(0, shape[1], 400)
    a, b, c, d, e, f = transform
    east, north = a * (col + 5) + b * (row + 3) + c, d * (col + 5) + e * (row + 3) + f
    x, y = Transformer.from_crs(crs, "EPSG:3857", always_xy=True).transform(east, north)
    west, south, right, top = fit["box"]
    u, v = (x - west) / (right - west), (top - y) / (top - south)
    for name, wanted in (("row", row), ("col", col)):
        terms = np.array(fit[name])
        found = sum(terms[i, j] * u**i * v**j for i in range(len(terms)) for j in range(len(terms)))
        assert np.max(np.abs(found - wanted)) < 2 * FIT_CELLS


def _streets(many: int) -> gpd.GeoDataFrame:
    random = np.random.default_rng(1)
    start = random.uniform(0, 12_000, (many, 1, 2))
    points = start + np.cumsum(random.normal(0, 25, (many, 9, 2)), axis=1) + (EAST, NORTH)
    return gpd.GeoDataFrame({"rank": np.arange(many) % 4}, geometry=shapely.linestrings(points), crs=CRS)


def test_streets_that_fit_are_drawn_in_full() -> None:
    drawn: Any = streets_layer(_streets(400), most=100_000)

    assert (drawn["off_m"], drawn["left_out"], drawn["all"]) == (1.5, 0, 400)
    assert drawing_notes({"streets": drawn}, SCOPE) == []


def test_streets_beyond_their_bytes_are_drawn_coarser_then_the_least_are_left_out_and_the_page_says_so() -> None:
    lines = _streets(2000)
    full: Any = streets_layer(lines)
    size = sum(block_bytes(part["lines"]) for part in full["ranks"])
    coarser: Any = streets_layer(lines, most=int(size * 0.9))
    fewer: Any = streets_layer(lines, most=int(size * 0.3))

    assert coarser["off_m"] > 1.5
    assert coarser["left_out"] == 0
    assert "误差不超过" in drawing_notes({"streets": coarser}, SCOPE)[0][1]
    assert sum(block_bytes(part["lines"]) for part in fewer["ranks"]) <= size * 0.3
    assert [part["rank"] for part in fewer["ranks"]][-1] == 0  # the widest are kept
    assert fewer["left_out"] == (lines["rank"] > max(part["rank"] for part in fewer["ranks"])).sum() > 0
    assert drawing_notes({"streets": fewer}, SCOPE)[0][1].startswith(
        f"为控制文件大小，2,000 条道路中等级最低的 {fewer['left_out']:,} 条"
    )


def _stars(limits: tuple[float, ...] = (5.0, 15.0)) -> gpd.GeoDataFrame:
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    rim = 1 + 0.02 * np.sin(40 * angle)
    shapes = [
        shapely.polygons(np.column_stack([np.cos(angle), np.sin(angle)]) * rim[:, None] * limit * 60 + (EAST, NORTH))
        for limit in limits
    ]
    return gpd.GeoDataFrame({"minutes": limits}, geometry=shapes, crs=CRS)


def test_bands_beyond_their_bytes_are_drawn_coarser_then_cell_by_cell() -> None:
    full: Any = bands_layer(_stars())
    size = sum(block_bytes(band["areas"]) for band in full["bands"])
    coarser: Any = bands_layer(_stars(), most=int(size * 0.8))
    never: Any = bands_layer(_stars(), most=10)

    assert (full["off_m"], full["whole"]) == (1.5, True)
    assert coarser["whole"]
    assert coarser["off_m"] > 1.5
    assert "边缘" in drawing_notes({"bands": coarser}, SCOPE)[0][1]
    assert not never["whole"]
    by_cell: Any = cell_bands((5.0, 15.0))
    assert [band["minutes"] for band in by_cell["bands"]] == [15.0, 5.0]
    assert [band["colour"] for band in by_cell["bands"]] == [band["colour"] for band in full["bands"]]
    assert drawing_notes({"bands": by_cell}, SCOPE)[0][0] == "等时圈"
    assert cell_bands(()) is None


def test_a_page_whose_bands_do_not_fit_colours_cells_and_says_so(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def cramped(isochrones: gpd.GeoDataFrame) -> object:
        return bands_layer(isochrones, most=10)

    monkeypatch.setattr("careshed.maps.page.bands_layer", cramped)
    page = _read(write_map(tmp_path / "cells.html", small_study(), **everything()))  # type: ignore[arg-type]

    assert page.data["layer_bands"]["by_cell"] is True
    assert any(text.startswith("按格着色") for text in page.words)


def test_short_arrays_stay_plain_and_long_ones_are_deflated_only_where_it_pays() -> None:
    noise = np.random.default_rng(2).integers(-(2**40), 2**40, 3000)

    assert not packed(np.arange(100)).startswith(DEFLATED)
    assert packed(np.zeros(5000, dtype=np.int64)).startswith(DEFLATED)
    assert not packed(noise).startswith(DEFLATED)
    assert _ints(packed(noise)) == noise.tolist()
    assert _ints(packed(np.arange(5000) % 9)) == (np.arange(5000) % 9).tolist()


def test_cells_of_no_grid_are_points_with_a_radius() -> None:
    cells = gpd.GeoDataFrame({"p60": [3.0, 0.0, 5.0]}, geometry=[Point(EAST + x, NORTH) for x in (0, 50, 100)], crs=CRS)
    layer: Any = cells_layer(cells, ("p60",), None)

    assert _ints(layer["people"]["p60"]) == [30, 50]  # the cell without people is left out
    assert layer["radius_m"] == 42.0  # 0.42 of the 100 m between the two
    assert len(_ints(layer["points"]["n"])) == 2
