"""Each check of the audit on a plan of a few figures that can be recomputed by hand, and the faults of a figures file."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careshed.policy.audit import Check, audit_book, audit_profile, read_book
from careshed.policy.audit.figures import Book
from careshed.policy.audit.spans import Span, comparison, exact, number, plain, printed_en, read_printed
from careshed.policy.audit.units import _smallest
from careshed.schema import InputError

PLAN = {"id": "toy", "name_zh": "试验方案", "name_en": "Toy plan", "issued": "2022-09-30", "plan_end": 2025}


def fig(name: str, value: str | int, **more: Any) -> dict[str, Any]:
    entry = {
        "id": name,
        "title_zh": f"{name}数",
        "title_en": f"the {name}",
        "value": value,
        "year": 2020,
        "quote": f"原文{value}",
    }
    return entry | more


def checked(figures: list[dict[str, Any]], **relations: Any) -> dict[str, Check]:
    """Audit a plan of these figures and relations; its checks by id."""
    listed = {kind: value if isinstance(value, list) else [value] for kind, value in relations.items()}
    return {check.id: check for check in audit_book(Book.model_validate({"plan": PLAN, "figure": figures, **listed})).checks}


def one(figures: list[dict[str, Any]], **relations: Any) -> Check:
    """Audit one relation with the id ``r``."""
    return checked(figures, **relations)["r"]


# ---------------------------------------------------------------- numbers as printed


@pytest.mark.parametrize(
    ("text", "role", "low", "value", "high"),
    [
        ("10146", "count", 10146, 10146, 10146),
        ("3,100", "count", 3100, 3100, 3100),
        ("1.8万", "count", 17_500, 18_000, 18_500),
        ("1.8万", "target", 17_500, 18_000, 18_500),
        ("6.0万", "count", 59_500, 60_000, 60_500),
        ("159万", "count", 1_585_000, 1_590_000, 1_595_000),
        ("约3.5万", "count", 34_000, 35_000, 36_000),
        ("7257左右", "count", 7256, 7257, 7258),
        ("1.1万余", "target", 11_000, 11_000, 12_000),
        ("≥55", "target", 55, 55, 55),
        ("百", "count", 100, 100, 100),
        ("30", "measure", 29.5, 30, 30.5),
        ("4.5", "standard", 4.5, 4.5, 4.5),
        ("4.5", "measure", 4.45, 4.5, 4.55),
        ("2亿", "count", 150_000_000, 200_000_000, 250_000_000),
    ],
)
def test_a_printed_number_carries_its_precision(text, role, low, value, high):
    span = read_printed(text, role)
    assert [float(part) for part in (span.low, span.value, span.high)] == [low, value, high]


def test_land_in_mu_is_read_in_square_metres():
    assert float(read_printed("40亩").value) == pytest.approx(26_666.67, abs=0.01)  # 40 × 666.67


@pytest.mark.parametrize("text", ["", "无", "1251工程", "3—5", "1/3", "5%"])
def test_what_is_not_one_number_is_refused(text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        read_printed(text)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    values=st.tuples(st.integers(1, 900), st.integers(1, 900)),
    widths=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    at=st.tuples(st.integers(-10, 10), st.integers(-10, 10)),
    sign=st.sampled_from("+-*/"),
)
def test_arithmetic_keeps_every_number_that_the_precision_allows(values, widths, at, sign):
    # Any pair of numbers inside the two ranges gives a result inside the range of the result.
    spans = [Span(Fraction(v), v - Fraction(w, 10), v + Fraction(w, 10)) for v, w in zip(values, widths, strict=True)]
    inside = [span.value + (span.high - span.value) * Fraction(a, 10) for span, a in zip(spans, at, strict=True)]
    result, picked = {
        "+": (spans[0] + spans[1], inside[0] + inside[1]),
        "-": (spans[0] - spans[1], inside[0] - inside[1]),
        "*": (spans[0] * spans[1], inside[0] * inside[1]),
        "/": (spans[0] / spans[1], inside[0] / inside[1]),
    }[sign]
    assert result.low <= picked <= result.high
    assert result.low <= result.value <= result.high


def test_numbers_print_with_halves_rounded_up_and_a_sign():
    told = [number(Fraction(7257, 2)), number(Fraction(-1, 4)), number(Fraction(1, 8000)), number(Fraction("46.166"))]
    assert told == ["3,629", "-0.25", "0", "46.2"]
    assert plain(Fraction(1, 3)) == "0.33"  # what no few decimals tell is shortened
    assert (comparison(">99"), comparison("≤5"), comparison("<5")) == (">", "<=", "<")
    assert (printed_en("百", "家"), printed_en("18.20", "%"), printed_en("7257左右", "个")) == ("100", "18.20%", "about 7,257")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(percent=st.integers(1, 9999))
def test_the_fewest_units_behind_a_percentage_are_those_of_a_search_by_rounding(percent):
    # Independent: round k/n as people do, to two decimals, and look for the first n that prints the percentage.
    stated = Decimal(percent) / 100

    def printed(k: int, n: int) -> set[Decimal]:
        exact_ = Decimal(100 * k) / n
        up = exact_.quantize(Decimal("0.01"), ROUND_HALF_UP)
        return {up, up - Decimal("0.01")} if exact_ * 100 % 1 == Decimal("0.5") else {up}

    def prints(n: int) -> bool:
        near = int(stated * n / 100)
        return any(stated in printed(k, n) for k in (near, near + 1))

    first = next(n for n in range(1, 10_001) if prints(n))
    assert _smallest(read_printed(f"{stated:.2f}", "measure"))[0] == (first if first <= 5000 else 0)


# ---------------------------------------------------------------- sums


def test_a_sum_closes_or_says_by_how_much_it_does_not():
    figures = [fig("a", 2), fig("b", 3), fig("t", 5), fig("u", 4), fig("v", "约0.5千")]
    checks = checked(
        figures, sum=[{"id": "r", "parts": ["a", "b"], "total": "t"}, {"id": "s", "parts": ["a", "b"], "total": "u"}]
    )
    assert (checks["r"].outcome, checks["r"].arithmetic_zh) == ("closes", "2 + 3 = 5")
    assert (checks["s"].outcome, checks["s"].arithmetic_zh) == ("open", "2 + 3 = 5 ≠ 4")
    assert checks["s"].readings == (("所列数比复算数少 1", "the stated number is 1 below the recomputed one"),)


def test_a_total_in_tens_of_thousands_closes_within_its_rounding_and_not_beyond():
    total = fig("t", "1.2万")  # 11,500 to 12,500
    relation = {"id": "r", "parts": ["a", "b"], "total": "t"}
    assert one([fig("a", 6000), fig("b", 5500), total], sum=relation).outcome == "closes"
    assert one([fig("a", 6000), fig("b", 5499), total], sum=relation).outcome == "open"


def test_a_product_closes_or_does_not():
    relation = {"id": "r", "factors": ["a", "b"], "result": "t"}
    assert one([fig("a", 50), fig("b", 88), fig("t", 4400)], product=relation).arithmetic_en == "50 × 88 = 4,400"
    assert one([fig("a", 50), fig("b", 88), fig("t", 4000)], product=relation).outcome == "open"


def test_what_a_relation_takes_for_granted_turns_a_contradiction_into_a_doubt():
    relation = {"id": "r", "parts": ["a"], "total": "t", "assumed_zh": "假定", "assumed_en": "this"}
    check = one([fig("a", 1), fig("t", 2)], sum=relation)
    assert (check.outcome, check.readings[-1]) == ("doubtful", ("前提：假定", "taken for granted: this"))
    assert one([fig("a", 2), fig("t", 2)], sum=relation).outcome == "closes"


def test_a_title_of_its_own_goes_before_the_figures():
    relation = {"id": "r", "parts": ["a"], "total": "t", "title_zh": "题", "title_en": "Title"}
    check = one([fig("a", 1), fig("t", 1)], sum=relation)
    assert (check.title("zh"), check.title("en")) == ("题", "Title")


def test_one_quantity_with_one_value_closes_and_with_two_does_not():
    same = {"what": "beds", "where": "city", "unit": "张"}
    checks = checked([fig("a", 10, **same), fig("b", 10, **same), fig("c", 11, year=2021, **same)])
    assert [check.id for check in checks.values()] == ["twice.a"]  # c is of another year
    assert checks["twice.a"].outcome == "closes"
    assert checked([fig("a", 10, **same), fig("b", 12, **same)])["twice.a"].arithmetic_en == "10 beds ≠ 12 beds"
    assert checked([fig("a", "1.0万", **same), fig("b", 10_400, **same)])["twice.a"].arithmetic_zh == "1.0万张 ≈ 10400张"


def test_a_part_may_equal_its_whole_but_not_exceed_it():
    relation = {"id": "r", "part": "p", "whole": "w"}
    assert one([fig("p", 69), fig("w", 69)], part=relation).outcome == "closes"
    assert one([fig("p", 70), fig("w", 69)], part=relation).outcome == "open"


def test_an_average_is_doubted_below_and_above_its_bounds_only():
    relation = {"id": "r", "amount": ["a"], "units": ["u"], "bounds": "places_per_institution"}  # 10 to 300
    for amount, outcome in ((9, "doubtful"), (10, "closes"), (300, "closes"), (301, "doubtful")):
        assert one([fig("a", amount), fig("u", 1)], each=relation).outcome == outcome


def test_columns_are_doubted_where_more_than_half_of_five_rows_or_more_agree():
    def outcome(own: list[int], other: list[int]) -> str:
        figures = [fig(f"l{i}", v) for i, v in enumerate(own)] + [fig(f"r{i}", v) for i, v in enumerate(other)]
        relation = {"id": "r", "left": [f"l{i}" for i in range(len(own))], "right": [f"r{i}" for i in range(len(other))]}
        return one(figures, columns=relation).outcome

    assert outcome([1, 2, 3, 4, 5], [1, 2, 3, 9, 9]) == "doubtful"
    assert outcome([1, 2, 3, 4, 5, 6], [1, 2, 3, 9, 9, 9]) == "closes"  # half is not more than half
    assert outcome([1, 2, 3, 4], [1, 2, 3, 4]) == "closes"  # too few rows to say


def test_a_programme_whose_numbers_do_not_spell_its_name_does_not_close():
    figures = [fig("n", 125), fig("a", 10), fig("b", 200), fig("c", 60)]
    check = one(figures, code={"id": "r", "name": "n", "parts": ["a", "b", "c"]})
    assert (check.outcome, check.arithmetic_en) == ("open", "10, 200, 60 → 126 ≠ 125")


# ---------------------------------------------------------------- ratios


def test_a_ratio_makes_the_need_it_is_said_to_make():
    figures = [fig("q", "4.5", role="target"), fig("p", 10_000), fig("n", 45), fig("m", 40), fig("h", 5)]
    relation = {"id": "r", "ratio": "q", "population": "p", "counted": ["n"]}
    assert one(figures, ratio=relation).arithmetic_en == "4.5 × 10 = 45"
    assert one(figures, ratio=relation | {"counted": ["m"], "have": ["h"]}).arithmetic_en == "4.5 × 10 − 5 = 40"
    assert one(figures, ratio=relation | {"counted": ["m", "h"]}).arithmetic_en == "4.5 × 10 = 45 = 45 = 40 + 5"
    short = one(figures, ratio=relation | {"counted": ["m"], "per": 10_000})
    assert (short.outcome, short.readings[1][0]) == ("open", "按所列数反推，每万人为 40（方案为 4.5）")
    assert one(figures, ratio=relation | {"counted": ["m"], "per": 500}).readings[1][0].startswith("按所列数反推，每500人为 2（")


def test_a_measured_ratio_is_compared_as_it_is_printed():
    relation = {"id": "r", "ratio": "q", "population": "p", "counted": ["n"]}
    people = fig("p", 290_000)
    for ratio, outcome in (("35", "closes"), ("34", "open"), ("35.0", "closes"), ("34.9", "open")):  # 10,146 / 290 = 34.986
        assert one([fig("q", ratio, role="measure"), people, fig("n", 10_146)], ratio=relation).outcome == outcome


def test_a_rounded_target_that_falls_short_to_the_letter_is_called_rounding():
    relation = {"id": "r", "ratio": "q", "population": "p", "counted": ["n"]}
    base = [fig("q", "4.5", role="target"), fig("p", 4_036_000)]  # 18,162
    assert one([*base, fig("n", "1.8万", role="target")], ratio=relation).outcome == "rounding"
    assert one([*base, fig("n", "1.8万")], ratio=relation).outcome == "closes"  # a number, not a target
    assert one([*base, fig("n", "1.7万", role="target")], ratio=relation).outcome == "open"


def test_standards_for_parts_fit_where_the_smallest_needs_no_more_than_there_is():
    relation = {"id": "r", "whole": "w", "parts": ["a", "b"], "population": "p", "counted": "n"}
    figures = [fig("w", "4", role="target"), fig("a", "10", role="standard"), fig("b", "5", role="standard"), fig("p", 1000)]
    assert one([*figures, fig("n", 5)], standards=relation).outcome == "closes"
    doubt = one([*figures, fig("n", 4)], standards=relation)
    assert (doubt.outcome, doubt.number("most_percent")) == ("doubtful", 80)  # 4 / 5


def series(first: str, year: int = 2022) -> Check:
    """One place there is; then `first` per 1,000 by the first year's end, 10 two years later, of 1,000 people."""
    figures = [
        fig("a", first, role="target", year=year),
        fig("b", "10", role="target", year=year + 2),
        fig("p", 1000),
        fig("h", 1),
    ]
    return one(figures, series={"id": "r", "ratios": ["a", "b"], "population": "p", "have": "h"})


