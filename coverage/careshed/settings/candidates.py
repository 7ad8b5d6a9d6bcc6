"""Say what [[candidates]] may hold: where sites come from, what rules them out, how large they are and what they cost."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from careshed.settings.sections import BadRows, Level, PlacedSection, Section, TagsWanted, Texts, listed

Origin = Literal["file", "facilities", "osm", "streets", "lattice"]
"""A list, existing facilities to upgrade, OSM features, street junctions, or the points of a lattice."""

SPACING_M: Final = 500.0
"""One junction or point in each square of this side: half of the kilometre that a 15-minute circle spans."""

_SHARED: Final = ("origin", "services", "filter", "size")
_PLACED: Final = ("spacing_m", "levels", "lacking", "away_m")

KEYS: Final[dict[Origin, tuple[str, ...]]] = {
    "file": ("origin", "filter", "size", "bad_rows", *PlacedSection.model_fields),
    "facilities": (*_SHARED, "types", "statuses", "kind"),
    "osm": (*_SHARED, "file", "tags", "kind"),
    "streets": (*_SHARED, *_PLACED),
    "lattice": (*_SHARED, *_PLACED),
}
"""Where sites come from -> fields of `CandidateSection` that mean something there."""


class LandUseSection(PlacedSection):
    """[candidates.filter.land_use]: polygons with a land-use code (国土空间用地用海分类), and the codes that fit."""

    column: str | None = None
    """Header of the code; the usual ones are known."""
    codes: Annotated[Texts, Field(min_length=1)]
    """Codes that fit, each with those that begin with it."""


class ExcludeSection(PlacedSection):
    """[[candidates.filter.exclude]]: a layer in which no site may lie, and why."""

    reason: str
    """What is told of every site left out, such as 洪水淹没区."""
    within_m: Annotated[float, Field(ge=0)] = 0.0
    """Sites so near to it are ruled out too, metres (≤)."""


class FilterSection(Section):
    """[candidates.filter]: which sites can be used; every other is told with its reason."""

    least_area_m2: Annotated[float, Field(gt=0)] | None = None
    """Least floor area, square metres (≥)."""
    street_within_m: Annotated[float, Field(gt=0)] | None = None
    """A site must lie within so many metres of a street that may be walked (≤)."""
    land_use: LandUseSection | None = None
    exclude: Annotated[tuple[ExcludeSection, ...], BeforeValidator(listed)] = ()
    keep_unknown: bool = True
    """Whether sites of unknown floor area or land use are kept."""


class SizeSection(Section):
    """[candidates.size]: places from floor area, cost from the plan's cost model, where the list has none."""

    m2_per_place: Annotated[float, Field(gt=0)] | None = None
    """Floor area that a place takes, square metres."""
    type: str | None = None
    """Facility type to be set up, as the plan's cost model names it."""
    operator: str | None = None
    """Class of operator, such as ``public`` or ``inclusive``, where the plan's costs differ by it."""
    profile: str | None = None
    """Plan whose costs count; that of [policy] if left out."""


class CandidateSection(PlacedSection):
    """[[candidates]]: sites of one origin."""

    origin: Annotated[Origin, Field(alias="from")] = "file"
    file: str = ""
    """List of sites, or OSM file; for ``from = "osm"`` the street file if left out."""
    bad_rows: BadRows = "refuse"
    """What becomes of rows of a list that cannot be used: the study is refused, or they are left out, each told."""
    services: Texts = ()
    """Ids of the services that the sites could give, any if empty; a list has a column for it."""
    kind: str | None = None
    """What the sites are called, such as 敬老院升级; their type or tag if left out."""
    types: Texts = ()
    """Facility types that may be upgraded, as the registers write them."""
    statuses: Texts = ("operating",)
    """Statuses that may be upgraded."""
    tags: TagsWanted | None = None
    """Key -> values of the OSM features; kindergartens, schools, clinics and community centres if left out."""
    spacing_m: Annotated[float, Field(gt=0)] = SPACING_M
    """Side of the squares of which each has one site at most, metres."""
    levels: Annotated[tuple[Level, ...], BeforeValidator(listed)] = ()
    """Levels of the units in which sites are offered; all if empty."""
    lacking: str | None = None
    """Id of a service: sites are offered only in units that have no facility of it."""
    away_m: Annotated[float, Field(ge=0)] = 0.0
    """Sites must lie more than so many metres from every facility that gives what they could, metres."""
    filter: FilterSection | None = None
    size: SizeSection | None = None

    @property
    def is_list(self) -> bool:
        """Whether the sites are read from a list of the planner's."""
        return self.origin == "file"

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that the section names: list or OSM file, land use, what rules sites out, a plan of the user's own."""
        land = self.filter or FilterSection()
        named = [self.file, land.land_use.file if land.land_use is not None else "", *(one.file for one in land.exclude)]
        plan = self.size.profile if self.size is not None else None
        own = [plan] if plan is not None and plan.endswith(".toml") else []
        return tuple(file for file in (*named, *own) if file)
