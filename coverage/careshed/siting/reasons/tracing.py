"""Trace people reached against sites or money: one best plan for every step, each with its bound, the work shared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from careshed.reach.times import TravelTimes
from careshed.siting.planning.case import Case, limit_of, read_units
from careshed.siting.planning.claims import money
from careshed.siting.planning.kinds import Demand, MaxCover
from careshed.siting.planning.plan import Conflict
from careshed.siting.planning.planning import Answer, solve_case
from careshed.siting.planning.rules import Budget, PerUnit, Rule, Sites
from careshed.siting.planning.solving import OutOfWork
from careshed.siting.planning.wording import Work
from careshed.siting.problem import PARTS_PER_PERSON, Ints, Problem, build_problem, cells_reached, people_parts
from careshed.siting.reasons.ground import unpriced
from careshed.siting.rules import climb
from careshed.siting.search import add, greedy, improve, start
from careshed.siting.solve import SAME_PEOPLE, solve

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

By = Literal["sites", "money"]


@dataclass(frozen=True)
class Traced:
    """The best plan found within one limit."""

    limit: int
    """Sites, or yuan."""
    sites: tuple[str, ...]
    yuan: float
    value: int
    """Millionths."""
    bound: int
    proven: bool
    reproducible: bool = True


@dataclass(frozen=True)
class Barred:
    """That no plan within a limit keeps the rules."""

    limit: int
    whatever: bool
    """Whether no limit helps."""
    zh: str
    en: str


Step: TypeAlias = Traced | Barred

Solver: TypeAlias = Callable[[int, Traced | None], Step]
"""Limit, plan of the step before it -> the best plan within the limit."""


def trace(solver: Solver, limits: Iterable[int]) -> list[Step]:
    """Solve step by step; no point is worse than the one before it, none may be better than the bound of a later one."""
    steps: list[Step] = []
    last: Traced | None = None
    for limit in limits:
        found = solver(limit, last)
        if isinstance(found, Traced):
            if last is not None and found.value < last.value:
                found = replace(last, limit=limit, bound=max(found.bound, last.value), proven=False)
            last = found
        steps.append(found)
        if isinstance(found, Barred) and found.whatever:
            break
    return _bounded(steps)


def _bounded(steps: Sequence[Step]) -> list[Step]:
    """Carry bounds back: what is allowed within a limit is allowed within every larger one."""
    found: list[Step] = []
    bound: int | None = None
    for step in reversed(steps):
        if isinstance(step, Traced):
            bound = step.bound if bound is None else min(step.bound, bound)
            step = replace(step, bound=bound, proven=step.proven or bound - step.value < SAME_PEOPLE)
        found.append(step)
    return found[::-1]


# ---------------------------------------------------------------- the covering engine


def quick(options: object, objective: object, rules: Sequence[Rule]) -> bool:
    """Whether the covering engine suffices: one plain demand, at least one site a unit, and money without subsidies."""
    if not isinstance(options, TravelTimes) or not isinstance(objective, MaxCover) or len(objective.demands) != 1:
        return False
    demand = objective.demands[0]
    plain = demand.sites_needed == 1 and demand.decay is None and not demand.service
    return plain and all(_quick_rule(rule) for rule in rules) and sum(isinstance(rule, Budget) for rule in rules) <= 1


def _quick_rule(rule: Rule) -> bool:
    if isinstance(rule, PerUnit):
        return rule.at_least <= 1 and rule.at_most is None and rule.which == "all" and not rule.service
    return isinstance(rule, Budget) and not rule.subsidies


@dataclass(frozen=True)
class Cover:
    """A covering problem without a limit, prepared once for all steps."""

    problem: Problem
    total: int
    """Worth of all people, millionths."""
    before: int
    """Worth of the people whom standing sites reach, millionths."""
    barred: tuple[str, ...]
    """Units that need a site and have no candidate."""
    priced: Ints
    """1 where a candidate's cost is known, shape (candidates,)."""


