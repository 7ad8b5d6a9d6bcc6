"""A study whose streets are fetched by the name of a place or an outline, kept beside it, and used offline ever after."""

from __future__ import annotations

import gzip
import re
import socket

import geopandas as gpd
import osmnx
import pytest
import shapely
from shapely.geometry import LineString
from test_streets_online import StandIn, as_file, distances, nominatim_answer, servers  # noqa: F401
from test_study import STREETS, errors, made_study
from typer.testing import CliRunner

from careshed.cli import app
from careshed.intake.streets import read_streets
from careshed.intake.streets.keeping import keep_streets, kept_on
from careshed.modes import CAR, WALK_ADULT
from careshed.run.manifest import input_files
from careshed.schema import InputError
from careshed.settings.config import Config
from careshed.study import open_study
from careshed.study.fetching import CACHE

DAY = {"osm3s": {"timestamp_osm_base": "2026-05-04T03:02:01Z"}}
TOWN = shapely.box(121.495, 31.19, 121.515, 31.205)
FILE = 'file = "streets.osm"'
PLACE = 'place = "小镇, 上海"'


def answers(stand: StandIn, more=DAY):
    """Let the stand-in know the small study's street."""
    nodes = re.findall(r'<node id="(\d)" lat="([\d.]+)" lon="([\d.]+)"/>', STREETS)
    elements = [{"type": "node", "id": int(n), "lat": float(y), "lon": float(x)} for n, y, x in nodes]
    elements.append({"type": "way", "id": 9, "nodes": [1, 2, 3], "tags": {"highway": "residential"}})
    stand.overpass = (200, {"elements": elements, **more})
    stand.nominatim = (200, nominatim_answer(TOWN))
    return stand


@pytest.fixture
def town(servers: StandIn):  # noqa: F811
    return answers(servers)