def test_a_first_step_much_faster_than_the_later_ones_is_doubted():
    # Issued on 30 September 2022: 92 days. 3 − 1 = 2 more is 7.9 a year, later (10 − 3) / 2 = 3.5 a year: over twice.
    assert (series("3").outcome, series("3").number("days")) == ("doubtful", 92)
    assert series("2").outcome == "closes"  # 4.0 a year against 4


def test_a_first_step_due_before_the_date_of_issue_cannot_be_reached():
    assert series("3", 2021).outcome == "unreachable"


def test_a_series_of_one_year_has_only_its_own_pace():
    figures = [fig("a", "3", role="target", year=2023), fig("p", 1000), fig("h", 1)]
    assert one(figures, series={"id": "r", "ratios": ["a"], "population": "p", "have": "h"}).outcome == "closes"


# ---------------------------------------------------------------- shares


def share(stated: str, numerator: int, role: str, **more: Any) -> Check:
    figures = [fig("s", stated, unit="%", role=role), fig("n", numerator), fig("d", 200), fig("b", 50), fig("x", 60)]
    return one(figures, share={"id": "r", "share": "s", "numerator": ["n"], "denominator": ["d"]} | more)


def test_a_measured_share_closes_within_half_of_its_last_digit():
    assert share("50", 101, "measure").outcome == "closes"  # 50.5 %
    assert share("50", 102, "measure").outcome == "open"  # 51 %
    assert share("50.0", 101, "measure").outcome == "open"


