"""What changed between two runs: hand-made cards, and the demo town a quarter apart."""

from __future__ import annotations

import csv
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pandas as pd
import pytest

from careshed.policy.changes import (
    CardChanges,
    Explained,
    Explanation,
    card_name,
    compare_cards,
    compare_facilities,
    explain_changes,
    find_card,
    list_cards,
    open_card,
    places_by_card,
    places_over_time,
    save_run_card,
)
from careshed.policy.changes.mixing import pair_of
from careshed.policy.judging import Place, RuleResult, Scorecard, Target, UnitValue, judge_plan, study_profile
from careshed.policy.judging.ground import Ground
from careshed.policy.model import Rule
from careshed.report.supervision import write_changes
from careshed.schema import InputError
from careshed.settings.sections import EnteredSection
from careshed.study import open_study

if TYPE_CHECKING:
    from careshed.policy.model import Profile
    from careshed.run import RunResult
    from careshed.study import Study

EVIL = '<script>alert("x")</script>'


def place(code: str, status: str = "operating", places: float | None = 10.0, **other: object) -> Place:
    own = {"name": code.upper(), "type": "托育机构", "unit": "s1", "opened": 2020.0, "closed": None} | other
    return Place(code, str(own["name"]), str(own["type"]), status, str(own["unit"]), places, own["opened"], own["closed"])  # type: ignore[arg-type]


def rule(code: str = "r", **other: object) -> Rule:
    own = {
        "title_zh": "托位",
        "title_en": "Places",
        "kind": "count",
        "measure": "places",
        "status": "hard",
        "types": ("托育机构",),
    }
    return Rule.model_validate(own | {"id": code, "value": 100.0} | other)


def result(of_rule: Rule, value: float | None, **other: object) -> RuleResult:
    target = float(of_rule.value) if isinstance(of_rule.value, float) else None
    met = value is not None and target is not None and value >= target
    own: dict[str, object] = {
        "state": "unjudged" if value is None else "met" if met else "short", "target": target, "counted": value, "of": None,
        "targets": () if value is None or target is None else (Target(target, met, 0.0, 0.0),), "units": (), "entered": None,
        "of_what": ("", ""),
    }  # fmt: skip
    own |= other
    nothing = ("", "")
    return RuleResult(
        of_rule, own["state"], value, own["target"], own["targets"], own["counted"], own["of"], own["of_what"], nothing, 0, None,
        None, None, own["units"], (), nothing, (), own["entered"],
    )  # type: ignore[arg-type]  # fmt: skip


def card(*results: RuleResult, places: tuple[Place, ...] = (), date: str = "2025-06-30", **other: object) -> Scorecard:
    own = {"people": {"ALL": {"total": 1000.0}}, "study": "Town", "profile": "plan", "made_up": False, "check_en": ""} | other
    told = (str(own["profile"]), "规划", "Plan", "请核对", str(own["check_en"]), "", 2025, str(own["study"]), date)
    year = int(date[:4]) if date else None
    return Scorecard(*told, bool(own["made_up"]), year, results, (), (), places, own["people"])  # type: ignore[arg-type]


def unit(code: str, value: float | None, met: bool | None) -> UnitValue:
    return UnitValue(code, f"Unit {code}", "street", value, met, None)


# What became of facilities


@pytest.mark.parametrize(
    ("before", "after", "kind", "places", "facilities"),
    [
        (None, place("a"), "opened", 10, 1),
        (place("a", "building"), place("a"), "opened", 10, 1),
        (place("a"), place("a", "closed", closed=2025.0), "closed", -10, -1),
        (place("a"), place("a", "reserve"), "closed", -10, -1),
        (place("a"), None, "vanished", -10, -1),
        (place("a", "reserve"), None, "vanished", 0, 0),
        (None, place("a", "building"), "appeared", 0, 0),
        (place("a", "reserve"), place("a", "building"), "moved_on", 0, 0),
        (place("a"), place("a", places=15.0), "more", 5, 0),
        (place("a"), place("a", places=4.0), "fewer", -6, 0),
        (place("a", places=None), place("a", places=4.0), "edited", 4, 0),
        (place("a"), place("a", unit="s2"), "edited", 0, 0),
        (place("a", "reserve"), place("a", "reserve", name="B"), "edited", 0, 0),
    ],
)
def test_a_facility_is_told_by_what_became_of_it(before, after, kind, places, facilities):
    found = compare_facilities([before] if before else [], [after] if after else [])
    assert [(one.kind, one.places, one.facilities) for one in found] == [(kind, places, facilities)]


