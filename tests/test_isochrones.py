"""Isochrones: sizes and shapes worked out by hand, certificates, and the travel costs they stand for."""

from __future__ import annotations

import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import MultiLineString, MultiPoint, MultiPolygon, Point
from ties import between_streets
from towns import CRS, EAST, NORTH, points, streets

from careshed.intake.streets import read_streets
from careshed.isochrones import (
    Certificate,
    Surface,
    certify,
    draw_isochrones,
    lattice,
    lattice_of,
    level_set,
    merged_isochrones,
    reached_streets,
    step_for,
    surface,
)
from careshed.modes import WALK_ADULT, WALK_OLDER, Mode
from careshed.network import DEFAULT_SNAP_M, Network, attach, build_network
from careshed.reach import travel_times

ORIGIN = np.array([EAST, NORTH])
METRE_A_SECOND = Mode(name="test", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="1 m/s, so that metres are seconds")
DATA = Path(os.environ.get("CARESHED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def network_of(nodes, ways, *, mode=METRE_A_SECOND, snap_m=DEFAULT_SNAP_M, **kinds) -> Network:
    return build_network(streets(nodes, ways, **kinds), mode=mode, crs=CRS, snap_m=snap_m)


def street(half: float = 500.0, **options) -> Network:
    """One straight street along the x axis."""
    return network_of({"a": (-half, 0), "b": (half, 0)}, ["ab"], **options)


def local(shape):
    """A shape in the town's metres."""
    return shapely.transform(shape, lambda xy: xy - ORIGIN)


def only(table: gpd.GeoDataFrame):
    (shape,) = table.geometry
    return local(shape)


# --- level sets --------------------------------------------------------------------------------------------------------


def disc_surface(radius: float, step: float, *, hole: float = 0.0) -> Surface:
    """Cost by distance from the middle of a square window, less than a metre of `hole` being infinite."""
    side = int(2 * radius / step) + 8
    at = (np.arange(side) + 0.5) * step - side * step / 2
    far = np.hypot(*np.meshgrid(at, at))
    return Surface(-side * step / 2, side * step / 2, step, np.where(far < hole, np.inf, far * 1000).astype(np.float32), 1000.0)


@pytest.mark.parametrize(("radius", "step"), [(100.0, 5.0), (100.0, 1.0), (333.3, 7.0)])
def test_a_cost_that_grows_with_distance_gives_a_disc(radius, step):
    shape = level_set(disc_surface(radius, step), round(radius * 1000))
    # Chords of a circle lose about (step / radius)² / 6 of its area.
    assert shape.area == pytest.approx(np.pi * radius**2, rel=(step / radius) ** 2)
    assert shape.bounds == pytest.approx((-radius, -radius, radius, radius), abs=step**2 / radius)
    assert len(shape.geoms) == 1


def test_a_hole_in_the_cost_is_a_hole_in_the_outline():
    shape = level_set(disc_surface(100.0, 2.0, hole=40.0), 100_000)
    (ring,) = shape.geoms[0].interiors
    # A jump is drawn half-way between points in and out.
    assert shapely.Polygon(ring).area == pytest.approx(np.pi * 40**2, rel=0.06)


def test_points_at_the_limit_itself_are_in():
    cost = np.full((5, 5), np.inf, np.float32)
    cost[1:4, 1:4] = 1000
    inside = level_set(Surface(0.0, 50.0, 10.0, cost, 1000.0), 1000)
    assert inside.contains(shapely.box(15.5, 15.5, 34.5, 34.5))
    assert level_set(Surface(0.0, 50.0, 10.0, cost, 1000.0), 999).is_empty


def test_a_surface_that_reaches_nowhere_has_an_empty_outline():
    empty = level_set(Surface(0.0, 50.0, 10.0, np.full((5, 5), np.inf, np.float32), 1000.0), 1000)
    assert isinstance(empty, MultiPolygon)
    assert empty.is_empty


@pytest.mark.parametrize("seed", range(12))
def test_outlines_are_valid_where_many_points_lie_exactly_at_the_limit(seed):
    # Costs of 0, 500, 1000 (the limit), 1500 and infinity at random: outlines touch, fold to lines and shrink to points.
    rng = np.random.default_rng(seed)
    cost = rng.choice(np.array([0, 500, 1000, 1500, np.inf], np.float32), (30, 30), p=[0.1, 0.1, 0.2, 0.2, 0.4])
    cost[[0, -1]], cost[:, [0, -1]] = np.inf, np.inf
    shape = level_set(Surface(0.0, 300.0, 10.0, cost, 1000.0), 1000)
    assert isinstance(shape, MultiPolygon)
    assert shape.is_valid
    row, column = np.nonzero(np.isfinite(cost))
    inside = shapely.contains_xy(shape, column * 10.0 + 5, 295 - row * 10.0)
    assert inside[cost[row, column] < 1000].all()
    assert not inside[cost[row, column] > 1000].any()


def test_two_parts_stay_two():
    cost = np.full((20, 30), np.inf, np.float32)
    cost[3:9, 3:9], cost[12:18, 20:27] = 5, 7
    shape = level_set(Surface(0.0, 200.0, 10.0, cost, 1000.0), 6)
    assert len(shape.geoms) == 1
    shape = level_set(Surface(0.0, 200.0, 10.0, cost, 1000.0), 7)
    assert sorted(part.centroid.coords[0] for part in shape.geoms) == [pytest.approx((60, 140)), pytest.approx((235, 50))]


# --- one street --------------------------------------------------------------------------------------------------------


def test_on_one_street_the_isochrone_is_a_diamond_cut_at_the_snap_limit():
    # |x| + |y| ≤ 300, |y| ≤ 100: 300 along, 100 across, area 4 × 300 × 100 − 2 × 100² = 100,000 m².
    shape = only(draw_isochrones(street(snap_m=100), points([(0, 0)]), metres=[300]))
    assert shape.bounds == pytest.approx((-300, -100, 300, 100), abs=5)
    assert shape.area == pytest.approx(100_000, rel=0.01)
    assert shape.contains(Point(199, 97))
    assert not shape.contains(Point(206, 97))
    assert not shape.contains(Point(0, 103))


def test_a_limit_below_the_snap_limit_gives_the_whole_diamond():
    table = draw_isochrones(street(), points([(0, 0)]), metres=[120])
    # 2 × 120².
    assert table["area_m2"].tolist() == pytest.approx([28_800], rel=0.01)
    assert table["area_m2"].tolist() == table.geometry.area.tolist()


def test_the_facilitys_own_leg_counts():
    # 40 m off the street: 260 m are left, 4 × 260 × 100 − 2 × 100² = 84,000 m².
    shape = only(draw_isochrones(street(snap_m=100), points([(0, 40)]), metres=[300]))
    assert shape.bounds == pytest.approx((-260, -100, 260, 100), abs=5)
    assert shape.area == pytest.approx(84_000, rel=0.01)


def test_beyond_a_streets_end_the_isochrone_is_round():
    # The end lies 200 m off; beyond it 60 m may be walked in any direction: half a disc.
    shape = only(draw_isochrones(street(200, snap_m=100), points([(0, 0)]), metres=[260]))
    beyond = shape.intersection(shapely.box(200, -200, 400, 200))
    assert beyond.area == pytest.approx(np.pi * 60**2 / 2, rel=0.03)
    assert beyond.bounds == pytest.approx((200, -60, 260, 60), abs=5)


def test_minutes_count_the_modes_speeds_on_street_and_leg():
    # 2 m/s on the street and 1 m/s off it: 150 s reach 300 m along and 100 m (the snap limit) across.
    mode = Mode(name="m", speed_kmh=7.2, leg_speed_kmh=3.6, zh="", en="", source="")
    shape = only(draw_isochrones(street(mode=mode, snap_m=100), points([(0, 0)]), minutes=[2.5]))
    assert shape.bounds == pytest.approx((-300, -100, 300, 100), abs=6)
    # At |y| = 100 there are 50 s left: 100 m of street. Trapezia: 2 × 100 × (300 + 100) = 80,000 m².
    assert shape.area == pytest.approx(80_000, rel=0.01)


def test_metres_count_the_leg_as_long_as_it_is():
    mode = Mode(name="m", speed_kmh=7.2, leg_speed_kmh=1.8, zh="", en="", source="")
    shape = only(draw_isochrones(street(mode=mode, snap_m=100), points([(0, 0)]), metres=[300]))
    assert shape.area == pytest.approx(100_000, rel=0.01)


def test_a_finer_lattice_is_nearer_the_truth():
    areas = [
        draw_isochrones(street(snap_m=100), points([(3.3, 0)]), metres=[300], step_m=step)["area_m2"][0] for step in (20.0, 2.0)
    ]
    far = [abs(area - 100_000) for area in areas]
    assert far[1] < far[0]
    assert far[1] < 500


# --- one-way streets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("direction", "west", "east"), [("to_facility", -300, 0), ("from_facility", 0, 300)])
def test_on_a_one_way_street_people_come_from_one_side_only(direction, west, east):
    shape = only(draw_isochrones(street(snap_m=100, oneway=[0]), points([(0, 0)]), metres=[300], direction=direction))
    assert shape.bounds == pytest.approx((west, -100, east, 100), abs=5)
    assert shape.area == pytest.approx(50_000, rel=0.02)
    reached = reached_streets(street(snap_m=100, oneway=[0]), points([(0, 0)]), metres=[300], direction=direction)
    assert only(reached).bounds == pytest.approx((west, 0, east, 0), abs=0.002)


def test_places_beyond_the_start_of_a_one_way_street_walk_in_at_its_start():
    # The street runs from x = -200 to 0; west of its start the leg ends at the start itself: half a disc of 50 m.
    network = network_of({"a": (-200, 0), "b": (0, 0)}, ["ab"], oneway=[0], snap_m=100)
    shape = only(draw_isochrones(network, points([(-50, 0)]), metres=[200]))
    beyond = shape.intersection(shapely.box(-400, -200, -200, 200))
    assert beyond.area == pytest.approx(np.pi * 50**2 / 2, rel=0.04)


def test_outside_the_bend_of_a_one_way_street_no_wedge_is_missing():
    network = network_of({"a": (-500, 0), "m": (0, 0), "b": (0, 500)}, ["amb"], oneway=[0], snap_m=100)
    shape = only(draw_isochrones(network, points([(0, 100)]), metres=[250]))
    # South-east of the bend everybody joins the bend itself, 100 m from the facility.
    assert shape.contains(Point(60, -60))
    assert shape.contains(shapely.LineString([(-100, -40), (40, -40), (40, 50)]))


# --- holes, limits, several facilities ---------------------------------------------------------------------------------

RING = {"a": (0, 0), "b": (400, 0), "c": (400, 400), "d": (0, 400)}


def test_what_lies_inside_a_ring_of_streets_beyond_the_snap_limit_is_a_hole():
    network = network_of(RING, ["abcda"], snap_m=30)
    shape = only(draw_isochrones(network, points([(200, 0)]), metres=[2000]))
    (part,) = shape.geoms
    (hole,) = part.interiors
    assert shapely.Polygon(hole).bounds == pytest.approx((30, 30, 370, 370), abs=6)
    # Outer: 400² + 4 × 400 × 30 + π 30²; inner: 340².
    assert shape.area == pytest.approx(400**2 + 48_000 + np.pi * 900 - 340**2, rel=0.1)
    assert not shape.contains(Point(200, 200))


def test_limits_are_cumulative_and_told_in_order():
    facilities = points([(0, 0), (300, 0)], ids=["甲", "乙"])
    table = draw_isochrones(street(800), facilities, minutes=[10, 5, 15, 5])
    assert table["minutes"].tolist() == [5, 10, 15] * 2
    assert table["facility_id"].tolist() == ["甲"] * 3 + ["乙"] * 3
    assert table.crs == CRS
    for first in (0, 3):
        five, ten, fifteen = table.geometry.iloc[first : first + 3]
        assert fifteen.buffer(1e-6).contains(ten)
        assert ten.buffer(1e-6).contains(five)
        assert five.area < ten.area < fifteen.area


def test_one_limit_among_several_is_drawn_as_by_itself():
    network, facility = street(800), points([(0, 0)])
    among = draw_isochrones(network, facility, metres=[200, 900], step_m=5.0).geometry.iloc[0]
    alone = draw_isochrones(network, facility, metres=[200], step_m=5.0).geometry.iloc[0]
    assert among.symmetric_difference(alone).area < 1e-6


def test_merged_isochrones_are_the_union_to_a_lattice_step():
    network = network_of(RING, ["abcda", "ac"], snap_m=60)
    facilities = points([(10, 5), (390, 200), (100, 100), (0, 9000)])
    single = draw_isochrones(network, facilities, metres=[150, 250])
    merged = merged_isochrones(network, facilities, metres=[250, 150])
    assert merged["metres"].tolist() == [150, 250]
    assert merged["area_m2"].tolist() == merged.geometry.area.tolist()
    for limit, shape in zip(merged["metres"], merged.geometry, strict=True):
        union = shapely.union_all(single.geometry[single["metres"] == limit])
        assert union.symmetric_difference(shape).area < 5.0 * shape.length / 2
        # What differs lies within a step of the outline.
        assert union.difference(shape.buffer(5.0)).area < 1.0
        assert shape.difference(union.buffer(5.0)).area < 1.0


def test_a_facility_far_from_any_street_has_an_empty_polygon_and_the_others_keep_theirs():
    facilities = points([(0, 5000), (0, 0)], ids=["far", "near"])
    table = draw_isochrones(street(), facilities, metres=[100])
    assert table["area_m2"].tolist() == [0.0, pytest.approx(20_000, rel=0.01)]
    assert [shape.geom_type for shape in table.geometry] == ["MultiPolygon"] * 2
    assert [part.reachable_m for part in certify(street(), facilities, table)] == [0.0, pytest.approx(200, abs=30)]


def test_a_facility_whose_leg_is_longer_than_the_limit_reaches_nothing():
    network, facility = street(), points([(0, 100)])
    assert draw_isochrones(network, facility, metres=[50, 99])["area_m2"].tolist() == [0, 0]
    assert merged_isochrones(network, facility, metres=[50])["area_m2"].tolist() == [0]
    assert reached_streets(network, facility, metres=[50])["length_m"].tolist() == [0]
    assert reached_streets(network, facility, metres=[50]).geometry[0].geom_type == "MultiLineString"
    (told,) = certify(network, facility, draw_isochrones(network, facility, metres=[50]))
    assert (told.inside_m, told.reachable_m, told.inside_beyond, told.outside_reachable) == (0, 0, 0, 0)


def test_without_facilities_there_are_no_isochrones_and_merged_ones_are_empty():
    network, nobody = street(), points([])
    assert len(draw_isochrones(network, nobody, minutes=[5])) == 0
    assert merged_isochrones(network, nobody, minutes=[5, 10])["area_m2"].tolist() == [0, 0]
    assert reached_streets(network, nobody, minutes=[5])["length_m"].tolist() == [0]
    assert surface(network, nobody, minutes=5) is None
    assert certify(network, nobody, draw_isochrones(network, nobody, minutes=[5])) == []
    (told,) = certify(network, nobody, merged_isochrones(network, nobody, minutes=[5]))
    assert told == Certificate(limit=5.0, inside_m=0.0, inside_beyond_m=0.0, reachable_m=0.0, outside_reachable_m=0.0)


def test_several_entrances_reach_from_each():
    network = street(1000, snap_m=50)
    place = points([(0, 0)])
    place.geometry = [MultiPoint([(EAST - 500, NORTH), (EAST + 500, NORTH + 20)])]
    shape = only(draw_isochrones(network, place, metres=[100]))
    assert [part.bounds for part in sorted(shape.geoms, key=lambda part: part.bounds)] == [
        pytest.approx((-600, -50, -400, 50), abs=5),
        pytest.approx((420, -50, 580, 50), abs=5),
    ]
    assert reached_streets(network, place, metres=[100])["length_m"][0] == pytest.approx(200 + 160, abs=0.01)


@pytest.mark.parametrize("draw", [draw_isochrones, merged_isochrones, reached_streets])
@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"minutes": [5], "metres": [300]}, "either as minutes or as metres"),
        ({}, "either as minutes or as metres"),
        ({"minutes": []}, "at least one limit"),
        ({"metres": []}, "at least one limit"),
        ({"minutes": [5, 0]}, "above 0"),
        ({"metres": [-5]}, "above 0"),
    ],
    ids=str,
)
def test_limits_that_make_no_sense_are_refused(draw, limits, text):
    with pytest.raises(ValueError, match=text):
        draw(street(), points([(0, 0)]), **limits)


