"""Fairness measures against hand values, slow independent ways, published numbers and the axioms they must keep."""

from math import exp, log

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import font_manager
from towns import CRS, points, streets

from careshed.modes import Mode
from careshed.network import build_network
from careshed.reach import travel_times
from careshed.supply.equity import (
    MEASURES,
    atkinson,
    chinese_font,
    compare_classes,
    compare_groups,
    concentration_index,
    corrected_concentration,
    curve_gini,
    draw_lorenz,
    equity_report,
    gini,
    lorenz,
    mean_between,
    middle,
    nearest_minutes,
    palma_ratio,
    people_range,
    shortfall,
    speed_range,
    theil,
    units_at,
    worst_decile,
)

slow = settings(deadline=None, max_examples=60, derandomize=True)

values_and_people = st.lists(
    st.tuples(
        st.floats(0, 1000).map(lambda x: round(x, 3)),
        st.floats(0.001, 500).map(lambda x: round(x, 3)).filter(lambda x: x > 0),
    ),
    min_size=1,
    max_size=12,
).filter(lambda rows: sum(x for x, _ in rows) > 0.1)


def split(rows):
    return np.array([x for x, _ in rows]), np.array([w for _, w in rows])


def slow_gini(x, w):
    mean = sum(a * b for a, b in zip(x, w, strict=True)) / sum(w)
    apart = sum(p * q * abs(a - b) for a, p in zip(x, w, strict=True) for b, q in zip(x, w, strict=True))
    return apart / (2 * mean * sum(w) ** 2)


def slow_theil(x, w):
    mean = sum(a * b for a, b in zip(x, w, strict=True)) / sum(w)
    return sum(p / sum(w) * a / mean * log(a / mean) for a, p in zip(x, w, strict=True) if a > 0)


def person_by_person(x, w):
    return sorted(a for a, b in zip(x, w, strict=True) for _ in range(int(b)))


def test_gini_by_hand():
    # Values 1, 3 with people 3, 1: mean 1.5; pairs apart: 2 · 3 · 1 · |1 − 3| = 12; 12 / (2 · 1.5 · 16) = 0.25.
    assert gini([1, 3], [3, 1]) == pytest.approx(0.25)
    assert gini([7, 7, 7], [1, 2, 3]) == pytest.approx(0.0, abs=1e-15)
    # One of ten has everything: 1 − 1/10.
    assert gini([0, 1], [9, 1]) == pytest.approx(0.9)


def test_measures_give_the_published_numbers():
    # The ten incomes of the example of R's ineq package, whose Gini is 0.4620911.
    incomes = [541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261]
    assert gini(incomes, [1] * 10) == pytest.approx(0.4620911, abs=5e-8)
    # Under-five deaths in India by wealth (O'Donnell et al., 2008, World Bank, table 8.1): births, deaths per 1,000; C = −0.1694.
    births, deaths = [29_939, 28_776, 26_528, 24_689, 19_739], [154.7, 152.9, 119.5, 86.9, 54.3]
    assert concentration_index(deaths, births, ranking=[1, 2, 3, 4, 5]) == pytest.approx(-0.1694, abs=5e-5)


def test_palma_sets_the_top_tenth_against_the_bottom_four_tenths():
    # Ten people: top 10; bottom 1, 2, 3, 4 with mean 2.5.
    assert palma_ratio(range(1, 11), [1] * 10) == 4.0
    # Two cells of five people, 2 and 6 minutes: the bottom 4 all have 2, the top 1 has 6.
    assert palma_ratio([2, 6], [5, 5]) == 3.0
    assert palma_ratio([5, 5], [1, 3]) == 1.0


def test_palma_splits_the_cell_that_straddles():
    # Three people in the low cell, seven in the high: the bottom four tenths are the three at 1 and one at 9, mean 3.
    assert palma_ratio([1, 9], [3, 7]) == pytest.approx(3.0)


def test_palma_by_income_as_in_r():
    # Ten people ranked by income; the richest has 30 places in reach, the four poorest 10, 20, 30, 40 with mean 25.
    places = [10, 20, 30, 40, 5, 5, 5, 5, 5, 30]
    assert palma_ratio(places, [1] * 10, ranking=range(10)) == pytest.approx(30 / 25)


