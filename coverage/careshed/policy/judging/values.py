"""Measure every kind of target on a study's data: counts, ratios, shares, areas, and who has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.access import ALL, presence
from careshed.policy.judging.card import Both, UnitValue
from careshed.policy.judging.compounds import compound_ratio, compound_share
from careshed.policy.judging.ground import Ground, chosen, of_types
from careshed.policy.judging.measured import NONE, Measured, Part, Unjudgeable
from careshed.policy.model import Measure, Profile, Rule
from careshed.policy.types import catalogue
from careshed.reach import travel_times
from careshed.words import LEVELS, PLURALS, group_name

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

PEOPLE: Final[Both] = ("人", "people")
FACILITIES: Final[Both] = ("处设施", "facilities")
UNITS_OF: Final[Both] = ("个单元", "units")
SQUARE_METRES: Final[Both] = ("平方米", "m²")
HOUSEHOLDS: Final[Both] = ("户", "households")
NEIGHBOURHOOD: Final = ("street", "township")
"""Units that people's reach is told by where the rule names none."""


def units_measured(ground: Ground, rule: Rule, table: GeoDataFrame) -> Measured:
    """Count what every unit of the rule's levels has: facilities in each, or the share of units with any."""
    units = ground.units(rule.levels, rule.setting)
    if units.empty:
        raise no_units(rule)
    facilities = chosen(table, rule)
    count = presence(facilities, units_all(ground), levels=list(dict.fromkeys(units["level"])))["facilities"].reindex(units.index)
    rows = _unit_rows(ground, rule, units, count.to_numpy(dtype=float), facilities)
    have = count.to_numpy(dtype=float)
    if rule.measure == "units_percent":
        having = int((have >= 1).sum())
        share = (Part(having, len(units) / 100),)
        return Measured(
            100 * having / len(units), having, len(units), level_words(rule), share, UNITS_OF, rows, unit_target=1.0, whole=True
        )
    parts = tuple(Part(float(one), 1.0) for one in have)
    worst = _worst(rule, have.tolist())
    return Measured(worst, None, len(units), level_words(rule), parts, FACILITIES, rows, each=True, whole=True)


def units_all(ground: Ground) -> GeoDataFrame:
    """Give all units of the study, whose parents a count needs."""
    return ground.study.units


def no_units(rule: Rule) -> Unjudgeable:
    """Say that the study lacks the units that a rule is judged by."""
    zh, en = level_words(rule)
    return Unjudgeable(
        f"研究数据中没有该级单元（{zh}）；请在单元表中补充", f"the study has no such units ({en}); add them to its units"
    )


def level_words(rule: Rule) -> Both:
    """Name the levels that a rule is judged by."""
    known = [level for level in rule.levels if level in LEVELS]
    setting = {"urban": ("城镇", "urban "), "rural": ("农村", "rural ")}.get(rule.setting, NONE)
    return "个" + setting[0] + "、".join(LEVELS[level][0] for level in known), setting[1] + " and ".join(
        PLURALS[level] for level in known
    )


def _unit_rows(
    ground: Ground, rule: Rule, units: GeoDataFrame, values: NDArray[np.float64], facilities: GeoDataFrame
) -> tuple[UnitValue, ...]:
    """Put each unit's value beside its people and those of them who reach a facility."""
    if not ground.detail:
        return ()
    group = ground.group(rule)
    covered = None if group is None else ground.covered(facilities, ground.limit(rule), group, rule.setting)
    rows = []
    for code, value in zip(units.index.astype(str), values, strict=True):
        people = None if covered is None else float(covered["people"][code])
        reached = None if covered is None else float(covered["covered"][code])
        told = None if np.isnan(value) else float(value)
        rows.append(UnitValue(code, str(units.at[code, "name"]), str(units.at[code, "level"]), told, None, people, reached))
    return tuple(rows)


