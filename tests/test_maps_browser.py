"""The map page in a browser without a network: nothing is fetched, nothing fails, everything can be reached by keyboard."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import box
from test_maps import (
    CHILDCARE,
    CRS,
    EAST,
    EVIL,
    NORTH,
    everything,
    small_covered,
    small_facilities,
    small_gaps,
    small_plan,
    small_study,
)

from careshed.maps import write_map
from careshed.maps.encode import packed
from careshed.schema import Fault
from careshed.settings.sections import MapSection

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
ARGUMENTS = ["--no-sandbox", "--headless=new", "--disable-background-networking", "--disable-gpu"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason=f"Chromium is not installed: {CHROMIUM} is missing (apt-get install chromium)"
    ),
]


def wait_until(page: Page, said: str) -> None:
    """Wait until an expression holds; Playwright's own waiting evaluates text in the page, which the page rightly forbids."""
    for _ in range(100):
        if page.evaluate(said):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"still not so after 5 s: {said}")


class Visit:
    """One opened page with everything it asked for and complained about."""

    def __init__(self, browser: Browser, path: Path, size: dict[str, int], **options: Any) -> None:
        self.context = browser.new_context(viewport=size, **options)  # type: ignore[arg-type]
        self.context.set_offline(True)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.route("**/*", lambda route: route.continue_() if route.request.url == path.as_uri() else route.abort())
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None)
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.goto(path.as_uri())
        self.page.wait_for_load_state("load")

    def has(self, layer: str) -> bool:
        """Whether a layer is on the map."""
        return bool(self.page.evaluate("key => careshed.map.hasLayer(careshed.layers[key])", layer))

    def state(self) -> tuple[float, float, float]:
        """Latitude, longitude and zoom of the map."""
        at = "(() => { const c = careshed.map.getCenter(); return [c.lat, c.lng, careshed.map.getZoom()]; })()"
        lat, lng, zoom = self.page.evaluate(at)
        return lat, lng, zoom


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_map(tmp_path_factory.mktemp("maps") / "map.html", small_study(), **everything())  # type: ignore[arg-type]


@pytest.fixture
def visit(browser: Browser, written: Path) -> Iterator[Visit]:
    opened = Visit(browser, written, DESKTOP)
    yield opened
    opened.context.close()


def test_the_page_asks_for_nothing_but_itself_and_reports_no_error(visit: Visit, written: Path, tmp_path: Path) -> None:
    visit.page.wait_for_timeout(300)
    visit.page.screenshot(path=tmp_path / "desktop.png")

    assert visit.requests == [written.as_uri()]
    assert visit.complaints == []
    assert (tmp_path / "desktop.png").stat().st_size > 20_000


def test_results_show_at_once_and_population_waits(visit: Visit) -> None:
    shown = {key: visit.has(key) for key in ("bands", "gaps", "sites", "facilities", "units", "streets", "population")}

    assert shown == {
        "bands": True,
        "gaps": True,
        "sites": True,
        "facilities": True,
        "units": True,
        "streets": True,
        "population": False,
    }
    assert visit.page.locator(".leaflet-sites-pane .pin").count() == 2
    assert visit.page.locator(".leaflet-gaps-pane path").count() == 2
    assert visit.page.locator(".leaflet-facilities-pane path").count() == 3


INK = """([pane, lat, lng]) => {
    const canvas = document.querySelector(`.leaflet-${pane}-pane canvas`), box = canvas.getBoundingClientRect();
    const outer = careshed.map.getContainer().getBoundingClientRect(), at = careshed.map.latLngToContainerPoint([lat, lng]);
    const x = (at.x + outer.left - box.left) * canvas.width / box.width;
    const y = (at.y + outer.top - box.top) * canvas.height / box.height;
    return [...canvas.getContext('2d').getImageData(Math.round(x), Math.round(y), 1, 1).data];
}"""


def test_the_bands_are_painted(visit: Visit) -> None:
    # the middle of the first cell lies in the 5-minute band (#0a6168), that of the second in the 15-minute band alone (#8cc6c3)
    first, second = small_study().cells.to_crs("EPSG:4326").geometry.iloc[:2]

    assert visit.page.evaluate(INK, ["bands", first.y, first.x]) == [0x0A, 0x61, 0x68, 255]
    assert visit.page.evaluate(INK, ["bands", second.y, second.x + 0.0003])[:3] == [0x8C, 0xC6, 0xC3]