def test_people_of_equal_rank_share_their_mean():
    # All of one income: top and bottom are the same mixture.
    assert palma_ratio([1, 9, 5], [1, 1, 1], ranking=[7, 7, 7]) == 1.0
    assert concentration_index([1, 9, 5], [1, 1, 1], ranking=[7, 7, 7]) == pytest.approx(0.0, abs=1e-15)


def test_worst_tenth_by_hand():
    # 20 people, the two that walk farthest 19 and 20 minutes.
    assert worst_decile(range(1, 21), [1] * 20) == 19.5
    assert worst_decile(range(1, 21), [1] * 20, worse="low") == 1.5
    # Half of the worst tenth of 10 people (one person) is in a cell of half a person with 30, the rest from the cell with 10.
    assert worst_decile([10, 30], [9.5, 0.5]) == pytest.approx(20.0)
    assert mean_between([1, 2], [1, 1], 0.0, 0.5) == 1.0


def test_theil_by_hand_and_its_parts():
    # a: 10, 10; b: 10, 50. Mean 20. T = ¼ (3 · ½ ln ½ + 2.5 ln 2.5) = 0.31277...; b alone, mean 30: ½ (⅓ ln ⅓ + 5/3 ln 5/3).
    found = theil([10, 10, 10, 50], [1, 1, 1, 1], ["a", "a", "b", "b"])
    assert found.total == pytest.approx((3 * 0.5 * log(0.5) + 2.5 * log(2.5)) / 4)
    inside_b = (log(1 / 3) / 3 + 5 / 3 * log(5 / 3)) / 2
    # b holds 60 of 80 minutes; its mean is 1.5 times the overall one, that of a one half.
    assert found.within == pytest.approx(0.75 * inside_b)
    assert found.between == pytest.approx((0.5 * log(0.5) + 1.5 * log(1.5)) / 2)
    assert found.parts.loc["b", ["people", "mean", "theil"]].tolist() == pytest.approx([2.0, 30.0, inside_b])
    assert found.parts["within"].sum() == pytest.approx(found.within)


def test_one_who_has_nothing_adds_nothing_to_theil():
    # x ln x goes to 0: values 0, 2 with mean 1: ½ · 2 ln 2.
    assert theil([0, 2], [1, 1]).total == pytest.approx(log(2))
    found = theil([0, 0, 2], [1, 1, 2], ["a", "a", "b"])
    assert found.within == pytest.approx(0.0, abs=1e-15)
    assert found.parts.loc["a", "between"] == 0.0


def test_concentration_by_hand():
    # Ranks 0.25 and 0.75 of two equal cells; values 1, 3, mean 2: 2/2 · ½ (−1 · −0.25 + 1 · 0.25) = 0.25.
    assert concentration_index([1, 3], [1, 1], ranking=[10, 20]) == pytest.approx(0.25)
    assert concentration_index([1, 3], [1, 1], ranking=[20, 10]) == pytest.approx(-0.25)
    # Erreygers between 0 and 4: 4 · 2 · 0.25 / 4.
    assert corrected_concentration([1, 3], [1, 1], [10, 20], low=0, high=4) == pytest.approx(0.5)
    assert corrected_concentration([1, 3], [1, 1], [10, 20]) == pytest.approx(1.0)
    assert np.isnan(corrected_concentration([2, 2], [1, 1], [10, 20]))


def test_concentration_by_the_formula_of_r():
    # Σ 2 w (x − μ)(r − r̄)/μ with r̄ the plain mean of the ranks, as R's accessibility has it; written out by loops.
    random = np.random.default_rng(3)
    x, w, income = random.random(9) * 50, random.random(9) * 9 + 0.1, random.permutation(9).astype(float)
    order = np.argsort(income)
    share = w[order] / w.sum()
    rank, mean, before = [], float(x @ w / w.sum()), 0.0
    for part in share:
        rank.append(before + part / 2)
        before += part
    middle_rank = sum(rank) / len(rank)
    standard = sum(2 * s * (v - mean) * (r - middle_rank) / mean for s, v, r in zip(share, x[order], rank, strict=True))
    corrected = sum(8 * s * (v - mean) * (r - middle_rank) for s, v, r in zip(share, x[order], rank, strict=True))
    assert concentration_index(x, w, income) == pytest.approx(standard, abs=1e-12)
    assert corrected_concentration(x, w, income) == pytest.approx(corrected / (x.max() - x.min()), abs=1e-12)


