"""[population] and [demand] in the study file, end to end: every key opens, every total is kept, every fault is told at once."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import Affine
from shapely.geometry import box
from test_study import LEFT, LOW, UTM, errors, made_study
from typer.testing import CliRunner

from careshed.cli import app
from careshed.intake.population import read_rasters_on_grid_of
from careshed.modes import WALK_ADULT
from careshed.run import input_files, run_study
from careshed.schema import InputError
from careshed.study import Study, UnknownYear, open_study

RASTERS = '[population.rasters]\ntotal = "total.tif"\np60 = "p60.tif"'
"""The small study's people: 100 cells of 100 m with 20 residents each, 4 of them aged 60+; 1,000 in s1, 900 in s2, 100 in c."""

TREND = """
[[demand.scenario]]
name_zh = "趋势"
name_en = "trend"
source = "假设"
base_year = 2025
years = [2030, 2035]
rate = { total = 0.0, p60 = 0.02 }
"""

CENSUS = "代码,60岁及以上,80岁及以上\ns1,250,50\ns2,180,18\n"


def opened(folder: Path, *more: str, population: str = RASTERS, changes: tuple[tuple[str, str], ...] = ()) -> Study:
    return open_study(made(folder, *more, population=population, changes=changes))


def made(folder: Path, *more: str, population: str = RASTERS, changes: tuple[tuple[str, str], ...] = ()) -> Path:
    """Write the small study with further sections, or another population."""
    return made_study(folder, (RASTERS, "\n".join([population, *more])), *changes)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def coarse_raster(path: Path, values: object, pixel: float, left: float = LEFT, top: float = LOW + 1000, crs: str = UTM) -> None:
    array = np.array(values, dtype=np.float64)
    profile = {"driver": "GTiff", "height": array.shape[0], "width": array.shape[1], "count": 1, "dtype": "float64"}
    with rasterio.open(path, "w", **profile, crs=crs, transform=Affine(pixel, 0, left, 0, -pixel, top)) as file:
        file.write(array, 1)


def told(study: Study, code: str) -> list[str]:
    return [fault.text() for fault in study.faults if fault.code == code]


# --- ages and groups


def test_ages_of_a_census_reach_every_unit_and_totals_are_kept(tmp_path: Path) -> None:
    write(tmp_path, "census.csv", CENSUS)
    ages = '[demand.ages.table]\nfile = "census.csv"'
    study = opened(tmp_path, ages, changes=(('group = "p60"', 'group = "p80"'),))
    assert study.groups == ("total", "p60", "p80")
    by_unit = study.cells.groupby("unit")[["total", "p60", "p80"]].sum()
    # the county's own five cells are in no unit of the census: they keep their 20 of 100, and 20 · 68 / 430 of them are 80+
    assert by_unit.loc["s1"].tolist() == pytest.approx([1000.0, 250.0, 50.0], rel=1e-9)
    assert by_unit.loc["s2"].tolist() == pytest.approx([900.0, 180.0, 18.0], rel=1e-9)
    assert by_unit.loc["c"].tolist() == pytest.approx([100.0, 20.0, 20 * 68 / 430], rel=1e-9)
    assert math.isclose(math.fsum(study.cells["total"]), 2000.0, rel_tol=1e-9)
    assert study.population.grid is not None
    assert told(study, "people_step")[0].startswith("fitted to unit and age: all residents 2,000.0 -> 2,000.0 (kept)")
    assert told(study, "cells_without_margin") == [
        "5 cell(s) (100.0 people) lie in no unit of the table; they keep their own ages"
    ]


def test_units_of_a_census_may_be_named_and_unknown_ones_are_one_error(tmp_path: Path) -> None:
    ages = '[demand.ages.table]\nfile = "census.csv"'
    study = made(tmp_path, ages)
    write(tmp_path, "census.csv", "代码,60岁及以上\n 西街 ,250\ns2,180\n")
    assert open_study(study).cells.groupby("unit")["p60"].sum()["s1"] == pytest.approx(250.0)
    write(tmp_path, "census.csv", "代码,60岁及以上\ns1x,250\ns2x,180\n")
    (told_once,) = errors(study)
    assert "2 row(s) are of units that are not in the list of units: s1x (nearest: s1" in told_once


def test_a_census_without_codes_is_told_where_its_own_headers_are_mapped(tmp_path: Path) -> None:
    write(tmp_path, "census.csv", "街,60岁及以上\ns1,250\n")
    write(tmp_path, "priority.csv", "街,disabled\ns1,4\n")
    sections = '[demand.ages.table]\nfile = "census.csv"\n[demand.priority]\nfile = "priority.csv"\nby = { disabled = "p60" }'
    found = errors(made(tmp_path, sections))
    assert [text.rsplit("in [", 1)[1] for text in found] == ["demand.ages.table.columns].", "demand.priority.columns]."]


