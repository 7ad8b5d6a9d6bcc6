"""List the assumptions behind a map and the faults found in its data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from careshed.maps.facts import MS_PER_MINUTE, Scope
from careshed.maps.layers import SIMPLIFY_M, Layer
from careshed.maps.text import count, minutes_text, note, say
from careshed.schema import SEVERITIES, Fault, merge_rows
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    import pandas as pd

    from careshed.modes import Mode
    from careshed.reach import TravelTimes
    from careshed.study import Study

Note = tuple[str, str]
"""Label and text of one assumption."""

MM_PER_M = 1000


def assumptions(study: Study, scope: Scope, times: TravelTimes | None, covered: pd.DataFrame | None = None) -> list[Note]:
    """List what the figures rest on, each with its unit.

    Parameters
    ----------
    covered
        Coverage by unit, where the page shows it: its ``could_change`` says what the edge of the data leaves open.
    """
    lang, who = scope.lang, group_name(scope.group, scope.lang)
    people = float(np.asarray(study.cells[scope.group], dtype=float).sum()) if scope.group in study.cells.columns else 0.0
    by_length = times is not None and times.metric == "length"
    cells = "cells" if study.population.grid is not None else "cells_no_grid"
    return [
        *([note(lang, "judged", who, minutes_text(scope.minutes))] if scope.minutes is not None and not by_length else []),
        *([note(lang, "demand_rate", who, scope.demand_rate)] if scope.demand_rate < 1 else []),
        *(_travel(times, scope) if times is not None else []),
        *(_heights(study, times, lang) if times is not None else []),
        *([] if times is not None and times.imported else [note(lang, "snap", study.snap_m)]),
        note(lang, cells, count(len(study.cells)), count(people), who),
        *(_unattached(study, scope, times) if times is not None else []),
        *_edge(covered, scope),
        *([note(lang, "date", study.data_date)] if study.data_date else []),
        note(lang, "drawing", SIMPLIFY_M + 1),
    ]


def drawing_notes(layers: Mapping[str, Layer], scope: Scope) -> list[Note]:
    """Say what was drawn coarser, or left out of the drawing, to keep the page small."""
    lang, found = scope.lang, []
    streets, bands = layers.get("streets", {}), layers.get("bands", {})
    off_m, left_out = float(str(streets.get("off_m", 0.0))), int(str(streets.get("left_out", 0)))
    if left_out:
        found.append(note(lang, "streets_left_out", count(left_out), count(int(str(streets["all"]))), off_m + 1))
    elif off_m > SIMPLIFY_M:
        found.append(note(lang, "streets_coarse", off_m + 1))
    if bands.get("by_cell"):
        found.append(note(lang, "bands_by_cell"))
    elif float(str(bands.get("off_m", 0.0))) > SIMPLIFY_M:
        found.append(note(lang, "bands_coarse", float(str(bands["off_m"])) + 1))
    one_mode = bands_one_mode(bands, scope)
    return [*found, *([note(lang, "bands_of", one_mode)] if one_mode else [])]


def bands_one_mode(bands: Layer, scope: Scope) -> str:
    """Say by whose times the outlines are drawn where people travel by several modes; "" where by everyone's."""
    if scope.mode is None or not scope.mode.parts or not bands or bands.get("by_cell"):
        return ""
    lang, own = scope.lang, scope.mode.parts[0]
    others = (scope.mode.zh.split("／") if lang == "zh" else scope.mode.en.split(" / "))[1:]
    return say(lang, "bands_one_mode", pick(lang, own.zh, own.en), pick(lang, "、", ", ").join(others))


def _heights(study: Study, times: TravelTimes, lang: Lang) -> list[Note]:
    """Say whether heights were used, and that a limit of slope means nothing without them."""
    if times.imported:
        return []
    modes, elevation = times.mode.parts or (times.mode,), getattr(study, "elevation", None)
    limited = [(pick(lang, mode.zh, mode.en), mode.max_slope) for mode in modes if mode.max_slope is not None]
    slowed = [pick(lang, mode.zh, mode.en) for mode in modes if mode.hills != "none"]
    if elevation is None:
        return [note(lang, "slopes_unknown", *one) for one in limited]
    told = [note(lang, "heights", elevation.path.name, pick(lang, "、", ", ").join(slowed))] if slowed else []
    return [*told, *(note(lang, "slope_limit", *one) for one in limited)]


def _edge(covered: pd.DataFrame | None, scope: Scope) -> list[Note]:
    """Say how many people out of reach could be in reach by what lies beyond the edge of the data."""
    if covered is None or "could_change" not in covered.columns:
        return []
    at = (covered.index == "ALL") & (covered["minutes"] == scope.minutes) & (covered["group"] == scope.group)
    people = float(covered.loc[at, "could_change"].sum())
    return [note(scope.lang, "edge", count(people), group_name(scope.group, scope.lang))] if people >= 0.5 else []


def _mode_note(lang: Lang, mode: Mode) -> Note:
    """Say how fast people of a mode travel; by class of street where it has speeds for each."""
    named, speeds = pick(lang, mode.zh, mode.en), [speed for _, speed in mode.speeds_kmh]
    if not speeds:
        return note(lang, "mode", named, mode.speed_kmh, mode.leg_speed_kmh)
    return note(lang, "mode_by_class", named, min(speeds), max(speeds), mode.leg_speed_kmh)


def _travel(times: TravelTimes, scope: Scope) -> list[Note]:
    lang, mode = scope.lang, times.mode
    time = times.metric == "time"
    return [
        *(() if times.imported else (_mode_note(lang, one) for one in mode.parts or (mode,))),
        note(lang, "source", pick(lang, mode.source_zh or mode.source, mode.source)),
        note(lang, times.direction),
        note(lang, "limit_time", times.limit / MS_PER_MINUTE) if time else note(lang, "limit_length", times.limit / MM_PER_M),
    ]


def _unattached(study: Study, scope: Scope, times: TravelTimes) -> list[Note]:
    lang, who = scope.lang, group_name(scope.group, scope.lang)
    cells = study.cells.reindex(times.cell_ids)
    people = np.asarray(cells[scope.group], dtype=float) if scope.group in cells.columns else np.zeros(len(cells))
    notes = []
    for reason in ("far", "barrier", "islet", "table"):
        here = np.asarray(times.cell_fault) == reason
        if here.any():
            notes.append(note(lang, reason, count(float(people[here].sum())), who, count(int(here.sum()))))
        facilities = int(np.sum(np.asarray(times.facility_fault) == reason))
        if facilities:
            notes.append(note(lang, f"facility_{reason}", facilities))
    return notes


def fault_lines(faults: Iterable[Fault], scope: Scope) -> list[dict[str, str]]:
    """Tell the faults, those that differ only in row put together; the group that people are counted of is no value found."""
    lang = scope.lang
    counted = [replace(fault, found="") if fault.people and fault.found in scope.groups else fault for fault in faults]
    return [
        {
            "severity": pick(lang, *SEVERITIES[fault.severity]),
            "kind": fault.severity,
            "file": fault.file,
            "text": fault.text(lang),
            "people": say(lang, "people_n", count(fault.people)) if fault.people >= 0.5 else "",
        }
        for fault in merge_rows(counted)
    ]
