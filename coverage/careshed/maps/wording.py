"""Word the pages on places and on change: who finds a place, who gains and who loses, in Chinese and English."""

from __future__ import annotations

import math
from typing import Final

from careshed.words import Lang, pick

PLACES: Final[dict[str, tuple[str, str]]] = {
    "served": ("有位", "has a place"),
    "no_place": ("走得到，无空位", "in reach, no place"),
    "no_place_short": ("无空位", "no place"),
    "out_of_reach": ("走不到", "out of reach"),
    "figure_note": ("有位", "have a place"),
    "split": ("谁有位", "Who has a place"),
    "split_note": (
        "每格取人数最多的一种情况；浅色表示该格这种情况不足四分之三。",
        "Each cell shows what holds for most of its people; paler where that is under three quarters of them.",
    ),
    "access": ("可及位数", "Places within reach"),
    "rule": ("入位规则", "How people find places"),
    "access_unit": ("位/每千名{}", "places per 1,000 {}"),
    "access_note": (
        "{}：附近的位置按争用人数分摊。",
        "{}: places nearby, shared out among all who compete for them.",
    ),
    "by_unit": ("{}有位比例", "Share with a place: {}"),
    "fills": ("图上颜色", "Colour the map by"),
    "load": ("已用比例", "share of places taken"),
    "over": ("超员", "over-full"),
    "full": ("满", "full"),
    "unknown_places": ("位数不详", "places unknown"),
    "size": ("圆面积：位数", "area of circle: places"),
    "links_all": ("全部连线", "All links"),
    "links_many": (
        "点选设施可看它接收哪些格的人；共 {} 条连线，全部画出无法辨认。",
        "Choose a facility to see whom it takes; all {} links at once could not be read.",
    ),
    "links_some": ("点选或悬停设施可看它接收哪些格的人。", "Point at or choose a facility to see whom it takes."),
    "links_count": ("{} 条", "{}"),
    "hierarchy": ("上下级联系", "Links between levels"),
    "hierarchy_count": ("{} 条，{} 处无上级（虚线圈）", "{}, {} without parent (dashed ring)"),
    "by_load": ("各设施负荷", "Facilities by load"),
    "load_end": ("负荷最低的 {} 处", "The {} with the lowest load"),
    "load_start": ("负荷最高的 {} 处，共 {} 处", "The {} with the highest load, of {}"),
    "split_by_unit": ("各{}谁有位", "Who has a place: {}"),
    "key": (
        "{place} {people} 名{who}中，{served} 名（{served_part}）{limit}内有位，"
        "{no_place} 名（{no_place_part}）走得到但没有空位，{out} 名（{out_part}）走不到",
        "Of {people} {who} in {place}, {served} ({served_part}) have a place within {limit}, {no_place} ({no_place_part}) could "
        "walk to one but find none free, {out} ({out_part}) are out of reach",
    ),
    "supply": ("{} 处设施共 {} 位：已用 {} 位，空余 {} 位。", "{} facilities with {} places: {} taken, {} free."),
    "supply_over": ("超员设施多收 {} 人。", "Over-full facilities take {} people more than they have places for."),
    "supply_unknown": ("{} 处位数不详，未计入。", "{} with an unknown number of places are left out."),
    "demand_gap": ("每 100 名走得到的人有 {:.0f} 位。", "{:.0f} places for every 100 people in reach."),
}
"""Key -> (Chinese, English) of the page on places."""

