"""Travel times from elsewhere: read from a long table, checked, and used like our own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from towns import CRS, points, streets

from careshed.access import coverage, find_gaps, unattached_people
from careshed.modes import WALK_ADULT, WALK_OLDER
from careshed.network import build_network
from careshed.reach import import_travel_times, read_travel_times, travel_times, write_travel_times
from careshed.reach.foreign import ABSENT
from careshed.schema import InputError
from careshed.siting import rank_sites
from careshed.supply.assignment import assign_places


def town_times(limit=20.0):
    """Our own travel times on a grid of streets: 4 facilities, 40 cells."""
    rng = np.random.default_rng(1)
    nodes = {f"{i},{j}": (300.0 * i, 300.0 * j) for i in range(5) for j in range(5)}
    ways = [[f"{i},{j}" for j in range(5)] for i in range(5)] + [[f"{i},{j}" for i in range(5)] for j in range(5)]
    network = build_network(streets(nodes, ways), mode=WALK_ADULT, crs=CRS)
    cells = points(rng.uniform(0, 1200, (40, 2)), ids=range(100, 140), p60=rng.integers(1, 9, 40).astype(float), unit="u")
    facilities = points(rng.uniform(0, 1200, (4, 2)), ids=["f1", "f2", "f3", "f4"], places=[20.0, 15.0, 30.0, 5.0], name="养老站")
    return travel_times(network, facilities, cells, limit_min=limit), facilities, cells


def long_table(times, cells, per=60_000.0, header=("origin", "destination", "minutes")):
    """Write travel times as other programs do: cells are origins."""
    row = np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr))
    columns = [cells.index[times.indices], times.facilities.index[row], times.cost / per]
    return pd.DataFrame(dict(zip(header, columns, strict=True)))


def small(tmp_path, rows, name="times.csv", header="origin,destination,minutes"):
    file = tmp_path / name
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


def two():
    """Two facilities and three cells."""
    return points([(0, 0), (1, 0)], ids=["a", "b"]), points([(0, 0), (1, 0), (2, 0)], ids=[1, 2, 3], p60=[1.0, 2.0, 4.0])


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_our_own_times_come_back_the_same_through_any_table(tmp_path, suffix):
    ours, facilities, cells = town_times()
    table = long_table(ours, cells).sample(frac=1.0, random_state=3)
    file = tmp_path / f"times{suffix}"
    writers = {".csv": table.to_csv, ".xlsx": table.to_excel, ".parquet": table.to_parquet}
    writers[suffix](file, index=False)
    read = import_travel_times(file, facilities, cells, limit=20, mode=WALK_ADULT)
    for name in ("indptr", "indices", "cost", "nearest_cost", "nearest_facility"):
        assert getattr(read.table, name).tolist() == getattr(ours, name).tolist(), name
        assert getattr(read.table, name).dtype == getattr(ours, name).dtype, name
    assert (read.table.limit, read.table.metric, read.table.direction) == (1_200_000, "time", "to_facility")
    assert (read.table.cell_fault == "").all()
    assert [fault.text("en")[:24] for fault in read.faults] == ["2 further pairs are not "]  # corner to corner: over 20 minutes


def test_what_comes_after_works_on_them_unchanged(tmp_path):
    ours, facilities, cells = town_times(30.0)
    file = tmp_path / "times.csv"
    long_table(ours, cells).to_csv(file, index=False)
    theirs = import_travel_times(file, facilities, cells, limit=30).table
    units = points([(0, 0)], ids=["u"], name="城区", level="street", parent="")
    pd.testing.assert_frame_equal(*(coverage(t, cells, units, minutes=6, group="p60") for t in (ours, theirs)))
    gaps = [find_gaps(t, cells, minutes=4, group="p60") for t in (ours, theirs)]
    assert len(gaps[0]) > 1
    pd.testing.assert_frame_equal(*(pd.DataFrame(one.drop(columns="geometry")) for one in gaps))
    plans = [rank_sites(t, cells, minutes=6, group="p60", n=2) for t in (ours, theirs)]
    assert plans[0].sites.index.tolist() == plans[1].sites.index.tolist()
    assert plans[0].people_covered_after == plans[1].people_covered_after > 0
    placed = [assign_places(t, cells, group="p60", minutes=15) for t in (ours, theirs)]
    assert placed[0].objective == placed[1].objective
    pd.testing.assert_frame_equal(placed[0].links, placed[1].links)


def test_they_can_be_written_and_read_as_our_own(tmp_path):
    facilities, cells = two()
    times = import_travel_times(small(tmp_path, ["1,a,5", "2,b,7"]), facilities, cells, limit=10).table
    back = read_travel_times(write_travel_times(tmp_path / "times.parquet", times), facilities, cells)
    assert back.cell_fault.tolist() == ["", "", ABSENT]
    assert back.cost.tolist() == times.cost.tolist()


@pytest.mark.parametrize(
    ("unit", "header", "value", "cost"),
    [("minutes", "time", "2.5", 150_000), ("seconds", "time", "2.5", 2500), ("metres", "distance", "2.5", 2500)],
)
def test_a_cost_is_in_the_unit_that_is_said(tmp_path, unit, header, value, cost):
    facilities, cells = two()
    file = small(tmp_path, [f"1,a,{value}"], header=f"origin,destination,{header}")
    times = import_travel_times(file, facilities, cells, unit=unit).table
    assert times.cost.tolist() == [cost]
    assert times.metric == ("length" if unit == "metres" else "time")
    assert times.limit == cost


@pytest.mark.parametrize(
    ("header", "cost"),
    [
        ("用时（分钟）", 150_000),
        ("用时（秒）", 2500),
        ("时长", 150_000),
        ("耗时秒", 2500),
        ("duration_s", 2500),
        ("Travel time (min)", 150_000),
    ],
)
def test_the_column_of_times_is_known_by_its_usual_headers_which_say_the_unit(tmp_path, header, cost):
    facilities, cells = two()  # 2.5 minutes are 150,000 ms, 2.5 s are 2,500 ms
    assert import_travel_times(small(tmp_path, ["1,a,2.5"], header=f"起点,终点,{header}"), facilities, cells).table.cost == [cost]


def test_times_that_are_mostly_many_hours_are_refused_until_their_unit_is_stated(tmp_path):
    # 600 taken for minutes is ten hours: nobody would be covered. Whoever states minutes is told, whoever states seconds is not.
    facilities, cells = two()
    file = small(tmp_path, ["1,a,600"], header="o,d,用时")
    with pytest.raises(InputError, match=r"median is 600 and the header names no unit: they may be seconds.*unit = \"seconds\""):
        import_travel_times(file, facilities, cells)
    stated = import_travel_times(file, facilities, cells, unit="minutes")
    assert [fault.severity for fault in stated.faults if fault.code == "maybe_seconds"] == ["noted"]
    assert import_travel_times(file, facilities, cells, unit="seconds").table.cost == [600_000]
    plain = import_travel_times(small(tmp_path, ["1,a,600"], header="o,d,用时（分钟）"), facilities, cells)
    assert "maybe_seconds" not in {fault.code for fault in plain.faults}


def test_a_header_in_hours_is_refused(tmp_path):
    facilities, cells = two()
    with pytest.raises(InputError, match=r"names a unit that is not read\. Convert the column to minutes"):
        import_travel_times(small(tmp_path, ["1,a,2.5"], header="o,d,时长（小时）"), facilities, cells)


@pytest.mark.parametrize(
    ("header", "unit", "says"),
    [
        ("seconds", "minutes", "seconds"),
        ("用时（秒）", "minutes", "seconds"),
        ("分钟", "seconds", "minutes"),
        ("Distance", "minutes", "metres"),
        ("duration", "metres", "minutes / seconds"),
    ],
)
def test_a_header_that_names_another_unit_is_refused(tmp_path, header, unit, says):
    # 750 s are 12.5 minutes; taken for minutes they would be out of everybody's reach, without a word.
    facilities, cells = two()
    file = small(tmp_path, ["1,a,750"], header=f"origin,destination,{header}")
    with pytest.raises(InputError) as error:
        import_travel_times(file, facilities, cells, unit=unit, columns={"cost": header})
    (fault,) = error.value.faults
    assert (fault.code, fault.column) == ("other_unit", header)
    assert fault.en == f"the header {header!r} says {says}, and unit is {unit!r}"
    chinese = {"minutes": "分钟", "seconds": "秒", "metres": "米", "minutes / seconds": "分钟、秒"}
    assert fault.zh == f"列名“{header}”表示{chinese[says]}，而按{chinese[unit]}读取"
    if says == "metres":  # a study file takes minutes and seconds alone, so that it must not be told to write metres
        assert fault.cure_en.startswith("Distance is no time")


def test_beyond_the_limit_is_dropped_and_told_but_the_nearest_stays_known(tmp_path):
    facilities, cells = two()
    file = small(tmp_path, ["1,a,10", "2,a,10.001", "2,b,30", "3,b,9"])
    read = import_travel_times(file, facilities, cells, limit=10)
    assert read.table.cost.tolist() == [600_000, 540_000]
    assert read.table.nearest_cost.tolist() == [600_000, 600_060, 540_000]
    assert read.table.nearest_facility.tolist() == [0, 0, 1]
    assert read.table.reached(minutes=10).tolist() == [True, False, True]
    told = {fault.code: fault.text("en") for fault in read.faults}
    assert told["beyond_limit"] == "2 pairs cost over 10 minutes and are left out"
    assert told["pairs_missing"].startswith("4 further pairs are not in the table")


def test_of_two_equally_near_facilities_the_first_row_counts(tmp_path):
    facilities, cells = two()
    times = import_travel_times(small(tmp_path, ["1,b,5", "1,a,5"]), facilities, cells).table
    assert times.nearest_facility[0] == 0


def test_a_cell_in_no_row_cannot_be_judged_and_one_without_a_way_is_out_of_reach(tmp_path):
    facilities, cells = two()
    read = import_travel_times(small(tmp_path, ["1,a,5", "2,a,"]), facilities, cells)
    assert read.table.cell_fault.tolist() == ["", "", ABSENT]
    assert read.table.nearest_cost.tolist() == [300_000, -1, -1]
    table = coverage(read.table, cells.assign(unit=""), points([], ids=[], name="", level="", parent=""), minutes=5, group="p60")
    # Of 7 people one is covered; the four in no row stay in the denominator and cannot be judged.
    assert table.loc["ALL", ["people", "covered", "unjudged"]].tolist() == [7.0, 1.0, 4.0]
    told = {fault.code: fault for fault in read.faults}
    assert told["no_way"].text("en") == "1 pairs have no cost and count as out of reach"
    assert told["cells_not_in_table"].text("en") == "1 cells are in no pair of the table and cannot be judged (found '3')"
    assert told["facilities_not_in_table"].text("zh") == "1 个设施在表中没有任何一对，视为无人可达（现为“b”）"
    assert unattached_people(read.table, cells, "p60") == []


def test_facilities_as_origins_are_travel_from_them(tmp_path):
    facilities, cells = two()
    file = small(tmp_path, ["a,1,5", "b,3,6"])
    times = import_travel_times(file, facilities, cells, direction="from_facility").table
    assert times.direction == "from_facility"
    assert times.indices.tolist() == [0, 2]
    with pytest.raises(InputError, match="the facilities are the origins of the table, other than direction says"):
        import_travel_times(file, facilities, cells)
    with pytest.raises(InputError, match="the facilities are the destinations"):
        import_travel_times(small(tmp_path, ["1,a,5"]), facilities, cells, direction="from_facility")


def test_ids_that_are_numbers_on_both_sides_go_by_the_direction(tmp_path):
    facilities = points([(0, 0), (1, 0)], ids=["1", "2"])
    cells = points([(0, 0), (1, 0)], ids=[1, 2])
    file = small(tmp_path, ["1,2,5"])
    assert import_travel_times(file, facilities, cells).table.indices.tolist() == [0]
    assert import_travel_times(file, facilities, cells, direction="from_facility").table.indices.tolist() == [1]


def test_a_pair_told_twice_with_one_cost_is_used_once(tmp_path):
    facilities, cells = two()
    read = import_travel_times(small(tmp_path, ["1,a,5", "1,a,5", "2,b,6"]), facilities, cells)
    assert read.table.pairs == 2
    assert (read.faults[0].code, read.faults[0].severity) == ("duplicate_pair", "dropped")


def test_a_pair_with_two_costs_is_refused(tmp_path):
    facilities, cells = two()
    with pytest.raises(InputError) as error:
        import_travel_times(small(tmp_path, ["1,a,5", "2,b,6", "1,a,7"]), facilities, cells)
    assert "row 4, column 'minutes': 1 pairs stand twice with different costs (found '1 → a')" in str(error.value)


def test_every_fault_is_told_at_once_with_its_row(tmp_path):
    facilities, cells = two()
    rows = ["1,a,5", "9,a,5", "2,x,4", "3,b,-1", "1,b,soon", "8,a,1"]
    with pytest.raises(InputError) as error:
        import_travel_times(small(tmp_path, rows), facilities, cells)
    text = str(error.value)
    assert "row 6, column 'minutes': the cost is no usable number (found 'soon')" not in text.replace("row 6", "row 6 ")
    assert [(fault.code, fault.row, fault.found) for fault in error.value.faults] == [
        ("bad_cost", "6", "soon"),
        ("negative_cost", "5", "-1"),
        ("unknown_id", "4", "x"),
        ("unknown_id", "3, 7", "9, 8"),
    ]
    assert "2 ids are none of the study's cells" in text
    assert "the study's are such as: 1, 2, 3" in text
    assert "请只写数字" in error.value.text("zh")


def test_a_cost_that_no_matrix_holds_is_refused(tmp_path):
    facilities, cells = two()
    with pytest.raises(InputError, match="no usable number"):
        import_travel_times(small(tmp_path, ["1,a,99999999"]), facilities, cells)


@pytest.mark.parametrize("text", ["", "NaN", "null", "inf"])
def test_what_other_programs_write_for_no_way_is_no_way(tmp_path, text):
    facilities, cells = two()
    times = import_travel_times(small(tmp_path, ["1,a,5", f"2,a,{text}"]), facilities, cells).table
    assert times.nearest_cost.tolist() == [300_000, -1, -1]


def test_headers_are_known_or_named(tmp_path):
    facilities, cells = two()
    r5 = small(tmp_path, ["1;a;5"], header="from_id;to_id;travel_time_p50")
    assert import_travel_times(r5, facilities, cells).table.cost.tolist() == [300_000]
    gaode = tmp_path / "高德.csv"
    gaode.write_bytes("起点,终点,用时\n1,a,5\n".encode("gb18030"))
    assert import_travel_times(gaode, facilities, cells, unit="seconds").table.cost.tolist() == [5000]
    own = small(tmp_path, ["1,a,5"], header="o1,d1,secs")
    columns = {"origin": "o1", "destination": "d1", "cost": "secs"}
    assert import_travel_times(own, facilities, cells, columns=columns, unit="seconds").table.cost.tolist() == [5000]
    with pytest.raises(InputError) as error:
        import_travel_times(own, facilities, cells, columns={"origin": "x", "start": "o1"})
    assert [(fault.code, fault.column) for fault in error.value.faults] == [
        ("unknown_name", "start"),
        ("missing_column", "x"),
        ("missing_column", "destination"),
        ("missing_column", "cost"),
    ]
    assert "The file has: o1, d1, secs" in str(error.value)


def test_numbers_of_workbooks_are_ids_too(tmp_path):
    facilities, cells = two()
    file = tmp_path / "times.xlsx"
    frame = pd.DataFrame({"origin": [1.0, 2.0], "destination": ["a", "b"], "minutes": [5, None]})
    with pd.ExcelWriter(file) as book:
        frame.to_excel(book, sheet_name="其他", index=False)
        frame.iloc[:1].to_excel(book, sheet_name="时间", index=False)
    assert import_travel_times(file, facilities, cells).table.pairs == 1
    assert import_travel_times(file, facilities, cells, sheet="时间").table.cell_fault.tolist() == ["", ABSENT, ABSENT]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("times.dbf", b"x", "files of type '.dbf' are not read"),
        ("times.parquet", b"no parquet at all", "cannot be read"),
        ("times.xlsx", b"no workbook at all", "cannot be read"),
        ("times.csv", b'a\n"1', "cannot be read"),
        ("times.csv", b"\xff\xfe\x00\xd8\x00", "encoding is not recognised"),
        ("times.csv", b"", "empty"),
    ],
)
def test_files_that_cannot_be_read_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        import_travel_times(tmp_path / name, *two())


def test_a_missing_file_and_a_senseless_limit_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        import_travel_times(tmp_path / "nowhere.csv", *two())
    with pytest.raises(ValueError, match="limit must be a positive number of minutes"):
        import_travel_times(small(tmp_path, ["1,a,5"]), *two(), limit=0)


def test_the_tables_given_stay_as_they_are_and_the_mode_is_said(tmp_path):
    facilities, cells = two()
    before = cells.copy()
    times = import_travel_times(small(tmp_path, ["1,a,5"]), facilities, cells, mode=WALK_OLDER).table
    pd.testing.assert_frame_equal(pd.DataFrame(before), pd.DataFrame(cells))
    assert times.mode is WALK_OLDER
    assert times.facilities is facilities
