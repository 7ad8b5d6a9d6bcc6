"""Read a finished plan back into sites, services and people, and make sure that it belongs to the tables given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from careshed.reach.times import TravelTimes
from careshed.schema import Fault, InputError
from careshed.siting.plan import SitePlan
from careshed.siting.planning.aims import objective_claims
from careshed.siting.planning.case import Case, Matrices, build_case
from careshed.siting.planning.checks import check_case, check_input
from careshed.siting.planning.claims import rule_claims
from careshed.siting.planning.kinds import OBJECTIVES, Demand, MaxCover, MaxServed, SetCover
from careshed.siting.planning.model import start_draft
from careshed.siting.planning.plan import Plan
from careshed.siting.planning.rule_checks import bad
from careshed.siting.planning.rules import PerUnit, Rule, Sites, Upgradable
from careshed.siting.problem import PARTS_PER_PERSON, Flags, Ints, check_match, cost_limit, people_parts
from careshed.siting.reasons import served, worth
from careshed.siting.reasons.guard import Guard, guard_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

AnyPlan: TypeAlias = SitePlan | Plan

SUPPORTED: Final = (MaxCover, MaxServed, SetCover)
"""Objectives that count people, of whom each site can be said to bring some."""


@dataclass(frozen=True)
class Site:
    """A site that a choice might add."""

    place: int
    posts: tuple[int, ...]
    after: Ints
    """The choice with the site."""


@dataclass(frozen=True)
class Ground:
    """A plan as decisions, with all that is needed to weigh any change of it."""

    plan: AnyPlan
    case: Case
    guard: Guard
    layers: tuple[worth.Layer, ...]
    crowd: served.Crowd | None
    """Only where the plan gives people places."""
    chosen: Ints
    """0 or 1 for every roof, service and upgrade, as in the model of the plan."""
    new: tuple[int, ...]
    """New sites of the plan, positions in `Case.places`, in the plan's own order."""
    unpriced: frozenset[int]
    """Candidates whose cost is not known."""
    columns: Ints
    """Decision that opens each post, shape (posts,)."""
    hosted: tuple[tuple[int, ...], ...]
    """Posts under each roof."""

    def opened(self, chosen: Ints) -> Flags:
        """Posts that some decisions open."""
        opened: Flags = chosen[self.columns] > 0
        return opened

    def room(self, chosen: Ints) -> Ints:
        """Millionths of a place at every post that some decisions open, upgrades made included."""
        opened = self.opened(chosen)
        room = np.array([post.places if opened[i] else 0 for i, post in enumerate(self.case.posts)], dtype=np.int64)
        for i, one in enumerate(self.case.extensions):
            room[one.post] += one.places * int(chosen[self.guard.draft.extension_column(i)])
        return room

    def counted(self, chosen: Ints) -> tuple[int, int]:
        """What the objective counts, and people: reached, or with a place where places are limited; millionths.

        For the least sites or money the objective here is the people reached.
        """
        if self.crowd is not None:
            return _tally(self.crowd, served.deal(self.crowd, self.room(chosen)))
        opened = self.opened(chosen)
        reached = [layer.reach.parts[worth.reached(layer, opened)].sum() for layer in self.layers]
        return sum(worth.worth(layer, opened) for layer in self.layers), int(sum(reached))

    def adding(self, chosen: Ints, sites: Sequence[Site]) -> list[tuple[int, int]]:
        """What each of several sites alone would add to a choice, as `counted` counts."""
        if self.crowd is None:
            more = worth.gains(self.layers, self.opened(chosen))
            return [(int(more.worth[list(one.posts)].sum()), int(more.people[list(one.posts)].sum())) for one in sites]
        base = served.deal(self.crowd, self.room(chosen))
        before, found = _tally(self.crowd, base), []
        for one in sites:
            tried, room = served.copied(base), self.room(one.after)
            for post in one.posts:
                served.open_post(self.crowd, tried, post, int(room[post]))
            after = _tally(self.crowd, tried)
            found.append((after[0] - before[0], after[1] - before[1]))
        return found

    def yuan(self, place: int, posts: Sequence[int]) -> float:
        """Net yuan of a new site with some services and the plan's upgrades of it; NaN where its cost is not known."""
        case, draft = self.case, self.guard.draft
        made = [one for i, one in enumerate(case.extensions) if one.place == place and self.chosen[draft.extension_column(i)]]
        known = case.places[place].cost + sum(case.posts[post].cost - case.posts[post].subsidy for post in posts)
        return np.nan if place in self.unpriced else float(known + sum(one.cost - one.subsidy for one in made))

    def posts_of(self, place: int) -> list[int]:
        """Services that the plan opens under a roof."""
        return [post for post in self.hosted[place] if self.chosen[self.columns[post]]]

    def cleared(self, chosen: Ints, place: int) -> Ints:
        """A choice less one site, its services and its upgrades."""
        less, draft = chosen.copy(), self.guard.draft
        less[place] = 0
        less[self.columns[list(self.hosted[place])]] = 0
        less[[draft.extension_column(i) for i, one in enumerate(self.case.extensions) if one.place == place]] = 0
        return less

    def own_site(self, chosen: Ints, place: int) -> Site:
        """A site of the plan as the plan has it, upgrades included, on top of a choice without it."""
        more = self.chosen - self.cleared(self.chosen, place)
        return Site(place, tuple(self.posts_of(place)), np.maximum(chosen, more))

    def other_site(self, chosen: Ints, place: int, services: Sequence[str]) -> Site | None:
        """A candidate with these services on top of a choice; None where it cannot host them all."""
        posts = [post for post in self.hosted[place] if self.case.posts[post].service in services]
        if len(posts) < len(services):
            return None
        more = chosen.copy()
        more[place] = 1
        more[self.columns[posts]] = 1
        return Site(place, tuple(posts), more)


