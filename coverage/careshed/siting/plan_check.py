"""Check a plan file from the raw travel times: recompute them from the study, count every figure again, name what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from careshed.schema import Fault, file_label
from careshed.siting.plan_file import Data, as_data, digest, input_hashes, plan_data, read_plan_file, sealed
from careshed.siting.plan_recount import YEAR_KEYS, NotAPlan, both, rebuilt, site_facts, unit_counts, year_counts
from careshed.siting.planning import MaxServed, ServedMedian, verify_plan
from careshed.siting.studying import Networks, PlanProblem, asked_plans, plan_problem, solve_problem

if TYPE_CHECKING:
    from careshed.study import Study

PEOPLE: Final = 1e-3
"""How far a count of people may be off: cells are summed in another order here."""

YUAN: Final = 0.5

Said: TypeAlias = tuple[str, str, str]
"""Code, and what is wrong in Chinese and English."""


def verify_plan_file(
    study: Study, path: str | Path, *, again: bool = False, networks: Networks | None = None
) -> tuple[Fault, ...]:
    """Re-check a plan file against its study: sites, money, people, rules, bound and gap; nothing found means that all adds up.

    The travel times are computed anew, the rules are read from the study file, and everything is counted without the planning's
    own code. That no better plan exists cannot be counted, only searched for: `again` solves the plan once more and compares the
    whole file, reasons, frontier and scenarios with it.

    Raises
    ------
    careshed.schema.InputError
        If the file is no plan file, or the study cannot be read.
    UnknownPlan
        If the study has no plan of that id.
    """
    data = read_plan_file(path)
    (section,) = asked_plans(study, str(data.get("plan", {}).get("id", "")))
    problem = plan_problem(study, section, networks)
    try:
        found = [*_seal(data), *_inputs(study, data), *_question(problem, data), *_figures(problem, data), *_plan(problem, data)]
        found += _again(problem, data, networks) if again else []
    except (NotAPlan, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        found = [
            *_seal(data),
            ("malformed", f"文件内容不完整或格式不符：{error}", f"the file is incomplete or malformed: {error}"),
        ]
    label = file_label(path)
    return tuple(Fault(code, label, zh, en) for code, zh, en in dict.fromkeys(found))


def _again(problem: PlanProblem, data: Data, networks: Networks | None) -> Iterator[Said]:
    """The same question gives the same file."""
    made = sealed(plan_data(solve_problem(problem, networks)))
    for key in made:
        if key != "sha256":
            yield from _compare(key, data[key], made[key], "solved_otherwise", ("重新求解的结果", "solved once more"))


def _seal(data: Data) -> Iterator[Said]:
    plain = {key: value for key, value in data.items() if key != "sha256"}
    if data.get("sha256") != digest(plain):
        yield "changed", "文件写出后被改动过", "the file was changed after it was written"


def _inputs(study: Study, data: Data) -> Iterator[Said]:
    """The same files, byte for byte."""
    now, then = input_hashes(study), data["inputs"]
    for name in sorted({*now, *then}):
        if now.get(name) != then.get(name):
            yield (
                "input_changed",
                f"输入文件与制定方案时不同：{name}",
                f"an input differs from what the plan was made from: {name}",
            )


def _question(problem: PlanProblem, data: Data) -> Iterator[Said]:
    """The file must answer what the study asks: objective, rules, seed, and the study's own head."""
    one, study = problem.section, problem.study
    asked = {
        "study": {"name": study.name, "made_up": study.made_up, "data_date": study.data_date, "crs": study.crs},
        "plan": {"id": one.id, "name_zh": one.name("zh"), "name_en": one.name("en"), "services": list(one.service_ids)},
        "objective": as_data(problem.objective),
        "rules": [as_data(rule) for rule in problem.rules],
        "seed": one.seed,
        "work_limit": one.work_limit,
        "assumptions": [{"zh": zh, "en": en} for zh, en in problem.assumptions],
    }
    for key, value in asked.items():
        yield from _compare(key, data[key], value, "study_differs", ("与研究文件不符", "differs from the study file"))


def _compare(
    where: str,
    said: Any,
    counted: Any,
    code: str = "figure_differs",
    told: tuple[str, str] = ("核算结果不同", "is counted otherwise"),
) -> Iterator[Said]:
    """Compare two pieces of data leaf by leaf; figures may differ by rounding."""
    if isinstance(counted, Mapping) and isinstance(said, Mapping):
        for key in dict.fromkeys([*counted, *said]):
            yield from _compare(f"{where}.{key}", said.get(key), counted.get(key), code, told)
    elif isinstance(counted, list) and isinstance(said, list) and len(said) == len(counted):
        for at, (one, other) in enumerate(zip(said, counted, strict=True)):
            name = one.get("id", one.get("unit", at)) if isinstance(one, Mapping) else at
            yield from _compare(f"{where}[{name}]", one, other, code, told)
    elif not _alike(said, counted):
        zh = f"{where}：文件为 {_short(said)}，应为 {_short(counted)}（{told[0]}）"
        yield code, zh, f"{where}: the file says {_short(said)}, it should be {_short(counted)} ({told[1]})"


