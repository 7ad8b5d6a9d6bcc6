"""Datums: published pairs, exact inverses, identity where nothing is shifted."""

import json
import os
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from careshed.datum import (
    FRAMES,
    bd09_from_gcj02,
    degrees_of,
    gauss_kruger,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    in_china_box,
    old_frame,
    prefix_of,
    to_wgs84,
    wgs84_from_gcj02,
    zone_of,
    zones_with_prefix,
)

DATA = Path(os.environ.get("CARESHED_DATA", Path(__file__).parents[2] / "shared" / "data"))

# WGS-84, then GCJ-02 and BD-09 as three packages of PyPI give them: eviltransform 0.1.1 (which has an ellipsoid of its own,
# about a centimetre off), coord-convert 0.2.1 and prcoords 1.0.2 (which agree with each other to the last digit shown).
PACKAGES = {
    (116.404, 39.915): (
        (116.41024460490651, 39.91640430528012, 116.4166273498478, 39.92269957500158),
        (116.41024449916938, 39.91640428150164, 116.41662724378733, 39.922699552216216),
    ),
    (121.4737, 31.2304): (
        (121.47822313586518, 31.228457704689244, 121.48478154542994, 31.234310559473126),
        (121.47822305927693, 31.22845773757727, 121.484781468503, 31.234310593689997),
    ),
    (112.43, 39.33): (
        (112.43685121392583, 39.33116437165203, 112.44321597675696, 39.337490516453784),
        (112.43685109791727, 39.33116435193624, 112.4432158608649, 39.337490496400946),
    ),
    (114.0579, 22.5431): (
        (114.06301408516, 22.54038276821278, 114.06956407355443, 22.54604151330262),
        (114.06301399856547, 22.54038281422246, 114.06956398703267, 22.546041559073544),
    ),
    (87.6168, 43.8256): (
        (87.61964999772701, 43.82680541352192, 87.62609981936122, 43.83294981463666),
        (87.61964994946926, 43.82680539311119, 87.62609977081571, 43.83294979479328),
    ),
    (126.642, 45.7567): (
        (126.64796897571873, 45.75865050270936, 126.65459681592516, 45.76434959547759),
        (126.64796887464871, 45.75865046968236, 126.65459671444137, 45.764349563640465),
    ),
    (91.1409, 29.6456): (
        (91.14242936238195, 29.642863941037504, 91.14902041348701, 29.6485936467943),
        (91.14242933648593, 29.642863987365978, 91.14902038765206, 29.64859369309066),
    ),
}

ONE_MM_DEG = 0.001 / 111_320
IN_CHINA = {"lon": st.floats(73.0, 136.8), "lat": st.floats(1.9, 54.8)}


def test_gcj02_matches_the_pair_that_coordtransform_documents() -> None:
    # wandergis/coordtransform, README: wgs84togcj02(116.404, 39.915) = 116.41024449916938, 39.91640428150164
    lon, lat = gcj02_from_wgs84(116.404, 39.915)
    assert float(lon) == pytest.approx(116.41024449916938, abs=1e-9)
    assert float(lat) == pytest.approx(39.91640428150164, abs=1e-9)


