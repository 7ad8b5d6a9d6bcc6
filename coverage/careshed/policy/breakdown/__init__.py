"""Break a city's target down to counties, streets and years, so that every sum closes and the key is printed."""

from careshed.policy.breakdown.rules import break_down_rule
from careshed.policy.breakdown.sharing import Breakdown, break_down, break_down_further, hamilton

__all__ = ["Breakdown", "break_down", "break_down_further", "break_down_rule", "hamilton"]
