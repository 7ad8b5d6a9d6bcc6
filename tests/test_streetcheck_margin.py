"""Whose answer could change with data from beyond the edge."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely.affinity import translate
from towns import CRS, EAST, NORTH, points, streets

from careshed.access import coverage, coverage_table
from careshed.modes import CAR, WALK_ADULT, WALK_OLDER
from careshed.network import build_network
from careshed.reach import travel_times
from careshed.reach.mixing import mix_times
from careshed.report import write_coverage
from careshed.streetcheck import find_exits, ground_of, margin_report, mark_margin, mixed_margin_report, with_margin


def net(town, mode=WALK_ADULT):
    return build_network(town, mode=mode, crs=CRS)


def here(shape):
    """Move a shape to where the towns lie."""
    return translate(shape, EAST, NORTH)


RING = {"p": (-1000, -1000), "q": (3000, -1000), "r": (3000, 1000), "s": (-1000, 1000)}
"""A road round the whole town without an end, so that the town's streets do not end at the bounds of the data."""


def in_ring(way="ab", **options):
    return streets({"a": (0, 0), "b": (2000, 0), **RING}, [way, "pqrsp"], **options)


def line_town(xs=(700, 1000, 1400), town=None, **options):
    """A street of 2 km, known up to x = 1500; a facility at 0, cells on the street."""
    network = net(in_ring() if town is None else town)
    cells = points([(x, 0) for x in xs], p60=np.arange(1.0, len(xs) + 1), unit="")
    times = travel_times(network, points([(0, 0)], ids=["f"]), cells, limit_min=30)
    told = {"known": here(shapely.box(-100, -100, 1500, 100)), "group": "p60", "minutes": 15.0} | options
    return margin_report(network, times, cells, **told)


def test_a_cell_nearer_to_the_edge_than_to_its_facility_could_change():
    report = line_town()
    # To the exit at x = 1500: 800, 500 and 100 m, 10, 6.25 and 1.25 minutes at 80 m a minute; to the facility
    # 8.75, 12.5 and 17.5.
    assert report.cost_to_exit.tolist() == [600_000, 375_000, 75_000]
    assert report.could_change.tolist() == [False, True, True]
    # The second reaches its facility within 15 minutes already: only its time could change. The third does not.
    assert report.could_gain.tolist() == [False, False, True]
    assert (report.people, report.people_changed, report.people_gained) == (6.0, 5.0, 3.0)
    assert (report.exits.x - EAST).tolist() == pytest.approx([1500])
    # 15 minutes at 4.8 km/h are 1200 m.
    assert report.needed_m == pytest.approx(1200)


def test_the_limit_itself_counts_and_beyond_it_nothing_changes():
    report = line_town(xs=(1100, 1100.5), minutes=5.0)
    # 400 m to the exit are 5 minutes to the millisecond; both are over 13 minutes from the facility.
    assert report.could_gain.tolist() == [True, True]
    assert line_town(xs=(1100, 1099), minutes=5.0).could_gain.tolist() == [True, False]


def test_data_read_beyond_the_units_move_the_edge_out():
    assert line_town(known_m=300.0).cost_to_exit.tolist() == [825_000, 600_000, 300_000]
    assert line_town(known_m=300.0).could_change.tolist() == [False, True, True]
    # Known to 2100 m: the street ends at 2000, 100 m from the edge; cut there only if ends so far from the edge count.
    assert len(line_town(known_m=600.0).exits) == 0
    assert line_town(known_m=600.0, edge_m=100.01).cost_to_exit.tolist() == [975_000, 750_000, 450_000]


def test_without_outlines_streets_are_cut_at_the_bounds_of_the_data():
    report = line_town(known=None, town=streets({"a": (0, 0), "b": (2000, 0)}, ["ab"]))
    # Both ends lie at the bounds: x = 0, where the facility is, and x = 2000.
    assert sorted((report.exits.x - EAST).tolist()) == pytest.approx([0, 2000])
    assert report.could_change.tolist() == [
        False,
        False,
        True,
    ]  # 600 m to x = 2000 against 1400 m; 1000 against 1000 is no nearer


