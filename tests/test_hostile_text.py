"""Names that are attacks stay text in every file a run writes: pages, workbooks, CSV, layers, GeoJSON, plan files, the audit."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import geopandas as gpd
import pytest
from hostile_town import EVIL, FORMULA, SIGNS, write_hostile_town
from openpyxl import load_workbook

from careshed.report.layers import write_layers
from careshed.report.workbook import DANGEROUS
from careshed.run import RunResult, run_study

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--headless=new", "--disable-background-networking", "--disable-gpu"]
NAMES = {EVIL, FORMULA, *SIGNS}
"""What facilities are called; the one that begins with a tab loses the tab on reading, as every name does."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run_study(write_hostile_town(tmp_path_factory.mktemp("hostile")), progress=False)


@pytest.fixture(scope="module")
def pages(run: RunResult, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every page of the run, the audit of the study, and the page in which sites are tried."""
    from careshed.check import check_study
    from careshed.maps.whatif import write_whatif
    from careshed.report.check import write_check

    folder, (one,) = tmp_path_factory.mktemp("pages"), run.services
    audit = write_check(folder / "check.html", check_study(run.study), lang="zh")
    tried = write_whatif(
        folder / "whatif.html", run.study, service=one.service.id, times=one.times, options=one.options, plan=one.plan
    )
    return [*of(run, ".html"), audit, tried]


@pytest.fixture(scope="module")
def books(run: RunResult, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every workbook of the run, and the committee's."""
    from careshed.report.committee import write_workbook

    return [*of(run, ".xlsx"), write_workbook(tmp_path_factory.mktemp("books") / "all.xlsx", run)]


def of(run: RunResult, suffix: str) -> list[Path]:
    found = [path for path in run.files if path.suffix == suffix]
    assert found, suffix
    return found


def test_the_study_holds_the_attacks_as_they_are(run: RunResult):
    assert set(run.study.facility_table["name"]) >= NAMES
    assert FORMULA in run.study.facility_table.index
    assert set(run.study.units["name"]) == {FORMULA, EVIL, *SIGNS[:2]}
    assert run.study.name == FORMULA + EVIL


def test_pages_hold_no_markup_from_data(pages: list[Path]):
    for page in pages:
        assert "<img src=x" not in page.read_text(encoding="utf-8"), page.name


def test_no_cell_of_a_workbook_is_a_formula_from_data(books: list[Path]):
    seen: set[str] = set()
    for path in books:
        for sheet in load_workbook(path):
            for cell in (cell for row in sheet.iter_rows() for cell in row):
                # the project's own formulas, if any, hold no text of data: checked below
                if isinstance(cell.value, str) and cell.data_type != "f":
                    assert cell.data_type == "s", f"{path.name} {sheet.title} {cell.coordinate}: {cell.value}"
                    # links lead to sheets of the same book alone, their names in quotes
                    link = cell.hyperlink
                    assert link is None or (link.target is None and re.fullmatch(r"'.*'![A-Z]+\d+", link.location))
                    # the mark that a cell edited in Excel stays text
                    assert cell.quotePrefix or not cell.value.startswith(DANGEROUS), f"{path.name} {cell.coordinate}"
                    seen.add(cell.value)
        with zipfile.ZipFile(path) as archive:
            inside = {name: archive.read(name).decode("utf-8") for name in archive.namelist() if name.endswith(".xml")}
        formulas = [found for text in inside.values() for found in re.findall(r"<(?:\w+:)?f>([^<]*)</(?:\w+:)?f>", text)]
        # what charts refer to: a sheet's name in quotes runs nothing
        formulas = [re.sub(r"'(?:[^']|'')*'!", "", found) for found in formulas]
        assert not [found for found in formulas if "HYPERLINK" in found or "1+1" in found or "@SUM" in found], path.name
    assert {EVIL, FORMULA, *SIGNS[:2]} <= seen


def test_no_field_of_a_csv_is_taken_for_a_formula(run: RunResult, tmp_path: Path):
    made = write_layers(tmp_path / "flat", run, "zh", format="geojson")
    seen: set[str] = set()
    for path in [*of(run, ".csv"), *(file for file in made if file.suffix == ".csv")]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            fields = [field for row in csv.reader(file) for field in row]
        assert not [field for field in fields if field.startswith(DANGEROUS) and not is_number(field)], path.name
        seen |= set(fields)
    # neutralised as everywhere in the project: by an apostrophe before
    assert {f"'{FORMULA}", f"'{SIGNS[0]}", EVIL} <= seen


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_layers_hold_names_unchanged(run: RunResult):
    (path,) = of(run, ".gpkg")
    facilities = gpd.read_file(path, layer="设施")
    assert list(facilities["名称"]) == list(run.study.facility_table["name"])
    assert list(facilities["运营方"]) == list(run.study.facility_table["operator"])
    assert list(facilities["设施编号"]) == list(run.study.facility_table.index)
    assert set(gpd.read_file(path, layer="行政单元")["名称"]) == set(run.study.units["name"])
    told = dict(gpd.read_file(path, layer="元数据")[["项目", "内容"]].itertuples(index=False, name=None))
    assert told["标题"].startswith(FORMULA + EVIL)


def test_names_of_tables_and_styles_are_plain_whatever_a_service_is_called(run: RunResult):
    import sqlite3
    from contextlib import closing

    (path,) = of(run, ".gpkg")
    with closing(sqlite3.connect(path)) as base:
        names = [name for (name,) in base.execute("SELECT table_name FROM gpkg_contents")]
        styles = base.execute("SELECT styleQML, styleSLD FROM layer_styles").fetchall()
        (metadata,) = base.execute("SELECT metadata FROM gpkg_metadata").fetchone()
    assert [name for name in names if not re.fullmatch(r"[^\W\d_]\w{0,29}", name)] == []
    assert any(name.startswith("覆盖__HYPERLINK") for name in names)
    for text in (metadata, *(text for pair in styles for text in pair)):
        assert not [one for one in ElementTree.fromstring(text).iter() if one.tag == "img"]


def test_geojson_and_plan_files_hold_names_as_text(run: RunResult):
    sites = json.loads(next(path for path in of(run, ".geojson") if "sites" in path.name).read_text(encoding="utf-8"))
    names = set(run.study.candidate_table["name"])
    assert {one["properties"]["name"] for one in sites["features"]} <= names
    assert sites["study"].startswith(FORMULA + EVIL)
    (plan,) = [path for path in run.files if path.name == "p_plan.json"]
    assert json.loads(plan.read_text(encoding="utf-8"))


def test_the_brief_holds_names_as_text_and_no_field_or_link(run: RunResult, tmp_path: Path):
    from careshed.report.brief import write_brief

    with zipfile.ZipFile(write_brief(tmp_path / "brief.docx", run)) as archive:
        inside = {name: archive.read(name).decode("utf-8") for name in archive.namelist() if name.endswith((".xml", ".rels"))}
    text = "".join(ElementTree.fromstring(inside["word/document.xml"]).itertext())
    assert EVIL in text
    assert FORMULA in text
    for name, xml in inside.items():
        assert "<img" not in xml, name
        assert "//x" not in xml or name.endswith(".xml"), name  # a link would stand among the relationships
        fields = " ".join(re.findall(r"<w:instrText[^>]*>([^<]*)<", xml))
        assert "HYPERLINK" not in fields, name


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield opened
        opened.close()


STIR = """() => {
  for (const fold of document.querySelectorAll('details')) fold.open = true;
  for (const box of document.querySelectorAll('input[type=checkbox]')) if (!box.checked) box.click();
  for (const button of document.querySelectorAll('button')) button.click();
  const map = window.careshed && window.careshed.map;
  const told = [];
  const open = layer => {
    if (layer.eachLayer) layer.eachLayer(open);
    for (const kind of ['Tooltip', 'Popup']) {
      if (!layer['get' + kind] || !layer['get' + kind]()) continue;
      try { layer['open' + kind](); } catch (error) { continue; }
      const shown = layer['get' + kind]().getElement();
      if (shown) told.push(shown.innerText);
    }
  };
  if (map) map.eachLayer(open);
  return document.documentElement.innerText + told.join('\\n');
}"""
"""Opens all that unfolds, switches everything on, presses every button, shows every tooltip; gives all text that was seen."""


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"Chromium is not installed: {CHROMIUM} is missing (apt-get install chromium)")
def test_pages_show_the_attacks_as_text_and_run_none(browser: Browser, pages: list[Path]):
    for path in pages:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_offline(True)
        page, asked, wrong = context.new_page(), [], []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("dialog", lambda dialog, wrong=wrong: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("pageerror", lambda error, wrong=wrong: wrong.append(str(error)))
        page.add_init_script("window.print = () => {}")
        page.goto(path.as_uri())
        seen = page.evaluate(STIR)
        page.wait_for_timeout(200)
        assert [url for url in asked if url != path.as_uri() and not url.startswith(("data:", "blob:"))] == [], path.name
        assert wrong == [], path.name
        assert page.evaluate("document.querySelectorAll('img[onerror], img[src=x]').length") == 0, path.name
        assert EVIL in seen, path.name
        context.close()
