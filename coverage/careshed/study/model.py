"""Hold a study: every input read and checked, and the rules of its services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame, GeoSeries

from careshed.intake.columns import nearest
from careshed.modes import MODES, Figure, Mode
from careshed.schema import Fault, Population
from careshed.settings.config import Config
from careshed.settings.sections import PolicySection, Service
from careshed.study.years import later_people
from careshed.words import Lang

if TYPE_CHECKING:
    from careshed.demand import Demand, Ledger, Scenario
    from careshed.intake.elevation import Elevation
    from careshed.intake.streets import Streets
    from careshed.network import Network
    from careshed.reach import TravelTimes
    from careshed.study.foreign import ImportedTimes


class UnknownService(KeyError):
    """A service id that the study does not have."""

    def __init__(self, service_id: str, known: tuple[str, ...]) -> None:
        super().__init__(service_id)
        near = nearest(service_id, known)
        hint = (f"，是否应为“{near}”？", f"; did you mean {near!r}?") if near else ("；", ";")
        listed = ", ".join(known)
        en = f"there is no service {service_id!r} in the study{hint[1]} it has: {listed}"
        self.text = f"{en}  研究中没有服务“{service_id}”{hint[0]}现有：{listed}"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Study:
    """A study as opened: all inputs in one projected CRS, checked, and the faults found on the way."""

    config: Config
    """The study file as written."""
    path: Path
    """The study file."""
    crs: str
    """Projected CRS of all geometry, metres."""
    streets: Streets
    population: Population
    units: GeoDataFrame
    facility_table: GeoDataFrame
    """All facilities of all registers, whatever their type and status."""
    candidate_table: GeoDataFrame
    compounds: pd.DataFrame | None
    """Register of residential compounds, as text, where the study has one."""
    services: tuple[Service, ...]
    faults: tuple[Fault, ...]
    """Everything dropped, repaired or noted while reading."""
    demand: Demand | None = None
    """People of today and of the years of every scenario, and how they came about."""
    refined_on: tuple[Mode, Network] | None = None
    """Network that people were refined to, with its mode, so that it is not built twice."""
    elevation: Elevation | None = None
    """Heights, where the study has an elevation raster."""
    hard: GeoSeries | None = None
    """Lines and areas that nobody crosses, where the study has a layer of them."""
    imported: Mapping[str, ImportedTimes] = field(default_factory=dict)
    """Service id -> travel times that another program computed, where the service names a table of them."""
    scenario: Scenario | None = None
    """The year and scenario that the people are of, None for today's."""

    @property
    def folder(self) -> Path:
        """Folder that the study's paths are relative to."""
        return self.path.parent

    @property
    def name(self) -> str:
        """Name of the study as its file gives it, with the scenario and year where people are of a later one."""
        name = self.config.study.name
        return name if self.scenario is None else f"{name} · {self.scenario.text(self.lang)}"

    @property
    def lang(self) -> Lang:
        """Language of the outputs."""
        return self.config.study.lang

    @property
    def made_up(self) -> bool:
        """Whether the town is invented, so that every map says so."""
        return self.config.study.made_up

    @property
    def data_date(self) -> str:
        """Date of the data, ISO, "" if not stated."""
        return self.config.study.data_date

    @property
    def snap_m(self) -> float:
        """A place farther than this from any street is unattached, metres."""
        return self.config.study.snap_m

    @property
    def policy(self) -> PolicySection | None:
        """The plan that the study is judged by, None where it names none."""
        return self.config.policy

    @property
    def cells(self) -> GeoDataFrame:
        """People by age group on cells, with the finest unit of each."""
        return self.population.cells

    @property
    def water(self) -> GeoDataFrame:
        """Lakes and rivers of the street file, for maps to draw."""
        return self.streets.water_areas(self.crs).to_frame("geometry")

    def _repr_html_(self) -> str:
        from careshed.study.showing import study_card

        return study_card(self)

    @property
    def groups(self) -> tuple[str, ...]:
        """Population groups that the cells hold."""
        return groups_of(self.population.cells)

    def at(self, year: int, scenario: str | None = None) -> Study:
        """Give the study with the people of a later year; everything else stays as it is today.

        Parameters
        ----------
        year
            A year of a ``[[demand.scenario]]``, or its base year.
        scenario
            Name of the scenario, Chinese or English, where several hold the year.

        Raises
        ------
        UnknownYear
            If no scenario holds the year, or several do; the message lists them.
        ValueError
            If this study is of a later year already.
        """
        if self.scenario is not None:
            raise ValueError(f"this study is of {self.scenario.year} already; take at() of the study as opened  请用原研究")
        later = later_people(self.demand, year, scenario)
        return replace(
            self,
            population=Population(later.cells, self.population.grid),
            scenario=later.scenario,
            faults=(*self.faults, *later.faults),
        )

    @property
    def ledger(self) -> Ledger | None:
        """Account of people from their files to the cells of this study, None where nobody kept one."""
        if self.demand is None or self.scenario is None:
            return self.demand.ledger if self.demand is not None else None
        return self.demand.ledger + later_people(self.demand, self.scenario.year, self.scenario.zh).ledger

    def network(self, mode: Mode) -> Network:
        """Build the streets that people of one mode travel; taken as they are where people were refined to them."""
        from careshed.network import build_network

        if self.refined_on is not None and self.refined_on[0] == mode and self.elevation is None:
            return self.refined_on[1]
        return build_network(self.streets, mode=mode, crs=self.crs, snap_m=self.snap_m, elevation=self.elevation)

    def with_streets(self, *changes: str) -> Study:
        """Give the study with its streets changed as the named ``[[streets.edits]]`` have it: what if this bridge opens.

        Changes that are on already stay; everything but the streets stays as it is.

        Raises
        ------
        ValueError
            If the study has no such change; the message lists those it has.
        """
        from careshed.study.streets import with_edits

        known = {edit.name: edit for edit in self.config.streets.edits}
        for name in changes:
            if name not in known:
                listed = ", ".join(known) or "-"
                zh = f"研究文件中没有该道路变更，现有：{listed}"
                raise ValueError(f"there is no change of streets {name!r} in the study; it has: {listed}  {zh}")
        edits = [known[name] for name in dict.fromkeys(changes) if not known[name].on]
        if not edits:
            return self
        changed = with_edits(self.streets, self.folder, edits)
        return replace(self, streets=changed.table, refined_on=None, faults=(*self.faults, *changed.faults))

    def service(self, service_id: str) -> Service:
        """Find a service by its id.

        Raises
        ------
        UnknownService
            If the study has no such service; the message lists those it has.
        """
        for service in self.services:
            if service.id == service_id:
                return service
        raise UnknownService(service_id, tuple(service.id for service in self.services))

    def facilities(self, service_id: str) -> GeoDataFrame:
        """Give the facilities that count for a service: of its types and statuses."""
        service = self.service(service_id)
        table = self.facility_table
        return table[table["type"].isin(service.types) & table["status"].isin(service.statuses)]

    def candidates(self, service_id: str) -> GeoDataFrame:
        """Give the sites that a service may use: those that name it, and those that name none."""
        known = self.service(service_id).id
        named = [not text or known in text.split(";") for text in self.candidate_table["services"]]
        return self.candidate_table[np.array(named, dtype=bool)]

    def mode(self, service_id: str) -> Mode:
        """Give the travel mode of a service, with the figures that the study sets itself."""
        return self.travel_mode(self.service(service_id).mode)

    def times(
        self, service_id: str, places: GeoDataFrame, *, limit_min: float, networks: Mapping[Mode, Network] | None = None
    ) -> TravelTimes:
        """Search travel times between places and the cells as the service's people travel: each cell by the mode of its scope.

        Where the service names a table of travel times (``travel_times``), they are taken from it, and nothing is searched.
        """
        from careshed.study.travel import service_times

        return service_times(self, service_id, places, limit_min=limit_min, networks=networks)

    def modes(self, service_id: str) -> tuple[Mode, ...]:
        """Give every mode by which a service's people travel, the service's own first."""
        from careshed.study.travel import modes_of

        return tuple(modes_of(self, self.service(service_id)).values())

    def travel_mode(self, name: str) -> Mode:
        """Give a travel mode by its name, with the figures that the study sets itself."""
        return mode_of(self.config, name)


