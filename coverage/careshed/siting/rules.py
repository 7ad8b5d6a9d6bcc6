"""Work out which units still need a facility and which candidates would serve them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from careshed.schema import TIERS, Fault
from careshed.words import level_name

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes


@dataclass(frozen=True)
class UnitRules:
    """The rule "at least one per unit", read for this study."""

    asked: tuple[str, ...]
    """Units of the asked levels, sorted."""
    without: tuple[str, ...]
    """Those with no existing facility."""
    needed: tuple[str, ...]
    """Those of `without` with a candidate that can be attached; the others cannot be helped and their rule is dropped."""
    chains: Mapping[str, tuple[str, ...]]
    """Candidate -> units of `needed` it lies in, the finest first."""
    findings: tuple[Fault, ...]


def read_rules(
    options: TravelTimes, existing: TravelTimes | None, units: GeoDataFrame | None, levels: Sequence[str], file: str
) -> UnitRules:
    """Find the units of `levels` without a facility, and the candidates that lie in them.

    A facility lies in its own unit and in every unit above it. An existing facility counts for its unit even where no street
    leads to it, since the rule asks whether the unit has one.

    Raises
    ------
    ValueError
        If a level is unknown, or levels are given without units.
    """
    if not levels:
        return UnitRules((), (), (), {}, ())
    if units is None:
        raise ValueError("at_least_one_per= needs units=, the table of units with their levels and parents")
    unknown = [level for level in levels if level not in TIERS]
    if unknown:
        raise ValueError(f"at_least_one_per: unknown level {', '.join(map(repr, unknown))}; choose from {', '.join(TIERS)}")
    parents = {str(code): str(parent) for code, parent in units["parent"].items()}
    asked = sorted(str(code) for code in units.index[units["level"].isin(list(levels))])
    has = {code for start in _units_of(existing) for code in climb(start, parents)}
    without = [code for code in asked if code not in has]
    lies_in = {name: climb(unit, parents) for name, unit in _by_candidate(options)}
    able = [str(name) for name in options.facilities.index[options.facility_fault == ""]]
    helped = {code for name in able for code in lies_in[name]}
    needed = tuple(code for code in without if code in helped)
    open_units = frozenset(needed)
    chains = {name: tuple(code for code in lies_in[name] if code in open_units) for name in able}
    findings = [
        *(_no_such_level(level) for level in levels if not (units["level"] == level).any()),
        *_unplaced(options, existing, parents, file),
        *(_no_candidate(code, units, lies_in, file) for code in without if code not in helped),
    ]
    return UnitRules(tuple(asked), tuple(without), needed, chains, tuple(findings))


def climb(unit: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    """Name a unit and every unit above it, the finest first; a circle of parents is walked once.

    >>> climb("320502001", {"320502001": "320502", "320502": ""})
    ('320502001', '320502')
    """
    chain: list[str] = []
    while unit in parents and unit not in chain:
        chain.append(unit)
        unit = parents[unit]
    return tuple(chain)


def _by_candidate(options: TravelTimes) -> list[tuple[str, str]]:
    return list(zip(map(str, options.facilities.index), _units_of(options), strict=True))


def _units_of(times: TravelTimes | None) -> list[str]:
    return [] if times is None else [str(code) for code in times.facilities["unit"]]


def _no_such_level(level: str) -> Fault:
    return Fault(
        code="level_without_units",
        file="",
        zh=f"单元表中没有“{level_name(level, 'zh')}”这一级，“至少一处”的要求无从落实",
        en=f"the units hold none of level {level!r}, so its rule of at least one each asks for nothing",
        cure_zh="请核对单元表的级别一列。",
        cure_en="Check the levels of the unit table.",
        severity="noted",
    )


def _unplaced(options: TravelTimes, existing: TravelTimes | None, parents: Mapping[str, str], file: str) -> list[Fault]:
    """Tell how many facilities lie in no known unit and so can serve none."""
    faults = []
    for zh, en, times in (("候选点", "candidate(s)", options), ("现有设施", "existing facilities", existing)):
        lost = [code for code in _units_of(times) if code not in parents]
        if lost:
            faults.append(
                Fault(
                    code="outside_all_units",
                    file=file if times is options else "",
                    zh=f"{len(lost)} 个{zh}不在任何已知单元内，不计入“每单元至少一处”",
                    en=f"{len(lost)} {en} in no known unit, which count for no unit's rule",
                    severity="noted",
                )
            )
    return faults


def _no_candidate(code: str, units: GeoDataFrame, lies_in: Mapping[str, Sequence[str]], file: str) -> Fault:
    """Name a unit that no site can serve, and whether its candidates are merely unattached."""
    name = str(units.loc[code, "name"])
    loose = sorted(candidate for candidate, chain in lies_in.items() if code in chain)
    few = ", ".join(loose[:5])
    zh = f"{name}没有可用的候选点，“至少一处”的要求对其不适用" + (f"（候选点 {few} 未能接入道路）" if loose else "")
    en = f"{name} has no candidate that can be used, so its rule is dropped"
    en += f" ({few}: no street leads there)" if loose else ""
    return Fault(
        code="unit_without_candidate",
        file=file,
        zh=zh,
        en=en,
        cure_zh="请在该单元内补充候选点。",
        cure_en="Add a candidate in this unit.",
        found=code,
        severity="noted",
    )
