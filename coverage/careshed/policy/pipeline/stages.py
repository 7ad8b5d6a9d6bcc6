"""Measure what projects would bring, stage by stage and project by project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.access import ALL, coverage, presence
from careshed.policy.changes.subset import judge_some
from careshed.policy.judging import study_profile
from careshed.policy.judging.card import Both, Scorecard
from careshed.policy.judging.ground import Ground
from careshed.policy.model import Profile
from careshed.policy.pipeline.money import STAGES, Build, Stage, money_notes, priced, subsidy_bill
from careshed.reach import travel_times
from careshed.schema import Fault, InputError, file_label
from careshed.settings.sections import PolicySection, Service

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.network import Network
    from careshed.study import Study


@dataclass(frozen=True)
class Pipeline:
    """What a city's projects would bring, stage by stage and project by project."""

    stages: pd.DataFrame
    """One row a service and stage: ``service``, ``stage``, ``facilities``, ``places``, ``people`` (of the service's group),
    ``covered``, ``unjudged``, ``share``, ``new_covered`` (more than in the stage before), ``units_having``, ``units`` (the other
    sense of covered), ``cost_yuan`` (of the stage's projects, as far as known), ``cost_unknown`` (projects without),
    ``yuan_per_person`` (NaN where a cost is unknown or nobody is newly covered), ``one_off_yuan``, ``net_yuan`` (NaN likewise),
    ``month_yuan`` (subsidies; per month of all facilities of the service up to this stage)."""
    projects: pd.DataFrame
    """One row a service and project: ``service``, ``name``, ``type``, ``status``, ``unit``, ``setting``, ``places``, ``area_m2``,
    ``new_covered`` (people whom it alone would newly bring within reach), ``cost_yuan``, ``cost_low``, ``cost_high``,
    ``cost_from``, ``yuan_per_person``, ``one_off_yuan``, ``month_yuan``; index ``facility_id``."""
    subsidies: pd.DataFrame
    """One row a facility and subsidy: ``facility_id``, ``name``, ``status``, ``subsidy``, ``title_zh``, ``title_en``, ``per``,
    ``quantity``, ``yuan_each``, ``one_off_yuan``, ``month_yuan``."""
    rules: pd.DataFrame
    """One row a rule: ``title_zh``, ``title_en``, ``unit_zh``, ``unit_en``, ``target``, then ``value_…`` and ``state_…`` of each
    stage; index ``rule_id``. Empty without a plan."""
    notes: tuple[Both, ...]
    """What was assumed, and what the figures leave out."""


def pipeline(
    study: Study,
    service: str | Sequence[str] | None = None,
    *,
    profile: Profile | None = None,
    rules: Iterable[str] | None = None,
    costs: Mapping[str, float] | None = None,
    build: Build | Mapping[str, Build] = "new",
    occupancy: float = 1.0,
) -> Pipeline:
    """Say what a city's projects would bring: coverage, rules, cost per newly covered person and the subsidy bill.

    Stages add up: what operates, with what is under construction, with what is in reserve. A project counts as if it opened now,
    with the places that its register states.

    Parameters
    ----------
    service
        Ids of services; left out, all of the study.
    profile
        The plan whose rules are judged and whose cost model and subsidy rates are used; left out, the one the study names.
    rules
        Ids of the rules to judge at each stage; left out, those about types of facilities that have projects.
    costs
        Facility id -> cost in yuan, where a project list states it. Otherwise a column ``cost_yuan`` of the facilities, then the
        plan's cost model (its first line that fits; ``cost_low`` and ``cost_high`` over all that fit). ``cost_from`` says which.
    build
        How the projects are built, which decides the one-off subsidy; for all or facility id -> way.
    occupancy
        Share of places that are taken, above 0 and up to 1, where running costs are paid by person and month.

    Raises
    ------
    careshed.schema.InputError
        If a cost or a way of building is given for an unknown facility, or a rule is asked for that the plan does not have.
    careshed.study.UnknownService
        If the study has no such service.
    """
    plan = profile if profile is not None else study_profile(study) if study.policy is not None else None
    wanted = None if rules is None else list(rules)
    _check(study, plan, wanted, costs or {}, build, occupancy)
    ids = [service] if isinstance(service, str) else [one.id for one in study.services] if service is None else list(service)
    ground = Ground(study, study.policy or PolicySection(profile=""), _year(study))
    table = priced(ground, plan, costs or {})
    bill = subsidy_bill(table, plan, build, occupancy)
    networks: dict[str, Network] = {}
    found = [_service(study, study.service(one), table, bill, networks) for one in ids]
    projects = pd.concat([one[1] for one in found])
    stages = pd.DataFrame([row for one in found for row in one[0]])
    judged = _rules(study, plan, wanted, table) if plan is not None else pd.DataFrame()
    own = bill[bill["facility_id"].isin(projects.index) | (bill["month_yuan"] > 0)].reset_index(drop=True)
    return Pipeline(stages, projects, own, judged, tuple(money_notes(table, plan, projects, build, occupancy)))


