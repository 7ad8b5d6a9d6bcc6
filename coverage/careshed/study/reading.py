"""Open a study: try every input, and tell the faults of all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, TypeVar

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from careshed.datum import Datum
from careshed.display import set_display_language
from careshed.intake.columns import nearest
from careshed.intake.facilities import read_facilities
from careshed.intake.finish import hand_over
from careshed.intake.places import Bounds, bounds_lonlat, joined
from careshed.intake.tables import read_table
from careshed.intake.units.placing import candidate_units, facility_units
from careshed.intake.values import ids, names, texts
from careshed.schema import Checked, Fault, InputError, file_label
from careshed.settings.config import Config, load_config
from careshed.settings.sections import FacilitySection, FileSection, UnitSection
from careshed.study.barriers import with_barriers
from careshed.study.boundary import read_hard
from careshed.study.candidate_keys import candidate_faults
from careshed.study.candidates import CANDIDATE_COLUMNS, SiteSource, gather_candidates, read_sources
from careshed.study.collecting import attempt as _attempt
from careshed.study.collecting import in_area, one_table, or_left_out
from careshed.study.columns import columns_told
from careshed.study.demand_rules import demand_faults, demand_group_faults
from careshed.study.fetching import with_kept_streets
from careshed.study.foreign import missing_tables, read_imported
from careshed.study.heights import heights_elsewhere, people_without_heights
from careshed.study.idle import idle_figures
from careshed.study.model import Study, groups_of
from careshed.study.people import DEGREES, Peopled, Ready, clip_faults, prepare_people, read_inputs, read_people
from careshed.study.rules import config_faults, crs_faults, distortion_faults, settled, type_findings, utm_zone
from careshed.study.streets import read_elevation, read_study_streets
from careshed.study.units import mended_units, study_units

if TYPE_CHECKING:
    from careshed.intake.streets import Streets

T = TypeVar("T")

_USUAL: Final = "study.toml"

_NOWHERE: Final[Bounds] = (117.0, 39.0, 117.0, 39.0)
"""Stands in for a study area that could not be read, so that the other files can still be checked."""

_FACILITY_COLUMNS: Final = (
    "name", "type", "status", "operator", "places", "area_m2", "opened", "closed", "functions", "nursing_places", "land_m2",
    "unit", "file", "row",
)  # fmt: skip


class _How(TypedDict):
    """How to read a file, as its section of the study says."""

    sheet: str | None
    layer: str | None
    columns: dict[str, str]
    crs: str | None
    datum: Datum | None


def open_study(path: str | Path) -> Study:
    """Read and check a whole study, so that what follows can trust every table.

    Parameters
    ----------
    path
        The study file, or the folder that holds ``study.toml``.

    Raises
    ------
    InputError
        Once, with the faults of all files; nothing is written.

    Notes
    -----
    Cards in notebooks then speak the study's language (`careshed.set_display_language`).
    """
    file = Path(path) / _USUAL if Path(path).is_dir() else Path(path)
    try:
        study = _opened(file, load_config(file))
    except InputError as error:
        raise InputError(_named(error.faults, file)) from error
    set_display_language(study.lang)
    return replace(study, faults=_named(study.faults, file))


def _named(faults: Sequence[Fault], file: Path) -> tuple[Fault, ...]:
    """Name the study file as it is called, where a step below could only use its usual name."""
    own = file_label(file)
    return tuple(replace(fault, file=own) if fault.file == _USUAL else fault for fault in faults)


def _opened(file: Path, config: Config) -> Study:
    """Read every input of a study file."""
    faults = [*config_faults(file, config), *demand_faults(file, config), *candidate_faults(file, config)]
    faults += missing_tables(file, config)
    stated = None if crs_faults(file, config) else config.study.crs
    config = _with_streets_named(file, config, faults)
    streets = _attempt(faults, lambda: _streets(file.parent, config)) if config.streets.file else None
    elevation = _attempt(faults, lambda: read_elevation(file.parent, config.elevation))
    units = _attempt(faults, lambda: study_units(file.parent, config.units, stated or DEGREES))
    within = _area(units, None)
    reading = partial(read_people, file.parent, config.population, crs_out=stated or DEGREES, within=within)
    people = _attempt(faults, reading)
    area = within if within is not None and config.population.clip else _area(units, people)
    crs = stated or utm_zone(area or (streets.bounds_lonlat() if streets is not None else _NOWHERE))
    if area is not None:
        faults += [
            *distortion_faults(file, crs, area),
            *_streets_elsewhere(config, streets, area),
            *heights_elsewhere(elevation, area),
        ]
    facilities, sources, candidates = _registers(file.parent, config, crs, area, faults)
    compounds = _attempt(faults, lambda: _compounds(file.parent, config.compounds))
    services = tuple(settled(service) for service in config.service)
    faults += columns_told(file.parent, config)
    inputs = _attempt(faults, partial(read_inputs, file.parent, config, crs))
    hard = _attempt(faults, lambda: read_hard(file.parent, config.boundary, crs, area))
    faults += clip_faults(file, config, units)
    if people is not None and inputs is not None:
        faults += demand_group_faults(file, config, services, groups_of(people.population.cells), inputs)
    if streets is None or units is None or people is None or inputs is None or any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    units = _mended(faults, units.to_crs(crs), config.units)
    placed = facility_units(facilities, units)
    facilities, faults = placed.table, [*faults, *placed.faults]
    ready = _prepared(faults, partial(prepare_people, people, units, streets, crs=crs, config=config, inputs=inputs))
    faults += people_without_heights(elevation, ready.population.cells)
    faults += idle_figures(file, config, streets, elevation)
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    study = Study(
        config, file, crs, streets, ready.population, units, facilities, candidates, compounds, services, (),
        demand=ready.demand, refined_on=ready.network, elevation=elevation, hard=hard,
    )  # fmt: skip
    candidates = gather_candidates(study, sources, faults)
    candidates = _candidates_in_units(candidates, units, [service.id for service in services], faults)
    faults += type_findings(file, services, facilities)
    study = replace(study, candidate_table=candidates)
    imported = _attempt(faults, partial(read_imported, study))
    if imported is None:
        raise InputError(faults)
    return replace(study, imported=imported, faults=tuple(faults))


def _with_streets_named(file: Path, config: Config, faults: list[Fault]) -> Config:
    """Name the file of streets, fetched where the study names a place."""
    named = _attempt(faults, lambda: with_kept_streets(file.parent, config.streets))
    return config if named is None else config.model_copy(update={"streets": named})


def _streets(folder: Path, config: Config) -> Checked[Streets]:
    """Read streets with the study's changes, and what people do not walk straight across."""
    return with_barriers(folder, config.barriers, read_study_streets(folder, config.streets))


