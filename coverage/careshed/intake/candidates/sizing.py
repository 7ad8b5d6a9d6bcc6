"""Give candidate sites places by their floor area and cost by the plan's cost model, and say what each figure rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from geopandas import GeoDataFrame

from careshed.intake.candidates.costs import Price
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.policy import Cost

UNKNOWN: Final = ("未知", "unknown")


def size_candidates(
    candidates: GeoDataFrame,
    *,
    m2_per_place: float | None = None,
    costs: Sequence[Cost | Price] = (),
    type: str | None = None,
    lang: Lang = "zh",
) -> GeoDataFrame:
    """Estimate places and cost where the list gives none, and say of every figure where it is from.

    Parameters
    ----------
    m2_per_place
        Floor area a place takes, square metres (an assumption, or the plan's standard); places are rounded down.
    costs
        The plan's cost model, ``load_profile(...).cost`` or `read_prices`; of those for `type` the first applies, by area, else
        by places.
    type
        Facility type that is to be set up, as the catalogue names it.

    Returns
    -------
    GeoDataFrame
        With ``places_from`` and ``cost_from``: what each figure rests on, in words. Figures of the list are not touched.

    Raises
    ------
    ValueError
        If `m2_per_place` is not positive.

    >>> import shapely
    >>> site = GeoDataFrame({"places": [np.nan], "area_m2": [250.0], "cost_yuan": [np.nan]}, geometry=[shapely.Point(0, 0)])
    >>> size_candidates(site, m2_per_place=20, lang="en")[["places", "places_from"]].to_numpy().tolist()
    [[12.0, 'floor area at 20 m² a place (assumed)']]
    """
    if m2_per_place is not None and not m2_per_place > 0:
        raise ValueError(f"m2_per_place must be positive, not {m2_per_place}")
    listed = pick(lang, "清单", "the list")
    places, area = candidates["places"].to_numpy(dtype=float).copy(), candidates["area_m2"].to_numpy(dtype=float)
    unknown = pick(lang, *UNKNOWN)
    places_from = np.where(np.isnan(places), unknown, listed).astype(object)
    if m2_per_place is not None:
        sized = np.isnan(places) & ~np.isnan(area)
        places[sized] = np.floor(area[sized] / m2_per_place)
        by_area = (f"建筑面积按每位 {m2_per_place:g} 平方米（假设）", f"floor area at {m2_per_place:g} m² a place (assumed)")
        places_from[sized] = pick(lang, *by_area)
    cost = candidates["cost_yuan"].to_numpy(dtype=float).copy()
    cost_from = np.where(np.isnan(cost), unknown, listed).astype(object)
    for price in (one for one in costs if type in one.types):
        amount = (area if price.per == "m2" else places) * price.yuan
        priced = np.isnan(cost) & ~np.isnan(amount)
        cost[priced] = amount[priced]
        cost_from[priced] = _basis(price, lang)
    own = {"places": places, "cost_yuan": cost, "places_from": places_from, "cost_from": cost_from}
    return candidates.assign(**own)


def _basis(price: Cost | Price, lang: Lang) -> str:
    """Say what a cost rests on: its name, its figure, and that it is derived."""
    per = {"m2": ("平方米", "m²"), "place": ("托位", "place"), "bed": ("床", "bed")}[price.per]
    note = pick(lang, price.note_zh, price.note_en)
    told = pick(lang, f"{price.title_zh}：{price.yuan:g} 元/{per[0]}", f"{price.title_en}: {price.yuan:g} yuan/{per[1]}")
    return f"{told}{pick(lang, '；', '; ')}{note}" if note else told
