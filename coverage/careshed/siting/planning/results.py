"""Read an answer into the plan's tables: sites with their money, who is reached, who goes where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from careshed.schema import Fault
from careshed.siting.planning.aims import beyond_cost, must
from careshed.siting.planning.case import UNKNOWN, Reach, reachable
from careshed.siting.planning.kinds import PCentre, PMedian, ServedMedian, SetCover
from careshed.siting.planning.model import Draft
from careshed.siting.planning.plan import Reached
from careshed.siting.planning.rules import Budget, Upgradable
from careshed.siting.problem import PARTS_PER_PERSON, Flags, Ints
from careshed.words import group_name

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

COLUMNS = ("name", "status", "unit", "services", "places", "cost_yuan", "subsidy_yuan", "net_yuan")


def site_table(draft: Draft, amount: Ints) -> GeoDataFrame:
    """List the sites that stand when the plan is carried out; new ones first, each part by id."""
    import geopandas as gpd
    import pandas as pd
    from shapely import Point

    case = draft.case
    rows = [(place.id, *_site_row(draft, amount, i), Point(place.xy)) for i, place in enumerate(case.places) if amount[i]]
    frame = pd.DataFrame(rows, columns=["site_id", *COLUMNS, "geometry"]).set_index("site_id")
    frame = frame.astype(dict.fromkeys(("places", "cost_yuan", "subsidy_yuan", "net_yuan"), float))
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=case.cells.crs)


def _site_row(draft: Draft, amount: Ints, at: int) -> tuple[str, str, str, str, float, float, float, float]:
    case = draft.case
    place = case.places[at]
    posts = [post for i, post in enumerate(case.posts) if post.place == at and amount[draft.post_column(i)]]
    grown = [one for i, one in enumerate(case.extensions) if one.place == at and amount[draft.extension_column(i)]]
    status = "new" if not place.standing else "extended" if grown else "kept"
    known = all(post.places != UNKNOWN for post in posts)
    places = sum(post.places for post in posts) + sum(one.places for one in grown) if known else np.nan
    cost = place.cost + sum(post.cost for post in posts) + sum(one.cost for one in grown)
    paid = sum(post.subsidy for post in posts) + sum(one.subsidy for one in grown)
    unit = place.chain[0] if place.chain else ""
    services = ";".join(sorted(post.service for post in posts))
    return place.name, status, unit, services, places / PARTS_PER_PERSON, float(cost), float(paid), float(cost - paid)


def upgrades_of(draft: Draft, amount: Ints) -> tuple[Upgradable, ...]:
    """Upgrades that are made, as the rules that allow them."""
    case = draft.case
    made = [case.rules[one.rule] for i, one in enumerate(case.extensions) if amount[draft.extension_column(i)]]
    return tuple(rule for rule in made if isinstance(rule, Upgradable))


def money_of(draft: Draft, amount: Ints) -> tuple[int, int, int]:
    """Yuan that the plan costs, that subsidies pay, and that closures cost."""
    case = draft.case
    posts = [post for i, post in enumerate(case.posts) if amount[draft.post_column(i)]]
    grown = [one for i, one in enumerate(case.extensions) if amount[draft.extension_column(i)]]
    roofs = sum(place.cost for i, place in enumerate(case.places) if amount[i])
    closing = sum(place.closing for i, place in enumerate(case.places) if place.standing and not amount[i])
    cost = roofs + sum(one.cost for one in posts) + sum(one.cost for one in grown)
    return cost, sum(one.subsidy for one in posts) + sum(one.subsidy for one in grown), closing


def _open(draft: Draft, amount: Ints) -> Flags:
    return np.array([amount[draft.post_column(i)] > 0 for i in range(len(draft.case.posts))], dtype=np.bool_)


def _stood(draft: Draft) -> Flags:
    return np.array([draft.case.places[post.place].standing for post in draft.case.posts], dtype=np.bool_)


def reached_of(draft: Draft, amount: Ints) -> tuple[Reached, ...]:
    """Count the people of every demand, whom the sites of today reach, and whom those of the plan do."""
    found = []
    for at, reach in enumerate(draft.case.reaches):
        served = sum(int(amount[flow.column]) for flow in draft.flows if flow.demand == at) if draft.flows else None
        found.append(
            Reached(
                group=reach.demand.group,
                service=reach.demand.service,
                total=int(reach.parts.sum()) / PARTS_PER_PERSON,
                before=int(reach.parts[reachable(reach, _stood(draft))].sum()) / PARTS_PER_PERSON,
                after=int(reach.parts[reachable(reach, _open(draft, amount))].sum()) / PARTS_PER_PERSON,
                served=None if served is None else served / PARTS_PER_PERSON,
            )
        )
    return tuple(found)


def assignment_table(draft: Draft, amount: Ints) -> pd.DataFrame:
    """Who goes where, by demand, cell and site; empty where any site within reach will do."""
    import pandas as pd

    if draft.flows:
        rows = _flow_rows(draft, amount)
    elif isinstance(draft.case.objective, PMedian | PCentre):
        rows = [row for at, reach in enumerate(draft.case.reaches) for row in _nearest_rows(draft, amount, at, reach)]
    else:
        rows = []
    names, ids = [place.id for place in draft.case.places], draft.case.cells.index
    told = [
        (at, ids[cell], names[draft.case.posts[post].place], people / PARTS_PER_PERSON, cost)
        for at, cell, post, people, cost in rows
    ]
    return pd.DataFrame(told, columns=["demand", "cell_id", "site_id", "people", "cost"])


def _flow_rows(draft: Draft, amount: Ints) -> list[tuple[int, int, int, int, int]]:
    """Share the people of every flow out to the cells of its group, in the order of cells."""
    left = {
        group: [int(draft.case.reaches[demand].parts[cell]) for cell in cells]
        for group, (demand, cells, _) in enumerate(draft.groups)
    }
    rows = []
    for flow in draft.flows:
        going, cells = int(amount[flow.column]), draft.groups[flow.group][1].tolist()
        for at, cell in enumerate(cells):
            people = min(going, left[flow.group][at])
            if people:
                rows.append((flow.demand, cell, flow.post, people, _cost(draft.case.reaches[flow.demand], cell, flow.post)))
                left[flow.group][at] -= people
                going -= people
    return sorted(rows)


def _cost(reach: Reach, cell: int, post: int) -> int:
    posts, costs = reach.of(cell)
    return int(costs[posts == post][0])


def _nearest_rows(draft: Draft, amount: Ints, at: int, reach: Reach) -> list[tuple[int, int, int, int, int]]:
    """Every cell goes to its nearest open site, or to the one that its demand waits for where it needs several."""
    stands, rows = _open(draft, amount), []
    for cell in np.flatnonzero(reach.parts > 0).tolist():
        posts, costs = reach.of(cell)
        near = np.flatnonzero(stands[posts])
        if len(near) >= reach.demand.sites_needed:
            last = near[reach.demand.sites_needed - 1]
            rows.append((at, cell, int(posts[last]), int(reach.parts[cell]), int(costs[last])))
    return rows


def findings_of(draft: Draft, amount: Ints) -> tuple[Fault, ...]:
    """Tell what a reader of the plan should know besides."""
    case = draft.case
    found = [finding for at in range(len(case.reaches)) for finding in _reach_findings(draft, amount, at)]
    new = [place for i, place in enumerate(case.places) if not place.standing and amount[i]]
    if not new:
        short = any(one.total - one.after >= 0.5 for one in reached_of(draft, amount)) and not isinstance(
            case.objective, SetCover
        )
        told = ("no_sites_built", "按这些规则不新建设施", "under these rules no new site is built")
        found.append(_noted(*(told if short else ("no_sites_needed", "无需新增设施", "no new site is needed"))))
    if any(isinstance(rule, Budget) and rule.subsidies for rule in case.rules):
        found += _subsidy_findings(draft)
    return tuple(found)


def _reach_findings(draft: Draft, amount: Ints, at: int) -> list[Fault]:
    reach, objective = draft.case.reaches[at], draft.case.objective
    who_zh, who_en = group_name(reach.demand.group, "zh"), group_name(reach.demand.group, "en")
    stood, found = reachable(reach, _stood(draft)), []
    if not reach.parts[~stood].any():
        found.append(_noted("all_covered", f"现有设施已覆盖全部{who_zh}", f"the sites that stand already reach all {who_en}"))
    lost = int(reach.parts[~reachable(reach, np.ones(len(draft.case.posts), dtype=np.bool_))].sum()) / PARTS_PER_PERSON
    if lost:
        zh, en = f"{lost:,.0f} 名{who_zh}没有任何候选点可达", f"no site or candidate reaches {lost:,.0f} of the {who_en}"
        found.append(_noted("beyond_all_candidates", zh, en, people=lost))
    if isinstance(objective, PMedian | PCentre | ServedMedian):
        found.append(_beyond_finding(draft, amount, reach))
    return found


def _beyond_finding(draft: Draft, amount: Ints, reach: Reach) -> Fault:
    """State the rule for people beyond the limit searched, and how many it counts."""
    objective = draft.case.objective
    beyond = objective.beyond if isinstance(objective, PMedian | PCentre | ServedMedian) else "forbid"
    apart = ~reachable(reach, _open(draft, amount))
    people = int(reach.parts[apart].sum()) / PARTS_PER_PERSON
    if isinstance(beyond, str):
        left = int(reach.parts[~must(draft.case, reach, beyond)].sum()) / PARTS_PER_PERSON
        zh, en = f"{left:,.0f} 人不在任何候选点的搜索范围内，未计入", f"{left:,.0f} people beyond every candidate are left out"
        return _noted("beyond_left_out", zh, en, people=left)
    cost = beyond_cost(reach, beyond) / reach.per
    zh, en = (
        f"{people:,.0f} 人超出搜索范围，按 {cost:g} 计",
        f"{people:,.0f} people beyond the limit searched count as {cost:g} each",
    )
    return _noted("beyond_counted", zh, en, people=people)


def _subsidy_findings(draft: Draft) -> list[Fault]:
    """Name candidates whose subsidy is not known, and those whose subsidy was cut to their cost."""
    case = draft.case
    new = [post for post in case.posts if not case.places[post.place].standing]
    unknown = sorted({case.places[post.place].id for post in new if post.places == UNKNOWN})
    capped = sorted(
        {case.places[post.place].id for post in new if post.subsidy and post.subsidy == case.places[post.place].cost + post.cost}
    )
    found = []
    if unknown:
        few = ", ".join(unknown[:8])
        zh, en = f"托位（床位）数未知，未计补贴：{few}", f"places unknown, so no subsidy is counted: {few}"
        found.append(_noted("subsidy_unknown", zh, en))
    if capped:
        few = ", ".join(capped[:8])
        zh, en = f"补贴以造价为限：{few}", f"subsidy cut to the cost: {few}"
        found.append(_noted("subsidy_capped", zh, en))
    return found


def _noted(code: str, zh: str, en: str, *, people: float = 0.0) -> Fault:
    return Fault(code=code, file="", zh=zh, en=en, severity="noted", people=people)
