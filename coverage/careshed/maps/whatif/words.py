"""Word the what-if page, in Chinese and English."""

from __future__ import annotations

from typing import Final

from careshed.words import Lang, pick

WORDS: Final[dict[str, tuple[str, str]]] = {
    "w_title": ("{}：假如这样选", "What if: {}"),
    "w_yours": ("您的选择", "Your choice"),
    "w_plan": ("方案", "The plan"),
    "w_today": ("现状", "Today"),
    "w_group": ("人群", "People"),
    "w_limit": ("时限", "Time limit"),
    "w_minutes": ("{} 分钟", "{} min"),
    "w_take": ("用方案的选择", "The plan's choice"),
    "w_none": ("全部不选", "None"),
    "w_reset": ("恢复初始", "Reset"),
    "w_sites": ("新增", "new sites"),
    "w_in_reach": ("可达", "in reach"),
    "w_cost": ("造价（万元）", "cost, million yuan"),
    "w_net": ("扣除补贴后", "after subsidies"),
    "w_ceiling": (
        "全部 {n} 个候选点都建，可达 {share}（{people} 人）：此时限、此人群下再怎么选也不会更多。",
        "All {n} candidates together: {share} ({people} people). No choice from this list can exceed that here.",
    ),
    "w_bound": (
        "您的选择 {yours}（{n} 处）；方案 {plan}（{m} 处）；选不超过 {k} 处，任何选法都不会超过 {bound}（已证明）。",
        "Yours {yours} with {n}; the plan {plan} with {m}; no choice of up to {k} can exceed {bound} (proven).",
    ),
    "w_bound_rules": (
        "您的选择 {yours}（{n} 处）；方案 {plan}（{m} 处）；遵守同样规则、不超过 {k} 处的选法都不会超过 {bound}（已证明）。",
        "Yours {yours} with {n}; the plan {plan} with {m}; no choice of up to {k} that keeps the plan's rules can exceed {bound} "
        "(proven).",
    ),
    "w_not_here": (
        "方案的上限 {bound} 只对{group}、{limit} 分钟证明过，不适用于此处的设定。",
        "The plan's bound of {bound} was proven for {group} within {limit} min only; it does not apply to this setting.",
    ),
    "w_not_closed": (
        "方案的上限 {bound} 以全部现有设施开放为前提；您关闭了 {n} 处，上限不适用。",
        "The plan's bound of {bound} holds with all existing facilities open; you switched {n} off, so it does not apply.",
    ),
    "w_not_many": (
        "方案的上限 {bound} 是对不超过 {k} 处证明的；您选了 {n} 处，上限不适用。",
        "The plan's bound of {bound} was proven for up to {k} sites; you have {n}, so it does not apply.",
    ),
    "w_not_rules": (
        "方案的上限 {bound} 只对遵守其规则的选法成立（{rule}）；您的选择仍有 {n} 个没有（方案 {m} 个），上限不适用。",
        "The plan's bound of {bound} holds for choices that keep its rules ({rule}); yours leaves {n} without one "
        "(the plan: {m}), so it does not apply.",
    ),
    "w_not_money": (
        "方案的上限 {bound} 只对预算 {budget} 以内的选法成立；您的选择超出预算或有造价未知的点位，上限不适用。",
        "The plan's bound of {bound} holds within a budget of {budget}; your choice exceeds it or has sites of unknown cost, "
        "so it does not apply.",
    ),
    "w_rule": ("每个{}至少一处", "one in every {}"),
    "w_no_plan": ("没有方案可比。", "There is no plan to compare with."),
    "w_sentence": (
        "{n}{limit} 分钟内可达 {share}（{whole} 名{who}中 {covered} 名），现状 {before}；{missed} 名到不了{unjudged}。",
        "{n}{share} of {whole} {who} ({covered}) are within {limit} min, today {before}; {missed} are not{unjudged}.",
    ),
    "w_span": ("{name}等 {n} 个单元", "{name} and others ({n} units)"),
    "w_unjudged": ("，{} 名无法判断", ", {} cannot be judged"),
    "w_with": ("新增 {} 处", "With {} new sites"),
    "w_with_one": ("新增 {} 处", "With {} new site"),
    "w_without": ("不新增", "Without new sites"),
    "w_off": ("、关闭 {} 处", " and {} switched off"),
    "w_off_told": ("关闭的现有设施 {} 处：", "Existing facilities switched off ({}): "),
    "w_and": ("、", ", "),
    "w_comma": ("，", ", "),
    "w_candidates": ("候选点", "Candidate sites"),
    "w_candidates_hint": (
        "勾选即重新计算；也可在图上点选。右侧为再加这一处多可达的人数（已选的：去掉会失去的人数）。",
        "Tick to recount, here or on the map. At the right: people added by one more; for chosen ones, people lost without it.",
    ),
    "w_find": ("按名称、单元或编号查找", "Find by name, unit or id"),
    "w_sort": ("排序", "Sort by"),
    "w_by_gain": ("新增人数", "people added"),
    "w_by_list": ("清单顺序", "the list"),
    "w_chosen_only": ("只看已选", "chosen only"),
    "w_adds": ("+{}", "+{}"),
    "w_loses": ("{}", "{}"),
    "w_standing": ("现有设施", "Existing facilities"),
    "w_standing_hint": ("取消勾选即视为关闭。", "Untick one to see what closing it would do."),
    "w_standing_fixed": (
        "数据量过大，本页不能逐处关闭现有设施；它们都视为开放。",
        "There are too many journeys to store: existing facilities cannot be switched off here and all count as open.",
    ),
    "w_units": ("各{}", "By {}"),
    "w_unit": ("单元", "unit"),
    "w_has": ("有设施", "has one"),
    "w_gain": ("增减", "change"),
    "w_gaps": ("仍存的缺口", "Gaps that remain"),
    "w_gaps_shown": ("共 {} 处、{} 人；列出人数最多的 {} 处。", "{} in all, {} people; the {} largest are listed."),
    "w_gaps_none": ("没有缺口。", "There is no gap."),
    "w_cells": ("{} 格", "cells: {}"),
    "w_save": ("保存所选", "Save the choice"),
    "w_save_hint": (
        "保存的清单可由 careshed 读回复算，也可作为 [[plan]] 的 forced：",
        "careshed reads the saved list back and counts it again; it may also be forced in a [[plan]]:",
    ),
    "w_copy": ("复制清单", "Copy the list"),
    "w_copy_toml": ("复制 forced = […]", "Copy forced = […]"),
    "w_csv": ("存为 CSV", "Save as CSV"),
    "w_json": ("存为 JSON", "Save as JSON"),
    "w_copied": ("已复制 {} 处。", "{} copied."),
    "w_copy_failed": (
        "浏览器不允许复制；请从下框中手工复制。",
        "The browser does not let the page copy: copy by hand from the box below.",
    ),
    "w_saved": ("已保存 {}。", "{} saved."),
    "w_list": ("清单", "List"),
    "w_state": ("谁到得了", "Who reaches it"),
    "w_fills": ("图上颜色", "Colour the map by"),
    "w_by_unit": ("按{}看可达比例", "Share in reach, by {}"),
    "w_had": ("现已可达", "in reach today"),
    "w_gained": ("因所选点位而可达", "newly in reach"),
    "w_lost": ("因关闭而不再可达", "no longer in reach"),
    "w_left": ("仍到不了", "still a gap"),
    "w_choice": ("候选点（实心为已选）", "Candidates (solid: chosen)"),
    "w_stand": ("现有设施（空心为关闭）", "Existing facilities (hollow: off)"),
    "w_near": ("最近的开放设施：{}，不超过 {} 分钟", "nearest open: {}, at most {} min away"),
    "w_far": ("{} 分钟内没有开放的设施", "no open facility within {} min"),
    "w_people": ("{} 名{}", "{} {}"),
    "w_tick": ("点击选中或取消", "click to choose or drop"),
    "w_switch": ("点击关闭或开放", "click to switch off or on"),
    "w_unknown_cost": ("，另有 {} 处造价未知", ", {} of unknown cost"),
    "w_cost_unknown": ("造价未知", "cost unknown"),
    "w_subsidies": ("补贴按方案“{}”的标准计算，以造价为限。", "Subsidies are those of the plan {!r}, never more than the cost."),
    "w_no_subsidies": ("研究文件没有为这项服务给出建设补贴。", "The study states no building subsidies for this service."),
    "w_unattached": ("未接入道路，无人可达", "joins no street: nobody reaches it"),
    "w_exact": ("计算", "Counting"),
    "w_exact_text": (
        "本页按清单所列时限逐格精确计数（≤），结果与 careshed evaluate-sites 相同；每次勾选都重新计算，不作插值。",
        "The page counts cell by cell, exactly for every limit it offers (≤), and agrees with careshed evaluate-sites; "
        "nothing is interpolated.",
    ),
    "w_money": ("资金", "Money"),
    "w_no_js": ("本页需要脚本才能重新计算。", "This page needs scripts to recount."),
    "w_million": ("万元", "million yuan"),
    "w_yuan": ("元", "yuan"),
    "w_id": ("编号", "id"),
    "w_use": ("用途", "use"),
    "w_new": ("新增", "new"),
    "w_closed": ("关闭", "closed"),
    "w_name": ("名称", "name"),
    "w_service_head": ("服务", "service"),
    "w_minutes_head": ("时限", "minutes"),
    "w_group_head": ("人群", "group"),
    "w_cost_head": ("造价（元）", "cost_yuan"),
    "w_net_head": ("净投入（扣除补贴，元）", "net_yuan"),
    "w_colon": ("：", ": "),
    "w_results": ("结果", "Results"),
}
"""Key -> (Chinese, English) of the what-if page; all begin with ``w_`` so that none meets a word of the other pages."""


def word(lang: Lang, key: str, *values: object) -> str:
    """Word one piece of the page.

    >>> word("en", "w_minutes", 15)
    '15 min'
    """
    return pick(lang, *WORDS[key]).format(*values)
