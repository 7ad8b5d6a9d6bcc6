"""Plan sites over years: what opens when, so that people are reached early and every year's means hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from careshed.schema import Fault, InputError
from careshed.siting.phasing.checks import phase_faults
from careshed.siting.phasing.conflicts import Relaxing, relaxed_plan
from careshed.siting.phasing.engine import Effort, Solved, least, most_reached
from careshed.siting.phasing.means import Means, means_of
from careshed.siting.phasing.phase import Phase, Unused, weights_of, whole_weights
from careshed.siting.phasing.plan import NestingCost, PhasedPlan, PhaseStage
from careshed.siting.phasing.stack import Stack, stacked, value_of, weighed
from careshed.siting.phasing.tables import findings_by_year, phase_table, reached_table, sites_by_year
from careshed.siting.planning.aims import new_sites, objective_claims
from careshed.siting.planning.case import Case, Matrices, build_case
from careshed.siting.planning.checks import check_case, check_input
from careshed.siting.planning.claims import line, money, rule_claims
from careshed.siting.planning.kinds import Objective, SetCover
from careshed.siting.planning.model import Aim, Claim, Draft, Line, start_draft, summed, worth_steps
from careshed.siting.planning.rules import Budget, Rule, Subsidy
from careshed.siting.planning.solving import NODES
from careshed.siting.problem import PARTS_PER_PERSON

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def plan_phases(
    options: Matrices,
    cells: GeoDataFrame,
    *,
    phases: Sequence[Phase],
    objective: Objective,
    existing: Matrices | None = None,
    rules: Sequence[Rule] = (),
    units: GeoDataFrame | None = None,
    subsidies: Sequence[Subsidy] = (),
    unused: Unused = "carried_over",
    horizon: int | None = None,
    nesting: bool = True,
    gap: float = 0.0,
    seed: int = 0,
    work_limit: int = NODES,
) -> PhasedPlan:
    """Choose what to build in which year, so that what is built stays and people are reached early.

    `MaxCover`: the most people reached, summed over the phases, each times its weight. `SetCover`: the fewest new sites (or the
    least money) that reach the share asked in the last phase, and among those plans the one that reaches the most people early.
    All phases go into one mixed-integer model. A small one is solved by branch and bound with gap 0; a large one by exchanges
    of sites and years, with a bound from prices in whole numbers, and by branch and bound over what the prices leave open.

    Rules hold as follows. `Forbidden`, `EachSite`, `Spacing` and every "at most" hold in every phase, since nothing is closed.
    `ForcedIn`, `InclusiveShare`, `ReachInUnits`, the share of `SetCover` and every "at least" bind in the last phase. The money
    of each phase takes the place of a `Budget`; where one is given all the same, it caps all phases together.

    Parameters
    ----------
    options, cells, existing, rules, units
        As in `careshed.siting.planning.plan_sites`; one service.
    phases
        In the order of years. Places, sites and money count in the phase in which a site is built; it opens in that year.
    subsidies
        Paid for places of new sites; a `Budget` may bring them instead.
    unused
        Whether money and numbers that a phase leaves over are there for later phases, or lapse.
    horizon
        Last year that counts; the last phase's own year if None. A phase weighs the years until the next one.
    nesting
        Whether to solve every year by itself as well and tell what nesting costs.
    gap
        Stop once the plan is proven within this share of the best possible; 0 asks for the best.
    seed
        Of HiGHS; the same seed gives the same plan.
    work_limit
        Branch-and-bound nodes of each search; ten simplex iterations a node, one in a large model after its prices.

    Raises
    ------
    careshed.schema.InputError
        With every fault, objectives and rules that phases do not take among them.
    careshed.siting.planning.solving.OutOfWork
        If the work allowed ends before any plan is found.

    Examples
    --------
    One site a year. B reaches 60 alone; A and C reach 100 together. Over two years A and C count 50 + 100, B first only
    60 + 80: so the plan begins with A, and 2026 loses 10 people against a year planned alone.

    >>> import geopandas as gpd, numpy as np
    >>> from careshed.modes import WALK_OLDER
    >>> from careshed.reach import TravelTimes
    >>> from careshed.siting.phasing import Phase, plan_phases
    >>> from careshed.siting.planning import Demand, MaxCover
    >>> crs, where = "EPSG:32651", gpd.points_from_xy([0, 400, 800], [0, 0, 0])
    >>> cells = gpd.GeoDataFrame({"p60": [20.0, 30, 30, 20]}, geometry=gpd.points_from_xy([0, 300, 500, 800], [0] * 4), crs=crs)
    >>> spots = gpd.GeoDataFrame({"name": ["旧小学", "诊所", "活动室"]}, index=["A", "B", "C"], geometry=where, crs=crs)
    >>> options = TravelTimes(spots, cells.index, np.array([0, 2, 4, 6]), np.array([0, 1, 1, 2, 2, 3], np.int32),
    ...                       np.full(6, 200_000, np.uint32), np.zeros(4, np.int64), np.zeros(4, np.int32),
    ...                       np.full(4, ""), np.full(3, ""), "time", 900_000, "to_facility", WALK_OLDER, 150.0)
    >>> plan = plan_phases(options, cells, objective=MaxCover((Demand("p60", minutes=15),)),
    ...                    phases=[Phase(2026, sites=1), Phase(2027, sites=1)])
    >>> plan.opened, plan.value, plan.status
    ({2026: ('A',), 2027: ('C',)}, 150.0, 'optimal')
    >>> print(plan.nesting_cost[0].text("en"))
    2026: 50 people reached; 60 if that year were planned alone with the same means: nesting costs 10 (16.7 %)
    """
    phases, rules, subsidies = tuple(phases), tuple(rules), tuple(subsidies)
    own = _with_money(phases, rules, subsidies)
    _check(options, existing, cells, units, objective, (own, rules), phases, subsidies, unused, horizon, gap)
    case = build_case(options, existing, cells, units, objective, own)
    check_case(case)
    ask = Ask(case, phases, unused, weights_of(phases, horizon), len(own) > len(rules))
    return _planned(ask, Effort(work_limit, seed, gap), subsidies, nesting)


def _with_money(phases: Sequence[Phase], rules: tuple[Rule, ...], subsidies: tuple[Subsidy, ...]) -> tuple[Rule, ...]:
    """Rules with a budget that brings the subsidies and asks for costs, where only phases speak of money."""
    if any(isinstance(rule, Budget) for rule in rules):
        paid = bool(subsidies)
        return tuple(replace(rule, subsidies=subsidies) if paid and isinstance(rule, Budget) else rule for rule in rules)
    asked = bool(subsidies) or any(phase.yuan is not None for phase in phases)
    return (*rules, Budget(0.0, subsidies)) if asked else rules


def _check(
    options: Matrices,
    existing: Matrices | None,
    cells: GeoDataFrame,
    units: GeoDataFrame | None,
    objective: Objective,
    rules: tuple[tuple[Rule, ...], tuple[Rule, ...]],
    phases: tuple[Phase, ...],
    subsidies: tuple[Subsidy, ...],
    unused: str,
    horizon: int | None,
    gap: float,
) -> None:
    """Collect the faults of phases and of everything else."""
    with_money, given = rules
    faults: list[Fault] = list(phase_faults(phases, objective, given, subsidies, unused, horizon, gap))
    try:
        check_input(options, existing, cells, units, objective, with_money)
    except InputError as error:
        faults += error.faults
    faults += _places_faults(options, phases)
    if faults:
        raise InputError(dict.fromkeys(faults))


def _places_faults(options: Matrices, phases: Sequence[Phase]) -> list[Fault]:
    from careshed.reach.times import TravelTimes

    tables = [options] if isinstance(options, TravelTimes) else list(options.values())
    if not any(phase.at_least_places > 0 for phase in phases) or all("places" in one.facilities.columns for one in tables):
        return []
    zh, en = "分期要求托位（床位）数，但候选点没有“places”列", "phases ask for places, but the candidates have no column 'places'"
    return [
        Fault(code="missing_column", file="", zh=zh, en=en, cure_zh="请补充该列。", cure_en="Add the column.", found="places")
    ]


@dataclass(frozen=True)
class Ask:
    """What is asked, in whole numbers."""

    case: Case
    phases: tuple[Phase, ...]
    unused: Unused
    weights: tuple[float, ...]
    own_budget: bool
    """Whether the last rule is a budget that only brings subsidies."""


@dataclass(frozen=True)
class Written:
    """The model of some phases with everything that it must keep."""

    stack: Stack
    means: tuple[Means, ...]
    claims: tuple[Claim, ...]
    """Of means, then of rules that bind, then of the objective."""
    binding: tuple[int, ...]
    """Positions of the claims that bind among those of rules and objective."""
    aim: Aim
    """People reached in one year, of the one-year model."""


def _one_year(ask: Ask) -> tuple[Draft, list[Claim], Aim]:
    """Write the model of one year: its rules and whom it reaches."""
    base = start_draft(ask.case)
    hidden = len(ask.case.rules) - 1 if ask.own_budget else len(ask.case.rules)
    claims = [claim for claim in rule_claims(base) if claim.rule < hidden]
    if isinstance(ask.case.objective, SetCover):
        claims += objective_claims(base)
    columns, factors, constant = summed(worth_steps(base, reach) for reach in ask.case.reaches)
    return base, claims, Aim(1, columns, factors, constant, PARTS_PER_PERSON)


def _write(ask: Ask, until: int, weights: Sequence[float]) -> Written:
    """Write the model of the phases up to one; before the last phase of the plan only what holds in every phase binds."""
    base, claims, aim = _one_year(ask)
    end = until == len(ask.phases) - 1
    binding = tuple(at for at, claim in enumerate(claims) if end or all(row.least is None for row in claim.lines))
    stepped = any((row.columns >= base.decided).any() for at in binding for row in claims[at].lines)
    stack = stacked(base, [weight > 0 or (phase == until and stepped) for phase, weight in enumerate(weights)])
    means = tuple(means_of(stack, ask.phases[: until + 1], ask.unused))
    ruled = (stack.claimed(claims[at], until) for at in binding)
    return Written(stack, means, (*(one.claim for one in means), *ruled), binding, aim)


def _rows(claims: Sequence[Claim]) -> list[Line]:
    return [row for claim in claims for row in claim.lines]


def _planned(ask: Ask, effort: Effort, subsidies: tuple[Subsidy, ...], nesting: bool) -> PhasedPlan:
    written = _write(ask, len(ask.phases) - 1, ask.weights)
    solved, stages, held = _solve(ask, written, written.claims, effort)
    relaxing: Relaxing | None = None
    if not solved.possible:
        relaxing = relaxed_plan(written.stack, written.means, written.claims, ask.phases, ask.unused, effort)
        written = replace(written, claims=relaxing.claims)
        solved, stages, held = _solve(ask, written, relaxing.claims, effort)
        if not solved.possible:
            raise ArithmeticError("the relaxed rules admit no plan; please report this with its input")
    costs = _nesting(ask, solved, written, held, effort) if nesting else ()
    return PhasedPlan(
        sites=sites_by_year(written.stack, solved.built, ask.phases),
        phases=ask.phases,
        table=phase_table(written.stack, written.aim, solved.built, ask.phases, ask.unused, ask.weights, costs),
        reached=reached_table(written.stack, solved.built, ask.phases),
        stages=stages,
        nesting_cost=costs,
        method="search and prices" if solved.searched else "branch and bound",
        reproducible=solved.whole,
        conflicts=() if relaxing is None else relaxing.conflicts,
        relaxation=None if relaxing is None else relaxing.relaxation,
        findings=findings_by_year(written.stack, solved.built),
        objective=ask.case.objective,
        rules=ask.case.rules[: len(ask.case.rules) - ask.own_budget],
        subsidies=subsidies,
        unused=ask.unused,
        weights=ask.weights,
    )


def _solve(
    ask: Ask, written: Written, claims: Sequence[Claim], effort: Effort
) -> tuple[Solved, tuple[PhaseStage, ...], Line | None]:
    """Solve stage by stage: what is least first where the objective asks for it, then early access."""
    weights, per = whole_weights(ask.weights)
    rows, stages, held, start = _rows(claims), list[PhaseStage](), None, None
    if isinstance(ask.case.objective, SetCover):
        goal, row = _least_aim(written.stack, ask.case.objective.least == "money")
        first = least(written.stack, rows, goal, effort)
        if not first.possible:
            return first, (), None
        name, unit = ("least_money", "yuan") if ask.case.objective.least == "money" else ("fewest_sites", "sites")
        proven = abs(first.bound - first.value) < 1
        stages.append(PhaseStage(name, float(first.value), float(first.bound), unit, proven, first.bound_by))  # type: ignore[arg-type]
        held = replace(row, most=first.value)
        rows, start = [*rows, written.stack.moved(held, written.stack.last)], first.built
    found = most_reached(written.stack, rows, written.aim, weights, per, effort, start)
    if not found.possible:
        return found, (), None
    scale = PARTS_PER_PERSON * per
    goal = weighed(written.stack, written.aim, weights, per)
    stages.append(
        PhaseStage("early_access", found.value / scale, found.bound / scale, "person_years", found.proven(goal), found.bound_by)
    )
    return found, tuple(stages), held


def _least_aim(stack: Stack, yuan: bool) -> tuple[Aim, Line]:
    """What is to be least when all phases are over: as an aim of the stack and as a row of the one-year model."""
    row = line(money(stack.base)[0] if yuan else new_sites(stack.base.case), None, None)
    return Aim(-1, stack.at[stack.last][row.columns], tuple(row.factors.tolist()), 0, 1), row


def _nesting(ask: Ask, solved: Solved, plan: Written, held: Line | None, effort: Effort) -> tuple[NestingCost, ...]:
    """Solve every year by itself: the same means up to then, only that year's people count."""
    return tuple(_alone(ask, solved, plan, held, effort, until) for until in range(len(ask.phases)))


