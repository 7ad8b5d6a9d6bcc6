"""Breaking targets down: sums close over units, over years and jointly, and every fault is told with its cure."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careshed.policy import load_profile
from careshed.policy.breakdown import break_down, break_down_further, break_down_rule, hamilton
from careshed.policy.judging import judge_plan
from careshed.report.breakdown import write_breakdown
from careshed.schema import InputError

if TYPE_CHECKING:
    from careshed.policy import Profile, Rule
    from careshed.run import RunResult
    from careshed.study import Study


def key(*weights: float) -> pd.Series[float]:
    return pd.Series(list(weights), index=[f"u{n}" for n in range(len(weights))], dtype=float)


def best_table(exact: list[Fraction], rows: list[int], columns: list[int]) -> Fraction:
    """Least sum of squared deviations of any table of whole numbers with these sums, by trying them all."""
    total = sum(columns)
    share = [[row * Fraction(column, total) for column in columns] for row in exact]
    count = len(columns)
    choices = [[c for c in itertools.product(range(row + 1), repeat=count) if sum(c) == row] for row in rows]
    best = None
    for table in itertools.product(*choices):
        if [sum(column) for column in zip(*table, strict=True)] == columns:
            off = sum((Fraction(c) - s) ** 2 for r, e in zip(table, share, strict=True) for c, s in zip(r, e, strict=True))
            best = off if best is None else min(best, off)
    assert best is not None
    return best


def test_units_get_their_share_by_largest_remainders():
    # 10 by 5 : 3 : 1 is 5.56, 3.33, 1.11: down 5, 3, 1 leaves one, which goes to the largest remainder, the first.
    assert break_down(10, key(5, 3, 1)).targets.tolist() == [6.0, 3.0, 1.0]


def test_of_equal_remainders_the_earlier_unit_gets_the_step():
    assert break_down(3, key(1, 1)).targets.tolist() == [2.0, 1.0]


def test_shares_are_rounded_to_the_digits_asked_for():
    # 1 by 1 : 2 is 0.333, 0.667; in tenths 3.33, 6.67 steps: 3 and 7.
    assert break_down(1, key(1, 2), decimals=1).targets.tolist() == [0.3, 0.7]
    assert break_down(500, key(1, 2), decimals=-2).targets.tolist() == [200.0, 300.0]


def test_a_target_set_by_hand_stays_and_the_rest_is_shared_out():
    # 10 − 4 = 6 by 1 : 2 among the others.
    found = break_down(10, key(9, 1, 2), fixed={"u0": 4})
    assert found.targets.tolist() == [4.0, 2.0, 4.0]
    assert found.fixed == ("u0",)


def test_years_close_with_units():
    found = break_down(7, key(5, 3, 2), years={2024: 3, 2025: 4})
    assert found.added.sum().tolist() == [3.0, 4.0]
    assert found.targets.tolist() == hamilton([Fraction(35, 10), Fraction(21, 10), Fraction(14, 10)])
    assert found.targets.sum() == 7


def test_years_may_be_given_as_what_must_be_reached():
    one = break_down(7, key(5, 3, 2), years={2024: 3, 2025: 7}, cumulative=True)
    other = break_down(7, key(5, 3, 2), years={2025: 4, 2024: 3})
    pd.testing.assert_frame_equal(one.added, other.added)
    assert one.cumulative[2025].tolist() == one.targets.tolist()


@settings(max_examples=40, deadline=None)
@given(
    weights=st.lists(st.integers(0, 9), min_size=2, max_size=3).filter(any),
    columns=st.lists(st.integers(0, 4), min_size=2, max_size=3).filter(any),
)
def test_the_table_is_the_nearest_of_all_that_close(weights, columns):
    total = sum(columns)
    found = break_down(total, key(*weights), years={2020 + n: one for n, one in enumerate(columns)})
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    cells = found.added.to_numpy()
    off = sum(
        (Fraction(int(cell)) - row * Fraction(column, total)) ** 2
        for row, own in zip(exact, cells, strict=True)
        for column, cell in zip(columns, own, strict=True)
    )
    assert off == best_table(exact, hamilton(exact), columns)


@settings(max_examples=80, deadline=None)
@given(
    weights=st.lists(st.floats(0, 1e6), min_size=1, max_size=12).filter(lambda all_: sum(all_) > 1e-3),
    columns=st.lists(st.integers(0, 3000), min_size=1, max_size=6),
)
def test_every_sum_closes_and_cumulative_targets_never_fall(weights, columns):
    found = break_down(sum(columns), key(*weights), years={2020 + n: one for n, one in enumerate(columns)})
    cells = found.added.to_numpy()
    assert cells.sum(axis=0).tolist() == columns
    exact = [Fraction(float(weight)) * sum(columns) / sum(Fraction(float(one)) for one in weights) for weight in weights]
    assert cells.sum(axis=1).tolist() == hamilton(exact)
    assert (cells >= 0).all()
    assert (cells == np.round(cells)).all()
    assert (np.diff(found.cumulative.to_numpy(), axis=1) >= 0).all()
    assert all(abs(row - one) < 1 for row, one in zip(cells.sum(axis=1), exact, strict=True))


def test_streets_close_with_their_counties_year_by_year():
    city = break_down(11, key(3, 2), years={2024: 4, 2025: 7})
    streets = pd.Series({"a": 1.0, "b": 2.0, "c": 4.0, "d": 0.0})
    home = pd.Series({"a": "u0", "b": "u0", "c": "u1", "d": "u1"})
    found = break_down_further(city, streets, home)
    pd.testing.assert_frame_equal(found.added.groupby(home).sum(), city.added, check_names=False)
    assert found.targets["d"] == 0
    assert found.targets.sum() == 11


def test_counties_without_years_are_shared_out_further_too():
    found = break_down_further(break_down(3, key(2, 1)), pd.Series({"a": 1.0, "b": 1.0}), pd.Series({"a": "u0", "b": "u1"}))
    assert found.targets.to_dict() == {"a": 2.0, "b": 1.0}


def test_a_target_of_nothing_gives_everybody_nothing():
    assert break_down(0, key(1, 2), years={2024: 0}).added.to_numpy().tolist() == [[0.0], [0.0]]


def test_the_key_is_printed_with_its_source():
    found = break_down(10, key(5, 0), key_from=("户籍人口", "registered residents"))
    assert "分配依据：户籍人口" in found.told("zh")
    assert "Key: registered residents" in found.told("en")
    assert "依据为 0，不分配：u1" in found.told("zh")
    table = found.table("en")
    assert table.loc["ALL"].tolist() == ["Total", 5.0, 1.0, 10.0, 10.0]
    assert table["key_share"].tolist()[:2] == [1.0, 0.0]


def test_the_input_is_left_alone():
    own, fixed = key(5, 3), {"u0": 1.0}
    break_down(10, own, fixed=fixed)
    assert own.tolist() == [5.0, 3.0]
    assert fixed == {"u0": 1.0}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"total": 5, "key": key(0, 0)}, "the key adds up to 0"),
        ({"total": 5, "key": key(-1, 3)}, "its key is negative (-1) (found 'u0')"),
        ({"total": 5, "key": key(1, float("nan"))}, "this unit has no key (found 'u1')"),
        ({"total": 5, "key": pd.Series([1.0, 2.0], index=["a", "a"])}, "the unit occurs twice (found 'a')"),
        ({"total": -5, "key": key(1)}, "total must be at least 0 and a multiple of 1 (found '-5')"),
        ({"total": 5.5, "key": key(1)}, "total must be at least 0 and a multiple of 1 (found '5.5')"),
        ({"total": 5, "key": key(1), "years": {2024: 2.5, 2025: 2.5}}, "years 2024 must be"),
        ({"total": 5, "key": key(1), "years": {2024: 2, 2025: 2}}, "the years make 4, not the total 5"),
        ({"total": 5, "key": key(1), "years": {2024: 5, 2025: 2}, "cumulative": True}, "cumulative targets fall"),
        ({"total": 5, "key": key(1, 2), "fixed": {"u0": 6}}, "the fixed targets add up to 6, more than 5"),
        ({"total": 5, "key": key(1, 2), "fixed": {"u9": 1}}, "a fixed unit is not in the key (found 'u9'). Known: u0, u1"),
        ({"total": 5, "key": pd.Series([1.0], index=["990101"]), "fixed": {"990102": 1}}, "Did you mean 990101?"),
        ({"total": 5, "key": key(1, 0), "fixed": {"u0": 1}}, "the key adds up to 0"),
    ],
)
def test_what_cannot_be_shared_out_is_told_with_its_cure(arguments, told):
    with pytest.raises(InputError) as failed:
        break_down(**arguments)
    assert told in failed.value.text("en")
    assert all(fault.zh and fault.code for fault in failed.value.faults)


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError) as failed:
        break_down(2.5, key(-1, float("nan")), fixed={"u9": 1})
    assert {fault.code for fault in failed.value.faults} == {"key_negative", "key_missing", "not_a_target", "unknown_unit"}


def test_units_below_must_belong_somewhere_and_every_target_needs_somebody():
    city = break_down(3, key(2, 1))
    with pytest.raises(InputError) as failed:
        break_down_further(city, pd.Series({"a": 1.0, "x": 1.0}), pd.Series({"a": "u0", "x": "elsewhere"}))
    told = failed.value.text("en")
    assert "the unit above is not among those broken down (found 'x')" in told
    assert "has a target but no unit below it with a key (found 'u1')" in told


@pytest.fixture(scope="module")
def plan() -> Profile:
    return load_profile("shuozhou-2023")


def rule(plan: Profile, rule_id: str) -> Rule:
    return plan.find(rule_id)


def test_a_schedule_is_broken_down_to_counties_then_streets_by_uncovered_children(demo: RunResult, plan: Profile):
    found = break_down_rule(rule(plan, "tuo_added"), demo.study, level=("county", "street"), key="uncovered")
    # The plan's own years: 747 + 1,100 + 1,500 + 1,800 + 2,008 = 7,155.
    assert found.added.sum().tolist() == [747.0, 1100.0, 1500.0, 1800.0, 2008.0]
    # Children under 3 less those in reach, as the run's coverage table has them for the same service and limit.
    covered = demo.services[0].covered
    own = covered[(covered["group"] == "p0_3") & (covered["minutes"] == 15)]
    assert found.key.to_numpy() == pytest.approx((own["people"] - own["covered"]).loc[found.key.index].to_numpy())
    counties = break_down_rule(rule(plan, "tuo_added"), demo.study, key="uncovered")
    assert found.added.groupby(found.parent).sum().to_numpy().tolist() == counties.added.to_numpy().tolist()
    assert "15 minutes" in found.told("en")[1]
    assert found.names is not None
    assert found.table().loc["ALL", "total"] == 7155


def test_a_ratio_becomes_places_by_the_people_it_counts(demo: RunResult, plan: Profile):
    found = break_down_rule(rule(plan, "tuo_per_1000"), demo.study, level="street")
    # 4.5 places per 1,000 of all residents, rounded up to whole places.
    people = float(demo.study.cells["total"].sum())
    assert found.total == np.ceil(4.5 * people / 1000)
    assert found.targets.sum() == found.total
    assert len(found.key) == 14


def test_what_is_missing_can_be_shared_out_by_a_key_of_ones_own(demo: RunResult, plan: Profile):
    chosen = plan.model_copy(update={"rule": (rule(plan, "tuo_total"),)})
    card = judge_plan(without_policy(demo.study), chosen)
    own = pd.Series({"990101": 3.0, "990102": 1.0})
    found = break_down_rule(
        chosen.rule[0], demo.study, key=own, key_from=("财力", "revenue"), card=card, what="missing", fixed={"990102": 100}
    )
    assert found.total == card.results[0].targets[0].missing
    assert found.targets["990102"] == 100
    assert "Key: revenue" in found.told("en")


def without_policy(study: Study) -> Study:
    return replace(study, config=study.config.model_copy(update={"policy": None}))


def test_a_schedule_that_contradicts_its_total_asks_which_one_counts(demo: RunResult, plan: Profile):
    with pytest.raises(InputError, match=r"the years make 1726, the target is 1789. Choose: total=1726") as failed:
        break_down_rule(rule(plan, "tuo_inclusive_added"), demo.study)
    assert "请择一" in failed.value.text("zh")
    assert break_down_rule(rule(plan, "tuo_inclusive_added"), demo.study, total=1726).added.shape == (2, 5)
    assert break_down_rule(rule(plan, "tuo_inclusive_added"), demo.study, by_year=False).total == 1789


def test_cumulative_schedules_and_limits_in_metres_are_understood(demo: RunResult, plan: Profile):
    own = rule(plan, "tuo_per_1000").model_copy(update={"value": None, "by_year": {2024: 2.0, 2025: 4.5}, "metres": 500.0})
    found = break_down_rule(own, demo.study, key="uncovered")
    people = float(demo.study.cells["total"].sum())
    assert found.cumulative.sum().tolist() == [np.ceil(2.0 * people / 1000), np.ceil(4.5 * people / 1000)]
    assert "500 m" in found.told("en")[1]


def test_rules_that_cannot_be_broken_down_say_why(demo: RunResult, plan: Profile):
    cases = [
        ({"rule_id": "tuo_inclusive_share"}, "its target is no count that could be shared out"),
        ({"rule_id": "tuo_total", "level": "galaxy"}, "there is no level 'galaxy'"),
        ({"rule_id": "tuo_total", "level": "compound"}, "the study has no units of the level compound"),
        ({"rule_id": "tuo_new_compound"}, r"it is about compounds, .* Share out what the compounds still lack \(what=missing"),
        ({"rule_id": "tuo_total", "what": "missing"}, "it has not been judged"),
        ({"rule_id": "tuo_total", "key": pd.Series({"990999": 1.0})}, "the key names units of other levels: 990999"),
    ]
    for arguments, told in cases:
        chosen = rule(plan, arguments.pop("rule_id"))
        with pytest.raises(InputError, match=told):
            break_down_rule(chosen, demo.study, **arguments)
    nobody = rule(plan, "tuo_total").model_copy(update={"group": "p65"})
    people = demo.study.population
    fewer = replace(demo.study, population=replace(people, cells=people.cells.drop(columns="p65")))
    with pytest.raises(InputError, match="the study does not count the people"):
        break_down_rule(nobody, fewer)


def test_the_workbook_states_the_key_and_the_sums(tmp_path: Path):
    found = break_down(7, key(500, 300, 200), years={2024: 3, 2025: 4}, fixed={"u2": 2}, names={"u0": "=甲"})
    for lang in ("zh", "en"):
        path = write_breakdown(tmp_path / f"{lang}.xlsx", found, lang, warning="made up")
        book = openpyxl.load_workbook(path)
        rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
        assert rows[-1][2:] == [1000, 1, 3, 4, 7]
        assert book.worksheets[0].cell(len(rows) - 3, 2).data_type == "s"
        reached = [list(row) for row in book.worksheets[1].iter_rows(values_only=True)]
        assert reached[-1][4:] == [3, 7]
        assert path.read_bytes() == write_breakdown(tmp_path / "again.xlsx", found, lang, warning="made up").read_bytes()
    plain = write_breakdown(tmp_path / "plain.xlsx", break_down(0.5, key(1, 2), decimals=1))
    assert len(openpyxl.load_workbook(plain).worksheets) == 1


def test_the_csv_has_one_header_and_its_notes_in_the_last_column(tmp_path: Path):
    found = break_down(7, key(500.4, 300, 200), names={"u0": "=甲"}, fixed={"u2": 1})
    for lang, heads in (("zh", "代码,单元,分配依据,占比,合计,说明"), ("en", "Code,Unit,Key,Share,Total,Notes")):
        path = write_breakdown(tmp_path / "b.csv", found, lang, warning="made up, all of it")
        assert path.read_text(encoding="utf-8-sig").splitlines()[0] == heads
        assert path.read_bytes()[:3] == b"\xef\xbb\xbf"
    table = pd.read_csv(path, encoding="utf-8-sig")
    assert table["Key"].tolist() == [500, 300, 200, 1000]
    assert table["Share"].tolist() == [0.5002, 0.2999, 0.1999, 1.0]
    # 7 − 1 = 6 by 500.4 : 300 is 3.75 : 2.25.
    assert table["Total"].tolist() == [4, 2, 1, 7]
    assert table["Unit"].tolist() == ["'=甲", "u1", "u2 (fixed)", "Total"]
    assert table["Notes"].tolist()[0] == "made up, all of it"
    assert table["Notes"].tolist()[2] == "Key: key given by the user"


def test_notes_longer_than_the_table_get_rows_of_their_own(tmp_path: Path):
    path = write_breakdown(tmp_path / "b.csv", break_down(0.5, key(1), decimals=1), "en", warning="made up")
    table = pd.read_csv(path, encoding="utf-8-sig")
    assert table["Total"].dropna().tolist() == [0.5, 0.5]
    assert len(table["Notes"]) == 4


def test_levels_above_stand_as_subtotals_before_their_units(tmp_path: Path):
    # 10 by 6 : 4; A's 6 by 1 : 2 is 2 and 4; B's 4 by 1 : 1 is 2 and 2; a2's 4 by 3 : 1 is 3 and 1.
    city = break_down(10, pd.Series({"A": 6.0, "B": 4.0}), years={2024: 4, 2025: 6}, names={"A": "甲县"})
    home = pd.Series({"b1": "B", "a1": "A", "b2": "B", "a2": "A"})
    towns = break_down_further(city, pd.Series({"b1": 1.0, "a1": 1.0, "b2": 1.0, "a2": 2.0}), home)
    table = towns.table("en")
    assert table.index.tolist() == ["A", "a1", "a2", "B", "b1", "b2", "ALL"]
    assert table["total"].tolist() == [6, 2, 4, 4, 2, 2, 10]
    assert table["key"].tolist() == [6, 1, 2, 4, 1, 1, 5]
    assert (table.loc["A", ["2024", "2025"]] == table.loc[["a1", "a2"], ["2024", "2025"]].sum()).all()
    assert city.table()["name"].tolist() == ["甲县", "B", "合计"]
    assert towns.table()["name"].tolist()[0] == "甲县小计"
    below = pd.Series({code: "a2" if code.startswith("x") else code[0] + "1" for code in ("x1", "x2", "a3", "b3")})
    below["b4"] = "b2"
    wards = break_down_further(towns, pd.Series({"x1": 3.0, "x2": 1.0, "a3": 1.0, "b3": 1.0, "b4": 1.0}), below)
    assert wards.table().index.tolist() == ["A", "a1", "a3", "a2", "x1", "x2", "B", "b1", "b3", "b2", "b4", "ALL"]
    assert wards.table().loc[["x1", "x2", "ALL"], "total"].tolist() == [3, 1, 10]
    assert wards.subtotals == ("A", "B", "b1", "a1", "b2", "a2")
    book = openpyxl.load_workbook(write_breakdown(tmp_path / "w.xlsx", towns, "en"))
    for sheet in book.worksheets:
        rows = list(sheet.iter_rows())[-7:]
        assert [row[0].value or "" for row in rows if row[1].font.b] == ["A", "B", ""]
    reached = list(book.worksheets[1].iter_rows(values_only=True))[-7:]
    assert [row[-1] for row in reached] == [6, 2, 4, 4, 2, 2, 10]
