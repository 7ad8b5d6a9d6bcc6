"""Say what became of every rule between two scorecards: state, value, target, units, and what the cards alone can tell of why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from careshed.policy.changes.facilities import KINDS, FacilityChange
from careshed.policy.judging.card import Both, RuleResult, State, UnitValue
from careshed.policy.model import Rule

Move = Literal["better", "worse", "same", "only_before", "only_after", "judged", "unjudged"]

MOVES: Final[dict[Move, tuple[str, str]]] = {
    "better": ("好转", "better"),
    "worse": ("变差", "worse"),
    "judged": ("首次可判断", "can now be judged"),
    "unjudged": ("不再可判断", "can no longer be judged"),
    "only_after": ("新增指标", "new rule"),
    "only_before": ("已删除指标", "rule dropped"),
    "same": ("不变", "unchanged"),
}
"""What became of a rule -> (Chinese, English), in the order in which they are told."""

_SLACK: Final = 1e-9
_UPPER: Final = ("<=", "<")
_PER: Final[dict[str, float]] = {
    "units_percent": 100.0,
    "people_percent": 100.0,
    "places_percent": 100.0,
    "nursing_percent": 100.0,
    "facilities_percent": 100.0,
    "compounds_percent": 100.0,
    "near_percent": 100.0,
    "places_per_1000": 1000.0,
    "floor_m2_per_100_households": 100.0,
    "land_m2_per_person": 1.0,
}
"""Measure -> what counted over denominator is multiplied by."""


@dataclass(frozen=True)
class Reason:
    """One cause of a change, and how much of it is due to it."""

    words: Both
    amount: float | None
    """Part of the change in the rule's value, in its unit; None where it moves the target or the verdict and not the value."""


@dataclass(frozen=True)
class UnitChange:
    """A unit, compound or facility whose value or verdict by a rule is not what it was."""

    rule: str
    unit: str
    name: str
    level: str
    before: UnitValue | None
    after: UnitValue | None

    @property
    def turned(self) -> int:
        """1 where the unit now meets the target and did not, −1 where it no longer does, 0 otherwise."""
        was, now = (one.met if one is not None else None for one in (self.before, self.after))
        return 1 if now is True and was is False else -1 if now is False and was is True else 0


@dataclass(frozen=True)
class RuleChange:
    """One rule in two scorecards."""

    id: str
    before: RuleResult | None
    after: RuleResult | None
    move: Move
    units: tuple[UnitChange, ...]
    """Units whose value or verdict changed, and those that only one card has."""
    reasons: tuple[Reason, ...]
    """Exact parts of the change that the two cards alone can tell; `explain_changes` tells more."""

    @property
    def rule(self) -> Rule:
        """The rule as the later card has it, else the earlier."""
        held = self.after or self.before
        if held is None:
            raise ValueError(f"{self.id} is in neither card")
        return held.rule

    @property
    def states(self) -> tuple[State | None, State | None]:
        """State before and after; None where a card does not have the rule."""
        return (self.before.state if self.before else None), (self.after.state if self.after else None)

    @property
    def turned(self) -> bool:
        """Whether the rule is in both cards and its state changed, or a target of several is now met or no longer met."""
        if self.before is None or self.after is None:
            return False
        met = [tuple(target.met for target in one.targets) for one in (self.before, self.after)]
        return self.before.state != self.after.state or (self.before.state == "contradicted" and met[0] != met[1])

    @property
    def value(self) -> tuple[float | None, float | None]:
        """Value before and after, in the rule's unit."""
        return (self.before.value if self.before else None), (self.after.value if self.after else None)

    @property
    def change(self) -> float | None:
        """By how much the value rose (above 0) or fell; None where one of them is not known."""
        was, now = self.value
        return None if was is None or now is None else now - was

    @property
    def retargeted(self) -> bool:
        """Whether both cards have the rule with another target in force."""
        return self.before is not None and self.after is not None and self.before.target != self.after.target

    @property
    def altered(self) -> bool:
        """Whether anything about the rule changed that is worth a line."""
        return self.move != "same" or self.turned or self.retargeted or bool(self.units)


def compare_rules(
    before: Sequence[RuleResult], after: Sequence[RuleResult], facilities: Sequence[FacilityChange]
) -> tuple[RuleChange, ...]:
    """Set the results of two cards side by side, rule by rule, those of the later card first."""
    first, second = {one.id: one for one in before}, {one.id: one for one in after}
    found = []
    for code in [*second, *(code for code in first if code not in second)]:
        old, new = first.get(code), second.get(code)
        found.append(RuleChange(code, old, new, _move(old, new), _units(old, new), _reasons(old, new, facilities)))
    return tuple(found)


def _move(old: RuleResult | None, new: RuleResult | None) -> Move:
    if old is None or new is None:
        return "only_after" if old is None else "only_before"
    if old.value is None or new.value is None:
        return "same" if old.value is new.value else "judged" if old.value is None else "unjudged"
    if not _moved(old.value, new.value):
        return _move_of_units(old, new)
    change = new.value - old.value
    return "better" if (change > 0) != (new.rule.op in _UPPER) else "worse"