def test_cells_are_painted_where_they_lie_in_the_colour_of_their_people(visit: Visit) -> None:
    visit.page.locator("[data-layer=population]").check()
    data = visit.page.evaluate("careshed.data.population")
    for point, children in zip(small_study().cells.to_crs("EPSG:4326").geometry, (10, 20, 30, 40), strict=True):
        kind = sum(children >= low for low in data["breaks"]["p0_3"])
        red, green, blue = (int(data["colours"][kind][at : at + 2], 16) for at in (1, 3, 5))
        assert visit.page.evaluate(INK, ["population", point.y, point.x]) == [red, green, blue, 255]


def test_a_cell_under_the_pointer_tells_its_minutes_and_people(visit: Visit) -> None:
    # 5 minutes; 15 minutes exactly; a millisecond more, rounded up to the next half; a cell that joins no street
    told = [
        visit.page.evaluate("([lat, lng]) => careshed.cells.under([lat, lng])", [point.y, point.x])
        for point in small_study().cells.to_crs("EPSG:4326").geometry
    ]

    assert [one["code"] for one in told] == [11, 31, 32, -1]
    assert [one["people"] for one in told] == [[["p0_3", n], ["total", 10 * n]] for n in (10, 20, 30, 40)]
    assert visit.page.evaluate("careshed.cells.under([0, 0])") is None


def test_the_hovered_cell_is_told_in_words_and_by_keyboard(visit: Visit) -> None:
    visit.page.locator("[data-layer=gaps]").uncheck()
    visit.page.locator("[data-layer=facilities]").uncheck()
    point = small_study().cells.to_crs("EPSG:4326").geometry.iloc[1]
    visit.page.evaluate("([lat, lng]) => { careshed.map.setView([lat, lng], 18, {animate: false}); }", [point.y, point.x])
    visit.page.locator(".folium-map").focus()
    visit.page.keyboard.press("Enter")

    told = visit.page.locator(".leaflet-popup").inner_text()
    assert "到最近设施约 15 分钟" in told
    assert "3岁以下婴幼儿: 20" in told


def test_every_switch_works_by_keyboard(visit: Visit) -> None:
    for key in ("bands", "gaps", "sites", "facilities", "units", "streets", "population"):
        before = visit.has(key)
        visit.page.locator(f"[data-layer={key}]").focus()
        visit.page.keyboard.press("Space")
        assert visit.has(key) is not before
    assert visit.complaints == []


def test_group_and_limit_recolour_units_population_and_figures(browser: Browser, tmp_path: Path) -> None:
    page, told = chosen_page(tmp_path)
    visit = Visit(browser, page, DESKTOP)
    visit.page.locator("input[name=choropleth][value='3']").check()
    fills = "[...document.querySelectorAll('.leaflet-share3-pane path')].map((path) => path.getAttribute('fill'))"
    before, tips = visit.page.evaluate(fills), visit.page.evaluate("careshed.data.units3.tips")
    visit.page.locator("#who").select_option("1")
    visit.page.locator("#within").select_option("0")

    assert visit.page.evaluate(fills) != before
    # 1,000 residents, of whom 100 within 5 minutes
    assert visit.page.locator("#chosen").inner_text() == "全部人口，5 分钟：100 / 1,000 人可到（10.0%）"
    assert "5 分钟内可到 100 / 300 名全部人口（33.3%）" in str(visit.page.evaluate("careshed.data.units3.tips"))
    assert visit.page.evaluate("careshed.data.population.breaks.total[0]") == float(
        visit.page.locator("input[data-layer=population]")
        .locator("xpath=ancestor::div")
        .locator("li")
        .nth(1)
        .inner_text()[1:]
        .replace(",", "")
    )
    visit.page.locator("#who").select_option("0")
    visit.page.locator("#within").select_option("1")
    assert visit.page.evaluate(fills) == before
    assert visit.page.evaluate("careshed.data.units3.tips") == tips  # what the page words is what Python words
    assert told in visit.page.locator("#head").inner_text()
    assert visit.complaints == []
    visit.context.close()


