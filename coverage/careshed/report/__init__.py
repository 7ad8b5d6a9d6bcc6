"""Write what a committee reads: site lists, coverage, gaps and faults as workbooks, CSV and GeoJSON."""

from careshed.report.fairness import write_comparison, write_fairness, write_score
from careshed.report.hierarchy import write_hierarchy
from careshed.report.places import write_places
from careshed.report.sites import plan_words, write_gaps, write_sites
from careshed.report.stable import write_xlsx
from careshed.report.tables import write_coverage, write_faults, write_layer

__all__ = [
    "plan_words",
    "write_comparison",
    "write_coverage",
    "write_fairness",
    "write_faults",
    "write_gaps",
    "write_hierarchy",
    "write_layer",
    "write_places",
    "write_score",
    "write_sites",
    "write_xlsx",
]
