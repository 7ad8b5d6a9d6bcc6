"""The map of places with a real assignment: of the demo town, and of Berlin's centres with made-up children."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from test_maps import _ints, _Page, _read
from test_maps_browser import DESKTOP, Visit, browser  # noqa: F401
from test_maps_browser import pytestmark as browser_marks
from test_maps_places import before_times, town

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))  # last: benchmarks/access.py is not PySAL's access

import berlin_places
from verdicts import data_folder

from careshed.maps import write_places_map
from careshed.maps.split import STATES as MAP_STATES
from careshed.maps.split import Assigned, split_classes, unit_split, whole_split
from careshed.maps.text import count
from careshed.supply.assignment import STATES, Assignment, assign_places, by_unit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from careshed.run import RunResult
    from careshed.run.results import ServiceResult

RULES = ("nearest", "nearest_with_overflow", "least_time")
BERLIN = data_folder("berlin_childcare")
needs_berlin = pytest.mark.skipif(BERLIN is None, reason="real data are not here: ../shared/data/berlin_childcare")


def service_of(demo: RunResult) -> ServiceResult:
    return demo.services[0]


def assigned(demo: RunResult, rule: str = "least_time") -> Assignment:
    one = service_of(demo)
    limit = one.service.within_minutes
    return assign_places(one.times, demo.study.cells, group=one.service.group, minutes=limit, rule=rule)  # type: ignore[arg-type]


def page(demo: RunResult, path: Path, found: Assigned, **given: object) -> _Page:
    one = service_of(demo)
    made = write_places_map(path, demo.study, service=one.service.id, times=one.times, assignment=found, **given)  # type: ignore[arg-type]
    return _read(made)


# --- a town by hand ---------------------------------------------------------------------------------------------------


def test_a_real_assignment_says_what_the_stand_in_says(tmp_path: Path) -> None:
    # f1 (12 places) is 5 minutes from 10 children and 15 from 20; f2 (4) is 10 minutes from those 20; f3's places are unknown.
    # Nearest with overflow: 10 to f1, 4 to f2, 2 more to f1; 14 find none; 30 are a millisecond too far; 40 cannot be judged.
    study = town()
    found = assign_places(before_times(), study.cells, group="p0_3", minutes=15, rule="nearest_with_overflow")
    made = write_places_map(tmp_path / "real.html", study, service="childcare", times=before_times(), assignment=found)
    expected = (
        "青湾 100 名3岁以下婴幼儿中，16 名（16.0%）15 分钟内有位，14 名（14.0%）走得到但没有空位，30 名（30.0%）走不到，"
        "40 名无法判断。"
    )
    read = _read(made)
    assert expected in read.words
    assert read.data["layer_places"]["classes"] == [4, 4, 0]


@pytest.mark.parametrize(
    ("minutes", "zh", "en"),
    [
        # 14 minutes: f1 takes 10 of its 12, f2 4 of its 4; 10 minutes away from nobody else.
        (14, "满员 1 处；未满 1 处，共空余 2 位。", "Full: 1. With room: 1, 2 places left."),
        (15, "满员 2 处；未满 0 处，共空余 0 位。", "Full: 2. With room: 0, 0 places left."),
    ],
)
def test_the_legend_counts_full_facilities_and_places_left(minutes: int, zh: str, en: str, tmp_path: Path) -> None:
    study = town()
    found = assign_places(before_times(), study.cells, group="p0_3", minutes=minutes)
    for lang, expected in (("zh", zh), ("en", en)):
        made = write_places_map(
            tmp_path / f"{lang}.html",
            study,
            service="childcare",
            times=before_times(),
            assignment=found,
            lang=lang,  # type: ignore[arg-type]
        )
        read = _read(made)
        assert any(word.startswith(expected) for word in read.words)
        left = {"zh": "空余 2 位", "en": "2 places left"}[lang]
        assert [left in tip for tip in read.data["layer_places"]["tips"]] == [minutes == 14, False, False]


# --- the demo town ----------------------------------------------------------------------------------------------------


def test_the_map_and_the_assignment_know_the_same_states() -> None:
    assert MAP_STATES == STATES


@pytest.mark.parametrize("rule", RULES)
def test_the_demos_map_adds_up_to_the_demos_assignment(rule: str, demo: RunResult, tmp_path: Path) -> None:
    found = assigned(demo, rule)
    read = page(demo, tmp_path / "demo.html", found)
    split = whole_split(found.cells)
    sentence = next(word for word in read.words if f"{count(split.people)} 名" in word)
    assert f"{count(split.served)} 名（{split.served / split.people:.1%}）" in sentence
    assert f"{count(split.no_place)} 名（" in sentence
    links, layer = found.links, read.data["layer_places"]
    assert sum(_ints(layer["links"]["n"])) == len(links)
    people = np.maximum(np.rint(links["people"]), 1).sum()
    assert sum(_ints(layer["links"]["people"])) == people
    assert len(layer["classes"]) == len(found.facilities)
    # Full, by the assignment: dark circles.
    full = (found.facilities["spare"] < 5e-4 * found.facilities["places"]).sum()
    assert sum(kind == 4 for kind in layer["classes"]) == full


def test_units_on_the_map_are_those_of_the_table(demo: RunResult) -> None:
    found, study = assigned(demo), demo.study
    table = by_unit(found, study.cells, study.units)
    shown = unit_split(found.cells, study.cells["unit"], study.units)
    for unit, one in shown.items():
        told = table.loc[unit, ["people", *STATES]].tolist()
        assert [one.people, one.served, one.no_place, one.out_of_reach, one.unjudged] == pytest.approx(told, abs=1e-6)
    assert set(shown) == set(table.index)


def test_an_assignment_is_what_the_map_asks_for(demo: RunResult) -> None:
    found: Assigned = assigned(demo)
    assert len(split_classes(found.cells)) == len(demo.study.cells)
    assert found.limit == round(service_of(demo).service.within_minutes * 60_000)


def test_the_demos_map_is_the_same_bytes_twice_and_leaves_the_assignment_alone(demo: RunResult, tmp_path: Path) -> None:
    found = assigned(demo)
    before = found.cells.copy(), found.facilities.copy(), found.links.copy()
    for name in ("one", "two"):
        page(demo, tmp_path / f"{name}.html", found, lang="en")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    for old, new in zip(before, (found.cells, found.facilities, found.links), strict=True):
        pd.testing.assert_frame_equal(old, new)


# --- Berlin -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["zh", "en"])
def berlin_page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    out = tmp_path_factory.mktemp("berlin") / f"{request.param}.html"
    assert BERLIN is not None
    berlin_places.draw(out, BERLIN, request.param)
    return request.param, out


@needs_berlin
def test_berlins_map_says_what_is_made_up_and_shows_every_centre(berlin_page: tuple[str, Path]) -> None:
    lang, path = berlin_page
    read = _read(path)
    text = " ".join(read.words)
    ribbon, told = {
        "zh": ("虚构数据，仅供演示", "柏林 200,000 名虚构儿童中"),
        "en": ("Made-up data, for demonstration only", "Of 200,000 made-up children in Berlin"),
    }[lang]
    assert ribbon in read.words
    assert told in text
    assert {"zh": "儿童人数为虚构", "en": "the children are MADE UP"}[lang] in text
    layer = read.data["layer_places"]
    assert len(layer["classes"]) == berlin_places.CENTRES
    assert sum(_ints(layer["links"]["n"])) > 2000
    assert path.stat().st_size < 1.5e6


@needs_berlin
def test_berlins_map_opens_without_complaint_and_tells_places_left(berlin_page: tuple[str, Path], browser: Browser) -> None:  # noqa: F811
    lang, path = berlin_page
    visit = Visit(browser, path, DESKTOP)
    try:
        assert visit.has("places")
        visit.page.check("input[name=choropleth][value='']")
        assert visit.page.locator(".ribbon").is_visible()
        visit.page.locator("[data-facility]").last.click()
        left = {"zh": "空余", "en": "places left"}[lang]
        visit.page.locator(".leaflet-popup-content", has_text=left).wait_for(timeout=8000)
        assert visit.complaints == []
        assert visit.requests == [path.as_uri()]
    finally:
        visit.context.close()


for _mark in browser_marks:
    test_berlins_map_opens_without_complaint_and_tells_places_left = _mark(
        test_berlins_map_opens_without_complaint_and_tells_places_left
    )


def test_the_script_skips_where_the_data_are_absent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARESHED_DATA", str(tmp_path))
    assert berlin_places.main(["--out", str(tmp_path / "none.html")]) == 0
    assert capsys.readouterr().out.startswith("SKIP map of Berlin's places")
    assert not (tmp_path / "none.html").exists()
