"""Test on real input: the study of Porto Alegre under `benchmarks/`, and that the benchmarks measure what they say."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))  # last: benchmarks/access.py is not PySAL's access

import contenders
import porto_alegre
import reach
import synthetic
from verdicts import Verdicts, data_folder

DATA = data_folder("porto_alegre")
needs_data = pytest.mark.skipif(
    DATA is None or find_spec("h3") is None,
    reason="porto_alegre is neither under ../shared/data nor under $CARESHED_DATA, or the package h3 is not installed",
)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    study = porto_alegre.write_study(DATA, tmp_path_factory.mktemp("study") / "porto_alegre")
    return porto_alegre.seconds_to_map(study)[1]


@pytest.fixture(scope="module")
def islets():
    return porto_alegre.count_islets(DATA)


@needs_data
def test_nobody_of_porto_alegre_is_lost(result):
    # Counted in poa_hexgrid.csv: 812,935 people in 1,124 of 1,227 cells, 117 cells with health posts, 177 with schools.
    service = result.services[0]
    assert float(result.study.cells["total"].sum()) == 812_935.0
    assert (len(result.study.cells), len(service.times.facilities), len(service.options.facilities)) == (1124, 117, 177)
    whole = service.covered.loc[["ALL"]]
    assert set(whole["people"]) == {812_935.0}
    assert (whole["covered"].diff().dropna() > 0).all()


@needs_data
def test_people_on_islets_equal_an_independent_count(result, islets):
    people, cells = porto_alegre.listed_islets(result, DATA)
    assert (people, cells) == (islets.without, islets.cells)
    assert people > 0
    unjudged = result.services[0].covered.loc[["ALL"], "unjudged"]
    assert set(unjudged) == {islets.without + islets.far}


@needs_data
def test_about_1200_people_live_on_islets_of_which_one_has_a_health_post(islets):
    assert 1100 <= islets.in_all <= 1300
    assert islets.without < islets.in_all


@needs_data
def test_the_map_stands_and_says_that_the_grid_has_counts_and_no_points(result):
    page = next(file for file in result.files if file.suffix == ".html").read_text(encoding="utf-8")
    assert "counts per cell, no positions of people" in page
    assert "OpenStreetMap contributors (ODbL); population IBGE" in page


@needs_data
def test_the_study_is_judged_without_a_failure(result, capsys):
    verdicts = Verdicts()
    porto_alegre.judge(result, DATA, verdicts)
    assert verdicts.exit_code() == 0
    assert "FAIL" not in capsys.readouterr().out


def test_without_the_data_the_study_is_skipped_with_the_reason(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CARESHED_DATA", str(tmp_path))
    assert porto_alegre.main([]) == 0
    assert capsys.readouterr().out.startswith("SKIP Porto Alegre: the folder porto_alegre is neither under")


@pytest.mark.parametrize(
    ("tags", "open_to_walkers"),
    [
        ({"highway": "residential"}, True),
        ({"highway": "cycleway"}, False),
        ({"highway": "cycleway", "foot": "designated"}, True),
        ({"highway": "trunk", "motorroad": "yes"}, False),
        ({"highway": "service", "access": "private"}, True),
        ({"highway": "footway", "foot": "private"}, False),
        ({"highway": "track", "access": "forestry"}, False),
        ({"highway": "construction"}, False),
    ],
)
def test_the_second_copy_of_the_walking_filter_follows_the_documentation(tags, open_to_walkers):
    assert porto_alegre.may_walk(tags) is open_to_walkers


def test_a_limit_that_is_not_kept_fails_the_benchmark(capsys):
    verdicts = Verdicts()
    assert verdicts.at_most("ratio", 1.3, 1.3)
    assert verdicts.exit_code() == 0
    assert not verdicts.at_most("ratio", 1.31, 1.3)
    assert not verdicts.at_least("scipy", 4.9, 5.0)
    assert not verdicts.equal("nodes", 3, 4)
    assert verdicts.exit_code() == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[0] for line in told] == ["PASS", "FAIL", "FAIL", "FAIL", "3"]
    assert told[1] == "FAIL ratio: 1.31 <= 1.3"


def test_the_synthetic_town_is_road_like_and_the_same_every_time():
    graph, again = synthetic.road_like(10_000), synthetic.road_like(10_000)
    assert len(graph.x) == 10_000
    assert 2.7 <= len(graph.arcs.arc) / 10_000 <= 2.9
    assert 66.0 <= float((graph.arcs.arc >> np.uint64(32)).mean()) / 1000.0 <= 68.0
    assert (graph.arcs.arc == again.arcs.arc).all()


@pytest.fixture(scope="module")
def small():
    graph = synthetic.road_like(2_500)
    return contenders.Input(graph.arcs.ptr, graph.arcs.arc, graph.x, graph.y, 400_000)


@pytest.mark.parametrize("name", ["scipy", "scipy, rows", "NetworkX"])
def test_the_peers_find_what_careshed_finds(small, name):
    sources = contenders.sources_of(small.nodes, 300)
    own, theirs = (contenders.CONTENDERS[who](small) for who in ("careshed", name))
    mine, other = own.tell(own.run(sources)), theirs.tell(theirs.run(sources))
    assert mine.per_source.tolist() == other.per_source.tolist()
    assert mine.total_mm == other.total_mm
    assert mine.per_source.max() > 20


@pytest.mark.skipif(
    shutil.which("gcc") is None or contenders.shared_file(contenders.C_SOURCE) is None,
    reason="no gcc, or no limit.c beside the data",
)
def test_the_c_loop_finds_what_careshed_finds_up_to_its_rounding(small):
    sources = contenders.sources_of(small.nodes, 300)
    c = contenders.CONTENDERS["C"](small)
    found = c.tell(c.run(sources)).per_source
    low, high = (reach._found(small._replace(limit_mm=400_000 + by), sources).per_source for by in (-10, 10))
    assert ((low <= found) & (found <= high)).all()


def test_memory_for_dense_rows_would_fail_the_benchmark():
    # 20,000 sources of 500 nodes each on a million nodes with 2.8 arcs: dense rows of four bytes are 80 GB.
    assert reach.most_memory_mb(10_000_000, 1_000_000, 2_800_000) < 1_000.0
    # 1,000 sources on 20,000 nodes: 80 MB dense.
    assert reach.most_memory_mb(500_000, 20_000, 55_000) < 80.0
