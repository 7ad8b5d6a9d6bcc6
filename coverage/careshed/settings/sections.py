"""Say what each section of a study file may hold."""

from __future__ import annotations

import datetime
import re
from pathlib import PurePath
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from careshed.datum import Datum
from careshed.words import Lang, pick

_DATE: Final = re.compile(r"^\d{4}(-\d{2}(-\d{2})?)?$")


def iso_date(value: object) -> object:
    """Accept a TOML date as well as text."""
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    if isinstance(value, str) and value and not _DATE.match(value):
        raise ValueError("date")
    return value


def listed(value: object) -> object:
    """Take a TOML list for the tuple that is kept."""
    return tuple(value) if isinstance(value, list) else value


def one_or_more(value: object) -> object:
    """Take a single text for a list of one."""
    return (value,) if isinstance(value, str) else listed(value)


Texts = Annotated[tuple[str, ...], BeforeValidator(listed)]
TagsWanted = dict[str, Annotated[Texts, BeforeValidator(one_or_more), Field(min_length=1)]]
"""OSM key -> value or values wanted, "*" for any."""
Level = Literal["county", "street", "township", "community", "village", "compound"]
"""Unit level, the keys of `careshed.schema.TIERS`."""
Minutes = Annotated[float, Field(gt=0)]


PlacesRule = Literal["least_time", "nearest", "nearest_with_overflow"]


BadRows = Literal["refuse", "leave_out"]


class Section(BaseModel):
    """A section: no unknown keys, no values of another kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StudySection(Section):
    """[study]: what the study is called and how it measures."""

    name: str
    lang: Lang = "zh"
    made_up: bool = False
    """Whether the town is invented, so that every map says so."""
    data_date: Annotated[str, BeforeValidator(iso_date)] = ""
    """Date of the data, ISO; outputs carry it instead of a clock."""
    crs: str | None = None
    """Projected CRS in metres; None for the UTM zone of the study area."""
    snap_m: Annotated[float, Field(gt=0)] = 150.0
    """A place farther than this from any street is unattached, metres."""


class FileSection(Section):
    """A file with a table or layer in it, and how to read it."""

    file: str
    sheet: str | None = None
    layer: str | None = None
    crs: str | None = None
    datum: Datum | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    """Our column name -> header in the file."""


class PlacedSection(FileSection):
    """A file whose coordinates may stand the wrong way round."""

    swapped: bool = False
    """Whether the file has latitude (or northing) first, so that the two are exchanged on request."""


class UnitFileSection(PlacedSection):
    """[[units.also]]: a further list or layer of units, read its own way."""

    level: Level | None = None
    """Level of the rows whose level the file does not state."""


class UnitSection(Section):
    """[units]: one file, or several that hold the units together, such as outlines and a list of codes."""

    file: Annotated[Texts, BeforeValidator(one_or_more), Field(min_length=1)]
    sheet: str | None = None
    layer: str | None = None
    crs: str | None = None
    datum: Datum | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    swapped: bool = False
    level: Level | None = None
    also: Annotated[tuple[UnitFileSection, ...], BeforeValidator(listed)] = ()
    """Further files, each with keys of its own; those above hold for every file of `file`."""
    repair: bool = False
    """Whether overlaps and gaps between outlines are mended, each piece of land told."""

    @property
    def files(self) -> tuple[UnitFileSection, ...]:
        """One section a file, in the order in which they are read.

        >>> [one.file for one in UnitSection(file=["outlines.gpkg", "codes.csv"], also=[UnitFileSection(file="a.csv")]).files]
        ['outlines.gpkg', 'codes.csv', 'a.csv']
        """
        own = {key: value for key, value in self if key in UnitFileSection.model_fields and key != "file"}
        return (*(UnitFileSection(file=file, **own) for file in self.file), *self.also)


class FacilitySection(PlacedSection):
    """[[facilities]]: one register, or the features of an OSM file that have certain tags."""

    type: str | None = None
    """Facility type of all rows, where the table has no type column; with `tags`, of all features."""
    bad_rows: BadRows = "refuse"
    """What becomes of rows that cannot be used: the study is refused, or they are left out, each told."""
    tags: TagsWanted | None = None
    """Key -> values of the OSM features that are facilities; `file` may then be left out for the street file."""


class StreetEditSection(FileSection):
    """[[streets.edits]]: a layer of planned streets to add and of streets to close."""

    id: str = ""
    """Name of the change, so that it can be switched by hand; the file's name if empty."""
    on: bool = True
    """Whether the study's streets have it; a change that is off is a question: what if."""
    tolerance_m: Annotated[float, Field(ge=0)] = 1.0

    @property
    def name(self) -> str:
        """What the change is called: its id, else its file's name without the end."""
        return self.id or PurePath(self.file).stem


