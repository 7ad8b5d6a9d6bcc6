"""Write the what-if page: one file in which the reader chooses sites and everything recounts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.maps.base import background, head, notes, write_page
from careshed.maps.encode import json_text
from careshed.maps.facts import Scope, first, scope_of
from careshed.maps.layers import BLUES, NO_CLASS, Layer, shaded_units
from careshed.maps.notes import assumptions
from careshed.maps.panel import FIFTHS, Legend, Switch, ground_switches, population_legend, tier_choices
from careshed.maps.plan_layers import GAINED, HAD, LEFT, LOST, UNJUDGED
from careshed.maps.population import population_layer
from careshed.maps.text import count, levels_text, minutes_text, say
from careshed.maps.whatif.deck import Question, deck
from careshed.maps.whatif.packing import offered_limits
from careshed.maps.whatif.words import WORDS, word
from careshed.schema import TIERS
from careshed.siting.choice import site_money
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from careshed.reach import TravelTimes
    from careshed.siting import SitePlan
    from careshed.study import Study

MOST_BYTES: Final = 20_000_000
"""Larger pages open slowly or not at all on the computers they are meant for."""


class TooLarge(ValueError):
    """A study whose what-if page would be too large to open."""

    def __init__(self, size: int, most: int) -> None:
        self.zh = f"假设分析页约 {size / 1e6:.0f} MB，超过 {most / 1e6:.0f} MB，未写出；请减少候选点、缩短时限或合并格网"
        self.en = (
            f"the what-if page would take about {size / 1e6:.0f} MB, more than {most / 1e6:.0f} MB, and was not written; "
            "use fewer candidates, a shorter limit or larger cells"
        )
        super().__init__(f"{self.en}  {self.zh}")


def write_whatif(
    path: str | Path,
    study: Study,
    *,
    service: str,
    times: TravelTimes,
    options: TravelTimes,
    plan: SitePlan | None = None,
    lang: Lang | None = None,
    most_bytes: int = MOST_BYTES,
) -> Path:
    """Write a page in which a committee tries its own sites: who is reached, unit by unit, recounts with every tick.

    The page holds the journeys between sites and cells, as exact as needed for "within" (≤) at every limit it offers, and counts
    as `careshed.access.coverage` does: the same sums in the same order. Beside the reader's choice stand today, the plan and what
    was proven for it. What was chosen can be saved; `careshed evaluate-sites` reads it back. No other machine is asked.

    Parameters
    ----------
    times
        Travel times of the facilities that stand.
    options
        Travel times of the candidates, on the same cells; limits up to the shorter search of both are offered.
    plan
        What the page opens with, and compares with.
    most_bytes
        Largest size of the page's data. Where it would be larger, single facilities can no longer be switched off; where that is
        not enough, nothing is written.

    Returns
    -------
    pathlib.Path
        The file written. The same input gives the same bytes.

    Raises
    ------
    TooLarge
        If the page would be larger than `most_bytes`.
    ValueError
        If the tables are not by minutes of travel, or not for the study's cells.
    """
    asked = _question(study, service, times, options, plan, lang or study.lang)
    scope = scope_of(study, service=service, group=None, lang=asked.lang, times=times, covered=None)
    layers, size = _layers(asked, scope), 0
    for switchable in (True, False):
        layers |= {"whatif": deck(replace(asked, switchable=switchable)), "stand": {}, "choice": {}}
        size = sum(len(json_text(layer)) for layer in layers.values())
        if size <= most_bytes:
            break
    else:
        raise TooLarge(size, most_bytes)
    return write_page(
        path,
        study,
        scope,
        head=head(
            study,
            scope,
            word(asked.lang, "w_title", scope.service),
            sentence="…",
            bar={"share": "–", "parts": []},
        ),
        body=_body(asked, scope, layers),
        layers=layers,
        words=WORDS,
        parts=("supply", "whatif", "whatif_panel"),
    )


def _question(
    study: Study, service: str, times: TravelTimes, options: TravelTimes, plan: SitePlan | None, lang: Lang
) -> Question:
    """Check that the tables fit, and settle limits and groups."""
    told = study.service(service)
    for name, one in (("times", times), ("options", options)):
        if one.metric != "time":
            raise ValueError(f"{name}: a what-if page counts by minutes; compute travel with limit_min=, not limit_m=")
        if not one.cell_ids.equals(study.cells.index):
            raise ValueError(f"{name}: the travel times are for other cells than the study's; compute them again")
    stored = min(times.limit, options.limit)
    proven = [plan.limit_minutes] if plan is not None and plan.limit_minutes is not None else []
    limits = offered_limits([*told.minutes, told.within_minutes, *proven], stored)
    groups = tuple(dict.fromkeys((told.group, *told.groups_shown)))
    return Question(study, service, times, options, plan, site_money(study, service), limits, groups, lang)


def _layers(asked: Question, scope: Scope) -> dict[str, Layer]:
    """Collect what lies under the page's own numbers."""
    study = asked.study
    found: dict[str, Layer | None] = background(study)
    found["population"] = population_layer(study.cells, scope.group, study.population.grid)

    def unknown(_: str, row: Mapping[str, object]) -> tuple[int, list[str]]:
        return NO_CLASS, [first(row, "name")]

    found |= {f"units{tier}": shaded_units(study.units, tier, unknown, BLUES) for tier in (1, 2, 3)}
    return {key: layer for key, layer in found.items() if layer is not None}


