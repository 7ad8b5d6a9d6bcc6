"""Let hills count: how much longer a street takes uphill and downhill, from heights along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.network.model import Bool, Float, Int32, Int64
from careshed.schema import Fault

if TYPE_CHECKING:
    from careshed.intake.elevation import Elevation
    from careshed.modes import Hills

STEP_M: Final = 25.0
"""Heights are taken at least every so many metres along a street."""

STEEPEST: Final = 0.6
"""Slopes beyond this, rise over run, are taken for it: no street is steeper, and the formulas were not made for more."""

SLOWEST, FASTEST = 0.2, 1.5
"""Speed on a slope is at least and at most so many times that on the level."""


@dataclass(frozen=True)
class Climb:
    """What hills do to every piece of street, shape (vertices,), for the piece that ends at the vertex."""

    forward: Float
    """Time with the drawing direction as a multiple of that on the level."""
    backward: Float
    """Time against it."""
    steepest: Float
    """Steepest slope of the piece, rise over run, either way."""
    known: Bool
    """Whether heights are known along the piece; without them it is level."""


def speed_factor(slope: Float, hills: Hills) -> Float:
    """Speed on a slope as a multiple of that on the level, between 0.2 and 1.5.

    ``tobler``: walking, exp(−3.5 (|s + 0.05| − 0.05)), after Tobler (1993), with 1 on the level. ``parkin``: cycling, 6.67 %
    slower for every 1 % uphill and 3.98 % faster for every 1 % downhill (Parkin and Rotheram, 2010: −1.44, +0.86 of 21.6 km/h).

    Parameters
    ----------
    slope
        Rise over run in the direction of travel, negative downhill.

    >>> speed_factor(np.array([0.0, 0.1, -0.05, -0.1]), "tobler").round(3).tolist()
    [1.0, 0.705, 1.191, 1.0]
    >>> speed_factor(np.array([0.03, -0.03]), "parkin").round(3).tolist()
    [0.8, 1.119]
    """
    slope = np.clip(slope, -STEEPEST, STEEPEST)
    if hills == "none":
        return np.ones_like(slope)
    walking, cycling = np.exp(-3.5 * (np.abs(slope + 0.05) - 0.05)), 1.0 - np.where(slope > 0, 6.67, 3.98) * slope
    return np.asarray(np.clip(walking if hills == "tobler" else cycling, SLOWEST, FASTEST))


def climb(
    elevation: Elevation,
    hills: Hills,
    crs: str,
    vx: Float,
    vy: Float,
    ptr: Int64,
    vertex: Int32 | Int64,
    metres: Float,
    lifted: Bool,
    steps: Bool,
) -> Climb:
    """Work out what hills do to every piece of street.

    Bridges and tunnels run straight between the spots where they leave the ground, over as many ways as they are mapped in; all
    other streets follow the ground, with heights at least every 25 m. Steps that meet a bridge on its way lead up to it.

    Parameters
    ----------
    vx, vy, ptr, vertex
        Vertices of all edges, metres; where each edge starts; and the node that each vertex is.
    metres
        Length of the piece that ends at each vertex.
    lifted
        Whether the piece that ends at each vertex is part of a bridge or tunnel.
    steps
        Whether it is part of a flight of steps.
    """
    node, place = np.unique(vertex, return_index=True)
    at = np.searchsorted(node, vertex)
    height = elevation.at(vx[place], vy[place], crs)
    end = np.ones(len(vertex), dtype=bool)
    end[ptr[:-1]] = False
    ends = np.flatnonzero(end)
    height = _hung(height, at[ends - 1], at[ends], metres[ends], lifted[ends], steps[ends])
    return _along(elevation, hills, crs, vx, vy, metres, height[at], ends, lifted)


def _hung(height: Float, a: Int64, b: Int64, metres: Float, lifted: Bool, steps: Bool) -> Float:
    """Heights of nodes that only bridges and tunnels meet: in proportion between the ends, whatever ways these are mapped in.

    Steps do not hold a bridge down that goes on beyond them.
    """
    from scipy.sparse import coo_array, diags_array
    from scipy.sparse.csgraph import connected_components
    from scipy.sparse.linalg import spsolve

    free, carried = np.ones(len(height), dtype=bool), np.bincount(np.concatenate([a[lifted], b[lifted]]), minlength=len(height))
    for ends in (a[~lifted & ~steps], b[~lifted & ~steps]):
        free[ends] = False
    for ends in (a[~lifted & steps], b[~lifted & steps]):
        free[ends[carried[ends] < 2]] = False
    touched = np.zeros(len(height), dtype=bool)
    touched[a[lifted]] = touched[b[lifted]] = True
    degree = np.bincount(np.concatenate([a, b]), minlength=len(height))
    free &= touched & (degree > 1)  # a bridge that ends in the open stands on the ground there
    a, b, metres = a[lifted], b[lifted], np.maximum(metres[lifted], 0.01)
    both = np.concatenate([a, b]), np.concatenate([b, a])
    pull = coo_array((np.tile(1 / metres, 2), both), shape=(len(height),) * 2).tocsr()
    part = connected_components(pull, directed=False)[1]
    anchored = np.zeros(part.max(initial=0) + 1, dtype=bool)
    firm = touched & ~free & np.isfinite(height)
    anchored[part[firm]] = True
    hung = np.flatnonzero(free & anchored[part])
    if not len(hung):
        return height
    held = np.where(firm, height, 0.0)
    rows = pull[hung]
    inner = rows[:, hung]
    weight: Float = rows @ (firm | free).astype(np.float64)
    solved = spsolve((diags_array(weight) - inner).tocsc(), rows @ held)
    height = height.copy()
    height[hung] = solved
    return height


def _along(
    elevation: Elevation, hills: Hills, crs: str, vx: Float, vy: Float, metres: Float, height: Float, ends: Int64, lifted: Bool
) -> Climb:
    """Take every piece apart into steps and add up what their slopes cost."""
    steps = np.maximum(np.ceil(metres[ends] / STEP_M), 1).astype(np.int64)
    steps[lifted[ends]] = 1
    piece = np.repeat(np.arange(len(ends)), steps)
    number = np.arange(len(piece)) - np.repeat(np.cumsum(steps) - steps, steps)
    share = (number + 1) / steps[piece]
    inner = number + 1 < steps[piece]
    start, stop = ends[piece] - 1, ends[piece]
    top = height[stop].copy()
    x, y = (values[start] + share * (values[stop] - values[start]) for values in (vx, vy))
    top[inner] = elevation.at(x[inner], y[inner], crs)
    bottom = np.where(number > 0, np.roll(top, 1), height[start])
    run = metres[stop] / steps[piece]
    known = np.isfinite(top) & np.isfinite(bottom) & (run > 0)
    slope = np.where(known, top - bottom, 0.0) / np.where(run > 0, run, 1.0)
    forward, backward = (1 / speed_factor(sign * slope, hills) / steps[piece] for sign in (1, -1))
    told = Climb(*(np.ones(len(metres)), np.ones(len(metres)), np.zeros(len(metres)), np.ones(len(metres), dtype=bool)))
    told.forward[ends] = np.bincount(piece, weights=forward, minlength=len(ends))
    told.backward[ends] = np.bincount(piece, weights=backward, minlength=len(ends))
    np.maximum.at(told.steepest, ends[piece], np.abs(slope))
    told.known[ends] = np.bincount(piece, weights=~known & (run > 0), minlength=len(ends)) == 0
    return told


def height_faults(climbed: Climb, metres: Float, file: str) -> list[Fault]:
    """Say how much of the streets has no heights."""
    lacking, total = float(metres[~climbed.known].sum()), float(metres.sum())
    if lacking <= 0:
        return []
    share = lacking / total
    zh = f"{lacking / 1000:,.1f} 公里道路（{share:.1%}）没有高程，按平路计"
    en = f"{lacking / 1000:,.1f} km of street ({share:.1%}) have no heights and count as level"
    cure = ("请换用覆盖整个研究范围的高程数据。", "Use an elevation model that covers the whole area.")
    return [Fault("no_heights", file, zh, en, *cure, severity="noted")]
