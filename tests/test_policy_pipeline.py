"""What projects would bring: coverage stage by stage, rules, cost per person and the subsidy bill, each counted a second way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pandas as pd
import pytest

from careshed.access import coverage
from careshed.network import build_network
from careshed.policy import load_profile
from careshed.policy.changes.subset import judge_some
from careshed.policy.pipeline import Pipeline, pipeline, promoted
from careshed.reach import travel_times
from careshed.report.pipeline import write_pipeline
from careshed.schema import InputError
from careshed.study import UnknownService

if TYPE_CHECKING:
    from careshed.policy import Profile, Rule
    from careshed.reach import TravelTimes
    from careshed.run import RunResult
    from careshed.study import Study

RULES = ("tuo_per_1000", "tuo_total")
NURSERIES = ["托育机构", "幼儿园托班"]


@pytest.fixture(scope="module")
def plan() -> Profile:
    return load_profile("chifeng-2022")


@pytest.fixture(scope="module")
def town(demo: RunResult) -> Study:
    """The demo town without a plan of its own."""
    return replace(demo.study, config=demo.study.config.model_copy(update={"policy": None}))


@pytest.fixture(scope="module")
def found(town: Study, plan: Profile) -> Pipeline:
    return pipeline(town, "childcare", profile=plan, rules=RULES)


def reaching(study: Study, statuses: list[str], only: str = "") -> TravelTimes:
    """Travel of childcare facilities of some statuses, and one more, searched anew."""
    table = study.facility_table
    fits = table["type"].isin(NURSERIES) & (table["status"].isin(statuses) | (table.index == only))
    network = build_network(study.streets, mode=study.mode("childcare"), crs=study.crs, snap_m=study.snap_m)
    return travel_times(network, table[fits], study.cells, limit_min=15)


def covered(study: Study, statuses: list[str], only: str = "") -> float:
    times = reaching(study, statuses, only)
    return float(coverage(times, study.cells, study.units, minutes=15, group="p0_3").at["ALL", "covered"])


def test_stages_add_up_and_agree_with_coverage_counted_anew(found: Pipeline, town: Study):
    table = found.stages.set_index("stage")
    statuses: list[str] = []
    for stage in ("operating", "building", "reserve"):
        statuses.append(stage)
        assert table.at[stage, "covered"] == pytest.approx(covered(town, statuses))
    assert table["new_covered"].sum() == pytest.approx(table.at["reserve", "covered"] - table.at["operating", "covered"])
    assert table.at["building", "new_covered"] > 0
    own = town.facility_table[town.facility_table["type"].isin(NURSERIES)]
    shown = [["operating"], ["operating", "building"], ["operating", "building", "reserve"]]
    assert table["facilities"].tolist() == [int(own["status"].isin(some).sum()) for some in shown]
    # The other sense of covered: streets that have one, of the eight.
    streets = town.units.index[town.units["level"] == "street"]
    parents = town.units["parent"]
    having = {parents[unit] for unit in own.loc[own["status"] == "operating", "unit"]} & set(streets)
    assert table.loc["operating", ["units_having", "units"]].tolist() == [len(having), 8]


def test_a_project_alone_brings_what_a_search_with_it_finds(found: Pipeline, town: Study):
    before = covered(town, ["operating"])
    for code, gain in found.projects["new_covered"].items():
        assert gain == pytest.approx(covered(town, ["operating"], str(code)) - before)


def test_cost_and_subsidy_follow_the_plan_to_the_yuan(found: Pipeline, town: Study):
    projects = found.projects
    table = town.facility_table
    expected = table.index[table["type"].isin(NURSERIES) & table["status"].isin(["building", "reserve"])]
    assert projects.index.tolist() == expected.tolist()
    centres = projects[projects["type"] == "托育机构"]
    classes = projects[projects["type"] == "幼儿园托班"]
    # 4,000 yuan/m² for public childcare centres; the toddler class is private, and the plan has no such line.
    assert centres["cost_yuan"].tolist() == (4000 * centres["area_m2"]).tolist()
    assert set(centres["cost_from"]) == {"childcare_public_centre"}
    assert classes["cost_yuan"].isna().all()
    # The range: 22,666.7 yuan a place for public ones; inclusive centres' 1,538.5 yuan/m² do not count.
    ways = np.column_stack([4000 * centres["area_m2"], 22666.7 * centres["places"]])
    assert centres["cost_low"].tolist() == ways.min(axis=1).tolist()
    assert centres["cost_high"].tolist() == ways.max(axis=1).tolist()
    # None of the projects is inclusive, and the plan pays only these.
    assert projects["one_off_yuan"].tolist() == projects["month_yuan"].tolist() == [0.0, 0.0, 0.0]
    assert set(projects["setting"]) == {"urban"}


def test_only_inclusive_childcare_is_paid_for_running(found: Pipeline, town: Study):
    # 民办普惠: 59 + 43 + 64 + 18 + 33 = 217 places at 100 yuan a month.
    inclusive = town.facility_table["operator"].str.contains("普惠") & town.facility_table["type"].isin(NURSERIES)
    assert town.facility_table.loc[inclusive, "places"].sum() == 217
    assert found.stages.set_index("stage")["month_yuan"].tolist() == [21_700.0] * 3
    assert any("the plan pays no subsidy to such operators" in en for _, en in found.notes)


def test_inclusive_projects_are_paid_and_priced_by_their_own_lines(town: Study, plan: Profile, found: Pipeline):
    changed = moved(town, {str(code): {"operator": "民办普惠"} for code in found.projects.index})
    own = pipeline(changed, "childcare", profile=plan, rules=())
    projects, stage = own.projects, own.stages.set_index("stage").loc["building"]
    assert projects["cost_yuan"].tolist() == (1538.5 * projects["area_m2"]).tolist()
    assert projects["one_off_yuan"].tolist() == (2500 * projects["places"]).tolist()
    assert projects["month_yuan"].tolist() == (100 * projects["places"]).tolist()
    each = projects["cost_yuan"] / projects["new_covered"]
    assert projects["yuan_per_person"].to_numpy() == pytest.approx(each.to_numpy())
    assert stage["cost_yuan"] == projects["cost_yuan"].sum()
    assert stage["one_off_yuan"] == 2500 * projects["places"].sum()
    assert stage["net_yuan"] == stage["cost_yuan"] - stage["one_off_yuan"]
    assert stage["yuan_per_person"] == pytest.approx(stage["cost_yuan"] / stage["new_covered"])
    assert stage["month_yuan"] == 21_700 + 100 * projects["places"].sum()


def test_an_operator_that_is_not_known_is_not_paid_and_told(town: Study, plan: Profile, found: Pipeline):
    first = str(found.projects.index[0])
    own = pipeline(moved(town, {first: {"operator": ""}}), "childcare", profile=plan, rules=())
    assert own.projects.loc[first, ["one_off_yuan", "month_yuan"]].tolist() == [0.0, 0.0]
    assert np.isnan(own.projects.at[first, "cost_yuan"])
    assert any("1 facilities: kind of operator not known" in en for _, en in own.notes)


def test_private_homes_are_paid_for_running_and_inclusive_ones_for_building(plan: Profile):
    classes = {line.id: line.classes for line in plan.subsidy}
    assert classes["bed_operating"] == ("private", "public_private")
    assert {classes[code] for code in ("bed_new", "bed_purchased", "bed_rented", "place_operating")} == {("inclusive",)}
    assert load_profile("shanxi-2022").subsidy[0].classes == ()


def moved(study: Study, changes: dict[str, dict[str, object]]) -> Study:
    table = study.facility_table.copy()
    for code, values in changes.items():
        for name, value in values.items():
            table.loc[code, name] = value
    return replace(study, facility_table=table)


def test_rates_differ_by_town_and_country_and_by_the_way_of_building(town: Study, plan: Profile, found: Pipeline):
    first, second, third = (str(code) for code in found.projects.index)
    village = str(town.units.index[town.units["level"] == "village"][0])
    changed = moved(town, {first: {"unit": village, "places": 10.0}, second: {"places": 20.0}, third: {"places": np.nan}})
    changed = moved(changed, {code: {"operator": "民办普惠"} for code in (first, second, third)})
    bill = pipeline(changed, "childcare", profile=plan, rules=(), build={second: "extension"}, occupancy=0.8)
    own = bill.projects
    # 10 new places in the country at 1,500 yuan; 20 added to a building in town at 1,500; places unknown: nothing.
    assert own["one_off_yuan"].to_dict() == {first: 15_000.0, second: 30_000.0, third: 0.0}
    # 100 yuan a month and child, eight places of ten taken.
    assert own["month_yuan"].to_dict() == {first: 800.0, second: 1600.0, third: 0.0}
    lines = bill.subsidies[bill.subsidies["facility_id"] == first]
    assert lines["subsidy"].tolist() == ["place_new_rural", "place_operating"]
    assert lines["quantity"].tolist() == [10.0, 8.0]
    told = " ".join(en for _, en in bill.notes)
    assert "1 facilities state no places: no subsidy counted" in told
    assert "80% of places taken" in told


def test_stated_costs_come_before_the_model_and_unknown_ones_are_named(town: Study, plan: Profile, found: Pipeline):
    first, second, third = (str(code) for code in found.projects.index)
    changed = moved(town, {third: {"area_m2": np.nan, "places": np.nan}})
    column = changed.facility_table.assign(cost_yuan=np.nan)
    column.loc[second, "cost_yuan"] = 777.0
    own = pipeline(replace(changed, facility_table=column), "childcare", profile=plan, rules=(), costs={first: 1_000_000.0})
    assert own.projects["cost_from"].tolist() == ["project", "project", ""]
    assert own.projects["cost_yuan"].tolist()[:2] == [1_000_000.0, 777.0]
    stage = own.stages.set_index("stage").loc["building"]
    assert stage["cost_unknown"] == 1
    assert np.isnan(stage["yuan_per_person"])
    assert np.isnan(stage["net_yuan"])
    assert any("cost unknown" in en and str(own.projects["name"].iloc[2]) in en for _, en in own.notes)


def test_rules_are_judged_as_if_projects_opened_now(found: Pipeline, town: Study):
    table, people = town.facility_table, town.cells["total"].sum()
    kinds = table["type"].isin(NURSERIES)
    for stage, statuses in (("operating", ["operating"]), ("reserve", ["operating", "building", "reserve"])):
        places = table.loc[kinds & table["status"].isin(statuses), "places"].sum()
        assert found.rules.at["tuo_total", f"value_{stage}"] == places
        assert found.rules.at["tuo_per_1000", f"value_{stage}"] == pytest.approx(1000 * places / people)
    assert found.rules["state_operating"].tolist() == ["short", "short"]
    assert found.rules.at["tuo_per_1000", "target"] == 4.5


def test_promoted_projects_open_in_the_year_of_the_data(town: Study):
    later = promoted(town, ["reserve"]).facility_table
    was = town.facility_table["status"] == "reserve"
    assert set(later.loc[was, "status"]) == {"operating"}
    assert set(later.loc[was, "opened"]) == {2025.0}
    pd.testing.assert_frame_equal(pd.DataFrame(later[~was]), pd.DataFrame(town.facility_table[~was]))
    undated = replace(
        town, config=town.config.model_copy(update={"study": town.config.study.model_copy(update={"data_date": ""})})
    )
    assert promoted(undated, ["reserve"]).facility_table.loc[was, "opened"].isna().all()


def test_the_studys_own_plan_is_taken_if_none_is_named(demo: RunResult):
    own = pipeline(demo.study, "township_centre", rules=["tuo_total"])
    assert own.rules.index.tolist() == ["tuo_total"]
    assert own.subsidies.empty
    assert any("no subsidy rates" in en for _, en in own.notes)
    assert own.projects["cost_yuan"].isna().all()
    stages = own.stages.set_index("stage")["cost_yuan"]
    # One project, in reserve, of unknown cost; the stage before has none, which costs nothing.
    assert stages["building"] == 0
    assert np.isnan(stages["reserve"])


def test_rules_about_types_that_have_projects_are_judged_if_none_is_named(town: Study, plan: Profile):
    # Childcare has projects; no clinic is being built, and fee caps and procedures are not measured.
    chosen = plan.model_copy(update={"rule": (plan.find("tuo_total"), plan.find("tuo_gap"), *clinics_and_fees(plan))})
    assert pipeline(town, "township_centre", profile=chosen).rules.index.tolist() == ["tuo_total", "tuo_gap"]


def clinics_and_fees(plan: Profile) -> list[Rule]:
    clinic = plan.find("tuo_total").model_copy(update={"id": "clinics", "types": ("乡镇卫生院",)})
    return [clinic, plan.find("tuo_total").model_copy(update={"id": "none", "kind": "procedure", "measure": "none"})]


def test_without_a_plan_only_coverage_is_told(town: Study):
    own = pipeline(town, ["childcare"])
    assert own.rules.empty
    assert own.subsidies.empty
    assert any("names no plan" in en for _, en in own.notes)


def test_facilities_in_neither_town_nor_country_are_told(town: Study, plan: Profile, found: Pipeline):
    # Communities whose street is not known are neither urban nor rural.
    paid = moved(town, {str(found.projects.index[0]): {"operator": "民办普惠"}})
    own = pipeline(replace(paid, units=town.units.assign(setting="", parent="")), "childcare", profile=plan, rules=())
    assert own.projects["one_off_yuan"].iloc[0] == 0
    assert pipeline(paid, "childcare", profile=plan, rules=()).projects["one_off_yuan"].iloc[0] > 0
    assert any("facilities: town or country not known" in en for _, en in own.notes)


def test_what_cannot_be_asked_is_refused_all_at_once(town: Study, plan: Profile):
    with pytest.raises(InputError) as failed:
        pipeline(town, "childcare", profile=plan, rules=["nothing"], costs={"X1": 5.0, "TY003": -1.0}, build={"X2": "new"})
    told = failed.value.text("en")
    for words in (
        "costs: the registers have no such facility (found 'X1'). Check the id.",
        "build: the registers have no such facility (found 'X2')",
        "costs: the cost of TY003 must be at least 0 (found '-1')",
        "rules: the plan has no such rule (found 'nothing')",
    ):
        assert words in told
    with pytest.raises(ValueError, match="occupancy=0: the share of places taken is above 0"):
        pipeline(town, "childcare", profile=plan, occupancy=0)
    with pytest.raises(UnknownService):
        pipeline(town, "library", profile=plan, rules=())


def test_judging_some_rules_gives_what_judging_all_gives(demo: RunResult):
    plan = load_profile("shuozhou-2023")
    # The share of compounds leans on the standards for compounds, which are kept.
    card = judge_some(demo.study, plan, ["elder_new_compound_rate"])
    assert "elder_compound_standard" in {one.id for one in card.results}
    assert card.result("elder_new_compound_rate").value is not None


def test_the_workbook_holds_every_table_in_both_languages(found: Pipeline, town: Study, tmp_path: Path):
    for lang, names in (("zh", ["分阶段", "项目", "补贴测算", "指标"]), ("en", ["Stages", "Projects", "Subsidies", "Rules"])):
        path = write_pipeline(tmp_path / f"{lang}.xlsx", found, town, lang)
        book = openpyxl.load_workbook(path)
        assert book.sheetnames == names
        bill = list(book.worksheets[2].iter_rows(values_only=True))
        assert bill[-1][-2:] == (found.subsidies["one_off_yuan"].sum(), found.subsidies["month_yuan"].sum())
    assert path.read_bytes() == write_pipeline(tmp_path / "again.xlsx", found, town, "en").read_bytes()
    bare = replace(found, rules=pd.DataFrame(), subsidies=found.subsidies.iloc[:0])
    assert openpyxl.load_workbook(write_pipeline(tmp_path / "bare.xlsx", bare, town)).sheetnames == ["分阶段", "项目"]