def test_shortfall_by_hand():
    # Line 15: 20 and 30 minutes are ⅓ and 1 beyond; of four people 2 are beyond; one exactly at the line is not.
    minutes, people = [10, 15, 20, 30], [1, 1, 1, 1]
    assert shortfall(minutes, people, line=15) == 0.5
    assert shortfall(minutes, people, line=15, depth=1) == pytest.approx((1 / 3 + 1) / 4)
    assert shortfall(minutes, people, line=15, depth=2) == pytest.approx((1 / 9 + 1) / 4)
    # Places: 5 of the 20 that should be, ¾ short.
    assert shortfall([5, 20], [1, 3], line=20, depth=1, worse="low") == pytest.approx(0.75 / 4)


def test_atkinson_by_hand():
    # Values 1, 3, mean 2; ε = 1: 1 − √3/2; ε = 0.5: 1 − ((√½ + √1.5)/2)²; ε = 2: 1 − 1/mean(2/1, 2/3) = 1 − ¾.
    assert atkinson([1, 3], [1, 1], aversion=1) == pytest.approx(1 - 3**0.5 / 2)
    assert atkinson([1, 3], [1, 1]) == pytest.approx(1 - ((0.5**0.5 + 1.5**0.5) / 2) ** 2)
    assert atkinson([1, 3], [1, 1], aversion=2) == pytest.approx(0.25)
    assert atkinson([0, 3], [1, 1], aversion=1) == 1.0


def test_the_median_is_what_half_of_the_people_do_not_exceed():
    assert middle([1, 2, 3], [1, 1, 1]) == 2.0
    assert middle([1, 2], [1, 1]) == 1.0
    assert middle([1, 2], [1, 1.5]) == 2.0


@slow
@given(values_and_people)
def test_gini_and_theil_equal_the_slow_way(rows):
    x, w = split(rows)
    assert gini(x, w) == pytest.approx(slow_gini(x, w), abs=1e-9)
    assert theil(x, w).total == pytest.approx(slow_theil(x, w), abs=1e-9)
    assert curve_gini(lorenz(x, w)) == pytest.approx(slow_gini(x, w), abs=1e-9)


