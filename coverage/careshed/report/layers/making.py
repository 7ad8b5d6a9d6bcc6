"""Make the layers of a run from its results, every figure as the run holds it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from careshed.access import ALL, OUTSIDE, unit_sums
from careshed.report.layers import styles
from careshed.report.layers.fields import fields, group_field, plain_name
from careshed.report.layers.model import Field, Layer
from careshed.schema import TIERS, fault_table
from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    from careshed.run.results import RunResult, ServiceResult
    from careshed.siting.studying import StudyPlan
    from careshed.study import Study

_WHY = {
    "": ("", ""),
    "far": ("附近没有街道", "no street near"),
    "barrier": ("被水面、铁路或围墙阻隔", "shut in by water, railway or walls"),
    "islet": ("位于孤立路网", "on an islet of streets"),
    "table": ("导入的时间表没有该格网", "not in the imported table"),
}
"""Why a cell cannot be judged -> (Chinese, English)."""

_PLAN_STATUS = {"new": ("新建", "new"), "kept": ("保留", "kept"), "extended": ("扩建", "extended")}
"""Status of a plan's site -> (Chinese, English)."""


def layers_of(result: RunResult, lang: Lang) -> list[Layer]:
    """Make every layer and table of a run but those that tell of the file itself, in the order in which they are listed."""
    study = result.study
    made = [units_layer(study, lang), facilities_layer(result, lang), candidates_layer(study, lang)]
    for one in result.services:
        made += service_layers(study, one, lang)
    made += [plan_layer(study, plan, lang) for plan in result.plans]
    made.append(coverage_table(result, lang))
    if result.card is not None:
        made.append(scorecard_layer(result, lang))
    made.append(faults_layer(result, lang))
    return _named_apart(made)


def service_layers(study: Study, one: ServiceResult, lang: Lang) -> list[Layer]:
    """Make the layers of one service."""
    return [
        coverage_layer(study, one, lang),
        cells_layer(study, one, lang),
        bands_layer(one, lang),
        streets_layer(one, lang),
        gaps_layer(one, lang),
        sites_layer(study, one, lang),
    ]


def _named_apart(made: Iterable[Layer]) -> list[Layer]:
    """Give layers whose names or titles fall together, such as those of services with one name, names and titles of their own."""
    names: list[str] = []
    titles: list[str] = []
    for layer in made:
        names.append(plain_name(layer.name, names))
        same = sum(told == layer.title or told.startswith(f"{layer.title} (") for told in titles)
        titles.append(f"{layer.title} ({same + 1})" if same else layer.title)
    return [replace(layer, name=name, title=title) for layer, name, title in zip(made, names, titles, strict=True)]


def units_layer(study: Study, lang: Lang) -> Layer:
    """List the administrative units with the people of every group."""
    groups = [group_field(group) for group in study.groups]
    rows, sums = unit_sums(study.cells[list(study.groups)].to_numpy(dtype=float), study.cells["unit"].to_numpy(), study.units)
    table = _units(study, [row for row in rows if row not in (ALL, OUTSIDE)], lang)
    counted = pd.DataFrame(sums, index=rows, columns=[field.key for field in groups]).loc[table["unit"]]
    for name in counted.columns:
        table[name] = counted[name].to_numpy()
    known = (*fields("unit", "name", "level", "tier", "parent", "setting"), *groups)
    title = pick(lang, "行政单元与人口", "Units and people")
    style = styles.outlines(title, _tiers(study), lang)
    return Layer(pick(lang, "行政单元", "units"), title, _apart(known, lang), table, "MultiPolygon", style)


def _apart(known: tuple[Field, ...], lang: Lang) -> tuple[Field, ...]:
    """Keep names of fields apart that the study's own group names make equal."""
    taken: list[str] = []
    found = []
    for field in known:
        name = plain_name(field.name(lang), taken)
        taken.append(name)
        found.append(replace(field, zh=name) if lang == "zh" else replace(field, en=name))
    return tuple(found)


def _tiers(study: Study) -> tuple[int, ...]:
    return tuple(sorted({TIERS[level] for level in study.units["level"]}))


def _units(study: Study, codes: Iterable[str], lang: Lang) -> GeoDataFrame:
    """List units with their place in the hierarchy and their outlines, the largest first so that small ones lie on top."""
    units = study.units.loc[list(codes)]
    table = GeoDataFrame(
        {
            "unit": units.index.astype(str),
            "name": units["name"].astype(str).to_numpy(),
            "level": [level_name(level, lang) for level in units["level"]],
            "tier": units["level"].map(TIERS).to_numpy(dtype=np.int32),
            "parent": units["parent"].astype(str).to_numpy(),
            "setting": [_setting(setting, lang) for setting in units["setting"]],
        },
        geometry=units.geometry.array,
        crs=study.units.crs,
    )
    return table.sort_values("tier", kind="stable", ignore_index=True)


