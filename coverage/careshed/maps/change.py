"""Write the map of a change: who gains reach and who loses it when facilities, streets or people change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from careshed.maps.base import background, head, notes, write_page
from careshed.maps.facts import Scope, scope_of
from careshed.maps.gains import (
    SAVED_COLOURS,
    change_bar,
    change_layer,
    change_legends,
    change_sentence,
    change_table,
    measure_of,
    more_sentences,
    moved_facilities,
    moved_layer,
    moved_rows,
    point_legend,
    point_shade,
    saved_layer,
    saved_legend,
    unit_rows,
)
from careshed.maps.layers import Layer, facilities_layer, shaded_units
from careshed.maps.notes import assumptions
from careshed.maps.panel import Switch, ground_switches, population_legend, tier_choices
from careshed.maps.population import population_layer
from careshed.maps.street_changes import changed_streets, street_change_layers, street_rows, street_switches
from careshed.maps.text import count, say
from careshed.maps.wording import CHANGES, told
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes
    from careshed.schema import Fault
    from careshed.study import Study
    from careshed.supply.compare import Comparison


def write_change_map(
    path: str | Path,
    study: Study,
    *,
    service: str,
    before: TravelTimes,
    after: TravelTimes,
    change: Comparison,
    later: Study | None = None,
    lang: Lang | None = None,
) -> Path:
    """Write a map that shows who gains reach of a service and who loses it between two runs, cell by cell and unit by unit.

    Cells that gain are blue, cells that lose orange, darker where more people live. Facilities that only one run has are marked
    as new or closed, and so are the streets that only one study has, by line style and name. The page holds Leaflet and all
    data and asks no other machine for anything, unless the study asks for a
    background map.

    Parameters
    ----------
    service
        Id of the service shown.
    before, after
        Travel times of the two runs; a facility in both has the same id in both.
    change
        Who gains and who loses, as `careshed.supply.compare.compare_runs` gives it for these runs.
    later
        The study after the change, where its streets are others: see `careshed.study.Study.with_streets`.
    lang
        ``zh`` or ``en``; left out, the study's.

    Returns
    -------
    pathlib.Path
        The file written. The same input gives the same bytes.

    Raises
    ------
    ValueError
        If the runs or the comparison are not of the study's cells.

    Examples
    --------
    A new garden brings the twenty children of the second cell within 15 minutes.

    >>> import geopandas as gpd, numpy as np, pandas as pd
    >>> from tempfile import TemporaryDirectory
    >>> from types import SimpleNamespace
    >>> from careshed.modes import WALK_TODDLER
    >>> from careshed.reach import TravelTimes
    >>> from careshed.settings.sections import MapSection, Service
    >>> at = gpd.points_from_xy([500_000, 500_900], [3_500_000, 3_500_000], crs="EPSG:32651")
    >>> cells = gpd.GeoDataFrame({"p0_3": [30.0, 20.0], "unit": ""}, geometry=at)
    >>> garden = gpd.GeoDataFrame({"name": ["Garden"], "type": "nursery"}, index=["g"], geometry=at[:1])
    >>> study = SimpleNamespace(
    ...     name="Qingwan", lang="en", made_up=True, data_date="", crs=cells.crs, snap_m=150.0, cells=cells, units=None,
    ...     streets=None, population=SimpleNamespace(grid=None), faults=(), config=SimpleNamespace(map=MapSection()),
    ...     service=lambda _: Service(id="care", name_en="Childcare", types=("nursery",), group="p0_3", mode="toddler"),
    ... )
    >>> def run(*minutes):
    ...     nearest = np.array(minutes) * 60_000
    ...     return TravelTimes(garden, cells.index, np.array([0, 0]), np.array([], np.int32), np.array([], np.uint32), nearest,
    ...                        np.zeros(2, np.int32), np.array(["", ""]), np.array([""]), "time", 900_000, "to_facility",
    ...                        WALK_TODDLER, 150.0)
    >>> from careshed.supply.compare import compare_runs
    >>> units = gpd.GeoDataFrame({"name": [], "level": [], "parent": []}, geometry=[], crs=cells.crs)
    >>> change = compare_runs(run(1, 20), run(1, 10), cells, units, minutes=15, group="p0_3")
    >>> with TemporaryDirectory() as folder:
    ...     page = write_change_map(
    ...         f"{folder}/change.html", study, service="care", before=run(1, 20), after=run(1, 10), change=change
    ...     )
    ...     "20 gain reach, 0 lose it." in page.read_text(encoding="utf-8")
    True
    """
    _fit(study, before, after, change)
    scope = scope_of(study, service=service, group=change.group, lang=lang, times=after, covered=None)
    moved, kept = moved_facilities(before.facilities, after.facilities)
    ways = changed_streets(study.streets, (later or study).streets, study.crs)
    layers = _layers(study, scope, change, moved, kept) | street_change_layers(ways, scope)
    return write_page(
        path,
        study,
        scope,
        head=head(
            study,
            scope,
            _heading(scope),
            sentence=change_sentence(change, scope),
            bar=change_bar(change, scope),
            note=told(CHANGES, scope.lang, "figure_note"),
        ),
        body={
            "switches": _switches(layers, scope, moved, kept, street_switches(ways, scope)),
            "radios": _fills(layers, study, scope, change),
            "more": more_sentences(change, scope),
            "moved": moved_rows(moved, study.units, scope),
            "ways": street_rows(ways, scope),
            "changes": change_table(change, layers, study.units, scope),
        }
        | notes(scope, assumptions(study, scope, after), (*_of_change(study, later), *study.faults, *change.findings)),
        layers=layers,
        words=CHANGES,
        parts=("supply",),
    )


def _fit(study: Study, before: TravelTimes, after: TravelTimes, change: Comparison) -> None:
    here = study.cells.index
    given = {"before": before.cell_ids, "after": after.cell_ids, "change": change.cells.index}
    wrong = [f"{name} is for {len(cells)} other cells" for name, cells in given.items() if not cells.equals(here)]
    if wrong:
        raise ValueError(f"the runs do not fit the {len(here)} cells of the study: {'; '.join(wrong)}; compute them again")


def _of_change(study: Study, later: Study | None) -> tuple[Fault, ...]:
    """What was told when the study was changed: which streets the new ones join."""
    return () if later is None else tuple(fault for fault in later.faults if fault not in study.faults)


def _heading(scope: Scope) -> str:
    return pick(scope.lang, f"{scope.service}：谁得益，谁受损", f"{scope.service}: who gains, who loses")


def _layers(study: Study, scope: Scope, change: Comparison, moved: GeoDataFrame, kept: GeoDataFrame) -> dict[str, Layer]:
    """Collect what is there to draw, from the ground up."""
    grid = study.population.grid
    found: dict[str, Layer | None] = background(study)
    found["population"] = population_layer(study.cells, scope.group, grid)
    found["change"] = change_layer(study.cells, change, grid)
    found["saved"] = saved_layer(study.cells, change, grid)
    if study.units is not None:
        shade = point_shade(unit_rows(change), scope)
        found |= {f"units{tier}": shaded_units(study.units, tier, shade, SAVED_COLOURS) for tier in (1, 2, 3)}
    if len(kept):
        found["facilities"] = facilities_layer(kept, scope)
    if len(moved):
        found["moved"] = moved_layer(moved, scope)
    return {key: layer for key, layer in found.items() if layer is not None}


def _switches(
    layers: dict[str, Layer], scope: Scope, moved: GeoDataFrame, kept: GeoDataFrame, ways: list[Switch]
) -> list[tuple[str, list[Switch]]]:
    """List the layers that can be switched; colours of cells and units are chosen apart, one at a time."""
    lang, results = scope.lang, list(ways)
    if "moved" in layers:
        new = int((moved["kind"] == "new").sum())
        results.append(
            Switch("moved", told(CHANGES, lang, "moved"), told(CHANGES, lang, "moved_count", new, len(moved) - new), _sign(moved))
        )
    if "facilities" in layers:
        results.append(Switch("facilities", told(CHANGES, lang, "kept"), say(lang, "places_count", count(len(kept))), "dot"))
    lists = ((say(lang, "on_map"), results), (say(lang, "base"), ground_switches(layers, lang)))
    return [(name, items) for name, items in lists if items]


def _sign(moved: GeoDataFrame) -> str:
    return "new" if (moved["kind"] == "new").any() else "closed"


def _fills(layers: dict[str, Layer], study: Study, scope: Scope, change: Comparison) -> dict[str, object]:
    """Offer the colourings of the map, of which one is shown at a time."""
    lang = scope.lang
    choices, legends = [("change", told(CHANGES, lang, "who"))], change_legends(change, scope)
    if "saved" in layers:
        choices.append(("saved", told(CHANGES, lang, "saved" if measure_of(change) == "minutes" else "saved_m")))
        legends.append(saved_legend(change, scope))
    tiers = tier_choices(layers, study.units, lang)
    if tiers:
        choices += [(value, told(CHANGES, lang, "by_unit", label)) for value, label in tiers]
        legends.append(point_legend([value for value, _ in tiers], scope))
    if "population" in layers:
        choices.append(("population", say(lang, "population")))
        legends.append(population_legend(layers["population"], scope))
    choices.append(("", say(lang, "off")))
    return {"title": told(CHANGES, lang, "fills"), "choices": choices, "legends": legends, "leads": True}
