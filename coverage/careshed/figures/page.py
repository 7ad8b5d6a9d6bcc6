"""Lay out one figure on paper: millimetres from the lower left corner, words in points, no state outside the figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from careshed.figures.fonts import embedding, typeface
from careshed.words import Lang

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MM_PER_INCH: Final = 25.4
MM_PER_POINT: Final = MM_PER_INCH / 72

SLIDE_MM: Final = (338.67, 190.5)
"""A 16:9 slide, 13.33 × 7.5 inches."""

INK, SOFT, LINE, PAPER, GROUND = "#1d2730", "#55616c", "#dfe3e6", "#ffffff", "#f6f5f1"
TEAL, GAP, GAP_EDGE, SITE = "#0a6168", "#ee9468", "#b23f08", "#7c1f56"
AMBER, AMBER_INK = "#ffe9bd", "#6b4300"

LEADING: Final = 1.38
"""Line to line, in sizes of the letters."""


@dataclass(frozen=True)
class Page:
    """A figure to draw on, with a sheet of axes that counts millimetres."""

    figure: Figure
    paper: Axes
    """Covers the whole figure: 0 to `width` and 0 to `height`, millimetres."""
    width: float
    height: float
    lang: Lang
    base: float
    """Size of ordinary words, points."""
    families: tuple[str, ...]

    def pt(self, times: float) -> float:
        """Size of letters as a multiple of ordinary ones, points."""
        return self.base * times

    def stroke(self, points: float) -> float:
        """Width of a line as on a slide, thinner on a smaller page, points."""
        return points * min(max(self.base / 13, 0.5), 1.0)

    def line(self, times: float = 1.0) -> float:
        """Line to line of letters of that size, millimetres."""
        return self.pt(times) * MM_PER_POINT * LEADING

    def width_of(self, text: str, times: float = 1.0, *, bold: bool = False) -> float:
        """How wide a text will be, millimetres."""
        return _points_wide(text or " ", self.families, bold) * self.pt(times) * MM_PER_POINT

    def wrapped(self, text: str, width: float, times: float = 1.0, *, bold: bool = False) -> list[str]:
        """Break a text into lines of at most `width` millimetres: Chinese between any two signs, other words between words."""
        lines, now = [], ""
        for piece in _pieces(text):
            if now and self.width_of((now + piece).rstrip(), times, bold=bold) > width:
                lines.append(now.rstrip())
                now = piece.lstrip()
            else:
                now += piece
        return [*lines, now.rstrip()] if now.strip() else lines

    def clipped(self, text: str, width: float, times: float = 1.0, *, bold: bool = False) -> str:
        """Shorten a text to `width` millimetres, with an ellipsis where something is left out."""
        if self.width_of(text, times, bold=bold) <= width:
            return text
        kept = text
        while kept and self.width_of(f"{kept}…", times, bold=bold) > width:
            kept = kept[:-1]
        return f"{kept.rstrip()}…"

    def write(
        self,
        x: float,
        y: float,
        text: str,
        times: float = 1.0,
        *,
        colour: str = INK,
        bold: bool = False,
        align: str = "left",
        at: str = "baseline",
        **more: Any,
    ) -> None:
        """Write one line at a place, millimetres."""
        weight = "bold" if bold else "normal"
        self.paper.text(
            x, y, " ".join(text.split("\n")), size=self.pt(times), color=colour, weight=weight, ha=align, va=at, **more
        )

    def write_lines(
        self, x: float, top: float, lines: Iterable[str], times: float = 1.0, *, colour: str = INK, bold: bool = False
    ) -> float:
        """Write lines downwards from `top`, and give the height at which they end."""
        y = top
        for text in lines:
            self.write(x, y - self.pt(times) * MM_PER_POINT, text, times, colour=colour, bold=bold)
            y -= self.line(times)
        return y

    def box(self, x: float, y: float, width: float, height: float, **look: Any) -> None:
        """Draw a rectangle, millimetres."""
        from matplotlib.patches import Rectangle

        self.paper.add_patch(Rectangle((x, y), width, height, **({"linewidth": 0} | look)))

    def rule(self, x: Iterable[float], y: Iterable[float], *, colour: str = INK, width: float = 0.6, **look: Any) -> None:
        """Draw a line, millimetres; its width in points."""
        self.paper.plot(list(x), list(y), color=colour, linewidth=width, **({"solid_capstyle": "butt"} | look))


@lru_cache(maxsize=20_000)
def _points_wide(text: str, families: tuple[str, ...], bold: bool) -> float:
    """Width of a text in letters of one point, points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=list(families), size=100, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 100


_NO_START: Final = "，。；：、！？）》”’％%"


def _pieces(text: str) -> Iterator[str]:
    """Cut a text where a line may break; closing marks stay with what they close."""
    now = ""
    for sign in text:
        wide = ord(sign) >= 0x2E80
        if now and sign not in _NO_START and (wide or now[-1] == " " or ord(now[-1]) >= 0x2E80) and now[-1] not in "（《“":
            yield now
            now = ""
        now += sign
    if now:
        yield now


@contextmanager
def look(families: Iterable[str]) -> Iterator[None]:
    """Set how figures look while one is drawn or written; nothing stays set afterwards, a user's own settings do not count."""
    import matplotlib

    own: dict[str, Any] = {
        "font.family": list(families),
        "text.parse_math": False,
        "text.usetex": False,
        "axes.unicode_minus": False,
        "axes.edgecolor": SOFT,
        "axes.labelcolor": SOFT,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "text.color": INK,
        "path.simplify": True,
        "svg.fonttype": "path",
        "svg.hashsalt": "careshed",
        "pdf.fonttype": embedding(families),
        "pdf.compression": 9,
        "pdf.use14corefonts": False,
        "savefig.facecolor": "auto",
        "savefig.bbox": None,
    }
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # which leaves the backend alone
        settings: Any = matplotlib.rcParams
        settings.update(own)
        yield


def new_page(size_mm: tuple[float, float], lang: Lang, families: Iterable[str] | None = None, *, base: float = 0.0) -> Page:
    """Open a blank page of a size in millimetres; within `look`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = size_mm
    figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH), dpi=150, facecolor=PAPER)
    FigureCanvasAgg(figure)
    paper = figure.add_axes((0, 0, 1, 1), zorder=5)
    paper.set(xlim=(0, width), ylim=(0, height))
    paper.set_axis_off()
    paper.set_autoscale_on(False)
    fitting = max(7.0, 13.0 * min(width / SLIDE_MM[0], height / SLIDE_MM[1]))
    return Page(figure, paper, width, height, lang, base or fitting, tuple(families or typeface(lang)))


def axes_at(page: Page, x: float, y: float, width: float, height: float, **more: Any) -> Axes:
    """Put axes on the page, millimetres."""
    rect = (x / page.width, y / page.height, width / page.width, height / page.height)
    return page.figure.add_axes(rect, **more)
