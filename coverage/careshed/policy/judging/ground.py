"""Lay out a study's data as rules need them: canonical types, functions, settings, people, and travel computed once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd

from careshed.access import ALL, coverage, lineage, unit_sums
from careshed.intake.units.placing import finest_unit
from careshed.policy.model import Rule, Setting
from careshed.policy.types import canonical_type, catalogue, operator_classes, split_functions, unknown_types
from careshed.reach import travel_times
from careshed.schema import Fault, file_label
from careshed.settings.sections import PolicySection, Service

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.modes import Mode
    from careshed.network import Network
    from careshed.reach import TravelTimes
    from careshed.study import Study

JUDGED: Final = "judged"
"""Column of the cells that holds the people of a group and setting."""

LEVEL_SETTING: Final = {"street": "urban", "township": "rural", "village": "rural"}
"""What a level says of town and country where the units do not say it themselves."""

AREA_GROUP: Final = {"childcare": "p0_3", "elder": "p60"}
AREA_MODE: Final = {"childcare": "toddler", "elder": "older"}
DEFAULT_MINUTES: Final = 15.0
"""Limit for people's reach where neither the rule nor a service of the study names one, minutes."""


LimitFrom = Literal["rule", "service", "assumed"]


@dataclass(frozen=True)
class Limit:
    """How far people go, and who says so."""

    minutes: float | None
    metres: float | None
    mode: Mode
    limit_from: LimitFrom


