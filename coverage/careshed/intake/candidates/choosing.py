"""Leave out candidate sites that cannot be used, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from careshed.intake.columns import plain
from careshed.intake.sources import as_text
from careshed.schema import Fault

EXCLUDED_COLUMNS: Final = ("candidate_id", "name", "rule", "value", "reason_zh", "reason_en", "file", "row")

USE_HEADERS: Final = ("用地代码", "地类编码", "用地分类代码", "dlbm", "ydyhfldm", "land_use", "landuse", "code", "代码")
"""Headers of the land-use code (国土空间用地用海分类), the earlier preferred."""


_RULES: Final = {
    "area": ("面积不足", "floor area"), "land_use": ("用地不符", "land use"), "exclude": ("在排除范围内", "in an area ruled out"),
    "street": ("离街道过远", "far from streets"),
}  # fmt: skip
"""Rule -> what is said of the sites it leaves out."""


@dataclass(frozen=True)
class Chosen:
    """Candidates that may be used, and every one that may not with its reason."""

    table: GeoDataFrame
    """The candidates kept, with ``land_use`` where a land-use layer was given."""
    excluded: pd.DataFrame
    """One row a reason, columns `EXCLUDED_COLUMNS`; a site with two reasons has two rows."""

    def by_rule(self) -> tuple[str, str]:
        """Count the sites left out for each rule, in Chinese and English; one with two reasons counts for both."""
        counts = self.excluded["rule"].value_counts(sort=False)
        named = [(_RULES.get(str(rule), (str(rule), str(rule))), int(count)) for rule, count in counts.items()]
        return "、".join(f"{zh} {count}" for (zh, _), count in named), ", ".join(f"{en} {count}" for (_, en), count in named)

    def faults(self) -> list[Fault]:
        """Tell every exclusion as what it is: a site left out, with its reason."""
        table = self.excluded[["file", "reason_zh", "reason_en", "row", "name"]].astype(str)
        return [
            Fault("candidate_excluded", file, zh, en, row=row, found=name, severity="dropped")
            for file, zh, en, row, name in table.itertuples(index=False, name=None)
        ]


def choose_candidates(
    candidates: GeoDataFrame,
    *,
    least_area_m2: float | None = None,
    land_use: GeoDataFrame | None = None,
    land_use_codes: Sequence[str] = (),
    land_use_column: str | None = None,
    exclude: Mapping[str, GeoDataFrame] | None = None,
    exclude_within_m: Mapping[str, float] | None = None,
    streets: GeoSeries | None = None,
    street_within_m: float | None = None,
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
    exclude_within_m
        Reason -> metres: sites so near to its layer (≤) are left out too.
    streets
        Lines of the streets that may be walked, any CRS.
    street_within_m
        A site must lie within so many metres (≤) of one of `streets`.
    keep_unknown
        Whether a site whose floor area or land use is not known is kept.

    Raises
    ------
    ValueError
        If the land-use layer has no column of codes, or codes are given without a layer, or a distance without `streets`.

    >>> sites = GeoDataFrame({"name": ["甲", "乙"], "area_m2": [80.0, 300.0], "file": "", "row": ""}, index=["a", "b"],
    ...                      geometry=[shapely.Point(0, 0), shapely.Point(9, 9)], crs="EPSG:32650")
    >>> chosen = choose_candidates(sites, least_area_m2=200)
    >>> list(chosen.table.index), chosen.excluded["reason_en"].tolist()
    (['b'], ['floor area 80 m² is below 200 m²'])
    """
    if land_use_codes and land_use is None:
        raise ValueError("land_use_codes need a layer: give land_use")
    if street_within_m is not None and streets is None:
        raise ValueError("street_within_m needs lines to measure to: give streets")
    rows: list[dict[str, str]] = []
    table = candidates.copy()
    if least_area_m2 is not None:
        rows += _small(candidates, least_area_m2, keep_unknown)
    if land_use is not None:
        uses = _uses_at(candidates, land_use, land_use_column)
        table["land_use"] = uses
        rows += _unfit(candidates, uses, land_use_codes, keep_unknown)
    for reason, layer in (exclude or {}).items():
        rows += _ruled_out(candidates, reason, layer, (exclude_within_m or {}).get(reason, 0.0))
    if streets is not None and street_within_m is not None:
        rows += _off_street(candidates, streets, street_within_m)
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
    names = [column] if column else [str(name) for word in USE_HEADERS for name in land_use.columns if plain(name) == plain(word)]
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


def _ruled_out(candidates: GeoDataFrame, reason: str, layer: GeoDataFrame, within_m: float) -> list[dict[str, str]]:
    near = shapely.STRtree(_shapes(layer, candidates)).query(_own(candidates), predicate="dwithin", distance=within_m)
    told = (f"位于排除范围：{reason}", f"lies in an area that rules it out: {reason}")
    if within_m:
        told = (f"距排除范围不足 {within_m:g} 米：{reason}", f"lies within {within_m:g} m of what rules it out: {reason}")
    return [_row(candidates, at, "exclude", reason, *told) for at in sorted(set(near[0].tolist()))]


def _off_street(candidates: GeoDataFrame, streets: GeoSeries, within_m: float) -> list[dict[str, str]]:
    lines = np.asarray(streets.to_crs(candidates.crs).array, dtype=object)
    own = _own(candidates)
    (site, _), metres = shapely.STRtree(lines).query_nearest(own, all_matches=False, return_distance=True)
    off = np.full(len(candidates), np.inf)
    off[site] = metres
    rows = []
    for at in np.flatnonzero(off > within_m):
        far = f"{off[at]:.0f}"
        told = (f"距最近街道 {far} 米，超过 {within_m:g} 米", f"the nearest street is {far} m away, beyond {within_m:g} m")
        rows.append(_row(candidates, int(at), "street", far, *told))
    return rows


def _shapes(layer: GeoDataFrame, candidates: GeoDataFrame) -> NDArray[np.object_]:
    return np.asarray(layer.to_crs(candidates.crs).geometry.array, dtype=object)


def _own(candidates: GeoDataFrame) -> NDArray[np.object_]:
    return np.asarray(candidates.geometry.array, dtype=object)
