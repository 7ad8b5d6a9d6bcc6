"""Size and first paint of the map page at its largest, beside folium's GeoJson way and `GeoDataFrame.explore` on the same data.

``python benchmarks/maps.py [--rounds N] [--peer-cells N] [--no-peers]`` draws 200,000 cells, 2,000 facilities and 500 units over
the streets of Porto (a made-up lattice where the data are absent).

*First paint* is when the map's shapes stand on the screen, not when the first word does: a mark set in the frame after the page's
own scripts have run, the same for every page. The clock is read from the start of navigation, in headless Chromium without a
network. As the machine may be shared, the limit is checked on the processor time of the page's main thread (CDP ``Performance``,
``threadTicks``), on which parsing, script, layout and painting run one after the other: on an idle machine the clock shows little
more. Both are printed, with the load.

The peers keep their scripts on other machines. To be fair to them Leaflet is answered from this machine at once, the rest of
their scripts and styles with nothing (no time lost, less to parse than in truth), and what they would fetch is not counted in
their size.
They draw the same streets, units, bands and facilities, and by default only a tenth of the cells, since one SVG element a cell
stalls the browser for minutes; ``--peer-cells`` asks for more.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

from maps_town import large_study
from verdicts import MB, Verdicts, data_folder, skip

MOST_MB: Final = 5.0
MOST_SECONDS: Final = 2.0
CHROMIUM: Final = "/usr/bin/chromium"
VIEW: Final = {"width": 1440, "height": 900}
WAIT_MS: Final = 300_000

PROBE: Final = (
    """addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => setTimeout(() => performance.mark("probe"))))"""
)
SEEN: Final = """() => ({clock: performance.getEntriesByName("probe")[0].startTime / 1000,
  word: (performance.getEntriesByName("first-contentful-paint")[0] || {startTime: NaN}).startTime / 1000})"""


class Painted(NamedTuple):
    """One opening of a page, seconds."""

    clock: float
    """From the start of navigation to the shapes on the screen."""
    processor: float
    """Processor time of the page's main thread until then."""
    word: float
    """First contentful paint: the first word or line."""


@contextmanager
def chromium() -> Iterator[Any]:
    """Start one headless browser for all pages."""
    from playwright.sync_api import sync_playwright

    path = CHROMIUM if Path(CHROMIUM).exists() else None
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-background-networking"])
        yield opened
        opened.close()


def answer(route: Any) -> None:
    """Let the page's own file through; answer Leaflet from here and anything else with nothing."""
    url = route.request.url
    if url.startswith("file:"):
        route.continue_()
    elif url.endswith(("leaflet.js", "leaflet.css")):
        leaflet = files("js_lib_leaflet").joinpath("static/js_lib_leaflet", url.rsplit("/", 1)[1])
        route.fulfill(body=leaflet.read_bytes(), content_type="text/javascript" if url.endswith("js") else "text/css")
    else:
        route.fulfill(body="", content_type="text/css" if url.endswith("css") else "text/javascript")


