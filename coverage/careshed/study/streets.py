"""Read the streets of a study: any source, with the changes that the study asks for, and heights."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from careshed.schema import Checked, Fault, InputError

if TYPE_CHECKING:
    from careshed.intake.elevation import Elevation
    from careshed.intake.streets import Streets
    from careshed.settings.sections import ElevationSection, StreetEditSection, StreetSection


def read_study_streets(folder: Path, section: StreetSection) -> Checked[Streets]:
    """Read the study's streets from an OSM extract, a graph or a layer of lines, and make the changes that are on."""
    from careshed.intake.streets import read_streets
    from careshed.intake.streets.lines import LAYER_SUFFIXES, read_street_lines

    path = folder / section.file
    if path.suffix.lower() in LAYER_SUFFIXES:
        read = read_street_lines(
            path, layer=section.layer, columns=section.columns, crs=section.crs, datum=section.datum,
            tolerance_m=section.tolerance_m, crossings=section.crossings,
        )  # fmt: skip
    else:
        read = read_streets(path)
    changed = with_edits(read.table, folder, [edit for edit in section.edits if edit.on])
    mended = with_repairs(changed.table, folder, section.repairs)
    return Checked(mended.table, (*read.faults, *changed.faults, *mended.faults))


def with_repairs(streets: Streets, folder: Path, file: str | None) -> Checked[Streets]:
    """Join the gaps that the study's list of repairs has in use."""
    from careshed.intake.streets.repairing import apply_repairs, read_repairs

    return Checked(streets) if file is None else apply_repairs(streets, read_repairs(folder / file), file=file)


def with_edits(streets: Streets, folder: Path, edits: Collection[StreetEditSection]) -> Checked[Streets]:
    """Add planned streets and close others, one layer after the other."""
    from careshed.intake.streets.lines import edit_streets

    faults: list[Fault] = []
    for edit in edits:
        try:
            done = edit_streets(
                streets, folder / edit.file, layer=edit.layer, columns=edit.columns, crs=edit.crs, datum=edit.datum,
                tolerance_m=edit.tolerance_m,
            )  # fmt: skip
        except InputError as error:
            raise InputError([_of_edits(fault) for fault in error.faults]) from error
        streets, faults = done.table, [*faults, *map(_of_edits, done.faults)]
    return Checked(streets, tuple(faults))


def _of_edits(fault: Fault) -> Fault:
    """Let the cure of a fault name the section of the change and not that of the streets."""
    named = (("[streets.columns]", "[streets.edits.columns]"), ("[streets]", "[[streets.edits]]"))
    zh, en = fault.cure_zh, fault.cure_en
    for old, new in named:
        zh, en = zh.replace(old, new), en.replace(old, new)
    return replace(fault, cure_zh=zh, cure_en=en)


def read_elevation(folder: Path, section: ElevationSection | None) -> Checked[Elevation | None]:
    """Open the study's elevation raster, None where it names none."""
    from careshed.intake.elevation import open_elevation

    if section is None:
        return Checked(None)
    opened = open_elevation(folder / section.file, crs=section.crs, smooth_m=section.smooth_m, unit=section.unit)
    return Checked(opened.table, opened.faults)
