"""The scorecard on paper: the table, the workbook and the page, in both languages, escaped and the same every time."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest
from policy_town import elder, plan, rule, town

from careshed.policy.judging import Scorecard, judge_plan
from careshed.report.scorecard import NUMBERS, scorecard_table, write_scorecard
from careshed.report.scorecard_page import named_targets, scorecard_page
from careshed.report.scorecard_words import (
    base_text,
    gap_text,
    headline,
    reach_text,
    target_words,
    types_text,
    unit_of,
    value_text,
)  # fmt: skip
from careshed.words import Lang

CHROMIUM = Path("/usr/bin/chromium")
EVIL = '<script>alert("1")</script>&'
ENTERED = [{"rule": "staff", "value": 92.0, "source": "市局", "date": "2025-06-30"}]
UNSET = {
    "measure": "people_percent",
    "minutes": 5.0,
    "kind": "proximity",
    "value": "unset",
    "asks_zh": "请设",
    "asks_en": "set the share",
}


def a_card(**head: str) -> Scorecard:
    """Every state, measure by unit, second value, years, a figure entered, and text that must be escaped."""
    rules = (
        rule(
            "points", types=["托育机构"], measure="facilities_per_unit", levels=["street", "township"], kind="presence", year=2025
        ),
        elder(id="centres", types=["区域养老服务中心"], measure="units_percent", levels=["township"], value=100.0, year=2025),
        elder(
            id="beds", measure="places_per_1000", levels=["city"], value=500.0, clause="一", quote=EVIL, note_en="n", note_zh="注"
        ),
        elder(id="two", measure="facilities", value=3.0, also=[{"value": 1.0, "source": ["x"], "code": "S5", "quote": "另一处"}]),
        elder(id="circle", **UNSET),
        rule("staff", measure="entered_percent", kind="staffing", value=100.0),
        rule("school", types=["老年大学"], measure="facilities", title_zh=EVIL, title_en=EVIL),
        rule("steps", measure="none", kind="procedure", quote="四同步"),
        elder(id="limit", measure="facilities", value=1.0, op="<="),
        elder(id="yards", measure="floor_m2_each", levels=["facility"], value=500.0),
        elder(id="by_year", measure="places", kind="schedule", value=None, by_year={"2021": 30.0, "2026": 80.0}),
    )
    return judge_plan(town(entered=ENTERED), plan(*rules, **head))


class Shape(HTMLParser):
    """Checks that every element that is opened is closed, in order, and gathers the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_rule_says_which_facility_types_it_counts_and_which_of_the_registers_it_leaves_out(tmp_path: Path) -> None:
    # the town has day-care centres too: elder care with beds as well, but not what "centres" counts; a closed one is not told
    card = a_card()
    told = "计入：区域养老服务中心；不含：日间照料中心"
    assert types_text(card, card.result("centres"), "zh") == told
    assert types_text(card, card.result("points"), "en") == "Counts: Childcare centre"
    assert types_text(card, card.result("staff"), "zh") == ""
    shut = replace(card, places=tuple(replace(place, status="closed") for place in card.places))
    assert types_text(shut, card.result("centres"), "zh") == "计入：区域养老服务中心"
    assert scorecard_page(card, "zh").count(f"<small>{told}</small>") == 2  # in the named targets and in the list
    assert scorecard_table(card).loc["centres", "types"] == told
    sheet = openpyxl.load_workbook(write_scorecard(tmp_path / "card.xlsx", card)).worksheets[0]
    assert any(cell.value == told for row in sheet.iter_rows() for cell in row)