def test_a_surface_needs_one_limit():
    with pytest.raises(ValueError, match="exactly one limit"):
        surface(street(), points([(0, 0)]), minutes=5, metres=300)


def test_inputs_are_left_alone():
    facilities = points([(0, 0)], ids=["x"], name="甲")
    before = facilities.copy()
    table = draw_isochrones(street(), facilities, minutes=[5])
    certify(street(), facilities, table)
    pd.testing.assert_frame_equal(facilities, before)


def test_the_same_streets_give_the_same_outlines():
    one, two = (draw_isochrones(network_of(RING, ["abcda", "ac"]), points([(9, 9)]), minutes=[4]) for _ in range(2))
    assert shapely.to_wkb(one.geometry[0]) == shapely.to_wkb(two.geometry[0])


# --- the surface -------------------------------------------------------------------------------------------------------


def test_the_surface_tells_the_cost_to_the_nearest_facility():
    found = surface(street(500, snap_m=60), points([(-300, 0), (300, 20)]), metres=800, step_m=10.0)
    assert found is not None
    x = found.x0 + (np.arange(found.cost.shape[1]) + 0.5) * 10 - EAST
    y = found.y1 - (np.arange(found.cost.shape[0]) + 0.5) * 10 - NORTH
    row, columns = int(np.argmin(np.abs(y - 25))), [int(np.argmin(np.abs(x - at))) for at in (-295, 5, 305)]
    expected = [abs(y[row]) + min(abs(x[c] + 300), abs(x[c] - 300) + 20) for c in columns]
    assert found.cost[row, columns] / 1000 == pytest.approx(expected, abs=0.01)
    assert np.isinf(found.cost[0]).all()
    assert (found.step_m, found.per_metre) == (10.0, 1000.0)