def test_a_grid_too_coarse_for_the_units_is_told_and_refinement_named(tmp_path: Path) -> None:
    path = made(tmp_path)
    for name, people in (("total.tif", 2000.0), ("p60.tif", 400.0)):
        # two pixels of 5 km: their centres lie 200 m and 5,200 m east of the lower left corner of the town of 1 km
        coarse_raster(tmp_path / name, [[people, people]], 5000, left=LEFT - 2300, top=LOW + 3000)
    study = open_study(path)
    assert study.cells["unit"].tolist() == ["s1", ""]
    assert told(study, "grid_too_coarse") == [
        "the grid of people, some 5,000 m a cell, is too coarse for the units: 1 of the 2 smallest hold no cell and count "
        'nobody: s2 东街. Refine people in [demand.refine] (onto = "streets" or "buildings"), or take a finer grid.'
    ]
    # the small study's own cells of 100 m are fine enough
    (tmp_path / "fine").mkdir()
    assert told(opened(tmp_path / "fine"), "grid_too_coarse") == []


def test_shares_make_groups_of_all_residents(tmp_path: Path) -> None:
    study = opened(
        tmp_path,
        "[demand.ages]\nshares = { p0_3 = 0.03 }",
        changes=(('groups_shown = ["total", "p60"]', 'groups_shown = ["p0_3"]'),),
    )
    assert study.cells["p0_3"].sum() == pytest.approx(60.0, rel=1e-9)
    assert study.services[1].groups_shown == ("p0_3",)


def test_rasters_by_age_class_become_groups(tmp_path: Path) -> None:
    classes = "[population.rasters]\n" + "\n".join(f'{sex}_{age} = "{sex}{age}.tif"' for sex in "fm" for age in (0, 60))
    path = made(tmp_path, '[demand.ages]\nclasses = true\ngroups = ["total", "p60"]', population=classes)
    for name, people in (("f0", 7.0), ("m0", 8.0), ("f60", 2.0), ("m60", 3.0)):
        coarse_raster(tmp_path / f"{name}.tif", np.full((10, 10), people), 100)
    study = open_study(path)
    assert study.groups == ("total", "p60")
    assert (study.cells["total"].unique().tolist(), study.cells["p60"].unique().tolist()) == ([20.0], [5.0])


def test_priority_groups_and_their_weights_are_groups_that_services_may_name(tmp_path: Path) -> None:
    write(tmp_path, "disabled.csv", "代码,disabled\ns1,40\ns2,18\n")
    priority = '[demand.priority]\nfile = "disabled.csv"\nby = { disabled = "p60" }\nweights = { p60 = 1, disabled = 2 }'
    study = opened(tmp_path, priority, changes=(('group = "p60"', 'group = "demand"\ngroups_shown = ["disabled"]'),))
    assert study.cells["disabled"].sum() == pytest.approx(58.0, rel=1e-9)
    # 400 people aged 60+, and 58 disabled counted twice more
    assert study.cells["demand"].sum() == pytest.approx(400 + 2 * 58, rel=1e-9)


def test_a_group_that_no_step_makes_is_still_refused_and_the_nearest_named(tmp_path: Path) -> None:
    write(tmp_path, "census.csv", CENSUS)
    write(tmp_path, "disabled.csv", "代码,disabled\ns1,40\n")
    write(tmp_path, "t.csv", "代码,总人口,65岁及以上\ns1,300,50\n")
    write(tmp_path, "housing.csv", "经度,纬度,交付年份,规划人口\n121.503,31.196,2028,100\n")
    sections = """
[demand.ages]
table = { file = "census.csv" }
[demand.priority]
file = "disabled.csv"
by = { disabled = "p65" }
weights = { p70 = 1 }
[[demand.scenario]]
name_zh = "高"
source = "假设"
base_year = 2025
years = [2030]
rate = { p6 = 0.01 }
[[demand.scenario]]
name_zh = "低"
source = "假设"
base_year = 2025
years = [2030]
totals = { 2030 = { file = "t.csv" } }
[demand.housing]
file = "housing.csv"
crs = "EPSG:4326"
since = 2025
shares = { p90 = 0.1 }
"""
    found = errors(made(tmp_path, sections, changes=(('group = "p60"', 'group = "p66"'),)))
    assert [text.split(" (found")[0] for text in found] == [
        "study.toml: [demand.priority.by]: the population has no such group",
        "study.toml: [demand.priority.weights]: the population has no such group",
        "study.toml: [[demand.scenario]] 1: rate: the population has no such group",
        "study.toml: [[demand.scenario]] 2: totals.2030: the population has no such group",
        "study.toml: [demand.housing.shares]: the population has no such group",
        "study.toml: [[service]] 1: group: the population has no such group",
        "study.toml: [[service]] 1: groups_shown: the population has no such group",
    ]
    assert found[-1].endswith("Known: total, p60, p80, disabled, demand.")


def test_ages_need_all_residents(tmp_path: Path) -> None:
    only = '[population.rasters]\np60 = "p60.tif"'
    assert errors(made(tmp_path, "[demand.ages]\nshares = { total = 1.0 }", population=only)) == [
        "study.toml: [demand.ages]: needs all residents (total), of which groups are a part. Give total in [population]."
    ]


# --- refinement


