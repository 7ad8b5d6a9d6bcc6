"""Count whom a choice of sites reaches, what that is worth, and what any one more site would add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from careshed.siting.planning.case import Reach
from careshed.siting.problem import Flags, Ints


@dataclass(frozen=True)
class Layer:
    """One demand: who can be reached by which post, nearest first, and what that is worth."""

    reach: Reach
    cell: Ints
    """Cell of each pair, shape (pairs,)."""
    worth: Ints
    """What a cell is worth if its person's last needed site is that of this pair, millionths, shape (pairs,)."""


@dataclass(frozen=True)
class Gains:
    """What each post would add if it opened now, millionths, shape (posts,)."""

    worth: Ints
    """As the objective weighs people."""
    people: Ints
    """People who are not reached yet and then would be."""


def layer_of(reach: Reach, *, weighed: bool) -> Layer:
    """Lay one demand out as the objective weighs it: weight, and decay with travel where there is one; or each person as 1."""
    cell = np.repeat(np.arange(len(reach.parts)), np.diff(reach.start))
    demand = reach.demand
    if not weighed:
        return Layer(reach, cell, reach.parts[cell])
    full = reach.parts * demand.weight
    if demand.decay is None:
        return Layer(reach, cell, np.rint(full).astype(np.int64)[cell])
    shares = demand.decay.weights(reach.cost.astype(np.uint32), per=float(reach.per), limit=reach.limit)
    return Layer(reach, cell, np.rint(full[cell] * shares).astype(np.int64))


def last_needed(layer: Layer, opened: Flags) -> tuple[Ints, Ints]:
    """Find for every cell the open pair that makes it count, and the open pair before that one; −1 where there is none."""
    pairs = np.flatnonzero(opened[layer.reach.post])
    cells = layer.cell[pairs]
    rank = np.arange(len(pairs)) - np.searchsorted(cells, cells)
    needed = layer.reach.demand.sites_needed
    found = []
    for wanted in (needed - 1, needed - 2):
        at = np.full(len(layer.reach.parts), -1, dtype=np.int64)
        at[cells[rank == wanted]] = pairs[rank == wanted]
        found.append(at)
    return found[0], found[1]


def reached(layer: Layer, opened: Flags) -> Flags:
    """Mark the cells that count as reached."""
    return last_needed(layer, opened)[0] >= 0


def worth(layer: Layer, opened: Flags) -> int:
    """What the people reached are worth to the objective, millionths."""
    last = last_needed(layer, opened)[0]
    return int(layer.worth[last[last >= 0]].sum())


def progress(layers: Sequence[Layer], opened: Flags) -> int:
    """People times the sites that they have of those that they need, so that a first backup counts for something."""
    total = 0
    for layer in layers:
        hits = np.bincount(layer.cell[opened[layer.reach.post]], minlength=len(layer.reach.parts))
        total += int((layer.reach.parts * np.minimum(hits, layer.reach.demand.sites_needed)).sum())
    return total


def gains(layers: Sequence[Layer], opened: Flags) -> Gains:
    """Count for every closed post at once what it alone would add."""
    more, people = np.zeros(len(opened), dtype=np.int64), np.zeros(len(opened), dtype=np.int64)
    for layer in layers:
        last, before = last_needed(layer, opened)
        post, cell = layer.reach.post, layer.cell
        able = ~opened[post]
        after = np.arange(len(post))
        if layer.reach.demand.sites_needed > 1:
            able &= before[cell] >= 0
            after = np.maximum(after, before[cell])
        old = last[cell]
        able &= (old < 0) | (after < old)
        now = np.where(old >= 0, layer.worth[old], 0) if len(post) else layer.worth
        np.add.at(more, post[able], (layer.worth[after] - now)[able])
        fresh = able & (old < 0)
        np.add.at(people, post[fresh], layer.reach.parts[cell[fresh]])
    return Gains(more, people)
