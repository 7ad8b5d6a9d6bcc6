"""Write a plan as a file that anybody can check: sites, money, rules as data, who is reached, bound, hash of the inputs."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from careshed.schema import Fault, InputError, file_label
from careshed.siting.planning import Conflict, Plan, Relaxation, Rule

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.siting.phasing import PhasedPlan
    from careshed.siting.scenarios import Robustness, RobustPlan
    from careshed.siting.studying import StudyPlan
    from careshed.study import Study

FORMAT: Final = "careshed plan 1"

Data = dict[str, Any]
"""A JSON object."""

DIGITS: Final = 6
"""Decimals kept of people, shares and degrees: a millionth of a person is the planning's own unit."""


def write_plan_file(path: str | Path, solved: StudyPlan) -> Path:
    """Write a plan with everything that is needed to check it; no clock, so that the same plan gives the same bytes."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(json.dumps(sealed(plan_data(solved)), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(aside, path)
    return path


def read_plan_file(path: str | Path) -> Data:
    """Read a plan file.

    Raises
    ------
    careshed.schema.InputError
        If it cannot be read, or is no plan file of this form.
    """
    path = Path(path)
    cure = ("请用 careshed plan-sites 重新生成。", "Write it again with careshed plan-sites.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InputError([_bad(path, "file_missing", "找不到文件", "file not found", *cure)]) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        zh, en = f"不是有效的 JSON（{error}）", f"is not valid JSON ({error})"
        raise InputError([_bad(path, "bad_json", zh, en, *cure)]) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("plan"), dict):
        zh, en = "不是本软件的方案文件", "is no plan file of careshed"
        raise InputError([_bad(path, "no_plan_file", zh, en, *cure)])
    return data


def _bad(path: Path, code: str, zh: str, en: str, cure_zh: str, cure_en: str) -> Fault:
    return Fault(code, file_label(path), zh, en, cure_zh, cure_en)


def sealed(data: Data) -> Data:
    """Add the digest of all that a file says, so that a change by hand shows."""
    plain = {key: value for key, value in data.items() if key != "sha256"}
    return plain | {"sha256": digest(plain)}


def digest(data: Data) -> str:
    """Digest data whatever the order of its keys.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def plan_data(solved: StudyPlan) -> Data:
    """Say a plan as plain data."""
    problem, plan, one = solved.problem, solved.plan, solved.section
    study = problem.study
    return {
        "format": FORMAT,
        "study": {"name": study.name, "made_up": study.made_up, "data_date": study.data_date, "crs": study.crs},
        "plan": {"id": one.id, "name_zh": one.name("zh"), "name_en": one.name("en"), "services": list(one.service_ids)},
        "inputs": input_hashes(study),
        "objective": as_data(problem.objective),
        "rules": [as_data(rule) for rule in problem.rules],
        "seed": one.seed,
        "work_limit": one.work_limit,
        "status": plan.status,
        "method": plan.method,
        "bound_by": plan.bound_by,
        "reproducible": plan.reproducible,
        "unit": plan.unit,
        "value": rounded(plan.value),
        "bound": rounded(plan.bound),
        "gap": rounded(plan.gap, 12),
        "stages": [as_data(stage) for stage in plan.stages],
        "money": {name: getattr(plan, name) for name in ("cost_yuan", "subsidy_yuan", "closing_yuan", "net_yuan")},
        "sites": site_rows(plan, study.units),
        "closed": list(plan.closed),
        "upgrades": [as_data(upgrade) for upgrade in plan.upgrades],
        "reached": [as_data(reached) for reached in plan.reached],
        "by_unit": unit_rows(solved),
        "assignments": assignment_rows(plan),
        "conflicts": [_conflict(conflict) for conflict in plan.conflicts],
        "relaxation": _relaxation(plan.relaxation, plan.rules),
        "dominated": [list(pair) for pair in plan.dominated],
        "assumptions": [{"zh": zh, "en": en} for zh, en in problem.assumptions],
        "findings": [{"code": one.code, "zh": one.zh, "en": one.en, "people": rounded(one.people)} for one in solved.findings],
        "phases": None if solved.phased is None else phase_data(solved.phased),
        "reasons": None if solved.extras.reasons is None else table_rows(solved.extras.reasons.table),
        "frontier": None if solved.extras.curve is None else table_rows(solved.extras.curve.table),
        "scenarios": None if solved.extras.stressed is None else scenario_data(solved.extras.stressed, solved.extras.robust),
    }


def phase_data(phased: PhasedPlan) -> Data:
    """Say a plan over years: what opens when, at what cost, and whom each year reaches."""
    return {
        "opened": {str(year): list(names) for year, names in phased.opened.items()},
        "unused": phased.unused,
        "weights": [rounded(weight) for weight in phased.weights],
        "asked": [as_data(phase) for phase in phased.phases],
        "years": table_rows(phased.table),
        "stages": [as_data(stage) for stage in phased.stages],
        "nesting_cost": [as_data(cost) for cost in phased.nesting_cost],
    }


