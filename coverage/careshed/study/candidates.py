"""Make the study's candidate sites: read lists and layers, find sites where no list names any, leave out, size and price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from careshed.intake.candidates import (
    OSM_SITES,
    Chosen,
    Price,
    candidates_from_facilities,
    candidates_from_osm,
    candidates_on_lattice,
    candidates_on_streets,
    choose_candidates,
    read_candidates,
    read_land,
    read_prices,
    size_candidates,
)
from careshed.intake.facilities import status_keys
from careshed.intake.places import Bounds
from careshed.intake.units.placing import above, finest_unit
from careshed.schema import Checked, Fault, InputError, file_label
from careshed.settings.candidates import CandidateSection, ExcludeSection, FilterSection, LandUseSection
from careshed.settings.config import Config
from careshed.study.collecting import attempt, in_area, one_table, or_left_out

if TYPE_CHECKING:
    from careshed.network import Network
    from careshed.study.model import Study

CANDIDATE_COLUMNS: Final = ("name", "kind", "services", "places", "area_m2", "cost_yuan", "unit", "file", "row")
"""Columns of the candidates table that always are there."""

EXTRA_TEXTS: Final = ("facility", "land_use", "places_from", "cost_from")
"""Columns that some origins, filters or sizes add, "" for the sites of others."""


@dataclass(frozen=True)
class SiteSource:
    """One [[candidates]] section with what its files hold, before facilities, units and streets are put together."""

    number: int
    """Position of the section in the study file, from 1."""
    section: CandidateSection
    table: GeoDataFrame | None = None
    """Sites of a list or of OSM; None for sites that are made of facilities, streets or units."""
    land_use: GeoDataFrame | None = None
    exclude: tuple[GeoDataFrame, ...] = ()
    prices: tuple[Price, ...] = ()

    @property
    def key(self) -> str:
        """Name of the section as the study file shows it."""
        return f"[[candidates]] {self.number}"


def read_sources(folder: Path, config: Config, crs: str, area: Bounds | None, faults: list[Fault]) -> list[SiteSource]:
    """Read every file that [[candidates]] names, and tell the faults of all of them."""
    plan = config.policy.profile if config.policy is not None else ""
    return [
        _source(folder, number, section, crs, area, plan, faults) for number, section in enumerate(config.candidates, start=1)
    ]


def _source(
    folder: Path, number: int, section: CandidateSection, crs: str, area: Bounds | None, plan: str, faults: list[Fault]
) -> SiteSource:
    table, land_use = None, None
    if section.origin in ("file", "osm") and section.file:
        table = attempt(faults, partial(or_left_out, lambda: _read(folder / section.file, section, crs, area)))
    chosen, size = section.filter or FilterSection(), section.size
    if chosen.land_use is not None:
        land_use = attempt(faults, partial(_land, folder, chosen.land_use, crs, area))
    layers = [attempt(faults, partial(_land, folder, one, crs, area)) for one in chosen.exclude]
    prices: tuple[Price, ...] | None = ()
    if size is not None and size.type is not None and (size.profile or plan):
        prices = attempt(faults, lambda: Checked(read_prices(size.profile or plan, folder)))
    return SiteSource(number, section, table, land_use, tuple(layer for layer in layers if layer is not None), prices or ())


def _land(folder: Path, section: LandUseSection | ExcludeSection, crs: str, area: Bounds | None) -> Checked[GeoDataFrame]:
    """Read a layer of land use with its codes, or one that rules sites out."""
    codes, column = (True, section.column) if isinstance(section, LandUseSection) else (False, None)
    return read_land(
        folder / section.file, crs_out=crs, layer=section.layer, crs=section.crs, datum=section.datum, swapped=section.swapped,
        area=area, codes=codes, column=column,
    )  # fmt: skip


def _read(path: Path, section: CandidateSection, crs: str, area: Bounds | None) -> Checked[GeoDataFrame]:
    """Read a list of sites, or the OSM features that could be sites and lie in the study area."""
    if section.origin == "osm":
        found = candidates_from_osm(path, crs_out=crs, tags=section.tags or OSM_SITES, services=section.services)
        return in_area(found, area)
    return read_candidates(
        path, crs_out=crs, area=area, sheet=section.sheet, layer=section.layer, columns=section.columns, crs=section.crs,
        datum=section.datum, swapped=section.swapped, leave_out=section.bad_rows == "leave_out",
    )  # fmt: skip


def gather_candidates(study: Study, sources: Sequence[SiteSource], faults: list[Fault]) -> GeoDataFrame:
    """Make the table of all candidate sites; what is left out is told with its reason.

    Parameters
    ----------
    study
        The study, all but its candidates and what it was told.
    sources
        As `read_sources` gives them.

    Raises
    ------
    careshed.schema.InputError
        If a lattice has no outlines to lie in, or an id occurs twice.
    """
    ground = _Ground(study, {})
    times: Counter[str] = Counter()
    tables: list[GeoDataFrame] = []
    wrong: list[Fault] = []
    for source in sources:
        origin = source.section.origin
        times[origin] += 1
        try:
            table = _within_units(study, source.table, faults) if origin == "osm" else source.table
            table = _made(ground, source, faults) if table is None else table
        except InputError as error:
            wrong += error.faults
            continue
        if origin != "file":
            faults.append(_offered(study, source, len(table)))
            table = _named(table, source.section, times[origin])
        tables.append(_sized(study, source, _chosen(ground, source, table, faults), faults))
    joint = one_table(tables, "candidate_id", CANDIDATE_COLUMNS, study.crs, wrong)
    if wrong:
        raise InputError([*faults, *wrong])
    for name in EXTRA_TEXTS:
        if name in joint:
            joint[name] = joint[name].fillna("")
    return joint


@dataclass(frozen=True)
class _Ground:
    """The study and the networks built for its sites."""

    study: Study
    networks: dict[str, Network]

    def network(self, section: CandidateSection) -> Network:
        """Give the streets of the mode in which the service that the sites are for is reached."""
        study = self.study
        named = section.lacking or next(iter(section.services), study.services[0].id)
        mode = study.mode(named)
        if mode.name not in self.networks:
            self.networks[mode.name] = study.network(mode)
        return self.networks[mode.name]


def _made(ground: _Ground, source: SiteSource, faults: list[Fault]) -> GeoDataFrame:
    """Find sites where no list names any."""
    study, section = ground.study, source.section
    if section.origin == "facilities":
        statuses = status_keys(section.statuses) or section.statuses
        found = candidates_from_facilities(
            study.facility_table, types=section.types, services=section.services, statuses=statuses
        )
        faults += _types_nowhere(study, source)
    else:
        units = _units_asked(study, source, faults)
        if units is None:
            return _none(study)
        free = {"every_m": section.spacing_m, "away_m": section.away_m}
        existing = _existing(study, section) if section.away_m else None
        if section.origin == "streets":
            found = candidates_on_streets(ground.network(section), units, services=section.services, existing=existing, **free)
        else:
            found = candidates_on_lattice(units, services=section.services, existing=existing, **free)
    return found


def _within_units(study: Study, table: GeoDataFrame | None, faults: list[Fault]) -> GeoDataFrame | None:
    """Leave out OSM features beyond the units, each named: nobody builds in the neighbouring county."""
    if table is None or study.units.geometry.isna().all():
        return table
    outside = np.array(finest_unit(table, study.units)) == ""
    told = ("不在任何单元内，未采用", "lies in no unit of the study and is left out")
    faults += [
        Fault("outside_units", str(file), *told, row=str(row), found=str(name), severity="dropped")
        for file, row, name in table.loc[outside, ["file", "row", "name"]].itertuples(index=False, name=None)
    ]
    return table[~outside]


def _none(study: Study) -> GeoDataFrame:
    return one_table([], "candidate_id", CANDIDATE_COLUMNS, study.crs, [])


def _units_asked(study: Study, source: SiteSource, faults: list[Fault]) -> GeoDataFrame | None:
    """Choose the units in which sites are offered; None where none is left or none has an outline."""
    section, units = source.section, study.units
    if section.origin == "lattice" and units.geometry.isna().all():
        told = ("格点需要单元的边界，而单元没有图形", "a lattice needs units with outlines, and no unit has one")
        cure = ('请提供单元图层，或改用 from = "streets"。', 'Give a layer of units, or take from = "streets".')
        raise InputError([_told(study, source, "lattice_without_outlines", told, cure, "error")])
    asked = units[units["level"].isin(section.levels)] if section.levels else units
    if section.lacking is not None:
        asked = asked[~asked.index.astype(str).isin(_holders(study, section.lacking))]
    if not section.levels and section.lacking is None:
        return units
    drawn = asked[~asked.geometry.isna()]
    if len(drawn):
        return drawn
    told = ("没有符合条件的单元，未设候选点", "no unit is asked for and lacks it: no site is offered")
    if len(asked):
        told = ("所要求的单元没有边界，未设候选点", "the units asked for have no outlines: no site is offered")
    faults.append(_told(study, source, "no_unit_asked", told))
    return None


def _holders(study: Study, service: str) -> set[str]:
    """List the units that have a facility of a service: the declared unit or the one it lies in, and those above."""
    own = study.facilities(service)
    parents = dict(zip(study.units.index.astype(str), study.units["parent"].astype(str), strict=True))
    lies_in = finest_unit(own, study.units) if len(own) else []
    held: set[str] = set()
    for declared, there in zip(own["unit"].astype(str), lies_in, strict=True):
        code = declared if declared in parents else there
        held |= {code, *above(code, parents)}
    return held - {""}


def _existing(study: Study, section: CandidateSection) -> GeoDataFrame:
    """Give the facilities from which sites must keep away: those that give what the sites could."""
    named = [section.lacking] if section.lacking else list(section.services) or [service.id for service in study.services]
    counted = pd.Index([]).append([study.facilities(name).index for name in named])
    return study.facility_table[study.facility_table.index.isin(counted)]


def _types_nowhere(study: Study, source: SiteSource) -> list[Fault]:
    present = sorted(set(study.facility_table["type"].astype(str)))
    listed = ", ".join(present)
    cure = (f"登记表中的类型：{listed}。", f"The registers have: {listed}.")
    told = ("登记表中没有该类型", "no register has this type")
    absent = [kind for kind in source.section.types if kind not in present]
    return [_told(study, source, "type_nowhere", told, cure, found=kind) for kind in absent]


def _offered(study: Study, source: SiteSource, count: int) -> Fault:
    origin = source.section.origin
    named = {"facilities": "现有设施", "osm": "OSM 要素", "streets": "路口", "lattice": "格点"}[origin]
    return _told(study, source, "sites_offered", (f"由{named}得到 {count} 个候选点", f"{count} site(s) from {origin}"))


def _told(
    study: Study, source: SiteSource, code: str, told: tuple[str, str], cure: tuple[str, str] = ("", ""),
    severity: str = "noted", found: str = "",
) -> Fault:  # fmt: skip
    zh, en = f"{source.key}：{told[0]}", f"{source.key}: {told[1]}"
    return Fault(code, file_label(study.path), zh, en, *cure, found=found, severity="error" if severity == "error" else "noted")


def _named(table: GeoDataFrame, section: CandidateSection, time: int) -> GeoDataFrame:
    """Give sites that were found the kind stated, and ids of their own where an origin is asked for again."""
    if section.kind:
        table = table.assign(kind=section.kind)
    if time > 1:
        table = table.set_axis(pd.Index([f"{code}#{time}" for code in table.index], name="candidate_id", dtype="str"))
    return table


def _chosen(ground: _Ground, source: SiteSource, table: GeoDataFrame, faults: list[Fault]) -> GeoDataFrame:
    """Leave out the sites that cannot be used, each with its reason."""
    section = source.section.filter
    if section is None or not len(table):
        return table
    reasons = [one.reason for one in section.exclude]
    chosen = choose_candidates(
        table,
        least_area_m2=section.least_area_m2,
        land_use=source.land_use,
        land_use_codes=section.land_use.codes if section.land_use is not None else (),
        land_use_column="code" if section.land_use is not None else None,
        exclude=dict(zip(reasons, source.exclude, strict=True)),
        exclude_within_m={one.reason: one.within_m for one in section.exclude},
        streets=ground.network(source.section).edge_lines() if section.street_within_m is not None else None,
        street_within_m=section.street_within_m,
        keep_unknown=section.keep_unknown,
    )
    faults += [
        *chosen.faults(),
        *_counted(ground.study, source, table, chosen),
        *_unknown_kept(ground.study, source, chosen.table),
    ]
    return chosen.table


def _counted(study: Study, source: SiteSource, table: GeoDataFrame, chosen: Chosen) -> list[Fault]:
    """Say how many sites a section has, how many its filters leave, and for what the others are left out."""
    zh, en = chosen.by_rule()
    kept = len(chosen.table)
    told = (
        f"共 {len(table)} 个候选点，采用 {kept} 个，排除 {len(table) - kept} 个" + (f"（{zh}）" if zh else ""),
        f"of {len(table)} site(s) {kept} are kept and {len(table) - kept} left out" + (f" ({en})" if en else ""),
    )
    cure = (
        "过滤条件只管本节；逐个原因见选址清单的“未采用”页。",
        "Filters hold for their own section; the list of sites names each.",
    )
    return [_told(study, source, "candidates_counted", told, cure)]


def _unknown_kept(study: Study, source: SiteSource, kept: GeoDataFrame) -> list[Fault]:
    """Say how many sites pass a filter because nothing is known of what it asks for."""
    section = source.section.filter or FilterSection()
    cure = (
        "如不应采用，请在 [candidates.filter] 中写 keep_unknown = false。",
        "Write keep_unknown = false in [candidates.filter] if they should not count.",
    )
    area = int(kept["area_m2"].isna().sum()) if section.least_area_m2 is not None else 0
    use = int((kept["land_use"] == "").sum()) if section.land_use is not None else 0
    least = section.least_area_m2 or 0.0
    told = (
        (area, f"{area} 个候选点面积未知，未按 least_area_m2 = {least:g} 检验而采用",
         f"{area} site(s) of unknown floor area are kept, unjudged by least_area_m2 = {least:g}"),
        (use, f"{use} 个候选点用地未知，未按用地检验而采用", f"{use} site(s) on land of unknown use are kept, unjudged by it"),
    )  # fmt: skip
    return [_told(study, source, "unknown_kept", (zh, en), cure) for count, zh, en in told if count]


def _sized(study: Study, source: SiteSource, table: GeoDataFrame, faults: list[Fault]) -> GeoDataFrame:
    """Give sites places and cost where the section says how."""
    size = source.section.size
    if size is None or not len(table):
        return table
    prices = [one for one in source.prices if size.operator is None or not one.classes or size.operator in one.classes]
    if size.type is not None and not any(size.type in one.types for one in prices):
        known = ", ".join(dict.fromkeys(kind for one in prices for kind in one.types)) or "—"
        told = (f"规划没有“{size.type}”的造价", f"the plan has no cost for {size.type!r}")
        cure = (f"有造价的类型：{known}。", f"It has costs for: {known}.")
        faults.append(_told(study, source, "no_price", told, cure))
    return size_candidates(table, m2_per_place=size.m2_per_place, costs=prices, type=size.type, lang=study.lang)
