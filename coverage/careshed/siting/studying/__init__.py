"""Carry out the plans that a study file asks for."""

from careshed.siting.studying.checks import check_plans
from careshed.siting.studying.extras import Extras
from careshed.siting.studying.matrices import Networks
from careshed.siting.studying.problem import PlanProblem, plan_problem
from careshed.siting.studying.result import StudyPlan, UnknownPlan, asked_plans, plan_study, solve_problem
from careshed.siting.studying.words import gave_way, key_sentence, plan_sentences, proof_sentence

__all__ = [
    "Extras",
    "Networks",
    "PlanProblem",
    "StudyPlan",
    "UnknownPlan",
    "asked_plans",
    "check_plans",
    "gave_way",
    "key_sentence",
    "plan_problem",
    "plan_sentences",
    "plan_study",
    "proof_sentence",
    "solve_problem",
]
