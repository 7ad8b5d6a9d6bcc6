"""The whole chain on the demo town: what it writes, that a repeat is equal, and that bad input leaves outputs whole."""

import json
import shutil
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from markupsafe import escape
from oracle import travel_costs

import careshed as cs
from careshed.modes import WHEELCHAIR
from careshed.network import attach
from careshed.run import Folders, input_files, run_study, summary_lines
from careshed.run.unjudged import unjudged_text


def test_a_run_writes_maps_lists_tables_and_a_manifest(demo):
    names = {path.name for path in demo.files}
    for service in ("childcare", "day_care", "township_centre"):
        assert {f"{service}.html", f"{service}_sites.xlsx", f"{service}_sites.csv", f"{service}_sites.geojson"} <= names
        assert {f"{service}_coverage.xlsx", f"{service}_gaps.geojson", f"{service}_travel_times.parquet"} <= names
    assert {"faults.csv", "run.json"} <= names
    assert all(path.stat().st_size > 0 for path in demo.files)
    assert not [path for folder in {path.parent for path in demo.files} for path in folder.glob(".*.part")]


def test_the_demo_map_stays_under_three_megabytes(demo):
    assert max(path.stat().st_size for path in demo.files if path.suffix == ".html") <= 3_000_000


def test_maps_and_tables_go_to_the_projects_folders(demo):
    root = demo.study.path.parents[3]
    assert {path.parent for path in demo.files} == {
        root / "maps" / "demo",
        root / "data" / "processed" / "demo",
        root / "data" / "processed" / "demo" / "scorecards",
    }


def test_the_manifest_names_every_input_by_hash_and_no_clock(demo):
    manifest = json.loads(demo.files[-1].read_text(encoding="utf-8"))
    assert set(manifest["inputs"]) == input_files(demo.study)
    assert all(len(value) == 64 for value in [*manifest["inputs"].values(), *manifest["outputs"].values()])
    assert manifest["study"]["made_up"] is True
    # "all" rows: one a group and limit; p0_3 and total at 5, 10, 15 minutes.
    assert len(manifest["services"]["childcare"]["coverage"]) == 6


