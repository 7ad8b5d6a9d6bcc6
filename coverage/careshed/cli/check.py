"""Offer the audit of a study's files as a command; decide nothing here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
        raise
    report = check_study(opened)
    lang = lang or opened.lang
    _told(report, out, lang)
    if fix:
        from careshed.report.check_fix import fix_study

        done = fix_study(opened, report, lang=lang)
        for copy in done.copies:
            typer.echo(f"→ {copy}")
        typer.echo(
            f"→ {done.log}" if done.log is not None else pick(lang, "没有可自动修正之处", "nothing that can be mended safely")
        )


def _told(report: CheckReport, out: Path | None, lang: Lang) -> None:
    """Say how many findings there are, and write or print them."""
    from careshed.report.check import write_check

    counts = report.counts()
    typer.echo(", ".join(f"{name}: {number}" for name, number in counts.items()))
    if out is None:
        typer.echo(report.table(lang).to_string(index=False))
    else:
        typer.echo(f"→ {write_check(out, report, lang)}")
