"""Use travel times that another program computed, where a service names a table of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from careshed.intake.sources import must_exist
from careshed.reach.foreign import ABSENT, import_travel_times
from careshed.reach.mixing import mixed_mode
from careshed.schema import Checked, Fault, InputError, file_label
from careshed.study.collecting import attempt

if TYPE_CHECKING:
    from careshed.modes import Mode
    from careshed.reach.times import TravelTimes
    from careshed.settings.config import Config
    from careshed.settings.sections import Service, TimesSection
    from careshed.study.model import Study

_NOTED_ANEW: Final = frozenset({"facilities_not_in_table", "pairs_missing"})
"""What the reader tells of all facilities of the study, while a table need hold only those of its service."""

_LACKING: Final = "cells_not_in_table"

_SITES: Final = "candidate_id"
"""Name of the index of candidate sites; other places are facilities."""

_TOLD: Final = 8
"""Ids that a note names before it counts the rest."""


@dataclass(frozen=True)
class ImportedTimes:
    """The travel times of one service as another program computed them."""

    facilities: TravelTimes
    """Of all facilities of the registers; those that the table leaves out have no pair."""
    candidates: TravelTimes | None
    """Of all candidate sites, None where the service names no table of them."""

    def times(self, places: GeoDataFrame, cells: GeoDataFrame, *, limit_min: float) -> TravelTimes:
        """Take the rows of some facilities or candidate sites out of the table, for the cells given.

        Candidate sites that the table does not hold are left out, so that no plan builds what nobody was asked about; all are
        where there is no table of them.

        Parameters
        ----------
        limit_min
            Pairs up to so many minutes are kept (≤); the nearest facility is the nearest in the table, beyond it too.
        """
        if places.index.name != _SITES:
            return pick_times(self.facilities, places, cells, limit_min=limit_min)
        if self.candidates is None:
            return pick_times(self.facilities, places.iloc[:0], cells, limit_min=limit_min)
        held = places.index.isin(self.candidates.facilities.index[np.diff(self.candidates.indptr) > 0])
        return pick_times(self.candidates, places[held], cells, limit_min=limit_min)


def pick_times(table: TravelTimes, places: GeoDataFrame, cells: GeoDataFrame, *, limit_min: float) -> TravelTimes:
    """Take part of a matrix: the rows of some places and the columns of some cells, by their ids.

    A place that the matrix does not have is reached by nobody; a cell that it does not have cannot be judged (`ABSENT`).
    """
    row, column = table.facilities.index.get_indexer(places.index), cells.index.get_indexer(table.cell_ids)
    start, count = table.indptr[:-1][row], np.where(row >= 0, np.diff(table.indptr)[row], 0)
    first = np.concatenate([[0], np.cumsum(count)])
    at = np.repeat(start - first[:-1], count) + np.arange(first[-1])
    facility, cell, cost = np.repeat(np.arange(len(places)), count), column[table.indices[at]], table.cost[at].astype(np.int64)
    order = np.lexsort((cell, facility))
    order = order[cell[order] >= 0]
    facility, cell, cost = facility[order], cell[order], cost[order]
    none, limit = np.iinfo(np.int64).max, round(limit_min * 60_000)
    nearest = np.full(len(cells), none)
    np.minimum.at(nearest, cell, (cost << 31) | facility)
    near = cost <= limit
    known = table.cell_ids.get_indexer(cells.index)
    return replace(
        table,
        facilities=places,
        cell_ids=cells.index,
        indptr=np.searchsorted(facility[near], np.arange(len(places) + 1)).astype(np.int64),
        indices=cell[near].astype(np.int32),
        cost=cost[near].astype(np.uint32),
        nearest_cost=np.where(nearest == none, -1, nearest >> 31),
        nearest_facility=np.where(nearest == none, -1, nearest & (2**31 - 1)).astype(np.int32),
        cell_fault=np.where(known < 0, ABSENT, table.cell_fault[known]),
        facility_fault=np.full(len(places), "", dtype=f"<U{len(ABSENT)}"),
        limit=limit,
    )


def missing_tables(study_file: Path, config: Config) -> list[Fault]:
    """Tell tables of travel times that do not exist, together with all other files; the rest is checked once ids are known."""
    faults: list[Fault] = []
    for name in dict.fromkeys(table.file for service in config.service for table in service.tables):
        try:
            must_exist(study_file.parent / name)
        except InputError as error:
            faults.extend(error.faults)
    return faults


def read_imported(study: Study) -> Checked[dict[str, ImportedTimes]]:
    """Read the tables of travel times that services name, and match them with the study's facilities, sites and cells.

    Raises
    ------
    careshed.schema.InputError
        With every fault of every table: ids that are none of the study's, costs that are no number, pairs with two costs.
    """
    faults: list[Fault] = []
    found = {}
    for service in study.services:
        if service.travel_times is not None:
            imported = _imported(study, service, service.travel_times, faults)
            if imported is not None:
                found[service.id] = imported
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    return Checked(found, tuple(faults))


def _imported(study: Study, service: Service, section: TimesSection, faults: list[Fault]) -> ImportedTimes | None:
    mode = imported_mode(study, service)
    own = study.facilities(service.id)
    times = attempt(faults, _reader(study, service, section, study.facility_table, own, mode))
    second = service.candidate_travel_times
    if second is None:
        sites = None
        faults.extend(_unweighed(study, service))
    else:
        sites = attempt(faults, _reader(study, service, second, study.candidate_table, study.candidates(service.id), mode))
    faults.append(_left_out(service, section))
    return None if times is None else ImportedTimes(times, sites)


def _reader(
    study: Study, service: Service, section: TimesSection, known: GeoDataFrame, own: GeoDataFrame, mode: Mode
) -> Callable[[], Checked[TravelTimes]]:
    """Read one table: ids of any place in the study's tables are known, those of the service should all be there."""

    def read() -> Checked[TravelTimes]:
        took = import_travel_times(
            study.folder / section.file, known, _all_cells(study), columns=section.columns or None, unit=section.unit,
            limit=None, direction=section.direction, mode=mode, sheet=section.sheet,
        )  # fmt: skip
        file = file_label(section.file)
        told = [_with_cure(fault) for fault in took.faults if fault.code not in _NOTED_ANEW]
        if known.index.name == _SITES:  # whether people can be judged, the table of facilities says
            told = [fault for fault in told if fault.code != _LACKING]
        return Checked(took.table, (*told, *_absent(took.table, own, file), *_short(took.table, service, section)))

    return read