def _year(study: Study) -> int | None:
    return int(study.data_date[:4]) if study.data_date else None


def _check(
    study: Study, plan: Profile | None, rules: list[str] | None, costs: Mapping[str, float], build: Build | Mapping[str, Build],
    occupancy: float,
) -> None:  # fmt: skip
    if not 0 < occupancy <= 1:
        raise ValueError(f"occupancy={occupancy}: the share of places taken is above 0 and at most 1")
    known, file, faults = set(study.facility_table.index.astype(str)), file_label(study.path), []
    ways = {} if isinstance(build, str) else build
    for word, codes in (("costs", costs), ("build", ways)):
        for code in codes:
            if code not in known:
                told = (f"{word}：登记表中没有该设施", f"{word}: the registers have no such facility")
                faults.append(Fault("unknown_facility", file, *told, "请核对编号。", "Check the id.", found=str(code)))
    for code, yuan in costs.items():
        if not (np.isfinite(yuan) and yuan >= 0):
            told = (f"costs：{code} 的造价应不小于 0", f"costs: the cost of {code} must be at least 0")
            faults.append(Fault("bad_cost", file, *told, "请改正。", "Correct it.", found=f"{yuan:g}"))
    ids = [] if plan is None else [rule.id for rule in plan.rule]
    for code in rules or []:
        if code not in ids:
            told = ("rules：规划中没有该指标", "rules: the plan has no such rule")
            faults.append(Fault("unknown_rule", file, *told, "请核对指标编号。", "Check the id of the rule.", found=code))
    if faults:
        raise InputError(faults)


def _service(
    study: Study, service: Service, table: GeoDataFrame, bill: pd.DataFrame, networks: dict[str, Network]
) -> tuple[list[dict[str, object]], pd.DataFrame]:
    """Measure one service stage by stage, and what each of its projects would bring alone."""
    if service.mode not in networks:
        mode = study.travel_mode(service.mode)
        networks[service.mode] = study.network(mode)
    network, minutes = networks[service.mode], service.within_minutes
    own = table[table["type"].isin(service.types)]
    rows: list[dict[str, object]] = []
    before, reached = 0.0, np.zeros(len(study.cells), dtype=bool)
    statuses: list[str] = []
    for stage in STAGES:
        statuses.append(stage)
        facilities = own[own["status"].isin(statuses)]
        times = travel_times(network, facilities, study.cells, limit_min=0.01)
        found = coverage(times, study.cells, study.units, minutes=minutes, group=service.group)
        names = ["people", "covered", "unjudged", "share"]
        row = dict(zip(names, found.loc[[ALL], names].to_numpy(dtype=float)[0].tolist(), strict=True))
        covered = row["covered"]
        if stage == "operating":
            reached, before = times.reached(minutes=minutes), covered
        rows.append(_stage(study, service, stage, facilities, row, covered - before, bill))
        before = covered
    projects = own[own["status"].isin(["building", "reserve"])]
    return rows, _projects(study, service, projects, _gains(study, service, network, projects, reached), bill)


