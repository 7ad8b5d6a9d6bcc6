"""What is within reach, counted by hand and by plain loops."""

import numpy as np
import pandas as pd
import pytest
from catchment_towns import NONE, minutes_of, random_town, reached
from hypothesis import given, settings
from hypothesis import strategies as st

from careshed.supply.decay import Exponential, Step
from careshed.supply.measures import choice, crowding, cumulative, gravity, kth_nearest, potential_crowding


@pytest.fixture
def town():
    """Three facilities of 4, unknown and 6 places; five cells: three in reach, one beyond everything, one off every street."""
    table = [[0, 10, NONE, NONE, NONE], [5, NONE, 20, NONE, NONE], [10.5, 10, NONE, 40, NONE]]
    return reached(table, places=[4, NONE, 6], people=[10, 20, 30, 5, 1], faults={4: "far"})


def test_choice_counts_facilities_within_the_limit_and_at_it(town):
    # 10 minutes: cell 0 reaches f0 (0) and f1 (5), cell 1 f0 and f2 (10 each), cell 2 none (20), cell 3 none, cell 4 unknown.
    found = choice(town[0], minutes=10)
    assert found.tolist() == pytest.approx([2, 2, 0, 0, NONE], nan_ok=True)
    assert found.index.equals(town[1].index)
    assert found.name == "facilities"


def test_places_within_reach_add_up_and_unknown_ones_are_no_zero(town):
    # 30 minutes: cell 0 has 4 + 6 (f1 unknown), cell 1 4 + 6, cell 2 only the unknown one, cell 3 none within the search.
    assert cumulative(town[0], minutes=30).tolist() == pytest.approx([10, 10, NONE, 0, NONE], nan_ok=True)
    assert cumulative(town[0], minutes=10).tolist() == pytest.approx([4, 10, 0, 0, NONE], nan_ok=True)


def test_gravity_weighs_places_by_travel(town):
    # Bands to 5 and 30 minutes count 1 and 0.5: cell 0 has 4 + 6/2, cell 1 4/2 + 6/2.
    found = gravity(town[0], decay=Step((5, 30), (1, 0.5)), minutes=30)
    assert found.tolist() == pytest.approx([7, 5, NONE, 0, NONE], nan_ok=True)


def test_gravity_takes_places_by_facility(town):
    found = gravity(town[0], decay=Exponential(10), minutes=30, supply=pd.Series({"f0": 1.0, "f1": 2.0, "f2": 0.0}))
    expected = [1 + 2 * np.exp(-0.5), np.exp(-1), 2 * np.exp(-2), 0, NONE]
    assert found.tolist() == pytest.approx(expected, nan_ok=True)


def test_the_second_nearest_is_known_as_far_as_travel_was_searched(town):
    found = kth_nearest(town[0], k=2)
    assert found["minutes"].tolist() == pytest.approx([5, 10, NONE, NONE, NONE], nan_ok=True)
    assert found["note"].tolist() == ["", "", "beyond", "beyond", "far"]
    assert kth_nearest(town[0], k=3)["minutes"].tolist() == pytest.approx([10.5, NONE, NONE, NONE, NONE], nan_ok=True)


def test_the_nearest_is_known_however_far(town):
    found = kth_nearest(town[0], k=1)
    assert found["minutes"].tolist() == pytest.approx([0, 10, 20, 40, NONE], nan_ok=True)
    assert found["note"].tolist() == ["", "", "", "", "far"]


def test_a_cell_that_reaches_nothing_at_all_is_beyond():
    times, _ = reached([[5, NONE]], places=[1], people=[1, 1])
    assert kth_nearest(times, k=1)["note"].tolist() == ["", "beyond"]


def test_metres_have_a_column_of_their_own():
    times, _ = reached([[100, 250.5], [300, 50]], places=[1, 1], people=[1, 1], limit=500, metric="length")
    assert kth_nearest(times, k=2)["metres"].tolist() == [300.0, 250.5]


def test_there_is_no_facility_before_the_nearest(town):
    with pytest.raises(ValueError, match="the first facility is the nearest; there is none numbered 0"):
        kth_nearest(town[0], k=0)


@given(seed=st.integers(0, 10_000), k=st.integers(2, 7))
@settings(max_examples=40, deadline=None)
def test_the_kth_nearest_is_the_kth_of_the_sorted_row(seed, k):
    times, _ = random_town(seed)
    ordered = np.sort(minutes_of(times), axis=0)
    expected = ordered[k - 1] if k <= len(ordered) else np.full(ordered.shape[1], NONE)
    assert kth_nearest(times, k=k)["minutes"].to_numpy() == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_crowding_counts_whom_each_facility_is_nearest_to(town):
    # Nearest: cell 0 -> f0 (0), cell 1 -> f0 (10, before f2 at 10), cell 2 -> f1 (20), cell 3 -> f2 (40), cell 4 none.
    found = crowding(*town, group="p60")
    assert found["people"].to_dict() == {"f0": 30.0, "f1": 30.0, "f2": 5.0}
    assert found["people_per_place"].tolist() == pytest.approx([7.5, NONE, 5 / 6], nan_ok=True)
    assert found["note"].tolist() == ["", "unknown", ""]


def test_crowding_within_a_limit_leaves_out_who_is_farther(town):
    found = crowding(*town, group="p60", minutes=20)
    assert found["people"].to_dict() == {"f0": 30.0, "f1": 30.0, "f2": 0.0}


def test_a_facility_without_places_or_street_has_no_people_per_place():
    times, cells = reached([[5], [NONE]], places=[0, 3], people=[2], facility_faults={1: "far"})
    found = crowding(times, cells, group="p60")
    assert found["people_per_place"].tolist() == pytest.approx([NONE, 0], nan_ok=True)
    assert found["note"].tolist() == ["none", "far"]


def test_potential_crowding_by_hand():
    # Cell 0 (12 people) reaches 2 + 4 places: 2 a place; cell 1 (8 people) reaches f1's 4: 2 a place. f0: 2, f1: 2 + 2 = 4.
    times, cells = reached([[5, NONE], [5, 5]], places=[2, 4], people=[12, 8])
    found = potential_crowding(times, cells, group="p60", minutes=10)
    assert found.to_dict() == pytest.approx({"f0": 2, "f1": 4})


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_potential_crowding_times_places_is_everybody_in_reach(seed):
    times, cells = random_town(seed)
    found = potential_crowding(times, cells, group="p60", minutes=30, decay=Exponential(9))
    assert (found * times.facilities["places"]).sum() == pytest.approx(cells["p60"].sum(), rel=1e-9)


def test_unknown_places_have_no_potential_crowding(town):
    # Cells 0 and 1 reach 4 + 6 places: 1 and 2 people a place; cell 2 reaches none that is known.
    found = potential_crowding(*town, group="p60", minutes=30)
    assert found.tolist() == pytest.approx([3, NONE, 3], nan_ok=True)


def test_limits_of_the_other_metric_are_refused(town):
    with pytest.raises(ValueError, match="give the limit in minutes"):
        choice(town[0], metres=300)
    with pytest.raises(ValueError, match="give the limit in minutes"):
        crowding(*town, group="p60", metres=300)
    with pytest.raises(ValueError, match="asked for 3600000 but travel was searched only to 1800000 milliseconds"):
        cumulative(town[0], minutes=60)
