"""Bounds that a quotient is plausible within, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final


@dataclass(frozen=True)
class Bounds:
    """A quotient's unit and the range in which nobody would ask about it."""

    low: Fraction
    high: Fraction
    unit_zh: str
    unit_en: str
    reason_zh: str
    reason_en: str


PLAUSIBLE: Final[dict[str, Bounds]] = {
    "places_per_institution": Bounds(
        Fraction(10), Fraction(300), "个托位/机构", "places per institution",
        "最小的班（乳儿班）为10人，平均不足10个托位的机构连一个班都办不满",
        "the smallest class (infants) takes 10, so an institution with fewer places on average does not fill one class",
    ),
    "staff_per_place": Bounds(
        Fraction(1, 20), Fraction(1), "人/托位", "staff per place",
        "照护比最高为1∶3，连同管理、后勤也到不了一人一托位",
        "the richest care ratio is 1 to 3; even with managers and kitchen it does not come to one person per place",
    ),
    "m2_per_place": Bounds(
        Fraction(6), Fraction(40), "平方米/托位", "m² per place",
        "活动、睡眠、卫生、备餐和交通面积合计，每托位少于6平方米难以安排（本审核的经验范围，不是标准）",
        "room to play, sleep, wash, prepare food and move: under 6 m² is hard to fit (a range of this audit, no standard)",
    ),
    "m2_per_bed": Bounds(
        Fraction(15), Fraction(100), "平方米/床", "m² per bed",
        "每床建筑面积通常在25–60平方米（本审核的经验范围，不是标准）",
        "floor area is commonly 25 to 60 m² a bed (a range of this audit, no standard)",
    ),
    "floor_per_land": Bounds(
        Fraction(1, 10), Fraction(5), "（容积率）", "floor area ratio",
        "低于0.1意味着九成以上用地没有建筑，高于5不是养老托育建筑的密度",
        "below 0.1 more than nine tenths of the land stay empty; above 5 no care building is built",
    ),
}  # fmt: skip
"""Key -> bounds."""

COST_FACTOR: Final = 3
"""A project's cost per m² is asked about where it is this many times the median of its type, or this part of it."""
