"""Decide which ways a mode may travel, in which direction and how fast, and where it is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.intake.streets.driving import STOPS_CARS, STOPS_CYCLES, STOPS_WHEELS
from careshed.intake.streets.parting import part_at
from careshed.network.model import Bool, Float, Int64

if TYPE_CHECKING:
    from careshed.intake.streets import Streets
    from careshed.modes import Kind, Mode

PREFIX: Final[dict[Kind, str]] = {"foot": "walk", "cycle": "cycle", "car": "car"}
"""Kind of mode -> start of the columns of ``Streets.ways`` that say where it may go."""


@dataclass(frozen=True)
class WayRules:
    """What one mode may do on every way, all of shape (ways,)."""

    forward: Bool
    backward: Bool
    speed_kmh: Float
    steps: Bool

    def of(self, ways: Int64) -> WayRules:
        """Give the rules of some ways, in their order."""
        return WayRules(self.forward[ways], self.backward[ways], self.speed_kmh[ways], self.steps[ways])


def rules_of(streets: Streets, mode: Mode) -> WayRules:
    """Decide for every way whether the mode may travel it, each way round, and how fast.

    Streets that say nothing about cars and cycles (a plain layer of lines) are open to them as they are to walkers.
    """
    ways, prefix = streets.ways, PREFIX[mode.kind]
    known = prefix if f"{prefix}_forward" in ways.columns else "walk"
    steps = ways["steps"].to_numpy(dtype=bool)
    shut = steps & (not mode.uses_steps)
    if mode.needs_low_kerbs and "wheels" in ways.columns:
        shut = shut | ~ways["wheels"].to_numpy(dtype=bool)
    if mode.max_slope is not None and "incline" in ways.columns:
        shut = shut | (np.abs(np.nan_to_num(ways["incline"].to_numpy(dtype=np.float64))) > mode.max_slope + 1e-9)
    forward, backward = (ways[f"{known}_{way}"].to_numpy(dtype=bool) & ~shut for way in ("forward", "backward"))
    return WayRules(forward, backward, _speeds(streets, mode), steps)


def _speeds(streets: Streets, mode: Mode) -> Float:
    """Speed on every way: by its class, or a share of its limit where the mode goes by limits."""
    which, classes = streets.ways["highway"].factorize()
    speed: Float = np.array([mode.speed_on(str(kind)) for kind in classes], dtype=np.float64)[which]
    if mode.maxspeed_share is None or "maxspeed_kmh" not in streets.ways.columns:
        return speed
    limit = streets.ways["maxspeed_kmh"].to_numpy(dtype=np.float64)
    return np.where(np.isfinite(limit), limit * mode.maxspeed_share, speed)


def part_at_stops(streets: Streets, mode: Mode) -> tuple[Streets, Int64]:
    """Part the ways at nodes that stop this mode but not everybody: bollards stop cars, raised kerbs stop wheelchairs.

    Returns
    -------
    tuple
        The streets, and the way as mapped of each of their ways.
    """
    if streets.node_bits is None:
        return streets, np.arange(len(streets.ways))
    bit = {"car": STOPS_CARS, "cycle": STOPS_CYCLES, "foot": STOPS_WHEELS if mode.needs_low_kerbs else 0}[mode.kind]
    parted = part_at(streets, (streets.node_bits & bit) > 0)
    return parted.streets, parted.owner
