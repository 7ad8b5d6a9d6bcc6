"""The audit's page and tables: both languages, escaped, the same bytes, whole in a browser without a network."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from careshed.check import CHECK_COLUMNS, CheckReport, Finding, Fix
from careshed.report.check import write_check

CHROMIUM = Path("/usr/bin/chromium")

EVIL = '<img src=x onerror="alert(1)">&'


def finding(people: float = 120.0, **changed: object) -> Finding:
    fix = Fix("set", "a.csv", "", "4", ("单元",), ("",), ("1",))
    place = ("a.csv", "表1", "4", "床位数", "900")
    one = Finding("capacity", "doubt", *place, "相差悬殊", "stands far out", "核对", "Check it", people, "nearest", fix)
    return replace(one, **changed)  # type: ignore[arg-type]


def report(*findings: Finding, **changed: object) -> CheckReport:
    return replace(CheckReport("青湾市", True, "2025-06-30", findings, ("a.csv", "b.xlsx")), **changed)  # type: ignore[arg-type]


def page(found: CheckReport, folder: Path, lang: str = "zh") -> str:
    return write_check(folder / "check.html", found, lang).read_text(encoding="utf-8")  # type: ignore[arg-type]


def test_the_page_tells_a_finding_in_both_languages(tmp_path: Path) -> None:
    zh, en = page(report(finding()), tmp_path), page(report(finding()), tmp_path, "en")
    for text in (
        "虚构数据",
        "120",
        "a.csv",
        "第 4 行",
        "表1",
        "床位数",
        "900",
        "相差悬殊",
        "核对",
        "可安全修正",
        "以此为最近设施",
    ):
        assert text in zh
    for text in ("Made-up data", "row 4", "stands far out", "Check it", "safe to repair", "whose nearest it is"):
        assert text in en


def test_text_of_the_data_is_escaped(tmp_path: Path) -> None:
    one = finding(file=EVIL, sheet=EVIL, row=EVIL, column=EVIL, value=EVIL, zh=EVIL, proposal_zh=EVIL)
    html = page(report(one, study=EVIL, data_date=EVIL, files=(EVIL,)), tmp_path)
    assert "<img" not in html
    # title, heading, and each of file, sheet, row, column, value, text, proposal and the files at the foot; the date as well
    assert html.count("&lt;img") == 11


def test_findings_come_in_the_order_given_each_with_its_kind(tmp_path: Path) -> None:
    html = page(report(finding(9000.0, kind="years"), finding(500.0)), tmp_path, "en")
    assert html.index("<b>Closed before it opened</b>") < html.index("<b>Places out of line</b>")
    assert "concerns most people: closed before it opened (9,000)" in html


def test_many_findings_and_mere_notes_are_folded(tmp_path: Path) -> None:
    many = [finding(row=str(row)) for row in range(2, 107)]
    html = page(report(*many, finding(0.0, weight="note", kind="reading", fix=None, basis="")), tmp_path, "en")
    assert "<summary>5 more</summary>" in html
    assert "<summary>1 noted</summary>" in html
    assert '<td class="n">—</td>' in html


def test_a_study_without_findings_says_so(tmp_path: Path) -> None:
    html = page(report(made_up=False, data_date=""), tmp_path, "en")
    assert "No errors and nothing doubtful found." in html
    assert "Made-up" not in html


def test_the_csv_has_one_row_a_finding_and_no_formulas(tmp_path: Path) -> None:
    path = write_check(tmp_path / "check.csv", report(finding(value="=1+1"), finding(3.4)))
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == [zh for zh, _ in CHECK_COLUMNS.values()]
    assert [row[0] for row in rows[1:]] == ["120", "3"]
    assert rows[1][8] == "'=1+1"
    assert rows[1][-1] == "是"


def test_the_workbook_has_one_row_a_finding(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    book = load_workbook(write_check(tmp_path / "check.xlsx", report(finding(), finding(weight="error")), "en"))
    cells = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    head = cells.index([en for _, en in CHECK_COLUMNS.values()])
    assert [row[0] for row in cells[head + 1 :]] == [120, 120]
    assert any("1 errors, 1 doubtful, 0 noted" in str(row[0]) for row in cells[:head])


def test_the_same_findings_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.html", "one.xlsx", "one.csv"):
        first = write_check(tmp_path / "a" / name, report(finding())).read_bytes()
        assert write_check(tmp_path / "b" / name, report(finding())).read_bytes() == first


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"written as \.html, \.xlsx or \.csv, not '\.pdf'"):
        write_check(tmp_path / "check.pdf", report())


@pytest.mark.browser
def test_the_page_is_whole_in_a_browser_and_asks_for_nothing(tmp_path: Path) -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"Chromium is not installed: {CHROMIUM} is missing (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    long = finding(value="很长的名称" * 30, file="a_very_long_file_name_without_any_break_" * 3 + ".csv")
    path = write_check(tmp_path / "check.html", report(long, finding(0.0, weight="note")))
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--headless=new", "--disable-gpu"])
        tab = opened.new_page(viewport={"width": 1100, "height": 800})
        asked: list[str] = []
        said: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.goto(path.as_uri())
        wide = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        opened.close()
    assert asked == [path.as_uri()]
    assert said == []
    assert wide <= 0
