"""Say how sure we are of each site: how often it is chosen, what it adds, what keeping it could cost, and what matters most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from careshed.siting.scenarios.influence import influence_table
from careshed.siting.scenarios.trying import Trial, Tried
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.siting.scenarios.engine import Answer

FIRM = 0.9
"""Share of scenarios from which on a site is called sure."""

DOUBTFUL = 0.5
"""Share of scenarios below which a site is called doubtful."""


@dataclass(frozen=True)
class Robustness:
    """How a plan and each of its sites fare over the scenarios."""

    plan: tuple[str, ...]
    """Sites of the nominal plan, sorted."""
    value: float
    """The nominal plan in the nominal case, in `unit`."""
    bound: float
    unit: str
    sites: pd.DataFrame
    """Index ``candidate_id``, every site of the nominal plan and every other that some scenario chooses, the most often chosen
    first: ``in_plan``; ``chosen``, ``scenarios`` and ``share`` (scenarios whose best plan has it, of those that have a plan; the
    nominal plan counts as a scenario's best where none is better); ``gain``, ``gain_min``, ``gain_median``, ``gain_max`` (what is
    lost if it is taken out and nothing takes its place: out of the nominal plan if it is in it, in every scenario; else out of
    the best plan of those scenarios that choose it), ``gain_scenarios`` (how many those are); ``regret_mean``, ``regret_max``
    (value of the scenario's best plan less that of its best plan with the site forced in, ≥ 0; infinite where none has it),
    ``regret_scenario`` (where it is
    largest), ``regret_proven`` (False: at most so much, by single exchanges or from plans that are not proven);
    ``verdict_zh``, ``verdict_en``."""
    scenarios: pd.DataFrame
    """Index ``scenario``: ``label_zh``, ``label_en``, ``kind``, ``varied``; ``plan_value`` (the nominal plan there, NaN where it
    breaks a rule); ``best_value``, ``bound``, ``proven`` (the scenario's best plan, NaN where no plan keeps the rules);
    ``regret`` (of the nominal plan, ≥ 0), ``regret_at_most`` (against the bound); ``sites_kept`` (of the nominal plan's sites,
    those in the scenario's best), ``best_sites`` (joined by ``;``); ``routed`` (travel costs found anew), ``close_pairs``
    (so near to the limit that the rounding of scaled costs could turn them)."""
    influence: pd.DataFrame
    """Index: input; see `influence_table`."""

    def summary(self, lang: Lang = "zh") -> str:
        """Tell the outcome in a few lines, with what each share is of."""
        held = self.scenarios["plan_value"].notna().sum()
        sure = int((self.sites["in_plan"] & (self.sites["share"] >= FIRM)).sum())
        zh = (
            f"{len(self.scenarios)} 个情景中，规划方案在 {held} 个中仍满足全部规则；"
            f"{len(self.plan)} 处选址中有 {sure} 处在至少 {FIRM:.0%} 的情景中入选。"
        )
        en = (
            f"Of {len(self.scenarios)} scenarios the plan keeps all rules in {held}; "
            f"{sure} of its {len(self.plan)} sites are chosen in at least {FIRM:.0%} of them. "
        )
        return pick(lang, zh, en) + self._loss(lang)

    def _loss(self, lang: Lang) -> str:
        """Tell the largest loss against the scenarios' own best plans, where there is any to tell."""
        known = self.scenarios["regret"].dropna()
        if not len(known):
            return pick(lang, "没有可与之比较的情景最优方案。", "No scenario has a best plan to compare with.")
        unit = pick(lang, *UNIT_WORDS[self.unit])
        most = f"{known.max():,.6g}" if self.unit in ("share", "minutes", "metres") else f"{known.max():,.0f}"
        zh = f"与各情景最优方案相比，最多损失 {most}（{unit}）。"
        return pick(lang, zh, f"Against the best plan of each scenario it loses at most {most} ({unit}).")


UNIT_WORDS = {
    "people": ("人", "people"),
    "visits": ("人次", "visits"),
    "sites": ("处", "sites"),
    "yuan": ("元", "yuan"),
    "person_minutes": ("人·分钟", "person-minutes"),
    "person_metres": ("人·米", "person-metres"),
    "minutes": ("分钟", "minutes"),
    "metres": ("米", "metres"),
    "share": ("比例", "share"),
}
"""Unit of a value -> (Chinese, English)."""


def stress_plan(tried: Tried) -> Robustness:
    """Say how sure we are of the nominal plan and of each of its sites over the scenarios tried.

    A share counts scenarios, each once: it is a probability only if the scenarios are draws (`scenario_set`) of what may be. See
    `Robustness` for what each figure means.
    """
    scenarios = pd.DataFrame([_row(trial, tried) for trial in tried.trials]).set_index("scenario")
    sites = _site_table(tried)
    nominal = tried.nominal
    influence = influence_table([trial.scenario for trial in tried.trials], scenarios, nominal.value)
    return Robustness(nominal.choice.sites, nominal.value, nominal.bound, nominal.unit, sites, scenarios, influence)


def _row(trial: Trial, tried: Tried) -> dict[str, object]:
    scenario, answer, sense = trial.scenario, trial.answer, tried.engine.sense
    worth = np.nan if trial.nominal is None else trial.nominal
    best, bound = (np.nan, np.nan) if answer is None else (answer.value, answer.bound)
    sites = () if answer is None else answer.choice.sites
    return {
        "scenario": scenario.id,
        "label_zh": scenario.label("zh"),
        "label_en": scenario.label("en"),
        "kind": scenario.kind,
        "varied": scenario.varied,
        "plan_value": worth,
        "best_value": best,
        "bound": bound,
        "proven": answer is not None and answer.proven,
        "regret": round(sense * (best - worth), 6),
        "regret_at_most": round(sense * (bound - worth), 6),
        "sites_kept": len(set(sites) & set(tried.nominal.choice.sites)),
        "best_sites": ";".join(sites),
        "routed": trial.world.routed,
        "close_pairs": trial.world.close,
    }


def _site_table(tried: Tried) -> pd.DataFrame:
    answers = [trial.answer for trial in tried.trials if trial.answer is not None]
    chosen = [site for answer in answers for site in answer.choice.sites]
    listed = sorted({*tried.nominal.choice.sites, *chosen})
    gains, regrets = _gains(tried), _regrets(tried, listed)
    in_nominal = tried.engine.gains(tried.nominal.choice)
    rows = []
    for site in listed:
        count = chosen.count(site)
        share = count / len(answers) if answers else np.nan
        rows.append(
            {
                "candidate_id": site,
                "in_plan": site in tried.nominal.choice.sites,
                "chosen": count,
                "scenarios": len(answers),
                "share": share,
                "gain": in_nominal.get(site, np.nan),
                **_spread(gains.get(site, [])),
                **regrets[site],
                **_verdict(site in tried.nominal.choice.sites, share),
            }
        )
    columns = ["candidate_id", *(column for row in rows[:1] for column in row if column != "candidate_id")]
    table = pd.DataFrame(rows, columns=columns).astype({"gain": float} if rows else {})
    return table.sort_values(["chosen", "candidate_id"], ascending=[False, True]).set_index("candidate_id") if rows else table


def _gains(tried: Tried) -> dict[str, list[float]]:
    """What each site adds, scenario by scenario; a scenario in which taking it out breaks a rule tells none."""
    found: dict[str, list[float]] = {}
    plan = set(tried.nominal.choice.sites)
    for trial in tried.trials:
        told = trial.engine.gains(tried.nominal.choice)
        if trial.answer is not None and trial.answer.choice != tried.nominal.choice:
            own = trial.engine.gains(trial.answer.choice)
            told |= {site: gain for site, gain in own.items() if site not in plan}
        for site, gain in told.items():
            if gain is not None:
                found.setdefault(site, []).append(gain)
    return found


def _spread(gains: list[float]) -> dict[str, float]:
    some = gains or [np.nan]
    return {
        "gain_min": min(some),
        "gain_median": float(np.median(some)),
        "gain_max": max(some),
        "gain_scenarios": len(gains),
    }


def _regrets(tried: Tried, listed: list[str]) -> dict[str, dict[str, object]]:
    """What forcing each site into the best plan of a scenario costs; nothing where that plan has it."""
    lost: dict[str, list[tuple[float, bool, str]]] = {site: [] for site in listed}
    for trial in tried.trials:
        answer = trial.answer
        if answer is None:
            continue
        others = [site for site in listed if site not in answer.choice.sites]
        forced = trial.engine.forced(answer, others)
        for site in listed:
            loss, proven = _loss(answer, forced.get(site), tried.engine.sense)
            lost[site].append((loss, proven, trial.scenario.id))
    return {site: _told(parts) for site, parts in lost.items()}


def _loss(answer: Answer, forced: tuple[float | None, bool] | None, sense: int) -> tuple[float, bool]:
    """Loss and whether it is proven; infinite where no plan can have the site."""
    if forced is None:
        return 0.0, True
    value, proven = forced
    if value is None:
        return np.inf, proven
    return max(round(sense * (answer.value - value), 6), 0.0), proven and answer.proven


def _told(parts: list[tuple[float, bool, str]]) -> dict[str, object]:
    losses = [loss for loss, _, _ in parts] or [np.nan]
    worst = int(np.argmax(losses))
    return {
        "regret_mean": float(np.mean(losses)),
        "regret_max": losses[worst],
        "regret_scenario": parts[worst][2] if parts and losses[worst] > 0 else "",
        "regret_proven": all(proven for _, proven, _ in parts),
    }


def _verdict(in_plan: bool, share: float) -> dict[str, str]:
    """Say in a word how sure a site is."""
    if not in_plan:
        return {"verdict_zh": "备选", "verdict_en": "alternative"}
    if share >= FIRM:
        return {"verdict_zh": "可靠", "verdict_en": "sure"}
    if share >= DOUBTFUL:
        return {"verdict_zh": "多数情景成立", "verdict_en": "in most scenarios"}
    return {"verdict_zh": "存疑", "verdict_en": "doubtful"}