def _with_cure(fault: Fault) -> Fault:
    """Say how a table tells that people were asked about and reach nothing."""
    if fault.code != _LACKING:
        return fault
    cure = (
        "已搜索而到不了任何设施的单元格，请写一行并把时间留空，即按不可达计；单元格编号见 careshed write-people。",
        "A cell that was searched and reaches nothing needs a row with a blank time, to count as out of reach; "
        "careshed write-people lists the ids of cells.",
    )
    return replace(fault, cure_zh=cure[0], cure_en=cure[1])


def _all_cells(study: Study) -> GeoDataFrame:
    """List the cells of today and of every later year, which may have more of them."""
    index = study.cells.index
    for one in study.demand.years if study.demand is not None else ():
        index = index.append(one.cells.index.difference(index, sort=False))
    return GeoDataFrame(index=pd.Index(index, name=study.cells.index.name))


def _absent(table: TravelTimes, own: GeoDataFrame, file: str) -> list[Fault]:
    """Tell places of the service that the table does not hold."""
    counts = pd.Series(np.diff(table.indptr), index=table.facilities.index)
    lacking = own.index[(counts.reindex(own.index) == 0).to_numpy()]
    if not len(lacking):
        return []
    sites = own.index.name == _SITES
    kind = ("候选点", "candidate sites") if sites else ("设施", "facilities")
    why = ("，不参与选址", " and are not weighed") if sites else ("，视为无人可达", ", so nobody reaches them")
    told = (
        f"{len(lacking)} 个{kind[0]}在表中没有任何一对{why[0]}",
        f"{len(lacking)} {kind[1]} have no pair in the table{why[1]}",
    )
    shown = _listed([str(code) for code in lacking])
    return [Fault("places_not_in_table", file, *told, found=shown, severity="noted")]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_TOLD]) + (" …" if len(names) > _TOLD else "")


def _short(table: TravelTimes, service: Service, section: TimesSection) -> list[Fault]:
    """Tell a table whose largest time is below the limit that residents are judged by, where it does not say how far it goes."""
    most = table.limit / 60_000
    if section.limit_minutes is not None or most >= service.within_minutes:
        return []
    told = (
        f"表中最大时间 {most:g} 分钟，小于该服务的时限 {service.within_minutes:g} 分钟",
        f"the largest time in the table, {most:g} minutes, is below the service's limit of {service.within_minutes:g}",
    )
    cure = (
        "如该表只搜索到此时间，可达人数会被低估；请写明 limit_minutes，或扩大搜索。",
        "If the table was searched no further, people are undercounted: state limit_minutes, or search further.",
    )
    return [Fault("table_maybe_short", file_label(section.file), *told, *cure, severity="noted")]


def imported_mode(study: Study, service: Service) -> Mode:
    """Name the mode of a service so that every output says where its travel times come from."""
    modes = [study.travel_mode(name) for name in dict.fromkeys((service.mode, *service.mode_by.values()))]
    base = modes[0] if len(modes) == 1 else mixed_mode(modes)
    files = "、".join(dict.fromkeys(file_label(table.file) for table in service.tables))
    listed = files.replace("、", ", ")
    zh, en = f"出行时间取自 {files}，不由本工具计算", f"travel times taken from {listed}, not computed here"
    return replace(
        base,
        zh=f"{base.zh}（时间取自 {files}）",
        en=f"{base.en} (times from {listed})",
        source=en,
        source_zh=zh,
        figures=(),
        parts=(),
    )


def _unweighed(study: Study, service: Service) -> list[Fault]:
    """Tell that sites are not weighed where only the times of existing facilities are known."""
    if not len(study.candidates(service.id)):
        return []
    told = (
        f"“{service.name('zh')}”未给出候选点的出行时间，不做选址",
        f"{service.name('en')}: no travel times of candidate sites are given, so none are weighed",
    )
    cure = (
        "请写 candidate_travel_times，来源与 travel_times 相同。",
        "Name a table from the same source as candidate_travel_times.",
    )
    return [Fault("sites_not_weighed", "", *told, *cure, severity="noted")]


def _left_out(service: Service, section: TimesSection) -> Fault:
    """Say what a table of times cannot give."""
    zh = (
        f"“{service.name('zh')}”的出行时间取自该表，不由本工具计算；由表不能画等时圈，等时圈、其校核、可达街道和界外数据的影响均略去；"
        "评分、[[plan]] 和分级网络仍按道路计算"
    )
    en = (
        f"the travel times of {service.name('en')} come from this table and are not computed here; isochrones cannot be drawn "
        "from a table, so these, their certificates, the streets in reach and the margin are left out; scorecard, [[plan]] and "
        "hierarchy still go by the streets"
    )
    return Fault("times_imported", file_label(section.file), zh, en, severity="noted")
