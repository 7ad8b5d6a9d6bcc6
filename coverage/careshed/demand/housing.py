"""Add announced housing: dated points where people will move in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from careshed.demand.ages import People
from careshed.demand.ledger import Ledger, groups_in
from careshed.demand.refusing import refuse
from careshed.demand.spans import aged, banded, bands_of
from careshed.schema import Checked, Fault, InputError, file_label
from careshed.settings.demand import HOUSEHOLD

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.datum import Datum

HOUSING_HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "year": ("入住年份", "交付年份", "竣工年份", "建成年份", "年份", "year", "ready"),
    "homes": ("户数", "套数", "住宅套数", "规划户数", "homes", "dwellings", "units"),
    "total": ("人口", "规划人口", "入住人口", "人数", "people", "population", "total"),
}
"""Our column -> headers of a list of announced housing."""

_YEARS: Final = (1900, 2100)
"""Years in which housing may be ready."""


def read_housing(
    path: str | Path,
    *,
    crs_out: str,
    sheet: str | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    household_size: float = HOUSEHOLD,
) -> Checked[GeoDataFrame]:
    """Read a list of announced housing: where, ready in which year, for how many people or households.

    Returns
    -------
    Checked[GeoDataFrame]
        Index position in the file; ``year``, ``total`` (people), points.

    Raises
    ------
    careshed.schema.InputError
        If the year, or both people and homes, are missing, or a year is none.
    """
    from careshed.intake.columns import plain, without_unit
    from careshed.intake.population import read_population_table
    from careshed.intake.tables import read_table

    plainly = read_table(path, kind="population", sheet=sheet)
    columns = {}
    for name, words in HOUSING_HEADERS.items():
        known = {plain(word) for word in words}
        headers = [plainly.headers.get(str(label), str(label)) for label in plainly.frame.columns]
        found = [header for header in headers if {plain(header), without_unit(header)} & known]
        columns.update({name: found[0]} if found else {})
    counted = "total" if "total" in columns else "homes"
    faults = [_missing(path, name) for name in ("year", counted) if name not in columns]
    if faults:
        raise InputError(faults)
    wanted = {name: columns[name] for name in ("year", counted)}
    read = read_population_table(path, crs_out=crs_out, sheet=sheet, columns=wanted, crs=crs, datum=datum)
    cells = read.table.cells
    wild = [at for at, year in cells["year"].items() if not _YEARS[0] <= year <= _YEARS[1]]
    if wild:
        raise InputError([_wild(path, plainly.sheet, str(plainly.rows[at]), columns["year"], cells["year"][at]) for at in wild])
    noted = [fault for fault in read.faults if fault.code != "people_total"]
    if counted == "homes":
        zh, en = f"每户按 {household_size:g} 人计", f"{household_size:g} people are counted a home"
        noted.append(Fault("people_from_homes", file_label(path), zh, en, severity="noted"))
    people = cells[counted] * (household_size if counted == "homes" else 1.0)
    return Checked(cells[["year", "geometry"]].assign(total=people), tuple(noted))


def _wild(path: str | Path, sheet: str, row: str, column: str, year: float) -> Fault:
    told = ("年份应在 1900 至 2100 之间", "the year must be between 1900 and 2100")
    cure = ("请写四位年份，如 2028。", "Write a year of four digits, such as 2028.")
    return Fault("year_out_of_range", file_label(path), *told, *cure, sheet=sheet, row=row, column=column, found=f"{year:g}")


def _missing(path: str | Path, name: str) -> Fault:
    words = ", ".join(HOUSING_HEADERS[name] + (HOUSING_HEADERS["total"] if name == "homes" else ()))
    told = (f"缺少“{name}”列", f"column {name!r} is missing")
    return Fault("missing_column", file_label(path), *told, f"可用的列名：{words}。", f"Accepted headers: {words}.")


def add_housing(
    cells: GeoDataFrame,
    housing: GeoDataFrame,
    *,
    year: int,
    since: int,
    shares: Mapping[str, float] | None = None,
) -> People:
    """Add the people of housing that is ready after `since` and by the end of `year`; each place becomes a cell of its own.

    Parameters
    ----------
    housing
        ``year`` and ``total`` (people) at points; may hold groups too.
    since
        Housing ready by the end of this year is in the population already: the year of its data.
    shares
        Group -> share of the new residents, where `housing` holds no groups; left out, the shares of all cells.

    Returns
    -------
    People
        The cells, then the new ones with ids above theirs; ``unit`` is empty and to be assigned.

    Raises
    ------
    careshed.schema.InputError
        If shares are missing, not between 0 and 1, or contradict each other.
    ValueError
        If the CRS differ.
    """
    import geopandas as gpd

    if cells.crs is None or cells.crs != housing.crs:
        raise ValueError(f"cells are in {cells.crs}, housing in {housing.crs}; convert them with to_crs first")
    groups = groups_in(cells)
    ready = housing[(housing["year"] > since) & (housing["year"] <= year)]
    own = _shares(cells, groups, shares)
    first = int(cells.index.max()) + 1 if len(cells) else 0
    index = pd.RangeIndex(first, first + len(ready), name=cells.index.name)
    people = {
        group: ready[group].to_numpy(dtype=float) if group in ready else ready["total"].to_numpy(dtype=float) * own[group]
        for group in groups
    }
    added = pd.DataFrame(people, index=index)
    banded(added, bands_of(aged(groups)[0]), what=("住宅", "housing"))
    for name in ("row", "col"):
        if name in cells:
            added[name] = -1
    if "unit" in cells:
        added["unit"] = ""
    fresh = gpd.GeoDataFrame(added, geometry=ready.geometry.to_numpy(), crs=cells.crs)
    joined = gpd.GeoDataFrame(pd.concat([cells, fresh[list(cells.columns)]]), geometry="geometry", crs=cells.crs)
    words = (f"{since + 1}–{year} 年新增住宅", f"housing ready {since + 1}–{year}")
    return People(joined, Ledger().add(words, cells, joined), tuple(_waiting(housing, ready, since, year)))


def _shares(cells: GeoDataFrame, groups: list[str], shares: Mapping[str, float] | None) -> dict[str, float]:
    if shares is None:
        total = float(cells["total"].sum())
        return {group: float(cells[group].sum()) / total if total else 0.0 for group in groups}
    if not all(0 <= share <= 1 for share in shares.values()):
        told = ("新增居民的比例应在 0 与 1 之间", "shares of new residents must be between 0 and 1")
        raise refuse("bad_share", told, ("20 % 请写 0.2。", "Write 0.2 for 20 %."))
    missing = [group for group in groups if group not in shares and group != "total"]
    if missing:
        listed = ", ".join(missing)
        told = (f"没有给出新增居民中 {listed} 的比例", f"no share of new residents is stated for {listed}")
        raise refuse("no_share", told, ("请在 [demand.housing.shares] 中补充。", "State it in [demand.housing.shares]."))
    return {"total": 1.0, **shares}


def _waiting(housing: GeoDataFrame, ready: GeoDataFrame, since: int, year: int) -> list[Fault]:
    """Say which housing counts, which is there already, and which comes later."""
    people = float(ready["total"].sum())
    early, late = int((housing["year"] <= since).sum()), int((housing["year"] > year).sum())
    zh = f"计入 {len(ready)} 处新增住宅 {people:,.0f} 人；{early} 处在 {since} 年底前已建成，{late} 处在 {year} 年之后，未计入"
    en = (
        f"{len(ready)} place(s) of new housing count with {people:,.0f} people; {early} were ready by {since} and {late} come "
        f"after {year}: not added"
    )
    return [Fault("housing_added", "", zh, en, severity="noted", people=people)]