def _stage(
    study: Study,
    service: Service,
    stage: Stage,
    facilities: GeoDataFrame,
    row: Mapping[str, float],
    gained: float,
    bill: pd.DataFrame,
) -> dict[str, object]:
    """Lay out one stage of a service."""
    added = facilities[facilities["status"] == stage] if stage != "operating" else facilities.iloc[:0]
    levels = service.at_least_one_per or ("street", "township")
    has = presence(facilities, study.units, levels=levels)["has_one"]
    unknown = int(added["cost_yuan"].isna().sum())
    cost = float(added["cost_yuan"].sum()) if not unknown or unknown < len(added) else float("nan")
    one_off = float(bill.loc[bill["facility_id"].isin(added.index), "one_off_yuan"].sum())
    return {
        "service": service.id,
        "stage": stage,
        "facilities": len(facilities),
        "places": float(facilities["places"].sum()),
        "people": row["people"],
        "covered": row["covered"],
        "unjudged": row["unjudged"],
        "share": row["share"],
        "new_covered": gained,
        "units_having": int(has.sum()),
        "units": len(has),
        "cost_yuan": cost,
        "cost_unknown": unknown,
        "yuan_per_person": _each(cost, gained, unknown),
        "one_off_yuan": one_off,
        "net_yuan": float("nan") if unknown else cost - one_off,
        "month_yuan": float(bill.loc[bill["facility_id"].isin(facilities.index), "month_yuan"].sum()),
    }


def _each(cost: float, people: float, unknown: int = 0) -> float:
    return cost / people if people > 0 and cost > 0 and not unknown else float("nan")


def _gains(
    study: Study, service: Service, network: Network, projects: GeoDataFrame, reached: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Count the people whom each project alone would newly bring within reach."""
    people = study.cells[service.group].to_numpy(dtype=float) * ~reached
    times = travel_times(network, projects, study.cells, limit_min=service.within_minutes)
    sums = np.concatenate([[0.0], np.cumsum(people[times.indices])])
    return np.asarray(sums[times.indptr[1:]] - sums[times.indptr[:-1]], dtype=np.float64)


def _projects(
    study: Study, service: Service, projects: GeoDataFrame, gains: NDArray[np.float64], bill: pd.DataFrame
) -> pd.DataFrame:
    columns = [
        "name",
        "type",
        "status",
        "unit",
        "setting",
        "places",
        "area_m2",
        "cost_yuan",
        "cost_low",
        "cost_high",
        "cost_from",
    ]
    found = pd.DataFrame(projects[columns])
    sums = bill.groupby("facility_id")[["one_off_yuan", "month_yuan"]].sum().reindex(projects.index).fillna(0.0)
    each = [_each(cost, gain) for cost, gain in zip(found["cost_yuan"], gains, strict=True)]
    names = study.units["name"].reindex(projects["unit"]).fillna("").to_numpy()
    found = found.assign(service=service.id, unit_name=names, new_covered=gains, yuan_per_person=each, **sums)
    return found[
        ["service", *columns[:4], "unit_name", *columns[4:7], "new_covered", *columns[7:], "yuan_per_person", *sums.columns]
    ]


def promoted(study: Study, statuses: Iterable[str]) -> Study:
    """Give the study as if all projects of some statuses opened now."""
    table, wanted = study.facility_table, list(statuses)
    moved = table["status"].isin(wanted).to_numpy()
    year = _year(study)
    opened = table["opened"].to_numpy(dtype=float)
    now = np.where(moved, np.nan if year is None else float(year), opened)
    return replace(study, facility_table=table.assign(status=np.where(moved, "operating", table["status"]), opened=now))


def _rules(study: Study, plan: Profile, rules: list[str] | None, table: GeoDataFrame) -> pd.DataFrame:
    """Judge the rules at each stage."""
    kinds = set(table.loc[table["status"].isin(["building", "reserve"]), "kind"])
    chosen = [
        rule.id for rule in plan.rule if rule.scored and (rule.id in rules if rules is not None else set(rule.types) & kinds)
    ]
    cards: dict[Stage, Scorecard] = {
        "operating": judge_some(study, plan, chosen),
        "building": judge_some(promoted(study, ["building"]), plan, chosen),
        "reserve": judge_some(promoted(study, ["building", "reserve"]), plan, chosen),
    }
    rows = []
    for code in chosen:
        rule, first = plan.find(code), cards["operating"].result(code)
        told = (rule.title_zh, rule.title_en, rule.unit("zh"), rule.unit("en"), first.target)
        values = (card.result(code).value for card in cards.values())
        states = (card.result(code).state for card in cards.values())
        rows.append((*told, *values, *states))
    columns = ["title_zh", "title_en", "unit_zh", "unit_en", "target"]
    columns += [f"{what}_{stage}" for what in ("value", "state") for stage in STAGES]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(chosen, name="rule_id", dtype="str"))
