"""Plan by brute force on whole tables: every choice of sites, services and upgrades is a row, every rule a column of misses.

Rules and objectives are read as in `planning_oracle`, written a second time, for towns with a thousand choices. Objectives that
give people places are left to `planning_oracle`, which sends them by a flow for each choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

import numpy as np
import planning_oracle as plain
from planning_oracle import Ask, Town

from careshed.siting.planning import (
    Amount,
    Attendance,
    Budget,
    Closable,
    EachSite,
    Forbidden,
    ForcedIn,
    Hosting,
    InclusiveShare,
    MaxCover,
    PCentre,
    PerUnit,
    PMedian,
    ReachInUnits,
    SetCover,
    Sites,
    Spacing,
    Upgradable,
    WorstUnit,
)

FAR = 10**6
"""Minutes that stand for no way at all."""


class Tables:
    """All choices of a town under rules: who hosts what in each, and what follows from it."""

    def __init__(self, town: Town, objective, rules) -> None:
        self.town, self.objective, self.rules = town, objective, rules
        self.sites, self.services = list(town.spots), sorted({demand.service for demand in objective.demands})
        self.hosts = [(name, service) for name in self.sites for service in self.services]
        self.growing = [rule for rule in rules if isinstance(rule, Upgradable)]
        every = list(plain.choices(town, objective, rules))
        self.hosting = np.array([[host in choice.hosts for host in self.hosts] for choice in every])
        self.grown = np.array([[rule in choice.upgrades for rule in self.growing] for choice in every]).reshape(len(every), -1)
        self.open = np.column_stack(
            [self.hosting[:, [name == site for site, _ in self.hosts]].any(axis=1) for name in self.sites]
        )
        self.new = np.array([name in town.new for name in self.sites])

    # ------------------------------------------------------------ money, numbers, amounts

    def net(self) -> np.ndarray:
        """Yuan, net of subsidies, of every choice."""
        rates = [rate for rule in self.rules if isinstance(rule, Budget) for rate in rule.subsidies]
        fitted = {rule.service: rule for rule in self.rules if isinstance(rule, Hosting)}

        def rate(name: str, build: str, service: str) -> float:
            where = plain.setting(self.town, self.town.spots[name])
            fits = [one for one in rates if one.build == build and one.setting in ("all", where)]
            return max((one.yuan for one in fits if one.service in ("", service)), default=0)

        roofs = [self.town.spots[name].cost if name in self.town.new else 0 for name in self.sites]
        total = self.open @ np.array(roofs, np.int64)
        for at, (name, service) in enumerate(self.hosts):
            spot, extra = self.town.spots[name], fitted[service].cost_yuan if service in fitted else 0
            if name in self.town.new:
                paid = min(rate(name, spot.build, service) * self.places(name, service), spot.cost + extra)
                total = total + self.hosting[:, at] * int(extra - paid)
        for at, rule in enumerate(self.growing):
            paid = min(rate(rule.id, rule.build, rule.service or self.services[0]) * rule.places, rule.cost_yuan)
            total = total + self.grown[:, at] * int(rule.cost_yuan - paid)
        for at, name in enumerate(self.sites):
            closing = [rule.cost_yuan for rule in self.rules if isinstance(rule, Closable) and name in rule.ids]
            if name in self.town.old and closing:
                total = total + ~self.open[:, at] * int(min(closing))
        return total

    def places(self, name: str, service: str) -> float:
        """Places of one service at a site, upgrades aside."""
        told = [rule.places for rule in self.rules if isinstance(rule, Hosting) and rule.service == service]
        return told[0] if told and told[0] is not None and name in self.town.new else self.town.spots[name].places

    def within(self, unit: str) -> np.ndarray:
        """Sites in a unit."""
        return np.array([not unit or unit in self.town.chain(self.town.spots[name].unit) for name in self.sites])

    def count(self, which: str, service: str = "", unit: str = "") -> np.ndarray:
        """Sites that a rule counts in every choice."""
        mine = self.within(unit) & (self.new if which == "new" else True)
        if service:
            at = [mine[self.sites.index(name)] and own == service for name, own in self.hosts]
            return self.hosting[:, at].sum(axis=1)
        return self.open[:, mine].sum(axis=1)

    def amount(self, measure: str, which: str, unit: str = "", *, inclusive: bool = False) -> np.ndarray:
        """Sites, places or area that a rule counts in every choice."""
        spots = [self.town.spots[name] for name in self.sites]
        like = np.array([spot.inclusive or not inclusive for spot in spots])
        mine = self.within(unit) & like & (self.new if which == "new" else True)
        if measure != "places":
            worth = np.array([1 if measure == "sites" else spot.area for spot in spots]) * mine
            return self.open @ worth.astype(np.int64)
        total = np.zeros(len(self.open), np.int64)
        for at, (name, service) in enumerate(self.hosts):
            if mine[self.sites.index(name)]:
                total += self.hosting[:, at] * int(self.places(name, service))
        for at, rule in enumerate(self.growing):
            if self.within(unit)[self.sites.index(rule.id)] and like[self.sites.index(rule.id)]:
                total += self.grown[:, at] * int(rule.places)
        return total

    # ------------------------------------------------------------ who is reached

    def minutes(self, demand) -> np.ndarray:
        """Minutes from every cell to every host that serves a demand within its limit, `FAR` if none."""
        limit = plain.LIMIT if demand.minutes is None else demand.minutes
        ways = np.full((len(self.town.cell_unit), len(self.hosts)), FAR)
        for at, (name, service) in enumerate(self.hosts):
            for cell, minutes in self.town.spots[name].near.items():
                if service == demand.service and minutes <= limit:
                    ways[cell, at] = minutes
        return ways

    def way(self, demand) -> np.ndarray:
        """Minutes from every cell to the open site that its demand waits for, shape (choices, cells)."""
        found = []
        for ways in self.minutes(demand):
            order = np.argsort(ways, kind="stable")
            order = order[ways[order] < FAR]
            met = np.cumsum(self.hosting[:, order], axis=1) >= demand.sites_needed
            last = np.append(ways[order], FAR)
            found.append(last[np.where(met.any(axis=1), met.argmax(axis=1), len(order))] if len(order) else
                         np.full(len(self.open), FAR))  # fmt: skip
        return np.column_stack(found)

    def ever(self, demand) -> np.ndarray:
        """Cells that enough of all sites could reach."""
        can = [(name, service) in plain.every_host(self.town, demand) for name, service in self.hosts]
        return (self.minutes(demand)[:, can] < FAR).sum(axis=1) >= demand.sites_needed

    def people(self, demand) -> np.ndarray:
        return np.array(self.town.people[demand.group], np.int64)

    def cells(self, unit: str) -> np.ndarray:
        return np.array([not unit or unit in self.town.chain(code) for code in self.town.cell_unit])

    def share_missed(self, demand, unit: str, share: float, of: str) -> np.ndarray:
        """Choices in which less than a share of a unit's people is reached."""
        mine, wanted, people = self.cells(unit), Fraction(str(share)), self.people(demand)
        total = int(people[mine & (self.ever(demand) if of == "reachable" else True)].sum())
        return wanted.denominator * ((self.way(demand) < FAR) @ (people * mine)) < wanted.numerator * total

    # ------------------------------------------------------------ claims

    def asks(self) -> list[Ask]:
        """All claims of rules and objective; what is missed is told for every choice at once."""
        return [*(ask for rule in self.rules for ask in self._asks(rule)), *self._objective_asks()]

    def _asks(self, rule) -> Iterator[Ask]:
        at = {name: i for i, name in enumerate(self.sites)}
        if isinstance(rule, Sites):
            yield Ask(rule, "", "sites", "", _span(rule, self.count(rule.which, rule.service)))
        elif isinstance(rule, PerUnit):
            for unit in rule.units or self.town.of_level(rule.level):
                yield Ask(rule, unit, "unit", "", _span(rule, self.count(rule.which, rule.service, unit)))
        elif isinstance(rule, Amount):
            for unit in self.town.of_level(rule.level) if rule.level else [""]:
                yield Ask(rule, unit, "unit" if unit else "other", "", _span(rule, self.amount(rule.measure, rule.which, unit)))
        elif isinstance(rule, ForcedIn | Forbidden):
            for name in sorted(set(rule.ids)):
                yield Ask(rule, "", "other", name, self.open[:, at[name]] == isinstance(rule, Forbidden))
        elif isinstance(rule, Budget):
            yield Ask(rule, "", "money", "", np.maximum(self.net() - rule.yuan, 0))
        elif isinstance(rule, EachSite):
            for name, spot in self.town.new.items():
                low = (rule.area_m2_at_least or 0) > spot.area or (rule.places_at_least or 0) > spot.places
                if low or (rule.places_at_most is not None and spot.places > rule.places_at_most):
                    yield Ask(rule, "", "other", name, self.open[:, at[name]])
        elif isinstance(rule, Spacing):
            for a, b in combinations(self.sites, 2):
                stand = (a in self.town.old) + (b in self.town.old)
                near = abs(self.town.spots[a].x - self.town.spots[b].x) < rule.metres
                if near and (stand == 0 or (stand == 1 and rule.with_existing)):
                    yield Ask(rule, "", "other", f"{a} {b}", self.open[:, at[a]] & self.open[:, at[b]])
        elif isinstance(rule, InclusiveShare):
            share, (part, whole) = Fraction(str(rule.at_least)), (
                self.amount(rule.measure, rule.which, inclusive=True), self.amount(rule.measure, rule.which))  # fmt: skip
            yield Ask(rule, "", "other", "", share.denominator * part < share.numerator * whole)
        elif isinstance(rule, ReachInUnits):
            for unit in rule.units or (self.town.of_level(rule.level) if rule.level else [""]):
                missed = self.share_missed(rule.demand, unit, rule.share, rule.of)
                yield Ask(rule, unit, "unit" if unit else "other", "", missed)

    def _objective_asks(self) -> Iterator[Ask]:
        for demand in self.objective.demands:
            if isinstance(self.objective, SetCover):
                yield Ask(None, "", "other", "", self.share_missed(demand, "", self.objective.share, self.objective.of))
            beyond = getattr(self.objective, "beyond", 0.0)
            if isinstance(beyond, str):
                some, ever = self.people(demand) > 0, self.ever(demand)
                if beyond == "forbid" and (some & ~ever).any():
                    yield Ask(None, "", "other", "lost", np.ones(len(self.open), bool))
                yield Ask(None, "", "other", "", ((self.way(demand) == FAR) & some & ever).any(axis=1))

    # ------------------------------------------------------------ objectives

    def scores(self) -> list[np.ndarray]:
        """Value of every choice, larger is better, the first part first."""
        objective = self.objective
        if isinstance(objective, SetCover):
            return [-self.net() if objective.least == "money" else -self.open[:, self.new].sum(axis=1)]
        if isinstance(objective, WorstUnit):
            return [self._worst(), sum((self.way(d) < FAR) @ self.people(d) for d in objective.demands)]
        if isinstance(objective, PCentre):
            return [-np.max([self._ways(demand).max(axis=1, initial=0) for demand in objective.demands], axis=0)]
        parts = {MaxCover: self._covered, Attendance: self._attending, PMedian: self._travel}
        return [sum(parts[type(objective)](demand) for demand in objective.demands)]

    def _covered(self, demand) -> np.ndarray:
        ways = self.way(demand)
        shares = np.vectorize(lambda way: 0.0 if way == FAR else plain._share(demand, way), otypes=[float])(ways)
        return shares @ (self.people(demand) * demand.weight)

    def _attending(self, demand) -> np.ndarray:
        ways = self.minutes(demand)
        shares = np.vectorize(lambda way: 0.0 if way == FAR else plain._share(demand, way), otypes=[float])(ways)
        visits = self.hosting @ shares.T
        return np.minimum(visits, np.inf if self.objective.most is None else self.objective.most) @ (
            self.people(demand) * demand.weight
        )

    def _ways(self, demand) -> np.ndarray:
        """Minutes of every cell that is judged; what stands for no way where there is none."""
        beyond, ways = self.objective.beyond, self.way(demand)
        judged = (self.people(demand) > 0) & (self.ever(demand) if beyond == "leave_out" else True)
        return np.where(ways == FAR, plain.LIMIT if isinstance(beyond, str) else beyond, ways) * judged

    def _travel(self, demand) -> np.ndarray:
        return -(self._ways(demand) @ (self.people(demand) * demand.weight))

    def _worst(self) -> np.ndarray:
        worst = np.ones(len(self.open))
        for demand in self.objective.demands:
            near, ever, people = self.way(demand) < FAR, self.ever(demand), self.people(demand)
            for unit in self.town.of_level(self.objective.level):
                mine = self.cells(unit)
                total = people[mine & (ever if self.objective.of == "reachable" else True)].sum()
                if total:
                    worst = np.minimum(worst, near @ (people * mine) / total)
        return worst