def test_people_refined_to_streets_are_all_there_and_the_network_is_kept(tmp_path: Path) -> None:
    study = opened(tmp_path, "[demand.refine]\nstep_m = 50")
    assert study.demand is not None
    assert study.demand.refined is not None
    assert len(study.cells) > len(study.demand.coarse) == 100
    for group, people in (("total", 2000.0), ("p60", 400.0)):
        assert math.isclose(math.fsum(study.cells[group]), people, rel_tol=1e-9)
    assert study.population.grid is None
    assert not {"row", "col"} & set(study.cells.columns)
    assert study.refined_on is not None
    assert study.network(WALK_ADULT) is study.refined_on[1]
    assert study.network(study.mode("day_care")) is not study.refined_on[1]
    # people of each coarse cell are still its own
    back = study.cells["total"].groupby(study.demand.refined.source).sum()
    assert back.to_numpy() == pytest.approx(20.0, rel=1e-12)
    assert any(
        text.startswith("assumption: people a metre of street weigh residential 1") for text in told(study, "street_weights")
    )


def test_people_refined_to_homes_lie_on_them(tmp_path: Path) -> None:
    homes = [box(LEFT + 10, LOW + 10, LEFT + 20, LOW + 20), box(LEFT + 60, LOW + 60, LEFT + 70, LOW + 70)]
    gpd.GeoDataFrame({"层数": [1, 3]}, geometry=homes, crs=UTM).to_file(tmp_path / "homes.gpkg")
    refine = '[demand.refine]\nonto = "buildings"\nbuildings = { file = "homes.gpkg" }'
    study = opened(tmp_path, refine)
    assert study.cells["total"].sum() == pytest.approx(2000.0, rel=1e-9)
    # 20 people of the lower left cell on one storey and on three
    on_homes = study.cells[study.cells.geometry.within(homes[0].union(homes[1]))]
    assert sorted(on_homes["total"]) == pytest.approx([5.0, 15.0])
    assert study.refined_on is None


def test_a_table_of_points_needs_the_size_of_its_cells_to_be_refined(tmp_path: Path) -> None:
    write(tmp_path, "people.csv", "经度,纬度,人口,p60\n121.503,31.1955,100,20\n")
    table = '[population.table]\nfile = "people.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"'
    assert errors(made(tmp_path, "[demand.refine]", population=table)) == [
        "study.toml: [demand.refine] size_m: people come from a table of points, whose cells have no known size. "
        "State size_m in metres, such as 250."
    ]
    study = open_study(made(tmp_path, "[demand.refine]\nsize_m = 250", population=table))
    assert study.cells["total"].sum() == pytest.approx(100.0, rel=1e-9)
    assert len(study.cells) > 1


# --- sources of people


def zones(folder: Path, **columns: object) -> None:
    shapes = [
        box(LEFT, LOW, LEFT + 300, LOW + 1000),
        box(LEFT + 300, LOW, LEFT + 1000, LOW + 1000),
        box(LEFT, LOW, LEFT + 1, LOW + 1),
    ]
    gpd.GeoDataFrame({"code": ["a", "b", "z"], **columns}, geometry=shapes, crs=UTM).to_file(folder / "zones.gpkg")


def test_polygons_stay_areas_whose_people_count_at_a_point_within(tmp_path: Path) -> None:
    zones(tmp_path, total=[300.0, 700.0, 0.0], p60=[60.0, 70.0, 0.0])
    source = '[population.polygons]\nfile = "zones.gpkg"'
    study = opened(tmp_path, population=source)
    assert study.groups == ("total", "p60")
    assert study.cells["total"].tolist() == [300.0, 700.0]
    assert study.cells["unit"].tolist() == ["s1", "s2"]
    assert study.population.grid is None
    fine = opened(tmp_path, "[demand.refine]", population=source)
    assert fine.demand is not None
    # refined within the areas themselves, so none of a's people cross x = 300 m
    assert fine.demand.refined is not None
    of_a = fine.cells[fine.demand.refined.source == 0]
    assert of_a["total"].sum() == pytest.approx(300.0, rel=1e-9)
    assert (of_a.geometry.x <= LEFT + 300 + 1e-6).all()
    assert len(of_a) > 1


@pytest.mark.parametrize("crs", ['crs = "EPSG:32651"\n', ""])
def test_polygons_spread_over_squares_by_the_exact_share_of_ground(tmp_path: Path, crs: str) -> None:
    zones(tmp_path, total=[300.0, 700.0, 0.0], p60=[60.0, 70.0, 0.0])
    source = '[population.polygons]\nfile = "zones.gpkg"\nsize_m = 200'
    study = opened(tmp_path, population=source, changes=(('crs = "EPSG:32651"\n', crs),))
    assert study.population.grid is not None
    assert {"row", "col"} <= set(study.cells.columns)
    # 357,000 and 3,452,000 are whole multiples of 200; one person in 1,000 m² everywhere; 60+ are 1 in 5,000 m² west of 300 m
    assert len(study.cells) == 25
    assert study.cells["total"].to_numpy() == pytest.approx(40.0, rel=1e-6)
    west, middle = study.cells["p60"].max(), study.cells.sort_values("col").groupby("col")["p60"].first()
    assert west == pytest.approx(8.0, rel=1e-6)
    assert middle.tolist() == pytest.approx([8.0, 6.0, 4.0, 4.0, 4.0], rel=1e-6)
    assert math.isclose(math.fsum(study.cells["total"]), 1000.0, rel_tol=1e-9)


