"""Compiled loops that add lengths and times up along the edges."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def lengths(vx, vy, ptr):
    """Length of the piece that ends at each vertex, 0 at the first vertex of an edge."""
    metres = np.zeros(len(vx))
    for edge in range(len(ptr) - 1):
        for i in range(ptr[edge] + 1, ptr[edge + 1]):
            metres[i] = np.hypot(vx[i] - vx[i - 1], vy[i] - vy[i - 1])
    return metres


@njit(cache=True, nogil=True)
def durations(metres, ptr, speed, factor):
    """Seconds of the piece that ends at each vertex: its length over the speed of its edge, metres a second, times a factor."""
    seconds = np.empty(len(metres))
    for edge in range(len(ptr) - 1):
        for i in range(ptr[edge], ptr[edge + 1]):
            seconds[i] = metres[i] / speed[edge] * factor[edge]
    return seconds


@njit(cache=True, nogil=True)
def offsets(step, ptr):
    """Add steps up along each edge and round: the offset of every vertex, and that of the last of each edge."""
    found, whole = np.empty(len(step), np.uint32), np.empty(len(ptr) - 1, np.uint32)
    total = 0.0
    for edge in range(len(ptr) - 1):
        before = total + step[ptr[edge]]
        for i in range(ptr[edge], ptr[edge + 1]):
            total += step[i]
            found[i] = np.uint32(np.rint(total - before))
        whole[edge] = found[ptr[edge + 1] - 1]
    return found, whole
