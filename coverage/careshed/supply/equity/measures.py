"""Measure how evenly travel or care is shared among people: Gini, Palma, Theil, concentration, shortfall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

    from careshed.reach import TravelTimes

Floats = NDArray[np.float64]

Worse = Literal["high", "low"]
"""Which values are the bad ones: ``"high"`` for minutes of travel, ``"low"`` for places per person."""

TOP, BOTTOM = 0.1, 0.4
"""Shares of people that the Palma ratio sets against each other (Palma, 2011)."""


def nearest_minutes(times: TravelTimes) -> Floats:
    """Give every cell its minutes to the nearest facility, ready for the measures.

    Returns
    -------
    numpy.ndarray
        Minutes (metres for street length), however far; infinite where no facility can be reached, NaN where the cell cannot be
        judged. The measures leave both out; `equity_report` counts them apart.
    """
    minutes = times.nearest_cost / (60_000.0 if times.metric == "time" else 1000.0)
    return np.where(times.cell_fault != "", np.nan, np.where(times.nearest_cost < 0, np.inf, minutes))


def judged(values: ArrayLike, people: ArrayLike) -> NDArray[np.bool_]:
    """Tell which entries count: a finite value and some people behind it.

    Raises
    ------
    ValueError
        If values and people differ in number, people are negative or not numbers, or a value is negative.
    """
    x, w = np.asarray(values, dtype=float), np.asarray(people, dtype=float)
    if x.shape != w.shape or x.ndim != 1:
        raise ValueError(f"{x.size} values for {w.size} counts of people; give one each")
    if not np.isfinite(w).all() or (w < 0).any():
        raise ValueError("people must be numbers of 0 or more; some are negative or missing")
    if (x < 0).any():
        raise ValueError(f"values must be 0 or more, not {np.nanmin(x):g}; shift or reverse them first")
    return np.asarray(np.isfinite(x) & (w > 0), dtype=np.bool_)


def _sorted(values: ArrayLike, people: ArrayLike) -> tuple[Floats, Floats]:
    """Values that count, ascending, and each one's share of the people."""
    kept = judged(values, people)
    x, w = np.asarray(values, dtype=float)[kept], np.asarray(people, dtype=float)[kept]
    order = np.argsort(x, kind="stable")
    return x[order], w[order] / w.sum()


def gini(values: ArrayLike, people: ArrayLike) -> float:
    """Measure inequality among people: 0 where all are equal, towards 1 where one has everything.

    G = Σᵢ Σⱼ wᵢ wⱼ |xᵢ − xⱼ| / (2 μ W²), which is twice the area between the Lorenz curve and the line of equality. No
    small-sample correction: people are counted, not sampled. NaN where nobody is judged or all values are 0.

    References
    ----------
    Gini (1912); the same formula as ``gini_index`` of R's accessibility package.

    Examples
    --------
    One person in two has everything:

    >>> gini([0, 1], [1, 1])
    0.5
    """
    x, share = _sorted(values, people)
    mean = float(x @ share)
    if not mean > 0:
        return float("nan")
    middle = np.cumsum(share) - share / 2
    return max(0.0, float(2 * ((x - mean) * (middle - 0.5)) @ share / mean))


def lorenz(values: ArrayLike, people: ArrayLike) -> pd.DataFrame:
    """Trace the Lorenz curve: which share of the total the people with the least have.

    Returns
    -------
    pandas.DataFrame
        ``people_share`` and ``value_share``, ascending from (0, 0) to (1, 1), one row for each different value; only (0, 0) where
        nothing is to be shared.
    """
    import pandas as pd

    x, share = _sorted(values, people)
    total = float(x @ share)
    if not total > 0:
        return pd.DataFrame({"people_share": [0.0], "value_share": [0.0]})
    last = np.append(x[1:] != x[:-1], True)
    below, held = np.cumsum(share)[last], np.cumsum(x * share)[last] / total
    below[-1], held[-1] = 1.0, 1.0
    return pd.DataFrame({"people_share": np.append(0.0, below), "value_share": np.append(0.0, held)})


def palma_ratio(values: ArrayLike, people: ArrayLike, *, ranking: ArrayLike | None = None) -> float:
    """Compare the top tenth of people with the bottom four tenths: mean of the former over mean of the latter.

    People stand in the order of `ranking` (income, say), or of the values themselves. A cell that straddles 40 % or 90 % of the
    people is split; cells of equal rank stand together with their mean. 1 is equality. The ratio of *shares* of the total, as
    Palma (2011) wrote it for incomes, is a quarter of this. NaN where nobody is judged or the bottom has 0.

    References
    ----------
    Palma (2011); with `ranking`, ``palma_ratio`` of R's accessibility package, which does not split cells.

    Examples
    --------
    Ten people with 1 to 10 minutes: 10 over the mean of 1, 2, 3, 4.

    >>> palma_ratio(range(1, 11), [1] * 10)
    4.0
    """
    low = mean_between(values, people, 0.0, BOTTOM, ranking=ranking)
    top = mean_between(values, people, 1.0 - TOP, 1.0, ranking=ranking)
    return top / low if low > 0 else float("nan")


