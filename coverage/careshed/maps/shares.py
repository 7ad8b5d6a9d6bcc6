"""Pack the share reached of every unit for every group and limit, so that the page can change between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from careshed.maps.encode import packed
from careshed.maps.facts import Reached, Scope, number
from careshed.maps.layers import NO_CLASS, Layer, located, rows, share_class
from careshed.maps.text import minutes_text
from careshed.schema import TIERS
from careshed.words import group_name

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

FIELDS = ("people", "covered", "unjudged", "share", "high", "kind")
"""People, people reached, people who cannot be judged; shares in thousandths, −1 unknown; class of colour."""


def shares_layer(
    units: GeoDataFrame | None, covered: pd.DataFrame | None, counts: Sequence[Reached], scope: Scope
) -> Layer | None:
    """Pack people reached by unit, group and limit; None where there is but one group and one limit to show.

    Returns
    -------
    dict
        ``groups`` (id and name), ``limits`` (as text), ``first`` (place of the group and limit the page leads with), ``all``
        (people, covered and share of each pair), ``tiers``: tier -> field -> numbers, pair by pair, units in the layer's order.
    """
    groups = list(dict.fromkeys(one.group for one in counts))
    limits = sorted({one.minutes for one in counts})
    whole = {(one.group, one.minutes): one for one in counts}
    pairs = [(group, minutes) for group in groups for minutes in limits]
    led = (scope.group, scope.minutes)
    if len(pairs) < 2 or led not in whole or any(pair not in whole for pair in pairs):
        return None
    counted = [whole[pair] for pair in pairs]
    shown: Layer = {
        "groups": [[group, group_name(group, scope.lang)] for group in groups],
        "limits": [minutes_text(minutes) for minutes in limits],
        "first": [groups.index(scope.group), limits.index(scope.minutes or 0.0)],
        "all": [[round(one.people), one.whole[0], _thousandths(one.covered / max(one.people, 1e-9))] for one in counted],
        "tiers": {},
    }
    if units is None or covered is None:
        return shown
    found = _by_pair(covered)
    return shown | {
        "tiers": {str(tier): _tier(located(units[units["level"].map(TIERS) == tier]), found, pairs) for tier in (1, 2, 3)}
    }


def _by_pair(covered: pd.DataFrame) -> dict[tuple[str, float], dict[str, Mapping[str, object]]]:
    found: dict[tuple[str, float], dict[str, Mapping[str, object]]] = {}
    for (group, minutes), part in covered.groupby(["group", "minutes"], sort=False):
        found[str(group), float(str(minutes))] = {str(key): row for key, row in rows(part)}
    return found


def _tier(
    drawn: GeoDataFrame,
    found: Mapping[tuple[str, float], Mapping[str, Mapping[str, object]]],
    pairs: Sequence[tuple[str, float]],
) -> dict[str, str]:
    listed = [_unit(found.get(pair, {}).get(str(key))) for pair in pairs for key in drawn.index]
    table = np.array(listed, dtype=np.int64).reshape(len(listed), len(FIELDS))
    return {field: packed(table[:, place]) for place, field in enumerate(FIELDS)}


def _unit(row: Mapping[str, object] | None) -> list[int]:
    if row is None or not number(row, "people") > 0:
        return [0, 0, 0, -1, -1, NO_CLASS]
    people, covered, unjudged, part, high = (
        number(row, name) for name in ("people", "covered", "unjudged", "share", "share_high")
    )
    return [round(people), round(covered), round(unjudged), _thousandths(part), _thousandths(high), share_class(row)]


def _thousandths(share: float) -> int:
    """Round a share as `careshed.maps.text.share` prints it, so that page and tables show the same figure.

    >>> _thousandths(0.30695), _thousandths(float("nan"))
    (307, -1)
    """
    return -1 if math.isnan(share) else round(float(f"{share:.1%}"[:-1]) * 10)