@pytest.mark.parametrize(("edge_m", "exits"), [(39.99, 0), (40.01, 1)])
def test_an_end_near_the_edge_of_what_is_known_counts_as_cut_there(edge_m, exits):
    # The street ends at x = 2000; known up to 2040.
    found = find_exits(net(in_ring()), here(shapely.box(-100, -100, 2040, 100)), edge_m=edge_m)
    assert len(found) == exits
    assert (found.points(CRS).x - EAST).tolist() == pytest.approx([2000] * exits)


def test_a_hard_border_cuts_the_streets_that_leave_there():
    river = gpd.GeoSeries([here(shapely.LineString([(1540, -500), (1540, 500)]))], crs=CRS)
    cut = line_town(hard=river)
    assert (cut.cut_by_border, len(cut.exits), cut.people_changed) == (1, 0, 0.0)
    assert (cut.cost_to_exit == -1).all()
    assert (cut.nearest_exit == -1).all()
    assert line_town(hard=river, hard_m=30.0).people_changed == 5.0
    assert line_town(hard=river.iloc[:0]).people_changed == 5.0
    assert line_town(hard=river.to_crs("EPSG:4326")).people_changed == 0.0


def test_cells_beyond_what_is_known_are_not_the_studys():
    report = line_town(xs=(1400, 1600))
    assert report.could_change.tolist() == [True, False]
    assert report.people == 1.0


def test_metres_of_street_are_judged_like_minutes():
    network = net(streets({"a": (0, 0), "b": (2000, 0)}, ["ab"]))
    cells = points([(1400, 0)], p60=[2.0])
    times = travel_times(network, points([(0, 0)], ids=["f"]), cells, limit_m=1000)
    report = margin_report(network, times, cells, group="p60", metres=1000, known=here(shapely.box(-100, -100, 1500, 100)))
    assert report.cost_to_exit.tolist() == [100_000]
    assert report.limit == (1000.0, "metres")
    assert report.needed_m == 1000.0
    assert "within 1000 metres" in report.text("en")
    assert "1000 米内" in report.text("zh")


def test_a_one_way_street_leads_out_one_way_only():
    # People may walk from b to a only: the exit at x = 1500 cannot be walked to from the west, but from there to a cell.
    network = net(in_ring("ba", oneway=[0]))
    cells = points([(1400, 0)], p60=[1.0])
    ground = here(shapely.box(-100, -100, 1500, 900))
    for direction, cost in (("to_facility", -1), ("from_facility", 75_000)):
        times = travel_times(network, points([(0, 0)], ids=["f"]), cells, limit_min=30, direction=direction)
        report = margin_report(network, times, cells, group="p60", minutes=15, known=ground)
        assert report.cost_to_exit.tolist() == [cost]


def grid(limit):
    """A grid of streets 200 m apart, whole, or cut off at x = y = `limit`."""
    nodes, ways = {}, []
    for i in range(7):
        for along in ("x", "y"):
            row = []
            for j in range(7):
                x, y = (200.0 * j, 200.0 * i) if along == "x" else (200.0 * i, 200.0 * j)
                if max(x, y) > limit:
                    cut = (limit, y) if along == "x" else (x, limit)
                    if max(200.0 * i, 200.0 * (j - 1)) <= limit:
                        nodes[f"cut {cut}"] = cut
                        row.append(f"cut {cut}")
                    break
                nodes[f"{x},{y}"] = (x, y)
                row.append(f"{x},{y}")
            if len(row) > 1:
                ways.append(row)
    return streets(nodes, ways)


