"""Notice points that fit a datum on the whole, but are of several datums, or all moved a little the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careshed.intake.detection.ground import degrees, local_metres
from careshed.intake.detection.hypotheses import HYPOTHESES

Weigh = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Log weight of each place by where it stands."""

_NEAR_M: Final = (60.0, 90.0, 120.0, 160.0, 200.0)
"""Lengths of the small moves that are tried, metres; less than datums lie apart."""

_DIRECTIONS: Final = 16

_GAIN: Final = 10.0
"""Least gain of a small move, in log units."""

_BETTER: Final = 1.0
"""A point sits better elsewhere by at least this log weight: beside a street instead of far from any."""

_FEWEST: Final = 0.1
"""Least share of points that must sit better under another datum."""

_SPREADS: Final = 2.0
"""Standard deviations by which they must outnumber those that sit better after a random move."""

_PLAIN: Final = 3
"""Hypotheses that are a plain datum; they come first."""

_COMPASS: Final = (("东", "east"), ("东北", "north-east"), ("北", "north"), ("西北", "north-west"), ("西", "west"),
                   ("西南", "south-west"), ("南", "south"), ("东南", "south-east"))  # fmt: skip


def small_shift(places: NDArray[np.float64], weigh: Weigh, draws: NDArray[np.int64], least_sure: float) -> tuple[str, str]:
    """Say by how much all points seem to be off the same way, "" where no small move lets them sit much better.

    Parameters
    ----------
    places
        Points under the best hypothesis, degrees WGS-84, shape (points, 2).
    draws
        Resamples: how often each point is drawn, shape (resamples, points).
    least_sure
        Share of resamples in which the move must gain.
    """
    middle = (float(places[:, 0].mean()), float(places[:, 1].mean()))
    here, own = local_metres(places, middle), weigh(places)
    best, step = own, np.zeros(2)
    for metres in _NEAR_M:
        for angle in np.arange(_DIRECTIONS) * (2.0 * np.pi / _DIRECTIONS):
            move = metres * np.array([np.cos(angle), np.sin(angle)])
            moved = weigh(degrees(here + move, middle))
            if moved.sum() > best.sum():
                best, step = moved, move
    gain = draws @ (best - own)
    if float(best.sum() - own.sum()) < _GAIN or float((gain > 0).mean()) < least_sure:
        return "", ""
    metres = float(np.hypot(*step))
    towards = _COMPASS[round(float(np.arctan2(-step[1], -step[0])) / (np.pi / 4.0)) % 8]
    return (
        f"所有点整体向{towards[0]}偏了约 {metres:.0f} 米：移回后更吻合道路，请核对坐标的来历",
        f"all points seem to lie about {metres:.0f} m too far {towards[1]}: moved back they sit better; check their source",
    )


def mixed(each: NDArray[np.float64], best: int, moved: NDArray[np.float64]) -> tuple[str, str]:
    """Say how many points seem to be of another datum than the rest, "" where no more do than after random moves.

    Parameters
    ----------
    each
        Log weights of the points under each hypothesis, shape (hypotheses, points).
    best
        Position of the hypothesis that fits on the whole.
    moved
        Log weights after random moves, shape (moves, points).
    """
    by_chance = (moved - each[best] >= _BETTER).sum(axis=1)
    count = {at: int((each[at] - each[best] >= _BETTER).sum()) for at in range(_PLAIN) if at != best}
    other = max(count, key=lambda at: count[at])
    most = max(float(by_chance.max()), float(by_chance.mean() + _SPREADS * by_chance.std()))
    if count[other] <= most or count[other] < _FEWEST * each.shape[1]:
        return "", ""
    hypothesis = HYPOTHESES[other]
    return (
        f"其中约 {count[other]} 个点按{hypothesis.zh}更吻合：表中可能混有两种基准，请分开核对",
        f"about {count[other]} of the points fit better as {hypothesis.en}: two datums may be mixed; check them apart",
    )
