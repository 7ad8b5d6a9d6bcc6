"""Travel costs through a file: equal in every field, the same bytes, and only for the places they were computed for."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from towns import CRS, points, streets

from careshed.modes import WALK_OLDER, Mode
from careshed.network import build_network
from careshed.reach import TravelTimes, read_travel_times, travel_times, write_travel_times
from careshed.schema import InputError

METRE_A_SECOND = Mode(
    name="test", speed_kmh=3.6, leg_speed_kmh=3.6, zh="步行", en="", source="来源“甲”", source_zh="", steps_factor=2.0
)


def town(mode: Mode = METRE_A_SECOND):
    """A street of 2 km, and an islet of 1.2 km far north of a main street of 30 km."""
    nodes = {"a": (0, 0), "b": (2000, 0), "z": (30_000, 0), "c": (0, 5000), "d": (1200, 5000)}
    return build_network(streets(nodes, ["abz", "cd"]), mode=mode, crs=CRS, snap_m=80)


FACILITIES = [(100, 0), (1500, 10), (1500, 900)]
CELLS = [(0, 0), (900, 5), (1600, 0), (300, 0), (20_000, 0), (500, 300), (600, 5000)]


def computed(facility_ids=None, cell_ids=None, **limit) -> tuple[TravelTimes, object]:
    cells = points(CELLS, ids=cell_ids)
    return travel_times(town(), points(FACILITIES, ids=facility_ids), cells, **(limit or {"limit_min": 15})), cells


def assert_equal(one: TravelTimes, two: TravelTimes) -> None:
    for field in fields(TravelTimes):
        a, b = getattr(one, field.name), getattr(two, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, field.name
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        elif isinstance(a, pd.Index):
            pd.testing.assert_index_equal(a, b)
        elif isinstance(a, pd.DataFrame):
            pd.testing.assert_frame_equal(a, b)
        else:
            assert a == b, field.name


@pytest.mark.parametrize("facility_ids", [None, ["站甲", "x", "1"], [30, 10, 20]], ids=str)
@pytest.mark.parametrize("cell_ids", [None, list("gfedcba"), [70, 60, 50, 40, 30, 20, 2**40]], ids=str)
@pytest.mark.parametrize("limit", [{"limit_min": 15}, {"limit_m": 600.5}, {"limit_m": 0.001}], ids=str)
def test_what_is_read_equals_what_was_written_in_every_field(tmp_path, facility_ids, cell_ids, limit):
    times, cells = computed(facility_ids, cell_ids, **limit)
    path = write_travel_times(tmp_path / "deep" / "times.parquet", times)
    assert path == tmp_path / "deep" / "times.parquet"
    assert_equal(times, read_travel_times(path, times.facilities, cells))


def test_the_town_shows_all_that_a_table_must_carry():
    # The round trip above is worth something only if there are pairs, faults of both kinds and unreached cells.
    times, _ = computed()
    assert times.cell_fault.tolist() == ["", "", "", "", "", "far", "islet"]
    assert times.facility_fault.tolist() == ["", "", "far"]
    assert times.nearest_cost.tolist() == [100_000, 605 * 1000 + 10_000, 110_000, 200_000, 18_510_000, -1, -1]
    assert times.nearest_facility.tolist() == [0, 1, 1, 0, 1, -1, -1]
    assert times.indptr.tolist() == [0, 3, 5, 5]


def test_a_table_without_pairs_and_one_without_facilities_come_back(tmp_path):
    for ids in (None, list("gfedcba")):
        cells = points(CELLS, ids=ids)
        for facilities in (points([]), points([(1000, 70)], ids=["f"])):
            times = travel_times(town(), facilities, cells, limit_m=10)
            assert times.pairs == 0
            path = write_travel_times(tmp_path / "none.parquet", times)
            assert_equal(times, read_travel_times(path, facilities, cells))


def test_a_table_of_the_other_direction_and_another_mode_says_so(tmp_path):
    cells = points(CELLS)
    times = travel_times(town(WALK_OLDER), points(FACILITIES), cells, limit_min=5, direction="from_facility")
    read = read_travel_times(write_travel_times(tmp_path / "t.parquet", times), times.facilities, cells)
    assert (read.direction, read.mode, read.metric, read.limit, read.snap_m) == ("from_facility", WALK_OLDER, "time", 300_000, 80)


@pytest.mark.parametrize(
    ("limit", "column", "cost"), [({"limit_min": 15}, "cost_ms", 100_000), ({"limit_m": 900}, "cost_mm", 100_000)]
)
def test_other_programs_read_a_long_table_of_origin_destination_and_cost(tmp_path, limit, column, cost):
    times, _ = computed(["站甲", "x", "y"], list("gfedcba"), **limit)
    table = pd.read_parquet(write_travel_times(tmp_path / "t.parquet", times))
    assert list(table.columns) == ["origin", "destination", column]
    first = table.iloc[0]
    assert (first["origin"], first["destination"], first[column]) == ("站甲", "g", cost)
    assert len(table) == times.pairs
    assert table[column].dtype == np.uint32


def test_the_order_of_rows_in_the_file_does_not_matter(tmp_path):
    times, cells = computed()
    path = write_travel_times(tmp_path / "t.parquet", times)
    table = pq.read_table(path)
    pq.write_table(table.take(list(reversed(range(len(table))))), path)
    assert_equal(times, read_travel_times(path, times.facilities, cells))


def test_the_same_costs_give_the_same_bytes_and_no_file_is_left_aside(tmp_path):
    times, _ = computed(cell_ids=list("gfedcba"))
    again, _ = computed(cell_ids=list("gfedcba"))
    one, two = write_travel_times(tmp_path / "one.parquet", times), write_travel_times(tmp_path / "two.parquet", again)
    assert one.read_bytes() == two.read_bytes()
    assert write_travel_times(one, times).read_bytes() == two.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.parquet", "two.parquet"]


def renumbered(cells):
    other = cells.copy()
    other.index = other.index + 1
    return other


OTHERS = {
    "fewer cells": lambda f, c: (f, c.iloc[:-1]),
    "more cells": lambda f, _: (f, points([*CELLS, (1, 1)])),
    "cells with other ids": lambda f, c: (f, renumbered(c)),
    "cells with ids as text": lambda f, c: (f, c.set_axis(c.index.astype(str))),
    "the same cells in another order": lambda f, c: (f, c.iloc[::-1]),
    "fewer facilities": lambda f, c: (f.iloc[:-1], c),
    "facilities with other ids": lambda f, c: (f.set_axis([7, 8, 9]), c),
    "the same facilities in another order": lambda f, c: (f.iloc[::-1], c),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=list(OTHERS))
def test_a_file_for_other_places_is_refused(tmp_path, other):
    times, cells = computed()
    path = write_travel_times(tmp_path / "t.parquet", times)
    with pytest.raises(InputError, match="for other facilities or cells than the study's") as caught:
        read_travel_times(path, *other(times.facilities, cells))
    (fault,) = caught.value.faults
    assert (fault.code, fault.file, fault.cure_en) == ("other_places", "t.parquet", "compute it again with careshed travel-times")


def test_a_parquet_file_from_elsewhere_is_refused(tmp_path):
    table = pa.table({"origin": ["a"], "destination": [1], "cost_ms": [5]})
    for k, given in enumerate((table, table.replace_schema_metadata({"pandas": "{}"}))):
        pq.write_table(given, tmp_path / f"{k}.parquet")
        with pytest.raises(InputError, match="the file was not written by careshed") as caught:
            read_travel_times(tmp_path / f"{k}.parquet", points(FACILITIES), points(CELLS))
        assert caught.value.faults[0].code == "not_ours"


def test_a_missing_and_a_damaged_file_are_refused_with_the_cure(tmp_path):
    times, cells = computed()
    path = write_travel_times(tmp_path / "t.parquet", times)
    whole = path.read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.parquet").write_bytes(b"")
    for name in ("missing.parquet", "cut.parquet", "empty.parquet"):
        with pytest.raises(InputError, match="cannot be read") as caught:
            read_travel_times(tmp_path / name, times.facilities, cells)
        assert [(fault.code, fault.file) for fault in caught.value.faults] == [("unreadable", name)]
        assert "请用 careshed travel-times 重新计算" in caught.value.text("zh")
