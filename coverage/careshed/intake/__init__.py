"""Read files into checked tables, with every fault found on the way; the only step that reads input."""

from careshed.intake.candidates import read_candidates
from careshed.intake.facilities import read_facilities
from careshed.intake.population import read_population_rasters, read_population_table
from careshed.intake.tables import SourceTable, read_table
from careshed.intake.units import read_units

__all__ = [
    "SourceTable",
    "read_candidates",
    "read_facilities",
    "read_population_rasters",
    "read_population_table",
    "read_table",
    "read_units",
]