def _tally(crowd: served.Crowd, dealt: served.Dealt) -> tuple[int, int]:
    return served.value(crowd, dealt), int((crowd.people - dealt.left).sum())


def read_ground(
    plan: AnyPlan, options: Matrices, cells: GeoDataFrame, existing: Matrices | None, units: GeoDataFrame | None
) -> Ground:
    """Read a plan; its tables must be those that it was made from.

    Raises
    ------
    careshed.schema.InputError
        If they are not, or the plan's objective does not count people.
    """
    case = _case_of(plan, options, cells, existing, units)
    draft = start_draft(case)
    claims = [*rule_claims(draft), *objective_claims(draft)]
    lost = sorted(set(map(str, plan.sites.index)) - {place.id for place in case.places})
    if lost:
        few = ", ".join(lost[:5])
        raise InputError([_differs(f"方案中的 {few} 不在所给表中", f"{few} of the plan are not in them")])
    chosen, new = _decisions(plan, case)
    crowd = served.crowd_of(case) if isinstance(case.objective, MaxServed) else None
    weighed = not isinstance(case.objective, SetCover)
    layers = tuple(worth.layer_of(reach, weighed=weighed) for reach in case.reaches)
    columns = np.array([draft.post_column(post) for post in range(len(case.posts))], dtype=np.int64)
    hosted: list[list[int]] = [[] for _ in case.places]
    for at, post in enumerate(case.posts):
        hosted[post.place].append(at)
    by_place = tuple(map(tuple, hosted))
    guard = guard_of(draft, claims, chosen)
    ground = Ground(plan, case, guard, layers, crowd, chosen, new, unpriced(case), columns, by_place)
    _check_value(ground)
    return ground


def _case_of(
    plan: AnyPlan, options: Matrices, cells: GeoDataFrame, existing: Matrices | None, units: GeoDataFrame | None
) -> Case:
    if isinstance(plan, SitePlan):
        return _ranked_case(plan, options, cells, existing, units)
    if not isinstance(plan.objective, SUPPORTED):
        raise InputError([_unsupported(type(plan.objective))])
    check_input(options, existing, cells, units, plan.objective, plan.rules)
    case = build_case(options, existing, cells, units, plan.objective, plan.rules)
    check_case(case)
    return case


