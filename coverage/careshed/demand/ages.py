"""Give people ages: groups from age classes, from shares, or from rasters by age."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from careshed.demand.ledger import Ledger, groups_in, unit_rows
from careshed.demand.refusing import refuse
from careshed.demand.spans import FORMS, OPEN, AgesError, AgeSpan, aged, check_classes, class_span, closing_groups, span_of
from careshed.schema import Fault, Population, file_label
from careshed.words import group_name

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.intake.places import Bounds

_WORLDPOP: Final = re.compile(r"(?:^|_)([fmt])_(\d{1,3})(?:_|$)", re.IGNORECASE)

_BOTH: Final = "t"

ALL_AGES: Final = (f"请补全年龄列；{FORMS[0]}。", f"Give columns for all ages; {FORMS[1]}.")
"""The cure where age classes leave people out."""


@dataclass(frozen=True)
class People:
    """Cells with people by group, the account of how they came about, and what was assumed."""

    cells: GeoDataFrame
    ledger: Ledger
    faults: tuple[Fault, ...] = ()


def age_rasters(names: Sequence[str]) -> dict[str, tuple[str, AgeSpan]]:
    """Read sex and age class off the names of WorldPop's rasters: ``chn_f_1_2020.tif`` is women of 1 to 4.

    A name says where a class begins; it ends where the next of the same sex begins, the last is open.

    >>> found = age_rasters(["x_f_0_2020", "x_f_1_2020", "x_f_5_2020"])
    >>> [(sex, span.text()) for sex, span in found.values()]
    [('f', '0'), ('f', '1-4'), ('f', '5+')]

    Raises
    ------
    ValueError
        If a name says no sex and age, two say the same, or files of each sex stand beside files of both.
    """
    found = {name: _WORLDPOP.search(Path(name).stem) for name in names}
    odd = [name for name, match in found.items() if match is None]
    if odd:
        raise ValueError(f"no sex and age in the name(s) {', '.join(odd)}; WorldPop's are like chn_f_60_2020.tif")
    begins = {name: (match.group(1).lower(), float(match.group(2))) for name, match in found.items() if match}
    if len(set(begins.values())) < len(begins):
        raise ValueError("two rasters are of the same sex and age: people would count twice")
    sexes = {sex for sex, _ in begins.values()}
    if _BOTH in sexes and len(sexes) > 1:
        raise ValueError("rasters of both sexes together (t) stand beside rasters of one sex: people would count twice")
    ordered = {sex: sorted(low for own, low in begins.values() if own == sex) for sex in sexes}
    return {name: (sex, AgeSpan(low, _next(low, ordered[sex]))) for name, (sex, low) in begins.items()}


def _next(low: float, ordered: Sequence[float]) -> float:
    return next((edge for edge in ordered if edge > low), OPEN)


def read_age_rasters(
    files: Sequence[str | Path],
    *,
    groups: Sequence[str],
    crs_out: str,
    merge: int = 1,
    area: Bounds | None = None,
) -> tuple[Population, Ledger, tuple[Fault, ...]]:
    """Read a set of WorldPop age and sex rasters into groups of the study.

    Parameters
    ----------
    groups
        Groups wanted, such as ``total``, ``p0_3``, ``p60``.

    Raises
    ------
    careshed.schema.InputError
        If a raster cannot be read.
    ValueError
        If the names say no ages, or the classes cannot give a group.
    """
    from careshed.intake.population import read_population_rasters

    classes = age_rasters([Path(file).name for file in files])
    for sex in sorted({sex for sex, _ in classes.values()}):
        check_classes([span for own, span in classes.values() if own == sex], groups)
    paths = {Path(file).stem: file for file in files}
    read = read_population_rasters(paths, crs_out=crs_out, merge=merge, area=area)
    spans = {Path(name).stem: span for name, (_, span) in classes.items()}
    people = ages_from_classes(read.table.cells, spans, groups=groups, file=file_label(files[0]), checked=True)
    return Population(people.cells, read.table.grid), people.ledger, (*read.faults, *people.faults)


def ages_from_classes(
    cells: GeoDataFrame,
    classes: Mapping[str, AgeSpan],
    *,
    groups: Sequence[str],
    file: str = "",
    checked: bool = False,
) -> People:
    """Add up age classes to the groups of the study; a class that a group cuts is split evenly by year of age, and said so.

    Parameters
    ----------
    classes
        Column -> the ages it counts. Children of 1 to 4, for example, give half of themselves to ``p0_3`` (ages 1 and 2).
    checked
        Whether the classes are known to cover the groups (classes of two sexes overlap by nature).

    Returns
    -------
    People
        The cells with the columns of classes replaced by `groups`.

    Raises
    ------
    ValueError
        If classes overlap, leave ages out, or an open class would have to be cut.

    >>> import geopandas as gpd
    >>> cells = gpd.GeoDataFrame({"a": [2.0], "b": [8.0]}, geometry=gpd.points_from_xy([0], [0]), crs="EPSG:32651")
    >>> young = ages_from_classes(cells, {"a": AgeSpan(0, 1), "b": AgeSpan(1, 5)}, groups=["p0_3"])
    >>> young.cells["p0_3"].tolist()
    [6.0]
    """
    if not checked:
        check_classes(classes.values(), groups)
    counts = cells[list(classes)].to_numpy(dtype=float)
    shares = np.array([[span.share_in(span_of(group)) for group in groups] for span in classes.values()])
    people = counts @ shares
    rest = [name for name in cells.columns if name not in classes and name not in groups]
    made = pd.DataFrame(people, columns=list(groups), index=cells.index)
    table = cells[rest].assign(**{group: made[group] for group in groups})
    ledger = Ledger().add(("由分龄数据合成年龄组", "groups from age classes"), _summed(cells, classes), table)
    return People(table, ledger, tuple(_split_noted(counts, shares, people, list(groups), list(classes.values()), file)))


def _summed(cells: GeoDataFrame, classes: Mapping[str, AgeSpan]) -> pd.DataFrame:
    """Put the people of all classes under ``total``, so that the account compares like with like."""
    counted = cells[list(classes)].to_numpy(dtype=float).sum(axis=1)
    whole = min(span.low for span in classes.values()) == 0 and max(span.high for span in classes.values()) == OPEN
    return pd.DataFrame({"total": counted}) if whole else pd.DataFrame(index=cells.index)


def _split_noted(
    counts: np.ndarray, shares: np.ndarray, people: np.ndarray, groups: Sequence[str], spans: Sequence[AgeSpan], file: str
) -> list[Fault]:
    """Say how much of each group rests on the assumption that ages are spread evenly within a class."""
    faults = []
    for at, group in enumerate(groups):
        cut = (shares[:, at] > 0) & (shares[:, at] < 1)
        if cut.any():
            resting = float((counts[:, cut] @ shares[cut, at]).sum())
            part = resting / float(people[:, at].sum() or 1.0)
            listed = ", ".join(
                dict.fromkeys(f"{span.text()} × {shares[row, at]:.3g}" for row, span in enumerate(spans) if cut[row])
            )
            zh = f"{group_name(group, 'zh')}：假设年龄组内各岁人数相同（{listed}），{resting:,.0f} 人（{part:.0%}）据此得出"
            en = f"{group}: ages are taken as even within a class ({listed}); {resting:,.0f} people ({part:.0%}) rest on it"
            faults.append(Fault("even_ages", file, zh, en, severity="noted", people=resting))
    return faults


def is_age_class(name: str) -> bool:
    """Say whether a column is an age class by its name.

    >>> is_age_class("f_60"), is_age_class("60-64岁"), is_age_class("p60")
    (True, True, False)
    """
    return _WORLDPOP.search(name) is not None or class_span(name) is not None


def ages_of_columns(cells: GeoDataFrame, *, groups: Sequence[str]) -> People:
    """Add up the columns of cells that are age classes by name: of WorldPop (``f_60``) or in words (``60-64岁``).

    Raises
    ------
    careshed.schema.InputError
        If no column names an age class, or the classes cannot give the groups.

    >>> import geopandas as gpd
    >>> people = {"0-4岁": [5.0], "5岁及以上": [95.0]}
    >>> cells = gpd.GeoDataFrame(people, geometry=gpd.points_from_xy([0], [0]), crs="EPSG:32651")
    >>> ages_of_columns(cells, groups=["total", "p0_3"]).cells[["total", "p0_3"]].to_dict("list")
    {'total': [100.0], 'p0_3': [3.0]}
    """
    named = [name for name in groups_in(cells) if _WORLDPOP.search(name)]
    labelled = {name: span for name in groups_in(cells) if (span := class_span(name)) is not None}
    labelled |= closing_groups(labelled.values(), aged(groups_in(cells))[0])
    try:
        found = age_rasters(named)
        for sex in sorted({sex for sex, _ in found.values()}):
            check_classes([span for own, span in found.values() if own == sex], groups)
        if not found:
            check_classes(labelled.values(), groups)
    except ValueError as error:
        zh = error.told[0] if isinstance(error, AgesError) else str(error)
        listed = "、".join(group_name(group, "zh") for group in groups)
        told = (f"年龄列无法合成{listed}：{zh}", f"the age columns cannot give {', '.join(groups)}: {error}")
        raise refuse("age_classes", told, ALL_AGES) from error
    classes = {name: span for name, (_, span) in found.items()} or labelled
    return ages_from_classes(cells, classes, groups=groups, checked=True)


def ages_from_shares(
    cells: GeoDataFrame,
    shares: Mapping[str, float] | pd.DataFrame,
    *,
    units: GeoDataFrame | None = None,
) -> People:
    """Give every cell its groups as stated shares of ``total``, one for all or by unit.

    Parameters
    ----------
    shares
        Group -> share of all residents (0 to 1); or a table of such shares, index unit code.
    units
        The units with their ``parent``, where shares are of larger units than those the cells name.

    Raises
    ------
    ValueError
        If a share is not between 0 and 1, or cells with people lie in no unit of the table.
    """
    table = shares if isinstance(shares, pd.DataFrame) else pd.DataFrame([dict(shares)], index=["ALL"])
    values = table.to_numpy(dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("shares of age groups must be between 0 and 1")
    total = cells["total"].to_numpy(dtype=float)
    one = not isinstance(shares, pd.DataFrame)
    rows = np.zeros(len(cells), dtype=np.int64) if one else unit_rows(cells, [str(code) for code in table.index], units)
    nowhere = (rows < 0) & (total > 0)
    if nowhere.any():
        raise ValueError(f"{total[nowhere].sum():,.1f} people live in {int(nowhere.sum())} cell(s) of no unit that has shares")
    made = total[:, None] * values[rows]
    result = cells.assign(**{str(group): made[:, at] for at, group in enumerate(table.columns)})
    words = ("按给定比例推算年龄组", "groups from stated shares")
    kept = [group for group in groups_in(cells) if group not in table.columns]
    return People(result, Ledger().add(words, cells, result, keeps=kept))
