"""Fill the registers of the made-up town as its offices would have: where facilities came first, not where they lack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from careshed.demo.form import CRS
from careshed.demo.people import CELL_M, Raster
from careshed.demo.town import Town
from careshed.demo.ways import Floats

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

MADE_UP: Final = "虚构数据"
"""Written in the last column of every register, so that no row passes for a real place."""

SHEET: Final = "登记表"
MAIN_CLASSES: Final = ("primary", "secondary", "tertiary", "unclassified")
WALK_CLASSES: Final = (*MAIN_CLASSES, "residential", "living_street", "pedestrian", "service")

Row = dict[str, str | float]


@dataclass
class Office:
    """What the offices that keep the registers know: streets, communities and who lives there."""

    rng: np.random.Generator
    spots: Floats
    """Points on streets, metres, shape (spots, 2)."""
    busy: Floats
    """People in the cell of each spot."""
    main: NDArray[np.bool_]
    """Whether the spot is on a main street."""
    unit: NDArray[np.str_]
    """Community or village of each spot."""
    communities: pd.DataFrame
    """Index code; columns name, level, parent, total, p0_3, p3_6, p60, old (share 60+), kind (town, seat, village)."""
    to_lonlat: Callable[[Floats], Floats]

    def spot(self, unit: str, *, main: bool) -> Floats:
        """Choose a place in a unit: beside a street, a main one where asked and there is one, likelier where people are."""
        at = np.flatnonzero(self.unit == unit)
        first = at[self.main[at]] if main else at
        at = first if len(first) else at
        weight = self.busy[at] + 3.0
        chosen = self.rng.choice(at, p=weight / weight.sum())
        turn = self.rng.uniform(0, 2 * np.pi)
        return np.asarray(self.spots[chosen] + 13.0 * np.array([np.cos(turn), np.sin(turn)]))

    def pick(self, kind: str, count: int, by: str, *, sharp: float = 1.0) -> list[str]:
        """Choose units of a kind, ``town`` or ``village``, likelier the larger their column `by`; none twice."""
        own = self.communities[self.communities["kind"] == kind]
        weight = own[by].to_numpy() ** sharp
        return [str(code) for code in self.rng.choice(own.index, min(count, len(own)), replace=False, p=weight / weight.sum())]

    def seats(self) -> list[str]:
        """Give the communities of the township seats."""
        return [str(code) for code in self.communities.index[self.communities["kind"] == "seat"]]

    @property
    def people(self) -> dict[str, float]:
        """Residents by unit."""
        return {str(code): float(count) for code, count in self.communities["total"].items()}

    def short_name(self, unit: str) -> str:
        """Give a unit's name as signs have it: without 社区, 街社区 or 村."""
        name, kind = str(self.communities["name"][unit]), str(self.communities["kind"][unit])
        return name.removesuffix({"town": "社区", "seat": "街社区", "village": "村"}[kind])


def make_office(town: Town, units: GeoDataFrame, raster: Raster, seed: int) -> Office:
    """Gather what the registers are filled from."""
    import geopandas as gpd

    leaves = units[units["level"].isin(["community", "village"])].reset_index(drop=True)
    tree = shapely.STRtree(leaves.geometry.to_numpy())
    spots, main = _street_spots(town)
    point, leaf = tree.query(shapely.points(spots), predicate="within")
    point, first = np.unique(point, return_index=True)
    leaf = leaf[first]
    row = np.floor((raster.north - spots[:, 1]) / CELL_M).astype(int)
    col = np.floor((spots[:, 0] - raster.west) / CELL_M).astype(int)
    busy = raster.groups["total"][row, col]

    def to_lonlat(xy: Floats) -> Floats:
        points = gpd.GeoSeries(gpd.points_from_xy(*xy.T), crs=CRS).to_crs("EPSG:4326")
        return np.asarray(shapely.get_coordinates(points.array), dtype=np.float64)

    codes = leaves["code"].to_numpy(dtype=str)
    table = _community_table(leaves, tree, raster)
    return Office(np.random.default_rng([seed, 8]), spots[point], busy[point], main[point], codes[leaf], table, to_lonlat)


def _street_spots(town: Town) -> tuple[Floats, NDArray[np.bool_]]:
    """Take a point in the middle of every stretch of street of some length, the island and works' drives left out."""
    spots, main = [], []
    islet = town.form.island.buffer(60)
    xy = town.streets.xy
    for refs, tags in zip(town.streets.refs, town.streets.tags, strict=True):
        if tags.get("highway") not in WALK_CLASSES or tags.get("foot") == "no" or "bridge" in tags or "tunnel" in tags:
            continue
        line = xy[list(refs)]
        long = np.hypot(*np.diff(line, axis=0).T) > 12
        middle = (line[:-1] + line[1:])[long] / 2
        spots.append(middle)
        main.append(np.full(len(middle), tags["highway"] in MAIN_CLASSES))
    plan, on_main = np.vstack(spots), np.concatenate(main)
    keep = ~shapely.contains_xy(islet, plan)
    return town.warp(plan[keep]), on_main[keep]


