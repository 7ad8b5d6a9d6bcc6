"""Lay the other services of a study over the map of one: each in a hue of its own, switched off until asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from careshed.maps.facts import gap_parts, reached_of, scope_of, service_facilities
from careshed.maps.layers import Layer, facilities_layer, gaps_layer, sites_layer
from careshed.maps.panel import Switch
from careshed.maps.text import count, say

if TYPE_CHECKING:
    from careshed.run import ServiceResult
    from careshed.study import Study
    from careshed.words import Lang

HUES: Final = ("#6b4fa0", "#8a5a00", "#a83272", "#2f6db5")
"""Hues of other services, told apart by colour-blind readers and from the gaps and sites of the map's own; then they return."""

KINDS: Final = ("facilities", "sites", "gaps")
"""What is drawn of another service, in the order in which its switches stand."""


def others_layer(study: Study, others: Sequence[ServiceResult], lang: Lang) -> Layer | None:
    """Draw facilities, proposed sites and gaps of other services; None where there are none."""
    if not others:
        return None
    return {"services": [_one(study, other, place, lang) for place, other in enumerate(others)]}


def _one(study: Study, other: ServiceResult, place: int, lang: Lang) -> Layer:
    name = other.service.id
    scope = scope_of(study, service=name, group=None, lang=lang, times=other.times, covered=other.covered)
    found: Layer = {"hue": HUES[place % len(HUES)]}
    facilities = service_facilities(study, name, other.times)
    if facilities is not None and len(facilities):
        found["facilities"] = facilities_layer(facilities, scope)
    if len(other.plan.sites):
        found["sites"] = sites_layer(other.plan, scope)
    if len(other.gaps):
        found["gaps"] = gaps_layer(other.gaps, scope)
    return found


def other_switches(layer: Layer, others: Sequence[ServiceResult], lang: Lang) -> list[tuple[str, list[Switch]]]:
    """List what can be switched on of each other service, service by service."""
    services, found = cast(list[Layer], layer["services"]), []
    for place, (drawn, other) in enumerate(zip(services, others, strict=True)):
        details = {
            "facilities": say(lang, "places_count", _count(drawn["facilities"])) if "facilities" in drawn else "",
            "sites": say(lang, "places_count", count(len(other.plan.sites))),
            "gaps": say(lang, "gaps_count", count(len(other.gaps)), count(gap_parts(other.gaps, reached_of(other))[0])),
        }
        items = [
            Switch(f"other{place}_{kind}", say(lang, kind), details[kind], f"o{kind} hue{place % len(HUES)}")
            for kind in KINDS
            if kind in drawn
        ]
        if items:
            found.append((say(lang, "also", other.service.name(lang)), items))
    return found


def _count(facilities: object) -> str:
    return count(len(cast(dict[str, list[int]], facilities)["hollow"]))