def test_the_surface_grows_coarser_to_keep_within_its_points(monkeypatch):
    from careshed.isochrones import outline

    monkeypatch.setattr(outline, "MOST_POINTS", 10_000)
    found = surface(street(), points([(0, 0)]), metres=100)
    # 1,300 × 300 m on 10,000 points: √39 = 6.2 m, rounded up.
    assert found is not None
    assert found.step_m == 7.0


@pytest.mark.parametrize(("limit_m", "step"), [(50, 5), (1000, 5), (1001, 6), (1200, 6), (2400, 12), (20_000, 100)])
def test_the_lattice_step_grows_with_the_limit(limit_m, step):
    assert step_for(limit_m) == step


# --- the lattice -------------------------------------------------------------------------------------------------------


def town_with_fragment() -> Network:
    """A street of 3 km, a fragment of 300 m 60 m north of it, and a bent side street."""
    nodes = {"a": (0, 0), "b": (1500, 0), "c": (3000, 40), "e": (1100, 60), "f": (1400, 75), "s": (900, -500), "t": (1300, -420)}
    return network_of(nodes, ["abc", "ef", "bst"], snap_m=70)


def test_lattice_points_join_the_streets_as_places_do_fragments_included():
    network = town_with_fragment()
    net = lattice_of(network, 4.0)
    rng = np.random.default_rng(3)
    # Random lattice points, more of them around the fragment.
    row, column = rng.integers(0, net.rows, 3000), rng.integers(0, net.columns, 3000)
    column[1500:] = rng.integers(int((EAST + 1000 - net.x0) / 4), int((EAST + 1500 - net.x0) / 4), 1500)
    row[1500:] = rng.integers(0, int((net.y1 - NORTH) / 4), 1500)
    tiles = [net.tile(int(r) // lattice.TILE, int(c) // lattice.TILE) for r, c in zip(row, column, strict=True)]
    at = list(zip(tiles, row % lattice.TILE, column % lattice.TILE, strict=True))
    piece = np.array([-1 if tile is None else tile.piece[r, c] for tile, r, c in at])
    leg = np.array([np.inf if tile is None else tile.leg[r, c] for tile, r, c in at])
    share = np.array([0.0 if tile is None else tile.share[r, c] for tile, r, c in at])
    places = points(np.column_stack([net.x0 + (column + 0.5) * 4 - EAST, net.y1 - (row + 0.5) * 4 - NORTH]))
    joined = attach(network, places)
    assert np.flatnonzero(piece >= 0).tolist() == joined.place.tolist()
    np.testing.assert_allclose(leg[joined.place], joined.leg_m, atol=1e-4)
    near = piece[joined.place] == joined.piece
    assert near.mean() > 0.999
    np.testing.assert_allclose(share[joined.place][near], joined.share[near], atol=1e-6)
    slip = network.fragment[network.component[network.edge_u]][joined.edge]
    assert 20 < slip.sum() < near.sum() / 2
    # A point nearer to the fragment than to the street still joins the street.
    (street_only,) = attach(network, points([(1200, 50)])).leg_m
    assert street_only == pytest.approx(50, abs=0.1)


def test_dropping_tiles_changes_nothing(monkeypatch):
    nodes = {**RING, "z": (2500, 0)}
    facilities = points([(10, 5), (390, 200), (2000, 3)])
    whole = draw_isochrones(network_of(nodes, ["abcda", "bz"]), facilities, metres=[600], step_m=3.0)
    one_tile = lattice.TILE**2 * lattice.POINT_BYTES
    monkeypatch.setattr(lattice, "CACHE_BYTES", one_tile)
    network = network_of(nodes, ["abcda", "bz"])
    again = draw_isochrones(network, facilities, metres=[600], step_m=3.0)
    assert [shapely.to_wkb(shape) for shape in whole.geometry] == [shapely.to_wkb(shape) for shape in again.geometry]
    assert lattice_of(network, 3.0).bytes == one_tile


def test_a_tile_in_use_outlives_one_that_was_not_used_since(monkeypatch):
    network = street(2000)
    net = lattice_of(network, 5.0)
    monkeypatch.setattr(lattice, "CACHE_BYTES", 2 * lattice.TILE**2 * lattice.POINT_BYTES)
    first, second = net.tile(0, 0), net.tile(0, 1)
    assert net.tile(0, 0) is first
    net.tile(0, 2)
    assert net.tile(0, 0) is first
    assert net.tile(0, 1) is not second


def test_tiles_far_from_streets_take_no_memory():
    net = lattice_of(network_of({"a": (0, 0), "b": (0, 100), "c": (9000, 9000), "d": (9000, 9100)}, ["ab", "cd"]), 5.0)
    assert net.tile(3, 3) is None
    assert net.tile(99, 99) is None
    assert net.bytes == 0


def test_an_isochrone_passes_over_tiles_without_streets():
    # An L of 2 km arms: the tile in its crook, 1,280 m a side, has no street within the snap limit.
    network = network_of({"a": (0, 3000), "o": (0, 0), "b": (3000, 0)}, ["aob"], snap_m=50)
    shape = only(draw_isochrones(network, points([(0, 0)]), metres=[2000], step_m=5.0))
    # Two strips of 2,000 × 100 m with slanted tips of 50 m, overlapping and rounded at the corner.
    assert shape.area == pytest.approx(2 * (1950 * 100 + 2500) - 2500 + np.pi * 2500 / 4, rel=0.01)
    assert not shape.contains(Point(1000, 1000))


def test_a_lattice_is_kept_with_its_network_by_step():
    network = street()
    assert lattice_of(network, 5.0) is lattice_of(network, 5.0)
    assert lattice_of(network, 6.0) is not lattice_of(network, 5.0)
    assert lattice_of(street(), 5.0) is not lattice_of(network, 5.0)


# --- streets reached ---------------------------------------------------------------------------------------------------


def lengths(network: Network, facilities, *metres: float, **options) -> list[float]:
    table = reached_streets(network, facilities, metres=metres, **options)
    assert table["metres"].tolist() == sorted(metres)
    assert [shape.geom_type for shape in table.geometry] == ["MultiLineString"] * len(metres)
    assert table["length_m"].tolist() == table.geometry.length.tolist()
    return table["length_m"].tolist()


def test_reached_street_runs_both_ways_from_the_facility():
    assert lengths(street(), points([(0, 0)]), 100, 400, 5000) == pytest.approx([200, 800, 1000], abs=0.002)
    assert lengths(street(), points([(0, 30)]), 100) == pytest.approx([140], abs=0.002)
    # 50 m from the eastern end.
    assert lengths(street(), points([(450, 0)]), 100) == pytest.approx([150], abs=0.002)


def test_reached_street_in_minutes():
    table = reached_streets(street(mode=WALK_ADULT), points([(0, 0)]), minutes=[3])
    # 3 minutes at 4.8 km/h are 240 m either way.
    assert table["minutes"].tolist() == [3]
    assert table["length_m"][0] == pytest.approx(480, abs=0.005)


def test_reached_street_on_a_loop_is_counted_once():
    network = network_of({"a": (0, 0), "b": (100, 0), "c": (100, 100), "d": (0, 100)}, ["abcda"])
    facility = points([(50, 0)])
    assert lengths(network, facility, 30, 150, 200, 250) == pytest.approx([60, 300, 400, 400], abs=0.01)


def test_reached_street_of_two_facilities_on_one_piece_is_joined():
    network, two = street(), points([(-50, 0), (50, 0)])
    assert lengths(network, two, 30, 50, 80) == pytest.approx([120, 200, 260], abs=0.004)
    parts = reached_streets(network, two, metres=[30, 80]).geometry
    assert [len(shape.geoms) for shape in parts] == [2, 1]
    assert lengths(network, points([(50, 0), (50, 0), (50, 0)]), 80) == pytest.approx([160], abs=0.004)


def test_a_long_stretch_that_holds_two_short_ones_is_counted_once():
    # -200 to 200 m from the facility on the street; -120 to -80 and 80 to 120 m from those 180 m off it.
    facilities = points([(0, 0), (-100, 180), (100, 180)])
    assert lengths(street(snap_m=300), facilities, 200) == pytest.approx([400], abs=0.004)


def test_reached_street_branches_at_a_crossing():
    nodes = {"w": (-300, 0), "o": (0, 0), "e": (300, 0), "s": (0, -300), "n": (0, 60)}
    network = network_of(nodes, ["woe", "son"])
    # From 40 m west of the crossing 100 m reach 100 m west and 60 m into each of the other arms.
    assert lengths(network, points([(-40, 0)]), 100) == pytest.approx([100 + 40 + 3 * 60], abs=0.004)


def test_reached_street_respects_one_ways():
    # To the facility at the origin people come along ao; beyond it runs ob; c hangs off a.
    network = network_of({"a": (-100, 0), "o": (0, 0), "b": (400, 0), "c": (-100, 200)}, ["ao", "ob", "ac"], oneway=[0, 1])
    facility = points([(-20, 0)])
    assert lengths(network, facility, 150) == pytest.approx([80 + 70], abs=0.004)
    assert lengths(network, facility, 150, direction="from_facility") == pytest.approx([20 + 130], abs=0.004)


def test_parallel_streets_are_both_reached():
    network = network_of({"a": (0, 0), "b": (100, 0), "z": (50, 60)}, ["ab", "azb"])
    # 100 m and 2 × √(50² + 60²) = 156.205 m; a facility at a reaches 70 m of each.
    assert lengths(network, points([(0, 0)]), 70, 1000) == pytest.approx([140, 256.205], abs=0.01)


def test_steps_are_reached_half_as_far_in_time():
    network = network_of({"a": (-300, 0), "o": (0, 0), "b": (300, 0)}, ["ao", "ob"], steps=[1], mode=WALK_OLDER)
    table = reached_streets(network, points([(0, 0)]), minutes=[2])
    # 120 s at 1 m/s west, at 0.5 m/s on steps east.
    assert table["length_m"][0] == pytest.approx(180, abs=0.01)


# --- certificates ------------------------------------------------------------------------------------------------------


def wrong(shape, metres: float) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"metres": [metres]}, geometry=[shapely.transform(shape, lambda xy: xy + ORIGIN)], crs=CRS)


