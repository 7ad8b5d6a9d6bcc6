"""Price projects and work out the subsidies that a plan's rates come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.policy.judging.card import Both
from careshed.policy.judging.ground import Ground
from careshed.policy.model import Cost, Profile, Subsidy
from careshed.policy.types import catalogue

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Stage = Literal["operating", "building", "reserve"]
Build = Literal["new", "extension", "purchased", "rented"]

STAGES: Final[dict[Stage, Both]] = {
    "operating": ("运营", "operating"),
    "building": ("+ 开工", "+ under construction"),
    "reserve": ("+ 储备", "+ in reserve"),
}
"""Stage, each with those before it -> (Chinese, English)."""


def priced(ground: Ground, plan: Profile | None, costs: Mapping[str, float]) -> GeoDataFrame:
    """Give all facilities with canonical types and settings, and every one's cost with where it comes from."""
    table = ground.facilities
    stated = table["cost_yuan"].to_numpy(dtype=float) if "cost_yuan" in table else np.full(len(table), np.nan)
    rows = []
    areas, places = table["area_m2"].to_numpy(dtype=float), table["places"].to_numpy(dtype=float)
    facts = zip(table.index.astype(str), table["kind"], table["classes"], stated, areas, places, strict=True)
    for code, kind, classes, own, area, size in facts:
        value = costs.get(code, own)
        if not np.isnan(value):
            rows.append((value, value, value, "project"))
            continue
        rows.append(_modelled(plan, str(kind), classes, area, size))
    priced = pd.DataFrame(rows, columns=["cost_yuan", "cost_low", "cost_high", "cost_from"], index=table.index)
    return table.drop(columns="cost_yuan", errors="ignore").join(priced.astype({"cost_from": "str"}))


def _modelled(
    plan: Profile | None, kind: str, classes: frozenset[str], area: float, places: float
) -> tuple[float, float, float, str]:
    """Price a facility by the plan's cost model: the first line that fits type and operator, and the range of all that do."""
    lines = [line for line in (plan.cost if plan is not None else ()) if kind in line.types and _run_by(line, classes)]
    fits = [(line, line.yuan * _size(line, area, places)) for line in lines]
    known = [(line, yuan) for line, yuan in fits if not np.isnan(yuan)]
    if not known:
        return float("nan"), float("nan"), float("nan"), ""
    yuan = [one for _, one in known]
    return yuan[0], min(yuan), max(yuan), known[0][0].id


def _run_by(line: Cost | Subsidy, classes: frozenset[str]) -> bool:
    """Whether a line is about such an operator; one not known fits only lines about all."""
    return not line.classes or not classes.isdisjoint(line.classes)


def _size(line: Cost, area: float, places: float) -> float:
    return area if line.per == "m2" else places


def subsidy_bill(table: GeoDataFrame, plan: Profile | None, build: Build | Mapping[str, Build], occupancy: float) -> pd.DataFrame:
    """Work out what the plan's rates come to: one-off for projects, per month for everything that runs or will."""
    told = ["subsidy", "title_zh", "title_en", "per", "quantity", "yuan_each"]
    columns = ["facility_id", "name", "status", *told, "one_off_yuan", "month_yuan"]
    rows = []
    facts = table[["name", "status", "places", "kind", "setting", "classes"]].itertuples(index=False)
    for code, (name, status, places, kind, setting, classes) in zip(table.index.astype(str), facts, strict=True):
        way = build if isinstance(build, str) else build.get(code, "new")
        for line in plan.subsidy if plan is not None else ():
            if status not in STAGES or np.isnan(places) or not _run_by(line, classes):
                continue
            if not _applies(line, kind, setting, status, way):
                continue
            monthly = line.per.endswith("_month")
            quantity = float(places) * (occupancy if monthly else 1.0)
            due = (0.0, quantity * line.yuan) if monthly else (quantity * line.yuan, 0.0)
            rows.append((code, name, status, line.id, line.title_zh, line.title_en, line.per, quantity, line.yuan, *due))
    return pd.DataFrame(rows, columns=columns)


