"""Try a siting question in every scenario: the nominal plan, and the best plan of each scenario with its bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from careshed.reach import TravelTimes
from careshed.schema import InputError
from careshed.siting.planning.case import Matrices
from careshed.siting.planning.checks import check_case, check_input
from careshed.siting.scenarios.asks import Ask, Tables, World, in_scenario
from careshed.siting.scenarios.engine import Answer, Choice, Engine, engine_of
from careshed.siting.scenarios.faults import refuse, scenario_faults, wrong
from careshed.siting.scenarios.inputs import Scenario
from careshed.siting.scenarios.ranking import RankingEngine
from careshed.siting.scenarios.ruled import RuledEngine

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.siting.scenarios.streets import Routing

EXACT_REGRET_PAIRS = 20_000
"""Candidate–cell pairs up to which a ranking is solved again for every site forced in; above it, single exchanges."""


@dataclass(frozen=True)
class Trial:
    """The question in one scenario, and its answers there."""

    scenario: Scenario
    world: World
    engine: Engine
    nominal: float | None
    """What the nominal plan is worth here; None where it breaks a rule."""
    answer: Answer | None
    """The best plan here, the nominal one if it is as good; None where no plan keeps the rules."""


@dataclass(frozen=True)
class Tried:
    """A siting question tried in every scenario."""

    ask: Ask
    nominal: Answer
    """The plan as it would be made without any doubt."""
    engine: Engine
    """Of the nominal case."""
    trials: tuple[Trial, ...]
    seed: int
    work_limit: int | None


def try_scenarios(
    ask: Ask,
    options: Matrices,
    cells: GeoDataFrame,
    *,
    scenarios: Sequence[Scenario],
    existing: Matrices | None = None,
    units: GeoDataFrame | None = None,
    routing: Routing | None = None,
    exact_regret: bool | None = None,
    seed: int = 0,
    work_limit: int | None = None,
) -> Tried:
    """Solve a siting question as it stands and once more in every scenario.

    Parameters
    ----------
    ask
        `Ranking` for what `rank_sites` is asked, `Ruled` for what `plan_sites` is asked. The rules stay the same in every
        scenario; limits, people and travel costs are the scenario's.
    routing
        Network and streets; needed only by scenarios whose travel costs cannot be scaled.
    exact_regret
        Whether a ranking is solved again with every site forced in; None up to `EXACT_REGRET_PAIRS` pairs. Else a site's
        regret comes from single exchanges and is told as "at most".
    seed, work_limit
        As in `rank_sites` and `plan_sites`; None for their usual work.

    Raises
    ------
    careshed.schema.InputError
        If scenarios or tables cannot be used, or no plan keeps the rules even in the nominal case.

    Examples
    --------
    Two candidates; A reaches 30 people in 10 minutes, B 25 in 5. If people walk a third slower, only B is left.

    >>> import geopandas as gpd, numpy as np
    >>> from careshed.modes import WALK_OLDER
    >>> from careshed.siting.scenarios import Ranking, Scenario, Speed, stress_plan
    >>> crs = "EPSG:32651"
    >>> cells = gpd.GeoDataFrame({"p60": [30.0, 25.0]}, geometry=gpd.points_from_xy([0, 900], [0, 0]), crs=crs)
    >>> spots = gpd.GeoDataFrame({"unit": ["", ""]}, index=["A", "B"], geometry=gpd.points_from_xy([0, 900], [0, 0]), crs=crs)
    >>> options = TravelTimes(spots, cells.index, np.array([0, 1, 2]), np.array([0, 1], np.int32),
    ...                       np.array([600_000, 300_000], np.uint32), np.zeros(2, np.int64), np.zeros(2, np.int32),
    ...                       np.array(["", ""]), np.array(["", ""]), "time", 900_000, "to_facility", WALK_OLDER, 150.0)
    >>> slow = Scenario("slow", speed=Speed(0.66))
    >>> tried = try_scenarios(Ranking("p60", 1, minutes=12), options, cells, scenarios=[slow])
    >>> tried.nominal.choice.sites, tried.trials[0].answer.choice.sites, stress_plan(tried).scenarios["regret"].tolist()
    (('A',), ('B',), [25.0])
    """
    refuse(scenario_faults(scenarios))
    tables = Tables(options, cells, existing, units)
    exact = _small(options) if exact_regret is None else exact_regret
    plain = in_scenario(ask, tables, Scenario("nominal"))
    engine = engine_of(plain, seed=seed, work_limit=work_limit, exact_regret=exact)
    _check(engine, tables)
    nominal = engine.best()
    if nominal is None:
        zh, en = "即使情况不变，规则也无法同时满足", "the rules cannot all be met even if nothing changes"
        raise InputError([wrong("no_plan", zh, en, "请先用 plan_sites 查看冲突。", "See the conflict with plan_sites first.")])
    worlds = [in_scenario(ask, tables, scenario, routing) for scenario in scenarios]
    engines = [engine_of(world, seed=seed, work_limit=work_limit, exact_regret=exact) for world in worlds]
    answers = _answers(engines, nominal)
    trials = (
        Trial(scenario, world, one, one.value(nominal.choice), answer)
        for scenario, world, one, answer in zip(scenarios, worlds, engines, answers, strict=True)
    )
    return Tried(ask, nominal, engine, tuple(trials), seed, work_limit)


def _small(options: Matrices) -> bool:
    return isinstance(options, TravelTimes) and options.pairs <= EXACT_REGRET_PAIRS


def _check(engine: Engine, tables: Tables) -> None:
    if isinstance(engine, RuledEngine):
        ask = engine.ask
        check_input(tables.options, tables.existing, tables.cells, tables.units, ask.objective, ask.rules)
        check_case(engine.case)


def _answers(engines: Sequence[Engine], nominal: Answer) -> list[Answer | None]:
    """The best plan of each scenario; what is best in one is tried in all where that costs a count only."""
    found = [engine.best() for engine in engines]
    others = {nominal.choice: None}
    if all(isinstance(engine, RankingEngine) for engine in engines):
        others |= {answer.choice: None for answer in found if answer is not None}
    return [_better(engine, answer, list(others)) for engine, answer in zip(engines, found, strict=True)]


def _better(engine: Engine, answer: Answer | None, others: Sequence[Choice]) -> Answer | None:
    """Take another plan where it is better; the first of `others`, the nominal one, also where it is as good."""
    for at, other in enumerate(others if answer is not None else ()):
        value = engine.value(other)
        if value is None or answer is None:
            continue
        ahead = engine.sense * (value - answer.value)
        if ahead > 0 or (at == 0 and ahead == 0):
            bound = max(answer.bound * engine.sense, value * engine.sense) * engine.sense
            answer = replace(answer, choice=other, value=value, bound=bound)
    return answer
