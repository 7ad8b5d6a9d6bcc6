"""Floating catchments against published numbers, PySAL access, plain loops, and the sums that must be kept."""

import warnings
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from catchment_towns import NONE, minutes_of, random_town, reached
from hypothesis import given, settings
from hypothesis import strategies as st

from careshed.supply import agents
from careshed.supply.agents import rational_agents
from careshed.supply.catchments import METHOD_NAMES, WEIGHING, Method, catchment_faults, floating_catchment
from careshed.supply.decay import Exponential, Flat, Gaussian, GaussianToZero, KernelDensity, Linear, Power, Step

DECAYS = [
    Flat(),
    Step((10, 20, 30), (1, 0.68, 0.22)),
    Gaussian(12),
    GaussianToZero(),
    Exponential(8),
    Power(1.5, least=2),
    Linear(),
    KernelDensity(),
]
METHODS = [method for method in get_args(Method) if method != "2sfca"]


def measured(town, method="e2sfca", **options):
    """Access with flat weights unless told otherwise."""
    times, cells = town
    decay = options.pop("decay", None if method == "2sfca" else Flat())
    minutes = options.pop("minutes", 30)
    return floating_catchment(times, cells, group="p60", method=method, minutes=minutes, decay=decay, **options)


# --- published numbers


def test_luo_and_wang_2003_figure_3():
    # Eleven people, a place each at a and b; 20 minutes reach a from 1, 2, 3, 4, 6, 7, 9, 10 and b from 4, 5, 8, 11. Eight share
    # a (1/8), four share b (1/4), person 4 has both: 1/8 + 1/4 = 3/8.
    a = [20, 20, 20, 20, 40, 20, 20, 40, 20, 20, 40]
    b = [40, 40, 40, 20, 20, 40, 40, 20, 40, 40, 20]
    found = measured(reached([a, b], places=[1, 1], people=[1] * 11, limit=60), "2sfca", minutes=20)
    expected = [0.125, 0.125, 0.125, 0.375, 0.25, 0.125, 0.125, 0.25, 0.125, 0.125, 0.25]
    assert found.access.tolist() == expected
    assert found.ratio.to_dict() == {"f0": 0.125, "f1": 0.25}


def test_the_three_step_example_of_fca():
    # spai_3sfca of R's fca takes the matrix 1:24 (column by column) as weights, not as distances: cost c counts c here.
    table = np.arange(1, 25).reshape(4, 6).T
    weights = Step(tuple(range(1, 25)), tuple(range(1, 25)))
    found = measured(reached(table, places=[1, 2, 3, 4, 5, 6], people=[1, 2, 3, 4]), "3sfca", decay=weights)
    assert found.access.to_numpy() == pytest.approx([0.6686168, 1.3565093, 2.0921208, 2.8355005], abs=5e-8)


# --- PySAL access


def pysal(name, times, cells, **options):
    """Ask PySAL for the same; its own habits with pandas are none of our warnings."""
    from access import fca

    origin = times.cell_ids.to_numpy()[times.indices]
    destination = np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr))
    costs = pd.DataFrame({"origin": origin, "dest": destination, "cost": times.cost / 60_000})
    demand = pd.DataFrame({"demand": cells["p60"]}).rename_axis("geoid")
    supply = pd.DataFrame({"supply": times.facilities["places"].to_numpy()}).rename_axis("geoid")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The inplace keyword in DataFrame.drop")
        answer = getattr(fca, name)(demand, supply, costs, 30.0, demand_index=True, supply_index=True, **options)
    return answer.reindex(times.cell_ids)


def pysal_weights(decay):
    from access import weights

    kinds = {
        Step: lambda: weights.step_fn(dict(zip(decay.bounds, decay.values, strict=True))),
        Gaussian: lambda: weights.gaussian(decay.sigma),
        Power: lambda: weights.gravity(decay.least, -decay.exponent, decay.least),
    }
    return kinds[type(decay)]()