def prepare_cover(
    options: TravelTimes,
    cells: GeoDataFrame,
    existing: TravelTimes | None,
    units: GeoDataFrame | None,
    demand: Demand,
    rules: Sequence[Rule],
) -> Cover:
    """Read demand and rules, and reduce the problem; what is left out is needed within no limit."""
    limit = limit_of(demand, options)
    parts = np.rint(np.rint(people_parts(cells, demand.group) * demand.rate) * demand.weight).astype(np.int64)
    covered = cells_reached(existing, limit, len(cells))
    table = read_units(units)
    asked = {
        code for rule in rules if isinstance(rule, PerUnit) and rule.at_least for code in rule.units or table.of_level(rule.level)
    }
    standing = [] if existing is None else _units_of(existing)
    without = sorted(asked - {code for unit in standing for code in climb(unit, table.parents)})
    able = [at for at, fault in enumerate(options.facility_fault) if not fault]
    places = _units_of(options)
    chains = {
        str(options.facilities.index[at]): tuple(code for code in climb(places[at], table.parents) if code in without)
        for at in able
    }
    needed = [code for code in without if any(code in chain for chain in chains.values())]
    budget = next((round(rule.yuan) for rule in rules if isinstance(rule, Budget)), None)
    known, costs = _costs(options)
    problem = build_problem(
        options, np.where(covered, 0, parts), limit, chains=chains, units=needed, n=None, costs=costs, budget=budget
    )
    names = tuple(table.name(code) for code in without if code not in needed)
    return Cover(problem, int(parts.sum()), int(parts[covered].sum()), names, known[problem.rows])


def _units_of(times: TravelTimes) -> list[str]:
    return list(map(str, times.facilities["unit"])) if "unit" in times.facilities.columns else [""] * len(times.facilities)


def _costs(options: TravelTimes) -> tuple[Ints, Ints]:
    """Which costs are known, and the costs in whole yuan, 0 where not."""
    count = len(options.facilities)
    found = (
        options.facilities["cost_yuan"].astype(float).to_numpy()
        if "cost_yuan" in options.facilities.columns
        else np.full(count, np.nan)
    )
    return (~np.isnan(found)).astype(np.int64), np.rint(np.nan_to_num(found)).astype(np.int64)


def cover_solver(cover: Cover, by: By, *, seed: int, work_limit: int) -> Solver:
    """Solve with the covering engine; the plan of the step before it, filled up, is the floor."""

    def solver(limit: int, last: Traced | None) -> Step:
        whole = cover.problem
        least = int(whole.leaves.sum()) if by == "sites" else int(whole.cheapest[whole.leaves].sum())
        problem = replace(whole, n=limit) if by == "sites" else replace(whole, budget=limit)
        if cover.barred or not problem.serves_all:
            return _barred_cover(cover, by, limit, least)
        if last is not None and last.value >= cover.before + int(whole.weights.sum()):
            return replace(last, limit=limit, bound=last.value, proven=True)
        found = solve(problem, seed=seed, work_limit=work_limit)
        sites, value, proven = found.sites, found.value, found.status == "optimal"
        if last is not None and not proven:
            floor = _filled(problem, last)
            if floor[1] > value:
                sites, value = floor
        useful = _useful(problem, sites)
        told = tuple(problem.ids[site] for site in useful)
        known = bool(cover.priced[useful].all())
        yuan = float(problem.costs[useful].sum()) if known else np.nan
        bound = max(found.bound, value)
        return Traced(limit, told, yuan, cover.before + value, cover.before + bound, proven, found.reproducible)

    return solver


def _filled(problem: Problem, last: Traced) -> tuple[tuple[int, ...], int]:
    """Add to the plan of the step before it what the larger limit allows."""
    place = {name: at for at, name in enumerate(problem.ids)}
    search = start(problem, sorted(place[name] for name in last.sites))
    greedy(search)
    improve(search)
    return search.sites(), search.value()


def _useful(problem: Problem, sites: Sequence[int]) -> list[int]:
    """Leave out sites that add nobody and serve no unit, taken in the order of what they add; ascending."""
    search, left, kept = start(problem), list(sites), []
    while left:
        new = search.new_units()
        best = max(left, key=lambda site: (search.gain[site], new[site], -site))
        if not search.gain[best] and not new[best]:
            break
        kept.append(best)
        add(search, best)
        left.remove(best)
    return sorted(kept)


def _barred_cover(cover: Cover, by: By, limit: int, least: int) -> Barred:
    if cover.barred:
        few = "、".join(cover.barred[:5]), ", ".join(cover.barred[:5])
        return Barred(limit, True, f"{few[0]}没有候选点", f"{few[1]}: no candidate")
    if not cover.problem.serves_all:
        return Barred(limit, True, "预算不足以使每个单元至少有一处", "the budget is too small for a site in every unit")
    if by == "money":
        return Barred(limit, False, f"至少需要 {least:,} 元", f"at least {least:,} yuan are needed")
    return Barred(limit, False, f"至少需要 {least} 处", f"at least {least} site(s) are needed")


