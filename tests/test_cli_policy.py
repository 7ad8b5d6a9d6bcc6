"""The commands about plans: each writes what it says, in both languages, and refuses what it cannot do."""

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from careshed import cli
from careshed.policy.judging import load_scorecard
from careshed.run import RunResult, summary_lines


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_profiles_are_listed_explained_and_begun_from_a_template(tmp_path: Path):
    listed = invoke("profiles", "--lang", "en")
    assert {"shuozhou-2023", "chifeng-2022", "living-circle-2018"} <= {line.split()[0] for line in listed.splitlines()}
    invoke("profiles", "chifeng-2022", "-o", tmp_path / "rules.csv")
    assert len(pd.read_csv(tmp_path / "rules.csv", encoding="utf-8-sig")) > 50
    assert "tuo_per_1000" in invoke("profiles", "wuzhong-2022")
    invoke("profiles", "--template", tmp_path / "mine.toml")
    assert "[[rule]]" in (tmp_path / "mine.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("plan", ["shuozhou-2023", "shanxi-2022", "botou-2022", "chifeng-2022", "wuzhong-2022"])
def test_every_plan_is_audited_as_text_page_and_table(plan: str, tmp_path: Path):
    assert "closes" in invoke("audit", plan, "--lang", "en").lower()
    invoke("audit", plan, "-o", tmp_path / "audit.html")
    assert "<html" in (tmp_path / "audit.html").read_text(encoding="utf-8")
    invoke("audit", plan, "-o", tmp_path / "audit.csv")
    assert "arithmetic" in pd.read_csv(tmp_path / "audit.csv", encoding="utf-8-sig").columns


def test_a_run_judges_the_plan_and_keeps_the_dated_card(demo: RunResult):
    names = {file.name for file in demo.files}
    assert {"scorecard.html", "scorecard.xlsx", "2025-06-30_shuozhou-2023.card.json"} <= names
    assert demo.card is not None
    saved = next(file for file in demo.files if file.name.endswith(".card.json"))
    assert load_scorecard(saved).counts() == demo.card.counts()
    counts = demo.card.counts()
    told = "\n".join(summary_lines(demo, "en"))
    assert f"{counts['met']} met" in told


def test_the_score_command_judges_by_the_plan_asked(demo: RunResult, tmp_path: Path):
    told = invoke("score", demo.study.path, "-p", "wuzhong-2022", "-o", tmp_path / "s.json", "--lang", "en")
    assert json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))["profile"] == "wuzhong-2022"
    assert "→" in told
    invoke("score", demo.study.path, "-p", "wuzhong-2022", "-o", tmp_path / "s.xlsx", "--lang", "en")
    assert openpyxl.load_workbook(tmp_path / "s.xlsx").sheetnames[0]


def test_a_target_is_broken_down_to_counties_and_closes(demo: RunResult, tmp_path: Path):
    invoke("break-down", demo.study.path, "--rule", "tuo_per_1000", "-o", tmp_path / "b.xlsx", "--lang", "en")
    invoke("break-down", demo.study.path, "--rule", "tuo_per_1000", "--what", "missing", "-o", tmp_path / "m.csv")
    table = pd.read_csv(tmp_path / "m.csv", encoding="utf-8-sig", dtype=str)
    parts = table[table.iloc[:, 0].isin(["990101", "990102"])]["合计"].astype(float)
    assert len(parts) == 2
    missing = demo.card.result("tuo_per_1000").targets[0].missing
    assert parts.sum() == pytest.approx(missing, abs=1)


def test_two_saved_cards_are_compared_by_date(demo: RunResult, tmp_path: Path):
    card = next(file for file in demo.files if file.name.endswith(".card.json"))
    told = invoke("diff", card, card, "-o", tmp_path / "d.html", "--lang", "en")
    assert "0 facilities opened" in told
    invoke("diff", "2025-06", "2025-06-30", "--cards", card.parent, "-o", tmp_path / "e.html")
    assert "<html" in (tmp_path / "e.html").read_text(encoding="utf-8")


def test_the_pipeline_command_tells_stages_and_subsidies(demo: RunResult, tmp_path: Path):
    invoke("pipeline", demo.study.path, "-s", "childcare", "-p", "chifeng-2022", "-o", tmp_path / "p.xlsx", "--lang", "en")
    assert openpyxl.load_workbook(tmp_path / "p.xlsx").sheetnames[:2] == ["Stages", "Projects"]