def test_a_plan_for_another_number_of_people_is_told_at_the_head(tmp_path: Path) -> None:
    # the Shuozhou plan states 159 万; the town has 450 people, a city of 1.1 million is within a factor of 1.5
    card = replace(a_card(), profile="shuozhou-2023")
    told = "规划按 159 万人编制，本研究 450 人：绝对数指标不宜直接比较。"
    assert base_text(card, "zh") == told
    assert told in scorecard_page(card, "zh").split("<main>")[0]
    sheet = openpyxl.load_workbook(write_scorecard(tmp_path / "card.xlsx", card)).worksheets[0]
    assert any(told in str(cell.value) for row in sheet.iter_rows(max_row=8) for cell in row)
    assert "本研究 25.0 万人" in base_text(replace(card, people={"ALL": {"total": 250_312.0}}), "zh")
    assert "for 1,590,000 people, this study has 450:" in base_text(card, "en")
    assert base_text(replace(card, people={"ALL": {"total": 1_100_000.0}}), "zh") == ""
    assert [base_text(replace(card, profile=name), "en") for name in ("plan", "botou-2022")] == ["", ""]  # no base stated


def test_the_table_has_texts_for_reading_and_bare_numbers() -> None:
    table = scorecard_table(a_card(), "en")
    assert table.index[:3].tolist() == ["points", "centres", "beds"]
    assert table.columns[-len(NUMBERS) :].tolist() == list(NUMBERS)
    # F3 is the only childcare centre, in A; B has none and 8 children under 3, none of whom walks to F3
    told = ["state", "value_text", "target_text", "due", "gap_text", "presence", "reach"]
    assert table.loc["points", told].tolist() == [
        "short", "1 / 2 streets (jiedao) and townships", "≥ 1 in each", "by 2025",
        "1 falls short, 1 facility missing; 8 children under 3 live there",
        "1 of 2 streets (jiedao) and townships", "45.5% of children under 3 (10 of 22, 10 min)",
    ]  # fmt: skip
    assert table.loc["centres", told[:2]].tolist() == ["met", "100% (1 / 1 townships)"]
    assert table.loc["beds", told[:5]].tolist() == [
        "short", "455 beds per 1,000 (50 / 110 people aged 60+)", "≥ 500 beds per 1,000", "",
        "short by 45.5 beds per 1,000, or 5 beds",
    ]  # fmt: skip
    assert table.loc["two", ["state", "target_text", "gap_text"]].tolist() == [
        "contradicted", "≥ 3 facilities; elsewhere ≥ 1 facility S5", "by 3 facilities: short by 1 facility; by 1 facility: none",
    ]  # fmt: skip
    assert table.loc["circle", ["state", "target_text", "gap_text", "why"]].tolist() == [
        "cannot be judged",
        "to be set",
        "—",
        "set the share",
    ]
    assert table.loc["staff", ["value_text", "gap_text", "notes"]].tolist() == [
        "92%",
        "short by 8 points",
        "entered: 92 (市局, 2025-06-30)",
    ]
    assert table.loc["limit", "gap_text"] == "over by 1 facility"
    assert table.loc["yards", ["value_text", "gap_text"]].tolist() == [
        "1 / 2 facilities, lowest 400 m² each",
        "1 falls short, 100 m² missing",
    ]
    assert table.loc["by_year", "due"] == "by 2026"
    assert table.loc["steps", ["value_text", "target_text", "state"]].tolist() == ["—", "—", "not scored"]
    assert table.loc["beds", ["value", "target", "counted", "of", "missing"]].astype(float).tolist() == pytest.approx(
        [50000 / 110, 500, 50, 110, 5]
    )


def test_the_table_is_chinese_unless_asked() -> None:
    table = scorecard_table(a_card())
    assert table.loc["points", ["state", "value_text", "target_text", "gap_text"]].tolist() == [
        "未达标", "1 / 2 个街道、乡镇", "每个单元 ≥ 1 处", "1 个未达标，合缺 1 处设施；涉及3岁以下婴幼儿 8 人",
    ]  # fmt: skip
    assert table.loc["beds", "value_text"] == "455 床位/千人（50 / 110 60岁及以上老人）"
    assert table.loc["two", "gap_text"] == "按 3 处：差 1 处；按 1 处：无"


