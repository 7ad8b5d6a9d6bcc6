"""Put several indicators of units into one score, and keep every part beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from careshed.schema import Fault
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

FULL_MARKS: Final = 100.0
"""Points of a unit that is best in every indicator."""


@dataclass(frozen=True)
class Indicator:
    """One part of a score: a column of the table, which way is better, and what counts as nothing and as everything."""

    column: str
    """Column of the indicator table."""
    zh: str
    en: str
    higher_is_better: bool = True
    """Whether a large value is good; set False for minutes."""
    nought: float | None = None
    """Value that earns nothing; without `target` unused."""
    target: float | None = None
    """Value that earns full marks, as a plan states it; more earns no more. None: the best of the units (min–max)."""
    weight: float = 1.0
    """Weight before all are brought to a sum of 1."""
    unit_zh: str = ""
    unit_en: str = ""


@dataclass(frozen=True)
class Score:
    """Composite scores of units, with every part they are made of."""

    table: pd.DataFrame
    """Index the unit; ``score`` (0–100, NaN where an indicator is missing), ``rank`` (1 the best, ties share the better rank,
    NaN without a score), then for every indicator the value as given and ``{column}_part`` (0–1), ``reason_zh``, ``reason_en``
    (why there is no score, else "")."""
    parts: pd.DataFrame
    """Index the column of each indicator; ``name_zh``, ``name_en``, ``weight`` (sum 1), ``higher_is_better``, ``method``
    (``min-max`` or ``target``), ``nought`` and ``full`` (the values that earn 0 and 1)."""
    findings: tuple[Fault, ...] = ()

    def method(self, lang: Lang) -> str:
        """Say how the score is made, weights and all, in one paragraph."""
        told = [
            f"{row[f'name_{lang}']} {row['weight']:.0%}"
            + pick(
                lang,
                f"（{row['nought']:g} 计 0 分，{row['full']:g} 计满分）",
                f" ({row['nought']:g} earns 0, {row['full']:g} full marks)",
            )
            for _, row in self.parts.iterrows()
        ]
        return pick(
            lang,
            f"综合得分（0–100）为各指标加权平均：{'，'.join(told)}。缺任一指标的单元不计分。",
            f"The score (0–100) is the weighted mean of: {', '.join(told)}. A unit that lacks an indicator has no score.",
        )


def service_score(table: pd.DataFrame, indicators: Sequence[Indicator], *, weights: Mapping[str, float] | None = None) -> Score:
    """Put several indicators of units into one score, and keep every part beside it.

    Each indicator is brought to 0–1: from `nought` to `target` where a target is set, cut off at both ends, else from the worst
    to the best of the units (min–max, so that scores compare the units of one table only). The score is 100 × the weighted mean.
    A unit that lacks an indicator gets no score and the reason, never an average of the rest.

    Parameters
    ----------
    table
        Units × indicators; other columns are left alone.
    indicators
        What counts, which way, with which weight.
    weights
        Column -> weight, in place of the indicators' own; equal weights if both are left out.

    Raises
    ------
    ValueError
        If a column is missing, stands twice, a weight is negative or all are 0, or a target has no nought below it (above it,
        where less is better).

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"share": [0.5, 0.9, 0.7], "minutes": [10.0, 20.0, 30.0]}, index=["A", "B", "C"])
    >>> scored = service_score(table, [Indicator("share", "覆盖率", "coverage", nought=0.0, target=1.0),
    ...                                Indicator("minutes", "步行时间", "minutes on foot", higher_is_better=False)])
    >>> scored.table[["score", "rank", "share_part", "minutes_part"]].round(2)
       score  rank  share_part  minutes_part
    A   75.0   1.0         0.5           1.0
    B   70.0   2.0         0.9           0.5
    C   35.0   3.0         0.7           0.0
    """
    import pandas as pd

    _check(table, indicators)
    share = _weights(indicators, weights)
    parts = pd.DataFrame([_part(table[one.column].astype(float), one) for one in indicators], index=_columns(indicators))
    parts.insert(2, "weight", share)
    bounds = {column: (float(row["nought"]), float(row["full"])) for column, row in parts.iterrows()}
    made = {one.column: _normalised(table[one.column].astype(float), *bounds[one.column]) for one in indicators}
    missing = pd.DataFrame({column: part.isna() for column, part in made.items()}, index=table.index)
    score = pd.Series(FULL_MARKS * (np.column_stack(list(made.values())) @ share), index=table.index)
    columns: dict[str, object] = {"score": score, "rank": score.round(9).rank(method="min", ascending=False)}
    for column, part in made.items():
        columns |= {column: table[column], f"{column}_part": part}
    for lang in ("zh", "en"):
        columns[f"reason_{lang}"] = [_lacking(row, parts[f"name_{lang}"], lang) for row in missing.to_numpy()]
    return Score(pd.DataFrame(columns, index=table.index), parts, tuple(_findings(missing, parts)))


def _columns(indicators: Sequence[Indicator]) -> list[str]:
    return [one.column for one in indicators]


def _check(table: pd.DataFrame, indicators: Sequence[Indicator]) -> None:
    columns = _columns(indicators)
    wrong = [f"column {column!r} is missing from the table" for column in columns if column not in table]
    wrong += [f"{column!r} stands more than once" for column in dict.fromkeys(columns) if columns.count(column) > 1]
    for one in indicators:
        if one.target is not None and (one.nought is None or one.nought == one.target):
            wrong.append(f"{one.column!r} has a target of {one.target:g} but no other value that earns nothing; set nought")
        elif one.target is not None and one.nought is not None and (one.target > one.nought) != one.higher_is_better:
            wrong.append(
                f"{one.column!r} runs from {one.nought:g} to {one.target:g}, against higher_is_better={one.higher_is_better}"
            )
    if not indicators:
        wrong.append("no indicator is given")
    if wrong:
        raise ValueError("the score cannot be made: " + "; ".join(wrong))


def _weights(indicators: Sequence[Indicator], weights: Mapping[str, float] | None) -> Floats:
    told = [one.weight if weights is None else weights.get(one.column, np.nan) for one in indicators]
    strange = sorted(set(weights or {}) - set(_columns(indicators)))
    values = np.array(told, dtype=float)
    if strange or not (values >= 0).all() or not values.sum() > 0:
        said = f"; no such indicators: {', '.join(strange)}" if strange else ""
        raise ValueError(f"weights must be given for every indicator, 0 or more and not all 0{said}")
    return np.asarray(values / values.sum(), dtype=np.float64)


def _part(values: pd.Series, indicator: Indicator) -> dict[str, object]:
    """How an indicator is brought to 0–1."""
    worst, best = (values.min(), values.max()) if indicator.higher_is_better else (values.max(), values.min())
    by_target = indicator.target is not None
    return {
        "name_zh": indicator.zh + (f"（{indicator.unit_zh}）" if indicator.unit_zh else ""),
        "name_en": indicator.en + (f" ({indicator.unit_en})" if indicator.unit_en else ""),
        "higher_is_better": indicator.higher_is_better,
        "method": "target" if by_target else "min-max",
        "nought": float(indicator.nought if by_target and indicator.nought is not None else worst),
        "full": float(indicator.target if indicator.target is not None else best),
    }


def _normalised(values: pd.Series, nought: float, full: float) -> pd.Series:
    """0–1; one half for everyone where min–max finds no difference, which moves no rank."""
    if nought == full:
        return values.where(values.isna(), 0.5)
    return ((values - nought) / (full - nought)).clip(0.0, 1.0) + 0.0


def _lacking(missing: NDArray[np.bool_], names: pd.Series, lang: Lang) -> str:
    if not missing.any():
        return ""
    told = pick(lang, "、", ", ").join(names[missing].tolist())
    return pick(lang, f"缺少指标：{told}", f"no value for: {told}")


def _findings(missing: pd.DataFrame, parts: pd.DataFrame) -> list[Fault]:
    found = []
    lacking = missing.index[missing.any(axis=1)].astype(str).tolist()
    if lacking:
        said = (f"{len(lacking)} 个单元缺少指标，不计分", f"{len(lacking)} units lack an indicator and have no score")
        found.append(Fault("score_missing", "", *said, severity="noted", found=", ".join(lacking[:8])))
    for _, row in parts[(parts["nought"] == parts["full"]) & (parts["method"] == "min-max")].iterrows():
        zh, en = f"各单元“{row['name_zh']}”相同，不影响排名", f"all units are alike in {row['name_en']!r}, which moves no rank"
        found.append(Fault("score_alike", "", zh, en, severity="noted"))
    return found
