"""Lay the check of streets out as one calm page: what it comes to, where it is on a small map, and every finding in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from careshed.report.check_page import STYLE
from careshed.streetcheck import COUNTED, KINDS
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from careshed.streetcheck import StreetFinding, StreetReport

FIRST: Final = 60
"""Findings told at once; the rest unfold."""

NUMBERED: Final = 25
"""Findings that carry their number on the map; the others are dots."""

WIDTH, TALLEST = 960.0, 720.0
"""Size of the map, pixels."""


@dataclass(frozen=True)
class Heading:
    """What the page is about, besides the streets."""

    study: str = ""
    made_up: bool = False
    data_date: str = ""


def streets_page(report: StreetReport, about: Heading, lang: Lang) -> str:
    """Give the page as HTML that asks no other machine for anything; all text from data is escaped."""
    title = pick(lang, "道路检查", "Street check")
    parts = [_head(report, about, lang, title), _tiles(report, lang), _figure(report, lang), _findings(report, lang)]
    body = "".join([*parts, _parts(report, lang), _classes(report, lang), _foot(report, lang)])
    return (
        f'<!doctype html>\n<html lang="{pick(lang, "zh-CN", "en")}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title} · {escape(about.study)}</title>\n'
        f"<style>{STYLE}{MORE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _head(report: StreetReport, about: Heading, lang: Lang, title: str) -> str:
    made_up = pick(lang, "虚构数据，不描述任何真实地点", "Made-up data: no real place is described")
    ribbon = f'<p class="ribbon">{made_up}</p>\n' if about.made_up else ""
    dated = pick(lang, f"数据截至 {about.data_date}", f"Data of {about.data_date}") if about.data_date else ""
    said = [about.study, pick(lang, *report.mode), report.source, dated]
    line = " · ".join(escape(text) for text in said if text)
    return f'<main>\n{ribbon}<header><h1>{title}</h1><p class="soft">{line}</p></header>\n'


def hero(report: StreetReport, lang: Lang) -> str:
    """Say in a sentence or two what the check comes to."""
    who = group_name(report.group, lang)
    gains = [one for one in report.findings if one.kind == "gap" and one.counted == "gain" and one.people > 0]
    lost = sum(one.people for one in report.findings if one.kind == "piece")
    limit, unit = report.within
    if limit:
        within = pick(lang, f"{limit:g} {'分钟' if unit == 'minutes' else '米'}内", f"within {limit:g} {unit}")
        zh = f"{report.people:,.0f} 名{who}中 {report.covered:,.0f} 人{within}可达。"
        en = f"{report.covered:,.0f} of {report.people:,.0f} {who} reach a facility {within}. "
        if gains:
            zh += f"接通一处断头最多可新增 {gains[0].people:,.0f} 人（逐处实算 {report.tried} 处）。"
            en += f"Joining one gap brings up to {gains[0].people:,.0f} more ({report.tried} gaps were joined one by one). "
        elif report.tried:
            zh += f"逐处接通 {report.tried} 处断头均不增加可达人数。"
            en += f"None of the {report.tried} gaps joined one by one brings anybody within the limit. "
    else:
        zh, en = f"共 {report.people:,.0f} 名{who}。", f"{report.people:,.0f} {who} in all. "
    zh += f"{lost:,.0f} 人住在与其余路网不相接的道路上。"
    en += f"{lost:,.0f} live on streets that join no others."
    return pick(lang, zh, en)


def _tiles(report: StreetReport, lang: Lang) -> str:
    counts = report.counts()
    tiles = "".join(f"<li><b>{counts[kind]}</b><span>{pick(lang, *words)}</span></li>\n" for kind, words in KINDS.items())
    return f'<ul class="tiles five">\n{tiles}</ul>\n<p class="hero">{escape(hero(report, lang))}</p>\n'


def _figure(report: StreetReport, lang: Lang) -> str:
    """Draw the streets and where the findings are, as SVG."""
    if not len(report.lines):
        return ""
    west, south, east, north = (float(value) for value in report.lines.total_bounds)
    scale = min(WIDTH / max(east - west, 1.0), TALLEST / max(north - south, 1.0))
    width, height = (east - west) * scale + 20, (north - south) * scale + 20

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - west) * scale + 10, (north - y) * scale + 10

    paths = "".join(_path(np.array([at(x, y) for x, y in shapely.get_coordinates(line)])) for line in report.lines)
    placed = [(rank, one) for rank, one in enumerate(report.findings, 1) if np.isfinite(one.x) and (one.people or one.repair)]
    marks = "".join(_mark(rank, one, *at(one.x, one.y), lang) for rank, one in reversed(placed))
    label = pick(lang, "道路与问题位置示意图", "Map of the streets and the findings")
    key = "".join(f'<span class="k {kind}">● {pick(lang, *words)}</span>' for kind, words in KINDS.items() if kind != "tag")
    bar = _scale_bar(scale, height, lang)
    return (
        f'<figure><svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{label}"><path class="st" d="{paths}"/>'
        f"{marks}{bar}</svg><figcaption>{key}</figcaption></figure>\n"
    )


def _path(xy: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    """Write a line to the tenth of a pixel, points that fall together once."""
    rounded = np.round(xy, 1)
    kept = np.concatenate([[True], np.any(np.diff(rounded, axis=0) != 0, axis=1)])
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in rounded[kept].tolist())


def _mark(rank: int, one: StreetFinding, x: float, y: float, lang: Lang) -> str:
    told = escape(f"{rank}. {one.text(lang)}")
    if rank > NUMBERED:
        return f'<circle class="{one.kind}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"><title>{told}</title></circle>'
    circle = f'<circle class="{one.kind}" cx="{x:.1f}" cy="{y:.1f}" r="8"/>'
    return f'<g><title>{told}</title>{circle}<text class="no" x="{x:.1f}" y="{y + 3.5:.1f}">{rank}</text></g>'


def _scale_bar(scale: float, height: float, lang: Lang) -> str:
    """Draw a bar of a round length near an eighth of the map's width."""
    wanted = WIDTH / 8 / scale
    metres = max(step for step in (10, 20, 50, *(n * 10**e for e in (2, 3, 4, 5) for n in (1, 2, 5))) if step <= max(wanted, 10))
    long = metres * scale
    told = pick(lang, f"{metres:,} 米", f"{metres:,} m") if metres < 1000 else f"{metres / 1000:g} {pick(lang, '公里', 'km')}"
    y = height - 8
    return f'<path class="bar" d="M10 {y:.1f}h{long:.1f}"/><text class="soft" x="10" y="{y - 5:.1f}">{told}</text>'


