"""The plan file: what it says, that it is checked from raw travel times, and that no figure can be changed unnoticed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from plan_town import write_town
from typer.testing import CliRunner

from careshed.cli import app
from careshed.run import input_files
from careshed.schema import InputError
from careshed.siting.plan_check import verify_plan_file
from careshed.siting.plan_file import as_data, digest, input_hashes, plan_data, read_plan_file, sealed, write_plan_file
from careshed.siting.plan_recount import CHINESE, both
from careshed.siting.planning import Budget, Subsidy
from careshed.siting.studying import Networks, plan_study
from careshed.study import Study, open_study

YEARS = "[[plan.phase]]\nyear = 2026\nsites = 1\n[[plan.phase]]\nyear = 2027\nsites = 1\n"
PLANS = {
    "cover": "at_most = 2\nbudget_yuan = 900000\n[[plan.subsidy]]\nyuan = 1000\n",
    "median": 'objective = "p_median"\nat_most = 1',
    "years": YEARS,
    "short": "budget_yuan = 500000\n"
    + "".join(f'[[plan.per_unit]]\nlevel = "{level}"\nat_least = 1\n' for level in ("street", "township")),
    "served": 'objective = "max_served"\nat_most = 1\n[[plan.upgradable]]\nid = "E"\nplaces = 30\ncost_yuan = 2000\n',
    "sure": 'at_most = 1\nfrontier = "sites"\nfrontier_steps = 1\n[plan.scenarios]\nrelative_se = 0.0\ndraws = 0',
}
"""Six plans: cover with money, p-median with assignments, years, a budget that does not suffice, places and an upgrade,
scenarios and curve."""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("town")
    sections = [f'id = "{name}"\nservice = "day_care"\n{text}' for name, text in PLANS.items()]
    return open_study(write_town(folder, *sections))


@pytest.fixture(scope="module")
def files(study: Study, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("plans")
    return {one.section.id: write_plan_file(folder / f"{one.section.id}_plan.json", one) for one in plan_study(study)}


NETWORKS: dict[int, Networks] = {}


def told(study: Study, folder: Path, data: dict) -> list[str]:
    """What the check says of changed data, sealed anew as a forger would."""
    path = folder / "forged.json"
    path.write_text(json.dumps(sealed(data), ensure_ascii=False), encoding="utf-8")
    return [fault.text("en") for fault in verify_plan_file(study, path, networks=NETWORKS.setdefault(id(study), Networks(study)))]


@pytest.mark.parametrize("name", list(PLANS))
def test_a_plan_file_adds_up_and_solving_again_gives_the_same(study: Study, files: dict[str, Path], name: str):
    assert verify_plan_file(study, files[name], again=True) == ()


def test_the_file_says_sites_money_people_and_proof(files: dict[str, Path]):
    data = read_plan_file(files["cover"])
    # Y and W: 360 people for 700,000 yuan, 18 places subsidised with 1,000 each.
    assert [(one["id"], one["status"]) for one in data["sites"]] == [("W", "new"), ("Y", "new"), ("E", "kept")]
    assert (data["value"], data["bound"], data["gap"], data["status"]) == (360.0, 360.0, 0.0, "optimal")
    assert data["money"] == {"cost_yuan": 700_000.0, "subsidy_yuan": 18_000.0, "closing_yuan": 0.0, "net_yuan": 682_000.0}
    assert data["reached"][0] | {"kind": ""} == {
        "kind": "", "group": "p60", "service": "day_care", "total": 360.0, "before": 160.0, "after": 360.0, "served": None,
    }  # fmt: skip
    assert data["rules"][1]["subsidies"] == [{"kind": "Subsidy", "yuan": 1000.0, "build": "new", "setting": "all", "service": ""}]
    assert set(data["inputs"]) == {"study.toml", "streets.osm", "people.csv", "units.gpkg", "stations.csv", "candidates.csv"}


def test_the_file_holds_no_clock_and_repeats_byte_for_byte(study: Study, files: dict[str, Path], tmp_path: Path):
    one = next(found for found in plan_study(study, "cover"))
    assert write_plan_file(tmp_path / "again.json", one).read_bytes() == files["cover"].read_bytes()


def test_the_inputs_are_those_of_the_run_manifest(study: Study):
    assert set(input_hashes(study)) == input_files(study)


def leaves(value: object, at: tuple = ()) -> Iterator[tuple]:
    """Paths of all figures and texts of a file."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*at, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*at, place))
    elif value is not None:
        yield at


