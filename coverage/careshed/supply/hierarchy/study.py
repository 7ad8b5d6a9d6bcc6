"""Link the facilities of a study, level by level, as its [hierarchy] asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from careshed.supply.hierarchy.levels import Hierarchy, build_hierarchy, hierarchy_times, split_levels

if TYPE_CHECKING:
    from careshed.network import Network
    from careshed.study import Study


def link_study(study: Study, network: Network) -> Hierarchy:
    """Link every operating facility of the study's levels to the nearest of the level above, within the limit asked.

    Where the levels state how many each can take, the most are linked, then with the least travel.

    Raises
    ------
    ValueError
        If the study has no [hierarchy].
    """
    section = study.config.hierarchy
    if section is None:
        raise ValueError("the study has no [hierarchy]; name its levels and their facility types there")
    table = study.facility_table
    by_level = split_levels(table[table["status"] == "operating"], {level.id: level.types for level in section.level})
    capacity = {level.id: level.each_takes for level in section.level if level.each_takes is not None}
    return build_hierarchy(
        by_level,
        hierarchy_times(network, by_level, limit_min=section.within_minutes),
        minutes=section.within_minutes,
        rule="optimal" if capacity else "nearest",
        capacity=capacity,
        expected={level.id: level.expected for level in section.level if level.expected is not None},
    )
