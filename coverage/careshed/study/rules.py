"""Check what a study refers to: modes, groups, statuses, levels, types, and its coordinate system."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyproj
from geopandas import GeoDataFrame

from careshed.intake.columns import nearest
from careshed.intake.facilities import STATUS_WORDS, status_keys
from careshed.intake.places import Bounds, parse_crs
from careshed.modes import MODES
from careshed.schema import STATUSES, TIERS, Fault, file_label
from careshed.settings.config import Config, study_fault
from careshed.settings.population import POPULATION_SOURCES
from careshed.settings.sections import STREET_SOURCES, HierarchySection, ModeSection, Service

_UNFIT: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*.]')
"""Signs that a file's name must not hold on some computer, and the point, after which a name's kind begins."""

_TAKEN: Final = frozenset(
    [
        *("index", "scorecard", "hierarchy", "layers", "committee", "con", "prn", "aux", "nul"),
        *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)),
    ]
)
"""Names of a run's other outputs, and of the devices of Windows."""

_MOST_DISTORTION: Final = 0.02
"""A projection that stretches distances by more than this is not fit to measure walks; UTM stays within 0.001."""


def config_faults(path: Path, config: Config) -> list[Fault]:
    """Check everything in the study file that needs no other file."""
    faults = [*crs_faults(path, config), *_street_faults(path, config), *_population_faults(path, config)]
    faults += _duplicate_services(path, config.service)
    faults += _file_name_faults(path, "[[service]] id", [service.id for service in config.service], _TAKEN)
    faults += _file_name_faults(path, "[[plan]] id", [plan.id for plan in config.plan], frozenset())
    told = ("未知的出行方式", "unknown mode")
    faults += [unknown_name(path, f"[modes.{name}]", name, told, sorted(MODES)) for name in config.modes if name not in MODES]
    for name, mode in config.modes.items():
        faults.extend(_speed_faults(path, name, mode))
    if config.hierarchy is not None:
        faults.extend(_hierarchy_faults(path, config.hierarchy))
    for number, service in enumerate(config.service, start=1):
        faults.extend(_service_faults(path, f"[[service]] {number}", service))
    return faults


def _hierarchy_faults(path: Path, section: HierarchySection) -> list[Fault]:
    """Check the levels of the facilities' network: a known mode, no id or facility type twice."""
    faults = []
    if section.mode not in MODES:
        faults.append(unknown_name(path, "[hierarchy] mode", section.mode, ("未知的出行方式", "unknown mode"), sorted(MODES)))
    ids, types = [level.id for level in section.level], [kind for level in section.level for kind in level.types]
    for key, named in (("id", ids), ("types", types)):
        for name in sorted(name for name, times in Counter(named).items() if times > 1):
            told = (f"“{name}”出现了不止一次", f"{name!r} stands more than once")
            cure = ("每个层级、每种设施类型只写一次。", "Name every level and every facility type once.")
            faults.append(study_fault(path, "twice_in_hierarchy", f"[[hierarchy.level]] {key}", told, cure, found=name))
    return faults


def settled(service: Service) -> Service:
    """Fill in what a service leaves open: statuses as our keys, and its own group shown."""
    return service.model_copy(
        update={
            "statuses": status_keys(service.statuses) or service.statuses,
            "groups_shown": service.groups_shown or (service.group,),
        }
    )


def group_faults(path: Path, services: Sequence[Service], groups: Sequence[str]) -> list[Fault]:
    """Check that the population holds every group that a service names."""
    faults: list[Fault] = []
    for number, service in enumerate(services, start=1):
        for key, names in (("group", (service.group,)), ("groups_shown", service.groups_shown)):
            told = ("人口数据中没有该年龄组", "the population has no such group")
            faults.extend(
                unknown_name(path, f"[[service]] {number}: {key}", name, told, groups) for name in names if name not in groups
            )
    return faults


def type_findings(path: Path, services: Sequence[Service], facilities: GeoDataFrame) -> list[Fault]:
    """Note facility types of services that no register has."""
    present = sorted(set(facilities["type"].astype(str)))
    listed = ", ".join(present)
    return [
        Fault(
            "type_nowhere",
            file_label(path),
            f"[[service]] {number}: types：登记表中没有类型“{kind}”",
            f"[[service]] {number}: types: no register has the type {kind!r}",
            f"登记表中的类型：{listed}。",
            f"The registers have: {listed}.",
            found=kind,
            severity="noted",
        )
        for number, service in enumerate(services, start=1)
        for kind in service.types
        if kind not in present
    ]


