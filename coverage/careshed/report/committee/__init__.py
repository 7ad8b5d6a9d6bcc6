"""Write the committee's workbook: everything a run found, in one file."""

from careshed.report.committee.book import write_workbook

__all__ = ["write_workbook"]
