"""Later years: rates, totals, cohorts, housing, births; and priority groups."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careshed.demand import (
    AgeSpan,
    CohortModel,
    GrowthRate,
    Scenario,
    StatedTotals,
    add_housing,
    add_priority_groups,
    children_from_births,
    fit_ages,
    follow,
    project_people,
    read_housing,
    single_years,
    weigh_demand,
)
from careshed.demand.spans import OPEN
from careshed.schema import InputError

UTM = "EPSG:32651"
UNITS = gpd.GeoDataFrame({"parent": ["", "", "t1"]}, index=["t1", "t2", "v1"], geometry=[None] * 3)


def cells_of(**columns: object) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))
    index = pd.RangeIndex(count, name="cell_id")
    return gpd.GeoDataFrame(pd.DataFrame(columns, index=index), geometry=gpd.points_from_xy(range(count), [0] * count), crs=UTM)


def to(year: int) -> Scenario:
    return Scenario("中方案", "medium", "市统计局", year, 2025)


TOWN = cells_of(total=[100.0, 300.0, 50.0], p60=[40.0, 60.0, 10.0], p80=[10.0, 5.0, 1.0], unit=["t1", "v1", "t2"])


def test_a_rate_compounds_and_keeps_the_pattern_of_every_band() -> None:
    rate = GrowthRate(pd.DataFrame({"total": [0.0], "p60": [0.03], "p80": [0.05]}, index=["ALL"]))
    later = project_people(TOWN, rate, to(2030))
    assert later.cells[["total", "p60", "p80"]].sum().to_numpy() == pytest.approx([450, 110 * 1.03**5, 16 * 1.05**5])
    # p80 scales by itself; 60–79 and under 60 keep their shares of what is left
    assert later.cells["p80"].to_numpy() == pytest.approx(TOWN["p80"] * 1.05**5)
    young = (TOWN["p60"] - TOWN["p80"]) / 94
    assert (later.cells["p60"] - later.cells["p80"]).to_numpy() == pytest.approx(young * (110 * 1.03**5 - 16 * 1.05**5))
    assert later.scenario.text("zh") == "情景“中方案”，2030 年（基年 2025；来源：市统计局）"
    assert (
        later.ledger.text("en")
        .splitlines()[0]
        .startswith("scenario medium, 2030 (from 2025; source: 市统计局): all residents 450.0")
    )
    assert "p60" in TOWN
    assert later.faults == ()


def test_the_base_year_itself_changes_nobody() -> None:
    rate = GrowthRate(pd.DataFrame({"total": [0.02]}, index=["ALL"]))
    same = project_people(TOWN, rate, to(2025)).cells
    assert same[["total", "p60", "p80"]].to_numpy() == pytest.approx(TOWN[["total", "p60", "p80"]].to_numpy(), rel=1e-14)


def test_stated_totals_are_met_by_unit_and_missing_groups_keep_their_share() -> None:
    stated = StatedTotals({2030: pd.DataFrame({"total": [800.0, 25.0], "p60": [150.0, 8.0]}, index=["t1", "t2"])})
    later = project_people(TOWN, stated, to(2030), units=UNITS).cells
    assert later[["total", "p60"]].sum().tolist() == pytest.approx([825.0, 158.0])
    assert later["p80"].tolist() == pytest.approx([20.0, 10.0, 0.5])
    assert later["total"].iloc[2] == pytest.approx(25.0)
    with pytest.raises(ValueError, match="no totals are stated for 2035, only for 2030"):
        project_people(TOWN, stated, to(2035), units=UNITS)


def test_columns_that_name_no_ages_follow_their_cell() -> None:
    cells = TOWN.assign(workers=[10.0, 0.0, 5.0])
    rate = GrowthRate(pd.DataFrame({"total": [0.1]}, index=["ALL"]))
    assert project_people(cells, rate, to(2026)).cells["workers"].tolist() == pytest.approx([11.0, 0.0, 5.5])


def test_units_that_a_scenario_leaves_out_stay_and_are_told() -> None:
    rate = GrowthRate(pd.DataFrame({"total": [0.1]}, index=["t1"]))
    later = project_people(TOWN, rate, to(2026), units=UNITS)
    assert later.cells["total"].tolist() == pytest.approx([110.0, 330.0, 50.0])
    assert later.faults[0].text() == "1 cell(s) (50.0 people) lie in no unit of the scenario and stay as in 2025"


def test_rates_and_totals_that_say_too_little_or_too_much_are_refused() -> None:
    for by, told in (
        (
            GrowthRate(pd.DataFrame({"p60": [0.1]}, index=["ALL"])),
            r"no rate is stated for total, p80\. State one, or one for total",
        ),
        (GrowthRate(pd.DataFrame({"total": [-1.0]}, index=["ALL"])), "a rate of growth must be above"),
        (StatedTotals({2030: pd.DataFrame({"total": [np.nan]}, index=["ALL"])}), "margins must be numbers of people"),
    ):
        with pytest.raises(ValueError, match=told):
            project_people(TOWN, by, to(2030))
    with pytest.raises(InputError, match=r"unit ALL: the age groups contradict each other \(total 450, p60 500"):
        project_people(TOWN, StatedTotals({2030: pd.DataFrame({"total": [450.0], "p60": [500.0]}, index=["ALL"])}), to(2030))


def test_people_of_an_age_that_nobody_is_now_follow_all_residents() -> None:
    cells = cells_of(total=[30.0, 10.0], p80=[0.0, 0.0], unit=["t1", "t1"])
    later = project_people(cells, StatedTotals({2030: pd.DataFrame({"total": [40.0], "p80": [4.0]}, index=["t1"])}), to(2030))
    assert later.cells["p80"].tolist() == pytest.approx([3.0, 1.0])
    assert later.cells["total"].sum() == pytest.approx(40.0)
    assert later.faults[0].text() == "unit t1: nobody of that age lives there now; they follow all residents"
    empty = cells_of(total=[0.0], unit=["t1"])
    with pytest.raises(InputError, match=r"9\.0 people are projected where nobody lives now. Give them as announced housing"):
        project_people(empty, StatedTotals({2030: pd.DataFrame({"total": [9.0]}, index=["t1"])}), to(2030))


def by_loops(start: list[float], survival: list[float], births: list[float], newborn: float, moves: list[float], years: int):
    """Follow one unit year by year and age by age."""
    people, born, died, moved = list(start), 0.0, 0.0, 0.0
    for _ in range(years):
        babies = sum(count * rate for count, rate in zip(people, births, strict=True))
        after = [0.0] * len(people)
        for age, count in enumerate(people):
            after[min(age + 1, len(people) - 1)] += count * survival[age]
            died += count * (1 - survival[age])
        after[0] += babies * newborn
        died += babies * (1 - newborn)
        born += babies
        moved += sum(moves)
        people = [count + move for count, move in zip(after, moves, strict=True)]
    return people, born, died, moved


ages = st.integers(3, 8)


@settings(max_examples=25, deadline=None)
@given(ages, st.integers(0, 6), st.randoms(use_true_random=False))
def test_cohorts_agree_with_plain_loops_and_lose_nobody(count: int, years: int, random: object) -> None:
    start = [[random.uniform(50, 500) for _ in range(count)] for _ in range(2)]
    survival, births = [random.random() for _ in range(count)], [random.uniform(0, 0.1) for _ in range(count)]
    moves, newborn = [[random.uniform(0, 5) for _ in range(count)] for _ in range(2)], random.random()
    model = CohortModel(
        pd.DataFrame(start, index=["a", "b"]),
        np.array(survival),
        np.array(births),
        newborn,
        pd.DataFrame(moves, index=["a", "b"]),
    )
    found = follow(model, years)
    for at, unit in enumerate("ab"):
        people, born, died, moved = by_loops(start[at], survival, births, newborn, moves[at], years)
        assert found.people.loc[unit].tolist() == pytest.approx(people, rel=1e-12)
        account = found.account.loc[unit]
        assert account[["births", "deaths", "moves"]].tolist() == pytest.approx([born, died, moved], rel=1e-9, abs=1e-9)
        assert account["end"] == pytest.approx(
            account["start"] + account["births"] - account["deaths"] + account["moves"], rel=1e-12
        )


def test_cohorts_without_moves_are_powers_of_the_leslie_matrix() -> None:
    survival, births = np.array([0.9, 0.95, 0.8]), np.array([0.0, 0.3, 0.1])
    leslie = np.array([[0.0, 0.3 * 0.98, 0.1 * 0.98], [0.9, 0.0, 0.0], [0.0, 0.95, 0.8]])
    model = CohortModel(pd.DataFrame([[100.0, 80.0, 60.0]], index=["a"]), survival, births, 0.98)
    expected = np.linalg.matrix_power(leslie, 10) @ np.array([100.0, 80.0, 60.0])
    assert follow(model, 10).people.loc["a"].to_numpy() == pytest.approx(expected, rel=1e-12)


def test_cells_grow_like_the_cohorts_of_their_unit() -> None:
    people = pd.DataFrame([[10.0] * 100 + [20.0]], index=["t1"], columns=range(101))
    model = CohortModel(people, np.ones(101), np.zeros(101))
    cells = cells_of(total=[510.0, 510.0], p60=[210.0, 210.0], p0_3=[10.0, 20.0], unit=["t1", "t1"])
    later = project_people(cells, model, to(2030)).cells
    # everybody lives on and nobody is born: 50 people reach 60 (420 to 470), the 30 under 3 and the 20 of ages 3 and 4 are gone
    assert later["p60"].tolist() == pytest.approx([210 * 470 / 420] * 2)
    assert later["p0_3"].tolist() == [0.0, 0.0]
    assert model.groups(people, ["total", "p0_3", "p80"]).loc["t1"].tolist() == [1020.0, 30.0, 220.0]
    with pytest.raises(ValueError, match=r"the open class 100\+ cannot be cut"):
        model.groups(people, ["p105"])


def test_a_cohort_model_that_cannot_run_says_everything_that_is_wrong() -> None:
    people = pd.DataFrame([[1.0, -1.0]], index=["a"])
    model = CohortModel(people, np.array([1.5, 1.0]), np.array([0.1]), 2.0, pd.DataFrame([[0.0]], index=["a"]))
    with pytest.raises(ValueError, match="the cohort model cannot run") as caught:
        follow(model, -2)
    for part in (
        "2 year(s) before",
        "survival must be between 0 and 1",
        "births_per_person has 1 ages, the people 2",
        "newborn_survival must be",
        "people must be 0 or more",
        "moves must have the units",
    ):
        assert part in str(caught.value)
    leaving = CohortModel(
        pd.DataFrame([[5.0, 5.0]], index=["a"]), np.ones(2), np.zeros(2), 1.0, pd.DataFrame([[-1.0, 0.0]], index=["a"])
    )
    with pytest.raises(ValueError, match="year 1, unit a: more people of age 0 move out than live there"):
        follow(leaving, 1)


def test_age_classes_become_single_years() -> None:
    table = pd.DataFrame({"young": [10.0], "old": [7.0]}, index=["a"])
    assert single_years(table, {"young": AgeSpan(0, 5), "old": AgeSpan(5, OPEN)}).loc["a"].tolist() == [2.0] * 5 + [7.0]
    with pytest.raises(ValueError, match="leave out people of total"):
        single_years(table, {"young": AgeSpan(0, 4), "old": AgeSpan(5, OPEN)})


def test_births_become_the_children_under_three() -> None:
    births = pd.DataFrame({2023: [100.0], 2024: [90.0], 2025: [80.0]}, index=["t1"])
    assert children_from_births(births, year=2025, survival=[0.995, 0.99]).tolist() == pytest.approx(
        [80 * 0.995 + 90 * 0.99 + 100]
    )
    with pytest.raises(ValueError, match="births of 2026 are not stated; 2024 to 2026 are needed"):
        children_from_births(births, year=2026)
    with pytest.raises(ValueError, match="births must be 0 or more"):
        children_from_births(-births, year=2025)


def homes(**columns: object) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy([9.0] * count, [8.0] * count), crs=UTM)


def test_announced_housing_counts_from_its_year_on_and_not_twice() -> None:
    housing = homes(year=[2024, 2026, 2030, 2031], total=[1000.0, 200.0, 100.0, 50.0])
    added = add_housing(TOWN.assign(row=0, col=0), housing, year=2030, since=2025, shares={"p60": 0.1, "p80": 0.02})
    fresh = added.cells.iloc[3:]
    assert fresh.index.tolist() == [3, 4]
    assert fresh[["total", "p60", "p80", "unit", "row"]].to_dict("list") == {
        "total": [200.0, 100.0], "p60": [20.0, 10.0], "p80": [4.0, 2.0], "unit": ["", ""], "row": [-1, -1],
    }  # fmt: skip
    assert added.cells.iloc[:3]["total"].tolist() == TOWN["total"].tolist()
    assert added.faults[0].text() == (
        "2 place(s) of new housing count with 300 people; 1 were ready by 2025 and 1 come after 2030: not added"
    )
    assert added.ledger.text("en").splitlines()[0] == "housing ready 2026–2030: all residents 450.0 -> 750.0 (+300.0)"


def test_new_residents_have_the_ages_of_all_unless_stated() -> None:
    plain = add_housing(TOWN, homes(year=[2026], total=[450.0]), year=2026, since=2025).cells.iloc[3]
    assert (plain["p60"], plain["p80"]) == (pytest.approx(110.0), pytest.approx(16.0))
    own = add_housing(TOWN, homes(year=[2026], total=[450.0], p60=[7.0], p80=[1.0]), year=2026, since=2025).cells.iloc[3]
    assert (own["p60"], own["p80"]) == (7.0, 1.0)
    with pytest.raises(ValueError, match="no share of new residents is stated for p80"):
        add_housing(TOWN, homes(year=[2026], total=[1.0]), year=2026, since=2025, shares={"p60": 0.1})
    with pytest.raises(ValueError, match="between 0 and 1"):
        add_housing(TOWN, homes(year=[2026], total=[1.0]), year=2026, since=2025, shares={"p60": 10, "p80": 0})
    with pytest.raises(ValueError, match="convert them with to_crs first"):
        add_housing(TOWN, homes(year=[2026], total=[1.0]).to_crs("EPSG:4326"), year=2026, since=2025)
    with pytest.raises(InputError, match="housing 3: the age groups contradict each other"):
        add_housing(TOWN, homes(year=[2026], total=[1.0]), year=2026, since=2025, shares={"p60": 0.1, "p80": 0.2})


def test_a_list_of_housing_is_read_by_people_or_by_homes(tmp_path: Path) -> None:
    file = tmp_path / "housing.csv"
    file.write_text("项目,经度,纬度,交付年份,规划户数\n甲,121.5,31.2,2027,100\n", encoding="utf-8")
    read = read_housing(file, crs_out=UTM, crs="EPSG:4326", datum="WGS-84", household_size=3.0)
    assert read.table[["year", "total"]].to_dict("list") == {"year": [2027.0], "total": [300.0]}
    assert "3 people are counted a home" in [fault.text() for fault in read.faults]
    file.write_text("经度,纬度,year,人口,户数\n121.5,31.2,2027,40,100\n", encoding="utf-8")
    assert read_housing(file, crs_out=UTM, crs="EPSG:4326", datum="WGS-84").table["total"].tolist() == [40.0]
    file.write_text("经度,纬度,项目\n121.5,31.2,甲\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_housing(file, crs_out=UTM, crs="EPSG:4326", datum="WGS-84")
    assert [fault.text().split(".")[0] for fault in caught.value.faults] == [
        "column 'year' is missing",
        "column 'homes' is missing",
    ]


def test_priority_groups_follow_the_group_they_belong_to_and_keep_their_totals() -> None:
    counts = pd.DataFrame({"disabled": [20.0, 5.0]}, index=["t1", "t2"])
    spread = add_priority_groups(TOWN, counts, by={"disabled": "p60"}, units=UNITS)
    assert spread.cells["disabled"].tolist() == pytest.approx([8.0, 12.0, 5.0])
    assert "disabled → 25.0（新增）" in spread.ledger.text("zh")
    with pytest.raises(InputError, match=r"unit t2: 11 people of disabled, more than the 10 of p60 they belong to"):
        add_priority_groups(TOWN, counts.assign(disabled=[0.0, 11.0]), by={"disabled": "p60"}, units=UNITS)


def test_a_priority_group_of_a_group_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match=r"the cells hold no p70; they hold total, p60, p80\. Use one of those"):
        add_priority_groups(TOWN, pd.DataFrame({"disabled": [1.0]}, index=["t1"]), by={"disabled": "p70"})


def test_weighted_demand_is_a_column_of_its_own() -> None:
    assert weigh_demand(TOWN, {"p60": 1.0, "p80": 2.0})["demand"].tolist() == [60.0, 70.0, 12.0]
    assert "demand" not in TOWN
    for weights, name, told in (
        ({"p70": 1.0}, "demand", "the cells hold no p70; they hold total, p60, p80"),
        ({"p60": -1.0}, "demand", "weights of groups must be 0 or more"),
        ({"p60": 1.0}, "p80", "the cells hold 'p80' already"),
    ):
        with pytest.raises(ValueError, match=told):
            weigh_demand(TOWN, weights, name=name)


def test_each_year_of_stated_totals_may_state_other_units() -> None:
    cells = cells_of(total=[100.0, 50.0], unit=["a", "b"])
    stated = StatedTotals(
        {2028: pd.DataFrame({"total": [120.0]}, index=["a"]), 2030: pd.DataFrame({"total": [200.0, 80.0]}, index=["a", "b"])}
    )
    later = project_people(cells, stated, to(2030))
    assert later.cells["total"].tolist() == pytest.approx([200.0, 80.0])
    assert later.faults == ()
    sooner = project_people(cells, stated, to(2028))
    assert sooner.cells["total"].tolist() == pytest.approx([120.0, 50.0])
    assert [fault.code for fault in sooner.faults] == ["not_projected"]


def test_a_table_of_a_unit_and_units_in_it_says_whom_its_row_counts() -> None:
    units = gpd.GeoDataFrame({"parent": ["", "t", "t"]}, geometry=[None] * 3, index=["t", "v1", "v2"])
    cells = cells_of(total=[10.0, 10.0], unit=["v1", "v2"])
    stated = pd.DataFrame({"total": [30.0, 12.0]}, index=["t", "v1"])
    told = "unit t stands beside 1 unit(s) in it (such as v1): its row counts for the rest of it. Delete the row if it is a sum."
    later = project_people(cells, StatedTotals({2030: stated}), to(2030), units=units)
    # v1 has a row of its own, so that all 30 of the township go to v2
    assert later.cells["total"].tolist() == pytest.approx([12.0, 30.0])
    assert [fault.text() for fault in later.faults] == [told]
    fitted = fit_ages(cells, pd.DataFrame({"p60": [3.0, 2.0]}, index=["t", "v1"]), units=units)
    assert told in [fault.text() for fault in fitted.faults]


def test_cells_in_no_unit_of_the_priority_counts_are_told() -> None:
    cells = cells_of(total=[10.0, 10.0], p60=[4.0, 4.0], unit=["a", "b"])
    made = add_priority_groups(cells, pd.DataFrame({"disabled": [1.0]}, index=["a"]), by={"disabled": "p60"})
    assert made.cells["disabled"].tolist() == [1.0, 0.0]
    assert [fault.text() for fault in made.faults] == [
        "1 cell(s) (4.0 people of p60) lie in no unit of the table of disabled: taken as 0 there"
    ]


def test_a_priority_group_may_not_take_the_name_of_a_group_that_is_there() -> None:
    cells = cells_of(total=[10.0], p60=[4.0], unit=["a"])
    with pytest.raises(InputError, match=r"the cells hold p60 already\. Give the priority group another name\."):
        add_priority_groups(cells, pd.DataFrame({"p60": [1.0]}, index=["a"]), by={"p60": "total"})


def test_a_year_of_two_digits_does_not_make_housing_an_old_one(tmp_path: Path) -> None:
    file = tmp_path / "homes.csv"
    file.write_text("名称,经度,纬度,交付年份,户数\n甲苑,121.5,31.2,2028,100\n乙苑,121.5,31.2,28,50\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_housing(file, crs_out=UTM, crs="EPSG:4326", datum="WGS-84")
    assert [fault.text() for fault in caught.value.faults] == [
        "row 3, column '交付年份': the year must be between 1900 and 2100 (found '28'). "
        "Write a year of four digits, such as 2028."
    ]
