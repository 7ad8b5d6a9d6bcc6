"""Write a case as one sparse mixed-integer model: sites, services, upgrades, and the steps by which people are reached.

People count by steps: a step is a set of posts and how many of them must be open; it is 1 where they are. A cell whose worth
falls with travel has a step for every level of worth, a p-median cell one for every radius (García, Labbé and Marín, 2011;
Elloumi, 2010). Cells with the same set share the step, whatever their unit or weight: what differs is only what the step is
worth, and that is kept apart for every row that counts people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careshed.siting.planning.case import Case, Reach
from careshed.siting.problem import PARTS_PER_PERSON, Flags, Ints

ALWAYS: Final = -1
"""Column of a step that is 1 whatever is chosen, because sites that are kept make it so."""

LevelsOf: TypeAlias = Callable[[int], list[tuple[int, int]]]
"""Cell -> for every level of worth, how many of its nearest posts belong to it and what they are worth above the next."""

Kind = Literal["unit", "money", "sites", "other"]
"""What gives way when not all rules can be met: a unit goes without, more money, more sites, or a rule is broken."""


@dataclass(frozen=True)
class Line:
    """One row of the model in whole numbers: least ≤ Σ factor · column ≤ most."""

    columns: Ints
    factors: Ints
    least: int | None
    most: int | None
    scale: int = 1
    """Whole units that make one unit for the solver; above 1 the limits give half a whole unit, which changes no answer."""


@dataclass(frozen=True)
class Claim:
    """One thing that a rule asks of one unit, site or pair, in words and rows."""

    rule: int
    """Position among the rules, −1 for what the objective itself requires."""
    kind: Kind
    unit: str
    """Code of the unit it speaks of, or ""."""
    zh: str
    en: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Aim:
    """What is maximised or minimised, in whole numbers; a column counts 1, a flow the people on it."""

    sense: Literal[1, -1]
    """1 for the most, −1 for the least."""
    columns: Ints
    factors: tuple[int, ...]
    constant: int
    per: int
    """Whole units of the aim in one of the unit that a reader is told."""
    flows: bool = False
    """Whether columns are people, who flow in parts, and not decisions."""

    def value(self, amount: Ints) -> int:
        """Value of an answer whose columns hold so many millionths."""
        parts = sum(factor * int(amount[column]) for column, factor in zip(self.columns, self.factors, strict=True))
        return self.constant + parts // PARTS_PER_PERSON


@dataclass(frozen=True)
class Steps:
    """Which step makes which people of which cell count."""

    cell: Ints
    column: Ints
    """Column of the step, or `ALWAYS`."""
    worth: tuple[int, ...]
    """Whole worth; the steps of a cell add up."""


@dataclass(frozen=True)
class Flow:
    """People of one group of alike cells on one post."""

    column: int
    demand: int
    group: int
    post: int
    cost: int


@dataclass(frozen=True)
class Sum:
    """People of one group of alike cells whose attendance at open posts adds up, to a most."""

    posts: Ints
    worths: Ints
    """Millionths of a person that each post adds."""
    most: int
    """Millionths of a person that count at most."""

    def parts(self, opened: Ints) -> int:
        """Millionths that count where some posts are open, 0 or 1 each."""
        return min(int((self.worths * opened[self.posts]).sum()), self.most)


@dataclass(frozen=True)
class Draft:
    """A model while it is written, and what its columns mean."""

    case: Case
    lower: list[float]
    upper: list[float]
    whole: list[bool]
    lines: list[Line]
    steps: dict[tuple[bytes, int], int]
    """Posts that are not always open, how many of them are needed -> column."""
    of_step: dict[int, tuple[Ints, int]]
    flows: list[Flow]
    groups: list[tuple[int, Ints, int]]
    """Demand, cells and people (millionths) of every group of alike cells that is served by flows."""
    sums: dict[int, Sum] = field(default_factory=dict)
    """Column -> what adds up in it."""

    @property
    def always(self) -> Flags:
        """Posts under a roof that stands and cannot be closed."""
        places = self.case.places
        return np.array(
            [places[post.place].standing and not places[post.place].closable for post in self.case.posts], dtype=np.bool_
        )

    def post_column(self, post: int) -> int:
        """Column that says whether a post is open."""
        return len(self.case.places) + post if self.case.shared else self.case.posts[post].place

    def extension_column(self, extension: int) -> int:
        """Column that says whether an upgrade is made."""
        return len(self.case.places) + (len(self.case.posts) if self.case.shared else 0) + extension

    @property
    def decided(self) -> int:
        """Columns of decisions: roofs, posts and upgrades; those after them follow."""
        return self.extension_column(len(self.case.extensions))


def start_draft(case: Case) -> Draft:
    """Begin with what is decided: roofs, services under them, upgrades."""
    draft = Draft(case, [], [], [], [], {}, {}, [], [])
    for place in case.places:
        add_column(draft, lower=float(place.standing and not place.closable))
    if case.shared:
        for _ in case.posts:
            add_column(draft)
        _share_roofs(draft)
    for extension in case.extensions:
        column = add_column(draft)
        add_line(draft, [column, extension.place], [1, -1], most=0)
        if case.shared:
            add_line(draft, [column, draft.post_column(extension.post)], [1, -1], most=0)
    return draft


def add_column(draft: Draft, *, lower: float = 0.0, upper: float = 1.0, whole: bool = True) -> int:
    """Append a column."""
    draft.lower.append(lower)
    draft.upper.append(upper)
    draft.whole.append(whole)
    return len(draft.lower) - 1


def add_line(
    draft: Draft,
    columns: Sequence[int] | Ints,
    factors: Sequence[int] | Ints,
    *,
    least: int | None = None,
    most: int | None = None,
    scale: int = 1,
) -> None:
    """Append a row that no rule may break."""
    draft.lines.append(Line(np.asarray(columns, dtype=np.int64), np.asarray(factors, dtype=np.int64), least, most, scale))


def _share_roofs(draft: Draft) -> None:
    """A service needs its roof, an open roof a service; all services under a roof need room on its floor."""
    case = draft.case
    for at, place in enumerate(case.places):
        posts = [post for post, one in enumerate(case.posts) if one.place == at]
        columns = [draft.post_column(post) for post in posts]
        for column in columns:
            add_line(draft, [column, at], [1, -1], least=0 if place.standing else None, most=0)
        if place.standing:
            continue
        add_line(draft, [at, *columns], [1, *[-1] * len(columns)], most=0)
        floors = [case.posts[post].area for post in posts]
        if any(floors):
            add_line(draft, columns, floors, most=max(place.area, 0))


def plain_steps(draft: Draft, reach: Reach) -> Steps:
    """People who count once enough posts within the limit are open."""
    return _steps(draft, reach, lambda cell: [(int(reach.start[cell + 1] - reach.start[cell]), int(reach.parts[cell]))])


def worth_steps(draft: Draft, reach: Reach) -> Steps:
    """People weighed by demand and by how near the best open site is, in millionths."""
    demand = reach.demand
    weighed = reach.parts * demand.weight
    if demand.decay is None:
        full = np.rint(weighed).astype(np.int64)
        return _steps(draft, reach, lambda cell: [(int(reach.start[cell + 1] - reach.start[cell]), int(full[cell]))])
    shares = demand.decay.weights(reach.cost.astype(np.uint32), per=float(reach.per), limit=reach.limit)
    cell_of = np.repeat(np.arange(len(reach.parts)), np.diff(reach.start))
    worth = np.rint(weighed[cell_of] * shares).astype(np.int64)
    return _steps(draft, reach, lambda cell: _levels(worth[reach.start[cell] : reach.start[cell + 1]]))


def saving_steps(draft: Draft, reach: Reach, beyond: int) -> Steps:
    """Travel saved by every radius within which a site is open, against a cost of `beyond` for all."""
    full = np.rint(reach.parts * reach.demand.weight).astype(np.int64)
    return _steps(draft, reach, lambda cell: _levels((beyond - reach.of(cell)[1]) * int(full[cell])))


def _levels(worth: Ints) -> list[tuple[int, int]]:
    """Where worth falls along the posts of a cell, nearest first: posts up to there, and by how much it falls."""
    ends = np.flatnonzero(np.diff(worth, append=0) < 0)
    falls = worth[ends] - np.append(worth[ends[1:]], 0)
    return [(int(end) + 1, int(fall)) for end, fall in zip(ends, falls, strict=True)]


def _steps(draft: Draft, reach: Reach, levels: LevelsOf) -> Steps:
    """Give every level of every cell its step; cells in the order of what they reach, so that their own order changes nothing."""
    always, cells, columns, worths = draft.always, [], [], []
    some = [int(cell) for cell in np.flatnonzero((reach.parts > 0) & (np.diff(reach.start) > 0))]
    for cell in sorted(some, key=lambda one: tuple(part.tobytes() for part in reach.of(one))):
        posts = reach.of(cell)[0]
        stand = always[posts]
        parent: int | None = None
        for end, worth in levels(cell):
            needed = reach.demand.sites_needed - int(stand[:end].sum())
            free = posts[:end][~stand[:end]]
            if len(free) < needed or worth == 0:
                continue
            parent = ALWAYS if needed <= 0 else _step(draft, np.sort(free), needed, parent)
            cells.append(cell)
            columns.append(parent)
            worths.append(worth)
    return Steps(np.array(cells, dtype=np.int64), np.array(columns, dtype=np.int64), tuple(worths))


def _step(draft: Draft, posts: Ints, needed: int, parent: int | None) -> int:
    """Find or write the step of a set of posts; one that grows out of a smaller set names only what is new."""
    key = (posts.tobytes(), needed)
    if key in draft.steps:
        return draft.steps[key]
    column = add_column(draft, whole=needed > 1)
    draft.steps[key], draft.of_step[column] = column, (posts, needed)
    named, factors = [column], [needed]
    fresh = posts
    if needed == 1 and parent is not None and parent != ALWAYS and draft.of_step[parent][1] == 1:
        fresh = _beyond(posts, draft.of_step[parent][0])
        named.append(parent)
        factors.append(-1)
    opened = [draft.post_column(int(post)) for post in fresh]
    add_line(draft, [*named, *opened], [*factors, *[-1] * len(opened)], most=0)
    return column


def _beyond(posts: Ints, known: Ints) -> Ints:
    """Posts that are not known yet; both ascending."""
    at = np.minimum(np.searchsorted(known, posts), len(known) - 1)
    fresh: Ints = posts[known[at] != posts]
    return fresh


def summed(steps: Iterable[Steps], sense: int = 1) -> tuple[Ints, tuple[int, ...], int]:
    """Add the worth of steps up by column: columns, factors, and what always counts."""
    found: dict[int, int] = {}
    for one in steps:
        for column, worth in zip(one.column.tolist(), one.worth, strict=True):
            found[column] = found.get(column, 0) + worth
    constant = found.pop(ALWAYS, 0)
    columns = sorted(found)
    return np.array(columns, dtype=np.int64), tuple(sense * found[column] for column in columns), sense * constant


def add_flows(draft: Draft, *, by_cost: bool) -> None:
    """Let people of every demand go to posts with places; cells with the same posts (and costs, where they count) go together."""
    for at, reach in enumerate(draft.case.reaches):
        together: dict[tuple[bytes, bytes], list[int]] = {}
        for cell in np.flatnonzero((reach.parts > 0) & (np.diff(reach.start) > 0)).tolist():
            posts, costs = reach.of(cell)
            together.setdefault((posts.tobytes(), costs.tobytes() if by_cost else b""), []).append(cell)
        for _, cells in sorted(together.items()):
            _add_group(draft, at, np.array(cells, dtype=np.int64))
    _limit_places(draft)


def _add_group(draft: Draft, demand: int, cells: Ints) -> None:
    reach = draft.case.reaches[demand]
    posts, costs = reach.of(int(cells[0]))
    people = int(reach.parts[cells].sum())
    columns = [add_column(draft, upper=people / PARTS_PER_PERSON, whole=False) for _ in posts]
    group = len(draft.groups)
    draft.groups.append((demand, cells, people))
    draft.flows.extend(
        Flow(column, demand, group, int(post), int(cost)) for column, post, cost in zip(columns, posts, costs, strict=True)
    )
    add_line(draft, columns, [PARTS_PER_PERSON] * len(columns), most=people, scale=PARTS_PER_PERSON)
    for column, post in zip(columns, posts.tolist(), strict=True):
        add_line(draft, [column, draft.post_column(post)], [PARTS_PER_PERSON, -people], most=0, scale=PARTS_PER_PERSON)


def _limit_places(draft: Draft) -> None:
    """At no post more people than places; an upgrade adds its own."""
    by_post: dict[int, list[int]] = {}
    for flow in draft.flows:
        by_post.setdefault(flow.post, []).append(flow.column)
    for post in sorted(by_post):
        columns, room = by_post[post], draft.case.posts[post].places
        more = [(draft.extension_column(i), -one.places) for i, one in enumerate(draft.case.extensions) if one.post == post]
        add_line(
            draft,
            [*columns, draft.post_column(post), *(column for column, _ in more)],
            [*[PARTS_PER_PERSON] * len(columns), -room, *(factor for _, factor in more)],
            most=0,
            scale=PARTS_PER_PERSON,
        )


def add_sums(draft: Draft, reach: Reach, most: float | None) -> dict[int, int]:
    """Let what open posts are worth to people add up, to so much a person: columns with millionths that count in each.

    People for whom all posts together stay below the most count at every post by itself; for the others a column holds what
    counts, in people. Cells with the same posts at the same costs go together.
    """
    found: dict[int, int] = {}
    weighed = reach.parts * reach.demand.weight
    together: dict[tuple[bytes, bytes], list[int]] = {}
    for cell in np.flatnonzero((reach.parts > 0) & (np.diff(reach.start) > 0)).tolist():
        posts, costs = reach.of(cell)
        together.setdefault((posts.tobytes(), costs.tobytes()), []).append(cell)
    for _, cells in sorted(together.items()):
        posts, costs = reach.of(cells[0])
        worths = np.rint(float(weighed[cells].sum()) * _shares(reach, costs)).astype(np.int64)
        limit = None if most is None else round(float(weighed[cells].sum()) * most)
        if limit is None or int(worths.sum()) <= limit:
            for post, worth in zip(posts.tolist(), worths.tolist(), strict=True):
                found[draft.post_column(post)] = found.get(draft.post_column(post), 0) + worth
        else:
            found[_add_sum(draft, Sum(posts, worths, limit))] = PARTS_PER_PERSON
    return found


def _shares(reach: Reach, costs: Ints) -> NDArray[np.float64]:
    """What a person counts at each cost; 1 without a decay."""
    decay = reach.demand.decay
    if decay is None:
        return np.ones(len(costs))
    return decay.weights(costs.astype(np.uint32), per=float(reach.per), limit=reach.limit)


def _add_sum(draft: Draft, one: Sum) -> int:
    column = add_column(draft, upper=one.most / PARTS_PER_PERSON, whole=False)
    draft.sums[column] = one
    opened = [draft.post_column(int(post)) for post in one.posts]
    add_line(draft, [column, *opened], [PARTS_PER_PERSON, *(-one.worths).tolist()], most=0, scale=PARTS_PER_PERSON)
    return column
