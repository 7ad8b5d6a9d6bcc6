"""The bulk reader of PBF files tells the same as osmium, and leaves to osmium what it does not know."""

from __future__ import annotations

import os
import zlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import osmium
import pandas as pd
import pytest
from osmium.osm.mutable import Node, Way

import careshed.intake.streets.reading as reading
from careshed.intake.streets import read_streets
from careshed.intake.streets.pbf import read_town
from careshed.network.build import _utm_zone_at
from careshed.schema import InputError

DATA = Path(os.environ.get("CARESHED_DATA", Path(__file__).parents[2] / "shared" / "data"))

NODES = [
    Node(id=n, location=(8.0 + n / 1000 - 9 * (n == 7), -0.0000001 * n), tags=tags)
    for n, tags in [
        (1, {}), (2, {"highway": "traffic_signals"}), (3, {"barrier": "gate", "locked": "yes"}), (4, {"barrier": "gate"}),
        (5, {"shop": "bakery", "name": "面包"}), (7, {}), (8, {"barrier": "bollard"}), (1000, {"kerb": "raised"}), (40, {}),
    ]
]  # fmt: skip
WAYS = [
    Way(id=11, nodes=[1, 2, 3, 4, 5], tags={"highway": "residential", "name": "人民路", "maxspeed": "fast", "access": ""}),
    Way(id=10, nodes=[5, 7, 1000, 99], tags={"highway": "steps", "incline": "up"}),  # node 99 is not in the file
    Way(id=12, nodes=[8, 98], tags={"highway": "path"}),  # one known node
    Way(id=13, nodes=[1, 8, 7], tags={"highway": "motorway"}),
    Way(id=14, nodes=[7, 8, 40, 7], tags={"natural": "water"}),
    Way(id=15, nodes=[7, 40], tags={"railway": "rail"}),
    Way(id=16, nodes=[7, 40], tags={"highway": "construction"}),
    Way(id=17, nodes=[7, 40], tags={"building": "yes"}),
    Way(id=18, nodes=[5, 1], tags={"maxspeed": "fast", "highway": "residential"}),
]


def write(path: Path, items=(*NODES, *WAYS), options: str = "pbf") -> Path:
    with osmium.SimpleWriter(osmium.io.File(str(path), options)) as writer:
        for item in items:
            writer.add(item)
    return path


def both_ways(path: Path, monkeypatch: pytest.MonkeyPatch):
    """The file as read in bulk and as read by osmium."""
    monkeypatch.setattr(reading, "BULK_BYTES", 0)
    assert read_town(path) is not None
    bulk = read_streets(path)
    monkeypatch.setattr(reading, "BULK_BYTES", 10**12)
    return bulk, read_streets(path)


def assert_same(one: object, other: object) -> None:
    for field in fields(one):  # type: ignore[arg-type]
        x, y = getattr(one, field.name), getattr(other, field.name)
        if isinstance(x, np.ndarray):
            assert x.dtype == y.dtype, field.name
            assert np.array_equal(x, y), field.name
        elif isinstance(x, pd.DataFrame):
            pd.testing.assert_frame_equal(x, y)
        elif hasattr(x, "__dataclass_fields__"):
            assert_same(x, y)
        else:
            assert x == y, field.name


@pytest.mark.interpreted
@pytest.mark.parametrize("options", ["pbf", "pbf,pbf_compression=none", "pbf,add_metadata=none", "pbf,add_metadata=all"])
def test_a_file_read_in_bulk_tells_the_same_as_osmium(tmp_path, monkeypatch, options):
    bulk, one_by_one = both_ways(write(tmp_path / "town.osm.pbf", options=options), monkeypatch)
    assert bulk.faults == one_by_one.faults
    assert_same(bulk.table, one_by_one.table)
    codes = {fault.code: fault for fault in bulk.faults}
    assert codes["tag_unread"].found == "fast ×2"  # ways 11 and 18
    assert {"single_node", "node_missing", "gates_shut", "not_a_street"} <= set(codes)


def test_nodes_out_of_order_and_west_and_south_are_found(tmp_path, monkeypatch):
    order = [NODES[at] for at in (8, 3, 0, 7, 1, 2, 6, 5, 4)]
    bulk, one_by_one = both_ways(write(tmp_path / "town.osm.pbf", (*order, *WAYS)), monkeypatch)
    assert_same(bulk.table, one_by_one.table)
    west = int(np.flatnonzero(bulk.table.node_id == 7)[0])
    assert bulk.table.lon[west] == pytest.approx(-0.993, abs=1e-9)
    assert bulk.table.lat[west] == pytest.approx(-0.0000007, abs=1e-12)


@pytest.mark.parametrize(
    ("case", "options", "items"),
    [
        ("plain nodes", "pbf,pbf_dense_nodes=false", (*NODES, *WAYS)),
        ("history", "osh.pbf", (*NODES, *WAYS)),
        ("negative ids", "pbf", (Node(id=-1, location=(1, 1)), Node(id=-2, location=(1, 2)), *WAYS)),
        ("nodes after ways", "pbf", (*WAYS, *NODES)),
        ("twice the same node", "pbf", (NODES[0], *NODES, *WAYS)),
    ],
)  # fmt: skip
def test_what_the_bulk_reader_does_not_know_is_left_to_osmium(tmp_path, case, options, items):
    assert read_town(write(tmp_path / "town.osm.pbf", items, options)) is None, case


def test_a_file_without_streets_says_so_in_both_ways(tmp_path, monkeypatch):
    path = write(tmp_path / "town.osm.pbf", (*NODES, WAYS[5]))
    for least in (0, 10**12):
        monkeypatch.setattr(reading, "BULK_BYTES", least)
        with pytest.raises(InputError, match="the file holds no street"):
            read_streets(path)


