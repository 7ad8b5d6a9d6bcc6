"""Name why people cannot be judged, cause by cause, as they stand in the cells of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.words import Lang, pick, whole_parts

if TYPE_CHECKING:
    import pandas as pd

    from careshed.reach import TravelTimes

CAUSES: Final[dict[str, tuple[str, str, str]]] = {
    "far": ("附近没有街道", "joins no street", "join no street"),
    "barrier": ("被围墙、水面等阻隔", "is shut in by walls, water or railways", "are shut in by walls, water or railways"),
    "islet": (
        "所在道路与主路网不连通", "lives on streets cut off from the main network",
        "live on streets cut off from the main network",
    ),
    "table": ("不在导入的表中", "is in no row of the imported table", "are in no row of the imported table"),
}  # fmt: skip
"""`TravelTimes.cell_fault` -> what keeps its people from being judged: Chinese, English of one person, of several."""


def unjudged_text(times: TravelTimes, people: pd.Series, shown: int, lang: Lang) -> str:
    """Say how many people cannot be judged and why; counts by cause add up to the number shown.

    Parameters
    ----------
    people
        People of every cell, by its id.
    shown
        Number of people who cannot be judged, as rounded everywhere.

    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> from careshed.modes import WALK_OLDER
    >>> times = SimpleNamespace(cell_ids=pd.RangeIndex(3), cell_fault=np.array(["far", "", "islet"]), mode=WALK_OLDER)
    >>> unjudged_text(times, pd.Series([10.0, 5.0, 0.0]), 10, "en")
    '10 join no street and cannot be judged'
    >>> unjudged_text(times, pd.Series([10.0, 5.0, 2.0]), 12, "zh")
    '12 人无法判断（10 人附近没有街道，2 人所在道路与主路网不连通）'
    """
    here = people.reindex(times.cell_ids).to_numpy(dtype=float)
    sums = {cause: float(here[np.asarray(times.cell_fault) == cause].sum()) for cause in CAUSES}
    found = {cause: number for cause, number in sums.items() if number > 0}
    counts = dict(zip(found, whole_parts(shown, tuple(found.values())), strict=True)) if found else {}
    told = [(number, _cause(cause, number, lang) + _ways(times, cause, lang)) for cause, number in counts.items() if number]
    if not told:
        return pick(lang, f"{shown:,} 人无法判断", f"{shown:,} cannot be judged")
    if len(told) == 1:
        return pick(lang, f"{shown:,} 人{told[0][1]}、无法判断", f"{shown:,} {told[0][1]} and cannot be judged")
    listed = pick(lang, "，", ", ").join(pick(lang, f"{number:,} 人{why}", f"{number:,} {why}") for number, why in told)
    return pick(lang, f"{shown:,} 人无法判断（{listed}）", f"{shown:,} cannot be judged ({listed})")


def _cause(cause: str, number: int, lang: Lang) -> str:
    """Name a cause for so many people."""
    zh, one, several = CAUSES[cause]
    return pick(lang, zh, one if number == 1 else several)


def _ways(times: TravelTimes, cause: str, lang: Lang) -> str:
    """Say what else cuts streets off for a mode that takes no steps: to walkers they may well be joined."""
    modes = [mode for mode in times.mode.parts or (times.mode,) if not mode.uses_steps]
    if cause != "islet" or not modes:
        return ""
    names = pick(lang, "、", ", ").join(pick(lang, mode.zh, mode.en) for mode in modes)
    steep = any(mode.max_slope is not None for mode in modes)
    zh, en = ("不走台阶和陡坡", "takes no steps or steep slopes") if steep else ("不走台阶", "takes no steps")
    return pick(lang, f"（{names}{zh}）", f" ({names} {en})")
