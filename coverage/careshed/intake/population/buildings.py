"""Read buildings with their storeys, as the places where people live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.datum import Datum
from careshed.intake.columns import plain, without_unit
from careshed.intake.finish import hand_over
from careshed.intake.places import Reference, locate
from careshed.intake.population.persons import drop_contacts
from careshed.intake.population.tables import total_noted
from careshed.intake.tables import SourceTable, as_text, damaged, read_table, stop
from careshed.intake.values import numbers, texts
from careshed.schema import Checked, Fault, file_label

if TYPE_CHECKING:
    from collections.abc import Iterator

STOREY_M: Final = 3.0
"""Height of a storey of a dwelling, metres (2.8 m at least after GB 50096-2011, with the floor slab about 3 m)."""

HOMES: Final = frozenset(
    {
        "residential", "apartments", "house", "detached", "semidetached_house", "terrace", "bungalow", "dormitory", "farm", "hut",
        "cabin", "住宅", "居住", "居民楼", "宿舍", "公寓", "民房", "农房", "商住", "商住楼", "住宅楼",
    }
)  # fmt: skip
"""Uses of a building under which people live (OpenStreetMap's ``building`` and words of Chinese surveys)."""

UNKNOWN_USES: Final = frozenset({"", "yes", "building", "建筑", "房屋"})
"""Uses that say nothing; such buildings count as homes only where asked."""

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "storeys": ("层数", "楼层", "楼层数", "地上层数", "建筑层数", "floor", "floors", "storeys", "levels", "building:levels",
                "building_levels", "num_floors", "storey"),
    "height_m": ("高度", "建筑高度", "height", "height_m", "building_height"),
    "use": ("用途", "建筑用途", "使用性质", "房屋用途", "建筑类型", "use", "usage", "building", "function", "type"),
}  # fmt: skip

_OSM: Final = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")


