"""Read a layer of road centrelines into streets, joined where they meet, with every repair told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from careshed.intake.columns import nearest, plain
from careshed.intake.places import Reference, locate
from careshed.intake.sources import SourceTable, as_text
from careshed.intake.streets.lines.classes import CODED, DIRECTIONS, class_tags, known_classes, spans
from careshed.intake.streets.lines.noding import Lines, Noded, node_lines
from careshed.intake.streets.lines.saved import TAG_COLUMNS, Known, known_nodes, with_saved_ground
from careshed.intake.streets.model import Streets
from careshed.intake.streets.tagging import way_table
from careshed.intake.tables import read_table
from careshed.schema import Checked, Fault, InputError, Severity

if TYPE_CHECKING:
    from careshed.datum import Datum

LAYER_SUFFIXES: Final = (".shp", ".gpkg", ".geojson", ".json", ".parquet", ".geoparquet")

TOLERANCE_M: Final = 1.0
"""Metres within which loose ends are joined: drafts on a plan of 1:2,000 are a metre wide."""

MOST_ROWS: Final = 12
"""Rows that a fault names before it counts the rest."""

Words = tuple[str, str]


def read_street_lines(
    path: str | Path,
    *,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    tolerance_m: float = TOLERANCE_M,
    crossings: bool = True,
) -> Checked[Streets]:
    """Read road centrelines of any origin: Shapefile, GeoPackage, GeoJSON or GeoParquet.

    Columns used where there are any, under Chinese or English headers: class of road (道路等级, highway, fclass), name, one-way
    (单向, oneway), speed limit (限速, maxspeed), level above the ground (层级, layer), bridge, tunnel. Parts of multi-lines are
    ways of their own; heights (z) are left out. A line without a class is a plain ``road``.

    Parameters
    ----------
    tolerance_m
        Metres within which loose ends are joined with an end or a line (≤); 0 joins only what meets.
    crossings
        Whether lines of one level that cross meet there; False where the layer is noded already, as OSM's is.

    Returns
    -------
    Checked[Streets]
        ``Streets.repairs`` lists every joint made.

    Raises
    ------
    careshed.schema.InputError
        If the file holds no line, or its coordinate system is neither stated by it nor given.

    >>> import geopandas as gpd, tempfile
    >>> file = Path(tempfile.mkdtemp()) / "roads.geojson"
    >>> roads = [shapely.LineString([(116.0, 39.9), (116.002, 39.9)]), shapely.LineString([(116.001, 39.899), (116.001, 39.901)])]
    >>> gpd.GeoDataFrame({"道路等级": ["主干路", "支路"]}, geometry=roads, crs="EPSG:4326").to_file(file)
    >>> streets = read_street_lines(file).table
    >>> streets.ways["highway"].tolist(), len(streets.node_id), streets.repairs["kind"].tolist()
    (['primary', 'tertiary'], 5, ['crossing'])
    """
    table, faults = line_table(path, layer, columns)
    shapes, row = located_lines(table, crs, datum, faults)
    tags = tags_of(table, faults)
    levels = levels_of(table, tags, faults)
    known = known_nodes(table, shapes, row, faults)
    read = streets_of_lines(
        shapes, [tags[at] for at in row.tolist()], levels[row], numbers_of(table, row), table, faults, known,
        tolerance_m=tolerance_m, crossings=crossings,
    )  # fmt: skip
    return read if known is None else Checked(with_saved_ground(read.table, Path(path)), read.faults)


def line_table(path: str | Path, layer: str | None, columns: Mapping[str, str] | None) -> tuple[SourceTable, list[Fault]]:
    """Read a layer of road lines as it is, with what was noted on the way."""
    table = read_table(path, kind="streets", layer=layer, columns=columns)
    if table.geometry is None:
        told = ("不是线图层", "is not a layer of lines")
        raise InputError([table.fault("not_lines", told, ("请提供道路中心线图层。", "Give a layer of road centrelines."))])
    return table, list(table.faults)


def located_lines(
    table: SourceTable, crs: str | None, datum: Datum | None, faults: list[Fault]
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Give the single lines of a layer in degrees, and the record that each comes from; stop at faults that are errors."""
    located = locate(table, Reference("EPSG:4326", crs=crs, datum=datum), faults)
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    return line_parts(table, located, faults)


