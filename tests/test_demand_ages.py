"""Ages: groups from classes and rasters, bands, the account of people."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import Affine

from careshed.demand import age_rasters, ages_from_classes, ages_from_shares, bands_of, class_span, read_age_rasters, read_margins
from careshed.demand.ages import ages_of_columns
from careshed.demand.ledger import Ledger, kept, people_of, unit_rows
from careshed.demand.spans import OPEN, AgeSpan, banded, check_classes
from careshed.schema import InputError

UTM = "EPSG:32651"
CLASSES = {"a0": AgeSpan(0, 1), "a1": AgeSpan(1, 5), "a5": AgeSpan(5, 10), "a10": AgeSpan(10, 60), "a60": AgeSpan(60, 80),
           "a80": AgeSpan(80, OPEN)}  # fmt: skip


def cells_of(**columns: object) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))
    index = pd.RangeIndex(count, name="cell_id")
    return gpd.GeoDataFrame(pd.DataFrame(columns, index=index), geometry=gpd.points_from_xy(range(count), [0] * count), crs=UTM)


def test_groups_are_sums_of_classes_and_a_cut_class_is_split_by_year_of_age() -> None:
    cells = cells_of(a0=[10.0], a1=[40.0], a5=[50.0], a10=[400.0], a60=[60.0], a80=[8.0], unit=["u"])
    people = ages_from_classes(cells, CLASSES, groups=["total", "p0_3", "p3_6", "p60", "p80"])
    # under 3: age 0 and half of 1–4; 3 to under 6: the other half and a fifth of 5–9
    assert people.cells.drop(columns="geometry").loc[0].to_dict() == {
        "unit": "u", "total": 568.0, "p0_3": 30.0, "p3_6": 30.0, "p60": 68.0, "p80": 8.0,
    }  # fmt: skip
    assert [fault.text() for fault in people.faults] == [
        "p0_3: ages are taken as even within a class (1-4 × 0.5); 20 people (67%) rest on it",
        "p3_6: ages are taken as even within a class (1-4 × 0.5, 5-9 × 0.2); 30 people (100%) rest on it",
    ]
    assert people.ledger.text("en").splitlines()[0] == "groups from age classes: all residents 568.0 -> 568.0 (kept)"
    assert list(cells.columns) == [*CLASSES, "unit", "geometry"]


@pytest.mark.parametrize(
    ("spans", "groups", "told"),
    [
        ([AgeSpan(0, 5), AgeSpan(4, OPEN)], ["total"], r"the age classes 0-4 and 4\+ overlap"),
        ([AgeSpan(0, 5), AgeSpan(10, OPEN)], ["total"], "leave out people of total: none begins at 5"),
        ([AgeSpan(0, 5)], ["p60"], "leave out people of p60: none begins at 60"),
        ([AgeSpan(0, 80), AgeSpan(80, OPEN)], ["p85"], r"the open class 80\+ cannot be cut at 85\+"),
    ],
)
def test_classes_that_cannot_give_a_group_are_refused(spans: list[AgeSpan], groups: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_classes(spans, groups)


def test_labels_of_years_are_spans_in_any_usual_spelling() -> None:
    labels = ["0岁", "1—4岁", "5～9", "60 - 64 years", "85岁及以上", "80+", "100 and over", "３"]
    assert [class_span(label) for label in labels] == [
        (0, 1), (1, 5), (5, 10), (60, 65), (85, OPEN), (80, OPEN), (100, OPEN), (3, 4),
    ]  # fmt: skip
    assert [class_span(label) for label in ("人口", "2020年", "", "1-4-5")] == [None, None, None, None]


def test_names_of_worldpop_say_sex_and_ages() -> None:
    found = age_rasters(["chn_f_0_2020.tif", "chn_m_80_2020.tif", "chn_f_1_2020.tif", "chn_m_75_2020.tif"])
    assert {name: (sex, span.text()) for name, (sex, span) in found.items()} == {
        "chn_f_0_2020.tif": ("f", "0"),
        "chn_m_80_2020.tif": ("m", "80+"),
        "chn_f_1_2020.tif": ("f", "1+"),
        "chn_m_75_2020.tif": ("m", "75-79"),
    }
    with pytest.raises(ValueError, match=r"no sex and age in the name\(s\) total.tif"):
        age_rasters(["total.tif"])
    with pytest.raises(ValueError, match="two rasters are of the same sex and age"):
        age_rasters(["a_f_0_2020", "b_f_0_2020"])
    with pytest.raises(ValueError, match="stand beside rasters of one sex"):
        age_rasters(["a_t_0_2020", "b_f_0_2020"])


def test_a_set_of_age_rasters_becomes_the_groups_of_the_study(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    lows = [0, 1, 5, 10, 60, 65, 80]
    layers = {f"chn_{sex}_{low}_2020": rng.integers(0, 9, (4, 6)) for sex in "fm" for low in lows}
    profile = {"driver": "GTiff", "height": 4, "width": 6, "count": 1, "dtype": "float32", "crs": UTM}
    for name, people in layers.items():
        with rasterio.open(tmp_path / f"{name}.tif", "w", **profile, transform=Affine(100, 0, 3e5, 0, -100, 35e5)) as file:
            file.write(people.astype(np.float32), 1)
    files = sorted(tmp_path.glob("*.tif"))
    population, ledger, faults = read_age_rasters(files, groups=["total", "p0_3", "p60"], crs_out=UTM)
    cells = population.cells
    total = sum(layers.values())
    assert cells["total"].tolist() == total[cells["row"], cells["col"]].tolist()
    young = sum(layers[f"chn_{sex}_0_2020"] + layers[f"chn_{sex}_1_2020"] / 2 for sex in "fm")
    assert cells["p0_3"].to_numpy() == pytest.approx(young[cells["row"], cells["col"]])
    assert kept(float(total.sum()), cells["total"].sum())
    assert "(kept)" in ledger.text("en").splitlines()[0]
    assert "even_ages" in {fault.code for fault in faults}


def test_shares_hold_for_all_or_by_unit_and_reach_the_units_below() -> None:
    cells = cells_of(total=[100.0, 50.0, 0.0], unit=["v1", "t2", ""])
    one = ages_from_shares(cells, {"p60": 0.2})
    assert one.cells["p60"].tolist() == [20.0, 10.0, 0.0]
    assert "all residents 150.0 -> 150.0 (kept)" in one.ledger.text("en")
    units = gpd.GeoDataFrame({"parent": ["", "", "t1"]}, index=["t1", "t2", "v1"], geometry=[None] * 3)
    by_unit = ages_from_shares(cells, pd.DataFrame({"p60": [0.1, 0.4]}, index=["t1", "t2"]), units=units)
    assert by_unit.cells["p60"].tolist() == [10.0, 20.0, 0.0]
    with pytest.raises(ValueError, match=r"50\.0 people live in 1 cell\(s\) of no unit that has shares"):
        ages_from_shares(cells, pd.DataFrame({"p60": [0.1]}, index=["t1"]), units=units)
    with pytest.raises(ValueError, match="between 0 and 1"):
        ages_from_shares(cells, {"p60": 20.0})


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 500), min_size=101, max_size=101),
    st.lists(
        st.sampled_from(["total", "p0_3", "p3_6", "p0_6", "p60", "p65", "p80", "p18_60"]), min_size=1, max_size=6, unique=True
    ),
)
def test_bands_and_groups_are_two_ways_of_saying_the_same(ages: list[int], groups: list[str]) -> None:
    def count(group: str) -> float:
        """Count a group year by year of age."""
        if group == "total":
            return float(sum(ages))
        low, _, high = group.removeprefix("p").partition("_")
        return float(sum(ages[int(low) : int(high) if high else None]))

    bands = bands_of(groups)
    people = np.array([[count(group) for group in groups]])
    split = bands.split(people)
    assert (split >= 0).all()
    assert bands.join(split).tolist() == people.tolist()
    assert bands.holds.shape[1] <= len(groups)


def test_groups_that_overlap_without_nesting_have_no_bands() -> None:
    with pytest.raises(ValueError, match="p0_5, p3_6 overlap without one holding the other"):
        bands_of(["p0_5", "p3_6"])
    for odd in ("old", "p6_3"):
        with pytest.raises(ValueError, match=f"{odd!r} names no ages"):
            bands_of(["total", odd])


def test_groups_that_contradict_each_other_are_told_with_their_numbers() -> None:
    table = pd.DataFrame({"total": [100.0, 90.0], "p60": [20.0, 30.0], "p65": [25.0, 10.0]}, index=["a", "b"])
    with pytest.raises(InputError) as caught:
        banded(table, bands_of(list(table.columns)), file="census.xlsx")
    assert [fault.text() for fault in caught.value.faults] == [
        "unit a: the age groups contradict each other (total 100, p60 20, p65 25). "
        "A group must not hold fewer people than those in it; correct it."
    ]
    many = pd.DataFrame({"total": [1.0] * 25, "p60": [2.0] * 25})
    with pytest.raises(InputError, match="5 more of the same kind"):
        banded(many, bands_of(["total", "p60"]))


def test_a_redundant_group_must_be_the_sum_of_its_parts() -> None:
    bands = bands_of(["p0_3", "p3_6", "p0_6"])
    good = pd.DataFrame({"p0_3": [3.0], "p3_6": [4.0], "p0_6": [7.0]})
    assert banded(good, bands).tolist() == [[3.0, 4.0]]
    with pytest.raises(InputError, match="contradict each other"):
        banded(good.assign(p0_6=8.0), bands)


def test_a_step_that_loses_people_is_an_error_of_the_program() -> None:
    one, two = pd.DataFrame({"total": [10.0]}), pd.DataFrame({"total": [9.0]})
    with pytest.raises(ArithmeticError, match=r"halved: total went from 10.0 to 9.0"):
        Ledger().add(("减", "halved"), one, two, keeps=["total"])
    both = Ledger().add(("减", "less"), one, two) + Ledger().add(("新", "new"), pd.DataFrame(), one)
    assert both.text("zh") == "减：全部人口 10.0 → 9.0（-1.0）\n新：全部人口 → 10.0（新增）"
    assert both.text("en").endswith("new: all residents -> 10.0 (new)")
    assert both.table("en").to_dict("records")[0] == {
        "step": "less", "group": "total", "before": 10.0, "after": 9.0, "change": -1.0,
    }  # fmt: skip


def test_totals_are_added_up_without_rounding() -> None:
    # 1e16 + 1 + … is lost in plain sums; an exact sum keeps every person
    assert people_of(pd.DataFrame({"total": [1e16, 1.0, 1.0, -1e16], "unit": ["a"] * 4})) == {"total": 2.0}


def test_units_above_are_found_and_others_are_nowhere() -> None:
    units = gpd.GeoDataFrame({"parent": ["", "c", "t"]}, index=["c", "t", "v"], geometry=[None] * 3)
    cells = cells_of(total=[1.0] * 4, unit=["v", "t", "x", ""])
    assert unit_rows(cells, ["c", "t"], units).tolist() == [1, 1, -1, -1]
    assert unit_rows(cells, ["c"], units).tolist() == [0, 0, -1, -1]
    assert unit_rows(cells, ["t"]).tolist() == [-1, 0, -1, -1]


def census(folder: Path, text: str) -> Path:
    (folder / "census.csv").write_text(text, encoding="utf-8")
    return folder / "census.csv"


def test_a_census_by_township_gives_groups_by_name_and_by_class(tmp_path: Path) -> None:
    file = census(
        tmp_path, "代码,名称,总人口,0岁,1-4岁,5-59岁,60岁及以上\n140602001,甲,100,2,8,70,20\n140602002,乙,50,1,4,35,10\n"
    )
    read = read_margins(file, groups=("total", "p60", "p0_3"))
    assert read.table.to_dict("index") == {
        "140602001": {"total": 100.0, "p60": 20.0, "p0_3": 6.0},
        "140602002": {"total": 50.0, "p60": 10.0, "p0_3": 3.0},
    }
    assert "p0_3: ages are taken as even in 1-4岁 × 0.5" in [fault.text() for fault in read.faults]


def test_faults_of_a_census_are_told_with_their_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_margins(census(tmp_path, "代码,总人口,0岁,1-4岁\n1,,2,\n1,-5,x,3\n"), groups=("p0_3", "p60"))
    told = caught.value.text("en")
    for part in (
        "row 2, 3, column '代码': id '1' occurs 2 times",
        "row 2, column '总人口': the number of people is blank",
        "row 3, column '总人口': must not be negative",
        "the age columns cannot give p0_3, p60: the age classes leave out people of p60: none begins at 60",
    ):
        assert part in told
    with pytest.raises(InputError, match="column 'id' is missing"):
        read_margins(census(tmp_path, "总人口\n1\n"))
    with pytest.raises(InputError, match="column 'total' is missing"):
        read_margins(census(tmp_path, "代码,备注\n1,x\n"))
    with pytest.raises(InputError, match="has a row for every person"):
        read_margins(census(tmp_path, "代码,姓名\n1,x\n"))
    with pytest.raises(InputError, match=r"row 2, column '1-4岁': the number of people is blank"):
        read_margins(census(tmp_path, "代码,总人口,0岁,1-4岁\n1,9,2,\n"), groups=("p0_3",))


LAST = ["80岁及以上", "80岁以上", "80+", "80岁及以上人口", "80岁及以上老人", "p80", "80周岁及以上", "80 and over"]


@pytest.mark.parametrize("header", LAST)
def test_the_last_class_of_a_census_may_bear_the_name_of_a_group(tmp_path: Path, header: str) -> None:
    text = f"代码,总人口,0-2岁,3-59岁,60-79岁,{header}\n140602001,100,3,67,20,10\n"
    table = read_margins(census(tmp_path, text), groups=("total", "p0_3", "p60")).table
    # 60-79 and 80+ make p60
    assert table.loc["140602001", ["total", "p0_3", "p60"]].tolist() == [100.0, 3.0, 30.0]


@pytest.mark.parametrize("header", ["60岁及以上", "60岁以上", "60+", "老年人口"])
def test_an_open_class_of_sixty_ends_a_census_too(tmp_path: Path, header: str) -> None:
    table = read_margins(census(tmp_path, f"代码,0-2岁,3-59岁,{header}\n1,3,67,30\n"), groups=("total", "p0_3", "p60")).table
    assert table.loc["1", ["total", "p0_3", "p60"]].tolist() == [100.0, 3.0, 30.0]


def test_a_group_that_classes_cover_is_their_sum_and_no_class(tmp_path: Path) -> None:
    text = "代码,0-2岁,3-59岁,60岁及以上,60-79岁,80岁及以上\n1,3,67,30,20,10\n"
    table = read_margins(census(tmp_path, text), groups=("total", "p0_3", "p60")).table
    assert table.loc["1"].to_dict() == {"p60": 30.0, "p80": 10.0, "total": 100.0, "p0_3": 3.0}


def test_without_other_classes_open_ages_are_plain_groups(tmp_path: Path) -> None:
    table = read_margins(census(tmp_path, "代码,总人口,60+,80岁以上\n1,100,30,10\n"), groups=("p60",)).table
    assert table.loc["1"].to_dict() == {"total": 100.0, "p60": 30.0, "p80": 10.0}


def test_ages_of_cells_end_in_a_group_too() -> None:
    cells = cells_of(**{"0-2岁": [3.0], "3-79岁": [87.0], "p80": [10.0]})
    assert ages_of_columns(cells, groups=["total", "p80"]).cells[["total", "p80"]].to_numpy().tolist() == [[100.0, 10.0]]


def test_missing_ages_are_told_in_chinese_with_the_forms_that_are_read(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_margins(census(tmp_path, "代码,0-2岁,3-59岁,60-79岁\n1,3,67,20\n"), groups=("p60",))
    assert caught.value.text("zh").splitlines()[-1].strip() == (
        "- 年龄列无法合成60岁及以上老人：60岁及以上老人不全：没有从 80 岁开始的年龄段。请补全年龄列；年龄列可写作：0岁、0-2岁、"
        "1-4岁、60-64岁、80岁及以上（或 80岁以上、80+、80岁及以上人口）。"
    )
