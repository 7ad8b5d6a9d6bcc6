"""Read the planner's own barriers and gates into the streets: lines, compounds, and points where walls stand open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from careshed.intake.columns import nearest, plain
from careshed.intake.sources import SourceTable, as_text
from careshed.intake.streets.barriers import KINDS, BarrierKind, Barriers, no_barriers
from careshed.intake.streets.parting import part_at
from careshed.schema import Checked, Fault, InputError

if TYPE_CHECKING:
    from careshed.datum import Datum
    from careshed.intake.streets.model import Streets

Float = NDArray[np.float64]

GATE_M: Final = 5.0
"""A planner's gate opens walls this far around it, metres: drawings of one gate differ by as much."""

_METRES_PER_DEGREE: Final = 111_320.0

_WORDS: Final[tuple[tuple[BarrierKind, str], ...]] = (
    ("water", "水体 水系 水域 河流 河道 河 江 湖 湖泊 水库 渠 运河 water river canal lake coastline"),
    ("railway", "铁路 轨道 铁道 高铁 railway rail"),
    ("motorway", "高速公路 高速 快速路 城市快速路 motorway expressway"),
    (
        "wall",
        "围墙 墙 院墙 城墙 围栏 栅栏 护栏 绿篱 小区 封闭小区 小区边界 院落 wall fence hedge city_wall retaining_wall compound",
    ),
)
WORDS: Final[dict[str, BarrierKind]] = {plain(word): kind for kind, words in _WORDS for word in words.split()}
"""Words of a layer's column of kinds -> kind of barrier."""

_SHUT: Final = frozenset({"否", "关闭", "封闭", "关", "不开放", "停用", "no", "0", "false", "closed", "shut", "locked"})
_OPEN: Final = frozenset({"是", "开放", "开", "常开", "启用", "yes", "1", "true", "open"})


def add_barriers(
    streets: Streets,
    path: str | Path,
    *,
    kind: BarrierKind | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
) -> Checked[Streets]:
    """Add the planner's own barriers to the streets: lines, or areas such as compounds, whose outlines are the barrier.

    Parameters
    ----------
    kind
        What all rows are; None for what the layer's column says (类型, type: 围墙, 河流, 铁路, 高速公路).

    Raises
    ------
    careshed.schema.InputError
        If the layer cannot be read or holds points, its coordinate system is unknown, or a kind is not known.
    """
    import shapely

    from careshed.intake.tables import read_table

    table = read_table(path, kind="barriers", layer=layer, columns=columns)
    if table.geometry is None:
        told = ("不是图层，没有几何图形", "is a table without shapes")
        raise InputError([table.fault("no_shapes", told, ("请提供线或面图层。", "Give a layer of lines or areas."))])
    shapes, faults = _in_degrees(table, crs, datum)
    kinds = _kinds(table, kind, faults)
    flat = shapely.force_2d(shapes)
    parts, row = shapely.get_parts(flat, return_index=True)
    areas = shapely.get_type_id(parts) == 3
    outlines = np.where(areas, shapely.boundary(parts), parts)
    lines, part = shapely.get_parts(outlines, return_index=True)
    row = row[part]
    good = np.isin(shapely.get_type_id(lines), (1, 2)) & (shapely.length(lines) > 0)
    odd = np.union1d(np.unique(row[~good]), np.setdiff1d(np.arange(len(flat)), row))
    for at in odd.tolist():
        told = ("不是线或面，或没有长度", "is no line or area, or has no length")
        cure = ("门请放在出入口图层中。", "Put gates in the layer of gates.")
        faults.append(table.fault("not_a_barrier", told, cure, at=at))
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    faults.append(_added(table, kinds, len(flat)))
    return Checked(replace(streets, barriers=_with_lines(streets.barriers, lines, kinds[row])), tuple(faults))


def _added(table: SourceTable, kinds: NDArray[np.uint8], count: int) -> Fault:
    each = ", ".join(f"{name} {int((kinds == at).sum())}" for at, name in enumerate(KINDS) if (kinds == at).any())
    return table.fault("barriers_added", (f"增加 {count} 处屏障", f"{count} barriers added"), found=each, severity="noted")


def _with_lines(known: Barriers | None, lines: NDArray[np.object_], kind: NDArray[np.uint8]) -> Barriers:
    import shapely

    old = known or no_barriers()
    xy, line = shapely.get_coordinates(lines, return_index=True)
    counts = np.bincount(line, minlength=len(lines))
    return replace(
        old,
        lon=np.concatenate([old.lon, xy[:, 0]]),
        lat=np.concatenate([old.lat, xy[:, 1]]),
        ptr=np.concatenate([old.ptr, old.ptr[-1] + np.cumsum(counts)]).astype(np.int64),
        kind=np.concatenate([old.kind, kind]).astype(np.uint8),
    )