def test_what_did_not_change_and_what_was_shut_all_along_is_not_told():
    shut = place("b", "closed", closed=2019.0)
    assert compare_facilities([place("a"), shut], [place("a")]) == ()
    assert compare_facilities([place("a")], [place("a"), shut]) == ()


def test_an_opening_dated_before_the_earlier_run_was_entered_late():
    found = compare_facilities([], [place("a", opened=2019.0), place("b", opened=2025.0), place("c", opened=None)], year=2025)
    assert {one.id: one.late for one in found} == {"a": True, "b": False, "c": False}


# What became of rules


def test_a_count_that_rose_is_attributed_to_each_facility():
    # 30 + 20 opened − 10 closed: 40 → 80 is +30, +20, −10 = +40.
    before = card(result(rule(), 40.0), places=(place("a", places=30.0), place("c", places=10.0)))
    after = card(
        result(rule(), 80.0),
        places=(place("a", places=30.0), place("b", places=30.0), place("d", places=20.0), place("c", "closed")),
        date="2025-09-30",
    )
    (change,) = compare_cards(before, after).rules
    assert change.move == "better"
    assert {reason.words[1]: reason.amount for reason in change.reasons} == {"opened: B": 30, "opened: D": 20, "closed: C": -10}
    assert "opened: B (+30)" in compare_cards(before, after).text("en")


def test_facilities_of_other_types_or_retyped_count_as_the_rule_counts_them():
    before = card(result(rule(), 10.0), places=(place("a"), place("k", type="幼儿园", places=7.0)))
    after = card(result(rule(), 17.0), places=(place("a"), place("k", places=7.0), place("e", type="敬老院")), date="2025-09-30")
    (change,) = compare_cards(before, after).rules
    assert [reason.amount for reason in change.reasons] == [7.0]


def test_a_ratio_is_split_exactly_between_what_is_counted_and_the_denominator():
    per = rule(kind="capacity_ratio", measure="places_per_1000", group="total", value=50.0)
    # 40 of 1,000 is 40 per 1,000; 60 of 1,200 is 50. Counted: 1000·20·(1/1000 + 1/1200)/2 = 18.33;
    # denominator: 1000·(40 + 60)/2·(1/1200 − 1/1000) = −8.33; together +10.
    before = card(result(per, 40.0, counted=40.0, of=1000.0), places=(place("a", places=40.0),))
    after = card(result(per, 50.0, counted=60.0, of=1200.0, of_what=("人", "people")), date="2025-09-30",
                 places=(place("a", places=40.0), place("b", places=20.0)))  # fmt: skip
    (change,) = compare_cards(before, after).rules
    amounts = [reason.amount for reason in change.reasons]
    assert amounts == pytest.approx([18.3333, -8.3333], abs=1e-3)
    assert sum(amounts) == pytest.approx(10.0)
    assert change.turned
    assert change.states == ("short", "met")


def test_shares_with_functions_are_split_without_naming_facilities():
    share = rule(kind="share", measure="places_percent", classes=("inclusive",), value=90.0)
    before = card(result(share, 50.0, counted=5.0, of=10.0))
    after = card(result(share, 60.0, counted=6.0, of=10.0), date="2025-09-30")
    (change,) = compare_cards(before, after).rules
    assert [(reason.words[1], reason.amount) for reason in change.reasons] == [("counted 5 → 6", pytest.approx(10.0))]