def test_a_target_share_is_missed_met_or_far_exceeded_by_the_schedule():
    assert share("≥50", 99, "target").outcome == "unreachable"
    assert share("≥50", 100, "target").arithmetic_en == "100 ÷ 200 = 50% ≥ 50%"
    assert share("≥50", 190, "target").outcome == "closes"  # at least is at least
    assert share("50", 110, "target").outcome == "closes"  # 55 %: five points above say nothing
    assert share("50", 111, "target").outcome == "doubtful"


def test_a_missed_target_says_what_is_reached_if_everything_new_counts():
    low = share("≥60", 99, "target", base=["b"], new=["x"])  # (50 + 60) / 200 = 55 %
    assert "110 ÷ 200 = 55%, still below 60%" in low.readings[1][1]
    enough = share("≥52", 99, "target", base=["b"], new=["x"])
    assert "110 ÷ 200 = 55%: the mix of what is added has to change" in enough.readings[1][1]


def test_a_share_without_a_denominator_needs_a_whole_number_of_units():
    relation = {"id": "r", "share": "s", "numerator": ["n"]}
    assert one([fig("s", "50", unit="%", role="measure"), fig("n", 3)], share=relation).arithmetic_en == "3 ÷ 50% = 6 (6–6)"
    assert one([fig("s", "42.0", unit="%", role="measure"), fig("n", 1)], share=relation).outcome == "open"  # 1/2 or 1/3


