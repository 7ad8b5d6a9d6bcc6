"""Find the people of a later year among the scenarios of a study."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from careshed.demand import Ledger, Projected

if TYPE_CHECKING:
    from careshed.demand import Demand, Scenario


class UnknownYear(KeyError):
    """A year, or a scenario of it, that the study does not have or has more than once."""

    def __init__(self, asked: str, known: list[Scenario], several: bool) -> None:
        super().__init__(asked)
        none = "none; add a [[demand.scenario]]  无，请添加 [[demand.scenario]]"
        listed = ", ".join(f"{one.year} {one.zh}" + (f" / {one.en}" if one.en != one.zh else "") for one in known)
        en = "several scenarios hold it: name one with scenario" if several else "no scenario of the study holds it"
        zh = "有多个情景，请用 scenario 指明" if several else "研究中没有"
        self.text = f"{asked}: {en}; there are: {listed or none}  {zh}"

    def __str__(self) -> str:
        return self.text


def later_people(demand: Demand | None, year: int, scenario: str | None) -> Projected:
    """Give the people of a year of a scenario; of its base year, those of today.

    Parameters
    ----------
    scenario
        Name in Chinese or English; may be left out where only one scenario holds the year.

    Raises
    ------
    UnknownYear
        If none holds the year, or several do.
    """
    years = demand.years if demand is not None else ()
    held = [*years, *(_today(demand, one) for one in _first_of_each(years))] if demand is not None else []
    wanted = [one for one in held if scenario is None or scenario in (one.scenario.zh, one.scenario.en)]
    found = {(one.scenario.zh, one.scenario.year): one for one in reversed(wanted) if one.scenario.year == year}
    if len(found) != 1:
        asked = f"{year}" if scenario is None else f"{year} {scenario}"
        known = [one.scenario for one in (wanted if found else held)]
        raise UnknownYear(asked, sorted(set(known), key=lambda one: (one.year, one.zh)), len(found) > 1)
    return next(iter(found.values()))


def _first_of_each(years: tuple[Projected, ...]) -> list[Projected]:
    return list({one.scenario.zh: one for one in reversed(years)}.values())


def _today(demand: Demand, one: Projected) -> Projected:
    """Label today's people with the base year of a scenario."""
    return Projected(demand.cells, Ledger(), (), replace(one.scenario, year=one.scenario.base_year))
