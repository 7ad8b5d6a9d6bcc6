"""Read every file that the steps of demand need, so that the faults of all of them are told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from careshed.demand.housing import read_housing
from careshed.demand.margins import read_margins
from careshed.intake.columns import SECTIONS
from careshed.schema import Checked, Fault, InputError
from careshed.settings.demand import DemandSection, HousingSection, PrioritySection, RefineSection

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.settings.sections import FileSection

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class DemandInputs:
    """The tables that the steps of demand work with, None where the study asks for no such step."""

    ages: pd.DataFrame | None = None
    """People by unit and group."""
    priority: pd.DataFrame | None = None
    """People of priority groups by unit."""
    buildings: GeoDataFrame | None = None
    """Homes to refine to."""
    housing: GeoDataFrame | None = None
    """Announced housing."""
    totals: tuple[Mapping[int, pd.DataFrame], ...] = field(default=())
    """Year -> people by unit, for each scenario in the order stated."""
    faults: tuple[Fault, ...] = ()


def read_demand(settings: DemandSection, *, folder: Path, crs: str) -> DemandInputs:
    """Read the census, the homes, the housing and the totals that a study's people rest on.

    Parameters
    ----------
    folder
        Folder that the study's paths are relative to.
    crs
        The study's projected CRS, metres.

    Raises
    ------
    careshed.schema.InputError
        Once, with the faults of all files.
    """
    faults: list[Fault] = []
    ages, refine, housing, priority = settings.ages, settings.refine, settings.housing, settings.priority
    made = DemandInputs(
        ages=_tried(faults, ages.table, lambda section: _margins(folder, section, ages.groups), "demand.ages.table.columns")
        if ages
        else None,
        priority=_tried(faults, priority, lambda section: _priority(folder, section), "demand.priority.columns"),
        buildings=_buildings(faults, folder, refine, crs) if refine is not None and refine.onto == "buildings" else None,
        housing=_tried(faults, housing, lambda section: _housing(folder, section, crs)),
        totals=tuple(
            {
                year: table
                for year, section in scenario.totals.items()
                if (table := _tried(faults, section, lambda one: _margins(folder, one), f"demand.scenario.totals.{year}.columns"))
                is not None
            }
            for scenario in settings.scenario
        ),
    )
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    return DemandInputs(made.ages, made.priority, made.buildings, made.housing, made.totals, tuple(faults))


def _tried(faults: list[Fault], section: S | None, read: Callable[[S], Checked[T]], columns: str = "") -> T | None:
    """Read one file if the study names it; keep what it tells, and go on where it cannot be read.

    Parameters
    ----------
    columns
        Where the study maps the headers of a table of people that is not the population's.
    """
    if section is None:
        return None
    try:
        checked = read(section)
    except InputError as error:
        faults.extend(_placed(error.faults, columns))
        return None
    faults.extend(_placed(checked.faults, columns))
    return checked.table


def _placed(faults: Iterable[Fault], columns: str) -> list[Fault]:
    """Name in each fault the section of the study file that its table belongs to."""
    if not columns:
        return list(faults)
    named, own = f"[{SECTIONS['population']}]", f"[{columns}]"
    return [
        replace(
            fault,
            zh=fault.zh.replace(named, own),
            en=fault.en.replace(named, own),
            cure_zh=fault.cure_zh.replace(named, own),
            cure_en=fault.cure_en.replace(named, own),
        )
        for fault in faults
    ]


def _margins(folder: Path, section: FileSection, groups: tuple[str, ...] = ()) -> Checked[pd.DataFrame]:
    return read_margins(folder / section.file, sheet=section.sheet, layer=section.layer, columns=section.columns, groups=groups)


def _priority(folder: Path, section: PrioritySection) -> Checked[pd.DataFrame]:
    columns = {**{name: name for name in section.by}, **section.columns}
    return read_margins(folder / section.file, sheet=section.sheet, layer=section.layer, columns=columns)


def _buildings(faults: list[Fault], folder: Path, refine: RefineSection, crs: str) -> GeoDataFrame | None:
    from careshed.intake.population import read_buildings

    def read(section: FileSection) -> Checked[GeoDataFrame]:
        return read_buildings(
            folder / section.file,
            crs_out=crs,
            layer=section.layer,
            columns=section.columns,
            crs=section.crs,
            datum=section.datum,
            storeys_unknown=refine.storeys_unknown,
        )

    return _tried(faults, refine.buildings, read)


def _housing(folder: Path, section: HousingSection, crs: str) -> Checked[GeoDataFrame]:
    return read_housing(
        folder / section.file,
        crs_out=crs,
        sheet=section.sheet,
        crs=section.crs,
        datum=section.datum,
        household_size=section.household_size,
    )