@pytest.mark.parametrize("seed", range(5))
def test_two_step_catchments_are_those_of_pysal(seed):
    times, cells = random_town(seed)
    assert measured((times, cells), "2sfca").access.to_numpy() == pytest.approx(
        pysal("two_stage_fca", times, cells).to_numpy(), rel=1e-9
    )


@pytest.mark.parametrize("decay", [Step((10, 20, 30), (1, 0.68, 0.22)), Gaussian(12), Power(1.5, least=2)], ids=str)
@pytest.mark.parametrize(("method", "name"), [("e2sfca", "two_stage_fca"), ("3sfca", "three_stage_fca")])
@pytest.mark.parametrize("seed", range(3))
def test_decaying_catchments_are_those_of_pysal(seed, method, name, decay):
    times, cells = random_town(seed)
    theirs = pysal(name, times, cells, weight_fn=pysal_weights(decay))
    assert measured((times, cells), method, decay=decay).access.to_numpy() == pytest.approx(theirs.to_numpy(), rel=1e-9)


def test_where_pysal_is_infinite_ours_is_nothing_for_nobody():
    # Facility 1 reaches only cell 1, where nobody lives: 5 places / 0 people. PySAL says inf; nobody is there to have it.
    times, cells = reached([[5, NONE], [NONE, 5]], places=[10, 5], people=[4, 0])
    found = measured((times, cells), "2sfca")
    assert np.isinf(pysal("two_stage_fca", times, cells).to_numpy()[1])
    assert found.access.tolist() == [2.5, 0.0]
    assert np.isnan(found.ratio["f1"])
    assert found.empty.tolist() == ["f1"]


def pysal_agents(times, cells, tau):
    """PySAL moves whole people, so it is given a thousand million times as many people and places."""
    from access.raam import raam

    many = 10**9
    costs = pd.DataFrame(
        {
            "origin": times.cell_ids.to_numpy()[times.indices],
            "dest": np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr)),
            "cost": times.cost / 60_000,
        }
    )
    demand = pd.DataFrame({"demand": cells["p60"].astype(np.int64) * many})
    supply = pd.DataFrame({"supply": times.facilities["places"].to_numpy() * many})
    return raam(demand, supply, costs, tau=tau, max_cycles=800, half_life=20, min_step=0.0).reindex(times.cell_ids)


@pytest.mark.parametrize("seed", range(4))
def test_rational_agents_pay_what_they_pay_in_pysal(seed):
    times, cells = random_town(seed, facilities=4, cells=12)
    found = rational_agents(times, cells, group="p60", tau=15, minutes=30, tolerance=1e-12)
    assert found.settled
    assert found.cost.to_numpy() == pytest.approx(pysal_agents(times, cells, 15).to_numpy(), rel=1e-9)


# --- plain loops


def loops(times, cells, method, decay):
    """The formulas, term by term, over a full table; slow and plain."""
    table, people, places = minutes_of(times), cells["p60"].to_numpy(), times.facilities["places"].to_numpy()
    facilities, count = range(len(places)), range(len(people))
    per_pair = {
        (j, i): float(decay.weights(np.array([round(table[j, i] * 60_000)], dtype=np.uint32), per=60_000, limit=1_800_000)[0])
        for j in facilities
        for i in count
        if table[j, i] <= 30
    }
    w = [[per_pair.get((j, i), 0.0) for i in count] for j in facilities]
    total = [sum(w[j][i] for j in facilities) for i in count]
    pull = [sum(places[j] * w[j][i] for j in facilities) for i in count]
    column = [sum(w[j]) for j in facilities]
    draw = {
        "e2sfca": lambda j, i: w[j][i],
        "3sfca": lambda j, i: w[j][i] ** 2 / total[i],
        "bfca": lambda j, i: w[j][i] / total[i],
        "m2sfca": lambda j, i: w[j][i],
        "huff": lambda j, i: places[j] * w[j][i] ** 2 / pull[i],
    }[method]
    gain = {"bfca": lambda j, i: w[j][i] / column[j], "m2sfca": lambda j, i: w[j][i] ** 2}.get(method, draw)
    access = np.zeros(len(people))
    for j in facilities:
        coming = sum(draw(j, i) * people[i] for i in count if w[j][i] > 0)
        for i in count:
            if w[j][i] > 0:
                access[i] += gain(j, i) * places[j] / coming
    return access


