"""Real people: WorldPop, Madrid, Porto Alegre, Helsinki; every total kept through every step."""

import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from careshed.demand import cell_areas, fit_ages, refine_to_streets, refinement_effect, spread_areas, spread_to_grid, tell_effect
from careshed.intake.population import read_h3_table, read_population_areas, read_population_rasters, read_population_table
from careshed.intake.streets import read_streets
from careshed.modes import WALK_OLDER
from careshed.network import build_network
from careshed.reach import travel_times

DATA = Path(os.environ.get("CARESHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA} (set CARESHED_DATA)")

AGES = {"total": "T", "p0_15": "Y_LT15", "p15_65": "Y_1564", "p65": "Y_GE65"}


def madrid() -> gpd.GeoDataFrame:
    return read_population_areas(DATA / "madrid" / "eu_stat_clipped.gpkg", crs_out="EPSG:3035", columns=AGES).table


def neighbourhoods() -> gpd.GeoDataFrame:
    table = gpd.read_file(DATA / "madrid" / "madrid_nbhds.gpkg").to_crs("EPSG:3035")
    return table.set_index("COD_BAR")[["NOMBRE", "CODDIS", "geometry"]]


def test_worldpop_is_read_whole_by_pixels_and_by_cells_of_a_kilometre() -> None:
    import rasterio

    file = DATA / "worldpop_ahr" / "wpop_ahrvalley.tif"
    with rasterio.open(file) as raster:
        exact = float(raster.read(1, masked=True).astype(np.float64).sum())
    assert round(exact) == 191_420
    for merge in (1, 10):
        cells = read_population_rasters({"total": file}, crs_out="EPSG:32632", merge=merge).table.cells
        assert cells["total"].sum() == pytest.approx(exact, rel=1e-12)
    west = read_population_rasters({"total": file}, crs_out="EPSG:32632", area=(6.0, 50.0, 7.0, 51.0))
    beyond = next(fault.people for fault in west.faults if fault.code == "people_beyond_area")
    assert west.table.cells["total"].sum() + beyond == pytest.approx(exact, rel=1e-12)


def test_madrid_has_its_people_and_its_ages_but_for_the_rounding_of_the_source() -> None:
    cells = madrid()
    assert {group: int(cells[group].sum()) for group in AGES} == {
        "total": 3_433_107, "p0_15": 449_872, "p15_65": 2_300_242, "p65": 682_975,
    }  # fmt: skip
    # the source rounds each figure by itself: its ages add up to 18 fewer than its total, which nothing here may hide
    assert int((cells["total"] - cells["p0_15"] - cells["p15_65"] - cells["p65"]).sum()) == 18


def test_ages_by_neighbourhood_agree_with_an_overlay_of_geopandas() -> None:
    cells, zones = madrid(), neighbourhoods()
    spread = spread_areas(cells, zones)
    pieces = gpd.overlay(cells.assign(whole=cells.area), zones.reset_index(), how="intersection", keep_geom_type=True)
    for group in AGES:
        # neighbourhoods overlap by slivers of some square centimetres, whose people the overlay counts twice
        landed = (pieces[group] * pieces.area / pieces["whole"]).groupby(pieces["COD_BAR"]).sum().reindex(zones.index)
        assert spread.table[group].to_numpy() == pytest.approx(landed.to_numpy(), rel=1e-6)
        assert spread.table[group].sum() + spread.rest[group].sum() == pytest.approx(cells[group].sum(), rel=1e-12)
    assert (len(zones), round(spread.rest["total"].sum())) == (131, 140_221)


def test_exactextract_gives_neighbourhoods_the_same_people() -> None:
    exactextract = pytest.importorskip("exactextract")
    cells, zones = madrid(), neighbourhoods()
    west, south, east, north = cells.total_bounds
    shape = (round((north - south) / 1000), round((east - west) / 1000))
    spread = spread_areas(cells, zones)
    low = shapely.bounds(cells.geometry.to_numpy())
    row, column = ((north - low[:, 3]) / 1000).round().astype(int), ((low[:, 0] - west) / 1000).round().astype(int)
    for group in ("total", "p0_15", "p65"):
        painted = np.zeros(shape)
        painted[row, column] = cells[group]
        raster = exactextract.raster.NumPyRasterSource(painted, west, south, east, north)
        sums = [feature["properties"]["sum"] for feature in exactextract.exact_extract(raster, _features(zones), ["sum"])]
        assert spread.table[group].to_numpy() == pytest.approx(np.array(sums), rel=1e-6, abs=1e-6)


def _features(zones: gpd.GeoDataFrame) -> list:
    return [{"type": "Feature", "geometry": shapely.geometry.mapping(shape), "properties": {}} for shape in zones.geometry]


def test_madrid_refined_from_1_km_to_250_m_and_fitted_back_to_its_districts_keeps_everybody() -> None:
    cells, zones = madrid(), neighbourhoods()
    population, spread = spread_to_grid(cells, 250.0)
    assert population.cells["total"].sum() == pytest.approx(3_433_107, rel=1e-9)
    assert "(kept)" in spread.ledger.text("en").splitlines()[0]
    # the census of the neighbourhoods, by age, fitted to squares of 250 m
    zoned = spread_areas(cells, zones).table
    census = pd.DataFrame({"total": zoned[["p0_15", "p15_65", "p65"]].sum(axis=1), "p0_15": zoned["p0_15"], "p65": zoned["p65"]})
    joined = gpd.sjoin(population.cells, zones[["geometry"]], predicate="within")
    squares = population.cells.assign(unit=joined["COD_BAR"].reindex(population.cells.index).fillna(""))
    fitted = fit_ages(squares[["total", "unit", "geometry"]], census, differ="margins")
    inside = fitted.cells[fitted.cells["unit"] != ""]
    again = pd.DataFrame(inside[["total", "p0_15", "p65"]]).groupby(inside["unit"]).sum().reindex(census.index)
    assert again.to_numpy() == pytest.approx(census.to_numpy(), rel=1e-9)


def test_porto_alegre_has_its_people_by_centre_and_by_hexagon() -> None:
    file = DATA / "porto_alegre" / "poa_hexgrid.csv"
    mapped = {"total": "population"}
    points = read_population_table(file, crs_out="EPSG:32722", crs="EPSG:4326", datum="WGS-84", columns=mapped).table.cells
    assert (len(points), int(points["total"].sum())) == (1_124, 812_935)
    pytest.importorskip("h3")
    hexagons = read_h3_table(file, crs_out="EPSG:32722", columns=mapped).table
    assert (len(hexagons), int(hexagons["total"].sum())) == (1_227, 812_935)
    # hexagons tile: no two overlap, so that they can be spread over squares without counting anybody twice
    population, _ = spread_to_grid(hexagons, 500.0)
    assert population.cells["total"].sum() == pytest.approx(812_935, rel=1e-9)


def test_helsinki_refined_from_250_m_to_its_streets_changes_who_is_within_300_m(capsys: pytest.CaptureFixture[str]) -> None:
    streets = read_streets(DATA / "helsinki" / "Helsinki.osm.pbf").table
    network = build_network(streets, mode=WALK_OLDER, crs="EPSG:3067")
    file = DATA / "helsinki" / "helsinki_population_grid_2020.gpkg"
    squares = read_population_areas(file, crs_out="EPSG:3067", columns={"total": "population"}).table
    assert int(squares["total"].sum()) == 71_724
    near = shapely.intersects(squares.geometry.to_numpy(), network.edge_lines().union_all())
    cells = squares[near].set_geometry(squares[near].centroid)[["total", "geometry"]]
    refined = refine_to_streets(cells, network, squares[near].geometry, ways=streets.ways)
    by_cell = refined.cells.groupby(refined.source)["total"].sum()
    assert by_cell.to_numpy() == pytest.approx(cells["total"].reindex(by_cell.index).to_numpy(), rel=1e-9)
    care = gpd.GeoDataFrame({"name": "", "unit": "", "file": "", "row": ""}, index=[f"f{at}" for at in range(6)],
                            geometry=gpd.points_from_xy(network.x[::350][:6], network.y[::350][:6]), crs="EPSG:3067")  # fmt: skip
    before, after = (travel_times(network, care, places, limit_m=1000) for places in (cells, refined.cells))
    effect = refinement_effect(cells, refined, before, after, metres=300).loc["total"]
    assert effect["covered_after"] - effect["covered_before"] == pytest.approx(effect["newly_covered"] - effect["no_longer"])
    # some 250 m squares are cut by the 300 m line, so refinement must move people both ways or at least one
    assert effect["newly_covered"] + effect["no_longer"] > 0
    print(tell_effect(refinement_effect(cells, refined, before, after, metres=300), limit="300 m", lang="en"))
    assert "before refinement" in capsys.readouterr().out


def test_porto_alegre_refined_to_its_streets_keeps_every_hexagons_people_and_changes_coverage() -> None:
    pytest.importorskip("h3")
    folder, crs = DATA / "porto_alegre", "EPSG:32722"
    streets = read_streets(folder / "poa_osm.pbf").table
    network = build_network(streets, mode=WALK_OLDER, crs=crs)
    hexagons = read_h3_table(folder / "poa_hexgrid.csv", crs_out=crs, columns={"total": "population"}).table
    cells = hexagons.set_geometry(hexagons.centroid)[["total", "geometry"]]
    refined = refine_to_streets(cells, network, hexagons.geometry, ways=streets.ways)
    by_cell = refined.cells.groupby(refined.source)["total"].sum()
    assert by_cell.to_numpy() == pytest.approx(cells["total"].to_numpy(), rel=1e-9, abs=1e-9)
    assert "all residents 812,935.0 -> 812,935.0 (kept)" in refined.ledger.text("en")
    off = shapely.distance(refined.cells.geometry.to_numpy(), hexagons.geometry[refined.source].to_numpy())
    assert off.max() < 1e-6
    raw = pd.read_csv(folder / "poa_hexgrid.csv")
    posts = raw[raw["healthcare"] > 0]
    care = gpd.GeoDataFrame({"name": "", "unit": "", "file": "", "row": ""}, index=posts["id"].tolist(),
                            geometry=gpd.points_from_xy(posts["lon"], posts["lat"]), crs="EPSG:4326").to_crs(crs)  # fmt: skip
    before, after = (travel_times(network, care, places, limit_m=300) for places in (cells, refined.cells))
    effect = refinement_effect(cells, refined, before, after, metres=300).loc["total"]
    # hexagons are 320 m across, so that their centres judge 300 m badly: 12.2 % of the people before, 15.4 % after
    assert effect["share_before"] == pytest.approx(0.122, abs=0.001)
    assert effect["share_after"] == pytest.approx(0.154, abs=0.003)
    assert effect["covered_after"] - effect["covered_before"] == pytest.approx(effect["newly_covered"] - effect["no_longer"])


def test_the_ground_of_worldpops_cells_is_their_pixels() -> None:
    population = read_population_rasters({"total": DATA / "worldpop_ahr" / "wpop_ahrvalley.tif"}, crs_out="EPSG:32632").table
    some = population.cells.iloc[::500]
    areas = cell_areas(some, grid=population.grid)
    assert shapely.contains(areas.to_numpy(), some.geometry.to_numpy()).all()
    # 3 arc-seconds at 50.5° north: 92.7 m × 59 m
    assert areas.area.mean() == pytest.approx(92.7 * 59.1, rel=0.01)
