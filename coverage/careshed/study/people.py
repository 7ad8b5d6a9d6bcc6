"""Bring the people of a study together: read them, keep those within the units, and take them through the steps of [demand]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries

from careshed.datum import Datum
from careshed.demand import Demand, DemandInputs, Ledger, Projected, prepare_demand, read_demand, spread_to_grid
from careshed.demand.ledger import groups_in
from careshed.demand.spans import aged
from careshed.intake.places import Bounds
from careshed.intake.population import (
    read_h3_table,
    read_population_areas,
    read_population_buildings,
    read_population_rasters,
    read_population_table,
    read_rasters_on_grid_of,
)
from careshed.intake.population.grids import Per
from careshed.intake.units.placing import finest_unit, outside_units
from careshed.schema import Checked, Fault, InputError, Population, file_label
from careshed.settings.config import Config
from careshed.settings.demand import NO_DEMAND
from careshed.settings.population import PopulationSection
from careshed.settings.sections import FileSection
from careshed.study.model import groups_of, mode_of

if TYPE_CHECKING:
    from careshed.intake.streets import Streets
    from careshed.modes import Mode
    from careshed.network import Network

DEGREES: Final = "EPSG:4326"
"""What people are read into while the study's own CRS waits for them."""

EQUAL_AREA: Final = "EPSG:6933"
"""Where floors are measured meanwhile: it keeps areas everywhere."""

_DECIMALS: Final = 6
"""Decimals of a metre that areas keep, so that one brought here through degrees leaves no slivers beyond its own squares."""

_PER: Final[Mapping[str, Per]] = {"person": "cell", "km2": "km2", "ha": "ha"}
"""What the study calls a unit of density -> what the readers call it."""


@dataclass(frozen=True)
class Peopled:
    """People as their files hold them."""

    population: Population
    areas: GeoSeries | None = None
    """The ground of each cell, where people come from areas."""


@dataclass(frozen=True)
class Ready:
    """People as the analysis takes them."""

    population: Population
    demand: Demand
    """With the account of people from the file on."""
    network: tuple[Mode, Network] | None
    """Streets that people were refined to, None where they were not."""
    faults: tuple[Fault, ...]


class _How(TypedDict):
    """How to read a file of people, as its section says."""

    layer: str | None
    columns: dict[str, str]
    crs: str | None
    datum: Datum | None


def _how(section: FileSection) -> _How:
    return _How(layer=section.layer, columns=section.columns, crs=section.crs, datum=section.datum)


def read_people(folder: Path, section: PopulationSection, *, crs_out: str, within: Bounds | None) -> Checked[Peopled]:
    """Read the population from the one kind of source that the study names.

    Cells in which a group holds more people than all residents are told.

    Parameters
    ----------
    crs_out
        CRS of the cells; may be in degrees while the study's own is not known.
    within
        Bounds of the units; where only people within units count, rasters are read no further.

    Raises
    ------
    careshed.schema.InputError
        With every fault of the files.
    """
    read = _source(folder, section, crs_out, within)
    told = any(fault.code == _EXCEEDS for fault in read.faults)
    return read if told else Checked(read.table, (*read.faults, *_exceeding(read.table.population.cells, section)))


def _source(folder: Path, section: PopulationSection, crs_out: str, within: Bounds | None) -> Checked[Peopled]:
    if section.rasters:
        return _rasters(folder, section, crs_out, within if section.clip else None)
    if section.table is not None:
        table = section.table
        read = read_population_table(folder / table.file, crs_out=crs_out, sheet=table.sheet, **_how(table))
        return Checked(Peopled(read.table), read.faults)
    areas = _areas(folder, section, crs_out)
    return Checked(_of_areas(areas.table), areas.faults)


_EXCEEDS: Final = "group_exceeds_total"


def _exceeding(cells: GeoDataFrame, section: PopulationSection) -> list[Fault]:
    """Say where a group of an age holds more people than all residents: one of the two is wrong."""
    if "total" not in cells:
        return []
    total = cells["total"].to_numpy(dtype=float)
    file = section.table or section.polygons or section.h3
    faults = []
    for group in (name for name in aged(groups_in(cells))[0] if name != "total"):
        over = np.clip(cells[group].to_numpy(dtype=float) - total, 0.0, None)
        count, people = int((over > 1e-6 * np.maximum(1.0, total)).sum()), float(over.sum())
        if count:
            label = file_label(file.file if file is not None else section.rasters.get(group, "study.toml"))
            zh = f"{count} 个单元格的 {group} 多于 total（共多 {people:,.1f} 人）：请核对两列"
            en = f"{count} cell(s) hold more of {group} than of total ({people:,.1f} people more): check both"
            faults.append(Fault(_EXCEEDS, label, zh, en, severity="noted", people=people))
    return faults