@pytest.mark.parametrize("decay", DECAYS, ids=lambda decay: type(decay).__name__)
@pytest.mark.parametrize("method", ["e2sfca", "3sfca", "bfca", "m2sfca", "huff"])
def test_every_method_is_its_formula(method, decay):
    for seed in range(3):
        times, cells = random_town(seed)
        assert measured((times, cells), method, decay=decay).access.to_numpy() == pytest.approx(
            loops(times, cells, method, decay), rel=1e-12
        )


@pytest.mark.parametrize("seed", range(5))
def test_crowding_and_choice_agree_with_each_other(seed):
    # Each facility's ratio follows from who chooses it, and who chooses it follows from the ratios.
    times, cells = random_town(seed)
    found = measured((times, cells), "congested", decay=Exponential(8))
    weights = np.nan_to_num(np.exp(-minutes_of(times) / 8))
    pull = weights * found.ratio.to_numpy()[:, None]
    chosen = pull / pull.sum(axis=0)
    coming = chosen @ cells["p60"].to_numpy()
    assert found.demand.to_numpy() == pytest.approx(coming, rel=1e-12)
    assert found.ratio.to_numpy() == pytest.approx(times.facilities["places"].to_numpy() / coming, rel=1e-12)


def test_a_crowded_place_is_avoided_by_hand():
    # 30 people, 1 and 4 places equally near: shares p with p ∝ S / (30 p), so p ∝ √S = 1 : 2. Ten people to one place, twenty to
    # four: 0.1 and 0.2 places a person, 0.1/3 + 0.2·2/3 = 1/6 = 5 places / 30 people.
    found = measured(reached([[5], [5]], places=[1, 4], people=[30]), "congested")
    assert found.demand.tolist() == pytest.approx([10, 20])
    assert found.ratio.tolist() == pytest.approx([0.1, 0.2])
    assert found.access.tolist() == pytest.approx([1 / 6])


def test_huff_prefers_the_larger_by_hand():
    # Shares 1/5 and 4/5 of 30 people: 6 to one place, 24 to four, 1/6 of a place each; access 1/6.
    found = measured(reached([[5], [5]], places=[1, 4], people=[30]), "huff")
    assert found.demand.tolist() == pytest.approx([6, 24])
    assert found.access.tolist() == pytest.approx([1 / 6])


# --- rational agents


def test_agents_balance_travel_and_crowding_by_hand():
    # ρ = 20 people / 20 places = 1; going to f1 takes τ longer. D0/10 = 1 + D1/10 and D0 + D1 = 20: 15 and 5 people, cost 1.5.
    times, cells = reached([[0], [15]], places=[10, 10], people=[20])
    found = rational_agents(times, cells, group="p60", tau=15, minutes=30)
    assert found.load.to_dict() == pytest.approx({"f0": 15, "f1": 5})
    assert found.cost.tolist() == pytest.approx([1.5])
    assert found.ratio.tolist() == pytest.approx([10 / 15, 2])
    assert found.people_per_place == 1.0


def test_agents_settle_alike_in_plain_python(monkeypatch):
    times, cells = random_town(3, facilities=5, cells=40)
    fast = rational_agents(times, cells, group="p60", tau=10, minutes=30, tolerance=1e-10)
    monkeypatch.setattr(agents, "compiled", lambda loop: loop)
    plain = rational_agents(times, cells, group="p60", tau=10, minutes=30, tolerance=1e-10)
    assert plain.rounds == fast.rounds
    assert plain.cost.to_numpy() == pytest.approx(fast.cost.to_numpy(), rel=1e-12)
    assert fast.load.sum() == pytest.approx(cells["p60"].sum())


