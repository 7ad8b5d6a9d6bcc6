"""Draw what a map needs beside the ground: scale bar, north arrow, legend, made-up mark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from careshed.figures.page import AMBER, AMBER_INK, INK, MM_PER_POINT, PAPER, SOFT, Page
from careshed.words import pick

if TYPE_CHECKING:
    from careshed.figures.ground import View

Sign = Literal["fill", "line", "dash", "dot", "ring", "pin", "hatch", "head", "number"]


@dataclass(frozen=True)
class Entry:
    """One line of a legend."""

    sign: Sign
    """``head`` for a heading without a sign, ``number`` for a number (in `detail`) that stands on the map."""
    text: str
    colour: str = INK
    edge: str = "none"
    width: float = 1.0
    """Of lines, points."""
    detail: str = ""
    """Second line, smaller."""
    marker: str = "o"
    """Shape of a dot or ring, as matplotlib names it."""
    letter: str = "1"
    """What stands on a pin."""


LEAST_POINTS: Final = 7.0
"""Letters smaller than this cannot be read on paper."""

_ROUND: Final = (1, 2, 5)


def round_length(metres: float) -> float:
    """Give the largest of 1, 2, 5, 10, 20 … that is not above a length.

    >>> round_length(730), round_length(2400)
    (500.0, 2000.0)
    """
    power = 10.0 ** math.floor(math.log10(metres))
    return max(one * power for one in _ROUND if one * power <= metres)


def scale_bar(view: View, x: float, y: float, *, at_most: float = 40.0, times: float = 0.72) -> float:
    """Draw a scale bar at a place of the page, two fields of a round length, and give its width in millimetres."""
    page = view.page
    half = round_length(at_most / 2 * view.metres_a_mm)
    long = half / view.metres_a_mm
    high = 1.1 * page.base / 9
    for field in (0, 1):
        page.box(x + field * long, y, long, high, facecolor=INK if field == 0 else PAPER, edgecolor=INK, linewidth=0.6, zorder=8)
    unit, by = (pick(page.lang, "千米", "km"), 1000) if half >= 1000 else (pick(page.lang, "米", "m"), 1)
    below = y - page.pt(times) * MM_PER_POINT * 1.15
    last = f"{2 * half / by:g}"
    for step, text in enumerate(("0", f"{half / by:g}", last)):
        page.write(x + step * long, below, text, times, colour=INK, align="center", zorder=8)
    page.write(x + 2 * long + page.width_of(last, times) / 2 + 0.8, below, unit, times, colour=INK, zorder=8)
    return 2 * long


def north_arrow(page: Page, x: float, y: float, *, high: float = 9.0) -> None:
    """Draw a north arrow whose foot stands at a place of the page; maps are drawn with grid north up."""
    from matplotlib.patches import Polygon

    half = high * 0.28
    for sign, colour in ((-1, INK), (1, PAPER)):
        corners = [(x, y + high), (x + sign * half, y), (x, y + high * 0.25)]
        page.paper.add_patch(Polygon(corners, closed=True, facecolor=colour, edgecolor=INK, linewidth=0.6, zorder=8))
    page.write(x, y + high + 0.8, pick(page.lang, "北", "N"), 0.8, bold=True, align="center", zorder=8)


def legend(page: Page, x: float, top: float, entries: Sequence[Entry], width: float, *, times: float = 0.85) -> float:
    """List the signs of a map downwards from `top`, and give the height at which they end, millimetres."""
    y, sign = top, page.pt(times) * MM_PER_POINT * 1.9
    for entry in entries:
        if entry.sign == "head":
            y = page.write_lines(
                x, y - page.line(times) * 0.25, page.wrapped(entry.text, width, times, bold=True), times, bold=True
            )
            y -= page.line(times) * 0.15
            continue
        room = width - sign * 1.45
        said = page.wrapped(entry.text, room, times)
        _sign(page, entry, x, y - page.line(times) * 0.5, sign, times)
        y = page.write_lines(x + sign * 1.45, y - page.line(times) * 0.06, said, times)
        y = page.write_lines(x + sign * 1.45, y, _details(page, entry, room, times), times * 0.88, colour=SOFT)
        y -= page.line(times) * 0.16
    return y


def legend_height(page: Page, entries: Sequence[Entry], width: float, *, times: float = 0.85) -> float:
    """How high a legend will be, millimetres."""
    sign, high = page.pt(times) * MM_PER_POINT * 1.9, 0.0
    for entry in entries:
        if entry.sign == "head":
            high += page.line(times) * (0.4 + len(page.wrapped(entry.text, width, times, bold=True)))
            continue
        room = width - sign * 1.45
        high += page.line(times) * (0.22 + len(page.wrapped(entry.text, room, times)))
        high += page.line(times * 0.88) * len(_details(page, entry, room, times))
    return high


def _details(page: Page, entry: Entry, room: float, times: float) -> list[str]:
    return page.wrapped(entry.detail, room, times * 0.88) if entry.detail and entry.sign != "number" else []


def _sign(page: Page, entry: Entry, x: float, y: float, wide: float, times: float) -> None:
    """Draw the sign of an entry with its middle at the height `y`."""
    high, middle = wide * 0.55, x + wide / 2
    edge = {"edgecolor": entry.edge, "linewidth": 0.0 if entry.edge == "none" else 0.8, "zorder": 7}
    if entry.sign in ("fill", "hatch"):
        hatch = {"hatch": "/////", "edgecolor": entry.edge} if entry.sign == "hatch" else {}
        page.box(x, y - high / 2, wide, high, facecolor=entry.colour, **(edge | hatch))
    elif entry.sign == "number":
        page.write(middle, y, entry.detail, times, colour=entry.colour, bold=True, align="center", at="center_baseline", zorder=8)
    elif entry.sign in ("line", "dash"):
        style = {"linestyle": (0, (4, 2))} if entry.sign == "dash" else {}
        page.rule((x, x + wide), (y, y), colour=entry.colour, width=entry.width, zorder=7, **style)
    else:
        face = PAPER if entry.sign == "ring" else entry.colour
        rim = entry.colour if entry.sign == "ring" else PAPER if entry.edge == "none" else entry.edge
        size = page.pt(times) * (1.05 if entry.sign == "pin" else 0.62)
        page.paper.plot(
            [middle], [y], entry.marker, markersize=size, markerfacecolor=face, markeredgecolor=rim, markeredgewidth=1.0, zorder=7
        )
        if entry.sign == "pin":
            small = min(times * 0.84, max(times * 0.68, LEAST_POINTS / page.base))
            page.write(middle, y, entry.letter, small, colour=PAPER, bold=True, align="center", at="center_baseline", zorder=8)


def chip(page: Page, right: float, top: float, text: str, times: float = 0.85) -> float:
    """Write a small mark on amber, its upper right corner at a place of the page, and give its left edge."""
    wide, high = page.width_of(text, times, bold=True) + 4, page.pt(times) * MM_PER_POINT * 1.75
    page.box(right - wide, top - high, wide, high, facecolor=AMBER, zorder=8)
    page.write(right - wide / 2, top - high / 2, text, times, colour=AMBER_INK, bold=True, align="center", at="center_baseline",
               zorder=9)  # fmt: skip
    return right - wide
