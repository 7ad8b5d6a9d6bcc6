"""Check the study file itself: every key known, every value of the right kind, all faults told at once."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from careshed.datum import Datum
from careshed.intake.columns import nearest
from careshed.intake.tables import damaged, decoded, must_exist, stop
from careshed.schema import Fault, InputError, file_label
from careshed.words import Lang, pick

_DATE: Final = re.compile(r"^\d{4}(-\d{2}(-\d{2})?)?$")


def _date(value: object) -> object:
    """Accept a TOML date as well as text."""
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    if isinstance(value, str) and value and not _DATE.match(value):
        raise ValueError("date")
    return value


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Minutes = Annotated[float, Field(gt=0)]


PlacesRule = Literal["least_time", "nearest", "nearest_with_overflow"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StudySection(_Section):
    """[study]: what the study is called and how it measures."""

    name: str
    lang: Lang = "zh"
    made_up: bool = False
    """Whether the town is invented, so that every map says so."""
    data_date: Annotated[str, BeforeValidator(_date)] = ""
    """Date of the data, ISO; outputs carry it instead of a clock."""
    crs: str | None = None
    """Projected CRS in metres; None for the UTM zone of the study area."""
    snap_m: Annotated[float, Field(gt=0)] = 150.0
    """A place farther than this from any street is unattached, metres."""


class FileSection(_Section):
    """A file with a table or layer in it, and how to read it."""

    file: str
    sheet: str | None = None
    layer: str | None = None
    crs: str | None = None
    datum: Datum | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    """Our column name -> header in the file."""


class FacilitySection(FileSection):
    """[[facilities]]: one register."""

    type: str | None = None
    """Facility type of all rows, where the table has no type column."""


class StreetSection(_Section):
    """[streets]"""

    file: str


class PopulationSection(_Section):
    """[population]: either rasters or a table."""

    rasters: dict[str, str] = Field(default_factory=dict)
    """Group -> GeoTIFF."""
    table: FileSection | None = None


class Service(_Section):
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
    minutes: Annotated[tuple[Minutes, ...], BeforeValidator(_listed), Field(min_length=1)] = (5.0, 10.0, 15.0)
    """Limits of the isochrone bands, minutes."""
    within_minutes: Minutes = 15.0
    """The limit a resident is judged by, minutes (≤)."""
    n_sites: Annotated[int, Field(ge=0)] = 5
    """Sites to choose."""
    at_least_one_per: Texts = ()
    """Unit levels of which every unit must have one."""
    demand_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the group that looks for a place: who is served, finds no place or is out of reach is counted among these."""
    places_rule: PlacesRule = "least_time"
    """How people find places, see `careshed.supply.assign_places`."""

    def name(self, lang: Lang) -> str:
        """Name the service for the reader; its id where the study gives no name.

        >>> Service(id="meals", name_zh="助餐点", types=("助餐点",), group="p60", mode="older").name("zh")
        '助餐点'
        """
        return pick(lang, self.name_zh or self.name_en, self.name_en or self.name_zh) or self.id


class HierarchyLevel(_Section):
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


class HierarchySection(_Section):
    """[hierarchy]: who depends on whom among facilities, such as centre, township, village; the highest level first."""

    mode: str
    """Name of the travel mode between facilities."""
    within_minutes: Minutes = 60.0
    """A facility farther than this from any of the level above is on its own, minutes (≤)."""
    level: Annotated[tuple[HierarchyLevel, ...], BeforeValidator(_listed), Field(min_length=2)]

    def names(self, lang: Lang) -> dict[str, str]:
        """Name all levels for the reader, by id."""
        return {level.id: level.name(lang) for level in self.level}


class ModeSection(_Section):
    """[modes.NAME]: figures that replace those of a shipped mode."""

    speed_kmh: Annotated[float, Field(gt=0, le=30)] | None = None
    leg_speed_kmh: Annotated[float, Field(gt=0, le=30)] | None = None
    uses_steps: bool | None = None
    steps_factor: Annotated[float, Field(ge=1)] | None = None


class MapSection(_Section):
    """[map]: online background tiles, none unless asked for."""

    tiles: str = ""
    """URL with {z}, {x} and {y}; "" for a map that needs no internet."""
    attribution: str = ""


class EnteredSection(_Section):
    """[[policy.entered]]: a figure that no map can know, with its source and date."""

    rule: str
    """Id of the rule in the profile."""
    value: float
    source: str
    date: Annotated[str, BeforeValidator(_date)]


class PolicySection(_Section):
    """[policy]: the plan that the study is judged by, and what the plan leaves to the user."""

    profile: str
    """Id of a shipped profile, or path of a TOML file, relative to the study's folder."""
    set: dict[str, float] = Field(default_factory=dict)
    """Rule id -> target that the plan does not state."""
    types: dict[str, str] = Field(default_factory=dict)
    """Word of a register -> facility type as the catalogue names it."""
    entered: Annotated[tuple[EnteredSection, ...], BeforeValidator(_listed)] = ()
    complete: Texts = ()
    """Facility types and functions of which the registers are complete, so that none listed means that there is none."""
    pooled_within_m: Annotated[float, Field(gt=0)] = 300.0
    """A compound shares the facilities within this many metres of street, 300 m being the 5-minute circle."""
    household_size: Annotated[float, Field(gt=0)] = 3.0
    """People per household, where a rule needs the one and the data have the other; GB 50180 implies 2.9 to 3.1."""
    new_since: int | None = None
    """Compounds built in this year or later are new; left out, the year in which the plan was issued."""


