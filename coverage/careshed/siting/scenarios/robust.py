"""Find the plan that holds up best in the worst scenario, beside the nominal one: what it costs and what it gains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from careshed.siting.planning import MaxCover, ReachInUnits
from careshed.siting.problem import PARTS_PER_PERSON
from careshed.siting.scenarios.asks import Ranking, Ruled
from careshed.siting.scenarios.engine import Choice
from careshed.siting.scenarios.faults import refuse, wrong
from careshed.siting.scenarios.ranking import RankingEngine
from careshed.siting.scenarios.robust_exact import EXACT_PAIRS, pairs_of, ruled, solve_exactly
from careshed.siting.scenarios.robust_search import mixed_bound, search_widely
from careshed.siting.scenarios.ruled import RuledEngine
from careshed.siting.scenarios.trying import Tried
from careshed.words import Lang, pick

Criterion = Literal["value", "regret"]
"""What is made best in the worst scenario: the people reached (max-min), or the people lost against the scenario's own best
plan (min-max regret; Kouvelis and Yu, 1997)."""

SAME_PEOPLE = PARTS_PER_PERSON // 100
"""A hundredth of a person: below it two answers are the same."""


@dataclass(frozen=True)
class RobustPlan:
    """A plan for the worst scenario, beside the nominal one."""

    criterion: Criterion
    sites: tuple[str, ...]
    """Ids of the sites built, sorted."""
    choice: Choice
    worst: float
    """People reached in the worst scenario, or the largest regret."""
    bound: float
    """No plan reaches more than this in its worst scenario, or has a largest regret below it; measured against the best plans
    known."""
    proven: bool
    """Whether worst and bound differ by less than a hundredth of a person."""
    method: str
    """``"branch and bound"``, ``"local search"`` or ``"best of the plans known"``."""
    value: float
    """The robust plan in the nominal case, people."""
    nominal_sites: tuple[str, ...]
    nominal_value: float
    nominal_worst: float
    """The same figure as `worst` for the nominal plan."""
    scenarios: pd.DataFrame
    """Index ``scenario``: ``label_zh``, ``label_en``, ``nominal_plan``, ``robust_plan``, ``best`` (people), ``nominal_regret``,
    ``robust_regret``; rules that count people are kept by the robust plan in the nominal case only."""

    @property
    def cost(self) -> float:
        """People whom the robust plan gives up in the nominal case."""
        return round(self.nominal_value - self.value, 6)

    @property
    def gain(self) -> float:
        """People whom it gains in the worst scenario, or by whom it lowers the largest regret."""
        return round(abs(self.worst - self.nominal_worst), 6)

    def text(self, lang: Lang = "zh") -> str:
        """Tell in a line what the robust plan costs and gains."""
        cost = pick(lang, f"情况不变时少覆盖 {self.cost:,.0f} 人", f"{self.cost:,.0f} fewer if nothing changes")
        if self.criterion == "value":
            zh, en = "最不利情景下多覆盖", "more people in the worst scenario, and"
            return pick(
                lang, f"稳健方案：{zh} {self.gain:,.0f} 人，{cost}", f"The robust plan reaches {self.gain:,.0f} {en} {cost}"
            )
        zh = f"稳健方案：与各情景最优方案相比最多少覆盖 {self.worst:,.0f} 人（规划方案为 {self.nominal_worst:,.0f} 人），{cost}"
        en = f"people short of the best plan of any scenario (the nominal plan {self.nominal_worst:,.0f}), and reaches"
        return pick(lang, zh, f"The robust plan falls at most {self.worst:,.0f} {en} {cost}")


def robust_plan(tried: Tried, *, criterion: Criterion = "regret", exact: bool | None = None) -> RobustPlan:
    """Choose the sites that do best in the worst of the scenarios tried, and show what that costs if nothing changes.

    Small questions are one mixed-integer model over all scenarios, solved by HiGHS to a gap of 0 and counted again in whole
    numbers; of all plans that are best in the worst case it takes the one that reaches the most people in the nominal case.
    Larger rankings start from the nominal plan and the best plans of the scenarios and exchange single sites while the worst
    case gets better; the bound is then the least over the scenarios of their own bounds, or that of the worst few together (a
    mean is never below a minimum). Larger questions with rules take the best of the plans known.

    Parameters
    ----------
    exact
        True or False decides; None solves exactly up to `EXACT_PAIRS` pairs over all scenarios.

    Raises
    ------
    careshed.schema.InputError
        If the objective is not the most people reached, a scenario has no plan to be measured against, or an exact ranking is
        asked for with fewer sites than units need.
    """
    _check(tried, criterion)
    bases = [_base(tried, at, criterion) for at in range(len(tried.trials))]
    best = _known(tried, bases)
    most = min(_bound(tried, at) - base for at, base in enumerate(bases))
    if (_pairs(tried) <= EXACT_PAIRS and _expressible(tried)) if exact is None else exact:
        best, bound = solve_exactly(tried, bases, best)
        return _told(tried, criterion, bases, best, min(most, bound), "branch and bound")
    if isinstance(tried.ask, Ranking):
        best = search_widely(_engines(tried), bases, _starts(tried), tried.ask.n)
        most = min(most, mixed_bound(_engines(tried), bases, best, tried.ask.n, tried.seed))
    method = "local search" if isinstance(tried.ask, Ranking) else "best of the plans known"
    return _told(tried, criterion, bases, best, most, method)


def _check(tried: Tried, criterion: Criterion) -> None:
    faults = []
    if not isinstance(tried.ask, Ranking) and not isinstance(tried.ask.objective, MaxCover):
        zh, en = "稳健方案只适用于覆盖人数最多的目标", "a robust plan needs the objective MaxCover (most people reached)"
        faults.append(wrong("robust_objective", zh, en, found=type(tried.ask.objective).__name__))
    for trial in tried.trials:
        if criterion == "regret" and trial.answer is None:
            zh = f"情景 {trial.scenario.id} 没有满足规则的方案，无法计算损失"
            en = f"no plan keeps the rules in scenario {trial.scenario.id}, so there is nothing to measure a loss against"
            cure = ("请用 criterion='value'，或去掉该情景。", "Use criterion='value', or leave the scenario out.")
            faults.append(wrong("no_best", zh, en, *cure))
    refuse(faults)


def _engines(tried: Tried) -> list[RankingEngine]:
    return [trial.engine for trial in tried.trials if isinstance(trial.engine, RankingEngine)]


def _base(tried: Tried, at: int, criterion: Criterion) -> int:
    answer = tried.trials[at].answer
    return round(answer.value * PARTS_PER_PERSON) if criterion == "regret" and answer is not None else 0


def _bound(tried: Tried, at: int) -> int:
    """What no plan exceeds in a scenario, millionths; where rules count people, a robust plan may break them there."""
    trial = tried.trials[at]
    counts_people = isinstance(tried.ask, Ruled) and any(isinstance(rule, ReachInUnits) for rule in tried.ask.rules)
    if isinstance(trial.engine, RuledEngine) and (trial.answer is None or counts_people):
        return trial.engine.everybody
    return 0 if trial.answer is None else round(trial.answer.bound * PARTS_PER_PERSON)


def _pairs(tried: Tried) -> int:
    return sum(pairs_of(trial.engine) for trial in tried.trials)


def _expressible(tried: Tried) -> bool:
    return not isinstance(tried.engine, RankingEngine) or ruled(tried.engine, tried.nominal.choice.sites) is not None


def _starts(tried: Tried) -> list[Choice]:
    """Plans known that keep the rules in the nominal case, the nominal one first."""
    known = [tried.nominal.choice, *(trial.answer.choice for trial in tried.trials if trial.answer is not None)]
    return [choice for choice in dict.fromkeys(known) if tried.engine.value(choice) is not None]


def _scores(tried: Tried, bases: Sequence[int], choice: Choice) -> list[int]:
    return [trial.engine.parts(choice) - base for trial, base in zip(tried.trials, bases, strict=True)]


def _known(tried: Tried, bases: Sequence[int]) -> Choice:
    return max(_starts(tried), key=lambda choice: min(_scores(tried, bases, choice)))


def _told(tried: Tried, criterion: Criterion, bases: Sequence[int], choice: Choice, bound: int, method: str) -> RobustPlan:
    score, nominal = (min(_scores(tried, bases, one)) for one in (choice, tried.nominal.choice))
    bound, sign = max(bound, score), 1 if criterion == "value" else -1
    return RobustPlan(
        criterion=criterion,
        sites=choice.sites,
        choice=choice,
        worst=sign * score / PARTS_PER_PERSON + 0.0,
        bound=sign * bound / PARTS_PER_PERSON + 0.0,
        proven=bound - score < SAME_PEOPLE,
        method=method,
        value=tried.engine.parts(choice) / PARTS_PER_PERSON,
        nominal_sites=tried.nominal.choice.sites,
        nominal_value=tried.nominal.value,
        nominal_worst=sign * nominal / PARTS_PER_PERSON + 0.0,
        scenarios=_scenario_table(tried, choice),
    )


def _scenario_table(tried: Tried, choice: Choice) -> pd.DataFrame:
    rows = []
    for trial in tried.trials:
        nominal, robust = (trial.engine.parts(one) / PARTS_PER_PERSON for one in (tried.nominal.choice, choice))
        best = np.nan if trial.answer is None else trial.answer.value
        rows.append(
            {
                "scenario": trial.scenario.id,
                "label_zh": trial.scenario.label("zh"),
                "label_en": trial.scenario.label("en"),
                "nominal_plan": nominal,
                "robust_plan": robust,
                "best": best,
                "nominal_regret": round(best - nominal, 6),
                "robust_regret": round(best - robust, 6),
            }
        )
    return pd.DataFrame(rows).set_index("scenario")
