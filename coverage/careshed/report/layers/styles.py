"""Choose how each layer is drawn, in the colours of the project's maps: safe for colour-blind readers and for print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from careshed.access import cell_spacing
from careshed.maps.layers import BLUES, band_colours
from careshed.report.layers.fields import catalogue
from careshed.report.layers.model import Geometry, Label, Rule, Style, Symbol, Test
from careshed.schema import STATUSES
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

INK, SOFT, RIM, PAPER = "#1d2730", "#5d6670", "#9aa3ab", "#ffffff"
GAP, GAP_RIM = "#ee9468", "#b23f08"
BEYOND: Final = ("#f3c3a6", "#cf5a24")
"""Beyond the limit: up to twice as far, and farther or not to be reached at all."""
UNKNOWN: Final = "#9aa1a8"
PIN: Final = "#7c1f56"
KEPT: Final = "#1f5490"

SWITCH: Final = 40_000.0
"""Scale at which streets and townships give way to communities and villages: about where a street fills the screen."""


STATUS_WORDS: Final[dict[str, tuple[str, str]]] = {**STATUSES, "closed": ("停业", "closed")}
"""Status of a facility, those that have closed included -> (Chinese, English)."""


def point_kind(table: GeoDataFrame) -> Geometry:
    """Say whether places are points, or many points each where any has several entrances."""
    return "MultiPoint" if (table.geometry.geom_type == "MultiPoint").any() else "Point"


def _name(key: str, lang: Lang) -> str:
    return catalogue()[key].name(lang)


def _scales(tier: int, tiers: Sequence[int]) -> tuple[float, float]:
    """Scales between which a tier is filled: large units when far away, the next smaller ones when near."""
    shown = [one for one in tiers if one in (2, 3)] or list(tiers[:1])
    if len(shown) < 2:
        return 0.0, 0.0
    return (SWITCH, 0.0) if tier == shown[0] else (0.0, SWITCH)


def _filled(tiers: Sequence[int]) -> list[int]:
    return [one for one in tiers if one in (2, 3)] or list(tiers[:1])


def _named(tiers: Sequence[int], lang: Lang, more: str = "") -> Label:
    """Write the names of the units that are drawn at a scale."""
    tier, name = _name("tier", lang), _name("name", lang)
    cases = []
    for one in _filled(tiers):
        above, below = _scales(one, tiers)
        near = f" AND @map_scale >= {above:.0f}" if above else f" AND @map_scale < {below:.0f}" if below else ""
        cases.append(f'WHEN "{tier}" = {one}{near} THEN "{name}"{more}')
    return Label(f"CASE {' '.join(cases)} END", name, INK, 8.0)


def _outline(tiers: Sequence[int], lang: Lang) -> list[Rule]:
    """Draw the outlines of the units, the large ones stronger."""
    tier, found = _name("tier", lang), []
    words = {1: ("县区", "counties"), 2: ("街道、乡镇", "streets and townships"), 3: ("社区、村", "communities and villages")}
    widths = {1: 0.6, 2: 0.35, 3: 0.15}
    for one in tiers:
        below = SWITCH if one > 2 and len(_filled(tiers)) > 1 else 0.0
        symbol = Symbol(line=SOFT, width_mm=widths.get(one, 0.1), dashed=one == 1)
        label = pick(lang, *words.get(one, ("小区", "compounds")))
        found.append(Rule(label, symbol, (Test(tier, "=", one),), below=below))
    return found


def outlines(title: str, tiers: Sequence[int], lang: Lang) -> Style:
    """Draw units by their outlines and names alone."""
    return Style(title, tuple(_outline(tiers, lang)), _named(tiers, lang))


def coverage(title: str, tiers: Sequence[int], lang: Lang) -> Style:
    """Fill units by the share of people reached, in fifths; streets from far, communities from near."""
    tier, share, rules = _name("tier", lang), _name("share", lang), []
    for one in _filled(tiers):
        above, below = _scales(one, tiers)
        here = Test(tier, "=", one)
        for step, colour in enumerate(BLUES):
            symbol = Symbol(fill=colour, line=PAPER, width_mm=0.3, opacity=0.85)
            upper = (Test(share, "<", (step + 1) / 5),) if step < 4 else ()
            tests = (here, Test(share, ">=", step / 5), *upper)
            rules.append(Rule(f"{step * 20}–{step * 20 + 20}%", symbol, tests, above, below))
        nobody = Symbol(fill="#f2f2f2", line=RIM, width_mm=0.2, opacity=0.85)
        rules.append(Rule(pick(lang, "无此人群", "nobody of the group"), nobody, (here, Test(share, "null")), above, below))
    percent = f" || '\\n' || round(\"{share}\" * 100) || '%'"
    return Style(title, (*rules, *_outline(tiers[:1], lang)), _named(tiers, lang, percent))


def bands(title: str, minutes: Sequence[float], lang: Lang) -> Style:
    """Fill isochrones from dark (near) to light (far)."""
    return Style(title, tuple(_bands(minutes, lang, line=False)))


def streets(title: str, minutes: Sequence[float], lang: Lang) -> Style:
    """Colour streets as isochrones."""
    return Style(title, tuple(_bands(minutes, lang, line=True)))


def _bands(minutes: Sequence[float], lang: Lang, *, line: bool) -> list[Rule]:
    limits, name = sorted(minutes), _name("band", lang)
    rules = []
    for limit, colour in reversed(list(zip(limits, band_colours(len(limits)), strict=True))):
        symbol = Symbol(fill=colour, width_mm=0.7) if line else Symbol(fill=colour, line=PAPER, width_mm=0.2, opacity=0.75)
        rules.append(Rule(pick(lang, f"≤ {limit:g} 分钟", f"≤ {limit:g} minutes"), symbol, (Test(name, "=", limit),)))
    return rules


def gaps(title: str, lang: Lang) -> Style:
    """Fill the gaps in the warm colour that stands for them on every map."""
    symbol = Symbol(fill=GAP, line=GAP_RIM, width_mm=0.4, opacity=0.8)
    text = f'CASE WHEN "{_name("gap_people", lang)}" >= 50 THEN round("{_name("gap_people", lang)}") END'
    return Style(title, (Rule(pick(lang, "服务缺口", "gap"), symbol),), Label(text, _name("gap_people", lang), "#7a2c05", 8.0))


def cells(title: str, table: GeoDataFrame, minutes: Sequence[float], limit: float, lang: Lang) -> Style:
    """Colour cells by the time to the nearest facility: teal within the limit, warm beyond it, grey where nobody can tell."""
    name, why = _name("minutes", lang), _name("why", lang)
    steps = sorted({*(one for one in minutes if one < limit), limit})
    rules, before = [], 0.0
    size = cell_spacing(table) if {"row", "col"} <= set(table.columns) else 0.0

    def symbol(colour: str) -> Symbol:
        return Symbol(fill=colour, shape="square" if size else "circle", size_m=size, size_mm=1.4)

    judged = Test(why, "=", "")
    for step, colour in zip(steps, band_colours(len(steps)), strict=True):
        tests = (judged, Test(name, ">" if before else ">=", before), Test(name, "<=", step))
        rules.append(Rule(pick(lang, f"≤ {step:g} 分钟", f"≤ {step:g} minutes"), symbol(colour), tests))
        before = step
    far = pick(lang, f"≤ {limit * 2:g} 分钟", f"≤ {limit * 2:g} minutes")
    rules.append(Rule(far, symbol(BEYOND[0]), (judged, Test(name, ">", limit), Test(name, "<=", limit * 2))))
    rules.append(
        Rule(
            pick(lang, f"> {limit * 2:g} 分钟", f"> {limit * 2:g} minutes"),
            symbol(BEYOND[1]),
            (judged, Test(name, ">", limit * 2)),
        )
    )
    rules.append(
        Rule(pick(lang, "到不了任何设施", "no facility can be reached"), symbol(BEYOND[1]), (judged, Test(name, "null")))
    )
    rules.append(Rule(pick(lang, "无法判断", "cannot be judged"), symbol(UNKNOWN), (Test(why, "<>", ""),)))
    return Style(title, tuple(rules))


def facilities(title: str, lang: Lang) -> Style:
    """Mark facilities by status: those that operate are full."""
    status, looks = _name("status", lang), {"operating": Symbol(fill=INK, line=PAPER, width_mm=0.35, size_mm=2.6)}
    looks["building"] = Symbol(fill=PAPER, line=INK, width_mm=0.5, size_mm=2.6)
    looks["reserve"] = Symbol(fill=PAPER, line=RIM, width_mm=0.5, size_mm=2.2)
    looks["closed"] = Symbol(fill="#d5d9dc", line=RIM, width_mm=0.2, size_mm=1.8)
    rules = [
        Rule(pick(lang, *words), looks[key], (Test(status, "=", pick(lang, *words)),)) for key, words in STATUS_WORDS.items()
    ]
    return Style(title, tuple(reversed(rules)))


def candidates(title: str, lang: Lang) -> Style:
    """Mark candidate sites quietly, so that chosen ones stand out."""
    symbol = Symbol(fill=PAPER, line=PIN, width_mm=0.35, shape="diamond", size_mm=2.6)
    return Style(title, (Rule(pick(lang, "候选点", "candidate site"), symbol),))


def sites(title: str, lang: Lang) -> Style:
    """Mark proposed sites with their rank."""
    rank = _name("rank", lang)
    symbol = Symbol(fill=PIN, line=PAPER, width_mm=0.4, size_mm=5.4)
    return Style(
        title,
        (Rule(pick(lang, "建议选址", "proposed site"), symbol),),
        Label(f'"{rank}"', rank, PAPER, 8.5, bold=True, inside=True),
    )


def plan(title: str, lang: Lang) -> Style:
    """Mark the sites of a plan: new ones strong, those that stand quiet."""
    status = _name("plan_status", lang)
    looks = (
        (pick(lang, "保留", "kept"), Symbol(fill=INK, line=PAPER, width_mm=0.35, size_mm=2.4)),
        (pick(lang, "扩建", "extended"), Symbol(fill=KEPT, line=PAPER, width_mm=0.4, size_mm=3.6)),
        (pick(lang, "新建", "new"), Symbol(fill=PIN, line=PAPER, width_mm=0.4, size_mm=4.2)),
    )
    return Style(title, tuple(Rule(word, symbol, (Test(status, "=", word),)) for word, symbol in looks))
