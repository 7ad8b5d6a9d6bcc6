"""Describe the figures of a plan and what its own tables say about how they belong together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from careshed.policy.audit.spans import Role


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _texted(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


REF: Final = "figure"
"""Mark of the fields that name figures."""

Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Printed = Annotated[str, BeforeValidator(_texted)]
"""A number as the plan prints it: a whole number, or text that keeps its decimals and its 万."""
Ref = Annotated[str, REF]
Refs = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1), REF]
MaybeRefs = Annotated[tuple[str, ...], BeforeValidator(_listed), REF]
MaybeRef = Annotated[str, REF]


class Entry(BaseModel):
    """Anything in the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Plan(Entry):
    """[plan]: which plan the figures are from."""

    id: str
    name_zh: str
    name_en: str
    issued: str
    """Date of issue, ISO."""
    plan_end: int
    text: str = ""
    """Stem of the source text."""


class FigureEntry(Entry):
    """[[figure]]: one number of the plan and what it counts."""

    id: str
    title_zh: str
    title_en: str
    value: Printed
    unit: str = ""
    year: int
    what: str = ""
    """What is counted. Figures with the same `what`, `kind`, `where`, `unit` and `year` state one quantity."""
    kind: str = ""
    where: str = ""
    role: Role = "count"
    quote: str = ""
    source: Texts = ()
    outside_zh: str = ""
    """Where a figure is from that the plan does not state."""
    outside_en: str = ""


class Derived(Entry):
    """[[derived]]: a figure the plan does not print but implies: numerator ÷ share, or ratio × population − what there is."""

    id: str
    title_zh: str
    title_en: str
    unit: str
    year: int
    numerator: MaybeRef = ""
    share: MaybeRef = ""
    ratio: MaybeRef = ""
    population: MaybeRef = ""
    per: Annotated[int, Field(gt=0)] = 1000
    less: MaybeRefs = ()


class Row(Entry):
    """A row of a table of years: added by year, added in all, stock before, target."""

    id: str
    title_zh: str
    title_en: str
    of: str = ""
    """Row that this one is a part of."""
    by_year: Annotated[tuple[Printed, ...], BeforeValidator(_listed)]
    new: Printed
    base: Printed
    target: Printed
    quote: str
    source: Texts = ()
    """Ids of indicators: one a cell where there are as many, else for the whole row."""
    unit: str


class YearTable(Entry):
    """[[table]]: a schedule with its totals; every cell is a figure ``table.row.2021``, ``.new``, ``.base`` or ``.target``."""

    id: str
    title_zh: str
    title_en: str
    years: Annotated[tuple[int, ...], BeforeValidator(_listed)]
    base_year: int
    row: Annotated[tuple[Row, ...], BeforeValidator(_listed)]


class Project(Entry):
    """A row of a project list; what the list does not say is left out."""

    no: int
    section: str = ""
    name: str
    type: str
    start: int
    end: int
    area: Printed = ""
    """Floor area, m²."""
    land: Printed = ""
    """Land, m² or 亩."""
    beds: Printed = ""
    places: Printed = ""
    invest: Printed = ""
    """Investment, 10,000 yuan."""
    grant: Printed = ""
    builds: bool = True
    """Whether floor area is made or fitted out; false for equipment, fire safety or grounds alone."""
    quote: str
    source: Texts = ()


class ProjectList(Entry):
    """[[projects]]: a list of projects and how many each part of it says it holds."""

    id: str
    title_zh: str
    title_en: str
    sections: dict[str, str] = Field(default_factory=dict)
    """Section -> figure with the number of projects it states."""
    row: Annotated[tuple[Project, ...], BeforeValidator(_listed)]


class Relation(Entry):
    """How some figures belong together. With `assumed` said, a mismatch is doubtful rather than wrong."""

    id: str
    title_zh: str = ""
    title_en: str = ""
    assumed_zh: str = ""
    """What the plan leaves open and the relation takes for granted."""
    assumed_en: str = ""


class Sum(Relation):
    """[[sum]]: parts add up to a total."""

    parts: Refs
    total: Ref


class Product(Relation):
    """[[product]]: factors multiply to a result."""

    factors: Refs
    result: Ref


class Ratio(Relation):
    """[[ratio]]: so many per `per` of a population, less what there is, is what is counted."""

    ratio: Ref
    population: Ref
    per: Annotated[int, Field(gt=0)] = 1000
    counted: Refs
    have: MaybeRefs = ()
    new: MaybeRefs = ()
    """Those of `counted` that are still to be added."""
    other_populations: MaybeRefs = ()


class Share(Relation):
    """[[share]]: a percentage, its numerator and its denominator; without the denominator, the one it implies."""

    share: Ref
    numerator: Refs
    denominator: MaybeRefs = ()
    base: MaybeRefs = ()
    """Of a target: the numerator before anything is added."""
    new: MaybeRefs = ()
    """Of a target: all that is to be added to the denominator."""