def _kinds(table: SourceTable, kind: BarrierKind | None, faults: list[Fault]) -> NDArray[np.uint8]:
    """Read what kind of barrier each row is."""
    if kind is not None:
        return np.full(len(table.rows), KINDS.index(kind), dtype=np.uint8)
    found = []
    known = "围墙、河流、铁路、高速公路"
    for at, value in enumerate(table.column("class")):
        text = as_text(value)
        one = WORDS.get(plain(text))
        if one is None:
            near = nearest(plain(text), list(WORDS)) if text else ""
            hint = (f"是否应为“{near}”？", f"Did you mean {near!r}? ") if near else ("", "")
            said = ("屏障类型不认识", "is no known kind of barrier")
            told = said if text else ("未说明屏障类型", "does not say what kind of barrier it is")
            cure = (
                f"{hint[0]}可用：{known}；整个图层同为一类时，请在 [[barriers.layers]] 中写 kind。",
                f"{hint[1]}Accepted: {known}, or wall, water, railway, motorway; state kind in [[barriers.layers]] "
                "where the whole layer is of one.",
            )
            faults.append(table.fault("unknown_barrier", told, cure, at=at, column="class", found=text))
        found.append(KINDS.index(one or "wall"))
    return np.array(found, dtype=np.uint8)


def add_gates(
    streets: Streets,
    path: str | Path,
    *,
    within_m: float = GATE_M,
    sheet: str | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
) -> Checked[Streets]:
    """Open walls at the planner's own gates, and shut those that the layer says are shut.

    A layer of points, or a table with coordinates (经度, 纬度).
    A column 开放 (open) says 否 (no) where a gate is shut for good: gates mapped within `within_m` of it are shut too.

    Parameters
    ----------
    within_m
        Metres around a gate in which walls stand open (≤).

    Raises
    ------
    careshed.schema.InputError
        If the layer cannot be read, holds anything but points, or says neither open nor shut.
    """
    import shapely

    from careshed.intake.tables import read_table

    if within_m <= 0:
        raise ValueError(f"within_m must be above 0, not {within_m}")
    table = read_table(path, kind="gates", sheet=sheet, layer=layer, columns=columns)
    shapes, faults = _in_degrees(table, crs, datum)
    missing = shapely.is_missing(shapes)
    for at in np.flatnonzero(missing | (shapely.get_type_id(shapes) != 0)).tolist():
        told = ("出入口必须是点", "a gate must be a point")
        faults.append(table.fault("gate_not_a_point", told, ("请改为点图层。", "Make it a layer of points."), at=at))
    is_open = _open(table, faults)
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    lon, lat = shapely.get_x(shapes), shapely.get_y(shapes)
    old = streets.barriers or no_barriers()
    shut = _near(old.gate_lon, old.gate_lat, lon[~is_open], lat[~is_open], within_m)
    streets, opened = _reopened(streets, lon[is_open], lat[is_open], within_m)
    faults.extend(_off_walls(table, old, lon[is_open], lat[is_open], within_m, datum))
    faults.append(_gates_told(table, is_open, int(shut.sum()), opened))
    barriers = replace(
        old,
        gate_lon=np.concatenate([old.gate_lon[~shut], lon[is_open]]),
        gate_lat=np.concatenate([old.gate_lat[~shut], lat[is_open]]),
        gate_m=np.concatenate([old.gate_m[~shut], np.full(int(is_open.sum()), within_m)]),
        gate_own=np.concatenate([old.gate_own[~shut], np.ones(int(is_open.sum()), dtype=bool)]),
    )
    streets = _parted_at(streets, old.gate_lon[shut], old.gate_lat[shut])
    return Checked(replace(streets, barriers=barriers), tuple(faults))