def test_the_worst_of_several_units_is_not_split_but_its_units_are_told():
    each = rule(kind="presence", measure="facilities_per_unit", levels=("street",), value=1.0)
    before = card(result(each, 0.0, counted=1.0, of=2.0, units=(unit("x", 1, True), unit("y", 0, False), unit("gone", 2, True))))
    after = card(result(each, 0.0, counted=1.0, of=2.0, units=(unit("x", 0, False), unit("y", 1, True))), date="2025-09-30")
    changes = compare_cards(before, after)
    (change,) = changes.rules
    assert change.reasons == ()
    assert [(one.unit, one.turned) for one in change.units] == [("x", -1), ("y", 1), ("gone", 0)]
    assert [one.unit for one in changes.units] == ["x", "y"]
    assert change.altered
    assert change.move == "same"


def test_more_units_that_meet_the_target_is_better_though_the_worst_stays():
    each = rule(kind="presence", measure="facilities_per_unit", levels=("street",), value=1.0)
    before = card(result(each, 0.0, counted=0.0, of=2.0, units=(unit("x", 0, False), unit("y", 0, False))))
    after = card(result(each, 0.0, counted=1.0, of=2.0, units=(unit("x", 1, True), unit("y", 0, False))), date="2025-09-30")
    changes = compare_cards(before, after)
    assert changes.rules[0].move == "better"
    assert "units that meet it 0/2 → 1/2" in changes.text("en")


def test_an_upper_limit_gets_better_when_the_value_falls():
    ceiling = rule(kind="entered", measure="entered_number", op="<=", types=(), value=1.5)
    before = card(result(ceiling, 2.0, counted=None, entered=(2.0, "局", "2025-06-01")))
    after = card(result(ceiling, 1.4, counted=None, entered=(1.4, "局", "2025-09-01")), date="2025-09-30")
    (change,) = compare_cards(before, after).rules
    assert change.move == "better"
    assert change.reasons[0].amount == pytest.approx(-0.6)
    assert change.reasons[0].words[1] == "figure entered: 1.4 (局, 2025-09-01)"


def test_new_targets_new_wording_and_rules_of_one_card_only_are_told():
    old, new = rule(), rule(value=5.0)
    reworded = rule("w", functions=("日托",))
    before = card(result(old, 10.0), result(rule("w"), 1.0), result(rule("gone"), 1.0), result(rule("blind"), None))
    after = card(
        result(new, 10.0), result(reworded, 1.0), result(rule("fresh"), 1.0), result(rule("blind"), 3.0), date="2025-09-30"
    )
    changes = compare_cards(before, after)
    found = {one.id: one for one in changes.rules}
    assert found["r"].retargeted
    assert found["r"].turned
    assert found["r"].reasons[0].words[1] == "target changed from 100 to 5"
    assert found["w"].reasons[0].words[1] == "the plan's wording of this rule changed"
    assert {code: one.move for code, one in found.items()} == {
        "r": "same", "w": "same", "fresh": "only_after", "blind": "judged", "gone": "only_before"
    }  # fmt: skip
    assert found["gone"].value == (1.0, None)
    assert found["gone"].rule.id == "gone"
    turned_round = compare_cards(replace(after, data_date="2025-06-30"), before).rules
    assert {one.id: one.move for one in turned_round}["blind"] == "unjudged"
    assert set(changes.rule_table("en").index) == {"r", "fresh", "blind", "gone"}
    assert len(changes.rule_table(all_rules=True)) == 5


def test_contradicted_rules_turn_when_one_of_their_targets_is_met():
    twice = (Target(100.0, False, 60.0, 60.0), Target(30.0, True, 0.0, 0.0))
    before = card(result(rule(), 20.0, state="contradicted", targets=(twice[0], replace(twice[1], met=False))))
    after = card(result(rule(), 40.0, state="contradicted", targets=twice), date="2025-09-30")
    assert compare_cards(before, after).rules[0].turned


