"""Read what people cannot walk straight across, water, railways, motorways and walls, and the gates in walls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from careshed.intake.streets.model import Streets

Float = NDArray[np.float64]
BarrierKind = Literal["water", "railway", "motorway", "wall"]
KINDS: Final[tuple[BarrierKind, ...]] = get_args(BarrierKind)
WALL: Final = KINDS.index("wall")
"""The kind that stops streets as well as legs, and that gates open."""

WALLS: Final = frozenset({"wall", "fence", "hedge", "city_wall", "retaining_wall"})
"""Values of ``barrier`` on a line that nobody passes but by a gate."""

RAILS: Final = frozenset({"rail", "light_rail", "subway", "narrow_gauge", "monorail"})
"""Values of ``railway`` that nobody walks across; trams run in streets."""

WATERWAYS: Final = frozenset({"river", "canal", "dock"})
BASINS: Final = frozenset({"reservoir", "basin"})
"""Values of ``landuse`` that are water, as older maps tag it."""

DRY_BASINS: Final = frozenset({"detention", "infiltration"})
WIDE_M: Final = 3.0
"""A stream, ditch or drain is a barrier where its ``width`` says at least so much, metres; who can, steps over a narrower one."""

MOTORWAYS: Final = frozenset({"motorway", "motorway_link"})
OSM_GATE_M: Final = 2.0
"""A mapped gate opens the wall this far around it, metres: gates for cars are 4 m wide."""


@dataclass(frozen=True)
class Barriers:
    """Lines that people do not walk across, and gates in them; degrees, WGS-84."""

    lon: Float
    """Corners of all lines, shape (corners,)."""
    lat: Float
    ptr: NDArray[np.int64]
    """Where the corners of each line start, shape (lines + 1,)."""
    kind: NDArray[np.uint8]
    """Position in `KINDS` of each line, shape (lines,)."""
    gate_lon: Float
    """Places where walls stand open, shape (gates,)."""
    gate_lat: Float
    gate_m: Float
    """Metres around each gate in which walls are open, shape (gates,)."""
    gate_own: NDArray[np.bool_]
    """Whether each gate is of the planner's layer, shape (gates,)."""
    cut_streets: bool = True
    """Whether walls part the streets that cross them outside gates."""
    behind: Literal["unjoined", "nearest"] = "unjoined"
    """What becomes of a place from which every leg crosses a barrier: it joins no street, or the nearest regardless."""

    def count(self) -> dict[str, int]:
        """Count the lines of each kind.

        >>> no_barriers().count()
        {'water': 0, 'railway': 0, 'motorway': 0, 'wall': 0}
        """
        return {kind: int((self.kind == at).sum()) for at, kind in enumerate(KINDS)}


def no_barriers() -> Barriers:
    """Give an open country: no barrier and no gate."""
    none = np.empty(0)
    return Barriers(none, none, np.zeros(1, np.int64), np.empty(0, np.uint8), none, none, none, np.empty(0, bool))


def barrier_kind(tags: Mapping[str, str]) -> BarrierKind | None:
    """Tell what kind of barrier a line or outline of an OSM file is, None where people walk across it.

    What runs in a tunnel, on a bridge or under cover is none: people pass above or below. Streets, which cross barriers by
    their own bridges and underpasses, are asked by `bars_legs`. Basins that hold water after rain only are none.

    >>> barrier_kind({"waterway": "river"}), barrier_kind({"railway": "rail", "tunnel": "yes"}), barrier_kind({"barrier": "wall"})
    ('water', None, 'wall')
    >>> barrier_kind({"waterway": "stream"}), barrier_kind({"waterway": "stream", "width": "6 m"})
    (None, 'water')
    """
    if _off_ground(tags):
        return None
    if tags.get("barrier") in WALLS:
        return "wall"
    if tags.get("railway") in RAILS:
        return "railway"
    waterway = tags.get("waterway", "")
    wide = waterway in ("stream", "ditch", "drain") and _metres(tags.get("width", "")) >= WIDE_M
    basin = tags.get("landuse") in BASINS and tags.get("basin") not in DRY_BASINS
    if basin or waterway in WATERWAYS or waterway == "riverbank" or wide or tags.get("natural") in ("water", "coastline"):
        return "water"
    return None


def bars_legs(tags: Mapping[str, str]) -> bool:
    """Tell whether a street is a motorway on the ground, which nobody crosses but by its bridges and underpasses.

    >>> bars_legs({"highway": "motorway"}), bars_legs({"highway": "motorway", "bridge": "yes"}), bars_legs({"highway": "trunk"})
    (True, False, False)
    """
    fast = tags.get("highway") in MOTORWAYS or tags.get("motorroad") == "yes"
    return fast and not _off_ground(tags)


def _off_ground(tags: Mapping[str, str]) -> bool:
    lifted = any(tags.get(key, "no") != "no" for key in ("tunnel", "bridge", "covered"))
    return lifted or tags.get("location") in ("underground", "overhead")


def _metres(text: str) -> float:
    """Read a width in metres, 0 where it says none."""
    try:
        return float(text.removesuffix("m").strip())
    except ValueError:
        return 0.0


class BarrierList:
    """Barriers gathered one by one, before they become arrays."""

    def __init__(self) -> None:
        self.lon: list[float] = []
        self.lat: list[float] = []
        self.ptr: list[int] = [0]
        self.kind: list[int] = []
        self.gates: list[tuple[float, float]] = []

    def add(self, kind: BarrierKind, line: Sequence[tuple[float, float]]) -> None:
        """Keep a line of at least two corners."""
        if len(line) > 1:
            self.lon += [corner[0] for corner in line]
            self.lat += [corner[1] for corner in line]
            self.ptr.append(len(self.lon))
            self.kind.append(KINDS.index(kind))

    def barriers(self, gate_m: float = OSM_GATE_M) -> Barriers | None:
        """Give all that was gathered, None where there is neither barrier nor gate."""
        if not self.kind and not self.gates:
            return None
        gates = np.array(self.gates, dtype=np.float64).reshape(-1, 2)
        return Barriers(
            np.array(self.lon), np.array(self.lat), np.array(self.ptr, dtype=np.int64), np.array(self.kind, dtype=np.uint8),
            gates[:, 0], gates[:, 1], np.full(len(gates), gate_m), np.zeros(len(gates), dtype=bool),
        )  # fmt: skip


def without_osm(streets: Streets) -> Streets:
    """Forget the barriers that the street file maps; its gates stay, to open the planner's own walls."""
    known = streets.barriers
    if known is None:
        return streets
    gates = replace(no_barriers(), gate_lon=known.gate_lon, gate_lat=known.gate_lat, gate_m=known.gate_m, gate_own=known.gate_own)
    return replace(streets, barriers=gates)
