"""The command line: one command a public step, one message for bad input, readable help."""

import functools
import inspect
import shutil
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from typer.testing import CliRunner

import careshed as cs
import careshed.run
from careshed import cli

STEPS = [
    "open_study",
    "build_network",
    "travel_times",
    "draw_isochrones",
    "coverage",
    "find_gaps",
    "rank_sites",
    "write_map",
    "write_sites",
    "assign_places",
    "floating_catchment",
    "build_hierarchy",
    "equity_report",
    "service_score",
    "compare_runs",
    "write_places_map",
]
"""The public steps: those of the README's dozen lines, then places and fairness."""


@pytest.fixture(scope="module")
def study(made_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(made_demo.parent, tmp_path_factory.mktemp("cli") / "demo") / made_demo.name


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_every_public_step_has_a_command():
    commands = {command.name or command.callback.__name__ for command in cli.app.registered_commands}
    assert {step.replace("_", "-") for step in STEPS} <= commands
    assert {"demo", "init", "run"} <= commands
    assert all(callable(getattr(cs, step)) for step in STEPS)


def test_every_command_is_explained_in_both_languages():
    for command in cli.app.registered_commands:
        text = inspect.getdoc(command.callback) or ""
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text), command.name
        assert any("a" <= letter <= "z" for letter in text), command.name


def test_steps_hand_travel_times_on_as_parquet(study, tmp_path):
    times = tmp_path / "times.parquet"
    invoke("travel-times", study, "-s", "day_care", "-o", times)
    table = pd.read_parquet(times)
    assert list(table.columns) == ["origin", "destination", "cost_ms"]
    assert table["cost_ms"].max() <= 15 * 60_000
    invoke("coverage", study, "-s", "day_care", "-o", tmp_path / "a.csv", "--times", times)
    invoke("coverage", study, "-s", "day_care", "-o", tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    told = invoke("coverage", study, "-s", "day_care", "-o", tmp_path / "c.csv", "--times", times, "--lang", "en")
    whole = pd.read_csv(tmp_path / "c.csv").iloc[0]
    people, covered, unjudged = (f"{whole.iloc[column]:,.0f}" for column in (3, 4, 6))
    assert f"{covered} of {people} people aged 60+ within 15 minutes, {unjudged} cannot be judged" in told
    invoke("find-gaps", study, "-s", "day_care", "-o", tmp_path / "gaps.geojson", "--times", times, "--lang", "en")
    assert len(gpd.read_file(tmp_path / "gaps.geojson")) > 0


def test_sites_are_ranked_and_written_with_their_bound(study, tmp_path):
    told = invoke("rank-sites", study, "-s", "childcare", "-o", tmp_path / "sites.csv", "--n", 3, "--lang", "en")
    assert len(pd.read_csv(tmp_path / "sites.csv", header=None, names=range(20), encoding="utf-8-sig").dropna(how="all")) >= 3
    assert "sites" in told
    invoke("write-sites", study, "-s", "childcare", "-o", tmp_path / "sites.xlsx")
    assert (tmp_path / "sites.xlsx").stat().st_size > 0


def test_network_isochrones_and_map_are_written(study, tmp_path):
    told = invoke("build-network", study, "-s", "childcare", "-o", tmp_path / "net.gpkg", "--lang", "en")
    assert "junctions" in told
    assert (gpd.read_file(tmp_path / "net.gpkg")["minutes"] >= 0).all()
    told = invoke("draw-isochrones", study, "-s", "childcare", "-o", tmp_path / "iso.geojson")
    assert "inside but beyond" in told
    assert gpd.read_file(tmp_path / "iso.geojson")["minutes"].tolist() == [5, 10, 15]
    invoke("write-map", study, "-s", "childcare", "-o", tmp_path / "map.html")
    assert "<html" in (tmp_path / "map.html").read_text(encoding="utf-8")


def test_open_study_tells_what_was_found(study):
    assert "EPSG:32651" in invoke("open-study", study, "--lang", "en")


def test_init_then_run_tells_what_is_missing(tmp_path, monkeypatch, capsys):
    told = invoke("init", tmp_path / "mine", "--lang", "en")
    assert "study.toml" in told
    monkeypatch.setattr("sys.argv", ["careshed", "run", str(tmp_path / "mine" / "study.toml"), "--lang", "en"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    shown = capsys.readouterr().err
    assert "fault(s) in the input" in shown
    assert "Traceback" not in shown


def test_warm_up_compiles_and_says_nothing():
    assert invoke("warm-up") == ""


def test_an_unknown_service_is_one_line(study, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["careshed", "coverage", str(study), "-s", "daycare", "-o", str(tmp_path / "x.csv")])
    with pytest.raises(SystemExit):
        cli.main()
    assert "there is no service 'daycare'" in capsys.readouterr().err


def test_demo_makes_the_town_and_runs_it(made_demo, tmp_path, monkeypatch):
    # A copy stands for the town made, one service for all three: the session's own demo makes it and runs them all.
    monkeypatch.setattr("careshed.demo.make_demo", lambda folder: shutil.copytree(made_demo.parent, folder) / made_demo.name)
    monkeypatch.setattr("careshed.run.run_study", functools.partial(careshed.run.run_study, only=["childcare"]))
    told = invoke("demo", tmp_path, "--quiet", "--lang", "en")
    assert "making the made-up town" in told
    assert (tmp_path / "maps" / "demo" / "childcare.html").exists()


def test_open_study_counts_facilities_sites_and_units_and_tells_each_kind_of_note_once(study):
    told = invoke("open-study", study, "--lang", "zh").splitlines()
    assert told[1].startswith("设施 ")
    assert any(line.startswith("候选点共 ") for line in told)
    assert any(line.startswith("单元 ") and "街道" in line for line in told)
    notes = [line for line in told if line.startswith("  ") and "第" in line]
    assert len(notes) == len(set(notes))