def test_people_are_compared_by_group_in_all():
    before = card(people={"ALL": {"total": 1000.0, "p60": 200.0}})
    after = card(people={"ALL": {"total": 1050.0, "p60": 200.2}}, date="2025-09-30")
    changes = compare_cards(before, after)
    assert changes.people == {"total": (1000.0, 1050.0)}
    assert "residents went from 1,000 to 1,050 (+50)" in changes.text("en")


def test_runs_the_wrong_way_round_are_refused_and_odd_pairs_noted():
    with pytest.raises(
        InputError, match=re.escape("the runs are the wrong way round: 2025-09-30 is after 2025-06-30. Swap the two runs.")
    ):
        compare_cards(card(date="2025-09-30"), card())
    odd = compare_cards(card(), card(study="Other", profile="other"))
    told = " ".join(en for _, en in odd.notes)
    assert "two studies: Town, Other" in told
    assert "two plans" in told
    assert "same date" in told
    assert "lists no facilities" in told
    assert "注意：" in odd.text("zh")


# Places over time


def test_places_are_counted_from_the_year_of_opening_to_the_year_before_closing():
    places = [
        place("a", places=40.0, opened=2022.0), place("b", "closed", 30.0, opened=2015.0, closed=2023.0),
        place("c", places=None, opened=None), place("d", "building", 99.0),
    ]  # fmt: skip
    found = places_over_time(places, 2021, 2023)
    # 2021: b and c; 2022: a, b and c; 2023: a and c.
    assert found["places"].tolist() == [30.0, 70.0, 40.0]
    assert found["facilities"].tolist() == [2, 3, 2]
    assert found["places_unknown"].tolist() == [1, 1, 1]
    assert found["undated"].tolist() == [1, 1, 1]
    assert places_over_time(places, 2021, 2021, by="unit")["unit"].tolist() == ["s1"]
    with pytest.raises(ValueError, match="last year 2020 is before first 2021"):
        places_over_time(places, 2021, 2020)


def test_past_years_agree_with_how_a_plan_is_judged(demo: RunResult):
    study = demo.study
    ground = Ground(study, study.policy, 2025)
    card_now = replace(card(), places=judged_places(study))
    for year in (2012, 2021, 2024, 2025):
        expected = ground.open_in(year)["places"].sum()
        assert places_over_time(card_now.places, year, year)["places"].sum() == expected


def judged_places(study: Study) -> tuple[Place, ...]:
    plan = study_profile(study)
    return judge_plan(bare(study), plan.model_copy(update={"rule": plan.rule[:1]})).places


def bare(study: Study) -> Study:
    """The study without targets and figures of its own, which a shortened plan would refuse."""
    policy = study.policy
    assert policy is not None
    own = policy.model_copy(update={"set": {}, "entered": ()})
    return replace(study, config=study.config.model_copy(update={"policy": own}))


def test_cards_make_a_series_by_their_dates():
    cards = [card(places=(place("a"), place("b")), date="2025-09-30"), card(places=(place("a"), place("b", "building")))]
    assert places_by_card(cards)[["period", "places"]].to_numpy().tolist() == [["2025-06-30", 10.0], ["2025-09-30", 20.0]]


# Cards kept


