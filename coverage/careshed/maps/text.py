"""Word the page: everything a reader of the map sees, in Chinese and English."""

from __future__ import annotations

from typing import Final

from careshed.words import LEVELS, Lang, level_name, pick

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "made_up": ("虚构数据，仅供演示", "Made-up data, for demonstration only"),
    "made_up_short": ("虚构数据", "Made-up data"),
    "title_any": ("步行可达图", "Walking access map"),
    "data_date": ("数据截至 {}", "data as of {}"),
    "reached": ("可到", "can reach it"),
    "not_reached": ("到不了", "cannot"),
    "unjudged": ("无法判断", "cannot be judged"),
    "by_group": ("各人群、各时限可达人数", "People reached, by group and time limit"),
    "group": ("人群", "group"),
    "people": ("人数", "people"),
    "people_n": ("{} 人", "{} people"),
    "within_col": ("{} 分钟", "{} min"),
    "layers": ("图层与图例", "Layers and legend"),
    "on_map": ("结果", "Results"),
    "base": ("底图", "Background"),
    "bands": ("步行到最近设施的时间", "Walking time to the nearest facility"),
    "band": ("≤{}", "≤ {}"),
    "minutes": ("分钟", "minutes"),
    "gaps": ("缺口", "Gaps"),
    "gaps_count": ("{} 处，{} 人", "{}, {} people"),
    "sites": ("建议选址", "Proposed sites"),
    "facilities": ("设施", "Facilities"),
    "also": ("其他服务：{}", "Other service: {}"),
    "facilities_mixed": ("{} 处（空心 {} 处未运营）", "{} ({} hollow: not operating)"),
    "places_count": ("{} 处", "{}"),
    "population": ("人口", "Population"),
    "population_unit": ("人/格", "people per cell"),
    "streets": ("道路", "Streets"),
    "water": ("水域", "Water"),
    "units": ("单元界线与名称", "Unit boundaries and names"),
    "choropleth": ("按单元看可达比例", "Share reached, by unit"),
    "off": ("不显示", "off"),
    "no_people": ("无人口", "no people"),
    "plan": ("建议选址（按新增覆盖人数排序）", "Proposed sites, by people newly reached"),
    "plan_empty": ("没有可建议的选址。", "No site can be proposed."),
    "new_people": ("新增 {} 人", "{} newly reached"),
    "cumulative": ("累计 {}", "{} in all"),
    "fly": ("在图上查看", "show on the map"),
    "largest_gaps": ("最大的缺口", "Largest gaps"),
    "gaps_shown": ("人数最多的 {} 处，共 {} 处。", "The {} largest of {}."),
    "notes": ("假设与数据问题", "Assumptions and faults in the data"),
    "assumptions": ("假设", "Assumptions"),
    "faults": ("数据问题", "Faults in the data"),
    "no_faults": ("输入数据未发现问题。", "No fault was found in the input."),
    "faults_more": ("另有 {} 条，见运行输出的问题表。", "{} more in the run's fault table."),
    "map_label": ("地图：{}", "Map: {}"),
    "panel_label": ("结果、图例与说明", "Results, legend and notes"),
    "zoom_in": ("放大", "Zoom in"),
    "zoom_out": ("缩小", "Zoom out"),
    "home": ("显示全图", "Show the whole area"),
    "north": ("北", "N"),
    "skip": ("跳到结果与图例", "Skip to results and legend"),
    "tiles": ("在线底图", "Online background"),
    "tiles_failed": ("在线底图无法加载（无网络或被拦截）。", "The online background cannot be loaded (no network, or blocked)."),
    "tiles_shifted": (
        "此在线底图为 GCJ-02 坐标，与本图相差数百米。",
        "This online background is drawn in GCJ-02: it lies some hundred metres off this map.",
    ),
    "approval_no": ("审图号：{}", "Map approval no. {}"),
    "lead": (
        "{all} 个{levels}中 {none} 个境内没有这类设施",
        "{none} of {all} {levels} have no such facility",
    ),
    "lead_everywhere": ("全部 {all} 个{levels}境内都有这类设施", "All {all} {levels} have such a facility"),
    "lead_far": ("{missed} 名{who}离最近设施超过 {limit} 分钟", "{missed} {who} live more than {limit} minutes away"),
    "lead_far_unjudged": (
        "{missed} 名{who}离最近设施超过 {limit} 分钟，{unjudged} 名无法判断",
        "{missed} {who} live more than {limit} minutes away, and {unjudged} cannot be judged",
    ),
    "lead_join": ("；", "; "),
    "lead_end": ("。", "."),
    "unit_reached": (
        "{limit} 分钟内可到 {covered} / {people} 名{who}（{part}）",
        "{covered} of {people} {who} ({part}) within {limit} min",
    ),
    "unit_unjudged": (
        "{unjudged} 名无法判断，比例在 {low} 至 {high} 之间",
        "{unjudged} cannot be judged: between {low} and {high}",
    ),
    "who": ("人群", "Group"),
    "within": ("时限", "Limit"),
    "chosen": (
        "{who}，{limit} 分钟：{covered} / {people} 人可到（{part}）",
        "{who}, {limit} min: {covered} of {people} reach it ({part})",
    ),
    "chosen_note": (
        "只改变单元着色、人口和此行；等时圈、缺口和选址仍按{}、{} 分钟。",
        "Changes the colours of units, the population and this line only; gaps and sites stay those of {}, {} min.",
    ),
    "cell_minutes": ("到最近设施约 {} 分钟", "About {} min to the nearest facility"),
    "cell_none": ("沿道路到不了任何设施", "No facility can be reached along the streets"),
    "cell_unjudged": ("无法判断：未接入道路", "Cannot be judged: joins no street"),
    "cell_people": ("本格 {} 人：{}", "In this cell {}: {}"),
    "cell_title": ("单元格", "Cell"),
    "bands_by_cell": ("按格着色：轮廓过大，未写入本页", "Coloured cell by cell: the outlines would fill the page"),
    "bands_one_mode": (
        "图中只画{}的等时圈；{}按各自方式计算，见人口格网和单元比例",
        "Drawn for {} only; {} count by their own times, as cells and units show",
    ),
    "print": ("打印", "Print"),
    "paper": ("纸张", "Paper"),
    "a4": ("A4 竖向", "A4 portrait"),
    "a4l": ("A4 横向", "A4 landscape"),
    "a3": ("A3 竖向", "A3 portrait"),
    "a3l": ("A3 横向", "A3 landscape"),
    "close": ("关闭", "Close"),
    "site": ("选址", "site"),
    "key": (
        "{place} {people} 名{who}中 {covered} 名（{part}）{how} {limit} 分钟内可到{target}；{missed} 名到不了",
        "{covered} of {people} {who} in {place} ({part}) can walk to {target} within {limit} minutes{how}; {missed} cannot",
    ),
    "key_unjudged": ("，{} 名无法判断。", ", and {} cannot be judged."),
    "key_end": ("。", "."),
    "plan_gain": (
        "新增 {n} 处后可达 {after}（{whole} 名{who}中 {reached} 名），现状 {before}。",
        "With {n} new sites, {after} can reach it ({reached} of {whole} {who}), up from {before}.",
    ),
    "plan_gain_one": (
        "新增 1 处后可达 {after}（{whole} 名{who}中 {reached} 名），现状 {before}。",
        "With 1 new site, {after} can reach it ({reached} of {whole} {who}), up from {before}.",
    ),
    "plan_none": ("没有建议新增的点位（要求 {} 处）。", "No new site is proposed ({} asked for)."),
    "plan_short": ("要求 {} 处，只选出 {} 处。", "{} sites were asked for, {} found."),
    "plan_best": (
        "同样规则下，任何 {} 处方案都不超过 {}（已证明）：这是最优方案。",
        "Under the same rules, no plan with up to {} sites exceeds {} (proven): this one is optimal.",
    ),
    "plan_bound": (
        "同样规则下，任何 {} 处方案至多 {}（已证明）。",
        "Under the same rules, no plan with up to {} sites can exceed {} (proven).",
    ),
    "plan_stopped": (
        "搜索因时间上限停止，重新计算可能得到不同结果。",
        "The search was stopped by its time limit; another run may give another answer.",
    ),
}
"""Key -> (Chinese, English); ``{}`` takes a number or name."""