def _setting(setting: str, lang: Lang) -> str:
    return {"urban": pick(lang, "城镇", "urban"), "rural": pick(lang, "乡村", "rural")}.get(setting, "")


def facilities_layer(result: RunResult, lang: Lang) -> Layer:
    """List every facility of the registers, and the services for which it counts."""
    study, comma = result.study, pick(lang, "；", "; ")
    known = study.facility_table
    counted = {one.service.name(lang): set(study.facilities(one.service.id).index) for one in result.services}
    table = _places(known, study).assign(
        facility_id=known.index.astype(str).to_numpy(),
        status=[pick(lang, *styles.STATUS_WORDS[status]) for status in known["status"]],
        services=[comma.join(name for name, ids in counted.items() if key in ids) for key in known.index],
    )
    listed = fields(
        "facility_id", "name", "type", "status", "services", "operator", "places", "nursing_places", "area_m2", "land_m2",
        "opened", "closed", "functions", "unit", "unit_name", "file", "row",
    )  # fmt: skip
    title = pick(lang, "设施", "Facilities")
    style = styles.facilities(title, lang)
    return Layer(pick(lang, "设施", "facilities"), title, listed, table, styles.point_kind(table), style)


def _places(known: GeoDataFrame, study: Study) -> GeoDataFrame:
    """Take over the columns of a table of places, and name the unit of each."""
    names = study.units["name"].astype(str)
    table = GeoDataFrame(known.reset_index(drop=True))
    return table.assign(unit_name=known["unit"].astype(str).map(names).fillna("").to_numpy())


def candidates_layer(study: Study, lang: Lang) -> Layer:
    """List the candidate sites."""
    known, comma = study.candidate_table, pick(lang, "；", "; ")
    names = {service.id: service.name(lang) for service in study.services}
    hosts = [comma.join(names.get(key, key) for key in text.split(";") if key) for text in known["services"]]
    table = _places(known, study).assign(candidate_id=known.index.astype(str).to_numpy(), for_services=hosts)
    listed = fields(
        "candidate_id", "name", "kind", "for_services", "places", "area_m2", "cost_yuan", "unit", "unit_name", "file", "row"
    )
    title = pick(lang, "候选点", "Candidate sites")
    style = styles.candidates(title, lang)
    return Layer(pick(lang, "候选点", "candidates"), title, listed, table, styles.point_kind(table), style)


def _named(one: ServiceResult, lang: Lang, zh: str, en: str) -> str:
    """Name a layer of a service: in English by its id, which is short."""
    return plain_name(pick(lang, f"{zh}_{one.service.name('zh')}", f"{en}_{one.service.id}"))


def _titled(one: ServiceResult, lang: Lang, zh: str, en: str) -> str:
    limit = f"{one.service.within_minutes:g}"
    who = group_name(one.service.group, lang)
    about = pick(lang, f"（{who}，{limit} 分钟）", f" ({who}, {limit} minutes)")
    return f"{one.service.name(lang)}{pick(lang, '：', ': ')}{pick(lang, zh, en)}{about}"


def coverage_layer(study: Study, one: ServiceResult, lang: Lang) -> Layer:
    """Say of every unit who reaches the service within its limit."""
    service = one.service
    judged = one.covered[(one.covered["minutes"] == service.within_minutes) & (one.covered["group"] == service.group)]
    table = _units(study, [code for code in judged.index if code not in (ALL, OUTSIDE)], lang)
    told = judged.loc[table["unit"]]
    counts = ("people", "covered", "share", "unjudged", "share_low", "share_high", "could_change")
    table = table.assign(
        service=service.name(lang),
        group=group_name(service.group, lang),
        limit=float(service.within_minutes),
        facilities=one.has_one["facilities"].reindex(told.index).to_numpy(dtype=float),
        **{name: told[name].to_numpy(dtype=float) if name in told else np.nan for name in counts},
    )
    listed = fields("unit", "name", "level", "tier", "parent", "setting", "service", "group", "limit", *counts, "facilities")
    title = _titled(one, lang, "各单元覆盖率", "coverage by unit")
    style = styles.coverage(title, _tiers(study), lang)
    return Layer(_named(one, lang, "覆盖", "coverage"), title, listed, table, "MultiPolygon", style)


