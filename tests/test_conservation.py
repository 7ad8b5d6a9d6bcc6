"""Nobody and no place is lost on any real data set: every person in one state, access adds up to the places that people seek.

Real are the streets, the people and the facilities named in `TOWNS`; what a data set lacks is SYNTHETIC, drawn with a seed, and
says so there. The data sets without positions (Chifeng, Wuzhong, Botou: names; pmed: a graph without people) cannot be used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))  # last: benchmarks/access.py is not PySAL's access

from berlin_places import berlin, straight_times
from verdicts import data_folder

from careshed.intake.population import read_population_rasters
from careshed.intake.streets import read_streets
from careshed.modes import WALK_ADULT, WALK_OLDER
from careshed.network import build_network
from careshed.reach import TravelTimes, travel_times
from careshed.supply.agents import rational_agents
from careshed.supply.assignment import STATES, Rule, assign_places
from careshed.supply.catchments import CatchmentResult, Method, floating_catchment
from careshed.supply.decay import Gaussian

MINUTES = 15.0


class Town(NamedTuple):
    """Travel times and people of one data set; the people's column is ``people``."""

    times: TravelTimes
    cells: gpd.GeoDataFrame


# --- the towns --------------------------------------------------------------------------------------------------------


def tables(points: np.ndarray, people: np.ndarray, crs: object) -> gpd.GeoDataFrame:
    index = pd.RangeIndex(len(people), name="cell_id")
    return gpd.GeoDataFrame({"people": np.asarray(people, float)}, index=index, geometry=shapely.points(points), crs=crs)


def stations(points: np.ndarray, places: np.ndarray, crs: object) -> gpd.GeoDataFrame:
    index = pd.Index([f"f{at:04}" for at in range(len(points))], name="facility_id")
    return gpd.GeoDataFrame(
        {"name": index, "places": np.asarray(places, float)}, index=index, geometry=shapely.points(points), crs=crs
    )


def made_up_places(count: int, people: float, seed: int) -> np.ndarray:
    """SYNTHETIC places for 70 % of the people in whole numbers; every ninth facility has none, every eleventh unknown ones."""
    size = np.random.default_rng(seed).gamma(2.0, 1.0, count)
    places = np.floor(size / size.sum() * people * 0.7)
    places[4::9] = 0.0
    places[6::11] = np.nan
    return places


def schools(file: Path) -> np.ndarray:
    """Real positions of schools and kindergartens of an OSM extract, degrees: their node, or the first of their outline."""
    import osmium

    tags = osmium.filter.TagFilter(("amenity", "kindergarten"), ("amenity", "school"))
    found = []
    for thing in osmium.FileProcessor(str(file)).with_locations().with_filter(tags):
        if thing.is_node() or thing.is_way():
            at = thing if thing.is_node() else thing.nodes[0]
            found.append((at.lon, at.lat))
    return np.array(sorted(found))


def on_streets(file: str, count: int, seed: int, people: gpd.GeoDataFrame | None = None) -> Town:
    """Real streets; real schools or, where `count` is not 0, SYNTHETIC facilities at street nodes; people SYNTHETIC unless given.

    Places are SYNTHETIC. SYNTHETIC people live at 1,500 street nodes.
    """
    folder, name = file.split("/")
    path = data_folder(folder) / name
    network = build_network(read_streets(path).table, mode=WALK_OLDER, snap_m=150)
    random = np.random.default_rng(seed)
    nodes = np.column_stack([network.x, network.y])
    nodes = nodes[random.permutation(len(nodes))]
    spots, homes = nodes[:count], nodes[count : count + 1500]
    if not count:
        at = gpd.GeoSeries.from_xy(*schools(path).T, crs=4326).to_crs(network.crs)
        spots = np.column_stack([at.x, at.y])
    cells = tables(homes, random.integers(0, 60, len(homes)), network.crs) if people is None else people.to_crs(network.crs)
    facilities = stations(spots, made_up_places(len(spots), cells["people"].sum(), seed), network.crs)
    return Town(travel_times(network, facilities, cells, limit_min=MINUTES), cells)


def porto_alegre() -> Town:
    """Real streets, people and health posts; their places SYNTHETIC: 5,000 each."""
    folder = data_folder("porto_alegre")
    network = build_network(read_streets(folder / "poa_osm.pbf").table, mode=WALK_OLDER, snap_m=300)
    table = pd.read_csv(folder / "poa_hexgrid.csv")
    at = gpd.GeoSeries.from_xy(table["lon"], table["lat"], crs=4326).to_crs(network.crs)
    points = np.column_stack([at.x, at.y])
    posts = (table["healthcare"] > 0).to_numpy()
    facilities = stations(points[posts], table["healthcare"].to_numpy()[posts] * 5000.0, network.crs)
    cells = tables(points, table["population"].to_numpy(), network.crs)
    return Town(travel_times(network, facilities, cells, limit_min=MINUTES), cells)


