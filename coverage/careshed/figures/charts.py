"""Draw a run's figures as charts: units before and after, people against effort, years, fairness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.figures.frame import SizeMm, Told, about, framed, percent
from careshed.figures.ground import Box
from careshed.figures.page import INK, LINE, MM_PER_POINT, SLIDE_MM, SOFT, TEAL, Page, axes_at
from careshed.figures.plans import Change, change_of
from careshed.maps.text import count
from careshed.siting.studying import StudyPlan
from careshed.supply.equity import curve_gini, lorenz, mean_between, nearest_minutes
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from careshed.run import ServiceResult
    from careshed.study import Study

MOST_ROWS: Final = 30
"""Units or sites that one chart lists; the rest is told at its foot."""

BEFORE: Final = "#9aa5ad"
MOST: Final = 0.8
"""Share of the whole gain that a title speaks of."""


def units_figure(
    study: Study, what: ServiceResult | StudyPlan, lang: Lang | None = None, *, size_mm: SizeMm = SLIDE_MM
) -> Figure:
    """Draw the share in reach of each street and township before and after, the lowest at the bottom."""
    lang = lang or study.lang
    change = change_of(study, what, lang)
    table = change.units.assign(
        was=change.units["before"] / change.units["people"], now=change.units["after"] / change.units["people"]
    )
    table = table.sort_values(["now", "was", "name"], ascending=False, kind="stable")
    shown = table if len(table) <= MOST_ROWS else table.tail(MOST_ROWS)
    more = len(table) - len(shown)
    foot = (
        pick(lang, f"另有 {more} 个单元比例更高，未列出", f"{more} more units with higher shares are not listed") if more else ""
    )
    told = Told(_units_title(table, change, lang), change.under, foot or change.proof)
    with framed(study, told, lang, size_mm) as (page, box):
        _dumbbells(page, box, shown, lang)
    return page.figure


def _units_title(table: pd.DataFrame, change: Change, lang: Lang) -> str:
    if not len(table):
        return pick(lang, "没有可比较的单元", "No units to compare")
    gains = table["now"] - table["was"]
    most = table.iloc[int(np.argmax(gains.to_numpy()))]
    if gains.max() < 0.0005:
        return pick(lang, f"各单元{change.limit}可达比例不变", f"Shares within {change.limit} stay as they are")
    return pick(
        lang,
        f"{most['name']}提升最多：{change.who}{change.limit}可达由 {most['was']:.1%} 升至 {most['now']:.1%}",
        f"{most['name']} gains most: {most['was']:.1%} → {most['now']:.1%} of {change.who} within {change.limit}",
    )


def _dumbbells(page: Page, box: Box, table: pd.DataFrame, lang: Lang) -> None:
    left, low, right, top = box
    names = [page.clipped(str(name), page.width * 0.2) for name in table["name"]]
    indent = max((page.width_of(name) for name in names), default=0) + 3
    axes = axes_at(page, left + indent, low + page.line(), right - left - indent - page.width_of("100.0%") - 3,
                   top - low - page.line() * 2.2)  # fmt: skip
    rows = np.arange(len(table))[::-1].astype(float)
    was, now = table["was"].to_numpy(dtype=float), table["now"].to_numpy(dtype=float)
    size = page.pt(0.72)
    axes.hlines(rows, np.minimum(was, now), np.maximum(was, now), color="#bcd9d7", linewidth=size * 0.45, zorder=2)
    axes.plot(was, rows, "o", color=BEFORE, markersize=size, zorder=3)
    axes.plot(now, rows, "o", color=TEAL, markersize=size, zorder=4)
    for row, value, before in zip(rows, now, was, strict=True):
        offset = page.pt(0.65)
        colour = TEAL if value >= before else SOFT
        axes.annotate(f"{value:.1%}", (max(value, before), row), xytext=(offset, 0), textcoords="offset points",
                      va="center_baseline", color=colour, size=page.pt(0.85), weight="bold")  # fmt: skip
    _plain_axes(page, axes, rows, names)
    _share_axis(page, axes, min(1.0, max(float(np.nanmax(np.r_[now, was, 0.1])) * 1.06, 0.2)))
    axes.set_ylim(-0.7, len(table) - 0.3)
    y, x = top - page.line() * 0.75, left + indent
    for colour, text in ((BEFORE, pick(lang, "现状", "today")), (TEAL, pick(lang, "建成后", "with the new sites"))):
        page.paper.plot([x + 1], [y + page.pt(0.3) * MM_PER_POINT], "o", color=colour, markersize=size)
        page.write(x + 3.2, y, text, 0.9, colour=colour if colour == TEAL else SOFT, bold=True)
        x += 9 + page.width_of(text, 0.9, bold=True)


def _plain_axes(page: Page, axes: Axes, rows: np.ndarray[tuple[int], np.dtype[np.float64]], names: list[str]) -> None:
    """Names at the left, no frame."""
    axes.set_yticks(rows, labels=names)
    axes.tick_params(axis="y", length=0, labelsize=page.pt(0.92 if len(names) <= 18 else 0.72), labelcolor=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=LINE, linewidth=page.stroke(1.0))


def _share_axis(page: Page, axes: Axes, most: float) -> None:
    step = 0.05 if most <= 0.25 else 0.1 if most <= 0.6 else 0.2
    marks = np.arange(0, most + 1e-9, step)
    axes.set_xticks(marks, labels=[f"{mark:.0%}" for mark in marks])
    axes.tick_params(axis="x", length=0, labelsize=page.pt(0.8))
    axes.set_xlim(-0.008 * most, most)
    axes.grid(axis="x", color="#e9ecee", linewidth=page.stroke(0.8))
    axes.set_axisbelow(True)


def gain_figure(study: Study, one: ServiceResult, lang: Lang | None = None, *, size_mm: SizeMm = SLIDE_MM) -> Figure:
    """Draw what each ranked site adds to those before it, from today's reach to the proven bound."""
    lang = lang or study.lang
    it, plan = about(study, one, lang), one.plan
    table = plan.sites.head(MOST_ROWS)
    told = Told(_gain_title(plan.sites["people_new"].to_numpy(dtype=float), lang), it.under, _bound_text(one, lang))
    with framed(study, told, lang, size_mm) as (page, box):
        left, low, right, top = box
        names = [
            page.clipped(f"{rank}  {name}", page.width * 0.26) for rank, name in zip(table["rank"], table["name"], strict=True)
        ]
        indent = max((page.width_of(name) for name in names), default=0) + 3
        axes = axes_at(page, left + indent, low + page.line() * 2, right - left - indent - page.width_of("+00,000") - 4,
                       top - low - page.line() * 3.4)  # fmt: skip
        rows = np.arange(len(table))[::-1].astype(float)
        added, upto = (table[name].to_numpy(dtype=float) for name in ("people_new", "people_cumulative"))
        axes.barh(rows, upto - added - plan.people_covered_before, left=plan.people_covered_before, color="#dff0ed", height=0.62)
        axes.barh(rows, added, left=upto - added, color=TEAL, height=0.62)
        for row, end, new in zip(rows, upto, added, strict=True):
            axes.annotate(f"+{count(new)}", (end, row), xytext=(page.pt(0.35), 0), textcoords="offset points",
                          va="center_baseline", color=TEAL, size=page.pt(0.9), weight="bold")  # fmt: skip
        _plain_axes(page, axes, rows, names)
        _people_axis(page, axes, plan.people_covered_before, max(plan.bound, plan.people_covered_after), plan.people_total, lang)
        axes.axvline(plan.bound, color="#c2571a", linewidth=page.stroke(1.2), linestyle=(0, (4, 2)), zorder=1)
        bound = pick(lang, f"上限 {count(plan.bound)} 人", f"bound {count(plan.bound)}")
        axes.annotate(bound, (plan.bound, 1), xycoords=("data", "axes fraction"), xytext=(0, page.pt(0.3)), ha="right",
                      textcoords="offset points", color="#9c3606", size=page.pt(0.85))  # fmt: skip
        axes.annotate(pick(lang, f"现状 {count(plan.people_covered_before)} 人", f"today {count(plan.people_covered_before)}"),
                      (plan.people_covered_before, 1), xycoords=("data", "axes fraction"), xytext=(0, page.pt(0.3)),
                      textcoords="offset points", color=SOFT, size=page.pt(0.85))  # fmt: skip
        axes.set_ylim(-0.7, len(table) - 0.4)
    return page.figure


