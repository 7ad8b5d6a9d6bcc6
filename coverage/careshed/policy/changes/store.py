"""Keep a dated scorecard of every run, and find it again by file, folder or date."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.intake.tables import stop
from careshed.policy.judging import load_scorecard, save_scorecard
from careshed.policy.judging.card import Scorecard
from careshed.schema import InputError

if TYPE_CHECKING:
    import pandas as pd

_NAME: Final = re.compile(r"^(?P<date>\d{4}-\d{2}-\d{2}|undated)_(?P<profile>.+)\.card\.json$")
_ODD: Final = re.compile(r"[^\w.-]+")


def card_name(card: Scorecard) -> str:
    """Name the file of a card by the date of its data and the plan, such as ``2025-06-30_shuozhou-2023.card.json``."""
    return f"{card.data_date or 'undated'}_{_ODD.sub('-', card.profile)}.card.json"


def save_run_card(folder: str | Path, card: Scorecard, *, replace: bool = False) -> Path:
    """Save the card of a run under the date of its data, so that the next quarter can be compared with it.

    Saving the same card again does nothing. Another card of the same date and plan is not overwritten unless `replace` is
    given: what a committee has seen must not change unnoticed.

    Raises
    ------
    careshed.schema.InputError
        If another card of this date and plan is there already.
    """
    target = Path(folder) / card_name(card)
    if not target.exists():
        return save_scorecard(card, target)
    aside = save_scorecard(card, target.with_name(f".{target.name}.new"))
    same = aside.read_bytes() == target.read_bytes()
    if same or not replace:
        aside.unlink()
    if same:
        return target
    if not replace:
        told = ("同一数据日期、同一规划已有另一份计分卡", "another scorecard of this date and plan is there already")
        cure = (
            "请更新研究文件中的 data_date；确需覆盖时加 replace（--replace）。",
            "State the new data_date in the study; to overwrite it all the same, give replace (--replace).",
        )
        raise stop(target, "card_exists", told, cure)
    aside.replace(target)
    return target


def list_cards(folder: str | Path) -> pd.DataFrame:
    """List the saved cards of a folder, the earliest first.

    Returns
    -------
    pandas.DataFrame
        Columns ``date`` ("" unknown, first), ``profile``, ``path``; empty where the folder holds none.
    """
    import pandas as pd

    found = []
    for path in sorted(Path(folder).glob("*.card.json")):
        match = _NAME.match(path.name)
        if match is not None:
            found.append((match["date"].replace("undated", ""), match["profile"], path))
    return pd.DataFrame(found, columns=["date", "profile", "path"]).sort_values(["date", "profile"], ignore_index=True)


def find_card(run: str | Path, *, folder: str | Path | None = None, profile: str | None = None) -> Path:
    """Find the card that a planner means: a file, a folder (its latest card) or a date in `folder`.

    Parameters
    ----------
    run
        Path of a card; folder of saved cards; or a date (``2025-06-30``) or its beginning (``2025-06``).
    folder
        Where cards are saved; needed for dates.
    profile
        Id of the plan, where cards of several lie together.

    Raises
    ------
    careshed.schema.InputError
        If there is none, or cards of several plans fit.
    """
    path = Path(run)
    if path.is_file():
        return path
    home = path if path.is_dir() else Path(folder) if folder is not None else None
    if home is None:
        raise _none(path, "", ())
    cards = list_cards(home)
    fits = cards if profile is None else cards[cards["profile"] == profile]
    if home is not path:
        fits = fits[fits["date"].str.startswith(str(run))]
    if fits.empty:
        raise _none(path, home.as_posix(), tuple(cards["path"].map(lambda one: one.name)))
    listed = sorted(set(fits["profile"]))
    if len(listed) > 1:
        told = (f"有多个规划的计分卡：{'、'.join(listed)}", f"there are cards of several plans: {', '.join(listed)}")
        raise stop(path, "several_plans", told, ("请指定 profile。", "Name the profile."))
    return Path(fits["path"].iloc[-1])


def _none(path: Path, home: str, known: tuple[str, ...]) -> InputError:
    there = ("、".join(known) or "无", ", ".join(known) or "none")
    cure = (
        f"请写计分卡文件、文件夹，或已保存的日期（{home or '未给出文件夹'}：{there[0]}）。",
        f"Give a card's file, a folder, or the date of a saved card ({home or 'no folder given'}: {there[1]}).",
    )
    return stop(path, "no_card", ("找不到计分卡", "there is no such scorecard"), cure)


def open_card(run: str | Path, *, folder: str | Path | None = None, profile: str | None = None) -> Scorecard:
    """Load the card that `find_card` finds."""
    return load_scorecard(find_card(run, folder=folder, profile=profile))
