"""Plan sites over years: means by year, what is built stays, early access counts, and what nesting costs is told."""

from careshed.siting.phasing.phase import Phase, Unused, weights_of
from careshed.siting.phasing.phasing import plan_phases
from careshed.siting.phasing.plan import NestingCost, PhasedPlan, PhaseStage
from careshed.siting.phasing.schedule import phases_by_year, phases_of
from careshed.siting.phasing.verify import verify_phases

__all__ = [
    "NestingCost",
    "Phase",
    "PhaseStage",
    "PhasedPlan",
    "Unused",
    "phases_by_year",
    "phases_of",
    "plan_phases",
    "verify_phases",
    "weights_of",
]
