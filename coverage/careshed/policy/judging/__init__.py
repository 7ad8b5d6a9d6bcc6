"""Judge a plan on a city's data: one scorecard, every number with its denominator."""

from careshed.policy.judging.card import Place, Presence, Reach, RuleResult, Scorecard, Target, UnitValue, YearValue
from careshed.policy.judging.judge import judge_plan, study_profile
from careshed.policy.judging.saving import load_scorecard, save_scorecard
from careshed.policy.judging.shortfall import compound_shortfalls, shortfalls_by_unit

__all__ = [
    "Place",
    "Presence",
    "Reach",
    "RuleResult",
    "Scorecard",
    "Target",
    "UnitValue",
    "YearValue",
    "compound_shortfalls",
    "judge_plan",
    "load_scorecard",
    "save_scorecard",
    "shortfalls_by_unit",
    "study_profile",
]
