"""Find where people would go who weigh travel against crowding, until nobody gains by going elsewhere (RAAM)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from careshed.supply.weighing import Floats, Pairs, pairs_within, people_of, places_of

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes

Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class AgentResult:
    """Where people go who weigh travel against crowding, and what it costs them."""

    cost: pd.Series[float]
    """What the people of each cell pay, index ``cell_id``: travel in units of τ plus crowding in units of the average. Less is
    better; 1 is τ of travel to an empty facility, or no travel to one as crowded as the average. NaN where a cell cannot be
    judged or no facility of known places above 0 is in reach."""
    load: pd.Series[float]
    """People who go to each facility, index ``facility_id``; NaN where its places are unknown."""
    ratio: pd.Series[float]
    """Places per person who goes there; NaN where places are unknown or nobody goes."""
    unknown: pd.Index[str]
    """Facilities without known places: left out."""
    people_per_place: float
    """The average, ρ: people of the group per place."""
    excess: float
    """The most that any person could still save by going elsewhere, in units of `cost`: how near the answer is to the
    equilibrium."""
    rounds: int
    """Rounds in which every cell chooses anew."""
    settled: bool
    """Whether `excess` is within the tolerance asked for."""


def rational_agents(
    times: TravelTimes,
    cells: GeoDataFrame,
    *,
    group: str = "total",
    tau: float,
    minutes: float | None = None,
    metres: float | None = None,
    supply: str | pd.Series[float] = "places",
    people_per_place: float | None = None,
    tolerance: float = 1e-4,
    rounds: int = 10_000,
) -> AgentResult:
    """Find what care costs people in travel and crowding when each goes where the two together are least.

    The rational agent access model (Saxon and Snow, 2020, Annals of the AAG 110, 205–222): going from i to j costs
    tᵢⱼ / τ + Dⱼ / (ρ Sⱼ), with Dⱼ the people who go to j. In equilibrium everybody uses only their cheapest facilities: the
    minimum of Σⱼ Dⱼ² / (2 ρ Sⱼ) + Σᵢⱼ xᵢⱼ tᵢⱼ / τ over flows x. Here people are divisible and cells choose in turn, each
    splitting its people exactly, until nobody could save more than `tolerance`. PySAL moves whole people and stops after 150
    rounds: given a thousand million times the people it agrees to ten digits on a dozen cells, and is some per cent off on
    hundreds. Work is limited by rounds, never by the clock.

    Parameters
    ----------
    tau
        Minutes (metres) of travel that weigh as much as average crowding.
    minutes, metres
        Farthest that anybody goes (≤).
    people_per_place
        Average ρ that crowding is measured by; the group's people in all cells over all known places if left out.
    tolerance
        Most that a person may still save by going elsewhere, in units of the cost: 0.0001 is 0.06 s where τ is ten minutes.
        The last few people take most of the rounds.

    Raises
    ------
    ValueError
        If the cells are not those of the travel times, the limit does not fit, a parameter is not above 0, or there are no
        people or no places to take an average of.
    """
    import pandas as pd

    people, places = people_of(times, cells, group), places_of(times, supply)
    offered = np.nan_to_num(places) > 0
    average = _average(people, places[offered], people_per_place)
    if not (0 < tau < np.inf and 0 < tolerance < np.inf and rounds > 0):
        raise ValueError(f"tau, tolerance and rounds must be above 0, not {tau}, {tolerance} and {rounds}")
    pairs = pairs_within(times, minutes=minutes, metres=metres, rows=offered)
    room = np.where(offered, places * average, 1.0)
    load, cost, excess, used = _settle(pairs, people, room, tau, tolerance, rounds)
    cost[times.cell_fault != ""] = np.nan
    load[np.isnan(places)] = np.nan
    ratio = np.divide(places, load, out=np.full(len(places), np.nan), where=load > 0)
    ids = times.facilities.index
    return AgentResult(
        cost=pd.Series(cost, index=times.cell_ids, name="cost"),
        load=pd.Series(load, index=ids, name="load"),
        ratio=pd.Series(ratio, index=ids, name="ratio"),
        unknown=ids[np.isnan(places)],
        people_per_place=average,
        excess=excess,
        rounds=used,
        settled=excess <= tolerance,
    )


def _average(people: Floats, places: Floats, given: float | None) -> float:
    if given is None and not (people.any() and places.any()):
        raise ValueError(f"{people.sum():g} people and {places.sum():g} known places have no average; give people_per_place")
    average = float(people.sum() / places.sum()) if given is None else given
    if not 0 < average < np.inf:
        raise ValueError(f"people_per_place must be above 0, not {average}")
    return average


def _settle(
    pairs: Pairs, people: Floats, room: Floats, tau: float, tolerance: float, rounds: int
) -> tuple[Floats, Floats, float, int]:
    """Let all cells choose again and again; give loads, costs, what a person could still save, and the rounds it took.

    Most cells soon use one facility only. The few that split carry crowding from facility to facility, in long chains, so
    after each round they choose again by themselves, as often as costs about as much work as the round did.
    """
    by_cell = pairs.matrix(pairs.cost / (pairs.per * tau)).T.tocsr()
    ptr, facility, travel = by_cell.indptr, by_cell.indices, by_cell.data
    flow, load, cost = np.zeros(len(travel)), np.zeros(len(room)), np.full(pairs.cells, np.nan)
    splits = np.zeros(pairs.cells, dtype=np.bool_)
    choose, judge = compiled(choose_again), compiled(still_to_save)
    everyone = np.flatnonzero((people > 0) & (np.diff(ptr) > 0))
    excess, used = np.inf, 0
    while excess > tolerance and used < rounds:
        choose(everyone, 1, ptr, facility, travel, people, room, load, flow)
        load[:] = np.bincount(facility, weights=flow, minlength=len(room))
        excess = float(judge(ptr, facility, travel, room, load, flow, cost, splits))
        used += 1
        few = np.flatnonzero(splits)
        if excess > tolerance and len(few):
            choose(few, 1 + len(everyone) // len(few), ptr, facility, travel, people, room, load, flow)
    return load, cost, excess, used


@cache
def compiled(loop: Callable[..., float]) -> Callable[..., float]:
    """Turn a loop into machine code when it is first needed."""
    import numba

    fast: Callable[..., float] = numba.njit(cache=True, nogil=True)(loop)
    return fast


def choose_again(
    who: Ints,
    times: int,
    ptr: Ints,
    facility: Ints,
    travel: Floats,
    people: Floats,
    room: Floats,
    load: Floats,
    flow: Floats,
) -> float:
    """Let the cells `who` in turn split their people so that all they use costs the same; changes `load` and `flow`.

    A cell's common cost λ solves Σⱼ roomⱼ · max(0, λ − aⱼ) = people, aⱼ the cost before its own people come. Newton's method from
    above on that convex, piecewise straight function ends at the solution after finitely many steps.
    """
    for turn in range(times * len(who)):
        cell = who[turn % len(who)]
        first, last, count = ptr[cell], ptr[cell + 1], people[cell]
        level = np.inf
        for pair in range(first, last):
            j = facility[pair]
            load[j] = max(load[j] - flow[pair], 0.0)
            level = min(level, travel[pair] + (load[j] + count) / room[j])
        falling = True
        while falling:
            total, width = count, 0.0
            for pair in range(first, last):
                j = facility[pair]
                ahead = travel[pair] + load[j] / room[j]
                if ahead < level:
                    total += ahead * room[j]
                    width += room[j]
            falling = width > 0.0 and total / width < level
            if falling:
                level = total / width
        moved, best, least = 0.0, first, np.inf
        for pair in range(first, last):
            j = facility[pair]
            ahead = travel[pair] + load[j] / room[j]
            if ahead < least:
                best, least = pair, ahead
            flow[pair] = max(level - ahead, 0.0) * room[j]
            moved += flow[pair]
        if moved == 0.0:  # so few people that they are lost to rounding: all go where it is cheapest
            flow[best] = moved = count
        for pair in range(first, last):
            flow[pair] *= count / moved
            load[facility[pair]] += flow[pair]
    return 0.0


def still_to_save(
    ptr: Ints,
    facility: Ints,
    travel: Floats,
    room: Floats,
    load: Floats,
    flow: Floats,
    cost: Floats,
    splits: NDArray[np.bool_],
) -> float:
    """Find the most that any person could save by going elsewhere.

    Writes each cell's least cost to `cost`, and to `splits` whether it uses several facilities.
    """
    most = 0.0
    for cell in range(len(cost)):
        least, dearest, used = np.inf, -np.inf, 0
        for pair in range(ptr[cell], ptr[cell + 1]):
            here = travel[pair] + load[facility[pair]] / room[facility[pair]]
            least = min(least, here)
            if flow[pair] > 0.0:
                dearest = max(dearest, here)
                used += 1
        splits[cell] = used > 1
        cost[cell] = least if ptr[cell] < ptr[cell + 1] else np.nan
        most = max(most, dearest - least)
    return most