def test_agents_that_had_too_few_rounds_say_so():
    times, cells = random_town(1, facilities=5, cells=40)
    found = rational_agents(times, cells, group="p60", tau=10, minutes=30, rounds=1)
    assert (found.rounds, found.settled) == (1, False)
    assert found.excess > 1e-4


@pytest.mark.parametrize("plain", [False, True])
def test_agents_too_few_to_count_go_where_it_is_cheapest(monkeypatch, plain):
    # 1e-30 people add nothing to a cost of 1 in floating point; they still go to f0, and nowhere else.
    if plain:
        monkeypatch.setattr(agents, "compiled", lambda loop: loop)
    times, cells = reached([[10, NONE], [20, 20]], places=[10, 10], people=[1e-30, 20])
    found = rational_agents(times, cells, group="p60", tau=10, minutes=30)
    assert found.load.to_dict() == {"f0": 1e-30, "f1": 20.0}


def test_agents_without_a_facility_have_no_cost_rather_than_none_to_pay():
    # f1 has no places, f2 unknown ones; cells 1 and 2 reach only those, cell 3 joins no street.
    table = [[5, NONE, NONE, NONE], [5, 5, NONE, NONE], [NONE, NONE, 5, NONE]]
    times, cells = reached(table, places=[10, 0, NONE], people=[10, 1, 1, 1], faults={3: "far"})
    found = rational_agents(times, cells, group="p60", tau=15, minutes=30, people_per_place=1.0)
    assert found.cost.tolist() == pytest.approx([1 / 3 + 1.0, NONE, NONE, NONE], nan_ok=True)
    assert found.load.tolist() == pytest.approx([10, 0, NONE], nan_ok=True)
    assert found.ratio.tolist() == pytest.approx([1, NONE, NONE], nan_ok=True)
    assert found.unknown.tolist() == ["f2"]


def test_agents_need_an_average_and_parameters_above_zero():
    times, cells = reached([[5]], places=[0], people=[10])
    with pytest.raises(ValueError, match="10 people and 0 known places have no average; give people_per_place"):
        rational_agents(times, cells, group="p60", tau=15, minutes=30)
    with pytest.raises(ValueError, match=r"tau, tolerance and rounds must be above 0, not 0, 0\.0001 and 10000"):
        rational_agents(times, cells, group="p60", tau=0, minutes=30, people_per_place=1)
    with pytest.raises(ValueError, match="people_per_place must be above 0, not -1"):
        rational_agents(times, cells, group="p60", tau=15, minutes=30, people_per_place=-1)


# --- sums that are kept


@st.composite
def towns(draw):
    facilities, cells = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    minutes = st.one_of(st.just(NONE), st.integers(0, 1800).map(lambda seconds: seconds / 60))
    row = st.lists(minutes, min_size=cells, max_size=cells)
    table = draw(st.lists(row, min_size=facilities, max_size=facilities))
    places = draw(st.lists(st.one_of(st.just(0.0), st.just(NONE), st.floats(0.5, 500)), min_size=facilities, max_size=facilities))
    people = draw(st.lists(st.one_of(st.just(0.0), st.floats(0.01, 5000)), min_size=cells, max_size=cells))
    return reached(table, places=places, people=people)


@pytest.mark.parametrize("method", ["e2sfca", "3sfca", "huff", "congested"])
@given(town=towns(), decay=st.sampled_from(DECAYS))
@settings(max_examples=60, deadline=None)
def test_people_find_all_places_that_anybody_reaches_and_no_more(method, town, decay):
    found, places = measured(town, method, decay=decay), town[0].facilities["places"]
    reachable = places.drop([*found.empty, *found.unknown]).sum()
    assert (found.access * town[1]["p60"]).sum() == pytest.approx(reachable, rel=1e-9)


