"""Make the files of a made-up town as messy as planners receive them, and mend by hand what only a person can.

Everything is fiction: the town, its facilities, telephone numbers and residents. Only the ways of being messy are real.
"""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from openpyxl import Workbook, load_workbook

import careshed as cs
from careshed.datum import bd09_from_gcj02, gcj02_from_wgs84

REGISTER = "一老一小设施汇总表.xlsx"
SCHOOLS = "幼儿园名单.csv"
SITES = "可利用场地.txt"
OUTLINES = "行政界线.shp"
CODES = "区划代码表.xlsx"
CENSUS = "分街道乡镇年龄.xlsx"
RASTER = "population_1km.tif"
FLOOD = "洪水淹没区.geojson"
FEATURES = "osm_features.osm"
RESIDENTS = "常住老人名单.csv"

_HEAD = ["序号", "编号", "名称", "机构类别", "坐标", "", "床位（托位）数", "", "建筑面积（㎡）", "运营性质", "目前状态",
         "开办时间", "停业时间", "服务内容", "所属社区代码", "联系人", "联系电话"]  # fmt: skip
_BELOW = {4: "经度", 5: "纬度", 6: "合计", 7: "其中护理型"}
_STATUS = {"operating": "正常运营", "building": "在建", "reserve": "拟建", "closed": "停业"}
_TYPES = {"日间照料中心": "日间照料室", "社区养老服务站": "社区养老服务站（点）"}


def make_messy_town(demo: Path, folder: Path) -> Path:
    """Write the messy files from the demo town's clean ones and return the path of a study that nobody has mended yet."""
    truth = cs.open_study(demo / "study.toml")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "streets.osm.pbf").write_bytes((demo / "streets.osm.pbf").read_bytes())
    _write_register(truth, folder / REGISTER)
    _write_schools(demo / "kindergartens.csv", folder / SCHOOLS)
    _write_sites(demo / "candidates.csv", folder / SITES)
    _write_units(truth.units, folder)
    _write_people(truth, folder)
    _write_features(demo / "candidates.csv", folder / FEATURES)
    flood = gpd.GeoDataFrame({"name": ["淹没区（虚构）"]}, geometry=[truth.water.union_all().buffer(150)], crs=truth.crs)
    flood.to_crs("EPSG:4326").to_file(folder / FLOOD, driver="GeoJSON")
    study = folder / "study.toml"
    study.write_text(STUDY, encoding="utf-8")
    return study


def mend_by_hand(folder: Path) -> None:
    """Do what the error asks for: exchange coordinates that stand the wrong way round, ask for missing figures and codes."""
    book = load_workbook(folder / REGISTER)
    page = book["汇总"]
    for row in page.iter_rows(min_row=5):
        if isinstance(row[4].value, float) and row[4].value < row[5].value:
            row[4].value, row[5].value = row[5].value, row[4].value
        if row[6].value == "若干":
            row[6].value = 12
    book.save(folder / REGISTER)
    for name, old, new in ((CENSUS, "待补", 90), (CODES, "新设社区", None)):
        book = load_workbook(folder / name)
        for row in book.active.iter_rows():
            for cell in row:
                if cell.value == old and new is None:
                    book.active.delete_rows(cell.row)
                elif cell.value == old:
                    cell.value = new
        book.save(folder / name)


def edit(study: Path, before: str, after: str) -> None:
    """Change one line of the study file, as a planner would in an editor."""
    text = study.read_text(encoding="utf-8")
    if before not in text:
        raise ValueError(f"the study has no {before!r}")
    study.write_text(text.replace(before, after), encoding="utf-8")