def people_measured(ground: Ground, rule: Rule, table: GeoDataFrame) -> Measured:
    """Count the share of a group who reach a facility within the rule's limit."""
    group = need_group(ground, rule)
    covered = ground.covered(chosen(table, rule), ground.limit(rule), group, rule.setting)
    people, reached = float(covered["people"][ALL]), float(covered["covered"][ALL])
    if not people:
        raise Unjudgeable("范围内没有该人群", "nobody of the group lives there")
    units = ground.units(
        [level for level in rule.levels if level in LEVELS and level != "compound"] or NEIGHBOURHOOD, rule.setting
    )
    share = 100 * covered["share"].reindex(units.index).to_numpy(dtype=float)
    rows = _unit_rows(ground, rule, units, share, chosen(table, rule))
    unjudged = float(covered["unjudged"][ALL])
    notes: tuple[Both, ...] = ()
    if unjudged:
        high = 100 * float(covered["share_high"][ALL])
        notes = (
            (
                f"{unjudged:,.0f} 人所在格网不通路网，按不可达计；若均可达则为 {high:.1f}%",
                f"{unjudged:,.0f} people live off the streets and count as not reached; with them it would be {high:.1f} %",
            ),
        )
    return Measured(
        100 * reached / people, reached, people, _group_words(group), (Part(reached, people / 100),), PEOPLE, rows,
        people_short=people - reached, notes=notes,
    )  # fmt: skip


def need_group(ground: Ground, rule: Rule) -> str:
    """Give the people of a rule, or say that the study does not count them."""
    group = ground.group(rule)
    if group is None:
        told = group_name(rule.group, "zh"), group_name(rule.group, "en")
        raise Unjudgeable(f"研究数据中没有该人群（{told[0]}）", f"the study does not count this group ({told[1]})")
    return group


def _group_words(group: str) -> Both:
    return group_name(group, "zh"), group_name(group, "en")


def ratio_measured(ground: Ground, rule: Rule, table: GeoDataFrame) -> Measured:
    """Hold places, floor or land against people or households: in all, or in every unit of the rule's levels."""
    facilities = chosen(table, rule)
    column, per, what, missing_of = _ratio_of(ground, rule)
    amounts, notes = known(facilities, column)
    group = "total" if rule.measure == "floor_m2_per_100_households" else need_group(ground, rule)
    size = ground.policy.household_size if rule.measure == "floor_m2_per_100_households" else 1.0
    if size != 1.0:
        told = f"每户按 {size:g} 人由人口折算户数（假设）", f"households are people divided by {size:g} (assumed)"
        notes = (*notes, told)
    have = ground.per_unit(facilities, amounts)
    need = ground.people(group, rule.setting) / size / per
    unit_levels = [level for level in rule.levels if level in LEVELS and level != "compound"]
    if "city" in rule.levels or not unit_levels:
        rows = _ratio_rows(ground, NEIGHBOURHOOD, rule, have, need)
        parts = (Part(float(have[ALL]), float(need[ALL])),)
        return Measured(
            _over(parts[0]),
            parts[0].have,
            float(need[ALL]) * per,
            what,
            parts,
            missing_of,
            rows,
            whole=column == "places",
            notes=notes,
        )
    rows = _ratio_rows(ground, unit_levels, rule, have, need)
    each = tuple(Part(float(have[row.unit]), float(need[row.unit])) for row in rows)
    values = [row.value for row in rows if row.value is not None]
    if not values:
        raise no_units(rule)
    total = f"全域合计 {have[ALL] / need[ALL]:,.3g}", f"{have[ALL] / need[ALL]:,.3g} in all"
    return Measured(
        _worst(rule, values),
        None,
        len(rows),
        level_words(rule),
        each,
        missing_of,
        rows,
        each=True,
        whole=column == "places",
        notes=(*notes, total),
    )


def _ratio_of(ground: Ground, rule: Rule) -> tuple[str, float, Both, Both]:
    """Say what a ratio counts: the column, people or households to one unit of the target, and both names."""
    if rule.measure == "places_per_1000":
        group = need_group(ground, rule)
        return "places", 1000.0, _group_words(group), place_words(rule)
    if rule.measure == "land_m2_per_person":
        return "land_m2", 1.0, _group_words(need_group(ground, rule)), SQUARE_METRES
    return "area_m2", 100.0, HOUSEHOLDS, SQUARE_METRES


def _ratio_rows(
    ground: Ground, levels: Sequence[str], rule: Rule, have: pd.Series[float], need: pd.Series[float]
) -> tuple[UnitValue, ...]:
    units = ground.units(levels, rule.setting)
    people = ground.people(ground.group(rule) or "total", rule.setting)
    rows = []
    for code in units.index.astype(str):
        ratio = float(have[code] / need[code]) if need[code] > 0 else None
        rows.append(UnitValue(code, str(units.at[code, "name"]), str(units.at[code, "level"]), ratio, None, float(people[code])))
    return tuple(rows)


