"""Run a study from its files to its maps and site lists, and keep a manifest of what went in and came out."""

from careshed.run.analysing import analyse, analyse_study, run_study, warm_up
from careshed.run.manifest import input_files
from careshed.run.results import Folders, RunResult, ServiceResult
from careshed.run.summary import summary_lines

__all__ = [
    "Folders",
    "RunResult",
    "ServiceResult",
    "analyse",
    "analyse_study",
    "input_files",
    "run_study",
    "summary_lines",
    "warm_up",
]
