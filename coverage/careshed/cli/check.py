"""Offer the audit of a study's files as a command; decide nothing here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from careshed.cli.shared import Language, StudyFile, app, only, opened_study
from careshed.schema import InputError
from careshed.words import pick

if TYPE_CHECKING:
    from careshed.check import CheckReport
    from careshed.words import Lang


@app.command()
def check(
    study: StudyFile,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="report to write: HTML, XLSX or CSV  输出文件")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="write repaired copies beside the originals  写出修正副本")] = False,
    lang: Language = None,
) -> None:
    """Audit a study's files, ranked by people affected; --fix writes repaired copies and a change log.  核查输入数据。"""
    from careshed.check import check_faults, check_study

    if out is not None:
        only(out, ".html", ".xlsx", ".csv")
    try:
        opened = opened_study(study)
    except InputError as error:
        _told(check_faults(study, error.faults), out, lang or "zh")
        if fix:
            typer.echo(pick(lang or "zh", *_NO_FIX))
        if out is None:
            raise
        typer.echo(pick(lang or "zh", *_REPORTED), err=True)
        raise typer.Exit(1) from error
    report = check_study(opened)
    lang = lang or opened.lang
    _told(report, out, lang)
    if fix:
        from careshed.report.check_fix import fix_study, fix_words

        for line in fix_words(fix_study(opened, report, lang=lang), study.name, lang):
            typer.echo(line)


_REPORTED: Final = (
    "输入有错误，研究无法打开；错误见上述报告，除报告外未写出任何文件。",
    "The input has errors and the study cannot be opened; they are in the report above, beside which nothing was written.",
)

_NO_FIX: Final = (
    "有读取错误时不写修正副本：请先改正以上错误，再运行 check --fix。",
    "No repaired copies are written while a file cannot be read: correct the errors above, then run check --fix again.",
)


def _told(report: CheckReport, out: Path | None, lang: Lang) -> None:
    """Say how many findings there are, and write or print them."""
    from careshed.check import WEIGHTS
    from careshed.report.check import write_check

    counts = report.counts()
    typer.echo(pick(lang, "，", ", ").join(f"{pick(lang, *words)} {counts[name]}" for name, words in WEIGHTS.items()))
    if out is None:
        typer.echo(report.table(lang).to_string(index=False))
    else:
        typer.echo(f"→ {write_check(out, report, lang)}")