def test_densities_are_multiplied_by_ground(tmp_path: Path) -> None:
    rasters = RASTERS.replace("[population.rasters]", '[population]\nper = "km2"\n[population.rasters]')
    study = opened(tmp_path, population=rasters)
    # 20 people a km², a pixel of 0.01 km² on the map; ground is map / scale²
    assert study.cells["total"].mean() == pytest.approx(0.2, rel=2e-3)
    zones(tmp_path, total=[300.0, 700.0, 0.0], p60=[60.0, 70.0, 0.0])
    polygons = '[population]\nper = "ha"\n[population.polygons]\nfile = "zones.gpkg"'
    # 30 and 70 hectares
    assert opened(tmp_path, population=polygons).cells["total"].tolist() == pytest.approx([9000.0, 49000.0], rel=2e-3)


def test_h3_cells_are_a_population_too(tmp_path: Path) -> None:
    h3 = pytest.importorskip("h3")
    code = h3.latlng_to_cell(31.1955, 121.503, 9)
    write(tmp_path, "h3.csv", f"格,总人口,p60\n{code},50,10\n")
    source = '[population.h3]\nfile = "h3.csv"\ncolumns = { h3 = "格" }'
    study = opened(tmp_path, "[demand.refine]", population=source)
    assert study.cells["total"].sum() == pytest.approx(50.0, rel=1e-9)
    assert study.demand is not None
    assert len(study.demand.coarse) == 1


@pytest.mark.parametrize("crs", ['crs = "EPSG:32651"\n', ""])
def test_homes_hold_people_by_their_floor(tmp_path: Path, crs: str) -> None:
    homes = [
        box(LEFT + 10, LOW + 10, LEFT + 30, LOW + 30),
        box(LEFT + 60, LOW + 60, LEFT + 70, LOW + 70),
        box(LEFT, LOW, LEFT + 9, LOW + 9),
    ]
    table = {"层数": [2, 4, 9], "用途": ["住宅", "公寓", "工厂"]}
    gpd.GeoDataFrame(table, geometry=homes, crs=UTM).to_file(tmp_path / "homes.gpkg")
    source = '[population.buildings]\nfile = "homes.gpkg"\nm2_per_person = 40'
    study = opened(
        tmp_path, "[demand.ages]\nshares = { p60 = 0.25 }", population=source, changes=(('crs = "EPSG:32651"\n', crs),)
    )
    # 400 m² × 2 and 100 m² × 4 over 40 m² a person; nobody lives in the factory
    assert study.cells["total"].tolist() == pytest.approx([20.0, 10.0], rel=2e-3)
    assert study.cells["p60"].tolist() == pytest.approx([5.0, 2.5], rel=2e-3)
    assert told(study, "people_from_floor")[0].startswith(
        "assumption: people are the floor of homes over 40 m² a person, 30.0 in all"
    )
    gpd.GeoDataFrame({"用途": ["工厂"]}, geometry=homes[:1], crs=UTM).to_file(tmp_path / "homes.gpkg")
    assert "homes.gpkg: there are no homes in it. Check the column of uses, or give another source of people." in errors(
        tmp_path / "study.toml"
    )


def test_pixels_are_put_together(tmp_path: Path) -> None:
    study = opened(tmp_path, population=RASTERS.replace("[population.rasters]", "[population]\nmerge = 2\n[population.rasters]"))
    assert study.cells["total"].tolist() == [80.0] * 25


def test_one_source_of_people_and_no_key_of_another(tmp_path: Path) -> None:
    keys = '[population]\nmerge = 2\ngrid_of = "total"\nper = "km2"\n'
    text = keys + '[population.table]\nfile = "t.csv"\n[population.h3]\nfile = "h.csv"'
    found = [text for text in errors(made(tmp_path, population=text)) if text.startswith("study.toml")]
    assert found[:4] == [
        "study.toml: [population]: needs exactly one of rasters, table, polygons, h3, buildings. "
        "See the template that careshed init writes.",
        "study.toml: [population] per: is for rasters, polygons only. Leave it out.",
        "study.toml: [population] merge: is for rasters only. Leave it out.",
        "study.toml: [population] grid_of: is for rasters only. Leave it out.",
    ]
    odd = RASTERS.replace("[population.rasters]", '[population]\ngrid_of = "p06"\n[population.rasters]')
    assert errors(made(tmp_path, population=odd)) == [
        "study.toml: [population] grid_of: there is no raster of this group (found 'p06'). Did you mean p60? Known: total, p60."
    ]


# --- rasters on different grids


GRID_OF = RASTERS.replace("[population.rasters]", '[population]\ngrid_of = "total"\n[population.rasters]')


