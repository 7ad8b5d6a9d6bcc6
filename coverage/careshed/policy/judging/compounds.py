"""Judge residential compounds: what each one shares with its neighbours, against the standard for new and old ones."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.intake.columns import without_unit
from careshed.intake.places import Reference, to_metres
from careshed.policy.judging.card import Both, UnitValue
from careshed.policy.judging.ground import Ground, chosen
from careshed.policy.judging.measured import Measured, Part, Unjudgeable
from careshed.policy.model import Profile, Rule
from careshed.reach import travel_times
from careshed.supply.catchments import floating_catchment

if TYPE_CHECKING:
    from careshed.study import Study

HOUSEHOLDS: Final = ("户数", "总户数", "住户数", "households", "dwellings")
BUILT: Final = ("建成年份", "建成时间", "竣工年份", "建成", "built", "year_built")
COMPOUNDS: Final[Both] = ("个小区", "compounds")
_YEAR: Final = re.compile(r"^(\d{4})")

_COLUMN: Final = {"floor_m2_per_100_households": "area_m2", "land_m2_per_person": "land_m2", "places_per_1000": "places"}
_PER: Final = {"floor_m2_per_100_households": 100.0, "land_m2_per_person": 1.0, "places_per_1000": 1000.0}
_MISSING: Final[dict[str, Both]] = {
    "floor_m2_per_100_households": ("平方米", "m²"),
    "land_m2_per_person": ("平方米", "m²"),
    "places_per_1000": ("个床位或托位", "places"),
}


def compounds_of(study: Study) -> GeoDataFrame:
    """Read the register of compounds as points with ``households`` and ``built``.

    Raises
    ------
    Unjudgeable
        If the study has no register, or it states no coordinates or no households.
    """
    table, section = study.compounds, study.config.compounds
    if table is None or section is None:
        raise Unjudgeable("研究文件没有小区登记表 [compounds]", "the study has no register of compounds ([compounds])")
    if not {"lon", "lat"} <= set(table.columns):
        raise Unjudgeable("小区登记表没有坐标列", "the register of compounds has no coordinates")
    households = _column(table, HOUSEHOLDS)
    if households is None:
        raise Unjudgeable("小区登记表没有“户数”列", "the register of compounds has no column of households (户数)")
    built = _column(table, BUILT)
    points = gpd.points_from_xy(_numbers(table["lon"]), _numbers(table["lat"]))
    reference = Reference(study.crs, section.crs or "EPSG:4326", section.datum, None)
    geometry = to_metres(np.asarray(points, dtype=object), pyproj.CRS(section.crs or "EPSG:4326"), reference)
    frame = {
        "name": table["name"].astype(str),
        "households": _numbers(households),
        "built": _years(built) if built is not None else np.full(len(table), np.nan),
    }
    return GeoDataFrame(frame, index=table.index, geometry=list(geometry), crs=study.crs)


def _column(table: pd.DataFrame, names: tuple[str, ...]) -> pd.Series[str] | None:
    """Find a column by the names that planners give it."""
    bare = {without_unit(str(header)): header for header in table.columns}
    return next((table[bare[without_unit(name)]] for name in names if without_unit(name) in bare), None)


def _numbers(values: pd.Series[str]) -> NDArray[np.float64]:
    plain = [unicodedata.normalize("NFKC", str(one)).replace(",", "").strip() for one in values]
    return np.asarray(pd.to_numeric(pd.Series(plain, dtype="str"), errors="coerce"), dtype=np.float64)


def _years(values: pd.Series[str]) -> NDArray[np.float64]:
    found = [_YEAR.match(unicodedata.normalize("NFKC", str(one))) for one in values]
    return np.array([float(one.group(1)) if one else np.nan for one in found])


def _asked(ground: Ground, profile: Profile, rule: Rule) -> tuple[GeoDataFrame, list[Both]]:
    """Pick the compounds that a rule is about: new ones, old ones or all, those without households left out and told."""
    table, notes = compounds_of(ground.study), []
    unknown = int((~(table["households"] > 0)).sum())
    table = table[table["households"] > 0]
    if unknown:
        notes.append((f"{unknown} 个小区未填户数，未计入", f"{unknown} compounds state no households and are left out"))
    if rule.compounds:
        since = rule.since or ground.policy.new_since or _issued(profile)
        undated = int(table["built"].isna().sum())
        new = table["built"] >= since
        table = table[new if rule.compounds == "new" else table["built"] < since]
        notes.append(
            (f"新建小区：{since} 年及以后建成", f"new compounds: built in or after {since}")
            if rule.compounds == "new"
            else (f"已建成小区：{since} 年以前建成", f"existing compounds: built before {since}")
        )
        if undated:
            notes.append((f"{undated} 个小区未填建成年份，未计入", f"{undated} compounds state no year and are left out"))
    if table.empty:
        word = {"new": ("新建", "new "), "old": ("已建成", "existing "), "": ("", "")}[rule.compounds]
        said = "；".join(zh for zh, _ in notes), "; ".join(en for _, en in notes)
        raise Unjudgeable(f"登记表中没有{word[0]}小区（{said[0]}）", f"the register has no {word[1]}compounds ({said[1]})")
    return table, notes


def _issued(profile: Profile) -> int:
    """Give the year in which a plan was issued."""
    found = _YEAR.match(profile.profile.issued)
    if found is None:
        raise Unjudgeable("请在研究文件 [policy] 中设定 new_since", "set new_since in the study's [policy]")
    return int(found.group(1))


def shared(ground: Ground, rule: Rule, facilities: GeoDataFrame, compounds: GeoDataFrame) -> NDArray[np.float64]:
    """Give what each compound has per household or person: facilities are shared by all compounds within the pooling distance.

    Every facility is divided among all households in reach of it (two-step floating catchments), so that one station of
    350 m² serves 1,750 households at 20 m² per 100 of them, however many compounds these live in.
    """
    column, every = _COLUMN[rule.measure], compounds_of(ground.study)
    every = every[every["households"] > 0]
    if facilities.empty:
        return np.zeros(len(compounds))
    if facilities[column].isna().all():
        raise Unjudgeable(
            "登记表未填所需的面积或床位（托位）数", f"the registers state no {column} for any facility of these types"
        )
    metres = ground.policy.pooled_within_m
    limit = ground.limit(rule)
    cells = every.assign(households=every["households"] * (1.0 if column == "area_m2" else ground.policy.household_size))
    times = travel_times(ground.network(limit.mode), facilities, cells, limit_m=metres)
    found = floating_catchment(
        times, cells, group="households", method="2sfca", metres=metres, supply=column, per=_PER[rule.measure]
    )
    return np.asarray(found.access.reindex(compounds.index), dtype=np.float64)


def compound_ratio(ground: Ground, profile: Profile, rule: Rule, table: GeoDataFrame) -> Measured:
    """Hold every compound's share of nearby facilities against the standard."""
    if rule.measure not in _COLUMN:
        raise Unjudgeable("该测度不能按小区判断", "this measure cannot be judged by compound")
    compounds, notes = _asked(ground, profile, rule)
    ratio = shared(ground, rule, chosen(table, rule), compounds)
    told = ~np.isnan(ratio)
    if not told.any():
        raise Unjudgeable("没有小区可判断（不通路网或面积未知）", "no compound can be judged: off the streets, or areas unknown")
    if not told.all():
        count = int((~told).sum())
        notes.append(
            (f"{count} 个小区不通路网或设施规模未知，未判断", f"{count} compounds off the streets or with unknown facilities")
        )
    size = 1.0 if rule.measure == "floor_m2_per_100_households" else ground.policy.household_size
    need = compounds["households"].to_numpy(dtype=float) * size / _PER[rule.measure]
    parts = tuple(Part(float(r * n), float(n)) for r, n in zip(ratio[told], need[told], strict=True))
    notes += _assumed(ground, size)
    worst = float(ratio[told].max() if rule.op in ("<=", "<") else ratio[told].min())
    rows = _rows(compounds, ratio, ground.policy.household_size)
    return Measured(worst, None, int(told.sum()), COMPOUNDS, parts, _MISSING[rule.measure], rows, each=True, notes=tuple(notes))


