"""How a study's people travel where the study file says it: tables from elsewhere, hard borders, several modes."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString, Point, box
from test_study import LEFT, LOW, UTM, Study, errors, made_study

from careshed.access import coverage
from careshed.cli.shared import plan_of, times_of
from careshed.modes import WALK_ADULT
from careshed.reach.foreign import ABSENT
from careshed.run import analyse_study, run_study, summary_lines
from careshed.run.analysing import _travelling
from careshed.run.manifest import input_files
from careshed.run.results import Folders
from careshed.schema import Population
from careshed.study import open_study
from careshed.study.foreign import pick_times

# Cells are numbered by row of the raster, 0 to 99, ten a row from the north-west; every one has 20 people, 4 of them over 60.
# The table: cell 0 to A1 in 5 minutes and to A2 in 20, cell 1 to A2 in 14.5, cell 2 to A1 in 15 exactly, cell 3 in 40.
TIMES = "cell,place,min\n0,A1,5\n0,A2,20\n1,A2,14.5\n2,A1,15\n3,A1,40\n"
# Of the sites of day_care, C1 reaches the cells 1, 3 and 5 within 15 minutes; C2 none; C3 gives meals only.
SITES = "cell,place,min\n1,C1,3\n3,C1,10\n5,C1,15\n6,C1,15.01\n7,C2,16\n0,C3,1\n"
KEYS = 'columns = {origin = "cell", destination = "place", cost = "min"}'
GROUP = 'group = "p60"\n'


def with_tables(folder, *, times=TIMES, sites: str | None = SITES, keys=KEYS, more=""):
    (folder / "amap.csv").write_text(times, encoding="utf-8")
    named = f'travel_times = {{file = "amap.csv", {keys}}}\n'
    if sites is not None:
        (folder / "amap_sites.csv").write_text(sites, encoding="utf-8")
        named += f'candidate_travel_times = {{file = "amap_sites.csv", {KEYS}}}\n'
    return made_study(folder, (GROUP, GROUP + named + more), ('at_least_one_per = ["street"]\n', ""))


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(with_tables(tmp_path_factory.mktemp("foreign")))


def test_times_of_a_service_are_those_of_its_table(foreign):
    times = times_of(foreign, foreign.service("day_care"), None, None)
    # Cells 0 and 2 by A1, 1 by A2; 3 is 40 minutes from A1, which is beyond every limit of the service; the rest is in no row.
    assert times.facilities.index.tolist() == ["A1", "A2"]
    assert (times.nearest_cost[:5] / 60_000).tolist() == [5, 14.5, 15, 40, -1 / 60_000]
    assert times.nearest_facility[:5].tolist() == [0, 1, 0, 0, -1]
    assert (times.limit, times.pairs) == (15 * 60_000, 3)
    assert set(times.cell_fault[4:]) == {ABSENT}
    covered = coverage(times, foreign.cells, foreign.units, minutes=15, group="p60").loc["ALL"]
    assert (covered["covered"], covered["unjudged"], covered["people"]) == (12.0, 384.0, 400.0)


def test_other_services_still_go_by_the_streets(foreign):
    times = times_of(foreign, foreign.service("meals"), None, None, candidates=True)
    assert times.mode == WALK_ADULT
    assert times.facilities.index.tolist() == ["C2", "C3"]


def test_every_output_can_see_that_times_are_imported(foreign):
    mode = times_of(foreign, foreign.service("day_care"), None, None).mode
    assert mode.zh == "老年人步行（时间取自 amap.csv、amap_sites.csv）"
    assert mode.en == "older adult on foot (times from amap.csv, amap_sites.csv)"
    assert mode.source_zh == "出行时间取自 amap.csv、amap_sites.csv，不由本工具计算"
    told = {fault.code: fault for fault in foreign.faults}
    assert "isochrones cannot be drawn from a table" in told["times_imported"].text("en")
    assert "由表不能画等时圈" in told["times_imported"].text("zh")
    assert {"amap.csv", "amap_sites.csv"} <= input_files(foreign)


def test_candidates_are_ranked_by_their_own_table(foreign):
    service = foreign.service("day_care")
    existing = times_of(foreign, service, None, None)
    plan = plan_of(foreign, service, existing, 2)
    # C1 newly reaches the cells 3 and 5, four people each; cell 1 is reached already. C2 reaches nobody within 15 minutes.
    assert (plan.people_covered_before, plan.people_covered_after) == (12.0, 20.0)
    assert plan.sites.index[0] == "C1"


def test_places_that_the_table_leaves_out_are_told_and_sites_among_them_not_weighed(tmp_path):
    study = open_study(with_tables(tmp_path, times="cell,place,min\n0,A1,5\n", sites="cell,place,min\n5,C2,5\n"))
    told = [fault.text("en") for fault in study.faults if fault.code == "places_not_in_table"]
    assert told == [
        "1 facilities have no pair in the table, so nobody reaches them (found 'A2')",
        "1 candidate sites have no pair in the table and are not weighed (found 'C1')",
    ]
    assert "1 个候选点在表中没有任何一对，不参与选址" in "".join(fault.text("zh") for fault in study.faults)
    service = study.service("day_care")
    assert times_of(study, service, None, None).facilities.index.tolist() == ["A1", "A2"]
    assert times_of(study, service, None, None, candidates=True).facilities.index.tolist() == ["C2"]


def test_without_a_table_of_sites_none_are_weighed_and_it_is_told(tmp_path):
    study = open_study(with_tables(tmp_path, sites=None))
    service = study.service("day_care")
    assert times_of(study, service, None, None, candidates=True).facilities.empty
    assert plan_of(study, service, times_of(study, service, None, None), 2).sites.empty
    (told,) = [fault for fault in study.faults if fault.code == "sites_not_weighed"]
    assert told.text("en").startswith("日间照料: no travel times of candidate sites are given, so none are weighed. Name a table")
    assert "未给出候选点的出行时间，不做选址" in told.text("zh")


def test_the_name_of_a_file_alone_is_enough_and_seconds_are_read(tmp_path):
    plain = "origin,destination,seconds\n0,A1,300\n1,A2,870\n"
    (tmp_path / "amap.csv").write_text(plain, encoding="utf-8")
    (tmp_path / "meals.csv").write_text("origin,destination,minutes\n0,A4,5\n", encoding="utf-8")
    text = GROUP + 'travel_times = {file = "amap.csv", unit = "seconds"}\n'
    meals = ('groups_shown = ["total", "p60"]\n', 'groups_shown = ["total", "p60"]\ntravel_times = "meals.csv"\n')
    study = open_study(made_study(tmp_path, (GROUP, text), meals))
    assert (times_of(study, study.service("day_care"), None, None).nearest_cost[:2] / 60_000).tolist() == [5, 14.5]
    # A4 is a home for the aged: the table may hold it, but it gives no meals.
    assert times_of(study, study.service("meals"), None, None).facilities.empty
    assert "table_maybe_short" in [fault.code for fault in study.faults]  # 14.5 minutes, judged by 15
    short = next(fault for fault in study.faults if fault.code == "table_maybe_short")
    assert "the largest time in the table, 14.5 minutes, is below the service's limit of 15" in short.text("en")


def test_bad_rows_of_every_table_are_told_together(tmp_path):
    path = with_tables(tmp_path, times="cell,place,min\n0,A1,fast\n999,A1,3\n0,ZZ,4\n", sites="cell,place,min\n0,C1,-3\n")
    told = errors(path)
    assert any("amap.csv: row 2, column 'min': the cost is no usable number (found 'fast')" in text for text in told)
    assert any("999" in text for text in told)
    assert any("ZZ" in text for text in told)
    assert any("amap_sites.csv: row 2, column 'min': the cost is negative (found '-3')" in text for text in told)
    assert any("用时为负" in text for text in errors(path, "zh"))


def test_what_does_not_go_together_is_refused(tmp_path):
    path = with_tables(tmp_path, keys=KEYS + ', limit_minutes = 10, direction = "from_facility"')
    told = errors(path)
    assert (
        "study.toml: [[service]] 1: travel_times.limit_minutes: is less than the service's largest limit, 15 minutes" in told[0]
    )
    assert "candidate_travel_times.direction: is other than that of travel_times" in told[1]
    assert "小于该服务的最大时限 15 分钟" in errors(path, "zh")[0]
    made_study(tmp_path, (GROUP, GROUP + 'candidate_travel_times = "amap_sites.csv"\n'))
    assert "candidate_travel_times: needs travel_times of the existing facilities too" in errors(path)[0]
    made_study(tmp_path, (GROUP, GROUP + 'travel_times = "gone.csv"\n'), ("total.tif", "totl.tif"))
    assert [text.split(":")[0] for text in errors(path)] == ["gone.csv", "totl.tif"]
    made_study(tmp_path, (GROUP, GROUP + 'travel_times = {file = "gone.csv", unit = "metres"}\n'))
    assert "[[service]] 1: travel_times.unit: must be one of 'minutes' or 'seconds'" in errors(path)[0]


def test_people_of_other_cells_cannot_be_judged(foreign):
    cells = foreign.cells.iloc[[2, 0]]
    later = replace(foreign, population=Population(pd.concat([cells, cells.iloc[:1].rename(index={2: 1000})]), None))
    times = times_of(later, later.service("day_care"), None, None)
    assert times.cell_ids.tolist() == [2, 0, 1000]
    assert (times.nearest_cost / 60_000).round(3).tolist() == [15, 5, -0.0]
    assert times.cell_fault.tolist() == ["", "", ABSENT]


@pytest.mark.parametrize("seed", range(3))
def test_part_of_a_table_is_what_pandas_finds_in_it(foreign, seed):
    rng = np.random.default_rng(seed)
    pairs = pd.DataFrame({"cell": rng.integers(0, 100, 200), "row": rng.integers(0, 4, 200)}).drop_duplicates()
    pairs["ms"] = rng.integers(1, 30 * 60_000, len(pairs))
    pairs = pairs.sort_values(["row", "cell"])
    table = replace(
        foreign.imported["day_care"].facilities,
        indptr=np.searchsorted(pairs["row"].to_numpy(), np.arange(5)).astype(np.int64),
        indices=pairs["cell"].to_numpy(dtype=np.int32), cost=pairs["ms"].to_numpy(dtype=np.uint32),
        cell_fault=np.full(100, "", dtype="<U7"),
    )  # fmt: skip
    places = foreign.facility_table.iloc[[3, 1]]
    cells = foreign.cells.sample(60, random_state=seed)
    found = pick_times(table, places, cells, limit_min=10)
    wanted = pairs[pairs["row"].isin([3, 1]) & pairs["cell"].isin(cells.index)]
    wanted = wanted.assign(row=wanted["row"].map({3: 0, 1: 1}), cell=cells.index.get_indexer(wanted["cell"]))
    near = wanted[wanted["ms"] <= 600_000].sort_values(["row", "cell"])
    assert found.indices.tolist() == near["cell"].tolist()
    assert found.cost.tolist() == near["ms"].tolist()
    assert np.diff(found.indptr).tolist() == [(near["row"] == 0).sum(), (near["row"] == 1).sum()]
    nearest = wanted.groupby("cell")["ms"].min().reindex(range(60), fill_value=-1)
    assert found.nearest_cost.tolist() == nearest.tolist()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("ran")
    path = with_tables(folder)
    return folder, run_study(path, lang="en", progress=False, only=["day_care"], folders=Folders(folder / "out", folder / "maps"))


def test_a_run_leaves_out_what_a_table_cannot_give_and_says_so(ran):
    folder, result = ran
    (one,) = result.services
    assert (len(one.isochrones), len(one.streets), one.certificates, one.effect) == (0, 0, [], None)
    codes = [fault.code for fault in result.faults]
    assert {"times_imported", "edge_not_judged"} <= set(codes)
    assert "leg_moved" not in codes
    assert "could_change" not in one.covered
    assert json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))["services"]["day_care"]["isochrones"] == []
    page = (folder / "maps" / "day_care.html").read_text(encoding="utf-8")
    assert "times from amap.csv" in page
    assert "km/h along streets" not in page
    (line,) = (line for line in summary_lines(result, "en") if re.match(r" *\d+ gaps? of ", line))
    assert line.endswith("are in no row of the imported table and cannot be judged")
    assert "isochrones cannot be drawn from a table" in (folder / "out" / "faults.csv").read_text(encoding="utf-8-sig")


def test_the_gaps_of_a_run_are_those_of_the_table(ran):
    _, result = ran
    (one,) = result.services
    # 400 people over 60 less the cells 0, 1 and 2.
    assert one.gaps["people"].sum() == pytest.approx(388.0)
    assert one.plan.people_covered_after == 20.0


# Hard borders -------------------------------------------------------------------------------------------------------------


def bordered(folder, text, river=None):
    """The small study without its topmost streets: its only street leaves the units in the west and the east."""
    if river is not None:
        gpd.GeoDataFrame({"name": ["河"] * len(river)}, geometry=river, crs=UTM).to_file(folder / "rivers.gpkg")
    return made_study(folder, ("[units]", f"{text}\n[units]"))


HARD = '[boundary]\nhard = "rivers.gpkg"\n'


def edges(path):
    result = analyse_study(path, lang="en", progress=False, only=["day_care"])
    return next((fault for fault in result.faults if fault.code == "edge_of_data"), None)


def test_a_hard_border_in_the_study_file_cuts_the_margin_of_a_run(tmp_path):
    open_edge = edges(bordered(tmp_path, ""))
    assert open_edge.people > 0
    assert "at hard borders" not in open_edge.en
    river = box(LEFT - 300, LOW - 300, LEFT + 1300, LOW + 1300).boundary
    study = open_study(bordered(tmp_path, HARD + "hard_m = 400", [river]))
    assert study.hard.crs == UTM
    assert "rivers.gpkg" in input_files(study)
    shut = edges(study.path)
    assert shut.people == 0
    assert "0 streets lead out of the data (" in shut.text("en")
    assert "more end at hard borders and do not count)" in shut.text("en")
    assert "处止于硬边界，不计" in shut.text("zh")


def test_how_far_the_data_reach_beyond_the_units_is_stated_in_the_study_file(tmp_path):
    def eastward(text):
        path = bordered(tmp_path, text)
        streets = (tmp_path / "streets.osm").read_text(encoding="utf-8")
        far = '<node id="4" lat="31.195" lon="121.525"/>\n <way id="8"><nd ref="2"/><nd ref="4"/>'
        more = streets.replace(' <way id="9">', f' {far}<tag k="highway" v="residential"/></way>\n <way id="9">')
        (tmp_path / "streets.osm").write_text(more, encoding="utf-8")
        return edges(path)

    # The street to the east leaves the units 57 m beyond the corner; known 700 m farther, it does so 757 m from the corner,
    # which the people along the vertical street, up to 554 m north of the corner, no longer reach within 900 m.
    near, far = eastward(""), eastward("[boundary]\nknown_m = 700")
    assert 0 < far.people < near.people
    assert open_study(tmp_path / "study.toml").config.boundary.known_m == 700.0


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_border_of_points_or_that_is_missing_or_elsewhere_is_told(tmp_path):
    told = errors(bordered(tmp_path, HARD, [Point(LEFT, LOW)]))
    assert told == [
        "rivers.gpkg: hard borders must be lines or areas. Give a layer of lines or areas, such as rivers or a national border."
    ]
    (tmp_path / "rivers.gpkg").unlink()
    assert "rivers.gpkg: the file does not exist" in errors(bordered(tmp_path, HARD))[0]
    away = open_study(bordered(tmp_path, HARD, [LineString([(LEFT + 90_000, LOW), (LEFT + 90_000, LOW + 9)])]))
    assert [fault.code for fault in away.faults if fault.file == "rivers.gpkg"] == ["layer_elsewhere"]
    gpd.GeoDataFrame(geometry=[LineString([(0, 0), (1, 1)])]).to_file(tmp_path / "rivers.gpkg", layer="rivers")
    told = errors(bordered(tmp_path, HARD))
    assert "State crs in [boundary] of the study" in told[0]


# Several modes ------------------------------------------------------------------------------------------------------------

MIXED = (GROUP, GROUP + 'mode_by = {rural = "car"}\n')


def mixed_study(folder, wall=False):
    text = '[barriers]\nbehind = "nearest"\n[[barriers.layers]]\nfile = "wall.gpkg"\nkind = "wall"\n' if wall else ""
    path = made_study(folder, MIXED, ("[units]", f"{text}\n[units]"))
    units = gpd.read_file(folder / "units.gpkg").assign(setting=["", "城镇", "农村"])
    units.to_file(folder / "units.gpkg", layer="units")
    if wall:  # north of the street from its west end to short of its corner
        line = LineString([(LEFT - 200, LOW + 200), (LEFT + 900, LOW + 200)])
        gpd.GeoDataFrame(geometry=[line], crs=UTM).to_file(folder / "wall.gpkg")
    return path


def test_the_margin_is_judged_for_each_cell_by_the_mode_of_its_people(tmp_path):
    result = analyse_study(mixed_study(tmp_path), lang="en", progress=False, only=["day_care"])
    (one,) = result.services
    assert one.times.mode.name == "older+car"
    assert "edge_not_judged" not in [fault.code for fault in result.faults]
    assert one.covered.loc["ALL", "could_change"].notna().any()


def test_people_moved_by_barriers_are_told_by_the_mode_that_is_theirs_and_once(tmp_path):
    study = open_study(mixed_study(tmp_path, wall=True))
    service = study.service("day_care")
    people = _travelling(study, service, {})
    assert [network.mode.name for network in people.networks] == ["older", "car"]
    assert np.bincount(people.which).tolist() == [55, 45]  # s1 and the county's own cells; s2 is rural
    # The cells of the row 250 m north, 70 to 78, lie within 150 m of the street but behind the wall, 5 of them in town; cell 78
    # joins the street that runs north instead, 95 m east of it. Four people each.
    told = people.leg_faults(study.cells, "p60")
    assert [(fault.code, fault.people, fault.en.split(":")[0]) for fault in told] == [
        ("leg_regardless", 20.0, "older adult on foot"), ("leg_moved", 4.0, "car"), ("leg_regardless", 12.0, "car"),
    ]  # fmt: skip
    assert told[0].zh.startswith("老年人步行：5 个人口格网")
    alone = _travelling(study, study.service("meals"), {}).leg_faults(study.cells, "p60")
    assert [(fault.code, fault.people) for fault in alone] == [("leg_moved", 4.0), ("leg_regardless", 32.0)]
    assert alone[0].en.startswith("1 population cells")


def test_opening_a_study_says_which_columns_of_units_and_people_were_taken_for_what(tmp_path):
    people = "经度,纬度,总人口,老年人口,备注\n121.505,31.195,300,60,x\n"
    (tmp_path / "people.csv").write_text(people, encoding="utf-8")
    rasters = '[population.rasters]\ntotal = "total.tif"\np60 = "p60.tif"\n'
    table = '[population.table]\nfile = "people.csv"\ncrs = "EPSG:4326"\ndatum = "WGS-84"\n'
    study = open_study(made_study(tmp_path, (rasters, table)))
    told = {fault.file: fault for fault in study.faults if fault.code == "columns_matched"}
    assert told["people.csv"].text("en") == (
        "columns: lon = 经度, lat = 纬度, total = 总人口, p60 = 老年人口; not used: 备注. "
        "Map them in [population.table.columns] where this is wrong."
    )
    assert told["units.gpkg"].text("zh") == (
        "列的对应：id = code, name = name, level = level, parent = parent；未用的列：—。如有误，请在 [units.columns] 中指定。"
    )
    assert {"elders.csv", "sites.csv", "compounds.csv"} <= set(told)
