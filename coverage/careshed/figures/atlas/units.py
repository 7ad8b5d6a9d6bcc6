"""Draw one sheet for each street or township (分图则): what it has, what is planned, who is in reach, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from careshed.figures.atlas.sheet import Atlas, Column, Title, map_sheet
from careshed.figures.frame import percent, several
from careshed.figures.furniture import Entry
from careshed.figures.ground import View, areas, draw_ground, draw_units, label, located, name_units
from careshed.figures.layers import draw_facilities, draw_sites, paint_cells
from careshed.figures.maps import ground_entries
from careshed.figures.plans import Change, change_of
from careshed.maps.layers import TEALS, ramp
from careshed.maps.text import count
from careshed.schema import TIERS
from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.figure import Figure

    from careshed.run import RunResult, ServiceResult
    from careshed.siting.studying import StudyPlan

SERVICE_COLOURS: Final = ("#0072b2", "#b3500a", "#00694f", "#8f2f6f", "#7a5c00", "#3a6f8f")
"""One a service, after Okabe and Ito (2008), dark enough for white letters."""

MARKERS: Final = ("o", "s", "^", "D", "v", "P")

CLOSE: Final = 0.06
"""Ground shown around a unit, as a share of its size."""


@dataclass(frozen=True)
class Sited:
    """One service with what is planned for it."""

    one: ServiceResult
    change: Change
    source: str
    """Where the sites come from: the plan's name, or the ranking of the run."""
    letter: str
    colour: str
    marker: str


def sited_services(atlas: Atlas, result: RunResult, services: tuple[ServiceResult, ...]) -> tuple[Sited, ...]:
    """Give every service the sites that its unit sheets show: of the first plan that serves it, else those ranked by the run."""
    found = []
    for place, one in enumerate(services):
        what = source_of(result, one)
        change = change_of(atlas.study, what, atlas.lang)
        at = place % len(SERVICE_COLOURS)
        found.append(Sited(one, change, change.name, chr(ord("A") + place % 26), SERVICE_COLOURS[at], MARKERS[at]))
    return tuple(found)


def source_of(result: RunResult, one: ServiceResult) -> ServiceResult | StudyPlan:
    """Choose what a service's sites are taken from."""
    plans = (plan for plan in result.plans if plan.plan.objective.demands[0].service == one.service.id)
    return next(plans, one)


def unit_ids(atlas: Atlas) -> list[str]:
    """Streets and townships that have an outline, in the order of the study's list."""
    units = atlas.study.units
    return [str(unit) for unit in located(units[units["level"].map(TIERS) == 2]).index]


def unit_sheet(atlas: Atlas, title: Title, unit: str, services: tuple[Sited, ...], numbers: pd.Series[int]) -> Figure:
    """Draw one street or township: facilities by their number in the annex, sites, and how many services people reach.

    Parameters
    ----------
    numbers
        Facility id -> number in the annex.
    """
    study, lang = atlas.study, atlas.lang
    shape = study.units.geometry.loc[unit]
    with map_sheet(atlas, title, _around(shape)) as (view, column):
        painted = _paint_reached(view, services)
        draw_ground(view, streets=1.3)
        _dim_outside(view, shape)
        draw_units(view, study.units, tiers=(3,))
        areas(view, [shape], zorder=3.7, facecolor="none", edgecolor="#3c4a54", linewidth=1.6)
        entries = []
        for sited in services:
            entries += _places(view, sited, numbers)
        name_units(view, study.units, 3, times=0.95, colour="#4a545d")
        _neighbours(view, unit)
        column.figures = [_figure(atlas, unit, services)]
        column.table, column.table_head = _numbers(atlas, unit, services), pick(lang, "本单元指标", "In this unit")
        head = pick(lang, "设施（数字见附表 1）与点位", "Facilities (numbers as in annex 1) and sites")
        column.entries = several(entries, head) + several(painted, _painted_head(services, lang))
        column.entries += several(ground_entries(study, lang, water=False)[-1:], pick(lang, "底图", "Ground"))
        _list(atlas, unit, services, numbers, column)
    return view.page.figure