def helsinki() -> Town:
    """Real streets of the centre and people on a 250 m grid, most of it beyond the streets; facilities SYNTHETIC."""
    grid = gpd.read_file(data_folder("helsinki") / "helsinki_population_grid_2020.gpkg").to_crs(3067)
    middle = grid.geometry.centroid
    people = tables(np.column_stack([middle.x, middle.y]), grid["population"].to_numpy(), 3067)
    return on_streets("helsinki/Helsinki.osm.pbf", 12, 3, people)


def madrid() -> Town:
    """Real people of 65 and over on a 1 km grid; SYNTHETIC facilities in the real 131 neighbourhoods; straight lines."""
    grid = gpd.read_file(data_folder("madrid") / "eu_stat_clipped.gpkg")
    hoods = gpd.read_file(data_folder("madrid") / "madrid_nbhds.gpkg").to_crs(3035).representative_point()
    middle = grid.geometry.centroid
    cells = tables(np.column_stack([middle.x, middle.y]), grid["Y_GE65"].to_numpy(), 3035)
    places = made_up_places(len(hoods), cells["people"].sum(), 4)
    return straight(stations(np.column_stack([hoods.x, hoods.y]), places, 3035), cells)


def ahr_valley() -> Town:
    """Real people of a WorldPop raster, in fractions; SYNTHETIC facilities at 60 of its cells; straight lines."""
    files = {"people": data_folder("worldpop_ahr") / "wpop_ahrvalley.tif"}
    found = read_population_rasters(files, crs_out="EPSG:25832").table.cells
    points = np.column_stack([found.geometry.x, found.geometry.y])
    random = np.random.default_rng(5)
    spots = points[random.choice(len(points), 60, replace=False, p=found["people"] / found["people"].sum())]
    cells = tables(points, found["people"].to_numpy(), 25832)
    return straight(stations(spots, made_up_places(60, cells["people"].sum(), 5), 25832), cells)


def berlin_centres() -> Town:
    """Real centres with real or modelled places; children SYNTHETIC; straight lines."""
    times, cells, _ = berlin(data_folder("berlin_childcare"), 500.0)
    return Town(times, cells.rename(columns={"p0_6": "people"}))


def mclp(name: str, sites: int) -> Town:
    """Real positions and demand of a maximal-cover instance; SYNTHETIC facilities at some of its nodes; straight lines."""
    lines = (data_folder("mclp_cities") / f"{name}.txt").read_text().splitlines()
    first, second = lines.index("NODE_COORD_SECTION"), lines.index("DEMAND_SECTION")
    degrees = np.array([[float(part) for part in line.split()] for line in lines[first + 1 : second]])
    people = np.array([float(line) for line in lines[second + 1 : second + 1 + len(degrees)]])
    at = gpd.GeoSeries.from_xy(degrees[:, 1], degrees[:, 0], crs=4326)
    at = at.to_crs(at.estimate_utm_crs())
    points = np.column_stack([at.x, at.y])
    chosen = np.random.default_rng(6).choice(len(points), sites, replace=False)
    cells = tables(points, people, at.crs)
    return straight(stations(points[chosen], made_up_places(sites, people.sum(), 6), at.crs), cells)


def shuozhou() -> Town:
    """Real seats of townships (GCJ-02, an offset of 500 m that does no harm here); places and people around them SYNTHETIC."""
    files = sorted(data_folder("shuozhou_admin").glob("vonng_adcode_1406??.csv"))
    rows = pd.concat([pd.read_csv(file, header=None) for file in files]).drop_duplicates(subset=0)
    rows = rows[(rows[3] == "town") & rows[12].notna()]
    at = gpd.GeoSeries.from_xy(rows[12], rows[13], crs=4326).to_crs(32649)
    seats = np.column_stack([at.x, at.y])
    random = np.random.default_rng(7)
    homes = np.repeat(seats, 40, axis=0) + random.normal(0, 900, (40 * len(seats), 2))
    cells = tables(homes, random.integers(0, 90, len(homes)), 32649)
    return straight(stations(seats, made_up_places(len(seats), cells["people"].sum(), 7), 32649), cells)


def straight(facilities: gpd.GeoDataFrame, cells: gpd.GeoDataFrame) -> Town:
    return Town(straight_times(facilities, cells, mode=WALK_ADULT, minutes=MINUTES), cells)


