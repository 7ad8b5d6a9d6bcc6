"""Compiled loops that tell where straight legs cross barriers."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

import numpy as np
from numba import njit

from careshed._kernels import _keep, foot_point

PAD_M = 0.001
"""A leg that meets a barrier within this of either of its ends touches it and does not cross, metres."""


@njit(cache=True, nogil=True)
def crosses(px, py, qx, qy, pad, x, y, start, ptr, piece, x0, y0, size, columns, rows):
    """Tell whether the line from p to q crosses a barrier more than `pad` from its ends; a negative pad counts touching ends."""
    dx, dy = qx - px, qy - py
    length = np.sqrt(dx * dx + dy * dy)
    if length <= 2.0 * pad or length == 0.0:
        return False
    low, high = pad / length, 1.0 - pad / length
    c0, c1 = int(np.floor((min(px, qx) - x0) / size)), int(np.floor((max(px, qx) - x0) / size))
    r0, r1 = int(np.floor((min(py, qy) - y0) / size)), int(np.floor((max(py, qy) - y0) / size))
    for r in range(max(0, r0), min(rows - 1, r1) + 1):
        for c in range(max(0, c0), min(columns - 1, c1) + 1):
            for at in range(ptr[r * columns + c], ptr[r * columns + c + 1]):
                a = start[piece[at]]
                ex, ey = x[a + 1] - x[a], y[a + 1] - y[a]
                across = dx * ey - dy * ex
                if across == 0.0:  # side by side
                    continue
                t = ((x[a] - px) * ey - (y[a] - py) * ex) / across
                if low < t < high:
                    s = ((x[a] - px) * dy - (y[a] - py) * dx) / across
                    if -1e-9 <= s <= 1.0 + 1e-9:
                        return True
    return False


@njit(cache=True, nogil=True)
def lines_cross(px, py, qx, qy, pad, x, y, start, ptr, piece, x0, y0, size, columns, rows):
    """Do what `crosses` does for many lines."""
    found = np.zeros(len(px), np.bool_)
    for i in range(len(px)):
        found[i] = crosses(px[i], py[i], qx[i], qy[i], pad, x, y, start, ptr, piece, x0, y0, size, columns, rows)
    return found


@njit(cache=True, nogil=True)
def legs_cross(px, py, at, vx, vy, first, x, y, start, ptr, piece, x0, y0, size, columns, rows):
    """Tell for each point whether its straight leg to the street piece `at` crosses a barrier; −1 for no piece crosses none."""
    found = np.zeros(len(px), np.bool_)
    for i in range(len(px)):
        if at[i] >= 0:
            a = first[at[i]]
            t, _ = foot_point(px[i], py[i], vx[a], vy[a], vx[a + 1], vy[a + 1])
            qx, qy = vx[a] + t * (vx[a + 1] - vx[a]), vy[a] + t * (vy[a + 1] - vy[a])
            found[i] = crosses(px[i], py[i], qx, qy, PAD_M, x, y, start, ptr, piece, x0, y0, size, columns, rows)
    return found


@njit(cache=True, nogil=True)
def nearest_clear(
    px, py, snap, wanted, vx, vy, first, edge, street_ptr, street_piece, sx0, sy0, street_size, street_columns, street_rows,
    x, y, start, ptr, piece, x0, y0, size, columns, rows,
):  # fmt: skip
    """Do what `_kernels.nearest_pieces` does among the pieces whose straight leg crosses no barrier."""
    found = np.full((len(px), wanted), -1, np.int32)
    share = np.zeros((len(px), wanted))
    square = np.full((len(px), wanted), np.inf)
    rings = int(snap / street_size) + 1
    for p in range(len(px)):
        c, r = int(np.floor((px[p] - sx0) / street_size)), int(np.floor((py[p] - sy0) / street_size))
        for ring in range(rings + 1):
            if square[p, wanted - 1] < ((ring - 1) * street_size) ** 2 and ring > 1:
                break
            for row in range(max(0, r - ring), min(street_rows - 1, r + ring) + 1):
                inner = row != r - ring and row != r + ring
                column = c - ring
                while column <= c + ring:
                    if 0 <= column < street_columns:
                        for at in range(street_ptr[row * street_columns + column], street_ptr[row * street_columns + column + 1]):
                            i = street_piece[at]
                            a = first[i]
                            t, d = foot_point(px[p], py[p], vx[a], vy[a], vx[a + 1], vy[a + 1])
                            last = wanted - 1
                            if d > snap * snap or (found[p, last] >= 0 and (d, i) >= (square[p, last], found[p, last])):
                                continue
                            qx, qy = vx[a] + t * (vx[a + 1] - vx[a]), vy[a] + t * (vy[a + 1] - vy[a])
                            if not crosses(
                                px[p], py[p], qx, qy, PAD_M, x, y, start, ptr, piece, x0, y0, size, columns, rows
                            ):  # fmt: skip
                                _keep(found[p], share[p], square[p], wanted, i, t, d, edge)
                    column += 2 * ring if inner and ring > 0 else 1
    return found, share, np.sqrt(square)


@njit(cache=True, nogil=True)
def nearest_gate(px, py, snap, gate_x, gate_y, gate_leg, x, y, start, ptr, piece, x0, y0, size, columns, rows):
    """Find for each point the gate by which a street is nearest, straight to the gate and on: gate (−1 for none) and metres."""
    found = np.full(len(px), -1, np.int32)
    metres = np.full(len(px), np.inf)
    for p in range(len(px)):
        for g in range(len(gate_x)):
            dx, dy = gate_x[g] - px[p], gate_y[g] - py[p]
            if abs(dx) > snap or abs(dy) > snap:
                continue
            whole = np.sqrt(dx * dx + dy * dy) + gate_leg[g]
            if whole <= snap and whole < metres[p] and not crosses(
                px[p], py[p], gate_x[g], gate_y[g], PAD_M, x, y, start, ptr, piece, x0, y0, size, columns, rows
            ):  # fmt: skip
                metres[p] = whole
                found[p] = g
    return found, metres
