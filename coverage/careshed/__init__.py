"""careshed: who can reach care on foot, who cannot, and where to build next.

The names below are the whole public interface; each is read from its module when first used, so that ``import careshed`` is
quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from careshed.access import coverage, coverage_table, find_gaps, presence
    from careshed.check import check_study
    from careshed.demo import make_demo
    from careshed.intake import read_candidates, read_facilities, read_table, read_units
    from careshed.intake.candidates import (
        candidates_from_facilities,
        candidates_from_osm,
        candidates_on_lattice,
        candidates_on_streets,
        choose_candidates,
        size_candidates,
    )
    from careshed.intake.detection import detect_datum
    from careshed.intake.osm import read_osm_features
    from careshed.intake.units import outline_faults, repair_units
    from careshed.isochrones import Certificate, certify, draw_isochrones, merged_isochrones, reached_streets, surface
    from careshed.maps import write_change_map, write_map, write_places_map
    from careshed.modes import MODES, WALK_ADULT, WALK_OLDER, WALK_TODDLER, Mode
    from careshed.network import Network, attach, build_network
    from careshed.policy import load_profile
    from careshed.policy.audit import audit_profile
    from careshed.policy.judging import Scorecard, judge_plan
    from careshed.reach import TravelTimes, travel_times
    from careshed.report import write_coverage, write_faults, write_gaps, write_hierarchy, write_places, write_sites
    from careshed.run import run_study
    from careshed.schema import Fault, InputError
    from careshed.siting import SitePlan, check_plan, rank_sites
    from careshed.siting.planning import plan_sites, verify_plan
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
    "check": ("check_study",),
    "demo": ("make_demo",),
    "intake": ("read_candidates", "read_facilities", "read_table", "read_units"),
    "intake.candidates": (
        "candidates_from_facilities",
        "candidates_from_osm",
        "candidates_on_lattice",
        "candidates_on_streets",
        "choose_candidates",
        "size_candidates",
    ),
    "intake.detection": ("detect_datum",),
    "intake.osm": ("read_osm_features",),
    "intake.units": ("outline_faults", "repair_units"),
    "isochrones": ("Certificate", "certify", "draw_isochrones", "merged_isochrones", "reached_streets", "surface"),
    "maps": ("write_change_map", "write_map", "write_places_map"),
    "modes": ("MODES", "WALK_ADULT", "WALK_OLDER", "WALK_TODDLER", "Mode"),
    "network": ("Network", "attach", "build_network"),
    "policy": ("load_profile",),
    "policy.audit": ("audit_profile",),
    "policy.judging": ("Scorecard", "judge_plan"),
    "reach": ("TravelTimes", "travel_times"),
    "report": ("write_coverage", "write_faults", "write_gaps", "write_hierarchy", "write_places", "write_sites"),
    "run": ("run_study",),
    "schema": ("Fault", "InputError"),
    "siting": ("SitePlan", "check_plan", "rank_sites"),
    "siting.planning": ("plan_sites", "verify_plan"),
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
    "Scorecard",
    "SitePlan",
    "Study",
    "TravelTimes",
    "assign_places",
    "attach",
    "audit_profile",
    "build_hierarchy",
    "build_network",
    "candidates_from_facilities",
    "candidates_from_osm",
    "candidates_on_lattice",
    "candidates_on_streets",
    "certify",
    "check_plan",
    "check_study",
    "choose_candidates",
    "close_facilities",
    "combine_demand",
    "compare_runs",
    "coverage",
    "coverage_table",
    "detect_datum",
    "draw_isochrones",
    "equity_report",
    "find_gaps",
    "find_places",
    "floating_catchment",
    "init_study",
    "judge_plan",
    "load_profile",
    "make_demo",
    "merged_isochrones",
    "open_study",
    "outline_faults",
    "plan_sites",
    "plan_times",
    "presence",
    "rank_sites",
    "rational_agents",
    "reached_streets",
    "read_candidates",
    "read_facilities",
    "read_osm_features",
    "read_table",
    "read_units",
    "repair_units",
    "run_study",
    "service_score",
    "size_candidates",
    "surface",
    "travel_times",
    "verify_plan",
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
