"""Rebuild a plan from what its file claims, and count what follows from it by plain addition over the raw travel times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from careshed.siting.plan_file import Data, as_data
from careshed.siting.planning import Plan, Relaxation, Stage, Told, Upgradable
from careshed.siting.planning.plan import Reached

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.siting.planning import Demand
    from careshed.siting.studying import PlanProblem

YEAR_KEYS: Final = ("year", "new_sites", "cost_yuan", "subsidy_yuan", "net_yuan", "before", "after")
"""Columns of a plan's years that can be counted again."""

PLACES: Final = 6


class NotAPlan(ValueError):
    """A file whose content cannot be a plan of this study."""


def rebuilt(problem: PlanProblem, data: Data) -> Plan:
    """Make a plan of what a file claims, so that it can be counted.

    Raises
    ------
    NotAPlan
        If it names sites that the study does not have.
    """
    sites = _sites(problem, data)
    money = data["money"]
    return Plan(
        sites=sites,
        closed=tuple(data["closed"]),
        upgrades=_upgrades(problem, data),
        stages=tuple(Stage(**{key: one[key] for key in ("name", "value", "bound", "unit", "proven")}) for one in data["stages"]),
        bound_by=data["bound_by"],
        method=data["method"],
        reproducible=data["reproducible"],
        reached=tuple(Reached(**{key: value for key, value in one.items() if key != "kind"}) for one in data["reached"]),
        assignments=_assignments(data),
        cost_yuan=money["cost_yuan"],
        subsidy_yuan=money["subsidy_yuan"],
        net_yuan=money["net_yuan"],
        closing_yuan=money["closing_yuan"],
        conflicts=(),
        relaxation=_relaxation(problem, data),
        dominated=(),
        findings=(),
        objective=problem.objective,
        rules=problem.rules,
    )


def _places(problem: PlanProblem) -> dict[str, Mapping[str, Any]]:
    """Every site that a plan may name, with its row of the register."""
    found: dict[str, Mapping[str, Any]] = {}
    for matrices, standing in ((problem.options, False), (problem.existing, True)):
        for times in matrices.values():
            for name, row in times.facilities.iterrows():
                found.setdefault(str(name), {**row.to_dict(), "standing": standing})
    return found


def _sites(problem: PlanProblem, data: Data) -> GeoDataFrame:
    import geopandas as gpd
    import pandas as pd

    known = _places(problem)
    lost = [one["id"] for one in data["sites"] if one["id"] not in known]
    if lost:
        raise NotAPlan(f"{', '.join(lost)}: 研究中没有这些点位 / the study has no such sites")
    columns = ["name", "status", "unit", "services", "places", "cost_yuan", "subsidy_yuan", "net_yuan"]
    rows = [[one[column] for column in columns] for one in data["sites"]]
    frame = pd.DataFrame(rows, columns=columns, index=pd.Index([one["id"] for one in data["sites"]], name="site_id"))
    frame = frame.astype(dict.fromkeys(("places", "cost_yuan", "subsidy_yuan", "net_yuan"), float))
    points = [known[name]["geometry"].centroid for name in frame.index]
    return gpd.GeoDataFrame(frame, geometry=points, crs=problem.study.crs)


def _upgrades(problem: PlanProblem, data: Data) -> tuple[Upgradable, ...]:
    allowed = [rule for rule in problem.rules if isinstance(rule, Upgradable)]
    made = [rule for rule in allowed if as_data(rule) in data["upgrades"]]
    if len(made) != len(data["upgrades"]):
        raise NotAPlan("upgrades: 含有研究文件未允许的扩建 / names an upgrade that the study does not allow")
    return tuple(made)


def _assignments(data: Data) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(data["assignments"], columns=["demand", "cell_id", "site_id", "people", "cost"])


def _relaxation(problem: PlanProblem, data: Data) -> Relaxation | None:
    told = data["relaxation"]
    if told is None:
        return None
    gave = tuple(
        Told(problem.rules[one["rule"]] if one["rule"] >= 0 else None, one["unit"], one["zh"], one["en"])
        for one in told["gave_way"]
    )
    units = tuple(told["units_without"])
    return Relaxation(gave, units, told["extra_yuan"], told["extra_sites"], told["rules_broken"], told["zh"], told["en"])


def site_facts(problem: PlanProblem, plan: Plan) -> list[Data]:
    """Say of every site what its register and the rules say: name, unit, places, where it lies; money is re-checked apart."""
    known, units = _places(problem), problem.study.units
    points = plan.sites.geometry.to_crs(4326)
    found = []
    for (name, row), point in zip(plan.sites.iterrows(), points, strict=True):
        own, unit = known[str(name)], str(row["unit"])
        real = str(own["unit"]) if str(own["unit"]) in units.index else ""
        status = "new" if not own["standing"] else "extended" if any(one.id == name for one in plan.upgrades) else "kept"
        money = {key: _number(float(row[key])) for key in ("cost_yuan", "subsidy_yuan", "net_yuan")}
        where = {"lon": round(point.x, PLACES), "lat": round(point.y, PLACES)}
        told = {"id": str(name), "name": str(own["name"]), "status": status, "unit": real}
        named = {"unit_name": str(units["name"].get(unit, "")), "services": str(row["services"])}
        found.append(told | named | {"places": _number(_places_at(plan, str(name), own, problem))} | money | where)
    return found


