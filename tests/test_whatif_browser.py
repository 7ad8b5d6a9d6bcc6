"""The what-if page in a browser without a network: its numbers are Python's, its controls work by hand, key and touch."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from plan_town import CANDIDATES, STUDY, write_town
from test_maps_browser import CHROMIUM, DESKTOP, PHONE, Visit, browser, wait_until  # noqa: F401  the fixture

from careshed.access import coverage, find_gaps, presence
from careshed.maps.text import count, share
from careshed.maps.whatif import write_whatif
from careshed.reach import TravelTimes
from careshed.siting import rank_sites
from careshed.siting.choice import SiteList, evaluate_choice, read_site_list
from careshed.siting.choice.evaluating import standing_then
from careshed.siting.planning.wording import yuan_text
from careshed.study import open_study

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from careshed.run import RunResult
    from careshed.run.results import ServiceResult

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"Chromium is not installed: {CHROMIUM} is missing"),
]

EVIL = "<img src=x onerror=alert(1)>"
FORMULA = "=HYPERLINK(1)"

ASK = """([sites, off, limit, group]) => {
  const w = careshed.whatif;
  w.set({sites: sites.map(i => i + w.deck.standing), off, limit, group});
  const {people, covered, unjudged, units, owned} = w.shown.yours;
  return {
    all: [people, covered, unjudged], people: [...units.people], covered: [...units.covered], unjudged: [...units.unjudged],
    owned: [...owned], gaps: w.shown.gaps.map(gap => [gap.people, gap.cells.length]),
  };
}"""


@pytest.fixture(scope="module")
def service(demo: RunResult) -> ServiceResult:
    return next(one for one in demo.services if one.service.id == "day_care")


@pytest.fixture(scope="module")
def written(demo: RunResult) -> Path:
    """The page that the run itself wrote."""
    return next(path for path in demo.files if path.name == "day_care_whatif.html")


@pytest.fixture(scope="module")
def visit(browser: Browser, written: Path) -> Iterator[Visit]:  # noqa: F811
    opened = Visit(browser, written, DESKTOP, accept_downloads=True)
    wait_until(opened.page, "careshed.whatif.shown.took > 0")
    yield opened
    opened.context.close()


@pytest.fixture
def page(visit: Visit) -> Page:
    """The one page of this module, as it opens."""
    visit.page.locator("#w_reset").click()
    visit.page.locator("input[name=choropleth][value=state]").check()
    return visit.page


def union(times: TravelTimes, options: TravelTimes, sites: list[int], off: list[int], cells: int) -> TravelTimes:
    """Travel times of the sites that stand then, put together row by row from both matrices."""
    nearest = np.full(cells, -1, dtype=np.int64)
    for matrix, rows in ((times, [row for row in range(len(times.facilities)) if row not in off]), (options, sites)):
        for row in rows:
            part = slice(matrix.indptr[row], matrix.indptr[row + 1])
            at, cost = matrix.indices[part], matrix.cost[part].astype(np.int64)
            nearest[at] = np.where(nearest[at] < 0, cost, np.minimum(nearest[at], cost))
    return replace(times, nearest_cost=nearest)


def rounded(values: Any) -> list[int]:
    return [round(float(value)) for value in values]


def chosen_at_random(service: ServiceResult, number: int) -> list[tuple[list[int], list[int], int, int]]:
    draw = random.Random(7)
    standing, options = len(service.times.facilities), len(service.options.facilities)
    groups = len(dict.fromkeys((service.service.group, *service.service.groups_shown)))
    return [
        (
            sorted(draw.sample(range(options), draw.choice([0, 1, 3, 8, 20, options]))),
            sorted(draw.sample(range(standing), draw.choice([0, 0, 1, 5, standing]))),
            draw.randrange(15),
            draw.randrange(groups),
        )
        for _ in range(number)
    ]


# ---- numbers


def test_random_choices_limits_and_groups_count_as_in_python_to_the_person(page, demo, service):
    study, times, options = demo.study, service.times, service.options
    deck = page.evaluate("({limits: careshed.whatif.deck.limits, groups: careshed.whatif.deck.groups.map(one => one.id)})")
    assert deck["limits"] == [float(minute) for minute in range(1, 16)]

    for sites, off, limit, group in chosen_at_random(service, 24):
        told = page.evaluate(ASK, [sites, off, limit, group])
        together = union(times, options, sites, off, len(study.cells))
        table = coverage(together, study.cells, study.units, minutes=deck["limits"][limit], group=deck["groups"][group])

        assert told["all"][:2] == table.loc["ALL", ["people", "covered"]].tolist()  # to the last bit
        units = table.loc[list(study.units.index)]
        for column in ("people", "covered"):
            assert rounded(told[column]) == rounded(units[column])


def test_choices_searched_afresh_agree_in_units_unjudged_presence_and_gaps(page, demo, service):
    study = demo.study
    networks = {mode: study.network(mode) for mode in study.modes("day_care")}
    for sites, off, limit, group in chosen_at_random(service, 3):
        told = page.evaluate(ASK, [sites, off, limit, group])
        who = page.evaluate("careshed.whatif.deck.groups[careshed.whatif.state.group].id")
        chosen = SiteList(
            tuple(service.options.facilities.index[sites].astype(str)), tuple(service.times.facilities.index[off].astype(str))
        )
        then = standing_then(study, "day_care", chosen)
        times = study.times("day_care", then, limit_min=15, networks=networks)
        table = coverage(times, study.cells, study.units, minutes=limit + 1, group=who)
        gaps = find_gaps(times, study.cells, minutes=limit + 1, group=who, units=study.units)
        levels = tuple(dict.fromkeys(study.units["level"]))
        held = presence(then, study.units, levels=levels)["facilities"].reindex(study.units.index)

        assert told["all"] == table.loc["ALL", ["people", "covered", "unjudged"]].tolist()
        for column in ("people", "covered", "unjudged"):
            assert rounded(told[column]) == rounded(table.loc[list(study.units.index), column])
        assert told["owned"] == held.tolist()
        assert [cells for _, cells in told["gaps"]] == gaps["cells"].tolist()
        assert rounded(people for people, _ in told["gaps"]) == rounded(gaps["people"])


def test_numbers_are_written_as_python_writes_them(page):
    draw = random.Random(3)
    people = [draw.random() * 10**power for power in range(1, 8) for _ in range(40)] + [0.5, 1.5, 2.5, 1_000_000.5, 999.4999]
    parts = [(draw.random() * 50, 50.0) for _ in range(200)] + [(k / 16, 100.0) for k in range(1600)] + [(1.0, 0.0)]
    money = [0, 1, 9_999, 10_000, 12_345, 1_000_000, 2_165_000, 1_234_567_890]

    assert page.evaluate("all => all.map(careshed.whatif.round)", people) == [count(value) for value in people]
    assert page.evaluate("all => all.map(([a, b]) => careshed.whatif.part(a, b))", parts) == [share(*one) for one in parts]
    assert page.evaluate("all => all.map(careshed.whatif.yuan)", money) == [yuan_text(value)[0] for value in money]


# ---- what is seen


def test_the_page_asks_for_nothing_but_itself_and_reports_no_error(visit, page, written, tmp_path):
    page.screenshot(path=tmp_path / "desktop.png")

    assert visit.requests == [written.as_uri()]
    assert visit.complaints == []
    assert (tmp_path / "desktop.png").stat().st_size > 50_000


def test_it_opens_with_the_choice_of_the_plan_and_the_bound_beside_it(page, service):
    plan = service.plan
    after, bound = share(plan.people_covered_after, plan.people_total), share(plan.bound, plan.people_total)

    assert page.locator("#head .figure").inner_text() == after
    assert page.locator("#w_bound").inner_text() == (
        f"您的选择 {after}（8 处）；方案 {after}（8 处）；选不超过 8 处，任何选法都不会超过 {bound}（已证明）。"
    )
    assert count(plan.people_covered_after) in page.locator("#head .sentence").inner_text()
    assert page.locator("#w_row_today td").nth(1).inner_text().split() == [
        share(plan.people_covered_before, plan.people_total),
        count(plan.people_covered_before),
    ]


def test_the_bound_says_when_it_does_not_apply(page):
    said = page.locator("#w_bound")
    page.evaluate("careshed.whatif.toggle(0)")
    assert "您关闭了 1 处，上限不适用" in said.inner_text()
    assert page.locator("#w_off_told").inner_text().startswith("关闭的现有设施 1 处：")
    page.locator("#w_take").click()  # opens the facility again
    assert "已证明" in said.inner_text()
    page.evaluate(
        "careshed.whatif.toggle(careshed.whatif.shown.gains.findIndex((_, i) => i >= 31 && !careshed.whatif.state.on[i]))"
    )
    assert "是对不超过 8 处证明的；您选了 9 处" in said.inner_text()
    page.locator("#w_reset").click()
    page.locator("[data-limit]").first.click()
    assert "只对60岁及以上老人、15 分钟证明过" in said.inner_text()
    page.locator("#w_reset").click()
    page.locator("#w_group").select_option("1")
    assert "不适用于此处的设定" in said.inner_text()
    assert page.locator("#w_bound.moot").count() == 1


def test_none_take_and_reset_do_what_they_say(page, service):
    plan = service.plan
    page.locator("#w_none").click()
    assert page.locator("#head .figure").inner_text() == share(plan.people_covered_before, plan.people_total)
    assert page.locator("#w_count").inner_text() == f"0 / {len(service.options.facilities)}"
    page.locator("[data-limit]").first.click()
    page.locator("#w_take").click()
    assert page.locator("#w_count").inner_text() == "8 / 56"
    assert page.locator("#w_limit_told").inner_text() == "5 分钟"  # the limit stays
    page.locator("#w_reset").click()
    assert page.locator("#w_limit_told").inner_text() == "15 分钟"


def test_ticking_the_list_recounts_units_gaps_and_what_the_next_site_adds(page):
    page.locator("#w_none").click()
    page.locator("#w_sort").select_option("list")
    page.locator("#w_sort").select_option("gain")
    first = page.locator("#w_options li").first
    adds = int(str(first.locator(".gain b").text_content()).removeprefix("+").replace(",", ""))
    before = page.evaluate("careshed.whatif.shown.yours.covered")
    gaps = page.locator("#w_gaps_told").inner_text()

    first.locator("input").check()

    assert round(page.evaluate("careshed.whatif.shown.yours.covered") - before) == adds
    assert str(first.locator(".gain b").text_content()) == f"−{adds:,}"
    assert page.locator("#w_gaps_told").inner_text() != gaps
    rows = page.locator("#w_units tbody tr td.gain").all_inner_texts()
    assert sum(int(text.replace("+", "").replace(",", "")) for text in rows if text != "–") == pytest.approx(adds, abs=3)


def test_the_list_can_be_searched_and_cut_to_what_is_chosen(page):
    page.locator("#w_only").check()
    assert page.locator("#w_options li:visible").count() == 8
    page.locator("#w_only").uncheck()
    name = page.evaluate("careshed.whatif.deck.sites.names[40]")
    page.locator("#w_find").fill(name)
    assert page.locator("#w_options li:visible").count() >= 1
    page.locator("#w_find").fill("no such place")
    assert page.locator("#w_options li:visible").count() == 0


def test_a_site_on_the_map_can_be_clicked(page):
    page.locator("#w_none").click()
    page.evaluate("careshed.map.setView(careshed.whatif.dots[40].getLatLng(), 17, {animate: false})")
    at = page.evaluate(
        "(() => { const p = careshed.map.latLngToContainerPoint(careshed.whatif.dots[40].getLatLng()), "
        "b = careshed.map.getContainer().getBoundingClientRect(); return [p.x + b.left, p.y + b.top]; })()"
    )
    page.mouse.click(*at)

    assert page.evaluate("careshed.whatif.shown.sites") == [40]
    assert page.locator(f"[data-site='{page.evaluate('careshed.whatif.deck.sites.ids[40]')}']").is_checked()
    page.evaluate("careshed.map.fitBounds(careshed.bounds, {animate: false})")


def test_cells_are_painted_by_state_and_tell_it_under_the_pointer(page):
    page.locator("#w_none").click()
    cell = page.evaluate(
        """() => {
          const w = careshed.whatif, m = w.model, reached = m.cell.slice(m.start[40], m.start[41]);
          return reached.find(i => m.people[0][i] > 5 && w.shown.classes[i] === 3);
        }"""
    )
    assert cell >= 0
    pixel = """i => {
      const p = careshed.whatif.painter, spot = careshed.map.latLngToLayerPoint(careshed.whatif.model.at[i]);
      const at = spot.subtract(p._bounds.min);
      return [...p._ctx.getImageData(Math.round(at.x * p._ratio), Math.round(at.y * p._ratio), 1, 1).data];
    }"""
    assert page.evaluate(pixel, cell) == [0xE8, 0x92, 0x5E, 255]
    assert "仍到不了" in page.evaluate("i => careshed.whatif.cellTip(i)", cell)

    page.evaluate("careshed.whatif.toggle(40)")

    assert page.evaluate(pixel, cell) == [0x0A, 0x61, 0x68, 255]
    told = page.evaluate("i => careshed.whatif.cellTip(i)", cell)
    assert told[0] == "因所选点位而可达"
    assert page.evaluate("careshed.whatif.deck.sites.names[40]") in told[2]
    assert page.evaluate("i => careshed.whatif.cellAt(L.latLng(careshed.whatif.model.at[i]))", cell) == cell


def test_units_take_the_colour_of_their_share(page, demo):
    page.locator("input[name=choropleth][value='2']").check()
    shades = """() => {
      const {deck, shown} = careshed.whatif, {covered, people} = shown.yours.units, {tiers, places} = deck.units;
      const drawn = places.map((at, unit) => [at, unit]).filter(([at, unit]) => at >= 0 && tiers[unit] === 2);
      const shapes = careshed.choropleths[2].getLayers();
      return drawn.map(([at, unit]) => [shapes[at].options.fillColor, covered[unit] / people[unit]]);
    }"""
    blues = ["#e9eef7", "#bccfe6", "#86aad1", "#4a7fb5", "#1f5490"]
    for act in ("careshed.whatif.set({sites: []})", "careshed.whatif.reset()"):
        page.evaluate(act)
        told = page.evaluate(shades)
        assert len(told) == int((demo.study.units["level"].isin(["street", "township"])).sum())
        assert [colour for colour, _ in told] == [blues[min(int(part * 5), 4)] for _, part in told]
    assert "您的选择" in page.evaluate("careshed.data.units2.tips[0].join(' ')")
    page.locator("#w_units button").first.click()
    wait_until(page, "careshed.map.getZoom() > 13")
    page.evaluate("careshed.map.fitBounds(careshed.bounds, {animate: false})")


# ---- hands


def test_everything_can_be_done_by_keyboard(page):
    page.locator("#w_limit").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#w_limit_told").inner_text() == "14 分钟"
    assert page.locator("#w_limit").get_attribute("aria-valuetext") == "14 分钟"
    box = page.locator("#w_options input").first
    before = box.is_checked()
    box.focus()
    page.keyboard.press("Space")
    assert box.is_checked() is not before
    page.locator("#w_none").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("careshed.whatif.shown.sites") == []
    page.locator("#w_shut summary").focus()
    page.keyboard.press("Enter")
    page.locator("#w_standing input").first.focus()
    page.keyboard.press("Space")
    assert page.evaluate("careshed.whatif.shown.closed") == [0]
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")  # nothing hidden pushes the page


def test_the_choice_is_saved_and_read_back(page, demo, service, tmp_path):
    page.locator("[data-limit]").nth(1).click()
    page.evaluate("careshed.whatif.toggle(2)")
    page.locator("#w_keep summary").click()
    ids = page.evaluate("careshed.whatif.shown.sites.map(i => careshed.whatif.deck.sites.ids[i])")
    off = str(service.times.facilities.index[2])
    lists = []
    for button in ("#w_csv", "#w_json"):
        with page.expect_download() as got:
            page.locator(button).click()
        got.value.save_as(tmp_path / got.value.suggested_filename)
        lists.append(read_site_list(tmp_path / got.value.suggested_filename))

    assert [path.name for path in sorted(tmp_path.iterdir())] == ["day_care_choice.csv", "day_care_choice.json"]
    for found in lists:
        assert (list(found.sites), found.closed, found.service, found.minutes, found.group) == (
            ids,
            (off,),
            "day_care",
            10.0,
            "p60",
        )
    told = json.loads((tmp_path / "day_care_choice.json").read_text(encoding="utf-8"))
    again = evaluate_choice(demo.study, "day_care", lists[1])
    assert round(told["covered"]) == round(float(again.covered.loc["ALL", "covered"]))
    command = f"careshed evaluate-sites {demo.study.path.name} day_care_choice.csv -s day_care"
    assert page.locator("#w_command").inner_text() == command
    page.locator("#w_copy").click()
    assert page.locator("#w_said").inner_text() == "已复制 8 处。"
    assert page.locator("#w_text").input_value() == "\n".join(ids)
    page.locator("#w_toml").click()
    assert page.locator("#w_text").input_value() == f"forced = {json.dumps(ids)}"
    page.locator("#w_keep summary").click()


def test_axe_finds_nothing_to_complain_of(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page.locator("#w_keep summary").click()
    found = axe.Axe().run(page)

    told = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found.response["violations"]]
    page.locator("#w_keep summary").click()
    assert told == []


def test_a_phone_shows_all_of_it_without_sideways_scrolling(browser, written):  # noqa: F811
    phone = Visit(browser, written, PHONE, has_touch=True, is_mobile=True)
    wait_until(phone.page, "careshed.whatif.shown.took > 0")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.page.locator("#w_none").tap()
    assert phone.page.evaluate("careshed.whatif.shown.sites") == []
    assert phone.complaints == []
    phone.context.close()


# ---- names that are markup, rules, dots instead of a grid


@pytest.fixture(scope="module")
def hostile(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:  # noqa: F811
    """A small town whose names are markup; cells are points; the plan must put one site in township T."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = [(row[0], EVIL if row[0] == "X" else FORMULA, EVIL, *row[3:]) for row in CANDIDATES]
    study = open_study(write_town(folder, study=STUDY.replace('name_en = "Day care"', f'name_en = "{EVIL}"'), candidates=rows))
    times, options = (
        study.times("day_care", places, limit_min=11) for places in (study.facilities("day_care"), study.candidates("day_care"))
    )
    plan = rank_sites(
        options, study.cells, existing=times, minutes=11, group="p60", n=1, units=study.units, at_least_one_per=["township"]
    )
    path = write_whatif(folder / "page.html", study, service="day_care", times=times, options=options, plan=plan, lang="en")
    opened = Visit(browser, path, DESKTOP)
    wait_until(opened.page, "careshed.whatif.shown.took > 0")
    yield SimpleNamespace(visit=opened, page=opened.page, plan=plan)
    opened.context.close()


