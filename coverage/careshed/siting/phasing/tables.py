"""Read a plan over years into its tables: what opens when, what each year costs and leaves, whom it reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from careshed.siting.phasing.phase import Phase, Unused
from careshed.siting.phasing.plan import NestingCost
from careshed.siting.phasing.stack import Stack
from careshed.siting.planning.case import reachable
from careshed.siting.planning.model import Aim
from careshed.siting.planning.results import findings_of, money_of, site_table
from careshed.siting.planning.solving import settle
from careshed.siting.problem import PARTS_PER_PERSON, Flags, Ints

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.schema import Fault

COLUMNS = ("name", "status", "year", "unit", "places", "cost_yuan", "subsidy_yuan", "net_yuan", "geometry")


def _amount(stack: Stack, built: Ints, phase: int) -> Ints:
    """Columns of the one-year model when a phase has opened; −1 is today."""
    standing = np.array([place.standing for place in stack.base.case.places], dtype=np.bool_)
    return settle(stack.base, (np.where(standing, -1, built) <= phase).astype(np.int64), stack.table)


def sites_by_year(stack: Stack, built: Ints, phases: Sequence[Phase]) -> GeoDataFrame:
    """List new sites by year and id, then those that stand."""
    table = site_table(stack.base, _amount(stack, built, stack.last))
    year = {place.id: phases[at].year for place, at in zip(stack.base.case.places, built.tolist(), strict=True)
            if not place.standing and at < len(phases)}  # fmt: skip
    table.insert(2, "year", [year.get(str(name), 0) for name in table.index])
    new = table[table["status"] == "new"]
    order = [*sorted(map(str, new.index), key=lambda name: (year[name], name)), *table.index[table["status"] != "new"]]
    return table.loc[order, list(COLUMNS)]


def phase_table(
    stack: Stack,
    aim: Aim,
    built: Ints,
    phases: Sequence[Phase],
    unused: Unused,
    weights: Sequence[float],
    costs: Sequence[NestingCost],
) -> pd.DataFrame:
    """Tell for every phase what it builds, what that costs and leaves, and how many it reaches before and after."""
    import pandas as pd

    rows = []
    yuan_left, sites_left = 0.0, 0.0
    for at, phase in enumerate(phases):
        spent = [now - was for now, was in zip(_money(stack, built, at), _money(stack, built, at - 1), strict=True)]
        count = int((built[stack.new()] == at).sum())
        kept = unused == "carried_over"
        if phase.yuan is not None:
            yuan_left = (yuan_left if kept else 0.0) + round(phase.yuan) - (spent[0] - spent[1])
        if phase.sites is not None:
            sites_left = (sites_left if kept else 0.0) + phase.sites - count
        rows.append((
            phase.year, phase.name, weights[at], count, float(spent[0]), float(spent[1]), float(spent[0] - spent[1]),
            np.nan if phase.yuan is None else yuan_left, np.nan if phase.sites is None else sites_left,
            _reached(stack, aim, built, at - 1), _reached(stack, aim, built, at),
            costs[at].bound if costs else np.nan,
        ))  # fmt: skip
    names = ["year", "name", "weight", "new_sites", "cost_yuan", "subsidy_yuan", "net_yuan", "money_left", "sites_left",
             "before", "after", "bound"]  # fmt: skip
    return pd.DataFrame(rows, columns=names).set_index("year")


def _money(stack: Stack, built: Ints, phase: int) -> tuple[int, int]:
    """Cost and subsidy of everything new up to a phase, yuan."""
    cost, subsidy, _ = money_of(stack.base, _amount(stack, built, phase))
    return cost, subsidy


def _reached(stack: Stack, aim: Aim, built: Ints, phase: int) -> float:
    return aim.value(_amount(stack, built, phase)) / aim.per


def reached_table(stack: Stack, built: Ints, phases: Sequence[Phase]) -> pd.DataFrame:
    """Count the people of every demand, unweighted, before and after every phase."""
    import pandas as pd

    rows = []
    for at, phase in enumerate(phases):
        for number, reach in enumerate(stack.base.case.reaches):
            counted = [int(reach.parts[reachable(reach, _open(stack, built, one))].sum()) for one in (at - 1, at)]
            said = [int(reach.parts.sum()), *counted]
            rows.append((phase.year, number, reach.demand.group, reach.demand.service, *(one / PARTS_PER_PERSON for one in said)))
    names = ["year", "demand", "group", "service", "total", "before", "after"]
    return pd.DataFrame(rows, columns=names).set_index(["year", "demand"])


def _open(stack: Stack, built: Ints, phase: int) -> Flags:
    amount = _amount(stack, built, phase)
    return np.array([amount[post.place] > 0 for post in stack.base.case.posts], dtype=np.bool_)


def findings_by_year(stack: Stack, built: Ints) -> tuple[Fault, ...]:
    """Tell what a reader of the plan should know besides."""
    return findings_of(stack.base, _amount(stack, built, stack.last))
