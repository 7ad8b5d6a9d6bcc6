"""Set the cover of the atlas with its list of sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from careshed.figures.atlas.sheet import A3_MM, FRAME, LETTERS, PAD, Atlas
from careshed.figures.furniture import chip
from careshed.figures.page import INK, LINE, MM_PER_POINT, SOFT, TEAL, look, new_page
from careshed.words import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from careshed.figures.atlas.sheet import Title
    from careshed.figures.page import Page

LISTED: Final = 66
"""Sheets listed on one page: two columns."""

STEP: Final = 6.6


def cover_pages(titles: int) -> int:
    """Pages that the list of sheets needs.

    >>> cover_pages(10), cover_pages(67)
    (1, 2)
    """
    return max(-(-titles // LISTED), 1)


def drawn_names(atlas: Atlas) -> tuple[str, ...]:
    """Name the services that the atlas draws."""
    return atlas.services or tuple(one.name(atlas.lang) for one in atlas.study.services)


def atlas_name(atlas: Atlas) -> str:
    """Name the atlas after what it draws: care as a whole, or the services chosen."""
    drawn, lang = drawn_names(atlas), atlas.lang
    if len(drawn) == len(atlas.study.services):
        return pick(lang, "养老托育服务设施可达与布局图集", "Atlas of reach and layout of care")
    names = pick(lang, "、", ", ").join(name.removesuffix("设施") for name in drawn)
    return pick(lang, f"{names}设施可达与布局图集", f"Atlas of reach and layout: {names}")


def cover_sheet(atlas: Atlas, titles: Sequence[Title], page_number: int = 0) -> Figure:
    """Set the cover: the study's name, what it holds, its dates, and the list of sheets."""
    lang, study = atlas.lang, atlas.study
    with look(atlas.families):
        page = new_page(A3_MM, lang, atlas.families, base=LETTERS)
        left, low, right, top = FRAME
        page.box(left, low, right - left, top - low, facecolor="none", edgecolor=INK, linewidth=1.2)
        panel = 150.0
        page.box(left, low, panel, top - low, facecolor="#eef5f4", zorder=0.2)
        page.box(left, low, 3.0, top - low, facecolor=TEAL, zorder=0.3)
        x, wide = left + 14, panel - 26
        if study.made_up:
            chip(page, left + panel - 10, top - 12, pick(lang, "虚构数据，仅供演示", "made-up data, for demonstration"), 1.1)
        y = page.write_lines(x, top - 70, page.wrapped(study.name, wide, 3.0, bold=True), 3.0, bold=True)
        name, drawn = atlas_name(atlas), drawn_names(atlas)
        y = page.write_lines(x, y - 4, page.wrapped(name, wide, 2.0), 2.0, colour=TEAL)
        page.rule((x, x + 40), (y - 5, y - 5), colour=TEAL, width=1.5)
        facts = [
            (pick(lang, "服务", "services"), pick(lang, "、", ", ").join(drawn)),
            (pick(lang, "数据日期", "data as of"), study.data_date or "–"),
            (pick(lang, "坐标系", "coordinates"), atlas.coordinates),
            (pick(lang, "审图号", "map approval no."), atlas.approval_no or pick(lang, "未设", "none given")),
            (pick(lang, "图幅", "sheets"), pick(lang, f"A3 横幅，共 {atlas.sheets} 页", f"A3, {atlas.sheets} pages")),
        ]
        y -= 14
        for what, said in facts:
            page.write(x, y, what, 1.05, colour=SOFT)
            top_of_line = y + page.pt(1.05) * MM_PER_POINT
            y = page.write_lines(x + 32, top_of_line, page.wrapped(said, wide - 32, 1.05), 1.05) - page.line(1.05)
        _list(atlas, page, titles[page_number * LISTED : (page_number + 1) * LISTED], left + panel)
    return page.figure


def _list(atlas: Atlas, page: Page, titles: Sequence[Title], left: float) -> None:
    right, top = FRAME[2] - PAD * 2, FRAME[3] - 22
    x, wide = left + 12, (right - left - 12 - 8) / 2
    page.write(x, top, pick(atlas.lang, "目　录", "Sheets"), 1.9, bold=True)
    per_column = LISTED // 2
    for place, title in enumerate(titles):
        at = x + (place // per_column) * (wide + 8)
        y = top - 14 - (place % per_column) * STEP
        page.write(at, y, title.number, 1.0, colour=TEAL, bold=True)
        page.write(at + 19, y, page.clipped(title.name, wide - 19 - 9, 1.05), 1.05)
        page.write(at + wide, y, str(title.place), 1.0, colour=SOFT, align="right")
        page.rule((at, at + wide), (y - 2.1, y - 2.1), colour=LINE, width=0.5)
