"""The map page in a browser without a network: nothing is fetched, nothing fails, everything can be reached by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_maps import EVIL, everything, small_study

from careshed.maps import write_map

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


def test_the_bands_are_painted(visit: Visit) -> None:
    # the middle of the first cell lies in the 5-minute band alone among the fills: its colour is #0a6168
    pixel = visit.page.evaluate(
        """() => {
            const canvas = document.querySelector('.leaflet-bands-pane canvas'), box = canvas.getBoundingClientRect();
            const outer = careshed.map.getContainer().getBoundingClientRect();
            const shapes = []; careshed.layers.bands.eachLayer(group => group.eachLayer(shape => shapes.push(shape)));
            const at = careshed.map.latLngToContainerPoint(shapes.at(-1).getBounds().getCenter());
            const scale = canvas.width / box.width;
            const x = (at.x + outer.left - box.left) * scale, y = (at.y + outer.top - box.top) * scale;
            return [...canvas.getContext('2d').getImageData(Math.round(x), Math.round(y), 1, 1).data];
        }"""
    )

    assert pixel == [0x0A, 0x61, 0x68, 255]


def test_the_population_picture_lies_on_its_cells(visit: Visit) -> None:
    visit.page.locator("[data-layer=population]").check()
    cells = small_study().cells.to_crs("EPSG:4326")
    box = visit.page.locator("img.crisp").bounding_box()
    assert box is not None
    for point in cells.geometry:
        at = visit.page.evaluate(
            "([lat, lng]) => { const p = careshed.map.latLngToContainerPoint([lat, lng]), b = careshed.map.getContainer()"
            ".getBoundingClientRect(); return [p.x + b.left, p.y + b.top]; }",
            [point.y, point.x],
        )
        assert box["x"] < at[0] < box["x"] + box["width"]
        assert box["y"] < at[1] < box["y"] + box["height"]


def test_every_switch_works_by_keyboard(visit: Visit) -> None:
    for key in ("bands", "gaps", "sites", "facilities", "units", "streets", "population"):
        before = visit.has(key)
        visit.page.locator(f"[data-layer={key}]").focus()
        visit.page.keyboard.press("Space")
        assert visit.has(key) is not before
    assert visit.complaints == []


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


def test_a_printed_page_shows_map_and_notes(visit: Visit) -> None:
    visit.page.emulate_media(media="print")
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert visit.page.locator("dl").is_visible()
    assert visit.page.locator("#stage").is_visible()
    assert not visit.page.locator(".leaflet-control-zoom").is_visible()


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
