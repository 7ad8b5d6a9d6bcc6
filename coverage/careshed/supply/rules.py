"""Fill places by a rule: in the order of travel, within catchments, or with the least travel in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from careshed.supply.transport import Ints, pairs_by_cell, solve_transport
from careshed.supply.weighing import Floats, Pairs
from careshed.supply.zones import Zones

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes

PARTS_PER_PERSON: Final = 1_000_000
"""People are counted in millionths, as integers, as in siting; a cell is off by at most half a millionth of a person."""

MOST_PEOPLE: Final = 4e9
"""Above this many people the whole-number sums would leave the exact range of double precision (2**53 millionths)."""

Unknown = Literal["none", "unlimited"]
"""What a facility of unknown places offers: no place, or one for everybody who comes."""


@dataclass(frozen=True)
class Problem:
    """Whole numbers, facilities and cells in the order of their ids, so that the order of rows changes nothing."""

    pairs: Pairs
    supply: Ints
    """Parts of people, by cell column; 0 where a cell cannot be judged."""
    room: Ints
    """Parts of places, by facility row."""
    rows: Ints
    """Facility rows in the order of their ids."""
    columns: Ints
    """Cell columns in the order of their ids."""


@dataclass(frozen=True)
class Found:
    """Links as positions: facility rows, cell columns."""

    column: NDArray[np.integer]
    row: NDArray[np.integer]
    parts: Ints
    cost: Ints
    bound: int | None = None
    """Least parts times cost with which as many can be served, None where nothing was minimised."""


def count_out(times: TravelTimes, people: Floats, offered: Floats, pairs: Pairs, unknown: Unknown) -> Problem:
    """Count people and places in whole parts."""
    if unknown not in get_args(Unknown):
        raise ValueError(f"unknown={unknown!r} is neither of {', '.join(get_args(Unknown))}")
    if people.sum() > MOST_PEOPLE:
        raise ValueError(f"there are {people.sum():.3g} people, more than {MOST_PEOPLE:.0g}; are the units right?")
    parts = np.rint(people * PARTS_PER_PERSON).astype(np.int64)
    supply = np.where(times.cell_fault == "", parts, 0)
    everyone = int(supply.sum())
    # More places than people never matter; cut down they stay within whole numbers. Rounding down serves nobody too many.
    known = np.minimum(np.nan_to_num(offered), everyone / PARTS_PER_PERSON + 1)
    room = np.floor(np.round(known * PARTS_PER_PERSON, 3)).astype(np.int64)
    if unknown == "unlimited":
        room[np.isnan(offered)] = everyone
    names = np.array([str(name) for name in times.facilities.index], dtype=object)
    rows = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
    columns = np.argsort(times.cell_ids.to_numpy(), kind="stable").astype(np.int64)
    return Problem(pairs, supply, room, rows, columns)


def check_whole(times: TravelTimes, cells: GeoDataFrame, group: str, problem: Problem) -> None:
    """Refuse people and places that are not whole numbers."""
    for what, parts, ids in (
        (f"people of group {group!r}", np.rint(cells[group].to_numpy(dtype=float) * PARTS_PER_PERSON), cells.index),
        ("places", problem.room.astype(float), times.facilities.index),
    ):
        wrong = ids[parts % PARTS_PER_PERSON != 0]
        if len(wrong):
            named = ", ".join(map(str, wrong[:5]))
            raise ValueError(f"whole=True needs whole {what}; not so in {len(wrong)} (such as {named}); round them first")


def optimum(problem: Problem) -> Found:
    """Solve the transport problem over people and places that there are."""
    pairs, rows = problem.pairs, problem.rows[problem.room[problem.rows] > 0]
    columns = problem.columns[problem.supply[problem.columns] > 0]
    every = np.ones(len(pairs.cost), dtype=np.bool_)
    by_cell = pairs_by_cell(pairs.indptr, pairs.indices, pairs.cost, kept=every, rows=rows, columns=columns)
    best = solve_transport(by_cell, problem.supply[columns], problem.room[rows])
    bound = best.bound - best.unserved * int(best.unplaced.sum())
    return Found(columns[best.cell], rows[best.facility], best.people, best.cost, bound)


def in_order(problem: Problem, zones: Zones | None, *, only_nearest: bool) -> Found:
    """Fill places in the order of travel costs, ties by cell and then facility id."""
    from careshed.supply._pairs import fill

    pairs = problem.pairs
    every = np.ones(len(pairs.cost), dtype=np.bool_)
    laid = pairs_by_cell(pairs.indptr, pairs.indices, pairs.cost, kept=every, rows=problem.rows, columns=problem.columns)
    listed = np.ones(len(laid.cost), dtype=np.bool_)
    listed[laid.ptr[1:] - 1] = False
    at = np.flatnonzero(listed)
    if zones is not None:
        at = at[zones.allow(problem.columns[laid.cell[at]], problem.rows[laid.facility[at]])]
    at = at[np.argsort(laid.cost[at], kind="stable")]
    if only_nearest:
        at = at[np.sort(np.unique(laid.cell[at], return_index=True)[1])]
    column, row = problem.columns[laid.cell[at]], problem.rows[laid.facility[at]]
    parts = fill(column, row, problem.supply.copy(), problem.room.copy())
    some = np.flatnonzero(parts)
    some = some[np.lexsort((laid.facility[at][some], laid.cell[at][some]))]
    return Found(column[some], row[some], parts[some], laid.cost[at][some])
