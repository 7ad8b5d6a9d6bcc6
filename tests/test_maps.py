"""The map page: what it says, what it holds, and what it must never do."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer
from shapely import LineString, MultiPoint, Point, Polygon, box

from careshed.maps import write_map
from careshed.maps.encode import STEP_DEG, areas_block, json_text, lines_block, points_block, varints
from careshed.maps.facts import Reached, Scope, gap_parts, key_sentence, lead_sentence, scope_of, units_without
from careshed.maps.layers import BLUES, band_colours, bands_layer, gap_tip
from careshed.maps.notes import assumptions
from careshed.maps.panel import switches
from careshed.maps.population import population_breaks, population_layer
from careshed.maps.shares import shares_layer
from careshed.maps.tiles import background_tiles
from careshed.modes import CAR, WALK_TODDLER, WHEELCHAIR
from careshed.reach.mixing import mixed_mode
from careshed.schema import Fault, Grid
from careshed.settings.sections import MapSection, Service
from careshed.words import spanned

CRS = "EPSG:32651"
EAST, NORTH = 320_000.0, 3_500_000.0
SIDE = 100.0
EVIL = "<img src=x onerror=alert(1)>"


def _at(x: float, y: float) -> Point:
    return Point(EAST + x, NORTH + y)


def _square(x: float, y: float, width: float = SIDE, height: float = SIDE) -> Polygon:
    return box(EAST + x, NORTH + y, EAST + x + width, NORTH + y + height)


def small_cells() -> gpd.GeoDataFrame:
    # a row of four cells of 100 m with 10, 20, 30 and 40 children: 100 in all, and 1,000 residents
    children = np.array([10.0, 20.0, 30.0, 40.0])
    points = [_at(50 + 100 * col, 50) for col in range(4)]
    columns = {"total": children * 10, "p0_3": children, "unit": ["a1", "a1", "a2", "a2"], "row": 0, "col": range(4)}
    return gpd.GeoDataFrame(columns, geometry=points, crs=CRS, index=pd.RangeIndex(4, name="cell_id"))


def small_units() -> gpd.GeoDataFrame:
    listed = [
        ("a", "东关街道", "street", "", _square(0, 0, 400)),
        ("a1", "第一社区", "community", "a", _square(0, 0, 200)),
        ("a2", "第二社区", "community", "a", _square(200, 0, 200)),
        ("a3", "无人社区", "community", "a", _square(0, 100, 400, 50)),
        ("b", "没有界线的乡", "township", "", None),
    ]
    table = pd.DataFrame(listed, columns=["unit_id", "name", "level", "parent", "geometry"]).set_index("unit_id")
    return gpd.GeoDataFrame(table.assign(setting="urban"), geometry="geometry", crs=CRS)


def small_facilities() -> gpd.GeoDataFrame:
    columns = {
        "name": [EVIL, "阳光{{7*7}}托育园", None],
        "type": "托育机构",
        "status": ["operating", "operating", "building"],
        "operator": ["公办", "", ""],
        "places": [30.0, np.nan, 60.0],
        "unit": "",
    }
    points = [_at(60, 20), MultiPoint([_at(100, 0), _at(120, 0)]), _at(390, 90)]
    return gpd.GeoDataFrame(columns, geometry=points, crs=CRS, index=["f1", "f2", "f3"])


def small_times() -> SimpleNamespace:
    # 5 minutes; 15 minutes to the millisecond; a millisecond more; too far from any street
    return SimpleNamespace(
        facilities=small_facilities(),
        cell_ids=small_cells().index,
        nearest_cost=np.array([300_000, 900_000, 900_001, -1]),
        nearest_facility=np.array([0, 1, 1, -1]),
        cell_fault=np.array(["", "", "", "far"]),
        facility_fault=np.array(["", "", "islet"]),
        metric="time",
        limit=1_800_000,
        direction="to_facility",
        mode=WALK_TODDLER,
        snap_m=150.0,
        imported=False,
    )


def small_covered() -> pd.DataFrame:
    # at 15 minutes 30 of 100 children, the 40 of the last cell cannot be judged: between 30 % and 70 %
    listed = [
        ("ALL", "全部", "", 15.0, "p0_3", 100.0, 30.0, 0.3, 40.0, 0.3, 0.7),
        ("a", "东关街道", "street", 15.0, "p0_3", 100.0, 30.0, 0.3, 40.0, 0.3, 0.7),
        ("a1", "第一社区", "community", 15.0, "p0_3", 30.0, 30.0, 1.0, 0.0, 1.0, 1.0),
        ("a2", "第二社区", "community", 15.0, "p0_3", 70.0, 0.0, 0.0, 40.0, 0.0, 40 / 70),
        ("a3", "无人社区", "community", 15.0, "p0_3", 0.0, 0.0, np.nan, 0.0, np.nan, np.nan),
        ("ALL", "全部", "", 5.0, "p0_3", 100.0, 10.0, 0.1, 40.0, 0.1, 0.5),
        ("ALL", "全部", "", 15.0, "total", 1000.0, 300.0, 0.3, 400.0, 0.3, 0.7),
    ]
    names = ["unit_id", "name", "level", "minutes", "group", "people", "covered", "share", "unjudged", "share_low", "share_high"]
    return pd.DataFrame(listed, columns=names).set_index("unit_id")


def small_gaps() -> gpd.GeoDataFrame:
    columns = {
        "people": [70.0, 30.0],
        "cells": [2, 1],
        "unit": ["a2", "a1"],
        "unit_name": ["第二社区", ""],
        "minutes_nearest": [15.4, np.nan],
        "nearest_name": [EVIL, ""],
        "unjudged": [40.0, 0.0],
    }
    return gpd.GeoDataFrame(columns, geometry=[_square(200, 0, 200), _square(100, 0)], crs=CRS, index=["g1", "g2"])


def small_plan() -> SimpleNamespace:
    sites = gpd.GeoDataFrame(
        {
            "rank": [1, 2],
            "name": ["第二小学（闲置）", EVIL],
            "kind": ["闲置学校", "诊所"],
            "unit_name": ["第二社区", ""],
            "people_new": [30.0, 5.0],
            "people_cumulative": [60.0, 65.0],
            "share_cumulative": [0.6, 0.65],
            "reason_zh": ["补上缺口 1", ""],
            "reason_en": ["closes gap 1", ""],
            "cost_yuan": [800_000.0, np.nan],
            "places": [60.0, np.nan],
        },
        geometry=[_at(250, 50), _at(150, 60)],
        crs=CRS,
        index=["c1", "c2"],
    )
    found = Fault("no_candidate", "candidates.csv", "乡里没有备选点位", "a township without a candidate", severity="noted")
    return SimpleNamespace(
        sites=sites,
        people_total=100.0,
        people_covered_before=30.0,
        people_covered_after=65.0,
        bound=66.0,
        gap=0.015,
        status="feasible",
        n_asked=2,
        group="p0_3",
        reproducible=True,
        findings=(found,),
    )


def small_isochrones() -> gpd.GeoDataFrame:
    shapes = [_square(0, 0, 100), _square(0, 0, 150), _square(0, 0, 200)]
    return gpd.GeoDataFrame({"minutes": [5.0, 10.0, 15.0]}, geometry=shapes, crs=CRS)


def small_streets() -> SimpleNamespace:
    shapes = [LineString([_at(0, 0), _at(400, 0)]), LineString([_at(0, 50), _at(200, 50), _at(400, 60)])]
    lines = gpd.GeoDataFrame({"rank": [0, 2]}, geometry=shapes, crs=CRS)
    return SimpleNamespace(lines=lambda crs: lines.to_crs(crs))


CHILDCARE = Service(
    id="childcare",
    name_zh="托育服务",
    name_en="Childcare",
    types=("托育机构",),
    group="p0_3",
    groups_shown=("p0_3", "total"),
    mode="toddler",
)


def small_study(**changes: Any) -> SimpleNamespace:
    doubled = [
        Fault("duplicate_id", "elder_care.xlsx", "编号重复", "duplicate id", row=row, found="A1", severity="dropped", people=12)
        for row in ("12", "47")
    ]
    grid = Grid(CRS, (SIDE, 0, EAST, 0, -SIDE, NORTH + SIDE), (1, 4))
    given = {
        "name": "青湾",
        "lang": "zh",
        "made_up": True,
        "data_date": "2025-06-30",
        "crs": CRS,
        "snap_m": 150.0,
        "cells": small_cells(),
        "population": SimpleNamespace(grid=grid, cells=small_cells()),
        "units": small_units(),
        "streets": small_streets(),
        "faults": tuple(doubled),
        "services": (CHILDCARE,),
        "service": lambda _: CHILDCARE,
        "facilities": lambda _: small_facilities(),
        "config": SimpleNamespace(map=MapSection()),
    }
    return SimpleNamespace(**(given | changes))


def everything() -> dict[str, Any]:
    return {
        "times": small_times(),
        "gaps": small_gaps(),
        "plan": small_plan(),
        "covered": small_covered(),
        "isochrones": small_isochrones(),
    }


class _Page(HTMLParser):
    """Collects what a page links to, its text, and its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.styles = ""
        self.words: list[str] = []
        self.data: dict[str, Any] = {}
        self._inside = ""
        self._id = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self.links += [str(found[name]) for name in ("src", "href", "srcset", "action", "data") if name in found]
        self.styles += f" {found.get('style', '')}"
        self._inside, self._id = tag, str(found.get("id", ""))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.styles += data
        elif self._inside == "script":
            if self._id:
                self.data[self._id] = json.loads(data)
        elif data.strip():
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(self.words)