def test_a_gap_is_share_times_stock_less_what_there_is():
    relation = {"id": "r", "share": "s", "stock": ["t"], "have": "h", "gap": "g"}
    figures = [fig("s", "55", unit="%", role="standard"), fig("t", 1000), fig("h", 300)]
    assert one([*figures, fig("g", 250)], gap=relation).outcome == "closes"
    wrong = one([*figures, fig("g", 140)], gap=relation)  # (300 + 140) / 55 % = 800
    assert (wrong.outcome, wrong.number("implied_stock")) == ("open", 800)


def test_a_share_that_rises_is_judged_by_what_there_is_and_what_is_added():
    figures = [
        fig("s", "50", unit="%", role="target"),
        fig("t", 200),
        fig("e", 100),
        fig("a", 20),
        fig("h", "30", unit="%", role="standard"),
    ]
    relation = {"id": "r", "share": "s", "stock": ["t"], "existing": "e", "added": "a"}
    assert one(figures, rise=relation | {"times": 4}).outcome == "closes"  # 100 − 80 = 20 of 100 existing
    assert one(figures, rise=relation | {"times": 2}).outcome == "doubtful"  # 60 % of the existing, more than 50 %
    assert one([*figures[:2], fig("e", 50), *figures[3:]], rise=relation).outcome == "unreachable"  # 80 of 50
    known = relation | {"have_share": "h"}
    assert one(figures, rise=known | {"times": 4}).outcome == "closes"  # 30 + 80 ≥ 100
    assert one(figures, rise=known).number("convert") == 50  # 100 − 30 − 20


