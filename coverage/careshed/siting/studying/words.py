"""Say a plan in a planner's words: what it brings, what it costs, how good it is proven to be, what gave way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from careshed.siting.planning import Demand, Plan, SetCover, WorstUnit
from careshed.siting.planning.plan import ValueUnit
from careshed.siting.planning.wording import yuan_text
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from careshed.siting.scenarios import RobustPlan
    from careshed.siting.studying.result import StudyPlan

UNITS: Final[dict[ValueUnit, tuple[str, str]]] = {
    "people": ("人", "people"),
    "person_minutes": ("人·分钟", "person-minutes"),
    "person_metres": ("人·米", "person-metres"),
    "minutes": ("分钟", "minutes"),
    "metres": ("米", "m"),
    "sites": ("处", "sites"),
    "yuan": ("元", "yuan"),
    "share": ("", ""),
}

RESTS: Final[dict[str, tuple[str, str]]] = {
    "highs": ("HiGHS 求解器的分支定界，间隙为 0", "branch and bound of the HiGHS solver with gap 0"),
    "counting": ("逐一清点，没有可选余地", "mere counting: nothing was left to decide"),
}


def plan_sentences(solved: StudyPlan, lang: Lang) -> tuple[str, ...]:
    """Say a plan in a few sentences, the one that matters first.

    What gave way comes right after it, before money and proof.
    """
    return (
        key_sentence(solved, lang),
        *others_sentence(solved, lang),
        *gave_way(solved.plan, lang),
        *money_sentence(solved.plan, lang),
        proof_sentence(solved, lang),
        *years_sentence(solved, lang),
        *sure_sentence(solved, lang),
    )


def key_sentence(solved: StudyPlan, lang: Lang) -> str:
    """Say in one sentence what a plan brings: sites, money, people before and after."""
    plan = solved.plan
    demand, reached = plan.objective.demands[0], plan.reached[0]
    who, total, limit = group_name(reached.group, lang), f"{reached.total:,.0f}", limit_of_demand(demand, lang)
    if solved.section.mode:  # of the plan's own: without its name the sentence would pass for the service's way to travel
        mode = solved.problem.study.travel_mode(solved.section.mode)
        limit = pick(lang, f"{mode.zh} {limit}", f"{limit} ({mode.en})")
    before, after = (share_text(people, reached.total) for people in (reached.before, reached.after))
    n, net = len(plan.new), yuan_text(plan.net_yuan)
    if not n and not plan.upgrades and not plan.closed:
        all_in = reached.total - reached.after < 0.5 or isinstance(plan.objective, SetCover)
        head = (
            ("无需新增设施", "No new site is needed")
            if all_in
            else ("按这些规则不新建设施", "Under these rules no new site is built")
        )
        zh = f"{head[0]}：{total} 名{who}中已有 {after}（{reached.after:,.0f} 人）在 {limit}内可达。"
        en = f"{head[1]}: {after} of {total} {who} ({reached.after:,.0f}) are within {limit} already."
        return pick(lang, zh, en)
    cost_zh, cost_en = (f"，净投入 {net[0]}", f" for {net[1]} net") if plan.net_yuan else ("", "")
    done_zh, done_en = _done(plan)
    raises = "raises" if len(plan.new) + len(plan.upgrades) + len(plan.closed) == 1 else "raise"
    zh = f"{done_zh}{cost_zh}，{limit}内可达的{who}由 {before} 升至 {after}（{total} 人中 {reached.after:,.0f} 人）。"
    en = f"{done_en}{cost_en} {raises} the {who} within {limit} from {before} to {after} ({reached.after:,.0f} of {total})."
    if reached.after < reached.before:
        zh, en = zh.replace("升至", "降至"), en.replace("raise", "lower", 1)
    elif round(reached.after - reached.before, 3) == 0:
        zh = f"{done_zh}{cost_zh}；{limit}内可达的{who}仍为 {after}（{total} 人中 {reached.after:,.0f} 人）。"
        en = f"{done_en}{cost_en}; {after} of {total} {who} are within {limit}, as before."
    return pick(lang, zh, en)


def others_sentence(solved: StudyPlan, lang: Lang) -> tuple[str, ...]:
    """Say for whom else a plan counts, where it serves several groups or services."""
    plan, told = solved.plan, []
    for demand, reached in list(zip(plan.objective.demands, plan.reached, strict=True))[1:]:
        before, after = (share_text(people, reached.total) for people in (reached.before, reached.after))
        who, limit = group_name(reached.group, lang), limit_of_demand(demand, lang)
        service = solved.problem.study.service(demand.service).name(lang)
        zh = f"{limit}内可达{service}的{who}：{before} → {after}（{reached.total:,.0f} 人中 {reached.after:,.0f} 人）"
        en = f"{service}, {who} within {limit}: {before} → {after} ({reached.after:,.0f} of {reached.total:,.0f})"
        told.append(pick(lang, zh, en))
    return (pick(lang, f"{'；'.join(told)}。", f"{'; '.join(told)}."),) if told else ()


def _done(plan: Plan) -> tuple[str, str]:
    """What is built, extended and closed."""
    n, grown, shut = len(plan.new), len(plan.upgrades), len(plan.closed)
    zh = [f"新增 {n} 处" if n else "", f"扩建 {grown} 处" if grown else "", f"关闭 {shut} 处" if shut else ""]
    en = [
        f"{n} new site{'s' if n != 1 else ''}" if n else "",
        f"{grown} extension{'s' if grown != 1 else ''}" if grown else "",
        f"{shut} closure{'s' if shut != 1 else ''}" if shut else "",
    ]
    return "、".join(filter(None, zh)), ", ".join(filter(None, en))


def share_text(part: float, whole: float) -> str:
    """Write a share in percent, a dash where nobody lives.

    >>> share_text(1, 3), share_text(0, 0)
    ('33.3%', '–')
    """
    return f"{part / whole:.1%}" if whole else "–"


def limit_of_demand(demand: Demand, lang: Lang) -> str:
    """Say within what people count as reached.

    >>> limit_of_demand(Demand("p60", minutes=15), "en"), limit_of_demand(Demand("p60", metres=500), "zh")
    ('15 minutes', '500 米')
    """
    if demand.minutes is not None:
        return pick(lang, f"{demand.minutes:g} 分钟", f"{demand.minutes:g} minutes")
    return pick(lang, f"{demand.metres:g} 米", f"{demand.metres:g} m")


def gave_way(plan: Plan, lang: Lang) -> tuple[str, ...]:
    """Say which rules conflict and what had to give way; nothing where all are met."""
    if plan.relaxation is None:
        return ()
    head = pick(lang, "规则不能全部满足：", "The rules cannot all be met: ")
    why = [f"{head}{conflict.text(lang)}{pick(lang, '。', '.')}" for conflict in plan.conflicts]
    told = plan.relaxation.text(lang)
    if plan.relaxation.extra_yuan:
        least_zh, least_en = yuan_text(plan.net_yuan)
        why.append(pick(lang, f"其余要求全部满足，至少需要 {least_zh}。", f"All other rules together need at least {least_en}."))
    least = pick(
        lang, f"最小的让步：{told}。以下为让步后的最优方案。", f"The least that must give way: {told}. The plan is the best then."
    )
    return (*why, least)


def money_sentence(plan: Plan, lang: Lang) -> tuple[str, ...]:
    """Say what a plan costs, what subsidies pay, and what is left."""
    if not plan.cost_yuan and not plan.closing_yuan:
        return ()
    cost, paid, shut, net = (
        pick(lang, *yuan_text(yuan)) for yuan in (plan.cost_yuan, plan.subsidy_yuan, plan.closing_yuan, plan.net_yuan)
    )
    shut_zh, shut_en = (f"，关闭费用 {shut}", f", closures {shut}") if plan.closing_yuan else ("", "")
    if not plan.subsidy_yuan and not plan.closing_yuan:
        return (pick(lang, f"造价 {cost}，没有建设补贴。", f"Cost {cost}, no building subsidies."),)
    zh = f"造价 {cost}，建设补贴 {paid}{shut_zh}，净投入 {net}。"
    return (pick(lang, zh, f"Cost {cost}, subsidies {paid}{shut_en}, net {net}."),)


def proof_sentence(solved: StudyPlan, lang: Lang) -> str:
    """Say value, bound and what the proof rests on, in plain words."""
    plan = solved.plan
    rests = pick(lang, *RESTS[plan.bound_by])
    again = (
        ""
        if plan.reproducible
        else pick(lang, "计算因安全时限中止，重算可能更好。", " Stopped by the safety limit: another run may do better.")
    )
    if solved.phased is not None:
        return _phased_proof(solved, lang) + again
    value, bound = value_text(plan.value, plan.unit, lang), value_text(plan.bound, plan.unit, lang)
    if plan.status == "optimal":
        zh = f"已证明最优（{aim_text(plan, 'zh')} {value}）：同样的候选点和规则下，没有更好的选法（依据：{rests}）。"
        en = f"Proven optimal ({aim_text(plan, 'en')}: {value}): no choice is better under these rules (by {rests})."
    else:
        zh = f"{aim_text(plan, 'zh')} {value}；任何方案都不会优于 {bound}，差距至多 {plan.gap:.2%}（依据：{rests}）。"
        en = f"{aim_text(plan, 'en').capitalize()}: {value}; none can beat {bound}, at most {plan.gap:.2%} off (by {rests})."
    return pick(lang, zh, en) + again


def _phased_proof(solved: StudyPlan, lang: Lang) -> str:
    phased = solved.phased
    if phased is None:
        return ""
    unit = {"person_years": ("人·年", "person-years"), "sites": ("处", "sites"), "yuan": ("元", "yuan")}[phased.unit]
    value, bound = f"{phased.value:,.0f} {pick(lang, *unit)}", f"{phased.bound:,.0f}"
    if phased.status == "optimal":
        zh = f"已证明最优：各年累计 {value}，同样的规则和分年投入下没有更好的安排。"
        return pick(lang, zh, f"Proven optimal: {value} over all years; with these rules and means no schedule is better.")
    zh = f"各年累计 {value}；任何安排都不会优于 {bound}，差距至多 {phased.gap:.2%}。"
    return pick(lang, zh, f"{value} over all years; no schedule can be better than {bound}, a gap of at most {phased.gap:.2%}.")


def aim_text(plan: Plan, lang: Lang) -> str:
    """Name what the value counts."""
    if isinstance(plan.objective, SetCover):
        return pick(lang, "新增处数" if plan.unit == "sites" else "净投入", "new sites" if plan.unit == "sites" else "net money")
    if isinstance(plan.objective, WorstUnit):
        return pick(lang, "最薄弱单元的可达比例", "share reached in the worst-off unit")
    names = {
        "people": ("人数", "reached"),
        "person_minutes": ("总出行", "travel in all"),
        "person_metres": ("总出行", "travel in all"),
    }
    return pick(lang, *names.get(plan.unit, ("最远出行", "longest way")))


def value_text(value: float, unit: ValueUnit, lang: Lang) -> str:
    """Write a value with its unit.

    >>> value_text(0.5, "share", "en"), value_text(4685.4, "people", "zh")
    ('50.0%', '4,685 人')
    """
    if unit == "share":
        return f"{value:.1%}"
    figure = f"{value:,.2f}" if unit == "minutes" else f"{value:,.0f}"
    return f"{figure} {pick(lang, *UNITS[unit])}"


def years_sentence(solved: StudyPlan, lang: Lang) -> tuple[str, ...]:
    """Say what a plan over years loses by being one plan."""
    phased = solved.phased
    if phased is None or not phased.nesting_cost:
        return ()
    worst = max(phased.nesting_cost, key=lambda one: one.people)
    if worst.people < 0.5:
        zh = "逐年建成的点位全部保留，任何一年都不比只为该年选址少覆盖一人。"
        return (pick(lang, zh, "What is built stays, and no year reaches fewer people than if it were planned alone."),)
    zh = f"逐年建成的点位全部保留；代价最大的是 {worst.year} 年，比只为该年选址少覆盖 {worst.people:,.0f} 人。"
    en = f"What is built stays; this costs most in {worst.year}: {worst.people:,.0f} fewer people than planned alone."
    return (pick(lang, zh, en),)


def sure_sentence(solved: StudyPlan, lang: Lang) -> tuple[str, ...]:
    """Say how sure the sites are, and what a robust plan would change."""
    extras = solved.extras
    lines = [] if extras.stressed is None else [extras.stressed.summary(lang)]
    return (*lines, *([] if extras.robust is None else [_robust(solved, extras.robust, lang)]))


def _robust(solved: StudyPlan, robust: RobustPlan, lang: Lang) -> str:
    """Say what a robust plan costs and gains, and which sites it exchanges."""
    if set(robust.sites) == set(robust.nominal_sites):
        zh = "没有找到更稳健的选法：稳健方案就是本方案。"
        return pick(lang, zh, "No choice of sites was found that holds up better: the robust plan is this plan.")
    names = {str(name): str(text) for times in solved.problem.options.values() for name, text in times.facilities["name"].items()}
    comma, swaps = (
        pick(lang, "、", ", "),
        (set(robust.sites) - set(robust.nominal_sites), set(robust.nominal_sites) - set(robust.sites)),
    )
    more, less = (comma.join(names.get(name) or name for name in sorted(ids)) for ids in swaps)
    zh = "；".join(text for text in (f"增选 {more}" if more else "", f"不选 {less}" if less else "") if text)
    en = "; ".join(text for text in (f"it adds {more}" if more else "", f"it drops {less}" if less else "") if text)
    return f"{robust.text(lang)}{pick(lang, f'；{zh}。', f'; {en}.')}"