def _read(path: Path) -> _Page:
    return _Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_map(tmp_path_factory.mktemp("maps") / "full.html", small_study(), **everything())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> _Page:
    folder = tmp_path_factory.mktemp("maps")
    return _read(write_map(folder / "en.html", small_study(), lang="en", **everything()))  # type: ignore[arg-type]


def _write(path: Path, study: SimpleNamespace | None = None, **given: Any) -> _Page:
    return _read(write_map(path, study or small_study(), **given))  # type: ignore[arg-type]


# --- packing ---------------------------------------------------------------------------------------------------------------


def _ints(text: str) -> list[int]:
    """Unpack slowly, one byte after the other, independent of how it was packed."""
    values, value, shift = [], 0, 0
    raw = base64.b64decode(text.lstrip("~"))
    for byte in zlib.decompress(raw, -15) if text.startswith("~") else raw:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values.append(value >> 1 if value % 2 == 0 else -(value + 1) // 2)
            value, shift = 0, 0
    return values


def _lines(block: dict[str, Any]) -> list[list[tuple[float, float]]]:
    steps, x, y, lines = iter(_ints(block["d"])), 0, 0, []
    for count in _ints(block["n"]):
        line = []
        for _ in range(count):
            x, y = x + next(steps), y + next(steps)
            line.append((round(x * STEP_DEG, 5), round(y * STEP_DEG, 5)))
        lines.append(line)
    return lines


def test_packed_whole_numbers_come_back_whatever_their_size_and_sign() -> None:
    values = [0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2**31, -(2**31), 18_000_000, 2**60, -(2**60)]

    assert _ints(base64.b64encode(varints(np.array(values, dtype=np.int64))).decode()) == values


def test_packing_nothing_gives_nothing() -> None:
    assert varints(np.zeros(0, dtype=np.int64)) == b""
    assert lines_block(np.zeros(0, dtype=object)) == {"n": "", "d": ""}


def test_lines_come_back_rounded_to_a_hundred_thousandth_of_a_degree() -> None:
    block = lines_block(np.array([LineString([(121.123456, 31.5), (121.2, 31.6)]), LineString([(-0.1, -0.2), (0, 0)])]))

    assert _lines(block) == [[(121.12346, 31.5), (121.2, 31.6)], [(-0.1, -0.2), (0.0, 0.0)]]


def test_points_that_fall_together_are_written_once_but_two_lines_stay_two() -> None:
    block = lines_block(np.array([LineString([(1, 1), (1.000001, 1), (2, 1)]), LineString([(2, 1), (3, 1)])]))

    assert _lines(block) == [[(1.0, 1.0), (2.0, 1.0)], [(2.0, 1.0), (3.0, 1.0)]]


def test_an_area_keeps_its_holes_and_parts_together() -> None:
    holed = box(0, 0, 3, 3).difference(box(1, 1, 2, 2))
    block = areas_block(np.array([shapely.MultiPolygon([holed, box(5, 5, 6, 6)]), box(7, 7, 8, 8)]))

    assert _ints(str(block["r"])) == [3, 1]
    assert [len(ring) for ring in _lines(block)] == [5, 5, 5, 5]


def test_a_facility_with_two_entrances_is_drawn_between_them() -> None:
    assert _lines(points_block(np.array([MultiPoint([(1, 1), (3, 1)])]))) == [[(2.0, 1.0)]]


def test_data_in_a_page_cannot_close_its_script_or_open_a_template() -> None:
    text = json_text(["</script><b>", "{{7*7}}", "{% x %}", "\u2028"])

    assert "<" not in text
    assert "\u2028" not in text
    assert not re.search(r"\{[{%#]", text)
    assert json.loads(text) == ["</script><b>", "{{7*7}}", "{% x %}", "\u2028"]


# --- population --------------------------------------------------------------------------------------------------------------


def test_classes_of_people_split_at_round_numbers() -> None:
    # fifths of 1 … 1000 are near 200.8, 400.6, 600.4 and 800.2
    assert population_breaks(np.arange(1.0, 1001.0)) == [200.0, 400.0, 600.0, 800.0]


def test_cells_without_people_make_no_population_layer() -> None:
    cells = small_cells().assign(p0_3=0.0)

    assert population_breaks(np.zeros(4)) == []
    assert population_layer(cells, "p0_3", None) is None
    assert population_layer(cells, "no_such_group", None) is None


def test_every_cell_is_painted_where_it_lies() -> None:
    image = pytest.importorskip("PIL.Image")
    side, rows, cols = 100.0, 30, 40
    row, col = (values.ravel() for values in np.mgrid[0:rows, 0:cols])
    people = np.where((row + col) % 3 == 0, 0.0, 1.0 + row)
    x, y = EAST + (col + 0.5) * side, NORTH - (row + 0.5) * side
    cells = gpd.GeoDataFrame({"total": people, "row": row, "col": col}, geometry=gpd.points_from_xy(x, y), crs=CRS)
    layer = population_layer(cells, "total", Grid(CRS, (side, 0, EAST, 0, -side, NORTH), (rows, cols)))
    assert layer is not None
    picture = np.asarray(image.open(io.BytesIO(base64.b64decode(str(layer["png"]).split(",")[1]))))
    (south, west), (north, east) = layer["bounds"]  # type: ignore[misc]

    to_web = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True)
    left, bottom = to_web.transform(west, south)
    right, top = to_web.transform(east, north)
    web_x, web_y = Transformer.from_crs(CRS, "EPSG:3857", always_xy=True).transform(x, y)
    across = ((web_x - left) / (right - left) * picture.shape[1]).astype(int)
    down = ((top - web_y) / (top - bottom) * picture.shape[0]).astype(int)
    breaks = np.array(layer["breaks"])
    expected = np.where(people > 0, 1 + (people[:, None] >= breaks).sum(axis=1), 0)
    assert np.array_equal(picture[down, across], expected)