@pytest.mark.parametrize("seed", range(4))
def test_a_facility_just_beyond_an_exit_changes_an_answer_exactly_where_it_is_flagged(seed):
    rng = np.random.default_rng(seed)
    whole, cut = net(grid(2000.0)), net(grid(700.0))
    cells = points(rng.uniform(0, 690, (60, 2)), p60=1.0)
    own = points(rng.uniform(0, 690, (3, 2)), ids=list("fgh"))
    minutes = float(rng.integers(4, 8))
    known = here(shapely.box(-50, -50, 700, 700))
    reports = [
        margin_report(
            network,
            travel_times(network, own, cells, limit_min=20),
            cells,
            group="p60",
            minutes=minutes,
            known=ground,
            edge_m=0.5,
        )
        for network, ground in ((whole, known), (cut, known))
    ]
    # The bounds of the town in the south and west have no ends of streets: all junctions there have two arms and more.
    assert (reports[0].could_change == reports[1].could_change).all()
    assert len(reports[0].exits) == len(reports[1].exits) == 8
    before = travel_times(whole, own, cells, limit_min=20).nearest_cost
    limit = minutes * 60_000
    changes = np.zeros(len(cells), dtype=bool)
    sure = np.ones(len(cells), dtype=bool)
    for x, y in zip(reports[0].exits.x, reports[0].exits.y, strict=True):
        beyond = points([(x - EAST + (x - EAST > 699.9), y - NORTH + (y - NORTH > 699.9))], ids=["new"])  # one metre out
        with_it = travel_times(whole, pd.concat([own, beyond]), cells, limit_min=20).nearest_cost
        changes |= (with_it < before) & (with_it <= limit)
        alone = travel_times(whole, beyond, cells, limit_min=20).nearest_cost
        sure &= np.minimum(np.abs(alone - before), np.abs(alone - limit)) > 1500  # one metre is 750 ms: closer calls are no test
    assert changes[sure].tolist() == reports[0].could_change[sure].tolist()
    assert changes[sure].any()
    assert not changes[sure].all()
    assert sure.mean() > 0.8


def units_of():
    outline = here(shapely.box(-100, -100, 1500, 100))
    frame = pd.DataFrame({"name": ["城区", "无界"], "level": ["street", "street"], "parent": ["", ""]}, index=["u", "v"])
    return gpd.GeoDataFrame(frame, geometry=[outline, None], crs=CRS)


def test_coverage_tells_how_many_could_be_covered_from_beyond():
    network = net(in_ring())
    cells = points([(700, 0), (1400, 0)], p60=[1.0, 3.0], unit=["u", "u"])
    times = travel_times(network, points([(0, 0)], ids=["f"]), cells, limit_min=30)
    units = units_of()
    report = margin_report(network, times, cells, group="p60", minutes=15, known=ground_of(units))
    covered = coverage(times, cells, units, minutes=15, group="p60")
    told = with_margin(covered, report, cells, units)
    assert told["could_change"].to_dict() == {"ALL": 3.0, "u": 3.0, "v": 0.0}
    assert told["covered"].tolist() == covered["covered"].tolist()
    assert "could_change" not in covered
    assert report.text("en").startswith("1 streets lead out of the data; the answer for 3 (75.0%) of 4 people aged 60+")


def test_units_without_outlines_give_no_ground():
    assert ground_of(units_of().iloc[1:]) is None
    assert ground_of(units_of()).area == pytest.approx(1600 * 200)


@pytest.mark.parametrize(("slit", "exits"), [(1, 1), (49, 1), (51, 3)])
def test_a_slit_between_two_units_is_no_edge(slit, exits):
    # Units from x = -100 to 800 and from 800 + slit to 1500: the street leaves at 1500, and of a wide gap it crosses both sides.
    shapes = [here(shapely.box(-100, -100, 800, 100)), here(shapely.box(800 + slit, -100, 1500, 100))]
    ground = ground_of(gpd.GeoDataFrame(geometry=shapes, crs=CRS))
    assert len(find_exits(net(in_ring()), ground)) == exits


def test_what_does_not_fit_is_refused():
    network = net(streets({"a": (0, 0), "b": (2000, 0)}, ["ab"]))
    cells = points([(700, 0)], p60=[1.0])
    times = travel_times(network, points([(0, 0)], ids=["f"]), cells, limit_min=30)
    with pytest.raises(ValueError, match="for mode 'adult', the network for 'older'"):
        margin_report(net(streets({"a": (0, 0), "b": (2000, 0)}, ["ab"]), WALK_OLDER), times, cells, group="p60", minutes=15)
    with pytest.raises(ValueError, match="other cells"):
        margin_report(network, times, cells.rename(index={0: 5}), group="p60", minutes=15)
    with pytest.raises(ValueError, match="give the limit in minutes"):
        margin_report(network, times, cells, group="p60", metres=15)


