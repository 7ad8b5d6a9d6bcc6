"""Iterative proportional fitting against slow independent ways, and the fit of age groups to a census."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize_scalar

from careshed.demand import fit_ages, fit_margins
from careshed.schema import InputError

UTM = "EPSG:32651"


def by_hand(seed: np.ndarray, rows: np.ndarray, columns: np.ndarray, rounds: int = 1500) -> np.ndarray:
    """Fit one unit with plain loops over rows and columns."""
    table = [list(map(float, row)) for row in seed]
    for _ in range(rounds):
        for i, row in enumerate(table):
            whole = sum(row)
            table[i] = [value * rows[i] / whole if whole else 0.0 for value in row]
        for j in range(len(columns)):
            whole = sum(row[j] for row in table)
            for row in table:
                row[j] = row[j] * columns[j] / whole if whole else 0.0
    return np.array(table)


def nearest_in_entropy(seed: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Minimise the relative entropy to a seed of 2 × 2: its margins leave one number free, which scipy searches."""

    def table(first: float) -> np.ndarray:
        return np.array([[first, rows[0] - first], [columns[0] - first, rows[1] - columns[0] + first]])

    def entropy(first: float) -> float:
        x = np.maximum(table(first), 1e-12)
        return float((x * np.log(x / seed) - x + seed).sum())

    low, high = max(0.0, columns[0] - rows[1]), min(rows[0], columns[0])
    return table(float(minimize_scalar(entropy, bounds=(low, high), method="bounded", options={"xatol": 1e-10}).x))


