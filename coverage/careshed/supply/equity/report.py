"""Report how fair a city is: every measure with its definition, by class of place and by group, with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike

from careshed.supply.equity.measures import (
    Worse,
    concentration_index,
    gini,
    judged,
    middle,
    palma_ratio,
    shortfall,
    theil,
    worst_decile,
)

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

MEASURES: Final[dict[str, tuple[str, str, str, str]]] = {
    "people": (
        "参评人数",
        "people judged",
        "有有限值的人数；以下各项均按人数加权",
        "people with a finite value; all below weigh people",
    ),
    "people_unjudged": (
        "无法判断人数",
        "people not judged",
        "所在格网未接入路网等，不计入以下各项",
        "their cells join no street or have no value; left out of all below",
    ),
    "people_unreachable": (
        "无法到达人数",
        "people who can reach none",
        "沿路网到不了任何设施；计入未达标各项与最不利10%，不计入其他各项",
        "no facility can be reached along the streets; in the worst tenth and beyond the line, left out of the rest",
    ),
    "mean": ("平均值", "mean", "人均值", "mean over people"),
    "median": ("中位数", "median", "半数人不超过的值", "half of the people do not exceed it"),
    "worst_decile": ("最不利10%人群均值", "worst tenth", "境况最差的10%人群的平均值", "mean of the worst-off 10 % of people"),
    "palma": (
        "帕尔马比值",
        "Palma ratio",
        "数值最高的10%人群均值 ÷ 最低的40%人群均值；1 为均等",
        "mean of the 10 % with the most over mean of the 40 % with the least; 1 is equal",
    ),
    "gini": (
        "基尼系数",
        "Gini coefficient",
        "洛伦兹曲线与均等线之间面积的两倍；0 为均等，越近 1 越不均",
        "twice the area between Lorenz curve and line of equality; 0 is equal, 1 the most unequal",
    ),
    "theil": (
        "泰尔指数",
        "Theil's T",
        "Σ 人口份额×(值/均值)×ln(值/均值)；0 为均等",
        "sum of share of people × (value/mean) × ln(value/mean); 0 is equal",
    ),
    "theil_within": ("泰尔指数：单元内", "Theil's T within units", "各单元内部的不均等", "inequality inside the units"),
    "theil_between": (
        "泰尔指数：单元间",
        "Theil's T between units",
        "各单元均值之间的不均等",
        "inequality between the units' means",
    ),
    "between_share": ("单元间占比", "share between units", "单元间部分 ÷ 泰尔指数", "the part between units over Theil's T"),
    "concentration": (
        "集中指数",
        "concentration index",
        "按排序变量：大于 0 表示排序靠前（高）者数值更高，小于 0 相反",
        "by the ranking variable: above 0 if those high in it have more, below 0 if those low in it have",
    ),
    "beyond": (
        "未达标人口占比",
        "share beyond the line",
        "超出（或低于）标准线的人数占比",
        "share of people on the wrong side of the line",
    ),
    "beyond_depth": (
        "未达标深度",
        "depth beyond the line",
        "距标准线的平均差距，占标准线的比例（达标者计 0）",
        "mean distance beyond the line as a share of the line, those on the right side counting 0",
    ),
    "beyond_severity": (
        "未达标严重度",
        "severity beyond the line",
        "差距平方的平均值（FGT2）",
        "mean of the squared distance, so that the farthest count most (FGT2)",
    ),
}
"""Measure -> (name zh, name en, definition zh, definition en), in the order of the report."""


def equity_report(
    values: ArrayLike,
    people: ArrayLike,
    *,
    units: ArrayLike | None = None,
    ranking: ArrayLike | None = None,
    line: float | None = None,
    worse: Worse = "high",
) -> pd.DataFrame:
    """Lay out how fairly travel or care is shared, one measure a row, each with its definition.

    Parameters
    ----------
    values
        One number a cell: minutes to the nearest facility (`nearest_minutes`), or places per person. NaN cannot be judged,
        infinite cannot be reached; both are counted on rows of their own.
    people
        People of the group in every cell; fractions are fine, cells without people count nothing.
    units
        Unit of every cell, for the parts of Theil's T; `units_at` gives streets and townships.
    ranking
        What people are ranked by for the concentration index: income, land price, share of elderly …
    line
        The standard, in the unit of the values (15 minutes); cells at exactly the line meet it.
    worse
        Which values are the bad ones.

    Returns
    -------
    pandas.DataFrame
        Index ``measure`` (keys of `MEASURES`; rows that were not asked for are left out); ``value``, ``name_zh``, ``name_en``,
        ``definition_zh``, ``definition_en``. A measure that is not defined, as where all values are 0, is NaN.

    Examples
    --------
    >>> equity_report([5, 10, 15, 30], [10, 10, 10, 10], line=15)["value"].round(3)[["people", "mean", "gini", "beyond"]]
    measure
    people    40.000
    mean      15.000
    gini       0.333
    beyond     0.250
    Name: value, dtype: float64
    """
    import pandas as pd

    found = _values(values, people, units=units, ranking=ranking, line=line, worse=worse)
    rows = [(found[measure], *MEASURES[measure]) for measure in MEASURES if measure in found]
    index = pd.Index([measure for measure in MEASURES if measure in found], name="measure")
    return pd.DataFrame(rows, index=index, columns=["value", "name_zh", "name_en", "definition_zh", "definition_en"])


def _values(
    values: ArrayLike,
    people: ArrayLike,
    *,
    units: ArrayLike | None = None,
    ranking: ArrayLike | None = None,
    line: float | None = None,
    worse: Worse = "high",
) -> dict[str, float]:
    """The numbers of the report, without their words."""
    counts = np.asarray(people, dtype=float)
    x = np.asarray(values, dtype=float)
    kept = judged(x, counts)
    parts = theil(x, counts, units)
    lost = float(counts[np.isposinf(x)].sum())
    found = {
        "people": float(counts[kept].sum()),
        "people_unjudged": float(counts[np.isnan(x)].sum()),
        "people_unreachable": lost,
        "mean": float(np.average(x[kept], weights=counts[kept])) if kept.any() else float("nan"),
        "median": middle(x, counts),
        "worst_decile": float("inf") if worse == "high" and lost > 0 else worst_decile(x, counts, worse=worse),
        "palma": palma_ratio(x, counts),
        "gini": gini(x, counts),
        "theil": parts.total,
    }
    if units is not None:
        share = parts.between / parts.total if parts.total > 1e-12 else float("nan")
        found |= {"theil_within": parts.within, "theil_between": parts.between, "between_share": share}
    if ranking is not None:
        found["concentration"] = concentration_index(x, counts, ranking)
    if line is not None:
        for depth, measure in enumerate(("beyond", "beyond_depth", "beyond_severity")):
            found[measure] = shortfall(x, counts, line=line, depth=depth, worse=worse)
        if worse == "high" and lost > 0:
            near = found["beyond"] * found["people"] if kept.any() else 0.0
            found |= {"beyond": (near + lost) / (found["people"] + lost), "beyond_depth": np.inf, "beyond_severity": np.inf}
    return found


def compare_classes(
    values: ArrayLike, people: ArrayLike, classes: ArrayLike, *, line: float | None = None, worse: Worse = "high"
) -> pd.DataFrame:
    """Set classes of places against each other, such as urban against rural, or street against street.

    Parameters
    ----------
    classes
        Class of every cell; "" is a class of its own. `units_at` with ``"setting"`` gives urban and rural.

    Returns
    -------
    pandas.DataFrame
        Index ``class``, sorted, then ``ALL``; ``people``, ``people_unjudged``, ``people_unreachable``, ``mean``, ``median``,
        ``worst_decile``, ``palma``, ``gini``, ``theil``, with a line ``beyond``, ``beyond_depth``, ``beyond_severity``, and
        ``mean_ratio`` (to the mean of all).

    Examples
    --------
    >>> compare_classes([10, 20, 40], [2, 2, 1], ["urban", "urban", "rural"])[["people", "mean"]]
           people  mean
    class
    rural     1.0  40.0
    urban     4.0  15.0
    ALL       5.0  20.0
    """
    names = np.asarray(classes).astype(str)
    x, counts = np.asarray(values, dtype=float), np.asarray(people, dtype=float)
    at = {str(name): names == name for name in np.unique(names)}
    rows = {name: _values(x[here], counts[here], line=line, worse=worse) for name, here in at.items()}
    return _against_all(rows | {"ALL": _values(x, counts, line=line, worse=worse)}, "class")


def compare_groups(
    values: ArrayLike, cells: GeoDataFrame, groups: Sequence[str], *, line: float | None = None, worse: Worse = "high"
) -> pd.DataFrame:
    """Set groups of people against each other: the same travel, weighted by children under 3, by people over 80, …

    Returns
    -------
    pandas.DataFrame
        Index ``group`` in the order asked; columns as `compare_classes`, ``mean_ratio`` to the mean of the first group.

    Raises
    ------
    ValueError
        If the cells lack a group.
    """
    missing = [group for group in groups if group not in cells]
    if missing or not groups:
        raise ValueError(f"the cells have no people of group {', '.join(missing)}" if missing else "name at least one group")
    rows = {group: _values(values, cells[group].to_numpy(dtype=float), line=line, worse=worse) for group in groups}
    table = _against_all(rows, "group")
    return table.assign(mean_ratio=table["mean"] / table["mean"].iloc[0])


def _against_all(rows: Mapping[str, Mapping[str, float]], name: str) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(list(rows.values()), index=pd.Index(list(rows), name=name))
    return table.assign(mean_ratio=table["mean"] / table["mean"].iloc[-1])


def units_at(cells: GeoDataFrame, units: GeoDataFrame, *, levels: Sequence[str] = ("street", "township")) -> pd.Series:
    """Name the unit of the asked levels that each cell lies in, "" for none.

    Returns
    -------
    pandas.Series
        Unit code on the index of the cells. ``units["setting"].reindex(…)`` of it gives urban or rural.
    """
    import pandas as pd

    from careshed.access import lineage

    level = units["level"].to_dict()
    finest = cells["unit"].astype(str)
    found = {code: next((one for one in lineage(code, units) if level[one] in levels), "") for code in finest.unique().tolist()}
    return pd.Series([found[code] for code in finest], index=cells.index, dtype=object)


def speed_range(
    minutes: ArrayLike,
    people: ArrayLike,
    *,
    factors: Sequence[float] = (0.8, 1.0, 1.2),
    units: ArrayLike | None = None,
    ranking: ArrayLike | None = None,
    line: float | None = None,
) -> pd.DataFrame:
    """Show how much each measure hangs on the walking speed assumed.

    Minutes are divided by each factor. That is exact only where every part of the travel time scales with the speed, as on foot:
    streets, steps and the legs between places and streets. It does not hold for timetables, waiting or fixed penalties, and the
    nearest facility must have been searched without a limit (`nearest_minutes`). Ratios such as Gini, Palma and Theil do not
    change with speed at all; means and shares beyond a line do.

    Parameters
    ----------
    factors
        Speeds as multiples of the one assumed; 0.8 is a fifth slower.

    Returns
    -------
    pandas.DataFrame
        Index ``measure``; ``value`` (at the speed assumed), ``low``, ``high`` (least and largest over the factors).
    """
    x = np.asarray(minutes, dtype=float)
    if not len(factors) or min(factors) <= 0:
        raise ValueError("give speed factors above 0, such as (0.8, 1.0, 1.2)")
    runs = [_values(x / factor, people, units=units, ranking=ranking, line=line) for factor in factors]
    return _range(_values(x, people, units=units, ranking=ranking, line=line), runs, 0.0)


def people_range(
    values: ArrayLike,
    people: ArrayLike,
    *,
    error: float,
    seed: int,
    draws: int = 200,
    together: ArrayLike | None = None,
    units: ArrayLike | None = None,
    ranking: ArrayLike | None = None,
    line: float | None = None,
    worse: Worse = "high",
) -> pd.DataFrame:
    """Show how much each measure hangs on errors of the population grid.

    Every draw multiplies the people by log-normal factors with mean 1 and coefficient of variation `error`; the same seed gives
    the same bytes.

    Parameters
    ----------
    error
        Relative error of the people in a cell, 0.2 for 20 %.
    draws
        Number of draws.
    together
        Label of every cell; cells with the same label err together, as where a census count was spread over a street. Each
        cell by itself if None, which lets errors cancel out and so gives the narrowest range.

    Returns
    -------
    pandas.DataFrame
        Index ``measure``; ``value`` (people as given), ``low``, ``high``: the range that holds the middle 90 % of the draws.
    """
    judged(values, people)
    if error < 0 or draws < 1:
        raise ValueError(f"give an error of 0 or more and at least one draw, not {error:g} and {draws}")
    counts = np.asarray(people, dtype=float)
    labels = np.arange(len(counts)) if together is None else np.unique(np.asarray(together).astype(str), return_inverse=True)[1]
    # In the order of the values, so that no draw has to sort them again.
    order = np.argsort(np.asarray(values, dtype=float), kind="stable")
    x, counts, labels = np.asarray(values, dtype=float)[order], counts[order], labels[order]
    unit, rank = (None if column is None else np.asarray(column)[order] for column in (units, ranking))
    spread = float(np.sqrt(np.log1p(error**2)))
    random = np.random.default_rng(seed)
    number = int(labels.max(initial=-1)) + 1
    runs = []
    for _ in range(draws):
        factor = np.exp(spread * random.standard_normal(number) - spread**2 / 2)
        runs.append(_values(x, counts * factor[labels], units=unit, ranking=rank, line=line, worse=worse))
    return _range(_values(x, counts, units=unit, ranking=rank, line=line, worse=worse), runs, 0.05)


def _range(value: Mapping[str, float], runs: Sequence[Mapping[str, float]], tail: float) -> pd.DataFrame:
    """The value as assumed, and the range of the runs without a share of them at either end."""
    import pandas as pd

    table = pd.DataFrame(list(runs), columns=list(value))
    columns = {"value": pd.Series(value), "low": table.quantile(tail), "high": table.quantile(1 - tail)}
    return pd.DataFrame(columns).rename_axis("measure")
