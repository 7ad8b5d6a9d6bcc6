"""Write the map of a plan: what is built, extended and closed, who gains, which gaps remain, and what had to give way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from careshed.access import find_gaps
from careshed.maps.base import background, head, notes, write_page
from careshed.maps.facts import Scope, scope_of
from careshed.maps.layers import BLUES, Layer, facilities_layer, gaps_layer, shaded_units
from careshed.maps.notes import Note
from careshed.maps.page import GAPS_LISTED
from careshed.maps.panel import FIFTHS, Legend, Switch, gap_rows, ground_switches, population_legend, tier_choices
from careshed.maps.plan_layers import (
    COLOURS,
    GAINED,
    HAD,
    LEFT,
    LOST,
    SURE,
    UNJUDGED,
    WORDS,
    built_groups,
    built_layer,
    change_rows,
    effect_bar,
    effect_layers,
    phase_colours,
    place_table,
    sure_colours,
    unit_shade,
    word,
)
from careshed.maps.population import population_layer
from careshed.maps.text import count, say
from careshed.maps.units import listed_tier, units_of_tier
from careshed.siting.studying import StudyPlan, gave_way, key_sentence, plan_sentences
from careshed.siting.studying.listing import listed
from careshed.siting.studying.words import limit_of_demand
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.siting.planning import Demand


def write_plan_map(path: str | Path, solved: StudyPlan, *, lang: Lang | None = None) -> Path:
    """Write a map that shows what a plan changes: sites new, extended and closed, who gains, which gaps remain.

    Beside the map stand the sentence that matters, value and bound in plain words, and what had to give way where the rules could
    not all be met. New sites are coloured by year where the plan has years. Where a plan serves several groups, the first is
    drawn. The page asks no other machine for anything, unless the study asks for a background map.

    Returns
    -------
    pathlib.Path
        The file written. The same input gives the same bytes.
    """
    study, demand = solved.problem.study, solved.plan.objective.demands[0]
    times = solved.problem.existing[demand.service]
    scope = scope_of(study, service=demand.service, group=demand.group, lang=lang, times=times, covered=None)
    scope = replace(scope, minutes=demand.minutes, demand_rate=demand.rate)
    gaps = _gaps(solved, demand)
    layers = _layers(solved, demand, scope, gaps)
    return write_page(
        path,
        study,
        scope,
        head=head(
            study,
            scope,
            solved.section.name(scope.lang),
            sentence=key_sentence(solved, scope.lang),
            bar=effect_bar(solved, demand, scope.lang),
            note=_note(demand, scope.lang),
        ),
        body=_body(solved, demand, scope, layers, gaps),
        layers=layers,
        words=WORDS,
        parts=("supply", "plan"),
    )


def _note(demand: Demand, lang: Lang) -> str:
    limit = limit_of_demand(demand, lang)
    return pick(lang, f"建成后 {limit}内可达", f"within {limit}")


def _gaps(solved: StudyPlan, demand: Demand) -> GeoDataFrame:
    """Where people still live out of reach when the plan is carried out."""
    study, times = solved.problem.study, solved.after[demand.service]
    return find_gaps(times, study.cells, minutes=demand.minutes, metres=demand.metres, group=demand.group, units=study.units)


def _layers(solved: StudyPlan, demand: Demand, scope: Scope, gaps: GeoDataFrame) -> dict[str, Layer]:
    """Collect what is there to draw, from the ground up."""
    study = solved.problem.study
    found: dict[str, Layer | None] = background(study)
    found["population"] = population_layer(study.cells, demand.group, study.population.grid)
    found |= effect_layers(solved, demand, study.population.grid)
    shade = unit_shade(solved, demand, scope.lang)
    found |= {f"units{tier}": shaded_units(study.units, tier, shade, BLUES) for tier in (1, 2, 3)}
    found["gaps"] = gaps_layer(gaps, scope) if len(gaps) else None
    kept = _kept(solved)
    found["facilities"] = facilities_layer(kept, scope) if len(kept) else None
    found["built"] = built_layer(solved, scope.lang)
    return {key: layer for key, layer in found.items() if layer is not None}


def _kept(solved: StudyPlan) -> GeoDataFrame:
    """Facilities that stand and stay as they are."""
    ids = [one.id for one in listed(solved) if one.fate == "kept"]
    table = solved.problem.study.facility_table
    return table[table.index.isin(ids)] if ids else place_table(solved).iloc[:0]


def _body(solved: StudyPlan, demand: Demand, scope: Scope, layers: dict[str, Layer], gaps: GeoDataFrame) -> dict[str, object]:
    study, lang, plan = solved.problem.study, scope.lang, solved.plan
    gave = gave_way(plan, lang)
    told = [line for line in plan_sentences(solved, lang) if line not in gave][1:]
    conflict = [line.split(pick(lang, "规则不能全部满足：", "The rules cannot all be met: "))[-1] for line in gave]
    return {
        "verdict": {"conflict": conflict, "sentences": told},
        "switches": _switches(solved, layers, scope, gaps),
        "radios": _fills(solved, layers, scope),
        "built": built_groups(solved, lang),
        "changes": _changes(solved, demand, layers, scope),
        "gaps": gap_rows(gaps, scope, GAPS_LISTED) if len(gaps) else [],
        "gaps_shown": say(lang, "gaps_shown", min(GAPS_LISTED, len(gaps)), count(len(gaps))),
    } | notes(scope, _assumptions(solved, lang), (*study.faults, *solved.findings))


def _assumptions(solved: StudyPlan, lang: Lang) -> list[Note]:
    """What the plan rests on, as label and text."""
    found = []
    for said in (pick(lang, zh, en) for zh, en in solved.problem.assumptions):
        label, mark, text = said.partition(pick(lang, "：", ": "))
        given = pick(lang, "设定", "given")
        found.append((label, text) if mark and len(label) <= 40 else (given, said))
    return found


def _switches(solved: StudyPlan, layers: dict[str, Layer], scope: Scope, gaps: GeoDataFrame) -> list[tuple[str, list[Switch]]]:
    """List the layers that can be switched; colours of cells and units are chosen apart."""
    lang, results = scope.lang, []
    if "built" in layers:
        results.append(_built_switch(solved, lang))
    if "facilities" in layers:
        kept = sum(one.fate == "kept" for one in listed(solved))
        results.append(Switch("facilities", word(lang, "kept"), say(lang, "places_count", count(kept)), "dot"))
    if "gaps" in layers:
        people = count(float(gaps["people"].sum()))
        results.append(Switch("gaps", word(lang, "gaps"), say(lang, "gaps_count", count(len(gaps)), people), "gap"))
    ground = ground_switches(layers, lang)
    return [(say(lang, "on_map"), results), *([(say(lang, "base"), ground)] if ground else [])]


def _built_switch(solved: StudyPlan, lang: Lang) -> Switch:
    """The sign of new sites, by year where there are years, with what is extended and closed."""
    fates = [one.fate for one in listed(solved)]
    parts = [(fate, fates.count(fate)) for fate in ("new", "extended", "closed") if fate in fates]
    told = pick(lang, "，", ", ").join(f"{word(lang, fate)} {n}" for fate, n in parts)
    steps = [(colour, str(year)) for year, colour in phase_colours(solved).items()]
    unit = pick(lang, "建成年份", "year built") if steps else ""
    if sure := set(sure_colours(solved).values()):
        steps, unit = [(SURE[key], word(lang, key)) for key in SURE if SURE[key] in sure], word(lang, "sureness")
    steps += [(COLOURS[fate], word(lang, fate)) for fate, _ in parts if fate in COLOURS] if steps else []
    return Switch("built", word(lang, "built"), told, "pin", tuple(steps), unit)


def _fills(solved: StudyPlan, layers: dict[str, Layer], scope: Scope) -> dict[str, object]:
    """Offer the colourings of the map, of which one is shown at a time."""
    lang, plan = scope.lang, solved.plan
    lost = [(LOST, word(lang, "lost"))] if plan.closed else []
    effect = ((HAD, word(lang, "had")), (GAINED, word(lang, "gained")), *lost, (LEFT, word(lang, "left")))
    grey = (UNJUDGED, say(lang, "unjudged"))
    both = ((HAD, say(lang, "reached")), (LEFT, word(lang, "out")), grey)
    choices = [("effect", word(lang, "effect")), ("before", word(lang, "today")), ("after", word(lang, "then"))]
    legends = [
        Legend("effect", word(lang, "effect"), (*effect, grey)),
        Legend("before", word(lang, "today"), both),
        Legend("after", word(lang, "then"), both),
    ]
    tiers = tier_choices(layers, solved.problem.study.units, lang)
    if tiers:
        choices += [(value, word(lang, "by_unit", label)) for value, label in tiers]
        steps = tuple(zip(BLUES, FIFTHS, strict=True))
        legends.append(Legend(" ".join(value for value, _ in tiers), word(lang, "then"), steps))
    if "population" in layers:
        choices.append(("population", say(lang, "population")))
        legends.append(population_legend(layers["population"], scope))
    choices.append(("", say(lang, "off")))
    return {"title": word(lang, "fills"), "choices": choices, "legends": legends, "leads": True}


def _changes(solved: StudyPlan, demand: Demand, layers: dict[str, Layer], scope: Scope) -> dict[str, object] | None:
    """Both shares by street and township."""
    units = solved.problem.study.units
    chosen = listed_tier(layers, units, scope)
    if chosen is None:
        return None
    tier, levels = chosen
    rows = change_rows(solved, demand, units_of_tier(units, tier))
    return {"title": word(scope.lang, "changes", levels), "tier": tier, "rows": rows}