def scenario_data(stressed: Robustness, robust: RobustPlan | None) -> Data:
    """Say how a plan and its sites fare over the scenarios."""
    told = None
    if robust is not None:
        figures = {name: rounded(getattr(robust, name)) for name in ("worst", "bound", "value", "nominal_value", "nominal_worst")}
        told = {
            "criterion": robust.criterion,
            "sites": list(robust.sites),
            "proven": robust.proven,
            "method": robust.method,
        } | figures
    tables = {name: table_rows(getattr(stressed, name)) for name in ("sites", "scenarios", "influence")}
    return tables | {"robust": told}


def table_rows(table: pd.DataFrame) -> list[Data]:
    """Say a table as rows, its index first; what is not known is null."""
    plain = table.reset_index()
    return [
        {str(key): _plain(value) for key, value in zip(plain.columns, row, strict=True)} for row in plain.itertuples(index=False)
    ]


def _plain(value: Any) -> Any:
    own = value.item() if hasattr(value, "item") else value
    return rounded(own) if isinstance(own, float) else own


def rounded(value: float, digits: int = DIGITS) -> float | None:
    """Round a figure for the file; what is not known is null.

    >>> rounded(1 / 3), rounded(float("nan"))
    (0.333333, None)
    """
    return None if not math.isfinite(value) else round(float(value), digits)


def as_data(value: Any) -> Any:
    """Say a rule, an objective or another record as plain data, its kind first."""
    if is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__} | {one.name: as_data(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple | list):
        return [as_data(one) for one in value]
    return rounded(value) if isinstance(value, float) else value


def site_rows(plan: Plan, units: GeoDataFrame) -> list[Data]:
    """Say every site with its money and where it lies, WGS-84."""
    names = {str(code): str(name) for code, name in units["name"].items()}
    points = plan.sites.geometry.to_crs(4326)
    return [
        {
            "id": str(name),
            "name": str(row["name"]),
            "status": str(row["status"]),
            "unit": str(row["unit"]),
            "unit_name": names.get(str(row["unit"]), ""),
            "services": str(row["services"]),
            "places": rounded(row["places"]),
            "cost_yuan": rounded(row["cost_yuan"]),
            "subsidy_yuan": rounded(row["subsidy_yuan"]),
            "net_yuan": rounded(row["net_yuan"]),
            "lon": rounded(point.x),
            "lat": rounded(point.y),
        }
        for (name, row), point in zip(plan.sites.iterrows(), points, strict=True)
    ]


def unit_rows(solved: StudyPlan) -> list[Data]:
    """Say by demand and unit who is reached before and after, leaving out units without people and sites."""
    units = solved.problem.study.units
    names, levels = ({str(code): str(text) for code, text in units[column].items()} for column in ("name", "level"))
    rows = []
    for row in solved.by_unit.to_dict("records"):
        if row["people"] or row["sites_before"] or row["sites_after"]:
            unit = str(row["unit"])
            told = {key: rounded(row[key]) for key in ("people", "before", "after")}
            sites = {key: int(row[key]) for key in ("sites_before", "sites_after", "new")}
            head = {"unit": unit, "name": names.get(unit, ""), "level": levels.get(unit, "")}
            rows.append(head | {"group": str(row["group"]), "service": str(row["service"])} | told | sites)
    return rows


def assignment_rows(plan: Plan) -> list[Data]:
    """Say who goes where, for objectives that send people to sites."""
    kinds: dict[str, Callable[[Any], Any]] = {"demand": int, "cell_id": int, "site_id": str, "people": rounded, "cost": int}
    table = plan.assignments
    columns = [[read(value) for value in table[key].tolist()] for key, read in kinds.items()]
    return [dict(zip(kinds, row, strict=True)) for row in zip(*columns, strict=True)]


def _conflict(conflict: Conflict) -> Data:
    claims = [{"unit": one.unit, "zh": one.zh, "en": one.en} for one in conflict.claims]
    return {"zh": conflict.zh, "en": conflict.en, "claims": claims}


def _relaxation(told: Relaxation | None, rules: tuple[Rule, ...]) -> Data | None:
    """Say what gave way; a rule by its place among the rules, -1 where the objective itself asks it."""
    if told is None:
        return None
    where = {id(rule): at for at, rule in enumerate(rules)}
    gave = [{"rule": where.get(id(one.rule), -1), "unit": one.unit, "zh": one.zh, "en": one.en} for one in told.gave_way]
    figures = {"extra_yuan": told.extra_yuan, "extra_sites": told.extra_sites, "rules_broken": told.rules_broken}
    return {"zh": told.zh, "en": told.en, "units_without": list(told.units_without)} | figures | {"gave_way": gave}


def input_hashes(study: Study) -> dict[str, str]:
    """Digest every file that a study names, itself included, so that a check can tell whether they are the same."""
    named = {study.path.name, *_files(study.config.model_dump(exclude={"plan"}))}
    if study.policy is not None and study.policy.profile.endswith(".toml"):
        named.add(study.policy.profile)
    return {name: _sha256(study.folder / name) for name in sorted(named) if (study.folder / name).is_file()}


def _files(value: Any) -> Iterator[str]:
    """Walk a study's sections for the files they name."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "file":
                yield from [inner] if isinstance(inner, str) else [str(one) for one in inner or ()]
            elif key == "rasters":
                yield from _texts(inner)
            else:
                yield from _files(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _files(inner)


def _texts(value: Any) -> Iterator[str]:
    for one in value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple | list) else (value,):
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping | tuple | list):
            yield from _texts(one)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
