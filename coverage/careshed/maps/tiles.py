"""Name the online background that a reader may switch on; until then the page asks no other machine for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from careshed.settings.sections import MapSection

TIANDITU: Final = "https://t{s}.tianditu.gov.cn/DataServer?T=%s_w&x={x}&y={y}&l={z}&tk=%s"
"""Web-Mercator tiles of 天地图 in CGCS2000, which lies on WGS-84 to well under a metre."""

NAMED: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "tianditu": (("vec", "cva"), "天地图"),
    "tianditu-image": (("img", "cia"), "天地图"),
    "osm": (("https://tile.openstreetmap.org/{z}/{x}/{y}.png",), "© OpenStreetMap contributors"),
}
"""Name in the study file -> its layers from the ground up, and the credit they ask for."""

SHIFTED: Final = ("autonavi.com", "amap.com", "gtimg.com", "qq.com", "gaode.com")
"""Hosts whose tiles are drawn in GCJ-02, some hundred metres off."""

Background = dict[str, object]
"""``urls`` from the ground up, ``subdomains``, ``credit``, ``shifted`` (drawn in GCJ-02)."""


def background_tiles(section: MapSection, told: str | None = None) -> Background | None:
    """Settle the online background: what the caller tells, else what the study's ``[map]`` section asks for.

    Parameters
    ----------
    told
        Address with ``{z}``, ``{x}``, ``{y}``; or ``osm``; or ``tianditu``, ``tianditu-image``, which need ``tiles_key``; "" for
        none.

    >>> from careshed.settings.sections import MapSection
    >>> background_tiles(MapSection(tiles="tianditu", tiles_key="k"))["urls"][0]
    'https://t{s}.tianditu.gov.cn/DataServer?T=vec_w&x={x}&y={y}&l={z}&tk=k'
    >>> background_tiles(MapSection()) is None
    True
    """
    name = section.tiles if told is None else told
    if not name:
        return None
    parts, credit = NAMED.get(name, ((name,), ""))
    urls = [TIANDITU % (part, section.tiles_key) if name.startswith("tianditu") else part for part in parts]
    host = urlsplit(urls[0].replace("{s}", "0")).hostname or ""
    return {
        "urls": urls,
        "subdomains": "01234567" if name.startswith("tianditu") else "abc",
        "credit": section.attribution or credit or host,
        "shifted": any(host == one or host.endswith(f".{one}") for one in SHIFTED),
    }
