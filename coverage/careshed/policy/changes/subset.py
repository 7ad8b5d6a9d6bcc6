"""Judge some rules of a plan quickly: only those asked for, and no past years."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from careshed.policy.judging import judge_plan
from careshed.policy.judging.card import Scorecard
from careshed.policy.model import Profile, Rule

if TYPE_CHECKING:
    from careshed.study import Study


def judge_some(study: Study, plan: Profile, rules: Collection[str]) -> Scorecard:
    """Judge some rules of a plan, and the standards that these lean on, for now alone.

    Targets that the user set and figures entered for other rules are left aside; `judge_plan` would refuse them.
    """
    leaning = any(rule.measure == "compounds_percent" for rule in plan.rule if rule.id in rules)
    kept = tuple(rule for rule in plan.rule if rule.id in rules or (leaning and _standard(rule)))
    short = plan.model_copy(update={"rule": kept, "profile": plan.profile.model_copy(update={"plan_end": None})})
    if study.policy is None:
        return judge_plan(study, short)
    unset = {rule.id for rule in kept if rule.value == "unset"}
    own = study.policy.model_copy(
        update={
            "set": {code: value for code, value in study.policy.set.items() if code in unset},
            "entered": tuple(one for one in study.policy.entered if one.rule in {rule.id for rule in kept}),
        }
    )
    return judge_plan(replace(study, config=study.config.model_copy(update={"policy": own})), short)


def _standard(rule: Rule) -> bool:
    return bool(rule.compounds) or "compound" in rule.levels
