"""Hold what the audit of a study found: one finding a cell or place, ranked by the people it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from careshed.words import Lang, pick

Weight = Literal["error", "doubt", "note"]
"""Contradicts itself or cannot be used; may be wrong, look at it; only said."""

WEIGHTS: Final[dict[Weight, tuple[str, str]]] = {
    "error": ("错误", "error"), "doubt": ("存疑", "doubtful"), "note": ("提示", "noted"),
}  # fmt: skip

Basis = Literal["nearest", "unit", "place", ""]

BASES: Final[dict[Basis, tuple[str, str]]] = {
    "nearest": ("以此为最近设施的服务对象", "whose nearest it is"),
    "unit": ("所在单元居民", "residents of its unit"),
    "place": ("该处居民", "who live there"),
    "": ("", ""),
}
"""Whom ``people`` counts."""

KINDS: Final[dict[str, tuple[str, str]]] = {
    "duplicate": ("同名同址，重复登记", "Same name, same place"),
    "same_place": ("同一地点两个名称", "Same place under two names"),
    "same_name": ("同一名称两个地点", "Same name at two places"),
    "outside_unit": ("不在所写单元内", "Outside its declared unit"),
    "unknown_unit": ("所写单元不存在", "Declared unit unknown"),
    "unit_blank": ("未写所属单元", "Unit left blank"),
    "capacity": ("床位（托位）数异常", "Places out of line"),
    "floor_area": ("每床（位）面积异常", "Floor area a place out of line"),
    "crowded": ("面积容不下所写床位", "Floor area cannot hold the places"),
    "nursing": ("护理型床位多于床位", "More nursing beds than beds"),
    "no_places": ("床位（托位）数缺失", "Number of places missing"),
    "datum": ("坐标基准可能不符", "Datum may be another"),
    "off_street": ("附近没有街道", "No street near"),
    "shut_in": ("四周被阻隔，接不上街道", "Shut in by barriers"),
    "years": ("停业早于开业", "Closed before it opened"),
    "future": ("运营中但尚未开业", "Operating before it opens"),
    "shut": ("已过停业年份仍为运营", "Operating after it closed"),
    "empty_unit": ("单元内没有人口", "Unit with no people"),
    "people_outside": ("人口不在任何单元内", "People outside all units"),
    "people_off_street": ("人口附近没有街道", "People with no street near"),
    "people_shut_in": ("人口四周被阻隔", "People shut in by barriers"),
    "unknown_type": ("设施类型未能识别", "Facility type not known"),
    "on_existing": ("候选场地与已有设施重合", "Candidate on an existing facility"),
    "outline": ("单元边界不吻合", "Outlines that do not fit"),
    "reading": ("读取时发现", "Found on reading"),
}
"""Kind of finding -> its heading."""

Action = Literal["delete_row", "swap", "set"]


@dataclass(frozen=True)
class Fix:
    """A repair that loses nothing and needs no judgement."""

    action: Action
    """The row is deleted, two cells change places, or a cell is filled."""
    file: str
    sheet: str
    row: str
    """Row as the planner's program numbers it."""
    columns: tuple[str, ...]
    """Headers of the cells concerned, as the file spells them."""
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that looks wrong, where it is, what to do and whom it concerns."""

    kind: str
    """Key of `KINDS`."""
    weight: Weight
    file: str
    sheet: str
    row: str
    column: str
    """Header as the file spells it."""
    value: str
    zh: str
    en: str
    proposal_zh: str
    proposal_en: str
    people: float = 0.0
    """People concerned, counted as `basis` says."""
    basis: Basis = ""
    fix: Fix | None = None

    def text(self, lang: Lang) -> str:
        """Say what was found."""
        return pick(lang, self.zh, self.en)

    def proposal(self, lang: Lang) -> str:
        """Say what to do."""
        return pick(lang, self.proposal_zh, self.proposal_en)

    def heading(self, lang: Lang) -> str:
        """Name the kind of finding."""
        return pick(lang, *KINDS[self.kind])


CHECK_COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "people": ("涉及人数", "People"),
    "basis": ("人数口径", "Whom it counts"),
    "weight": ("程度", "Weight"),
    "kind": ("类别", "Kind"),
    "file": ("文件", "File"),
    "sheet": ("工作表", "Sheet"),
    "row": ("行", "Row"),
    "column": ("列", "Column"),
    "value": ("现值", "Value"),
    "found": ("问题", "What was found"),
    "proposal": ("建议", "What to do"),
    "fixed": ("可自动修正", "Safe to repair"),
}
"""Columns of the table of findings -> headers."""


@dataclass(frozen=True)
class CheckReport:
    """Everything that the audit of a study found, the most people first."""

    study: str
    made_up: bool
    data_date: str
    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    """Files that were looked at."""

    def counts(self) -> dict[Weight, int]:
        """Count the findings by weight."""
        return {weight: sum(one.weight == weight for one in self.findings) for weight in WEIGHTS}

    def table(self, lang: Lang = "zh") -> pd.DataFrame:
        """Lay the findings out, one a row, ranked; columns `CHECK_COLUMNS`."""
        rows = [
            (
                one.people, pick(lang, *BASES[one.basis]), pick(lang, *WEIGHTS[one.weight]), one.heading(lang), one.file,
                one.sheet, one.row, one.column, one.value, one.text(lang), one.proposal(lang),
                pick(lang, "是", "yes") if one.fix else pick(lang, "否", "no"),
            )
            for one in self.findings
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(CHECK_COLUMNS))


def ranked(findings: list[Finding]) -> tuple[Finding, ...]:
    """Put findings in order: the most people first, then the gravest, then file and row."""
    order = list(WEIGHTS)

    def key(one: Finding) -> tuple[float, int, str, str, str, str]:
        return -round(one.people), order.index(one.weight), one.kind, one.file, one.row.zfill(9), one.value

    return tuple(sorted(findings, key=key))
