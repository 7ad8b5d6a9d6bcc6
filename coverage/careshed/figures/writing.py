"""Write all figures of a run into one folder, named by service and plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from careshed.figures.charts import gain_figure, lorenz_figure, units_figure
from careshed.figures.effort import frontier_figure, phases_figure
from careshed.figures.maps import coverage_figure, gaps_figure, isochrone_figure, population_figure
from careshed.figures.plans import plan_figure
from careshed.figures.saving import save_figure
from careshed.words import Lang

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from careshed.run import RunResult

Drawn = tuple[str, Callable[[], "Figure"]]


def write_figures(folder: str | Path, result: RunResult, lang: Lang | None = None, *, svg: bool = False) -> list[Path]:
    """Write every figure of a run as PNG for slides, on request as SVG too.

    Parameters
    ----------
    folder
        Made if it is not there. Files are named ``SERVICE_figure.png`` and ``plan_ID_figure.png``.

    Returns
    -------
    list of pathlib.Path
        The files, in the order of the services and plans.

    Raises
    ------
    careshed.schema.InputError
        If Chinese is to be drawn and no Chinese font is installed; nothing is written then.
    """
    written: list[Path] = []
    for name, draw in figures_of(result, lang or result.study.lang):
        figure = draw()
        suffixes = (".png", ".svg") if svg else (".png",)
        written.extend(save_figure(figure, Path(folder) / f"{name}{suffix}") for suffix in suffixes)
    return written


def figures_of(result: RunResult, lang: Lang) -> Iterator[Drawn]:
    """List the figures of a run, each with the way to draw it, so that one is held at a time."""
    study = result.study
    for one in result.services:
        kinds: list[tuple[str, Callable[..., Figure]]] = [
            *([("isochrones", isochrone_figure)] if len(one.isochrones) else []),  # of imported times there are none
            ("coverage", coverage_figure),
            ("gaps", gaps_figure),
            ("population", population_figure),
            ("fairness", lorenz_figure),
        ]
        if len(one.plan.sites):
            kinds += [("sites", plan_figure), ("units", units_figure), ("gain", gain_figure)]
        for kind, draw in kinds:
            yield f"{_plain(one.service.id)}_{kind}", partial(draw, study, one, lang)
    for solved in result.plans:
        drawn: list[tuple[str, Callable[..., Figure]]] = [("sites", plan_figure), ("units", units_figure)]
        drawn += [("frontier", frontier_figure)] if solved.extras.curve is not None else []
        drawn += [("years", phases_figure)] if solved.phased is not None else []
        for kind, draw in drawn:
            yield f"plan_{_plain(solved.section.id)}_{kind}", partial(draw, study, solved, lang)


def _plain(name: str) -> str:
    """Make an id fit for a file's name."""
    return re.sub(r"[^\w-]+", "_", name)
