"""Try the planner on thousands of small random towns, where every choice can be counted, and say what was proved.

``python benchmarks/exactness.py`` prints one PASS or FAIL line a claim and exits with 1 if any failed; ``--towns N`` changes how
many towns are drawn for each kind of objective. Rules of all kinds are drawn at random. The best of all choices (in whole tables,
``tests/planning_tables.py``; where people are given places, by a flow for every choice, ``tests/planning_oracle.py``) is compared
with the plan: its value and proof, with and without leaving out dominated candidates, and, where the rules cannot all be met, the
least relaxation and every conflict named. Coverage for ranking (`solve`, with units, costs and a budget) is compared likewise.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
import planning_oracle as oracle
import planning_tables as tables
from test_siting_rules import affordable, random_case
from verdicts import Verdicts

from careshed.siting.planning import MaxServed, ServedMedian
from careshed.siting.planning import case as case_module
from careshed.siting.planning.case import build_case
from careshed.siting.planning.checks import check_case
from careshed.siting.planning.planning import solve_case
from careshed.siting.planning.wording import Work
from careshed.siting.problem import PARTS_PER_PERSON
from careshed.siting.search import start
from careshed.siting.solve import solve

WORK: Final = Work(10_000, 0)

SETS: Final = 8
"""Sets of rules and objectives tried in each town."""

SEVERAL: Final = ("cover", "set", "median", "centre", "worst", "attendance", "served")
"""Objectives drawn where a plan sites two services."""

LEAST: Final = 2_000
"""Instances below which the run says little."""

CLOSE: Final = 2e-4
"""People, minutes or yuan by which a value may differ: rounding of people to millionths, added up."""


def one_town(seed: int, kind: str, services: tuple[str, ...], found: Counter[str], wrong: list[str]) -> None:
    """Draw a town and compare some sets of rules on it."""
    draw = random.Random(seed)
    served = kind.startswith("served")
    most = (4 if len(services) == 1 else 2) if served else (8 if len(services) == 1 else 4)
    town = oracle.random_town(draw, services=services, most=most)
    new, old, cells, units = town.times(town.new), town.times(town.old), town.cells(), town.unit_table()
    registers = {id(times): case_module.read_register(times) for times in (new, old) if times is not None}
    table = case_module.read_units(units)
    with (
        mock.patch.object(case_module, "read_register", lambda times: registers[id(times)]),
        mock.patch.object(case_module, "read_units", return_value=table),
    ):
        for at in range(SETS // 2 if served else SETS):
            objective = oracle.random_objective(draw, kind, services=services)
            rules = tuple(oracle.random_rules(draw, town, services=services))
            case = build_case(new, old, cells, units, objective, rules)
            check_case(case)
            faults = compared(town, objective, rules, case, found)
            wrong += [f"{kind}, services {len(services)}, seed {seed}, set {at}: {fault}" for fault in faults]


def compared(town, objective, rules, case, found: Counter[str]) -> list[str]:
    """What differs between the plan and the best of all choices."""
    answer = solve_case(case, WORK)
    found["instances"] += 1
    found.update(type(rule).__name__ for rule in rules)
    if isinstance(objective, MaxServed | ServedMedian):
        best, least = oracle.brute(town, objective, rules)
        asked, every = oracle.asks(town, objective, rules), None
    else:
        every = tables.Tables(town, objective, rules)
        asked = every.asks()
        best, least = tables.brute(every, asked)
        found["choices"] += len(every.open)
    if best is None:
        found["infeasible"] += 1
        return _relaxation_faults(town, objective, rules, answer, least, asked, every, found)
    faults = [] if answer.relaxation is None else ["a plan exists, but rules gave way"]
    sign = -1 if oracle.least_is_best(objective) else 1
    for stage, value in zip(answer.optimum.stages, best, strict=True):
        if abs(sign * stage.value - float(value)) > CLOSE:
            faults.append(f"{stage.name} is {stage.value}, the best of all choices {sign * float(value)}")
        if not stage.proven:
            faults.append(f"{stage.name} is not proven: bound {stage.bound}, value {stage.value}")
    if answer.dominated:
        found["reduced"] += 1
        plain = solve_case(case, WORK, reduce=False)
        if [stage.value for stage in plain.optimum.stages] != [stage.value for stage in answer.optimum.stages]:
            faults.append("leaving out dominated candidates changed the value")
    return faults


def _relaxation_faults(town, objective, rules, answer, least, asked, every, found: Counter[str]) -> list[str]:
    told = answer.relaxation
    if told is None:
        return ["no plan exists, but none of the rules gave way"]
    gave = (told.rules_broken, len(told.units_without), told.extra_yuan, told.extra_sites)
    faults = [] if tuple(map(float, gave)) == tuple(map(float, least)) else [f"gave way {gave}, the least is {least}"]
    if not answer.conflicts:
        faults.append("no conflict is named")
    for conflict in answer.conflicts:
        core = [oracle.named_among(asked, one) for one in conflict.claims]
        if None in core:
            continue
        found["conflicts"] += 1
        if _possible(town, objective, rules, core, every):
            faults.append(f"no conflict: {conflict.en}")
        if not all(_possible(town, objective, rules, core[:at] + core[at + 1 :], every) for at in range(len(core))):
            faults.append(f"a claim too many: {conflict.en}")
    return faults


def _possible(town, objective, rules, some, every) -> bool:
    if every is None:
        return oracle.possible(town, objective, rules, some)
    return tables.possible(some, len(every.open))


def ranked(count: int, seed: int, verdicts: Verdicts) -> None:
    """Compare the coverage that ranking finds with the best of all choices, for random towns with units and money."""
    draw, wrong, proven = np.random.default_rng(seed), 0, 0
    for _ in range(count):
        case = random_case(draw, units=bool(draw.integers(2)))
        problem = case.built()
        solution = solve(problem, seed=0)
        units, people = max(case.answers().values())
        same = start(problem, solution.sites).units_held() == units and solution.value == people * PARTS_PER_PERSON
        wrong += not (same and affordable(problem, solution.sites) and solution.bound >= solution.value)
        proven += solution.status == "optimal"
    verdicts.equal(f"ranking, {count} instances: answers that differ from the best of all choices", wrong, 0)
    verdicts.equal(f"ranking, {count} instances: proven", proven, count)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything; 0 if every claim holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--towns", type=int, default=40, help="towns for each kind of objective with one service")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    verdicts, everything, began = Verdicts(), Counter[str](), time.process_time()
    plan = [(kind, ("",), asked.towns) for kind in oracle.OBJECTIVES] + [(kind, ("a", "b"), asked.towns // 4) for kind in SEVERAL]
    for kind, services, towns in plan:
        found, wrong = Counter[str](), list[str]()
        for town in range(towns):
            one_town(1_000_003 * asked.seed + 7_919 * town + len(everything), kind, services, found, wrong)
        for fault in wrong[:5]:
            print(f"  {fault}")
        name = f"{kind}, {len(services)} service(s), {found['instances']} instances ({found['infeasible']} infeasible)"
        verdicts.equal(f"{name}: plans that differ from the best of all choices", len(wrong), 0)
        everything += found
    ranked(50 * asked.towns, asked.seed, verdicts)
    rules = sorted(kind.__name__ for kind in case_module.Rule.__args__)
    verdicts.equal("kinds of rule never drawn", ", ".join(rule for rule in rules if not everything[rule]) or "none", "none")
    verdicts.at_least("instances in all", everything["instances"], LEAST if asked.towns >= 40 else 1)
    verdicts.at_least("of them infeasible", everything["infeasible"], everything["instances"] / 10)
    verdicts.at_least("conflicts checked claim by claim", everything["conflicts"], everything["infeasible"] / 3)
    verdicts.at_least("of them with candidates left out, solved both ways", everything["reduced"], everything["instances"] / 100)
    print(f"{everything['choices']:,} choices counted in tables; {time.process_time() - began:.0f} s of processor time")
    return verdicts.exit_code()


if __name__ == "__main__":
    sys.exit(main())