TOWNS: dict[str, tuple[str, Callable[[], Town]]] = {
    "Porto Alegre": ("porto_alegre", porto_alegre),
    "Helsinki": ("helsinki", helsinki),
    "Heidelberg": ("heidelberg", lambda: on_streets("heidelberg/heidelberg.osm.pbf", 0, 1)),
    "Futian": ("shenzhen_futian", lambda: on_streets("shenzhen_futian/futian_osmnx.graphml", 25, 2)),
    "Nanshan": ("shenzhen_nanshan", lambda: on_streets("shenzhen_nanshan/nanshan.osm", 0, 8)),
    "Monaco": ("monaco", lambda: on_streets("monaco/monaco.osm.pbf", 40, 9)),
    "Madrid": ("madrid", madrid),
    "Ahr valley": ("worldpop_ahr", ahr_valley),
    "Berlin": ("berlin_childcare", berlin_centres),
    "San Francisco": ("mclp_cities", lambda: mclp("SanFrancisco", 120)),
    "Kings": ("mclp_cities", lambda: mclp("Kings", 150)),
    "Shuozhou": ("shuozhou_admin", shuozhou),
}
"""Name -> folder of the data, how to make the town. Streets, people or facilities that are not named in a maker as SYNTHETIC are
real. Heidelberg and Nanshan have real streets and schools, SYNTHETIC places and people; Futian and Monaco real streets only."""


@cache
def town(name: str) -> Town:
    return TOWNS[name][1]()


every_town = pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=pytest.mark.skipif(data_folder(folder) is None, reason=f"real data are not here: ../shared/data/{folder}")
        )
        for name, (folder, _) in TOWNS.items()
    ],
)


# --- people and places ------------------------------------------------------------------------------------------------


@every_town
@pytest.mark.parametrize("rule", ["nearest", "nearest_with_overflow", "least_time", "catchment"])
def test_every_person_is_in_one_state_and_no_facility_is_overfull(name: str, rule: Rule) -> None:
    times, cells = town(name)
    by = np.array(times.facilities.index)[times.nearest_facility]
    zones = pd.Series(by, index=cells.index)[times.nearest_cost >= 0] if rule == "catchment" else None
    found = assign_places(times, cells, group="people", minutes=MINUTES, rule=rule, catchment=zones)
    split, places = found.cells, times.facilities["places"]

    np.testing.assert_allclose(split[list(STATES)].sum(axis=1), cells["people"], atol=6e-7)
    assert split[list(STATES)].to_numpy().min() >= 0
    assert split[list(STATES)].to_numpy().sum() == pytest.approx(cells["people"].sum(), abs=5e-7 * len(cells) + 1e-3)
    # The states as the travel times tell them, counted afresh.
    judged, reach = times.cell_fault == "", np.bincount(times.indices, minlength=len(cells)) > 0
    assert split["unjudged"].sum() == pytest.approx(cells["people"][~judged].sum(), abs=1e-2)
    assert split["out_of_reach"].sum() == pytest.approx(cells["people"][judged & ~reach].sum(), abs=1e-2)
    taken = found.links.groupby("facility_id")["people"].sum().reindex(places.index, fill_value=0.0)
    assert (taken <= places.fillna(0.0) + 1e-6).all()
    assert (found.facilities["served"] <= places.fillna(0.0)).all()
    assert taken.sum() == pytest.approx(split["served"].sum(), abs=1e-3)
    assert 0 < split["served"].sum() < cells["people"].sum()
    assert found.proven == (rule == "least_time")


@every_town
def test_no_rule_serves_more_than_least_time_and_none_leaves_a_place_to_somebody_who_reaches_it(name: str) -> None:
    times, cells = town(name)
    found = {
        rule: assign_places(times, cells, group="people", minutes=MINUTES, rule=rule)
        for rule in ("nearest", "nearest_with_overflow", "least_time")
    }
    served = {rule: one.cells["served"].sum() for rule, one in found.items()}
    assert served["nearest"] <= served["nearest_with_overflow"] + 1e-6
    assert served["nearest_with_overflow"] <= served["least_time"] + 1e-6
    for rule in ("nearest_with_overflow", "least_time"):
        free = (found[rule].facilities["spare"] > 1e-6).to_numpy()
        near = np.bincount(times.indices[np.repeat(free, np.diff(times.indptr))], minlength=len(cells)) > 0
        assert not (near & (found[rule].cells["no_place"] > 0)).any()


# --- floating catchments ----------------------------------------------------------------------------------------------


