"""Choose sites: rules to constraints, exact and heuristic solving with a proven bound, ranking with reasons."""

from careshed.siting.plan import SitePlan, check_plan
from careshed.siting.rank import rank_sites

__all__ = ["SitePlan", "check_plan", "rank_sites"]
