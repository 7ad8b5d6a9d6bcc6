"""Run the whole chain of demand: ages, priority groups, refinement, then every later year, with one account."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from careshed.demand.ages import People, ages_from_shares, ages_of_columns
from careshed.demand.calibrating import fit_ages
from careshed.demand.growth import ALL, Growth, GrowthRate, Projected, Scenario, StatedTotals, project_people
from careshed.demand.housing import add_housing, read_housing
from careshed.demand.ledger import Ledger
from careshed.demand.margins import read_margins
from careshed.demand.overlay import cell_areas
from careshed.demand.priority import add_priority_groups, weigh_demand
from careshed.demand.refining import STREET_WEIGHTS, Refined, refine_to_buildings, refine_to_streets
from careshed.demand.refusing import refuse
from careshed.intake.units.placing import finest_unit
from careshed.schema import Checked, Fault, Grid, Population, file_label
from careshed.settings.demand import AgesSection, DemandSection, PrioritySection, RefineSection, ScenarioSection

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries

    from careshed.network import Network
    from careshed.settings.sections import FileSection


@dataclass(frozen=True)
class Demand:
    """People of today and of later years, ready for travel times; and how they came about."""

    cells: GeoDataFrame
    """People of today, refined where the study asks for it."""
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

    Raises
    ------
    careshed.schema.InputError
        With the faults of the first step that cannot be done.
    ValueError
        If refinement to streets is asked for and `network` is not given.
    """
    now = People(population.cells, Ledger())
    if settings.ages is not None:
        now = _joined(now, _with_ages(now.cells, units, settings.ages, folder))
    if settings.priority is not None:
        now = _joined(now, _with_priority(now.cells, units, settings.priority, folder))
    refined = None
    if settings.refine is not None:
        refined = _refined(
            now.cells, _ground(now.cells, population.grid, settings.refine, areas), settings.refine, folder, network, ways
        )
        placed = refined.cells.assign(unit=finest_unit(refined.cells, units))
        now = _joined(now, People(placed, refined.ledger, refined.faults))
    years = tuple(later for scenario in settings.scenario for later in _later(now.cells, units, scenario, settings, folder))
    return Demand(_weighed(now.cells, settings), years, refined, now.ledger, now.faults)


def _joined(before: People, after: People) -> People:
    return People(after.cells, before.ledger + after.ledger, (*before.faults, *after.faults))


def _with_ages(cells: GeoDataFrame, units: GeoDataFrame, ages: AgesSection, folder: Path) -> People:
    now = ages_of_columns(cells, groups=ages.groups) if ages.classes else People(cells, Ledger())
    if ages.shares:
        now = _joined(now, ages_from_shares(now.cells, ages.shares))
    if ages.table is None:
        return now
    read = _margins(folder, ages.table, ages.groups)
    fitted = fit_ages(now.cells, read.table, units=units, differ=ages.differ, file=file_label(ages.table.file))
    return _joined(now, People(fitted.cells, fitted.ledger, (*read.faults, *fitted.faults)))


def _with_priority(cells: GeoDataFrame, units: GeoDataFrame, priority: PrioritySection, folder: Path) -> People:
    columns = {**{name: name for name in priority.by}, **priority.columns}
    read = read_margins(folder / priority.file, sheet=priority.sheet, layer=priority.layer, columns=columns)
    spread = add_priority_groups(cells, read.table, by=priority.by, units=units, file=file_label(priority.file))
    return People(spread.cells, spread.ledger, (*read.faults, *spread.faults))


def _margins(folder: Path, section: FileSection, groups: tuple[str, ...] = ()) -> Checked[pd.DataFrame]:
    return read_margins(folder / section.file, sheet=section.sheet, layer=section.layer, columns=section.columns, groups=groups)


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
    folder: Path,
    network: Network | None,
    ways: pd.DataFrame | None,
) -> Refined:
    from careshed.intake.population import read_buildings

    if refine.onto == "streets":
        if network is None:
            raise ValueError("refinement to streets needs the network; give network=")
        weights = refine.weights or STREET_WEIGHTS
        return refine_to_streets(cells, network, areas, ways=ways, step_m=refine.step_m, weights=weights)
    if refine.buildings is None:
        told = ("细分到建筑需要建筑数据", "refinement to buildings needs the buildings")
        cure = ("请写 [demand.refine.buildings] 的 file。", "State file in [demand.refine.buildings].")
        raise refuse("no_buildings_stated", told, cure)
    section = refine.buildings
    read = read_buildings(
        folder / section.file,
        crs_out=str(cells.crs),
        layer=section.layer,
        columns=section.columns,
        crs=section.crs,
        datum=section.datum,
        storeys_unknown=refine.storeys_unknown,
    )
    done = refine_to_buildings(cells, read.table, areas)
    return Refined(done.cells, done.source, done.at_centre, done.ledger, (*read.faults, *done.faults))


def _later(
    cells: GeoDataFrame, units: GeoDataFrame, section: ScenarioSection, settings: DemandSection, folder: Path
) -> list[Projected]:
    """Bring today's cells to every year of a scenario: growth first, then housing that is ready by then."""
    by = _growth(section, folder)
    found = []
    for year in section.years:
        scenario = Scenario(section.name_zh, section.name_en or section.name_zh, section.source, year, section.base_year)
        grown = project_people(cells, by, scenario, units=units)
        people = _joined(grown, _with_housing(grown.cells, units, settings, year, folder)) if settings.housing else grown
        found.append(Projected(_weighed(people.cells, settings), people.ledger, people.faults, scenario))
    return found


def _growth(section: ScenarioSection, folder: Path) -> Growth:
    if section.rate:
        return GrowthRate(pd.DataFrame([section.rate], index=[ALL]))
    if not section.totals:
        told = (f"情景“{section.name_zh}”没有增长率也没有总数", f"scenario {section.name_zh} states neither a rate nor totals")
        raise refuse("nothing_stated", told, ("请写 rate 或 totals。", "State rate or totals."))
    return StatedTotals({year: _margins(folder, table).table for year, table in section.totals.items()})


def _with_housing(cells: GeoDataFrame, units: GeoDataFrame, settings: DemandSection, year: int, folder: Path) -> People:
    section = settings.housing
    if section is None:
        return People(cells, Ledger())
    read = read_housing(
        folder / section.file,
        crs_out=str(cells.crs),
        sheet=section.sheet,
        crs=section.crs,
        datum=section.datum,
        household_size=section.household_size,
    )
    added = add_housing(cells, read.table, year=year, since=section.since, shares=section.shares or None)
    fresh = ~added.cells.index.isin(cells.index)
    placed = added.cells.copy()
    placed.loc[fresh, "unit"] = finest_unit(placed[fresh], units)
    return People(placed, added.ledger, (*read.faults, *added.faults))


def _weighed(cells: GeoDataFrame, settings: DemandSection) -> GeoDataFrame:
    if settings.priority is None or not settings.priority.weights:
        return cells
    return weigh_demand(cells, settings.priority.weights)
