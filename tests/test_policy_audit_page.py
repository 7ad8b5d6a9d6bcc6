"""What a reader sees of an audit: the table, the text and the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from careshed.policy.audit import Audit, audit_book, audit_profile, audit_table, audit_text, audited_profiles, write_audit
from careshed.policy.audit.figures import Book
from careshed.policy.audit.results import OUTCOMES
from careshed.policy.audit.telling import AUDIT_COLUMNS, KINDS, headline

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")
EVIL = '<img src=x onerror="alert(1)">&"\''


@pytest.fixture(scope="module")
def chifeng() -> Audit:
    return audit_profile("chifeng-2022")


def evil() -> Audit:
    """A plan whose every text is an attack."""
    figure = {
        "id": "a",
        "title_zh": EVIL,
        "title_en": EVIL,
        "value": 5,
        "unit": EVIL,
        "year": 2020,
        "quote": f"5{EVIL}",
        "source": [EVIL],
    }
    plan = {"id": EVIL, "name_zh": EVIL, "name_en": EVIL, "issued": "2022-01-01", "plan_end": 2025}
    other = figure | {"id": "b", "value": 6, "quote": "", "outside_zh": EVIL, "outside_en": EVIL}
    sums = [
        {"id": EVIL, "parts": ["a"], "total": "b", "assumed_zh": EVIL, "assumed_en": EVIL},
        {"id": "closes", "parts": ["a"], "total": "a"},
    ]
    return audit_book(Book.model_validate({"plan": plan, "figure": [figure, other], "sum": sums}))


class Tags(HTMLParser):
    """The tags of a page, and whether each is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.stack: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.seen.append(tag)
        if tag != "meta":
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


def tags(page: str) -> Tags:
    reader = Tags()
    reader.feed(page)
    return reader


def test_the_table_has_a_row_a_check_the_gravest_first(chifeng):
    table = audit_table(chifeng, "en")
    assert list(table.columns) == list(AUDIT_COLUMNS)
    assert len(table) == len(chifeng.checks)
    order = [name for _, name in OUTCOMES.values()]
    ranks = [order.index(name) for name in table["outcome"]]
    assert ranks == sorted(ranks)
    row = table.set_index("id").loc["twice.nursing"]
    assert (row["arithmetic"], row["source"]) == ("3,484 beds ≠ 3,464 beds", "chifeng-003, chifeng-031")
    assert "「目前全市养老机构护理型床位为3464张，与自治区要求55%以上的占比相差2592张」" in row["figures"]


def test_the_table_is_in_chinese_too(chifeng):
    table = audit_table(chifeng).set_index("id")
    assert table.loc["places_by_year", "outcome"] == "存疑"
    assert "到 2022 年底只有 93 天" in table.loc["places_by_year", "readings"]


def test_a_kind_of_check_has_a_name_in_both_languages():
    kinds = {check.kind for plan in audited_profiles() for check in audit_profile(plan).checks}
    assert kinds <= set(KINDS)
    assert all(zh and en for zh, en in KINDS.values())


@pytest.mark.parametrize("plan", audited_profiles())
def test_english_has_no_chinese_but_names_and_quotes(plan):
    audit = audit_profile(plan)
    for check in audit.checks:
        told = " ".join((check.title_en, check.arithmetic_en, *(en for _, en in check.readings)))
        told = re.sub(r"project \d+, [^:;]*", "", told)  # names of projects stay as they are printed
        told = re.sub(r"cost per m² of .*|projects under “.”", "", told)
        assert not re.search(r"[\u4e00-\u9fff]", told), told
        assert check.title_zh
        assert check.arithmetic_zh


def test_the_text_tells_findings_with_quotes_and_then_what_closes(chifeng):
    text = audit_text(chifeng)
    assert text.startswith(
        "赤峰市“一老一小”整体解决方案\n印发：2022-09-29\n用 83 个数据复算 54 项关系：35 项闭合，19 项有问题。\n"
    )
    assert "[不能闭合] 护理型床位（服务资源）：3484张 ≠ 3464张\n" in text
    assert text.index("存疑") < text.index("闭合（35 项）") < text.index("65 + 16 + 68 + 128 + 260 = 537")
    assert "18.15–18.25%" in text


def test_the_headline_counts(chifeng):
    assert headline(chifeng, "en") == "Recomputed 54 relations among 83 figures: 35 close, 19 to look at."
    assert headline(audit_profile("shanxi-2022"), "zh") == "用 5 个数据复算 2 项关系：全部闭合。"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_holds_every_check_and_loads_nothing(chifeng, tmp_path, lang):
    page = write_audit(tmp_path / "new" / "audit.html", chifeng, lang).read_text(encoding="utf-8")
    assert page.count("<article ") == 19
    assert page.count("<tr>") == 1 + 35
    assert not re.search(r"(src|href)=|url\(|<script|http:|https:", page)
    assert tags(page).stack == []


def test_the_page_is_the_same_bytes_every_time(chifeng, tmp_path):
    first = write_audit(tmp_path / "a.html", chifeng).read_bytes()
    assert first == write_audit(tmp_path / "b.html", audit_profile("chifeng-2022")).read_bytes()


def test_the_page_of_a_plan_that_closes_has_no_findings(tmp_path):
    page = write_audit(tmp_path / "a.html", audit_profile("shanxi-2022"), "en").read_text(encoding="utf-8")
    assert "<article" not in page
    assert "all close" in page


def test_a_plan_that_closes_nowhere_has_no_table_of_what_closes(tmp_path):
    figures = [
        {"id": f, "title_zh": f, "title_en": f, "value": v, "year": 2020, "quote": str(v)} for f, v in (("a", 1), ("b", 2))
    ]
    plan = {"id": "x", "name_zh": "x", "name_en": "x", "issued": "2022-01-01", "plan_end": 2025}
    book = {"plan": plan, "figure": figures, "sum": [{"id": "s", "parts": ["a"], "total": "b"}]}
    page = write_audit(tmp_path / "a.html", audit_book(Book.model_validate(book))).read_text(encoding="utf-8")
    assert "<table" not in page
    assert "1 ≠ 2" in page


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_text_from_data_is_escaped(tmp_path, lang):
    page = write_audit(tmp_path / "evil.html", evil(), lang).read_text(encoding="utf-8")
    assert "<img" not in page
    assert "img" not in tags(page).seen
    assert tags(page).stack == []


# ---------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"Chromium is not installed: {CHROMIUM} is missing (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--headless=new", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_opens_offline_without_complaint_and_fits_its_width(browser, tmp_path, width):
    path = write_audit(tmp_path / "audit.html", audit_profile("shuozhou-2023"))
    context = browser.new_context(viewport={"width": width, "height": 800}, offline=True)
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    assert (asked, complaints) == ([path.as_uri()], [])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("article").count() == 24
    context.close()


@pytest.mark.browser
def test_an_attack_in_the_data_runs_nothing(browser, tmp_path):
    path = write_audit(tmp_path / "evil.html", evil())
    page = browser.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    assert dialogs == []
    assert EVIL in page.inner_text("h1")
    page.close()
