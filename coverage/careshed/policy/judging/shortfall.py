"""List what every residential compound lacks, grouped by the street or township that answers for it (补短板)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from careshed.access import lineage
from careshed.policy.judging.card import Scorecard
from careshed.policy.judging.compounds import compounds_of

if TYPE_CHECKING:
    import pandas as pd

    from careshed.study import Study

NEEDS: Final = {
    "floor_m2_per_100_households": ("m2", 100.0),
    "land_m2_per_person": ("m2", 1.0),
    "places_per_1000": ("places", 1000.0),
}
"""Measure -> (what is missing, per how many households or people)."""


def compound_shortfalls(study: Study, card: Scorecard) -> pd.DataFrame:
    """List what each compound lacks under each standard of the plan, and which street or township answers for it.

    A compound has its part of the facilities that it shares with its neighbours within the pooling distance, as the card has it.

    Returns
    -------
    pandas.DataFrame
        One row a rule and compound that falls short, the worst first within its unit: ``rule``, ``title_zh``, ``title_en``,
        ``responsible`` (code of the street or township, "" unknown), ``responsible_name``, ``compound``, ``name``,
        ``households``, ``value``, ``target``, ``missing`` and ``missing_of`` (``m2`` or ``places``).

    Raises
    ------
    careshed.policy.judging.measured.Unjudgeable
        If the study has no usable register of compounds.
    """
    import pandas as pd

    table, own = compounds_of(study), study.compounds
    unit = own["unit"].astype(str).to_dict() if own is not None and "unit" in own else {}
    names = study.units["name"].astype(str).to_dict()
    rows = []
    for result in card.results:
        if result.rule.measure not in NEEDS or result.target is None:
            continue
        kind, per = NEEDS[result.rule.measure]
        for one in result.units:
            if one.level != "compound" or one.met is not False or one.value is None:
                continue
            homes = float(table["households"].get(one.unit, 0.0))
            amount = homes if kind == "m2" and per == 100.0 else float(one.people or 0.0)
            answers = _responsible(unit.get(one.unit, ""), study)
            lacking = (result.target - one.value) * amount / per
            told = (result.id, result.rule.title_zh, result.rule.title_en, answers, names.get(answers, ""))
            rows.append((*told, one.unit, one.name, homes, one.value, result.target, lacking, kind))
    columns = ["rule", "title_zh", "title_en", "responsible", "responsible_name", "compound", "name"]
    columns += ["households", "value", "target", "missing", "missing_of"]
    found = pd.DataFrame(rows, columns=columns)
    order = ["rule", "responsible", "missing", "compound"]
    return found.sort_values(order, ascending=[True, True, False, True], kind="stable", ignore_index=True)


def shortfalls_by_unit(shortfalls: pd.DataFrame) -> pd.DataFrame:
    """Add up what compounds lack by rule and responsible unit: compounds, households and what is missing."""
    keys = ["rule", "title_zh", "title_en", "responsible", "responsible_name", "missing_of"]
    grouped = shortfalls.groupby(keys, sort=True)
    return grouped.agg(compounds=("compound", "size"), households=("households", "sum"), missing=("missing", "sum")).reset_index()


def _responsible(unit: str, study: Study) -> str:
    """Climb from a compound's unit to the street or township above it."""
    level = study.units["level"]
    return next((code for code in lineage(unit, study.units) if level[code] in ("street", "township")), "")
