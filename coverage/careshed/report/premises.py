"""Say which premises are proposed for several services, so that their cost is counted once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from careshed.maps.text import in_sentence
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


def premises_line(services: Iterable[ServiceResult], lang: Lang) -> str:
    """Say in one sentence which premises are proposed more than once, "" where none are."""
    shared = shared_premises(services)
    if not shared:
        return ""
    told: dict[tuple[str, ...], list[str]] = {}
    for site, those in shared.items():
        told.setdefault(tuple(one.service.name(lang) for one in those), []).append(site)
    each = [
        pick(lang, f"{'、'.join(sites)}（{'与'.join(names)}）", f"{', '.join(sites)} ({' and '.join(names)})")
        for names, sites in told.items()
    ]
    zh = f"合用用房：{'；'.join(each)} 同时列入几项服务的建议选址，各按全额列出造价，合计时勿重复计。"
    en = f"Shared premises: {'; '.join(each)} are proposed for several services at full cost each; count the cost once."
    return pick(lang, zh, en)
