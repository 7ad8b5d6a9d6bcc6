"""Name what the coordinates of a file may be: a datum, or a datum that somebody converted wrongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from careshed.datum import Datum, Pair, bd09_from_gcj02, gcj02_from_bd09, gcj02_from_wgs84, wgs84_from_gcj02

Step = Literal["gcj02_off", "gcj02_on", "bd09_off", "bd09_on"]

_STEPS: Final[dict[Step, Callable[[ArrayLike, ArrayLike], Pair]]] = {
    "gcj02_off": wgs84_from_gcj02,
    "gcj02_on": gcj02_from_wgs84,
    "bd09_off": gcj02_from_bd09,
    "bd09_on": bd09_from_gcj02,
}

_MISTAKE: Final = -12.0
"""Logarithm of how much rarer a wrong conversion is taken to be than a plain datum."""


@dataclass(frozen=True)
class Hypothesis:
    """What coordinates may be, and how they come back to WGS-84."""

    id: str
    """Stable name; that of a datum where it is one."""
    zh: str
    en: str
    datum: Datum | None
    """Datum to state in the study, None where no datum of the study says it."""
    steps: tuple[Step, ...]
    """Shifts that bring the coordinates to WGS-84, in order."""
    prior: float = 0.0
    """Logarithm added to its score before looking."""


HYPOTHESES: Final[tuple[Hypothesis, ...]] = (
    Hypothesis("WGS-84", "WGS-84（或 CGCS2000）", "WGS-84 (or CGCS2000)", "WGS-84", ()),
    Hypothesis("GCJ-02", "GCJ-02（高德、腾讯）", "GCJ-02 (AMap, Tencent)", "GCJ-02", ("gcj02_off",)),
    Hypothesis("BD-09", "BD-09（百度）", "BD-09 (Baidu)", "BD-09", ("bd09_off", "gcj02_off")),
    Hypothesis(
        "shifted_twice",
        "GCJ-02 偏移加了两次",
        "shifted to GCJ-02 twice",
        None,
        ("gcj02_off", "gcj02_off"),
        _MISTAKE,
    ),
    Hypothesis(
        "bd09_offset_alone",
        "WGS-84 上只加了百度偏移（或 BD-09 被当作 GCJ-02 转换）",
        "WGS-84 with Baidu's offset alone (or BD-09 converted as if it were GCJ-02)",
        None,
        ("bd09_off",),
        _MISTAKE,
    ),
    Hypothesis(
        "unshifted_from_nothing",
        "WGS-84 被当作 GCJ-02 转换",
        "WGS-84 converted as if it were GCJ-02",
        None,
        ("gcj02_on",),
        _MISTAKE,
    ),
    Hypothesis(
        "unshifted_too_far",
        "GCJ-02 被当作 BD-09 转换",
        "GCJ-02 converted as if it were BD-09",
        None,
        ("bd09_on",),
        _MISTAKE,
    ),
    Hypothesis(
        "unshifted_twice_from_nothing",
        "WGS-84 被当作 BD-09 转换",
        "WGS-84 converted as if it were BD-09",
        None,
        ("gcj02_on", "bd09_on"),
        _MISTAKE,
    ),
)
"""All that are tried: the datums first, then what comes of converting them wrongly."""


def undo(points: NDArray[np.float64], hypothesis: Hypothesis) -> NDArray[np.float64]:
    """Bring longitudes and latitudes to WGS-84, if they are what the hypothesis says.

    Parameters
    ----------
    points
        Degrees, shape (points, 2): longitude, latitude.

    >>> undo(np.array([[116.41024449916938, 39.91640428150164]]), HYPOTHESES[1]).round(6).tolist()
    [[116.404, 39.915]]
    """
    lon, lat = points[:, 0], points[:, 1]
    for step in hypothesis.steps:
        lon, lat = _STEPS[step](lon, lat)
    return np.column_stack([lon, lat])
