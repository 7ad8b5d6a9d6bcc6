"""Write the brief of a run as DOCX, filled from the run without hand editing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from careshed.report.brief import building, sections
from careshed.report.brief.marks import field_run
from careshed.report.brief.paper import Paper, clean
from careshed.report.stable import write_xlsx
from careshed.report.tables import choose_format
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from openpyxl import Workbook

    from careshed.run import RunResult


def write_brief(path: str | Path, result: RunResult, lang: Lang | None = None) -> Path:
    """Write the brief that a planner signs: three to six pages, from the message to the sources, as ``.docx``.

    Title, summary with three numbers, method in plain words, maps as figures, gaps, sites with their bound, plans and years, the
    scorecard, what is not certain, sources with hashes, and room for signatures. What the study does not have is left out and the
    numbers close up. The texts are those of the maps and lists, typeset as Chinese official papers are, or in English. The same
    run gives the same bytes.

    Parameters
    ----------
    lang
        ``zh`` or ``en``; the study's if left out.

    Raises
    ------
    ValueError
        If the suffix is not ``.docx``, or the run holds no service.
    PermissionError
        If the file is open in another program.
    """
    if not result.services:
        raise ValueError("the run holds no service: there is nothing to report  运行结果没有服务，无从成文")
    told = lang or result.study.lang
    return choose_format(path, {".docx": lambda to: _write(to, result, told)})


def _write(path: Path, result: RunResult, lang: Lang) -> Path:
    paper = Paper.blank(lang)
    _furniture(paper, result)
    sections.title_block(paper, result)
    for put in (
        sections.summary, sections.method, sections.today, building.sites, building.years, sections.judged, sections.risks,
        sections.sources, sections.sign_off,
    ):  # fmt: skip
        put(paper, result)
    about = paper.document.core_properties
    about.author = about.last_modified_by = "careshed"
    about.title = clean(result.study.name)[:250]
    about.comments, about.language, about.revision = "", pick(lang, "zh-CN", "en"), 1
    # The writer of workbooks asks only for `save`, and takes the clock out of any zip file of Office's making.
    return write_xlsx(cast("Workbook", paper.document), path)


def _furniture(paper: Paper, result: RunResult) -> None:
    """Name the study at the head of every page and number the pages at the foot."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    study, lang, section = result.study, paper.lang, paper.document.sections[0]
    head, foot = section.header.paragraphs[0], section.footer.paragraphs[0]
    made_up = pick(lang, "（虚构数据，仅供演示）", " (made-up data, for demonstration only)") if study.made_up else ""
    head.add_run(clean(f"{study.name}{made_up}"))
    head.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    foot.add_run(pick(lang, "第 ", "Page "))
    field_run(foot, "PAGE", "1")
    foot.add_run(pick(lang, " 页 共 ", " of "))
    field_run(foot, "NUMPAGES", "1")
    foot.add_run(pick(lang, " 页", ""))