def _applies(line: Subsidy, kind: str, setting: str, status: str, way: str) -> bool:
    """Decide whether a subsidy is due: by type, town or country, what its number of places means, and the way of building."""
    if kind not in line.types or (line.setting != "all" and setting != line.setting):
        return False
    counts = catalogue()[kind].counts
    if counts and counts != ("beds" if line.per.startswith("bed") else "places"):
        return False
    if line.per.endswith("_month"):
        return True
    return status != "operating" and line.build == way


def money_notes(
    table: GeoDataFrame, plan: Profile | None, projects: pd.DataFrame, build: Build | Mapping[str, Build], occupancy: float
) -> Iterable[Both]:
    """Say what costs and subsidies assume and leave out."""
    yield (
        "项目按登记的床位（托位）数、如同现在开业计",
        "projects count with the places their register states, as if they opened now",
    )
    if (missing := projects["cost_yuan"].isna()).any():
        names = list(projects.loc[missing, "name"])
        yield (
            f"造价未知：{'、'.join(names)}；其所在阶段不算人均造价",
            f"cost unknown: {', '.join(names)}; no cost per person for their stage",
        )
    if plan is None:
        yield "研究未指定规划：不算补贴，也无造价模型", "the study names no plan: no subsidies and no cost model"
        return
    used = [line for line in plan.cost if line.id in set(projects["cost_from"])]
    for line in used:
        yield (
            f"造价按规划推算：{line.title_zh} {line.yuan:g} 元（{line.basis}）",
            f"cost modelled: {line.title_en}, {line.yuan:g} yuan ({line.basis})",
        )
    if not plan.subsidy:
        yield "规划未规定补贴标准", "the plan states no subsidy rates"
        return
    if isinstance(build, str):
        words = {"new": "新建", "extension": "改扩建", "purchased": "购买", "rented": "租赁"}
        yield (
            f"一次性补贴均按“{words[build]}”计（假设，登记表未写建设方式）",
            f"one-off subsidies as if {build} (assumed: the registers do not say)",
        )
    yield (
        f"运营补贴按 {occupancy:.0%} 入住（入托）率计（假设）；实际按人数发放",
        f"running subsidies at {occupancy:.0%} of places taken (assumed); they are paid by person",
    )
    yield from _operator_notes(table, plan)
    unknown = table.loc[table["status"].isin(list(STAGES)) & table["places"].isna() & _subsidised(table, plan), "name"]
    if len(unknown):
        yield (
            f"{len(unknown)} 处设施未填床位（托位）数，未计补贴",
            f"{len(unknown)} facilities state no places: no subsidy counted",
        )
    placeless = table.loc[table["status"].isin(list(STAGES)) & (table["setting"] == "") & _subsidised(table, plan), "name"]
    if len(placeless):
        yield f"{len(placeless)} 处设施城乡未知，城乡有别的补贴未计", f"{len(placeless)} facilities: town or country not known"


def _operator_notes(table: GeoDataFrame, plan: Profile) -> Iterable[Both]:
    """Say whom the plan does not pay, and whose operator is not known."""
    limited = [line for line in plan.subsidy if line.classes]
    own = table[table["status"].isin(list(STAGES)) & table["kind"].isin([kind for line in limited for kind in line.types])]
    if len(bare := own[~own["classes"].map(bool).to_numpy(dtype=bool)]):
        yield (
            f"{len(bare)} 处设施运营方性质未填或不识别，限定运营方的补贴未计",
            f"{len(bare)} facilities: kind of operator not known, subsidies for certain operators left out",
        )
    left = [bool(classes) and not any(_run_by(line, classes) for line in limited if kind in line.types)
            for kind, classes in zip(own["kind"], own["classes"], strict=True)]  # fmt: skip
    if any(left):
        yield (
            f"{sum(left)} 处设施的运营方不在规划补贴范围内（如非普惠），不计补贴",
            f"{sum(left)} facilities: the plan pays no subsidy to such operators (not inclusive, for example)",
        )


def _subsidised(table: GeoDataFrame, plan: Profile) -> NDArray[np.bool_]:
    return np.asarray(table["kind"].isin([kind for line in plan.subsidy for kind in line.types]), dtype=np.bool_)
