"""The demo town under the shipped plans: every number worked out again from its files with pandas."""

from __future__ import annotations

import math
import time
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from careshed.network import build_network
from careshed.policy import Rule, load_profile
from careshed.policy.judging import RuleResult, Scorecard, judge_plan
from careshed.policy.loading import shipped
from careshed.policy.types import catalogue
from careshed.reach import travel_times
from careshed.study import Study, open_study

NOW = 2025
POOLED, NEW, HOUSEHOLD = 500.0, 2018, 3.0
"""What the demo's [policy] says of compounds."""


@pytest.fixture(scope="module")
def folder(made_demo: Path) -> Path:
    return made_demo.parent


@pytest.fixture(scope="module")
def study(folder: Path) -> Study:
    return open_study(folder / "study.toml")


SECONDS: dict[str, float] = {}
"""Computing time that each plan took."""


@pytest.fixture(scope="module")
def cards(study: Study) -> dict[str, Scorecard]:
    found = {}
    for name in shipped():
        start = time.process_time()
        found[name] = judge_plan(study, load_profile(name))
        SECONDS[name] = time.process_time() - start
    return found


@pytest.fixture(scope="module")
def data(folder: Path, study: Study) -> SimpleNamespace:
    """The registers as the offices wrote them, units, people by code, compounds, and travel on demand."""
    text = {"所属单位代码": str, "编号": str}
    tables = [pd.read_csv(folder / f"{name}.csv", dtype=text) for name in ("childcare", "kindergartens", "clinics")]
    tables.append(pd.read_excel(folder / "elder_care.xlsx", sheet_name="登记表", dtype=text, engine="openpyxl"))
    registers = pd.concat(tables).set_index("编号")
    registers["places"] = registers[["托位数", "学位数", "床位数"]].bfill(axis=1).iloc[:, 0]
    implied = {name: set(kind.functions) for name, kind in catalogue().items()}
    own = registers["服务功能"].fillna("")
    registers["offers"] = [
        set(words.split("；")) if words else implied[kind] for words, kind in zip(own, registers["类型"], strict=True)
    ]
    units = gpd.read_file(folder / "units.gpkg").set_index("code")
    people = pd.DataFrame(study.cells.drop(columns="geometry"))
    compounds = pd.read_csv(folder / "compounds.csv", dtype=text).set_index("编号")
    xy = gpd.points_from_xy(compounds["经度"], compounds["纬度"])
    places = gpd.GeoDataFrame(compounds, geometry=xy, crs="EPSG:4326").to_crs(study.crs)
    return SimpleNamespace(
        registers=registers, units=units, people=people, compounds=places, networks={}, reached={}, study=study
    )


def open_in(data: SimpleNamespace, year: int) -> pd.DataFrame:
    table = data.registers
    states = ["运营"] if year == NOW else ["运营", "停业"]
    known = table[table["状态"].isin(states)]
    opened, closed = pd.to_numeric(known["开办年份"]), pd.to_numeric(known["停业年份"])
    return known[~(opened > year) & ~(closed <= year)]


def of_class(operator: str, wanted: str) -> bool:
    """The demo's four words: 公办, 公建民营, 民办普惠, 民办."""
    return {
        "public": operator == "公办",
        "public_private": operator == "公建民营",
        "private": operator in ("民办普惠", "民办"),
        "inclusive": operator == "民办普惠",
        "market": operator == "民办",
    }[wanted]


def setting_of(code: str, data: SimpleNamespace) -> str:
    """Street or township decides: the first nine figures of every code below a county."""
    return {"street": "urban", "township": "rural"}[data.units.at[code[:9], "level"]]


def in_setting(codes: pd.Series, rule: Rule, data: SimpleNamespace) -> pd.Series:
    if rule.setting == "all":
        return pd.Series(True, index=codes.index)
    known = {code: setting_of(code, data) for code in codes.unique()}
    return codes.map(known) == rule.setting


def picked(
    table: pd.DataFrame, rule: Rule, data: SimpleNamespace, types: tuple[str, ...] = (), *, only: bool = True
) -> pd.DataFrame:
    own = table[table["类型"].isin(types or rule.types)]
    own = own[in_setting(own["所属单位代码"], rule, data)]
    if not only:
        return own
    own = own[[set(rule.functions) <= offers for offers in own["offers"]]]
    if rule.classes:
        own = own[[any(of_class(str(operator), one) for one in rule.classes) for operator in own["运营性质"]]]
    return own


