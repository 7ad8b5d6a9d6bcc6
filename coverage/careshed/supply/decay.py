"""Say how much a place counts the farther it is: weights by travel cost, defined at cost 0 and at the limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.uint32]
Weights = NDArray[np.float64]

LEAST_WEIGHT: Final = 1e-100
"""A weight below this counts as 0, so that a share of a share never divides by what is lost to rounding."""


class Decay(Protocol):
    """A weight for every cost within the limit; beyond the limit a pair does not count at all."""

    def weights(self, cost: Costs, *, per: float, limit: int) -> Weights:
        """Weigh integer costs ≤ `limit`; `per` costs make one minute or metre, the unit of the decay's own figures."""


@dataclass(frozen=True)
class Flat:
    """Everything within the limit counts alike: weight 1 from cost 0 to the limit (≤)."""

    def weights(self, cost: Costs, *, per: float, limit: int) -> Weights:  # noqa: ARG002
        """Weigh every pair 1."""
        return np.ones(len(cost))


@dataclass(frozen=True)
class Step:
    """Bands of minutes or metres, each with its weight (Luo and Qi, 2009): 10, 20 and 30 minutes count 1, 0.68 and 0.22.

    A cost at a bound belongs to the nearer band (≤), cost 0 to the first; beyond the last bound the weight is 0. Bounds
    are compared as whole milliseconds or millimetres.

    >>> cost = np.array([0, 600_000, 600_001, 1_800_001], dtype=np.uint32)
    >>> Step((10, 20, 30), (1, 0.68, 0.22)).weights(cost, per=60_000.0, limit=3_600_000).tolist()
    [1.0, 1.0, 0.68, 0.0]
    """

    bounds: tuple[float, ...]
    """Upper bounds of the bands, minutes or metres, ascending."""
    values: tuple[float, ...]
    """Weight of each band, ≥ 0."""

    def __post_init__(self) -> None:
        """Refuse bands that do not ascend or have no weight of their own."""
        ascending = all(near < far for near, far in zip(self.bounds, self.bounds[1:], strict=False))
        if not self.bounds or len(self.bounds) != len(self.values) or not ascending or self.bounds[0] <= 0:
            raise ValueError(f"bands need ascending bounds above 0 and one weight each, not {self.bounds} and {self.values}")
        if not all(0 <= value < np.inf for value in self.values):
            raise ValueError(f"weights of bands must be 0 or more, not {self.values}")

    def weights(self, cost: Costs, *, per: float, limit: int) -> Weights:  # noqa: ARG002
        """Weigh each pair by its band."""
        bounds = [round(bound * per) for bound in self.bounds]
        band = np.zeros(len(cost), dtype=np.intp)
        for bound in bounds:
            band += cost > bound
        return np.array([*self.values, 0.0])[band]


@dataclass(frozen=True)
class Gaussian:
    """A bell curve, exp(−t² / 2σ²): 1 at cost 0, 0.61 at σ, cut off beyond the limit."""

    sigma: float
    """Width σ, minutes or metres."""

    def __post_init__(self) -> None:
        """Refuse a width that is not above 0."""
        _above_zero("sigma", self.sigma)

    def weights(self, cost: Costs, *, per: float, limit: int) -> Weights:  # noqa: ARG002
        """Weigh each pair by the curve."""
        return _seen(np.exp(-0.5 * np.square(cost / (per * self.sigma))))


@dataclass(frozen=True)
class GaussianToZero:
    """A bell curve that reaches 0 at the limit, (exp(−½(t/t₀)²) − exp(−½)) / (1 − exp(−½)) (Dai, 2010, Health & Place 16).

    1 at cost 0, 0 at the limit t₀: who lives exactly at the limit is in the catchment with weight 0.
    """

    def weights(self, cost: Costs, *, per: float, limit: int) -> Weights:  # noqa: ARG002
        """Weigh each pair by the curve."""
        edge = np.exp(-0.5)
        return _seen((np.exp(-0.5 * np.square(cost / limit)) - edge) / (1.0 - edge))


@dataclass(frozen=True)
class Exponential:
    """Counts less by the same share every minute, exp(−t/s): 1 at cost 0, 0.37 at the scale s, cut off beyond the limit."""

    scale: float
    """Minutes or metres over which the weight falls to 1/e."""

    def __post_init__(self) -> None:
        """Refuse a scale that is not above 0."""
        _above_zero("scale", self.scale)

    def weights(self, cost: Costs, *, per: float, limit: int) -> Weights:  # noqa: ARG002
        """Weigh each pair by the curve."""
        return _seen(np.exp(-(cost / (per * self.scale))))


@dataclass(frozen=True)
class Power:
    """A power of the cost, (t / least)^−exponent: 1 up to the least cost, cut off beyond the limit.

    A bare power has no value at cost 0, so everything nearer than `least` counts as if it were there.
    """

    exponent: float
    """How fast the weight falls; 2 is the square of the distance."""
    least: float = 1.0
    """Minutes or metres up to which the weight is 1."""

    def __post_init__(self) -> None:
        """Refuse figures that are not above 0."""
        _above_zero("exponent", self.exponent)
        _above_zero("least", self.least)

    def weights(self, cost: Costs, *, per: float, limit: int) -> Weights:  # noqa: ARG002
        """Weigh each pair by the power."""
        return _seen(np.power(np.maximum(cost / (per * self.least), 1.0), -self.exponent))


@dataclass(frozen=True)
class Linear:
    """Falls in a straight line, 1 − t/t₀: 1 at cost 0, 0 at the limit t₀."""

    def weights(self, cost: Costs, *, per: float, limit: int) -> Weights:  # noqa: ARG002
        """Weigh each pair by the line."""
        return _seen(1.0 - cost / limit)


@dataclass(frozen=True)
class KernelDensity:
    """The kernel of Epanechnikov, 1 − (t/t₀)² (Guagliardo, 2004, Int. J. Health Geographics 3:3): 1 at cost 0, 0 at the limit.

    The usual factor ¾ is left out: it cancels in every catchment method.
    """

    def weights(self, cost: Costs, *, per: float, limit: int) -> Weights:  # noqa: ARG002
        """Weigh each pair by the kernel."""
        return _seen(1.0 - np.square(cost / limit))


def _seen(weights: Weights) -> Weights:
    weights[weights < LEAST_WEIGHT] = 0.0
    return weights


def _above_zero(name: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise ValueError(f"{name} must be above 0, not {value}")
