"""Frame a figure for a slide or a page: the finding as its title, what it shows below, source and date at its foot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from careshed.figures.fonts import typeface
from careshed.figures.furniture import Entry, chip, legend, legend_height, north_arrow, scale_bar
from careshed.figures.ground import Bounds, Box, Ground, View, fitted_view
from careshed.figures.page import LINE, MM_PER_POINT, SOFT, Page, look, new_page
from careshed.maps.facts import Reached, Scope, judged_count, reached_counts, scope_of
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from careshed.run import ServiceResult
    from careshed.study import Study

SizeMm = tuple[float, float]

LEGEND_SIZES: Final = (0.85, 0.78, 0.7, 0.62, 0.55)
"""Sizes of a legend's letters, of which the largest is taken that fits."""


PRINTED_MM: Final = 220.0
"""A map no wider than this is read on paper, not on a screen: it is cropped to the study, its letters are as large as print."""

LEAST_MM: Final = 80.0
"""A lower map has no room for letters as large as print."""

PRINTED_BASE: Final = 10.0
"""Ordinary letters of a printed map, points, so that the smallest are 7."""

PRINTED_SIZES: Final = (0.85, 0.8)
"""Sizes of a printed legend's letters, as `LEGEND_SIZES`."""


@dataclass(frozen=True)
class Told:
    """The words of a figure."""

    title: str
    """What it finds, with the number."""
    under: str
    """What it shows: place, service, group, limit."""
    foot: str = ""
    """How to read it, or what it rests on."""


@contextmanager
def framed(study: Study, told: Told, lang: Lang, size_mm: SizeMm, *, printed: bool = False) -> Iterator[tuple[Page, Box]]:
    """Open a page with its title and foot, and give the box that is left for the drawing, millimetres.

    Parameters
    ----------
    printed
        Whether it stands in a paper, which has margins of its own and letters of 7 points and more.
    """
    families = typeface(lang, (study.name, told.title, told.under, *map(str, study.units["name"])))
    with look(families):
        page = new_page(size_mm, lang, families, base=PRINTED_BASE if printed else 0.0)
        yield page, _frame(page, study, told, printed=printed)


def _frame(page: Page, study: Study, told: Told, *, printed: bool) -> Box:
    edge = 1.0 if printed else page.width * 0.028
    top, low = page.height - edge * 1.1, edge * 0.75
    room = page.width - 2 * edge
    if study.made_up:
        mark = pick(page.lang, "虚构数据", "made-up data")
        room = chip(page, page.width - edge, top, mark) - edge - 3
    size, title = _fitted_title(page, told.title, room, PRINTED_TITLES if printed else TITLES)
    top = page.write_lines(edge, top, title, size, bold=True)
    times = 0.85 if printed else 1.0
    under = page.wrapped(told.under, page.width - 2 * edge, times)
    top = page.write_lines(edge, top - page.line() * 0.1, under, times, colour=SOFT)
    date = pick(page.lang, f"数据截至 {study.data_date}", f"Data as of {study.data_date}") if study.data_date else ""
    number = study.config.map.approval_no
    approval = pick(page.lang, f"审图号：{number}", f"Map approval no. {number}") if number else ""
    gap = pick(page.lang, "。", ". ")
    foot = page.wrapped(
        gap.join(part.rstrip("。. ") for part in (told.foot, date, approval) if part), page.width - 2 * edge, 0.78
    )
    base = low + page.line(0.78) * len(foot)
    page.write_lines(edge, base, foot, 0.78, colour=SOFT)
    page.rule((edge, page.width - edge), (base + 1.2, base + 1.2), colour=LINE, width=0.8)
    return edge, base + 1.2 + max(edge * 0.5, 1.2), page.width - edge, top - page.line() * 0.45


TITLES: Final = ((1.75, 1), (1.6, 1), (1.45, 1), (1.55, 2), (1.35, 2), (1.2, 3))
PRINTED_TITLES: Final = ((1.2, 1), (1.1, 1), (1.1, 2), (1.0, 3))
"""Sizes of a title, with the lines that it may take in each, tried in their order."""


def _fitted_title(page: Page, title: str, room: float, tried: Sequence[tuple[float, int]]) -> tuple[float, list[str]]:
    """Set the title on one line where a little smaller letters allow that, else on two, else as small as it must be."""
    for size, most in tried:
        lines = page.wrapped(title, room, size, bold=True)
        if len(lines) <= most:
            break
    return size, lines


