"""Draw a stated set of scenarios: every input moved alone, then all together by Latin hypercube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from careshed.siting.scenarios.faults import refuse, wrong
from careshed.siting.scenarios.inputs import Kind, Limit, Paths, PopulationError, Scenario, Speed, Together

DRAWS: Final = 20
"""Combined scenarios by default: four in each of `STRATA` strata of every input."""

STRATA: Final = 5
"""Equal parts that the range of every input is cut into; the population and the missing paths have as many draws."""

DIGITS: Final = 4
"""Decimals to which drawn factors are rounded, so that they can be written down."""

SOFT_PATHS: Final = ("footway", "path", "steps", "pedestrian", "track")
"""Ways that maps most often have wrongly, or not at all."""


@dataclass(frozen=True)
class _Ranges:
    speed: tuple[float, float]
    limit: tuple[float, float]
    population: PopulationError
    paths: Paths


def scenario_set(
    *,
    speed: tuple[float, float] = (0.8, 1.2),
    limit: tuple[float, float] = (0.8, 1.2),
    relative_se: float = 0.2,
    together: Together = "block",
    block_m: float = 1000.0,
    shared: float = 1.0,
    missing_share: float = 0.0,
    classes: tuple[str, ...] = SOFT_PATHS,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[Scenario, ...]:
    """Make the scenarios that a plan is tried in: each input alone at its ends, then all inputs at once.

    The ranges are assumptions to be replaced by local figures where there are any: a fifth slower or faster (older people walk
    0.8 to 1.2 m/s), a limit a fifth shorter or longer, a relative standard error of 20 % of the people in every block of 1 km.
    Speed, limit and the share of missing paths are drawn evenly between their ends by Latin hypercube (McKay, Beckman and
    Conover, 1979): each range is cut into `STRATA` equal parts, and every part is drawn equally often. Population and missing
    paths have `STRATA` draws each, which the combined scenarios share, so that their effect can be told from chance.

    Parameters
    ----------
    speed, limit
        Lowest and highest factor; equal ends leave the input out.
    relative_se
        Relative standard error of the population; 0 leaves it out.
    missing_share
        Largest share of the edges of `classes` missing; 0 leaves it out. Needs routing again.
    draws
        Combined scenarios, a multiple of `STRATA`, or 0 for none.

    Raises
    ------
    careshed.schema.InputError
        If a range is the wrong way round or an input is out of its bounds.

    Examples
    --------
    >>> [one.label("en") for one in scenario_set(relative_se=0, draws=0)]
    ['walking speed ×0.8', 'walking speed ×1.2', 'limit ×0.8', 'limit ×1.2']
    """
    faults = [
        *(wrong("range", f"{zh}的范围有误", f"the range of {en} is not above 0, or the wrong way round", found=f"{low}, {high}")
          for zh, en, (low, high) in (("步行速度", "walking speed", speed), ("时限", "the limit", limit)) if not 0 < low <= high),
        *(wrong("share", f"{zh}须在 0 与 1 之间", f"{en} must lie between 0 and 1", found=f"{value:g}")
          for zh, en, value in (("缺失比例", "the missing share", missing_share), ("人口相对误差", "relative_se", relative_se))
          if not 0 <= value <= 1),
    ]  # fmt: skip
    if draws < 0 or draws % STRATA:
        zh, en = "组合情景数须为 0 或层数的倍数", f"the number of draws must be 0 or a multiple of {STRATA}"
        faults.append(wrong("draws", zh, en, found=str(draws)))
    refuse(faults)
    error = PopulationError(relative_se, together, block_m, shared)
    ranges = _Ranges(speed, limit, error, Paths(missing_share, classes))
    return (*_alone(ranges, seed), *_combined(ranges, draws, seed))


def _alone(ranges: _Ranges, seed: int) -> list[Scenario]:
    """Each input at its ends, all others as in the plan."""
    made = []
    for at, factor in enumerate(ranges.speed):
        if ranges.speed[0] < ranges.speed[1]:
            made.append(Scenario(f"speed-{at + 1}", speed=Speed(factor), kind="one", varied="speed"))
    for at, factor in enumerate(ranges.limit):
        if ranges.limit[0] < ranges.limit[1]:
            made.append(Scenario(f"limit-{at + 1}", limit=Limit(factor), kind="one", varied="limit"))
    for draw in range(STRATA):
        if ranges.population.changes:
            error = _error(ranges.population, seed, draw)
            made.append(Scenario(f"population-{draw + 1}", population=error, kind="one", varied="population"))
    for draw in range(STRATA):
        if ranges.paths.changes:
            paths = Paths(ranges.paths.missing_share, ranges.paths.classes, seed * STRATA + draw)
            made.append(Scenario(f"paths-{draw + 1}", paths=paths, kind="one", varied="paths"))
    return made


def _error(error: PopulationError, seed: int, draw: int) -> PopulationError:
    return PopulationError(error.relative_se, error.together, error.block_m, error.shared, seed * STRATA + draw)


def _combined(ranges: _Ranges, draws: int, seed: int) -> list[Scenario]:
    """All inputs at once, every stratum of each equally often."""
    rng = np.random.default_rng([seed, draws])
    strata = {name: rng.permutation(np.arange(draws) % STRATA) for name in ("speed", "limit", "population", "paths")}
    place = {name: _within(strata[name], rng) for name in ("speed", "limit", "paths")}
    moved = [name for name, moves in _moves(ranges).items() if moves]
    made = []
    for draw in range(draws if moved else 0):
        stratum = {name: int(strata[name][draw]) for name in moved}
        share = round(ranges.paths.missing_share * place["paths"][draw], DIGITS)
        kind: Kind = "combined"
        made.append(
            Scenario(
                id=f"combined-{draw + 1}",
                speed=Speed(_between(ranges.speed, place["speed"][draw])),
                limit=Limit(_between(ranges.limit, place["limit"][draw])),
                population=_error(ranges.population, seed, stratum.get("population", 0)),
                paths=Paths(share, ranges.paths.classes, seed * STRATA + stratum["paths"]) if "paths" in stratum else Paths(),
                kind=kind,
                strata=tuple(stratum.items()),
            )
        )
    return made


def _moves(ranges: _Ranges) -> dict[str, bool]:
    return {
        "speed": ranges.speed[0] < ranges.speed[1],
        "limit": ranges.limit[0] < ranges.limit[1],
        "population": ranges.population.changes,
        "paths": ranges.paths.changes,
    }


def _within(strata: np.ndarray[tuple[int], np.dtype[np.int64]], rng: np.random.Generator) -> list[float]:
    """Places in 0 to 1, each in its stratum; the draws of a stratum are spread evenly over it in turn."""
    count = max(len(strata) // STRATA, 1)
    turn = np.zeros(len(strata))
    for stratum in range(STRATA):
        mine = np.flatnonzero(strata == stratum)
        turn[mine] = rng.permutation(len(mine))
    return [float(place) for place in (strata + (turn + rng.random(len(strata))) / count) / STRATA]


def _between(ends: tuple[float, float], place: float) -> float:
    return round(ends[0] + (ends[1] - ends[0]) * place, DIGITS)