def test_rasters_on_other_grids_are_refused_unless_the_study_says_whose_grid_holds(tmp_path: Path) -> None:
    path = made(tmp_path)
    coarse_raster(tmp_path / "p60.tif", np.full((5, 5), 16.0), 200)
    found = errors(path)
    assert len(found) == 1
    assert found[0].endswith("or resample it, keeping its total.")
    made_again = path.read_text(encoding="utf-8").replace(RASTERS, GRID_OF)
    path.write_text(made_again, encoding="utf-8")
    study = open_study(path)
    # a pixel of 200 m is four of 100 m
    assert study.cells["p60"].tolist() == [4.0] * 100
    assert told(study, "resampled") == ["p60: brought to the grid of total.tif by the share of ground, 400.0 people kept"]
    assert next(fault for fault in study.faults if fault.code == "resampled").severity == "repaired"


def test_a_raster_beyond_the_model_widens_the_grid_and_loses_nobody(tmp_path: Path) -> None:
    coarse_raster(tmp_path / "total.tif", np.full((2, 2), 10.0), 100)
    # two pixels of 150 m from 150 m west of the model's corner and 50 m above it: cells of 100 m from column −2 and row −1 on
    coarse_raster(tmp_path / "p60.tif", [[9.0, 18.0]], 150, left=LEFT - 150, top=LOW + 1050)
    read = read_rasters_on_grid_of({"total": tmp_path / "total.tif", "p60": tmp_path / "p60.tif"}, "total", crs_out=UTM)
    cells, grid = read.table.cells, read.table.grid
    assert grid is not None
    assert (grid.shape, grid.transform[2], grid.transform[5]) == ((3, 4), LEFT - 200, LOW + 1100)
    table = cells.pivot_table(index="row", columns="col", values="p60", fill_value=0.0)
    # columns of 100 m hold 50, 100, 100 and 50 m of the two pixels; rows 50 and 100 m of their 150
    west, east = np.array([50, 100, 0, 0]) / 150, np.array([0, 0, 100, 50]) / 150
    across = 9.0 * west + 18.0 * east
    assert table.to_numpy()[:2] == pytest.approx(np.outer([1 / 3, 2 / 3], across))
    assert cells["p60"].sum() == pytest.approx(27.0, rel=1e-12)
    assert cells.index.tolist() == (cells["row"] * 4 + cells["col"]).tolist()
    assert cells.geometry.x.iloc[0] == pytest.approx(LEFT - 150)
    over = next(fault for fault in read.faults if fault.code == "group_exceeds_total")
    # total has 10 a cell in columns 2 and 3 of rows 1 and 2; there lie 8 and 4 of the 27 in row 1, so that no cell holds more;
    # row 0 and columns 0 and 1, where total has nobody, hold the other 15 in six cells
    assert over.text() == "6 cell(s) hold more of p60 than of total (15.0 people more): the two grids disagree"


def test_leaning_pixels_are_cut_exactly(tmp_path: Path) -> None:
    coarse_raster(tmp_path / "total.tif", np.full((10, 10), 20.0), 100)
    people = np.arange(1.0, 17.0).reshape(4, 4)
    coarse_raster(tmp_path / "p60.tif", people, 0.003, left=121.497, top=31.203, crs="EPSG:4326")
    paths = {"total": tmp_path / "total.tif", "p60": tmp_path / "p60.tif"}
    cells = read_rasters_on_grid_of(paths, "total", crs_out=UTM).table.cells
    assert math.isclose(math.fsum(cells["p60"]), 136.0, rel_tol=1e-9)
    # another way: cut the pixels, four corners each, by the squares with geopandas' overlay
    corner = [(121.497 + 0.003 * c, 31.203 - 0.003 * r) for r in range(4) for c in range(4)]
    pixels = gpd.GeoDataFrame(
        {"p": people.ravel()}, geometry=[box(x, y - 0.003, x + 0.003, y) for x, y in corner], crs="EPSG:4326"
    )
    pixels = pixels.to_crs(UTM)
    pixels["ground"] = pixels.area
    squares = gpd.GeoDataFrame({"cell": cells.index}, geometry=cells.buffer(50, cap_style="square").to_numpy(), crs=UTM)
    pieces = gpd.overlay(squares, pixels, keep_geom_type=True)
    expected = (pieces.area / pieces["ground"] * pieces["p"]).groupby(pieces["cell"]).sum().reindex(cells.index, fill_value=0.0)
    assert cells["p60"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-6, abs=1e-9)


def test_faults_of_all_rasters_on_all_grids_are_told_together(tmp_path: Path) -> None:
    coarse_raster(tmp_path / "total.tif", [[-1.0, 2.0]], 100)
    coarse_raster(tmp_path / "p60.tif", [[-3.0, 1.0]], 200)
    with pytest.raises(InputError) as caught:
        read_rasters_on_grid_of({"total": tmp_path / "total.tif", "p60": tmp_path / "p60.tif"}, "total", crs_out=UTM)
    assert {(fault.file, fault.code) for fault in caught.value.faults if fault.severity == "error"} == {
        ("total.tif", "negative_population"),
        ("p60.tif", "negative_population"),
    }
    with pytest.raises(InputError, match=r"gone\.tif\n    - the file does not exist"):
        read_rasters_on_grid_of({"total": tmp_path / "total.tif", "p60": tmp_path / "gone.tif"}, "total", crs_out=UTM)