def distortion_faults(path: Path, crs: str, area: Bounds) -> list[Fault]:
    """Refuse a projection that stretches distances at the middle of the study area."""
    west, south, east, north = area
    factors = pyproj.Proj(pyproj.CRS(crs)).get_factors((west + east) / 2, (south + north) / 2)
    worst = max(abs(factors.meridional_scale - 1.0), abs(factors.parallel_scale - 1.0))
    if worst <= _MOST_DISTORTION:
        return []
    told = (f"该投影在研究范围内使距离偏差 {worst:.0%}", f"this projection stretches distances by {worst:.0%} in the study area")
    cure = (
        f"请删去 crs（将用 {utm_zone(area)}），或改用当地的投影坐标系。",
        f"Leave crs out (then {utm_zone(area)} is used), or state a local projected system.",
    )
    return [study_fault(path, "crs_distorts", "[study] crs", told, cure, found=crs)]


def utm_zone(area: Bounds) -> str:
    """Give the UTM zone of the middle of an area.

    >>> utm_zone((121.0, 31.0, 122.0, 32.0)), utm_zone((-51.3, -30.2, -51.0, -29.9))
    ('EPSG:32651', 'EPSG:32722')
    """
    west, south, east, north = area
    zone = min(60, int(((west + east) / 2 + 180.0) // 6.0) + 1)
    return f"EPSG:{(32600 if south + north >= 0 else 32700) + zone}"


def crs_faults(path: Path, config: Config) -> list[Fault]:
    """Refuse a study CRS in which metres cannot be measured."""
    text = config.study.crs
    if text is None:
        return []
    crs = parse_crs(text)
    cure = (
        "请写以米为单位的投影坐标系，或删去该键以采用 UTM 带。",
        "State a projected system in metres, or leave the key out for the UTM zone.",
    )
    if crs is None:
        return [
            study_fault(
                path, "bad_crs", "[study] crs", ("无法识别该坐标系", "this coordinate system is not understood"), cure, text
            )
        ]
    if crs.is_geographic:
        told = ("该坐标系以度为单位，不能量距离", "this is a CRS in degrees, in which distances cannot be measured")
        return [study_fault(path, "crs_in_degrees", "[study] crs", told, cure, text)]
    if not crs.is_projected or any(axis.unit_name not in ("metre", "meter") for axis in crs.axis_info):
        return [
            study_fault(path, "crs_not_metres", "[study] crs", ("该坐标系不以米为单位", "this CRS is not in metres"), cure, text)
        ]
    return []


def _street_faults(path: Path, config: Config) -> list[Fault]:
    """Check that streets have one origin."""
    named = config.streets.sources
    if len(named) == 1:
        return []
    listed = ", ".join(STREET_SOURCES)
    told = (f"应在 {listed} 中写且只写一个", f"needs exactly one of {listed}")
    cure = (
        '有文件时写 file；联网时可写 place = "地名"，或 polygon = 范围图层。',
        'Name a file; online, place = "name of the place" or polygon = a layer with its outline works too.',
    )
    return [study_fault(path, "street_source", "[streets]", told, cure, ", ".join(named))]


def _population_faults(path: Path, config: Config) -> list[Fault]:
    section = config.population
    faults = []
    if len(section.sources) != 1:
        listed = ", ".join(POPULATION_SOURCES)
        told = (f"应在 {listed} 中写且只写一个", f"needs exactly one of {listed}")
        cure = ("参见 careshed init 生成的模板。", "See the template that careshed init writes.")
        faults.append(study_fault(path, "population_source", "[population]", told, cure))
    unused = {
        "per": section.per != "person" and not {"rasters", "polygons"} & set(section.sources),
        "merge": section.merge != 1 and not section.rasters,
        "grid_of": section.grid_of is not None and not section.rasters,
    }
    for key in (key for key, odd in unused.items() if odd):
        holds = "rasters, polygons" if key == "per" else "rasters"
        told = (f"只适用于 {holds}", f"is for {holds} only")
        faults.append(study_fault(path, "key_unused", f"[population] {key}", told, ("请删去该键。", "Leave it out.")))
    if section.rasters and section.grid_of is not None and section.grid_of not in section.rasters:
        told = ("没有该年龄组的栅格", "there is no raster of this group")
        faults.append(unknown_name(path, "[population] grid_of", section.grid_of, told, list(section.rasters)))
    return faults


def _duplicate_services(path: Path, services: Sequence[Service]) -> list[Fault]:
    counts = Counter(service.id for service in services)
    cure = ("请使用不同的 id。", "Give each service an id of its own.")
    return [
        study_fault(
            path, "duplicate_service", "[[service]] id", (f"“{name}”出现 {count} 次", f"{name!r} occurs {count} times"), cure
        )
        for name, count in counts.items()
        if count > 1
    ]


def _file_name_faults(path: Path, key: str, ids: Sequence[str], taken: frozenset[str]) -> list[Fault]:
    """Refuse ids that no file can be called by on every computer: outputs are named by them.

    Windows takes no ``: * ?`` and no device names, and holds ``A`` and ``a`` for one file; a point would end the name.
    """
    faults = []
    for name in dict.fromkeys(ids):
        cure = ("请用字母、数字、汉字、_ 或 -。", "Use letters of any script, digits, _ or -.")
        if not name or _UNFIT.search(name) or name != name.strip():
            told = (f"“{name}”不能用作文件名", f"{name!r} cannot be the name of a file")
        elif name.casefold() in taken:
            told = (
                f"“{name}”是其他成果文件或 Windows 设备的名称",
                f"{name!r} is the name of another output or of a device of Windows",
            )
            cure = ("请换一个 id。", "Choose another id.")
        elif [other for other in ids if other != name and other.casefold() == name.casefold()]:
            told = (f"“{name}”与另一个 id 仅大小写不同", f"{name!r} differs from another id in upper and lower case only")
            cure = (
                "请使用不同的 id：Windows 的文件名不分大小写。",
                "Give each an id of its own: file names on Windows know no case.",
            )
        else:
            continue
        faults.append(study_fault(path, "bad_id", key, told, cure, found=name))
    return faults


def _service_faults(path: Path, key: str, service: Service) -> list[Fault]:
    faults = []
    if service.mode not in MODES:
        faults.append(unknown_name(path, f"{key}: mode", service.mode, ("未知的出行方式", "unknown mode"), sorted(MODES)))
    for scope, mode in service.mode_by.items():
        if mode not in MODES:
            faults.append(unknown_name(path, f"{key}: mode_by.{scope}", mode, ("未知的出行方式", "unknown mode"), sorted(MODES)))
        if scope not in TIERS and scope not in ("urban", "rural"):
            told = ("应为单元级别、urban 或 rural", "must be a level of unit, urban or rural")
            faults.append(unknown_name(path, f"{key}: mode_by", scope, told, [*TIERS, "urban", "rural"]))
    if status_keys(service.statuses) is None:
        odd = next(word for word in service.statuses if status_keys((word,)) is None)
        listed = [*STATUSES, *(known[0] for known in STATUS_WORDS.values())]
        faults.append(unknown_name(path, f"{key}: statuses", odd, ("未知的状态", "unknown status"), listed))
    told = ("未知的单元级别", "unknown level of unit")
    faults.extend(
        unknown_name(path, f"{key}: at_least_one_per", level, told, list(TIERS))
        for level in service.at_least_one_per
        if level not in TIERS
    )
    if service.within_minutes > max(service.minutes):
        wrong = (
            f"应不大于 minutes 的最大值 {max(service.minutes):g}",
            f"must be at most the largest of minutes, {max(service.minutes):g}",
        )
        cure = ("请在 minutes 中加入该值，或减小它。", "Add it to minutes, or make it smaller.")
        faults.append(
            study_fault(path, "limit_beyond_bands", f"{key}: within_minutes", wrong, cure, f"{service.within_minutes:g}")
        )
    return [*faults, *_table_faults(path, key, service)]


def _table_faults(path: Path, key: str, service: Service) -> list[Fault]:
    """Check that tables of travel times go together and reach as far as the service is judged."""
    faults = []
    if service.travel_times is None and service.candidate_travel_times is not None:
        told = ("缺少现有设施的 travel_times", "needs travel_times of the existing facilities too")
        cure = (
            "候选点与现有设施的时间须出自同一来源。",
            "The times of sites and of existing facilities must come from one source to be compared.",
        )
        faults.append(study_fault(path, "table_missing", f"{key}: candidate_travel_times", told, cure))
    most = max(*service.minutes, service.within_minutes)
    for name in ("travel_times", "candidate_travel_times"):
        table = getattr(service, name)
        if table is not None and table.limit_minutes is not None and table.limit_minutes < most:
            told = (f"小于该服务的最大时限 {most:g} 分钟", f"is less than the service's largest limit, {most:g} minutes")
            cure = (
                "请用更大的搜索时限重新计算该表，或减小 minutes。",
                "Compute the table anew with a larger limit, or make minutes smaller.",
            )
            found = f"{table.limit_minutes:g}"
            faults.append(study_fault(path, "table_too_short", f"{key}: {name}.limit_minutes", told, cure, found))
    if service.travel_times is not None and service.candidate_travel_times is not None:
        one, other = service.travel_times.direction, service.candidate_travel_times.direction
        if one != other:
            told = ("与 travel_times 的方向不同", "is other than that of travel_times")
            cure = ("两张表的方向须相同。", "Both tables must be of one direction.")
            faults.append(study_fault(path, "table_direction", f"{key}: candidate_travel_times.direction", told, cure, other))
    return faults


def _speed_faults(path: Path, name: str, mode: ModeSection) -> list[Fault]:
    """Refuse speeds that no street would go by: of a class that does not exist, and one speed for a car on all classes."""
    from careshed.intake.streets import RANK
    from careshed.intake.streets.lines.classes import CLASSES, class_tags

    faults = []
    known = [*RANK, *(words.split()[0] for words in CLASSES if not words.isascii())]
    shipped = MODES.get(name)
    if shipped is not None and shipped.kind != "car":
        faults.extend(_not_for_cars(path, name, mode))
    if shipped is not None and shipped.kind == "car" and mode.speed_kmh is not None:
        told = ("小汽车按道路等级取速度，此值不起作用", "cars go by the class of street, so that this has no effect")
        shown = ("primary", "secondary", "tertiary", "residential")
        classes = ", ".join(f"{kind} = {shipped.speed_on(kind):g}" for kind in shown)
        cure = (
            f"请按等级写 speeds_kmh，例如（内置值）：speeds_kmh = {{ {classes} }}。",
            f"State speeds_kmh by class, such as (shipped figures): speeds_kmh = {{ {classes} }}.",
        )
        faults.append(study_fault(path, "car_speed", f"[modes.{name}] speed_kmh", told, cure, f"{mode.speed_kmh:g}"))
    for word in mode.speeds_kmh or {}:
        key = f"[modes.{name}] speeds_kmh"
        if word in RANK:
            continue
        tags = class_tags(word)
        if tags is None:
            faults.append(unknown_name(path, key, word, ("未知的道路等级", "no class of street"), known))
        else:
            told = (f"等级 {tags['highway']} 有两个不同的速度", f"two different speeds for the class {tags['highway']}")
            cure = ("每个等级只写一个速度。", "Keep one speed a class.")
            faults.append(study_fault(path, "two_speeds", key, told, cure, word))
    return faults


FASTEST_KMH: Final = 30.0
"""Nobody walks or cycles faster for long, km/h: a larger figure is a slip, such as metres a minute."""


def _not_for_cars(path: Path, name: str, mode: ModeSection) -> list[Fault]:
    """Refuse figures of cars for people on foot and on cycles: a share of the speed limit, and speeds that only cars reach."""
    faults = []
    if mode.maxspeed_share is not None:
        told = (
            "只用于小汽车：步行和骑行不按道路限速行进",
            "is for cars alone: people on foot and on cycles do not go by speed limits",
        )
        cure = ("请删去，改写 speed_kmh。", "Take it out, and state speed_kmh.")
        key = f"[modes.{name}] maxspeed_share"
        faults.append(study_fault(path, "share_on_foot", key, told, cure, f"{mode.maxspeed_share:g}"))
    speeds = {"speed_kmh": mode.speed_kmh or 0.0} | {
        f"speeds_kmh.{word}": speed for word, speed in (mode.speeds_kmh or {}).items()
    }
    for key, speed in speeds.items():
        if speed > FASTEST_KMH:
            told = (f"应不大于 {FASTEST_KMH:g}（公里/时）", f"must be at most {FASTEST_KMH:g} (km/h)")
            cure = ("请改正该值。", "Correct the value.")
            faults.append(study_fault(path, "too_fast", f"[modes.{name}] {key}", told, cure, f"{speed:g}"))
    return faults


def unknown_name(path: Path, key: str, word: str, told: tuple[str, str], known: Sequence[str]) -> Fault:
    """Say that a name is not known, which comes nearest, and which there are."""
    near = nearest(word, known)
    hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
    cure = (f"{hint[0]}可用：{', '.join(known)}。", f"{hint[1]}Known: {', '.join(known)}.")
    return study_fault(path, "unknown_name", key, told, cure, word)
