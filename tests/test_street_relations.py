"""Lakes with islands and other barriers mapped as relations: barriers for legs, water on maps, gaps in the file told."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely
from osmium.osm.mutable import Node, Relation, Way
from pyproj import Transformer
from test_barriers import METRE_A_SECOND, degrees, seconds
from towns import CRS, points

import careshed.intake.streets.reading as reading
from careshed.intake.streets import Streets, read_streets
from careshed.intake.streets.barriers import without_osm
from careshed.network import build_network
from careshed.schema import Checked

DATA = Path(os.environ.get("CARESHED_DATA", Path(__file__).parents[2] / "shared" / "data"))

# A lake of 200 m with an island of 40 m in its middle. North of it a street (y = 230) with the facility at (100, 230); a street
# west of it (x = −40); a bridge to a path on the island (x = 100); two boardwalks over the water (x = 10 and x = 125).
PLACES = {
    1: (0, 0), 2: (200, 0), 3: (200, 200), 4: (0, 200),
    5: (80, 80), 6: (120, 80), 7: (120, 120), 8: (80, 120),
    10: (-40, 230), 11: (10, 230), 12: (100, 230), 13: (125, 230), 14: (-40, 0), 15: (100, 115), 16: (100, 85), 17: (10, 50),
    18: (125, 90),
    20: (300, 0), 21: (340, 0), 22: (340, 40), 23: (300, 40),
}  # fmt: skip
STREET, PATH = {"highway": "residential"}, {"highway": "footway"}
WAYS = {
    1: ([10, 11, 12, 13], STREET), 2: ([10, 14], STREET), 3: ([12, 15], PATH | {"bridge": "yes"}), 4: ([15, 16], PATH),
    5: ([11, 17], PATH), 6: ([13, 18], PATH),
    31: ([1, 2, 3], {}), 32: ([1, 4, 3], {}), 33: ([5, 6, 7, 8, 5], {"place": "islet"}), 34: ([20, 21, 22, 23, 20], {}),
}  # fmt: skip
LAKE = {"type": "multipolygon", "natural": "water", "name": "东湖"}
SHORE = [("w", 31, "outer"), ("w", 32, "outer"), ("w", 33, "inner")]


def write(path: Path, *relations: tuple[list, dict], ways: dict | None = None, missing: tuple[int, ...] = ()) -> Path:
    """Write the town with relations of members and tags; some ways may be missing."""
    lon, lat = degrees(list(PLACES.values()))
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for node, x, y in zip(PLACES, lon, lat, strict=True):
            writer.add(Node(id=node, location=(x, y)))
        for way, (nodes, tags) in (WAYS | (ways or {})).items():
            if way not in missing:
                writer.add(Way(id=way, nodes=nodes, tags=tags))
        for number, (members, tags) in enumerate(relations, 900):
            writer.add(Relation(id=number, members=members, tags=tags))
    return path


def read(path: Path) -> Checked[Streets]:
    return read_streets(path)


def shapes(town: Streets) -> list[shapely.Polygon]:
    """Water in the town's metres, whole numbers."""
    moved = shapely.transform(np.asarray(town.water_areas(CRS).array), lambda xy: np.rint(xy - [500_000, 3_900_000]))
    return [shapely.normalize(one) for one in moved]


def polygon(*rings: list[int]) -> shapely.Polygon:
    first, *holes = [[PLACES[node] for node in ring] for ring in rings]
    return shapely.normalize(shapely.Polygon(first, holes))


def walk(town: Streets) -> list[float]:
    """Seconds to the facility of somebody on the island, 18 m off its path, and of somebody 35 m off the street in the west."""
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS)
    return seconds(network, points([(100, 230)]), points([(118, 100), (-5, 100)]))


