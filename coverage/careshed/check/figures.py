"""Find numbers and years of facilities that cannot be, or that stand far out among their type."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from careshed.check.case import Case
from careshed.check.model import Finding, Fix
from careshed.policy.types import catalogue

Floats = NDArray[np.float64]

FEWEST: Final = 8
"""Facilities of a type with a known figure, from which on one can stand out among them."""

FAR_OUT: Final = 4.5
"""Robust z (0.6745 · (log x − median) / MAD) beyond which a figure is told; 3.5 is usual, larger spares small registers."""

LEAST_M2: Final = 2.0
"""Square metres of floor that one bed or place takes at the very least: a child's bed alone takes about 1 m²."""


def robust_z(values: Floats) -> Floats:
    """Say how far each positive figure stands from the middle of all, on a scale of ratios; NaN where it cannot be said.

    The measure of Iglewicz and Hoaglin (1993) on logarithms, so that half and twice as much are equally far.

    >>> robust_z(np.array([10.0, 10, 20, 20, 40, 40, 40000])).round(1).tolist()
    [-0.7, -0.7, 0.0, 0.0, 0.7, 0.7, 7.4]
    """
    logs = np.log(np.where(values > 0, values, np.nan))
    known = logs[~np.isnan(logs)]
    spread = float(np.median(np.abs(known - np.median(known)))) if len(known) >= 2 else 0.0
    if spread <= 0:
        return np.full(len(values), np.nan)
    return np.asarray(0.6745 * (logs - np.median(known)) / spread, dtype=np.float64)


def capacities(case: Case) -> list[Finding]:
    """Compare places, and floor area a place, within each type; what cannot be at all is an error."""
    table = case.facilities
    places, area = table["places"].to_numpy(dtype=float), table["area_m2"].to_numpy(dtype=float)
    each = area / np.where(places > 0, places, np.nan)
    far_places, far_each = np.full(len(table), np.nan), np.full(len(table), np.nan)
    types = np.array(case.types, dtype=object)
    for kind in dict.fromkeys(case.types):
        own = np.flatnonzero(types == kind)
        for values, z in ((places, far_places), (each, far_each)):
            if np.sum(values[own] > 0) >= FEWEST:
                z[own] = robust_z(values[own])
    found = []
    for at in range(len(table)):
        found += _capacity(case, at, places[at], area[at], far_places[at], far_each[at])
    return found


def _capacity(case: Case, at: int, places: float, area: float, far_places: float, far_each: float) -> list[Finding]:
    """Tell the gravest thing about one facility's size."""
    each, kind = area / places if places > 0 else np.nan, case.types[at]
    proposal = (
        "与登记单位核对，注意多写的 0 和单位（亩、万平方米）",
        "Check with the register's keeper; look for a zero or unit too many",
    )
    if each < LEAST_M2:
        told = (f"每床（位）只有 {each:.1f} 平方米", f"leaves {each:.1f} m² to each place")
        return [case.facility(at, "crowded", "error", told, proposal, column="places", value=f"{places:g}")]
    if abs(far_places) > FAR_OUT:
        told = (
            f"在“{kind}”中相差悬殊（稳健 z = {far_places:.1f}）",
            f"stands far out among {kind} (robust z = {far_places:.1f})",
        )
        return [case.facility(at, "capacity", "doubt", told, proposal, column="places", value=f"{places:g}")]
    if abs(far_each) > FAR_OUT:
        told = (
            f"每床（位）{each:.0f} 平方米，在“{kind}”中相差悬殊（稳健 z = {far_each:.1f}）",
            f"has {each:.0f} m² a place, far out among {kind} (robust z = {far_each:.1f})",
        )
        return [case.facility(at, "floor_area", "doubt", told, proposal, column="area_m2", value=f"{area:g}")]
    return []


def missing_places(case: Case) -> list[Finding]:
    """Name facilities of a service whose number of places is unknown or 0: nobody can be given one there."""
    served = {str(code) for service in case.study.services for code in case.study.facilities(service.id).index}
    found = []
    for at, (code, places) in enumerate(zip(case.facilities.index, case.facilities["places"].to_numpy(dtype=float), strict=True)):
        kind = catalogue().get(case.types[at])
        if str(code) not in served or places > 0 or (kind is not None and not kind.counts):
            continue
        told = (
            ("床位（托位）数未知", "its number of places is unknown")
            if np.isnan(places)
            else ("床位（托位）数为 0", "it has 0 places")
        )
        proposal = ("请补充床位（托位）数", "Fill the number of places in")
        value = "" if np.isnan(places) else f"{places:g}"
        found.append(case.facility(at, "no_places", "doubt", told, proposal, column="places", value=value))
    return found


def nursing(case: Case) -> list[Finding]:
    """Find facilities with more nursing beds than beds."""
    table = case.facilities
    own, all_beds = table["nursing_places"].to_numpy(dtype=float), table["places"].to_numpy(dtype=float)
    told = ("护理型床位多于床位总数", "has more nursing beds than beds in all")
    proposal = ("核对两列数字", "Check the two figures")
    return [
        case.facility(
            int(at), "nursing", "error", told, proposal, column="nursing_places", value=f"{own[at]:g} > {all_beds[at]:g}"
        )
        for at in np.flatnonzero(own > all_beds)
    ]


def years(case: Case) -> list[Finding]:
    """Find facilities that closed before they opened, or whose status contradicts their years."""
    table = case.facilities
    opened, closed = table["opened"].to_numpy(dtype=float), table["closed"].to_numpy(dtype=float)
    status = table["status"].astype(str).tolist()
    now = float(case.study.data_date[:4]) if case.study.data_date else np.nan
    found = []
    for at in range(len(table)):
        if closed[at] < opened[at]:
            found.append(_swapped(case, at, opened[at], closed[at]))
        elif status[at] == "operating" and opened[at] > now:
            told = (
                f"状态为运营，开业年份晚于数据截止年份 {now:.0f}",
                f"operates, but opens after {now:.0f}, the year of the data",
            )
            proposal = ("核对状态或年份", "Check status or year")
            found.append(case.facility(at, "future", "doubt", told, proposal, column="opened", value=f"{opened[at]:.0f}"))
        elif status[at] == "operating" and closed[at] < now:
            told = (
                f"状态为运营，停业年份早于数据截止年份 {now:.0f}",
                f"operates, but closed before {now:.0f}, the year of the data",
            )
            proposal = ("核对状态或年份", "Check status or year")
            found.append(case.facility(at, "shut", "doubt", told, proposal, column="closed", value=f"{closed[at]:.0f}"))
    return found


def _swapped(case: Case, at: int, opened: float, closed: float) -> Finding:
    row = case.facilities.iloc[at]
    file, before = str(row["file"]), (f"{opened:.0f}", f"{closed:.0f}")
    headers = (case.header(file, "opened"), case.header(file, "closed"))
    fix = None
    if all(headers):
        fix = Fix("swap", file, case.sources[file].sheet, str(row["row"]), headers, before, before[::-1])
    told = (f"停业（{closed:.0f}）早于开业（{opened:.0f}）", f"closed ({closed:.0f}) before it opened ({opened:.0f})")
    proposal = ("对调两个年份", "Exchange the two years")
    value = f"{before[0]} / {before[1]}"
    return case.facility(at, "years", "error", told, proposal, column="closed", value=value, fix=fix)
