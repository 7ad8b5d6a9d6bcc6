"""The brief: a paper that a planner signs, filled from the run, the same bytes every time."""

import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document
from docx.oxml.ns import qn

from careshed.maps.facts import judged_count, key_sentence, reached_counts, scope_of
from careshed.report.brief import find_office, need_office, write_brief, write_pdf
from careshed.report.brief.paper import Paper, Reference, clean
from careshed.report.brief.planning import start_note
from careshed.report.brief.sources import study_sources
from careshed.report.brief.telling import counts_of, leading, of_gaps, three_numbers, uncertain
from careshed.report.scorecard_words import headline
from careshed.run import RunResult
from careshed.settings.siting import PlanSection
from careshed.siting.studying import StudyPlan, plan_study, proof_sentence
from careshed.siting.studying import key_sentence as plan_sentence

HOSTILE = "<img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://x","y")'


def words(path: Path) -> str:
    """All text of the body, paragraphs and cells in order, captions and references as a reader sees them."""
    body = Document(str(path)).element.body
    return "\n".join("".join(node.text or "" for node in one.iter(qn("w:t"))) for one in body.iter(qn("w:p")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("brief")


@pytest.fixture(scope="module")
def chinese(demo: RunResult, folder: Path) -> Path:
    return write_brief(folder / "brief.docx", demo, "zh")


@pytest.fixture(scope="module")
def hostile(demo: RunResult) -> RunResult:
    """The demo with names that try to be markup and a formula, one service, no plan judged, no sites."""
    study = demo.study
    one = demo.services[0]
    gaps = one.gaps.assign(unit_name=HOSTILE, nearest_name=FORMULA)
    service = one.service.model_copy(update={"name_zh": HOSTILE, "name_en": HOSTILE, "n_sites": 0})
    plan = replace(one.plan, sites=one.plan.sites.iloc[:0], n_asked=0, people_covered_after=one.plan.people_covered_before)
    named = study.config.study.model_copy(update={"name": FORMULA, "made_up": False, "data_date": ""})
    config = study.config.model_copy(update={"study": named})
    services = tuple(service if own.id == service.id else own for own in study.services)
    mean = replace(study, config=config, services=services)
    result = replace(one, service=service, gaps=gaps, plan=plan, places=None)
    return replace(demo, study=mean, services=(result,), card=None, plans=(), faults=(), hierarchy=None)


@pytest.fixture(scope="module")
def bare(hostile: RunResult, folder: Path) -> Path:
    return write_brief(folder / "bare.docx", hostile, "en")


@pytest.fixture(scope="module")
def planned(demo: RunResult, folder: Path) -> tuple[StudyPlan, Path]:
    """A plan over two years of the demo's childcare, and the brief of a run that holds it."""
    asked = {
        "id": "two_years", "name_zh": "两年方案", "service": "childcare",
        "phase": [{"year": 2026, "sites": 2, "yuan": 600000}, {"year": 2027, "sites": 1, "yuan": 600000}],
    }  # fmt: skip
    config = demo.study.config.model_copy(update={"plan": (PlanSection.model_validate(asked),)})
    (solved,) = plan_study(replace(demo.study, config=config), "two_years")
    result = replace(demo, services=demo.services[:1], card=None, plans=(solved,) * 7)
    return solved, write_brief(folder / "planned.docx", result, "zh")


def test_a_plan_is_told_with_its_proof_its_sites_and_its_years(planned: tuple[StudyPlan, Path]) -> None:
    solved, path = planned
    text = words(path)
    assert plan_sentence(solved, "zh") in text
    assert proof_sentence(solved, "zh") in text
    tables = {table.rows[0].cells[0].text: table for table in Document(str(path)).tables}
    *years, total = [[cell.text for cell in row.cells] for row in tables["年份"].rows[1:]]
    assert solved.phased is not None
    assert total == ["合计", "3", "", f"{solved.phased.table['net_yuan'].sum() / 10_000:,.1f}", years[-1][4]]  # 2 and 1 sites
    for row, (year, told) in zip(years, solved.phased.table.iterrows(), strict=True):
        assert row[0] == str(year)
        assert row[3] == f"{told['net_yuan'] / 10_000:,.1f}"  # 万元
        assert row[4] == f"{told['after']:,.0f}"
    sites = [[cell.text for cell in row.cells] for row in tables["次序"].rows[1:]] if "次序" in tables else []
    reached = solved.plan.reached[0]
    assert sites[-1][4] == f"{reached.after / reached.total:.1%}"
    assert sites[-1][1] == "合计 3 处"
    assert sites[-1][5] == total[3]  # what the sites cost is what the years cost
    assert "另有 1 个方案（两年方案）见成果表。" in text  # six of the seven are told
    assert "点位见成果表。" in text  # the ranked sites of a service that has a plan are not listed beside it


def test_several_plans_stand_side_by_side_in_one_table(planned: tuple[StudyPlan, Path]) -> None:
    solved, path = planned
    table = next(one for one in Document(str(path)).tables if one.rows[0].cells[0].text == "方案")
    reached = solved.plan.reached[0]
    shares = [f"{people / reached.total:.1%}" for people in (reached.before, reached.after)]
    rows = [[cell.text for cell in row.cells] for row in table.rows[1:]]
    assert rows == [
        ["两年方案", "3岁以下婴幼儿，15 分钟", "3", f"{solved.plan.net_yuan / 10_000:,.1f}", *shares,
         f"{reached.after:,.0f}", "最优"]
    ] * 6  # fmt: skip


def test_a_plan_that_counts_fewer_facilities_says_why_it_starts_lower(demo: RunResult, planned: tuple[StudyPlan, Path]) -> None:
    solved, _ = planned
    assert start_note(demo, solved, "zh") == ""  # it counts all facilities, as its service does
    reached = solved.plan.reached[0]
    fewer = replace(reached, before=reached.total * 0.1)
    section = solved.section.model_copy(update={"classes": ("inclusive",)})
    plan = replace(solved.plan, reached=(fewer,))
    narrow = replace(solved, plan=plan, problem=replace(solved.problem, section=section))
    own = f"{reached.before / reached.total:.1%}"
    assert start_note(demo, narrow, "zh") == f"“两年方案”只计符合其要求的现有设施，现状因此为 10.0%，计全部现有设施为 {own}。"
    assert "10.0% today" in start_note(demo, narrow, "en")


def test_the_proposed_sites_are_summed_service_by_service_and_together(demo: RunResult, chinese: Path) -> None:
    table = next(one for one in Document(str(chinese)).tables if one.rows[0].cells[0].text == "次序"
                 and one.rows[0].cells[1].text == "点位")  # fmt: skip
    totals = [[cell.text for cell in row.cells] for row in table.rows if row.cells[1].text.startswith("合计")]
    costs: dict[str, float] = {}
    for one, row in zip(demo.services, totals, strict=True):
        plan = one.plan
        assert row[1] == f"合计 {len(plan.sites)} 处"
        assert row[3] == f"{plan.people_covered_after - plan.people_covered_before:,.0f}"
        assert row[4] == f"{plan.people_covered_after / plan.people_total:.1%}"
        assert row[5] == f"{plan.sites['cost_yuan'].sum() / 10_000:,.1f}"
        costs |= plan.sites["cost_yuan"].to_dict()
    text = words(chinese)
    assert f"合用用房只计一次，造价 {sum(costs.values()) / 10_000:,.1f} 万元" in text  # by candidate, so each once
    assert "合计按未取整的人数" in text  # 1,367 shown against 1,368


def test_a_picture_says_that_it_needs_no_room_at_its_sides(chinese: Path) -> None:
    inlines = list(Document(str(chinese)).element.body.iter(qn("wp:inline")))
    assert inlines
    assert all([one.get(f"dist{side}") for side in "TBLR"] == ["0"] * 4 for one in inlines)


def test_the_brief_says_what_the_map_says(demo: RunResult, chinese: Path) -> None:
    text = words(chinese)
    for one in demo.services:
        scope = scope_of(demo.study, service=one.service.id, group=None, lang="zh", times=one.times, covered=one.covered)
        assert key_sentence(scope, judged_count(scope, reached_counts(scope, demo.study.cells, one.times, one.covered))) in text
    assert demo.card is not None
    assert headline(demo.card, "zh") in text


def test_the_three_numbers_are_those_of_the_service_that_fewest_reach(demo: RunResult, chinese: Path) -> None:
    shares = {one.service.id: one.plan.people_covered_before / one.plan.people_total for one in demo.services}
    lead = leading(demo)
    assert lead.service.id == min(shares, key=lambda name: shares[name])
    plan = lead.plan
    told = [number for number, _ in three_numbers(lead, "zh")]
    assert told[0] == f"{plan.people_covered_before / plan.people_total:.1%}"
    assert told[2] == f"{plan.people_covered_after / plan.people_total:.1%}"
    counts = counts_of(lead)
    assert told[1] == f"{round(counts.people) - round(counts.covered) - round(counts.unjudged):,}"
    text = words(chinese)
    assert all(number in text for number in told)


def test_sections_are_numbered_without_a_break_and_every_reference_has_its_caption(chinese: Path, bare: Path) -> None:
    for path, kind in ((chinese, "zh"), (bare, "en")):
        document = Document(str(path))
        heads = [one.text for one in document.paragraphs if one.style is not None and one.style.name == "Heading 1"]
        marks = ["一", "二", "三", "四", "五", "六", "七"] if kind == "zh" else ["1", "2", "3", "4", "5"]
        assert [re.split("、|  ", head)[0] for head in heads] == marks[: len(heads)]
        xml = document.element.xml
        marked = set(re.findall(r'w:bookmarkStart [^>]*w:name="([^"]+)"', xml))
        asked = set(re.findall(r"REF (\S+) ", xml))
        assert asked
        assert asked <= marked
        captions = [one.text for one in document.paragraphs if one.style is not None and one.style.name == "Caption"]
        for label in ("图", "表") if kind == "zh" else ("Figure ", "Table "):
            numbers = [int(found[1]) for one in captions if (found := re.match(rf"{label}(\d+)", one))]
            assert numbers == list(range(1, len(numbers) + 1))


def test_nothing_is_empty_or_nan(chinese: Path, bare: Path) -> None:
    for path in (chinese, bare):
        text = words(path)
        assert not re.search(r"\bnan\b|\bNone\b|\binf\b", text)
        for table in Document(str(path)).tables:
            for row in table.rows:
                assert any(cell.text.strip() for cell in row.cells)


def test_chinese_type_is_set_as_official_papers_have_it(chinese: Path) -> None:
    document = Document(str(chinese))
    normal = document.styles["Normal"].element
    fonts = normal.rPr.find(qn("w:rFonts"))
    assert (fonts.get(qn("w:eastAsia")), fonts.get(qn("w:ascii"))) == ("仿宋", "Times New Roman")
    assert not [key for key in fonts.attrib if "Theme" in key]  # a theme's typeface would win over ours
    assert normal.pPr.find(qn("w:ind")).get(qn("w:firstLineChars")) == "200"
    assert document.styles["Normal"].font.size.pt == 12  # 小四
    assert document.styles["Heading 1"].element.rPr.find(qn("w:rFonts")).get(qn("w:eastAsia")) == "黑体"
    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    foot = "".join(node.text or "" for node in section.footer._element.iter(qn("w:t")))
    assert foot == "第 1 页 共 1 页"
    assert {" PAGE ", " NUMPAGES "} <= {node.text for node in section.footer._element.iter(qn("w:instrText"))}


def test_a_table_has_three_lines(chinese: Path) -> None:
    table = next(one for one in Document(str(chinese)).tables if one.rows[0].cells[0].text == "服务")

    def rule(row: int, side: str) -> str | None:
        found = table.rows[row].cells[0]._tc.tcPr.find(f"{qn('w:tcBorders')}/{qn(f'w:{side}')}")
        return None if found is None else found.get(qn("w:sz"))

    assert (rule(0, "top"), rule(0, "bottom"), rule(-1, "bottom")) == ("12", "6", "12")
    assert rule(1, "bottom") is None


def test_a_study_without_sites_places_card_and_date_has_no_section_of_them(bare: Path) -> None:
    document = Document(str(bare))
    heads = [one.text.split("  ")[1] for one in document.paragraphs if one.style is not None and one.style.name == "Heading 1"]
    assert heads == ["Summary", "Method", "Today, and the gaps", "What is not certain", "Sources"]
    text = words(bare)
    assert "no new sites are proposed" in text
    assert "not stated in the study file" in text
    assert "No fault was found in the input." in text
    assert "Made-up" not in text


def test_names_that_try_to_be_markup_or_formulas_stay_text(bare: Path) -> None:
    text = words(bare)
    assert HOSTILE in text
    assert FORMULA in text
    with zipfile.ZipFile(bare) as parts:
        raw = parts.read("word/document.xml").decode()
        assert "<img" not in raw
        assert not [name for name in parts.namelist() if "hyperlink" in name.lower()]


def test_the_same_run_gives_the_same_bytes(hostile: RunResult, bare: Path, folder: Path) -> None:
    again = write_brief(folder / "again.docx", hostile, "en")
    assert again.read_bytes() == bare.read_bytes()
    with zipfile.ZipFile(again) as parts:
        assert {entry.date_time for entry in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = parts.read("docProps/core.xml").decode()
    assert re.findall(r"<dcterms:\w+[^>]*>([^<]+)", core) == ["2025-06-30T00:00:00Z"] * 2


def test_every_file_of_the_study_is_a_source_with_its_hash(demo: RunResult, chinese: Path) -> None:
    import hashlib

    found = {source.file: source.sha256 for source in study_sources(demo.study)}
    assert {"study.toml", "streets.osm.pbf", "population/total.tif", "units.gpkg", "elder_care.xlsx", "candidates.csv"} <= set(
        found
    )
    for file, told in found.items():
        assert told == hashlib.sha256((demo.study.folder / file).read_bytes()).hexdigest()[:8]
    text = words(chinese)
    assert all(file in text and told in text for file, told in found.items())


def test_a_source_that_is_gone_is_said_to_be_gone(demo: RunResult, tmp_path: Path) -> None:
    from careshed.report.brief.sources import source_rows

    moved = replace(demo.study, path=tmp_path / "study.toml")
    assert source_rows(moved, "en")[0] == ("study file", "study.toml\xa0(gone)")


def test_uncertainty_names_people_and_faults(demo: RunResult) -> None:
    told = " ".join(uncertain(demo, "en"))
    people = round(counts_of(demo.services[0]).unjudged)
    assert people > 0
    assert f"{people} children under 3 (childcare)" in told
    assert f"{len(demo.faults)} faults of data" in told
    stopped = replace(demo.services[0], plan=replace(demo.services[0].plan, reproducible=False))
    assert "Stopped by the safety limit" in " ".join(uncertain(replace(demo, services=(stopped,)), "en"))


def test_a_brief_is_a_docx_of_a_run_with_services(demo: RunResult, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"brief\.pdf: cannot write '\.pdf'; choose \.docx"):
        write_brief(tmp_path / "brief.pdf", demo)
    with pytest.raises(ValueError, match="no service"):
        write_brief(tmp_path / "brief.docx", replace(demo, services=()))


def test_control_characters_become_spaces() -> None:
    assert clean("a\x00b\ufffec\nd") == "a b c\nd"
    assert Reference("table", 3).text("zh") == "表3"
    paper = Paper.blank("zh")
    assert paper.coming("figure", 1) == Reference("figure", 2)


def test_without_libreoffice_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert find_office() is None
    with pytest.raises(FileNotFoundError, match="a PDF needs LibreOffice: install it"):
        need_office()
    with pytest.raises(FileNotFoundError, match="LibreOffice"):
        write_pdf(tmp_path / "brief.docx")


def test_a_program_that_makes_no_pdf_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failing = tmp_path / "soffice"
    failing.write_text("#!/bin/sh\necho broken >&2\n")
    failing.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(failing))
    with pytest.raises(OSError, match="LibreOffice made no PDF: broken"):
        write_pdf(tmp_path / "brief.docx")


def can_write() -> bool:
    """Whether LibreOffice is here with its word processor."""
    office = find_office()
    return office is not None and any(Path(office).resolve().parent.glob("libsw*lo.so"))


@pytest.mark.skipif(not can_write(), reason="needs LibreOffice Writer")
def test_the_demo_brief_is_three_to_five_pages_of_pdf(chinese: Path) -> None:
    pdf = write_pdf(chinese)
    assert pdf == chinese.with_suffix(".pdf")
    told = subprocess.run(["pdfinfo", str(pdf)], capture_output=True, text=True, check=True).stdout
    pages = re.search(r"Pages:\s+(\d+)", told)
    assert pages is not None
    assert 3 <= int(pages[1]) <= 5


def test_gaps_say_how_many_of_their_people_cannot_be_judged(demo: RunResult, chinese: Path) -> None:
    one = leading(demo)
    people, unjudged = (float(one.gaps[name].sum()) for name in ("people", "unjudged"))
    counts = counts_of(one)
    assert round(people) == round(counts.people) - round(counts.covered) == counts.missed + round(unjudged)
    assert f"{len(one.gaps)} 处，{people:,.0f} 人（其中 {unjudged:,.0f} 人无法判断）" in words(chinese)
    judged = replace(one, gaps=one.gaps.assign(unjudged=0.0))
    assert of_gaps(judged, "en") == f"{len(one.gaps)} gaps with {people:,.0f} people"
