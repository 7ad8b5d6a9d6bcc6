"""Write the brief of a run: a paper of a few pages that a planner signs."""

from careshed.report.brief.converting import find_office, need_office, write_pdf
from careshed.report.brief.writing import write_brief

__all__ = ["find_office", "need_office", "write_brief", "write_pdf"]
