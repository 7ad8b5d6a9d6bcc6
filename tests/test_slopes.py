"""Hills: heights read and smoothed, slopes that count by direction, bridges that stay up."""

import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from towns import CRS, EAST, NORTH, points, streets

from careshed.intake.elevation import open_elevation
from careshed.intake.streets import read_streets
from careshed.modes import CAR, CYCLE, WALK_ADULT, WALK_OLDER, WHEELCHAIR
from careshed.network import build_network
from careshed.network.slopes import speed_factor
from careshed.reach import travel_times
from careshed.schema import InputError

PORTO = Path(__file__).parents[2] / "shared" / "data" / "porto_alegre"
PIXEL = 30.0


def raster(tmp_path, height, *, name="dem.tif", crs=CRS, nodata=-9999.0, size=(2400.0, 2400.0), pixel=PIXEL, bands=1):
    """Write heights given as a function of metres east and north of the towns' corner, 600 m of margin around."""
    columns, rows = int(size[0] / pixel), int(size[1] / pixel)
    x = (np.arange(columns) + 0.5) * pixel - 600
    y = size[1] - 600 - (np.arange(rows) + 0.5) * pixel
    values = np.asarray(height(*np.meshgrid(x, y)), dtype=np.float32)
    place = Affine(pixel, 0, EAST - 600, 0, -pixel, NORTH + size[1] - 600)
    how = {
        "driver": "GTiff",
        "width": columns,
        "height": rows,
        "count": bands,
        "dtype": "float32",
        "crs": crs,
        "transform": place,
    }
    with rasterio.open(tmp_path / name, "w", nodata=nodata, **how) as file:
        for band in range(bands):
            file.write(np.where(np.isnan(values), nodata, values), band + 1)
    return tmp_path / name


def hill(tmp_path, slope=0.08, **how):
    """A plane that rises to the east."""
    return open_elevation(raster(tmp_path, lambda x, _: 100 + slope * x, **how)).table


def both_ways(town, mode, elevation, start=(0, 0), end=(1000, 0)):
    network = build_network(town, mode=mode, crs=CRS, snap_m=20, elevation=elevation)
    found = [
        travel_times(network, points([b]), points([a]), limit_min=240).nearest_cost[0] for a, b in ((start, end), (end, start))
    ]
    return [int(cost) / 1000 if cost >= 0 else -1 for cost in found]


ROAD = streets({"a": (0, 0), "b": (1000, 0)}, ["ab"])


def test_heights_of_a_plane_are_read_exactly_between_pixel_centres(tmp_path):
    x, y = EAST + np.array([0.0, 17.0, 333.3]), NORTH + np.array([0.0, 500.0, 999.0])
    assert hill(tmp_path).at(x, y, CRS) == pytest.approx(100 + 0.08 * (x - EAST), abs=0.01)