def cells_layer(study: Study, one: ServiceResult, lang: Lang) -> Layer:
    """Say of every population cell how far the nearest facility is."""
    cells, times, service = study.cells, one.times, one.service
    near, known = times.nearest_facility, times.nearest_cost >= 0
    places = times.facilities
    names = (places["name"] if "name" in places else places.index.to_series()).astype(str).to_numpy()
    ids = places.index.astype(str).to_numpy()
    groups = [group_field(group) for group in study.groups if group != service.group]
    table = GeoDataFrame(
        {
            "cell_id": cells.index.to_numpy(dtype=np.int64),
            "unit": cells["unit"].astype(str).to_numpy(),
            "people": cells[service.group].to_numpy(dtype=float),
            "minutes": np.where(known, times.nearest_cost / 60_000, np.nan),
            "nearest_id": _picked(ids, near, known),
            "nearest_name": _picked(names, near, known),
            "reached": times.reached(minutes=service.within_minutes).astype(np.int32),
            "why": [pick(lang, *_WHY[str(fault)]) for fault in times.cell_fault],
            **{field.key: cells[field.key.removeprefix("people_")].to_numpy(dtype=float) for field in groups},
        },
        geometry=cells.geometry.array,
        crs=cells.crs,
    )
    listed = (*fields("cell_id", "unit", "people", "minutes", "nearest_id", "nearest_name", "reached", "why"), *groups)
    title = _titled(one, lang, "各格网到最近设施的时间", "time from each cell to the nearest facility")
    style = styles.cells(title, cells, service.minutes, service.within_minutes, lang)
    return Layer(_named(one, lang, "格网", "cells"), title, _apart(listed, lang), table, "Point", style)


def _picked(values: np.ndarray[tuple[int], np.dtype[np.object_]], at: np.ndarray, known: np.ndarray) -> list[str]:
    return [str(values[place]) if here else "" for place, here in zip(at, known, strict=True)]


def bands_layer(one: ServiceResult, lang: Lang) -> Layer:
    """Give the isochrones, the largest first, so that smaller ones lie on top."""
    bands = one.isochrones.sort_values("minutes", ascending=False, kind="stable", ignore_index=True)
    table = bands.assign(band=bands["minutes"], ground_m2=bands.geometry.area, service=one.service.name(lang))
    title = _titled(one, lang, "等时圈", "isochrones")
    listed = fields("service", "band", "ground_m2", "inside_beyond", "outside_reachable")
    style = styles.bands(title, one.service.minutes, lang)
    return Layer(_named(one, lang, "等时圈", "isochrones"), title, listed, table, "MultiPolygon", style)


def streets_layer(one: ServiceResult, lang: Lang) -> Layer:
    """Give the streets from which a facility is reached, the largest limit first."""
    streets = one.streets.sort_values("minutes", ascending=False, kind="stable", ignore_index=True)
    table = streets.assign(band=streets["minutes"], service=one.service.name(lang))
    title = _titled(one, lang, "可达道路", "reached streets")
    style = styles.streets(title, one.service.minutes, lang)
    listed = fields("service", "band", "length_m")
    return Layer(_named(one, lang, "可达道路", "streets"), title, listed, table, "MultiLineString", style)


def gaps_layer(one: ServiceResult, lang: Lang) -> Layer:
    """Give the places where people live whom no facility reaches."""
    gaps = one.gaps
    table = GeoDataFrame(gaps.reset_index(drop=True)).assign(
        gap_id=gaps.index.to_numpy(dtype=np.int32),
        service=one.service.name(lang),
        gap_people=gaps["people"].to_numpy(dtype=float),
        mean_minutes=gaps["minutes_nearest"].to_numpy(dtype=float),
        cells=gaps["cells"].to_numpy(dtype=np.int32),
        units_count=gaps["units_count"].to_numpy(dtype=np.int32),
    )
    listed = fields(
        "gap_id", "service", "gap_people", "cells", "mean_minutes", "nearest_name", "unjudged", "unit", "unit_name", "units_count"
    )
    title = _titled(one, lang, "服务缺口", "gaps")
    return Layer(_named(one, lang, "缺口", "gaps"), title, listed, table, "MultiPolygon", styles.gaps(title, lang))


