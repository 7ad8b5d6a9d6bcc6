"""Run the whole chain of demand: ages, priority groups, refinement, then every later year, with one account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from careshed.demand.ages import People, ages_from_shares, ages_of_columns
from careshed.demand.calibrating import fit_ages
from careshed.demand.growth import ALL, Growth, GrowthRate, Projected, Scenario, StatedTotals, project_people
from careshed.demand.housing import add_housing
from careshed.demand.inputs import DemandInputs, read_demand
from careshed.demand.ledger import Ledger
from careshed.demand.matching import match_units
from careshed.demand.overlay import cell_areas, pixels_of
from careshed.demand.priority import add_priority_groups, weigh_demand
from careshed.demand.refining import STREET_WEIGHTS, Refined, refine_to_buildings, refine_to_streets
from careshed.demand.refusing import refuse
from careshed.intake.units.placing import finest_unit
from careshed.schema import Fault, Grid, InputError, Population, file_label
from careshed.settings.demand import AgesSection, DemandSection, HousingSection, PrioritySection, RefineSection, ScenarioSection

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries

    from careshed.network import Network
    from careshed.settings.sections import FileSection


@dataclass(frozen=True)
class Demand:
    """People of today and of later years, ready for travel times; and how they came about."""

    cells: GeoDataFrame
    """People of today, refined where the study asks for it."""
    coarse: GeoDataFrame
    """The same people before they were refined."""
    years: tuple[Projected, ...]
    """People of later years, one for each scenario and year, in the order stated."""
    refined: Refined | None
    """Where the people of coarse cells went, None without refinement."""
    ledger: Ledger
    """Account of every step up to today's cells; later years carry their own."""
    faults: tuple[Fault, ...]


def prepare_demand(
    population: Population,
    units: GeoDataFrame,
    settings: DemandSection,
    *,
    folder: Path,
    network: Network | None = None,
    ways: pd.DataFrame | None = None,
    areas: GeoSeries | None = None,
    inputs: DemandInputs | None = None,
) -> Demand:
    """Take a population through every step that the study asks for, and lose nobody.

    Parameters
    ----------
    population
        Cells with ``unit``, in the study's CRS.
    folder
        Folder that the study's paths are relative to.
    network, ways
        Streets to refine to, and ``Streets.ways`` with their classes.
    areas
        The ground of each cell, where people come from polygons; else it is a pixel of the grid or a square of ``size_m``.
    inputs
        The files of `settings` as `careshed.demand.read_demand` gives them; read from `folder` if left out.

    Raises
    ------
    careshed.schema.InputError
        With the faults of the first step that cannot be done.
    ValueError
        If refinement to streets is asked for and `network` is not given.
    """
    inputs = _matched(inputs or read_demand(settings, folder=folder, crs=str(population.cells.crs)), units, settings)
    now = People(population.cells, Ledger(), inputs.faults)
    if settings.ages is not None:
        now = _joined(now, _with_ages(now.cells, units, settings.ages, inputs.ages))
    if settings.priority is not None and inputs.priority is not None:
        now = _joined(now, _with_priority(now.cells, units, settings.priority, inputs.priority))
    coarse, refined = now.cells, None
    if settings.refine is not None:
        ground = _ground(coarse, population.grid, settings.refine, areas)
        refined = _refined(coarse, ground, settings.refine, inputs.buildings, network, ways)
        placed = refined.cells.assign(unit=finest_unit(refined.cells, units))
        now = _joined(now, People(placed, refined.ledger, refined.faults))
    grid = population.grid if refined is None else None
    totals = inputs.totals or ({},) * len(settings.scenario)
    years = tuple(
        _on_grid(later, now.cells, grid)
        for scenario, stated in zip(settings.scenario, totals, strict=True)
        for later in _later(now.cells, units, scenario, stated, settings, inputs.housing)
    )
    return Demand(_weighed(now.cells, settings), _weighed(coarse, settings), years, refined, now.ledger, now.faults)


def _matched(inputs: DemandInputs, units: GeoDataFrame, settings: DemandSection) -> DemandInputs:
    """Give the rows of every table by unit the codes of the study's units; what no table answers to is told at once."""
    faults: list[Fault] = []

    def matched(table: pd.DataFrame | None, section: FileSection | None) -> pd.DataFrame | None:
        if table is None or section is None:
            return table
        try:
            found = match_units(table, units, file=file_label(section.file))
        except InputError as error:
            faults.extend(error.faults)
            return table
        faults.extend(found.faults)
        return found.table

    stated = zip(settings.scenario, inputs.totals, strict=bool(inputs.totals))
    made = replace(
        inputs,
        ages=matched(inputs.ages, settings.ages.table if settings.ages else None),
        priority=matched(inputs.priority, settings.priority),
        totals=tuple(
            {year: one for year, table in totals.items() if (one := matched(table, scenario.totals[year])) is not None}
            for scenario, totals in stated
        ),
    )
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    return replace(made, faults=(*inputs.faults, *faults))


def _joined(before: People, after: People) -> People:
    return People(after.cells, before.ledger + after.ledger, (*before.faults, *after.faults))


