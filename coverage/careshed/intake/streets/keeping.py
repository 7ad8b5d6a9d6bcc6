"""Keep the streets of a place as an OSM file, so that a study is repeated without the network."""

from __future__ import annotations

import gzip
import json
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

from careshed.intake.streets.online import NetworkType, fetch_graph, nodes_of, ways_of

if TYPE_CHECKING:
    import networkx as nx
    from geopandas import GeoDataFrame, GeoSeries
    from shapely import MultiPolygon, Polygon

SUFFIXES: Final = (".osm", ".osm.gz")
"""Ends of the names of files that `keep_streets` writes."""

_DATED: Final = re.compile(r'osm_base="(\d{4}-\d{2}-\d{2})')

_HEAD_BYTES: Final = 1000
"""The date stands within so much of the file's beginning."""


def keep_streets(
    place: str | Polygon | MultiPolygon | GeoDataFrame | GeoSeries, path: str | Path, *, network_type: NetworkType = "all"
) -> Path:
    """Fetch the streets of a place from OpenStreetMap, when online, and keep them as a file that any study can name.

    The file is OSM XML, with barriers and gates, as `careshed.intake.streets.read_streets` reads it, and says of which day the
    server's data are (`kept_on`). It appears whole or not at all.

    Parameters
    ----------
    place, network_type
        As for `careshed.intake.streets.online.fetch_streets`.
    path
        ``.osm``, or ``.osm.gz`` for a tenth of the size; folders are made.

    Raises
    ------
    careshed.schema.InputError
        As `fetch_streets` does; nothing is written then.
    ValueError
        If the suffix is neither, or `network_type` is not known.
    """
    target = Path(path)
    if not target.name.lower().endswith(SUFFIXES):
        raise ValueError(f"{target.name}: fetched streets are written as {', '.join(SUFFIXES)}  只写这些后缀")
    with tempfile.TemporaryDirectory() as answers:
        graph = fetch_graph(place, network_type=network_type, cache=Path(answers))
        day = _data_day(Path(answers))
    text = "\n".join(_lines(graph, day)).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.part")
    aside.write_bytes(gzip.compress(text, mtime=0) if target.suffix.lower() == ".gz" else text)
    os.replace(aside, target)
    return target


def kept_on(path: str | Path) -> str:
    """Tell of which day the data of a kept file are, ISO, "" where the server did not say or the file is damaged.

    >>> file = Path(tempfile.mkdtemp()) / "a.osm"
    >>> _ = file.write_text('<osm version="0.6"><meta osm_base="2026-01-02T03:04:05Z"/></osm>', encoding="utf-8")
    >>> kept_on(file)
    '2026-01-02'
    """
    file = Path(path)
    try:
        with gzip.open(file) if file.suffix.lower() == ".gz" else file.open("rb") as opened:
            head = opened.read(_HEAD_BYTES)
    except (OSError, EOFError, zlib.error):  # reading the streets says what is wrong
        return ""
    found = _DATED.search(head.decode("utf-8", errors="replace"))
    return found[1] if found else ""


def _data_day(answers: Path) -> str:
    """Find the time that the servers state for their data, the earliest of all answers."""
    told = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(answers.glob("*.json"))]
    stated = [one.get("osm3s", {}).get("timestamp_osm_base", "") for one in told if isinstance(one, dict)]
    return min(filter(None, stated), default="")


def _lines(graph: nx.MultiDiGraph, day: str) -> Iterator[str]:
    """Write the graph as OSM XML, a line an element."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<osm version="0.6" generator="careshed">'
    yield "<note>© OpenStreetMap contributors, ODbL</note>"
    if day:
        yield f"<meta osm_base={quoteattr(day)}/>"
    for node, (lon, lat), tags in nodes_of(graph):
        yield f'<node id="{node}" lat="{lat:.7f}" lon="{lon:.7f}">{_tags(tags)}</node>'
    for way, chain, tags in ways_of(graph):
        refs = "".join(f'<nd ref="{node}"/>' for node in chain)
        yield f'<way id="{way}">{refs}{_tags(tags)}</way>'
    yield "</osm>"


def _tags(tags: dict[str, str]) -> str:
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in sorted(tags.items()))
