"""Write the coverage map: one HTML file that opens by double click on a machine without internet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geopandas import GeoDataFrame

from careshed.maps.base import background, head, notes, write_page
from careshed.maps.cells import cells_layer
from careshed.maps.facts import (
    Reached,
    Scope,
    judged_count,
    key_sentence,
    lead_sentence,
    only_service,
    plan_sentences,
    reached_counts,
    scope_of,
    service_facilities,
    units_without,
)
from careshed.maps.layers import (
    Layer,
    bands_layer,
    cell_bands,
    facilities_layer,
    gaps_layer,
    sites_layer,
    units_layer,
)
from careshed.maps.notes import assumptions, bands_one_mode, drawing_notes
from careshed.maps.others import other_switches, others_layer
from careshed.maps.panel import chooser, gap_rows, radios, reached_table, site_rows, split_bar, switches
from careshed.maps.shares import shares_layer
from careshed.maps.text import count, in_sentence, say
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd

    from careshed.reach import TravelTimes
    from careshed.run import ServiceResult
    from careshed.schema import Fault
    from careshed.siting import SitePlan
    from careshed.study import Study

GAPS_LISTED = 8
"""Gaps listed beside the map; all of them are drawn."""


def write_map(
    path: str | Path,
    study: Study,
    *,
    service: str | None = None,
    times: TravelTimes | None = None,
    gaps: GeoDataFrame | None = None,
    plan: SitePlan | None = None,
    covered: pd.DataFrame | None = None,
    isochrones: GeoDataFrame | None = None,
    others: Sequence[ServiceResult] = (),
    findings: Sequence[Fault] = (),
    group: str | None = None,
    lang: Lang | None = None,
    title: str | None = None,
    tiles: str | None = None,
) -> Path:
    """Write a map that shows who can reach a service, who cannot, and where to build next.

    Everything but the path and the study is optional; what is not given is not drawn. The page holds Leaflet and all data and
    asks no other machine for anything, unless the reader switches on an online background that the study or `tiles` offers. It
    keeps to a few megabytes at any size: streets and bands that need more are drawn coarser, and the page says so.

    Parameters
    ----------
    service
        Id of the service shown; left out, the study's only service.
    times
        Travel times: mode, direction, unattached people; counts, where `covered` is left out.
    covered
        Coverage by unit, as `careshed.access.coverage` gives it, for all groups and limits to be shown.
    isochrones
        Merged polygons with a column ``minutes``, the larger limits containing the smaller.
    others
        Other services of the same study, as a run worked them out: the reader can switch on their facilities, sites and gaps.
    findings
        What was found while computing, listed beside the faults of reading and the plan's findings, each once.
    group
        Population group the page leads with; left out, the service's.
    lang
        ``zh`` or ``en``; left out, the study's.
    tiles
        Online background: an address such as ``https://{s}.tile.example/{z}/{x}/{y}.png``, ``tianditu``, ``osm``, or "" for none;
        left out, what the study's ``[map]`` section asks for, by default none. The page asks for it once the reader ticks it.

    Returns
    -------
    pathlib.Path
        The file written. The same input gives the same bytes.

    Raises
    ------
    ValueError
        If `covered` or `isochrones` is not by minutes of travel, or `gaps` does not say how far the nearest facility is.

    Examples
    --------
    >>> from shapely import Point
    >>> from tempfile import TemporaryDirectory
    >>> from types import SimpleNamespace
    >>> cells = GeoDataFrame({"p0_3": [40.0]}, geometry=[Point(500_000, 3_500_000)], crs="EPSG:32651")
    >>> from careshed.settings.sections import MapSection
    >>> study = SimpleNamespace(
    ...     name="Qingwan", lang="en", made_up=True, data_date="2025-06-30", crs=cells.crs, snap_m=150.0, cells=cells,
    ...     population=SimpleNamespace(grid=None), units=None, streets=None, faults=(), services=(),
    ...     config=SimpleNamespace(map=MapSection()),
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     page = write_map(f"{folder}/map.html", study, group="p0_3")
    ...     "counts per cell, no positions of people" in page.read_text(encoding="utf-8")
    True
    """
    _by_minutes(covered=covered, isochrones=isochrones)
    _gaps_fit(gaps)
    told = service if service is not None else only_service(study)
    scope = scope_of(study, service=told, group=group, lang=lang, times=times, covered=covered)
    counts = reached_counts(scope, study.cells, times, covered)
    one = judged_count(scope, counts)
    facilities = service_facilities(study, told, times)
    layers = _layers(
        study, scope, facilities=facilities, gaps=gaps, plan=plan, covered=covered, isochrones=isochrones, times=times
    )
    shares = shares_layer(study.units, covered, counts, scope)
    layers |= {"shares": shares} if shares is not None else {}
    beside = others_layer(study, others, scope.lang)
    layers |= {"others": beside} if beside is not None else {}
    bar = split_bar(one, scope.lang) if one is not None else None
    lead = lead_sentence(scope, one, units_without(facilities, study.units))
    body = _body(
        study, scope, layers=layers, counts=counts, times=times, gaps=gaps, plan=plan, covered=covered, findings=findings
    )
    own = switches(layers, scope, gaps, one)
    return write_page(
        path,
        study,
        scope,
        head=head(study, scope, title or _heading(scope), sentence=key_sentence(scope, one), bar=bar) | {"lead": lead},
        body=body | {"switches": own if beside is None else [*own, *other_switches(beside, others, scope.lang)]},
        layers=layers,
        tiles=tiles,
        parts=() if beside is None else ("others",),
    )


def _by_minutes(**tables: pd.DataFrame | GeoDataFrame | None) -> None:
    wrong = [name for name, table in tables.items() if table is not None and "minutes" not in table.columns]
    if wrong:
        told = " and ".join(wrong)
        raise ValueError(f"{told}: no column 'minutes'; a map shows walking time, so compute it with minutes=, not metres=")


def _gaps_fit(gaps: GeoDataFrame | None) -> None:
    if gaps is not None and not {"minutes_nearest", "metres_nearest"} & set(gaps.columns):
        raise ValueError("gaps: no column 'minutes_nearest' or 'metres_nearest'; make the table with careshed.find_gaps")


def _heading(scope: Scope) -> str:
    if not scope.service:
        return say(scope.lang, "title_any")
    return pick(scope.lang, f"{scope.service}：谁走得到，谁走不到", f"Who can walk to {in_sentence(scope.service)}, who cannot")


def _layers(
    study: Study,
    scope: Scope,
    *,
    facilities: GeoDataFrame | None,
    gaps: GeoDataFrame | None,
    plan: SitePlan | None,
    covered: pd.DataFrame | None,
    isochrones: GeoDataFrame | None,
    times: TravelTimes | None,
) -> dict[str, Layer]:
    """Collect what is there to draw, from the ground up."""
    found: dict[str, Layer | None] = background(study)
    people = cells_layer(study.cells, scope.groups, study.population.grid, times, lang=scope.lang)
    found["population"] = people
    if study.units is not None and len(study.units):
        found |= {f"units{tier}": units_layer(study.units, tier, covered, scope) for tier in (1, 2, 3)}
    if isochrones is not None and len(isochrones):
        bands = bands_layer(isochrones)
        by_cell = bands is not None and not bands["whole"] and people is not None and "minutes" in people
        found["bands"] = cell_bands(sorted({float(minutes) for minutes in isochrones["minutes"]})) if by_cell else bands
        one_mode = bands_one_mode(found["bands"] or {}, scope)
        if one_mode:
            found["bands"] = (found["bands"] or {}) | {"note": one_mode}
    if gaps is not None and len(gaps):
        found["gaps"] = gaps_layer(gaps, scope)
    if facilities is not None and len(facilities):
        found["facilities"] = facilities_layer(facilities, scope)
    if plan is not None and len(plan.sites):
        found["sites"] = sites_layer(plan, scope)
    return {key: layer for key, layer in found.items() if layer is not None}


def _body(
    study: Study,
    scope: Scope,
    *,
    layers: dict[str, Layer],
    counts: list[Reached],
    times: TravelTimes | None,
    gaps: GeoDataFrame | None,
    plan: SitePlan | None,
    covered: pd.DataFrame | None,
    findings: Sequence[Fault],
) -> dict[str, object]:
    faults = dict.fromkeys((*study.faults, *(plan.findings if plan is not None else ()), *findings))
    many = len(gaps) if gaps is not None else 0
    return {
        "table": reached_table(counts, scope) if counts else None,
        "radios": radios(layers, study.units, scope),
        "chooser": chooser(layers, scope),
        "plan": None if plan is None else {"sentences": plan_sentences(scope, plan), "sites": site_rows(plan, scope)},
        "gaps": gap_rows(gaps, scope, GAPS_LISTED) if gaps is not None and many else [],
        "gaps_shown": say(scope.lang, "gaps_shown", min(GAPS_LISTED, many), count(many)),
    } | notes(scope, [*assumptions(study, scope, times, covered), *drawing_notes(layers, scope)], faults)
