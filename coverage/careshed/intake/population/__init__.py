"""Read people by age group: from rasters, tables, areas, H3 cells and buildings; refuse tables of persons."""

from careshed.intake.population.areas import read_h3_table, read_population_areas
from careshed.intake.population.buildings import read_buildings, read_population_buildings
from careshed.intake.population.persons import contact_columns, drop_contacts, person_faults
from careshed.intake.population.rasters import read_population_rasters, windows
from careshed.intake.population.resampling import read_rasters_on_grid_of
from careshed.intake.population.tables import read_population_table

__all__ = [
    "contact_columns",
    "drop_contacts",
    "person_faults",
    "read_buildings",
    "read_h3_table",
    "read_population_areas",
    "read_population_buildings",
    "read_population_rasters",
    "read_population_table",
    "read_rasters_on_grid_of",
    "windows",
]