def units_of(rule: Rule, data: SimpleNamespace) -> list[str]:
    levels = [level for level in rule.levels if level not in ("city", "facility", "compound")]
    units = data.units[data.units["level"].isin(levels)]
    fits = [rule.setting == "all" or len(code) == 6 or setting_of(code, data) == rule.setting for code in units.index]
    return units.index[fits].tolist()


def within(codes: pd.Series, unit: str) -> pd.Series:
    return codes.astype(str).str.startswith(unit)


def group_of(rule: Rule) -> str:
    if rule.group not in ("", "households"):
        return rule.group
    areas = {catalogue()[name].area for name in rule.types} - {"other"}
    return {"childcare": "p0_3", "elder": "p60"}.get(areas.pop() if len(areas) == 1 else "", "total")


def residents(rule: Rule, data: SimpleNamespace, unit: str = "") -> float:
    own = data.people[in_setting(data.people["unit"], rule, data) & within(data.people["unit"], unit)]
    return float(own[group_of(rule)].sum())


def network(data: SimpleNamespace, mode: str):
    if mode not in data.networks:
        data.networks[mode] = build_network(data.study.streets, mode=data.study.travel_mode(mode), crs=data.study.crs, snap_m=150)
    return data.networks[mode]


def reached(rule: Rule, chosen: pd.DataFrame, result: RuleResult, data: SimpleNamespace) -> tuple[float, float]:
    """People within the limit, from the pairs of facility and cell."""
    sites = data.study.facility_table.loc[chosen.index]
    limit = {"limit_min": result.reach.minutes} if result.reach.minutes else {"limit_m": result.reach.metres}
    key = (tuple(sites.index), result.reach.mode, *limit.items())
    if key not in data.reached:
        pairs = travel_times(network(data, result.reach.mode), sites, data.study.cells, **limit)
        data.reached[key] = np.isin(np.arange(len(data.people)), pairs.indices)
    cells = data.people.assign(near=data.reached[key])
    cells = cells[in_setting(cells["unit"], rule, data)]
    return float(cells.loc[cells["near"], group_of(rule)].sum()), float(cells[group_of(rule)].sum())


def compound_values(rule: Rule, chosen: pd.DataFrame, data: SimpleNamespace) -> pd.Series:
    """Share every facility among the households within reach of it: places or m2 for 100 households, 1,000 people or one."""
    column, per = {
        "floor_m2_per_100_households": ("建筑面积", 100.0),
        "land_m2_per_person": ("用地面积", HOUSEHOLD**-1),
        "places_per_1000": ("places", 1000.0 / HOUSEHOLD),
    }[rule.measure]
    homes = data.compounds
    mode = "toddler" if catalogue()[rule.types[0]].area == "childcare" else "older"
    if {"社区养老服务站", "托育机构"} <= set(rule.types):
        mode = "toddler" if sum(catalogue()[name].name in ("托育机构", "幼儿园托班") for name in rule.types) >= 2 else "older"
    found = travel_times(network(data, mode), data.study.facility_table.loc[chosen.index], homes, limit_m=POOLED)
    pairs = pd.DataFrame({"facility": np.repeat(chosen.index, np.diff(found.indptr)), "compound": homes.index[found.indices]})
    pairs["homes"] = homes["户数"].loc[pairs["compound"]].to_numpy(dtype=float)
    each = chosen[column].astype(float) / pairs.groupby("facility")["homes"].sum()
    pairs["given"] = each.loc[pairs["facility"]].to_numpy()
    return per * pairs.groupby("compound")["given"].sum().reindex(homes.index).fillna(0.0)


def asked_compounds(rule: Rule, data: SimpleNamespace) -> pd.Index:
    built = data.compounds["建成年份"].astype(int)
    since = rule.since or NEW  # the plan's own year comes first, then the study's
    return data.compounds.index[{"new": built >= since, "old": built < since, "": built > 0}[rule.compounds]]