def _off_walls(table: SourceTable, known: Barriers, lon: Float, lat: Float, within_m: float, datum: Datum | None) -> list[Fault]:
    """Note gates that mostly lie on no wall, and the datum by which they would."""
    import shapely

    from careshed.datum import SHIFTED, to_wgs84

    if not len(lon) or not (known.kind == KINDS.index("wall")).any():
        return []
    scale = np.array([np.cos(np.radians(float(np.median(lat)))), 1.0]) * _METRES_PER_DEGREE
    corners = np.column_stack([known.lon, known.lat]) * scale
    lines = shapely.linestrings(corners, indices=np.repeat(np.arange(len(known.kind)), np.diff(known.ptr)))
    tree = shapely.STRtree(lines[known.kind == KINDS.index("wall")])

    def fitting(x: Float, y: Float) -> int:
        """Count the gates at a wall."""
        spots = shapely.points(np.column_stack([x, y]) * scale)
        return len(np.unique(tree.query(spots, predicate="dwithin", distance=within_m)[0]))

    off = len(lon) - fitting(lon, lat)
    if 2 * off <= len(lon):
        return []
    meant = [one for one in SHIFTED if datum not in SHIFTED and 2 * fitting(*to_wgs84(lon, lat, one)) > len(lon)]
    told = (
        f"{len(lon)} 处开放的出入口中有 {off} 处 {within_m:g} 米内没有围墙，不起作用",
        f"{off} of {len(lon)} open gates lie more than {within_m:g} m from any wall and open none",
    )
    cure = (
        f'按 {meant[0]} 换算后多数落在围墙上：请在 [[barriers.gates]] 中写 datum = "{meant[0]}"。'
        if meant
        else "请核对坐标、datum 和 within_m。",
        f'Read as {meant[0]} most lie on walls: state datum = "{meant[0]}" in [[barriers.gates]].'
        if meant
        else "Check coordinates, datum and within_m.",
    )
    return [table.fault("gates_off_walls", told, cure, severity="noted")]


def _gates_told(table: SourceTable, is_open: NDArray[np.bool_], shut: int, opened: int) -> Fault:
    own = (int(is_open.sum()), int((~is_open).sum()))
    told = (
        f"{own[0]} 处出入口开放，{own[1]} 处关闭；街道文件中原上锁的 {opened} 处改为开放，原开放的 {shut} 处改为关闭",
        f"{own[0]} gates open, {own[1]} shut; of the street file's, {opened} locked ones are opened and {shut} open ones shut",
    )
    return table.fault("gates_added", told, severity="noted")


def _reopened(streets: Streets, lon: Float, lat: Float, within_m: float) -> tuple[Streets, int]:
    """Join again the streets that the file parts at locked gates near some open ones."""
    at = np.flatnonzero(_near(streets.lon, streets.lat, lon, lat, within_m))
    if not len(at):
        return streets, 0
    spots, spot = np.unique(np.column_stack([streets.lon[at], streets.lat[at]]), axis=0, return_inverse=True)
    spot = spot.reshape(-1)
    one = np.full(len(spots), len(streets.lon), dtype=np.int64)
    np.minimum.at(one, spot, at)
    same = np.arange(len(streets.lon))
    same[at] = one[spot]
    joined = int((np.bincount(spot) > 1).sum())
    return (replace(streets, way_node=same[streets.way_node].astype(np.int32)), joined) if joined else (streets, 0)


def _parted_at(streets: Streets, lon: Float, lat: Float) -> Streets:
    """Part the streets at gates that are shut."""
    if not len(lon):
        return streets
    spots = set(zip(lon.tolist(), lat.tolist(), strict=True))
    shut = np.isin(streets.lon, lon) & np.isin(streets.lat, lat)
    for node in np.flatnonzero(shut).tolist():
        shut[node] = (float(streets.lon[node]), float(streets.lat[node])) in spots
    return part_at(streets, shut).streets


def _open(table: SourceTable, faults: list[Fault]) -> NDArray[np.bool_]:
    """Read which gates are open; all are where no column tells."""
    found = np.ones(len(table.rows), dtype=bool)
    for at, value in enumerate(table.column("open")):
        text = plain(as_text(value))
        if text in _SHUT:
            found[at] = False
        elif text and text not in _OPEN:
            told = ("无法判断是否开放", "says neither open nor shut")
            cure = ("请写 是 或 否。", "Write yes or no.")
            faults.append(table.fault("gate_state", told, cure, at=at, column="open", found=as_text(value)))
    return found


def _near(lon: Float, lat: Float, to_lon: Float, to_lat: Float, metres: float) -> NDArray[np.bool_]:
    """Tell which places lie within `metres` of any of some others."""
    if not len(to_lon) or not len(lon):
        return np.zeros(len(lon), dtype=bool)
    from scipy.spatial import cKDTree

    east = np.cos(np.radians(float(np.median(lat)))) * _METRES_PER_DEGREE
    tree = cKDTree(np.column_stack([to_lon * east, to_lat * _METRES_PER_DEGREE]))
    away, _ = tree.query(np.column_stack([lon * east, lat * _METRES_PER_DEGREE]))
    return np.asarray(away <= metres)


def _in_degrees(table: SourceTable, crs: str | None, datum: Datum | None) -> tuple[NDArray[np.object_], list[Fault]]:
    """Give the shapes of a table in degrees WGS-84, its datum taken off."""
    from careshed.intake.places import Reference, locate

    faults = list(table.faults)
    shapes = locate(table, Reference("EPSG:4326", crs=crs, datum=datum), faults)
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    return shapes, faults
