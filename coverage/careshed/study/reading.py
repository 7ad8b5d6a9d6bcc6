"""Open a study: try every input, and tell the faults of all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, TypeVar

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from careshed.datum import Datum
from careshed.intake.candidates import read_candidates
from careshed.intake.columns import nearest
from careshed.intake.facilities import read_facilities
from careshed.intake.finish import hand_over
from careshed.intake.places import Bounds, bounds_lonlat, joined
from careshed.intake.population import read_population_rasters, read_population_table
from careshed.intake.tables import read_table
from careshed.intake.units import read_units
from careshed.intake.units.placing import candidate_units, declared_unknown, finest_unit, outside_units
from careshed.intake.values import ids, names, texts
from careshed.schema import Checked, Fault, InputError, Population, file_label
from careshed.settings.config import Config, load_config
from careshed.settings.sections import FacilitySection, FileSection
from careshed.study.model import Study, groups_of
from careshed.study.rules import config_faults, crs_faults, distortion_faults, group_faults, settled, type_findings, utm_zone

if TYPE_CHECKING:
    from careshed.intake.streets import Streets

T = TypeVar("T")

_DEGREES: Final = "EPSG:4326"
"""What units and people are read into while the study's own CRS waits for them."""

_NOWHERE: Final[Bounds] = (117.0, 39.0, 117.0, 39.0)
"""Stands in for a study area that could not be read, so that the other files can still be checked."""

_FACILITY_COLUMNS: Final = (
    "name", "type", "status", "operator", "places", "area_m2", "opened", "closed", "functions", "nursing_places", "land_m2",
    "unit", "file", "row",
)  # fmt: skip
_CANDIDATE_COLUMNS: Final = ("name", "kind", "services", "places", "area_m2", "cost_yuan", "unit", "file", "row")


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
    """
    file = Path(path) / "study.toml" if Path(path).is_dir() else Path(path)
    config = load_config(file)
    faults = config_faults(file, config)
    stated = None if crs_faults(file, config) else config.study.crs
    streets = _attempt(faults, lambda: _streets(file.parent / config.streets.file))
    units = _attempt(faults, lambda: _units(file.parent, config.units, stated or _DEGREES))
    people = _attempt(faults, lambda: _population(file.parent, config, stated or _DEGREES))
    area = _area(units, people)
    crs = stated or utm_zone(area or (streets.bounds_lonlat() if streets is not None else _NOWHERE))
    if area is not None:
        faults += [*distortion_faults(file, crs, area), *_streets_elsewhere(config, streets, area)]
    facilities, candidates = _registers(file.parent, config, crs, area, faults)
    compounds = _attempt(faults, lambda: _compounds(file.parent, config.compounds))
    services = tuple(settled(service) for service in config.service)
    faults += group_faults(file, services, groups_of(people.cells)) if people is not None else []
    if streets is None or units is None or people is None or any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    units = units.to_crs(crs)
    people = _in_units(people, units, crs, config, faults)
    candidates = _candidates_in_units(candidates, units, [service.id for service in services], faults)
    faults += [*declared_unknown(facilities, units), *type_findings(file, services, facilities)]
    return Study(config, file, crs, streets, people, units, facilities, candidates, compounds, services, tuple(faults))


def _attempt(faults: list[Fault], read: Callable[[], Checked[T]]) -> T | None:
    """Read one input; keep what it tells, and go on where it cannot be read."""
    try:
        checked = read()
    except InputError as error:
        faults.extend(error.faults)
        return None
    faults.extend(checked.faults)
    return checked.table


def _how(section: FileSection) -> _How:
    return _How(sheet=section.sheet, layer=section.layer, columns=section.columns, crs=section.crs, datum=section.datum)


def _streets(path: Path) -> Checked[Streets]:
    from careshed.intake.streets import read_streets

    return read_streets(path)


def _units(folder: Path, section: FileSection, crs_out: str) -> Checked[GeoDataFrame]:
    return read_units(folder / section.file, crs_out=crs_out, **_how(section))


def _population(folder: Path, config: Config, crs_out: str) -> Checked[Population]:
    table = config.population.table
    if table is not None:
        return read_population_table(folder / table.file, crs_out=crs_out, **_how(table))
    if not config.population.rasters:
        raise InputError([])
    return read_population_rasters({group: folder / file for group, file in config.population.rasters.items()}, crs_out=crs_out)


def _area(units: GeoDataFrame | None, people: Population | None) -> Bounds | None:
    """Give the bounds of everything the study is about, None where neither units nor people could be read."""
    known = [table for table in (units, people.cells if people is not None else None) if table is not None]
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
) -> tuple[GeoDataFrame, GeoDataFrame]:
    """Read all registers and lists of sites into one table each; an id may occur in one file only."""
    facilities = [_attempt(faults, partial(_facilities, folder, section, crs, area)) for section in config.facilities]
    candidates = [_attempt(faults, partial(_candidates, folder, section, crs, area)) for section in config.candidates]
    return (
        _one_table(facilities, "facility_id", _FACILITY_COLUMNS, crs, faults),
        _one_table(candidates, "candidate_id", _CANDIDATE_COLUMNS, crs, faults),
    )


def _facilities(folder: Path, section: FacilitySection, crs: str, area: Bounds | None) -> Checked[GeoDataFrame]:
    return read_facilities(folder / section.file, crs_out=crs, area=area, type=section.type, **_how(section))


def _candidates(folder: Path, section: FileSection, crs: str, area: Bounds | None) -> Checked[GeoDataFrame]:
    return read_candidates(folder / section.file, crs_out=crs, area=area, **_how(section))


def _one_table(
    tables: Iterable[GeoDataFrame | None], index: str, columns: Sequence[str], crs: str, faults: list[Fault]
) -> GeoDataFrame:
    filled = [table for table in tables if table is not None and len(table)]
    if not filled:
        empty = pd.DataFrame({name: pd.Series(dtype="str") for name in columns}, index=pd.Index([], name=index, dtype="str"))
        return GeoDataFrame(empty, geometry=[], crs=crs)
    joint = pd.concat(filled)
    first: dict[str, tuple[str, str]] = {}
    for code, file, row in zip(joint.index.astype(str), joint["file"], joint["row"], strict=True):
        if code in first:
            other, there = first[code]
            zh, en = f"编号“{code}”已在 {other} 第 {there} 行用过", f"id {code!r} is used already in {other}, row {there}"
            cure = ("请使各文件的编号互不相同。", "Give every facility or site an id of its own across the files.")
            faults.append(Fault("duplicate_id", str(file), zh, en, *cure, row=str(row)))
        else:
            first[code] = (str(file), str(row))
    return joint


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


def _in_units(people: Population, units: GeoDataFrame, crs: str, config: Config, faults: list[Fault]) -> Population:
    """Give every cell the finest unit that holds its centre, and note the people who live in none."""
    cells = people.cells.to_crs(crs)
    found = np.array(finest_unit(cells, units), dtype=object)
    groups = groups_of(cells)
    if not units.geometry.isna().all():
        faults += outside_units(cells, found, "total" if "total" in groups else groups[0], file_label(config.units.file))
    return Population(cells.assign(unit=pd.Series(found, index=cells.index, dtype="str")), people.grid)


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
    return candidates.assign(unit=pd.Series(chosen, index=candidates.index, dtype="str"))
