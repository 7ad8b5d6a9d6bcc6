"""Find what a journey costs: every facility to every cell within a limit, and the nearest facility of every cell."""

from careshed.reach.foreign import import_travel_times
from careshed.reach.search import Seeds, Workspace, bucket_shift, nearest_labels, seeds_of, travel_times
from careshed.reach.table import read_travel_times, write_travel_times
from careshed.reach.times import UNITS, Direction, Metric, TravelTimes, cost_limit

__all__ = [
    "UNITS",
    "Direction",
    "Metric",
    "Seeds",
    "TravelTimes",
    "Workspace",
    "bucket_shift",
    "cost_limit",
    "import_travel_times",
    "nearest_labels",
    "read_travel_times",
    "seeds_of",
    "travel_times",
    "write_travel_times",
]