class StreetSection(Section):
    """[streets]: an OSM extract, a GraphML file, a layer of road centrelines, or a place that is fetched once when online."""

    file: str = ""
    """The file; of a place or polygon, once the study is opened, the copy that is kept beside the study file."""
    place: str | None = None
    """Name of a place that OpenStreetMap knows the outline of."""
    polygon: str | None = None
    """Layer with the outline of the place; `layer`, `crs` and `datum` are then those of this layer."""
    layer: str | None = None
    crs: str | None = None
    datum: Datum | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    """Our column name -> header, for a layer of lines."""
    tolerance_m: Annotated[float, Field(ge=0)] = 1.0
    """Metres within which loose ends of a layer are joined (≤)."""
    crossings: bool = True
    """Whether lines of one level that cross meet there; false for a layer that is noded already."""
    edits: Annotated[tuple[StreetEditSection, ...], BeforeValidator(listed)] = ()
    repairs: str | None = None
    """List of gaps to join, as ``careshed check-streets --repairs`` writes it; only its rows with ``use`` = yes are joined."""

    @property
    def files(self) -> tuple[str, ...]:
        """All files of the section, those of changes that are off included."""
        named = (self.file, self.polygon, *(edit.file for edit in self.edits), self.repairs)
        return tuple(file for file in named if file)

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of the section that say where its streets come from; there must be one."""
        return tuple(key for key in STREET_SOURCES if getattr(self, key))


STREET_SOURCES: Final = ("file", "place", "polygon")
"""Keys of [streets] that say where streets come from."""


class LayerSection(Section):
    """A layer of shapes, and how to read it."""

    file: str
    layer: str | None = None
    crs: str | None = None
    datum: Datum | None = None
    columns: dict[str, str] = Field(default_factory=dict)


def as_barrier(value: object) -> object:
    """Put a kind of barrier that is written in Chinese under our name; words that are not known stay, to be refused.

    >>> as_barrier("围墙"), as_barrier("河流"), as_barrier("wal")
    ('wall', 'water', 'wal')
    """
    from careshed.intake.columns import plain
    from careshed.intake.streets.barrier_layers import WORDS

    return WORDS.get(plain(value), value) if isinstance(value, str) else value


class BarrierLayerSection(LayerSection):
    """[[barriers.layers]]: lines or areas that people do not walk straight across."""

    kind: Annotated[Literal["water", "railway", "motorway", "wall"] | None, BeforeValidator(as_barrier)] = None
    """What all rows are; left out, the layer's own column of kinds says it."""


class GateLayerSection(LayerSection):
    """[[barriers.gates]]: points where walls stand open, or are shut, as a layer or as a table with coordinates."""

    sheet: str | None = None
    within_m: Annotated[float, Field(gt=0)] = 5.0
    """Metres around a gate in which walls are open."""


class BarrierSection(Section):
    """[barriers]: what people do not walk straight across, and the gates in walls."""

    osm: bool = True
    """Whether water, railways, motorways and walls of the street file count."""
    cut_streets: bool = True
    """Whether walls part the streets that cross them outside gates."""
    behind: Literal["unjoined", "nearest"] = "unjoined"
    """A place from which every leg crosses a barrier joins no street and is told, or joins the nearest regardless."""
    layers: Annotated[tuple[BarrierLayerSection, ...], BeforeValidator(listed)] = ()
    gates: Annotated[tuple[GateLayerSection, ...], BeforeValidator(listed)] = ()


class BoundarySection(Section):
    """[boundary]: how far beyond the units the data reach, and where nobody crosses."""

    hard: str | None = None
    """Layer of lines or areas that people do not cross, such as a wide river or a national border; beyond them nothing counts."""
    layer: str | None = None
    crs: str | None = None
    datum: Datum | None = None
    hard_m: Annotated[float, Field(gt=0)] = 50.0
    """Streets that leave the units within so many metres of a hard border lead nowhere (≤)."""
    known_m: Annotated[float, Field(ge=0)] = 0.0
    """Metres beyond the units to which streets and facilities have all been read."""


def as_height_unit(value: object) -> object:
    """Put a unit of height that is written in Chinese under our name.

    >>> as_height_unit("分米"), as_height_unit("ft")
    ('dm', 'ft')
    """
    known = {"米": "m", "分米": "dm", "厘米": "cm", "毫米": "mm", "英尺": "ft"}
    return known.get(value, value) if isinstance(value, str) else value