def _assumed(ground: Ground, size: float) -> list[Both]:
    metres = ground.policy.pooled_within_m
    notes: list[Both] = [
        (
            f"小区共用沿路网 {metres:g} 米内的设施，按户数分摊（假设）",
            f"compounds share facilities within {metres:g} m of street in proportion to households (assumed)",
        )
    ]
    if size != 1.0:
        notes.append((f"每户按 {size:g} 人计（假设）", f"{size:g} people per household (assumed)"))
    return notes


def _rows(compounds: GeoDataFrame, ratio: NDArray[np.float64], size: float) -> tuple[UnitValue, ...]:
    return tuple(
        UnitValue(str(code), name, "compound", None if np.isnan(one) else float(one), None, float(homes * size))
        for code, name, homes, one in zip(compounds.index, compounds["name"], compounds["households"], ratio, strict=True)
    )


def compound_share(ground: Ground, profile: Profile, rule: Rule, table: GeoDataFrame) -> Measured:
    """Count the share of compounds that meet every standard of the plan for compounds and facilities of these kinds."""
    standards = [
        other
        for other in profile.rule
        if other.measure in _COLUMN
        and (other.compounds or "compound" in other.levels)
        and other.compounds in ("", rule.compounds)
        and set(other.types) & set(rule.types)
    ]
    targets = [(one, _stated(ground, one)) for one in standards]
    usable = [(one, target) for one, target in targets if target is not None]
    if not usable:
        ids = ", ".join(one.id for one in standards)
        hint = (
            (f"请先设定：{ids}", f"set first: {ids}")
            if ids
            else ("规划中没有配建标准", "the plan states no standard for compounds")
        )
        raise Unjudgeable(f"缺少小区配建标准；{hint[0]}", f"no standard to hold compounds against; {hint[1]}")
    compounds, notes = _asked(ground, profile, rule)
    meets = np.ones(len(compounds), dtype=bool)
    for one, target in usable:
        ratio = shared(ground, one, chosen(table, one), compounds)
        meets &= np.nan_to_num(ratio) >= target * (1 - 1e-9)
        notes.append((f"标准：{one.title_zh} ≥ {target:g}", f"standard: {one.title_en}, at least {target:g}"))
        for other in one.also:
            notes.append(
                (
                    f"规划另处为 {other.value:g}（{other.code}），此处按 {target:g} 判断",
                    f"elsewhere the plan says {other.value:g} ({other.code}); judged by {target:g} here",
                )
            )
    notes += _assumed(ground, 1.0)
    have, whole = float(meets.sum()), float(len(meets))
    rows = _rows(compounds, meets.astype(float), ground.policy.household_size)
    return Measured(
        100 * have / whole, have, whole, COMPOUNDS, (Part(have, whole / 100),), COMPOUNDS, rows, unit_target=1.0, whole=True,
        notes=tuple(notes),
    )  # fmt: skip


def _stated(ground: Ground, rule: Rule) -> float | None:
    """Give the standard of a rule, or what the user set for it."""
    if rule.value == "unset" or rule.value is None:
        return ground.policy.set.get(rule.id)
    return float(rule.value)
