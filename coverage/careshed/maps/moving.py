"""Say "reach" where the page says "walk", for people who drive or cycle."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from careshed.modes import Mode

PHRASES: Final[tuple[tuple[str, str], ...]] = (
    ("步行可达图", "可达图"),
    ("步行到最近设施", "到最近设施"),
    ("谁走得到，谁走不到", "谁到得了，谁到不了"),
    ("步行不超过", "路上不超过"),
    ("步行时间变化", "出行时间变化"),
    ("步行距离变化", "出行距离变化"),
    ("Walking access map", "Access map"),
    ("Walking time to the nearest", "Time to the nearest"),
    ("Who can walk to", "Who can reach"),
    ("can walk to", "can reach"),
    ("could walk", "could reach it"),
    ("when the walk takes", "when the way takes"),
    ("walk to one but", "reach one but"),
    ("the walk is", "the way is"),
    ("Change of walking", "Change of travel"),
)
"""What pages say of walkers -> what they say of others; phrases of our own wording, which no name in the data holds."""

_FAR: Final = re.compile(r"平均步行 (?=[\d.,]+ (?:分钟|米))|(?<=\d min) on foot|(?<=\d m) on foot")


def as_travelled(text: str, mode: Mode | None) -> str:
    """Word a text for the way people travel; what is said of walkers stays as it is.

    >>> from careshed.modes import CAR, WALK_OLDER
    >>> as_travelled("12 of 30 can walk to day care; 7 min on foot", CAR)
    '12 of 30 can reach day care; 7 min'
    >>> as_travelled("平均步行 7 分钟", CAR), as_travelled("平均步行 7 分钟", WALK_OLDER)
    ('平均 7 分钟', '平均步行 7 分钟')
    """
    if mode is None or mode.kind == "foot":
        return text
    for walked, travelled in PHRASES:
        text = text.replace(walked, travelled).replace(_escaped(walked), _escaped(travelled))
    return _FAR.sub(lambda found: "平均 " if found[0].startswith("平均") else "", text)


def _escaped(text: str) -> str:
    """The text as JSON may hold it."""
    return json.dumps(text)[1:-1]
