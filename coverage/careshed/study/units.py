"""Read the units that a study names, and mend their outlines where it asks for that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.intake.units import UnitFile, read_units, repair_units
from careshed.schema import Checked, Fault, InputError, file_label

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.intake.units import OutlineChange
    from careshed.settings.sections import UnitSection

_TOLD: Final[dict[str, tuple[str, str]]] = {
    "overlap": (
        "与 {other} 重叠的 {area} 平方米归本单元（repair = true）",
        "keeps {area} m² that {other} claimed too (repair = true)",
    ),
    "gap": (
        "不属于任何单元的 {area} 平方米归本单元（repair = true）",
        "is given {area} m² that belonged to no unit (repair = true)",
    ),
}


def study_units(folder: Path, section: UnitSection, crs_out: str) -> Checked[GeoDataFrame]:
    """Read all files of [units] into one table; a list of codes alone works too."""
    files = [
        UnitFile(folder / one.file, one.sheet, one.layer, one.columns, one.crs, one.datum, one.swapped, one.level)
        for one in section.files
    ]
    return read_units(files, crs_out=crs_out)


def mended_units(units: GeoDataFrame, section: UnitSection) -> Checked[GeoDataFrame]:
    """Mend overlaps and gaps where the study asks for it, each piece of land told; else leave the outlines as they are.

    Parameters
    ----------
    units
        The units table in a CRS of metres.

    Raises
    ------
    careshed.schema.InputError
        If a unit would be left without any land.
    """
    if not section.repair:
        return Checked(units)
    file = file_label(section.file[0])
    try:
        repaired = repair_units(units)
    except InputError as error:
        raise InputError([replace(fault, file=file) for fault in error.faults]) from error
    return Checked(repaired.units, tuple(_told(change, file) for change in repaired.changes))


def _told(change: OutlineChange, file: str) -> Fault:
    zh, en = (text.format(other=change.from_, area=f"{change.area_m2:,.1f}") for text in _TOLD[change.kind])
    return Fault("outline_mended", file, zh, en, found=change.to, severity="repaired")