def _alone(ask: Ask, solved: Solved, plan: Written, held: Line | None, effort: Effort, until: int) -> NestingCost:
    weights = [0] * until + [1]
    written = _write(ask, until, weights)
    stack = written.stack
    given = [*range(len(written.means)), *(len(plan.means) + at for at in written.binding)]
    rows = [
        replace(row, least=now.least, most=now.most)
        for claim, at in zip(written.claims, given, strict=True)
        for row, now in zip(claim.lines, plan.claims[at].lines, strict=True)
    ]
    if held is not None:
        rows.append(stack.moved(held, until))
    nested = np.minimum(solved.built, until + 1)
    free = most_reached(stack, rows, written.aim, weights, 1, effort, nested)
    own = value_of(replace(written.aim, columns=stack.at[until][written.aim.columns]), stack.amount(nested))
    value, built = (free.value, free.built) if free.value >= own else (own, nested)
    names = tuple(ask.case.places[i].id for i in stack.new().tolist() if built[i] <= until)
    bound = max(free.bound, value)
    return NestingCost(
        ask.phases[until].year, own / PARTS_PER_PERSON, value / PARTS_PER_PERSON, bound / PARTS_PER_PERSON,
        replace(free, value=value, bound=bound).proven(written.aim), names,
    )  # fmt: skip


__all__ = ["plan_phases"]
