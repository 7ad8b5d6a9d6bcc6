"""Hold a siting answer with its proof, and re-check it from the raw travel costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from careshed.display import Table, bar, card, display_language
from careshed.siting.problem import PARTS_PER_PERSON, cells_reached, cost_limit, pairs_within
from careshed.siting.solve import BoundBy, Status
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes
    from careshed.schema import Fault


@dataclass(frozen=True)
class SitePlan:
    """Sites in the order in which to build them, the people each reaches, and what no other choice can exceed."""

    sites: GeoDataFrame
    """Index ``candidate_id`` in rank order; columns ``rank``, ``name``, ``kind``, ``unit``, ``unit_name``, ``people_new``
    (reached by none before it), ``people_cumulative`` (reached after it, existing facilities included), ``share_cumulative``
    (of `people_total`; NaN where that is 0), ``for_unit`` (the finest unit that gets its first facility with it, else ""),
    ``reason_zh``, ``reason_en``, ``cost_yuan``, ``places``, ``area_m2``, ``geometry``."""
    people_total: float
    """People of the group on all cells, those on unattached cells included."""
    people_covered_before: float
    """People whom the existing facilities reach within the limit."""
    people_covered_after: float
    """People whom existing facilities and the sites reach: the objective."""
    bound: float
    """Proven upper bound on `people_covered_after` under the same rules, people."""
    gap: float
    """(bound − people_covered_after) as a share of the people newly reached, which is the strict way to say it; 0 is proven."""
    status: Status
    """``"optimal"`` only where bound and answer differ by less than any other answer could, or than a hundredth of a person."""
    bound_by: BoundBy
    """What the bound rests on: ``"lagrangian"`` is our own whole-number proof, ``"highs"`` the branch and bound of HiGHS."""
    method: str
    reproducible: bool
    """False only where the safety time stop ended the exact search: a faster machine might answer better."""
    group: str
    limit_minutes: float | None
    limit_metres: float | None
    n_asked: int
    findings: tuple[Fault, ...] = field(default=())
    units_without_before: tuple[str, ...] = ()
    """Units of the asked levels without an existing facility."""
    units_without_after: tuple[str, ...] = ()
    """Those still without one when all sites stand."""

    def _repr_html_(self) -> str:
        lang = display_language()
        return card(
            pick(lang, f"选址方案：{len(self.sites)} 处", f"Site plan: {len(self.sites)} sites"),
            [(pick(lang, "证明", "proof"), _proof(self, lang))],
            lead=_gain(self, lang),
            table=_sites_table(self, lang),
        )


def _gain(plan: SitePlan, lang: Lang) -> str:
    who, total = group_name(plan.group, lang), plan.people_total
    before, after = (people / total if total else 0.0 for people in (plan.people_covered_before, plan.people_covered_after))
    by_time = plan.limit_minutes is not None
    limit = f"{plan.limit_minutes:g}" if by_time else f"{plan.limit_metres or 0:g}"
    within = pick(lang, f"{limit} 分钟" if by_time else f"{limit} 米", f"{limit} min" if by_time else f"{limit} m")
    return pick(
        lang,
        f"{total:,.0f} 名{who}中，{within}内可达的由 {before:.1%} 升至 {after:.1%}",
        f"of {total:,.0f} {who}, those within {within} rise from {before:.1%} to {after:.1%}",
    )


def _proof(plan: SitePlan, lang: Lang) -> str:
    if plan.status == "optimal":
        return pick(lang, "已证明最优：同样规则下没有更好的方案", "optimal: no other choice under the same rules reaches more")
    most = f"{plan.bound:,.0f}"
    return pick(
        lang,
        f"同样规则下任何方案都不超过 {most} 人（差 {plan.gap:.2%}）",
        f"no choice under the same rules reaches more than {most} people (gap {plan.gap:.2%})",
    )


def _sites_table(plan: SitePlan, lang: Lang) -> Table:
    headers = (
        pick(lang, "序", "rank"),
        pick(lang, "候选点", "site"),
        pick(lang, "所在单元", "unit"),
        pick(lang, "新增可达", "newly reached"),
        pick(lang, "累计占比", "share after it"),
        pick(lang, "理由", "reason"),
    )
    rows = [
        (
            str(row["rank"]),
            str(row["name"]),
            str(row["unit_name"]),
            f"{row['people_new']:,.0f}",
            bar(float(row["share_cumulative"])),
            str(row[pick(lang, "reason_zh", "reason_en")]),
        )
        for row in plan.sites.drop(columns="geometry").to_dict("records")
    ]
    return Table(headers, rows, frozenset({0, 3}))


def check_plan(plan: SitePlan, options: TravelTimes, existing: TravelTimes | None, cells: GeoDataFrame) -> None:
    """Re-count a plan from the raw travel costs, apart from how it was found.

    Raises
    ------
    ValueError
        Naming every figure that does not add up.
    """
    limit = cost_limit(options, plan.limit_minutes, plan.limit_metres)
    people = cells[plan.group].to_numpy(dtype=np.float64)
    reached = cells_reached(existing, limit, len(cells))
    told, wrong = [("people_covered_before", plan.people_covered_before, float(people[reached].sum()))], []
    pairs = pairs_within(options, limit)
    for site, row in zip(plan.sites.index, options.facilities.index.get_indexer(plan.sites.index), strict=True):
        if row < 0 or options.facility_fault[row] != "":
            wrong.append(f"{site} is no candidate that can be attached")
            continue
        near = pairs.of(int(row))
        said = plan.sites.loc[site]
        told.append((f"people_new of {site}", said["people_new"], float(people[near[~reached[near]]].sum())))
        reached[near] = True
        told.append((f"people_cumulative of {site}", said["people_cumulative"], float(people[reached].sum())))
    told.append(("people_covered_after", plan.people_covered_after, float(people[reached].sum())))
    told.append(("people_total", plan.people_total, float(people.sum())))
    slack = (len(cells) + 1) / PARTS_PER_PERSON + 1e-9 * float(people.sum())
    wrong.extend(f"{what} is {said:.6f}, counted {counted:.6f}" for what, said, counted in told if abs(said - counted) > slack)
    if plan.bound < plan.people_covered_after:
        wrong.append(f"bound {plan.bound:.6f} is below people_covered_after {plan.people_covered_after:.6f}")
    if len(plan.sites) > plan.n_asked or list(plan.sites["rank"]) != list(range(1, len(plan.sites) + 1)):
        wrong.append(f"{len(plan.sites)} sites where {plan.n_asked} were asked, or ranks that do not count up")
    if wrong:
        raise ValueError("the plan does not add up: " + "; ".join(wrong))
