"""Know a column by the names that planners give it, in Chinese and English."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["facilities", "candidates", "units", "population", "compounds"]
"""Which table is read; the same header means different things in different tables."""

SECTIONS: Final[dict[Kind, str]] = {
    "facilities": "facilities.columns",
    "candidates": "candidates.columns",
    "units": "units.columns",
    "population": "population.table.columns",
    "compounds": "compounds.columns",
}
"""Where in the study file a planner maps the headers of that table."""

_LON: Final = ("经度", "lon", "lng", "long", "longitude", "x", "x坐标", "东坐标", "easting", "point_x", "经度坐标")
_LAT: Final = ("纬度", "lat", "latitude", "y", "y坐标", "北坐标", "northing", "point_y", "纬度坐标")
_ID: Final = ("编号", "编码", "代码", "id", "code", "机构编号", "机构代码", "设施编号", "设施代码", "点位编号")
_NAME: Final = ("名称", "name", "机构名称", "设施名称", "单位名称", "点位名称", "项目名称")
_PLACES: Final = (
    "床位数", "托位数", "床位", "托位", "places", "beds", "capacity", "容量", "学位数", "学位", "养老床位", "养老床位数",
    "可提供床位", "可提供托位", "服务人数",
)  # fmt: skip
_AREA: Final = ("建筑面积", "面积", "area_m2", "area", "floor_area", "floor_area_m2", "使用面积", "用房面积")
_UNIT: Final = (
    "所属单元", "所属单位代码", "单元代码", "社区代码", "村代码", "村居代码", "所属社区代码", "街道代码", "乡镇代码",
    "所属街道代码", "行政区划代码", "区划代码", "unit", "unit_id", "unit_code",
)  # fmt: skip
_PLACED: Final = {"id": _ID, "name": _NAME, "lon": _LON, "lat": _LAT, "places": _PLACES, "area_m2": _AREA, "unit": _UNIT}

NAMES: Final[dict[Kind, dict[str, tuple[str, ...]]]] = {
    "facilities": {
        **_PLACED,
        "type": ("类型", "设施类型", "机构类型", "类别", "设施类别", "type", "facility_type"),
        "status": ("状态", "运营状态", "建设状态", "运营情况", "项目状态", "status"),
        "operator": (
            "运营方",
            "运营主体",
            "运营方式",
            "运营性质",
            "机构性质",
            "性质",
            "举办者性质",
            "operator",
            "operator_class",
        ),
        "opened": (
            "投用年份",
            "开办年份",
            "成立年份",
            "建成年份",
            "启用年份",
            "投用时间",
            "开业时间",
            "opened",
            "opening_year",
            "year",
        ),
    },
    "candidates": {
        **_PLACED,
        "places": ("可设床位", "可设托位", *_PLACES),
        "kind": ("类型", "场地类型", "用房类型", "现状用途", "类别", "kind", "type"),
        "services": ("可设服务", "适用服务", "服务", "服务类型", "services", "service"),
        "cost_yuan": ("造价", "改造费用", "改造成本", "投资", "估算投资", "费用", "成本", "cost", "cost_yuan"),
    },
    "units": {
        "id": ("代码", "编码", "区划代码", "行政区划代码", "单元代码", "code", "unit_id", "id", "编号", "unit_code"),
        "name": ("名称", "name", "单元名称", "区划名称", "行政区名称"),
        "level": ("级别", "层级", "类型", "level", "单元级别"),
        "parent": ("上级代码", "上级", "所属", "父级代码", "parent", "parent_id", "parent_code"),
        "setting": ("城乡", "城乡类型", "城乡属性", "城乡分类", "setting", "urban_rural"),
        "lon": _LON,
        "lat": _LAT,
    },
    "population": {
        "id": ("编号", "代码", "id", "code", "cell_id", "格网编号", "网格编号", "grid_id"),
        "lon": _LON,
        "lat": _LAT,
        "total": ("总人口", "人口", "人口数", "常住人口", "total", "population", "pop"),
        "p0_3": ("0-3岁", "0~3岁", "0—3岁", "3岁以下", "0-3岁人口", "3岁以下婴幼儿", "p0_3"),
        "p3_6": ("3-6岁", "3~6岁", "3—6岁", "3-6岁人口", "p3_6"),
        "p60": ("60岁及以上", "60岁以上", "60+", "60岁及以上人口", "60岁及以上老人", "老年人口", "p60"),
        "p65": ("65岁及以上", "65岁以上", "65+", "65岁及以上人口", "65岁及以上老人", "p65"),
        "p80": ("80岁及以上", "80岁以上", "80+", "80岁及以上人口", "80岁及以上老人", "高龄人口", "p80"),
    },
    "compounds": {
        "id": ("小区编号", "小区代码", *_ID, "compound_id"),
        "name": ("小区名称", "小区", *_NAME),
        "lon": _LON,
        "lat": _LAT,
        "unit": _UNIT,
    },
}
"""Our name -> headers accepted for it, the earlier preferred where a table has several."""

FACTORS: Final[dict[str, dict[str, float]]] = {
    "cost_yuan": {"元": 1.0, "yuan": 1.0, "cny": 1.0, "万元": 1e4, "亿元": 1e8},
    "area_m2": {"m2": 1.0, "㎡": 1.0, "平方米": 1.0, "平米": 1.0, "公顷": 1e4, "ha": 1e4, "亩": 2000.0 / 3.0, "万平方米": 1e4},
    "places": {"张": 1.0, "个": 1.0, "人": 1.0, "床": 1.0, "beds": 1.0},
    "people": {"人": 1.0, "persons": 1.0, "people": 1.0, "千人": 1e3, "万人": 1e4},
}
"""Quantity -> unit in a header's brackets, such as 投资（万元） -> factor to our unit (yuan, square metres, places, people)."""