def test_markup_in_names_is_shown_as_text(hostile):
    page = hostile.page
    page.locator("#w_reset").click()

    assert EVIL in str(page.locator("#w_options").text_content())
    assert page.locator("h1").inner_text() == f"What if: {EVIL}"
    assert page.locator("img[src=x]").count() == 0
    page.evaluate("careshed.whatif.dots[1].openTooltip()")
    assert EVIL in page.locator(".leaflet-tooltip").first.inner_text()
    assert f"'{FORMULA}" in page.evaluate("careshed.whatif.set({sites: [2]}) || careshed.whatif.asCsv()")
    assert hostile.visit.complaints == []


def test_a_bound_under_rules_holds_only_for_choices_that_keep_them(hostile):
    # T has no facility; of X, Y (in B), Z and W (in T) the plan takes Z: 2500 and 1900 m, 90 people, 250 of 360 in all
    page, said = hostile.page, hostile.page.locator("#w_bound")
    page.locator("#w_reset").click()
    assert said.inner_text() == (
        "Yours 69.4% with 1; the plan 69.4% with 1; no choice of up to 1 that keeps the plan's rules can exceed 69.4% (proven)."
    )
    page.evaluate("careshed.whatif.set({sites: [2]})")  # Y reaches 330, more than the bound, but leaves T without one
    assert page.locator("#head .figure").inner_text() == "91.7%"
    assert said.inner_text() == (
        "The plan's bound of 69.4% holds for choices that keep its rules (one in every township); yours leaves 1 without one "
        "(the plan: 0), so it does not apply."
    )
    assert "All 4 candidates together: 100.0% (360 people)" in page.locator("#w_ceiling").inner_text()


def test_cells_that_are_points_are_painted_as_dots(hostile):
    page = hostile.page
    page.evaluate("careshed.whatif.set({sites: []})")
    assert page.evaluate("careshed.whatif.deck.shape.square") is False
    assert page.evaluate("[...careshed.whatif.shown.classes]") == [1, 1, 3, 3, 3, 3]
    assert page.evaluate("careshed.whatif.cellAt(L.latLng(careshed.whatif.model.at[4]))") == 4
