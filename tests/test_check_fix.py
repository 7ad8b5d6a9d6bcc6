"""Repairs: what cannot be repaired safely stays, and the log says why."""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook, load_workbook

from careshed.check import Fix
from careshed.check.case import Source
from careshed.report.check_fix import FixResult, Private, _as_held, _repaired, fix_words

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
    # GB18030 stays GB18030
    assert content.decode("gb18030").splitlines() == ["登记表,,", "编号,开业,停业", "甲,2012,2022"]


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


PERSONS = Private(("联系人", "联系电话"), frozenset({4}))


def test_no_copy_of_a_text_table_holds_what_concerns_persons(tmp_path: Path) -> None:
    text = "编号,开业,停业,联系人,联系电话\n甲,1,2,王某,13800138000\n乙,2022,2012,李某,0349-2022333\n填表 13800138000,,,,\n"
    content, why = _repaired(text_source(tmp_path / "a.csv", text.encode()), [SWAP], PERSONS)
    assert why == [""]
    assert content is not None
    assert content.decode("utf-8-sig").splitlines() == [
        "编号,开业,停业,联系人,联系电话", "甲,1,2,,", "乙,2012,2022,,", "填表,,,,",
    ]  # fmt: skip


def test_no_copy_of_a_workbook_holds_what_concerns_persons(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["编号", "开业", "停业", "联系人", "联系电话"],
        ["甲", 1, 2, "王某", 13800138000],
        ["乙", 2022, 2012, "李某", "0349-2022333"],
        ["填表 13800138000"],
    ]
    content, why = _repaired(book_source(tmp_path / "a.xlsx", rows), [SWAP], PERSONS)
    assert why == [""]
    assert content is not None
    (tmp_path / "b.xlsx").write_bytes(content)
    page = load_workbook(tmp_path / "b.xlsx")["S"]
    assert [[cell.value for cell in row] for row in page.iter_rows(min_row=2)] == [
        ["甲", 1, 2, None, None], ["乙", 2012, 2022, None, None], ["填表", None, None, None, None],
    ]  # fmt: skip


def test_a_column_of_persons_that_cannot_be_found_keeps_the_copy_from_being_written(tmp_path: Path) -> None:
    private = Private(("负责人 联系电话",))
    text = "编号,开业,停业,负责人\n,,,联系电话\n乙,2022,2012,13800138000\n"
    assert _repaired(text_source(tmp_path / "a.csv", text.encode()), [SWAP], private) == (None, ["private"])
    book = book_source(tmp_path / "a.xlsx", [["编号", "开业", "停业"], ["甲", 1, 2], ["乙", 2022, 2012]])
    assert _repaired(book, [SWAP], private) == (None, ["private"])


def test_the_log_shows_cells_as_the_file_holds_them() -> None:
    rows: list[list[object]] = [["编号", "开业", "停业", "联系人"], ["A1", "x", "", "王某"], ["A2", 45047, "2012年", "李某"]]
    held = _as_held(SWAP, rows, PERSONS)
    # a date kept as a serial number is shown as the number; the year it means is in the finding
    assert (held.before, held.after) == (("45047", "2012年"), ("2012年", "45047"))
    gone = _as_held(GONE, rows, PERSONS)
    assert (gone.columns, gone.before) == (("编号", "开业"), ("A1", "x"))
    assert _as_held(FILL, rows, PERSONS) == FILL


def test_what_was_written_is_told_with_what_to_do_next(tmp_path: Path) -> None:
    copy, log = tmp_path / "a.fixed.csv", tmp_path / "fixes.csv"
    assert fix_words(FixResult((copy,), log, 2), "s6.toml", "zh") == (
        f"→ {copy}",
        f"→ {log}",
        "共修正 2 处；原文件未改动。核对后请把 s6.toml 中相应的 file = 改为副本的文件名，再运行 check。",
    )
    assert fix_words(FixResult((), log, 0), "s6.toml", "en") == (f"→ {log}",)
    assert fix_words(FixResult((), None, 0), "s6.toml", "en") == ("nothing that can be mended safely",)