def _community_table(leaves: GeoDataFrame, tree: shapely.STRtree, raster: Raster) -> pd.DataFrame:
    row, col = np.nonzero(raster.groups["total"] > 0)
    x, y = raster.west + CELL_M * (col + 0.5), raster.north - CELL_M * (row + 0.5)
    leaf = tree.nearest(shapely.points(x, y))
    table = pd.DataFrame(leaves[["code", "name", "level", "parent"]]).set_index("code")
    for group in ("total", "p0_3", "p3_6", "p60"):
        table[group] = np.bincount(leaf, weights=raster.groups[group][row, col], minlength=len(leaves)) + 0.1
    rural_seat = table.index.str[6:9].astype(int) >= 100
    table["kind"] = np.where(table["level"] == "village", "village", np.where(rural_seat, "seat", "town"))
    table["old"] = table["p60"] / table["total"]
    return table


def _table(office: Office, rows: Sequence[Row], prefix: str, last: Sequence[str]) -> pd.DataFrame:
    """Number the rows, turn places into degrees, put the columns in the register's order."""
    frame = pd.DataFrame(rows)
    lonlat = np.round(office.to_lonlat(frame[["x", "y"]].to_numpy(dtype=float)), 6)
    frame["经度"], frame["纬度"] = lonlat.T
    frame["编号"] = [f"{prefix}{n:03d}" for n in range(1, len(frame) + 1)]
    frame["备注"] = MADE_UP
    return frame[["编号", "名称", *last, "备注"]]


def _status(rng: np.random.Generator) -> tuple[str, int | str]:
    """Draw a status and, for what is open, the year it opened."""
    status = str(rng.choice(["运营", "开工", "储备"], p=[0.84, 0.09, 0.07]))
    return status, int(rng.integers(2009, 2025)) if status == "运营" else ""


def _facility(office: Office, unit: str, kind: str, label: str, size: tuple[int, int], per_place: float, *, main: bool) -> Row:
    rng = office.rng
    x, y = office.spot(unit, main=main)
    places = int(rng.integers(size[0], size[1] + 1))
    status, opened = _status(rng)
    return {
        "名称": f"{office.short_name(unit)}{label}",
        "类型": kind,
        "x": float(x),
        "y": float(y),
        "places": places,
        "建筑面积": int(places * per_place * rng.uniform(0.85, 1.2) / 10) * 10,
        "运营性质": str(rng.choice(["公办", "公建民营", "民办普惠", "民办"], p=[0.35, 0.3, 0.2, 0.15])),
        "状态": status,
        "开办年份": opened,
        "所属单位代码": unit,
    }


REGISTER: Final = ("经度", "纬度", "床位数", "建筑面积", "运营性质", "状态", "开办年份", "所属单位代码")


def elder_care(office: Office) -> pd.DataFrame:
    """Fill the elder-care register: stations came first to the oldest communities, homes to township seats."""
    seats, pick = office.seats(), office.pick
    largest = sorted(seats, key=lambda unit: -office.people[unit])[:3]
    stations = pick("town", 19, "old", sharp=3.0)
    rows = [_facility(office, unit, "社区养老服务站", "社区养老服务站", (4, 12), 40, main=True) for unit in stations]
    centres = pick("town", 8, "p60", sharp=1.5)
    rows += [_facility(office, unit, "日间照料中心", "社区日间照料中心", (15, 40), 22, main=True) for unit in centres]
    villages = pick("village", 10, "p60")
    rows += [_facility(office, unit, "农村幸福院", "村幸福院", (8, 24), 18, main=False) for unit in villages]
    rows += [_facility(office, unit, "敬老院", "敬老院", (40, 90), 28, main=False) for unit in seats[:3]]
    hubs = largest + pick("town", 2, "p60")
    rows += [_facility(office, unit, "区域养老服务中心", "区域养老服务中心", (60, 150), 32, main=True) for unit in hubs]
    _rename(rows, "床位数")
    return _with_extent(_table(office, [*rows, _shut(rows[0])], "YL", ("类型", *REGISTER)))


def _shut(last: Row) -> Row:
    """Make up a day-care centre that closed, in the building next to an open facility."""
    closed: Row = {"名称": f"旧{last['名称']}", "类型": "日间照料中心", "状态": "停业", "开办年份": 2012}
    return last | closed | {"x": float(last["x"]) + 25.0, "床位数": 12, "建筑面积": 260}


