"""Read OSM features by their tags as a table: kindergartens, clinics, social facilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.intake.columns import Kind
from careshed.intake.naming import named, names_known
from careshed.intake.sources import SourceTable, damaged, must_exist, stop
from careshed.schema import Checked, Fault, file_label

Tags = Mapping[str, str | Sequence[str]]
"""Key -> the value or values wanted, "*" for any."""

SUFFIXES: Final = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")

_HEADERS: Final = ("id", "name", "type", "capacity", "operator", "start_date", "end_date")
_CRS: Final = "EPSG:4326"


@dataclass
class _Found:
    """Features found so far."""

    rows: list[list[object]] = field(default_factory=list)
    geometry: list[shapely.Geometry] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    """Tagged ways and relations that are no area, until their area turns up."""


def read_osm_features(path: str | Path, tags: Tags) -> Checked[GeoDataFrame]:
    """List what OSM knows of a kind of place: points as points, buildings and grounds as areas, degrees WGS-84.

    Parameters
    ----------
    path
        ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2``.
    tags
        Key -> value or values; a feature counts if any key fits.

    Returns
    -------
    Checked[GeoDataFrame]
        Index ``osm_id`` such as ``way/37264738``; ``name``, ``type`` (the value of the first key that fits), ``capacity``,
        ``operator``, ``start_date`` and ``end_date`` as text. Tagged ways and relations that are no area are named and left out.

    Raises
    ------
    careshed.schema.InputError
        If the file is missing, cut short or of another kind, or nothing in it has the tags.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "town.osm"
    >>> node = '<node id="7" lat="31.2" lon="121.5"><tag k="amenity" v="kindergarten"/></node>'
    >>> _ = file.write_text(f'<osm version="0.6">{node}</osm>', encoding="utf-8")
    >>> read_osm_features(file, {"amenity": "kindergarten"}).table.index.tolist()
    ['node/7']
    """
    rows, geometry, faults = _features(Path(path), tags)
    frame = pd.DataFrame(rows, columns=list(_HEADERS)).set_index("id").rename_axis("osm_id")
    return Checked(GeoDataFrame(frame, geometry=geometry, crs=_CRS), faults)


def osm_table(path: str | Path, tags: Tags, *, kind: Kind, columns: Mapping[str, str] | None = None) -> SourceTable:
    """Read OSM features as a source table, so that they serve as a register or as candidates like any other file."""
    file = Path(path)
    names_known(file, kind, columns)
    rows, geometry, faults = _features(file, tags)
    numbers = np.arange(1, len(rows) + 1, dtype=np.int64)
    return named(file, kind, rows, _HEADERS, numbers, columns, faults=faults, geometry=geometry, crs=_CRS)


def _features(file: Path, tags: Tags) -> tuple[list[list[object]], NDArray[np.object_], tuple[Fault, ...]]:
    """Collect the features in the order of their kind and number, and name those that have no place."""
    import osmium

    must_exist(file)
    if not file.name.lower().endswith(SUFFIXES):
        cure = (f"请使用 {', '.join(SUFFIXES)}。", f"Use one of {', '.join(SUFFIXES)}.")
        raise stop(file, "unknown_format", ("不是 OSM 文件", "is not an OSM file"), cure)
    wanted = {key: {values} if isinstance(values, str) else set(values) for key, values in tags.items()}
    found = _Found()
    try:
        for item in _items(file, wanted):
            _take(item, wanted, found)
    except (RuntimeError, osmium.InvalidLocationError) as error:
        raise damaged(file, error) from error
    if not found.rows:
        listed = "; ".join(f"{key}={'|'.join(sorted(values))}" for key, values in wanted.items())
        told = (f"没有带标签 {listed} 的要素", f"nothing in the file has the tags {listed}")
        raise stop(
            file, "empty_table", told, ("请核对标签或换用覆盖研究范围的文件。", "Check the tags, or take another extract.")
        )
    order = sorted(range(len(found.rows)), key=lambda at: _order(str(found.rows[at][0])))
    placed = {str(row[0]) for row in found.rows}
    told = ("没有闭合成面，未采用", "forms no closed area and is left out")
    lost = [own for own in found.lines if own not in placed]
    faults = tuple(Fault("no_area", file_label(file), *told, row=own, severity="dropped") for own in sorted(lost, key=_order))
    return [found.rows[at] for at in order], np.array([found.geometry[at] for at in order], dtype=object), faults


def _items(file: Path, wanted: Mapping[str, set[str]]) -> Iterator[Any]:
    import osmium

    kind = next(suffix for suffix in SUFFIXES if file.name.lower().endswith(suffix))
    keys = osmium.filter.KeyFilter(*wanted)
    source = osmium.io.File(str(file), kind.removeprefix("."))
    yield from osmium.FileProcessor(source).with_locations().with_areas(keys).with_filter(keys)


def _take(item: Any, wanted: Mapping[str, set[str]], found: _Found) -> None:
    import osmium

    key = next((key for key, values in wanted.items() if item.tags.get(key) and {"*", item.tags[key]} & values), None)
    if key is None:
        return
    if item.is_node():
        own, shape = f"node/{item.id}", shapely.Point(item.lon, item.lat)
    elif item.is_area():
        own = f"{'way' if item.from_way() else 'relation'}/{item.orig_id()}"
        shape = shapely.from_wkb(bytes.fromhex(osmium.geom.WKBFactory().create_multipolygon(item)))
        shape = shape.geoms[0] if len(shape.geoms) == 1 else shape
    else:
        found.lines.append(f"{'way' if item.is_way() else 'relation'}/{item.id}")
        return
    name = item.tags.get("name:zh") or item.tags.get("name") or ""
    rest = [item.tags.get(header) or "" for header in _HEADERS[3:]]
    found.rows.append([own, name, item.tags[key], *rest])
    found.geometry.append(shape)


def _order(own: str) -> tuple[str, int]:
    kind, number = own.split("/")
    return kind, int(number)