@pytest.mark.parametrize("suffix", ["osm", "osm.pbf"])
def test_legs_cross_neither_shore_of_a_lake_with_an_island(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(reading, "BULK_BYTES", 0)
    town = read(write(tmp_path / f"lake.{suffix}", (SHORE, LAKE))).table
    assert town.barriers.count() == {"water": 2, "railway": 0, "motorway": 0, "wall": 0}
    # Island: 18 to the path, 15 to the bridge, 115 over it. West: 35 to the street, 130 north, 140 east.
    assert walk(town) == [pytest.approx(148, abs=0.2), pytest.approx(305, abs=0.2)]
    # To the nearest edge, over the water: 7 to the boardwalk and 130 + 25; 15 to the other and 130 + 90.
    assert walk(without_osm(town)) == [pytest.approx(162, abs=0.2), pytest.approx(235, abs=0.2)]


def test_the_lake_is_drawn_with_its_island_as_land(tmp_path):
    town = read(write(tmp_path / "lake.osm", (SHORE, LAKE))).table
    assert shapes(town) == [polygon([1, 2, 3, 4], [5, 6, 7, 8])]


@pytest.mark.parametrize(
    "tags",
    [{"waterway": "riverbank"}, {"landuse": "reservoir"}, {"landuse": "basin"}, {"natural": "water", "water": "river"}],
    ids=str,
)
def test_every_tag_of_water_areas_counts(tmp_path, tags):
    town = read(write(tmp_path / "lake.osm", (SHORE, {"type": "multipolygon", **tags}))).table
    assert town.barriers.count()["water"] == 2
    assert len(town.water) == 1


@pytest.mark.parametrize(
    "tags",
    [
        {"type": "route", "natural": "water"},
        {"type": "multipolygon", "natural": "wood"},
        {"type": "multipolygon", "natural": "water", "covered": "yes"},
        {"type": "multipolygon", "landuse": "basin", "basin": "infiltration"},
        {"type": "multipolygon", "landuse": "residential"},
    ],
    ids=str,
)
def test_what_is_no_open_water_is_no_barrier(tmp_path, tags):
    town = read(write(tmp_path / "lake.osm", (SHORE, tags))).table
    assert town.barriers is None
    assert town.water == ()


def test_a_wall_around_a_ground_mapped_as_a_relation_is_a_wall_and_no_water(tmp_path):
    town = read(write(tmp_path / "wall.osm", (SHORE, {"type": "multipolygon", "barrier": "wall"}))).table
    assert town.barriers.count() == {"water": 0, "railway": 0, "motorway": 0, "wall": 2}
    assert town.water == ()


@pytest.mark.parametrize("suffix", ["osm", "osm.pbf"])
def test_a_lake_of_which_a_shore_is_missing_is_a_barrier_as_far_as_it_goes_and_told(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(reading, "BULK_BYTES", 0)
    checked = read(write(tmp_path / f"half.{suffix}", (SHORE, LAKE), missing=(31,)))
    town = checked.table
    # The shore in the west and north is left, an open line, and the island, which lies in no area.
    assert np.diff(town.barriers.ptr).tolist() == [3, 5]
    assert town.water == ()
    assert walk(town)[1] == pytest.approx(305, abs=0.2)
    (told,) = [fault for fault in checked.faults if fault.code == "relation_incomplete"]
    assert told.found == "900"
    assert told.text("en").startswith("1 waters or walls mapped as relations are not whole in the file")
    assert "边界不完整，按文件中已有部分作为屏障" in told.text("zh")


def test_a_node_without_a_place_and_a_relation_without_outline_are_told(tmp_path):
    torn = {31: ([1, 2, 99, 3], {})}
    checked = read(write(tmp_path / "torn.osm", (SHORE, LAKE), ([("w", 33, "inner")], LAKE), ways=torn))
    (told,) = [fault for fault in checked.faults if fault.code == "relation_incomplete"]
    assert told.found == "900, 901"
    assert len(checked.table.water) == 1  # the shore closes over the missing node


def test_an_outline_that_is_tagged_itself_is_drawn_once_and_with_its_island(tmp_path):
    ways = {31: ([1, 2, 3, 4, 1], {"natural": "water"}), 34: (WAYS[34][0], {"natural": "water"})}
    town = read(write(tmp_path / "old.osm", ([SHORE[0], SHORE[2]], LAKE), ways=ways)).table
    assert shapes(town) == [polygon([20, 21, 22, 23]), polygon([1, 2, 3, 4], [5, 6, 7, 8])]


def test_an_island_lies_in_the_smallest_outline_around_it_and_two_outlines_are_two_waters(tmp_path):
    members = [*SHORE, ("w", 34, "")]  # a way without a role is an outline
    town = read(write(tmp_path / "two.osm", (members, LAKE))).table
    assert shapes(town) == [polygon([1, 2, 3, 4], [5, 6, 7, 8]), polygon([20, 21, 22, 23])]
    assert [at for at, _ in town.islands] == [0]


def test_a_reservoir_mapped_as_one_way_is_water_too(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BULK_BYTES", 0)
    for suffix in ("osm", "osm.pbf"):
        ways = {34: (WAYS[34][0], {"landuse": "reservoir"}), 33: (WAYS[33][0], {"landuse": "grass"})}
        town = read(write(tmp_path / f"one.{suffix}", ways=ways)).table
        assert shapes(town) == [polygon([20, 21, 22, 23])]
        assert town.barriers.count()["water"] == 1


def test_the_bulk_reader_and_osmium_find_the_same_relations(tmp_path, monkeypatch):
    path = write(tmp_path / "same.osm.pbf", (SHORE, LAKE), ([("w", 34, "outer"), ("w", 77, "outer")], LAKE))
    monkeypatch.setattr(reading, "BULK_BYTES", 0)
    bulk = read(path)
    monkeypatch.setattr(reading, "BULK_BYTES", 10**12)
    slow = read(path)
    assert (bulk.table.water, bulk.table.islands) == (slow.table.water, slow.table.islands)
    assert bulk.faults == slow.faults
    for one in fields(bulk.table.barriers):
        assert np.array_equal(getattr(bulk.table.barriers, one.name), getattr(slow.table.barriers, one.name)), one.name


def test_nanshans_lakes_match_the_areas_that_osmium_assembles_itself():
    path = DATA / "shenzhen_nanshan" / "nanshan.osm"
    if not path.is_file():
        pytest.skip(f"{path} is not here; see /work/shared/data/README.md")
    checked = read(path)
    turn = Transformer.from_crs("EPSG:4326", "EPSG:32649", always_xy=True)
    factory = osmium.geom.WKBFactory()
    tags = [("natural", "water"), ("waterway", "riverbank"), ("landuse", "reservoir"), ("landuse", "basin")]
    areas = osmium.FileProcessor(str(path)).with_areas().with_filter(osmium.filter.TagFilter(*tags))
    found = [shapely.from_wkb(factory.create_multipolygon(one)) for one in areas if one.is_area()]
    theirs = shapely.union_all(shapely.transform(found, lambda xy: np.column_stack(turn.transform(xy[:, 0], xy[:, 1]))))
    mine = np.asarray(checked.table.water_areas("EPSG:32649").array)
    assert len(checked.table.islands) == 4
    assert shapely.area(shapely.difference(theirs, shapely.union_all(mine))) == pytest.approx(0, abs=1)
    # osmium leaves a relation out of which a member is missing; its outline that closes is drawn here, and told.
    more = shapely.area(shapely.difference(mine, theirs))
    assert (more > 1).sum() == 1
    assert more[more > 1] == pytest.approx(shapely.area(mine)[more > 1])
    assert [fault.found for fault in checked.faults if fault.code == "relation_incomplete"] == ["1388527"]