class Config(_Section):
    """The study file, checked."""

    study: StudySection
    streets: StreetSection
    population: PopulationSection
    units: FileSection
    facilities: Annotated[tuple[FacilitySection, ...], BeforeValidator(_listed)] = ()
    candidates: Annotated[tuple[FileSection, ...], BeforeValidator(_listed)] = ()
    compounds: FileSection | None = None
    service: Annotated[tuple[Service, ...], BeforeValidator(_listed), Field(min_length=1)]
    hierarchy: HierarchySection | None = None
    modes: dict[str, ModeSection] = Field(default_factory=dict)
    map: MapSection = MapSection()
    policy: PolicySection | None = None


def load_config(path: Path) -> Config:
    """Read a study file and check its form; what it refers to is checked later.

    Raises
    ------
    InputError
        With every key that is unknown, missing or of the wrong kind.
    """
    must_exist(path)
    try:
        raw = tomllib.loads(decoded(path.read_bytes())[0])
    except UnicodeDecodeError as error:
        raise damaged(path, error) from error
    except tomllib.TOMLDecodeError as error:
        told = (f"不是有效的 TOML（{error}）", f"is not valid TOML ({error})")
        cure = ("文字需加引号，路径用 / 分隔。", "Put text in quotes, and write paths with /.")
        raise stop(path, "bad_toml", told, cure) from error
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        raise InputError([_fault(path, dict(case)) for case in error.errors()]) from error


def key_path(loc: tuple[int | str, ...]) -> str:
    """Write where a key stands as the study file shows it.

    >>> key_path(("service", 1, "minutes")), key_path(("study", "crs")), key_path(("streets",))
    ('[[service]] 2: minutes', '[study] crs', '[streets]')
    """
    tables = [str(part) for part in loc[:-1] if not isinstance(part, int)]
    last = loc[-1]
    if len(loc) >= 2 and isinstance(loc[1], int):
        rest = ".".join(str(part) for part in loc[2:])
        return f"[[{loc[0]}]] {loc[1] + 1}" + (f": {rest}" if rest else "")
    if not tables:
        return f"[{last}]"
    return f"[{'.'.join(tables)}] {last if isinstance(last, str) else last + 1}"


def study_fault(path: Path, code: str, key: str, told: tuple[str, str], cure: tuple[str, str], found: str = "") -> Fault:
    """Build a fault of the study file that names the key."""
    return Fault(code, file_label(path), f"{key}：{told[0]}", f"{key}: {told[1]}", cure[0], cure[1], found=found)


_KINDS: Final[dict[str, tuple[str, str]]] = {
    "string_type": ("应为带引号的文字", "must be text in quotes"),
    "bool_type": ("应为 true 或 false", "must be true or false"),
    "int_type": ("应为整数", "must be a whole number"),
    "float_type": ("应为数字", "must be a number"),
    "tuple_type": ('应为列表，如 ["…"]', 'must be a list, such as ["…"]'),
    "dict_type": ("应为一节（表）", "must be a section (table)"),
    "model_type": ("应为一节（表）", "must be a section (table)"),
    "model_attributes_type": ("应为一节（表）", "must be a section (table)"),
    "greater_than": ("应大于 {gt:g}", "must be greater than {gt:g}"),
    "greater_than_equal": ("应不小于 {ge:g}", "must be at least {ge:g}"),
    "less_than_equal": ("应不大于 {le:g}", "must be at most {le:g}"),
    "literal_error": ("应为 {expected} 之一", "must be one of {expected}"),
    "too_short": ("至少需要 {min_length} 项", "needs at least {min_length} entry"),
    "value_error": ('应为日期，如 "2025-06-30"', 'must be a date, such as "2025-06-30"'),
}
"""Kind of pydantic error -> what is wrong, in Chinese and English."""


def _fault(path: Path, case: dict[str, Any]) -> Fault:
    kind, loc = str(case["type"]), tuple(case["loc"])
    key = key_path(loc)
    if kind == "extra_forbidden":
        known = _known_keys(loc)
        near = nearest(str(loc[-1]), known)
        hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
        cure = (f"{hint[0]}可用：{', '.join(known)}。", f"{hint[1]}Known here: {', '.join(known)}.")
        return study_fault(path, "unknown_key", key, ("未知的键", "unknown key"), cure)
    if kind == "missing":
        cure = ("请补充；careshed init 可生成带说明的模板。", "Add it; careshed init writes a template with comments.")
        return study_fault(path, "missing_key", key, ("缺少", "is missing"), cure)
    told = _KINDS.get(kind, (str(case["msg"]), str(case["msg"])))
    context: Mapping[str, object] = case.get("ctx") or {}
    zh, en = (text.format_map(context) if kind in _KINDS and context else text for text in told)
    return study_fault(path, "bad_value", key, (zh, en), ("请改正该值。", "Correct the value."), found=str(case["input"])[:60])


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    """List the keys that the section at `loc` (without its last part) may have."""
    model: type[BaseModel] = Config
    for part in loc[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_within(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _model_within(annotation: object) -> type[BaseModel] | None:
    """Find the section that an annotation holds, inside tuples, dictionaries and unions too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_within(part))), None)
