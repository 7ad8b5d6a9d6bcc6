"""Find where a curve of people against effort bends, and whether the bounds leave any doubt of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Method = Literal["chord", "half"]


@dataclass(frozen=True)
class Curve:
    """Points in order of effort, each with the least and the most that its best value can be, in whole numbers."""

    x: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]


@dataclass(frozen=True)
class Bend:
    """Where more effort stops paying, by one method."""

    method: Method
    """``"chord"``: the point farthest above the straight line from the first point to the last, both axes scaled to 1 (Kneedle;
    Satopää and others, 2011). ``"half"``: the last point before what one more site (or 10,000 yuan) adds falls under half of
    what the first does."""
    at: int | None
    """Sites, or yuan; None where the curve does not bend."""
    possible: tuple[int, ...]
    """Where it could lie, given the bounds; the values found are one case of many as long as they are not proven."""
    certain: bool
    """Whether the bounds leave no other answer."""


def chord_bend(curve: Curve) -> Bend:
    """Find the point farthest above the chord; of equals the first.

    Examples
    --------
    60 people, then 20, then 10 and 10: 60 − 25, 80 − 50, 90 − 75 of 100 lie above the chord, most of all the first.

    >>> chord_bend(Curve((0, 1, 2, 3, 4), (0, 60, 80, 90, 100), (0, 60, 80, 90, 100)))
    Bend(method='chord', at=1, possible=(1,), certain=True)
    """
    inner = range(1, len(curve.x) - 1)
    rise = curve.low[-1] - curve.low[0] if curve.x else 0
    if rise <= 0 or not inner:
        flat = not curve.x or curve.high[-1] <= curve.low[0] or not inner
        return Bend("chord", None, () if flat else tuple(curve.x[i] for i in inner), flat)
    width = curve.x[-1] - curve.x[0]
    above = [Fraction(curve.low[i] - curve.low[0], rise) - Fraction(curve.x[i] - curve.x[0], width) for i in inner]
    best = max(above)
    at = inner[above.index(best)] if best > 0 else None
    possible = tuple(i for i in inner if _may_rise(curve, i) and not any(_surely_above(curve, j, i) for j in inner if j != i))
    sure = not possible if at is None else possible == (at,) and _lift(curve, at, 0) > 0
    return Bend("chord", None if at is None else curve.x[at], tuple(curve.x[i] for i in possible), sure)


def _may_rise(curve: Curve, i: int) -> bool:
    """Whether a point may lie above the chord at all."""
    least = curve.low[-1] - curve.high[0]
    most = Fraction(curve.high[i] - curve.low[0], least) if least > 0 else None
    return most is None or most > Fraction(curve.x[i] - curve.x[0], curve.x[-1] - curve.x[0])


def _lift(curve: Curve, j: int, k: int) -> Fraction:
    """Least by which point j can lie farther above the chord than point k, whatever the values within their bounds."""
    rise = curve.low[j] - curve.high[k]
    tall, short = curve.high[-1] - curve.low[0], curve.low[-1] - curve.high[0]
    slope = Fraction(curve.x[j] - curve.x[k], curve.x[-1] - curve.x[0])
    if rise >= 0:
        return Fraction(rise, tall) - slope
    return Fraction(rise, short) - slope if short > 0 else Fraction(-(1 << 62))


def _surely_above(curve: Curve, j: int, k: int) -> bool:
    lift = _lift(curve, j, k)
    return lift > 0 or (lift == 0 and j < k)


def half_bend(curve: Curve) -> Bend:
    """Find the last point before a step adds, per unit of effort, less than half of what the first that adds anything does.

    Examples
    --------
    >>> half_bend(Curve((0, 1, 2, 3), (0, 60, 95, 115), (0, 60, 95, 115)))
    Bend(method='half', at=2, possible=(2,), certain=True)
    """
    steps = range(1, len(curve.x))
    first = next((i for i in steps if curve.low[i] > curve.low[i - 1]), len(curve.x))
    gain = _found(curve, first) if first in steps else Fraction(0)
    at = next((i - 1 for i in range(first + 1, len(curve.x)) if 2 * _found(curve, i) < gain), None)
    # The first step that adds anything may be an earlier one, as far as the bounds know.
    falls = [_falls(curve, i) for i in steps if i <= first and curve.high[i] > curve.low[i - 1]]
    possible = sorted({i for found, _ in falls for i in found})
    certain = all(sure if at is not None else not found for found, sure in falls) and possible in ([], [at])
    return Bend("half", None if at is None else curve.x[at], tuple(curve.x[i] for i in possible), certain)


def _falls(curve: Curve, first: int) -> tuple[list[int], bool]:
    """Points after which a step may be the first to fall under half of a given one, and whether some step surely does."""
    least, most = _rate(curve, first)
    possible: list[int] = []
    for i in range(first + 1, len(curve.x)):
        low, high = _rate(curve, i)
        if 2 * low < most:
            possible.append(i - 1)
        if 2 * high < least:
            return possible, True
    return possible, False


def _found(curve: Curve, i: int) -> Fraction:
    return Fraction(curve.low[i] - curve.low[i - 1], curve.x[i] - curve.x[i - 1])


def _rate(curve: Curve, i: int) -> tuple[Fraction, Fraction]:
    """Least and most that the step to a point can add per unit of effort."""
    effort = curve.x[i] - curve.x[i - 1]
    least = max(curve.low[i] - curve.high[i - 1], 0)
    return Fraction(least, effort), Fraction(max(curve.high[i] - curve.low[i - 1], 0), effort)