def _ranked_case(
    plan: SitePlan, options: Matrices, cells: GeoDataFrame, existing: Matrices | None, units: GeoDataFrame | None
) -> Case:
    """Say a ranked plan in rules: so many sites, and one for every unit that got its first."""
    if not isinstance(options, TravelTimes) or not isinstance(existing, TravelTimes | None):
        cure = ("请给出方案所用的那一份。", "Give the one that the plan was made from.")
        zh, en = "rank_sites 的方案只用一份出行时间", "a plan of rank_sites has one matrix of travel costs"
        raise InputError([bad("one_matrix", zh, en, *cure)])
    demand = Demand(plan.group, minutes=plan.limit_minutes, metres=plan.limit_metres)
    try:
        check_match(options, existing, cells)
        cost_limit(options, plan.limit_minutes, plan.limit_metres)
        people_parts(cells, plan.group)
    except ValueError as error:
        raise InputError([_differs(str(error), str(error))]) from error
    served_units = tuple(code for code in plan.units_without_before if code not in plan.units_without_after)
    known = set() if units is None else {str(code) for code in units.index}
    lost = [code for code in served_units if code not in known]
    if lost:
        cure = ("请给出 units=。", "Give units=.")
        zh, en = (
            f"方案按单元选址，但单元表中没有 {', '.join(lost[:5])}",
            f"the plan serves units that are not given: {', '.join(lost[:5])}",
        )
        raise InputError([bad("units_missing", zh, en, *cure)])
    rules: list[Rule] = [Sites(at_most=plan.n_asked)]
    if served_units:
        rules.append(PerUnit("", at_least=1, units=served_units))
    return build_case(options, existing, cells, units, MaxCover((demand,)), tuple(rules))


def _decisions(plan: AnyPlan, case: Case) -> tuple[Ints, tuple[int, ...]]:
    """Put a plan into decisions, and list its new sites in its own order."""
    draft = start_draft(case)
    chosen = np.zeros(draft.decided, dtype=np.int64)
    if isinstance(plan, SitePlan):
        built = {str(name): {""} for name in plan.sites.index}
        stands = {place.id: {""} for place in case.places if place.standing}
        made: tuple[Upgradable, ...] = ()
    else:
        hosts = {str(name): set(str(told).split(";")) for name, told in plan.sites["services"].items()}
        built, stands, made = {name: hosts[name] for name in plan.new}, hosts, plan.upgrades
    for at, place in enumerate(case.places):
        chosen[at] = place.id in (stands if place.standing else built)
    for at, post in enumerate(case.posts):
        place = case.places[post.place]
        opened = post.service in (stands if place.standing else built).get(place.id, set())
        chosen[draft.post_column(at)] = int(chosen[post.place]) and int(opened)
    for at, one in enumerate(case.extensions):
        chosen[draft.extension_column(at)] = int(chosen[one.place]) and int(case.rules[one.rule] in made)
    where = {place.id: at for at, place in enumerate(case.places) if not place.standing}
    return chosen, tuple(where[name] for name in built if name in where)


def unpriced(case: Case) -> frozenset[int]:
    """Candidates without a cost in any table that lists them."""
    priced: set[str] = set()
    for times in case.matrices[0].values():
        table = times.facilities
        if "cost_yuan" in table.columns:
            priced |= {str(name) for name in table.index[table["cost_yuan"].notna()]}
    return frozenset(at for at, place in enumerate(case.places) if not place.standing and place.id not in priced)


def _check_value(ground: Ground) -> None:
    """Refuse tables under which the plan is worth something else than it says."""
    plan = ground.plan
    if isinstance(plan, SitePlan):
        said = plan.people_covered_after
    else:
        said = sum(one.after for one in plan.reached) if isinstance(plan.objective, SetCover) else plan.value
    counted = ground.counted(ground.chosen)[0] / PARTS_PER_PERSON
    if abs(said - counted) > 1e-3 + 1e-6 * len(ground.case.cells) + 1e-9 * abs(said):
        zh, en = f"方案记为 {said:,.3f}，按所给表为 {counted:,.3f}", f"the plan says {said:,.3f}, they make {counted:,.3f}"
        raise InputError([_differs(zh, en)])


def _differs(zh: str, en: str) -> Fault:
    cure = ("请给出制定该方案时所用的表。", "Give the tables that the plan was made from.")
    return bad("plan_differs", f"方案与所给数据不符：{zh}", f"the plan is not of these tables: {en}", *cure)


def _unsupported(kind: type) -> Fault:
    zh, en = OBJECTIVES[kind]
    cure = ("目前支持覆盖人数最多、有位可入的人数最多、最少投入。", "MaxCover, MaxServed and SetCover can be explained.")
    return bad(
        "objective_not_explained",
        f"目标“{zh}”不按新增人数衡量，无法逐处说明",
        f"the objective {en!r} is not counted in people reached, so its sites cannot be explained one by one",
        *cure,
    )