CHANGES: Final[dict[str, tuple[str, str]]] = {
    "gain": ("新增可达", "gains"),
    "lose": ("不再可达", "loses"),
    "both": ("前后均可达", "in reach before and after"),
    "neither": ("前后均不可达", "out of reach before and after"),
    "figure_note": ("人可到达", "people in reach"),
    "who": ("谁得益，谁受损", "Who gains, who loses"),
    "saved": ("步行时间变化", "Change of walking time"),
    "saved_m": ("步行距离变化", "Change of walking distance"),
    "people_cell": ("人/格", "people per cell"),
    "gain_steps": ("新增可达", "Gains reach"),
    "lose_steps": ("不再可达", "Loses reach"),
    "both_steps": ("不变", "Unchanged"),
    "by_unit": ("{}可达比例变化", "Change of share: {}"),
    "points": ("百分点", "percentage points"),
    "fills": ("图上颜色", "Colour the map by"),
    "new": ("新增", "new"),
    "closed": ("关闭", "closed"),
    "kept": ("不变的设施", "Unchanged facilities"),
    "moved": ("新增与关闭的设施", "New and closed facilities"),
    "moved_count": ("新增 {}，关闭 {}", "{} new, {} closed"),
    "moved_list": ("新增与关闭的设施", "New and closed facilities"),
    "opened": ("新增道路", "New street"),
    "shut": ("关闭道路", "Closed street"),
    "streets_count": ("{} 条，{} 米", "{} ({} m)"),
    "streets_list": ("新增与关闭的道路", "New and closed streets"),
    "streets_more": ("另有 {} 条，见图。", "{} more, on the map."),
    "change_table": ("各{}的变化", "Change by unit: {}"),
    "unit": ("单元", "unit"),
    "before": ("原", "before"),
    "after": ("后（±百分点）", "after (± points)"),
    "key": (
        "变化后，{place} {people} 名{who}中 {after} 名（{after_part}）{limit}内可到{target}；原为 {people_before} 名中 "
        "{before} 名（{before_part}）。{gain} 名新增可达，{lose} 名不再可达",
        "After the change, {after} of {people} {who} in {place} ({after_part}) are within {limit} of {target}; "
        "before, {before} of {people_before} ({before_part}). {gain} gain reach, {lose} lose it",
    ),
    "by_people": ("另因人口变动 {} 名。", "Another {} come from people who moved."),
    "time_saved": (
        "前后均知时间的 {} 名，平均少走 {} 分钟。",
        "For the {} whose time is known in both, the walk is {} minutes shorter on average.",
    ),
    "time_lost": (
        "前后均知时间的 {} 名，平均多走 {} 分钟。",
        "For the {} whose time is known in both, the walk is {} minutes longer on average.",
    ),
    "length_saved": (
        "前后均知距离的 {} 名，平均少走 {} 米。",
        "For the {} whose distance is known in both, the walk is {} m shorter on average.",
    ),
    "length_lost": (
        "前后均知距离的 {} 名，平均多走 {} 米。",
        "For the {} whose distance is known in both, the walk is {} m longer on average.",
    ),
}
"""Key -> (Chinese, English) of the page on change."""


def told(texts: dict[str, tuple[str, str]], lang: Lang, key: str, *values: object, **named: object) -> str:
    """Word one piece of a page.

    >>> told(PLACES, "en", "links_count", 12)
    '12'
    """
    return pick(lang, *texts[key]).format(*values, **named)


def limit_text(lang: Lang, minutes: float | None, metres: float | None) -> str:
    """Word a limit with its unit.

    >>> limit_text("en", 15.0, None), limit_text("zh", None, 300.0)
    ('15 minutes', '300 米')
    """
    if minutes is not None:
        return pick(lang, f"{minutes:g} 分钟", f"{minutes:g} minutes")
    return pick(lang, f"{metres:g} 米", f"{metres:g} m")


def signed(value: float) -> str:
    """Write a change of people with its sign, in thousands with commas.

    >>> signed(1561.2), signed(-3), signed(0.2)
    ('+1,561', '−3', '0')
    """
    whole = round(value)
    return "0" if whole == 0 else f"{'+' if whole > 0 else '−'}{abs(whole):,}"


def signed_points(before: float, after: float) -> str:
    """Write a change of a share in percentage points, a dash where a share is unknown.

    >>> signed_points(0.25, 0.375), signed_points(float("nan"), 0.5)
    ('+12.5', '–')
    """
    change = (after - before) * 100
    return "–" if math.isnan(change) else f"{'+' if change >= 0.05 else '−' if change <= -0.05 else ''}{abs(change):.1f}"
