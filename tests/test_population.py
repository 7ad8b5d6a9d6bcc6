"""People on cells: from rasters window by window, and from tables."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from rasterio.transform import Affine
from shapely.geometry import Point, Polygon, box

from careshed.intake import read_population_rasters, read_population_table
from careshed.intake.population import rasters
from careshed.schema import InputError

UTM = "EPSG:32651"
GRID = Affine(100, 0, 300_000, 0, -100, 3_500_000)


def raster(
    folder: Path, name: str, values: object, *, crs: str | None = UTM, transform: Affine = GRID, nodata: float | None = -99999.0
) -> Path:
    array = np.array(values, dtype=np.float32)
    profile = {"driver": "GTiff", "height": array.shape[0], "width": array.shape[1], "count": 1, "dtype": "float32"}
    with rasterio.open(folder / name, "w", **profile, crs=crs, transform=transform, nodata=nodata) as file:
        file.write(array, 1)
    return folder / name


def errors(paths: dict[str, Path]) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_population_rasters(paths, crs_out=UTM)
    return [f"{fault.file}: {fault.text()}" for fault in caught.value.faults if fault.severity == "error"]


def test_a_small_raster_becomes_cells_with_people_only(tmp_path: Path) -> None:
    total = raster(tmp_path, "total.tif", [[10, 0, -99999], [np.nan, 5, 7]])
    old = raster(tmp_path, "p60.tif", [[2, 0, 3], [0, 1, -99999]])
    checked = read_population_rasters({"total": total, "p60": old}, crs_out=UTM)
    cells = checked.table.cells
    # cell_id = row · 3 + column; the cell (0, 2) has no total but three people over 60 and is kept; nodata and NaN are nobody
    assert cells[["total", "p60", "row", "col"]].to_dict("split") == {
        "index": [0, 2, 4, 5],
        "columns": ["total", "p60", "row", "col"],
        "data": [[10, 2, 0, 0], [0, 3, 0, 2], [5, 1, 1, 1], [7, 0, 1, 2]],
    }
    # centre of row 1, column 2: 300,000 + 2.5 · 100 and 3,500,000 − 1.5 · 100
    assert (cells.geometry[5].x, cells.geometry[5].y) == (300_250.0, 3_499_850.0)
    assert [fault.text() for fault in checked.faults] == [
        "total: 22.0 people read, all kept in 4 cells",
        "p60: 6.0 people read, all kept in 4 cells",
    ]


def test_the_grid_lets_cells_be_painted_back(tmp_path: Path) -> None:
    people = read_population_rasters({"total": raster(tmp_path, "t.tif", [[0, 4], [9, 0]])}, crs_out="EPSG:4326").table
    assert people.grid is not None
    assert (people.grid.crs, people.grid.shape) == (UTM, (2, 2))
    assert people.grid.transform == (100.0, 0.0, 300_000.0, 0.0, -100.0, 3_500_000.0)
    painted = np.zeros(people.grid.shape)
    painted[people.cells["row"], people.cells["col"]] = people.cells["total"]
    assert painted.tolist() == [[0, 4], [9, 0]]


def test_any_crs_is_read_and_a_custom_one_kept_as_text(tmp_path: Path) -> None:
    odd = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +datum=WGS84 +units=m"
    file = raster(tmp_path, "t.tif", [[4]], crs=odd, transform=Affine(1000, 0, 0, 0, -1000, 4_000_000))
    people = read_population_rasters({"total": file}, crs_out="EPSG:32648").table
    assert people.grid is not None
    assert "Albers" in people.grid.crs
    assert people.cells.to_crs("EPSG:4326").geometry.iloc[0].x == pytest.approx(105.0, abs=0.01)


def test_reading_by_windows_gives_the_same_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    values = np.where(rng.random((64, 80)) < 0.5, 0, rng.integers(1, 50, (64, 80)))
    profile = {"driver": "GTiff", "height": 64, "width": 80, "count": 1, "dtype": "float32", "tiled": True}
    with rasterio.open(tmp_path / "t.tif", "w", **profile, blockxsize=16, blockysize=16, crs=UTM, transform=GRID) as file:
        file.write(values.astype(np.float32), 1)
    whole = read_population_rasters({"total": tmp_path / "t.tif"}, crs_out=UTM).table.cells
    monkeypatch.setattr(rasters, "_WINDOW_PIXELS", 600)
    with rasterio.open(tmp_path / "t.tif") as file:
        cut = list(rasters.windows(file))
    # blocks of 16 × 16: bands 16 high hold 600 // 16 // 16 · 16 = 32 columns, so 4 bands × 3 windows
    assert len(cut) == 12
    assert sum(window.width * window.height for window in cut) == 64 * 80
    pieces = read_population_rasters({"total": tmp_path / "t.tif"}, crs_out=UTM).table.cells
    assert pieces.equals(whole)
    assert whole["total"].sum() == values.sum()


def test_rasters_on_different_grids_name_the_odd_one(tmp_path: Path) -> None:
    same = [[1, 2], [3, 4]]
    files = {"total": raster(tmp_path, "a.tif", same), "p60": raster(tmp_path, "b.tif", same)}
    files["p0_3"] = raster(tmp_path, "odd.tif", same, transform=Affine(100, 0, 300_050, 0, -100, 3_500_000))
    told = errors(files)
    assert len(told) == 1
    assert told[0].startswith("odd.tif: is not on the grid of a.tif (2 × 2, 100, 300000 3500000, EPSG:32651)")
    assert told[0].endswith("or resample it, keeping its total.")
    smaller = {"total": files["total"], "p60": files["p60"], "p80": raster(tmp_path, "small.tif", [[1, 2]])}
    assert errors(smaller)[0].startswith("small.tif: is not on the grid of a.tif")


def test_a_raster_without_crs_is_refused(tmp_path: Path) -> None:
    told = errors({"total": raster(tmp_path, "t.tif", [[1]], crs=None)})
    assert told == ["t.tif: the coordinate system is not stated. Assign one in a GIS (for example gdal_edit -a_srs EPSG:…)."]


def test_negative_people_are_counted_and_the_first_is_shown(tmp_path: Path) -> None:
    file = raster(tmp_path, "t.tif", [[1, 2], [-99999, -99999]], nodata=None)
    assert errors({"total": file}) == [
        "t.tif: 2 cell(s) have negative population, the first in row 2, column 1 (found '-99999'). "
        "If the value stands for no data, declare it (gdal_edit -a_nodata VALUE); else correct it."
    ]


def test_rasters_without_anybody_are_refused(tmp_path: Path) -> None:
    assert errors({"total": raster(tmp_path, "t.tif", [[0, 0]])}) == [
        "t.tif: there are no people in it. Check the rasters and their nodata value."
    ]


def test_missing_and_damaged_rasters_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "bad.tif").write_bytes(b"II*\x00 this is no raster")
    told = errors({"total": tmp_path / "none.tif", "p60": tmp_path / "bad.tif"})
    assert [text.split(" (")[0] for text in told] == [
        f"none.tif: the file does not exist. Check the path: {(tmp_path / 'none.tif').as_posix()}",
        "bad.tif: cannot be read; it is probably truncated or damaged",
    ]


def test_a_truncated_raster_is_refused_while_reading(tmp_path: Path) -> None:
    file = raster(tmp_path, "t.tif", np.ones((400, 400)))
    file.write_bytes(file.read_bytes()[:200_000])
    assert errors({"total": file})[0].startswith("t.tif: cannot be read; it is probably truncated or damaged (")


def csv_table(folder: Path, text: str) -> Path:
    (folder / "people.csv").write_text(text, encoding="utf-8")
    return folder / "people.csv"


def test_a_table_of_points_keeps_its_positions_and_totals(tmp_path: Path) -> None:
    file = csv_table(tmp_path, "id,lon,lat,人口（千人）,残疾人\nh1,121.5,31.2,0,0\nh2,121.6,31.2,3,40\n")
    checked = read_population_table(file, crs_out=UTM, crs="EPSG:4326", datum="WGS-84", columns={"disabled": "残疾人"})
    assert checked.table.grid is None
    assert checked.table.cells[["total", "disabled"]].to_dict("index") == {1: {"total": 3000.0, "disabled": 40.0}}
    assert [fault.text() for fault in checked.faults if fault.severity == "noted"] == [
        "total: 3,000.0 people read, all kept in 1 cells",
        "disabled: 40.0 people read, all kept in 1 cells",
        "1 record(s) without people are left out",
    ]


def test_areas_count_at_a_point_within_them(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"population": [5.0, 6.0]}, geometry=[box(0, 0, 1000, 1000), Point(5, 5000)], crs=UTM)
    frame.to_file(tmp_path / "t.gpkg")
    cells = read_population_table(tmp_path / "t.gpkg", crs_out=UTM).table.cells
    assert [(point.x, point.y) for point in cells.geometry] == [(500, 500), (5, 5000)]


def test_blank_negative_and_odd_counts_are_told_together(tmp_path: Path) -> None:
    file = csv_table(tmp_path, "lon,lat,人口\n121.5,31.2,\n121.5,31.2,-4\n121.5,31.2,many\n")
    with pytest.raises(InputError) as caught:
        read_population_table(file, crs_out=UTM, crs="EPSG:4326", datum="WGS-84")
    assert [fault.text() for fault in caught.value.faults] == [
        "row 4, column '人口': is not a number (found 'many'). Write a plain number; leave the cell blank where it is unknown.",
        "row 2, column '人口': the number of people is blank. Write 0 where nobody lives.",
        "row 3, column '人口': must not be negative (found '-4'). "
        "Write 0 or a positive number; leave the cell blank where it is unknown.",
    ]


def test_a_table_without_counts_or_without_anybody_is_refused(tmp_path: Path) -> None:
    for text, start in (
        ("lon,lat\n121.5,31.2\n", "column 'total' is missing"),
        ("lon,lat,人口\n121.5,31.2,0\n", "there are no people"),
    ):
        with pytest.raises(InputError) as caught:
            read_population_table(csv_table(tmp_path, text), crs_out=UTM, crs="EPSG:4326", datum="WGS-84")
        assert caught.value.faults[-1].text().startswith(start)


def test_densities_become_people_by_the_ground_a_pixel_covers(tmp_path: Path) -> None:
    # 100 m × 100 m is 0.01 km²: 500 people a km² are 5 people (EPSG:6933 keeps areas)
    flat = raster(tmp_path, "flat.tif", [[500, 0]], crs="EPSG:6933", transform=Affine(100, 0, 0, 0, -100, 0))
    read = read_population_rasters({"total": flat}, crs_out="EPSG:6933", per="km2")
    assert read.table.cells["total"].tolist() == pytest.approx([5.0], rel=1e-6)
    assert "density_converted" in {fault.code for fault in read.faults}
    assert read_population_rasters({"total": flat}, crs_out="EPSG:6933", per="ha").table.cells["total"].tolist() == pytest.approx(
        [500.0]
    )


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:4326", Affine(0.1, 0, 112, 0, -0.1, 40)),
        ("EPSG:3857", Affine(10_000, 0, 12_500_000, 0, -10_000, 4_800_000)),
        ("EPSG:32649", Affine(10_000, 0, 400_000, 0, -10_000, 4_400_000)),
        ("EPSG:4326", Affine(0.1, 0.02, 112, 0.02, -0.1, 40)),
    ],
)
def test_the_ground_of_a_pixel_is_that_on_the_ellipsoid_whatever_the_projection(
    tmp_path: Path, crs: str, transform: Affine
) -> None:
    file = raster(tmp_path, "t.tif", np.full((6, 5), 1000.0), crs=crs, transform=transform)
    cells = read_population_rasters({"total": file}, crs_out="EPSG:32649", per="km2").table.cells
    # the oracle: geodesic area of each pixel's outline, its edges cut fine so that they follow the grid
    geod = pyproj.Geod(ellps="WGS84")
    back = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    for row, column, people in cells[["row", "col", "total"]].itertuples(index=False):
        corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
        a, b, c, d, e, f = transform[:6]
        outline = Polygon([(a * x + b * y + c, d * x + e * y + f) for x, y in corners]).segmentize(transform.a / 200)
        area, _ = geod.geometry_area_perimeter(shapely.transform(outline, lambda xy: np.column_stack(back.transform(*xy.T))))
        assert people == pytest.approx(abs(area) / 1e6 * 1000, rel=2e-5)


def test_corners_of_a_world_map_that_lie_off_the_earth_spoil_no_pixel(tmp_path: Path) -> None:
    # 1,000,000 m × 1,000,000 m are 1,000,000 km² less up to 0.7 %: Mollweide keeps areas of a sphere, the ground is an
    # ellipsoid; the corners of the raster are no place on earth
    file = raster(
        tmp_path, "g.tif", np.ones((18, 36)), crs="ESRI:54009", transform=Affine(1e6, 0, -18e6, 0, -1e6, 9e6), nodata=-200
    )
    people = read_population_rasters({"total": file}, crs_out="EPSG:4326", per="km2").table.cells["total"]
    assert np.isfinite(people).all()
    assert people.median() == pytest.approx(1e6, rel=7e-3)


def test_a_raster_that_looks_like_a_density_is_told(tmp_path: Path) -> None:
    file = raster(tmp_path, "chn_pd_2020_1km.tif", [[7]])
    told = [fault.text() for fault in read_population_rasters({"total": file}, crs_out=UTM).faults]
    assert told[0] == (
        "looks like a density, and is read as people per pixel (found 'chn_pd_2020_1km'). "
        'If it is one, state per = "km2" or "ha".'
    )
    stated = read_population_rasters({"total": file}, crs_out=UTM, per="km2").faults
    assert "looks_like_density" not in {fault.code for fault in stated}


def test_merged_pixels_add_up_and_lie_on_a_coarser_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(35, dtype=float).reshape(5, 7)
    file = raster(tmp_path, "t.tif", values)
    monkeypatch.setattr(rasters, "_WINDOW_PIXELS", 7)
    people = read_population_rasters({"total": file}, crs_out=UTM, merge=2).table
    assert people.grid is not None
    assert (people.grid.shape, people.grid.transform[0], people.grid.transform[4]) == ((3, 4), 200.0, -200.0)
    painted = np.zeros((3, 4))
    painted[people.cells["row"], people.cells["col"]] = people.cells["total"]
    padded = np.pad(values, ((0, 1), (0, 1)))
    assert painted.tolist() == padded.reshape(3, 2, 4, 2).sum(axis=(1, 3)).tolist()
    with pytest.raises(ValueError, match="merge must be at least 1 pixel, not 0"):
        read_population_rasters({"total": file}, crs_out=UTM, merge=0)


def test_people_beyond_the_study_area_are_counted_and_told(tmp_path: Path) -> None:
    file = raster(tmp_path, "t.tif", [[1, 2], [4, 8]], crs="EPSG:4326", transform=Affine(1, 0, 110, 0, -1, 40))
    # centres at 110.5 and 111.5 east, 39.5 and 38.5 north: only the pixel with 2 lies within
    read = read_population_rasters({"total": file}, crs_out="EPSG:32649", area=(111, 39, 112, 40))
    assert read.table.cells["total"].tolist() == [2.0]
    beyond = next(fault for fault in read.faults if fault.code == "people_beyond_area")
    assert (beyond.people, beyond.severity) == (13.0, "dropped")
    assert beyond.text() == "total: 13.0 people beyond the study area are not read (of 15.0 in the raster)"
    with pytest.raises(InputError, match=r"no people in it\. Check the rasters, their nodata value and the study area"):
        read_population_rasters({"total": file}, crs_out="EPSG:32649", area=(0, 0, 1, 1))


def test_too_many_cells_are_refused_with_the_cure(tmp_path: Path) -> None:
    file = raster(tmp_path, "t.tif", np.ones((20, 20)))
    with pytest.raises(InputError) as caught:
        read_population_rasters({"total": file}, crs_out=UTM, most_cells=399)
    assert caught.value.faults[0].text() == (
        "has more than 399 cells with people: they would not fit in memory. "
        "State clip = true in [population] to read only the units' part, or merge (such as 10); who is left out is told."
    )
    assert len(read_population_rasters({"total": file}, crs_out=UTM, most_cells=400).table.cells) == 400


def test_a_scale_that_the_file_states_is_applied(tmp_path: Path) -> None:
    file = raster(tmp_path, "t.tif", [[30, -99999]])
    with rasterio.open(file, "r+") as opened:
        opened.scales = (0.1,)
    assert read_population_rasters({"total": file}, crs_out=UTM).table.cells["total"].tolist() == [pytest.approx(3.0)]


def test_integers_as_landscan_has_them_are_read(tmp_path: Path) -> None:
    profile = {"driver": "GTiff", "height": 1, "width": 3, "count": 1, "dtype": "int32", "crs": UTM, "transform": GRID}
    with rasterio.open(tmp_path / "l.tif", "w", **profile, nodata=-2147483647) as file:
        file.write(np.array([[5, -2147483647, 9]], dtype=np.int32), 1)
    assert read_population_rasters({"total": tmp_path / "l.tif"}, crs_out=UTM).table.cells["total"].tolist() == [5.0, 9.0]


@pytest.mark.parametrize("mark", [np.inf, 3.4e38, 2_147_483_647.0])
def test_a_mark_for_no_data_that_is_not_declared_is_no_population(tmp_path: Path, mark: float) -> None:
    assert errors({"total": raster(tmp_path, "total.tif", [[10, mark], [mark, 5]])}) == [
        "total.tif: 2 cell(s) hold more than 1,500,000,000 people. If the value stands for no data, declare it "
        "(gdal_edit -a_nodata VALUE); else correct it."
    ]


def test_bands_that_are_not_read_are_told(tmp_path: Path) -> None:
    profile = {"driver": "GTiff", "height": 1, "width": 2, "count": 2, "dtype": "float32", "crs": UTM, "transform": GRID}
    with rasterio.open(tmp_path / "t.tif", "w", **profile) as file:
        file.write(np.array([[[1.0, 2.0]], [[30.0, 40.0]]], dtype=np.float32))
    checked = read_population_rasters({"total": tmp_path / "t.tif"}, crs_out=UTM)
    assert checked.table.cells["total"].tolist() == [1.0, 2.0]
    told = "has 2 bands; only the first is read. Save the others as rasters of their own where they count people too."
    assert told in [fault.text() for fault in checked.faults]