def sites_layer(study: Study, one: ServiceResult, lang: Lang) -> Layer:
    """Give the ranked sites of a service."""
    sites = one.plan.sites
    table = GeoDataFrame(sites.reset_index(drop=True), geometry="geometry", crs=study.crs).assign(
        candidate_id=sites.index.astype(str).to_numpy(),
        service=one.service.name(lang),
        rank=sites["rank"].to_numpy(dtype=np.int32),
        reason=sites[f"reason_{lang}"].astype(str).to_numpy(),
    )
    listed = fields(
        "rank", "candidate_id", "name", "kind", "service", "unit", "unit_name", "people_new", "people_cumulative",
        "share_cumulative", "cost_yuan", "places", "area_m2", "reason",
    )  # fmt: skip
    title = _titled(one, lang, "建议选址", "proposed sites")
    style = styles.sites(title, lang)
    return Layer(_named(one, lang, "选址", "sites"), title, listed, table, styles.point_kind(table), style)


def plan_layer(study: Study, solved: StudyPlan, lang: Lang) -> Layer:
    """Give the sites of a plan of the study: new, kept and extended, and the year in which each opens."""
    sites, name = solved.plan.sites, solved.section.name(lang)
    years = solved.phased.sites["year"] if solved.phased is not None else pd.Series(dtype=float)
    opens = years[years > 0].reindex(sites.index).to_numpy(dtype=float)
    names = {service.id: service.name(lang) for service in study.services}
    comma = pick(lang, "；", "; ")
    table = _places(sites, study).assign(
        site_id=sites.index.astype(str).to_numpy(),
        plan_status=[pick(lang, *_PLAN_STATUS.get(str(status), (str(status),) * 2)) for status in sites["status"]],
        year=opens,
        for_services=[comma.join(names.get(key, key) for key in str(text).split(";") if key) for text in sites["services"]],
    )
    listed = fields(
        "site_id", "name", "plan_status", "year", "for_services", "unit", "unit_name", "places", "cost_yuan", "subsidy_yuan",
        "net_yuan",
    )  # fmt: skip
    title = pick(lang, f"方案：{name}", f"Plan: {name}")
    table_name = plain_name(pick(lang, f"方案_{name}", f"plan_{solved.section.id}"))
    return Layer(table_name, title, listed, table, styles.point_kind(table), styles.plan(title, lang))


def coverage_table(result: RunResult, lang: Lang) -> Layer:
    """List coverage by unit for every service, group and limit, the whole study and people in no unit included."""
    parts = [
        one.covered.assign(
            unit=one.covered.index.astype(str),
            service=one.service.name(lang),
            group=[group_name(group, lang) for group in one.covered["group"]],
            limit=one.covered["minutes"].astype(float),
            level=[level_name(level, lang) for level in one.covered["level"]],
        )
        for one in result.services
    ]
    table = pd.concat(parts, ignore_index=True).reindex(columns=[*parts[0].columns])
    whole = {ALL: pick(lang, "全部", "all"), OUTSIDE: pick(lang, "不在任何单元内", "in no unit")}
    table["name"] = [whole.get(code, name) for code, name in zip(table["unit"], table["name"].astype(str), strict=True)]
    listed = fields(
        "service", "group", "limit", "unit", "name", "level", "people", "covered", "share", "unjudged", "share_low", "share_high"
    )
    title = pick(lang, "覆盖统计：各服务、人群、时限、单元", "Coverage by service, group, limit and unit")
    return Layer(pick(lang, "覆盖统计", "coverage_table"), title, listed, pd.DataFrame(table))


def scorecard_layer(result: RunResult, lang: Lang) -> Layer:
    """List the plan's targets and what the data say of each."""
    from careshed.report.scorecard import scorecard_table

    card = result.card
    assert card is not None
    table = scorecard_table(card, lang).reset_index()
    table = table.rename(columns={"id": "rule", "status": "binding", "unit": "measure"})
    for name in ("value", "target", "units_short", "people_short"):
        table[name] = pd.to_numeric(table[name]).astype(float)
    listed = fields(
        "rule", "theme", "title", "binding", "state", "value", "target", "measure", "value_text", "target_text", "gap_text",
        "units_short", "people_short", "clause",
    )  # fmt: skip
    title = pick(lang, f"评分卡：{card.name(lang)}", f"Scorecard: {card.name(lang)}")
    return Layer(pick(lang, "评分卡", "scorecard"), title, listed, table)


def faults_layer(result: RunResult, lang: Lang) -> Layer:
    """List everything dropped, repaired or noted in the input."""
    table = fault_table(result.faults, lang=lang).rename(columns={"people": "fault_people"})
    table["fault_people"] = table["fault_people"].astype(float)
    listed = fields("severity", "file", "sheet", "row", "column", "found", "problem", "cure", "fault_people", "code")
    return Layer(pick(lang, "问题与提示", "faults"), pick(lang, "数据问题与提示", "Faults and findings"), listed, table)