def _gain_title(added: np.ndarray[tuple[int], np.dtype[np.float64]], lang: Lang) -> str:
    whole = float(added.sum())
    if whole <= 0:
        return pick(lang, "没有可建议的选址", "No site can be proposed")
    first = min(max(len(added) // 3, 1), len(added))
    part = float(added[:first].sum()) / whole
    site = "site brings" if first == 1 else "sites bring"
    return pick(
        lang,
        f"前 {first} 处带来 {len(added)} 处新增人数的 {part:.0%}",
        f"The first {first} {site} {part:.0%} of what all {len(added)} add",
    )


def _bound_text(one: ServiceResult, lang: Lang) -> str:
    plan = one.plan
    if plan.status == "optimal":
        return pick(lang, "同样规则下没有更好的方案（已证明）", "No plan under the same rules is better (proven)")
    most = count(plan.bound)
    return pick(
        lang, f"同样规则下任何方案至多 {most} 人（已证明）", f"No plan under the same rules exceeds {most} people (proven)"
    )


def _people_axis(page: Page, axes: Axes, low: float, high: float, total: float, lang: Lang) -> None:
    """An axis of people from `low` to `high`, with what that is of all below."""
    span = max(high - low, 1.0)
    axes.set_xlim(low - span * 0.004, high + span * 0.004)
    marks = np.linspace(low, high, 5)
    share = [f"{count(mark)}\n{percent(float(mark), total)}" for mark in marks]
    axes.set_xticks(marks, labels=share)
    axes.tick_params(axis="x", length=0, labelsize=page.pt(0.78))
    axes.grid(axis="x", color="#e9ecee", linewidth=page.stroke(0.8))
    axes.set_axisbelow(True)
    axes.set_xlabel(
        pick(lang, "可达人数及占比（横轴不从 0 起）", "people in reach, and of all (axis does not start at 0)"), size=page.pt(0.8)
    )


def lorenz_figure(study: Study, one: ServiceResult, lang: Lang | None = None, *, size_mm: SizeMm = SLIDE_MM) -> Figure:
    """Draw how unequally travel to the nearest facility falls on people; the title says what the farthest tenth bears."""
    lang = lang or study.lang
    it = about(study, one, lang)
    people, minutes = study.cells[it.scope.group].to_numpy(dtype=float), nearest_minutes(one.times)
    curve = lorenz(minutes, people)
    x, y = curve["people_share"].to_numpy(dtype=float), curve["value_share"].to_numpy(dtype=float)
    gini = curve_gini(curve)
    tail = 1 - float(np.interp(0.9, x, y)) if len(x) > 1 else float("nan")
    zh = f"最远的 10% {it.who}走了全部路程时间的 {tail:.0%}，基尼系数 {gini:.2f}"
    en = f"The farthest 10% of {it.who} bear {tail:.0%} of all travel time (Gini {gini:.2f})"
    if len(x) < 2:
        zh, en = "没有可比较的出行时间", "No travel times to compare"
    foot = pick(lang, "不计到不了任何设施和无法判断的人", "People who can reach no facility, or cannot be judged, are left out")
    with framed(study, Told(pick(lang, zh, en), it.under, foot), lang, size_mm) as (page, box):
        _lorenz(page, box, x, y, tail, lang)
        _fair_facts(page, box, minutes, people, lang)
    return page.figure


def _lorenz(page: Page, box: Box, x: np.ndarray[tuple[int], np.dtype[np.float64]],
            y: np.ndarray[tuple[int], np.dtype[np.float64]], tail: float, lang: Lang) -> None:  # fmt: skip
    left, low, right, top = box
    indent = page.width_of("100%", 0.8) + page.line() * 1.4
    side = min(top - low - page.line() * 3, (right - left) * 0.62 - indent)
    axes = axes_at(page, left + indent, top - side - page.line() * 0.3, side, side)
    axes.plot([0, 1], [0, 1], color=BEFORE, linewidth=page.stroke(1.2))
    axes.fill_between(x, y, x, color="#dff0ed", linewidth=0)
    axes.plot(x, y, color=TEAL, linewidth=page.stroke(2.4))
    if len(x) > 1:
        axes.plot([0.9, 0.9], [0, 1 - tail], color="#c2571a", linewidth=page.stroke(1), linestyle=(0, (4, 2)))
        axes.plot([0.9, 1], [1 - tail, 1 - tail], color="#c2571a", linewidth=page.stroke(1), linestyle=(0, (4, 2)))
        axes.text(0.885, 0.06, pick(lang, f"最远 10%：{tail:.0%}", f"farthest 10%: {tail:.0%}"), ha="right",
                  color="#9c3606", size=page.pt(0.85))  # fmt: skip
    axes.text(0.47, 0.5, pick(lang, "人人相同", "all equal"), ha="right", color=SOFT, size=page.pt(0.85))
    marks = np.linspace(0, 1, 6)
    for axis, text in ((axes.xaxis, pick(lang, "人口累计占比（由近到远）", "share of people, nearest first")),
                       (axes.yaxis, pick(lang, "出行时间累计占比", "share of all travel time"))):  # fmt: skip
        axis.set_ticks(marks, labels=[f"{mark:.0%}" for mark in marks])
        axis.set_label_text(text, size=page.pt(0.85))
    axes.tick_params(length=0, labelsize=page.pt(0.8))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    for spine in axes.spines.values():
        spine.set(color=LINE, linewidth=page.stroke(1.0))


def _fair_facts(page: Page, box: Box, minutes: np.ndarray[tuple[int], np.dtype[np.float64]],
                people: np.ndarray[tuple[int], np.dtype[np.float64]], lang: Lang) -> None:  # fmt: skip
    """Say beside the curve what the nearest half and the farthest tenth walk."""
    near, all_of_them, far = (mean_between(minutes, people, *part) for part in ((0.0, 0.5), (0.0, 1.0), (0.9, 1.0)))
    x, y = box[0] + (box[2] - box[0]) * 0.66, box[3] - page.line() * 0.5
    facts = (
        (near, ("较近一半人的平均时间", "mean of the nearer half")),
        (all_of_them, ("平均时间", "mean of all")),
        (far, ("最远 10% 人的平均时间", "mean of the farthest 10%")),
    )
    for value, text in facts:
        if np.isfinite(value):
            y = page.write_lines(x, y, [pick(lang, f"{value:.1f} 分钟", f"{value:.1f} min")], 1.9, colour=TEAL, bold=True)
            y = page.write_lines(x, y, [pick(lang, *text)], 0.95, colour=SOFT) - page.line() * 0.9
