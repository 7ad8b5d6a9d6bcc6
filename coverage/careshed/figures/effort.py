"""Draw people against effort: what each further site or sum brings, and what each year of a plan costs and reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.figures.charts import BEFORE, MOST
from careshed.figures.frame import SizeMm, Told, framed, percent
from careshed.figures.ground import Box
from careshed.figures.page import INK, LINE, SLIDE_MM, SOFT, TEAL, Page, axes_at
from careshed.figures.plans import Change, change_of
from careshed.maps.plan_layers import phase_colours
from careshed.siting.planning.wording import yuan_text
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from careshed.siting.reasons.curve import Frontier
    from careshed.siting.studying import StudyPlan
    from careshed.study import Study

WAN: Final = 10_000


def frontier_figure(study: Study, solved: StudyPlan, lang: Lang | None = None, *, size_mm: SizeMm = SLIDE_MM) -> Figure:
    """Draw the most people that each number of sites, or each sum of money, can reach, with the proven bound.

    Raises
    ------
    ValueError
        If the plan has no such curve (``frontier = "none"``, or it could not be told).
    """
    lang = lang or study.lang
    change, curve = change_of(study, solved, lang), solved.extras.curve
    if curve is None:
        name = solved.section.id
        raise ValueError(f"plan {name!r} has no curve of people against effort  方案 {name} 没有投入与覆盖曲线")
    told = Told(_frontier_title(curve, lang), change.under, _frontier_foot(curve, lang))
    with framed(study, told, lang, size_mm) as (page, box):
        left, low, right, top = box
        indent = page.width_of("100.0%", 0.9) + 2
        axes = axes_at(page, left + indent, low + page.line() * 2.2, right - left - indent * 2.2, top - low - page.line() * 3.2)
        _curve(page, axes, curve, lang)
    return page.figure


def _effort(curve: Frontier, limit: float, lang: Lang) -> str:
    if curve.by == "sites":
        return pick(lang, f"{limit:.0f} 处", f"{limit:.0f} site{'' if limit == 1 else 's'}")
    return pick(lang, *yuan_text(limit))


def _frontier_title(curve: Frontier, lang: Lang) -> str:
    points, total = curve.points, curve.total
    last, low = points[-1], points[0].value
    most = _effort(curve, last.limit, lang)
    if len(points) < 2 or last.value <= low:
        part = percent(last.value, total)
        return pick(lang, f"{most}可达 {part}", f"{most}: {part} in reach")
    enough = next(point for point in points if point.value - low >= MOST * (last.value - low))
    few, start = _effort(curve, enough.limit, lang), _effort(curve, points[0].limit, lang)
    zh = f"{most}最多可达 {percent(last.value, total)}；到 {few}时已达 {percent(enough.value, total)}"
    en = f"At most {percent(last.value, total)} with {most}; {few} already reach {percent(enough.value, total)}"
    if points[0].limit > 0 and curve.skipped:
        zh, en = f"{zh}，少于 {start}无法满足规则", f"{en}; fewer than {start} cannot meet the rules"
    return pick(lang, zh, en)


def _frontier_foot(curve: Frontier, lang: Lang) -> str:
    proven = all(point.status == "optimal" for point in curve.points)
    if proven:
        return pick(lang, "每一点都是该投入下的最优方案（已证明）", "Every point is the best plan for its effort (proven)")
    return pick(lang, "浅色带：已证明的上限与所找到方案之差", "Pale band: from the plan found to the proven bound")


def _curve(page: Page, axes: Axes, curve: Frontier, lang: Lang) -> None:
    by = 1 if curve.by == "sites" else WAN
    x = np.array([point.limit / by for point in curve.points])
    value, bound = (
        np.array([getattr(point, name) for point in curve.points]) / (curve.total or 1) for name in ("value", "bound")
    )
    axes.fill_between(x, value, np.maximum(bound, value), color="#f3d3bd", linewidth=0)
    axes.plot(x, value, "-", color=TEAL, linewidth=page.stroke(2.2))
    axes.plot(x, value, "o", color=TEAL, markersize=page.pt(0.5), markeredgecolor="white")
    named = {0, len(x) - 1, *range(0, len(x), max(len(x) // 8, 1))}
    for place in sorted(named):
        axes.annotate(f"{value[place]:.1%}", (x[place], value[place]), xytext=(0, -page.pt(1.25)), textcoords="offset points",
                      ha="left" if place == 0 else "center", color=INK, size=page.pt(0.85))  # fmt: skip
    for at in [bend.at for bend in curve.bends[:1] if bend.at is not None and bend.certain]:
        here = int(np.argmin(np.abs(x - at / by)))
        axes.plot(x[here], value[here], "o", markersize=page.pt(1.0), markerfacecolor="none", markeredgecolor="#c2571a")
        axes.annotate(pick(lang, "拐点：此后增量变小", "bend: later steps add less"), (x[here], value[here]),
                      xytext=(-page.pt(0.9), page.pt(0.9)), textcoords="offset points", ha="right", color="#9c3606",
                      size=page.pt(0.85))  # fmt: skip
    low, high = float(value.min()), float(max(bound.max(), value.max()))
    room = max(high - low, 0.01)
    _axis(page, axes, x, low - room * 0.22, high + room * 0.12)
    unit = pick(lang, "新增点位（处）", "new sites") if by == 1 else pick(lang, "净投入（万元）", "net cost, 10,000 yuan")
    axes.set_xlabel(unit, size=page.pt(0.85))
    axes.set_ylabel(pick(lang, "可达人口占比", "share of people in reach"), size=page.pt(0.85))


def _axis(page: Page, axes: Axes, x: np.ndarray[tuple[int], np.dtype[np.float64]], low: float, high: float) -> None:
    every = max(len(x) // 12, 1)
    marks = x[::every]
    axes.set_xticks(marks, labels=[f"{mark:,.0f}" for mark in marks])
    pad = (float(x.max()) - float(x.min()) or 1.0) * 0.03
    axes.set_xlim(float(x.min()) - pad, float(x.max()) + pad)
    low = max(low, 0.0)
    step = next(one for one in (0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / one <= 7 or one == 0.2)
    levels = np.arange(np.ceil(low / step) * step, high + 1e-9, step)
    axes.set_yticks(levels, labels=[f"{level:.0%}" for level in levels])
    axes.set_ylim(low, high)
    axes.tick_params(length=0, labelsize=page.pt(0.8))
    axes.grid(axis="y", color="#e9ecee", linewidth=page.stroke(0.8))
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=LINE, linewidth=page.stroke(1.0))


def phases_figure(study: Study, solved: StudyPlan, lang: Lang | None = None, *, size_mm: SizeMm = SLIDE_MM) -> Figure:
    """Draw a plan over years: people in reach after each, sites opened, money spent.

    Raises
    ------
    ValueError
        If the plan has no years.
    """
    lang = lang or study.lang
    change, phased = change_of(study, solved, lang), solved.phased
    if phased is None:
        name = solved.section.id
        raise ValueError(f"plan {name!r} has no years (add [[plan.phase]])  方案 {name} 没有分期")
    with framed(study, Told(_phases_title(solved, change, lang), change.under, change.proof), lang, size_mm) as (page, box):
        _years(page, box, solved, change, lang)
    return page.figure


def _phases_title(solved: StudyPlan, change: Change, lang: Lang) -> str:
    phased = solved.phased
    table = phased.table if phased is not None else None
    years = [int(year) for year in table.index] if table is not None else []
    span = f"{years[0]}–{years[-1]}" if len(years) > 1 else "".join(map(str, years))
    sites = int(table["new_sites"].sum()) if table is not None else 0
    net = yuan_text(float(table["net_yuan"].sum())) if table is not None else ("", "")
    was, now = percent(change.before, change.total), percent(change.after, change.total)
    return pick(
        lang,
        f"分 {len(years)} 期（{span} 年）新增 {sites} 处、净投入 {net[0]}，可达由 {was} 升至 {now}",
        f"{sites} sites in {span}, {net[1]} net, raise reach from {was} to {now}",
    )


def _years(page: Page, box: Box, solved: StudyPlan, change: Change, lang: Lang) -> None:
    left, low, right, top = box
    phased = solved.phased
    if phased is None:
        return
    reached = phased.reached.xs(0, level="demand")
    years = [int(year) for year in reached.index]
    colours = phase_colours(solved)
    indent = page.width_of(pick(lang, "可达人口占比", "share in reach"), 0.9, bold=True) + 5
    share = np.r_[change.before, reached["after"].to_numpy(dtype=float)] / (change.total or 1)
    upper = axes_at(page, left + indent, low + (top - low) * 0.47, right - left - indent, (top - low) * 0.5)
    lower = axes_at(page, left + indent, low + page.line() * 1.4, right - left - indent, (top - low) * 0.3)
    at = np.arange(len(share), dtype=float)
    upper.step(at, share, where="mid", color="#bcd9d7", linewidth=page.stroke(2))
    for place, value in enumerate(share):
        colour = BEFORE if place == 0 else TEAL
        upper.plot(place, value, "o", color=colour, markersize=page.pt(0.85))
        upper.annotate(f"{value:.1%}", (place, value), xytext=(0, page.pt(0.8)), textcoords="offset points", ha="center",
                       color=SOFT if place == 0 else TEAL, weight="bold", size=page.pt(1.0))  # fmt: skip
    money = phased.table["net_yuan"].to_numpy(dtype=float) / WAN
    sites = phased.table["new_sites"].to_numpy(dtype=int)
    lower.bar(at[1:], money, width=0.5, color=[colours.get(year, TEAL) for year in years])
    for place, (cost, number) in enumerate(zip(money, sites, strict=True), start=1):
        text = pick(
            lang, f"{number} 处，{cost:,.1f} 万元", f"{number} site{'' if number == 1 else 's'}, {cost * WAN / 1e6:,.2f} M"
        )
        lower.annotate(text, (place, max(cost, 0)), xytext=(0, page.pt(0.35)), textcoords="offset points", ha="center",
                       color=INK, size=page.pt(0.85))  # fmt: skip
    _year_axes(page, upper, lower, years, share, money, lang)
    page.write(left, low + (top - low) * 0.47 + (top - low) * 0.25, pick(lang, "可达人口占比", "share in reach"), 0.9, bold=True)
    page.write(left, low + (top - low) * 0.2, pick(lang, "新增与净投入", "sites; yuan net"), 0.9, bold=True)


def _year_axes(page: Page, upper: Axes, lower: Axes, years: list[int], share: np.ndarray[tuple[int], np.dtype[np.float64]],
               money: np.ndarray[tuple[int], np.dtype[np.float64]], lang: Lang) -> None:  # fmt: skip
    at = np.arange(len(share), dtype=float)
    room = max(float(share.max() - share.min()), 0.01)
    upper.set(xlim=(-0.5, len(at) - 0.5), ylim=(float(share.min()) - room * 0.15, float(share.max()) + room * 0.3))
    lower.set(xlim=(-0.5, len(at) - 0.5), ylim=(0, max(float(money.max(initial=0)), 1.0) * 1.3))
    upper.set_xticks([])
    lower.set_xticks(at, labels=[pick(lang, "现状", "today"), *map(str, years)])
    lower.tick_params(length=0, labelsize=page.pt(0.95), labelcolor=INK)
    for axes in (upper, lower):
        axes.set_yticks([])
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set(color=LINE, linewidth=page.stroke(1.0))
    upper.spines["bottom"].set_visible(False)