def test_a_raster_that_would_be_cut_too_finely_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("careshed.intake.population.resampling.MOST_PIECES", 3)
    coarse_raster(tmp_path / "total.tif", [[1.0]], 100)
    coarse_raster(tmp_path / "p60.tif", [[1.0]], 200)
    with pytest.raises(InputError, match=r"its pixels would be cut into 4 pieces\. State clip = true"):
        read_rasters_on_grid_of({"total": tmp_path / "total.tif", "p60": tmp_path / "p60.tif"}, "total", crs_out=UTM)


# --- only people within the units


CLIP = RASTERS.replace("[population.rasters]", "[population]\nclip = true\n[population.rasters]")


def test_clip_keeps_the_people_within_the_units_and_tells_the_rest(tmp_path: Path) -> None:
    path = made(tmp_path, population=CLIP)
    units = gpd.read_file(tmp_path / "units.gpkg")
    streets_only = units[units["code"] != "c"].assign(parent="")
    streets_only.to_file(tmp_path / "units.gpkg", layer="units")
    study = open_study(path)
    # the five topmost eastern cells lie in no street: 100 people, 20 of them aged 60+
    assert (len(study.cells), study.cells["total"].sum(), set(study.cells["unit"])) == (95, 1900.0, {"s1", "s2"})
    assert told(study, "people_beyond_units") == [
        "total: 100.0 people (5 cells) beyond the units are left out (of 2,000.0 read)",
        "p60: 20.0 people (5 cells) beyond the units are left out (of 400.0 read)",
    ]
    assert study.ledger is not None
    assert [(step.en, step.after["total"]) for step in study.ledger.steps] == [("read", 2000.0), ("within the units", 1900.0)]
    # a raster is read no further than the units' bounds: the eastern half, with those of no street, is told on reading
    streets_only[streets_only["code"] == "s1"].to_file(tmp_path / "units.gpkg", layer="units")
    study = open_study(path)
    assert study.cells["total"].sum() == 1000.0
    assert (
        told(study, "people_beyond_area")[0]
        == "total: 1,000.0 people beyond the study area are not read (of 2,000.0 in the raster)"
    )


def test_clip_needs_outlines_and_somebody_within(tmp_path: Path) -> None:
    path = made(tmp_path, population=CLIP, changes=(('"units.gpkg"', '"units.csv"'),))
    write(tmp_path, "units.csv", "代码,名称,级别,上级\nc,县,县,\n")
    assert errors(path) == [
        "study.toml: [population] clip needs units with outlines, and these have none. "
        "Give a layer of units with polygons, or leave clip out."
    ]
    write(tmp_path, "people.csv", "经度,纬度,人口,p60\n121.6,31.3,100,20\n")
    table = '[population]\nclip = true\n[population.table]\nfile = "people.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"'
    assert errors(made(tmp_path, population=table)) == [
        "units.gpkg: nobody lives within the units. Check the CRS of both, or leave clip out."
    ]


# --- later years


def test_a_later_year_is_the_same_study_with_other_people(tmp_path: Path) -> None:
    write(tmp_path, "housing.csv", "经度,纬度,交付年份,规划人口\n121.503,31.196,2028,100\n")
    housing = '[demand.housing]\nfile = "housing.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"\nsince = 2025\nshares = { p60 = 0.1 }'
    study = opened(tmp_path, TREND, housing)
    later = study.at(2030)
    assert later.cells["p60"].sum() == pytest.approx(400 * 1.02**5 + 10, rel=1e-9)
    assert later.cells["total"].sum() == pytest.approx(2100.0, rel=1e-9)
    assert study.cells["total"].sum() == 2000.0
    assert later.name == "小镇 · scenario trend, 2030 (from 2025; source: 假设)"
    assert (later.facility_table is study.facility_table, later.units is study.units) == (True, True)
    # the new housing is painted where it lies: the pixel of its own point
    fresh = later.cells.iloc[-1]
    assert fresh["row"] == math.floor((LOW + 1000 - fresh.geometry.y) / 100)
    assert fresh["col"] == math.floor((fresh.geometry.x - LEFT) / 100)
    assert fresh["unit"] in ("s1", "s2")
    assert later.ledger is not None
    assert [step.en for step in later.ledger.steps] == [
        "read", "scenario trend, 2030 (from 2025; source: 假设)", "housing ready 2026–2030",
    ]  # fmt: skip
    assert told(later, "scenario") == ["scenario trend, 2030 (from 2025; source: 假设)"]
    base = study.at(2025, "趋势")
    assert (base.cells["total"].sum(), base.scenario is not None) == (2000.0, True)
    with pytest.raises(ValueError, match="of 2030 already"):
        later.at(2035)


