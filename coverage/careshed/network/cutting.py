"""Part streets where a wall crosses them without a gate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.intake.streets.barriers import WALL
from careshed.network.barriers import BarrierLines
from careshed.network.model import Bool, Float, Int64
from careshed.schema import Fault

if TYPE_CHECKING:
    from careshed.intake.streets import Streets

TOUCH_M: Final = 0.01
"""A wall this near a street's node passes through the node: places in files are given to the centimetre."""

GAP_M: Final = 0.2
"""What a cut leaves free on either side of the wall, so that no leg joins the street on the other side at its cut end."""

GLUED_RAD: Final = 0.02
"""A street that leaves a node within this angle of a wall runs along it: drawn on one line, they do not cross."""

GATE_NEAR_M: Final = 30.0
"""A street cut this near to an open gate probably passes it: the gate is drawn beside the street, metres."""

MOST_NAMED: Final = 12
"""Ways that a fault names before it counts the rest."""


class Cut(NamedTuple):
    """Streets parted at walls."""

    streets: Streets
    x: Float
    """Of every node, metres."""
    y: Float
    owner: Int64
    """The way before parting that each way was part of, shape (ways,)."""
    faults: tuple[Fault, ...]


class _Contacts(NamedTuple):
    """Where street pieces and wall pieces meet: one row a pair."""

    position: Int64
    """Position in ``way_node`` at which the street piece starts."""
    share: Float
    """Where along the street piece, 0 to 1."""
    metres: Float
    """Length of the street piece."""
    wall: Int64
    """Wall piece."""


@dataclass(frozen=True)
class _Ground:
    """Streets and walls as they lie."""

    streets: Streets
    x: Float
    y: Float
    walls: BarrierLines
    usable: Bool
    """Ways that the mode may travel."""
    passing: Bool
    """Ways that go over or under walls."""
    way_of: Int64
    """Way of each position in ``way_node``."""

    def stubs(self, nodes: Collection[int]) -> dict[int, list[tuple[int, int]]]:
        """List the pieces of street that leave each of some nodes: position in ``way_node``, and −1 or 1 for the way they run."""
        streets = self.streets
        starts, stops = set(streets.way_ptr[:-1].tolist()), set((streets.way_ptr[1:] - 1).tolist())
        found: dict[int, list[tuple[int, int]]] = {node: [] for node in nodes}
        for position in np.flatnonzero(np.isin(streets.way_node, list(nodes))).tolist():
            own = found[int(streets.way_node[position])]
            own += [(position, step) for step, ends in ((-1, starts), (1, stops)) if position not in ends]
        return found

    def direction(self, position: int, step: int) -> float:
        """Angle in which a piece of street leaves the node at a position."""
        node, other = self.streets.way_node[position], self.streets.way_node[position + step]
        return float(np.arctan2(self.y[other] - self.y[node], self.x[other] - self.x[node]))