_BRACKETS: Final = re.compile(r"[(\[【〔]([^)\]】〕]*)[)\]】〕]")


@dataclass(frozen=True)
class Match:
    """Which column of a file is which of ours."""

    position: dict[str, int]
    """Our name -> position of the column in the file."""
    ignored: dict[str, list[int]]
    """Our name -> further columns that could have been it and are not used."""
    absent: dict[str, str]
    """Our name -> header that the study maps it to and the file does not have."""


def plain(text: object) -> str:
    """Reduce a header or word to what counts in comparing: no width, case, spaces or underscores.

    >>> plain("经 度 "), plain("Area_M²")
    ('经度', 'aream2')
    """
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFKC", str(text)).casefold())


def without_unit(header: str) -> str:
    """Reduce a header as `plain` does, and drop a unit in brackets.

    >>> without_unit("床位数（张）")
    '床位数'
    """
    return plain(_BRACKETS.sub("", unicodedata.normalize("NFKC", header)))


def unit_of(header: str) -> str:
    """Read the unit in a header's brackets, "" where there is none.

    >>> unit_of("投资（万元）")
    '万元'
    """
    found = _BRACKETS.search(unicodedata.normalize("NFKC", header))
    return plain(found.group(1)) if found else ""


def match(headers: Sequence[str], kind: Kind, mapped: Mapping[str, str] | None = None) -> Match:
    """Match a file's headers to our names: what the study maps first, then the names usually met.

    >>> match(["经度", "纬度", "床位数（张）"], "facilities").position
    {'lon': 0, 'lat': 1, 'places': 2}
    """
    mapped = mapped or {}
    whole, bare = [plain(header) for header in headers], [without_unit(header) for header in headers]
    position: dict[str, int] = {}
    ignored: dict[str, list[int]] = {}
    taken = {place for header in mapped.values() for place, own in enumerate(whole) if own == plain(header)}
    for name in dict.fromkeys([*NAMES[kind], *mapped]):
        accepted = [plain(mapped[name])] if name in mapped else [plain(word) for word in NAMES[kind][name]]
        places = [place for word in accepted for place in range(len(headers)) if word in (whole[place], bare[place])]
        free = [place for place in dict.fromkeys(places) if name in mapped or place not in taken]
        if free:
            position[name] = free[0]
            ignored[name] = free[1:]
    absent = {name: header for name, header in mapped.items() if name not in position}
    return Match(position, {name: rest for name, rest in ignored.items() if rest}, absent)


def nearest(word: str, known: Sequence[str]) -> str:
    """Find the known word that a misspelt one most likely means, "" where none is close.

    >>> nearest("minuts", ["minutes", "mode"])
    'minutes'
    """
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return close[0] if close else ""
