"""Set the annex tables (附表): facilities, planned sites, coverage by unit, as many pages as they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from careshed.figures.atlas.sheet import FRAME, HEAD_MM, PAD, Atlas, Title, blank_sheet
from careshed.figures.page import INK, LINE, SOFT
from careshed.figures.plans import Change
from careshed.maps.text import count
from careshed.schema import STATUSES, TIERS
from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from careshed.run import ServiceResult

STEP: Final = 5.6
"""Height of a row, millimetres."""

TEXT: Final = 0.9
FOOT_MM: Final = 12.0
ROWS: Final = int((FRAME[3] - FRAME[1] - HEAD_MM - FOOT_MM - STEP * 1.6) / STEP)
"""Rows on a sheet."""


@dataclass(frozen=True)
class Annex:
    """One annex table."""

    name: str
    heads: tuple[str, ...]
    widths: tuple[float, ...]
    """Shares of the sheet's width."""
    right: tuple[bool, ...]
    """Columns of numbers."""
    rows: list[tuple[str, ...]]
    note: str = ""
    strong: frozenset[int] = frozenset()
    """Rows in bold, such as totals."""

    @property
    def pages(self) -> int:
        """Sheets that the table needs; one even where it is empty."""
        return max(-(-len(self.rows) // ROWS), 1)


def annex_sheet(atlas: Atlas, title: Title, annex: Annex, page_number: int) -> Figure:
    """Set one page of an annex table, counted from 0."""
    shown = annex.rows[page_number * ROWS : (page_number + 1) * ROWS]
    with blank_sheet(atlas, title) as page:
        left, right, top = FRAME[0] + PAD, FRAME[2] - PAD, FRAME[3] - HEAD_MM
        wide = right - left
        starts = [left + wide * sum(annex.widths[:column]) for column in range(len(annex.widths) + 1)]
        y = top - 1
        for place, row in enumerate([annex.heads, *shown]):
            high = STEP * 1.3 if not place else STEP
            bold = not place or page_number * ROWS + place - 1 in annex.strong
            if place and place % 2 == 0:
                page.box(left, y - high, wide, high, facecolor="#f4f7f7", zorder=0.5)
            for column, text in enumerate(row):
                room = starts[column + 1] - starts[column] - 3
                said = page.clipped(text, room, TEXT, bold=bold)
                x = starts[column + 1] - 1.5 if annex.right[column] else starts[column] + 1.5
                page.write(x, y - high / 2, said, TEXT, bold=bold, align="right" if annex.right[column] else "left",
                           at="center_baseline", colour=INK)  # fmt: skip
            y -= high
            page.rule((left, right), (y, y), colour=LINE if place else INK, width=0.4 if place else 0.8)
        if not shown:
            page.write(left + 1.5, y - STEP, pick(atlas.lang, "（无）", "(none)"), TEXT, colour=SOFT)
        foot = FRAME[1] + FOOT_MM / 2
        page.write(left, foot, page.clipped(annex.note, wide * 0.8, 0.8), 0.8, colour=SOFT, at="center_baseline")
        told = pick(atlas.lang, f"第 {title.place} 页，共 {atlas.sheets} 页", f"page {title.place} of {atlas.sheets}")
        page.write(right, foot, told, 0.8, colour=SOFT, align="right", at="center_baseline")
    return page.figure


def facility_annex(atlas: Atlas, services: Sequence[ServiceResult], numbers: pd.Series[int]) -> Annex:
    """List the facilities by the numbers that stand on the maps."""
    lang, study = atlas.lang, atlas.study
    gives: dict[str, list[str]] = {}
    for one in services:
        for key in study.facilities(one.service.id).index:
            gives.setdefault(str(key), []).append(one.service.name(lang))
    table, names = study.facility_table, study.units["name"]
    rows: list[tuple[str, ...]] = []
    for key, number in numbers.items():
        row = table.loc[str(key)]
        status = str(row["status"])
        rows.append(
            (
                str(number),
                str(key),
                str(row["name"]),
                str(row["type"]),
                pick(lang, *STATUSES[status]) if status in STATUSES else status,
                _unit_path(atlas, str(row["unit"]), names),
                _number(float(row["places"])),
                pick(lang, "、", ", ").join(gives[str(key)]),
            )
        )
    heads = pick(lang, "序号,编号,名称,类型,状态,所在单元,床位/托位,提供的服务",
                 "no.,id,name,type,status,unit,places,services").split(",")  # fmt: skip
    return Annex(
        pick(lang, "附表 1　现状设施一览表", "Annex 1: existing facilities"),
        tuple(heads), (0.04, 0.08, 0.22, 0.15, 0.07, 0.18, 0.07, 0.19), (True, False, False, False, False, False, True, False),
        rows,
    )  # fmt: skip


def site_annex(atlas: Atlas, changes: Sequence[tuple[str, Change, pd.DataFrame]]) -> Annex:
    """List the planned sites, plan by plan.

    Parameters
    ----------
    changes
        Name of the plan, what it changes, and a table by site id with ``people_new``, ``cost_yuan``, ``places``.
    """
    lang, names = atlas.lang, atlas.study.units["name"]
    dated, shared = any(change.years for _, change, _ in changes), _shared(changes)
    rows: list[tuple[str, ...]] = []
    strong: list[int] = []
    for name, change, more in changes:
        found: list[dict[str, float]] = []
        years = change.years or (0,) * len(change.numbers)
        for number, year, (key, site) in zip(change.numbers, years, change.sites.iterrows(), strict=True):
            told = _known(more, str(key))
            found.append(told)
            rows.append(
                (
                    name,
                    change.target,
                    str(number),
                    str(key),
                    f"{site['name']}{' *' if (name, str(key)) in shared else ''}",
                    _unit_path(atlas, str(site["unit"]), names),
                    *((str(year or "–"),) if dated else ()),
                    _number(told["people_new"]),
                    _number(told["places"]),
                    _money(told["cost_yuan"]),
                )
            )
        strong += [len(rows)] if found else []
        rows += [_total_row(name, change.target, found, lang, dated=dated)] if found else []
    heads = pick(lang, "方案,服务,序号,编号,名称,所在单元,年份,新增可达人数,床位/托位,造价（万元）",
                 "plan,service,no.,id,name,unit,year,people added,places,cost (10k yuan)").split(",")  # fmt: skip
    widths: tuple[float, ...] = (0.2, 0.1, 0.04, 0.06, 0.19, 0.15, 0.05, 0.08, 0.06, 0.07)
    if not dated:
        heads, widths = [*heads[:6], *heads[7:]], (*widths[:4], 0.22, 0.17, *widths[7:])
    return Annex(
        pick(lang, "附表 2　规划点位一览表", "Annex 2: planned sites"),
        tuple(heads), widths, (*(False, False, True), *(False,) * 3, *(True,) * (len(heads) - 6)), rows,
        _site_note(shared, changes, lang), frozenset(strong),
    )  # fmt: skip


def _shared(changes: Sequence[tuple[str, Change, pd.DataFrame]]) -> list[tuple[str, str]]:
    """Find the premises that one proposal names for several services: name of the proposal and site."""
    met: dict[tuple[str, str], set[str]] = {}
    for name, change, _ in changes:
        for key in change.sites.index:
            met.setdefault((name, str(key)), set()).add(change.target)
    return [key for key, targets in met.items() if len(targets) > 1]


def _site_note(shared: Sequence[tuple[str, str]], changes: Sequence[tuple[str, Change, pd.DataFrame]], lang: Lang) -> str:
    """Say how people are counted, what the mark means, and what to take off where totals of services are added up."""
    told: list[str] = []
    if shared:
        told.append(
            pick(lang, "* 两项服务合用同一用房，两处造价为同一笔", "* premises of two services, their cost is one and the same")
        )
    for name in dict.fromkeys(name for name, _ in shared):
        each = [_known(more, str(key))["cost_yuan"] for own, change, more in changes if own == name for key in change.sites.index]
        once = {key: _known(more, str(key))["cost_yuan"] for own, change, more in changes if own == name
                for key in map(str, change.sites.index)}  # fmt: skip
        zh = f"{name}共 {len(each)} 处、{len(once)} 处用房，合用只计一次，造价 {_money(sum(once.values()))} 万元"
        en = f"{name}: {len(each)} sites in {len(once)} premises, each paid for once: {_money(sum(once.values()))} x 10k yuan"
        told.append(pick(lang, zh, en))
    counted_zh = "新增可达人数按选址先后累加计，四舍五入列出，合计按未取整人数；“–”为未知或不适用"
    counted_en = "people added in the order of the sites, rounded; totals are of unrounded counts; – is unknown"
    return pick(lang, "；", "; ").join((*told, pick(lang, counted_zh, counted_en)))


def _total_row(name: str, target: str, found: Sequence[dict[str, float]], lang: Lang, *, dated: bool) -> tuple[str, ...]:
    """Sum the sites of one plan; a sum is unknown where the figure of one site is."""
    sums = {key: sum(told[key] for told in found) for key in found[0]}
    blank, all_of = ("",) if dated else (), pick(lang, f"合计 {len(found)} 处", f"total of {len(found)}")
    figures = (_number(sums["people_new"]), _number(sums["places"]), _money(sums["cost_yuan"]))
    return (name, target, "", "", all_of, "", *blank, *figures)


def coverage_annex(atlas: Atlas, services: Sequence[ServiceResult]) -> Annex:
    """List people and share in reach by unit, for the limit that each service is judged by."""
    lang, units = atlas.lang, atlas.study.units
    rows: list[tuple[str, ...]] = []
    for one in services:
        minutes, group = one.service.within_minutes, one.service.group
        table = one.covered[(one.covered["minutes"] == minutes) & (one.covered["group"] == group)]
        for key, row in table.iterrows():
            level = str(units["level"].get(str(key), ""))
            if key != "ALL" and TIERS.get(level, 9) > 2 and key != "OUTSIDE":
                continue
            name = {"ALL": pick(lang, "全部", "all"), "OUTSIDE": pick(lang, "各单元以外", "in no unit")}.get(
                str(key), str(row["name"])
            )
            share = float(row["share"])
            rows.append(
                (
                    one.service.name(lang),
                    "" if key in ("ALL", "OUTSIDE") else str(key),
                    name,
                    level_name(level, lang) if level else "",
                    group_name(group, lang),
                    f"{minutes:g}",
                    count(float(row["people"])),
                    count(float(row["covered"])),
                    "–" if share != share else f"{share:.1%}",
                    count(float(row["unjudged"])),
                )
            )
    heads = pick(lang, "服务,代码,单元,级别,人群,时限（分钟）,人数,可达人数,比例,无法判断",
                 "service,code,unit,level,group,limit (min),people,in reach,share,cannot be judged").split(",")  # fmt: skip
    return Annex(
        pick(lang, "附表 3　各单元覆盖情况", "Annex 3: coverage by unit"),
        tuple(heads), (0.14, 0.1, 0.14, 0.1, 0.15, 0.08, 0.07, 0.08, 0.06, 0.08),
        (False, False, False, False, False, True, True, True, True, True), rows,
        pick(lang, "无法判断：离街道过远或被阻隔的人口，计入分母；人数四舍五入，下级之和可能与上级差几人",
             "Cannot be judged: too far from any street or shut in; part of the people. Counts are rounded and may not add up"),
        frozenset(at for at, row in enumerate(rows) if not row[1] and row[2] == pick(lang, "全部", "all")),
    )  # fmt: skip


def _known(more: pd.DataFrame, key: str) -> dict[str, float]:
    """Figures of one site, NaN where they are not known."""
    rows = more[more.index == key].to_dict("records")
    row = rows[0] if rows else {}
    return {name: float(str(row.get(name, "nan"))) for name in ("people_new", "places", "cost_yuan")}


def _unit_path(atlas: Atlas, unit: str, names: pd.Series[str]) -> str:
    """Name the street or township and the unit within it."""
    parent = str(atlas.study.units["parent"].get(unit, ""))
    level = str(atlas.study.units["level"].get(unit, ""))
    own = str(names.get(unit, unit))
    return f"{names[parent]} {own}" if TIERS.get(level, 0) > 2 and parent in names.index else own


def _number(value: float) -> str:
    return "–" if value != value else count(value)


def _money(yuan: float) -> str:
    return "–" if yuan != yuan else f"{yuan / 10_000:,.1f}"


def pages_text(lang: Lang, page_number: int, pages: int) -> str:
    """Say which page of a table this is, "" where it has one.

    >>> pages_text("en", 0, 1), pages_text("zh", 1, 3)
    ('', '（2/3）')
    """
    return "" if pages == 1 else pick(lang, f"（{page_number + 1}/{pages}）", f" ({page_number + 1}/{pages})")
