"""Find the best answer for every kind of objective, stage by stage, each with its bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from careshed.siting.planning.aims import aims_of, beyond_cost, must
from careshed.siting.planning.case import Reach
from careshed.siting.planning.claims import Counted, in_unit, line, total_parts, unit_counts
from careshed.siting.planning.kinds import Attendance, PCentre, PMedian, ServedMedian, SetCover, WorstUnit
from careshed.siting.planning.model import Aim, Draft, Line, Steps, add_column, plain_steps, summed
from careshed.siting.planning.plan import Stage, ValueUnit
from careshed.siting.planning.solving import (
    NONE,
    TOLERANCE,
    Found,
    OutOfWork,
    StepTable,
    grain_of,
    holds,
    opened_by,
    search,
    settle,
    step_table,
)
from careshed.siting.problem import PARTS_PER_PERSON, Flags, Ints


@dataclass(frozen=True)
class Optimum:
    """The answer, or that there is none."""

    possible: bool
    amount: Ints
    stages: tuple[Stage, ...]
    whole: bool
    """Whether work alone ended every search."""


IMPOSSIBLE = Optimum(False, NONE.amount, (), True)


def best(draft: Draft, lines: Sequence[Line], *, nodes: int, seed: int) -> Optimum:
    """Solve what the objective asks under the claims' rows."""
    objective = draft.case.objective
    if isinstance(objective, PCentre):
        return _centre(draft, lines, objective, nodes, seed)
    if isinstance(objective, WorstUnit):
        return _worst_first(draft, lines, objective, nodes, seed)
    aim = aims_of(draft)[0]
    found = search(draft, lines, aim, nodes=nodes, seed=seed)
    if not found.possible:
        return IMPOSSIBLE
    amount = _without_idle(draft, lines, aim, found.amount)
    return Optimum(True, amount, (_stage(draft, aim, found),), found.whole)


def _stage(draft: Draft, aim: Aim, found: Found) -> Stage:
    objective = draft.case.objective
    unit: ValueUnit = "people"
    if isinstance(objective, SetCover):
        unit = "sites" if objective.least == "sites" else "yuan"
    elif isinstance(objective, PMedian | ServedMedian):
        unit = "person_minutes" if draft.case.reaches[0].per == 60_000 else "person_metres"
    elif isinstance(objective, Attendance) and objective.most is None:
        unit = "visits"
    way = draft.case.reaches[0].limit / draft.case.reaches[0].per if unit in ("person_minutes", "person_metres") else 1.0
    proven = found.gap < _same(aim, way)
    return Stage(type(objective).__name__, found.value / aim.per, found.bound / aim.per, unit, proven)


