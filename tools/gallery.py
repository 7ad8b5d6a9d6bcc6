"""Make the pictures of docs/gallery.md from the demo town, so that they show what careshed writes today.

    make gallery

Needs Chromium, poppler (pdftoppm) and LibreOffice; takes some minutes. Look at the pictures before you commit them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PICTURES: Final = Path(__file__).parents[1] / "docs" / "assets" / "gallery"

COMMANDS: Final = (
    "demo {town}",
    "what-if {town}/data/raw/demo/study.toml -s childcare -o {out}/whatif.html --lang en",
    "compare-runs {town}/data/raw/demo/study.toml -s day_care --streets bridge -o {out}/bridge.html",
    "plan-sites {town}/data/raw/demo/plans.toml -o {out}/plans",
    "brief {town}/data/raw/demo/plans.toml -o {out}/brief.docx --pdf -q",
    "atlas {town}/data/raw/demo/study.toml -s childcare -o {out}/atlas.pdf -q",
    "figures {town}/data/raw/demo/plans.toml -o {out}/figures -q --lang en",
)
"""What a planner types, after ``careshed``."""


@dataclass(frozen=True)
class Shot:
    """A page of HTML as a reader sees it."""

    name: str
    page: str
    size: tuple[int, int] = (1440, 900)
    act: str = ""
    """Script to run before the picture is taken."""


SHOTS: Final = (
    Shot("map", "{town}/maps/demo/childcare.html"),
    Shot("phone", "{town}/maps/demo/day_care.html", (390, 844)),
    Shot("places", "{town}/maps/demo/day_care_places.html"),
    Shot("whatif", "{out}/whatif.html"),
    Shot("bridge", "{out}/bridge.html", act="document.querySelector('[data-opened]').click()"),
    Shot("scorecard", "{town}/maps/demo/scorecard.html"),
    Shot("index", "{town}/maps/demo/index.html"),
)

SHEETS: Final = (
    ("brief", "{out}/brief.pdf", 1, 75),
    ("atlas", "{out}/atlas.pdf", 4, 75),
    ("workbook", "{out}/committee.pdf", 4, 75),
)
"""Name, file, page and dots per inch of printed pages."""


FIGURES: Final = {"plan_street_chifeng_frontier": "frontier", "childcare_fairness": "lorenz", "childcare_isochrones": "bands"}
"""Figure of `careshed figures` -> name of its picture."""


def main() -> int:
    """Run the commands in a folder of their own and keep one picture of each product."""
    missing = [name for name in ("chromium", "pdftoppm", "soffice") if shutil.which(name) is None]
    if missing:
        print(f"not installed: {', '.join(missing)}", file=sys.stderr)
        return 1
    with TemporaryDirectory() as folder:
        where = {"town": f"{folder}/town", "out": f"{folder}/out"}
        Path(where["out"]).mkdir()
        for command in COMMANDS:
            print(command, flush=True)
            subprocess.run([sys.executable, "-m", "careshed", *command.format(**where).split()], check=True, cwd=folder)
        workbook = Path(where["town"], "maps", "demo", "committee.xlsx")
        office = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/office", "--convert-to", "pdf"]
        subprocess.run([*office, "--outdir", where["out"], str(workbook)], check=True, capture_output=True)
        PICTURES.mkdir(parents=True, exist_ok=True)
        _pages(where)
        _sheets(where)
        for figure in sorted(Path(where["out"], "figures").glob("*.png")):
            if figure.stem in FIGURES:
                _keep(figure, FIGURES[figure.stem])
    return 0


def _pages(where: dict[str, str]) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        for shot in SHOTS:
            _shoot(browser, shot, Path(shot.page.format(**where)))
        browser.close()


def _shoot(browser: Browser, shot: Shot, page: Path) -> None:
    width, height = shot.size
    tab = browser.new_page(viewport={"width": width, "height": height})
    tab.goto(page.as_uri())
    tab.wait_for_timeout(1000)
    if shot.act:
        tab.evaluate(shot.act)
        tab.wait_for_timeout(2500)
    taken = page.with_suffix(".png")
    tab.screenshot(path=taken)
    tab.close()
    _keep(taken, shot.name)


def _sheets(where: dict[str, str]) -> None:
    for name, file, page, dpi in SHEETS:
        taken = Path(where["out"], name)
        at = ["-f", str(page), "-l", str(page), "-r", str(dpi), "-png", "-singlefile"]
        subprocess.run(["pdftoppm", *at, file.format(**where), str(taken)], check=True)
        _keep(taken.with_suffix(".png"), name)


def _keep(picture: Path, name: str) -> None:
    """Write a picture with 128 colours, which is a third of the size and looks the same."""
    from PIL import Image, ImageChops

    kept = PICTURES / f"{name}.png"
    with Image.open(picture) as image:
        shown = image.convert("RGB")
        ink = ImageChops.difference(shown, Image.new("RGB", shown.size, shown.getpixel((0, 0)))).getbbox()
        left, top, right, low = ink or (0, 0, *shown.size)
        # 12 pixels of paper stay around what is printed
        shown = shown.crop((max(left - 12, 0), max(top - 12, 0), min(right + 12, shown.width), min(low + 12, shown.height)))
        shown.quantize(128, dither=Image.Dither.NONE).save(kept, optimize=True)
    print(f"{kept.relative_to(PICTURES.parents[2])}  {kept.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
