"""The other services of a study on the map of one: what is drawn of them, and when."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from test_maps_browser import CHROMIUM, DESKTOP, Visit, browser  # noqa: F401  the fixture

from careshed.maps.others import HUES, other_switches, others_layer

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from careshed.run import RunResult


@pytest.fixture(scope="module")
def written(demo: RunResult) -> Path:
    return next(file for file in demo.files if file.name == "childcare.html")


def test_the_layer_holds_every_facility_site_and_gap_of_the_other_services(demo):
    others = demo.services[1:]
    layer = others_layer(demo.study, others, "en")

    assert [one["hue"] for one in layer["services"]] == list(HUES[:2])
    for drawn, other in zip(layer["services"], others, strict=True):
        assert len(drawn["facilities"]["tips"]) == len(demo.study.facilities(other.service.id))
        assert drawn["sites"]["ranks"] == other.plan.sites["rank"].tolist()
        assert len(drawn["gaps"]["tips"]) == len(other.gaps)


def test_the_switches_say_how_many_and_stand_service_by_service(demo):
    others = demo.services[1:]
    switches = other_switches(others_layer(demo.study, others, "en"), others, "en")

    assert [name for name, _ in switches] == [f"Other service: {other.service.name('en')}" for other in others]
    first = {item.key: item for item in switches[0][1]}
    assert list(first) == ["other0_facilities", "other0_sites", "other0_gaps"]
    assert first["other0_facilities"].detail == str(len(demo.study.facilities(others[0].service.id)))
    assert f"{len(others[0].gaps)}, " in first["other0_gaps"].detail
    assert not any(item.on for _, items in switches for item in items)


def test_a_service_without_sites_or_gaps_has_no_switch_for_them(demo):
    from dataclasses import replace

    other = demo.services[1]
    bare = replace(other, plan=replace(other.plan, sites=other.plan.sites.iloc[:0]), gaps=other.gaps.iloc[:0])
    switches = other_switches(others_layer(demo.study, [bare], "zh"), [bare], "zh")

    assert [item.key for item in switches[0][1]] == ["other0_facilities"]


def test_a_map_without_other_services_carries_nothing_of_them(demo):
    assert others_layer(demo.study, [], "zh") is None


def test_a_runs_maps_name_the_two_other_services_and_not_their_own(demo, written):
    page = written.read_text(encoding="utf-8")
    told = re.findall(r"<legend>其他服务：([^<]+)</legend>", page)

    assert told == [one.service.name("zh") for one in demo.services[1:]]


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"Chromium is not installed: {CHROMIUM} is missing (apt-get install chromium)")
def test_a_switch_draws_the_other_service_and_takes_it_away_again(browser: Browser, demo, written):  # noqa: F811
    visit = Visit(browser, written, DESKTOP)
    page, other = visit.page, demo.services[1]
    drawn = "key => careshed.layers[key].getLayers().length"
    for kind, many in (
        ("facilities", len(demo.study.facilities(other.service.id))),
        ("sites", len(other.plan.sites)),
        ("gaps", len(other.gaps)),
    ):
        key = f"other0_{kind}"
        assert not visit.has(key)
        assert page.evaluate(drawn, key) == 0  # nothing is drawn before it is asked for
        box = page.locator(f"input[data-layer={key}]")
        box.focus()
        page.keyboard.press("Space")
        assert visit.has(key)
        assert page.evaluate(drawn, key) == many
    assert page.locator(".osite").count() == len(other.plan.sites)
    assert json.loads(page.evaluate("JSON.stringify(careshed.data.others.services[0].sites.ranks)")) == [*range(1, 9)]
    page.locator("input[data-layer=other0_sites]").uncheck()
    assert page.locator(".osite").count() == 0
    assert visit.complaints == []
    assert visit.requests == [written.as_uri()]
    visit.context.close()


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"Chromium is not installed: {CHROMIUM} is missing (apt-get install chromium)")
def test_paper_has_no_heading_for_other_services_that_are_switched_off(browser: Browser, demo, written):  # noqa: F811
    visit = Visit(browser, written, DESKTOP)
    page = visit.page
    page.locator("input[data-layer=other1_sites]").check()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    seen = [legend.inner_text() for legend in page.locator("fieldset legend").all() if legend.is_visible()]

    assert [text for text in seen if text.startswith("其他服务")] == [f"其他服务：{demo.services[2].service.name('zh')}"]
    visit.context.close()
