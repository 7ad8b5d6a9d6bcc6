"""State how people travel: speeds, permitted ways, penalties, and where each figure comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["foot", "cycle", "car"]
"""Whose rules of the road a mode follows."""

Hills = Literal["none", "tobler", "parkin"]
"""How slopes slow travel, see `careshed.network.slopes.speed_factor`; without an elevation model every street is level."""


@dataclass(frozen=True)
class Figure:
    """Where one figure of a mode comes from."""

    name: str
    """The field of `Mode`."""
    en: str
    zh: str


@dataclass(frozen=True)
class Mode:
    """One way of travelling; a network is built for one mode."""

    name: str
    """Stable name, as a study writes it."""
    speed_kmh: float
    """Speed along level streets, km/h; of a car, on classes of street that `speeds_kmh` does not name."""
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
    kind: Kind = "foot"
    """Whose rules of the road hold: which ways are permitted, and in which direction."""
    speeds_kmh: tuple[tuple[str, float], ...] = ()
    """Speed by class of street (OSM's ``highway``), km/h; other classes go by `speed_kmh`."""
    maxspeed_share: float | None = None
    """Where a street's limit is known, travel is at this share of it, whatever its class says; None: limits are not used."""
    crossing_s: float = 0.0
    """Wait at a crossing without signals, seconds; for walkers at crossings that are mapped as ways of their own."""
    signal_s: float = 0.0
    """Wait at signals, seconds; for walkers at signalled crossings, for others at every signalled junction passed."""
    max_slope: float | None = None
    """Steepest slope travelled, rise over run (≤); None for any. Steeper ways are closed."""
    needs_low_kerbs: bool = False
    """Whether kerbs mapped as raised stop travel, and ways tagged ``wheelchair=no``."""
    hills: Hills = "none"
    """How slopes slow or speed travel, where the study has an elevation model."""
    figures: tuple[Figure, ...] = ()
    """Source of each figure."""
    parts: tuple[Mode, ...] = ()
    """The modes that this one names together, where different people travel by different ones; () for a mode of its own."""

    @property
    def top_speed_kmh(self) -> float:
        """The fastest that this mode can go where no limit is mapped, km/h."""
        return max([self.speed_kmh, *(speed for _, speed in self.speeds_kmh)])

    def speed_on(self, highway: str) -> float:
        """Speed on a class of street, km/h.

        >>> CAR.speed_on("residential"), CAR.speed_on("bridleway"), WALK_OLDER.speed_on("residential")
        (25.0, 25.0, 3.6)
        """
        return dict(self.speeds_kmh).get(highway, self.speed_kmh)


_TOBLER: Final = Figure("hills", "Tobler, 1993, with 1 on the level", "Tobler（1993），平地取 1")
_PARKIN: Final = Figure(
    "hills", "Parkin and Rotheram, 2010: −1.44 km/h each 1 % up", "Parkin 和 Rotheram（2010）：每升 1% 减 1.44 公里/时"
)

WALK_ADULT: Final = Mode(
    name="adult",
    speed_kmh=4.8,
    leg_speed_kmh=4.8,
    zh="成年人步行",
    en="adult on foot",
    source="1.33 m/s; planners' usual figure, so that 15 minutes is 1,200 m",
    source_zh="1.33 米/秒，规划常用值，15 分钟合 1,200 米",
    hills="tobler",
    figures=(
        Figure("speed_kmh", "planners' usual figure: 15 minutes is 1,200 m", "规划常用值：15 分钟合 1,200 米"),
        Figure("leg_speed_kmh", "as along streets", "与沿街步速相同"),
        _TOBLER,
    ),
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
    hills="tobler",
    figures=(
        Figure("speed_kmh", "Coffin and Morrall, 1995, TRR 1487: 1.0 m/s", "Coffin 和 Morrall，1995，TRR 1487：1.0 米/秒"),
        Figure("leg_speed_kmh", "as along streets", "与沿街步速相同"),
        Figure("steps_factor", "assumption: steps take twice as long as level street", "假设值：台阶用时为平路的 2 倍"),
        _TOBLER,
    ),
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
    hills="tobler",
    figures=(
        Figure("speed_kmh", "assumption: 1.0 m/s", "假设值：1.0 米/秒"),
        Figure("leg_speed_kmh", "as along streets", "与沿街步速相同"),
        Figure("uses_steps", "assumption: a pushchair is carried on no steps", "假设：推婴儿车不走台阶"),
        _TOBLER,
    ),
)

WHEELCHAIR: Final = Mode(
    name="wheelchair",
    speed_kmh=2.5,
    leg_speed_kmh=2.5,
    zh="轮椅出行",
    en="wheelchair",
    source="0.69 m/s, manual wheelchair on the level (Boyce, Shields and Silcock, 1999, Fire Technology 35); slopes up to 1:12",
    source_zh="0.69 米/秒，手动轮椅平地均值（Boyce、Shields 和 Silcock，1999，Fire Technology 35）；坡度不超过 1:12",
    uses_steps=False,
    max_slope=1 / 12,
    needs_low_kerbs=True,
    hills="tobler",
    figures=(
        Figure(
            "speed_kmh",
            "Boyce, Shields and Silcock, 1999, Fire Technology 35: manual wheelchair, level, 0.69 m/s",
            "Boyce、Shields 和 Silcock，1999，Fire Technology 35：手动轮椅平地 0.69 米/秒",
        ),
        Figure("leg_speed_kmh", "as along streets", "与沿街速度相同"),
        Figure("uses_steps", "wheelchairs take no steps", "轮椅不走台阶"),
        Figure("max_slope", "GB 50763-2012: ramps of up to 1:12", "GB 50763-2012：轮椅坡道最大坡度 1:12"),
        Figure("needs_low_kerbs", "kerbs mapped as raised stop a wheelchair", "标为未降低的路缘石阻断轮椅"),
        _TOBLER,
    ),
)

CYCLE: Final = Mode(
    name="cycle",
    speed_kmh=12.0,
    leg_speed_kmh=4.8,
    zh="自行车",
    en="bicycle",
    source="assumption: 12 km/h, within the 10 to 15 km/h that planners use; set it in the study where a local figure exists",
    source_zh="假设值：12 公里/时，在规划常用的 10–15 公里/时之内；如有本地数据请在研究文件中设置",
    uses_steps=False,
    kind="cycle",
    hills="parkin",
    figures=(
        Figure("speed_kmh", "assumption: 12 km/h, planners use 10 to 15", "假设值：12 公里/时，规划常用 10–15"),
        Figure("leg_speed_kmh", "on foot: 4.8 km/h, as an adult walks", "步行：4.8 公里/时，同成年人步速"),
        Figure("uses_steps", "cycles take no steps", "自行车不走台阶"),
        _PARKIN,
    ),
)

E_BIKE: Final = Mode(
    name="e_bike",
    speed_kmh=15.0,
    leg_speed_kmh=4.8,
    zh="电动自行车",
    en="e-bike",
    source="15 km/h, the most that article 58 of China's Road Traffic Safety Law allows in cycle lanes",
    source_zh="15 公里/时，《道路交通安全法》第五十八条规定的非机动车道最高时速",
    uses_steps=False,
    kind="cycle",
    figures=(
        Figure(
            "speed_kmh",
            "Road Traffic Safety Law of China, art. 58",
            "《道路交通安全法》第五十八条",
        ),
        Figure("leg_speed_kmh", "on foot: 4.8 km/h, as an adult walks", "步行：4.8 公里/时，同成年人步速"),
        Figure("uses_steps", "cycles take no steps", "自行车不走台阶"),
    ),
)

CAR: Final = Mode(
    name="car",
    speed_kmh=25.0,
    leg_speed_kmh=4.8,
    zh="小汽车",
    en="car",
    source="free flow by class of street, 80 % of a mapped limit, 2 s at signals (OSRM's car profile); no congestion, no turns",
    source_zh="各级道路自由流速度，已标限速取其 80%，信号灯 2 秒（OSRM 小汽车参数）；不计拥堵与转弯",
    uses_steps=False,
    kind="car",
    speeds_kmh=(
        ("motorway", 90.0),
        ("motorway_link", 45.0),
        ("trunk", 85.0),
        ("trunk_link", 40.0),
        ("primary", 65.0),
        ("primary_link", 30.0),
        ("secondary", 55.0),
        ("secondary_link", 25.0),
        ("tertiary", 40.0),
        ("tertiary_link", 20.0),
        ("unclassified", 25.0),
        ("residential", 25.0),
        ("living_street", 10.0),
        ("service", 15.0),
        ("track", 15.0),
        ("road", 25.0),
    ),
    maxspeed_share=0.8,
    signal_s=2.0,
    figures=(
        Figure("speed_kmh", "as on residential streets", "同住宅道路"),
        Figure("speeds_kmh", "OSRM's car profile; tracks: assumption, 15 km/h", "OSRM 小汽车参数；机耕路为假设值 15 公里/时"),
        Figure("maxspeed_share", "OSRM's car profile: 80 % of a mapped limit", "OSRM 小汽车参数：已标限速的 80%"),
        Figure("signal_s", "OSRM's car profile: 2 s", "OSRM 小汽车参数：2 秒"),
        Figure("leg_speed_kmh", "on foot: 4.8 km/h, as an adult walks", "步行：4.8 公里/时，同成年人步速"),
        Figure("uses_steps", "cars take no steps", "汽车不走台阶"),
    ),
)


def mode_from(stated: Mapping[str, Any]) -> Mode:
    """Make a mode of what `dataclasses.asdict` gave, lists for tuples included, as a file keeps it.

    >>> from dataclasses import asdict
    >>> import json
    >>> mode_from(json.loads(json.dumps(asdict(CAR)))) == CAR
    True
    """
    speeds = tuple((str(kind), float(speed)) for kind, speed in stated.get("speeds_kmh", ()))
    figures = tuple(Figure(**figure) for figure in stated.get("figures", ()))
    parts = tuple(mode_from(part) for part in stated.get("parts", ()))
    return Mode(**(dict(stated) | {"speeds_kmh": speeds, "figures": figures, "parts": parts}))


MODES: Final[dict[str, Mode]] = {
    mode.name: mode for mode in (WALK_ADULT, WALK_OLDER, WALK_TODDLER, WHEELCHAIR, CYCLE, E_BIKE, CAR)
}
"""Shipped modes by name."""