OFFERED: Final[Mapping[str, tuple[tuple[str, float], ...]]] = {
    "社区养老服务站": (("日托", 0.5), ("上门服务", 0.6), ("助餐", 0.6), ("供需对接", 0.4)),
    "日间照料中心": (("日托", 1.0), ("助餐", 0.8), ("上门服务", 0.3), ("医养结合", 0.3)),
    "农村幸福院": (("助餐", 0.7), ("日托", 0.3)),
    "敬老院": (("全托", 1.0), ("医养结合", 0.4)),
    "区域养老服务中心": (
        ("全托", 1.0),
        ("日托", 0.9),
        ("上门服务", 0.8),
        ("供需对接", 0.8),
        ("资源统筹", 0.8),
        ("医养结合", 0.6),
        ("家庭照护床位", 0.5),
    ),
}
"""Type -> what it may offer, and how often it does."""


def _with_extent(table: pd.DataFrame) -> pd.DataFrame:
    """Add what elder-care offices also note: functions, nursing beds, land, closing year; drawn apart from everything else."""
    rng = np.random.default_rng(9)
    kinds, beds = table["类型"].tolist(), table["床位数"].to_numpy(dtype=float)
    nursing = np.where(table["类型"].isin(["敬老院", "区域养老服务中心"]), rng.uniform(0.3, 0.8, len(table)), 0.0)
    columns = {
        "服务功能": ["；".join(name for name, often in OFFERED[kind] if rng.random() < often) for kind in kinds],
        "护理型床位": np.round(beds * nursing).astype(int),
        "用地面积": (table["建筑面积"].to_numpy(dtype=float) * rng.uniform(0.5, 1.1, len(table)) / 10).astype(int) * 10,
        "停业年份": [2022 if status == "停业" else "" for status in table["状态"]],
    }
    own = pd.DataFrame(columns, index=table.index)
    return pd.concat([table.drop(columns="备注"), own, table["备注"]], axis=1)


def _rename(rows: Sequence[Row], header: str) -> None:
    """Give the number of places its header in this register."""
    for row in rows:
        row[header] = row.pop("places")


def kindergartens(office: Office) -> pd.DataFrame:
    """Fill the kindergarten register: where young children are, and in every township seat."""
    units = office.pick("town", 24, "p3_6") + office.seats() + office.pick("village", 5, "p3_6")
    rows = [_facility(office, unit, "幼儿园", "幼儿园", (120, 360), 9, main=n % 3 == 0) for n, unit in enumerate(units)]
    _rename(rows, "学位数")
    return _table(office, rows, "YE", ("类型", *_headed("学位数")))


def _headed(places: str) -> list[str]:
    return [places if name == "床位数" else name for name in REGISTER]


def childcare(office: Office, schools: pd.DataFrame) -> pd.DataFrame:
    """Fill the childcare register: private centres on main streets, nursery groups in some kindergartens."""
    units = office.pick("town", 12, "p0_3", sharp=1.3)
    rows = [_facility(office, unit, "托育机构", "托育中心", (30, 90), 8, main=True) for unit in units]
    hosts = schools[schools["状态"] == "运营"].iloc[::3].head(8)
    for host in hosts.to_dict("records"):
        row = _facility(office, str(host["所属单位代码"]), "幼儿园托班", "", (15, 40), 7, main=False)
        rows.append(row | {"名称": f"{host['名称']}托班"})
    _rename(rows, "托位数")
    return _hosted(_table(office, rows, "TY", ("类型", *_headed("托位数"))), hosts, len(units))


def clinics(sites: pd.DataFrame) -> pd.DataFrame:
    """List the health centres and clinics that the list of sites names, as facilities in their own right."""
    own = sites[sites["类型"] == "卫生服务站"].reset_index(drop=True)
    kind = ["社区卫生服务机构" if name.endswith("社区卫生服务站") else "乡镇卫生院" for name in own["名称"]]
    table = own[["名称", "经度", "纬度", "建筑面积", "所属单位代码", "备注"]].assign(
        编号=[f"WS{n:03d}" for n in range(1, len(own) + 1)], 类型=kind, 状态="运营"
    )
    return table[["编号", "名称", "类型", "经度", "纬度", "建筑面积", "状态", "所属单位代码", "备注"]]


def _hosted(table: pd.DataFrame, hosts: pd.DataFrame, first: int) -> pd.DataFrame:
    """Put the rows from `first` on where their hosts stand."""
    table = table.copy()
    at = table.index[first : first + len(hosts)]
    for name in ("经度", "纬度"):
        table.loc[at, name] = hosts[name].to_numpy()
    return table


