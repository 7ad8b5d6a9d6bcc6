"""Read administrative units, derive what their codes say, find where outlines do not fit and mend them on request."""

from careshed.intake.units.codes import is_code, level_by_code, significant
from careshed.intake.units.listing import LEVEL_WORDS, SETTING_WORDS
from careshed.intake.units.outlines import OutlineFault, outline_faults
from careshed.intake.units.reading import UnitFile, read_units
from careshed.intake.units.repairing import OutlineChange, RepairedUnits, repair_units

__all__ = [
    "LEVEL_WORDS",
    "SETTING_WORDS",
    "OutlineChange",
    "OutlineFault",
    "RepairedUnits",
    "UnitFile",
    "is_code",
    "level_by_code",
    "outline_faults",
    "read_units",
    "repair_units",
    "significant",
]
