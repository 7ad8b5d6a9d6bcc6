"""Find out why values changed between two runs: judge the plan again with one thing changed at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING, Final, Literal

from careshed.policy.changes.mixing import FACTORS, Factor, pair_of
from careshed.policy.changes.subset import judge_some
from careshed.policy.judging import judge_plan, study_profile
from careshed.policy.judging.card import Scorecard, State
from careshed.policy.model import Profile
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.study import Study

Method = Literal["shapley", "sequential"]

MOST: Final = 4
"""Factors up to which every combination is judged (16 times); with more, one order is followed."""


_NOISE: Final = 1e-6
"""Part of the largest effect below which another is the rounding of floats and not told."""


@dataclass(frozen=True)
class Explanation:
    """Why one rule's value or state changed."""

    rule: str
    states: tuple[State, State]
    value: tuple[float | None, float | None]
    parts: tuple[tuple[Factor, float], ...]
    """Factor -> its part of the change; the parts add up to the change. Empty where a value along the way is not known."""
    turned_by: tuple[Factor, ...]
    """Factors each of which alone would have brought the verdict there; empty where none alone does, or it did not change."""
    method: Method
    order: tuple[Factor, ...]
    """Everything that differs between the runs, in the order in which it was changed."""

    def told(self, lang: Lang = "zh") -> str:
        """Say in one line what the change came from.

        >>> Explanation("r", ("short", "met"), (1.0, 3.0), (("opened", 2.5), ("population", -0.5)), ("opened",), "shapley",
        ...     ("opened", "population")).told("en")
        'facilities that opened +2.5, new population -0.5; the verdict turned by facilities that opened'
        """
        least = _NOISE * max((abs(amount) for _, amount in self.parts), default=0.0)
        parts = [f"{pick(lang, *FACTORS[factor])} {amount:+.4g}" for factor, amount in self.parts if abs(amount) > least]
        said = [pick(lang, "，", ", ").join(parts)] if parts else []
        if self.states[0] != self.states[1]:
            said.append(self._turned(lang))
        return pick(lang, "；", "; ").join(said)

    def _turned(self, lang: Lang) -> str:
        if not self.turned_by:
            return pick(lang, "判定变化由多项因素共同造成", "the verdict turned by several of these together")
        alone = pick(lang, "、", " or ").join(pick(lang, *FACTORS[factor]) for factor in self.turned_by)
        return pick(lang, f"判定变化单由“{alone}”即可造成", f"the verdict turned by {alone}")


@dataclass(frozen=True)
class Explained:
    """Why the rules changed between two runs."""

    before: Scorecard
    after: Scorecard
    rules: Mapping[str, Explanation]
    """Rules whose value or state changed and that both plans have."""
    order: tuple[Factor, ...]
    method: Method

    def told(self, lang: Lang = "zh") -> str:
        """Say how the causes were found."""
        if not self.order:
            return pick(lang, "两次运行的数据与规划完全相同", "data and plan of both runs are the same")
        names = pick(lang, "、", ", ").join(pick(lang, *FACTORS[factor]) for factor in self.order)
        if self.method == "shapley":
            return pick(
                lang,
                f"逐项替换后重新评分，取各种先后次序的平均（Shapley 值，各部分之和等于总变化）；变化因素：{names}",
                f"judged again with each thing changed, averaged over all orders (Shapley values; parts add up): {names}",
            )
        return pick(
            lang,
            f"按以下次序逐项替换后重新评分（次序不同，各部分会不同，总和不变）：{names}",
            f"judged again changing one thing after the other, in this order (another order splits differently): {names}",
        )


