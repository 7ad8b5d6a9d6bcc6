"""Say what candidate sites cost, and what of it subsidies pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from careshed.siting.planning import Subsidy
from careshed.siting.rules import climb
from careshed.siting.studying.rules import subsidies_asked

if TYPE_CHECKING:
    import pandas as pd

    from careshed.study import Study


@dataclass(frozen=True)
class SiteMoney:
    """What every candidate of a service costs, and by whose subsidies."""

    table: pd.DataFrame
    """Index of the candidates; ``cost_yuan`` (NaN unknown), ``subsidy_yuan``, ``net_yuan``, whole yuan."""
    plan: str
    """Id of the ``[[plan]]`` whose subsidies are paid, "" where none are."""


@dataclass(frozen=True)
class Money:
    """What a choice costs."""

    cost_yuan: float
    subsidy_yuan: float
    net_yuan: float
    unknown: int
    """Sites whose cost is not known; they count as nothing above."""


def site_money(study: Study, service_id: str) -> SiteMoney:
    """Work out cost, subsidy and what is left for every candidate of a service.

    Subsidies are those of the study's first ``[[plan]]`` of this service that has any; a site's subsidy is that of its places by
    kind of building and setting, and never more than its cost, as in planning.
    """
    import pandas as pd

    plan, rates, build = _rates(study, service_id)
    table = study.candidates(service_id)
    settings = _settings(study)
    cost = np.round(_numbers(table, "cost_yuan"))
    places = _numbers(table, "places")
    parents = {str(code): str(parent) for code, parent in study.units["parent"].items()}
    paid = np.zeros(len(table))
    for row, (unit, kind) in enumerate(zip(map(str, table["unit"]), map(str, table["kind"]), strict=True)):
        setting = next((settings[code] for code in climb(unit, parents) if settings.get(code)), "")
        fit = [rate.yuan for rate in rates if _fits(rate, build.get(kind, "new"), setting, service_id)]
        asked = round(max(fit, default=0.0) * places[row]) if not np.isnan(places[row]) else 0
        paid[row] = 0.0 if np.isnan(cost[row]) else min(asked, cost[row])
    money = pd.DataFrame({"cost_yuan": cost, "subsidy_yuan": paid, "net_yuan": cost - paid}, index=table.index)
    return SiteMoney(money, plan if paid.any() else "")


def _numbers(table: pd.DataFrame, column: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return table[column].to_numpy(dtype=float) if column in table.columns else np.full(len(table), np.nan)


def _settings(study: Study) -> dict[str, str]:
    if "setting" not in study.units.columns:
        return {}
    return {str(code): str(told) for code, told in study.units["setting"].items()}


def _rates(study: Study, service_id: str) -> tuple[str, tuple[Subsidy, ...], Mapping[str, str]]:
    """Find the subsidies of the first plan of a service that has any."""
    for one in study.config.plan:
        if service_id in one.service_ids:
            rates = subsidies_asked(study, one)
            if rates:
                return one.id, rates, one.build
    return "", (), {}


def _fits(rate: Subsidy, build: str, setting: str, service_id: str) -> bool:
    return rate.build == build and rate.setting in ("all", setting) and rate.service in ("", service_id)


def money_of(money: SiteMoney, sites: Sequence[str]) -> Money:
    """Add up what some candidates cost."""
    mine = money.table.loc[list(sites)]
    known = mine[mine["cost_yuan"].notna()]
    cost, paid, net = (float(known[name].sum()) for name in ("cost_yuan", "subsidy_yuan", "net_yuan"))
    return Money(cost, paid, net, len(mine) - len(known))