NOTES: Final[dict[str, tuple[str, str, str, str]]] = {
    "judged": (
        "判断标准",
        "Judged by",
        "{}步行不超过 {} 分钟（含）即为可到",
        "{} reach it when the walk takes at most {} minutes",
    ),
    "mode": (
        "出行方式",
        "Mode",
        "{}，沿道路 {:g} 千米/时，道路与地点之间 {:g} 千米/时",
        "{}, {:g} km/h along streets, {:g} km/h between street and place",
    ),
    "mode_by_class": (
        "出行方式",
        "Mode",
        "{}，按道路等级 {:g}–{:g} 千米/时，道路与地点之间 {:g} 千米/时",
        "{}, {:g} to {:g} km/h by class of street, {:g} km/h between street and place",
    ),
    "source": ("速度依据", "Source of speed", "{}", "{}"),
    "to_facility": ("方向", "Direction", "从住处到设施", "from home to the facility"),
    "from_facility": ("方向", "Direction", "从设施到住处", "from the facility to home"),
    "limit_time": ("搜索上限", "Searched up to", "{:g} 分钟", "{:g} minutes"),
    "limit_length": ("搜索上限", "Searched up to", "{:g} 米", "{:g} m"),
    "snap": (
        "接入道路上限",
        "Snap limit",
        "离道路直线 {:g} 米以外的地点不接入路网，仍计入分母",
        "places more than {:g} m in a straight line from any street are not attached; they stay in every denominator",
    ),
    "heights": (
        "高程",
        "Heights",
        "{}；坡度计入{}的速度",
        "{}; slopes count in the speed of: {}",
    ),
    "slope_limit": (
        "坡度上限",
        "Slope limit",
        "{}不走坡度超过 {:.1%} 的道路",
        "{} use no street steeper than {:.1%}",
    ),
    "slopes_unknown": (
        "坡度",
        "Slopes",
        "没有高程数据，未判断坡度：{}的坡度上限（{:.1%}）没有用上，道路都按平路计",
        "not judged, for want of heights: for {}, the limit of {:.1%} was not applied, and every street counts as level",
    ),
    "edge": (
        "数据边缘",
        "Edge of the data",
        "{} 名{}目前到不了，界外的道路或设施可能使其可达",
        "{} {} out of reach today could be in reach by streets or facilities beyond the edge",
    ),
    "bands_of": (
        "等时圈",
        "Bands drawn",
        "{}",
        "{}",
    ),
    "cells": (
        "人口",
        "People",
        "人口为每格计数，无点位，以格中心判断。{} 格，{} 名{}",
        "counts per cell, no positions of people; a cell is judged at its centre. {} cells, {} {}",
    ),
    "demand_rate": (
        "需求率",
        "Demand rate",
        "假设值：{}中需要位子的占 {:.1%}，各处相同",
        "assumed: of {}, {:.1%} look for a place, everywhere alike",
    ),
    "cells_no_grid": (
        "人口",
        "People",
        "人口为每格计数，无点位，以格中心判断；输入不是栅格，按格中心画点。{} 格，{} 名{}",
        "counts per cell, no positions of people; a cell is judged at its centre. The input is no raster: cells are dots. "
        "{} cells, {} {}",
    ),
    "far": (
        "无法判断",
        "Cannot be judged",
        "{} 名{}（{} 格）离任何道路超过接入上限",
        "{} {} ({} cells) farther from any street than the snap limit",
    ),
    "barrier": (
        "无法判断",
        "Cannot be judged",
        "{} 名{}（{} 格）四周被水面、铁路、高速公路或围墙阻隔",
        "{} {} ({} cells) shut in by water, a railway, a motorway or walls",
    ),
    "table": (
        "无法判断",
        "Cannot be judged",
        "{} 名{}（{} 格）不在导入的出行时间表中",
        "{} {} ({} cells) are in no row of the imported table of travel times",
    ),
    "facility_table": (
        "表中没有的设施",
        "Facilities in no row",
        "{} 处不在导入的出行时间表中",
        "{} are in no row of the imported table of travel times",
    ),
    "facility_barrier": (
        "未接入的设施",
        "Facilities not attached",
        "{} 处四周被水面、铁路、高速公路或围墙阻隔",
        "{} shut in by water, a railway, a motorway or walls",
    ),
    "islet": (
        "无法判断",
        "Cannot be judged",
        "{} 名{}（{} 格）所在道路与主路网及任何设施都不相连",
        "{} {} ({} cells) on streets that join neither the main network nor a facility",
    ),
    "facility_far": (
        "未接入的设施",
        "Facilities not attached",
        "{} 处离任何道路超过接入上限",
        "{} farther from any street than the snap limit",
    ),
    "facility_islet": (
        "未接入的设施",
        "Facilities not attached",
        "{} 处所在道路与主路网不相连",
        "{} on streets that do not join the main network",
    ),
    "date": ("数据日期", "Data date", "{}", "{}"),
    "streets_left_out": (
        "道路底图",
        "Streets drawn",
        "为控制文件大小，{1} 条道路中等级最低的 {0} 条未画，其余误差不超过 {2:g} 米；计算使用全部道路",
        "to keep the page small the {0} least of {1} streets are not drawn, the others within {2:g} m; travel uses all of them",
    ),
    "streets_coarse": (
        "道路底图",
        "Streets drawn",
        "为控制文件大小，道路绘制误差不超过 {:g} 米；计算使用原始线形",
        "within {:g} m, to keep the page small; travel uses their full shape",
    ),
    "bands_coarse": (
        "等时圈",
        "Bands drawn",
        "为控制文件大小，边缘绘制误差不超过 {:g} 米；数字由原始数据计算",
        "edges within {:g} m, to keep the page small; figures come from full data",
    ),
    "bands_by_cell": (
        "等时圈",
        "Bands drawn",
        "轮廓过大，按有人口的单元格着色；时间向上取至半分钟",
        "cell by cell where people live, since the outlines would fill the page; times rounded up to half a minute",
    ),
    "drawing": (
        "制图",
        "Drawing",
        "线条与范围边缘的绘制误差不超过约 {:g} 米；数字均由原始数据计算",
        "lines and edges are drawn to within about {:g} m; all figures come from the full data",
    ),
}
"""Key -> (label in Chinese, in English, text in Chinese, in English) of an assumption."""