def _around(shape: object) -> tuple[float, float, float, float]:
    west, south, east, north = shapely.bounds(shape)
    pad = CLOSE * max(east - west, north - south, 1.0)
    return float(west - pad), float(south - pad), float(east + pad), float(north + pad)


def _paint_reached(view: View, services: tuple[Sited, ...]) -> list[Entry]:
    """Paint how many of the services the people of each cell reach within their limits."""
    cells, lang = view.ground.study.cells, view.page.lang
    groups = list(dict.fromkeys(sited.one.service.group for sited in services))
    lived = cells[groups].to_numpy(dtype=float).max(axis=1) > 0
    reached: NDArray[np.int_] = np.zeros(len(cells), dtype=int)
    for sited in services:
        reached += sited.one.times.reached(minutes=sited.one.service.within_minutes)
    most = len(services)
    colours = ["#f4cdb3", *ramp(tuple(reversed(TEALS[1:4])), most)]
    paint_cells(view, np.where(lived, reached + 1, 0), colours)
    names = [pick(lang, "都到不了", "none"), *(str(number) for number in range(1, most + 1))]
    if most == 1:
        names = [pick(lang, "不可达", "out of reach"), pick(lang, "可达", "in reach")]
    return [Entry("fill", name, colour) for name, colour in zip(names, colours, strict=True)]


def _painted_head(services: tuple[Sited, ...], lang: Lang) -> str:
    """Say what the colours of the cells count; of one service, whether it is in reach."""
    if len(services) > 1:
        return pick(lang, "居民可达的服务数", "Services in reach")
    limit, name = f"{services[0].one.service.within_minutes:g}", services[0].one.service.name(lang)
    return pick(lang, f"{limit} 分钟到{name}", f"{name} within {limit} min")


def _dim_outside(view: View, shape: object) -> None:
    west, south, east, north = view.bounds
    areas(view, [shapely.difference(shapely.box(west, south, east, north), shape)], zorder=3.0, facecolor="white", alpha=0.62,
          edgecolor="none")  # fmt: skip


def _places(view: View, sited: Sited, numbers: pd.Series[int]) -> list[Entry]:
    """Draw a service's facilities with their numbers, and its planned sites."""
    lang = view.page.lang
    facilities = view.ground.study.facilities(sited.one.service.id)
    inside = located(facilities)
    west, south, east, north = view.bounds
    inside = inside.cx[west:east, south:north]
    entries = []
    name = sited.one.service.name(lang)
    if len(inside):
        draw_facilities(view, inside, name, size=0.85, colour=sited.colour, marker=sited.marker)
        for key, point in zip(inside.index, inside.geometry, strict=True):
            spot = shapely.centroid(point)
            label(view, (spot.x, spot.y), str(numbers[key]), 0.85, colour=sited.colour, bold=True, beside=1.95)
    entries.append(Entry("dot", name, sited.colour, marker=sited.marker))
    sites = sited.change.sites
    if len(sites):
        labels = [f"{sited.letter}{number}" for number in sited.change.numbers]
        draw_sites(view, sites, labels, name, colours=[sited.colour] * len(sites), size=1.9)
        entries.append(Entry("pin", f"{name}：{sited.source}" if lang == "zh" else f"{name}: {sited.source}", sited.colour,
                             detail="", marker="o", letter=sited.letter))  # fmt: skip
    return entries


def _neighbours(view: View, unit: str) -> None:
    """Name the units around, quietly."""
    units = view.ground.study.units
    others = located(units[(units["level"].map(TIERS) == 2) & (units.index != unit)])
    west, south, east, north = view.bounds
    for shape, name in zip(others.geometry, others["name"], strict=True):
        part = shapely.clip_by_rect(shape, west, south, east, north)
        if not part.is_empty:
            spot = shapely.point_on_surface(part)
            label(view, (spot.x, spot.y), str(name), 1.1, colour="#7b868f", around=4)


