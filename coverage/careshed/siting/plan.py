"""Hold a siting answer with its proof, and re-check it from the raw travel costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from careshed.siting.problem import PARTS_PER_PERSON, cells_reached, cost_limit, pairs_within
from careshed.siting.solve import BoundBy, Status

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
