"""Compute the travel times that a plan is made from: candidates and existing facilities of each service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from careshed.intake.units.placing import finest_unit
from careshed.network import Network
from careshed.policy.types import canonical_function, operator_classes, split_functions
from careshed.reach import TravelTimes, travel_times

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.modes import Mode
    from careshed.settings.siting import DemandOfPlan, PlanSection, ReachSection
    from careshed.study import Service, Study

INCLUSIVE = frozenset({"public", "public_private", "inclusive"})
"""Classes of operator whose places count as inclusive, as the shipped plans do."""


@dataclass
class Networks:
    """The networks of a study by mode, each built once."""

    study: Study
    built: dict[Mode, Network] = field(default_factory=dict)

    def of(self, mode: Mode) -> Network:
        """Give the network of a mode, built where it is not there yet."""
        if mode not in self.built:
            self.built[mode] = self.study.network(mode)
        return self.built[mode]


@dataclass(frozen=True)
class Limit:
    """How far people of a service may travel, and how far is searched."""

    minutes: float | None
    metres: float | None
    searched: float
    """Minutes or metres, the largest of all limits of the service."""


def limits_of(one: PlanSection, service: Service) -> Limit:
    """Settle the limit of a service under a plan: the plan's, else the service's own."""
    minutes = one.minutes if one.metres is None else None
    if minutes is None and one.metres is None:
        minutes = service.within_minutes
    more: list[DemandOfPlan | ReachSection] = [*one.demand, *one.reach]
    mine = [rule for rule in more if rule.service in ("", service.id)]
    further = [rule.minutes if one.metres is None else rule.metres for rule in mine]
    searched = max([limit for limit in (minutes if one.metres is None else one.metres, *further) if limit is not None])
    return Limit(minutes, one.metres, searched * _further(one))


def _further(one: PlanSection) -> float:
    """How much farther than the limit to search, so that scenarios need no search of their own."""
    return 1.0 if one.scenarios is None else max(one.scenarios.speed[1], 1.0) * max(one.scenarios.limit[1], 1.0)


def mode_of(study: Study, one: PlanSection, service: Service) -> Mode:
    """Settle the mode of a service under a plan: the plan's, else the service's own."""
    return study.travel_mode(one.mode or service.mode)


def matrix(networks: Networks, one: PlanSection, service: Service, places: GeoDataFrame) -> TravelTimes:
    """Compute the travel times of some places for a service under a plan."""
    limit = limits_of(one, service)
    network = networks.of(mode_of(networks.study, one, service))
    cells = networks.study.cells
    if one.metres is not None:
        return travel_times(network, places, cells, limit_m=limit.searched)
    return travel_times(network, places, cells, limit_min=limit.searched)


def existing_places(study: Study, one: PlanSection, service: Service) -> GeoDataFrame:
    """Give the facilities that stand and count, with whether their places are inclusive.

    A facility lies in the unit that its register names; where that names none, in the finest one that holds it.
    """
    table = study.facilities(service.id)
    classes = [frozenset(operator_classes(str(text))) for text in table["operator"]]
    offered = [frozenset(split_functions(str(text))[0]) for text in table["functions"]]
    asked = frozenset(filter(None, map(canonical_function, one.functions)))
    table = table.assign(inclusive=[bool(found & INCLUSIVE) for found in classes])
    known, found = set(map(str, study.units.index)), finest_unit(table, study.units)
    table = table.assign(unit=[own if own in known else lies for own, lies in zip(map(str, table["unit"]), found, strict=True)])
    of_class = [not one.classes or bool(found & frozenset(one.classes)) for found in classes]
    counts = [fits and asked <= does for fits, does in zip(of_class, offered, strict=True)]
    return table.loc[np.array(counts, dtype=np.bool_)]


def candidate_places(study: Study, one: PlanSection, service: Service) -> GeoDataFrame:
    """Give the candidates of a service with the kind of building that subsidies go by."""
    table = study.candidates(service.id) if len(study.candidate_table) else study.candidate_table
    return table.assign(build=[one.build.get(str(kind), "new") for kind in table["kind"]], inclusive=one.new_inclusive)
