"""Run a study from its files to its maps and site lists, and keep a manifest of what went in and came out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.access import coverage_table, find_gaps, presence, unattached_facilities, unattached_people
from careshed.demand import effect_of_refinement
from careshed.isochrones import certify, merged_isochrones, reached_streets
from careshed.network import Network, build_network, leg_faults
from careshed.reach import travel_times
from careshed.run.plans import planned
from careshed.run.progress import Bar, show_progress
from careshed.run.results import Folders, RunResult, ServiceResult
from careshed.run.writing import write_all
from careshed.siting import check_plan, rank_sites
from careshed.siting.studying import check_plans
from careshed.siting.warming import warm_siting
from careshed.streetcheck import mark_margin
from careshed.study import Study, open_study
from careshed.study.travel import mode_of_cells
from careshed.supply.hierarchy import Hierarchy, link_study
from careshed.supply.service import find_places
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.isochrones import Certificate
    from careshed.modes import Mode
    from careshed.policy.judging import Scorecard
    from careshed.reach import TravelTimes
    from careshed.schema import Fault
    from careshed.study import Service

STEPS: Final = 8
"""Steps of progress a service takes."""


def run_study(
    path: str | Path,
    *,
    lang: Lang | None = None,
    folders: Folders | None = None,
    progress: bool = True,
    only: Sequence[str] = (),
    year: int | None = None,
    scenario: str | None = None,
) -> RunResult:
    """Run the whole chain for every service of a study: reach, coverage, gaps, ranked sites, maps and lists.

    Parameters
    ----------
    path
        The study's TOML file.
    lang
        Language of maps and lists; the study's if None.
    folders
        Where to write; beside the study if None.
    progress
        Whether to show a progress bar, in terminals and in Jupyter.
    only
        Ids of the services to run, all if empty.
    year, scenario
        Year whose people count, and the scenario where several hold it; today's if left out. What is written then lies in a
        folder of that year, and every output names the scenario.

    Raises
    ------
    careshed.study.UnknownYear
        If no scenario of the study holds the year, or several do.
    InputError
        With every fault of every input file; nothing is written then, and earlier outputs stay as they are.
    """
    with show_progress(progress) as bar:
        result = _compute(path, bar, lang=lang, only=only, year=year, scenario=scenario)
        folders = folders or Folders.of(Path(path)).at(result.study.scenario)
        lang = lang or result.study.lang
        bar.say(pick(lang, "写出结果", "writing"))
        files = write_all(result, folders, lang, bar)
        bar.step("")
    return replace(result, files=tuple(files))


def analyse_study(
    path: str | Path,
    *,
    lang: Lang | None = None,
    progress: bool = True,
    only: Sequence[str] = (),
    year: int | None = None,
    scenario: str | None = None,
) -> RunResult:
    """Work out everything a run works out and write nothing: what reports, figures and layers are made from.

    Parameters are those of `run_study`; ``files`` of the result is empty.
    """
    with show_progress(progress) as bar:
        return _compute(path, bar, lang=lang, only=only, year=year, scenario=scenario)


def _compute(
    path: str | Path, bar: Bar, *, lang: Lang | None, only: Sequence[str], year: int | None, scenario: str | None
) -> RunResult:
    bar.say(pick(lang or "zh", "读取与检查", "reading and checking"))
    study = open_study(path)
    study = study if year is None else study.at(year, scenario)
    lang = lang or study.lang
    check_plans(study, study.config.plan)
    services = [study.service(service) for service in only] or list(study.services)
    bar.plan(2 + STEPS * len(services))
    networks = _networks(study, services, bar, lang)
    results = tuple(
        analyse(study, service.id, networks[study.mode(service.id)], networks=networks, step=bar.step, lang=lang)
        for service in services
    )
    hierarchy = _hierarchy(study, networks)
    card = _judged(study, networks, bar, lang)
    plans = planned(study, networks, bar, lang)
    faults = (
        *study.faults,
        *dict.fromkeys(fault for network in networks.values() for fault in network.faults),
        *dict.fromkeys(fault for result in results for fault in result.faults),
        *(hierarchy.findings if hierarchy is not None else ()),
        *(card.faults if card is not None else ()),
        *(fault for plan in plans for fault in plan.findings),
    )
    return RunResult(study, results, hierarchy, card, faults, (), plans)


def warm_up() -> None:
    """Compile the search loops, so that the first run starts at once: a journey and an isochrone on one street.

    >>> warm_up()
    """
    import geopandas as gpd
    import pandas as pd

    from careshed.intake.streets import Streets
    from careshed.modes import WALK_ADULT

    way = {"highway": "road", "name": "", "walk_forward": True, "walk_backward": True, "steps": False, "bridge": False}
    ways = pd.DataFrame([way | {"tunnel": False, "rank": 2}], index=pd.Index([1], name="way_id"))
    ends = np.array([122.999, 123.001])
    streets = Streets(
        np.array([1, 2]), ends, np.full(2, 35.5), ways, np.array([0, 2]), np.array([0, 1], dtype=np.int32), "one street"
    )
    network = build_network(streets, mode=WALK_ADULT)
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy([123.0], [35.5]), crs="EPSG:4326").to_crs(network.crs)
    travel_times(network, places, places, limit_min=1)
    merged_isochrones(network, places, minutes=[1])
    warm_siting()


def _networks(study: Study, services: Iterable[Service], bar: Bar, lang: Lang) -> dict[Mode, Network]:
    """Build one network for each mode the services use."""
    bar.step(pick(lang, "构建路网", "building the network"))
    modes = dict.fromkeys(mode for service in services for mode in study.modes(service.id))
    return {mode: study.network(mode) for mode in modes}


def analyse(
    study: Study,
    service_id: str,
    network: Network,
    *,
    networks: Mapping[Mode, Network] | None = None,
    step: Callable[[str], None] = lambda _: None,
    lang: Lang = "zh",
) -> ServiceResult:
    """Work out one service: travel times, isochrones, coverage, gaps and ranked sites.

    Parameters
    ----------
    network
        Streets of the service's own mode, by which isochrones are drawn.
    networks
        Networks of further modes, where people travel by several.
    step
        Called with a short text as each step begins.
    """
    service = study.service(service_id)
    name = service.name(lang)
    facilities, candidates = study.facilities(service_id), study.candidates(service_id)
    groups = list(dict.fromkeys((service.group, *service.groups_shown)))
    limits = sorted({*service.minutes, service.within_minutes})

    step(pick(lang, f"{name}：出行时间", f"{name}: travel times"))
    built = {**(networks or {}), network.mode: network}
    times = study.times(service_id, facilities, limit_min=limits[-1], networks=built)
    options = study.times(service_id, candidates, limit_min=limits[-1], networks=built)
    imported = service_id in study.imported
    drawn = _nothing_drawn(study) if imported else _drawn(network, facilities, service, step, lang)
    step(pick(lang, f"{name}：覆盖率", f"{name}: coverage"))
    covered = coverage_table(times, study.cells, study.units, minutes=limits, groups=groups)
    people = _travelling(study, service, built)
    covered, edge = _with_edge(study, service, covered, times, people)
    step(pick(lang, f"{name}：服务缺口", f"{name}: gaps"))
    gaps = find_gaps(times, study.cells, minutes=service.within_minutes, group=service.group, units=study.units)
    step(pick(lang, f"{name}：选址排序", f"{name}: ranking sites"))
    plan = rank_sites(
        options,
        study.cells,
        existing=times,
        minutes=service.within_minutes,
        group=service.group,
        n=service.n_sites,
        units=study.units,
        at_least_one_per=service.at_least_one_per,
        budget_yuan=service.budget_yuan,
    )
    check_plan(plan, options, times, study.cells)
    step(pick(lang, f"{name}：床位与托位", f"{name}: places"))
    places = find_places(
        times,
        study.cells,
        study.units,
        group=service.group,
        minutes=service.within_minutes,
        demand_rate=service.demand_rate,
        rule=service.places_rule,
    )
    faults = (
        *unattached_people(times, study.cells, service.group),
        *(() if imported else people.leg_faults(study.cells, service.group)),
        *unattached_facilities(times),
        *unattached_facilities(options),
        *edge,
    )
    return ServiceResult(
        service=service,
        times=times,
        options=options,
        isochrones=drawn.bands,
        streets=drawn.streets,
        certificates=drawn.certificates,
        covered=covered,
        has_one=presence(facilities, study.units),
        gaps=gaps,
        plan=plan,
        places=places,
        effect=None if imported else _effect(study, network, times, service.within_minutes, groups),
        faults=(*faults, *plan.findings, *(places.findings if places is not None else ())),
    )


class _Drawn(NamedTuple):
    """What is drawn of one service."""

    bands: GeoDataFrame
    certificates: list[Certificate]
    streets: GeoDataFrame


def _drawn(network: Network, facilities: GeoDataFrame, service: Service, step: Callable[[str], None], lang: Lang) -> _Drawn:
    """Draw isochrones with their certificates, and the streets in reach."""
    name = service.name(lang)
    step(pick(lang, f"{name}：等时圈", f"{name}: isochrones"))
    bands = merged_isochrones(network, facilities, minutes=service.minutes)
    step(pick(lang, f"{name}：等时圈校核", f"{name}: certifying isochrones"))
    certificates = certify(network, facilities, bands)
    bands = bands.assign(
        inside_beyond=[certificate.inside_beyond for certificate in certificates],
        outside_reachable=[certificate.outside_reachable for certificate in certificates],
    )
    return _Drawn(bands, certificates, reached_streets(network, facilities, minutes=service.minutes))


def _nothing_drawn(study: Study) -> _Drawn:
    """Draw nothing, as from imported travel times nothing can be; the study has told it when it was opened."""
    import geopandas as gpd

    names = {"bands": ("minutes", "area_m2", "inside_beyond", "outside_reachable"), "streets": ("minutes", "length_m")}
    bands, streets = (
        gpd.GeoDataFrame({name: np.zeros(0) for name in columns}, geometry=[], crs=study.crs) for columns in names.values()
    )
    return _Drawn(bands, [], streets)


class _Travelling(NamedTuple):
    """How the people of a service travel: the streets of each of their modes, and by which each cell goes."""

    networks: list[Network]
    which: NDArray[np.int64]

    def leg_faults(self, cells: GeoDataFrame, group: str) -> list[Fault]:
        """Tell whom barriers keep from the nearest street, each cell once, by the streets of its people's mode."""
        told = []
        for at, network in enumerate(self.networks):
            found = leg_faults(network, cells[self.which == at], group)
            if len(self.networks) > 1:
                mode = network.mode
                found = [replace(fault, zh=f"{mode.zh}：{fault.zh}", en=f"{mode.en}: {fault.en}") for fault in found]
            told += found
        return told