def test_a_year_that_no_scenario_or_several_hold_is_named(tmp_path: Path) -> None:
    high = TREND.replace("趋势", "高").replace('"trend"', '"high"').replace("0.02", "0.05")
    study = opened(tmp_path, TREND, high)
    with pytest.raises(UnknownYear) as none:
        study.at(2040)
    assert str(none.value) == (
        "2040: no scenario of the study holds it; there are: 2025 趋势 / trend, 2025 高 / high, 2030 趋势 / trend, "
        "2030 高 / high, 2035 趋势 / trend, 2035 高 / high  研究中没有"
    )
    with pytest.raises(UnknownYear, match="2030: several scenarios hold it: name one with scenario; there are: "):
        study.at(2030)
    assert study.at(2030, "high").cells["p60"].sum() == pytest.approx(400 * 1.05**5, rel=1e-9)
    with pytest.raises(UnknownYear, match="2030 low: no scenario"):
        study.at(2030, "low")
    with pytest.raises(UnknownYear, match=r"none; add a \[\[demand.scenario\]\]"):
        opened(tmp_path).at(2030)


def test_refined_people_grow_where_they_were_refined_to(tmp_path: Path) -> None:
    study = opened(tmp_path, "[demand.refine]", TREND)
    later = study.at(2035)
    assert later.cells.index.equals(study.cells.index)
    assert later.cells["p60"].sum() == pytest.approx(400 * 1.02**10, rel=1e-9)
    assert later.population.grid is None


# --- what cannot be


def test_every_fault_of_demand_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "census.csv", "代码,60岁及以上\ns1,很多\n")
    sections = """
[demand.ages]
table = { file = "census.csv" }
[demand.priority]
file = "gone.csv"
by = { disabled = "p60" }
[demand.refine]
onto = "buildings"
buildings = { file = "homes.gpkg" }
size_m = 100
[[demand.scenario]]
name_zh = "高"
source = "假设"
base_year = 2025
years = [2020, 2030]
totals = { 2030 = { file = "t.csv" } }
[[demand.scenario]]
name_zh = "高"
source = "假设"
base_year = 2025
years = [2030]
rate = { total = -1.0 }
"""
    found = errors(made(tmp_path, sections))
    assert found[:5] == [
        "study.toml: [demand.refine] size_m: the population states the size of its cells itself. Leave it out.",
        "study.toml: [[demand.scenario]] 1: years: lies before the base year 2025 (found '2020'). Correct it.",
        "study.toml: [[demand.scenario]] 1: years: no totals are stated for the year (found '2020'). "
        "State them in totals, or take the year out of years.",
        "study.toml: [[demand.scenario]] 1: name_zh: the name '高' is used more than once. "
        "Give every scenario a name of its own.",
        "study.toml: [[demand.scenario]] 2: rate.total: must be above −1 (−100 %) a year (found '-1'). Write 0.02 for 2 %.",
    ]
    assert {text.split(":")[0] for text in found} == {"study.toml", "census.csv", "gone.csv", "homes.gpkg", "t.csv"}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("[demand.ages]", "[demand.ages]: does not say where ages come from. State classes, table or shares."),
        ("[demand.ages]\nclasses = true", '[demand.ages] groups: is missing. Such as groups = ["total", "p60"].'),
        (
            '[demand.refine]\nonto = "buildings"',
            "[demand.refine]: refinement to buildings needs the buildings. State file in [demand.refine.buildings].",
        ),
        (
            '[demand.refine]\nbuildings = { file = "units.gpkg" }',
            '[demand.refine] buildings: names buildings although people are refined to streets. State onto = "buildings", '
            "or leave buildings out.",
        ),
        (
            TREND.replace("rate = { total = 0.0, p60 = 0.02 }", ""),
            "[[demand.scenario]] 1: needs either rate or totals, and not both. Such as rate = { total = 0.01 }.",
        ),
    ],
)
def test_a_step_that_does_not_say_what_it_needs_is_refused(tmp_path: Path, section: str, message: str) -> None:
    assert errors(made(tmp_path, section)) == [f"study.toml: {message}"]


def test_housing_without_a_year_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "housing.csv", "经度,纬度,交付年份,规划人口\n121.503,31.196,2028,100\n")
    section = '[demand.housing]\nfile = "housing.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"\nsince = 2025'
    assert errors(made(tmp_path, section)) == [
        "study.toml: [demand.housing]: housing counts in the years of scenarios only, and there is none. "
        "Add a [[demand.scenario]], or leave the section out."
    ]


def test_totals_that_differ_stop_the_study_and_both_are_told(tmp_path: Path) -> None:
    write(tmp_path, "census.csv", "代码,总人口,60岁及以上\ns1,1200,250\n")
    found = errors(made(tmp_path, '[demand.ages]\ntable = { file = "census.csv" }'))
    assert len(found) == 1
    assert found[0].startswith("census.csv: ")
    assert "1,200" in found[0]
    assert "1,000" in found[0]
    study = opened(tmp_path, '[demand.ages]\ntable = { file = "census.csv" }\ndiffer = "margins"')
    assert study.cells["total"].sum() == pytest.approx(2200.0, rel=1e-9)


# --- outputs