@given(town=towns(), decay=st.sampled_from(DECAYS))
@settings(max_examples=60, deadline=None)
def test_balanced_catchments_keep_people_and_ratios(town, decay):
    times, cells = town
    found = measured(town, "bfca", decay=decay)
    known = times.facilities["places"].notna().to_numpy()
    table = minutes_of(times)[known]
    counts = np.where(table <= 30, decay.weights(np.nan_to_num(table * 60_000).round().astype(np.uint32).ravel(), per=60_000, limit=1_800_000).reshape(table.shape), 0.0)  # fmt: skip  # noqa: E501
    served = (counts > 0).any(axis=0)
    assert found.demand.sum() == pytest.approx(cells["p60"].to_numpy()[served].sum(), rel=1e-9)
    assert found.access.sum() == pytest.approx(found.ratio.sum(), rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
@given(town=towns(), decay=st.sampled_from(DECAYS))
@settings(max_examples=40, deadline=None)
def test_nothing_is_ever_infinite_or_negative(method, town, decay):
    found = measured(town, method, decay=decay)
    for values in (found.access, found.ratio, found.demand):
        assert not np.isinf(values).any()
        assert not (values < 0).any()
    assert found.ratio.isna().tolist() == [facility in {*found.unknown, *found.empty} for facility in found.ratio.index]


@given(town=towns())
@settings(max_examples=60, deadline=None)
def test_agents_all_go_somewhere_and_nobody_could_save(town):
    times, cells = town
    found = rational_agents(times, cells, group="p60", tau=10, minutes=30, people_per_place=3.0, tolerance=1e-9)
    offered = times.facilities["places"].fillna(0).to_numpy() > 0
    served = (minutes_of(times)[offered] <= 30).any(axis=0)
    assert found.settled
    assert found.load.sum() == pytest.approx(cells["p60"].to_numpy()[served].sum(), rel=1e-9)
    assert found.cost.notna().tolist() == served.tolist()


# --- what is unknown, empty or out of reach


def test_unknown_places_are_left_out_listed_and_never_nothing():
    # f1 has no known places. Cell 0 reaches both: f0's 4 places / 8 people; cell 1 reaches f0 only; cell 2 f1 only: unknown.
    town = reached([[5, 5, NONE, NONE], [5, NONE, 5, NONE]], places=[4, NONE], people=[2, 6, 3, 9])
    found = measured(town, "2sfca")
    assert found.access.tolist() == pytest.approx([0.5, 0.5, NONE, 0.0], nan_ok=True)
    assert found.unknown_in_reach.tolist() == [1, 0, 1, 0]
    assert (found.unknown.tolist(), found.empty.tolist()) == (["f1"], [])
    assert np.isnan(found.ratio["f1"])
    assert np.isnan(found.demand["f1"])


def test_a_cell_that_cannot_be_judged_has_no_access_and_one_out_of_reach_has_zero():
    town = reached([[5, NONE, NONE]], places=[4], people=[2, 6, 3], faults={2: "islet"})
    assert measured(town, "2sfca").access.tolist() == pytest.approx([2.0, 0.0, NONE], nan_ok=True)


def test_the_limit_itself_and_no_travel_at_all_count():
    # 0 ms, exactly 10 minutes, a millisecond more.
    town = reached([[0, 10, 10 + 1 / 60_000]], places=[4], people=[1, 1, 1])
    assert measured(town, "2sfca", minutes=10).access.tolist() == [2.0, 2.0, 0.0]


def test_unknown_facilities_beyond_the_limit_do_not_hide_a_cell():
    town = reached([[20], [5]], places=[NONE, 3], people=[1])
    found = measured(town, "2sfca", minutes=10)
    assert found.unknown_in_reach.tolist() == [0]
    assert found.access.tolist() == [3.0]


def test_metres_are_counted_on_travel_measured_in_metres():
    times, cells = reached([[100, 300, 301]], places=[4], people=[1, 1, 1], limit=500, metric="length")
    found = floating_catchment(times, cells, group="p60", method="e2sfca", metres=300, decay=Step((100, 300), (1, 0.5)))
    # 4 / (1 + 0.5) places a weighed person, times 1 and 0.5.
    assert found.access.tolist() == pytest.approx([8 / 3, 4 / 3, 0])
    assert found.limit == 300_000


def test_places_may_be_given_by_facility_and_counted_per_thousand():
    town = reached([[5], [5]], places=[1, 1], people=[4])
    found = measured(town, "2sfca", supply=pd.Series({"f1": 2.0}), per=1000)
    assert found.access.tolist() == [500.0]
    assert found.unknown.tolist() == ["f0"]
    assert found.per == 1000.0


def test_a_place_nobody_offers_draws_people_in_three_steps_but_not_with_huff():
    town = reached([[5], [5]], places=[4, 0], people=[2])
    assert measured(town, "3sfca").demand.tolist() == pytest.approx([1, 1])
    assert measured(town, "huff").demand.tolist() == pytest.approx([2, 0])
    assert measured(town, "congested").empty.tolist() == ["f1"]


def test_facilities_in_another_order_give_the_same():
    times, cells = random_town(2)
    table, order = minutes_of(times), [3, 1, 5, 0, 4, 2]
    places = times.facilities["places"].to_numpy()
    turned = reached(table[order], places=places[order], people=cells["p60"].to_numpy())
    for method in METHODS:
        ours, theirs = measured((times, cells), method, decay=Gaussian(9)), measured(turned, method, decay=Gaussian(9))
        assert theirs.access.to_numpy() == pytest.approx(ours.access.to_numpy(), rel=1e-12)
        assert theirs.ratio.to_numpy() == pytest.approx(ours.ratio.to_numpy()[order], rel=1e-12)


def test_what_was_given_is_left_alone_and_ids_are_kept():
    times, cells = random_town(1)
    before = (times.cost.copy(), times.indptr.copy(), times.facilities.copy(), cells.copy())
    for method in METHODS:
        found = measured((times, cells), method, decay=Linear(), minutes=20)
        assert found.access.index.equals(cells.index)
        assert found.ratio.index.equals(times.facilities.index)
    rational_agents(times, cells, group="p60", tau=5, minutes=20)
    assert np.array_equal(times.cost, before[0])
    assert np.array_equal(times.indptr, before[1])
    pd.testing.assert_frame_equal(times.facilities, before[2])
    pd.testing.assert_frame_equal(cells, before[3])


def test_no_facilities_at_all_leave_every_cell_without():
    times, cells = reached(np.empty((0, 2)), places=[], people=[1, 2])
    for method in METHODS:
        found = measured((times, cells), method)
        assert found.access.tolist() == [0.0, 0.0]
        assert len(found.ratio) == 0


def test_faults_name_the_facilities_in_both_languages():
    times, cells = reached([[5, NONE], [NONE, 5]], places=[NONE, 5], people=[4, 0])
    named = replace(times, facilities=times.facilities.assign(file="登记.xlsx", row=["2", "3"]))
    unknown, empty = catchment_faults(named, measured((named, cells), "2sfca"))
    assert unknown.text("zh") == "第 2 行：“站0”的床位或托位数未知，未计入供给。请在登记表中补充"
    assert unknown.text("en") == "row 2: the places of '站0' are unknown; it is left out of the supply. add them to the register"
    assert (unknown.code, unknown.file, unknown.severity) == ("places_unknown", "登记.xlsx", "noted")
    assert empty.text("en").startswith("row 3: nobody lives in the catchment of '站1'; it has no places per person")
    assert empty.code == "catchment_empty"


def test_every_method_has_names_and_a_formula():
    assert set(METHOD_NAMES) == set(WEIGHING) == set(get_args(Method))


# --- decays


@pytest.mark.parametrize(
    ("decay", "at_zero", "at_ten", "at_limit"),
    [
        (Flat(), 1, 1, 1),
        (Step((10, 30), (1, 0.5)), 1, 1, 0.5),
        (Step((5, 10), (1, 0.5)), 1, 0.5, 0),
        (Gaussian(10), 1, np.exp(-0.5), np.exp(-4.5)),
        (GaussianToZero(), 1, (np.exp(-1 / 18) - np.exp(-0.5)) / (1 - np.exp(-0.5)), 0),
        (Exponential(10), 1, np.exp(-1), np.exp(-3)),
        (Power(2, least=5), 1, 0.25, 1 / 36),
        (Linear(), 1, 2 / 3, 0),
        (KernelDensity(), 1, 8 / 9, 0),
        (Gaussian(0.5), 1, np.exp(-200), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_decays_are_defined_from_no_travel_to_the_limit(decay, at_zero, at_ten, at_limit):
    cost = np.array([0, 600_000, 1_800_000], dtype=np.uint32)
    found = decay.weights(cost, per=60_000.0, limit=1_800_000)
    assert found.tolist() == pytest.approx([at_zero, at_ten, at_limit], rel=1e-12, abs=0)


def test_a_millisecond_beyond_a_band_is_the_next_band():
    cost = np.array([600_000, 600_001], dtype=np.uint32)
    assert Step((10, 20), (1, 0.5)).weights(cost, per=60_000.0, limit=1_800_000).tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Step((), ()), r"bands need ascending bounds above 0 and one weight each, not \(\) and \(\)"),
        (lambda: Step((10, 5), (1, 1)), "bands need ascending bounds"),
        (lambda: Step((0, 5), (1, 1)), "bands need ascending bounds"),
        (lambda: Step((5,), (1, 1)), "bands need ascending bounds"),
        (lambda: Step((5,), (-1,)), r"weights of bands must be 0 or more, not \(-1,\)"),
        (lambda: Gaussian(0), "sigma must be above 0, not 0"),
        (lambda: Exponential(-1), "scale must be above 0, not -1"),
        (lambda: Power(0), "exponent must be above 0, not 0"),
        (lambda: Power(2, least=0), "least must be above 0, not 0"),
    ],
)
def test_a_decay_that_makes_no_sense_is_refused(made, told):
    with pytest.raises(ValueError, match=told):
        made()


# --- what cannot be answered


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"method": "4sfca"}, "no method '4sfca'; there are: 2sfca, e2sfca, 3sfca, bfca, m2sfca, huff, congested"),
        ({"method": "2sfca", "decay": Linear()}, "2sfca counts everything within the limit alike; with a decay it is e2sfca"),
        ({"method": "e2sfca"}, "e2sfca needs a decay, such as Step"),
        ({"method": "2sfca", "minutes": 31}, "asked for 1860000 but travel was searched only to 1800000 milliseconds"),
        ({"method": "2sfca", "minutes": None, "metres": 300}, "give the limit in minutes"),
        ({"method": "2sfca", "per": 0}, "places are counted per a number of people above 0, not 0"),
        ({"method": "2sfca", "group": "p99"}, "no people of group 'p99' in the cells; there are: p60"),
        ({"method": "2sfca", "supply": "beds"}, "the facilities have no column 'beds'; name a column of places, or give"),
        ({"method": "2sfca", "supply": pd.Series({"x": 1.0})}, "places are given for other facilities .*: x"),
        ({"method": "2sfca", "supply": pd.Series([1.0, 2.0], index=["f0", "f0"])}, "places are given for .*: an id twice"),
        ({"method": "2sfca", "supply": pd.Series({"f0": -1.0})}, "places must be numbers from 0, .*; not so for 1: f0"),
        ({"method": "2sfca", "supply": pd.Series({"f0": np.inf})}, "places must be numbers from 0"),
    ],
)
def test_what_cannot_be_answered_is_refused(options, told):
    times, cells = reached([[5]], places=[4], people=[2])
    with pytest.raises(ValueError, match=told):
        floating_catchment(times, cells, **{"group": "p60", "minutes": 30, **options})


def test_people_that_are_no_number_are_refused_by_cell():
    times, cells = reached([[5, 5]], places=[4], people=[2, NONE])
    with pytest.raises(ValueError, match="people of group 'p60' must be numbers from 0 in every cell; not so in 1: 101"):
        floating_catchment(times, cells, group="p60", method="2sfca", minutes=30)
