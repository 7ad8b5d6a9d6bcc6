"""Put the sites of a plan in the order in which a reader goes through them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.siting.studying.result import StudyPlan

Fate = Literal["new", "extended", "closed", "kept"]
"""What becomes of a site."""


class Listed(NamedTuple):
    """One site in its place."""

    rank: int | None
    """From 1 for new sites, in the order in which they are best built; None for the others."""
    id: str
    fate: Fate
    year: int | None
    """Year in which it opens, where the plan has years."""


def listed(solved: StudyPlan) -> list[Listed]:
    """Order the sites of a plan: new ones by year and by what each adds, then those extended, closed and kept."""
    plan, reasons = solved.plan, solved.extras.reasons
    order = list(map(str, reasons.table.index)) if reasons is not None else []
    opened = solved.phased.opened if solved.phased is not None else {}
    year = {name: at for at, names in opened.items() for name in names}
    new = [*(name for name in order if name in plan.new), *(name for name in plan.new if name not in order)]
    new.sort(key=lambda name: year.get(name, 0))
    found = [Listed(at, name, "new", year.get(name)) for at, name in enumerate(new, 1)]
    fates = plan.sites["status"]
    found += [Listed(None, str(name), "extended", None) for name in fates.index[fates == "extended"]]
    found += [Listed(None, name, "closed", None) for name in plan.closed]
    return found + [Listed(None, str(name), "kept", None) for name in fates.index[fates == "kept"]]


def reason_text(solved: StudyPlan, name: str, lang: Lang) -> str:
    """Say why a new site is in the plan, for a list that gives number and name beside it; "" where nothing is told.

    The order of the reasons is that of marginal gain; in a plan over years a site has another number in the list.
    """
    reasons = solved.extras.reasons
    if reasons is None or name not in reasons.table.index:
        return ""
    row = reasons.table.loc[name]
    order, called = row["order"], str(row["name"]) or name
    head = pick(lang, f"第 {order} 处“{called}”：", f"Site {order}, {called}: ")
    told = str(row[f"reason_{lang}"]).removeprefix(head)
    return told[:1].upper() + told[1:]


def sure_text(solved: StudyPlan, name: str, lang: Lang) -> str:
    """Say in how many scenarios a new site is chosen; "" where none were tried."""
    stressed = solved.extras.stressed
    if stressed is None or name not in stressed.sites.index:
        return ""
    row = stressed.sites.loc[name]
    zh = f"{row['scenarios']} 个情景中 {row['chosen']} 个选它（{row['verdict_zh']}）"
    return pick(lang, zh, f"chosen in {row['chosen']} of {row['scenarios']} scenarios ({row['verdict_en']})")
