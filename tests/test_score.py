"""The composite score by hand, its parts, and how far ranks hang on the weights."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box
from towns import CRS, EAST, NORTH, points, streets

from careshed.modes import Mode
from careshed.network import build_network
from careshed.reach import travel_times
from careshed.supply.score import (
    SERVICE_INDICATORS,
    Indicator,
    exact_ranks,
    rank_ranges,
    service_indicators,
    service_score,
)
from careshed.supply.score import ranks as ranks_module

METRE_A_SECOND = Mode(name="test", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="")

SHARE = Indicator("share", "覆盖率", "coverage", nought=0.5, target=0.9)
MINUTES = Indicator("minutes", "步行时间", "walk", higher_is_better=False, unit_zh="分钟", unit_en="minutes")


@pytest.fixture
def table() -> pd.DataFrame:
    """Four units: coverage against a target, minutes from the longest to the shortest."""
    return pd.DataFrame({"name": list("ABCD"), "share": [0.7, 1.0, 0.4, 0.9], "minutes": [10.0, 20.0, 5.0, 25.0]}, list("abcd"))


def test_parts_and_score_by_hand(table):
    # share: (x − 0.5)/0.4 cut off: 0.5, 1, 0, 1. minutes: (25 − x)/20: 0.75, 0.25, 1, 0. Equal weights.
    scored = service_score(table, [SHARE, MINUTES])
    assert scored.table["share_part"].tolist() == pytest.approx([0.5, 1.0, 0.0, 1.0])
    assert scored.table["minutes_part"].tolist() == [0.75, 0.25, 1.0, 0.0]
    assert scored.table["score"].tolist() == pytest.approx([62.5, 62.5, 50.0, 50.0])
    assert scored.table["rank"].tolist() == [1.0, 1.0, 3.0, 3.0]
    assert scored.table["share"].tolist() == table["share"].tolist()
    assert scored.table.index.tolist() == list("abcd")


def test_weights_are_brought_to_one_and_shown(table):
    scored = service_score(table, [SHARE, MINUTES], weights={"share": 3, "minutes": 1})
    assert scored.parts["weight"].to_dict() == {"share": 0.75, "minutes": 0.25}
    assert scored.parts["method"].tolist() == ["target", "min-max"]
    assert scored.parts[["nought", "full"]].to_numpy().tolist() == [[0.5, 0.9], [25.0, 5.0]]
    assert scored.table["score"].tolist() == pytest.approx([56.25, 81.25, 25.0, 75.0])
    assert scored.method("en") == (
        "The score (0–100) is the weighted mean of: coverage 75% (0.5 earns 0, 0.9 full marks), walk (minutes) 25% (25 earns 0, "
        "5 full marks). A unit that lacks an indicator has no score."
    )
    assert "覆盖率 75%（0.5 计 0 分，0.9 计满分）" in scored.method("zh")


def test_a_unit_that_lacks_an_indicator_has_no_score_and_says_why(table):
    table.loc["b", "minutes"] = np.nan
    scored = service_score(table, [SHARE, MINUTES])
    assert np.isnan(scored.table.loc["b", "score"])
    assert np.isnan(scored.table.loc["b", "rank"])
    assert scored.table.loc["b", ["reason_zh", "reason_en"]].tolist() == [
        "缺少指标：步行时间（分钟）",
        "no value for: walk (minutes)",
    ]
    assert scored.table.loc["b", "share_part"] == 1.0
    assert scored.table.loc["a", "reason_en"] == ""
    assert [(fault.code, fault.found) for fault in scored.findings] == [("score_missing", "b")]
    assert rank_ranges(scored, seed=1, draws=5).index.tolist() == list("acd")


def test_where_all_units_are_alike_nobody_gains(table):
    scored = service_score(table.assign(minutes=9.0), [SHARE, MINUTES])
    assert scored.table["minutes_part"].tolist() == [0.5] * 4
    assert [fault.code for fault in scored.findings] == ["score_alike"]


def test_input_is_left_alone_and_row_order_changes_nothing(table):
    before = table.copy()
    scored = service_score(table, [SHARE, MINUTES]).table
    pd.testing.assert_frame_equal(table, before)
    turned = service_score(table.iloc[::-1], [SHARE, MINUTES]).table
    pd.testing.assert_frame_equal(turned.sort_index(), scored)


def test_what_cannot_be_scored_is_told_all_at_once(table):
    wrong = [
        Indicator("beds", "床", "beds"),
        Indicator("share", "", "", target=0.9),
        Indicator("share", "", "", nought=0.9, target=0.5),
    ]
    with pytest.raises(ValueError, match="column 'beds' is missing from the table") as told:
        service_score(table, wrong)
    assert "'share' stands more than once" in str(told.value)
    assert "'share' has a target of 0.9 but no other value that earns nothing; set nought" in str(told.value)
    assert "'share' runs from 0.9 to 0.5, against higher_is_better=True" in str(told.value)
    with pytest.raises(ValueError, match="no indicator is given"):
        service_score(table, [])
    for weights in ({"share": 1}, {"share": 0, "minutes": 0}, {"share": -1, "minutes": 2}):
        with pytest.raises(ValueError, match="weights must be given for every indicator, 0 or more and not all 0"):
            service_score(table, [SHARE, MINUTES], weights=weights)
    with pytest.raises(ValueError, match="no such indicators: beds"):
        service_score(table, [SHARE, MINUTES], weights={"share": 1, "minutes": 1, "beds": 1})


def test_ranks_over_any_weights_by_hand(table):
    # Parts: a (0.5, 0.75), b (1, 0.25), c (0, 1), d (1, 0); weight t on share.
    # a beats b where t < 0.5, c where t > ⅓, d where t < 0.6: first between ⅓ and ½; third at t = 1 (b and d ahead).
    # d is below b unless t = 1, where they tie: rank 1 at best; last at t = 0.
    found = rank_ranges(service_score(table, [SHARE, MINUTES]), seed=0, draws=50)
    assert found["rank_best"].to_dict() == {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}
    assert found["rank_worst"].to_dict() == {"a": 3.0, "b": 3.0, "c": 4.0, "d": 4.0}


def test_one_weight_at_a_time_by_hand(table):
    # Weight on share: halved 0.25/0.75 = ⅓, raised 0.75/1.25 = 0.6; minutes halved 0.5/0.75 = ⅔, raised 0.5/1.25 = 0.4.
    # t = ⅓: a 0.667, b 0.5, c 0.667, d 0.333; t = ⅔: a 0.583, b 0.75, c 0.333, d 0.667.
    found = rank_ranges(service_score(table, [SHARE, MINUTES]), seed=0, draws=10)
    assert found["one_low"].to_dict() == {"a": 1.0, "b": 1.0, "c": 1.0, "d": 2.0}
    assert found["one_high"].to_dict() == {"a": 3.0, "b": 3.0, "c": 4.0, "d": 4.0}


def test_random_weights_have_the_same_bytes_for_the_same_seed_and_the_weights_as_mean(table):
    scored = service_score(table, [SHARE, MINUTES])
    one, two = rank_ranges(scored, seed=3), rank_ranges(scored, seed=3)
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    # a is first where ⅓ < t < ½: a sixth of all weightings; b where t > ½: half; c where t < ⅓: a third.
    many = rank_ranges(scored, seed=3, draws=20_000)
    assert many["draw_first"].tolist() == pytest.approx([1 / 6, 1 / 2, 1 / 3, 0.0], abs=0.015)
    near = rank_ranges(scored, seed=3, concentration=1e6)
    # a and b tie at the weights themselves: each is ahead in some draws, nobody falls behind c.
    assert near["draw_high"].tolist()[:2] == [2.0, 2.0]


def test_an_indicator_of_no_weight_stays_without(table):
    scored = service_score(table, [SHARE, MINUTES], weights={"share": 1, "minutes": 0})
    found = rank_ranges(scored, seed=1, draws=20)
    assert found["draw_low"].tolist() == found["draw_high"].tolist() == found["rank"].tolist()
    assert found["rank"].tolist() == [3.0, 1.0, 4.0, 1.0]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_exact_ranks_hold_all_that_random_weights_find_and_are_reached(count):
    random = np.random.default_rng(count)
    for _ in range(6):
        parts = random.integers(0, 6, (6, count)) / 5
        weights = np.vstack([random.dirichlet(np.ones(count), 3000), np.eye(count), np.full((1, count), 1 / count)])
        lead = np.einsum("wk,ijk->wij", weights, parts[None, :, :] - parts[:, None, :])
        best = 1 + (lead > 1e-9).sum(axis=2).min(axis=0)
        worst = (lead >= -1e-9).sum(axis=2).max(axis=0)
        found = exact_ranks(parts)
        assert (found[:, 0] <= best).all()
        assert (found[:, 1] >= worst).all()
        if count <= 2:
            # On a line every crossing can be tried.
            d = parts[:, None, :] - parts[None, :, :]
            slope, start = (d[..., 0] - d[..., -1]).ravel(), d[..., -1].ravel()
            cross = (-start[slope != 0] / slope[slope != 0]).clip(0, 1)
            t = np.concatenate([cross, [0.0, 1.0]])
            score = np.outer(t, parts[:, 0]) + np.outer(1 - t, parts[:, -1])
            ahead = score[:, None, :] - score[:, :, None]
            assert found[:, 0].tolist() == (1 + (ahead > 1e-9).sum(axis=2).min(axis=0)).tolist()
            assert found[:, 1].tolist() == ((ahead >= -1e-9).sum(axis=2).max(axis=0)).tolist()


def test_a_single_unit_is_first_and_too_many_weightings_are_left_out(monkeypatch):
    assert exact_ranks(np.array([[0.2, 0.4]])).tolist() == [[1.0, 1.0]]
    assert exact_ranks(np.zeros((0, 2))).shape == (0, 2)
    monkeypatch.setattr(ranks_module, "MOST_VERTICES", 2)
    assert np.isnan(exact_ranks(np.array([[1.0, 0.0], [0.0, 1.0]]))).all()


@pytest.fixture
def units() -> gpd.GeoDataFrame:
    """One district of two streets, west and east, and one without people."""
    table = {"name": ["城区", "西", "东", "空"], "level": ["county", "street", "street", "street"], "parent": ["", "d", "d", "d"]}
    shape = box(EAST, NORTH, EAST + 1, NORTH + 1)
    return gpd.GeoDataFrame(table, geometry=[shape] * 4, crs=CRS, index=pd.Index(["d", "w", "e", "n"], name="unit_id"))


@pytest.fixture
def cells() -> gpd.GeoDataFrame:
    """West: 30 people at 300 m and 10 at 1,500 m; east: 20 at 100 m, 5 off the street."""
    return points([(-300, 0), (-1500, 0), (100, 0), (50, 400)], p60=[30.0, 10, 20, 5], unit=["w", "w", "e", "e"])


def town_times(cells, **columns):
    network = build_network(streets({"a": (-3000, 0), "b": (3000, 0)}, ["ab"]), mode=METRE_A_SECOND, crs=CRS, snap_m=100)
    return travel_times(network, points([(0, 0)], unit=["e"], **columns), cells, limit_min=30)


def test_indicators_of_a_town_by_hand(cells, units):
    table = service_indicators(town_times(cells, places=[5.0]), cells, units, minutes=15, group="p60")
    assert table.index.tolist() == ["w", "e", "n"]
    assert table["share"].tolist() == pytest.approx([0.75, 0.8, np.nan], nan_ok=True)
    # 5 places for 25 people in the east; none in the west.
    assert table["places_per_1000"].tolist() == pytest.approx([0.0, 200.0, np.nan], nan_ok=True)
    assert table["has_one"].tolist() == [0.0, 1.0, 0.0]
    # West: (30 · 5 + 10 · 25) / 40 = 10 min, the worst tenth (4 people) 25 min; east: 100 s, the unjudged left out.
    assert table["minutes_mean"].tolist() == pytest.approx([10.0, 100 / 60, np.nan], nan_ok=True)
    assert table["minutes_worst"].tolist() == pytest.approx([25.0, 100 / 60, np.nan], nan_ok=True)
    scored = service_score(table, SERVICE_INDICATORS)
    # West: 0.75, 0, 0, 0, 0; east: 0.8, 1, 1, 1, 1.
    assert scored.table["score"].tolist() == pytest.approx([15.0, 96.0, np.nan], nan_ok=True)


def test_unknown_places_leave_the_indicator_unknown(cells, units):
    for columns in ({"places": [np.nan]}, {}):
        table = service_indicators(town_times(cells, **columns), cells, units, minutes=15, group="p60")
        assert np.isnan(table.loc["e", "places_per_1000"])
        assert table.loc["w", "places_per_1000"] == 0.0


def test_indicators_in_minutes_need_times(cells, units):
    network = build_network(streets({"a": (-3000, 0), "b": (3000, 0)}, ["ab"]), mode=METRE_A_SECOND, crs=CRS, snap_m=100)
    times = travel_times(network, points([(0, 0)], unit=["e"]), cells, limit_m=300)
    with pytest.raises(ValueError, match="these indicators are in minutes; compute travel times with limit_min"):
        service_indicators(times, cells, units, minutes=15, group="p60")


def test_the_demo_town_is_scored(demo):
    service = demo.services[0]
    table = service_indicators(
        service.times, demo.study.cells, demo.study.units, minutes=service.service.within_minutes, group=service.service.group
    )
    covered = service.covered[(service.covered["minutes"] == service.service.within_minutes)]
    covered = covered[covered["group"] == service.service.group]
    assert table["share"].equals(covered["share"].reindex(table.index))
    scored = service_score(table, SERVICE_INDICATORS)
    told = scored.table["score"].notna() == (scored.table["reason_en"] == "")
    assert told.all()
    assert scored.table["score"].dropna().between(0, 100).all()
    found = rank_ranges(scored, seed=1, draws=200)
    inside = found["rank_best"].isna() | ((found["rank_best"] <= found["draw_low"]) & (found["draw_high"] <= found["rank_worst"]))
    assert inside.all()
