"""Find which input matters most: one at a time, and as a share of the variance of the combined draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.siting.scenarios.inputs import INPUTS, Scenario

Floats = NDArray[np.float64]


def influence_table(scenarios: Sequence[Scenario], outcomes: pd.DataFrame, nominal: float) -> pd.DataFrame:
    """Tell how much each input moves what the plan is worth, the most important first.

    Parameters
    ----------
    outcomes
        By scenario: ``plan_value`` and ``regret`` of the nominal plan.
    nominal
        The nominal plan in the nominal case.

    Returns
    -------
    pandas.DataFrame
        Index ``input``; ``name_zh``, ``name_en``; ``scenarios_alone``, ``value_low``, ``value_high`` (of the plan when this input
        alone moves, the nominal value included), ``effect`` (high less low), ``effect_regret`` (largest regret when it alone
        moves); ``draws``, ``strata``, ``variance_share`` and ``regret_variance_share``: first-order share of the variance over
        the combined draws by one-way analysis over the strata of the input, corrected for chance (ε² = (between −
        (k − 1) · within mean square) / total; Kelley, 1935), 0 at the least, NaN with less than two draws a stratum.
        Shares need not add up to 1: the rest is interaction and chance; with few draws ±0.1 to 0.2 is within chance.
    """
    moved = [name for name in INPUTS if any(one.varied == name or name in dict(one.strata) for one in scenarios)]
    rows = [_row(name, scenarios, outcomes, nominal) for name in moved]
    columns = (
        "input", "name_zh", "name_en", "scenarios_alone", "value_low", "value_high", "effect", "effect_regret",
        "draws", "strata", "variance_share", "regret_variance_share",
    )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(columns))
    return table.sort_values(["effect", "input"], ascending=[False, True]).set_index("input")


def _row(name: str, scenarios: Sequence[Scenario], outcomes: pd.DataFrame, nominal: float) -> dict[str, object]:
    alone = outcomes.loc[[one.id for one in scenarios if one.varied == name]]
    drawn = [(one.id, dict(one.strata)[name]) for one in scenarios if name in dict(one.strata)]
    strata = np.array([stratum for _, stratum in drawn], dtype=np.int64)
    together = outcomes.loc[[key for key, _ in drawn]]
    values = [nominal, *alone["plan_value"].dropna()]
    return {
        "input": name,
        "name_zh": INPUTS[name][0],
        "name_en": INPUTS[name][1],
        "scenarios_alone": len(alone),
        "value_low": min(values),
        "value_high": max(values),
        "effect": max(values) - min(values),
        "effect_regret": float(alone["regret"].max()) if len(alone) else np.nan,
        "draws": len(drawn),
        "strata": len(np.unique(strata)),
        "variance_share": variance_share(together["plan_value"].to_numpy(dtype=np.float64), strata),
        "regret_variance_share": variance_share(together["regret"].to_numpy(dtype=np.float64), strata),
    }


def variance_share(values: Floats, strata: NDArray[np.int64]) -> float:
    """First-order share of the variance by one-way analysis, corrected for chance; NaN where there is too little to tell.

    >>> variance_share(np.array([1.0, 1.0, 5.0, 5.0]), np.array([0, 0, 1, 1]))
    1.0
    """
    known = np.isfinite(values)
    values, groups = values[known], np.unique(strata[known], return_inverse=True)[1]
    count, parts = len(values), len(np.unique(groups))
    total = float(((values - values.mean()) ** 2).sum()) if count else 0.0
    if parts < 2 or count < 2 * parts or total == 0.0:
        return float("nan")
    sizes = np.bincount(groups)
    means = np.bincount(groups, weights=values) / sizes
    between = float((sizes * (means - values.mean()) ** 2).sum())
    within = (total - between) / (count - parts)
    return max((between - (parts - 1) * within) / total, 0.0)