def _same(aim: Aim, way: float = 1.0) -> float:
    """Whole units below which two values are the same: any other answer's step, or a hundredth of a person.

    Where rounding alone makes a bound looser than that, as much as the solver's rounding, but never a whole person (who
    travels `way` minutes or metres).
    """
    rounding = 2 * (TOLERANCE * sum(abs(factor) for factor in aim.factors) + 1e-6 * aim.per)
    return max(grain_of(aim), aim.per // 100, min(rounding, aim.per * way))


def _without_idle(draft: Draft, lines: Sequence[Line], aim: Aim | None, amount: Ints) -> Ints:
    """Leave out new sites that no rule needs and without which nothing gets worse, the last id first."""
    case, table = draft.case, step_table(draft)
    busy, follow = _busy(draft, aim, amount, table), np.concatenate([table.columns, np.array(list(draft.sums), dtype=np.int64)])
    rows = [row for row in [*draft.lines, *lines] if not _flows_in(draft, row)]
    for place in reversed(range(len(case.places))):
        if case.places[place].standing or not amount[place] or place in busy:
            continue
        posts = [draft.post_column(post) for post, one in enumerate(case.posts) if one.place == place]
        upgrades = [draft.extension_column(i) for i, one in enumerate(case.extensions) if one.place == place]
        less = amount.copy()
        less[[place, *posts, *upgrades]] = 0
        less[follow] = settle(draft, (less[: draft.decided] > 0).astype(np.int64), table)[follow]
        worse = aim is not None and aim.sense * (aim.value(less) - aim.value(amount)) < 0
        if not worse and all(holds(row, less) for row in rows):
            amount = less
    return amount


def _busy(draft: Draft, aim: Aim | None, amount: Ints, table: StepTable) -> set[int]:
    """Places that people go to, and those without which a step that counts for the aim would fail."""
    posts = [draft.case.posts[flow.post].place for flow in draft.flows if amount[flow.column]]
    if aim is None or not len(table.columns):
        return set(posts)
    counts = np.zeros(len(draft.lower), dtype=np.bool_)
    counts[aim.columns] = [factor != 0 for factor in aim.factors]
    opened = opened_by(draft, (amount[: draft.decided] > 0).astype(np.int64))
    tight = (table.open_posts(opened) == table.needed) & counts[table.columns]
    needed = np.unique(table.post[tight[table.step] & (opened[table.post] > 0)])
    return {*posts, *(draft.case.posts[post].place for post in needed.tolist())}


def _flows_in(draft: Draft, row: Line) -> bool:
    return bool(draft.flows) and bool((row.columns >= draft.flows[0].column).any())


def _centre(draft: Draft, lines: Sequence[Line], objective: PCentre, nodes: int, seed: int) -> Optimum:
    """Search the shortest radius by halves; each trial is a covering problem, so the radius is exact."""
    reaches = draft.case.reaches
    judged = [must(draft.case, reach, objective.beyond) for reach in reaches]
    apart = {beyond_cost(reach, objective.beyond) for reach, mine in zip(reaches, judged, strict=True) if mine.any()}
    radii = sorted(
        {int(cost) for reach, mine in zip(reaches, judged, strict=True) for cost in _costs(reach, mine)} | (apart or {0})
    )
    first = search(draft, lines, None, nodes=nodes, seed=seed)
    if not first.possible:
        return IMPOSSIBLE
    whole, answer, rows = first.whole, first, list[Line]()
    low, high, proved = 0, len(radii) - 1, 0
    while low < high:
        middle = (low + high) // 2
        tried = [
            [] if radii[middle] >= beyond_cost(reach, objective.beyond) else _within(draft, reach, mine, radii[middle])
            for reach, mine in zip(reaches, judged, strict=True)
        ]
        found = _tried(draft, lines, tried, nodes, seed)
        if found is not None and found.possible:
            high, answer, rows, whole = middle, found, [row for part in tried for row in part or ()], whole and found.whole
        else:
            low = middle + 1
            proved = low if found is not None else proved
    amount = _without_idle(draft, [*lines, *rows], None, answer.amount)
    unit: ValueUnit = "minutes" if reaches[0].per == 60_000 else "metres"
    value, bound = radii[high] / reaches[0].per, radii[min(proved, high)] / reaches[0].per
    return Optimum(True, amount, (Stage("PCentre", value, bound, unit, bound == value),), whole)


def _tried(draft: Draft, lines: Sequence[Line], rows: Sequence[list[Line] | None], nodes: int, seed: int) -> Found | None:
    """Try one radius: the answer, proof that there is none, or None where the work did not suffice."""
    given = [row for part in rows for row in part or ()]
    if None in rows:
        return NONE
    try:
        return search(draft, [*lines, *given], None, nodes=nodes, seed=seed)
    except OutOfWork:
        return None


def _costs(reach: Reach, mine: Flags) -> Ints:
    cell = np.repeat(np.arange(len(reach.parts)), np.diff(reach.start))
    return np.unique(reach.cost[mine[cell]])


def _within(draft: Draft, reach: Reach, mine: Flags, radius: int) -> list[Line] | None:
    """Rows that put enough sites within a radius of every cell; None where some cell has too few."""
    rows: dict[bytes, Line] = {}
    for cell in np.flatnonzero(mine).tolist():
        posts, costs = reach.of(cell)
        near = np.sort(posts[costs <= radius])
        if len(near) < reach.demand.sites_needed:
            return None
        counted: Counted = [(draft.post_column(post), 1) for post in near.tolist()]
        rows.setdefault(near.tobytes(), line(counted, reach.demand.sites_needed, None))
    return list(rows.values())


def _worst_first(draft: Draft, lines: Sequence[Line], objective: WorstUnit, nodes: int, seed: int) -> Optimum:
    """Lift the unit with the smallest share, then reach the most people with that share held in every unit."""
    steps = [plain_steps(draft, reach) for reach in draft.case.reaches]
    counts = _unit_totals(draft, objective, steps)
    share, largest = add_column(draft, whole=False), max((total for _, _, total in counts), default=0)
    rows = [line([*counted, (share, -total)], -constant, None, PARTS_PER_PERSON) for counted, constant, total in counts]
    aim = Aim(1, np.array([share], dtype=np.int64), (largest,), 0, PARTS_PER_PERSON, flows=True)
    first = search(draft, [*lines, *rows], aim, nodes=nodes, seed=seed)
    if not first.possible:
        return IMPOSSIBLE
    worst = min((_share(counted, constant, total, first.amount) for counted, constant, total in counts), default=Fraction(1))
    bound = max(min(Fraction(first.bound, max(largest, 1)), Fraction(1)), worst)
    proven = (bound - worst) * largest < PARTS_PER_PERSON // 100
    held = [line(counted, ceil(worst * total) - constant, None, PARTS_PER_PERSON) for counted, constant, total in counts]
    columns, factors, constant = summed(steps)
    people = Aim(1, columns, factors, constant, PARTS_PER_PERSON)
    second = search(draft, [*lines, *held], people, nodes=nodes, seed=seed)
    amount = _without_idle(draft, [*lines, *held], people, second.amount)
    done = second.gap < _same(people)
    stages = (
        Stage("WorstUnit", float(worst), float(bound), "share", proven),
        Stage("MaxCover", second.value / people.per, second.bound / people.per, "people", done),
    )
    return Optimum(True, amount, stages, first.whole and second.whole)


def _unit_totals(draft: Draft, objective: WorstUnit, steps: Sequence[Steps]) -> list[tuple[Counted, int, int]]:
    """For every demand and unit with people: who counts by step, who always does, and all."""
    found = []
    for reach, one in zip(draft.case.reaches, steps, strict=True):
        for code in draft.case.units.of_level(objective.level):
            mine = in_unit(draft.case, code)
            total = total_parts(draft, reach, mine, objective.of)
            if total:
                found.append((*unit_counts(one, mine), total))
    return found


def _share(counted: Counted, constant: int, total: int, amount: Ints) -> Fraction:
    return Fraction(constant + sum(factor * int(amount[column]) for column, factor in counted) // PARTS_PER_PERSON, total)