def test_compounds_short_are_listed_under_the_street_that_answers_for_them(demo: RunResult, tmp_path: Path):
    from careshed.policy.judging import compound_shortfalls, shortfalls_by_unit

    found = compound_shortfalls(demo.study, demo.card)
    for rule in found["rule"].unique():
        own = found[found["rule"] == rule]
        # What compounds lack adds up to what the card says is missing, and again over the units that answer for them.
        assert own["missing"].sum() == pytest.approx(demo.card.result(rule).targets[0].missing)
        by_unit = shortfalls_by_unit(found)
        assert by_unit.loc[by_unit["rule"] == rule, "missing"].sum() == pytest.approx(own["missing"].sum())
    parent = demo.study.units["parent"]
    unit = demo.study.compounds["unit"]
    assert all(parent[unit[row.compound]] == row.responsible for row in found.itertuples())
    invoke("compound-gaps", demo.study.path, "-o", tmp_path / "c.xlsx", "--lang", "en")
    assert openpyxl.load_workbook(tmp_path / "c.xlsx").sheetnames == ["Responsible units", "Compounds"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["audit", "shuozhou-2023", "-o", "a.pdf"], "this command writes .html, .csv"),
        (["diff", "a.json", "b.json", "-o", "d.xlsx"], "this command writes .html"),
    ],
)
def test_plan_commands_refuse_files_they_do_not_write(arguments: list[str], told: str):
    result = CliRunner().invoke(cli.app, arguments)
    assert told in str(result.exception)


def test_an_unknown_rule_is_told_with_the_nearest(demo: RunResult):
    result = CliRunner().invoke(cli.app, ["break-down", str(demo.study.path), "--rule", "tuo_per_100", "-o", "b.csv"])
    assert "nearest: tuo_per_1000" in str(result.exception)


def test_cards_of_two_plans_are_not_compared(demo: RunResult, tmp_path: Path):
    from dataclasses import replace

    from careshed.policy.judging import save_scorecard

    paths = [save_scorecard(replace(demo.card, profile=name), tmp_path / f"{name}.json") for name in ("plan-a", "plan-b")]
    result = CliRunner().invoke(cli.app, ["diff", *map(str, paths), "-o", str(tmp_path / "d.html")])
    assert "judge by different plans: plan-a / plan-b" in str(result.exception)


def test_a_rule_on_compounds_keeps_its_own_first_year(demo: RunResult):
    from careshed.policy import load_profile
    from careshed.policy.judging import judge_plan

    # The study sets new_since = 2018; the rule says 2013, and the plan's own word comes first.
    result = judge_plan(demo.study, load_profile("chifeng-2022")).result("elder_compound_land_2013")
    built = pd.to_numeric(demo.study.compounds["建成年份"])
    assert result.of == (built >= 2013).sum()


def test_operators_of_no_known_class_are_told(demo: RunResult):
    from dataclasses import replace

    from careshed.policy.judging import judge_plan

    table = demo.study.facility_table
    first = table.index[table["type"] == "托育机构"][0]
    odd = table.assign(operator=table["operator"].where(table.index != first, "某某集团"))
    card = judge_plan(replace(demo.study, facility_table=odd))
    told = [fault for fault in card.faults if fault.code == "unknown_operator"]
    assert [(fault.found, fault.row) for fault in told] == [("某某集团", str(table["row"][first]))]


def test_a_facility_whose_unit_says_neither_town_nor_country_is_counted(demo: RunResult):
    from dataclasses import replace

    from careshed.policy.judging import judge_plan

    units = demo.study.units
    stations = demo.study.facility_table
    held = stations[(stations["type"] == "社区养老服务站") & (stations["status"] == "operating")]["unit"].iloc[0]
    blank = units.assign(
        setting=units["setting"].where(units.index != held, ""),
        parent=units["parent"].where(units.index != held, units["parent"][units["parent"][held]]),
    )
    before = demo.card.result("elder_station")
    after = judge_plan(replace(demo.study, units=blank)).result("elder_station")
    assert sum(unit.met is True for unit in after.units) == sum(unit.met is True for unit in before.units)


def test_the_check_command_audits_the_files_and_writes_repaired_copies(demo: RunResult, tmp_path: Path):
    told = invoke("check", demo.study.path, "-o", tmp_path / "check.html", "--lang", "en")
    assert "→" in told
    assert "<html" in (tmp_path / "check.html").read_text(encoding="utf-8")
    wrong = demo.study.folder / "broken.toml"
    wrong.write_text(demo.study.path.read_text(encoding="utf-8").replace("snap_m", "snapm"), encoding="utf-8")
    result = CliRunner().invoke(cli.app, ["check", str(wrong), "-o", str(tmp_path / "broken.csv")])
    wrong.unlink()
    assert result.exit_code == 1
    assert "snapm" in (tmp_path / "broken.csv").read_text(encoding="utf-8-sig")
