"""The map of places and the map of a change: what they say, what they hold, and how they behave in a browser."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString
from test_maps import (
    CRS,
    EVIL,
    _at,
    _ints,
    _lines,
    _Page,
    _read,
    _write,
    small_cells,
    small_facilities,
    small_gaps,
    small_study,
    small_times,
    small_units,
)
from test_maps_browser import DESKTOP, PHONE, Visit, browser  # noqa: F401
from test_maps_browser import pytestmark as browser_marks

from careshed.maps import write_change_map, write_places_map
from careshed.maps.facilities import LINES_AT_ONCE, facility_lists, facility_rows, links_block, load_class, size_legend
from careshed.maps.facts import Scope
from careshed.maps.gains import people_breaks, point_shade
from careshed.maps.split import Split, split_classes
from careshed.maps.wording import CHANGES, PLACES, signed
from careshed.modes import WALK_TODDLER
from careshed.reach import TravelTimes
from careshed.supply.catchments import floating_catchment
from careshed.supply.compare import Comparison, compare_runs, plan_times

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from careshed.run import RunResult

SCOPE = Scope("zh", "青湾", "托育服务", "p0_3", 15.0, ("p0_3",), (15.0,), None)
MINUTE = 60_000


def in_browser(test: Callable[..., None]) -> Callable[..., None]:
    for mark in browser_marks:
        test = mark(test)
    return test


# --- a town by hand ---------------------------------------------------------------------------------------------------
# Four cells of 10, 20, 30 and 40 children in a row. Before: f1 (12 places) is 5 minutes from the first cell, 15 from the second
# to the millisecond, a millisecond more from the third; f2 (4 places) is 10 minutes from the second; f3's places are unknown and
# it joins no street, nor does the fourth cell.


def _times(facilities: gpd.GeoDataFrame, pairs: dict[int, dict[int, int]], faults: list[str]) -> TravelTimes:
    """Travel times from pairs of facility row, cell and cost."""
    counts = [len(pairs.get(row, {})) for row in range(len(facilities))]
    listed = [(cell, cost) for row in range(len(facilities)) for cell, cost in sorted(pairs.get(row, {}).items())]
    nearest = [min(((costs[cell], row) for row, costs in pairs.items() if cell in costs), default=(-1, -1)) for cell in range(4)]
    return TravelTimes(
        facilities=facilities,
        cell_ids=small_cells().index,
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        indices=np.array([cell for cell, _ in listed], dtype=np.int32),
        cost=np.array([cost for _, cost in listed], dtype=np.uint32),
        nearest_cost=np.array([cost for cost, _ in nearest], dtype=np.int64),
        nearest_facility=np.array([row for _, row in nearest], dtype=np.int32),
        cell_fault=np.array(["", "", "", "far"]),
        facility_fault=np.array(faults),
        metric="time",
        limit=30 * MINUTE,
        direction="to_facility",
        mode=WALK_TODDLER,
        snap_m=150.0,
    )


def town_facilities() -> gpd.GeoDataFrame:
    return small_facilities().assign(places=[12.0, 4.0, np.nan], unit=["a1", "a1", "a2"]).rename_axis("facility_id")


def before_times() -> TravelTimes:
    pairs = {0: {0: 5 * MINUTE, 1: 15 * MINUTE, 2: 15 * MINUTE + 1}, 1: {1: 10 * MINUTE}}
    return _times(town_facilities(), pairs, ["", "", "islet"])


def after_times() -> TravelTimes:
    # f1 closes and f4 opens 5 minutes from the third cell
    new = town_facilities().iloc[[1]].assign(name="{{7*7}}新园", unit="a2").set_axis(["f4"]).set_geometry([_at(250, 80)], crs=CRS)
    table = gpd.GeoDataFrame(pd.concat([town_facilities().iloc[1:], new]), crs=CRS).rename_axis("facility_id")
    return _times(table, {0: {1: 10 * MINUTE}, 2: {2: 5 * MINUTE}}, ["", "islet", ""])


def town_assignment(**changes: Any) -> SimpleNamespace:
    # nearest first: 10 of the first cell to f1, 4 of the second to f2, which is full, 2 more to f1, which then is full too;
    # the other 14 of the second cell find no place, the third cell is a millisecond beyond, the fourth cannot be judged
    cells = small_cells()
    links = pd.DataFrame(
        {
            "cell_id": [0, 1, 1],
            "facility_id": ["f1", "f2", "f1"],
            "people": [10.0, 4.0, 2.0],
            "cost": np.array([5, 10, 15]) * MINUTE,
        }
    )
    split = {
        "people": cells["p0_3"],
        "served": [10.0, 6.0, 0.0, 0.0],
        "no_place": [0.0, 14.0, 0.0, 0.0],
        "out_of_reach": [0.0, 0.0, 30.0, 0.0],
        "unjudged": [0.0, 0.0, 0.0, 40.0],
    }
    facilities = pd.DataFrame(
        {
            "places": [12.0, 4.0, np.nan],
            "served": [12.0, 4.0, 0.0],
            "spare": [0.0, 0.0, np.nan],
            "load": [1.0, 1.0, np.nan],
        },
        index=town_facilities().index,
    )
    given = {
        "links": links,
        "cells": pd.DataFrame(split, index=cells.index),
        "facilities": facilities,
        "group": "p0_3",
        "limit": 15 * MINUTE,
    }
    return SimpleNamespace(**(given | changes))


def town_links() -> SimpleNamespace:
    columns = {
        "name": [EVIL, "阳光{{7*7}}托育园"],
        "parent": ["f2", ""],
        "reason_zh": ["", "限值内没有上级设施"],
        "reason_en": ["", "no parent within the limit"],
    }
    lines = gpd.GeoDataFrame(
        {"child": ["f1"], "child_name": [EVIL], "parent": ["f2"], "parent_name": ["阳光{{7*7}}托育园"], "minutes": [12.0]},
        geometry=[LineString([_at(60, 20), _at(110, 0)])],
        crs=CRS,
    )
    return SimpleNamespace(links=pd.DataFrame(columns, index=["f1", "f2"]), lines=lines)


def town(**changes: Any) -> SimpleNamespace:
    return small_study(**({"facility_table": town_facilities()} | changes))


def town_change(**given: Any) -> Comparison:
    cells, units = small_cells(), small_units()
    return compare_runs(before_times(), after_times(), cells, units, minutes=15, group="p0_3", **given)


def places(path: Path, study: SimpleNamespace | None = None, **given: Any) -> Path:
    chosen = {"service": "childcare", "times": before_times(), "assignment": town_assignment()} | given
    return write_places_map(path, study or town(), **chosen)  # type: ignore[arg-type]


def changes(path: Path, study: SimpleNamespace | None = None, **given: Any) -> Path:
    chosen = {"service": "childcare", "before": before_times(), "after": after_times(), "change": town_change()} | given
    return write_change_map(path, study or town(), **chosen)  # type: ignore[arg-type]


def _access() -> Any:
    return floating_catchment(before_times(), small_cells(), group="p0_3", method="2sfca", minutes=15)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return places(tmp_path_factory.mktemp("places") / "full.html", access=_access(), hierarchy=town_links())


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return changes(tmp_path_factory.mktemp("change") / "change.html")


def _picture(layer: dict[str, Any], count: int) -> list[str]:
    """Read the colour in the middle of each of the town's cells off a painted layer, "" where it is clear."""
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(base64.b64decode(layer["png"].split(",")[1]))).convert("RGBA")
    (south, west), (north, east) = layer["bounds"]
    found = []
    for point in small_cells().to_crs("EPSG:4326").geometry[:count]:
        x = int((point.x - west) / (east - west) * image.width)
        y = int((north - point.y) / (north - south) * image.height)
        red, green, blue, alpha = image.getpixel((x, y))
        found.append(f"#{red:02x}{green:02x}{blue:02x}" if alpha else "")
    return found


