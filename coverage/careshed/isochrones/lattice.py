"""Lay a lattice over the network: where each of its points joins the streets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.network import HALF_MM, Bins, Network
from careshed.network.barriers import BarrierLines, legs_cross
from careshed.network.joining import join_points

TILE: Final = 256
"""Lattice points along a side of a tile."""

CACHE_BYTES: Final = 256 * 2**20
"""Lattice tiles kept at a time, bytes; the least recently used are dropped and made again when needed."""

POINT_BYTES: Final = 12
"""Memory of a lattice point: piece (int32), share along it and leg (float32)."""

FINEST_STEP_M: Final = 5.0
BLOCKS_PAY_STEPS: Final = 15
"""Snap limit, in lattice steps, beyond which nearest streets are sought block by block (measured: 4 times faster at 50)."""

STEPS_TO_LIMIT: Final = 400
"""The lattice grows coarser with the limit, so that a facility's window stays near this many points a side."""

Float32 = NDArray[np.float32]
Float = NDArray[np.float64]


class Tile(NamedTuple):
    """Lattice points of one square: nearest street piece (−1 beyond the snap limit), share along it, straight leg in metres."""

    piece: NDArray[np.int32]
    share: Float32
    leg: Float32


class Lattice:
    """A square lattice over a network: where each of its points joins the streets, in tiles made when first needed.

    The lattice holds positions, not times, so one lattice serves every facility and every limit. Points lie at the centres of
    squares of side `step`, rows run south from ``y1``, columns east from ``x0``.
    """

    def __init__(self, network: Network, step_m: float) -> None:
        snap = network.snap_m
        self.network, self.step = network, step_m
        self.x0 = np.floor((network.vertex_x.min() - snap) / step_m) * step_m
        self.y1 = np.ceil((network.vertex_y.max() + snap) / step_m) * step_m
        self.columns = int((network.vertex_x.max() + snap - self.x0) / step_m) + 1
        self.rows = int((self.y1 - network.vertex_y.min() + snap) / step_m) + 1
        self._tiles: dict[tuple[int, int], Tile | None] = {}

    def tile(self, row: int, column: int) -> Tile | None:
        """Give a tile, None where no street is near; rows and columns count tiles."""
        key = (row, column)
        if key in self._tiles:
            self._tiles[key] = self._tiles.pop(key)
        else:
            self._tiles[key] = self._make(row, column)
            self._forget()
        return self._tiles[key]

    @property
    def bytes(self) -> int:
        """Memory of the tiles kept, bytes."""
        return sum(TILE * TILE * POINT_BYTES for tile in self._tiles.values() if tile is not None)

    def _forget(self) -> None:
        while self.bytes > CACHE_BYTES:
            del self._tiles[next(key for key, tile in self._tiles.items() if tile is not None)]

    def _make(self, row: int, column: int) -> Tile | None:
        from careshed import _kernels

        network, side = self.network, TILE * self.step
        x0, y1 = self.x0 + column * side, self.y1 - row * side
        start, _ = network.pieces
        tile = Tile(
            np.full((TILE, TILE), -1, np.int32), np.zeros((TILE, TILE), np.float32), np.full((TILE, TILE), np.inf, np.float32)
        )
        proper, slips = network.bins
        snap = network.snap_m + HALF_MM
        window = (x0 - snap, y1 - side - snap, x0 + side + snap, y1 + snap)
        x, y = network.vertex_x, network.vertex_y
        fill = _kernels.fill_blocks if snap > BLOCKS_PAY_STEPS * self.step else _kernels.fill_tile
        fill(x, y, start, near_pieces(proper, window), x0, y1, self.step, *tile, snap)
        last = near_pieces(slips, window)
        if len(last):
            alone = Tile(tile.piece.copy(), tile.share.copy(), np.full((TILE, TILE), np.inf, np.float32))
            fill(x, y, start, last, x0, y1, self.step, *alone, snap)
            free = (tile.piece < 0) & (alone.piece >= 0)
            for kept, fallback in zip(tile, alone, strict=True):
                kept[free] = fallback[free]
        if network.barriers is not None:
            self._go_round(network.barriers, tile, x0, y1)
        return tile if (tile.piece >= 0).any() else None

    def _go_round(self, barriers: BarrierLines, tile: Tile, x0: float, y1: float) -> None:
        """Replace the legs of a tile that cross a barrier, as those of places are."""
        row, column = np.nonzero(tile.piece >= 0)
        xy = np.column_stack([x0 + (column + 0.5) * self.step, y1 - (row + 0.5) * self.step])
        behind = legs_cross(self.network, barriers, xy, tile.piece[row, column])
        row, column, xy = row[behind], column[behind], xy[behind]
        if len(row):
            joints = join_points(self.network, xy, 1)
            tile.piece[row, column] = joints.piece[:, 0]
            tile.share[row, column] = joints.share[:, 0]
            tile.leg[row, column] = joints.metres[:, 0]


def near_pieces(bins: Bins, window: tuple[float, float, float, float]) -> NDArray[np.int32]:
    """List the street pieces binned inside a window (west, south, east, north), ascending."""
    ptr, piece, x0, y0, size, columns, rows = bins
    c0, c1 = max(0, int((window[0] - x0) / size)), min(columns - 1, int((window[2] - x0) / size))
    r0, r1 = max(0, int((window[1] - y0) / size)), min(rows - 1, int((window[3] - y0) / size))
    if window[2] < x0 or window[3] < y0 or c0 > c1 or r0 > r1:
        return np.empty(0, np.int32)
    parts = [piece[ptr[r * columns + c0] : ptr[r * columns + c1 + 1]] for r in range(r0, r1 + 1)]
    return np.unique(np.concatenate(parts))


def lattice_of(network: Network, step_m: float) -> Lattice:
    """Give the network's lattice of a step, kept with the network once made."""
    key = f"lattice {step_m}"
    if key not in network._made:
        network._made[key] = Lattice(network, step_m)
    return network._made[key]  # type: ignore[return-value]


def step_for(limit_m: float, snap_m: float = np.inf) -> float:
    """Choose the lattice step for a limit, metres: 5 m up to 1 km of reach, coarser beyond, a third of the snap limit at most.

    >>> step_for(900.0), step_for(2400.0), step_for(40_000.0, snap_m=150.0)
    (5.0, 12.0, 50.0)
    """
    coarse = np.ceil(2 * limit_m / STEPS_TO_LIMIT)
    return float(max(FINEST_STEP_M, min(coarse, np.floor(snap_m / 3))))


@dataclass(frozen=True)
class Surface:
    """Travel cost on lattice points of a window: the one function that cells and polygons share."""

    x0: float
    """West edge of the window, metres."""
    y1: float
    """North edge of the window, metres."""
    step_m: float
    cost: Float32
    """Cost at the centre of each square, milliseconds or millimetres, infinite where not reached; rows run south."""
    per_metre: float
    """Cost of a metre of straight leg."""