def again(rule: Rule, year: int, data: SimpleNamespace, result: RuleResult) -> tuple[float | None, float | None, float | None]:
    """Value, numerator and denominator of a rule, from the registers."""
    table = open_in(data, year)
    own = picked(table, rule, data)
    if rule.compounds or "compound" in rule.levels:
        values = compound_values(rule, own, data)[asked_compounds(rule, data)]
        return float(values.min()), float((values >= (result.target or 0) * (1 - 1e-9)).sum()), float(len(values))
    if rule.measure in ("facilities_per_unit", "units_percent"):
        counts = pd.Series({unit: within(own["所属单位代码"], unit).sum() for unit in units_of(rule, data)}, dtype=float)
        if rule.measure == "units_percent":
            return 100 * float((counts >= 1).mean()), float((counts >= 1).sum()), float(len(counts))
        return float(counts.min()), float((counts >= (result.target or 0)).sum()), float(len(counts))
    if rule.measure == "people_percent":
        got, people = reached(rule, own, result, data)
        return 100 * got / people, got, people
    if rule.measure in ("places_per_1000", "land_m2_per_person", "floor_m2_per_100_households"):
        column, per = {"places_per_1000": ("places", 1000), "land_m2_per_person": ("用地面积", 1)}.get(
            rule.measure, ("建筑面积", 100)
        )
        units = [] if "city" in rule.levels else units_of(rule, data)
        if not units:
            return per * own[column].sum() / residents(rule, data), float(own[column].sum()), residents(rule, data)
        ratio = pd.Series(
            {u: per * own.loc[within(own["所属单位代码"], u), column].sum() / residents(rule, data, u) for u in units}
        )
        return float(ratio.min()), float((ratio >= (result.target or 0)).sum()), float(len(ratio))
    if rule.measure == "floor_m2_each":
        return float(own["建筑面积"].min()), float((own["建筑面积"] >= (result.target or 0)).sum()), float(len(own))
    if rule.measure in ("facilities", "places", "places_added"):
        if rule.measure == "places_added":
            opened = pd.to_numeric(own["开办年份"])
            own = own[opened > rule.since] if rule.since else own[opened == year]
        count = float(len(own)) if rule.measure == "facilities" else float(own["places"].sum())
        return count, count, None
    if rule.measure == "near_percent":
        clinics = data.study.facility_table.loc[table.index[table["类型"].isin(rule.near)]]
        sites = data.study.facility_table.loc[own.index]
        by_mode = network(data, "older")
        hits = travel_times(by_mode, clinics, sites, limit_m=rule.metres)
        return 100 * len(set(hits.indices)) / len(own), float(len(set(hits.indices))), float(len(own))
    among = picked(table, rule, data, rule.of_types, only=False)
    if rule.measure == "facilities_percent":
        return 100 * len(own) / len(among), float(len(own)), float(len(among))
    if rule.measure == "nursing_percent":
        return 100 * own["护理型床位"].sum() / own["places"].sum(), float(own["护理型床位"].sum()), float(own["places"].sum())
    assert rule.measure == "places_percent"
    return 100 * own["places"].sum() / among["places"].sum(), float(own["places"].sum()), float(among["places"].sum())


def measured_rules(card: Scorecard) -> list[RuleResult]:
    """Rules that the map measures, the share of compounds aside: that has a test of its own."""
    aside = ("entered_percent", "entered_number", "compounds_percent")
    return [result for result in card.results if result.value is not None and result.rule.measure not in aside]


def close(value: float | None, other: float | None) -> bool:
    return (value is None and other is None) or (
        value is not None and other is not None and math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-9)
    )


@pytest.mark.parametrize("name", shipped())
def test_every_value_with_its_numerator_and_denominator_comes_out_again(
    name: str, cards: dict[str, Scorecard], data: SimpleNamespace
) -> None:
    wrong = {}
    for result in measured_rules(cards[name]):
        value, counted, of = again(result.rule, NOW, data, result)
        if result.target is None and result.counted is None:
            counted = None
        found = (result.value, result.counted, result.of)
        if not all(close(one, other) for one, other in zip(found, (value, counted, of), strict=True)):
            wrong[result.id] = (found, (value, counted, of))
    assert wrong == {}


