"""Gather what the audit looks at: the study's files, its facilities by type, and the people each concerns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.check.model import Basis, Finding, Fix, Weight
from careshed.intake.columns import Kind
from careshed.intake.sources import as_text
from careshed.intake.tables import TEXTS, read_table
from careshed.intake.units.placing import above, finest_unit
from careshed.network import Network, attach
from careshed.policy.types import canonical_type
from careshed.reach import travel_times
from careshed.schema import InputError, file_label
from careshed.settings.sections import FileSection

if TYPE_CHECKING:
    import pandas as pd

    from careshed.modes import Mode
    from careshed.study import Study

Words = tuple[str, str]

_ANY_LIMIT_MIN: Final = 1.0
"""The nearest facility is found however far; nothing else is asked of the search."""


@dataclass(frozen=True)
class Source:
    """A file of the study as the planner knows it."""

    path: Path
    sheet: str
    headers: Mapping[str, str]
    """Our column name -> header in the file."""
    row_of: Mapping[str, str]
    """Id or code -> row."""


@dataclass(frozen=True)
class Case:
    """A study with everything the audit needs of it."""

    study: Study
    sources: Mapping[str, Source]
    """File, as findings name it -> what is known of it."""
    types: tuple[str, ...]
    """Canonical type of each facility, the register's word where it is not known."""
    lies_in: tuple[str, ...]
    """Finest unit that holds each facility, "" where none does."""
    off_street: NDArray[np.bool_]
    """Facilities that no street comes near, shape (facilities,)."""
    shut_in: NDArray[np.bool_]
    """Facilities from which every leg to a street crosses a barrier and which join none, shape (facilities,)."""
    people: NDArray[np.float64]
    """People each facility concerns, shape (facilities,)."""
    basis: tuple[Basis, ...]
    unit_people: Mapping[str, float]
    """Unit -> residents, those of the units below it included."""
    group: str
    """Population group that counts residents."""
    lost_cells: NDArray[np.str_]
    """Why a cell's people cannot be judged, shape (cells,)."""
    shut_cells: NDArray[np.bool_]
    """Cells from which every leg to a street crosses a barrier, whatever the study does with them, shape (cells,)."""

    @property
    def facilities(self) -> GeoDataFrame:
        """All facilities of the study."""
        return self.study.facility_table

    def header(self, file: str, column: str) -> str:
        """Name our column as the file spells it, "" where the file has none."""
        return self.sources[file].headers.get(column, "") if file in self.sources else ""

    def facility(
        self, at: int, kind: str, weight: Weight, told: Words, proposal: Words, *, column: str = "", value: object = "",
        people: float | None = None, fix: Fix | None = None,
    ) -> Finding:  # fmt: skip
        """Build a finding on the facility at a position."""
        row = self.facilities.iloc[at]
        file = str(row["file"])
        source = self.sources.get(file)
        return Finding(
            kind, weight, file, source.sheet if source else "", str(row["row"]), self.header(file, column), as_text(value),
            *told, *proposal, float(self.people[at]) if people is None else people, self.basis[at],
            fix if fixable(file) else None,
        )  # fmt: skip

    def unit_place(self, code: str) -> tuple[str, str, str, str]:
        """Say where a unit is listed: file, sheet, row and the header of its code."""
        files = [file_label(section.file) for section in self.study.config.units.files]
        file = next((file for file in files if file in self.sources and code in self.sources[file].row_of), files[0])
        source = self.sources.get(file)
        return (file, source.sheet, source.row_of.get(code, ""), self.header(file, "id")) if source else (file, "", "", "")

    def unit_name(self, code: str) -> str:
        """Write a unit as its name and code."""
        units = self.study.units
        return f"{units['name'][code]} {code}" if code in units.index else code


def fixable(file: str) -> bool:
    """Tell whether a repaired copy of a file can be written: text tables and workbooks of XML.

    >>> fixable("register.csv"), fixable("register.xls")
    (True, False)
    """
    return Path(file).suffix.lower() in (*TEXTS, ".xlsx", ".xlsm")