def test_open_study_prints_the_account_and_coverage_the_effect_of_refinement(tmp_path: Path) -> None:
    path = made(tmp_path, "[demand.refine]", TREND)
    said = CliRunner().invoke(app, ["open-study", str(path)])
    assert said.exit_code == 0, said.output
    assert "read: all residents -> 2,000.0 (new)" in said.output
    assert "refined along residential streets: all residents 2,000.0 -> 2,000.0 (kept)" in said.output
    out = tmp_path / "covered.csv"
    said = CliRunner().invoke(app, ["coverage", str(path), "-s", "day_care", "-o", str(out)])
    assert said.exit_code == 0, said.output
    assert said.output.startswith("people aged 60+, within 15 minutes: ")
    assert " of 400 before refinement, " in said.output
    later = CliRunner().invoke(app, ["coverage", str(path), "-s", "day_care", "-o", str(out), "--year", "2030"])
    assert later.exit_code == 0, later.output
    assert later.output.startswith("小镇 · scenario trend, 2030 (from 2025; source: 假设)\n")
    assert "before refinement" not in later.output
    for command in ("find-gaps", "rank-sites", "write-sites", "travel-times", "write-map"):
        end = {"travel-times": "parquet", "write-map": "html"}.get(command, "csv")
        said = CliRunner().invoke(
            app, [command, str(path), "-s", "day_care", "-o", str(tmp_path / f"x.{end}"), "--year", "2035", "--scenario", "trend"]
        )
        assert said.exit_code == 0, f"{command}: {said.output}"
    assert "scenario trend, 2035" in (tmp_path / "x.html").read_text(encoding="utf-8")
    odd = CliRunner().invoke(app, ["coverage", str(path), "-s", "day_care", "-o", str(out), "--scenario", "trend"])
    assert isinstance(odd.exception, ValueError)
    assert "--scenario needs --year" in str(odd.exception)


def test_a_study_without_candidates_keeps_the_form_of_their_table(tmp_path: Path) -> None:
    study = opened(tmp_path)
    none = dataclasses.replace(study, candidate_table=study.candidate_table.iloc[:0]).candidates("day_care")
    assert none.empty
    assert none.columns.equals(study.candidate_table.columns)
    assert none.crs == study.crs


def test_a_run_keeps_the_account_the_effect_and_every_file(tmp_path: Path) -> None:
    write(tmp_path, "disabled.csv", "代码,disabled\ns1,40\ns2,18\n")
    priority = '[demand.priority]\nfile = "disabled.csv"\nby = { disabled = "p60" }'
    path = made(tmp_path, priority, "[demand.refine]", TREND)
    result = run_study(path, progress=False, only=["day_care"])
    assert {"disabled.csv", "total.tif", "p60.tif"} <= input_files(result.study)
    manifest = json.loads((tmp_path / "processed" / "run.json").read_text(encoding="utf-8"))
    assert manifest["people"][-1] == {
        "step": "refined along residential streets", "total": [2000.0, 2000.0], "p60": [400.0, 400.0], "disabled": [58.0, 58.0],
    }  # fmt: skip
    assert manifest["services"]["day_care"]["refinement"]["p60"]["people"] == 400.0
    assert "disabled.csv" in manifest["inputs"]
    table = pd.read_csv(tmp_path / "processed" / "faults.csv", encoding="utf-8-sig")
    assert table.astype(str).apply(lambda column: column.str.contains("refined along residential streets: all")).to_numpy().any()
    from careshed.run import summary_lines

    for lang in ("zh", "en"):
        lines = "\n".join(summary_lines(result, lang))
        assert {"zh": "细分前覆盖", "en": "before refinement"}[lang] in lines
    later = run_study(path, progress=False, only=["day_care"], year=2030)
    assert later.study.scenario is not None
    assert (tmp_path / "processed" / "2030_trend" / "run.json").is_file()
    scenario = json.loads((tmp_path / "processed" / "2030_trend" / "run.json").read_text(encoding="utf-8"))["study"]["scenario"]
    assert (scenario["year"], scenario["zh"], scenario["source"]) == (2030, "趋势", "假设")
    assert "scenario trend, 2030" in (tmp_path / "maps" / "2030_trend" / "day_care.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "processed" / "run.json").read_text(encoding="utf-8"))["study"]["scenario"] is None


def test_new_housing_beyond_the_units_is_told(tmp_path: Path) -> None:
    write(tmp_path, "homes.csv", "名称,经度,纬度,交付年份,户数\n甲苑,121.503,32.196,2028,100\n")
    section = '[demand.housing]\nfile = "homes.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"\nsince = 2025\nhousehold_size = 2.5'
    study = opened(tmp_path, TREND, section)
    assert study.demand is not None
    assert [fault.text() for fault in study.demand.years[0].faults if fault.code == "housing_outside_units"] == [
        "1 place(s) of new housing (250 people) lie in no unit; they count in the whole, but in no unit. Check their coordinates."
    ]


def test_a_group_larger_than_all_residents_is_told(tmp_path: Path) -> None:
    write(tmp_path, "people.csv", "经度,纬度,总人口,60岁及以上\n121.503,31.196,100,130\n121.504,31.196,100,20\n")
    study = opened(tmp_path, population='[population.table]\nfile = "people.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"')
    assert told(study, "group_exceeds_total") == ["1 cell(s) hold more of p60 than of total (30.0 people more): check both"]
