"""Bring people to the ages, places and years that a study asks for, with every total kept and told."""

from careshed.demand.ages import People, age_rasters, ages_from_classes, ages_from_shares, read_age_rasters
from careshed.demand.calibrating import Calibrated, fit_ages
from careshed.demand.chain import Demand, prepare_demand
from careshed.demand.cohorts import CohortModel, children_from_births, follow, single_years
from careshed.demand.effect import effect_of_refinement, refinement_effect, tell_effect
from careshed.demand.fitting import Fit, fit_margins
from careshed.demand.growth import GrowthRate, Projected, Scenario, StatedTotals, project_people
from careshed.demand.housing import add_housing, read_housing
from careshed.demand.inputs import DemandInputs, read_demand
from careshed.demand.ledger import Ledger, Step
from careshed.demand.margins import read_margins
from careshed.demand.overlay import Spread, cell_areas, pixels_of, spread_areas, spread_to_grid, square_grid
from careshed.demand.priority import add_priority_groups, weigh_demand
from careshed.demand.refining import STREET_WEIGHTS, Refined, refine_to_buildings, refine_to_streets
from careshed.demand.spans import AgeSpan, bands_of, class_span, span_of
from careshed.settings.demand import DemandSection

__all__ = [
    "STREET_WEIGHTS",
    "AgeSpan",
    "Calibrated",
    "CohortModel",
    "Demand",
    "DemandInputs",
    "DemandSection",
    "Fit",
    "GrowthRate",
    "Ledger",
    "People",
    "Projected",
    "Refined",
    "Scenario",
    "Spread",
    "StatedTotals",
    "Step",
    "add_housing",
    "add_priority_groups",
    "age_rasters",
    "ages_from_classes",
    "ages_from_shares",
    "bands_of",
    "cell_areas",
    "children_from_births",
    "class_span",
    "effect_of_refinement",
    "fit_ages",
    "fit_margins",
    "follow",
    "pixels_of",
    "prepare_demand",
    "project_people",
    "read_age_rasters",
    "read_demand",
    "read_housing",
    "read_margins",
    "refine_to_buildings",
    "refine_to_streets",
    "refinement_effect",
    "single_years",
    "span_of",
    "spread_areas",
    "spread_to_grid",
    "square_grid",
    "tell_effect",
    "weigh_demand",
]