class ElevationSection(Section):
    """[elevation]: an elevation raster, so that hills count."""

    file: str
    crs: str | None = None
    """Only where the raster states none."""
    smooth_m: Annotated[float, Field(ge=0)] = 45.0
    """Spread of the smoothing, metres; at least a pixel."""
    unit: Annotated[Literal["m", "dm", "cm", "mm", "ft"] | None, BeforeValidator(as_height_unit)] = None
    """What heights are in; left out, what the raster says, else metres."""


def as_time_unit(value: object) -> object:
    """Put a unit of time that is written in Chinese under our name.

    >>> as_time_unit("秒"), as_time_unit("分钟"), as_time_unit("hours")
    ('seconds', 'minutes', 'hours')
    """
    return {"秒": "seconds", "分": "minutes", "分钟": "minutes"}.get(value, value) if isinstance(value, str) else value


class TimesSection(Section):
    """[[service]] travel_times: a long table of travel times that another program computed."""

    file: str
    sheet: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    """``origin``, ``destination``, ``cost`` -> header in the file."""
    unit: Annotated[Literal["minutes", "seconds"] | None, BeforeValidator(as_time_unit)] = None
    """What a cost counts; left out, the time that its header names, else minutes."""
    limit_minutes: Minutes | None = None
    """How far the other program searched; left out, as far as the largest time in the table."""
    direction: Literal["to_facility", "from_facility"] = "to_facility"
    """Whether cells are the origins of the table, or facilities."""


def file_or_section(value: object) -> object:
    """Take the name of a file for a section with no other key."""
    return {"file": value} if isinstance(value, str) else value


Times = Annotated[TimesSection | None, BeforeValidator(file_or_section)]


