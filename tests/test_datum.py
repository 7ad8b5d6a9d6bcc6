"""Datums: published pairs, exact inverses, identity where nothing is shifted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careshed.datum import bd09_from_gcj02, gcj02_from_bd09, gcj02_from_wgs84, in_china_box, to_wgs84, wgs84_from_gcj02

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
