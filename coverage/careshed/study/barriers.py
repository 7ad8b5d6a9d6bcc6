"""Bring the planner's own barriers and gates, and what the study says of them, into its streets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from careshed.schema import Checked, InputError

if TYPE_CHECKING:
    from careshed.intake.streets import Streets
    from careshed.settings.sections import BarrierSection


def with_barriers(folder: Path, section: BarrierSection, read: Checked[Streets]) -> Checked[Streets]:
    """Add the study's barriers and gates to its streets, gates last, and keep or forget those of the street file.

    Raises
    ------
    InputError
        With the faults of all layers.
    """
    from careshed.intake.streets.barrier_layers import add_barriers, add_gates
    from careshed.intake.streets.barriers import without_osm

    streets = read.table if section.osm else without_osm(read.table)
    faults = list(read.faults)

    def attempt(add: Callable[[Streets], Checked[Streets]], known: Streets) -> Streets:
        try:
            done = add(known)
        except InputError as error:
            faults.extend(error.faults)
            return known
        faults.extend(done.faults)
        return done.table

    for one in section.layers:
        add = partial(add_barriers, path=folder / one.file, kind=one.kind)
        streets = attempt(partial(add, layer=one.layer, columns=one.columns, crs=one.crs, datum=one.datum), streets)
    for gate in section.gates:
        open_ = partial(add_gates, path=folder / gate.file, within_m=gate.within_m, sheet=gate.sheet)
        streets = attempt(partial(open_, layer=gate.layer, columns=gate.columns, crs=gate.crs, datum=gate.datum), streets)
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    if streets.barriers is not None:
        kept = replace(streets.barriers, cut_streets=section.cut_streets, behind=section.behind)
        streets = replace(streets, barriers=kept)
    return Checked(streets, tuple(faults))