def _rasters(folder: Path, section: PopulationSection, crs_out: str, within: Bounds | None) -> Checked[Peopled]:
    files = {group: folder / file for group, file in section.rasters.items()}
    per = _PER[section.per]
    if section.grid_of is None or section.grid_of not in files:
        read = read_population_rasters(files, crs_out=crs_out, per=per, merge=section.merge, area=within)
    else:
        read = read_rasters_on_grid_of(files, section.grid_of, crs_out=crs_out, per=per, merge=section.merge, area=within)
    return Checked(Peopled(read.table), read.faults)


def _areas(folder: Path, section: PopulationSection, crs_out: str) -> Checked[GeoDataFrame]:
    if section.h3 is not None:
        one = section.h3
        return read_h3_table(folder / one.file, crs_out=crs_out, sheet=one.sheet, columns=one.columns)
    if section.polygons is not None:
        zones = section.polygons
        return read_population_areas(
            folder / zones.file, crs_out=crs_out, sheet=zones.sheet, per=_PER[section.per], **_how(zones)
        )
    if section.buildings is None:
        raise InputError([])
    homes, metres = section.buildings, EQUAL_AREA if crs_out == DEGREES else crs_out
    return read_population_buildings(
        folder / homes.file,
        crs_out=metres,
        m2_per_person=homes.m2_per_person,
        storeys_unknown=homes.storeys_unknown,
        **_how(homes),
    )


def _of_areas(areas: GeoDataFrame) -> Peopled:
    """Put the people of each area on a point within it; areas without people are left out."""
    groups = groups_in(areas)
    filled = areas[(areas[groups] > 0).any(axis=1)]
    points = filled.geometry.representative_point()
    cells = GeoDataFrame(pd.DataFrame(filled[groups]), geometry=points.to_numpy(), crs=areas.crs)
    return Peopled(Population(cells, None), filled.geometry)


def clip_faults(path: Path, config: Config, units: GeoDataFrame | None) -> list[Fault]:
    """Refuse to keep only people within units that have no outlines."""
    if not config.population.clip or units is None or not units.geometry.isna().all():
        return []
    told = ("单元没有边界，无法只取单元内的人口", "[population] clip needs units with outlines, and these have none")
    cure = ("请提供带边界的单元图层，或删去 clip。", "Give a layer of units with polygons, or leave clip out.")
    return [Fault("clip_without_outlines", file_label(path), *told, *cure)]


def read_inputs(folder: Path, config: Config, crs: str) -> Checked[DemandInputs]:
    """Read the files of [demand], all faults at once."""
    inputs = read_demand(config.demand or NO_DEMAND, folder=folder, crs=crs)
    return Checked(inputs, inputs.faults)


def prepare_people(
    peopled: Peopled,
    units: GeoDataFrame,
    streets: Streets,
    *,
    crs: str,
    config: Config,
    inputs: DemandInputs,
) -> Ready:
    """Give people their units, their ages and their places, with an account of everybody.

    Parameters
    ----------
    units
        In `crs`, the study's own.
    inputs
        The files of [demand], read.

    Raises
    ------
    careshed.schema.InputError
        If a step of [demand] cannot be done with these files.
    """
    read = peopled.population.cells
    ledger = Ledger().add(("读入人口", "read"), pd.DataFrame(index=read.index), read)
    people, areas, spread = _in_metres(peopled, crs, config.population)
    everybody, ledger = people.cells, ledger + spread
    people, faults = _in_units(people, units, config.population.clip, file_label(config.units.files[0].file))
    if areas is not None:
        areas = areas[people.cells.index]
    if config.population.clip:
        ledger = ledger.add(("只取单元内的人口", "within the units"), everybody, people.cells)
    settings = config.demand or NO_DEMAND
    onto_streets = settings.refine is not None and settings.refine.onto == "streets"
    network = _walked(streets, crs, config) if onto_streets else None
    demand = prepare_demand(
        people, units, settings, folder=Path(), network=network[1] if network else None, ways=streets.ways, areas=areas,
        inputs=inputs,
    )  # fmt: skip
    if settings.refine is None and areas is None:
        faults += _too_coarse(people.cells, units, file_label(_population_file(config.population)))
    noted = (*faults, *demand.faults[len(inputs.faults) :], *ledger_faults(demand.ledger))
    grid = people.grid if demand.refined is None else None
    years = tuple(replace(one, faults=_labelled(one)) for one in demand.years)
    demand = replace(demand, ledger=ledger + demand.ledger, years=years, faults=noted)
    return Ready(Population(demand.cells, grid), demand, network, noted)


_FEW: Final = 4.0
"""A unit of fewer cells' ground than this may hold no cell's centre, although people live in it."""


