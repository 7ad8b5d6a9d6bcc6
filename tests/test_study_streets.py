"""The streets of a study: from any layer, with planned changes, and with hills."""

import re
import warnings

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import typer
from affine import Affine
from shapely import LineString
from test_study import LEFT, LOW, UTM, errors, made_study

from careshed.cli import app
from careshed.modes import CAR, WALK_ADULT, WALK_OLDER
from careshed.reach import travel_times
from careshed.reach.mixing import mix_times
from careshed.run import run_study
from careshed.run.manifest import input_files
from careshed.settings.config import load_config
from careshed.study import open_study
from careshed.study.rules import config_faults
from careshed.study.travel import mode_of_cells, modes_of

FIRST, CORNER, LAST = (121.5001, 31.195), (121.509, 31.195), (121.509, 31.2)


def written(folder, name, shapes, **columns):
    gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4490").to_file(folder / name)
    return name


def minutes(study, service="day_care"):
    """Minutes from the cell in the north-west corner to the nearest facility, None where there is no way."""
    times = travel_times(study.network(WALK_OLDER), study.facilities(service), study.cells, limit_min=60)
    return np.where(times.nearest_cost < 0, np.nan, times.nearest_cost / 60_000)


def test_streets_from_a_layer_of_lines_give_the_same_times_as_from_osm(tmp_path):
    own = open_study(made_study(tmp_path))
    written(tmp_path, "roads.gpkg", [LineString([FIRST, CORNER]), LineString([CORNER, LAST])], 道路等级=["支路", "支路"])
    lines = open_study(made_study(tmp_path, ('file = "streets.osm"', 'file = "roads.gpkg"')))
    assert np.allclose(minutes(own), minutes(lines), atol=1e-4, equal_nan=True)
    assert lines.water.empty


def test_the_section_says_how_a_layer_is_read(tmp_path):
    written(tmp_path, "roads.gpkg", [LineString([FIRST, CORNER]), LineString([CORNER, LAST])], jb=["步行街", "人行道"])
    text = 'file = "roads.gpkg"\ntolerance_m = 0\ncrossings = false\n[streets.columns]\nclass = "jb"'
    study = open_study(made_study(tmp_path, ('file = "streets.osm"', text)))
    assert study.streets.ways["highway"].tolist() == ["pedestrian", "footway"]


EDIT = """file = "streets.osm"

[[streets.edits]]
id = "bridge"
file = "planned.gpkg"
on = {}
"""
"""A short cut from the west end of the only street to its north end."""


def planned(tmp_path, on):
    written(tmp_path, "planned.gpkg", [LineString([FIRST, LAST])], 道路等级=["支路"])
    return open_study(made_study(tmp_path, ('file = "streets.osm"', EDIT.format(on))))


def test_a_change_that_is_on_is_part_of_the_streets(tmp_path):
    assert len(planned(tmp_path, "true").streets.ways) == 2


def test_a_change_that_is_off_is_a_question(tmp_path):
    study = planned(tmp_path, "false")
    opened = study.with_streets("bridge")
    assert (len(study.streets.ways), len(opened.streets.ways)) == (1, 2)
    assert (minutes(opened) < minutes(study) - 1).any()
    assert len(opened.with_streets().streets.ways) == 2


def test_a_change_that_is_on_is_not_made_twice(tmp_path):
    assert len(planned(tmp_path, "true").with_streets("bridge").streets.ways) == 2


def test_an_unknown_change_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(ValueError, match=r"no change of streets 'tunnel' in the study; it has: bridge"):
        planned(tmp_path, "false").with_streets("tunnel")


def test_a_change_is_called_after_its_file_where_it_has_no_id(tmp_path):
    written(tmp_path, "planned.gpkg", [LineString([FIRST, LAST])], 道路等级=["支路"])
    study = open_study(made_study(tmp_path, ('file = "streets.osm"', EDIT.format("false").replace('id = "bridge"\n', ""))))
    assert len(study.with_streets("planned").streets.ways) == 2


def test_a_change_whose_file_is_missing_is_told_with_all_else(tmp_path):
    path = made_study(tmp_path, ('file = "streets.osm"', EDIT.format("true")), ("total.tif", "totl.tif"))
    told = errors(path)
    assert any("planned.gpkg: the file does not exist" in text for text in told)
    assert any("totl.tif: the file does not exist" in text for text in told)