def test_coverage_needs_as_many_facilities_as_units_covered():
    relation = {"id": "r", "share": "s", "units": "u", "facilities": "f"}
    figures = [fig("s", "50", unit="%", role="target"), fig("u", 10)]
    assert one([*figures, fig("f", 5)], cover=relation).outcome == "closes"
    assert one([*figures, fig("f", 4)], cover=relation).outcome == "doubtful"


def test_a_percentage_that_the_units_cannot_make_is_wrong_where_the_plan_states_the_units():
    relation = {"id": "r", "share": "s", "units": "u"}
    assert one([fig("s", "67", unit="%", role="measure"), fig("u", 3)], possible=relation).arithmetic_en == "2/3 = 66.7% ≈ 67%"
    assert one([fig("s", "65", unit="%", role="measure"), fig("u", 3)], possible=relation).outcome == "open"
    outside = {"quote": "", "outside_zh": "地图", "outside_en": "the map"}
    assert one([fig("s", "65", unit="%", role="measure"), fig("u", 3, **outside)], possible=relation).outcome == "doubtful"


def test_percentages_of_one_set_of_units_have_a_common_number_or_none():
    def common(*shares: str) -> Check:
        figures = [fig(f"s{i}", value, unit="%", role="measure") for i, value in enumerate(shares)]
        return one(figures, common={"id": "r", "shares": [figure["id"] for figure in figures]})

    assert (common("50", "33").outcome, common("50", "33").number("common")) == ("closes", 6)
    none = common("50.000000", "33.333333", "0.000001")
    assert (none.outcome, none.number("common")) == ("doubtful", 0)
    assert "no number of units up to 5000" in none.readings[0][1]


