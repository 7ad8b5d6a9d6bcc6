"""Judge a plan on a city's data: one scorecard, every number with its denominator."""

from careshed.policy.judging.card import Place, Presence, Reach, RuleResult, Scorecard, Target, UnitValue, YearValue
from careshed.policy.judging.judge import judge_plan, study_profile
from careshed.policy.judging.saving import load_scorecard, save_scorecard

__all__ = [
    "Place",
    "Presence",
    "Reach",
    "RuleResult",
    "Scorecard",
    "Target",
    "UnitValue",
    "YearValue",
    "judge_plan",
    "load_scorecard",
    "save_scorecard",
    "study_profile",
]