def elevated(tmp_path, crs=UTM):
    rows = np.linspace(0, 200, 40)[None, :].repeat(40, axis=0)  # rises to the east, 200 m over 2 km
    how = {"driver": "GTiff", "height": 40, "width": 40, "count": 1, "dtype": "float32", "crs": crs}
    with rasterio.open(tmp_path / "dem.tif", "w", transform=Affine(50, 0, LEFT - 500, 0, -50, LOW + 1500), **how) as file:
        file.write(rows.astype(np.float32), 1)


def test_hills_count_where_the_study_has_heights(tmp_path):
    flat = open_study(made_study(tmp_path))
    elevated(tmp_path)
    hilly = open_study(made_study(tmp_path, ("[population.rasters]", '[elevation]\nfile = "dem.tif"\n\n[population.rasters]')))
    up, down = (hilly.network(WALK_ADULT).time.edge_f, hilly.network(WALK_ADULT).time.edge_b)
    assert not np.array_equal(up, down)
    assert not np.allclose(minutes(flat), minutes(hilly), equal_nan=True)
    assert {"dem.tif", "streets.osm"} <= input_files(hilly)


def test_heights_that_miss_the_study_are_refused_and_those_of_a_part_say_whom_they_lack(tmp_path):
    change = ("[population.rasters]", '[elevation]\nfile = "dem.tif"\n\n[population.rasters]')
    elevated(tmp_path)
    whole = open_study(made_study(tmp_path, change))
    assert "people_no_heights" not in {fault.code for fault in whole.faults}
    x = whole.cells.geometry.x.to_numpy()
    middle = float(np.median(x))

    def cut(left, width):
        how = {"driver": "GTiff", "height": 40, "width": width, "count": 1, "dtype": "float32", "crs": UTM}
        with rasterio.open(tmp_path / "dem.tif", "w", transform=Affine(50, 0, left, 0, -50, LOW + 1500), **how) as file:
            file.write(np.zeros((40, width), dtype=np.float32), 1)

    cut(middle + 30, 40)
    (told,) = (fault for fault in open_study(made_study(tmp_path, change)).faults if fault.code == "people_no_heights")
    # a pixel's centre holds for its half beyond: points up to half a pixel outside the raster have none
    assert told.people == pytest.approx(float(whole.cells["total"][x < middle + 5].sum()))
    cut(LEFT + 100_000, 40)
    (line,) = (text for text in errors(made_study(tmp_path, change)) if "do not touch the study area" in text)
    assert "the heights (" in line
    assert "check crs in [elevation]" in line


def test_heights_without_a_coordinate_system_are_refused_and_can_be_stated(tmp_path):
    elevated(tmp_path, crs=None)
    section = '[elevation]\nfile = "dem.tif"\n{}\n[population.rasters]'
    told = errors(made_study(tmp_path, ("[population.rasters]", section.format(""))))
    assert [text for text in told if "states no coordinate system" in text]
    stated = made_study(tmp_path, ("[population.rasters]", section.format(f'crs = "{UTM}"\n')))
    assert open_study(stated).elevation is not None


def test_how_high_people_live_is_told_and_zeros_where_others_live_high(tmp_path):
    change = ("[population.rasters]", '[elevation]\nfile = "dem.tif"\n\n[population.rasters]')
    elevated(tmp_path)
    told = {fault.code: fault for fault in open_study(made_study(tmp_path, change)).faults}
    assert "heights_zero" not in told
    assert "米。单位不对时" in told["heights_range"].text("zh")
    with rasterio.open(tmp_path / "dem.tif", "r+") as file:
        values = file.read(1) + 50
        values[:, :20] = 0  # a hole that is no declared nodata
        file.write(values, 1)
    zero = next(fault for fault in open_study(made_study(tmp_path, change)).faults if fault.code == "heights_zero")
    assert zero.people > 0
    assert "nodata value to 0" in zero.text("en")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            "[modes.older]\nsignal_s = 30",
            "[modes.older] signal_s: the streets have no signals that count for it: it changes nothing",
        ),
        ("[modes.older]\nmax_slope = 0.1", "[modes.older] max_slope: there is no [elevation], and the streets have no slopes"),
        ('[modes.older]\nhills = "none"', "[modes.older] hills: there is no [elevation]: it changes nothing"),
        ("[modes.cycle]\nspeed_kmh = 14", "[modes.cycle]: no service travels by this mode: it changes nothing"),
    ],
)
def test_a_figure_that_changes_nothing_is_told(tmp_path, section, said):
    study = open_study(made_study(tmp_path, ("[streets]", f"{section}\n\n[streets]")))
    assert [text for fault in study.faults if said in (text := fault.text("en"))]
    assert "figure_idle" not in {fault.code for fault in open_study(made_study(tmp_path)).faults}


