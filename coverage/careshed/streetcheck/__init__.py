"""Check the streets of a study: what is cut off, cut short or missing, and whose answers hang on the edge of the data."""

from careshed.intake.streets.repairing import Repair, apply_repairs, kept_first, read_repairs, write_repairs
from careshed.streetcheck.checking import check_streets, repair_streets, repairs_of
from careshed.streetcheck.gaps import find_street_gaps
from careshed.streetcheck.margin import Exits, MarginReport, find_exits, margin_report
from careshed.streetcheck.marking import ground_of, mark_margin, mixed_margin_report, with_margin
from careshed.streetcheck.model import COUNTED, JOINTS, KINDS, STREET_COLUMNS, StreetFinding, StreetReport, joints_table

__all__ = [
    "COUNTED",
    "JOINTS",
    "KINDS",
    "STREET_COLUMNS",
    "Exits",
    "MarginReport",
    "Repair",
    "StreetFinding",
    "StreetReport",
    "apply_repairs",
    "check_streets",
    "find_exits",
    "find_street_gaps",
    "ground_of",
    "joints_table",
    "kept_first",
    "margin_report",
    "mark_margin",
    "mixed_margin_report",
    "read_repairs",
    "repair_streets",
    "repairs_of",
    "with_margin",
    "write_repairs",
]