def _over(part: Part) -> float:
    if part.per_target <= 0:
        raise Unjudgeable("分母为零", "the denominator is zero")
    return part.have / part.per_target


def _worst(rule: Rule, values: list[float]) -> float:
    return max(values) if rule.op in ("<=", "<") else min(values)


def place_words(rule: Rule) -> Both:
    """Name what a rule's facilities have: beds or childcare places."""
    kinds = {catalogue()[name].counts for name in rule.types}
    return ("张床位", "beds") if "beds" in kinds else ("个托位", "places")


_COLUMNS: Final[dict[str, Both]] = {
    "places": ("床位或托位数", "places"),
    "area_m2": ("建筑面积", "floor area"),
    "land_m2": ("用地面积", "land"),
    "nursing_places": ("护理型床位数", "nursing beds"),
}


def known(facilities: GeoDataFrame, column: str) -> tuple[NDArray[np.float64], tuple[Both, ...]]:
    """Give a figure of each facility, 0 where unknown, and say for how many it is unknown; refuse where it is for all."""
    amounts = facilities[column].to_numpy(dtype=float)
    unknown = int(np.isnan(amounts).sum())
    zh, en = _COLUMNS[column]
    if unknown and unknown == len(amounts):
        raise Unjudgeable(
            f"登记表未填{zh}（{unknown} 处设施）", f"the registers state no {en} for any of the {unknown} facilities"
        )
    told = (f"{unknown} 处设施未填{zh}，未计入", f"{unknown} facilities state no {en} and are left out")
    return np.nan_to_num(amounts), (told,) if unknown else ()


def each_area_measured(ground: Ground, rule: Rule, table: GeoDataFrame) -> Measured:  # noqa: ARG001
    """Hold every facility's floor area, in all or for each of its places, against the target."""
    facilities = chosen(table, rule)
    per_place = rule.measure == "floor_m2_per_place"
    if facilities.empty:
        raise Unjudgeable("没有运营中的此类设施", "no such facility is in operation")
    _, notes = known(facilities, "area_m2")
    if per_place:
        notes = (*notes, *known(facilities, "places")[1])
    area, places = facilities["area_m2"].to_numpy(dtype=float), facilities["places"].to_numpy(dtype=float)
    weight = np.where(places > 0, places, np.nan) if per_place else np.ones(len(area))
    value = area / weight
    rows = tuple(
        UnitValue(str(code), str(name), "facility", None if np.isnan(one) else float(one), None, None)
        for code, name, one in zip(facilities.index, facilities["name"], value, strict=True)
    )
    told = ~np.isnan(value)
    if not told.any():
        raise Unjudgeable("没有一处设施同时填有面积和床位（托位）数", "no facility states both floor area and places")
    parts = tuple(Part(float(a), float(w)) for a, w in zip(area[told], weight[told], strict=True))
    if per_place and "facility" not in rule.levels:
        whole = (Part(float(area[told].sum()), float(weight[told].sum())),)
        return Measured(
            _over(whole[0]), whole[0].have, whole[0].per_target, place_words(rule), whole, SQUARE_METRES, rows, notes=notes
        )
    worst = _worst(rule, value[told].tolist())
    return Measured(worst, None, int(told.sum()), FACILITIES, parts, SQUARE_METRES, rows, each=True, notes=notes)


def count_measured(ground: Ground, rule: Rule, table: GeoDataFrame) -> Measured:  # noqa: ARG001
    """Count facilities, or their places."""
    facilities = chosen(table, rule)
    if rule.measure == "facilities":
        return _counted(float(len(facilities)), FACILITIES)
    amounts, notes = known(facilities, "places")
    return _counted(float(amounts.sum()), place_words(rule), notes)


def each_year(rule: Rule) -> bool:
    """Whether a rule asks for so many places every year, not for a sum since a base year."""
    return rule.measure == "places_added" and rule.since is None and bool(rule.by_year)


def added_measured(ground: Ground, rule: Rule, year: int | None, *, only: bool = False) -> Measured:
    """Count the places of facilities that opened since the base year, up to a year or in that year alone."""
    facilities = chosen(ground.open_in(year), rule)
    opened = facilities["opened"].to_numpy(dtype=float)
    since = rule.since if rule.since is not None else min(rule.by_year, default=0) - 1
    counts = (opened == year) if only and year is not None else (opened > since)
    places = facilities["places"].to_numpy(dtype=float)
    unknown = int((np.isnan(opened) | np.isnan(places)).sum())
    told = (
        f"{unknown} 处设施未填开办年份或床位（托位）数，未计入",
        f"{unknown} facilities state no opening year or no places and are left out",
    )
    return _counted(float(np.nansum(places[counts])), place_words(rule), (told,) if unknown else ())


