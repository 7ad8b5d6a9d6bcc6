"""Solve the worst case over all scenarios as one mixed-integer model, and count its answer again in whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.schema import InputError
from careshed.siting.planning import Demand, MaxCover, OutOfWork, PerUnit, Sites
from careshed.siting.planning.claims import rule_claims
from careshed.siting.planning.model import Aim, Draft, Line, add_column, start_draft, summed, worth_steps
from careshed.siting.planning.solving import NODES, TOLERANCE, StepTable, holds, ran, settle, solver, step_table
from careshed.siting.problem import PARTS_PER_PERSON, Ints
from careshed.siting.scenarios.asks import Ruled
from careshed.siting.scenarios.engine import Choice, Engine
from careshed.siting.scenarios.faults import wrong
from careshed.siting.scenarios.ranking import RankingEngine
from careshed.siting.scenarios.ruled import RuledEngine

if TYPE_CHECKING:
    from careshed.siting.scenarios.trying import Tried

EXACT_PAIRS: Final = 40_000
"""Pairs within the limit over all scenarios up to which the worst case is solved exactly."""

SAME_PEOPLE: Final = PARTS_PER_PERSON // 100
"""A hundredth of a person, in millionths: below it two answers are the same."""


@dataclass(frozen=True)
class Worth:
    """People that a plan reaches in one scenario, as a row of the model."""

    columns: Ints
    factors: Ints
    """Millionths of a person that each column counts."""
    constant: int
    base: int
    """What they are measured against, millionths."""

    def score(self, amount: Ints) -> int:
        """People less the base, millionths."""
        return int(self.factors[amount[self.columns] > 0].sum()) + self.constant - self.base

    def at_least(self, least: int) -> Line:
        """The row: score of at least so many millionths."""
        return Line(self.columns, self.factors, least + self.base - self.constant, None, PARTS_PER_PERSON)

    def above(self, column: int) -> Line:
        """The row: score no less than what a column says, people."""
        columns, factors = np.append(self.columns, column), np.append(self.factors, -PARTS_PER_PERSON)
        return Line(columns, factors, self.base - self.constant, None, PARTS_PER_PERSON)


@dataclass(frozen=True)
class Model:
    """One set of decisions under the rules of the nominal case, and what it is worth in every scenario."""

    draft: Draft
    table: StepTable
    lines: tuple[Line, ...]
    """Rules, in the nominal case."""
    worths: tuple[Worth, ...]
    nominal: Worth

    def rank(self, decided: Sequence[int]) -> tuple[int, int]:
        """How good some decisions are: the worst score, then the nominal case, millionths."""
        amount = settle(self.draft, np.array(decided, dtype=np.int64), self.table)
        return min(worth.score(amount) for worth in self.worths), self.nominal.score(amount)

    def keeps(self, decided: Sequence[int]) -> bool:
        """Whether some decisions keep the rules."""
        amount = settle(self.draft, np.array(decided, dtype=np.int64), self.table)
        return all(holds(row, amount) for row in self.lines)


def pairs_of(engine: Engine) -> int:
    """Count the pairs within the limit that a scenario's model would have."""
    if isinstance(engine, RankingEngine):
        return len(engine.pairs.items)
    return sum(len(reach.post) for reach in engine.case.reaches) if isinstance(engine, RuledEngine) else 0


def ruled(engine: RankingEngine, sites: Sequence[str]) -> RuledEngine | None:
    """Say a ranking as rules; None where its best sites leave a unit without, which no plain rule can say.

    Parameters
    ----------
    sites
        Those of its best plan, which serve as many units as can be.
    """
    ask, rules = engine.ask, engine.rules
    if {unit for site in sites for unit in rules.chains.get(site, ())} != set(rules.needed):
        return None
    units = engine.tables.units
    level = {} if units is None else {str(code): str(one) for code, one in units["level"].items()}
    own = {name: tuple(unit for unit in rules.needed if level[unit] == name) for name in ask.at_least_one_per}
    wanted = [PerUnit(name, at_least=1, units=codes) for name, codes in own.items() if codes]
    demand = Demand(ask.group, ask.minutes, ask.metres)
    return RuledEngine(Ruled(MaxCover((demand,)), (Sites(at_most=ask.n), *wanted)), engine.tables, engine.seed, engine.work_limit)


def solve_exactly(tried: Tried, bases: Sequence[int], known: Choice) -> tuple[Choice, int]:
    """Find the plan whose worst score is highest, and among those the one best in the nominal case.

    Parameters
    ----------
    bases
        What people are measured against in every scenario, millionths.
    known
        A plan that keeps the rules; it stands where the search finds none better.

    Returns
    -------
    tuple
        The plan, and what the worst score of no plan exceeds, millionths.

    Raises
    ------
    careshed.schema.InputError
        If a ranking has fewer sites than units need.
    """
    engine = _as_rules(tried.engine, tried.nominal.choice.sites)
    model = _model(engine, [_as_rules(trial.engine, tried.nominal.choice.sites) for trial in tried.trials], bases)
    best = _decisions(engine, known)
    found, bound = _worst_first(model, engine)
    best = max(best, found or best, key=model.rank)
    worst = model.rank(best)[0]
    if bound - worst < SAME_PEOPLE:
        best = max(best, _nominal_next(model, engine, worst) or best, key=model.rank)
    best = _without_idle(model, engine, best)
    choice = engine.choice(best)
    return (choice if isinstance(tried.engine, RuledEngine) else Choice(choice.sites)), bound


