"""What stands beside a plan's sites: reasons without their number, how sure each is, for whom else, at what money."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from plan_town import CANDIDATES, STUDY, write_town

from careshed.maps.plan import write_plan_map
from careshed.maps.plan_layers import PIN, SURE, built_rows
from careshed.siting.studying import StudyPlan, plan_sentences, plan_study
from careshed.siting.studying.extras import within_sentence
from careshed.siting.studying.listing import reason_text, sure_text
from careshed.study import open_study

PLANS = {
    "sure": "at_most = 2\n[plan.scenarios]\nrelative_se = 0.0\ndraws = 0",
    "plain": "at_most = 1",
    "years": "[[plan.phase]]\nyear = 2026\nsites = 1\nyuan = 300000\n[[plan.phase]]\nyear = 2027\nsites = 1\nyuan = 500000\n",
    "paid": 'at_most = 1\n[[plan.subsidy]]\nyuan = 1000\nsetting = "urban"',
}


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, StudyPlan]:
    sections = [f'id = "{name}"\nservice = "day_care"\n{text}' for name, text in PLANS.items()]
    study = open_study(write_town(tmp_path_factory.mktemp("town"), *sections))
    return {one.section.id: one for one in plan_study(study)}


def test_a_list_that_numbers_its_sites_repeats_neither_number_nor_name(plans: dict[str, StudyPlan]):
    # Only W fits the money of the first year, so Y, which adds most and is number 1 among the reasons, opens second.
    found = plans["years"]
    assert found.phased is not None
    assert found.phased.opened == {2026: ("W",), 2027: ("Y",)}
    assert reason_text(found, "Y", "zh").startswith("新增覆盖 170 名60岁及以上老人")
    assert reason_text(found, "Y", "en").startswith("Newly reaches 170 people aged 60+")
    assert [(row["sign"], row["name"]) for row in built_rows(found, "zh")] == [("1", "村小学"), ("2", "活动室")]
    assert not any("第 1 处" in str(row["reason"]) for row in built_rows(found, "zh"))
    assert reason_text(found, "E", "zh") == ""


def test_how_sure_a_site_is_stands_beside_it_and_colours_it(plans: dict[str, StudyPlan], tmp_path: Path):
    # Four scenarios: speed and limit, each a fifth less and a fifth more, nothing else drawn.
    found = plans["sure"]
    assert found.extras.stressed is not None
    row = found.extras.stressed.sites.loc["Y"]
    assert sure_text(found, "Y", "zh") == f"4 个情景中 {row['chosen']} 个选它（{row['verdict_zh']}）"
    assert sure_text(found, "Y", "en") == f"chosen in {row['chosen']} of 4 scenarios ({row['verdict_en']})"
    shown = {row["name"]: row for row in built_rows(found, "en")}["活动室"]
    assert shown["colour"] == SURE[row["verdict_en"]]
    assert "of 4 scenarios" in str(shown["where"])
    page = write_plan_map(tmp_path / "s.html", found, lang="en").read_text(encoding="utf-8")
    assert "how sure each site is" in page
    assert sure_text(plans["plain"], "Y", "en") == ""
    assert [row["colour"] for row in built_rows(plans["plain"], "en")] == [PIN]


def test_a_robust_plan_that_is_the_plan_itself_says_so(plans: dict[str, StudyPlan]):
    found = plans["sure"]
    robust = found.extras.robust
    assert robust is not None
    same = replace(found, extras=replace(found.extras, robust=replace(robust, sites=robust.nominal_sites)))
    assert plan_sentences(same, "zh")[-1] == "没有找到更稳健的选法：稳健方案就是本方案。"
    assert plan_sentences(same, "en")[-1].endswith("the robust plan is this plan.")
    other = replace(robust, sites=("X",), nominal_sites=("Y", "Z"))
    swapped = replace(found, extras=replace(found.extras, robust=other))
    assert plan_sentences(swapped, "zh")[-1].endswith("；增选 旧小学；不选 活动室、卫生院。")
    assert plan_sentences(swapped, "en")[-1].endswith("; it adds 旧小学; it drops 活动室, 卫生院.")


def test_money_without_subsidies_is_said_once(plans: dict[str, StudyPlan]):
    assert "造价 40 万元，没有建设补贴。" in plan_sentences(plans["plain"], "zh")
    assert "Cost 400,000 yuan, no building subsidies." in plan_sentences(plans["plain"], "en")
    # Y lies in the urban street B and has 10 places: 10 × 1,000 yuan.
    assert "造价 40 万元，建设补贴 1 万元，净投入 39 万元。" in plan_sentences(plans["paid"], "zh")


def test_a_plan_of_two_services_tells_both_and_blames_neither(tmp_path: Path):
    other = '[[service]]\nid = "meals"\nname_zh = "助餐"\nname_en = "Meals"\ntypes = ["助餐点"]\ngroup = "p60"\nmode = "older"\n'
    study = STUDY.replace("[[service]]", f"{other}within_minutes = 11\nminutes = [11]\n[[service]]", 1)
    path = write_town(tmp_path, 'id = "p"\nservices = ["day_care", "meals"]\nat_most = 1\n', study=study, candidates=CANDIDATES)
    table = tmp_path / "candidates.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",day_care,", ",day_care;meals,"), encoding="utf-8")
    (found,) = plan_study(open_study(path))
    # Meals stand nowhere; Y brings them to 80 + 40 + 50 of 360: 47.2 %.
    assert plan_sentences(found, "zh")[1] == "11 分钟内可达助餐的60岁及以上老人：0.0% → 47.2%（360 人中 170 人）。"
    assert plan_sentences(found, "en")[1] == "Meals, people aged 60+ within 11 minutes: 0.0% → 47.2% (170 of 360)."
    told = reason_text(found, "Y", "zh")
    assert "到不了任何此类设施" in told
    assert "日间照料" not in told


def test_a_name_within_a_sentence_begins_small_unless_it_is_an_abbreviation():
    assert [within_sentence(name) for name in ("Day care", "TCM clinic", "")] == ["day care", "TCM clinic", ""]


def test_a_plan_that_travels_its_own_way_says_so(plans: dict[str, StudyPlan]):
    # The service is judged on foot: a share by car must not stand beside it without the word.
    found = plans["plain"]
    section = found.section.model_copy(update={"mode": "car"})
    by_car = replace(found, problem=replace(found.problem, section=section))
    assert "小汽车 11 分钟内可达的60岁及以上老人" in plan_sentences(by_car, "zh")[0]
    assert "within 11 minutes (car)" in plan_sentences(by_car, "en")[0]
    assert "11 分钟内可达的60岁及以上老人" in plan_sentences(found, "zh")[0]
    assert "小汽车" not in plan_sentences(found, "zh")[0]
