"""Say what a plan is good for: the demands it serves and the objective it is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from careshed.supply.decay import Decay

Of = Literal["all", "reachable"]
"""What a share is taken of: all people of the group, or those whom some usable site could reach at all."""

Beyond: TypeAlias = float | Literal["forbid", "leave_out"]
"""What a person costs whom no open site reaches within the limit searched: so many minutes or metres; ``"forbid"``: there may be
no such person; ``"leave_out"``: the same, but people whom no usable site could reach at all are left out and counted."""


@dataclass(frozen=True)
class Demand:
    """People who look for a service, and when they count as reached."""

    group: str
    """Column of the cells."""
    minutes: float | None = None
    metres: float | None = None
    """The limit (≤); exactly one, matching the travel costs. With neither, everything searched counts."""
    service: str = ""
    """Service id where a plan sites several; a site serves this demand only if it hosts the service."""
    weight: float = 1.0
    """Worth of one such person in the objective."""
    rate: float = 1.0
    """Share of the group that looks for the service."""
    sites_needed: int = 1
    """Open sites that a person must reach to count; 2 asks for a backup (Hogan and ReVelle, 1986)."""
    decay: Decay | None = None
    """How much a person counts the farther the best site is: time bands (`Step`) or a curve; None counts each within the limit
    fully (partial cover; Berman, Krass and Drezner, 2003)."""


@dataclass(frozen=True)
class MaxCover:
    """Reach the most people (Church and ReVelle, 1974), weighed by demand, sites needed and decay."""

    demands: tuple[Demand, ...]


@dataclass(frozen=True)
class SetCover:
    """Reach a share of every demand's people with the fewest new sites or the least net money (Toregas and others, 1971)."""

    demands: tuple[Demand, ...]
    share: float = 1.0
    """Least share of the people reached, 0 to 1."""
    of: Of = "all"
    least: Literal["sites", "money"] = "sites"


@dataclass(frozen=True)
class PMedian:
    """Least travel of all people to their nearest open site (Hakimi, 1964), by radii (Elloumi, 2010)."""

    demands: tuple[Demand, ...]
    beyond: Beyond


@dataclass(frozen=True)
class PCentre:
    """The shortest longest way: no person is farther from an open site than need be (Hakimi, 1964)."""

    demands: tuple[Demand, ...]
    beyond: Beyond


@dataclass(frozen=True)
class MaxServed:
    """Most people with a place at a site within their limit (capacitated maximal cover; Current and Storbeck, 1988)."""

    demands: tuple[Demand, ...]


@dataclass(frozen=True)
class ServedMedian:
    """Least travel of all people to a site that has a place for them (capacitated p-median)."""

    demands: tuple[Demand, ...]
    beyond: Beyond


@dataclass(frozen=True)
class Attendance:
    """Most expected attendance: a person comes to every open site with the chance that the demand's decay gives its distance.

    The chances of all open sites add up (attendance that falls with distance: Holmes, Williams and Brown, 1972; potential:
    Hansen, 1959; sites that share attendance by gravity: Drezner and Drezner, 2007). A demand without a decay counts each site
    within its limit fully.
    """

    demands: tuple[Demand, ...]
    most: float | None = 1.0
    """Most that one person counts, however many sites are near; 1 counts nobody more than once. None leaves the sum as it is:
    visits, of which one person may make several."""


@dataclass(frozen=True)
class WorstUnit:
    """The worst-off unit first: the largest share reached in the unit with the smallest, then the most people in all."""

    demands: tuple[Demand, ...]
    level: str
    """Unit level whose units are compared."""
    of: Of = "all"


Objective: TypeAlias = MaxCover | SetCover | PMedian | PCentre | MaxServed | ServedMedian | Attendance | WorstUnit

OBJECTIVES: dict[type, tuple[str, str]] = {
    MaxCover: ("覆盖人数最多", "most people reached"),
    SetCover: ("达到覆盖要求的最少投入", "least effort for the coverage asked"),
    PMedian: ("总出行最短", "least travel in all"),
    PCentre: ("最远出行最短", "shortest longest way"),
    MaxServed: ("有位可入的人数最多", "most people with a place"),
    ServedMedian: ("有位可入且总出行最短", "least travel to a place"),
    Attendance: ("预期到访最多", "most expected attendance"),
    WorstUnit: ("最薄弱单元优先", "worst-off unit first"),
}
"""Objective -> (Chinese, English)."""
