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
    rows = [line.split(",") for line in (tmp_path / "m.csv").read_text(encoding="utf-8-sig").splitlines()]
    parts = {row[0]: float(row[-1]) for row in rows if row[0].startswith("9901") and len(row) > 2}
    assert set(parts) == {"990101", "990102"}
    missing = demo.card.result("tuo_per_1000").targets[0].missing
    assert sum(parts.values()) == pytest.approx(missing, abs=1)


def test_two_saved_cards_are_compared_by_date(demo: RunResult, tmp_path: Path):
    card = next(file for file in demo.files if file.name.endswith(".card.json"))
    told = invoke("diff", card, card, "-o", tmp_path / "d.html", "--lang", "en")
    assert "0 facilities opened" in told
    invoke("diff", "2025-06", "2025-06-30", "--cards", card.parent, "-o", tmp_path / "e.html")
    assert "<html" in (tmp_path / "e.html").read_text(encoding="utf-8")


def test_the_pipeline_command_tells_stages_and_subsidies(demo: RunResult, tmp_path: Path):
    invoke("pipeline", demo.study.path, "-s", "childcare", "-p", "chifeng-2022", "-o", tmp_path / "p.xlsx", "--lang", "en")
    assert openpyxl.load_workbook(tmp_path / "p.xlsx").sheetnames[:2] == ["Stages", "Projects"]