def _travelling(study: Study, service: Service, built: Mapping[Mode, Network]) -> _Travelling:
    networks = [built.get(mode) or study.network(mode) for mode in study.modes(service.id)]
    return _Travelling(networks, mode_of_cells(study, service))


def _with_edge(
    study: Study, service: Service, covered: pd.DataFrame, times: TravelTimes, people: _Travelling
) -> tuple[pd.DataFrame, list[Fault]]:
    """Show whom data from beyond the units could cover, as far as the study's data and hard borders leave that open."""
    boundary = study.config.boundary
    return mark_margin(
        covered, people.networks, times, study.cells, study.units, minutes=service.within_minutes, group=service.group,
        which=people.which, known_m=boundary.known_m, hard=study.hard, hard_m=boundary.hard_m,
    )  # fmt: skip


def _effect(study: Study, network: Network, times: TravelTimes, minutes: float, groups: Sequence[str]) -> pd.DataFrame | None:
    """Say what refining today's people does to coverage, where the study refines them."""
    if study.demand is None or study.scenario is not None:
        return None
    return effect_of_refinement(study.demand, network, times.facilities, times, minutes=minutes, groups=groups)


def _hierarchy(study: Study, networks: Mapping[Mode, Network]) -> Hierarchy | None:
    """Link the study's levels of facilities, on the network of their mode."""
    section = study.config.hierarchy
    if section is None:
        return None
    mode = study.travel_mode(section.mode)
    network = networks.get(mode) or study.network(mode)
    return link_study(study, network)


def _judged(study: Study, networks: Mapping[Mode, Network], bar: Bar, lang: Lang) -> Scorecard | None:
    """Judge the plan that the study names, where it names one."""
    if study.policy is None:
        return None
    from careshed.policy.judging import judge_plan

    bar.say(pick(lang, "按规划评分", "judging the plan"))
    return judge_plan(study, networks=networks)
