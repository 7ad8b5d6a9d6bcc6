"""Recompute a plan's own numbers: sums, ratios, shares, schedules and dates that do not close."""

from careshed.policy.audit.auditing import audit_book, audit_profile
from careshed.policy.audit.loading import audited_profiles, read_book
from careshed.policy.audit.page import write_audit
from careshed.policy.audit.results import Audit, Check, Figure
from careshed.policy.audit.telling import audit_table, audit_text

__all__ = [
    "Audit",
    "Check",
    "Figure",
    "audit_book",
    "audit_profile",
    "audit_table",
    "audit_text",
    "audited_profiles",
    "read_book",
    "write_audit",
]
