"""Turn a plan of a study file into an objective and rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING

from careshed.policy.loading import load_profile, shipped
from careshed.policy.types import canonical_type
from careshed.schema import InputError
from careshed.settings.config import study_fault
from careshed.siting.planning import (
    Amount,
    Budget,
    Closable,
    Demand,
    EachSite,
    Forbidden,
    ForcedIn,
    Hosting,
    InclusiveShare,
    MaxCover,
    MaxServed,
    Objective,
    PCentre,
    PerUnit,
    PMedian,
    ReachInUnits,
    Rule,
    ServedMedian,
    SetCover,
    Sites,
    Spacing,
    Subsidy,
    Upgradable,
    WorstUnit,
    subsidies_of,
)
from careshed.siting.planning.kinds import Beyond
from careshed.siting.rules import climb
from careshed.siting.studying.checks import GIVES_PLACES
from careshed.siting.studying.matrices import limits_of
from careshed.supply.decay import Step

if TYPE_CHECKING:
    from pathlib import Path

    from geopandas import GeoDataFrame

    from careshed.policy.model import Profile
    from careshed.settings.siting import PerUnitSection, PlanSection, ReachSection
    from careshed.study import Study

NO_LIMIT = 1e12
"""Budget that binds nothing, where only subsidies are to be counted: the most that the planning takes for a bound."""


def objective_of(study: Study, one: PlanSection) -> Objective:
    """Read what the plan is good for."""
    demands = demands_of(study, one)
    beyond = _beyond(study, one)
    match one.objective:
        case "max_cover":
            return MaxCover(demands)
        case "set_cover":
            return SetCover(demands, one.share, one.of, one.least)
        case "p_median":
            return PMedian(demands, beyond)
        case "p_centre":
            return PCentre(demands, beyond)
        case "max_served":
            return MaxServed(demands)
        case "served_median":
            return ServedMedian(demands, beyond)
        case "worst_unit":
            return WorstUnit(demands, one.level, one.of)


def _beyond(study: Study, one: PlanSection) -> Beyond:
    if one.beyond is None:
        return 2.0 * max(limits_of(one, study.service(name)).searched for name in one.service_ids)
    return one.beyond  # type: ignore[return-value]  # another word is refused by the planning itself


def demands_of(study: Study, one: PlanSection) -> tuple[Demand, ...]:
    """Read whom the plan serves: what it states, else the group of each service."""
    decay = Step(tuple(near for near, _ in one.bands), tuple(worth for _, worth in one.bands)) if one.bands else None
    found = []
    for name in one.service_ids:
        service, limit = study.service(name), limits_of(one, study.service(name))
        rate = service.demand_rate if one.objective in GIVES_PLACES else 1.0
        stated = [own for own in one.demand if own.service in ("", name)]
        if stated:
            for own in stated:
                minutes, metres = (own.minutes or limit.minutes, own.metres or limit.metres)
                if own.metres is not None:
                    minutes = None
                found.append(Demand(own.group, minutes, metres, name, own.weight, own.rate, one.sites_needed, decay))
            continue
        for group, weight in (one.weights or {service.group: 1.0}).items():
            found.append(Demand(group, limit.minutes, limit.metres, name, weight, rate, one.sites_needed, decay))
    return tuple(found)


def rules_of(study: Study, one: PlanSection, tables: Mapping[str, tuple[GeoDataFrame, GeoDataFrame]]) -> tuple[Rule, ...]:
    """Read the rules of a plan, in the order of the documentation.

    Parameters
    ----------
    tables
        Service -> its candidates and the facilities that stand.
    """
    found: list[Rule] = [*_numbers(one), *_per_unit(study, one, tables)]
    found += [Amount(rule.measure, rule.at_least, rule.at_most, rule.level, rule.which) for rule in one.amount]
    found += [_reach(study, one, rule) for rule in one.reach]
    found += [*_money(study, one), *_single_sites(one)]
    found += [Closable(rule.ids, rule.cost_yuan) for rule in one.closable]
    found += [
        Upgradable(rule.id, rule.places, rule.cost_yuan, rule.build, _service(one, rule.service)) for rule in one.upgradable
    ]
    found += [Hosting(rule.service, rule.cost_yuan, rule.area_m2, rule.places) for rule in one.hosting]
    return tuple(found)


def _service(one: PlanSection, named: str) -> str:
    """A rule's service; that of the plan where it sites only one."""
    return named or (one.service_ids[0] if len(one.service_ids) == 1 else "")


def _numbers(one: PlanSection) -> Iterator[Rule]:
    if one.at_least or one.at_most is not None:
        yield Sites(one.at_least, one.at_most)


def _per_unit(study: Study, one: PlanSection, tables: Mapping[str, tuple[GeoDataFrame, GeoDataFrame]]) -> Iterator[Rule]:
    for rule in one.per_unit:
        if rule.share is not None:
            yield from _share_of_units(study, rule, tables)
        else:
            units = units_meant(study, rule)
            if units or not (rule.units or rule.setting != "all"):
                yield PerUnit(rule.level, rule.at_least, rule.at_most, rule.which, units, rule.service)


