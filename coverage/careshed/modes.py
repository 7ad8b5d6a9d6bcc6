"""State how people travel: speeds, permitted ways, penalties, and where each figure comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Mode:
    """One way of travelling; a network is built for one mode."""

    name: str
    """Stable name, as a study writes it."""
    speed_kmh: float
    """Walking speed along streets, km/h."""
    leg_speed_kmh: float
    """Speed between a place and its street, in a straight line, km/h."""
    zh: str
    en: str
    source: str
    """Where the figures come from."""
    source_zh: str = ""
    """The same in Chinese; `source` if empty."""
    uses_steps: bool = True
    """Whether flights of steps may be used."""
    steps_factor: float = 1.0
    """Time on steps as a multiple of the time on level street."""


WALK_ADULT: Final = Mode(
    name="adult",
    speed_kmh=4.8,
    leg_speed_kmh=4.8,
    zh="成年人步行",
    en="adult on foot",
    source="1.33 m/s; planners' usual figure, so that 15 minutes is 1,200 m",
    source_zh="1.33 米/秒，规划常用值，15 分钟合 1,200 米",
)

WALK_OLDER: Final = Mode(
    name="older",
    speed_kmh=3.6,
    leg_speed_kmh=3.6,
    zh="老年人步行",
    en="older adult on foot",
    source="1.0 m/s, design speed for people over 60 at crossings (Coffin and Morrall, 1995, TRR 1487)",
    source_zh="1.0 米/秒，60 岁以上老人过街设计步速（Coffin 和 Morrall，1995，TRR 1487）",
    steps_factor=2.0,
)

WALK_TODDLER: Final = Mode(
    name="toddler",
    speed_kmh=3.6,
    leg_speed_kmh=3.6,
    zh="带幼儿步行",
    en="adult with a toddler on foot",
    source="assumption: 1.0 m/s, pushchairs carried on no steps; set it in the study where a local figure exists",
    source_zh="假设值：1.0 米/秒，推婴儿车不走台阶；如有本地数据请在研究文件中设置",
    uses_steps=False,
)

MODES: Final[dict[str, Mode]] = {mode.name: mode for mode in (WALK_ADULT, WALK_OLDER, WALK_TODDLER)}
"""Shipped modes by name."""