def test_a_true_polygon_has_a_certificate_near_nothing():
    network, facility = street(449.99), points([(3, 0)])
    (told,) = certify(network, facility, draw_isochrones(network, facility, metres=[200]), every_m=1)
    assert told.limit == 200
    assert told.reachable_m == pytest.approx(400, abs=2)
    # The tips of the diamond lie between lattice rows: half a step is lost at either.
    assert told.inside_m == pytest.approx(394, abs=3)
    assert told.inside_beyond < 0.005
    assert told.outside_reachable < 0.02


def test_a_circle_that_is_too_large_is_certified_with_what_lies_beyond():
    # Inside 600 m of street, of which 200 m lie beyond the limit of 200 m either way.
    (told,) = certify(street(449.99), points([(0, 0)]), wrong(Point(0, 0).buffer(300, 64), 200), every_m=1)
    assert (told.inside_m, told.inside_beyond_m, told.reachable_m, told.outside_reachable_m) == pytest.approx(
        (600, 200, 400, 0), abs=0.1
    )
    assert (told.inside_beyond, told.outside_reachable) == pytest.approx((1 / 3, 0), abs=1e-3)


def test_a_circle_that_is_too_small_is_certified_with_what_it_leaves_out():
    (told,) = certify(street(449.99), points([(0, 0)]), wrong(Point(0, 0).buffer(100, 64), 200), every_m=1)
    assert (told.inside_m, told.inside_beyond_m, told.reachable_m, told.outside_reachable_m) == pytest.approx(
        (200, 0, 400, 200), abs=0.1
    )
    assert (told.inside_beyond, told.outside_reachable) == pytest.approx((0, 0.5), abs=1e-3)


