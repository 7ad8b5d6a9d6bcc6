"""Check the study file itself: every key known, every value of the right kind, all faults told at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, get_args

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from careshed.intake.columns import nearest
from careshed.intake.tables import damaged, decoded, must_exist, stop
from careshed.schema import Fault, InputError, file_label
from careshed.settings.candidates import CandidateSection
from careshed.settings.demand import DemandSection
from careshed.settings.population import PopulationSection
from careshed.settings.sections import (
    BarrierSection,
    BoundarySection,
    ElevationSection,
    FacilitySection,
    FileSection,
    HierarchySection,
    MapSection,
    ModeSection,
    PolicySection,
    Section,
    Service,
    StreetSection,
    StudySection,
    UnitSection,
    listed,
)
from careshed.settings.siting import PlanSection


class Config(Section):
    """The study file, checked."""

    study: StudySection
    streets: StreetSection
    barriers: BarrierSection = BarrierSection()
    boundary: BoundarySection = BoundarySection()
    elevation: ElevationSection | None = None
    population: PopulationSection
    demand: DemandSection | None = None
    units: UnitSection
    facilities: Annotated[tuple[FacilitySection, ...], BeforeValidator(listed)] = ()
    candidates: Annotated[tuple[CandidateSection, ...], BeforeValidator(listed)] = ()
    compounds: FileSection | None = None
    service: Annotated[tuple[Service, ...], BeforeValidator(listed), Field(min_length=1)]
    hierarchy: HierarchySection | None = None
    modes: dict[str, ModeSection] = Field(default_factory=dict)
    map: MapSection = MapSection()
    policy: PolicySection | None = None
    plan: Annotated[tuple[PlanSection, ...], BeforeValidator(listed)] = ()

    @property
    def further_files(self) -> tuple[str, ...]:
        """Files that say how people travel besides the streets: barriers, gates, hard borders, tables of travel times."""
        layers = [one.file for one in (*self.barriers.layers, *self.barriers.gates)]
        tables = [one.file for service in self.service for one in service.tables]
        return tuple(dict.fromkeys([*layers, *([self.boundary.hard] if self.boundary.hard else []), *tables]))


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
        return Config.model_validate(_with_street_file(raw))
    except ValidationError as error:
        raise InputError([_fault(path, dict(case)) for case in error.errors()]) from error


def _with_street_file(raw: dict[str, Any]) -> dict[str, Any]:
    """Name the street file in sections that take features from it without saying so.

    >>> _with_street_file({"streets": {"file": "a.osm"}, "candidates": [{"from": "osm"}]})["candidates"]
    [{'file': 'a.osm', 'from': 'osm'}]
    """
    streets = raw.get("streets")
    if not isinstance(streets, dict) or "file" not in streets:
        return raw

    def named(key: str, section: object) -> object:
        takes = isinstance(section, dict) and ("tags" in section if key == "facilities" else section.get("from") == "osm")
        return {"file": streets["file"], **section} if isinstance(section, dict) and takes else section

    lists = {key: raw[key] for key in ("facilities", "candidates") if isinstance(raw.get(key), list)}
    return raw | {key: [named(key, section) for section in sections] for key, sections in lists.items()}


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
    zh = zh.replace("' or '", "' 或 '")
    return study_fault(path, "bad_value", key, (zh, en), ("请改正该值。", "Correct the value."), found=str(case["input"])[:60])


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    """List the keys that the section at `loc` (without its last part) may have."""
    model: type[BaseModel] = Config
    for part in loc[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_within(model.model_fields[part].annotation) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_within(annotation: object) -> type[BaseModel] | None:
    """Find the section that an annotation holds, inside tuples, dictionaries and unions too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_within(part))), None)
