"""Put a whole run into one workbook for the committee."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from careshed.report.committee.grounds import assumption_page, fault_page, left_out_page, scorecard_pages
from careshed.report.committee.page import Page, page_name, put_page
from careshed.report.committee.plans import plan_pages
from careshed.report.committee.services import coverage_page, gap_page, site_page, tables_with_sites, unit_page
from careshed.report.committee.summary import put_summary, summary_name
from careshed.report.stable import write_xlsx
from careshed.report.tables import choose_format
from careshed.words import Lang

if TYPE_CHECKING:
    from careshed.run import RunResult


def write_workbook(path: str | Path, result: RunResult, lang: Lang | None = None) -> Path:
    """Write everything a run found as one workbook for the committee, with a linked list of contents on its first page.

    A page a topic: the sites and units of each service, coverage of every group and limit, gaps, the plans with subsidies, years,
    alternatives and how sure each site is, the scorecard, assumptions, and every fault with file, row, reason and cure.
    Pages that have nothing to tell are left out. Numbers are numbers, text from data stays text, and the same run gives
    the same bytes.

    Parameters
    ----------
    lang
        ``zh`` or ``en``; the study's if left out.

    Raises
    ------
    ValueError
        If the suffix is not ``.xlsx``.
    PermissionError
        If the file is open in another program.
    """
    told = lang or result.study.lang
    return choose_format(path, {".xlsx": lambda to: _write(to, result, told)})


def _write(path: Path, result: RunResult, lang: Lang) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    pages = _named(_pages(result, lang), lang)
    first = put_summary(book, result, pages, lang)
    for page in pages:
        put_page(book, page, study=result.study.name, contents=first.title)
    book.active = 0
    book.properties.creator = "careshed"
    book.properties.title = result.study.name
    return write_xlsx(book, path)


def _pages(result: RunResult, lang: Lang) -> Iterator[Page]:
    tables = tables_with_sites(result)
    for one, table in zip(result.services, tables, strict=True):
        if one.plan.n_asked or len(one.plan.sites):
            yield site_page(result, one, lang)
        yield unit_page(result, one, table, lang)
    yield from plan_pages(result, lang)
    yield coverage_page(result, tables, lang)
    yield gap_page(result, lang)
    yield from scorecard_pages(result, lang)
    yield assumption_page(result, lang)
    yield from left_out_page(result, lang)
    yield fault_page(result, lang)


def _named(pages: Iterable[Page], lang: Lang) -> list[Page]:
    """Give every page a name of its own that a workbook takes."""
    found: list[Page] = []
    taken = [summary_name(lang)]
    for page in pages:
        name = page_name(page.sheet.name, taken)
        taken.append(name)
        found.append(replace(page, sheet=replace(page.sheet, name=name)))
    return found