def test_street_points_stand_fifteen_metres_apart():
    # 900 m are 60 stretches of 15 m around -442.5, … -7.5, 7.5, …: within 200 m lie 13 either side.
    (told,) = certify(street(449.99), points([(0, 0)]), wrong(Point(0, 0).buffer(300, 64), 200))
    assert (told.inside_m, told.inside_beyond_m, told.reachable_m) == pytest.approx((600, 210, 390), abs=0.1)


def test_certificates_count_one_ways_legs_and_time():
    network = street(449.99, oneway=[0], mode=WALK_ADULT)
    facility = points([(0, 40)])
    # 4.8 km/h: 3 minutes are 240 m, 40 m of them the leg; people come from the west only.
    shape = wrong(shapely.box(-300, -50, 300, 50), 0).rename(columns={"metres": "minutes"}).assign(minutes=[3.0])
    (told,) = certify(network, facility, shape, every_m=1)
    assert (told.limit, told.inside_m, told.reachable_m, told.inside_beyond_m) == pytest.approx((3, 600, 200, 400), abs=0.1)
    (back,) = certify(network, facility, shape, every_m=1, direction="from_facility")
    assert (back.reachable_m, back.outside_reachable_m) == pytest.approx((200, 0), abs=0.1)


def test_every_polygon_gets_its_own_facilitys_certificate():
    network, facilities = street(449.99), points([(-300, 0), (9000, 0), (300, 0)], ids=["w", "far", "e"])
    table = draw_isochrones(network, facilities, metres=[50, 100])
    told = certify(network, facilities, table.iloc[::-1], every_m=1)
    assert [part.limit for part in told] == [100, 50] * 3
    assert [part.reachable_m for part in told] == pytest.approx([200, 100, 0, 0, 200, 100], abs=3)
    assert max(part.inside_beyond + part.outside_reachable for part in told) < 0.05
    (merged,) = certify(network, facilities, merged_isochrones(network, facilities, metres=[100]), every_m=1)
    assert merged.reachable_m == pytest.approx(400, abs=3)


