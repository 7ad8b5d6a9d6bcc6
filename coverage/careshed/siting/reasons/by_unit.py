"""Count newly reached people by the units they live in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from careshed.schema import TIERS
from careshed.siting.planning.case import Case
from careshed.siting.planning.plan import Plan
from careshed.siting.problem import PARTS_PER_PERSON, Ints
from careshed.siting.reasons.ground import Ground
from careshed.siting.rules import climb

SENTENCE_TIER: Final = 2
"""Sentences name streets and townships; finer and larger units are in the table."""


@dataclass(frozen=True)
class Count:
    """People of one demand, or of a further group, by cell."""

    demand: int
    service: str
    group: str
    people: Ints
    """Millionths, shape (cells,)."""

    @property
    def labels(self) -> tuple[int, str, str]:
        """What is counted."""
        return self.demand, self.service, self.group


def unit_rows(case: Case, count: Count) -> Iterator[tuple[object, ...]]:
    """List units with their people, every person in the finest unit and in all above it; by code, larger units first."""
    table = case.units
    for code, parts in _by_unit(case, count.people).items():
        yield (*count.labels, code, table.names.get(code, ""), table.levels.get(code, ""), parts / PARTS_PER_PERSON)


def named_units(case: Case, counts: Sequence[Count]) -> tuple[tuple[str, float], ...]:
    """Name the streets and townships that gain, the most first; the finest units where there are none of that tier."""
    total: dict[str, int] = {}
    for count in counts:
        for code, parts in _by_unit(case, count.people).items():
            total[code] = total.get(code, 0) + parts
    levels = case.units.levels
    tiered = any(TIERS.get(level) == SENTENCE_TIER for level in levels.values())
    above = set(case.units.parents.values())
    mine = [
        (code, parts / PARTS_PER_PERSON)
        for code, parts in total.items()
        if code and (TIERS.get(levels.get(code, "")) == SENTENCE_TIER if tiered else code not in above)
    ]
    return tuple(sorted(mine, key=lambda one: (-one[1], one[0])))


def placed_rows(ground: Ground) -> list[tuple[object, ...]]:
    """List who is given a place at each new site, by the finest unit; as the plan deals them."""
    plan = ground.plan
    if ground.crowd is None or not isinstance(plan, Plan):
        return []
    unit = dict(zip(ground.case.cells.index, _finest(ground.case), strict=True))
    demands = ground.case.objective.demands
    table = plan.assignments[plan.assignments["site_id"].isin(plan.new)]
    summed = table.assign(unit=table["cell_id"].map(unit)).groupby(["site_id", "demand", "unit"], sort=True)["people"].sum()
    columns = (summed.reset_index()[name].tolist() for name in ("site_id", "demand", "unit", "people"))
    return [
        (site, at, demands[at].service, demands[at].group, code, people) for site, at, code, people in zip(*columns, strict=True)
    ]


def _finest(case: Case) -> list[str]:
    return list(map(str, case.cells["unit"])) if "unit" in case.cells.columns else [""] * len(case.cells)


def _by_unit(case: Case, people: Ints) -> dict[str, int]:
    """Sum up by unit and by all units above it, in the order of codes; cells of no unit under ""."""
    codes, at = np.unique(np.array(_finest(case), dtype=object).astype(str), return_inverse=True)
    sums = np.zeros(len(codes), dtype=np.int64)
    np.add.at(sums, at, people)
    found: dict[str, int] = {}
    for code, parts in zip(map(str, codes), sums.tolist(), strict=True):
        for unit in climb(code, case.units.parents) or (code,):
            found[unit] = found.get(unit, 0) + parts
    return {code: found[code] for code in sorted(found) if found[code] > 0}
