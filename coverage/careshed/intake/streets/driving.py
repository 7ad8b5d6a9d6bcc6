"""Decide which ways may be driven and cycled, in which direction, and read their speed limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from careshed.intake.streets.walking import RANK, SOLID

NO: Final = frozenset({"no", "use_sidepath", "discouraged"})
YES: Final = frozenset({"yes", "designated", "permissive", "destination", "official", "customers", "private"})
LAND_ONLY: Final = frozenset({"no", "agricultural", "forestry", "military", "emergency"})

CLOSED_TO_CARS: Final = frozenset(
    {"pedestrian", "footway", "path", "steps", "bridleway", "corridor", "elevator", "platform", "cycleway"}
)
"""Classes nobody drives on unless ``motor_vehicle`` or ``motorcar`` says so."""

CLOSED_TO_CYCLES: Final = frozenset(
    {"motorway", "motorway_link", "pedestrian", "footway", "steps", "bridleway", "corridor", "elevator", "platform"}
)
"""Classes nobody cycles on unless ``bicycle`` says so."""

WITH: Final = frozenset({"yes", "1", "true"})
AGAINST: Final = frozenset({"-1", "reverse"})


def drivable(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Decide whether a way may be driven by car, with its drawing direction and against it.

    The most specific of ``motorcar``, ``motor_vehicle``, ``vehicle`` and ``access`` decides; ``private`` stays open, since
    people live on private roads. Motorways and roundabouts run one way unless ``oneway=no``.

    >>> drivable({"highway": "residential", "oneway": "-1"}), drivable({"highway": "footway"})
    ((False, True), (False, False))
    >>> drivable({"highway": "track", "access": "no", "motor_vehicle": "yes"})
    (True, True)
    """
    highway = tags.get("highway", "")
    told = next((tags[key] for key in ("motorcar", "motor_vehicle", "vehicle") if key in tags), "")
    access = tags.get("access", "")
    if highway not in RANK or told in NO | LAND_ONLY or (told not in YES and (highway in CLOSED_TO_CARS or access in LAND_ONLY)):
        return False, False
    round_ = highway == "motorway" or tags.get("junction") in ("roundabout", "circular")
    return _directions(tags.get("oneway", ""), one_way=round_)


