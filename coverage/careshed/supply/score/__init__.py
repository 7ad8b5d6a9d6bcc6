"""Score the service capacity of units, every part visible, and show how far the ranks hang on the weights."""

from careshed.supply.score.indicators import SERVICE_INDICATORS, service_indicators
from careshed.supply.score.making import Indicator, Score, service_score
from careshed.supply.score.ranks import exact_ranks, rank_ranges

__all__ = [
    "SERVICE_INDICATORS",
    "Indicator",
    "Score",
    "exact_ranks",
    "rank_ranges",
    "service_indicators",
    "service_score",
]
