"""Two runs compared on a street that can be added up by hand, and revised travel times against new searches."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box
from towns import CRS, EAST, NORTH, points, streets

from careshed.access import ALL, OUTSIDE, coverage
from careshed.modes import Mode
from careshed.network import build_network
from careshed.reach import travel_times
from careshed.supply.compare import STATES, RevisedTimes, close_facilities, combine_demand, compare_runs, plan_times

METRE_A_SECOND = Mode(name="test", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="")
PARTS = list(STATES)


@pytest.fixture(scope="module")
def network():
    """A street of 10 km from west to east, and a short one far north of it that joins nothing."""
    nodes = {"a": (-5000, 0), "b": (5000, 0), "c": (0, 3000), "d": (200, 3000)}
    return build_network(streets(nodes, ["ab", "cd"]), mode=METRE_A_SECOND, crs=CRS, snap_m=100)


@pytest.fixture
def units() -> gpd.GeoDataFrame:
    """One district of two streets."""
    table = {"name": ["城区", "西街道", "东街道"], "level": ["county", "street", "street"], "parent": ["", "d", "d"]}
    shape = box(EAST, NORTH, EAST + 1, NORTH + 1)
    return gpd.GeoDataFrame(table, geometry=[shape] * 3, crs=CRS, index=pd.Index(["d", "w", "e"], name="unit_id"))


@pytest.fixture
def cells() -> gpd.GeoDataFrame:
    """Cells at -600, 300, 1000, 2000 m, one off the street, in no unit."""
    xy = [(-600, 0), (300, 0), (1000, 0), (2000, 0), (0, 400)]
    return points(xy, p60=[10.0, 20.0, 40.0, 80.0, 7.0], unit=["w", "e", "e", "e", ""])


@pytest.fixture
def centres() -> gpd.GeoDataFrame:
    """Two facilities, at 0 and at 1,500 m."""
    return points([(0, 0), (1500, 0)], ids=["F0", "F1"], name=["甲", "乙"], unit=["e", "e"], places=[3.0, np.nan])


def run(network, facilities, cells, limit_min=30.0, **options):
    return travel_times(network, facilities, cells, limit_min=limit_min, **options)


def test_who_gains_and_who_loses_by_hand(network, cells, units, centres):
    # Before F0 only, after F1 only, 10 min = 600 m. -600: lose (600 m before, 2100 after); 300: lose (300, 1200);
    # 1000: gain (1000, 500); 2000: gain (2000, 500).
    before, after = run(network, centres.iloc[:1], cells), run(network, centres.iloc[1:], cells)
    found = compare_runs(before, after, cells, units, minutes=10, group="p60")
    assert found.cells["state"].tolist() == ["lose", "lose", "gain", "gain", "unjudged"]
    assert found.units.loc[ALL, PARTS].tolist() == [120.0, 30.0, 0.0, 0.0, 7.0]
    assert found.units.loc["w", PARTS].tolist() == [0.0, 10.0, 0.0, 0.0, 0.0]
    assert found.units["people"].to_dict() == {ALL: 157.0, "d": 150.0, "w": 10.0, "e": 140.0, OUTSIDE: 7.0}
    assert found.units[["covered_before", "covered_after", "change"]].loc["d"].tolist() == [30.0, 120.0, 90.0]
    assert found.units.index.tolist() == [ALL, "d", "w", "e", OUTSIDE]
    assert found.units["name"].tolist() == ["", "城区", "西街道", "东街道", ""]
    assert set(found.units["minutes"]) == {10.0}


def test_time_saved_weighs_people_and_counts_the_unknown_apart(network, cells, units, centres):
    before, after = run(network, centres.iloc[:1], cells), run(network, centres, cells)
    found = compare_runs(before, after, cells, units, minutes=10, group="p60")
    # 1000: 1000 → 500 s; 2000: 2000 → 500 s; the others as before: (40 · 500 + 80 · 1500) / 60 person minutes.
    assert found.units.loc[ALL, "person_minutes_saved"] == pytest.approx((40 * 500 + 80 * 1500) / 60)
    assert found.units.loc[ALL, "minutes_saved"] == pytest.approx((40 * 500 + 80 * 1500) / 60 / 150)
    assert found.units.loc[ALL, ["people_known", "people_unknown"]].tolist() == [150.0, 7.0]
    assert np.isnan(found.units.loc[OUTSIDE, "minutes_saved"])
    assert found.cells["minutes_saved"].tolist()[:4] == pytest.approx([0.0, 0.0, 500 / 60, 25.0])
    assert found.cells.crs == CRS
    assert found.cells.index.tolist() == cells.index.tolist()


def test_the_summary_says_it_in_both_languages(network, cells, units, centres):
    found = compare_runs(
        run(network, centres.iloc[:1], cells), run(network, centres.iloc[1:], cells), cells, units, minutes=10, group="p60"
    )
    assert found.summary("en") == "Of 157 people aged 60+, 120 come within 10 minutes, 30 no longer are, 7 cannot be judged"
    assert found.summary("zh") == "157 名60岁及以上老人中，120 人新增 10 分钟内可达，30 人不再可达，7 人无法判断"


def test_the_limit_itself_is_in_reach_and_length_works_too(network, cells, units, centres):
    before = travel_times(network, centres.iloc[:1], cells, limit_m=500)
    after = travel_times(network, centres, cells, limit_m=500)
    found = compare_runs(before, after, cells, units, metres=500, group="p60")
    assert found.cells["state"].tolist() == ["neither", "both", "gain", "gain", "unjudged"]
    assert found.cells["metres_saved"].tolist()[:4] == pytest.approx([0, 0, 500, 1500])
    assert found.limit_metres == 500
    assert "120 come within 500 metres" in found.summary("en")


def test_two_years_split_the_change_into_access_and_people(network, cells, units, centres):
    later = cells.assign(p60=[20.0, 10.0, 40.0, 100.0, 7.0])
    before, after = run(network, centres.iloc[:1], cells), run(network, centres, cells)
    found = compare_runs(before, after, cells, units, minutes=10, group="p60", cells_after=later)
    total = found.units.loc[ALL]
    # Before 10 + 20; after 20 + 10 + 40 + 100. By access 140 of the people of the later year; by people +10 − 10.
    assert total[["people_before", "people", "covered_before", "covered_after"]].tolist() == [157.0, 177.0, 30.0, 170.0]
    assert total[["change", "by_access", "by_people"]].tolist() == [140.0, 140.0, 0.0]
    assert found.units.loc["w", ["change", "by_access", "by_people"]].tolist() == [10.0, 0.0, 10.0]


def test_nobody_is_lost_whatever_the_people(network, units, centres):
    random = np.random.default_rng(5)
    for _ in range(5):
        x = random.integers(-5000, 5000, 60)
        town = points(np.column_stack([x, np.where(random.random(60) < 0.1, 500, 0)]), unit=random.choice(["w", "e", ""], 60))
        town["p60"] = random.integers(0, 90, 60).astype(float)
        found = compare_runs(
            run(network, centres.iloc[:1], town), run(network, centres.iloc[1:], town), town, units, minutes=12, group="p60"
        )
        # Whole numbers of people add up to the last one.
        assert (found.units[PARTS].sum(axis=1) == found.units["people"]).all()
        assert found.units.loc[ALL, "people"] == town["p60"].sum()
        assert (found.units[["people_known", "people_unknown"]].sum(axis=1) == found.units["people"]).all()
        assert found.units.loc["d", "people"] + found.units.loc[OUTSIDE, "people"] == found.units.loc[ALL, "people"]


def test_a_bridge_to_an_islet_leaves_it_unjudged_before(network, units, centres):
    # The street in the north joins nothing before; with a bridge its people are 3,000 + 100 m away.
    cells = points([(100, 3000)], p60=[9.0], unit=["w"])
    nodes = {"a": (-5000, 0), "b": (5000, 0), "c": (0, 3000), "d": (200, 3000), "o": (0, 0)}
    joined = build_network(streets(nodes, ["aob", "cd", "oc"]), mode=METRE_A_SECOND, crs=CRS, snap_m=100)
    found = compare_runs(run(network, centres, cells), run(joined, centres, cells), cells, units, minutes=60, group="p60")
    assert found.cells["state"].tolist() == ["unjudged"]
    assert found.units.loc["w", ["covered_before", "covered_after", "by_access", "by_people"]].tolist() == [0.0, 9.0, 0.0, 9.0]


def test_runs_that_cannot_be_compared_are_refused(network, cells, units, centres):
    times = run(network, centres, cells)
    with pytest.raises(ValueError, match="for 5 other cells than the 4 given"):
        compare_runs(times, times, cells.iloc[1:], units, minutes=5, group="p60")
    fewer = cells.iloc[1:]
    with pytest.raises(ValueError, match="the two runs are on different cells; compute both on the same cells"):
        compare_runs(times, run(network, centres, fewer), cells, units, minutes=5, group="p60", cells_after=fewer)
    length = travel_times(network, centres, cells, limit_m=300)
    with pytest.raises(ValueError, match="the runs measure time to_facility and length to_facility; both must be alike"):
        compare_runs(times, length, cells, units, minutes=5, group="p60")


def assert_like(revised, searched, *, nearest=True):
    """Equal to a new search: pairs, and the nearest wherever it is claimed to be sure."""
    for name in ("indptr", "indices", "cost"):
        np.testing.assert_array_equal(getattr(revised, name), getattr(searched, name))
    assert revised.facilities.index.tolist() == searched.facilities.index.tolist()
    assert revised.limit == searched.limit
    sure = ~revised.unsure
    np.testing.assert_array_equal(revised.nearest_cost[sure], searched.nearest_cost[sure])
    if nearest:
        np.testing.assert_array_equal(revised.nearest_facility[sure], searched.nearest_facility[sure])
    # An unsure cell is beyond the limit, and what is said of it is a bound.
    open_cost = searched.nearest_cost[revised.unsure]
    assert ((open_cost > revised.limit) | (open_cost < 0)).all()
    told = revised.nearest_cost[revised.unsure]
    assert ((told < 0) | (told >= open_cost)).all()


def test_a_plan_added_equals_a_new_search(network, cells, centres):
    spots = points([(-700, 0), (1900, 0), (4000, 0)], ids=["S0", "S1", "S2"], name=["a", "b", "c"], unit="e", kind="校")
    existing, options = run(network, centres, cells), run(network, spots, cells)
    after = plan_times(existing, options, ["S1", "S0"])
    both = gpd.GeoDataFrame(pd.concat([centres, spots.loc[["S1", "S0"]]]), crs=CRS)
    assert_like(after, run(network, both, cells))
    assert after.facilities.columns.tolist() == centres.columns.tolist()
    assert np.isnan(after.facilities.loc["S1", "places"])
    assert after.facility_fault.tolist() == ["", "", "", ""]
    assert not after.findings


def test_candidates_searched_less_far_leave_a_bound_and_a_finding(network, centres):
    cells = points([(-4000, 0), (-1000, 0), (300, 0)], p60=[1.0, 2.0, 4.0], unit="w")
    spots = points([(-2800, 0), (-3900, 0)], ids=["S0", "S1"])
    existing, options = run(network, centres, cells), run(network, spots, cells, limit_min=5)
    after = plan_times(existing, options, ["S0"])
    # -4000: F0 4000 s; S0 1200 s, but it was searched to 300 s only, and S1, not chosen, is the nearest candidate: unsure.
    # -1000: F0 1000 s; S0, the nearest candidate, is known beyond the limit: 1800 s; no doubt.
    assert after.unsure.tolist() == [True, False, False]
    assert after.nearest_cost.tolist() == [4_000_000, 1_000_000, 300_000]
    assert after.limit == 300_000
    assert (
        after.findings[0].en == "the nearest facility of 1 cells lies beyond 5 minutes, where these travel times do not tell it"
    )
    assert "1 个人口格网的最近设施在 5 分钟以外" in after.findings[0].zh
    assert after.reached(minutes=70).tolist() == [True, True, True]
    with pytest.raises(ValueError, match=r"1 cells are not known beyond 5 minutes.*or compute them again with travel_times"):
        after.reached(minutes=30)
    assert after.reached(minutes=5).tolist() == [False, False, True]
    assert_like(after, run(network, pd.concat([centres, spots.iloc[:1]]), cells, limit_min=5))


def test_unsure_cells_are_unknown_in_the_time_saved(network, units, centres):
    cells = points([(-4000, 0), (-1000, 0)], p60=[1.0, 2.0], unit="w")
    spots = points([(-2800, 0), (-3900, 0)], ids=["S0", "S1"])
    existing = run(network, centres, cells)
    after = plan_times(existing, run(network, spots, cells, limit_min=5), ["S0"])
    found = compare_runs(existing, after, cells, units, minutes=5, group="p60")
    assert found.units.loc[ALL, ["people_known", "people_unknown"]].tolist() == [2.0, 1.0]
    assert [fault.code for fault in found.findings] == ["nearest_unsure"]


def test_an_islet_with_a_chosen_site_can_be_judged(network, centres):
    cells = points([(100, 3000), (300, 0)], p60=[9.0, 1.0], unit="w")
    spots = points([(0, 3000)], ids=["S"])
    existing = run(network, centres, cells)
    assert existing.cell_fault.tolist() == ["islet", ""]
    after = plan_times(existing, run(network, spots, cells), ["S"])
    assert after.cell_fault.tolist() == ["", ""]
    assert after.nearest_cost.tolist() == [100_000, 300_000]


def test_a_plan_of_nothing_and_a_plan_without_existing_facilities(network, cells, centres):
    times = run(network, centres, cells)
    assert_like(plan_times(times, times.__class__(**vars(run(network, points([(9, 0)], ids=["S"]), cells))), []), times)
    none = run(network, centres.iloc[:0], cells)
    assert_like(plan_times(none, times, ["F0", "F1"]), times)


def test_a_plan_that_does_not_fit_is_refused(network, cells, centres):
    times, options = run(network, centres, cells), run(network, points([(5, 0)], ids=["S"]), cells)
    with pytest.raises(ValueError, match="the plan does not fit the travel times; no candidates: X"):
        plan_times(times, options, ["S", "X"])
    with pytest.raises(ValueError, match="ids used twice: F0"):
        plan_times(times, times, ["F0"])
    with pytest.raises(ValueError, match="ids used twice: S, S"):
        plan_times(times, options, ["S", "S"])
    other = build_network(streets({"a": (-5000, 0), "b": (5000, 0)}, ["ab"]), mode=METRE_A_SECOND, crs=CRS, snap_m=50)
    with pytest.raises(ValueError, match="different modes or snap limits; use the same"):
        plan_times(times, run(other, points([(5, 0)], ids=["S"]), cells), ["S"])


def test_a_closure_equals_a_new_search_where_the_matrix_reaches(network, cells, centres):
    times = run(network, centres, cells)
    after = close_facilities(times, ["F0"])
    # -600: 2100 s to F1 is beyond 30 min: unknown; 300: 1200 s.
    assert after.unsure.tolist() == [True, False, False, False, False]
    assert after.nearest_cost.tolist() == [-1, 1_200_000, 500_000, 500_000, -1]
    assert_like(after, run(network, centres.iloc[1:], cells))
    assert after.findings[0].found == "1"


def test_a_cell_whose_nearest_stays_keeps_it_however_far(network, centres):
    cells = points([(4000, 0)])
    after = close_facilities(run(network, centres, cells), ["F0"])
    # 2,500 m to F1, beyond the 30 minutes searched, but known from the unbounded search.
    assert after.nearest_cost.tolist() == [2_500_000]
    assert not after.unsure.any()
    assert after.reached(minutes=45).tolist() == [True]


def test_closing_all_leaves_nobody_in_doubt(network, cells, centres):
    after = close_facilities(run(network, centres, cells), ["F0", "F1"])
    assert after.nearest_cost.tolist() == [-1] * 5
    assert not after.unsure.any()
    assert after.pairs == 0


def test_closing_part_of_a_plan_keeps_the_doubt(network, centres):
    cells = points([(-4000, 0), (-1000, 0), (300, 0)])
    spots = points([(-2800, 0), (-3900, 0)], ids=["S0", "S1"])
    plan = plan_times(run(network, centres, cells), run(network, spots, cells, limit_min=5), ["S0"])
    after = close_facilities(plan, ["F1"])
    assert after.unsure.tolist() == [True, False, False]
    again = plan_times(close_facilities(run(network, centres, cells), ["F0"]), run(network, spots, cells), ["S0"])
    # -4000: F1, the nearest left, is beyond the 30 minutes searched, but S0 is at 20: no doubt; -1000: S0 1800 s, at the limit.
    assert again.nearest_cost.tolist() == [1_200_000, 1_800_000, 1_200_000]
    assert not again.unsure.any()


def test_random_towns_revised_equal_new_searches():
    random = np.random.default_rng(11)
    for _ in range(12):
        nodes = {f"n{i}": tuple(random.integers(0, 3000, 2)) for i in range(14)}
        ways = [[f"n{i}", f"n{j}"] for i, j in random.integers(0, 14, (20, 2)) if i != j]
        network = build_network(streets(nodes, ways, oneway=[0, 1, 2]), mode=METRE_A_SECOND, crs=CRS, snap_m=400)
        cells = points(random.integers(0, 3000, (40, 2)))
        spots = points(random.integers(0, 3000, (9, 2)), ids=[f"p{i}" for i in range(9)], name="x")
        limits = random.integers(5, 40, 2)
        existing = run(network, spots.iloc[:4], cells, float(limits[0]))
        options = run(network, spots.iloc[4:], cells, float(limits[1]))
        chosen = [f"p{i}" for i in sorted(random.choice(range(4, 9), 2, replace=False))]
        both = pd.concat([spots.iloc[:4], spots.loc[chosen]])
        new = run(network, both, cells, float(limits.min()))
        # Equally near facilities beyond the limit may be named in another order.
        assert_like(plan_times(existing, options, chosen), new, nearest=False)
        assert_like(close_facilities(existing, ["p1", "p3"]), run(network, spots.iloc[[0, 2]], cells, float(limits[0])))


def test_a_closure_of_what_is_not_there_is_refused(network, cells, centres):
    with pytest.raises(ValueError, match="no such facilities: F9"):
        close_facilities(run(network, centres, cells), ["F0", "F9"])


def test_revised_times_of_length_speak_of_metres(network, cells, centres):
    after = close_facilities(travel_times(network, centres, cells, limit_m=1000), ["F0"])
    assert "beyond 1000 metres" in after.findings[0].en
    with pytest.raises(ValueError, match="2 cells are not known beyond 1000 metres"):
        after.reached(metres=1200)


def test_after_the_demo_plan_people_covered_are_those_the_plan_promised(demo):
    cells, units = demo.study.cells, demo.study.units
    for service in demo.services:
        minutes, group = service.service.within_minutes, service.service.group
        after = plan_times(service.times, service.options, service.plan)
        assert isinstance(after, RevisedTimes)
        covered = coverage(after, cells, units, minutes=minutes, group=group)
        assert covered.loc[ALL, "covered"] == pytest.approx(service.plan.people_covered_after, abs=0.01)
        found = compare_runs(service.times, after, cells, units, minutes=minutes, group=group)
        total = found.units.loc[ALL]
        assert total["gain"] == pytest.approx(service.plan.people_covered_after - service.plan.people_covered_before, abs=0.01)
        assert total["lose"] == 0.0
        assert total[PARTS].sum() == pytest.approx(cells[group].sum(), rel=1e-12)
        np.testing.assert_allclose(found.units[PARTS].sum(axis=1), found.units["people"], rtol=1e-12)
        assert (found.cells["minutes_saved"].dropna() >= 0).all()
        closed = close_facilities(after, list(service.plan.sites.index))
        back = compare_runs(service.times, closed, cells, units, minutes=minutes, group=group)
        assert back.units.loc[ALL, ["gain", "lose"]].tolist() == [0.0, 0.0]


def work_cells(**columns):
    return points([(0, 0), (200, 0)], ids=[0, 9], **({"workers": [1.0, 3.0], "unit": ["", "w"]} | columns))


def test_demand_at_work_is_spread_by_workers_and_nobody_is_lost():
    home = points([(0, 0), (100, 0)], p0_3=[10.0, 30.0], total=[50.0, 60.0], unit=["e", "e"])
    before = home.copy()
    found = combine_demand(home, work_cells(), 0.25)
    # 10 of the 40 go to work cells: one part in four to cell 0, three to cell 9.
    assert found["p0_3_home"].to_dict() == {0: 7.5, 1: 22.5, 9: 0.0}
    assert found["p0_3_work"].to_dict() == {0: 2.5, 1: 0.0, 9: 7.5}
    assert found["p0_3"].to_dict() == {0: 10.0, 1: 22.5, 9: 7.5}
    assert found["total"].to_dict() == {0: 50.0, 1: 60.0, 9: 0.0}
    assert found["unit"].tolist() == ["e", "e", "w"]
    assert found.crs == CRS
    pd.testing.assert_frame_equal(home, before)


def test_shares_may_differ_by_home_cell_and_work_may_lie_on_the_same_cells():
    home = points([(0, 0), (200, 0)], ids=[0, 9], p0_3=[10.0, 20.0])
    found = combine_demand(home, work_cells(), pd.Series({9: 0.5, 0: 0.0}))
    assert found["p0_3"].to_dict() == {0: 12.5, 9: 17.5}
    assert found.index.tolist() == [0, 9]


def test_the_total_of_many_cells_is_kept_to_a_billionth():
    random = np.random.default_rng(1)
    xy = random.random((3000, 2)) * 1e4
    home = points(xy, p0_3=random.random(3000) * 7)
    work = points(xy[1000:], ids=range(1000, 3000), workers=random.random(2000) * 100)
    found = combine_demand(home, work, 0.37)
    assert found["p0_3"].sum() == pytest.approx(home["p0_3"].sum(), rel=1e-9)
    assert found["p0_3_work"].sum() == pytest.approx(0.37 * home["p0_3"].sum(), rel=1e-9)


def test_no_demand_at_work_needs_no_workers():
    home = points([(0, 0)], p0_3=[10.0])
    found = combine_demand(home, work_cells(workers=0.0), 0)
    assert found["p0_3"].tolist() == [10.0, 0.0]
    with pytest.raises(
        ValueError, match="5 people look for care at work but no cell has workers; give workers or share_at_work=0"
    ):
        combine_demand(home, work_cells(workers=0.0), 0.5)


def test_demand_that_does_not_fit_is_refused():
    home = points([(0, 0)], p0_3=[10.0])
    for share in (-0.1, 1.1, pd.Series({5: 0.3})):
        with pytest.raises(ValueError, match="share_at_work must be between 0 and 1 in every home cell"):
            combine_demand(home, work_cells(), share)
    with pytest.raises(ValueError, match="the home cells lack 'p9'; the work cells lack 'jobs'"):
        combine_demand(home, work_cells(), 0.5, group="p9", workers="jobs")
    with pytest.raises(ValueError, match="'workers' has missing or negative numbers"):
        combine_demand(home, work_cells(workers=[1.0, -1.0]), 0.5)
    with pytest.raises(ValueError, match="cells of one id lie at different places; use one grid for homes and work"):
        combine_demand(points([(50, 0)], p0_3=[1.0]), work_cells(), 0.5)
    with pytest.raises(ValueError, match="cell ids stand more than once"):
        combine_demand(points([(0, 0), (0, 0)], ids=[0, 0], p0_3=[1.0, 1.0]), work_cells(), 0.5)
