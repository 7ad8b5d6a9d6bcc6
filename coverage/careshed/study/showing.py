"""Show an opened study as a card in a notebook: what was read, and what was told on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from careshed.display import Table, card
from careshed.schema import merge_rows
from careshed.words import LEVELS, Lang, group_name, level_name, pick

if TYPE_CHECKING:
    from careshed.study.model import Study


def study_card(study: Study) -> str:
    """Lay out the card of a study."""
    lang = study.lang
    told = merge_rows(study.faults)
    facts = [
        (pick(lang, "研究文件", "study file"), study.path.name),
        (pick(lang, "数据截至", "data as of"), study.data_date or "—"),
        (pick(lang, "坐标系", "coordinates"), study.crs),
        (pick(lang, "道路", "streets"), pick(lang, f"{len(study.streets.ways):,} 条", f"{len(study.streets.ways):,} ways")),
        (pick(lang, "人口", "people"), _people(study, lang)),
        (pick(lang, "单元", "units"), _units(study, lang)),
        (pick(lang, "设施（全部登记）", "facilities (all registers)"), f"{len(study.facility_table):,}"),
        (pick(lang, "候选点", "candidate sites"), f"{len(study.candidate_table):,}"),
        (
            pick(lang, "读取时的提示", "told on reading"),
            pick(lang, f"{len(told)} 条（study.faults）", f"{len(told)} (study.faults)"),
        ),
    ]
    return card(study.name, facts, table=_services(study, lang), made_up=study.made_up, lang=lang)


def _people(study: Study, lang: Lang) -> str:
    sums = ((group_name(group, lang), float(study.cells[group].sum())) for group in study.groups)
    groups = pick(lang, "，", ", ").join(f"{name} {people:,.0f}" for name, people in sums)
    return pick(lang, f"{len(study.cells):,} 个单元格；{groups}", f"{len(study.cells):,} cells; {groups}")


def _units(study: Study, lang: Lang) -> str:
    counts = study.units["level"].value_counts()
    levels = [level for level in LEVELS if level in counts.index]
    return pick(lang, "，", ", ").join(f"{level_name(level, lang)} {int(counts[level])}" for level in levels) or "—"


def _services(study: Study, lang: Lang) -> Table:
    headers = (
        pick(lang, "服务", "service"),
        pick(lang, "代号", "id"),
        pick(lang, "人群", "group"),
        pick(lang, "时限", "limit"),
        pick(lang, "方式", "mode"),
        pick(lang, "设施", "facilities"),
        pick(lang, "候选点", "candidates"),
    )
    rows = [
        (
            service.name(lang),
            service.id,
            group_name(service.group, lang),
            pick(lang, f"{service.within_minutes:g} 分钟", f"{service.within_minutes:g} min"),
            pick(lang, "、", ", ").join(pick(lang, mode.zh, mode.en) for mode in study.modes(service.id)),
            f"{len(study.facilities(service.id)):,}",
            f"{len(study.candidates(service.id)):,}",
        )
        for service in study.services
    ]
    return Table(headers, rows, frozenset({5, 6}))
