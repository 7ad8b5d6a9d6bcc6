"""Write the map of places: who has one, who finds none within reach, who is out of reach, and how full each facility is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import pandas as pd

from careshed.maps.base import background, head, notes, write_page
from careshed.maps.facilities import (
    LINES_AT_ONCE,
    facility_lists,
    facility_rows,
    label_all,
    load_class,
    load_steps,
    load_table,
    places_layer,
    size_legend,
    supply_lines,
)
from careshed.maps.facts import Scope, scope_of
from careshed.maps.hierarchy import hierarchy_layer, orphans
from careshed.maps.layers import Layer, located, shaded_units
from careshed.maps.notes import assumptions
from careshed.maps.panel import Switch, bar_of, ground_switches, population_legend, tier_choices
from careshed.maps.population import population_layer
from careshed.maps.split import (
    SHARE_COLOURS,
    Assigned,
    Split,
    access_layer,
    access_legend,
    share_breaks,
    share_legend,
    split_layer,
    split_legend,
    split_parts,
    split_sentence,
    unit_shade,
    unit_split,
    whole_split,
)
from careshed.maps.text import count, say, share
from careshed.maps.units import unit_list
from careshed.maps.wording import PLACES, limit_text, told
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes
    from careshed.study import Study
    from careshed.supply.catchments import CatchmentResult
    from careshed.supply.hierarchy import Hierarchy, Links

FULL: Final = 4
"""From this class of load on a facility has no place left: `careshed.maps.facilities.load_class`."""


def write_places_map(
    path: str | Path,
    study: Study,
    *,
    service: str,
    times: TravelTimes,
    assignment: Assigned,
    access: CatchmentResult | None = None,
    links: pd.DataFrame | None = None,
    hierarchy: Hierarchy | Links | None = None,
    demand_rate: float = 1.0,
    lang: Lang | None = None,
) -> Path:
    """Write a map that shows who has a place, who finds none within reach, who is out of reach, and how full facilities are.

    Facilities are circles, their area by places and their colour by the share taken; choosing one shows whom it takes. The page
    holds Leaflet and all data and asks no other machine for anything, unless the study asks for a background map.

    Parameters
    ----------
    service
        Id of the service shown.
    times
        Travel times that the assignment was made from.
    assignment
        Who goes where: an assignment of the group's people to these facilities; what it must hold is `Assigned`.
    access
        Places within reach of each cell by a floating catchment method, for a second colouring of the cells.
    links
        Links drawn from facilities to cells: ``cell_id``, ``facility_id``, ``people``; left out, those of the assignment.
    hierarchy
        Who depends on whom among facilities, drawn as lines; facilities without a parent get a ring.
    demand_rate
        Share of the group that looks for a place, as the assignment took it; the page says so.
    lang
        ``zh`` or ``en``; left out, the study's.

    Returns
    -------
    pathlib.Path
        The file written. The same input gives the same bytes.

    Raises
    ------
    ValueError
        If assignment, travel times and study are not of the same cells and facilities.

    Examples
    --------
    Twelve places for thirty children in reach; twenty live too far away.

    >>> import geopandas as gpd, numpy as np, pandas as pd
    >>> from tempfile import TemporaryDirectory
    >>> from types import SimpleNamespace
    >>> from careshed.modes import WALK_TODDLER
    >>> from careshed.reach import TravelTimes
    >>> from careshed.settings.sections import MapSection, Service
    >>> at = gpd.points_from_xy([500_000, 500_900], [3_500_000, 3_500_000], crs="EPSG:32651")
    >>> cells = gpd.GeoDataFrame({"p0_3": [30.0, 20.0], "unit": ""}, geometry=at)
    >>> garden = gpd.GeoDataFrame({"name": ["Garden"], "places": [12.0]}, index=["g"], geometry=at[:1])
    >>> study = SimpleNamespace(
    ...     name="Qingwan", lang="en", made_up=True, data_date="", crs=cells.crs, snap_m=150.0, cells=cells, units=None,
    ...     streets=None, population=SimpleNamespace(grid=None), faults=(), config=SimpleNamespace(map=MapSection()),
    ...     service=lambda _: Service(id="care", name_en="Childcare", types=("nursery",), group="p0_3", mode="toddler"),
    ... )
    >>> times = TravelTimes(garden, cells.index, np.array([0, 1]), np.array([0], np.int32), np.array([60_000], np.uint32),
    ...     np.array([60_000, 1_000_000]), np.zeros(2, np.int32), np.array(["", ""]), np.array([""]), "time", 900_000,
    ...     "to_facility", WALK_TODDLER, 150.0)
    >>> split = pd.DataFrame({"people": [30.0, 20.0], "served": [12.0, 0.0], "no_place": [18.0, 0.0], "out_of_reach": [0.0, 20.0],
    ...                       "unjudged": 0.0})
    >>> taken = pd.DataFrame({"places": [12.0], "served": [12.0], "spare": [0.0], "load": [1.0]}, index=["g"])
    >>> links = pd.DataFrame({"cell_id": [0], "facility_id": ["g"], "people": [12.0]})
    >>> assignment = SimpleNamespace(cells=split, facilities=taken, links=links, group="p0_3", limit=900_000)
    >>> with TemporaryDirectory() as folder:
    ...     page = write_places_map(f"{folder}/places.html", study, service="care", times=times, assignment=assignment)
    ...     "12 (24.0%) have a place within 15 minutes, 18 (36.0%) could walk" in page.read_text(encoding="utf-8")
    True
    """
    _fit(study, times, assignment)
    scope = scope_of(study, service=service, group=assignment.group, lang=lang, times=times, covered=None)
    scope = replace(scope, demand_rate=demand_rate)
    split = whole_split(assignment.cells)
    table = load_table(times, assignment.facilities, assignment.cells, assignment.limit)
    shown = assignment.links if links is None else links
    splits = unit_split(assignment.cells, study.cells["unit"], study.units) if study.units is not None else {}
    breaks = share_breaks(splits)
    layers = _layers(study, scope, assignment, table, shown, access, hierarchy, splits, breaks)
    by_time = times.metric == "time"
    limit = assignment.limit / (60_000 if by_time else 1000)
    words = limit_text(scope.lang, limit if by_time else None, None if by_time else limit)
    return write_page(
        path,
        study,
        scope,
        head=head(
            study,
            scope,
            _heading(scope),
            sentence=split_sentence(scope, split, words),
            bar=bar_of(split_parts(split, scope), split.people) | {"share": share(split.served, split.people)},
            note=told(PLACES, scope.lang, "figure_note"),
        ),
        body={
            "switches": _switches(layers, scope, table, len(shown), hierarchy),
            "radios": _fills(layers, study, scope, access, breaks),
            "supply": supply_lines(table, split.served + split.no_place, scope),
            "loads": facility_lists(facility_rows(table, study.units, scope), scope),
            "unit_bars": unit_list(splits, layers, study.units, scope),
        }
        | notes(scope, [*_rule(assignment, scope), *assumptions(study, scope, times)], study.faults),
        layers=layers,
        words=PLACES,
        parts=("supply",),
    )


def _rule(assignment: Assigned, scope: Scope) -> list[tuple[str, str]]:
    """Say by which rule people were assigned, where the assignment knows."""
    method = getattr(assignment, "method", None)
    return [(told(PLACES, scope.lang, "rule"), method(scope.lang))] if callable(method) else []


def _fit(study: Study, times: TravelTimes, assignment: Assigned) -> None:
    wrong = []
    if not assignment.cells.index.equals(study.cells.index):
        wrong.append(f"its {len(assignment.cells)} cells are not the {len(study.cells)} cells of the study")
    if not times.cell_ids.equals(study.cells.index):
        wrong.append(f"the travel times are for {len(times.cell_ids)} other cells")
    if not assignment.facilities.index.equals(times.facilities.index):
        wrong.append("its facilities are not those of the travel times")
    if wrong:
        raise ValueError(f"the assignment does not fit: {'; '.join(wrong)}; make it from these travel times and cells")


def _heading(scope: Scope) -> str:
    return pick(scope.lang, f"{scope.service}：谁有位，谁没有", f"{scope.service}: who has a place, who has none")


def _layers(
    study: Study,
    scope: Scope,
    assignment: Assigned,
    table: GeoDataFrame,
    links: pd.DataFrame,
    access: CatchmentResult | None,
    hierarchy: Hierarchy | Links | None,
    splits: dict[str, Split],
    breaks: list[float],
) -> dict[str, Layer]:
    """Collect what is there to draw, from the ground up."""
    grid, people = study.population.grid, assignment.cells["people"].to_numpy(dtype=float)
    found: dict[str, Layer | None] = background(study)
    found["population"] = population_layer(study.cells, scope.group, grid)
    found["split"] = split_layer(study.cells, assignment.cells, grid)
    if access is not None:
        found["access"] = access_layer(study.cells, access, people, grid)
    if study.units is not None:
        shade, colours = unit_shade(splits, breaks, scope), SHARE_COLOURS[: len(breaks) + 2]
        found |= {f"units{tier}": shaded_units(study.units, tier, shade, colours) for tier in (1, 2, 3)}
    found["places"] = _with_spare(places_layer(table, links, study.cells, scope), table, scope)
    if len(links) <= LINES_AT_ONCE:
        found["spider"] = {}
    if hierarchy is not None:
        found["hierarchy"] = hierarchy_layer(hierarchy, study.facility_table, scope)
    return {key: layer for key, layer in found.items() if layer is not None}


def _with_spare(layer: Layer, table: GeoDataFrame, scope: Scope) -> Layer:
    """Say of every facility that has them how many places are left."""
    spare = located(table)["spare"].to_numpy(dtype=float)
    tips = cast("list[list[str]]", layer["tips"])
    form = pick(scope.lang, "空余 {} 位", "{} places left")
    more = ([form.format(count(left))] if left >= 0.5 else [] for left in spare)
    return layer | {"tips": [[*tip, *line] for tip, line in zip(tips, more, strict=True)]}


def _fullness(table: GeoDataFrame, scope: Scope) -> str:
    """Say how many facilities are full, and how many places the others have left."""
    known = table[table["load"].notna()]
    full = sum(load_class(float(load)) >= FULL for load in known["load"])
    room, left = len(known) - full, float(known["spare"].clip(lower=0).sum())
    zh = f"满员 {count(full)} 处；未满 {count(room)} 处，共空余 {count(left)} 位。"
    return pick(scope.lang, zh, f"Full: {count(full)}. With room: {count(room)}, {count(left)} places left. ")


def _switches(
    layers: dict[str, Layer], scope: Scope, table: GeoDataFrame, links: int, hierarchy: Hierarchy | Links | None
) -> list[tuple[str, list[Switch]]]:
    """List the layers that can be switched; colours of cells and units are chosen apart, one at a time."""
    lang = scope.lang
    few = "spider" in layers
    circles = Switch(
        "places",
        scope.service,
        label_all(table, scope),
        "",
        load_steps(scope),
        told(PLACES, lang, "load"),
        tuple(size_legend(table)),
        told(PLACES, lang, "size"),
        _fullness(table, scope) + (told(PLACES, lang, "links_some") if few else told(PLACES, lang, "links_many", count(links))),
    )
    results = [circles]
    if few:
        detail = told(PLACES, lang, "links_count", count(links))
        results.append(Switch("spider", told(PLACES, lang, "links_all"), detail, "strand"))
    if hierarchy is not None:
        detail = told(PLACES, lang, "hierarchy_count", count(len(hierarchy.lines)), count(len(orphans(hierarchy))))
        results.append(Switch("hierarchy", told(PLACES, lang, "hierarchy"), detail, "chain"))
    ground = ground_switches(layers, lang)
    return [(say(lang, "on_map"), results), *([(say(lang, "base"), ground)] if ground else [])]


def _fills(
    layers: dict[str, Layer], study: Study, scope: Scope, access: CatchmentResult | None, breaks: list[float]
) -> dict[str, object]:
    """Offer the colourings of the map, of which one is shown at a time."""
    lang = scope.lang
    choices, legends = [("split", told(PLACES, lang, "split"))], [split_legend(scope)]
    if access is not None and "access" in layers:
        choices.append(("access", told(PLACES, lang, "access")))
        legends.append(access_legend(layers["access"], access, scope))
    tiers = tier_choices(layers, study.units, lang)
    if tiers:
        choices += [(value, told(PLACES, lang, "by_unit", label)) for value, label in tiers]
        legends.append(share_legend(breaks, [value for value, _ in tiers], scope))
    if "population" in layers:
        choices.append(("population", say(lang, "population")))
        legends.append(population_legend(layers["population"], scope))
    choices.append(("", say(lang, "off")))
    return {"title": told(PLACES, lang, "fills"), "choices": choices, "legends": legends, "leads": True}
