"""Hold a value with what it was counted from, and say how much is missing to a target."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from careshed.policy.judging.card import Both, UnitValue
from careshed.policy.model import Operator

NONE: Final[Both] = ("", "")

_SLACK: Final = 1e-9
"""Share of a target by which a value may miss it and still meet it: sums of floats, not planners, miss by so little."""


class Unjudgeable(Exception):
    """A rule that the data cannot judge, and why, in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.why: Both = (zh, en)


@dataclass(frozen=True)
class Part:
    """What is there, and what one unit of the target asks for: places, and thousands of people."""

    have: float
    per_target: float


@dataclass(frozen=True)
class Measured:
    """A value and its parts, before any target is held against it."""

    value: float
    counted: float | None
    of: float | None
    of_what: Both
    parts: tuple[Part, ...]
    missing_of: Both
    units: tuple[UnitValue, ...] = ()
    unit_target: float | None = None
    """What each unit is held against; None for the rule's target."""
    each: bool = False
    """Whether every unit must meet the target by itself, `value` being the worst of them."""
    whole: bool = False
    """Whether what is missing comes in whole pieces."""
    people_short: float | None = None
    """People that the rule leaves out, where units do not tell it."""
    notes: tuple[Both, ...] = ()


def meets(op: Operator, value: float, target: float) -> bool:
    """Tell whether a value meets a target; "=" in a plan means that much at least.

    >>> meets(">=", 4.5, 4.5), meets("<=", 2, 1.5), meets("=", 120, 100), meets(">", 50, 50)
    (True, False, True, False)
    """
    slack = _SLACK * max(1.0, abs(target))
    if op in (">=", "="):
        return value >= target - slack
    if op == ">":
        return value > target + slack
    return value <= target + slack if op == "<=" else value < target - slack


def gap(op: Operator, value: float, target: float) -> float:
    """Say how much a value misses a target by, 0 where it meets it.

    >>> gap(">=", 3.5, 4.5), gap("<=", 2.0, 1.5), gap(">=", 5, 4.5)
    (1.0, 0.5, 0.0)
    """
    return 0.0 if meets(op, value, target) else abs(target - value)


def missing(found: Measured, op: Operator, target: float) -> float:
    """Count what must be added (or, of an upper limit, taken away) until every part meets the target.

    >>> parts = (Part(2.0, 1.0), Part(0.0, 1.0))
    >>> missing(Measured(0.0, 1, 2, NONE, parts, NONE, each=True), ">=", 1.0)
    1.0
    """
    sign = -1.0 if op in ("<=", "<") else 1.0
    wanted = [part.per_target * target for part in found.parts]
    short = [sign * (want - part.have) for want, part in zip(wanted, found.parts, strict=True)]
    short = [one if one > _SLACK * max(1.0, want) else 0.0 for one, want in zip(short, wanted, strict=True)]
    total = float(sum(math.ceil(one - _SLACK) for one in short)) if found.whole else sum(short)
    return 1.0 if total == 0 and op in (">", "<") and not meets(op, found.value, target) else total
