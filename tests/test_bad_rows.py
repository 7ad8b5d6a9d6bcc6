"""Rows that cannot be used: the study is refused by default, and leaves them out, each told, where it says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_study import ELDERS, SITES, errors, made_study

from careshed.intake import read_facilities
from careshed.schema import InputError
from careshed.study import open_study

OPTION = 'To leave out the rows in error instead, write bad_rows = "leave_out" in the section of this file.'
REGISTER = '[[facilities]]\nfile = "elders.csv"\n'


def spoilt(folder: Path, *changes: tuple[str, str]) -> Path:
    """Spoil two rows of the register: A2 has no coordinates, A3 lies at (0, 0)."""
    path = made_study(folder, *changes)
    text = ELDERS.replace("121.506,31.198", ",").replace("121.506,31.197", "0,0")
    (folder / "elders.csv").write_text(text, encoding="utf-8")
    return path


def test_the_refusal_names_the_option_once(tmp_path: Path) -> None:
    told = errors(spoilt(tmp_path))
    assert [text.split(".csv: ")[1][:5] for text in told] == ["row 3", "row 4"]
    assert [OPTION in text for text in told] == [True, False]
    assert 'bad_rows = "leave_out"。' in errors(tmp_path / "study.toml", "zh")[0]


def test_a_study_that_says_so_leaves_the_rows_out_and_tells_each(tmp_path: Path) -> None:
    study = open_study(spoilt(tmp_path, (REGISTER, REGISTER + 'bad_rows = "leave_out"\n')))
    assert study.facility_table.index.tolist() == ["A1", "A4"]
    told = [(fault.row, fault.severity, fault.en) for fault in study.faults if fault.file == "elders.csv" and fault.row in "34"]
    assert ("3", "dropped", "has no coordinates; the row is left out (bad_rows)") in told
    assert ("4", "dropped", "lies at (0, 0); the row is left out (bad_rows)") in told
    assert not [severity for _, severity, _ in told if severity == "error"]


def test_sites_are_left_out_likewise(tmp_path: Path) -> None:
    path = made_study(tmp_path, ('file = "sites.csv"\n', 'file = "sites.csv"\nbad_rows = "leave_out"\n'))
    (tmp_path / "sites.csv").write_text(SITES.replace("121.503,31.196", ","), encoding="utf-8")
    assert open_study(path).candidate_table.index.tolist() == ["C2", "C3"]


def register(folder: Path, *rows: str) -> Path:
    file = folder / "a.csv"
    file.write_text("\n".join(["编号,名称,类型,经度,纬度,床位数", *rows]), encoding="utf-8")
    return file


def read(file: Path) -> object:
    return read_facilities(file, crs_out="EPSG:32651", crs="EPSG:4326", datum="WGS-84", leave_out=True)


def test_an_id_that_occurs_again_stays_with_its_first_row(tmp_path: Path) -> None:
    checked = read(register(tmp_path, "A1,甲,站,121.5,31.2,30", "A1,乙,站,121.5,31.2,40", "A2,丙,站,121.5,31.2,多"))
    assert checked.table["name"].tolist() == ["甲"]  # type: ignore[attr-defined]
    dropped = [(fault.row, fault.code) for fault in checked.faults if fault.severity == "dropped"]  # type: ignore[attr-defined]
    assert dropped == [("3", "duplicate_id"), ("4", "not_a_number")]


def test_a_file_of_which_no_row_can_be_used_is_refused_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no coordinates"):
        read(register(tmp_path, "A1,甲,站,,,30"))


def test_what_is_wrong_with_the_whole_file_is_refused_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("编号,名称,类型\nA1,甲,站\n", encoding="utf-8")
    with pytest.raises(InputError, match="column 'lon' is missing"):
        read(file)