def test_bd09_matches_the_pair_that_coordtransform_documents() -> None:
    # the same README: gcj02tobd09(116.404, 39.915) = 116.41036949371029, 39.92133699351021
    lon, lat = bd09_from_gcj02(116.404, 39.915)
    assert float(lon) == pytest.approx(116.41036949371029, abs=1e-9)
    assert float(lat) == pytest.approx(39.92133699351021, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(**IN_CHINA)
def test_inverses_come_back_within_a_millimetre(lon: float, lat: float) -> None:
    for there, back in ((gcj02_from_wgs84, wgs84_from_gcj02), (bd09_from_gcj02, gcj02_from_bd09)):
        east, north = back(*there(lon, lat))
        assert abs(float(east) - lon) < ONE_MM_DEG
        assert abs(float(north) - lat) < ONE_MM_DEG


def test_baidu_coordinates_come_back_through_both_shifts() -> None:
    lon, lat = np.array([112.43, 121.5]), np.array([39.33, 31.2])
    east, north = to_wgs84(*bd09_from_gcj02(*gcj02_from_wgs84(lon, lat)), "BD-09")
    assert np.abs(east - lon).max() < ONE_MM_DEG
    assert np.abs(north - lat).max() < ONE_MM_DEG


def test_the_shift_in_shuozhou_is_some_hundred_metres() -> None:
    lon, lat = gcj02_from_wgs84(112.43, 39.33)
    metres = np.hypot((float(lon) - 112.43) * 111_320 * np.cos(np.radians(39.33)), (float(lat) - 39.33) * 111_320)
    assert 300 < metres < 900


@pytest.mark.parametrize("datum", ["GCJ-02", "BD-09"])
def test_outside_chinas_box_nothing_moves(datum: str) -> None:
    lon, lat = to_wgs84([-51.2, 2.35, 140.0], [-30.0, 48.86, 40.0], datum)
    assert lon.tolist() == [-51.2, 2.35, 140.0]
    assert lat.tolist() == [-30.0, 48.86, 40.0]


def test_at_the_edge_of_the_box_the_inverse_finds_the_point_inside() -> None:
    # a point 100 m inside the eastern edge is shifted across it; judging by the shifted point would leave it 500 m off
    lon, lat = np.array([137.834]), np.array([45.0])
    shifted, _ = gcj02_from_wgs84(lon, lat)
    assert not in_china_box(shifted, lat)[0]
    east, north = wgs84_from_gcj02(*gcj02_from_wgs84(lon, lat))
    assert abs(east[0] - lon[0]) < ONE_MM_DEG
    assert abs(north[0] - lat[0]) < ONE_MM_DEG


@pytest.mark.parametrize("datum", ["WGS-84", "CGCS2000"])
def test_wgs84_and_cgcs2000_stay_as_they_are(datum: str) -> None:
    lon, lat = to_wgs84([112.43], [39.33], datum)
    assert (lon[0], lat[0]) == (112.43, 39.33)


def test_missing_coordinates_stay_missing_and_empty_stays_empty() -> None:
    lon, lat = to_wgs84([np.nan, 112.43], [39.33, 39.33], "GCJ-02")
    assert np.isnan(lon[0])
    assert np.isfinite(lon[1])
    assert lat[0] == 39.33
    assert to_wgs84([], [], "BD-09")[0].shape == (0,)


def test_the_arrays_given_are_left_alone() -> None:
    lon, lat = np.array([112.43]), np.array([39.33])
    to_wgs84(lon, lat, "WGS-84")[0][0] = 0.0
    to_wgs84(lon, lat, "GCJ-02")
    assert (lon[0], lat[0]) == (112.43, 39.33)


def test_an_unknown_datum_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"unknown datum 'Xian80'; accepted: WGS-84, CGCS2000, GCJ-02, BD-09"):
        to_wgs84([112.0], [39.0], "Xian80")


@pytest.mark.parametrize(("package", "within_m"), [(0, 0.05), (1, 1e-6)])
def test_forward_formulas_agree_with_public_packages(package: int, within_m: float) -> None:
    lon, lat = np.array(list(PACKAGES)).T
    expected = np.array([given[package] for given in PACKAGES.values()])
    gcj = np.column_stack(gcj02_from_wgs84(lon, lat))
    baidu = np.column_stack(bd09_from_gcj02(*gcj.T))
    metres = np.abs(np.column_stack([gcj, baidu]) - expected) * 111_320
    assert metres.max() < within_m


@pytest.mark.parametrize("frame", FRAMES)
def test_every_gauss_kruger_zone_of_china_has_its_meridian_and_false_easting(frame: str) -> None:
    # the EPSG register as pyproj ships it is the oracle
    for number in (*range(13, 24), *range(25, 46)):
        for prefixed in (True, False):
            crs = pyproj.CRS(gauss_kruger(number, frame=frame, prefixed=prefixed))
            meridian = number * 6.0 - 3.0 if number < 24 else number * 3.0
            assert zone_of(crs) == (meridian, (number * 1e6 if prefixed else 0.0) + 5e5), crs.name
            assert (old_frame(crs) or "CGCS2000") == frame