def weighed(times: TravelTimes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Facility, cell and Gaussian weight of each pair, computed here."""
    row = np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr))
    return row, times.indices, np.exp(-0.5 * (times.cost / 60_000 / 6.0) ** 2)


def measured(name: str, method: Method) -> tuple[Town, CatchmentResult, pd.Series]:
    times, cells = town(name)
    decay = None if method == "2sfca" else Gaussian(6.0)
    found = floating_catchment(times, cells, group="people", method=method, minutes=MINUTES, decay=decay)
    return town(name), found, times.facilities["places"].drop([*found.unknown, *found.empty])


@every_town
@pytest.mark.parametrize("method", ["2sfca", "e2sfca", "3sfca", "huff", "congested"])
def test_access_weighted_by_people_is_the_places_of_all_catchments_that_hold_anybody(name: str, method: Method) -> None:
    # Σᵢ Pᵢ Aᵢ = Σⱼ Rⱼ Σᵢ wᵢⱼ Pᵢ = Σⱼ Sⱼ over known facilities j that anybody seeks, so the people's mean of access is those
    # places over all people; whoever cannot be judged or reaches only unknown places has no access (NaN) and adds nothing.
    (times, cells), found, sought = measured(name, method)
    assert len(sought)
    assert np.isfinite(found.access[times.cell_fault == ""].dropna()).all()
    mean = np.nansum(found.access * cells["people"]) / cells["people"].sum()
    assert mean == pytest.approx(sought.sum() / cells["people"].sum(), rel=1e-9)
    # Which catchments hold somebody, counted afresh; huff and congested draw nobody to a facility without places.
    row, column, _ = weighed(times)
    people = np.bincount(row, weights=cells["people"].to_numpy()[column], minlength=len(times.facilities))
    held = times.facilities["places"][people > 0].dropna()
    assert sought.sum() == pytest.approx(held.sum(), rel=1e-12)


@every_town
def test_balanced_catchments_keep_people_in_demand_and_ratios_in_access(name: str) -> None:
    # BFCA: Σⱼ demandⱼ = people in reach of a known facility, and Σᵢ Aᵢ = Σⱼ Rⱼ: ratios are kept, not places.
    (times, cells), found, sought = measured(name, "bfca")
    known = times.facilities["places"].notna().to_numpy()
    reach = np.bincount(times.indices[np.repeat(known, np.diff(times.indptr))], minlength=len(cells)) > 0
    assert found.demand.sum() == pytest.approx(cells["people"][reach].sum(), rel=1e-9)
    assert np.nansum(found.access) == pytest.approx(found.ratio.sum(), rel=1e-9)
    assert (found.ratio * found.demand).sum() == pytest.approx(sought.sum(), rel=1e-9)


@every_town
def test_modified_catchments_keep_the_places_less_what_distance_costs(name: str) -> None:
    # M2SFCA: Σᵢ Pᵢ Aᵢ = Σⱼ Sⱼ (Σᵢ wᵢⱼ² Pᵢ) / (Σᵢ wᵢⱼ Pᵢ): every facility's places times the mean weight of those who come.
    (times, cells), found, sought = measured(name, "m2sfca")
    row, column, weight = weighed(times)
    people, size = cells["people"].to_numpy()[column], len(times.facilities)
    once, twice = (np.bincount(row, weights=weight**power * people, minlength=size) for power in (1, 2))
    mean = pd.Series(twice / np.where(once > 0, once, 1), index=times.facilities.index)[sought.index]
    assert np.nansum(found.access * cells["people"]) == pytest.approx((sought * mean).sum(), rel=1e-9)
    assert (mean <= 1).all()


@every_town
def test_rational_agents_all_go_somewhere_and_share_the_places_of_where_they_go(name: str) -> None:
    # RAAM: Σⱼ loadⱼ = people in reach of a facility with places, and Σⱼ loadⱼ · ratioⱼ = the places of all that anybody chooses.
    times, cells = town(name)
    found = rational_agents(times, cells, group="people", tau=10.0, minutes=MINUTES, tolerance=0.05, rounds=200)
    places = times.facilities["places"]
    offered = (places > 0).to_numpy()
    reach = np.bincount(times.indices[np.repeat(offered, np.diff(times.indptr))], minlength=len(cells)) > 0
    assert found.load.sum() == pytest.approx(cells["people"][reach].sum(), rel=1e-9)
    assert (found.load * found.ratio).sum() == pytest.approx(places[found.load > 0].sum(), rel=1e-9)
    assert found.load[places == 0].sum() == 0
    assert found.cost.notna().to_numpy()[reach & (times.cell_fault == "")].all()


@every_town
def test_a_person_more_somewhere_is_a_person_more_in_one_state(name: str) -> None:
    # Adding one person in the fullest cell changes the four states together by exactly one.
    times, cells = town(name)
    at = cells["people"].idxmax()
    more = cells.assign(people=cells["people"] + (cells.index == at))
    one, two = (assign_places(times, table, group="people", minutes=MINUTES).cells[list(STATES)].sum() for table in (cells, more))
    assert (two - one).sum() == pytest.approx(1.0, abs=1e-3)
    assert two["served"] >= one["served"] - 1e-6