def test_a_card_is_kept_under_its_date_and_never_changed_unnoticed(tmp_path: Path):
    first = card(result(rule(), 40.0))
    path = save_run_card(tmp_path, first)
    assert path.name == card_name(first) == "2025-06-30_plan.card.json"
    assert save_run_card(tmp_path, first) == path
    other = card(result(rule(), 41.0))
    with pytest.raises(
        InputError, match=re.escape("another scorecard of this date and plan is there already. State the new data_date")
    ):
        save_run_card(tmp_path, other)
    assert open_card(path) == first
    assert save_run_card(tmp_path, other, replace=True) == path
    assert open_card(tmp_path) == other
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_cards_are_found_by_folder_date_or_file(tmp_path: Path):
    paths = {date: save_run_card(tmp_path, card(date=date)) for date in ("2025-09-30", "2025-06-30", "")}
    (tmp_path / "odd.card.json").write_text("{}")
    assert list_cards(tmp_path)["date"].tolist() == ["", "2025-06-30", "2025-09-30"]
    assert find_card(tmp_path) == paths["2025-09-30"]
    assert find_card("2025-06", folder=tmp_path) == paths["2025-06-30"]
    assert find_card(str(paths[""])) == paths[""]
    save_run_card(tmp_path, card(profile="other"))
    with pytest.raises(InputError, match=re.escape("there are cards of several plans: other, plan. Name the profile.")):
        find_card("2025-06-30", folder=tmp_path)
    assert find_card("2025-06-30", folder=tmp_path, profile="other").name == "2025-06-30_other.card.json"
    with pytest.raises(InputError, match=re.escape("there is no such scorecard. Give a card's file, a folder")):
        find_card("2024-01-01", folder=tmp_path)
    with pytest.raises(InputError, match="no folder given"):
        find_card("2024-01-01")
    assert list_cards(tmp_path / "nothing").empty


# The demo town a quarter apart


@dataclass(frozen=True)
class Quarter:
    before: Study
    after: Study
    cards: tuple[Scorecard, Scorecard]
    changes: CardChanges


RULES = ("tuo_per_1000", "tuo_total", "tuo_one_per_street", "elder_15min", "beds_total", "elder_station_count")


def shortened(plan: Profile, rules: tuple[str, ...]) -> Profile:
    head = plan.profile.model_copy(update={"plan_end": None})
    return plan.model_copy(update={"rule": tuple(one for one in plan.rule if one.id in rules), "profile": head})


def edit_study(folder: Path) -> None:
    file = folder / "study.toml"
    text = file.read_text(encoding="utf-8")
    assert 'data_date = "2025-06-30"' in text
    file.write_text(text.replace('data_date = "2025-06-30"', 'data_date = "2025-09-30"'), encoding="utf-8")


def open_two_nurseries(file: Path) -> None:
    """The first two centres under construction open."""
    with file.open(encoding="utf-8-sig", newline="") as source:
        head, *rows = csv.reader(source)
    status, opened = head.index("状态"), head.index("开办年份")
    for row in [row for row in rows if row[status] == "开工"][:2]:
        row[status], row[opened] = "运营", "2025"
    with file.open("w", encoding="utf-8-sig", newline="") as target:
        csv.writer(target).writerows([head, *rows])


def change_elder_care(file: Path) -> None:
    """A station that no register held yet opens beside the first; the first day-care centre closes."""
    book = openpyxl.load_workbook(file)
    sheet = book["登记表"]
    head = [cell.value for cell in sheet[1]]
    at = {name: head.index(name) for name in ("编号", "名称", "类型", "状态", "开办年份", "停业年份", "床位数")}
    rows = list(sheet.iter_rows(min_row=2))
    station = next(row for row in rows if row[at["类型"]].value == "社区养老服务站" and row[at["状态"]].value == "运营")
    new = [cell.value for cell in station]
    values = {"编号": "YL900", "名称": "新站", "开办年份": 2025, "床位数": 9}
    for name, value in values.items():
        new[at[name]] = value
    centre = next(row for row in rows if row[at["类型"]].value == "日间照料中心" and row[at["状态"]].value == "运营")
    centre[at["状态"]].value, centre[at["停业年份"]].value = "停业", 2025
    sheet.append(new)
    book.save(file)


def add_people(file: Path, factor: float) -> None:
    import rasterio

    with rasterio.open(file) as source:
        people, profile = source.read(1), source.profile
    with rasterio.open(file, "w", **profile) as target:
        target.write(np.where(people > 0, people * factor, people).astype(people.dtype), 1)


