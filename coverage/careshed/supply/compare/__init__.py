"""Compare scenarios: before and after a plan, a closure, a new bridge, two years; demand at work beside demand at home."""

from careshed.supply.compare.revised import RevisedTimes, close_facilities, plan_times
from careshed.supply.compare.runs import STATES, Comparison, State, compare_runs
from careshed.supply.compare.workplaces import combine_demand

__all__ = [
    "STATES",
    "Comparison",
    "RevisedTimes",
    "State",
    "close_facilities",
    "combine_demand",
    "compare_runs",
    "plan_times",
]