# --- who has a place --------------------------------------------------------------------------------------------------


def test_the_sentence_gives_the_three_answers_with_their_denominator(full: Path) -> None:
    # 10 + 6 served, 14 in reach without a place, 30 beyond, 40 not judged, of 100
    expected = (
        "青湾 100 名3岁以下婴幼儿中，16 名（16.0%）15 分钟内有位，14 名（14.0%）走得到但没有空位，30 名（30.0%）走不到，"
        "40 名无法判断。"
    )

    assert expected in _read(full).words


def test_the_sentence_in_english_gives_the_three_answers(tmp_path: Path) -> None:
    words = _read(places(tmp_path / "en.html", lang="en")).words

    assert (
        "Of 100 children under 3 in 青湾, 16 (16.0%) have a place within 15 minutes, 14 (14.0%) could walk to one but find none "
        "free, 30 (30.0%) are out of reach, and 40 cannot be judged."
    ) in words
    assert "Childcare: who has a place, who has none" in words


def test_nobody_unjudged_is_not_mentioned(tmp_path: Path) -> None:
    cells = town_assignment().cells.assign(out_of_reach=[0.0, 0.0, 30.0, 40.0], unjudged=0.0)
    page = _read(places(tmp_path / "all.html", assignment=town_assignment(cells=cells)))

    assert next(word for word in page.words if word.startswith("青湾 100")).endswith("70 名（70.0%）走不到。")


def test_rounded_people_add_up_to_the_rounded_total() -> None:
    # 2.4 + 2.4 + 2.4 + 2.4 = 9.6: ten people; 2 served, as the facilities' own tables say; the first two others are rounded up
    assert Split(9.6, 2.4, 2.4, 2.4, 2.4).rounded == {"served": 2, "no_place": 3, "out_of_reach": 3, "unjudged": 2}
    # .71, .75, .32 and .68 of the demo's childcare: two of the four are rounded up, those with the largest remainders
    assert Split(2852.46, 670.71, 204.75, 1975.32, 1.68).rounded == {
        "served": 671, "no_place": 205, "out_of_reach": 1975, "unjudged": 1,
    }  # fmt: skip


