"""Audit a study's own files: what is likely wrong in them, where, what to do, and how many people it concerns."""

from careshed.check.checking import check_faults, check_study
from careshed.check.model import BASES, CHECK_COLUMNS, KINDS, WEIGHTS, CheckReport, Finding, Fix

__all__ = ["BASES", "CHECK_COLUMNS", "KINDS", "WEIGHTS", "CheckReport", "Finding", "Fix", "check_faults", "check_study"]
