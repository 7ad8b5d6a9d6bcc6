"""Read what the tags of ways mean for travel, into one table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from careshed.intake.streets.driving import cyclable, drivable, maxspeed_kmh
from careshed.intake.streets.walking import RANK, walkable

if TYPE_CHECKING:
    import pandas as pd
    from pandas.api.extensions import ExtensionArray

_PERCENT: Final = re.compile(r"^([+-]?\d+(?:\.\d+)?)\s*%$")
_DEGREES: Final = re.compile(r"^([+-]?\d+(?:\.\d+)?)\s*°$")
_UNSAID: Final = frozenset({"up", "down", "yes", "steep", "no"})


def way_table(way_id: Sequence[int], tags: Sequence[Mapping[str, str]]) -> tuple[pd.DataFrame, Counter[tuple[str, str]]]:
    """Read the tags of ways into the columns of `Streets.ways`; texts that cannot be read are counted by key and text."""
    import pandas as pd

    ways = [(walkable(one), cyclable(one), drivable(one)) for one in tags]
    open_ = np.array(ways, dtype=bool).reshape(-1, 6)
    unread: Counter[tuple[str, str]] = Counter()
    highway = [one["highway"] for one in tags]
    table = pd.DataFrame(
        {
            "highway": highway,
            "name": [one.get("name", "") for one in tags],
            "walk_forward": open_[:, 0],
            "walk_backward": open_[:, 1],
            "steps": [kind == "steps" for kind in highway],
            "bridge": [one.get("bridge", "no") != "no" for one in tags],
            "tunnel": [one.get("tunnel", "no") != "no" for one in tags],
            "rank": [RANK[kind] for kind in highway],
            "cycle_forward": open_[:, 2],
            "cycle_backward": open_[:, 3],
            "car_forward": open_[:, 4],
            "car_backward": open_[:, 5],
            "maxspeed_kmh": [_maxspeed(one.get("maxspeed", ""), unread) for one in tags],
            "incline": [_incline(one.get("incline", ""), unread) for one in tags],
            "wheels": [one.get("wheelchair") != "no" and one.get("kerb") != "raised" for one in tags],
            "crossing": [_crossing(one) for one in tags],
        },
        index=pd.Index(way_id, name="way_id"),
    )
    return table, unread


def way_table_of_sets(
    way_id: NDArray[np.int64],
    names: Sequence[str] | ExtensionArray,
    tag_set: NDArray[np.int64],
    tag_sets: Sequence[Mapping[str, str]],
) -> tuple[pd.DataFrame, Counter[tuple[str, str]]]:
    """Do what `way_table` does for ways most of which have the same tags, name aside: every set of tags is read once."""
    import pandas as pd

    sets, met = way_table(range(len(tag_sets)), tag_sets)
    table = sets.take(tag_set).set_axis(pd.Index(way_id, name="way_id"))
    table["name"] = names
    count = np.bincount(tag_set, minlength=len(tag_sets)).tolist()
    unread: Counter[tuple[str, str]] = Counter()
    for key, text in met:
        unread[key, text] = sum(ways for ways, tags in zip(count, tag_sets, strict=True) if tags.get(key) == text)
    return table, +unread


def _maxspeed(text: str, unread: Counter[tuple[str, str]]) -> float:
    limit, readable = maxspeed_kmh(text)
    if not readable:
        unread["maxspeed", text] += 1
    return np.nan if limit is None else limit


def _incline(text: str, unread: Counter[tuple[str, str]]) -> float:
    """Read a slope, rise over run: ``8%``, ``-5 %``, ``4°``; words that give no figure are NaN."""
    percent, degrees = _PERCENT.match(text), _DEGREES.match(text)
    if percent:
        return float(percent[1]) / 100
    if degrees:
        return float(np.tan(np.radians(float(degrees[1]))))
    if text == "0":
        return 0.0
    if text and text not in _UNSAID:
        unread["incline", text] += 1
    return np.nan


def _crossing(tags: Mapping[str, str]) -> str:
    """Tell whether a way is a crossing for walkers, and whether it has signals."""
    if "crossing" not in (tags.get("footway"), tags.get("path"), tags.get("cycleway")):
        return ""
    return "signals" if tags.get("crossing") == "traffic_signals" else "open"