@contextmanager
def map_frame(study: Study, told: Told, lang: Lang, size_mm: SizeMm) -> Iterator[tuple[Page, View, list[Entry]]]:
    """Open a framed map of the whole study; the list is filled with the legend's entries, drawn at its right when done."""
    printed = size_mm[0] <= PRINTED_MM and size_mm[1] >= LEAST_MM
    with framed(study, told, lang, size_mm, printed=printed) as (page, box):
        left, low, right, top = box
        side, ground = max((0.27 if printed else 0.215) * page.width, page.pt(1) * 3.4), Ground(study)
        gap = 3.0 if printed else left * 0.5
        mapped = (left, low, right - side - gap, top)
        if printed:
            mapped = _cropped(mapped, ground.bounds())
            side = right - mapped[2] - gap
        view = fitted_view(page, mapped, ground, ground.bounds())
        _reserve(view)
        entries: list[Entry] = []
        yield page, view, entries
        entries = [_in_line(page, one) for one in entries] if printed else entries
        x, sizes = right - side, PRINTED_SIZES if printed else LEGEND_SIZES
        room = top - low - page.line() * 2.2
        times = next((one for one in sizes if legend_height(page, entries, side, times=one) <= room), sizes[-1])
        legend(page, x, top, entries, side, times=times)
        foot = low + page.pt(0.72) * MM_PER_POINT * 1.6
        wide = scale_bar(view, x + page.width_of("0", 0.72), foot, at_most=min(side, 0.3 * page.width) * 0.6)
        north_arrow(page, min(x + wide + min(side, 0.3 * page.width) * 0.28, right - 3), low, high=page.line() * 1.7)


def _in_line(page: Page, entry: Entry) -> Entry:
    """Put the second line of a legend's entry, whose letters would be too small on paper, behind its first."""
    if not entry.detail or entry.sign == "number":
        return entry
    return replace(entry, text=f"{entry.text}{pick(page.lang, '，', ', ')}{entry.detail}", detail="")


def _cropped(box: Box, bounds: Bounds) -> Box:
    """Cut a box of the page to the shape of the area that it shows; its upper left corner stays."""
    left, low, right, top = box
    west, south, east, north = bounds
    a_mm = max((east - west) / (right - left), (north - south) / (top - low)) or 1.0
    return left, top - (north - south) / a_mm, left + (east - west) / a_mm, top


def _reserve(view: View) -> None:
    """Keep words off the very edge of the map."""
    view.taken.append((view.x, view.y, view.x + view.width, view.y + 0.5))


@dataclass(frozen=True)
class About:
    """Whom a service's figures speak of, and how many of them reach it."""

    scope: Scope
    reached: Reached
    who: str
    name: str
    """Of the service."""
    how: str
    """Of the travel."""
    limit: str

    @property
    def under(self) -> str:
        """Say what a figure of the service shows."""
        parts = (self.scope.place, self.name, self.who, self.how, self.limit)
        return "  ·  ".join(part for part in parts if part)


def about(study: Study, one: ServiceResult, lang: Lang) -> About:
    """Say what a service's figures speak of."""
    scope = scope_of(study, service=one.service.id, group=None, lang=lang, times=one.times, covered=one.covered)
    found = judged_count(scope, reached_counts(scope, study.cells, one.times, one.covered))
    nobody = Reached(scope.group, one.service.within_minutes, 0.0, 0.0, 0.0)
    mode = one.times.mode
    return About(
        scope=scope,
        reached=found or nobody,
        who=group_name(scope.group, lang),
        name=scope.service,
        how=pick(lang, mode.zh, mode.en),
        limit=pick(lang, f"{one.service.within_minutes:g} 分钟", f"{one.service.within_minutes:g} min"),
    )


def percent(part: float, whole: float) -> str:
    """Write a share for a title, a dash where there is nobody.

    >>> percent(1, 3), percent(0, 0)
    ('33.3%', '–')
    """
    return f"{part / whole:.1%}" if whole > 0 else "–"


def several(entries: Sequence[Entry], head: str) -> list[Entry]:
    """Put a heading over entries of a legend."""
    return [Entry("head", head), *entries] if entries else []