def _alike(said: Any, counted: Any) -> bool:
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (said, counted))
    return abs(said - counted) <= PEOPLE if numbers else bool(said == counted)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _figures(problem: PlanProblem, data: Data) -> Iterator[Said]:
    """Figures that follow from others: gap, stages, money in all, what gave way."""
    value, bound = data["value"], data["bound"]
    missing = abs(bound - value)
    yield from _compare("gap", round(data["gap"], 9), round(missing / (abs(value) or missing), 9) if missing else 0.0)
    first = data["stages"][0]
    yield from _compare("stages[0]", [first["value"], first["bound"], first["unit"]], [value, bound, data["unit"]])
    if first["proven"] != (missing < _close(data)):
        zh = f"stages[0].proven：值 {value} 与界 {bound} 的差不符"
        yield "figure_differs", zh, f"stages[0].proven does not go with value {value} and bound {bound}"
    yield from _compare("status", data["status"], "optimal" if all(one["proven"] for one in data["stages"]) else "feasible")
    yield from _compare("stages", [one["kind"] for one in data["stages"]], ["Stage"] * len(data["stages"]))
    yield from _compare("reached", [_head(one) for one in data["reached"]], _heads(problem, data))
    money = data["money"]
    for key, column in (("cost_yuan", "cost_yuan"), ("subsidy_yuan", "subsidy_yuan")):
        total = sum(site[column] for site in data["sites"])
        if abs(money[key] - total) > YUAN:
            yield from _compare(f"money.{key}", money[key], total)
    yield from _compare("money.net_yuan", money["net_yuan"], money["cost_yuan"] - money["subsidy_yuan"] + money["closing_yuan"])
    yield from _gave_way(data)
    names = [str(name) for times in problem.options.values() for name in times.facilities.index]
    for out, by in data["dominated"]:
        if out not in names or by not in names:
            yield "unknown_site", f"dominated：没有候选点 {out}、{by}", f"dominated: there is no candidate {out} or {by}"


def _head(reached: Data) -> Data:
    return {key: reached[key] for key in ("kind", "group", "service", "served")}


def _heads(problem: PlanProblem, data: Data) -> list[Data]:
    """Whom each count of people is of, and how many of them have a place: those whom the file assigns to one."""
    demands, gives = problem.objective.demands, isinstance(problem.objective, MaxServed | ServedMedian)
    found = []
    for at, demand in enumerate(demands):
        going = sum(row["people"] for row in data["assignments"] if row["demand"] == at)
        head = {"kind": "Reached", "group": demand.group, "service": demand.service}
        found.append(head | {"served": going if gives else None})
    return found


def _close(data: Data) -> float:
    """By how little value and bound may differ and count as proven."""
    return 1.0 if data["unit"] == "people" else max(1e-6 * abs(data["value"]), 1e-3)


def _gave_way(data: Data) -> Iterator[Said]:
    """What the relaxation says against what the plan does: money, units, sites."""
    told, claims = data["relaxation"], [claim for conflict in data["conflicts"] for claim in conflict["claims"]]
    if (told is None) != (not data["conflicts"]):
        yield "figure_differs", "conflicts 与 relaxation 应同时出现", "conflicts and relaxation go together"
    if told is None:
        return
    for gave in told["gave_way"]:
        if not any((claim["unit"], claim["zh"], claim["en"]) == (gave["unit"], gave["zh"], gave["en"]) for claim in claims):
            yield "figure_differs", f"relaxation：{gave['zh']} 不在冲突之列", f"relaxation: {gave['en']} is in no conflict"
    budget = next((rule["yuan"] for rule in data["rules"] if rule["kind"] == "Budget"), None)
    over = 0.0 if budget is None else max(data["money"]["net_yuan"] - budget, 0.0)
    if data["phases"] is None and abs(over - told["extra_yuan"]) > YUAN + 0.5:
        yield from _compare("relaxation.extra_yuan", told["extra_yuan"], over)
    yield from _compare("relaxation.units_without", sorted(told["units_without"]), _units_that_gave(data))
    if not 0 <= told["rules_broken"] <= len(told["gave_way"]):
        yield from _compare("relaxation.rules_broken", told["rules_broken"], len(told["gave_way"]))
    new = sum(site["status"] == "new" for site in data["sites"])
    most = [rule["at_most"] for rule in data["rules"] if rule["kind"] == "Sites" and rule["at_most"] is not None]
    if told["extra_sites"] and most and new - min(most) != told["extra_sites"]:
        yield from _compare("relaxation.extra_sites", told["extra_sites"], max(new - min(most), 0))


def _units_that_gave(data: Data) -> list[str]:
    units = {gave["unit"] for gave in data["relaxation"]["gave_way"] if gave["unit"]}
    return sorted(units)


def _plan(problem: PlanProblem, data: Data) -> Iterator[Said]:
    """Rebuild the plan from what the file claims, and count all that follows from it."""
    plan = rebuilt(problem, data)
    try:
        verify_plan(plan, problem.options, problem.study.cells, existing=problem.existing, units=problem.study.units)
    except ValueError as error:
        yield from (("recount", *both(said)) for said in str(error).split("; "))
    yield from _compare("sites", data["sites"], site_facts(problem, plan))
    yield from _compare("by_unit", data["by_unit"], unit_counts(problem, plan))
    if data["phases"] is not None:
        yield from _compare("phases", _recounted(data["phases"]), year_counts(problem, plan, data["phases"]))
    names = {site["id"] for site in data["sites"] if site["status"] == "new"}
    for row in data["reasons"] or ():
        if row["site_id"] not in names:
            yield "unknown_site", f"reasons：{row['site_id']} 不是新增点位", f"reasons: {row['site_id']} is no new site"


def _recounted(phases: Data) -> Data:
    """What of a plan over years can be counted again."""
    years = [{key: row[key] for key in YEAR_KEYS} for row in phases["years"]]
    return {"asked": phases["asked"], "unused": phases["unused"], "opened": phases["opened"], "years": years}
