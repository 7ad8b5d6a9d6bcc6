"""Plan over years by brute force: every year for every site, or never; money and rules read once more in the plainest way."""

from __future__ import annotations

import random
import re
from itertools import product

from planning_oracle import (
    Choice,
    MaxCover,
    SetCover,
    Sites,
    Town,
    asks,
    named,
    net,
    random_objective,
    random_rules,
    random_town,
    score,
)

from careshed.siting.phasing import Phase
from careshed.siting.planning import Budget, Closable, Upgradable


def at_most_holds(town: Town, objective, rules, choice: Choice) -> bool:
    """What must hold in every year follows from the last one; this is only for the free choice of an early year."""
    return not any(ask.missed(choice) for ask in asks(town, objective, [rule for rule in rules if lasting(rule)]))


def lasting(rule) -> bool:
    """Whether a rule is one that holds in every phase."""
    named = type(rule).__name__
    if named in ("Forbidden", "EachSite", "Spacing", "Budget"):
        return True
    return named in ("Sites", "PerUnit", "Amount") and rule.at_most is not None and not rule.at_least


def ways(town: Town, phases):
    """Every year (position) for every candidate; the number of phases means never."""
    names = list(town.new)
    for when in product(range(len(phases) + 1), repeat=len(names)):
        yield dict(zip(names, when, strict=True))


def choice_at(town: Town, when, phase: int) -> Choice:
    names = [*town.old, *(name for name, at in when.items() if at <= phase)]
    return Choice(frozenset((name, "") for name in names), frozenset())


def cost_of(town: Town, name: str, rules) -> float:
    old = Choice(frozenset(), frozenset())
    alone = Choice(frozenset({(name, "")}), frozenset())
    plain = Town(town.new, {}, town.people, town.cell_unit, town.units)
    return net(plain, alone, rules) - net(plain, old, rules)


def means_missed(town: Town, when, phases, rules, unused: str, until: int):
    """Yuan and sites that the years up to one lack, and minimums missed; walked year by year like an account."""
    yuan = sites = ahead = places = 0.0
    lack_yuan = lack_sites = other = 0.0
    for at, phase in enumerate(phases[: until + 1]):
        mine = [name for name, year in when.items() if year == at]
        if unused == "lapses":
            yuan, sites, ahead, places = max(yuan, 0.0) * 0, max(sites, 0.0) * 0, 0.0, 0.0
        if phase.yuan is not None:
            yuan += phase.yuan - sum(cost_of(town, name, rules) for name in mine)
            lack_yuan = max(lack_yuan, -yuan) if unused == "carried_over" else lack_yuan + max(-yuan, 0)
        if phase.sites is not None:
            sites += phase.sites - len(mine)
            lack_sites = max(lack_sites, -sites) if unused == "carried_over" else lack_sites + max(-sites, 0)
        ahead += len(mine) - phase.at_least_sites
        places += sum(town.new[name].places for name in mine) - phase.at_least_places
        other += bool(phase.at_least_sites and ahead < 0) + bool(phase.at_least_places and places < 0)
    return lack_yuan, lack_sites, other


def told_missed(town: Town, objective, rules, phases, unused, told, when) -> bool | None:
    """Whether an assignment of years misses what a plan names; None where its words do not tell two claims apart."""
    last = len(phases) - 1
    hit = re.fullmatch(r"(?:by|in) (\d{4}), (at most|at least) .*?(yuan|new site\(s\)|new place\(s\))( in all)?", told.en)
    if told.rule is not None or hit is None:
        ask = named(town, objective, rules, told)
        return None if ask is None else bool(ask.missed(choice_at(town, when, last)))
    at = [phase.year for phase in phases].index(int(hit[1]))
    counted = range(at + 1) if unused == "carried_over" else range(at, at + 1)
    mine = [name for name, year in when.items() if year in counted]
    if hit[2] == "at least":
        what = "at_least_sites" if hit[3] == "new site(s)" else "at_least_places"
        have = len(mine) if what == "at_least_sites" else sum(town.new[name].places for name in mine)
        return have < sum(getattr(phases[one], what) for one in counted)
    what = "yuan" if hit[3] == "yuan" else "sites"
    limited = [one for one in counted if getattr(phases[one], what) is not None]
    some = [name for name in mine if when[name] in limited]
    spent = len(some) if what == "sites" else sum(cost_of(town, name, rules) for name in some)
    return spent > sum(getattr(phases[one], what) for one in limited)


