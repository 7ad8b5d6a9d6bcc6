"""Give the reasons for a plan: what each site is good for, and where building more stops paying."""

from careshed.siting.reasons.bend import Bend
from careshed.siting.reasons.curve import Frontier, Point, frontier
from careshed.siting.reasons.explain import SiteReasons, explain_sites

__all__ = ["Bend", "Frontier", "Point", "SiteReasons", "explain_sites", "frontier"]