def _span(rule, count: np.ndarray) -> np.ndarray:
    most = np.inf if rule.at_most is None else rule.at_most
    return np.maximum(rule.at_least - count, 0) + np.maximum(count - most, 0)


def brute(tables: Tables, asked: list[Ask]) -> tuple[tuple | None, tuple | None]:
    """The best score, or None; and where there is none the least relaxation (rules, units, yuan, sites)."""
    fits = ~np.any([ask.missed > 0 for ask in asked], axis=0) if asked else np.ones(len(tables.open), bool)
    if fits.any():
        parts = [np.where(fits, part, -np.inf) for part in tables.scores()]
        best = np.lexsort(parts[::-1])[-1]
        return tuple(float(part[best]) for part in parts), None
    zero = np.zeros(len(tables.open))
    units = {ask.unit for ask in asked if ask.kind == "unit"}
    without = [np.any([ask.missed > 0 for ask in asked if ask.kind == "unit" and ask.unit == unit], axis=0) for unit in units]
    price = [
        sum((ask.missed > 0 for ask in asked if ask.kind == "other"), zero),
        sum(without, zero),
        sum((ask.missed for ask in asked if ask.kind == "money"), zero),
        sum((ask.missed for ask in asked if ask.kind == "sites"), zero),
    ]
    least = np.lexsort(price[::-1])[0]
    return None, tuple(float(part[least]) for part in price)


def possible(some: list[Ask], choices: int) -> bool:
    """Whether some claims can hold together."""
    return bool((~np.any([ask.missed > 0 for ask in some], axis=0)).any()) if some else choices > 0
