"""Turn an objective into what it requires (claims) and what it maximises or minimises (aims)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from careshed.siting.planning.case import Case, Reach, reachable
from careshed.siting.planning.claims import Counted, line, money, reach_line
from careshed.siting.planning.kinds import (
    Attendance,
    Beyond,
    MaxCover,
    MaxServed,
    PCentre,
    PMedian,
    ServedMedian,
    SetCover,
)
from careshed.siting.planning.model import (
    ALWAYS,
    Aim,
    Claim,
    Draft,
    Line,
    add_flows,
    add_sums,
    plain_steps,
    saving_steps,
    summed,
    worth_steps,
)
from careshed.siting.problem import PARTS_PER_PERSON, Flags, Ints
from careshed.words import group_name


def objective_claims(draft: Draft) -> list[Claim]:
    """Write what the objective itself requires before it weighs anything."""
    objective = draft.case.objective
    if isinstance(objective, SetCover):
        return [_cover_claim(draft, reach, objective) for reach in draft.case.reaches]
    if isinstance(objective, ServedMedian):
        add_flows(draft, by_cost=True)
    if not isinstance(objective, PMedian | PCentre | ServedMedian) or not everyone(objective.beyond):
        return []
    rows = _served_rows if isinstance(objective, ServedMedian) else _reached_rows
    lost = [_lost_claim(reach) for reach in draft.case.reaches if objective.beyond == "forbid" and _lost(reach)]
    return [*lost, *(_everyone_claim(reach, rows(draft, at)) for at, reach in enumerate(draft.case.reaches))]


def everyone(beyond: Beyond) -> bool:
    """Whether everybody must have a site within the limit."""
    return isinstance(beyond, str)


def must(case: Case, reach: Reach, beyond: Beyond) -> Flags:
    """Cells that count: those with people, and where the rest is left out, only those that some usable site reaches."""
    counts = reach.parts > 0
    return counts & reachable(reach, np.ones(len(case.posts), dtype=np.bool_)) if beyond == "leave_out" else counts


def _cover_claim(draft: Draft, reach: Reach, objective: SetCover) -> Claim:
    who_zh, who_en = group_name(reach.demand.group, "zh"), group_name(reach.demand.group, "en")
    row = reach_line(draft, reach, plain_steps(draft, reach), "", objective.share, objective.of)
    zh, en = f"至少 {objective.share:.0%} 的{who_zh}在范围内", f"at least {objective.share:.0%} of the {who_en} reached"
    return Claim(-1, "other", "", zh, en, (row,))


def _everyone_claim(reach: Reach, rows: tuple[Line, ...]) -> Claim:
    who_zh, who_en = group_name(reach.demand.group, "zh"), group_name(reach.demand.group, "en")
    return Claim(-1, "other", "", f"所有{who_zh}都须有设施可用", f"all {who_en} must have a site", rows)


def _lost(reach: Reach) -> int:
    """People whom no site reaches at all, millionths."""
    few = np.diff(reach.start) < reach.demand.sites_needed
    return int(reach.parts[few].sum())


def _lost_claim(reach: Reach) -> Claim:
    who_zh, who_en = group_name(reach.demand.group, "zh"), group_name(reach.demand.group, "en")
    people = _lost(reach) / PARTS_PER_PERSON
    zh, en = f"{people:,.0f} 名{who_zh}没有任何候选点可达", f"{people:,.0f} {who_en} whom no candidate reaches"
    return Claim(-1, "other", "", zh, en, (line([], 1, None),))


def _reached_rows(draft: Draft, at: int) -> tuple[Line, ...]:
    """Everybody whom some site can reach must be reached."""
    steps = plain_steps(draft, draft.case.reaches[at])
    return tuple(line([(column, 1)], 1, None) for column in sorted(set(steps.column.tolist()) - {ALWAYS}))


def _served_rows(draft: Draft, at: int) -> tuple[Line, ...]:
    """Everybody whom some site can reach must have a place."""
    by_group: dict[int, Counted] = {}
    for flow in draft.flows:
        by_group.setdefault(flow.group, []).append((flow.column, PARTS_PER_PERSON))
    mine = [(group, people) for group, (demand, _, people) in enumerate(draft.groups) if demand == at]
    return tuple(line(by_group[group], people, None, PARTS_PER_PERSON) for group, people in mine)


def aims_of(draft: Draft) -> list[Aim]:
    """Write what is weighed; () for the p-centre and the worst-off unit, which are searched."""
    return list(_aims(draft))


def _aims(draft: Draft) -> Iterator[Aim]:
    objective, reaches = draft.case.objective, draft.case.reaches
    if isinstance(objective, MaxCover):
        yield _aim(1, summed(worth_steps(draft, reach) for reach in reaches), PARTS_PER_PERSON)
    elif isinstance(objective, Attendance):
        yield _attendance_aim(draft, objective.most)
    elif isinstance(objective, SetCover):
        counted, constant = money(draft) if objective.least == "money" else (new_sites(draft.case), 0)
        row = line(counted, None, None)
        yield Aim(-1, row.columns, tuple(row.factors.tolist()), constant, 1)
    elif isinstance(objective, PMedian):
        yield median_aim(draft, objective.beyond)
    elif isinstance(objective, MaxServed):
        add_flows(draft, by_cost=False)
        worth = [round(reaches[flow.demand].demand.weight * PARTS_PER_PERSON) for flow in draft.flows]
        yield Aim(1, _flow_columns(draft), tuple(worth), 0, PARTS_PER_PERSON, flows=True)
    elif isinstance(objective, ServedMedian):
        yield _served_aim(draft, objective.beyond)


def _attendance_aim(draft: Draft, most: float | None) -> Aim:
    """Expected attendance of all demands, at every post by itself or in sums that are capped."""
    found: dict[int, int] = {}
    for reach in draft.case.reaches:
        for column, worth in add_sums(draft, reach, most).items():
            found[column] = found.get(column, 0) + worth
    row = line(list(found.items()), None, None)
    return Aim(1, row.columns, tuple(row.factors.tolist()), 0, PARTS_PER_PERSON, flows=bool(draft.sums))


def _aim(sense: int, counted: tuple[Ints, tuple[int, ...], int], per: int) -> Aim:
    columns, factors, constant = counted
    return Aim(1 if sense > 0 else -1, columns, factors, constant, per)


def new_sites(case: Case) -> Counted:
    """Columns of the sites that would be built."""
    return [(i, 1) for i, place in enumerate(case.places) if not place.standing]


def beyond_cost(reach: Reach, beyond: Beyond) -> int:
    """Cost of a person without an open site, in whole costs; the limit where everybody must have one."""
    return reach.limit if isinstance(beyond, str) else round(beyond * reach.per)


def median_aim(draft: Draft, beyond: Beyond) -> Aim:
    """Travel of all people: what it is if nobody has a site, less what every radius saves."""
    reaches = draft.case.reaches
    steps = [saving_steps(draft, reach, beyond_cost(reach, beyond)) for reach in reaches]
    columns, factors, saved = summed(steps, -1)
    base = 0
    for reach in reaches:
        weighed = np.rint(reach.parts * reach.demand.weight)[must(draft.case, reach, beyond)]
        base += sum(int(parts) for parts in weighed) * beyond_cost(reach, beyond)
    return Aim(-1, columns, factors, base + saved, PARTS_PER_PERSON * reaches[0].per)


def _served_aim(draft: Draft, beyond: Beyond) -> Aim:
    """Travel of all people who have a place, and the cost of those who have none."""
    base, factors = 0, []
    for flow in draft.flows:
        reach = draft.case.reaches[flow.demand]
        weight = round(reach.demand.weight * PARTS_PER_PERSON)
        factors.append((flow.cost - beyond_cost(reach, beyond)) * weight)
    for reach in draft.case.reaches:
        counts = reach.parts[must(draft.case, reach, beyond)]
        base += int(counts.sum()) * beyond_cost(reach, beyond) * round(reach.demand.weight * PARTS_PER_PERSON) // PARTS_PER_PERSON
    return Aim(-1, _flow_columns(draft), tuple(factors), base, PARTS_PER_PERSON * draft.case.reaches[0].per, flows=True)


def _flow_columns(draft: Draft) -> Ints:
    return np.array([flow.column for flow in draft.flows], dtype=np.int64)
