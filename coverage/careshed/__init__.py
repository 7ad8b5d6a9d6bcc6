"""careshed: who can reach care on foot, who cannot, and where to build next.

The names below are the whole public interface; each is read from its module when first used, so that ``import careshed`` is
quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from careshed.access import coverage, coverage_table, find_gaps, presence
    from careshed.check import CHECK_COLUMNS, check_study
    from careshed.datum import bd09_from_gcj02, gcj02_from_wgs84
    from careshed.demand import read_margins, refinement_effect, tell_effect
    from careshed.demo import make_demo
    from careshed.display import set_display_language, show
    from careshed.figures import save_figure, write_figures
    from careshed.figures.atlas import write_atlas
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
    from careshed.intake.elevation import Elevation, open_elevation
    from careshed.intake.osm import read_osm_features
    from careshed.intake.streets import read_streets
    from careshed.intake.streets.lines import edit_streets, read_street_lines
    from careshed.intake.streets.online import fetch_streets
    from careshed.intake.streets.saving import save_graphml, save_lines
    from careshed.intake.units import outline_faults, repair_units
    from careshed.isochrones import Certificate, certify, draw_isochrones, merged_isochrones, reached_streets, surface
    from careshed.maps import write_change_map, write_map, write_places_map
    from careshed.maps.index import write_index
    from careshed.maps.plan import write_plan_map
    from careshed.maps.whatif import write_whatif
    from careshed.modes import CAR, CYCLE, E_BIKE, MODES, WALK_ADULT, WALK_OLDER, WALK_TODDLER, WHEELCHAIR, Mode
    from careshed.network import Network, attach, build_network
    from careshed.policy import load_profile
    from careshed.policy.audit import audit_profile
    from careshed.policy.judging import Scorecard, judge_plan
    from careshed.policy.types import canonical_type, nearest_types, split_functions
    from careshed.reach import TravelTimes, import_travel_times, read_travel_times, travel_times, write_travel_times
    from careshed.reach.mixing import mix_times
    from careshed.report import write_coverage, write_faults, write_gaps, write_hierarchy, write_places, write_sites
    from careshed.report.brief import write_brief, write_pdf
    from careshed.report.committee import write_workbook
    from careshed.report.layers import write_layers
    from careshed.report.plan import write_plan_workbook
    from careshed.run import RunResult, ServiceResult, analyse_study, run_study
    from careshed.schema import Fault, InputError
    from careshed.siting import SitePlan, check_plan, rank_sites
    from careshed.siting.choice import evaluate_choice, read_site_list
    from careshed.siting.phasing import Phase, phases_of, plan_phases, verify_phases
    from careshed.siting.plan_check import verify_plan_file
    from careshed.siting.plan_file import read_plan_file, write_plan_file
    from careshed.siting.planning import (
        Budget,
        Demand,
        Forbidden,
        ForcedIn,
        Hosting,
        MaxCover,
        MaxServed,
        PerUnit,
        SetCover,
        Sites,
        Spacing,
        Subsidy,
        plan_sites,
        verify_plan,
    )
    from careshed.siting.reasons import explain_sites, frontier
    from careshed.siting.scenarios import Ranking, Ruled, robust_plan, scenario_set, stress_plan, try_scenarios
    from careshed.siting.studying import gave_way, plan_sentences, plan_study
    from careshed.streetcheck import check_streets, margin_report, repair_streets
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
    "access": (
        "coverage",
        "coverage_table",
        "find_gaps",
        "presence",
    ),
    "check": (
        "CHECK_COLUMNS",
        "check_study",
    ),
    "datum": (
        "bd09_from_gcj02",
        "gcj02_from_wgs84",
    ),
    "demand": (
        "read_margins",
        "refinement_effect",
        "tell_effect",
    ),
    "demo": ("make_demo",),
    "display": (
        "set_display_language",
        "show",
    ),
    "figures": (
        "save_figure",
        "write_figures",
    ),
    "figures.atlas": ("write_atlas",),
    "intake": (
        "read_candidates",
        "read_facilities",
        "read_table",
        "read_units",
    ),
    "intake.candidates": (
        "candidates_from_facilities",
        "candidates_from_osm",
        "candidates_on_lattice",
        "candidates_on_streets",
        "choose_candidates",
        "size_candidates",
    ),
    "intake.detection": ("detect_datum",),
    "intake.elevation": (
        "Elevation",
        "open_elevation",
    ),
    "intake.osm": ("read_osm_features",),
    "intake.streets": ("read_streets",),
    "intake.streets.lines": (
        "edit_streets",
        "read_street_lines",
    ),
    "intake.streets.online": ("fetch_streets",),
    "intake.streets.saving": (
        "save_graphml",
        "save_lines",
    ),
    "intake.units": (
        "outline_faults",
        "repair_units",
    ),
    "isochrones": (
        "Certificate",
        "certify",
        "draw_isochrones",
        "merged_isochrones",
        "reached_streets",
        "surface",
    ),
    "maps": (
        "write_change_map",
        "write_map",
        "write_places_map",
    ),
    "maps.index": ("write_index",),
    "maps.plan": ("write_plan_map",),
    "maps.whatif": ("write_whatif",),
    "modes": (
        "CAR",
        "CYCLE",
        "E_BIKE",
        "MODES",
        "Mode",
        "WALK_ADULT",
        "WALK_OLDER",
        "WALK_TODDLER",
        "WHEELCHAIR",
    ),
    "network": (
        "Network",
        "attach",
        "build_network",
    ),
    "policy": ("load_profile",),
    "policy.audit": ("audit_profile",),
    "policy.judging": (
        "Scorecard",
        "judge_plan",
    ),
    "policy.types": (
        "canonical_type",
        "nearest_types",
        "split_functions",
    ),
    "reach": (
        "TravelTimes",
        "import_travel_times",
        "read_travel_times",
        "travel_times",
        "write_travel_times",
    ),
    "reach.mixing": ("mix_times",),
    "report": (
        "write_coverage",
        "write_faults",
        "write_gaps",
        "write_hierarchy",
        "write_places",
        "write_sites",
    ),
    "report.brief": (
        "write_brief",
        "write_pdf",
    ),
    "report.committee": ("write_workbook",),
    "report.layers": ("write_layers",),
    "report.plan": ("write_plan_workbook",),
    "run": (
        "RunResult",
        "ServiceResult",
        "analyse_study",
        "run_study",
    ),
    "schema": (
        "Fault",
        "InputError",
    ),
    "siting": (
        "SitePlan",
        "check_plan",
        "rank_sites",
    ),
    "siting.choice": (
        "evaluate_choice",
        "read_site_list",
    ),
    "siting.phasing": (
        "Phase",
        "phases_of",
        "plan_phases",
        "verify_phases",
    ),
    "siting.plan_check": ("verify_plan_file",),
    "siting.plan_file": (
        "read_plan_file",
        "write_plan_file",
    ),
    "siting.planning": (
        "Budget",
        "Demand",
        "Forbidden",
        "ForcedIn",
        "Hosting",
        "MaxCover",
        "MaxServed",
        "PerUnit",
        "SetCover",
        "Sites",
        "Spacing",
        "Subsidy",
        "plan_sites",
        "verify_plan",
    ),
    "siting.reasons": (
        "explain_sites",
        "frontier",
    ),
    "siting.scenarios": (
        "Ranking",
        "Ruled",
        "robust_plan",
        "scenario_set",
        "stress_plan",
        "try_scenarios",
    ),
    "siting.studying": (
        "gave_way",
        "plan_sentences",
        "plan_study",
    ),
    "streetcheck": (
        "check_streets",
        "margin_report",
        "repair_streets",
    ),
    "study": (
        "Study",
        "init_study",
        "open_study",
    ),
    "supply.agents": ("rational_agents",),
    "supply.assignment": ("assign_places",),
    "supply.catchments": ("floating_catchment",),
    "supply.compare": (
        "close_facilities",
        "combine_demand",
        "compare_runs",
        "plan_times",
    ),
    "supply.equity": ("equity_report",),
    "supply.hierarchy": ("build_hierarchy",),
    "supply.score": ("service_score",),
    "supply.service": ("find_places",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "CAR",
    "CHECK_COLUMNS",
    "CYCLE",
    "E_BIKE",
    "MODES",
    "WALK_ADULT",
    "WALK_OLDER",
    "WALK_TODDLER",
    "WHEELCHAIR",
    "Budget",
    "Certificate",
    "Demand",
    "Elevation",
    "Fault",
    "Forbidden",
    "ForcedIn",
    "Hosting",
    "InputError",
    "MaxCover",
    "MaxServed",
    "Mode",
    "Network",
    "PerUnit",
    "Phase",
    "Ranking",
    "Ruled",
    "RunResult",
    "Scorecard",
    "ServiceResult",
    "SetCover",
    "SitePlan",
    "Sites",
    "Spacing",
    "Study",
    "Subsidy",
    "TravelTimes",
    "analyse_study",
    "assign_places",
    "attach",
    "audit_profile",
    "bd09_from_gcj02",
    "build_hierarchy",
    "build_network",
    "candidates_from_facilities",
    "candidates_from_osm",
    "candidates_on_lattice",
    "candidates_on_streets",
    "canonical_type",
    "certify",
    "check_plan",
    "check_streets",
    "check_study",
    "choose_candidates",
    "close_facilities",
    "combine_demand",
    "compare_runs",
    "coverage",
    "coverage_table",
    "detect_datum",
    "draw_isochrones",
    "edit_streets",
    "equity_report",
    "evaluate_choice",
    "explain_sites",
    "fetch_streets",
    "find_gaps",
    "find_places",
    "floating_catchment",
    "frontier",
    "gave_way",
    "gcj02_from_wgs84",
    "import_travel_times",
    "init_study",
    "judge_plan",
    "load_profile",
    "make_demo",
    "margin_report",
    "merged_isochrones",
    "mix_times",
    "nearest_types",
    "open_elevation",
    "open_study",
    "outline_faults",
    "phases_of",
    "plan_phases",
    "plan_sentences",
    "plan_sites",
    "plan_study",
    "plan_times",
    "presence",
    "rank_sites",
    "rational_agents",
    "reached_streets",
    "read_candidates",
    "read_facilities",
    "read_margins",
    "read_osm_features",
    "read_plan_file",
    "read_site_list",
    "read_street_lines",
    "read_streets",
    "read_table",
    "read_travel_times",
    "read_units",
    "refinement_effect",
    "repair_streets",
    "repair_units",
    "robust_plan",
    "run_study",
    "save_figure",
    "save_graphml",
    "save_lines",
    "scenario_set",
    "service_score",
    "set_display_language",
    "show",
    "size_candidates",
    "split_functions",
    "stress_plan",
    "surface",
    "tell_effect",
    "travel_times",
    "try_scenarios",
    "verify_phases",
    "verify_plan",
    "verify_plan_file",
    "write_atlas",
    "write_brief",
    "write_change_map",
    "write_coverage",
    "write_faults",
    "write_figures",
    "write_gaps",
    "write_hierarchy",
    "write_index",
    "write_layers",
    "write_map",
    "write_pdf",
    "write_places",
    "write_places_map",
    "write_plan_file",
    "write_plan_map",
    "write_plan_workbook",
    "write_sites",
    "write_travel_times",
    "write_whatif",
    "write_workbook",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'careshed' has no attribute {name!r}")
    value = getattr(import_module(f"careshed.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