def core_is_exact(town: Town, objective, rules, phases, unused, claims) -> bool:
    """Whether claims cannot hold together, and can without any one of them."""
    table = []
    for when in ways(town, phases):
        missed = [told_missed(town, objective, rules, phases, unused, told, when) for told in claims]
        if None in missed:
            return True
        table.append(missed)
    alone = [any(row == [at == one for one in range(len(claims))] or not any(row[:at] + row[at + 1 :]) for row in table)
             for at in range(len(claims))]  # fmt: skip
    return all(any(row) for row in table) and all(alone)


def brute(town: Town, objective, rules, phases, weights, unused):
    """The best value of each stage, or None with the least relaxation; and the best of each year alone."""
    asked, last = asks(town, objective, rules), len(phases) - 1
    cover = MaxCover(objective.demands)
    best, least, free = None, None, [None] * len(phases)
    memo: dict = {}

    def judged(choice):
        key = choice.hosts
        if key not in memo:
            memo[key] = ([ask.missed(choice) for ask in asked], score(town, cover, choice, rules)[0],
                         at_most_holds(town, objective, rules, choice))  # fmt: skip
        return memo[key]

    for when in ways(town, phases):
        years = [judged(choice_at(town, when, at)) for at in range(len(phases))]
        for until in range(last):
            if years[until][2] and not any(means_missed(town, when, phases, rules, unused, until)):
                free[until] = max(years[until][1], -1 if free[until] is None else free[until])
        yuan, sites, other = means_missed(town, when, phases, rules, unused, last)
        missed = years[last][0]
        if not any(missed) and not (yuan or sites or other):
            reached = sum(weight * year[1] for weight, year in zip(weights, years, strict=True))
            value = (reached,)
            if isinstance(objective, SetCover):
                value = (score(town, objective, choice_at(town, when, last), rules)[0], reached)
            best = value if best is None or value > best else best
            free[last] = max(years[last][1], -1 if free[last] is None else free[last])
        elif best is None:
            price = (
                sum(bool(by) for ask, by in zip(asked, missed, strict=True) if ask.kind == "other") + other,
                len({ask.unit for ask, by in zip(asked, missed, strict=True) if ask.kind == "unit" and by}),
                sum(by for ask, by in zip(asked, missed, strict=True) if ask.kind == "money") + yuan,
                sum(by for ask, by in zip(asked, missed, strict=True) if ask.kind == "sites") + sites,
            )
            least = price if least is None or price < least else least
    return best, least, free


def random_phases(rng: random.Random) -> list[Phase]:
    count, year = rng.choice([1, 2, 2, 3]), 2026
    found = []
    for _ in range(count):
        sites = rng.choice([None, 0, 1, 1, 2])
        found.append(Phase(
            year, sites=sites, yuan=rng.choice([None, None, 0, 1, 2, 3, 5]),
            at_least_sites=rng.choice([0, 0, 0, 0, 1]) if sites != 0 else 0,
            weight=rng.choice([None, None, None, 0, 0.5, 2]), at_least_places=rng.choice([0, 0, 0, 0, 1, 3]),
        ))  # fmt: skip
        year += rng.choice([1, 1, 2])
    if all(phase.weight == 0 for phase in found):
        found[0] = Phase(2026, sites=1, yuan=2)
    return found


def random_case(rng: random.Random):
    """A town of up to four candidates, an objective, rules and phases."""
    town = random_town(rng)
    objective = random_objective(rng, rng.choice(["cover", "cover", "backup", "bands", "decay", "set"]))
    rules = [rule for rule in random_rules(rng, town) if not isinstance(rule, Closable | Upgradable)]
    return town, objective, rules, random_phases(rng), rng.choice(["carried_over", "carried_over", "lapses"])


__all__ = ["Budget", "Sites", "brute", "core_is_exact", "random_case"]