def mode_of(config: Config, name: str) -> Mode:
    """Give a travel mode by its name, with the figures that the study file sets itself."""
    own = config.modes.get(name)
    base = MODES[name]
    if own is None:
        return base
    given: dict[str, Any] = {key: value for key, value in own.model_dump().items() if value is not None}
    if "speeds_kmh" in given:
        given["speeds_kmh"] = tuple((dict(base.speeds_kmh) | given["speeds_kmh"]).items())
    if "speed_kmh" in given and base.kind == "foot":
        given.setdefault("leg_speed_kmh", given["speed_kmh"])
    return replace(base, **(given | _sources(base, sorted(given))))


def _sources(base: Mode, given: list[str]) -> dict[str, Any]:
    """Say which figures of a mode the study sets itself."""
    figures = ", ".join(given)
    zh = base.source_zh or base.source
    kept = tuple(figure for figure in base.figures if figure.name not in given)
    return {
        "figures": (*kept, *(Figure(name, "set in the study", "研究文件自定") for name in given)),
        "source": f"set in the study ({figures}); otherwise {base.source}",
        "source_zh": f"研究文件自定（{figures}）；其余：{zh}",
    }


def groups_of(cells: GeoDataFrame) -> tuple[str, ...]:
    """List the population groups among the columns of a cells table."""
    return tuple(str(name) for name in cells.columns if name not in ("geometry", "unit", "row", "col"))
