"""Turn streets into a network for one mode of travel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from careshed.network.barriers import barrier_lines, gate_faults
from careshed.network.cutting import cut_at_walls
from careshed.network.model import DEFAULT_SNAP_M, FRAGMENT_M, Bool, Costs, Float, Int32, Int64, Network, UInt64
from careshed.network.rules import WayRules, part_at_stops, rules_of
from careshed.network.slopes import Climb, climb, height_faults
from careshed.network.timing import piece_metres, symmetric, travel_time
from careshed.schema import Fault, InputError, file_label

if TYPE_CHECKING:
    from careshed.intake.elevation import Elevation
    from careshed.intake.streets import Streets
    from careshed.modes import Mode


def build_network(
    streets: Streets,
    *,
    mode: Mode,
    crs: str | None = None,
    snap_m: float = DEFAULT_SNAP_M,
    elevation: Elevation | None = None,
) -> Network:
    """Build the network that people of one mode travel.

    Parameters
    ----------
    streets
        Ways as mapped, degrees.
    mode
        Speeds and permitted ways.
    crs
        Projected coordinate system in metres; the UTM zone of the streets if None.
    snap_m
        Metres within which a place joins a street; a larger distance leaves it unattached.
    elevation
        Heights, where slopes shall count as the mode has it (``Mode.hills``, ``Mode.max_slope``); lengths stay flat.

    Returns
    -------
    Network
        Junctions are the ends of ways and nodes shared by several; every edge is part of one way. Lengths are planar in `crs`.

    Raises
    ------
    InputError
        If no way may be travelled in this mode, or `crs` is in degrees.
    ValueError
        If `snap_m` is not a positive number.
    """
    if not 0 < snap_m < np.inf:
        raise ValueError(f"snap_m must be a positive number of metres, not {snap_m}")
    crs = utm_zone(streets) if crs is None else crs
    streets, owner = part_at_stops(streets, mode)
    rules = rules_of(streets, mode)
    usable = rules.forward | rules.backward
    if not usable.any():
        zh, en = "没有可供该出行方式通行的道路", f"no way may be travelled by mode {mode.name!r}"
        cure = ("请核对街道文件和出行方式", "check the street file and the mode")
        raise InputError([Fault("no_walkable_street", streets.source, zh, en, *cure)])
    x, y = _project(streets, crs)
    barriers = barrier_lines(streets.barriers, crs)
    lone = gate_faults(streets.barriers, barriers, crs, streets.source)
    streets, x, y, parts, told = cut_at_walls(streets, crs, x, y, barriers, usable)
    owner, usable, rules = owner[parts], usable[parts], rules.of(parts)
    edges = _split_ways(streets, usable)
    climbed = _climbed(streets, mode, crs, x, y, edges, elevation)
    edges, climbed = _gentle(edges, climbed, mode)
    if not len(edges.first):
        zh, en = "所有道路都超过该出行方式的最大坡度", f"every street is steeper than mode {mode.name!r} can travel"
        cure = ("请核对高程数据或 max_slope", "check the elevation model or max_slope")
        raise InputError([Fault("all_too_steep", streets.source, zh, en, *cure)])
    heights = "" if elevation is None else file_label(elevation.path)
    network = _assemble(streets, owner, mode, rules, crs, snap_m, x, y, edges, climbed, heights)
    return replace(network, barriers=barriers, faults=(*told, *lone, *network.faults))


def utm_zone(streets: Streets) -> str:
    """Name the UTM zone in which the streets lie, as an authority code."""
    lon, lat = float(np.median(streets.lon)), float(np.median(streets.lat))  # one stray way far off must not move the zone
    return _utm_zone_at(lon, lat)


def _utm_zone_at(lon: float, lat: float) -> str:
    """Name the zone of a place; PROJ, which is slow to ask, decides on the lines between zones."""
    from pyproj.aoi import AreaOfInterest
    from pyproj.database import query_utm_crs_info

    zone, within = divmod(lon + 180.0, 6.0)
    if 0.001 < within < 5.999 and 0.001 < abs(lat) < 79.9 and abs(lon) < 180.0:
        return f"EPSG:{(32601 if lat > 0 else 32701) + int(zone)}"
    found = query_utm_crs_info(datum_name="WGS 84", area_of_interest=AreaOfInterest(lon, lat, lon, lat))
    return f"EPSG:{found[0].code}"


def _project(streets: Streets, crs: str) -> tuple[Float, Float]:
    from pyproj import CRS, Transformer

    if not CRS.from_user_input(crs).is_projected:
        zh, en = "计算坐标系必须是以米为单位的投影坐标系", "the working CRS must be projected, in metres"
        cure = ("请填写如 EPSG:32650，或删去该行以自动选择", "give one such as EPSG:32650, or leave it out to have it chosen")
        raise InputError([Fault("crs_in_degrees", "study.toml", zh, en, *cure, column="study.crs", found=crs)])
    x, y = map(np.asarray, Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(streets.lon, streets.lat))
    lost = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if len(lost):
        zh, en = f"{len(lost)} 个道路点超出坐标系的适用范围", f"{len(lost)} nodes of ways lie beyond the reach of the working CRS"
        cure = ("请裁剪街道文件，或改用覆盖该区域的坐标系", "clip the street file, or use a CRS that covers the area")
        found = f"{streets.lon[lost[0]]:.4f}, {streets.lat[lost[0]]:.4f}"
        raise InputError([Fault("outside_crs", streets.source, zh, en, *cure, found=found)])
    return x, y


class _Edges(NamedTuple):
    """Runs of way nodes between junctions: first and last position in ``way_node`` (inclusive), and the way."""

    first: Int64
    last: Int64
    way: Int64

    def run(self) -> tuple[Int64, Int64]:
        """Where the vertices of each edge start, shape (edges + 1,), and the position in ``way_node`` of each vertex."""
        return _runs(self.first, self.last - self.first + 1)

    def of(self, some: Int64 | Bool) -> _Edges:
        """Some of the edges, in the order given."""
        return _Edges(self.first[some], self.last[some], self.way[some])


def _runs(start: Int64, count: Int64) -> tuple[Int64, Int64]:
    """Lay runs of numbers end to end: where each begins, and the numbers.

    >>> [part.tolist() for part in _runs(np.array([7, 3]), np.array([2, 3]))]
    [[0, 2, 5], [7, 8, 3, 4, 5]]
    """
    ptr = np.concatenate([[0], np.cumsum(count)])
    return ptr, np.repeat(start - ptr[:-1], count) + np.arange(ptr[-1])


def _split_ways(streets: Streets, usable: Bool) -> _Edges:
    """Cut the usable ways at their ends and wherever another way, or the same one again, passes through the node."""
    way_of = np.repeat(np.arange(len(usable)), np.diff(streets.way_ptr))
    kept = usable[way_of]
    uses = np.bincount(streets.way_node[kept], minlength=len(streets.node_id))
    key = uses[streets.way_node] > 1
    key[streets.way_ptr[:-1]] = True
    key[streets.way_ptr[1:] - 1] = True
    at = np.flatnonzero(key & kept)
    same = way_of[at[:-1]] == way_of[at[1:]]
    return _Edges(at[:-1][same], at[1:][same], way_of[at[:-1][same]])


def _assemble(
    streets: Streets,
    owner: Int64,
    mode: Mode,
    rules: WayRules,
    crs: str,
    snap_m: float,
    x: Float,
    y: Float,
    edges: _Edges,
    climbed: Climb | None,
    heights: str,
) -> Network:
    """Lay nodes out in Morton order, edges along them, vertices along the edges, with costs and connected parts."""
    ends = np.column_stack([streets.way_node[edges.first], streets.way_node[edges.last]])
    used = np.flatnonzero(np.bincount(ends.ravel(), minlength=len(x)))
    used = used[np.argsort(morton(x[used], y[used]), kind="stable")]
    place = np.full(len(x), -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    u, v = place[ends[:, 0]].astype(np.int32), place[ends[:, 1]].astype(np.int32)
    # edges come in the order of `first`, which decides between edges of the same two nodes
    order = np.argsort(np.minimum(u, v).astype(np.int64) * len(used) + np.maximum(u, v), kind="stable")
    climbed = None if climbed is None else _reordered(climbed, edges, order)
    edges = edges.of(order)
    way, u, v = edges.way, u[order], v[order]
    ptr, at = edges.run()
    vertex = streets.way_node[at]
    vx, vy = x[vertex], y[vertex]
    metres = piece_metres(vx, vy, ptr)
    time = travel_time(streets, mode, rules, way, ptr, vertex, metres, climbed)
    length = symmetric(metres * 1000.0, ptr, 1000.0)
    component, component_m = _components(len(used), u, v, length)
    network = Network(
        mode=mode,
        crs=crs,
        snap_m=snap_m,
        node_id=streets.node_id[used],
        x=x[used],
        y=y[used],
        edge_u=u,
        edge_v=v,
        edge_way=owner[way].astype(np.int32),
        forward=rules.forward[way],
        backward=rules.backward[way],
        vertex_ptr=ptr,
        vertex_x=vx,
        vertex_y=vy,
        time=time,
        length=length,
        component=component,
        component_m=component_m,
        top_speed_kmh=_top_speed(rules, way, climbed),
    )
    lacking = [] if climbed is None else height_faults(climbed, metres, heights)
    return replace(network, faults=(*_told(network, streets.source), *lacking))


def _top_speed(rules: WayRules, way: Int64, climbed: Climb | None) -> float:
    """The fastest that any street can be travelled, km/h."""
    level = float(rules.speed_kmh[way].max())
    return level if climbed is None else level / min(float(climbed.forward.min()), float(climbed.backward.min()), 1.0)


def _climbed(
    streets: Streets, mode: Mode, crs: str, x: Float, y: Float, edges: _Edges, elevation: Elevation | None
) -> Climb | None:
    """Work out what hills do to the edges, where heights are known and the mode minds them."""
    if elevation is None or (mode.hills == "none" and mode.max_slope is None) or not len(edges.first):
        return None
    ptr, at = edges.run()
    vertex = streets.way_node[at]
    vx, vy = x[vertex], y[vertex]
    lifted = np.repeat((streets.ways["bridge"] | streets.ways["tunnel"]).to_numpy(dtype=bool)[edges.way], np.diff(ptr))
    steps = np.repeat(streets.ways["steps"].to_numpy(dtype=bool)[edges.way], np.diff(ptr))
    return climb(elevation, mode.hills, crs, vx, vy, ptr, vertex, piece_metres(vx, vy, ptr), lifted, steps)


def _gentle(edges: _Edges, climbed: Climb | None, mode: Mode) -> tuple[_Edges, Climb | None]:
    """Leave out the edges that are steeper than the mode can travel."""
    if climbed is None or mode.max_slope is None:
        return edges, climbed
    steepest = np.maximum.reduceat(climbed.steepest, edges.run()[0][:-1])
    kept = np.flatnonzero(steepest <= mode.max_slope + 1e-9)
    return edges.of(kept), _reordered(climbed, edges, kept)


def _reordered(climbed: Climb, edges: _Edges, order: Int64) -> Climb:
    """What hills do to some of the edges, in the order given."""
    ptr, _ = edges.run()
    at = _runs(ptr[:-1][order], np.diff(ptr)[order])[1]
    return Climb(climbed.forward[at], climbed.backward[at], climbed.steepest[at], climbed.known[at])


def morton(x: Float, y: Float) -> UInt64:
    """Number points along a Morton (Z-order) curve, so that neighbours on the ground are neighbours in memory.

    >>> morton(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])).argsort().tolist()
    [0, 1, 2, 3]
    """
    code = np.zeros(len(x), dtype=np.uint64)
    for shift, values in ((0, x), (1, y)):
        span = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
        part = ((values - values.min()) / span * (2**31 - 1)).astype(np.uint64)
        for width, mask in _SPREAD:
            part = (part | (part << np.uint64(width))) & np.uint64(mask)
        code |= part << np.uint64(shift)
    return code


_SPREAD: Final = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)
"""Steps that spread 32 bits over the even bits of 64."""


def _components(nodes: int, u: Int32, v: Int32, length: Costs) -> tuple[Int32, Float]:
    """Number the connected parts of the network, the longest first."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    joined = coo_array((np.ones(len(u), dtype=np.int8), (u, v)), shape=(nodes, nodes))
    count, label = connected_components(joined.tocsr(), directed=False)
    metres = np.bincount(label[u], weights=length.edge_f / 1000.0, minlength=count)
    order = np.argsort(-metres, kind="stable")
    rank = np.empty(count, dtype=np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    return rank[label], np.asarray(metres[order], dtype=np.float64)


def _told(network: Network, source: str) -> list[Fault]:
    """Say which parts of the network are cut off."""
    told = []
    fragment = network.fragment
    islet = ~network.main & ~fragment
    if fragment.any():
        count, metres = int(fragment.sum()), float(network.component_m[fragment].sum())
        zh = f"{count} 段孤立短路（各不足 {FRAGMENT_M:.0f} 米，共 {metres:.0f} 米）不与路网相连；限距内另有街道时不接入这些短路"
        en = (
            f"{count} fragments of street (each under {FRAGMENT_M:.0f} m, {metres:.0f} m in all) join no other street; "
            "places join the next street if one is within the snap limit"
        )
        told.append(Fault("fragment", source, zh, en, severity="noted"))
    if islet.any():
        count, metres = int(islet.sum()), float(network.component_m[islet].sum())
        zh = f"{count} 片孤立路网（共 {metres / 1000:.1f} 公里）与主路网之间没有步行通道"
        en = f"{count} islets of streets ({metres / 1000:.1f} km in all) have no walkable way to the main network"
        told.append(Fault("islet", source, zh, en, severity="noted"))
    return told
