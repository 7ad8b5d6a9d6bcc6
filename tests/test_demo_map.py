"""The demo's own maps in a browser with the network cut, and the picture that the README shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from test_maps_browser import Visit, browser, pytestmark  # noqa: F401  (the fixture and the marks of the browser tests)

EXAMPLE = Path(__file__).parents[1] / "maps" / "example" / "childcare.png"
"""The picture in the README; written anew where CARESHED_PICTURES is set."""


@pytest.mark.parametrize("service", ["childcare", "day_care", "township_centre"])
def test_the_demos_maps_open_without_a_network_and_without_complaint(demo, browser, service, tmp_path):  # noqa: F811
    path = next(file for file in demo.files if file.name == f"{service}.html")
    visit = Visit(browser, path, {"width": 1440, "height": 900})
    visit.page.wait_for_timeout(500)
    picture = EXAMPLE if service == "childcare" and os.environ.get("CARESHED_PICTURES") else tmp_path / "map.png"
    visit.page.screenshot(path=picture)
    assert visit.requests == [path.as_uri()]
    assert visit.complaints == []
    assert picture.stat().st_size > 100_000
    visit.context.close()


def test_the_demos_map_says_that_the_town_is_made_up_and_names_its_figures(demo, browser):  # noqa: F811
    path = next(file for file in demo.files if file.name == "childcare.html")
    visit = Visit(browser, path, {"width": 1440, "height": 900})
    text = visit.page.inner_text("body")
    plan = demo.services[0].plan
    assert "虚构" in text
    assert f"{plan.people_total:,.0f}" in text
    assert f"{plan.people_covered_before:,.0f}" in text
    assert visit.page.locator(".leaflet-sites-pane .pin").count() == len(plan.sites)
    visit.context.close()


def test_the_picture_in_the_readme_is_there():
    assert EXAMPLE.stat().st_size > 100_000