def _with_ages(cells: GeoDataFrame, units: GeoDataFrame, ages: AgesSection, table: pd.DataFrame | None) -> People:
    now = ages_of_columns(cells, groups=ages.groups) if ages.classes else People(cells, Ledger())
    if ages.shares:
        now = _joined(now, ages_from_shares(now.cells, ages.shares))
    if ages.table is None or table is None:
        return now
    fitted = fit_ages(now.cells, table, units=units, differ=ages.differ, file=file_label(ages.table.file))
    return _joined(now, People(fitted.cells, fitted.ledger, fitted.faults))


def _with_priority(cells: GeoDataFrame, units: GeoDataFrame, priority: PrioritySection, counts: pd.DataFrame) -> People:
    return add_priority_groups(cells, counts, by=priority.by, units=units, file=file_label(priority.file))


def _ground(cells: GeoDataFrame, grid: Grid | None, refine: RefineSection, areas: GeoSeries | None) -> GeoSeries:
    """Decide the ground of each cell: as given, squares of a stated size, or pixels of the grid."""
    if areas is not None:
        return areas
    if refine.size_m is None and grid is None:
        told = ("点表人口没有格网，无法知道单元格的大小", "people come from a table of points, whose cells have no known size")
        raise refuse("no_cell_size", told, ("请写 size_m（米），如 250。", "State size_m in metres, such as 250."))
    return cell_areas(cells, size_m=refine.size_m) if refine.size_m else cell_areas(cells, grid=grid)


def _refined(
    cells: GeoDataFrame,
    areas: GeoSeries,
    refine: RefineSection,
    buildings: GeoDataFrame | None,
    network: Network | None,
    ways: pd.DataFrame | None,
) -> Refined:
    if refine.onto == "streets":
        if network is None:
            raise ValueError("refinement to streets needs the network; give network=")
        weights = refine.weights or STREET_WEIGHTS
        return refine_to_streets(cells, network, areas, ways=ways, step_m=refine.step_m, weights=weights)
    if buildings is None:
        told = ("细分到建筑需要建筑数据", "refinement to buildings needs the buildings")
        cure = ("请写 [demand.refine.buildings] 的 file。", "State file in [demand.refine.buildings].")
        raise refuse("no_buildings_stated", told, cure)
    return refine_to_buildings(cells, buildings, areas)


def _later(
    cells: GeoDataFrame,
    units: GeoDataFrame,
    section: ScenarioSection,
    totals: Mapping[int, pd.DataFrame],
    settings: DemandSection,
    housing: GeoDataFrame | None,
) -> list[Projected]:
    """Bring today's cells to every year of a scenario: growth first, then housing that is ready by then."""
    by = _growth(section, totals)
    found = []
    for year in section.years:
        scenario = Scenario(section.name_zh, section.name_en or section.name_zh, section.source, year, section.base_year)
        people: People = project_people(cells, by, scenario, units=units)
        if settings.housing is not None and housing is not None:
            people = _joined(people, _with_housing(people.cells, units, settings.housing, housing, year))
        found.append(Projected(_weighed(people.cells, settings), people.ledger, people.faults, scenario))
    return found


def _growth(section: ScenarioSection, totals: Mapping[int, pd.DataFrame]) -> Growth:
    if section.rate:
        return GrowthRate(pd.DataFrame([section.rate], index=[ALL]))
    if not totals:
        told = (f"情景“{section.name_zh}”没有增长率也没有总数", f"scenario {section.name_zh} states neither a rate nor totals")
        raise refuse("nothing_stated", told, ("请写 rate 或 totals。", "State rate or totals."))
    return StatedTotals(totals)


def _with_housing(cells: GeoDataFrame, units: GeoDataFrame, section: HousingSection, housing: GeoDataFrame, year: int) -> People:
    added = add_housing(cells, housing, year=year, since=section.since, shares=section.shares or None)
    fresh = ~added.cells.index.isin(cells.index)
    placed = added.cells.copy()
    placed.loc[fresh, "unit"] = finest_unit(placed[fresh], units)
    nowhere = placed[fresh & (placed["unit"] == "")]
    return People(placed, added.ledger, (*added.faults, *_housing_nowhere(nowhere, units, file_label(section.file))))


def _housing_nowhere(places: GeoDataFrame, units: GeoDataFrame, file: str) -> list[Fault]:
    """Say which new housing lies beyond the units: its people count, but in no unit, and may be there by a wrong coordinate."""
    if places.empty or units.geometry.isna().all():
        return []
    people = float(places["total"].sum())
    zh = f"{len(places)} 处新增住宅（{people:,.0f} 人）不在任何单元内，计入总数而不计入单元"
    en = f"{len(places)} place(s) of new housing ({people:,.0f} people) lie in no unit; they count in the whole, but in no unit"
    cure = ("请核对坐标。", "Check their coordinates.")
    return [Fault("housing_outside_units", file, zh, en, *cure, severity="noted", people=people)]


def _on_grid(later: Projected, now: GeoDataFrame, grid: Grid | None) -> Projected:
    """Give new cells of a later year the pixel they lie in, so that they can be painted like the others."""
    fresh = ~later.cells.index.isin(now.index)
    if grid is None or not fresh.any():
        return later
    cells = later.cells.copy()
    cells.loc[fresh, "row"], cells.loc[fresh, "col"] = pixels_of(cells.geometry[fresh], grid)
    return replace(later, cells=cells)


def _weighed(cells: GeoDataFrame, settings: DemandSection) -> GeoDataFrame:
    if settings.priority is None or not settings.priority.weights:
        return cells
    return weigh_demand(cells, settings.priority.weights)
