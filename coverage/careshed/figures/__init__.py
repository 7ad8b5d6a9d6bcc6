"""Draw maps and charts for slides, reports and the atlas: matplotlib figures without a window, in Chinese and English."""

from careshed.figures.charts import gain_figure, lorenz_figure, units_figure
from careshed.figures.effort import frontier_figure, phases_figure
from careshed.figures.fonts import typeface
from careshed.figures.maps import coverage_figure, gaps_figure, isochrone_figure, population_figure
from careshed.figures.page import SLIDE_MM
from careshed.figures.plans import plan_figure
from careshed.figures.saving import save_figure
from careshed.figures.writing import write_figures

__all__ = [
    "SLIDE_MM",
    "coverage_figure",
    "frontier_figure",
    "gain_figure",
    "gaps_figure",
    "isochrone_figure",
    "lorenz_figure",
    "phases_figure",
    "plan_figure",
    "population_figure",
    "save_figure",
    "typeface",
    "units_figure",
    "write_figures",
]
