"""Link facilities level by level: parents, orphans, longest links; pair facilities with clinics or rescue centres."""

from careshed.supply.hierarchy.levels import (
    Hierarchy,
    adjacent_share,
    build_hierarchy,
    hierarchy_times,
    match_partners,
    partner_pairs,
    split_levels,
    summary_line,
)
from careshed.supply.hierarchy.links import REASONS, Capacity, Links, Rule, link_parents
from careshed.supply.hierarchy.matching import Pairs, match_pairs
from careshed.supply.hierarchy.study import link_study

__all__ = [
    "REASONS",
    "Capacity",
    "Hierarchy",
    "Links",
    "Pairs",
    "Rule",
    "adjacent_share",
    "build_hierarchy",
    "hierarchy_times",
    "link_parents",
    "link_study",
    "match_pairs",
    "match_partners",
    "partner_pairs",
    "split_levels",
    "summary_line",
]
