"""Know the classes of road and the directions of travel that road layers write, in Chinese and English."""

from __future__ import annotations

from typing import Final

from careshed.intake.columns import plain
from careshed.intake.streets.walking import RANK

CLASSES: Final[dict[str, dict[str, str]]] = {
    "高速公路 高速 高速路": {"highway": "motorway"},
    "快速路 城市快速路 快速": {"highway": "trunk"},
    "主干路 主干道 城市主干路 主干": {"highway": "primary"},
    "次干路 次干道 城市次干路 次干": {"highway": "secondary"},
    "支路 城市支路 支路网": {"highway": "tertiary"},
    "国道 一级公路": {"highway": "trunk"},
    "省道 二级公路": {"highway": "primary"},
    "县道 三级公路": {"highway": "secondary"},
    "乡道 四级公路 乡镇道路": {"highway": "tertiary"},
    "村道 村路 农村公路 通村公路": {"highway": "unclassified"},
    "街坊路 街巷 巷道 胡同 里弄 弄堂 居住区道路": {"highway": "residential"},
    "小区路 小区道路 内部道路 内部路 组团路 宅前路 园区道路": {"highway": "service"},
    "机耕路 机耕道 田间路 土路": {"highway": "track"},
    "步行街": {"highway": "pedestrian"},
    "人行道 步道 人行步道 步行道 慢行道 绿道 健身步道": {"highway": "footway"},
    "自行车道 非机动车道 骑行道": {"highway": "cycleway"},
    "人行天桥 过街天桥 天桥": {"highway": "footway", "bridge": "yes"},
    "地下通道 过街地道 人行地道": {"highway": "footway", "tunnel": "yes"},
    "人行横道 斑马线": {"highway": "footway", "footway": "crossing"},
    "台阶 梯道 石阶 楼梯": {"highway": "steps"},
    "匝道": {"highway": "trunk_link"},
    "道路 其他 其他道路": {"highway": "road"},
    "track_grade1 track_grade2 track_grade3 track_grade4 track_grade5": {"highway": "track"},
}
"""Words of a class column -> tags; OSM's own values are known besides."""

_TAGS: Final = {plain(word): tags for words, tags in CLASSES.items() for word in words.split()}
_OWN: Final = {plain(kind): {"highway": kind} for kind in RANK}

DIRECTIONS: Final[dict[str, str]] = {
    plain(word): oneway
    for words, oneway in (
        ("单向 单行 单行线 顺向 正向 是 yes true 1 F FT forward", "yes"),
        ("反向 逆向 -1 T TF backward reverse", "-1"),
        ("双向 双行 否 no false 0 B both", "no"),
    )
    for word in words.split()
}
"""Words of a direction column -> OSM's ``oneway``."""

CODED: Final[dict[str, str]] = {"0": "no", "1": "no", "2": "yes", "3": "-1"}
"""Directions as navigation maps number them -> OSM's ``oneway``: 1 both ways, 2 as drawn, 3 against it."""

_YES: Final = frozenset(map(plain, ("是", "有", "yes", "true", "1", "T", "Y")))
_NO: Final = frozenset(
    map(plain, ("", "否", "无", "非", "no", "none", "false", "0", "F", "N", "道路", "普通道路", "路面", "地面"))
)
_ABOVE: Final = ("桥", "高架", "立交", "viaduct", "bridge")
_BELOW: Final = ("隧", "地道", "地下", "下穿", "tunnel")


def spans(key: str, word: str) -> str | None:
    """Read a word of a column of bridges or tunnels: which of the two the road is, "" for neither, None where it says neither.

    >>> spans("bridge", "是"), spans("bridge", "跨河大桥"), spans("tunnel", "否"), spans("bridge", "下穿"), spans("bridge", "甲")
    ('bridge', 'bridge', '', 'tunnel', None)
    """
    text = plain(word)
    if text in _NO:
        return ""
    if text in _YES:
        return key
    if any(part in text for part in _BELOW):
        return "tunnel"
    return "bridge" if any(part in text for part in _ABOVE) else None


def class_tags(word: str) -> dict[str, str] | None:
    """Read a class of road as tags, None where the word is not known.

    >>> class_tags("次干道"), class_tags("Residential"), class_tags("魔法路")
    ({'highway': 'secondary'}, {'highway': 'residential'}, None)
    """
    key = plain(word)
    return _TAGS.get(key) or _OWN.get(key)


def known_classes() -> list[str]:
    """List the words that are known, for hints."""
    return [word for words in CLASSES for word in words.split()] + list(RANK)