class Gap(Relation):
    """[[gap]]: a share of a stock, less what there is, is missing."""

    share: Ref
    stock: Refs
    have: Ref
    gap: Ref
    new: MaybeRefs = ()
    """What is to be added to the stock."""


class Rise(Relation):
    """[[rise]]: a share of the future stock, what there is of it now and what is added, yearly or in all."""

    share: Ref
    stock: Refs
    existing: Ref
    added: Ref
    times: Annotated[int, Field(gt=0)] = 1
    """Years in which `added` is added."""
    have_share: MaybeRef = ""
    """Share of the existing stock now; left out where the plan does not state it."""


class Part(Relation):
    """[[part]]: some of these are all among those."""

    part: Ref
    whole: Ref


class Each(Relation):
    """[[each]]: an amount spread over units, and the bounds it is plausible within."""

    amount: Refs
    units: Refs
    """One figure, or factors whose product are the units."""
    bounds: str = ""
    """Key of `PLAUSIBLE`; empty where the quotient is only worked out."""


class Cover(Relation):
    """[[cover]]: a share of units that have a facility of their own needs at least as many facilities."""

    share: Ref
    units: Ref
    facilities: Ref


class Possible(Relation):
    """[[possible]]: a percentage of so many units has to be a whole number of them."""

    share: Ref
    units: Ref


class Common(Relation):
    """[[common]]: percentages of one set of units have to fit one number of units."""

    shares: Refs


class Standards(Relation):
    """[[standards]]: standards for parts of a city beside the ratio for all of it."""

    whole: Ref
    parts: Refs
    population: Ref
    per: Annotated[int, Field(gt=0)] = 1000
    counted: Ref


class Columns(Relation):
    """[[columns]]: the columns of a table, row by row: the place's own and a larger area's."""

    left: Refs
    right: Refs


class Series(Relation):
    """[[series]]: a ratio that rises from year-end to year-end."""

    ratios: Refs
    population: Ref
    per: Annotated[int, Field(gt=0)] = 1000
    have: Ref


class Code(Relation):
    """[[code]]: a programme named by the leading digits of its numbers."""

    name: Ref
    parts: Refs


class Delivery(Relation):
    """[[delivery]]: what a project list comes to against a target."""

    projects: str
    types: Texts
    counts: Literal["beds", "places", "area"]
    m2_per: MaybeRef = ""
    """Floor area per bed or place, where only area is stated."""
    m2_of: MaybeRefs = ()
    """Or floor area and places of one project to take it from."""
    target: Ref


class Book(Entry):
    """A figures file."""

    plan: Plan
    figure: Annotated[tuple[FigureEntry, ...], BeforeValidator(_listed)] = ()
    derived: Annotated[tuple[Derived, ...], BeforeValidator(_listed)] = ()
    table: Annotated[tuple[YearTable, ...], BeforeValidator(_listed)] = ()
    projects: Annotated[tuple[ProjectList, ...], BeforeValidator(_listed)] = ()
    sum: Annotated[tuple[Sum, ...], BeforeValidator(_listed)] = ()
    product: Annotated[tuple[Product, ...], BeforeValidator(_listed)] = ()
    ratio: Annotated[tuple[Ratio, ...], BeforeValidator(_listed)] = ()
    share: Annotated[tuple[Share, ...], BeforeValidator(_listed)] = ()
    gap: Annotated[tuple[Gap, ...], BeforeValidator(_listed)] = ()
    rise: Annotated[tuple[Rise, ...], BeforeValidator(_listed)] = ()
    part: Annotated[tuple[Part, ...], BeforeValidator(_listed)] = ()
    each: Annotated[tuple[Each, ...], BeforeValidator(_listed)] = ()
    cover: Annotated[tuple[Cover, ...], BeforeValidator(_listed)] = ()
    possible: Annotated[tuple[Possible, ...], BeforeValidator(_listed)] = ()
    common: Annotated[tuple[Common, ...], BeforeValidator(_listed)] = ()
    standards: Annotated[tuple[Standards, ...], BeforeValidator(_listed)] = ()
    columns: Annotated[tuple[Columns, ...], BeforeValidator(_listed)] = ()
    series: Annotated[tuple[Series, ...], BeforeValidator(_listed)] = ()
    code: Annotated[tuple[Code, ...], BeforeValidator(_listed)] = ()
    delivery: Annotated[tuple[Delivery, ...], BeforeValidator(_listed)] = ()

    def relations(self) -> Iterator[tuple[str, Relation]]:
        """Every relation with its kind, in the order of the kinds."""
        for kind in RELATIONS:
            for relation in getattr(self, kind):
                yield kind, relation


RELATIONS: Final = tuple(
    name
    for name, info in Book.model_fields.items()
    if any(isinstance(arg, type) and issubclass(arg, Relation) for arg in get_args(info.annotation))
)
"""Names of the kinds of relation, in the order in which they are checked."""