# ---------------------------------------------------------------- dates and lists


def test_targets_are_doubted_when_due_before_or_within_half_a_year_of_issue():
    # Issued on 30 September 2022.
    targets = [fig(f"t{year}", 1, role="target", year=year) for year in (2021, 2022, 2023)]
    checks = checked(targets)
    assert {name: check.outcome for name, check in checks.items()} == {
        "due.past": "doubtful", "due.2022": "doubtful", "due.2023": "closes",
    }  # fmt: skip


def test_a_target_with_two_due_years_is_doubted_and_two_values_are_a_schedule():
    same = {"role": "target", "what": "centre", "where": "every street"}
    assert "years.a" in checked([fig("a", 1, year=2023, **same), fig("b", 1, year=2025, **same)])
    assert "years.a" not in checked([fig("a", 1, year=2023, **same), fig("b", 2, year=2025, **same)])


def project(no: int, **more: Any) -> dict[str, Any]:
    return {"no": no, "name": f"项目{no}", "type": "普惠", "start": 2022, "end": 2023, "quote": ""} | more


def listed(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"id": "list", "title_zh": "清单", "title_en": "list", "row": list(rows)}


def test_a_list_without_anything_odd_raises_nothing():
    checks = checked([], projects=listed(project(1, area=300, beds=10), project(2, area=200, places=20), project(3)))
    assert {check.outcome for check in checks.values()} == {"closes"}
    assert checks["list.1.m2_per_bed"].number("each") == 30


def test_a_list_against_its_target_says_the_share_it_comes_to():
    rows = [project(i, area=area, invest=1) for i, area in enumerate((100, 100, 100, 900), 1)]
    figures = [fig("m", 30), fig("t", 80), fig("a", 300), fig("p", 10)]
    delivery = {"id": "r", "projects": "list", "types": ["普惠"], "counts": "area", "target": "t"}
    short = checked(figures, projects=listed(*rows), delivery=delivery | {"m2_per": "m"})["r"]
    assert short.arithmetic_en == "1,200 ÷ 30 = 40 < 80"
    assert "nos 1, 4 alone make 83% of it" in [en for _, en in short.readings]  # 1,000 of 1,200; the first of equals
    by_project = checked(figures, projects=listed(*rows), delivery=delivery | {"m2_of": ["a", "p"]})["r"]
    assert by_project.arithmetic_en == "1,200 ÷ (300 ÷ 10) = 40 < 80"


def test_a_list_that_states_no_beds_comes_to_none():
    delivery = {"id": "r", "projects": "list", "types": ["普惠"], "counts": "beds", "target": "t"}
    assert checked([fig("t", 5)], projects=listed(project(1)), delivery=delivery)["r"].arithmetic_en == "0 < 5"


def test_a_list_of_even_projects_says_nothing_of_the_largest_two():
    rows = [project(i, area=100 + i, invest=1) for i in range(5)]
    delivery = {"id": "r", "projects": "list", "types": ["普惠"], "counts": "area", "m2_per": "m", "target": "t"}
    told = checked([fig("m", 1), fig("t", 1)], projects=listed(*rows), delivery=delivery)["r"]
    assert (told.outcome, len(told.readings)) == ("closes", 1)  # only how many state their beds


# ---------------------------------------------------------------- figures files


