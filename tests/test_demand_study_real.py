"""Real people through a study file: Porto Alegre's hexagons, Madrid's squares and WorldPop's pixels; every total kept."""

import os
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import rasterio
from shapely.geometry import box

from careshed.demand import effect_of_refinement
from careshed.reach import travel_times
from careshed.study import Study, open_study

DATA = Path(os.environ.get("CARESHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA} (set CARESHED_DATA)")

STUDY = """
[study]
name = "real"
lang = "en"
crs = "{crs}"
[streets]
file = "{streets}"
[units]
file = "units.gpkg"
{people}
[[facilities]]
file = "care.csv"
crs = "EPSG:4326"
datum = "WGS-84"
type = "post"
[[service]]
id = "care"
types = ["post"]
group = "total"
mode = "older"
"""


def study_of(folder: Path, *, crs: str, streets: Path, area: tuple[float, float, float, float], people: str) -> Study:
    """Write a study of one county, the rectangle `area`, and open it."""
    units = {"code": ["1"], "name": ["whole"], "level": ["county"], "parent": [""]}
    gpd.GeoDataFrame(units, geometry=[box(*area)], crs="EPSG:4326").to_file(folder / "units.gpkg")
    text = STUDY.format(crs=crs, streets=streets.as_posix(), people=people)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return open_study(folder)


def small_streets(folder: Path, lon: float, lat: float) -> Path:
    """Write one street, where a study needs streets and the test does not."""
    nodes = "".join(f'<node id="{at}" lat="{lat}" lon="{lon + at / 1000}"/>' for at in (1, 2))
    way = '<way id="9"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way>'
    (folder / "s.osm").write_text(f'<osm version="0.6">{nodes}{way}</osm>', encoding="utf-8")
    (folder / "care.csv").write_text(f"id,name,lon,lat\nA,a,{lon + 0.001},{lat}\n", encoding="utf-8")
    return folder / "s.osm"


def test_porto_alegre_from_hexagons_to_streets_to_2035(tmp_path: Path) -> None:
    pytest.importorskip("h3")
    source = DATA / "porto_alegre"
    raw = pd.read_csv(source / "poa_hexgrid.csv")
    posts = raw[raw["healthcare"] > 0].assign(name="post")[["id", "name", "lon", "lat"]]
    posts.to_csv(tmp_path / "care.csv", index=False)
    people = f"""
[population.h3]
file = "{(source / "poa_hexgrid.csv").as_posix()}"
columns = {{ total = "population" }}
[demand.ages]
shares = {{ p60 = 0.2 }}
[demand.refine]
[[demand.scenario]]
name_zh = "趋势"
source = "assumed"
base_year = 2019
years = [2035]
rate = {{ total = 0.005, p60 = 0.03 }}
"""
    area = (-51.4, -30.4, -50.9, -29.8)
    study = study_of(tmp_path, crs="EPSG:32722", streets=source / "poa_osm.pbf", area=area, people=people)
    assert study.cells[["total", "p60"]].sum().tolist() == pytest.approx([812_935.0, 162_587.0], rel=1e-9)
    assert study.demand is not None
    assert study.ledger is not None
    assert "refined along residential streets: all residents 812,935.0 -> 812,935.0 (kept)" in study.ledger.text("en")
    assert study.at(2035).cells["p60"].sum() == pytest.approx(162_587.0 * 1.03**16, rel=1e-9)
    network = study.network(study.mode("care"))
    times = travel_times(network, study.facilities("care"), study.cells, limit_min=15)
    effect = effect_of_refinement(study.demand, network, study.facilities("care"), times, minutes=5)
    assert effect is not None
    change = effect.loc["total"]
    # hexagons are 320 m across: five minutes at 1 m/s cut most of them
    assert change["share_after"] > change["share_before"] + 0.02
    assert change["covered_after"] - change["covered_before"] == pytest.approx(change["newly_covered"] - change["no_longer"])


def test_madrids_squares_spread_by_ground_and_clipped(tmp_path: Path) -> None:
    columns = '{ total = "T", p65 = "Y_GE65" }'
    people = f'[population.polygons]\nfile = "{(DATA / "madrid" / "eu_stat_clipped.gpkg").as_posix()}"\ncolumns = {columns}\n'
    streets = small_streets(tmp_path, -3.7, 40.4)
    whole = study_of(tmp_path, crs="EPSG:3035", streets=streets, area=(-4.5, 39.9, -3.2, 40.9), people=people)
    assert whole.cells[["total", "p65"]].sum().tolist() == [3_433_107.0, 682_975.0]
    fine = study_of(tmp_path, crs="EPSG:3035", streets=streets, area=(-4.5, 39.9, -3.2, 40.9), people=people + "size_m = 250\n")
    assert len(fine.cells) > 10 * len(whole.cells)
    assert fine.cells[["total", "p65"]].sum().tolist() == pytest.approx([3_433_107.0, 682_975.0], rel=1e-9)
    clip = "[population]\nclip = true\n" + people
    part = study_of(tmp_path, crs="EPSG:3035", streets=streets, area=(-3.75, 40.35, -3.65, 40.45), people=clip)
    left = next(fault.people for fault in part.faults if fault.code == "people_beyond_units")
    assert 0 < left < 3_433_107.0
    assert part.cells["total"].sum() + left == pytest.approx(3_433_107.0, rel=1e-12)


def test_worldpop_read_no_further_than_the_units(tmp_path: Path) -> None:
    file = DATA / "worldpop_ahr" / "wpop_ahrvalley.tif"
    with rasterio.open(file) as raster:
        exact = float(raster.read(1, masked=True).astype(float).sum())
    people = f'[population]\nclip = true\nmerge = 10\n[population.rasters]\ntotal = "{file.as_posix()}"\n'
    area = (7.0, 50.45, 7.2, 50.6)
    study = study_of(tmp_path, crs="EPSG:32632", streets=small_streets(tmp_path, 7.1, 50.54), area=area, people=people)
    told = sum(fault.people for fault in study.faults if fault.code in ("people_beyond_area", "people_beyond_units"))
    assert study.cells["total"].sum() + told == pytest.approx(exact, rel=1e-9)
    assert round(exact) == 191_420
    assert study.cells["unit"].eq("1").all()
