"""Read counts of people by unit and age: a census by township, from any table a planner may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.demand.ages import ALL_AGES
from careshed.demand.spans import AgesError, AgeSpan, check_classes, class_span, closing_groups, span_of
from careshed.intake.columns import without_unit
from careshed.intake.finish import check_columns, hand_over
from careshed.intake.population.tables import counts, counts_only
from careshed.intake.tables import SourceTable, read_table
from careshed.intake.values import ids
from careshed.schema import Checked, Fault, InputError
from careshed.words import group_name

_PLACE = ("id", "lon", "lat", "name")


def read_margins(
    path: str | Path,
    *,
    sheet: str | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    groups: tuple[str, ...] = (),
) -> Checked[pd.DataFrame]:
    """Read people by unit and group, so that cells can be fitted to them.

    Columns are groups under their usual names (60岁及以上, p60) or age classes (0岁, 1-4岁, …, 85岁及以上), which are added up to
    `groups`; a class that a group cuts is split evenly and that is told. A group that goes on where the classes end (75-79岁,
    80岁及以上; also 80岁以上, 80+, 80岁及以上人口) is their last class; a group beside classes that cover it is their sum.

    Parameters
    ----------
    columns
        ``id`` and groups -> header, where the usual names are not used.
    groups
        Groups wanted, where the table has age classes.

    Returns
    -------
    Checked[pandas.DataFrame]
        Index unit code, a column a group.

    Raises
    ------
    careshed.schema.InputError
        If codes are missing or stand twice, numbers are blank or negative, or the table lists persons.
    """
    table = counts_only(read_table(path, kind="population", sheet=sheet, layer=layer, columns=columns))
    faults = list(table.faults)
    if "id" not in table.headers:
        faults.append(table.missing_column("id"))
        raise InputError(faults)
    index = pd.Index(ids(table, faults), name="unit_id", dtype="str")
    named = [name for name in table.headers if name not in _PLACE]
    people = pd.DataFrame({name: _filled(table, name, faults) for name in named}, index=index)
    faults += check_columns(people, table, counts=tuple(named))
    people = _with_classes(table, people, groups, faults)
    if not len(people.columns) and not any(fault.code == "age_classes" for fault in faults):
        faults.append(table.missing_column("total"))
    return hand_over(people, faults)


def _filled(table: SourceTable, name: str, faults: list[Fault]) -> NDArray[np.float64]:
    """Read a column of people by our name for it, or by the header of its age class."""
    known = table if name in table.headers else replace(table, headers={**table.headers, name: name})
    return counts(known, name, faults)


def _with_classes(table: SourceTable, people: pd.DataFrame, groups: tuple[str, ...], faults: list[Fault]) -> pd.DataFrame:
    """Add groups that the table holds as age classes only."""
    wanted = [group for group in groups if group not in people.columns]
    spans = {str(name): span for name in table.frame.columns if name not in table.headers and (span := _span(str(name)))}
    if not wanted or not spans:
        return people
    spans |= closing_groups(spans.values(), [str(name) for name in people.columns])
    try:
        check_classes(spans.values(), wanted)
    except AgesError as error:
        listed = "、".join(group_name(group, "zh") for group in wanted)
        told = (f"年龄列无法合成{listed}：{error.told[0]}", f"the age columns cannot give {', '.join(wanted)}: {error.told[1]}")
        faults.append(table.fault("age_classes", told, ALL_AGES))
        return people
    people_by_class = np.column_stack([
        people[name].to_numpy() if name in people.columns else _filled(table, name, faults) for name in spans
    ])  # fmt: skip
    for group in wanted:
        share = np.array([span.share_in(span_of(group)) for span in spans.values()])
        people[group] = people_by_class @ share
        cut = [f"{name} × {part:.3g}" for name, part in zip(spans, share, strict=True) if 0 < part < 1]
        if cut:
            zh = f"{group_name(group, 'zh')}：假设组内各岁人数相同（{', '.join(cut)}）"
            told = (zh, f"{group}: ages are taken as even in {', '.join(cut)}")
            faults.append(table.fault("even_ages", told, severity="noted"))
    return people


def _span(header: str) -> AgeSpan | None:
    return class_span(without_unit(header))
