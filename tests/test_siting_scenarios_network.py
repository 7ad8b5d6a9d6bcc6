"""Scenarios of travel: costs are scaled only where a new search would give the very same pairs; streets can go and come."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from towns import CRS, EAST, NORTH, points, streets

from careshed.modes import Mode
from careshed.network import build_network
from careshed.reach import travel_times
from careshed.schema import InputError
from careshed.siting.scenarios import (
    Limit,
    Paths,
    Ranking,
    Routing,
    Scenario,
    Speed,
    changed_network,
    scenario_times,
    try_scenarios,
)
from careshed.siting.scenarios.costs import ROUNDING_MS, scales

METRE_A_SECOND = Mode("one", 3.6, 3.6, "一米每秒", "a metre a second", "made up", steps_factor=2.0)


def grid(rng: np.random.Generator, size: int = 9, jitter: float = 30.0):
    """A grid of streets about 100 m apart, some ways steps, the junctions shifted at random."""
    nodes = {
        f"{i}_{j}": (100.0 * i + rng.uniform(-jitter, jitter), 100.0 * j + rng.uniform(-jitter, jitter))
        for i in range(size)
        for j in range(size)
    }
    ways = [[f"{i}_{j}", f"{i + 1}_{j}"] for i in range(size - 1) for j in range(size)]
    ways += [[f"{i}_{j}", f"{i}_{j + 1}"] for i in range(size) for j in range(size - 1)]
    return streets(nodes, ways, steps=list(range(0, len(ways), 7)))


def town(seed: int = 0, jitter: float = 30.0, limit: float = 30):
    rng = np.random.default_rng(seed)
    table = grid(rng, jitter=jitter)
    network = build_network(table, mode=METRE_A_SECOND, crs=CRS, snap_m=100)
    cells = points(np.round(rng.uniform(0, 800, (150, 2)), 0), p60=rng.integers(1, 50, 150).astype(float))
    spots = points(np.round(rng.uniform(0, 800, (12, 2)), 0), ids=[f"c{i:02d}" for i in range(12)], unit="")
    return Routing(network, table), spots, cells, travel_times(network, spots, cells, limit_min=limit)


def near(times, limit: int) -> set[tuple[int, int]]:
    rows = np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr))
    kept = times.cost <= limit
    return set(zip(rows[kept].tolist(), times.indices[kept].tolist(), strict=True))


def pairs_of(times) -> dict[tuple[int, int], int]:
    rows = np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr))
    return dict(zip(zip(rows.tolist(), times.indices.tolist(), strict=True), times.cost.tolist(), strict=True))


# ---------------------------------------------------------------- the shortcut


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2.0])
def test_scaled_costs_are_those_of_a_new_search_pair_for_pair_where_metres_are_whole(factor):
    # Streets of exactly 100 m at 1 m/s cost whole hundreds of seconds at every one of these speeds: rounding changes nothing.
    nodes = {f"{i}_{j}": (100.0 * i, 100.0 * j) for i in range(6) for j in range(6)}
    ways = [[f"{i}_{j}", f"{i + 1}_{j}"] for i in range(5) for j in range(6)]
    ways += [[f"{i}_{j}", f"{i}_{j + 1}"] for i in range(6) for j in range(5)]
    table = streets(nodes, ways, steps=[3, 8])
    routing = Routing(build_network(table, mode=METRE_A_SECOND, crs=CRS, snap_m=100), table)
    cells = points([(50.0 * i, 100.0 * j + 20) for i in range(10) for j in range(5)], p60=1.0)
    spots = points([(100, 20), (350, 380), (500, 220)], ids=["a", "b", "c"], unit="")
    times = travel_times(routing.network, spots, cells, limit_min=30)
    limit = 5 * 60_000
    scaled = scenario_times(times, cells, Scenario("s", speed=Speed(factor)), needed=limit)
    slow = replace(METRE_A_SECOND, speed_kmh=3.6 * factor, leg_speed_kmh=3.6 * factor)
    again = travel_times(build_network(table, mode=slow, crs=CRS, snap_m=100), spots, cells, limit_min=5)
    assert not scaled.routed
    assert near(scaled.times, limit) == near(again, limit)
    old, new = pairs_of(scaled.times), pairs_of(again)
    assert max(abs(old[pair] - new[pair]) for pair in new) <= 20  # streets come from degrees and are whole only to a hair


@pytest.mark.parametrize(("seed", "factor"), [(1, 0.7), (2, 0.83), (3, 1.1), (4, 1.37), (5, 1.9)])
def test_on_a_crooked_town_with_steps_only_pairs_within_the_rounding_can_differ(seed, factor):
    routing, spots, cells, times = town(seed)
    limit = 6 * 60_000
    scaled = scenario_times(times, cells, Scenario("s", speed=Speed(factor)), needed=limit)
    mode = replace(METRE_A_SECOND, speed_kmh=3.6 * factor, leg_speed_kmh=3.6 * factor)
    again = travel_times(build_network(routing.streets, mode=mode, crs=CRS, snap_m=100), spots, cells, limit_min=6)
    wrong = near(scaled.times, limit) ^ near(again, limit)
    close = near(scaled.times, limit + ROUNDING_MS) - near(scaled.times, limit - ROUNDING_MS - 1)
    assert wrong <= close
    assert scaled.close(limit) == len(close)
    assert scaled.times.mode == again.mode
    # Pair for pair the costs differ by no more than the rounding.
    old, new = pairs_of(scaled.times), pairs_of(again)
    assert old.keys() >= new.keys() - close
    assert max(abs(old[pair] - new[pair]) for pair in old.keys() & new.keys()) <= ROUNDING_MS


def test_a_scaled_limit_is_the_limit_times_the_factor_to_the_millisecond():
    # Within 10 min at 0.8 of the speed is within 8 min of the costs known: 480,000 ms counts, 480,001 does not.
    _, _, cells, times = town()
    edge = replace(times, cost=np.full(times.pairs, 480_000, dtype=np.uint32))
    over = replace(times, cost=np.full(times.pairs, 480_001, dtype=np.uint32))
    slow = Scenario("s", speed=Speed(0.8))
    assert (scenario_times(edge, cells, slow, needed=600_000).times.cost <= 600_000).all()
    assert (scenario_times(over, cells, slow, needed=600_000).times.cost > 600_000).all()


def test_another_limit_within_what_was_searched_needs_no_scaling_and_is_exact():
    _, _, cells, times = town()
    found = scenario_times(times, cells, Scenario("s", limit=Limit(minutes=20)), needed=20 * 60_000)
    assert found.times is times
    assert (found.routed, found.close(20 * 60_000)) == (False, 0)


def test_scaled_costs_stay_within_what_is_said_to_have_been_searched():
    # 30 min searched at 1.25 of the speed tell about 24 min; slower people's costs go to 37.5.
    _, _, cells, times = town()
    fast = scenario_times(times, cells, Scenario("s", speed=Speed(1.25)), needed=600_000).times
    slow = scenario_times(times, cells, Scenario("s", speed=Speed(0.8)), needed=600_000).times
    assert (fast.limit, slow.limit) == (24 * 60_000, 37.5 * 60_000)
    assert fast.cost.max() <= fast.limit
    assert slow.cost.max() <= slow.limit


# ---------------------------------------------------------------- where the shortcut is refused


def test_people_who_walk_faster_than_was_searched_are_refused_or_searched_anew():
    routing, _, cells, times = town(limit=10)
    fast = Scenario("fast", speed=Speed(1.5))
    with pytest.raises(
        InputError, match=r"scenario fast: travel must be searched to 15 minutes, it was only to 10\. Give routing="
    ):
        scenario_times(times, cells, fast, needed=10 * 60_000)
    found = scenario_times(times, cells, fast, needed=10 * 60_000, routing=routing)
    assert (found.routed, found.times.mode.speed_kmh) == (True, 3.6 * 1.5)
    assert found.times.pairs > times.pairs


def test_a_longer_limit_than_was_searched_is_searched_anew():
    routing, _, cells, times = town(limit=5)
    longer = Scenario("long", limit=Limit(factor=2))
    with pytest.raises(InputError, match="scenario long: travel must be searched to 10 minutes, it was only to 5"):
        scenario_times(times, cells, longer, needed=10 * 60_000)
    found = scenario_times(times, cells, longer, needed=10 * 60_000, routing=routing)
    assert near(found.times, 10**9) == near(town(limit=10)[3], 10**9)


@pytest.mark.parametrize("speed", [Speed(0.8, leg_factor=1.0), Speed(1.0, steps_factor=3.0)])
def test_speeds_that_do_not_all_change_alike_are_searched_anew(speed):
    routing, spots, cells, times = town()
    with pytest.raises(InputError, match="scenario s: not every part of a way scales alike"):
        scenario_times(times, cells, Scenario("s", speed=speed), needed=600_000)
    found = scenario_times(times, cells, Scenario("s", speed=speed), needed=600_000, routing=routing)
    leg = 3.6 * (1.0 if speed.leg_factor is None else speed.leg_factor)
    mode = replace(METRE_A_SECOND, speed_kmh=3.6 * speed.factor, leg_speed_kmh=leg, steps_factor=speed.steps_factor or 2.0)
    again = travel_times(build_network(routing.streets, mode=mode, crs=CRS, snap_m=100), spots, cells, limit_min=30)
    assert found.routed
    assert near(found.times, 600_000) == near(again, 600_000)


def test_a_mode_with_seconds_that_no_speed_shortens_is_not_scaled():
    @dataclass(frozen=True)
    class Waiting(Mode):
        lift_s: float = 40.0

    _, _, cells, times = town()
    waits = replace(times, mode=Waiting("w", 3.6, 3.6, "等", "waits", "made up"))
    at_lights = replace(times, mode=replace(METRE_A_SECOND, signal_s=20.0))
    for told in (waits, at_lights):
        assert not scales(told.mode)
        with pytest.raises(InputError, match="scenario s: the mode has fixed times that do not scale with speed"):
            scenario_times(told, cells, Scenario("s", speed=Speed(0.8)), needed=600_000)
        assert scenario_times(told, cells, Scenario("t", limit=Limit(factor=0.5)), needed=300_000).times is told
    assert scales(METRE_A_SECOND)


def test_a_network_with_slopes_is_rebuilt_only_as_the_caller_says():
    routing, spots, cells, _ = town()
    hilly = replace(METRE_A_SECOND, hills="tobler")
    network = replace(routing.network, mode=hilly, _made={})
    times = travel_times(network, spots, cells, limit_min=30)
    late = Scenario("s", speed=Speed(0.9, leg_factor=1.0))
    with pytest.raises(InputError, match="the network was built with slopes, which streets alone do not tell"):
        scenario_times(times, cells, late, needed=600_000, routing=Routing(network, routing.streets))
    asked = []

    def build(mode):
        asked.append(mode)
        return replace(network, mode=mode, _made={})

    found = scenario_times(times, cells, late, needed=600_000, routing=Routing(network, routing.streets, build))
    assert [mode.speed_kmh for mode in asked] == [3.6 * 0.9]
    assert near(found.times, 600_000) == near(times, 600_000)


def test_walking_speed_says_nothing_of_metres_of_street():
    routing, spots, cells, _ = town()
    lengths = travel_times(routing.network, spots, cells, limit_m=500)
    with pytest.raises(InputError, match="scenario s: metres of street do not depend on walking speed"):
        scenario_times(lengths, cells, Scenario("s", speed=Speed(0.8)), needed=300_000)
    assert scenario_times(lengths, cells, Scenario("t", limit=Limit(metres=400)), needed=400_000).times is lengths
    with pytest.raises(InputError, match="scenario t: travel must be searched to 600 metres, it was only to 500"):
        scenario_times(lengths, cells, Scenario("t", limit=Limit(metres=600)), needed=600_000)
    found = scenario_times(lengths, cells, Scenario("t"), needed=600_000, routing=routing)
    assert near(found.times, 10**9) == near(travel_times(routing.network, spots, cells, limit_m=600), 10**9)


def test_another_network_than_the_costs_came_from_is_refused():
    routing, _, cells, times = town()
    other = Routing(replace(routing.network, mode=replace(METRE_A_SECOND, speed_kmh=5)), routing.streets)
    with pytest.raises(InputError, match="the network given is not the one the travel costs came from"):
        scenario_times(times, cells, Scenario("s", paths=Paths(0.5, ("steps",))), needed=600_000, routing=other)


# ---------------------------------------------------------------- missing paths, added links

NODES = {"a": (0, 0), "b": (100, 0), "c": (200, 0), "d": (0, 300), "e": (200, 300)}
WAYS = ["ab", "bc", "ad", "de", "ec"]


def ring():
    """A ring a-b-c-e-d-a whose part b-c is steps."""
    table = streets(NODES, WAYS, steps=[1])
    network = build_network(table, mode=replace(METRE_A_SECOND, steps_factor=1.0), crs=CRS, snap_m=60)
    return Routing(network, table)


def test_where_a_path_is_missing_people_go_round():
    # From c to a: 200 m by the steps b-c; without them c-e-d-a is 300 + 200 + 300 = 800 m.
    routing, cells, spots = ring(), points([(200, 0)], p60=10.0), points([(0, 0)], ids=["A"], unit="")
    times = travel_times(routing.network, spots, cells, limit_min=20)
    gone = scenario_times(times, cells, Scenario("s", paths=Paths(1.0, ("steps",))), needed=1_200_000, routing=routing)
    assert (times.cost[0] / 1000, gone.times.cost[0] / 1000) == pytest.approx((200, 800), abs=1)
    with pytest.raises(InputError, match=r"scenario s: paths differ\. Give routing=Routing\(network, streets\)"):
        scenario_times(times, cells, Scenario("s", paths=Paths(1.0, ("steps",))), needed=1_200_000)


def test_a_place_on_a_missing_path_joins_the_next_street_and_a_candidate_cut_off_reaches_nobody():
    # The cell at (140, 0) lies on the steps. Without them the junction b is 40 m off, within the 60 m.
    routing, cells = ring(), points([(140, 0)], p60=10.0)
    spots = points([(0, 0), (150, 20)], ids=["A", "B"], unit="")
    times = travel_times(routing.network, spots, cells, limit_min=20)
    near_by = scenario_times(times, cells, Scenario("s", paths=Paths(1.0, ("steps",))), needed=1_200_000, routing=routing).times
    assert near_by.cost[0] / 1000 == pytest.approx(140, abs=1)  # 100 m from A to b, 40 m of leg
    tight = build_network(routing.streets, mode=routing.network.mode, crs=CRS, snap_m=30)
    times = travel_times(tight, spots, cells, limit_min=20)
    cut = scenario_times(
        times, cells, Scenario("s", paths=Paths(1.0, ("steps",))), needed=1_200_000, routing=Routing(tight, routing.streets)
    )
    assert cut.times.pairs == 0
    assert list(cut.times.facility_fault) == ["", ""]


def test_the_share_missing_is_drawn_by_seed_from_the_classes_named_only():
    routing, _, _, _ = town()
    network, kinds = routing.network, routing.streets.ways["highway"].to_numpy()
    steps = int((kinds[network.edge_way] == "steps").sum())
    half = changed_network(routing, Speed(), Paths(0.5, ("steps",), seed=1))
    same, other = (changed_network(routing, Speed(), Paths(0.5, ("steps",), seed=seed)) for seed in (1, 2))
    gone = len(network.edge_u) - len(half.edge_u)
    assert 0 < gone < steps
    assert (kinds[half.edge_way] == "residential").sum() == (kinds[network.edge_way] == "residential").sum()
    assert np.array_equal(half.edge_way, same.edge_way)
    assert not np.array_equal(half.edge_way, other.edge_way)


def test_the_connected_parts_are_counted_anew():
    table = streets({"a": (0, 0), "b": (100, 0), "c": (200, 0), "d": (300, 0)}, ["ab", "bc", "cd"], steps=[1])
    network = build_network(table, mode=METRE_A_SECOND, crs=CRS, snap_m=60)
    parted = changed_network(Routing(network, table), Speed(), Paths(1.0, ("steps",)))
    assert (len(network.component_m), len(parted.component_m)) == (1, 2)
    assert parted.component_m == pytest.approx([100, 100], abs=0.1)
    assert len(set(parted.component.tolist())) == 2


def test_an_added_link_shortens_the_way_and_a_loose_one_is_refused():
    # From d to c: d-a-b-c is 500 m, d-e-c 500 m; a link d-b is hypot(100, 300) = 316.2 m, then 100 m.
    routing, cells, spots = ring(), points([(200, 0)], p60=10.0), points([(0, 300)], ids=["D"], unit="")
    times = travel_times(routing.network, spots, cells, limit_min=20)
    link = (EAST + 3, NORTH + 300, EAST + 100, NORTH - 2)
    for direction in ("to_facility", "from_facility"):
        there = replace(times, direction=direction)
        linked = scenario_times(there, cells, Scenario("s", paths=Paths(links=(link,))), needed=1_200_000, routing=routing).times
        assert (times.cost[0] / 1000, linked.cost[0] / 1000) == pytest.approx((500, 416.2), abs=1)
    with pytest.raises(InputError, match="no junction lies within the snap limit of a link's end"):
        changed_network(routing, Speed(), Paths(links=((EAST + 3, NORTH + 150, *link[2:]),)))


def test_classes_that_no_way_has_and_a_network_without_streets_are_refused():
    routing = ring()
    with pytest.raises(
        InputError, match=r"no way of the classes said to be missing .found 'path'.\. It has: residential, steps\."
    ):
        changed_network(routing, Speed(), Paths(0.5, ("path",)))
    with pytest.raises(InputError, match="without the missing paths there is no street left"):
        changed_network(routing, Speed(), Paths(1.0, ("steps", "residential")))


def test_a_plan_is_tried_with_paths_missing_by_routing_again():
    # B reaches the 30 people at c by the steps only; A reaches 20. Without the steps B needs 800 m, more than the 10 min.
    routing = ring()
    cells, spots = points([(200, 0), (0, 300)], p60=[30.0, 20.0]), points([(100, 0), (0, 290)], ids=["B", "A"], unit="")
    times = travel_times(routing.network, spots, cells, limit_min=20)
    tried = try_scenarios(
        Ranking("p60", 1, minutes=4), times, cells, scenarios=[Scenario("s", paths=Paths(1.0, ("steps",)))], routing=routing
    )
    assert tried.nominal.choice.sites == ("B",)
    assert tried.trials[0].answer is not None
    assert (tried.trials[0].answer.choice.sites, tried.trials[0].nominal, tried.trials[0].world.routed) == (("A",), 0.0, True)