def test_a_cell_takes_the_worse_of_two_equal_states_and_is_pale_below_three_quarters() -> None:
    table = pd.DataFrame(
        {
            "people": [4.0, 4.0, 4.0, 4.0, 0.0, 4.0],
            "served": [3.0, 2.9, 2.0, 0.0, 0.0, 0.0],
            "no_place": [1.0, 1.1, 2.0, 2.0, 0.0, 0.0],
            "out_of_reach": [0.0, 0.0, 0.0, 2.0, 0.0, 0.0],
            "unjudged": [0.0, 0.0, 0.0, 0.0, 0.0, 4.0],
        }
    )

    # exactly three quarters is full; 2 of 4 served and 2 without a place is "no place", pale; nobody lives in the fifth
    assert split_classes(table).tolist() == [1, 2, 4, 6, 0, 7]


def test_each_cell_is_painted_in_the_colour_of_its_state(full: Path) -> None:
    # served; 14 of 20 without a place is under three quarters: pale; out of reach; cannot be judged
    assert _picture(_read(full).data["layer_split"], 4) == ["#2b8a8c", "#f6dc98", "#cf5a24", "#9aa1a8"]


def test_units_tell_the_three_answers(full: Path) -> None:
    data = _read(full).data

    # 16 of 30 in the first community, nobody in the second; the third has no people
    assert data["layer_units3"]["tips"][0] == [
        "第一社区 · 社区",
        "30 名3岁以下婴幼儿",
        "有位 16（53.3%）",
        "走得到，无空位 14（46.7%）",
    ]
    assert data["layer_units3"]["classes"][1:] == [0, -1]
    assert data["layer_units3"]["tips"][2] == ["无人社区 · 社区", "无人口"]


def test_streets_are_listed_with_their_three_answers(full: Path) -> None:
    words = _read(full).words
    start = words.index("各街道、乡镇谁有位")

    assert words[start + 1 : start + 7] == ["东关街道", "100 人", "有位 16", "走得到，无空位 14", "走不到 30", "无法判断 40"]


def test_where_there_is_no_street_level_the_next_one_is_listed(tmp_path: Path) -> None:
    units = small_units().drop(index=["a", "b"]).assign(parent="")
    words = _read(places(tmp_path / "communities.html", town(units=units))).words
    start = words.index("各社区谁有位")

    # most people without a place first: 70 of the second community, 14 of the first
    assert [word for word in words[start:] if word in ("第一社区", "第二社区")][:2] == ["第二社区", "第一社区"]


# --- places within reach ----------------------------------------------------------------------------------------------


def test_places_within_reach_are_painted_and_named_by_their_method(full: Path) -> None:
    page = _read(full)
    layer = page.data["layer_access"]

    # f1: 12 places for 30 children is 0.4; f2: 4 for 20 is 0.2. The first cell finds 400, the second 600 per 1,000, the third 0;
    # fifths of 400 and 600 are 440, 480, 520 and 560, to hundreds 400, 500 and 600
    assert layer["breaks"] == [400.0, 500.0, 600.0]
    assert _picture(layer, 4) == ["#a8c4e2", "#4a7fb5", "#ddd8cf", ""]
    assert "两步移动搜索法（2SFCA）：附近的位置按争用人数分摊。" in page.words


def test_access_that_nobody_has_is_no_choice(tmp_path: Path) -> None:
    nothing = replace(_access(), access=_access().access * 0.0)
    page = _read(places(tmp_path / "none.html", access=nothing))

    assert "layer_access" not in page.data
    assert "access" not in _choices(page)


def _choices(page: _Page) -> list[str | None]:
    return [attrs["value"] for tag, attrs in page.tags if tag == "input" and attrs.get("type") == "radio"]


def test_one_colouring_is_chosen_at_a_time_and_who_has_a_place_comes_first(full: Path) -> None:
    page = _read(full)

    assert _choices(page) == ["split", "access", "2", "3", "population", ""]
    assert [attrs["value"] for _, attrs in page.tags if attrs.get("type") == "radio" and "checked" in attrs] == ["split"]


# --- facilities -------------------------------------------------------------------------------------------------------


def test_a_facility_is_sized_by_places_and_coloured_by_load(full: Path) -> None:
    layer = _read(full).data["layer_places"]

    # the largest has 15 pixels; a third of its places is a radius smaller by the root of three; unknown is the smallest
    assert layer["radii"] == [15.0, pytest.approx(15 / 3**0.5, abs=0.05), 3.0]
    assert layer["classes"] == [4, 4, 0]


