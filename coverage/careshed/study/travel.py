"""Search travel times as a service's people travel: on foot in town, by car in the pastures, as the study says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from careshed.reach.mixing import mix_times, mixed_mode
from careshed.reach.search import travel_times
from careshed.words import LEVELS

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.modes import Mode
    from careshed.network import Network
    from careshed.reach.times import TravelTimes
    from careshed.settings.sections import Service
    from careshed.study.model import Study

SETTINGS: Final[dict[str, tuple[str, str]]] = {"urban": ("城镇", "urban"), "rural": ("农村", "rural")}
"""Urban or rural, as outputs name it."""

ELSEWHERE: Final = ("其他", "elsewhere")


def modes_of(study: Study, service: Service) -> dict[str, Mode]:
    """Give the modes by which a service's people travel, by name; the service's own first."""
    return {name: study.travel_mode(name) for name in dict.fromkeys((service.mode, *service.mode_by.values()))}


def mode_of_cells(study: Study, service: Service) -> NDArray[np.int64]:
    """Decide by which of `modes_of` the people of each cell travel, shape (cells,).

    The cell's finest unit decides by its level, then by its setting; where neither is named, the unit above it, and so on up.
    """
    names = list(modes_of(study, service))
    units = study.units
    told = {code: (level, setting, parent) for code, level, setting, parent in _rows(units)}
    chosen = {code: names.index(_mode_at(code, told, service)) for code in told}
    return np.array([chosen.get(str(code), 0) for code in study.cells["unit"]], dtype=np.int64)


def _rows(units: GeoDataFrame) -> list[tuple[str, str, str, str]]:
    columns = [units[name] if name in units.columns else [""] * len(units) for name in ("level", "setting", "parent")]
    return list(zip(map(str, units.index), *(map(str, column) for column in columns), strict=True))


def _mode_at(code: str, told: Mapping[str, tuple[str, str, str]], service: Service) -> str:
    seen: set[str] = set()
    while code in told and code not in seen:
        seen.add(code)
        level, setting, parent = told[code]
        for key in (level, setting):
            if key in service.mode_by:
                return service.mode_by[key]
        code = parent
    return service.mode


def service_times(
    study: Study, service_id: str, places: GeoDataFrame, *, limit_min: float, networks: Mapping[Mode, Network] | None = None
) -> TravelTimes:
    """Search travel times between places and the study's cells, each cell by the mode of its people.

    Parameters
    ----------
    places
        Facilities or candidates.
    networks
        Networks that are built already, by mode.

    Notes
    -----
    Where the service names a table of travel times, they are taken from it (`careshed.study.foreign.ImportedTimes`).
    """
    service = study.service(service_id)
    if service_id in study.imported:
        return study.imported[service_id].times(places, study.cells, limit_min=limit_min)
    modes, built = modes_of(study, service), dict(networks or {})
    parts = [
        travel_times(built.get(mode) or study.network(mode), places, study.cells, limit_min=limit_min) for mode in modes.values()
    ]
    if len(parts) == 1:
        return parts[0]
    return replace(mix_times(parts, mode_of_cells(study, service)), mode=mixed_mode(list(modes.values()), _scopes(service)))


def _scopes(service: Service) -> dict[str, tuple[str, str]]:
    """Say whom each mode is for."""
    found: dict[str, list[tuple[str, str]]] = {}
    for key, name in service.mode_by.items():
        found.setdefault(name, []).append(SETTINGS.get(key) or LEVELS[key])
    found.setdefault(service.mode, []).append(ELSEWHERE)
    return {name: ("、".join(zh for zh, _ in told), ", ".join(en for _, en in told)) for name, told in found.items()}
