"""Tell in lines what a choice of sites brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from careshed.access import ALL
from careshed.schema import TIERS
from careshed.siting.planning.wording import yuan_text
from careshed.siting.studying.words import share_text
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    import pandas as pd

    from careshed.siting.choice.evaluating import Evaluation
    from careshed.study import Study


def evaluation_lines(study: Study, found: Evaluation, lang: Lang) -> list[str]:
    """Say whom a choice reaches, unit by unit, what it costs, which gaps remain, and how it is written in a ``[[plan]]``."""
    chosen, who = found.chosen, group_name(found.group, lang)
    people, reached, unjudged = (_whole(found.covered, column) for column in ("people", "covered", "unjudged"))
    name, limit = study.service(found.service).name(lang), f"{found.minutes:g}"
    zh = f"{study.name} · {name}：新增 {len(chosen.sites)} 处、关闭 {len(chosen.closed)} 处，{limit} 分钟内可达"
    en = f"{study.name} · {name}: {len(chosen.sites)} new, {len(chosen.closed)} closed, within {limit} minutes"
    before = share_text(_whole(found.today, "covered"), people)
    after = share_text(reached, people)
    told_zh = f"{before} → {after}（{people:,.0f} 名{who}中 {reached:,.0f} 名）"
    told_en = f"{before} → {after} ({reached:,.0f} of {people:,.0f} {who})"
    return [
        pick(lang, f"{zh} {told_zh}", f"{en}: {told_en}"),
        *_unjudged(unjudged, lang),
        *_units(found, lang),
        _gaps(found, lang),
        *_money(found, lang),
        *_agreement(found, lang),
        pick(lang, "用于 [[plan]]：", "For a [[plan]]: ") + forced_text(chosen.sites),
    ]


def forced_text(sites: tuple[str, ...]) -> str:
    """Write sites as a ``[[plan]]`` takes them.

    >>> forced_text(("HX001", 'a"b'))
    'forced = ["HX001", "a\\\\"b"]'
    """
    import json

    return f"forced = [{', '.join(json.dumps(one, ensure_ascii=False) for one in sites)}]"


def agrees(found: Evaluation) -> bool:
    """Say whether the list was made with the same number of people in reach, to the person; True where it does not say."""
    said = found.chosen.covered
    same_question = found.chosen.minutes == found.minutes and found.chosen.group == found.group
    return said is None or not same_question or round(said) == round(_whole(found.covered, "covered"))


def _agreement(found: Evaluation, lang: Lang) -> list[str]:
    said = found.chosen.covered
    if said is None or (found.chosen.minutes, found.chosen.group) != (found.minutes, found.group):
        return []
    if agrees(found):
        return [pick(lang, f"与清单所记 {said:,.0f} 人一致。", f"The list says {said:,.0f} people: the same.")]
    zh = f"清单所记为 {said:,.0f} 人，与此处不同：清单是用别的数据做的。"
    return [pick(lang, zh, f"The list says {said:,.0f} people, which differs: it was made with other data.")]


def _whole(table: pd.DataFrame, column: str) -> float:
    """Read a count of the study as a whole."""
    return float(table[column].to_numpy(dtype=float)[list(table.index).index(ALL)])


def _unjudged(people: float, lang: Lang) -> list[str]:
    return [pick(lang, f"  无法判断：{people:,.0f} 名", f"  cannot be judged: {people:,.0f}")] if people >= 0.5 else []


def _units(found: Evaluation, lang: Lang) -> list[str]:
    """One line a street or township: share before and after, people, and whether it has a facility of its own."""
    lines, held = [], found.has_one["facilities"].to_dict()
    columns = (found.covered[name] for name in ("name", "level", "people", "covered"))
    for unit, name, level, people, reached, before in zip(found.covered.index, *columns, found.today["covered"], strict=True):
        if TIERS.get(str(level)) != 2:
            continue
        number = int(held.get(unit, 0))
        has = pick(
            lang,
            f"{number} 处设施" if number else "没有设施",
            f"{number} {'facility' if number == 1 else 'facilities'}" if number else "no facility",
        )
        told = f"{share_text(before, people)} → {share_text(reached, people)}"
        counted = pick(lang, f"{people:,.0f} 名中 {reached:,.0f} 名", f"{reached:,.0f} of {people:,.0f}")
        lines.append(f"  {name}  {told}  {counted}  {has}")
    return lines


def _gaps(found: Evaluation, lang: Lang) -> str:
    many, people = len(found.gaps), float(found.gaps["people"].sum())
    return pick(lang, f"  仍存缺口 {many} 处，{people:,.0f} 名", f"  gaps that remain: {many}, {people:,.0f} people")


def _money(found: Evaluation, lang: Lang) -> list[str]:
    money = found.money
    if not found.chosen.sites:
        return []
    cost, paid, net = (pick(lang, *yuan_text(yuan)) for yuan in (money.cost_yuan, money.subsidy_yuan, money.net_yuan))
    zh = f"  造价 {cost}，补贴 {paid}，扣除补贴 {net}"
    en = f"  cost {cost}, subsidies {paid}, net {net}"
    if money.unknown:
        zh, en = f"{zh}（另有 {money.unknown} 处造价未知）", f"{en} ({money.unknown} of unknown cost left out)"
    return [pick(lang, zh, en)]