def test_a_facility_tells_places_and_those_who_wait(full: Path) -> None:
    tips = _read(full).data["layer_places"]["tips"]

    # within 15 minutes of f1 live 10 + 20, of whom 14 find no place; a millisecond more does not count
    assert tips[0] == [EVIL, "托育机构", "12 位，已用 12（100.0%）", "可达范围内 30 人", "其中 14 人到处无空位"]
    assert tips[2][2:] == ["位数不详", "可达范围内 0 人"]


@pytest.mark.parametrize(
    ("load", "kind"), [(np.nan, 0), (0.0, 1), (0.4999, 1), (0.5, 2), (0.8, 3), (0.999, 3), (1.0, 4), (1.0001, 4), (1.01, 5)]
)
def test_loads_part_at_half_four_fifths_and_full(load: float, kind: int) -> None:
    assert load_class(load) == kind


def test_an_over_full_facility_is_marked_and_leads_the_list(tmp_path: Path) -> None:
    loads = town_assignment().facilities.assign(served=[9.0, 6.0, 0.0], spare=[3.0, -2.0, np.nan], load=[0.75, 1.5, np.nan])
    page = _read(places(tmp_path / "over.html", assignment=town_assignment(facilities=loads)))
    words = page.words
    start = words.index("各设施负荷")

    assert page.data["layer_places"]["classes"] == [2, 5, 0]
    assert "3 处，超员 1 处" in words
    # what one has free is not set off against what another takes too many
    assert "2 处设施共 16 位：已用 15 位，空余 3 位。" in words
    assert "超员设施多收 2 人。" in words
    assert [word for word in words[start:] if word in ("超员", "75%", "位数不详")] == ["超员", "75%", "位数不详"]
    assert "6 / 4" in words


def test_the_panel_says_how_many_places_there_are_and_how_far_they_go(full: Path) -> None:
    words = _read(full).words

    # 16 places for the 30 children in reach is 53 for every 100
    assert "2 处设施共 16 位：已用 16 位，空余 0 位。" in words
    assert "1 处位数不详，未计入。" in words
    assert "每 100 名走得到的人有 53 位。" in words


def test_of_equally_full_facilities_the_one_where_most_people_wait_comes_first() -> None:
    table = town_facilities().assign(served=[12.0, 4.0, 0.0], load=[1.0, 1.0, np.nan], waiting=[3.0, 14.0, 0.0])

    assert [row["place"] for row in facility_rows(table, None, SCOPE)] == [1, 0, 2]
    assert [row["state"] for row in facility_rows(table, None, SCOPE)] == ["满", "满", "位数不详"]


def test_a_long_list_is_cut_to_its_two_ends() -> None:
    listed: list[dict[str, object]] = [{"place": place} for place in range(100)]
    (top, fullest), (end, emptiest) = facility_lists(listed, SCOPE)

    assert (top, end) == ("负荷最高的 40 处，共 100 处", "负荷最低的 15 处")
    assert [fullest[0]["place"], fullest[-1]["place"], emptiest[0]["place"]] == [0, 39, 85]
    assert facility_lists(listed[:55], SCOPE) == [("", listed[:55])]


def test_the_legend_of_sizes_uses_round_numbers_and_is_left_out_where_places_are_unknown() -> None:
    table = town_facilities().assign(places=[83.0, 20.0, np.nan])

    # 80 is the largest round number below 83: a tenth, a third and all of it, at 15 pixels for 83
    assert [label for *_, label in size_legend(table)] == ["8", "27", "80"]
    assert size_legend(table)[2][0] == pytest.approx(15 * (80 / 83) ** 0.5, abs=0.05)
    assert size_legend(table.assign(places=np.nan)) == []


# --- links ------------------------------------------------------------------------------------------------------------


def test_links_come_back_facility_by_facility_with_their_people(full: Path) -> None:
    links = _read(full).data["layer_places"]["links"]

    assert _ints(links["n"]) == [2, 1, 0]
    # f1 takes from the first and the second of the two cells, f2 from the second; steps start anew with each facility
    assert _ints(links["cell"]) == [0, 1, 1]
    assert _ints(links["people"]) == [10, 2, 4]
    assert len(_lines(links["cells"])) == 2


def test_links_of_unknown_cells_or_facilities_are_not_drawn_and_parts_of_a_person_count_as_one() -> None:
    links = pd.DataFrame({"cell_id": [3, 99, 0], "facility_id": ["f2", "f1", "gone"], "people": [0.3, 5.0, 5.0]})
    block = links_block(links, pd.Index(["f1", "f2"]), small_cells())

    assert _ints(str(block["n"])) == [0, 1]
    assert _ints(str(block["people"])) == [1]


