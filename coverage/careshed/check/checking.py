"""Audit a study: run every check, add what was told on reading, rank by the people concerned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.check.case import Case, case_of
from careshed.check.datums import datums
from careshed.check.duplicates import duplicates
from careshed.check.figures import capacities, missing_places, nursing, years
from careshed.check.ground import (
    candidate_units,
    candidates_on_existing,
    declared_units,
    empty_units,
    lost_people,
    off_street,
    outlines,
    shut_in,
    unknown_types,
)
from careshed.check.model import CheckReport, Finding, Weight, ranked
from careshed.schema import Fault, Severity, file_label, merge_rows
from careshed.settings.demand import NO_DEMAND

if TYPE_CHECKING:
    from careshed.network import Network
    from careshed.study import Study

TOLD_BY_CHECKS: Final = frozenset({"unit_differs", "cells_without_unit", "columns_matched"})
"""Notes of the readers that the audit tells better itself, or that say nothing is wrong."""

CHECKS: Final[tuple[Callable[[Case], list[Finding]], ...]] = (
    duplicates, datums, declared_units, candidate_units, off_street, shut_in, capacities, missing_places, nursing, years,
    unknown_types, candidates_on_existing, empty_units, lost_people, outlines,
)  # fmt: skip

ASKED_FOR: Final = frozenset({"candidate_excluded", "outline_mended", "listed_again", "outside_units"})
"""What the study itself asks for: nothing to doubt."""

NO_RECORD: Final = frozenset({"contact_column", "sum_row", "note_row", "group_row", "header_repeated"})
"""What a reader leaves out of every table, being no record: nothing to doubt either."""

ACCOUNTS: Final = frozenset({"people_step"})
"""Accounts of everybody: nothing is found about the people they count, so they do not rank by them."""

_WEIGHT_OF: Final[dict[Severity, Weight]] = {"error": "error", "dropped": "doubt", "repaired": "note", "noted": "note"}


def check_study(study: Study, network: Network | None = None) -> CheckReport:
    """Look a study's own files over for what is likely wrong, ranked by the people it concerns; nothing is changed.

    Parameters
    ----------
    study
        As `careshed.study.open_study` gives it; what its readers told is part of the report.
    network
        The streets of one of the study's modes, where they are built already.

    Returns
    -------
    CheckReport
        Each finding with file, sheet, row, column, value, proposal and the people it concerns: those whose nearest facility
        of its service it is, else the residents of its unit; `Finding.basis` says which.
    """
    case = case_of(study, network)
    found = [finding for look in CHECKS for finding in look(case)] + _told_on_reading(case)
    config = study.config
    sites = [file for section in config.candidates for file in section.files]
    tables = [*(section.file for section in config.units.files), *(section.file for section in config.facilities), *sites]
    people = config.population.files
    files = [*config.streets.files, *people, *(config.demand or NO_DEMAND).files, *tables]
    return CheckReport(study.name, study.made_up, study.data_date, ranked(found), tuple(dict.fromkeys(map(file_label, files))))


def check_faults(study: str | Path, faults: Iterable[Fault]) -> CheckReport:
    """Make the report of a study that cannot be opened: every fault of its files, the errors first.

    Parameters
    ----------
    study
        The study file.
    faults
        Those of the `careshed.schema.InputError` that `careshed.study.open_study` raised.

    >>> from careshed.schema import Fault
    >>> check_faults("town/study.toml", [Fault("blank_id", "a.csv", "编号为空", "the id is blank", row="7")]).counts()
    {'error': 1, 'doubt': 0, 'note': 0}
    """
    merged = merge_rows(faults)
    harmless = ASKED_FOR | NO_RECORD
    found = [_finding(fault, "note" if fault.code in harmless else _WEIGHT_OF[fault.severity]) for fault in merged]
    return CheckReport(file_label(study), False, "", ranked(found), tuple(dict.fromkeys(fault.file for fault in merged)))


def _finding(fault: Fault, weight: Weight) -> Finding:
    return Finding(
        "reading", weight, fault.file, fault.sheet, fault.row, fault.column, fault.found, fault.zh, fault.en, fault.cure_zh,
        fault.cure_en, fault.people, "place" if fault.people else "",
    )  # fmt: skip


def _told_on_reading(case: Case) -> list[Finding]:
    """Turn what the readers told into findings, rows with the same fault together."""
    registers = {file_label(section.file) for section in case.study.config.facilities}
    told = merge_rows(
        fault
        for fault in case.study.faults
        if fault.code not in TOLD_BY_CHECKS and not (fault.code == "unknown_unit" and fault.file in registers)
    )
    streets, own = file_label(case.study.config.streets.file), file_label(case.study.path)
    told = [replace(fault, people=0.0 if fault.code in ACCOUNTS else fault.people, file=fault.file or own) for fault in told]
    plain = [fault.file == streets or fault.code in ASKED_FOR | NO_RECORD for fault in told]
    return [_finding(fault, "note" if known else _WEIGHT_OF[fault.severity]) for fault, known in zip(told, plain, strict=True)]