def test_cells_of_no_raster_become_dots_and_the_notes_say_so(tmp_path: Path) -> None:
    study = small_study(population=SimpleNamespace(grid=None, cells=small_cells()))
    page = _write(tmp_path / "dots.html", study)

    dots = page.data["layer_population"]
    # neighbours are 100 m apart; a dot takes 0.42 of that
    assert dots["radius_m"] == 42.0
    assert len(_lines(dots["points"])) == 4
    assert "人口为每格计数，无点位，以格中心判断；输入不是栅格，按格中心画点。4 格，100 名3岁以下婴幼儿" in page.text


def test_a_single_cell_of_no_raster_is_drawn() -> None:
    layer = population_layer(small_cells().head(1), "p0_3", None)

    assert layer is not None
    assert layer["classes"] == [1]
    assert layer["radius_m"] == 42.0


# --- sentences ---------------------------------------------------------------------------------------------------------------


def test_the_key_sentence_in_chinese_names_numerator_and_denominator(full: Path) -> None:
    # 10 + 20 children within 15 minutes (the limit counts), 30 a millisecond beyond, 40 not judged
    expected = "青湾 100 名3岁以下婴幼儿中 30 名（30.0%）带幼儿步行 15 分钟内可到托育服务；30 名到不了，40 名无法判断。"

    assert expected in _read(full).words


def test_the_key_sentence_in_english_names_numerator_and_denominator(english: _Page) -> None:
    expected = (
        "30 of 100 children under 3 in 青湾 (30.0%) can walk to childcare within 15 minutes (adult with a toddler on foot); "
        "30 cannot, and 40 cannot be judged."
    )

    assert expected in english.words


