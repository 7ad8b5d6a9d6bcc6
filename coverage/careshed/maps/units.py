"""List the units beside the map: who has a place in each, and what changes in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from careshed.maps.facts import Scope, first
from careshed.maps.layers import Layer, located, rows
from careshed.maps.panel import bar_of, tier_choices
from careshed.maps.split import Split, split_parts
from careshed.maps.text import count, say
from careshed.maps.wording import PLACES, told
from careshed.schema import TIERS

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def listed_tier(layers: dict[str, Layer], units: GeoDataFrame | None, scope: Scope) -> tuple[int, str] | None:
    """Choose the tier to list beside the map, and name its levels: streets and townships, else the largest there is."""
    choices = {int(value): label for value, label in tier_choices(layers, units, scope.lang)}
    tier = 2 if 2 in choices else next(iter(choices), None)
    return None if tier is None else (tier, choices[tier])


def units_of_tier(units: GeoDataFrame, tier: int) -> list[tuple[int, str, str]]:
    """List the drawn units of a tier: their place in the layer, their code and their name."""
    drawn = located(units[units["level"].map(TIERS) == tier])
    return [(place, str(key), first(row, "name")) for place, (key, row) in enumerate(rows(drawn))]


def unit_list(
    splits: Mapping[str, Split], layers: dict[str, Layer], units: GeoDataFrame | None, scope: Scope
) -> dict[str, object] | None:
    """Stack the three answers of each unit on a bar, the units first where most people are without a place."""
    chosen = listed_tier(layers, units, scope)
    if units is None or chosen is None:
        return None
    tier, levels = chosen
    here = [(place, name, splits[key]) for place, key, name in units_of_tier(units, tier) if splits[key].people >= 0.5]
    here.sort(key=lambda one: one[2].served - one[2].people)
    listed = [
        {"place": place, "name": name, "people": say(scope.lang, "people_n", count(one.people))}
        | {"parts": bar_of(split_parts(one, scope), one.people)["parts"]}
        for place, name, one in here
    ]
    return {"title": told(PLACES, scope.lang, "split_by_unit", levels), "tier": tier, "rows": listed}