def _findings(report: StreetReport, lang: Lang) -> str:
    if not report.findings:
        return f'<p class="soft">{pick(lang, "没有发现问题。", "Nothing was found.")}</p>\n'
    heading, order = pick(lang, "发现的问题", "Findings"), pick(lang, "涉及人数多的在前", "the most people first")
    ranks = list(enumerate(report.findings, 1))
    text = f'<section>\n<h2>{heading} <span class="soft">{order}</span></h2>\n{_table(ranks[:FIRST], lang)}</section>\n'
    if len(ranks) > FIRST:
        label = pick(lang, f"其余 {len(ranks) - FIRST} 处", f"{len(ranks) - FIRST} more")
        text += f"<details><summary>{label}</summary>\n{_table(ranks[FIRST:], lang)}</details>\n"
    return text


def _table(found: list[tuple[int, StreetFinding]], lang: Lang) -> str:
    heads = (
        ("", "n"), (pick(lang, "人数", "People"), "n"), (pick(lang, "位置", "Where"), ""), (pick(lang, "节省", "Saved"), ""),
        (pick(lang, "问题", "What was found"), ""), (pick(lang, "建议", "What to do"), ""),
    )  # fmt: skip
    top = "".join(f'<th class="{kind}">{head}</th>' for head, kind in heads)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>\n{"".join(_row(*one, lang) for one in found)}</tbody></table></div>\n'  # noqa: E501


def _row(rank: int, one: StreetFinding, lang: Lang) -> str:
    people = f"{one.people:,.0f}<small>{escape(pick(lang, *COUNTED[one.counted]))}</small>" if one.people else "—"
    where = f"{one.lon:.5f}, {one.lat:.5f}" if np.isfinite(one.lon) else "—"
    saved = one.person_minutes
    told = pick(lang, f"{saved:,.0f} 人·分钟", f"{saved:,.0f} person-minutes") if abs(saved) >= 0.5 else "—"
    return (
        f'<tr><td class="m {one.kind}">{rank}</td><td class="n">{people}</td><td>{where}</td><td class="v">{told}</td>'
        f"<td><b>{escape(one.heading(lang))}</b><br>{escape(one.text(lang))}</td><td>{escape(one.proposal(lang))}</td></tr>\n"
    )