def say(lang: Lang, key: str, *values: object, **named: object) -> str:
    """Word one piece of the page.

    >>> say("en", "within_col", 15)
    '15 min'
    """
    return pick(lang, *TEXTS[key]).format(*values, **named)


def note(lang: Lang, key: str, *values: object) -> tuple[str, str]:
    """Word one assumption: its label and its text.

    >>> note("en", "limit_time", 30.0)
    ('Searched up to', '30 minutes')
    """
    label_zh, label_en, zh, en = NOTES[key]
    return pick(lang, label_zh, label_en), pick(lang, zh, en).format(*values)


def count(value: float) -> str:
    """Write a number of people or things, in thousands with commas.

    >>> count(9500.4)
    '9,500'
    """
    return f"{round(value):,}"


def share(part: float, whole: float) -> str:
    """Write a share in percent with one decimal, or a dash where nobody lives.

    >>> share(6120, 9500), share(0, 0)
    ('64.4%', '–')
    """
    return f"{part / whole:.1%}" if whole > 0 else "–"


def minutes_text(minutes: float) -> str:
    """Write minutes without needless decimals.

    >>> minutes_text(15.0), minutes_text(7.5)
    ('15', '7.5')
    """
    return f"{minutes:g}"


def in_sentence(name: str) -> str:
    """Set an English name inside a sentence: "Childcare" becomes "childcare", "NHS post" stays.

    >>> in_sentence("Day-care centre"), in_sentence("NHS post"), in_sentence("托育服务")
    ('day-care centre', 'NHS post', '托育服务')
    """
    return name[0].lower() + name[1:] if len(name) > 1 and name[1].islower() else name


def counted(number: int, one: str, many: str = "") -> str:
    """Count things in English: one in the singular.

    >>> counted(1, "gap"), counted(2_000, "gap"), counted(1, "child", "children")
    ('1 gap', '2,000 gaps', '1 child')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def levels_text(levels: list[str], lang: Lang) -> str:
    """Name the levels that share a tier, in the order of `careshed.words.LEVELS`.

    >>> levels_text(["township", "street"], "zh")
    '街道、乡镇'
    """
    return pick(lang, "、", ", ").join(level_name(level, lang) for level in LEVELS if level in levels)