@pytest.mark.parametrize("name", ["shuozhou-2023", "chifeng-2022"])
def test_every_value_of_every_year_comes_out_again(name: str, cards: dict[str, Scorecard], data: SimpleNamespace) -> None:
    wrong, compared = {}, 0
    for result in measured_rules(cards[name]):
        for year in result.years:
            if year.value is None or result.rule.measure == "people_percent":
                continue
            rule = result.rule if not result.rule.by_year else result.rule.model_copy(update={"since": None})
            compared += 1
            if not close(again(rule, year.year, data, result)[0], year.value):
                wrong[result.id, year.year] = (year.value, again(rule, year.year, data, result)[0])
    assert wrong == {}
    assert compared > 60


def test_gaps_presence_reach_and_the_people_who_wait_come_out_again(cards: dict[str, Scorecard], data: SimpleNamespace) -> None:
    card = cards["shuozhou-2023"]
    sides = 0
    for result in measured_rules(card):
        rule = result.rule
        for target in result.targets:
            assert target.met == (result.value >= target.target)
            assert close(target.gap, max(0.0, target.target - result.value))
        if result.reach is not None:
            sides += 1
            own = picked(open_in(data, NOW), rule, data)
            assert close(result.reach.reached, reached(rule, own, result, data)[0]), result.id
        if rule.measure == "facilities_per_unit":
            own = picked(open_in(data, NOW), rule, data)
            empty = [unit for unit in units_of(rule, data) if within(own["所属单位代码"], unit).sum() < result.target]
            table = card.waiting(rule.id)
            assert sorted(table.index) == sorted(empty)
            assert close(float(table["people"].sum()), sum(residents(rule, data, unit) for unit in empty))
            assert result.presence.having == sum(within(own["所属单位代码"], unit).any() for unit in units_of(rule, data))
            assert result.targets[0].missing == sum(result.target - within(own["所属单位代码"], unit).sum() for unit in empty)
    assert sides >= 8


def test_the_share_of_compounds_is_that_of_the_plans_own_standard(cards: dict[str, Scorecard], data: SimpleNamespace) -> None:
    card = cards["shuozhou-2023"]
    share, standard = card.result("elder_new_compound_rate"), card.result("elder_compound_standard")
    every = compound_values(standard.rule, picked(open_in(data, NOW), standard.rule, data), data)
    values = every[asked_compounds(standard.rule, data)]
    assert standard.target == 20.0
    assert share.value == pytest.approx(100 * (every[asked_compounds(share.rule, data)] >= 20.0).mean())
    lacks = np.maximum(0.0, 20.0 - values) * data.compounds["户数"].loc[values.index] / 100
    assert standard.targets[0].missing == pytest.approx(lacks.sum())


def test_the_plans_together_judge_every_kind_and_measure_there_is(cards: dict[str, Scorecard]) -> None:
    judged = [result for card in cards.values() for result in card.results if result.state in ("met", "short", "contradicted")]
    assert {result.rule.kind for result in judged} >= {
        "proximity", "presence", "unit_share", "capacity_ratio", "area_ratio", "share", "count", "schedule", "staffing",
    }  # fmt: skip
    assert {result.rule.measure for result in judged} >= {
        "facilities_per_unit", "units_percent", "people_percent", "places_per_1000", "floor_m2_per_100_households",
        "land_m2_per_person", "floor_m2_each", "places_percent", "nursing_percent", "facilities_percent", "facilities", "places",
        "places_added", "compounds_percent", "near_percent", "entered_percent", "entered_number",
    }  # fmt: skip
    assert any(result.state == "contradicted" for result in judged)


def test_every_rule_that_is_not_judged_says_why_in_both_languages(cards: dict[str, Scorecard]) -> None:
    for card in cards.values():
        for result in card.results:
            assert (result.state == "unjudged") == (result.why != ("", "")), result.id
            assert all(result.why) or result.state != "unjudged"


def test_the_registers_of_the_demo_hold_only_words_that_the_catalogue_knows(cards: dict[str, Scorecard]) -> None:
    assert cards["shuozhou-2023"].faults == ()


def test_the_demo_is_judged_within_seconds_under_every_plan(cards: dict[str, Scorecard]) -> None:
    assert set(SECONDS) == set(cards)
    assert max(SECONDS.values()) < 15.0
