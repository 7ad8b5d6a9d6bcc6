"""Improve a plan over years by exchanging who is built when, as long as every rule and every year's means hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.siting.phasing.stack import Stack
from careshed.siting.planning.model import Aim, Line
from careshed.siting.planning.solving import holds
from careshed.siting.problem import Flags, Ints

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

PASSES: Final = 40
"""Times that all sites are gone through at most."""

TRIES: Final = 60
"""Exchanges that are checked against the rules at most for one site, the most promising first."""

KICKS: Final = 60
"""Times that a plan is shaken."""

SHAKES: Final = 3
"""Exchanges made each time, whatever they lose."""

RANKS: Final = 15
"""Best exchanges that a shake draws from."""


@dataclass(frozen=True)
class Crew:
    """What an exchange needs to know, laid out as arrays."""

    stack: Stack
    opens: csr_array
    """Place × step: 1 where the place counts for the step."""
    needed: Ints
    """Open places that each step needs."""
    worth: Ints
    """Whole worth of each step in one year."""
    weights: Ints
    """Weight of each phase, whole."""
    rows: csc_array
    """Rule rows that speak of places only × columns of the stack."""
    least: Ints
    most: Ints
    others: tuple[Line, ...]
    """Rule rows that speak of people too."""
    free: Flags
    """Places that do not stand yet."""

    def steps_of(self, place: int) -> Ints:
        """Steps that a place counts for."""
        found: Ints = self.opens.indices[self.opens.indptr[place] : self.opens.indptr[place + 1]].astype(np.int64)
        return found


def crew_of(stack: Stack, lines: Sequence[Line], aim: Aim, weights: Sequence[int]) -> Crew:
    """Lay out the one-year aim, its weights by phase, and the rows of rules and means."""
    from scipy.sparse import coo_array, csc_array, csr_array

    table, case = stack.table, stack.base.case
    place = np.array([post.place for post in case.posts], dtype=np.int64)[table.post]
    shape = (len(case.places), len(table.columns))
    opens = csr_array(coo_array((np.ones(len(place), dtype=np.int64), (place, table.step)), shape=shape))
    worth = np.zeros(len(stack.base.lower), dtype=np.int64)
    np.add.at(worth, aim.columns, np.array(aim.factors, dtype=np.int64))
    decided = set(np.concatenate([at[: stack.base.decided] for at in stack.at]).tolist())
    plain = [row for row in lines if decided.issuperset(row.columns.tolist())]
    others = tuple(row for row in lines if not decided.issuperset(row.columns.tolist()))
    row_of = np.repeat(np.arange(len(plain)), [len(row.columns) for row in plain])
    columns = np.concatenate([np.zeros(0, np.int64), *(row.columns for row in plain)]).astype(np.int64)
    factors = np.concatenate([np.zeros(0, np.int64), *(row.factors for row in plain)]).astype(np.int64)
    rows = csc_array(coo_array((factors, (row_of, columns)), shape=(len(plain), len(stack.draft.lower))))
    room = np.iinfo(np.int64)
    free = np.array([not place.standing for place in case.places], dtype=np.bool_)
    least = np.array([room.min if row.least is None else row.least for row in plain], dtype=np.int64)
    most = np.array([room.max if row.most is None else row.most for row in plain], dtype=np.int64)
    return Crew(stack, opens, table.needed, worth[table.columns], np.array(weights, np.int64), rows, least, most, others, free)


def counts_of(crew: Crew, built: Ints) -> Ints:
    """Open places of each step in each phase, shape (phases, steps)."""
    return np.array([crew.opens.T @ (built <= phase).astype(np.int64) for phase in range(len(crew.weights))])


def reached_by_phase(crew: Crew, built: Ints) -> Ints:
    """Whole worth of the steps that hold in each phase, unweighted."""
    counts: Ints = (counts_of(crew, built) >= crew.needed) @ crew.worth
    return counts


def allowed(crew: Crew, built: Ints) -> bool:
    """Whether a plan keeps all rules and means, in whole numbers."""
    phases = len(crew.weights)
    on = np.zeros(crew.rows.shape[1], dtype=np.int64)
    for phase, at in zip(range(phases), crew.stack.at, strict=True):
        on[at[: len(built)]] = built <= phase
    total = crew.rows @ on
    if not ((total >= crew.least) & (total <= crew.most)).all():
        return False
    if not crew.others:
        return True
    amount = crew.stack.amount(built)
    return all(holds(row, amount) for row in crew.others)


def improve(crew: Crew, built: Ints, *, seed: int = 0, kicks: int = 0) -> Ints:
    """Exchange sites and years while that reaches more people; then shake the plan and try again.

    Iterated local search (Lourenço, Martin and Stützle, 2003). Two sites exchange their years, a site of the plan gives its year
    to one that is not built, or a site joins or opens earlier. Every plan on the way keeps all rules and means.

    Parameters
    ----------
    kicks
        Times that the plan is shaken; a better plan is kept, any other is given up.
    """
    rng = np.random.default_rng(seed)
    best = _climbed(crew, built)
    value = weighed_value(crew, best, 0)
    for _ in range(kicks):
        trial = _climbed(crew, _shaken(crew, best, rng))
        reached = weighed_value(crew, trial, 0)
        if reached >= value:
            best, value = trial, reached
    return best


def _climbed(crew: Crew, built: Ints) -> Ints:
    """Exchange until nothing gains; sites in the order of ids, so that the answer is always the same."""
    built, phases = built.copy(), len(crew.weights)
    counts = counts_of(crew, built)
    for _ in range(PASSES):
        better = _start(crew, built, counts)
        for place in np.flatnonzero(crew.free & (built < phases)).tolist():
            better = _exchange(crew, built, counts, place) or better
        if not better:
            break
    return built


def _start(crew: Crew, built: Ints, counts: Ints) -> bool:
    """Let sites open that are not built, or open earlier, the largest gain first, as far as the means allow."""
    better, again = False, True
    while again:
        again = False
        gains = _gains(crew, counts)
        reach = np.cumsum(gains[::-1], axis=0)[::-1]
        padded = np.vstack([reach, np.zeros((1, reach.shape[1]), dtype=np.int64)])
        gain = reach - padded[built, np.arange(len(built))]
        gain[np.arange(len(reach))[:, None] >= built[None, :]] = 0
        gain[:, ~crew.free] = 0
        for at in np.argsort(-gain, axis=None, kind="stable")[:TRIES].tolist():
            phase, place = divmod(at, len(built))
            if gain[phase, place] <= 0:
                break
            if _tried(crew, built, counts, {place: phase}):
                better = again = True
                break
    return better


def _gains(crew: Crew, counts: Ints) -> Ints:
    """What one more open site would add in each phase, weighed, shape (phases, places)."""
    gains = np.zeros((len(counts), crew.opens.shape[0]), dtype=np.int64)
    for row, (now, weight) in enumerate(zip(counts, crew.weights[len(crew.weights) - len(counts) :].tolist(), strict=True)):
        if weight:
            gains[row] = weight * (crew.opens @ (crew.worth * (now == crew.needed - 1)))
    return gains


def _tried(crew: Crew, built: Ints, counts: Ints, change: dict[int, int]) -> bool:
    """Change the years of some sites if the rules allow it."""
    trial = built.copy()
    trial[list(change)] = list(change.values())
    if not allowed(crew, trial):
        return False
    for place, phase in change.items():
        mine, was = crew.steps_of(place), int(built[place])
        counts[min(was, phase) : max(was, phase), mine] += 1 if phase < was else -1
        built[place] = phase
    return True


def _exchanges(crew: Crew, built: Ints, counts: Ints, place: int) -> tuple[Ints, Ints]:
    """Sites that might take a site's year, the best first, and what that gains; the site takes theirs."""
    own, mine = int(built[place]), crew.steps_of(place)
    left = counts[own:].copy()
    falls = (crew.worth[mine] * (left[:, mine] == crew.needed[mine])).sum(axis=1) * crew.weights[own:]
    left[:, mine] -= 1
    net = np.cumsum(_gains(crew, left) - falls[:, None], axis=0)
    later = np.flatnonzero(crew.free & (built > own))
    change = net[built[later] - own - 1, later]
    order = np.argsort(-change, kind="stable")[:TRIES]
    return later[order], change[order]