def _baidu(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift WGS-84 as Baidu's maps do, six digits as its picker gives them."""
    x, y = bd09_from_gcj02(*gcj02_from_wgs84(lon, lat))
    return np.round(x, 6), np.round(y, 6)


def _write_register(truth: cs.Study, path: Path) -> None:
    """Write the sheet: title, header of two rows with merged cells, headings of groups, sums, a note, and slips of every kind."""
    table = truth.facility_table.to_crs("EPSG:4326")
    lon, lat = _baidu(table.geometry.x.to_numpy(), table.geometry.y.to_numpy())
    table = table.assign(lon=lon, lat=lat)
    wanted = {"一、养老服务": ("elder_care.xlsx",), "二、托育服务": ("childcare.csv",)}
    book = Workbook()
    book.active.title = "填表说明"
    book.active.append(["本表为虚构城市的示例，机构、人名、电话均为编造。"])
    page = book.create_sheet("汇总")
    page.append(["青湾市（虚构）“一老一小”服务设施汇总表"])
    page.append(["填报单位：虚构", *[None] * 9, "截至2025年6月30日"])
    page.append(_HEAD)
    page.append([_BELOW.get(at, "") for at in range(len(_HEAD))])
    number, beds = 0, 0.0
    for heading, files in wanted.items():
        page.append([heading])
        for code, one in table[table["file"].isin(files)].iterrows():
            number += 1
            page.append(_register_row(number, str(code), one))
            beds += 0 if np.isnan(one["places"]) else one["places"]
            if code in ("YL005", "TY003"):
                number += 1
                page.append(_register_row(number, f"{code}-重", one))
            if code == "YL011":
                number += 1
                twin = pd.Series({**one, "name": f"{one['name'][:2]}养老服务站", "lat": one["lat"] + 2e-5})
                page.append(_register_row(number, "YL911", twin))
    page.append(["合计", *[None] * 5, beds])
    page.append(["注：床位数以民政部门备案为准。"])
    for area in ("A1:Q1", "E3:F3", "G3:H3", *(f"{c}3:{c}4" for c in "ABCDIJKLMNOPQ")):
        page.merge_cells(area)
    book.save(path)


def _register_row(number: int, code: str, one: pd.Series) -> list[object]:
    """Write one facility as offices type it; every third thing is a little off, by its number."""
    lon, lat = (one["lat"], one["lon"]) if number in (14, 37) else (one["lon"], one["lat"])
    opened, closed = one["opened"], one["closed"]
    if number == 21:
        opened, closed = 2023, 2019
    unit = "" if number == 26 else one["unit"]
    kind = "邻里养老屋" if number in (33, 34) else _TYPES.get(one["type"], one["type"]) if number % 4 == 0 else one["type"]
    phone = f"138{number * 7919 % 10**8:08d}"
    return [number, code, one["name"], kind, lon, lat, _beds(number, one["places"]), one["nursing_places"] or None,
            one["area_m2"], one["operator"], _STATUS[one["status"]], _date(number, opened), _date(number, closed),
            one["functions"].replace(";", "、"), unit, "某某", phone]  # fmt: skip


def _beds(number: int, places: float) -> object:
    if np.isnan(places):
        return "—"
    odd = {3: f"约{places:.0f}张", 5: f"{places:.0f}".translate(str.maketrans("0123456789", "０１２３４５６７８９")),
           7: f"{places:.0f}-{places + 10:.0f}", 9: "—", 11: f"{places:.0f}余张", 12: "若干", 30: places * 10}  # fmt: skip
    return odd.get(number, places)


def _date(number: int, year: float) -> object:
    if np.isnan(year):
        return None
    chinese = f"{year:.0f}".translate(str.maketrans("0123456789", "〇一二三四五六七八九"))
    return (f"{year:.0f}年3月", f"{chinese}年", f"{year:.0f}.5.1", int(year))[number % 4]


def _write_schools(clean: Path, path: Path) -> None:
    """Write the list of kindergartens in GBK, both coordinates in one column, with the head's name and telephone."""
    table = pd.read_csv(clean, dtype=str)
    lon, lat = _baidu(table["经度"].astype(float).to_numpy(), table["纬度"].astype(float).to_numpy())
    table["百度坐标"] = [f"{x:.6f},{y:.6f}" for x, y in zip(lon, lat, strict=True)]
    table["园长"], table["电话"] = "某某", [f"0999-{2000000 + at * 37}" for at in range(len(table))]
    table.loc[20, "所属单位代码"] = ""
    table = pd.concat([table, table.iloc[[4]].assign(编号="YE904")])
    kept = table.drop(columns=["经度", "纬度", "备注"])
    path.write_bytes(kept.to_csv(index=False, lineterminator="\r\n").encode("gbk"))


def _write_sites(clean: Path, path: Path) -> None:
    """Write the list of sites as systems export it: tabs, UTF-16, cost in units of 10,000 yuan."""
    table = pd.read_csv(clean, dtype=str).drop(columns="备注")
    table["投资（万元）"] = table.pop("费用（元）").astype(float) / 1e4
    table["可设服务"] = table["可设服务"].str.replace("township_centre", "day_care")
    table = table.rename(columns={"经度": "WGS84经度", "纬度": "WGS84纬度"})
    path.write_bytes(table.to_csv(index=False, sep="\t").encode("utf-16"))


def _write_features(clean: Path, path: Path) -> None:
    """Write idle schools and rooms of communities as an OSM extract would hold them, as points with a tag."""
    table = pd.read_csv(clean, dtype=str)
    tag = table["类型"].map({"闲置校舍": "school", "社区用房": "community_centre"})
    nodes = [
        f'<node id="{at + 1}" version="1" lon="{one["经度"]}" lat="{one["纬度"]}"><tag k="amenity" v="{tag[at]}"/></node>'
        for at, one in table[tag.notna()].iloc[::3].iterrows()
    ]
    path.write_text("\n".join(['<osm version="0.6">', *nodes, "</osm>"]), encoding="utf-8")


def _write_units(units: gpd.GeoDataFrame, folder: Path) -> None:
    """Write outlines that know code and name only (GBK, no .cpg), and a list of codes that knows the rest."""
    drawn = units.reset_index()[["unit_id", "name", "geometry"]].rename(columns={"unit_id": "XZQDM", "name": "XZQMC"})
    drawn.to_file(folder / OUTLINES, encoding="GBK")
    (folder / OUTLINES).with_suffix(".cpg").unlink(missing_ok=True)
    level = {"county": "区", "street": "街道", "township": "乡镇", "community": "社区", "village": "村"}
    codes = pd.DataFrame({
        "区划代码": units.index, "名称": units["name"], "级别": units["level"].map(level), "上级代码": units["parent"],
        "城乡": units["setting"].map({"urban": "城镇", "rural": "乡村"}),
    })  # fmt: skip
    twice = codes[codes["级别"] == "社区"].iloc[[7]].assign(名称="新设社区")
    pd.concat([codes, twice]).to_excel(folder / CODES, index=False)


def _write_people(truth: cs.Study, folder: Path) -> None:
    """Write a coarse raster of all residents, a census of ages by street and township, and a list of persons to refuse."""
    cells = truth.cells
    west, north = 492_000.0, 3_935_000.0
    col, row = ((cells.geometry.x - west) // 1000).astype(int), ((north - cells.geometry.y) // 1000).astype(int)
    people = np.zeros((int(row.max()) + 1, int(col.max()) + 1), dtype=np.float32)
    np.add.at(people, (row.to_numpy(), col.to_numpy()), cells["total"].to_numpy())
    shape = {"height": people.shape[0], "width": people.shape[1], "count": 1, "dtype": "float32", "crs": truth.crs}
    with rasterio.open(
        folder / RASTER, "w", driver="GTiff", transform=Affine(1000.0, 0.0, west, 0.0, -1000.0, north), **shape
    ) as out:
        out.write(people, 1)
    parent = cells["unit"].map(truth.units["parent"])
    heads = {"total": "常住人口", "p0_3": "0-3岁", "p60": "60岁及以上", "p65": "65岁及以上", "p80": "80岁及以上"}
    census = cells[list(heads)].groupby(parent).sum().round().rename(columns=heads)
    census.insert(0, "街道（乡镇）", truth.units["name"].reindex(census.index))
    census = census.rename_axis("区划代码").reset_index().astype(object)
    census.loc[3, "80岁及以上"] = "待补"
    census.to_excel(folder / CENSUS, index=False)
    rows = ["姓名,身份证号,出生年份,住址", *(f"某老人{n},{_citizen_number(n)},19{40 + n},虚构路{n}号" for n in range(1, 9))]
    (folder / RESIDENTS).write_text("\n".join(rows), encoding="utf-8-sig")


def _citizen_number(n: int) -> str:
    """Make up a number of a region that no province has, with the right check character."""
    stem = f"99010119{40 + n}0101{n:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return stem + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(stem, weights, strict=True)) % 11]


def rows_of(path: Path, sheet: str | None = None) -> int:
    """Count the rows of a file that hold anything, by other means than careshed's."""
    if path.suffix == ".xlsx":
        page = load_workbook(path, data_only=True)[sheet] if sheet else load_workbook(path).active
        return sum(any(value not in (None, "") for value in row) for row in page.iter_rows(values_only=True))
    if path.suffix == ".shp":
        return len(gpd.read_file(path, encoding="GBK"))
    raw = path.read_bytes()
    text = raw.decode("utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else raw.decode("gbk")
    return sum(bool(re.sub(r"[\s,]", "", line)) for line in text.splitlines())


STUDY = f"""\
[study]
name = "青湾市（虚构）"
lang = "zh"
made_up = true
data_date = "2025-06-30"
crs = "EPSG:32651"
snap_m = 150

[streets]
file = "streets.osm.pbf"

[population.rasters]
total = "{RASTER}"

[demand.ages.table]
file = "{CENSUS}"

[demand.refine]
onto = "streets"

[units]
file = ["{CODES}", "{OUTLINES}"]

[[facilities]]
file = "{REGISTER}"
sheet = "汇总"
crs = "EPSG:4326"

[[facilities]]
file = "{SCHOOLS}"
crs = "EPSG:4326"

[[candidates]]
file = "{SITES}"
crs = "EPSG:4326"
datum = "WGS-84"

[[service]]
id = "day_care"
name_zh = "社区养老服务"
name_en = "Day care for the old"
types = ["社区养老服务站", "社区养老服务站（点）", "日间照料中心", "日间照料室", "农村幸福院", "邻里养老屋"]
group = "p60"
groups_shown = ["p60", "p80", "total"]
mode = "older"
minutes = [5, 10, 15]
within_minutes = 15
n_sites = 8

[[service]]
id = "childcare"
name_zh = "托育服务"
name_en = "Childcare"
types = ["托育机构", "幼儿园托班"]
group = "p0_3"
mode = "toddler"
minutes = [5, 10, 15]
within_minutes = 15
n_sites = 5
"""
