"""Say what may be built in each year, and what a person reached in that year is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Literal

from careshed.words import Lang, pick

Unused = Literal["carried_over", "lapses"]
"""What becomes of money and numbers that a phase leaves over: the next phases have them, or nobody."""

THOUSANDTHS = 1000
"""Weights are read to a thousandth, so that values are whole numbers."""


@dataclass(frozen=True)
class Phase:
    """What may, and what must, be built in one phase, which ends with its year."""

    year: int
    """Year in which what the phase builds opens; from then on it counts."""
    name: str = ""
    sites: int | None = None
    """Most new sites of this phase; None: as many as the other means allow."""
    yuan: float | None = None
    """Money of this phase, net of subsidies; None: no limit of its own."""
    at_least_sites: int = 0
    """New sites that the phase must bring; where means are carried over, sites built ahead of time count."""
    weight: float | None = None
    """Worth of a person who is reached from this phase on until the next, years; None: the years until the next phase."""
    at_least_places: float = 0.0
    """Places that the phase's new sites must bring; where means are carried over, those built ahead of time count."""

    def label(self, lang: Lang = "zh") -> str:
        """Name the phase for the reader.

        >>> Phase(2026).label("zh"), Phase(2027, "二期").label("en")
        ('2026 年', '2027 (二期)')
        """
        named = pick(lang, f"（{self.name}）", f" ({self.name})") if self.name else ""
        return pick(lang, f"{self.year} 年", str(self.year)) + named


def weights_of(phases: Sequence[Phase], horizon: int | None = None) -> tuple[float, ...]:
    """Weigh each phase by its own weight, or by the years that it lasts.

    A phase lasts until the next one begins to count; the last one until the end of the `horizon` year, or one year without it.

    >>> weights_of([Phase(2026), Phase(2027), Phase(2030)])
    (1.0, 3.0, 1.0)
    >>> weights_of([Phase(2026), Phase(2027, weight=2.5), Phase(2030)], horizon=2035)
    (1.0, 2.5, 6.0)
    """
    ends = [*(phase.year for phase in phases[1:]), (phases[-1].year if horizon is None else horizon) + 1]
    return tuple(
        float(end - phase.year) if phase.weight is None else float(phase.weight) for phase, end in zip(phases, ends, strict=True)
    )


def whole_weights(weights: Sequence[float]) -> tuple[tuple[int, ...], int]:
    """Read weights as whole numbers over one denominator.

    >>> whole_weights([1.0, 2.5, 0.25])
    ((4, 10, 1), 4)
    """
    exact = [Fraction(round(weight * THOUSANDTHS), THOUSANDTHS) for weight in weights]
    per = lcm(*(one.denominator for one in exact))
    return tuple(int(one * per) for one in exact), per