@pytest.fixture(scope="module")
def quarter(demo: RunResult, tmp_path_factory: pytest.TempPathFactory) -> Quarter:
    """The demo town, and the same a quarter later: three openings, one closing, 2 % more residents."""
    folder = tmp_path_factory.mktemp("later") / "demo"
    shutil.copytree(demo.study.folder, folder)
    edit_study(folder)
    open_two_nurseries(folder / "childcare.csv")
    change_elder_care(folder / "elder_care.xlsx")
    add_people(folder / "population" / "total.tif", 1.02)
    before, after = bare(demo.study), bare(open_study(folder))
    plan = shortened(study_profile(demo.study), RULES)
    cards = judge_plan(before, plan), judge_plan(after, plan)
    explained = explain_changes(before, after, plan, cards=cards)
    return Quarter(before, after, cards, compare_cards(*cards, explained=explained))


def test_the_diff_names_exactly_the_openings_and_the_closing(quarter: Quarter):
    was, now = quarter.before.facility_table, quarter.after.facility_table
    opened = set(now.index[now["status"] == "operating"]) - set(was.index[was["status"] == "operating"])
    assert {one.id for one in quarter.changes.opened} == opened
    assert len(opened) == 3
    assert "YL900" in opened
    (closed,) = quarter.changes.closed
    assert closed.now.type == "日间照料中心"
    assert closed.kind == "closed"
    assert len(quarter.changes.facilities) == 4
    assert list(quarter.changes.people) == ["total"]
    was_total, now_total = quarter.changes.people["total"]
    assert now_total / was_total == pytest.approx(1.02, rel=1e-4)


def test_the_changes_of_the_quarter_are_what_pandas_counts(quarter: Quarter):
    changes = {one.id: one for one in quarter.changes.rules}
    for study, at in ((quarter.before, 0), (quarter.after, 1)):
        table = study.facility_table
        running = table[(table["status"] == "operating") & table["type"].isin(["托育机构", "幼儿园托班"])]
        places, people = running["places"].sum(), study.cells["total"].sum()
        assert changes["tuo_total"].value[at] == places
        assert changes["tuo_per_1000"].value[at] == pytest.approx(1000 * places / people)
    assert changes["elder_station_count"].change == 1


def test_each_cause_gets_its_part_and_the_parts_add_up(quarter: Quarter):
    explained = quarter.changes.explained
    assert explained is not None
    assert explained.order == ("opened", "closed", "population")
    assert explained.method == "shapley"
    for one in explained.rules.values():
        was, now = one.value
        assert was is not None
        assert now is not None
        assert sum(amount for _, amount in one.parts) == pytest.approx(now - was, abs=1e-9)
    # Two factors move the ratio N / D to N' / D'; the Shapley value of N is the mean of its effects with D and with D'.
    per = dict(explained.rules["tuo_per_1000"].parts)
    changes = {one.id: one for one in quarter.changes.rules}
    (n0, n1), (d0, d1) = changes["tuo_total"].value, quarter.changes.people["total"]
    assert per["opened"] == pytest.approx(1000 * (n1 - n0) * (1 / d0 + 1 / d1) / 2)
    assert per["population"] == pytest.approx(1000 * (n0 + n1) / 2 * (1 / d1 - 1 / d0))
    assert per["closed"] == 0
    # Beds: the new station has 9, the centre that closed its own; residents of no age do not matter.
    closed = quarter.changes.closed[0].places
    assert dict(explained.rules["beds_total"].parts) == pytest.approx({"opened": 9, "closed": closed, "population": 0})


def test_one_order_after_the_other_gives_the_same_sum(quarter: Quarter):
    plan = shortened(study_profile(quarter.before), RULES)
    found = explain_changes(quarter.before, quarter.after, plan, method="sequential", rules=["tuo_per_1000"], cards=quarter.cards)
    (one,) = found.rules.values()
    (n0, n1), (d0, d1) = one.value, quarter.changes.people["total"]
    places = n0 * d0 / 1000
    # First the openings at the old population, then the people.
    parts = dict(one.parts)
    assert parts["opened"] == pytest.approx(n1 * d1 / d0 - 1000 * places / d0)
    assert parts["closed"] == 0
    assert sum(parts.values()) == pytest.approx(n1 - n0)
    assert "in this order" in found.told("en")


