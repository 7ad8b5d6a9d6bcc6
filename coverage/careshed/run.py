"""Run a study from its files to its maps and site lists, and keep a manifest of what went in and came out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from careshed.access import coverage_table, find_gaps, presence, unattached_facilities, unattached_people
from careshed.isochrones import Certificate, certify, merged_isochrones, reached_streets
from careshed.maps import write_map
from careshed.network import Network, build_network
from careshed.reach import TravelTimes, travel_times, write_travel_times
from careshed.report import write_coverage, write_faults, write_gaps, write_layer, write_sites
from careshed.schema import Fault
from careshed.siting import SitePlan, check_plan, rank_sites
from careshed.study import Study, open_study
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.modes import Mode
    from careshed.study import Service


@dataclass(frozen=True)
class Folders:
    """Where a run writes."""

    processed: Path
    """Tables that a run computes: travel times, coverage, gaps, faults, the manifest."""
    maps: Path
    """What a run shows: maps and site lists."""

    @classmethod
    def of(cls, study_file: Path) -> Folders:
        """Choose the folders of a study: beside ``data/raw`` if it lies there, else beside the study file.

        >>> Folders.of(Path("/work/data/raw/demo/study.toml")).processed.as_posix()
        '/work/data/processed/demo'
        >>> Folders.of(Path("/work/mine/study.toml")).maps.as_posix()
        '/work/mine/maps'
        """
        home = study_file.parent
        if home.parent.name == "raw" and home.parent.parent.name == "data":
            root = home.parent.parent
            return cls(root / "processed" / home.name, root.parent / "maps" / home.name)
        return cls(home / "processed", home / "maps")


@dataclass(frozen=True)
class ServiceResult:
    """What a run found for one service."""

    service: Service
    times: TravelTimes
    """Existing facilities to cells."""
    options: TravelTimes
    """Candidate sites to cells."""
    isochrones: GeoDataFrame
    """Merged polygons, one a limit, with ``inside_beyond`` and ``outside_reachable`` of their certificates."""
    streets: GeoDataFrame
    """Streets from which a facility is reached, one row a limit."""
    certificates: list[Certificate]
    covered: pd.DataFrame
    """Coverage by unit, for every group shown and every limit."""
    has_one: pd.DataFrame
    """Which units have a facility of their own."""
    gaps: GeoDataFrame
    plan: SitePlan
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class RunResult:
    """What a run found and wrote."""

    study: Study
    services: tuple[ServiceResult, ...]
    faults: tuple[Fault, ...]
    files: tuple[Path, ...]
    """Everything written, maps first."""


STEPS: Final = 7
"""Steps of progress a service takes."""


def run_study(
    path: str | Path, *, lang: Lang | None = None, folders: Folders | None = None, progress: bool = True, only: Sequence[str] = ()
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

    Raises
    ------
    InputError
        With every fault of every input file; nothing is written then, and earlier outputs stay as they are.
    """
    with _progress(progress) as bar:
        bar.say(pick(lang or "zh", "读取与检查", "reading and checking"))
        study = open_study(path)
        lang = lang or study.lang
        services = [study.service(service) for service in only] or list(study.services)
        bar.plan(2 + STEPS * len(services))
        networks = _networks(study, services, bar, lang)
        results = tuple(
            analyse(study, service.id, networks[study.mode(service.id)], step=bar.step, lang=lang) for service in services
        )
        bar.say(pick(lang, "写出结果", "writing"))
        faults = (*study.faults, *dict.fromkeys(fault for network in networks.values() for fault in network.faults))
        faults = (*faults, *dict.fromkeys(fault for result in results for fault in result.faults))
        files = _write_all(study, results, faults, folders or Folders.of(Path(path)), lang, bar)
        bar.step("")
    return RunResult(study, results, faults, tuple(files))


def warm_up() -> None:
    """Compile the search loops, so that the first run starts at once: a journey and an isochrone on one street.

    >>> warm_up()
    """
    import geopandas as gpd
    import numpy as np
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


def _networks(study: Study, services: Iterable[Service], bar: _Bar, lang: Lang) -> dict[Mode, Network]:
    """Build one network for each mode the services use."""
    bar.step(pick(lang, "构建路网", "building the network"))
    modes = dict.fromkeys(study.mode(service.id) for service in services)
    return {mode: build_network(study.streets, mode=mode, crs=study.crs, snap_m=study.snap_m) for mode in modes}