def test_nobody_is_counted_where_nobody_lives():
    network = net(streets({"a": (0, 0), "b": (2000, 0)}, ["ab"]))
    cells = points([(700, 0)], p60=[0.0])
    times = travel_times(network, points([(0, 0)], ids=["f"]), cells, limit_min=30)
    report = margin_report(network, times, cells, group="p60", minutes=15)
    # nobody's answer hangs on the edge: no advice to fetch more data
    assert report.text("zh") == "2 处街道通往数据以外；界外数据不影响任何60岁及以上老人的结果（共 0 人）。"
    assert "km beyond" not in report.text("en")


def marked(network, times, cells):
    units = units_of()
    table = coverage_table(times, cells, units, minutes=[15, 30], groups=["p60", "total"])
    return table, *mark_margin(table, network, times, cells, units, minutes=15, group="p60")


def test_a_run_shows_beside_the_coverage_how_many_could_change(tmp_path):
    network = net(in_ring())
    cells = points([(700, 0), (1400, 0)], p60=[1.0, 3.0], total=[2.0, 6.0], unit=["u", "u"])
    times = travel_times(network, points([(0, 0)], ids=["f"]), cells, limit_min=30)
    before, table, faults = marked(network, times, cells)
    assert "could_change" not in before
    asked = (table["group"] == "p60") & (table["minutes"] == 15)
    assert table.loc[asked, "could_change"].to_dict() == {"ALL": 3.0, "u": 3.0, "v": 0.0}
    assert table.loc[~asked, "could_change"].isna().all()
    assert [(fault.code, fault.people, fault.severity) for fault in faults] == [("edge_of_data", 3.0, "noted")]
    text = write_coverage(tmp_path / "c.csv", table[asked], lang="en").read_text(encoding="utf-8-sig")
    assert "Could be covered with data from beyond the edge" in text
    assert "Could be covered" not in write_coverage(tmp_path / "d.csv", before[asked], lang="en").read_text(encoding="utf-8-sig")


def test_nothing_is_told_where_nothing_could_change_and_what_is_not_of_these_streets_is_not_judged():
    network = net(in_ring())
    cells = points([(100, 0)], p60=[1.0], total=[2.0], unit=["u"])
    times = travel_times(network, points([(0, 0)], ids=["f"]), cells, limit_min=30)
    _, table, faults = marked(network, times, cells)
    assert faults == []
    assert table["could_change"].sum() == 0
    imported = replace(times, mode=replace(WALK_ADULT, en="adult on foot (times from amap.csv)"))
    for other in (imported, replace(times, mode=WALK_OLDER)):
        before, table, faults = marked(network, other, cells)
        assert table is before
        assert [fault.code for fault in faults] == ["edge_not_judged"]
    assert faults[0].text("zh") == "出行时间不出自这些道路，未判断界外数据的影响"


def test_a_hard_border_that_no_street_out_of_the_data_meets_is_told():
    network = net(in_ring())
    cells = points([(100, 0)], p60=[1.0], total=[2.0], unit=["u"])
    times = travel_times(network, points([(0, 0)], ids=["f"]), cells, limit_min=30)
    units = units_of()
    table = coverage_table(times, cells, units, minutes=[15], groups=["p60"])
    river = gpd.GeoSeries([here(shapely.LineString([(90_000, -500), (90_000, 500)]))], crs=CRS)
    _, (told,) = mark_margin(table, network, times, cells, units, minutes=15, group="p60", hard=river)
    assert (told.code, told.severity) == ("border_idle", "noted")
    assert told.text("zh") == ("硬边界没有碰到任何通往数据以外的街道，不起作用。请核对 [boundary] hard 图层的位置和坐标系。")


