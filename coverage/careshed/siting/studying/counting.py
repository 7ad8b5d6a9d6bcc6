"""Count whom a plan reaches, unit by unit, and where its sites lie."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from careshed.access import lineage, unit_sums
from careshed.siting.planning import Demand, Plan
from careshed.siting.problem import cost_limit

if TYPE_CHECKING:
    import pandas as pd

    from careshed.reach import TravelTimes
    from careshed.siting.studying.problem import PlanProblem

UNIT_COLUMNS = ("unit", "group", "service", "people", "before", "after", "sites_before", "sites_after", "new")


def reached_cells(problem: PlanProblem, demand: Demand, sites: Collection[str] | None) -> NDArray[np.bool_]:
    """Mark the cells from which enough sites are within a demand's limit.

    Parameters
    ----------
    sites
        Ids of the sites that count; None for those that stand today.
    """
    hits = np.zeros(len(problem.study.cells), dtype=np.int64)
    for matrices, standing in ((problem.existing, True), (problem.options, False)):
        times = matrices[demand.service]
        limit = (
            times.limit if demand.minutes is None and demand.metres is None else cost_limit(times, demand.minutes, demand.metres)
        )
        for row, name in enumerate(map(str, times.facilities.index)):
            if (standing if sites is None else name in sites) and (standing or times.facility_fault[row] == ""):
                part = slice(times.indptr[row], times.indptr[row + 1])
                hits[times.indices[part][times.cost[part] <= limit]] += 1
    return hits >= demand.sites_needed


def hosting(plan: Plan) -> dict[str, frozenset[str]]:
    """Sites of a plan by the services they host."""
    hosts = [(str(name), set(str(told).split(";"))) for name, told in plan.sites["services"].items()]
    services = sorted({service for _, told in hosts for service in told})
    return {service: frozenset(name for name, told in hosts if service in told) for service in services}


def unit_table(problem: PlanProblem, plan: Plan) -> pd.DataFrame:
    """Count by unit who is reached before and after, and the sites: the study as a whole first, then every unit.

    Returns
    -------
    pandas.DataFrame
        One row a demand and unit: `UNIT_COLUMNS`; people look for the service, ``unit`` is "ALL" for the whole.
    """
    import pandas as pd

    study, hosts = problem.study, hosting(plan)
    rows = []
    for demand in problem.objective.demands:
        people = study.cells[demand.group].to_numpy(dtype=float) * demand.rate
        mine = hosts.get(demand.service, frozenset())
        before, after = (reached_cells(problem, demand, sites) for sites in (None, mine))
        counted = np.column_stack([people, np.where(before, people, 0.0), np.where(after, people, 0.0)])
        names, sums = unit_sums(counted, study.cells["unit"].to_numpy(dtype=object), study.units)
        stand = _by_unit(problem, problem.existing[demand.service], None)
        kept = _by_unit(problem, problem.existing[demand.service], mine)
        new = _by_unit(problem, problem.options[demand.service], mine)
        for unit, (all_, was, now) in zip(names, sums.tolist(), strict=True):
            sites = (stand.get(unit, 0), kept.get(unit, 0) + new.get(unit, 0), new.get(unit, 0))
            rows.append((unit, demand.group, demand.service, all_, was, now, *sites))
    return pd.DataFrame(rows, columns=list(UNIT_COLUMNS))


def _by_unit(problem: PlanProblem, times: TravelTimes, sites: Collection[str] | None) -> Mapping[str, int]:
    """Count the sites of each unit; a site lies in its unit and in all above it."""
    found: dict[str, int] = {}
    for name, unit in zip(map(str, times.facilities.index), times.facilities["unit"], strict=True):
        if sites is None or name in sites:
            for code in ("ALL", *lineage(str(unit), problem.study.units)):
                found[code] = found.get(code, 0) + 1
    return found