def test_all_links_can_be_shown_unless_there_are_too_many(tmp_path: Path, full: Path) -> None:
    many = pd.concat([town_assignment().links] * (LINES_AT_ONCE // 3 + 1))
    page = _read(places(tmp_path / "many.html", links=many))

    assert "spider" in _boxes(_read(full))
    assert "spider" not in _boxes(page)
    told = "满员 2 处；未满 0 处，共空余 0 位。点选设施可看它接收哪些格的人；共 5,001 条连线，全部画出无法辨认。"
    assert told in page.words


def _boxes(page: _Page) -> list[str | None]:
    return [attrs["data-layer"] for tag, attrs in page.tags if tag == "input" and "data-layer" in attrs]


# --- levels -----------------------------------------------------------------------------------------------------------


def test_links_between_levels_and_facilities_without_parent_are_drawn(full: Path) -> None:
    page = _read(full)
    layer = page.data["layer_hierarchy"]

    assert layer["tips"] == [[f"{EVIL} → 阳光{{{{7*7}}}}托育园", "12 分钟"]]
    assert layer["orphan_tips"] == [["阳光{{7*7}}托育园", "没有上级设施", "限值内没有上级设施"]]
    assert len(_lines(layer["lines"])) == len(_lines(layer["orphans"])) == 1
    assert "1 条，1 处无上级（虚线圈）" in page.words


def test_a_whole_hierarchy_names_the_level_of_each_link_and_measures_in_metres(tmp_path: Path) -> None:
    one = town_links()
    lines = one.lines.rename(columns={"minutes": "metres"}).assign(level="village", metres=[1250.0])
    page = _read(places(tmp_path / "levels.html", hierarchy=SimpleNamespace(links={"village": one}, lines=lines)))

    assert page.data["layer_hierarchy"]["tips"][0][1:] == ["村", "1,250 米"]
    assert len(page.data["layer_hierarchy"]["orphan_tips"]) == 1


# --- who gains, who loses ---------------------------------------------------------------------------------------------


def test_the_sentence_of_a_change_gives_before_and_after_with_their_denominators(changed: Path) -> None:
    # before the cells of 10 and 20 are in reach, after those of 20 and 30; the 40 of the last cell cannot be judged
    expected = (
        "变化后，青湾 100 名3岁以下婴幼儿中 50 名（50.0%）15 分钟内可到托育服务；原为 100 名中 30 名（30.0%）。"
        "30 名新增可达，10 名不再可达，40 名无法判断。"
    )

    assert expected in _read(changed).words
    assert "+20" in _read(changed).words


def test_the_sentence_of_a_change_in_english(tmp_path: Path) -> None:
    words = _read(changes(tmp_path / "en.html", lang="en")).words

    assert (
        "After the change, 50 of 100 children under 3 in 青湾 (50.0%) are within 15 minutes of childcare; before, 30 of 100 "
        "(30.0%). 30 gain reach, 10 lose it, and 40 cannot be judged."
    ) in words


def test_time_saved_is_told_over_those_whose_time_is_known_in_both(changed: Path) -> None:
    # the third cell saves 10 minutes, the second none: 30 × 10 / 50; the first cell's time after is not known
    assert "前后均知时间的 50 名，平均少走 6.0 分钟。" in _read(changed).words


def test_people_who_came_are_told_apart_from_reach_gained(tmp_path: Path) -> None:
    later = small_cells().assign(p0_3=[10.0, 26.0, 30.0, 40.0])
    page = _read(changes(tmp_path / "later.html", change=town_change(cells_after=later)))

    # 56 in reach after, 30 before: +26, of which access explains 30 − 10 and the six who came the rest
    assert "另因人口变动 +6 名。" in page.words
    assert "原为 100 名中 30 名（30.0%）" in page.text
    assert "+26" in page.words


def test_cells_that_gain_are_blue_and_cells_that_lose_orange_darker_where_more_people_live(changed: Path) -> None:
    # thirds of 10 and 30 people are near 17 and 23; the 10 are below both, the 30 above both
    assert people_breaks(town_change()) == [17.0, 23.0]
    assert _picture(_read(changed).data["layer_change"], 4) == ["#f3c3a6", "#c9d3d0", "#1f5490", "#9aa1a8"]


def test_no_gain_and_no_loss_is_a_page_too(tmp_path: Path) -> None:
    same = compare_runs(before_times(), before_times(), small_cells(), small_units(), minutes=15, group="p0_3")
    page = _read(changes(tmp_path / "same.html", after=before_times(), change=same))

    assert people_breaks(same) == []
    assert "layer_moved" not in page.data
    assert "0" in page.words
    # only the heads of the table's columns, neither bar nor legend
    assert (page.words.count("新增可达"), page.words.count("不再可达")) == (1, 1)
    assert "平均" not in page.text


def test_a_longer_walk_is_told_as_longer(tmp_path: Path) -> None:
    swapped = compare_runs(after_times(), before_times(), small_cells(), small_units(), minutes=15, group="p0_3")
    page = _read(changes(tmp_path / "back.html", before=after_times(), after=before_times(), change=swapped))

    assert "前后均知时间的 50 名，平均多走 6.0 分钟。" in page.words
    assert "−20" in page.words


def test_minutes_saved_are_painted_where_they_are_known(changed: Path) -> None:
    # unknown after; unchanged; a millisecond more than 10 minutes saved; unknown
    assert _picture(_read(changed).data["layer_saved"], 4) == ["", "#e4e0d9", "#1f5490", ""]


def test_changes_by_length_are_told_in_metres(tmp_path: Path) -> None:
    def by_length(times: TravelTimes) -> TravelTimes:
        nearest = times.nearest_cost // 60
        return replace(times, metric="length", cost=times.cost // 60, nearest_cost=nearest, limit=times.limit // 60)

    before, after = by_length(before_times()), by_length(after_times())
    change = compare_runs(before, after, small_cells(), small_units(), metres=15, group="p0_3")
    page = _read(changes(tmp_path / "metres.html", before=before, after=after, change=change))

    assert "15 米内可到托育服务" in page.text
    assert "前后均知距离的 50 名，平均少走 6 米。" in page.words
    assert "步行不超过" not in page.text


def test_what_opened_and_what_closed_is_marked_and_listed(changed: Path) -> None:
    page = _read(changed)
    layer = page.data["layer_moved"]

    assert layer["kinds"] == ["new", "closed"]
    assert layer["names"] == ["新增: {{7*7}}新园", f"关闭: {EVIL}"]
    assert "新增 1，关闭 1" in page.words
    assert len(page.data["layer_facilities"]["tips"]) == 2


def test_units_are_listed_by_the_people_who_gain_or_lose(changed: Path) -> None:
    page = _read(changed)
    start = page.words.index("各街道、乡镇的变化")

    assert page.words[start + 1 : start + 6] == ["单元", "原", "后（±百分点）", "新增可达", "不再可达"]
    assert page.words[start + 6 : start + 12] == ["东关街道", "30.0%", "50.0%", "+20.0", "+30", "−10"]


def test_units_are_shaded_by_percentage_points(changed: Path) -> None:
    communities = _read(changed).data["layer_units3"]

    # the first loses 10 of 30 children, 33 points; the second gains 30 of 70, 43 points; nobody lives in the third
    assert communities["classes"] == [0, 6, -1]
    assert communities["tips"][0] == ["第一社区 · 社区", "100.0% → 66.7%", "新增可达 0，不再可达 10"]


@pytest.mark.parametrize(("after", "kind"), [(40.0, 3), (40.6, 4), (45.0, 5), (60.0, 6), (39.4, 2), (34.9, 1), (19.9, 0)])
def test_classes_of_points_part_at_a_half_five_and_twenty(after: float, kind: int) -> None:
    row = {"covered_before": 40.0, "people_before": 100.0, "covered_after": after, "people": 100.0, "gain": 0.0, "lose": 0.0}

    assert point_shade({"a": row}, SCOPE)("a", {"name": "东关", "level": "street"})[0] == kind


def test_signs_are_written_out() -> None:
    assert [signed(value) for value in (12_345.4, -0.4, -12.0)] == ["+12,345", "0", "−12"]


# --- both pages -------------------------------------------------------------------------------------------------------


def test_an_assignment_of_other_cells_or_facilities_is_refused(tmp_path: Path) -> None:
    other = town_assignment(cells=town_assignment().cells.head(3), facilities=town_assignment().facilities.head(2))
    times = replace(before_times(), cell_ids=pd.RangeIndex(5))

    with pytest.raises(ValueError, match=r"^the assignment does not fit: its 3 cells are not the 4 cells of the study; ") as told:
        places(tmp_path / "map.html", assignment=other, times=times)
    assert "the travel times are for 5 other cells; its facilities are not those of the travel times" in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_runs_on_other_cells_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^the runs do not fit the 4 cells of the study: after is for 5 other cells; compute"):
        changes(tmp_path / "map.html", after=replace(after_times(), cell_ids=pd.RangeIndex(5)))
    assert list(tmp_path.iterdir()) == []


def test_pages_without_units_or_grid_still_show_cells(tmp_path: Path) -> None:
    study = town(units=None, population=SimpleNamespace(grid=None, cells=small_cells()), streets=None)
    first, second = _read(places(tmp_path / "places.html", study)), _read(changes(tmp_path / "change.html", study))

    assert first.data["layer_split"]["classes"] == [0, 3, 4, 6]
    assert second.data["layer_change"]["classes"] == [3, 6, 2, 8]
    assert not [key for page in (first, second) for key in page.data if key.startswith("layer_units")]


@pytest.mark.parametrize("write", [places, changes])
def test_the_same_input_gives_the_same_bytes_and_inputs_are_left_alone(write: Callable[..., Path], tmp_path: Path) -> None:
    study = town()
    one, two = write(tmp_path / "one.html", study), write(tmp_path / "two.html", study)

    assert one.read_bytes() == two.read_bytes()
    pd.testing.assert_frame_equal(pd.DataFrame(study.cells), pd.DataFrame(small_cells()))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one.html", "two.html"]


@pytest.mark.parametrize("page", ["full", "changed"])
def test_names_from_data_are_never_markup_nor_templates(page: str, request: pytest.FixtureRequest) -> None:
    html = request.getfixturevalue(page).read_text(encoding="utf-8")

    assert EVIL not in html
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "49" not in re.findall(r"阳光(.*?)托育园", html)


@pytest.mark.parametrize("page", ["full", "changed"])
def test_the_pages_link_to_nothing(page: str, request: pytest.FixtureRequest) -> None:
    found = _read(request.getfixturevalue(page))

    assert [link for link in found.links if not link.startswith(("#", "data:"))] == []
    assert [url for url in re.findall(r"url\(([^)]*)\)", found.styles) if not url.startswith("data:")] == []


@pytest.mark.parametrize("page", ["full", "changed"])
def test_no_english_is_left_in_the_chinese_panels(page: str, request: pytest.FixtureRequest) -> None:
    text = _read(request.getfixturevalue(page)).text.replace(WALK_TODDLER.source, "").replace(EVIL, "")

    assert set(re.findall(r"[A-Za-z]{4,}", text)) <= {"elder", "care", "xlsx", "SFCA"}


def test_every_text_has_the_same_gaps_to_fill_in_both_languages() -> None:
    def holes(text: str) -> list[str]:
        return sorted(re.findall(r"\{[^}]*\}", text))

    assert [key for texts in (PLACES, CHANGES) for key, (zh, en) in texts.items() if holes(zh) != holes(en)] == []


# --- gaps by metres on the first map ----------------------------------------------------------------------------------


def test_gaps_by_metres_tell_metres(tmp_path: Path) -> None:
    gaps = small_gaps().rename(columns={"minutes_nearest": "metres_nearest"}).assign(metres_nearest=[1250.4, np.nan])
    zh = _write(tmp_path / "zh.html", gaps=gaps).data["layer_gaps"]["tips"]
    en = _write(tmp_path / "en.html", gaps=gaps, lang="en").data["layer_gaps"]["tips"]

    assert zh[0][2] == f"到最近设施平均步行 1,250 米：{EVIL}"
    assert en[0][2] == f"1,250 m on foot on average to the nearest facility: {EVIL}"
    assert zh[1][2] == "沿道路到不了任何设施"


def test_gaps_that_do_not_say_how_far_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^gaps: no column 'minutes_nearest' or 'metres_nearest'; make the table with careshed"):
        _write(tmp_path / "map.html", gaps=small_gaps().drop(columns="minutes_nearest"), times=small_times())
    assert list(tmp_path.iterdir()) == []


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture
def visit(browser: Browser, full: Path) -> Iterator[Visit]:  # noqa: F811
    opened = Visit(browser, full, DESKTOP)
    yield opened
    opened.context.close()


@in_browser
@pytest.mark.parametrize("page", ["full", "changed"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_pages_ask_for_nothing_complain_of_nothing_and_can_be_used_by_all(
    page: str,
    size: dict[str, int],
    browser: Browser,  # noqa: F811
    request: pytest.FixtureRequest,
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    path = request.getfixturevalue(page)
    visit = Visit(browser, path, size)
    visit.page.evaluate("document.querySelector('details').open = true")
    serious = [one for one in axe.Axe().run(visit.page).response["violations"] if one["impact"] in ("serious", "critical")]

    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious] == []
    assert visit.requests == [path.as_uri()]
    assert visit.complaints == []
    assert visit.page.evaluate("document.documentElement.scrollWidth") == size["width"]
    visit.context.close()


def _shown(visit: Visit) -> dict[str, bool]:
    return dict(visit.page.evaluate("Object.entries(careshed.choropleths).map(([k, v]) => [k, careshed.map.hasLayer(v)])"))


def _lines_shown(visit: Visit) -> int:
    """Lines from a chosen facility now on the map, ends and casing left out."""
    script = """() => {
        let n = 0;
        careshed.map.eachLayer(l => {
            if (l.options.pane === 'strands' && l instanceof L.Polyline && l.options.color !== '#fff') n += l.getLatLngs().length;
        });
        return n;
    }"""
    return int(visit.page.evaluate(script))


@in_browser
def test_the_page_opens_with_who_has_a_place_and_its_legend(visit: Visit) -> None:
    shown = _shown(visit)

    assert [key for key, on in shown.items() if on] == ["split"]
    assert visit.page.locator("[data-for=split]").is_visible()
    assert not visit.page.locator("[data-for=access]").is_visible()
    assert visit.page.locator(".leaflet-places-pane path").count() == 3
    assert not visit.has("spider")


@in_browser
def test_colourings_replace_one_another_by_keyboard(visit: Visit) -> None:
    visit.page.locator("input[value=split]").focus()
    visit.page.keyboard.press("ArrowRight")

    assert [key for key, on in _shown(visit).items() if on] == ["access"]
    assert visit.page.locator("[data-for=access]").is_visible()
    visit.page.locator("input[name=choropleth][value=population]").check()
    assert [key for key, on in _shown(visit).items() if on] == ["population"]
    visit.page.locator("input[name=choropleth][value='']").check()
    assert not any(_shown(visit).values())


@in_browser
def test_choosing_a_facility_in_the_list_flies_there_and_shows_whom_it_takes(visit: Visit) -> None:
    assert _lines_shown(visit) == 0
    visit.page.locator("[data-facility='0']").focus()
    assert _lines_shown(visit) == 2
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(".leaflet-popup")
    visit.page.locator("[data-facility='0']").blur()

    assert "12 位，已用 12（100.0%）" in visit.page.locator(".leaflet-popup").inner_text()
    assert _lines_shown(visit) == 2
    visit.page.evaluate("careshed.map.closePopup()")
    assert _lines_shown(visit) == 0


CIRCLES = "const C = []; careshed.map.eachLayer(l => { if (l.options.pane === 'places' && l.getRadius) C.push(l); });"
LARGEST = f"{CIRCLES} C.sort((a, b) => b.getRadius() - a.getRadius());"


@in_browser
def test_pointing_at_a_facility_on_the_map_shows_whom_it_takes(visit: Visit) -> None:
    visit.page.evaluate(f"() => {{ {LARGEST} C[0].fire('mouseover'); }}")
    assert _lines_shown(visit) == 2
    visit.page.evaluate(f"() => {{ {LARGEST} C[0].fire('mouseout'); }}")
    assert _lines_shown(visit) == 0


@in_browser
def test_circles_and_their_legend_shrink_together_from_afar(visit: Visit) -> None:
    def sizes() -> tuple[float, float]:
        samples = "[...document.querySelectorAll('.sizes circle')].map(c => Number(c.getAttribute('r')))"
        circle, sample = visit.page.evaluate(f"() => {{ {LARGEST} return [C[0].getRadius(), Math.max(...{samples})]; }}")
        return circle, sample

    near = sizes()
    visit.page.evaluate("careshed.map.setZoom(10, {animate: false})")
    far = sizes()

    assert far[0] < near[0]
    assert far[1] / near[1] == pytest.approx(far[0] / near[0])


@in_browser
def test_all_links_levels_and_units_can_be_shown(visit: Visit) -> None:
    visit.page.locator("[data-layer=spider]").check()
    assert visit.has("spider")
    assert visit.has("hierarchy")
    assert visit.page.locator(".leaflet-orphans-pane path").count() == 1
    before = visit.state()
    visit.page.evaluate("careshed.map.setView([0, 0], 5, {animate: false})")
    visit.page.locator("[data-unit='0']").click()
    visit.page.wait_for_timeout(1500)  # the flight takes a second

    assert visit.state()[:2] == pytest.approx(before[:2], abs=0.01)
    assert visit.complaints == []


@in_browser
def test_a_change_opens_with_gains_and_losses_and_flies_to_what_moved(browser: Browser, changed: Path) -> None:  # noqa: F811
    visit = Visit(browser, changed, DESKTOP, reduced_motion="reduce")
    assert [key for key, on in _shown(visit).items() if on] == ["change"]
    assert visit.page.locator(".leaflet-moved-pane .badge-pin").count() == 2
    assert visit.page.locator(".badge-pin[aria-label='新增: {{7*7}}新园']").count() == 1
    visit.page.locator("[data-moved='1']").focus()
    visit.page.keyboard.press("Enter")

    assert "关闭" in visit.page.locator(".leaflet-popup").inner_text()
    assert visit.page.locator("img[src=x]").count() == 0
    assert visit.complaints == []
    visit.context.close()


@in_browser
def test_the_demos_change_by_its_own_plan_is_small_and_opens_without_complaint(
    demo: RunResult,
    browser: Browser,  # noqa: F811
    tmp_path: Path,
) -> None:
    result = demo.services[0]
    after = plan_times(result.times, result.options, result.plan)
    told = {"minutes": result.service.within_minutes, "group": result.service.group}
    change = compare_runs(result.times, after, demo.study.cells, demo.study.units, **told)
    given = {"service": result.service.id, "before": result.times, "after": after, "change": change}
    path = write_change_map(tmp_path / "demo.html", demo.study, **given)
    visit = Visit(browser, path, DESKTOP)

    assert path.stat().st_size < 3e6
    assert visit.page.locator(".badge-pin").count() == len(result.plan.sites)
    # nobody loses by a plan that only builds, and the gain is the plan's own
    gained = result.plan.people_covered_after - result.plan.people_covered_before
    assert f"+{gained:,.0f}" in visit.page.inner_text("#head")
    assert visit.requests == [path.as_uri()]
    assert visit.complaints == []
    visit.context.close()
