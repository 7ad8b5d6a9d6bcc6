"""Answer ranking questions in a scenario, at any size: `rank_sites` for the best plan, counting for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from careshed.siting.problem import PARTS_PER_PERSON, Ints, Sparse, cells_reached, cost_limit, pairs_within, people_parts
from careshed.siting.rank import rank_sites
from careshed.siting.rules import UnitRules, read_rules
from careshed.siting.scenarios.asks import Ranking, Tables
from careshed.siting.scenarios.engine import Answer, Choice
from careshed.siting.solve import NODES

if TYPE_CHECKING:
    from careshed.reach import TravelTimes


@dataclass(frozen=True)
class RankingEngine:
    """A ranking question in one scenario."""

    ask: Ranking
    tables: Tables
    seed: int
    work_limit: int | None
    exact_regret: bool
    sense: int = 1

    def best(self) -> Answer:
        """The best plan that `rank_sites` finds."""
        return self._ranked(self.existing, self.ask.n)

    def value(self, choice: Choice) -> float:
        """People whom existing facilities and the sites reach."""
        return self.parts(choice) / PARTS_PER_PERSON

    def parts(self, choice: Choice) -> int:
        """The same in millionths."""
        return self.parts_reached(choice.sites)

    def gains(self, choice: Choice) -> dict[str, float | None]:
        """People whom no other site of the plan reaches."""
        hits, owner = self._owned(choice.sites)
        alone = hits == 1
        lost = np.zeros(len(choice.sites), dtype=np.int64)
        np.add.at(lost, owner[alone], self.demand[alone])
        return {site: int(people) / PARTS_PER_PERSON for site, people in zip(choice.sites, lost, strict=True)}

    def forced(self, answer: Answer, sites: Sequence[str]) -> dict[str, tuple[float | None, bool]]:
        """Best value with a site forced in: solved again, or the best single exchange in the best plan, which is a floor."""
        if not self.exact_regret:
            return {site: (self._exchanged(answer, site), False) for site in sites}
        return {site: self._solved_with(site) for site in sites}

    @property
    def options(self) -> TravelTimes:
        """Travel costs of the candidates."""
        return self.tables.options  # type: ignore[return-value]

    @property
    def existing(self) -> TravelTimes | None:
        """Travel costs of what stands."""
        return self.tables.existing  # type: ignore[return-value]

    @cached_property
    def pairs(self) -> Sparse:
        """Candidate -> cells within the limit."""
        return pairs_within(self.options, cost_limit(self.options, self.ask.minutes, self.ask.metres))

    @cached_property
    def covered(self) -> int:
        """Millionths of a person reached today."""
        return int(self._people.sum()) - int(self.demand.sum())

    @cached_property
    def _people(self) -> Ints:
        return people_parts(self.tables.cells, self.ask.group)

    @cached_property
    def demand(self) -> Ints:
        """Millionths of a person on each cell whom nothing reaches yet, shape (cells,)."""
        limit = cost_limit(self.options, self.ask.minutes, self.ask.metres)
        return np.where(cells_reached(self.existing, limit, len(self._people)), 0, self._people)

    @cached_property
    def rules(self) -> UnitRules:
        """The rule "at least one per unit", which no scenario changes."""
        return read_rules(self.options, self.existing, self.tables.units, self.ask.at_least_one_per, "")

    def parts_reached(self, sites: Sequence[str]) -> int:
        """Millionths of a person reached with these sites."""
        seen = np.zeros(len(self.demand), dtype=np.bool_)
        seen[self.pairs.gather(self.rows(sites))[0]] = True
        return self.covered + int(self.demand[seen].sum())

    def rows(self, sites: Sequence[str]) -> Ints:
        """Rows of the candidates in the travel costs."""
        return np.array([self._row[site] for site in sites], dtype=np.int64)

    @cached_property
    def _row(self) -> dict[str, int]:
        return {str(name): row for row, name in enumerate(self.options.facilities.index)}

    def _owned(self, sites: Sequence[str]) -> tuple[Ints, Ints]:
        """For every cell, how many of the sites reach it, and the last of them."""
        hits, owner = np.zeros(len(self.demand), dtype=np.int64), np.zeros(len(self.demand), dtype=np.int64)
        for at, row in enumerate(self.rows(sites)):
            hits[self.pairs.of(int(row))] += 1
            owner[self.pairs.of(int(row))] = at
        return hits, owner

    def _ranked(self, existing: TravelTimes | None, n: int) -> Answer:
        plan = rank_sites(
            self.options, self.tables.cells, existing=existing, minutes=self.ask.minutes, metres=self.ask.metres,
            group=self.ask.group, n=n, units=self.tables.units, at_least_one_per=self.ask.at_least_one_per, seed=self.seed,
            work_limit=NODES if self.work_limit is None else self.work_limit,
        )  # fmt: skip
        sites = tuple(sorted(map(str, plan.sites.index)))
        return Answer(Choice(sites), plan.people_covered_after, plan.bound, plan.status == "optimal")

    def _solved_with(self, site: str) -> tuple[float, bool]:
        """A site that is forced in is one that stands already, with one site less to choose."""
        answer = self._ranked(_standing(self.existing, self.options, self._row[site]), self.ask.n - 1)
        return answer.value, answer.proven

    def _exchanged(self, answer: Answer, site: str) -> float | None:
        """Best value with the site in place of one of the plan's, the units of the rule still served."""
        plan = answer.choice.sites
        hits, owner = self._owned(plan)
        near = self.pairs.of(self._row[site])
        fresh, single = near[hits[near] == 0], near[hits[near] == 1]
        if len(plan) < self.ask.n:
            return (self.parts_reached(plan) + int(self.demand[fresh].sum())) / PARTS_PER_PERSON
        lost, shared = np.zeros(len(plan), dtype=np.int64), np.zeros(len(plan), dtype=np.int64)
        np.add.at(lost, owner[hits == 1], self.demand[hits == 1])
        np.add.at(shared, owner[single], self.demand[single])
        may = [at for at in range(len(plan)) if self._serves_as_many(plan, at, site)]
        if not may:
            return None
        change = int(self.demand[fresh].sum()) + int((shared - lost)[may].max())
        return (self.parts_reached(plan) + change) / PARTS_PER_PERSON

    def _serves_as_many(self, plan: Sequence[str], out: int, site: str) -> bool:
        others = {unit for at, one in enumerate(plan) if at != out for unit in self.rules.chains.get(one, ())}
        new = set(self.rules.chains.get(site, ()))
        return set(self.rules.chains.get(plan[out], ())) <= others | new


def _standing(existing: TravelTimes | None, options: TravelTimes, row: int) -> TravelTimes:
    """What stands, and one candidate as if it stood."""
    import pandas as pd

    part = slice(options.indptr[row], options.indptr[row + 1])
    one = replace(
        options,
        facilities=options.facilities.iloc[[row]],
        indptr=np.array([0, part.stop - part.start], dtype=np.int64),
        indices=options.indices[part],
        cost=options.cost[part],
        facility_fault=options.facility_fault[[row]],
    )
    if existing is None:
        return one
    facilities = pd.concat([existing.facilities[["unit", "geometry"]], one.facilities[["unit", "geometry"]]])
    return replace(
        existing,
        facilities=facilities,
        indptr=np.concatenate([existing.indptr, existing.indptr[-1] + one.indptr[1:]]),
        indices=np.concatenate([existing.indices, one.indices]),
        cost=np.concatenate([existing.cost, one.cost]),
        facility_fault=np.concatenate([existing.facility_fault, one.facility_fault]),
        limit=min(existing.limit, options.limit),
    )