def _as_rules(engine: Engine, sites: Sequence[str]) -> RuledEngine:
    said = ruled(engine, sites) if isinstance(engine, RankingEngine) else engine
    if not isinstance(said, RuledEngine):
        zh, en = (
            "选址数少于待满足的单元数，无法精确求稳健方案",
            "fewer sites than units need: the robust plan cannot be solved exactly",
        )
        cure = ("请增加选址数，或用 exact=False。", "Ask for more sites, or use exact=False.")
        raise InputError([wrong("too_few_sites", zh, en, *cure)])
    return said


def _model(engine: RuledEngine, others: Sequence[RuledEngine], bases: Sequence[int]) -> Model:
    draft = start_draft(engine.case)
    basic = list(draft.lines)
    lines = [row for claim in rule_claims(draft) for row in claim.lines]
    worths = tuple(_worth(draft, one, base) for one, base in zip(others, bases, strict=True))
    nominal = _worth(draft, engine, 0)
    return Model(draft, step_table(draft), (*basic, *lines), worths, nominal)


def _worth(draft: Draft, engine: RuledEngine, base: int) -> Worth:
    """Write a scenario's people into the model; sites and posts are the same in every scenario, only who reaches them differs."""
    columns, factors, constant = summed(worth_steps(draft, reach) for reach in engine.case.reaches)
    return Worth(columns, np.array(factors, dtype=np.int64), constant, base)


def _worst_first(model: Model, engine: RuledEngine) -> tuple[tuple[int, ...] | None, int]:
    """Lift the worst score: decisions if any are found, and the bound, millionths."""
    most = max(int(worth.factors.sum()) + abs(worth.constant) + abs(worth.base) for worth in model.worths)
    far = float(most) / PARTS_PER_PERSON + 1.0
    column = add_column(model.draft, lower=-far, upper=far, whole=False)
    aim = Aim(1, np.array([column], dtype=np.int64), (PARTS_PER_PERSON,), 0, PARTS_PER_PERSON, flows=True)
    rows = [worth.above(column) for worth in model.worths]
    found, dual = _searched(model, engine, rows, aim)
    model.draft.lower[column] = model.draft.upper[column] = 0.0
    slack = TOLERANCE * 2 * far + 1e-6
    return found, int(np.floor((min(dual, far) + slack) * PARTS_PER_PERSON))


def _nominal_next(model: Model, engine: RuledEngine, worst: int) -> tuple[int, ...] | None:
    """Hold the worst score, and reach the most people in the nominal case."""
    nominal = model.nominal
    factors = tuple(int(factor) for factor in nominal.factors)
    aim = Aim(1, nominal.columns, factors, nominal.constant, PARTS_PER_PERSON)
    return _searched(model, engine, [worth.at_least(worst) for worth in model.worths], aim)[0]


def _searched(model: Model, engine: RuledEngine, rows: Sequence[Line], aim: Aim) -> tuple[tuple[int, ...] | None, float]:
    """Run HiGHS: decisions that keep the rules, if any, and its bound."""
    nodes = NODES if engine.work_limit is None else engine.work_limit
    rules = model.lines[len(start_draft(engine.case).lines) :]
    highs = solver(model.draft, [*rules, *rows], aim, nodes=nodes, seed=engine.seed)
    try:
        possible, _ = ran(highs)
    except OutOfWork:
        return None, float(highs.getInfo().mip_dual_bound)
    if not possible:
        return None, float("inf")
    raw = np.asarray(highs.getSolution().col_value, dtype=np.float64)[: model.draft.decided]
    decided = tuple(int(one) for one in raw > 0.5)
    return (decided if model.keeps(decided) else None), float(highs.getInfo().mip_dual_bound)


def _decisions(engine: RuledEngine, choice: Choice) -> tuple[int, ...]:
    """A plan as decisions; one that names sites only builds these and keeps what stands."""
    if choice.decided:
        return choice.decided
    return tuple(int(place.standing or place.id in choice.sites) for place in engine.case.places)


def _without_idle(model: Model, engine: RuledEngine, decided: tuple[int, ...]) -> tuple[int, ...]:
    """Leave out sites without which no rule breaks and nothing gets worse, the last id first."""
    for site in reversed(engine.choice(decided).sites):
        less = engine.less(decided, site)
        if model.keeps(less) and model.rank(less) >= model.rank(decided):
            decided = less
    return decided