def test_a_second_run_writes_the_same_bytes(demo, tmp_path):
    again = run_study(demo.study.path, progress=False, folders=Folders(tmp_path / "processed", tmp_path / "maps"))
    for one, two in zip(demo.files, again.files, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


def test_people_are_covered_unserved_or_unjudged_and_nobody_twice(demo):
    for one in demo.services:
        people = demo.study.cells[one.service.group].to_numpy()
        reached = one.times.reached(minutes=one.service.within_minutes)
        assert one.gaps["people"].sum() + people[reached].sum() == pytest.approx(people.sum(), abs=1e-6)
        assert one.plan.people_covered_before == pytest.approx(people[reached].sum(), abs=1e-3)


def test_streets_and_townships_add_up_to_the_whole(demo):
    for one in demo.services:
        table = one.covered[one.covered["minutes"] == one.service.within_minutes]
        table = table[table["group"] == one.service.group]
        for column in ("people", "covered", "unjudged"):
            parts = table[table["level"].isin(["street", "township"])][column].sum()
            outside = table.loc["OUTSIDE", column] if "OUTSIDE" in table.index else 0.0
            assert parts + outside == pytest.approx(table.loc["ALL", column], abs=1e-6)


def test_plans_on_the_demo_are_proven_and_keep_one_per_street(demo):
    for one in demo.services:
        assert one.plan.status == "optimal"
        assert one.plan.bound - one.plan.people_covered_after < 1.0
    childcare = demo.services[0].plan
    met = set(childcare.units_without_before) - set(childcare.units_without_after)
    assert len(childcare.sites) == 8
    assert met | set(childcare.units_without_after) == set(childcare.units_without_before)


def test_isochrones_of_the_demo_carry_a_good_certificate(demo):
    for one in demo.services:
        for certificate in one.certificates:
            assert certificate.inside_beyond <= 0.002
            assert certificate.outside_reachable <= 0.015


def test_the_demos_travel_times_equal_networkx(demo):
    # Every facility, candidate and kindergarten of the town: at least 200 places, to all cells, within 10 minutes.
    study = demo.study
    network = cs.build_network(study.streets, mode=cs.WALK_TODDLER, crs=study.crs, snap_m=study.snap_m)
    places = pd.concat(
        [study.facility_table[["geometry"]], study.candidate_table[["geometry"]], study.cells[["geometry"]].iloc[::100]]
    )
    assert len(places) >= 200
    times = cs.travel_times(network, places, study.cells, limit_min=10)
    expected = travel_costs(
        network, attach(network, places), attach(network, study.cells), metric="time", towards=True, limit=600_000
    )
    full = np.full(expected.shape, -1, dtype=np.int64)
    full[np.repeat(np.arange(len(places)), np.diff(times.indptr)), times.indices] = times.cost
    assert (full == expected).all()


def test_the_summary_says_where_the_maps_are(demo):
    zh, en = ("\n".join(summary_lines(demo, lang)) for lang in ("zh", "en"))
    assert "选址清单" in zh
    assert "childcare_sites.xlsx" in zh
    assert "are within 15 minutes" in en
    assert "run.json" in en


@pytest.fixture(scope="module")
def alone(made_demo, tmp_path_factory):
    """One service run in English, in a folder of its own, and what was told on the way."""
    folder = shutil.copytree(made_demo.parent, tmp_path_factory.mktemp("alone") / "study")
    with redirect_stderr(StringIO()) as told:
        found = run_study(folder / "study.toml", lang="en", only=["day_care"])
    return folder, found, told.getvalue()


def test_one_service_can_be_run_alone_in_english(alone):
    _, one, told = alone
    assert [result.service.id for result in one.services] == ["day_care"]
    page = next(file for file in one.files if file.name == "day_care.html").read_text(encoding="utf-8")
    assert '<html lang="en"' in page
    assert "7/" in told


def test_bad_input_leaves_earlier_outputs_whole(alone):
    folder, good, _ = alone
    before = {path: path.read_bytes() for path in good.files}
    register = next(folder.glob("childcare*.csv"))
    register.write_text(register.read_text(encoding="utf-8-sig").replace("经度", "东经度"), encoding="utf-8")
    (folder / "streets.osm.pbf").write_bytes((folder / "streets.osm.pbf").read_bytes()[:5000])
    with pytest.raises(cs.InputError) as caught:
        run_study(folder / "study.toml", progress=False)
    text = caught.value.text("en")
    assert register.name in text
    assert "streets.osm.pbf" in text
    assert {path: path.read_bytes() for path in good.files} == before


def test_folders_beside_a_study_that_lies_elsewhere():
    assert Folders.of(Path("x/study.toml")) == Folders(Path("x/processed"), Path("x/maps"))
    # two studies in one folder do not overwrite each other
    assert Folders.of(Path("x/coarse.toml")) == Folders(Path("x/processed/coarse"), Path("x/maps/coarse"))
    raw = Folders.of(Path("p/data/raw/town/coarse.toml"))
    assert raw == Folders(Path("p/data/processed/town/coarse"), Path("p/maps/town/coarse"))


def test_the_map_of_a_service_lists_what_was_found_on_its_streets_and_of_itself(demo):
    one, other = demo.services[0], demo.services[1]
    page = next(file for file in demo.files if file.name == f"{one.service.id}.html").read_text(encoding="utf-8")
    streets = [fault.zh for fault in demo.faults if fault.code in ("fragment", "islet")]
    assert streets
    assert [text for text in (*streets, *(fault.zh for fault in one.faults)) if str(escape(text)) not in page] == []
    # what was found of another service stays on its own map
    elsewhere = {fault.zh for fault in other.faults} - {fault.zh for fault in (*one.faults, *demo.study.faults)}
    assert elsewhere
    assert [text for text in elsewhere if str(escape(text)) in page] == []


def test_people_who_cannot_be_judged_are_told_by_cause():
    cut = SimpleNamespace(cell_ids=pd.RangeIndex(4), cell_fault=np.array(["barrier", "islet", "", "islet"]), mode=WHEELCHAIR)
    people = pd.Series([10.4, 2.3, 50.0, 2.3])
    # 10.4 and 4.6 make 15, of which the larger remainder is rounded up
    assert unjudged_text(cut, people, 15, "zh") == (
        "15 人无法判断（10 人被围墙、水面等阻隔，5 人所在道路与主路网不连通（轮椅出行不走台阶和陡坡））"
    )
    walled = SimpleNamespace(**(vars(cut) | {"cell_fault": np.array(["barrier", "", "", ""])}))
    assert unjudged_text(walled, people, 10, "en") == "10 are shut in by walls, water or railways and cannot be judged"
    assert unjudged_text(walled, people / 10, 1, "en") == "1 is shut in by walls, water or railways and cannot be judged"
    assert unjudged_text(walled, people * 0, 0, "zh") == "0 人无法判断"