def test_heights_are_read_alike_in_another_coordinate_system(tmp_path):
    turn, size = Transformer.from_crs("EPSG:4326", CRS, always_xy=True), 0.0003
    lon, lat = np.meshgrid(122.995 + (np.arange(100) + 0.5) * size, 35.26 - (np.arange(100) + 0.5) * size)
    x, y = turn.transform(lon, lat)
    how = {"driver": "GTiff", "width": 100, "height": 100, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    with rasterio.open(tmp_path / "degrees.tif", "w", transform=Affine(size, 0, 122.995, 0, -size, 35.26), **how) as file:
        file.write((0.08 * (x - EAST)).astype(np.float32), 1)
    at = x[20:80:7, 20:80:7].ravel(), y[20:80:7, 20:80:7].ravel()
    assert open_elevation(tmp_path / "degrees.tif").table.at(*at, CRS) == pytest.approx(0.08 * (at[0] - EAST), abs=0.05)


def test_windows_read_apart_give_what_one_window_gives(tmp_path, monkeypatch):
    own = open_elevation(raster(tmp_path, lambda x, y: 50 * np.sin(x / 200) + 30 * np.cos(y / 150))).table
    rng = np.random.default_rng(2)
    x, y = EAST + rng.uniform(-500, 1500, 400), NORTH + rng.uniform(-500, 1500, 400)
    whole = own.at(x, y, CRS)
    monkeypatch.setattr("careshed.intake.elevation.BLOCK", 16)
    assert own.at(x, y, CRS) == pytest.approx(whole, abs=1e-4)


def test_walking_uphill_takes_longer_than_down_as_tobler_says(tmp_path):
    # 8 % for 1 km at 1 m/s: up 1000 / exp(-3.5 · 0.08) = 1323 s, down 1000 / exp(-3.5 · (0.03 - 0.05)) = 932 s.
    up, down = both_ways(ROAD, WALK_OLDER, hill(tmp_path))
    assert (up, down) == (pytest.approx(1000 * np.exp(0.28), rel=1e-3), pytest.approx(1000 * np.exp(-0.07), rel=1e-3))


def test_a_cycle_goes_by_its_own_rule_and_a_car_minds_no_hill(tmp_path):
    level = 1000 / (12 / 3.6)
    up, down = both_ways(ROAD, CYCLE, hill(tmp_path, 0.03))
    assert (up, down) == (pytest.approx(level / (1 - 6.67 * 0.03), rel=1e-3), pytest.approx(level / (1 + 3.98 * 0.03), rel=1e-3))
    assert both_ways(ROAD, CAR, hill(tmp_path, 0.03)) == both_ways(ROAD, CAR, None)


def test_a_hill_between_two_ends_of_one_height_counts(tmp_path):
    # The road's ends are level with each other; 40 m of hill between them slow both ways.
    ridge = open_elevation(raster(tmp_path, lambda x, _: 40 * np.exp(-(((x - 500) / 200) ** 2)))).table
    up, down = both_ways(ROAD, WALK_OLDER, ridge)
    assert up == pytest.approx(down, rel=2e-3)
    assert up > 1030


def test_a_bridge_is_not_dragged_to_the_valley_floor(tmp_path):
    valley = open_elevation(raster(tmp_path, lambda x, _: -60 * np.exp(-(((x - 500) / 150) ** 2)))).table
    town = streets({"a": (0, 0), "b": (200, 0), "m": (500, 0), "c": (800, 0), "d": (1000, 0)}, ["ab", "bm", "mc", "cd"])
    down = both_ways(town, WALK_OLDER, valley)
    town.ways["bridge"] = [False, True, True, False]
    up = both_ways(town, WALK_OLDER, valley)
    # The deck between b and c falls and rises no more than the valley's rim does at 200 m and 800 m, 1.1 m below the ends.
    assert up == [pytest.approx(1000, rel=0.01)] * 2
    assert min(down) > 1050


def test_stairs_from_the_valley_up_to_a_bridge_do_not_drag_it_down(tmp_path):
    # Level rims at 0 m, a floor 60 m below between 250 m and 750 m; stairs climb from it to the middle of the deck.
    valley = open_elevation(raster(tmp_path, lambda x, _: np.where((x > 250) & (x < 750), -60.0, 0.0))).table
    nodes = {"a": (0, 0), "b": (100, 0), "m": (500, 0), "c": (900, 0), "d": (1000, 0), "s": (500, -30), "t": (500, -300)}
    town = streets(nodes, ["ab", "bm", "mc", "cd", "ms", "st"], steps=[4])
    town.ways["bridge"] = [False, True, True, False, False, False]
    assert both_ways(town, WALK_OLDER, valley) == [pytest.approx(1000, abs=0.1)] * 2
    town.ways["steps"] = False  # a plain path to the deck's middle: two bridges that meet on the ground
    assert min(both_ways(town, WALK_OLDER, valley)) > 1200


def test_a_bridge_in_the_open_without_any_anchor_follows_the_ground(tmp_path):
    town = streets({"a": (0, 0), "b": (1000, 0)}, ["ab"])
    town.ways["bridge"] = True
    assert both_ways(town, WALK_OLDER, hill(tmp_path)) == [pytest.approx(1323, abs=2), pytest.approx(932, abs=2)]


def test_a_street_too_steep_for_a_wheelchair_is_closed_to_it_alone(tmp_path):
    town = streets({"a": (0, 0), "b": (1000, 0), "c": (0, 1000)}, ["ab", "ac"])  # ab climbs, ac does not
    steep = hill(tmp_path, 0.09)
    assert both_ways(town, WHEELCHAIR, steep) == [-1, -1]
    assert both_ways(town, WHEELCHAIR, steep, (0, 0), (0, 1000)) == [pytest.approx(1440, abs=1)] * 2
    assert min(both_ways(town, WALK_OLDER, steep)) > 0
    assert both_ways(town, WHEELCHAIR, hill(tmp_path, 0.08, name="gentle.tif"))[0] > 1440


def test_heights_are_read_once_also_where_steep_streets_are_closed(tmp_path, monkeypatch):
    town = streets({"a": (0, 0), "b": (990, 0), "c": (0, 990)}, ["ab", "ac"])
    ground, asked = hill(tmp_path, 0.08), []
    taken = type(ground).at
    monkeypatch.setattr(type(ground), "at", lambda self, x, y, crs: (asked.append(len(x)), taken(self, x, y, crs))[1])
    build_network(town, mode=WHEELCHAIR, crs=CRS, elevation=ground)
    # three nodes, then the 39 inner steps of 25 m on each of two streets of 990 m
    assert asked == [3, 78]


def test_a_town_all_too_steep_is_refused(tmp_path):
    with pytest.raises(InputError, match="every street is steeper than mode 'wheelchair' can travel") as caught:
        build_network(ROAD, mode=WHEELCHAIR, crs=CRS, elevation=hill(tmp_path, 0.2))
    assert "最大坡度" in caught.value.text("zh")


def test_steps_go_by_their_own_factor(tmp_path):
    town = streets({"a": (0, 0), "b": (1000, 0)}, ["ab"], steps=[0])
    assert both_ways(town, WALK_OLDER, hill(tmp_path)) == [2000, 2000]


def test_lengths_stay_flat(tmp_path):
    network = build_network(ROAD, mode=WALK_OLDER, crs=CRS, elevation=hill(tmp_path))
    assert network.edge_m.tolist() == [pytest.approx(1000, abs=0.001)]


def test_streets_beyond_the_raster_count_as_level_and_are_told(tmp_path):
    half = open_elevation(raster(tmp_path, lambda x, _: np.where(x < 500, 100 + 0.08 * x, np.nan))).table
    up, down = both_ways(ROAD, WALK_OLDER, half)
    assert 1000 < up < 1323
    assert down < 1000
    network = build_network(ROAD, mode=WALK_OLDER, crs=CRS, elevation=half)
    told = [fault for fault in network.faults if fault.code == "no_heights"]
    assert [fault.en for fault in told] == ["1.0 km of street (100.0%) have no heights and count as level"]


def test_a_raster_elsewhere_leaves_everything_level(tmp_path):
    far = open_elevation(raster(tmp_path, lambda x, _: x, size=(300.0, 300.0))).table
    town = streets({"a": (2000, 0), "b": (3000, 0)}, ["ab"])
    assert both_ways(town, WALK_OLDER, far, (2000, 0), (3000, 0)) == [1000, 1000]


@pytest.mark.parametrize(
    ("how", "message"),
    [({"crs": None}, "states no coordinate system"), ({"bands": 2}, "2 bands; the first is taken for heights")],
)
def test_what_a_raster_lacks_is_told(tmp_path, how, message):
    file = raster(tmp_path, lambda x, _: x, **how)
    if how.get("bands"):
        assert [fault.en for fault in open_elevation(file).faults] == [message]
    else:
        with pytest.raises(InputError, match=message):
            open_elevation(file)
        assert open_elevation(file, crs=CRS).table.crs == CRS


@pytest.mark.parametrize(
    ("keeps", "per_metre", "plus", "told"),
    [
        ({"scales": (0.1,)}, 10.0, 0.0, "value × 0.1"),
        ({"offsets": (50.0,)}, 1.0, -50.0, "value × 1 + 50"),
        ({"units": ("ft",)}, 1 / 0.3048, 0.0, "value × 0.3048"),
        ({"units": ("cm",)}, 100.0, 0.0, "value × 0.01"),
    ],
)
def test_heights_kept_in_decimetres_or_feet_are_turned_into_metres(tmp_path, keeps, per_metre, plus, told):
    # 8 % all the same: up 1000 · exp(0.28) = 1323 s; decimetres read as metres would be ten times as steep.
    file = raster(tmp_path, lambda x, _: (100 + 0.08 * x) * per_metre + plus)
    with rasterio.open(file, "r+") as open_file:
        for name, value in keeps.items():
            setattr(open_file, name, value)
    read = open_elevation(file)
    assert [fault.en for fault in read.faults] == [f"heights are turned into metres as the file or the study says: {told}"]
    assert both_ways(ROAD, WALK_OLDER, read.table) == [pytest.approx(1323, abs=1), pytest.approx(932, abs=1)]
    assert read.table.at(np.array([EAST]), np.array([NORTH]), CRS) == pytest.approx(100, abs=0.1)


def test_a_missing_or_damaged_raster_is_refused(tmp_path):
    (tmp_path / "dem.tif").write_bytes(b"no raster")
    for name, message in (("none.tif", "does not exist"), ("dem.tif", "dem.tif")):
        with pytest.raises(InputError, match=message):
            open_elevation(tmp_path / name)


def test_absurd_heights_are_no_heights(tmp_path):
    wild = open_elevation(raster(tmp_path, lambda x, _: np.where(np.abs(x - 500) < 40, 32767.0, 100.0), nodata=-9999.0)).table
    assert both_ways(ROAD, WALK_OLDER, wild) == [1000, 1000]


def grid_town(rng):
    """A grid of 100 m blocks, 1.2 km a side, with people at random."""
    names = {f"{i}_{j}": (i * 100.0, j * 100.0) for i in range(13) for j in range(13)}
    ways = [[f"{i}_{j}" for j in range(13)] for i in range(13)] + [[f"{i}_{j}" for i in range(13)] for j in range(13)]
    cells = points(rng.uniform(0, 1200, (3_000, 2)), p60=rng.uniform(0, 5, 3_000), unit="")
    return streets(names, ways), cells


def test_noise_of_two_metres_on_a_flat_town_changes_no_coverage_by_one_percent(tmp_path):
    rng = np.random.default_rng(11)
    town, cells = grid_town(rng)
    care = points([(310, 300), (905, 880)])
    noisy = open_elevation(raster(tmp_path, lambda x, _: 100 + rng.normal(0, 2, np.shape(x)))).table
    networks = [build_network(town, mode=WALK_ADULT, crs=CRS, elevation=heights) for heights in (None, noisy)]
    for minutes in (3, 5, 8):
        flat, rough = (
            float(cells["p60"].to_numpy()[_within(travel_times(one, care, cells, limit_min=10), minutes)].sum())
            for one in networks
        )
        assert rough == pytest.approx(flat, rel=0.01)
        assert flat > 0


def _within(times, minutes):
    near = np.zeros(len(times.cell_ids), dtype=bool)
    near[times.indices[times.cost <= minutes * 60_000]] = True
    return near


@pytest.mark.skipif(not PORTO.is_dir(), reason="needs ../shared")
def test_hills_of_porto_alegre_cost_reach_and_uphill_differs_from_downhill():
    town = read_streets(PORTO / "poa_osm.pbf").table
    heights = open_elevation(PORTO / "poa_elevation.tif").table
    flat, hilly = (build_network(town, mode=WALK_OLDER, crs="EPSG:32722", elevation=one) for one in (None, heights))
    rng = np.random.default_rng(3)
    at = rng.choice(len(flat.x), 1_500, replace=False)
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(flat.x[at], flat.y[at]), crs=flat.crs)
    care, homes = places.iloc[:60], places.iloc[60:].reset_index(drop=True)
    reached = {}
    for name, network, way in (("flat", flat, "to_facility"), ("to", hilly, "to_facility"), ("from", hilly, "from_facility")):
        reached[name] = int(_within(travel_times(network, care, homes, limit_min=15, direction=way), 15).sum())
    assert reached["to"] < reached["flat"]
    assert reached["to"] != reached["from"]
    steep = np.abs(hilly.time.edge_f.astype(np.int64) - hilly.time.edge_b.astype(np.int64)) > 0.05 * hilly.time.edge_f
    assert steep.mean() > 0.2