def altered(data: dict, path: tuple) -> dict:
    """The same data with one leaf changed."""
    other = copy.deepcopy(data)
    node = other
    for key in path[:-1]:
        node = node[key]
    old = node[path[-1]]
    node[path[-1]] = not old if isinstance(old, bool) else old + 1 if isinstance(old, int | float) else f"{old}X"
    return other


@pytest.mark.parametrize("name", list(PLANS))
def test_no_figure_can_be_changed_without_being_found(study: Study, files: dict[str, Path], name: str, tmp_path: Path):
    # Every number of sites, money, people, units, proof and rules is changed by itself, and the file sealed anew.
    data = read_plan_file(files[name])
    counted = {"sites", "money", "reached", "by_unit", "value", "bound", "gap", "stages", "rules", "objective", "assignments"}
    counted |= {"closed", "upgrades", "seed", "work_limit", "unit", "status", "study", "inputs"}
    paths = [path for path in leaves(data) if path[0] in counted or path[:2] == ("phases", "opened")]
    paths = [path for path in paths if path[0] != "stages" or path[-1] != "name"]
    assert len(paths) > 80
    chosen = paths[:: max(len(paths) // (100 if name == "cover" else 40), 1)]
    missed = [path for path in chosen if not told(study, tmp_path, altered(data, path))]
    assert missed == []


@pytest.mark.parametrize("key", ["extra_yuan", "units_without", "rules_broken"])
def test_what_gave_way_is_checked(study: Study, files: dict[str, Path], key: str, tmp_path: Path):
    data = copy.deepcopy(read_plan_file(files["short"]))
    old = data["relaxation"][key]
    data["relaxation"][key] = ["A"] if isinstance(old, list) else old + 100_000
    assert any(f"relaxation.{key}" in line or "relaxation" in line for line in told(study, tmp_path, data))


def test_claims_without_conflict_and_rules_that_did_not_give_way_are_found(study: Study, files: dict[str, Path], tmp_path: Path):
    data = copy.deepcopy(read_plan_file(files["short"]))
    none = data | {"relaxation": None}
    found = told(study, tmp_path, none)
    assert "conflicts and relaxation go together" in found
    assert any("700000 yuan is above the budget of 500000" in line for line in found)
    other = copy.deepcopy(data)
    other["relaxation"]["gave_way"][0]["en"] = "nobody asked"
    assert any("is in no conflict" in line for line in told(study, tmp_path, other))


def test_a_site_that_is_swapped_left_out_or_unknown_is_found(study: Study, files: dict[str, Path], tmp_path: Path):
    data = read_plan_file(files["cover"])
    without = copy.deepcopy(data)
    del without["sites"][1]
    assert any("value" in line for line in told(study, tmp_path, without))
    strange = copy.deepcopy(data)
    strange["sites"][0]["id"] = "Q"
    assert any("the study has no such sites" in line for line in told(study, tmp_path, strange))
    gone = copy.deepcopy(data)
    del gone["sites"][2]
    assert any("E stands but is neither kept nor closed" in line for line in told(study, tmp_path, gone))


def test_years_are_counted_again(study: Study, files: dict[str, Path], tmp_path: Path):
    data = read_plan_file(files["years"])
    late = copy.deepcopy(data)
    late["phases"]["opened"] = {"2026": ["W"], "2027": ["Y"]}
    assert any("phases.years" in line and "after" in line for line in told(study, tmp_path, late))
    never = copy.deepcopy(data)
    never["phases"]["opened"]["2027"] = []
    assert any("opens in no year" in line for line in told(study, tmp_path, never))
    strange = copy.deepcopy(data)
    strange["phases"]["opened"]["2027"] = ["X"]
    assert any("is no new site" in line for line in told(study, tmp_path, strange))


def test_an_upgrade_that_nobody_allowed_is_found(study: Study, files: dict[str, Path], tmp_path: Path):
    data = copy.deepcopy(read_plan_file(files["served"]))
    data["upgrades"][0]["places"] = 300.0
    assert any("names an upgrade that the study does not allow" in line for line in told(study, tmp_path, data))


def test_reasons_and_dominated_sites_must_be_of_the_plan(study: Study, files: dict[str, Path], tmp_path: Path):
    data = copy.deepcopy(read_plan_file(files["cover"]))
    data["reasons"][0]["site_id"] = "X"
    data["dominated"] = [["Q", "X"]]
    found = told(study, tmp_path, data)
    assert any("X is no new site" in line for line in found)
    assert any("there is no candidate Q or X" in line for line in found)


def test_solving_again_finds_what_cannot_be_counted(study: Study, files: dict[str, Path], tmp_path: Path):
    data = copy.deepcopy(read_plan_file(files["cover"]))
    data["reasons"][0]["people_new"] = 999.0
    assert told(study, tmp_path, data) == []
    found = verify_plan_file(study, tmp_path / "forged.json", again=True)
    assert [fault.code for fault in found] == ["solved_otherwise"]
    assert "solved once more" in found[0].en


def test_a_broken_seal_and_changed_inputs_are_named(study: Study, files: dict[str, Path], tmp_path: Path):
    data = read_plan_file(files["cover"])
    assert digest({key: value for key, value in data.items() if key != "sha256"}) == data["sha256"]
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data | {"method": "by hand"}), encoding="utf-8")
    assert [fault.code for fault in verify_plan_file(study, path)] == ["changed"]
    other = sealed(data | {"inputs": data["inputs"] | {"people.csv": "0" * 64}})
    path.write_text(json.dumps(other), encoding="utf-8")
    assert "an input differs from what the plan was made from: people.csv" in [one.en for one in verify_plan_file(study, path)]


