"""Tell the figures of travel modes that a study sets and that change nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.intake.streets.driving import SIGNALS, STOPS_WHEELS
from careshed.modes import MODES
from careshed.schema import Fault
from careshed.settings.config import study_fault

if TYPE_CHECKING:
    from careshed.intake.elevation import Elevation
    from careshed.intake.streets import Streets
    from careshed.settings.config import Config
    from careshed.settings.sections import ModeSection

Words = tuple[str, str]


def idle_figures(path: Path, config: Config, streets: Streets, elevation: Elevation | None) -> list[Fault]:
    """Tell modes that nobody of the study travels by, and figures whose streets, crossings or heights the data do not have.

    Parameters
    ----------
    path
        The study file.
    """
    used = _used(config)
    faults = []
    for name, own in config.modes.items():
        if name not in MODES:
            continue
        if name not in used and config.policy is None:
            told = ("没有服务用此出行方式，不起作用", "no service travels by this mode: it changes nothing")
            cure = ("请核对各 [[service]] 的 mode 和 mode_by。", "Check mode and mode_by of every [[service]].")
            faults.append(replace(study_fault(path, "mode_unused", f"[modes.{name}]", told, cure), severity="noted"))
        faults += _lacking(path, name, own, streets, elevation)
    return faults


def _used(config: Config) -> set[str]:
    """Names of the modes that services, plans and the facilities' network travel by."""
    named = {mode for service in config.service for mode in (service.mode, *service.mode_by.values())}
    named |= {plan.mode for plan in config.plan if plan.mode}
    return named | ({config.hierarchy.mode} if config.hierarchy is not None else set())


def _lacking(path: Path, name: str, own: ModeSection, streets: Streets, elevation: Elevation | None) -> list[Fault]:
    """Tell figures of a mode that count something which the data lack."""
    there = _present(streets, elevation, on_foot=MODES[name].kind == "foot")
    faults = []
    for key, (zh, en) in _NEEDS.items():
        if getattr(own, key) and not there[key]:
            told = (f"{zh}，不起作用", f"{en}: it changes nothing")
            cure = ("可删去，或补充数据。", "Take it out, or add the data.")
            faults.append(replace(study_fault(path, "figure_idle", f"[modes.{name}] {key}", told, cure), severity="noted"))
    return faults


def _present(streets: Streets, elevation: Elevation | None, *, on_foot: bool) -> dict[str, bool]:
    """Say for every figure whether the data have what it counts."""
    ways = streets.ways
    crossings = set(ways["crossing"].unique()) if "crossing" in ways.columns else set()
    bits = 0 if streets.node_bits is None else int(np.bitwise_or.reduce(streets.node_bits))
    kerbs = "wheels" in ways.columns and not bool(ways["wheels"].all())
    mapped = "incline" in ways.columns and bool(np.isfinite(ways["incline"].to_numpy(dtype=float)).any())
    return {
        "crossing_s": "open" in crossings,
        "signal_s": "signals" in crossings if on_foot else bool(bits & SIGNALS),
        "steps_factor": bool(ways["steps"].any()),
        "needs_low_kerbs": kerbs or bool(bits & STOPS_WHEELS),
        "max_slope": elevation is not None or mapped,
        "hills": elevation is not None,
    }


_NEEDS: Final[dict[str, Words]] = {
    "crossing_s": ("道路中没有单独绘出的人行横道", "the streets have no crossing drawn as a way"),
    "signal_s": ("道路中没有相应的信号灯", "the streets have no signals that count for it"),
    "steps_factor": ("道路中没有台阶", "the streets have no steps"),
    "needs_low_kerbs": ("道路中没有路缘石的记录", "the streets say nothing of kerbs"),
    "max_slope": ("没有 [elevation]，道路也没有坡度", "there is no [elevation], and the streets have no slopes"),
    "hills": ("没有 [elevation]", "there is no [elevation]"),
}
"""Figure -> what the data lack where it changes nothing."""
