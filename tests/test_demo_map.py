"""The demo's own maps in a browser with the network cut, and the picture that the README shows."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from test_maps_browser import Visit, browser, pytestmark  # noqa: F401  (the fixture and the marks of the browser tests)

from careshed.maps import write_map

DESKTOP = {"width": 1440, "height": 900}

EXAMPLE = Path(__file__).parents[1] / "maps" / "example" / "childcare.png"
"""The picture in the README; written anew where CARESHED_PICTURES is set."""


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    """Where pictures of the pages are kept: the folder in CARESHED_SHOTS, else one that is thrown away."""
    folder = Path(os.environ.get("CARESHED_SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("service", ["childcare", "day_care", "township_centre"])
def test_the_demos_maps_open_without_a_network_and_without_complaint(demo, browser, service, shots):  # noqa: F811
    path = next(file for file in demo.files if file.name == f"{service}.html")
    visit = Visit(browser, path, DESKTOP)
    visit.page.wait_for_timeout(300)
    picture = EXAMPLE if service == "childcare" and os.environ.get("CARESHED_PICTURES") else shots / f"{service}_desktop_zh.png"
    visit.page.screenshot(path=picture)
    assert visit.requests == [path.as_uri()]
    assert visit.complaints == []
    assert picture.stat().st_size > 100_000
    visit.context.close()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pictures_of_desktop_phone_and_print_are_kept(demo, browser, lang, shots, tmp_path):  # noqa: F811
    one = demo.services[1]
    path = write_map(
        tmp_path / "day_care.html", demo.study, service="day_care", times=one.times, gaps=one.gaps, plan=one.plan,
        covered=one.covered, isochrones=one.isochrones, lang=lang,
    )  # fmt: skip
    visit = Visit(browser, path, DESKTOP)
    visit.page.screenshot(path=shots / f"day_care_desktop_{lang}.png")
    if "CARESHED_SHOTS" in os.environ:  # sheets take long to draw; test_maps_browser.py checks a small one in any case
        printed(visit, shots / f"day_care_print_{lang}.pdf")
    visit.page.set_viewport_size({"width": 390, "height": 844})
    visit.page.screenshot(path=shots / f"day_care_phone_{lang}.png", full_page=True)
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
    assert visit.complaints == []
    visit.context.close()


def printed(visit, pdf):
    """Print the page, and its sheets as pictures where Poppler is installed."""
    visit.page.pdf(path=pdf, prefer_css_page_size=True, print_background=True)
    if shutil.which("pdftoppm"):
        subprocess.run(["pdftoppm", "-r", "70", "-png", pdf.name, pdf.stem], cwd=pdf.parent, check=True)


def test_the_page_knows_every_cell_as_python_does(demo, browser):  # noqa: F811
    one, cells = demo.services[0], demo.study.cells
    visit = Visit(browser, next(file for file in demo.files if file.name == "childcare.html"), DESKTOP)
    picked = cells[cells["p0_3"] > 0].sample(300, random_state=4)
    points = picked.to_crs("EPSG:4326").geometry
    told = visit.page.evaluate("(places) => places.map((at) => careshed.cells.under(at))", [[at.y, at.x] for at in points])
    place = one.times.cell_ids.get_indexer(picked.index)
    cost, fault = one.times.nearest_cost[place], one.times.cell_fault[place]
    halves = [-1 if bad else 0 if ms < 0 else -(-ms // 30_000) + 1 for ms, bad in zip(cost.tolist(), fault != "", strict=True)]
    assert [one["code"] for one in told] == halves
    assert [one["people"][0][1] for one in told] == [round(people * 10) / 10 for people in picked["p0_3"]]
    visit.context.close()


def test_the_demos_map_says_that_the_town_is_made_up_and_names_its_figures(demo, browser):  # noqa: F811
    path = next(file for file in demo.files if file.name == "childcare.html")
    visit = Visit(browser, path, DESKTOP)
    text = visit.page.inner_text("body")
    plan = demo.services[0].plan
    assert "虚构" in text
    assert f"{plan.people_total:,.0f}" in text
    assert f"{plan.people_covered_before:,.0f}" in text
    assert visit.page.locator(".leaflet-sites-pane .pin").count() == len(plan.sites)
    visit.context.close()


def test_the_picture_in_the_readme_is_there():
    assert EXAMPLE.stat().st_size > 100_000