@dataclass(frozen=True)
class Ground:
    """A study made ready for judging; nothing is computed before it is asked for, and nothing twice."""

    study: Study
    policy: PolicySection
    year: int | None
    """Year that stands for now."""
    detail: bool = True
    """Whether units are told one by one; past years go without."""
    _people: dict[tuple[str, Setting], pd.Series[float]] = field(default_factory=dict)
    _networks: dict[Mode, Network] = field(default_factory=dict)
    _times: dict[tuple[Any, ...], TravelTimes] = field(default_factory=dict)
    _covered: dict[tuple[Any, ...], pd.DataFrame] = field(default_factory=dict)
    _open: dict[int | None, GeoDataFrame] = field(default_factory=dict)

    @cached_property
    def settings(self) -> dict[str, str]:
        """Tell which units are urban, which rural: as they or units above them say, else by their level; "" where neither."""
        units = self.study.units
        level, own = units["level"].astype(str), units["setting"].astype(str)
        found = {}
        for code in units.index:
            above = lineage(str(code), units)
            said = [own[one] for one in above if own[one]] + [
                LEVEL_SETTING[level[one]] for one in above if level[one] in LEVEL_SETTING
            ]
            found[str(code)] = next(iter(said), "")
        return found

    @cached_property
    def facilities(self) -> GeoDataFrame:
        """All facilities with canonical ``kind``, ``offers`` (functions), ``classes``, ``setting`` and the unit of each."""
        table = self.study.facility_table
        units = self.study.units
        kinds = [canonical_type(str(word), self.policy.types) or "" for word in table["type"]]
        lies_in = finest_unit(table, units) if len(table) else []
        unit = [_unit(own, found, units) for own, found in zip(table["unit"].astype(str), lies_in, strict=True)]
        offers = [
            frozenset(split_functions(str(text))[0] if str(text) else catalogue()[kind].functions if kind else ())
            for text, kind in zip(table["functions"], kinds, strict=True)
        ]
        return table.assign(
            kind=kinds,
            unit=unit,
            offers=offers,
            classes=[frozenset(operator_classes(str(text))) for text in table["operator"]],
            setting=[self.settings.get(code, "") for code in unit],
        )

    @cached_property
    def cell_setting(self) -> pd.Series[str]:
        """Setting of each population cell, "" where its unit does not tell."""
        return pd.Series([self.settings.get(str(code), "") for code in self.study.cells["unit"]], index=self.study.cells.index)

    def open_in(self, year: int | None) -> GeoDataFrame:
        """Give the facilities open at the end of a year: opened by then or at a time unknown, and not closed by then."""
        if year not in self._open:
            self._open[year] = self._open_by(year)
        return self._open[year]

    def _open_by(self, year: int | None) -> GeoDataFrame:
        table = self.facilities
        if year is None or (self.year is not None and year >= self.year):
            table = table[table["status"] == "operating"]
        else:
            table = table[table["status"].isin(["operating", "closed"])]
        if year is None:
            return table
        opened, closed = table["opened"].to_numpy(dtype=float), table["closed"].to_numpy(dtype=float)
        return table[~(opened > year) & ~(closed <= year)]

    def group(self, rule: Rule) -> str | None:
        """Choose the people that a rule is about: its group, else those whom its types care for; None where not counted."""
        group = rule.group if rule.group not in ("", "households") else _group_of(rule)
        return group if group in self.study.groups else None

    def people(self, group: str, setting: Setting = "all") -> pd.Series[float]:
        """Count the people of a group in every unit and in all (`ALL`), in town, country or both."""
        key = (group, setting)
        if key not in self._people:
            counted = self._cells(group, setting)[JUDGED].to_numpy(dtype=float)[:, None]
            rows, sums = unit_sums(counted, self.study.cells["unit"].to_numpy(), self.study.units)
            self._people[key] = pd.Series(sums[:, 0], index=rows)
        return self._people[key]

    def _cells(self, group: str, setting: Setting) -> GeoDataFrame:
        cells = self.study.cells
        inside = np.ones(len(cells), dtype=bool) if setting == "all" else (self.cell_setting == setting).to_numpy()
        return cells.assign(**{JUDGED: cells[group].to_numpy(dtype=float) * inside})

    def units(self, levels: Iterable[str], setting: Setting = "all") -> GeoDataFrame:
        """Pick the units of some levels, in town, country or both; units that are neither, such as counties, count for both."""
        units = self.study.units
        fits = units["level"].isin(list(levels)).to_numpy(dtype=bool)
        if setting != "all":
            fits = fits & np.array([self.settings[str(code)] in (setting, "") for code in units.index], dtype=bool)
        return units[fits]

    def limit(self, rule: Rule) -> Limit:
        """Decide how far people go for a rule: as it says, as the study's service of its types says, else a quarter hour."""
        service = self.service(rule)
        name = rule.mode or (service.mode if service is not None else AREA_MODE.get(_area(rule), "adult"))
        mode = self.study.travel_mode(name)
        if rule.minutes is not None or rule.metres is not None:
            return Limit(rule.minutes, rule.metres, mode, "rule")
        if service is not None:
            return Limit(service.within_minutes, None, mode, "service")
        return Limit(DEFAULT_MINUTES, None, mode, "assumed")

    def service(self, rule: Rule) -> Service | None:
        """Find the study's service that shares most facility types with a rule, None where none shares any."""
        shared = [len(self._kinds(one) & set(rule.types)) for one in self.study.services]
        best = max(shared, default=0)
        return self.study.services[shared.index(best)] if best else None

    def _kinds(self, service: Service) -> set[str]:
        return {canonical_type(word, self.policy.types) or word for word in service.types}

    def network(self, mode: Mode) -> Network:
        """Build the network of a mode, once."""
        if mode not in self._networks:
            self._networks[mode] = self.study.network(mode)
        return self._networks[mode]

    def times(self, facilities: GeoDataFrame, limit: Limit) -> TravelTimes:
        """Compute the travel between facilities and cells, once for each set of facilities, mode and metric."""
        key = (tuple(facilities.index), limit.mode, limit.minutes is None)
        if key not in self._times:
            # Only the nearest facility is asked for, and its search has no limit.
            minutes, metres = (None, 1.0) if limit.minutes is None else (0.01, None)
            network = self.network(limit.mode)
            self._times[key] = travel_times(network, facilities, self.study.cells, limit_min=minutes, limit_m=metres)
        return self._times[key]

    def covered(self, facilities: GeoDataFrame, limit: Limit, group: str, setting: Setting) -> pd.DataFrame:
        """Count who reaches one of some facilities, by unit and in all, as `careshed.access.coverage` does."""
        key = (tuple(facilities.index), limit, group, setting)
        if key not in self._covered:
            how = {"metres": limit.metres} if limit.minutes is None else {"minutes": limit.minutes}
            cells = self._cells(group, setting)
            self._covered[key] = coverage(self.times(facilities, limit), cells, self.study.units, group=JUDGED, **how)
        return self._covered[key]

    def per_unit(self, facilities: GeoDataFrame, amount: np.ndarray[Any, np.dtype[np.float64]]) -> pd.Series[float]:
        """Add up an amount of facilities in every unit, units above included, and in all (`ALL`)."""
        rows, sums = unit_sums(amount[:, None], facilities["unit"].to_numpy(dtype=object), self.study.units)
        return pd.Series(sums[:, 0], index=rows)

    def population(self) -> dict[str, dict[str, float]]:
        """Give the people of every group in every unit, for the card to keep."""
        tables = {group: self.people(group) for group in self.study.groups}
        codes = [ALL, *(str(code) for code in self.study.units.index)]
        return {code: {group: round(float(table[code]), 6) for group, table in tables.items()} for code in codes}


