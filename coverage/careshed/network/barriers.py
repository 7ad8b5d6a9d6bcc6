"""Tell which straight legs cross a barrier, and find the way round for places whose nearest street lies behind one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from careshed.intake.streets.barriers import WALL
from careshed.network.model import HALF_MM, Bins, Bool, Float, Int32, Network
from careshed.schema import Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from careshed.intake.streets.barriers import Barriers

BARRIER_BIN_M = 50.0
MOST_BARRIER_BINS = 4_000_000


@dataclass(frozen=True)
class BarrierLines:
    """Barriers as straight pieces in metres, walls open at their gates, sorted into bins."""

    x: Float
    """Corners of all lines, metres, shape (corners,)."""
    y: Float
    start: Int32
    """First corner of each straight piece, which runs to the next corner, shape (pieces,)."""
    kind: NDArray[np.uint8]
    """Position in `careshed.intake.streets.barriers.KINDS` of each piece, shape (pieces,)."""
    bins: Bins
    gate_x: Float
    """Gates that open a wall, metres, shape (gates,)."""
    gate_y: Float
    cut_streets: bool
    regardless: bool
    """Whether a place shut in on all sides joins the nearest street all the same."""

    def cross(self, x0: Float, y0: Float, x1: Float, y1: Float, *, pad_m: float = 0.001) -> Bool:
        """Tell which straight lines cross a barrier farther than `pad_m` from their ends; a negative pad counts touching ends."""
        from careshed.network import _crossing

        found: Bool = _crossing.lines_cross(x0, y0, x1, y1, pad_m, self.x, self.y, self.start, *self.bins)
        return found

    def only(self, kind: int) -> BarrierLines | None:
        """Give the barriers of one kind, None where there are none."""
        kept = self.kind == kind
        if not kept.any():
            return None
        start, kinds = self.start[kept], self.kind[kept]
        bins = _bins(self.x, self.y, start)
        return BarrierLines(self.x, self.y, start, kinds, bins, self.gate_x, self.gate_y, self.cut_streets, self.regardless)


def barrier_lines(barriers: Barriers | None, crs: str) -> BarrierLines | None:
    """Bring barriers to metres, with gaps in the walls at gates; None where there is no barrier.

    Parameters
    ----------
    crs
        Projected coordinate system of the network, metres.
    """
    if barriers is None or not len(barriers.kind):
        return None
    import shapely
    from pyproj import Transformer

    turn = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = map(np.asarray, turn.transform(barriers.lon, barriers.lat))
    which = np.repeat(np.arange(len(barriers.kind)), np.diff(barriers.ptr))
    sound = np.isfinite(x) & np.isfinite(y)
    lines, kind = shapely.linestrings(x[sound], y[sound], indices=which[sound]), barriers.kind[np.unique(which[sound])]
    gate_x, gate_y = map(np.asarray, turn.transform(barriers.gate_lon, barriers.gate_lat))
    lines, kind, opened = _opened(lines, kind, gate_x, gate_y, barriers.gate_m)
    xy, line = shapely.get_coordinates(lines, return_index=True)
    if not len(xy):
        return None
    start = np.flatnonzero(line[1:] == line[:-1]).astype(np.int32)
    x, y = xy[:, 0].copy(), xy[:, 1].copy()
    return BarrierLines(
        x, y, start, kind[line[start]], _bins(x, y, start), gate_x[opened], gate_y[opened], barriers.cut_streets,
        barriers.behind == "nearest",
    )  # fmt: skip


def _opened(
    lines: NDArray[np.object_], kind: NDArray[np.uint8], gate_x: Float, gate_y: Float, gate_m: Float
) -> tuple[NDArray[np.object_], NDArray[np.uint8], Bool]:
    """Take out of the walls what lies around gates; tell which gates stand on a wall."""
    import shapely

    opened = np.zeros(len(gate_x), dtype=bool)
    walls = np.flatnonzero(kind == WALL)
    if not len(gate_x) or not len(walls):
        return lines, kind, opened
    gates = shapely.points(gate_x, gate_y)
    gate, near = shapely.STRtree(lines[walls]).query(gates, predicate="dwithin", distance=gate_m)
    opened[gate] = True
    lines = lines.copy()
    for wall in np.unique(near).tolist():
        holes = gate[near == wall]
        gap = shapely.union_all(shapely.buffer(gates[holes], gate_m[holes] + HALF_MM))
        lines[walls[wall]] = shapely.difference(lines[walls[wall]], gap)
    parts, owner = shapely.get_parts(lines, return_index=True)
    whole = ~shapely.is_empty(parts)
    return parts[whole], kind[owner[whole]], opened


def _bins(x: Float, y: Float, start: Int32) -> Bins:
    """Sort pieces into square bins."""
    from careshed import _kernels

    x0, y0 = float(x.min()), float(y.min())
    width, height = float(np.ptp(x)), float(np.ptp(y))
    size = max(BARRIER_BIN_M, float(np.sqrt(width * height / MOST_BARRIER_BINS)))
    columns, rows = int(width / size) + 1, int(height / size) + 1
    ptr, piece = _kernels.bin_pieces(np.arange(len(start), dtype=np.int32), x, y, start, x0, y0, size, columns, rows)
    return Bins(ptr, piece, x0, y0, size, columns, rows)


def gate_faults(barriers: Barriers | None, lines: BarrierLines | None, crs: str, source: str) -> list[Fault]:
    """Tell which of the planner's own gates stand on no wall, so that they open nothing."""
    if barriers is None or not barriers.gate_own.any():
        return []
    from pyproj import Transformer

    own = barriers.gate_own
    turn = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = map(np.asarray, turn.transform(barriers.gate_lon[own], barriers.gate_lat[own]))
    on = set() if lines is None else set(zip(lines.gate_x.tolist(), lines.gate_y.tolist(), strict=True))
    lone = [at for at in zip(x.tolist(), y.tolist(), strict=True) if at not in on]
    if not lone:
        return []
    zh, en = f"{len(lone)} 处出入口不在任何围墙上，未起作用", f"{len(lone)} gates stand on no wall and open nothing"
    cure = ("请核对位置，或调大 within_m。", "Check where they stand, or raise within_m.")
    found = "; ".join(f"{east:.0f} {north:.0f}" for east, north in lone[:3]) + (" …" if len(lone) > 3 else "")
    return [Fault("gate_on_no_wall", source, zh, en, *cure, found=found, severity="noted")]


