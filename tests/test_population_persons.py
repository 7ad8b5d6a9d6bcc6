"""Persons are kept out: lists of them are refused, contact columns of registers are dropped."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careshed.intake.personal import is_citizen_number, is_mobile, is_telephone
from careshed.intake.population import contact_columns, drop_contacts, read_population_table
from careshed.schema import InputError

GOOD_ID = "11010519491231002X"
"""The number that GB 11643 itself gives as an example."""


def refused(folder: Path, text: str) -> str:
    file = folder / "t.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_population_table(file, crs_out="EPSG:32651", crs="EPSG:4326", datum="WGS-84")
    assert {fault.code for fault in caught.value.faults} == {"table_of_persons"}
    return caught.value.text("en") + caught.value.text("zh")


def test_a_citizens_number_needs_birthday_and_check_character() -> None:
    assert is_citizen_number(GOOD_ID)
    assert is_citizen_number("身份证：１１０１０５１９４９１２３１００２ｘ")
    # the same with another check character, a 13th month
    assert not any(map(is_citizen_number, ["110105194912310021", "11010519491331002X"]))
    # an 18-character credit code of an organisation and a unit code are none
    assert not any(map(is_citizen_number, ["91110000100000000X", "140602001001", "1" * 30]))


@given(st.integers(0, 999), st.dates(min_value=pd.Timestamp("1900-01-01").date(), max_value=pd.Timestamp("2099-12-31").date()))
def test_exactly_one_check_character_of_eleven_is_right(order: int, birthday: object) -> None:
    start = f"140602{birthday:%Y%m%d}{order:03d}"
    digits = [int(digit) for digit in start]
    # ISO 7064 MOD 11-2 by its recursive definition, the other way round from the weights
    product = 0
    for digit in digits:
        product = (product + digit) * 2 % 11
    right = "0123456789X"[(12 - product) % 11]
    assert [sign for sign in "0123456789X" if is_citizen_number(start + sign)] == [right]


def test_telephone_numbers_are_known_and_codes_are_not() -> None:
    assert all(map(is_telephone, ["13800138000", "+86 138-0013-8000", "(0349)2022333", "010-62345678", "１３８００１３８０００"]))
    assert not any(map(is_telephone, ["140602001001", "12345678901", "2022333", "0000-0000"]))
    assert is_mobile("13800138000")
    assert not is_mobile("0349-2022333")


def test_a_table_with_id_numbers_is_refused_and_the_number_is_not_repeated(tmp_path: Path) -> None:
    told = refused(tmp_path, f"lon,lat,total,备注\n121.5,31.2,1,\n121.5,31.2,1,{GOOD_ID}\n")
    assert "row 3, column '备注': 1 cell(s) hold citizens' ID numbers. Lists of persons are not read: add them up" in told
    assert "含居民身份证号" in told
    assert GOOD_ID not in told


def test_a_table_with_mobile_numbers_is_refused(tmp_path: Path) -> None:
    told = refused(tmp_path, "lon,lat,total,备用\n121.5,31.2,1,13800138000\n121.5,31.2,1,13900139000\n")
    assert "column '备用': holds mobile telephone numbers" in told
    assert "13800138000" not in told


@pytest.mark.parametrize("headers", ["姓名", "出生日期", "身份证号码", "Date of birth", "性别,年龄"])
def test_a_row_for_every_person_is_refused_by_its_headers(tmp_path: Path, headers: str) -> None:
    blanks = "," * headers.count(",")
    told = refused(tmp_path, f"lon,lat,{headers}\n121.5,31.2,{blanks}\n121.6,31.3,{blanks}x\n")
    assert f"has a row for every person (columns: {headers.replace(',', ', ')})" in told


def test_a_census_by_sex_and_age_is_no_list_of_persons(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("lon,lat,性别,年龄,人口数\n121.5,31.2,男,60-64,30\n", encoding="utf-8")
    people = read_population_table(tmp_path / "t.csv", crs_out="EPSG:32651", crs="EPSG:4326", datum="WGS-84").table
    assert people.cells["total"].tolist() == [30.0]


def test_contact_columns_go_by_header_in_the_order_given() -> None:
    headers = ["机构名称", "联系电话", "床位数", "负责人", "contact:phone", "Phone Number", "地址", "法人代表（签字）"]
    assert contact_columns(headers) == ["联系电话", "负责人", "contact:phone", "Phone Number", "法人代表（签字）"]
    assert contact_columns(["名称", "经度", "运营方", "电梯"]) == []


def test_dropping_contacts_says_so_and_leaves_the_register_alone() -> None:
    register = pd.DataFrame(
        {
            "名称": ["青松站", "红旗站", "东街站"],
            "联系电话": ["", "", ""],
            "备注1": ["0349-2022333", None, "13800138000"],
            "备注2": ["无", GOOD_ID, ""],
            "代码": [140602001001.0, 140602001002.0, 140602001003.0],
            "号码": [13800138000, 13900139000, 13700137000],
        }
    )
    before = register.copy()
    kept = drop_contacts(register, file="站点.xlsx", sheet="表1")
    assert list(kept.table.columns) == ["名称", "代码"]
    assert register.equals(before)
    assert [(fault.column, fault.severity, fault.sheet) for fault in kept.faults] == [
        (name, "dropped", "表1") for name in ("联系电话", "备注1", "备注2", "号码")
    ]
    assert kept.faults[0].text() == "sheet '表1', column '联系电话': concerns persons; it is dropped and never written out"
    assert kept.faults[0].text("zh") == "工作表“表1”，“联系电话”列：涉及个人的列，已删除，不会写入任何输出"


def test_a_column_with_one_telephone_number_among_long_texts_is_kept() -> None:
    notes = ["一座很长很长的养老院说明文字", "13800138000", "另一座很长很长的养老院说明文字"]
    assert list(drop_contacts(pd.DataFrame({"说明": notes})).table.columns) == ["说明"]


@pytest.mark.parametrize("header", ["证件", "住址", "家庭住址"])
def test_a_table_with_addresses_or_papers_of_persons_is_refused(tmp_path: Path, header: str) -> None:
    (tmp_path / "p.csv").write_text(f"编号,{header},经度,纬度,总人口\n1,x,121.5,31.2,1\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"has a row for every person \(columns: {header}\)"):
        read_population_table(tmp_path / "p.csv", crs_out="EPSG:32651", crs="EPSG:4326", datum="WGS-84")
