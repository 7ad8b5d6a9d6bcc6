"""Coverage and gaps on a town that can be added up by hand."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box
from towns import CRS, EAST, NORTH, points, streets

from careshed.access import (
    ALL,
    GROUND_M,
    OUTSIDE,
    cell_spacing,
    coverage,
    coverage_table,
    find_gaps,
    lineage,
    presence,
    tier_units,
    unattached_people,
)
from careshed.modes import Mode
from careshed.network import build_network
from careshed.reach import travel_times

METRE_A_SECOND = Mode(name="test", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="")


@pytest.fixture
def units() -> gpd.GeoDataFrame:
    """One district of two streets: west (x < 0) and east."""
    table = {
        "name": ["城区", "西街道", "东街道"],
        "level": ["county", "street", "street"],
        "parent": ["", "d", "d"],
        "setting": "urban",
    }
    shapes = [
        box(EAST - 2000, NORTH - 500, EAST + 2000, NORTH + 500),
        box(EAST - 2000, NORTH - 500, EAST, NORTH + 500),
        box(EAST, NORTH - 500, EAST + 2000, NORTH + 500),
    ]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=CRS, index=pd.Index(["d", "w", "e"], name="unit_id"))


@pytest.fixture
def cells() -> gpd.GeoDataFrame:
    """Seven cells on an east-west street: at -600, -500, 100, 200, 1000, 1100, and one 400 m off the street."""
    xy = [(-600, 0), (-500, 0), (100, 0), (200, 0), (1000, 0), (1100, 0), (0, 400)]
    return points(xy, p60=[10.0, 20.0, 30.0, 40.0, 50.0, 0.0, 7.0], unit=["w", "w", "e", "e", "e", "e", ""])


@pytest.fixture
def times(cells):
    town = streets({"a": (-2000, 0), "b": (2000, 0)}, ["ab"])
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS, snap_m=100)
    return travel_times(network, points([(0, 0)], name=["日照中心"], unit=["e"]), cells, limit_min=30)


def test_people_within_the_limit_are_covered_and_those_at_it_too(times, cells, units):
    # 500 s = 8 min 20 s: the cells at -500, 100 and 200 m are in, the one at -600 m is not.
    table = coverage(times, cells, units, minutes=500 / 60, group="p60")
    assert table["people"].to_dict() == {ALL: 157.0, "d": 150.0, "w": 30.0, "e": 120.0, OUTSIDE: 7.0}
    assert table["covered"].to_dict() == {ALL: 90.0, "d": 90.0, "w": 20.0, "e": 70.0, OUTSIDE: 0.0}
    assert table["unjudged"].to_dict() == {ALL: 7.0, "d": 0.0, "w": 0.0, "e": 0.0, OUTSIDE: 7.0}
    assert table.loc[ALL, "share"] == pytest.approx(90 / 157)
    assert table.loc[ALL, "share_high"] == pytest.approx(97 / 157)
    assert list(table.columns) == [
        "name",
        "level",
        "minutes",
        "group",
        "people",
        "covered",
        "unjudged",
        "share",
        "share_low",
        "share_high",
    ]


def test_a_unit_without_people_has_no_share(times, cells, units):
    table = coverage(times, cells.assign(p60=0.0), units, minutes=15, group="p60")
    assert np.isnan(table.loc["w", "share"])


def test_gaps_are_contiguous_ranked_and_name_the_nearest_facility(times, cells, units):
    # Within 300 s: unserved are -600 and -500 (30 people, neighbours), 1000 (50), and the cell off the street (7).
    gaps = find_gaps(times, cells, minutes=5, group="p60", units=units)
    assert gaps["people"].tolist() == [50.0, 30.0, 7.0]
    assert gaps["cells"].tolist() == [1, 2, 1]
    assert gaps["unit_name"].tolist() == ["东街道", "西街道", ""]
    assert gaps["units_count"].tolist() == [1, 1, 0]
    assert gaps["units_levels"].tolist() == ["street", "street", ""]
    # 1000 s; (10 * 600 + 20 * 500) / 30 = 533.3 s; none.
    assert gaps["minutes_nearest"].tolist()[:2] == pytest.approx([1000 / 60, 1600 / 3 / 60])
    assert np.isnan(gaps["minutes_nearest"].iloc[2])
    assert gaps["nearest_name"].tolist() == ["日照中心", "日照中心", ""]
    assert gaps["unjudged"].tolist() == [0.0, 0.0, 7.0]
    assert gaps.index.tolist() == [1, 2, 3]
    assert gaps.geometry.area.tolist() == pytest.approx([10_000, 20_000, 10_000])


def test_a_gap_counts_the_units_it_spans(times, cells, units):
    # the neighbours at -600 and -500 in two units, the second a village; the cell in no unit adds none
    both = units.assign(level=["village" if code == "e" else level for code, level in units["level"].items()])
    unit = cells["unit"].copy()
    unit.iloc[0] = "e"
    gaps = find_gaps(times, cells.assign(unit=unit), minutes=5, group="p60", units=both)
    assert gaps["units_count"].tolist() == [1, 2, 0]
    assert gaps["units_levels"].tolist() == ["village", "street village", ""]


def test_no_gap_is_an_empty_table_with_its_columns(times, cells):
    served = cells.assign(p60=[0.0, 0, 1, 0, 0, 0, 0])
    gaps = find_gaps(times, served, minutes=5, group="p60")
    assert len(gaps) == 0
    assert {"people", "minutes_nearest", "geometry"} <= set(gaps.columns)


def test_several_groups_and_limits_stack(times, cells, units):
    table = coverage_table(times, cells.assign(total=1.0), units, minutes=[5, 10], groups=["p60", "total"])
    assert table.loc[ALL, ["group", "minutes", "covered"]].to_numpy().tolist() == [
        ["p60", 5.0, 70.0], ["p60", 10.0, 100.0], ["total", 5.0, 2.0], ["total", 10.0, 4.0]
    ]  # fmt: skip


def test_presence_counts_facilities_inside_and_is_not_reach(times, units):
    table = presence(times.facilities, units)
    assert table["facilities"].to_dict() == {"w": 0, "e": 1}
    assert table["has_one"].to_dict() == {"w": False, "e": True}


def test_units_are_picked_by_tier_and_climbed_by_parent(units):
    assert tier_units(units, 2).index.tolist() == ["w", "e"]
    assert lineage("w", units) == ["w", "d"]
    assert lineage("nowhere", units) == []


def test_spacing_is_that_of_neighbours(cells):
    # Distances to the next cell: 100 m for six of them.
    assert cell_spacing(cells) == 100.0
    assert cell_spacing(cells.iloc[:1]) == 100.0


def test_other_cells_or_an_unknown_group_are_refused(times, cells, units):
    with pytest.raises(ValueError, match="for 7 other cells than the 6 given"):
        coverage(times, cells.iloc[1:], units, minutes=15, group="p60")
    with pytest.raises(ValueError, match="no people of group 'p99' in the cells; there are: p60"):
        find_gaps(times, cells, minutes=15, group="p99")


def test_metres_are_judged_on_street_length(cells, units):
    town = streets({"a": (-2000, 0), "b": (2000, 0)}, ["ab"])
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS, snap_m=100)
    times = travel_times(network, points([(0, 0)]), cells, limit_m=300)
    table = coverage(times, cells, units, metres=200, group="p60")
    assert table.loc[ALL, "covered"] == 70.0
    assert table.loc[ALL, "metres"] == 200.0
    assert find_gaps(times, cells, metres=200, group="p60")["metres_nearest"].tolist()[0] == pytest.approx(1000.0)


def refined_town(step: int, seed: int = 4) -> gpd.GeoDataFrame:
    """Points along the streets of a town of 300 m blocks, as refinement leaves them: about a step apart, on no lattice."""
    rng = np.random.default_rng(seed)
    along = np.arange(0, 1500, step)
    xy = [(x + rng.uniform(0, 9), y) for y in range(0, 1501, 300) for x in along]
    xy += [(x, y + rng.uniform(0, 9)) for x in range(0, 1501, 300) for y in along]
    return points(xy, p60=rng.uniform(0.1, 3.0, len(xy)).tolist(), unit=[""] * len(xy))


@pytest.mark.parametrize("step", [50, 100])
def test_gaps_of_people_refined_to_streets_are_whole_areas(step):
    cells = refined_town(step)
    town = streets({"a": (-100, 0), "b": (1600, 0)}, ["ab"])
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS, snap_m=2000)
    times = travel_times(network, points([(0, 0)], name=["日照中心"], unit=[""]), cells, limit_min=90)
    served = times.reached(minutes=10)
    gaps = find_gaps(times, cells, minutes=10, group="p60")
    assert gaps["people"].sum() == pytest.approx(cells["p60"][~served].sum())
    assert gaps["cells"].sum() == (~served).sum()
    assert gaps.geometry.is_valid.all()
    # streets of a block lie 300 m apart, but they cross: the unserved part of the town is one piece
    assert len(gaps) == 1
    # oracle: points whose squares meet, united, fall into as many pieces as there are gaps
    side = max(GROUND_M, 1.5 * cell_spacing(cells))
    ground = cells.geometry[~served].buffer(side / 2, cap_style="square").union_all()
    assert (1 if ground.geom_type == "Polygon" else len(ground.geoms)) == len(gaps)
    assert gaps.geometry.iloc[0].area == pytest.approx(ground.area, rel=1e-3)


def test_points_without_a_grid_belong_together_up_to_a_hundred_metres():
    # next points are 10, 10, 99, 101 and 30 m away: the ground of each is 100 m wide, so 99 m joins and 101 m parts
    cells = points([(x, 0) for x in (0, 10, 109, 210, 240)], p60=[1.0, 2.0, 4.0, 8.0, 16.0], unit=[""] * 5)
    town = streets({"a": (-2000, 0), "b": (2000, 0)}, ["ab"])
    network = build_network(town, mode=METRE_A_SECOND, crs=CRS, snap_m=100)
    times = travel_times(network, points([(-1900, 0)]), cells, limit_min=90)
    gaps = find_gaps(times, cells, minutes=1, group="p60")
    assert gaps["people"].tolist() == [24.0, 7.0]
    # 210 and 240: 130 m by 100 m; 0, 10 and 109: 209 m by 100 m
    assert gaps.geometry.area.tolist() == pytest.approx([13_000, 20_900])


def test_cells_that_name_their_row_keep_the_rule_of_grids(times, cells):
    # uneven distances would make these points; as cells of a raster they are neighbours within 1.5 spacings alone
    numbered = cells.assign(row=0, col=range(7))
    assert find_gaps(times, numbered, minutes=5, group="p60")["cells"].tolist() == [1, 2, 1]


def test_people_beside_steps_alone_are_told_to_have_no_street_that_may_be_used():
    # the street runs to 1000 m and goes on as steps: a pushchair may not use those, though they are 10 m away from the cell
    town = streets({"a": (0, 0), "b": (1000, 0), "c": (2000, 0)}, ["ab", "bc"], steps=[1])
    toddler = Mode(name="t", speed_kmh=3.6, leg_speed_kmh=3.6, zh="", en="", source="", uses_steps=False)
    cells = points([(500, 0), (1900, 10)], p0_3=[5.0, 3.0])
    times = travel_times(
        build_network(town, mode=toddler, crs=CRS, snap_m=150), points([(0, 0)], name=["a"]), cells, limit_min=15
    )
    (fault,) = unattached_people(times, cells, "p0_3")
    assert (fault.zh, fault.people) == ("1 个人口格网 150 米内没有可通行的街道，无法判断是否可达", 3.0)
    assert fault.en.startswith("1 population cells have no street that may be used within 150 m;")