def _too_coarse(cells: GeoDataFrame, units: GeoDataFrame, file: str) -> list[Fault]:
    """Say where the grid of people is too coarse for the units: small units that no cell has its centre in count nobody."""
    from scipy.spatial import cKDTree

    if len(cells) < 2:
        return []
    xy = np.column_stack([cells.geometry.x, cells.geometry.y])
    step = float(np.median(np.asarray(cKDTree(xy).query(xy, k=2)[0])[:, 1]))
    finest = units[~units.index.isin(units["parent"]) & units.geometry.notna()]
    small = finest.geometry.area < _FEW * step**2
    empty = finest[small & ~finest.index.isin(cells["unit"])]
    if empty.empty:
        return []
    names = [f"{code} {name}" for code, name in empty["name"].head(_LISTED).items()]
    more = len(empty) > _LISTED
    zh = f"人口格网约 {step:,.0f} 米一格，对单元来说太粗：{len(finest)} 个最小单元中有 {len(empty)} 个一格也没有、人口为 0："
    en = (
        f"the grid of people, some {step:,.0f} m a cell, is too coarse for the units: {len(empty)} of the {len(finest)} smallest "
        "hold no cell and count nobody: "
    )
    zh, en = (f"{told}{comma.join(names)}{' …' if more else ''}" for told, comma in ((zh, "、"), (en, ", ")))
    cure = (
        '请在 [demand.refine] 中细分人口（onto = "streets" 或 "buildings"），或改用更细的格网。',
        'Refine people in [demand.refine] (onto = "streets" or "buildings"), or take a finer grid.',
    )
    return [Fault("grid_too_coarse", file, zh, en, *cure, severity="noted")]


_LISTED: Final = 12
"""Units listed in one message."""


def _population_file(section: PopulationSection) -> str:
    """Name the file that people come from, the first of several rasters."""
    file = section.table or section.polygons or section.h3 or section.buildings
    return file.file if file is not None else next(iter(section.rasters.values()), "study.toml")


def _labelled(later: Projected) -> tuple[Fault, ...]:
    """Say first that people are of a scenario, and last what every step did."""
    told = Fault("scenario", "study.toml", later.scenario.text("zh"), later.scenario.text("en"), severity="noted")
    return (told, *later.faults, *ledger_faults(later.ledger))


def _walked(streets: Streets, crs: str, config: Config) -> tuple[Mode, Network]:
    """Build the network on which adults walk; people are refined to its streets."""
    from careshed.network import build_network

    mode = mode_of(config, "adult")
    return mode, build_network(streets, mode=mode, crs=crs, snap_m=config.study.snap_m)


def _in_metres(peopled: Peopled, crs: str, section: PopulationSection) -> tuple[Population, GeoSeries | None, Ledger]:
    """Bring people to the study's CRS; areas of which the study wants squares are spread over them."""
    people, areas = peopled.population, peopled.areas
    cells = people.cells.to_crs(crs)
    ground = areas.to_crs(crs) if areas is not None else None
    if ground is None or section.polygons is None or section.polygons.size_m is None:
        return Population(cells, people.grid), ground, Ledger()
    tidy = shapely.transform(np.asarray(ground.array, dtype=object), lambda xy: np.round(xy, _DECIMALS))
    squares, spread = spread_to_grid(cells.set_geometry(GeoSeries(tidy, index=cells.index, crs=crs)), section.polygons.size_m)
    return squares, None, spread.ledger


def _in_units(people: Population, units: GeoDataFrame, clip: bool, label: str) -> tuple[Population, list[Fault]]:
    """Give every cell the finest unit that holds its centre; note, or leave out, the people who live in none."""
    cells = people.cells
    found = np.array(finest_unit(cells, units), dtype=object)
    groups = groups_of(cells)
    placed = cells.assign(unit=pd.Series(found, index=cells.index, dtype="str"))
    if not clip:
        told = outside_units(cells, found, "total" if "total" in groups else groups[0], label)
        return Population(placed, people.grid), told if not units.geometry.isna().all() else []
    inside = found != ""
    if not inside.any():
        cure = ("请检查两者的坐标系，或删去 clip。", "Check the CRS of both, or leave clip out.")
        raise InputError([Fault("nobody", label, "单元内没有任何人口", "nobody lives within the units", *cure)])
    return Population(placed[inside], people.grid), _left_out(placed, inside, groups, label)


def _left_out(cells: GeoDataFrame, inside: np.ndarray, groups: tuple[str, ...], file: str) -> list[Fault]:
    """Tell how many people of each group live beyond the units and are left out."""
    faults = []
    for group in groups:
        people, whole = float(cells.loc[~inside, group].sum()), float(cells[group].sum())
        if people:
            cells_out = int((~inside).sum())
            zh = f"{group}：单元之外的 {people:,.1f} 人（{cells_out} 个单元格）未计入（读入 {whole:,.1f} 人）"
            en = f"{group}: {people:,.1f} people ({cells_out} cells) beyond the units are left out (of {whole:,.1f} read)"
            faults.append(Fault("people_beyond_units", file, zh, en, severity="dropped", people=people))
    return faults


def ledger_faults(ledger: Ledger, file: str = "study.toml") -> list[Fault]:
    """Note every step of the account, so that a run's table of faults and its manifest hold it."""
    faults = []
    for step in ledger.steps:
        zh, en = ("；".join(Ledger((step,)).text("zh").splitlines()), "; ".join(Ledger((step,)).text("en").splitlines()))
        people = next(iter(step.after.values()), 0.0)
        faults.append(Fault("people_step", file, zh, en, severity="noted", people=people))
    return faults