def _unit(declared: str, lies_in: str, units: GeoDataFrame) -> str:
    """Choose the unit of a facility: the declared one, the one it stands in where that is finer or none is declared."""
    if declared not in units.index or declared in lineage(lies_in, units):
        return lies_in
    return declared


def _area(rule: Rule) -> str:
    """Say whose care a rule's facility types are, "" where several or neither."""
    areas = {catalogue()[name].area for name in rule.types} - {"other"}
    return next(iter(areas)) if len(areas) == 1 else ""


def _group_of(rule: Rule) -> str:
    return AREA_GROUP.get(_area(rule), "total")


def chosen(table: GeoDataFrame, rule: Rule) -> GeoDataFrame:
    """Pick the facilities that a rule counts: of its types, with all its functions, of one of its classes, in its setting."""
    fits = table["kind"].isin(rule.types).to_numpy(dtype=bool)
    if rule.functions:
        fits = fits & np.array([set(rule.functions) <= offers for offers in table["offers"]], dtype=bool)
    if rule.classes:
        fits = fits & np.array([bool(classes & set(rule.classes)) for classes in table["classes"]], dtype=bool)
    return table[fits & _in_setting(table, rule.setting)]


def of_types(table: GeoDataFrame, rule: Rule) -> GeoDataFrame:
    """Pick the facilities among which a rule's are counted: of its types (or of `of_types`), in its setting."""
    return table[table["kind"].isin(rule.of_types or rule.types).to_numpy() & _in_setting(table, rule.setting)]


def _in_setting(table: GeoDataFrame, setting: Setting) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.ones(len(table), dtype=bool) if setting == "all" else table["setting"].isin([setting, ""]).to_numpy()


def strangers(study: Study, types: Mapping[str, str]) -> list[Fault]:
    """Tell which rows of the registers no rule can count: types, functions and operators that the catalogue does not know."""
    table, file = study.facility_table, file_label(study.path)
    faults = []
    for word, near in unknown_types([str(one) for one in table["type"]], types).items():
        rows = table[table["type"] == word]
        close = "、".join(near), ", ".join(near)
        known = (f"最接近：{close[0]}。", f"Nearest: {close[1]}. ") if near else ("", "")
        cure = (
            f'{known[0]}请在 {file} 的 [policy.types] 中写 "{word}" = "…"。',
            f'{known[1]}Write "{word}" = "…" in [policy.types] of {file}.',
        )
        told = (
            f"设施类型目录中没有该类型，{len(rows)} 行不计入任何指标",
            f"not in the catalogue of facility types; no rule counts its {len(rows)} row(s)",
        )
        faults.append(
            Fault(
                "unknown_type",
                str(rows["file"].iloc[0]),
                *told,
                *cure,
                row=", ".join(rows["row"][:12]),
                found=word,
                severity="noted",
            )
        )
    return [*faults, *_strange_functions(table), *_strange_operators(table)]


def _strange_operators(table: GeoDataFrame) -> list[Fault]:
    """Tell which words for operators are of no known class: such facilities count in no share by operator."""
    words = table["operator"].astype(str)
    told = ("运营性质无法归类，不计入按运营性质的比例", "of no known class of operator; counts in no share by operator")
    cure = ("请写 公办、公建民营、民办 或 民办普惠。", "Write 公办, 公建民营, 民办 or 民办普惠.")
    return [
        Fault(
            "unknown_operator", str(rows["file"].iloc[0]), *told, *cure,
            row=", ".join(rows["row"].iloc[:12]), found=str(word), severity="noted",
        )
        for word, rows in table[words != ""].groupby(words[words != ""], sort=True)
        if not operator_classes(str(word))
    ]  # fmt: skip


def _strange_functions(table: GeoDataFrame) -> list[Fault]:
    found: dict[str, list[int]] = {}
    for at, text in enumerate(table["functions"].astype(str)):
        for word in split_functions(text)[1]:
            found.setdefault(word, []).append(at)
    told = ("服务功能目录中没有该功能，未计入", "not in the catalogue of functions, and not counted")
    cure = ("请改用规范名称，如 日托、助餐。", "Use the canonical names, such as 日托 or 助餐.")
    return [
        Fault(
            "unknown_function", str(table["file"].iloc[at[0]]), *told, *cure,
            row=", ".join(table["row"].iloc[at[:12]]), found=word, severity="noted",
        )
        for word, at in found.items()
    ]  # fmt: skip
