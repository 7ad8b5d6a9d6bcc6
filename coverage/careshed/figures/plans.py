"""Draw what sites change: where they stand, who comes into reach, and how each street and township fares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.access import unit_sums
from careshed.figures.frame import SizeMm, Told, about, map_frame, percent, several
from careshed.figures.furniture import Entry
from careshed.figures.ground import View, draw_ground, draw_units, name_units
from careshed.figures.layers import draw_effect, draw_facilities, draw_sites, site_effect, year_entries
from careshed.figures.maps import UNITS_TIER, ground_entries
from careshed.figures.page import SITE, SLIDE_MM
from careshed.maps.plan_layers import cell_states, phase_colours, place_table, unit_rows
from careshed.maps.text import count, in_sentence
from careshed.schema import TIERS
from careshed.siting.studying import StudyPlan, gave_way, key_sentence
from careshed.siting.studying.listing import listed
from careshed.siting.studying.words import limit_of_demand
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.figure import Figure

    from careshed.run import ServiceResult
    from careshed.study import Study

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Change:
    """What sites change, whether ranked by a service or planned by the study's rules, in the figures' own terms."""

    name: str
    service: str
    """Id of the service whose facilities are drawn."""
    group: str
    who: str
    under: str
    limit: str
    how: str
    """Of the travel."""
    target: str
    before: float
    after: float
    total: float
    sentence: str
    """What the sites bring, in one sentence."""
    proof: str
    sites: GeoDataFrame
    numbers: tuple[int, ...]
    years: tuple[int, ...]
    """Year each site opens in, () where there are no years."""
    units: pd.DataFrame
    """Index unit code; ``name``, ``people``, ``before``, ``after``: streets and townships with people."""


def change_of(study: Study, what: ServiceResult | StudyPlan, lang: Lang) -> Change:
    """Put what a service's ranked sites change, or what a plan of the study changes, into the figures' terms."""
    return _planned(study, what, lang) if isinstance(what, StudyPlan) else _ranked(study, what, lang)


def plan_figure(study: Study, what: ServiceResult | StudyPlan, lang: Lang | None = None, *, size_mm: SizeMm = SLIDE_MM) -> Figure:
    """Draw the numbered sites of a plan and who comes into reach by them; the title says what it brings.

    Parameters
    ----------
    what
        A service of a run, whose ranked sites are drawn, or a solved plan of the study.
    """
    lang = lang or study.lang
    change = change_of(study, what, lang)
    told = Told(change.sentence, change.under, change.proof)
    with map_frame(study, told, lang, size_mm) as (page, view, entries):
        effect = draw_effect(view, change.group, *states_of(what), lang)
        draw_ground(view, streets=0.7)
        draw_units(view, study.units)
        places = draw_facilities(view, study.facilities(change.service), change.target, size=0.42, quiet=True)
        sites = draw_change_sites(view, what, change, lang)
        name_units(view, study.units, UNITS_TIER)
        entries += several([*effect], change.who[:1].upper() + change.who[1:])
        entries += several([*sites, *places, *ground_entries(study, lang)], pick(lang, "点位与底图", "Places and ground"))
    return page.figure


def states_of(what: ServiceResult | StudyPlan) -> tuple[Bools, Bools, Bools]:
    """Tell for every cell whether it is in reach today, by the plan, and whether that cannot be judged."""
    if isinstance(what, StudyPlan):
        states = cell_states(what, what.plan.objective.demands[0])
        return states["today"], states["then"], states["unjudged"]
    return site_effect(what)


def draw_change_sites(view: View, what: ServiceResult | StudyPlan, change: Change, lang: Lang, size: float = 1.2) -> list[Entry]:
    """Draw the new sites, by year where there are years, and give their part of the legend."""
    text = pick(lang, "新增点位", "New sites")
    if not change.years or not isinstance(what, StudyPlan):
        return draw_sites(view, change.sites, change.numbers, text, size=size)
    years = phase_colours(what)
    colours = [years.get(year, SITE) for year in change.years]
    draw_sites(view, change.sites, change.numbers, text, colours=colours, size=size)
    return year_entries(what, lang)


def _planned(study: Study, solved: StudyPlan, lang: Lang) -> Change:
    demand, reached = solved.plan.objective.demands[0], solved.plan.reached[0]
    new = [one for one in listed(solved) if one.fate == "new"]
    service, limit, who = study.service(demand.service), limit_of_demand(demand, lang), group_name(demand.group, lang)
    sentence = key_sentence(solved, lang).rstrip("。.")
    mode = study.travel_mode(solved.section.mode) if solved.section.mode else study.mode(service.id)
    how = pick(lang, mode.zh, mode.en)
    parts = (study.name, solved.section.name(lang), service.name(lang), who, how, limit)
    rows = unit_rows(solved, demand)
    names = study.units[study.units["level"].map(TIERS) == UNITS_TIER]["name"]
    table = [(key, name, *(float(str(rows[key][column])) for column in ("people", "before", "after")))
             for key, name in names.items() if key in rows]  # fmt: skip
    gave = gave_way(solved.plan, lang)
    return Change(
        name=solved.section.name(lang),
        service=demand.service,
        group=demand.group,
        who=who,
        under="  ·  ".join(parts),
        limit=limit,
        how=how,
        target=service.name(lang),
        before=reached.before,
        after=reached.after,
        total=reached.total,
        sentence=sentence,
        proof=gave[-1] if gave else _proof(solved.plan.status == "optimal", lang),
        sites=place_table(solved).loc[[one.id for one in new]],
        numbers=tuple(one.rank or 0 for one in new),
        years=tuple(one.year or 0 for one in new) if solved.phased is not None else (),
        units=_unit_table(table),
    )


def _ranked(study: Study, one: ServiceResult, lang: Lang) -> Change:
    it, plan = about(study, one, lang), one.plan
    before, after = (percent(people, plan.people_total) for people in (plan.people_covered_before, plan.people_covered_after))
    n, gain = len(plan.sites), count(round(plan.people_covered_after) - round(plan.people_covered_before))
    zh = f"新增 {n} 处，{it.limit}内可到{it.name}的{it.who}由 {before} 升至 {after}（增加 {gain} 人）"
    en = (
        f"{n} new site{'s raise' if n != 1 else ' raises'} the {it.who} within {it.limit} of {in_sentence(it.name)} "
        f"from {before} to {after} "
        f"({gain} more people)"
    )
    if not n:
        zh, en = "没有可建议的选址", "No site can be proposed"
    return Change(
        name=pick(lang, "建议选址", "Proposed sites"),
        service=one.service.id,
        group=plan.group,
        who=it.who,
        under=it.under,
        limit=it.limit,
        how=it.how,
        target=it.name,
        before=plan.people_covered_before,
        after=plan.people_covered_after,
        total=plan.people_total,
        sentence=pick(lang, zh, en),
        proof=_proof(plan.status == "optimal", lang) if n else "",
        sites=plan.sites,
        numbers=tuple(int(rank) for rank in plan.sites["rank"]),
        years=(),
        units=_ranked_units(study, one),
    )


def _ranked_units(study: Study, one: ServiceResult) -> pd.DataFrame:
    today, then, _ = site_effect(one)
    people = study.cells[one.plan.group].to_numpy(dtype=float)
    keys, sums = unit_sums(np.column_stack([people, people * today, people * then]), study.cells["unit"].to_numpy(), study.units)
    figures = {str(key): row for key, row in zip(keys, sums, strict=True)}
    names = study.units[study.units["level"].map(TIERS) == UNITS_TIER]["name"]
    return _unit_table([(key, name, *map(float, figures[str(key)])) for key, name in names.items() if str(key) in figures])


def _unit_table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["unit_id", "name", "people", "before", "after"]).set_index("unit_id")
    return table[table["people"] > 0]


def _proof(optimal: bool, lang: Lang) -> str:
    if optimal:
        return pick(lang, "同样规则下的最优方案（已证明）", "The best plan under the same rules (proven)")
    return pick(lang, "同样规则下的好方案，上限见方案表", "A good plan under the same rules; its bound is in the plan's table")
