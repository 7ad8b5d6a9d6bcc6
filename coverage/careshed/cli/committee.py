"""Offer what goes to the committee, one command each: what-if page, workbook, brief, figures, atlas, layers; decide nothing here."""

from __future__ import annotations