def _figure(atlas: Atlas, unit: str, services: tuple[Sited, ...]) -> tuple[str, str]:
    row, lang = atlas.study.units.loc[unit], atlas.lang
    told = pick(
        lang, f"{level_name(str(row['level']), lang)}，代码 {unit}", f"{level_name(str(row['level']), lang)}, code {unit}"
    )
    groups = list(dict.fromkeys(sited.one.service.group for sited in services))
    people = [f"{group_name(group, lang)} {count(_people(services, unit, group))}{pick(lang, ' 人', '')}" for group in groups]
    return f"{told}{pick(lang, '；', '; ')}{pick(lang, '，', ', ').join(people)}", str(row["name"])


def _people(services: tuple[Sited, ...], unit: str, group: str) -> float:
    for sited in services:
        covered = sited.one.covered
        rows = covered[(covered.index == unit) & (covered["group"] == group)]
        if len(rows):
            return float(rows["people"].iloc[0])
    return 0.0


def _numbers(atlas: Atlas, unit: str, services: tuple[Sited, ...]) -> list[list[str]]:
    """Table of the unit: by service facilities, people, share today and planned, new sites."""
    lang = atlas.lang
    head = pick(lang, "服务,设施,现状,建成后,新增点位", "service,sites,now,then,new").split(",")
    rows = [head]
    inside = units_below(atlas.study.units, unit)
    for sited in services:
        facilities = atlas.study.facilities(sited.one.service.id)
        here = int(facilities["unit"].isin(inside).sum())
        new = int(sited.change.sites["unit"].isin(inside).sum())
        table = sited.change.units
        figures = next(iter(table[table.index == unit].to_dict("records")), None)
        shares = ["–", "–"] if figures is None else [percent(float(figures[name]), float(figures["people"])) for name in
                                                    ("before", "after")]  # fmt: skip
        rows.append([sited.one.service.name(lang), str(here), *shares, str(new)])
    return rows


def units_below(units: GeoDataFrame, unit: str) -> list[str]:
    """Codes of a unit and of all units within it."""
    found, wave = [unit], [unit]
    while wave:
        wave = [str(code) for code in units.index[units["parent"].isin(wave)] if str(code) not in found]
        found += wave
    return found


def _list(atlas: Atlas, unit: str, services: tuple[Sited, ...], numbers: pd.Series[int], column: Column) -> None:
    """List the unit's sites and facilities by their marks on the map."""
    lang, inside = atlas.lang, units_below(atlas.study.units, unit)
    lines = []
    for sited in services:
        sites = sited.change.sites
        for number, name, code in zip(sited.change.numbers, sites["name"], sites["unit"], strict=True):
            if code in inside:
                lines.append(f"{sited.letter}{number}  {name}")
    for sited in services:
        facilities = atlas.study.facilities(sited.one.service.id)
        here = facilities[facilities["unit"].isin(inside)]
        lines += [f"{numbers[key]}  {name}" for key, name in zip(here.index, here["name"], strict=True)]
    column.lines_head, column.lines = pick(lang, "本单元点位与设施", "Sites and facilities here"), lines


def facility_numbers(services: tuple[ServiceResult, ...], atlas: Atlas) -> pd.Series[int]:
    """Number the facilities of all services, service by service, each once, as annex 1 lists them."""
    ids: list[str] = []
    for one in services:
        ids += [str(key) for key in atlas.study.facilities(one.service.id).index if str(key) not in set(ids)]
    return pd.Series(range(1, len(ids) + 1), index=ids, dtype="int64")


def source_text(lang: Lang, services: tuple[Sited, ...]) -> str:
    """Say where the planned sites of the unit sheets come from, and by which travel and limit their shares are counted."""
    basis = [(sited, f"{sited.change.how}{pick(lang, ' ', ', ')}{sited.change.limit}") for sited in services]
    zh = "；".join(f"{sited.one.service.name(lang)}—{sited.source}（{how}）" for sited, how in basis)
    en = "; ".join(f"{sited.one.service.name(lang)}: {sited.source} ({how})" for sited, how in basis)
    shares_zh = "现状和建成后的比例按来源方案的出行方式、时限和计入的设施计算"
    shares_en = "Shares now and then go by the travel, limit and facilities that the source counts"
    return pick(lang, f"规划点位来源：{zh}。{shares_zh}", f"Planned sites: {en}. {shares_en}")
