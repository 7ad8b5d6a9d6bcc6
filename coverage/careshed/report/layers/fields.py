"""Name every field of the layers once: fixed names that ArcGIS and QGIS take, units, and what each means."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Final, cast

from careshed.report.layers.model import Both, Field, Kind
from careshed.words import Lang, group_name, pick

LONGEST: Final = 30
"""Characters of a field's or table's name at most: what geodatabases on Oracle take, below the 64 of file geodatabases."""

_CATALOGUE: Final = Path(__file__).with_name("fields.csv")
"""Every field: our column, its two names, what it holds, its unit and what it means."""


@cache
def catalogue() -> dict[str, Field]:
    """Read every field that the layers may have, by our column.

    >>> catalogue()["share"].unit
    ('0–1', '0 to 1')
    """
    with _CATALOGUE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["key"]: _field(row) for row in rows}


def _field(row: dict[str, str]) -> Field:
    kind = cast(Kind, row["kind"])
    return Field(row["key"], row["zh"], row["en"], kind, (row["unit_zh"], row["unit_en"]), (row["meaning_zh"], row["meaning_en"]))


def fields(*keys: str) -> tuple[Field, ...]:
    """Pick fields by our columns, in order.

    >>> [field.name("en") for field in fields("unit", "share")]
    ['unit_code', 'covered_share']
    """
    return tuple(catalogue()[key] for key in keys)


def group_field(group: str) -> Field:
    """Make the field that counts the people of a group, whatever the study calls the group.

    >>> group_field("p60").zh, group_field("p60").en, group_field("=1+1").en
    ('人数_60岁及以上老人', 'people_p60', 'people__1_1')
    """
    zh, en = group_name(group, "zh"), group_name(group, "en")
    meaning = (f"{zh}的人数", f"people of the group: {en}")
    return Field(
        f"people_{group}", plain_name(f"人数_{zh}"), plain_name(f"people_{group}"), "number", catalogue()["people"].unit, meaning
    )


def plain_name(text: str, taken: Collection[str] = ()) -> str:
    """Turn any text into a name that every program takes: letters, digits and ``_``, a letter first, not longer than 30.

    >>> plain_name("覆盖_托育（0–3岁）"), plain_name('a"; DROP TABLE x'), plain_name("Units", {"units"})
    ('覆盖_托育_0_3岁_', 'a___DROP_TABLE_x', 'Units_2')
    """
    safe = re.sub(r"\W", "_", text)
    safe = (safe if safe[:1].isalpha() else f"x{safe}")[:LONGEST]
    lower, name, count = {one.lower() for one in taken}, safe, 1
    while name.lower() in lower:
        count += 1
        name = f"{safe[: LONGEST - len(str(count)) - 1]}_{count}"
    return name


def kind_word(kind: Kind, lang: Lang) -> str:
    """Name what a field holds.

    >>> kind_word("whole", "zh")
    '整数'
    """
    words: dict[Kind, Both] = {"text": ("文本", "text"), "whole": ("整数", "whole number"), "number": ("小数", "number")}
    return pick(lang, *words[kind])