def test_two_runs_of_the_same_data_have_nothing_to_explain(quarter: Quarter):
    plan = shortened(study_profile(quarter.before), ("tuo_total",))
    found = explain_changes(quarter.before, quarter.before, plan)
    assert found.rules == {}
    assert found.told("en") == "data and plan of both runs are the same"


def test_a_figure_entered_and_a_new_target_are_causes_of_their_own(quarter: Quarter):
    study = quarter.before
    plan = shortened(study_profile(study), ("tuo_total", "tuo_certified"))
    easier = plan.find("tuo_total").model_copy(update={"value": 1.0, "also": ()})
    raised = plan.model_copy(update={"rule": tuple(easier if one.id == easier.id else one for one in plan.rule)})
    entered = EnteredSection(rule="tuo_certified", value=100.0, source="局", date="2025-09-01")
    first = with_policy(study, entered=(entered.model_copy(update={"value": 80.0}),))
    second = with_policy(study, entered=(entered,))
    found = explain_changes(first, second, plan, profile_after=raised)
    assert found.order == ("entered", "plan")
    assert found.rules["tuo_certified"].parts == (("entered", 20.0), ("plan", 0.0))
    assert found.rules["tuo_certified"].turned_by == ("entered",)
    assert found.rules["tuo_total"].turned_by == ("plan",)
    assert "判定变化单由“规划目标修改”即可造成" in found.rules["tuo_total"].told("zh")


def with_policy(study: Study, **own: object) -> Study:
    assert study.policy is not None
    return replace(study, config=study.config.model_copy(update={"policy": study.policy.model_copy(update=own)}))


def test_every_input_that_differs_is_found_and_can_be_taken_over(quarter: Quarter):
    before = quarter.before
    plan = study_profile(before)
    units = before.units.assign(name=before.units["name"] + "x")
    streets = replace(before.streets, lon=before.streets.lon + 1e-9)
    later = with_policy(before, pooled_within_m=123.0)
    table = before.facility_table.copy()
    table.loc[table.index[0], "name"] = "renamed"
    config = later.config.model_copy(update={"study": later.config.study.model_copy(update={"data_date": "2026-01-01"})})
    assert before.compounds is not None
    after = replace(later, config=config, units=units, streets=streets, facility_table=table, compounds=before.compounds.iloc[1:])
    pair = pair_of(before, after, plan, plan)
    assert pair.differing() == ("edited", "streets", "units", "compounds", "settings", "date")
    none, _ = pair.mixed(())
    every, _ = pair.mixed(pair.differing())
    assert none.policy == before.policy
    assert none.data_date == before.data_date
    assert every.policy == after.policy
    assert every.data_date == "2026-01-01"
    pd.testing.assert_frame_equal(pd.DataFrame(every.facility_table), pd.DataFrame(table))
    pd.testing.assert_frame_equal(pd.DataFrame(none.facility_table), pd.DataFrame(before.facility_table))
    pd.testing.assert_series_equal(none.cells["unit"], before.cells["unit"])
    assert every.compounds is after.compounds
    nothing = pair_of(before, replace(before, compounds=None), plan, plan)
    assert nothing.differing() == ("compounds",)


def test_runs_in_different_projections_cannot_be_mixed(quarter: Quarter):
    other = replace(quarter.after, crs="EPSG:32650")
    plan = study_profile(quarter.before)
    with pytest.raises(
        InputError, match=re.escape("the two runs use different CRSs: EPSG:32651 and EPSG:32650. State the same crs")
    ):
        pair_of(quarter.before, other, plan, plan)


def test_a_verdict_that_no_cause_turns_alone_says_so():
    one = Explanation(
        "r", ("short", "met"), (1.0, 3.0), (("opened", 1.0), ("population", 1.0)), (), "shapley", ("opened", "population")
    )
    assert one.told("en").endswith("the verdict turned by several of these together")
    assert "共同造成" in one.told("zh")


