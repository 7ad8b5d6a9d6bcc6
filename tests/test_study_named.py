"""What is told of the study file names it as it is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_study import made_study

from careshed.cli.steps import study_words
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