def test_travel_times_alone_give_the_same_counts_as_the_coverage_table(tmp_path: Path, full: Path) -> None:
    page = _write(tmp_path / "times.html", times=small_times())

    sentence = next(word for word in _read(full).words if "100 名3岁以下婴幼儿中" in word)
    assert sentence in page.words


def test_costs_in_metres_are_not_read_as_minutes(tmp_path: Path) -> None:
    times = SimpleNamespace(**(vars(small_times()) | {"metric": "length", "limit": 1_200_000, "direction": "from_facility"}))
    page = _write(tmp_path / "length.html", times=times)

    assert "名到不了" not in page.text
    assert "1200 米" in page.text
    assert "从设施到住处" in page.text


def test_nobody_unjudged_is_not_mentioned() -> None:
    scope = Scope("zh", "青湾", "", "p60", 15.0, ("p60",), (15.0,), None)

    sentence = key_sentence(scope, Reached("p60", 15.0, 10.0, 4.0, 0.0))
    assert sentence == "青湾 10 名60岁及以上老人中 4 名（40.0%）步行 15 分钟内可到设施；6 名到不了。"


def test_rounded_counts_add_up_to_the_rounded_total() -> None:
    # 3.4 + 3.4 + 3.4 = 10.2: 10 people, 3 reached as tables say; of equal remainders the first of the others is rounded up
    assert Reached("p60", 15.0, 10.2, 3.4, 3.4).whole == (3, 4, 3)
    # 3.1 + 3.8 + 3.3 = 10.2: the largest remainder is rounded up
    assert Reached("p60", 15.0, 10.2, 3.1, 3.3).whole == (3, 4, 3)


def test_people_in_gaps_are_shown_in_step_with_those_reached() -> None:
    # 10.4 people, 4.6 reached: told as 10 = 5 + 5 + 0; the gaps hold 5.8, which by itself would be told as 6
    gaps = pd.DataFrame({"people": [5.4, 0.4], "unjudged": [0.0, 0.4]})
    assert gap_parts(gaps, Reached("p60", 15.0, 10.4, 4.6, 0.4)) == (5, 0)
    # gaps of something else stand by themselves: 5.8 = 5.4 + 0.4 is told as 6; of equal remainders the first is rounded up
    assert gap_parts(gaps, Reached("p60", 15.0, 10.4, 3.0, 0.4)) == gap_parts(gaps) == (6, 0)


def test_a_gap_across_units_says_so_in_its_tip_and_in_the_list() -> None:
    # a gap named after one unit says how many it spans; one in a single unit does not
    row = {"unit_name": "第二社区", "unit": "a2", "units_count": np.int64(3), "units_levels": "community village"}
    assert spanned(row, "zh") == "第二社区等 3 个社区和村"
    assert spanned(row, "en") == "第二社区 and 2 more communities and villages"
    assert spanned(row | {"units_count": 2, "units_levels": ""}, "en") == "第二社区 and 1 more unit"
    assert spanned(row | {"units_count": 1}, "zh") == "第二社区"
    scope = Scope("zh", "", "", "p0_3", 15.0, ("p0_3",), (15.0,), None)
    gap = row | {"cells": 2, "people": 5.0, "unjudged": 0.0, "minutes_nearest": 20.0, "nearest_name": ""}
    assert gap_tip(1, gap, scope)[0] == "缺口 1 · 第二社区等 3 个社区和村"


def test_the_bound_is_told_with_the_plan(full: Path, english: _Page) -> None:
    chinese = _read(full)

    assert "新增 2 处后可达 65.0%（100 名3岁以下婴幼儿中 65 名），现状 30.0%。" in chinese.words
    assert "同样规则下，任何 2 处方案至多 66.0%（已证明）。" in chinese.words
    assert "Under the same rules, no plan with up to 2 sites can exceed 66.0% (proven)." in english.words


def test_a_bound_that_the_plan_meets_is_told_as_proof(tmp_path: Path) -> None:
    plan = SimpleNamespace(**(vars(small_plan()) | {"bound": 65.0, "status": "optimal"}))

    assert "同样规则下，任何 2 处方案都不超过 65.0%（已证明）：这是最优方案。" in _write(tmp_path / "best.html", plan=plan).words


def test_the_plan_names_the_group_it_was_made_for(tmp_path: Path) -> None:
    plan = SimpleNamespace(**(vars(small_plan()) | {"group": "p60"}))

    assert "100 名60岁及以上老人中 65 名" in _write(tmp_path / "group.html", plan=plan, group="p0_3").text


def test_tables_by_metres_are_refused_by_name(tmp_path: Path) -> None:
    covered, isochrones = (table.rename(columns={"minutes": "metres"}) for table in (small_covered(), small_isochrones()))

    with pytest.raises(ValueError, match=r"^covered and isochrones: no column 'minutes'; a map shows walking time"):
        _write(tmp_path / "metres.html", covered=covered, isochrones=isochrones)
    assert list(tmp_path.iterdir()) == []


def test_fewer_sites_than_asked_for_is_told(tmp_path: Path) -> None:
    plan = SimpleNamespace(**(vars(small_plan()) | {"n_asked": 5, "reproducible": False}))
    page = _write(tmp_path / "few.html", plan=plan, lang="en")

    assert "5 sites were asked for, 2 found." in page.words
    assert "The search was stopped by its time limit; another run may give another answer." in page.words


def test_a_plan_without_sites_says_so(tmp_path: Path) -> None:
    plan = SimpleNamespace(**(vars(small_plan()) | {"sites": small_plan().sites.head(0)}))
    page = _write(tmp_path / "none.html", plan=plan)

    assert "没有可建议的选址。" in page.words
    assert "layer_sites" not in page.data


