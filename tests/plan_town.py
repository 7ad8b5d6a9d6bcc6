"""Write a study of one street to disk whose plans can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
from pyproj import Transformer
from shapely import box
from towns import CRS, EAST, NORTH

# One street of 4 km along y = 0. Older adults walk 60 m a minute: 11 minutes are 660 m.
# County C; streets A (0-1000 m) and B (1000-2000 m), urban; township T (2000-4000 m), rural.
UNITS = [("C", "青县", "county", "", "", 0, 4000), ("A", "东街道", "street", "C", "urban", 0, 1000)]
UNITS += [("B", "西街道", "street", "C", "urban", 1000, 2000), ("T", "山乡", "township", "C", "rural", 2000, 4000)]
# metres along the street, people of 60 and over: 360 in all
CELLS = [(100, 100), (700, 60), (1300, 80), (1900, 40), (2500, 50), (3500, 30)]
# E reaches 100 and 700: 160 people.
EXISTING = [("E", "东站", "社区养老服务站", 100, 10, 200, "公办", "日托", "运营")]
# What each candidate reaches within 660 m and E does not: X 1300 + 1900 = 120; Y 1300 + 1900 + 2500 = 170; Z 1900 + 2500 = 90;
# W 3500 = 30.
CANDIDATES = [
    ("X", "旧小学", "闲置校舍", 1300, 20, 400, 1_000_000),
    ("Y", "活动室", "社区用房", 1900, 10, 150, 400_000),
    ("Z", "卫生院", "卫生服务站", 2500, 20, 500, 600_000),
    ("W", "村小学", "闲置校舍", 3500, 8, 300, 300_000),
]

STUDY = f"""
[study]
name = "小镇"
lang = "zh"
made_up = true
data_date = "2025-06-30"
crs = "{CRS}"
[streets]
file = "streets.osm"
[population.table]
file = "people.csv"
crs = "EPSG:4326"
datum = "WGS-84"
[units]
file = "units.gpkg"
[[facilities]]
file = "stations.csv"
crs = "EPSG:4326"
datum = "WGS-84"
[[candidates]]
file = "candidates.csv"
crs = "EPSG:4326"
datum = "WGS-84"
[[service]]
id = "day_care"
name_zh = "日间照料"
name_en = "Day care"
types = ["社区养老服务站"]
group = "p60"
mode = "older"
within_minutes = 11
minutes = [11]
"""


def degrees(x: float, y: float = 0.0) -> tuple[float, float]:
    """Longitude and latitude of a place, metres along the street and beside it."""
    return Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(EAST + x, NORTH + y)


def write_town(folder: Path, *plans: str, study: str = STUDY, candidates: list[tuple] | None = None) -> Path:
    """Write the files of the study with some [[plan]] sections and return the study file."""
    folder.mkdir(parents=True, exist_ok=True)
    _streets(folder / "streets.osm")
    shapes = [box(EAST + west, NORTH - 400, EAST + east, NORTH + 400) for *_, west, east in UNITS]
    units = pd.DataFrame([row[:5] for row in UNITS], columns=["code", "name", "level", "parent", "setting"])
    gpd.GeoDataFrame(units, geometry=shapes, crs=CRS).to_file(folder / "units.gpkg", driver="GPKG")
    people = [(*degrees(x), count, count) for x, count in CELLS]
    pd.DataFrame(people, columns=["lon", "lat", "total", "p60"]).to_csv(folder / "people.csv", index=False)
    head = ["编号", "名称", "类型", "经度", "纬度", "床位数", "建筑面积", "运营性质", "服务功能", "状态"]
    rows = [(*row[:3], *degrees(row[3]), *row[4:]) for row in EXISTING]
    pd.DataFrame(rows, columns=head).to_csv(folder / "stations.csv", index=False)
    spots = [(*row[:3], "day_care", *degrees(row[3]), *row[4:]) for row in (CANDIDATES if candidates is None else candidates)]
    columns = ["编号", "名称", "类型", "services", "经度", "纬度", "容量", "建筑面积", "cost_yuan"]
    pd.DataFrame(spots, columns=columns).to_csv(folder / "candidates.csv", index=False)
    path = folder / "study.toml"
    path.write_text(study + "".join(f"\n[[plan]]\n{plan}\n" for plan in plans), encoding="utf-8")
    return path


def _streets(path: Path) -> None:
    nodes = [(n, *degrees(100.0 * n)) for n in range(41)]
    lines = ['<?xml version="1.0"?>', '<osm version="0.6">']
    lines += [f'<node id="{n + 1}" lon="{lon:.9f}" lat="{lat:.9f}"/>' for n, lon, lat in nodes]
    lines += [
        '<way id="1">',
        *(f'<nd ref="{n + 1}"/>' for n, *_ in nodes),
        '<tag k="highway" v="residential"/>',
        "</way>",
        "</osm>",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
