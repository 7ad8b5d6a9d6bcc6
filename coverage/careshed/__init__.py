"""careshed: who can reach care on foot, who cannot, and where to build next.

The names below are the whole public interface; each is read from its module when first used, so that ``import careshed`` is
quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from careshed.access import coverage, coverage_table, find_gaps, presence
    from careshed.demo import make_demo
    from careshed.isochrones import Certificate, certify, draw_isochrones, merged_isochrones, reached_streets, surface
    from careshed.maps import write_change_map, write_map, write_places_map
    from careshed.modes import MODES, WALK_ADULT, WALK_OLDER, WALK_TODDLER, Mode
    from careshed.network import Network, attach, build_network
    from careshed.reach import TravelTimes, travel_times
    from careshed.report import write_coverage, write_faults, write_gaps, write_hierarchy, write_places, write_sites
    from careshed.run import run_study
    from careshed.schema import Fault, InputError
    from careshed.siting import SitePlan, check_plan, rank_sites
    from careshed.study import Study, init_study, open_study
    from careshed.supply.agents import rational_agents
    from careshed.supply.assignment import assign_places
    from careshed.supply.catchments import floating_catchment
    from careshed.supply.compare import close_facilities, combine_demand, compare_runs, plan_times
    from careshed.supply.equity import equity_report
    from careshed.supply.hierarchy import build_hierarchy
    from careshed.supply.score import service_score
    from careshed.supply.service import find_places

__version__ = "0.1.0"

_HOME = {
    "access": ("coverage", "coverage_table", "find_gaps", "presence"),
    "demo": ("make_demo",),
    "isochrones": ("Certificate", "certify", "draw_isochrones", "merged_isochrones", "reached_streets", "surface"),
    "maps": ("write_change_map", "write_map", "write_places_map"),
    "modes": ("MODES", "WALK_ADULT", "WALK_OLDER", "WALK_TODDLER", "Mode"),
    "network": ("Network", "attach", "build_network"),
    "reach": ("TravelTimes", "travel_times"),
    "report": ("write_coverage", "write_faults", "write_gaps", "write_hierarchy", "write_places", "write_sites"),
    "run": ("run_study",),
    "schema": ("Fault", "InputError"),
    "siting": ("SitePlan", "check_plan", "rank_sites"),
    "study": ("Study", "init_study", "open_study"),
    "supply.agents": ("rational_agents",),
    "supply.assignment": ("assign_places",),
    "supply.catchments": ("floating_catchment",),
    "supply.compare": ("close_facilities", "combine_demand", "compare_runs", "plan_times"),
    "supply.equity": ("equity_report",),
    "supply.hierarchy": ("build_hierarchy",),
    "supply.score": ("service_score",),
    "supply.service": ("find_places",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "MODES",
    "WALK_ADULT",
    "WALK_OLDER",
    "WALK_TODDLER",
    "Certificate",
    "Fault",
    "InputError",
    "Mode",
    "Network",
    "SitePlan",
    "Study",
    "TravelTimes",
    "assign_places",
    "attach",
    "build_hierarchy",
    "build_network",
    "certify",
    "check_plan",
    "close_facilities",
    "combine_demand",
    "compare_runs",
    "coverage",
    "coverage_table",
    "draw_isochrones",
    "equity_report",
    "find_gaps",
    "find_places",
    "floating_catchment",
    "init_study",
    "make_demo",
    "merged_isochrones",
    "open_study",
    "plan_times",
    "presence",
    "rank_sites",
    "rational_agents",
    "reached_streets",
    "run_study",
    "service_score",
    "surface",
    "travel_times",
    "write_change_map",
    "write_coverage",
    "write_faults",
    "write_gaps",
    "write_hierarchy",
    "write_map",
    "write_places",
    "write_places_map",
    "write_sites",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'careshed' has no attribute {name!r}")
    value = getattr(import_module(f"careshed.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
