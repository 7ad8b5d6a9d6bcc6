"""People by cell and by unit, written for other programs."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import rasterio
from test_study import made_study
from test_study_demand import TREND
from typer.testing import CliRunner

from careshed.cli import app
from careshed.study import open_study


def said(*words: object) -> str:
    done = CliRunner().invoke(app, ["write-people", *map(str, words)])
    assert done.exit_code == 0, done.output
    return done.output


def test_cells_are_written_with_all_groups_their_unit_and_both_coordinates(tmp_path: Path) -> None:
    study = made_study(tmp_path)
    told = said(study, "-o", tmp_path / "people.csv", "--lang", "zh")
    opened = open_study(study)
    # 100 cells of 20 residents, 4 of them aged 60+
    assert "100 个单元格，全部人口 2,000 人" in told
    table = pd.read_csv(tmp_path / "people.csv", dtype={"单元代码": "str"})
    assert list(table.columns) == [
        "单元格编号",
        "单元代码",
        "单元名称",
        "经度",
        "纬度",
        "X坐标",
        "Y坐标",
        "总人口",
        "60岁及以上老人",
    ]
    assert table["60岁及以上老人"].sum() == 400.0
    assert table["单元代码"].value_counts().to_dict() == {"s1": 50, "s2": 45, "c": 5}
    assert set(table.loc[table["单元代码"] == "s1", "单元名称"]) == {"西街"}
    back = gpd.GeoSeries(gpd.points_from_xy(table["经度"], table["纬度"]), crs="EPSG:4490").to_crs(opened.crs)
    assert back.distance(opened.cells.geometry.reset_index(drop=True)).max() < 0.05
    assert table["X坐标"].to_numpy() == pytest.approx(opened.cells.geometry.x, abs=0.01)


def test_a_layer_of_cells_lies_where_they_lie(tmp_path: Path) -> None:
    study = made_study(tmp_path)
    assert "100 cells, 2,000 all residents" in said(study, "-o", tmp_path / "out" / "people.gpkg", "--lang", "en")
    layer = gpd.read_file(tmp_path / "out" / "people.gpkg")
    opened = open_study(study)
    assert layer.crs == opened.crs
    assert layer["p60"].sum() == 400.0
    assert layer.geometry.geom_equals(opened.cells.geometry.reset_index(drop=True)).all()


def test_a_raster_of_people_is_the_one_that_was_read(tmp_path: Path) -> None:
    study = made_study(tmp_path)
    said(study, "-o", tmp_path / "people.tif")
    with rasterio.open(tmp_path / "people.tif") as made, rasterio.open(tmp_path / "p60.tif") as read:
        assert made.descriptions == ("total", "p60")
        assert made.transform == read.transform
        assert made.crs == read.crs
        assert (made.read(2)[made.read(2) >= 0] == 4.0).all()
        assert made.read(1, masked=True).sum() == 2000.0


def test_units_are_added_up_and_the_years_of_scenarios_can_be_asked_for(tmp_path: Path) -> None:
    study = made_study(tmp_path)
    said(study, "--by-unit", "-o", tmp_path / "now.csv", "--lang", "zh")
    now = pd.read_csv(tmp_path / "now.csv", dtype=str).set_index("单元代码")
    assert now["总人口"].astype(float).to_dict() == {"ALL": 2000.0, "c": 2000.0, "s1": 1000.0, "s2": 900.0}
    assert now["级别"].fillna("").to_dict() == {"ALL": "", "c": "县区", "s1": "街道", "s2": "街道"}
    study.write_text(study.read_text(encoding="utf-8") + TREND, encoding="utf-8")
    said(study, "--by-unit", "--year", 2030, "-o", tmp_path / "later.gpkg", "--lang", "zh")
    later = gpd.read_file(tmp_path / "later.gpkg").set_index("单元代码")
    # five years at 2 %
    assert later.loc["s1", "60岁及以上老人"] == pytest.approx(200 * 1.02**5)
    assert later.loc["ALL", "geometry"] is None
    assert later.loc["s1", "geometry"].area > 0


def test_people_without_a_grid_make_no_raster(tmp_path: Path) -> None:
    study = made_study(tmp_path)
    study.write_text(study.read_text(encoding="utf-8") + "\n[demand.refine]\nstep_m = 50\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["write-people", str(study), "-o", str(tmp_path / "people.tif")])
    assert done.exit_code != 0
    assert "人口不在格网上" in f"{done.output}{done.exception}"
    done = CliRunner().invoke(app, ["write-people", str(study), "--by-unit", "-o", str(tmp_path / "people.tif")])
    assert "this command writes .csv, .gpkg" in f"{done.output}{done.exception}"