def _mended(faults: list[Fault], units: GeoDataFrame, section: UnitSection) -> GeoDataFrame:
    """Mend outlines where the study asks for it; what cannot be is told together with all that was noted before."""
    mended = _attempt(faults, partial(mended_units, units, section))
    if mended is None:
        raise InputError(faults)
    return mended


def _prepared(faults: list[Fault], prepare: Callable[[], Ready]) -> Ready:
    """Prepare the people; what cannot be done is told together with all that was noted before."""
    try:
        ready = prepare()
    except InputError as error:
        raise InputError([*faults, *error.faults]) from error
    faults.extend(ready.faults)
    return ready


def _how(section: FileSection) -> _How:
    return _How(sheet=section.sheet, layer=section.layer, columns=section.columns, crs=section.crs, datum=section.datum)


def _area(units: GeoDataFrame | None, people: Peopled | None) -> Bounds | None:
    """Give the bounds of everything the study is about, None where neither units nor people could be read."""
    known = [table for table in (units, people.population.cells if people is not None else None) if table is not None]
    return joined(*(bounds_lonlat(np.asarray(table.geometry.array, dtype=object), str(table.crs)) for table in known))


def _streets_elsewhere(config: Config, streets: Streets | None, area: Bounds) -> list[Fault]:
    """Refuse streets that do not touch the study area at all."""
    if streets is None:
        return []
    west, south, east, north = streets.bounds_lonlat()
    if west <= area[2] and east >= area[0] and south <= area[3] and north >= area[1]:
        return []
    there = f"{west:.3f} {south:.3f} {east:.3f} {north:.3f}"
    wanted = " ".join(f"{value:.3f}" for value in area)
    zh, en = f"道路（{there}）与研究范围（{wanted}）不相交", f"the streets ({there}) do not touch the study area ({wanted})"
    cure = (
        "请检查道路文件与其他数据是否为同一地区，坐标系是否正确。",
        "Check that streets and the other files are of one region and their CRS is right.",
    )
    return [Fault("streets_elsewhere", file_label(config.streets.file), zh, en, *cure)]


