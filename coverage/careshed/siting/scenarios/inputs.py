"""Write down what a plan is unsure of: walking speed, limit, population, paths; and one scenario as a set of such changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal

from careshed.words import Lang, group_name, pick

Together = Literal["cell", "block", "unit", "all"]
"""Which cells share one error: none, those of a square block, those of one unit, all."""

Kind = Literal["one", "combined", "stated"]
"""How a scenario came about: one input moved alone, all inputs drawn together, or written by the planner."""

INPUTS: Final[dict[str, tuple[str, str]]] = {
    "speed": ("步行速度", "walking speed"),
    "limit": ("时限或距离", "limit"),
    "population": ("人口误差", "population error"),
    "paths": ("缺失或新增路段", "missing or added paths"),
}
"""Uncertain input -> (Chinese, English)."""


@dataclass(frozen=True)
class Speed:
    """How fast people walk, as a multiple of the mode's speed."""

    factor: float = 1.0
    """Of the speed along streets; 0.8 is a fifth slower."""
    leg_factor: float | None = None
    """Of the speed between a place and its street; None for the same factor. Another one needs routing again."""
    steps_factor: float | None = None
    """Time on steps as a multiple of level street, in place of the mode's; None keeps it. Another one needs routing again."""

    @property
    def changes(self) -> bool:
        """Whether anything differs from the mode."""
        return self != Speed()

    @property
    def uniform(self) -> bool:
        """Whether every part of a way scales by the same factor."""
        return self.leg_factor in (None, self.factor) and self.steps_factor is None


@dataclass(frozen=True)
class Limit:
    """Another limit than the plan's: a factor of it, or a stated one."""

    factor: float = 1.0
    minutes: float | None = None
    metres: float | None = None
    """A stated limit takes the place of every limit of the plan and of the factor."""


@dataclass(frozen=True)
class PopulationError:
    """How wrong the population may be: a drawn error per cell, stated factors, or both."""

    relative_se: float = 0.0
    """Relative standard error of a cell's people; drawn log-normally with mean 1, so that no count falls below 0."""
    together: Together = "block"
    """Which cells err together."""
    block_m: float = 1000.0
    """Side of a block, metres, on the grid of the cells' coordinates."""
    shared: float = 1.0
    """Share of the (log) variance that the cells of a block or unit have in common; the rest is each cell's own."""
    seed: int = 0
    group_factors: tuple[tuple[str, float], ...] = ()
    """Group -> factor on its people, everywhere."""
    unit_factors: tuple[tuple[str, float], ...] = ()
    """Unit code -> factor on all people on cells whose column ``unit`` names it."""

    @property
    def changes(self) -> bool:
        """Whether any count differs."""
        return bool(self.relative_se or self.group_factors or self.unit_factors)


@dataclass(frozen=True)
class Paths:
    """Paths that the map has and the ground has not, and the other way round."""

    missing_share: float = 0.0
    """Share of the edges of `classes` that are taken out at random, 0 to 1; each edge by its own draw."""
    classes: tuple[str, ...] = ()
    """Values of the ways' ``highway``, such as ``footway``."""
    seed: int = 0
    links: tuple[tuple[float, float, float, float], ...] = ()
    """Straight links that are added: x and y of one end and of the other, metres, each joined to the nearest junction."""

    @property
    def changes(self) -> bool:
        """Whether the network differs."""
        return self.missing_share > 0 or bool(self.links)


@dataclass(frozen=True)
class Scenario:
    """One state of the world that a plan is tried in."""

    id: str
    speed: Speed = field(default_factory=Speed)
    limit: Limit = field(default_factory=Limit)
    population: PopulationError = field(default_factory=PopulationError)
    paths: Paths = field(default_factory=Paths)
    zh: str = ""
    en: str = ""
    """Its own name for the reader; empty for one made of what changes."""
    kind: Kind = "stated"
    varied: str = ""
    """The input moved alone, a key of `INPUTS`, where `kind` is ``"one"``."""
    strata: tuple[tuple[str, int], ...] = ()
    """Input -> stratum it was drawn from, where `kind` is ``"combined"``."""

    def label(self, lang: Lang = "zh") -> str:
        """Name the scenario for the reader.

        >>> Scenario("s", speed=Speed(0.8), limit=Limit(minutes=12)).label("en")
        'walking speed ×0.8; limit 12 minutes'
        >>> Scenario("s", population=PopulationError(0.2, seed=3)).label("zh")
        '人口误差 ±20%（第 3 次抽样）'
        """
        own = pick(lang, self.zh, self.en)
        return own or pick(lang, "；", "; ").join(_parts(self, lang)) or pick(lang, "不变", "nothing changed")

    @property
    def reroutes(self) -> bool:
        """Whether travel costs must be found anew: paths differ, or not every part of a way scales alike."""
        return self.paths.changes or not self.speed.uniform


def exact(factor: float) -> Fraction:
    """Take a factor as the decimal that was written.

    >>> exact(0.8)
    Fraction(4, 5)
    """
    return Fraction(str(float(factor)))


def _parts(scenario: Scenario, lang: Lang) -> list[str]:
    return [*_speed(scenario.speed, lang), *_limit(scenario.limit, lang), *_people(scenario.population, lang),
            *_paths(scenario.paths, lang)]  # fmt: skip


def _speed(speed: Speed, lang: Lang) -> list[str]:
    told = []
    if speed.factor != 1.0:
        told.append(pick(lang, f"步行速度 ×{speed.factor:g}", f"walking speed ×{speed.factor:g}"))
    if speed.leg_factor not in (None, speed.factor):
        told.append(pick(lang, f"接驳段速度 ×{speed.leg_factor:g}", f"speed to the street ×{speed.leg_factor:g}"))
    if speed.steps_factor is not None:
        told.append(pick(lang, f"台阶用时为平路的 {speed.steps_factor:g} 倍", f"steps take {speed.steps_factor:g} times as long"))
    return told


def _limit(limit: Limit, lang: Lang) -> list[str]:
    if limit.minutes is not None:
        return [pick(lang, f"时限 {limit.minutes:g} 分钟", f"limit {limit.minutes:g} minutes")]
    if limit.metres is not None:
        return [pick(lang, f"距离 {limit.metres:g} 米", f"limit {limit.metres:g} metres")]
    return [pick(lang, f"时限 ×{limit.factor:g}", f"limit ×{limit.factor:g}")] if limit.factor != 1.0 else []


def _people(error: PopulationError, lang: Lang) -> list[str]:
    told = []
    if error.relative_se:
        share = f"±{error.relative_se:.0%}"
        told.append(pick(lang, f"人口误差 {share}（第 {error.seed} 次抽样）", f"population error {share} (draw {error.seed})"))
    told += [f"{group_name(group, lang)} ×{factor:g}" for group, factor in error.group_factors]
    told += [
        pick(lang, f"单元 {code} 人口 ×{factor:g}", f"people of unit {code} ×{factor:g}") for code, factor in error.unit_factors
    ]
    return told


def _paths(paths: Paths, lang: Lang) -> list[str]:
    told = []
    if paths.missing_share:
        kinds, share = pick(lang, "、", ", ").join(paths.classes), f"{paths.missing_share:.0%}"
        zh, en = f"缺少 {share} 的 {kinds}（第 {paths.seed} 次抽样）", f"{share} of {kinds} missing (draw {paths.seed})"
        told.append(pick(lang, zh, en))
    if paths.links:
        told.append(pick(lang, f"新增 {len(paths.links)} 条连接", f"{len(paths.links)} link(s) added"))
    return told