@dataclass
class _Changes:
    """New nodes, and where ways use them."""

    first: int
    """Number of the first new node."""
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    like: list[int] = field(default_factory=list)
    """Old node that each new one stands for, −1 for none."""
    before: dict[int, int] = field(default_factory=dict)
    """Position in ``way_node`` -> new node in which the way arrives there."""
    after: dict[int, int] = field(default_factory=dict)
    """Position -> new node in which it goes on; another than `before` where the way is parted."""
    between: dict[int, list[tuple[float, int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Position -> cuts of the piece that starts there: share, and the two new ends."""
    cut: set[int] = field(default_factory=set)
    """Ways that a wall parts."""
    crossings: int = 0

    def node(self, x: float, y: float, like: int = -1) -> int:
        """Make a node."""
        self.x.append(x)
        self.y.append(y)
        self.like.append(like)
        return self.first + len(self.x) - 1


def cut_at_walls(streets: Streets, crs: str, x: Float, y: Float, lines: BarrierLines | None, usable: Bool) -> Cut:
    """Part the streets where a wall crosses them; bridges, tunnels and steps go over or under walls.

    Parameters
    ----------
    crs
        Projected coordinate system of `x` and `y`.
    x, y
        Place of every node, metres.
    usable
        Ways that the mode may travel, shape (ways,).

    Returns
    -------
    Cut
        A wall that ends at a street, or is drawn along it, cuts nothing. Cut ends lie 0.2 m from the wall.
    """
    walls = lines.only(WALL) if lines is not None and lines.cut_streets else None
    if walls is None:
        return Cut(streets, x, y, np.arange(len(streets.ways)), ())
    way_of = np.repeat(np.arange(len(streets.ways)), np.diff(streets.way_ptr))
    passing: Bool = np.asarray(streets.ways[["bridge", "tunnel", "steps"]].to_numpy(dtype=bool).any(axis=1))
    ground = _Ground(streets, x, y, walls, usable, passing, way_of)
    found = _contacts(ground)
    changes = _Changes(len(x))
    _inner_cuts(found, ground, changes)
    _node_cuts(found, ground, changes)
    return _rebuilt(ground, crs, changes)


def _contacts(ground: _Ground) -> _Contacts:
    """Find where the streets that may be cut meet walls."""
    import shapely

    streets, x, y, walls = ground.streets, ground.x, ground.y, ground.walls
    asked = (ground.usable & ~ground.passing)[ground.way_of]
    asked[streets.way_ptr[1:] - 1] = False
    at = np.flatnonzero(asked)
    a, b = streets.way_node[at], streets.way_node[at + 1]
    at = at[walls.cross(x[a], y[a], x[b], y[b], pad_m=-TOUCH_M)]
    a, b = streets.way_node[at], streets.way_node[at + 1]
    ends = np.stack([np.column_stack([x[a], y[a]]), np.column_stack([x[b], y[b]])], axis=1)
    tree = shapely.STRtree(_pieces(walls))
    row, wall = tree.query(shapely.linestrings(ends), predicate="dwithin", distance=TOUCH_M)
    p, d = ends[row, 0], ends[row, 1] - ends[row, 0]
    w, e = _corner(walls, wall, 0), _corner(walls, wall, 1) - _corner(walls, wall, 0)
    across = d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]
    metres = np.hypot(d[:, 0], d[:, 1])
    crossing = np.abs(across) > 1e-9
    safe = np.where(crossing, across, 1.0)
    t = np.clip(((w[:, 0] - p[:, 0]) * e[:, 1] - (w[:, 1] - p[:, 1]) * e[:, 0]) / safe, 0.0, 1.0)
    s = np.clip(((w[:, 0] - p[:, 0]) * d[:, 1] - (w[:, 1] - p[:, 1]) * d[:, 0]) / safe, 0.0, 1.0)
    apart = np.hypot(*(p + t[:, None] * d - w - s[:, None] * e).T)
    kept = crossing & (apart <= TOUCH_M) & (metres > 0)
    order = np.lexsort((wall[kept], t[kept], at[row[kept]]))
    return _Contacts(at[row[kept]][order], t[kept][order], metres[kept][order], wall[kept][order].astype(np.int64))


def _pieces(walls: BarrierLines) -> NDArray[np.object_]:
    import shapely

    ends = [np.column_stack([walls.x[walls.start + end], walls.y[walls.start + end]]) for end in (0, 1)]
    lines: NDArray[np.object_] = shapely.linestrings(np.stack(ends, axis=1))
    return lines


def _corner(walls: BarrierLines, wall: Int64, end: int) -> Float:
    at = walls.start[wall] + end
    return np.column_stack([walls.x[at], walls.y[at]])


def _wall_angles(walls: BarrierLines, wall: Iterable[int], x: float, y: float) -> Float:
    """Directions in which walls leave a point, ascending, each once."""
    found: list[float] = []
    for piece in sorted(set(wall)):
        for end in (0, 1):
            dx, dy = float(walls.x[walls.start[piece] + end]) - x, float(walls.y[walls.start[piece] + end]) - y
            if np.hypot(dx, dy) > TOUCH_M:
                angle = float(np.arctan2(dy, dx))
                if all(_turn(angle, other) > 1e-3 for other in found):
                    found.append(angle)
    return np.array(sorted(found))


def _turn(one: float, other: float) -> float:
    """Angle between two directions, 0 to π."""
    return abs((one - other + np.pi) % (2 * np.pi) - np.pi)


def _sector(angles: Float, angle: float) -> int:
    """Between which two walls a direction lies."""
    return int(np.searchsorted(angles, angle)) % len(angles)


def _inner_cuts(found: _Contacts, ground: _Ground, changes: _Changes) -> None:
    """Cut pieces of street between their nodes."""
    streets, x, y = ground.streets, ground.x, ground.y
    inner = (found.share * found.metres > TOUCH_M) & ((1 - found.share) * found.metres > TOUCH_M)
    for rows in _together(found, np.flatnonzero(inner)):
        position, t, metres = int(found.position[rows[0]]), float(found.share[rows[0]]), float(found.metres[rows[0]])
        a, b = int(streets.way_node[position]), int(streets.way_node[position + 1])
        dx, dy = float(x[b] - x[a]), float(y[b] - y[a])
        angles = _wall_angles(ground.walls, found.wall[rows].tolist(), float(x[a]) + t * dx, float(y[a]) + t * dy)
        ahead, behind = float(np.arctan2(dy, dx)), float(np.arctan2(-dy, -dx))
        if len(angles) < 2 or _sector(angles, ahead) == _sector(angles, behind):
            continue
        gap = min(GAP_M, t * metres / 3, (1 - t) * metres / 3) / metres
        ends = [changes.node(float(x[a]) + share * dx, float(y[a]) + share * dy) for share in (t - gap, t + gap)]
        changes.between[position].append((t, ends[0], ends[1]))
        changes.cut.add(int(ground.way_of[position]))
        changes.crossings += 1


def _together(found: _Contacts, rows: NDArray[np.intp]) -> Iterator[list[int]]:
    """Group contacts of one piece that lie together."""
    group: list[int] = []
    for row in rows.tolist():
        if group:
            last = group[-1]
            apart = (found.share[row] - found.share[last]) * found.metres[row]
            if found.position[row] != found.position[last] or apart > 3 * GAP_M:
                yield group
                group = []
        group.append(row)
    if group:
        yield group


def _node_cuts(found: _Contacts, ground: _Ground, changes: _Changes) -> None:
    """Part junctions and bends that lie on a wall: the streets on each side of it keep together."""
    touching: dict[int, set[int]] = defaultdict(set)
    for ends, metres in ((0, found.share * found.metres), (1, (1 - found.share) * found.metres)):
        for row in np.flatnonzero(metres <= TOUCH_M).tolist():
            touching[int(ground.streets.way_node[found.position[row] + ends])].add(int(found.wall[row]))
    for node, stubs in sorted(ground.stubs(touching).items()):
        angles = _wall_angles(ground.walls, touching[node], float(ground.x[node]), float(ground.y[node]))
        directions = [ground.direction(*stub) for stub in stubs]
        glued = any(_turn(angle, wall) < GLUED_RAD for angle in directions for wall in angles)
        if len(angles) > 1 and not glued and not any(ground.passing[ground.way_of[position]] for position, _ in stubs):
            _part_node(node, stubs, [_sector(angles, angle) for angle in directions], angles, ground, changes)


def _part_node(
    node: int, stubs: list[tuple[int, int]], sectors: list[int], angles: Float, ground: _Ground, changes: _Changes
) -> None:
    """Give the streets between each two walls a node of their own, a little off the walls."""
    fresh = {}
    for sector in sorted(set(sectors)):
        wide = float(angles[sector] - angles[sector - 1]) % (2 * np.pi)
        middle = float(angles[sector - 1]) + wide / 2
        x, y = float(ground.x[node]) + GAP_M * np.cos(middle), float(ground.y[node]) + GAP_M * np.sin(middle)
        fresh[sector] = changes.node(float(x), float(y), node)
    open_ways: dict[int, int] = {}
    for (position, step), sector in zip(stubs, sectors, strict=True):
        (changes.before if step < 0 else changes.after)[position] = fresh[sector]
        way = int(ground.way_of[position])
        if ground.usable[way]:
            open_ways[position * 2 + (step > 0)] = sector
    if len(set(open_ways.values())) > 1:
        changes.cut.update(int(ground.way_of[key // 2]) for key in open_ways)
        changes.crossings += 1


def _rebuilt(ground: _Ground, crs: str, changes: _Changes) -> Cut:
    """Put the new nodes into the ways, and number the parts."""
    from pyproj import Transformer

    streets = ground.streets
    if not changes.x:
        return Cut(streets, ground.x, ground.y, np.arange(len(streets.ways)), ())
    owner, ptr, way_node = _laid_out(ground, changes)
    x, y, like = np.array(changes.x), np.array(changes.y), np.array(changes.like)
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    bits = streets.node_bits
    cut = replace(
        streets,
        node_id=np.concatenate([streets.node_id, min(0, int(streets.node_id.min())) - 1 - np.arange(len(x))]),
        lon=np.concatenate([streets.lon, lon]),
        lat=np.concatenate([streets.lat, lat]),
        node_bits=None if bits is None else np.concatenate([bits, np.where(like >= 0, bits[like], 0).astype(np.uint8)]),
        ways=streets.ways.iloc[owner],
        way_ptr=ptr,
        way_node=way_node,
    )
    told = (_told(streets, changes), *_beside_gates(ground, changes)) if changes.crossings else ()
    return Cut(cut, np.concatenate([ground.x, x]), np.concatenate([ground.y, y]), owner, told)


def _beside_gates(ground: _Ground, changes: _Changes) -> list[Fault]:
    """Tell of gates near which, but not at which, a wall cuts a street."""
    from scipy.spatial import cKDTree

    walls = ground.walls
    if not len(walls.gate_x):
        return []
    gates = np.column_stack([walls.gate_x, walls.gate_y])
    away, _ = cKDTree(np.column_stack([changes.x, changes.y])).query(gates)
    near = int(np.count_nonzero(np.asarray(away) <= GATE_NEAR_M))
    if not near:
        return []
    zh = f"{near} 处开放的出入口旁 {GATE_NEAR_M:g} 米内有道路被围墙切断，可能是同一处门而位置画偏"
    en = f"within {GATE_NEAR_M:g} m of {near} open gates a wall cuts a street: the gate may be drawn beside it"
    cure = (
        "请把出入口移到道路与围墙的交点，或在 [[barriers.gates]] 中调大 within_m。",
        "Move the gate to where the street meets the wall, or raise within_m in [[barriers.gates]].",
    )
    return [Fault("gate_beside_street", ground.streets.source, zh, en, *cure, severity="noted")]


def _laid_out(ground: _Ground, changes: _Changes) -> tuple[Int64, Int64, NDArray[np.int32]]:
    """Give the old way of each way, where its nodes start, and the nodes along all ways."""
    streets = ground.streets
    touched = sorted({int(ground.way_of[position]) for position in (*changes.before, *changes.after, *changes.between)})
    runs, chunks, done = {}, [], 0
    for way in touched:
        runs[way] = list(_runs(streets, way, changes))
        chunks += [streets.way_node[done : streets.way_ptr[way]], *(np.array(run, dtype=np.int32) for run in runs[way])]
        done = int(streets.way_ptr[way + 1])
    parts = np.ones(len(streets.ways), dtype=np.int64)
    parts[touched] = [len(runs[way]) for way in touched]
    owner = np.repeat(np.arange(len(streets.ways)), parts)
    lengths = np.diff(streets.way_ptr)[owner]
    lengths[np.isin(owner, touched)] = [len(run) for way in touched for run in runs[way]]
    ptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return owner, ptr, np.concatenate([*chunks, streets.way_node[done:]]).astype(np.int32)


def _runs(streets: Streets, way: int, changes: _Changes) -> Iterator[list[int]]:
    """Give the nodes of a way run by run, parted where it is cut."""
    run: list[int] = []
    for position in range(int(streets.way_ptr[way]), int(streets.way_ptr[way + 1])):
        node = int(streets.way_node[position])
        before, after = changes.before.get(position), changes.after.get(position)
        arrives, leaves = (before if before is not None else after), (after if after is not None else before)
        run.append(node if arrives is None else arrives)
        if arrives != leaves:
            yield run
            run = [node if leaves is None else leaves]
        for _, end, start in sorted(changes.between.get(position, [])):
            yield [*run, end]
            run = [start]
    yield run


def _told(streets: Streets, changes: _Changes) -> Fault:
    names = streets.ways.index[sorted(changes.cut)].astype(str).tolist()
    listed = ", ".join(names[:MOST_NAMED]) + (f" … ({len(names)})" if len(names) > MOST_NAMED else "")
    return Fault(
        "streets_cut",
        streets.source,
        f"{changes.crossings} 处道路穿过围墙而无门，已在墙处断开（涉及 {len(names)} 条道路）",
        f"streets cross a wall without a gate in {changes.crossings} places and are parted there ({len(names)} ways)",
        "若该处有门，请在街道文件或 [[barriers.gates]] 图层中补上；或在 [barriers] 中写 cut_streets = false。",
        "Where there is a gate, add it to the street file or to a layer of [[barriers.gates]]; or set cut_streets = false in "
        "[barriers].",
        found=listed,
        severity="noted",
    )
