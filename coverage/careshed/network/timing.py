"""Work out how long every piece of street takes in a mode of travel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from careshed.intake.streets.driving import SIGNALS
from careshed.network.model import Costs, Float, Int32, Int64

if TYPE_CHECKING:
    from careshed.intake.streets import Streets
    from careshed.modes import Mode
    from careshed.network.rules import WayRules
    from careshed.network.slopes import Climb


def piece_metres(vx: Float, vy: Float, ptr: Int64) -> Float:
    """Length of the piece that ends at each vertex, metres; 0 at the first vertex of an edge."""
    from careshed.network import _timing

    metres: Float = _timing.lengths(vx, vy, ptr)
    return metres


def travel_time(
    streets: Streets,
    mode: Mode,
    rules: WayRules,
    way: Int64,
    ptr: Int64,
    vertex: Int32 | Int64,
    metres: Float,
    climbed: Climb | None,
) -> Costs:
    """Add up travel time along every edge: length over speed, and waits at crossings and signals.

    Parameters
    ----------
    way
        Way of each edge, shape (edges,).
    vertex
        Node of ``streets`` at each vertex, shape (vertices,).
    metres
        Length of the piece that ends at each vertex.
    climbed
        What hills do to each piece, None where all is level; steps have a factor of their own instead.
    """
    from careshed.network import _timing

    factor = np.where(rules.steps[way], mode.steps_factor, 1.0)
    seconds: Float = _timing.durations(metres, ptr, rules.speed_kmh[way] / 3.6, factor)
    waits, leg = _waits(streets, mode, way, ptr, vertex, metres), 3600.0 / mode.leg_speed_kmh
    if climbed is None:
        return symmetric((seconds + waits) * 1000.0, ptr, leg)
    steps = np.repeat(rules.steps[way], np.diff(ptr))
    up, down = (np.where(steps, seconds, seconds * factor) + waits for factor in (climbed.forward, climbed.backward))
    return one_each_way(up * 1000.0, down * 1000.0, ptr, leg)


def _waits(streets: Streets, mode: Mode, way: Int64, ptr: Int64, vertex: Int32 | Int64, metres: Float) -> Float:
    """Seconds waited on the piece that ends at each vertex.

    Walkers wait on crossings mapped as ways, spread over their length; all others at nodes with signals, half on each side, so
    that who passes the node waits once.
    """
    waits = np.zeros(len(vertex))
    if mode.kind == "foot":
        if (mode.crossing_s or mode.signal_s) and "crossing" in streets.ways.columns:
            told = streets.ways["crossing"].to_numpy(dtype=object)
            seconds = np.where(told == "signals", mode.signal_s, np.where(told == "open", mode.crossing_s, 0.0))[way]
            length = np.add.reduceat(metres, ptr[:-1])
            share = metres / np.repeat(np.where(length > 0, length, 1.0), np.diff(ptr))
            waits = share * np.repeat(seconds, np.diff(ptr))
        return waits
    if mode.signal_s and streets.node_bits is not None:
        half = np.where(streets.node_bits[vertex] & SIGNALS, mode.signal_s / 2, 0.0)
        waits[1:] = half[1:] + half[:-1]
        waits[ptr[:-1]] = 0.0
    return waits


def one_each_way(forward: Float, backward: Float, ptr: Int64, per_metre: float) -> Costs:
    """Offsets of vertices from per-vertex steps that cost differently with and against the drawing direction."""
    there, back = symmetric(forward, ptr, per_metre), symmetric(backward, ptr, per_metre)
    return Costs(there.vertex_f, back.vertex_b, there.edge_f, back.edge_b, per_metre)


def symmetric(step: Float, ptr: Int64, per_metre: float) -> Costs:
    """Offsets of vertices from per-vertex steps that cost the same both ways."""
    from careshed.network import _timing

    offset, whole = _timing.offsets(step, ptr)
    return Costs(offset, offset, whole, whole, per_metre)
