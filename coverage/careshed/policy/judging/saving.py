"""Save a scorecard and load it again, so that a later one can say what changed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from careshed.intake.tables import must_exist, stop
from careshed.policy.judging.card import Place, Presence, Reach, RuleResult, Scorecard, Target, UnitValue, YearValue
from careshed.policy.model import Rule
from careshed.schema import Fault

FORMAT: Final = "careshed scorecard 1"
"""First entry of the file; a later form of it has another number."""


def save_scorecard(card: Scorecard, path: str | Path) -> Path:
    """Save a scorecard as JSON, whole or not at all; the same card gives the same bytes."""
    target = Path(path)
    held = {"format": FORMAT} | _as_plain(card)
    text = json.dumps(held, ensure_ascii=False, indent=1, allow_nan=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.part")
    aside.write_text(text + "\n", encoding="utf-8", newline="\n")
    os.replace(aside, target)
    return target


def _as_plain(card: Scorecard) -> dict[str, Any]:
    results = [asdict(result) | {"rule": result.rule.model_dump(mode="json", exclude_defaults=True)} for result in card.results]
    return asdict(card) | {"results": results}


def load_scorecard(path: str | Path) -> Scorecard:
    """Load a scorecard that `save_scorecard` wrote.

    Raises
    ------
    careshed.schema.InputError
        If the file is missing or holds something else.
    """
    file = Path(path)
    must_exist(file)
    cure = ("请用 careshed score 重新生成。", "Make it again with careshed score.")
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise stop(file, "not_a_scorecard", ("不是计分卡文件", "is not a scorecard"), cure) from error
    if not isinstance(held, dict) or held.get("format") != FORMAT:
        raise stop(file, "not_a_scorecard", ("不是计分卡文件", "is not a scorecard"), cure)
    own = {key: value for key, value in held.items() if key != "format"}
    own["results"] = tuple(_result(one) for one in held["results"])
    own["faults"] = tuple(Fault(**one) for one in held["faults"])
    own["places"] = tuple(Place(**one) for one in held["places"])
    own["notes"] = _pairs(held["notes"])
    return Scorecard(**own)


def _result(held: dict[str, Any]) -> RuleResult:
    own = dict(held)
    own["rule"] = Rule.model_validate(held["rule"])
    own["targets"] = tuple(Target(**one) for one in held["targets"])
    own["units"] = tuple(UnitValue(**one) for one in held["units"])
    own["years"] = tuple(YearValue(**one) for one in held["years"])
    own["presence"] = (
        None if held["presence"] is None else Presence(**(held["presence"] | {"levels": tuple(held["presence"]["levels"])}))
    )
    own["reach"] = None if held["reach"] is None else Reach(**held["reach"])
    own["entered"] = None if held["entered"] is None else tuple(held["entered"])
    own["notes"] = _pairs(held["notes"])
    return RuleResult(**(own | {key: tuple(held[key]) for key in ("of_what", "missing_of", "why")}))


def _pairs(held: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((zh, en) for zh, en in held)