def analyse(
    study: Study, service_id: str, network: Network, *, step: Callable[[str], None] = lambda _: None, lang: Lang = "zh"
) -> ServiceResult:
    """Work out one service: travel times, isochrones, coverage, gaps and ranked sites.

    Parameters
    ----------
    step
        Called with a short text as each step begins.
    """
    service = study.service(service_id)
    name = service.name(lang)
    facilities, candidates = study.facilities(service_id), study.candidates(service_id)
    groups = list(dict.fromkeys((service.group, *service.groups_shown)))
    limits = sorted({*service.minutes, service.within_minutes})

    step(pick(lang, f"{name}：出行时间", f"{name}: travel times"))
    times = travel_times(network, facilities, study.cells, limit_min=limits[-1])
    options = travel_times(network, candidates, study.cells, limit_min=service.within_minutes)
    step(pick(lang, f"{name}：等时圈", f"{name}: isochrones"))
    bands = merged_isochrones(network, facilities, minutes=service.minutes)
    step(pick(lang, f"{name}：等时圈校核", f"{name}: certifying isochrones"))
    certificates = certify(network, facilities, bands)
    step(pick(lang, f"{name}：覆盖率", f"{name}: coverage"))
    bands = bands.assign(
        inside_beyond=[certificate.inside_beyond for certificate in certificates],
        outside_reachable=[certificate.outside_reachable for certificate in certificates],
    )
    covered = coverage_table(times, study.cells, study.units, minutes=limits, groups=groups)
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
    )
    check_plan(plan, options, times, study.cells)
    faults = (
        *unattached_people(times, study.cells, service.group),
        *unattached_facilities(times),
        *unattached_facilities(options),
    )
    return ServiceResult(
        service=service,
        times=times,
        options=options,
        isochrones=bands,
        streets=reached_streets(network, facilities, minutes=service.minutes),
        certificates=certificates,
        covered=covered,
        has_one=presence(facilities, study.units),
        gaps=gaps,
        plan=plan,
        faults=(*faults, *plan.findings),
    )


def _write_all(
    study: Study, results: Sequence[ServiceResult], faults: Sequence[Fault], folders: Folders, lang: Lang, bar: _Bar
) -> list[Path]:
    """Write every output; each file appears whole or not at all."""
    maps, lists, tables = [], [], []
    about: dict[str, Any] = {"study_name": study.name, "lang": lang, "made_up": study.made_up, "data_date": study.data_date}
    for result in results:
        service = result.service
        bar.step(pick(lang, f"{service.name(lang)}：写出地图和清单", f"{service.name(lang)}: writing map and lists"))
        maps.append(
            write_map(
                folders.maps / f"{service.id}.html",
                study,
                service=service.id,
                times=result.times,
                gaps=result.gaps,
                plan=result.plan,
                covered=result.covered,
                isochrones=result.isochrones,
                lang=lang,
            )
        )
        titled = about | {"study_name": f"{study.name} · {service.name(lang)}"}
        site_list = folders.maps / f"{service.id}_sites"
        lists += [write_sites(site_list.with_suffix(end), result.plan, **titled) for end in (".xlsx", ".csv", ".geojson")]
        tables += _write_tables(result, folders.processed, titled)
    tables.append(write_faults(folders.processed / "faults.csv", faults, lang=lang))
    files = [*maps, *lists, *tables]
    return [*files, _write_manifest(study, results, faults, files, folders.processed / "run.json")]


def _write_tables(result: ServiceResult, folder: Path, about: dict[str, Any]) -> list[Path]:
    service = result.service
    judged = result.covered[(result.covered["minutes"] == service.within_minutes) & (result.covered["group"] == service.group)]
    return [
        write_travel_times(folder / f"{service.id}_travel_times.parquet", result.times),
        write_coverage(folder / f"{service.id}_coverage.xlsx", judged, **about),
        write_coverage(folder / f"{service.id}_coverage.csv", judged, **about),
        write_layer(folder / f"{service.id}_isochrones.geojson", result.isochrones, **about),
        write_layer(folder / f"{service.id}_reached_streets.geojson", result.streets, **about),
        write_gaps(folder / f"{service.id}_gaps.geojson", result.gaps, group=service.group, **about),
        write_gaps(folder / f"{service.id}_gaps.csv", result.gaps, group=service.group, **about),
    ]


PACKAGES: Final = (
    "careshed",
    "numpy",
    "scipy",
    "pandas",
    "geopandas",
    "shapely",
    "pyproj",
    "rasterio",
    "numba",
    "highspy",
    "osmium",
)


