"""The front page of a run: a card a service, a link to every file, and nothing from the data as markup."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from test_maps import CHILDCARE, EVIL, small_covered, small_study, small_times
from test_maps_browser import CHROMIUM, Visit, browser  # noqa: F401

from careshed.maps import write_index
from careshed.maps.index import little_map
from careshed.run.summary import _first_files

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from careshed.run import RunResult


def small_run(**changes: Any) -> SimpleNamespace:
    one = SimpleNamespace(service=CHILDCARE, times=small_times(), covered=small_covered())
    return SimpleNamespace(**({"study": small_study(), "services": (one,)} | changes))


def outputs(run: RunResult) -> list[Path]:
    """List what a run wrote beside the front page itself."""
    return [file for file in run.files if file.name != "index.html"]


@pytest.fixture(scope="module")
def written(demo: RunResult) -> dict[str, Path]:
    folder, files = next(file for file in demo.files if file.name == "childcare.html").parent, outputs(demo)
    return {lang: write_index(folder / f"index_{lang}.html", demo, files, lang) for lang in ("zh", "en")}


def test_a_run_writes_its_front_page(demo: RunResult) -> None:
    assert [file.name for file in demo.files if file.name == "index.html"] == ["index.html"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_file_of_the_run_is_linked_once_and_is_there(demo: RunResult, written: dict[str, Path], lang: str) -> None:
    page = written[lang]
    links = [unquote(link) for link in re.findall(r'href="([^"]+)"', page.read_text(encoding="utf-8"))]
    linked = sorted(page.parent / link for link in links)
    here = [file for file in outputs(demo) if file.is_relative_to(page.parent)]

    assert linked == sorted(here)
    assert all(file.is_file() for file in linked)
    # what lies outside the folder that is handed on is named without a link
    assert all(file.name in page.read_text(encoding="utf-8") for file in outputs(demo))


def test_each_service_has_its_sentence_and_its_figures(demo: RunResult, written: dict[str, Path]) -> None:
    text = written["en"].read_text(encoding="utf-8")
    for one in demo.services:
        judged = one.covered[(one.covered["minutes"] == one.service.within_minutes) & (one.covered["group"] == one.service.group)]
        whole = judged.loc["ALL"]
        assert f"<b>{round(whole['covered']):,}</b>" in text
        assert f"{int((~one.has_one['has_one']).sum())} of {len(one.has_one)} streets and townships have no such facility" in text
    assert "Made-up data" in text


def test_the_same_run_gives_the_same_bytes(demo: RunResult, written: dict[str, Path]) -> None:
    again = write_index(written["zh"].with_name("again.html"), demo, outputs(demo), "zh")

    assert again.read_bytes() == written["zh"].read_bytes()
    again.unlink()


def test_papers_that_are_not_there_yet_are_named_with_the_command_that_makes_them(tmp_path: Path) -> None:
    def told(*names: str) -> list[str]:
        page = write_index(tmp_path / "index.html", small_run(), [tmp_path / name for name in names])  # type: ignore[arg-type]
        return re.findall(r"<code>careshed (\w+) STUDY", page.read_text(encoding="utf-8"))

    assert told("childcare.html") == ["brief", "atlas"]
    assert told("childcare.html", "brief.docx") == ["atlas"]
    assert told("brief.docx", "atlas.pdf") == []


def test_the_workbook_of_the_whole_run_is_called_so_and_comes_first(demo: RunResult, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    files = [tmp_path / name for name in ("layers.gpkg", "scorecard.xlsx", "committee.xlsx", "brief.docx")]
    text = write_index(page, demo, files, "zh").read_text(encoding="utf-8")
    order = [text.index(f">{told}<") for told in ("成果工作簿", "GIS 图层", "评分工作簿", "简报")]
    assert order == sorted(order)


def test_the_files_of_the_whole_run_are_named_first() -> None:
    names = ("index.html", "childcare.html", "layers.gpkg", "committee.xlsx")
    run = SimpleNamespace(files=tuple(Path(name) for name in names))
    assert [file.name for file in _first_files(run)] == ["index.html", "committee.xlsx", "layers.gpkg"]  # type: ignore[arg-type]


def test_names_from_data_stay_text_and_odd_file_names_are_quoted(tmp_path: Path) -> None:
    study = small_study(name=EVIL, made_up=False, data_date="")
    files = [tmp_path / "childcare.html", tmp_path / "a b#?<i>.xlsx", tmp_path / "图 1.png", tmp_path.parent / "x.csv"]
    text = write_index(tmp_path / "index.html", small_run(study=study), files).read_text(encoding="utf-8")  # type: ignore[arg-type]

    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert 'href="a%20b%23%3F%3Ci%3E.xlsx"' in text
    assert "<li>x.csv</li>" in text
    assert "<i>.xlsx" not in text


def test_a_run_without_services_and_files_says_so(tmp_path: Path) -> None:
    text = write_index(tmp_path / "index.html", small_run(services=()), []).read_text(encoding="utf-8")  # type: ignore[arg-type]

    assert "本次运行未写出地图或清单。" in text


def test_little_maps_need_outlines() -> None:
    one: Any = small_run().services[0]
    units = small_study().units

    assert little_map(None, one, "p0_3", 15.0) == []
    assert little_map(units[units["level"] == "township"], one, "p0_3", 15.0) == []
    # 30 of 100 children of the one street are reached: the second fifth
    assert [shape["fill"] for shape in little_map(units, one, "p0_3", 15.0)] == ["#bccfe6"]
    assert [shape["fill"] for shape in little_map(units, one, "p99", 15.0)] == ["#d9d9d6"]


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed")
def test_the_front_page_opens_without_a_network_and_reads_well(browser: Browser, written: dict[str, Path]) -> None:  # noqa: F811
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    visit = Visit(browser, written["zh"], {"width": 390, "height": 844})

    assert visit.requests == [written["zh"].as_uri()]
    assert visit.complaints == []
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
    serious = [one["id"] for one in axe.Axe().run(visit.page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert serious == []
    visit.context.close()


def test_a_plan_without_sites_claims_nothing_beyond_that(demo):
    from dataclasses import replace

    from careshed.maps.facts import plan_sentences, scope_of

    plan = demo.services[0].plan
    none = replace(plan, sites=plan.sites.iloc[:0], people_covered_after=plan.people_covered_before)
    assert plan_sentences(scope_of(demo.study, service="childcare", group=None, lang="en", times=None, covered=None), none) == [
        "No new site is proposed (8 asked for)."
    ]
