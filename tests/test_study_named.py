"""What is told of the study file names it as it is called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from test_study import ELDERS, made_study
from typer.testing import CliRunner

from careshed.cli import app
from careshed.cli.steps import study_words
from careshed.intake.coordinates import likely_systems
from careshed.schema import InputError
from careshed.study import open_study


def test_notices_name_the_study_file_as_it_is_called(tmp_path: Path) -> None:
    path = made_study(tmp_path).rename(tmp_path / "s6.toml")
    files = {fault.file for fault in open_study(path).faults}
    assert "study.toml" not in files


def test_a_refusal_names_the_study_file_as_it_is_called(tmp_path: Path) -> None:
    path = made_study(tmp_path, ('mode = "older"', 'mode = "odler"')).rename(tmp_path / "s6.toml")
    with pytest.raises(InputError) as caught:
        open_study(path)
    assert {fault.file for fault in caught.value.faults if fault.severity == "error"} == {"s6.toml"}


def test_a_study_says_how_many_facilities_sites_and_units_it_holds(tmp_path: Path) -> None:
    study = open_study(made_study(tmp_path))
    assert study_words(study, "zh") == [
        "设施 4 个",
        "  日间照料：计入 2 个（登记：运营 1、开工 1、储备 1），候选点 2 个",
        "  Meals：计入 0 个（登记：无），候选点 2 个",
        "候选点共 3 个",
        "单元 3 个（县区 1、街道 2）",
    ]
    assert study_words(study, "en")[1] == (
        "  日间照料: 2 count (registered: operating 1, under construction 1, in reserve 1), 2 candidate sites"
    )


def test_metres_without_a_zone_are_told_with_the_systems_of_the_usual_meridians() -> None:
    told = likely_systems(np.array([shapely.Point(512_345.0, 4_352_000.0)], dtype=object))
    assert "114° 为 EPSG:4547" in told[0]
    assert "114° EPSG:4547" in told[1]
    # the stated pair is what the registry says
    assert [pyproj.CRS(f"EPSG:{code}").to_cf()["longitude_of_central_meridian"] for code in (4534, 4546, 4547, 4554)] == [
        75.0, 111.0, 114.0, 135.0,
    ]  # fmt: skip


def test_a_check_that_finds_errors_writes_its_report_and_no_copies(tmp_path: Path) -> None:
    path = made_study(tmp_path)
    (tmp_path / "elders.csv").write_text(ELDERS.replace("121.506,31.198", ","), encoding="utf-8")
    done = CliRunner().invoke(app, ["check", str(path), "--out", str(tmp_path / "c.html"), "--fix", "--lang", "zh"])
    assert done.exit_code == 1
    assert "有读取错误时不写修正副本" in done.output
    assert "除报告外未写出任何文件" in done.output
    assert done.output.startswith("错误 1，存疑 0，提示 ")
    assert sorted(one.name for one in tmp_path.glob("*.fixed*")) == []
