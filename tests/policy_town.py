"""Make a town whose scorecard can be worked out by hand, and the rules to judge it by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from shapely import box
from towns import CRS, EAST, NORTH, points, streets

from careshed.policy import Profile, Rule
from careshed.schema import Population
from careshed.study import Config, Study

# One street of 3 km along y = 0, a node every 100 m. County C; street A (0–1500 m, town) with communities a1 (0–750) and
# a2 (750–1500); township B (1500–3000 m, country) with village b1. Walking: 3.6 km/h = 60 m a minute, so 15 min = 900 m.
UNITS = {
    "C": ("county", "", "", 0, 3000),
    "A": ("street", "C", "urban", 0, 1500),
    "B": ("township", "C", "rural", 1500, 3000),
    "a1": ("community", "A", "", 0, 750),
    "a2": ("community", "A", "", 750, 1500),
    "b1": ("village", "B", "", 1500, 3000),
}
# metres along the street, unit, people: total, p0_3, p60
CELLS = [
    (100, "a1", 100.0, 4.0, 20.0),
    (1000, "a2", 200.0, 10.0, 50.0),
    (2000, "b1", 100.0, 6.0, 30.0),
    (2900, "b1", 50.0, 2.0, 10.0),
]
NAN = float("nan")
COLUMNS = [
    "name",
    "type",
    "status",
    "operator",
    "places",
    "area_m2",
    "opened",
    "closed",
    "functions",
    "nursing_places",
    "land_m2",
    "unit",
]
FACILITIES: dict[str, tuple[Any, ...]] = {
    "F1": (200, "甲站", "日间照料中心", "operating", "公办", 20.0, 400.0, 2020.0, NAN, "日托;助餐", 5.0, 200.0, "a1"),
    "F2": (2100, "乙中心", "区域养老服务中心", "operating", "民办普惠", 30.0, 900.0, 2023.0, NAN, "全托;日托", 15.0, 600.0, ""),
    "F3": (900, "丙托育", "托育机构", "operating", "民办", 12.0, NAN, 2024.0, NAN, "", NAN, NAN, "a2"),
    "F4": (1100, "丁站", "日间照料中心", "closed", "公办", 10.0, 150.0, 2015.0, 2022.0, "日托", 0.0, NAN, "a2"),
    "F5": (2150, "戊卫生室", "村卫生室", "operating", "", NAN, NAN, NAN, NAN, "", NAN, NAN, "b1"),
    "F6": (2500, "己", "老人之家", "operating", "", 9.0, NAN, NAN, NAN, "唱歌", NAN, NAN, "b1"),
}
STUDY = {
    "study": {"name": "小镇", "lang": "zh", "made_up": True, "data_date": "2025-06-30", "crs": CRS},
    "streets": {"file": "streets.osm"},
    "population": {"rasters": {"total": "total.tif"}},
    "units": {"file": "units.gpkg"},
    "service": [
        {"id": "day_care", "types": ["日间照料中心"], "group": "p60", "mode": "older", "within_minutes": 15},
        {"id": "childcare", "types": ["托育机构"], "group": "p0_3", "mode": "toddler", "within_minutes": 10},
    ],
}
HEAD = {"id": "plan", "name_zh": "规划", "name_en": "Plan", "issued": "2022-01-01", "plan_end": 2025, "level": "county"}


def town(**policy: Any) -> Study:
    """Make the town as a study, with a [policy] if any of its keys is given."""
    config = Config.model_validate(STUDY | ({"policy": {"profile": "plan"} | policy} if policy else {}))
    node = {f"n{x}": (float(x), 0.0) for x in range(0, 3001, 100)}
    ways = streets(node, [list(node)])
    shapes = [box(EAST + west, NORTH - 500, EAST + east, NORTH + 500) for *_, west, east in UNITS.values()]
    table = pd.DataFrame([(f"{code}地", *row[:3]) for code, row in UNITS.items()], columns=["name", "level", "parent", "setting"])
    units = GeoDataFrame(table.set_index(pd.Index(list(UNITS), name="unit_id")), geometry=shapes, crs=CRS)
    people = pd.DataFrame([row[1:] for row in CELLS], columns=["unit", "total", "p0_3", "p60"]).to_dict("list")
    cells = points([(row[0], 0.0) for row in CELLS], **people)
    own = pd.DataFrame([row[1:] for row in FACILITIES.values()], columns=COLUMNS)
    own = own.assign(file="registers.xlsx", row=[str(n) for n in range(2, 2 + len(own))]).to_dict("list")
    facilities = points([(row[0], 0.0) for row in FACILITIES.values()], ids=list(FACILITIES), **own)
    sites = facilities.iloc[:0]
    return Study(
        config, Path("study.toml"), CRS, ways, Population(cells, None), units, facilities, sites, None, config.service, ()
    )


def with_compounds(study: Study, rows: list[tuple[str, float, str, str]]) -> Study:
    """Add a register of compounds: id, metres along the street, households, year built; coordinates as its offices write them."""
    from dataclasses import replace

    at = points([(row[1], 0.0) for row in rows]).to_crs("EPSG:4326").geometry
    table = pd.DataFrame(
        {
            "name": [f"{row[0]}小区" for row in rows],
            "lon": [f"{point.x:.7f}" for point in at],
            "lat": [f"{point.y:.7f}" for point in at],
            "户数": [row[2] for row in rows],
            "建成年份": [row[3] for row in rows],
        },
        index=pd.Index([row[0] for row in rows], name="compound_id"),
    )
    section = {"file": "compounds.csv", "crs": "EPSG:4326", "datum": "WGS-84"}
    config = Config.model_validate(study.config.model_dump(exclude_defaults=True) | {"compounds": section})
    return replace(study, config=config, compounds=table)


def rule(rule_id: str = "r", **changes: Any) -> Rule:
    """Make a rule; what is not given is ordinary."""
    base = {
        "id": rule_id,
        "title_zh": "指标",
        "title_en": "Rule",
        "kind": "share",
        "measure": "facilities",
        "status": "hard",
        "value": 1.0,
    }
    return Rule.model_validate(base | changes)


def plan(*rules: Rule, **head: Any) -> Profile:
    """Make a plan of some rules."""
    return Profile.model_validate({"profile": HEAD | head, "rule": [one.model_dump(exclude_defaults=True) for one in rules]})


def elder(**changes: Any) -> Rule:
    """Make a rule on elder care: day-care centres and regional centres, people of 60 and over."""
    return rule(**({"types": ["日间照料中心", "区域养老服务中心"], "group": "p60"} | changes))


def near(value: float) -> object:
    """Compare as floats are compared, for sums of people and shares."""
    import pytest

    return pytest.approx(value, rel=1e-12, abs=1e-12)


def spots(values: object) -> list[float]:
    """Give floats of a column, for comparing lists."""
    return [float(one) for one in np.asarray(values, dtype=float)]
