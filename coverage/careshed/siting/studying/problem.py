"""Lay out one plan of a study: travel times, objective and rules, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from careshed.siting.planning import Objective, Rule
from careshed.siting.studying.assumptions import assumed
from careshed.siting.studying.checks import check_plans
from careshed.siting.studying.matrices import Networks, candidate_places, existing_places, matrix
from careshed.siting.studying.rules import objective_of, rules_of

if TYPE_CHECKING:
    from careshed.reach import TravelTimes
    from careshed.settings.siting import PlanSection
    from careshed.study import Study


@dataclass(frozen=True)
class PlanProblem:
    """One plan that a study asks for, ready to be solved."""

    study: Study
    section: PlanSection
    objective: Objective
    rules: tuple[Rule, ...]
    options: Mapping[str, TravelTimes]
    """Service -> travel times of its candidates."""
    existing: Mapping[str, TravelTimes]
    """Service -> travel times of the facilities that stand and count."""
    assumptions: tuple[tuple[str, str], ...]
    """What the plan rests on, Chinese and English."""


def plan_problem(study: Study, section: PlanSection, networks: Networks | None = None) -> PlanProblem:
    """Read one plan of a study and compute the travel times it is made from.

    Parameters
    ----------
    networks
        Networks that are built already; they are filled as needed.

    Raises
    ------
    careshed.schema.InputError
        With every fault of the section.
    """
    check_plans(study, [section])
    networks = networks or Networks(study)
    services = [study.service(name) for name in section.service_ids]
    tables = {one.id: (candidate_places(study, section, one), existing_places(study, section, one)) for one in services}
    objective, rules = objective_of(study, section), rules_of(study, section, tables)
    options = {one.id: matrix(networks, section, one, tables[one.id][0]) for one in services}
    existing = {one.id: matrix(networks, section, one, tables[one.id][1]) for one in services}
    return PlanProblem(study, section, objective, rules, options, existing, assumed(study, section, objective, rules))