def units_meant(study: Study, rule: PerUnitSection | ReachSection) -> tuple[str, ...]:
    """Name the units a rule speaks of; none named means every unit of its level."""
    units = study.units
    if rule.setting == "all":
        return rule.units
    meant = units.index[(units["level"] == rule.level) & (units["setting"] == rule.setting)]
    return tuple(sorted(str(code) for code in meant if not rule.units or str(code) in rule.units))


def _share_of_units(
    study: Study, rule: PerUnitSection, tables: Mapping[str, tuple[GeoDataFrame, GeoDataFrame]]
) -> Iterator[Rule]:
    """A share of the units gets its first site: new ones go only where there is none, one each."""
    parents = {str(code): str(parent) for code, parent in study.units["parent"].items()}
    level = study.units.index[study.units["level"] == rule.level]
    meant = set(units_meant(study, rule) or map(str, level))
    stand = {code for _, existing in tables.values() for unit in existing["unit"] for code in climb(str(unit), parents)}
    without = tuple(sorted(meant - stand))
    missing = max(ceil((rule.share or 0.0) * len(meant) - 1e-9) - len(meant & stand), 0)
    elsewhere = {
        str(name)
        for candidates, _ in tables.values()
        for name, unit in candidates["unit"].items()
        if not set(climb(str(unit), parents)) & set(without)
    }
    if without:
        yield PerUnit(rule.level, 0, 1, "new", without, rule.service)
    if elsewhere:
        yield Forbidden(tuple(sorted(elsewhere)))
    yield Sites(missing, missing, "new", rule.service)


def _reach(study: Study, one: PlanSection, rule: ReachSection) -> ReachInUnits:
    service = study.service(rule.service or one.service_ids[0])
    limit = limits_of(one, service)
    minutes, metres = (rule.minutes or limit.minutes, rule.metres or limit.metres)
    demand = Demand(rule.group or service.group, None if rule.metres else minutes, metres, service.id)
    return ReachInUnits(demand, rule.level, rule.share, rule.of, units_meant(study, rule))


def _single_sites(one: PlanSection) -> Iterator[Rule]:
    if one.forced:
        yield ForcedIn(one.forced)
    if one.forbidden:
        yield Forbidden(one.forbidden)
    if one.spacing_m is not None:
        yield Spacing(one.spacing_m, one.spacing_existing)
    if (one.min_area_m2, one.min_places, one.max_places) != (None, None, None):
        yield EachSite(one.min_area_m2, one.min_places, one.max_places)
    if one.inclusive_share is not None:
        yield InclusiveShare(one.inclusive_share, one.inclusive_measure)


def _money(study: Study, one: PlanSection) -> Iterator[Rule]:
    subsidies = subsidies_asked(study, one)
    if one.budget_yuan is not None or subsidies:
        yield Budget(NO_LIMIT if one.budget_yuan is None else one.budget_yuan, subsidies)


def subsidies_asked(study: Study, one: PlanSection) -> tuple[Subsidy, ...]:
    """Read the subsidies: those listed, or those of a plan of the city for the types of the services."""
    if one.subsidies != "profile":
        return tuple(Subsidy(rate.yuan, rate.build, rate.setting, rate.service) for rate in one.subsidy)
    profile, extra = subsidy_profile(study, one), dict(study.policy.types) if study.policy is not None else {}
    hosts: dict[str, str] = {}
    for name in one.service_ids:
        for word in study.service(name).types:
            hosts.setdefault(canonical_type(word, extra) or word, name)
    return subsidies_of(profile, types=list(hosts), services=hosts)


def subsidy_profile(study: Study, one: PlanSection) -> Profile:
    """Open the plan of the city whose subsidies are paid.

    Raises
    ------
    careshed.schema.InputError
        If neither the plan nor [policy] names one.
    """
    named = one.profile or (study.policy.profile if study.policy is not None else "")
    if not named:
        told = ('subsidies = "profile"，但未指明规划', 'subsidies = "profile", but no plan of the city is named')
        cure = (
            f"请填写 profile 或 [policy] profile；内置：{', '.join(shipped())}。",
            f"Give profile, or [policy] profile; shipped: {', '.join(shipped())}.",
        )
        raise InputError([study_fault(study.path, "no_profile", f"[[plan]] {one.id}: profile", told, cure)])
    return load_profile(_profile_path(study.folder, named))


def _profile_path(folder: Path, named: str) -> str | Path:
    return folder / named if named.endswith(".toml") else named


def free_of_limit(rules: Sequence[Rule]) -> bool:
    """Tell whether the plan has no budget that binds."""
    return not any(isinstance(rule, Budget) and rule.yuan < NO_LIMIT for rule in rules)
