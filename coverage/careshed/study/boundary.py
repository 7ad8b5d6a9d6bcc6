"""Read the layers that bound a study: the outline whose streets are fetched, and the borders that nobody crosses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from careshed.intake.candidates import read_land
from careshed.schema import Checked, Fault, InputError, file_label

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries

    from careshed.intake.places import Bounds
    from careshed.settings.sections import BoundarySection, StreetSection


def read_hard(folder: Path, section: BoundarySection, crs_out: str, area: Bounds | None) -> Checked[GeoSeries | None]:
    """Read the lines or areas that people do not cross, None where the study names none.

    Raises
    ------
    careshed.schema.InputError
        If the layer cannot be read, its coordinate system is unknown, or it holds points.
    """
    if section.hard is None:
        return Checked(None)
    read = _layer(folder / section.hard, "[boundary]", crs_out, section, area)
    shapes = np.asarray(read.table.geometry.array, dtype=object)
    if len(shapes) and (shapely.get_dimensions(shapes) >= 1).all():
        return Checked(read.table.geometry, read.faults)
    told = ("硬边界须为线或面", "hard borders must be lines or areas")
    cure = ("请提供河流、国界等线或面图层。", "Give a layer of lines or areas, such as rivers or a national border.")
    raise InputError([*read.faults, Fault("border_shape", file_label(section.hard), *told, *cure)])


def read_outline(folder: Path, section: StreetSection) -> Checked[GeoDataFrame]:
    """Read the outline of the place whose streets are asked for, in degrees.

    Raises
    ------
    careshed.schema.InputError
        If the layer cannot be read, its coordinate system is unknown, or it holds no area.
    """
    file = str(section.polygon)
    read = _layer(folder / file, "[streets]", "EPSG:4326", section, None)
    shapes = np.asarray(read.table.geometry.array, dtype=object)
    if len(shapes) and (shapely.get_dimensions(shapes) == 2).all():
        return read
    told = ("范围须为面", "the outline must be an area")
    cure = ("请提供面图层，如行政区边界。", "Give a layer of areas, such as the outline of a district.")
    raise InputError([*read.faults, Fault("outline_shape", file_label(file), *told, *cure)])


def _layer(
    path: Path, name: str, crs_out: str, section: BoundarySection | StreetSection, area: Bounds | None
) -> Checked[GeoDataFrame]:
    """Read shapes; cures name the section of the study that they are for."""
    try:
        read = read_land(path, crs_out=crs_out, layer=section.layer, crs=section.crs, datum=section.datum, area=area)
    except InputError as error:
        raise InputError(_renamed(error.faults, name)) from error
    return Checked(read.table, _renamed(read.faults, name))


def _renamed(faults: Iterable[Fault], name: str) -> tuple[Fault, ...]:
    return tuple(
        replace(one, cure_zh=one.cure_zh.replace("[units]", name), cure_en=one.cure_en.replace("[units]", name)) for one in faults
    )