def worst_decile(values: ArrayLike, people: ArrayLike, *, worse: Worse = "high") -> float:
    """Give the mean of the worst-off tenth of the people: the longest walks, or with ``worse="low"`` the fewest places.

    >>> worst_decile(range(1, 21), [1] * 20)
    19.5
    """
    first, last = (1.0 - TOP, 1.0) if worse == "high" else (0.0, TOP)
    return mean_between(values, people, first, last)


def mean_between(values: ArrayLike, people: ArrayLike, first: float, last: float, *, ranking: ArrayLike | None = None) -> float:
    """Average the people who stand between two shares of the ranking, cells at either end split; NaN where nobody is judged."""
    x, weight = _ranked(values, people, values if ranking is None else ranking)
    if not len(x):
        return float("nan")
    ends = np.cumsum(weight)
    low, high = first * ends[-1], last * ends[-1]
    part = np.clip(ends, low, high) - np.clip(np.append(0.0, ends[:-1]), low, high)
    return float(x @ part / part.sum())


def _ranked(values: ArrayLike, people: ArrayLike, ranking: ArrayLike) -> tuple[Floats, Floats]:
    """Mean value and people of every class of equal rank, ascending; entries without a rank are left out."""
    rank = np.asarray(ranking, dtype=float)
    kept = judged(values, people)
    if rank.shape != kept.shape:
        raise ValueError(f"{rank.size} ranks for {kept.size} values; give one each")
    kept &= np.isfinite(rank)
    x, w = np.asarray(values, dtype=float)[kept], np.asarray(people, dtype=float)[kept]
    classes, at = np.unique(rank[kept], return_inverse=True)
    weight = np.bincount(at, weights=w, minlength=len(classes)).astype(float)
    mean = np.bincount(at, weights=w * x, minlength=len(classes)) / weight
    return mean, weight


def concentration_index(values: ArrayLike, people: ArrayLike, ranking: ArrayLike) -> float:
    """Tell whether the better-off have more: above 0 if people high in the ranking have more, below 0 if those low in it have.

    C = 2 cov(x, r) / μ with r the fractional rank by `ranking` (middle of each class, ties sharing theirs), between −1 and 1.
    For minutes of travel "more" is worse: C < 0 says that those low in the ranking walk longer. Cells without a rank are left
    out.

    References
    ----------
    Kakwani, Wagstaff and van Doorslaer (1997); ``concentration_index(type = "standard")`` of R's accessibility package.

    Examples
    --------
    >>> concentration_index([0, 1], [1, 1], ranking=[10, 20])
    0.5
    """
    x, weight = _ranked(values, people, ranking)
    share = weight / weight.sum()
    mean = float(x @ share)
    if not mean > 0:
        return float("nan")
    middle = np.cumsum(share) - share / 2
    return float(2 * ((x - mean) * (middle - 0.5)) @ share / mean)


def corrected_concentration(
    values: ArrayLike, people: ArrayLike, ranking: ArrayLike, *, low: float | None = None, high: float | None = None
) -> float:
    """Give the concentration index of Erreygers, fit for values with bounds, such as shares between 0 and 1.

    E = 4 μ C / (high − low). The bounds are those of the measure; where they are not given, those observed among the people
    judged. NaN where the two are equal.

    References
    ----------
    Erreygers (2009); ``concentration_index(type = "corrected")`` of R's accessibility package.
    """
    kept = judged(values, people) & np.isfinite(np.asarray(ranking, dtype=float))
    x = np.asarray(values, dtype=float)[kept]
    if not len(x):
        return float("nan")
    span = (float(x.max()) if high is None else high) - (float(x.min()) if low is None else low)
    mean = float(np.average(x, weights=np.asarray(people, dtype=float)[kept]))
    return 4 * mean * concentration_index(values, people, ranking) / span if span > 0 else float("nan")


@dataclass(frozen=True)
class Theil:
    """Theil's T and where it comes from."""

    total: float
    """Computed over all people at once; 0 where all are equal, at most the logarithm of their number."""
    within: float
    """What is left if every unit had the same mean."""
    between: float
    """What is left if all people of a unit had its mean; `within` and `between` add up to `total`."""
    parts: pd.DataFrame
    """Index the unit; ``people`` (judged), ``mean``, ``theil`` (inside the unit), ``within`` and ``between`` (what it adds)."""


