"""Keep persons out: refuse a table that lists them, and drop the contact columns of a register."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import pandas as pd

from careshed.intake.columns import plain, without_unit
from careshed.intake.personal import is_citizen_number, is_contact, is_mobile, is_telephone
from careshed.intake.tables import SourceTable, as_text
from careshed.schema import Checked, Fault

_PERSONAL: Final = (
    "姓名", "老人姓名", "儿童姓名", "幼儿姓名", "户主", "户主姓名", "监护人", "监护人姓名", "出生日期", "出生年月", "生日",
    "身份证", "身份证号", "身份证号码", "公民身份号码", "证件号码", "证件号", "证件", "与户主关系", "家庭住址", "户籍地址",
    "住址", "person name", "full name", "first name", "last name",
    "surname", "given name", "date of birth", "birth date", "birthdate", "birthday", "dob", "national id",
    "id card", "identity number", "household head", "guardian",
)  # fmt: skip
"""Headers that only a list of persons has: a table of counts has no birthday and no name of its rows."""

_TRAITS: Final = ("性别", "年龄", "周岁", "民族", "婚姻状况", "文化程度", "sex", "gender", "age", "ethnicity", "marital status")
"""Headers that a census by sex and age may have too; two of them without any column of counts are a list of persons."""

_MOSTLY: Final = 0.5
"""A column of which at least this share of the filled cells are telephone numbers is one of telephone numbers."""

_SHORTEST: Final = 11
"""Characters of the shortest number looked for, a telephone number."""


def contact_columns(headers: Iterable[str]) -> list[str]:
    """List the headers under which a register keeps persons and how to reach them, in the order given.

    >>> contact_columns(["机构名称", "联系电话（必填）", "床位数", "法定代表人"])
    ['联系电话（必填）', '法定代表人']
    """
    return [header for header in headers if is_contact(header)]


def drop_contacts(frame: pd.DataFrame, *, file: str = "", sheet: str = "") -> Checked[pd.DataFrame]:
    """Take the contact columns out of a register and say so, so that no output can ever hold them.

    Columns go by their header, and by what is in them: citizens' numbers anywhere, telephone numbers in most cells.

    >>> register = pd.DataFrame({"名称": ["青松站"], "联系电话": ["0349-2022333"], "备用": ["13800138000"]})
    >>> kept = drop_contacts(register, file="站点.xlsx")
    >>> list(kept.table.columns), [fault.column for fault in kept.faults]
    (['名称'], ['联系电话', '备用'])
    """
    named = set(contact_columns(str(header) for header in frame.columns))
    dropped = [at for at, header in enumerate(frame.columns) if str(header) in named or _holds_contacts(_texts(frame, at))]
    kept = [at for at in range(len(frame.columns)) if at not in dropped]
    told = ("涉及个人的列，已删除，不会写入任何输出", "concerns persons; it is dropped and never written out")
    faults = tuple(
        Fault("contact_column", file, *told, sheet=sheet, column=str(frame.columns[at]), severity="dropped") for at in dropped
    )
    return Checked(frame.iloc[:, kept], faults)


def person_faults(table: SourceTable) -> list[Fault]:
    """Say why a table lists persons instead of counting people; empty where it does not. No personal value is repeated."""
    headers = [table.headers.get(str(column), str(column)) for column in table.frame.columns]
    personal = _among(headers, _PERSONAL)
    traits = _among(headers, _TRAITS)
    counted = bool({"total", "p0_3", "p3_6", "p60", "p65", "p80"} & set(table.headers))
    faults = []
    for at, column in enumerate(table.frame.columns):
        values = _texts(table.frame, at)
        held = [row for row, text in enumerate(values) if is_citizen_number(text)]
        if held:
            told = (f"{len(held)} 个单元格含居民身份证号", f"{len(held)} cell(s) hold citizens' ID numbers")
            faults.append(_refused(table, told, column=str(column), row=str(table.rows[held[0]])))
        elif _mostly(values, is_mobile):
            faults.append(_refused(table, ("含手机号码", "holds mobile telephone numbers"), column=str(column)))
    if not faults and (personal or (len(traits) > 1 and not counted)):
        listed = ", ".join([*personal, *traits])
        faults.append(_refused(table, (f"每行像是一个人（列：{listed}）", f"has a row for every person (columns: {listed})")))
    return faults


def _refused(table: SourceTable, told: tuple[str, str], *, column: str = "", row: str = "") -> Fault:
    cure = (
        "本工具不读取个人名单：请按单元或格网汇总成人数（如各社区 60 岁及以上人数），并删去姓名、身份证号、电话等列。",
        "Lists of persons are not read: add them up to counts by unit or cell (such as people aged 60+ by community) and "
        "delete names, ID numbers and telephone numbers.",
    )
    header = table.headers.get(column, column)
    return Fault("table_of_persons", table.file, *told, *cure, row=row, sheet=table.sheet, column=header)


def _among(headers: Sequence[str], words: Sequence[str]) -> list[str]:
    known = {plain(word) for word in words}
    return [header for header in headers if plain(header) in known or without_unit(header) in known]


def _texts(frame: pd.DataFrame, at: int) -> list[str]:
    """Write a column as text where it could hold a number of a person: long texts and long numbers; "" for the rest."""
    return [as_text(value) if _long(value) else "" for value in frame.iloc[:, at].tolist()]


def _long(value: object) -> bool:
    if isinstance(value, str):
        return len(value) >= _SHORTEST
    return isinstance(value, int | float) and value >= 10.0 ** (_SHORTEST - 1)


def _holds_contacts(values: Sequence[str]) -> bool:
    return any(map(is_citizen_number, values)) or _mostly(values, is_telephone)


def _mostly(values: Sequence[str], test: Callable[[str], bool]) -> bool:
    filled = [text for text in values if text]
    return bool(filled) and sum(map(test, filled)) >= _MOSTLY * len(filled)