ROLES: Final = {"main": ("主路网", "main network"), "islet": ("孤立路网", "islet"), "fragment": ("零星短路", "fragment")}


def _parts(report: StreetReport, lang: Lang) -> str:
    """List the parts of the network that are long or lived on."""
    parts = report.parts
    shown = parts[(parts["people"] > 0) | (parts["role"] != "fragment")].head(20)
    heads = [pick(lang, *words) for words in (("部分", "Part"), ("类别", "Kind"), ("公里", "km"), ("居民", "People"))]
    rows = [
        (str(part + 1), pick(lang, *ROLES[role]), f"{km:,.1f}", f"{people:,.0f}")
        for part, role, km, people in zip(shown.index.tolist(), shown["role"], shown["km"], shown["people"], strict=True)
    ]
    rest = len(parts) - len(shown)
    told = pick(lang, f"另有 {rest} 片无人居住的零星短路。", f"{rest} further fragments, nobody lives there.") if rest else ""
    note = f'<p class="soft">{told}</p>\n' if told else ""
    return _small(pick(lang, "互不相接的路网", "Parts that do not hang together"), heads, rows) + note


def _classes(report: StreetReport, lang: Lang) -> str:
    words = (("道路等级", "Class"), ("条数", "Ways"), ("公里", "km"), ("可通行公里", "km used"))
    rows = [
        (str(kind), f"{ways:,}", f"{km:,.1f}", f"{used:,.1f}") for kind, ways, km, used in report.classes.itertuples(name=None)
    ]
    return _small(pick(lang, "按等级的道路长度", "Length by class"), [pick(lang, *both) for both in words], rows)


def _small(title: str, heads: list[str], rows: Sequence[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{head}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(value)}</td>' for value in row)}</tr>\n" for row in rows)
    table = f'<table class="small"><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table>'
    return f"<section>\n<h2>{title}</h2>\n{table}</section>\n"


def _foot(report: StreetReport, lang: Lang) -> str:
    zh = (
        "断头的人数：将该处接通、重建路网并重新搜索各格网最近设施后实算；未逐处实算的给出上限。孤立路网与缺少步行道路按居住于此的人数计；"
        "数据边缘按结果可能因界外设施改变的人数计。任何修补都须人工选择，见修补清单（CSV）。"
    )
    en = (
        "People of a gap: the link is made, the network built anew and the nearest facility of every cell searched; where that "
        "was not done, a bound from above. Of cut-off streets and missing footways: who lives there. Of edges: whose "
        "answer a facility beyond could change. Nothing is mended unless it is chosen in the list of repairs (CSV)."
    )
    water = ""
    if report.over_water:
        count = report.over_water
        water = pick(lang, f" {count} 处因跨越水面或障碍未列入。", f" {count} gaps across water or barriers are left out.")
    return f"<footer><p>{pick(lang, zh, en)}{water}</p></footer>\n</main>\n"


MORE: Final = """
.tiles.five{grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr))}
figure{margin:22px 0 0}
svg{display:block;width:100%;height:auto;border:1px solid var(--line);border-radius:4px;background:#fbfbfa}
svg .st{fill:none;stroke:#b9c0c5;stroke-width:.8}
svg .bar{fill:none;stroke:var(--ink);stroke-width:2}
svg text{font-size:11px;fill:var(--soft)}
svg circle{stroke:#fff;stroke-width:1}
svg .no{fill:#fff;font-size:10px;font-weight:600;text-anchor:middle}
svg .gap{fill:#a3261c}svg .piece{fill:#6a3d9a}svg .footway{fill:#8a5a00}svg .edge{fill:#1f6aa5}
.k{margin-right:18px;font-size:13px}
.k.gap,td.gap{color:#a3261c}.k.piece,td.piece{color:#6a3d9a}.k.footway,td.footway{color:#8a5a00}.k.edge,td.edge{color:#1f6aa5}
figcaption{margin-top:8px}
table.small{width:auto;min-width:24rem;table-layout:auto}
table.small th,table.small td{width:auto;text-align:right}
table.small th:first-child,table.small td:first-child{text-align:left}
"""