def _places_at(plan: Plan, name: str, own: Mapping[str, Any], problem: PlanProblem) -> float:
    """Places of a site: those of each service it hosts, with its upgrades."""
    from careshed.siting.planning import Hosting

    total = 0.0
    for service in str(plan.sites.loc[name, "services"]).split(";"):
        stated = [rule.places for rule in problem.rules if isinstance(rule, Hosting) and rule.service == service]
        given = stated[0] if stated and stated[0] is not None and not own["standing"] else own.get("places", np.nan)
        total += float(given)
    return total + sum(one.places for one in plan.upgrades if one.id == name)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(value, PLACES)


def reached_by(
    problem: PlanProblem, demand: Demand, sites: Mapping[str, str] | None
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mark the cells that enough sites reach, pair by pair from the raw travel times.

    Parameters
    ----------
    sites
        Site -> services it hosts, joined by ``;``; None for the sites of today.
    """
    import pandas as pd

    cells: list[np.ndarray[Any, Any]] = [np.zeros(0, dtype=np.int64)]
    asked = demand.minutes if demand.metres is None else demand.metres
    for matrices, standing in ((problem.existing, True), (problem.options, False)):
        times = matrices[demand.service]
        limit = round((asked or 0.0) * (60_000 if times.metric == "time" else 1000))
        for row, name in enumerate(map(str, times.facilities.index)):
            counts = standing if sites is None else demand.service in sites.get(name, "").split(";")
            if counts:
                pairs = np.arange(times.indptr[row], times.indptr[row + 1])
                cells.append(times.indices[pairs[times.cost[pairs] <= limit]])
    hits = pd.Series(np.concatenate(cells)).value_counts()
    return hits.reindex(range(len(problem.study.cells)), fill_value=0).to_numpy() >= demand.sites_needed


def _hosted(plan: Plan) -> dict[str, str]:
    return {str(name): str(told) for name, told in plan.sites["services"].items()}


def unit_counts(problem: PlanProblem, plan: Plan) -> list[Data]:
    """Count by demand and unit who is reached today and by the plan, and the sites."""
    units, cells, hosted = problem.study.units, problem.study.cells, _hosted(plan)
    rows = []
    for demand in problem.objective.demands:
        people = cells[demand.group].to_numpy(dtype=float) * demand.rate
        before, after = reached_by(problem, demand, None), reached_by(problem, demand, hosted)
        sums: dict[str, list[float]] = {}
        for unit, count, was, now in zip(cells["unit"], people, before, after, strict=True):
            for code in ("ALL", *(_up(str(unit), units) or ["OUTSIDE"])):
                mine = sums.setdefault(code, [0.0, 0.0, 0.0])
                mine[0] += count
                mine[1] += count * was
                mine[2] += count * now
        stand = _sites_by_unit(problem, demand.service, None)
        kept = _sites_by_unit(problem, demand.service, hosted)
        for code in ("ALL", *map(str, units.index), "OUTSIDE"):
            one, sites = sums.get(code, [0.0, 0.0, 0.0]), (stand.get(code, (0, 0)), kept.get(code, (0, 0)))
            if one[0] or sites[0][0] or sum(sites[1]):
                rows.append(_unit_row(problem, code, demand, one, sites))
    return rows


def _unit_row(
    problem: PlanProblem, code: str, demand: Demand, people: list[float], sites: tuple[tuple[int, int], tuple[int, int]]
) -> Data:
    units = problem.study.units
    here = code in units.index
    head = {"unit": code, "name": str(units["name"][code]) if here else "", "level": str(units["level"][code]) if here else ""}
    told = dict(zip(("people", "before", "after"), people, strict=True))
    (stand, _), (kept, new) = sites
    counts = {"sites_before": stand, "sites_after": kept + new, "new": new}
    return head | {"group": demand.group, "service": demand.service} | told | counts


def _up(unit: str, units: GeoDataFrame) -> list[str]:
    found: list[str] = []
    while unit in units.index and unit not in found:
        found.append(unit)
        unit = str(units.loc[unit, "parent"])
    return found


def _sites_by_unit(problem: PlanProblem, service: str, hosted: Mapping[str, str] | None) -> dict[str, tuple[int, int]]:
    """Unit -> sites that stand and new sites which count, those of today where none are named."""
    found: dict[str, tuple[int, int]] = {}
    for matrices, new in ((problem.existing, 0), (problem.options, 1)):
        facilities = matrices[service].facilities
        for name, unit in zip(map(str, facilities.index), facilities["unit"], strict=True):
            if (not new) if hosted is None else service in hosted.get(name, "").split(";"):
                for code in ("ALL", *_up(str(unit), problem.study.units)):
                    stand, fresh = found.get(code, (0, 0))
                    found[code] = (stand + 1 - new, fresh + new)
    return found


def year_counts(problem: PlanProblem, plan: Plan, phases: Data) -> Data:
    """Count a plan over years again: what opens when, at what cost, whom each year reaches."""
    stand = {name: told for name, told in _hosted(plan).items() if plan.sites.loc[name, "status"] != "new"}
    worth = _worth(problem, stand)
    rows: list[Data] = []
    opened: dict[str, list[str]] = {}
    for phase in problem.section.phase:
        names = sorted(str(name) for name in phases["opened"].get(str(phase.year), []))
        opened[str(phase.year)] = names
        unknown = [name for name in names if name not in plan.new]
        if unknown:
            raise NotAPlan(f"phases {phase.year}: {', '.join(unknown)} 不是新增点位 / is no new site")
        stand |= {name: _hosted(plan)[name] for name in names}
        money = {key: float(plan.sites.loc[names, key].sum()) for key in ("cost_yuan", "subsidy_yuan", "net_yuan")}
        before, worth = worth, _worth(problem, stand)
        rows.append({"year": phase.year, "new_sites": len(names)} | money | {"before": before, "after": worth})
    late = sorted(set(plan.new) - {name for names in opened.values() for name in names})
    if late:
        raise NotAPlan(f"phases: {', '.join(late)} 未列入任何年份 / opens in no year")
    asked = [
        {
            "kind": "Phase",
            "year": one.year,
            "name": one.name,
            "sites": one.sites,
            "yuan": one.yuan,
            "at_least_sites": one.at_least_sites,
            "weight": one.weight,
            "at_least_places": one.at_least_places,
        }
        for one in problem.section.phase
    ]
    return {"asked": asked, "unused": problem.section.unused, "opened": opened, "years": rows}


def _worth(problem: PlanProblem, sites: Mapping[str, str]) -> float:
    """People reached, weighed as the objective weighs them; decay is left to the planning's own re-check."""
    demands = problem.objective.demands
    people = [problem.study.cells[one.group].to_numpy(dtype=float) * one.rate * one.weight for one in demands]
    return float(sum(count[reached_by(problem, one, sites)].sum() for one, count in zip(demands, people, strict=True)))


def both(said: str) -> tuple[str, str]:
    """Give a line of the re-check in Chinese beside its English.

    >>> both("cost of HX001 is 5.000000, counted 7.000000")[0]
    'cost of HX001：文件为 5.000000，核算为 7.000000'
    """
    return next(_translated(said), said), said


def _translated(said: str) -> Iterator[str]:
    for pattern, zh in CHINESE:
        found = re.fullmatch(pattern, said)
        if found:
            yield zh.format(*found.groups())


CHINESE: Final = (
    (r"(.+) is (-?[\d.]+|nan), counted (-?[\d.]+|nan)", "{}：文件为 {}，核算为 {}"),
    (r"(.+) cannot host (.+)", "{} 不能提供服务 {}"),
    (r"(.+) is called (.+)", "{} 的状态不应为 {}"),
    (r"(.+) is extended without a rule", "{} 被列为扩建，但没有这样的规则"),
    (r"(.+) is closed without a rule", "{} 被列为关闭，但没有这样的规则"),
    (r"(.+) stands but is neither kept nor closed", "现有设施 {} 既未保留也未关闭"),
    (r"cell (.+) does not reach (.+) at cost (.+)", "格网 {} 到 {} 的出行成本不是 {}"),
    (r"cell (.+) sends more people than live there", "格网 {} 分出的人数多于居民"),
    (r"(.+) has (.+) places for (.+) people", "{} 有 {} 个位子，却接收 {} 人"),
    (r"bound (.+) is worse than the value (.+)", "界 {} 劣于方案的值 {}"),
    (r"(\w+) (\S*): (.+) is not between (.+) and (.+)", "规则 {}（{}）：{} 不在 {} 与 {} 之间"),
    (r"(.+) is not built", "必选的 {} 未建"),
    (r"(.+) is built", "禁选的 {} 被选中"),
    (r"(.+) yuan is above the budget of (.+)", "{} 元超出预算 {} 元"),
    (r"(.+) has (.+) m2", "{} 的面积为 {} 平方米，不合要求"),
    (r"(.+) has (.+) places", "{} 有 {} 个位子，不合要求"),
    (r"(.+) and (.+) are (.+) m apart", "{} 与 {} 仅相距 {} 米"),
    (r"(.+) of (.+) inclusive is less than (.+)", "普惠 {}（共 {}）低于要求的 {}"),
    (r"in (.+) (.+) of (.+) are reached, (.+) asked", "{}：{} / {} 可达，要求 {}"),
    (r"(.+) hosts services of (.+) m2 on (.+) m2", "{} 的服务需 {} 平方米，只有 {} 平方米"),
)
"""What the re-check says -> the same in Chinese."""