# --- layers ------------------------------------------------------------------------------------------------------------------


def test_only_what_is_given_is_drawn(tmp_path: Path) -> None:
    study = small_study(units=small_units().head(0), streets=None, services=(), made_up=False, data_date="", faults=())
    page = _write(tmp_path / "bare.html", study)

    assert {name for name in page.data if name.startswith("layer_")} == {"layer_population"}
    assert "步行可达图" in page.words
    assert "虚构数据" not in page.text
    assert "数据截至" not in page.text
    assert "输入数据未发现问题。" in page.words


def test_all_layers_are_there_and_decode(full: Path) -> None:
    data = _read(full).data

    assert [band["minutes"] for band in data["layer_bands"]["bands"]] == [15.0, 10.0, 5.0]
    assert [rank["rank"] for rank in data["layer_streets"]["ranks"]] == [2, 0]
    assert len(_ints(data["layer_gaps"]["areas"]["r"])) == 2
    assert data["layer_sites"]["ranks"] == [1, 2]
    assert data["layer_facilities"]["hollow"] == [0, 0, 1]
    assert data["layer_units2"]["names"] == ["东关街道"]


def test_units_are_shaded_by_share_of_people_with_their_denominator(full: Path) -> None:
    communities = _read(full).data["layer_units3"]

    # 30 of 30 is the top fifth, 0 of 70 the lowest, nobody at home is no class
    assert communities["classes"] == [4, 0, -1]
    assert communities["tips"][0] == ["第一社区 · 社区", "15 分钟内可到 30 / 30 名3岁以下婴幼儿（100.0%）"]
    assert communities["tips"][1][2] == "40 名无法判断，比例在 0.0% 至 57.1% 之间"
    assert communities["tips"][2] == ["无人社区 · 社区", "无人口"]
    assert len(communities["colours"]) == len(BLUES)


def test_a_gap_tells_people_and_the_way_to_the_nearest_facility(full: Path, english: _Page) -> None:
    assert _read(full).data["layer_gaps"]["tips"] == [
        ["缺口 1 · 第二社区", "70 名3岁以下婴幼儿（2 格）", f"到最近设施平均步行 15 分钟：{EVIL}", "其中 40 人无法判断"],
        ["缺口 2 · a1", "30 名3岁以下婴幼儿（1 格）", "沿道路到不了任何设施"],
    ]
    assert english.data["layer_gaps"]["tips"][1][2] == "No facility can be reached along the streets"


def test_a_site_tells_its_gain_reason_and_cost(full: Path) -> None:
    assert _read(full).data["layer_sites"]["tips"][0] == [
        "1 · 第二小学（闲置）",
        "第二社区 · 闲置学校",
        "新增 30 名3岁以下婴幼儿",
        "累计 60 / 100（60.0%）",
        "补上缺口 1",
        "60 个床位或托位，约 80 万元",
    ]


def test_a_facility_tells_type_status_and_places(full: Path) -> None:
    tips = _read(full).data["layer_facilities"]["tips"]

    assert tips[0] == [EVIL, "托育机构，运营，公办", "30 个床位或托位"]
    assert tips[2][0] == "（无名称）"


def test_empty_isochrones_leave_no_band() -> None:
    empty = gpd.GeoDataFrame({"minutes": [5.0]}, geometry=[shapely.MultiPolygon()], crs=CRS)

    assert bands_layer(empty) is None


def test_band_colours_go_from_dark_near_to_light_far() -> None:
    for n in (1, 3, 5, 7):
        light = [sum(bytes.fromhex(colour[1:])) for colour in band_colours(n)]
        assert light == sorted(light)
        assert len(light) == n


def test_water_is_drawn_where_the_study_has_it(tmp_path: Path) -> None:
    water = gpd.GeoDataFrame(geometry=[_square(0, -50, 400, 30), LineString([_at(0, 0), _at(1, 1)])], crs=CRS)
    page = _write(tmp_path / "water.html", small_study(water=water))

    assert len(_ints(page.data["layer_water"]["areas"]["r"])) == 1
    assert "水域" in page.words


def test_facilities_come_from_the_travel_times_where_no_service_is_meant(tmp_path: Path) -> None:
    two = (CHILDCARE, CHILDCARE.model_copy(update={"id": "day_care"}))
    page = _write(tmp_path / "times.html", small_study(services=two), times=small_times(), covered=small_covered())

    assert len(page.data["layer_facilities"]["tips"]) == 3
    assert "青湾 100 名3岁以下婴幼儿中 30 名（30.0%）带幼儿步行 15 分钟内可到设施；30 名到不了，40 名无法判断。" in page.words


def test_a_named_service_and_group_are_shown(tmp_path: Path) -> None:
    two = (CHILDCARE, CHILDCARE.model_copy(update={"id": "day_care"}))
    page = _write(tmp_path / "named.html", small_study(services=two), service="childcare", group="total", times=small_times())

    assert "青湾 1,000 名全部人口中 300 名（30.0%）带幼儿步行 15 分钟内可到托育服务；300 名到不了，400 名无法判断。" in page.words


def test_the_table_lists_groups_by_limit(full: Path) -> None:
    words = _read(full).words
    start = words.index("人群")

    assert words[start : start + 4] == ["人群", "人数", "5 分钟", "15 分钟"]
    # children: 100, of whom 10 within 5 minutes and 30 within 15; residents have no 5-minute row
    assert words[start + 4 : start + 10] == ["3岁以下婴幼儿", "100", "10.0%", "10", "30.0%", "30"]
    assert words[start + 10 : start + 15] == ["全部人口", "1,000", "–", "30.0%", "300"]


