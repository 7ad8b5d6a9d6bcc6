"""Draw a service's maps as figures: who is in reach, by street and by unit, where the gaps are, where people live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from careshed.figures.frame import About, SizeMm, Told, about, map_frame, percent, several
from careshed.figures.furniture import Entry
from careshed.figures.ground import View, draw_ground, draw_units, name_units
from careshed.figures.layers import draw_bands, draw_facilities, draw_gaps, draw_population, draw_shares, unit_shares
from careshed.figures.page import SLIDE_MM
from careshed.maps.text import count, in_sentence, levels_text
from careshed.schema import TIERS
from careshed.words import Lang, pick, spanned

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from careshed.run import ServiceResult
    from careshed.study import Study

GAPS_NUMBERED = 5
UNITS_TIER = 2


def isochrone_figure(study: Study, one: ServiceResult, lang: Lang | None = None, *, size_mm: SizeMm = SLIDE_MM) -> Figure:
    """Draw from where a service is reached within its limits; the title says which share of the people that is.

    Parameters
    ----------
    size_mm
        Width and height, millimetres; a 16:9 slide if left out.

    Returns
    -------
    matplotlib.figure.Figure
        Neither shown nor written; `careshed.figures.save_figure` writes it.

    Raises
    ------
    careshed.schema.InputError
        If Chinese is to be drawn and no Chinese font is installed.
    """
    lang = lang or study.lang
    it = about(study, one, lang)
    part = percent(it.reached.covered, it.reached.people)
    zh = f"{it.limit}内，{part} 的{it.who}可到{it.name}（{count(it.reached.people)} 人中 {count(it.reached.covered)} 人）"
    en = (
        f"{part} of {it.who} can reach {in_sentence(it.name)} within {it.limit} "
        f"({count(it.reached.covered)} of {count(it.reached.people)})"
    )
    told = Told(_nobody(it, lang) or pick(lang, zh, en), it.under, _method(one, lang))
    with map_frame(study, told, lang, size_mm) as (page, view, entries):
        bands = draw_bands(view, one.isochrones, lang)
        _ground(view, study)
        places = draw_facilities(view, study.facilities(one.service.id), it.name)
        name_units(view, study.units, UNITS_TIER)
        entries += several(bands, _time_head(it, lang)) + several([*places, *ground_entries(study, lang)], _rest(lang))
    return page.figure


def coverage_figure(study: Study, one: ServiceResult, lang: Lang | None = None, *, size_mm: SizeMm = SLIDE_MM) -> Figure:
    """Draw the share of people in reach by street and township; the title names the lowest and the highest."""
    lang = lang or study.lang
    it = about(study, one, lang)
    told = Told(_nobody(it, lang) or _range_title(one, it, lang), it.under, _method(one, lang))
    with map_frame(study, told, lang, size_mm) as (page, view, entries):
        rows = tier_shares(one, it)
        shares = draw_shares(view, study.units, {str(key): float(value) for key, value in rows["share"].items()}, lang)
        _ground(view, study, quiet=True)
        places = draw_facilities(view, study.facilities(one.service.id), it.name, size=0.4)
        name_units(view, study.units, UNITS_TIER, colour="#1d2730")
        head = pick(lang, f"{it.limit}内可达的{it.who}", f"{it.who} within {it.limit}")
        entries += several(shares, head[:1].upper() + head[1:]) + several([*places, *ground_entries(study, lang)], _rest(lang))
    return page.figure


def gaps_figure(study: Study, one: ServiceResult, lang: Lang | None = None, *, size_mm: SizeMm = SLIDE_MM) -> Figure:
    """Draw where people live out of reach; the title says how many, and the legend lists the largest gaps."""
    lang = lang or study.lang
    it = about(study, one, lang)
    told = Told(_nobody(it, lang) or _gaps_title(one, it, lang), it.under, _method(one, lang))
    with map_frame(study, told, lang, size_mm) as (page, view, entries):
        _ground(view, study)
        gaps = draw_gaps(view, one.gaps, lang, numbered=GAPS_NUMBERED, reached=it.reached) if len(one.gaps) else []
        places = draw_facilities(view, study.facilities(one.service.id), it.name)
        name_units(view, study.units, UNITS_TIER)
        entries += several([*gaps, *largest_gaps(one, lang, GAPS_NUMBERED)], pick(lang, "服务缺口", "Gaps"))
        entries += several([*places, *ground_entries(study, lang)], _rest(lang))
    return page.figure


def population_figure(study: Study, one: ServiceResult, lang: Lang | None = None, *, size_mm: SizeMm = SLIDE_MM) -> Figure:
    """Draw where the people live whom a service is for; the title says how closely."""
    lang = lang or study.lang
    it = about(study, one, lang)
    half = half_in(study.cells[it.scope.group].to_numpy(dtype=float))
    zh = f"{count(it.reached.people)} 名{it.who}，一半住在 {half:.0%} 的有人格网里"
    en = f"Half of the {count(it.reached.people)} {it.who} live in {half:.0%} of the inhabited cells"
    told = Told(_nobody(it, lang) or pick(lang, zh, en), f"{it.scope.place}  ·  {it.who}", "")
    with map_frame(study, told, lang, size_mm) as (page, view, entries):
        people = draw_population(view, it.scope.group, lang)
        _ground(view, study)
        name_units(view, study.units, UNITS_TIER, colour="#1d2730")
        entries += people + several(ground_entries(study, lang), _rest(lang))
    return page.figure


def half_in(people: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Tell in which share of the inhabited cells half of the people live, the fullest first.

    >>> half_in(np.array([5.0, 1, 1, 1, 1, 1, 0]))
    0.16666666666666666
    """
    lived = np.sort(people[people > 0])[::-1]
    if not len(lived):
        return 0.0
    return float((np.searchsorted(np.cumsum(lived), lived.sum() / 2) + 1) / len(lived))