def test_the_speed_on_a_slope_stays_within_its_limits():
    assert speed_factor(np.array([-0.9, 0.9]), "parkin").tolist() == [1.5, 0.2]
    assert speed_factor(np.array([-0.3, 0.3]), "none").tolist() == [1.0, 1.0]
    assert dataclasses.replace(WALK_OLDER, hills="none").hills == "none"


def test_a_unit_that_the_raster_does_not_name_can_be_stated_and_one_that_is_not_known_must_be(tmp_path):
    file = raster(tmp_path, lambda x, _: (100 + 0.08 * x) / 0.3048)  # feet, unsaid: 8 % would be 26 %
    stated = open_elevation(file, unit="ft")
    assert both_ways(ROAD, WALK_OLDER, stated.table) == [pytest.approx(1323, abs=1), pytest.approx(932, abs=1)]
    with rasterio.open(file, "r+") as open_file:
        open_file.units = ("furlong",)
    with pytest.raises(InputError, match=r"the unit of heights 'furlong' is not known. State unit in \[elevation\]"):
        open_elevation(file)
    assert open_elevation(file, unit="m").table.at(np.array([EAST]), np.array([NORTH]), CRS) == pytest.approx(100 / 0.3048, abs=1)


def test_heights_whose_system_the_study_states_are_smoothed_as_those_that_state_it_themselves(tmp_path):
    def rough(x, y):
        return 100 + 2 * np.sin(x / 7) * np.cos(y / 5)

    own = open_elevation(raster(tmp_path, rough, pixel=10)).table
    given = open_elevation(raster(tmp_path, rough, name="bare.tif", crs=None, pixel=10), crs=CRS).table
    x, y = EAST + np.arange(0, 1000, 37.0), np.full(28, NORTH + 13.0)
    assert given.at(x, y, CRS) == pytest.approx(own.at(x, y, CRS), abs=1e-9)
    assert np.ptp(own.at(x, y, CRS)) < 0.1  # 45 m of smoothing leave nothing of waves of 40 m


def test_a_system_other_than_that_of_the_raster_is_refused(tmp_path):
    file = raster(tmp_path, lambda x, _: x)
    with pytest.raises(InputError, match=r"but the study says CGCS2000.*Take crs out of \[elevation\]"):
        open_elevation(file, crs="EPSG:4549")


def test_pixels_wider_than_a_block_of_houses_are_told(tmp_path):
    (told,) = open_elevation(raster(tmp_path, lambda x, _: 0 * x, pixel=200)).faults
    assert told.text("en").startswith("the pixels of the heights are 200 m wide: the slopes of streets are levelled out")
    assert told.text("zh").startswith("高程像元宽 200 米")
    assert open_elevation(raster(tmp_path, lambda x, _: 0 * x, pixel=30)).faults == ()