def test_street_points_on_a_fragment_join_the_next_street():
    # The fragment lies 60 m off the street, which lies within the snap limit: its points cost what cells there would.
    network = town_with_fragment()
    facility = points([(1250, 0)])
    # To the fragment's middle it is some 68 m off the street: 100 m reach only part of it.
    (told,) = certify(network, facility, wrong(shapely.box(1090, 50, 1410, 80), 100), every_m=1)
    fragment = shapely.LineString([(1100, 60), (1400, 75)])
    spots = [fragment.interpolate(k + 0.5) for k in range(300)]
    far = [spot.y - spot.x * 40 / 1500 * (spot.x > 1500) + abs(spot.x - 1250) for spot in spots]
    assert told.inside_m == pytest.approx(300.4, abs=1)
    assert told.inside_m - told.inside_beyond_m == pytest.approx(sum(cost <= 100 for cost in far), abs=2)
    assert 0 < told.inside_beyond_m < told.inside_m


@pytest.fixture(scope="module")
def porto_alegre() -> tuple[Network, gpd.GeoDataFrame]:
    folder = DATA / "porto_alegre"
    if not folder.is_dir():
        pytest.skip(f"real data are not here: {folder}")
    network = build_network(read_streets(folder / "poa_osm.pbf").table, mode=WALK_OLDER, snap_m=60)
    table = pd.read_csv(folder / "poa_hexgrid.csv", index_col="id")
    cells = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table.lon, table.lat), crs=4326).to_crs(network.crs)
    return network, cells


