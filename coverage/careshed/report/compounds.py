"""Write what residential compounds lack, and who answers for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from careshed.policy.judging.shortfall import shortfalls_by_unit
from careshed.report.tables import choose_format, dated, headed, made_up_line, number, write_csv
from careshed.report.workbook import Column, Sheet, write_workbook
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd

KINDS = {"m2": ("平方米", "m²"), "places": ("个床位或托位", "places")}
"""What is missing -> (Chinese, English)."""


def write_shortfalls(
    path: str | Path,
    shortfalls: pd.DataFrame,
    *,
    study_name: str = "",
    lang: Lang = "zh",
    made_up: bool = False,
    data_date: str = "",
) -> Path:
    """Write what each compound lacks, and the sums of each street and township, as XLSX or CSV (compounds).

    Parameters
    ----------
    shortfalls
        From `careshed.policy.judging.compound_shortfalls`.

    Raises
    ------
    ValueError
        If the suffix is neither ``.xlsx`` nor ``.csv``.
    """
    title = headed(study_name, pick(lang, "居住区配套缺口", "What compounds lack"))
    about = (title, dated(data_date, lang), made_up_line(made_up, lang), lang)
    listed = _compounds(shortfalls, *about)
    sheets = [_units(shortfalls, *about), listed]
    return choose_format(path, {".xlsx": lambda to: write_workbook(to, sheets), ".csv": lambda to: write_csv(to, listed)})


def _compounds(table: pd.DataFrame, title: str, notes: tuple[str, ...], warning: str, lang: Lang) -> Sheet:
    columns = (
        Column("title", "指标", "Standard", "text", 34),
        Column("responsible", "责任单位代码", "Responsible unit, code", "text", 14),
        Column("responsible_name", "责任单位", "Responsible unit", "text", 16),
        Column("compound", "小区编号", "Compound", "text", 12),
        Column("name", "小区", "Name", "text", 20),
        Column("households", "户数", "Households", "count", 10),
        Column("value", "现值", "Value", "measure", 10),
        Column("target", "标准", "Standard", "measure", 10),
        Column("missing", "缺口", "Missing", "minutes", 11),
        Column("missing_of", "单位", "Of", "text", 14),
    )
    rows = tuple(
        (
            str(row[f"title_{lang}"]),
            *(str(row[key]) for key in ("responsible", "responsible_name", "compound", "name")),
            *(number(row[key]) for key in ("households", "value", "target", "missing")),
            pick(lang, *KINDS[str(row["missing_of"])]),
        )
        for _, row in table.iterrows()
    )
    return Sheet(pick(lang, "小区", "Compounds"), title, notes, columns, rows, lang, warning)


def _units(table: pd.DataFrame, title: str, notes: tuple[str, ...], warning: str, lang: Lang) -> Sheet:
    columns = (
        Column("title", "指标", "Standard", "text", 34),
        Column("responsible", "责任单位代码", "Responsible unit, code", "text", 14),
        Column("responsible_name", "责任单位", "Responsible unit", "text", 18),
        Column("compounds", "未达标小区", "Compounds short", "count", 11),
        Column("households", "户数", "Households", "count", 11),
        Column("missing", "缺口合计", "Missing in all", "minutes", 12),
        Column("missing_of", "单位", "Of", "text", 14),
    )
    rows = tuple(
        (
            str(row[f"title_{lang}"]),
            str(row["responsible"]),
            str(row["responsible_name"]),
            *(number(row[key]) for key in ("compounds", "households", "missing")),
            pick(lang, *KINDS[str(row["missing_of"])]),
        )
        for _, row in shortfalls_by_unit(table).iterrows()
    )
    return Sheet(pick(lang, "责任单位", "Responsible units"), title, notes, columns, rows, lang, warning)
