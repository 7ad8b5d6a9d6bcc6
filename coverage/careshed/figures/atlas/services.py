"""Draw the sheets of one service: what there is, who is in reach, where the gaps are, what is planned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from careshed.figures.atlas.sheet import Atlas, Column, Title, map_sheet
from careshed.figures.frame import about, percent, several
from careshed.figures.furniture import Entry
from careshed.figures.ground import View, draw_ground, draw_units, label, name_units
from careshed.figures.layers import draw_bands, draw_effect, draw_facilities, draw_gaps, draw_population, draw_shares, heart
from careshed.figures.maps import UNITS_TIER, ground_entries, largest_gaps, tier_shares
from careshed.figures.plans import change_of, draw_change_sites, states_of
from careshed.maps.text import count, in_sentence, levels_text
from careshed.siting.studying import StudyPlan
from careshed.words import pick

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from careshed.run import ServiceResult

GAPS_NAMED = 10


@contextmanager
def _whole(atlas: Atlas, title: Title) -> Iterator[tuple[View, Column]]:
    with map_sheet(atlas, title, atlas.ground.bounds()) as (view, column):
        yield view, column


def existing_sheet(atlas: Atlas, title: Title, one: ServiceResult) -> Figure:
    """Draw the existing state (现状图): facilities over the people they are for."""
    study, lang = atlas.study, atlas.lang
    it = about(study, one, lang)
    facilities = study.facilities(one.service.id)
    with _whole(atlas, title) as (view, column):
        people = draw_population(view, it.scope.group, lang)
        draw_ground(view, streets=0.9)
        draw_units(view, study.units)
        places = draw_facilities(view, facilities, it.name, size=0.75)
        left = name_units(view, study.units, UNITS_TIER, times=1.15, colour="#1d2730")
        beds = float(facilities["places"].sum())
        column.figures = [
            (
                pick(lang, f"{it.name}，现状", f"{in_sentence(it.name)}, today"),
                pick(lang, f"{len(facilities)} 处", f"{len(facilities)}"),
            ),
            (it.who, pick(lang, f"{count(it.reached.people)} 人", count(it.reached.people))),
        ]
        if beds > 0:
            known = int(facilities["places"].notna().sum())
            told = pick(lang, f"床位或托位（{known} 处已知）", f"beds or places (known of {known})")
            column.figures.append((told, count(beds)))
        column.entries = several(places, pick(lang, "设施", "Facilities")) + people + _rest(atlas, left)
    return view.page.figure


def reach_sheet(atlas: Atlas, title: Title, one: ServiceResult) -> Figure:
    """Draw the service areas (服务范围图): from where a facility is reached within each limit."""
    study, lang = atlas.study, atlas.lang
    it = about(study, one, lang)
    with _whole(atlas, title) as (view, column):
        bands = draw_bands(view, one.isochrones, lang)
        draw_ground(view)
        draw_units(view, study.units)
        places = draw_facilities(view, study.facilities(one.service.id), it.name, size=0.65)
        left = name_units(view, study.units, UNITS_TIER, times=1.15, colour="#1d2730")
        rows = one.covered[(one.covered.index == "ALL") & (one.covered["group"] == it.scope.group)]
        for minutes, people, covered in zip(rows["minutes"], rows["people"], rows["covered"], strict=True):
            told = pick(
                lang,
                f"{it.who}在 {minutes:g} 分钟内可达（{count(people)} 人中 {count(covered)} 人）",
                f"of {it.who} within {minutes:g} min ({count(covered)} of {count(people)})",
            )
            column.figures.append((told, percent(float(covered), float(people))))
        column.entries = several(bands, pick(lang, f"到最近的{it.name}", f"To the nearest {in_sentence(it.name)}"))
        column.entries += several(places, pick(lang, "设施", "Facilities")) + _rest(atlas, left)
    return view.page.figure


def gaps_sheet(atlas: Atlas, title: Title, one: ServiceResult) -> Figure:
    """Draw the gaps (缺口图): where people live out of reach, over the share of each unit that is in reach."""
    study, lang = atlas.study, atlas.lang
    it = about(study, one, lang)
    with _whole(atlas, title) as (view, column):
        rows = tier_shares(one, it)
        shares = draw_shares(view, study.units, {str(key): float(value) for key, value in rows["share"].items()}, lang)
        draw_ground(view, streets=0.6)
        gaps = draw_gaps(view, one.gaps, lang, reached=it.reached) if len(one.gaps) else []
        draw_units(view, study.units)
        places = draw_facilities(view, study.facilities(one.service.id), it.name, size=0.6)
        for place, shape in enumerate(one.gaps.geometry.iloc[:GAPS_NAMED], start=1):
            label(view, heart(shape), str(place), 1.2, colour="#8a2c05", bold=True)
        left = name_units(view, study.units, UNITS_TIER, times=1.15, colour="#1d2730")
        told = pick(lang, f"{it.who}{it.limit}内到不了{it.name}", f"{it.who} more than {it.limit} from {in_sentence(it.name)}")
        missed, unjudged = count(it.reached.missed), count(it.reached.whole[2])
        column.figures = [(told, pick(lang, f"{missed} 人", missed))]
        if it.reached.whole[2]:
            column.figures.append((pick(lang, "无法判断", "cannot be judged"), pick(lang, f"{unjudged} 人", unjudged)))
        head = pick(lang, f"各单元{it.limit}可达比例", f"Share within {it.limit}, by unit")
        column.entries = several(gaps + largest_gaps(one, lang, GAPS_NAMED), pick(lang, "缺口", "Gaps"))
        column.entries += several(shares, head) + several(places, pick(lang, "设施", "Facilities")) + _rest(atlas, left)
    return view.page.figure


def plan_sheet(atlas: Atlas, title: Title, what: ServiceResult | StudyPlan) -> Figure:
    """Draw what is planned (规划布局图): numbered sites, and who comes into reach by them."""
    study, lang = atlas.study, atlas.lang
    change = change_of(study, what, lang)
    with _whole(atlas, title) as (view, column):
        effect = draw_effect(view, change.group, *states_of(what), lang)
        draw_ground(view, streets=0.7)
        draw_units(view, study.units)
        places = draw_facilities(view, study.facilities(change.service), change.target, size=0.5, quiet=True)
        sites = draw_change_sites(view, what, change, lang, size=1.45)
        left = name_units(view, study.units, UNITS_TIER, times=1.1, colour="#1d2730")
        told = pick(
            lang, f"{change.who}{change.limit}内可达：现状 → 建成后", f"{change.who} within {change.limit}: today → planned"
        )
        gain = pick(lang, "新增可达人数", "people newly in reach")
        column.figures = [
            (told, f"{percent(change.before, change.total)} → {percent(change.after, change.total)}"),
            (gain, f"{round(change.after) - round(change.before):+,d}"),
        ]
        column.entries = several(effect, change.who[:1].upper() + change.who[1:])
        column.entries += several([*sites, *places], pick(lang, "点位", "Sites")) + _rest(atlas, left)
        column.lines_head = pick(lang, "新增点位", "New sites")
        column.lines = [f"{number}  {name}" for number, name in zip(change.numbers, change.sites["name"], strict=True)]
    return view.page.figure


def _rest(atlas: Atlas, unnamed: int) -> list[Entry]:
    """Legend of the ground, and how many units are without their name."""
    lang = atlas.lang
    entries = several(ground_entries(atlas.study, lang), pick(lang, "底图", "Ground"))
    if unnamed:
        level = levels_text([str(level) for level in atlas.study.units["level"].unique()], lang)
        told = pick(lang, f"{unnamed} 个单元因位置不足未注名", f"{unnamed} units are not named for want of room ({level})")
        entries.append(Entry("head", told))
    return entries
