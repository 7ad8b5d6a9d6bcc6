"""Decide from OSM tags as Valhalla 3.5 does which ways and nodes walkers may pass."""

from __future__ import annotations

from typing import Final

Tags = dict[str, str]

PATHS: Final = frozenset({"footway", "pedestrian", "steps", "path"})
"""Classes on which Valhalla takes ``oneway`` to bind walkers; careshed does not, as OSM's wiki has it."""

NOT_WALKED: Final = frozenset({"motorway", "motorway_link", "bridleway", "cycleway"})
ACCESS_NO: Final = frozenset({"no", "agricultural", "discouraged", "forestry", "emergency", "psv"})
FOOT_NO: Final = frozenset({"no", "agricultural", "discouraged", "forestry"})
FOOT_YES: Final = frozenset(
    {
        "yes", "private", "permissive", "use_sidepath", "delivery", "designated", "destination", "customers", "official",
        "public", "restricted", "crossing", "sidewalk", "allowed", "passable", "footway", "permit", "residents",
    }
)  # fmt: skip
TOO_STEEP: Final = frozenset(
    {
        "mountain_hiking", "demanding_mountain_hiking", "alpine_hiking", "demanding_alpine_hiking", "difficult_alpine_hiking",
    }
)  # fmt: skip
"""Values of ``sac_scale`` beyond ``max_hiking_difficulty``, which Valhalla leaves at 1, ``hiking``."""

SOLID: Final = frozenset({"fence", "barrier_board", "wall", "jersey_barrier", "debris"})


def told_walkable(tags: Tags) -> tuple[bool, bool, str]:
    """Decide as Valhalla 3.5 does whether a way may be walked, with its drawing direction and against it, and by which tag."""
    if tags.get("area") == "yes" or tags["highway"] == "platform":
        return False, False, "area=yes" if tags.get("area") == "yes" else "highway=platform"
    key, foot = next(((key, tags[key]) for key in ("foot", "pedestrian") if tags.get(key) in FOOT_YES | FOOT_NO), ("", ""))
    if foot in FOOT_NO:
        return False, False, f"{key}={foot}"
    reason = f"{key}={foot}" if foot else _shut(tags)
    if reason and not foot:
        return False, False, reason
    if tags.get("sac_scale") in TOO_STEEP:
        return False, False, f"sac_scale={tags['sac_scale']}"
    if tags["highway"] in PATHS and _one_way(tags):
        against = tags.get("oneway") == "-1"
        return not against, against, f"one-way {tags['highway']}"
    kept_out = next((key for key in ("access", "conveying", "oneway:foot") if key in tags), "highway")
    return True, True, reason or f"{kept_out}={tags[kept_out]}"


def _shut(tags: Tags) -> str:
    """Name the tag that closes a way to all, "" where none does."""
    access, service = tags.get("access", ""), tags.get("service", "")
    if access in ACCESS_NO:
        return f"access={access}"
    if access == "private" and (tags.get("emergency") == "yes" or service == "emergency_access"):
        return "access=private, for emergencies"
    if tags.get("motorroad") == "yes":
        return "motorroad=yes"
    if tags["highway"] in NOT_WALKED and not (service == "driveway" and not access):
        return f"highway={tags['highway']}"
    return ""


def _one_way(tags: Tags) -> bool:
    bound = tags.get("oneway") in ("yes", "true", "1", "-1") or tags.get("junction") in ("roundabout", "circular")
    return bound and tags.get("oneway:foot") != "no" and tags.get("foot:backward") != "yes"


def told_shut(tags: Tags) -> str:
    """Decide as Valhalla does whether a node stops walkers, and by which tag; "" where it does not."""
    if tags.get("foot") in FOOT_YES:
        return ""
    where = f" at {tags['barrier']}" if "barrier" in tags else " at a node"
    if tags.get("foot") in FOOT_NO:
        return f"foot={tags['foot']}{where}"
    if tags.get("access") in ACCESS_NO:
        return f"access={tags['access']}{where}"
    return f"barrier={tags['barrier']}" if tags.get("barrier") in SOLID else ""