def unplugged(monkeypatch):
    """Point OSMnx at a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in ("overpass_url", "nominatim_url"):
        monkeypatch.setattr(osmnx.settings, name, f"http://127.0.0.1:{port}/")


def kept(study):
    return next(fault for fault in study.faults if fault.code == "streets_kept")


def test_a_place_is_fetched_once_and_its_copy_used_without_the_network(town, tmp_path, monkeypatch):
    own = open_study(made_study(tmp_path))
    first = open_study(made_study(tmp_path, (FILE, PLACE)))
    assert distances(first.streets) == distances(own.streets)
    asked = len(town.asked)
    unplugged(monkeypatch)
    again = open_study(tmp_path)
    assert len(town.asked) == asked
    assert again.faults == first.faults
    (copy,) = (tmp_path / CACHE).iterdir()
    assert copy.name.startswith("小镇_上海-")
    assert again.config.streets.file == f"{CACHE}/{copy.name}"
    assert f"{CACHE}/{copy.name}" in input_files(again)
    told = kept(again)
    assert told.text("en") == (
        f"streets of 小镇, 上海 from OpenStreetMap, data of 2026-05-04, from the kept copy. "
        f"Delete {CACHE}/{copy.name} and open the study online for newer ones. © OpenStreetMap contributors, ODbL."
    )
    assert told.text("zh").startswith("道路取自 OpenStreetMap（小镇, 上海），数据日期 2026-05-04，使用已保存的副本")


def test_offline_without_a_copy_says_what_would_do_together_with_all_else(tmp_path, monkeypatch):
    unplugged(monkeypatch)
    path = made_study(tmp_path, (FILE, PLACE), ("total.tif", "totl.tif"))
    told = errors(path)
    assert told[0].startswith("小镇, 上海: the servers of OpenStreetMap cannot be reached")
    assert (
        "name it as `file` under [streets]; or open the study on a computer that is online and copy street-cache/小镇" in told[0]
    )
    assert "totl.tif: the file does not exist" in told[1]
    assert "在能上网的电脑上打开本研究，再把 street-cache/小镇_上海-" in errors(path, "zh")[0]
    assert not (tmp_path / CACHE).exists()


def test_an_outline_is_fetched_and_fetched_anew_when_it_changes(town, tmp_path):
    def outlined(shape):
        gpd.GeoDataFrame({"name": ["x"]}, geometry=[shape], crs=4326).to_crs(32651).to_file(tmp_path / "outline.geojson")
        return open_study(made_study(tmp_path, (FILE, 'polygon = "outline.geojson"')))

    first = outlined(TOWN)
    assert len(first.streets.ways) == 1
    assert {"outline.geojson", first.config.streets.file} <= input_files(first)
    assert kept(first).file == first.config.streets.file
    asked = len(town.asked)
    outlined(TOWN)
    assert len(town.asked) == asked
    assert outlined(TOWN.buffer(0.001)).config.streets.file != first.config.streets.file
    assert len(town.asked) > asked
    with pytest.raises(InputError) as caught:
        outlined(LineString([(121.5, 31.19), (121.51, 31.2)]))
    assert any(fault.text("zh").startswith("范围须为面") for fault in caught.value.faults)
    assert any(fault.text("en").startswith("the outline must be an area") for fault in caught.value.faults)


def test_a_place_that_is_not_known_keeps_its_own_cure(town, tmp_path):
    town.nominatim = (200, [])
    (told,) = errors(made_study(tmp_path, (FILE, PLACE)))
    assert told.startswith("小镇, 上海: no such place is known")
    assert CACHE not in told


@pytest.mark.parametrize("named", ["", f"{FILE}\n{PLACE}"])
def test_streets_have_one_origin(tmp_path, named):
    (told,) = errors(made_study(tmp_path, (FILE, named)))
    assert told.startswith("study.toml: [streets]: needs exactly one of file, place, polygon")
    assert "应在 file, place, polygon 中写且只写一个" in errors(tmp_path / "study.toml", "zh")[0]


@pytest.mark.usefixtures("servers")
def test_a_kept_file_is_travelled_as_the_fetched_streets_barriers_and_gates_included(tmp_path):
    copy = keep_streets("Town", tmp_path / "a" / "town.osm.gz")
    read, filed = read_streets(copy).table, read_streets(as_file(tmp_path)).table
    for mode in (WALK_ADULT, CAR):
        assert distances(read, mode) == distances(filed, mode)
    assert read.barriers.count() == filed.barriers.count()
    assert kept_on(copy) == ""  # this stand-in states no day
    assert keep_streets("Town", tmp_path / "b.osm.gz").read_bytes() == copy.read_bytes()
    assert [path.name for path in copy.parent.iterdir()] == ["town.osm.gz"]
    assert gzip.decompress(copy.read_bytes()) == keep_streets("Town", tmp_path / "b.osm").read_bytes()
    with pytest.raises(ValueError, match=r"c.graphml: fetched streets are written as .osm, .osm.gz  只写这些后缀"):
        keep_streets("Town", tmp_path / "c.graphml")


def test_hostile_names_of_streets_stay_text(servers, tmp_path):  # noqa: F811
    name = "\"<a&b>' 路"
    nodes = [{"type": "node", "id": n, "lon": 116 + n / 1000, "lat": 39.0} for n in (1, 2)]
    way = {"type": "way", "id": 5, "nodes": [1, 2], "tags": {"highway": "residential", "name": name}}
    servers.overpass = (200, {"elements": [*nodes, way]})
    assert read_streets(keep_streets("Town", tmp_path / "a.osm")).table.ways["name"].tolist() == [name]


def test_a_damaged_copy_has_no_day(tmp_path):
    (tmp_path / "a.osm.gz").write_bytes(b"no gzip")
    (tmp_path / "b.osm.gz").write_bytes(gzip.compress(b"x" * 5000)[:12])
    assert [kept_on(tmp_path / name) for name in ("a.osm.gz", "b.osm.gz")] == ["", ""]


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_fetches_streets_for_use_offline(town, tmp_path):
    told = invoke("fetch-streets", "小镇", "-o", tmp_path / "s.osm.gz", "--lang", "en")
    assert "data of 2026-05-04" in told
    assert "© OpenStreetMap contributors" in told
    gpd.GeoDataFrame(geometry=[TOWN], crs=4326).to_file(tmp_path / "o.gpkg")
    told = invoke("fetch-streets", tmp_path / "o.gpkg", "--polygon", "-o", tmp_path / "deep" / "s.graphml")
    assert "s.graphml  © OpenStreetMap contributors, ODbL" in told
    fetched, graph = (read_streets(tmp_path / name).table for name in ("s.osm.gz", "deep/s.graphml"))
    assert distances(fetched) == distances(graph)
    answers(town, {})
    assert "数据日期：未知" in invoke("fetch-streets", "小镇", "-o", tmp_path / "t.osm")


def test_streets_need_no_file_in_the_settings():
    assert Config.model_fields["streets"].annotation(place="x").sources == ("place",)