KINDS: Final[Mapping[str, tuple[tuple[int, int], float, float]]] = {
    "闲置校舍": ((20, 60), 20.0, 1400.0),
    "幼儿园富余用房": ((15, 45), 7.0, 900.0),
    "社区用房": ((8, 30), 16.0, 1100.0),
    "卫生服务站": ((6, 30), 18.0, 1300.0),
}
"""Kind of candidate -> places possible, floor area a place (m²), cost of conversion (yuan/m²)."""


def candidates(office: Office, schools: pd.DataFrame) -> pd.DataFrame:
    """List the sites the town could turn to: idle schools, spare rooms in kindergartens, community rooms, clinics."""
    pick = office.pick
    spare = schools.iloc[1::2].head(14)
    rows = []
    for host in spare.to_dict("records"):
        row = _candidate(office, str(host["所属单位代码"]), "幼儿园富余用房", "", "childcare")
        rows.append(row | {"名称": f"{host['名称']}富余用房"})
    rows += [_candidate(office, unit, "闲置校舍", "原小学", "childcare;day_care") for unit in pick("town", 5, "old")]
    every = "childcare;day_care;township_centre"
    rows += [_candidate(office, unit, "闲置校舍", "村原小学", every) for unit in pick("village", 9, "p60")]
    for n, unit in enumerate(pick("town", 28, "total")):
        services = "day_care" if n % 3 == 2 else "childcare;day_care"
        rows.append(_candidate(office, unit, "社区用房", "社区党群服务中心用房", services))
    rows += [_candidate(office, unit, "卫生服务站", "卫生院", "day_care;township_centre") for unit in office.seats()]
    rows += [_candidate(office, unit, "卫生服务站", "社区卫生服务站", "day_care") for unit in pick("town", 8, "p60")]
    last = ("类型", "可设服务", "经度", "纬度", "建筑面积", "容量", "费用（元）", "所属单位代码")
    return _hosted(_table(office, rows, "HX", last), spare, 0)


def _candidate(office: Office, unit: str, kind: str, label: str, services: str) -> Row:
    size, per_place, per_m2 = KINDS[kind]
    places = int(office.rng.integers(size[0], size[1] + 1))
    area = int(places * per_place * office.rng.uniform(0.9, 1.3) / 10) * 10
    x, y = office.spot(unit, main=office.rng.random() < 0.5)
    return {
        "名称": f"{office.short_name(unit)}{label}",
        "类型": kind,
        "可设服务": services,
        "x": float(x),
        "y": float(y),
        "建筑面积": area,
        "容量": places,
        "费用（元）": int(area * per_m2 * office.rng.uniform(0.7, 1.4) / 1000) * 1000,
        "所属单位代码": unit,
    }


def compounds(office: Office, town: Town, units: GeoDataFrame, raster: Raster) -> pd.DataFrame:
    """Fill the register of gated compounds."""
    leaves = units[units["level"].isin(["community", "village"])]
    codes = leaves["code"].to_numpy(dtype=str)
    middle = town.warp(np.array([compound.wall.representative_point().coords[0] for compound in town.compounds]))
    nearest = shapely.STRtree(leaves.geometry.to_numpy()).nearest(shapely.points(middle))
    rows: list[Row] = [
        {
            "名称": compound.name,
            "x": float(x),
            "y": float(y),
            "所属单位代码": str(codes[n]),
            "户数": round(compound.households * raster.scale[0]),
            "建成年份": compound.built,
            "门数": len(compound.gates),
        }
        for compound, (x, y), n in zip(town.compounds, middle, nearest, strict=True)
    ]
    return _table(office, rows, "XQ", ("所属单位代码", "户数", "建成年份", "门数", "经度", "纬度"))


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a register as CSV that Excel reads: UTF-8 with BOM, degrees with six decimals, line ends the same everywhere."""
    text = table.assign(经度=table["经度"].map("{:.6f}".format), 纬度=table["纬度"].map("{:.6f}".format))
    text.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")


def write_workbook(path: Path, table: pd.DataFrame, note: str) -> None:
    """Write a register as XLSX: header in row 1, codes as text, and a second sheet that says it is made up."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    from careshed.report.stable import write_xlsx

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = SHEET
    sheet.append(list(table.columns))
    for row in table.to_dict("split")["data"]:
        sheet.append([None if value == "" else value for value in row])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    widths = (9, 26, 16, 12, 12, 8, 10, 10, 7, 9, 15, 30, 11, 10, 10, 10)
    for letter, width in zip("ABCDEFGHIJKLMNOP", widths, strict=True):
        sheet.column_dimensions[letter].width = width
    about = book.create_sheet("说明")
    about.append([note])
    write_xlsx(book, path)
