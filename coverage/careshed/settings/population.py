"""Say what the section [population] may hold: where people live."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from careshed.settings.sections import FileSection, Section

Per = Literal["person", "km2", "ha"]
"""What a number of the population's file counts: people, people per square kilometre, or per hectare."""


class AreasSection(FileSection):
    """[population.polygons]: areas with people, such as townships of a census."""

    size_m: Annotated[float, Field(gt=0)] | None = None
    """Squares of so many metres that people are spread over by the exact share of ground; left out, each area stays one cell."""


class HomesSection(FileSection):
    """[population.buildings]: footprints with storeys, whose floor says how many people live there."""

    m2_per_person: Annotated[float, Field(gt=0)]
    """Floor area of homes a person, square metres: an assumption that the study must state."""
    storeys_unknown: Annotated[float, Field(gt=0)] | None = None
    """Storeys of a building of which neither storeys nor height are known; left out, the median of those known."""


class PopulationSection(Section):
    """[population]: where people live, from one kind of source."""

    rasters: dict[str, str] = Field(default_factory=dict)
    """Group -> GeoTIFF."""
    table: FileSection | None = None
    polygons: AreasSection | None = None
    h3: FileSection | None = None
    """Table of people by H3 cell; needs the package h3."""
    buildings: HomesSection | None = None
    per: Per = "person"
    """What numbers of rasters and polygons count."""
    merge: Annotated[int, Field(ge=1)] = 1
    """Pixels a side put into one cell, their people added up."""
    grid_of: str | None = None
    """Group whose grid the other rasters are brought to where theirs differ; left out, rasters on other grids are refused."""
    clip: bool = False
    """Whether only people within the units count; who is left out is told."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Kinds of source that the section names; there must be one."""
        named = {name: getattr(self, name) for name in POPULATION_SOURCES}
        return tuple(name for name, section in named.items() if section)

    @property
    def files(self) -> tuple[str, ...]:
        """Files with people, as the study names them."""
        sections = (self.table, self.polygons, self.h3, self.buildings)
        return (*self.rasters.values(), *(section.file for section in sections if section is not None))


POPULATION_SOURCES: Final = ("rasters", "table", "polygons", "h3", "buildings")
"""Keys of [population] that name a source."""