def tier_shares(one: ServiceResult, it: About, tier: int = UNITS_TIER) -> pd.DataFrame:
    """Rows of the coverage table for the units of one tier that have people."""
    rows = unit_shares(one.covered, it.scope.group, one.service.within_minutes)
    rows = rows[rows["level"].map(TIERS) == tier]
    return rows[rows["people"] > 0] if len(rows) else rows


def ground_entries(study: Study, lang: Lang, *, water: bool = True) -> list[Entry]:
    """Legend of what lies under every map."""
    levels = sorted(study.units["level"].unique())
    names = levels_text([level for level in levels if TIERS.get(str(level)) == UNITS_TIER], lang)
    found = [Entry("dash", pick(lang, f"{names}界", f"boundary: {names}"), "#7b868f", width=0.9)] if names else []
    found += [Entry("line", pick(lang, "道路", "streets"), "#c9bfae", width=1.6)]
    return found + ([Entry("fill", pick(lang, "水域", "water"), "#d3e3ec")] if water and len(study.water) else [])


def largest_gaps(one: ServiceResult, lang: Lang, most: int) -> list[Entry]:
    """Name the largest gaps, as numbered on the map."""
    entries = []
    for place, row in enumerate(one.gaps.head(most).to_dict("records"), start=1):
        where, people = spanned(row, lang), count(float(row["people"]))
        entries.append(Entry("number", pick(lang, f"{where}：{people} 人", f"{where}: {people}"), "#8a2c05", detail=str(place)))
    return entries


def _ground(view: View, study: Study, *, quiet: bool = False) -> None:
    draw_ground(view, streets=0.6 if quiet else 1.0)
    draw_units(view, study.units)


def _nobody(it: About, lang: Lang) -> str:
    """Say so where a group has no people at all, "" where it has."""
    return "" if it.reached.people else pick(lang, f"数据中没有{it.who}", f"The data hold no {it.who}")


def _gaps_title(one: ServiceResult, it: About, lang: Lang) -> str:
    """Say how many live out of reach, and apart from them how many cannot be judged: a gap holds both."""
    if not len(one.gaps):
        return pick(lang, f"没有缺口：{it.who} {it.limit}内都可到{it.name}", f"No gaps: all {it.who} are within {it.limit}")
    missed, places, unjudged = count(it.reached.missed), len(one.gaps), count(it.reached.whole[2])
    part = percent(it.reached.missed, it.reached.people)
    zh = f"{missed} 名{it.who}（{part}）{it.limit}内到不了{it.name}"
    en = f"{missed} {it.who} ({part}) live more than {it.limit} from {in_sentence(it.name)}"
    if it.reached.whole[2]:
        zh, en = f"{zh}，另有 {unjudged} 名无法判断", f"{en}, {unjudged} cannot be judged"
    return pick(lang, f"{zh}，分布在 {places} 处", f"{en}, in {places} places")


def _range_title(one: ServiceResult, it: About, lang: Lang) -> str:
    rows = tier_shares(one, it).sort_values("share", kind="stable")
    if len(rows) < 2:
        part = percent(it.reached.covered, it.reached.people)
        return pick(lang, f"{part} 的{it.who} {it.limit}内可到{it.name}", f"{part} of {it.who} are within {it.limit}")
    (low, least), (high, most) = (_named_end(rows, at, lang) for at in (0, -1))
    service = in_sentence(it.name)
    return pick(
        lang,
        f"{it.name} {it.limit}可达比例：{low}最低（{least}），{high}最高（{most}）",
        f"{it.limit} reach of {service} runs from {least} in {low} to {most} in {high}",
    )


def _named_end(rows: pd.DataFrame, at: int, lang: Lang) -> tuple[str, str]:
    """Name the unit at one end of rows in the order of their shares, and how many share its figure as it is printed."""
    name, figure = str(rows["name"].iloc[at]), f"{rows['share'].iloc[at]:.1%}"
    alike = sum(f"{share:.1%}" == figure for share in rows["share"])
    if alike == 1:
        return name, figure
    return pick(lang, f"{name}等 {alike} 个", f"{name} and {alike - 1} more"), figure


def _time_head(it: About, lang: Lang) -> str:
    return pick(lang, f"到最近的{it.name}", f"To the nearest {in_sentence(it.name)}")


def _rest(lang: Lang) -> str:
    return pick(lang, "设施与底图", "Places and ground")


def _method(one: ServiceResult, lang: Lang) -> str:
    mode = one.times.mode
    if one.service.tables:
        zh = f"出行时间为导入，不由本软件计算：{mode.zh}；人口按格网中心判断"
        return pick(
            lang, zh, f"Travel times are imported, not computed here: {mode.en}; people counted at the centres of their cells"
        )
    zh = f"沿街道网络计算，{mode.zh}，人口按格网中心判断"
    return pick(lang, zh, f"Travel along the street network ({mode.en}); people counted at the centres of their cells")