def _exchange(crew: Crew, built: Ints, counts: Ints, place: int) -> bool:
    """Make the best allowed exchange of a site that gains."""
    for other, gain in zip(*(one.tolist() for one in _exchanges(crew, built, counts, place)), strict=True):
        if gain <= 0:
            return False
        if _tried(crew, built, counts, {place: int(built[other]), other: int(built[place])}):
            return True
    return False


def _shaken(crew: Crew, built: Ints, rng: np.random.Generator) -> Ints:
    """Make a few exchanges whatever they lose."""
    built, phases = built.copy(), len(crew.weights)
    counts = counts_of(crew, built)
    for _ in range(SHAKES):
        chosen = np.flatnonzero(crew.free & (built < phases))
        if not len(chosen):
            return built
        place = int(rng.choice(chosen))
        others, _ = _exchanges(crew, built, counts, place)
        if len(others):
            other = int(others[min(int(rng.integers(RANKS)), len(others) - 1)])
            _tried(crew, built, counts, {place: int(built[other]), other: int(built[place])})
    return built


def without_idle(crew: Crew, built: Ints) -> Ints:
    """Leave out sites that no rule needs and without which nobody is lost in any year, the last id first."""
    phases, built = len(crew.weights), built.copy()
    counts = counts_of(crew, built)
    for place in reversed(np.flatnonzero(crew.free & (built < phases)).tolist()):
        mine = crew.steps_of(place)
        lost = (crew.worth[mine] * (counts[built[place] :, mine] == crew.needed[mine])).sum()
        if not lost:
            _tried(crew, built, counts, {place: phases})
    return built


def weighed_value(crew: Crew, built: Ints, constant: int) -> int:
    """Whole value of a plan: people of every phase times its weight; the constant is that of one year."""
    own = [int(one) + constant for one in reached_by_phase(crew, built)]
    return sum(int(weight) * one for weight, one in zip(crew.weights, own, strict=True))
