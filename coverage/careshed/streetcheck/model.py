"""Hold what the check of streets found: pieces, gaps, closed roads and edges, ranked by the people they concern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd

from careshed.intake.streets.repairing import Repair
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from geopandas import GeoSeries

    from careshed.intake.streets import Streets

StreetKind = Literal["gap", "piece", "footway", "edge", "tag"]

KINDS: Final[dict[StreetKind, tuple[str, str]]] = {
    "gap": ("疑似断头未接", "Streets that end just short of each other"),
    "piece": ("孤立路网", "Streets cut off from the rest"),
    "footway": ("缺少步行道路", "No way to walk, though a road is near"),
    "edge": ("街道在数据边缘中断", "Streets cut at the edge of the data"),
    "tag": ("标签无法识别", "Tags that cannot be read"),
}
"""Kind of finding -> its heading."""

Counted = Literal["gain", "at_most", "living", "could_change", ""]

COUNTED: Final[dict[Counted, tuple[str, str]]] = {
    "gain": ("连接后新增可达（实算）", "would come within the limit (computed)"),
    "at_most": ("连接后至多新增可达", "would come within the limit at most"),
    "living": ("居住于此", "live there"),
    "could_change": ("结果可能受界外数据影响", "whose answer could change with data beyond"),
    "": ("", ""),
}
"""Whom the people of a finding are."""


@dataclass(frozen=True)
class StreetFinding:
    """One thing about the streets that looks wrong: where, what, whom it concerns and what to do."""

    kind: StreetKind
    x: float
    """Where it is, metres of the network's CRS; NaN where it has no place."""
    y: float
    lon: float
    lat: float
    people: float
    """People of the group concerned, counted as `counted` says."""
    counted: Counted
    zh: str
    en: str
    proposal_zh: str
    proposal_en: str
    person_minutes: float = 0.0
    """Travel time to the nearest facility saved by all people together, one way, where it was computed."""
    repair: Repair | None = None
    """The link that would mend it, made only on request."""

    def text(self, lang: Lang) -> str:
        """Say what was found."""
        return pick(lang, self.zh, self.en)

    def proposal(self, lang: Lang) -> str:
        """Say what to do."""
        return pick(lang, self.proposal_zh, self.proposal_en)

    def heading(self, lang: Lang) -> str:
        """Name the kind of finding."""
        return pick(lang, *KINDS[self.kind])


STREET_COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "rank": ("序号", "No."),
    "people": ("涉及人数", "People"),
    "counted": ("人数口径", "Whom it counts"),
    "minutes_saved": ("合计节省（人·分钟）", "Person-minutes saved"),
    "kind": ("类别", "Kind"),
    "found": ("问题", "What was found"),
    "proposal": ("建议", "What to do"),
    "lon": ("经度", "Longitude"),
    "lat": ("纬度", "Latitude"),
    "gap_m": ("间距（米）", "Gap (m)"),
}
"""Columns of the table of findings -> headers."""


JOINTS: Final[dict[str, tuple[str, str]]] = {
    "ends_joined": ("两个悬空端点相连", "two loose ends joined"),
    "end_joined_to_line": ("悬空端点接到道路", "a loose end joined to a road"),
    "end_at_vertex": ("端点与另一路的中间折点相连", "an end joined to a vertex within another road"),
    "crossing": ("相交处打断并相连", "a crossing joined"),
}
"""Kind of joint in `Streets.repairs` -> how it is called."""

JOINT_COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "kind": ("处理", "What was done"),
    "line": ("图层行", "Row"),
    "other": ("另一行", "Other row"),
    "x": ("X（米，UTM）", "X (m, UTM)"),
    "y": ("Y（米，UTM）", "Y (m, UTM)"),
    "gap_m": ("间距（米）", "Gap (m)"),
}
"""Columns of `Streets.repairs` -> headers."""


def joints_table(streets: Streets, lang: Lang = "zh") -> pd.DataFrame:
    """List the joints that a layer of road lines lacked and was given, in the reader's words; empty where there were none.

    >>> from careshed.intake.streets import Streets
    >>> import numpy as np, pandas as pd
    >>> joints = pd.DataFrame([("crossing", 1, 2, 0.0, 0.0, 0.0)], columns=["kind", "line", "other", "x", "y", "gap_m"])
    >>> none = np.zeros(0)
    >>> joints_table(Streets(none, none, none, pd.DataFrame(), none, none, "a.gpkg", repairs=joints))["处理"].tolist()
    ['相交处打断并相连']
    """
    import pandas as pd

    made = pd.DataFrame(columns=list(JOINT_COLUMNS)) if streets.repairs is None else streets.repairs
    named = made.assign(kind=[pick(lang, *JOINTS.get(kind, (kind, kind))) for kind in made["kind"].astype(str)])
    return named[list(JOINT_COLUMNS)].rename(columns={name: pick(lang, *words) for name, words in JOINT_COLUMNS.items()})


@dataclass(frozen=True)
class StreetReport:
    """Everything that the check of streets found, the most people first."""

    findings: tuple[StreetFinding, ...]
    classes: pd.DataFrame
    """Length by class: index ``highway``; ``ways``, ``km``, ``km_used`` (open to the mode)."""
    parts: pd.DataFrame
    """Parts of the network that do not hang together, the longest first: ``km``, ``people``, ``role`` (``main``, ``islet``,
    ``fragment``)."""
    group: str
    people: float
    """All people of the group."""
    within: tuple[float, str]
    """The limit and its unit, ``minutes`` or ``metres``; 0 where no facilities were given."""
    covered: float
    """People of the group who reach a facility within the limit today; NaN where no facilities were given."""
    mode: tuple[str, str]
    """The mode of travel in Chinese and English."""
    source: str
    """Where the streets come from."""
    lines: GeoSeries
    """Streets for the figure, the most prominent ones of a large network only."""
    tried: int = 0
    """Gaps that were joined one by one to count whom it helps."""
    over_water: int = 0
    """Gaps that were left out because the link would cross water or a barrier."""

    def counts(self) -> dict[StreetKind, int]:
        """Count the findings by kind."""
        return {kind: sum(one.kind == kind for one in self.findings) for kind in KINDS}

    def table(self, lang: Lang = "zh") -> pd.DataFrame:
        """Lay the findings out, one a row, ranked; columns `STREET_COLUMNS`."""
        rows = [
            (
                rank, one.people, pick(lang, *COUNTED[one.counted]), one.person_minutes, one.heading(lang), one.text(lang),
                one.proposal(lang), one.lon, one.lat, float("nan") if one.repair is None else one.repair.gap_m,
            )
            for rank, one in enumerate(self.findings, 1)
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(STREET_COLUMNS))


def ranked(findings: list[StreetFinding]) -> tuple[StreetFinding, ...]:
    """Put findings in order: the most people first, then the most time saved, then by kind and place."""
    kinds = list(KINDS)

    def key(one: StreetFinding) -> tuple[float, float, int, str, str]:
        return -round(one.people, 3), -round(one.person_minutes, 3), kinds.index(one.kind), f"{one.x:.3f} {one.y:.3f}", one.en

    return tuple(sorted(findings, key=key))
