"""Say what the projects under way and in reserve would bring: people in reach, rules met, cost and subsidy."""

from careshed.policy.pipeline.money import STAGES, Build, Stage
from careshed.policy.pipeline.stages import Pipeline, pipeline, promoted

__all__ = ["STAGES", "Build", "Pipeline", "Stage", "pipeline", "promoted"]