def chosen_page(folder: Path) -> tuple[Path, str]:
    """Write the small study with two groups and two limits throughout."""
    covered = small_covered()
    lead = covered[(covered["group"] == "p0_3") & (covered["minutes"] == 15.0)]
    near = lead.assign(minutes=5.0, covered=[10.0, 10.0, 10.0, 0.0, 0.0], share=[0.1, 0.1, 1 / 3, 0.0, np.nan])
    blocks = [
        lead,
        near,
        *(block.assign(group="total", people=block["people"] * 10, covered=block["covered"] * 10) for block in (near, lead)),
    ]
    given = everything() | {"covered": pd.concat(blocks)}
    return write_map(folder / "chosen.html", small_study(), **given), "30 名到不了"  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", [(9, 0), (0, 0), (6, zlib.Z_FIXED), (9, zlib.Z_HUFFMAN_ONLY)])
def test_the_page_inflates_what_zlib_deflates(visit: Visit, strategy: tuple[int, int]) -> None:
    random = np.random.default_rng(5)
    for values in (
        random.integers(0, 3, 90_000),
        random.integers(0, 256, 4000),
        np.zeros(70_000, dtype=int),
        np.arange(300) % 256,
    ):
        raw = values.astype(np.uint8).tobytes()
        deflate = zlib.compressobj(strategy[0], zlib.DEFLATED, -15, 9, strategy[1])
        text = base64.b64encode(deflate.compress(raw) + deflate.flush()).decode("ascii")
        found = visit.page.evaluate(
            "(text) => btoa(Array.from(unpack.inflate(Uint8Array.from(atob(text), (c) => c.charCodeAt(0))),"
            " (b) => String.fromCharCode(b)).join(''))",
            text,
        )
        assert base64.b64decode(found) == raw


def test_packed_numbers_come_back_in_the_page(visit: Visit) -> None:
    values = np.random.default_rng(6).integers(-50, 50, 5000) * np.where(np.arange(5000) % 100 == 0, 2**33, 1)

    assert visit.page.evaluate("(text) => unpack.ints(text)", packed(values)) == values.tolist()


def test_tiles_are_asked_for_only_once_ticked_and_their_failure_is_told(browser: Browser, tmp_path: Path) -> None:
    address = "https://tile.example/{z}/{x}/{y}.png"
    page = write_map(tmp_path / "tiles.html", small_study(), tiles=address, **everything())  # type: ignore[arg-type]
    visit = Visit(browser, page, DESKTOP)
    assert visit.requests == [page.as_uri()]
    visit.page.locator("#tiles").focus()
    visit.page.keyboard.press("Space")
    visit.page.wait_for_selector(".tilebox p:not(:empty)")

    assert all(request.startswith("https://tile.example/") for request in visit.requests[1:])
    assert len(visit.requests) > 1
    assert "无法加载" in visit.page.locator(".tilebox").inner_text()
    assert visit.has("bands")
    visit.context.close()


