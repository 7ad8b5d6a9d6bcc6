"""The what-if page from Python's side: packing that loses nothing, lists read back, and a choice counted from its own sites."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from plan_town import CANDIDATES, STUDY, write_town
from typer.testing import CliRunner

from careshed.access import coverage
from careshed.cli import app
from careshed.maps.whatif import TooLarge, write_whatif
from careshed.maps.whatif.deck import nearest_only
from careshed.maps.whatif.ground import cell_shape
from careshed.maps.whatif.packing import islet_groups, limit_classes, offered_limits, packed_people
from careshed.modes import WALK_OLDER
from careshed.reach import TravelTimes
from careshed.run.whatif import whatif_page
from careshed.schema import Grid, InputError
from careshed.siting import rank_sites
from careshed.siting.choice import SiteList, evaluate_choice, money_of, read_site_list, site_money
from careshed.siting.choice.telling import agrees, evaluation_lines
from careshed.siting.studying import plan_study
from careshed.study import open_study

EVIL = "<img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://x")'

# Subsidies of 2,000 yuan a place for new buildings and 500 for extensions; schools are extensions.
PLAN = """
id = "one"
service = "day_care"
at_most = 2
[plan.build]
"闲置校舍" = "extension"
[[plan.subsidy]]
yuan = 2000
[[plan.subsidy]]
yuan = 500
build = "extension"
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The one-street town with its travel times, ranked sites and the file it comes from."""
    path = write_town(tmp_path_factory.mktemp("town"), PLAN, study=STUDY.replace("minutes = [11]", "minutes = [5, 11]"))
    study = open_study(path)
    times = study.times("day_care", study.facilities("day_care"), limit_min=11)
    options = study.times("day_care", study.candidates("day_care"), limit_min=11)
    plan = rank_sites(options, study.cells, existing=times, minutes=11, group="p60", n=1, units=study.units)
    return SimpleNamespace(path=path, study=study, times=times, options=options, plan=plan)


def page_of(town: SimpleNamespace, path: Path, **changes: Any) -> Path:
    given = {"service": "day_care", "times": town.times, "options": town.options, "plan": town.plan}
    return write_whatif(path, town.study, **(given | changes))


def data_of(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="\w*whatif\w*">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])  # type: ignore[no-any-return]


def unpacked(text: str) -> list[int]:
    """Read what `careshed.maps.encode.packed` writes, by its description."""
    raw = zlib.decompress(base64.b64decode(text[1:]), -15) if text.startswith("~") else base64.b64decode(text)
    values, value, shift = [], 0, 0
    for byte in raw:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values.append(value >> 1 if value % 2 == 0 else -(value + 1) // 2)
            value, shift = 0, 0
    return values


def people_of(packed: dict[str, Any]) -> np.ndarray:
    if packed["kind"] == "parts":
        return np.array(unpacked(packed["d"])) / packed["scale"]
    return np.frombuffer(base64.b64decode(packed["d"]), dtype=f"<{packed['kind']}").astype(np.float64)


# ---- packing


@pytest.mark.parametrize(
    ("people", "kind"),
    [
        ([0.0, 3.0, 41.0], "parts"),
        ([0.25, 12.5, 7.125] * 40, "parts"),
        ((np.random.default_rng(1).random(400) * 90).astype(np.float32).astype(float), "f4"),
        (np.random.default_rng(2).random(400) * 90, "f8"),
    ],
)
def test_people_come_back_to_the_last_bit(people, kind):
    packed = packed_people(np.array(people))

    assert packed["kind"] == kind
    assert np.array_equal(people_of(packed), np.array(people))


def test_a_class_says_exactly_whether_a_cost_is_within_each_limit():
    limits = [1.0, 2.5, 7.0, 15.0]
    random = np.random.default_rng(3)
    edges = [round(minutes * 60_000) + step for minutes in limits for step in (-1, 0, 1)]
    cost = np.concatenate([random.integers(0, 1_000_000, 500), edges, [0]]).astype(np.uint32)

    classes = limit_classes(cost, limits)

    for place, minutes in enumerate(limits):
        assert np.array_equal(classes <= place, cost <= round(minutes * 60_000))


def test_limits_are_whole_minutes_and_those_of_the_service_up_to_what_was_searched():
    assert offered_limits([7.5, 20], 600_000) == [1, 2, 3, 4, 5, 6, 7, 7.5, 8, 9, 10]
    assert offered_limits([], 30_000) == [0.5]  # nothing whole within half a minute: what was searched itself
    many = offered_limits([15], 600 * 60_000)
    assert len(many) < 255  # ten hours: every fifth minute, and the service's own
    assert {5.0, 15.0, 600.0} <= set(many)


def matrix(rows: list[dict[int, int]], fault: list[str], limit: int = 600_000) -> TravelTimes:
    """Travel times written out: of each facility the cells it reaches, with the cost."""
    cells = len(fault)
    places = gpd.GeoDataFrame(
        {"name": [f"s{i}" for i in range(len(rows))]}, geometry=gpd.points_from_xy([0.0] * len(rows), [0.0] * len(rows))
    )
    near = [min(((row[c], i) for i, row in enumerate(rows) if c in row), default=(-1, -1)) for c in range(cells)]
    return TravelTimes(
        facilities=places,
        cell_ids=pd.RangeIndex(cells),
        indptr=np.cumsum([0, *map(len, rows)]),
        indices=np.array([c for row in rows for c in sorted(row)], dtype=np.int32),
        cost=np.array([row[c] for row in rows for c in sorted(row)], dtype=np.uint32),
        nearest_cost=np.array([cost for cost, _ in near], dtype=np.int64),
        nearest_facility=np.array([i for _, i in near], dtype=np.int32),
        cell_fault=np.array(fault),
        facility_fault=np.full(len(rows), ""),
        metric="time",
        limit=limit,
        direction="to_facility",
        mode=WALK_OLDER,
        snap_m=150.0,
    )


def test_a_cell_on_an_islet_can_be_judged_once_a_site_of_its_islet_is_open():
    # cells 0 main, 1 and 2 on one islet with candidates 0 and 1, 3 far from streets, 4 on an islet with facility 1 alone,
    # 5 on an islet nobody serves
    times = matrix([{0: 5}, {4: 7}], ["", "islet", "islet", "far", "", "islet"])
    options = matrix([{1: 5, 2: 6}, {2: 9}], ["", "", "", "far", "islet", "islet"])

    code, groups = islet_groups(times, options)

    assert groups == [[2, 3], [1]]  # candidates follow the two facilities
    assert code.tolist() == [0, 2, 2, 1, 3, 1]


def test_without_islets_nobody_waits_for_a_site():
    times = matrix([{0: 5}], ["", "barrier"])

    assert [part if isinstance(part, list) else part.tolist() for part in islet_groups(times, times)] == [[0, 1], []]


def test_the_nearest_facility_alone_tells_who_is_in_reach_while_all_are_open():
    times = matrix([{0: 5, 1: 400_000}, {0: 3, 1: 9, 2: 7}, {2: 7}], ["", "", "", ""])

    thin = nearest_only(times)

    assert thin.pairs == 3
    assert [thin.indices[a:b].tolist() for a, b in zip(thin.indptr, thin.indptr[1:], strict=False)] == [[], [0, 1, 2], []]
    assert thin.cost.tolist() == [3, 9, 7]


def test_cells_of_a_grid_are_squares_turned_as_the_grid_and_others_are_dots(town):
    cells = town.study.cells
    grid = Grid(str(cells.crs), (100.0, 0, 500_000, 0, -100.0, 3_900_000), (9, 9))

    square = cell_shape(cells.assign(row=0, col=range(len(cells))), grid)
    dots = cell_shape(cells, None)

    # 100 m at 35.24° north are 100 / cos(35.24°) = 122.4 m of the web map, times UTM's 0.9996 the other way
    assert square["square"] is True
    assert square["width"] == pytest.approx(122.4, abs=0.5)
    assert abs(float(str(square["turn"]))) < 0.01
    assert dots["square"] is False
    assert dots["width"] == pytest.approx(600 * 1.224, rel=0.01)  # cells stand 600 m apart along the street


# ---- the page's data


def test_the_page_holds_all_that_python_counts_with(town, tmp_path):
    data = data_of(page_of(town, tmp_path / "page.html"))

    assert data["limits"] == [float(minute) for minute in range(1, 12)]
    assert [data["limits"][at] for at in data["marks"]] == [5, 11]
    assert data["limits"][data["start"]] == 11
    assert data["sites"]["ids"] == ["E", "X", "Y", "Z", "W"]
    assert data["sites"]["cost"] == [None, 1_000_000, 400_000, 600_000, 300_000]
    # X: a school of 20 places is an extension, 20 × 500; Y, Z: new, 10 and 20 × 2,000; W: a school, 8 × 500
    assert data["sites"]["net"] == [None, 990_000, 380_000, 560_000, 296_000]
    assert people_of(data["groups"][0]).tolist() == [100, 60, 80, 40, 50, 30]
    # E reaches 2 cells within 11 minutes (660 m), X 3, Y 3, Z 2, W 1
    assert unpacked(data["pairs"]["n"]) == [2, 3, 3, 2, 1]
    assert data["plan"]["sites"] == [2]  # Y reaches most, 170
    assert data["plan"]["bound"] == 330


def test_the_same_study_gives_the_same_bytes(town, tmp_path):
    first, second = (page_of(town, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))

    assert first == second


def test_a_page_that_grows_too_large_gives_up_switching_facilities_and_then_is_not_written(town, tmp_path):
    plenty = data_of(page_of(town, tmp_path / "page.html"))
    assert plenty["switchable"] is True
    # thirty stations that reach everybody: 180 pairs, of which 6 suffice
    crowd = replace(
        town.times,
        facilities=gpd.GeoDataFrame(pd.concat([town.times.facilities] * 30).set_axis([f"E{i}" for i in range(30)])),
        indptr=np.arange(0, 181, 6),
        indices=np.tile(np.arange(6, dtype=np.int32), 30),
        cost=np.arange(180, dtype=np.uint32) * 3000 + 7,
        nearest_cost=np.arange(6, dtype=np.int64) * 3000 + 7,
        nearest_facility=np.zeros(6, dtype=np.int32),
        facility_fault=np.full(30, ""),
    )
    whole = page_of(town, tmp_path / "whole.html", times=crowd)
    parts = re.findall(r'<script type="application/json" id="(?!care_settings)[^>]*>(.*?)</script>', whole.read_text("utf-8"))
    room = sum(map(len, parts))

    thin = data_of(page_of(town, tmp_path / "thin.html", times=crowd, most_bytes=room - 20))
    assert thin["switchable"] is False
    assert data_of(whole)["switchable"] is True
    assert sum(unpacked(thin["pairs"]["n"])[:30]) == 6

    with pytest.raises(TooLarge, match="was not written") as error:
        page_of(town, tmp_path / "none.html", most_bytes=500)
    assert "未写出" in error.value.zh
    assert not (tmp_path / "none.html").exists()


def test_a_run_tells_of_a_page_that_is_too_large_and_takes_an_old_one_away(town, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "careshed.run.whatif.write_whatif", lambda *_, **__: (_ for _ in ()).throw(TooLarge(30_000_000, 20_000_000))
    )
    (tmp_path / "day_care_whatif.html").write_text("old", encoding="utf-8")
    result = SimpleNamespace(service=town.study.service("day_care"), times=town.times, options=town.options, plan=town.plan)

    files, told = whatif_page(tmp_path, town.study, result, "zh")

    assert files == ()
    assert [fault.text("en") for fault in told] == [TooLarge(30_000_000, 20_000_000).en]
    assert not (tmp_path / "day_care_whatif.html").exists()
    bare = replace(town.options, facilities=town.options.facilities.iloc[:0])
    assert whatif_page(tmp_path, town.study, SimpleNamespace(**(vars(result) | {"options": bare})), "zh") == ((), ())


def test_travel_by_metres_or_to_other_cells_is_refused(town, tmp_path):
    with pytest.raises(ValueError, match="times: a what-if page counts by minutes"):
        page_of(town, tmp_path / "x.html", times=replace(town.times, metric="length"))
    with pytest.raises(ValueError, match="options: the travel times are for other cells"):
        page_of(town, tmp_path / "x.html", options=replace(town.options, cell_ids=pd.RangeIndex(100, 106)))


def test_a_page_without_a_plan_opens_with_nothing_chosen(town, tmp_path):
    page = page_of(town, tmp_path / "page.html", plan=None, lang="en")

    assert data_of(page)["plan"] is None
    assert 'id="w_take"' not in page.read_text(encoding="utf-8")


# ---- money


def test_subsidies_are_those_that_the_plan_itself_would_pay(town):
    (solved,) = plan_study(town.study, "one")
    money = site_money(town.study, "day_care")
    new = solved.plan.sites[solved.plan.sites["status"] == "new"]

    assert money.plan == "one"
    assert len(new) == 2
    for column in ("cost_yuan", "subsidy_yuan", "net_yuan"):
        assert money.table.loc[new.index, column].tolist() == new[column].tolist()


def test_a_site_of_unknown_cost_counts_as_nothing_and_is_told(tmp_path):
    rows = [(*row[:6], row[6] if row[0] != "X" else None) for row in CANDIDATES]
    study = open_study(write_town(tmp_path, candidates=rows))

    money = money_of(site_money(study, "day_care"), ["X", "Y"])

    assert (money.cost_yuan, money.subsidy_yuan, money.net_yuan, money.unknown) == (400_000, 0, 400_000, 1)


# ---- lists


def test_a_list_is_read_as_json_as_csv_and_as_ids_one_a_line(tmp_path):
    told = {"service": "day_care", "minutes": 11, "group": "p60", "sites": ["X", "Y", "X"], "closed": ["E"], "covered": 230.0}
    (tmp_path / "a.json").write_text(json.dumps(told), encoding="utf-8")
    (tmp_path / "b.csv").write_text(
        f'编号,用途,名称,服务,时限,人群\r\nX,新增,旧小学,day_care,11,p60\r\nE,关闭,东站,day_care,11,p60\r\n"\'{FORMULA[:4]}",new,,,,\r\n',
        encoding="utf-8-sig",
    )
    (tmp_path / "c.txt").write_text("X\nY\n\n", encoding="gbk")

    assert read_site_list(tmp_path / "a.json") == SiteList(("X", "Y"), ("E",), "day_care", 11.0, "p60", 230.0)
    assert read_site_list(tmp_path / "b.csv") == SiteList(("X", "=HYP"), ("E",), "day_care", 11.0, "p60")
    assert read_site_list(tmp_path / "c.txt") == SiteList(("X", "Y"))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", "{", "cannot be read"),
        ("a.json", "[]", "there is no list 'sites'"),
        ("a.csv", "x,y\nX,1\n", "the table has no column of ids (it has x, y)"),
        ("a.csv", "id,minutes\nX,soon\n", "the limit 'soon' is no number"),
        ("a.txt", "", "the file is empty"),
    ],
)
def test_a_list_that_cannot_be_used_says_why(tmp_path, name, text, told):
    (tmp_path / name).write_text(text, encoding="utf-8")

    with pytest.raises(InputError, match=re.escape(told)):
        read_site_list(tmp_path / name)


def test_unknown_sites_are_all_named_with_what_may_have_been_meant(town):
    chosen = SiteList(("X", "YY", "nowhere"), ("EE",), service="childcare")

    with pytest.raises(InputError) as error:
        evaluate_choice(town.study, "day_care", chosen)

    text = error.value.text("en")
    assert "the list was made for 'childcare'" in text
    assert "no candidate 'YY'. Did you mean 'Y'?" in text
    assert "no candidate 'nowhere'. Check the id; there are 4." in text
    assert "no existing facility 'EE'" in text


# ---- evaluation, by hand: see plan_town


@pytest.mark.parametrize(
    ("sites", "closed", "minutes", "covered"),
    [
        ((), (), 11, 160),  # E alone
        (("Y",), (), 11, 330),  # and Y: 80 + 40 + 50
        (("X", "W"), (), 11, 310),  # X: 80 + 40; W: 30
        (("X",), ("E",), 11, 180),  # E closed: X reaches 60 + 80 + 40
        (("Y",), (), 5, 140),  # 300 m: E 100, Y 40
        ((), ("E",), 11, 0),
    ],
)
def test_a_choice_is_counted_from_its_own_sites(town, sites, closed, minutes, covered):
    found = evaluate_choice(town.study, "day_care", SiteList(sites, closed), minutes=minutes)

    assert found.covered.loc["ALL", "covered"] == covered
    assert found.today.loc["ALL", "covered"] == (160 if minutes == 11 else 100)
    assert found.gaps["people"].sum() == 360 - covered


def test_units_of_a_choice_have_one_by_where_its_sites_lie(town):
    found = evaluate_choice(town.study, "day_care", SiteList(("X", "Y", "W"), ("E",)))

    assert found.has_one["facilities"].to_dict() == {"A": 0, "B": 2, "T": 1}


def test_an_evaluation_is_told_with_denominators_money_and_the_line_for_a_plan(town):
    found = evaluate_choice(town.study, "day_care", SiteList(("Y",), (), "day_care", 11.0, "p60", 330.2))

    assert evaluation_lines(town.study, found, "en") == [
        "小镇 · Day care: 1 new, 0 closed, within 11 minutes: 44.4% → 91.7% (330 of 360 people aged 60+)",
        "  东街道  100.0% → 100.0%  160 of 160  1 facility",
        "  西街道  0.0% → 100.0%  120 of 120  1 facility",
        "  山乡  0.0% → 62.5%  50 of 80  no facility",
        "  gaps that remain: 1, 30 people",
        "  cost 400,000 yuan, subsidies 20,000 yuan, net 380,000 yuan",
        "The list says 330 people: the same.",
        'For a [[plan]]: forced = ["Y"]',
    ]
    other = replace(found, chosen=replace(found.chosen, covered=300.0))
    assert agrees(found)
    assert not agrees(other)
    assert "清单所记为 300 人，与此处不同" in "\n".join(evaluation_lines(town.study, other, "zh"))
    assert agrees(replace(other, minutes=5.0))  # counted for another limit: nothing to compare


def test_the_commands_write_the_page_and_read_its_list_back(town, tmp_path):
    runner, listed = CliRunner(), tmp_path / "mine.json"
    page = tmp_path / "page.html"

    made = runner.invoke(app, ["what-if", str(town.path), "-s", "day_care", "-o", str(page), "--lang", "en"])
    assert made.exit_code == 0, made.output
    assert data_of(page)["plan"]["bound"] == 360  # eight sites may be built: everybody

    listed.write_text(json.dumps({"sites": ["Y"], "minutes": 11, "group": "p60", "covered": 330}), encoding="utf-8")
    told = runner.invoke(app, ["evaluate-sites", str(town.path), str(listed), "-s", "day_care", "--lang", "zh"])
    assert told.exit_code == 0, told.output
    assert "44.4% → 91.7%（360 名60岁及以上老人中 330 名）" in told.output
    listed.write_text(json.dumps({"sites": ["Y"], "minutes": 11, "group": "p60", "covered": 12}), encoding="utf-8")
    assert runner.invoke(app, ["evaluate-sites", str(town.path), str(listed), "-s", "day_care"]).exit_code == 1


def test_the_line_for_a_plan_forces_the_sites(town, tmp_path):
    forced = 'id = "mine"\nservice = "day_care"\nat_most = 2\nforced = ["X", "W"]'
    (solved,) = plan_study(open_study(write_town(tmp_path, forced)))
    found = evaluate_choice(town.study, "day_care", SiteList(("X", "W")))

    assert solved.plan.new == ("W", "X")
    assert solved.plan.reached[0].after == found.covered.loc["ALL", "covered"]


def test_names_that_are_markup_stay_text_in_the_file(tmp_path):
    rows = [(row[0], EVIL if row[0] == "X" else FORMULA, EVIL, *row[3:]) for row in CANDIDATES]
    study = open_study(write_town(tmp_path, study=STUDY.replace('name_zh = "日间照料"', f'name_zh = "{EVIL}"'), candidates=rows))
    times, options = (
        study.times("day_care", places, limit_min=11) for places in (study.facilities("day_care"), study.candidates("day_care"))
    )

    page = write_whatif(tmp_path / "page.html", study, service="day_care", times=times, options=options)

    assert EVIL not in page.read_text(encoding="utf-8")
    assert EVIL in data_of(page)["sites"]["names"]


def test_coverage_of_the_page_and_of_an_evaluation_are_one(town):
    """The page counts what `coverage` counts on the union; here the union by brute force from both matrices."""
    reached = np.zeros(6, dtype=bool)
    for times, rows in ((town.times, [0]), (town.options, [0, 3])):
        for row in rows:
            part = slice(times.indptr[row], times.indptr[row + 1])
            reached[times.indices[part]] = True

    found = evaluate_choice(town.study, "day_care", SiteList(("X", "W")))

    people = town.study.cells["p60"].to_numpy()
    assert found.covered.loc["ALL", "covered"] == people[reached].sum()
    assert coverage(town.times, town.study.cells, town.study.units, minutes=11, group="p60").equals(found.today)


def test_a_plan_for_nobody_or_of_no_site_is_not_compared_with(demo, tmp_path):
    one = demo.services[0]
    for plan in (replace(one.plan, n_asked=0), replace(one.plan, people_total=0.0)):
        page = write_whatif(
            tmp_path / "page.html", demo.study, service="childcare", times=one.times, options=one.options, plan=plan, lang="en"
        )
        assert '"plan":null' in page.read_text(encoding="utf-8")