def cyclable(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Decide whether a way may be cycled, with its drawing direction and against it.

    ``bicycle`` decides before ``vehicle`` and ``access``; ``dismount`` counts as closed. One-way streets bind cycles unless
    ``oneway:bicycle=no`` or a lane runs the other way (``cycleway=opposite…``).

    >>> cyclable({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}), cyclable({"highway": "motorway"})
    ((True, True), (False, False))
    """
    highway, told = tags.get("highway", ""), tags.get("bicycle", "")
    shut = highway in CLOSED_TO_CYCLES or tags.get("motorroad") == "yes"
    shut |= tags.get("vehicle", tags.get("access", "")) in LAND_ONLY
    if highway not in RANK or told in NO | {"dismount"} or (shut and told not in YES):
        return False, False
    oneway = tags.get("oneway:bicycle", tags.get("oneway", ""))
    lanes = (tags.get(key, "") for key in ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both"))
    if any(lane.startswith("opposite") for lane in lanes):
        oneway = "no"
    return _directions(oneway, one_way=tags.get("junction") in ("roundabout", "circular"))


def _directions(oneway: str, *, one_way: bool) -> tuple[bool, bool]:
    if oneway in AGAINST:
        return False, True
    return True, not (oneway in WITH or (one_way and oneway != "no"))


_FIGURE: Final = re.compile(
    r"^(?:限速)?\s*(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots|(?:公里|千米)(?:/小时|/时|每小时)?)?$", re.IGNORECASE
)
_KMH: Final = {"mph": 1.609344, "knots": 1.852}

IMPLIED_KMH: Final[dict[str, float]] = {
    "walk": 5.0,
    "CN:urban": 50.0,
    "CN:rural": 70.0,
    "DE:urban": 50.0,
    "DE:rural": 100.0,
    "DE:living_street": 7.0,
    "FR:urban": 50.0,
    "FR:rural": 80.0,
    "GB:nsl_single": 60 * 1.609344,
    "GB:nsl_dual": 70 * 1.609344,
    "RU:living_street": 20.0,
    "RU:urban": 60.0,
    "RU:rural": 90.0,
    "RU:motorway": 110.0,
    "UA:urban": 50.0,
    "UA:rural": 90.0,
}
"""Limits that a word stands for, km/h: each country's law as OSM's wiki lists it; China's by article 45 of the implementing
regulations of the Road Traffic Safety Law (one lane each way: 50 in town, 70 outside)."""

HIGHEST_KMH: Final = 200.0
"""No street has a higher limit, km/h: a larger figure is a slip."""

NO_LIMIT: Final = frozenset({"none", "no", "signals", "variable", "default", "unposted"})
"""Words that name no figure: the class of street decides."""


@cache
def maxspeed_kmh(text: str) -> tuple[float | None, bool]:
    """Read a speed limit, km/h, and whether the text could be read at all.

    Of several limits (``60;80``) the lowest counts. A text that names no figure (``none``, ``signals``) is read, and leaves the
    class of street to decide.

    >>> [maxspeed_kmh(text)[0] for text in ("50", "30 mph", "RU:urban", "walk", "60;80", "none")]
    [50.0, 48.28032, 60.0, 5.0, 60.0, None]
    >>> maxspeed_kmh("fast"), maxspeed_kmh("1500"), maxspeed_kmh("限速40公里/小时")
    ((None, False), (None, False), (40.0, True))
    """
    found = [_one_limit(part.strip()) for part in re.split(r"[;|]", text) if part.strip()]
    known = [limit for limit, _ in found if limit is not None]
    return (min(known) if known else None), all(readable for _, readable in found)


def _one_limit(text: str) -> tuple[float | None, bool]:
    if text in IMPLIED_KMH:
        return IMPLIED_KMH[text], True
    if text.lower() in NO_LIMIT:
        return None, True
    zone = re.match(r"^[A-Z]{2}:zone:?(\d+)$", text)
    figure = _FIGURE.match(zone[1] if zone else text)
    if figure is None:
        return None, False
    speed = float(figure[1]) * _KMH.get((figure[2] or "").lower(), 1.0)
    return (speed, True) if 0 < speed <= HIGHEST_KMH else (None, False)


CAR_STOPS: Final = frozenset(
    {
        "bollard",
        "block",
        "cycle_barrier",
        "stile",
        "kissing_gate",
        "turnstile",
        "jersey_barrier",
        "log",
        "chain",
        "planter",
        "rope",
    }
)
"""Barriers that people pass and cars do not."""

CYCLE_STOPS: Final = frozenset({"stile", "kissing_gate", "turnstile"})
"""Barriers that people on foot pass and cycles do not."""

STOPS_CARS, STOPS_CYCLES, STOPS_WHEELS, SIGNALS = 1, 2, 4, 8
"""What a node does to traffic, as bits: stops cars, stops cycles, stops wheelchairs, holds traffic at signals."""


def node_bits(tags: Mapping[str, str]) -> int:
    """Tell what a node does to traffic: a sum of `STOPS_CARS`, `STOPS_CYCLES`, `STOPS_WHEELS` and `SIGNALS`.

    A barrier that walkers pass stops cars where it is locked, solid or ``access=no``, unless a tag lets vehicles through.

    >>> node_bits({"barrier": "bollard"}) == STOPS_CARS, node_bits({"highway": "traffic_signals"}) == SIGNALS
    (True, True)
    >>> node_bits({"barrier": "gate", "motor_vehicle": "no"}) == STOPS_CARS, node_bits({"kerb": "raised"}) == STOPS_WHEELS
    (True, True)
    """
    barrier, bits = tags.get("barrier", ""), 0
    car = tags.get("motorcar", tags.get("motor_vehicle", tags.get("vehicle", "")))
    shut = barrier in CAR_STOPS | SOLID or tags.get("locked") == "yes" or tags.get("access") in LAND_ONLY
    if barrier and ((shut and car not in YES) or car in NO):
        bits |= STOPS_CARS
    if barrier and ((barrier in CYCLE_STOPS and tags.get("bicycle") not in YES) or tags.get("bicycle") in NO):
        bits |= STOPS_CYCLES
    wheels = tags.get("wheelchair", "")
    if (barrier in CYCLE_STOPS and wheels != "yes") or tags.get("kerb") == "raised" or (barrier and wheels == "no"):
        bits |= STOPS_WHEELS
    if tags.get("highway") == "traffic_signals" or tags.get("crossing") == "traffic_signals":
        bits |= SIGNALS
    return bits