@slow
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 6)), min_size=1, max_size=6).filter(lambda rows: rows[0][0] > 0))
def test_shares_of_people_equal_counting_them_one_by_one(rows):
    x, w = split(rows)
    people = np.repeat(person_by_person(x, w), 10)
    tenth = len(people) // 10
    assert worst_decile(x, w) == pytest.approx(people[-tenth:].mean())
    low = people[: 4 * tenth].mean()
    expected = people[-tenth:].mean() / low if low > 0 else np.nan
    assert palma_ratio(x, w) == pytest.approx(expected, nan_ok=True)
    assert middle(x, w) == people[(len(people) - 1) // 2]


@slow
@given(values_and_people, st.floats(0.01, 100))
def test_ratios_do_not_change_with_the_scale_of_values_or_people(rows, factor):
    x, w = split(rows)
    for measure in (gini, palma_ratio, lambda a, b: theil(a, b).total, atkinson):
        assert measure(x * factor, w) == pytest.approx(measure(x, w), abs=1e-9, nan_ok=True)
        assert measure(x, w * factor) == pytest.approx(measure(x, w), abs=1e-9, nan_ok=True)
    assert worst_decile(x * factor, w) == pytest.approx(factor * worst_decile(x, w))


@slow
@given(values_and_people)
def test_two_cities_alike_are_as_unequal_as_one(rows):
    x, w = split(rows)
    for measure in (gini, palma_ratio, lambda a, b: theil(a, b).total, atkinson, worst_decile):
        assert measure(np.tile(x, 2), np.tile(w, 2)) == pytest.approx(measure(x, w), abs=1e-9, nan_ok=True)


@slow
@given(values_and_people)
def test_the_order_of_the_rows_and_empty_cells_change_nothing(rows):
    x, w = split(rows)
    turned, more = (x[::-1], w[::-1]), (np.append(x, 99.0), np.append(w, 0.0))
    for measure in (gini, palma_ratio, lambda a, b: theil(a, b).total, atkinson, worst_decile, middle):
        assert measure(*turned) == pytest.approx(measure(x, w), abs=1e-9, nan_ok=True)
        assert measure(*more) == pytest.approx(measure(x, w), abs=1e-9, nan_ok=True)


@slow
@given(st.lists(st.integers(1, 100), min_size=2, max_size=10), st.data())
def test_giving_from_more_to_less_makes_it_fairer(values, data):
    x = np.sort(np.array(values, dtype=float))
    low, high = sorted((data.draw(st.integers(0, len(x) - 1)), data.draw(st.integers(0, len(x) - 1))))
    step = (x[high] - x[low]) / 4
    after = x.copy()
    after[low], after[high] = x[low] + step, x[high] - step
    ones = np.ones(len(x))
    for measure in (gini, lambda a, b: theil(a, b).total, atkinson):
        before, now = measure(x, ones), measure(after, ones)
        assert now < before if step > 0 else now == pytest.approx(before)


@slow
@given(values_and_people, st.data())
def test_parts_of_theil_add_up_to_twelve_places(rows, data):
    x, w = split(rows)
    units = data.draw(st.lists(st.sampled_from("abcd"), min_size=len(x), max_size=len(x)))
    found = theil(x, w, units)
    assert abs(found.total - found.within - found.between) < 1e-12
    assert found.within >= -1e-12
    assert found.between >= -1e-12
    # Independent of the decomposition: every unit's own T, by loops.
    for unit in set(units):
        own = [(a, b) for a, b, name in zip(x, w, units, strict=True) if name == unit]
        expected = slow_theil(*split(own)) if sum(a for a, _ in own) > 0 else 0.0
        assert found.parts.loc[unit, "theil"] == pytest.approx(expected, abs=1e-9)


def test_unjudged_people_are_left_out_and_the_unreachable_are_the_worst_off():
    table = equity_report([5, np.nan, np.inf, 15], [1, 2, 4, 1], line=10)
    assert table.loc[["people", "people_unjudged", "people_unreachable"], "value"].tolist() == [2.0, 2.0, 4.0]
    assert table.loc["mean", "value"] == 10.0
    # Who reaches nothing is beyond any line: one of two who reach something, and the four who do not, of six.
    assert table.loc["beyond", "value"] == pytest.approx(5 / 6)
    assert table.loc[["worst_decile", "beyond_depth"], "value"].tolist() == [np.inf, np.inf]
    # Few places are bad the other way round: there infinity is no loss.
    assert equity_report([5, np.inf], [1, 1], line=10, worse="low").loc["beyond", "value"] == 1.0


def test_where_nothing_can_be_said_the_value_is_nan():
    nobody = ([np.nan, 5.0], [3.0, 0.0])
    for measure in (gini, palma_ratio, atkinson, worst_decile, middle):
        assert np.isnan(measure(*nobody))
    assert np.isnan(theil(*nobody).total)
    assert np.isnan(theil(*nobody).within)
    assert np.isnan(shortfall(*nobody, line=5))
    assert np.isnan(concentration_index(*nobody, [1, 2]))
    assert np.isnan(corrected_concentration(*nobody, [1, 2]))
    for measure in (gini, palma_ratio, atkinson):
        assert np.isnan(measure([0, 0], [1, 1]))
    assert np.isnan(theil([0, 0], [1, 1]).total)
    report = equity_report(*nobody, units=["a", "b"], ranking=[1, 2], line=5)["value"]
    assert report[["people", "people_unjudged"]].tolist() == [0.0, 3.0]
    assert report.drop(["people", "people_unjudged", "people_unreachable"]).isna().all()


def test_the_report_defines_every_measure_in_both_languages():
    table = equity_report([5, 10, 20], [1, 1, 1], units=list("aab"), ranking=[3, 2, 1], line=10)
    assert table.index.tolist() == list(MEASURES)
    assert (table[["name_zh", "name_en", "definition_zh", "definition_en"]].map(len) > 1).all(axis=None)
    assert table.loc["theil", "value"] == pytest.approx(table.loc[["theil_within", "theil_between"], "value"].sum(), abs=1e-12)
    # Those high in the ranking walk less: C < 0, and as the ranks are exactly reversed, −Gini.
    assert table.loc["concentration", "value"] == pytest.approx(-table.loc["gini", "value"])
    assert equity_report([5, 10, 20], [1, 1, 1]).index.tolist() == [
        "people", "people_unjudged", "people_unreachable", "mean", "median", "worst_decile", "palma", "gini", "theil"
    ]  # fmt: skip


def test_equal_values_have_no_share_between_units():
    table = equity_report([7, 7, 7], [1, 2, 3], units=list("aab"))
    assert np.isnan(table.loc["between_share", "value"])


def test_wrong_numbers_are_refused():
    with pytest.raises(ValueError, match="2 values for 3 counts of people; give one each"):
        gini([1, 2], [1, 1, 1])
    with pytest.raises(ValueError, match="people must be numbers of 0 or more; some are negative or missing"):
        gini([1, 2], [1, -1])
    with pytest.raises(ValueError, match="values must be 0 or more, not -2; shift or reverse them first"):
        theil([1, -2], [1, 1])
    with pytest.raises(ValueError, match="1 ranks for 2 values; give one each"):
        concentration_index([1, 2], [1, 1], [1])
    with pytest.raises(ValueError, match="3 units for 2 values; give one each"):
        theil([1, 2], [1, 1], list("abc"))
    with pytest.raises(ValueError, match="the line must be above 0, not 0"):
        shortfall([1], [1], line=0)
    with pytest.raises(ValueError, match="aversion must be above 0, not 0"):
        atkinson([1], [1], aversion=0)


def test_classes_and_groups_are_set_against_all():
    cells = points([(0, 0), (1, 0), (2, 0)], p0_3=[1.0, 1, 2], p80=[4.0, 0, 0])
    minutes = [10.0, 20.0, 40.0]
    table = compare_classes(minutes, cells["p0_3"], ["urban", "urban", "rural"], line=15)
    assert table.index.tolist() == ["rural", "urban", "ALL"]
    # All: (10 + 20 + 80) / 4 = 27.5.
    assert table["mean"].tolist() == [40.0, 15.0, 27.5]
    assert table["mean_ratio"].tolist() == pytest.approx([40 / 27.5, 15 / 27.5, 1.0])
    assert table["beyond"].tolist() == [1.0, 0.5, 0.75]
    groups = compare_groups(minutes, cells, ["p0_3", "p80"])
    assert groups["mean"].tolist() == [27.5, 10.0]
    assert groups["mean_ratio"].tolist() == pytest.approx([1.0, 10 / 27.5])
    with pytest.raises(ValueError, match="no people of group p99"):
        compare_groups(minutes, cells, ["p0_3", "p99"])
    with pytest.raises(ValueError, match="name at least one group"):
        compare_groups(minutes, cells, [])


def test_speed_moves_means_and_shares_but_no_ratio():
    table = speed_range([10, 14, 30], [1, 1, 2], factors=(0.8, 1.0, 1.25), line=15, units=list("aab"), ranking=[1, 2, 3])
    assert table.loc["mean"].tolist() == pytest.approx([21.0, 21 / 1.25, 21 / 0.8])
    for measure in ("gini", "palma", "theil", "theil_between", "concentration"):
        assert table.loc[measure, "low"] == pytest.approx(table.loc[measure, "high"])
    # A fifth slower, the 14 minutes are 17.5: beyond the line.
    assert table.loc["beyond"].tolist() == [0.5, 0.5, 0.75]
    with pytest.raises(ValueError, match=r"give speed factors above 0, such as \(0.8, 1.0, 1.2\)"):
        speed_range([1], [1], factors=(0.0,))


def test_slower_walking_is_what_a_slower_network_gives():
    town = streets({"a": (0, 0), "b": (3000, 0)}, ["ab"])
    cells, centre = points([(500, 40), (2000, 0)]), points([(0, 0)])
    runs = []
    for speed in (3.6, 2.88):
        mode = Mode(name="m", speed_kmh=speed, leg_speed_kmh=speed, zh="", en="", source="")
        runs.append(
            nearest_minutes(travel_times(build_network(town, mode=mode, crs=CRS, snap_m=100), centre, cells, limit_min=5))
        )
    assert runs[0] / 0.8 == pytest.approx(runs[1], abs=1e-4)


def test_population_error_gives_a_range_and_the_same_seed_the_same_bytes():
    x, w = np.array([5.0, 10, 20, 40]), np.array([10.0, 20, 5, 5])
    table = people_range(x, w, error=0.2, seed=4, draws=50, line=15)
    assert (table["low"] <= table["high"]).all()
    assert table.loc["gini", "low"] < table.loc["gini", "value"] < table.loc["gini", "high"]
    pd.testing.assert_frame_equal(table, people_range(x, w, error=0.2, seed=4, draws=50, line=15), check_exact=True)
    assert not table.equals(people_range(x, w, error=0.2, seed=5, draws=50, line=15))


def test_no_error_is_no_range_and_shared_errors_cancel():
    x, w = np.array([5.0, 10, 20, 40]), np.array([10.0, 20, 5, 5])
    none = people_range(x, w, error=0.0, seed=1, draws=3)
    assert none["low"].tolist() == pytest.approx(none["value"].tolist())
    together = people_range(x, w, error=0.3, seed=1, draws=9, together=["all"] * 4)
    # All cells wrong by the same factor: more or fewer people, but nobody's share changes.
    assert together.loc["gini", "low"] == pytest.approx(together.loc["gini", "high"])
    assert together.loc["people", "low"] < together.loc["people", "high"]
    with pytest.raises(ValueError, match="error of 0 or more and at least one draw, not -1 and 200"):
        people_range(x, w, error=-1, seed=1)


def test_the_range_covers_units_and_ranking_in_any_order_of_the_rows():
    x, w, units, rank = np.array([40.0, 5, 20, 10]), np.array([5.0, 10, 5, 20]), np.array(list("abba")), np.array([1.0, 4, 2, 3])
    table = people_range(x, w, error=0.0, seed=1, draws=2, units=units, ranking=rank)
    expected = equity_report(x, w, units=units, ranking=rank)["value"]
    for column in ("value", "low", "high"):
        assert table[column].tolist() == pytest.approx(expected.tolist())
    with pytest.raises(ValueError, match="2 values for 1 counts of people"):
        people_range([1, 2], [1], error=0.1, seed=1)


def test_errors_of_people_have_the_spread_asked():
    # One cell: people are 100 times a log-normal factor with mean 1 and coefficient of variation 0.2; its 5 % and 95 % points.
    table = people_range([10.0], [100.0], error=0.2, seed=2, draws=4000)
    spread = np.log1p(0.04) ** 0.5
    expected = [100 * exp(-(spread**2) / 2 + sign * 1.6449 * spread) for sign in (-1, 1)]
    assert table.loc["people", ["low", "high"]].tolist() == pytest.approx(expected, rel=0.02)


def test_lorenz_runs_from_nothing_to_everything():
    # Values 1, 1, 2 of people 1, 2, 1: total 5; the three with 1 hold 3/5.
    curve = lorenz([2, 1, 1], [1, 2, 1])
    assert curve.to_numpy().tolist() == [[0, 0], [0.75, 0.6], [1, 1]]
    assert lorenz([0, 0], [1, 1]).to_numpy().tolist() == [[0, 0]]
    assert np.isnan(curve_gini(lorenz([], [])))


def test_the_lorenz_figure_says_what_to_see():
    # Ten people with 1 to 10 minutes: the last holds 10 of 55.
    curve = lorenz(range(1, 11), [1] * 10)
    figure = draw_lorenz({"toddlers $1": curve, "all": curve}, lang="en")
    axes = figure.axes[0]
    assert axes.get_title() == "The 10 % with most walking time have 18% of it all"
    assert [text.get_text() for text in axes.get_legend().get_texts()][1] == r"toddlers \$1 (Gini 0.30)"
    assert axes.title.get_fontname() == "DejaVu Sans"
    figure.savefig("/dev/null", format="png")
    assert draw_lorenz({"x": lorenz([], [])}, lang="en").axes[0].get_title() == "No walking time to compare"
    assert draw_lorenz({"x": curve}, lang="en", title="mine").axes[0].get_title() == "mine"
    with pytest.raises(ValueError, match="give at least one curve to draw"):
        draw_lorenz({})


def test_the_chinese_figure_draws_with_an_installed_chinese_font():
    try:
        font = chinese_font()
    except LookupError:
        pytest.skip("no Chinese font on this machine")
    figure = draw_lorenz({"婴幼儿": lorenz(range(1, 11), [1] * 10)})
    assert figure.axes[0].get_title() == "步行时间最多的 10% 人群占全部的 18%"
    assert figure.axes[0].title.get_fontname() == font
    # A glyph that the font lacks would warn, and warnings are errors here.
    figure.savefig("/dev/null", format="png")


def test_chinese_names_in_an_english_figure_get_a_chinese_font(monkeypatch):
    asked = []
    monkeypatch.setattr("careshed.supply.equity.figure.chinese_font", lambda: asked.append(1) or "DejaVu Sans")
    draw_lorenz({"青湾街道": lorenz([1, 2], [1, 1])}, lang="en")
    assert asked == [1]


def test_without_a_chinese_font_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    with pytest.raises(LookupError, match=r"no Chinese font installed, install one such as Noto Sans CJK SC.*未安装中文字体"):
        draw_lorenz({"x": lorenz([1, 2], [1, 1])}, lang="zh")


def test_minutes_come_from_the_travel_times_and_nobody_is_lost():
    # 600 m on the street; 400 m off it; on a dead end of one way, from which nobody gets to the centre.
    town = streets({"a": (0, 0), "b": (1000, 0), "c": (1000, 500)}, ["ab", "bc"], oneway=[1])
    mode = Mode(name="test", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="")
    network = build_network(town, mode=mode, crs=CRS, snap_m=100)
    cells = points([(600, 0), (300, 400), (1000, 300)])
    found = nearest_minutes(travel_times(network, points([(0, 0)]), cells, limit_min=30))
    assert found[0] == pytest.approx(10.0)
    assert np.isnan(found[1])
    assert np.isposinf(found[2])
    length = nearest_minutes(travel_times(network, points([(0, 0)]), cells, limit_m=100))
    assert length[0] == pytest.approx(600.0)


def test_on_the_demo_town_nobody_is_lost_and_town_and_country_make_up_all(demo):
    cells, units = demo.study.cells, demo.study.units
    for service in demo.services:
        group, minutes = service.service.group, nearest_minutes(service.times)
        unit = units_at(cells, units)
        assert unit.index.equals(cells.index)
        setting = unit.map(units["setting"]).fillna("")
        report = equity_report(minutes, cells[group], units=unit, line=service.service.within_minutes)["value"]
        counted = report[["people", "people_unjudged", "people_unreachable"]].sum()
        assert counted == pytest.approx(cells[group].sum(), rel=1e-12)
        assert report["theil"] == pytest.approx(report["theil_within"] + report["theil_between"], abs=1e-12)
        assert 0 < report["gini"] < 1
        classes = compare_classes(minutes, cells[group], setting)
        assert classes["people"].iloc[:-1].sum() == pytest.approx(classes.loc["ALL", "people"], rel=1e-12)
        covered = service.plan.people_covered_before
        assert report["people"] * (1 - report["beyond"]) == pytest.approx(covered, rel=1e-9)
