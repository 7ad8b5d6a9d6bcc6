"""The map of a change draws the streets that open and close, by where they run, with name and length."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from test_maps_browser import DESKTOP, Visit, browser  # noqa: F401
from test_maps_places import SCOPE, before_times, in_browser, town, town_change
from towns import CRS, EAST, NORTH, streets

from careshed.intake.streets.lines import edit_streets
from careshed.maps import write_change_map
from careshed.maps.street_changes import (
    LISTED,
    changed_streets,
    street_change_layers,
    street_rows,
    street_switches,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from careshed.run import RunResult

EVIL = "<img src=x onerror=alert(1)>"
BANKS = streets(
    {"a": (0, 0), "b": (500, 0), "c": (1000, 0), "d": (0, 200), "e": (500, 200), "f": (1000, 200)}, ["abc", "def", "ad"]
)
"""Two streets along a river, 200 m apart, joined by one bridge in the west."""


def edited(folder: Path, *lines: list[tuple[float, float]], **columns: list[str]):
    shapes = [shapely.LineString(np.add(line, (EAST, NORTH))) for line in lines]
    file = folder / "edits.gpkg"
    gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS).to_file(file)
    return edit_streets(BANKS, file).table


def listed(before, after) -> list[tuple[str, str, float]]:
    table = changed_streets(before, after, CRS)
    return list(zip(table["kind"], table["name"], table["length_m"].round().astype(int), strict=True))


def test_nothing_changes_between_the_same_streets():
    assert len(changed_streets(BANKS, BANKS, CRS)) == 0
    assert listed(BANKS, replace(BANKS, source="another file")) == []
    assert street_rows(changed_streets(BANKS, BANKS, CRS), SCOPE) is None


def test_a_new_bridge_opens_and_the_streets_it_joins_stay(tmp_path):
    # It joins both streets between their vertices, which cuts them anew; they run where they ran.
    after = edited(tmp_path, [(700, 0), (700, 200)], 名称=["规划桥"], 等级=["支路"])
    assert listed(BANKS, after) == [("opened", "规划桥", 200)]
    assert listed(after, BANKS) == [("shut", "规划桥", 200)]


def test_closing_half_a_street_shuts_that_half(tmp_path):
    # The closing line covers the first 500 of the first street's 1,000 m.
    assert listed(BANKS, edited(tmp_path, [(0, 2), (500, 2)], 变更=["删除"])) == [("shut", "", 500)]


def test_the_longest_comes_first_and_pieces_of_one_name_are_one_street():
    named = replace(BANKS, ways=BANKS.ways.assign(name=["滨河路", "滨河路", "老桥"]))
    gone = replace(named, ways=named.ways.iloc[:0], way_ptr=np.array([0]), way_node=named.way_node[:0])
    assert listed(named, gone) == [("shut", "滨河路", 2000), ("shut", "老桥", 200)]
    assert listed(gone, named) == [("opened", "滨河路", 2000), ("opened", "老桥", 200)]
    both = replace(named, ways=named.ways.iloc[:2], way_ptr=named.way_ptr[:3], way_node=named.way_node[:6])
    assert listed(named, both) == [("shut", "老桥", 200)]


def test_streets_numbered_otherwise_are_the_same_streets():
    ways = BANKS.ways.set_index(BANKS.ways.index + 50)
    assert listed(BANKS, replace(BANKS, ways=ways)) == []
    turned = replace(BANKS, way_node=np.array([2, 1, 0, 5, 4, 3, 3, 0], dtype=np.int32))
    assert listed(BANKS, turned) == []


def test_layers_switches_and_rows_word_each_street_in_both_languages(tmp_path):
    after = edited(tmp_path, [(700, 0), (700, 200)], [(0, 2), (500, 2)], 名称=[EVIL, ""], 变更=["新增", "删除"])
    changed = changed_streets(BANKS, after, CRS)
    layers = street_change_layers(changed, SCOPE)
    assert layers["opened"]["tips"] == [[EVIL, "新增道路", "200 米"]]
    assert layers["shut"]["tips"] == [["（无名道路）", "关闭道路", "500 米"]]
    assert layers["shut"]["parts"] == [1]
    english = replace(SCOPE, lang="en")
    assert street_change_layers(changed, english)["shut"]["tips"] == [["(street without a name)", "Closed street", "500 m"]]
    told = [(one.key, one.label, one.detail) for one in street_switches(changed, english)]
    assert told == [("opened", "New street", "1 (200 m)"), ("shut", "Closed street", "1 (500 m)")]
    assert [one.detail for one in street_switches(changed, SCOPE)] == ["1 条，200 米", "1 条，500 米"]
    rows = street_rows(changed, SCOPE)
    assert [(row["kind"], row["place"], row["name"], row["where"]) for row in rows["rows"]] == [
        ("opened", 0, EVIL, "200 米"),
        ("shut", 0, "（无名道路）", "500 米"),
    ]
    assert rows["more"] == ""


def test_of_many_streets_the_longest_are_listed_and_the_rest_counted():
    nodes = {f"{n}{end}": (100 * n, y) for n in range(LISTED + 5) for end, y in (("s", 0), ("e", 50 + n))}
    many = streets(nodes, [[f"{n}s", f"{n}e"] for n in range(LISTED + 5)])
    none = replace(many, ways=many.ways.iloc[:0], way_ptr=np.array([0]), way_node=many.way_node[:0])
    rows = street_rows(changed_streets(none, many, CRS), SCOPE)
    assert [row["where"] for row in rows["rows"]] == [f"{50 + n} 米" for n in range(LISTED + 4, 4, -1)]
    assert rows["more"] == "另有 5 条，见图。"


@pytest.fixture(scope="module")
def page(demo: RunResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's bridge on the map of a change whose travel times stay as they are."""
    result = demo.services[0]
    opened = demo.study.with_streets("bridge")
    told = [fault for fault in opened.faults if fault not in demo.study.faults]
    assert [fault.code for fault in told] == ["planned_joins"]
    from careshed.supply.compare import compare_runs

    times, rules = result.times, result.service
    change = compare_runs(times, times, demo.study.cells, demo.study.units, minutes=rules.within_minutes, group=rules.group)
    given = {"service": rules.id, "before": times, "after": times, "change": change, "later": opened}
    return write_change_map(tmp_path_factory.mktemp("bridge") / "bridge.html", demo.study, lang="zh", **given)