def test_units_are_told_with_what_lies_below_them(quarter: Quarter):
    table = quarter.changes.unit_table(quarter.after.units, lang="en")
    assert table["opened"].sum() == 3
    assert table["closed"].sum() == 1
    assert table["places"].sum() == sum(one.places for one in quarter.changes.facilities)
    # Every street and township has 2 % more people, so all fourteen are told.
    assert len(table) == 14
    assert (table["people"] / table["people_before"]).to_numpy() == pytest.approx(1.02, rel=1e-3)
    finest = quarter.changes.unit_table()
    assert set(finest.index[finest["opened"] > 0]) == {one.now.unit for one in quarter.changes.opened}


def test_the_tables_hold_what_the_text_tells(quarter: Quarter):
    changes = quarter.changes
    table = changes.facility_table("en")
    assert table["change"].tolist() == ["opened", "opened", "opened", "closed"]
    assert table["operating_places"].sum() == sum(one.places for one in changes.facilities)
    assert changes.rule_table("zh").loc["tuo_total", "change"] == "好转"
    for lang in ("zh", "en"):
        assert len(changes.text(lang).splitlines()) > 8


# The page


def test_the_page_tells_the_quarter_and_is_the_same_each_time(quarter: Quarter, tmp_path: Path):
    units = quarter.after.units
    for lang, words in (
        ("zh", ("虚构数据", "新运营", "停业", "新站", "Shapley")),
        ("en", ("made-up", "opened", "closed", "新站")),
    ):
        path = write_changes(tmp_path / f"{lang}.html", quarter.changes, lang, units=units)
        text = path.read_text(encoding="utf-8")
        assert all(word in text for word in words)
        assert text.count("<path") > 14
        assert "://" not in text
        assert path.read_bytes() == write_changes(tmp_path / "again.html", quarter.changes, lang, units=units).read_bytes()


def test_the_page_escapes_what_the_registers_hold(tmp_path: Path):
    before = card(result(rule(title_en=EVIL), 40.0), study=EVIL, places=(place("a", type="店"),))
    after = card(
        result(rule(title_en=EVIL), 120.0, units=(unit("s1", 1, None),)), study=EVIL, date="2025-09-30", check_en=EVIL,
        places=(place("a", type="店"), place("b", name=EVIL, unit=EVIL, opened=2010.0, type=EVIL)),
    )  # fmt: skip
    text = write_changes(tmp_path / "p.html", compare_cards(before, after), "en").read_text(encoding="utf-8")
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 4
    assert "entered late" in text


def test_a_page_without_changes_says_so(tmp_path: Path):
    same = card(result(rule(), 40.0), date="")
    text = write_changes(tmp_path / "p.html", compare_cards(same, same)).read_text(encoding="utf-8")
    for words in ("登记表中的设施没有变化", "没有单元的设施或判定发生变化", "人口数据没有变化", "其余 1 项没有变化"):
        assert words in text


def test_rules_of_one_card_only_and_units_without_shapes_find_their_place_on_the_page(tmp_path: Path):
    import geopandas as gpd

    each = rule("each", kind="presence", measure="facilities_per_unit", levels=("street",), value=1.0)
    before = card(result(rule("gone"), 1.0), result(each, 0.0, counted=0.0, of=1.0, units=(unit("s1", 0, False),)))
    after = card(
        result(rule("fresh"), None), result(each, 1.0, counted=1.0, of=1.0, units=(unit("s1", 1, True),)), date="2025-09-30",
        places=(place("a"),),
    )  # fmt: skip
    units = gpd.GeoDataFrame(
        {"name": ["甲街道"], "level": ["street"], "parent": [""]}, index=["s1"], geometry=[None], crs="EPSG:32651"
    )
    text = write_changes(tmp_path / "p.html", compare_cards(before, after), "en", units=units).read_text(encoding="utf-8")
    assert "rule dropped" in text
    assert "new rule" in text
    assert "甲街道" in text
    assert "short → met" in text


def test_explained_holds_both_cards(quarter: Quarter):
    explained = quarter.changes.explained
    assert isinstance(explained, Explained)
    assert (explained.before, explained.after) == quarter.cards
