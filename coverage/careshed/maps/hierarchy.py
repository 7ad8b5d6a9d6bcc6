"""Draw who depends on whom between the levels of a network of facilities, and who depends on nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from careshed.maps.encode import lines_block, points_block
from careshed.maps.facts import Scope, first, number
from careshed.maps.layers import Layer, degrees, located, rows
from careshed.words import level_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.supply.hierarchy import Hierarchy, Links


def hierarchy_layer(hierarchy: Hierarchy | Links, facilities: GeoDataFrame, scope: Scope) -> Layer:
    """Draw each link from child to parent, and a ring around every facility that has no parent.

    Parameters
    ----------
    facilities
        Where the facilities are, by id; a facility without a parent that is not among them is not drawn.
    """
    lines = located(hierarchy.lines)
    without = orphans(hierarchy)
    placed = degrees(facilities[facilities.index.astype(str).isin(without.index.astype(str))])
    reasons = {str(key): row for key, row in rows(without)}
    return {
        "lines": lines_block(np.asarray(degrees(lines).geometry.array, dtype=object)),
        "tips": [_link_tip(row, scope) for _, row in rows(lines)],
        "orphans": points_block(np.asarray(placed.geometry.array, dtype=object)),
        "orphan_tips": [_orphan_tip(reasons[str(key)], scope) for key in placed.index],
    }


def orphans(hierarchy: Hierarchy | Links) -> pd.DataFrame:
    """List the facilities without a parent, level by level: ``name``, ``reason_zh``, ``reason_en``."""
    by_level = hierarchy.links
    tables = [by_level] if isinstance(by_level, pd.DataFrame) else [one.links for one in by_level.values()]
    found = pd.concat([table.loc[table["parent"] == "", ["name", "reason_zh", "reason_en"]] for table in tables])
    return pd.DataFrame(found)


def _link_tip(row: Mapping[str, object], scope: Scope) -> list[str]:
    lang, level = scope.lang, first(row, "level")
    by_time = "minutes" in row
    far = number(row, "minutes" if by_time else "metres")
    unit = pick(lang, "分钟", "minutes") if by_time else pick(lang, "米", "m")
    heading = f"{first(row, 'child_name', 'child')} → {first(row, 'parent_name', 'parent')}"
    return [heading, *([level_name(level, lang)] if level else []), *([f"{far:,.0f} {unit}"] if far == far else [])]


def _orphan_tip(row: Mapping[str, object], scope: Scope) -> list[str]:
    reason = first(row, pick(scope.lang, "reason_zh", "reason_en"))
    none = pick(scope.lang, "没有上级设施", "without a parent")
    return [first(row, "name"), none, *([reason] if reason else [])]
