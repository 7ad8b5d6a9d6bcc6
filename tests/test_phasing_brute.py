"""Plans over years by brute force: hundreds of tiny towns with random phases, money, numbers and rules."""

from __future__ import annotations

import os
import random
from unittest import mock

import phasing_oracle as oracle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careshed.siting.phasing import engine, plan_phases, verify_phases, weights_of
from careshed.siting.planning import MaxCover, SetCover

MORE = int(os.environ.get("CARESHED_BRUTE", "1"))

few = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def tried(seed: int) -> None:
    town, objective, rules, phases, unused = oracle.random_case(random.Random(seed))
    tables = {"existing": town.times(town.old), "units": town.unit_table()}
    plan = plan_phases(
        town.times(town.new), town.cells(), phases=phases, objective=objective, rules=rules, unused=unused, **tables
    )
    verify_phases(plan, town.times(town.new), town.cells(), **tables)
    weights = weights_of(phases)
    best, least, free = oracle.brute(town, objective, rules, phases, weights, unused)
    assert plan.status == "optimal"
    assert all(cost.people >= 0 and cost.proven for cost in plan.nesting_cost)
    if best is None:
        told = plan.relaxation
        assert told is not None
        assert plan.conflicts
        for conflict in plan.conflicts:
            assert oracle.core_is_exact(town, objective, plan.rules, phases, unused, conflict.claims)
        assert (told.rules_broken, len(told.units_without), told.extra_yuan, told.extra_sites) == tuple(map(float, least))
        return
    assert plan.relaxation is None
    assert not plan.conflicts
    values = [stage.value for stage in plan.stages]
    sign = [-1, 1] if isinstance(objective, SetCover) else [1]
    assert [s * v for s, v in zip(sign, values, strict=True)] == pytest.approx([float(one) for one in best], abs=2e-4)
    if isinstance(objective, MaxCover):
        assert [cost.free for cost in plan.nesting_cost] == pytest.approx([float(one) for one in free], abs=2e-4)


@given(st.integers(0, 2**32))
@settings(few, max_examples=60 * MORE)
def test_a_plan_over_years_is_as_good_as_the_best_of_all_years_for_all_sites(seed: int):
    tried(seed)


@given(st.integers(0, 2**32))
@settings(few, max_examples=25 * MORE)
def test_search_and_prices_come_to_the_same_plans_as_branch_and_bound(seed: int):
    with mock.patch.object(engine, "SMALL", -1), mock.patch.object(engine, "KICKS", 2):
        tried(seed)