def test_slopes_can_be_switched_off_for_a_mode(tmp_path):
    elevated(tmp_path)
    text = '[modes.adult]\nhills = "none"\n\n[elevation]\nfile = "dem.tif"\n\n[population.rasters]'
    level = open_study(made_study(tmp_path, ("[population.rasters]", text)))
    network = level.network(level.travel_mode("adult"))
    assert np.array_equal(network.time.edge_f, network.time.edge_b)


def test_nobody_walks_by_the_speed_limit_or_as_fast_as_a_car(tmp_path):
    (share,) = mode_faults(tmp_path, "[modes.older]\nmaxspeed_share = 0.8")
    assert "[modes.older] maxspeed_share: is for cars alone" in share
    (fast,) = mode_faults(tmp_path, "[modes.e_bike]\nspeed_kmh = 60")
    assert "[modes.e_bike] speed_kmh: must be at most 30 (km/h) (found '60')" in fast
    (car,) = mode_faults(tmp_path, "[modes.car]\nspeed_kmh = 40")  # told at once, and not first to write 30
    assert "cars go by the class of street" in car


def test_a_planned_layer_without_a_system_is_cured_in_its_own_section(tmp_path):
    path = made_study(tmp_path, ('file = "streets.osm"', EDIT.format("true")))
    bare = gpd.GeoDataFrame({"id": [1]}, geometry=[LineString([(500000, 4400000), (500100, 4400000)])])
    with warnings.catch_warnings():  # of a layer written without a system
        warnings.simplefilter("ignore")
        bare.to_file(tmp_path / "planned.gpkg")
    (line,) = (text for text in errors(path) if "planned.gpkg" in text)
    assert "State crs in [[streets.edits]] of the study" in line


def test_a_mode_takes_its_figures_from_the_study(tmp_path):
    text = "[modes.car]\nsignal_s = 20\n[modes.car.speeds_kmh]\nresidential = 18\n\n[modes.older]\nmax_slope = 0.1\n\n[map]"
    text = text.replace("\n\n[map]", "\n\n[streets]")
    study = open_study(made_study(tmp_path, ("[streets]", text)))
    car, older = study.travel_mode("car"), study.travel_mode("older")
    assert (car.signal_s, car.speed_on("residential"), car.speed_on("primary")) == (20, 18, 65)
    assert (older.max_slope, older.speed_kmh) == (0.1, 3.6)
    own = [figure.en for figure in car.figures if figure.name in ("signal_s", "speeds_kmh")]
    assert own == ["set in the study", "set in the study"]


def test_figures_that_no_mode_can_have_are_refused(tmp_path):
    told = errors(made_study(tmp_path, ("[streets]", "[modes.car.speeds_kmh]\nresidential = 300\n\n[streets]")))
    assert any("must be at most 130" in text for text in told)


def mode_faults(tmp_path, section, lang="en"):
    path = made_study(tmp_path, ("[streets]", f"{section}\n\n[streets]"))
    return [fault.text(lang) for fault in config_faults(path, load_config(path))]


def test_a_single_speed_for_cars_is_refused_as_no_street_would_go_by_it(tmp_path):
    (told,) = mode_faults(tmp_path, "[modes.car]\nspeed_kmh = 3")
    assert "[modes.car] speed_kmh: cars go by the class of street, so that this has no effect (found '3')" in told
    assert "speeds_kmh = { primary = 65, secondary = 55, tertiary = 40, residential = 25 }" in told
    assert "不起作用" in mode_faults(tmp_path, "[modes.car]\nspeed_kmh = 3", "zh")[0]


def test_a_speed_for_a_class_that_does_not_exist_is_refused_with_those_that_do(tmp_path):
    (told,) = mode_faults(tmp_path, "[modes.car]\nspeeds_kmh = { residental = 3 }")
    assert "no class of street (found 'residental'). Did you mean residential? Known: motorway," in told
    assert "主干路" in told
    (twice,) = mode_faults(tmp_path, '[modes.car]\nspeeds_kmh = { "支路" = 20, tertiary = 30 }')
    assert "two different speeds for the class tertiary" in twice


def test_a_class_of_street_may_be_written_in_chinese(tmp_path):
    study = open_study(made_study(tmp_path, ("[streets]", '[modes.car]\nspeeds_kmh = { "主干路" = 33 }\n\n[streets]')))
    assert study.travel_mode("car").speed_on("primary") == 33