def agreeing(draw: st.DrawFn, *, least: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a seed and the margins of another table with the same zeros, so that a fit exists."""
    count, ages = draw(st.integers(2, 4)), draw(st.integers(2, 3))
    number = st.integers(least, 9)
    seed = np.array(draw(st.lists(number, min_size=count * ages, max_size=count * ages)), dtype=float).reshape(count, ages)
    true = np.array(draw(st.lists(st.integers(1, 9), min_size=count * ages, max_size=count * ages)), dtype=float)
    true = np.where(seed > 0, true.reshape(count, ages), 0.0)
    return seed, true.sum(axis=1), true.sum(axis=0)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_fitting_agrees_with_plain_loops_zeros_and_all(data: st.DataObject) -> None:
    seed, rows, columns = agreeing(data.draw, least=0)
    fit = fit_margins(seed, np.zeros(len(seed), dtype=int), columns[None, :], rows)
    assert fit.people == pytest.approx(by_hand(seed, rows, columns), abs=1e-6)
    assert (fit.people[seed == 0] == 0).all()
    assert fit.people.sum(axis=1) == pytest.approx(rows, rel=1e-9, abs=1e-9)
    assert fit.people.sum(axis=0) == pytest.approx(columns, rel=1e-9, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=4, max_size=4), st.lists(st.integers(1, 9), min_size=4, max_size=4))
def test_the_fit_is_the_table_nearest_to_the_seed_in_relative_entropy(start: list[int], true: list[int]) -> None:
    seed, other = np.array(start, dtype=float).reshape(2, 2), np.array(true, dtype=float).reshape(2, 2)
    rows, columns = other.sum(axis=1), other.sum(axis=0)
    fit = fit_margins(seed, np.zeros(2, dtype=int), columns[None, :], rows)
    assert fit.people == pytest.approx(nearest_in_entropy(seed, rows, columns), abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_proof_holds_factors_margins_gap_and_falling_distance(data: st.DataObject) -> None:
    seed, rows, columns = agreeing(data.draw, least=1)
    fit = fit_margins(seed, np.zeros(len(seed), dtype=int), columns[None, :], rows)
    assert fit.people == pytest.approx(seed * np.outer(fit.cell_factor, fit.margin_factor[0]), rel=1e-12)
    assert fit.error <= 1e-9 * max(1.0, columns.max())
    assert abs(fit.gap) <= 1e-7
    # the distance to the cells' totals never rises (but for rounding)
    assert all(after <= before + 1e-9 for before, after in zip(fit.history, fit.history[1:], strict=False))
    assert fit.rounds == len(fit.history)


def test_units_are_fitted_each_by_itself() -> None:
    rng = np.random.default_rng(8)
    seed, unit = rng.random((12, 3)) + 0.1, np.array([0, 1, 2] * 4)
    true = rng.random((12, 3)) * 50
    margins = np.stack([true[unit == at].sum(axis=0) for at in range(3)])
    together = fit_margins(seed, unit, margins, true.sum(axis=1)).people
    for at in range(3):
        mine = unit == at
        assert together[mine] == pytest.approx(by_hand(seed[mine], true[mine].sum(axis=1), margins[at], 300), rel=1e-7)


def test_without_totals_of_cells_one_scaling_meets_the_margins() -> None:
    fit = fit_margins(np.array([[1.0, 0.0], [3.0, 5.0]]), np.zeros(2, dtype=int), np.array([[8.0, 2.0]]))
    # 8 people at 1 : 3 and 2 at 0 : 5
    assert fit.people.tolist() == [[2.0, 0.0], [6.0, 2.0]]
    assert (fit.rounds, fit.error) == (0, 0.0)


def told_by(seed: list, margins: list, cells: list) -> list[str]:
    with pytest.raises(InputError) as caught:
        fit_margins(
            np.array(seed, dtype=float),
            np.zeros(len(seed), dtype=int),
            np.array([margins], dtype=float),
            np.array(cells, dtype=float),
            names=(["140602001"], ["p60", "rest"]),
        )
    return [fault.text() for fault in caught.value.faults]


def test_margins_that_differ_are_told_with_both_totals() -> None:
    assert told_by([[1, 1]], [30, 70], [90]) == [
        "1 unit(s) have other totals by age than by cells (table / cells, people): 140602001 100.0 / 90.0. "
        'Say in [demand.ages] which holds: differ = "margins" (the table by unit and age) or "cells" (the cells\' totals).'
    ]


def test_people_where_the_seed_has_none_are_told() -> None:
    assert told_by([[0, 1], [0, 2]], [5, 5], [4, 6])[0] == (
        "unit 140602001: 5.0 people of ages p60 are stated, but its cells hold none of them. Check that figure of the table; "
        "or leave out the ages that the cells hold: give only total in [population], and cells follow the ages of their unit."
    )
    assert told_by([[0, 0], [1, 2]], [5, 5], [4, 6]) == ["cell 1: 4.0 people are stated, but all its groups are 0"]


def test_zeros_that_leave_no_way_are_found_out() -> None:
    # cell 1 can only hold p60, and has 6 people, but the unit has only 5 of them
    told = told_by([[1, 0], [1, 1]], [5, 5], [6, 4])
    assert told[0].startswith("unit 140602001: the zeros of its cells leave no way to meet all totals (")
    assert "Nobody can be put where the cells' own ages are 0: check them; or leave out the ages" in told[0]
    assert not linprog([0] * 3, A_eq=[[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1]], b_eq=[6, 4, 5, 5]).success


def test_a_fit_that_is_possible_only_in_the_limit_is_given_up_early_and_the_cause_said() -> None:
    # cell 1 takes all 5 people of p60, so cell 2 must lose its own: the fit nears 0 ever more slowly and never gets there;
    # after 60 rounds about 5 / 60 people are off, more than one in a thousand
    with pytest.raises(InputError, match=r"unit 0: its totals by age force an age of some cells down to 0") as caught:
        fit_margins(
            np.array([[1.0, 0.0], [1.0, 1.0]]),
            np.zeros(2, dtype=int),
            np.array([[5.0, 5.0]]),
            np.array([5.0, 5.0]),
            most_rounds=60,
        )
    assert "only total in [population]" in caught.value.text("en")
    assert "初值" not in caught.value.text("zh")


def test_a_fit_that_nears_its_totals_stops_near_them_and_says_how_near() -> None:
    cells = cells_of(total=[5.0, 5.0], p60=[5.0, 2.0], unit=["a", "a"])
    fitted = fit_ages(cells, pd.DataFrame({"p60": [5.0]}, index=["a"]))
    # the unit's 5 people aged 60+ all live in cell 1, whose 5 people are all of that age; the second cell has none
    assert fitted.cells["p60"].tolist() == pytest.approx([5.0, 0.0], abs=1e-3)
    assert fitted.cells["p60"].sum() == pytest.approx(5.0, rel=1e-9)
    (told,) = [fault for fault in fitted.faults if fault.code == "fit_near"]
    assert 0 < told.people < 1e-3
    assert "fitting stopped with cells off by at most" in told.en


def test_a_unit_without_ages_is_not_told_to_set_what_is_set() -> None:
    cells = cells_of(total=[60.0, 30.0], unit=["t1", "t2"])
    margins = pd.DataFrame({"total": [0.0, 30.0], "p60": [0.0, 9.0]}, index=["t1", "t2"])
    for differ in ("error", "cells"):
        with pytest.raises(InputError) as caught:
            fit_ages(cells, margins, differ=differ)
        (fault,) = caught.value.faults
        assert fault.en == ("1 unit(s) have 0 people in the table, but people on their cells, whose ages nobody knows: t1 60.0")
        assert fault.cure_en.startswith("State their people, or delete the row")
    assert fit_ages(cells, margins, differ="margins").cells["total"].tolist() == [0.0, 30.0]


def test_units_without_cells_are_told_once_for_all_and_by_name() -> None:
    units = gpd.GeoDataFrame({"name": ["甲街", "乙街", "丙街"], "parent": ""}, index=["a", "b", "c"], geometry=[None] * 3)
    margins = pd.DataFrame({"total": [10.0, 20.0, 5.0], "p0_3": [1.0, 2.0, 1.0], "p60": [2.0, 4.0, 1.0]}, index=["a", "b", "c"])
    with pytest.raises(InputError) as caught:
        fit_ages(cells_of(total=[10.0], unit=["a"]), margins, units=units)
    assert [fault.zh for fault in caught.value.faults] == [
        "2 个单元在年龄表中有人，而人口数据在其范围内没有人：b 乙街 20.0; c 丙街 5.0"
    ]


def test_an_age_that_the_cells_lack_is_named_by_its_years() -> None:
    cells = cells_of(total=[10.0], p0_3=[0.0], p60=[4.0], unit=["a"])
    with pytest.raises(InputError) as caught:
        fit_ages(cells, pd.DataFrame({"p0_3": [2.0], "p60": [4.0]}, index=["a"]))
    assert caught.value.faults[0].zh == "单元 a：0-2 岁应有 2.0 人，而其单元格中该年龄都为 0"


def cells_of(**columns: object) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))
    index = pd.RangeIndex(count, name="cell_id")
    return gpd.GeoDataFrame(pd.DataFrame(columns, index=index), geometry=gpd.points_from_xy(range(count), [0] * count), crs=UTM)


UNITS = gpd.GeoDataFrame({"parent": ["", "", "t1", "t1"]}, index=["t1", "t2", "v1", "v2"], geometry=[None] * 4)


def test_a_census_gives_cells_their_ages_and_keeps_their_totals() -> None:
    cells = cells_of(total=[60.0, 40.0, 50.0], unit=["v1", "v2", "t2"])
    margins = pd.DataFrame({"total": [100.0, 50.0], "p60": [20.0, 25.0], "p80": [5.0, 1.0]}, index=["t1", "t2"])
    fitted = fit_ages(cells, margins, units=UNITS)
    # without any pattern of their own, cells follow their unit: 60 % and 40 % of t1
    assert fitted.cells["p60"].tolist() == pytest.approx([12.0, 8.0, 25.0])
    assert fitted.cells["p80"].tolist() == pytest.approx([3.0, 2.0, 1.0])
    assert fitted.cells["total"].tolist() == pytest.approx([60.0, 40.0, 50.0], rel=1e-12)
    assert fitted.fit is not None
    assert fitted.fit.error < 1e-9
    assert "all residents 150.0 -> 150.0 (kept)" in fitted.ledger.text("en")
    assert "p60" not in cells.columns


def test_ages_that_cells_know_are_the_pattern() -> None:
    cells = cells_of(total=[50.0, 50.0], p60=[20.0, 10.0], unit=["t1", "t1"])
    fitted = fit_ages(cells, pd.DataFrame({"p60": [40.0], "p80": [8.0]}, index=["t1"])).cells
    expected = by_hand(np.array([[30.0, 20.0], [40.0, 10.0]]), np.array([50.0, 50.0]), np.array([60.0, 40.0]), 200)
    assert fitted["p60"].to_numpy() == pytest.approx(expected[:, 1], rel=1e-9)
    # p80 is a fifth of p60 in the unit and in each cell, since no cell says otherwise
    assert fitted["p80"].to_numpy() == pytest.approx(expected[:, 1] / 5, rel=1e-9)


def test_totals_that_differ_stop_or_are_settled_as_asked_and_told() -> None:
    cells = cells_of(total=[60.0, 30.0], unit=["t1", "t1"])
    margins = pd.DataFrame({"total": [100.0], "p60": [20.0]}, index=["t1"])
    with pytest.raises(InputError, match=r"\(table / cells, people\): t1 100\.0 / 90\.0"):
        fit_ages(cells, margins)
    census = fit_ages(cells, margins, differ="margins")
    assert census.cells[["total", "p60"]].sum().tolist() == pytest.approx([100.0, 20.0])
    assert census.faults[0].text() == "unit t1: 100.0 people by age, 90.0 by cells; the ages hold"
    raster = fit_ages(cells, margins, differ="cells")
    assert raster.cells[["total", "p60"]].sum().tolist() == pytest.approx([90.0, 18.0])
    assert raster.faults[0].text("zh") == "单元 t1：年龄表合计 100.0 人，单元格合计 90.0 人，以单元格为准"
    assert (raster.faults[0].people, raster.faults[0].severity) == (10.0, "repaired")


def test_cells_in_no_unit_get_the_shares_of_all_and_are_told() -> None:
    cells = cells_of(total=[80.0, 20.0], unit=["t1", ""])
    fitted = fit_ages(cells, pd.DataFrame({"p60": [20.0]}, index=["t1"]))
    assert fitted.cells["p60"].tolist() == pytest.approx([20.0, 5.0])
    assert fitted.cells["total"].tolist() == pytest.approx([80.0, 20.0])
    assert fitted.faults[0].text() == "1 cell(s) (20.0 people) lie in no unit of the table; they get the shares of all units"


def test_a_census_of_missing_or_negative_numbers_is_refused() -> None:
    cells = cells_of(total=[80.0], unit=["t1"])
    for bad in (np.nan, -1.0):
        with pytest.raises(ValueError, match="margins must be numbers of people, 0 or more"):
            fit_ages(cells, pd.DataFrame({"p60": [bad]}, index=["t1"]))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(0, 60), st.integers(0, 20)), min_size=2, max_size=8), st.integers(1, 3)
)
def test_a_census_made_of_the_cells_gives_every_unit_its_people(rows: list[tuple[int, int, int]], units: int) -> None:
    people = pd.DataFrame(rows, columns=["rest", "mid", "p80"], dtype=float)
    total, p60 = people.sum(axis=1), people["mid"] + people["p80"]
    unit = [f"t{at % units}" for at in range(len(people))]
    census = pd.DataFrame({"total": total, "p60": p60, "p80": people["p80"]}).groupby(pd.Series(unit)).sum()
    fitted = fit_ages(cells_of(total=total.tolist(), unit=unit), census)
    again = pd.DataFrame(fitted.cells[["total", "p60", "p80"]]).groupby(pd.Series(unit, index=fitted.cells.index)).sum()
    assert again.to_numpy() == pytest.approx(census.to_numpy(), rel=1e-9, abs=1e-9)
    assert fitted.cells["total"].tolist() == pytest.approx(total.tolist(), rel=1e-9)
