"""Decide which ways may be walked: the walking filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RANK: Final[dict[str, int]] = {
    "motorway": 0,
    "motorway_link": 0,
    "trunk": 0,
    "trunk_link": 0,
    "primary": 0,
    "primary_link": 0,
    "secondary": 1,
    "secondary_link": 1,
    "tertiary": 1,
    "tertiary_link": 1,
    "unclassified": 2,
    "residential": 2,
    "living_street": 2,
    "road": 2,
    "pedestrian": 2,
    "service": 3,
    "track": 3,
    "footway": 3,
    "path": 3,
    "steps": 3,
    "bridleway": 3,
    "corridor": 3,
    "elevator": 3,
    "platform": 3,
    "cycleway": 3,
}
"""Class of way -> how prominent it is drawn, 0 major road to 3 footpath. Other classes are no streets (``construction``)."""

CLOSED_TO_WALKERS: Final = frozenset({"motorway", "motorway_link", "cycleway"})
"""Classes nobody walks on unless ``foot`` says so."""

FOOT_YES: Final = frozenset({"yes", "designated", "permissive", "destination", "official", "customers"})
FOOT_NO: Final = frozenset({"no", "private", "use_sidepath", "use_sidewalk"})
ACCESS_NO: Final = frozenset({"no", "agricultural", "forestry", "military"})

SOLID: Final = frozenset({"wall", "fence", "retaining_wall", "hedge", "debris"})
"""Barriers that stop everybody where they cross a way."""

CHECKPOINTS: Final = frozenset({"toll_booth", "border_control"})
"""Barriers at which cars stop and go on."""

TAGS: Final = frozenset(
    {
        "highway", "name", "foot", "access", "motorroad", "oneway:foot", "foot:forward", "foot:backward", "conveying",
        "oneway", "junction", "motorcar", "motor_vehicle", "vehicle", "maxspeed",
        "bicycle", "oneway:bicycle", "cycleway", "cycleway:left", "cycleway:right", "cycleway:both",
        "wheelchair", "incline", "kerb", "footway", "path", "crossing", "bridge", "tunnel", "layer",
    }
)  # fmt: skip
"""Tags read off a way."""


def walkable(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Decide whether a way may be walked, with its drawing direction and against it.

    The rule: a class of street that people walk on (`RANK` less `CLOSED_TO_WALKERS`), unless ``foot`` forbids it
    (``no``, ``private``, ``use_sidepath``), or ``access`` does and ``foot`` does not allow it, or it is a motorroad.
    ``access=private`` stays open: the roads inside a gated compound are private, and people live on them; what closes a
    compound is its gates. A way whose pavement is mapped apart (``sidewalk=separate``) stays open too, since the
    pavements are seldom mapped whole. One-way rules for cars do not bind walkers; ``oneway:foot``, ``foot:forward``,
    ``foot:backward`` and the direction of escalators do. Ferries are no streets: their waiting time is unknown.

    >>> walkable({"highway": "residential", "oneway": "yes"})
    (True, True)
    >>> walkable({"highway": "motorway"}), walkable({"highway": "cycleway", "foot": "designated"})
    ((False, False), (True, True))
    >>> walkable({"highway": "steps", "conveying": "forward"})
    (True, False)
    """
    highway, foot = tags.get("highway", ""), tags.get("foot", "")
    if highway not in RANK or foot in FOOT_NO:
        return False, False
    allowed = foot in FOOT_YES
    shut = highway in CLOSED_TO_WALKERS or tags.get("access") in ACCESS_NO or tags.get("motorroad") == "yes"
    if shut and not allowed:
        return False, False
    oneway = tags.get("oneway:foot", "")
    conveying = tags.get("conveying", "")
    forward = tags.get("foot:forward") not in FOOT_NO and oneway != "-1" and conveying != "backward"
    backward = tags.get("foot:backward") not in FOOT_NO and oneway not in ("yes", "1") and conveying != "forward"
    return forward, backward


def shuts(tags: Mapping[str, str]) -> bool:
    """Decide whether a barrier on a way, such as a gate, stops people on foot.

    Gates let people through unless they are locked or ``foot`` forbids it; ``access=no`` at a gate keeps out cars and
    strangers, while residents pass. Walls and fences drawn across a way stop everybody. Toll booths and border posts stand on
    roads for cars, which they do not part though nobody may walk there.

    >>> shuts({"barrier": "gate"}), shuts({"barrier": "gate", "locked": "yes"}), shuts({"barrier": "wall"})
    (False, True, True)
    """
    foot = tags.get("foot", "")
    if foot in FOOT_YES or tags["barrier"] in CHECKPOINTS:
        return False
    return foot in FOOT_NO or tags.get("locked") == "yes" or tags["barrier"] in SOLID