def _body(asked: Question, scope: Scope, layers: dict[str, Layer]) -> dict[str, object]:
    lang, units = asked.lang, asked.study.units
    tiers = tier_choices(layers, units, lang)
    listed = next((value for value, _ in tiers if value == "2"), tiers[0][0] if tiers else "")
    levels = levels_text([level for level in dict.fromkeys(units["level"]) if str(TIERS.get(level)) == listed], lang)
    texts = {key: pick(lang, *said) for key, said in WORDS.items()}
    shown = {"t": texts, "asked": asked, "marks": _marks(asked), "tier": listed, "units_title": word(lang, "w_units", levels)}
    shown |= {"levels": levels, "largest": len(asked.limits) - 1}
    return {
        "whatif": _part("whatif.html", shown),
        "whatif_lists": _part("whatif_lists.html", shown),
        "switches": _switches(asked, layers),
        "radios": _fills(layers, scope, tiers),
    } | notes(scope, [*assumptions(asked.study, scope, asked.times), *_own_notes(asked)], asked.study.faults)


def _marks(asked: Question) -> list[tuple[int, str]]:
    service = asked.study.service(asked.service)
    told = sorted({float(one) for one in (*service.minutes, service.within_minutes)})
    return [(asked.limits.index(one), minutes_text(one)) for one in told if one in asked.limits]


def _part(asset: str, shown: dict[str, object]) -> str:
    """Fill one part of the panel; what comes from data is escaped."""
    from careshed.maps.frame import filling

    return filling(asset).render(**shown)


def _own_notes(asked: Question) -> list[tuple[str, str]]:
    lang, plan = asked.lang, asked.money.plan
    paid = word(lang, "w_subsidies", plan) if plan else word(lang, "w_no_subsidies")
    return [(word(lang, "w_exact"), word(lang, "w_exact_text")), (word(lang, "w_money"), paid)]


def _switches(asked: Question, layers: dict[str, Layer]) -> list[tuple[str, list[Switch]]]:
    lang = asked.lang
    results = [
        Switch("choice", word(lang, "w_choice"), say(lang, "places_count", count(len(asked.options.facilities))), "choice"),
        Switch("stand", word(lang, "w_stand"), say(lang, "places_count", count(len(asked.times.facilities))), "dot"),
    ]
    ground = ground_switches(layers, lang)
    return [(say(lang, "on_map"), results), *([(say(lang, "base"), ground)] if ground else [])]


def _fills(layers: dict[str, Layer], scope: Scope, tiers: list[tuple[str, str]]) -> dict[str, object]:
    """Offer the colourings of the map, of which one is shown at a time."""
    lang = scope.lang
    states = ((HAD, word(lang, "w_had")), (GAINED, word(lang, "w_gained")), (LOST, word(lang, "w_lost")))
    rest = ((LEFT, word(lang, "w_left")), (UNJUDGED, say(lang, "unjudged")))
    choices = [("state", word(lang, "w_state"))]
    legends = [Legend("state", word(lang, "w_state"), (*states, *rest))]
    if tiers:
        choices += [(value, word(lang, "w_by_unit", label)) for value, label in tiers]
        steps = tuple(zip(BLUES, FIFTHS, strict=True))
        legends.append(Legend(" ".join(value for value, _ in tiers), word(lang, "w_yours"), steps))
    if "population" in layers:
        choices.append(("population", say(lang, "population")))
        legends.append(population_legend(layers["population"], scope))
    choices.append(("", say(lang, "off")))
    return {"title": word(lang, "w_fills"), "choices": choices, "legends": legends, "leads": True}