HEAD = '[plan]\nid = "toy"\nname_zh = "试"\nname_en = "Toy"\nissued = "2022-09-30"\nplan_end = 2025\n'
GOOD = '[[figure]]\nid = "a"\ntitle_zh = "甲"\ntitle_en = "A"\nvalue = 5\nyear = 2020\nquote = "有5个"\n'


def refused(tmp_path: Path, text: str) -> InputError:
    path = tmp_path / "toy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_book(path)
    return error.value


def test_a_figures_file_of_ones_own_is_audited_by_its_path(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(HEAD + GOOD + '[[sum]]\nid = "s"\nparts = ["a"]\ntotal = "a"\n', encoding="utf-8")
    assert [check.id for check in audit_profile(path).checks] == ["s"]
    assert audit_profile(str(path)).figures == 1


def test_keys_of_the_wrong_name_or_kind_are_told_with_their_line_and_cure(tmp_path):
    text = HEAD + GOOD.replace("value = 5", "value = 18.2\ncolour = 1\nrole = 'guess'") + '[[sum]]\nid = "s"\nparts = []\n'
    text += '[[ratio]]\nid = "q"\nratio = "a"\npopulation = "a"\ncounted = ["a"]\nper = 0\n'
    fault = refused(tmp_path, text)
    told = fault.text("en")
    for line in (
        "row 8: figure 'a' value: should be text (found '18.2'). write it in quotes as printed",
        "figure 'a' colour: no such key (found '1'). check the spelling or leave it out",
        "figure 'a' role: is not one of the allowed words (found 'guess'). 'count', 'measure', 'target' or 'standard'",
        "row 17: sum 's' parts: needs at least one. name the figures",
        "sum 's' total: the key is missing. add it",
        "ratio 'q' per: must be above 0 (found '0'). give a positive number",
    ):
        assert line.replace("'a'", "“a”").replace("'s'", "“s”").replace("'q'", "“q”") in told
    assert len(fault.faults) == 6
    assert "“a” colour：没有这个键" in fault.text("zh")


def test_faults_of_the_contents_are_all_told_with_their_cure(tmp_path):
    text = HEAD.replace("2022-09-30", "autumn") + GOOD + GOOD.replace("value = 5", 'value = "6"')
    text += GOOD.replace('"a"', '"b"').replace("value = 5", 'value = "3—5"')
    text += GOOD.replace('"a"', '"c"').replace('quote = "有5个"\n', "")
    text += '[[derived]]\nid = "d"\ntitle_zh = "丁"\ntitle_en = "D"\nunit = "人"\nyear = 2020\nnumerator = "a"\n'
    text += '[[sum]]\nid = "s"\nparts = ["a", "nobody"]\ntotal = "a"\n'
    text += '[[columns]]\nid = "k"\nleft = ["a"]\nright = ["a", "a"]\n'
    text += '[[each]]\nid = "e"\namount = ["a"]\nunits = ["a"]\nbounds = "wrong"\n'
    text += '[[delivery]]\nid = "y"\nprojects = "none"\ntypes = []\ncounts = "area"\ntarget = "a"\n'
    text += '[[projects]]\nid = "p"\ntitle_zh = "清"\ntitle_en = "P"\nsections = {"一" = "missing"}\n'
    text += 'row = [{no = 1, name = "x", type = "t", start = 1, end = 2, area = "many", beds = 7, quote = "8张"}]\n'
    told = refused(tmp_path, text).text("en")
    for line in (
        "'toy': date of issue 'autumn' is no date. write it as 2023-05-08",
        "'a': the id is used twice. give every entry an id of its own",
        "'a': '6' is not in the quote. copy number and quote from the text",
        "'b': '3—5' cannot be read as one number. write it as printed: 1.8万, ≥55, 约3.5万",
        "'c': has neither a quote nor an outside source. give quote, or outside_zh and outside_en",
        "'d': does not say how it follows. give numerator and share, or ratio and population",
        "'s': there is no figure 'nobody'. name a figure there is, or add it",
        "'k': the columns differ in length. pair them row by row",
        "'e': there are no bounds 'wrong'. one of: places_per_institution",
        "'y': there is no project list 'none'. name the id of a [[projects]]",
        "'y': does not say how much floor a bed or place takes. give m2_per, or area and places as m2_of",
        "'p': there is no figure 'missing'. add the figure",
        "'p 1': 'many' cannot be read as one number",
        "'p 1': '7' is not in the quote",
    ):
        assert line in told
    zh = refused(tmp_path, text).text("zh")
    assert "“s”：没有数据“nobody”。改为已有数据的编号，或补上该数据" in zh


def table(**row: Any) -> str:
    values = {"new": 3, "base": 1, "target": 4, "by_year": [1, 2], "quote": "床位 1 2 3 1 4", "of": ""} | row
    lines = "\n".join(f"{key} = {value!r}" for key, value in values.items())
    head = '[[table]]\nid = "t"\ntitle_zh = "表"\ntitle_en = "T"\nyears = [2021, 2022]\nbase_year = 2020\n'
    return f'{HEAD}{head}[[table.row]]\nid = "r"\ntitle_zh = "床"\ntitle_en = "beds"\nunit = "张"\n{lines}\n'


def test_a_schedule_without_figures_of_its_own_can_be_audited(tmp_path):
    path = tmp_path / "toy.toml"
    path.write_text(table(), encoding="utf-8")
    checks = {check.id: check.outcome for check in audit_profile(path).checks}
    assert checks == {"t.r.row": "closes", "t.r.target": "closes", "due.past": "doubtful", "due.2022": "doubtful"}


def test_faults_of_a_schedule_are_told(tmp_path):
    def told(**row: Any) -> str:
        return refused(tmp_path, table(**row)).text("en")

    assert "'t.r': has 1 years of 2. give one value a year" in told(by_year=[1])
    assert "'t.r': the cells are not those of the quote. copy the whole row" in told(new=2)
    assert "'t.r': 'x' cannot be read as one number" in told(new="x")
    assert "'t.r': there is no row 'q'. name a row of this table" in told(of="q")


def test_a_file_that_is_no_toml_or_no_text_is_refused(tmp_path):
    assert "is not valid TOML" in str(refused(tmp_path, "[plan\n"))
    path = tmp_path / "gbk.toml"
    path.write_bytes("名 = 1".encode("gbk"))
    with pytest.raises(InputError, match=r"gbk.toml\n.*is not UTF-8 text. save it as UTF-8"):
        read_book(path)


@pytest.mark.parametrize(
    ("value", "quote", "there"),
    [
        ("5", "有5个", True),
        ("5", "有15个", False),
        ("5", "有5.2个", False),
        ("4.5", "为14.5个", False),
        ("159万", "约 159 万人", True),
        ("159", "3,159人", False),
        ("3,100", "总投资3100", True),
        ("百", "布点建设百家", True),
        ("30", "占比（%）\t30\t50", True),
        ("60", "到2025年。60", True),
    ],
)
def test_a_value_has_to_stand_in_its_quote_as_a_number_of_its_own(tmp_path, value, quote, there):
    path = tmp_path / "toy.toml"
    figure = GOOD.replace("value = 5", f'value = "{value}"').replace("有5个", quote.replace("\t", "\\t"))
    path.write_text(HEAD + figure, encoding="utf-8")
    if there:
        assert read_book(path).figure[0].value == value
    else:
        with pytest.raises(InputError, match="is not in the quote"):
            read_book(path)


def test_an_unknown_plan_names_those_at_hand():
    with pytest.raises(
        InputError, match=r"there is no figures file of this plan.*plans at hand: botou-2022, chifeng-2022"
    ) as error:
        audit_profile("peking-2030")
    assert "可用的方案：botou-2022" in error.value.text("zh")


def test_exact_numbers_have_no_range():
    assert exact(7) == Span(Fraction(7), Fraction(7), Fraction(7))