def test_many_facilities_and_gaps_are_found_under_the_pointer(browser: Browser, tmp_path: Path) -> None:
    many = 450
    at = np.arange(many)
    points = gpd.points_from_xy(EAST + 20 * (at % 30), NORTH + 20 * (at // 30), crs=CRS)
    facilities = gpd.GeoDataFrame(
        {"name": [f"{EVIL}{k}" for k in at], "type": "托育机构", "status": "operating"}, geometry=points
    )
    gaps = gpd.GeoDataFrame(
        {"people": 5.0, "cells": 1, "unit": "a1", "unit_name": EVIL, "minutes_nearest": 16.0, "nearest_name": "", "unjudged": 0},
        geometry=[box(EAST + 20 * k, NORTH - 300, EAST + 20 * k + 15, NORTH - 100) for k in at % 30], index=at,
    ).set_crs(CRS)  # fmt: skip
    study = small_study(facilities=lambda _: facilities.assign(operator="", places=np.nan, unit=""))
    visit = Visit(browser, write_map(tmp_path / "many.html", study, **(everything() | {"gaps": gaps})), DESKTOP)  # type: ignore[arg-type]
    places = [facilities.geometry.iloc[7], shapely.Point(EAST + 107, NORTH - 200)]
    here = gpd.GeoSeries(places, crs=CRS).to_crs("EPSG:4326")
    told = []
    for point in here:
        visit.page.evaluate("([lat, lng]) => { careshed.map.setView([lat, lng], 18, {animate: false}); }", [point.y, point.x])
        visit.page.locator(".folium-map").focus()
        visit.page.keyboard.press("Enter")
        told.append(visit.page.locator(".leaflet-popup").last.inner_text())

    assert f"{EVIL}7" in told[0]
    assert EVIL in told[1]
    assert visit.page.locator(".leaflet-facilities-pane path").count() == 0
    assert visit.page.locator("img[src=x]").count() == 0
    assert visit.complaints == []
    visit.context.close()


OPEN_ALL = """() => Object.values(careshed.choropleths).forEach((group) =>
    group.eachLayer((shape) => { if (careshed.map.hasLayer(shape)) shape.openPopup(); }))"""


def test_every_text_of_the_data_stays_text(browser: Browser, tmp_path: Path) -> None:
    evil = dict.fromkeys(("name_zh", "name_en"), EVIL)
    service = CHILDCARE.model_copy(update=evil | {"groups_shown": ("p0_3", "total")})
    units = small_study().units.assign(name=EVIL)
    plan = small_plan()
    plan.sites = plan.sites.assign(name=EVIL, kind=EVIL, unit_name=EVIL, reason_zh=EVIL)
    facilities = small_facilities().assign(name=EVIL, type=EVIL, status=EVIL, operator=EVIL)
    fault = Fault("odd", EVIL, EVIL, EVIL, row=EVIL, found=EVIL, severity="dropped", people=12)
    settings = MapSection(attribution=EVIL, approval_no=EVIL, tiles=f"https://x.example/{{z}}/{EVIL}")
    study = small_study(
        name=EVIL, data_date=EVIL, units=units, faults=(fault,), service=lambda _: service, services=(service,),
        facilities=lambda _: facilities, config=SimpleNamespace(map=settings),
    )  # fmt: skip
    covered = small_covered().assign(name=EVIL)
    given = everything() | {"plan": plan, "covered": covered, "gaps": small_gaps().assign(unit_name=EVIL, nearest_name=EVIL)}
    visit = Visit(browser, write_map(tmp_path / "evil.html", study, **given), DESKTOP)  # type: ignore[arg-type]
    visit.page.evaluate("document.querySelector('details').open = true")
    for choice in ("2", "3", ""):
        visit.page.locator(f"input[name=choropleth][value='{choice}']").check()
        visit.page.evaluate(OPEN_ALL)
    for selector in ("[data-site='0']", "[data-gap='0']"):
        visit.page.locator(selector).click()
    visit.page.evaluate("() => { careshed.layers.facilities.eachLayer((g) => g.eachLayer((f) => f.openPopup())); }")
    visit.page.evaluate("() => { careshed.map.setZoom(17, {animate: false}); }")
    visit.page.wait_for_timeout(100)

    assert EVIL in visit.page.inner_text("body")
    assert visit.page.locator("img[src=x]").count() == 0
    assert visit.complaints == []
    assert visit.page.title().startswith(EVIL)
    visit.context.close()


def test_shares_by_unit_replace_the_bands_and_give_them_back(visit: Visit) -> None:
    visit.page.locator("input[name=choropleth][value='']").focus()
    visit.page.keyboard.press("ArrowRight")

    assert visit.page.locator(".leaflet-share2-pane path").count() == 1
    assert not visit.has("bands")
    assert not visit.page.locator("[data-layer=bands]").is_checked()
    visit.page.keyboard.press("ArrowRight")
    assert visit.page.locator(".leaflet-share3-pane path").count() == 3
    assert visit.page.locator(".leaflet-share2-pane path").count() == 0
    visit.page.locator("input[name=choropleth][value='']").check()
    assert visit.has("bands")
    assert visit.page.locator(".leaflet-share3-pane path").count() == 0


def test_choosing_a_site_flies_there_and_explains_it(visit: Visit) -> None:
    before = visit.state()
    visit.page.locator("[data-site='0']").focus()
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(".leaflet-popup")

    site = everything()["plan"].sites.to_crs("EPSG:4326").geometry.iloc[0]
    lat, lng, _ = visit.state()
    assert (lat, lng) == pytest.approx((site.y, site.x), abs=1e-3)
    assert visit.state() != before
    assert "补上缺口 1" in visit.page.locator(".leaflet-popup").inner_text()
    assert visit.page.locator("[data-site='0']").get_attribute("aria-current") == "true"


def test_the_whole_area_comes_back_at_a_key_press(visit: Visit) -> None:
    before = visit.state()
    visit.page.evaluate("careshed.map.setView([0, 0], 5, {animate: false})")
    visit.page.locator(".home a").focus()
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_timeout(2000)  # the flight takes 0.8 s

    assert visit.state() == pytest.approx(before, abs=1e-3)


def test_a_gap_is_found_from_the_list(visit: Visit) -> None:
    visit.page.locator("[data-gap='0']").click()
    visit.page.wait_for_selector(".leaflet-popup")

    assert "缺口 1 · 第二社区" in visit.page.locator(".leaflet-popup").inner_text()


def test_names_from_data_stay_text_in_tooltips(visit: Visit) -> None:
    visit.page.evaluate("careshed.layers.facilities.eachLayer(g => g.eachLayer(f => f.openTooltip()))")

    assert EVIL in visit.page.locator(".leaflet-tooltip").first.inner_text()
    assert visit.page.locator("img[src=x]").count() == 0
    assert visit.complaints == []


def test_a_phone_shows_the_sentence_then_the_map_then_the_rest(browser: Browser, written: Path, tmp_path: Path) -> None:
    visit = Visit(browser, written, PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    visit.page.screenshot(path=tmp_path / "phone.png", full_page=True)
    boxes = [visit.page.locator(name).bounding_box() for name in ("#head", "#stage", "#panel")]

    tops = [box["y"] for box in boxes if box is not None]
    assert tops == sorted(tops)
    assert visit.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert visit.complaints == []
    visit.context.close()


def test_a_printed_page_shows_map_legend_and_notes_at_the_size_of_the_paper(visit: Visit) -> None:
    visit.page.locator("#paper").select_option("a3")
    visit.page.locator("[data-layer=streets]").uncheck()
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    stage, head, legend = (visit.page.locator(name).bounding_box() for name in ("#stage", "#head", ".legend"))

    assert visit.page.locator("dl").is_visible()
    assert not visit.page.locator(".leaflet-control-zoom").is_visible()
    assert not visit.page.locator(".printbox").is_visible()
    assert not visit.page.locator("[data-layer=streets] + .name").is_visible()
    assert stage is not None
    assert head is not None
    assert legend is not None
    # the sheet's content is 277 x 400 mm: title, map and legend fill it and no more
    assert stage["width"] == pytest.approx(277 / 25.4 * 96, abs=1)
    assert head["height"] + stage["height"] + legend["height"] == pytest.approx(400 / 25.4 * 96, abs=30)
    assert head["height"] + stage["height"] + legend["height"] <= 400 / 25.4 * 96
    visit.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not visit.page.locator("dl").is_visible()
    assert visit.page.locator("#panel .legend").count() == 1


def test_the_paper_chosen_is_the_paper_printed(visit: Visit) -> None:
    visit.page.locator("#paper").select_option("a3l")
    pdf = visit.page.pdf(prefer_css_page_size=True, print_background=True)
    boxes = {tuple(round(float(edge)) for edge in found.split()[2:]) for found in re.findall(rb"/MediaBox \[([^\]]+)\]", pdf)}

    assert boxes == {(1191, 842)}


def test_nothing_is_cut_at_twice_the_size(browser: Browser, written: Path) -> None:
    visit = Visit(browser, written, {"width": 720, "height": 450})  # 1440 x 900 at 200 %

    assert visit.page.evaluate("document.documentElement.scrollWidth") == 720
    assert visit.page.locator("#stage").bounding_box()["width"] == 720  # type: ignore[index]
    visit.context.close()


def test_the_script_asks_for_nothing_newer_than_chromium_80(written: Path) -> None:
    script = written.read_text(encoding="utf-8").split("Unpacks what careshed.maps.encode packs")[1]
    newer = [
        word
        for word in ("??=", "||=", "&&=", ".at(-1)", "structuredClone", "replaceAll(", "DecompressionStream")
        if word in script
    ]

    assert newer == []
    assert "inset:" not in written.read_text(encoding="utf-8").split(".skip{")[1].split("</style>")[0].replace("inset 0", "")


def test_reduced_motion_is_respected(browser: Browser, written: Path) -> None:
    visit = Visit(browser, written, DESKTOP, reduced_motion="reduce")
    before = visit.state()
    visit.page.locator("[data-site='1']").click()

    assert visit.state() != before
    assert visit.page.locator(".leaflet-popup").is_visible()
    visit.context.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_no_serious_violation(browser: Browser, written: Path, size: dict[str, int]) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    visit = Visit(browser, written, size)
    visit.page.evaluate("document.querySelector('details').open = true")
    found = axe.Axe().run(visit.page).response

    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious] == []
    assert {"color-contrast", "html-has-lang", "button-name"} <= {one["id"] for one in found["passes"]}
    visit.context.close()
