"""Leave out candidate sites that cannot be used, each with its reason, and give the others size and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.intake.columns import plain
from careshed.intake.sources import as_text
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.policy import Cost

EXCLUDED_COLUMNS: Final = ("candidate_id", "name", "rule", "value", "reason_zh", "reason_en", "file", "row")

UNKNOWN_ZH, UNKNOWN_EN = "未知", "unknown"

_USE_HEADERS: Final = ("用地代码", "地类编码", "用地分类代码", "dlbm", "ydyhfldm", "land_use", "landuse", "code", "代码")
"""Headers of the land-use code (国土空间用地用海分类), the earlier preferred."""


@dataclass(frozen=True)
class Chosen:
    """Candidates that may be used, and every one that may not with its reason."""

    table: GeoDataFrame
    """The candidates kept, with ``land_use`` where a land-use layer was given."""
    excluded: pd.DataFrame
    """One row a reason, columns `EXCLUDED_COLUMNS`; a site with two reasons has two rows."""


def choose_candidates(
    candidates: GeoDataFrame,
    *,
    least_area_m2: float | None = None,
    land_use: GeoDataFrame | None = None,
    land_use_codes: Sequence[str] = (),
    land_use_column: str | None = None,
    exclude: Mapping[str, GeoDataFrame] | None = None,
    keep_unknown: bool = True,
) -> Chosen:
    """Keep the sites that are large enough, on land of a fitting use and outside what rules them out.

    Parameters
    ----------
    least_area_m2
        Least floor area, square metres (≥).
    land_use
        Polygons with a land-use code; any CRS.
    land_use_codes
        Codes that fit; each holds for the codes that begin with it, so that ``08`` takes ``0803`` and ``080302``.
    exclude
        Reason, such as ``洪水淹没区`` -> layer; sites that touch it are left out.
    keep_unknown
        Whether a site whose floor area or land use is not known is kept.

    Raises
    ------
    ValueError
        If the land-use layer has no column of codes, or codes are given without a layer.

    >>> sites = GeoDataFrame({"name": ["甲", "乙"], "area_m2": [80.0, 300.0], "file": "", "row": ""}, index=["a", "b"],
    ...                      geometry=[shapely.Point(0, 0), shapely.Point(9, 9)], crs="EPSG:32650")
    >>> chosen = choose_candidates(sites, least_area_m2=200)
    >>> list(chosen.table.index), chosen.excluded["reason_en"].tolist()
    (['b'], ['floor area 80 m² is below 200 m²'])
    """
    if land_use_codes and land_use is None:
        raise ValueError("land_use_codes need a layer: give land_use")
    rows: list[dict[str, str]] = []
    table = candidates.copy()
    if least_area_m2 is not None:
        rows += _small(candidates, least_area_m2, keep_unknown)
    if land_use is not None:
        uses = _uses_at(candidates, land_use, land_use_column)
        table["land_use"] = uses
        rows += _unfit(candidates, uses, land_use_codes, keep_unknown)
    for reason, layer in (exclude or {}).items():
        rows += _ruled_out(candidates, reason, layer)
    excluded = pd.DataFrame(rows, columns=list(EXCLUDED_COLUMNS))
    position = {str(code): at for at, code in enumerate(candidates.index)}
    excluded = excluded.iloc[np.argsort([position[code] for code in excluded["candidate_id"]], kind="stable")]
    return Chosen(table[~table.index.isin(excluded["candidate_id"])], excluded.reset_index(drop=True))


def _row(candidates: GeoDataFrame, at: int, rule: str, value: str, zh: str, en: str) -> dict[str, str]:
    site = candidates.iloc[at]
    said = {"rule": rule, "value": value, "reason_zh": zh, "reason_en": en}
    own = {"candidate_id": str(candidates.index[at]), "name": str(site["name"])}
    return own | said | {"file": str(site["file"]), "row": str(site["row"])}


def _small(candidates: GeoDataFrame, least: float, keep_unknown: bool) -> list[dict[str, str]]:
    rows = []
    for at, area in enumerate(candidates["area_m2"].to_numpy(dtype=float)):
        if np.isnan(area) and not keep_unknown:
            rows.append(_row(candidates, at, "area", "", "建筑面积未知", "floor area is unknown"))
        elif area < least:
            told = (f"建筑面积 {area:g} 平方米，小于 {least:g} 平方米", f"floor area {area:g} m² is below {least:g} m²")
            rows.append(_row(candidates, at, "area", f"{area:g}", *told))
    return rows


def _uses_at(candidates: GeoDataFrame, land_use: GeoDataFrame, column: str | None) -> list[str]:
    """Read the land-use code at each site, the lowest where two meet, "" where there is none."""
    names = (
        [column] if column else [str(name) for word in _USE_HEADERS for name in land_use.columns if plain(name) == plain(word)]
    )
    if not names or names[0] not in land_use:
        raise ValueError(
            f"the land-use layer has no column {column or 'of codes'!r}; it has: {', '.join(map(str, land_use.columns))}"
        )
    codes = [as_text(value) for value in land_use[names[0]]]
    site, area = shapely.STRtree(_shapes(land_use, candidates)).query(_own(candidates), predicate="intersects")
    found: dict[int, str] = {}
    for at, use in zip(site.tolist(), area.tolist(), strict=True):
        found[at] = min(found.get(at, codes[use]), codes[use])
    return [found.get(at, "") for at in range(len(candidates))]


def _unfit(candidates: GeoDataFrame, uses: list[str], fitting: Sequence[str], keep_unknown: bool) -> list[dict[str, str]]:
    listed = ", ".join(fitting)
    rows = []
    for at, use in enumerate(uses):
        if not use and not keep_unknown:
            rows.append(_row(candidates, at, "land_use", "", "用地分类未知", "land use is unknown"))
        elif use and fitting and not use.startswith(tuple(fitting)):
            told = (f"用地分类 {use} 不在可用范围（{listed}）", f"land use {use} is not one that fits ({listed})")
            rows.append(_row(candidates, at, "land_use", use, *told))
    return rows


def _ruled_out(candidates: GeoDataFrame, reason: str, layer: GeoDataFrame) -> list[dict[str, str]]:
    site, _ = shapely.STRtree(_shapes(layer, candidates)).query(_own(candidates), predicate="intersects")
    told = (f"位于排除范围：{reason}", f"lies in an area that rules it out: {reason}")
    return [_row(candidates, at, "exclude", reason, *told) for at in sorted(set(site.tolist()))]


def _shapes(layer: GeoDataFrame, candidates: GeoDataFrame) -> NDArray[np.object_]:
    return np.asarray(layer.to_crs(candidates.crs).geometry.array, dtype=object)


def _own(candidates: GeoDataFrame) -> NDArray[np.object_]:
    return np.asarray(candidates.geometry.array, dtype=object)


def size_candidates(
    candidates: GeoDataFrame,
    *,
    m2_per_place: float | None = None,
    costs: Sequence[Cost] = (),
    type: str | None = None,
    lang: Lang = "zh",
) -> GeoDataFrame:
    """Estimate places and cost where the list gives none, and say of every figure where it is from.

    Parameters
    ----------
    m2_per_place
        Floor area a place takes, square metres (an assumption, or the plan's standard); places are rounded down.
    costs
        The profile's cost model, ``load_profile(...).cost``; of those for `type` the first applies, by area, else by places.
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

    >>> site = GeoDataFrame({"places": [np.nan], "area_m2": [250.0], "cost_yuan": [np.nan]}, geometry=[shapely.Point(0, 0)])
    >>> size_candidates(site, m2_per_place=20, lang="en")[["places", "places_from"]].to_numpy().tolist()
    [[12.0, 'floor area at 20 m² a place (assumed)']]
    """
    if m2_per_place is not None and not m2_per_place > 0:
        raise ValueError(f"m2_per_place must be positive, not {m2_per_place}")
    listed = pick(lang, "清单", "the list")
    places, area = candidates["places"].to_numpy(dtype=float).copy(), candidates["area_m2"].to_numpy(dtype=float)
    unknown = pick(lang, UNKNOWN_ZH, UNKNOWN_EN)
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


def _basis(price: Cost, lang: Lang) -> str:
    """Say what a cost rests on: its name, its figure, and that it is derived."""
    per = {"m2": ("平方米", "m²"), "place": ("托位", "place"), "bed": ("床", "bed")}[price.per]
    note = pick(lang, price.note_zh, price.note_en)
    told = pick(lang, f"{price.title_zh}：{price.yuan:g} 元/{per[0]}", f"{price.title_en}: {price.yuan:g} yuan/{per[1]}")
    return f"{told}{pick(lang, '；', '; ')}{note}" if note else told