def test_the_headline_counts_what_can_be_judged() -> None:
    # 11 rules, 1 procedure: 10; school and circle cannot be judged; centres and by_year (by what is due so far) are met,
    # two has two values, the other 5 are short
    assert headline(a_card(), "en") == (
        "Of 10 measurable targets 8 can be judged: 2 met, 5 short, 1 stated with two values; 2 cannot be judged from the data. "
        "1 procedures and parameters are not scored."
    )
    assert headline(a_card(), "zh").startswith("10 项可度量指标中，8 项可以判断：2 项达标，5 项未达标，1 项规划自身有两个数；")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_is_whole_escaped_and_asks_no_other_machine(lang: str, tmp_path: Path) -> None:
    file = write_scorecard(tmp_path / "card.html", a_card(check_zh="请核对", check_en="check it"), lang=lang)
    page = file.read_text(encoding="utf-8")
    shape = Shape()
    shape.feed(page)
    assert shape.open == []
    assert "script" not in shape.tags
    assert "&lt;script&gt;" in page
    assert not re.search(r"https?://|src=|@import|url\(", page)
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in page
    text = "".join(shape.text)
    for told in {
        "zh": ("虚构数据", "请核对", "每个街道一处托育点", "有没有", "够得着"),
        "en": ("Made-up data", "check it", "Has one"),
    }[lang]:
        assert told in text
    assert (
        write_scorecard(tmp_path / "again.html", a_card(check_zh="请核对", check_en="check it"), lang=lang).read_bytes()
        == file.read_bytes()
    )


def test_the_page_leads_with_the_counts_and_the_two_named_targets() -> None:
    card = a_card()
    childcare, centres = named_targets(card)
    assert ([one.id for one in childcare], [one.id for one in centres]) == (["points"], ["centres"])
    page = scorecard_page(card, "en")
    order = [
        page.index(text)
        for text in ('class="tiles"', 'class="named"', 'id="childcare"', 'id="elder"', 'class="procedures"', "<footer")
    ]
    assert order == sorted(order)
    assert page.count('<li class="short"><b>5</b>') == 1
    # B has none: it is listed with its 8 children, all beyond reach
    assert "<tr><td>B地</td><td>8</td><td>8</td></tr>" in page
    # signs, not colour alone
    assert all(f'<i aria-hidden="true">{mark}</i>' in page for mark in "✓▼⇄?")


def test_a_plan_without_the_named_targets_says_so_and_one_that_cannot_be_judged_says_why() -> None:
    page = scorecard_page(judge_plan(town(), plan(elder())), "en")
    assert page.count("The plan has no such target.") == 2
    blind = judge_plan(
        town(), plan(elder(types=["区域养老服务中心"], functions=["示范"], measure="units_percent", levels=["township"]))
    )
    assert '<p class="why">no facility of these types states 示范' in scorecard_page(blind, "en")


def test_long_lists_of_waiting_units_fold() -> None:
    waiting = elder(types=["区域养老服务中心"], functions=["全托"], measure="facilities_per_unit", levels=["street", "township"])
    second = waiting.model_copy(update={"id": "again"})
    page = scorecard_page(judge_plan(town(), plan(waiting, second)), "en")
    assert "<summary>1 units without one</summary>" in page


