"""Settings of demand as a study file states them: ages, refinement, years, housing, priority groups."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from careshed.settings.sections import FileSection, Section, Texts, listed

Differ = Literal["error", "margins", "cells"]
"""Where a unit's total by age and its cells' total differ: stop, or let the one or the other hold."""

HOUSEHOLD: Final = 2.62
"""People a household where the study states none: China's 2020 census."""

STEP_M: Final = 50.0
"""Metres of street that one point stands for: a sixth of the shortest limit of the plans (300 m)."""

Onto = Literal["streets", "buildings"]
"""What coarse cells are refined to."""


def _by_year(value: object) -> object:
    """Take the years that TOML writes as keys for numbers."""
    if not isinstance(value, dict):
        return value
    return {int(key) if str(key).isdigit() else key: one for key, one in value.items()}


class AgesSection(Section):
    """[demand.ages]: people by age from classes, then fitted to a table by unit, or as shares of all residents."""

    classes: bool = False
    """Whether the population's columns are age classes (``f_60``, ``60-64岁``), to be added up to `groups`."""
    table: FileSection | None = None
    """Census by unit; fitted by iterative proportional fitting."""
    shares: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """Group -> share of ``total``, where there is no table."""
    groups: Texts = ()
    """Groups wanted of age classes."""
    differ: Differ = "error"
    """What holds where a unit's total by age and that of its cells differ."""


class RefineSection(Section):
    """[demand.refine]: coarse cells onto homes or residential streets."""

    onto: Onto = "streets"
    buildings: FileSection | None = None
    """Footprints with storeys, for ``onto = "buildings"``."""
    storeys_unknown: Annotated[float, Field(gt=0)] | None = None
    size_m: Annotated[float, Field(gt=0)] | None = None
    """Side of the cells' squares, metres, where people come from a table of points; rasters know their own."""
    step_m: Annotated[float, Field(gt=0)] = STEP_M
    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Class of street -> people a metre, where the shipped assumption is not wanted."""


class ScenarioSection(Section):
    """[[demand.scenario]]: people of later years, by a stated rate or stated totals."""

    name_zh: str
    name_en: str = ""
    source: str
    """Who states the figures; printed with every output."""
    base_year: int
    years: Annotated[tuple[int, ...], BeforeValidator(listed), Field(min_length=1)]
    rate: dict[str, float] = Field(default_factory=dict)
    """Group -> growth a year."""
    totals: Annotated[dict[int, FileSection], BeforeValidator(_by_year)] = Field(default_factory=dict)
    """Year -> table of people by unit and group."""


class HousingSection(FileSection):
    """[demand.housing]: a list of announced housing."""

    household_size: Annotated[float, Field(gt=0)] = HOUSEHOLD
    since: int
    """Housing ready by the end of this year is in the population already."""
    shares: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)


class PrioritySection(FileSection):
    """[demand.priority]: counts of priority groups by unit."""

    by: dict[str, str]
    """Priority group -> group it belongs to."""
    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Group -> weight in the column ``demand``; left out, there is no such column."""


class DemandSection(Section):
    """[demand]: what becomes of the population before it is analysed."""

    ages: AgesSection | None = None
    refine: RefineSection | None = None
    scenario: Annotated[tuple[ScenarioSection, ...], BeforeValidator(listed)] = ()
    housing: HousingSection | None = None
    priority: PrioritySection | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the steps read, as the study names them."""
        sections = (
            self.ages.table if self.ages else None,
            self.refine.buildings if self.refine else None,
            self.housing,
            self.priority,
            *(table for scenario in self.scenario for table in scenario.totals.values()),
        )
        return tuple(section.file for section in sections if section is not None)


NO_DEMAND: Final = DemandSection()
"""A study that takes its population as it is."""