def _registers(
    folder: Path, config: Config, crs: str, area: Bounds | None, faults: list[Fault]
) -> tuple[GeoDataFrame, list[SiteSource], GeoDataFrame]:
    """Read all registers and lists of sites; an id may occur in one file only. Sites of other origins are made later."""
    facilities = [
        _attempt(faults, partial(or_left_out, partial(_facilities, folder, section, crs, area))) for section in config.facilities
    ]
    sources = read_sources(folder, config, crs, area, faults)
    listed = [source.table for source in sources if source.section.is_list]
    return (
        one_table(facilities, "facility_id", _FACILITY_COLUMNS, crs, faults),
        sources,
        one_table(listed, "candidate_id", CANDIDATE_COLUMNS, crs, faults),
    )


def _facilities(folder: Path, section: FacilitySection, crs: str, area: Bounds | None) -> Checked[GeoDataFrame]:
    """Read a register; of OSM features, those in the study area, all of the section's type where it states one."""
    within = None if section.tags else area
    read = read_facilities(
        folder / section.file, crs_out=crs, area=within, type=section.type, swapped=section.swapped, tags=section.tags,
        leave_out=section.bad_rows == "leave_out", **_how(section),
    )  # fmt: skip
    if not section.tags:
        return read
    table = read.table.assign(row=read.table.index.astype(str))
    return in_area(Checked(table.assign(type=section.type) if section.type else table, read.faults), area)


def _compounds(folder: Path, section: FileSection | None) -> Checked[pd.DataFrame | None]:
    """Read the register of compounds as text, coordinates and all, under our names and the file's own headers."""
    if section is None:
        return Checked(None)
    table = read_table(folder / section.file, kind="compounds", sheet=section.sheet, layer=section.layer, columns=section.columns)
    faults = list(table.faults)
    own = ids(table, faults)
    frame = pd.DataFrame({"name": names(table, own, faults)}, index=pd.Index(own, name="compound_id", dtype="str"))
    rest = [str(name) for name in table.frame.columns if name not in ("id", "name")]
    for name in rest:
        frame[name] = texts(table, name) if name in table.headers else [str(value or "").strip() for value in table.frame[name]]
    return hand_over(frame.assign(file=table.file, row=[str(row) for row in table.rows]), faults)


def _candidates_in_units(
    candidates: GeoDataFrame, units: GeoDataFrame, services: Sequence[str], faults: list[Fault]
) -> GeoDataFrame:
    """Give every site its unit, and note services that the study does not have."""
    chosen, unit_faults = candidate_units(candidates, units)
    faults += unit_faults
    for at, text in enumerate(candidates["services"].astype(str)):
        for word in (part for part in text.split(";") if part and part not in services):
            row, near = candidates.iloc[at], nearest(word, services)
            hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
            known = ", ".join(services)
            zh, en = "研究文件中没有该服务", "names a service that the study does not have"
            cure = (f"{hint[0]}可用：{known}。", f"{hint[1]}Known: {known}.")
            told = Fault("unknown_service", str(row["file"]), zh, en, *cure, row=str(row["row"]), found=word, severity="noted")
            faults.append(told)
    told = candidates["unit"].astype("str")
    return candidates.assign(unit=pd.Series(chosen, index=candidates.index, dtype="str"), unit_told=told)