def streets_of_lines(
    shapes: NDArray[np.object_],
    tags: Sequence[dict[str, str]],
    level: NDArray[np.int64],
    labels: NDArray[np.int64],
    table: SourceTable,
    faults: list[Fault],
    known: Known | None = None,
    *,
    tolerance_m: float,
    crossings: bool,
) -> Checked[Streets]:
    """Join lines in degrees into streets; ways are numbered by the row they come from, nodes as the layer names them."""
    lines, back = in_metres(shapes, level)
    if known is not None:
        lines = lines._replace(fresh=known.fresh, known=known.node)
    noded = node_lines(lines, tolerance_m=tolerance_m, crossings=crossings)
    faults += joint_faults(noded, labels, table)
    ways, unread = way_table(labels.tolist(), tags)
    for (key, text), count in sorted(unread.items()):
        told = (f"{count} 条道路的 {key}“{text}”无法识别", f"{key} {text!r} of {count} roads cannot be read")
        faults.append(table.fault("tag_unread", told, column=key, found=text, severity="noted"))
    lon, lat = back(noded.x, noded.y)
    node_id, bits = _node_ids(noded, known)
    streets = Streets(
        node_id=node_id,
        lon=lon,
        lat=lat,
        ways=ways,
        way_ptr=noded.ptr,
        way_node=noded.node.astype(np.int32),
        source=table.file,
        node_bits=bits,
        repairs=noded.repairs.assign(line=labels[noded.repairs["line"]], other=labels[noded.repairs["other"]]),
    )
    return Checked(streets, tuple(faults))


def _node_ids(noded: Noded, known: Known | None) -> tuple[NDArray[np.int64], NDArray[np.uint8] | None]:
    """Number the nodes: as the layer does where it names them, new ones by negative numbers below."""
    if known is None:
        return -1 - np.arange(len(noded.x), dtype=np.int64), None
    new = noded.known < 0
    ids, bits = np.zeros(len(new), dtype=np.int64), np.zeros(len(new), dtype=np.uint8)
    ids[~new], bits[~new] = known.ids[noded.known[~new]], known.bits[noded.known[~new]]
    ids[new] = min(0, int(known.ids.min(initial=0))) - 1 - np.arange(int(new.sum()))
    return ids, bits


def in_metres(shapes: NDArray[np.object_], level: NDArray[np.int64]) -> tuple[Lines, Back]:
    """Lay lines in degrees out as arrays in metres of their UTM zone, and give the way back to degrees."""
    xy, line = shapely.get_coordinates(shapes, return_index=True)
    back = Back(float(np.median(xy[:, 0])), float(np.median(xy[:, 1])))
    x, y = back.forth(xy[:, 0], xy[:, 1])
    ptr = np.searchsorted(line, np.arange(len(shapes) + 1)).astype(np.int64)
    return Lines(x, y, ptr, level, np.ones(len(shapes), dtype=bool), np.full(len(x), -1, dtype=np.int64)), back


