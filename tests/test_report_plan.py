"""What a planner gets of a plan: workbook, map, commands, and the run that carries plans out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook
from plan_town import write_town
from typer.testing import CliRunner

from careshed.cli import app
from careshed.maps.plan import write_plan_map
from careshed.report.plan import write_plan_workbook
from careshed.run import run_study, summary_lines
from careshed.siting.studying import StudyPlan, plan_study
from careshed.study import open_study

ONE_EACH = "".join(f'[[plan.per_unit]]\nlevel = "{level}"\nat_least = 1\n' for level in ("street", "township"))
PLANS = {
    "years": "[[plan.phase]]\nyear = 2026\nsites = 1\nyuan = 500000\n[[plan.phase]]\nyear = 2027\nsites = 1\nyuan = 500000\n",
    "short": f"budget_yuan = 500000\n{ONE_EACH}",
    "sure": 'at_most = 2\nfrontier = "sites"\nfrontier_steps = 2\n[plan.scenarios]\nrelative_se = 0.0\ndraws = 0',
    "none": "minutes = 60",
    "moved": 'at_most = 1\nforced = ["X"]\nname_zh = "<b>关闭&东站</b>"\n'
    '[[plan.closable]]\nids = ["E"]\ncost_yuan = 1000\n[[plan.subsidy]]\nyuan = 100\n[[plan.reach]]\nshare = 0.4\n'
    '[[plan.demand]]\ngroup = "p60"\n[[plan.amount]]\nmeasure = "places"\nat_most = 20\n',
}
"""Years; a budget that does not suffice; scenarios and curve; nothing needed; a closure, forced by a cap on places."""


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, StudyPlan]:
    sections = [f'id = "{name}"\nservice = "day_care"\n{text}' for name, text in PLANS.items()]
    study = open_study(write_town(tmp_path_factory.mktemp("town"), *sections))
    return {one.section.id: one for one in plan_study(study)}


def sheets(path: Path) -> dict[str, list[list[object]]]:
    """Rows of every page of a workbook."""
    return {page.title: [[cell.value for cell in row] for row in page.iter_rows()] for page in load_workbook(path)}


def text_of(rows: list[list[object]]) -> str:
    return "\n".join(" ".join(str(value) for value in row if value is not None) for row in rows)


def test_the_workbook_has_a_page_for_every_question(plans: dict[str, StudyPlan], tmp_path: Path):
    found = sheets(write_plan_workbook(tmp_path / "p.xlsx", plans["sure"], lang="zh"))
    assert list(found) == ["方案", "按单元", "资金与补贴", "备选", "投入与效果", "稳健性", "情景", "规则与冲突", "依据与假设"]
    assert "新增 2 处，净投入 70 万元" in text_of(found["方案"])
    assert "虚构数据" in text_of(found["备选"])
    rows = [row for row in found["方案"] if row[3] == "新增"]
    assert [(row[0], row[1], row[5]) for row in rows] == [(1, "Y", 170), (2, "W", 30)]
    assert "新增设施至多 2 处 已满足" in text_of(found["规则与冲突"])


def test_the_workbook_speaks_english_and_repeats_byte_for_byte(plans: dict[str, StudyPlan], tmp_path: Path):
    first = write_plan_workbook(tmp_path / "a.xlsx", plans["sure"], lang="en").read_bytes()
    assert write_plan_workbook(tmp_path / "b.xlsx", plans["sure"], lang="en").read_bytes() == first
    found = sheets(tmp_path / "a.xlsx")
    assert list(found)[:2] == ["Plan", "Units"]
    assert "Curve" in found
    assert not any("一" <= sign <= "鿿" for sign in text_of(found["Rules"]).split("\n", 2)[-1])


def test_years_and_money_add_up_in_the_workbook(plans: dict[str, StudyPlan], tmp_path: Path):
    found = sheets(write_plan_workbook(tmp_path / "y.xlsx", plans["years"]))
    last = found["分期"][-1]
    assert (last[0], last[1], last[5]) == ("合计", 2, 700_000)
    assert (last[7], last[8]) == (160, 360)
    assert found["资金与补贴"][-1][-1] == 700_000
    assert "预算 100 万元，结余 30 万元" in text_of(found["资金与补贴"])  # 500,000 in each of two years
    assert "未核对分年投入" in text_of(found["备选"])


def test_the_conflict_stands_on_the_first_page_and_on_that_of_the_rules(plans: dict[str, StudyPlan], tmp_path: Path):
    found = sheets(write_plan_workbook(tmp_path / "s.xlsx", plans["short"]))
    for name in ("方案", "规则与冲突"):
        assert "西街道至少 1 处；山乡至少 1 处至少需要 70 万元，预算为 50 万元" in text_of(found[name])
    assert "让步：" in text_of(found["规则与冲突"])
    assert "预算 50 万元，超出 20 万元" in text_of(found["资金与补贴"])


def test_a_closure_is_listed_with_its_cost(plans: dict[str, StudyPlan], tmp_path: Path):
    # X has 20 places, E 10: the cap of 20 leaves room for X alone, so E closes for 1,000 yuan.
    plan = plans["moved"].plan
    assert (plan.new, plan.closed, plan.closing_yuan) == (("X",), ("E",), 1000)
    found = sheets(write_plan_workbook(tmp_path / "m.xlsx", plans["moved"]))
    assert found["方案"][-1][1:4] == ["E", "东站", "关闭"]
    assert "关闭 1 处 1000" in text_of(found["资金与补贴"])
    assert found["资金与补贴"][-1][-1] == 1_000_000 - 2_000 + 1_000


def test_a_plan_without_sites_has_no_page_of_money(plans: dict[str, StudyPlan], tmp_path: Path):
    found = sheets(write_plan_workbook(tmp_path / "n.xlsx", plans["none"]))
    assert "资金与补贴" not in found
    assert "无需新增设施" in text_of(found["方案"])
    with pytest.raises(ValueError, match="cannot write"):
        write_plan_workbook(tmp_path / "n.csv", plans["none"])


def test_the_map_says_the_sentence_that_matters_and_draws_sites_by_year(plans: dict[str, StudyPlan], tmp_path: Path):
    page = write_plan_map(tmp_path / "y.html", plans["years"], lang="en").read_text(encoding="utf-8")
    assert "2 new sites for 700,000 yuan net raise the people aged 60+ within 11 minutes" in page
    assert "2026 (1)" in page
    assert "2027 (1)" in page
    assert '"fates":["new","new"]' in page
    assert "#2c1160" in page
    assert "Made-up data" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_the_map_shows_the_conflict_and_what_gave_way(plans: dict[str, StudyPlan], tmp_path: Path):
    page = write_plan_map(tmp_path / "s.html", plans["short"]).read_text(encoding="utf-8")
    box = page[page.index('<div class="conflict"') :][:600]
    assert "规则不能全部满足" in box
    assert "预算为 50 万元" in box
    assert "预算增加 20 万元" in box
    clean = write_plan_map(tmp_path / "c.html", plans["years"]).read_text(encoding="utf-8")
    assert '<div class="conflict"' not in clean


def test_the_map_draws_what_closes_and_escapes_names(plans: dict[str, StudyPlan], tmp_path: Path):
    page = write_plan_map(tmp_path / "m.html", plans["moved"]).read_text(encoding="utf-8")
    assert '"fates":["new","closed"]' in page
    assert "不再可达" in page
    assert "<b>关闭&东站</b>" not in page
    assert "&lt;b&gt;关闭&amp;东站&lt;/b&gt;" in page


def test_the_map_of_a_plan_without_sites_says_so(plans: dict[str, StudyPlan], tmp_path: Path):
    page = write_plan_map(tmp_path / "n.html", plans["none"]).read_text(encoding="utf-8")
    assert "无需新增设施：360 名60岁及以上老人中已有 100.0%" in page
    again = write_plan_map(tmp_path / "n2.html", plans["none"]).read_text(encoding="utf-8")
    assert page == again


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_the_command_writes_plan_file_workbook_and_map_of_each_plan(tmp_path: Path):
    path = write_town(
        tmp_path, 'id = "p"\nservice = "day_care"\nat_most = 1', f'id = "q"\nservice = "day_care"\n{PLANS["short"]}'
    )
    told = run("plan-sites", path, "--lang", "en")
    assert told.exit_code == 0
    assert "1 new site for 400,000 yuan net raises" in told.output
    assert "The rules cannot all be met" in told.output
    names = sorted(file.name for file in (tmp_path / "maps").iterdir())
    assert names == [f"{one}_plan.{end}" for one in "pq" for end in ("html", "json", "xlsx")]
    one = run("plan-sites", path, "--plan", "p", "--out", tmp_path / "own", "--strict")
    assert one.exit_code == 0
    assert sorted(file.name for file in (tmp_path / "own").iterdir()) == ["p_plan.html", "p_plan.json", "p_plan.xlsx"]
    assert run("plan-sites", path, "--plan", "q", "--strict").exit_code == 2
    assert run("verify-plan", path, tmp_path / "maps" / "q_plan.json").exit_code == 0


def test_a_run_carries_the_plans_out_and_lists_them(tmp_path: Path):
    path = write_town(tmp_path, 'id = "p"\nservice = "day_care"\nat_most = 1')
    result = run_study(path, progress=False)
    assert [one.section.id for one in result.plans] == ["p"]
    assert {"p_plan.html", "p_plan.json", "p_plan.xlsx"} <= {file.name for file in result.files}
    manifest = json.loads((tmp_path / "processed" / "run.json").read_text(encoding="utf-8"))
    assert manifest["plans"]["p"]["sites"] == ["Y"]
    assert "p_plan.json" in manifest["outputs"]
    assert any("p_plan.html" in line for line in summary_lines(result, "zh"))


def test_a_run_without_plans_says_nothing_of_them(tmp_path: Path):
    result = run_study(write_town(tmp_path), progress=False)
    assert result.plans == ()
    assert "plans" not in json.loads((tmp_path / "processed" / "run.json").read_text(encoding="utf-8"))
