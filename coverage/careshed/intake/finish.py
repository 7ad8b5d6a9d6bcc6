"""Check finished tables column by column (pandera, all faults at once) and hand them over or stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import pandas as pd

from careshed.intake.sources import SourceTable, Words
from careshed.schema import SETTINGS, STATUSES, TIERS, Checked, Fault, InputError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandera.pandas import Check

T = TypeVar("T")

CLOSED: Final = "closed"
"""Status of a facility that has shut; it is left out of the table after the checks."""

_TOLD: Final[dict[str, tuple[str, Words, Words]]] = {
    "negative": (
        "negative",
        ("不应为负数", "must not be negative"),
        ("请改为 0 或正数；未知则留空。", "Write 0 or a positive number; leave the cell blank where it is unknown."),
    ),
    "year": (
        "year_out_of_range",
        ("年份应在 1900 至 2100 之间", "must be a year from 1900 to 2100"),
        ("请写四位年份；未知则留空。", "Write a year of four digits; leave the cell blank where it is unknown."),
    ),
    "word": (
        "unknown_word",
        ("词语不在可用范围内", "is not a known word"),
        ("请使用规定的词语。", "Use one of the known words."),
    ),
}


def _columns() -> Mapping[str, Check]:
    """Give the check of each column that has one, whichever table it is in."""
    from pandera.pandas import Check

    at_least_zero = Check.ge(0.0, error="negative")
    return {
        "places": at_least_zero,
        "area_m2": at_least_zero,
        "cost_yuan": at_least_zero,
        "opened": Check.in_range(1900.0, 2100.0, error="year"),
        "closed": Check.in_range(1900.0, 2100.0, error="year"),
        "nursing_places": at_least_zero,
        "land_m2": at_least_zero,
        "status": Check.isin([*STATUSES, CLOSED, ""], error="word"),
        "level": Check.isin([*TIERS, ""], error="word"),
        "setting": Check.isin([*SETTINGS, ""], error="word"),
    }


def check_columns(frame: pd.DataFrame, table: SourceTable, *, counts: tuple[str, ...] = ()) -> list[Fault]:
    """Check the columns of a finished table whose records are those of `table`; every failing cell becomes a fault.

    Parameters
    ----------
    counts
        Further columns that count people, so that they must not be negative.
    """
    from pandera.errors import SchemaErrors
    from pandera.pandas import Check, Column, DataFrameSchema

    known = {**_columns(), **{name: Check.ge(0.0, error="negative") for name in counts}}
    schema = DataFrameSchema({name: Column(None, check, nullable=True) for name, check in known.items() if name in frame})
    plain = pd.DataFrame(frame[[name for name in known if name in frame]]).reset_index(drop=True)
    try:
        schema.validate(plain, lazy=True)
    except SchemaErrors as failed:
        return [_fault(table, case) for case in failed.failure_cases.to_dict("records")]
    return []


def _fault(table: SourceTable, case: Mapping[str, object]) -> Fault:
    code, told, cure = _TOLD[str(case["check"])]
    return table.fault(code, told, cure, at=int(str(case["index"])), column=str(case["column"]), found=case["failure_case"])


def without_bad_rows(table: GeoDataFrame, faults: list[Fault]) -> tuple[GeoDataFrame, list[Fault]]:
    """Leave out the rows that are in error, each told with its reason; an id that occurs again stays with its first row.

    Parameters
    ----------
    table
        A finished table with the ``row`` of each record.
    faults
        Those of its file; an error that names no row stays one.
    """
    at_fault = [fault for fault in faults if fault.severity == "error" and fault.row]
    twice = {fault.row for fault in at_fault if fault.code == "duplicate_id"}
    bad = {fault.row for fault in at_fault if fault.code != "duplicate_id"}
    rows, known = table["row"].astype(str), set[str]()
    for code, row in zip(table.index.astype(str), rows, strict=True):
        if row in twice and row not in bad:
            bad |= {row} if code in known else set()
            known.add(code)
    kept = rows.isin(bad).to_numpy()
    if not len(table) or kept.all():
        return table, faults
    told = [fault for fault in faults if not (fault.code == "duplicate_id" and fault.row not in bad)]
    return table[~kept], [_left_out(fault) if fault.severity == "error" and fault.row in bad else fault for fault in told]


def _left_out(fault: Fault) -> Fault:
    """Say of an error that its row was left out for it, as the study asks."""
    zh, en = f"{fault.zh}，按 bad_rows 略去该行", f"{fault.en}; the row is left out (bad_rows)"
    return replace(fault, zh=zh, en=en, severity="dropped")


def hand_over(result: T, faults: list[Fault]) -> Checked[T]:
    """Give the table with what was dropped, repaired and noted, or stop if any fault is an error."""
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    return Checked(result, tuple(faults))