class Service(Section):
    """[[service]]: what counts as a service, for whom, and how near it must be."""

    id: str
    name_zh: str = ""
    name_en: str = ""
    types: Texts
    """Facility types that count, as the registers write them."""
    statuses: Texts = ("operating",)
    """Statuses that count, keys of `careshed.schema.STATUSES`."""
    group: str
    """Population group that is served."""
    groups_shown: Texts = ()
    """Groups that maps and tables show; `group` alone if empty."""
    mode: str
    """Name of the travel mode."""
    mode_by: dict[str, str] = Field(default_factory=dict)
    """Unit level, ``urban`` or ``rural`` -> mode of the people there, where it is not `mode`."""
    minutes: Annotated[tuple[Minutes, ...], BeforeValidator(listed), Field(min_length=1)] = (5.0, 10.0, 15.0)
    """Limits of the isochrone bands, minutes."""
    within_minutes: Minutes = 15.0
    """The limit a resident is judged by, minutes (≤)."""
    n_sites: Annotated[int, Field(ge=0)] = 5
    """Sites to choose."""
    at_least_one_per: Texts = ()
    """Unit levels of which every unit must have one."""
    budget_yuan: Annotated[float, Field(ge=0)] | None = None
    """Most that the sites may cost together; no limit where left out."""
    demand_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the group that looks for a place: who is served, finds no place or is out of reach is counted among these."""
    places_rule: PlacesRule = "least_time"
    """How people find places, see `careshed.supply.assign_places`."""
    travel_times: Times = None
    """Table of travel times between the facilities and the cells, used as it stands instead of a search on the streets."""
    candidate_travel_times: Times = None
    """The same for candidate sites; left out where `travel_times` is given, no sites are weighed."""

    @property
    def tables(self) -> tuple[TimesSection, ...]:
        """Tables of travel times that the service goes by."""
        return tuple(one for one in (self.travel_times, self.candidate_travel_times) if one is not None)

    def name(self, lang: Lang) -> str:
        """Name the service for the reader; its id where the study gives no name.

        >>> Service(id="meals", name_zh="助餐点", types=("助餐点",), group="p60", mode="older").name("zh")
        '助餐点'
        """
        return pick(lang, self.name_zh or self.name_en, self.name_en or self.name_zh) or self.id


class HierarchyLevel(Section):
    """[[hierarchy.level]]: one level of a network of facilities."""

    id: str
    name_zh: str = ""
    name_en: str = ""
    types: Texts
    """Facility types at this level, as the registers write them."""
    each_takes: Annotated[int, Field(gt=0)] | None = None
    """Facilities of the level below that one of these can look after; None for no limit."""
    expected: Annotated[int, Field(ge=0)] | None = None
    """Number of facilities that the plan states for this level."""

    def name(self, lang: Lang) -> str:
        """Name the level for the reader; its id where the study gives no name.

        >>> HierarchyLevel(id="centre", name_en="Centres", types=("中心",)).name("zh")
        'Centres'
        """
        return pick(lang, self.name_zh or self.name_en, self.name_en or self.name_zh) or self.id


class HierarchySection(Section):
    """[hierarchy]: who depends on whom among facilities, such as centre, township, village; the highest level first."""

    mode: str
    """Name of the travel mode between facilities."""
    within_minutes: Minutes = 60.0
    """A facility farther than this from any of the level above is on its own, minutes (≤)."""
    level: Annotated[tuple[HierarchyLevel, ...], BeforeValidator(listed), Field(min_length=2)]

    def names(self, lang: Lang) -> dict[str, str]:
        """Name all levels for the reader, by id."""
        return {level.id: level.name(lang) for level in self.level}


def as_classes(value: object) -> object:
    """Put classes of street that are written in Chinese under OSM's names; words that are not known stay, to be refused.

    >>> as_classes({"支路": 20.0, "primary": 50.0, "foo": 3.0})
    {'primary': 50.0, 'foo': 3.0, 'tertiary': 20.0}
    """
    from careshed.intake.streets.lines.classes import class_tags

    if not isinstance(value, dict):
        return value
    found: dict[str, object] = {}
    for word, speed in sorted(value.items(), key=lambda item: not str(item[0]).isascii()):  # so that 支路 gives way to tertiary
        tags = class_tags(str(word))
        name = tags["highway"] if tags is not None else str(word)
        found[name if found.get(name, speed) == speed else str(word)] = speed
    return found


class ModeSection(Section):
    """[modes.NAME]: figures that replace those of a shipped mode."""

    speed_kmh: Annotated[float, Field(gt=0, le=130)] | None = None
    leg_speed_kmh: Annotated[float, Field(gt=0, le=30)] | None = None
    uses_steps: bool | None = None
    steps_factor: Annotated[float, Field(ge=1)] | None = None
    speeds_kmh: Annotated[dict[str, Annotated[float, Field(gt=0, le=130)]] | None, BeforeValidator(as_classes)] = None
    """Speed by class of street (OSM's ``highway``, or a Chinese word for it); classes not named keep the shipped speed."""
    maxspeed_share: Annotated[float, Field(gt=0, le=1)] | None = None
    crossing_s: Annotated[float, Field(ge=0, le=600)] | None = None
    signal_s: Annotated[float, Field(ge=0, le=600)] | None = None
    max_slope: Annotated[float, Field(gt=0, le=1)] | None = None
    """Rise over run."""
    needs_low_kerbs: bool | None = None
    hills: Literal["none", "tobler", "parkin"] | None = None
    """How slopes slow travel: not at all, as walkers (Tobler) or as cyclists (Parkin and Rotheram)."""


class MapSection(Section):
    """[map]: the map's approval number; online background tiles, none unless asked for."""

    tiles: str = ""
    """``tianditu``, ``tianditu-image``, ``osm`` or a URL with {z}, {x} and {y}; "" for a map that needs no internet."""
    attribution: str = ""
    tiles_key: str = ""
    """Key (tk) of the 天地图 account, where the background is 天地图."""
    approval_no: str = ""
    """审图号, printed on every map."""


class EnteredSection(Section):
    """[[policy.entered]]: a figure that no map can know, with its source and date."""

    rule: str
    """Id of the rule in the profile."""
    value: float
    source: str
    date: Annotated[str, BeforeValidator(iso_date)]


class PolicySection(Section):
    """[policy]: the plan that the study is judged by, and what the plan leaves to the user."""

    profile: str
    """Id of a shipped profile, or path of a TOML file, relative to the study's folder."""
    set: dict[str, float] = Field(default_factory=dict)
    """Rule id -> target that the plan does not state."""
    types: dict[str, str] = Field(default_factory=dict)
    """Word of a register -> facility type as the catalogue names it."""
    entered: Annotated[tuple[EnteredSection, ...], BeforeValidator(listed)] = ()
    complete: Texts = ()
    """Facility types and functions of which the registers are complete, so that none listed means that there is none."""
    pooled_within_m: Annotated[float, Field(gt=0)] = 300.0
    """A compound shares the facilities within this many metres of street, 300 m being the 5-minute circle."""
    household_size: Annotated[float, Field(gt=0)] = 3.0
    """People per household, where a rule needs the one and the data have the other; GB 50180 implies 2.9 to 3.1."""
    new_since: int | None = None
    """Compounds built in this year or later are new; left out, the year in which the plan was issued."""