def test_on_real_streets_isochrones_of_300_m_are_certified(porto_alegre):
    network, cells = porto_alegre
    posts = cells[cells["healthcare"] > 0]
    assert len(posts) == 117
    table = draw_isochrones(network, posts, metres=[300])
    told = certify(network, posts, table)
    inside, reachable = (sum(getattr(part, name) for part in told) for name in ("inside_m", "reachable_m"))
    assert reachable > 100_000
    assert sum(part.inside_beyond_m for part in told) / inside < 0.002
    assert sum(part.outside_reachable_m for part in told) / reachable < 0.015
    # Four points of street every 15 m or so differ at most, whichever facility.
    assert max(part.outside_reachable_m for part in told) < 400


# --- the one travel-cost function --------------------------------------------------------------------------------------


@st.composite
def any_town(draw: st.DrawFn) -> tuple[object, list[tuple[float, float]]]:
    """A town of a few crooked streets, some of them one-way, and some facilities.

    Places are random numbers and no street runs back on itself: along such a street every place would be as near to the way
    there as to the way back.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    names = "abcdefx"[: draw(st.integers(3, 7))]
    nodes = {name: tuple(rng.uniform(0, 400, 2)) for name in names}
    ways = draw(st.lists(st.lists(st.sampled_from(names), min_size=2, max_size=4, unique=True), min_size=1, max_size=6))
    ways = [[*way, way[0]] if len(way) > 2 and draw(st.booleans()) else way for way in ways]
    oneway = draw(st.sets(st.integers(0, len(ways) - 1)))
    return streets(nodes, ways, oneway=sorted(oneway)), list(map(tuple, rng.uniform(0, 400, (draw(st.integers(1, 3)), 2))))


def corner_points(xy: np.ndarray, net) -> np.ndarray:
    """The four lattice points around each point, shape (points, 4, 2)."""
    column, row = np.floor((xy[:, 0] - net.x0) / net.step - 0.5), np.floor((net.y1 - xy[:, 1]) / net.step - 0.5)
    corner = [(row + r, column + c) for r in (0, 1) for c in (0, 1)]
    return np.stack([np.column_stack([net.x0 + (c + 0.5) * net.step, net.y1 - (r + 0.5) * net.step]) for r, c in corner], axis=1)


def check_agreement(town: object, facilities: gpd.GeoDataFrame, limit: float, direction: str, seed: int) -> int:
    """Assert that cells clear of the limit are in the polygon if and only if they are within the limit by travel cost."""
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS, snap_m=60)
    table = draw_isochrones(network, facilities, metres=[limit], direction=direction)
    merged = merged_isochrones(network, facilities, metres=[limit], direction=direction, step_m=5.0)
    xy = np.random.default_rng(seed).uniform(-70, 470, (150, 2)) + ORIGIN
    around = corner_points(xy, lattice_of(network, 5.0)).reshape(-1, 2)
    cells = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*around.T), crs=CRS)
    times = travel_times(network, facilities, cells, limit_m=4000, direction=direction)
    cost = np.full((len(facilities), len(cells)), np.inf)
    cost[np.repeat(np.arange(len(facilities)), np.diff(times.indptr)), times.indices] = times.cost
    # Costs within 0.1 m of the limit, and places as near to one street as to another, are not clear.
    leg = np.full(len(cells), np.inf)
    joined = attach(network, cells)
    leg[joined.place] = joined.leg_m
    blurred = between_streets(network, cells) | (np.abs(leg - network.snap_m) < 1e-3)
    checked = 0
    for row_cost, shape in [*zip(cost, table.geometry, strict=True), (cost.min(axis=0), merged.geometry[0])]:
        inside = (row_cost <= limit * 1000 - 100).reshape(-1, 4)
        outside = (row_cost > limit * 1000 + 100).reshape(-1, 4)
        clear = ~blurred.reshape(-1, 4).any(axis=1)
        contained = shapely.contains_xy(shape, xy)
        must, never = inside.all(axis=1) & clear, outside.all(axis=1) & clear
        assert contained[must].all()
        assert not contained[never].any()
        checked += int(must.sum())
    return checked


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_town(), st.integers(20, 500), st.sampled_from(["to_facility", "from_facility"]), st.integers(0, 99))
def test_cells_clear_of_the_outline_are_inside_if_and_only_if_they_are_within_the_limit(town, limit, direction, seed):
    ways, facilities = town
    check_agreement(ways, points(facilities), float(limit), direction, seed)


def test_the_agreement_is_checked_on_many_cells_within_the_limit():
    # The property above is worth something only if its towns have cells within the limit.
    nodes = {"a": (0, 0), "b": (400, 30), "c": (380, 390), "d": (40, 350), "e": (200, 200)}
    town = streets(nodes, ["abcd", "aec", "de"], oneway=[0, 2])
    for direction in ("to_facility", "from_facility"):
        assert check_agreement(town, points([(200, 20), (190, 210)]), 300.0, direction, 5) > 30


def check_lengths(town: object, facilities: gpd.GeoDataFrame, limit: float, direction: str) -> None:
    """Compare the streets reached with certificates of the whole plane: both measure what is within the limit."""
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS, snap_m=60)
    if network.fragment.any():
        return  # points on fragments join the next street; streets reached are those of the fragment itself
    plane = gpd.GeoDataFrame({"metres": [limit]}, geometry=[shapely.box(0, 0, 1e6, 1e7)], crs=CRS)
    (told,) = certify(network, facilities, plane, direction=direction, every_m=0.5)
    (length,) = reached_streets(network, facilities, metres=[limit], direction=direction)["length_m"]
    ends = 2 * (len(network.pieces[0]) + len(facilities))
    assert length == pytest.approx(told.reachable_m, abs=0.5 * ends)
    assert told.inside_m == pytest.approx(network.edge_m.sum(), abs=0.01 * len(network.edge_u))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_town(), st.integers(20, 500), st.sampled_from(["to_facility", "from_facility"]))
def test_streets_reached_are_as_long_as_the_points_within_the_limit_stand_for(town, limit, direction):
    ways, facilities = town
    check_lengths(ways, points(facilities), float(limit), direction)


def test_lines_of_the_whole_town_are_its_streets():
    network = network_of(RING, ["abcda", "ac"])
    (lines,) = reached_streets(network, points([(0, 0)]), metres=[9000]).geometry
    assert isinstance(lines, MultiLineString)
    assert lines.length == pytest.approx(1600 + 400 * 2**0.5, abs=0.01)
    assert local(lines).bounds == pytest.approx((0, 0, 400, 400), abs=0.01)


def test_a_wide_limit_on_a_short_street_keeps_its_shape():
    # 1 km of street, snap 150 m, limit 100 km: everything within 150 m of the street, 1000 × 300 m and two half circles.
    town = streets({"a": (0, 0), "b": (1000, 0)}, ["ab"])
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS, snap_m=150)
    area = float(draw_isochrones(network, points([(500, 0)]), metres=[100_000])["area_m2"].iloc[0])
    assert area == pytest.approx(300_000 + np.pi * 150**2, rel=0.03)