def test_the_switches_count_what_they_switch(full: Path) -> None:
    page = _read(full)
    boxes = [attrs["data-layer"] for tag, attrs in page.tags if tag == "input" and "data-layer" in attrs]

    assert boxes == ["bands", "gaps", "sites", "facilities", "population", "units", "streets"]
    assert "2 处，100 人" in page.words
    assert "3 处（空心 1 处未运营）" in page.words
    # districts have no coverage here, so two tiers beside "off"
    assert [attrs["value"] for tag, attrs in page.tags if tag == "input" and attrs["type"] == "radio"] == ["", "2", "3"]


def test_no_layers_no_switches() -> None:
    assert switches({}, Scope("zh", "", "", "", None, (), (), None), None) == []


# --- notes -------------------------------------------------------------------------------------------------------------------


def test_the_notes_tell_mode_limits_and_who_cannot_be_judged(full: Path) -> None:
    text = _read(full).text

    assert "3岁以下婴幼儿步行不超过 15 分钟（含）即为可到" in text
    assert "带幼儿步行，沿道路 3.6 千米/时，道路与地点之间 3.6 千米/时" in text
    assert "离道路直线 150 米以外的地点不接入路网，仍计入分母" in text
    assert "40 名3岁以下婴幼儿（1 格）离任何道路超过接入上限" in text
    assert "1 处所在道路与主路网不相连" in text
    assert "从住处到设施" in text
    assert "人口为每格计数，无点位，以格中心判断。4 格，100 名3岁以下婴幼儿" in text
    assert "搜索上限 30 分钟" in text


def test_faults_that_differ_in_row_only_are_one_line_and_findings_of_the_plan_are_told(full: Path) -> None:
    text = _read(full).text

    assert "elder_care.xlsx 第 12, 47 行：编号重复（现为“A1”） 24 人" in text
    assert "乡里没有备选点位" in text


def test_a_long_list_of_faults_is_cut_and_says_how_many_are_left(tmp_path: Path) -> None:
    many = tuple(Fault(f"f{place}", "a.csv", f"问题{place}", f"fault {place}") for place in range(83))
    page = _write(tmp_path / "many.html", small_study(faults=many))

    assert "另有 3 条，见运行输出的问题表。" in page.words
    assert "问题79" in page.text
    assert "问题80" not in page.text


# --- the file ----------------------------------------------------------------------------------------------------------------


def test_the_page_links_to_no_other_machine_or_file(full: Path) -> None:
    page = _read(full)

    assert [link for link in page.links if not link.startswith(("#", "data:"))] == []
    assert [url for url in re.findall(r"url\(([^)]*)\)", page.styles) if not url.startswith("data:")] == []
    assert "@import" not in page.styles
    assert "sourceMappingURL" not in full.read_text(encoding="utf-8")


def test_the_browser_is_told_to_load_nothing(full: Path) -> None:
    rule = next(str(attrs["content"]) for tag, attrs in _read(full).tags if attrs.get("http-equiv") == "Content-Security-Policy")

    assert rule == "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, full: Path) -> None:
    again = write_map(tmp_path / "again.html", small_study(), **everything())  # type: ignore[arg-type]

    assert again.read_bytes() == full.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["again.html"]


def test_inputs_are_left_alone(tmp_path: Path) -> None:
    study, given = small_study(), everything()
    write_map(tmp_path / "map.html", study, **given)  # type: ignore[arg-type]

    pd.testing.assert_frame_equal(given["covered"], small_covered())
    pd.testing.assert_frame_equal(pd.DataFrame(given["gaps"]), pd.DataFrame(small_gaps()))
    pd.testing.assert_frame_equal(pd.DataFrame(study.cells), pd.DataFrame(small_cells()))


def test_names_from_data_never_become_markup(full: Path) -> None:
    html = full.read_text(encoding="utf-8")

    assert EVIL not in html
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_names_from_data_are_never_run_as_templates(tmp_path: Path) -> None:
    name = "{{7*7}}{% raise %}{#"
    study = small_study(name=name, config=SimpleNamespace(map=MapSection(attribution="<b>{{7*7}}</b>")))
    page = _write(tmp_path / "map.html", study, title="{{6*6}}", times=small_times())

    assert "{{6*6}}" in page.words
    assert f"{{{{6*6}}}} · {name}" in page.words
    assert page.data["layer_facilities"]["tips"][1][0] == "阳光{{7*7}}托育园"
    assert page.data["care_settings"]["credit"] == "&lt;b&gt;{{7*7}}&lt;/b&gt;"
    label = next(attrs["aria-label"] for _, attrs in page.tags if attrs.get("id") == "map_care")
    assert label == f"地图：{{{{6*6}}}} · {name}"


def test_the_page_names_its_language_and_its_made_up_data(full: Path, english: _Page) -> None:
    assert ("html", {"lang": "zh-CN"}) in _read(full).tags
    assert ("html", {"lang": "en"}) in english.tags
    assert "虚构数据，仅供演示" in _read(full).words
    assert "Made-up data, for demonstration only" in english.words
    assert "Who can walk to childcare, who cannot" in english.words


def test_no_english_is_left_in_a_chinese_panel(full: Path) -> None:
    source = WALK_TODDLER.source
    left = re.findall(r"[A-Za-z]{4,}", _read(full).text.replace(source, "").replace(EVIL, ""))

    assert set(left) <= {"elder", "care", "xlsx", "candidates"}