def test_a_study_tells_what_its_planned_bridge_joins_and_the_page_says_it(page):
    text = page.read_text(encoding="utf-8")
    assert "新增道路起点接“滨河步道”" in text
    assert "规划桥（虚构）" in text
    assert "1 条，160 米" in text


@in_browser
def test_the_new_bridge_is_drawn_listed_and_flown_to(page: Path, browser: Browser) -> None:  # noqa: F811
    visit = Visit(browser, page, DESKTOP, reduced_motion="reduce")
    assert visit.page.locator(".leaflet-opened-pane path").count() == 2  # the line and its white edge
    assert visit.page.locator("[data-layer=opened]").is_checked()
    assert visit.page.locator("[data-layer=shut]").count() == 0
    visit.page.locator("[data-opened='0']").focus()
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_timeout(300)
    assert "规划桥（虚构）\n新增道路\n160 米" in visit.page.locator(".leaflet-popup").inner_text()
    visit.page.locator("[data-layer=opened]").uncheck()
    assert not visit.has("opened")
    assert visit.requests == [page.as_uri()]
    assert visit.complaints == []
    visit.context.close()


def test_a_page_without_changed_streets_has_no_such_list(tmp_path):
    told = {"service": "childcare", "before": before_times(), "after": before_times(), "change": town_change()}
    text = write_change_map(tmp_path / "none.html", town(), **told).read_text(encoding="utf-8")
    assert 'id="h_ways"' not in text