def paint(browser: Any, page: Path) -> Painted:
    """Open a page once, in a fresh context."""
    context = browser.new_context(viewport=VIEW)
    opened = context.new_page()
    opened.add_init_script(PROBE)
    opened.route("**/*", answer)
    opened.set_default_timeout(WAIT_MS)
    talk = context.new_cdp_session(opened)
    talk.send("Performance.enable", {"timeDomain": "threadTicks"})
    opened.goto(page.as_uri(), wait_until="domcontentloaded", timeout=WAIT_MS)
    for _ in range(WAIT_MS // 20):  # wait_for_function needs eval, which careshed's page forbids
        if opened.evaluate("performance.getEntriesByName('probe').length"):
            break
        opened.wait_for_timeout(20)
    metrics = {one["name"]: one["value"] for one in talk.send("Performance.getMetrics")["metrics"]}
    seen = opened.evaluate(SEEN)
    context.close()
    return Painted(seen["clock"], metrics["TaskDuration"], seen["word"])


def median(rounds: list[Painted]) -> Painted:
    """Take the middle of each figure."""
    return Painted(*(statistics.median(values) for values in zip(*rounds, strict=True)))


def told(name: str, page: Path, rounds: list[Painted]) -> Painted:
    """Print size and every reading of a page; give the medians."""
    middle = median(rounds)
    clocks = ", ".join(f"{one.clock:.2f}" for one in rounds)
    print(
        f"{name}: {page.stat().st_size / MB:.2f} MB; shapes on screen after {middle.clock:.2f} s on the clock ({clocks}), "
        f"{middle.processor:.2f} s of the main thread; first word after {middle.word:.2f} s",
        flush=True,
    )
    return middle


def squares(study: Any, many: int) -> Any:
    """Draw the first cells as the squares that the peers need, with what their tooltips show."""
    import numpy as np

    cells = study.cells.iloc[:many]
    half = study.population.grid.transform[0] / 2
    shapes = cells.geometry.buffer(half, cap_style="square")
    return cells[["p60", "p80", "total"]].round(1).set_geometry(shapes).assign(minutes=np.arange(len(cells)) % 30)


def peer_tables(study: Any, drawn: dict[str, Any], many: int) -> list[tuple[str, Any]]:
    """List what the peers draw, from the ground up."""
    streets = study.streets.lines(study.crs)[["rank", "geometry"]]
    units = study.units[["name", "level", "geometry"]]
    return [
        ("streets", streets),
        ("cells", squares(study, many)),
        ("bands", drawn["isochrones"]),
        ("units", units),
        ("gaps", drawn["gaps"][["people", "unit_name", "geometry"]]),
        ("facilities", study.facilities("care")[["name", "places", "geometry"]]),
    ]


def by_folium(tables: list[tuple[str, Any]], page: Path) -> Path:
    """Draw every table with `folium.GeoJson`, as its guide does."""
    import folium

    whole = tables[0][1].to_crs("EPSG:4326").total_bounds
    frame = folium.Map(tiles=None)
    frame.fit_bounds([[whole[1], whole[0]], [whole[3], whole[2]]])
    for name, table in tables:
        fields = [column for column in table.columns if column != "geometry"]
        dots = {"marker": folium.CircleMarker(radius=4)} if name == "facilities" else {}
        here = table.to_crs("EPSG:4326")
        folium.GeoJson(here, name=name, tooltip=folium.GeoJsonTooltip(fields), **dots).add_to(frame)
    folium.LayerControl().add_to(frame)
    frame.save(str(page))
    return page


def by_explore(tables: list[tuple[str, Any]], page: Path) -> Path:
    """Draw every table with `GeoDataFrame.explore` on one map."""
    frame = None
    for name, table in tables:
        frame = table.explore(m=frame, name=name, tiles=None) if frame is None else table.explore(m=frame, name=name)
    assert frame is not None
    frame.save(str(page))
    return page


PEERS: Final[dict[str, Callable[[list[tuple[str, Any]], Path], Path]]] = {"folium GeoJson": by_folium, "explore": by_explore}


def main() -> int:
    """Draw, open, compare."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cells", type=int, default=200_000)
    parser.add_argument("--peer-cells", type=int, default=20_000)
    parser.add_argument("--no-peers", action="store_true")
    asked = parser.parse_args()
    verdicts = Verdicts()
    study, drawn = large_study(real_streets(), cells=asked.cells, facilities=2000, units=500)
    print(f"{len(study.cells):,} cells, {len(study.facilities('')):,} facilities, {len(study.units):,} units")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = ours(study, drawn, Path(folder) / "ours.html")
        own = told("careshed", page, [paint(browser, page) for _ in range(asked.rounds)])
        verdicts.at_most("size of the page", page.stat().st_size / MB, MOST_MB, "MB")
        verdicts.at_most("first paint, processor time of the main thread", own.processor, MOST_SECONDS, "s")
        on_the_clock(verdicts, own)
        if not asked.no_peers:
            against(browser, peer_tables(study, drawn, asked.peer_cells), Path(folder), own, page.stat().st_size)
    return verdicts.exit_code()


def on_the_clock(verdicts: Verdicts, own: Painted) -> None:
    """Check the clock too where the machine is not busy with other work, else say that it is."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load <= cores:
        verdicts.at_most("first paint on the clock", own.clock, MOST_SECONDS, "s")
    else:
        skip("first paint on the clock", f"load {load:.1f} on {cores} cores: others use them; {own.clock:.2f} s were read")


def real_streets() -> Any:
    """Read the streets of Porto, None where they are absent."""
    folder = data_folder("porto_pt")
    if folder is None:
        skip("the streets of Porto", "no data folder; a made-up lattice of streets is drawn")
        return None
    from careshed.intake.streets import read_streets

    return read_streets(next(folder.glob("*.osm.pbf"))).table


def ours(study: Any, drawn: dict[str, Any], page: Path) -> Path:
    """Write careshed's page."""
    from careshed.maps import write_map

    return write_map(page, study, service="care", **drawn)


def against(browser: Any, tables: list[tuple[str, Any]], folder: Path, own: Painted, size: int) -> None:
    """Draw the same with each peer and print how it compares."""
    from playwright.sync_api import Error

    print(f"peers draw {len(dict(tables)['cells']):,} of the cells")
    for name, draw in PEERS.items():
        try:
            page = draw(tables, folder / f"{name.split()[0]}.html")
        except ImportError as missing:
            skip(name, str(missing).splitlines()[0])
            continue
        try:
            peer = told(name, page, [paint(browser, page)])
        except Error as error:
            print(f"{name}: {page.stat().st_size / MB:.1f} MB; did not paint: {str(error).splitlines()[0]}")
            continue
        print(
            f"  careshed against {name}: {page.stat().st_size / size:.1f} times smaller, "
            f"{peer.processor / own.processor:.1f} times sooner (main thread), {peer.clock / own.clock:.1f} times on the clock"
        )


if __name__ == "__main__":
    sys.exit(main())