def test_no_help_text_is_swallowed_as_markup():
    command = typer.main.get_command(app)
    shown = [one.help or "" for one in command.commands.values()]
    shown += [getattr(option, "help", "") or "" for one in command.commands.values() for option in one.params]
    assert len(shown) > 100
    assert [text for text in shown if re.search(r"\[[a-z/\[]", text)] == []


def test_the_command_compares_a_town_with_and_without_a_planned_street(tmp_path, capsys):
    planned(tmp_path, "false")
    command = [
        "compare-runs",
        str(tmp_path / "study.toml"),
        "-s",
        "day_care",
        "--streets",
        "bridge",
        "-o",
        str(tmp_path / "c.csv"),
    ]
    app(command, standalone_mode=False)
    assert "come within 15 minutes" in capsys.readouterr().out
    with pytest.raises(ValueError, match="it has: bridge"):
        app([*command[:5], "tunnel", *command[6:]], standalone_mode=False)


BY_SCOPE = ('mode = "older"', 'mode = "older"\nmode_by = {{ {} }}')


def by_scope(tmp_path, text):
    return made_study(tmp_path, (BY_SCOPE[0], BY_SCOPE[1].format(text)))


def test_people_of_a_scope_travel_by_its_mode(tmp_path):
    study = open_study(by_scope(tmp_path, 'street = "car"'))
    plain = open_study(made_study(tmp_path))
    on_foot, by_car = (
        travel_times(plain.network(mode), plain.facilities("day_care"), plain.cells, limit_min=60) for mode in (WALK_OLDER, CAR)
    )
    mixed = study.times("day_care", study.facilities("day_care"), limit_min=60)
    driven = study.cells["unit"].isin(["s1", "s2"]).to_numpy()
    assert driven.any()
    assert not driven.all()
    assert np.array_equal(mixed.nearest_cost, np.where(driven, by_car.nearest_cost, on_foot.nearest_cost))
    assert mixed.mode.zh == "老年人步行（其他）／小汽车（街道）"
    for row in range(len(mixed.facilities)):
        told = {int(cell): int(cost) for cell, cost in zip(*(values[mixed.indptr[row] : mixed.indptr[row + 1]] for values in
                (mixed.indices, mixed.cost)), strict=True)}  # fmt: skip
        own = {}
        for part, mine in ((on_foot, ~driven), (by_car, driven)):
            span = slice(part.indptr[row], part.indptr[row + 1])
            own |= {int(c): int(v) for c, v in zip(part.indices[span], part.cost[span], strict=True) if mine[c]}
        assert told == own


def test_a_unit_goes_by_its_level_then_its_setting_then_the_unit_above(tmp_path):
    study = open_study(by_scope(tmp_path, 'rural = "car", county = "cycle"'))
    study.units["setting"] = ["", "rural", "urban"]
    names = list(modes_of(study, study.service("day_care")))
    by_unit = dict(zip(study.cells["unit"], (names[at] for at in mode_of_cells(study, study.service("day_care"))), strict=True))
    assert by_unit == {"s1": "car", "s2": "cycle", "c": "cycle"}


def test_words_that_name_no_scope_or_mode_are_refused(tmp_path):
    told = errors(by_scope(tmp_path, 'countryside = "car", rural = "horse"'))
    assert any("[[service]] 1: mode_by: must be a level of unit, urban or rural (found 'countryside')" in text for text in told)
    assert any("[[service]] 1: mode_by.rural: unknown mode (found 'horse')" in text for text in told)


def test_matrices_that_do_not_fit_are_not_mixed(tmp_path):
    study = open_study(made_study(tmp_path))
    first = study.times("day_care", study.facilities("day_care"), limit_min=60)
    shorter = study.times("day_care", study.facilities("day_care"), limit_min=30)
    with pytest.raises(ValueError, match="differ in facilities, cells, metric, limit or direction"):
        mix_times([first, shorter], np.zeros(len(study.cells), dtype=np.int64))
    with pytest.raises(ValueError, match=r"every one of \d+ cells must name one of 2 matrices"):
        mix_times([first, first], np.full(len(study.cells), 2))


def test_a_run_by_two_modes_says_so_on_its_map(tmp_path):
    path = by_scope(tmp_path, 'street = "car"')
    run_study(path, progress=False, only=["day_care"])
    page = (tmp_path / "maps" / "day_care.html").read_text(encoding="utf-8")
    assert "Who can reach" in page
    assert "Who can walk" not in page
    assert "car, 10 to 90 km/h by class of street" in page