def _move_of_units(old: RuleResult, new: RuleResult) -> Move:
    """Tell whether more or fewer units meet the target, where the value is that of the worst unit and stays."""
    if old.counted is None or new.counted is None or not old.of or not new.of:
        return "same"
    was, now = old.counted / old.of, new.counted / new.of
    return "same" if not _moved(was, now) else "better" if now > was else "worse"


def _units(old: RuleResult | None, new: RuleResult | None) -> tuple[UnitChange, ...]:
    if old is None or new is None:
        return ()
    was, now = {one.unit: one for one in old.units}, {one.unit: one for one in new.units}
    found = []
    for code in dict.fromkeys([*was, *now]):
        first, second = was.get(code), now.get(code)
        held = second or first
        if held is not None and (first is None or second is None or first.met != second.met or _moved(first.value, second.value)):
            found.append(UnitChange(new.id, code, held.name, held.level, first, second))
    return tuple(found)


def _moved(was: float | None, now: float | None) -> bool:
    if was is None or now is None:
        return was is not now
    return abs(now - was) > _SLACK * max(1.0, abs(was))


def _reasons(old: RuleResult | None, new: RuleResult | None, facilities: Sequence[FacilityChange]) -> tuple[Reason, ...]:
    """Tell the causes that the cards themselves prove: figures entered, targets, numerator against denominator, facilities."""
    if old is None or new is None:
        return ()
    found = []
    if old.entered != new.entered and new.entered is not None:
        value, source, date = new.entered
        words = (f"新填报 {value:g}（{source}，{date}）", f"figure entered: {value:g} ({source}, {date})")
        used = new.value is not None and new.value == value
        was = old.value if old.value is not None else None
        found.append(Reason(words, value - was if used and was is not None else None))
    if old.target != new.target:
        told = [f"{one:g}" if one is not None else "—" for one in (old.target, new.target)]
        found.append(Reason((f"目标由 {told[0]} 改为 {told[1]}", f"target changed from {told[0]} to {told[1]}"), None))
    if old.rule != new.rule and old.rule.model_copy(update={"value": new.rule.value}) != new.rule:
        found.append(Reason(("规划中该指标的定义已修改", "the plan's wording of this rule changed"), None))
    return (*found, *_split(old, new, facilities))


def _split(old: RuleResult, new: RuleResult, facilities: Sequence[FacilityChange]) -> list[Reason]:
    """Split the change of a ratio exactly between numerator and denominator, and a count of places among facilities."""
    if not _moved(old.value, new.value) or None in (old.value, new.value, old.counted, new.counted):
        return []
    if old.of is None or new.of is None:
        return _by_facility(old, new, 1.0, facilities)
    k = _PER.get(new.rule.measure)
    if k is None or not all(_is_ratio(one, k) for one in (old, new)):
        return []
    was, now = old.counted or 0.0, new.counted or 0.0
    inverse = (1 / old.of + 1 / new.of) / 2
    below = k * (was + now) / 2 * (1 / new.of - 1 / old.of)
    words = (
        f"分母（{new.of_what[0]}）{old.of:,.0f} → {new.of:,.0f}",
        f"denominator ({new.of_what[1]}) {old.of:,.0f} → {new.of:,.0f}",
    )
    parts = _by_facility(old, new, k * inverse, facilities)
    return [*parts, *([Reason(words, below)] if _moved(old.of, new.of) else [])]


def _is_ratio(result: RuleResult, k: float) -> bool:
    """Whether the value is `k` times counted over denominator, and not the worst of several units."""
    if not result.of or result.counted is None or result.value is None:
        return False
    return not _moved(result.value, k * result.counted / result.of)


def _by_facility(old: RuleResult, new: RuleResult, per: float, facilities: Sequence[FacilityChange]) -> list[Reason]:
    """Attribute a changed count to the facilities that changed it, where the cards tell which of them the rule counts."""
    change = (new.counted or 0.0) - (old.counted or 0.0)
    if not change:
        return []
    rule = new.rule
    whole = (f"计数 {old.counted:,.0f} → {new.counted:,.0f}", f"counted {old.counted:,.0f} → {new.counted:,.0f}")
    if rule.functions or rule.classes or rule.setting != "all" or rule.measure not in ("places", "places_per_1000", "facilities"):
        return [Reason(whole, per * change)]
    parts = [(one, _amount(one, rule)) for one in facilities]
    parts = [(one, amount) for one, amount in parts if amount]
    if abs(sum(amount for _, amount in parts) - change) > 1e-6:
        return [Reason(whole, per * change)]
    return [Reason(_facility_words(one), per * amount) for one, amount in parts]


def _amount(change: FacilityChange, rule: Rule) -> float:
    """Count what one facility adds to a rule's numerator; it counts while it is of the rule's types."""
    was, now = (place if place is not None and place.type in rule.types else None for place in (change.before, change.after))
    counted = FacilityChange(change.kind, change.id, was, now, ())
    return float(counted.facilities) if rule.measure == "facilities" else counted.places


def _facility_words(change: FacilityChange) -> Both:
    zh, en = KINDS[change.kind]
    return f"{zh}：{change.now.name}", f"{en}: {change.now.name}"