def read_buildings(
    path: str | Path,
    *,
    crs_out: str,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    storeys_unknown: float | None = None,
    unknown_uses: bool = True,
) -> Checked[GeoDataFrame]:
    """Read building footprints with their floor area, so that people can be spread over homes by the room there is.

    Parameters
    ----------
    path
        A layer of polygons (GeoPackage, Shapefile, GeoJSON, GeoParquet), or an OpenStreetMap extract.
    columns
        ``storeys``, ``height_m``, ``use`` -> header, where the usual names are not used.
    storeys_unknown
        Storeys of a building of which neither storeys nor height are known; left out, the median of those known, 1 if none is.
    unknown_uses
        Whether buildings whose use is not stated count as homes.

    Returns
    -------
    Checked[GeoDataFrame]
        Index ``building_id`` from 0; ``storeys``, ``floor_m2`` (footprint × storeys), ``home`` (bool); polygons in `crs_out`.

    Raises
    ------
    careshed.schema.InputError
        If the file cannot be read or holds no buildings.
    """
    file = Path(path)
    faults: list[Fault] = []
    if file.name.lower().endswith(_OSM):
        frame = _from_osm(file).to_crs(crs_out)
    else:
        frame = _from_layer(file, layer, columns, Reference(crs_out, crs, datum), faults)
    area = np.isin(shapely.get_type_id(frame.geometry.array), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    area &= shapely.is_valid(np.asarray(frame.geometry.array, dtype=object))
    if (~area).any():
        told = (
            f"{int((~area).sum())} 个建筑不是完好的面，未采用",
            f"{int((~area).sum())} building(s) are no sound area: left out",
        )
        faults.append(Fault("bad_building", file_label(file), *told, severity="dropped"))
    frame = frame[area].reset_index(drop=True)
    if not len(frame):
        cure = ("请检查图层或所选范围。", "Check the layer or the extract.")
        raise stop(file, "no_buildings", ("没有建筑", "there are no buildings in it"), cure)
    return hand_over(_measured(frame, file_label(file), storeys_unknown, unknown_uses, faults), faults)


def _measured(frame: GeoDataFrame, file: str, unknown: float | None, unknown_uses: bool, faults: list[Fault]) -> GeoDataFrame:
    """Give every building its storeys and floor area, and tell what was assumed."""
    storeys = frame["storeys"].to_numpy(dtype=float)
    storeys = np.where(storeys > 0, storeys, np.nan)
    tall = frame["height_m"].to_numpy(dtype=float)
    by_height = np.isnan(storeys) & (tall > 0)
    storeys = np.where(by_height, np.maximum(1.0, np.rint(tall / STOREY_M)), storeys)
    missing = np.isnan(storeys)
    assumed = unknown if unknown is not None else float(np.median(storeys[~missing])) if (~missing).any() else 1.0
    uses = frame["use"].str.casefold()
    blank = uses.isin(UNKNOWN_USES).to_numpy()
    home = uses.isin(HOMES).to_numpy() | (blank & unknown_uses)
    counted = {
        "storeys_from_height": (
            by_height.sum(),
            f"层数由高度除以 {STOREY_M:g} 米估算",
            f"storeys are height over {STOREY_M:g} m",
        ),
        "storeys_assumed": (missing.sum(), f"层数不详，按 {assumed:g} 层计", f"storeys are not known and taken as {assumed:g}"),
        "use_unknown": (
            blank.sum(),
            f"用途不详，{'按住宅计' if unknown_uses else '不计'}",
            f"the use is not stated; {'taken as homes' if unknown_uses else 'not counted'}",
        ),
    }
    for code, (count, zh, en) in counted.items():
        if count:
            faults.append(Fault(code, file, f"{count} 个建筑：{zh}", f"{count} building(s): {en}", severity="noted"))
    storeys = np.where(missing, assumed, storeys)
    index = pd.RangeIndex(len(frame), name="building_id")
    table = pd.DataFrame({"storeys": storeys, "floor_m2": frame.geometry.area.to_numpy() * storeys, "home": home}, index=index)
    return GeoDataFrame(table, geometry=frame.geometry.to_numpy(), crs=frame.crs)


def _from_layer(
    file: Path, layer: str | None, columns: Mapping[str, str] | None, reference: Reference, faults: list[Fault]
) -> GeoDataFrame:
    read = read_table(file, kind="population", layer=layer, columns=columns)
    kept = drop_contacts(read.frame, file=read.file, sheet=read.sheet)
    table = _own_names(replace(read, frame=kept.table))
    faults.extend([*table.faults, *kept.faults])
    geometry = locate(table, reference, faults)
    data = {
        "storeys": numbers(table, "storeys", faults),
        "height_m": numbers(table, "height_m", faults),
        "use": np.array(texts(table, "use"), dtype=object),
    }
    frame = pd.DataFrame(data)
    return hand_over(GeoDataFrame(frame, geometry=geometry, crs=reference.crs_out), faults).table


def _own_names(table: SourceTable) -> SourceTable:
    """Know the columns of a survey of buildings by their usual names."""
    renamed: dict[str, str] = {}
    for name, words in _NAMES.items():
        known = {plain(word) for word in words}
        found = [str(header) for header in table.frame.columns if {plain(header), without_unit(str(header))} & known]
        free = [header for header in found if header not in renamed]
        if name not in table.headers and free:
            renamed[free[0]] = name
    headers = {**table.headers, **{name: table.headers.get(header, header) for header, name in renamed.items()}}
    return replace(table, frame=table.frame.rename(columns=renamed), headers=headers)


def _from_osm(file: Path) -> GeoDataFrame:
    """Read the closed ways and multipolygons of an extract that are buildings."""
    import osmium

    rows, shapes = [], []
    try:
        for tags, shape in _osm_buildings(file):
            rows.append((_first_number(tags.get("building:levels")), _first_number(tags.get("height")), tags["building"]))
            shapes.append(shape)
    except (RuntimeError, osmium.InvalidLocationError) as error:
        raise damaged(file, error) from error
    frame = pd.DataFrame(rows, columns=["storeys", "height_m", "use"]).astype({"use": "str"})
    return GeoDataFrame(frame, geometry=np.array(shapes, dtype=object), crs="EPSG:4326")


def _osm_buildings(file: Path) -> Iterator[tuple[dict[str, str], object]]:
    import osmium

    kind = next(suffix for suffix in _OSM if file.name.lower().endswith(suffix))
    source = osmium.io.File(str(file), kind.removeprefix("."))
    wanted = osmium.filter.KeyFilter("building")
    factory = osmium.geom.WKBFactory()
    for item in osmium.FileProcessor(source).with_areas(wanted).with_filter(wanted):
        if isinstance(item, osmium.osm.Area) and item.tags.get("building") != "no":
            yield dict(item.tags), shapely.from_wkb(factory.create_multipolygon(item))


def _first_number(text: object) -> float:
    """Read the number that a tag starts with, NaN where there is none.

    >>> _first_number("12.5 m"), _first_number("6;7")
    (12.5, 6.0)
    """
    digits = ""
    for sign in as_text(text):
        if not (sign.isdigit() or (sign == "." and "." not in digits)):
            break
        digits += sign
    return float(digits) if digits.strip(".") else float("nan")


def read_population_buildings(
    path: str | Path,
    *,
    crs_out: str,
    m2_per_person: float,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    storeys_unknown: float | None = None,
) -> Checked[GeoDataFrame]:
    """Count people by the floor of their homes, where nothing better than footprints with storeys is known.

    Parameters
    ----------
    m2_per_person
        Floor area a person, square metres; what the study assumes, and what the result says it rests on.

    Returns
    -------
    Checked[GeoDataFrame]
        Index ``cell_id``, the building's position; ``total`` (people); the footprints. Buildings that are no homes are left out.

    Raises
    ------
    careshed.schema.InputError
        If the file cannot be read or holds no homes.
    """
    read = read_buildings(
        path, crs_out=crs_out, layer=layer, columns=columns, crs=crs, datum=datum, storeys_unknown=storeys_unknown
    )
    floor, label = floor_areas(read.table), file_label(path)
    homes = read.table[floor > 0]
    if homes.empty:
        cure = ("请检查用途列，或改用其他人口数据。", "Check the column of uses, or give another source of people.")
        raise stop(Path(path), "nobody", ("没有住宅", "there are no homes in it"), cure)
    people = floor[floor > 0] / m2_per_person
    zh = f"假设：人口按住宅建筑面积推算，每人 {m2_per_person:g} 平方米，共 {people.sum():,.1f} 人"
    en = f"assumption: people are the floor of homes over {m2_per_person:g} m² a person, {people.sum():,.1f} in all"
    noted = Fault("people_from_floor", label, zh, en, severity="noted", people=float(people.sum()))
    cells = GeoDataFrame({"total": people}, index=homes.index.rename("cell_id"), geometry=homes.geometry, crs=homes.crs)
    return Checked(cells, (*read.faults, noted, total_noted(label, "total", float(people.sum()), len(cells))))


def floor_areas(buildings: GeoDataFrame) -> NDArray[np.float64]:
    """Give the floor area in which people live, square metres; 0 for buildings that are no homes."""
    return np.asarray(np.where(buildings["home"], buildings["floor_m2"], 0.0), dtype=np.float64)