class Back:
    """The way between degrees and metres of the UTM zone around a spot."""

    def __init__(self, lon: float, lat: float) -> None:
        from pyproj import Transformer
        from pyproj.aoi import AreaOfInterest
        from pyproj.database import query_utm_crs_info

        zone = query_utm_crs_info(datum_name="WGS 84", area_of_interest=AreaOfInterest(lon, lat, lon, lat))[0].code
        self.turn = Transformer.from_crs("EPSG:4326", f"EPSG:{zone}", always_xy=True)

    def forth(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Degrees to metres."""
        x, y = self.turn.transform(lon, lat)
        return np.asarray(x), np.asarray(y)

    def __call__(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Metres to degrees."""
        lon, lat = self.turn.transform(x, y, direction="INVERSE")
        return np.asarray(lon), np.asarray(lat)


def line_parts(
    table: SourceTable, located: NDArray[np.object_], faults: list[Fault]
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Take lines apart into single ones without height; what is no line, or has no length, is told and left out."""
    flat = shapely.force_2d(located)
    parts, row = shapely.get_parts(flat, return_index=True)
    kind = shapely.get_type_id(parts)
    line = np.isin(kind, (1, 2))
    length = np.where(line, shapely.length(parts), 0.0)
    missing = np.setdiff1d(np.arange(len(located)), row)
    rows_of = {
        "no_geometry": (missing, ("没有几何图形", "have no geometry")),
        "not_a_line": (np.unique(row[~line]), ("不是线", "are no lines")),
        "zero_length": (np.unique(row[line & (length == 0)]), ("长度为 0", "have no length")),
    }
    for code, (rows, (zh, en)) in rows_of.items():
        if len(rows):
            told = (
                f"{len(rows)} 行{zh}，未采用：第 {_rows(table, rows)} 行",
                f"{len(rows)} rows {en}, left out: {_rows(table, rows)}",
            )
            faults.append(table.fault(code, told, severity="dropped"))
    kept = line & (length > 0)
    if not kept.any():
        told = ("图层中没有任何道路线", "the layer holds no road line")
        raise InputError([*faults, table.fault("no_lines", told, ("请核对是否选错图层。", "Check that it is the right layer."))])
    return parts[kept], row[kept].astype(np.int64)


def _rows(table: SourceTable, rows: NDArray[np.int64]) -> str:
    named = ", ".join(str(table.rows[at]) for at in rows[:MOST_ROWS])
    return named + (f" … ({len(rows)})" if len(rows) > MOST_ROWS else "")


def numbers_of(table: SourceTable, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number ways by their row in the file; further parts of a multi-line by negative numbers."""
    numbers = table.rows[row].astype(np.int64)
    again = np.flatnonzero(np.concatenate([[False], row[1:] == row[:-1]]))
    numbers[again] = -1 - np.arange(len(again))
    return numbers


def tags_of(table: SourceTable, faults: list[Fault]) -> list[dict[str, str]]:
    """Read every row's columns as the tags of a way."""
    known: list[dict[str, str]] = []
    unknown: Counter[str] = Counter()
    names = ("class", "name", "oneway", "maxspeed", "bridge", "tunnel", "foot")
    ways = _directions(table, faults)
    for values in zip(*(table.column(name) for name in names), strict=True):
        kind, name, oneway, limit, bridge, tunnel, foot = map(as_text, values)
        tags = class_tags(kind) if kind else {"highway": "road"}
        if tags is None:
            unknown[kind] += 1
        tags = dict(tags or {"highway": "road"}, name=name)
        if oneway:
            direction = ways.get(plain(oneway))
            if direction is None:
                unknown[f"oneway={oneway}"] += 1
            tags["oneway"] = direction or ""
        if limit and limit not in ("0", "0.0"):
            tags["maxspeed"] = limit.removesuffix(".0")
        for key, text in (("bridge", bridge), ("tunnel", tunnel)):
            span = spans(key, text)
            if span is None:
                unknown[f"{key}={text}"] += 1
            elif span:
                tags[span] = "yes"
        if foot:
            tags["foot"] = foot
        known.append(tags)
    for key in TAG_COLUMNS:
        if key in table.frame.columns:
            for tags, value in zip(known, table.frame[key], strict=True):
                tags[key] = as_text(value)
    if "class" not in table.headers:
        told = ("没有道路等级列，全部按普通道路处理", "there is no column for the class of road: all are plain roads")
        cure = ('可在 [streets.columns] 中写 class = "列名"。', 'Map it with class = "header" in [streets.columns].')
        faults.append(table.fault("no_road_class", told, cure, severity="noted"))
    for word, count in sorted(unknown.items()):
        faults.append(_unknown(table, word, count))
    return [{key: text for key, text in tags.items() if text} for tags in known]


def _directions(table: SourceTable, faults: list[Fault]) -> Mapping[str, str]:
    """Choose how directions are read: words, or numbers as navigation maps have them, where 1 is both ways and not one."""
    found = {plain(as_text(value)) for value in table.column("oneway")} - {""}
    if not found & {"2", "3"} or not found <= set(CODED):
        return DIRECTIONS
    told = (
        "通行方向为数字编码，按导航地图的约定读取：0、1 双向，2 顺画线方向，3 逆画线方向",
        "directions are numbers, read as navigation maps have them: 0 and 1 both ways, 2 as drawn, 3 against it",
    )
    cure = ("编码另有含义时，请改为 双向、单向、反向。", "Write both, forward or backward where they mean other things.")
    faults.append(table.fault("direction_coded", told, cure, column="oneway", severity="noted"))
    return CODED


def _unknown(table: SourceTable, word: str, count: int) -> Fault:
    near = nearest(word, known_classes())
    hint = (f"是否应为“{near}”？", f"Did you mean {near!r}?") if near else ("", "")
    if word.startswith("oneway="):
        told = (
            f"{count} 条道路的通行方向无法识别，按双向处理",
            f"direction of {count} roads not read: both ways are open",
        )
        return table.fault("unknown_direction", told, column="oneway", found=word.removeprefix("oneway="), severity="noted")
    key, _, text = word.partition("=")
    if key in ("bridge", "tunnel"):
        told = (
            f"{count} 条道路是否桥梁或隧道无法识别，按地面道路处理，与所穿过的道路相连",
            f"whether {count} roads are bridges or tunnels is not read: they lie on the ground and join what they cross",
        )
        cure = ("请写 是 或 否。", "Write yes or no.")
        return table.fault("unknown_span", told, cure, column=key, found=text, severity="noted")
    told = (f"{count} 条道路的等级不认识，按普通道路处理", f"the class of {count} roads is not known: they are plain roads")
    return table.fault("unknown_class", told, hint, column="class", found=word, severity="noted")


def levels_of(table: SourceTable, tags: Sequence[Mapping[str, str]], faults: list[Fault]) -> NDArray[np.int64]:
    """Level of every row: as its column says, else 1 for bridges, −1 for tunnels, 0 for all others."""
    levels = np.zeros(len(tags), dtype=np.int64)
    wrong = []
    for at, (value, own) in enumerate(zip(table.column("level"), tags, strict=True)):
        text = as_text(value)
        levels[at] = 1 if "bridge" in own else -1 if "tunnel" in own else 0
        try:
            stated = int(float(text)) if text else 0
        except ValueError:
            wrong.append(at)
            continue
        levels[at] = stated or levels[at]
    if wrong:
        rows = _rows(table, np.array(wrong))
        told = (
            f"第 {rows} 行的层级不是整数，按桥隧判断",
            f"level in rows {rows} is no whole number: bridge and tunnel decide",
        )
        faults.append(table.fault("level_unread", told, column="level", severity="noted"))
    return levels


_JOINTS: Final[dict[str, tuple[str, str]]] = {
    "ends_joined": ("{} 处相距不超过 {:.2f} 米的端点已相连", "{} pairs of ends up to {:.2f} m apart are joined"),
    "end_joined_to_line": ("{} 处悬空端点已接到 {:.2f} 米内的道路", "{} loose ends are joined to a road up to {:.2f} m away"),
    "end_at_vertex": (
        "{} 处端点恰在另一道路的中间折点上，已相连",
        "{} ends lie on a vertex within another road and are joined there",
    ),
    "crossing": ("{} 处同层道路相交而无节点，已打断", "{} crossings of roads of one level without a common vertex are joined"),
}


def joint_faults(noded: Noded, labels: NDArray[np.int64], table: SourceTable) -> list[Fault]:
    """Tell every kind of joint made, how many there are, and which rows they join."""
    told = []
    for kind, (zh, en) in _JOINTS.items():
        made = noded.repairs[noded.repairs["kind"] == kind]
        if len(made):
            pairs = [f"{labels[a]}–{labels[b]}" for a, b in zip(made["line"], made["other"], strict=True)]
            listed = ", ".join(pairs[:MOST_ROWS]) + (" …" if len(pairs) > MOST_ROWS else "")
            figures = (len(made), float(made["gap_m"].max()))
            words = (zh.format(*figures), en.format(*figures))
            severity: Severity = "noted" if kind == "end_at_vertex" else "repaired"
            told.append(table.fault(kind, words, found=listed, severity=severity))
    return told