def test_the_workbook_holds_rules_waiting_units_years_and_notes(tmp_path: Path) -> None:
    file = write_scorecard(tmp_path / "card.xlsx", a_card())
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["评分卡", "未达标单元", "分年度", "出处", "说明"]
    rules = [[cell.value for cell in row] for row in book["评分卡"].iter_rows()]
    head = next(row for row in rules if row[0] == "编号")
    assert (head[2], head[4]) == ("指标", "判断")
    row = next(row for row in rules if row[0] == "school")
    assert row[2] == EVIL
    sources = [[cell.value for cell in row] for row in book["出处"].iter_rows()]
    assert ["beds", "指标", None, "注", "一", EVIL] in [[value or None for value in row] for row in sources]
    waiting = [[cell.value for cell in row] for row in book["未达标单元"].iter_rows()]
    assert ["points", "指标", "B", "B地", "乡镇", 8, 8] in waiting
    assert ["yards", "指标", "F1", "甲站", "设施", None, None] in waiting
    years = [[cell.value for cell in row] for row in book["分年度"].iter_rows()]
    assert ["by_year", "指标", "2021", 30, 30, "床位", "达标"] in years
    notes = "".join(str(cell.value) for row in book["说明"].iter_rows() for cell in row)
    assert "老人之家" in notes
    assert write_scorecard(tmp_path / "again.xlsx", a_card()).read_bytes() == file.read_bytes()
    assert openpyxl.load_workbook(write_scorecard(tmp_path / "en.xlsx", a_card(), lang="en")).sheetnames[0] == "scorecard"


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.html"):
        write_scorecard(tmp_path / "card.pdf", a_card())


def test_limits_that_nobody_stated_are_marked_as_assumed() -> None:
    homes = elder(types=["区域养老服务中心"], measure="facilities_per_unit", levels=["street"], value=1.0)
    result = judge_plan(town(), plan(homes)).results[0]
    assert reach_text(result, "en") == "36.4% of people aged 60+ (40 of 110, 15 min, limit assumed)"
    metres = judge_plan(town(), plan(elder(measure="people_percent", metres=100.0, value=50.0))).results[0]
    assert reach_text(metres, "zh") == "45.5%（50 / 110 名60岁及以上老人，100 m）"
    assert gap_text(metres, "zh") == "差 4.55 个百分点，合 5 人；60 人够不着"


def test_units_of_places_follow_what_the_types_have() -> None:
    assert unit_of(rule(types=["托育机构"], measure="places"), "zh") == "托位"
    assert unit_of(elder(measure="floor_m2_per_place"), "en") == "m² per bed"
    per_bed = judge_plan(town(), plan(elder(measure="floor_m2_per_place", levels=["facility"], value=25.0))).results[0]
    assert value_text(per_bed, "en") == "1 / 2 facilities, lowest 20 m² per bed"
    most = judge_plan(town(), plan(elder(measure="floor_m2_each", value=800.0, op="<="))).results[0]
    assert value_text(most, "zh") == "1 / 2 处设施，最高 900 m²/处"
    by_user = judge_plan(town(set={"r": 50.0}), plan(elder(**UNSET))).results[0]
    assert target_words(by_user, "zh") == "≥ 50%（用户设定）"


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_on_a_phone_nothing_slides_sideways_and_every_rule_tells_value_target_and_gap(tmp_path: Path, lang: Lang) -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"Chromium is not installed: {CHROMIUM} is missing (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    file = tmp_path / "card.html"
    file.write_text(scorecard_page(a_card(), lang), encoding="utf-8")
    heads = {"zh": ["现值", "目标", "差距"], "en": ["Value now", "Target value", "Gap"]}[lang]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--headless=new", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(file.as_uri())
        for details in page.query_selector_all("details"):
            details.evaluate("one => { one.open = true }")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        wide = "[...document.querySelectorAll('.rules > tbody > tr')].some(row => row.getBoundingClientRect().right > 390)"
        assert not page.evaluate(wide)
        assert page.evaluate("[...document.querySelectorAll('.scroll')].every(one => one.scrollWidth <= one.clientWidth)")
        short = page.locator(".rules > tbody > tr.short").first
        labels = short.locator("td[data-label]").evaluate_all("all => all.map(one => one.dataset.label)")
        assert labels[:3] == heads
        for cell in short.locator("td[data-label]").all()[:3]:
            box = cell.bounding_box()
            assert box is not None
            assert 0 <= box["x"] < box["x"] + box["width"] <= 390
            assert cell.inner_text().strip()
        browser.close()