def explain_changes(
    before: Study,
    after: Study,
    profile: Profile | None = None,
    *,
    profile_after: Profile | None = None,
    rules: Collection[str] | None = None,
    method: Method | None = None,
    cards: tuple[Scorecard, Scorecard] | None = None,
) -> Explained:
    """Find out why a plan's values changed between two runs, by judging it with one thing changed at a time.

    What differs between the studies is found out first: facilities that opened, closed or were edited, population, streets,
    units, compounds, settings, figures entered, the plan, the year. With up to `MOST` of these every combination is judged and
    each factor gets its Shapley value (Shapley 1953): its effect averaged over all orders. With more, they are changed one after
    the other in the order of `FACTORS`, and the result says so.

    Parameters
    ----------
    before, after
        The study as it was and as it is, opened from their own folders.
    profile, profile_after
        The plan; left out, the ones that the studies name.
    rules
        Ids of the rules to explain; left out, all that changed.
    method
        ``shapley`` or ``sequential``, where the choice is not to follow from the number of factors.
    cards
        Scorecards of both studies, where they have been judged already.

    Raises
    ------
    careshed.schema.InputError
        As `judge_plan`, and if the studies use different CRSs.
    """
    plan = profile if profile is not None else study_profile(before)
    later = profile_after or profile or study_profile(after)
    pair = pair_of(before, after, plan, later)
    first, last = cards if cards is not None else (judge_plan(before, plan), judge_plan(after, later))
    changed = [code for code in _changed(first, last) if rules is None or code in rules]
    factors = pair.differing()
    chosen: Method = method or ("shapley" if len(factors) <= MOST else "sequential")
    needed = _coalitions(factors, chosen) if changed else []
    held = {coalition: judge_some(*pair.mixed(coalition), changed) for coalition in needed if 0 < len(coalition) < len(factors)}
    held |= {frozenset(): first, frozenset(factors): last}
    found = {code: _explanation(code, held, factors, chosen) for code in changed}
    return Explained(first, last, found, factors, chosen)


def _changed(first: Scorecard, last: Scorecard) -> list[str]:
    was = {one.id: (one.value, one.state, tuple(target.met for target in one.targets)) for one in first.results}
    return [
        one.id
        for one in last.results
        if one.id in was and was[one.id] != (one.value, one.state, tuple(target.met for target in one.targets))
    ]


def _coalitions(factors: Sequence[Factor], method: Method) -> list[frozenset[Factor]]:
    if method == "shapley":
        return [frozenset(part) for size in range(len(factors) + 1) for part in combinations(factors, size)]
    return [frozenset(factors[:size]) for size in range(len(factors) + 1)] + [frozenset([one]) for one in factors[1:]]


def _explanation(
    code: str, cards: Mapping[frozenset[Factor], Scorecard], factors: tuple[Factor, ...], method: Method
) -> Explanation:
    values = {coalition: card.result(code).value for coalition, card in cards.items() if _has(card, code)}
    whole = frozenset(factors)
    first, last = cards[frozenset()].result(code), cards[whole].result(code)
    known = {coalition: value for coalition, value in values.items() if value is not None}
    parts = _parts(known, factors, method) if len(known) == len(cards) else ()
    alone = tuple(
        factor
        for factor in factors
        if _has(cards[frozenset([factor])], code) and _verdict(cards[frozenset([factor])], code) == _verdict(cards[whole], code)
    )
    turned = _verdict(cards[frozenset()], code) != _verdict(cards[whole], code)
    return Explanation(
        code, (first.state, last.state), (first.value, last.value), parts, alone if turned else (), method, factors
    )  # fmt: skip


def _has(card: Scorecard, code: str) -> bool:
    return any(result.id == code for result in card.results)


def _verdict(card: Scorecard, code: str) -> tuple[State, tuple[bool, ...]]:
    result = card.result(code)
    return result.state, tuple(target.met for target in result.targets)


def _parts(
    values: Mapping[frozenset[Factor], float], factors: tuple[Factor, ...], method: Method
) -> tuple[tuple[Factor, float], ...]:
    """Share the change out among the factors."""
    if method == "sequential":
        steps = [values[frozenset(factors[:size])] for size in range(len(factors) + 1)]
        return tuple((factor, now - was) for factor, was, now in zip(factors, steps, steps[1:], strict=False))
    n, found = len(factors), []
    for factor in factors:
        others = [one for one in factors if one != factor]
        amount = 0.0
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for part in combinations(others, size):
                rest = frozenset(part)
                amount += weight * (values[rest | {factor}] - values[rest])
        found.append((factor, amount))
    return tuple(found)
