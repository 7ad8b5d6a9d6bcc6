"""Lay out everything the page recounts from: people, sites, journeys, units, and what the plan chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from careshed.access import lineage
from careshed.maps.encode import packed, points_block
from careshed.maps.facts import first
from careshed.maps.layers import Layer, degrees, located, rows
from careshed.maps.units import units_of_tier
from careshed.maps.whatif.ground import cell_shape
from careshed.maps.whatif.packing import islet_groups, packed_neighbours, packed_pairs, packed_people
from careshed.schema import TIERS
from careshed.siting.choice import SiteMoney
from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes
    from careshed.siting import SitePlan
    from careshed.study import Study


@dataclass(frozen=True)
class Question:
    """What the page asks about."""

    study: Study
    service: str
    times: TravelTimes
    """Facilities that stand -> cells."""
    options: TravelTimes
    """Candidates -> cells."""
    plan: SitePlan | None
    money: SiteMoney
    limits: list[float]
    """Minutes that can be asked for, ascending."""
    groups: tuple[str, ...]
    lang: Lang
    switchable: bool = True
    """Whether single facilities can be switched off."""

    @property
    def start(self) -> int:
        """Place of the limit that the page opens with: the service's, else the largest below it."""
        asked = self.study.service(self.service).within_minutes
        return max((at for at, minutes in enumerate(self.limits) if minutes <= asked), default=0)


def deck(asked: Question) -> Layer:
    """Give the page's data: all that Python's own counting uses, in the same order, so that sums agree to the last bit."""
    cells = asked.study.cells
    fault, islets = islet_groups(asked.times, asked.options)
    standing = asked.times if asked.switchable else nearest_only(asked.times)
    finest, of_cell = np.unique(cells["unit"].to_numpy().astype(str), return_inverse=True)
    position = {str(code): row for row, code in enumerate(asked.study.units.index)}
    return {
        "study": asked.study.path.name,
        "name": asked.study.name,
        "service": asked.service,
        "limits": [float(f"{minutes:.6g}") for minutes in asked.limits],
        "marks": [asked.limits.index(float(one)) for one in _marks(asked)],
        "start": asked.start,
        "groups": [
            {"id": group, "name": group_name(group, asked.lang)} | packed_people(cells[group].to_numpy(dtype=float))
            for group in asked.groups
        ],
        "unit": packed(of_cell.astype(np.int64)),
        "above": [[position[code] for code in lineage(str(name), asked.study.units)] for name in finest],
        "units": _units(asked.study, asked.lang),
        "fault": packed(fault),
        "islets": islets,
        "points": points_block(np.asarray(degrees(cells).geometry.array, dtype=object)),
        "shape": cell_shape(cells, asked.study.population.grid),
        "sites": _sites(asked, position),
        "standing": len(asked.times.facilities),
        "switchable": asked.switchable,
        "pairs": packed_pairs([standing, asked.options], asked.limits),
        "near": packed_neighbours(cells),
        "plan": _plan(asked, position),
    }


def _marks(asked: Question) -> list[float]:
    """Limits of the service that the page offers by a button of their own."""
    service = asked.study.service(asked.service)
    told = sorted({float(one) for one in (*service.minutes, service.within_minutes)})
    return [one for one in told if one in asked.limits]


def nearest_only(times: TravelTimes) -> TravelTimes:
    """Keep of every cell the way to its nearest facility alone: enough while all facilities are open."""
    cell = np.flatnonzero((times.nearest_cost >= 0) & (times.nearest_cost <= times.limit))
    cell = cell[np.argsort(times.nearest_facility[cell], kind="stable")]
    counts = np.bincount(times.nearest_facility[cell], minlength=len(times.facilities))
    return replace(
        times,
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        indices=cell.astype(np.int32),
        cost=times.nearest_cost[cell].astype(np.uint32),
    )


def _units(study: Study, lang: Lang) -> dict[str, object]:
    """Units in the order of the study, each with its tier and its place in the drawn layer of that tier (-1: not drawn)."""
    drawn = {code: place for tier in (1, 2, 3) for place, code, _ in units_of_tier(study.units, tier)}
    listed = rows(study.units)
    return {
        "names": [first(row, "name") or str(code) for code, row in listed],
        "levels": [level_name(first(row, "level"), lang) for _, row in listed],
        "tiers": [TIERS.get(first(row, "level"), 0) for _, row in listed],
        "places": [drawn.get(str(code), -1) for code, _ in listed],
    }


def _sites(asked: Question, position: dict[str, int]) -> dict[str, object]:
    """Facilities first, then candidates: ids, names, where they lie, what they cost."""
    units = asked.study.units
    names = {str(code): str(name) for code, name in units["name"].items()}
    parts = [(asked.times, "type"), (asked.options, "kind")]
    listed = [(str(key), row, kind) for times, kind in parts for key, row in rows(times.facilities)]
    money = asked.money.table
    blank: list[float | None] = [None] * len(asked.times.facilities)
    return {
        "ids": [key for key, _, _ in listed],
        "names": [first(row, "name") or key for key, row, _ in listed],
        "kinds": [first(row, kind) for _, row, kind in listed],
        "where": [names.get(first(row, "unit"), "") for _, row, _ in listed],
        "units": [[position[code] for code in lineage(first(row, "unit"), units)] for _, row, _ in listed],
        "cost": blank + _yuan(money["cost_yuan"].to_numpy(dtype=float)),
        "net": blank + _yuan(money["net_yuan"].to_numpy(dtype=float)),
        "apart": [int(fault != "") for times, _ in parts for fault in times.facility_fault],
        "points": _points([times.facilities for times, _ in parts]),
    }


def _yuan(values: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float | None]:
    return [None if np.isnan(value) else int(value) for value in values]


def _points(tables: Sequence[GeoDataFrame]) -> Layer:
    """Pack where the sites lie; a site without a place keeps its turn and is not drawn."""
    shown = [np.asarray(degrees(table).geometry.array, dtype=object) for table in tables]
    here = [[name in set(located(table).index) for name in table.index] for table in tables]
    return {"at": points_block(np.concatenate(shown)), "drawn": [int(one) for part in here for one in part]}


def _plan(asked: Question, position: dict[str, int]) -> dict[str, object] | None:
    """What the plan chose, and what it proved for whom, within which limit and by which rules."""
    plan, units = asked.plan, asked.study.units
    if plan is None or not plan.n_asked or not plan.people_total > 0:
        return None  # a question about nobody, or about no site, proves nothing
    first_option = len(asked.times.facilities)
    at = {str(name): first_option + row for row, name in enumerate(asked.options.facilities.index)}
    codes = [code for code in plan.units_without_before if code in position]
    levels = dict.fromkeys(str(units.at[code, "level"]) for code in codes)
    budget = asked.study.service(asked.service).budget_yuan
    return {
        "sites": [at[str(name)] for name in plan.sites.index if str(name) in at],
        "group": plan.group,
        "minutes": plan.limit_minutes,
        "asked": plan.n_asked,
        "value": plan.people_covered_after,
        "bound": plan.bound,
        "people": plan.people_total,
        "levels": pick(asked.lang, "、", ", ").join(level_name(level, asked.lang) for level in levels),
        "units": [position[code] for code in codes],
        "left": len([code for code in plan.units_without_after if code in position]),
        "budget": budget,
    }