def theil(values: ArrayLike, people: ArrayLike, units: ArrayLike | None = None) -> Theil:
    """Split inequality into what lies between units and what lies within them.

    T = Σ (wᵢ/W) (xᵢ/μ) ln(xᵢ/μ), where 0 · ln 0 is 0. Within: Σ over units of their share of the total times their own T.
    Between: T of the units' means. NaN where nobody is judged or all values are 0.

    Parameters
    ----------
    units
        Unit of every entry; one unit if None.

    References
    ----------
    Theil (1967); ``theil_t`` of R's accessibility package.

    Examples
    --------
    Two units, equal inside, one with three times the minutes of the other: all of it lies between them.

    >>> parts = theil([10, 10, 30, 30], [1, 1, 1, 1], ["a", "a", "b", "b"])
    >>> round(parts.total, 4), round(parts.within, 4), round(parts.between, 4)
    (0.1308, 0.0, 0.1308)
    """
    import pandas as pd

    kept = judged(values, people)
    names = np.zeros(len(kept)) if units is None else np.asarray(units)
    if names.shape != kept.shape:
        raise ValueError(f"{names.size} units for {kept.size} values; give one each")
    x, w = np.asarray(values, dtype=float)[kept], np.asarray(people, dtype=float)[kept]
    labels, at = np.unique(names[kept].astype(str) if units is not None else names[kept], return_inverse=True)
    weight = np.bincount(at, weights=w, minlength=len(labels))
    mean = np.bincount(at, weights=w * x, minlength=len(labels)) / weight
    overall = float(w @ x / w.sum()) if len(x) else 0.0
    inside = np.bincount(at, weights=w * _entropy(x, mean[at]), minlength=len(labels)) / weight
    known = overall > 0
    held = weight * mean / (overall * w.sum()) if known else np.full(len(labels), np.nan)
    between = weight / w.sum() * _entropy(mean, np.full(len(mean), overall)) if known else np.full(len(labels), np.nan)
    parts = pd.DataFrame({"people": weight, "mean": mean, "theil": inside, "within": held * inside, "between": between}, labels)
    total = float(w @ _entropy(x, np.full(len(x), overall)) / w.sum()) if known else float("nan")
    sums = (float(parts["within"].sum()), float(between.sum())) if known else (float("nan"), float("nan"))
    return Theil(total, *sums, parts)


def _entropy(x: Floats, mean: Floats) -> Floats:
    """(x/μ) ln(x/μ), 0 where x is 0."""
    ratio = np.divide(x, mean, out=np.zeros_like(x), where=mean > 0)
    return ratio * np.log(np.where(ratio > 0, ratio, 1.0))


def atkinson(values: ArrayLike, people: ArrayLike, *, aversion: float = 0.5) -> float:
    """Tell what share of the total could be given up if the rest were shared equally: Atkinson's index, for goods, not burdens.

    A = 1 − (Σ (wᵢ/W) (xᵢ/μ)^(1−ε))^(1/(1−ε)); for ε = 1 one minus the geometric over the arithmetic mean. With ε ≥ 1 anyone who
    has 0 makes it 1.

    Parameters
    ----------
    aversion
        ε > 0: how much more those with little count.

    References
    ----------
    Atkinson (1970).
    """
    if not aversion > 0:
        raise ValueError(f"aversion must be above 0, not {aversion:g}")
    x, share = _sorted(values, people)
    mean = float(x @ share)
    if not mean > 0:
        return float("nan")
    if aversion >= 1 and x[0] == 0:
        return 1.0
    if aversion == 1:
        return max(0.0, 1 - float(np.exp(np.log(x / mean) @ share)))
    return max(0.0, 1 - float(((x / mean) ** (1 - aversion) @ share) ** (1 / (1 - aversion))))


def shortfall(values: ArrayLike, people: ArrayLike, *, line: float, depth: float = 0.0, worse: Worse = "high") -> float:
    """Measure who falls on the wrong side of a line, and by how much: the family of Foster, Greer and Thorbecke.

    Mean over all people judged of the distance beyond the line, as a share of the line, to the power `depth`, where those on the
    line or on its right side count 0. ``depth=0``: share of people beyond the line; 1: mean distance beyond it; 2: the same, the
    farthest counting most. With ``worse="low"`` it is ``fgt_poverty`` of R's accessibility package; with ``worse="high"``
    (minutes) it may exceed 1.

    References
    ----------
    Foster, Greer and Thorbecke (1984).

    Examples
    --------
    One person in four walks 20 minutes where 15 are allowed.

    >>> shortfall([5, 10, 15, 20], [1, 1, 1, 1], line=15)
    0.25
    """
    if not line > 0:
        raise ValueError(f"the line must be above 0, not {line:g}")
    x, share = _sorted(values, people)
    if not len(x):
        return float("nan")
    beyond = (x - line if worse == "high" else line - x) / line
    bad = beyond > 0
    return float(np.where(bad, beyond, 1.0) ** depth * bad @ share)


def middle(values: ArrayLike, people: ArrayLike) -> float:
    """Give the value that half of the people do not exceed (the weighted median, the smallest such value)."""
    x, share = _sorted(values, people)
    if not len(x):
        return float("nan")
    # A hair of slack, so that exactly half is half whatever the rounding of the shares.
    return float(x[int(np.searchsorted(np.cumsum(share), 0.5 - 1e-12))])