def test_a_zone_outside_china_is_refused() -> None:
    with pytest.raises(ValueError, match="zone 24 does not lie in China; zones of 6 degrees are 13 to 23, of 3 degrees 25 to 45"):
        gauss_kruger(24)


def test_the_first_digits_of_an_easting_say_its_zone() -> None:
    found = prefix_of(40512345.0)
    assert found is not None
    assert (found.width, found.number, found.meridian) == (3, 40, 120.0)
    six = prefix_of(20512345.0)
    assert six is not None
    assert (six.width, six.meridian) == (6, 117.0)
    assert prefix_of(24512345.0) is None
    assert zones_with_prefix(512345.0) == ()


@pytest.mark.parametrize("system", ["EPSG:4490", "EPSG:3857"])
def test_other_systems_are_no_gauss_kruger_zone(system: str) -> None:
    assert zone_of(pyproj.CRS(system)) is None


@pytest.mark.parametrize(
    ("written", "degrees"),
    [
        ("121°28′30″", 121.475),
        ("121.28.30", 121.475),
        ("121度28分", 121 + 28 / 60),
        ("东经121.502", 121.502),
        ("121°28'30\"E", 121.475),
        ("31°12′N", 31.2),
        ("W 51°12'", -51.2),
        ("南纬30度", -30.0),
        ("121:28:30", 121.475),
        ("121 28 30", 121.475),
        ("１２１°２８′３０″", 121.475),
        ("121° 28.5′", 121.475),
        ("121°75′", None),
        ("181°", None),
        ("121.28.75", None),
        ("121.5", None),
        ("去年", None),
    ],
)
def test_degrees_minutes_and_seconds_are_read_in_every_form(written: str, degrees: float | None) -> None:
    found = degrees_of(written)
    assert found == (None if degrees is None else pytest.approx(degrees, abs=1e-12))


def shuozhou() -> tuple[dict[str, shapely.Geometry], np.ndarray]:
    """Outlines of six counties by code, and the code, longitude and latitude of 72 town points, both in GCJ-02."""
    folder = DATA / "shuozhou_admin"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    outlines, points = {}, []
    for file in sorted(folder.glob("vonng_fence_1406??.json")):
        outlines[file.stem[-6:]] = shapely.from_geojson(json.dumps(json.loads(file.read_text(encoding="utf-8"))))
    del outlines["140600"]
    for file in sorted(folder.glob("vonng_adcode_1406??.csv")):
        cells = [line.split(",") for line in file.read_text(encoding="utf-8").splitlines()]
        points += [(float(row[5]), float(row[12]), float(row[13])) for row in cells if row[3] == "town" and row[12]]
    return outlines, np.array(points)


def test_shuozhous_outlines_and_town_points_agree_only_if_both_are_converted() -> None:
    outlines, points = shuozhou()
    assert (len(outlines), len(points)) == (6, 72)
    utm = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32649", always_xy=True)

    def metres(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        return np.column_stack(utm.transform(lon, lat))

    def to_border(converted_outlines: bool, converted_points: bool) -> np.ndarray:
        lon, lat = to_wgs84(points[:, 1], points[:, 2], "GCJ-02") if converted_points else points[:, 1:].T
        lines = {
            code: shapely.transform(
                shape.boundary, lambda xy: metres(*(to_wgs84(*xy.T, "GCJ-02") if converted_outlines else xy.T))
            )
            for code, shape in outlines.items()
        }
        places = shapely.points(metres(lon, lat))
        return np.array([lines[f"{code:.0f}"].distance(place) for code, place in zip(points[:, 0], places, strict=True)])

    before = to_border(False, False)
    # the shift varies by less than a hundredth over a county, and distances to the border keep to that
    assert (np.abs(to_border(True, True) - before) / before).max() < 0.01
    # one alone moves by some 600 m against the other
    for one in (to_border(True, False), to_border(False, True)):
        assert np.abs(one - before).max() > 500
        assert np.median(np.abs(one - before)) > 200