class Joints(NamedTuple):
    """Where points join the network; shape (points, options), `moved` and `shut` (points,)."""

    piece: Int32
    """Straight pieces of the nearest edges, nearest first, −1 for none."""
    share: Float
    """Share along each piece."""
    metres: Float
    """Length of each leg, metres, infinite for none."""
    moved: Bool
    """Points whose nearest street lies behind a barrier."""
    shut: Bool
    """Points within the snap limit of a street of which every leg crosses a barrier."""


def go_round(network: Network, lines: BarrierLines, xy: Float, piece: Int32, share: Float, metres: Float) -> Joints:
    """Replace the legs that cross a barrier: the nearest street whose leg crosses none, else the nearest gate, else none.

    Parameters
    ----------
    piece, share, metres
        Nearest pieces regardless of barriers, shape (points, options), as `careshed.network.nearest_pieces` gives them.
    """
    options = piece.shape[1]
    blocked = np.zeros(len(xy), dtype=bool)
    for option in range(options):
        blocked |= legs_cross(network, lines, xy, piece[:, option])
    at = np.flatnonzero(blocked)
    moved, shut = np.zeros(len(xy), dtype=bool), np.zeros(len(xy), dtype=bool)
    if not len(at):
        return Joints(piece, share, metres, moved, shut)
    first = piece[at, 0].copy()
    found, along, far = _nearest_clear(network, lines, xy[at], options)
    left = np.flatnonzero(found[:, 0] < 0)
    if len(left) and len(lines.gate_x):
        found[left, 0], along[left, 0], far[left, 0] = _by_gate(network, lines, xy[at[left]])
    none = found[:, 0] < 0
    shut[at[none]] = True
    if lines.regardless:
        found[none], along[none], far[none] = piece[at[none]], share[at[none]], metres[at[none]]
    piece, share, metres = piece.copy(), share.copy(), metres.copy()
    piece[at], share[at], metres[at] = found, along, far
    moved[at] = ~none & ((found[:, 0] != first) | np.isin(np.arange(len(at)), left))
    return Joints(piece, share, metres, moved, shut)


def legs_cross(network: Network, lines: BarrierLines, xy: Float, piece: Int32) -> Bool:
    """Tell which points' straight legs to a street piece cross a barrier; −1 for no piece crosses none."""
    from careshed.network import _crossing

    start, _ = network.pieces
    found: Bool = _crossing.legs_cross(
        xy[:, 0].copy(), xy[:, 1].copy(), piece.copy(), network.vertex_x, network.vertex_y, start, lines.x, lines.y, lines.start,
        *lines.bins,
    )  # fmt: skip
    return found


def _nearest_clear(network: Network, lines: BarrierLines, xy: Float, options: int) -> tuple[Int32, Float, Float]:
    """Find the nearest pieces of the network proper without a barrier between; of fragments where there is none of those."""
    proper, slips = network.bins
    piece, share, metres = _look(network, lines, xy, options, proper)
    alone = np.flatnonzero(piece[:, 0] < 0)
    if len(alone) and len(slips.piece):
        piece[alone], share[alone], metres[alone] = _look(network, lines, xy[alone], options, slips)
    return piece, share, metres


def _look(network: Network, lines: BarrierLines, xy: Float, options: int, bins: Bins) -> tuple[Int32, Float, Float]:
    from careshed.network import _crossing

    start, edge = network.pieces
    found: tuple[Int32, Float, Float] = _crossing.nearest_clear(
        xy[:, 0].copy(), xy[:, 1].copy(), network.snap_m + HALF_MM, options, network.vertex_x, network.vertex_y, start, edge,
        *bins, lines.x, lines.y, lines.start, *lines.bins,
    )  # fmt: skip
    return found


def _by_gate(network: Network, lines: BarrierLines, xy: Float) -> tuple[Int32, Float, Float]:
    """Join points by the gate that makes the whole leg shortest, within the snap limit; −1 where there is no such gate."""
    from careshed.network import _crossing

    piece, share, metres = _gates(network, lines)
    found, far = _crossing.nearest_gate(
        xy[:, 0].copy(), xy[:, 1].copy(), network.snap_m + HALF_MM, lines.gate_x, lines.gate_y, metres, lines.x, lines.y,
        lines.start, *lines.bins,
    )  # fmt: skip
    return np.where(found >= 0, piece[found], -1).astype(np.int32), np.where(found >= 0, share[found], 0.0), far


def _gates(network: Network, lines: BarrierLines) -> tuple[Int32, Float, Float]:
    """Join the gates themselves, once for a network: piece, share along it and metres of each."""
    if "gates" not in network._made:
        piece, share, metres = _nearest_clear(network, lines, np.column_stack([lines.gate_x, lines.gate_y]), 1)
        network._made["gates"] = (piece[:, 0], share[:, 0], metres[:, 0])
    return network._made["gates"]  # type: ignore[return-value]
