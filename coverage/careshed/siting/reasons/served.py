"""Count the people who find a place where places are limited, exactly, and what one more site would add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from careshed.siting.planning.case import Case
from careshed.siting.problem import Flags, Ints


@dataclass(frozen=True)
class Crowd:
    """Groups of alike people and the posts each can go to, one pair a row, pairs of a group together."""

    people: Ints
    """Millionths, shape (groups,)."""
    weight: tuple[float, ...]
    """Worth of a person, shape (groups,)."""
    group: Ints
    """Group of each pair."""
    post: Ints
    """Post of each pair."""


@dataclass(frozen=True)
class Dealt:
    """Who goes where, changed in place as people move up; nobody loses a place once given."""

    going: Ints
    """Millionths of a person on each pair."""
    left: Ints
    """Millionths without a place, shape (groups,)."""
    room: Ints
    """Millionths of a place still free, shape (posts,); 0 where closed."""


def crowd_of(case: Case) -> Crowd:
    """Put people of one demand with the same posts in reach together."""
    found: dict[tuple[int, bytes], tuple[Ints, int]] = {}
    for at, reach in enumerate(case.reaches):
        for cell in np.flatnonzero((reach.parts > 0) & (np.diff(reach.start) > 0)).tolist():
            posts = np.sort(reach.of(cell)[0])
            known = found.get((at, posts.tobytes()), (posts, 0))[1]
            found[at, posts.tobytes()] = (posts, known + int(reach.parts[cell]))
    groups = [(at, *found[at, key]) for at, key in sorted(found)]
    sizes = [len(posts) for _, posts, _ in groups]
    return Crowd(
        people=np.array([people for _, _, people in groups], dtype=np.int64),
        weight=tuple(case.reaches[at].demand.weight for at, _, _ in groups),
        group=np.repeat(np.arange(len(groups)), np.array(sizes, dtype=np.int64)),
        post=np.concatenate([np.zeros(0, dtype=np.int64), *(posts for _, posts, _ in groups)]),
    )


def deal(crowd: Crowd, room: Ints) -> Dealt:
    """Give places to as many people as there can be, those who weigh most first.

    That is exact, since the people who can be given places together are the independent sets of a matroid (a gammoid).
    """
    dealt = Dealt(np.zeros(len(crowd.group), dtype=np.int64), crowd.people.copy(), room.copy())
    _place_all(crowd, dealt)
    return dealt


def copied(dealt: Dealt) -> Dealt:
    """Copy, so that something can be tried."""
    return Dealt(dealt.going.copy(), dealt.left.copy(), dealt.room.copy())


def open_post(crowd: Crowd, dealt: Dealt, post: int, room: int) -> None:
    """Open one more post and let people move up into it.

    That is as good as dealing anew: more room never takes its place from anyone who has one (matroid quotients).
    """
    dealt.room[post] = room
    _place_all(crowd, dealt)


def value(crowd: Crowd, dealt: Dealt) -> int:
    """Worth of the people with a place, millionths."""
    served = crowd.people - dealt.left
    worth = np.array([round(weight * 1_000_000) for weight in crowd.weight], dtype=object)
    return int((served.astype(object) * worth).sum() // 1_000_000) if len(served) else 0


def _place_all(crowd: Crowd, dealt: Dealt) -> None:
    weights = np.array(crowd.weight)
    for weight in sorted(set(crowd.weight), reverse=True):
        _place(crowd, dealt, weights == weight)


def _place(crowd: Crowd, dealt: Dealt, mine: Flags) -> None:
    """Find places for people of some groups until no way is left, direct ones first."""
    for pair in np.flatnonzero(mine[crowd.group] & (dealt.room[crowd.post] > 0)).tolist():
        _push(crowd, dealt, [pair], [])
    while True:
        way = _way(crowd, dealt, mine)
        if way is None:
            return
        _push(crowd, dealt, *way)


def _way(crowd: Crowd, dealt: Dealt, mine: Flags) -> tuple[list[int], list[int]] | None:
    """Find the shortest chain of moves that ends at a free place: pairs that people enter, and pairs that they leave."""
    came: dict[int, tuple[int, int]] = {}
    waiting: list[int] = []
    for pair in np.flatnonzero((mine & (dealt.left > 0))[crowd.group]).tolist():
        if int(crowd.post[pair]) not in came:
            came[int(crowd.post[pair])] = (pair, -1)
            waiting.append(int(crowd.post[pair]))
    for post in waiting:
        if dealt.room[post] > 0:
            return _chain(crowd, came, post)
        movers = np.zeros(len(crowd.people), dtype=np.int64) - 1
        here = np.flatnonzero((crowd.post == post) & (dealt.going > 0))
        movers[crowd.group[here]] = here
        for pair in np.flatnonzero(movers[crowd.group] >= 0).tolist():
            other = int(crowd.post[pair])
            if other not in came:
                came[other] = (pair, int(movers[crowd.group[pair]]))
                waiting.append(other)
    return None


def _chain(crowd: Crowd, came: dict[int, tuple[int, int]], post: int) -> tuple[list[int], list[int]]:
    enter: list[int] = []
    leave: list[int] = []
    while True:
        pair, out = came[post]
        enter.append(pair)
        if out < 0:
            return enter, leave
        leave.append(out)
        post = int(crowd.post[out])


def _push(crowd: Crowd, dealt: Dealt, enter: Sequence[int], leave: Sequence[int]) -> None:
    """Move as many people along a chain as its narrowest part lets through; it ends at the first post entered."""
    source, target = int(crowd.group[enter[-1]]), int(crowd.post[enter[0]])
    most = min(int(dealt.left[source]), int(dealt.room[target]), *(int(dealt.going[pair]) for pair in leave), 1 << 62)
    if most <= 0:
        return
    dealt.going[list(enter)] += most
    dealt.going[list(leave)] -= most
    dealt.left[source] -= most
    dealt.room[target] -= most