def enough_cover(cover: Cover) -> tuple[int, int]:
    """Sites and yuan with which greedy adding reaches everyone who can be reached."""
    search = start(replace(cover.problem, budget=None))
    greedy(search)
    useful = _useful(cover.problem, search.sites())
    return len(useful), int(cover.problem.costs[useful].sum())


# ---------------------------------------------------------------- the model of all rules


@dataclass(frozen=True)
class Model:
    """A case read once for all steps, and what it can come to without a limit."""

    case: Case
    work: Work
    top: int
    """What no plan can be worth more than, millionths."""
    enough: tuple[int, int]
    """Sites and yuan of the best plan without a limit."""
    barred: Barred | None
    """Why no limit at all helps."""


def prepare_model(case: Case, by: By, *, seed: int, work_limit: int) -> Model:
    """Solve without a limit, for the end of the curve."""
    work = Work(work_limit, seed)
    everyone = worth_of_all(case)
    try:
        answer = solve_case(limited(case, by, None), work)
    except OutOfWork:
        return Model(case, work, everyone, (len(case.places), _most_yuan(case)), None)
    if answer.relaxation is not None:
        return Model(case, work, everyone, (0, 0), Barred(0, True, *_told(answer.conflicts)))
    found = traced(answer, 0)
    yuan = 0 if np.isnan(found.yuan) else round(found.yuan)
    return Model(case, work, max(found.bound, found.value), (len(found.sites), yuan), None)


def worth_of_all(case: Case) -> int:
    """What all people of all demands are worth, reached or not, millionths."""
    return sum(int(np.rint(reach.parts * reach.demand.weight).sum()) for reach in case.reaches)


def model_solver(model: Model, by: By) -> Solver:
    """Solve with the model of all rules; a plan worth as much as one without a limit is carried on."""

    def solver(limit: int, last: Traced | None) -> Step:
        if model.barred is not None:
            return replace(model.barred, limit=limit)
        if last is not None and last.value >= model.top:
            return replace(last, limit=limit, bound=last.value, proven=True)
        try:
            answer = solve_case(limited(model.case, by, limit), model.work)
        except OutOfWork:
            if last is None:
                raise
            return replace(last, limit=limit, bound=model.top, proven=False)
        if answer.relaxation is not None:
            return Barred(limit, False, *_told(answer.conflicts))
        found = traced(answer, limit)
        return replace(found, bound=max(min(found.bound, model.top), found.value))

    return solver


def _most_yuan(case: Case) -> int:
    """As much as no plan can cost."""
    sites = sum(place.cost + place.closing for place in case.places)
    return sites + sum(post.cost for post in case.posts) + sum(one.cost for one in case.extensions)


def limited(case: Case, by: By, limit: int | None) -> Case:
    """The case within a limit; its own budget, and with it its subsidies, gives way to the axis where money is the axis."""
    if by == "sites":
        return case if limit is None else replace(case, rules=(*case.rules, Sites(at_most=limit)))
    subsidies = next((rule.subsidies for rule in case.rules if isinstance(rule, Budget)), ())
    axis = Budget(float(_most_yuan(case) if limit is None else limit), subsidies)
    rules = tuple(axis if isinstance(rule, Budget) else rule for rule in case.rules)
    return replace(case, rules=rules if axis in rules else (*rules, axis))


def traced(answer: Answer, limit: int) -> Traced:
    """Read an answer."""
    case, amount, stage = answer.draft.case, answer.optimum.amount, answer.optimum.stages[0]
    counted, constant = money(answer.draft)
    yuan = constant + sum(factor * int(amount[column]) for column, factor in counted) // PARTS_PER_PERSON
    sites = tuple(place.id for i, place in enumerate(case.places) if not place.standing and amount[i])
    value, bound = (round(part * PARTS_PER_PERSON) for part in (stage.value, stage.bound))
    unknown = any(amount[i] for i in unpriced(case))
    return Traced(limit, sites, np.nan if unknown else float(yuan), value, bound, stage.proven, answer.optimum.whole)


def _told(conflicts: Sequence[Conflict]) -> tuple[str, str]:
    return "；".join(one.zh for one in conflicts), "; ".join(one.en for one in conflicts)