def _counted(value: float, what: Both, notes: tuple[Both, ...] = ()) -> Measured:
    return Measured(value, value, None, NONE, (Part(value, 1.0),), what, whole=True, notes=notes)


def share_measured(ground: Ground, rule: Rule, table: GeoDataFrame) -> Measured:  # noqa: ARG001
    """Count the share of places, nursing beds or facilities that are as the rule wants them."""
    facilities, among = chosen(table, rule), of_types(table, rule)
    notes: tuple[Both, ...] = ()
    if rule.measure == "facilities_percent":
        have, whole, what = float(len(facilities)), float(len(among)), FACILITIES
    elif rule.measure == "nursing_percent":
        nursing, notes = known(facilities, "nursing_places")
        told = facilities["nursing_places"].notna().to_numpy()
        places, more = known(facilities[told], "places")
        have, whole, what, notes = float(nursing.sum()), float(places.sum()), place_words(rule), (*notes, *more)
    else:
        have = float(known(facilities, "places")[0].sum())
        amounts, notes = known(among, "places")
        whole, what = float(amounts.sum()), place_words(rule)
    if not whole:
        raise Unjudgeable("没有运营中的此类设施或床位", "no such facility or place is in operation")
    pieces = rule.measure == "facilities_percent"
    return Measured(100 * have / whole, have, whole, what, (Part(have, whole / 100),), what, whole=pieces, notes=notes)


def near_measured(ground: Ground, rule: Rule, table: GeoDataFrame) -> Measured:
    """Count the share of facilities within some metres of street of another type, such as a clinic."""
    facilities, others = chosen(table, rule), table[table["kind"].isin(rule.near)]
    absent = [name for name in rule.near if name not in set(ground.facilities["kind"]) and name not in ground.policy.complete]
    if len(absent) == len(rule.near):
        told = "、".join(rule.near), ", ".join(rule.near)
        raise Unjudgeable(f"登记表中没有{told[0]}；请补充该类登记表", f"the registers hold no {told[1]}; add their register")
    if facilities.empty:
        raise Unjudgeable("没有运营中的此类设施", "no such facility is in operation")
    limit = ground.limit(rule)
    times = travel_times(ground.network(limit.mode), others, facilities, limit_m=rule.metres)
    near = times.reached(metres=rule.metres)
    rows = tuple(
        UnitValue(str(code), str(name), "facility", float(one), None, None)
        for code, name, one in zip(facilities.index, facilities["name"], near, strict=True)
    )
    have, whole = float(near.sum()), float(len(facilities))
    told_all: Both = (f"沿路网 {rule.metres:g} 米以内", f"within {rule.metres:g} m along the streets")
    return Measured(
        100 * have / whole, have, whole, FACILITIES, (Part(have, whole / 100),), FACILITIES, rows, unit_target=1.0, whole=True,
        notes=(told_all,),
    )  # fmt: skip


MEASURES: Final[dict[Measure, Callable[[Ground, Rule, GeoDataFrame], Measured]]] = {
    "facilities_per_unit": units_measured,
    "units_percent": units_measured,
    "people_percent": people_measured,
    "places_per_1000": ratio_measured,
    "floor_m2_per_100_households": ratio_measured,
    "land_m2_per_person": ratio_measured,
    "floor_m2_each": each_area_measured,
    "floor_m2_per_place": each_area_measured,
    "places_percent": share_measured,
    "nursing_percent": share_measured,
    "facilities_percent": share_measured,
    "facilities": count_measured,
    "places": count_measured,
    "near_percent": near_measured,
}


def measured(ground: Ground, profile: Profile, rule: Rule, table: GeoDataFrame) -> Measured:
    """Measure a rule on the facilities of one year.

    Raises
    ------
    Unjudgeable
        Where the data cannot tell.
    """
    if rule.measure == "compounds_percent":
        return compound_share(ground, profile, rule, table)
    if rule.compounds or "compound" in rule.levels:
        return compound_ratio(ground, profile, rule, table)
    return MEASURES[rule.measure](ground, rule, table)
