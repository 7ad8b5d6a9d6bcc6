"""Write the coverage map: one HTML file that opens by double click on a machine without internet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geopandas import GeoDataFrame

from careshed.maps.facts import (
    Reached,
    Scope,
    judged_count,
    key_sentence,
    only_service,
    plan_sentences,
    reached_counts,
    scope_of,
    service_facilities,
)
from careshed.maps.layers import (
    Layer,
    bands_layer,
    degrees,
    facilities_layer,
    gaps_layer,
    sites_layer,
    streets_layer,
    units_layer,
    water_layer,
)
from careshed.maps.notes import assumptions, fault_lines
from careshed.maps.panel import gap_rows, radios, reached_table, site_rows, split_bar, switches
from careshed.maps.population import population_layer
from careshed.maps.text import TEXTS, count, in_sentence, say
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd

    from careshed.reach import TravelTimes
    from careshed.siting import SitePlan
    from careshed.study import Study

GAPS_LISTED = 8
"""Gaps listed beside the map; all of them are drawn."""

FAULTS_LISTED = 80
"""Faults listed on the page; the run's fault table holds all of them."""


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
    group: str | None = None,
    lang: Lang | None = None,
    title: str | None = None,
    tiles: str | None = None,
) -> Path:
    """Write a map that shows who can reach a service, who cannot, and where to build next.

    Everything but the path and the study is optional; what is not given is not drawn. The page holds Leaflet and all data and
    asks no other machine for anything, unless the study or `tiles` asks for a background map.

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
    group
        Population group the page leads with; left out, the service's.
    lang
        ``zh`` or ``en``; left out, the study's.
    tiles
        Address of background tiles such as ``https://{s}.tile.example/{z}/{x}/{y}.png``, "" for none; left out, what the study's
        ``[map]`` section asks for, by default none. Such a page does use the internet.

    Returns
    -------
    pathlib.Path
        The file written. The same input gives the same bytes.

    Raises
    ------
    ValueError
        If `covered` or `isochrones` is not by minutes of travel.

    Examples
    --------
    >>> from shapely import Point
    >>> from tempfile import TemporaryDirectory
    >>> from types import SimpleNamespace
    >>> cells = GeoDataFrame({"p0_3": [40.0]}, geometry=[Point(500_000, 3_500_000)], crs="EPSG:32651")
    >>> from careshed.study.config import MapSection
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
    from careshed.maps.frame import Page, page_text

    _by_minutes(covered=covered, isochrones=isochrones)
    told = service if service is not None else only_service(study)
    scope = scope_of(study, service=told, group=group, lang=lang, times=times, covered=covered)
    counts = reached_counts(scope, study.cells, times, covered)
    facilities = service_facilities(study, told, times)
    layers = _layers(study, scope, facilities=facilities, gaps=gaps, plan=plan, covered=covered, isochrones=isochrones)
    heading = title or _heading(scope)
    head = _head(study, scope, heading, judged_count(scope, counts))
    body = _body(study, scope, layers=layers, counts=counts, times=times, gaps=gaps, plan=plan)
    page = Page(
        lang=scope.lang,
        title=f"{heading} · {study.name}",
        head=head,
        body=body,
        bounds=_bounds(study),
        layers=layers,
        words={key: pick(scope.lang, *words) for key, words in TEXTS.items()},
        made_up=study.made_up,
        attribution=study.config.map.attribution,
        tiles=(study.config.map.tiles if tiles is None else tiles) or None,
    )
    return _write_whole(Path(path), page_text(page))


def _by_minutes(**tables: pd.DataFrame | GeoDataFrame | None) -> None:
    wrong = [name for name, table in tables.items() if table is not None and "minutes" not in table.columns]
    if wrong:
        told = " and ".join(wrong)
        raise ValueError(f"{told}: no column 'minutes'; a map shows walking time, so compute it with minutes=, not metres=")


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
) -> dict[str, Layer]:
    """Collect what is there to draw, from the ground up."""
    found: dict[str, Layer | None] = _background(study)
    found["population"] = population_layer(study.cells, scope.group, study.population.grid)
    if study.units is not None and len(study.units):
        found |= {f"units{tier}": units_layer(study.units, tier, covered, scope) for tier in (1, 2, 3)}
    if isochrones is not None and len(isochrones):
        found["bands"] = bands_layer(isochrones)
    if gaps is not None and len(gaps):
        found["gaps"] = gaps_layer(gaps, scope)
    if facilities is not None and len(facilities):
        found["facilities"] = facilities_layer(facilities, scope)
    if plan is not None and len(plan.sites):
        found["sites"] = sites_layer(plan, scope)
    return {key: layer for key, layer in found.items() if layer is not None}


def _background(study: Study) -> dict[str, Layer | None]:
    found: dict[str, Layer | None] = {}
    water = getattr(study, "water", None)
    if water is not None and len(water):
        found["water"] = water_layer(water)
    lines_of = getattr(getattr(study, "streets", None), "lines", None)
    if lines_of is not None:
        lines = lines_of(study.crs)
        found |= {"streets": streets_layer(lines)} if len(lines) else {}
    return found


def _bounds(study: Study) -> list[list[float]]:
    shown = study.cells if len(study.cells) else study.units
    if shown is None or not len(shown):
        return [[-60.0, -180.0], [60.0, 180.0]]
    west, south, east, north = (round(float(edge), 5) for edge in degrees(shown).total_bounds)
    return [[south, west], [north, east]]


def _head(study: Study, scope: Scope, heading: str, one: Reached | None) -> dict[str, object]:
    return {
        "heading": heading,
        "place": study.name,
        "date": say(scope.lang, "data_date", study.data_date) if study.data_date else "",
        "made_up": study.made_up,
        "sentence": key_sentence(scope, one),
        "bar": split_bar(one, scope.lang) if one is not None else None,
    }


def _body(
    study: Study,
    scope: Scope,
    *,
    layers: dict[str, Layer],
    counts: list[Reached],
    times: TravelTimes | None,
    gaps: GeoDataFrame | None,
    plan: SitePlan | None,
) -> dict[str, object]:
    told = fault_lines((*study.faults, *(plan.findings if plan is not None else ())), scope)
    many = len(gaps) if gaps is not None else 0
    return {
        "table": reached_table(counts, scope) if counts else None,
        "switches": switches(layers, scope, gaps),
        "radios": radios(layers, study.units, scope),
        "plan": None if plan is None else {"sentences": plan_sentences(scope, plan), "sites": site_rows(plan, scope)},
        "gaps": gap_rows(gaps, scope, GAPS_LISTED) if gaps is not None and many else [],
        "gaps_shown": say(scope.lang, "gaps_shown", min(GAPS_LISTED, many), count(many)),
        "assumptions": assumptions(study, scope, times),
        "faults": told[:FAULTS_LISTED],
        "faults_more": say(scope.lang, "faults_more", len(told) - FAULTS_LISTED) if len(told) > FAULTS_LISTED else "",
        "fault_count": len(told),
    }


def _write_whole(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    aside.write_bytes(text.encode("utf-8"))
    aside.replace(path)
    return path