def _write_manifest(
    study: Study, results: Sequence[ServiceResult], faults: Sequence[Fault], files: Sequence[Path], path: Path
) -> Path:
    """Write what went in (files by hash, parameters, versions) and what came out; no clock, so that a repeat is equal."""
    counts = {severity: sum(fault.severity == severity for fault in faults) for severity in ("dropped", "repaired", "noted")}
    manifest = {
        "study": {
            "name": study.name,
            "made_up": study.made_up,
            "data_date": study.data_date,
            "crs": study.crs,
            "snap_m": study.snap_m,
        },
        "inputs": {file: _sha256(study.folder / file) for file in sorted(input_files(study))},
        "versions": {package: version(package) for package in PACKAGES},
        "services": {result.service.id: _summary(study, result) for result in results},
        "faults": counts,
        "outputs": {file.name: _sha256(file) for file in files},
    }
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    os.replace(aside, path)
    return path


def _summary(study: Study, result: ServiceResult) -> dict[str, Any]:
    """Parameters, assumptions and main figures of one service."""
    service, plan, mode = result.service, result.plan, study.mode(result.service.id)
    return {
        "parameters": service.model_dump(),
        "mode": {key: value for key, value in vars(mode).items() if key not in ("zh", "en")},
        "direction": result.times.direction,
        "facilities": len(result.times.facilities),
        "candidates": len(result.options.facilities),
        "coverage": [
            {
                "group": row.group,
                "minutes": row.minutes,
                "people": _round(row.people),
                "covered": _round(row.covered),
                "unjudged": _round(row.unjudged),
            }
            for row in result.covered.loc[["ALL"]].itertuples()
        ],
        "isochrones": [
            {"minutes": c.limit, "inside_beyond": round(c.inside_beyond, 6), "outside_reachable": round(c.outside_reachable, 6)}
            for c in result.certificates
        ],
        "gaps": len(result.gaps),
        "plan": {
            "sites": plan.sites.index.tolist(),
            "people_covered": _round(plan.people_covered_after),
            "bound": _round(plan.bound),
            "gap": round(plan.gap, 9),
            "status": plan.status,
            "bound_by": plan.bound_by,
            "reproducible": plan.reproducible,
        },
    }


def _round(people: object) -> float:
    return round(float(str(people)), 3)


def input_files(study: Study) -> set[str]:
    """List the files a study reads, as it names them, itself included."""
    config = study.config
    named = [config.streets.file, *config.population.rasters.values(), config.units.file]
    named += [section.file for section in (*config.facilities, *config.candidates)]
    named += [section.file for section in (config.population.table, config.compounds) if section is not None]
    return {study.path.name, *named}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def summary_lines(result: RunResult, lang: Lang) -> Iterator[str]:
    """Say in a few lines what a run found and where its maps and lists are."""
    study = result.study
    yield f"{study.name}{pick(lang, '（虚构数据）', ' (made-up data)') if study.made_up and '虚构' not in study.name else ''}"
    for one in result.services:
        service, plan = one.service, one.plan
        share = plan.people_covered_before / plan.people_total if plan.people_total else 0.0
        after = plan.people_covered_after / plan.people_total if plan.people_total else 0.0
        group = group_name(service.group, lang)
        name, total, limit, new = service.name(lang), f"{plan.people_total:,.0f}", f"{service.within_minutes:g}", len(plan.sites)
        yield pick(
            lang,
            f"  {name}：{total} 名{group}中 {share:.1%} 在 {limit} 分钟内可达；新增 {new} 处后 {after:.1%}",
            f"  {name}: {share:.1%} of {total} {group} are within {limit} minutes; {after:.1%} with {new} new sites",
        )
    groups = (
        (pick(lang, "地图", "maps"), [file for file in result.files if file.suffix == ".html"]),
        (pick(lang, "选址清单", "site lists"), [file for file in result.files if file.name.endswith("_sites.xlsx")]),
        (pick(lang, "数据表与清单文件", "tables and manifest"), [file for file in result.files if file.name == "run.json"]),
    )
    for title, files in groups:
        yield f"{title}:"
        yield from (f"  {file}" for file in files)


class _Bar:
    """A progress bar that can be silent."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def plan(self, steps: int) -> None:
        """Set how many steps there are in all."""
        if self._bar is not None:
            self._bar.total = steps
            self._bar.refresh()

    def say(self, text: str) -> None:
        """Show what is being done, without a step forward."""
        if self._bar is not None:
            self._bar.set_description_str(text)

    def step(self, text: str) -> None:
        """Go one step forward and show what comes now."""
        if self._bar is not None:
            self._bar.update(1)
            self._bar.set_description_str(text)


@contextmanager
def _progress(show: bool) -> Iterator[_Bar]:
    """Give a progress bar for the terminal or the notebook; it is closed however the run ends."""
    if not show:
        yield _Bar(None)
        return
    from tqdm.auto import tqdm

    with tqdm(total=1, bar_format="{desc:<40} {bar} {n_fmt}/{total_fmt}", leave=False) as bar:
        yield _Bar(bar)