def test_files_that_are_no_plan_are_refused(study: Study, files: dict[str, Path], tmp_path: Path):
    path = tmp_path / "x.json"
    with pytest.raises(InputError, match="file not found"):
        read_plan_file(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="is not valid JSON"):
        read_plan_file(path)
    path.write_text('{"format": "other"}', encoding="utf-8")
    with pytest.raises(InputError, match="is no plan file of careshed"):
        read_plan_file(path)
    data = {key: value for key, value in read_plan_file(files["cover"]).items() if key != "money"}
    assert any("malformed" in line for line in told(study, tmp_path, data))


def test_every_line_of_the_recheck_has_its_chinese():
    said = [
        "X cannot host 'meals'", "X is called kept", "E is extended without a rule", "E is closed without a rule",
        "E stands but is neither kept nor closed", "value is 1.000000, counted 2.000000", "cell 3 does not reach X at cost 5",
        "cell 3 sends more people than live there", "X has 3 places for 4.000000 people", "bound 1 is worse than the value 2",
        "PerUnit A: 0 is not between 1 and inf", "X is not built", "X is built", "5 yuan is above the budget of 4",
        "X has 20 m2", "X has 3 places", "X and Y are 20 m apart", "1 of 4 inclusive is less than 0.6",
        "in A 1 of 2 are reached, 80% asked", "X hosts services of 30 m2 on 20 m2",
    ]  # fmt: skip
    assert len(said) == len(CHINESE)
    assert all(both(line)[0] != line for line in said)
    assert both("something new") == ("something new", "something new")


def test_rules_are_said_as_data():
    assert as_data(Budget(5.0, (Subsidy(1.5),)))["subsidies"][0]["yuan"] == 1.5
    assert as_data(Budget(5.0))["kind"] == "Budget"


def test_the_data_of_a_plan_are_plain_json(study: Study):
    (one,) = plan_study(study, "median")
    data = plan_data(one)
    assert json.loads(json.dumps(data)) == data
    # X or Y reach more, but what counts is travel: everybody is assigned to the nearest open site within 11 minutes.
    assert {row["site_id"] for row in data["assignments"]} <= {site["id"] for site in data["sites"]}


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_the_command_checks_a_plan_file(study: Study, files: dict[str, Path], tmp_path: Path):
    good = run("verify-plan", study.path, files["cover"], "--lang", "en")
    assert good.exit_code == 0
    assert "everything adds up" in good.output
    data = copy.deepcopy(read_plan_file(files["cover"]))
    data["money"]["net_yuan"] = 1.0
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(data), encoding="utf-8")
    told_ = run("verify-plan", study.path, bad)
    assert told_.exit_code == 1
    assert "处不符" in told_.output
    assert "money.net_yuan：文件为 1.0，应为 682000.0" in told_.output


@pytest.mark.parametrize("plan", [None, [1], "cover"])
def test_a_file_whose_plan_is_no_record_is_no_plan_file(study: Study, files: dict[str, Path], tmp_path: Path, plan: object):
    path = tmp_path / "forged.json"
    path.write_text(json.dumps(sealed(read_plan_file(files["cover"]) | {"plan": plan})), encoding="utf-8")
    with pytest.raises(InputError, match="is no plan file of careshed"):
        verify_plan_file(study, path)
