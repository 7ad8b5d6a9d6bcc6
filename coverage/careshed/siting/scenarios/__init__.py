"""Say how sure we are of each site: scenarios of speed, limits, people and paths, and a plan that holds up in all of them."""

from careshed.siting.scenarios.asks import Ask, Ranking, Ruled
from careshed.siting.scenarios.costs import ScenarioTimes, scenario_times
from careshed.siting.scenarios.influence import influence_table, variance_share
from careshed.siting.scenarios.inputs import INPUTS, Limit, Paths, PopulationError, Scenario, Speed
from careshed.siting.scenarios.people import erring_cells
from careshed.siting.scenarios.robust import RobustPlan, robust_plan
from careshed.siting.scenarios.sampling import scenario_set
from careshed.siting.scenarios.streets import Routing, changed_network
from careshed.siting.scenarios.stress import Robustness, stress_plan
from careshed.siting.scenarios.trying import Trial, Tried, try_scenarios

__all__ = [
    "INPUTS",
    "Ask",
    "Limit",
    "Paths",
    "PopulationError",
    "Ranking",
    "RobustPlan",
    "Robustness",
    "Routing",
    "Ruled",
    "Scenario",
    "ScenarioTimes",
    "Speed",
    "Trial",
    "Tried",
    "changed_network",
    "erring_cells",
    "influence_table",
    "robust_plan",
    "scenario_set",
    "scenario_times",
    "stress_plan",
    "try_scenarios",
    "variance_share",
]
