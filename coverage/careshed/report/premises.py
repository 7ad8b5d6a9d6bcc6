"""Say which premises are proposed for several services, so that their cost is counted once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from careshed.maps.text import counted, in_sentence
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.run import ServiceResult
    from careshed.siting import SitePlan


def shared_premises(services: Iterable[ServiceResult]) -> dict[str, tuple[ServiceResult, ...]]:
    """Find the candidates that the ranked sites of more than one service name, with these services.

    Returns
    -------
    dict
        Candidate id -> the services that propose it, in the order of the services; ids in the order in which they are met.
    """
    found: dict[str, tuple[ServiceResult, ...]] = {}
    for one in services:
        for site in one.plan.sites.index:
            found[str(site)] = (*found.get(str(site), ()), one)
    return {site: those for site, those in found.items() if len(those) > 1}


def premises_words(services: Iterable[ServiceResult], one: ServiceResult, lang: Lang) -> dict[str, str]:
    """Say for the shared sites of a service with which others they share their premises, by candidate id."""
    told = {}
    for site, those in shared_premises(services).items():
        if any(one is each for each in those):
            others = [each.service.name(lang) for each in those if each is not one]
            names = pick(lang, "、".join(others), " and ".join(in_sentence(name) for name in others))
            zh = f"与{names}合用同一用房，造价勿重复计"
            told[site] = pick(lang, zh, f"same premises as {names}, count the cost once")
    return told


@dataclass(frozen=True)
class Together:
    """The ranked sites of several services, and what they cost where premises that services share are paid for once."""

    sites: int
    premises: int
    summed_yuan: float | None
    """Costs of all services added up, None where a cost is not known."""
    once_yuan: float | None
    """Every premises counted once."""


def counted_together(services: Iterable[ServiceResult]) -> Together:
    """Count the ranked sites of all services, their premises, and their cost with every premises counted once."""
    each = [
        (str(site), float(cost))
        for one in services
        for site, cost in zip(one.plan.sites.index, one.plan.sites["cost_yuan"], strict=True)
    ]
    dearest: dict[str, float] = {}
    for site, cost in each:
        dearest[site] = max(cost, dearest.get(site, cost))
    summed, once = sum(cost for _, cost in each), sum(dearest.values())
    return Together(len(each), len(dearest), None if summed != summed else summed, None if once != once else once)


def together_line(services: Iterable[ServiceResult], lang: Lang) -> str:
    """Say what the ranked sites of all services cost together, "" where one service alone has sites or a cost is not known."""
    built = [one for one in services if len(one.plan.sites)]
    found = counted_together(built)
    if len(built) < 2 or found.summed_yuan is None or found.once_yuan is None:
        return ""
    once, summed = (
        pick(lang, f"{yuan / 10_000:,.1f} 万元", f"{yuan:,.0f} yuan") for yuan in (found.once_yuan, found.summed_yuan)
    )
    if found.premises == found.sites:
        zh, en = f"合计 {found.sites} 处，造价 {once}。", f"All services together: {counted(found.sites, 'site')} for {once}."
        return pick(lang, zh, en)
    zh = f"合计 {found.sites} 处点位、{found.premises} 处用房，合用用房只计一次，造价 {once}（各服务相加为 {summed}）。"
    en = f"All services together: {found.sites} sites in {found.premises} premises for {once}, shared premises counted once "
    return pick(lang, zh, f"{en}(service by service, {summed}).")


def told_plan(services: Iterable[ServiceResult], one: ServiceResult) -> SitePlan:
    """Give a service's plan with the shared premises told in the reasons of its sites; the same plan where it shares none."""
    both: tuple[Lang, Lang] = ("zh", "en")
    sites, together = one.plan.sites.copy(), tuple(services)
    for lang in both:
        said, gap = premises_words(together, one, lang), pick(lang, "；", "; ")
        if not said:
            return one.plan
        reasons = zip(sites.index, sites[f"reason_{lang}"], strict=True)
        sites[f"reason_{lang}"] = [gap.join(filter(None, (str(text), said.get(str(site), "")))) for site, text in reasons]
    return replace(one.plan, sites=sites)
