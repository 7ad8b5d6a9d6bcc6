"""Write what projects would bring as a workbook: stages, projects, rules and the subsidy bill."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from careshed.policy.judging.card import STATES
from careshed.policy.pipeline import STAGES, Pipeline
from careshed.report.workbook import Column, Sheet, Value, write_workbook
from careshed.schema import STATUSES
from careshed.study import Study
from careshed.words import Lang, pick

_STAGES = (
    Column("service", "服务", "Service", "text", 18),
    Column("stage", "阶段（累计）", "Stage (cumulative)", "text", 16),
    Column("facilities", "设施数", "Facilities", "count", 10),
    Column("places", "床位（托位）", "Places", "count", 12),
    Column("people", "服务人群", "People", "people", 12),
    Column("covered", "可达人数", "In reach", "people", 12),
    Column("share", "占比", "Share", "share", 9),
    Column("new_covered", "新增可达", "Newly in reach", "people", 12),
    Column("units_having", "有设施的单元", "Units having one", "count", 12),
    Column("units", "单元数", "Units", "count", 9),
    Column("cost_yuan", "本阶段造价（元）", "Cost of the stage (yuan)", "count", 16),
    Column("cost_unknown", "造价未知项目", "Cost unknown", "count", 10),
    Column("yuan_per_person", "每新增一人（元）", "Yuan per new person", "count", 14),
    Column("one_off_yuan", "一次性补贴（元）", "One-off subsidy (yuan)", "count", 15),
    Column("net_yuan", "扣除补贴（元）", "Net of subsidy (yuan)", "count", 15),
    Column("month_yuan", "每月运营补贴（元）", "Per month (yuan)", "count", 15),
)

_PROJECTS = (
    Column("facility_id", "编号", "Id", "text", 11),
    Column("name", "项目", "Project", "text", 26),
    Column("service", "服务", "Service", "text", 16),
    Column("status", "状态", "Status", "text", 12),
    Column("unit_name", "单元", "Unit", "text", 16),
    Column("places", "床位（托位）", "Places", "count", 11),
    Column("area_m2", "建筑面积（㎡）", "Floor (m²)", "count", 11),
    Column("new_covered", "单独新增可达", "Newly in reach alone", "people", 13),
    Column("cost_yuan", "造价（元）", "Cost (yuan)", "count", 14),
    Column("cost_low", "最低", "Lowest", "count", 13),
    Column("cost_high", "最高", "Highest", "count", 13),
    Column("cost_from", "造价来源", "Cost from", "text", 22),
    Column("yuan_per_person", "每新增一人（元）", "Yuan per new person", "count", 13),
    Column("one_off_yuan", "一次性补贴（元）", "One-off subsidy (yuan)", "count", 14),
    Column("month_yuan", "每月运营补贴（元）", "Per month (yuan)", "count", 14),
)

_BILL = (
    Column("facility_id", "编号", "Id", "text", 11),
    Column("name", "设施", "Facility", "text", 26),
    Column("status", "状态", "Status", "text", 12),
    Column("title", "补贴", "Subsidy", "text", 32),
    Column("quantity", "数量", "Quantity", "minutes", 10),
    Column("yuan_each", "标准（元）", "Rate (yuan)", "count", 11),
    Column("one_off_yuan", "一次性（元）", "One-off (yuan)", "count", 14),
    Column("month_yuan", "每月（元）", "Per month (yuan)", "count", 14),
)


def write_pipeline(path: str | Path, found: Pipeline, study: Study, lang: Lang | None = None) -> Path:
    """Write what projects would bring as a workbook: stage by stage, project by project, rule by rule, and the subsidy bill.

    Returns
    -------
    pathlib.Path
        The file written; the same input gives the same bytes.
    """
    words = lang or study.lang
    sheets = [
        _sheet(("分阶段", "Stages"), _STAGES, _stage_rows(found, study, words), found, study, words),
        _sheet(("项目", "Projects"), _PROJECTS, _project_rows(found, study, words), found, study, words),
    ]
    if len(found.subsidies):
        sheets.append(_sheet(("补贴测算", "Subsidies"), _BILL, _bill_rows(found, words), found, study, words, last=True))
    if len(found.rules):
        sheets.append(_sheet(("指标", "Rules"), _rule_columns(), _rule_rows(found, words), found, study, words))
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    return write_workbook(target, sheets)


def _sheet(
    name: tuple[str, str],
    columns: tuple[Column, ...],
    rows: Sequence[tuple[Value, ...]],
    found: Pipeline,
    study: Study,
    lang: Lang,
    *,
    last: bool = False,
) -> Sheet:
    title = pick(lang, f"{study.name}：项目库 · {name[0]}", f"{study.name}: project pipeline · {name[1].lower()}")
    warning = pick(lang, "虚构数据，仅供演示", "Made-up data, for demonstration") if study.made_up else ""
    strong = frozenset({len(rows) - 1}) if last else frozenset()
    notes = tuple(pick(lang, *note) for note in found.notes)
    return Sheet(pick(lang, *name), title, notes, columns, tuple(rows), lang, warning, strong)


def _service_names(study: Study, lang: Lang) -> dict[str, str]:
    return {one.id: pick(lang, one.name_zh, one.name_en) or one.id for one in study.services}


def _picked(table: pd.DataFrame, columns: tuple[Column, ...]) -> list[tuple[Value, ...]]:
    keys = [column.key for column in columns]
    return [tuple(_plain(one) for one in row) for row in table[keys].to_numpy(dtype=object)]


def _plain(value: object) -> Value:
    """Turn what pandas holds into what a cell holds; what is not known stays empty."""
    if isinstance(value, str):
        return value
    number = float(str(value))
    return None if math.isnan(number) else number


def _stage_rows(found: Pipeline, study: Study, lang: Lang) -> list[tuple[Value, ...]]:
    names = _service_names(study, lang)
    stage_words = {str(stage): pick(lang, *words) for stage, words in STAGES.items()}
    table = found.stages.assign(service=found.stages["service"].map(names), stage=found.stages["stage"].map(stage_words))
    return _picked(table, _STAGES)


def _status(lang: Lang) -> dict[str, str]:
    return {status: pick(lang, *words) for status, words in STATUSES.items()}


def _project_rows(found: Pipeline, study: Study, lang: Lang) -> list[tuple[Value, ...]]:
    stated = pick(lang, "项目清单", "project list")
    table = found.projects.reset_index(names="facility_id")
    return _picked(
        table.assign(
            service=table["service"].map(_service_names(study, lang)),
            status=table["status"].map(_status(lang)),
            cost_from=table["cost_from"].replace("project", stated),
        ),
        _PROJECTS,
    )


def _bill_rows(found: Pipeline, lang: Lang) -> list[tuple[Value, ...]]:
    bill = found.subsidies
    table = bill.assign(title=bill[f"title_{lang}"], status=bill["status"].map(_status(lang)))
    sums = [float(bill[name].sum()) for name in ("one_off_yuan", "month_yuan")]
    return [*_picked(table, _BILL), ("", pick(lang, "合计", "Total"), "", "", None, None, *sums)]


def _rule_columns() -> tuple[Column, ...]:
    stages = [
        (Column(f"value_{stage}", words[0], words[1], "minutes", 12), Column(f"state_{stage}", "判定", "Verdict", "text", 12))
        for stage, words in STAGES.items()
    ]
    first = (
        Column("title", "指标", "Rule", "text", 40),
        Column("unit", "单位", "In", "text", 14),
        Column("target", "目标", "Target", "minutes", 11),
    )
    return (*first, *(column for pair in stages for column in pair))


def _rule_rows(found: Pipeline, lang: Lang) -> list[tuple[Value, ...]]:
    states = {str(state): pick(lang, *words) for state, words in STATES.items()}
    table = found.rules.assign(title=found.rules[f"title_{lang}"], unit=found.rules[f"unit_{lang}"])
    for stage in STAGES:
        table[f"state_{stage}"] = table[f"state_{stage}"].map(states)
    figures = ["target", *(f"value_{stage}" for stage in STAGES)]
    table[figures] = table[figures].astype(float)
    return _picked(table, _rule_columns())
