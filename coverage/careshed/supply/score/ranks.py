"""Show how far ranks hang on the weights: one weight at a time, weights at random, any weights at all."""

from __future__ import annotations

from itertools import combinations, islice
from math import comb
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from careshed.supply.score.making import Score

Floats = NDArray[np.float64]

MOST_VERTICES: Final = 100_000
"""Weightings tried per unit for the exact range of its rank; beyond it the exact range is left out."""

HAIR: Final = 1e-9
"""Scores closer than this are tied: rounding, not rank."""


def rank_ranges(score: Score, *, seed: int, draws: int = 1000, concentration: float = 1.0, change: float = 0.5) -> pd.DataFrame:
    """Show how far each unit's rank hangs on the weights: one weight at a time, weights at random, and any weights at all.

    Ranks are among the units that have a score, 1 the best, ties sharing the better rank (in ``rank_worst`` the worse).

    Parameters
    ----------
    seed
        Of the random weights; the same seed gives the same bytes.
    draws
        Number of random weightings (Dirichlet, with the weights as their mean).
    concentration
        1 lets equal weights vary over all that is possible, evenly; larger values stay nearer to the weights.
    change
        One at a time, each weight is raised and lowered by this share, the others keeping their proportions.

    Returns
    -------
    pandas.DataFrame
        Index the units with a score; ``score``, ``rank``; ``one_low``, ``one_high`` (best and worst rank when one weight
        changes); ``draw_low``, ``draw_high`` (5th and 95th percentile over the draws), ``draw_first`` (share of draws in which it
        is first); ``rank_best``, ``rank_worst``: the exact range over all weights of 0 or more. NaN where that would take too
        long.

    Notes
    -----
    The exact range comes from the vertices of the arrangement that the lines of equal score cut into the simplex of weights: the
    number of units above is lower, and the number not below upper semicontinuous, so that both are extreme at a vertex.
    """
    import pandas as pd

    scored = score.table[score.table["score"].notna()]
    weight = score.parts["weight"].to_numpy(dtype=float)
    parts = scored[[f"{column}_part" for column in score.parts.index]].to_numpy(dtype=float)
    one = np.array([_ranks(parts @ changed) for changed in _one_at_a_time(weight, change)])
    random = np.random.default_rng(seed)
    used = weight > 0
    drawn = np.zeros((draws, len(weight)))
    drawn[:, used] = random.dirichlet(weight[used] * used.sum() * concentration, size=draws)
    many = np.array([_ranks(parts @ one_draw) for one_draw in drawn]).reshape(draws, len(parts))
    exact = exact_ranks(parts)
    return pd.DataFrame(
        {
            "score": scored["score"],
            "rank": scored["rank"],
            "one_low": one.min(axis=0),
            "one_high": one.max(axis=0),
            "draw_low": np.quantile(many, 0.05, axis=0, method="lower"),
            "draw_high": np.quantile(many, 0.95, axis=0, method="higher"),
            "draw_first": (many == 1).mean(axis=0),
            "rank_best": exact[:, 0],
            "rank_worst": exact[:, 1],
        },
        index=scored.index,
    )


def _one_at_a_time(weight: Floats, change: float) -> list[Floats]:
    found = [weight]
    for at in range(len(weight)):
        for factor in (1 - change, 1 + change):
            changed = weight.copy()
            changed[at] *= factor
            if changed.sum() > 0:
                found.append(changed / changed.sum())
    return found


def _ranks(scores: Floats) -> Floats:
    """Rank of every score, 1 the best, ties sharing the better rank."""
    order = np.sort(scores)
    return np.asarray(len(scores) - np.searchsorted(order, scores + HAIR, side="right") + 1.0, dtype=np.float64)


def exact_ranks(parts: Floats) -> Floats:
    """Find the best and the worst rank of every unit under any weights of 0 or more.

    Parameters
    ----------
    parts
        Normalised indicators, shape (units, indicators).

    Returns
    -------
    numpy.ndarray
        Best rank (ties shared for it) and worst rank (ties against it), shape (units, 2); NaN for a unit with more than
        `MOST_VERTICES` weightings to try.

    Examples
    --------
    The first unit is best in one indicator and worst in the other; the last is never better than second.

    >>> exact_ranks(np.array([[1.0, 0.0], [0.0, 1.0], [0.4, 0.4]]))
    array([[1., 3.],
           [1., 3.],
           [2., 3.]])
    """
    return np.array([_exact_rank(np.delete(parts, unit, axis=0) - parts[unit]) for unit in range(len(parts))]).reshape(-1, 2)


def _exact_rank(ahead: Floats) -> tuple[float, float]:
    """Best and worst rank of a unit, from how far each other unit is ahead in every indicator."""
    count = ahead.shape[1]
    # Whoever is ahead, or behind, in everything is so under any weights, and needs no line.
    mixed = ahead[(ahead.max(axis=1) > 0) & (ahead.min(axis=1) < 0)] if len(ahead) else ahead
    lines = np.unique(np.vstack([np.eye(count), mixed]), axis=0)
    if comb(len(lines), count - 1) > MOST_VERTICES:
        return float("nan"), float("nan")
    best, worst = len(ahead), 0
    choices = combinations(range(len(lines)), count - 1)
    while block := list(islice(choices, 20_000)):
        lead = _vertices(lines[np.array(block, dtype=np.int64).reshape(len(block), -1)]) @ ahead.T
        if len(lead):
            best = min(best, int((lead > HAIR).sum(axis=1).min()))
            worst = max(worst, int((lead >= -HAIR).sum(axis=1).max()))
    return 1.0 + best, 1.0 + worst


def _vertices(lines: Floats) -> Floats:
    """Weights, 0 or more with sum 1, where the chosen lines meet; choices that do not meet in one such point are left out."""
    count = lines.shape[2]
    system = np.concatenate([lines, np.ones((len(lines), 1, count))], axis=1)
    usable = np.abs(np.linalg.det(system)) > 1e-12
    target = np.zeros((int(usable.sum()), count, 1))
    target[:, -1] = 1.0
    weights = np.linalg.solve(system[usable], target)[:, :, 0]
    return np.asarray(weights[(weights >= -HAIR).all(axis=1)], dtype=float)