def test_a_file_cut_anywhere_or_with_a_wrong_byte_is_never_half_read(tmp_path, monkeypatch):
    town = read_town(write(tmp_path / "town.osm.pbf"))
    whole = (tmp_path / "town.osm.pbf").read_bytes()
    path = tmp_path / "cut.osm.pbf"
    assert town is not None
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        found = read_town(path)
        # a file that ends between two blocks is a shorter file, not a damaged one
        assert found is None or len(found.streets.way_id) in (0, len(town.streets.way_id)), length
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 0xFF
    path.write_bytes(bytes(broken))
    assert read_town(path) is None
    monkeypatch.setattr(reading, "BULK_BYTES", 0)
    with pytest.raises(InputError, match="cannot be read"):
        read_streets(path)


def test_a_block_whose_numbers_lead_out_of_it_is_refused():
    import careshed.intake.streets._pbf as loops

    def data(*numbers: int):
        return np.array(numbers, dtype=np.uint8)

    with pytest.raises(ValueError, match="end inside a number"):
        loops.varint(data(0x80, 0x80), 0, 2)
    with pytest.raises(ValueError, match="end inside a number"):
        loops.field(data(0x0A, 0x7F, 1), 0, 3)  # a content of 127 bytes where one is left
    with pytest.raises(ValueError, match="not laid out as expected"):
        loops.field(data(0x0B), 0, 1)  # kind 3 ended with PBF's first version
    with pytest.raises(ValueError, match="not laid out as expected"):
        loops.wanted_nodes(np.array([5, 1, 0]), 1, *[np.array([False, True])] * 3)  # text 5 of 2
    # id 1, key text 9, value text 1, of 2 texts
    way = data(0x1A, 8, 0x08, 1, 0x12, 1, 9, 0x1A, 1, 1)
    with pytest.raises(ValueError, match="not laid out as expected"):
        loops.ways_in(way, 0, len(way), 2)
    assert zlib.crc32(bytes(way))  # the bytes stay as given


@pytest.mark.interpreted
def test_nodes_are_found_by_their_ids_whether_or_not_they_come_in_order():
    import careshed.intake.streets._pbf as loops

    rng = np.random.default_rng(5)
    # clusters as in OSM: runs of neighbours far apart, so that most shelves are empty and some are full
    ids = np.unique(rng.integers(1, 2**33, 12)[:, None] + np.arange(9)).astype(np.int64)
    wanted = np.concatenate([ids[10:40], rng.permutation(ids), ids + 1, [1, 2**40, -3]])
    at = np.searchsorted(ids, wanted)
    expected = np.where((at < len(ids)) & (ids[np.minimum(at, len(ids) - 1)] == wanted), at, -1)
    assert loops.places_of(ids, *loops.shelves(ids), wanted).tolist() == expected.tolist()
    none = np.empty(0, dtype=np.int64)
    assert loops.places_of(none, *loops.shelves(none), wanted[:2]).tolist() == [-1, -1]


@pytest.mark.interpreted
def test_sets_of_tags_are_alike_where_every_tag_is():
    import careshed.intake.streets._pbf as loops

    rng = np.random.default_rng(6)
    runs = [tuple(rng.integers(0, 3, rng.integers(0, 3)).tolist()) for _ in range(60)]  # many the same, some empty
    values = np.array([value for run in runs for value in run], dtype=np.int64)
    ptr = np.concatenate([[0], np.cumsum([len(run) for run in runs])])
    assert loops.alike(values, ptr).tolist() == [runs.index(run) for run in runs]
    far = np.array([7, 2147483647 + 7])  # two values that the loop's own sums cannot tell apart
    assert loops.alike(far, np.array([0, 1, 2])).tolist() == [0, 1]


def test_only_nodes_that_do_something_to_travel_are_looked_at(tmp_path):
    told = [
        Node(id=50, location=(8.1, 0.1), tags={"natural": "tree"}),
        Node(id=51, location=(8.1, 0.1), tags={"highway": "bus_stop", "crossing": "zebra"}),
        Node(id=52, location=(8.1, 0.1), tags={"crossing": "traffic_signals"}),
    ]
    items = sorted((*NODES, *told), key=lambda node: node.id)
    town = read_town(write(tmp_path / "town.osm.pbf", (*items, *WAYS)))
    assert town is not None
    # signals 2, gates 3 and 4, bollard 8, signals 52, kerb 1000
    assert [node.node_id for node in town.nodes] == [2, 3, 4, 8, 52, 1000]


@pytest.mark.parametrize(("folder", "file"), [("heidelberg", "heidelberg.osm.pbf"), ("porto_alegre", "poa_osm.pbf")])
def test_real_towns_read_in_bulk_are_the_same(folder, file, monkeypatch):
    path = DATA / folder / file
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    bulk, one_by_one = both_ways(path, monkeypatch)
    assert bulk.faults == one_by_one.faults
    assert_same(bulk.table, one_by_one.table)


def test_the_utm_zone_by_arithmetic_is_the_one_that_proj_knows():
    from pyproj.aoi import AreaOfInterest
    from pyproj.database import query_utm_crs_info

    rng = np.random.default_rng(3)
    places = zip(rng.uniform(-180, 180, 12).tolist(), rng.uniform(-79, 79, 12).tolist(), strict=True)
    for lon, lat in (*places, (5.5, 60.4), (114.0, 30.0), (116.4, 39.9)):  # Bergen's zone is 31 by its coordinates; a zone's edge
        known = query_utm_crs_info(datum_name="WGS 84", area_of_interest=AreaOfInterest(lon, lat, lon, lat))
        assert _utm_zone_at(lon, lat) == f"EPSG:{known[0].code}"