def mixed_town():
    """Walkers and drivers by turns on a grid cut off at 800 m; the streets are a ring's, so that only the edge cuts them."""
    rng = np.random.default_rng(5)
    nodes = {f"{i},{j}": (200.0 * i, 200.0 * j) for i in range(7) for j in range(7)}
    ways = [[f"{i},{j}" for j in range(7)] for i in range(7)] + [[f"{i},{j}" for i in range(7)] for j in range(7)]
    networks = [net(streets(nodes, ways), mode) for mode in (WALK_ADULT, CAR)]
    cells = points(rng.uniform(0, 800, (60, 2)), p60=rng.integers(1, 9, 60).astype(float), unit="u")
    homes = points([(0, 0)], ids=["f"])
    parts = [travel_times(network, homes, cells, limit_min=30) for network in networks]
    which = rng.integers(0, 2, 60)
    return networks, parts, mix_times(parts, which), cells, which


def test_where_people_travel_by_several_modes_each_cell_is_judged_by_its_own():
    networks, parts, times, cells, which = mixed_town()
    told = {"group": "p60", "minutes": 8.0, "known": here(shapely.box(-100, -100, 900, 900))}
    alone = [margin_report(network, part, cells, **told) for network, part in zip(networks, parts, strict=True)]
    mixed = mixed_margin_report(networks, times, cells, which, **told)
    for name in ("cost_to_exit", "could_change", "could_gain"):
        wanted = [getattr(alone[mode], name)[cell] for cell, mode in enumerate(which.tolist())]
        assert getattr(mixed, name).tolist() == wanted, name
    assert mixed.people_changed == cells["p60"].to_numpy()[mixed.could_change].sum()
    # Five streets leave eastward and five northward, for walkers and drivers alike, and count once.
    assert [len(one.exits) for one in alone] == [10, 10]
    assert len(mixed.exits) == 10
    spots = [tuple(np.round((one.exits.x[0], one.exits.y[0]))) for one in alone]
    assert spots[0] == spots[1]
    for cell, mode in enumerate(which.tolist()):
        own, there = alone[mode].nearest_exit[cell], mixed.nearest_exit[cell]
        assert mixed.exits.x[there] == pytest.approx(alone[mode].exits.x[own])
        assert mixed.exits.y[there] == pytest.approx(alone[mode].exits.y[own])
    assert mixed.needed_m == max(one.needed_m for one in alone)
    river = gpd.GeoSeries([here(shapely.LineString([(910, -500), (910, 1000)]))], crs=CRS)
    cut = mixed_margin_report(networks, times, cells, which, **told, hard=river, hard_m=20)
    assert (cut.cut_by_border, len(cut.exits)) == (5, 5)
    assert "5 streets lead out of the data (5 more end at hard borders and do not count)" in cut.text("en")


def test_networks_of_other_modes_are_refused_and_the_coverage_shows_mixed_modes():
    networks, _, times, cells, which = mixed_town()
    with pytest.raises(ValueError, match="one network each is needed of the modes of the travel times: adult, car"):
        mixed_margin_report(networks[::-1], times, cells, which, group="p60", minutes=8.0)
    units = units_of()
    table = coverage_table(times, cells, units, minutes=[8], groups=["p60"])
    shown, faults = mark_margin(table, networks, times, cells, units, minutes=8, group="p60", which=which)
    assert [fault.code for fault in faults] == ["edge_of_data"]
    whole = mixed_margin_report(networks, times, cells, which, group="p60", minutes=8.0, known=ground_of(units))
    assert shown.loc["ALL", "could_change"] == whole.people_gained > 0


def test_nobody_can_gain_from_beyond_a_hard_border_within_data_that_reach_beyond_the_units():
    river = gpd.GeoSeries([here(shapely.LineString([(1540, -500), (1540, 500)]))], crs=CRS)
    # The data reach 300 m beyond the units, so the exit lies at 1800, across the river: the way there crosses it.
    assert line_town(known_m=300.0).people_changed == 5.0
    cut = line_town(known_m=300.0, hard=river)
    assert (cut.cut_by_border, cut.people_changed) == (1, 0.0)
