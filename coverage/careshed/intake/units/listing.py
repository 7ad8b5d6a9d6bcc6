"""Hold the rows of one or several unit lists together, each with the file and row it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from careshed.intake.columns import plain
from careshed.intake.sources import SourceTable, Words, as_text
from careshed.intake.values import codes, ids, names, words
from careshed.schema import Fault, Severity

LEVEL_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "county": (
        "县区",
        "县",
        "区",
        "区县",
        "县级市",
        "市辖区",
        "旗",
        "自治县",
        "自治旗",
        "特区",
        "林区",
        "县级",
        "county",
        "district",
    ),
    "street": ("街道", "街道办事处", "街道办", "street", "jiedao", "subdistrict"),
    "township": ("乡镇", "乡", "镇", "苏木", "民族乡", "民族苏木", "苏木乡镇", "建制镇", "township", "town"),
    "community": ("社区", "居委会", "居民委员会", "社区居委会", "社区居民委员会", "community"),
    "village": ("村", "行政村", "建制村", "村委会", "村民委员会", "嘎查", "嘎查村", "嘎查委员会", "village"),
    "compound": ("小区", "住宅小区", "居住小区", "compound"),
}
"""Our level -> words of the lists."""

OPEN_WORDS: Final = ("开发区", "经济开发区", "工业园区", "园区", "管理区", "农场", "林场", "牧场", "乡级", "村级", "特殊单位")
"""Words that leave the level open (a 开发区 may be a county, a township or neither): the code decides."""

_CLASSES: Final[dict[str, Mapping[str, str]]] = {
    "urban": {"111": "主城区", "112": "城乡结合区", "121": "镇中心区", "122": "镇乡结合区", "123": "特殊区域"},
    "rural": {"210": "乡中心区", "220": "村庄"},
}
"""Setting -> 城乡分类代码 and its name."""

SETTING_WORDS: Final[dict[str, tuple[str, ...]]] = {
    setting: (*usual, *(form for code, name in _CLASSES[setting].items() for form in (code, name, f"{code}({name})")))
    for setting, usual in {
        "urban": ("城镇", "城市", "城区", "城", "urban"),
        "rural": ("乡村", "农村", "村", "乡", "牧区", "农村牧区", "rural"),
    }.items()
}

CLASS_HEADERS: Final = ("城乡分类代码", "城乡代码", "城乡分类码", "城乡划分代码", "cxfldm", "urban_rural_code")
"""Headers of a column of 3-digit classes, beside those of ``setting``."""


@dataclass(frozen=True)
class Listing:
    """Units as listed, one entry a row of any of the files."""

    tables: tuple[SourceTable, ...]
    at: tuple[tuple[int, int], ...]
    """File and record of each unit."""
    code: list[str]
    name: list[str]
    level: list[str]
    """Level as stated, "" where it is not."""
    parent: list[str]
    """Parent as stated, "" where it is not."""
    setting: list[str]
    """Urban or rural as stated, "" where it is not."""
    outline: tuple[tuple[int, int], ...] = ()
    """File and record of each unit's outline, those of `at` where no other file draws it."""

    def __len__(self) -> int:
        return len(self.code)

    def fault(
        self, unit: int, code: str, told: Words, cure: Words = ("", ""), *, column: str = "", found: object = "",
        severity: Severity = "error",
    ) -> Fault:  # fmt: skip
        """Build a fault that names the file and row of a unit."""
        table, at = self.at[unit]
        return self.tables[table].fault(code, told, cure, at=at, column=column, found=found, severity=severity)

    def note(
        self, units: Sequence[int], code: str, told: Callable[[int], Words], cure: Words = ("", ""), *, column: str = ""
    ) -> list[Fault]:
        """Build one note a file on how many of its units something holds for."""
        counts = Counter(self.at[unit][0] for unit in units)
        return [
            self.tables[table].fault(code, told(count), cure, column=column, severity="noted")
            for table, count in sorted(counts.items())
        ]

    def kept(self, keep: Sequence[int]) -> Listing:
        """Give the units at some positions alone."""

        def chosen(column: list[str]) -> list[str]:
            return [column[unit] for unit in keep]

        return Listing(
            self.tables, tuple(self.at[unit] for unit in keep), chosen(self.code), chosen(self.name), chosen(self.level),
            chosen(self.parent), chosen(self.setting), tuple(self.outline[unit] for unit in keep),
        )  # fmt: skip

    def level_refused(self, unit: int) -> bool:
        """Tell whether a unit's level is written in a word that is not known, which is an error of its own."""
        table, at = self.at[unit]
        text = plain(as_text(self.tables[table].column("level")[at]))
        return bool(text) and text not in {plain(word) for word in OPEN_WORDS}


def listing(tables: Sequence[SourceTable], faults: list[Fault], stated: Sequence[str | None] = ()) -> Listing:
    """Join the rows of all files, codes and words read, nothing derived yet.

    Parameters
    ----------
    stated
        Level that the study states for each file, for rows whose level the file leaves blank.
    """
    found = Listing(tuple(tables), (), [], [], [], [], [])
    at: list[tuple[int, int]] = []
    for number, table in enumerate(tables):
        code = ids(table, faults) if "id" in table.headers else [""] * len(table.rows)
        if "id" not in table.headers:
            faults.append(table.missing_column("id"))
        at += [(number, record) for record in range(len(table.rows))]
        found.code.extend(code)
        found.name.extend(names(table, code, faults))
        found.level.extend(own or (stated[number] if stated else None) or "" for own in _levels(table, faults))
        found.parent.extend(codes(table, "parent", faults))
        found.setting.extend(_settings(table, faults))
    return replace(found, at=tuple(at), outline=tuple(at))


def _levels(table: SourceTable, faults: list[Fault]) -> list[str]:
    """Read stated levels, "" where the cell is blank or its word leaves the level open."""
    return words(table, "level", {**LEVEL_WORDS, "": OPEN_WORDS}, faults, blank="")


def _settings(table: SourceTable, faults: list[Fault]) -> list[str]:
    """Read urban or rural as stated, in words or as a class, "" where blank."""
    stated = words(table, "setting", SETTING_WORDS, faults, blank="")
    header = next((str(name) for name in table.frame.columns if plain(name) in CLASS_HEADERS), None)
    if header is None or "setting" in table.headers:
        return stated
    of_class = {code: setting for setting, known in _CLASSES.items() for code in known}
    read = [as_text(value)[:3] for value in table.frame[header]]
    for at, text in enumerate(read):
        if text and text not in of_class:
            cure = (f"可用：{', '.join(of_class)}。", f"Accepted: {', '.join(of_class)}.")
            told = ("不是城乡分类代码", "is no urban–rural class")
            faults.append(table.fault("bad_class", told, cure, at=at, column=header, found=text))
    return [of_class.get(text, "") for text in read]
