"""Detect the datum of points by how they sit on streets and in their units; only say, never apply."""

from careshed.intake.detection.detecting import FEWEST_POINTS, detect_datum, raw_degrees
from careshed.intake.detection.ground import NearStreets
from careshed.intake.detection.hypotheses import HYPOTHESES, Hypothesis, undo
from careshed.intake.detection.verdict import DatumVerdict, Score

__all__ = [
    "FEWEST_POINTS",
    "HYPOTHESES",
    "DatumVerdict",
    "Hypothesis",
    "NearStreets",
    "Score",
    "detect_datum",
    "raw_degrees",
    "undo",
]