def test_every_text_has_the_same_gaps_to_fill_in_both_languages() -> None:
    from careshed.maps.text import NOTES, TEXTS

    def holes(text: str) -> list[str]:
        return sorted(re.findall(r"\{[^}]*\}", text))

    one_place = {"plan_gain_one"}
    pairs = {key: words for key, words in TEXTS.items() if key not in one_place} | {
        key: words[2:] for key, words in NOTES.items()
    }
    uneven = [key for key, (zh, en) in pairs.items() if holes(zh) != holes(en)]
    assert uneven == []


def test_tiles_come_only_when_asked_for(tmp_path: Path, full: Path) -> None:
    address = "https://tile.example/{z}/{x}/{y}.png"
    asked = write_map(tmp_path / "tiles.html", small_study(), tiles=address)  # type: ignore[arg-type]
    settings = MapSection(tiles=address, attribution="© mappers")
    by_study = small_study(config=SimpleNamespace(map=settings))
    studied = write_map(tmp_path / "study.html", by_study)  # type: ignore[arg-type]
    refused = write_map(tmp_path / "off.html", by_study, tiles="")  # type: ignore[arg-type]

    assert "tile.example" not in full.read_text(encoding="utf-8")
    assert _read(asked).data["care_settings"]["tiles"]["urls"] == [address]
    assert "img-src data: https: http:" in asked.read_text(encoding="utf-8")
    assert _read(studied).data["care_settings"]["tiles"]["credit"] == "© mappers"
    assert "tile.example" not in refused.read_text(encoding="utf-8")


def test_named_backgrounds_carry_their_key_their_credit_and_a_warning_where_they_are_shifted() -> None:
    section = MapSection(tiles="tianditu", tiles_key="k1")
    shown, own = background_tiles(section), background_tiles(section, "https://webrd01.is.autonavi.com/{z}/{x}/{y}")

    assert shown is not None
    assert own is not None
    assert [url.split("T=")[1] for url in shown["urls"]] == [f"{part}_w&x={{x}}&y={{y}}&l={{z}}&tk=k1" for part in ("vec", "cva")]  # type: ignore[attr-defined]
    assert (shown["credit"], shown["shifted"], own["shifted"]) == ("天地图", False, True)
    assert background_tiles(MapSection(tiles="osm"))["credit"] == "© OpenStreetMap contributors"  # type: ignore[index]
    assert background_tiles(section, "") is None


def test_the_approval_number_stands_on_the_map_and_as_text(tmp_path: Path) -> None:
    study = small_study(config=SimpleNamespace(map=MapSection(approval_no="冀S(2026)001号<b>")))
    page = _write(tmp_path / "approved.html", study)

    assert page.data["care_settings"]["approval"] == "审图号：冀S(2026)001号&lt;b&gt;"


def test_the_sentence_that_matters_has_both_halves(full: Path, english: _Page) -> None:
    # one street (东关街道) with facilities? those of the small town name no unit, so both streets and townships are without
    assert "2 个街道、乡镇中 2 个境内没有这类设施；30 名3岁以下婴幼儿离最近设施超过 15 分钟，40 名无法判断。" in _read(full).words
    assert (
        "2 of 2 streets and townships have no such facility; "
        "30 children under 3 live more than 15 minutes away, and 40 cannot be judged." in english.words
    )


def test_the_sentence_leaves_out_the_half_that_is_not_known() -> None:
    scope = Scope("en", "Qingwan", "Childcare", "p0_3", 15.0, ("p0_3",), (15.0,), None)
    one = Reached("p0_3", 15.0, 100.0, 30.0, 40.0)

    assert lead_sentence(scope, None, (0, 3, ("street",))) == "All 3 streets have such a facility."
    assert lead_sentence(scope, one, None) == "30 children under 3 live more than 15 minutes away, and 40 cannot be judged."
    assert lead_sentence(scope, replace(one, unjudged=30.0), None) == "40 children under 3 live more than 15 minutes away."
    assert lead_sentence(scope, None, None) == ""
    assert units_without(None, small_units()) is None
    assert units_without(small_facilities(), small_units().iloc[1:4]) is None
    inside = small_facilities().assign(unit=["a1", "", ""])
    assert units_without(inside, small_units()) == (1, 2, ("street", "township"))


def _notes(study: SimpleNamespace, times: SimpleNamespace, **given: Any) -> dict[str, str]:
    scope = scope_of(study, service="day", group=None, lang="zh", times=times, covered=given.get("covered"))
    return dict(assumptions(study, scope, times, **given))


def test_what_a_run_found_is_listed_once_beside_the_faults_of_reading(tmp_path: Path) -> None:
    found = Fault("edge_of_data", "", "界外数据可能改变结果", "the edge", severity="noted", people=7, found="p0_3")
    page = " ".join(_write(tmp_path / "map.html", findings=[found, found, small_study().faults[0]]).words)

    # the group that people are counted of is no value found
    assert page.count("界外数据可能改变结果") == 1
    assert "界外数据可能改变结果（现为" not in page
    assert page.count("编号重复") == 1


def test_the_notes_tell_heights_where_they_were_used_and_where_a_limit_of_slope_wants_them() -> None:
    hilly, rolling = small_study(elevation=SimpleNamespace(path=Path("dem.tif"))), small_times()
    wheels = SimpleNamespace(**(vars(small_times()) | {"mode": WHEELCHAIR}))

    assert _notes(hilly, rolling)["高程"] == f"dem.tif；坡度计入{WALK_TODDLER.zh}的速度"
    assert {"高程", "坡度"}.isdisjoint(_notes(small_study(), rolling))
    assert "没有高程数据，未判断坡度：轮椅出行的坡度上限（8.3%）没有用上" in _notes(small_study(), wheels)["坡度"]
    assert _notes(hilly, wheels)["坡度上限"] == "轮椅出行不走坡度超过 8.3% 的道路"


