"""Repairs: what cannot be repaired safely stays, and the log says why."""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook, load_workbook

from careshed.check import Fix
from careshed.check.case import Source
from careshed.report.check_fix import _repaired

SWAP = Fix("swap", "a", "S", "3", ("开业", "停业"), ("2022", "2012"), ("2012", "2022"))
GONE = Fix("delete_row", "a", "S", "2", ("编号",), ("A1",), ("",))
FILL = Fix("set", "a", "S", "3", ("单元",), ("",), ("14",))


def text_source(path: Path, content: bytes) -> Source:
    path.write_bytes(content)
    return Source(path, "", {}, {})


def book_source(path: Path, rows: list[list[object]], *, merge: str = "") -> Source:
    book = Workbook()
    page = book.worksheets[0]
    page.title = "S"
    for row in rows:
        page.append(row)
    if merge:
        page.merge_cells(merge)
    book.save(path)
    return Source(path, "S", {}, {})


def test_a_gbk_file_with_a_title_row_keeps_its_other_cells(tmp_path: Path) -> None:
    source = text_source(tmp_path / "a.csv", "登记表,,\n编号,开业,停业\n甲,2022,2012\n".encode("gb18030"))
    content, why = _repaired(source, [SWAP])
    assert why == [""]
    assert content is not None
    assert content.decode("utf-8-sig").splitlines() == ["登记表,,", "编号,开业,停业", "甲,2012,2022"]


def test_a_short_row_is_filled_up(tmp_path: Path) -> None:
    content, why = _repaired(text_source(tmp_path / "a.tsv", "编号\t名称\t单元\nA1\t甲\nA2\t乙\n".encode()), [FILL])
    assert why == [""]
    assert content is not None
    assert content.decode("utf-8-sig").splitlines()[2] == "A2\t乙\t14"


def test_a_header_in_two_rows_and_a_changed_cell_are_left(tmp_path: Path) -> None:
    source = text_source(tmp_path / "a.csv", "编号,开业,年\nA1,1,2\nA2,3,4\n".encode())
    assert _repaired(source, [SWAP]) == (None, ["header"])
    source = text_source(tmp_path / "b.csv", "编号,开业,停业\nA1,2001,2002\nA2,2003,2004\n".encode())
    assert _repaired(source, [SWAP]) == (None, ["changed"])


def test_a_layer_is_not_repaired(tmp_path: Path) -> None:
    assert _repaired(text_source(tmp_path / "a.gpkg", b"x"), [GONE, SWAP]) == (None, ["format", "format"])


def test_rows_deleted_from_a_workbook_do_not_shift_other_repairs(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["编号", "开业", "停业", "单元"],
        ["A1", 1, 2, "x"],
        ["A2", "2022-05-01", 2012, None],
        ["A3", 5, 6, "y"],
    ]
    content, why = _repaired(book_source(tmp_path / "a.xlsx", rows), [GONE, SWAP, FILL])
    assert why == ["", "", ""]
    assert content is not None
    (tmp_path / "b.xlsx").write_bytes(content)
    page = load_workbook(tmp_path / "b.xlsx")["S"]
    assert [[cell.value for cell in row] for row in page.iter_rows()] == [
        ["编号", "开业", "停业", "单元"],
        ["A2", 2012, "2022-05-01", "14"],
        ["A3", 5, 6, "y"],
    ]


def test_a_workbook_that_cannot_be_repaired_safely_is_left(tmp_path: Path) -> None:
    rows: list[list[object]] = [["编号", "开业", "停业"], ["A1", 1, 2], ["A2", 2001, 2012]]
    assert _repaired(book_source(tmp_path / "a.xlsx", rows), [SWAP, FILL]) == (None, ["changed", "header"])
    assert _repaired(book_source(tmp_path / "b.xlsx", rows, merge="A2:A3"), [SWAP]) == (None, ["merged"])
