"""Plan sites under a committee's rules: the best there is with its proof, or what stands in the way and what is best then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from careshed.siting.planning.aims import objective_claims
from careshed.siting.planning.case import Case, Matrices, build_case
from careshed.siting.planning.checks import check_case, check_input
from careshed.siting.planning.claims import rule_claims
from careshed.siting.planning.conflict import relax
from careshed.siting.planning.kinds import Objective
from careshed.siting.planning.model import Claim, Draft, start_draft
from careshed.siting.planning.optimum import Optimum, best
from careshed.siting.planning.plan import Conflict, Plan, Relaxation
from careshed.siting.planning.reductions import dominated
from careshed.siting.planning.results import assignment_table, findings_of, money_of, reached_of, site_table, upgrades_of
from careshed.siting.planning.rules import Rule
from careshed.siting.planning.solving import NODES
from careshed.siting.planning.wording import Work, explain, relaxation

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def plan_sites(
    options: Matrices,
    cells: GeoDataFrame,
    *,
    objective: Objective,
    existing: Matrices | None = None,
    rules: Sequence[Rule] = (),
    units: GeoDataFrame | None = None,
    seed: int = 0,
    work_limit: int = NODES,
) -> Plan:
    """Choose which sites to build, keep, extend and close so that the objective is best and every rule is met.

    All rules and the objective go into one mixed-integer model, which HiGHS solves to a gap of 0; people are counted in whole
    millionths and the answer is counted again from its sites. Where not all rules can be met, the plan says which of them
    conflict and gives the best plan under the least relaxation (`Plan.conflicts`, `Plan.relaxation`).

    Parameters
    ----------
    options
        Travel costs of the candidates, or one matrix a service. Columns used where a rule needs them: ``unit``, ``services``
        (ids joined by ``;``, "" for any), ``cost_yuan`` (the roof, before subsidy), ``places``, ``area_m2``, ``build`` and
        ``inclusive`` (true or false). Candidates that cannot be attached are never chosen.
    cells
        People, on the very cells of the travel costs; ``unit`` where a rule counts people by unit.
    existing
        Sites that stand, kept unless a rule says `Closable`. They count for their unit even where no street leads to them.
    rules
        In any order and number, at most one `Budget`.
    units
        ``name``, ``level``, ``parent`` and, for subsidies that differ by it, ``setting``.
    seed
        Of HiGHS; the same seed gives the same plan.
    work_limit
        Branch-and-bound nodes of each search.

    Raises
    ------
    careshed.schema.InputError
        With every fault of the input: unknown units and ids, contradictory bounds, negative figures, nobody to serve.
    careshed.siting.planning.solving.OutOfWork
        If the work allowed ends before any plan is found.

    Examples
    --------
    Two streets; B would reach more people, but every street must have a site and the money is for one.

    >>> import geopandas as gpd, numpy as np, pandas as pd
    >>> from careshed.modes import WALK_OLDER
    >>> from careshed.reach import TravelTimes
    >>> from careshed.siting.planning import Budget, Demand, MaxCover, PerUnit
    >>> crs = "EPSG:32651"
    >>> cells = gpd.GeoDataFrame({"p60": [30.0, 50.0]}, geometry=gpd.points_from_xy([0, 900], [0, 0]), crs=crs)
    >>> spots = gpd.GeoDataFrame({"name": ["旧小学", "诊所"], "unit": ["s1", "s2"], "cost_yuan": [1e6, 2e6]}, index=["A", "B"],
    ...                          geometry=gpd.points_from_xy([0, 900], [0, 0]), crs=crs)
    >>> units = gpd.GeoDataFrame({"name": ["东街", "西街"], "level": "street", "parent": ""}, index=["s1", "s2"],
    ...                          geometry=[None, None], crs=crs)
    >>> options = TravelTimes(spots, cells.index, np.array([0, 1, 2]), np.array([0, 1], np.int32),
    ...                       np.array([200_000, 200_000], np.uint32), np.zeros(2, np.int64), np.zeros(2, np.int32),
    ...                       np.array(["", ""]), np.array(["", ""]), "time", 900_000, "to_facility", WALK_OLDER, 150.0)
    >>> plan = plan_sites(options, cells, objective=MaxCover((Demand("p60", minutes=15),)), units=units,
    ...                   rules=[PerUnit("street", at_least=1), Budget(2_500_000)])
    >>> plan.conflicts[0].en
    '2 streets (东街, 西街) need at least 3 million yuan, the budget is 2.5 million yuan'
    >>> plan.relaxation.en, plan.new, plan.value, plan.status
    ('500,000 yuan more', ('A', 'B'), 80.0, 'optimal')
    """
    rules = tuple(rules)
    check_input(options, existing, cells, units, objective, rules)
    case = build_case(options, existing, cells, units, objective, rules)
    check_case(case)
    return _plan(solve_case(case, Work(work_limit, seed)))


@dataclass(frozen=True)
class Answer:
    """A model, its best answer, and what had to give way for it."""

    draft: Draft
    optimum: Optimum
    conflicts: tuple[Conflict, ...]
    relaxation: Relaxation | None
    dominated: tuple[tuple[str, str], ...]


def solve_case(case: Case, work: Work, *, reduce: bool = True) -> Answer:
    """Solve a case; where its rules cannot all be met, explain why and solve it under the least relaxation.

    Parameters
    ----------
    reduce
        Whether candidates that another one dominates are left out where that is valid.
    """
    draft, claims = _written(case)
    pairs = dominated(case) if reduce else {}
    for place in pairs:
        draft.upper[place] = 0.0
    optimum = _solved(draft, claims, work)
    if optimum.possible:
        named = tuple((case.places[one].id, case.places[by].id) for one, by in sorted(pairs.items()))
        return Answer(draft, optimum, (), None, named)
    draft, claims = _written(case)
    relaxed = relax(draft, claims, nodes=work.nodes, seed=work.seed)
    conflicts, told = explain(draft, claims, relaxed, work), relaxation(draft, claims, relaxed)
    draft, claims = _written(case)
    optimum = _solved(draft, [replace(claim, lines=one.lines) for claim, one in zip(claims, relaxed.claims, strict=True)], work)
    if not optimum.possible:
        raise ArithmeticError("the relaxed rules admit no plan; please report this with its input")
    return Answer(draft, optimum, conflicts, told, ())


def _written(case: Case) -> tuple[Draft, list[Claim]]:
    """Write the model of a case with what its rules and its objective claim."""
    draft = start_draft(case)
    return draft, [*rule_claims(draft), *objective_claims(draft)]


def _solved(draft: Draft, claims: Sequence[Claim], work: Work) -> Optimum:
    return best(draft, [row for claim in claims for row in claim.lines], nodes=work.nodes, seed=work.seed)


def _plan(answer: Answer) -> Plan:
    draft, optimum = answer.draft, answer.optimum
    case, amount = draft.case, optimum.amount
    sites = site_table(draft, amount)
    cost, subsidy, closing = money_of(draft, amount)
    closed = tuple(place.id for i, place in enumerate(case.places) if place.standing and not amount[i])
    free = np.flatnonzero(np.array(draft.lower[: draft.decided]) < np.array(draft.upper[: draft.decided]))
    return Plan(
        sites=sites,
        closed=closed,
        upgrades=upgrades_of(draft, amount),
        stages=optimum.stages,
        bound_by="highs" if len(free) else "counting",
        method="branch and bound",
        reproducible=optimum.whole,
        reached=reached_of(draft, amount),
        assignments=assignment_table(draft, amount),
        cost_yuan=float(cost),
        subsidy_yuan=float(subsidy),
        net_yuan=float(cost - subsidy + closing),
        closing_yuan=float(closing),
        conflicts=answer.conflicts,
        relaxation=answer.relaxation,
        dominated=answer.dominated,
        findings=findings_of(draft, amount),
        objective=case.objective,
        rules=case.rules,
    )