def case_of(study: Study, network: Network | None = None) -> Case:
    """Look a study up for the audit; streets are built for each mode that a service needs, but for `network`'s own."""
    networks: dict[Mode, Network] = {} if network is None else {network.mode: network}
    table, units, cells = study.facility_table, study.units, study.cells
    lies_in = tuple(finest_unit(table, units)) if len(table) else ()
    group = "total" if "total" in study.groups else study.groups[0]
    residents = unit_people(cells, units, group)
    people, basis, lost = _affected(study, networks, lies_in, residents)
    first = next(iter(networks.values()))
    off = attach(first, _points(table)).fault if len(table) else np.zeros(0, dtype="<U7")
    shut = attach(first, _points(cells)).shut
    extra = study.policy.types if study.policy is not None else {}
    types = tuple(canonical_type(str(word), extra) or str(word) for word in table["type"]) if len(table) else ()
    apart = (off == "far", off == "barrier")
    return Case(study, sources_of(study), types, lies_in, *apart, people, basis, residents, group, lost, shut)


def _points(table: GeoDataFrame) -> GeoDataFrame:
    return table[["geometry"]]


def sources_of(study: Study) -> dict[str, Source]:
    """Read the headers of the study's registers, lists and units; a file that two sections name is left out."""
    config = study.config
    sections: list[tuple[FileSection, Kind]] = [(section, "units") for section in config.units.files]
    sections += [(section, "facilities") for section in config.facilities if not section.tags]
    sections += [(section, "candidates") for section in config.candidates if section.is_list]
    named = Counter(file_label(section.file) for section, _ in sections)
    found: dict[str, Source] = {}
    for section, kind in sections:
        label, path = file_label(section.file), study.folder / section.file
        try:
            table = read_table(path, kind=kind, sheet=section.sheet, layer=section.layer, columns=section.columns)
        except InputError:
            continue  # not a table: its findings carry no header
        rows = {as_text(value): str(row) for value, row in zip(table.column("id"), table.rows, strict=True)}
        if named[label] == 1:
            found[label] = Source(path, table.sheet, table.headers, rows)
    return found


def unit_people(cells: GeoDataFrame, units: GeoDataFrame, group: str) -> dict[str, float]:
    """Count the residents of each unit, those of the units below it included."""
    parents = dict(zip(units.index.astype(str), units["parent"].astype(str), strict=True))
    total = dict.fromkeys(parents, 0.0)
    direct: pd.Series[float] = cells.groupby(cells["unit"].astype(str))[group].sum()
    for code, people in direct.items():
        for unit in (str(code), *above(str(code), parents)):
            if unit in total:
                total[unit] += float(people)
    return total


def _affected(
    study: Study, networks: dict[Mode, Network], lies_in: tuple[str, ...], residents: Mapping[str, float]
) -> tuple[NDArray[np.float64], tuple[Basis, ...], NDArray[np.str_]]:
    """Count the people each facility concerns: those whose nearest of its service it is, else the residents of its unit."""
    table = study.facility_table
    place = {str(code): at for at, code in enumerate(table.index)}
    people, nearest = np.zeros(len(table)), np.zeros(len(table), dtype=np.bool_)
    lost = np.full(len(study.cells), "", dtype="<U5")
    for number, service in enumerate(study.services):
        mode = study.mode(service.id)
        if mode not in networks:
            networks[mode] = study.network(mode)
        own = study.facilities(service.id)
        if own.empty:
            continue
        times = travel_times(networks[mode], own, study.cells, limit_min=_ANY_LIMIT_MIN)
        lost = times.cell_fault if number == 0 else lost
        served = times.nearest_facility >= 0
        weight = study.cells[service.group].to_numpy(dtype=float)
        count = np.bincount(times.nearest_facility[served], weights=weight[served], minlength=len(own))
        at = np.array([place[str(code)] for code in own.index])
        people[at] = np.maximum(people[at], count)
        nearest[at] = True
    declared = table["unit"].astype(str).tolist()
    units = [own if own in residents else found for own, found in zip(declared, lies_in, strict=True)]
    people = np.where(nearest, people, [residents.get(code, 0.0) for code in units])
    basis: tuple[Basis, ...] = tuple(
        "nearest" if own else "unit" if code else "" for own, code in zip(nearest, units, strict=True)
    )
    return people, basis, lost
