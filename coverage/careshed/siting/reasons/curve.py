"""Draw the frontier: people reached against number of sites or money, each point proven, and where the curve bends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.reach.times import TravelTimes
from careshed.schema import InputError
from careshed.siting.planning.case import Matrices, build_case
from careshed.siting.planning.checks import check_case, check_input
from careshed.siting.planning.kinds import Demand, MaxCover, MaxServed, Objective
from careshed.siting.planning.plan import Status
from careshed.siting.planning.rule_checks import bad
from careshed.siting.planning.rules import Budget, Rule, Sites
from careshed.siting.problem import PARTS_PER_PERSON
from careshed.siting.reasons.bend import Bend, Curve, chord_bend, half_bend
from careshed.siting.reasons.curve_text import bend_text, effort_text, point_text
from careshed.siting.reasons.tracing import (
    Barred,
    By,
    Solver,
    Step,
    Traced,
    cover_solver,
    enough_cover,
    model_solver,
    prepare_cover,
    prepare_model,
    quick,
    trace,
    worth_of_all,
)
from careshed.siting.solve import NODES
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

MOST_SITES: Final = 20
"""Points drawn where nobody says how many."""

MONEY_STEPS: Final = 10

SMALL_PAIRS: Final = 100_000
"""Candidate–cell pairs up to which budgets are solved faster by the model of all rules than by the covering engine."""

ROUND_YUAN: Final = 10_000
"""Budgets of our own choice are whole multiples of this."""


@dataclass(frozen=True)
class Point:
    """The best plan within one limit."""

    limit: int
    """Sites allowed, or yuan."""
    sites: tuple[str, ...]
    """Ids of the new sites, sorted."""
    net_yuan: float
    """What they cost net of subsidies; NaN where a cost is not known."""
    value: float
    """People reached (or given a place), standing sites included, as the objective weighs them."""
    bound: float
    """What no plan within the limit can exceed."""
    status: Status
    reproducible: bool


@dataclass(frozen=True)
class Frontier:
    """People against effort: what each further site, or each further yuan, brings at best."""

    points: tuple[Point, ...]
    """In order of effort; no point is worse than the one before it. The first is nothing built, where the rules allow that."""
    skipped: tuple[tuple[int, str, str], ...]
    """Limits within which no plan keeps the rules, and why, in Chinese and English."""
    bends: tuple[Bend, Bend]
    """By distance from the chord, and by the marginal gain falling under half of the first."""
    by: By
    total: float
    """Worth of all people of the demands, reached or not: what 100 % is."""
    objective: Objective
    rules: tuple[Rule, ...]

    @property
    def certain(self) -> bool:
        """Whether the bounds leave no doubt where the curve bends, by either method."""
        return all(bend.certain for bend in self.bends)

    @property
    def table(self) -> pd.DataFrame:
        """Index ``limit``; columns ``sites`` (number), ``net_yuan``, ``value``, ``share``, ``bound``, ``gap`` (bound − value),
        ``status``, ``added`` (to the point before), ``added_each`` (a site or 10,000 yuan), ``site_ids`` (joined by ``;``)."""
        import pandas as pd

        limit = np.array([point.limit for point in self.points], dtype=np.int64)
        value = np.array([point.value for point in self.points])
        bound = np.array([point.bound for point in self.points])
        added = np.diff(value, prepend=np.nan)
        effort = np.diff(limit / (1 if self.by == "sites" else 10_000), prepend=np.nan)
        return pd.DataFrame(
            {
                "sites": [len(point.sites) for point in self.points],
                "net_yuan": [point.net_yuan for point in self.points],
                "value": value,
                "share": value / self.total if self.total else np.full(len(value), np.nan),
                "bound": bound,
                "gap": bound - value,
                "status": [point.status for point in self.points],
                "added": added,
                "added_each": added / effort,
                "site_ids": [";".join(point.sites) for point in self.points],
            },
            index=pd.Index(limit, name="limit"),
        )

    def text(self, lang: Lang = "zh") -> str:
        """Tell every point in a line, then where the curve bends."""
        lines = [point_text(self, point, lang) for point in self.points]
        if self.skipped:
            limit, zh, en = self.skipped[-1]
            least = effort_text(limit, self.by, lang)
            lines.insert(0, pick(lang, f"至多{least}时无法满足要求：{zh}。", f"With {least} the rules cannot be met: {en}."))
        return "\n".join([*lines, self.bend_text(lang)])

    def bend_text(self, lang: Lang = "zh") -> str:
        """Say in one sentence where building more stops paying, and whether that is certain."""
        return bend_text(self, lang)


def frontier(
    options: Matrices,
    cells: GeoDataFrame,
    *,
    existing: Matrices | None = None,
    group: str | None = None,
    minutes: float | None = None,
    metres: float | None = None,
    objective: Objective | None = None,
    rules: Sequence[Rule] = (),
    units: GeoDataFrame | None = None,
    by: By = "sites",
    steps: int | Sequence[int] | None = None,
    seed: int = 0,
    work_limit: int = NODES,
) -> Frontier:
    """Show how many people are reached with one site, two, three … or with every further sum of money, and where that bends.

    Every point is a plan of its own, the best for its limit, not the greedy order cut off; so a plan of four sites need not
    contain that of three. A point is never worse than the one before it, whose plan is its floor, and no bound exceeds that of a
    larger limit. The candidates are reduced once for all points. With one plain demand, at least one site a
    unit and no subsidies the covering engine of `rank_sites` solves them (for money in large studies only), else the model of
    `plan_sites`. Where the curve bends depends on how far it is drawn, as the chord does.

    Parameters
    ----------
    group, minutes, metres
        Whom to reach within which limit; or else `objective`, `MaxCover` or `MaxServed`.
    rules
        As in `plan_sites`; with ``by="money"`` the sum of a `Budget` gives way to the steps, its subsidies stay.
    by
        ``"sites"``: new sites; ``"money"``: yuan net of subsidies.
    steps
        How many points, or the very limits. For sites 1, 2, 3 … (left out: as many as reach everyone who can be reached, at most
        20); for money so many equal steps (left out: 10) up to what reaches everyone, in whole 10,000 yuan.
    work_limit
        Branch-and-bound nodes of each point.

    Raises
    ------
    careshed.schema.InputError
        With every fault of the input, and where no number of sites and no sum of money meets the rules.

    Examples
    --------
    Three candidates with 60, 30 and 10 people of their own, and a fourth that repeats the first.

    >>> import geopandas as gpd, numpy as np
    >>> from careshed.modes import WALK_OLDER
    >>> from careshed.reach import TravelTimes
    >>> crs = "EPSG:32651"
    >>> cells = gpd.GeoDataFrame({"p60": [60.0, 30.0, 10.0]}, geometry=gpd.points_from_xy([0, 500, 900], [0, 0, 0]), crs=crs)
    >>> spots = gpd.GeoDataFrame({"name": ["甲", "乙", "丙", "丁"], "unit": ""}, index=["A", "B", "C", "D"],
    ...                          geometry=gpd.points_from_xy([0, 500, 900, 50], [0, 0, 0, 0]), crs=crs)
    >>> options = TravelTimes(spots, cells.index, np.array([0, 1, 2, 3, 4]), np.array([0, 1, 2, 0], np.int32),
    ...                       np.array([200_000] * 4, np.uint32), np.zeros(3, np.int64), np.zeros(3, np.int32),
    ...                       np.full(3, ""), np.full(4, ""), "time", 900_000, "to_facility", WALK_OLDER, 150.0)
    >>> curve = frontier(options, cells, group="p60", minutes=15)
    >>> [(point.limit, point.value, point.bound, point.status) for point in curve.points]
    [(0, 0.0, 0.0, 'optimal'), (1, 60.0, 60.0, 'optimal'), (2, 90.0, 90.0, 'optimal'), (3, 100.0, 100.0, 'optimal')]
    >>> curve.bend_text("en")
    'The curve bends at 1 site: up to there people aged 60+ reached rise from 0 to 60, which is 60% of what 3 sites add; beyond
    it each further site adds 20 on average; from site 3 on each adds less than half of what the first does; every point is
    proven best.'
    """
    goal = _objective(group, minutes, metres, objective)
    rules = tuple(rules)
    wanted = _limits(by, steps)
    _check(options, cells, existing, units, goal, rules, by)
    small = by == "money" and isinstance(options, TravelTimes) and options.pairs <= SMALL_PAIRS
    fits = quick(options, goal, rules) and not small
    if fits and isinstance(options, TravelTimes) and isinstance(existing, TravelTimes | None):
        solver, enough, total = _quick(options, cells, existing, units, goal, rules, by, seed, work_limit)
    else:
        solver, enough, total = _slow(options, cells, existing, units, goal, rules, by, seed, work_limit)
    found = trace(solver, [0, *(wanted or _own_limits(by, steps, enough))])
    return _frontier(found, by, total, goal, rules)


def _objective(group: str | None, minutes: float | None, metres: float | None, objective: Objective | None) -> Objective:
    """Say the simple way of asking as an objective."""
    if (group is None) == (objective is None) or (objective is not None and (minutes is not None or metres is not None)):
        cure = ("请二选一。", "Give the one or the other.")
        zh, en = (
            "请给出 group 与 minutes（或 metres），或给出 objective",
            "give group with minutes (or metres), or give objective",
        )
        raise InputError([bad("one_goal", zh, en, *cure)])
    if objective is not None and not isinstance(objective, MaxCover | MaxServed):
        cure = ("请用 MaxCover 或 MaxServed。", "Use MaxCover or MaxServed.")
        zh, en = "这一目标不按人数衡量，无法画出曲线", "this objective does not count people, so it has no such curve"
        raise InputError([bad("objective_without_curve", zh, en, *cure, found=type(objective).__name__)])
    return objective or MaxCover((Demand(str(group), minutes=minutes, metres=metres),))


def _limits(by: By, steps: int | Sequence[int] | None) -> list[int]:
    """Limits that are given one by one, ascending; [] where only their number is, or nothing."""
    if by not in ("sites", "money"):
        raise InputError([bad("bad_by", "by 应为 sites 或 money", "by must be 'sites' or 'money'", found=str(by))])
    given = [steps] if isinstance(steps, int) else list(steps or ())
    if any(not 0 < one < 10**12 or one != int(one) for one in given) or (steps is not None and not given):
        cure = ("请给出大于 0 的整数。", "Give whole numbers above 0.")
        raise InputError([bad("bad_steps", "steps 不可用", "these steps cannot be used", *cure, found=str(steps))])
    if isinstance(steps, int):
        return list(range(1, steps + 1)) if by == "sites" else []
    return sorted({int(one) for one in given})


def _own_limits(by: By, steps: int | Sequence[int] | None, enough: tuple[int, int]) -> list[int]:
    """Limits up to what reaches everyone who can be reached."""
    if by == "sites":
        return list(range(1, min(enough[0], MOST_SITES) + 1))
    count = steps if isinstance(steps, int) else MONEY_STEPS
    tens = -(-enough[1] // ROUND_YUAN)
    return sorted({-(-tens * at // count) * ROUND_YUAN for at in range(1, count + 1)} - {0})


def _check(
    options: Matrices,
    cells: GeoDataFrame,
    existing: Matrices | None,
    units: GeoDataFrame | None,
    objective: Objective,
    rules: tuple[Rule, ...],
    by: By,
) -> None:
    """Check as `plan_sites` does, with the rule that the axis is; a budget of its own stands for it."""
    axis: tuple[Rule, ...] = (Sites(at_most=1),)
    if by == "money":
        axis = () if any(isinstance(rule, Budget) for rule in rules) else (Budget(0.0),)
    check_input(options, existing, cells, units, objective, (*rules, *axis))


def _quick(
    options: TravelTimes,
    cells: GeoDataFrame,
    existing: TravelTimes | None,
    units: GeoDataFrame | None,
    objective: Objective,
    rules: tuple[Rule, ...],
    by: By,
    seed: int,
    work_limit: int,
) -> tuple[Solver, tuple[int, int], int]:
    kept = tuple(rule for rule in rules if by == "sites" or not isinstance(rule, Budget))
    cover = prepare_cover(options, cells, existing, units, objective.demands[0], kept)
    return cover_solver(cover, by, seed=seed, work_limit=work_limit), enough_cover(cover), cover.total


def _slow(
    options: Matrices,
    cells: GeoDataFrame,
    existing: Matrices | None,
    units: GeoDataFrame | None,
    objective: Objective,
    rules: tuple[Rule, ...],
    by: By,
    seed: int,
    work_limit: int,
) -> tuple[Solver, tuple[int, int], int]:
    case = build_case(options, existing, cells, units, objective, rules)
    check_case(case)
    model = prepare_model(case, by, seed=seed, work_limit=work_limit)
    return model_solver(model, by), model.enough, worth_of_all(case)


def _frontier(found: Sequence[Step], by: By, total: int, objective: Objective, rules: tuple[Rule, ...]) -> Frontier:
    steps = [step for step in found if isinstance(step, Traced)]
    barred = [step for step in found if isinstance(step, Barred)]
    if not steps:
        cure = ("请放宽要求。", "Loosen the rules.")
        raise InputError([bad("no_plan", f"要求无法满足：{barred[-1].zh}", f"the rules cannot be met: {barred[-1].en}", *cure)])
    most = tuple(step.value if step.proven else step.bound for step in steps)
    curve = Curve(tuple(step.limit for step in steps), tuple(step.value for step in steps), most)
    return Frontier(
        points=tuple(_point(step) for step in steps),
        skipped=tuple((step.limit, step.zh, step.en) for step in barred if step.limit > 0),
        bends=(chord_bend(curve), half_bend(curve)),
        by=by,
        total=total / PARTS_PER_PERSON,
        objective=objective,
        rules=rules,
    )


def _point(step: Traced) -> Point:
    return Point(
        limit=step.limit,
        sites=step.sites,
        net_yuan=step.yuan,
        value=step.value / PARTS_PER_PERSON,
        bound=step.bound / PARTS_PER_PERSON,
        status="optimal" if step.proven else "feasible",
        reproducible=step.reproducible,
    )
