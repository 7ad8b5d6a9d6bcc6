"""Which datum points are in: right on planted shifts, silent where it cannot be told, never applied."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray

from careshed.datum import bd09_from_gcj02, gcj02_from_bd09, gcj02_from_wgs84, to_wgs84, wgs84_from_gcj02
from careshed.intake.detection import HYPOTHESES, NearStreets, detect_datum, raw_degrees, undo
from careshed.intake.detection.ground import degrees, local_metres
from careshed.intake.streets import Streets, read_streets

DATA = Path(os.environ.get("CARESHED_DATA", Path(__file__).parents[2] / "shared" / "data"))

Points = NDArray[np.float64]

# file, and where in China its middle is moved to (Wuhan, Shuozhou, Shanghai); Shenzhen stays
CITIES = {
    "futian": ("shenzhen_futian/futian_osmnx.graphml", None),
    "nanshan": ("shenzhen_nanshan/nanshan.osm", None),
    "helsinki": ("helsinki/Helsinki.osm.pbf", (114.3, 30.6)),
    "monaco": ("monaco/monaco.osm.pbf", (112.43, 39.33)),
    "porto_alegre": ("porto_alegre/poa_osm.pbf", (121.47, 31.23)),
}

TRIALS = 4
"""Planted registers of each datum in each city: 60 in all."""


@cache
def city(name: str) -> Streets:
    """Streets of a city, moved into China."""
    file, middle = CITIES[name]
    if not (DATA / file).is_file():
        pytest.skip(f"{DATA / file} is not here")
    streets = read_streets(DATA / file).table
    if middle is None:
        return streets
    west, south, east, north = streets.bounds_lonlat()
    at = local_metres(np.column_stack([streets.lon, streets.lat]), ((west + east) / 2, (south + north) / 2))
    there = degrees(at, middle)
    return dataclasses.replace(streets, lon=there[:, 0], lat=there[:, 1])


@cache
def near(name: str) -> NearStreets:
    return NearStreets.of(city(name))


LINES: dict[int, NDArray[np.object_]] = {}
"""Lines in local metres, by the identity of the streets: making them takes longer than a verdict."""


def metric_lines(streets: Streets) -> NDArray[np.object_]:
    if id(streets) not in LINES:
        west, south, east, north = streets.bounds_lonlat()
        middle = ((west + east) / 2, (south + north) / 2)
        node = local_metres(np.column_stack([streets.lon, streets.lat])[streets.way_node], middle)
        LINES[id(streets)] = shapely.linestrings(node, indices=np.repeat(np.arange(len(streets.ways)), np.diff(streets.way_ptr)))
    return LINES[id(streets)]


def planted(streets: Streets, count: int, chance: np.random.Generator, *, wild: float = 0.05) -> Points:
    """Stand points 5 to 60 m beside streets, on either side; a twentieth of them anywhere: WGS-84."""
    west, south, east, north = streets.bounds_lonlat()
    middle = ((west + east) / 2, (south + north) / 2)
    lines = metric_lines(streets)
    line = lines[chance.choice(len(lines), count, p=shapely.length(lines) / shapely.length(lines).sum())]
    along = chance.uniform(0.0, shapely.length(line))
    here, ahead = (shapely.get_coordinates(shapely.line_interpolate_point(line, at)) for at in (along, along + 0.5))
    back = shapely.get_coordinates(shapely.line_interpolate_point(line, np.maximum(along - 0.5, 0.0)))
    heading = (ahead - back) / np.hypot(*(ahead - back).T)[:, None]
    aside = heading[:, ::-1] * [-1.0, 1.0] * (chance.choice([-1.0, 1.0], count) * chance.uniform(5.0, 60.0, count))[:, None]
    anywhere = chance.uniform(
        *(local_metres(np.array([corner]), middle)[0] for corner in ((west, south), (east, north))), (count, 2)
    )
    return degrees(np.where((chance.random(count) < wild)[:, None], anywhere, here + aside), middle)


def shifted(points: Points, datum: str) -> Points:
    """Bring WGS-84 into the datum by the forward formulas."""
    lon, lat = points.T
    if datum in ("GCJ-02", "BD-09"):
        lon, lat = gcj02_from_wgs84(lon, lat)
    if datum == "BD-09":
        lon, lat = bd09_from_gcj02(lon, lat)
    return np.column_stack([lon, lat])


def grid_town() -> Streets:
    """A made-up town of 10 by 10 blocks in Shuozhou, its streets 150 to 600 m apart, at places drawn once."""
    chance = np.random.default_rng(2)
    east, north = (np.concatenate([[0.0], np.cumsum(chance.uniform(150.0, 600.0, 10))]) for _ in "en")
    ends = [((x, 0.0), (x, north[-1])) for x in east] + [((0.0, y), (east[-1], y)) for y in north]
    nodes = degrees(np.array(ends).reshape(-1, 2), (112.4, 39.3))
    count = len(ends)
    ways = pd.DataFrame({"highway": "residential"}, index=pd.RangeIndex(count, name="way_id"))
    way_node = np.arange(2 * count, dtype=np.int32)
    return Streets(np.arange(2 * count), nodes[:, 0], nodes[:, 1], ways, np.arange(0, 2 * count + 1, 2), way_node, "made")


@pytest.fixture(scope="module")
def town() -> Streets:
    return grid_town()


@pytest.mark.parametrize("name", CITIES)
def test_planted_shifts_are_told_right_with_200_points(name: str) -> None:
    streets, ground, chance = city(name), near(name), np.random.default_rng(7)
    truths = ["WGS-84", "GCJ-02", "BD-09"] * TRIALS
    told = [detect_datum(shifted(planted(streets, 200, chance), truth), streets=ground).fits for truth in truths]
    right = sum(fits is not None and fits.id == truth for fits, truth in zip(told, truths, strict=True))
    # at least 99 % of 12 is all of them
    assert right == len(truths)


@pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=lambda hypothesis: hypothesis.id)
def test_wrong_conversions_are_told_too(hypothesis: object, town: Streets) -> None:
    truth = planted(town, 300, np.random.default_rng(3))
    lon, lat = truth.T
    made = {
        "WGS-84": truth.T,
        "GCJ-02": gcj02_from_wgs84(lon, lat),
        "BD-09": bd09_from_gcj02(*gcj02_from_wgs84(lon, lat)),
        "shifted_twice": gcj02_from_wgs84(*gcj02_from_wgs84(lon, lat)),
        "bd09_offset_alone": bd09_from_gcj02(lon, lat),
        "unshifted_from_nothing": wgs84_from_gcj02(lon, lat),
        "unshifted_too_far": gcj02_from_bd09(lon, lat),
        "unshifted_twice_from_nothing": to_wgs84(lon, lat, "BD-09"),
    }[hypothesis.id]
    given = np.column_stack(made)
    verdict = detect_datum(given, streets=town)
    assert verdict.fits == hypothesis
    # what the verdict stands for brings the points back, to a centimetre
    assert np.abs(undo(given, hypothesis) - truth).max() < 1e-7


def test_fewer_than_fifty_points_are_not_judged(town: Streets) -> None:
    points = shifted(planted(town, 50, np.random.default_rng(1)), "GCJ-02")
    assert detect_datum(points, streets=town).points == 50
    verdict = detect_datum(points[:49], streets=town)
    assert verdict.fits is None
    assert verdict.text("en") == "The datum cannot be told: only 49 points, 50 are needed."
    assert verdict.text("zh") == "无法判断基准：只有 49 个点，至少需要 50 个。"
    assert verdict.fault("a.csv").code == "datum_unknown"


def test_rows_without_coordinates_do_not_count(town: Streets) -> None:
    points = planted(town, 60, np.random.default_rng(1))
    points[:20] = np.nan
    assert detect_datum(points, streets=town).why_not[1] == "only 40 points, 50 are needed"


def test_points_anywhere_are_told_to_fit_nothing() -> None:
    ground = near("nanshan")
    chance = np.random.default_rng(5)
    west, south, east, north = city("nanshan").bounds_lonlat()
    verdict = detect_datum(chance.uniform((west, south), (east, north), (200, 2)), streets=ground)
    assert verdict.fits is None
    assert "than when moved at random" in verdict.text("en") or "too close" in verdict.text("en")


def test_points_outside_china_are_not_judged(town: Streets) -> None:
    verdict = detect_datum(np.column_stack([np.linspace(2.3, 2.4, 80), np.linspace(48.8, 48.9, 80)]), streets=town)
    assert verdict.why_not == ("点不在中国，各基准无差别", "the points are not in China, where alone the datums differ")


def test_a_contradicted_datum_is_said_with_its_cure_and_nothing_is_changed(town: Streets) -> None:
    points = shifted(planted(town, 200, np.random.default_rng(4)), "BD-09")
    kept = points.copy()
    verdict = detect_datum(points, streets=town, declared="WGS-84")
    assert (points == kept).all()
    assert verdict.contradicts
    assert verdict.text("en").startswith("The coordinates fit BD-09 (Baidu) best (200 points, ")
    assert verdict.text("en").endswith('Nothing is changed; if you agree, write datum = "BD-09" in the study.')
    assert verdict.text("zh").endswith('未作改动；如同意，请在研究文件写 datum = "BD-09"。')
    fault = verdict.fault("登记.csv")
    assert (fault.code, fault.severity, fault.file) == ("datum_contradicted", "noted", "登记.csv")


def test_a_datum_rightly_stated_is_confirmed(town: Streets) -> None:
    points = planted(town, 200, np.random.default_rng(4))
    for declared in ("WGS-84", "CGCS2000", None):
        verdict = detect_datum(points, streets=town, declared=declared)
        assert not verdict.contradicts
        assert verdict.fault("a.csv").code == "datum_confirmed"
    assert not detect_datum(shifted(points, "GCJ-02"), streets=town, declared="GCJ-02").contradicts


def test_a_wrong_conversion_sends_back_to_the_original(town: Streets) -> None:
    points = shifted(shifted(planted(town, 300, np.random.default_rng(6)), "GCJ-02"), "GCJ-02")
    text = detect_datum(points, streets=town).text("en")
    assert "shifted to GCJ-02 twice" in text
    assert text.endswith("Nothing is changed; go back to the file from before it was converted.")


def test_the_same_points_give_the_same_verdict(town: Streets) -> None:
    points = shifted(planted(town, 100, np.random.default_rng(8)), "GCJ-02")
    assert repr(detect_datum(points, streets=town)) == repr(detect_datum(points, streets=NearStreets.of(town)))


def test_units_alone_tell_the_datum_where_points_stand_near_their_borders() -> None:
    # 10 by 10 units of about 500 m: a shift of 600 m puts hardly any point in its own
    corners = [(112.4 + 0.006 * x, 39.3 + 0.0045 * y) for x in range(10) for y in range(10)]
    codes = [f"u{at}" for at in range(100)]
    boxes = [shapely.box(x, y, x + 0.006, y + 0.0045) for x, y in corners]
    units = gpd.GeoDataFrame({"name": codes}, index=codes, geometry=boxes, crs="EPSG:4326").to_crs("EPSG:32649")
    chance = np.random.default_rng(9)
    truth = np.array(corners) + chance.uniform(0.05, 0.95, (100, 2)) * [0.006, 0.0045]
    verdict = detect_datum(shifted(truth, "GCJ-02"), streets=None, units=units, declared_units=codes)
    assert verdict.fits is not None
    assert verdict.fits.id == "GCJ-02"
    assert verdict.scores[0].in_units == 1.0
    assert "100% in their unit" in verdict.text("en")
    assert "street" not in verdict.text("en")


def test_undeclared_units_count_as_one_and_unknown_codes_do_not_stop(town: Streets) -> None:
    west, south, east, north = town.bounds_lonlat()
    units = gpd.GeoDataFrame({"name": ["甲"]}, index=["u"], geometry=[shapely.box(west, south, east, north)], crs="EPSG:4326")
    points = shifted(planted(town, 120, np.random.default_rng(3), wild=0.0), "GCJ-02")
    anywhere = detect_datum(points, streets=town, units=units)
    assert anywhere.fits is not None
    assert anywhere.fits.id == "GCJ-02"
    unknown = detect_datum(points, streets=town, units=units, declared_units=["?"] * 120)
    assert repr(unknown) == repr(anywhere)
    some = detect_datum(points, streets=town, units=units, declared_units=["u"] * 80 + [""] * 40)
    assert some.fits == anywhere.fits
    outlines = units.assign(geometry=None).set_geometry("geometry")
    assert repr(detect_datum(points, streets=town, units=outlines)) == repr(detect_datum(points, streets=town))


def test_shuozhous_counties_are_too_large_to_tell_by_units_alone() -> None:
    # all 72 town points lie in their county under every datum: the verdict must not pretend
    folder = DATA / "shuozhou_admin"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    files = [file for file in sorted(folder.glob("vonng_fence_1406??.json")) if "140600" not in file.name]
    shapes = [shapely.from_geojson(json.dumps(json.loads(file.read_text(encoding="utf-8")))) for file in files]
    shapes = [shapely.transform(shape, lambda xy: np.column_stack(to_wgs84(*xy.T, "GCJ-02"))) for shape in shapes]
    units = gpd.GeoDataFrame({"name": "县"}, index=[file.stem[-6:] for file in files], geometry=shapes, crs="EPSG:4326")
    cells = [
        line.split(",")
        for file in sorted(folder.glob("vonng_adcode_1406??.csv"))
        for line in file.read_text("utf-8").splitlines()
    ]
    towns = [row for row in cells if row[3] == "town" and row[12]]
    points = np.array([[float(row[12]), float(row[13])] for row in towns])
    verdict = detect_datum(points, streets=None, units=units, declared_units=[row[5] for row in towns])
    assert len(points) == 72
    assert verdict.fits is None
    assert verdict.scores[0].in_units == 1.0


def test_neither_streets_nor_units_is_an_error() -> None:
    with pytest.raises(ValueError, match="detected by streets or units; neither is given"):
        detect_datum(np.zeros((60, 2)), streets=None)


def test_declared_units_must_be_one_for_each_point(town: Streets) -> None:
    with pytest.raises(ValueError, match="60 points, but 2 declared units"):
        detect_datum(np.zeros((60, 2)), streets=town, declared_units=["a", "b"])


@pytest.mark.parametrize("datum", [None, "CGCS2000", "GCJ-02", "BD-09"])
def test_a_table_read_in_a_datum_gives_back_the_degrees_of_its_file(datum: str | None) -> None:
    given = np.array([[112.43, 39.33], [121.5, 31.2]])
    lon, lat = to_wgs84(given[:, 0], given[:, 1], datum or "WGS-84")
    table = gpd.GeoDataFrame(geometry=shapely.points(lon, lat), crs="EPSG:4326").to_crs("EPSG:32650")
    assert np.abs(raw_degrees(table, datum) - given).max() < 1e-8


def test_distances_are_those_of_shapely(town: Streets) -> None:
    west, south, east, north = town.bounds_lonlat()
    points = np.random.default_rng(0).uniform((west, south), (east, north), (50, 2))
    ground = NearStreets.of(town)
    lines = shapely.transform(town.lines("EPSG:4326").geometry.to_numpy(), lambda xy: local_metres(xy, ground.middle))
    exact = shapely.distance(shapely.union_all(lines), shapely.points(local_metres(points, ground.middle)))
    # points every 8 m along a street: at most 4 m aside, so sqrt(d² + 4²) at worst
    found = ground.distances(points)
    assert (found >= np.minimum(exact, 400.0) - 1e-6).all()
    assert (found <= np.sqrt(exact**2 + 16.0) + 1e-6).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_register_of_which_a_third_is_in_another_datum_says_so(seed: int, town: Streets) -> None:
    points = planted(town, 200, np.random.default_rng(seed))
    points[:60] = shifted(points[:60], "GCJ-02")
    verdict = detect_datum(points, streets=NearStreets.of(town))
    assert verdict.fits is not None
    assert verdict.fits.id == "WGS-84"
    (told,) = [hint for hint in verdict.hints if "GCJ-02" in hint[1]]
    # of the 60, those that a shift of some 600 m takes away from any street: half of them, and a few by chance
    count = int(told[1].split()[1])
    assert 25 <= count <= 55
    assert told[0].startswith(f"其中约 {count} 个点按GCJ-02（高德、腾讯）更吻合：表中可能混有两种基准")
    assert told[1] in verdict.text("en")


@pytest.mark.parametrize("towards", [(0.0, "east", "东"), (np.pi / 2, "north", "北"), (np.pi, "west", "西")])
def test_points_that_are_all_off_the_same_way_say_so(towards: tuple[float, str, str], town: Streets) -> None:
    angle, en, zh = towards
    points = planted(town, 200, np.random.default_rng(0))
    middle = (float(points[:, 0].mean()), float(points[:, 1].mean()))
    moved = degrees(local_metres(points, middle) + 105.0 * np.array([np.cos(angle), np.sin(angle)]), middle)
    (told,) = [hint for hint in detect_datum(moved, streets=NearStreets.of(town)).hints if " m too far " in hint[1]]
    assert f"{en}: moved back they sit better" in told[1]
    assert re.match(f"所有点整体向.*{zh}偏了约 (90|120) 米", told[0])


@pytest.mark.parametrize("seed", range(6))
def test_points_that_are_where_they_should_be_give_no_hint(seed: int, town: Streets) -> None:
    points = planted(town, 200, np.random.default_rng(seed))
    assert detect_datum(points, streets=NearStreets.of(town)).hints == ()


def test_a_small_register_is_judged_where_that_is_asked_for(town: Streets) -> None:
    points = shifted(planted(town, 47, np.random.default_rng(1)), "BD-09")
    assert detect_datum(points, streets=town).fits is None
    verdict = detect_datum(points, streets=town, fewest=15)
    assert verdict.fits is not None
    assert verdict.fits.id == "BD-09"
