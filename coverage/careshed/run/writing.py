"""Write every output of a run; each file appears whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from careshed.maps import write_map, write_places_map
from careshed.maps.index import write_index
from careshed.policy.changes import save_run_card
from careshed.reach import write_travel_times
from careshed.report import write_coverage, write_faults, write_gaps, write_hierarchy, write_layer, write_places, write_sites
from careshed.report.committee import write_workbook
from careshed.report.layers import write_layers
from careshed.report.premises import told_plan
from careshed.report.scorecard import write_scorecard
from careshed.run.manifest import write_manifest
from careshed.run.plans import write_plan
from careshed.run.whatif import whatif_page
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.run.progress import Bar
    from careshed.run.results import Folders, RunResult, ServiceResult
    from careshed.schema import Fault
    from careshed.study import Study
    from careshed.supply.hierarchy import Hierarchy


def write_all(result: RunResult, folders: Folders, lang: Lang, bar: Bar) -> list[Path]:
    """Write every output of a run; each file appears whole or not at all."""
    study, hierarchy, card = result.study, result.hierarchy, result.card
    maps, lists, tables = [], [], []
    told: list[Fault] = []
    about: dict[str, Any] = {"study_name": study.name, "lang": lang, "made_up": study.made_up, "data_date": study.data_date}
    for one in result.services:
        service = one.service
        bar.step(pick(lang, f"{service.name(lang)}：写出地图和清单", f"{service.name(lang)}: writing map and lists"))
        maps.append(
            write_map(
                folders.maps / f"{service.id}.html",
                study,
                service=service.id,
                times=one.times,
                gaps=one.gaps,
                plan=one.plan,
                covered=one.covered,
                isochrones=one.isochrones,
                others=[other for other in result.services if other is not one],
                findings=_findings(result, one),
                lang=lang,
            )
        )
        if one.places is not None:
            maps.append(_places_map(study, one, hierarchy, folders, lang))
        pages, untold = whatif_page(folders.maps, study, one, lang)
        maps, told = [*maps, *pages], [*told, *untold]
        titled = about | {"study_name": f"{study.name} · {service.name(lang)}"}
        site_list = folders.maps / f"{service.id}_sites"
        ends, listed = (".xlsx", ".csv", ".geojson"), told_plan(result.services, one)
        lists += [write_sites(site_list.with_suffix(end), listed, excluded=study.faults, **titled) for end in ends]
        if one.places is not None:
            lists.append(write_places(folders.maps / f"{service.id}_places.xlsx", one.places, units=study.units, **titled))
        tables += _write_tables(one, folders.processed, titled)
    section = study.config.hierarchy
    if hierarchy is not None and section is not None:
        mode = study.travel_mode(section.mode)
        moved = pick(lang, mode.zh, mode.en)
        lists.append(write_hierarchy(folders.maps / "hierarchy.xlsx", hierarchy, names=section.names(lang), mode=moved, **about))
    if card is not None:
        maps.append(write_scorecard(folders.maps / "scorecard.html", card, lang=lang))
        lists.append(write_scorecard(folders.maps / "scorecard.xlsx", card, lang=lang))
        tables.append(save_run_card(folders.processed / "scorecards", card, replace=True))
    lists += write_layers(folders.maps / "layers.gpkg", result, lang)
    lists.append(write_workbook(folders.maps / "committee.xlsx", result, lang))
    tables.append(write_faults(folders.processed / "faults.csv", (*result.faults, *told), lang=lang))
    files = [*maps, *(file for plan in result.plans for file in write_plan(folders.maps, plan, lang)), *lists, *tables]
    files.append(write_index(folders.maps / "index.html", result, files, lang))
    return [*files, write_manifest(study, result.services, result.faults, files, folders.processed / "run.json", result.plans)]


def _findings(result: RunResult, one: ServiceResult) -> list[Fault]:
    """What was found while computing one service: on its streets, unless its travel times are imported, and of itself."""
    apart = {*result.study.faults, *(fault for service in result.services for fault in service.faults)}
    apart |= {*(result.card.faults if result.card is not None else ())}
    apart |= {*(result.hierarchy.findings if result.hierarchy is not None else ())}
    apart |= {fault for plan in result.plans for fault in plan.findings}
    streets = [] if one.times.imported else [fault for fault in result.faults if fault not in apart]
    return [*streets, *one.faults]


def _places_map(study: Study, result: ServiceResult, hierarchy: Hierarchy | None, folders: Folders, lang: Lang) -> Path:
    """Write the map of who finds a place; the network of facilities is drawn where the service is part of it."""
    service, found = result.service, result.places
    assert found is not None
    levels = study.config.hierarchy.level if study.config.hierarchy is not None else ()
    linked = any(set(level.types) & set(service.types) for level in levels)
    return write_places_map(
        folders.maps / f"{service.id}_places.html",
        study,
        service=service.id,
        times=result.times,
        assignment=found.assignment,
        access=found.access,
        hierarchy=hierarchy if linked else None,
        demand_rate=found.demand_rate,
        lang=lang,
    )


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