def test_imported_times_name_no_snap_limit_and_no_heights() -> None:
    times = SimpleNamespace(**(vars(small_times()) | {"imported": True, "mode": WHEELCHAIR}))
    assert {"接入道路上限", "坡度"}.isdisjoint(_notes(small_study(), times))


def test_the_notes_tell_whom_data_beyond_the_edge_could_bring_into_reach() -> None:
    covered = small_covered().assign(could_change=np.nan)
    covered.loc[(covered.index == "ALL") & (covered["group"] == "p0_3") & (covered["minutes"] == 15.0), "could_change"] = 12.0
    assert _notes(small_study(), small_times(), covered=covered)["数据边缘"].startswith("12 名3岁以下婴幼儿目前到不了")
    assert "数据边缘" not in _notes(small_study(), small_times(), covered=small_covered())


def test_isochrones_of_one_mode_say_so_where_people_travel_by_several(tmp_path: Path) -> None:
    mode = mixed_mode([WALK_TODDLER, CAR], {"car": ("村", "village"), WALK_TODDLER.name: ("其他", "elsewhere")})
    times = SimpleNamespace(**(vars(small_times()) | {"mode": mode}))
    page = " ".join(_write(tmp_path / "map.html", **(everything() | {"times": times})).words)

    # in the legend and among the assumptions
    assert page.count(f"图中只画{WALK_TODDLER.zh}的等时圈；{CAR.zh}（村）按各自方式计算") == 2


# groups and limits -------------------------------------------------------------------------------------------------


def test_shares_of_every_group_and_limit_are_packed_unit_by_unit() -> None:
    covered = small_covered()
    more = covered[covered["group"] == "p0_3"].assign(minutes=5.0, covered=[0.0] * 6)
    table = pd.concat([covered[(covered["minutes"] == 15.0) & (covered["group"] == "p0_3")], more.iloc[:5]])
    scope = Scope("zh", "青湾", "托育服务", "p0_3", 15.0, ("p0_3",), (5.0, 15.0), None)
    counts = [Reached("p0_3", minutes, 100.0, covered, 40.0) for minutes, covered in ((5.0, 10.0), (15.0, 30.0))]
    layer: Any = shares_layer(small_units(), table, counts, scope)

    assert layer["groups"] == [["p0_3", "3岁以下婴幼儿"]]
    assert (layer["limits"], layer["first"]) == (["5", "15"], [0, 1])
    assert layer["all"] == [[100, 10, 100], [100, 30, 300]]
    # communities at 5 and at 15 minutes: 30 and 70 children, of whom 30 and 0 at 15; nobody lives in the third
    third = {field: _ints(text) for field, text in layer["tiers"]["3"].items()}
    assert third["people"] == [30, 70, 0, 30, 70, 0]
    assert third["covered"] == [0, 0, 0, 30, 0, 0]
    assert third["share"][3:] == [1000, 0, -1]
    assert third["high"][3:] == [1000, 571, -1]  # 40 of 70 cannot be judged: 57.1 %
    assert third["kind"][3:] == [4, 0, -1]


def test_one_group_and_limit_leave_nothing_to_choose() -> None:
    scope = Scope("zh", "青湾", "托育服务", "p0_3", 15.0, ("p0_3",), (15.0,), None)

    assert shares_layer(small_units(), small_covered(), [Reached("p0_3", 15.0, 100.0, 30.0, 40.0)], scope) is None
    assert shares_layer(None, None, [Reached("p0_3", m, 9.0, 3.0, 0.0) for m in (5.0, 15.0)], scope)["tiers"] == {}  # type: ignore[index]


def test_a_title_of_ones_own_leads_the_page(tmp_path: Path) -> None:
    assert "托育一张图" in _write(tmp_path / "title.html", title="托育一张图").words


def test_a_study_without_cells_is_shown_by_its_units(tmp_path: Path) -> None:
    study = small_study(cells=small_cells().head(0))
    (south, west), (north, east) = _write(tmp_path / "units.html", study).data["care_settings"]["bounds"]

    units = small_units().dropna(subset="geometry").to_crs("EPSG:4326").total_bounds
    assert np.allclose([west, south, east, north], units, atol=1e-5)


def test_a_study_of_nothing_still_makes_a_page(tmp_path: Path) -> None:
    study = small_study(cells=small_cells().head(0), units=None, streets=None, services=())

    assert _write(tmp_path / "nothing.html", study).data["care_settings"]["bounds"] == [[-60.0, -180.0], [60.0, 180.0]]


def test_a_town_of_ten_thousand_streets_stays_under_three_megabytes(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    start = random.uniform(0, 12_000, (10_000, 1, 2))
    points = start + np.cumsum(random.normal(0, 40, (10_000, 6, 2)), axis=1) + (EAST, NORTH)
    lines = gpd.GeoDataFrame({"rank": random.integers(0, 4, 10_000)}, geometry=shapely.linestrings(points), crs=CRS)
    side = np.arange(90)
    row, col = (values.ravel() for values in np.meshgrid(side, side, indexing="ij"))
    people = random.gamma(1, 20, 8_100)
    at = gpd.points_from_xy(EAST + (col + 0.5) * SIDE, NORTH - (row + 0.5) * SIDE)
    cells = gpd.GeoDataFrame({"total": people, "p0_3": people / 25, "row": row, "col": col}, geometry=at, crs=CRS)
    grid = replace(Grid(CRS, (SIDE, 0, EAST, 0, -SIDE, NORTH), (90, 90)))
    study = small_study(
        cells=cells,
        population=SimpleNamespace(grid=grid, cells=cells),
        streets=SimpleNamespace(lines=lambda crs: lines.to_crs(crs)),
    )
    path = write_map(tmp_path / "town.html", study)  # type: ignore[arg-type]

    assert path.stat().st_size < 3e6
